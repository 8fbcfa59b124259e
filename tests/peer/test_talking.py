"""Talking as two: what the one who asks and the one who is asked have of it, and what nobody else has."""

import pytest

from mesh.commands import DeclineTalk, NewInvite
from mesh.errors import Fault, LocalError, RefusedError, RemoteError
from mesh.events import Notice, Space
from mesh.groups.authoring import keep_kem
from mesh.groups.group import Means
from mesh.groups.invites import HOUR_MS
from mesh.groups.notes import open_note, seal_note
from mesh.ids import GroupId
from mesh.journal import Journal
from mesh.peer import talking
from mesh.peer.records import JoinStage
from mesh.peer.talking import TALK_HOURS
from mesh.wire import limits
from mesh.wire.codec import decode, encode
from mesh.wire.codes import InviteCode
from mesh.wire.messages import Kind, NoteBody
from mesh.wire.notes import NoteTag, NoteText, TalkOffer
from simulations.chance import SeededSealer
from simulations.checks import Watch, blamed
from simulations.people import Person, circle
from simulations.world import START_WALL_MS, World
from tests.peer.forgery import Forger

DAY_S = 86_400


def group(*names: str, seed: int = 1) -> tuple[World, GroupId, list[Person]]:
    world = World(seed)
    Watch.over(world)
    gid, people = circle(world, *names)
    world.run(20)
    return world, gid, people


def together(world: World, gid: GroupId, wren: Person, tansy: Person) -> GroupId:
    """Wren asks, tansy accepts."""
    new = wren.ask_to_talk(gid, tansy.member(gid))
    world.run(20)
    join = tansy.accept(gid, new)
    assert tansy.until(lambda: tansy.stage(join) is JoinStage.JOINED)
    world.run(20)
    return new


def test_two_talk_and_know_with_whom() -> None:
    world, gid, (wren, tansy, _) = group("wren", "tansy", "sorrel")
    new = wren.ask_to_talk(gid, tansy.member(gid))
    assert wren.talk(gid, new) == "asked"
    world.run(5)
    assert tansy.talk(gid, new) == "offered"
    assert [n.subject for n in tansy.node.notices if n.notice is Notice.TALK] == [new]
    join = tansy.accept(gid, new)
    assert tansy.talk(gid, new) == "joining"
    assert tansy.until(lambda: tansy.stage(join) is JoinStage.JOINED)
    world.run(20)
    tansy.post(new, "thank you for asking")
    world.run(5)
    wren.post(new, "any time")
    world.run(5)
    assert wren.reads(new) == tansy.reads(new) == ["thank you for asking", "any time"]
    assert wren.members(new) == ["amber-otter", "violet-heron"], "under aliases that the group does not know"
    assert (wren.talk(gid, new), tansy.talk(gid, new)) == ("open", "open")
    assert wren.room(gid).talks[new].member == tansy.member(gid)
    assert tansy.room(gid).talks[new].member == wren.member(gid)
    assert blamed(world) == []


def test_the_others_learn_that_a_note_was_sent_and_no_more() -> None:
    world, gid, (wren, tansy, sorrel) = group("wren", "tansy", "sorrel")
    before = len(list(sorrel.node.store.scan(Space.FRAMES)))
    new = together(world, gid, wren, tansy)
    tansy.post(new, "between the two of us")
    world.run(10)
    assert len(list(sorrel.node.store.scan(Space.FRAMES))) > before, "she keeps the note for those who are away"
    secrets = [new, tansy.member(new), wren.member(new), b"between the two of us", b"amber-otter", b"violet-heron"]
    held = [key + value for space in Space for key, value in sorrel.node.store.scan(space)]
    assert not any(secret in row for secret in secrets for row in held)
    assert Notice.TALK not in [notice.notice for notice in sorrel.node.notices]
    topics = set(wren.group(new).topics)
    assert sorrel.node.peer is not None
    assert all(topics.isdisjoint(link.topics.shared) for link in sorrel.node.peer.state.links.values())


def test_a_note_shows_its_readers_alone_what_it_says_and_all_notes_look_alike() -> None:
    """Opened by whoever holds the group's keys, it is always so long, and for a number of devices that is no number."""
    world, gid, (wren, tansy, sorrel) = group("wren", "tansy", "sorrel")
    uid = b"u" * 16
    forger = Forger(wren, gid)
    means = Means(entropy=forger.entropy, sealer=forger.sealer, journal=Journal(), wall_ms=START_WALL_MS)
    bodies = [
        seal_note(wren.group(gid), [who.member(gid)], uid, text, means)
        for who, text in ((tansy, b""), (tansy, b"x" * 8000), (sorrel, b"hello"))
    ]
    assert len({len(body) for body in bodies}) == 1
    notes = [decode(NoteBody, body, bytes_max=limits.MESSAGE_BYTES_MAX) for body in bodies]
    assert all(len({len(wrap) for wrap in note.wraps}) == 1 for note in notes)
    assert not any(wrap in other.wraps for note in notes for wrap in note.wraps for other in notes if other is not note)
    dev = wren.group(gid).own.dev
    assert open_note(tansy.group(gid), dev, uid, notes[0], forger.sealer) == b""
    assert open_note(sorrel.group(gid), dev, uid, notes[2], forger.sealer) == b"hello"
    assert open_note(sorrel.group(gid), dev, uid, notes[0], forger.sealer) is None
    assert open_note(tansy.group(gid), dev, b"v" * 16, notes[0], forger.sealer) is None, "bound to its message"
    assert open_note(tansy.group(gid), sorrel.group(gid).own.dev, uid, notes[0], forger.sealer) is None
    del world


def test_one_who_is_away_for_a_week_finds_the_offer_and_its_maker_need_not_be_there() -> None:
    world, gid, (wren, tansy, sorrel) = group("wren", "tansy", "sorrel")
    tansy.off()
    new = wren.ask_to_talk(gid, sorrel.key_of(gid, "tansy"))
    world.run(60)
    assert wren.talk(gid, new) == "asked"
    wren.off()
    for person in (wren, tansy, sorrel):
        person.node.skew_ms = 7 * DAY_S * 1000
    tansy.on()
    assert tansy.until(lambda: tansy.talk(gid, new) == "offered", 120), "sorrel, who cannot open it, handed it on"
    join = tansy.accept(gid, new)
    tansy.off()
    wren.on()
    tansy.on()
    assert tansy.until(lambda: tansy.stage(join) is JoinStage.JOINED, 1200)
    assert blamed(world) == []


def test_an_offer_made_while_nobody_is_there_waits_and_asking_twice_is_asking_once() -> None:
    world, gid, (wren, tansy) = group("wren", "tansy")
    member = tansy.member(gid)
    tansy.off()
    world.run(30)
    new = wren.ask_to_talk(gid, member)
    assert wren.talk(gid, new) == "waiting"
    wren.off(power_cut=True)
    wren.on()
    assert wren.ask_to_talk(gid, member) == new
    tansy.on()
    assert tansy.until(lambda: tansy.talk(gid, new) == "offered", 60)
    together_join = tansy.accept(gid, new)
    assert tansy.accept(gid, new) == together_join
    assert tansy.until(lambda: tansy.stage(together_join) is JoinStage.JOINED)
    world.run(10)
    assert wren.ask_to_talk(gid, member) == new
    assert tansy.ask_to_talk(gid, wren.member(gid)) == new, "whoever asks"


def test_one_who_declines_sends_nothing_and_can_come_round() -> None:
    world, gid, (wren, tansy) = group("wren", "tansy")
    new = wren.ask_to_talk(gid, tansy.member(gid))
    world.run(20)
    sent = tansy.group(gid).own.mseq
    world.ask("tansy", DeclineTalk(group=gid, talk=new))
    world.run(60)
    assert tansy.group(gid).own.mseq == sent, "nobody is told"
    tansy.off()
    tansy.on()
    assert tansy.talk(gid, new) == "declined"
    assert wren.talk(gid, new) == "asked"
    join = tansy.accept(gid, new)
    assert tansy.until(lambda: tansy.stage(join) is JoinStage.JOINED)


def test_two_who_ask_each_other_at_once_have_both_offers() -> None:
    world, gid, (wren, tansy) = group("wren", "tansy")
    one = wren.ask_to_talk(gid, tansy.member(gid))
    other = tansy.ask_to_talk(gid, wren.member(gid), alias="violet-heron")
    world.run(20)
    assert (tansy.talk(gid, one), wren.talk(gid, other)) == ("offered", "offered")
    join = tansy.accept(gid, one)
    assert tansy.until(lambda: tansy.stage(join) is JoinStage.JOINED)
    assert wren.talk(gid, other) == "offered", "either can be taken, or both"


def test_nobody_else_comes_in_and_either_can_end_it() -> None:
    world, gid, (wren, tansy) = group("wren", "tansy")
    new = together(world, gid, wren, tansy)
    with pytest.raises(RefusedError):
        world.ask("wren", NewInvite(group=new, uses=1, hours=1, approvals=None, note=""))
    with pytest.raises(RefusedError):
        wren.fork(new)
    tansy.leave(new, wipe=True)
    world.run(30)
    assert wren.talk(gid, new) == "ended"
    assert new not in tansy.room(gid).talks, "what was wiped leaves no word of with whom it was"
    assert tansy.node.store.get(Space.TALKS, gid + new) is None
    again = wren.ask_to_talk(gid, tansy.member(gid))
    assert again != new


def test_an_offer_runs_out() -> None:
    world, gid, (wren, tansy) = group("wren", "tansy")
    new = wren.ask_to_talk(gid, tansy.member(gid))
    world.run(20)
    for person in (wren, tansy):
        person.node.skew_ms = (TALK_HOURS + 1) * HOUR_MS
    with pytest.raises(RefusedError):
        tansy.accept(gid, new)
    world.run(40)
    assert (wren.talk(gid, new), tansy.talk(gid, new)) == ("expired", "none")


# ---------------------------------------------------------------- hostile notes


def offered(person: Person, gid: GroupId) -> list[GroupId]:
    return [new for new, talk in person.room(gid).talks.items() if not talk.mine]


def note_of(forger: Forger, victim: Person, plain: bytes) -> bytes:
    """A note that says anything."""
    group, uid = forger.group, forger.entropy.draw(16)
    means = Means(entropy=forger.entropy, sealer=forger.sealer, journal=Journal(), wall_ms=START_WALL_MS)
    return forger.message(Kind.NOTE, seal_note(group, [victim.member(group.gid)], uid, plain, means), uid=uid)


def text_of(offer: TalkOffer) -> bytes:
    return encode(NoteText(tag=NoteTag.TALK, id=bytes(16), value=encode(offer)))


def true_offer(person: Person, gid: GroupId, new: GroupId) -> TalkOffer:
    """What an offer that somebody got says."""
    talk = person.room(gid).talks[new]
    return TalkOffer(code=talk.code, gid=new, preview=talk.preview, addresses=[])


def test_notes_that_make_no_sense_are_passed_over() -> None:
    world, gid, (wren, mallory, tansy) = group("wren", "mallory", "tansy")
    new = wren.ask_to_talk(gid, tansy.member(gid))
    world.run(20)
    good = true_offer(tansy, gid, new)
    code = InviteCode.unpack(good.code)
    other_code = InviteCode(seed=b"s" * 16, gid_prefix=code.gid_prefix, expiry_hour=code.expiry_hour).pack()
    forger = Forger(mallory, gid)
    for plain in (
        b"",
        b"rubbish",
        encode(NoteText(tag=77, id=bytes(16), value=b"later")),
        encode(NoteText(tag=NoteTag.TALK, id=bytes(16), value=b"rubbish")),
        text_of(TalkOffer(code=b"\xff" * 38, gid=new, preview=good.preview, addresses=[])),
        text_of(TalkOffer(code=other_code, gid=new, preview=good.preview, addresses=[])),
        text_of(TalkOffer(code=good.code, gid=GroupId(b"g" * 32), preview=good.preview, addresses=[])),
        text_of(TalkOffer(code=good.code, gid=new, preview=b"", addresses=[])),
        text_of(TalkOffer(code=good.code, gid=new, preview=good.preview[:-1], addresses=[])),
    ):
        forger.hands(tansy, note_of(forger, tansy, plain))
    assert offered(tansy, gid) == [new]
    assert tansy.node.blames == [], "nobody else could have read them"


def test_notes_of_another_form_are_refused() -> None:
    world, gid, (wren, mallory, tansy) = group("wren", "mallory", "tansy")
    del wren
    forger = Forger(mallory, gid)
    for body in (b"", encode(NoteText(tag=1, id=bytes(16), value=b"x")), b"\x92" + bytes(100)):
        forger.hands(tansy, forger.message(Kind.NOTE, body))
    assert len(tansy.node.blames) == 3
    world.run(5)


def test_an_offer_is_for_whom_it_names_and_nobody_hands_it_on_as_their_own() -> None:
    """Mallory is asked by wren, and hands wren's code to tansy: tansy would talk with wren, and think it mallory."""
    world, gid, (wren, mallory, tansy) = group("wren", "mallory", "tansy")
    new = wren.ask_to_talk(gid, mallory.member(gid))
    world.run(20)
    offer = true_offer(mallory, gid, new)
    forger = Forger(mallory, gid)
    forger.hands(tansy, note_of(forger, tansy, text_of(offer)))
    assert offered(tansy, gid) == []


def test_a_note_that_is_said_again_by_another_opens_for_nobody() -> None:
    world, gid, (wren, mallory, tansy) = group("wren", "mallory", "tansy")
    forger = Forger(wren, gid)
    means = Means(entropy=forger.entropy, sealer=forger.sealer, journal=Journal(), wall_ms=START_WALL_MS)
    uid = b"u" * 16
    body = seal_note(wren.group(gid), [tansy.member(gid)], uid, b"something", means)
    copy = Forger(mallory, gid)
    copy.hands(tansy, copy.message(Kind.NOTE, body, uid=uid))
    note = decode(NoteBody, body, bytes_max=limits.MESSAGE_BYTES_MAX)
    assert open_note(tansy.group(gid), mallory.group(gid).own.dev, uid, note, forger.sealer) is None
    assert offered(tansy, gid) == []
    assert tansy.node.blames == []
    del world


def test_an_ordinary_group_is_no_conversation_of_two() -> None:
    """Whoever accepts must not come into a group of many."""
    world, gid, (wren, mallory, tansy) = group("wren", "mallory", "tansy")
    del wren
    new = mallory.ask_to_talk(gid, tansy.member(gid))
    elsewhere = mallory.create("a party")
    code = mallory.invite(elsewhere)
    talk = mallory.room(gid).talks[new]
    assert talk.mine
    offer = TalkOffer(code=code.code, gid=elsewhere, preview=b"", addresses=[])
    forger = Forger(mallory, gid)
    forger.hands(tansy, note_of(forger, tansy, text_of(offer)))
    world.run(20)
    assert offered(tansy, gid) == [new]


def test_a_flood_of_offers_is_kept_short() -> None:
    world, gid, (wren, mallory, tansy) = group("wren", "mallory", "tansy")
    member = tansy.member(gid)
    for _ in range(limits.TALKS_PER_MEMBER_MAX + 3):
        new = mallory.ask_to_talk(gid, member)
        world.run(5)
        mallory.leave(new)  # so that asking again is a new offer
        if new in tansy.room(gid).talks:
            world.ask("tansy", DeclineTalk(group=gid, talk=new))
    assert len(offered(tansy, gid)) == limits.TALKS_PER_MEMBER_MAX
    other = wren.ask_to_talk(gid, member)
    world.run(20)
    assert tansy.talk(gid, other) == "offered", "and others are heard all the same"


def test_whoever_asks_does_not_say_for_ever_that_they_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """An offer names its own end; four that never end would keep their maker's place, declined or not."""
    world, gid, (mallory, tansy) = group("mallory", "tansy")
    with monkeypatch.context() as forged:
        forged.setattr(talking, "TALK_HOURS", 100_000)
        new = mallory.ask_to_talk(gid, tansy.member(gid))
        world.run(20)
        assert offered(tansy, gid) == [new]
    for person in (mallory, tansy):
        person.node.skew_ms = (TALK_HOURS + 2) * HOUR_MS
    world.run(40)
    assert offered(tansy, gid) == []


def test_a_flood_of_notes_is_not_tried_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each costs whoever it is not for some hundred openings; one who asks many people needs no more notes than so."""
    world, gid, (wren, mallory, tansy) = group("wren", "mallory", "tansy")
    tried: list[bytes] = []
    plain = SeededSealer.open

    def counted(sealer: SeededSealer, suite: int, private: bytes, info: bytes, sealed: bytes) -> bytes:
        tried.append(sealed)
        return plain(sealer, suite, private, info, sealed)

    forger = Forger(mallory, gid)
    monkeypatch.setattr(SeededSealer, "open", counted)
    for _ in range(limits.NOTES_OF_A_MEMBER_MAX):
        forger.hands(tansy, note_of(forger, wren, b"for wren"))
    spent = len(tried)
    assert spent >= limits.NOTES_OF_A_MEMBER_MAX * limits.NOTE_WRAPS
    for _ in range(10):
        forger.hands(tansy, note_of(forger, wren, b"for wren"))
    assert len(tried) == spent
    assert tansy.node.blames == []
    new = wren.ask_to_talk(gid, tansy.member(gid))
    world.run(20)
    assert offered(tansy, gid) == [new], "others are heard all the same"


def test_a_note_is_tried_with_the_newest_keys_and_too_many_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """A member who makes epochs that leave somebody out has them make a key for each."""
    _, gid, (wren, tansy) = group("wren", "tansy")
    forger, holder = Forger(wren, gid), tansy.group(gid)
    means = Means(entropy=forger.entropy, sealer=forger.sealer, journal=Journal(), wall_ms=START_WALL_MS)
    body = decode(
        NoteBody, seal_note(wren.group(gid), [tansy.member(gid)], b"u" * 16, b"hello", means), bytes_max=70_000
    )
    first = max(holder.kems) + 1
    for number in range(first, first + limits.KEMS_MAX):
        keep_kem(holder, number, *forger.sealer.generate(holder.suite), means)
    assert sorted(holder.kems) == list(range(first, first + limits.KEMS_MAX))
    tried: list[bytes] = []

    def none_opens(sealer: SeededSealer, suite: int, private: bytes, info: bytes, sealed: bytes) -> bytes:
        tried.append(private)
        raise RemoteError(Fault.UNREADABLE, "not for us")

    monkeypatch.setattr(SeededSealer, "open", none_opens)
    assert open_note(holder, forger.group.own.dev, b"u" * 16, body, forger.sealer) is None
    newest = [holder.kems[number].private for number in sorted(holder.kems)[-limits.NOTE_KEYS_MAX :]]
    assert sorted(tried) == sorted(newest * limits.NOTE_WRAPS)


def test_one_is_asked_in_a_group_where_both_are_and_nowhere_else() -> None:
    world, gid, (wren, tansy) = group("wren", "tansy")
    with pytest.raises(LocalError):
        wren.ask_to_talk(gid, wren.member(gid))
    new = together(world, gid, wren, tansy)
    with pytest.raises(RefusedError):
        wren.ask_to_talk(new, tansy.member(new))
