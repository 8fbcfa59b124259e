"""What can go wrong with a store's file, in words; SQLite's own errors end here.

Source: SQLite's result codes (https://sqlite.org/rescode.html). Pages that do not authenticate come from
SQLite3 Multiple Ciphers as NOTADB (the first page) or CORRUPT (any other).
"""

from pathlib import Path

import apsw

from mesh.errors import StoreError
from mesh.phrases import own, phrase


class StoreMissing(StoreError):
    """The store's file is not there; bring it back from a copy of the home."""

    code = "E-STORE-MISSING"


class StoreDamaged(StoreError):
    """The store's file is damaged or is another home's; bring it back from a copy, or restore a backup."""

    code = "E-STORE-DAMAGED"


class StoreNewer(StoreError):
    """A newer version of the program wrote this store; install that version or a later one."""

    code = "E-STORE-NEWER"


class StoreOlder(StoreError):
    """An older version of the program wrote this store, and this one cannot read it; use the one that wrote it."""

    code = "E-STORE-OLDER"


class StoreFull(StoreError):
    """The disk is full; free some space and try again."""

    code = "E-STORE-FULL"


class StoreUnwritable(StoreError):
    """The store's file cannot be opened or written; look at its permissions and at the disk."""

    code = "E-STORE-WRITE"


class StoreBusy(StoreError):
    """Another program has the store's file open; close it and try again."""

    code = "E-STORE-BUSY"


class StoreUnencrypted(StoreError):
    """This Python has an SQLite without encryption; install apsw-sqlite3mc in place of apsw."""

    code = "E-STORE-UNENCRYPTED"


# Ours to prevent, not a person's to mend.
_BUGS = (apsw.BindingsError, apsw.ConnectionClosedError, apsw.MisuseError, apsw.ThreadingViolationError)


def in_words(error: apsw.Error, path: Path) -> StoreError:
    """Say what SQLite's error means for the store at `path`. A misuse of ours is an assertion."""
    assert not isinstance(error, _BUGS), repr(error)
    match error:
        case apsw.NotADBError() | apsw.CorruptError():
            return damaged(path, "a page of it does not open with this home's key")
        case apsw.FullError():
            return StoreFull(
                "The disk is full: nothing of this was written.",
                why=phrase("The store is {path}.", path=str(path)),
                do="Free some space and try again.",
            )
        case apsw.BusyError() | apsw.LockedError():
            return StoreBusy(
                phrase("Another program has the store open: {path}", path=str(path)),
                why="Two writers would wait for each other.",
                do="Close it and try again.",
            )
        case _:
            return unwritable(path, error)


def damaged(path: Path, how: str) -> StoreDamaged:
    """Say that the store at `path` cannot be what this program wrote."""
    return StoreDamaged(
        phrase("The store is damaged: {how} ({path}).", how=own(how), path=str(path)),
        why="Every page is checked, so that nothing altered is ever shown as if it were yours.",
        do="Stop the node, keep the file, and bring back a copy of the home or a backup (mesh id restore).",
    )


def unwritable(path: Path, error: Exception) -> StoreUnwritable:
    """Say that the system does not let the store at `path` be read or written."""
    said = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return StoreUnwritable(
        phrase("The store cannot be read or written: {path} ({reason}).", path=str(path), reason=said),
        why="Nothing of what was to be written is there.",
        do="Look at the permissions of the home and at the disk, then try again.",
    )


def unencrypted() -> StoreUnencrypted:
    """Say that the SQLite at hand cannot encrypt."""
    return StoreUnencrypted(
        "The SQLite of this Python does not encrypt, so nothing is written with it.",
        why="The packages apsw and apsw-sqlite3mc have one module name, and the wrong one is installed.",
        do="Remove apsw and install apsw-sqlite3mc again; `make install` does it from nothing.",
    )


def missing(path: Path) -> StoreMissing:
    """Say that there is no store at `path`."""
    return StoreMissing(
        phrase("The store is not there: {path}", path=str(path)),
        why="The key to it is here, but what it held is not.",
        do="Bring the file back from a copy of the home, or begin a new home with your recovery words.",
    )


def newer(path: Path, theirs: int, ours: int) -> StoreNewer:
    """Say that the store's schema is a later one."""
    return StoreNewer(
        phrase("A newer version of the program wrote this store: {path}", path=str(path)),
        why=phrase(
            "Its schema is version {theirs}; this program knows {ours}, and might lose what it cannot read.",
            theirs=theirs,
            ours=ours,
        ),
        do="Install that version or a later one.",
    )


def older(path: Path, theirs: int, ours: int) -> StoreOlder:
    """Say that the store's schema is an earlier one, which this program does not read."""
    return StoreOlder(
        phrase("An older version of the program wrote this store: {path}", path=str(path)),
        why=phrase(
            "Its schema is version {theirs}; this program knows {ours} alone. Nothing in it is changed or lost.",
            theirs=theirs,
            ours=ours,
        ),
        do="Use the version that wrote it. Or begin a new home, and ask your groups for new invites.",
    )
