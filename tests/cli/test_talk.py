"""Transcripts of posting and reading: what is said to whom, and what never is."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from cli.render import expiry_words
from mesh.errors import Exit, LocalError, MeshError, RefusedError
from mesh.node.local.protocol import JsonObject
from tests.cli.runner import mesh
from tests.node.local.fake_node import fake_node

ID = "3fa9c1d2" + "0" * 24
GROUP: JsonObject = {"id": "ab" * 32, "name": "Tuesday grief", "members": 12, "history": "none", "keep": "30 days"}
SENT: JsonObject = {
    "id": ID,
    "group": "ab" * 32,
    "state": "sent",
    "reached": 4,
    "of": 10,
    "held_by": [{"id": "01", "alias": "pi-kitchen"}, {"id": "02", "alias": "juniper"}],
}
_RAN_OUT = "its time ran out; nodes that keep to the rules have forgotten it"
QUEUED: JsonObject = {**SENT, "state": "queued", "reached": 0, "held_by": []}


def message(**changes: object) -> JsonObject:
    told: JsonObject = {
        "id": ID,
        "author": {"id": "01" * 32, "alias": "juniper"},
        "text": "First birthday without her.",
        "mode": "listening",
        "cw": "",
        "at": "2020-11-22T14:05:00Z",
        "reply_to": None,
        "state": "received",
        "files": [],
    }
    return told | changes  # type: ignore[return-value] # tests put in what an answer may hold


# ---------------------------------------------------------------- post


def test_who_waits_to_be_let_in_is_told_so_and_not_that_there_is_no_group(home: Path) -> None:
    missing = LocalError("there is no group “Tuesday grief” here", code="E-NO-GROUP")
    join: JsonObject = {"id": "cd" * 16, "state": "knocking", "group": {"id": "ab" * 32, "name": "Tuesday grief"}}
    with fake_node(home, {"group.show": missing, "join.list": {"joins": [join]}}) as node:
        ran = mesh("post", "tuesday grief", "Words.", home=home)
        other = mesh("post", "another", "Words.", home=home)
        assert "post" not in dict(node.handler.asked)
    assert ran.code == Exit.REFUSED
    assert 'You are not in "Tuesday grief" yet: knocking until' in ran.err
    assert "E-NO-GROUP" in other.err


def test_a_post_says_who_can_see_it_and_how_far_it_came(home: Path) -> None:
    with fake_node(home, {"group.show": {"group": GROUP}, "post": {"message": SENT}}) as node:
        line = ("post", "Tuesday grief", "--mode", "listening", "--cw", "loss of a child", "Words.", "--topics", "a, b")
        ran = mesh(*line, "--reply-to", "abcdef", "--wait", "1m", home=home)
        asked = dict(node.handler.asked)["post"]
    assert ran.err == "Seen by at most 11 people; kept 30 days; who comes in after it was sent does not see it.\n"
    assert ran.out == "sent · pi-kitchen, juniper say they have it · reached 4 of 10 · 3fa9c1d2\n"
    assert ran.code == 0
    assert asked == {
        "group": "Tuesday grief",
        "text": "Words.",
        "mode": "listening",
        "cw": "loss of a child",
        "topics": ["a", "b"],
        "reply_to": "abcdef",
        "quote": None,
        "no_history": False,
        "may_leave": False,
        "expires_s": None,
        "wait_s": 60,
    }


def test_a_post_that_nobody_takes_yet_ends_with_4_and_says_that_it_waits(home: Path) -> None:
    with fake_node(home, {"group.show": {"group": GROUP}, "post": {"message": QUEUED}}):
        said, told = mesh("post", "g", "Words.", home=home), mesh("post", "g", "Words.", "--json", home=home)
    assert (said.code, told.code) == (Exit.QUEUED, Exit.QUEUED)
    assert said.out == "queued · 3fa9c1d2\n"
    assert "goes out by itself" in said.err
    assert told.json == {"schema": 1, "message": QUEUED}


@pytest.mark.parametrize("state", ["left", "removed"])
def test_who_is_out_is_told_before_a_text_is_asked_for(home: Path, state: str) -> None:
    with fake_node(home, {"group.show": {"group": {**GROUP, "state": state}}}) as node:
        ran = mesh("post", "g", home=home)
        assert "post" not in dict(node.handler.asked)
    assert ran.code == Exit.REFUSED
    assert "E-NOT-MEMBER" in ran.err
    assert "Seen by" not in ran.err


def test_who_is_cut_off_is_warned(home: Path) -> None:
    with fake_node(home, {"group.show": {"group": {**GROUP, "state": "cut-off"}}, "post": {"message": QUEUED}}):
        err = mesh("post", "g", "Words.", home=home).err
    assert 'Take care with "Tuesday grief". You may have been removed' in err
    assert "Seen by" not in err
    assert err.splitlines()[-1].startswith("Nobody has taken it: you may have been removed.")
    assert "goes out by itself" not in err


def test_what_is_not_sealed_yet_says_that_it_waits_too(home: Path) -> None:
    unsealed: JsonObject = {**QUEUED, "of": 0, "why": "it waits; whoever is in the group when it goes out can read it"}
    with fake_node(home, {"group.show": {"group": GROUP}, "post": {"message": unsealed}}):
        waits = mesh("post", "g", "Words.", home=home).err
    assert waits.splitlines()[1:] == [
        "Nobody has taken it yet. It goes out by itself as soon as a member's node is reachable.",
        "It waits; whoever is in the group when it goes out can read it.",
    ]
    with fake_node(home, {"group.show": {"group": {**GROUP, "keepers": 1}}, "post": {"message": unsealed}}):
        assert "as soon as a member's node or a keeper is reachable." in mesh("post", "g", "Words.", home=home).err
    with fake_node(home, {"group.show": {"group": {**GROUP, "members": 1}}, "post": {"message": unsealed}}):
        alone = mesh("post", "g", "Words.", home=home).err
    assert alone.splitlines()[1:] == ["It waits; whoever is in the group when it goes out can read it."]


def test_a_text_that_is_refused_is_not_said_to_be_seen_by_anybody(home: Path) -> None:
    too_long = LocalError("the message is 40000 bytes long; 32768 is the limit", code="E-TOO-LONG")
    with fake_node(home, {"group.show": {"group": GROUP}, "post": too_long}):
        ran = mesh("post", "g", "Words.", home=home)
    assert ran.err.startswith("The message is 40000 bytes long")


def test_an_answer_to_nothing_is_refused_before_a_text_is_asked_for(home: Path) -> None:
    unknown = LocalError("there is no such message", code="E-NO-MESSAGE")
    with fake_node(home, {"group.show": {"group": GROUP}, "message.show": unknown}):
        ran = mesh("post", "g", "--reply-to", "abcdef", home=home)
    assert ran.code == Exit.USAGE
    assert "E-NO-MESSAGE" in ran.err


def test_what_only_looks_like_white_space_is_not_posted(home: Path) -> None:
    with fake_node(home, {"group.show": {"group": GROUP}}) as node:
        ran = mesh("post", "g", " \n ", home=home)
        assert "post" not in dict(node.handler.asked)
    assert ran.code == Exit.USAGE


def test_the_audience_is_not_a_reason_to_fail(home: Path) -> None:
    with fake_node(home, {"group.show": MeshError("no"), "post": {"message": SENT}}):
        assert mesh("post", "g", "Words.", home=home).code == 0


def test_a_group_that_is_not_here_is_found_out_before_the_text_is_typed(home: Path) -> None:
    unknown = LocalError("no such group", code="E-NO-GROUP", candidates=("Tuesday grief",))
    with fake_node(home, {"group.show": unknown}) as node:
        ran = mesh("post", "g", home=home)
        assert [method for method, _ in node.handler.asked] == ["group.show", "join.list"]
    assert ran.code == Exit.USAGE
    assert "Tuesday grief" in ran.err


# ---------------------------------------------------------------- read


def test_messages_are_read_oldest_first_with_who_when_and_how(home: Path) -> None:
    page: JsonObject = {
        "messages": [
            message(),
            message(cw="loss", text=None, id="44" * 16),
            message(reply_to=ID, text="Two\nlines"),
            message(text=None, why="this kind of message needs a newer version", id="55" * 16),
        ],
        "gaps": [{"author": {"id": "02", "alias": "sorrel"}, "missing": 3, "asking": 4}],
        "catching_up": {"got": 3200, "of": 20_000},
    }
    with fake_node(home, {"read": page}) as node:
        ran = mesh("read", "g", "--since", "abcdef", "--limit", "9", "--unread", "--open", "444444", home=home)
        asked = dict(node.handler.asked)["read"]
    assert asked == {"group": "g", "since": "abcdef", "limit": 9, "unread": True, "open": "444444"}
    assert ran.out.splitlines() == [
        "juniper · 22 Nov 2020 14:05 · listening · 3fa9c1d2",
        "    First birthday without her.",
        "",
        "juniper · 22 Nov 2020 14:05 · listening · warning: loss · 44444444",
        "    (closed; --open 44444444 opens it)",
        "",
        "juniper · 22 Nov 2020 14:05 · listening · in reply to 3fa9c1d2 · 3fa9c1d2",
        "    Two",
        "    lines",
        "",
        "juniper · 22 Nov 2020 14:05 · listening · 55555555",
        "    (this kind of message needs a newer version)",
        "[3 messages from sorrel are missing; asking 4 members]",
        "[catching up: 3,200 of 20,000 messages]",
    ]


def test_topics_are_shown_and_what_still_waits_is_marked(home: Path) -> None:
    page: JsonObject = {"messages": [message(topics=["a", "b"], state="queued")], "gaps": []}
    with fake_node(home, {"read": page}):
        head = mesh("read", "g", home=home).out.splitlines()[0]
    assert head.split(" · ")[2:] == [
        "listening",
        "topics: a, b",
        "waiting: no other node says yet that it has it",
        "3fa9c1d2",
    ]


def test_an_author_who_may_be_taken_for_another_bears_an_id(home: Path) -> None:
    page: JsonObject = {"messages": [message(author={"id": "4a1f09" + "0" * 58, "alias": "wren", "alike": True})]}
    with fake_node(home, {"read": page}):
        assert mesh("read", "g", home=home).out.startswith("wren (4a1f09) · ")


def test_a_closed_warning_has_null_as_text_in_json(home: Path) -> None:
    page: JsonObject = {"messages": [message(cw="loss", text=None)], "gaps": []}
    with fake_node(home, {"read": page}):
        assert mesh("read", "g", "--json", home=home).json == {"schema": 1, **page}


def test_what_others_wrote_cannot_drive_the_terminal(home: Path) -> None:
    hostile = "\x1b]0;owned\x07\x9b2J\u202ereversed\r\nsorrel · 14:06 · listening · 00000000\n    forged"
    shown = message(text=hostile, cw=hostile, mode=hostile, author={"alias": hostile, "id": "00"})
    with fake_node(home, {"read": {"messages": [shown], "gaps": []}}):
        said, told = mesh("read", "g", home=home), mesh("read", "g", "--json", home=home)
    for out in (said.out, told.out):
        assert not {"\x1b", "\x07", "\x9b", "\u202e", "\r"} & set(out)
    head, *body = said.out.splitlines()
    assert head.endswith(" · 3fa9c1d2")
    assert all(line.startswith("    ") for line in body)
    assert told.out.count("\n") == 1


def test_an_empty_group_says_so(home: Path) -> None:
    with fake_node(home, {"read": {"messages": [], "gaps": []}}):
        assert mesh("read", "g", home=home).out == "There is nothing to read here.\n"


def test_following_begins_with_the_pins_and_tells_what_members_state(home: Path) -> None:
    events: list[JsonObject] = [
        {"event": "following", "group": "ab" * 32},
        {"event": "support", "group": "ab" * 32, "form": "meeting"},
    ]
    pin: JsonObject = {"id": ID, "by": {"id": "02" * 32, "alias": "wren"}, "at": "2020-11-22T14:05:00Z"}
    told: JsonObject = {"messages": [], "gaps": [], "pins": [{**pin, "message": message()}]}
    with fake_node(home, {"read": told}, {"read.follow": events}):
        said, shown = mesh("read", "g", "--follow", home=home), mesh("read", "g", "--follow", "--json", home=home)
    assert said.out.splitlines()[0].startswith("pinned by wren")
    assert "[Group abababab: when it meets was set or changed]" in said.out
    assert [one["event"] for one in shown.lines if "pins" in one or "form" in one] == ["pins", "support"]


def test_following_shows_the_page_then_what_comes_and_nothing_twice(home: Path) -> None:
    late: JsonObject = {"event": "message", "group": "ab" * 32, "message": message(id="66" * 16, text="Late.")}
    events: list[JsonObject] = [
        {"event": "following", "group": "ab" * 32},
        {"event": "message", "group": "ab" * 32, "message": message()},
        late,
        {"event": "state", "group": "ab" * 32, "message": SENT},
    ]
    with fake_node(home, {"read": {"messages": [message()], "gaps": []}}, {"read.follow": events}):
        said, told = mesh("read", "g", "--follow", home=home), mesh("read", "g", "--follow", "--json", home=home)
    assert said.out.count("First birthday") == 1
    assert said.out.index("First birthday") < said.out.index("Late.")
    assert "reached 4 of 10" in said.out
    assert [event["event"] for event in told.lines] == ["message", "message", "state"]
    assert told.lines[1] == {"schema": 1, **late}
    assert {event["group"] for event in told.lines} == {"ab" * 32}, "each line names the group"


# ---------------------------------------------------------------- outbox, message


def test_the_outbox_says_what_waits_for_whom_and_why(home: Path) -> None:
    waiting: JsonObject = {
        "id": ID,
        "group": {"id": "ab" * 32, "name": "Tuesday grief"},
        "state": "queued",
        "waiting_for": ["juniper", {"id": "02", "alias": "sorrel"}],
        "why": "nobody is reachable",
    }
    with fake_node(home, {"outbox": {"outbox": [waiting]}}):
        ran = mesh("outbox", home=home)
    assert ran.out == (
        "id: 3fa9c1d2; group: Tuesday grief; state: queued; waiting for: juniper, sorrel; why: nobody is reachable\n"
    )


def test_an_empty_outbox_says_so(home: Path) -> None:
    with fake_node(home, {"outbox": {"outbox": []}}):
        assert mesh("outbox", home=home).out == "Nothing waits.\n"
        assert mesh("outbox", "--json", home=home).json == {"schema": 1, "outbox": []}


def test_a_message_is_shown_with_what_became_of_it(home: Path) -> None:
    with fake_node(home, {"message.show": {"message": message(**{**SENT, "author": {"alias": "wren"}})}}) as node:
        ran = mesh("message", "show", "3fa9c1", home=home)
        assert node.handler.asked == [("message.show", {"message": "3fa9c1"})]
    assert ran.out.splitlines()[0].startswith("wren · ")
    assert ran.out.splitlines()[2] == "sent · pi-kitchen, juniper say they have it · reached 4 of 10"


def test_of_ones_own_message_all_that_is_known_is_shown(home: Path) -> None:
    known: JsonObject = {
        **SENT,
        "held_by": [{"id": "02", "alias": "juniper", "at": "2020-11-22T14:05:01Z"}],
        "reached_by": [{"id": "03", "alias": "sorrel"}],
        "receipts_off": [{"id": "04", "alias": "tansy"}],
        "waiting_for": [{"id": "02", "alias": "juniper"}],
        "why": "they have not confirmed it yet",
    }
    with fake_node(home, {"message.show": {"message": message(**known)}}):
        lines = mesh("message", "show", "3fa9c1", home=home).out.splitlines()
    assert lines[2:4] == ["    (they have not confirmed it yet)", "sent · juniper says it has it · reached 4 of 10"]
    assert lines[4].startswith("    juniper's node said at ")
    assert lines[4].endswith(" that it stored it")
    assert lines[5:] == [
        "    confirmed under seal: sorrel",
        "    give no receipts, whether they have it or not: tansy",
        "    not confirmed yet: juniper",
    ]


@pytest.mark.parametrize(
    ("members", "history", "keep", "said"),
    [
        (1, "none", None, "Nobody else is in this group now; who comes in after it was sent does not see it.\n"),
        (2, "last:20", 604_800, "Seen by at most 1 person; kept 7 days; newcomers see the last 20 messages.\n"),
        (
            3,
            "days:1",
            None,
            "Seen by at most 2 people; newcomers see what was said in the last day before they came.\n",
        ),
        (3, "of later", None, "Seen by at most 2 people; newcomers see some of what was said.\n"),
        (0, "", None, ""),
    ],
)
def test_the_audience_is_said_truthfully(home: Path, members: int, history: str, keep: int | None, said: str) -> None:
    group: JsonObject = {"members": members, "history": history, "keep": keep}
    with fake_node(home, {"group.show": {"group": group}, "post": {"message": SENT}}):
        assert mesh("post", "g", "Words.", home=home).err == said


def test_a_post_that_is_kept_from_newcomers_says_so(home: Path) -> None:
    group: JsonObject = {"members": 3, "history": "last:20", "keep": None}
    with fake_node(home, {"group.show": {"group": group}, "post": {"message": SENT}}) as node:
        ran = mesh("post", "g", "Words.", "--no-history", home=home)
        assert dict(node.handler.asked)["post"]["no_history"] is True
    assert ran.err == "Seen by at most 2 people; who comes in after it was sent does not see it.\n"


def test_what_is_missing_is_said_with_the_reason(home: Path) -> None:
    author: JsonObject = {"id": "01" * 32, "alias": "juniper"}
    told: JsonObject = {
        "messages": [],
        "gaps": [
            {"author": author, "missing": 3, "asking": 4, "why": None},
            {"author": author, "missing": 1, "asking": 2, "why": "those who were asked did not give them"},
            {"author": author, "missing": 1, "asking": 0, "why": "no member's node is reachable"},
        ],
    }
    with fake_node(home, {"read": told}):
        lines = mesh("read", "g", home=home).out.splitlines()
    assert lines[:3] == [
        "[3 messages from juniper are missing; asking 4 members]",
        "[1 message from juniper is missing; those who were asked did not give them]",
        "[1 message from juniper is missing; asking nobody: no member can be reached]",
    ]


def test_taking_back_says_whether_anybody_has_been_told(home: Path) -> None:
    gone = message(state="withdrawn", text=None, mode="", why="you took it back")
    with fake_node(home, {"message.withdraw": {"message": gone, "told": True}}) as node:
        ran = mesh("message", "withdraw", "3fa9c1", home=home)
        assert node.handler.asked == [("message.withdraw", {"message": "3fa9c1", "wait_s": 2})]
    assert (ran.code, ran.out) == (Exit.OK, "withdrawn · 3fa9c1d2\n")
    with fake_node(home, {"message.withdraw": {"message": gone, "told": False}}):
        waits = mesh("message", "withdraw", "3fa9c1", home=home)
    assert waits.code == Exit.QUEUED
    assert "Nobody has been told yet" in waits.err
    refused = RefusedError("that message is not yours", code="E-NOT-YOURS")
    with fake_node(home, {"message.withdraw": refused}):
        assert mesh("message", "withdraw", "3fa9c1", home=home).code == Exit.REFUSED


def test_a_post_that_disappears_says_when(home: Path) -> None:
    with fake_node(home, {"group.show": {"group": GROUP}, "post": {"message": SENT}}) as node:
        mesh("post", "g", "Words.", "--expires", "2h", home=home)
        assert dict(node.handler.asked)["post"]["expires_s"] == 7200
    now = datetime(2020, 11, 22, 14, 5, tzinfo=UTC)
    said = ["2020-11-22T14:05:01Z", "2020-11-22T14:06:59Z", "2020-11-22T15:59:30Z", "2020-11-22T16:05Z"]
    words = ["expires in 1 second", "expires in 119 seconds", "expires in 115 minutes", "expires in 2 hours"]
    assert [expiry_words(iso, now) for iso in said] == words
    assert (expiry_words("", now), expiry_words("2020-11-22T14:05Z", now)) == ("", "")
    ended = message(state="expired", text=None, mode="", why=_RAN_OUT, expires="2999-11-22T14:05:00Z")
    with fake_node(home, {"read": {"messages": [ended], "gaps": []}}):
        head, line = mesh("read", "g", home=home).out.splitlines()
    assert ("expired" in head, "expires in" in head) == (True, False)
    assert line == f"    ({_RAN_OUT})"


def test_what_was_handed_on_or_sent_after_a_removal_is_marked(home: Path) -> None:
    told: JsonObject = {"messages": [message(state="history"), message(state="after-removal")], "gaps": []}
    with fake_node(home, {"read": told}):
        out = mesh("read", "g", home=home).out
    assert "handed on by a member, signed by its author" in out
    assert "sent after removal" in out


def test_who_reads_with_the_node_down_is_told_that_nothing_new_can_come(home: Path) -> None:
    assert mesh("init", "--yes", "--name", "wren", home=home).code == Exit.OK
    assert mesh("group", "create", "g", "--suite", "classic", home=home).code == Exit.OK
    assert "Your node is not running, so nothing new can come." in mesh("read", "g", home=home).err
    with fake_node(home, {"read": {"messages": [], "gaps": []}}):
        assert mesh("read", "g", home=home).err == ""


def test_a_page_that_is_not_all_says_so_first(home: Path) -> None:
    for older in (True, False):
        with fake_node(home, {"read": {"messages": [message()], "older": older, "gaps": []}}):
            ran = mesh("read", "g", home=home)
        assert ("There are older ones." in ran.out.splitlines()[0]) is older
