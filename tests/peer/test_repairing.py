"""Repairing: what one gives so that it does not open, another is asked for; nobody's word makes it not missing."""

from mesh.errors import Fault
from mesh.events import LinkKind, Space
from mesh.ids import DeviceId, GroupId
from mesh.node.local.methods.messages import gaps_json
from mesh.peer.speaking import ASK_TIMEOUT_MS
from mesh.wire.invites import FrontierEntry
from mesh.wire.sessions import AnsweredBody, StateBody, WantMessagesBody
from simulations.people import Person, circle
from simulations.world import World
from tests.peer.liar import Liar


def gap(person: Person, gid: GroupId) -> tuple[object, object, object] | None:
    """Return (missing, asking, why) of the one gap that is shown, or None."""
    assert person.node.peer is not None
    told = gaps_json(person.node.peer.state, person.room(gid))
    assert len(told) <= 1
    shown = told[0] if told else None
    return (shown["missing"], shown["asking"], shown["why"]) if isinstance(shown, dict) else None


def test_a_copy_that_does_not_open_is_shown_as_missing_and_comes_from_another() -> None:
    world = World(21)
    gid, (wren, juniper, sorrel) = circle(world, "wren", "juniper", "sorrel")
    world.run(10)
    sorrel.off()
    post = wren.post(gid, "which copy is it?")
    world.run(5)
    number = wren.delivery(gid, post).mseq
    frame = wren.node.store.get(Space.FRAMES, gid + wren.device(gid) + number.to_bytes(8, "big"))
    assert frame is not None
    group = juniper.group(gid)
    wren.off()
    juniper.off()
    sorrel.on()
    liar = Liar(sorrel)
    assert group.epoch is not None
    liar.prove(group, group.epoch)
    entry = FrontierEntry(dev=wren_device(sorrel, gid), contiguous=number, beyond=[])
    liar.tell(StateBody(heads=sorted(group.log.heads), frontier=[entry]))
    asked = [body for body in liar.said(group) if isinstance(body, WantMessagesBody)]
    assert asked, "it is asked for at once"
    assert gap(sorrel, gid) == (1, 1, None)
    liar.say(LinkKind.FRAME, frame[:80] + bytes([frame[80] ^ 1]) + frame[81:])
    assert liar.faults == [Fault.BAD_SIGNATURE]
    liar.tell(AnsweredBody(ticket=asked[-1].ticket, closed=[]))
    why = "those who were asked did not give them so that they open; others are asked when they come"
    assert gap(sorrel, gid) == (1, 1, why)
    assert sorrel.reads(gid) == []
    juniper.on()
    assert sorrel.until(lambda: sorrel.reads(gid) == ["which copy is it?"], 3 * ASK_TIMEOUT_MS / 1000)
    assert gap(sorrel, gid) is None


def wren_device(person: Person, gid: GroupId) -> DeviceId:
    """Return wren's device, as another's node knows it: wren's own is off."""
    founder = next(member for member in person.group(gid).view.members.values() if member.alias == "wren")
    return next(iter(founder.devices))


def test_with_nobody_there_it_says_that() -> None:
    world = World(22)
    gid, (wren, juniper, sorrel) = circle(world, "wren", "juniper", "sorrel")
    world.run(10)
    del juniper
    track = sorrel.room(gid).track(wren.device(gid))
    track.top += 3
    world.partition(("wren", "juniper"), ("sorrel",))
    world.run(1)
    assert gap(sorrel, gid) == (3, 0, "no member's node is reachable")
