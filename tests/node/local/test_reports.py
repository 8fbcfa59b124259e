"""Reports among five: to stewards and founders alone, never to one whom they concern, and no trace for anybody else."""

import pytest

from mesh.commands import Rank
from mesh.errors import LocalError, RefusedError, RemoteError
from mesh.events import Effect, FrameReceived, Input, Space
from mesh.groups.notes import open_note, read_note
from mesh.ids import GroupId, MemberPk, MsgId, PostId
from mesh.node.local.protocol import JsonObject, JsonValue
from mesh.peer import chores
from mesh.support import reports
from mesh.wire import limits
from mesh.wire.codec import decode, encode
from mesh.wire.messages import Kind, MessageTbs, SignedMessage
from mesh.wire.notes import NoteTag, NoteText, ReportedPost, ReportNote, WordKind, WordNote
from mesh.wire.operations import Cut
from simulations.checks import blamed
from simulations.people import Person, circle
from simulations.world import Node, World
from tests.node.local.test_ladder import REASON, list_of, log, problems, step
from tests.node.local.test_messages import GROUP, call, say
from tests.node.local.test_methods import WorldDesk, part
from tests.peer.forgery import Forger
from tests.peer.test_talking import note_of
from tests.properties.circles import Wire

NOTE = "He writes to me at night."
ANSWER = "Thank you. I talk with them."


def five(seed: int = 3) -> tuple[World, GroupId, list[Person], list[WorldDesk]]:
    """Give wren (founder), juniper and sorrel (stewards), tansy and alder (members) at their desks."""
    world = World(seed)
    gid, people = circle(world, "wren", "juniper", "sorrel", "tansy", "alder")
    world.run(10)
    for person, rank in zip(people[1:], (Rank.STEWARD, Rank.STEWARD, Rank.MEMBER, Rank.MEMBER), strict=True):
        if person.group(gid).rank is not rank:
            people[0].rank(gid, person, rank)
    world.run(20)
    return world, gid, people, [WorldDesk(world, person.name) for person in people]


def report(desk: WorldDesk, message: JsonObject, *beside: JsonObject, **more: JsonValue) -> JsonObject:
    """Report a message, with others beside it."""
    asked: JsonObject = {"message": message["id"], "with": [other["id"] for other in beside], "note": NOTE}
    return call(desk, "report", **{**asked, "wait_s": 5.0, **more})


def listed(desk: WorldDesk) -> list[JsonObject]:
    return list_of(call(desk, "reports.list", group=GROUP), "reports")


def aliases(told: JsonObject, key: str) -> list[JsonValue]:
    return [person["alias"] for person in list_of(told, key)]


def held_by(person: Person) -> list[bytes]:
    return [key + value for space in Space for key, value in person.node.store.scan(space)]


def test_stewards_see_what_was_reported_by_whom_and_the_post_as_its_author_signed_it() -> None:
    world, _, _, (wren, juniper, sorrel, tansy, alder) = five()
    say(tansy, "first")
    bad = say(alder, "an ugly word")
    world.run(5)
    told = report(tansy, bad)
    assert told["told"] is True
    assert sorted(map(str, aliases(part(told, "report"), "to"))) == ["juniper", "sorrel", "wren"]
    world.run(5)
    for desk in (wren, juniper, sorrel):
        (seen,) = listed(desk)
        assert (part(seen, "by")["alias"], part(seen, "about")["alias"]) == ("tansy", "alder")
        assert (seen["text"], seen["closed"], seen["mine"]) == (NOTE, False, False)
        assert "A report or an appeal waits" in problems(desk)
        whole = part(call(desk, "reports.show", report=seen["id"]), "report")
        (post,) = list_of(whole, "posts")
        assert (post["id"], post["text"], post["proved"]) == (bad["id"], "an ugly word", True)
    assert listed(alder) == []
    (copy,) = listed(tansy)
    assert copy["mine"] is True
    call(wren, "reports.answer", report=copy["id"], text="Thank you. I talk with them.", wait_s=5.0)
    world.run(5)
    assert [entry["reason"] for entry in log(tansy, "answer")] == ["Thank you. I talk with them."]
    assert "A report or an appeal waits" not in problems(wren)
    assert "A report or an appeal waits" in problems(juniper), "whether it was dealt with, each sees for themself"
    assert log(alder, "report") == []


@pytest.mark.parametrize("reported", ["alder", "sorrel"])
def test_no_frame_that_the_reported_can_open_holds_the_report_or_that_it_is_one(reported: str) -> None:
    """All frames of the run, tried with all keys that the reported ever has: a member, and one of the stewards."""
    world, gid, people, desks = five(4)
    index = ["wren", "juniper", "sorrel", "tansy", "alder"].index(reported)
    target, desk, tansy = people[index], desks[index], desks[3]
    bad = say(desk, "an ugly word")
    world.run(5)
    wire = Wire.of(world)
    before = target.room(gid).track(people[3].device(gid)).top
    report(tansy, bad)
    world.run(60)
    (key,) = people[3].room(gid).sealed
    note_id, note = key[32:], people[3].room(gid).sealed[key]
    rows = held_by(target)
    sealed = [tbs for tbs in _messages_of(target, gid, people[3]) if tbs[0] > before]
    assert [kind for _, kind, _, _ in sealed if kind == Kind.NOTE] == [Kind.NOTE], "they see that one note was sent"
    for _, kind, uid, body in sealed:
        if kind == Kind.NOTE:
            assert opened_by(target, gid, people[3], uid, body) is None
            assert NOTE.encode() in (opened_by(people[0], gid, people[3], uid, body) or b""), "wren can"
    for secret in (NOTE.encode(), note_id, note.value, b"REPORT"):
        assert not any(secret in row for row in rows)
        assert not any(secret in frame for frame in wire.raw)
    assert problems(desk).count("eport") == 0
    assert listed(desk) == []
    assert wire.raw
    for other, there in zip(people, desks, strict=True):
        if other is not target and other.group(gid).rank <= Rank.STEWARD:
            assert [r["text"] for r in listed(there)] == [NOTE], "the others have it"
    assert blamed(world) == []


@pytest.mark.parametrize("reported", ["alder", "sorrel"])
def test_a_steward_who_answers_and_takes_a_step_does_not_show_the_reported_who_wrote_or_what(reported: str) -> None:
    """All that the reported can open of what was said from the report on, what is kept there, and all that came."""
    world, gid, people, desks = five(12)
    index = ["wren", "juniper", "sorrel", "tansy", "alder"].index(reported)
    target, desk, tansy = people[index], desks[index], people[3]
    bad = say(desk, "an ugly word")
    world.run(5)
    before = {person.name: target.room(gid).track(person.device(gid)).top for person in people}
    rows = set(held_by(target))
    came: list[bytes] = []

    def watch(node: Node, event: Input, effects: list[Effect]) -> None:
        del effects
        if node is target.node and isinstance(event, FrameReceived):
            came.append(event.payload)

    world.watchers.append(watch)
    mine = part(report(desks[3], bad), "report")
    world.run(5)
    call(desks[0], "reports.answer", report=mine["id"], text=ANSWER, wait_s=5.0)
    step(desks[0], reported, "quiet", for_s=3600)
    world.run(60)
    assert [entry["reason"] for entry in log(desk, "word-quiet")] == [REASON]
    (key,) = [key for key, note in tansy.room(gid).sealed.items() if note.mine]
    words = [NOTE.encode(), ANSWER.encode(), key[32:], tansy.room(gid).sealed[key].value]
    who = [b"tansy", tansy.member(gid), tansy.device(gid), tansy.node.peer_id.encode()]
    opened = []
    for person in people:
        for mseq, kind, uid, body in _messages_of(target, gid, person):
            if mseq <= before[person.name] or person is target:
                continue
            plain = opened_by(target, gid, person, uid, body) if kind == Kind.NOTE else None
            opened.append((person.name, kind, body + (plain or b"")))
            assert (plain is None) or person is people[0], "the word of the one who took the step, and no other note"
    assert {(name, kind) for name, kind, _ in opened} >= {("wren", Kind.NOTE), ("wren", Kind.STATEMENT)}
    assert ("tansy", Kind.NOTE) in {(name, kind) for name, kind, _ in opened}, "that she sent one, all see"
    told = [body for _, kind, body in opened if kind in (Kind.NOTE, Kind.STATEMENT)]
    assert sum(REASON.encode() in body for body in told) == 1
    assert not [secret for secret in (*words, *who) for body in told if secret in body]
    kept = [row for row in held_by(target) if row not in rows]
    assert any(REASON.encode() in row for row in kept)
    assert not [secret for secret in words for body in (*kept, *(body for *_, body in opened)) if secret in body]
    about = (bytes.fromhex(str(bad["id"])), target.member(gid))
    said_to_target = [row for row in kept if REASON.encode() in row or any(name in row for name in about)]
    assert said_to_target
    assert not [secret for secret in who for row in said_to_target if secret in row], "nothing joins her to it"
    assert came
    assert not [secret for secret in words for payload in came if secret in payload]
    assert call(desk, "reports.list")["reports"] == []
    shown = [*log(desk, "quiet", "word-quiet", "answer", "report", "word-note"), problems(desk)]
    assert not [secret for secret in ("tansy", NOTE, ANSWER, str(mine["id"])) if secret in str(shown)]
    assert blamed(world) == []


def _messages_of(person: Person, gid: GroupId, author: Person) -> list[tuple[int, int, bytes, bytes]]:
    """All messages of an author that a person's node ever took in and could open: number, kind, uid, body."""
    assert person.node.peer is not None
    found = []
    for (group, dev, mseq), signed in person.node.peer.state.signed.items():
        if group == gid and dev == author.device(gid):
            tbs = decode(MessageTbs, signed.tbs, bytes_max=limits.MESSAGE_BYTES_MAX)
            found.append((mseq, tbs.kind, tbs.uid, tbs.body))
    return found


def opened_by(person: Person, gid: GroupId, author: Person, uid: bytes, body: bytes) -> bytes | None:
    """Return what a person's node opens of a note, with all its keys."""
    assert person.node.peer is not None
    group = person.group(gid)
    return open_note(group, author.device(gid), uid, read_note(group, body), person.node.peer._sealer)


def test_a_report_goes_to_nobody_whose_message_is_in_it_and_to_nobody_at_all_where_none_is_left() -> None:
    world, gid, people, (wren, juniper, sorrel, tansy, alder) = five(5)
    bad, also = say(sorrel, "from a steward"), say(juniper, "and another")
    world.run(5)
    told = part(report(tansy, bad), "report")
    assert sorted(map(str, aliases(told, "to"))) == ["juniper", "wren"]
    told = part(report(tansy, bad, also), "report")
    assert aliases(told, "to") == ["wren"]
    by_founder = say(wren, "from the founder")
    world.run(5)
    own = people[3].group(gid).own.mseq
    with pytest.raises(RefusedError) as refused:
        report(tansy, bad, also, by_founder)
    assert refused.value.code == "E-NOBODY-TO-TELL"
    assert all(word in refused.value.do for word in ("block", "leave", "fork"))
    world.run(30)
    assert people[3].group(gid).own.mseq - own <= 2, "nothing but what nodes say anyway went out"
    assert [len(listed(desk)) for desk in (wren, juniper, sorrel, alder)] == [2, 1, 0, 0]
    with pytest.raises(LocalError) as yours:
        report(tansy, say(tansy, "mine"))
    assert yours.value.code == "E-YOURS"
    with pytest.raises(LocalError):
        report(tansy, bad, note="x" * 1025)
    with pytest.raises(LocalError):
        report(tansy, {"id": "ffffffff"})
    with pytest.raises(LocalError):
        report(tansy, bad, *[bad | {"id": f"{k:08x}"} for k in range(9)])


def test_a_report_waits_for_somebody_to_take_it_and_says_so() -> None:
    world, gid, people, (wren, _, _, tansy, alder) = five(6)
    bad = say(alder, "an ugly word")
    world.run(5)
    for person in (*people[:3], people[4]):
        person.off()
    world.run(5)
    told = report(tansy, bad, wait_s=1.0)
    assert told["told"] is False
    (waiting,) = [entry for entry in list_of(call(tansy, "outbox"), "outbox") if entry["state"] == "queued"]
    assert len(list_of(waiting, "waiting_for")) == 3
    people[3].off(power_cut=True)
    people[3].on()
    people[0].on()
    assert people[3].until(lambda: not any(note.waits for note in people[3].room(gid).sealed.values()))
    world.run(5)
    assert [r["text"] for r in listed(wren)] == [NOTE]


def test_one_who_becomes_a_steward_later_sees_no_earlier_report() -> None:
    world, gid, people, (wren, _, _, tansy, alder) = five(7)
    bad = say(tansy, "an ugly word")
    world.run(5)
    report(alder, bad)
    world.run(5)
    people[0].rank(gid, people[3], Rank.STEWARD)
    world.run(60)
    people[3].off()
    people[3].on()
    world.run(60)
    assert listed(tansy) == []
    assert not any(NOTE.encode() in row for row in held_by(people[3]))
    assert [r["text"] for r in listed(wren)] == [NOTE]


def test_what_the_reporter_cannot_prove_is_shown_as_their_word() -> None:
    world, gid, people, (_, juniper, _, tansy, alder) = five(8)
    bad = say(alder, "an ugly word")
    world.run(5)
    report(tansy, bad)
    world.run(5)
    (true,) = people[0].room(gid).sealed.values()
    forger = Forger(people[3], gid)
    good = reports_post(true.value)
    member = people[4].member(gid)
    bent = ReportedPost(
        post=good.post,
        member=member,
        ts_ms=good.ts_ms,
        text="",
        signed=SignedMessage(tbs=good.signed.tbs, sig=bytes(64)) if good.signed else None,
    )
    others = ReportedPost(post=good.post, member=people[1].member(gid), ts_ms=good.ts_ms, text="", signed=good.signed)
    invented = ReportedPost(post=good.post, member=member, ts_ms=1, text="made up", signed=None)
    rubbish = ReportedPost(
        post=good.post, member=member, ts_ms=1, text="", signed=SignedMessage(tbs=b"\x93", sig=bytes(64))
    )
    for k, post in enumerate((bent, others, invented, rubbish)):
        value = encode(ReportNote(text="see", posts=[post]))
        plain = encode(NoteText(tag=NoteTag.REPORT, id=bytes([k] * 16), value=value))
        forger.hands(people[1], note_of(forger, people[1], plain))
    seen = [r for r in listed(juniper) if r["text"] == "see"]
    assert len(seen) == 4
    texts = []
    for entry in seen:
        (closed,) = list_of(part(call(juniper, "reports.show", report=entry["id"]), "report"), "posts")
        (shown,) = list_of(part(call(juniper, "reports.show", report=entry["id"], open=True), "report"), "posts")
        assert (closed["proved"], shown["proved"], closed["text"]) == (False, False, None)
        assert (closed["closed_by"], shown["closed_by"]) == ("unproved" if shown["text"] else None, None)
        texts.append(shown["text"])
    assert sorted(map(str, texts)) == ["None", "None", "None", "made up"]
    assert blamed(world) == []


def test_the_beginning_of_a_long_post_is_closed_for_nobody_can_tell_whether_a_warning_stood_on_it() -> None:
    world, _, _, (wren, juniper, _, tansy, alder) = five(9)
    call(wren, "own.words", add_words=["river"])
    asked: JsonObject = {"group": GROUP, "text": "ä" * 5000, "mode": "listening", "cw": "grief", "topics": []}
    long = part(call(alder, "post", **asked, wait_s=5.0), "message")
    muted = say(alder, "down by the river")
    world.run(5)
    report(tansy, long)
    report(tansy, muted)
    world.run(5)
    first, second = listed(juniper)

    def posts(desk: WorldDesk, entry: JsonObject, *, opened: bool) -> list[tuple[str, JsonValue]]:
        told = call(desk, "reports.show", report=entry["id"], open=opened)
        return [(str(p["text"])[:4], p["closed_by"]) for p in list_of(part(told, "report"), "posts")]

    for desk in (wren, juniper, tansy):
        assert posts(desk, first, opened=False) == [("None", "unproved")]
        assert posts(desk, first, opened=True) == [("ääää", None)]
    assert posts(wren, second, opened=False) == [("None", "muted-word")]
    assert posts(juniper, second, opened=False) == posts(wren, second, opened=True) == [("down", None)]


def reports_post(value: bytes) -> ReportedPost:
    return decode(ReportNote, value, bytes_max=limits.NOTE_VALUE_BYTES_MAX).posts[0]


def test_posts_fit_a_report_as_they_were_signed_or_cut() -> None:
    def post(k: int, size: int) -> tuple[ReportedPost, str]:
        signed = SignedMessage(tbs=b"t" * size, sig=bytes(64))
        return ReportedPost(
            post=PostId(bytes([k] * 16)), member=MemberPk(bytes(32)), ts_ms=1, text="", signed=signed
        ), "ä" * size

    for sizes in ((10,), (30_000,), (7_000, 300), (300, 7_000), (30_000,) * 8, (900,) * 8):
        value = reports.fit("é" * 512, [post(k, size) for k, size in enumerate(sizes)])
        assert len(encode(value)) <= limits.NOTE_VALUE_BYTES_MAX
        reports.check_report(value)
        for there, size in zip(value.posts, sizes, strict=True):
            assert (there.signed is None) == bool(there.text)
            assert there.signed is not None or there.text.endswith("…") or size < 1000
    assert reports.fit("", [post(0, 7_000)]).posts[0].signed is not None
    with pytest.raises(RemoteError):
        reports.check_report(ReportNote(text="", posts=[post(1, 1)[0]] * 2))


def test_an_answer_goes_to_nobody_who_took_the_id_of_anothers_report() -> None:
    world, gid, people, (_, juniper, _, tansy, alder) = five(8)
    bad = say(alder, "an ugly word")
    world.run(5)
    report(tansy, bad)
    world.run(5)
    [(key, note)] = people[1].room(gid).sealed.items()
    forger = Forger(people[4], gid)
    plain = encode(NoteText(tag=NoteTag.REPORT, id=key[32:], value=note.value))
    forger.hands(people[1], note_of(forger, people[1], plain))
    world.run(5)
    with pytest.raises(LocalError) as refused:
        call(juniper, "reports.answer", report=key[32:].hex(), text="You were right to tell us.", wait_s=5.0)
    assert len(refused.value.candidates) == 2
    whole = key[32:] + people[3].member(gid)
    call(juniper, "reports.answer", report=whole.hex()[:40], text="You were right to tell us.", wait_s=5.0)
    world.run(5)
    assert [there.mine for there in people[4].room(gid).sealed.values()] == []
    assert sorted(there.mine for there in people[3].room(gid).sealed.values()) == [False, True]


def test_what_was_proved_stays_so_whatever_a_removal_still_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who removes, by a changed program, says how much of the removed one's words counts. A signature stays one."""
    world, gid, people, (_, juniper, _, tansy, alder) = five(8)
    bad = say(alder, "an ugly word")
    world.run(5)
    report(tansy, bad)
    world.run(5)
    [seen] = listed(juniper)
    with monkeypatch.context() as changed:
        changed.setattr(chores, "_cut", lambda room, dev, wall_ms: Cut(dev=dev, mseq=0, msg_id=MsgId(bytes(32))))
        people[2].remove(gid, people[4].member(gid))
    world.run(20)
    (post,) = list_of(part(call(juniper, "reports.show", report=seen["id"]), "report"), "posts")
    assert (post["proved"], post["text"]) == (True, "an ugly word")


def test_what_a_device_says_after_its_owner_took_it_out_is_not_proved_to_be_theirs() -> None:
    """It may be in other hands by then: its signature says which device it was, and not who."""
    world, gid, people, (_, juniper, _, tansy, _) = five(9)
    alder, phone = people[4], Person(world, "phone")
    phone.enter_groups_of(alder)
    world.run(30)
    world.partition(("alder",), ("wren", "juniper", "sorrel", "tansy", "phone"))
    world.run(5)
    stolen = phone.post(gid, "said by whoever holds it")
    world.run(5)
    report(tansy, {"id": stolen.hex()})
    world.run(5)
    [seen] = listed(juniper)

    def proved() -> JsonValue:
        (post,) = list_of(part(call(juniper, "reports.show", report=seen["id"]), "report"), "posts")
        return post["proved"]

    assert proved() is True
    alder.remove_device(gid, phone.device(gid))
    world.heal()
    world.run(60)
    assert phone.device(gid) not in people[1].group(gid).view.devices
    assert proved() is False


@pytest.mark.parametrize("goes", ["leaves", "is removed"])
def test_a_report_of_one_who_is_out_is_closed_and_it_is_said_that_no_answer_went(goes: str) -> None:
    world, gid, people, (_, juniper, _, tansy, alder) = five(8)
    bad = say(alder, "an ugly word")
    world.run(5)
    report(tansy, bad)
    world.run(5)
    [seen] = listed(juniper)
    if goes == "leaves":
        people[3].leave(gid)
    else:
        people[2].remove(gid, people[3].member(gid))
    world.run(20)
    told = call(juniper, "reports.answer", report=seen["id"], text="You were right to tell us.", wait_s=5.0)
    assert (told["told"], told["answered"], part(told, "report")["closed"]) == (True, False, True)
    assert "A report or an appeal waits" not in problems(juniper)


def test_an_answer_is_one_only_by_somebody_whom_the_report_went_to() -> None:
    """Juniper and sorrel are stewards, and juniper is reported: her changed program answers what it never got."""
    world, gid, people, (wren, juniper, _, tansy, _) = five(8)
    bad = say(juniper, "an ugly word")
    world.run(3)
    mine = part(report(tansy, bad), "report")
    world.run(3)
    forger = Forger(people[1], gid)
    for k, about in enumerate((bytes.fromhex(str(mine["id"])), b"z" * 16)):
        word = encode(WordNote(kind=WordKind.REPORT, about=about, text="I read what you wrote about me."))
        plain = encode(NoteText(tag=NoteTag.WORD, id=bytes([k] * 16), value=word))
        forger.hands(people[3], note_of(forger, people[3], plain))
    call(wren, "reports.answer", report=mine["id"], text="Thank you.", wait_s=5.0)
    world.run(3)
    assert [(part(e, "by")["alias"], e["reason"]) for e in log(tansy, "answer")] == [("wren", "Thank you.")]
    assert [part(e, "by")["alias"] for e in log(tansy, "word-note")] == ["juniper"] * 2, "a word of hers, and no more"
