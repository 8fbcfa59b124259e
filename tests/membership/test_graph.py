"""The graph's masks, and what a program is told that brings its own graph."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from mesh.commands import Rank
from mesh.errors import Fault, RemoteError
from mesh.ids import OpId
from mesh.membership.acts import NOTHING, Act
from mesh.membership.graph import BY_MEMBER_KEY, Graph, bits, by_member_key
from mesh.membership.resolve import resolve
from mesh.wire.operations import OpType
from tests.attacks.plain import Told, device


@given(st.integers(0, 2**200 - 1))
def test_the_indices_of_a_mask_are_those_of_its_digits(mask: int) -> None:
    """Few digits are picked out one by one, many are read."""
    for sparse_or_dense in (mask, mask | 2**130 - 2**3, mask & 0xFFFF):
        assert bits(sparse_or_dense) == [k for k in range(200) if sparse_or_dense >> k & 1]


def test_resolve_names_what_it_refused_and_what_waits() -> None:
    group = Told(mo=Rank.MODERATOR, bob=Rank.MEMBER)
    alice, mo, bob = group.people
    invite = mo.invites()
    bob.admits("guest", Rank.NEWCOMER, under=invite)
    alice.sets()
    acts = [entry.act for entry in group.graph.entries(group.graph.everything)]
    assert resolve(acts).refused == {}
    # The invite's uses are spent: its admit is refused for ever, and what builds on it is too.
    spent = [replace(act, uses=0) if act.op_id == invite else act for act in acts]
    assert resolve(spent).refused == {
        acts[-2].op_id: "an admit past the uses of its invite",
        acts[-1].op_id: "it builds on a refused operation",
    }
    without = [act for act in acts if act.op_id != invite]
    assert resolve(without).waiting == {acts[-2].op_id, acts[-1].op_id}


def test_a_member_is_shown_with_whoever_made_their_invite() -> None:
    group = Told(mo=Rank.MODERATOR, bob=Rank.MEMBER)
    alice, mo, bob = group.people
    guest = bob.admits("guest", Rank.NEWCOMER, under=mo.invites())
    shown = group.view.members
    assert [shown[who.pk].invited_by for who in (alice, mo, guest)] == [None, alice.pk, mo.pk]


# ------------------------------------------------------------------------------------- an act's place


def misplaced(group: Told, act: Act) -> str:
    """The words with which the graph has no place for an act, whoever may do what."""
    before = (len(group.graph), group.graph.heads, group.graph.owner(device("stray")))
    with pytest.raises(RemoteError) as caught:
        group.graph.push(act)
    assert caught.value.fault is Fault.AGAINST_RULES
    assert (len(group.graph), group.graph.heads, group.graph.owner(device("stray"))) == before
    return caught.value.what


def test_an_act_has_its_place_by_what_it_builds_on() -> None:
    group = Told(bob=Rank.MEMBER)
    alice, bob = group.people
    create = group.graph.at(0).act
    then = group.heads
    side = alice.sets("a")
    bob.rekeys({alice.dev, bob.dev}, after=then)
    good = Act(type=OpType.LEAVE, **group._place(bob.dev, group.heads, bob.grant))  # type: ignore[arg-type]  # by name
    wrong_place = "place in the graph is wrong"
    no_device = "a device that nobody brought in"
    no_grant = "no grant that it builds on"
    stray = device("stray")
    for words, act in (
        (wrong_place, replace(good, gen=good.gen - 1)),
        (wrong_place, replace(good, gen=good.gen + 1)),
        (wrong_place, replace(good, deps=(), gen=1)),
        (wrong_place, replace(create, op_id=OpId(b"\7" * 32))),
        (wrong_place, replace(create, op_id=OpId(b"\7" * 32), deps=good.deps, gen=good.gen)),
        ("twice over", replace(good, deps=(*good.deps, then[0]))),
        (no_device, replace(good, dev=stray)),
        (no_device, replace(good, type=OpType.DEVICE_ADD, dev=stray, member=bob.pk, device=device("phone"))),
        (no_device, replace(good, type=OpType.DEVICE_REMOVE, dev=stray, member=bob.pk, device=stray)),
        (no_device, replace(good, deps=(create.op_id,), gen=2)),
        (no_grant, replace(good, auth=OpId(b"\7" * 32))),
        (no_grant, replace(good, auth=side)),
        (no_grant, replace(good, auth=good.op_id)),
    ):
        assert words in misplaced(group, act)
    assert "place" in misplaced(Told(), replace(create, op_id=OpId(b"\7" * 32)))
    later = alice.promotes(bob, Rank.MODERATOR)
    assert no_grant in misplaced(group, replace(good, auth=later))
    entry = group.graph.push(good)
    assert (entry.author, entry.level, group.graph.heads) == (bob.pk, BY_MEMBER_KEY, sorted([later, good.op_id]))
    assert group.graph.left_by(bob.pk, group.graph.everything) == entry.bit
    assert group.graph.left_by(bob.pk, entry.past) == 0
    assert group.graph.left_by(alice.pk, group.graph.everything) == 0


def test_what_is_taken_back_out_leaves_no_trace() -> None:
    """A device that came with it belongs to nobody again; one that somebody else brought in too stays theirs."""
    group = Told(bob=Rank.MEMBER)
    alice, bob = group.people
    heads = group.heads
    with pytest.raises(RemoteError, match="added for somebody else"):
        alice.does(OpType.DEVICE_ADD, member=bob.pk, device=device("phone"))
    assert group.graph.owner(device("phone")) is None
    assert group.heads == heads
    alice.adds("phone")
    assert group.graph.owner(device("phone")) == alice.pk
    with pytest.raises(RemoteError, match="in before"):
        bob.adds("phone")
    assert group.graph.owner(device("phone")) == alice.pk
    with pytest.raises(RemoteError, match="never was in"):
        alice.takes(bob.on("phone"), cut=NOTHING)
    assert group.graph.owner(device("phone")) == alice.pk


def test_which_acts_the_member_key_signs() -> None:
    group = Told(bob=Rank.MEMBER)
    alice, bob = group.people
    act = group.graph.at(1).act
    expected = {
        (OpType.LEAVE, None): True,
        (OpType.DEVICE_ADD, None): True,
        (OpType.DEMOTE, None): False,
        (OpType.DEMOTE, NOTHING): False,
        (OpType.DEVICE_REMOVE, None): False,
        (OpType.DEVICE_REMOVE, NOTHING): False,
        (OpType.REMOVE, None): False,
        (OpType.REKEY, NOTHING): False,
    }
    asked = {case: replace(act, type=case[0], member=bob.pk, cut=case[1]) for case in expected}
    assert {case: by_member_key(one, alice.pk) for case, one in asked.items()} == expected
    own = {(OpType.DEMOTE, None): True, (OpType.DEMOTE, NOTHING): True, (OpType.DEVICE_REMOVE, NOTHING): True}
    assert {case: by_member_key(one, bob.pk) for case, one in asked.items()} == expected | own


def test_of_too_many_heads_those_are_named_that_hold_what_is_needed_and_then_the_most_senior() -> None:
    group = Told(bob=Rank.MEMBER)
    alice, bob = group.people
    then = group.heads
    everybody = {alice.dev, bob.dev}
    bobs = [bob.rekeys(everybody, after=then) for _ in range(6)]
    hers = alice.rekeys(everybody, after=then)
    heads = sorted([*bobs, hers])
    assert group.graph.heads == heads == group.graph.heads_over([], 7) == group.graph.heads_over([], 8)
    assert group.graph.heads_over([], 6) == sorted([hers, *sorted(bobs)[:5]])
    assert group.graph.heads_over([], 1) == [hers]
    last = max(bobs)
    assert group.graph.heads_over([last, bob.grant], 2) == sorted([last, hers])
    assert group.graph.heads_over([last, bob.grant], 1) == [last]
    assert group.graph.heads_over([bob.grant], 2) == sorted([hers, min(bobs)])


def test_of_what_never_was_there_is_nothing() -> None:
    """Not even the first act, whose mask is one."""
    group = Told()
    (alice,) = group.people
    invite = alice.invites()
    graph, mask, stranger = group.graph, group.graph.everything, Told(bob=Rank.MEMBER).people[1]
    assert graph.joiners(invite, mask) == frozenset()
    asked = [
        graph.written_by(stranger.dev, mask),
        graph.authored_by(stranger.pk, mask),
        graph.approved_by(alice.pk, mask),
        graph.granted_to(stranger.pk, mask),
        graph.exercised(invite, mask),
        graph.admits_under(invite, mask),
        graph.brought(stranger.dev, mask),
        graph.brought_for(stranger.pk, mask),
        graph.left_by(alice.pk, mask),
        graph.of_type(OpType.FORK, mask),
    ]
    assert asked == [0] * len(asked)


def test_a_graph_begins_empty_and_is_so_again_when_its_create_is_taken_back() -> None:
    create = Told().graph.at(0).act
    graph = Graph()
    for _ in range(2):
        assert (len(graph), graph.everything, graph.heads, graph.closure([])) == (0, 0, [], 0)
        graph.push(create)
        assert (len(graph), graph.everything, graph.heads) == (1, 1, [create.op_id])
        graph.pop()
