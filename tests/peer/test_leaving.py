"""Leaving: heard by the others, followed up by them, and with `wipe` forgotten here."""

import pytest

from mesh.commands import LeaveGroup, Rank
from mesh.errors import RefusedError
from mesh.events import Space
from mesh.ids import GroupId
from mesh.wire.operations import RemoveBody
from simulations.checks import Watch, agree, blamed
from simulations.people import Person, circle
from simulations.world import World

WIPED_AT_ONCE = (
    Space.MESSAGES,
    Space.POSTS,
    Space.UNREAD,
    Space.FRAMES,
    Space.FRONTIERS,
    Space.DELIVERY,
    Space.DRAFTS,
    Space.INVITES,
    Space.KNOCKS,
    Space.CHAINS,
    Space.KEMS,
    Space.DEVICES,
)


def three(seed: int = 3) -> tuple[World, GroupId, Person, Person, Person]:
    """Give wren, juniper and sorrel, who have talked, in one group and at rest."""
    world = World(seed)
    Watch.over(world)
    gid, (wren, juniper, sorrel) = circle(world, "wren", "juniper", "sorrel")
    for person in (wren, juniper, sorrel):
        person.post(gid, f"hello from {person.name}")
    world.run(15)
    return world, gid, wren, juniper, sorrel


def held(person: Person, gid: GroupId) -> list[str]:
    """Name the spaces in which a store still has something of a group."""
    store = person.node.store
    found = [space.value for space in Space if store.count(space, gid)]
    return found + [f"{space.value}: {key!r}" for space in Space for key, v in store.scan(space) if gid[:16] in key + v]


def test_a_leave_is_followed_by_a_fresh_epoch_and_a_removal() -> None:
    world, gid, wren, juniper, sorrel = three()
    member, epoch = juniper.member(gid), wren.group(gid).epoch
    juniper.leave(gid)
    world.run(15)
    assert wren.members(gid) == sorrel.members(gid) == ["sorrel", "wren"]
    follow_ups = [op for op in wren.group(gid).log.ops if isinstance(op.body, RemoveBody)]
    assert [op.body.target for op in follow_ups if isinstance(op.body, RemoveBody)] == [member]
    assert wren.group(gid).epoch != epoch
    assert agree(gid, [wren, sorrel]) == []
    post = wren.post(gid, "without juniper")
    world.run(5)
    assert wren.told(gid, post) == ("reached", 1, 1)
    assert len(juniper.reads(gid)) == 3, "what was said before stays to be read"
    assert blamed(world) == []


def test_where_nobody_may_remove_the_others_still_re_key() -> None:
    world, gid, wren, juniper, sorrel = three()
    epoch = juniper.group(gid).epoch
    wren.leave(gid)  # the founder: nobody is senior
    world.run(30)
    assert juniper.members(gid) == sorrel.members(gid) == ["juniper", "sorrel"]
    assert juniper.group(gid).epoch == sorrel.group(gid).epoch != epoch
    assert juniper.group(gid).epoch_is_complete


def test_one_who_left_says_and_does_nothing_more() -> None:
    world, gid, wren, juniper, _ = three()
    juniper.leave(gid)
    world.run(5)
    with pytest.raises(RefusedError) as caught:
        juniper.post(gid, "one more thing")
    assert caught.value.code == "E-NOT-MEMBER"
    with pytest.raises(RefusedError):
        juniper.leave(gid)
    wren.post(gid, "gone?")
    world.run(20)
    assert len(juniper.reads(gid)) == 3
    assert juniper.room(gid).silent
    assert juniper.node.wanted == {}
    assert juniper.node.store.count(Space.CONTACTS, gid) == 0
    juniper.off()
    juniper.on()
    world.run(60)
    assert juniper.node.wanted == {}
    assert len(juniper.reads(gid)) == 3


@pytest.mark.parametrize("wipe", [False, True])
def test_a_leave_made_while_offline_is_heard_later(wipe: bool) -> None:
    world, gid, wren, juniper, sorrel = three()
    world.partition(("juniper",), ("wren", "sorrel"))
    world.run(1)
    juniper.leave(gid, wipe=wipe)
    world.run(30)
    assert "juniper" in wren.members(gid)
    juniper.off(power_cut=True)
    wren.off()
    world.heal()
    juniper.on()
    world.run(40)
    assert sorrel.members(gid) == ["sorrel", "wren"], "one who hears it is enough"
    wren.on()
    world.run(20)
    assert wren.members(gid) == ["sorrel", "wren"]
    assert agree(gid, [wren, sorrel]) == []
    assert blamed(world) == []
    if wipe:
        assert held(juniper, gid) == []


def test_a_wipe_forgets_everything_once_somebody_knows() -> None:
    world, gid, wren, juniper, _ = three()
    juniper.leave(gid, wipe=True)
    assert juniper.reads(gid) == []
    world.run(10)
    assert wren.members(gid) == ["sorrel", "wren"]
    assert held(juniper, gid) == []
    assert juniper.node.peer is not None
    assert juniper.node.peer.state.rooms == {}
    assert juniper.node.wanted == {}
    world.run(60)
    wren.post(gid, "gone?")
    world.run(10)
    assert held(juniper, gid) == []


def test_until_then_there_is_left_what_it_takes_to_be_heard_and_nothing_that_was_said() -> None:
    world, gid, wren, juniper, _ = three()
    juniper.post(gid, "a draft may wait as well")
    world.partition(("juniper",), ("wren", "sorrel"))
    world.run(1)
    juniper.post(gid, "like this one")
    juniper.leave(gid, wipe=True)
    world.run(60)
    store = juniper.node.store
    assert [space for space in WIPED_AT_ONCE if store.count(space, gid)] == []
    kept = {space for space in Space if store.count(space, gid)}
    assert kept == {Space.GROUPS, Space.OPS, Space.WRAPS, Space.EPOCHS, Space.CONTACTS}
    juniper.off()
    juniper.on()
    world.run(60)
    assert [space for space in WIPED_AT_ONCE if store.count(space, gid)] == []
    world.heal()
    wren.post(gid, "still there?")
    world.run(40)
    assert held(juniper, gid) == []


def test_who_asks_a_second_time_waits_on_and_with_now_no_longer() -> None:
    world, gid, wren, juniper, sorrel = three()
    world.partition(("juniper",), ("wren", "sorrel"))
    world.run(1)
    for _ in range(2):
        juniper.leave(gid, wipe=True)
        assert held(juniper, gid)
    world.heal()
    world.run(40)
    assert held(juniper, gid) == [], "somebody has heard of it"
    assert wren.members(gid) == sorrel.members(gid) == ["sorrel", "wren"]

    world.partition(("sorrel",), ("wren",))
    sorrel.leave(gid, wipe=True)
    sorrel.leave(gid, wipe=True, now=True)
    assert held(sorrel, gid) == []


def test_who_left_unheard_and_wipes_later_is_still_heard_of() -> None:
    world, gid, wren, juniper, _ = three()
    world.partition(("juniper",), ("wren", "sorrel"))
    world.run(1)
    juniper.leave(gid)
    assert juniper.reads(gid)
    juniper.leave(gid, wipe=True)
    assert [space for space in WIPED_AT_ONCE if juniper.node.store.count(space, gid)] == []
    assert juniper.reads(gid) == []
    juniper.off()
    juniper.on()
    world.heal()
    world.run(40)
    assert wren.members(gid) == ["sorrel", "wren"]
    assert held(juniper, gid) == []
    assert blamed(world) == []


def test_one_who_left_before_may_wipe_later() -> None:
    world, gid, _, juniper, _ = three()
    juniper.leave(gid)
    world.run(10)
    assert juniper.reads(gid)
    juniper.leave(gid, wipe=True)
    assert held(juniper, gid) == []


def test_the_last_one_out_forgets_at_once() -> None:
    world = World(4)
    wren = Person(world, "wren")
    gid = wren.create()
    wren.post(gid, "to myself")
    wren.leave(gid, wipe=True)
    assert held(wren, gid) == []


def test_one_who_was_removed_may_wipe() -> None:
    world, gid, wren, juniper, _ = three()
    wren.remove(gid, juniper.member(gid))
    world.run(20)
    assert juniper.group(gid).own.cut_off
    juniper.leave(gid, wipe=True)  # her node believes that she is in: she says so, and nobody hears it
    juniper.leave(gid, wipe=True, now=True)
    assert held(juniper, gid) == []


def test_a_wipe_leaves_other_groups_alone() -> None:
    world, gid, wren, juniper, _ = three()
    other = wren.create("another")
    juniper.join(other, wren.invite(other))
    world.run(10)
    kept = wren.post(other, "here")
    world.run(5)
    juniper.leave(gid, wipe=True)
    world.run(10)
    assert held(juniper, gid) == []
    assert juniper.reads(other) == ["here"]
    assert "peer-wren" in juniper.node.wanted
    again = wren.post(other, "and still")
    world.run(5)
    assert wren.told(other, kept) == wren.told(other, again) == ("reached", 1, 1)


def test_one_who_leaves_through_a_crash_at_any_commit_is_out_or_still_in() -> None:
    for crash_at in range(1, 5):
        world, gid, wren, juniper, sorrel = three(crash_at)
        juniper.node.crash_at_commit = juniper.node.commits + crash_at
        if world.may_ask("juniper", leave_of(juniper, gid)):
            world.run(5)
        if not juniper.node.up:
            juniper.on()
        world.run(40)
        if gid in {GroupId(key) for key, _ in juniper.node.store.scan(Space.GROUPS)}:
            assert "juniper" in wren.members(gid)
        else:
            assert held(juniper, gid) == []
            assert "juniper" not in wren.members(gid)
        assert agree(gid, [wren, sorrel]) == []


def leave_of(person: Person, gid: GroupId) -> LeaveGroup:
    """Give the command by which someone leaves and wipes."""
    return LeaveGroup(group=gid, member_seed=person.member_seeds[gid], wipe=True)


def test_a_moderator_who_leaves_takes_nobody_along() -> None:
    world, gid, wren, juniper, sorrel = three()
    wren.rank(gid, juniper, Rank.MODERATOR)
    world.run(5)
    tansy = Person(world, "tansy")
    tansy.join(gid, juniper.invite(gid))
    world.run(5)
    juniper.leave(gid)
    world.run(20)
    assert wren.members(gid) == ["sorrel", "tansy", "wren"]
    assert agree(gid, [wren, sorrel, tansy]) == []
