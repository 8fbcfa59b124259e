"""Transcripts of what is said where a group's settings are made."""

from pathlib import Path

from mesh.node.local.protocol import JsonObject
from tests.cli.runner import mesh
from tests.node.local.fake_node import fake_node

GROUP: JsonObject = {"id": "ab" * 32, "name": "Tuesday grief"}


def test_that_the_first_newcomer_sees_what_was_said_alone_is_said_at_once(home: Path) -> None:
    with fake_node(home, {"group.list": {"groups": []}, "group.create": {"group": GROUP}}):
        some = mesh("group", "create", "Tuesday grief", "--alias", "wren", "--history", "last:20", home=home)
        none = mesh("group", "create", "Tuesday grief", "--alias", "wren", home=home)
    said = "From now on newcomers see the last 20 messages: the first also what you say while you are alone here.\n"
    assert said in some.err
    assert "alone here" not in none.err
