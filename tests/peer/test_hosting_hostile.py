"""A keeper under hands that mean no good, and a member under a keeper's: what each can be made to cost or to forget."""

import pytest

from mesh.commands import Rekey
from mesh.crypto.keys import public_key
from mesh.errors import Fault
from mesh.events import LinkKind, Space
from mesh.groups.invites import invite_keys
from mesh.ids import AccountId, Address, GroupId, TopicId
from mesh.peer import hosting, links, refilling
from mesh.upkeep import DropKeeper
from mesh.wire import limits
from mesh.wire.codec import decode, encode
from mesh.wire.codes import InviteCode
from mesh.wire.frames import FrameType, join_welcome, seal_frame, topic_of
from mesh.wire.keepers import KeepAsk, KeptSaid, RangesType, pack_keep, pack_ranges
from mesh.wire.ranges import Listed, Printed, RangeAnswer, RangeQuestion
from mesh.wire.tickets import Ticket, ticket_from_text, ticket_to_text
from simulations.people import Person, gather
from simulations.world import World
from tests.peer.liar import Liar
from tests.peer.test_keepers import level, with_keeper


def under(keeper: Person, topics: list[TopicId]) -> list[bytes]:
    """Return what a keeper's store holds of some topics."""
    return [key for key, _ in keeper.node.store.scan(Space.KEPT) if key[:32] in topics]


def junk(seed: bytes, count: int, kind: FrameType = FrameType.MESSAGE, size: int = 3000) -> list[bytes]:
    """Make frames of nothing under a key that one has."""
    return [seal_frame(kind, seed, join_welcome(0, 1, k.to_bytes(4, "big") + bytes(size))) for k in range(count)]


def said_of(person: Person, gid: GroupId, count: int) -> None:
    """Say some things, one after the other."""
    for k in range(count):
        person.post(gid, f"evening {k} " + "x" * 900)
        person.world.run(1)


# ---------------------------------------------------------------- who has keys of a topic


def test_one_who_holds_a_code_makes_a_keeper_forget_nothing_that_was_said() -> None:
    world, gid, keeper, (wren, tansy) = with_keeper("wren", "tansy", quota=100_000)
    code = wren.invite(gid, uses=5)
    tansy.off()
    said_of(wren, gid, 12)
    world.run(5)
    epochs = list(wren.group(gid).topics)
    before = under(keeper, epochs)
    assert len(before) >= 12
    keys = invite_keys(InviteCode.unpack(code.code).seed)
    mallory = Liar(keeper)
    for frame in [
        *junk(keys.invite_seed, 60),
        *junk(keys.invite_seed, 60, FrameType.ENVELOPE),
    ]:
        mallory.say(LinkKind.FRAME, frame)
    assert under(keeper, [topic_of(keys.invite_pk)]) == [], "what speaks under a door's key is nobody's"
    assert under(keeper, epochs) == before
    for frame in junk(keys.invite_seed, 60, FrameType.WELCOME):
        mallory.say(LinkKind.FRAME, frame)
    assert 1 < len(under(keeper, [topic_of(keys.invite_pk)])) < 9, "a quarter"
    assert under(keeper, epochs) == before
    said_of(wren, gid, 10)
    world.run(5)
    wren.off()
    tansy.on()
    world.run(60)
    assert len(tansy.reads(gid)) == 22


def test_one_who_was_removed_makes_it_forget_nothing_that_was_said_since() -> None:
    """Another ticket takes the account from them; the keys of the time before they keep."""
    world, gid, keeper, (wren, tansy, rowan) = with_keeper("wren", "tansy", "rowan", quota=100_000)
    seeds = [record.pub_seed for record in rowan.group(gid).epochs.values()]
    tansy.off()
    rowan.off()
    wren.remove(gid, wren.key_of(gid, "rowan"))
    said_of(wren, gid, 12)
    world.run(5)
    (old,) = [ticket_from_text(value) for value in wren.group(gid).view.settings.values()]
    world.ask("wren", DropKeeper(group=gid, keeper=old.keeper))
    wren.use_keeper(gid, keeper.ticket())
    world.run(30)
    wren.off()
    mallory = Liar(keeper)
    own = [topic_of(public_key(seed)) for seed in seeds]

    def name(topics: list[TopicId]) -> None:
        ask = KeepAsk(account=old.account, quota=old.quota, mac=old.mac, days=1, aside=False, topics=topics)
        mallory.say(LinkKind.KEEP, pack_keep(ask))

    name(own)
    for frame in [one for seed in seeds for kind in (1, 2) for one in junk(seed, 40, FrameType(kind))]:
        mallory.say(LinkKind.FRAME, frame)
    name([TopicId(bytes([k]) * 32) for k in range(64)])
    name(own)
    world.stop("pi")
    world.start("pi")
    tansy.on()
    world.run(60)
    assert len(tansy.reads(gid)) == 12
    assert sorted(tansy.members(gid)) == ["tansy", "wren"]


def test_a_knock_and_its_answer_find_room_where_an_account_is_full() -> None:
    world, gid, keeper, (wren, tansy) = with_keeper("wren", "tansy", quota=100_000)
    tansy.off()
    said_of(wren, gid, 90)
    code = wren.invite(gid)
    world.run(30)
    doors = [topic_of(invite_keys(InviteCode.unpack(code.code).seed).invite_pk)]
    mallory = Liar(keeper)
    keys = invite_keys(InviteCode.unpack(code.code).seed)
    for frame in junk(keys.invite_seed, 3, FrameType.KNOCK):
        mallory.say(LinkKind.FRAME, frame)
    assert len(under(keeper, doors)) == 3


# ---------------------------------------------------------------- what it costs


def test_new_topics_are_taken_no_faster_than_all_links_can_be_told() -> None:
    world, _, keeper, _ = with_keeper("wren", "tansy")
    ticket = ticket_from_text(keeper.ticket())
    mallory = Liar(keeper)

    def name(round_: int) -> bool:
        topics = [TopicId((round_ * 64 + k).to_bytes(32, "big")) for k in range(64)]
        ask = KeepAsk(account=ticket.account, quota=ticket.quota, mac=ticket.mac, days=30, aside=False, topics=topics)
        mallory.say(LinkKind.KEEP, pack_keep(ask))
        assert keeper.node.peer is not None
        assert keeper.node.peer.state.host is not None
        return keeper.node.peer.state.host.shelf.has_topic(topics[-1])

    assert sum(name(round_) for round_ in range(200)) == links.NAMED_BURST // 64
    assert mallory.faults == []
    world.run(64 / links.NAMED_PER_S)
    assert name(1000)


def test_questions_are_answered_no_faster_than_they_are_worth() -> None:
    world, gid, keeper, (wren, _) = with_keeper("wren", "tansy")
    world.run(10)
    topic = next(iter(wren.group(gid).topics))
    mallory = Liar(keeper)
    mallory.announce([topic])
    bounds = [k.to_bytes(8, "big") for k in range(1, limits.RANGES_MAX)]
    ranges = [Printed(upto=upto, count=1, fingerprint=bytes(8)) for upto in [*bounds[:2000], b""]]
    question = encode(RangeQuestion(ticket=1, start=b"", ranges=list(ranges)))
    asked = 0
    while not mallory.faults:
        mallory.say(LinkKind.RANGES, pack_ranges(mallory.table.own_tag(topic), RangesType.QUESTION, question))
        asked += len(question)
        assert asked < 4 * links.ASKED_BYTES_BURST
    assert mallory.faults == [Fault.OVER_LIMIT]
    assert asked > links.ASKED_BYTES_BURST
    world.run(len(question) / links.ASKED_BYTES_PER_S + 1)
    mallory.say(LinkKind.RANGES, pack_ranges(mallory.table.own_tag(topic), RangesType.QUESTION, question))
    assert mallory.faults == [Fault.OVER_LIMIT]


def test_the_indexes_of_all_links_together_stay_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hosting, "_INDEXED_MAX", 100)
    world, gid, keeper, (wren, tansy) = with_keeper("wren", "tansy")
    said_of(wren, gid, 30)
    world.run(5)
    topic = list(wren.group(gid).topics)[-1]
    question = encode(RangeQuestion(ticket=1, start=b"", ranges=[Printed(upto=b"", count=0, fingerprint=bytes(8))]))
    for number in range(10):
        mallory = Liar(keeper, number)
        mallory.announce([topic])
        mallory.say(LinkKind.RANGES, pack_ranges(mallory.table.own_tag(topic), RangesType.QUESTION, question))
        assert [send for send in mallory.heard if send.kind is LinkKind.RANGES], "it is answered all the same"
    peer = keeper.node.peer
    assert peer is not None
    indexed = [len(one.index) for link in peer.state.links.values() for one in link.compared.values()]
    assert max(indexed) > 30
    assert sum(indexed) <= 100
    world.run(120)
    assert level(wren, gid)
    assert level(tansy, gid)


# ---------------------------------------------------------------- a keeper that means no good


def test_a_keeper_that_lists_frames_without_end_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may name no more than a keeper keeps: what it names stands in memory until it is asked for."""
    monkeypatch.setattr(limits, "KEPT_FRAMES_MAX", 20_000)
    world = World(3)
    (wren,) = gather(world, "wren")
    gid = wren.create()
    pi = Liar(wren)
    account = AccountId(b"a" * 16)
    where = (Address(f"/memory/pi/p2p/{pi.ends.speaker}"),)
    wren.use_keeper(gid, ticket_to_text(Ticket(account=account, quota=10**9, mac=bytes(16), addresses=where, note="")))
    pi.announce(list(wren.group(gid).topics))
    said = KeptSaid(account=account, aside=False, accepted=True, topics=1, frames=0, size=0, quota=10**9, oldest_ms=0)
    pi.say(LinkKind.KEEP, pack_keep(said))
    world.run(1)
    pi.say(LinkKind.KEEP, pack_keep(said))
    topic = next(iter(wren.group(gid).topics))
    tag = pi.table.own_tag(topic)
    bounds = [k.to_bytes(2, "big") for k in range(1, 3000)]
    many = [Printed(upto=upto, count=5000, fingerprint=bytes([9]) * 8) for upto in [*bounds, b""]]
    pi.say(LinkKind.RANGES, pack_ranges(tag, RangesType.ANSWER, encode(RangeAnswer(ticket=1, ranges=list(many)))))
    assert pi.faults == []
    asked = 0
    peer = wren.node.peer
    assert peer is not None
    for send in list(pi.heard):
        if send.kind is not LinkKind.RANGES or send.payload[8] != RangesType.QUESTION:
            continue
        question = decode(RangeQuestion, send.payload[9:], bytes_max=limits.RANGE_FRAME_BYTES_MAX)
        if question.ticket == 1:
            continue
        asked += 1
        shorts = b"".join((question.ticket * 4096 + k).to_bytes(8, "big") for k in range(4096))
        listed = RangeAnswer(ticket=question.ticket, ranges=[Listed(upto=question.ranges[-1].upto, shorts=shorts)])
        pi.say(LinkKind.RANGES, pack_ranges(tag, RangesType.ANSWER, encode(listed)))
        rounds = peer.state.links[pi.link].keepers[gid].rounds.values()
        assert sum(len(one.want) for one in rounds) <= 20_000
        if pi.faults:
            break
    assert asked == 5
    assert pi.faults == [Fault.OVER_LIMIT]


def test_a_keeper_that_is_never_done_has_us_index_little(monkeypatch: pytest.MonkeyPatch) -> None:
    """It names one frame that it does not give, and says again and again that it keeps for us."""
    monkeypatch.setattr(refilling, "INDEX_ITEMS_MAX", 100)
    world = World(4)
    (wren,) = gather(world, "wren")
    gid = wren.create()
    world.ask("wren", Rekey(group=gid))
    pi = Liar(wren)
    account = AccountId(b"a" * 16)
    where = (Address(f"/memory/pi/p2p/{pi.ends.speaker}"),)
    wren.use_keeper(gid, ticket_to_text(Ticket(account=account, quota=10**9, mac=bytes(16), addresses=where, note="")))
    pi.announce(list(wren.group(gid).topics))
    said = pack_keep(
        KeptSaid(account=account, aside=False, accepted=True, topics=1, frames=0, size=0, quota=10**9, oldest_ms=0)
    )
    pi.say(LinkKind.KEEP, said)
    world.run(1)
    tags = [pi.table.own_tag(topic) for topic in wren.group(gid).topics]
    seen = 0
    for _ in range(400):
        pi.say(LinkKind.KEEP, said)
        questions = [s.payload for s in pi.heard if s.kind is LinkKind.RANGES][seen:]
        seen += len(questions)
        for payload in questions:
            if payload[8] == RangesType.QUESTION:
                ticket = decode(RangeQuestion, payload[9:], bytes_max=limits.RANGE_FRAME_BYTES_MAX).ticket
                shorts = RangeAnswer(ticket=ticket, ranges=[Listed(upto=b"", shorts=bytes(8))])
                for tag in tags:
                    pi.say(LinkKind.RANGES, pack_ranges(tag, RangesType.ANSWER, encode(shorts)))
            else:
                for tag in tags:
                    pi.say(LinkKind.RANGES, pack_ranges(tag, RangesType.GIVEN))
    asked = [s for s in pi.heard if s.kind is LinkKind.RANGES and s.payload[8] == RangesType.QUESTION]
    peer = wren.node.peer
    assert peer is not None
    at = peer.state.links[pi.link].keepers[gid]
    assert 0 < at.compared_items[1] <= 100
    assert 0 < len(asked) <= 100
    world.run(refilling.INDEX_MS / 1000 + 20)
    later = [s for s in pi.heard if s.kind is LinkKind.RANGES and s.payload[8] == RangesType.QUESTION]
    assert len(later) > len(asked), "and it is asked again when there is time"
