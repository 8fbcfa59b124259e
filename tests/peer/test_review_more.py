"""What a second outside review found, once each: what one member's word, or silence, made others believe."""

from functools import partial

import pytest

from mesh.commands import Rank, Rekey, Suite
from mesh.events import Effect, FrameReceived, Input, LinkKind, Send
from mesh.ids import GroupId, JoinId, OpId
from mesh.peer import admitting, welcoming
from mesh.peer.records import JoinStage
from mesh.peer.state import Room, State, Step
from mesh.wire import limits
from mesh.wire.frames import EnvelopeParts, FrameType, join_envelope, parse_frame, seal_frame
from mesh.wire.invites import Door, FrontierEntry
from mesh.wire.sessions import StateBody
from simulations.checks import agree, blamed
from simulations.people import Person, circle, gather
from simulations.world import Node, World
from tests.peer.forgery import Forger
from tests.peer.test_returning import three as wren_juniper_sorrel
from tests.peer.test_review import Circle, three


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
    honest = welcoming.frontier_before

    def lie(room: Room, dev: bytes) -> list[FrontierEntry]:
        devices = sorted(room.group.view.devices)
        assert len(honest(room, dev)) <= len(devices)
        return [FrontierEntry(dev=other, contiguous=limits.MSEQ_MAX, beyond=[]) for other in devices]

    [joe] = gather(world, "joe")
    with monkeypatch.context() as patch:
        patch.setattr(welcoming, "frontier_before", lie)
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


# ---------------------------------------------------------------- who seems to be out


def not_an_epoch(forger: Forger) -> bytes:
    """Seal what looks like a new epoch for others, as anybody with the group's keys can."""
    assert forger.group.epoch is not None
    epoch = forger.group.epochs[forger.group.epoch]
    parts = EnvelopeParts(nonce=bytes(32), wraps=(b"\x07" * 84,), sealed_op=b"\x09" * 64)
    return seal_frame(FrameType.ENVELOPE, epoch.pub_seed, join_envelope(parts))


def deafen(monkeypatch: pytest.MonkeyPatch, person: Person) -> None:
    """Let nothing through to somebody that members say to each other, but what goes to one who knocks."""
    world = person.world
    give = world._give

    def some(node: Node, event: Input) -> None:
        if isinstance(event, FrameReceived) and node is person.node:
            said = event.kind == LinkKind.FRAME and event.payload[0] in (FrameType.ENVELOPE, FrameType.OPERATION)
            if said or event.kind == LinkKind.SEALED:
                return
        give(node, event)

    monkeypatch.setattr(world, "_give", some)


def unheard(monkeypatch: pytest.MonkeyPatch, seed: int, *, approvals: int) -> tuple[Circle, JoinId]:
    """Alice's node hears nothing from Mallory's, the only one it meets; by Bob's code she is about to come in again."""
    c = three(seed)
    c.alice.rank(c.gid, c.bob, Rank.STEWARD)
    c.world.run(10)
    c.world.cut("alice", "bob")
    deafen(monkeypatch, c.alice)
    c.world.flap("alice", "mallory")
    assert c.alice.until(lambda: c.alice.room(c.gid).seems_out, 90)
    code = c.bob.invite(c.gid, approvals=approvals)  # of which hers knows nothing
    c.world.run(5)
    turn = admitting.admit_in_turn

    def only_bob(state: State, room: Room, statement: bytes, step: Step) -> None:
        if room.group.own.dev == c.bob.group(c.gid).own.dev:
            turn(state, room, statement, step)

    monkeypatch.setattr(admitting, "admit_in_turn", only_bob)
    join = c.alice.look(code, c.mallory)
    assert c.alice.until(lambda: c.alice.stage(join) is JoinStage.PREVIEW)
    return c, join


def test_one_frame_of_nobody_makes_nobody_seem_out() -> None:
    c = three(21)
    c.world.cut("bob", "mallory")
    seem_out: list[str] = []

    def watch(node: Node, event: Input, effects: list[Effect]) -> None:
        seem_out.extend(person.name for person in (c.alice, c.bob) if person.room(c.gid).seems_out)

    c.world.watchers.append(watch)
    for victim in (c.alice, c.bob):
        frame = not_an_epoch(c.forger)
        if victim is c.bob:
            c.world.heal()
            c.world.join_up("bob", "mallory")
            c.world.run(3)
        c.forger.hands(victim, frame)
        c.world.run(60)
        assert c.bob.node.peer is not None
        assert (parse_frame(frame).id in c.bob.node.peer.state.seen) == (victim is c.bob), "it went no further"
    c.world.run(1200)
    assert seem_out == []
    assert c.alice.room(c.gid).doubt is None


def test_one_who_was_removed_sees_it_also_where_another_hears_of_it_late() -> None:
    world, _, gid, wren, juniper, sorrel = wren_juniper_sorrel(22)
    world.cut("wren", "sorrel")
    wren.remove(gid, juniper.member(gid))
    world.run(30)
    assert not juniper.room(gid).seems_out, "sorrel says that she is in"
    world.heal()
    world.join_up("wren", "sorrel")
    assert juniper.until(lambda: juniper.room(gid).seems_out, 90)
    juniper.join(gid, wren.invite(gid))
    assert world.run_until(lambda: agree(gid, [wren, juniper]) == [], 1), agree(gid, [wren, juniper])
    world.run(10)
    assert agree(gid, [wren, juniper, sorrel]) == []


def test_a_founder_who_seems_out_does_not_come_in_as_less(monkeypatch: pytest.MonkeyPatch) -> None:
    c, join = unheard(monkeypatch, 23, approvals=0)
    before = c.alice.member(c.gid)
    c.alice.knock(join, c.gid)
    assert c.alice.until(lambda: c.alice.stage(join) is not JoinStage.KNOCKING, 60)
    record = c.alice.join_record(join)
    assert (record.stage, record.door, record.keys) == (JoinStage.REFUSED, Door.OPEN, None)
    assert (c.alice.member(c.gid), c.alice.group(c.gid).rank) == (before, Rank.FOUNDER)
    monkeypatch.undo()
    c.world.heal()
    c.world.flap("alice", "mallory")
    c.world.join_up("alice", "bob")
    c.world.run(60)
    assert not c.alice.room(c.gid).seems_out
    assert agree(c.gid, [c.alice, c.bob]) == []
    assert c.bob.members(c.gid).count("alice") == 2, "docs/threat-model.md says so, and what to do"
    assert blamed(c.world) == []


def test_one_who_is_heard_again_looks_no_further(monkeypatch: pytest.MonkeyPatch) -> None:
    c, join = unheard(monkeypatch, 24, approvals=0)
    monkeypatch.undo()
    c.world.flap("alice", "mallory")
    assert c.alice.until(lambda: not c.alice.room(c.gid).seems_out, 60)
    assert not c.alice.knows(join)


def test_one_who_is_heard_again_knocks_no_more_and_stays_who_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    c, join = unheard(monkeypatch, 25, approvals=1)
    before = c.alice.member(c.gid)
    c.alice.knock(join, c.gid)
    assert c.bob.until(lambda: bool(c.bob.waiting(c.gid)))
    monkeypatch.undo()
    c.world.heal()
    c.world.flap("alice", "mallory")
    assert c.alice.until(lambda: not c.alice.room(c.gid).seems_out, 60)
    knocks: list[bytes] = []

    def watch(node: Node, event: Input, effects: list[Effect]) -> None:
        sent = [effect.payload for effect in effects if isinstance(effect, Send) and node is c.alice.node]
        knocks.extend(payload for payload in sent if payload[0] == FrameType.KNOCK and len(payload) > 4000)

    c.world.watchers.append(watch)
    c.world.join_up("alice", "bob")
    c.world.run(300)
    assert (c.alice.stage(join), knocks) == (JoinStage.KNOCKING, [])
    [knock] = c.bob.waiting(c.gid)
    c.bob.decide(c.gid, knock, admit=True)
    assert c.alice.until(lambda: c.alice.stage(join) is JoinStage.REFUSED, 20)
    assert (c.alice.member(c.gid), c.alice.group(c.gid).rank) == (before, Rank.FOUNDER)


def test_two_who_were_removed_together_do_not_keep_each_other_in_the_dark() -> None:
    world = World(21)
    gid, (wren, juniper, sorrel, tansy) = circle(world, "wren", "juniper", "sorrel", "tansy", suite=Suite.CLASSIC)
    world.run(30)
    world.partition(("wren", "juniper"), ("sorrel", "tansy"))
    world.run(1)
    for gone in (sorrel, tansy):
        wren.remove(gid, gone.member(gid))
    world.run(5)
    world.heal()
    world.run(20)
    world.ask("wren", Rekey(group=gid))
    world.run(20)
    assert sorrel.room(gid).seems_out
    assert tansy.room(gid).seems_out
    assert not wren.room(gid).seems_out
    assert not juniper.room(gid).seems_out
