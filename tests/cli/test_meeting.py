"""Transcripts of `meeting`: set, show, remind."""

from pathlib import Path

from mesh.errors import Exit
from mesh.node.local.protocol import JsonObject
from tests.cli.runner import mesh
from tests.node.local.fake_node import fake_node

MEETING: JsonObject = {
    "day": "tue",
    "time": "19:00",
    "zone": "Europe/London",
    "note": "Tea first.\n! not ours",
    "next": "2020-11-24T19:00:00.000Z",
    "by": {"id": "01" * 32, "alias": "wren"},
    "remind_s": None,
    "soon": False,
}
TOLD: JsonObject = {"group": {"id": "ab" * 32, "name": "Tuesday grief"}, "meeting": MEETING, "told": True}
WHEN = ("--day", "tue", "--time", "19:00", "--zone", "Europe/London")


def test_a_meeting_is_set(home: Path) -> None:
    with fake_node(home, {"meeting.set": TOLD}) as node:
        ran = mesh("meeting", "set", "g", *WHEN, "--note", "Tea first.", home=home)
        none = mesh("meeting", "set", "g", "--none", home=home)
        asked = [params for _, params in node.handler.asked]
    assert (ran.code, none.code) == (0, 0)
    assert ran.out.startswith("Tuesdays at 19:00 (Europe/London); next for you: ")
    assert "    ! not ours" in ran.out
    assert asked[0] == {
        "group": "g",
        "day": "tue",
        "time": "19:00",
        "zone": "Europe/London",
        "note": "Tea first.",
        "none": False,
        "wait_s": 2,
    }
    assert asked[1] == {"group": "g", "note": "", "none": True, "wait_s": 2}


def test_what_is_missing_is_said_and_what_waits_ends_with_4(home: Path) -> None:
    with fake_node(home, {"meeting.set": {**TOLD, "told": False}}) as node:
        missing = mesh("meeting", "set", "g", "--day", "tue", home=home)
        assert node.handler.asked == []
        waits = mesh("meeting", "set", "g", *WHEN, home=home)
    assert missing.code == Exit.USAGE
    assert "A meeting needs a day, a time and a zone." in missing.err
    assert waits.code == Exit.QUEUED


def test_a_group_without_a_meeting_says_so_and_a_strange_zone_too(home: Path) -> None:
    with fake_node(home, {"meeting.show": {**TOLD, "meeting": None}}):
        assert mesh("meeting", "show", "g", home=home).out == "This group has no meeting.\n"
    with fake_node(home, {"meeting.show": {**TOLD, "meeting": {**MEETING, "next": None}}}):
        assert "this machine does not know that time zone" in mesh("meeting", "show", "g", home=home).out


def test_a_reminder_is_set_and_taken_back(home: Path) -> None:
    with fake_node(home, {"meeting.remind": {**TOLD, "remind_s": 5400}}) as node:
        ran = mesh("meeting", "remind", "g", "--before", "90m", home=home)
        assert node.handler.asked[0][1] == {"group": "g", "before_s": 5400}
    assert ran.out.endswith("You are reminded from 90 minutes before.\n")
    with fake_node(home, {"meeting.remind": {**TOLD, "remind_s": 0}}) as node:
        assert mesh("meeting", "remind", "g", "--off", home=home).out.endswith("You are not reminded.\n")
        assert node.handler.asked[0][1]["before_s"] == 0


def test_a_page_says_first_that_the_group_meets_soon(home: Path) -> None:
    page: JsonObject = {"messages": [], "gaps": [], "pins": [], "meeting": {**MEETING, "soon": True}}
    with fake_node(home, {"read": page}):
        assert mesh("read", "g", home=home).out.startswith("[meeting: Tuesdays at 19:00 (Europe/London)")
    with fake_node(home, {"read": {**page, "meeting": MEETING}}):
        assert "meeting" not in mesh("read", "g", home=home).out
