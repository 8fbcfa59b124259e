"""A keeper from near by: what it sees, what it says, and what those who cheat on either side come to."""

from collections.abc import Iterator

from mesh.errors import Fault
from mesh.events import Effect, FrameReceived, Input, LinkKind, Send, SendStored, Space
from mesh.gossip.delivery import DeliveryState
from mesh.ids import GroupId, TopicId
from mesh.peer.records import JoinStage
from mesh.upkeep import TurnKeeperOff
from mesh.wire.codec import encode
from mesh.wire.keepers import KeepAsk, RangesType, pack_keep, pack_ranges
from mesh.wire.tickets import ticket_from_text
from simulations.checks import blamed
from simulations.people import Person, gather
from simulations.world import Node, World
from tests.peer.liar import Liar
from tests.peer.test_keepers import level, with_keeper


def secrets_of(people: list[Person], gid: GroupId) -> Iterator[tuple[str, bytes]]:
    """Give everything that a keeper must not see: group, members, devices, keys, texts, aliases."""
    yield "group id", gid
    for person in people:
        group = person.group(gid)
        yield "member key", group.own.member_pk
        yield "device id", group.own.dev
        yield "device key", group.own.dev_seed
        yield "alias", person.name.encode()
        for record in group.epochs.values():
            for key in (record.op_id, record.pub_seed, record.sync_key, record.op_key, record.hdr_key):
                if key:
                    yield "epoch", key
        for kem in group.kems.values():
            yield "KEM key", kem.private
        for op in group.log.ops:
            yield "operation", op.op_id
            yield "operation", op.signed.tbs[:64]
        for message in person.messages(gid):
            yield "text", message.body[-12:]
            yield "post", message.post


def test_all_that_a_keeper_sees_and_stores_names_nobody_and_opens_nothing() -> None:
    world = World(1)
    seen: list[bytes] = []

    def watch(node: Node, event: Input, effects: list[Effect]) -> None:
        if node.name == "pi":
            if isinstance(event, FrameReceived):
                seen.append(event.payload)
            seen.extend(effect.payload for effect in effects if isinstance(effect, Send))

    world.watchers.append(watch)
    world, gid, keeper, people = with_keeper("wren", "tansy", world=world)
    wren, tansy = people
    (rowan,) = gather(world, "rowan")
    code = wren.invite(gid)
    for person in (wren, tansy):
        person.post(gid, f"A secret evening of {person.name}")
        world.run(5)
    wren.off()
    tansy.off()
    join = rowan.look(code)
    rowan.until(lambda: rowan.stage(join) is JoinStage.PREVIEW)
    rowan.knock(join, gid)
    world.run(5)
    wren.on()
    world.run(60)
    tansy.on()
    world.run(60)
    assert rowan.stage(join) is JoinStage.JOINED
    for space in Space:
        seen.extend(part for row in keeper.node.store.scan(space) for part in row)
    everything = b"\0".join(seen)
    assert keeper.kept() > 10
    assert len(everything) > 10_000
    found = [what for what, secret in secrets_of([wren, tansy, rowan], gid) if secret in everything]
    assert found == []
    assert keeper.node.peer is not None
    assert keeper.node.peer.state.rooms == {}
    assert blamed(world) == []


def test_a_keeper_that_drops_what_it_acknowledged_is_named_with_its_word_and_reaches_nobody() -> None:
    world, gid, keeper, (wren, tansy) = with_keeper("wren", "tansy")
    tansy.off()
    post = wren.post(gid, "Is anybody there?")
    world.run(5)
    delivery = wren.delivery(gid, post)
    (ticket,) = [ticket_from_text(value) for value in wren.group(gid).view.settings.values()]
    assert dict.fromkeys(delivery.kept) == {ticket.keeper: None}
    assert (delivery.held, delivery.reached, delivery.state) == ({}, frozenset(), DeliveryState.SENT)
    keeper.off()  # it never gave a thing
    tansy.on()
    world.run(60)
    assert tansy.reads(gid) == ["Is anybody there?"]  # the author has it still
    assert wren.told(gid, post) == ("reached", 1, 1)


def test_another_node_than_the_one_of_the_ticket_is_not_taken_for_the_keeper() -> None:
    world, gid, keeper, (wren, tansy) = with_keeper("wren", "tansy")
    tansy.off()
    keeper.off()
    world.run(5)
    mallory = Liar(wren)
    mallory.announce(list(wren.group(gid).topics))
    post = wren.post(gid, "Into the dark.")
    world.run(5)
    assert wren.told(gid, post)[0] == "queued"
    assert [send for send in mallory.heard if send.kind in (LinkKind.KEEP, LinkKind.RANGES)] == []


def test_a_second_keeper_takes_over_by_itself() -> None:
    world, gid, keeper, (wren, tansy) = with_keeper("wren", "tansy")
    (other,) = gather(world, "attic")
    other.keep()
    wren.use_keeper(gid, other.ticket())
    world.run(30)
    tansy.off()
    wren.post(gid, "one")
    world.run(10)
    keeper.off()
    wren.post(gid, "two")
    world.run(10)
    wren.off()
    tansy.on()
    world.run(30)
    assert tansy.reads(gid) == ["one", "two"]
    keeper.on()
    world.run(60)
    wren.on()
    other.off()
    world.run(60)
    assert level(wren, gid)
    assert level(tansy, gid)
    assert blamed(world) == []


def test_a_full_account_keeps_the_newest_and_is_not_pressed_with_the_old() -> None:
    world, gid, keeper, (wren, tansy) = with_keeper("wren", "tansy", quota=40_000)
    tansy.off()
    for k in range(40):
        wren.post(gid, f"evening {k} " + "x" * 900)
        world.run(1)
    world.run(200)
    store = keeper.node.store
    assert sum(len(value) for _, value in store.scan(Space.KEPT)) <= 40_000
    before = keeper.node.commits
    world.run(400)
    assert keeper.node.commits - before < 20
    wren.off()
    tansy.on()
    world.run(30)
    assert tansy.reads(gid)[-1].startswith("evening 39 ")
    tansy.off()
    wren.on()
    world.run(30)
    assert blamed(world) == []


def test_what_has_lain_there_for_too_long_goes() -> None:
    world, gid, keeper, (wren,) = with_keeper("wren", days=3)
    world.run(10)
    kept = keeper.kept()
    assert kept
    wren.off()
    keeper.off()
    world.run(2 * 86_400)
    keeper.on()
    world.run(30)
    assert keeper.kept() == kept
    keeper.off()
    world.run(2 * 86_400)
    keeper.on()
    world.run(30)
    assert keeper.kept() == 0
    assert keeper.node.peer is not None
    assert keeper.node.peer.state.host is not None
    assert list(keeper.node.peer.state.host.shelf.topics) == []
    wren.on()
    world.run(30)
    assert level(wren, gid)


def test_a_keeper_that_is_off_gives_nothing_and_keeps_nothing() -> None:
    world, gid, keeper, (wren, tansy) = with_keeper("wren", "tansy")
    tansy.off()
    world.ask("pi", TurnKeeperOff())
    assert keeper.kept() == 0
    keeper.off()
    keeper.on()
    world.run(30)
    post = wren.post(gid, "Nobody is there.")
    world.run(10)
    assert wren.told(gid, post)[0] == "queued"
    keeper.keep()
    world.run(30)
    assert wren.told(gid, post)[0] == "sent", "those who are linked hear of it; its ticket is good still"
    assert blamed(world) == []


def test_hostile_questions_cost_a_keeper_little_and_say_nothing_of_other_topics() -> None:
    world, gid, keeper, (wren, _) = with_keeper("wren", "tansy")
    world.run(10)
    topic = next(iter(wren.group(gid).topics))
    mallory = Liar(keeper)
    stranger_tag = mallory.table.own_tag(topic)
    for kind in RangesType:
        assert mallory.say(LinkKind.RANGES, pack_ranges(stranger_tag, kind, b"x" * 8)) == []
    mallory.announce([topic])
    for payload, fault in (
        (b"", Fault.MALFORMED),
        (stranger_tag, Fault.MALFORMED),
        (stranger_tag + b"\x09", Fault.MALFORMED),
        (pack_ranges(stranger_tag, RangesType.QUESTION, b"\xc0"), Fault.MALFORMED),
        (pack_ranges(stranger_tag, RangesType.WANT, b"x" * 7), Fault.MALFORMED),
        (pack_ranges(stranger_tag, RangesType.WANT, b""), Fault.MALFORMED),
        (pack_ranges(stranger_tag, RangesType.WANT, b"x" * 8 * 8193), Fault.MALFORMED),
    ):
        before = len(mallory.faults)
        mallory.say(LinkKind.RANGES, payload)
        assert mallory.faults[before:] == [fault]
    given = mallory.say(LinkKind.RANGES, pack_ranges(stranger_tag, RangesType.WANT, b"unknown!"))
    assert [effect for effect in given if isinstance(effect, SendStored)] == []
    for junk in (b"", b"\x01", b"\x02\xc0", b"\x03" + b"x" * 40):
        before = len(mallory.faults)
        mallory.say(LinkKind.KEEP, junk)
        assert mallory.faults[before:] == [Fault.MALFORMED]


def test_one_account_changes_nothing_in_another() -> None:
    world, gid, keeper, (wren, _) = with_keeper("wren", "tansy")
    kept = keeper.kept()
    ticket = ticket_from_text(keeper.ticket(quota=5_000))
    mallory = Liar(keeper)
    for round_ in range(5):
        topics = [TopicId((round_ * 64 + k).to_bytes(32, "big")) for k in range(64)]
        ask = KeepAsk(account=ticket.account, quota=ticket.quota, mac=ticket.mac, days=30, aside=False, topics=topics)
        mallory.say(LinkKind.KEEP, pack_keep(ask))
    own = list(wren.group(gid).topics)
    ask = KeepAsk(account=ticket.account, quota=ticket.quota, mac=ticket.mac, days=30, aside=False, topics=own)
    mallory.say(LinkKind.KEEP, pack_keep(ask))
    assert mallory.faults == []
    assert keeper.kept() == kept
    world.run(30)
    assert level(wren, gid)
    assert len(encode(ask)) < 4096


def test_a_keeper_that_lists_what_it_does_not_give_keeps_nobody_waiting_for_ever() -> None:
    """It says that it has more and gives nothing: then it is not enough to speak, and members still are."""
    world, gid, keeper, (wren, tansy) = with_keeper("wren", "tansy")
    tansy.off()
    wren.post(gid, "said")
    world.run(10)
    wren.off()
    real = keeper.node.store
    for key, _ in real.scan(Space.KEPT):
        real._set(Space.KEPT, key, None)
    tansy.on()
    world.run(60)
    assert not level(tansy, gid)
    post = tansy.post(gid, "I wait.")
    world.run(30)
    assert tansy.told(gid, post)[0] == "queued"
    wren.on()
    world.run(60)
    assert tansy.told(gid, post)[0] == "reached"
    assert tansy.reads(gid) == ["said", "I wait."]
