"""Transcripts of groups."""

from pathlib import Path

import pytest

from cli.foresight import leave_lines, remove_lines
from mesh.errors import Exit, RefusedError
from mesh.node.local.protocol import JsonObject
from tests.cli.runner import PASSPHRASE, mesh
from tests.node.local.fake_node import FakeNode, fake_node

GID = "ab" * 32
GROUP: JsonObject = {
    "id": GID,
    "name": "Tuesday grief",
    "fingerprint_words": ["boil", "scale", "wisdom", "eight", "catalog", "dirt"],
    "epoch": 1,
    "suite": "pq",
}


def params(node: FakeNode, method: str) -> JsonObject:
    """What the method was asked with."""
    return dict(node.handler.asked)[method]


@pytest.mark.parametrize(
    "line",
    [
        ("group", "create", "Tuesday grief", "--alias", ""),
        ("join", "mesh1code", "--agree", "--alias", ""),
        ("talk", "Tuesday grief", "juniper", "--alias", " "),
    ],
)
def test_an_empty_alias_does_not_stand_for_the_name_that_is_kept_here(home: Path, line: tuple[str, ...]) -> None:
    with fake_node(home, {}) as node:
        ran = mesh(*line, home=home)
        assert (ran.code, node.handler.asked) == (2, [])
    assert "What was given with --alias is empty." in ran.err


def test_creating_a_group_hands_over_all_that_was_said(home: Path, tmp_path: Path) -> None:
    (tmp_path / "agreement.md").write_text("What is said here stays here.\n")
    with fake_node(home, {"group.create": {"group": GROUP}}) as node:
        line = ("--about", "Loss", "--topic", "a", "--topic", "b", "--agreement", str(tmp_path / "agreement.md"))
        more = ("--alias", "wren", "--history", "none", "--suite", "classic", "--approvals", "2")
        locked = ("--lock-mode", "listening")
        ran = mesh("group", "create", "Tuesday grief", *line, *more, *locked, home=home)
        assert params(node, "group.create") == {
            "name": "Tuesday grief",
            "about": "Loss",
            "topics": ["a", "b"],
            "agreement": "What is said here stays here.\n",
            "alias": "wren",
            "history": "none",
            "keep": None,
            "suite": "classic",
            "lock_mode": "listening",
            "approvals": 2,
            "passphrase": PASSPHRASE,
        }
    assert ran.out == (
        'You founded "Tuesday grief" (abababab).\n'
        "Its words, the same for every member: boil scale wisdom eight catalog dirt\n"
    )
    assert "invite new" in ran.err


def test_what_was_not_said_has_its_default(home: Path) -> None:
    with fake_node(home, {"group.create": {"group": GROUP}}) as node:
        ran = mesh("group", "create", "-", "--json", stdin="Tuesday grief\n", home=home)
        asked = params(node, "group.create")
    assert ran.json == {"schema": 1, "group": GROUP}
    assert asked["name"] == "Tuesday grief"
    assert (asked["alias"], asked["keep"], asked["approvals"]) == (None, None, None)
    assert (asked["history"], asked["suite"], asked["topics"]) == ("none", "pq", [])


def test_an_agreement_that_cannot_be_read_is_said(home: Path, tmp_path: Path) -> None:
    with fake_node(home):
        ran = mesh("group", "create", "g", "--agreement", str(tmp_path / "nothing.md"), home=home)
    assert ran.code == Exit.USAGE
    assert "E-FILE" in ran.err


def test_groups_are_listed_one_a_line(home: Path) -> None:
    group: JsonObject = {**GROUP, "members": 5, "unread": 2, "complete": False}
    with fake_node(home, {"group.list": {"groups": [group]}}):
        out = mesh("group", "list", home=home).out
    assert out == (
        "Groups\nname: Tuesday grief; members: 5; unread: 2; id: abababab; note: not all members can read yet\n"
    )


def test_no_group_is_said(home: Path) -> None:
    with fake_node(home, {"group.list": {"groups": []}}):
        assert mesh("group", "list", home=home).out == "You are in no group yet.\n"


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("left", "you left it"),
        ("cut-off", "you may have been removed"),
        ("told-out", "others say that you are not in this group any more"),
        ("keyless", "has a new key that was not given to this device"),
    ],
)
def test_a_group_that_one_is_out_of_is_marked(home: Path, state: str, words: str) -> None:
    group: JsonObject = {**GROUP, "members": 5, "unread": 0, "state": state}
    with fake_node(home, {"group.list": {"groups": [group]}, "group.show": {"group": group}}):
        assert words in mesh("group", "list", home=home).out
        (line,) = [line for line in mesh("group", "show", "g", home=home).out.splitlines() if line.startswith("now:")]
        assert words in line


def test_a_group_is_shown(home: Path) -> None:
    group: JsonObject = {**GROUP, "members": 5, "unread": 0, "alias": "wren", "rank": "founder", "keep": 604_800}
    with fake_node(home, {"group.show": {"group": group}}):
        out = mesh("group", "show", "grief", home=home).out
    assert "name: Tuesday grief\n" in out
    assert "you: wren · founder\n" in out
    assert "kept for: 7 days\n" in out


def test_a_group_shows_who_knows_of_the_last_removal(home: Path) -> None:
    removal: JsonObject = {"id": "cd" * 32, "member": {"id": "02" * 32, "alias": "hazel"}, "seen_by": 7, "members": 12}
    with fake_node(home, {"group.show": {"group": {**GROUP, "removal": removal, "state_hash": "3f" * 32}}}):
        out = mesh("group", "show", "grief", home=home).out
    assert "last removal: hazel, seen by 7 of 12 others\n" in out
    assert "state hash: 3f3f 3f3f 3f3f 3f3f\n" in out


def test_members_say_when_they_were_heard_of_and_who_has_not_heard_of_a_removal(home: Path) -> None:
    base: JsonObject = {"rank": "member", "since": None, "state": "away", "invited_by": None}
    members: list[JsonObject] = [
        {**base, "id": "01" * 32, "alias": "wren", "last_heard": "2020-11-22T14:05:00Z", "seen_removal": True},
        {**base, "id": "02" * 32, "alias": "juniper", "last_heard": None, "seen_removal": False},
    ]
    with fake_node(home, {"group.members": {"members": list(members)}}):
        out = mesh("group", "members", "grief", home=home).out
    assert out.splitlines() == [
        "alias: wren; rank: member; state: away; last heard: 22 Nov 2020 14:05; id: 01010101",
        (
            "alias: juniper; rank: member; state: away; "
            "note: has not heard yet of everybody, or every device, that is out; id: 02020202"
        ),
    ]


def test_members_are_listed_with_who_invited_them(home: Path) -> None:
    members: list[JsonObject] = [
        {"id": "01" * 32, "alias": "wren", "rank": "founder", "since": None, "state": "you", "invited_by": None},
        {
            "id": "02" * 32,
            "alias": "juniper",
            "rank": "newcomer",
            "since": "2020-11-22T14:05:00Z",
            "state": "linked",
            "invited_by": {"id": "01" * 32, "alias": "wren"},
        },
    ]
    with fake_node(home, {"group.members": {"members": list(members)}}):
        out = mesh("group", "members", "grief", home=home).out
    assert out.splitlines() == [
        "alias: wren; rank: founder; state: you; id: 01010101",
        "alias: juniper; rank: newcomer; since: 22 Nov 2020 14:05; state: linked; invited by: wren; id: 02020202",
    ]


def test_who_is_out_is_listed_with_the_reason(home: Path) -> None:
    departed: JsonObject = {"id": "03" * 32, "alias": "tansy", "state": "removed", "by": {"id": "01", "alias": "wren"}}
    with fake_node(home, {"group.members": {"members": [], "departed": [{**departed, "reason": "as agreed"}]}}):
        out = mesh("group", "members", "grief", home=home).out
    assert out == "No longer in\nalias: tansy; state: removed; by: wren; reason: as agreed; id: 03030303\n"


def test_leaving_asks_first_and_needs_a_yes_without_a_terminal(home: Path) -> None:
    would: JsonObject = {"group": GROUP, "only_founder": True}
    told: JsonObject = {"left": {"id": GID}, "wiped": True, "told": True}
    with fake_node(home, {"group.leave": told, "group.leave.check": would}) as node:
        refused = mesh("group", "leave", "grief", home=home)
        assert "group.leave" not in dict(node.handler.asked)
        left = mesh("group", "leave", "grief", "--wipe", "--yes", home=home)
        assert params(node, "group.leave") == {
            "group": "grief",
            "wipe": True,
            "now": False,
            "passphrase": PASSPHRASE,
        }
    assert (refused.code, left.code) == (Exit.USAGE, 0)
    assert "--yes" in refused.err
    assert "You are its only founder" in refused.err
    assert left.out.splitlines() == [
        "You left the group. What was stored of it here is deleted.",
        "A member's node has heard of it: what you said goes from it, and from each that hears of it.",
    ]


def test_what_stays_after_a_wipe_is_said(home: Path) -> None:
    with fake_node(home, {"group.leave": {"left": {"id": GID}, "wiped": False}}):
        wiped = mesh("group", "leave", "grief", "--wipe", "--yes", home=home)
        left = mesh("group", "leave", "grief", "--yes", home=home)
    assert "the keys of the group stay until a member's node has heard that you left" in wiped.out
    assert "Until then what you said stays with the others too." in wiped.out
    assert (wiped.code, left.code) == (Exit.QUEUED, 0)
    assert left.out == "You left the group. What was said stays here to be read; `--wipe` deletes it.\n"


def test_a_wipe_that_waits_for_nobody_says_what_that_means(home: Path) -> None:
    with fake_node(home, {"group.leave": {"left": {"id": GID}, "wiped": True, "told": False}}) as node:
        ran = mesh("group", "leave", "grief", "--wipe", "--now", "--yes", home=home)
        assert params(node, "group.leave")["now"] is True
    assert ran.code == 0
    assert "may stay with the others" in ran.out
    alone = mesh("group", "leave", "grief", "--now", "--yes", home=home)
    assert (alone.code, "--now goes with --wipe." in alone.err) == (Exit.USAGE, True)


def test_a_second_group_of_a_name_is_warned_of_and_goes_by_its_id(home: Path) -> None:
    told: dict[str, JsonObject] = {
        "group.list": {"groups": [GROUP]},
        "group.create": {"group": {**GROUP, "id": "cd" * 32}},
    }
    with fake_node(home, told):
        ran = mesh("group", "create", "tuesday Grief", home=home)
    assert 'You are in a group called "tuesday Grief" already (abababab).' in ran.err
    assert "`mesh invite new cdcdcdcd`" in ran.err
    with fake_node(home, {**told, "group.list": {"groups": [{**GROUP, "state": "left"}]}}):
        left = mesh("group", "create", "Tuesday grief", home=home)
    assert "type abababab for it" in left.err
    assert '`mesh invite new "Tuesday grief"`' in left.err


def test_a_group_without_a_name_is_refused_before_anything_is_asked(home: Path) -> None:
    with fake_node(home) as node:
        ran = mesh("group", "create", " ", home=home)
        assert node.handler.asked == []
    assert ran.code == Exit.USAGE
    assert "name is empty" in ran.err


def test_two_of_one_alias_are_told_apart_by_id(home: Path) -> None:
    wren: JsonObject = {"id": "01" * 32, "alias": "wren", "alike": True, "rank": "member", "state": "away"}
    other: JsonObject = {**wren, "id": "02" * 32, "alias": "Wren", "invited_by": wren}
    with fake_node(home, {"group.members": {"members": [wren, other], "departed": []}}):
        out = mesh("group", "members", "grief", home=home).out
    assert [line.split("; ")[0] for line in out.splitlines()] == ["alias: wren (010101)", "alias: Wren (020202)"]
    assert "invited by: wren (010101)" in out


def test_how_long_is_kept_is_said_as_a_time_and_set_in_hours(home: Path) -> None:
    answer: JsonObject = {"setting": {"key": "keep", "value": "720"}, "group": GROUP}
    with fake_node(home, {"group.set": answer}) as node:
        assert mesh("group", "set", "g", "keep", "30d", "--yes", home=home).out == "keep is now 30d.\n"
        assert mesh("group", "set", "g", "keep", "90m", "--yes", home=home).code == Exit.USAGE
        mesh("group", "set", "g", "keep", "0", home=home)
        assert [asked["value"] for _, asked in node.handler.asked] == ["720", "0"]
        assert mesh("group", "set", "g", "keep", "long", home=home).code == Exit.USAGE


def test_what_goes_from_all_nodes_for_good_goes_by_no_command_that_was_not_confirmed(home: Path) -> None:
    with fake_node(home, {"group.set": {"setting": {"key": "keep", "value": "1"}, "group": GROUP}}) as node:
        ran = mesh("group", "set", "g", "keep", "1h", home=home)
        assert node.handler.asked == []
    assert ran.code == Exit.USAGE
    assert "What is older than 1 hour goes from every member's node, for good." in ran.err
    assert "--yes" in ran.err


def test_a_group_shows_what_was_set_in_it(home: Path) -> None:
    settings: JsonObject = {"approvals": "2", "members-invite": "on", "receipts": "off", "beacons": "on"}
    usual: JsonObject = {"receipts": "on", "beacons": "on", "invite-address": "off"}
    with fake_node(home, {"group.show": {"group": {**GROUP, "settings": settings}}}):
        out = mesh("group", "show", "g", home=home).out
    assert "codes: of more than one use ask for 2 approvals; plain members make them too\n" in out
    assert "your own choice: receipts off\n" in out
    with fake_node(home, {"group.show": {"group": {**GROUP, "settings": usual}}}):
        plain = mesh("group", "show", "g", home=home).out
    assert not {line.partition(":")[0] for line in plain.splitlines()} & {"codes", "your own choice"}


def test_removing_says_how_many_have_seen_it(home: Path) -> None:
    with fake_node(home, {"group.remove": {"removed": {"id": "02"}, "seen_by": 3, "members": 5}}) as node:
        ran = mesh("group", "remove", "grief", "tansy", "--reason", "harm", "--yes", home=home)
        assert params(node, "group.remove") == {"group": "grief", "member": "tansy", "reason": "harm"}
    assert ran.out == "Removed. 3 of 5 have seen it; whoever has sends them nothing more.\n"


def test_removing_says_which_codes_it_closed(home: Path) -> None:
    closed: JsonObject = {"invites_closed": [{"id": "cd" * 32, "note": "for A."}, {"id": "ef" * 32, "note": ""}]}
    with fake_node(home, {"group.remove": {"removed": {"id": "02"}, "seen_by": 1, "members": 2, **closed}}):
        out = mesh("group", "remove", "grief", "tansy", "--yes", home=home).out
    assert "2 open invite codes are closed with it: cdcdcdcd (for A.), efefefef.\n" in out


def test_what_cannot_be_removed_is_said_before_it_is_asked(home: Path) -> None:
    refused = RefusedError("you cannot remove wren: their rank is founder, and yours is member")
    with fake_node(home, {"group.remove.check": refused}) as node:
        ran = mesh("group", "remove", "grief", "wren", home=home)
        assert "group.remove" not in dict(node.handler.asked)
    assert ran.code == Exit.REFUSED
    assert ran.err.startswith("You cannot remove wren")


def test_what_follows_from_a_removal_comes_before_the_question() -> None:
    tansy: JsonObject = {"id": "02" * 32, "alias": "tansy", "alike": True}
    assert remove_lines({"group": GROUP, "member": tansy, "invites_open": 2}) == [
        "2 open invite codes close with it, as far as your rank may close them.",
        'Remove tansy (020202) from "Tuesday grief"?',
    ]
    assert remove_lines({"group": GROUP, "member": {"id": "02", "alias": "tansy"}, "invites_open": 0}) == [
        'Remove tansy from "Tuesday grief"?'
    ]


NEVER_TOLD = "These are never told that you left; they list you on, and keep what you said: tansy, rowan."


def test_a_leave_that_nobody_heard_of_is_wiped_only_with_now_and_the_question_says_who_is_not_told() -> None:
    left: JsonObject = {
        "group": {**GROUP, "alias": "", "state": "left"},
        "others": ["tansy", "rowan"],
        "unheard": True,
        "wiped": True,
    }
    assert leave_lines(left, wipe=True, now=True) == [
        'You left "Tuesday grief" (abababab), and nobody there is known to have heard of it yet.',
        NEVER_TOLD,
        "Without --now your node goes on trying to tell them, for as long as it runs.",
        "Delete the rest now, and tell nobody?",
    ]
    assert leave_lines(left, wipe=True) == [], "nothing would change"
    assert leave_lines({**left, "wiped": False}, wipe=True)[1:] == [
        "What it takes to tell them stays until one of them has: tansy, rowan.",
        "Delete all else that is stored here of it?",
    ]
    many: JsonObject = {**left, "others": [f"m{k}" for k in range(20)]}
    assert leave_lines(many, wipe=True, now=True)[1].endswith("m10, m11 and 8 more.")


def test_the_question_of_leaving_names_the_group_and_the_alias() -> None:
    here: JsonObject = {**GROUP, "alias": "wren", "state": "member"}
    assert leave_lines({"group": here}, wipe=True) == [
        "What was said in it is deleted here for good.",
        "What you said goes from others' nodes too, as each hears of it. Copies that people made stay.",
        'Leave "Tuesday grief" (abababab), where you are wren?',
    ]
    away: JsonObject = {"group": here, "others": ["tansy", "rowan"], "reachable": False}
    assert leave_lines(away, wipe=True, now=True)[2] == NEVER_TOLD
    assert NEVER_TOLD not in leave_lines({**away, "reachable": True}, wipe=True, now=True)
    assert leave_lines({"group": {**here, "state": "left"}}, wipe=True) == [
        'Delete all that is stored here of "Tuesday grief" (abababab), which you are out of?'
    ]


@pytest.mark.parametrize(
    ("line", "method", "asked"),
    [
        (("rank", "g", "sorrel", "moderator"), "group.rank", {"group": "g", "member": "sorrel", "rank": "moderator"}),
        (("rekey", "g"), "group.rekey", {"group": "g"}),
        (("set", "g", "history", "none"), "group.set", {"group": "g", "key": "history", "value": "none"}),
    ],
)
def test_what_a_steward_does_is_handed_over(home: Path, line: tuple[str, ...], method: str, asked: JsonObject) -> None:
    with fake_node(home, {method: {}}) as node:
        ran = mesh("group", *line, home=home)
        assert node.handler.asked == [(method, asked)]
    assert ran.code == 0
    assert ran.out


def test_a_newcomer_is_held_back_and_it_is_said_who_was_told(home: Path) -> None:
    member: JsonObject = {"id": "ab" * 32, "alias": "tansy", "rank": "newcomer"}
    with fake_node(home, {"group.hold": {"member": member, "told": True}}) as node:
        ran = mesh("group", "hold", "g", "tansy", home=home)
        assert node.handler.asked == [("group.hold", {"group": "g", "member": "tansy", "release": False})]
    assert (ran.code, ran.out) == (0, "tansy stays a newcomer as long as you object.\n")
    with fake_node(home, {"group.hold": {"member": member, "told": False}}):
        ran = mesh("group", "hold", "g", "tansy", "--release", home=home)
    assert ran.code == 4
    assert ran.out.startswith("You no longer hold tansy back.\nNobody is there to be told")


def test_a_newcomer_s_time_and_who_holds_them_stand_beside_their_rank(home: Path) -> None:
    shown: list[JsonObject] = [
        {"id": "ab" * 32, "alias": "tansy", "rank": "newcomer", "newcomer_until": "2020-11-25T19:00:00Z"},
        {"id": "cd" * 32, "alias": "dill", "rank": "newcomer", "held_by": [{"id": "ef" * 32, "alias": "olive"}]},
    ]
    with fake_node(home, {"group.members": {"members": list(shown)}}):
        out = mesh("group", "members", "g", home=home).out
    assert "newcomer until about 25 Nov 2020 19:00" in out
    assert "newcomer, held by olive" in out


def test_an_agreement_is_shown_and_edited(home: Path, tmp_path: Path) -> None:
    told: JsonObject = {"agreement": {"version": 3, "text": "Be kind.\nStay."}}
    with fake_node(home, {"group.agreement": told}) as node:
        shown = mesh("group", "agreement", "show", "g", home=home)
        edited = mesh("group", "agreement", "edit", "g", "-", stdin="Be kinder.\n", home=home)
        asked = [params["action"] for _, params in node.handler.asked]
        texts = [params["text"] for _, params in node.handler.asked]
    assert shown.out == "Agreement, version 3:\n    Be kind.\n    Stay.\n"
    assert edited.out == "Version 3 of the agreement is published.\n"
    assert "asked anew" in edited.err
    assert (asked, texts) == (["show", "edit"], [None, "Be kinder."])
    with fake_node(home, {"group.agreement": {**told, "changed": False}}):
        same = mesh("group", "agreement", "edit", "g", "-", stdin="Be kind.\nStay.\n", home=home)
    assert (same.out, same.err) == ("Nothing changed: version 3 of the agreement says just that.\n", "")


def test_what_newcomers_see_is_said_in_words(home: Path) -> None:
    answers: dict[str, JsonObject] = {
        "group.show": {"group": {"name": "grief", "history": "last:20"}},
        "group.set": {"setting": {"key": "history", "value": "days:7"}},
    }
    with fake_node(home, answers):
        assert "newcomers see: the last 20 messages" in mesh("group", "show", "grief", home=home).out
        ran = mesh("group", "set", "grief", "history", "days:7", home=home)
    assert ran.err == "From now on newcomers see what was said in the last 7 days before they came.\n"


def test_only_one_member_s_word_is_shown_and_can_be_taken(home: Path) -> None:
    held: JsonObject = {
        "name": "grief",
        "members": 4,
        "confirmed": False,
        "welcomed_by": {"id": "01", "alias": "sorrel"},
    }
    why = "nobody but sorrel has confirmed who is in this group"
    message: JsonObject = {"id": "3fa9c1d2" + "0" * 24, "state": "queued", "why": why}
    answers: dict[str, JsonObject] = {
        "group.show": {"group": held},
        "group.confirm": {"group": {**held, "confirmed": True}},
        "post": {"message": message},
    }
    with fake_node(home, answers) as node:
        assert "confirmed: no: only sorrel has said who is in it" in mesh("group", "show", "grief", home=home).out
        posted = mesh("post", "grief", "Words.", home=home)
        ran = mesh("group", "confirm", "grief", home=home)
        assert node.handler.asked[-1] == ("group.confirm", {"group": "grief"})
    assert posted.code == Exit.QUEUED
    assert "Nobody but sorrel has confirmed who is in this group." in posted.err
    assert "mesh group confirm" in posted.err
    assert ran.out == "The group counts as confirmed. What you post goes out.\n"


def test_a_removal_says_whom_else_to_look_at(home: Path) -> None:
    told: JsonObject = {"seen_by": 1, "members": 2, "let_in": [{"id": "ab" * 32, "alias": "dill"}]}
    with fake_node(home, {"group.remove": told}):
        out = mesh("--yes", "group", "remove", "g", "tansy", home=home).out
    assert "Also review the 1 person they invited: dill." in out
