"""Leaving without a trace: what one said goes from every honest node, whatever came first, and comes back from nowhere.

Some programs here are changed: they keep what they were asked to forget, and hand it over all the same.
"""

import pytest

from mesh.commands import SayNote
from mesh.events import Space
from mesh.groups.history import HISTORY
from mesh.ids import GroupId, MemberPk
from mesh.node.local.methods.shown import alias_of, departed_json
from mesh.peer import erasing
from mesh.peer.handing_on import Due
from mesh.peer.links import Walk
from mesh.peer.originals import original_of
from mesh.wire.codec import encode
from mesh.wire.messages import SignedMessage
from mesh.wire.notes import AppealNote, NoteTag
from mesh.wire.operations import LeaveBody, OpType
from mesh.wire.sessions import HistoryBody, StatementsBody
from simulations.checks import Watch, agree, blamed
from simulations.people import Person, circle
from simulations.world import Crash, World
from tests.peer.forgery import Forger
from tests.peer.test_history import asked_by
from tests.peer.test_leaving import held
from tests.peer.test_restating import asked_of
from tests.peer.test_retention import everything, no_gaps

WORDS = "what only this group was to know"


def four(seed: int = 3) -> tuple[World, GroupId, list[Person]]:
    """Give wren, juniper, sorrel and tansy, who have talked; juniper has said, pinned and flagged things."""
    world = World(seed)
    Watch.over(world)
    gid, people = circle(world, "wren", "juniper", "sorrel", "tansy", settings=((HISTORY, "last:50"),))
    wren, juniper, sorrel, _ = people
    world.run(10)
    hard = sorrel.post(gid, "from sorrel")
    for place in range(3):
        juniper.post(gid, f"{WORDS} {place}")
    world.run(10)
    juniper.flag(gid, hard)
    wren.post(gid, "from wren")
    world.run(10)
    return world, gid, people


def is_gone(gid: GroupId, member: MemberPk, *people: Person) -> bool:
    """Say whether nothing that a member said is in any of these stores, and nobody misses anything."""
    rows = [m for p in people for m in p.messages(gid) if m.member == member]
    words = [p.name for p in people if WORDS.encode() in everything(p)]
    noted = all(member in p.group(gid).own.erased for p in people)
    stated = [s for p in people for s in p.room(gid).statements if s.record.member == member]
    return not rows + stated and not words and noted and all(no_gaps(p, gid) and not p.flagged(gid) for p in people)


def kept_by(person: Person, gid: GroupId, author: Person) -> tuple[list[bytes], list[SignedMessage]]:
    """Return the frames of somebody's messages in this store, and the posts as they were signed."""
    device = author.device(gid)
    frames = [raw for _, raw in person.node.store.scan(Space.FRAMES, gid + device)]
    posts = [original_of(gid, m) for m in person.messages(gid) if m.dev == device and m.origin is not None]
    return frames, posts


def test_what_one_said_goes_everywhere_also_from_who_was_off_and_the_alias_with_it() -> None:
    world, gid, people = four()
    wren, juniper, sorrel, tansy = people
    gone = juniper.member(gid)
    tansy.off()
    world.run(2)
    juniper.leave(gid, wipe=True)
    world.run(20)
    assert held(juniper, gid) == []
    assert is_gone(gid, gone, wren, sorrel)
    assert WORDS.encode() in everything(tansy), "whoever is off has it as yet"
    wren.off()
    tansy.on()
    world.run(40)
    wren.on()
    world.run(40)
    assert is_gone(gid, gone, wren, sorrel, tansy)
    for person in (wren, sorrel, tansy):
        assert person.reads(gid) == ["from sorrel", "from wren"]
        assert person.members(gid) == ["sorrel", "tansy", "wren"]
        assert alias_of(person.room(gid), gone) == "someone who left"
        assert list(departed_json(person.room(gid))) == []
        assert person.node.store.count(Space.FRAMES, gid) > 0, "others' frames stay"
    assert agree(gid, [wren, sorrel, tansy]) == []
    assert blamed(world) == []


def sent_for_a_leave(posts: int) -> int:
    """Return how many frames go around when somebody leaves who has said so much."""
    world, gid, people = four(4)
    wren, juniper, *_ = people
    for place in range(posts):
        juniper.post(gid, f"{WORDS} {place}")
    world.run(40)
    gone, before = juniper.member(gid), world.frames_sent
    juniper.leave(gid, wipe=True)
    world.run(30)
    assert is_gone(gid, gone, wren)
    leaves = [op for op in wren.group(gid).log.ops if op.type is OpType.LEAVE]
    assert [op.body for op in leaves] == [LeaveBody(erase=True)]
    return world.frames_sent - before


def test_it_takes_one_operation_however_much_was_said() -> None:
    assert abs(sent_for_a_leave(80) - sent_for_a_leave(1)) < 20


def test_a_plain_leave_takes_nothing_back() -> None:
    world, gid, people = four(5)
    wren, juniper, *_ = people
    gone = juniper.member(gid)
    juniper.leave(gid)
    world.run(20)
    assert len([m for m in wren.messages(gid) if m.member == gone]) == 3
    assert alias_of(wren.room(gid), gone) == "juniper"
    assert wren.group(gid).own.erased == []


def test_a_changed_program_that_keeps_all_gives_none_of_it_back_to_honest_ones() -> None:
    world, gid, people = four(6)
    wren, juniper, sorrel, _ = people
    gone = juniper.member(gid)
    frames, posts = kept_by(sorrel, gid, juniper)
    assert len(posts) == 3
    juniper.leave(gid, wipe=True)
    world.run(20)
    robin = Person(world, "robin")
    robin.join(gid, wren.invite(gid))
    world.run(20)
    for victim in (wren, robin):
        for frame in frames:
            Forger(sorrel, gid).hands(victim, frame)
    world.run(10)
    assert is_gone(gid, gone, wren)
    assert robin.reads(gid) == ["from sorrel", "from wren"]
    assert WORDS.encode() not in everything(robin)
    assert alias_of(robin.room(gid), gone) == "someone who left"
    assert posts, "what they said is signed, and a changed program can show it to its own person for ever"


def test_who_was_off_for_all_of_it_asks_for_none_of_it_and_takes_none_of_it_from_anybody() -> None:
    world, gid, people = four(8)
    wren, juniper, sorrel, tansy = people
    gone = juniper.member(gid)
    tansy.off()
    world.run(2)
    for place in range(3):
        juniper.post(gid, f"{WORDS}, said later {place}")
    world.run(10)
    frames, _ = kept_by(sorrel, gid, juniper)
    juniper_device = juniper.device(gid)
    juniper.leave(gid, wipe=True)
    world.run(20)
    tansy.on()
    world.run(40)
    assert is_gone(gid, gone, wren, sorrel, tansy)
    assert tansy.node.peer is not None
    asked = [dev for _, session in tansy.node.peer.state.sessions(gid) for dev in session.closed]
    assert juniper_device not in asked
    for frame in frames:
        Forger(sorrel, gid).hands(tansy, frame)
    world.run(10)
    assert is_gone(gid, gone, tansy)
    assert len(frames) > 6
    assert b"said later" not in everything(tansy)


def test_a_page_with_words_that_were_taken_back_is_passed_over_and_no_fault_of_its_giver() -> None:
    world, gid, people = four(7)
    wren, juniper, sorrel, _ = people
    _, posts = kept_by(sorrel, gid, juniper)
    flags = [original_of(gid, s.record) for s in sorrel.room(gid).statements if s.record.dev == juniper.device(gid)]
    gone = juniper.member(gid)
    juniper.leave(gid, wipe=True)
    world.run(20)
    robin = Person(world, "robin")
    robin.join(gid, wren.invite(gid))
    world.run(20)
    liar, question = asked_by(robin, gid, sorrel)
    liar.tell(HistoryBody(ticket=question.ticket, before=b"", messages=posts))
    assert liar.faults == []
    world.heal()
    world.run(10)
    assert is_gone(gid, gone, robin)
    ticket = asked_of(world, gid, wren, sorrel)
    Forger(sorrel, gid).tells(wren, StatementsBody(ticket=ticket, after=b"", messages=flags))
    world.run(10)
    assert blamed(world) == []
    assert (len(posts), len(flags)) == (3, 1)
    assert is_gone(gid, gone, wren)


def test_while_it_is_being_forgotten_nothing_of_it_is_handed_on() -> None:
    world, gid, people = four(9)
    wren, juniper, _, tansy = people
    rows = [m for m in wren.messages(gid) if m.dev == juniper.device(gid)]

    def handed_on() -> list[bool]:
        room = wren.room(gid)
        return [Due(room, room.group.view.members[tansy.member(gid)], 0).covers(row, Walk()) for row in rows]

    assert handed_on() == [True] * 3
    juniper.leave(gid, wipe=True)
    world.run(20)
    assert handed_on() == [False] * 3


@pytest.mark.parametrize("crash", list(Crash))
def test_a_crash_at_any_commit_leaves_nothing_behind_in_the_end(crash: Crash, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasing, "ROWS_AT_ONCE", 2)
    for crash_at in range(1, 7):
        world, gid, people = four(10 + crash_at)
        wren, juniper, sorrel, tansy = people
        gone = juniper.member(gid)
        sorrel.node.crash = crash
        sorrel.node.crash_at_commit = sorrel.node.commits + crash_at
        juniper.leave(gid, wipe=True)
        world.run(20)
        if not sorrel.node.up:
            sorrel.on()
        world.run(40)
        assert is_gone(gid, gone, wren, sorrel, tansy), crash_at
        assert held(juniper, gid) == []


def test_made_offline_it_is_heard_later_and_until_then_what_is_needed_for_that_stays() -> None:
    world, gid, people = four(20)
    wren, juniper, sorrel, tansy = people
    gone = juniper.member(gid)
    world.partition(("juniper",), ("wren", "sorrel", "tansy"))
    world.run(1)
    juniper.leave(gid, wipe=True)
    world.run(30)
    assert WORDS.encode() not in everything(juniper)
    assert held(juniper, gid)
    juniper.off(power_cut=True)
    world.heal()
    juniper.on()
    world.run(60)
    assert held(juniper, gid) == []
    assert is_gone(gid, gone, wren, sorrel, tansy)


def test_who_says_now_waits_for_nobody_and_then_nobody_hears_of_it() -> None:
    world, gid, people = four(21)
    wren, juniper, *_ = people
    world.partition(("juniper",), ("wren", "sorrel", "tansy"))
    world.run(1)
    juniper.leave(gid, wipe=True)
    juniper.leave(gid, wipe=True, now=True)
    assert held(juniper, gid) == []
    world.heal()
    world.run(60)
    assert "juniper" in wren.members(gid)
    assert WORDS.encode() in everything(wren)


def test_what_was_said_under_seal_stays_with_whom_it_was_said_to() -> None:
    """Decision 0035: a report, and what a moderator told a member, are about others too."""
    world, gid, people = four(9)
    wren, juniper, sorrel, _ = people
    value = encode(AppealNote(about=b"", text="it was too much"))
    world.ask("juniper", SayNote(group=gid, tag=NoteTag.APPEAL, to=(wren.member(gid),), value=value))
    world.run(10)
    gone = juniper.member(gid)
    juniper.leave(gid, wipe=True)
    world.run(20)
    assert is_gone(gid, gone, wren, sorrel)
    for _ in range(2):
        assert [(note.by, note.value) for note in wren.room(gid).sealed.values()] == [(gone, value)]
        assert alias_of(wren.room(gid), gone) == "someone who left"
        wren.off()
        wren.on()
    assert held(juniper, gid) == []
