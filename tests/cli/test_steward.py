"""Transcripts of `stewards` and `steward`: who serves, rest, terms, handing over."""

from pathlib import Path

import pytest

from mesh.errors import Exit
from mesh.node.local.protocol import JsonObject, JsonValue
from tests.cli.runner import PASSPHRASE, mesh
from tests.node.local.fake_node import Reply, fake_node

WREN: JsonObject = {
    "id": "01" * 32,
    "alias": "wren",
    "rank": "founder",
    "mine": True,
    "on_duty": True,
    "off_until": None,
    "term_until": "2999-02-01T10:00:00Z",
    "term_over": False,
}
JUNIPER: JsonObject = {
    **WREN,
    "id": "02" * 32,
    "alias": "juniper\nwren",
    "rank": "steward",
    "mine": False,
    "on_duty": False,
    "term_until": None,
}


def people(*entries: JsonObject, **more: JsonValue) -> JsonObject:
    on_duty = sum(entry["on_duty"] is True for entry in entries)
    listed: list[JsonValue] = list(entries)
    return {
        "group": {"id": "ab" * 32, "name": "g"},
        "stewards": listed,
        "on_duty": on_duty,
        "silent_days": None,
        **more,
    }


def test_who_serves_is_a_line_each(home: Path) -> None:
    with fake_node(home, {"stewards.list": people(WREN, JUNIPER)}):
        ran = mesh("stewards", "g", home=home)
    first, second = ran.out.splitlines()
    assert first.startswith("wren · founder · on duty · serves until ")
    assert first.endswith(" · you")
    assert second == "juniper wren · steward · off duty"


@pytest.mark.parametrize(
    ("told", "line"),
    [
        (people(JUNIPER), "Nobody is on duty now: who knocks or reports something waits."),
        (people(WREN, silent_days=40), "No steward was heard from for 40 days. If they are gone: `mesh group fork`."),
        (people(), "Nobody in this group is a steward or moderator. `mesh group fork` begins anew with all."),
    ],
)
def test_what_is_amiss_is_said_last(home: Path, told: JsonObject, line: str) -> None:
    with fake_node(home, {"stewards.list": told}):
        assert mesh("stewards", "g", home=home).out.splitlines()[-1] == line


def test_off_duty_and_on_are_one_command_each(home: Path) -> None:
    with fake_node(home, {"steward.duty": {**people(WREN), "told": False}}) as node:
        off = mesh("steward", "off-duty", "g", "--until", "2999-01-01", home=home)
        on = mesh("steward", "on-duty", "g", home=home)
        asked = [params for _, params in node.handler.asked]
    assert (off.code, on.code) == (Exit.QUEUED, Exit.QUEUED)
    assert "goes out by itself" in off.err
    assert str(asked[0]["until"]).startswith("2999-01-01T00:00:00")
    assert asked[0] | {"until": None} == {"group": "g", "on": False, "until": None, "wait_s": 2}
    assert asked[1] == {"group": "g", "on": True, "until": None, "wait_s": 2}


def test_a_term_is_shown_renewed_and_ended(home: Path) -> None:
    term: JsonObject = {"rank": "steward", "until": "2999-02-01T10:00:00Z", "over": False, "others": []}
    with fake_node(home, {"steward.term": {"term": term, "stepped_down": False, "told": True}}) as node:
        shown = mesh("steward", "term", "g", "--renew", home=home)
        ended = mesh("steward", "term", "g", "--end", "--yes", home=home)
        both = mesh("steward", "term", "g", "--end", "--renew", home=home)
        unasked = mesh("steward", "term", "g", "--end", home=home)
        asked = [params for _, params in node.handler.asked]
    assert shown.out.startswith("You are a steward until ")
    assert "Thank you for serving." in ended.out
    assert (both.code, unasked.code) == (Exit.USAGE, Exit.USAGE)
    assert len(asked) == 2
    assert (asked[0]["renew"], asked[0].get("passphrase")) == (True, None)
    assert (asked[1]["end"], asked[1]["passphrase"]) == (True, PASSPHRASE)


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"until": None}, "You are a steward. Your term has no end.\n"),
        ({"over": True}, "--end steps down, --renew goes on.\n"),
    ],
)
def test_a_term_without_an_end_or_past_it_is_said(home: Path, changes: JsonObject, line: str) -> None:
    term: JsonObject = {"rank": "steward", "until": "2001-02-01T10:00:00Z", "over": False, "others": [], **changes}
    with fake_node(home, {"steward.term": {"term": term, "stepped_down": False, "told": True}}):
        assert mesh("steward", "term", "g", home=home).out.endswith(line)


def test_handing_over_shows_what_hangs_on_one_and_says_how_far_it_is(home: Path) -> None:
    item: JsonObject = {"item": "invites", "what": "open codes", "count": 2, "how": "`mesh invite revoke`"}
    told: JsonObject = {
        "group": {"id": "ab" * 32, "name": "g"},
        "member": JUNIPER,
        "checklist": [item],
        "given": False,
        "heard": False,
        "stepped_down": False,
    }
    with fake_node(home, {"steward.handover": told}) as node:
        check = mesh("steward", "handover", "g", "juniper", "--check", home=home)
        unasked = mesh("steward", "handover", "g", "juniper", home=home)
        asked = [params for _, params in node.handler.asked]
    assert check.out == "2 · open codes · `mesh invite revoke`\njuniper wren does not have your rank yet.\n"
    assert unasked.code == Exit.USAGE
    assert [params["check"] for params in asked] == [True, True], "nothing changes before a yes"
    with fake_node(home, {"steward.handover": {**told, "given": True}}):
        waits = mesh("steward", "handover", "g", "juniper", "--yes", home=home)
    assert waits.code == Exit.QUEUED
    assert "Their node has not heard of it yet, so you keep yours." in waits.out
    with fake_node(home, {"steward.handover": {**told, "given": True, "heard": True, "stepped_down": True}}) as node:
        done = mesh("steward", "handover", "g", "juniper", "--yes", home=home)
        assert node.handler.asked[-1][1]["passphrase"] == PASSPHRASE
    assert done.out == "juniper wren goes on, and you are a plain member now. Thank you for serving.\n"


# ---------------------------------------------------------------- the private room

ROOM: JsonObject = {"id": "cd" * 32, "name": "Stewards: g", "members": 2, "not_in": [], "not_serving": []}
GROUP: JsonObject = {"id": "ab" * 32, "name": "g"}


def test_opening_the_room_founds_it_and_says_who_is_asked_in(home: Path) -> None:
    replies: dict[str, Reply] = {
        "stewards.room": {"group": GROUP, "alias": "wren", "room": None, "code": None},
        "stewards.open": {"group": GROUP, "room": ROOM, "founded": True, "asked": [JUNIPER]},
    }
    with fake_node(home, replies) as node:
        ran = mesh("stewards", "open", "g", home=home)
        assert node.handler.asked[1] == ("stewards.open", {"group": "g", "passphrase": PASSPHRASE})
    assert ran.out == (
        'You founded the room.\nAsked in: juniper wren. Leave your node running.\n"Stewards: g" (cdcdcdcd) · 2 in it\n'
    )
    with fake_node(home, {**replies, "stewards.room": {"group": GROUP, "room": ROOM, "code": None}}) as node:
        assert mesh("stewards", "open", "g", home=home).code == Exit.OK
        assert node.handler.asked[1] == ("stewards.open", {"group": "g"}), "to ask others in needs no passphrase"


def test_one_who_is_asked_in_comes_in_under_the_name_of_the_group(home: Path) -> None:
    join: JsonObject = {"id": "77" * 16, "state": "preview", "group": {"name": "Stewards: g"}, "agreement": {}}
    replies: dict[str, Reply] = {
        "stewards.room": {"group": GROUP, "alias": "wren", "room": None, "code": "mesh1code"},
        "join.start": {"join": join},
        "join.agree": {"join": {**join, "state": "knocking"}},
        "join.wait": {"join": {**join, "state": "knocking"}},
    }
    with fake_node(home, replies) as node:
        ran = mesh("stewards", "open", "g", "--wait", "1s", home=home)
        asked = dict(node.handler.asked)
    assert ran.code == Exit.QUEUED
    assert asked["join.start"] == {"code": "mesh1code"}
    assert asked["join.agree"]["alias"] == "wren"


def test_who_should_not_be_in_is_said_before_anything_else(home: Path) -> None:
    differs: JsonObject = {**ROOM, "not_serving": [JUNIPER], "not_in": [WREN]}
    lines = [
        "In it, and not serving now: juniper wren.",
        "They read what is said there. `mesh group remove cdcdcdcd ALIAS` ends it.",
        "Serving, and not in it: wren.",
    ]
    replies: dict[str, Reply] = {
        "stewards.room": {"group": GROUP, "alias": "wren", "room": differs, "code": None},
        "read": {"messages": [], "gaps": [], "older": False},
    }
    with fake_node(home, replies) as node:
        listed = mesh("stewards", "list", "g", home=home)
        read = mesh("stewards", "read", "g", home=home)
        assert node.handler.asked[-1][1]["group"] == "cd" * 32
    assert listed.out.splitlines()[1:] == lines
    assert read.err.splitlines()[:3] == lines


def test_without_a_room_it_says_how_to_open_one(home: Path) -> None:
    with fake_node(home, {"stewards.room": {"group": GROUP, "alias": "wren", "room": None, "code": None}}):
        listed = mesh("stewards", "list", "g", home=home)
        ran = mesh("stewards", "post", "g", "hello", home=home)
    assert "`mesh stewards open`" in listed.out
    assert (ran.code, "E-NO-ROOM" in ran.err) == (Exit.USAGE, True)
