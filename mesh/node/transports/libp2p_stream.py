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
from mesh.node.transports.credit import give_credit
from mesh.node.transports.raw import RawStream
from mesh.node.transports.writing import write_data

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
        """Return 1 to `bytes_max` bytes, or none when the peer has finished or the connection is gone."""
        try:
            while not self._is_ending():
                held = self._muxed.conn.stream_buffers[self._muxed.stream_id]
                if held:
                    data = bytes(held[:bytes_max])
                    del held[:bytes_max]
                    await give_credit(self._muxed)
                    return data
                await self._more()
            if self._muxed.conn.event_shutting_down.is_set():
                return b""
            return await self._net.read(bytes_max)  # how it ends, and what is still there, libp2p knows
        except StreamEOF:
            return b""
        except BaseLibp2pError as error:
            raise trio.BrokenResourceError("the stream is gone") from error

    def _is_ending(self) -> bool:
        muxed, muxer = self._muxed, self._muxed.conn
        over = muxed.closed or muxed.recv_closed or muxer.event_shutting_down.is_set()
        return over or muxed.stream_id not in muxer.stream_buffers or muxed.stream_id not in muxer.stream_events

    async def _more(self) -> None:
        """Wait until something has come, or ended. Libp2p wakes whoever reads by an event that they renew."""
        events, stream_id = self._muxed.conn.stream_events, self._muxed.stream_id
        event = events[stream_id]
        await event.wait()
        if events.get(stream_id) is event:
            events[stream_id] = trio.Event()

    async def write(self, data: bytes) -> None:
        """Hand `data` over, as fast as the peer gives credit for it."""
        rest = memoryview(data)
        while rest:
            if self._raw.closed.is_set() or self._muxed.send_closed or self._muxed.closed:
                raise trio.BrokenResourceError("the stream is gone")
            credit = min(self._muxed.send_window, PIECE_BYTES, len(rest))
            if credit <= 0:
                await trio.sleep(CREDIT_POLL_S)
                continue
            try:
                await write_data(self._muxed, bytes(rest[:credit]))
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
