"""When a Yamux stream gives credit back: by the half window.

libp2p's own streams answer each read with a WINDOW_UPDATE, which costs as much as a message does: a frame, a Noise
message, a turn of the loop at both ends. A sender that has half a window left does not wait for it.
"""

from libp2p.stream_muxer.yamux.yamux import DEFAULT_WINDOW_SIZE, YamuxStream

from mesh.node.transports.quiet import WINDOW_BYTES_MAX


async def give_credit(stream: YamuxStream, *, bytes_read: int = 0) -> None:
    """Say what was read once that is worth a frame, and let a busy stream's window grow.

    It takes the place of libp2p's own method, which is told how much was read; the windows say so too.
    """
    del bytes_read
    buffered = len(stream.conn.stream_buffers.get(stream.stream_id, b""))
    target = stream.target_recv_window
    if 2 * (target - stream.recv_window - buffered) < target:
        return
    stream.target_recv_window = max(DEFAULT_WINDOW_SIZE, min(2 * target, WINDOW_BYTES_MAX))
    credit = stream.target_recv_window - stream.recv_window - buffered
    stream.recv_window += credit
    await stream.send_window_update(credit)
