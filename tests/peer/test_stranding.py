"""Stranded: who was deceived about an epoch, or slept too long, is given a key by those who are there."""

import pytest
from msgspec.structs import replace

from mesh.commands import Rekey, SetSetting
from mesh.errors import Fault, LocalError
from mesh.events import Space
from mesh.groups.dormancy import missing_epoch
from mesh.groups.epochs import Draft
from mesh.groups.schedule import wrap_hint, wraps_hash
from mesh.ids import GroupId
from mesh.peer.stranding import CALLS_MAX
from mesh.wire.codec import encode
from mesh.wire.invites import OpBundle
from mesh.wire.messages import Kind, StrandedBody
from mesh.wire.operations import OpType, RekeyBody, epoch_block
from mesh.wire.sessions import OpsBody
from simulations.checks import Watch, agree, blamed, unread
from simulations.people import Person, circle
from simulations.world import World
from tests.peer.forgery import Forger

DAY_MS = 86_400_000


def four(seed: int = 7) -> tuple[World, GroupId, list[Person]]:
    """Give wren, juniper, sorrel and mallory, in one group and at rest."""
    world = World(seed)
    gid, people = circle(world, "wren", "juniper", "sorrel", "mallory")
    world.run(30)
    return world, gid, people


def rekeys(person: Person, gid: GroupId) -> int:
    """How often the group was re-keyed."""
    return sum(op.type is OpType.REKEY for op in person.group(gid).log.ops)


def deceives(mallory: Forger, *victims: Person) -> OpBundle:
    """Make an epoch whose wraps for the victims hold nothing."""
    draft = mallory.draft()
    gid = mallory.group.gid
    hints = {
        wrap_hint(mallory.group.kem_of[victim.group(gid).own.dev][1], draft.block.nonce): None for victim in victims
    }
    wraps = sorted(wrap[:4] + bytes(len(wrap) - 4) if wrap[:4] in hints else wrap for wrap in draft.wraps)
    block = replace(draft.block, wraps_hash=wraps_hash(tuple(wraps)))
    return OpBundle(op=mallory.operation(OpType.REKEY, RekeyBody(epoch=block)), wraps=wraps)


def puts_to_sleep(mallory: Forger, *victims: Person) -> OpBundle:
    """Make an epoch that lists the victims as dormant."""
    asleep = sorted(victim.group(mallory.group.gid).own.dev for victim in victims)
    draft: Draft = mallory.draft(*(dev for dev in mallory.group.view.devices if dev not in asleep))
    block = replace(draft.block, dormant=asleep)
    return OpBundle(op=mallory.operation(OpType.REKEY, RekeyBody(epoch=block)), wraps=list(draft.wraps))


def test_a_garbage_wrap_costs_its_victim_a_few_seconds() -> None:
    """The victim says so, and somebody re-keys, without a human; what it wrote meanwhile waits and is read by all."""
    world, gid, people = four()
    wren, juniper, sorrel, mallory = people
    watch = Watch.over(world)
    forger = Forger(mallory, gid)
    bundle = deceives(forger, sorrel)
    for person in (wren, juniper, sorrel):
        forger.tells(person, OpsBody(ops=[bundle]))
    assert missing_epoch(sorrel.group(gid)) is not None
    assert missing_epoch(juniper.group(gid)) is None
    sorrel.post(gid, "can you hear me?")
    assert sorrel.room(gid).drafts, "under the old epoch not all might read it"
    before = rekeys(wren, gid)
    world.run(60)
    assert rekeys(wren, gid) <= before + 2  # mallory's node finds that it has said what it does not remember
    assert missing_epoch(sorrel.group(gid)) is None
    juniper.post(gid, "yes")
    world.run(30)
    assert wren.reads(gid)[-2:] == sorrel.reads(gid)[-2:] == ["can you hear me?", "yes"]
    assert agree(gid, people) == []
    assert unread(watch, gid, people) == []
    assert blamed(world) == []


def test_an_epoch_whose_wraps_nobody_was_given_silences_nobody() -> None:
    """All but its author are behind: after the turns of those who are not, one of them makes another."""
    world, gid, people = four()
    wren, juniper, sorrel, mallory = people
    forger = Forger(mallory, gid)
    bundle = deceives(forger)
    mallory.off()
    world.run(5)
    forger.person = wren  # nobody else has it: it comes over whatever link
    for person in (juniper, sorrel):
        forger.tells(person, OpsBody(ops=[OpBundle(op=bundle.op, wraps=[])]))
    wren.post(gid, "is anybody left?")
    assert world.run_until(lambda: "is anybody left?" in juniper.reads(gid), 180)
    world.run(30)
    assert agree(gid, [wren, juniper, sorrel]) == []


def test_one_who_was_listed_as_dormant_says_so() -> None:
    world, gid, people = four()
    wren, juniper, sorrel, mallory = people
    forger = Forger(mallory, gid)
    bundle = puts_to_sleep(forger, juniper)
    for person in (wren, juniper, sorrel):
        forger.tells(person, OpsBody(ops=[bundle]))
    world.run(60)
    for person in people:
        epoch = person.group(gid).epoch
        assert epoch is not None
        assert juniper.group(gid).own.dev in person.group(gid).recipients(epoch)
    assert agree(gid, people) == []


def test_a_clock_that_was_ahead_for_a_moment_puts_nobody_to_sleep() -> None:
    """Keys that came in that moment are dated months ahead: beside them those of all others would look old."""
    world, gid, (wren, juniper, sorrel, _) = four()
    wren.node.skew_ms = 100 * DAY_MS
    world.ask("wren", Rekey(group=gid))
    world.run(5)
    wren.node.skew_ms = 0
    world.run(5)
    world.ask("wren", Rekey(group=gid))
    world.run(1)
    epoch = wren.group(gid).epoch
    assert epoch is not None
    assert {person.group(gid).own.dev for person in (wren, juniper, sorrel)} <= wren.group(gid).recipients(epoch)


def test_one_who_cries_at_each_epoch_costs_the_others_a_few_an_hour() -> None:
    world, gid, people = four()
    wren, _, _, mallory = people
    forger = Forger(mallory, gid)

    def cry() -> None:
        epoch = wren.group(gid).epoch
        block = None if epoch is None else epoch_block(wren.group(gid).log.operation(epoch).body)
        assert block is not None
        forger.hands(wren, forger.message(Kind.STRANDED, encode(StrandedBody(nonce=block.nonce))))
        world.run(30)

    before = rekeys(wren, gid)
    for _ in range(3 * CALLS_MAX):
        cry()
    assert rekeys(wren, gid) == before + CALLS_MAX
    assert agree(gid, people) == []
    world.run(3_600)
    cry()
    assert rekeys(wren, gid) == before + CALLS_MAX + 1


def test_a_word_counts_for_an_epoch_that_lists_its_author_and_once() -> None:
    world, gid, people = four()
    wren, _, _, mallory = people
    first = epoch_block(wren.group(gid).log.ops[0].body)  # mallory was not in yet
    epoch = wren.group(gid).epoch
    assert epoch is not None
    newest = epoch_block(wren.group(gid).log.operation(epoch).body)
    assert first is not None
    assert newest is not None
    forger = Forger(mallory, gid)
    before = rekeys(wren, gid)
    for nonce in (first.nonce, b"x" * 32):
        forger.hands(wren, forger.message(Kind.STRANDED, encode(StrandedBody(nonce=nonce))))
    world.run(60)
    assert rekeys(wren, gid) == before
    for _ in range(3):
        forger.hands(wren, forger.message(Kind.STRANDED, encode(StrandedBody(nonce=newest.nonce))))
    world.run(60)
    assert rekeys(wren, gid) == before + 1


def test_a_broken_word_is_refused() -> None:
    _, gid, people = four()
    wren, _, _, mallory = people
    forger = Forger(mallory, gid)
    for body in (b"", b"\x91\xc4\x1f" + bytes(31), b"\x90", b"\xc0"):
        forger.hands(wren, forger.message(Kind.STRANDED, body))
    assert {blame.fault for blame in wren.node.blames} == {Fault.MALFORMED}


def test_what_was_said_is_known_after_a_restart() -> None:
    """Else a node that restarts would take a deceiver's epoch for good."""
    world, gid, people = four()
    wren, _, sorrel, mallory = people
    epoch = wren.group(gid).epoch
    assert epoch is not None
    block = epoch_block(wren.group(gid).log.operation(epoch).body)
    assert block is not None
    forger = Forger(mallory, gid)
    frame = forger.message(Kind.STRANDED, encode(StrandedBody(nonce=block.nonce)))
    for person in people:
        if person is not wren and person is not mallory:
            person.off()
    forger.hands(wren, frame)
    assert not wren.group(gid).epoch_is_complete
    wren.off()
    mallory.off()
    wren.on()
    assert wren.group(gid).stranded == {epoch}
    assert not wren.group(gid).epoch_is_complete
    sorrel.on()
    world.run(30)
    assert wren.group(gid).epoch_is_complete


# ------------------------------------------------------------------------------------- dormant


def away(world: World, gid: GroupId, people: list[Person], days: int) -> None:
    """Let so many days pass for those who are up, a week at a time: their keys stay young."""
    for _ in range(days // 7):
        for person in people:
            person.node.skew_ms += 7 * DAY_MS
        world.run(60)


def test_one_who_is_away_for_long_gets_no_key_and_others_do() -> None:
    world, gid, people = four()
    wren, juniper, sorrel, mallory = people
    sorrel.off()
    mallory.off()
    mallory.on()
    away(world, gid, [wren, juniper, mallory], 56)
    epoch = wren.group(gid).epoch
    assert epoch is not None
    (dev,) = wren.group(gid).view.members[wren.key_of(gid, "sorrel")].devices
    assert dev in wren.group(gid).recipients(epoch)
    wren.off()  # when a key came here is known after a restart
    wren.on()
    away(world, gid, [wren, juniper, mallory], 14)
    epoch = wren.group(gid).epoch
    assert epoch is not None
    block = epoch_block(wren.group(gid).log.operation(epoch).body)
    assert block is not None
    assert block.dormant == [dev]
    assert len(block.recipients) == 3
    rows = dict(wren.node.store.scan(Space.WRAPS, gid + epoch))
    assert len(rows[gid + epoch]) > 8 * 1168, "a dummy stands where its wrap would"
    assert wren.group(gid).epoch_is_complete
    assert agree(gid, [wren, juniper, mallory]) == []


def test_how_long_is_ones_own_to_choose() -> None:
    world, gid, people = four()
    wren = people[0]
    world.ask("wren", SetSetting(group=gid, key="dormant-after", value="14", own=True))
    for value in ("13", "366", "x", ""):
        with pytest.raises(LocalError):
            world.ask("wren", SetSetting(group=gid, key="dormant-after", value=value, own=True))
    for person in people[1:]:
        person.off()
    wren.off()
    wren.on()  # who was there lately does not sleep, whatever the age of their key
    wren.node.skew_ms += 15 * DAY_MS
    world.ask("wren", Rekey(group=gid))
    block = epoch_block(wren.group(gid).log.ops[-1].body)
    assert block is not None
    assert block.dormant == [], "as far as wren knows, nobody had a key for so long, she herself neither"
    world.ask("wren", Rekey(group=gid))
    block = epoch_block(wren.group(gid).log.ops[-1].body)
    assert block is not None
    assert len(block.dormant) == 3
    assert block.recipients == [wren.group(gid).own.dev]
