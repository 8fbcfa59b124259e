"""The node's log: that it started, stopped, and what went wrong, by an allow-list of words.

A log outlives the node and is the first thing people send to strangers. So nothing that a person or a peer wrote
can get into it: an event has a fixed name and fields with fixed names and harmless types, and an exception leaves
its class and the place in *our* code where it happened, never its message.
"""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TextIO

import structlog

LOG_BYTES_MAX: Final = 1024 * 1024  # then the old one is kept once and a new one begun
ALLOWED: Final = frozenset({"event", "timestamp", "level", "addresses", "method", "error", "where"})


def only_allowed(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Drop every field that is not on the list."""
    return {key: value for key, value in event.items() if key in ALLOWED}


class Log:
    """What may be written."""

    def __init__(self, file: TextIO) -> None:
        self._log = structlog.wrap_logger(
            structlog.WriteLogger(file),
            processors=[
                structlog.processors.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                only_allowed,
                structlog.processors.JSONRenderer(),
            ],
        )

    def ready(self, addresses: int) -> None:
        """The node is ready, reachable at so many addresses."""
        self._log.info("ready", addresses=addresses)

    def stopped(self) -> None:
        """The node has stopped as asked."""
        self._log.info("stopped")

    def bug(self, method: str, error: BaseException) -> None:
        """Something failed that should not: which class, and where in our code."""
        frames = traceback.extract_tb(error.__traceback__)[-3:]
        where = " < ".join(f"{Path(f.filename).stem}:{f.lineno}" for f in reversed(frames))
        self._log.error("bug", method=method, error=type(error).__name__, where=where)


@contextmanager
def open_log(folder: Path) -> Iterator[Log]:
    """Open the home's log for appending, 0600."""
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / "node.log"
    if path.exists() and path.stat().st_size > LOG_BYTES_MAX:
        path.replace(folder / "node.log.1")
    path.touch(mode=0o600)
    with path.open("a", encoding="utf-8", buffering=1) as file:
        yield Log(file)
