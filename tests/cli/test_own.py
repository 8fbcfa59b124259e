"""Transcripts of blocking, muting and hiding, against a node from a table and against a home without a node."""

from pathlib import Path

from mesh.errors import Exit
from mesh.node.local.protocol import JsonObject
from tests.cli.runner import mesh
from tests.node.local.fake_node import Reply, fake_node

JUNIPER: JsonObject = {"id": "4a1f09" + "0" * 58, "alias": "juniper"}
PERSON: JsonObject = {
    "group": {"id": "ab" * 32, "name": "Tuesday grief"},
    "member": JUNIPER,
    "blocked": True,
    "muted": False,
    "cleared": None,
}


def test_blocking_says_what_follows_and_that_nobody_is_told(home: Path) -> None:
    with fake_node(home, {"own.person": PERSON | {"cleared": 3}}) as node:
        ran = mesh("block", "Tuesday grief", "juniper", "--clear", home=home)
        told = mesh("block", "Tuesday grief", "juniper", "--json", home=home)
        asked = [params for _, params in node.handler.asked]
    assert ran.out == "You no longer see what juniper says. They are not told.\n3 messages of theirs deleted here.\n"
    assert told.json == {"schema": 1, **PERSON, "cleared": 3}
    assert asked[0] == {"group": "Tuesday grief", "member": "juniper", "blocked": True, "clear": True}
    assert asked[1]["clear"] is False


def test_each_of_them_asks_for_what_it_says(home: Path) -> None:
    muted: JsonObject = {"words": ["hospital"], "topics": ["work"]}
    table: dict[str, Reply] = {
        "own.person": PERSON,
        "own.words": muted,
        "own.hide": {"message": {"id": "3f" * 16, "hidden": True}},
    }
    with fake_node(home, table) as node:
        for line in (
            ("unblock", "g", "juniper"),
            ("mute", "g", "juniper"),
            ("unmute", "g", "juniper"),
            ("mute", "--words", "hospital,overdos*", "--topics", "work"),
            ("unmute", "--words", "--topic", "work"),
            ("hide", "3f3f3f"),
            ("hide", "3f3f3f", "--undo"),
        ):
            assert mesh(*line, home=home).code == 0, line
        asked = [params for _, params in node.handler.asked]
    assert asked == [
        {"group": "g", "member": "juniper", "blocked": False},
        {"group": "g", "member": "juniper", "muted": True},
        {"group": "g", "member": "juniper", "muted": False},
        {"add_words": ["hospital", "overdos*"], "add_topics": ["work"]},
        {"clear_words": True, "clear_topics": False, "remove_words": [], "remove_topics": ["work"]},
        {"message": "3f3f3f", "undo": False},
        {"message": "3f3f3f", "undo": True},
    ]


def test_a_member_is_named_within_a_group_and_words_without_one(home: Path) -> None:
    with fake_node(home) as node:
        for line in (("block", "g"), ("mute", "g"), ("unmute",), ("unmute", "g"), ("mute", "g", "--words", "a")):
            ran = mesh(*line, home=home)
            assert (ran.code, "E-USAGE" in ran.err) == (Exit.USAGE, True), line
        assert node.handler.asked == []


def test_the_list_shows_who_and_what_stays_closed(home: Path) -> None:
    listed: JsonObject = {"people": [{**PERSON, "cleared": None}], "words": ["hospital"], "topics": []}
    with fake_node(home, {"own.list": listed}):
        ran, told = mesh("block", home=home), mesh("mute", "--json", home=home)
    assert ran.out.startswith("muted words: hospital\n")
    assert "juniper" in ran.out
    assert told.json == {"schema": 1, **listed}


def test_what_is_closed_says_why_and_how_it_is_opened(home: Path) -> None:
    said: JsonObject = {"id": "44" * 16, "author": JUNIPER, "text": None, "mode": "listening", "state": "received"}
    page: JsonObject = {"messages": [{**said, "closed_by": why} for why in ("muted-word", "hidden", "warning")]}
    with fake_node(home, {"read": page}):
        lines = [line.strip() for line in mesh("read", "g", home=home).out.splitlines() if line.startswith("    ")]
    assert lines == [
        "(closed: it holds a word that you muted; --open 44444444 opens it)",
        "(closed: you hid it; --open 44444444 opens it)",
        "(closed; --open 44444444 opens it)",
    ]


def test_with_the_node_down_it_is_kept_all_the_same(home: Path) -> None:
    assert mesh("init", "--yes", "--name", "wren", home=home).code == 0
    assert mesh("mute", "--words", "Hospital", home=home).out == "muted words: hospital\n"
    assert mesh("mute", "--topics", "work", "--json", home=home).json == {
        "schema": 1,
        "words": ["hospital"],
        "topics": ["work"],
    }
    assert mesh("unmute", "--words", "--topics", home=home).out == "No words or topics are muted.\n"
    assert mesh("mute", "--words", "*", home=home).code == Exit.USAGE
