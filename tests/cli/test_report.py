"""Transcripts of `report`, `reports`, `sanction`, `appeal` and `log`: kind words, and no more than is so."""

from pathlib import Path

import pytest

from cli.commands.report import would_lines
from mesh.errors import Exit
from mesh.node.local.protocol import JsonObject
from tests.cli.runner import mesh
from tests.cli.test_prompts import terminal
from tests.cli.test_talk import GROUP, ID, SENT, message
from tests.node.local.fake_node import fake_node

PAGE: JsonObject = {"gaps": [], "catching_up": None, "earlier": None}
TANSY: JsonObject = {"id": "11" * 32, "alias": "tansy", "alike": False, "verified": False}
WREN: JsonObject = TANSY | {"id": "22" * 32, "alias": "wren\x1b[31m"}
REPORT: JsonObject = {
    "id": "77" * 16,
    "group": {"id": "ab" * 32, "name": "Tuesday grief"},
    "kind": "report",
    "by": TANSY,
    "mine": False,
    "to": [WREN],
    "waiting_for": [],
    "at": "2026-01-02T03:04:05.000Z",
    "closed": False,
    "withdrawn": False,
    "answers": [],
    "text": "He writes to me\nat night.",
    "about": WREN,
    "sanction": None,
    "posts": [
        {"id": ID, "author": WREN, "at": "2026-01-02T03:00:00.000Z", "proved": True, "text": "ugly", "cw": None},
        {"id": "66" * 16, "author": WREN, "at": "2026-01-02T03:01:00.000Z", "proved": False, "text": None, "cw": "x"},
    ],
}
ENTRY: JsonObject = {
    "kind": "quiet",
    "at": "2020-01-02T03:04:05.000Z",
    "by": WREN,
    "member": TANSY,
    "rank": None,
    "settings": {},
    "message": None,
    "until": "2020-01-03T03:04:05.000Z",
    "reason": None,
    "id": "55" * 16,
    "mine": False,
}


WOULD: JsonObject = {
    "group": {"id": "ab" * 32, "name": "Tuesday grief"},
    "to": [WREN],
    "not_to": [TANSY],
    "text": "He writes.\nAt night.",
    "posts": [
        {"id": ID, "author": TANSY, "at": "2020-01-02T03:00:00.000Z", "proved": True, "text": "ugly", "cw": None},
        {"id": "66" * 16, "author": TANSY, "at": "2020-01-02T03:00:00.000Z", "proved": False, "text": "so", "cw": None},
    ],
}


def test_a_report_says_to_whom_alone_it_was_sent(home: Path) -> None:
    with fake_node(home, {"report": {"report": REPORT, "told": True}}) as node:
        ran = mesh("report", "3fa9c1d2", "--note", "-", "--with", "77ab0e10", "--yes", home=home, stdin="He writes.\n")
        asked = node.handler.asked
    assert (ran.code, ran.out) == (0, "77777777 · sent, to wren[31m alone\n")
    params = {"message": "3fa9c1d2", "with": ["77ab0e10"], "note": "He writes.", "wait_s": 2}
    assert asked == [("report", params)]


def test_a_report_is_sent_by_nobody_who_has_not_seen_what_goes_to_whom(home: Path) -> None:
    with fake_node(home, {"report.check": WOULD, "report": {"report": REPORT, "told": True}}) as node:
        ran = mesh("report", "3fa9c1d2", home=home)
        assert [method for method, _ in node.handler.asked] == ["report.check"]
    assert (ran.code, "--yes" in ran.err) == (Exit.USAGE, True)
    assert would_lines(WOULD) == [
        "To wren[31m alone, under seal, with your name.",
        "Not to tansy: what they said is in it.",
        "What they see:",
        "  3fa9c1d2 · tansy · 2 Jan 2020 03:00 · as its author signed it",
        "      ugly",
        "  66666666 · tansy · 2 Jan 2020 03:00 · by your word",
        "      so",
        "And your note:",
        "    He writes.",
        "    At night.",
        "Others see that you sent a note, not to whom or what it says.",
        "You can take it back later; who has read it by then has read it.",
    ]


@pytest.mark.parametrize("yes", [True, False])
def test_a_report_asks_at_a_terminal_and_no_is_what_nothing_means(home: Path, yes: bool) -> None:
    with fake_node(home, {"report.check": WOULD, "report": {"report": REPORT, "told": True}}) as node:
        with terminal("report", "3fa9c1d2", home=home, code=0 if yes else 2) as child:
            child.expect("under seal, with your name")
            child.expect("Send it\\? ")
            child.sendline("y" if yes else "")
            child.expect("sent, to wren" if yes else "Nothing was sent")
        asked = dict(node.handler.asked)
    assert ("report" in asked) == yes
    assert not yes or asked["report"]["to"] == [WREN["id"]], "who was named gets it"


def test_ones_own_report_says_how_it_stands_and_can_be_taken_back(home: Path) -> None:
    answer: JsonObject = {"by": WREN, "at": "2020-01-02T05:00:00.000Z", "text": "Thank you.\nI talk.", "sent": True}
    own = REPORT | {"mine": True, "answers": [answer], "waiting_for": [TANSY]}
    back = own | {"withdrawn": True, "closed": True, "waiting_for": []}
    replies: dict[str, JsonObject] = {
        "reports.show": {"report": own},
        "reports.withdraw": {"report": back, "told": True},
        "reports.list": {"reports": [REPORT | {"withdrawn": True}]},
    }
    with fake_node(home, replies) as node:
        shown, taken = mesh("reports", "777777", home=home), mesh("reports", "777777", "--withdraw", home=home)
        both = mesh("reports", "777777", "--withdraw", "--close", home=home)
        listed = mesh("reports", home=home)
        asked = dict(node.handler.asked)
    assert "· yours · Tuesday grief · " in shown.out
    assert " · sent to wren[31m · waits for tansy · answered\n" in shown.out
    assert "  2 Jan 2020 05:00 · answer by wren[31m\n      Thank you.\n      I talk.\n" in shown.out
    assert taken.out.endswith("· sent to wren[31m · answered · you took it back\n")
    assert asked["reports.withdraw"] == {"report": "777777", "wait_s": 2}
    assert (taken.code, both.code) == (0, Exit.USAGE)
    assert listed.out.endswith("· taken back by the one who wrote\n")
    with fake_node(home, {"reports.withdraw": {"report": None, "told": True}}):
        assert mesh("reports", "777777", "--withdraw", home=home).out == "It is gone: nobody had got it yet.\n"


def test_a_report_that_nobody_carries_yet_ends_with_4(home: Path) -> None:
    waiting = REPORT | {"to": [], "waiting_for": [TANSY]}
    with fake_node(home, {"report": {"report": waiting, "told": False}}):
        said = mesh("report", "3fa9c1d2", "--yes", home=home)
        told = mesh("report", "3fa9c1d2", "--yes", "--json", home=home)
    assert (said.code, told.code) == (Exit.QUEUED, Exit.QUEUED)
    assert "77777777 · waits, for tansy alone" in said.out
    assert "goes out by itself" in said.err
    assert told.json == {"schema": 1, "report": waiting, "told": False}


def test_a_report_that_nobody_may_be_told_any_more_does_not_pass_for_sent(home: Path) -> None:
    lost = REPORT | {"mine": True, "to": [], "waiting_for": [TANSY], "nobody_left": True}
    with fake_node(home, {"report": {"report": lost, "told": False}, "reports.list": {"reports": [lost]}}):
        said, listed = mesh("report", "3fa9c1d2", "--yes", home=home), mesh("reports", home=home)
    assert (said.code, said.out) == (Exit.QUEUED, "77777777 · not sent: tansy may not be told now\n")
    assert "do not serve now" in said.err
    assert "has reached nobody: tansy may not be told now\n" in listed.out
    assert "waits for" not in listed.out


def test_reports_are_listed_shown_answered_and_closed(home: Path) -> None:
    answers: dict[str, JsonObject] = {
        "reports.list": {"reports": [REPORT, REPORT | {"kind": "appeal", "about": None, "mine": True, "closed": True}]},
        "reports.show": {"report": REPORT},
        "reports.answer": {"report": REPORT | {"closed": True}, "told": True, "answered": True},
    }
    with fake_node(home, answers) as node:
        listed = mesh("reports", home=home)
        shown = mesh("reports", "777777", home=home)
        answered = mesh("reports", "777777", "--answer", "-", home=home, stdin="Thank you.\n")
        closed = mesh("reports", "777777", "--close", home=home)
        asked = node.handler.asked
    assert "report · about wren[31m · by tansy · Tuesday grief" in listed.out
    assert "appeal · yours · Tuesday grief" in listed.out
    assert "He writes" not in listed.out
    assert "    He writes to me\n    at night.\n" in shown.out
    assert "as its author signed it\n      ugly\n" in shown.out
    assert "warning: x · by the word of the one who wrote\n      (nothing of it came)\n" in shown.out
    assert "closed" in answered.out
    assert "Your answer was sent to tansy, under seal." in answered.err
    assert (closed.code, closed.err) == (0, "")
    assert [params for method, params in asked if method == "reports.answer"] == [
        {"report": "777777", "text": "Thank you.", "wait_s": 2},
        {"report": "777777", "text": None, "wait_s": 2},
    ]
    with fake_node(home, {"reports.list": {"reports": []}}):
        assert mesh("reports", home=home).out == "There are no reports.\n"


@pytest.mark.parametrize(
    ("line", "changes", "said"),
    [
        (
            ("quiet", "--for", "1d"),
            {"until": "2020-01-03T03:04:05.000Z"},
            "tansy is asked to be quiet until 3 Jan 2020",
        ),
        (("lift",), {}, "tansy can talk again."),
        (("fold", "3fa9c1d2"), {"id": ID}, "3fa9c1d2 is folded for all."),
        (("unfold", "3fa9c1d2"), {"id": ID}, "3fa9c1d2 is open again"),
        (("note",), {}, "tansy gets a note, and nobody else."),
    ],
)
def test_each_step_is_said(home: Path, line: tuple[str, ...], changes: JsonObject, said: str) -> None:
    shown: JsonObject = {"group": "ab" * 32, "member": TANSY, "step": line[0], "id": None, "until": None}
    reason = [] if line[0] in {"lift", "unfold"} else ["--reason", "-"]
    with fake_node(home, {"sanction": {"sanction": shown | changes, "told": True}}) as node:
        ran = mesh("sanction", "g", "tansy", *line, *reason, home=home, stdin="Take a day.\n")
        (params,) = [params for method, params in node.handler.asked if method == "sanction"]
    assert ran.code == 0
    assert said in ran.out
    assert params.get("reason") == ("Take a day." if reason else None)
    assert params.get("for_s") == (86_400 if line[0] == "quiet" else None)


def test_the_last_step_has_a_command_of_its_own(home: Path) -> None:
    with fake_node(home, {}) as node:
        ran = mesh("sanction", "g", "tansy", "remove", home=home)
        assert node.handler.asked == []
        page = mesh("sanction", "--help", home=home).out
    assert ran.code == Exit.USAGE
    assert "“remove” is no STEP." in ran.err
    assert "`mesh group remove`" in ran.err
    assert "One of note, fold, unfold, quiet, lift." in " ".join(page.split())


def test_an_appeal_says_for_whom_it_is(home: Path) -> None:
    with fake_node(home, {"appeal": {"appeal": REPORT | {"kind": "appeal"}, "told": True}}) as node:
        ran = mesh("appeal", "g", "--note", "-", home=home, stdin="Please.\n")
        asked = node.handler.asked
    assert (ran.code, ran.out) == (0, "77777777 · sent, to wren[31m alone\n")
    assert asked == [("appeal", {"group": "g", "note": "Please.", "wait_s": 2})]


def test_the_log_says_who_did_what_and_when(home: Path) -> None:
    entries = [
        ENTRY | {"kind": "rank", "rank": "steward", "at": None},
        ENTRY | {"kind": "settings", "settings": {"keep": "48"}},
        ENTRY | {"kind": "removed", "reason": "as said"},
        ENTRY,
        ENTRY | {"kind": "word-quiet", "reason": "Take a day.\nOr two."},
        ENTRY | {"kind": "report"},
        ENTRY | {"kind": "recall"},
        ENTRY | {"kind": "report", "mine": True},
        ENTRY | {"kind": "recall", "mine": True},
        ENTRY | {"kind": "answer"},
        ENTRY | {"kind": "answer", "mine": True},
        ENTRY | {"kind": "later"},
    ]
    told: JsonObject = {"group": {}, "entries": [*entries], "older": True, "quiet": {"until": ENTRY["until"]}}
    with fake_node(home, {"log": told}):
        ran = mesh("log", "g", home=home)
    lines = ran.out.splitlines()
    assert lines[0] == "[There are older ones, which are not shown.]"
    assert "earlier · wren[31m made tansy a steward" in lines
    assert any(line.endswith("wren[31m set keep to 48") for line in lines)
    assert "    as said" in lines
    assert any("asked tansy to be quiet until 3 Jan 2020" in line for line in lines)
    assert lines.index("    Or two.") == lines.index("    Take a day.") + 1
    assert any("why you are asked to be quiet, to you alone, by wren" in line for line in lines)
    assert any("a report by wren[31m about tansy: `mesh reports 55555555` shows it" in line for line in lines)
    for own in ("your report about tansy: `mesh reports 55555555` shows how it stands", "you took 55555555 back"):
        assert any(line.endswith(own) for line in lines), "in the second person, for who wrote it"
    assert any(line.endswith("wren[31m took 55555555 back") for line in lines)
    assert any(line.endswith("an answer to you alone, by wren[31m") for line in lines)
    assert any(line.endswith("your answer to tansy alone") for line in lines)
    assert any(line.endswith("· later") for line in lines)
    assert lines[-1].startswith("You are asked to be quiet until")
    assert '`mesh appeal "g"`' in lines[-1]
    with fake_node(home, {"log": told | {"entries": [], "older": False, "quiet": None}}):
        assert mesh("log", "g", home=home).out == "Nothing was done here that a log would show.\n"


def test_what_is_closed_for_a_quiet_or_folded_by_one_says_so(home: Path) -> None:
    hushed = message(text=None, mine=False, closed_by="quiet")
    folded = message(text=None, mine=False, collapsed=True, flags=0, folded_by=WREN)
    own = message(mine=True, collapsed=True, flags=0, folded_by=WREN)
    with fake_node(home, {"read": {"messages": [hushed, folded, own], **PAGE, "quiet": {"until": ENTRY["until"]}}}):
        page = mesh("read", "g", home=home).out
    assert "(closed: its author was asked to be quiet then; --open 3fa9c1d2 opens it)" in page
    assert "(closed; folded by wren[31m; --open 3fa9c1d2 opens it)" in page
    assert "(folded for others: wren[31m did that." in page
    assert "[You are asked to be quiet until 3 Jan 2020" in page


def test_a_reported_post_stays_behind_its_warning_until_it_is_opened(home: Path) -> None:
    base: JsonObject = {"id": ID, "author": WREN, "at": "2026-01-02T03:00:00.000Z", "proved": True, "text": None}
    warned, muted = base | {"cw": "grief", "closed_by": "warning"}, base | {"cw": None, "closed_by": "muted-word"}
    with fake_node(home, {"reports.show": {"report": REPORT | {"posts": [warned, muted]}}}) as node:
        closed = mesh("reports", "777777", home=home)
        mesh("reports", "777777", "--open", home=home)
        asked = node.handler.asked
    assert "warning: grief · as its author signed it\n      (closed; --open opens it)\n" in closed.out
    assert "      (closed: it holds a word that you muted; --open opens it)\n" in closed.out
    assert "nothing of it came" not in closed.out
    assert [params for _, params in asked] == [{"report": "777777", "open": opened} for opened in (False, True)]


def test_a_list_of_reports_says_how_one_is_opened(home: Path) -> None:
    with fake_node(home, {"reports.list": {"reports": [REPORT], "older": False}}):
        assert "`mesh reports ID` shows one" in mesh("reports", home=home).err
    with fake_node(home, {"reports.list": {"reports": [], "older": False}}):
        assert mesh("reports", home=home).err == ""


def test_the_quiet_of_one_who_left_is_said_as_a_sentence(home: Path) -> None:
    gone = ENTRY | {"kind": "lift", "member": {"id": "02" * 32, "alias": "someone who left"}}
    with fake_node(home, {"log": {"group": {}, "entries": [gone], "older": False, "quiet": None}}):
        assert "ended the quiet of someone who left\n" in mesh("log", "g", home=home).out


def test_where_there_are_older_reports_it_is_said_how_to_see_them(home: Path) -> None:
    with fake_node(home, {"reports.list": {"reports": [REPORT], "older": True}}) as node:
        ran = mesh("reports", "--before", "77ab0e10", "--limit", "5", home=home)
        asked = node.handler.asked
    assert ran.out.splitlines()[0] == "[There are older ones. --before and the first id here shows them.]"
    assert asked == [("reports.list", {"group": None, "before": "77ab0e10", "limit": 5})]


def test_that_whoever_wrote_is_out_and_got_no_answer_is_said(home: Path) -> None:
    told: JsonObject = {"report": REPORT | {"closed": True}, "told": True, "answered": False}
    with fake_node(home, {"reports.answer": told}):
        ran = mesh("reports", "77ab0e10", "--answer", "-", home=home, stdin="Thank you.\n")
        closed = mesh("reports", "77ab0e10", "--close", home=home)
    assert (ran.code, closed.code) == (0, 0)
    assert "is not in the group any more. Your answer was not sent; it is closed all the same." in ran.err
    assert "not sent" not in closed.err


def test_before_the_first_post_of_a_newcomer_a_welcome_is_suggested(home: Path) -> None:
    for new_here in (True, False):
        shown: JsonObject = {**GROUP, "new_here": new_here}
        with fake_node(home, {"group.show": {"group": shown}, "post": {"message": SENT}}):
            ran = mesh("post", "g", "-", home=home, stdin="Hello.\n")
        assert ran.code == 0
        assert ("this is your first post" in ran.err) == new_here
