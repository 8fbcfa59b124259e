"""Strict MessagePack: arrays only, one encoding for each value, typed on the way in.

Decoding goes through two doors. `msgspec` parses straight into a frozen struct (arrays, no unknown fields, no
coercion, lengths from the annotations), so that nothing is built that the record has no place for: an untyped parser
makes a million empty lists out of a mebibyte before anybody asks what they are for. Then `msgpack`, another
implementation, encodes the record again, and the bytes are compared, which alone catches non-minimal integers and
lengths. Floats, maps and extensions have no place in any record, so nothing like NaN or key order can differ.
"""

from typing import Final, TypeVar

import msgpack
import msgspec

from mesh.errors import Fault, RemoteError

T = TypeVar("T")


class Record(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, kw_only=True):
    """Base of all wire records: a MessagePack array of its fields, in order. Its repr shows none of them."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(…)"  # records hold keys, and what people said


_ENCODER: Final = msgspec.msgpack.Encoder()
_OTHER: Final = msgpack.Packer(use_bin_type=True)  # one for all: a new one costs more than what it packs


def encode(record: Record) -> bytes:
    """Return the canonical bytes of a record. Those who decode them hold them against the other implementation's."""
    return _ENCODER.encode(record)


def decode(kind: type[T], data: bytes, *, bytes_max: int) -> T:
    """Parse `data` (≤ `bytes_max`) as a record of this kind; RemoteError(MALFORMED or OVER_LIMIT) if it is not."""
    if len(data) > bytes_max:
        raise RemoteError(Fault.OVER_LIMIT, f"a {kind.__name__} of {len(data)} bytes is over the limit")
    try:
        record = msgspec.msgpack.decode(data, type=kind, strict=True)
        again = _OTHER.pack(msgspec.to_builtins(record, builtin_types=(bytes,)))
    except (ValueError, RecursionError, OverflowError) as error:  # all of msgspec's errors are ValueErrors
        raise RemoteError(Fault.MALFORMED, f"not a {kind.__name__}: {type(error).__name__}") from None
    if again != data:
        raise RemoteError(Fault.MALFORMED, f"a {kind.__name__} is not in its canonical encoding")
    return record
