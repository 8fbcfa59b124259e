"""Conversations line by line, over pipes and at a terminal: what is posted, what is told, and that nothing is lost."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pexpect
import pytest

from cli.chat.conversation import Conversation
from cli.context import Context
from cli.output import Output
from demo.people import wait_for
from mesh.errors import Exit, LocalError
from mesh.node.local.protocol import JsonObject
from tests.cli.runner import COMMAND, Ran, mesh, prepared
from tests.cli.test_prompts import interrupt, terminal
from tests.cli.test_talk import message
from tests.node.local.fake_node import FakeNode, Reply, fake_node

GID, OTHER = "ab" * 32, "cd" * 32
GROUP: JsonObject = {
    "id": GID,
    "name": "Tuesday grief",
    "members": 3,
    "unread": 1,
    "state": "member",
    "history": "none",
    "keep": 30 * 86_400,
    "settings": {},
}
WALKS: JsonObject = {**GROUP, "id": OTHER, "name": "Walks", "unread": 0}
FIRST, SECOND, THIRD = "11" * 16, "22" * 16, "33" * 16
POSTED: JsonObject = {"id": THIRD, "group": GID, "state": "sent", "reached": 0, "of": 2, "held_by": []}


def page(*messages: JsonObject) -> JsonObject:
    return {"messages": list(messages), "older": False, "gaps": []}


def shown(params: JsonObject) -> JsonObject:
    return {"group": next(group for group in (GROUP, WALKS) if params["group"] in (group["id"], group["name"]))}


def read(params: JsonObject) -> JsonObject:
    """Two messages in Tuesday grief, one of them closed; none in Walks."""
    if params["group"] != GID:
        return page()
    return page(
        message(id=FIRST, text="I slept a little.", mine=False),
        message(id=SECOND, text=None, cw="loss of a child", reply_to=FIRST, mine=False),
    )


def replies(**more: Reply) -> dict[str, Reply]:
    known: dict[str, Reply] = {
        "group.list": {"groups": [GROUP, WALKS]},
        "group.show": shown,
        "read": read,
        "post": {"message": POSTED},
        "message.show": {"message": message(id=SECOND, text="His room.", cw="loss of a child", reply_to=FIRST)},
        "group.members": {"members": [], "departed": []},
        "flag": {"flag": {"id": FIRST, "flags": 1, "folds_at": 2, "collapsed": False, "flagged": True}, "told": True},
    }
    return known | {name.replace("_", "."): reply for name, reply in more.items()}


def chat(
    home: Path, *typed: str, line: tuple[str, ...] = (), **more: Reply
) -> tuple[Ran, list[tuple[str, JsonObject]]]:
    """Type these lines into a conversation over a pipe; return what it said and what it asked the node."""
    with fake_node(home, replies(**more), {}, stays_open=True) as node:
        ran = mesh("chat", "Tuesday grief", "--line", *line, home=home, stdin="".join(f"{one}\n" for one in typed))
        return ran, [one for one in node.handler.asked if one[0] not in {"events", "group.list"}]


def posts(asked: list[tuple[str, JsonObject]]) -> list[JsonObject]:
    return [params for method, params in asked if method == "post"]


# ---------------------------------------------------------------- over a pipe


def test_one_is_told_where_one_is_and_what_was_said_each_in_lines_of_its_own(home: Path) -> None:
    ran, _ = chat(home)
    assert ran.code == 0
    lines = ran.out.splitlines()
    assert lines[0] == 'You are in "Tuesday grief".'
    assert lines[1].startswith("1. juniper, on ")
    assert lines[1].endswith(", listening.")
    assert lines[2] == "    I slept a little."
    assert lines[3].endswith("listening, in reply to message 1, warning: loss of a child.")
    assert lines[4] == "    (closed; /open 2 opens it)"
    assert "Seen by at most 2 people; kept 30 days" in ran.err
    for drawn in ("\x1b", "\r", "│", "─"):
        assert drawn not in ran.out + ran.err


def test_what_is_typed_is_posted_with_what_was_set_for_it(home: Path) -> None:
    ran, asked = chat(
        home,
        "/mode experience",
        "/cw night",
        "/reply 1 it was the same for me \\",
        "and it went by",
        "//crisis is a word that I can say",
        "/text",
        "/one",
        "",
        "two",
        ".",
    )
    said = posts(asked)
    assert [one["text"] for one in said] == [
        "it was the same for me \nand it went by",
        "/crisis is a word that I can say",
        "/one\n\ntwo",
    ]
    assert [(one["mode"], one["cw"], one["reply_to"]) for one in said] == [
        ("experience", "night", FIRST),
        ("experience", "", None),
        ("experience", "", None),
    ]
    assert {one["group"] for one in said} == {GID}
    assert ran.out.count("Message 3, yours: sent, reached 0 of 2.") == 3


def test_numbers_and_the_group_are_filled_into_every_command(home: Path) -> None:
    _, asked = chat(home, "/flag 1", "/flag", "/who", "/members", "/open 2", "/go Walks", "/group members")
    wanted = [(method, params) for method, params in asked if method in {"flag", "group.members", "message.show"}]
    assert [params["message"] for method, params in wanted if method == "flag"] == [FIRST, SECOND]
    assert [params["group"] for method, params in wanted if method == "group.members"] == [GID, GID, OTHER]
    assert [params["message"] for method, params in wanted if method == "message.show"] == [SECOND]


def test_a_text_that_is_not_sent_is_shown_once_more_and_can_be_sent_again(home: Path) -> None:
    refused = [LocalError("it is too long", code="E-TEXT")]

    def fails_once(params: JsonObject) -> JsonObject:
        if refused:
            raise refused.pop()
        return {"message": POSTED}

    ran, asked = chat(home, "/reply 1 words that I searched for", "/again", "/again", post=fails_once)
    assert "It was not sent. Here it is once more; /again sends it:\nwords that I searched for\n" in ran.err
    assert [(one["text"], one["reply_to"]) for one in posts(asked)] == [("words that I searched for", FIRST)] * 2
    assert "There is nothing to send again." in ran.err


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("/nonsense", "There is no command /nonsense."),
        ("/flag 9", "No message has the number 9 here."),
        ("/open 9", "No message has the number 9 here."),
        ("/mode loud", "There is no mode “loud”."),
        ('/go "Tuesday', "A quote is opened and not closed."),
        ("/chat", "/chat does not work so within a conversation."),
        ("/up", "/up --detach starts your node beside this."),
        ("/read --follow", "What comes is told here as it comes."),
        ("/post -", "Type the text itself"),
        ("/group", "Commands"),
        ("/flag 1 2 3", "There is more on the line than this command takes"),
        ("/flag --bogus", "bogus"),
        ("/", "There is no command /."),
    ],
)
def test_what_makes_no_sense_is_said_and_the_conversation_goes_on(home: Path, typed: str, said: str) -> None:
    ran, asked = chat(home, typed, "still here")
    assert said in ran.err + ran.out
    assert [one["text"] for one in posts(asked)] == ["still here"]
    assert ran.code == 0


def test_what_is_half_typed_at_the_end_is_not_sent_and_not_lost(home: Path) -> None:
    ran, asked = chat(home, "/text", "half a", "thought")
    assert posts(asked) == []
    assert "This was not sent:\nhalf a\nthought\n" in ran.err
    ran, asked = chat(home, "said", "/quit", "not said")
    assert [one["text"] for one in posts(asked)] == ["said"]


def test_help_and_the_card_are_there(home: Path) -> None:
    ran, _ = chat(home, "/help", "/crisis --locale GB", "/help E-TEXT", "/cw suicide")
    assert "/reply 3 TEXT answers it" in ran.out
    assert "Samaritans" in ran.out
    assert "E-TEXT" in ran.out
    assert "Say what would help you now" in ran.err


def test_for_a_script_each_line_is_an_object_with_its_event(home: Path) -> None:
    ran, _ = chat(home, "hello", "/flag 1", "/nonsense", "/groups", line=("--json",))
    objects = [json.loads(line) for line in ran.out.splitlines()]
    assert {one["schema"] for one in objects} == {1}
    kinds = [one["event"] for one in objects]
    assert kinds[:4] == ["group", "message", "message", "posted"]
    assert {"result", "error", "groups"} <= set(kinds)
    assert [one["number"] for one in objects if one["event"] in {"message", "posted"}][:3] == [1, 2, 3]
    (error,) = [one["error"] for one in objects if one["event"] == "error"]
    assert error["code"] == "E-USAGE"


def test_a_text_of_many_lines_says_how_it_ends(home: Path) -> None:
    ran, asked = chat(home, "/text", "one", "two", ".")
    assert ran.err.count("A line with one dot ends it.") == 1
    assert [one["text"] for one in posts(asked)] == ["one\ntwo"]


def test_a_page_within_a_conversation_says_how_a_message_is_opened_there(home: Path) -> None:
    closed = message(id=FIRST, text=None, cw="loss", mine=False)
    shown_first: JsonObject = {"id": FIRST, "by": {"alias": "juniper"}, "message": closed}
    ran, _ = chat(home, "/read", read={**page(closed), "pins": [shown_first]})
    assert f"(closed; /open {FIRST[:8]} opens it)" in ran.out
    assert "--open" not in ran.out
    with fake_node(home, {"read": {**page(closed), "pins": [shown_first]}}):
        assert mesh("read", "Tuesday grief", home=home).out.count(f"(closed; --open {FIRST[:8]} opens it)") == 2


def test_the_list_of_groups_says_what_is_unread_in_each_and_where_one_is_out(home: Path) -> None:
    listed: JsonObject = {"groups": [{**GROUP, "unread": 2}, {**WALKS, "state": "left"}]}
    ran, _ = chat(home, "/groups", group_list=listed)
    assert f'"Tuesday grief", 3 members, 2 unread, id {GID[:8]}.' in ran.out.splitlines()
    assert f'"Walks", 3 members, nothing unread, you left it, id {OTHER[:8]}.' in ran.out.splitlines()


def test_a_group_is_gone_to_by_how_its_name_begins_and_nothing_else_takes_that(home: Path) -> None:
    ran, asked = chat(home, "/go wal", "/post wal hello", "/go w")
    assert ran.out.count('You are in "Walks".') == 2
    assert [params["group"] for method, params in asked if method == "group.show"][:2] == ["Tuesday grief", OTHER]
    assert posts(asked) == [], "a text is never sent to a group by half its name"


def test_without_line_it_says_that_the_screen_is_not_built_yet(home: Path) -> None:
    ran = mesh("chat", home=home)
    assert ran.code == Exit.USAGE
    assert "The full screen of `mesh chat` is not built yet." in ran.err
    assert "`mesh chat --line`" in ran.err


# ---------------------------------------------------------------- what comes meanwhile


@contextmanager
def beside(home: Path, *line: str) -> Iterator["subprocess.Popen[str]"]:
    """Run a conversation in a process of its own, with pipes."""
    with subprocess.Popen(
        [*COMMAND, "chat", "Tuesday grief", "--line", *line],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=prepared(home, None, passphrase=True),
        text=True,
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def heard(process: "subprocess.Popen[str]", words: str) -> list[str]:
    """Read on until a line holds these words; return what was said up to there."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line.rstrip("\n"))
        if words in line:
            return lines
    raise AssertionError(f"{words!r} was not said, but {lines}")


def type_in(process: "subprocess.Popen[str]", line: str) -> None:
    """Type one line."""
    assert process.stdin is not None
    process.stdin.write(line + "\n")
    process.stdin.flush()


def test_what_others_say_comes_as_it_comes_and_news_of_another_group_in_one_line(home: Path) -> None:
    """The third time that somebody asks what is unread, something is: the third is for the event."""
    asked: list[bool] = []

    def unread(params: JsonObject) -> JsonObject:
        asked.append(params["unread"] is True)
        return page(message(id=FIRST, text="I am here too.", mine=False)) if sum(asked) == 3 else page()

    def listed(params: JsonObject) -> JsonObject:
        del params
        return {"groups": [GROUP, {**WALKS, "unread": 2}]}

    events: list[JsonObject] = [
        {"event": "following", "silent": False},
        {"event": "message", "group": GID, "message": {"id": FIRST}},
        {"event": "message", "group": OTHER, "message": {"id": SECOND}},
        {"event": "message", "group": OTHER, "message": {"id": THIRD}},
        {"event": "knock", "group": GID, "knock": "00"},
    ]
    table = replies(read=unread) | {"group.list": listed}
    with fake_node(home, table, {"events": events}, stays_open=True), beside(home) as process:
        said = heard(process, "Somebody waits at the door")
    assert [line for line in said if line.startswith("1. juniper")]
    assert "    I am here too." in said
    assert said.count('Something is new in "Walks". /next goes there.') == 1


def test_the_node_may_stop_and_start_and_nothing_that_is_typed_meanwhile_is_lost(home: Path) -> None:
    events: dict[str, list[JsonObject]] = {"events": [{"event": "following", "silent": False}]}
    with fake_node(home, replies(), events, stays_open=True) as first, beside(home) as process:
        heard(process, "/open 2 opens it")
        wait_for(lambda: "events" in dict(first.handler.asked), "it to listen", 30)
        first.stop()
        heard(process, "Your node has stopped.")
        type_in(process, "words of a bad hour")
        assert "words of a bad hour" in heard(process, "words of a bad hour")
        with fake_node(home, replies(), events, stays_open=True) as second:
            heard(process, "Your node runs again.")
            type_in(process, "/again")
            heard(process, "Message 3, yours: sent")
            assert [one["text"] for one in posts(second.handler.asked)] == ["words of a bad hour"]


def test_nothing_that_comes_breaks_into_what_is_being_typed(home: Path) -> None:
    events: dict[str, list[JsonObject]] = {"events": [{"event": "following", "silent": False}]}
    with terminal_beside(home, events) as (first, child):
        wait_for(lambda: "events" in dict(first.handler.asked), "it to listen", 30)
        wait_for(lambda: not child.getecho(), "the line editor", 30)
        child.send("half a thou")
        child.expect("half a thou")
        first.stop()
        with fake_node(home, replies(), events, stays_open=True) as second:
            wait_for(lambda: "events" in dict(second.handler.asked), "it to listen again", 30)
            child.sendline("ght")
            child.expect("ght\r\n")
            assert child.before == "", "both news came while it was half typed"
            child.expect("Message 3, yours: sent")
            child.expect("Your node has stopped.")
            child.expect("Your node runs again.")
            assert [one["text"] for one in posts(second.handler.asked)] == ["half a thought"]
            end(child)


def end(child: "pexpect.spawn[str]") -> None:
    """Press Ctrl-D once the line editor listens: what comes before is the terminal's own."""
    wait_for(lambda: not child.getecho(), "the line editor", 30)
    child.sendeof()


@contextmanager
def terminal_beside(home: Path, events: dict[str, list[JsonObject]]) -> Iterator[tuple[FakeNode, "pexpect.spawn[str]"]]:
    """Run a conversation at a terminal, beside a node."""
    line = ("chat", "Tuesday grief", "--line")
    with fake_node(home, replies(), events, stays_open=True) as node, terminal(*line, home=home) as child:
        child.expect("/open 2 opens it")
        yield node, child


def test_a_terminal_shows_what_comes_and_ends_quietly(home: Path) -> None:
    events: dict[str, list[JsonObject]] = {"events": [{"event": "following", "silent": False}]}
    with fake_node(home, replies(), events, stays_open=True):
        with terminal("chat", "Tuesday grief", "--line", home=home) as child:
            child.expect("closed; /open 2 opens it")
            child.sendline("/open 2")
            child.expect("His room.")
            child.sendline("my phone is 020 7946 0958")
            child.expect("send it\\?")
            child.sendline("n")
            child.expect("It was not sent.")
            child.sendline("/quit")
        with terminal("chat", "Tuesday grief", "--line", home=home) as child:
            child.expect("closed; /open 2 opens it")
            end(child)


def test_ctrl_c_lets_go_of_what_is_typed_and_ends_only_where_nothing_is(home: Path) -> None:
    events: dict[str, list[JsonObject]] = {"events": [{"event": "following", "silent": False}]}
    with terminal_beside(home, events) as (node, child):
        wait_for(lambda: not child.getecho(), "the line editor", 30)
        child.send("half a thou")
        child.expect("half a thou")
        interrupt(child)
        child.expect("What you had typed is gone, and was not sent.")
        wait_for(lambda: not child.getecho(), "the line editor", 30)
        child.sendline("/text")
        child.expect("A line with one dot ends it.")
        wait_for(lambda: not child.getecho(), "the line editor", 30)
        child.sendline("a line of many")
        child.expect("a line of many\r\n")
        wait_for(lambda: not child.getecho(), "the line editor", 30)
        interrupt(child)
        child.expect("What you had typed is gone, and was not sent.")
        wait_for(lambda: not child.getecho(), "the line editor", 30)
        child.sendline("a whole one")
        child.expect("Message 3, yours: sent")
        assert [one["text"] for one in posts(node.handler.asked)] == ["a whole one"]
        wait_for(lambda: not child.getecho(), "the line editor", 30)
        interrupt(child)
        child.expect(pexpect.EOF)
        assert "is gone" not in (child.before or "")
        assert "This was not sent" not in (child.before or "")


def test_of_what_is_pasted_the_lines_that_begin_with_a_slash_are_not_done(home: Path) -> None:
    events: dict[str, list[JsonObject]] = {"events": [{"event": "following", "silent": False}]}
    with terminal_beside(home, events) as (node, child):
        wait_for(lambda: not child.getecho(), "the line editor", 30)
        child.send("what I copied\n/flag 1\n/quit\n")
        child.expect("Message 3, yours: sent")
        child.expect("was not done:\r\n/flag 1\r\n")
        child.expect("was not done:\r\n/quit\r\n")
        child.expect("Type it again if you mean it.")
        assert [one["text"] for one in posts(node.handler.asked)] == ["what I copied"]
        assert not [one for one in node.handler.asked if one[0] == "flag"]
        wait_for(lambda: not child.getecho(), "the line editor", 30)
        child.send("/flag 1\n/flag 2\n")
        child.expect("was not done:\r\n/flag 2\r\n")
        child.expect("Type it again if you mean it.")
        wait_for(lambda: not child.getecho(), "the line editor", 30)
        child.sendline("/flag 1")
        child.expect("you flagged it")
        assert len([one for one in node.handler.asked if one[0] == "flag"]) == 1
        wait_for(lambda: not child.getecho(), "the line editor", 30)
        child.sendline("/quit")


def test_a_message_that_waited_for_the_line_names_its_group_if_one_has_gone_on(home: Path) -> None:
    out = Output(plain=True)
    said = Conversation(Context(home=home, out=out))
    said.groups = {GID: "Tuesday grief", OTHER: "Walks"}
    said.group = GROUP

    def telling() -> list[str]:
        return said.said(GID, message(id=FIRST, text="My ward, tomorrow.", mine=False))[1]

    assert telling()[0].startswith("1. juniper")
    said.group = WALKS
    lines = telling()
    assert lines[0] == 'This was said in "Tuesday grief", where you were before:'
    assert lines[1].startswith("1. juniper")
    assert said.numbers.last == FIRST, "what it is called stays what it was"
    said.groups = {}
    assert telling()[0].startswith('This was said in "abababab"')


def test_a_passphrase_that_was_typed_is_forgotten_once_a_node_runs(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MESH_PASSPHRASE_FILE", raising=False)
    asked: list[str] = []

    def typed() -> str:
        asked.append("typed")
        return "quiet river of small stones"

    monkeypatch.setattr("cli.context.ask_passphrase", typed)
    said = Conversation(Context(home=home, out=Output(plain=True)))
    context = said.context
    for node_up, times in ((False, 1), (False, 1), (True, 1), (True, 2)):
        context.node_up = node_up
        assert context.passphrase() == "quiet river of small stones"
        assert len(asked) == times
        assert said._goes_on("")
    context.passphrase_fd = 0  # a descriptor is read once: what came by it is kept
    context._passphrase = "from a descriptor"
    assert said._goes_on("")
    assert context._passphrase == "from a descriptor"
