"""Known answers about files (protocol.md §7, "Files")."""

from mesh.crypto.streams import Sealing
from mesh.wire import files, limits
from mesh.wire.codec import Record


def _file() -> tuple[files.FileEntry, list[bytes]]:
    """One file of two chunks, and the chunks as they are sealed."""
    size, gid = limits.CHUNK_BYTES, b"\x11" * 32
    padded = bytes(k % 251 for k in range(size)) + b"\x80"
    padded += bytes(files.padded_bytes(size) - len(padded))
    sealing = Sealing(b"\x77" * 32, b"\x66" * 24, files.stream_about(gid))
    parts = [padded[: limits.CHUNK_BYTES], padded[limits.CHUNK_BYTES :]]
    sealed = [sealing.seal(part, last=k == len(parts) - 1) for k, part in enumerate(parts)]
    chunks = [files.chunk_id(one) for one in sealed]
    entry = files.FileEntry(name="leaflet.pdf", size=size, key=b"\x77" * 32, header=b"\x66" * 24, chunks=chunks)
    return entry, sealed


def file_records() -> list[Record]:
    """Return the records that stand for a file in a post."""
    entry, _ = _file()
    return [entry, files.FilesValue(files=[entry])]


def a_file() -> dict[str, object]:
    """A file as it is sealed (protocol.md §7, "Files"): what it is bound to, and each chunk's length, id and end."""
    entry, sealed = _file()
    return {
        "gid": "11" * 32,
        "about": files.stream_about(b"\x11" * 32).hex(),
        "key": entry.key.hex(),
        "header": entry.header.hex(),
        "size": entry.size,
        "chunks": [{"bytes": len(one), "id": files.chunk_id(one).hex(), "tag": one[-16:].hex()} for one in sealed],
    }
