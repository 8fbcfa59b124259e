"""Transcripts of `shelf`: what stands there in the order in which it was put up, and what is ours said first."""

from pathlib import Path

import pytest

from mesh.errors import Exit
from mesh.node.local.protocol import JsonObject
from tests.cli.runner import mesh
from tests.cli.test_talk import ID
from tests.node.local.fake_node import Reply, fake_node

RESOURCE: JsonObject = {
    "id": ID,
    "group": "ab" * 32,
    "title": "What helps at night",
    "note": "short",
    "link": "https://example.org/night",
    "text": None,
    "language": "en",
    "review_by": "2027-03-31",
    "overdue": False,
    "author": {"id": "01" * 32, "alias": "juniper"},
    "mine": False,
    "at": "2020-11-22T14:05:00Z",
    "helped": 0,
    "helped_me": False,
    "waits": False,
}
HEAD = "3fa9c1d2 · en · look again by 2027-03-31: What helps at night"


def test_adding_says_what_stands_there(home: Path) -> None:
    with fake_node(home, {"shelf.add": {"resource": RESOURCE, "told": True}}) as node:
        options = ("--link", "https://example.org/night", "--review-by", "2027-03-31", "--note", "short")
        ran = mesh("shelf", "add", "g", "What helps at night", *options, home=home)
        asked = node.handler.asked
    assert (ran.code, ran.out, ran.err) == (0, f"On the shelf: {HEAD}\n", "")
    assert asked[0][1] == {
        "group": "g",
        "title": "What helps at night",
        "text": "",
        "link": "https://example.org/night",
        "note": "short",
        "language": None,
        "review_by": "2027-03-31",
        "wait_s": 2,
    }


@pytest.mark.parametrize(
    ("changes", "head"),
    [
        ({"helped": 3}, "3fa9c1d2 · en · helped 3 · look again by 2027-03-31: What helps at night"),
        ({"helped": 3, "helped_me": True, "review_by": None}, "3fa9c1d2 · en · helped 3, you too: What helps at night"),
        ({"overdue": True, "language": None}, "3fa9c1d2 · overdue, look again by 2027-03-31: What helps at night"),
        ({"title": "x\n3fa9c1d2 · helped 99: y", "review_by": None}, "3fa9c1d2 · en: x 3fa9c1d2 · helped 99: y"),
    ],
)
def test_each_is_a_line_that_its_title_cannot_break(home: Path, changes: JsonObject, head: str) -> None:
    with fake_node(home, {"shelf.list": {"resources": [RESOURCE | changes], "left_out": 2}}):
        ran = mesh("shelf", "list", "g", home=home)
    lines = ran.out.splitlines()
    assert lines[0] == head
    assert lines[1].startswith("    by juniper, ")
    assert lines[2:] == ["    https://example.org/night", "    short"]
    assert "or as too old: 2." in ran.err


def test_an_empty_shelf_says_how_to_put_something_there(home: Path) -> None:
    with fake_node(home, {"shelf.list": {"resources": [], "left_out": 0}}):
        ran = mesh("shelf", "list", "g", home=home)
        told = mesh("shelf", "list", "g", "--json", home=home)
    assert "`mesh shelf add`" in ran.out
    assert told.json == {"schema": 1, "resources": [], "left_out": 0}


def test_showing_gives_the_text_indented(home: Path) -> None:
    with fake_node(home, {"shelf.show": {"resource": RESOURCE | {"text": "In.\nOut.", "mine": True}}}):
        ran = mesh("shelf", "show", "3fa9c1d2", home=home)
    assert ran.out.splitlines()[-2:] == ["    In.", "    Out."]
    assert "    by you, " in ran.out


def test_what_nobody_was_told_of_ends_with_4(home: Path) -> None:
    replies: dict[str, Reply] = {
        "shelf.helped": {"resource": RESOURCE | {"helped": 1, "helped_me": True, "waits": False}, "told": False},
        "shelf.retire": {"retired": RESOURCE, "told": False},
    }
    with fake_node(home, replies) as node:
        helped = mesh("shelf", "helped", "3fa9c1d2", "--withdraw", "--wait", "10s", home=home)
        retired = mesh("shelf", "retire", "3fa9c1d2", home=home)
        told = mesh("shelf", "retire", "3fa9c1d2", "--json", home=home)
        asked = node.handler.asked
    assert (helped.code, retired.code, told.code) == (Exit.QUEUED,) * 3
    assert "helped 1, you too" in helped.out
    assert retired.out == "Off the shelf: What helps at night\n"
    assert "goes out by itself" in retired.err
    assert told.json == {"schema": 1, "retired": RESOURCE, "told": False}
    assert asked[0] == ("shelf.helped", {"resource": "3fa9c1d2", "withdraw": True, "wait_s": 10})
