"""A home: the folder that holds one identity, its store and its locks, and belongs to one process at a time.

    store.db     the encrypted store, with store.db-wal and store.db-shm beside it while it is open
    keyslot      the store's key behind the passphrase (mesh.identity.keyslot)
    rootslot     the root seed behind the same passphrase, with a salt of its own, opened only when it is needed
    lock         held with flock(2) by the process that uses the home; holds its number, for people to read
    config.toml  settings
    log/         logs

The folder is 0700 and each file in it 0600, whatever the umask. Two things here take several steps and may
be cut short by a crash, so the names of the files alone say how far they came, and no passphrase is needed
to mend them.

Creating: keyslot.init is written first and renamed to keyslot last. While it has its first name there is no
identity yet: nobody has seen its words, and the next `create` clears away what was begun.

Changing the passphrase: keyslot.new is written, then rootslot.new, then keyslot.new is renamed to keyslot
(from here on the new passphrase holds), then rootslot.new to rootslot. So a rootslot.new without a
keyslot.new means: finish it. Any other *.new means that the old passphrase still holds: undo it. Whoever
takes the lock does that first, and `HomeLock.mended` says so. Each step is on the disk, folder included,
before the next begins.

The new passphrase guards the same keys as the old one: who kept a copy of an old slot opens it with the old
one. Source: protocol.md §13. Left out on purpose: how a folder is chosen from options and environment
(`cli`).
"""

import fcntl
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from mesh.crypto.keys import NONCE_BYTES
from mesh.errors import LocalError, StoreError
from mesh.identity.keyslot import (
    SECRET_BYTES,
    Role,
    keyslot_cost,
    keyslot_damaged,
    open_keyslot,
    seal_keyslot,
)
from mesh.identity.passphrase import SALT_BYTES, Cost
from mesh.ids import Entropy
from mesh.node.local.paths import default_home
from mesh.phrases import Value, phrase
from mesh.secret import Secret

if TYPE_CHECKING:
    from mesh.events import Write
    from mesh.store.sqlite import CommitSeen, EncryptedStore

SLOT_FILE_BYTES_MAX: Final = 4096  # ours: no version of a keyslot will be longer
LOCK_RETRY_S: Final = 0.05  # ours; flock(2) has no deadline of its own


class HomeExists(LocalError):
    """There is an identity in this folder already; use it, or name another folder with --home."""

    code = "E-HOME-EXISTS"


class HomeMissing(LocalError):
    """There is no identity in this folder; make one with `mesh init`, or name its folder with --home."""

    code = "E-HOME-MISSING"


class HomeBusy(StoreError):
    """Another process is using this home; stop it with `mesh down`, or wait until it is done."""

    code = "E-HOME-BUSY"


class HomeUnwritable(StoreError):
    """The folder of this home cannot be read or written; look at its permissions, or name another with --home."""

    code = "E-HOME-WRITE"


class HomeOpen(StoreError):
    """Other accounts can look into this folder, and it holds other things; close it, or name another."""

    code = "E-HOME-OPEN"


class Mended(Enum):
    """What taking the lock did about a change of passphrase that was cut short."""

    NOTHING = auto()
    UNDONE = auto()
    FINISHED = auto()


class HomeLock:
    """A home that is ours until `release`, or until this process ends however it ends. Use it as a context.

    A child made by fork without exec shares the lock: a node that detaches must take it afterwards.
    """

    __slots__ = ("_descriptor", "mended")

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor
        self.mended = Mended.NOTHING

    def release(self) -> None:
        """Let others have the home. Doing so twice is harmless."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


@dataclass(frozen=True, slots=True)
class Home:
    """A folder for one identity. Its methods block, some for seconds: a node calls them from a worker thread.

    All of them but `exists`, `create` and `lock` are for who holds the lock; `open_root` also while another does.
    """

    folder: Path

    @classmethod
    def at(cls, folder: Path | None) -> "Home":
        """Name a home by its folder; None is the platform's user data folder, as in ~/.local/share/support-mesh."""
        return cls((default_home() if folder is None else folder).absolute())

    @property
    def store(self) -> Path:
        """The encrypted store."""
        return self.folder / "store.db"

    @property
    def keyslot(self) -> Path:
        """The store's key, locked."""
        return self.folder / "keyslot"

    @property
    def rootslot(self) -> Path:
        """The root seed, locked."""
        return self.folder / "rootslot"

    @property
    def lockfile(self) -> Path:
        """What `lock` holds. It is never removed: two processes might then each hold a lock of that name."""
        return self.folder / "lock"

    @property
    def config(self) -> Path:
        """Settings, if there are any."""
        return self.folder / "config.toml"

    @property
    def log(self) -> Path:
        """The folder of logs."""
        return self.folder / "log"

    def exists(self) -> bool:
        """Say whether an identity is here, whole or not; one that `create` did not finish is none."""
        with self._in_words():
            if self.keyslot.exists():
                return True
            return not self._begun.exists() and (self.rootslot.exists() or self.store.exists())

    def create(
        self, *, root: Secret, passphrase: str, entropy: Entropy, cost: Cost, first: "Sequence[Write]" = ()
    ) -> None:
        """Make the folder, a store under a fresh key with what is written `first`, and both slots; all or nothing.

        HomeExists, HomeBusy, HomeOpen, HomeUnwritable; PassphraseUnfit and MemoryShort as in `seal_keyslot`.
        Two derivations of `cost`.
        """
        self._refuse_existing()
        with self._in_words():
            self._make_folder()
        with self._take(0.0):
            self._refuse_existing()  # now nobody else can make one
            from mesh.store.sqlite import EncryptedStore

            key = Secret(entropy.draw(SECRET_BYTES))
            keyslot, rootslot = _seal_both(key, root, passphrase, entropy, cost)
            try:
                with self._in_words():
                    self._discard()
                    self._write(self._begun, keyslot)
                    with closing(EncryptedStore.create(self.store, key)) as store:
                        store.commit(first, durable=True)
                    self._write(self.rootslot, rootslot)
                    self.log.mkdir(exist_ok=True)
                    self.log.chmod(0o700)
                    self._rename(self._begun, self.keyslot)
            except BaseException:
                with suppress(OSError):
                    self._discard()
                raise

    def lock(self, wait_s: float = 0.0) -> HomeLock:
        """Take the home for this process, and mend what a crash left of a change of passphrase.

        Waits at most `wait_s` seconds for another process. HomeMissing, HomeBusy, HomeUnwritable.
        """
        self._demand_identity()
        lock = self._take(wait_s)
        try:
            with self._in_words():
                lock.mended = self._mend()
        except BaseException:
            lock.release()
            raise
        return lock

    def open_store(self, passphrase: str, *, on_commit: "CommitSeen | None" = None) -> "EncryptedStore":
        """Open the store. HomeMissing, the errors of `open_keyslot` and those of `EncryptedStore.open`."""
        key = self._open(Role.STORE, passphrase)
        from mesh.store.sqlite import EncryptedStore  # as late as this: a command has it imported meanwhile

        return EncryptedStore.open(self.store, key, on_commit=on_commit)

    def open_root(self, passphrase: str) -> Secret:
        """Return the 32 B root seed. HomeMissing and the errors of `open_keyslot`."""
        return self._open(Role.ROOT, passphrase)

    def change_passphrase(self, old: str, new: str, *, entropy: Entropy, cost: Cost | None = None) -> None:
        """Lock both slots with `new`; when this returns, `old` opens neither. After a crash one opens both.

        `cost` None: what the keyslot costs now. LockedError if `old` is wrong, PassphraseUnfit if `new` is
        none: nothing has changed. HomeUnwritable if the disk fails, and then one of the two holds. Four
        derivations.
        """
        with self._in_words():
            self._mend()
        key, root = self._open(Role.STORE, old), self._open(Role.ROOT, old)
        if cost is None:
            cost = keyslot_cost(self._read(Role.STORE), role=Role.STORE)
        keyslot, rootslot = _seal_both(key, root, new, entropy, cost)
        with self._in_words():
            try:
                self._write(self._next(self.keyslot), keyslot)
                self._write(self._next(self.rootslot), rootslot)
                self._rename(self._next(self.keyslot), self.keyslot)
                self._rename(self._next(self.rootslot), self.rootslot)
            except OSError:
                with suppress(OSError):
                    self._mend()
                raise

    # ---- steps that may be cut short

    @property
    def _begun(self) -> Path:
        return self.folder / "keyslot.init"

    @staticmethod
    def _next(slot: Path) -> Path:
        return slot.with_name(f"{slot.name}.new")

    def _mend(self) -> Mended:
        """Finish or undo a change of passphrase, by the names of the files."""
        keyslot, rootslot = self._next(self.keyslot), self._next(self.rootslot)
        if rootslot.exists() and not keyslot.exists():
            self._rename(rootslot, self.rootslot)
            return Mended.FINISHED
        found = Mended.NOTHING
        for path in (rootslot, keyslot):  # in this order: rootslot.new alone would mean the opposite
            if path.exists():
                path.unlink()
                self._sync_folder()
                found = Mended.UNDONE
        return found

    def _discard(self) -> None:
        """Clear away what an unfinished `create` left; keyslot.init, which says that it is unfinished, goes last."""
        if self._begun.exists():
            store = self.store.name
            for name in (store, f"{store}-wal", f"{store}-shm", self.rootslot.name):
                (self.folder / name).unlink(missing_ok=True)
            self._sync_folder()
            self._begun.unlink()

    # ---- reading

    def _open(self, role: Role, passphrase: str) -> Secret:
        return open_keyslot(self._read(role), passphrase, role=role)

    def _read(self, role: Role) -> bytes:
        self._demand_identity()
        path = self.keyslot if role is Role.STORE else self.rootslot
        with self._in_words():
            try:
                with path.open("rb") as file:
                    return file.read(SLOT_FILE_BYTES_MAX)
            except FileNotFoundError:
                raise keyslot_damaged(phrase("{path} is not there", path=str(path))) from None

    def _demand_identity(self) -> None:
        if not self.exists():
            raise HomeMissing(
                phrase("There is no identity in {folder}.", folder=str(self.folder)),
                do="Make one with `mesh init`, or name the right folder with --home.",
            )

    def _refuse_existing(self) -> None:
        if self.exists():
            raise HomeExists(
                phrase("There is an identity in {folder} already.", folder=str(self.folder)),
                why="Making another in its place would lose it.",
                do="Use it, or name another folder with --home.",
            )

    # ---- writing

    def _make_folder(self) -> None:
        """Make the folder, 0700; one that is there is closed only if nothing but ours is in it."""
        try:
            self.folder.mkdir(mode=0o700, parents=True)
        except FileExistsError:
            if not self.folder.stat().st_mode & 0o077:
                return
            ours = (self.lockfile, self.config, self.log, self._begun, self.rootslot, self.store)
            if not {entry.name for entry in self.folder.iterdir()} <= {path.name for path in ours}:
                raise HomeOpen(
                    phrase(
                        "Other accounts can look into {folder}, and other things are in it.", folder=str(self.folder)
                    ),
                    why="Even names and sizes of files tell something about you.",
                    do=phrase(
                        "Close it with `chmod 700 {folder}`, or name another folder with --home.",
                        folder=str(self.folder),
                    ),
                ) from None
        self.folder.chmod(0o700)

    def _write(self, path: Path, data: bytes) -> None:
        """Write a new file, 0600, through to the disk."""
        path.unlink(missing_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, 0o600)
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        self._sync_folder()

    def _rename(self, path: Path, target: Path) -> None:
        path.replace(target)
        self._sync_folder()

    def _sync_folder(self) -> None:
        """Bring the names of the files through to the disk: fsync(2) of a file does not."""
        descriptor = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _take(self, wait_s: float) -> HomeLock:
        with self._in_words():
            descriptor = os.open(self.lockfile, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            with self._in_words():
                os.fchmod(descriptor, 0o600)
                deadline = time.monotonic() + wait_s
                while not _flocked(descriptor):
                    if (left := deadline - time.monotonic()) <= 0:
                        raise self._busy(descriptor)
                    time.sleep(min(LOCK_RETRY_S, left))
                os.ftruncate(descriptor, 0)
                os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        except BaseException:
            os.close(descriptor)
            raise
        return HomeLock(descriptor)

    def _busy(self, descriptor: int) -> HomeBusy:
        holder = os.pread(descriptor, 32, 0).strip()
        folder = str(self.folder)
        return HomeBusy(
            phrase(
                "Another mesh (process {process}) is using the home {folder}.", process=holder.decode(), folder=folder
            )
            if holder.isdigit()
            else phrase("Another mesh is using the home {folder}.", folder=folder),
            why="Two at once would use the same keys twice.",
            do="Stop it with `mesh down`, or wait until it is done.",
        )

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        """Say what the system's error means for this home."""
        try:
            yield
        except OSError as error:
            reason: Value = error.strerror or str(error)
            if isinstance(error, NotADirectoryError):
                reason = phrase("a file stands where a folder should be")
            raise HomeUnwritable(
                phrase(
                    "The home cannot be read or written: {folder} ({reason}).", folder=str(self.folder), reason=reason
                ),
                do="Look at its permissions and at the disk, or name another folder with --home.",
            ) from error


def _flocked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _seal_both(key: Secret, root: Secret, passphrase: str, entropy: Entropy, cost: Cost) -> tuple[bytes, bytes]:
    """Return keyslot and rootslot, each with a salt and a nonce of its own."""
    keyslot, rootslot = (
        seal_keyslot(
            secret,
            passphrase,
            role=role,
            cost=cost,
            salt=entropy.draw(SALT_BYTES),
            nonce=entropy.draw(NONCE_BYTES),
        )
        for secret, role in ((key, Role.STORE), (root, Role.ROOT))
    )
    return keyslot, rootslot
