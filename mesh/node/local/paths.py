"""Where a home's socket is: one rule, so that a node and a command find each other by the home alone.

The socket is not in the home, because socket paths end at about a hundred bytes and homes do not. It lies in
`$XDG_RUNTIME_DIR/support-mesh/<8 hex of home>/api.sock`, or in a folder of one's own under the system's
temporary folder. Through it a command sends the passphrase, so both folders of ours on the way must belong to
this account and be closed to every other (0700); one that is not is refused and never mended in silence.
"""

import os
import stat
import sys
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from typing import Final

from mesh.errors import MeshError, StoreError
from mesh.phrases import own, phrase

# sun_path holds 108 bytes on Linux and 104 on macOS (unix(7), unix(4)), the last one a zero.
SOCKET_PATH_BYTES_MAX: Final = 107 if sys.platform == "linux" else 103
FOLDER: Final = "support-mesh"
SOCKET: Final = "api.sock"


class UnsafeFolder(StoreError):
    """The folder of the node's socket belongs to another account, or others can open it."""

    code = "E-SOCKET-FOLDER"


class SocketPathTooLong(StoreError):
    """No place for the node's socket has a path that is short enough."""

    code = "E-SOCKET-PATH"


def default_home() -> Path:
    """Name the folder that is the home when neither --home nor MESH_HOME says another."""
    from platformdirs import user_data_path

    return user_data_path("support-mesh", appauthor=False)


def home_tag(home: Path) -> str:
    """Give the 8 hex digits that stand for a home in the socket's path; links are followed first."""
    return blake2b(os.fsencode(os.path.realpath(home)), digest_size=4).hexdigest()


def socket_path(home: Path) -> Path:
    """Name the socket at which a node of `home` listens."""
    for path in _places(home):
        if len(os.fsencode(path)) <= SOCKET_PATH_BYTES_MAX:
            return path
    raise SocketPathTooLong(
        "The path of the node's socket would be too long for this system.",
        why=phrase("A socket's path ends at {most} bytes.", most=SOCKET_PATH_BYTES_MAX),
        do="Set XDG_RUNTIME_DIR to a folder of yours with a shorter path.",
    )


def where_to_look(home: Path) -> list[Path]:
    """List each place where a node of `home` may listen: its environment may have been another."""
    places = list(_places(home))
    session = Path(f"/run/user/{os.geteuid()}") / FOLDER / home_tag(home) / SOCKET
    if session not in places:
        places.append(session)
    return [path for path in places if len(os.fsencode(path)) <= SOCKET_PATH_BYTES_MAX]


def prepare_folder(socket: Path) -> None:
    """Make the socket's two folders, closed to others; UnsafeFolder if one is there and is not ours alone."""
    for folder in (socket.parent.parent, socket.parent):
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise UnsafeFolder(
                phrase(
                    "The folder of the node's socket cannot be made: {folder} ({reason}).",
                    folder=str(folder),
                    reason=error.strerror or "",
                ),
                do="Set XDG_RUNTIME_DIR to a folder that you can write to.",
            ) from None
    check_folder(socket)


def check_folder(socket: Path) -> None:
    """Check that the socket's two folders are ours alone; FileNotFoundError if one is not there."""
    for folder in (socket.parent.parent, socket.parent):
        status = folder.lstat()
        if not stat.S_ISDIR(status.st_mode):
            raise _unsafe(folder, "is not a folder")
        if status.st_uid != os.geteuid():
            raise _unsafe(folder, "is held by another account")
        if status.st_mode & 0o077:
            raise _unsafe(folder, "can be opened by other accounts")


def _unsafe(folder: Path, how: str) -> MeshError:
    return UnsafeFolder(
        phrase("The folder of the node's socket {how}: {folder}", how=own(how), folder=str(folder)),
        why="Your passphrase would pass through it.",
        do=phrase(
            "If it is yours: `chmod 700 {folder}`. If not: set XDG_RUNTIME_DIR to a folder of yours.",
            folder=str(folder),
        ),
    )


def _places(home: Path) -> Iterator[Path]:
    tag = home_tag(home)
    runtime = Path(os.environ.get("XDG_RUNTIME_DIR", ""))
    # The specification asks for an absolute path; one of another account is what `su` leaves behind.
    if runtime.is_absolute() and runtime.is_dir() and runtime.stat().st_uid == os.geteuid():
        yield runtime / FOLDER / tag / SOCKET
    for temporary in (os.environ.get("TMPDIR") or "/tmp", "/tmp"):  # noqa: S108 - the folder inside is checked
        yield Path(temporary) / f"{FOLDER}-{os.geteuid()}" / tag / SOCKET
