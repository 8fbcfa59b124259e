"""Every record there is, a strategy for each, and ways in which its bytes can go wrong."""

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any

import msgpack
import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from msgspec import inspect

import mesh.wire
from mesh.errors import RemoteError
from mesh.wire.codec import Record, decode, encode

MODULES = [f"mesh.wire.{module.name}" for module in pkgutil.iter_modules(mesh.wire.__path__)]
STORED = ["mesh.groups.records"]  # made of the same stuff
BYTES_MAX = 16 * 1024 * 1024
_LIST_MAX = 3
_BLOB_MAX = 48
# There are some fifty records: a fifth of the profile's examples for each is ten times those of one test.
SOME = settings(max_examples=settings().max_examples // 5)


def records_in(modules: list[str]) -> list[type[Record]]:
    """Every record that these modules define."""
    things = [thing for name in modules for thing in vars(importlib.import_module(name)).values()]
    records = {thing for thing in things if isinstance(thing, type) and issubclass(thing, Record)}
    return sorted(
        (kind for kind in records if kind.__module__ in modules and kind is not Record), key=lambda kind: kind.__name__
    )


WIRE_RECORDS = records_in(MODULES)
RECORDS = WIRE_RECORDS + records_in(STORED)


def strategy(kind: type[Record]) -> st.SearchStrategy[Record]:
    """Values of a record that keep every limit in its annotations."""
    info = inspect.type_info(kind)
    assert isinstance(info, inspect.StructType)
    fields = {field.name: _of(field.type) for field in info.fields}
    return st.builds(kind, **fields)


def _of(info: inspect.Type) -> st.SearchStrategy[Any]:
    match info:
        case inspect.Metadata(type=inner):
            return _of(inner)
        case inspect.IntType():
            low = info.ge if info.ge is not None else (0 if info.gt is None else info.gt + 1)
            high = info.le if info.le is not None else (2**63 - 1 if info.lt is None else info.lt - 1)
            return st.integers(low, high) | st.sampled_from([low, high])
        case inspect.BytesType():
            low, high = info.min_length or 0, info.max_length or _BLOB_MAX
            if low > _BLOB_MAX:  # of one length only: drawn whole, it would be nearly all that is drawn
                return st.binary(min_size=1, max_size=_BLOB_MAX).map(lambda piece: (piece * low)[:low])
            return st.binary(min_size=low, max_size=max(low, min(high, _BLOB_MAX)))
        case inspect.StrType(pattern=None):
            low, high = info.min_length or 0, info.max_length or _BLOB_MAX
            return st.text(min_size=low, max_size=min(high, _BLOB_MAX))
        case inspect.StrType():
            return st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=_BLOB_MAX)
        case inspect.BoolType():
            return st.booleans()
        case inspect.NoneType():
            return st.none()
        case inspect.EnumType():
            return st.sampled_from(list(info.cls))
        case inspect.ListType():
            low, high = info.min_length or 0, info.max_length or _LIST_MAX
            return st.lists(_of(info.item_type), min_size=low, max_size=max(low, min(high, _LIST_MAX)))
        case inspect.UnionType():
            return st.one_of(*map(_of, info.types))
        case inspect.StructType():
            assert issubclass(info.cls, Record)
            return strategy(info.cls)
        case _:
            raise AssertionError(f"a field of a kind that no record has had so far: {info}")


def is_refused(kind: type[Record], data: bytes) -> bool:
    """Say whether these bytes are refused as they should be: any other error goes on up."""
    try:
        record = decode(kind, data, bytes_max=BYTES_MAX)
    except RemoteError:
        return True
    assert encode(record) == data  # what is accepted has this one encoding and no other
    return False


# ---------------------------------------------------------------- other encodings of the same value


def spoiled(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Encodings in which one value after the other is written as no honest encoder writes it."""
    tree = msgpack.unpackb(data, strict_map_key=False)
    yield "a trailing byte", data + b"\xc0"
    yield "two records", data + data
    yield "cut short", data[:-1]
    yield "a map around it", b"\x81\x01" + data
    for place in range(_count(tree)):
        for what, piece in _wrong(_at(tree, place)):
            yield f"{what} at {place}", _pack(tree, place, piece)


def _count(tree: object) -> int:
    return 1 + sum(map(_count, tree)) if isinstance(tree, list) else 1


def _at(tree: object, place: int) -> object:
    if place == 0:
        return tree
    assert isinstance(tree, list)
    place -= 1
    for child in tree:
        if place < _count(child):
            return _at(child, place)
        place -= _count(child)
    raise IndexError(place)


def _pack(tree: object, place: int, piece: bytes) -> bytes:
    """Encode with `piece` in the given place, places being counted from the root down."""
    if place == 0:
        return piece
    if not isinstance(tree, list):
        return bytes(msgpack.packb(tree, use_bin_type=True))
    out = bytes(msgpack.Packer().pack_array_header(len(tree)))
    place -= 1
    for child in tree:
        out += _pack(child, place if 0 <= place < _count(child) else -1, piece)
        place -= _count(child)
    return out


def _wrong(value: object) -> Iterator[tuple[str, bytes]]:
    yield "a map", b"\x80"
    yield "a float", msgpack.packb(1.0)
    yield "not a number", msgpack.packb(float("nan"))
    yield "an extension", b"\xc7\x01\x05\x00"
    yield "a timestamp", b"\xd6\xff\x00\x00\x00\x00"
    yield "an unused byte", b"\xc1"
    match value:
        case bool():
            yield "a number for a truth", b"\x01"
        case int():
            yield "a truth for a number", b"\xc3"
            yield "nothing for a number", b"\xc0"
            yield "a long number", b"\xcf" + value.to_bytes(8, "big")
            yield "a signed number", b"\xd3" + min(value, 2**63 - 1).to_bytes(8, "big") if value < 128 else b"\xff"
            yield "a huge number", b"\xcf" + b"\xff" * 8
            yield "a negative number", b"\xff"
            yield "digits", msgpack.packb(str(value))
        case bytes():
            yield "a long length", b"\xc6" + len(value).to_bytes(4, "big") + value
            yield "a text for bytes", msgpack.packb("a" * len(value))
            yield "a length beyond the end", b"\xc6\xff\xff\xff\xff" + value
            yield "a list for bytes", msgpack.packb(list(value))
        case str():
            raw = value.encode()
            yield "a long length", b"\xdb" + len(raw).to_bytes(4, "big") + raw
            yield "bytes for a text", msgpack.packb(raw, use_bin_type=True)
            yield "broken UTF-8", b"\xa2\xc3\x28"
            yield "half a character", b"\xa3\xed\xa0\x80"
            yield "a text with an overlong letter", b"\xa2\xc1\x81"
        case list():
            inner = b"".join(msgpack.packb(child, use_bin_type=True) for child in value)
            yield "a long length", b"\xdd" + len(value).to_bytes(4, "big") + inner
            yield "a length beyond the end", b"\xdd\xff\xff\xff\xff" + inner
            yield "bytes for a list", msgpack.packb(inner, use_bin_type=True)
        case _:
            yield "a truth for nothing", b"\xc2"


def to_fields(record: object) -> object:
    """A record as nested lists, bytes as hex: what a person reads in a vector."""
    return _readable(msgspec.to_builtins(record, builtin_types=(bytes,)))


def _readable(value: object) -> object:
    if isinstance(value, bytes):
        return value.hex()
    return [_readable(child) for child in value] if isinstance(value, list) else value
