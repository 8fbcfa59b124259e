"""What is typed while nobody asks for it: a passphrase, typed too soon, that a terminal would show.

While a passphrase is checked, which takes a second, the terminal shows nothing of what is typed, and what was typed by
then is let go of afterwards: else the next command, or the shell, would get it.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from types import TracebackType
from typing import Final, Self

_LFLAG: Final = 3  # where the local modes stand in what tcgetattr gives (termios(3))


@dataclass(slots=True)
class Unseen:
    """Between `with` and its end, or `end` before it, nothing that is typed at the process's terminal is shown.

    A process that is killed meanwhile leaves the terminal so, as with every hidden prompt; `stty echo` mends that.
    """

    _show: Callable[[], None] | None = field(default=None, init=False)  # while nothing is shown

    def __enter__(self) -> Self:
        """Begin; where there is no terminal this does nothing."""
        import termios

        if self._show is not None:
            return self
        try:
            terminal = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
        except OSError:
            return self
        before = termios.tcgetattr(terminal)
        hidden = [*before]
        hidden[_LFLAG] = before[_LFLAG] & ~termios.ECHO
        termios.tcsetattr(terminal, termios.TCSADRAIN, hidden)
        self._show = partial(_show_again, terminal, partial(termios.tcsetattr, terminal, termios.TCSAFLUSH, before))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """End."""
        self.end()

    def end(self) -> None:
        """Let go of what was typed, and show again what is."""
        show, self._show = self._show, None
        if show is not None:
            show()


def _show_again(terminal: int, restore: Callable[[], None]) -> None:
    restore()
    os.close(terminal)
