r"""The outside of a frame: what a relay or a keeper can see and check (protocol.md §5, §7–9, §12, §18).

Every frame is `type 1 ‖ pk 32 ‖ middle ‖ signature 64`. The signature is made by the key whose public half stands
in the frame, over "mesh1/pub\0" ‖ core, where the core is all that precedes it. Who forwards a frame needs no state:
key against topic, signature, size. A frame's id hashes the core alone, because whoever holds a shared key can sign
one core twice.

| type | middle | key |
|---|---|---|
| 1 message | N 24 ‖ hdr 36 ‖ body | epoch publish key |
| 2 envelope | nonce 32 ‖ count u16 ‖ wrap bytes u16 ‖ wraps ‖ AEAD | publish key of a parent epoch |
| 3 operation | N 24 ‖ AEAD | epoch publish key |
| 4 knock | N 24 ‖ AEAD of 4,096 B | invite key |
| 5 return | N 24 ‖ AEAD of 4,096 B | publish key of an old epoch |
| 6 welcome | index u16 ‖ total u16 ‖ sealed chunk | reply key |
| 7 preview | N 24 ‖ AEAD | preview key |
| 8 pair ask | N 24 ‖ AEAD | pairing's publish key |
| 9 pair answer | index u16 ‖ total u16 ‖ N 24 ‖ AEAD of a sealed chunk | pairing's publish key |
"""

from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import Final

from mesh.crypto.hashes import h
from mesh.crypto.keys import NONCE_BYTES, SIGNATURE_BYTES, public_key, sign, verify, verify_shared
from mesh.errors import Fault, RemoteError
from mesh.ids import FrameId, TopicId
from mesh.wire import limits

PUBLISH_LABEL: Final = b"mesh1/pub\0"
TAG_BYTES: Final = 16  # Poly1305
HEADER_BYTES: Final = 16 + 4 + TAG_BYTES  # device id ‖ u32be i, sealed
HINT_BYTES: Final = 4
_PREFIX_BYTES: Final = 1 + 32
DAY_MS: Final = 86_400_000


class FrameType(IntEnum):
    """The first byte of a frame."""

    MESSAGE = 1
    ENVELOPE = 2
    OPERATION = 3
    KNOCK = 4
    RETURN = 5
    WELCOME = 6
    PREVIEW = 7
    PAIR_ASK = 8
    PAIR_ANSWER = 9


# Largest whole frame of each type; the AEAD, header and signature come on top of the contents' limits.
FRAME_BYTES_MAX: Final = {
    FrameType.MESSAGE: limits.MESSAGE_BYTES_MAX + 4096,
    FrameType.ENVELOPE: limits.ENVELOPE_BYTES_MAX,
    FrameType.OPERATION: limits.OPERATION_BYTES_MAX + 1024,
    FrameType.KNOCK: limits.KNOCK_PADDED_BYTES + 256,
    FrameType.RETURN: limits.RETURN_PADDED_BYTES + 256,
    FrameType.WELCOME: limits.WELCOME_CHUNK_BYTES_MAX + 2048,
    FrameType.PREVIEW: limits.OPERATION_BYTES_MAX + limits.OPERATION_BYTES_MAX,
    FrameType.PAIR_ASK: limits.WELCOME_CHUNK_BYTES_MAX + 2048,
    FrameType.PAIR_ANSWER: limits.WELCOME_CHUNK_BYTES_MAX + 2048,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A frame taken apart but not yet checked: `verify_frame` checks the signature."""

    raw: bytes  # the whole frame, as it came
    id: FrameId  # 32 B: the same for every signature over one core
    type: FrameType
    pk: bytes
    middle: bytes
    core: bytes
    signature: bytes


def seal_frame(kind: FrameType, seed: bytes, middle: bytes) -> bytes:
    """Put a signed frame together with the key of this 32 B seed."""
    core = bytes([kind]) + public_key(seed) + middle
    return core + sign(seed, PUBLISH_LABEL + core)


def parse_frame(data: bytes) -> Frame:
    """Take a frame apart; RemoteError if its type is unknown or its length impossible."""
    if len(data) < _PREFIX_BYTES + SIGNATURE_BYTES + 1:
        raise RemoteError(Fault.MALFORMED, "a frame is too short")
    try:
        kind = FrameType(data[0])
    except ValueError:
        raise RemoteError(Fault.MALFORMED, "a frame of unknown type") from None
    if len(data) > FRAME_BYTES_MAX[kind]:
        raise RemoteError(Fault.OVER_LIMIT, f"a {kind.name.lower()} frame of {len(data)} bytes")
    core = data[:-SIGNATURE_BYTES]
    return Frame(
        raw=data,
        id=FrameId(h(b"mesh1/frame", core)),
        type=kind,
        pk=core[1:_PREFIX_BYTES],
        middle=core[_PREFIX_BYTES:],
        core=core,
        signature=data[-SIGNATURE_BYTES:],
    )


def verify_frame(frame: Frame, seed: bytes | None = None) -> None:
    """Check the outer signature; RemoteError(BAD_SIGNATURE). Where we hold the key's `seed` (32 B), that is cheaper."""
    if seed is None:
        verify(frame.pk, PUBLISH_LABEL + frame.core, frame.signature)
    else:
        verify_shared(seed, PUBLISH_LABEL + frame.core, frame.signature)


def split_nonce(middle: bytes) -> tuple[bytes, bytes]:
    """Split `N 24 ‖ AEAD`; RemoteError if too short to hold both."""
    if len(middle) < NONCE_BYTES + TAG_BYTES:
        raise RemoteError(Fault.MALFORMED, "a frame is too short for its nonce")
    return middle[:NONCE_BYTES], middle[NONCE_BYTES:]


# ---------------------------------------------------------------- topics


@lru_cache(maxsize=4096)
def topic_of(pk: bytes) -> TopicId:
    """Return the topic on which frames under this publish, reply or preview key travel."""
    return TopicId(h(b"mesh1/topic", pk))


def rendezvous_topic(invite_pk: bytes, day: int) -> TopicId:
    """Return the topic for knocks under an invite on a day (days since 1970 in UTC)."""
    return TopicId(h(b"mesh1/rdv", invite_pk, day.to_bytes(4, "big")))


def topics_of(frame: Frame, wall_ms: int) -> tuple[TopicId, ...]:
    """Return the topics on which this frame may travel now: its key's, and before it three days' for a knock."""
    if frame.type is FrameType.KNOCK:
        today = wall_ms // DAY_MS
        days = tuple(rendezvous_topic(frame.pk, max(0, today + shift)) for shift in (-1, 0, 1))
        return (*days, topic_of(frame.pk))
    return (topic_of(frame.pk),)


# ---------------------------------------------------------------- envelopes


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvelopeParts:
    """The middle of an envelope: wraps are hint 4 ‖ sealed secret, all of one length."""

    nonce: bytes
    wraps: tuple[bytes, ...]
    sealed_op: bytes


def join_envelope(parts: EnvelopeParts) -> bytes:
    """Return `nonce 32 ‖ count u16be ‖ wrap bytes u16be ‖ wraps ‖ sealed op`."""
    size = len(parts.wraps[0])
    head = parts.nonce + len(parts.wraps).to_bytes(2, "big") + size.to_bytes(2, "big")
    return head + b"".join(parts.wraps) + parts.sealed_op


def split_envelope(middle: bytes) -> EnvelopeParts:
    """Take the middle of an envelope apart; RemoteError(MALFORMED) if lengths do not add up."""
    if len(middle) < 36:
        raise RemoteError(Fault.MALFORMED, "an envelope is too short")
    count, size = int.from_bytes(middle[32:34], "big"), int.from_bytes(middle[34:36], "big")
    end = 36 + count * size
    if count == 0 or size <= HINT_BYTES or end + TAG_BYTES > len(middle):
        raise RemoteError(Fault.MALFORMED, "an envelope's wraps do not fit")
    wraps = tuple(middle[36 + k * size : 36 + (k + 1) * size] for k in range(count))
    return EnvelopeParts(nonce=middle[:32], wraps=wraps, sealed_op=middle[end:])


def join_welcome(index: int, total: int, chunk: bytes) -> bytes:
    """Return the middle of a welcome, or of an answer to a further device: `index u16be ‖ total u16be ‖ chunk`."""
    return index.to_bytes(2, "big") + total.to_bytes(2, "big") + chunk


def split_welcome(middle: bytes) -> tuple[int, int, bytes]:
    """Return (index, total, chunk); RemoteError if they make no sense together."""
    if len(middle) < 5:
        raise RemoteError(Fault.MALFORMED, "a part of an answer is too short")
    index, total = int.from_bytes(middle[:2], "big"), int.from_bytes(middle[2:4], "big")
    if not 0 < total <= limits.WELCOME_CHUNKS_MAX or index >= total:
        raise RemoteError(Fault.MALFORMED, "the numbers of an answer's parts make no sense")
    return index, total, middle[4:]
