"""What a sitting measured, beside its bars: as lines, as JSON, as a page."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from mesh.node.local.protocol import JsonObject

AT_MOST: Final = frozenset(
    {"ms", "%", "MiB", "B", "B/s", "trips", "copies", "× p99", "× copies"}
)  # of these less is better; of all else more


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A measured quantity: all its values, and the bar that its median is held against (None: none)."""

    name: str
    unit: str
    values: Sequence[float]
    bar: float | None = None

    @property
    def median(self) -> float:
        """The middle value."""
        return statistics.median(self.values)

    @property
    def met(self) -> bool | None:
        """Whether the bar is met; None where there is none."""
        if self.bar is None:
            return None
        return self.median <= self.bar if self.unit in AT_MOST else self.median >= self.bar

    @property
    def verdict(self) -> str:
        """The bar, and whether it is met, in words."""
        if self.bar is None:
            return ""
        return f"{'≤' if self.unit in AT_MOST else '≥'} {self.bar:g} {self.unit}: {'met' if self.met else 'MISSED'}"

    def line(self) -> str:
        """Say it in one line."""
        return f"{self.name:<58} {self.median:10.2f} {self.unit:<5} n {len(self.values):3}   {self.verdict}"

    def kept(self) -> JsonObject:
        """Return what is written down of it."""
        return {
            "name": self.name,
            "unit": self.unit,
            "median": round(self.median, 3),
            "values": [round(value, 3) for value in self.values],
            "bar": self.bar,
            "met": self.met,
        }


def page(title: str, machine: str, parts: dict[str, Sequence[Figure]], notes: Sequence[str]) -> str:
    """Return a page in Markdown: a table for each part, and what one must know to read them."""
    lines = [f"# {title}", "", f"{machine}.", ""]
    for name, figures in parts.items():
        lines += [f"## {name}", "", "| | median | of | bar |", "|---|---|---|---|"]
        lines += [f"| {f.name} | {f.median:,.2f} {f.unit} | {len(f.values)} | {f.verdict} |" for f in figures]
        lines.append("")
    lines += [f"- {note}" for note in notes]
    return "\n".join(lines).rstrip() + "\n"
