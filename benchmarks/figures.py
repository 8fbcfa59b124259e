"""A measured time beside its bar. Times are of the processor, not of the wall: others may use this machine."""

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured time, and the bar that it is held against."""

    name: str
    median_ms: float
    bar_ms: float | None = None

    def line(self) -> str:
        """Say it in one line."""
        met = self.bar_ms is None or self.median_ms <= self.bar_ms
        held = "" if self.bar_ms is None else f"   bar {self.bar_ms:.0f} ms  {'met' if met else 'MISSED'}"
        return f"{self.name:<48} {self.median_ms:8.2f} ms{held}"


def busy_ms(act: Callable[[], object]) -> float:
    """Return how long something keeps the processor busy, in ms."""
    began = time.process_time()
    act()
    return (time.process_time() - began) * 1000
