"""The simulator's disk: what a killed process keeps, and what a power cut takes."""

from mesh.events import Delete, DeletePrefix, Put, Space
from mesh.store.memory import MemoryStore


def test_a_killed_process_loses_nothing_that_was_committed() -> None:
    store = MemoryStore()
    store.commit([Put(Space.OPS, b"a", b"1")], durable=False)
    store.crash()
    assert store.get(Space.OPS, b"a") == b"1"


def test_a_power_cut_brings_back_the_last_durable_commit() -> None:
    store = MemoryStore()
    store.commit([Put(Space.OPS, b"a", b"1"), Put(Space.OPS, b"b", b"1"), Put(Space.OPS, b"c", b"")], durable=True)
    kept = store.load(Space)
    store.commit([Put(Space.OPS, b"a", b"2"), Delete(Space.OPS, b"b"), Put(Space.KEMS, b"x", b"")], durable=False)
    store.commit([Put(Space.OPS, b"a", b"3"), DeletePrefix(Space.OPS, b"")], durable=False)
    assert store.count(Space.OPS) == 0
    store.crash(power_cut=True)
    assert store.load(Space) == kept
    store.crash(power_cut=True)
    assert store.load(Space) == kept


def test_a_durable_commit_makes_all_before_it_durable() -> None:
    store = MemoryStore()
    store.commit([Put(Space.OPS, b"a", b"1")], durable=False)
    store.commit([Put(Space.OPS, b"b", b"2")], durable=True)
    store.crash(power_cut=True)
    assert store.load([Space.OPS]) == {Space.OPS: {b"a": b"1", b"b": b"2"}}
