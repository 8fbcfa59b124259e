"""Transcripts of `introduce`: asking one member, seeing what was answered, answering."""

from pathlib import Path

from mesh.errors import Exit
from mesh.node.local.protocol import JsonObject
from tests.cli.runner import mesh
from tests.cli.test_talk import ID
from tests.node.local.fake_node import fake_node

JUNIPER: JsonObject = {"id": "01" * 32, "alias": "juniper"}
QUESTION: JsonObject = {
    "id": ID,
    "group": {"id": "ab" * 32, "name": "Tuesday grief"},
    "kind": "seeking",
    "by": {"id": "02" * 32, "alias": "wren"},
    "mine": True,
    "to": [JUNIPER],
    "waiting_for": [],
    "at": "2026-11-01T12:00:00.000Z",
    "closed": False,
    "text": "a group for\ncarers",
    "answers": [],
}


def test_asking_says_whom(home: Path) -> None:
    with fake_node(home, {"introduce.ask": {"question": QUESTION, "told": True}}) as node:
        ran = mesh("introduce", "ask", "g", "juniper", "a group for carers", home=home)
        asked = node.handler.asked
    assert (ran.code, ran.out) == (0, "3fa9c1d2 · Tuesday grief · you asked juniper: a group for carers\n")
    assert asked[0][1] == {"group": "g", "member": "juniper", "text": "a group for carers", "wait_s": 2}


def test_asking_while_nobody_is_there_waits(home: Path) -> None:
    with fake_node(home, {"introduce.ask": {"question": QUESTION, "told": False}}):
        assert mesh("introduce", "ask", "g", "juniper", "carers", home=home).code == Exit.QUEUED


def test_the_list_shows_answers_with_their_codes(home: Path) -> None:
    reply: JsonObject = {"by": JUNIPER, "code": "mesh1abc", "text": "They are kind.", "at": QUESTION["at"]}
    asked_of_us = QUESTION | {"mine": False}
    with fake_node(home, {"introduce.list": {"questions": [QUESTION | {"answers": [reply]}, asked_of_us]}}):
        ran = mesh("introduce", "list", home=home)
    assert [line.strip() for line in ran.out.splitlines()] == [
        "3fa9c1d2 · Tuesday grief · you asked juniper: a group for carers",
        "juniper: They are kind.",
        "juniper gave a code: mesh join mesh1abc",
        "3fa9c1d2 · Tuesday grief · wren asks you: a group for carers",
    ]
    with fake_node(home, {"introduce.list": {"questions": []}}):
        ran = mesh("introduce", "list", home=home)
    assert ran.out == "Nothing was asked. `mesh introduce ask` asks a member.\n"


def test_answering_names_the_group(home: Path) -> None:
    with fake_node(home, {"introduce.answer": {"question": QUESTION | {"mine": False}, "told": True}}) as node:
        ran = mesh("introduce", "answer", ID[:8], "--invite", "Carers", "--text", "kind people", home=home)
        asked = node.handler.asked
    assert ran.code == 0
    assert asked[0][1] == {"question": ID[:8], "invite": "Carers", "text": "kind people", "wait_s": 2}


def test_the_limits_are_said_in_the_help(home: Path) -> None:
    page = " ".join(mesh("introduce", "answer", "--help", home=home).out.split())
    assert "It tells the one who asks that you are in that group" in page
    page = " ".join(mesh("introduce", "list", "--help", home=home).out.split())
    assert "nobody has checked either" in page
