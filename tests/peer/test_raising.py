"""Newcomers become members in time, unless somebody objects; and invites that ran out are closed."""

import pytest

from mesh.commands import HoldBack, Rank
from mesh.errors import LocalError, RefusedError, StoreError
from mesh.events import Put, Space
from mesh.ids import GroupId
from mesh.peer import raising
from mesh.peer.chores import CLOCKS_MS
from mesh.peer.loading import load_state
from mesh.peer.records import JoinStage
from mesh.store.starting import starting_records
from mesh.wire.codec import encode
from mesh.wire.invites import Door
from mesh.wire.messages import Kind, ObjectionBody
from mesh.wire.operations import OpType
from simulations.checks import agree, blamed
from simulations.people import Person, circle, gather
from simulations.world import World
from tests.peer.forgery import Forger
from tests.peer.test_door import ended

HOUR_MS = 3_600_000


def newcomer(seed: int = 3) -> tuple[World, GroupId, list[Person], Person]:
    """Wren founded it, juniper and sorrel moderate, olive is a member; her node, alone, lets tansy in."""
    world = World(seed)
    gid, people = circle(world, "wren", "juniper", "sorrel", "olive")
    wren, juniper, sorrel, olive = people
    for moderator in (juniper, sorrel):
        wren.rank(gid, moderator, Rank.MODERATOR)
    if wren.group(gid).view.members[olive.member(gid)].rank is Rank.NEWCOMER:
        wren.rank(gid, olive, Rank.MEMBER)
    code = wren.invite(gid)
    world.run(10)
    for other in (wren, juniper, sorrel):
        other.off()
    (tansy,) = gather(world, "tansy")
    tansy.join(gid, code, olive)
    for other in (wren, juniper, sorrel):
        other.on()
    world.run(60)
    assert tansy.group(gid).rank is Rank.NEWCOMER
    return world, gid, people, tansy


def pass_time(world: World, ms: int) -> None:
    """Move every clock on the wall, and let the nodes notice."""
    for node in world.nodes.values():
        node.skew_ms += ms
    world.run(90)


def promotions(person: Person, gid: GroupId) -> int:
    """Count the promotions in a group's log."""
    return sum(op.type is OpType.PROMOTE for op in person.group(gid).log.ops)


def test_after_72_hours_one_moderator_s_node_makes_them_a_member() -> None:
    world, gid, people, tansy = newcomer()
    before = promotions(people[0], gid)
    pass_time(world, raising.NEWCOMER_MS - HOUR_MS)
    assert tansy.group(gid).rank is Rank.NEWCOMER
    pass_time(world, HOUR_MS)
    assert tansy.group(gid).rank is Rank.MEMBER
    assert promotions(people[0], gid) - before == 1, "they take turns"
    assert agree(gid, [*people, tansy]) == []
    assert blamed(world) == []


def test_the_hours_survive_a_restart_and_plain_members_raise_nobody() -> None:
    world, gid, (wren, juniper, sorrel, olive), tansy = newcomer()
    for person in (wren, juniper, sorrel):
        person.off(power_cut=True)
    pass_time(world, raising.NEWCOMER_MS + HOUR_MS)
    assert tansy.group(gid).rank is Rank.NEWCOMER
    sorrel.on()
    world.run(90)
    assert tansy.group(gid).rank is Rank.MEMBER
    assert olive.group(gid).view.members[tansy.member(gid)].rank is Rank.MEMBER


def test_as_long_as_one_member_objects_nobody_s_node_does_it_and_a_moderator_still_can() -> None:
    world, gid, (wren, juniper, sorrel, olive), tansy = newcomer()
    target = tansy.member(gid)
    world.ask("olive", HoldBack(group=gid, member=target, holds=True))
    world.run(10)
    for name in ("wren", "juniper", "sorrel", "olive"):
        world.restart(name)
    pass_time(world, raising.NEWCOMER_MS + HOUR_MS)
    assert tansy.group(gid).rank is Rank.NEWCOMER
    assert raising.objectors(wren.room(gid), target) == [olive.member(gid)]
    world.ask("olive", HoldBack(group=gid, member=target, holds=False))
    world.ask("olive", HoldBack(group=gid, member=target, holds=True))  # the newest word counts
    world.run(60)
    assert tansy.group(gid).rank is Rank.NEWCOMER
    juniper.rank(gid, tansy, Rank.MEMBER)
    world.run(10)
    assert tansy.group(gid).rank is Rank.MEMBER
    assert sorrel.room(gid).objections == {}, "and what was said of the newcomer is forgotten"


def test_an_objection_that_is_taken_back_holds_nobody() -> None:
    world, gid, (_, _, _, olive), tansy = newcomer()
    world.ask("olive", HoldBack(group=gid, member=tansy.member(gid), holds=True))
    pass_time(world, raising.NEWCOMER_MS + HOUR_MS)
    world.ask("olive", HoldBack(group=gid, member=tansy.member(gid), holds=False))
    world.run(60)
    assert olive.group(gid).view.members[tansy.member(gid)].rank is Rank.MEMBER


def test_an_objection_said_alone_is_told_when_somebody_comes() -> None:
    world, gid, (wren, juniper, sorrel, _), tansy = newcomer()
    target = tansy.member(gid)
    for person in (wren, juniper, sorrel, tansy):
        person.off()
    world.run(5)
    world.ask("olive", HoldBack(group=gid, member=target, holds=True))
    world.restart("olive")
    for person in (wren, juniper, sorrel, tansy):
        person.on()
    world.run(60)
    assert raising.objectors(wren.room(gid), tansy.member(gid))


def test_a_damaged_objection_is_said_to_be_damage() -> None:
    world, gid, (*_, olive), tansy = newcomer()
    world.ask("olive", HoldBack(group=gid, member=tansy.member(gid), holds=True))
    ((key, _),) = olive.node.store.scan(Space.OBJECTIONS)
    olive.node.store.commit([Put(Space.OBJECTIONS, key, b"\x93\x00")], durable=True)
    with pytest.raises(StoreError):
        load_state(starting_records(olive.node.store))


def test_who_may_object_to_whom() -> None:
    world, gid, (_, juniper, _, _), tansy = newcomer()
    with pytest.raises(RefusedError):
        world.ask("tansy", HoldBack(group=gid, member=tansy.member(gid), holds=True))
    with pytest.raises(LocalError):
        world.ask("olive", HoldBack(group=gid, member=juniper.member(gid), holds=True))


def test_a_newcomer_s_word_and_words_on_nobody_count_for_nothing() -> None:
    world, gid, (wren, *_), tansy = newcomer()
    forger = Forger(tansy, gid)
    for target in (tansy.member(gid), wren.member(gid), bytes(31) + b"\1"):
        body = ObjectionBody(target=tansy.member(gid), holds=True)
        raw = encode(body).replace(tansy.member(gid), target)
        forger.hands(wren, forger.message(Kind.OBJECTION, raw))
    world.run(10)
    assert raising.objectors(wren.room(gid), tansy.member(gid)) == []
    assert set(wren.room(gid).objections) <= {tansy.member(gid)}
    pass_time(world, raising.NEWCOMER_MS + HOUR_MS)
    assert wren.group(gid).view.members[tansy.member(gid)].rank is Rank.MEMBER


def test_invites_that_ran_out_are_closed_and_their_holders_hear_that() -> None:
    world = World(4)
    gid, (wren, juniper, sorrel) = circle(world, "wren", "juniper", "sorrel")
    wren.rank(gid, juniper, Rank.MODERATOR)
    codes = [wren.invite(gid, hours=1) for _ in range(3)]
    standing = wren.invite(gid, hours=72)
    world.run(10)
    pass_time(world, 2 * HOUR_MS)
    assert all(wren.group(gid).invites[code.invite].open for code in codes), "clocks may be apart"
    pass_time(world, CLOCKS_MS)
    people = [wren, juniper, sorrel]
    assert not any(person.group(gid).invites[code.invite].open for person in people for code in codes)
    assert wren.group(gid).invites[standing.invite].open
    assert sum(op.type is OpType.UNINVITE for op in wren.group(gid).log.ops) == 3, "each once"
    (tansy,) = gather(world, "tansy")  # her clock is right where the others' were moved: hers is slow
    assert ended(tansy, codes[0], wren) == (JoinStage.EXPIRED, Door.EXPIRED)


def test_a_used_up_code_is_used_up_also_after_a_removal_closed_it() -> None:
    world = World(5)
    gid, (wren, juniper) = circle(world, "wren", "juniper")
    code, other = wren.invite(gid), wren.invite(gid)
    sorrel, tansy = gather(world, "sorrel", "tansy")
    sorrel.join(gid, code)
    world.run(5)
    wren.remove(gid, juniper.member(gid))
    world.run(5)
    assert ended(tansy, code, wren) == (JoinStage.REFUSED, Door.USED_UP)
    (yarrow,) = gather(world, "yarrow")
    assert ended(yarrow, other, wren) == (JoinStage.REFUSED, Door.REVOKED)
