"""A headless Chromium, spoken to over two pipes: the DevTools protocol without a library and without a port.

Messages are JSON, each ended by a zero byte; the browser reads them from file 3 and writes to file 4
(`--remote-debugging-pipe`). It is started so that it finds no name and no address outside of this machine.
"""

import fcntl
import json
import os
import select
import shutil
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Final, TypeAlias

Json: TypeAlias = str | int | float | bool | list["Json"] | dict[str, "Json"] | None
Message: TypeAlias = dict[str, Json]

NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
VARIABLE: Final = "CHROMIUM"
FLAGS: Final = (
    *(
        "--headless=new",
        "--remote-debugging-pipe",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--no-default-browser-check",
    ),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions"),
    *("--hide-scrollbars", "--host-resolver-rules=MAP * ~NOTFOUND"),
)
ANSWER_S: Final = 30.0  # a browser that starts on a busy machine
FD_LEAST: Final = 10  # so that no end of a pipe is 3 or 4 itself


class BrowserError(Exception):
    """The browser did not do what it was asked."""


def found() -> str | None:
    """Give the path of a Chromium: the one that the variable CHROMIUM names, or the first of its names in PATH."""
    named = os.environ.get(VARIABLE)
    return shutil.which(named) if named else next(filter(None, map(shutil.which, NAMES)), None)


@dataclass(slots=True)
class Browser:
    """A browser that runs. `events`: what it has told without being asked, in order."""

    to: int
    back: int
    events: list[Message] = field(default_factory=list)
    _count: int = 0
    _rest: bytes = b""

    def call(self, method: str, session: str = "", **params: Json) -> Message:
        """Ask for something and wait for the answer; BrowserError if it is an error or does not come."""
        self._count += 1
        said: Message = {"id": self._count, "method": method, "params": {**params}}
        if session:
            said["sessionId"] = session
        os.write(self.to, json.dumps(said).encode() + b"\0")
        while True:
            message = self._next(method)
            if message.get("id") == self._count:
                if "error" in message:
                    raise BrowserError(f"{method}: {message['error']}")
                result = message["result"]
                assert isinstance(result, dict)
                return result
            self.events.append(message)

    def wait(self, event: str, session: str) -> None:
        """Wait until something happens on a page, if it has not since `events` was emptied."""
        while not any(one.get("method") == event and one.get("sessionId") == session for one in self.events):
            self.events.append(self._next(event))

    def _next(self, waiting_for: str) -> Message:
        ends = monotonic() + ANSWER_S
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self.back], [], [], max(0.0, ends - monotonic()))
            piece = os.read(self.back, 1 << 20) if ready else b""
            if not piece:
                raise BrowserError(f"the browser says nothing, while it is asked for {waiting_for}")
            self._rest += piece
        line, _, self._rest = self._rest.partition(b"\0")
        message = json.loads(line)
        assert isinstance(message, dict)
        return message


@contextmanager
def browser(program: str, profile: Path) -> Iterator[Browser]:
    """Start a browser; it ends with the block."""
    (theirs_in, to), (back, theirs_out) = _pipe(), _pipe()
    flags = [*FLAGS, f"--user-data-dir={profile}", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    actions = [(os.POSIX_SPAWN_DUP2, theirs_in, 3), (os.POSIX_SPAWN_DUP2, theirs_out, 4)]
    silent = os.open(os.devnull, os.O_WRONLY)
    actions += [(os.POSIX_SPAWN_DUP2, silent, 1), (os.POSIX_SPAWN_DUP2, silent, 2)]
    pid = os.posix_spawn(program, [program, *flags], _environment(), file_actions=actions)
    for end in (theirs_in, theirs_out, silent):
        os.close(end)
    try:
        yield Browser(to, back)
    finally:
        os.kill(pid, signal.SIGTERM)
        os.waitpid(pid, 0)
        os.close(to)
        os.close(back)


def _pipe() -> tuple[int, int]:
    """Give a pipe's ends, to read and to write, with high numbers."""
    ends = []
    for end in os.pipe():
        ends.append(fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, FD_LEAST))
        os.close(end)
    return ends[0], ends[1]


def _environment() -> Mapping[str, str]:
    return {name: value for name, value in os.environ.items() if not name.upper().endswith("_PROXY")}
