"""A node that answers the local Api from a table: the real server and socket, with no mesh behind."""

import os
import tempfile
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from shutil import rmtree

import trio

from mesh.errors import MeshError
from mesh.node.local.api import unknown_method
from mesh.node.local.paths import socket_path
from mesh.node.local.protocol import JsonObject
from mesh.node.local.server import serve

Reply = JsonObject | MeshError | Exception | Callable[[JsonObject], JsonObject]


@dataclass
class FakeHandler:
    """Answers each method with what the table holds: an object, an error, or a function of params."""

    replies: Mapping[str, Reply]
    events: Mapping[str, list[JsonObject]] = field(default_factory=dict)
    stays_open: bool = False  # whether a stream waits after its last event
    asked: list[tuple[str, JsonObject]] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    at_stop: Callable[[], None] = lambda: None

    async def call(self, method: str, params: JsonObject) -> JsonObject:
        self.asked.append((method, params))
        if method == "wait":
            try:
                await trio.sleep_forever()
            finally:
                self.cancelled.append(method)
        if method == "node.stop":
            self.at_stop()
        reply = self.replies.get(method, unknown_method(method))
        if isinstance(reply, Exception):
            raise reply
        return reply(params) if callable(reply) else reply

    async def stream(self, method: str, params: JsonObject) -> AsyncIterator[JsonObject]:
        self.asked.append((method, params))
        try:
            for event in self.events.get(method, []):
                yield event
            if self.stays_open:
                await trio.sleep_forever()
        finally:
            self.cancelled.append(method)


@contextmanager
def short_runtime_folder() -> Iterator[Path]:
    """Give a folder of ours with a short path, as XDG_RUNTIME_DIR, for sockets whose paths must be short."""
    folder = Path(tempfile.mkdtemp(prefix="m-"))
    before = os.environ.get("XDG_RUNTIME_DIR")
    os.environ["XDG_RUNTIME_DIR"] = str(folder)
    try:
        yield folder
    finally:
        if before is None:
            del os.environ["XDG_RUNTIME_DIR"]
        else:
            os.environ["XDG_RUNTIME_DIR"] = before
        rmtree(folder)


class FakeNode:
    """A thread with a trio loop that serves `handler` on the socket of `home`."""

    def __init__(self, home: Path, handler: FakeHandler) -> None:
        self.path = socket_path(home)
        self.handler = handler
        self.bugs: list[tuple[str, Exception]] = []
        self._ready = threading.Event()
        self._failed: Exception | None = None
        self._token: trio.lowlevel.TrioToken | None = None
        self._scope = trio.CancelScope()
        self._thread = threading.Thread(target=trio.run, args=(self._main,))
        handler.at_stop = self._scope.cancel

    async def _main(self) -> None:
        self._token = trio.lowlevel.current_trio_token()
        try:
            with self._scope:
                async with trio.open_nursery() as nursery:
                    await nursery.start(
                        partial(serve, self.path, self.handler, on_bug=lambda *bug: self.bugs.append(bug))
                    )
                    self._ready.set()
        except* MeshError as errors:
            self._failed = errors.exceptions[0]
        finally:
            self._ready.set()

    def start(self) -> None:
        self._thread.start()
        self._ready.wait(10)
        if self._failed is not None:
            self._thread.join(10)
            raise self._failed

    def stop(self) -> None:
        if self._thread.is_alive():
            assert self._token is not None
            with suppress(trio.RunFinishedError):
                self._token.run_sync_soon(self._scope.cancel)
        self._thread.join(10)
        assert not self._thread.is_alive()


@contextmanager
def fake_node(
    home: Path,
    replies: Mapping[str, Reply] | None = None,
    events: Mapping[str, list[JsonObject]] | None = None,
    *,
    stays_open: bool = False,
) -> Iterator[FakeNode]:
    """Run a fake node for `home` while the block lasts."""
    node = FakeNode(home, FakeHandler(replies or {}, events or {}, stays_open))
    node.start()
    try:
        yield node
    finally:
        node.stop()
