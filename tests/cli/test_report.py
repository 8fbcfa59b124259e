"""Transcripts of `report`, `reports`, `sanction`, `appeal` and `log`: kind words, and no more than is so."""

from pathlib import Path

import pytest

from mesh.errors import Exit
from mesh.node.local.protocol import JsonObject
from tests.cli.runner import mesh
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
}


def test_a_report_says_for_whom_alone_it_is(home: Path) -> None:
    with fake_node(home, {"report": {"report": REPORT, "told": True}}) as node:
        ran = mesh("report", "3fa9c1d2", "--note", "-", "--with", "77ab0e10", home=home, stdin="He writes.\n")
        asked = node.handler.asked
    assert (ran.code, ran.out) == (0, "77777777 · for wren[31m alone\n")
    params = {"message": "3fa9c1d2", "with": ["77ab0e10"], "note": "He writes.", "wait_s": 2}
    assert asked == [("report", params)]


def test_a_report_that_nobody_carries_yet_ends_with_4(home: Path) -> None:
    waiting = REPORT | {"to": [], "waiting_for": [TANSY]}
    with fake_node(home, {"report": {"report": waiting, "told": False}}):
        said = mesh("report", "3fa9c1d2", home=home)
        told = mesh("report", "3fa9c1d2", "--json", home=home)
    assert (said.code, told.code) == (Exit.QUEUED, Exit.QUEUED)
    assert "for tansy alone" in said.out
    assert "goes out by itself" in said.err
    assert told.json == {"schema": 1, "report": waiting, "told": False}


def test_reports_are_listed_shown_answered_and_closed(home: Path) -> None:
    answers: dict[str, JsonObject] = {
        "reports.list": {"reports": [REPORT, REPORT | {"kind": "appeal", "about": None, "mine": True, "closed": True}]},
        "reports.show": {"report": REPORT},
        "reports.answer": {"report": REPORT | {"closed": True}, "told": True},
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
    assert closed.code == 0
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
        (_, params) = node.handler.asked[0]
    assert ran.code == 0
    assert said in ran.out
    assert params["reason"] == (None if not reason else "Take a day.")
    assert params.get("for_s") == (86_400 if line[0] == "quiet" else None)


def test_the_last_step_has_a_command_of_its_own(home: Path) -> None:
    with fake_node(home, {}) as node:
        ran = mesh("sanction", "g", "tansy", "remove", home=home)
        assert node.handler.asked == []
    assert ran.code == Exit.USAGE
    assert "mesh group remove" in ran.err


def test_an_appeal_says_for_whom_it_is(home: Path) -> None:
    with fake_node(home, {"appeal": {"appeal": REPORT | {"kind": "appeal"}, "told": True}}) as node:
        ran = mesh("appeal", "g", "--note", "-", home=home, stdin="Please.\n")
        asked = node.handler.asked
    assert (ran.code, ran.out) == (0, "77777777 · for wren[31m alone\n")
    assert asked == [("appeal", {"group": "g", "note": "Please.", "wait_s": 2})]


def test_the_log_says_who_did_what_and_when(home: Path) -> None:
    entries = [
        ENTRY | {"kind": "rank", "rank": "steward", "at": None},
        ENTRY | {"kind": "settings", "settings": {"keep": "48"}},
        ENTRY | {"kind": "removed", "reason": "as said"},
        ENTRY,
        ENTRY | {"kind": "word-quiet", "reason": "Take a day.\nOr two."},
        ENTRY | {"kind": "report"},
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
    assert any("`mesh reports 55555555` shows it" in line for line in lines)
    assert any(line.endswith("· later") for line in lines)
    assert lines[-1].startswith("You are asked to be quiet until")
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


def test_before_the_first_post_of_a_newcomer_a_welcome_is_suggested(home: Path) -> None:
    for new_here in (True, False):
        shown: JsonObject = {**GROUP, "new_here": new_here}
        with fake_node(home, {"group.show": {"group": shown}, "post": {"message": SENT}}):
            ran = mesh("post", "g", "-", home=home, stdin="Hello.\n")
        assert ran.code == 0
        assert ("this is your first post" in ran.err) == new_here
