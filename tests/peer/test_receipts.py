"""Receipts: they say what came and nothing else, and nobody makes a message seem to have come where it did not."""

from copy import deepcopy as copy

import pytest

from mesh.commands import SetSetting, Suite
from mesh.errors import RemoteError
from mesh.events import LinkKind
from mesh.gossip.delivery import DeliveryState
from mesh.ids import DeviceId, GroupId, PostId
from mesh.peer.receipts import keeps_quiet
from mesh.wire import limits
from mesh.wire.codec import decode, encode
from mesh.wire.frames import FrameType, parse_frame
from mesh.wire.invites import FrontierEntry
from mesh.wire.messages import Kind, Reached, ReceiptBody
from mesh.wire.sessions import AnsweredBody, ClosedSpan, StateBody, WantMessagesBody
from simulations.checks import Watch
from simulations.people import Person, circle, gather
from simulations.world import World
from tests.peer.forgery import Forger
from tests.peer.liar import Liar
from tests.peer.test_keepers import with_keeper


def three(seed: int = 3) -> tuple[World, GroupId, Person, Person, Person]:
    """Give wren, juniper and sorrel, in one group and at rest."""
    world = World(seed)
    gid, (wren, juniper, sorrel) = circle(world, "wren", "juniper", "sorrel")
    world.run(10)
    return world, gid, wren, juniper, sorrel


def quiet(person: Person, gid: GroupId, *, on: bool = False) -> None:
    """Turn a person's receipts off, or on again."""
    command = SetSetting(group=gid, key="receipts", value="on" if on else "off", own=True)
    person.world.ask(person.name, command)
    person.world.run(5)


def reached(person: Person, gid: GroupId, post: PostId, *others: Person) -> bool:
    """Say whether a post reached exactly these."""
    return person.delivery(gid, post).reached == {other.member(gid) for other in others}


def test_a_burst_is_confirmed_by_one_receipt_of_each_after_a_while_that_differs() -> None:
    world, gid, wren, juniper, sorrel = three()
    before = {name.name: name.group(gid).own.mseq for name in (juniper, sorrel)}
    posts = [wren.post(gid, f"{k}") for k in range(20)]
    began = world.now_ms
    assert wren.until(lambda: all(reached(wren, gid, post, juniper, sorrel) for post in posts), 10)
    assert 600 <= world.now_ms - began <= 2_000
    assert {p.name: p.group(gid).own.mseq - before[p.name] for p in (juniper, sorrel)} == {"juniper": 1, "sorrel": 1}


def test_a_larger_group_takes_its_time_so_that_receipts_do_not_outgrow_what_is_said() -> None:
    """Each goes to everybody: at the pace of a small group those of sixteen would be sixteen times as many a second."""
    world = World(5)
    people = gather(world, *(f"member-{k}" for k in range(16)))
    first, *others = people
    gid = first.create(suite=Suite.CLASSIC)
    for person in others:
        person.join(gid, first.invite(gid))
    assert world.run_until(lambda: all(len(p.group(gid).view.members) == len(people) for p in people), 60)
    world.run(30)
    before = sum(person.group(gid).own.mseq for person in others)
    posts = []
    for k in range(30):
        posts.append(first.post(gid, f"{k}"))
        world.run(1)
    said = sum(person.group(gid).own.mseq for person in others) - before
    assert 30 < said <= 8 * 30
    assert first.until(lambda: all(reached(first, gid, post, *others) for post in posts), 10)


def test_one_who_gives_no_receipts_says_so_and_is_unknown_to_the_others() -> None:
    world, gid, wren, juniper, sorrel = three(4)
    Watch.over(world)
    quiet(juniper, gid)
    assert keeps_quiet(wren.room(gid), juniper.member(gid))
    assert not keeps_quiet(wren.room(gid), sorrel.member(gid))
    post = wren.post(gid, "who is there?")
    world.run(30)
    assert juniper.reads(gid) == ["who is there?"]
    assert reached(wren, gid, post, sorrel)
    for person in (juniper, wren):  # across restarts
        person.off()
        person.on()
    world.run(30)
    assert keeps_quiet(wren.room(gid), juniper.member(gid))
    assert reached(wren, gid, post, sorrel)
    tansy = Person(world, "tansy")
    tansy.join(gid, wren.invite(gid))
    world.run(20)
    assert keeps_quiet(tansy.room(gid), juniper.member(gid)), "who comes later is told too"
    quiet(juniper, gid, on=True)
    assert not keeps_quiet(wren.room(gid), juniper.member(gid))
    assert reached(wren, gid, post, juniper, sorrel), "what came meanwhile is confirmed then"


def test_what_came_over_a_gap_is_confirmed_and_the_gap_is_not() -> None:
    _, gid, wren, juniper, _ = three(5)
    forger = Forger(juniper, gid)
    first, second = (forger.message(Kind.BEACON, b"\x90") for _ in range(2))
    del first
    forger.hands(wren, second)
    track = wren.room(gid).tracks[juniper.device(gid)]
    assert track.have.beyond
    assert track.kept()[-1] == (track.top, track.top)


def test_nobody_makes_a_message_reach_one_to_whom_it_never_came() -> None:
    """Two members say that it is not for sorrel, and she believes them: her receipts do not cover it all the same."""
    world, gid, wren, juniper, sorrel = three(6)
    Watch.over(world)
    tansy = Person(world, "tansy")
    tansy.join(gid, wren.invite(gid))
    world.run(20)
    groups = [juniper.group(gid), tansy.group(gid)]
    world.partition(("wren", "juniper", "tansy"), ("sorrel",))
    hidden = wren.post(gid, "hidden from sorrel")
    world.run(5)
    assert reached(wren, gid, hidden, juniper, tansy)
    juniper.off()
    tansy.off()
    liars = [Liar(sorrel, k) for k in range(2)]
    wren_dev, top = wren.device(gid), wren.delivery(gid, hidden).mseq
    for liar, group in zip(liars, groups, strict=True):
        assert group.epoch is not None
        liar.prove(group, group.epoch)
        entry = FrontierEntry(dev=wren_dev, contiguous=top, beyond=[])
        liar.tell(StateBody(heads=sorted(group.log.heads), frontier=[entry]))
    for liar, group in zip(liars, groups, strict=True):
        for asked in [body for body in liar.said(group) if isinstance(body, WantMessagesBody)]:
            closed = [ClosedSpan(dev=wren_dev, first=top, last=top)]
            liar.tell(AnsweredBody(ticket=asked.ticket, closed=closed))
    assert top in sorrel.room(gid).track(wren_dev).sure, "they are believed"
    for liar in liars:
        liar.hang_up()
    world.heal()
    later = wren.post(gid, "later")
    assert wren.until(lambda: sorrel.member(gid) in wren.delivery(gid, later).reached, 60)
    world.run(5)
    assert sorrel.reads(gid) == ["later"]
    assert sorrel.member(gid) not in wren.delivery(gid, hidden).reached


def test_a_node_that_acknowledges_and_drops_has_it_by_its_own_word_and_is_never_reached() -> None:
    world, gid, wren, juniper, sorrel = three(7)
    group = juniper.group(gid)
    juniper.off()
    sorrel.off()
    world.run(1)
    assert group.epoch is not None
    liar = Liar(wren)
    liar.prove(group, group.epoch)
    liar.tell(StateBody(heads=sorted(group.log.heads), frontier=[]))
    post = wren.post(gid, "does it come?")
    frames = [parse_frame(raw).id for raw in liar.frames if raw[0] == FrameType.MESSAGE]
    assert frames
    liar.say(LinkKind.STORED, b"".join(frames))
    boast = FrontierEntry(dev=wren.device(gid), contiguous=wren.group(gid).own.mseq + 10_000, beyond=[])
    liar.tell(StateBody(heads=sorted(group.log.heads), frontier=[boast]))
    world.run(60)
    told = wren.delivery(gid, post)
    assert told.state is DeliveryState.SENT
    assert told.held.keys() == {group.own.member_pk}, "named, with the time at which it said so"
    assert all(0 < at <= world.instant(wren.node).wall_ms for at in told.held.values())
    assert told.reached == frozenset()


def test_one_who_proved_nothing_is_no_holder() -> None:
    world, gid, wren, juniper, sorrel = three(8)
    world.partition(("wren",), ("juniper", "sorrel"))
    world.run(1)
    world.join_up("wren", "juniper")
    stranger = Liar(wren)
    stranger.announce(list(juniper.group(gid).topics))
    post = wren.post(gid, "for members")
    frames = [parse_frame(raw).id for raw in stranger.frames if raw[0] == FrameType.MESSAGE]
    if frames:
        stranger.say(LinkKind.STORED, b"".join(frames))
    world.run(5)
    assert wren.delivery(gid, post).held.keys() <= {juniper.member(gid), sorrel.member(gid)}


@pytest.mark.parametrize(
    "body",
    [
        b"\x91",
        b"\x91\x91\x92\xc4\x10" + bytes(16) + b"\x91\x91\x01",  # a span of one number
        b"\x91\x91\x92\xc4\x10" + bytes(16) + b"\x91\x92\x00\x01",  # numbers begin at 1
        encode(ReceiptBody(reached=[Reached(dev=DeviceId(bytes(16)), spans=[[1, 1]] * 17, mseq=1, name=bytes(16))])),
        encode(ReceiptBody(reached=[Reached(dev=DeviceId(bytes(16)), spans=[], mseq=1, name=bytes(16))] * 257)),
    ],
)
def test_a_receipt_that_is_none_is_refused(body: bytes) -> None:
    with pytest.raises(RemoteError):
        decode(ReceiptBody, body, bytes_max=limits.MESSAGE_BYTES_MAX)


def test_receipts_for_more_devices_than_one_carries_come_in_several() -> None:
    """Whatever a group has been through, none is lost and none is longer than a message may be."""
    world, gid, wren, juniper, _ = three(9)
    room = juniper.room(gid)
    devs = [DeviceId(bytes([1, k % 256, k // 256]) + bytes(13)) for k in range(limits.RECEIPT_DEVICES_MAX + 20)]
    for dev in devs:
        track = room.track(dev)
        track.owes = True
        for k in range(40):
            track.have = track.have.add(2 * k + 2)
    wren.post(gid, "and one that is real")
    world.run(20)
    assert not any(track.owes for track in room.tracks.values())


@pytest.mark.parametrize("keeper_stays", [True, False])
def test_a_number_that_was_given_twice_reaches_nobody_who_has_the_other_message(*, keeper_stays: bool) -> None:
    """An old copy of a home, with nobody but a keeper there, says anew what it had said to tansy alone."""
    world, gid, keeper, (wren, tansy) = with_keeper("wren", "tansy")
    world.run(20)
    wren.off()
    old = copy(wren.node.store)
    wren.on()
    world.run(20)
    keeper.off()
    for k in range(6):
        wren.post(gid, f"to tansy {k}")
    world.run(20)
    assert len(tansy.reads(gid)) == 6
    had = tansy.room(gid).track(wren.device(gid)).have
    wren.off()
    tansy.off()
    wren.node.store = old
    keeper.on()
    wren.on()
    again = [wren.post(gid, f"anew {k}") for k in range(6)]
    assert wren.until(lambda: all(wren.told(gid, post)[0] == "sent" for post in again), 60)
    assert [post for post in again if wren.delivery(gid, post).mseq in had]
    if not keeper_stays:
        keeper.off()
    tansy.on()
    world.run(60)
    later = wren.post(gid, "later")
    assert wren.until(lambda: wren.told(gid, later)[0] == "reached", 60)
    world.run(60)
    reads = [record.post for record in tansy.messages(gid)]
    assert not all(post in reads for post in again)
    for post in again:
        assert (wren.told(gid, post)[0] == "reached") == (post in reads)


def test_a_receipt_that_names_no_post_of_ours_covers_nothing() -> None:
    world, gid, wren, juniper, _ = three(9)
    quiet(juniper, gid)
    post = wren.post(gid, "is this the one?")
    world.run(5)
    said = wren.delivery(gid, post)
    assert juniper.member(gid) not in said.reached
    forger = Forger(juniper, gid)
    for mseq, name in ((said.mseq, bytes(16)), (said.mseq + 1, said.name), (said.mseq - 1, said.name)):
        entry = Reached(dev=wren.device(gid), spans=[[1, said.mseq]], mseq=mseq, name=name)
        forger.hands(wren, forger.message(Kind.RECEIPT, encode(ReceiptBody(reached=[entry]))))
        assert juniper.member(gid) not in wren.delivery(gid, post).reached
    entry = Reached(dev=wren.device(gid), spans=[[1, said.mseq]], mseq=said.mseq, name=said.name)
    forger.hands(wren, forger.message(Kind.RECEIPT, encode(ReceiptBody(reached=[entry]))))
    assert juniper.member(gid) in wren.delivery(gid, post).reached
