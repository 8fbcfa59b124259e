"""Events in words: what happened is said, not only that something did."""

from pathlib import Path

import pytest

from cli.event_lines import CHANGES, event_line
from mesh.node.local.protocol import JsonObject
from mesh.support.forms import FORMS, form_name
from mesh.support.tags import TAGS, tag_name
from tests.cli.runner import mesh
from tests.node.local.fake_node import fake_node

GID = "ab" * 32
FORM_NAMES = [*map(form_name, FORMS), *map(tag_name, TAGS)]


@pytest.mark.parametrize("form", FORM_NAMES)
def test_each_that_can_be_told_of_says_what_has_changed(form: str) -> None:
    line = event_line({"event": "support", "group": GID, "form": form})
    assert line.startswith("Group abababab: ")
    assert "something about" not in line


def test_no_words_stand_for_what_nobody_tells_of_and_a_later_form_is_named() -> None:
    assert set(CHANGES) == set(FORM_NAMES)
    later = event_line({"event": "support", "group": GID, "form": "9000\x1b[2J"})
    assert later == "Group abababab: something about a 9000[2J has changed"


@pytest.mark.parametrize(
    ("circle", "line"),
    [
        ({"state": "open", "joined": False}, "[A circle is open. `mesh circle join` takes part; `mesh circle show`"),
        ({"state": "running", "joined": True}, "[A circle goes on. What you post here waits until it is over;"),
        ({"state": "running", "joined": True, "my_turn": True}, "[It is your turn in the circle:"),
        (None, ""),
    ],
)
def test_read_says_that_a_circle_is_under_way(home: Path, circle: JsonObject | None, line: str) -> None:
    told: JsonObject = {"messages": [], "gaps": [], "pins": [], "circle": circle}
    with fake_node(home, {"read": told}):
        said = mesh("read", "g", home=home).out
    assert (line in said) if line else ("ircle" not in said)
