"""Files beside a post, as records (protocol.md §7, "Files"): what stands in the post, and what a chunk is called.

A file is its bytes, 0x80, and zeros up to a Padmé length, cut into chunks of 64 KiB, each sealed as the next piece of
one stream. A chunk's id is the hash of what is sealed, so that whoever brings it need not be believed.
"""

from typing import Annotated, Final

from msgspec import Meta

from mesh.crypto.hashes import h
from mesh.crypto.streams import SEAL_BYTES
from mesh.wire import limits, shapes
from mesh.wire.codec import Record
from mesh.wire.padding import padme

CHUNK_SEALED_BYTES_MAX: Final = limits.CHUNK_BYTES + SEAL_BYTES
FILES_BYTES_MAX: Final = 24 * 1024  # of the addition to a post; 4 files of 32 MiB together come to some 19 KiB


class FileEntry(Record, frozen=True):
    """One file: what it is called, how long it is, and what opens it. Whoever reads this can open the file."""

    name: Annotated[str, shapes.text(limits.FILE_NAME_BYTES_MAX, 1)]  # to be shown, never to be used as a path
    size: Annotated[int, Meta(ge=0, le=limits.FILES_OF_POST_BYTES_MAX)]
    key: shapes.Bytes32
    header: shapes.Bytes24
    chunks: Annotated[list[shapes.Bytes32], Meta(min_length=1, max_length=limits.CHUNKS_OF_FILE_MAX)]  # ids, in order


class FilesValue(Record, frozen=True):
    """The value of a post's addition with the tag FILES."""

    files: Annotated[list[FileEntry], Meta(min_length=1, max_length=limits.FILES_OF_POST_MAX)]


def padded_bytes(size: int) -> int:
    """Return how long a file of `size` bytes is once it is padded."""
    return padme(size + 1)


def chunks_of(size: int) -> int:
    """Return into how many chunks a file of `size` bytes is cut."""
    return -(-padded_bytes(size) // limits.CHUNK_BYTES)


def chunk_bytes(size: int, place: int) -> int:
    """Return how long the chunk at `place` (from 0) of a file of `size` bytes is, before it is sealed."""
    return min(limits.CHUNK_BYTES, padded_bytes(size) - place * limits.CHUNK_BYTES)


def chunk_id(sealed: bytes) -> bytes:
    """Return what a sealed chunk is called, 32 B."""
    return h(b"mesh1/chunk", sealed)


def stream_about(gid: bytes) -> bytes:
    """Return what each piece of a file is bound to: an entry that is copied into another group opens nothing there."""
    return h(b"mesh1/file", gid)
