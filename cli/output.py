"""What the command says, and where: results on stdout, all else on stderr, one JSON object for a script.

Nearly every text that is shown was written by somebody else, and a terminal obeys what it is shown. So each
line passes `safe` on its way out, whoever made it: control characters, escape sequences and the marks that
turn the direction of text are taken out, and what stays can only be read. JSON is written in ASCII, which
says the same to a script and nothing to a terminal.

Colour is never the only signal: there is only bold, on a terminal that wants it (NO_COLOR, TERM=dumb and
--plain do not). Tables are `rich`'s on a terminal; elsewhere each row is one line that names its columns, for
screen readers and grep.
"""

import json
import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, TextIO

from mesh.node.local.protocol import PHRASES, JsonObject, JsonValue

SCHEMA: Final = 1

# Unicode 16, general categories Cc, Cf, Zl, Zp, where they act on a terminal or hide from a reader. Kept: the
# joiners U+200C and U+200D, which Persian and emoji are written with. A tab becomes a space.
_REMOVED: Final = (
    range(0x20),  # C0, with ESC
    range(0x7F, 0xA0),  # DEL and C1, with the one-byte CSI
    (0xAD, 0x61C, 0x180E, 0x200B, 0x200E, 0x200F, 0xFEFF, 0xFFF9, 0xFFFA, 0xFFFB),
    range(0x2028, 0x202F),  # line and paragraph separators; bidi embeddings and overrides
    range(0x2060, 0x2070),  # invisible operators; bidi isolates
    range(0xD800, 0xE000),  # halves of surrogate pairs
    range(0xE0000, 0xE1000),  # tags: text that nobody sees
)
_INSTEAD: Final = {0x09: " ", 0x0A: "\n", 0x2028: "\n", 0x2029: "\n"}
_SAFE: Final = {code: _INSTEAD.get(code) for codes in _REMOVED for code in codes}
_BOLD, _PLAIN = "\x1b[1m", "\x1b[0m"


def safe(text: str) -> str:
    """Take out of a text what would drive a terminal or deceive a reader; line ends stay."""
    return text.replace("\r\n", "\n").replace("\r", "\n").translate(_SAFE)


def one_line(text: str) -> str:
    """Make a text safe and fit for a single line: a name, a note, a label."""
    return " ".join(safe(text).split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """How to speak. `json`: for a script; `plain`: without colour, boxes or tables; `quiet`: results only.

    `event`: in a stream of objects, what one is that does not say so itself.
    """

    json: bool = False
    plain: bool = False
    quiet: bool = False
    event: str = ""

    def result(self, value: JsonObject, lines: Iterable[str] = ()) -> None:
        """Give the result: as one JSON object with its schema, or as lines for a person."""
        if self.json:
            kind: JsonObject = {"event": self.event} if self.event else {}
            _write(sys.stdout, json.dumps({"schema": SCHEMA, **kind, **_without_phrases(value)}, separators=(",", ":")))
        else:
            for line in lines:
                _write(sys.stdout, safe(line))
        sys.stdout.flush()

    def document(self, pieces: Iterable[str]) -> None:
        """Give a document as it comes, piece by piece; whoever makes it has made it safe."""
        for piece in pieces:
            _write(sys.stdout, piece, end="")
        sys.stdout.flush()

    def say(self, *lines: str) -> None:
        """Say something beside the result, unless --quiet."""
        if not self.quiet:
            self.insist(*lines)

    def insist(self, *lines: str) -> None:
        """Say something on stderr that even --quiet must not hide: an error, a prompt's context."""
        for line in lines:
            _write(sys.stderr, safe(line))
        sys.stderr.flush()

    @contextmanager
    def apart(self) -> Iterator[bool]:
        """Show what follows on a screen of its own, which is gone afterwards; False: there is no second screen.

        It is the alternate screen of xterm (private mode 1049), which holds no history where a terminal has one.
        """
        if self.json or not self._dressed():
            yield False
            return
        _write(sys.stdout, "\x1b[?1049h\x1b[2J\x1b[H", end="")
        sys.stdout.flush()
        try:
            yield True
        finally:
            _write(sys.stdout, "\x1b[2J\x1b[?1049l", end="")
            sys.stdout.flush()

    def heading(self, text: str) -> None:
        """Give a heading among the lines of a result; nothing in JSON."""
        if not self.json:
            text = safe(text)
            _write(sys.stdout, f"{_BOLD}{text}{_PLAIN}" if self._dressed() else text)

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Give rows among the lines of a result; nothing in JSON."""
        if self.json or not rows:
            return
        clean = [[one_line(cell) for cell in row] for row in rows]
        if self._dressed():
            _draw(columns, clean)
            return
        # What begins a column is ours alone: no name can pass itself off as having another rank, or a verified key.
        faked = re.compile(f";(?= *(?:{'|'.join(map(re.escape, columns))}) *:)", re.IGNORECASE)
        for row in clean:
            named = (f"{column}: {faked.sub(',', cell)}" for column, cell in zip(columns, row, strict=True) if cell)
            _write(sys.stdout, "; ".join(named))

    def _dressed(self) -> bool:
        return not self.plain and wants_dress()


def _without_phrases(value: JsonObject) -> JsonObject:
    """Leave out the phrases beside what is said in English: a script needs the one alone."""
    return {name: _part(part) for name, part in value.items() if name != PHRASES}


def _part(value: JsonValue) -> JsonValue:
    if isinstance(value, dict):
        return _without_phrases(value)
    return [_part(part) for part in value] if isinstance(value, list) else value


def wants_dress() -> bool:
    """Say whether stdout is a terminal that wants more than plain text."""
    dumb = os.environ.get("TERM", "dumb") == "dumb" or bool(os.environ.get("NO_COLOR"))
    return sys.stdout.isatty() and not dumb


def _write(stream: TextIO, line: str, end: str = "\n") -> None:
    try:
        stream.write(line + end)
    except UnicodeEncodeError:  # a terminal that is not UTF-8 still shows what it can
        encoding = stream.encoding or "ascii"
        stream.write(line.encode(encoding, "replace").decode(encoding) + end)


def _draw(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))  # Text: what people write is no markup
    Console(file=sys.stdout).print(table)
