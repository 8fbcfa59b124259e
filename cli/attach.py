"""Files as the command sees them: opened by their person's own hand, and written where nothing else stands.

What is sent is read from the very descriptor that was looked at: an ordinary file, never through a symbolic link in its
last step, never a pipe or a device. What is saved comes into a new file beside its place, which only its owner can
read, and takes its name when it is whole.
"""

import os
import secrets
import stat
from base64 import b64decode, b64encode
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import BinaryIO, Final

from cli import fields
from cli.output import one_line
from cli.render import file_size
from mesh.errors import LocalError
from mesh.node.local.api import Api
from mesh.node.local.protocol import JsonObject
from mesh.phrases import phrase, verbatim

PIECE_BYTES: Final = 512 * 1024  # in base64 it fits a line of the socket (`mesh.node.local.protocol`)
FILES_MAX: Final = 4  # beside one post, as the node has it
FILES_BYTES_MAX: Final = 32 * 1024 * 1024  # together
MODE: Final = 0o600
NAME_BYTES_MAX: Final = 255  # NAME_MAX of Linux and macOS


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A file that was named, open."""

    path: Path
    descriptor: int
    size: int
    changed_ns: int


@contextmanager
def opened(paths: Sequence[Path]) -> Iterator[list[Given]]:
    """Open files to be sent; LocalError, before anything is typed, for what cannot be sent.

    That is what is no ordinary file that can be read, more files than a post takes, and more bytes.
    """
    with ExitStack() as stack:
        if len(paths) > FILES_MAX:
            raise LocalError(
                phrase("A post takes at most {most} files.", most=FILES_MAX),
                do="Send the others with another post.",
                code="E-FILES",
            )
        files = [_open(path, stack) for path in paths]
        if (total := sum(file.size for file in files)) > FILES_BYTES_MAX:
            raise LocalError(
                phrase(
                    "The files are {size} long; {most} a post is the limit.",
                    size=file_size(total),
                    most=file_size(FILES_BYTES_MAX),
                ),
                do="Send less, or in several posts.",
                code="E-FILES",
            )
        yield files


def _open(path: Path, stack: ExitStack) -> Given:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        stack.callback(os.close, descriptor)
        status = os.fstat(descriptor)
    except OSError as error:
        raise LocalError(
            phrase("This file cannot be read: {path}", path=str(path)),
            why="It is a symbolic link; name the file that it leads to."
            if path.is_symlink()
            else verbatim(error.strerror or ""),
            code="E-FILE",
        ) from None
    if not stat.S_ISREG(status.st_mode):
        raise LocalError(
            phrase("This is no ordinary file: {path}", path=str(path)),
            do="Name a file, or pack a folder first.",
            code="E-FILE",
        )
    return Given(path=path, descriptor=descriptor, size=status.st_size, changed_ns=status.st_mtime_ns)


def hand_over(api: Api, group: str, files: Sequence[Given]) -> str:
    """Hand files to the node; return the id under which it has them. LocalError if one changes meanwhile."""
    offered: list[JsonObject] = [{"name": file.path.name, "size": file.size} for file in files]
    upload = fields.text(api.call("file.offer", {"group": group, "files": [*offered]}), "upload")
    for file in files:
        left = file.size
        while left and (data := os.read(file.descriptor, min(left, PIECE_BYTES))):
            left -= len(data)
            api.call("file.piece", {"upload": upload, "data": b64encode(data).decode()})
        status = os.fstat(file.descriptor)
        if (status.st_size, status.st_mtime_ns) != (file.size, file.changed_ns):
            raise LocalError(
                phrase("This file was changed while it was read: {path}", path=str(file.path)),
                why="What would be sent is neither what it was nor what it is.",
                do="Send it when nothing writes to it any more. Nothing was sent.",
                code="E-FILE",
            )
    return upload


# ---------------------------------------------------------------- saving


def own_name(name: str) -> str:
    """Return a name from somebody else as one that can stand in a folder: one step, not hidden, no option."""
    last = one_line(name).replace("/", "_").replace("\\", "_")
    return "_" + last[1:] if last[:1] in {".", "-", ""} else last


def own_names(names: Sequence[str]) -> list[str]:
    """Return names that can stand in one folder, no two alike: `walk.txt`, `walk (2).txt`. Case tells none apart."""
    given: list[str] = []
    taken = {own_name(name).casefold() for name in names}
    for name in names:
        own = own_name(name)
        if any(own.casefold() == other.casefold() for other in given):
            numbered = (_numbered(own, number) for number in count(2))
            own = next(other for other in numbered if other.casefold() not in taken)
            taken.add(own.casefold())
        given.append(own)
    return given


def _numbered(name: str, number: int) -> str:
    """Return a name with a number before its ending, no longer than a folder takes."""
    stem, ending = Path(name).stem, f" ({number}){Path(name).suffix}"
    return stem.encode()[: max(1, NAME_BYTES_MAX - len(ending.encode()))].decode(errors="ignore") + ending


def require_free(place: Path, *, replace: bool) -> None:
    """See that nothing stands at a place, or may be replaced; LocalError."""
    if place.is_dir() and not place.is_symlink():
        raise LocalError(
            phrase("There is a folder at {place}.", place=str(place)), do="Give another name.", code="E-EXISTS"
        )
    if os.path.lexists(place) and not replace:
        raise _exists(place)
    if not place.parent.is_dir():
        raise LocalError(
            phrase("There is no folder {folder}.", folder=str(place.parent)), do="Make it first.", code="E-FILE"
        )


def _exists(place: Path) -> LocalError:
    return LocalError(
        phrase("Something stands at {place} already.", place=str(place)),
        why="It would be gone.",
        do="Give another name, or add --yes to replace it.",
        code="E-EXISTS",
    )


def save(api: Api, message: str, number: int, place: Path, *, replace: bool) -> int:
    """Write a file that is here to a place; return its size. What goes wrong leaves nothing behind. LocalError."""
    with new_file(place, replace=replace) as out:
        for event in api.stream("file.read", {"message": message, "file": number}):
            out.write(b64decode(fields.text(event, "data")))
        return out.tell()


@contextmanager
def new_file(place: Path, *, replace: bool) -> Iterator[BinaryIO]:
    """Open a file that nobody else may read, and put it in its place once it is whole; else nothing stays. LocalError.

    What stands there is replaced only if that was said.
    """
    beside = place.parent / f".{secrets.token_hex(8)}.part"
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, MODE)
    except OSError as error:
        raise LocalError(
            phrase(
                "Nothing can be written in {folder}: {reason}.", folder=str(place.parent), reason=error.strerror or ""
            ),
            code="E-FILE",
        ) from None
    try:
        with os.fdopen(descriptor, "wb") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        if replace:
            beside.replace(place)
        else:
            os.link(beside, place)  # unlike a rename it never takes the place of what came there meanwhile
    except FileExistsError:
        raise _exists(place) from None
    except OSError as error:
        raise LocalError(
            phrase("This file cannot be written: {place} ({reason}).", place=str(place), reason=error.strerror or ""),
            code="E-FILE",
        ) from None
    finally:
        with suppress(OSError):
            beside.unlink()
