"""What every store promises, asked of the one in memory and of the one on disk in the same words."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from mesh.events import LOADED, Delete, DeletePrefix, Put, Space, Write
from mesh.secret import Secret
from mesh.store.base import Store
from mesh.store.memory import MemoryStore
from mesh.store.sqlite import EncryptedStore

KEY = Secret(bytes(range(32)))


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    made: Store = MemoryStore() if request.param == "memory" else EncryptedStore.create(tmp_path / "store.db", KEY)
    yield made
    made.close()


def fill(store: Store, space: Space, *keys: bytes) -> None:
    store.commit([Put(space, key, b"=" + key) for key in keys], durable=False)


def keys(rows: list[tuple[bytes, bytes]]) -> list[bytes]:
    return [key for key, _ in rows]


def test_what_was_put_is_there_and_nothing_else(store: Store) -> None:
    assert store.get(Space.OPS, b"a") is None
    store.commit([Put(Space.OPS, b"a", b"1"), Put(Space.WRAPS, b"a", b"2")], durable=True)
    assert store.get(Space.OPS, b"a") == b"1"
    assert store.get(Space.WRAPS, b"a") == b"2"
    assert store.get(Space.EPOCHS, b"a") is None
    assert store.get(Space.OPS, b"") is None
    assert store.get(Space.OPS, b"a\0") is None


def test_every_space_is_a_room_of_its_own(store: Store) -> None:
    store.commit([Put(space, b"key", space.encode()) for space in Space], durable=False)
    assert {space: store.get(space, b"key") for space in Space} == {space: space.encode() for space in Space}
    assert store.load(Space) == {space: {b"key": space.encode()} for space in Space}


@pytest.mark.parametrize("value", [b"", b"\0", b"\0\xff" * 3, bytes(300_000)], ids=len)
def test_any_bytes_come_back(store: Store, value: bytes) -> None:
    store.commit([Put(Space.FRAMES, value[:400], value)], durable=False)
    assert store.get(Space.FRAMES, value[:400]) == value
    assert store.scan(Space.FRAMES) == [(value[:400], value)]


def test_the_last_write_of_a_batch_wins(store: Store) -> None:
    batch: list[Write] = [Put(Space.OPS, b"a", b"1"), Put(Space.OPS, b"a", b"2")]
    batch += [Put(Space.OPS, b"b", b"1"), Delete(Space.OPS, b"b")]
    batch += [Delete(Space.OPS, b"c"), Put(Space.OPS, b"c", b"3")]
    store.commit(batch, durable=False)
    assert store.scan(Space.OPS) == [(b"a", b"2"), (b"c", b"3")]


def test_a_prefix_is_cleared_before_what_follows_and_after_what_went_before(store: Store) -> None:
    fill(store, Space.CHAINS, b"a", b"g", b"g1", b"g2", b"h")
    batch: list[Write] = [Put(Space.CHAINS, b"g3", b"3"), Delete(Space.CHAINS, b"h")]
    batch += [DeletePrefix(Space.CHAINS, b"g"), Put(Space.CHAINS, b"g2", b"new"), Put(Space.KEMS, b"g", b"kept")]
    store.commit(batch, durable=False)
    assert store.scan(Space.CHAINS) == [(b"a", b"=a"), (b"g2", b"new")]
    assert store.get(Space.KEMS, b"g") == b"kept"
    store.commit([DeletePrefix(Space.CHAINS, b"")], durable=False)
    assert store.count(Space.CHAINS) == 0


def test_the_greatest_prefix_clears_to_the_end(store: Store) -> None:
    fill(store, Space.OPS, b"\xfe", b"\xff", b"\xff\xff", b"\xff\xff\x01")
    store.commit([DeletePrefix(Space.OPS, b"\xff\xff")], durable=False)
    assert keys(store.scan(Space.OPS)) == [b"\xfe", b"\xff"]


def test_deleting_what_is_not_there_is_nothing(store: Store) -> None:
    store.commit([Delete(Space.KEMS, b"a"), DeletePrefix(Space.KEMS, b"b")], durable=True)
    assert store.load([Space.KEMS]) == {Space.KEMS: {}}


def test_nothing_to_write_is_fine(store: Store) -> None:
    store.commit([], durable=True)
    store.commit([], durable=False)


def test_keys_sort_as_bytes(store: Store) -> None:
    fill(store, Space.OPS, b"b", b"\x80", b"a\xff", b"a", b"\x7f", b"", b"a\0", b"B", b"\xff")
    order = [b"", b"B", b"a", b"a\0", b"a\xff", b"b", b"\x7f", b"\x80", b"\xff"]
    assert keys(store.scan(Space.OPS)) == order
    assert keys(store.scan(Space.OPS, reverse=True)) == order[::-1]
    assert list(store.load([Space.OPS])[Space.OPS]) == order


def test_a_prefix_ends_where_its_bytes_end(store: Store) -> None:
    fill(store, Space.OPS, b"a", b"a\xff\xff", b"b", b"a\xff", b"a\xfe", b"\xff", b"\xff\xff\x00")
    assert keys(store.scan(Space.OPS, b"a")) == [b"a", b"a\xfe", b"a\xff", b"a\xff\xff"]
    assert keys(store.scan(Space.OPS, b"a\xff")) == [b"a\xff", b"a\xff\xff"]
    assert keys(store.scan(Space.OPS, b"\xff")) == [b"\xff", b"\xff\xff\x00"]
    assert keys(store.scan(Space.OPS, b"c")) == []
    assert [store.count(Space.OPS, prefix) for prefix in (b"", b"a", b"a\xff", b"\xff\xff", b"c")] == [7, 4, 2, 1, 0]


def test_after_and_before_leave_their_own_keys_out(store: Store) -> None:
    fill(store, Space.MESSAGES, *(b"g%d" % number for number in range(8)), b"h")
    assert keys(store.scan(Space.MESSAGES, after=b"g6")) == [b"g7", b"h"]
    assert keys(store.scan(Space.MESSAGES, before=b"g2")) == [b"g0", b"g1"]
    assert keys(store.scan(Space.MESSAGES, b"g", after=b"g6")) == [b"g7"]
    assert keys(store.scan(Space.MESSAGES, b"g", after=b"a", before=b"z")) == [b"g%d" % n for n in range(8)]
    assert keys(store.scan(Space.MESSAGES, after=b"g3", before=b"g5")) == [b"g4"]
    assert keys(store.scan(Space.MESSAGES, after=b"g3", before=b"g4")) == []
    assert keys(store.scan(Space.MESSAGES, after=b"g5", before=b"g3")) == []
    assert keys(store.scan(Space.MESSAGES, before=b"")) == []
    assert keys(store.scan(Space.MESSAGES, b"g3", before=b"g1")) == []


def test_a_limit_counts_from_the_end_where_the_list_begins(store: Store) -> None:
    fill(store, Space.MESSAGES, *(b"g%d" % number for number in range(8)))
    assert keys(store.scan(Space.MESSAGES, b"g", limit=2)) == [b"g0", b"g1"]
    assert keys(store.scan(Space.MESSAGES, b"g", limit=2, reverse=True)) == [b"g7", b"g6"]
    assert keys(store.scan(Space.MESSAGES, b"g", limit=2, reverse=True, before=b"g6")) == [b"g5", b"g4"]
    assert keys(store.scan(Space.MESSAGES, after=b"g5", limit=9)) == [b"g6", b"g7"]
    assert store.scan(Space.MESSAGES, limit=0) == []


def test_what_was_read_is_the_readers_own(store: Store) -> None:
    fill(store, Space.OPS, b"a", b"b")
    rows, loaded = store.scan(Space.OPS), store.load([Space.OPS])
    store.commit([Delete(Space.OPS, b"a"), Put(Space.OPS, b"b", b"new")], durable=False)
    assert rows == [(b"a", b"=a"), (b"b", b"=b")]
    assert loaded == {Space.OPS: {b"a": b"=a", b"b": b"=b"}}
    loaded[Space.OPS].clear()
    assert store.count(Space.OPS) == 1


def test_what_a_node_loads_at_its_start_is_there_even_when_empty(store: Store) -> None:
    assert store.load(LOADED) == {space: {} for space in LOADED}


def test_closing_twice_is_harmless(store: Store) -> None:
    store.close()
    store.close()


names = st.binary(max_size=3)
spaces = st.sampled_from([Space.CHAINS, Space.MESSAGES])
writes = st.one_of(
    st.builds(Put, spaces, names, st.binary(max_size=40)),
    st.builds(Delete, spaces, names),
    st.builds(DeletePrefix, spaces, st.binary(min_size=1, max_size=2)),
)


class BothStores(RuleBasedStateMachine):
    """The store on disk and the one in memory, given the same, hold the same: also after they were opened again."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "store.db"
        self.disk = EncryptedStore.create(self.path, KEY)
        self.twin = MemoryStore()
        self.model: dict[Space, dict[bytes, bytes]] = {space: {} for space in Space}

    @rule(batch=st.lists(writes, max_size=12), durable=st.booleans())
    def commit(self, batch: list[Write], durable: bool) -> None:
        self.disk.commit(batch, durable=durable)
        self.twin.commit(batch, durable=durable)
        for write in batch:
            held = self.model[write.space]
            match write:
                case Put(key=key, value=value):
                    held[key] = value
                case Delete(key=key):
                    held.pop(key, None)
                case DeletePrefix(prefix=prefix):
                    self.model[write.space] = {key: held[key] for key in held if not key.startswith(prefix)}

    @rule(
        space=spaces,
        prefix=names,
        after=st.none() | names,
        before=st.none() | names,
        limit=st.none() | st.integers(0, 5),
        reverse=st.booleans(),
    )
    def scan(
        self, space: Space, prefix: bytes, after: bytes | None, before: bytes | None, limit: int | None, reverse: bool
    ) -> None:
        rows = [
            row
            for row in sorted(self.model[space].items(), reverse=reverse)
            if row[0].startswith(prefix) and (after is None or row[0] > after) and (before is None or row[0] < before)
        ][:limit]
        for store in (self.disk, self.twin):
            assert store.scan(space, prefix, after=after, before=before, limit=limit, reverse=reverse) == rows

    @rule(space=spaces, prefix=names)
    def count(self, space: Space, prefix: bytes) -> None:
        expected = sum(key.startswith(prefix) for key in self.model[space])
        assert self.disk.count(space, prefix) == self.twin.count(space, prefix) == expected

    @precondition(lambda self: any(self.model.values()))
    @rule()
    def open_again(self) -> None:
        self.disk.close()
        self.disk = EncryptedStore.open(self.path, KEY)
        self.twin.crash()

    @invariant()
    def all_hold_the_same(self) -> None:
        assert self.disk.load(Space) == self.twin.load(Space) == self.model

    def teardown(self) -> None:
        self.disk.close()
        self.folder.cleanup()


BothStores.TestCase.settings = settings(stateful_step_count=20)
TestBothStores = BothStores.TestCase
