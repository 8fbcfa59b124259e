"""What a second review found of things that cost one side much and the other little, once each."""

import pytest

from mesh.commands import Rank, SetSetting, Suite
from mesh.events import SendStored
from mesh.groups.ratchet import Chain
from mesh.ids import OpId
from mesh.journal import Journal
from mesh.peer.records import JoinStage
from mesh.wire import limits
from mesh.wire.invites import FrontierEntry, OpBundle
from mesh.wire.operations import OpType, RemoveBody, Setting, SettingsBody
from mesh.wire.sessions import AnsweredBody, ClosedSpan, OpsBody, Span, StateBody, WantMessagesBody
from simulations.people import circle, gather
from simulations.world import World
from tests.groups.joiners import joiner
from tests.groups.test_long_logs import calls
from tests.peer.forgery import Forger
from tests.peer.test_review import Circle, blamed_by, three


def answered(c: Circle, times: int) -> int:
    """Answer Bob that nothing of what he asked for is for him, so many times over; return what that cost him."""
    c.world.clog("mallory", "bob")
    alice = c.alice.group(c.gid).own.dev
    far = [FrontierEntry(dev=alice, contiguous=100_000, beyond=[])]
    c.forger.tells(c.bob, StateBody(heads=c.forger.group.log.heads, frontier=far))
    assert c.bob.node.peer is not None
    ticket, asking = next(iter(c.bob.node.peer.state.asking.items()))
    closed = [ClosedSpan(dev=dev, first=first, last=last) for dev, first, last in asking.spans] * times
    return calls(c.forger.tells, c.bob, AnsweredBody(ticket=ticket, closed=closed))


def test_an_answer_that_says_one_thing_hundreds_of_times_costs_no_more() -> None:
    honest, repeated = answered(three(3), 1), answered(three(3), 512)
    assert repeated <= honest


def test_an_answer_longer_than_any_question_is_blamed() -> None:
    c = three(3)
    answered(c, 2)
    assert "mallory" in blamed_by(c.bob)


def test_who_asks_for_one_message_many_times_is_given_it_once() -> None:
    c = three(4)
    c.alice.post(c.gid, "once")
    c.world.run(5)
    dev, room = c.alice.group(c.gid).own.dev, c.alice.room(c.gid)
    mseq = room.track(dev).top
    sent: list[SendStored] = []
    c.world.watchers.append(lambda _, __, effects: sent.extend(e for e in effects if isinstance(e, SendStored)))
    c.forger.tells(c.alice, WantMessagesBody(ticket=1, spans=[Span(dev=dev, first=mseq, last=mseq)] * 200))
    assert [len(effect.keys) for effect in sent] == [1]


def test_a_preview_has_room_for_a_group_with_many_settings() -> None:
    world = World(5)
    gid, (alice, mallory) = circle(world, "alice", "mallory", suite=Suite.CLASSIC)
    alice.rank(gid, mallory, Rank.STEWARD)
    world.ask("alice", SetSetting(group=gid, key="members-invite", value="on", own=False))
    world.run(10)
    code = alice.invite(gid)
    world.run(10)
    forger = Forger(mallory, gid)
    odd = SettingsBody(settings=[Setting(key=f"a{k}", value="x") for k in range(limits.SETTINGS_MAX)])
    forger.tells(alice, OpsBody(ops=[OpBundle(op=forger.operation(OpType.SETTINGS, odd), wraps=[])]))
    world.run(10)
    assert len(alice.group(gid).view.settings) > limits.SETTINGS_MAX
    mallory.off()
    (joe,) = gather(world, "joe")
    join = joe.look(code, alice)
    assert joe.until(lambda: joe.stage(join) is JoinStage.PREVIEW)
    assert joe.node.blames == []
    shown = joe.join_record(join).preview
    assert shown


def test_who_leaps_over_thousands_of_numbers_loses_only_their_own() -> None:
    c = three(9)
    group, journal = c.bob.group(c.gid), Journal()
    epoch = group.epoch
    assert epoch is not None
    mallory, alice = c.mallory.group(c.gid).own.dev, c.alice.group(c.gid).own.dev
    late = {0: bytes(32)}
    group.save_chain(epoch, alice, Chain(i=2, key=bytes(32), skipped=late), journal)
    many = {i: bytes(32) for i in range(limits.SKIPPED_KEYS_MAX)}
    for k in range(17):
        group.save_chain(OpId(bytes([k]) * 32), mallory, Chain(i=4095, key=bytes(32), skipped=many), journal)
    assert group.chains[epoch, alice].skipped == late
    assert sum(len(chain.skipped) for chain in group.chains.values()) <= limits.SKIPPED_KEYS_GROUP_MAX


def test_a_group_with_more_than_an_epoch_holds_waits_and_can_be_put_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """A steward forks, so that not all is joined at once; a moderator lets in too many, and removes two crosswise."""
    monkeypatch.setitem(limits.DEVICES_MAX, int(Suite.CLASSIC), 8)
    world = World(12)
    gid, (alice, mallory, trudy, *_) = circle(world, "alice", "mallory", "trudy", "carol", "dave", suite=Suite.CLASSIC)
    alice.rank(gid, mallory, Rank.STEWARD)
    alice.rank(gid, trudy, Rank.MODERATOR)
    world.run(20)
    steward, moderator = Forger(mallory, gid), Forger(trudy, gid)
    forks = [
        steward.operation(OpType.SETTINGS, SettingsBody(settings=[Setting(key=f"k{k}", value="x")]))
        for k in range(limits.DEPS_MAX + 1)
    ]
    for k in range(8):
        guest = joiner(f"guest {k}", gid, Suite.CLASSIC)
        asked = guest.asks(gid, None, rank=Rank.MEMBER, agreement="Be kind.")
        forks.append(moderator.operation(OpType.ADMIT, asked))
    for name in ("carol", "dave"):
        gone = alice.key_of(gid, name)
        staying = [dev for dev, pk in moderator.group.view.devices.items() if pk != gone]
        body = RemoveBody(target=gone, cuts=[], reason="", epoch=moderator.draft(*staying).block)
        forks.append(moderator.operation(OpType.REMOVE, body))
    steward.tells(alice, OpsBody(ops=[OpBundle(op=fork, wraps=[]) for fork in forks]))
    assert len(alice.group(gid).view.devices) > limits.DEVICES_MAX[int(Suite.CLASSIC)]
    alice.post(gid, "Is anybody there?")
    world.run(30)
    assert alice.room(gid).drafts, "all keys are those of one who was removed, and there are too many for a new one"
    alice.remove(gid, trudy.member(gid))
    assert mallory.until(lambda: mallory.reads(gid) == ["Is anybody there?"])
    for name in [name for name in alice.members(gid) if name.startswith("guest")]:
        alice.remove(gid, alice.key_of(gid, name))
        world.run(1)
    alice.post(gid, "Just us again.")
    assert mallory.until(lambda: mallory.reads(gid)[-1] == "Just us again.")
    assert alice.members(gid) == ["alice", "mallory"]
