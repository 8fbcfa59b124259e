"""Transcripts of `talk`: asking, being asked, accepting, declining, listing."""

from pathlib import Path

from mesh.errors import Exit
from mesh.node.local.protocol import JsonObject
from tests.cli.runner import PASSPHRASE, mesh
from tests.cli.test_join import join
from tests.node.local.fake_node import Reply, fake_node

WHO: JsonObject = {"id": "1a" * 32, "alias": "juniper", "alike": False}
NEW: JsonObject = {"id": "cd" * 32, "name": "talk otter-lamp", "alias": "amber-tent"}


def talk(state: str) -> JsonObject:
    return {
        "id": "cd" * 32,
        "name": "talk otter-lamp",
        "group": {"id": "ab" * 32, "name": "Tuesday grief"},
        "with": WHO,
        "alias": "amber-tent",
        "mine": True,
        "state": state,
        "at": "2026-11-01T12:00:00.000Z",
        "expires": "2026-11-15T12:00:00.000Z",
    }


NOTHING: JsonObject = {"member": WHO, "talk": None, "group": None, "offered": None}


def test_a_member_is_asked(home: Path) -> None:
    table: dict[str, Reply] = {"talk.check": NOTHING, "talk.offer": {"group": NEW, "talk": talk("asked")}}
    with fake_node(home, table) as node:
        ran = mesh("talk", "Tuesday grief", "juniper", home=home)
        asked = node.handler.asked
    assert (ran.code, ran.out) == (
        0,
        'juniper is asked, and can come into "talk otter-lamp", where you are amber-tent.\n',
    )
    assert asked[-1] == (
        "talk.offer",
        {"group": "Tuesday grief", "member": "juniper", "alias": None, "passphrase": PASSPHRASE},
    )


def test_nobody_reachable_is_queued_and_what_stands_needs_no_passphrase(home: Path) -> None:
    table: dict[str, Reply] = {"talk.check": NOTHING, "talk.offer": {"group": NEW, "talk": talk("waiting")}}
    with fake_node(home, table):
        waiting = mesh("talk", "Tuesday grief", "juniper", home=home)
    with fake_node(home, {"talk.check": {**NOTHING, "talk": talk("open"), "group": NEW}}):
        stands = mesh("talk", "Tuesday grief", "juniper", home=home)
    assert waiting.code == Exit.QUEUED
    assert stands.out == 'You and juniper talk in "talk otter-lamp".\n'


def test_who_has_asked_is_answered_and_not_asked(home: Path) -> None:
    with fake_node(home, {"talk.check": {**NOTHING, "offered": talk("offered")}}):
        ran = mesh("talk", "Tuesday grief", "juniper", home=home)
    assert ran.code == 2
    assert "--accept or --decline" in ran.err


def test_an_offer_is_accepted_or_declined(home: Path) -> None:
    joined = join("joined")["join"]
    assert isinstance(joined, dict)
    table: dict[str, Reply] = {
        "talk.accept": join("knocking"),
        "join.wait": {"join": {**joined, "inviter": {"id": "02" * 32, "alias": "soldier-pledge"}}},
        "talk.decline": {"declined": {"id": "cd" * 32}},
    }
    with fake_node(home, table) as node:
        accepted = mesh("talk", "Tuesday grief", "juniper", "--accept", home=home)
        declined = mesh("talk", "Tuesday grief", "juniper", "--decline", home=home)
        both = mesh("talk", "Tuesday grief", "juniper", "--decline", "--accept", home=home)
        whose = mesh("talk", "--accept", home=home)
    assert (accepted.code, accepted.out) == (0, 'You are in "Tuesday grief".\n')
    assert [params["passphrase"] for method, params in node.handler.asked if method == "talk.accept"] == [PASSPHRASE]
    assert declined.out == "Declined. It stays on this node: they are not told.\n"
    assert (both.code, whose.code) == (2, 2)


def test_talks_are_listed(home: Path) -> None:
    with fake_node(home, {"talk.list": {"talks": [talk("offered")]}}):
        listed = mesh("talk", home=home)
        none = mesh("talk", "Tuesday grief", "--list", "--json", home=home)
    with fake_node(home, {"talk.list": {"talks": []}}):
        empty = mesh("talk", home=home)
    assert "juniper" in listed.out
    assert "asks you: --accept or --decline" in listed.out
    assert none.code == 0
    assert empty.out == "There are no talks.\n"


def test_what_may_have_been_answered_on_another_device_is_said(home: Path) -> None:
    with fake_node(home, {"talk.list": {"talks": [{**talk("offered"), "other_devices": 1}]}}):
        several = mesh("talk", home=home).out
    with fake_node(home, {"talk.list": {"talks": [{**talk("offered"), "other_devices": 0}]}}):
        one = mesh("talk", home=home).out
    assert "or you have answered on another device of yours" in several
    assert "another device" not in one


def test_nothing_is_posted_into_a_talk_that_has_ended(home: Path) -> None:
    ended: JsonObject = {**NEW, "members": 1, "state": "member", "talk": {"with": WHO, "ended": True}}
    with fake_node(home, {"group.show": {"group": ended}}) as node:
        ran = mesh("post", "talk otter-lamp", "Words.", home=home)
        assert [method for method, _ in node.handler.asked] == ["group.show"]
    assert ran.code == Exit.REFUSED
    assert 'The talk "talk otter-lamp" has ended.' in ran.err
