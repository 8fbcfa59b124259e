"""What a second outside review found, once each: what one member's word, or silence, made others believe."""

from functools import partial

import pytest

from mesh.commands import Rank, Suite
from mesh.events import Effect, Input
from mesh.ids import GroupId, OpId
from mesh.peer import welcoming
from mesh.peer.state import Room
from mesh.wire import limits
from mesh.wire.invites import FrontierEntry
from mesh.wire.sessions import StateBody
from simulations.checks import blamed
from simulations.people import Person, circle, gather
from simulations.world import Node, World
from tests.peer.forgery import Forger
from tests.peer.test_returning import three as wren_juniper_sorrel
from tests.peer.test_review import three


def reads(person: Person, gid: GroupId, words: list[str]) -> bool:
    """Say whether this is what a person can read."""
    return person.reads(gid) == words


def test_a_start_and_an_operation_of_ones_own_show_nothing() -> None:
    world, _, gid, wren, juniper, _ = wren_juniper_sorrel(8)
    wren.rank(gid, juniper, Rank.MODERATOR)
    world.run(10)
    wren.remove(gid, juniper.member(gid))
    world.run(20)
    assert juniper.group(gid).own.cut_off
    code = wren.invite(gid)
    juniper.off()
    juniper.on()
    join = juniper.look(code)
    juniper.invite(gid)
    assert juniper.group(gid).own.cut_off
    assert juniper.knows(join)


def test_one_who_agrees_is_not_enough_where_another_tells_of_news() -> None:
    c = three(12)
    for other in ("bob", "mallory"):
        c.world.clog("alice", other)
    c.alice.remove(c.gid, c.mallory.member(c.gid))
    Forger(c.alice, c.gid).tells(c.bob, StateBody(heads=c.alice.group(c.gid).log.heads, frontier=[]))
    post = c.bob.post(c.gid, "Mallory must not read this.")
    c.world.run(5)
    assert c.bob.told(c.gid, post) == ("queued", 0, 0)
    c.world.heal()
    assert c.bob.until(lambda: c.bob.told(c.gid, post) == ("reached", 1, 1), 30)
    assert c.mallory.reads(c.gid) == []


def test_telling_of_what_does_not_exist_holds_back_once() -> None:
    c = three(13)
    c.world.clog("mallory", "bob")  # her node would answer honestly
    known = c.bob.group(c.gid).log.heads
    for k in range(1, 4):
        c.forger.tells(c.bob, StateBody(heads=[OpId(bytes([k]) * 32)], frontier=[]))
        c.bob.post(c.gid, f"{k}")
        words = [str(n) for n in range(1, k + 1)]
        assert c.alice.until(partial(reads, c.alice, c.gid, words), 35 if k == 1 else 1)
        c.forger.tells(c.bob, StateBody(heads=known, frontier=[]))


def lied_to(monkeypatch: pytest.MonkeyPatch, seed: int) -> tuple[World, GroupId, Person, Person, Person]:
    """Give Alice, Mallory, and Joe, whom Mallory let in saying that nothing anybody will ever say is for him."""
    world = World(seed)
    gid, (alice, mallory) = circle(world, "alice", "mallory", suite=Suite.CLASSIC)
    alice.post(gid, "before Joe's time")
    code = alice.invite(gid)
    world.run(5)
    alice.off()
    honest = welcoming._before

    def lie(room: Room, dev: bytes) -> list[FrontierEntry]:
        devices = sorted(room.group.view.devices)
        assert len(honest(room, dev)) <= len(devices)
        return [FrontierEntry(dev=other, contiguous=limits.MSEQ_MAX, beyond=[]) for other in devices]

    [joe] = gather(world, "joe")
    with monkeypatch.context() as patch:
        patch.setattr(welcoming, "_before", lie)
        joe.join(gid, code, mallory)
    alice.on()
    world.run(20)
    return world, gid, alice, mallory, joe


def test_a_welcome_talks_nobody_out_of_asking_nor_into_confirming(monkeypatch: pytest.MonkeyPatch) -> None:
    world, gid, alice, mallory, joe = lied_to(monkeypatch, 11)
    words = [f"while Joe slept {k}" for k in range(3)]
    joe.off()
    lost = [alice.post(gid, text) for text in words]
    world.run(20)
    mallory.off()
    early: list[str] = []

    def watch(node: Node, event: Input, effects: list[Effect]) -> None:
        read = joe.reads(gid)
        confirmed = [joe.member(gid) in alice.delivery(gid, post).reached for post in lost] if joe.node.up else []
        early.extend(text for text, done in zip(words, confirmed, strict=False) if done and text not in read)

    world.watchers.append(watch)
    joe.on()
    alice.post(gid, "live")
    assert joe.until(lambda: joe.reads(gid) == [*words, "live"], 60)
    world.run(10)
    assert all(joe.member(gid) in alice.delivery(gid, post).reached for post in lost)
    assert early == []


def test_who_joins_after_much_was_said_is_not_held_up_by_it() -> None:
    """Their own node asks for what was before their time, is told that it is not for them, and asks no further."""
    world = World(14)
    gid, (alice, bob) = circle(world, "alice", "bob", suite=Suite.CLASSIC)
    for k in range(1200):
        alice.post(gid, f"{k}")
        if k % 100 == 0:
            world.run(1)
    world.run(30)
    [joe] = gather(world, "joe")
    joe.join(gid, alice.invite(gid), bob)
    post = alice.post(gid, "Welcome, Joe.")
    assert alice.until(lambda: alice.told(gid, post) == ("reached", 2, 2), 10)
    world.run(30)
    room = joe.room(gid)
    assert joe.node.peer is not None
    sessions = [session for _, session in joe.node.peer.state.present(room)]
    for session in sessions:
        assert session.refused == 0
        for dev, theirs in session.frontier.items():
            assert room.tracks[dev].sure.missing_from(theirs) == []
    assert blamed(world) == []
