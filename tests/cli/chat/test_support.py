"""Commands of the support layer within a conversation: group and message are filled in, and each goes to the node."""

from pathlib import Path

import pytest

from mesh.errors import LocalError
from mesh.node.local.protocol import JsonObject
from tests.cli.test_chat import FIRST, GID, OTHER, SECOND, chat, posts
from tests.cli.test_report import ENTRY, REPORT
from tests.cli.test_share import SHARE
from tests.node.local.fake_node import Reply

# What is typed in "Tuesday grief", where 1 and 2 are messages; the method, and what of it was left out or a number.
TYPED: list[tuple[str, str, JsonObject]] = [
    ("/report 1 --with 2 --note unkind --yes", "report", {"message": FIRST, "with": [SECOND], "note": "unkind"}),
    ("/sanction tansy quiet --for 1d --reason rest", "sanction", {"group": GID, "member": "tansy", "for_s": 86_400}),
    ("/sanction tansy fold 1 --reason hard", "sanction", {"group": GID, "message": FIRST, "step": "fold"}),
    ("/sanction Walks tansy lift", "sanction", {"group": "Walks", "member": "tansy", "step": "lift"}),
    ("/appeal --note please", "appeal", {"group": GID, "note": "please"}),
    ("/log", "log", {"group": GID}),
    ("/share ask 1 --for notes", "share.ask", {"message": FIRST, "purpose": "notes"}),
    ("/share grant", "share.grant", {"message": SECOND, "to": None}),
    ("/share refuse 1 --to juniper", "share.refuse", {"message": FIRST, "to": "juniper"}),
    ("/share withdraw #1", "share.withdraw", {"message": FIRST}),
    ("/hide 1", "own.hide", {"message": FIRST, "undo": False}),
    ("/block juniper", "own.person", {"group": GID, "member": "juniper", "blocked": True}),
    ("/mute juniper", "own.person", {"group": GID, "member": "juniper", "muted": True}),
    ("/pause --until 2h", "own.pace", {}),
    ("/reflect add rest", "reflect.add", {"text": "rest"}),
    ("/pin 1", "group.pin", {"group": GID, "message": FIRST, "remove": False}),
    ("/meeting show", "meeting.show", {"group": GID}),
    ("/milestone list", "milestone.list", {"group": GID}),
    ("/milestone add nights --since 2026-08-24", "milestone.add", {"group": GID, "text": "nights"}),
    ("/shelf list", "shelf.list", {"group": GID}),
    ("/circle show", "circle.show", {"group": GID}),
    ("/circle say hello", "circle.say", {"group": GID, "text": "hello"}),
    ("/circle pass", "circle.pass", {"group": GID}),
    ("/circle next", "circle.next", {"group": GID}),
    ("/listen offer", "listen.offer", {"group": GID}),
    ("/listen list", "listen.list", {}),
    ("/listen end", "listen.end", {}),
    ("/introduce ask juniper grief", "introduce.ask", {"group": GID, "member": "juniper", "text": "grief"}),
    ("/stewards", "stewards.list", {"group": GID}),
    ("/reports 77ab0e10", "reports.show", {"report": "77ab0e10"}),
    ("/message withdraw 1", "message.withdraw", {"message": FIRST}),
]


def test_each_goes_to_the_node_with_what_was_left_out(home: Path) -> None:
    """The node refuses each: that is said, and the conversation goes on to the next."""
    refusal = LocalError("not now", code="E-TEXT")
    table: dict[str, Reply] = {method.replace(".", "_"): refusal for _, method, _ in TYPED}
    ran, asked = chat(home, *(typed for typed, _, _ in TYPED), "still here", line=(), **table)
    left = list(asked)
    for typed, method, wanted in TYPED:
        found = next((params for name, params in left if name == method and wanted.items() <= params.items()), None)
        assert found is not None, f"{typed}: {[params for name, params in asked if name == method]}"
        left.remove((method, found))
    assert ran.err.count("Not now.") == len(TYPED)
    assert [one["text"] for one in posts(asked)] == ["still here"]


@pytest.mark.parametrize(
    ("typed", "method", "reply", "said"),
    [
        ("/reports", "reports.list", {"reports": [REPORT], "older": False}, "`mesh reports ID` shows one"),
        ("/log", "log", {"entries": [ENTRY], "older": False, "quiet": None}, "asked tansy to be quiet until"),
        ("/share ask 1", "share.ask", {"share": SHARE, "told": True}, "no answer yet"),
        ("/appeal", "appeal", {"appeal": REPORT, "told": False}, "Nobody has it yet."),
        ("/milestone list", "milestone.list", {"milestones": []}, "No milestones stand here."),
        ("/listen list", "listen.list", {"listeners": [], "talks": []}, ""),
        ("/shelf list", "shelf.list", {"resources": []}, "shelf"),
    ],
)
def test_what_it_gives_is_said_in_plain_lines(
    home: Path, typed: str, method: str, reply: JsonObject, said: str
) -> None:
    ran, _ = chat(home, typed, line=(), **{method.replace(".", "_"): reply})
    assert ran.code == 0
    assert said in ran.out + ran.err
    for drawn in ("\x1b", "│", "─", "Traceback"):
        assert drawn not in ran.out + ran.err


def test_in_no_group_nothing_is_sent_to_one(home: Path) -> None:
    elsewhere: JsonObject = {"groups": []}
    ran, asked = chat(home, "/appeal", "/circle say hello", group_list=elsewhere, group_show={"group": {"id": OTHER}})
    assert {params["group"] for method, params in asked if method in {"appeal", "circle.say"}} <= {OTHER}
    assert ran.code == 0
