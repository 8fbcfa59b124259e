"""How `--help` looks: two columns, no boxes, nothing that a screen reader would spell out."""

import textwrap
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cyclopts.help import HelpEntry, HelpPanel
    from rich.console import Console, ConsoleOptions, RenderableType

LABEL_CHARS_MAX: Final = 26  # a longer label stands on a line of its own
WIDTH_MAX: Final = 100
ITEMS: Final = ("- ", "mesh ")  # what begins a line of its own in a docstring


class HelpLayout:
    """The formatter that cyclopts calls for each part of a help page."""

    def render_usage(self, console: "Console", _options: "ConsoleOptions", usage: "RenderableType") -> None:
        """Write the line that shows how a command is written."""
        console.file.write(_plain(usage).strip() + "\n\n")

    def render_description(self, console: "Console", _options: "ConsoleOptions", description: "RenderableType") -> None:
        """Write what the command does, a paragraph for each in its docstring."""
        for paragraph in _plain(description).strip().split("\n\n"):
            if paragraph:
                console.file.write("\n".join(_filled(paragraph, _width(console))) + "\n\n")

    def __call__(self, console: "Console", options: "ConsoleOptions", panel: "HelpPanel") -> None:
        """Write one group of commands or flags."""
        del options  # cyclopts hands it to every formatter by this name
        rows = [(_label(entry), _meaning(entry)) for entry in panel.entries]
        if not rows:
            return
        column = max(len(label) if len(label) <= LABEL_CHARS_MAX else 0 for label, _ in rows)
        console.file.write(f"{_plain(panel.title)}:\n")
        for label, meaning in rows:
            indent = " " * (column + 4)
            lines = textwrap.wrap(meaning, _width(console) - len(indent), break_on_hyphens=False) or [""]
            head = f"  {label:<{column}}  " if len(label) <= column else f"  {label}\n{indent}"
            console.file.write(head + f"\n{indent}".join(lines) + "\n")
        console.file.write("\n")


def _filled(paragraph: str, width: int) -> list[str]:
    """Fill a paragraph; where it is a list of items ("- ") or of examples ("mesh …"), each on a line of its own."""
    if not paragraph.lstrip().startswith(ITEMS):
        return [textwrap.fill(" ".join(paragraph.split()), width, break_on_hyphens=False)]
    items: list[str] = []
    for line in map(str.strip, paragraph.splitlines()):
        if line.startswith(ITEMS):
            items.append(line)
        else:
            items[-1] += f" {line}"
    wrapped = textwrap.TextWrapper(width, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False)
    return [wrapped.fill(item) for item in items]


def _width(console: "Console") -> int:
    return min(console.width, WIDTH_MAX)


def _label(entry: "HelpEntry") -> str:
    if entry.positional_label:
        return entry.positional_label  # it also has a name as a flag, which nobody needs to know
    return ", ".join(entry.display_labels_with_metavar)


def _meaning(entry: "HelpEntry") -> str:
    parts = [" ".join(_plain(entry.description).split())]
    if entry.choices:
        parts.append(f"One of {', '.join(entry.choices)}.")
    if entry.env_var:
        parts.append(f"Also by {', '.join(entry.env_var)}.")
    if entry.default not in {None, "", '""'}:
        parts.append(f"[{entry.default}]")
    return " ".join(part for part in parts if part)


def _plain(part: object) -> str:
    inner = getattr(part, "primary_renderable", part)
    plain = getattr(inner, "plain", inner)
    return plain if isinstance(plain, str) else ""
