"""How long the codec takes: a message's record made into bytes and read back, a thousand at a time."""

from typing import Final

from benchmarks.report import Figure
from benchmarks.timing import timed
from mesh.ids import DeviceId, GroupId, MsgId, OpId
from mesh.wire import limits
from mesh.wire.codec import decode, encode
from mesh.wire.messages import MessageTbs, Mode, PostBody

RECORDS: Final = 1_000
RUNS: Final = 15


def measure_codec() -> list[Figure]:
    """Measure encoding, and decoding, which parses with one implementation and holds it against another."""
    body = encode(PostBody(mode=Mode.LISTENING, cw="", topics=[], text="x" * 256, reply_to=b"", extras=[]))
    record = MessageTbs(
        version=1,
        gid=GroupId(bytes(32)),
        epoch=OpId(bytes(32)),
        dev=DeviceId(bytes(16)),
        i=7,
        mseq=7,
        prev=MsgId(bytes(32)),
        heads=[OpId(bytes(32))],
        parents=[MsgId(bytes(32))],
        kind=1,
        ts_ms=1_800_000_000_000,
        uid=bytes(16),
        flags=0,
        body=body,
    )
    data = encode(record)

    def encoding() -> None:
        for _ in range(RECORDS):
            encode(record)

    def decoding() -> None:
        for _ in range(RECORDS):
            decode(MessageTbs, data, bytes_max=limits.MESSAGE_BYTES_MAX)

    return [
        timed(f"{RECORDS:,} messages encoded", encoding, RUNS),
        timed(f"{RECORDS:,} messages decoded", decoding, RUNS),
    ]
