"""The store in a file: what a bad disk, a full one, a locked one and another program do to it."""

import os
import resource
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import apsw
import pytest

from mesh.errors import Exit, StoreError
from mesh.events import Delete, DeletePrefix, Put, Space
from mesh.secret import Secret
from mesh.store.faults import (
    StoreBusy,
    StoreDamaged,
    StoreFull,
    StoreMissing,
    StoreNewer,
    StoreOlder,
    StoreUnencrypted,
    StoreUnwritable,
    in_words,
)
from mesh.store.sqlite import PAGE_BYTES, SCHEMA_VERSION, EncryptedStore
from tests.store.files import CANARY, KEY, contents, flip, log_of, raw


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


@pytest.fixture
def store(path: Path) -> Iterator[EncryptedStore]:
    made = EncryptedStore.create(path, KEY)
    yield made
    made.close()


@pytest.fixture(scope="module")
def filled() -> Iterator[Path]:
    """Keep a closed store with something on every page of it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "store.db"
        store = EncryptedStore.create(path, KEY)
        store.commit([Put(space, b"%d" % n, bytes(1500)) for n in range(12) for space in Space], durable=True)
        store.close()
        yield path


# ---------------------------------------------------------------------------------------- a bad disk


@pytest.mark.parametrize(
    "size", [0, 1, 15, 16, 100, PAGE_BYTES - 1, PAGE_BYTES, PAGE_BYTES + 1, 5 * PAGE_BYTES, -PAGE_BYTES, -1]
)
def test_a_file_cut_short_is_damaged(filled: Path, tmp_path: Path, size: int) -> None:
    path = Path(shutil.copy(filled, tmp_path))
    os.truncate(path, size if size >= 0 else path.stat().st_size + size)
    cut = path.read_bytes()
    with pytest.raises(StoreDamaged) as caught:
        contents(path)
    assert (caught.value.code, caught.value.exit) == ("E-STORE-DAMAGED", Exit.FAILED)
    assert caught.value.why
    assert caught.value.do
    assert path.read_bytes() == cut  # nothing was written to it


def test_any_changed_byte_is_damage(filled: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(filled, tmp_path))
    size = path.stat().st_size
    assert size % PAGE_BYTES == 0
    for at in (*range(0, 110, 3), *range(110, size, 4999), PAGE_BYTES - 1, PAGE_BYTES, size - 1):
        flip(path, at)
        with pytest.raises(StoreDamaged):
            contents(path)
        flip(path, at)
    assert contents(path) == contents(filled)


def test_pages_that_changed_places_are_damage(filled: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(filled, tmp_path))
    data = path.read_bytes()
    two, three = data[PAGE_BYTES : 2 * PAGE_BYTES], data[2 * PAGE_BYTES : 3 * PAGE_BYTES]
    for second, third in ((three, two), (two, two), (bytes(PAGE_BYTES), three)):
        path.write_bytes(data[:PAGE_BYTES] + second + third + data[3 * PAGE_BYTES :])
        with pytest.raises(StoreDamaged):
            contents(path)


@pytest.mark.parametrize("data", [b"\0" * 40_000, b"SQLite format 3\0" + bytes(40_000), bytes(range(256)) * 200])
def test_another_file_in_its_place_is_damage(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    with pytest.raises(StoreDamaged):
        contents(path)
    assert path.read_bytes() == data


def test_a_plain_database_in_its_place_is_damage(path: Path) -> None:
    plain = apsw.Connection(str(path))
    plain.execute("CREATE TABLE ops (key BLOB PRIMARY KEY, value BLOB)")
    plain.execute("INSERT INTO ops VALUES (?, ?)", (b"a", bytes(40_000)))
    plain.close()
    with pytest.raises(StoreDamaged):
        contents(path)


def test_the_wrong_key_is_damage(filled: Path) -> None:
    for key in (bytes(32), bytes(range(1, 33)), KEY.reveal()[::-1]):
        with pytest.raises(StoreDamaged):
            EncryptedStore.open(filled, Secret(key))


def test_a_bad_page_is_told_by_whatever_meets_it(filled: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(filled, tmp_path))
    for at in range(2 * PAGE_BYTES - 1, path.stat().st_size, PAGE_BYTES):  # all pages but the first
        flip(path, at)
    store = EncryptedStore.open(path, KEY)
    for meet in (
        lambda: store.get(Space.OPS, b"1"),
        lambda: store.scan(Space.OPS, limit=1),
        lambda: store.count(Space.OPS),
        lambda: store.load([Space.OPS]),
        lambda: store.commit([Put(Space.OPS, b"1", b"")], durable=True),
        lambda: store.commit([DeletePrefix(Space.EPOCHS, b"")], durable=False),
    ):
        with pytest.raises(StoreDamaged):
            meet()
    store.close()


def test_a_log_that_was_cut_or_edited_gives_an_earlier_commit_or_damage(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    store = EncryptedStore.create(path, KEY)
    states = []
    for n in range(6):
        store.commit([Put(Space.OPS, b"%d" % n, bytes(900)), Put(Space.KEMS, b"k", b"%d" % n)], durable=True)
        states.append(store.load(Space))
    data, log = path.read_bytes(), log_of(path).read_bytes()  # as a power cut would leave them
    store.close()
    empty = {space: dict[bytes, bytes]() for space in Space}
    copy = tmp_path / "copy.db"

    def after(log_bytes: bytes) -> dict[Space, dict[bytes, bytes]] | None:
        copy.write_bytes(data)
        log_of(copy).write_bytes(log_bytes)
        try:
            return contents(copy)
        except StoreDamaged:
            return None

    assert after(log) == states[-1]
    for at in range(0, len(log), len(log) // 40):
        assert after(log[:at]) in (None, empty, *states[:-1])
        assert after(log[:at] + bytes([log[at] ^ 1]) + log[at + 1 :]) in (None, empty, *states)
        assert after(log[:at] + bytes(len(log) - at)) in (None, empty, *states[:-1])


def test_a_log_without_its_file_is_left_alone(store: EncryptedStore, path: Path, tmp_path: Path) -> None:
    store.commit([Put(Space.OPS, b"a", b"1")], durable=True)
    copy = tmp_path / "copy.db"
    copy.touch()  # SQLite would take this for a new store, and the log for rubbish
    shutil.copy(log_of(path), log_of(copy))
    with pytest.raises(StoreDamaged):
        EncryptedStore.open(copy, KEY)
    assert log_of(copy).read_bytes() == log_of(path).read_bytes()


def test_missing_tables_are_damage(filled: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(filled, tmp_path))
    connection = raw(path)
    connection.execute("DROP TABLE kems")
    connection.close()
    with pytest.raises(StoreDamaged, match="tables are missing"):
        EncryptedStore.open(path, KEY)


@pytest.mark.parametrize("version", [SCHEMA_VERSION + 1, 2**31 - 1])
def test_a_newer_store_is_refused_in_words(filled: Path, tmp_path: Path, version: int) -> None:
    path = Path(shutil.copy(filled, tmp_path))
    connection = raw(path)
    connection.execute(f"PRAGMA user_version = {version}")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StoreNewer) as caught:
        EncryptedStore.open(path, KEY)
    assert caught.value.code == "E-STORE-NEWER"
    assert f"version {version}" in caught.value.why
    assert path.read_bytes() == before


@pytest.mark.parametrize("version", [SCHEMA_VERSION - 1, -1])
def test_an_older_store_is_not_called_damaged(filled: Path, tmp_path: Path, version: int) -> None:
    path = Path(shutil.copy(filled, tmp_path))
    connection = raw(path)
    connection.execute(f"PRAGMA user_version = {version}")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StoreOlder) as caught:
        EncryptedStore.open(path, KEY)
    assert caught.value.code == "E-STORE-OLDER"
    assert f"version {version}" in caught.value.why
    assert path.read_bytes() == before


def test_an_older_number_without_any_table_is_damage(filled: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(filled, tmp_path))
    connection = raw(path)
    for space in Space:
        connection.execute(f"DROP TABLE {space}")
    connection.execute("PRAGMA user_version = 0")
    connection.close()
    with pytest.raises(StoreDamaged):
        EncryptedStore.open(path, KEY)


def test_a_new_space_asks_for_a_new_schema_version() -> None:
    """The tables of each version that was ever released; a store of it must open for ever."""
    tables = {
        1: "chains contacts delivery devices drafts epochs frames frontiers groups homes invites joins kems knocks "
        "messages node objections ops posts proofs talks unread verified wraps",
        2: "chains chunks contacts delivery devices drafts epochs expiries files frames frontiers groups homes invites "
        "joins keeper kems kept knocks messages node objections opframes ops posts proofs sizes talks unread verified "
        "withdrawn wraps",
        3: "chains chunks contacts delivery devices drafts epochs expiries files frames frontiers groups homes invites "
        "joins keeper kems kept knocks messages node objections opframes ops own posts proofs sizes statements talks "
        "unread verified withdrawn wraps",
        4: "chains chunks contacts delivery devices drafts epochs expiries files frames frontiers gave_way groups "
        "homes invites joins keeper kems kept knocks listens messages node notes objections opframes ops own posts "
        "proofs sizes statements talks unread verified withdrawn wraps",
        5: "chains chunks contacts delivery devices drafts epochs expiries files frames frontiers gave_way groups "
        "homes invites joins keeper kems kept knocks listens messages node notes objections opframes ops own posts "
        "proofs sizes statements taken_back talks unread verified withdrawn wraps",
    }
    assert " ".join(sorted(Space)) == tables[SCHEMA_VERSION]


# ------------------------------------------------------------------------------ a full disk, a locked one


def test_a_missing_store_is_not_made_anew(path: Path) -> None:
    with pytest.raises(StoreMissing) as caught:
        EncryptedStore.open(path, KEY)
    assert caught.value.code == "E-STORE-MISSING"
    assert not path.exists()


def test_a_store_is_never_made_over_another(filled: Path) -> None:
    before = filled.read_bytes()
    with pytest.raises(StoreUnwritable):
        EncryptedStore.create(filled, KEY)
    assert filled.read_bytes() == before


def test_a_folder_or_a_path_through_a_file_is_told(path: Path) -> None:
    path.mkdir()
    (path / "file").touch()
    for wrong in (path, path / "file" / "store.db"):
        with pytest.raises(StoreUnwritable) as caught:
            EncryptedStore.open(wrong, KEY)
        assert caught.value.code == "E-STORE-WRITE"
    for wrong in (path, path / "file" / "store.db", path / "nowhere" / "store.db"):
        with pytest.raises(StoreUnwritable):
            EncryptedStore.create(wrong, KEY)


@contextmanager
def as_nobody() -> Iterator[None]:
    """Run without the rights of root, where tests run as root."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)


def test_a_store_that_may_only_be_read_is_told(filled: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(shutil.copy(filled, folder))
        path.chmod(0o444)
        for mode in (0o555, 0o777):
            Path(folder).chmod(mode)
            with as_nobody(), pytest.raises(StoreUnwritable):
                EncryptedStore.open(path, KEY)
        Path(folder).chmod(0o700)


def test_a_full_disk_is_told_and_nothing_is_half_written(store: EncryptedStore) -> None:
    store.commit([Put(Space.OPS, b"a", b"1")], durable=True)
    pages = store._connection.execute("PRAGMA page_count").fetchall()[0][0]
    store._connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreFull) as caught:
        store.commit([Put(Space.OPS, b"a", b"2"), Put(Space.FRAMES, b"f", bytes(100_000))], durable=True)
    assert caught.value.code == "E-STORE-FULL"
    assert store.load([Space.OPS, Space.FRAMES]) == {Space.OPS: {b"a": b"1"}, Space.FRAMES: {}}
    store._connection.execute("PRAGMA max_page_count = 1000000")
    store.commit([Put(Space.FRAMES, b"f", bytes(100_000))], durable=True)
    assert store.count(Space.FRAMES) == 1


@contextmanager
def files_at_most(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond so many bytes."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_a_disk_that_refuses_a_write_is_told_and_nothing_is_half_written(store: EncryptedStore, path: Path) -> None:
    store.commit([Put(Space.KEMS, b"a", b"1")], durable=True)
    with files_at_most(log_of(path).stat().st_size + 5000), pytest.raises(StoreError) as caught:
        store.commit([Delete(Space.KEMS, b"a"), Put(Space.FRAMES, b"f", bytes(100_000))], durable=True)
    assert caught.value.code in {"E-STORE-WRITE", "E-STORE-FULL"}
    assert store.load([Space.KEMS, Space.FRAMES]) == {Space.KEMS: {b"a": b"1"}, Space.FRAMES: {}}
    store.commit([Put(Space.FRAMES, b"f", bytes(100_000))], durable=True)
    assert store.count(Space.FRAMES) == 1


def test_a_store_that_the_disk_refuses_is_not_made(path: Path) -> None:
    with files_at_most(20_000), pytest.raises(StoreError) as caught:
        EncryptedStore.create(path, KEY)
    assert caught.value.code in {"E-STORE-WRITE", "E-STORE-FULL"}
    with pytest.raises(StoreDamaged):
        EncryptedStore.open(path, KEY)


def test_a_scrub_that_the_disk_refuses_leaves_the_commit_standing(store: EncryptedStore, path: Path) -> None:
    store.commit([Put(Space.KEMS, b"a", CANARY)], durable=True)
    assert store.scrub()
    with files_at_most(path.stat().st_size):  # the file itself may not grow; its log is short
        store.commit([Delete(Space.KEMS, b"a"), Put(Space.FRAMES, b"f", bytes(40_000))], durable=True)
        waits = store.stale
    assert waits
    assert (store.count(Space.KEMS), store.count(Space.FRAMES)) == (0, 1)
    store.commit([Put(Space.OPS, b"a", b"1")], durable=False)
    assert not store.stale
    assert CANARY not in store._connection.serialize("main")


def test_another_writer_is_told(store: EncryptedStore, path: Path) -> None:
    other = raw(path)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreBusy) as caught:
        store.commit([Put(Space.OPS, b"a", b"1")], durable=True)
    assert caught.value.code == "E-STORE-BUSY"
    other.execute("ROLLBACK")
    store.commit([Put(Space.OPS, b"a", b"1")], durable=True)
    other.close()


def test_a_misuse_of_ours_is_no_error_of_the_disk(path: Path) -> None:
    with pytest.raises(AssertionError):
        in_words(apsw.MisuseError("bad parameter"), path)
    store = EncryptedStore.create(path, KEY)
    store.close()
    with pytest.raises(AssertionError):
        store.get(Space.OPS, b"a")


# ------------------------------------------------------------------------------ the wrong library


class PlainConnection:
    """What `apsw` without encryption gives: it knows no ciphers, and passes over a pragma that it does not know."""

    def __init__(self, path: str, **_: object) -> None:
        self._file = Path(path).open("rb")  # noqa: SIM115 - as long as the connection stands

    def execute(self, statement: str) -> "PlainConnection":
        assert statement == "PRAGMA cipher = 'chacha20'", "something else is done first"
        return self

    def fetchall(self) -> list[tuple[str]]:
        return []

    def close(self) -> None:
        self._file.close()


def test_nothing_is_ever_written_with_an_sqlite_that_does_not_encrypt(
    path: Path, filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apsw, "Connection", PlainConnection)
    before = filled.read_bytes()
    for attempt in (partial(EncryptedStore.create, path), partial(EncryptedStore.open, filled)):
        with pytest.raises(StoreUnencrypted) as caught:
            attempt(KEY)
        assert caught.value.code == "E-STORE-UNENCRYPTED"
    assert path.read_bytes() == b""
    assert filled.read_bytes() == before
    assert not log_of(path).exists()
