"""Transcripts of `circle`: who speaks and who comes next, one thing a line, for a screen reader too."""

from pathlib import Path

import pytest

from cli.event_lines import event_line
from cli.render import message_lines, when
from mesh.errors import Exit, RefusedError
from mesh.node.local.protocol import JsonObject, JsonValue
from tests.cli.runner import mesh
from tests.cli.test_talk import GROUP, ID, message
from tests.node.local.fake_node import Reply, fake_node


def person(alias: str) -> JsonObject:
    return {"id": alias.encode().hex().ljust(64, "0"), "alias": alias}


def people(*names: str) -> list[JsonValue]:
    return [person(name) for name in names]


CIRCLE: JsonObject = {
    "id": ID,
    "group": {"id": "ab" * 32, "name": "grief"},
    "question": "What helped\nyou this week?",
    "by": person("sorrel"),
    "opened": "2024-11-22T14:05:00Z",
    "state": "running",
    "order": people("sorrel", "juniper", "wren"),
    "speaking": person("juniper"),
    "since": "2024-11-22T14:05:00Z",
    "moves_on": "2024-11-22T14:15:00Z",
    "to_come": people("wren"),
    "away": [],
    "spoke": people("sorrel"),
    "passed": [],
    "missed": [],
    "round": 1,
    "rounds": 2,
    "turn_s": 600,
    "ends": "2024-11-23T14:05:00Z",
    "closed_by": None,
    "closing_words": None,
    "joined": True,
    "my_turn": False,
    "may_move_on": False,
    "set_aside": 0,
    "waits": False,
}
AT = [when(str(CIRCLE[key])) for key in ("since", "moves_on", "ends")]
OPEN: JsonObject = {**CIRCLE, "state": "open", "speaking": None, "spoke": [], "may_move_on": True}


def lines_of(home: Path, circle: JsonObject | None) -> list[str]:
    """Say what `circle show` says."""
    with fake_node(home, {"circle.show": {"circle": circle}}):
        return mesh("circle", "show", "g", home=home).out.splitlines()


def test_it_is_shown_one_thing_a_line_with_what_others_wrote_last(home: Path) -> None:
    assert lines_of(home, CIRCLE) == [
        "3fa9c1d2 · round 1 of 2 · 10 minutes for each turn",
        f"Speaking: juniper, since {AT[0]}",
        f"Soft timer: until {AT[1]}; then anybody in the circle may move it on.",
        f"It ends by itself: {AT[2]}",
        "In it, in this order: sorrel, juniper, wren",
        "Still to come: wren",
        "Spoke in this round: sorrel",
        "Question, from sorrel:",
        "    What helped",
        "    you this week?",
    ]


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"my_turn": True}, f"Speaking: you, since {AT[0]}"),
        ({"my_turn": True}, "`mesh circle say` speaks, `mesh circle pass` passes."),
        ({"joined": False}, "You do not sit in it. `mesh circle join` takes part."),
        ({"away": people("tansy")}, "No word yet; they have a slot at the end: tansy"),
        ({"passed": people("x\ny")}, "Passed in this round: x y"),
        ({"missed": people("tansy")}, "No word at the end either: tansy"),
        ({"question": None}, "    (left out, by what you block or mute)"),
        ({"state": "closing", "may_move_on": True}, "`mesh circle close` ends it."),
        ({"state": "closed"}, f"3fa9c1d2 · closed {AT[2]}"),
        ({"state": "open", "may_move_on": True}, "`mesh circle next` begins it."),
        (
            {"set_aside": 1},
            "Another circle was open at the same time. This one goes on, as more joined it or it was first.",
        ),
    ],
)
def test_each_standing_is_said(home: Path, changes: JsonObject, line: str) -> None:
    assert line in lines_of(home, CIRCLE | changes)


def test_closing_words_stand_below_and_cannot_pass_for_a_line_of_ours(home: Path) -> None:
    closed = CIRCLE | {"state": "closed", "closed_by": person("sorrel"), "closing_words": "Go well.\nSpeaking: you"}
    assert lines_of(home, closed)[-3:] == ["Closing words, from sorrel:", "    Go well.", "    Speaking: you"]


def test_without_any_it_says_how_to_open_one(home: Path) -> None:
    assert lines_of(home, None) == ["No circle is known here. `mesh circle open` opens one."]


def test_opening_asks_for_what_was_typed_and_one_that_nobody_heard_of_ends_with_4(home: Path) -> None:
    with fake_node(home, {"circle.open": {"circle": OPEN, "told": False}}) as node:
        ran = mesh("circle", "open", "g", "What helped?", "--turn", "5m", "--rounds", "2", home=home)
        asked = node.handler.asked
    assert ran.code == Exit.QUEUED
    assert ran.out.startswith("3fa9c1d2 · open: people join · 10 minutes for each turn\n")
    assert "goes out by itself" in ran.err
    assert asked[0][1] == {
        "group": "g",
        "question": "What helped?",
        "turn_s": 300,
        "rounds": 2,
        "lasts_s": 86_400,
        "wait_s": 2,
    }


@pytest.mark.parametrize(
    ("line", "method", "asked"),
    [
        (("join", "g"), "circle.join", {"group": "g", "leave": False, "wait_s": 2}),
        (("join", "g", "--leave"), "circle.join", {"group": "g", "leave": True, "wait_s": 2}),
        (("pass", "g"), "circle.pass", {"group": "g", "wait_s": 2}),
        (("next", "g", "--wait", "5s"), "circle.next", {"group": "g", "wait_s": 5}),
        (("close", "g", "Go well."), "circle.close", {"group": "g", "words": "Go well.", "wait_s": 2}),
    ],
)
def test_each_asks_for_one_thing_and_gives_the_keys_of_the_contract(
    home: Path, line: tuple[str, ...], method: str, asked: JsonObject
) -> None:
    with fake_node(home, {method: {"circle": CIRCLE, "told": True}}) as node:
        ran = mesh("circle", *line, "--json", home=home)
        calls = node.handler.asked
    assert (ran.code, calls[0][:2]) == (0, (method, asked))
    circle = ran.json["circle"]
    assert isinstance(circle, dict)
    assert {"id", "question", "order", "speaking", "passed", "state"} <= circle.keys()


def test_speaking_takes_a_mode_and_a_warning_as_a_post_does(home: Path) -> None:
    said: JsonObject = {"circle": CIRCLE, "told": True, "message": {"id": ID}}
    replies: dict[str, Reply] = {"group.show": {"group": GROUP}, "circle.say": said}
    with fake_node(home, replies) as node:
        ran = mesh("circle", "say", "g", "A walk.", "--mode", "experience", "--cw", "suicide", home=home)
        asked = node.handler.asked
    assert ran.code == 0
    assert "mesh crisis" in ran.err, "tips stand beside the warning here too"
    assert asked[-1][1] == {
        "group": "g",
        "text": "A walk.",
        "mode": "experience",
        "cw": "suicide",
        "topics": [],
        "wait_s": 2,
    }


def test_a_no_is_said_in_words_and_ends_with_5(home: Path) -> None:
    no = RefusedError("it is not your turn", why="one speaks", do="wait", code="E-NOT-YOUR-TURN")
    with fake_node(home, {"group.show": {"group": GROUP}, "circle.say": no}):
        ran = mesh("circle", "say", "g", "Me first.", home=home)
    assert ran.code == Exit.REFUSED
    assert "not your turn" in ran.err.lower()


def test_a_post_that_waits_for_the_end_of_a_circle_is_said_kindly_and_ends_with_4(home: Path) -> None:
    held = message(state="queued", circle={"id": ID, "out_of_turn": False, "waits": True})
    with fake_node(home, {"group.show": {"group": GROUP}, "post": {"message": held}}):
        ran = mesh("post", "g", "I would like to answer.", home=home)
    assert ran.code == Exit.QUEUED
    assert "Your words wait here until it is over." in ran.err
    assert "reachable" not in ran.err
    assert "mesh crisis" in ran.err


@pytest.mark.parametrize(
    ("circle", "words"),
    [
        ({"id": ID, "out_of_turn": False, "waits": False}, "· circle 3fa9c1d2 ·"),
        ({"id": ID, "out_of_turn": True, "waits": False}, "· circle 3fa9c1d2, out of turn ·"),
        ({"id": ID, "out_of_turn": False, "waits": True}, "· waits until the circle is over ·"),
    ],
)
def test_a_message_says_that_it_belongs_to_a_circle(circle: JsonObject, words: str) -> None:
    assert words in message_lines(message(circle=circle))[0]


def test_one_that_was_said_out_of_turn_says_why_it_is_closed() -> None:
    (_, closed) = message_lines(message(text=None, closed_by="turn"))
    assert "closed: said while another spoke; it is open when the circle is over; --open" in closed


def test_the_event_is_one_line() -> None:
    assert event_line({"event": "turn", "group": "ab" * 32, "circle": ID}) == (
        "It is your turn in a circle of group abababab: `mesh circle show`"
    )
