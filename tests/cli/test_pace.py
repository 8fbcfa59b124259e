"""Transcripts of pausing, quiet hours, digests and private notes."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from mesh.errors import Exit
from mesh.node.local.protocol import JsonObject
from tests.cli.runner import mesh
from tests.node.local.fake_node import fake_node

AWAKE: JsonObject = {"paused": False, "until": None, "quiet": None, "digest": "off", "cap": None, "silent": False}
PAUSED: JsonObject = {**AWAKE, "paused": True, "silent": True, "until": "2020-12-01T18:00:00.000Z"}
MESSAGE: JsonObject = {"id": "3f" * 16, "state": "queued", "reached": 0, "of": 0, "held_by": []}


def test_a_pause_says_when_it_ends_and_that_nothing_is_lost(home: Path) -> None:
    with fake_node(home, {"own.pace": {"pace": PAUSED}, "post": {"message": MESSAGE}}) as node:
        ran = mesh("pause", "--until", "3d", home=home)
        told = mesh("pause", "--until", "2030-12-01", "--tell", "Tuesday grief", "--json", home=home)
        asked = node.handler.asked
    assert ran.out.startswith("You are paused until ")
    assert "Nothing is lost" in ran.out
    until = datetime.fromisoformat(str(asked[0][1]["until"]))
    assert timedelta(days=2, hours=22) < until - datetime.now().astimezone() <= timedelta(days=3, hours=2)
    assert (told.code, told.json) == (Exit.QUEUED, {"schema": 1, "pace": PAUSED, "message": MESSAGE})
    said = str(asked[2][1]["text"])
    assert said == "I am stepping back until 1 December 2030."


def test_nobody_is_told_of_a_pause_unless_one_wants_to(home: Path) -> None:
    with fake_node(home, {"own.pace": {"pace": PAUSED}}) as node:
        mesh("pause", home=home)
        mesh("resume", home=home)
        assert node.handler.asked == [
            ("own.pace", {"paused": True, "until": None}),
            ("own.pace", {"paused": False}),
        ]


@pytest.mark.parametrize("line", [("pause", "--until", "soon"), ("quiet", "at night"), ("pause", "--until", "")])
def test_what_is_no_time_is_refused(home: Path, line: tuple[str, ...]) -> None:
    assert mesh("init", "--yes", "--name", "wren", home=home).code == 0
    assert mesh(*line, home=home).code == Exit.USAGE


def test_status_says_first_that_one_is_paused(home: Path) -> None:
    told: JsonObject = {"running": True, "problems": [], "links": [], "groups": [], "joins": [], "pace": PAUSED}
    with fake_node(home, {"status": told}):
        assert mesh("status", home=home).out.startswith("You are paused until ")
    with fake_node(home, {"status": {**told, "pace": AWAKE}}):
        assert mesh("status", home=home).out.startswith("Your node is running")


def test_following_says_that_it_is_silent_and_then_what_is_unread(home: Path) -> None:
    digest: JsonObject = {"event": "digest", "groups": [{"id": "ab" * 32, "name": "Tuesday \x1b[2Jgrief", "unread": 3}]}
    events: list[JsonObject] = [{"event": "following", "group": "ab" * 32, "silent": True}, digest]
    with fake_node(home, {"read": {"messages": [], "gaps": []}}, {"read.follow": events}):
        ran = mesh("read", "g", "--follow", home=home)
    assert ran.err.startswith("You are paused, or it is your quiet time")
    assert ran.out.startswith('[Unread meanwhile: 3 in "Tuesday ')
    assert "\x1b" not in ran.out


def test_all_of_it_is_kept_with_the_node_down(home: Path) -> None:
    assert mesh("init", "--yes", "--name", "wren", home=home).code == 0
    assert mesh("quiet", home=home).out == "You are told of everything as it comes.\n"
    assert mesh("quiet", "22:00-07:30", "--json", home=home).json["pace"]["quiet"] == "22:00-07:30"  # type: ignore[index,call-overload] # an object
    assert "but for the first 10 messages of a day" in mesh("digest", "daily", "--cap", "10", home=home).out
    assert mesh("pause", home=home).out.startswith("You are paused until you say `mesh resume`.")
    assert mesh("status", "--json", home=home).json["pace"]["paused"] is True  # type: ignore[index,call-overload] # an object
    mesh("resume", home=home)
    mesh("quiet", "off", home=home)
    assert mesh("digest", "off", home=home).out == "You are told of everything as it comes.\n"


def test_notes_are_added_listed_and_deleted_with_the_node_down(home: Path) -> None:
    assert mesh("init", "--yes", "--name", "wren", home=home).code == 0
    assert mesh("reflect", "list", home=home).out == "You have no notes yet.\n"
    added = mesh("reflect", "add", "-", "--about", "gave", "--json", home=home, stdin="I listened.\nIt was late.")
    note = added.json["note"]
    assert isinstance(note, dict)
    shown = mesh("reflect", "list", home=home).out.splitlines()
    assert shown[0].endswith(f" · gave · {str(note['id'])[:8]}")
    assert shown[1:3] == ["    I listened.", "    It was late."]
    refused = mesh("reflect", "delete", str(note["id"]), home=home)
    assert refused.code == Exit.USAGE
    assert mesh("reflect", "delete", str(note["id"])[:8], "--yes", home=home).out == "Deleted.\n"
    assert mesh("reflect", "delete", str(note["id"]), "--yes", home=home).code == Exit.USAGE
    assert mesh("reflect", "list", home=home).out == "You have no notes yet.\n"
