"""Attacks by peers on a link: one who was removed and asks, and many who would all re-key at once."""

import pytest

from mesh.events import LinkKind
from mesh.ids import GroupId
from mesh.wire.frames import FrameType, parse_frame
from mesh.wire.operations import OpType
from mesh.wire.sessions import NotInBody, OpsBody, SessionBody, Span, StateBody, WantMessagesBody, WantOpsBody
from simulations.checks import agree
from simulations.people import Person, circle
from simulations.weather import Weather
from simulations.world import World
from tests.peer.forgery import Forger
from tests.peer.liar import Liar
from tests.peer.test_stranding import puts_to_sleep
from tests.peer.test_way_back import call_of


def questions(person: Person, gid: GroupId) -> list[SessionBody]:
    """Everything that a member may ask."""
    devices = sorted(person.group(gid).view.devices)
    return [
        WantOpsBody(heads=[]),
        WantMessagesBody(ticket=1, spans=[Span(dev=dev, first=1, last=50) for dev in devices]),
        StateBody(heads=[], frontier=[]),
    ]


def test_attack_42_re_key_storm() -> None:
    """One leaves, and all who stay know at the same moment that a new epoch is needed: one of them makes it.

    The founder then makes another, as part of the removal that follows a leave.
    """
    world = World(5, Weather(latency_ms=50, jitter_ms=20))
    gid, people = circle(world, "wren", "juniper", "sorrel", "tansy", "yarrow", "dill")
    world.run(20)
    before = len(people[0].group(gid).log)
    people[-1].leave(gid)
    world.run(60)
    made = [op.type for op in people[0].group(gid).log.ops[before:]]
    assert (made.count(OpType.LEAVE), made.count(OpType.REMOVE)) == (1, 1)
    assert made.count(OpType.REKEY) <= 1
    assert agree(gid, people[:-1]) == []


def test_attack_46_ex_member_opens_a_session_with_an_old_sync_key() -> None:
    """It proves an old key, and truly its own device: it is told nothing and handed nothing that was stored."""
    world = World(2)
    gid, (wren, juniper, _) = circle(world, "wren", "juniper", "sorrel")
    world.run(10)
    wren.post(gid, "before")
    world.run(5)
    group = juniper.group(gid)
    old = group.epoch
    assert old is not None
    wren.remove(gid, juniper.member(gid))
    world.run(5)
    liar = Liar(wren)
    liar.announce(list(group.topics))
    liar.prove(group, old)
    for question in questions(wren, gid):
        liar.tell(question)
    world.run(30)
    assert liar.said(group) == []
    assert liar.offered == []
    assert {frame[0] for frame in liar.frames} <= {FrameType.PREVIEW}  # which are for whoever has a code


@pytest.mark.parametrize("seed", range(1, 13))
def test_attack_48_stranded_device_comes_back_and_a_removed_one_does_not(seed: int) -> None:
    """Both call in the same words: one is sealed the next epoch, the other hears that it is out, and nothing else."""
    world = World(seed)
    gid, (wren, juniper, sorrel, tansy) = circle(world, "wren", "juniper", "sorrel", "tansy")
    world.run(10)
    stranded, removed = juniper.group(gid), sorrel.group(gid)
    old = wren.group(gid).epoch
    assert old is not None
    juniper.off()
    sorrel.off()
    wren.remove(gid, removed.own.member_pk)
    world.run(5)
    before = [op.op_id for op in wren.group(gid).log.ops]
    for k, group in enumerate((removed, stranded)):
        liar = Liar(wren, k)
        liar.prove(group, old)
        frame = call_of(group, old, group.own.kem_number + 1)
        liar.say(LinkKind.FRAME, frame)
        world.run(20)
        made = [op for op in wren.group(gid).log.ops if op.op_id not in before]
        denied = NotInBody(nonce=parse_frame(frame).middle[:24]) in liar.said(group)
        assert denied is (group is removed)
        assert len(made) in ((0,) if group is removed else (1, 2))  # two, where both come to their turn within one hop
    epoch = wren.group(gid).epoch
    assert epoch is not None
    assert wren.group(gid).recipients(epoch) == {p.own.dev for p in (wren.group(gid), tansy.group(gid), stranded)}


def test_attack_59_one_member_lists_everybody_as_dormant() -> None:
    """All but Bob sleep, says Mallory, and so Bob speaks where nobody hears him; those who are there say otherwise."""
    world = World(7)
    gid, (alice, bob, carol, mallory) = circle(world, "alice", "bob", "carol", "mallory")
    world.run(20)
    forger = Forger(mallory, gid)
    bundle = puts_to_sleep(forger, alice, carol)
    mallory.off()
    forger.person = carol
    forger.tells(bob, OpsBody(ops=[bundle]))
    forger.person = bob
    for person in (alice, carol):
        forger.tells(person, OpsBody(ops=[bundle]))
    epoch = bob.group(gid).epoch
    assert epoch is not None
    assert len(bob.group(gid).recipients(epoch)) == 2
    bob.post(gid, "is it only the two of us?")
    world.run(50)  # those who sleep, it says, do not re-key so soon
    bob.post(gid, "hello again")
    world.run(5)
    for person in (alice, carol):
        assert "hello again" in person.reads(gid)
    assert agree(gid, [alice, bob, carol]) == []
