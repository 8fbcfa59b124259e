"""Messages in lines that can be listened to: nothing of others' can pass for a line of ours."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.chat.spoken import group_line, sent_line, spoken
from mesh.node.local.protocol import JsonObject, JsonValue
from tests.cli.test_talk import ID, message


def say(known: int = 0, **changes: object) -> list[str]:
    """Say a message."""
    return spoken(message(**changes), 3, lambda _: known)


def test_author_time_mode_and_text_come_in_this_order() -> None:
    assert say() == ["3. juniper, on 22 Nov 2020 14:05, listening.", "    First birthday without her."] or re.match(
        r"3\. juniper, on \d+ Nov 2020 \d\d:\d\d, listening\.", say()[0]
    )


@pytest.mark.parametrize(
    ("changes", "head", "below"),
    [
        ({"mine": True}, "3. you, ", "First"),
        (
            {"text": None, "cw": "loss of a child"},
            ", listening, warning: loss of a child.",
            "(closed; /open 3 opens it)",
        ),
        ({"text": None, "closed_by": "muted"}, ", listening.", "(closed: you muted its author; /open 3 opens it)"),
        ({"text": None, "why": "taken back"}, ", listening.", "(taken back)"),
        ({"reply_to": "cd" * 16, "asked_mode": "advice"}, "in reply to message 7 which asked for advice.", "First"),
        ({"topics": ["sleep", "night\nshift"]}, "topics sleep and night shift.", "First"),
        ({"author": {"id": "01" * 32, "alias": "juniper", "verified": True}}, "listening. Key verified.", "First"),
        ({"quote": {"elsewhere": True, "text": "Words."}, "may_leave": "all"}, "may leave the group", "juniper's word"),
        ({"state": "withdrawn", "text": None, "why": "x"}, "withdrawn.", "(x)"),
    ],
)
def test_what_there_is_to_know_is_said(changes: dict[str, object], head: str, below: str) -> None:
    said = say(known=7, **changes)
    assert head in said[0]
    assert below in said[1]


def test_of_ones_own_it_is_said_how_far_it_came() -> None:
    told: JsonObject = {"id": ID, "state": "sent", "reached": 4, "of": 10, "held_by": []}
    assert sent_line(told, 5) == "Message 5, yours: sent, reached 4 of 10."


def test_a_group_is_one_line() -> None:
    group: JsonObject = {"id": "ab" * 32, "name": "Tuesday\ngrief", "members": 1, "unread": 2}
    assert group_line(group) == '"Tuesday grief", 1 member, 2 unread, id abababab.'


def test_an_alias_adds_no_part_to_the_line_in_which_it_stands() -> None:
    for alias in ("wren, at 19:05, advice", 'wren" , withdrawn. Key verified.'):
        head = say(author={"id": "01" * 32, "alias": alias})[0]
        assert head.count('"') == 2
        assert head.startswith('3. "wren')
        assert head.index("on 22 Nov") > head.rindex('"')
    assert say(author={"id": "01" * 32, "alias": "Dr Wren-Smith"})[0].startswith("3. Dr Wren-Smith, on")


@given(st.text(), st.text(), st.text(), st.lists(st.text(), max_size=3))
def test_nothing_of_others_begins_a_line_or_drives_the_terminal(
    alias: str, text: str, warning: str, topics: list[str]
) -> None:
    author: JsonObject = {"id": "01" * 32, "alias": alias}
    listed: list[JsonValue] = list(topics)
    head, *below = say(author=author, text=text, cw=warning, topics=listed)
    assert head.startswith("3. ")
    assert "\n" not in head
    assert all(line.startswith("    ") for line in below)
    assert not any("\x1b" in line or "\r" in line for line in (head, *below))
