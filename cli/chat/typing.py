"""What a person types in the line mode, made into texts and commands. Pure: one line in, what it means out.

A line that begins with `/` is a command, any other is a text; `//` at the beginning says `/`. A line that ends in a
backslash goes on in the next one, and two backslashes at the end say one. After `/text` every line belongs to the text,
up to one with a single dot.
"""

import shlex
from dataclasses import dataclass, field
from typing import Final

from mesh.errors import LocalError

TEXT_BYTES_MAX: Final = 1 << 20  # of one text; what is longer would not pass the local Api either
BLOCK: Final = "text"  # the command that begins a text of several lines
END: Final = "."


@dataclass(frozen=True, slots=True)
class Said:
    """A text to be posted."""

    text: str


@dataclass(frozen=True, slots=True)
class Command:
    """A command: its name without the slash, and the rest of the line as it was typed."""

    name: str
    rest: str


@dataclass(slots=True)
class Typing:
    """What has been typed and is not whole yet."""

    _parts: list[str] = field(default_factory=list)
    _in_block: bool = False
    _bytes: int = 0
    _lines: int = 0  # of a text of many lines, after the command that began it

    @property
    def unfinished(self) -> str:
        """What was typed so far of something that is not whole."""
        return "\n".join(self._parts)

    @property
    def begins_block(self) -> bool:
        """Whether a text of many lines has just begun: none of its lines came yet."""
        return self._in_block and not self._lines

    def take(self, line: str) -> Said | Command | None:
        """Take in one line; return what is whole now, if anything. LocalError for what is too long; it is let go."""
        self._bytes += len(line.encode("utf-8", "replace")) + 1
        if self._bytes > TEXT_BYTES_MAX:
            self._begin_anew()
            raise LocalError("That is longer than 1 MiB.", do="Send less at once.", code="E-TOO-LONG")
        if self._in_block:
            return self._take_in_block(line)
        goes_on = _ends_in_one_backslash(line)
        self._parts.append(_without_mark(line))
        if goes_on:
            return None
        whole = self.unfinished
        self._begin_anew()
        meant = read_line(whole)
        if isinstance(meant, Command) and meant.name == BLOCK:
            self._in_block, self._lines = True, 0
            self._parts = [meant.rest] if meant.rest else []
            return None
        return meant

    def _take_in_block(self, line: str) -> Said | None:
        self._lines += 1
        if line.strip() != END:
            self._parts.append(line)
            return None
        whole = self.unfinished.strip("\n")
        self._begin_anew()
        return Said(whole) if whole.strip() else None

    def _begin_anew(self) -> None:
        self._parts, self._in_block, self._bytes, self._lines = [], False, 0, 0


def read_line(line: str) -> Said | Command | None:
    """Return what a whole line means; None for one that says nothing."""
    if not line.strip():
        return None
    if line.startswith("//"):
        return Said(line[1:])
    if not line.startswith("/"):
        return Said(line)
    name, rest = ([*line[1:].split(maxsplit=1), "", ""])[:2]
    return Command(name=name, rest=rest.strip())


def words_of(rest: str) -> list[str]:
    """Split the rest of a command's line as a shell does. LocalError for a quote that is not closed."""
    try:
        return shlex.split(rest)
    except ValueError:
        raise LocalError(
            "A quote is opened and not closed.",
            why="Words with spaces stand between two marks of the same kind.",
            do='For example: /go "Tuesday grief". A mark that is meant as itself stands after a backslash.',
            code="E-USAGE",
        ) from None


def _ends_in_one_backslash(line: str) -> bool:
    return line.endswith("\\") and not line.endswith("\\\\")


def _without_mark(line: str) -> str:
    return line.removesuffix("\\")
