"""The store in a file: what a thief finds in it, and what a power cut takes from it."""

import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import apsw
import pytest

from mesh.events import Delete, DeletePrefix, Put, Space, Write
from mesh.store.sqlite import LOG_PAGES, PAGE_BYTES, QUICK_WRITES_MAX, EncryptedStore, Synchronous
from tests.store.files import CANARY, KEY, contents, log_of, raw


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


@pytest.fixture
def store(path: Path) -> Iterator[EncryptedStore]:
    made = EncryptedStore.create(path, KEY)
    yield made
    made.close()


# ------------------------------------------------------------------------------------------- a thief


def test_a_file_and_its_log_show_nothing_of_what_they_hold(store: EncryptedStore, path: Path) -> None:
    store.commit([Put(space, CANARY + b"-key", CANARY * 50) for space in Space], durable=True)
    for _ in range(2):  # once in the log, once folded into the file
        found = {file.name: file.read_bytes() for file in path.parent.iterdir()}
        assert sum(map(len, found.values())) > len(Space) * 50 * len(CANARY)
        for data in found.values():
            for secret in (CANARY, KEY.reveal(), KEY.reveal().hex().encode(), b"SQLite format", b"CREATE TABLE"):
                assert secret not in data
        assert store.scrub()


def test_only_the_owner_can_open_the_files(tmp_path: Path) -> None:
    for mask in (0, 0o777):
        path = tmp_path / f"{mask}.db"
        before = os.umask(mask)
        try:
            store = EncryptedStore.create(path, KEY)
            store.commit([Put(Space.OPS, b"a", b"1")], durable=True)
        finally:
            os.umask(before)
        files = list(tmp_path.glob(f"{mask}.db*"))
        assert len(files) == 3
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
        store.close()


@pytest.mark.parametrize("write", [Delete(Space.CHAINS, b"k"), DeletePrefix(Space.CHAINS, b"")], ids=["key", "prefix"])
def test_a_deleted_key_is_gone_from_file_and_log(
    store: EncryptedStore, path: Path, write: Delete | DeletePrefix
) -> None:
    store.commit([Put(Space.CHAINS, b"k", CANARY), Put(Space.CHAINS, b"other", bytes(2000))], durable=True)
    assert CANARY in store._connection.serialize("main")  # deciphered pages, free ones too
    store.commit([write], durable=False)
    assert log_of(path).stat().st_size == 0
    assert CANARY not in store._connection.serialize("main")
    assert not store.stale
    store.close()
    with raw(path) as thief:
        assert CANARY not in thief.serialize("main")
    thief.close()


def test_a_large_deleted_value_is_gone_from_its_freed_pages(store: EncryptedStore) -> None:
    store.commit([Put(Space.EPOCHS, b"k", CANARY * 5000)], durable=True)
    store.commit([Delete(Space.EPOCHS, b"k")], durable=False)
    assert store._connection.execute("PRAGMA freelist_count").fetchall() > [(5,)]
    assert CANARY not in store._connection.serialize("main")


def test_a_replaced_ratchet_is_gone_after_a_scrub(store: EncryptedStore, path: Path) -> None:
    store.commit([Put(Space.CHAINS, b"k", CANARY)], durable=True)
    store.commit([Put(Space.CHAINS, b"k", b"next")], durable=True)
    assert log_of(path).stat().st_size > 0
    assert store.scrub()
    assert log_of(path).stat().st_size == 0
    assert CANARY not in store._connection.serialize("main")


def test_a_message_that_was_deleted_is_gone_after_a_scrub(store: EncryptedStore, path: Path) -> None:
    """Retention and withdrawal rest on it; a running node scrubs every half minute."""
    spaces = (Space.MESSAGES, Space.FRAMES, Space.DRAFTS, Space.EXPIRIES)
    store.commit([Put(space, bytes([k]), CANARY * 40) for space in spaces for k in range(100)], durable=True)
    store.commit([Delete(space, bytes([k])) for space in spaces for k in range(100)], durable=False)
    assert store.scrub()
    assert log_of(path).stat().st_size == 0
    assert CANARY not in store._connection.serialize("main")  # deciphered pages, free ones too


def test_only_deletions_of_keys_empty_the_log(store: EncryptedStore, path: Path) -> None:
    store.commit([Put(Space.MESSAGES, b"m", b"1"), Put(Space.KEMS, b"k", b"1")], durable=False)
    store.commit([Delete(Space.MESSAGES, b"m"), Put(Space.KEMS, b"k", b"2")], durable=False)
    assert log_of(path).stat().st_size > 0
    store.commit([Delete(Space.KEMS, b"k")], durable=False)
    assert log_of(path).stat().st_size == 0


def test_a_reader_in_the_way_delays_forgetting_and_nothing_else(store: EncryptedStore, path: Path) -> None:
    store.commit([Put(Space.KEMS, b"k", CANARY)], durable=True)
    reader = raw(path)
    reader.execute("BEGIN")
    assert reader.execute("SELECT count(*) FROM kems").fetchall() == [(1,)]
    store.commit([Delete(Space.KEMS, b"k")], durable=True)
    waits = store.stale
    assert waits
    assert store.count(Space.KEMS) == 0
    assert log_of(path).stat().st_size > 0
    reader.execute("COMMIT")
    store.commit([Put(Space.MESSAGES, b"m", b"1")], durable=False)
    assert not store.stale
    assert log_of(path).stat().st_size == 0
    reader.close()


def test_forgetting_and_memory_are_set_as_they_must_be(store: EncryptedStore) -> None:
    names = ("secure_delete", "temp_store", "journal_mode", "cipher", "page_size", "fullfsync")
    set_to = [store._connection.execute(f"PRAGMA {name}").fetchall()[0][0] for name in names]
    assert set_to == [1, 2, "wal", "chacha20", PAGE_BYTES, 1]


# --------------------------------------------------------------------------------------- a power cut


def test_pages_that_are_kept_at_hand_are_given_back_and_read_again(store: EncryptedStore) -> None:
    rows = [Put(Space.FRAMES, k.to_bytes(4, "big"), bytes(4000)) for k in range(1000)]
    for k in range(0, len(rows), 100):
        store.commit(rows[k : k + 100], durable=False)
    used = store._connection.status(apsw.SQLITE_DBSTATUS_CACHE_USED)[0]
    store.shrink()
    assert store._connection.status(apsw.SQLITE_DBSTATUS_CACHE_USED)[0] < used / 10
    assert len(store.scan(Space.FRAMES)) == 1000


def test_a_durable_commit_runs_with_full_and_others_with_normal(path: Path) -> None:
    EncryptedStore.create(path, KEY).close()
    seen: list[Synchronous] = []
    store = EncryptedStore.open(path, KEY, on_commit=seen.append)
    for durable in (False, True, True, False, True):
        store.commit([Put(Space.OPS, b"a", b"%d" % durable)], durable=durable)
        assert store.synchronous is seen[-1]
    store.close()
    assert [mode.name for mode in seen] == ["NORMAL", "FULL", "FULL", "NORMAL", "FULL"]


def test_the_mode_is_read_inside_the_transaction(path: Path) -> None:
    EncryptedStore.create(path, KEY).close()
    inside: list[tuple[bool, bytes | None]] = []

    def look(mode: Synchronous) -> None:
        inside.append((opened._connection.in_transaction, opened.get(Space.OPS, b"a")))

    opened = EncryptedStore.open(path, KEY, on_commit=look)
    opened.commit([Put(Space.OPS, b"a", b"1")], durable=True)
    opened.close()
    assert inside == [(True, b"1")]


def test_a_commit_that_fails_at_its_end_leaves_nothing(path: Path) -> None:
    EncryptedStore.create(path, KEY).close()

    def fail(mode: Synchronous) -> None:
        if mode is Synchronous.FULL:
            raise KeyboardInterrupt

    store = EncryptedStore.open(path, KEY, on_commit=fail)
    store.commit([Put(Space.OPS, b"a", b"1"), Put(Space.KEMS, b"k", b"1")], durable=False)
    with pytest.raises(KeyboardInterrupt):
        store.commit([Put(Space.OPS, b"a", b"2"), Put(Space.OPS, b"b", b"2"), Delete(Space.KEMS, b"k")], durable=True)
    assert store.load([Space.OPS, Space.KEMS]) == {Space.OPS: {b"a": b"1"}, Space.KEMS: {b"k": b"1"}}
    store.commit([Put(Space.OPS, b"c", b"3")], durable=False)
    store.close()
    assert contents(path)[Space.OPS] == {b"a": b"1", b"c": b"3"}


WRITER = """
import sys
from pathlib import Path
from mesh.events import Put, Space
from mesh.secret import Secret
from mesh.store.sqlite import EncryptedStore
store = EncryptedStore.open(Path(sys.argv[1]), Secret(bytes(range(32))))
for n in range(100_000):
    key = n.to_bytes(4, "big")
    store.commit([Put(space, key, bytes(200)) for space in Space], durable=n % 2 == 0)
    print(n, flush=True)
"""


def test_a_killed_writer_leaves_whole_commits_and_all_that_it_reported(path: Path) -> None:
    EncryptedStore.create(path, KEY).close()
    with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout
        reported = [int(next(writer.stdout)) for _ in range(100)][-1]
        writer.send_signal(signal.SIGKILL)
        reported = max([reported, *map(int, writer.stdout.read().split())])
    found = contents(path)
    rows = {space: list(found[space]) for space in Space}
    assert len({len(keys) for keys in rows.values()}) == 1
    assert rows[Space.OPS] == [n.to_bytes(4, "big") for n in range(len(rows[Space.OPS]))]
    assert len(rows[Space.OPS]) > reported


# ------------------------------------------------------------------------------------------- threads


def test_one_thread_after_another_may_use_it(store: EncryptedStore) -> None:
    with ThreadPoolExecutor(4) as threads:
        for n in range(200):
            threads.submit(store.commit, [Put(Space.OPS, b"%03d" % n, b"x")], durable=n % 7 == 0).result()
            assert store.count(Space.OPS) == n + 1
            assert threads.submit(store.get, Space.OPS, b"%03d" % n).result() == b"x"
    assert len(store.scan(Space.OPS)) == 200


def test_a_second_view_reads_what_is_committed_and_never_half_of_it(path: Path) -> None:
    EncryptedStore.create(path, KEY).close()
    seen: list[int] = []
    store = EncryptedStore.open(path, KEY, on_commit=lambda mode: seen.append(view.count(Space.OPS)))
    view = store.reader()
    for n in range(3):
        store.commit([Put(Space.OPS, b"%d" % n, b"x"), Put(Space.KEMS, b"k", b"x")], durable=True)
        store.commit([Delete(Space.KEMS, b"k")], durable=False)
        assert view.count(Space.OPS) == n + 1
        assert not store.stale  # a view that is not reading just now is in nobody's way
    assert seen == [0, 1, 1, 2, 2, 3]
    view.close()
    store.close()


def test_a_store_in_use_can_be_opened_again_after_a_crash(store: EncryptedStore, tmp_path: Path, path: Path) -> None:
    store.commit([Put(Space.OPS, b"a", b"1")], durable=True)
    copy = tmp_path / "copy"
    copy.mkdir()
    for file in (path, log_of(path)):
        shutil.copy(file, copy)
    assert contents(copy / path.name)[Space.OPS] == {b"a": b"1"}


# ------------------------------------------------------------------------------------------- what takes its time


def test_a_little_that_waits_for_nothing_is_quick(store: EncryptedStore) -> None:
    some: list[Write] = [Put(Space.CHAINS, b"a", b"1"), Delete(Space.MESSAGES, b"b")]
    assert store.is_quick(some, durable=False)
    assert not store.is_quick(some, durable=True)  # it waits for the disk
    assert not store.is_quick([*some, Delete(Space.CHAINS, b"a")], durable=False)  # and this for a scrub
    assert not store.is_quick([*some, DeletePrefix(Space.KEMS, b"a")], durable=False)
    assert not store.is_quick([Put(Space.OPS, bytes([k]), b"1") for k in range(QUICK_WRITES_MAX + 1)], durable=False)


def test_a_long_log_is_folded_in_by_a_commit_that_is_not_quick(store: EncryptedStore, path: Path) -> None:
    few = [Put(Space.OPS, b"few", b"1")]
    count = 0
    while store.is_quick(few, durable=False):
        store.commit([Put(Space.OPS, count.to_bytes(4, "big") + b"x", b"x" * 9000)], durable=False)
        count += 1
        assert count < 10 * LOG_PAGES
    grown = log_of(path).stat().st_size
    assert grown >= LOG_PAGES * PAGE_BYTES
    store.commit(few, durable=False)
    assert store.is_quick(few, durable=False)
    for k in range(100):
        store.commit([Put(Space.OPS, k.to_bytes(4, "big") + b"x", b"y" * 9000)], durable=False)
    assert log_of(path).stat().st_size == grown  # it is written again from its beginning
    assert store.count(Space.OPS) == count + 1
