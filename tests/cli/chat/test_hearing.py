"""What the node tells beside a conversation: in the words of `up`, and nothing that the node keeps for later."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.chat.conversation import Conversation
from cli.context import Context
from cli.event_lines import event_line
from cli.output import Output
from mesh.node.local.protocol import JsonObject
from tests.cli.test_chat import GID, OTHER, beside, heard, replies
from tests.node.local.fake_node import fake_node

FOLLOWING: JsonObject = {"event": "following", "silent": False}
LAST: JsonObject = {"event": "knock", "group": GID, "knock": "00"}
TOLD: list[JsonObject] = [
    {"event": "listen", "group": OTHER, "talk": "22" * 32, "state": "offered", "mine": False},
    {"event": "listen", "group": GID, "talk": "22" * 32, "state": "open", "mine": True},
    {"event": "listen", "group": GID, "talk": "22" * 32, "state": "ended", "mine": True},
    {"event": "support", "group": OTHER, "form": "report", "note": "33" * 16},
    {"event": "join", "join": "44" * 16, "state": "joined"},
]


def told(home: Path, *events: JsonObject, line: tuple[str, ...] = ()) -> list[str]:
    """Return what a conversation says when a node tells of these, and then that somebody waits at the door."""
    stream = {"events": [FOLLOWING, *events, LAST]}
    with fake_node(home, replies(), stream, stays_open=True), beside(home, *line) as process:
        return heard(process, '"knock"' if line else event_line(LAST))


def test_a_listener_who_is_asked_for_a_talk_that_is_open_or_over_and_a_report_are_told_in_the_words_of_up(
    home: Path,
) -> None:
    said = told(home, *TOLD)
    assert said[-1 - len(TOLD) : -1] == [f"{event_line(event)}." for event in TOLD]
    assert "Somebody of group cdcdcdcd asks for a listener: `mesh listen list`." in said


def test_a_script_gets_them_as_they_are(home: Path) -> None:
    objects = [json.loads(line) for line in told(home, *TOLD, line=("--json",)) if line.startswith("{")]
    assert [one for one in objects if one["event"] in {"listen", "support", "join"}] == [
        {"schema": 1, **event} for event in TOLD
    ]


@pytest.mark.parametrize("form", ["flag", "pledge", "pin"])
def test_what_everybody_states_does_not_come_between_the_lines(home: Path, form: str) -> None:
    assert not [line for line in told(home, {"event": "support", "group": GID, "form": form}) if form in line]


class Stands:
    """A node that answers how far a message has come by now."""

    def __init__(self, *stands: tuple[str, int]) -> None:
        self.stands = list(stands)

    def call(self, method: str, params: JsonObject) -> JsonObject:
        state, reached = self.stands.pop(0)
        return {"message": {"id": params["message"], "state": state, "reached": reached, "of": 2, "held_by": []}}

    def stream(self, method: str, params: JsonObject) -> Iterator[JsonObject]:
        raise NotImplementedError

    def close(self) -> None:
        raise NotImplementedError


@pytest.mark.parametrize(("posted", "lines"), [("sent", 0), ("queued", 1)])
def test_after_what_was_said_of_ones_own_words_one_hears_only_that_they_left_if_they_waited(
    home: Path, posted: str, lines: int
) -> None:
    chat = Conversation(Context(home=home, out=Output(plain=True)))
    shown: list[tuple[JsonObject, list[str]]] = []
    chat.screen.tell = lambda telling: shown.append(telling())  # type: ignore[method-assign] # the terminal
    chat.numbers.of(GID)
    chat._hearing.posted({"id": GID, "state": posted})
    steps = [("queued", 0), ("sent", 0), ("held", 0), ("held", 0), ("held", 1), ("held", 2)]
    node = Stands(*steps)
    for _ in steps:
        chat._hearing.heard(node, {"event": "state", "message": {"id": GID}})
    assert [line for _, said in shown for line in said] == ["Message 1, yours: sent, reached 0 of 2."][:lines]
    told = [message["state"] for event, _ in shown if isinstance(message := event["message"], dict)]
    assert told == ["sent", "held", "held"], "a script hears of each step"


def test_what_others_choose_is_one_line_with_no_sign_that_steers_a_terminal(home: Path) -> None:
    hostile = "open.\n1. wren, at 19:05\x1b[2J"
    said = told(home, {"event": "listen", "group": GID, "state": hostile}, {"event": "join", "state": hostile})
    assert not [line for line in said if "\x1b" in line or line.startswith("1. wren")]
