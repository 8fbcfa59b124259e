"""A group in two parts shows: who names changes that do not come is named, and what comes late is no sign of it."""

from mesh.commands import Rekey
from mesh.events import LinkKind
from mesh.ids import GroupId, OpId
from mesh.peer.lacking import OVERDUE_MS
from mesh.wire.codec import encode
from mesh.wire.messages import BeaconBody, Kind
from mesh.wire.sessions import StateBody
from simulations.people import Person, circle
from simulations.world import World
from tests.node.local.test_methods import WorldDesk
from tests.node.local.test_proofs import problems
from tests.peer.forgery import Forger
from tests.peer.liar import Liar

LATE_S = OVERDUE_MS / 1000 + 5
SIGN = "names changes of “Tuesday grief” that have not come here yet"


def three() -> tuple[World, GroupId, list[Person], WorldDesk]:
    world = World(9)
    gid, people = circle(world, "wren", "juniper", "mallory")
    world.run(20)
    return world, gid, people, WorldDesk(world, "wren")


def test_whoever_names_what_nobody_gives_is_named_after_a_while() -> None:
    world, gid, (wren, _, mallory), desk = three()
    world.clog("mallory", "wren")  # her node would answer honestly
    Forger(mallory, gid).tells(wren, StateBody(heads=[OpId(b"\x01" * 32)], frontier=[]))
    world.run(30)
    assert SIGN not in problems(desk)
    for _ in range(4):
        world.run(LATE_S / 4)
        Forger(mallory, gid).tells(wren, StateBody(heads=[OpId(b"\x01" * 32)], frontier=[]))
    assert f"mallory's node {SIGN}" in problems(desk)
    assert "juniper's node" not in problems(desk)


def test_an_honest_state_later_takes_the_sign_back() -> None:
    world, gid, (wren, _, mallory), desk = three()
    world.clog("mallory", "wren")  # her node would answer honestly
    forger = Forger(mallory, gid)
    forger.tells(wren, StateBody(heads=[OpId(b"\x01" * 32)], frontier=[]))
    world.run(5)
    forger.tells(wren, StateBody(heads=wren.group(gid).log.heads, frontier=[]))
    world.run(LATE_S)
    assert SIGN not in problems(desk)


def test_another_lie_each_time_does_not_put_it_off() -> None:
    world, gid, (wren, _, mallory), desk = three()
    world.clog("mallory", "wren")  # her node would answer honestly
    forger = Forger(mallory, gid)
    for k in range(1, 30):
        forger.tells(wren, StateBody(heads=[OpId(bytes([k]) * 32)], frontier=[]))
        world.run(LATE_S / 25)
    assert f"mallory's node {SIGN}" in problems(desk)


def test_a_beacon_that_builds_on_what_is_kept_back_names_its_author() -> None:
    """Juniper re-keyed out of wren's sight; somebody hands wren juniper's word and not the change."""
    world, gid, (wren, juniper, _), desk = three()
    epoch = wren.group(gid).epoch
    world.partition(("wren",), ("juniper", "mallory"))
    world.ask("juniper", Rekey(group=gid))
    frame = Forger(juniper, gid).message(Kind.BEACON, encode(BeaconBody()), epoch=epoch)
    Liar(wren).say(LinkKind.FRAME, frame)
    world.run(LATE_S)
    assert f"juniper's node {SIGN}" in problems(desk)
    world.heal()
    world.run(60)
    assert SIGN not in problems(desk)
