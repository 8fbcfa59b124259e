"""Before a post: advice to one who did not ask for it, the group's lock, and who is there to take it."""

from pathlib import Path

import pytest

from cli.foresight import CRISIS, reach_line
from mesh.errors import Exit
from mesh.node.local.protocol import JsonObject
from tests.cli.runner import mesh
from tests.cli.test_prompts import terminal
from tests.node.local.fake_node import Reply, fake_node

GROUP: JsonObject = {"id": "ab" * 32, "name": "Tuesday grief", "members": 12, "history": "none", "keep": 2_592_000}
SENT: JsonObject = {"id": "3f" * 16, "group": "ab" * 32, "state": "sent", "reached": 1, "of": 11, "held_by": []}
JUNIPER: JsonObject = {"id": "4a" * 32, "alias": "juniper"}
REPLY = ("--reply-to", "44444444", "--mode", "advice")


def table(asked: str = "listening", **group: object) -> dict[str, Reply]:
    """What a node answers to a post that answers another."""
    answered: JsonObject = {"id": "44" * 16, "author": JUNIPER, "mode": asked, "text": "My first week."}
    shown: JsonObject = {**GROUP, **group}  # type: ignore[dict-item] # tests put in what an answer may hold
    return {"group.show": {"group": shown}, "post": {"message": SENT}, "message.show": {"message": answered}}


# ---------------------------------------------------------------- advice


@pytest.mark.parametrize("asked", ["listening", "experience"])
def test_advice_that_was_not_asked_for_is_not_sent_without_a_second_word(home: Path, asked: str) -> None:
    with fake_node(home, table(asked)) as node:
        ran = mesh("post", "Tuesday grief", "-", *REPLY, "--yes", home=home, stdin="Have you tried yoga?")
        assert "post" not in dict(node.handler.asked), "--yes is no second thought"
        told = mesh("post", "Tuesday grief", "Try yoga.", *REPLY, "--json", home=home)
    assert (ran.code, told.code) == (Exit.REFUSED, Exit.REFUSED)
    error = told.json["error"]
    assert isinstance(error, dict)
    assert error["code"] == "E-ADVICE"
    assert "Nothing was sent." in ran.err


def test_advice_that_is_meant_is_sent(home: Path) -> None:
    with fake_node(home, table()) as node:
        assert mesh("post", "g", "Try yoga.", *REPLY, "--confirm-advice", home=home).code == 0
        assert dict(node.handler.asked)["post"]["confirm_advice"] is True


@pytest.mark.parametrize("asked", ["advice", "resources"])
def test_advice_to_one_who_asked_needs_no_second_word(home: Path, asked: str) -> None:
    with fake_node(home, table(asked)) as node:
        assert mesh("post", "g", "Try yoga.", *REPLY, home=home).code == 0
        assert "confirm_advice" not in dict(node.handler.asked)["post"]


def test_at_a_terminal_it_is_asked_before_anything_is_typed(home: Path) -> None:
    with fake_node(home, table()) as node:
        with terminal("post", "Tuesday grief", *REPLY, home=home, code=Exit.REFUSED) as child:
            child.expect("juniper asks to be listened to, not for advice.")
            child.sendline("n")
            child.expect("E-ADVICE")
            assert "What do you want to say" not in str(child.before)
        assert "post" not in dict(node.handler.asked)
        with terminal("post", "Tuesday grief", "Try yoga.", *REPLY, home=home) as child:
            child.expect("all the same")
            child.sendline("y")
        assert dict(node.handler.asked)["post"]["confirm_advice"] is True


def test_an_answer_shows_what_was_asked_for(home: Path) -> None:
    said: JsonObject = {"id": "55" * 16, "author": JUNIPER, "text": "So did I.", "mode": "experience"}
    page: JsonObject = {"messages": [{**said, "reply_to": "44" * 16, "asked_mode": "experience"}]}
    with fake_node(home, {"read": page}):
        assert " · experience · in reply to 44444444 (asked for experience) · " in mesh("read", "g", home=home).out


# ---------------------------------------------------------------- the group's lock


def test_a_post_takes_the_mode_that_the_group_has_locked(home: Path) -> None:
    with fake_node(home, table(settings={"lock-mode": "experience"})) as node:
        assert mesh("post", "g", "Words.", home=home).code == 0
        assert dict(node.handler.asked)["post"]["mode"] == "experience"
        node.handler.asked.clear()
        ran = mesh("post", "g", "--mode", "advice", home=home)
        assert "post" not in dict(node.handler.asked)
    assert (ran.code, "E-MODE-LOCKED" in ran.err) == (Exit.REFUSED, True)


def test_a_lock_that_is_off_locks_nothing(home: Path) -> None:
    with fake_node(home, table(settings={"lock-mode": "off"})) as node:
        assert mesh("post", "g", "Words.", "--mode", "advice", home=home).code == 0
        assert dict(node.handler.asked)["post"]["mode"] == "advice"


# ---------------------------------------------------------------- who is there


@pytest.mark.parametrize(
    ("there", "line"),
    [
        ({"members": 0, "of": 11, "keepers": 0}, "0 of 11 online: this will wait."),
        ({"members": 0, "of": 11, "keepers": 1}, "0 of 11 online; a keeper is there to take it."),
        (
            {"members": 3, "of": 11, "keepers": 0},
            "3 of 11 linked with your node now. Others may be reached through them.",
        ),
        ({"members": 11, "of": 11, "keepers": 2}, "11 of 11 linked with your node now."),
        (None, "Your node is not running: this will wait until it does."),
    ],
)
def test_who_is_there_is_said_and_no_more(there: JsonObject | None, line: str) -> None:
    assert reach_line({**GROUP, "reachable": there}) == line
    assert reach_line({**GROUP, "members": 1, "reachable": there}) == ""


def test_at_a_terminal_a_post_says_who_is_there_with_the_way_to_the_card_beside_it(home: Path) -> None:
    there: JsonObject = {"members": 0, "of": 11, "keepers": 0}
    with fake_node(home, table(reachable=there)):
        with terminal("post", "Tuesday grief", home=home) as child:
            child.expect("Seen by at most 11 people; kept 30 days;")
            child.expect("0 of 11 online: this will wait.")
            child.expect("mesh crisis")
            child.expect("What do you want to say")
            child.sendline("Words.")
            child.sendline(".")
        piped = mesh("post", "Tuesday grief", "Words.", home=home)
        shown = mesh("group", "show", "Tuesday grief", home=home)
    assert (piped.err.count("\n"), "mesh crisis" in piped.err) == (1, False), "a script is told as before"
    assert "reached now: 0 of 11 online: this will wait." in shown.out
    assert shown.err == f"{CRISIS}\n"
