"""Files beside a post: what they may be called, how many there may be, and how they stand in a post.

A name is for people. It has no separator and is never a path here; whoever saves a file says where.
"""

from collections.abc import Sequence
from typing import Final

from mesh.errors import Fault, LocalError, RemoteError
from mesh.phrases import Words, own, phrase
from mesh.wire import limits
from mesh.wire.codec import decode, encode
from mesh.wire.files import FILES_BYTES_MAX, FileEntry, FilesValue, chunks_of
from mesh.wire.messages import Extra, ExtraTag, PostBody
from mesh.wire.text import fault_in, shows_nothing

_SEPARATORS: Final = ("/", "\\")
_FOLDERS: Final = (".", "..")
MIB: Final = 1024 * 1024


def name_fault(name: str) -> Words | None:
    """Return why a file may not be called so, in words, or None."""
    if not name or shows_nothing(name):
        return "is empty"
    if name in _FOLDERS or any(mark in name for mark in _SEPARATORS):
        return "leads to a folder"
    return fault_in(name, limits.FILE_NAME_BYTES_MAX, lines=False)


def require_files(wanted: Sequence[tuple[str, int]]) -> None:
    """Check names and sizes (bytes) of what is to stand beside one post; LocalError in words."""
    if not 1 <= len(wanted) <= limits.FILES_OF_POST_MAX:
        raise LocalError(
            phrase("a post takes at most {most} files", most=limits.FILES_OF_POST_MAX),
            why="what they consist of is listed in the post itself",
            do="send the others with another post",
            code="E-FILES",
        )
    for name, size in wanted:
        if (fault := name_fault(name)) is not None:
            raise LocalError(
                phrase("the name of a file {how}", how=own(fault)),
                do="rename it, and send it again",
                code="E-FILE-NAME",
            )
        if size < 0:
            raise LocalError("a file has no size below nothing", code="E-USAGE")
    if (total := sum(size for _, size in wanted)) > limits.FILES_OF_POST_BYTES_MAX:
        raise LocalError(
            phrase(
                "the files are {size} bytes long; {most} ({mebibytes} MiB) a post is the limit",
                size=f"{total:,}",
                most=f"{limits.FILES_OF_POST_BYTES_MAX:,}",
                mebibytes=_MIB_MAX,
            ),
            why="what they consist of is listed in the post itself, which every member's node keeps",
            do="send less, or in several posts",
            code="E-FILES",
        )


_MIB_MAX: Final = limits.FILES_OF_POST_BYTES_MAX // MIB


def files_extra(entries: Sequence[FileEntry]) -> Extra:
    """Return the addition to a post that stands for its files."""
    return Extra(tag=ExtraTag.FILES, value=encode(FilesValue(files=list(entries))))


def files_of(post: PostBody) -> list[FileEntry]:
    """Return a post's files; RemoteError if they are not such as an honest client sends."""
    values = [extra.value for extra in post.extras if extra.tag == ExtraTag.FILES]
    if not values:
        return []
    if len(values) > 1:
        raise RemoteError(Fault.MALFORMED, "a post that names its files twice")
    entries = decode(FilesValue, values[0], bytes_max=FILES_BYTES_MAX).files
    if any(name_fault(entry.name) is not None for entry in entries):
        raise RemoteError(Fault.MALFORMED, "a file with a name that cannot be shown")
    if any(len(entry.chunks) != chunks_of(entry.size) for entry in entries):
        raise RemoteError(Fault.MALFORMED, "a file of another size than its chunks")
    if sum(entry.size for entry in entries) > limits.FILES_OF_POST_BYTES_MAX:
        raise RemoteError(Fault.OVER_LIMIT, "files that are too long")
    ids = [chunk for entry in entries for chunk in entry.chunks]
    if len(set(ids)) != len(ids):
        raise RemoteError(Fault.MALFORMED, "a chunk that is named twice")
    return entries
