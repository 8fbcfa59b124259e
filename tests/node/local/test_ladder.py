"""The ladder among four: a quiet that honest nodes keep and a changed one cannot get around, reasons, appeal, log."""

import pytest

from mesh.commands import Rank
from mesh.errors import LocalError, RefusedError
from mesh.node.local.protocol import JsonObject, JsonValue
from mesh.peer.state import Room
from mesh.peer.statements import quiets_of
from mesh.support import ladder
from mesh.support.ladder import Quiet
from mesh.support.posts import Wish, compose
from mesh.support.slots import slot
from mesh.wire.codec import encode
from mesh.wire.messages import Kind
from mesh.wire.notes import NoteTag, NoteText, WordKind, WordNote
from mesh.wire.statements import FoldingValue, Form, LiftValue, MilestoneValue, QuietValue
from simulations.checks import agree, blamed
from tests.node.local.test_messages import GROUP, call, read, say
from tests.node.local.test_methods import WorldDesk, part
from tests.node.local.test_shelf import four, states
from tests.peer.forgery import Forger
from tests.peer.test_talking import note_of

HOUR_MS = 3_600_000
REASON = "Three people asked for room. Take a day."


def step(desk: WorldDesk, member: str, what: str, **more: JsonValue) -> JsonObject:
    """Take a step of the ladder."""
    asked: JsonObject = {"group": GROUP, "member": member, "step": what, "reason": REASON, "wait_s": 5.0}
    return call(desk, "sanction", **{**asked, **more})


def log(desk: WorldDesk, *kinds: str) -> list[JsonObject]:
    """The entries of the log, of these kinds."""
    entries = call(desk, "log", group=GROUP)["entries"]
    assert isinstance(entries, list)
    return [entry for entry in entries if isinstance(entry, dict) and (not kinds or entry["kind"] in kinds)]


def texts(desk: WorldDesk) -> list[JsonValue]:
    return [message["text"] for message in read(desk)]


def closings(desk: WorldDesk) -> list[JsonValue]:
    return [message["closed_by"] for message in read(desk)]


def problems(desk: WorldDesk) -> str:
    return str(call(desk, "status")["problems"])


def shift(desk: WorldDesk, ms: int) -> None:
    """Let the clocks of all nodes go on."""
    for node in desk._world.nodes.values():
        node.skew_ms += ms
    desk._world.run(40)


def test_one_who_is_asked_to_be_quiet_posts_nothing_reads_on_and_knows_why_and_until_when() -> None:
    world, gid, people, desks = four()
    wren, juniper, sorrel, tansy = desks
    told = step(juniper, "tansy", "quiet", for_s=3600)
    assert told["told"] is True
    until = part(told, "sanction")["until"]
    world.run(5)
    for what, more in (("post", {"text": "But", "mode": None, "cw": "", "topics": []}), ("shelf.add", {"title": "T"})):
        with pytest.raises(RefusedError) as refused:
            call(tansy, what, group=GROUP, link="https://example.org/", wait_s=1.0, **more)
        assert refused.value.code == "E-QUIET"
    assert "asked to be quiet" in problems(tansy)
    quiet = part(call(tansy, "read", group=GROUP, limit=5, unread=False), "quiet")
    assert (quiet["reason"], quiet["until"], part(quiet, "by")["alias"]) == (REASON, until, "juniper")
    say(sorrel, "we are here")
    world.run(5)
    assert texts(tansy) == ["we are here"]
    for desk in (wren, juniper, sorrel):
        members = call(desk, "group.members", group=GROUP)["members"]
        assert isinstance(members, list)
        assert {m["alias"]: m["quiet_until"] for m in members if isinstance(m, dict)} == {
            "wren": None,
            "juniper": None,
            "sorrel": None,
            "tansy": until,
        }
    for desk in (wren, sorrel):
        (entry,) = log(desk, "quiet")
        assert (part(entry, "member")["alias"], part(entry, "by")["alias"], entry["until"]) == (
            "tansy",
            "juniper",
            until,
        )
        assert entry["reason"] is None
        assert REASON not in str(log(desk)), "why is said to tansy alone"
    assert [entry["reason"] for entry in log(tansy, "word-quiet")] == [REASON]
    assert "has written to you alone" not in problems(tansy), "the log has shown it"
    shift(tansy, 2 * HOUR_MS)
    assert say(tansy, "thank you")["state"] != "queued"
    assert agree(gid, people) == []
    assert blamed(world) == []


def test_what_a_changed_program_says_meanwhile_stays_closed_whatever_time_it_claims() -> None:
    world, gid, people, desks = four(4)
    wren, juniper, sorrel, tansy = desks
    say(tansy, "before")
    world.run(5)
    step(juniper, "tansy", "quiet", for_s=3600)
    world.run(5)
    forger, now_ms = Forger(people[3], gid), tansy.now().wall_ms
    for text, ts_ms in (("now", now_ms), ("set back", now_ms - 86_400_000), ("set ahead", now_ms + 2 * HOUR_MS)):
        body = compose(Wish(text=text, mode="listening", cw="", topics=(), reply_to=b""))
        frame = forger.message(Kind.POST, body, ts_ms=ts_ms)
        for person in people[:3]:
            forger.hands(person, frame)
    value = MilestoneValue(made_ms=1, text="still talking", since=1, count=0, invited=False)
    states(forger, people[:3], Form.MILESTONE, slot(people[3].device(gid), 0), value)
    world.run(20)
    for desk in (wren, juniper, sorrel):
        shown = {str(message["id"]): message for message in read(desk)}
        assert [m["text"] for m in shown.values() if m["text"]] == ["before"]
        assert [m["closed_by"] for m in shown.values() if not m["text"]] == ["quiet"] * 3
        assert call(desk, "milestone.list", group=GROUP)["milestones"] == []
        for name in shown:
            opened = call(desk, "read", group=GROUP, limit=5, unread=False, open=name)["messages"]
            assert isinstance(opened, list)
            assert isinstance(opened[0], dict)
            assert opened[0]["text"], "whoever wants to opens it"
    shift(wren, 3 * HOUR_MS)
    for desk in (wren, juniper, sorrel):
        assert {str(t) for t in texts(desk)} == {"before", "set back", "set ahead", "None"}, "after it, what it claims"
    assert blamed(world) == []


def test_what_was_typed_before_waits_until_it_is_over() -> None:
    """A locked mode holds the post back first, so that the word to be quiet comes before it can go out."""
    world, _, people, (wren, juniper, _, tansy) = four(5)
    people[3].off()
    call(wren, "group.set", group=GROUP, key="lock-mode", value="listening")
    world.run(5)
    for person in people[:3]:
        person.off()
    people[3].on()
    call(tansy, "post", group=GROUP, text="typed offline", mode="experience", cw="", topics=[], wait_s=0.0)
    for person in people[:3]:
        person.on()
    world.run(60)
    step(juniper, "tansy", "quiet", for_s=3600)
    world.run(5)
    call(wren, "group.set", group=GROUP, key="lock-mode", value="off")
    world.run(60)
    assert "asked to be quiet" in str(call(tansy, "outbox")["outbox"])
    assert texts(wren) == []
    shift(tansy, 2 * HOUR_MS)
    assert texts(wren) == ["typed offline"]
    assert blamed(world) == []


def test_any_senior_ends_it_and_nobody_else_does() -> None:
    world, gid, people, desks = four(6)
    wren, juniper, sorrel, tansy = desks
    asked = part(step(juniper, "tansy", "quiet", for_s=86_400), "sanction")
    quiet = str(asked["id"])
    world.run(5)
    states(Forger(people[2], gid), [people[0], people[1], people[3]], Form.LIFT, bytes.fromhex(quiet), LiftValue())
    states(Forger(people[3], gid), people[:3], Form.LIFT, bytes.fromhex(quiet), LiftValue())
    world.run(5)
    assert log(wren, "lift") == []
    told = step(wren, "tansy", "lift", reason=None)
    assert told["told"] is True
    world.run(5)
    for desk in desks:
        (entry,) = log(desk, "lift")
        assert part(entry, "by")["alias"] == "wren"
        assert log(desk, "quiet")[0]["until"] == asked["until"], "until then they were asked; what ended it comes after"
    say(tansy, "back")
    world.run(5)
    assert texts(sorrel) == ["back"]
    with pytest.raises(LocalError) as none:
        step(wren, "tansy", "lift")
    assert none.value.code == "E-NOT-QUIET"


def test_steps_are_taken_with_juniors_alone_whatever_a_changed_program_says() -> None:
    world, gid, people, desks = four(7)
    wren, juniper, sorrel, tansy = desks
    post = str(say(wren, "from the founder")["id"])
    world.run(5)
    for desk, member in ((sorrel, "tansy"), (tansy, "sorrel"), (juniper, "wren"), (juniper, "juniper"), (wren, "wren")):
        with pytest.raises(RefusedError):
            step(desk, member, "quiet", for_s=3600)
    moderator, member_ = Forger(people[1], gid), Forger(people[3], gid)
    for forger, target in ((moderator, people[0]), (moderator, people[1]), (member_, people[2]), (member_, people[1])):
        value = QuietValue(made_ms=1, member=target.member(gid), for_s=86_400, cuts=[])
        subject = ladder.quiet_id(forger.group.own.member_pk, value)
        others = [person for person in people if person is not forger.person]
        states(forger, others, Form.QUIET, subject, value)
        states(forger, others, Form.QUIET, b"x" * 16, value)
    states(moderator, [people[0], people[2]], Form.FOLDING, bytes.fromhex(post), FoldingValue(holds=True))
    states(member_, people[:3], Form.FOLDING, bytes.fromhex(post), FoldingValue(holds=True))
    world.run(5)
    for desk in (wren, sorrel, tansy):
        assert log(desk, "quiet") == []
        assert texts(desk) == ["from the founder"]
    say(sorrel, "as before")
    world.run(5)
    assert texts(tansy)[-1] == "as before"
    assert blamed(world) == []


def test_a_moderator_folds_a_post_for_all_and_opens_it_again() -> None:
    world, gid, people, desks = four(8)
    wren, juniper, sorrel, tansy = desks
    post = str(say(tansy, "hard words")["id"])
    world.run(5)
    with pytest.raises(LocalError):
        step(juniper, "sorrel", "fold", message=post)
    assert step(juniper, "tansy", "fold", message=post)["told"] is True
    world.run(5)
    for desk in (wren, juniper, sorrel):
        assert closings(desk) == ["folded"]
        (message,) = read(desk)
        assert part(message, "folded_by")["alias"] == "juniper"
    assert texts(tansy) == ["hard words"], "its author reads it as before"
    assert [entry["reason"] for entry in log(tansy, "word-fold")] == [REASON]
    assert [entry["message"] for entry in log(sorrel, "fold")] == [post]
    step(wren, "tansy", "unfold", message=post, reason=None)
    world.run(5)
    assert texts(sorrel) == ["hard words"]
    people[0].rank(gid, people[1], Rank.MEMBER)
    world.run(10)
    assert texts(sorrel) == ["hard words"]


def test_the_reason_of_a_quiet_is_the_word_of_who_asked_for_it() -> None:
    world, gid, people, (wren, _, _, tansy) = four()
    quiet = bytes.fromhex(str(part(step(wren, "tansy", "quiet"), "sanction")["id"]))
    world.run(5)
    forger = Forger(people[1], gid)
    word = encode(WordNote(kind=WordKind.QUIET, about=quiet, text="Nobody here wants you."))
    plain = encode(NoteText(tag=NoteTag.WORD, id=bytes(16), value=word))
    forger.hands(people[3], note_of(forger, people[3], plain))
    world.run(2)
    shown = part(call(tansy, "log", group=GROUP), "quiet")
    assert (part(shown, "by")["alias"], shown["reason"]) == ("wren", REASON)
    assert [part(e, "by")["alias"] for e in log(tansy, "word-quiet")] == ["wren"]
    assert [part(e, "by")["alias"] for e in log(tansy, "word-note")] == ["juniper"]


def test_a_note_changes_nothing_and_nobody_else_learns_of_it() -> None:
    world, _, _, (wren, juniper, sorrel, tansy) = four(9)
    assert step(juniper, "tansy", "note")["told"] is True
    world.run(5)
    assert "juniper of “Tuesday grief” has written to you alone" in problems(tansy)
    assert [entry["reason"] for entry in log(tansy, "word-note")] == [REASON]
    for desk in (wren, sorrel):
        assert REASON not in str(log(desk))
        others = [entry for entry in log(desk) if entry["member"] and entry["kind"] != "rank"]
        assert "tansy" not in [part(entry, "member").get("alias") for entry in others]
    say(tansy, "as before")
    world.run(5)
    assert texts(sorrel) == ["as before"]
    for wrong in ({"reason": ""}, {"reason": "x" * 1025}):
        with pytest.raises(LocalError):
            step(juniper, "tansy", "note", **wrong)
    for what, more in (("quiet", {"for_s": 15 * 86_400}), ("quiet", {"for_s": 59}), ("remove", {}), ("fold", {})):
        with pytest.raises(LocalError):
            step(juniper, "tansy", what, **more)


def test_an_appeal_goes_to_those_who_had_no_part_in_it() -> None:
    world, gid, people, (wren, juniper, sorrel, tansy) = four(10)
    with pytest.raises(LocalError) as none:
        call(tansy, "appeal", group=GROUP, note="please", wait_s=1.0)
    assert none.value.code == "E-NO-SANCTION"
    people[0].rank(gid, people[2], Rank.STEWARD)
    world.run(10)
    quiet = part(step(wren, "tansy", "quiet", for_s=86_400), "sanction")["id"]
    world.run(5)
    told = call(tansy, "appeal", group=GROUP, note="Please look again.", wait_s=5.0)
    assert told["told"] is True
    assert [part({"to": to}, "to")["alias"] for to in list_of(part(told, "appeal"), "to")] == ["sorrel"]
    world.run(5)
    (seen,) = list_of(call(sorrel, "reports.list", group=GROUP), "reports")
    assert (seen["kind"], seen["text"], seen["sanction"]) == ("appeal", "Please look again.", quiet)
    assert list_of(call(wren, "reports.list", group=GROUP), "reports") == []
    assert "Please look again" not in str(log(wren)) + str(log(juniper))
    assert "A report or an appeal waits" in problems(sorrel)
    step(sorrel, "tansy", "lift", reason="You can talk again.")
    told = call(sorrel, "reports.answer", report=seen["id"], text="I have looked at it.", wait_s=5.0)
    assert (part(told, "report")["closed"], told["told"]) == (True, True)
    world.run(5)
    assert "A report or an appeal waits" not in problems(sorrel)
    assert [entry["reason"] for entry in log(tansy, "answer", "word-lift")] == [
        "You can talk again.",
        "I have looked at it.",
    ]
    say(tansy, "thank you")


def test_where_nobody_else_is_a_steward_an_appeal_is_not_sent_and_says_so() -> None:
    world, gid, people, (wren, _, _, tansy) = four(11)
    step(wren, "tansy", "quiet", for_s=86_400)
    world.run(5)
    with pytest.raises(RefusedError) as refused:
        call(tansy, "appeal", group=GROUP, note="please", wait_s=1.0)
    assert refused.value.code == "E-NOBODY-TO-TELL"
    assert "fork" in refused.value.do
    assert not any(note.mine for note in people[3].room(gid).sealed.values())


def test_the_log_says_who_did_what_to_whom_and_when() -> None:
    world, gid, people, desks = four(12)
    wren, juniper, sorrel, _ = desks
    call(wren, "group.set", group=GROUP, key="lock-mode", value="listening")
    world.run(5)
    people[0].rank(gid, people[2], Rank.STEWARD)
    world.run(5)
    people[1].remove(gid, people[3].member(gid))
    world.run(10)
    for desk in (wren, juniper, sorrel):
        entries = log(desk, "settings", "rank", "removed")
        assert [entry["kind"] for entry in entries][-3:] == ["settings", "rank", "removed"]
        locked, made, removed = entries[-3:]
        assert locked["settings"] == {"lock-mode": "listening"}
        assert (part(made, "member")["alias"], made["rank"]) == ("sorrel", "steward")
        assert (part(removed, "by")["alias"], part(removed, "member")["alias"]) == ("juniper", "tansy")
        assert all(entry["at"] for entry in (locked, made, removed))
    assert blamed(world) == []


def list_of(told: JsonObject, key: str) -> list[JsonObject]:
    found = told[key]
    assert isinstance(found, list)
    return [entry for entry in found if isinstance(entry, dict)]


def test_who_was_asked_to_be_quiet_is_worked_out_once_for_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """A changed moderator's four devices may have 256 quiets and as many lifts kept here."""
    world, _, _, (wren, juniper, _, _) = four(85)
    for k in range(20):
        say(juniper, f"post {k}")
    world.run(20)
    calls: list[Room] = []

    def counted(room: Room, wall_ms: int) -> list[Quiet]:
        calls.append(room)
        return quiets_of(room, wall_ms)

    monkeypatch.setattr("mesh.node.local.methods.messages.quiets_of", counted)
    assert len(read(wren)) == 20
    assert len(calls) == 2, "for the page, and for the pins before it"
