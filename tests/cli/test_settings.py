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


def test_what_is_changed_with_the_node_down_is_said_to_be_known_here_alone(home: Path) -> None:
    group = ("Tuesday grief",)
    assert mesh("init", "--yes", "--name", "wren", home=home).code == 0
    assert mesh("group", "create", *group, "--suite", "classic", home=home).code == 0
    unheard = "Your node is not running, so nobody else has heard of it yet: `mesh up` tells them.\n"
    for line in (("set", *group, "approvals", "2"), ("rekey", *group), ("agreement", "edit", *group, "-")):
        ran = mesh("group", *line, stdin="Be kind.", home=home)
        assert (ran.code, ran.err.startswith(unheard)) == (0, True), line
    assert unheard not in mesh("group", "set", *group, "beacons", "off", home=home).err, "that is one's own affair"
