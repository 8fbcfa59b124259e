"""The two ends of a conversation at one terminal: what is typed, and what comes meanwhile.

Lines are only ever added, each whole: the cursor never moves back. What others say waits while something is half typed,
or while a command speaks, and comes out when that is done.
"""

import select
import sys
import threading
from collections import deque
from collections.abc import Callable

from cli.output import Output
from mesh.node.local.protocol import JsonObject

BURST_S = 0.1  # so soon after a line the next one of a paste is there, on a slow line too; ours
Telling = Callable[[], tuple[JsonObject, list[str]]]  # made when it is shown, so that numbers follow the order shown


class Screen:
    """One thread types and commands, another tells."""

    def __init__(self, out: Output) -> None:
        self._out = out
        self._lock = threading.Lock()
        self._held: deque[Telling] = deque()
        self._idle = False
        self._at_terminal = sys.stdin.isatty()
        self._goes_on = False  # more came at once after the last line
        self.in_burst = False  # the last line came with others at once, as what is pasted does
        self._half_typed: Callable[[], str] = str  # what stands in the line that is being typed
        self._hooks = sys.stdin.isatty() and sys.stdout.isatty()
        if self._hooks:
            import readline

            self._half_typed = readline.get_line_buffer
            readline.parse_and_bind("set enable-bracketed-paste off")  # it would write marks around each line
            readline.set_auto_history(False)  # what is said here is not kept to be called up again by another
            readline.set_startup_hook(self._begin)

    def read(self) -> str | None:
        """Read the next line; None at the end. KeyboardInterrupt passes."""
        try:
            line = self._next_line()
        finally:
            with self._lock:
                self._idle = False
        before, self._goes_on = self._goes_on, line is not None and self._more_comes()
        self.in_burst = before or self._goes_on
        return line

    @property
    def may_hold_text(self) -> bool:
        """Whether something may have been half typed when Ctrl-C came; without a line editor nobody can know."""
        return bool(self._half_typed()) if self._hooks else self._at_terminal

    def _next_line(self) -> str | None:
        try:
            if self._hooks:
                return input()  # it calls `_begin` when the line is empty and ready
            self._begin()
            line = sys.stdin.readline()
            return line.removesuffix("\n").removesuffix("\r") if line else None
        except EOFError:
            return None

    def _more_comes(self) -> bool:
        """Say whether more is typed already: nobody does that by hand. What a script writes is meant as it stands."""
        return self._at_terminal and bool(select.select([sys.stdin], [], [], BURST_S)[0])

    def tell(self, telling: Telling) -> None:
        """Show something that came, now or as soon as nobody is at the line."""
        with self._lock:
            self._held.append(telling)
            if self._idle and not self._half_typed():
                self._flush()

    def close(self) -> None:
        """Show what is held, and let go of the terminal."""
        if self._hooks:
            import readline

            readline.set_startup_hook(None)
        with self._lock:
            self._flush()

    def _begin(self) -> None:
        with self._lock:
            self._flush()
            self._idle = True

    def _flush(self) -> None:
        while self._held:
            value, lines = self._held.popleft()()
            if lines or self._out.json:
                self._out.result(value, lines)
