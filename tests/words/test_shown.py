"""What is shown of results is told from the catalogue: real commands, in a language in which no word of ours is left.

`test_results.py` reads the source; here each command of the list answers a node, and what is on the screen then holds
values and the words of machines (states, modes, ranks, as they are typed), and nothing else.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from unittest.mock import patch

import pytest

from cli.event_lines import EVENTS, event_line
from cli.foresight import device_lines, leave_lines, namesake_lines, reach_line, remove_lines
from cli.group_lines import OFFERS, codes_line, proof_lines, successor_line
from cli.hindsight import left_lines, removed_lines
from cli.join_lines import JOIN_WORDS, JOINED_SINCE, join_lines
from cli.output import Output
from cli.pace import digest_line, wishes_lines
from cli.render import CLOSED, LEAVES, STANDINGS, STATES, delivery_lines, gap_line, message_lines, standing
from cli.words import _SPOKEN, tell
from mesh.node.local.protocol import JsonObject
from tests.cli.runner import mesh
from tests.node.local.fake_node import Reply, fake_node, short_runtime_folder
from tests.words.extract import ROOT

ID, OTHER, DAY = "12" * 32, "34" * 32, "2024-05-06T07:08:00+00:00"
MACHINE: Final = {  # what is typed: states, modes and ranks
    *("queued", "sent", "withdrawn", "joined", "left", "open", "history", "last"),
    *("steward", "newcomer", "listening", "advice", "mesh"),
}
WREN: JsonObject = {"id": OTHER, "alias": "WREN", "verified": True}
TANSY: JsonObject = {"id": "56" * 32, "alias": "TANSY"}
MESSAGE: JsonObject = {
    "id": ID,
    "author": WREN,
    "at": DAY,
    "mode": "advice",
    "text": "WORDS",
    "topics": ["ONE", "TWO"],
    "reply_to": OTHER,
    "asked_mode": "listening",
    "cw": "LABEL",
    "files": [{"name": "WALK.TXT", "size": 3, "state": "here"}, {"name": "MAP", "size": 90000, "got": 1, "of": 3}],
    "quote": {"id": OTHER, "author": TANSY, "text": "SAID"},
    "collapsed": True,
    "flags": 2,
    "circle": {"id": OTHER, "out_of_turn": True},
    "expires": (datetime.now(UTC) + timedelta(days=3)).isoformat(),
}
OWN: JsonObject = {
    **MESSAGE,
    "mine": True,
    "state": "sent",
    "of": 5,
    "reached": 1,
    "held_by": [{**WREN, "at": DAY}, {**TANSY, "keeper": True, "at": DAY}],
    "reached_by": [WREN],
    "receipts_off": [TANSY],
    "waiting_for": [TANSY],
}
GROUP: JsonObject = {
    "id": ID,
    "name": "GRIEF",
    "about": "LOSS",
    "members": 3,
    "devices": 4,
    "unread": 2,
    "alias": "WREN",
    "rank": "steward",
    "history": "last:50",
    "keep": 86_400,
    "reachable": {"members": 1, "of": 2, "keepers": 0},
    "settings": {
        "approvals": "2",
        "members-invite": "off",
        "key-window": "7",
        "dormant-after": "30",
        "lock-mode": "advice",
        "beacons": "0",
    },
    "agreement": {"version": 2, "text": "KIND"},
    "removal": {"member": TANSY, "seen_by": 1, "members": 2},
    "talk": {"with": TANSY, "group": {"name": "OTHER"}},
    "succeeds": {"id": OTHER, "name": "BEFORE"},
    "followed": {"came": 1, "of": 2},
    "confirmed": False,
    "welcomed_by": TANSY,
    "fingerprint_words": ["RAIN", "OAK"],
    "catching_up": {"got": 1000, "of": 2000},
    "complete": False,
    "new_here": True,
}
JOIN: JsonObject = {
    "id": ID,
    "state": "looking",
    "group": {"id": ID, "name": "GRIEF", "about": "LOSS", "members": 2, "history": "days:7", "keep": 3600},
    "inviter": WREN,
    "agreement": {"version": 1, "text": "KIND"},
    "approvals": 1,
    "key_words": ["RAIN", "OAK"],
    "alike": ["TANSY"],
    "addresses": 1,
}
STATUS: JsonObject = {
    "running": True,
    "problems": [],
    "links": [{}, {}],
    "refused": [{}],
    "groups": [GROUP, {**GROUP, "state": "cut-off"}],
    "joins": [{**JOIN, "state": "knocking"}],
    "outbox": 2,
    "pace": {"paused": True},
}
INVITE: JsonObject = {"id": ID, "uses": 3, "uses_left": 2, "expires": DAY, "approvals": 2, "addresses": 1, "others": 2}
KNOCK: JsonObject = {
    "id": ID,
    "group_name": "GRIEF",
    "alias": "TANSY",
    "invite_id": OTHER,
    "at": DAY,
    "alike": ["WREN"],
}
MEMBER: JsonObject = {
    **WREN,
    "rank": "newcomer",
    "newcomer_until": DAY,
    "since": DAY,
    "state": "joined",
    "last_heard": DAY,
    "alike": True,
    "seen_removal": False,
    "quiet_until": DAY,
    "devices": 2,
    "equivocated": True,
    "invited_by": TANSY,
}
PAGE: JsonObject = {
    "messages": [MESSAGE, {**MESSAGE, "text": None, "closed_by": "hidden"}],
    "gaps": [{"author": TANSY, "missing": 2, "asking": 1}],
    "older": True,
    "newer": True,
    "earlier": {"id": OTHER, "name": ""},
    "catching_up": {"got": 1, "of": 2},
    "quiet": {"until": DAY},
}
REPLIES: Final[Mapping[str, Reply]] = {
    "status": STATUS,
    "group.list": {"groups": [GROUP, {**GROUP, "id": OTHER, "state": "left"}]},
    "group.show": {"group": {**GROUP, "successors": [{"id": ID, "name": "NEXT", "by": TANSY, "state": "open"}]}},
    "group.members": {"members": [MEMBER, {**MEMBER, "held_by": ["TANSY"]}], "departed": [{**TANSY, "state": "left"}]},
    "group.create": {"group": GROUP},
    "group.leave": {"wiped": True, "told": False},
    "group.remove": {"seen_by": 1, "members": 2, "invites_closed": [INVITE], "let_in": [TANSY, WREN]},
    "group.rank": {"member": TANSY},
    "group.hold": {"member": TANSY, "told": False},
    "group.rekey": {},
    "group.confirm": {},
    "group.set": {"setting": {"own": False}},
    "join.list": {"joins": [{**JOIN, "state": state} for state in JOIN_WORDS]},
    "join.drop": {},
    "join.start": {"join": {**JOIN, "state": "preview"}},
    "join.agree": {"join": {**JOIN, "state": "awaiting-approval"}},
    "join.wait": {"join": {**JOIN, "state": "joined"}},
    "invite.new": {"code": "CODE", "invite": INVITE},
    "invite.list": {"invites": [{**INVITE, "state": "open", "over_uses": True}]},
    "invite.revoke": {},
    "knocks.list": {"knocks": [KNOCK]},
    "knocks.admit": {"approved": {"approvals": 1, "needed": 2}},
    "knocks.decline": {},
    "read": PAGE,
    "message.show": {"message": OWN},
    "message.withdraw": {"message": {**OWN, "state": "withdrawn"}, "told": False},
    "outbox": {"outbox": [{"id": ID, "group": GROUP, "state": "queued", "waiting_for": [WREN], "why": ""}]},
    "post": {"message": {**OWN, "state": "queued"}},
    "id.show": {"identity": {"fingerprint": "1234", "name": "WREN"}, "home": "/HOME"},
}
LINES: Final = (
    "status",
    "group list",
    "group show GRIEF",
    "group members GRIEF",
    "group create GRIEF --alias WREN --history last:3",
    "--yes group leave GRIEF",
    "--yes group leave GRIEF --wipe",
    "--yes group remove GRIEF TANSY",
    "group rank GRIEF TANSY steward",
    "group hold GRIEF TANSY",
    "group hold GRIEF TANSY --release",
    "group rekey GRIEF",
    "group confirm GRIEF",
    "group set GRIEF history last:3",
    "join CODE --agree --alias WREN",
    "joins list",
    "joins drop 12121212",
    "invite new GRIEF",
    "invite list GRIEF",
    "invite revoke GRIEF 12121212",
    "knocks list",
    "knocks admit GRIEF 12121212",
    "knocks decline GRIEF 12121212",
    "read GRIEF",
    "message show 12121212",
    "message withdraw 12121212",
    "outbox",
    "post GRIEF +49301234567",
    "post GRIEF WORDS --cw suicide",
    "id show",
    "chat --line GRIEF",
)
TYPED: Final = "/groups\n/who\n/next\n/open 1\n/reply 1\n/mode advice\n/cw LABEL\n/cw\n/help\nWORDS\n/go GRIEF"


class Blank:
    """A language in which every word of ours is a sign, so that what is left is no word of ours."""

    def gettext(self, message: str) -> str:
        """Keep the places of a sentence, and none of its words."""
        return re.sub(r"\{[a-z_]+\}|[^\W\d_]+", lambda part: part[0] if part[0][0] == "{" else "¤", message)

    def ngettext(self, one: str, many: str, count: int) -> str:
        """Do so with one that counts."""
        return self.gettext(one if count == 1 else many)


@pytest.fixture(autouse=True)
def blank() -> Iterator[None]:
    with patch.object(_SPOKEN, "catalogue", Blank()), patch("cli.main.speak"):
        yield


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "home"
    folder.mkdir(mode=0o700)
    with short_runtime_folder():
        yield folder


def left(*shown: str) -> set[str]:
    """Give the words that came past the catalogue: in small letters, as no value here is."""
    typed = re.sub(r"`[^`]*`|--[a-z-]+|/[\w/.-]+", "", "\n".join(shown))
    return set(re.findall(r"[a-z]{2,}", typed)) - MACHINE


@pytest.mark.parametrize("line", LINES)
def test_no_word_comes_past_the_catalogue(home: Path, line: str) -> None:
    with fake_node(home, REPLIES, events={"events": []}):
        ran = mesh(*line.split(), home=home, stdin=TYPED)
    assert "¤" in ran.out + ran.err, ran
    assert left(ran.out, ran.err) == set(), ran


def test_a_word_that_comes_past_is_seen(capsys: pytest.CaptureFixture[str]) -> None:
    Output(plain=True).result({}, [tell("Joining {group}: {state}.", group="GRIEF", state="on the way")])
    assert left(capsys.readouterr().out) == {"on", "the", "way"}


def test_what_is_made_of_tables_is_told_whatever_the_state() -> None:
    shown = [standing({"state": state}) for state in STANDINGS]
    for state in (*STATES, ""):
        for place in (*LEAVES, ""):
            message = {**MESSAGE, "state": state, "may_leave": place}
            shown += message_lines({**message, "mine": True})
            shown += message_lines({**message, "cw": "", "reply_to": None, "topics": []})
    for closed in (*CLOSED, ""):
        shown += message_lines({**MESSAGE, "text": None, "closed_by": closed, "folded_by": TANSY})
    quotes: tuple[JsonObject, ...] = (
        {"elsewhere": True, "text": "SAID"},
        {"id": ID},
        {"id": ID, "author": TANSY, "cw": "LABEL"},
    )
    for quote in quotes:
        shown += message_lines({**MESSAGE, "quote": {**quote}, "circle": {"id": ID, "waits": True}})
    shown += delivery_lines({**OWN, "held_by": [{**WREN, "at": DAY}] * 5})
    shown += [gap_line({"author": WREN, "missing": 1}), gap_line({"author": WREN, "missing": 2, "asking": 1})]
    follows: JsonObject = {"id": OTHER, "group": {"name": "BEFORE"}}
    nowhere: JsonObject = {"addresses": 0}
    changes: list[JsonObject] = [{}, nowhere, {**nowhere, "offered": True}, {"at_keeper": True, "key_words": []}]
    changes += [{"group": None}, {"why": "403."}]
    for state in JOIN_WORDS:
        for change in changes:
            shown += join_lines({**JOIN, "state": state, **change})
            shown += join_lines({**JOIN, "state": state, **change, "follows": follows})
    shown += [line for since in JOINED_SINCE for line in join_lines({**JOIN, "state": "joined", "standing": since})]
    assert left(*shown) == set()


def test_events_and_what_follows_are_told() -> None:
    kinds = (*EVENTS, "link", "state", "join", "listen", "group", "support", "history", "catching-up")
    event: JsonObject = {"group": ID, "peer": "PEER", "message": OWN, "join": ID, "form": "FORM", "got": 1, "of": 2}
    shown = [
        event_line({**event, "event": kind, **more}) for kind in kinds for more in ({}, {"linked": True, "done": True})
    ]
    shown += [event_line({**event, "event": "group", "history": history}) for history in ("none", "last:1", "days:2")]
    shown += [event_line({**event, "event": "listen", "state": "offered"})]
    would: JsonObject = {"group": GROUP, "member": TANSY, "only_founder": True, "invites_open": 2, "let_in": [WREN]}
    shown += [*leave_lines(would, wipe=True, now=True), *leave_lines({"group": {**GROUP, "state": "left"}}, wipe=True)]
    shown += remove_lines(would)
    shown += device_lines({"device": {"id": ID}, "groups": [GROUP], "elsewhere": 1})
    shown += namesake_lines("GRIEF", [GROUP, {**GROUP, "state": "left"}])
    there: tuple[JsonObject, ...] = ({}, {"of": 2, "keepers": 2}, {"of": 2}, {"members": 2, "of": 2})
    shown += [reach_line({**GROUP, "reachable": one}) for one in there]
    shown += [line for wipe in (True, False) for line in left_lines({}, wipe=wipe)]
    shown += left_lines({"wiped": True, "told": True}, wipe=True)
    shown += removed_lines({"invites_closed": [{"id": ID, "note": "NOTE"}], "let_in": [TANSY]})
    shown += [successor_line({"id": ID, "by": TANSY, "state": state}) for state in OFFERS]
    shown += [line for line in proof_lines({"member": TANSY, "proofs": [{"kind": "message"}, {}]}) if ": " not in line]
    shown += [*proof_lines({"member": TANSY}), codes_line({"settings": {"approvals": "1", "members-invite": "on"}})]
    paces: tuple[JsonObject, ...] = ({}, {"silent": True, "quiet": "22-7"}, {"paused": True, "until": DAY})
    shown += [line for pace in paces for line in wishes_lines({**pace, "digest": "daily", "cap": 2, "quiet": "22-7"})]
    shown += [digest_line({}), digest_line({"groups": [GROUP]}), *wishes_lines({"digest": "daily"}), *wishes_lines({})]
    assert left(*shown) == set()


def test_what_the_node_says_is_told(home: Path) -> None:
    assert mesh("init", "--yes", home=home).code == 0
    assert mesh("group", "create", "GRIEF", "--alias", "WREN", "--suite", "classic", home=home).code == 0
    assert mesh("post", "GRIEF", "WORDS", home=home).code == 4
    for line in ("status", "outbox", "read GRIEF"):
        ran = mesh(*line.split(), home=home)
        assert left(re.sub(r"\b[0-9a-f]{8}\b", "", ran.out)) == set(), line
        assert "phrases" not in mesh(*line.split(), "--json", home=home).out


def sentences(path: Path) -> Iterator[str]:
    """Give where a module of the node answers with words that are no phrase."""
    for node in ast.walk(ast.parse(path.read_text())):
        for key, value in zip(node.keys, node.values, strict=True) if isinstance(node, ast.Dict) else ():
            named = isinstance(key, ast.Constant) and key.value in {"what", "why", "do"}
            if named and isinstance(value, ast.Constant | ast.JoinedStr) and getattr(value, "value", "") is not None:
                yield f"{path.name}:{value.lineno}"


def test_what_the_node_says_is_a_phrase() -> None:
    methods = sorted((ROOT / "mesh" / "node" / "local" / "methods").glob("*.py"))
    assert len(methods) > 30
    assert [place for path in methods for place in sentences(path)] == []


def test_who_has_nothing_yet_is_told_what_to_do(home: Path) -> None:
    assert left(mesh(home=home / "none").out) == set()
    made = mesh("init", "--yes", home=home)
    values = re.compile(r"^ +[ \d]\d .*$|\b[0-9a-f]{4}\b", re.MULTILINE)  # the 24 words, and a fingerprint
    assert left(values.sub("", made.out), values.sub("", made.err)) == set()
    assert left(mesh("down", home=home).out) == set()
