"""Transcripts of invites and knocks."""

from pathlib import Path

import pytest

from cli.commands.invite import _way_line, picture
from mesh.node.local.protocol import JsonObject
from tests.cli.runner import Ran, mesh
from tests.cli.test_groups import params
from tests.node.local.fake_node import fake_node

CODE = "mesh1" + "q" * 67
INVITE: JsonObject = {
    "code": CODE + "#AbCd",
    "uri": "mesh:" + CODE,
    "invite": {"id": "cd" * 32, "uses": 1, "expires": "2020-11-25T19:00:00Z"},
}


def new_invite(home: Path, *more: str) -> tuple[Ran, JsonObject]:
    """Make an invite at a fake node."""
    with fake_node(home, {"invite.new": INVITE}) as node:
        return mesh("invite", "new", "g", *more, home=home), params(node, "invite.new")


def test_an_invite_gives_its_code_alone_on_stdout(home: Path) -> None:
    ran, asked = new_invite(home)
    assert ran.out == CODE + "#AbCd\n"
    assert ran.err.startswith("Good for one person until 25 Nov 2020 19:00.\n")
    assert asked == {"group": "g", "uses": 1, "expires_s": 259_200, "approvals": None, "note": ""}


@pytest.mark.parametrize(
    ("addresses", "others", "said"),
    [
        (0, 0, "no part after #"),
        (2, 0, "It leads to your node alone: leave that running until they are in."),
        (3, 1, "to your node and to 1 other member's: one of them has to be running when they knock."),
        (5, 2, "to your node and to 2 other members': one of them has to be running when they knock."),
    ],
)
def test_who_has_to_be_up_for_a_code_to_find_anybody_is_said(
    home: Path, addresses: int, others: int, said: str
) -> None:
    told: JsonObject = {**INVITE, "invite": {"uses": 1, "expires": "", "addresses": addresses, "others": others}}
    with fake_node(home, {"invite.new": told}):
        err = mesh("invite", "new", "g", home=home).err
    assert said in err
    assert "has to let them in" not in err
    assert "a plain member's as a newcomer, for about 3 days." in err


def test_that_somebody_has_to_let_them_in_is_said_with_the_code(home: Path) -> None:
    told: JsonObject = {**INVITE, "invite": {"uses": 2, "expires": "", "addresses": 1, "approvals": 1}}
    with fake_node(home, {"invite.new": told}):
        err = mesh("invite", "new", "g", home=home).err
    assert "A moderator, steward or founder has to let them in" in err
    assert "newcomer" not in err


def test_an_invites_terms_are_handed_over(home: Path) -> None:
    ran, asked = new_invite(home, "--uses", "5", "--expires", "7d", "--approvals", "2", "--note", "for A.", "--json")
    assert ran.json == {"schema": 1, **INVITE}
    assert asked == {"group": "g", "uses": 5, "expires_s": 604_800, "approvals": 2, "note": "for A."}


def test_a_picture_follows_the_code_when_asked_for(home: Path) -> None:
    ran, _ = new_invite(home, "--qr")
    code, *drawn = ran.out.splitlines()
    assert code == CODE + "#AbCd"
    assert len(drawn) > 10
    assert {char for line in drawn for char in line} <= set(" ▀▄█")


def test_a_code_without_addresses_fits_version_4() -> None:
    import segno

    assert segno.make_qr(CODE.upper(), error="m", boost_error=False).version == 4
    assert len(picture(CODE)) < len(picture(CODE + "#" + "a" * 200))


def test_invites_are_listed_and_revoked(home: Path) -> None:
    invite: JsonObject = {
        "id": "cd" * 32,
        "uses_left": 1,
        "expires": "2020-11-25T19:00:00Z",
        "state": "open",
        "approvals": 1,
        "note": "for A.",
    }
    with fake_node(home, {"invite.list": {"invites": [invite]}, "invite.revoke": {}}) as node:
        listed = mesh("invite", "list", "g", home=home)
        revoked = mesh("invite", "revoke", "g", "cdcdcd", home=home)
        assert params(node, "invite.revoke") == {"group": "g", "invite": "cdcdcd"}
    assert (
        listed.out == "id: cdcdcdcd; uses left: 1; expires: 25 Nov 2020 19:00; state: open; approval: 1; note: for A.\n"
    )
    assert revoked.out == "The invite is closed.\n"


def test_knocks_are_listed_admitted_and_declined(home: Path) -> None:
    knock: JsonObject = {
        "id": "ef" * 32,
        "group_name": "Tuesday grief",
        "alias": "tansy",
        "alike": [{"id": "01" * 32, "alias": "Tansy"}],
        "key_words": ["rich", "cook"],
        "invite_id": "cd" * 32,
        "at": "2020-11-22T14:05:00Z",
    }
    replies: dict[str, JsonObject] = {"knocks.list": {"knocks": [knock]}, "knocks.admit": {}, "knocks.decline": {}}
    with fake_node(home, replies) as node:
        listed = mesh("knocks", "list", home=home)
        mesh("knocks", "admit", "g", "efefef", home=home)
        mesh("knocks", "decline", "g", "efefef", home=home)
        assert [method for method, _ in node.handler.asked] == ["knocks.list", "knocks.admit", "knocks.decline"]
        assert params(node, "knocks.list") == {"group": None}
        assert params(node, "knocks.admit") == {"group": "g", "knock": "efefef"}
    assert listed.out == (
        "id: efefefef; group: Tuesday grief; alias: tansy; words: rich cook; invite: cdcdcdcd; "
        "since: 22 Nov 2020 14:05; note: a member called Tansy is in already\n"
    )


def test_an_invite_by_which_too_many_came_is_marked(home: Path) -> None:
    invite: JsonObject = {"id": "cd" * 32, "uses_left": 0, "state": "used-up", "over_uses": True}
    with fake_node(home, {"invite.list": {"invites": [invite]}}):
        assert "used-up, more came than it was for" in mesh("invite", "list", "g", home=home).out


def test_a_code_that_is_made_with_the_node_down_says_that_nobody_knows_it() -> None:
    invite: JsonObject = {"addresses": 3, "others": 1}
    assert _way_line(invite, node_up=False).startswith("Your node is not running, so nobody's node knows of this code")
    assert "not running" not in _way_line(invite, node_up=True)
