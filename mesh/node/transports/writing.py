"""A shorter way for a Yamux frame from here to the socket.

libp2p's own, from a write on a stream to its connection's, takes four locks and two turns of the loop, and writes a
diary that nobody reads. What must hold is little: one frame at a time, whole, within the credit that the peer gave.
"""

import struct

from libp2p.stream_muxer.yamux.yamux import TYPE_DATA, YAMUX_HEADER_FORMAT, Yamux, YamuxStream


async def write_data(stream: YamuxStream, data: bytes) -> None:
    """Write one data frame, no longer than the credit that is left (at least a byte). libp2p's exceptions."""
    assert 0 < len(data) <= stream.send_window
    stream.send_window -= len(data)
    header = struct.pack(YAMUX_HEADER_FORMAT, 0, TYPE_DATA, 0, stream.stream_id, len(data))
    await write_frame(stream.conn, header + data)


async def write_frame(muxer: Yamux, frame: bytes) -> None:
    """Write a whole frame of any type once nobody else is writing; the socket gives others their turn.

    It takes the place of libp2p's own method.
    """
    async with muxer._write_lock:  # noqa: SLF001 - the one that libp2p's own writes take
        await muxer.secured_conn.write(frame)
