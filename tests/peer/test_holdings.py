"""Holdings: which frames of an epoch are here, for comparing with a keeper."""

import pytest

from mesh.events import LinkKind
from mesh.gossip.frontier import Frontier
from mesh.ids import MsgId, OpId
from mesh.peer import holdings
from mesh.wire.frames import FrameType, seal_frame
from simulations.checks import blamed
from simulations.people import circle
from simulations.world import World
from tests.peer.liar import Liar
from tests.peer.test_keepers import level, with_keeper


def test_numbers_that_nobody_gave_to_a_message_cost_nothing() -> None:
    """A member may skip 65,536 numbers with each message: what is gone through is what is here."""
    world = World(5)
    gid, (wren, juniper) = circle(world, "wren", "juniper")
    world.run(10)
    room = wren.room(gid)
    epoch = room.group.epoch
    assert epoch is not None
    dev = juniper.device(gid)
    track = room.track(dev)
    before = [key for key in holdings._keys(room, epoch) if key[32:48] == dev]
    assert before
    for far in (10**12, 2 * 10**12):
        track.take(far, MsgId(bytes(32)), OpId(epoch), ())
    track.forget(10**12)
    assert track.have == Frontier(track.have.contiguous, ((10**12, 10**12), (2 * 10**12, 2 * 10**12)))
    after = [key for key in holdings._keys(room, epoch) if key[32:48] == dev]
    assert after == [*before, gid + dev + (2 * 10**12).to_bytes(8, "big")]


def test_frames_that_nobody_can_open_are_remembered_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever was in has the keys of that time, and can make as many as they like of what is no fault to hand on."""
    monkeypatch.setattr(holdings, "UNKEPT_MAX", 20)
    world, gid, _, (wren, tansy) = with_keeper("wren", "tansy")
    room = wren.room(gid)
    mallory = Liar(wren)
    for record in room.group.epochs.values():
        for number in range(100):
            mallory.say(LinkKind.FRAME, seal_frame(FrameType.OPERATION, record.pub_seed, number.to_bytes(200, "big")))
    assert mallory.faults == []
    noted = [held for holding in room.holdings.values() for held in holding.frames.values() if not held.key]
    assert len(noted) == 20
    assert len(room.unkept) == 20
    world.run(180)
    assert level(wren, gid), "what it forgot of the keeper's it is given again, and notes anew"
    post = wren.post(gid, "still here")
    world.run(5)
    assert wren.told(gid, post)[0] == "reached"
    assert level(tansy, gid)
    assert blamed(world) == []
