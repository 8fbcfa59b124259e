"""The store on disk: SQLite with every page encrypted and authenticated, under a key that the keyslot gives.

One table for each `Space`, keyed by bytes, without row ids, so that a scan reads neighbours. Pages are sealed
with ChaCha20-Poly1305 by SQLite3 Multiple Ciphers, each under a one-time key of page number and nonce: an
edited, moved or foreign page does not open, and that is `StoreDamaged`, at `open` or at the first read that
meets it. Not seen here: an older copy of the whole file, and a write-ahead log cut short, which looks like a
power cut and gives the state of an earlier commit.

Two speeds: most commits run with `synchronous=NORMAL`, which the end of the process cannot hurt and a power
cut may undo; `durable` ones with FULL, which waits for the disk. Forgetting: `secure_delete` zeroes what is
freed, and after deletions from spaces that hold keys the write-ahead log is folded in and emptied
(`scrub`), or old pages would wait in it. All this is against one who gets the file and its key; flash keeps
remnants of its own.

Source: protocol.md §13; SQLite's "Write-Ahead Logging" and its pragmas `synchronous`, `secure_delete` and
`wal_checkpoint`; SQLite3 Multiple Ciphers, cipher `chacha20`. Left out on purpose: full-text search, which
brings tables and a secure-delete of its own.
"""

import os
import stat
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from enum import IntEnum
from pathlib import Path
from typing import Final, cast

import apsw

from mesh.events import Put, Space, Write
from mesh.secret import Secret
from mesh.store import faults
from mesh.store.base import Changes, Row, changes_by_space, key_range

SCHEMA_VERSION: Final = 5  # rises whenever a table is added or its meaning changes
KEY_BYTES: Final = 32  # protocol.md §13
# Ours: rows of up to 4 KB lie whole in their page, as sealed messages do. With SQLite's 4 KiB each of them
# takes a page of its own, to be decrypted alone (measured at 1 KB: inserts, gets and scans 4–6 × slower).
PAGE_BYTES: Final = 16 * 1024
CACHE_KIB: Final = 32 * 1024  # ours: a cached page is not decrypted again
LOG_PAGES: Final = 1000  # SQLite's own: when the log holds so many, it is folded into the file
QUICK_WRITES_MAX: Final = 128  # ours: a millisecond's work or two
STATEMENTS_MAX: Final = 256  # more than there are statements here, so that each is compiled once
KEY_BEARING: Final = frozenset({Space.EPOCHS, Space.CHAINS, Space.KEMS})


class Synchronous(IntEnum):
    """SQLite's `pragma synchronous`, as far as it is used here."""

    NORMAL = 1
    FULL = 2


CommitSeen = Callable[[Synchronous], None]


def _each(statement: str) -> dict[Space, str]:
    return {space: statement.replace("SPACE", f'"{space}"') for space in Space}


_CREATE: Final = _each("CREATE TABLE SPACE (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID")
_GET: Final = _each("SELECT value FROM SPACE WHERE key = ?")
_FROM: Final = _each("SELECT key, value FROM SPACE WHERE key >= ? ORDER BY key LIMIT ?")
_FROM_TO: Final = _each("SELECT key, value FROM SPACE WHERE key >= ? AND key < ? ORDER BY key LIMIT ?")
_BACK: Final = _each("SELECT key, value FROM SPACE WHERE key >= ? ORDER BY key DESC LIMIT ?")
_BACK_FROM: Final = _each("SELECT key, value FROM SPACE WHERE key >= ? AND key < ? ORDER BY key DESC LIMIT ?")
_COUNT: Final = _each("SELECT count(*) FROM SPACE WHERE key >= ?")
_COUNT_TO: Final = _each("SELECT count(*) FROM SPACE WHERE key >= ? AND key < ?")
_PUT: Final = _each("INSERT INTO SPACE VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value")
_DELETE: Final = _each("DELETE FROM SPACE WHERE key = ?")
_CLEAR_FROM: Final = _each("DELETE FROM SPACE WHERE key >= ?")
_CLEAR: Final = _each("DELETE FROM SPACE WHERE key >= ? AND key < ?")


class EncryptedStore:
    """A `Store` in one file, with a write-ahead log beside it. Made by `create` and `open`."""

    def __init__(self, connection: apsw.Connection, path: Path, key: Secret, on_commit: CommitSeen | None) -> None:
        self._connection = connection
        self._path = path
        self._key = key
        self._on_commit = on_commit
        self._mode = Synchronous.NORMAL
        self._stale = False
        self._log_pages = 0
        connection.set_wal_hook(self._note_log)  # in place of SQLite's own, which folds the log in inside a commit

    @classmethod
    def create(cls, path: Path, key: Secret) -> "EncryptedStore":
        """Make an empty store (0600) under a 32 B key; StoreUnwritable if a file is there already."""
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            os.fchmod(descriptor, 0o600)  # whatever the umask; SQLite gives the log the same mode
            os.close(descriptor)
        except OSError as error:
            raise faults.unwritable(path, error) from error
        connection = _connect(path, key)
        try:
            connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
            _settle(connection, path)
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("BEGIN IMMEDIATE")
            for statement in _CREATE.values():
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            connection.execute("COMMIT")
            connection.execute("PRAGMA synchronous = NORMAL")
        except apsw.Error as error:
            connection.close()
            raise faults.in_words(error, path) from error
        return cls(connection, path, key, None)

    @classmethod
    def open(cls, path: Path, key: Secret, *, on_commit: CommitSeen | None = None) -> "EncryptedStore":
        """Open the store at `path` with its 32 B key.

        StoreMissing, StoreDamaged (cut short, edited, another key), StoreNewer, StoreOlder,
        StoreUnwritable, StoreBusy.
        Nothing is written before the file has been judged. `on_commit` is told the mode in force, as SQLite
        itself reads it, inside each transaction just before it is committed.
        """
        log = path.with_name(path.name + "-wal")
        try:
            waiting_bytes = log.stat().st_size if log.exists() else 0
            status = path.stat()
        except FileNotFoundError as error:
            raise faults.missing(path) from error
        except OSError as error:
            raise faults.unwritable(path, error) from error
        if not stat.S_ISREG(status.st_mode):
            raise faults.unwritable(path, OSError("it is not a file"))
        if status.st_size < PAGE_BYTES:  # SQLite takes an empty file for a new store
            raise faults.damaged(path, "it is cut short")
        connection = _connect(path, key)
        try:
            _probe(connection, path)
            pages = cast("int", connection.execute("PRAGMA page_count").fetchall()[0][0])
            if not waiting_bytes and status.st_size < pages * PAGE_BYTES:  # what lies in the log may be missing here
                raise faults.damaged(path, "it is cut short")
            _settle(connection, path)
        except apsw.Error as error:
            connection.close()
            raise faults.in_words(error, path) from error
        except BaseException:
            connection.close()
            raise
        return cls(connection, path, key, on_commit)

    def reader(self) -> "EncryptedStore":
        """Open the store a second time: what is committed can be read there while this one writes in a thread."""
        return EncryptedStore.open(self._path, self._key)

    @property
    def synchronous(self) -> Synchronous:
        """The mode in force now, as SQLite reads it."""
        return Synchronous(cast("int", self._rows("PRAGMA synchronous", ())[0][0]))

    @property
    def stale(self) -> bool:
        """Say whether deleted keys still wait in the log, because a scrub could not run to its end."""
        return self._stale

    def get(self, space: Space, key: bytes) -> bytes | None:
        """Return the value under `key`, or None."""
        try:
            row: tuple[bytes] | None = self._connection.execute(_GET[space], (key,)).fetchone()
        except apsw.Error as error:
            raise faults.in_words(error, self._path) from error
        return None if row is None else row[0]

    def scan(
        self,
        space: Space,
        prefix: bytes = b"",
        *,
        after: bytes | None = None,
        before: bytes | None = None,
        limit: int | None = None,
        reverse: bool = False,
    ) -> list[Row]:
        """Return keys and values as `Store.scan` says."""
        assert limit is None or limit >= 0
        start, end = key_range(prefix, after, before)
        most = -1 if limit is None else limit  # SQLite's word for all of them
        if end is None:
            rows = self._rows((_BACK if reverse else _FROM)[space], (start, most))
        else:
            rows = self._rows((_BACK_FROM if reverse else _FROM_TO)[space], (start, end, most))
        return cast("list[Row]", rows)

    def count(self, space: Space, prefix: bytes = b"") -> int:
        """Return how many keys begin with `prefix`."""
        start, end = key_range(prefix, None, None)
        rows = self._rows(_COUNT[space], (start,)) if end is None else self._rows(_COUNT_TO[space], (start, end))
        return cast("int", rows[0][0])

    def load(self, spaces: Iterable[Space]) -> dict[Space, dict[bytes, bytes]]:
        """Return everything in these spaces, each sorted by key."""
        return {space: dict(self.scan(space)) for space in spaces}

    def is_quick(self, writes: Sequence[Write], *, durable: bool) -> bool:
        """Say whether a commit only adds a little to the log: no deletion to scrub, no log to fold in, no waiting."""
        return (
            not durable
            and not self._stale
            and self._log_pages < LOG_PAGES
            and len(writes) <= QUICK_WRITES_MAX
            and all(isinstance(write, Put) or write.space not in KEY_BEARING for write in writes)
        )

    def commit(self, writes: Sequence[Write], *, durable: bool) -> None:
        """Write all of it in one transaction, or nothing; `durable` runs with `synchronous=FULL`.

        A commit that deletes keys ends with a `scrub`; if that fails, the commit stands, and the next tries
        again.
        """
        if not writes:
            return
        batch = changes_by_space(writes)
        try:
            if self._log_pages >= LOG_PAGES:
                self._fold_in()
            self._switch(Synchronous.FULL if durable else Synchronous.NORMAL)
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                for space, changes in batch.items():
                    self._write(space, changes)
                if self._on_commit is not None:
                    self._on_commit(self.synchronous)
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:  # a full disk may have ended it already
                    self._connection.execute("ROLLBACK")
                raise
        except apsw.Error as error:
            raise faults.in_words(error, self._path) from error
        self._stale = self._stale or any(space in KEY_BEARING and changes.forgets for space, changes in batch.items())
        if self._stale:
            self.scrub()

    def scrub(self) -> bool:
        """Fold the write-ahead log into the file and empty it, so that nothing overwritten or deleted waits
        in it.

        `commit` does so after deletions from spaces that hold keys. Values that are only replaced, as a
        ratchet's is with each message, wait for the next scrub or `close`: the runner may call this now and
        then. Returns whether it ran to its end; a reader elsewhere or a failing disk may prevent it, and
        nothing is lost by that.
        """
        try:
            busy = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()[0][0]
        except apsw.Error:
            return False
        self._stale = self._stale and bool(busy)
        return not busy

    def _fold_in(self) -> None:
        """Copy what lies in the log into the file, as far as no reader needs it, so that the next commits reuse it."""
        self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)")

    def _note_log(self, _connection: apsw.Connection, _name: str, pages: int) -> int:
        self._log_pages = pages
        return apsw.SQLITE_OK

    def shrink(self) -> None:
        """Forget the pages that were read and written of late, which the system may have back; nothing else changes.

        They are kept so that they need not be decrypted again, and a node that runs for days would come to hold
        CACHE_KIB of them.
        """
        with suppress(apsw.Error):
            self._connection.execute("PRAGMA shrink_memory")

    def close(self) -> None:
        """Fold the log in and let go of the file; StoreError if the disk fails at this."""
        try:
            self._connection.close()
        except apsw.Error as error:
            raise faults.in_words(error, self._path) from error

    def _rows(self, statement: str, bindings: tuple[bytes | int, ...]) -> "list[apsw.SQLiteValues]":
        try:
            return self._connection.execute(statement, bindings).fetchall()
        except apsw.Error as error:
            raise faults.in_words(error, self._path) from error

    def _write(self, space: Space, changes: Changes) -> None:
        """Bring one space to what a batch comes to, in the order of the keys: neighbours share pages."""
        for prefix in changes.prefixes:
            start, end = key_range(prefix, None, None)
            if end is None:
                self._connection.execute(_CLEAR_FROM[space], (start,))
            else:
                self._connection.execute(_CLEAR[space], (start, end))
        ordered = sorted(changes.last.items(), key=lambda change: change[0])
        puts = [(key, value) for key, value in ordered if value is not None]
        deletes = [(key,) for key, value in ordered if value is None]
        if puts:
            self._connection.executemany(_PUT[space], puts)
        if deletes:
            self._connection.executemany(_DELETE[space], deletes)

    def _switch(self, mode: Synchronous) -> None:
        """Change the mode; SQLite allows it only outside a transaction."""
        if mode is not self._mode:
            self._connection.execute(f"PRAGMA synchronous = {mode.name}")
            self._mode = mode


def _connect(path: Path, key: Secret) -> apsw.Connection:
    """Open the file and hand over the key, before anything is read of it."""
    assert len(key) == KEY_BYTES
    try:
        connection = apsw.Connection(
            os.fspath(path), flags=apsw.SQLITE_OPEN_READWRITE, statementcachesize=STATEMENTS_MAX
        )
        # Plain apsw has the same module name, knows no such pragma, and would write in the clear.
        if connection.execute("PRAGMA cipher = 'chacha20'").fetchall() != [("chacha20",)]:
            connection.close()
            raise faults.unencrypted()
        connection.execute(f'PRAGMA key = "raw:{key.reveal().hex()}"', can_cache=False)
    except apsw.Error as error:
        raise faults.in_words(error, path) from error
    return connection


def _probe(connection: apsw.Connection, path: Path) -> None:
    """Judge the file by its first page and its tables: cheap, and it writes nothing."""
    version = cast("int", connection.execute("PRAGMA user_version").fetchall()[0][0])
    if version > SCHEMA_VERSION:
        raise faults.newer(path, version, SCHEMA_VERSION)
    names = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
    if version < SCHEMA_VERSION and names:  # its pages are authentic: a version of this program wrote them
        raise faults.older(path, version, SCHEMA_VERSION)
    if version != SCHEMA_VERSION or not {name for (name,) in names} >= set(Space):
        raise faults.damaged(path, "tables are missing")
    if connection.readonly("main"):
        raise faults.unwritable(path, PermissionError("it may only be read"))


def _settle(connection: apsw.Connection, path: Path) -> None:
    """Set what holds for as long as the file is open."""
    if connection.execute("PRAGMA journal_mode = WAL").fetchall() != [("wal",)]:
        raise faults.unwritable(path, OSError("this file system keeps no write-ahead log"))
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA fullfsync = ON")  # macOS: else FULL does not reach past the drive's own cache
    connection.execute("PRAGMA secure_delete = ON")
    connection.execute("PRAGMA temp_store = MEMORY")
    connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
