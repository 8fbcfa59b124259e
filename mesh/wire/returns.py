"""The call of a device that is in and holds no key that others still use, as records (protocol.md §9)."""

from typing import Annotated

from msgspec import Meta

from mesh.wire import limits, shapes
from mesh.wire.codec import Record
from mesh.wire.invites import Addresses


class ReturnBody(Record, frozen=True):
    """A device, a fresh KEM key of it, where it can be reached, and the newest operations that it has, sorted.

    `epoch` is the one that it would send under, as far as it has keys: whoever sends under that one too need not re-key
    for it. 32 zero bytes: none.
    """

    dev: shapes.Device
    kem_number: shapes.KemNumber
    kem_pk: shapes.KemPk
    addresses: Addresses
    heads: Annotated[list[shapes.Op], Meta(max_length=limits.HEADS_MAX)]
    epoch: shapes.Op


class SignedReturn(Record, frozen=True):
    """The plaintext of frame 05: verify these very bytes."""

    tbs: Annotated[bytes, Meta(max_length=limits.RETURN_PADDED_BYTES)]
    sig: shapes.Bytes64
