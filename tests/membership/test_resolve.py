"""`resolve` against its trivial twin, against itself in other orders, and against its own incremental form."""

from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from mesh.commands import Rank
from mesh.errors import RemoteError
from mesh.ids import OpId
from mesh.membership.acts import Act
from mesh.membership.graph import Entry, Graph
from mesh.membership.rendering import render
from mesh.membership.resolve import KEPT, Resolution, Views, resolve, take_back
from mesh.membership.standing import Standing, judge
from mesh.membership.structure import TALK
from tests.attacks.plain import Told
from tests.membership.graphs import Story
from tests.membership.twin import Twin

stories = st.builds(
    Story, st.integers(0, 2**32), part=st.sampled_from((0.1, 0.5, 0.9)), hostile=st.sampled_from((0.0, 0.2, 0.6))
)


def agrees(found: Resolution, acts: list[Act]) -> None:
    """Demand that the twin sees the same."""
    twin = Twin(acts)
    assert twin.astray() == []
    view = found.view
    assert found.valid == twin.standing()
    assert {pk: member.rank for pk, member in view.members.items()} == twin.ranks()
    assert {pk: set(member.devices) for pk, member in view.members.items()} == twin.devices()


@given(stories, st.integers(5, 40))
def test_the_twin_sees_the_same(story: Story, size: int) -> None:
    story.wanders(size)
    found = resolve(story.acts)
    assert not found.refused
    assert not found.waiting
    agrees(found, story.acts)


@given(stories, st.integers(5, 40), st.randoms(use_true_random=False))
def test_the_order_of_coming_in_says_nothing(story: Story, size: int, dice: Random) -> None:
    story.wanders(size)
    shuffled = story.acts[:]
    dice.shuffle(shuffled)
    one, other = resolve(story.acts), resolve(shuffled)
    assert (one.valid, one.refused, one.waiting) == (other.valid, other.refused, other.waiting)
    assert shown(one) == shown(other)


def shown(found: Resolution) -> tuple[object, ...]:
    """All that a view shows, but the mask, which depends on the order."""
    view = found.view
    return view.members, view.devices, view.departed, view.lost, view.invites, view.settings, view.agreement


@given(stories, st.integers(5, 40))
def test_carried_on_act_by_act_is_the_same_as_from_nothing(story: Story, size: int) -> None:
    story.wanders(size)
    graph = story.graph
    views = Views(graph)
    for place in range(len(graph)):
        for mask in (graph.at(place).closure, (2 << place) - 1):
            assert views.of(mask) == render(judge(graph, mask))


# ------------------------------------------------------------------------------------- what is kept, and what it saves


@pytest.fixture
def worked(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count the judgements from nothing and the steps from one act to the next."""
    counts = Counter[str]()

    def counted(graph: Graph, mask: int) -> Standing:
        counts["judgements"] += 1
        return judge(graph, mask)

    def stepped(standing: Standing, entry: Entry) -> tuple[Standing, int]:
        counts["steps"] += 1
        return step(standing, entry)

    step = Standing.with_act
    monkeypatch.setattr("mesh.membership.resolve.judge", counted)
    monkeypatch.setattr(Standing, "with_act", stepped)
    return counts


def line(length: int) -> Told:
    """A group of so many acts, each of which builds on the one before."""
    group = Told()
    for _ in range(length - 1):
        group.people[0].sets()
    return group


@pytest.mark.parametrize(
    ("known", "asked", "work"),
    [
        ([29], 30, {"steps": 1}),
        ([30], 30, {}),
        ([15], 30, {"steps": 15}),
        ([14], 30, {"judgements": 1}),
        ([16], 31, {"steps": 15}),
        ([15], 31, {"judgements": 1}),
        ([31], 30, {"judgements": 1}),
        ([], 30, {"judgements": 1}),
        ([18, 25], 30, {"steps": 5}),
        ([25, 18], 30, {"steps": 5}),
        ([20, 25, 31], 30, {"steps": 5}),
    ],
)
def test_a_view_carries_the_nearest_known_one_on(
    known: list[int], asked: int, work: dict[str, int], worked: Counter[str]
) -> None:
    """If not more than half of its acts are missing there; else all are judged from nothing."""
    graph = line(31).graph
    views = Views(graph)
    for count in known:
        views.of(2**count - 1)
    worked.clear()
    assert views.of(2**asked - 1) == render(judge(graph, 2**asked - 1))
    assert worked == work


def test_a_refusal_forgets_what_rests_on_the_refused_and_nothing_else(worked: Counter[str]) -> None:
    group = line(10)
    (alice,) = group.people
    then = group.heads
    assert group.names == {"alice"}
    alice.sets()
    assert group.names == {"alice"}
    with pytest.raises(RemoteError, match="exactly the devices"):  # beside the last, not after it
        alice.admits("mallory", recipients=(alice.dev,), after=then)
    worked.clear()
    assert group.names == {"alice"}
    assert worked == {}
    alice.admits("bob", after=then)
    assert group.names == {"alice", "bob"}
    assert group.view == render(judge(group.graph, group.graph.everything))


def test_what_was_asked_for_last_goes_too_when_its_act_is_taken_back() -> None:
    """Another act may come in its place, and then the same mask means another set."""
    group = line(10)
    (alice,) = group.people
    then = group.heads
    alice.admits("carol")
    carols = group.graph.at(len(group.graph) - 1).act
    take_back(group.graph, group.views)
    alice.admits("bob", after=then)
    assert group.names == {"alice", "bob"}
    take_back(group.graph, group.views)
    group.graph.push(carols)
    assert group.names == {"alice", "carol"}


def test_so_many_views_are_kept_and_the_latest_asked_for_longest(worked: Counter[str]) -> None:
    group = line(KEPT + 9)
    views = Views(group.graph)
    worked.clear()
    views.of(1)
    for count in range(2, KEPT + 9):
        views.of(2**count - 1)
        views.of(1)
        assert len(views) == min(count, KEPT)
    assert worked == {"judgements": 1, "steps": KEPT + 7}


def test_the_standing_of_a_mask_is_that_of_its_view() -> None:
    group = line(5)
    assert group.views.standing(0b111).mask == 0b111
    assert group.views.standing(0b111).valid == group.views.of(0b111).valid


# ------------------------------------------------------------------------------------- a set that is none of a group


def test_a_set_has_one_create() -> None:
    """Two groups at once, or none: what belongs to which cannot be said."""
    acts = [entry.act for entry in line(3).graph.entries(0b111)]
    other = replace(acts[0], op_id=OpId(b"\7" * 32))
    for creates in ([], [acts[0], other]):
        with pytest.raises(ValueError, match=f"one create, and here are {len(creates)}"):
            resolve([*acts[1:], *creates])
    assert resolve([acts[0], *acts]).view.members  # the same one twice is one


def test_a_group_can_be_full() -> None:
    group = Told()
    group.people[0].adds("phone")
    acts = [entry.act for entry in group.graph.entries(0b11)]
    assert resolve(acts, devices_max=2).refused == {}
    assert set(resolve(acts, devices_max=1).refused) == {acts[1].op_id}


def test_what_names_a_dep_twice_waits_for_it_once() -> None:
    acts = [entry.act for entry in line(3).graph.entries(0b111)]
    twice = replace(acts[2], deps=acts[2].deps * 2)
    found = resolve([acts[0], acts[1], twice])
    assert (found.refused, found.waiting) == ({}, frozenset())


def test_what_brings_a_refused_one_and_another_together_is_refused() -> None:
    group = Told(bob=Rank.MEMBER)
    alice, bob = group.people
    then = group.heads
    side = bob.rekeys({alice.dev, bob.dev}, after=then)
    bad = alice.sets(after=then)
    both = alice.sets(after=tuple(sorted((side, bad))))
    acts = [entry.act for entry in group.graph.entries(group.graph.everything)]
    bent = [replace(act, settings={TALK: "on"}) if act.op_id == bad else act for act in acts]
    for order in (bent, bent[::-1]):
        assert set(resolve(order).refused) == {bad, both}
