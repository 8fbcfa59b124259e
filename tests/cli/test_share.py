"""Transcripts of `share` and of quotes: who may take what along, and no more than is so."""

from pathlib import Path

import pytest

from mesh.errors import Exit, LocalError, RefusedError
from mesh.node.local.protocol import JsonObject
from tests.cli.runner import mesh
from tests.cli.test_talk import ID
from tests.node.local.fake_node import Reply, fake_node

SHARE: JsonObject = {
    "id": ID,
    "group": {"id": "ab" * 32, "name": "Tuesday grief"},
    "author": {"id": "01" * 32, "alias": "juniper"},
    "mine": False,
    "at": "2026-11-22T14:05:00Z",
    "cw": "",
    "excerpt": "What helped me was to walk.",
    "everyone": False,
    "to": [],
    "unnamed": 0,
    "may_leave": False,
    "state": "asked",
    "questions": [],
}
MINE: JsonObject = SHARE | {"mine": True, "state": "yours"}


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({}, "no answer yet"),
        ({"state": "granted", "may_leave": True}, "you may take it with you"),
        ({"state": "waiting"}, "your question waits: nobody was there to take it"),
        ({"state": "unanswered"}, "no answer came; you can ask again"),
    ],
)
def test_asking_says_how_it_stands_and_never_that_it_was_refused(home: Path, changes: JsonObject, line: str) -> None:
    with fake_node(home, {"share.ask": {"share": SHARE | changes, "told": True}}) as node:
        ran = mesh("share", "ask", "3fa9c1", "--for", "our other group", home=home)
        asked = node.handler.asked
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == f'3fa9c1d2 · {line} · juniper in "Tuesday grief": What helped me was to walk.\n'
    assert asked == [("share.ask", {"message": "3fa9c1", "purpose": "our other group", "wait_s": 2})]


def test_where_nobody_was_there_the_exit_status_is_4(home: Path) -> None:
    with fake_node(home, {"share.ask": {"share": SHARE | {"state": "waiting"}, "told": False}}):
        ran = mesh("share", "ask", "3fa9c1", home=home)
    assert ran.code == Exit.QUEUED
    assert "goes out by itself" in ran.err


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"everyone": True}, "anyone in the group may take it with them"),
        ({"to": [{"id": "02" * 32, "alias": "wren"}]}, "may be taken by wren"),
        (
            {"to": [{"id": "02" * 32, "alias": "wren"}], "unnamed": 1},
            "may be taken by wren, 1 who asked another device of yours",
        ),
        ({}, "nobody may take it out of the group"),
    ],
)
def test_granting_and_withdrawing_say_who_may_take_it(home: Path, changes: JsonObject, line: str) -> None:
    table: dict[str, Reply] = {
        f"share.{name}": {"share": MINE | changes, "told": True} for name in ("grant", "withdraw")
    }
    with fake_node(home, table) as node:
        granted = mesh("share", "grant", "3fa9c1", "--to", "wren", home=home)
        taken_back = mesh("share", "withdraw", "3fa9c1", home=home)
        asked = node.handler.asked
    assert granted.out == taken_back.out == f'3fa9c1d2 · {line} · you in "Tuesday grief": What helped me was to walk.\n'
    assert "Other nodes keep to that once they hear of it. What has left by then stays outside." in taken_back.err
    assert granted.err == ""
    assert [params for _, params in asked] == [
        {"message": "3fa9c1", "to": "wren", "wait_s": 2},
        {"message": "3fa9c1", "wait_s": 2},
    ]


def test_a_refusal_says_that_nobody_is_told(home: Path) -> None:
    with fake_node(home, {"share.refuse": {"share": MINE, "refused": 1}}):
        ran = mesh("share", "refuse", "3fa9c1", home=home)
    assert (ran.code, ran.out) == (0, "They may not take it out of the group. Nobody is told that you said no.\n")


def test_the_list_names_what_is_asked_and_no_text_can_pass_for_a_line_of_ours(home: Path) -> None:
    question: JsonObject = {
        "from": {"id": "02" * 32, "alias": "wren\n3fa9c1d2 · granted"},
        "purpose": "for\x1b[31m us",
        "at": "2020-11-22T14:05:00Z",
    }
    table: dict[str, Reply] = {
        "share.list": {
            "asked": [SHARE | {"cw": "loss", "excerpt": None}],
            "questions": [MINE | {"questions": [question]}],
            "granted": [MINE | {"everyone": True, "excerpt": "two\nlines"}],
        }
    }
    with fake_node(home, table):
        ran = mesh("share", "list", home=home)
    lines = ran.out.splitlines()
    assert len(lines) == 7
    assert lines[0] == "Others ask you whether these may leave the group:"
    assert lines[2].startswith("      wren 3fa9c1d2 · granted asks (")
    assert lines[2].endswith(", for: for[31m us")
    assert lines[4].endswith('juniper in "Tuesday grief": (warning: loss)')
    assert lines[6].endswith('you in "Tuesday grief": two lines')


def test_an_empty_list_says_what_one_can_do(home: Path) -> None:
    with fake_node(home, {"share.list": {"asked": [], "questions": [], "granted": []}}):
        ran = mesh("share", "list", home=home)
    assert ran.out == "There is nothing here. `mesh share ask` asks the author of a message.\n"


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (RefusedError("its author has not let it leave", code="E-STAYS-HERE"), Exit.REFUSED),
        (LocalError("nobody has asked for that message", code="E-NO-ASKER"), Exit.USAGE),
    ],
)
def test_what_is_refused_says_so(home: Path, error: LocalError, status: Exit) -> None:
    with fake_node(home, {"share.grant": error}):
        ran = mesh("--json", "share", "grant", "3fa9c1", home=home)
    assert ran.code == status
    found = ran.json["error"]
    assert isinstance(found, dict)
    assert found["code"] == error.code


# ---------------------------------------------------------------- quotes as they are read


def message(**more: object) -> JsonObject:
    """A message as `read` gives it."""
    told: dict[str, object] = {
        "id": ID,
        "author": {"id": "01" * 32, "alias": "juniper"},
        "text": "Yes, that.",
        "mode": "listening",
        "at": "2020-11-22T14:05:00Z",
        "state": "received",
        **more,
    }
    return told  # type: ignore[return-value] # tests hand in JSON


QUOTED = {
    "id": "77" * 16,
    "author": {"id": "02" * 32, "alias": "wren"},
    "cw": "",
    "closed_by": None,
    "elsewhere": False,
}


@pytest.mark.parametrize(
    ("quote", "lines"),
    [
        ({**QUOTED, "text": "One.\nTwo."}, ["    (quotes wren, 77777777)", "    | One.", "    | Two."]),
        (
            {**QUOTED, "text": None, "cw": "loss", "closed_by": "warning"},
            ["    (quotes wren, 77777777: closed, warning: loss)"],
        ),
        ({**QUOTED, "author": None, "text": None}, ["    (quotes 77777777, which is not here or was taken back)"]),
        (
            {**QUOTED, "id": None, "author": None, "text": "\x1b[2JWords.", "elsewhere": True},
            [
                "    (words from another group; that their author agreed is juniper's word)",
                "    | [2JWords.",
            ],
        ),
    ],
)
def test_a_quote_stands_before_the_words_with_what_is_known_of_it(
    home: Path, quote: JsonObject, lines: list[str]
) -> None:
    with fake_node(home, {"read": {"messages": [message(quote=quote, may_leave="all")], "gaps": []}}):
        ran = mesh("read", "g", home=home)
    head, *rest = ran.out.splitlines()
    assert "may leave the group" in head
    assert rest == [*lines, "    Yes, that."]


def test_posting_a_quote_asks_for_it(home: Path) -> None:
    told = message(state="sent", reached=0, of=1, held_by=[])
    with fake_node(home, {"group.show": {"group": {"state": "member"}}, "post": {"message": told}}) as node:
        ran = mesh("post", "g", "Look.", "--quote", "77777777", "--may-leave", home=home)
        asked = dict(node.handler.asked)["post"]
    assert ran.code == 0
    assert (asked["quote"], asked["may_leave"]) == ("77777777", True)
