"""Transcripts of joining: preview, pledge, knock, and each way in which it can end."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.commands.join import waits_for_the_node
from mesh.errors import Exit, RefusedError
from mesh.node.local.protocol import JsonObject
from tests.cli.runner import PASSPHRASE, mesh
from tests.node.local.fake_node import Reply, fake_node

CODE = "mesh1" + "q" * 67
PREVIEWED: JsonObject = {
    "id": "77" * 16,
    "state": "preview",
    "group": {"id": "ab" * 32, "name": "Tuesday grief", "about": "After a loss", "members": 5},
    "agreement": {"version": 2, "text": "Be kind.\nStay."},
    "inviter": None,
    "why": None,
}


def join(state: str, **changes: str) -> JsonObject:
    """Give an answer about a join in this state."""
    return {"join": {**PREVIEWED, "state": state, **changes}}


def looking() -> JsonObject:
    """Give an answer about a join of which nothing is known yet."""
    return {"join": {"id": "77" * 16, "state": "looking", "group": None, "agreement": None}}


def replies(*waits: JsonObject, start: Reply | None = None, agreed: str = "knocking") -> dict[str, Reply]:
    """Give a node's table: `waits` are the answers to join.wait, in order."""
    left: Iterator[JsonObject] = iter(waits)
    return {
        "join.start": looking() if start is None else start,
        "join.wait": lambda params: next(left),
        "join.agree": join(agreed),
        "join.drop": {},
    }


def test_from_a_code_to_a_seat(home: Path) -> None:
    with fake_node(home, replies(join("preview"), join("joined"))) as node:
        ran = mesh("join", CODE, "--agree", "--alias", "tansy", home=home)
        asked = node.handler.asked
    assert ran.code == 0
    assert ran.out == 'You are in "Tuesday grief".\n'
    assert ran.err.splitlines() == [
        "Looking for the group …",
        "Group: Tuesday grief",
        "About: After a loss",
        "Members: 5",
        "Once you are in, the members can see what you post, your alias, and your node's network address.",
        "Agreement, version 2:",
        "    Be kind.",
        "    Stay.",
        "Knocking …",
        'Next: `mesh read "Tuesday grief"`, and `mesh post "Tuesday grief"`.',
    ]
    assert [method for method, _ in asked] == ["join.start", "join.wait", "join.agree", "join.wait"]
    assert asked[0][1] == {"code": CODE}
    assert asked[1][1]["until"] == "preview"
    assert asked[2][1] == {
        "join": "77" * 16,
        "alias": "tansy",
        "agreement_version": 2,
        "passphrase": PASSPHRASE,
    }
    assert asked[3][1]["until"] == "joined"


def test_the_code_comes_by_stdin_without_its_white_space(home: Path) -> None:
    with fake_node(home, replies(join("preview"), join("joined"))) as node:
        ran = mesh("join", "-", "--agree", "--json", stdin=f"  {CODE}\r\n\n", home=home)
        assert node.handler.asked[0] == ("join.start", {"code": CODE})
    assert ran.json == {"schema": 1, **join("joined")}


@pytest.mark.parametrize("state", ["knocking", "awaiting-approval"])
def test_who_is_not_let_in_in_time_goes_on_knocking_and_ends_with_4(home: Path, state: str) -> None:
    with fake_node(home, replies(join("preview"), *[join(state)] * 50, agreed=state)):
        ran = mesh("join", CODE, "--agree", "--wait", "1s", home=home)
    assert ran.code == Exit.QUEUED
    assert "by itself" in ran.err
    assert "Tuesday grief" in ran.out


def test_who_finds_nobody_ends_with_4_and_is_told_how_it_goes_on(home: Path) -> None:
    with fake_node(home, replies(*[looking()] * 50)) as node:
        ran = mesh("join", CODE, "--agree", "--wait", "1s", "--json", home=home)
        waits = [method for method, _ in node.handler.asked].count("join.wait")
    assert ran.code == Exit.QUEUED
    assert ran.json["join"] == looking()["join"]
    assert "goes on looking" in ran.err
    assert waits < 10, "a node that answers early is not asked in a circle"


def test_a_code_without_its_end_is_said_to_find_nobody(home: Path) -> None:
    nowhere: JsonObject = {"join": {"id": "77" * 16, "state": "looking", "group": None, "addresses": 0}}
    with fake_node(home, replies(*[nowhere] * 50, start=nowhere)):
        ran = mesh("join", CODE, "--agree", "--wait", "1s", home=home)
    assert ran.code == Exit.QUEUED
    assert ran.err.count("no part after #") == 2, "at the beginning, and at the end"
    somewhere: JsonObject = {"join": {"id": "77" * 16, "state": "looking", "group": None, "addresses": 1}}
    with fake_node(home, replies(*[somewhere] * 50, start=somewhere)):
        assert "after #" not in mesh("join", CODE, "--agree", "--wait", "0", home=home).err


def test_who_waits_for_approval_sees_the_words_that_stand_beside_the_knock(home: Path) -> None:
    waiting: JsonObject = {
        "join": {**PREVIEWED, "state": "awaiting-approval", "key_words": ["rich", "cook", "boil"]},
    }
    with fake_node(home, {**replies(join("preview"), *[waiting] * 50), "join.agree": waiting}):
        ran = mesh("join", CODE, "--agree", "--wait", "1s", home=home)
    assert ran.out == 'A moderator, steward or founder of "Tuesday grief" has to let you in; nobody has yet.\n'
    assert ran.err.count("rich cook boil") == 1
    lines = ran.err.splitlines()
    assert lines.index("Knocking …") + 1 == next(k for k, line in enumerate(lines) if "rich cook boil" in line)


def test_the_words_are_shown_before_the_waiting_begins(home: Path) -> None:
    waiting: JsonObject = {
        "join": {**PREVIEWED, "state": "awaiting-approval", "approvals": 1, "key_words": ["rich", "cook", "boil"]},
    }
    with fake_node(home, {**replies(join("joined"), start=waiting)}):
        ran = mesh("join", CODE, home=home)
    assert ran.code == 0
    assert "rich cook boil" in ran.err


def test_that_a_code_asks_for_approval_is_said_before_one_agrees(home: Path) -> None:
    asks: JsonObject = {"join": {**PREVIEWED, "approvals": 1}}
    with fake_node(home, replies(asks, join("joined"))):
        err = mesh("join", CODE, "--agree", home=home).err
    assert "This code asks for approval" in err
    with fake_node(home, replies(join("preview"), join("joined"))):
        assert "approval" not in mesh("join", CODE, "--agree", home=home).err


def test_no_code_is_not_a_mistyped_one(home: Path) -> None:
    with fake_node(home) as node:
        ran = mesh("join", "-", stdin=" \n", home=home)
        assert node.handler.asked == []
    assert ran.code == Exit.USAGE
    assert ran.err.startswith("No code was given.\n")


def test_without_an_identity_nothing_is_asked(home: Path) -> None:
    ran = mesh("join", home=home / "inner", passphrase=False)
    assert ran.code == Exit.USAGE
    assert "`mesh init`" in ran.err


def test_a_group_that_was_left_since_is_said_in_the_list(home: Path) -> None:
    with fake_node(home, {"join.list": {"joins": [join("joined", standing="left")["join"]]}}):
        assert "state: you came in, and have left it since;" in mesh("joins", "list", home=home).out


@pytest.mark.parametrize(("addresses", "said"), [(0, "no part after #"), (1, "It then looks for the group")])
def test_a_node_that_is_down_promises_only_what_it_will_do(addresses: int, said: str) -> None:
    lines = waits_for_the_node({"join": {"state": "looking", "addresses": addresses}}, "preview")
    assert lines[0] == "Your node is not running. `mesh up` starts it."
    assert said in lines[1]
    assert len(lines) == 2


def test_running_it_again_goes_on_where_it_was(home: Path) -> None:
    with fake_node(home, replies(join("joined"), start=join("knocking"))) as node:
        ran = mesh("join", CODE, home=home)
        assert [method for method, _ in node.handler.asked] == ["join.start", "join.wait"]
    assert ran.code == 0


def test_running_it_again_after_it_ended_well_is_no_error(home: Path) -> None:
    with fake_node(home, replies(start=join("joined"))):
        assert mesh("join", CODE, home=home).code == 0


@pytest.mark.parametrize(("state", "code"), [("refused", "E-INVITE-REFUSED"), ("expired", "E-INVITE-EXPIRED")])
def test_who_is_turned_away_ends_with_5_and_hears_why(home: Path, state: str, code: str) -> None:
    why = "The code has been used up."
    with fake_node(home, replies(join("preview"), join(state, why=why))):
        ran = mesh("join", CODE, "--agree", "--json", home=home)
    error = ran.json["error"]
    assert isinstance(error, dict)
    assert (ran.code, error["code"], error["why"]) == (Exit.REFUSED, code, why)
    assert ran.json["join"] == join(state, why=why)["join"]
    assert why in ran.err


def test_a_code_that_has_run_out_is_refused_at_once(home: Path) -> None:
    with fake_node(home, replies(start=RefusedError("that code has run out", code="E-CODE-EXPIRED"))):
        ran = mesh("join", CODE, home=home)
    assert ran.code == Exit.REFUSED
    assert ran.err.startswith("That code has run out.\n")


def test_without_a_terminal_nobody_agrees_by_accident(home: Path) -> None:
    with fake_node(home, replies(join("preview"))) as node:
        ran = mesh("join", CODE, "--yes", home=home)
        assert "join.agree" not in dict(node.handler.asked)
    assert ran.code == Exit.USAGE
    assert "--agree" in ran.err


def test_what_a_group_says_of_itself_cannot_drive_the_terminal(home: Path) -> None:
    hostile = "\x1b[2J\u202eevil\nGroup: Another"
    shown: JsonObject = {
        "join": {
            **PREVIEWED,
            "group": {"name": hostile, "about": hostile, "members": 1},
            "agreement": {"version": 1, "text": hostile},
        }
    }
    with fake_node(home, replies(join("joined"), start=shown)):
        ran = mesh("join", CODE, "--agree", home=home)
    assert not {"\x1b", "\u202e"} & set(ran.err)
    assert sum(line.startswith("Group:") for line in ran.err.splitlines()) == 1


def test_attempts_are_listed_and_dropped(home: Path) -> None:
    table: dict[str, Reply] = {"join.list": {"joins": [join("knocking")["join"], looking()["join"]]}, "join.drop": {}}
    with fake_node(home, table) as node:
        listed = mesh("joins", "list", home=home)
        dropped = mesh("joins", "drop", "777777", home=home)
        assert node.handler.asked[-1] == ("join.drop", {"join": "777777"})
    assert listed.out.splitlines() == [
        (
            "id: 77777777; group: Tuesday grief; state: knocking until a member's node lets you in; "
            "next: Leave your node running; it goes on knocking."
        ),
        "id: 77777777; state: looking for the group; next: Leave your node running; it goes on looking.",
    ]
    assert dropped.code == 0


def test_who_invited_is_told_from_one_of_the_same_alias(home: Path) -> None:
    inviter: JsonObject = {"id": "45" * 32, "alias": "wren", "alike": True}
    done: JsonObject = {"join": {**PREVIEWED, "state": "joined", "inviter": inviter}}
    with fake_node(home, replies(done)):
        assert "Invited by wren (454545)." in mesh("join", CODE, "--agree", "--alias", "Wren", home=home).out


def test_a_knock_that_waits_at_a_keeper_asks_nobody_to_stay(home: Path) -> None:
    waiting = {**PREVIEWED, "state": "knocking", "at_keeper": True}
    with fake_node(home, {"join.list": {"joins": [waiting]}}):
        listed = mesh("joins", "list", home=home).out
    assert "next: Your knock waits at a keeper of the group: you and its members need not be online" in listed
    assert "Leave your node running" not in listed


@pytest.mark.parametrize(
    ("history", "said"),
    [
        ("none", "Newcomers see nothing of what was said before they came: you will not, nor will those after you."),
        ("last:50", "Newcomers see the last 50 messages: you will, and those who come after you see yours."),
    ],
)
def test_the_preview_says_what_newcomers_see(home: Path, history: str, said: str) -> None:
    group = PREVIEWED["group"]
    assert isinstance(group, dict)
    shown: JsonObject = {"join": {**PREVIEWED, "group": {**group, "history": history}}}
    with fake_node(home, replies(shown, join("joined"))):
        ran = mesh("join", CODE, "--agree", "--alias", "tansy", home=home)
    assert said in ran.err.splitlines()
