"""Noting: what is said under seal waits for somebody to take it, reaches whom it is for, and stays with them alone."""

import pytest

from mesh.commands import CloseNote, Rank, SayNote
from mesh.errors import LocalError, RefusedError
from mesh.events import Notice, Space
from mesh.groups.forgetting import DAY_MS
from mesh.groups.notes import seal_note, shares
from mesh.ids import GroupId, MemberPk, PostId
from mesh.peer.noting import has_nobody_left
from mesh.peer.records import NoteRecord
from mesh.peer.tracks import Tried
from mesh.support.tags import TAGS
from mesh.wire import limits
from mesh.wire.codec import decode, encode
from mesh.wire.messages import Kind
from mesh.wire.notes import AppealNote, NoteTag, NoteText, ShareQuestion, WordKind, WordNote
from simulations.checks import Watch, blamed
from simulations.people import Person, circle
from simulations.world import START_WALL_MS, World
from tests.peer.forgery import Forger
from tests.peer.test_talking import note_of

HOUR_S = 3600


def group(seed: int = 1, *, settings: tuple[tuple[str, str], ...] = ()) -> tuple[World, GroupId, list[Person]]:
    """Give wren, who founded it; juniper and sorrel, whom she made stewards; and tansy."""
    world = World(seed)
    Watch.over(world)
    gid, people = circle(world, "wren", "juniper", "sorrel", "tansy", settings=settings)
    world.run(10)
    for person, rank in zip(people[1:], (Rank.STEWARD, Rank.STEWARD, Rank.MEMBER), strict=True):
        if person.group(gid).rank is not rank:
            people[0].rank(gid, person, rank)
    world.run(20)
    return world, gid, people


def appeal(text: str = "please look again") -> bytes:
    return encode(AppealNote(about=b"", text=text))


def says(person: Person, gid: GroupId, to: list[Person], value: bytes, tag: NoteTag = NoteTag.APPEAL) -> bytes:
    members = tuple(person.key_of(gid, other.name) for other in to)
    return person.world.ask(person.name, SayNote(group=gid, tag=tag, to=members, value=value))


def notes(person: Person, gid: GroupId) -> list[NoteRecord]:
    """What others said to this person under seal."""
    return [note for note in person.room(gid).sealed.values() if not note.mine]


def heard(person: Person, gid: GroupId) -> list[str]:
    return [decode(AppealNote, note.value, bytes_max=8192).text for note in notes(person, gid)]


def test_several_are_told_and_nobody_else_learns_more_than_that_a_note_was_sent() -> None:
    world, gid, (wren, juniper, sorrel, tansy) = group()
    before = tansy.group(gid).own.mseq
    note = says(tansy, gid, [wren, juniper], appeal())
    world.run(10)
    assert heard(wren, gid) == heard(juniper, gid) == ["please look again"]
    assert notes(sorrel, gid) == []
    assert [n.subject for n in wren.node.notices if n.notice is Notice.SUPPORT] == [b"\0\4" + note]
    assert [n for n in sorrel.node.notices if n.notice is Notice.SUPPORT] == []
    held = [key + value for space in Space for key, value in sorrel.node.store.scan(space)]
    assert not any(b"look again" in row or note in row for row in held)
    assert tansy.group(gid).own.mseq == before + 1, "two readers with a device each share one note"
    [mine] = tansy.room(gid).sealed.values()
    assert (mine.mine, mine.waits, set(mine.told)) == (True, [], {wren.member(gid), juniper.member(gid)})
    assert blamed(world) == []


def test_it_waits_across_a_power_cut_and_is_told_to_those_who_may_still_hear_it() -> None:
    world, gid, (wren, juniper, sorrel, tansy) = group(2)
    for other in (wren, juniper, sorrel):
        other.off()
    world.run(5)
    says(tansy, gid, [wren, juniper, sorrel], appeal())
    tansy.off(power_cut=True)
    wren.on()
    juniper.on()
    world.run(20)
    wren.rank(gid, juniper, Rank.MEMBER)
    world.run(5)
    juniper.off()
    tansy.on()
    assert tansy.until(lambda: not any(note.waits for note in tansy.room(gid).sealed.values()))
    [mine] = tansy.room(gid).sealed.values()
    assert set(mine.told) == {tansy.key_of(gid, name) for name in ("wren", "sorrel")}, "juniper is none any more"
    juniper.on()
    sorrel.on()
    world.run(60)
    assert heard(wren, gid) == heard(sorrel, gid) == ["please look again"]
    assert notes(juniper, gid) == []
    wren.off()
    wren.on()
    assert heard(wren, gid) == ["please look again"], "after a restart too"


def test_what_nobody_may_be_told_any_more_waits_on_and_goes_to_whom_it_was_for_once_they_serve_again() -> None:
    """Whom it is about is the founder, who demotes its readers while it waits."""
    world, gid, (wren, juniper, sorrel, tansy) = group(81)
    for other in (wren, juniper, sorrel):
        other.off()
    world.run(5)
    note = says(tansy, gid, [juniper, sorrel], appeal())
    tansy.off()
    for other in (wren, juniper, sorrel):
        other.on()
    world.run(20)
    wren.rank(gid, juniper, Rank.MEMBER)
    wren.rank(gid, sorrel, Rank.MEMBER)
    world.run(20)
    tansy.on()
    world.run(120)
    key = tansy.member(gid) + note
    for _ in range(2):
        kept = tansy.room(gid).sealed[key]
        assert (kept.told, set(kept.waits)) == ([], {juniper.member(gid), sorrel.member(gid)})
        assert has_nobody_left(tansy.room(gid), kept)
        tansy.off(power_cut=True)
        tansy.on()
        world.run(20)
    wren.rank(gid, juniper, Rank.STEWARD)
    world.run(60)
    kept = tansy.room(gid).sealed[key]
    assert (kept.told, kept.waits) == ([juniper.member(gid)], [])
    assert (heard(juniper, gid), heard(wren, gid), heard(sorrel, gid)) == (["please look again"], [], [])
    assert not has_nobody_left(tansy.room(gid), kept)


def test_what_was_dealt_with_is_marked_here_alone_and_all_of_it_fades_as_messages_do() -> None:
    world, gid, (wren, juniper, _, tansy) = group(3, settings=(("keep", "48"),))
    note = says(tansy, gid, [wren, juniper], appeal())
    world.run(10)
    key = tansy.member(gid) + note
    world.ask("wren", CloseNote(group=gid, note=key, closed=True))
    assert wren.room(gid).sealed[key].closed_ms
    assert not juniper.room(gid).sealed[key].closed_ms
    world.ask("wren", CloseNote(group=gid, note=key, closed=False))
    assert not wren.room(gid).sealed[key].closed_ms
    with pytest.raises(LocalError):
        world.ask("wren", CloseNote(group=gid, note=bytes(48), closed=True))
    world.run(49 * HOUR_S)
    for person in (wren, juniper, tansy):
        assert person.room(gid).sealed == {}
        assert person.node.store.count(Space.NOTES, gid) == 0


def test_nobody_is_told_what_their_rank_does_not_let_them_hear() -> None:
    world, gid, (wren, juniper, sorrel, tansy) = group(4)
    for readers in ([], [tansy], [sorrel, tansy]):
        with pytest.raises(LocalError):
            says(juniper, gid, readers, appeal())
    with pytest.raises(LocalError):
        says(wren, gid, [wren], appeal())
    with pytest.raises(LocalError):
        world.ask("wren", SayNote(group=gid, tag=NoteTag.APPEAL, to=(MemberPk(bytes(32)),), value=appeal()))
    tansy.leave(gid)
    with pytest.raises(RefusedError):
        world.ask("tansy", SayNote(group=gid, tag=NoteTag.APPEAL, to=(wren.member(gid),), value=appeal()))
    assert all(person.room(gid).sealed == {} for person in (wren, juniper, sorrel))


def test_a_changed_program_is_heard_within_limits_and_only_as_its_rank_lets_it() -> None:
    world, gid, (wren, juniper, sorrel, tansy) = group(5)
    forger = Forger(tansy, gid)
    word = encode(WordNote(kind=WordKind.QUIET, about=b"", text="be quiet"))
    for plain in (
        encode(NoteText(tag=NoteTag.WORD, id=bytes(16), value=word)),  # from one who is no moderator
        encode(NoteText(tag=NoteTag.APPEAL, id=bytes(16), value=b"\x92\xc4\x00\xa3\x1b[m")),
        encode(NoteText(tag=NoteTag.APPEAL, id=bytes(16), value=appeal("a\u202eb"))),
        encode(NoteText(tag=NoteTag.APPEAL, id=bytes(16), value=appeal("é" * 600))),
        encode(NoteText(tag=NoteTag.REPORT, id=bytes(16), value=b"")),
        encode(NoteText(tag=77, id=bytes(16), value=appeal())),
    ):
        forger.hands(wren, note_of(forger, wren, plain))
    assert notes(wren, gid) == []
    good = encode(NoteText(tag=NoteTag.APPEAL, id=bytes(16), value=appeal("the first")))
    again = encode(NoteText(tag=NoteTag.APPEAL, id=bytes(16), value=appeal("under the same id")))
    forger.hands(wren, note_of(forger, wren, good))
    forger.hands(wren, note_of(forger, wren, again))
    assert heard(wren, gid) == ["the first"]
    newest = TAGS[NoteTag.APPEAL].newest
    says(sorrel, gid, [wren], appeal("from somebody else"))
    world.run(10)
    for k in range(newest + 5):
        world.run(1)
        plain = encode(NoteText(tag=NoteTag.APPEAL, id=k.to_bytes(16, "big"), value=appeal(f"number {k}")))
        forger.hands(wren, note_of(forger, wren, plain))
    assert len(notes(wren, gid)) == newest + 1
    assert "from somebody else" in heard(wren, gid)
    forger.hands(juniper, note_of(forger, wren, good))
    assert notes(juniper, gid) == [], "sealed to wren, it opens for nobody else"
    assert blamed(world) == []


def test_readers_share_notes_as_far_as_their_devices_fit() -> None:
    _, gid, people = group(6)
    members = [person.member(gid) for person in people]
    assert shares(people[0].group(gid), members) == [members]
    assert shares(people[0].group(gid), []) == []
    assert limits.NOTE_WRAPS == 4


@pytest.mark.parametrize("goes", ["leaves", "is removed"])
def test_a_report_is_heard_though_its_author_is_out_by_then(goes: str) -> None:
    world, gid, (wren, juniper, sorrel, tansy) = group()
    juniper.off()
    world.run(3)
    says(tansy, gid, [juniper], appeal("it was too much"))
    world.run(10)
    if goes == "leaves":
        tansy.leave(gid)
    else:
        sorrel.remove(gid, tansy.member(gid))
    world.run(10)
    juniper.on()
    world.run(60)
    assert "tansy" not in juniper.members(gid)
    assert heard(juniper, gid) == ["it was too much"]
    assert heard(wren, gid) == []
    assert blamed(world) == []


def test_one_who_catches_up_on_days_loses_no_note_though_they_all_come_within_an_hour() -> None:
    world, gid, (wren, juniper, sorrel, tansy) = group(7)
    juniper.off()
    world.run(3)
    for k in range(66):
        says(tansy, gid, [sorrel], appeal(f"number {k}"))
        world.run(5)
        if k % 33 == 32:
            world.run(HOUR_S)
    says(tansy, gid, [juniper, wren], appeal("it was too much"))
    world.run(10)
    juniper.on()
    world.run(90)
    assert heard(wren, gid) == heard(juniper, gid) == ["it was too much"]


def test_dating_notes_back_gains_a_flood_little() -> None:
    """Each hour is used up once, all that is long past is one hour, and an hour of ours has its own end."""
    hour, most, tried = 500_000, limits.NOTES_OF_A_MEMBER_MAX, Tried()
    assert [tried.may(hour, 0, first=hour - 10) for _ in range(most + 1)] == [True] * most + [False]
    assert not tried.may(hour, 3 * 3_600_000, first=hour - 10), "an hour that is used up stays so"
    assert all(tried.may(hour - 1, 0, first=hour - 10) for _ in range(most))
    later = [tried.may(hour + k // most, 4 * 3_600_000, first=hour) for k in range(most, 3 * limits.NOTES_TRIED_MAX)]
    assert sum(later) == limits.NOTES_TRIED_MAX
    assert min(tried.hours) >= hour, "what lies before is not remembered for ever"


def test_a_changed_program_that_dates_its_notes_back_is_tried_so_often_and_no_more() -> None:
    _, gid, (wren, _, sorrel, tansy) = group(8)
    forger, most = Forger(tansy, gid), limits.NOTES_OF_A_MEMBER_MAX
    body = seal_note(forger.group, [sorrel.member(gid)], bytes(16), b"", forger.means())

    def floods(days: int) -> int:
        """All of them said at a time so long before; return how many were tried."""
        before = count()
        for k in range(most + 3):
            uid = days.to_bytes(8, "big", signed=True) + k.to_bytes(8, "big")
            forger.hands(wren, forger.message(Kind.NOTE, body, uid=uid, ts_ms=START_WALL_MS - days * DAY_MS))
        return count() - before

    def count() -> int:
        tried = wren.room(gid).notes.get(tansy.member(gid), Tried())
        return sum(tried.hours.values())

    assert floods(100) == most
    assert floods(200) == floods(10_000) == 0, "all that is long past is one hour"
    assert floods(-300) == most, "what claims to be still to come is of this hour"
    assert floods(-400) == 0
    assert floods(3) == most


def test_a_no_outlives_whatever_else_its_asker_asks() -> None:
    """A question that was refused goes last: or who was refused would ask about nothing until it is forgotten."""
    world, gid, (_, _, sorrel, tansy) = group(9)
    forger = Forger(sorrel, gid)

    def asks(note: bytes) -> None:
        value = encode(ShareQuestion(post=PostId(note), purpose="please"))
        forger.hands(tansy, note_of(forger, tansy, encode(NoteText(tag=NoteTag.QUESTION, id=note, value=value))))

    asks(b"A" * 16)
    refused = sorrel.member(gid) + b"A" * 16
    world.ask("tansy", CloseNote(group=gid, note=refused, closed=True))
    newest = TAGS[NoteTag.QUESTION].newest
    for k in range(newest + 20):
        if k % 60 == 59:
            tansy.room(gid).notes.clear()  # as in another hour
        asks(k.to_bytes(16, "big"))
    kept = tansy.room(gid).sealed
    assert len(kept) == newest
    assert refused in kept
    tansy.node.skew_ms += 15 * DAY_MS
    asks(b"B" * 16)
    assert refused not in kept, "after two weeks it may be asked anew, and the no has done its work"
