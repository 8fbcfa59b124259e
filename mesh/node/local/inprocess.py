"""The Api's second body: no node runs, so the command opens the home itself, under its lock, and closes it again.

The same machine handles the same commands. Nothing here needs trio or libp2p: methods are async functions, but at this
desk they never wait, so they are simply run to their end. Deriving the key takes half a second in which Python has
nothing to do; what the answer needs is imported meanwhile.
"""

import importlib
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from mesh.errors import LocalError
from mesh.node.home import Home
from mesh.node.local.api import STREAMS, Passphrase
from mesh.node.local.protocol import JsonObject

if TYPE_CHECKING:
    from mesh.node.local.closed_desk import ClosedDesk

T = TypeVar("T")
LOCK_WAIT_S: Final = 5.0  # architecture.md: another command may be at work
_NEEDED: Final = ("mesh.node.local.closed_desk", "mesh.node.local.methods")


class InProcessApi:
    """An `Api` over a home that no node runs on."""

    def __init__(self, home: Path, passphrase: Passphrase) -> None:
        self._home = Home.at(home)
        self._lock = self._home.lock(LOCK_WAIT_S)
        try:
            given = passphrase()
            importing = threading.Thread(target=lambda: [importlib.import_module(name) for name in _NEEDED])
            importing.start()
            self._store = self._home.open_store(given)
            importing.join()
            self._desk = self._open_desk()
        except BaseException:
            self._lock.release()
            raise

    def _open_desk(self) -> "ClosedDesk":
        from mesh.node.local.closed_desk import ClosedDesk

        return ClosedDesk(self._home, self._store)

    def call(self, method: str, params: JsonObject) -> JsonObject:
        """Answer once; MeshError."""
        from mesh.node.local import methods

        if method in STREAMS:
            raise node_needed()
        return run_to_end(methods.call(self._desk, method, params))

    def stream(self, method: str, params: JsonObject) -> Iterator[JsonObject]:
        """Read a file out; refuse all else: nothing happens while no node runs."""
        if method != "file.read":
            raise node_needed()
        return self._read_out(params)

    def _read_out(self, params: JsonObject) -> Iterator[JsonObject]:
        from mesh.node.local.methods.files import read_out

        pieces = read_out(self._desk, params)
        while (piece := run_to_end(_next(pieces))) is not None:
            yield piece

    def close(self) -> None:
        """Let go of store and lock."""
        self._store.close()
        self._lock.release()


async def _next(pieces: AsyncIterator[JsonObject]) -> JsonObject | None:
    return await anext(pieces, None)


def node_needed() -> LocalError:
    """Return the error for what only a running node can do."""
    return LocalError(
        "your node is not running",
        why="without it nothing new can come",
        do="start it with `mesh up`, in another terminal or with --detach",
        code="E-NODE-DOWN",
    )


def run_to_end(call: Coroutine[object, object, T]) -> T:
    """Run a coroutine that never waits."""
    try:
        call.send(None)
    except StopIteration as end:
        value: T = end.value
        return value
    call.close()
    raise AssertionError("a method waited at a desk where nothing happens")
