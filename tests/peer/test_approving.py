"""Several people say yes, at different times; whoever is there then opens."""

import pytest

from mesh.commands import Rank
from mesh.crypto.keys import sign
from mesh.groups.joining import APPROVAL_LABEL, approval_statement
from mesh.ids import GroupId
from mesh.peer.records import JoinStage
from mesh.wire.codec import encode
from mesh.wire.messages import ApprovalBody, Kind
from mesh.wire.operations import AdmitBody
from simulations.checks import Watch, agree, blamed
from simulations.people import Code, Person, circle, gather
from simulations.world import World
from tests.peer.forgery import Forger


def gate(seed: int = 3, *, approvals: int = 2) -> tuple[World, GroupId, list[Person], Person, Code]:
    """A founder, two moderators and a plain member; a code that asks for several; and one who will knock."""
    world = World(seed)
    Watch.over(world)
    gid, people = circle(world, "wren", "juniper", "sorrel", "olive")
    wren, juniper, sorrel, olive = people
    for moderator in (juniper, sorrel):
        wren.rank(gid, moderator, Rank.MODERATOR)
    if wren.group(gid).view.members[olive.member(gid)].rank is Rank.NEWCOMER:
        wren.rank(gid, olive, Rank.MEMBER)
    world.run(10)
    code = wren.invite(gid, approvals=approvals)
    world.run(10)
    (tansy,) = gather(world, "tansy")
    return world, gid, people, tansy, code


def knocks(world: World, gid: GroupId, joiner: Person, code: Code, via: Person) -> bytes:
    """Have somebody knock, and return the knock as all others know it."""
    join = joiner.look(code, via)
    assert joiner.until(lambda: joiner.stage(join) is JoinStage.PREVIEW)
    joiner.knock(join, gid)
    assert via.until(lambda: bool(via.waiting(gid)))
    world.run(10)
    return next(iter(via.waiting(gid)))


def is_in(joiner: Person, gid: GroupId) -> bool:
    """Say whether somebody is in, as their own node has it."""
    peer = joiner.node.peer
    return peer is not None and gid in peer.state.rooms and joiner.group(gid).me is not None


def admit_of(person: Person, gid: GroupId) -> AdmitBody:
    """The operation that let the last one in."""
    body = [op.body for op in person.group(gid).log.ops if isinstance(op.body, AdmitBody)][-1]
    assert isinstance(body, AdmitBody)
    return body


def test_one_yes_of_two_opens_nothing_and_the_second_does() -> None:
    world, gid, (wren, juniper, sorrel, olive), tansy, code = gate()
    knock = knocks(world, gid, tansy, code, wren)
    juniper.decide(gid, knock, admit=True)
    juniper.decide(gid, knock, admit=True)  # saying it twice makes it no more
    world.run(60)
    assert not is_in(tansy, gid)
    assert all(len(p.room(gid).knocks[knock].approvals) == 1 for p in (wren, juniper, sorrel, olive))
    sorrel.decide(gid, knock, admit=True)
    world.run(60)
    assert is_in(tansy, gid)
    assert len(admit_of(wren, gid).approvals) == 2
    assert agree(gid, [wren, juniper, sorrel, olive, tansy]) == []
    assert blamed(world) == []


def test_those_who_say_yes_need_never_be_there_together_nor_when_the_door_opens() -> None:
    """Any member can finish later: the signatures are in the admit."""
    world, gid, (wren, juniper, sorrel, _), tansy, code = gate()
    wren.off()
    sorrel.off()
    knock = knocks(world, gid, tansy, code, juniper)
    juniper.decide(gid, knock, admit=True)
    world.run(20)
    tansy.off()
    juniper.off()
    sorrel.on()
    world.run(30)
    tansy.on()
    world.join_up("tansy", "sorrel")
    world.run(60)
    assert not is_in(tansy, gid)
    sorrel.decide(gid, knock, admit=True)
    world.run(60)
    assert is_in(tansy, gid)


def test_a_plain_member_opens_with_the_yes_of_two_who_are_gone() -> None:
    world, gid, (wren, juniper, sorrel, olive), tansy, code = gate()
    knock = knocks(world, gid, tansy, code, olive)
    tansy.off()
    juniper.decide(gid, knock, admit=True)
    world.run(10)
    wren.off()
    juniper.off()
    group = sorrel.group(gid)
    assert group.me is not None
    said = APPROVAL_LABEL + approval_statement(gid, code.invite, knock)
    body = ApprovalBody(invite=code.invite, statement=knock, grant=group.me.grant, sig=sign(group.own.dev_seed, said))
    forger = Forger(sorrel, gid)  # her own yes, and her node gets no further
    forger.hands(olive, forger.message(Kind.APPROVAL, encode(body)))
    sorrel.off()
    world.run(10)
    tansy.on()
    world.join_up("tansy", "olive")
    world.run(60)
    assert is_in(tansy, gid)
    assert admit_of(olive, gid).rank is Rank.NEWCOMER


def test_the_yes_of_one_who_lost_their_rank_counts_no_more() -> None:
    world, gid, (wren, juniper, sorrel, olive), tansy, code = gate()
    knock = knocks(world, gid, tansy, code, wren)
    juniper.decide(gid, knock, admit=True)
    world.run(10)
    wren.rank(gid, juniper, Rank.MEMBER)
    world.run(10)
    sorrel.decide(gid, knock, admit=True)
    world.run(60)
    assert not is_in(tansy, gid)
    wren.decide(gid, knock, admit=True)
    world.run(60)
    assert is_in(tansy, gid)
    assert agree(gid, [wren, juniper, sorrel, olive, tansy]) == []


def test_nobody_says_yes_for_another() -> None:
    world, gid, (wren, juniper, sorrel, olive), tansy, code = gate()
    knock = knocks(world, gid, tansy, code, wren)
    juniper.decide(gid, knock, admit=True)
    world.run(10)
    forger = Forger(olive, gid)
    grant = sorrel.group(gid).me
    assert grant is not None
    real = juniper.room(gid).knocks[knock].approvals[0]
    for body in (
        ApprovalBody(invite=code.invite, statement=knock, grant=grant.grant, sig=bytes(64)),
        ApprovalBody(invite=code.invite, statement=knock, grant=real.grant, sig=real.sig),
    ):
        forger.hands(wren, forger.message(Kind.APPROVAL, encode(body)))
    world.run(60)
    assert len(wren.room(gid).knocks[knock].approvals) == 1
    assert not is_in(tansy, gid)


def test_a_yes_survives_restarts_on_both_sides() -> None:
    world, gid, (wren, juniper, sorrel, _), tansy, code = gate()
    knock = knocks(world, gid, tansy, code, wren)
    juniper.decide(gid, knock, admit=True)
    world.run(10)
    for name in ("wren", "juniper", "sorrel", "olive", "tansy"):
        world.restart(name)
    world.run(30)
    assert not is_in(tansy, gid)
    sorrel.decide(gid, knock, admit=True)
    world.run(60)
    assert is_in(tansy, gid)


def test_a_yes_said_alone_is_told_when_somebody_comes() -> None:
    world, gid, (wren, juniper, sorrel, olive), tansy, code = gate()
    knock = knocks(world, gid, tansy, code, juniper)
    for person in (wren, sorrel, olive):
        person.off()
    world.run(5)
    juniper.decide(gid, knock, admit=True)
    world.run(10)
    world.restart("juniper")
    sorrel.on()
    world.run(60)
    assert len(sorrel.room(gid).knocks[knock].approvals) == 1


@pytest.mark.parametrize("approvals", [1, 2])
def test_declining_ends_it_whoever_said_yes(approvals: int) -> None:
    world, gid, (wren, juniper, sorrel, _), tansy, code = gate(approvals=approvals)
    knock = knocks(world, gid, tansy, code, wren)
    if approvals > 1:
        juniper.decide(gid, knock, admit=True)
        world.run(10)
    sorrel.decide(gid, knock, admit=False)
    world.run(30)
    assert not is_in(tansy, gid)
    assert knock not in sorrel.room(gid).knocks
