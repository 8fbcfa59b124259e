"""Frame 05: how a device calls that lost the thread, on the topic of an epoch that it still holds (protocol.md §9).

The topic's key, and the key that seals it, are those of an old epoch: whoever was removed since has both, and can read
who calls. So nothing of this counts but the signature by the device's own key, over this group, this topic and this
very frame: nobody can call for another, or carry a call to another epoch.
"""

from mesh.crypto.hashes import h, kdf
from mesh.crypto.keys import decrypt, encrypt, public_key, sign, verify
from mesh.errors import Fault, RemoteError
from mesh.groups.group import Group
from mesh.ids import OpId
from mesh.wire import limits
from mesh.wire.codec import decode, encode
from mesh.wire.frames import Frame, FrameType, seal_frame, split_nonce
from mesh.wire.padding import pad, unpad
from mesh.wire.returns import ReturnBody, SignedReturn

RETURN_LABEL = b"mesh1/ret\0"


def seal_return(group: Group, epoch: OpId, body: ReturnBody, nonce: bytes) -> bytes:
    """Return the frame that carries our call on the topic of an epoch held here; `nonce` 24 B."""
    record = group.epochs[epoch]
    pk = public_key(record.pub_seed)
    tbs = encode(body)
    signed = SignedReturn(tbs=tbs, sig=sign(group.own.dev_seed, RETURN_LABEL + _statement(group, pk, nonce, tbs)))
    padded = pad(encode(signed), limits.RETURN_PADDED_BYTES)
    sealed = encrypt(_key(record.sync_key), nonce, bytes([FrameType.RETURN]) + pk, padded)
    return seal_frame(FrameType.RETURN, record.pub_seed, nonce + sealed)


def open_return(group: Group, frame: Frame, epoch: OpId) -> ReturnBody | None:
    """Open a call on the topic of `epoch`, whose outer signature was checked; None from a device that is not known.

    RemoteError for what no member hands on. Whether the device is in is not asked here.
    """
    nonce, sealed = split_nonce(frame.middle)
    padded = decrypt(_key(group.epochs[epoch].sync_key), nonce, bytes([FrameType.RETURN]) + frame.pk, sealed)
    if len(padded) != limits.RETURN_PADDED_BYTES:
        raise RemoteError(Fault.MALFORMED, "a call of another length than all")
    signed = decode(SignedReturn, unpad(padded), bytes_max=limits.RETURN_PADDED_BYTES)
    body = decode(ReturnBody, signed.tbs, bytes_max=limits.RETURN_PADDED_BYTES)
    if body.heads != sorted(set(body.heads)):
        raise RemoteError(Fault.MALFORMED, "heads are not sorted and distinct")
    card = group.log.card(body.dev)
    if card is None:
        return None
    verify(card.dev_pk, RETURN_LABEL + _statement(group, frame.pk, nonce, signed.tbs), signed.sig)
    return body


def return_nonce(frame: Frame) -> bytes:
    """Return the 24 B by which an answer names the call."""
    return split_nonce(frame.middle)[0]


def _key(sync_key: bytes) -> bytes:
    return kdf(sync_key, b"mesh1/ret", b"")


def _statement(group: Group, pk: bytes, nonce: bytes, tbs: bytes) -> bytes:
    return h(b"mesh1/return", group.gid, pk, nonce, tbs)
