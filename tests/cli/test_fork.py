"""Transcripts of `group fork`: founding a successor, following one, and being reminded no more."""

from pathlib import Path

import pytest

from mesh.errors import Exit
from mesh.node.local.protocol import JsonObject
from tests.cli.runner import PASSPHRASE, mesh
from tests.cli.test_join import join
from tests.node.local.fake_node import Reply, fake_node

OFFER: JsonObject = {
    "id": "0f" * 32,
    "group": "cd" * 32,
    "name": None,
    "by": {"id": "1a" * 32, "alias": "wren", "alike": False},
    "mine": False,
    "offered_to": 3,
    "expires": "2026-12-01T12:00:00.000Z",
    "state": "open",
}
OLD: JsonObject = {"id": "ab" * 32, "name": "Tuesday grief", "succeeds": None, "followed": None, "successors": [OFFER]}
NEW: JsonObject = {
    "id": "cd" * 32,
    "name": "After Tuesday",
    "succeeds": {"id": "ab" * 32, "name": "Tuesday grief"},
    "followed": {"came": 1, "of": 3},
    "successors": [],
}


def test_a_successor_is_founded_once_it_is_confirmed(home: Path) -> None:
    table: dict[str, Reply] = {"group.fork": {"group": NEW, "succeeds": OLD}, "group.show": {"group": OLD}}
    with fake_node(home, table) as node:
        ran = mesh("group", "fork", "Tuesday grief", "--without", "ash", "--name", "After Tuesday", home=home)
        refused = list(node.handler.asked)
        done = mesh("group", "fork", "Tuesday grief", "--without", "ash", "--name", "After Tuesday", "--yes", home=home)
        asked = node.handler.asked[len(refused) :]
    assert (ran.code, [method for method, _ in refused]) == (2, ["group.show"])
    assert done.out.splitlines() == [
        '"After Tuesday" (cdcdcdcd) succeeds "Tuesday grief", and is offered to 3 members.',
        "The offer is good for 90 days; `--again` renews it.",
    ]
    assert asked == [
        ("group.show", {"group": "Tuesday grief"}),
        (
            "group.fork",
            {
                "group": "Tuesday grief",
                "name": "After Tuesday",
                "without": ["ash"],
                "alias": None,
                "passphrase": PASSPHRASE,
            },
        ),
    ]


def test_an_offer_is_followed_like_a_code(home: Path) -> None:
    table: dict[str, Reply] = {
        "group.fork.follow": join("preview"),
        "join.agree": join("knocking"),
        "join.wait": join("joined"),
    }
    with fake_node(home, table) as node:
        ran = mesh("group", "fork", "Tuesday grief", "--follow", "0f0f0f", "--agree", "--alias", "t", home=home)
        asked = node.handler.asked
    assert (ran.code, ran.out) == (0, 'You are in "Tuesday grief".\n')
    assert asked[0] == ("group.fork.follow", {"group": "Tuesday grief", "fork": "0f0f0f"})
    assert asked[1][1]["passphrase"] == PASSPHRASE


def test_an_offer_that_finds_nobody_is_followed_again_and_needs_no_code(home: Path) -> None:
    follows: JsonObject = {"id": "0f" * 32, "group": {"id": "ab" * 32, "name": "Tuesday grief"}}
    looking: JsonObject = {"id": "ef" * 16, "state": "looking", "group": None, "addresses": 1, "follows": follows}
    table: dict[str, Reply] = {
        "group.fork.follow": {"join": looking},
        "join.list": {"joins": [looking]},
        "status": {"running": True, "problems": [], "links": [], "groups": [], "joins": [looking], "outbox": []},
    }
    with fake_node(home, table):
        ran = mesh("group", "fork", "Tuesday grief", "--follow", "0f0f0f", "--wait", "0", home=home)
        listed = mesh("joins", "list", home=home)
        status = mesh("status", home=home)
    assert ran.code == Exit.QUEUED
    assert 'Run `mesh group fork "Tuesday grief" --follow 0f0f0f0f` later' in ran.err
    assert "same code" not in ran.err
    assert 'a successor to "Tuesday grief"' in listed.out
    assert 'Joining a successor to "Tuesday grief" (efefefef)' in status.out


def test_a_reminder_is_ended_and_an_offer_renewed(home: Path) -> None:
    table: dict[str, Reply] = {
        "group.fork.decline": {"declined": {"id": "0f" * 32}},
        "group.fork.again": {"group": NEW, "succeeds": OLD},
    }
    with fake_node(home, table):
        declined = mesh("group", "fork", "Tuesday grief", "--decline", "0f0f0f", home=home)
        again = mesh("group", "fork", "Tuesday grief", "--again", "After Tuesday", home=home)
        both = mesh("group", "fork", "Tuesday grief", "--again", "x", "--follow", "y", home=home)
    assert declined.out == "You are reminded of that offer no more. It can still be followed.\n"
    assert "is offered to 3 members" in again.out
    assert both.code == 2


def test_several_are_left_out_one_by_one(home: Path) -> None:
    table: dict[str, Reply] = {"group.fork": {"group": NEW, "succeeds": OLD}, "group.show": {"group": OLD}}
    with fake_node(home, table) as node:
        line = ("--without", "ash", "--without", "oak", "Tuesday grief", "--yes")
        assert mesh("group", "fork", *line, home=home).code == 0
        assert node.handler.asked[-1][1]["without"] == ["ash", "oak"]


@pytest.mark.parametrize("option", ["--follow", "--again", "--decline", "--name", "--alias", "--without"])
@pytest.mark.parametrize("empty", ["", "  "])
def test_an_empty_value_is_refused_and_founds_nothing(home: Path, option: str, empty: str) -> None:
    table: dict[str, Reply] = {"group.fork": {"group": NEW, "succeeds": OLD}, "group.show": {"group": OLD}}
    with fake_node(home, table) as node:
        ran = mesh("group", "fork", "Tuesday grief", option, empty, "--yes", home=home)
        asked = node.handler.asked
    assert (ran.code, asked) == (2, [])
    assert f"What was given with {option} is empty." in ran.err


def test_who_has_a_successor_already_is_told_before_another_is_founded(home: Path) -> None:
    mine: JsonObject = {**OFFER, "mine": True, "name": "After Tuesday", "state": "joined"}
    table: dict[str, Reply] = {
        "group.fork": {"group": NEW, "succeeds": OLD},
        "group.show": {"group": {**OLD, "successors": [OFFER, mine, {**mine, "state": "expired"}]}},
    }
    with fake_node(home, table) as node:
        ran = mesh("group", "fork", "Tuesday grief", home=home)
        asked = [method for method, _ in node.handler.asked]
        done = mesh("group", "fork", "Tuesday grief", "--yes", home=home)
    line = (
        'A successor of yours stands already: "After Tuesday" (cdcdcdcd). '
        '`mesh group fork "Tuesday grief" --again cdcdcdcd` offers it once more, without founding another.'
    )
    assert (ran.code, asked, ran.err.count("stands already")) == (2, ["group.show"], 1)
    assert line in ran.err.splitlines()
    assert done.code == 0
    assert line in done.err.splitlines()


def test_both_groups_show_the_link(home: Path) -> None:
    with fake_node(home, {"group.show": {"group": OLD}}):
        old = mesh("group", "show", "Tuesday grief", home=home)
    with fake_node(home, {"group.show": {"group": NEW}}):
        new = mesh("group", "show", "After Tuesday", home=home)
    assert (
        "successor: cdcdcdcd, offered by wren (offer 0f0f0f0f): `mesh group fork GROUP --follow OFFER` shows it"
        in old.out.splitlines()
    )
    assert 'earlier words: in "Tuesday grief" (abababab)' in new.out.splitlines()
    assert "followed: 1 of 3 have come" in new.out.splitlines()


def test_reading_a_successor_says_where_earlier_words_are(home: Path) -> None:
    told: JsonObject = {"messages": [], "gaps": [], "earlier": {"id": "ab" * 32, "name": "Tuesday grief"}}
    with fake_node(home, {"read": told}):
        ran = mesh("read", "After Tuesday", home=home)
    assert ran.out.splitlines()[0] == 'Earlier words are in "Tuesday grief" (abababab).'


def test_an_offer_that_has_run_out_says_nothing_of_a_code(home: Path) -> None:
    over: JsonObject = {
        "id": "ef" * 16,
        "state": "expired",
        "group": {"name": "After Tuesday"},
        "why": "The offer has run out.",
        "offered": True,
    }
    nowhere: JsonObject = {**over, "state": "looking", "why": None, "addresses": 0}
    status: JsonObject = {"running": True, "problems": [], "links": [], "groups": [], "outbox": []}
    with fake_node(home, {"group.fork.follow": {"join": over}, "status": {**status, "joins": [over, nowhere]}}):
        ran = mesh("group", "fork", "Tuesday grief", "--follow", "0f0f0f", home=home)
        shown = mesh("status", home=home)
    assert ran.code == Exit.REFUSED
    assert ran.err.startswith("The offer has run out.")
    assert "Whoever made the offer can make it again." in ran.err
    assert "the offer has run out.\n  Whoever made the offer can make it again; `mesh joins drop" in shown.out
    assert "No address of anybody who may be there is known here." in shown.out
    assert "code" not in ran.err + shown.out.replace("`mesh join` with a code", "")
