"""The graph of operations: who comes before whom, and taking back what was put in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.commands import Rank
from mesh.errors import RemoteError
from mesh.groups.oplog import OpLog
from mesh.ids import OpId
from mesh.membership.graph import bits
from mesh.wire.operations import OpType, Setting, SettingsBody
from tests.groups.joiners import joiner
from tests.groups.people import Person, founds, op_of


def settings(value: str) -> SettingsBody:
    """An operation that says little."""
    return SettingsBody(settings=[Setting(key="note", value=value)])


def pushes(person: Person, value: str, deps: list[OpId]) -> OpId:
    """Add an operation to the graph that builds on these, whatever the rules say of its author's chain."""
    op = op_of(person.forges(OpType.SETTINGS, settings(value), deps=sorted(deps)))
    person.group.log.push(op)
    return op.op_id


def snapshot(log: OpLog) -> tuple[object, ...]:
    """All that a log answers."""
    return (
        [op.op_id for op in log.ops],
        log.heads,
        log.everything,
        [log.past(op.op_id) for op in log.ops],
        [entry.act.op_id for entry in log.graph.ranked(log.everything)],
        {op.tbs.dev: log.graph.written_by(op.tbs.dev, log.everything) for op in log.ops},
        {op.grantee: log.graph.granted_to(op.grantee, log.everything) for op in log.ops if op.grantee},
        {op.op_id: log.graph.admits_under(op.op_id, log.everything) for op in log.ops},
    )


@given(st.lists(st.sets(st.integers(0, 11), max_size=4), max_size=12))
def test_ancestors_are_what_walking_the_graph_finds(shape: list[set[int]]) -> None:
    alice = founds("Alice")
    log = alice.group.log
    ids = [log.ops[0].op_id]
    parents: dict[OpId, set[OpId]] = {ids[0]: set()}

    def ancestors(op_id: OpId) -> set[OpId]:
        return set().union(*({up} | ancestors(up) for up in parents[op_id]))

    for number, places in enumerate(shape):
        wanted = {ids[place] for place in places if place < len(ids)} or {ids[0]}
        deps = {dep for dep in wanted if not any(dep in ancestors(other) for other in wanted)}
        ids.append(pushes(alice, str(number), sorted(deps)))
        parents[ids[-1]] = deps
    for op_id in ids:
        assert {log.ops[k].op_id for k in bits(log.past(op_id))} == ancestors(op_id)
        assert log.closure([op_id]) == log.past(op_id) | log.bit(op_id)
    followed = set().union(*parents.values())
    assert log.heads == sorted(set(ids) - followed)
    assert log.closure(log.heads) == log.everything
    assert log.closure([OpId(bytes(32))]) is None


def test_taking_back_leaves_no_trace() -> None:
    alice = founds("Alice")
    bob = alice.admits("Bob")
    bob_s, alice_s = bob.restarted(), alice.restarted()
    alice_s.sets(note="one")
    bob_s.rekeys()
    alice_s.hears(bob_s)  # two heads
    before = snapshot(alice_s.group.log)
    dave = alice.restarted().admits("Dave")
    for op in dave.group.log.ops:
        if op.op_id not in alice_s.group.log and not alice_s.group.log.missing(op):
            alice_s.group.log.push(op)
            alice_s.group.log.pop()
            assert snapshot(alice_s.group.log) == before


def test_a_device_stays_known_while_one_of_two_admits_is_there() -> None:
    alice = founds("Alice")
    bob = alice.admits("Bob")
    alice.promotes(bob, Rank.MODERATOR)
    bob.hears(alice)
    dave = joiner("Dave", alice.group.gid, alice.group.suite)
    alice.lets_in(dave, None)
    by_bob = bob.lets_in(dave, None)
    log = alice.group.log
    by_alice = log.ops[-1]
    log.push(by_bob)
    for admit in (by_alice, by_bob):
        assert log.graph.brought(dave.dev, log.bit(admit.op_id))
    log.pop()
    assert log.card(dave.dev) == dave.card
    assert not log.graph.brought(dave.dev, log.past(by_alice.op_id))


def test_a_dep_behind_another_dep_is_refused() -> None:
    """Deps are heads; one that lies behind another would only cost time."""
    alice = founds("Alice")
    first = alice.sets(note="one").op_id
    second = alice.sets(note="two").op_id
    with pytest.raises(RemoteError):
        pushes(alice, "three", [first, second])


def test_a_log_begins_with_its_create_and_holds_no_other() -> None:
    """A welcome that began with anything else once brought the joiner's node down: the view of nothing has no text."""
    alice = founds("Alice")
    rootless = op_of(alice.forges(OpType.SETTINGS, settings("one"), deps=[], gen=1))
    with pytest.raises(RemoteError):
        OpLog().push(rootless)
    with pytest.raises(RemoteError):
        alice.group.log.push(rootless)
    with pytest.raises(RemoteError):
        alice.group.log.push(founds("Mallory").group.log.ops[0])


@given(st.integers(0, 2**200))
def test_bits_are_bits(mask: int) -> None:
    assert sum(1 << k for k in bits(mask)) == mask
    assert list(bits(mask)) == sorted(bits(mask))
