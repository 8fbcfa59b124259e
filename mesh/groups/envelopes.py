"""How operations travel: in an envelope under the *new* secret, or under the current operation key (protocol.md §5).

Because the operation that starts an epoch is sealed under that epoch's own secret, one who was removed learns that they
were cut off, but not by whom, nor the next topic. The sealed part is the same bytes on each parent epoch's topic.
"""

from dataclasses import dataclass, field

from mesh.crypto.keys import decrypt, encrypt
from mesh.groups.schedule import envelope_key, wraps_hash
from mesh.wire import limits
from mesh.wire.codec import decode, encode
from mesh.wire.frames import (
    EnvelopeParts,
    Frame,
    FrameType,
    join_envelope,
    seal_frame,
    split_nonce,
)
from mesh.wire.operations import SignedOp


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEpoch:
    """An operation that starts an epoch, as its author hands it out."""

    op: SignedOp
    secret: bytes = field(repr=False)
    nonce: bytes
    wraps: tuple[bytes, ...]


def _associated(nonce: bytes, wraps: tuple[bytes, ...]) -> bytes:
    return bytes([FrameType.ENVELOPE]) + nonce + wraps_hash(wraps)


def seal_envelope(new: NewEpoch, gid: bytes, parent_pub_seed: bytes) -> bytes:
    """Return the frame that carries the operation on one parent epoch's topic. In a create, `gid` is zeros."""
    sealed = encrypt(envelope_key(new.secret, gid), new.nonce[:24], _associated(new.nonce, new.wraps), encode(new.op))
    parts = EnvelopeParts(nonce=new.nonce, wraps=new.wraps, sealed_op=sealed)
    return seal_frame(FrameType.ENVELOPE, parent_pub_seed, join_envelope(parts))


def open_envelope(parts: EnvelopeParts, secret: bytes, gid: bytes) -> SignedOp:
    """Open the operation with the epoch secret that a wrap gave; RemoteError(UNREADABLE)."""
    raw = decrypt(envelope_key(secret, gid), parts.nonce[:24], _associated(parts.nonce, parts.wraps), parts.sealed_op)
    return decode(SignedOp, raw, bytes_max=limits.OPERATION_BYTES_MAX + 128)


def seal_operation(op: SignedOp, op_key: bytes, pub_seed: bytes, pub_pk: bytes, nonce: bytes) -> bytes:
    """Return the frame for an operation that starts no epoch: `nonce` 24 B, keys of the current epoch."""
    sealed = encrypt(op_key, nonce, bytes([FrameType.OPERATION]) + pub_pk, encode(op))
    return seal_frame(FrameType.OPERATION, pub_seed, nonce + sealed)


def open_operation(frame: Frame, op_key: bytes) -> SignedOp:
    """Open what `seal_operation` made; RemoteError(UNREADABLE)."""
    nonce, sealed = split_nonce(frame.middle)
    raw = decrypt(op_key, nonce, bytes([FrameType.OPERATION]) + frame.pk, sealed)
    return decode(SignedOp, raw, bytes_max=limits.OPERATION_BYTES_MAX + 128)
