"""Holdings: which frames of an epoch are here, for comparing with a keeper."""

from mesh.gossip.frontier import Frontier
from mesh.ids import MsgId, OpId
from mesh.peer import holdings
from simulations.people import circle
from simulations.world import World


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
