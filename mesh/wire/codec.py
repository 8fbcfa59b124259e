"""Strict MessagePack: arrays only, one encoding for each value, typed on the way in.

Decoding goes through three doors. `msgpack` parses under explicit limits and without extensions; `msgspec`
converts into a frozen struct (arrays, no unknown fields, no coercion, lengths from the annotations); and the
record is encoded again and compared, which is the only one of the three that catches non-minimal integers and
lengths. Floats and maps have no place in any record, so nothing like NaN or key order can differ.
"""

from typing import TypeVar

import msgpack
import msgspec

from mesh.errors import Fault, RemoteError

T = TypeVar("T")


class Record(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, kw_only=True):
    """Base of all wire records: a MessagePack array of its fields, in order."""


def encode(record: Record) -> bytes:
    """Return the canonical bytes of a record."""
    packed: bytes = msgpack.packb(msgspec.to_builtins(record, builtin_types=(bytes,)), use_bin_type=True)
    return packed


def decode(kind: type[T], data: bytes, *, bytes_max: int) -> T:
    """Parse `data` (≤ `bytes_max`) as a record of this kind; RemoteError(MALFORMED or OVER_LIMIT) if it is not."""
    if len(data) > bytes_max:
        raise RemoteError(Fault.OVER_LIMIT, f"a {kind.__name__} of {len(data)} bytes is over the limit")
    try:
        raw = msgpack.unpackb(
            data,
            raw=False,
            use_list=True,
            strict_map_key=True,
            max_str_len=len(data),
            max_bin_len=len(data),
            max_array_len=len(data),
            max_map_len=0,
            max_ext_len=0,
        )
        record = msgspec.convert(raw, kind, strict=True, builtin_types=(bytes,))
        again = msgpack.packb(msgspec.to_builtins(record, builtin_types=(bytes,)), use_bin_type=True)
    except (ValueError, msgpack.exceptions.UnpackException, RecursionError, OverflowError) as error:
        raise RemoteError(Fault.MALFORMED, f"not a {kind.__name__}: {type(error).__name__}") from None
    if again != data:
        raise RemoteError(Fault.MALFORMED, f"a {kind.__name__} is not in its canonical encoding")
    return record
