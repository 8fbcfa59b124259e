"""What a member and a keeper say to each other over a link (protocol.md §8): link kinds 12 and 13.

KEEP is `type u8 ‖ record`: a member asks to have topics kept, for a ticket's account, and the keeper says what it
holds for that account. RANGES is `tag 8 ‖ type u8 ‖ body`: what a keeper holds under one topic that both share,
compared and fetched. The tag is the one under which the speaker announced the topic: it is named to nobody else.
"""

from enum import IntEnum
from typing import Annotated, Final

from msgspec import Meta

from mesh.errors import Fault, RemoteError
from mesh.ids import TopicId
from mesh.wire import limits, shapes
from mesh.wire.codec import Record, decode, encode
from mesh.wire.ranges import SHORT_BYTES

TAG_BYTES: Final = 8
MAC_BYTES: Final = 16
_KEEP_BYTES_MAX: Final = 8 * 1024

Quota = Annotated[int, Meta(ge=1, le=limits.QUOTA_BYTES_MAX)]
Days = Annotated[int, Meta(ge=1, le=limits.KEPT_DAYS_MAX)]
Topic = Annotated[TopicId, Meta(min_length=32, max_length=32)]
Topics = Annotated[list[Topic], Meta(max_length=limits.KEPT_TOPICS_MAX)]


class KeepAsk(Record, frozen=True):
    """Keep these topics for this account, the most important last; `quota` (bytes) and `mac` are its ticket's.

    `days`: nothing longer than that, for the group keeps nothing longer itself. `aside`: they are not the group's but
    whoever asks has them kept for themselves; they are counted apart, and nobody else sees how much that is.
    """

    account: shapes.Bytes16
    quota: Quota
    mac: shapes.Bytes16
    days: Days
    aside: bool
    topics: Topics


class KeptSaid(Record, frozen=True):
    """What a keeper holds for an account, or `aside` of it for whoever asked.

    Not `accepted`: it keeps nothing now. `oldest_ms` 0: nothing is there.
    """

    account: shapes.Bytes16
    aside: bool
    accepted: bool
    topics: shapes.Count
    frames: shapes.Count
    size: Annotated[int, Meta(ge=0, le=limits.QUOTA_BYTES_MAX)]
    quota: Quota
    oldest_ms: shapes.Millis


class KeepType(IntEnum):
    """The first byte of a KEEP payload."""

    ASK = 1
    SAID = 2


class RangesType(IntEnum):
    """What a RANGES payload holds: a question or answer of `mesh.wire.ranges`, short ids wanted, or their end."""

    QUESTION = 1
    ANSWER = 2
    WANT = 3
    GIVEN = 4


def pack_keep(record: KeepAsk | KeptSaid) -> bytes:
    """Return the payload of a KEEP."""
    return bytes([KeepType.ASK if isinstance(record, KeepAsk) else KeepType.SAID]) + encode(record)


def unpack_keep(payload: bytes) -> KeepAsk | KeptSaid:
    """Read the payload of a KEEP; RemoteError."""
    if payload[:1] == bytes([KeepType.ASK]):
        return decode(KeepAsk, payload[1:], bytes_max=_KEEP_BYTES_MAX)
    if payload[:1] == bytes([KeepType.SAID]):
        return decode(KeptSaid, payload[1:], bytes_max=_KEEP_BYTES_MAX)
    raise RemoteError(Fault.MALFORMED, "something about keeping that is of no known type")


def pack_ranges(tag: bytes, kind: RangesType, body: bytes = b"") -> bytes:
    """Return the payload of a RANGES."""
    return tag + bytes([kind]) + body


def unpack_ranges(payload: bytes) -> tuple[bytes, RangesType, bytes]:
    """Return the speaker's tag (8 B), the type and the body of a RANGES; RemoteError."""
    if len(payload) <= TAG_BYTES:
        raise RemoteError(Fault.MALFORMED, "a comparison that is too short")
    try:
        kind = RangesType(payload[TAG_BYTES])
    except ValueError:
        raise RemoteError(Fault.MALFORMED, "a comparison of no known type") from None
    return payload[:TAG_BYTES], kind, payload[TAG_BYTES + 1 :]


def split_wanted(body: bytes) -> list[bytes]:
    """Return the short ids (8 B each) of a WANT; RemoteError past the limit."""
    if len(body) % SHORT_BYTES or not 0 < len(body) // SHORT_BYTES <= limits.KEPT_WANT_MAX:
        raise RemoteError(Fault.MALFORMED, "a list of wanted frames has the wrong length")
    return [body[at : at + SHORT_BYTES] for at in range(0, len(body), SHORT_BYTES)]
