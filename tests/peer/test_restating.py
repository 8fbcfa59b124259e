"""Restating: who did not hear it said is handed on what stands, as it was signed, and no more and nothing false."""

import pytest
from msgspec.structs import replace

from mesh.commands import Rank
from mesh.events import Space
from mesh.groups.messaging import Wording, seal_message
from mesh.groups.records import load
from mesh.ids import GroupId, PostId
from mesh.journal import Journal
from mesh.peer.originals import original_of
from mesh.peer.records import MessageRecord
from mesh.wire import limits
from mesh.wire.codec import decode, encode
from mesh.wire.messages import Flag, Kind, MessageTbs, SignedMessage, StatementBody
from mesh.wire.sessions import StatementsBody, WantStatementsBody
from mesh.wire.statements import FlagValue, Form, PinValue
from simulations.checks import agree, blamed
from simulations.people import Person
from simulations.world import World
from tests.peer.forgery import Forger
from tests.peer.liar import Liar
from tests.peer.test_stating import HOUR_MS, flag_of, four, states


def pinned(seed: int) -> tuple[World, GroupId, list[Person], PostId]:
    """Give four in a group in which juniper, who moderates, pinned what wren said, and sorrel flagged it."""
    world, gid, people, post = four(seed)
    wren, juniper, sorrel, _ = people
    wren.rank(gid, juniper, Rank.MODERATOR)
    world.run(10)
    juniper.pin(gid, post)
    sorrel.flag(gid, post)
    world.run(10)
    return world, gid, people, post


def test_newcomers_get_what_stands_though_they_see_nothing_of_what_was_said() -> None:
    world, gid, people, post = pinned(3)
    wren = people[0]
    alder = Person(world, "alder")
    alder.join(gid, wren.invite(gid))
    world.run(30)
    assert alder.reads(gid) == [], "the setting `history` is none"
    assert alder.pinned(gid) == [post]
    assert alder.flagged(gid) == {post: ["sorrel"]}
    alder.off()
    alder.on()
    assert alder.pinned(gid) == [post], "it is kept"
    for other in people[1:]:
        other.off()
    bramble = Person(world, "bramble")
    bramble.join(gid, wren.invite(gid))
    assert world.run_until(lambda: "bramble" in alder.members(gid), 5), "of whom nobody has heard, nobody is told"
    assert bramble.pinned(gid) == [], "it did not come from wren"
    wren.off()
    world.run(30)
    assert bramble.pinned(gid) == [post]
    assert blamed(world) == []


def test_one_who_was_handed_it_hands_it_on() -> None:
    world, gid, people, post = pinned(4)
    wren = people[0]
    alder = Person(world, "alder")
    alder.join(gid, wren.invite(gid))
    world.run(30)
    wren.rank(gid, alder, Rank.MODERATOR)
    world.run(10)
    for other in people:
        other.off()
    bramble = Person(world, "bramble")
    bramble.join(gid, alder.invite(gid))
    world.run(30)
    assert bramble.pinned(gid) == [post]
    assert bramble.flagged(gid) == {post: ["sorrel"]}


def test_a_further_device_gets_it_too() -> None:
    world, gid, people, post = pinned(5)
    laptop = Person(world, "laptop")
    laptop.enter_groups_of(people[1])
    world.run(30)
    assert laptop.pinned(gid) == [post]
    assert laptop.flagged(gid) == {post: ["sorrel"]}
    laptop.pin(gid, post, holds=False)
    world.run(10)
    assert [p.pinned(gid) for p in (*people, laptop)] == [[]] * 5
    assert agree(gid, [*people, laptop]) == []


def test_who_has_the_same_is_sent_nothing() -> None:
    world, gid, people, _ = pinned(6)
    wren, juniper, *_ = people
    for person in people:
        person.off()
        person.on()
    world.run(60)
    liar = liar_of(world, gid, people)
    known = [row.msg_id for row in rows(wren, gid)]
    liar.tell(WantStatementsBody(ticket=7, after=b"", have=bytes(32)))
    (given,) = [body for body in liar.said(juniper.group(gid)) if isinstance(body, StatementsBody)]
    assert len(given.messages) == len(known) == 2
    assert given.after == b""
    liar.tell(WantStatementsBody(ticket=8, after=b"", have=bytes(32)))
    liar.tell(WantStatementsBody(ticket=9, after=bytes(34), have=bytes(32)))
    told = [body for body in liar.said(juniper.group(gid)) if isinstance(body, StatementsBody)]
    assert len(told) == 1, "asked over and over, or for a page that is not the next, it says nothing"
    assert liar.faults == []


def rows(person: Person, gid: GroupId) -> list[MessageRecord]:
    """What a person's store holds of statements."""
    return [load(MessageRecord, value) for _, value in person.node.store.scan(Space.STATEMENTS, gid)]


def liar_of(world: World, gid: GroupId, people: list[Person]) -> Liar:
    """Link somebody with wren by hand who has all of juniper's keys, while juniper is away."""
    wren, juniper, *_ = people
    group = juniper.group(gid)
    liar = Liar(wren)
    epoch = group.epoch
    assert epoch is not None
    liar.announce([topic for topic, known in group.topics.items() if known == epoch])
    liar.prove(group, epoch)
    world.run(1)
    return liar


def test_nobody_who_is_out_is_given_anything() -> None:
    world, gid, people, _ = pinned(7)
    wren, juniper, _, tansy = people
    group = tansy.group(gid)
    epoch = group.epoch
    assert epoch is not None
    wren.remove(gid, tansy.member(gid))
    tansy.off()
    world.run(20)
    liar = Liar(wren)
    liar.announce([topic for topic, known in group.topics.items() if known == epoch])
    liar.prove(group, epoch)
    liar.tell(WantStatementsBody(ticket=1, after=b"", have=bytes(32)))
    world.run(20)
    assert not [body for body in liar.said(group) if isinstance(body, StatementsBody | WantStatementsBody)]
    assert juniper.pinned(gid) == wren.pinned(gid)


def stated_by(forger: Forger, body: bytes, *, kind: Kind = Kind.STATEMENT, flags: int = 0) -> SignedMessage:
    """Sign something as a changed program may, without sealing it to anybody."""
    group, world = forger.group, forger.person.world
    epoch = group.epoch
    assert epoch is not None
    wording = Wording(
        uid=forger.entropy.draw(16),
        kind=kind,
        parents=(),
        ts_ms=world.instant(forger.person.node).wall_ms,
        flags=flags,
        body=body,
    )
    return seal_message(group, epoch, wording, forger.means()).signed


@pytest.mark.parametrize("bent", ["post", "no-history", "not a statement", "foreign", "signature", "shut"])
def test_what_no_honest_member_hands_on_is_not_taken_in_and_is_held_against_the_giver(bent: str) -> None:
    world, gid, people, post = pinned(8)
    wren, _, _, tansy = people
    forger = Forger(tansy, gid)
    good = stated_by(forger, flag_of(post))
    tbs = decode(MessageTbs, good.tbs, bytes_max=limits.MESSAGE_BYTES_MAX)
    match bent:
        case "post":
            bad = stated_by(forger, b"\x90", kind=Kind.BEACON)
        case "no-history":
            bad = stated_by(forger, flag_of(post), flags=Flag.NO_HISTORY)
        case "not a statement":
            bad = stated_by(forger, b"\x90")
        case "foreign":
            bad = SignedMessage(tbs=encode(replace(tbs, gid=GroupId(bytes(32)))), sig=good.sig)
        case "signature":
            bad = SignedMessage(tbs=encode(replace(tbs, ts_ms=tbs.ts_ms + 1)), sig=good.sig)
        case _:
            bad = SignedMessage(tbs=b"\x90", sig=bytes(64))
    before = [row.msg_id for row in rows(wren, gid)]
    asked = asked_of(world, gid, wren, tansy)
    forger.tells(wren, StatementsBody(ticket=asked, after=b"", messages=[bad]))
    assert [row.msg_id for row in rows(wren, gid)] == before
    assert len(blamed(world)) == 1


def test_what_any_member_could_have_said_is_taken_in() -> None:
    world, gid, people, post = pinned(8)
    wren, _, _, tansy = people
    forger = Forger(tansy, gid)
    good = stated_by(forger, flag_of(post))
    asked = asked_of(world, gid, wren, tansy)
    forger.tells(wren, StatementsBody(ticket=asked, after=b"", messages=[good, good]))
    assert wren.flagged(gid) == {post: ["sorrel", "tansy"]}
    assert blamed(world) == []


def asked_of(world: World, gid: GroupId, asker: Person, giver: Person) -> int:
    """Have somebody ask a giver what stands, and keep the answer under way; return the ticket."""
    for name in world.nodes:
        if name not in (asker.name, giver.name):
            world.stop(name)
    world.flap(asker.name, giver.name)
    ok = world.run_until(lambda: asker.room(gid).asking_stated is not None and linked(asker, giver, gid), 60)
    assert ok, "nobody asked"
    asking = asker.room(gid).asking_stated
    assert asking is not None
    return asking.ticket


def linked(asker: Person, giver: Person, gid: GroupId) -> bool:
    """Say whether the two have proved themselves to each other."""
    peer = giver.node.peer
    assert peer is not None
    return any(link.session(gid).out is not None for link in peer.state.links.values())


def test_what_was_not_asked_for_is_held_against_whoever_says_it_and_late_answers_are_not() -> None:
    world, gid, people, post = pinned(9)
    wren, _, _, tansy = people
    forger = Forger(tansy, gid)
    good = stated_by(forger, flag_of(post))
    forger.tells(wren, StatementsBody(ticket=2**31, after=b"", messages=[good]))
    assert len(blamed(world)) == 1
    forger.tells(wren, StatementsBody(ticket=1, after=b"", messages=[good]))
    assert len(blamed(world)) == 1
    assert tansy.member(gid) not in {row.member for row in rows(wren, gid)}


def test_pages_that_do_not_go_on_are_a_fault() -> None:
    world, gid, people, post = pinned(10)
    wren, _, _, tansy = people
    asked = asked_of(world, gid, wren, tansy)
    forger = Forger(tansy, gid)
    forger.tells(wren, StatementsBody(ticket=asked, after=b"\x01" * 34, messages=[]))
    asking = wren.room(gid).asking_stated
    assert asking is not None
    assert (asking.after, asking.pages) == (b"\x01" * 34, 2)
    forger.tells(wren, StatementsBody(ticket=asking.ticket, after=b"\x01" * 34, messages=[]))
    assert len(blamed(world)) == 1
    assert post in wren.flagged(gid)


def test_many_statements_go_page_by_page_and_come_whole() -> None:
    world, gid, people, _ = four(11)
    wren, juniper, sorrel, tansy = people
    for author in (juniper, sorrel, tansy):
        forger = Forger(author, gid)
        for k in range(64):
            value = encode(FlagValue(holds=True))
            body = StatementBody(form=Form.FLAG, subject=k.to_bytes(16, "big"), lasts_s=0, value=value)
            states(forger, [wren], encode(body))
    assert len(rows(wren, gid)) == 3 * 64
    alder = Person(world, "alder")
    for other in (juniper, sorrel, tansy):
        other.off()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(limits, "SESSION_CHUNK_BYTES", 8 * 1024)
        alder.join(gid, wren.invite(gid))
        world.run(40)
    assert alder.flagged(gid) == wren.flagged(gid)
    assert len(rows(alder, gid)) == 3 * 64


def test_what_is_over_or_past_a_cut_is_not_handed_on() -> None:
    world, gid, people, post = pinned(12)
    wren, juniper, sorrel, tansy = people
    states(Forger(tansy, gid), [wren, juniper, sorrel], flag_of(post, lasts_s=3600))
    wren.remove(gid, tansy.member(gid))
    world.run(20)
    for node in world.nodes.values():
        node.skew_ms += HOUR_MS
    alder = Person(world, "alder", skew_ms=HOUR_MS)
    alder.join(gid, wren.invite(gid))
    world.run(30)
    assert {row.member for row in rows(alder, gid)} == {juniper.member(gid), sorrel.member(gid)}
    assert alder.flagged(gid) == {post: ["sorrel"]}


def test_a_statement_that_is_not_to_be_handed_on_is_none_and_sets_nobody_against_another() -> None:
    world, gid, people, post = pinned(3)
    wren, juniper, sorrel, tansy = people
    forger = Forger(tansy, gid)
    now_ms = world.instant(tansy.node).wall_ms
    wording = Wording(
        uid=forger.entropy.draw(16),
        kind=Kind.STATEMENT,
        parents=(),
        ts_ms=now_ms,
        flags=Flag.NO_HISTORY,
        body=flag_of(post),
    )
    assert forger.group.epoch is not None
    frame = seal_message(forger.group, forger.group.epoch, wording, forger.means()).frame
    for person in (wren, juniper, sorrel):
        forger.hands(person, frame)
    world.run(5)
    before = blamed(world)
    assert before, "it is held against whoever said it"
    alder = Person(world, "alder")
    alder.join(gid, wren.invite(gid))
    world.run(60)
    assert blamed(world) == before, "who hands on what stands is not held to have done wrong"
    assert alder.pinned(gid) == [post]
    assert alder.flagged(gid) == {post: ["sorrel"]}


def test_one_who_was_removed_says_nothing_more_under_an_old_number() -> None:
    world, gid, people, post = pinned(3)
    wren, juniper, sorrel, _ = people
    forger = Forger(juniper, gid)
    juniper.off()
    world.run(3)
    wren.remove(gid, wren.key_of(gid, "juniper"))
    world.run(20)
    assert wren.pinned(gid) == [post]
    forger.group.set_own(Journal(), mseq=1)  # the next number is 2, which was something else and is before the cut
    body = encode(StatementBody(form=Form.PIN, subject=bytes(16), lasts_s=0, value=encode(PinValue(holds=True))))
    wording = Wording(
        uid=forger.entropy.draw(16),
        kind=Kind.STATEMENT,
        parents=(),
        ts_ms=world.instant(wren.node).wall_ms,
        flags=0,
        body=body,
    )
    assert forger.group.epoch is not None
    signed = seal_message(forger.group, forger.group.epoch, wording, forger.means()).signed
    ticket = asked_of(world, gid, wren, sorrel)
    Forger(sorrel, gid).tells(wren, StatementsBody(ticket=ticket, after=b"", messages=[signed]))
    world.run(10)
    assert wren.pinned(gid) == [post]
    assert signed.tbs not in [original_of(gid, there.record).tbs for there in wren.room(gid).statements]
