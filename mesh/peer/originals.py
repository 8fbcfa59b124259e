"""Originals: a message as its author signed it, kept in parts beside what is shown of it, and put together again.

Handing on needs the very bytes that were signed. Encodings are canonical (a decoder refuses any other bytes for the
same record), so the parts say them exactly, and the text is not stored twice. The message id, kept too, proves it.
"""

from mesh.groups.messaging import Original, message_id
from mesh.groups.records import damaged
from mesh.ids import GroupId
from mesh.peer.placing import end_of
from mesh.peer.records import MessageRecord, OriginRecord
from mesh.peer.state import post_id
from mesh.wire.codec import encode
from mesh.wire.messages import MessageTbs, SignedMessage


def origin_of(tbs: MessageTbs, sig: bytes) -> OriginRecord:
    """Return those parts of a signed message that are not kept for reading."""
    return OriginRecord(
        epoch=tbs.epoch, i=tbs.i, uid=tbs.uid, prev=tbs.prev, parents=tbs.parents, heads=tbs.heads, sig=sig
    )


def original_of(gid: GroupId, record: MessageRecord) -> SignedMessage:
    """Return the message as its author signed it; it must have been sealed. StoreError if the parts do not fit."""
    origin = record.origin
    assert origin is not None, "a draft is not signed yet"
    tbs = MessageTbs(
        version=1,
        gid=gid,
        epoch=origin.epoch,
        dev=record.dev,
        i=origin.i,
        mseq=record.mseq,
        uid=origin.uid,
        kind=record.kind,
        prev=origin.prev,
        parents=origin.parents,
        heads=origin.heads,
        ts_ms=record.ts_ms,
        flags=record.flags,
        body=record.body,
    )
    raw = encode(tbs)
    if message_id(raw) != record.msg_id:
        raise damaged("a message")
    return SignedMessage(tbs=raw, sig=origin.sig)


def message_record(
    original: Original, sig: bytes, at_ms: int, seen_ms: int, *, life_s: int | None = None, handed_on: bool
) -> MessageRecord:
    """Return a message of somebody's as it is kept for reading; `life_s`: how long by its own word (None: no end)."""
    tbs = original.tbs
    return MessageRecord(
        post=post_id(tbs.dev, tbs.uid),
        msg_id=original.msg_id,
        dev=tbs.dev,
        member=original.member,
        kind=tbs.kind,
        mseq=tbs.mseq,
        at_ms=at_ms,
        ts_ms=tbs.ts_ms,
        seen_ms=seen_ms,
        flags=tbs.flags,
        body=tbs.body,
        origin=origin_of(tbs, sig),
        handed_on=handed_on,
        gone_ms=end_of(life_s, at_ms),
    )
