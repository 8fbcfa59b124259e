"""Transcripts of `milestone`: what is counted, kindly, and no more than is so."""

from pathlib import Path

import pytest

from mesh.errors import Exit
from mesh.node.local.protocol import JsonObject
from tests.cli.runner import mesh
from tests.cli.test_talk import ID
from tests.node.local.fake_node import Reply, fake_node

MILESTONE: JsonObject = {
    "id": ID,
    "group": "ab" * 32,
    "text": "without a drink",
    "since": "2026-08-25",
    "count": "days",
    "elapsed": 90,
    "invited": False,
    "author": {"id": "01" * 32, "alias": "juniper"},
    "mine": False,
    "at": "2026-11-22T14:05:00Z",
    "congratulated": 0,
    "congratulated_by_me": False,
    "congratulations": [],
    "waits": False,
}


def test_adding_asks_for_what_was_typed_and_says_what_stands(home: Path) -> None:
    with fake_node(home, {"milestone.add": {"milestone": MILESTONE | {"mine": True}, "told": True}}) as node:
        ran = mesh("milestone", "add", "g", "without a drink", "--since", "2026-08-25", "--invite", home=home)
        asked = node.handler.asked
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == "3fa9c1d2 · 90 days since 2026-08-25 · you: without a drink\n"
    assert asked[0][1] == {
        "group": "g",
        "text": "without a drink",
        "since": "2026-08-25",
        "count": "days",
        "invite": True,
        "wait_s": 2,
    }


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"elapsed": 1}, "3fa9c1d2 · 1 day since 2026-08-25 · juniper: without a drink"),
        ({"count": "months", "elapsed": 2}, "3fa9c1d2 · 2 months since 2026-08-25 · juniper: without a drink"),
        (
            {"invited": True},
            "3fa9c1d2 · 90 days since 2026-08-25 · congratulations are welcome · juniper: without a drink",
        ),
        (
            {"invited": True, "congratulated": 2},
            "3fa9c1d2 · 90 days since 2026-08-25 · congratulated by 2 · juniper: without a drink",
        ),
        ({"text": "x\ny"}, "3fa9c1d2 · 90 days since 2026-08-25 · juniper: x y"),
    ],
)
def test_each_is_a_line(home: Path, changes: JsonObject, line: str) -> None:
    with fake_node(home, {"milestone.list": {"milestones": [MILESTONE | changes], "left_out": 1}}):
        ran = mesh("milestone", "list", "g", home=home)
    assert ran.out == line + "\n"
    assert "or as too old: 1." in ran.err


def test_words_of_congratulation_stand_below_it(home: Path) -> None:
    said: JsonObject = {
        "author": {"id": "02" * 32, "alias": "wren"},
        "text": "Well\ndone.",
        "at": "2026-11-22T14:05:00Z",
    }
    shown: JsonObject = {**MILESTONE, "congratulated": 2, "congratulations": [said, {**said, "text": None}]}
    with fake_node(home, {"milestone.list": {"milestones": [shown], "left_out": 0}}):
        ran = mesh("milestone", "list", "g", home=home)
    assert ran.out.splitlines()[1:] == ["    wren: Well done."]


def test_without_any_it_says_how_to_add_one(home: Path) -> None:
    with fake_node(home, {"milestone.list": {"milestones": [], "left_out": 0}}):
        ran = mesh("milestone", "list", "g", home=home)
    assert "`mesh milestone add`" in ran.out


def test_what_nobody_was_told_of_ends_with_4(home: Path) -> None:
    gone: JsonObject = {"id": ID, "group": "ab" * 32}
    replies: dict[str, Reply] = {
        "milestone.reset": {"reset": gone, "told": False},
        "milestone.congratulate": {"milestone": MILESTONE, "told": False},
    }
    with fake_node(home, replies) as node:
        reset = mesh("milestone", "reset", "3fa9c1d2", home=home)
        told = mesh("milestone", "reset", "3fa9c1d2", "--json", home=home)
        said = mesh("milestone", "congratulate", "3fa9c1d2", "Well done.", "--wait", "10s", home=home)
        asked = node.handler.asked
    assert (reset.code, told.code, said.code) == (Exit.QUEUED,) * 3
    assert reset.out == "It is taken down. Nobody is told why.\n"
    assert "goes out by itself" in said.err
    assert told.json == {"schema": 1, "reset": gone, "told": False}
    assert asked[2][1] == {"milestone": "3fa9c1d2", "text": "Well done.", "withdraw": False, "wait_s": 10}
