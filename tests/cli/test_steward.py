"""Transcripts of `stewards` and `steward`: who serves, rest, terms, handing over."""

from pathlib import Path

import pytest

from mesh.errors import Exit
from mesh.node.local.protocol import JsonObject, JsonValue
from tests.cli.runner import PASSPHRASE, mesh
from tests.node.local.fake_node import fake_node

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
