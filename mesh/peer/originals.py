"""Originals: a message as its author signed it, kept in parts beside what is shown of it, and put together again.

Handing on needs the very bytes that were signed. Encodings are canonical (a decoder refuses any other bytes for the
same record), so the parts say them exactly, and the text is not stored twice. The message id, kept too, proves it.
"""

from mesh.groups.messaging import message_id
from mesh.groups.records import damaged
from mesh.ids import GroupId
from mesh.peer.records import MessageRecord, OriginRecord
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
