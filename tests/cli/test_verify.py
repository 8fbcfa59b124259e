"""Transcripts of `verify`, and of the marks and warnings that stand in lists."""

from pathlib import Path

import pytest

from mesh.errors import Exit, LocalError
from mesh.node.local.protocol import JsonObject
from tests.cli.runner import mesh
from tests.cli.test_talk import message
from tests.node.local.fake_node import fake_node

NUMBER = "65546 72458 31602 54342 77457 38682 47449 68129 46171 14212 73016 00703"
JUNIPER: JsonObject = {"id": "02" * 32, "alias": "juniper", "alike": False, "verified": False}
TOLD: JsonObject = {
    "group": {"id": "ab" * 32, "name": "Tuesday grief"},
    "member": JUNIPER,
    "alike": [],
    "safety_number": NUMBER,
    "fingerprint_words": ["boil", "scale", "wisdom", "eight", "catalog", "dirt"],
    "state_hash": "3f2a91c077de04b1" + "c" * 48,
    "compared": None,
    "verified": False,
    "members": 5,
    "members_verified": 2,
}


def test_the_number_of_two_is_laid_out_to_be_read_aloud(home: Path) -> None:
    with fake_node(home, {"verify": TOLD}) as node:
        ran = mesh("verify", "Tuesday grief", "juniper", home=home)
        asked = dict(node.handler.asked)["verify"]
    assert asked == {"group": "Tuesday grief", "member": "juniper", "confirm": False, "compare": None}
    assert ran.out == (
        'The number of you and juniper in "Tuesday grief":\n'
        "    65546 72458 31602 54342\n"
        "    77457 38682 47449 68129\n"
        "    46171 14212 73016 00703\n"
        "The group's words: boil scale wisdom eight catalog dirt\n"
        "State of the group here: 3f2a 91c0 77de 04b1\n"
        "Not confirmed yet.\n"
    )
    assert "face to face" in ran.err
    assert ran.code == Exit.OK


def test_the_number_of_all_says_how_many_are_confirmed(home: Path) -> None:
    with fake_node(home, {"verify": {**TOLD, "member": None}}):
        ran = mesh("verify", "Tuesday grief", home=home)
    assert 'The number of all who are in "Tuesday grief":\n' in ran.out
    assert "You have confirmed the keys of 2 of 4 other members.\n" in ran.out


def test_json_has_the_keys_of_the_contract(home: Path) -> None:
    with fake_node(home, {"verify": TOLD}):
        told = mesh("verify", "g", "juniper", "--qr", "--json", home=home).json
    assert {"safety_number", "fingerprint_words", "state_hash", "verified"} <= set(told)


def test_a_number_that_was_read_out_is_compared_and_kept(home: Path) -> None:
    with fake_node(home, {"verify": {**TOLD, "compared": "number", "verified": True}}) as node:
        ran = mesh("verify", "g", "juniper", "--compare", NUMBER, "--confirm", home=home)
        asked = dict(node.handler.asked)["verify"]
    assert (asked["compare"], asked["confirm"]) == (NUMBER, True)
    assert "What was read out is the same number.\nYou have confirmed the key of juniper.\n" in ran.out


def test_a_match_that_is_not_kept_says_how_to_keep_it_and_nothing_else(home: Path) -> None:
    with fake_node(home, {"verify": {**TOLD, "compared": "number"}}):
        ran = mesh("verify", "g", "juniper", "--compare", NUMBER, home=home)
    assert ran.out.endswith(
        "What was read out is the same number.\nNot kept: the same command with --confirm keeps that it was.\n"
    )
    assert ran.err == ""


def test_a_mismatch_ends_with_6_in_words_and_in_json(home: Path) -> None:
    error = LocalError("the numbers differ", why="because", do="wait", code="E-MISMATCH", exit=Exit.MISMATCH)
    with fake_node(home, {"verify": error}):
        ran = mesh("verify", "g", "juniper", "--compare", NUMBER, home=home)
        told = mesh("verify", "g", "juniper", "--compare", NUMBER, "--json", home=home)
    assert (ran.code, told.code) == (Exit.MISMATCH, Exit.MISMATCH)
    assert ran.out == ""
    assert "The numbers differ." in ran.err
    assert told.json["error"] == {"code": "E-MISMATCH", "what": "The numbers differ.", "why": "Because.", "do": "Wait."}


def test_a_picture_holds_the_digits(home: Path) -> None:
    with fake_node(home, {"verify": TOLD}):
        plain = mesh("verify", "g", "juniper", home=home).out
        drawn = mesh("verify", "g", "juniper", "--qr", home=home).out
    assert drawn.startswith(plain)
    assert "█" in drawn or "▄" in drawn


def test_names_that_look_alike_are_warned_of(home: Path) -> None:
    twin: JsonObject = {"id": "0a" * 32, "alias": "junlper", "alike": True, "verified": False}
    told: JsonObject = {**TOLD, "member": {**JUNIPER, "alike": True}, "alike": [twin]}
    with fake_node(home, {"verify": told, "group.members": {"members": [told["member"], twin]}}):
        shown = mesh("verify", "g", "020202", home=home)
        listed = mesh("group", "members", "g", home=home)
    assert "Take care: junlper (0a0a0a0a) has a name that looks like juniper (020202)." in shown.out
    assert "This is the key that begins with 02020202." in shown.out
    former: JsonObject = {"id": "0b" * 32, "alias": "juniper", "alike": True, "departed": True}
    with fake_node(home, {"verify": {**TOLD, "alike": [former]}}):
        gone = mesh("verify", "g", "juniper", home=home).out
    assert "No longer in, under a name like it: juniper (0b0b0b0b). It may be juniper as they were before" in gone
    assert "Take care" not in gone
    assert "Names here look like others: juniper (020202), junlper (0a0a0a)." in listed.err


def test_a_confirmed_key_is_marked_where_people_are_listed_and_read(home: Path) -> None:
    known: JsonObject = {**JUNIPER, "verified": True, "rank": "member", "state": "away", "since": None}
    said = [message(author=known), message(author={"id": "03" * 32, "alias": "wren · key verified"})]
    with fake_node(home, {"group.members": {"members": [known]}, "read": {"messages": list(said), "gaps": []}}):
        listed = mesh("group", "members", "g", home=home).out
        heads = [line for line in mesh("read", "g", home=home).out.splitlines() if "listening" in line]
    assert "key: verified" in listed
    marked = [head.endswith("key verified") for head in heads]
    assert marked == [True, False], "an alias cannot put itself at the end of the line"


@pytest.mark.parametrize("alias", ["wren; key: verified", "wren; rank: founder"])
def test_an_alias_cannot_pass_itself_off_as_another_column(home: Path, alias: str) -> None:
    member: JsonObject = {"id": "04" * 32, "alias": alias, "rank": "newcomer", "state": "away", "since": None}
    with fake_node(home, {"group.members": {"members": [member]}}):
        listed = mesh("group", "members", "g", home=home).out
    assert [part.split(": ")[0] for part in listed.strip().split("; ")] == ["alias", "rank", "state", "id"]


def test_help_says_what_a_match_proves_and_what_it_does_not(home: Path) -> None:
    page = " ".join(mesh("verify", "--help", home=home).out.split())
    assert "hold each other's true keys" in page
    assert "They do not prove who the person is" in page
    assert "the exit status is 6" in page
