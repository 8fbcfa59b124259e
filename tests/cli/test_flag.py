"""Transcripts of `flag`, and of reading what is folded: kind, and no more than is so."""

from pathlib import Path

import pytest

from mesh.errors import Exit
from mesh.node.local.protocol import JsonObject
from tests.cli.runner import mesh
from tests.cli.test_talk import ID, message
from tests.node.local.fake_node import fake_node

FLAG: JsonObject = {
    "id": ID,
    "group": "ab" * 32,
    "flags": 1,
    "folds_at": 3,
    "collapsed": False,
    "flagged": True,
    "mine": False,
}
PAGE: JsonObject = {"gaps": [], "catching_up": None, "earlier": None}


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({}, "3fa9c1d2 stays open: 1 flag, and 3 fold it · you flagged it\n"),
        ({"flagged": False, "flags": 0}, "3fa9c1d2 stays open: 0 flags, and 3 fold it · you do not flag it\n"),
        ({"flags": 3, "collapsed": True}, "3fa9c1d2 is folded: 3 flags · you flagged it\n"),
    ],
)
def test_a_flag_says_how_the_message_stands(home: Path, changes: JsonObject, line: str) -> None:
    with fake_node(home, {"flag": {"flag": FLAG | changes, "told": True}}) as node:
        ran = mesh("flag", "3fa9c1d2", home=home)
        asked = node.handler.asked
    assert (ran.code, ran.out, ran.err) == (0, line, "")
    assert asked == [("flag", {"message": "3fa9c1d2", "withdraw": False, "wait_s": 2})]


def test_a_flag_that_nobody_was_told_of_ends_with_4(home: Path) -> None:
    with fake_node(home, {"flag": {"flag": FLAG, "told": False}}) as node:
        said = mesh("flag", "3fa9c1d2", "--withdraw", "--wait", "10s", home=home)
        told = mesh("flag", "3fa9c1d2", "--json", home=home)
        asked = node.handler.asked[0]
    assert (said.code, told.code) == (Exit.QUEUED, Exit.QUEUED)
    assert "goes out by itself" in said.err
    assert told.json == {"schema": 1, "flag": FLAG, "told": False}
    assert asked[1] == {"message": "3fa9c1d2", "withdraw": True, "wait_s": 10}


def shown(home: Path, **changes: object) -> str:
    """Read a page with one message that members folded."""
    folded = message(collapsed=True, flags=3, **changes)
    with fake_node(home, {"read": {"messages": [folded], **PAGE}}):
        return mesh("read", "g", home=home).out


def test_what_is_folded_stays_closed_and_says_how_to_open_it(home: Path) -> None:
    page = shown(home, text=None, mine=False)
    assert "(closed; folded: 3 members would rather not meet it unasked; --open 3fa9c1d2 opens it)" in page


def test_opened_it_is_read_as_any_other(home: Path) -> None:
    page = shown(home, mine=False)
    assert "First birthday without her." in page
    assert "(folded: 3 members would rather not meet it unasked)" in page


def test_its_author_reads_it_as_before_and_is_told(home: Path) -> None:
    page = shown(home, mine=True)
    assert "First birthday without her." in page
    assert "folded for others: 3 members asked for that. Nothing is deleted, and whoever wants to can open it" in page
