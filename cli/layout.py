"""How `--help` looks: two columns, no boxes, nothing that a screen reader would spell out."""

import textwrap
from typing import TYPE_CHECKING, Final

from cli.words import tell, tell_phrase, to_tell
from mesh.phrases import Phrase

if TYPE_CHECKING:
    from cyclopts.help import HelpEntry, HelpPanel
    from rich.console import Console, ConsoleOptions, RenderableType

LABEL_CHARS_MAX: Final = 26  # a longer label stands on a line of its own
WIDTH_MAX: Final = 100
ITEMS: Final = ("- ", "mesh ")  # what begins a line of its own in a docstring
# What cyclopts says of itself on our pages.
TITLES: Final = (to_tell("Commands"), to_tell("Parameters"), to_tell("Arguments"))
FLAGS: Final = (to_tell("Display this message and exit."), to_tell("Display application version."))


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
        console.file.write(f"{_told(_plain(panel.title))}:\n")
        for label, meaning in rows:
            indent = " " * (column + 4)
            lines = textwrap.wrap(meaning, _width(console) - len(indent), break_on_hyphens=False) or [""]
            head = f"  {label:<{column}}  " if len(label) <= column else f"  {label}\n{indent}"
            console.file.write(head + f"\n{indent}".join(lines) + "\n")
        console.file.write("\n")


def units(paragraph: str) -> list[str]:
    """Give what is filled by itself: a paragraph, or each item of a list ("- ") or of examples ("mesh …")."""
    if not paragraph.lstrip().startswith(ITEMS):
        return [" ".join(paragraph.split())]
    items: list[str] = []
    for line in map(str.strip, paragraph.splitlines()):
        if line.startswith(ITEMS):
            items.append(line)
        else:
            items[-1] += f" {line}"
    return items


def _filled(paragraph: str, width: int) -> list[str]:
    """Fill a paragraph, each of its items on a line of its own; what is to be typed stays as it is."""
    items = units(paragraph)
    if not items[0].startswith(ITEMS):
        return [textwrap.fill(_told(items[0]), width, break_on_hyphens=False)]
    wrapped = textwrap.TextWrapper(width, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False)
    return [wrapped.fill(f"- {_told(item[2:])}" if item.startswith("- ") else item) for item in items]


def _told(text: str) -> str:
    """Say a text of a page; `tests/words/pages.py` collects them from where they stand."""
    return tell_phrase(Phrase(" ".join(text.split())))


def _width(console: "Console") -> int:
    return min(console.width, WIDTH_MAX)


def _label(entry: "HelpEntry") -> str:
    if entry.positional_label:
        return entry.positional_label  # it also has a name as a flag, which nobody needs to know
    return ", ".join(entry.display_labels_with_metavar)


def _meaning(entry: "HelpEntry") -> str:
    parts = [_told(_plain(entry.description))]
    if entry.choices:
        parts.append(tell("One of {names}.", names=", ".join(entry.choices)))
    if entry.env_var:
        parts.append(tell("Also by {names}.", names=", ".join(entry.env_var)))
    if entry.default not in {None, "", '""'}:
        parts.append(f"[{entry.default}]")
    return " ".join(part for part in parts if part)


def _plain(part: object) -> str:
    inner = getattr(part, "primary_renderable", part)
    plain = getattr(inner, "plain", inner)
    return plain if isinstance(plain, str) else ""
