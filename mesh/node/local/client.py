"""The Api's first body: a blocking client of the socket of the node that runs.

It imports neither trio nor anything of keys, so that `mesh read` answers at once. Each stream has a
connection of its own; hanging up is how one ends it, and what the node still did for it ends too.
"""

import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from mesh.errors import TransportError
from mesh.node.local.paths import UnsafeFolder, check_folder, where_to_look
from mesh.node.local.protocol import (
    Answer,
    Event,
    Failure,
    JsonObject,
    Lines,
    Request,
    Result,
    decode_answer,
    encode_request,
)

CONNECT_S: Final = 2.0  # our guess: a listening node accepts in microseconds; a stopped process never does
RETRY_S: Final = 0.01
CALL_S: Final = 30.0  # our guess: Argon2id on a small machine takes 3 s, twice; `wait_s` comes on top
RECEIVE_BYTES: Final = 65_536


class NodeSilent(TransportError):
    """The node is there and does not answer."""

    code = "E-NODE-SILENT"


class NodeStopped(TransportError):
    """The node stopped, or hung up, before it had answered."""

    code = "E-NODE-STOPPED"


class SocketApi:
    """The Api of a node that runs."""

    def __init__(self, path: Path) -> None:
        """Connect; FileNotFoundError or ConnectionRefusedError if nobody listens at `path`."""
        self._path = path
        self._line = _Line(path)
        self._next_id = 0

    def call(self, method: str, params: JsonObject) -> JsonObject:
        """Ask once; what the node answers with an error is raised as the MeshError that it was."""
        self._next_id += 1
        wait_s = params.get("wait_s")
        self._line.patience_s(CALL_S + (wait_s if isinstance(wait_s, int | float) else 0))
        self._line.send(Request(id=self._next_id, method=method, params=params))
        answer = self._line.receive()
        while isinstance(answer, Event):
            answer = self._line.receive()
        return _result(answer)

    def stream(self, method: str, params: JsonObject) -> Iterator[JsonObject]:
        """Ask for a stream, now; closing the iterator hangs up. NodeStopped if the node has gone meanwhile."""
        try:
            line = _Line(self._path)
        except NodeSilent:
            raise
        except OSError:
            raise _stopped() from None
        line.send(Request(id=1, method=method, params=params))
        line.patience_s(None)
        return _events(line)

    def close(self) -> None:
        """Hang up."""
        self._line.close()


def connect(home: Path) -> SocketApi | None:
    """Reach the node of `home`; None if none listens. UnsafeFolder if others could be listening instead.

    Only the first place may raise: a node never listens in an unsafe folder, and another account must not be able
    to stop every command by making a folder in a place that is looked at just in case.
    """
    for order, path in enumerate(where_to_look(home)):
        try:
            check_folder(path)
            return SocketApi(path)
        except (FileNotFoundError, NotADirectoryError, ConnectionRefusedError):
            continue  # never there, or left over from a node that was killed
        except UnsafeFolder:
            if order == 0:
                raise
    return None


def _events(line: "_Line") -> Iterator[JsonObject]:
    try:
        while isinstance(answer := line.receive(), Event):
            yield answer.event
        _result(answer)
    finally:
        line.close()


def _result(answer: Result | Failure) -> JsonObject:
    if isinstance(answer, Failure):
        raise answer.error
    return answer.result


class _Line:
    """One connection: requests out, answers in, in the order in which they come."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(CALL_S)
        self._lines = Lines()
        self._ready: list[bytes] = []
        try:
            self._connect(path)
        except BaseException:
            self.close()
            raise

    def _connect(self, path: Path) -> None:
        end = time.monotonic() + CONNECT_S
        while True:
            try:
                self._socket.connect(str(path))
                return
            except BlockingIOError:  # it listens, and too many stand at its door (connect(2), EAGAIN)
                if time.monotonic() > end:
                    raise _silent() from None
                time.sleep(RETRY_S)

    def patience_s(self, seconds: float | None) -> None:
        """Wait at most this long for each piece of an answer; None waits for ever."""
        self._socket.settimeout(seconds)

    def send(self, request: Request) -> None:
        line = encode_request(request)
        try:
            self._socket.sendall(line)
        except TimeoutError:
            raise _silent() from None
        except OSError:
            raise _stopped() from None

    def receive(self) -> Answer:
        while not self._ready:
            try:
                received = self._socket.recv(RECEIVE_BYTES)
            except TimeoutError:
                raise _silent() from None
            except OSError:
                raise _stopped() from None
            if not received:
                raise _stopped()
            self._ready = list(self._lines.feed(received))
        return decode_answer(self._ready.pop(0))

    def close(self) -> None:
        self._socket.close()


def _silent() -> NodeSilent:
    return NodeSilent(
        "Your node does not answer.",
        why="It may be busy, or suspended.",
        do="Try again in a moment; if it stays so, end its process and start it with `mesh up`.",
    )


def _stopped() -> NodeStopped:
    return NodeStopped(
        "Your node stopped before it had answered.",
        why="What you asked for may or may not have happened.",
        do="Look with `mesh status`; start it again with `mesh up`.",
    )
