"""What a machine is given when it starts: all that it holds in memory, and of the messages the newest."""

from mesh.events import LOADED, TAIL_MESSAGES, Put, Space
from mesh.store.memory import MemoryStore
from mesh.store.starting import starting_records

GIDS = (b"a" * 32, b"b" * 32)


def test_what_is_loaded_comes_whole_and_nothing_else() -> None:
    store = MemoryStore()
    assert starting_records(store) == {space: {} for space in (*LOADED, Space.MESSAGES)}
    store.commit([Put(space, GIDS[0] + bytes([k]), b"value") for space in Space for k in range(3)], durable=True)
    records = starting_records(store)
    assert set(records) == {*LOADED, Space.MESSAGES}
    for space in LOADED:
        assert records[space] == {GIDS[0] + bytes([k]): b"value" for k in range(3)}


def test_each_group_has_its_newest_messages() -> None:
    store = MemoryStore()
    store.commit([Put(Space.GROUPS, gid, b"group") for gid in GIDS], durable=True)
    few, many = 5, TAIL_MESSAGES + 10
    for gid, count in zip(GIDS, (few, many), strict=True):
        rows = [Put(Space.MESSAGES, gid + k.to_bytes(8, "big") + bytes(24), b"%d" % k) for k in range(count)]
        store.commit(rows, durable=True)
    strayed = Put(Space.MESSAGES, b"c" * 64, b"of a group that is not here")
    store.commit([strayed], durable=True)
    told = starting_records(store)[Space.MESSAGES]
    assert len(told) == few + TAIL_MESSAGES
    assert strayed.key not in told
    newest = sorted(int(value) for key, value in told.items() if key.startswith(GIDS[1]))
    assert newest == list(range(10, many))
