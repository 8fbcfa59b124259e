"""What links say of frames without sending them: announce, ask, and how eagerly an author's frames are wanted.

Four kinds of one shape (protocol.md §8): `flag 1 ‖ ids`, each id the first 16 B of a frame's, 1 to 512 of them. An id
is a hash of ciphertext and says nothing to those who do not have the frame; and they go to proved members alone.
"""

from collections.abc import Iterable
from enum import IntEnum
from typing import Final, NewType

from mesh.errors import Fault, RemoteError
from mesh.ids import FrameId
from mesh.wire import limits

ShortId = NewType("ShortId", bytes)  # the first 16 B of a frame id: 2⁶⁴ frames until two are likely to share one
SHORT_BYTES: Final = 16


class Pace(IntEnum):
    """The flag of IHAVE: whether the frame is likely to come by itself."""

    ASK = 0  # it is not: ask at once
    WAIT = 1  # it is a long one and on its way: ask in a second


class Rank(IntEnum):
    """How a link wants an author's frames: the flag of GRAFT (1, 2); PRUNE stands for LAZY."""

    LAZY = 0  # as ids
    FIRST = 1  # at once, whatever their length
    SPARE = 2  # at once if they are short, else as ids


def short(frame: FrameId) -> ShortId:
    """Return the 16 B by which links speak of a frame."""
    return ShortId(frame[:SHORT_BYTES])


def pack_ids(flag: int, ids: Iterable[ShortId]) -> list[bytes]:
    """Return payloads of at most 512 ids each."""
    joined = b"".join(ids)
    step = limits.SHORT_IDS_MAX * SHORT_BYTES
    return [bytes([flag]) + joined[k : k + step] for k in range(0, len(joined), step)]


def unpack_ids(payload: bytes, flags: tuple[int, ...]) -> tuple[int, list[ShortId]]:
    """Return the flag, one of those given, and the ids, none twice; RemoteError(MALFORMED)."""
    count, rest = divmod(len(payload) - 1, SHORT_BYTES)
    if rest or not 0 < count <= limits.SHORT_IDS_MAX:
        raise RemoteError(Fault.MALFORMED, "a list of frame ids has the wrong length")
    if payload[0] not in flags:
        raise RemoteError(Fault.MALFORMED, "a list of frame ids with an unknown flag")
    ids = [ShortId(payload[k : k + SHORT_BYTES]) for k in range(1, len(payload), SHORT_BYTES)]
    return payload[0], list(dict.fromkeys(ids))
