"""`resolve` against its trivial twin, against itself in other orders, and against its own incremental form."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from mesh.membership.acts import Act
from mesh.membership.rendering import render
from mesh.membership.resolve import Resolution, Views, resolve
from mesh.membership.standing import judge
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
