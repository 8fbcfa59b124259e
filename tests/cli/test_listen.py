"""Transcripts of `listen`: offering, asking, saying yes, ending; with what is said of it before and after."""

from pathlib import Path

import pytest

from cli.commands.listen import CARE, STATES
from cli.foresight import CRISIS
from mesh.errors import Exit, RefusedError
from mesh.node.local.protocol import JsonObject
from tests.cli.runner import PASSPHRASE, mesh
from tests.cli.test_talk import ID
from tests.node.local.fake_node import Reply, fake_node

GROUP: JsonObject = {"id": "ab" * 32, "name": "Tuesday grief", "listeners": True}
TALK: JsonObject = {
    "id": ID,
    "group": GROUP,
    "mine": True,
    "state": "asked",
    "topic": "sleep",
    "mode": "listening",
    "minutes": 30,
    "kept": True,
    "name": None,
    "alias": None,
    "at": "2026-11-01T12:00:00.000Z",
    "expires": "2026-11-01T15:00:00.000Z",
    "opened": None,
    "care": False,
}
OFFER: JsonObject = {
    "group": GROUP,
    "member": {"id": "01" * 32, "alias": "juniper"},
    "mine": False,
    "topics": ["sleep", "loss"],
    "hours": "18:00-22:00",
    "now": True,
    "waits": False,
}
CHECKED: JsonObject = {"group": GROUP, "volunteers": 2, "kept": True}


def test_an_offer_says_what_was_typed(home: Path) -> None:
    with fake_node(home, {"listen.offer": {"offer": OFFER | {"mine": True}, "told": True}}) as node:
        ran = mesh("listen", "offer", "g", "--topics", "sleep,loss", "--hours", "18:00-22:00", "--for", "7d", home=home)
        asked = node.handler.asked
        odd = mesh("listen", "offer", "g", "--for", "90s", home=home)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == "You offer to listen. `mesh status` shows when somebody asks.\n"
    assert asked[0][1] == {"group": "g", "topics": ["sleep", "loss"], "hours": "18:00-22:00", "days": 7, "wait_s": 2}
    assert odd.code == 2


def test_an_offer_is_withdrawn_and_waits_for_somebody_to_hear_it(home: Path) -> None:
    with fake_node(home, {"listen.withdraw": {"offer": None, "told": False}}):
        ran = mesh("listen", "withdraw", "g", home=home)
    assert (ran.code, ran.out) == (Exit.QUEUED, "You offer to listen no longer.\n")


def test_asking_shows_the_way_to_the_crisis_card(home: Path) -> None:
    with fake_node(home, {"listen.check": CHECKED, "listen.ask": {"talk": TALK}}) as node:
        ran = mesh("listen", "ask", "g", "sleep", "--minutes", "20", home=home)
        asked = node.handler.asked
    assert (ran.code, ran.out) == (
        0,
        "You have asked. The first who says yes can talk with you; nobody may be free.\n",
    )
    assert CRISIS in ran.err
    assert asked[1][1] == {
        "group": "g",
        "topic": "sleep",
        "mode": "listening",
        "minutes": 20,
        "direct": False,
        "passphrase": PASSPHRASE,
    }


def test_asking_while_nobody_is_reachable_is_kept(home: Path) -> None:
    with fake_node(home, {"listen.check": CHECKED, "listen.ask": {"talk": TALK | {"state": "waiting"}}}):
        ran = mesh("listen", "ask", "g", home=home)
    assert (ran.code, ran.out) == (
        Exit.QUEUED,
        "It is kept, and goes out as soon as somebody of the group is reachable.\n",
    )


def test_without_a_keeper_a_script_needs_direct(home: Path) -> None:
    refusal = RefusedError("no keeper of this group carries such a talk", code="E-LISTEN-DIRECT")
    table: dict[str, Reply] = {"listen.check": CHECKED | {"kept": False}, "listen.ask": refusal}
    with fake_node(home, table) as node:
        ran = mesh("listen", "ask", "g", home=home)
        asked = node.handler.asked
    assert ran.code == Exit.REFUSED
    assert "No keeper" in ran.err
    assert asked[1][1]["direct"] is False
    with fake_node(home, {"listen.check": CHECKED | {"kept": False}, "listen.ask": {"talk": TALK}}) as node:
        ran = mesh("listen", "ask", "g", "--direct", home=home)
        assert (ran.code, node.handler.asked[1][1]["direct"]) == (0, True)


def test_yes_leads_into_the_talk(home: Path) -> None:
    there = TALK | {"mine": False, "state": "open", "name": "listening otter-lamp", "alias": "amber-tent"}
    with fake_node(home, {"listen.list": {"offers": [], "talks": []}, "listen.accept": {"talk": there}}):
        ran = mesh("listen", "accept", ID[:8], home=home)
    assert (ran.code, ran.out) == (0, 'You can talk, in "listening otter-lamp", where you are amber-tent.\n')


@pytest.mark.parametrize(
    ("state", "code", "words"),
    [
        ("taken", Exit.OK, "Another was there before you. Thank you for being ready: it counts.\n"),
        ("joining", Exit.QUEUED, "They are not reached yet.\n"),
    ],
)
def test_yes_may_come_too_late_or_too_early(home: Path, state: str, code: Exit, words: str) -> None:
    table: dict[str, Reply] = {
        "listen.list": {"offers": [], "talks": []},
        "listen.accept": {"talk": TALK | {"state": state}},
    }
    with fake_node(home, table):
        ran = mesh("listen", "accept", ID[:8], home=home)
    assert (ran.code, ran.out) == (code, words)


@pytest.mark.parametrize(
    ("was", "words"),
    [
        ("open", CARE),
        ("asked", ("It is taken back. Nobody is told.",)),
        ("offered", ("It is put aside. They are not told.",)),
    ],
)
def test_an_end_has_a_last_word_and_no_reason(home: Path, was: str, words: tuple[str, ...]) -> None:
    reply: JsonObject = {"ended": {"id": ID, "group": GROUP, "was": was}, "told": True}
    with fake_node(home, {"listen.end": reply}) as node:
        ran = mesh("listen", "end", home=home)
        asked = node.handler.asked
    assert (ran.code, ran.out) == (0, "".join(f"{line}\n" for line in words))
    assert asked[0][1] == {"talk": None, "wait_s": 2}


def test_the_list_shows_who_offers_and_how_each_talk_stands(home: Path) -> None:
    talks: list[JsonObject] = [
        TALK,
        TALK | {"state": "ended", "topic": None, "care": True},
        TALK | {"state": "open", "name": "listening\notter", "alias": "amber-tent", "kept": False},
    ]
    with fake_node(home, {"listen.list": {"offers": [OFFER, OFFER | {"mine": True}], "talks": [*talks]}}):
        ran = mesh("listen", "list", home=home)
    assert ran.out.splitlines()[:2] == [
        "Tuesday grief · juniper listens · sleep, loss · 18:00-22:00",
        "Tuesday grief · you listen · sleep, loss · 18:00-22:00",
    ]
    assert "3fa9c1d2 · Tuesday grief · 30 minutes · listening · asked; nobody has said yes yet · until" in ran.out
    assert all(line in ran.out for line in CARE)
    assert 'in "listening otter", where you are amber-tent' in ran.out
    assert "no keeper: --direct" in ran.out
    with fake_node(home, {"listen.list": {"offers": [], "talks": []}}):
        ran = mesh("listen", "list", home=home)
    assert ran.out == "Nobody offers to listen yet. `mesh listen offer` does.\n"


def test_each_state_has_words() -> None:
    assert all(STATES.values())


def test_the_limits_are_said_in_the_help(home: Path) -> None:
    page = " ".join(mesh("listen", "ask", "--help", home=home).out.split())
    assert "both programs know it, and a changed one can show it" in page
    assert "They see which two network addresses fetch it" in page
    assert "A listener is a member, not a helpline" in page
    page = " ".join(mesh("listen", "end", "--help", home=home).out.split())
    assert "A changed program may keep what it saw" in page
