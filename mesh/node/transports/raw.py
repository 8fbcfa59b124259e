"""The bytes beneath libp2p: one TCP connection, read exactly, watched for silence, and cut at once when it
must be.

libp2p reads and writes through this, so it is the place for guards that its own stream lacks.

Reading: it takes large pieces and hands out exactly what was asked for (libp2p gives up on a Noise message
that comes in more than a hundred pieces), and refuses to gather more than a Noise message, whatever length
a stranger claims.

Watching: it sees every byte, so it can tell silence from life where a ping over a busy connection cannot.
It counts silence in *ticks that passed*, so that a node which was itself asleep or busy does not blame its
peers.

Ending: `abort` closes the socket without waiting. libp2p's own farewell waits for a lock that a write to a
vanished peer holds for ever.

It has the methods of libp2p's `ReadWriteCloser` and raises what libp2p expects.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import trio
from libp2p.io.exceptions import ConnectionClosedError

READ_BYTES: Final = 64 * 1024
ASK_BYTES_MAX: Final = 65_535 + 2  # the longest Noise message and its length (Noise §3)
TICK_S: Final = 1.0
SILENT_S_MAX: Final = 6.0  # a ping each 3 s, and 3 s for its answer (network.md §1, "a half-open peer")
CHECK_BYTES: Final = 256 * 1024  # how much may come between two looks at what is held


class RawStream:
    """A TCP connection for libp2p.

    `overfull` is asked from time to time whether too much of what came is still held; `on_abort` is called once,
    when the connection is cut.
    """

    def __init__(self, stream: trio.SocketStream, host: str, port: int) -> None:
        self.host = host
        self.port = port
        self.overfull: Callable[[], bool] = lambda: False
        self.on_abort: Callable[[], None] = lambda: None
        self.closed = trio.Event()
        self._stream = stream
        self._incoming = bytearray()
        self._heard = True
        self._silent_ticks = 0
        self._unchecked = 0

    async def read(self, n: int | None = None) -> bytes:
        """Return exactly `n` bytes, or without `n` what is there; ConnectionClosedError if none come."""
        want = 1 if n is None else n
        if want > ASK_BYTES_MAX:
            self.abort()
            raise ConnectionClosedError("a peer announced more than a Noise message holds")
        while len(self._incoming) < want:
            await self._receive()
        end = len(self._incoming) if n is None else n
        data = bytes(self._incoming[:end])
        del self._incoming[:end]
        return data

    async def write(self, data: bytes) -> None:
        """Write all of `data`; ConnectionClosedError if that fails. Cancelled, the connection is cut."""
        try:
            await self._stream.send_all(data)
        except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
            self.abort()
            raise ConnectionClosedError("the connection is gone") from error
        except BaseException:
            self.abort()
            raise

    async def close(self) -> None:
        """Close the connection, at once."""
        self.abort()
        await trio.lowlevel.checkpoint()

    def abort(self) -> None:
        """Close the connection at once: whoever reads or writes gets a ConnectionClosedError."""
        if not self.closed.is_set():
            self.closed.set()
            self._stream.socket.close()
            self.on_abort()

    def get_remote_address(self) -> tuple[str, int] | None:
        """Return the other end's IP address and port."""
        return self.host, self.port

    def tick(self) -> None:
        """Note that TICK_S has passed; cut the connection after SILENT_S_MAX of silence."""
        self._silent_ticks = 0 if self._heard else self._silent_ticks + 1
        self._heard = False
        if self._silent_ticks * TICK_S >= SILENT_S_MAX:
            self.abort()

    async def _receive(self) -> None:
        """Wait until there is something, and take it: trio's own would try first, in vain as a rule, and turn twice."""
        sock = self._stream.socket
        data: bytes | None = None
        try:
            while data is None:
                await trio.lowlevel.wait_readable(sock)
                with suppress(BlockingIOError):
                    data = os.read(sock.fileno(), READ_BYTES)  # -1 once it is closed, which is no descriptor
        except (OSError, trio.ClosedResourceError) as error:
            self.abort()
            raise ConnectionClosedError("the connection is gone") from error
        if not data:
            self.abort()
            raise ConnectionClosedError("the peer closed the connection")
        self._incoming += data
        self._heard = True
        self._unchecked += len(data)
        if self._unchecked >= CHECK_BYTES:
            self._unchecked = 0
            if self.overfull():
                self.abort()
                raise ConnectionClosedError("a peer sends more than it was allowed to")
