"""Newcomers go slowly: their own program says when it is enough, and others' close what a changed one says beyond."""

import pytest

from mesh.commands import Rank
from mesh.errors import RefusedError
from mesh.node.local.methods.newcomers import POSTS_AN_HOUR
from mesh.support.posts import Wish, compose
from mesh.wire.messages import Kind
from simulations.checks import blamed
from tests.node.local.test_messages import GROUP, call, read, say
from tests.node.local.test_methods import WorldDesk, part
from tests.peer.forgery import Forger
from tests.peer.test_raising import newcomer, pass_time

HOUR_MS = 3_600_000


def test_newcomers_say_so_much_an_hour_and_what_a_changed_program_says_beyond_stays_closed() -> None:
    world, gid, people, tansy = newcomer()
    desk, others = WorldDesk(world, "tansy"), [WorldDesk(world, person.name) for person in people]
    for k in range(POSTS_AN_HOUR):
        say(desk, f"post {k}")
    with pytest.raises(RefusedError) as refused:
        say(desk, "one more")
    assert refused.value.code == "E-NEWCOMER-PACE"
    forger = Forger(tansy, gid)
    body = compose(Wish(text="all the same", mode="listening", cw="", topics=(), reply_to=b""))
    frame = forger.message(Kind.POST, body, ts_ms=desk.now().wall_ms)
    linked = {name for name, _ in tansy.node.links.values()}
    for person in people:
        if person.name in linked:
            forger.hands(person, frame)
    world.run(20)
    for other in others:
        shown = read(other)
        assert len(shown) == POSTS_AN_HOUR + 1
        assert [m["closed_by"] for m in shown] == [None] * POSTS_AN_HOUR + ["pace"]
    people[0].rank(gid, tansy, Rank.MEMBER)
    world.run(10)
    assert [m["text"] for m in read(others[1])][-1] == "all the same", "it opens when they are a member"
    say(desk, "and members say what they like")
    assert blamed(world) == []


def test_after_an_hour_a_newcomer_goes_on_and_members_are_not_counted() -> None:
    world, _, people, _ = newcomer(4)
    desk, olive = WorldDesk(world, "tansy"), WorldDesk(world, people[3].name)
    for k in range(POSTS_AN_HOUR + 1):
        say(olive, f"of a member {k}")
    for k in range(POSTS_AN_HOUR):
        say(desk, f"post {k}")
    pass_time(world, 2 * HOUR_MS)
    assert say(desk, "later")["text"] == "later"
    assert all(m["closed_by"] is None for m in read(olive))


def test_before_the_first_post_of_a_newcomer_a_welcome_is_suggested() -> None:
    world, _, _, _ = newcomer(5)
    desk = WorldDesk(world, "tansy")
    assert part(call(desk, "group.show", group=GROUP), "group")["new_here"] is True
    say(desk, "hello, I am tansy")
    assert part(call(desk, "group.show", group=GROUP), "group")["new_here"] is False
    assert part(call(WorldDesk(world, "wren"), "group.show", group=GROUP), "group")["new_here"] is False
