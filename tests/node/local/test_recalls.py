"""A report before it is sent, and after: what it would show to whom, how it stands, and taking it back."""

import pytest

from mesh.commands import Rank, SayNote
from mesh.errors import LocalError
from mesh.events import Space
from mesh.node.local.protocol import JsonObject
from mesh.wire.codec import encode
from mesh.wire.notes import NoteTag, RecallNote
from simulations.checks import blamed
from tests.node.local.test_ladder import list_of, log, problems
from tests.node.local.test_messages import call, say
from tests.node.local.test_methods import WorldDesk, part
from tests.node.local.test_reports import ANSWER, NOTE, aliases, five, listed, report


def shown(desk: WorldDesk, report_: JsonObject) -> JsonObject:
    """Show one report."""
    return part(call(desk, "reports.show", report=report_["id"]), "report")


def withdraw(desk: WorldDesk, report_: JsonObject) -> JsonObject:
    """Take a report back."""
    return call(desk, "reports.withdraw", report=report_["id"], wait_s=5.0)


def test_before_it_is_sent_one_sees_what_goes_to_whom_and_to_whom_not() -> None:
    world, gid, people, (_, _, sorrel, tansy, alder) = five()
    bad, beside = say(sorrel, "an ugly word"), say(alder, "she said so to me")
    world.run(5)
    asked: JsonObject = {"message": bad["id"], "with": [beside["id"]], "note": NOTE}
    would = call(tansy, "report.check", **asked)
    assert sorted(map(str, aliases(would, "to"))) == ["juniper", "wren"]
    assert aliases(would, "not_to") == ["sorrel"]
    assert (would["text"], [post["text"] for post in list_of(would, "posts")]) == (
        NOTE,
        ["an ugly word", "she said so to me"],
    )
    world.run(10)
    assert all(not person.room(gid).sealed for person in people), "nothing was sent"
    people[0].rank(gid, people[4], Rank.STEWARD)  # alder, between the question and the answer
    people[0].rank(gid, people[1], Rank.MEMBER)
    world.run(20)
    told = call(tansy, "report", **asked, to=[person["id"] for person in list_of(would, "to")], wait_s=5.0)
    assert aliases(part(told, "report"), "to") == ["wren"], "nobody gets it who was not named"
    assert blamed(world) == []


def test_who_reported_sees_whom_it_reached_and_what_was_answered() -> None:
    world, _, _, (wren, juniper, _, tansy, alder) = five()
    bad = say(alder, "an ugly word")
    world.run(5)
    sent = part(report(tansy, bad), "report")
    world.run(5)
    assert (sent["answers"], sent["withdrawn"], len(list_of(sent, "to"))) == ([], False, 3)
    call(juniper, "reports.answer", report=sent["id"], text=ANSWER, wait_s=5.0)
    world.run(5)
    for desk in (tansy, juniper):
        (answer,) = list_of(shown(desk, sent), "answers")
        assert (part(answer, "by")["alias"], answer["text"], answer["sent"]) == ("juniper", ANSWER, True)
    assert shown(wren, sent)["answers"] == [], "an answer is for one person alone"
    assert {entry["kind"]: entry["mine"] for entry in log(tansy, "report", "answer")} == {
        "report": True,
        "answer": False,
    }
    assert {entry["kind"]: entry["mine"] for entry in log(juniper, "report", "answer")} == {
        "report": False,
        "answer": True,
    }


def test_who_was_told_sees_that_it_was_taken_back_and_keeps_what_they_know() -> None:
    world, gid, people, (wren, juniper, sorrel, tansy, alder) = five()
    bad = say(alder, "an ugly word")
    world.run(5)
    sent = part(report(tansy, bad), "report")
    world.run(5)
    assert "A report or an appeal waits" in problems(juniper)
    told = withdraw(tansy, sent)
    assert (told["told"], part(told, "report")["withdrawn"]) == (True, True)
    world.run(5)
    for desk in (wren, juniper, sorrel):
        (seen,) = listed(desk)
        assert (seen["withdrawn"], seen["text"]) == (True, NOTE)
        assert "A report or an appeal waits" not in problems(desk)
        (entry,) = log(desk, "recall")
        assert (part(entry, "by")["alias"], entry["id"], entry["mine"]) == ("tansy", sent["id"], False)
    (own,) = log(tansy, "recall")
    assert (own["id"], own["mine"]) == (sent["id"], True)
    assert log(alder, "recall", "report") == []
    assert listed(alder) == []
    assert people[4].room(gid).sealed == {}
    with pytest.raises(LocalError) as twice:
        withdraw(tansy, sent)
    assert twice.value.code == "E-NO-THING"
    world.restart("wren")
    world.run(20)
    assert listed(wren)[0]["withdrawn"] is True
    assert blamed(world) == []


def test_what_nobody_has_yet_is_gone_and_never_leaves() -> None:
    world, gid, people, (wren, juniper, sorrel, tansy, alder) = five()
    bad = say(alder, "an ugly word")
    world.run(5)
    world.partition(("tansy",), ("wren", "juniper", "sorrel", "alder"))
    world.run(60)
    sent = part(report(tansy, bad), "report")
    assert sent["to"] == []
    assert withdraw(tansy, sent)["report"] is None
    assert people[3].node.store.count(Space.NOTES, gid) == 0
    world.heal()
    world.run(60)
    assert [listed(desk) for desk in (wren, juniper, sorrel, tansy)] == [[], [], [], []]
    assert call(tansy, "outbox")["outbox"] == []


def test_what_nobody_may_be_told_any_more_is_said_to_have_reached_nobody() -> None:
    """The report is about the founder, who sees to it that nobody else serves before it goes out."""
    world, gid, people, (wren, juniper, sorrel, tansy, _) = five(4)
    bad = say(wren, "an ugly word")
    world.run(5)
    world.partition(("tansy",), ("wren", "juniper", "sorrel", "alder"))
    world.run(60)
    sent = part(report(tansy, bad), "report")
    assert (sent["nobody_left"], len(list_of(sent, "waiting_for"))) == (False, 2)
    assert "has reached nobody" not in problems(tansy)
    for k in (1, 2):
        people[0].rank(gid, people[k], Rank.MEMBER)
    world.run(10)
    world.heal()
    world.run(60)
    (kept,) = listed(tansy)
    assert (kept["to"], kept["nobody_left"], sorted(map(str, aliases(kept, "waiting_for")))) == (
        [],
        True,
        ["juniper", "sorrel"],
    )
    assert "Your report in “Tuesday grief” has reached nobody" in problems(tansy)
    assert f"`mesh reports {str(sent['id'])[:8]} --withdraw`" in problems(tansy)
    (waiting,) = list_of(call(tansy, "outbox"), "outbox")
    assert "none of those it was for" in str(waiting["why"])
    assert [listed(desk) for desk in (wren, juniper, sorrel)] == [[], [], []]
    assert withdraw(tansy, sent)["report"] is None, "nobody had it"
    assert "has reached nobody" not in problems(tansy)
    assert call(tansy, "outbox")["outbox"] == []


def test_nobody_takes_back_what_another_reported_and_a_steward_of_later_hears_of_neither() -> None:
    world, gid, people, (wren, juniper, sorrel, tansy, alder) = five()
    bad = say(alder, "an ugly word")
    world.run(5)
    sent = part(report(tansy, bad), "report")
    world.run(5)
    note_id = bytes.fromhex(str(sent["id"]))
    readers = tuple(people[k].member(gid) for k in range(3))
    value = encode(RecallNote(about=note_id))
    world.ask("alder", SayNote(group=gid, tag=NoteTag.RECALL, to=readers, value=value))  # a changed program does that
    world.run(5)
    for desk in (wren, juniper, sorrel):
        assert [seen["withdrawn"] for seen in listed(desk)] == [False]
        assert "A report or an appeal waits" in problems(desk)
        assert log(desk, "recall") == []
        with pytest.raises(LocalError):
            withdraw(desk, sent)
    people[0].rank(gid, people[4], Rank.STEWARD)
    world.run(20)
    withdraw(tansy, sent)
    world.run(10)
    assert listed(wren)[0]["withdrawn"] is True
    assert listed(alder) == []
    assert not any(note.by == people[3].member(gid) for note in people[4].room(gid).sealed.values())
    assert blamed(world) == []


def test_a_recall_that_comes_first_counts_when_the_report_comes() -> None:
    world, gid, people, (wren, _, _, tansy, alder) = five()
    bad = say(alder, "an ugly word")
    world.run(5)
    sent = part(report(tansy, bad), "report")
    withdraw(tansy, sent)
    world.run(10)
    sealed = people[0].room(gid).sealed
    first, *rest = reversed(list(sealed.items()))
    sealed.clear()
    sealed.update([first, *rest])
    assert [seen["withdrawn"] for seen in listed(wren)] == [True]
    del sealed[next(key for key, note in sealed.items() if note.tag == NoteTag.REPORT)]
    assert listed(wren) == []
    assert log(wren, "recall") == [], "of what is not here nothing is said"
