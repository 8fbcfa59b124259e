"""Files beside a post: what an honest client sends is read, and nothing else is."""

import pytest
from msgspec.structs import replace

from mesh.errors import RemoteError
from mesh.support.files import files_extra, files_of, name_fault
from mesh.support.posts import Wish, compose, interpret
from mesh.wire import limits
from mesh.wire.codec import encode
from mesh.wire.files import FileEntry, chunk_bytes, chunks_of, padded_bytes
from mesh.wire.messages import Extra, ExtraTag, Mode, PostBody

MIB = 1024 * 1024


def entry(size: int = 100, name: str = "a.pdf", first: int = 0) -> FileEntry:
    chunks = [(first + k).to_bytes(32, "big") for k in range(chunks_of(size))]
    return FileEntry(name=name, size=size, key=bytes(32), header=bytes(24), chunks=chunks)


def post(*extras: Extra) -> bytes:
    return encode(PostBody(mode=Mode.LISTENING, cw="", topics=[], text="t", reply_to=b"", extras=list(extras)))


def test_what_is_composed_is_read() -> None:
    entries = (entry(), entry(MIB, "b", 1000), entry(0, "c", 2000))
    body = compose(Wish(text="t", mode="listening", cw="", topics=(), reply_to=b"", files=entries))
    assert tuple(files_of(interpret(body))) == entries


@pytest.mark.parametrize(
    "entries",
    [
        [entry(name="a/b")],
        [entry(name="..")],
        [entry(name="a\nb")],
        [entry(name="a\u202eb")],
        [entry(name=" ")],
        [entry(name="ü" * 128)],
        [replace(entry(), size=70_000)],
        [replace(entry(70_000), size=100)],
        [entry(), entry()],  # the same chunk twice
        [entry(32 * MIB), entry(1, "b", 1000)],
    ],
)
def test_what_no_honest_client_sends_is_refused(entries: list[FileEntry]) -> None:
    with pytest.raises(RemoteError):
        interpret(post(files_extra(entries)))


def test_files_are_named_once_and_in_the_one_way() -> None:
    one = files_extra([entry()])
    for extras in ([one, one], [Extra(tag=ExtraTag.FILES, value=b"")], [Extra(tag=ExtraTag.FILES, value=b"\x91\x90")]):
        with pytest.raises(RemoteError):
            interpret(post(*extras))


@pytest.mark.parametrize("size", [0, 1, 255, 256, 65_534, 65_535, 65_536, 65_537, MIB - 1, MIB, 32 * MIB])
def test_chunks_cover_what_is_padded_and_not_more(size: int) -> None:
    lengths = [chunk_bytes(size, place) for place in range(chunks_of(size))]
    assert sum(lengths) == padded_bytes(size) > size
    assert set(lengths[:-1]) <= {limits.CHUNK_BYTES}
    assert 0 < lengths[-1] <= limits.CHUNK_BYTES
    assert len(lengths) <= limits.CHUNKS_OF_FILE_MAX


def test_ordinary_names_may_be_used() -> None:
    for name in ("a", ".hidden", "-rf", "Ein Foto (3).jpg", "写真.png", "x" * 255):
        assert name_fault(name) is None
