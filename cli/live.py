"""A line that shows how far something is: rewritten in place on a terminal, and nothing elsewhere.

What is shown changes several times a second, so it is neither kept nor read aloud: whoever asks for --plain or --quiet,
or has no terminal that can do it, gets the lines that are said beside it and no more.
"""

import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Final, TextIO

from cli.output import Output, one_line

EVERY_S: Final = 0.12  # as often as an eye follows; ours
_BACK: Final = "\r\x1b[K"  # to the line's begin, and clear it (ECMA-48, EL)


@dataclass(slots=True)
class Live:
    """A line on a terminal. `clear` it before anything else is written there, and at the end."""

    stream: TextIO | None  # None: nothing is shown
    _next_s: float = 0.0
    _shown: bool = False

    @staticmethod
    def on(out: Output, stream: TextIO | None = None) -> "Live":
        """Give a line on stderr, or on another stream, if it is a terminal that can do it and nobody asked for less."""
        stream = stream or sys.stderr
        able = stream.isatty() and os.environ.get("TERM", "dumb") != "dumb"
        return Live(stream if able and not (out.quiet or out.plain or out.json) else None)

    def show(self, line: Callable[[], str]) -> None:
        """Show a line, unless one was shown a moment ago."""
        if self.stream is None or monotonic() < self._next_s:
            return
        self._next_s = monotonic() + EVERY_S
        width = shutil.get_terminal_size().columns - 1
        self.stream.write(_BACK + one_line(line())[:width])
        self.stream.flush()
        self._shown = True

    def clear(self) -> None:
        """Take the line away."""
        if self.stream is not None and self._shown:
            self.stream.write(_BACK)
            self.stream.flush()
            self._shown = False
