"""Keepers: what is left with one waits there for those who are away."""

from copy import deepcopy as copy

import pytest

from mesh.commands import Rekey
from mesh.errors import LocalError, RefusedError
from mesh.events import AddressesChanged, DeletePrefix, Effect, Input, LinkKind, Send, Space
from mesh.ids import Address, GroupId
from mesh.peer.keepers import is_level, keepers_of
from mesh.peer.records import JoinStage
from mesh.upkeep import DropKeeper
from mesh.wire import limits
from simulations.checks import blamed
from simulations.measures import Measures
from simulations.people import Person, circle, gather
from simulations.world import Node, World


def with_keeper(
    *names: str, world: World | None = None, quota: int | None = None, days: int | None = None
) -> tuple[World, GroupId, Person, list[Person]]:
    """Give a keeper that is in no group, and a group that uses it; all are linked."""
    world = world or World(1)
    (keeper,) = gather(world, "pi")
    keeper.keep(quota=quota, days=days)
    gid, people = circle(world, *names) if len(names) > 1 else alone(world, names[0])
    people[0].use_keeper(gid, keeper.ticket())
    assert world.run_until(lambda: all(level(person, gid) for person in people), 60)
    return world, gid, keeper, people


def alone(world: World, name: str) -> tuple[GroupId, list[Person]]:
    """Give a group of one."""
    (person,) = gather(world, name)
    return person.create(), [person]


def level(person: Person, gid: GroupId) -> bool:
    """Say whether a person's node has all that a keeper of the group has."""
    assert person.node.peer is not None
    return is_level(person.node.peer.state, person.room(gid))


def test_what_is_said_waits_at_the_keeper_for_one_who_is_away() -> None:
    world, gid, _, (wren, tansy) = with_keeper("wren", "tansy")
    tansy.off()
    world.run(5)
    post = wren.post(gid, "The first evening without her.")
    world.run(5)
    assert wren.told(gid, post) == ("sent", 0, 1)
    wren.off()
    tansy.on()
    world.run(30)
    assert tansy.reads(gid) == ["The first evening without her."]
    tansy.off()
    wren.on()
    world.run(30)
    assert wren.told(gid, post) == ("reached", 1, 1)
    assert blamed(world) == []


def test_joining_where_joiner_and_members_are_never_there_together() -> None:
    world, gid, _, (wren,) = with_keeper("wren")
    (tansy,) = gather(world, "tansy")
    tansy.off()
    code = wren.invite(gid)
    world.run(20)
    wren.off()
    tansy.on()
    join = tansy.look(code)
    assert tansy.until(lambda: tansy.stage(join) is JoinStage.PREVIEW)
    tansy.knock(join, gid)
    world.run(5)
    assert tansy.stage(join) is JoinStage.KNOCKING
    tansy.off()
    wren.on()
    world.run(30)
    assert wren.members(gid) == ["tansy", "wren"]
    wren.off()
    tansy.on()
    assert tansy.until(lambda: tansy.stage(join) is JoinStage.JOINED)
    world.run(20)
    post = tansy.post(gid, "I am here.")
    world.run(5)
    assert tansy.told(gid, post) == ("sent", 0, 1)
    tansy.off()
    wren.on()
    world.run(20)
    assert wren.reads(gid) == ["I am here."]
    assert blamed(world) == []


def test_a_code_lets_in_while_its_inviter_and_all_stewards_are_off() -> None:
    world, gid, _, (wren, _) = with_keeper("wren", "tansy")
    (rowan,) = gather(world, "rowan")
    code = wren.invite(gid)
    world.run(20)
    wren.off()
    rowan.join(gid, code)
    assert rowan.members(gid) == ["rowan", "tansy", "wren"]
    assert blamed(world) == []


def test_two_weeks_away_then_all_of_it_from_the_keeper_alone() -> None:
    world, gid, keeper, (wren, tansy, rowan) = with_keeper("wren", "tansy", "rowan")
    rowan.off()
    said: list[str] = []
    for day in range(14):
        for person in (wren, tansy):
            said.append(f"{person.name} on day {day}")
            person.post(gid, said[-1])
            world.run(60)
        if day % 5 == 2:
            world.ask("wren", Rekey(group=gid))
            world.run(10)
        for person in (wren, tansy, keeper):
            person.off()
        world.run(86_400 - 120)
        for person in (wren, tansy, keeper):
            person.on()
        assert world.run_until(lambda: level(wren, gid) and level(tansy, gid), 60)
    assert len(wren.group(gid).epochs) >= 4
    wren.off()
    tansy.off()
    rowan.on()
    assert rowan.until(lambda: len(rowan.reads(gid)) == len(said), 120)
    world.run(30)
    assert rowan.reads(gid) == said
    post = rowan.post(gid, "I have read it all.")
    world.run(30)
    assert rowan.told(gid, post)[0] == "sent"
    rowan.off()
    wren.on()
    tansy.on()
    world.run(60)
    assert wren.reads(gid)[-1] == tansy.reads(gid)[-1] == "I have read it all."
    assert blamed(world) == []


def test_a_keeper_that_lost_everything_is_filled_again() -> None:
    world, gid, keeper, (wren, tansy) = with_keeper("wren", "tansy")
    tansy.off()
    for k in range(5):
        wren.post(gid, f"evening {k}")
        world.run(5)
    world.ask("wren", Rekey(group=gid))
    wren.post(gid, "under a new key")
    world.run(30)
    kept = keeper.kept()
    keeper.off()
    for space in (Space.KEPT, Space.SIZES):
        keeper.node.store.commit([DeletePrefix(space, b"")], durable=True)
    keeper.on()
    assert keeper.kept() == 0
    world.run(120)
    assert keeper.kept() >= kept - 2
    wren.off()
    tansy.on()
    world.run(30)
    assert tansy.reads(gid) == [*(f"evening {k}" for k in range(5)), "under a new key"]
    assert blamed(world) == []


def test_an_old_copy_of_a_home_hears_from_the_keeper_what_it_said_later() -> None:
    world, gid, _, (wren, tansy) = with_keeper("wren", "tansy")
    wren.post(gid, "one")
    world.run(20)
    wren.off()
    old = copy(wren.node.store)
    wren.on()
    for text in ("two", "three"):
        wren.post(gid, text)
    world.run(20)
    wren.off()
    tansy.off()
    wren.node.store = old
    wren.on()
    post = wren.post(gid, "four")
    assert wren.until(lambda: wren.told(gid, post)[0] == "sent", 60)
    assert wren.reads(gid) == ["one", "two", "three", "four"]
    wren.off()
    tansy.on()
    world.run(60)
    assert tansy.reads(gid) == ["one", "two", "three", "four"]
    assert tansy.room(gid).proofs == {}
    assert blamed(world) == []


def test_one_who_was_removed_meanwhile_leaves_nothing_at_the_keeper() -> None:
    world, gid, _, (wren, tansy, rowan) = with_keeper("wren", "tansy", "rowan")
    rowan.off()
    wren.remove(gid, wren.key_of(gid, "rowan"))
    wren.post(gid, "without rowan")
    world.run(30)
    wren.off()
    tansy.off()
    rowan.on()
    post = rowan.post(gid, "Where are you all?")
    world.run(1000)
    assert rowan.told(gid, post)[0] == "queued"
    assert rowan.reads(gid) == ["Where are you all?"]


def test_who_is_where_is_told_by_the_keeper_as_well() -> None:
    world, gid, _, (wren, tansy) = with_keeper("wren", "tansy")
    tansy.off()
    assert wren.node.peer is not None
    moved = Address("/memory/elsewhere/p2p/peer-wren")
    device = wren.device(gid)
    world._give(wren.node, AddressesChanged(addresses=(wren.node.address, moved)))
    world.run(30)
    wren.off()
    tansy.on()
    world.run(30)
    assert moved in tansy.room(gid).contacts[device].addresses


def test_what_a_keeper_acknowledges_is_in_its_store() -> None:
    world = World(1)
    acknowledged: list[bytes] = []

    def watch(node: Node, event: Input, effects: list[Effect]) -> None:
        del event
        kept = {key[40:] for key, _ in node.store.scan(Space.KEPT)} if node.name == "pi" else set()
        for effect in effects if node.name == "pi" else ():
            if isinstance(effect, Send) and effect.kind is LinkKind.STORED:
                ids = [effect.payload[k : k + 32] for k in range(0, len(effect.payload), 32)]
                assert kept.issuperset(ids)
                acknowledged.extend(ids)

    world.watchers.append(watch)
    world, gid, keeper, (wren, _) = with_keeper("wren", "tansy", world=world)
    for k in range(3):
        wren.post(gid, f"{k}")
        world.run(5)
        keeper.off(power_cut=k == 1)
        keeper.on()
        world.run(30)
    assert len(acknowledged) > 10


def test_a_further_keeper_is_filled_with_what_the_group_has() -> None:
    world, gid, keeper, (wren, tansy) = with_keeper("wren", "tansy")
    for k in range(6):
        (wren, tansy)[k % 2].post(gid, f"{k}")
        world.run(3)
    (attic,) = gather(world, "attic")
    attic.keep()
    wren.use_keeper(gid, attic.ticket())
    world.run(90)
    assert attic.kept() >= 6
    wren.off()
    tansy.off()
    keeper.off()
    tansy.on()
    world.run(20)
    assert level(tansy, gid)


def test_stewards_choose_up_to_four_and_those_that_go_are_dialled_no_more() -> None:
    world, gid, keeper, (wren, tansy) = with_keeper("wren", "tansy")
    (known_ticket,) = keepers_of(wren.group(gid)).values()
    with pytest.raises(RefusedError) as refused:
        world.ask("tansy", DropKeeper(group=gid, keeper=known_ticket.keeper))
    assert "wren" in refused.value.do
    more = gather(world, "b", "c", "d", "e")
    for person in more:
        person.keep()
    for person in more[:3]:
        wren.use_keeper(gid, person.ticket())
    with pytest.raises(LocalError):
        wren.use_keeper(gid, more[3].ticket())
    known = keepers_of(wren.group(gid))
    assert len(known) == limits.KEEPERS_MAX
    first = next(iter(known.values()))
    world.ask("wren", DropKeeper(group=gid, keeper=first.keeper))
    with pytest.raises(LocalError):
        world.ask("wren", DropKeeper(group=gid, keeper=first.keeper))
    world.run(10)
    assert first.account not in keepers_of(tansy.group(gid))
    assert first.peer not in tansy.node.wanted
    del keeper


def test_what_a_keeper_has_just_taken_is_not_left_there_again() -> None:
    world = World(3)
    gid, people = circle(world, "wren", "juniper", "sorrel")
    for turn in range(6):
        people[turn % 3].post(gid, f"post {turn}")
        world.run(2)
    measures = Measures.over(world)
    with_keeper_of(world, gid, people)
    world.run(20)  # its index may be some seconds old: it answers out of it that it still lacks what it took
    assert max(max(frames.values()) for frames in measures.crossed.values()) <= 2


def with_keeper_of(world: World, gid: GroupId, people: list[Person]) -> None:
    """Have a group that is there already use a keeper."""
    (keeper,) = gather(world, "pi")
    keeper.keep()
    people[0].use_keeper(gid, keeper.ticket())
    assert world.run_until(lambda: all(level(person, gid) for person in people), 60)
