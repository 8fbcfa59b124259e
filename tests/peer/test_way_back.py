"""The way back: a device that was away for months, or lost what it knew, is let in again by those who are there."""

import copy

import pytest

from mesh.commands import Rank, Rekey
from mesh.crypto.keys import NONCE_BYTES, encrypt, public_key, sign
from mesh.errors import Fault
from mesh.events import FrameReceived, Input, LinkKind, Space
from mesh.groups.dormancy import missing_epoch
from mesh.groups.group import Group
from mesh.groups.returns import RETURN_LABEL, _key, _statement, seal_return
from mesh.ids import GroupId, OpId
from mesh.node.local.methods.shown import state_of
from mesh.peer import doubting, syncing
from mesh.peer.doubting import ANSWER_MS, QUIET_MS
from mesh.peer.links import Link
from mesh.peer.state import Room, Step
from mesh.peer.stranding import CALLS_MAX
from mesh.peer.way_back import CALLS_OF_A_LINK
from mesh.wire import limits
from mesh.wire.codec import encode
from mesh.wire.frames import FrameType, parse_frame, seal_frame
from mesh.wire.operations import ZERO32, OpType
from mesh.wire.padding import pad
from mesh.wire.returns import ReturnBody, SignedReturn
from mesh.wire.sessions import KeyupsBody, NotInBody, OpsBody, StateBody, WantOpsBody
from simulations.chance import SeededEntropy, SeededSealer
from simulations.checks import Watch, agree, blamed
from simulations.people import Person, circle
from simulations.world import Node, World
from tests.peer.liar import Liar

DAY_MS = 86_400_000


def four(seed: int = 11) -> tuple[World, GroupId, list[Person]]:
    """Give wren, juniper, sorrel and tansy, in one group and at rest."""
    world = World(seed)
    gid, people = circle(world, "wren", "juniper", "sorrel", "tansy")
    world.run(30)
    return world, gid, people


def pass_days(world: World, gid: GroupId, there: list[Person], days: int) -> None:
    """Let so many days pass on all clocks; those who are there talk each week."""
    for week in range(days // 7):
        for node in world.nodes.values():
            node.skew_ms += 7 * DAY_MS
        for person in there:
            person.post(gid, f"{person.name} in week {week}")
        world.run(60)


def rekeys(person: Person, gid: GroupId) -> int:
    """How often the group was re-keyed."""
    return sum(op.type is OpType.REKEY for op in person.group(gid).log.ops)


def calls(world: World) -> list[tuple[str, bytes]]:
    """Collect every call that is heard from now on: who heard it, and the frame."""
    found: list[tuple[str, bytes]] = []

    def watch(node: Node, event: Input, _: object) -> None:
        if isinstance(event, FrameReceived) and event.kind == LinkKind.FRAME and event.payload[0] == FrameType.RETURN:
            found.append((node.name, event.payload))

    world.watchers.append(watch)
    return found


# ------------------------------------------------------------------------------------- coming back


def test_one_who_was_away_for_a_hundred_days_comes_back_by_itself() -> None:
    world, gid, people = four()
    wren, juniper, sorrel, tansy = people
    sorrel.off()
    here = [wren, juniper, tansy]
    pass_days(world, gid, here, 105)
    epoch = wren.group(gid).epoch
    assert epoch is not None
    (dev,) = wren.group(gid).view.members[wren.key_of(gid, "sorrel")].devices
    assert dev not in wren.group(gid).recipients(epoch), "it sleeps"
    heard = calls(world)
    sorrel.on()
    post = sorrel.post(gid, "I am back")
    assert sorrel.until(lambda: missing_epoch(sorrel.group(gid)) is not None, 30)
    assert state_of(sorrel.room(gid)) == "keyless"
    assert sorrel.until(lambda: missing_epoch(sorrel.group(gid)) is None and sorrel.group(gid).epoch_is_complete, 90)
    assert heard
    assert state_of(sorrel.room(gid)) == "member"
    juniper.post(gid, "welcome back")
    world.run(60)
    assert "welcome back" in sorrel.reads(gid)
    assert all("I am back" in person.reads(gid) for person in here)
    assert sorrel.told(gid, post)[0] == "reached"
    assert agree(gid, people) == []
    assert blamed(world) == []
    assert {f"{person.name} in week {week}" for person in here for week in range(15)} <= set(sorrel.reads(gid))


def test_an_old_copy_of_a_home_comes_back_and_repeats_nothing() -> None:
    """Its epochs, KEM keys and numbers are those of months ago; the key that others seal to is lost."""
    world, gid, people = four()
    wren, juniper, sorrel, tansy = people
    watch = Watch.over(world)
    sorrel.off()
    backup = copy.deepcopy(sorrel.node.store)
    sorrel.on()
    world.run(20)
    pass_days(world, gid, people, 84)
    said = sorrel.group(gid).own.mseq
    sorrel.off()
    sorrel.node.store = backup
    watch._deliveries.clear()
    watch._chains.clear()
    sorrel.on()
    assert sorrel.group(gid).own.mseq < said
    assert sorrel.until(lambda: missing_epoch(sorrel.group(gid)) is not None, 30)
    assert sorrel.until(lambda: missing_epoch(sorrel.group(gid)) is None, 120)
    sorrel.post(gid, "restored")
    world.run(60)
    assert sorrel.group(gid).own.mseq > said
    for person in (wren, juniper, tansy):
        assert person.reads(gid)[-1] == "restored"
    assert not any(person.room(gid).proofs for person in people), "nobody seems to have signed twice"
    wren.post(gid, "we hear you")
    world.run(30)
    assert sorrel.reads(gid)[-1] == "we hear you"
    assert agree(gid, people) == []
    assert blamed(world) == []


def test_one_who_was_removed_long_ago_is_told_so_and_nothing_else() -> None:
    world, gid, people = four()
    wren, juniper, sorrel, tansy = people
    sorrel.off()
    wren.remove(gid, wren.key_of(gid, "sorrel"))
    here = [wren, juniper, tansy]
    pass_days(world, gid, here, 105)
    log = len(sorrel.node.store.scan(Space.OPS, gid))
    sorrel.on()
    sorrel.post(gid, "hello?")
    assert sorrel.until(lambda: state_of(sorrel.room(gid)) == "told-out", 120)
    world.run(300)
    assert len(sorrel.node.store.scan(Space.OPS, gid)) == log
    assert sorrel.members(gid) == ["juniper", "sorrel", "tansy", "wren"]
    assert not any("week" in text for text in sorrel.reads(gid))
    assert not any("hello?" in person.reads(gid) for person in here)
    assert rekeys(wren, gid) == rekeys(juniper, gid)
    assert blamed(world) == []


def test_one_member_talks_nobody_out_of_a_group() -> None:
    world, gid, (wren, juniper, sorrel, tansy) = four()
    wren.room(gid).called[b"n" * 24] = None
    for person in (juniper, sorrel):
        liar = Liar(wren, 1 + len(wren.node.blames) + (person is sorrel))
        group = person.group(gid)
        assert group.epoch is not None
        liar.prove(group, group.epoch)
        liar.tell(NotInBody(nonce=b"x" * 24))  # to nothing that was asked
        assert wren.node.peer is not None
        assert not any(session.denied for _, session in wren.node.peer.state.sessions(gid))
        liar.tell(NotInBody(nonce=b"n" * 24))
        assert state_of(wren.room(gid)) == "member"
        liar.hang_up()
    assert tansy.group(gid).me is not None
    world.run(30)
    assert state_of(wren.room(gid)) == "member"


# ------------------------------------------------------------------------------------- hostile calls


def call_of(group: Group, epoch: OpId, number: int, *, has: bytes = ZERO32, label: str = "caller") -> bytes:
    """Make a call as a device would, with a KEM key of this number; `has`: the epoch that it has the key of."""
    entropy = SeededEntropy(1, f"{label}/{number}")
    _, public = SeededSealer(entropy).generate(group.suite)
    body = ReturnBody(
        dev=group.own.dev,
        kem_number=number,
        kem_pk=public,
        addresses=[],
        heads=group.log.heads,
        epoch=OpId(has),
    )
    return seal_return(group, epoch, body, entropy.draw(NONCE_BYTES))


def by_hand(group: Group, epoch: OpId, body: ReturnBody, seed: bytes, plain: bytes | None = None) -> bytes:
    """Make a call, signed with any key, or around any bytes."""
    record = group.epochs[epoch]
    pk, nonce, tbs = public_key(record.pub_seed), b"c" * 24, encode(body)
    signed = SignedReturn(tbs=tbs, sig=sign(seed, RETURN_LABEL + _statement(group, pk, nonce, tbs)))
    padded = pad(encode(signed), limits.RETURN_PADDED_BYTES) if plain is None else plain
    return seal_frame(
        FrameType.RETURN, record.pub_seed, nonce + encrypt(_key(record.sync_key), nonce, b"\5" + pk, padded)
    )


def test_a_call_is_of_one_length_and_bound_to_its_device_its_epoch_and_itself() -> None:
    world, gid, (wren, juniper, sorrel, _) = four()
    group = juniper.group(gid)
    epoch = group.epoch
    assert epoch is not None
    older = next(op_id for op_id in group.epochs if op_id != epoch)
    true = call_of(group, epoch, group.own.kem_number + 1)
    assert len(true) == 4233
    body = ReturnBody(
        dev=group.own.dev,
        kem_number=60,
        kem_pk=group.kem_of[group.own.dev][1],
        addresses=[],
        heads=[],
        epoch=OpId(ZERO32),
    )
    forged = {
        "another's name": by_hand(group, epoch, body, sorrel.group(gid).own.dev_seed),
        "no padding": by_hand(group, epoch, body, group.own.dev_seed, b"\x90" * limits.RETURN_PADDED_BYTES),
        "another length": by_hand(group, epoch, body, group.own.dev_seed, pad(b"\x90", 300)),
        "rubbish": by_hand(group, epoch, body, group.own.dev_seed, pad(b"\x90", limits.RETURN_PADDED_BYTES)),
        "moved": seal_frame(FrameType.RETURN, group.epochs[older].pub_seed, parse_frame(true).middle),
    }
    before = rekeys(wren, gid)
    known = wren.group(gid).kem_of[group.own.dev]
    for k, (what, frame) in enumerate(forged.items()):
        liar = Liar(wren, 10 + k)
        liar.say(LinkKind.FRAME, frame)
        assert liar.faults, what
        liar.hang_up()
    world.run(30)
    assert (rekeys(wren, gid), wren.group(gid).kem_of[group.own.dev]) == (before, known)
    liar = Liar(wren, 30)
    liar.say(LinkKind.FRAME, true)
    assert liar.faults == []
    assert wren.group(gid).kem_of[group.own.dev] != known


def test_a_call_carried_to_another_epoch_is_refused() -> None:
    """An ex-member has both epochs' keys and opens it: sealed anew for the other, its signature does not hold."""
    _, gid, (wren, juniper, _, _) = four()
    group = juniper.group(gid)
    epoch = group.epoch
    assert epoch is not None
    older = next(op_id for op_id in group.epochs if op_id != epoch)
    body = ReturnBody(
        dev=group.own.dev,
        kem_number=9,
        kem_pk=group.kem_of[group.own.dev][1],
        addresses=[],
        heads=group.log.heads,
        epoch=older,
    )
    pk = public_key(group.epochs[epoch].pub_seed)
    tbs, nonce = encode(body), b"c" * 24
    signed = SignedReturn(tbs=tbs, sig=sign(group.own.dev_seed, RETURN_LABEL + _statement(group, pk, nonce, tbs)))
    carried = by_hand(group, older, body, b"x" * 32, pad(encode(signed), limits.RETURN_PADDED_BYTES))
    liar = Liar(wren)
    liar.say(LinkKind.FRAME, carried)
    assert liar.faults == [Fault.BAD_SIGNATURE]


def test_a_call_said_again_moves_nothing() -> None:
    world, gid, people = four()
    wren, juniper, _, _ = people
    group = juniper.group(gid)
    assert group.epoch is not None
    frame = call_of(group, group.epoch, group.own.kem_number + 1)
    juniper.off()  # its node knows nothing of this key, and would call in turn
    liar = Liar(wren)
    before = rekeys(wren, gid)
    liar.say(LinkKind.FRAME, frame)
    world.run(30)
    assert rekeys(wren, gid) == before + 1
    wren.off()  # what it has seen is forgotten
    wren.on()
    world.run(30)
    later = Liar(wren, 1)
    later.say(LinkKind.FRAME, frame)
    world.run(60)
    assert rekeys(wren, gid) <= before + 2, "at most one epoch more, where the number is not known any more"
    again = Liar(wren, 2)
    again.say(LinkKind.FRAME, frame)
    world.run(60)
    assert rekeys(wren, gid) <= before + 2
    assert agree(gid, [wren, *people[2:]]) == []


def test_a_flood_of_calls_costs_few_epochs_and_little_work() -> None:
    world, gid, people = four()
    wren, juniper, _, _ = people
    group = juniper.group(gid)
    epoch, number = group.epoch, group.own.kem_number
    assert epoch is not None
    juniper.off()
    before = rekeys(wren, gid)
    heard = calls(world)
    liars = [Liar(wren, k) for k in range(3)]
    for k in range(60):
        liars[k % 3].say(LinkKind.FRAME, call_of(group, epoch, number + 1 + k))
    world.run(120)
    assert rekeys(wren, gid) <= before + CALLS_MAX
    passed_on = {frame for name, frame in heard if name != "wren"}
    assert len(passed_on) <= 3 * CALLS_OF_A_LINK
    assert agree(gid, [wren, *people[2:]]) == []


def test_one_who_was_removed_calls_and_learns_that_alone() -> None:
    """Every word of the answer, in the open."""
    world, gid, (wren, juniper, _, _) = four()
    group = juniper.group(gid)
    old = group.epoch
    assert old is not None
    wren.remove(gid, juniper.member(gid))
    world.run(5)
    before = rekeys(wren, gid)
    liar = Liar(wren)
    liar.prove(group, old)
    frame = call_of(group, old, 50)
    liar.say(LinkKind.FRAME, frame)
    world.run(120)
    assert liar.said(group) == [NotInBody(nonce=parse_frame(frame).middle[:24])]
    assert rekeys(wren, gid) == before
    stranger = Liar(wren, 1)  # another's call, brought over one's own link
    stranger.say(LinkKind.FRAME, call_of(group, old, 51))
    world.run(30)
    assert stranger.said(group) == []


def test_a_call_of_one_who_has_the_epoch_in_use_costs_none() -> None:
    world, gid, (wren, juniper, _, _) = four()
    group = juniper.group(gid)
    assert group.epoch is not None
    juniper.off()
    before = rekeys(wren, gid)
    Liar(wren).say(LinkKind.FRAME, call_of(group, group.epoch, group.own.kem_number + 1, has=group.epoch))
    world.run(60)
    assert rekeys(wren, gid) == before
    assert wren.group(gid).kem_of[group.own.dev][0] == group.own.kem_number + 1, "its key is believed"


@pytest.mark.parametrize("seed", range(4))
def test_two_who_were_removed_together_learn_it_and_keep_to_it(seed: int) -> None:
    """Each counts the other in and hears its call, which says that it has the key in use: nobody need make another.

    Should one of them make one all the same, the other does not take it for a sign that the group has them back.
    """
    world = World(seed)
    gid, (wren, juniper, sorrel, tansy, rowan, alder) = circle(
        world, "wren", "juniper", "sorrel", "tansy", "rowan", "alder"
    )
    world.run(30)
    wren.rank(gid, juniper, Rank.STEWARD)
    wren.rank(gid, sorrel, Rank.STEWARD)
    world.run(30)
    world.partition(("wren", "juniper", "tansy", "rowan"), ("sorrel", "alder"))
    world.run(15)
    juniper.remove(gid, juniper.key_of(gid, "alder"))
    sorrel.remove(gid, sorrel.key_of(gid, "tansy"))
    sorrel.remove(gid, sorrel.key_of(gid, "rowan"))
    world.run(15)
    before = len(rowan.group(gid).log)
    world.heal()
    out = [tansy, rowan, alder]
    assert world.run_until(lambda: all(person.room(gid).seems_out for person in out), 30)
    world.run(600)
    assert [state_of(person.room(gid)) for person in out] == ["told-out"] * 3
    assert len(tansy.group(gid).log) == len(rowan.group(gid).log) == before
    world.ask("rowan", Rekey(group=gid))
    world.run(300)
    assert len(tansy.group(gid).log) == before + 1
    assert all(person.room(gid).group.own.cut_off for person in out)
    assert agree(gid, [wren, juniper, sorrel]) == []
    assert blamed(world) == []


def hear_no_epochs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no envelope be a sign: it was said on another topic, or a link broke as it came."""
    monkeypatch.setattr(doubting, "note_unopened", lambda room, epoch, step: None)


def test_two_who_were_removed_together_learn_it_though_no_epoch_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who told them something before the cut is silent without their noticing; who is there anew is silent at once."""
    hear_no_epochs(monkeypatch)
    world = World(7)
    gid, (wren, juniper, sorrel, tansy, rowan) = circle(world, "wren", "juniper", "sorrel", "tansy", "rowan")
    world.run(30)
    wren.rank(gid, sorrel, Rank.STEWARD)
    world.run(30)
    world.partition(("wren", "juniper", "tansy", "rowan"), ("sorrel",))
    world.run(15)
    sorrel.remove(gid, sorrel.key_of(gid, "tansy"))
    sorrel.remove(gid, sorrel.key_of(gid, "rowan"))
    world.run(15)
    world.heal()
    assert world.run_until(lambda: tansy.room(gid).seems_out and rowan.room(gid).seems_out, 90)
    world.run(600)
    assert [state_of(person.room(gid)) for person in (tansy, rowan)] == ["told-out"] * 2
    assert agree(gid, [wren, juniper, sorrel]) == []
    assert blamed(world) == []


def test_one_who_was_removed_learns_it_where_no_link_ends_and_no_epoch_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    hear_no_epochs(monkeypatch)
    world, gid, (wren, juniper, sorrel, tansy) = four()
    wren.remove(gid, wren.key_of(gid, "sorrel"))
    world.run(600)
    assert state_of(sorrel.room(gid)) == "member", "nothing that she could notice"
    assert world.run_until(lambda: sorrel.room(gid).seems_out, (QUIET_MS + ANSWER_MS) / 1000 + 60)
    world.run(600)
    assert [person.room(gid).seems_out for person in (wren, juniper, tansy)] == [False] * 3
    assert blamed(world) == []


def test_one_who_is_silent_raises_a_doubt_once_and_talks_nobody_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hostile member tells nobody that it counts them in: they ask each other, and are answered."""
    world, gid, people = four()
    wren, juniper, sorrel, tansy = people
    rude = tansy.node
    told: list[str] = []
    asked: list[str] = []
    honest_tell, honest_ask = syncing.tell_state, doubting._ask_whether_in

    def tell_nothing(link: Link, room: Room, step: Step) -> None:
        if room.group.own.dev != tansy.device(gid):
            honest_tell(link, room, step)

    def ask(link: Link, room: Room, step: Step) -> None:
        asked.append(next(p.name for p in people if p.device(gid) == room.group.own.dev))
        honest_ask(link, room, step)

    monkeypatch.setattr(syncing, "tell_state", tell_nothing)
    monkeypatch.setattr(doubting, "_ask_whether_in", ask)
    for person in (wren, juniper, sorrel):
        world.flap("tansy", person.name)

    def watch(node: Node, event: Input, _: object) -> None:
        if node is not rude:
            told.extend(p.name for p in (wren, juniper, sorrel) if p.room(gid).seems_out)

    world.watchers.append(watch)
    world.run(900)
    assert {"wren", "juniper", "sorrel"} <= set(asked)
    asked.clear()
    world.run(600)
    assert asked == [], "a doubt ends"
    assert told == []


def test_key_ups_are_for_members_who_were_away() -> None:
    world, gid, people = four()
    wren, juniper, _, tansy = people
    for node in world.nodes.values():
        node.skew_ms += 8 * DAY_MS
    world.run(60)
    group = juniper.group(gid)
    newest = group.epoch
    older = next(op_id for op_id in group.epochs if op_id != newest)
    assert newest is not None
    for epoch, told in ((newest, False), (older, True)):
        liar = Liar(wren, told)
        liar.prove(group, epoch)
        liar.tell(StateBody(heads=group.log.heads, frontier=[]))
        assert any(isinstance(body, KeyupsBody) for body in liar.said(group)) is told
        liar.hang_up()
    (signed,) = [t.keyup for dev, t in wren.room(gid).tracks.items() if dev == tansy.group(gid).own.dev]
    assert signed is not None
    liar = Liar(juniper, 7)
    liar.prove(wren.group(gid), newest)
    false = type(signed)(tbs=signed.tbs, sig=bytes(64))
    liar.tell(KeyupsBody(keyups=[false, signed]))
    assert liar.faults == []
    assert {OpsBody, WantOpsBody}.isdisjoint(type(body) for body in liar.said(wren.group(gid)))


@pytest.mark.parametrize("seed", [3, 8])
def test_two_come_back_together(seed: int) -> None:
    world, gid, people = four(seed)
    wren, juniper, sorrel, tansy = people
    sorrel.off()
    tansy.off()
    pass_days(world, gid, [wren, juniper], 105)
    sorrel.on()
    tansy.on()
    sorrel.post(gid, "sorrel is back")
    tansy.post(gid, "tansy is back")
    world.run(300)
    for person in people:
        assert {"sorrel is back", "tansy is back"} <= set(person.reads(gid))
    assert agree(gid, people) == []
