"""Transcripts of `group agreement`: what is new, who has said yes, and the two texts that ship."""

from pathlib import Path

import pytest

from cli.agreements import sheet, template
from mesh.errors import Exit
from mesh.node.local.protocol import JsonObject
from tests.cli.runner import mesh
from tests.cli.test_groups import GROUP
from tests.cli.test_prompts import terminal
from tests.node.local.fake_node import Reply, fake_node

SHOWN: JsonObject = {
    "agreement": {"version": 3, "text": "Be kind.\nStay."},
    "hash": "ab" * 32,
    "accepted": {"yes": 7, "of": 11, "mine": False, "people": []},
    "changes": [{"sign": "-", "text": "Go."}, {"sign": "+", "text": "Stay."}],
    "first": False,
}


def test_it_is_shown_with_who_has_said_yes_and_what_is_new(home: Path) -> None:
    with fake_node(home, {"group.agreement": SHOWN}):
        ran = mesh("group", "agreement", "show", "g", home=home)
    assert ran.out == (
        "Agreement, version 3:\n    Be kind.\n    Stay.\n"
        "7 of 11 have said yes to this version.\n"
        "What is new for you (- went, + came):\n  - Go.\n  + Stay.\n"
    )
    assert "`mesh group agreement accept` does" in ran.err


def test_accepting_shows_it_asks_and_says_yes_to_what_was_shown(home: Path) -> None:
    accepted: JsonObject = {**SHOWN, "accepted": {"yes": 8, "of": 11, "mine": True, "people": []}, "told": True}
    with fake_node(home, {"group.agreement": accepted}) as node:
        ran = mesh("group", "agreement", "accept", "g", "--yes", home=home)
        asked = [params for _, params in node.handler.asked]
    assert (ran.code, ran.out) == (0, "You have said yes. 8 of 11 have said yes to this version.\n")
    assert asked[0]["action"] == "show"
    assert asked[1] == {"group": "g", "action": "accept", "hash": "ab" * 32, "wait_s": 2}
    with fake_node(home, {"group.agreement": SHOWN}) as node:
        unasked = mesh("group", "agreement", "accept", "g", home=home)
        assert len(node.handler.asked) == 1, "without a terminal nothing is said without --yes"
    assert unasked.code == Exit.USAGE
    with fake_node(home, {"group.agreement": {**accepted, "told": False}}):
        assert mesh("group", "agreement", "accept", "g", "--yes", home=home).code == Exit.QUEUED


@pytest.mark.parametrize("answer", ["n", ""])
def test_a_no_says_nothing_to_anybody(home: Path, answer: str) -> None:
    with fake_node(home, {"group.agreement": SHOWN}) as node:
        with terminal("group", "agreement", "accept", "g", home=home, code=2) as child:
            child.expect("What is new for you")
            child.expect(r"Do you say yes to it\? \[y/N\] ")
            child.sendline(answer)
            child.expect("You have not said yes")
        assert [params["action"] for _, params in node.handler.asked] == ["show"]


def test_the_sheet_and_the_template_are_printed_whole(home: Path) -> None:
    for word, text in (("template", template()), ("sheet", sheet())):
        ran = mesh("group", "agreement", word, home=home)
        assert (ran.code, ran.out) == (0, text)
        assert mesh("group", "agreement", word, "--json", home=home).json["text"] == text
    for named in ("18", "at risk", "people, not software", "mesh crisis", "not an emergency service"):
        assert named in template()
    assert "mesh stewards" in sheet()


@pytest.mark.parametrize(("answer", "agreement"), [("y", template()), ("n", "")])
def test_a_group_is_founded_with_the_one_that_ships_if_one_wants_it(home: Path, answer: str, agreement: str) -> None:
    replies: dict[str, Reply] = {
        "group.create": {"group": GROUP},
        "group.list": {"groups": []},
        "id.show": {"identity": {"name": "wren"}},
    }
    with fake_node(home, replies) as node:
        with terminal("group", "create", "g", "--alias", "wren", home=home) as child:
            child.expect("What we agree on")
            child.expect(r"Begin with this agreement\? \[y/N\] ")
            child.sendline(answer)
            child.expect("Passphrase: ")
            child.sendline("secret")
            child.expect("You founded")
        assert dict(node.handler.asked)["group.create"]["agreement"] == agreement
