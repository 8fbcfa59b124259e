"""The two ends of a conversation at one terminal: what is typed, and what comes meanwhile.

Lines are only ever added, each whole: the cursor never moves back. What others say waits while something is half typed,
or while a command speaks, and comes out when that is done.
"""

import sys
import threading
from collections import deque
from collections.abc import Callable

from cli.output import Output
from mesh.node.local.protocol import JsonObject

Telling = Callable[[], tuple[JsonObject, list[str]]]  # made when it is shown, so that numbers follow the order shown


class Screen:
    """One thread types and commands, another tells."""

    def __init__(self, out: Output) -> None:
        self._out = out
        self._lock = threading.Lock()
        self._held: deque[Telling] = deque()
        self._idle = False
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
            if self._hooks:
                return input()  # it calls `_begin` when the line is empty and ready
            self._begin()
            line = sys.stdin.readline()
            return line.removesuffix("\n").removesuffix("\r") if line else None
        except EOFError:
            return None
        finally:
            with self._lock:
                self._idle = False

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
