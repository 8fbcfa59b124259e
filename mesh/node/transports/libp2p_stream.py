"""A stream of libp2p's, with the manners that the links expect: trio's exceptions, patient writes, a sudden
end.

Yamux gives up on a write after five seconds without credit from the other side, and loses count of what it
had written. A peer that reads slowly is the links' affair and not an error, so each piece is cut to the
credit that is there, and where there is none we wait, looking every few milliseconds, for as long as the
caller allows.
"""

from typing import Final, cast

import trio
from libp2p.exceptions import BaseLibp2pError
from libp2p.network.stream.exceptions import StreamEOF
from libp2p.network.stream.net_stream import NetStream
from libp2p.stream_muxer.yamux.yamux import HEADER_SIZE, MAX_MESSAGE_SIZE, YamuxStream

from mesh.node.transports.base import Remote
from mesh.node.transports.raw import RawStream

PIECE_BYTES: Final = MAX_MESSAGE_SIZE - HEADER_SIZE
CREDIT_POLL_S: Final = 0.005


class LibP2PStream:
    """The one stream of a connection; when it ends, the connection ends."""

    def __init__(self, net: NetStream, raw: RawStream, remote: Remote) -> None:
        self._net = net
        self._muxed = cast("YamuxStream", net.muxed_stream)  # Yamux is the only muxer that we offer
        self._raw = raw
        self._remote = remote

    @property
    def remote(self) -> Remote:
        """Who is at the other end."""
        return self._remote

    async def read(self, bytes_max: int) -> bytes:
        """Return 1 to `bytes_max` bytes, or none when the peer has finished."""
        try:
            return await self._net.read(bytes_max)
        except StreamEOF:
            return b""
        except BaseLibp2pError as error:
            raise trio.BrokenResourceError("the stream is gone") from error

    async def write(self, data: bytes) -> None:
        """Hand `data` over, as fast as the peer gives credit for it."""
        rest = memoryview(data)
        while rest:
            if self._raw.closed.is_set() or self._muxed.send_closed:
                raise trio.BrokenResourceError("the stream is gone")
            credit = min(self._muxed.send_window, PIECE_BYTES, len(rest))
            if credit <= 0:
                await trio.sleep(CREDIT_POLL_S)
                continue
            try:
                await self._net.write(bytes(rest[:credit]))
            except BaseLibp2pError as error:
                raise trio.BrokenResourceError("the stream is gone") from error
            rest = rest[credit:]

    async def finish(self) -> None:
        """Say that nothing more will be written; all of it is with the system by then."""
        if self._raw.closed.is_set():
            raise trio.BrokenResourceError("the stream is gone")
        try:
            await self._net.close_write()
        except BaseLibp2pError as error:
            raise trio.BrokenResourceError("the stream is gone") from error

    def abort(self) -> None:
        """Cut the connection; libp2p notices and forgets it."""
        self._raw.abort()
