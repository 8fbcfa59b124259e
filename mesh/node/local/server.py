"""The node's end of the local Api: many askers on one Unix socket, none able to harm the node or another.

A connection is one task that reads, and one task for each of its requests. Whoever hangs up takes its
requests along. A `MeshError` goes back as it is; any other exception is a fault of ours: it is handed to
`on_bug`, the asker hears E-INTERNAL, and the node lives on. Everything that an asker can feed has a limit.

Who may ask: this account alone, by the folders' 0700 and the socket's 0600 (`mesh.node.local.paths`).
"""

import contextlib
import errno
import os
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Final, Protocol

import trio

from mesh.errors import MeshError, StoreError, TransportError
from mesh.node.local.api import STREAMS
from mesh.node.local.paths import prepare_folder
from mesh.node.local.protocol import (
    Answer,
    BadLine,
    Event,
    Failure,
    JsonObject,
    Lines,
    LineTooLong,
    Request,
    Result,
    decode_request,
    encode_answer,
)
from mesh.phrases import phrase

CONNECTIONS_MAX: Final = 64  # our guess: a person, a few bots; all are this account's own
REQUESTS_MAX: Final = 16  # at once on one connection
CALL_S_MAX: Final = 600.0  # a longer wait is asked for again
WRITE_S_MAX: Final = 5.0  # an asker that does not read is hung up on
BACKLOG: Final = 128  # Linux allows 4,096 (somaxconn), macOS 128
RECEIVE_BYTES: Final = 65_536

OnBug = Callable[[str, Exception], None]


class Handler(Protocol):
    """What stands behind the socket: the methods, over the node that runs."""

    async def call(self, method: str, params: JsonObject) -> JsonObject:
        """Answer once; a MeshError goes to the asker."""

    def stream(self, method: str, params: JsonObject) -> AsyncIterator[JsonObject]:
        """Give events until there are no more; the iterator is closed when the asker hangs up."""


class NodeRunning(StoreError):
    """Another node answers on this home's socket."""

    code = "E-NODE-RUNNING"


def ignore_bug(method: str, bug: Exception) -> None:
    """Drop a bug: what `serve` does when nobody wants to hear of it."""


async def serve(
    path: Path,
    handler: Handler,
    *,
    on_bug: OnBug = ignore_bug,
    streams: frozenset[str] = STREAMS,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve the Api at `path` until cancelled, and take the socket away at the end.

    Reports through `task_status` once it listens. NodeRunning if somebody listens there already; what a
    killed node left behind is replaced. `on_bug` hears the method and the exception: its message may hold
    private text, and must not be logged.
    """
    listener = _listen(path)
    mark = _mark(path)
    door = _Door(handler, on_bug, streams)
    try:
        async with trio.open_nursery() as nursery:
            await nursery.start(partial(trio.serve_listeners, door.receive, [listener]))
            task_status.started()
    finally:
        if _mark(path) == mark:
            _forget(path)


def _listen(path: Path) -> trio.SocketListener:
    prepare_folder(path)
    if _answers(path):
        raise NodeRunning(
            "A node already runs on this home.",
            why="Two nodes on one home would use the same keys twice.",
            do="Use it as it is, or stop it with `mesh down`.",
        )
    path.unlink(missing_ok=True)
    raw = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    raw.bind(str(path))
    path.chmod(0o600)
    raw.listen(BACKLOG)
    return trio.SocketListener(trio.socket.from_stdlib_socket(raw))


def _mark(path: Path) -> tuple[int, int] | None:
    """Tell this socket from one that somebody made later at the same path."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_ctime_ns


def _forget(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()
        path.parent.rmdir()  # so that nothing tells afterwards how many homes there were


def _answers(path: Path) -> bool:
    probe = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with probe:
        probe.setblocking(False)
        code = probe.connect_ex(os.fspath(path))
    return code in {0, errno.EAGAIN, errno.EINPROGRESS}


class _Gone(Exception):
    """The asker hung up, or does not read."""


class _Door:
    """All connections of one socket."""

    def __init__(self, handler: Handler, on_bug: OnBug, streams: frozenset[str]) -> None:
        self.handler, self.on_bug, self.streams = handler, on_bug, streams
        self._open = 0

    async def receive(self, stream: trio.SocketStream) -> None:
        """Serve one connection to its end, whatever comes out of it."""
        self._open += 1
        try:
            async with stream:
                await _Connection(self, stream).run(welcome=self._open <= CONNECTIONS_MAX)
        except* _Gone:
            pass
        except* Exception as bugs:  # noqa: BLE001 - the edge: one connection must not end the node
            self.on_bug("connection", bugs)
        finally:
            self._open -= 1

    async def answer(self, request: Request, connection: "_Connection") -> Answer:
        """Let the handler answer; a stream's events are sent on the way."""
        try:
            with trio.fail_after(CALL_S_MAX if request.method not in self.streams else float("inf")):
                if request.method in self.streams:
                    await connection.forward(request, self.handler.stream(request.method, request.params))
                    return Result(id=request.id, result={})
                return Result(id=request.id, result=await self.handler.call(request.method, request.params))
        except _Gone:
            raise
        except trio.TooSlowError:
            return Failure(id=request.id, error=_too_slow())
        except Exception as error:  # noqa: BLE001 - the edge: a bug in a method must not end the node
            return Failure(id=request.id, error=self._said(request.method, error))

    def _said(self, method: str, error: Exception) -> MeshError:
        lone = error
        while isinstance(lone, ExceptionGroup) and len(lone.exceptions) == 1:
            lone = lone.exceptions[0]
        if isinstance(lone, MeshError):
            return lone
        self.on_bug(method, error)
        return MeshError(
            phrase("Something is wrong inside the node ({kind}).", kind=type(lone).__name__),
            why="This is a fault in the program, not in what you did.",
            do="Look with `mesh status` whether it happened; the node's log names the place.",
            code="E-INTERNAL",
        )


class _Connection:
    """One asker: a task that reads, and a task for each request."""

    def __init__(self, door: _Door, stream: trio.SocketStream) -> None:
        self._door, self._stream = door, stream
        self._turn = trio.Lock()
        self._running = 0

    async def run(self, *, welcome: bool) -> None:
        """Read until the asker hangs up, then cancel what still runs for it."""
        if not welcome:
            await self._send(Failure(id=None, error=_busy("Too many commands are talking to the node.")))
            return
        async with trio.open_nursery() as nursery:
            lines = Lines()
            try:
                while received := await self._receive():
                    for line in lines.feed(received):
                        await self._take(line, nursery)
            except LineTooLong as error:
                await self._send(Failure(id=None, error=error))
            nursery.cancel_scope.cancel()

    async def forward(self, request: Request, events: AsyncIterator[JsonObject]) -> None:
        """Send a stream's events, and close it whatever happens."""
        try:
            async for event in events:
                await self._send(Event(id=request.id, event=event))
        finally:
            if isinstance(events, AsyncGenerator):
                with trio.move_on_after(WRITE_S_MAX, shield=True):
                    await events.aclose()

    async def _receive(self) -> bytes:
        try:
            return bytes(await self._stream.receive_some(RECEIVE_BYTES))
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            return b""

    async def _take(self, line: bytes, nursery: trio.Nursery) -> None:
        try:
            request = decode_request(line)
        except BadLine as bad:
            await self._send(Failure(id=bad.id, error=bad))
            return
        if self._running >= REQUESTS_MAX:
            await self._send(Failure(id=request.id, error=_busy("Too many requests at once.")))
            return
        self._running += 1
        nursery.start_soon(self._serve, request)

    async def _serve(self, request: Request) -> None:
        try:
            answer = await self._door.answer(request, self)
            # Shielded: what was done is said, even when the node stops because of it (`node.stop`).
            with trio.CancelScope(shield=True):
                await self._send(answer)
        finally:
            self._running -= 1

    async def _send(self, answer: Answer) -> None:
        line = encode_answer(answer)
        try:
            with trio.fail_after(WRITE_S_MAX):
                async with self._turn:
                    await self._stream.send_all(line)
        except (trio.TooSlowError, trio.BrokenResourceError, trio.ClosedResourceError):
            raise _Gone from None


def _busy(what: str) -> TransportError:
    return TransportError(what, do="Close some of them, or wait, and try again.", code="E-BUSY")


def _too_slow() -> TransportError:
    return TransportError(
        "The node took too long.",
        why="It may still be doing what you asked for.",
        do="Look with `mesh status`.",
        code="E-NODE-SILENT",
    )
