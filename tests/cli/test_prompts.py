"""At a real terminal: questions, hidden passphrases, the words' check, and dress that can be taken off."""

import fcntl
import io
import os
import re
import sys
import termios
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pexpect
import pytest

from demo.people import wait_for
from mesh.errors import LockedError, RefusedError
from mesh.node.local.protocol import JsonObject
from tests.cli.runner import COMMAND, environment
from tests.node.local.fake_node import Reply, fake_node

SECRET = "four unrelated words here"
MESSAGE: JsonObject = {"id": "ab" * 16, "state": "sent", "reached": 0, "of": 0, "held_by": []}
GROUPS: JsonObject = {"groups": [{"id": "ab" * 32, "name": "Tuesday \x1b[2Jgrief", "members": 5, "unread": 1}]}


@contextmanager
def terminal(
    *line: str, home: Path, env: Mapping[str, str] | None = None, code: int = 0
) -> Iterator["pexpect.spawn[str]"]:
    """Run `mesh` at a terminal, and see how it ends."""
    child = pexpect.spawn(
        COMMAND[0],
        [*COMMAND[1:], "--home", str(home), *line],
        env=environment({"TERM": "xterm", **(env or {})}),
        encoding="utf-8",
        timeout=30,
        dimensions=(40, 110),
    )
    try:
        yield child
        child.expect(pexpect.EOF)
        child.wait()
        assert child.exitstatus == code, child.before
    finally:
        child.close(force=True)


def interrupt(child: "pexpect.spawn[str]") -> None:
    """Press Ctrl-C once it waits for an answer: Python's own prompt misses one that comes just before."""
    stat = Path(f"/proc/{child.pid}/stat")
    wait_for(lambda: not stat.exists() or stat.read_text().rpartition(") ")[2].startswith("S"), "it to wait", 30)
    child.sendintr()


def waiting_input(child: "pexpect.spawn[str]") -> int:
    """Say how many bytes were typed that nobody has read yet: what was sent comes there a moment later."""
    terminal = os.open(f"/proc/{child.pid}/fd/0", os.O_RDWR | os.O_NOCTTY)
    try:
        return int.from_bytes(fcntl.ioctl(terminal, termios.FIONREAD, bytes(4)), sys.byteorder)
    finally:
        os.close(terminal)


def test_init_asks_twice_shows_the_words_and_checks_three_of_them(home: Path) -> None:
    with terminal("init", home=home / "inner") as child:
        for answer in (SECRET, "something else"):
            child.expect(r"(New passphrase|The same again): ")
            child.sendline(answer)
        child.expect("not the same")
        for answer in (SECRET, SECRET):
            child.expect(r"(New passphrase|The same again): ")
            child.sendline(answer)
        child.expect_exact("\x1b[?1049h")
        child.expect("Press Return once they are on paper")
        assert SECRET not in (child.before or "")
        words = dict(re.findall(r"(\d+) ([a-z]+)", child.before or ""))
        assert len(words) == 24
        child.sendline("")
        child.expect_exact("\x1b[2J\x1b[?1049l")
        child.expect("The words are off the screen.")
        child.expect("Have you written them down")
        child.expect(r"Word (\d+): ")
        child.sendline("wrong")
        child.expect("That is not it")
        for turn in range(3):
            child.expect(r"Word \d+: ")
            word = words[re.sub(r"\D", "", str(child.after))]
            child.sendline(word.upper() if turn else word)
        child.expect("Good. That is all")
        child.expect("Your identity is")


def test_words_that_do_not_come_leave_an_identity_and_the_way_to_see_them_again(home: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(SECRET)
    env = {"MESH_PASSPHRASE_FILE": str(tmp_path / "secret")}
    with terminal("init", home=home / "inner", env=env) as child:
        child.expect("Press Return")
        child.sendline("")
        for _ in range(3):
            child.expect(r"Word \d+: ")
            child.sendline("")
        child.expect("`mesh id words`")


def test_ctrl_c_while_the_words_are_shown_takes_them_off_the_screen(home: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(SECRET)
    env = {"MESH_PASSPHRASE_FILE": str(tmp_path / "secret")}
    with terminal("init", home=home / "inner", env=env, code=130) as child:
        child.expect("Press Return")
        interrupt(child)
        child.expect_exact("\x1b[?1049l")
        child.expect("`mesh id words` shows the words again")


def test_words_that_are_shown_again_leave_the_screen_too_and_where_they_cannot_that_is_said(
    home: Path, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text(SECRET)
    env = {"MESH_PASSPHRASE_FILE": str(tmp_path / "secret")}
    with terminal("init", "--yes", home=home / "inner", env=env) as child:
        child.expect("Your identity is")
    with terminal("id", "words", home=home / "inner", env=env) as child:
        child.expect_exact("\x1b[?1049h")
        child.expect("24 recovery words")
        child.expect("Press Return")
        child.sendline("")
        child.expect_exact("\x1b[2J\x1b[?1049l")
    with terminal("--plain", "id", "words", home=home / "inner", env=env) as child:
        child.expect("24 recovery words")
        child.expect("The words stay on this screen. Clear it")
        assert "\x1b" not in (child.before or "")


def test_a_ticket_of_one_line_is_asked_for_as_one(home: Path) -> None:
    keeper: JsonObject = {"id": "ab" * 8, "note": "kitchen", "reachable": True}
    with fake_node(home, {"keeper.add": {"keeper": keeper}}) as node:
        with terminal("keeper", "add", "Tuesday grief", home=home) as child:
            child.expect("The ticket: ")
            child.sendline(" meshkeep1qqq#abc ")
            child.expect("leave what they say at kitchen too")
        assert node.handler.asked == [("keeper.add", {"group": "Tuesday grief", "ticket": "meshkeep1qqq#abc"})]


def test_a_post_is_asked_for_and_may_have_several_lines(home: Path) -> None:
    with fake_node(home, {"group.show": {"group": {}}, "post": {"message": MESSAGE}}) as node:
        with terminal("post", "grief", home=home) as child:
            child.expect("What do you want to say")
            child.sendline("First line, ä.")
            child.sendline("")
            child.sendline("a" * 5000)
            child.sendline(".")
            child.expect("sent")
        assert dict(node.handler.asked)["post"]["text"] == "First line, ä.\n\n" + "a" * 5000


NO_TURN = RefusedError("it is not your turn", code="E-NOT-YOUR-TURN")
ASKED_FOR = [  # what takes words, with its method and what is typed for it
    (("circle", "say", "grief"), "circle.say", ["mine to say", "."]),
    (("circle", "open", "grief"), "circle.open", ["what helps?"]),
    (("sanction", "grief", "juniper", "note"), "sanction", ["be gentle", "."]),
    (("shelf", "add", "grief", "--review-by", "31.1.2030"), "shelf.add", ["At night", "In for four.", "."]),
    (("introduce", "ask", "grief", "tansy"), "introduce.ask", ["for carers"]),
    (("milestone", "add", "grief"), "milestone.add", ["in the new flat"]),
    (("reflect", "add"), "reflect.add", ["it was good", "."]),
    (("group", "agreement", "edit", "grief"), "group.agreement", ["Be kind.", "."]),
    (("post", "grief"), "post", ["hello", "."]),
]


@pytest.mark.parametrize(("line", "method", "typed"), ASKED_FOR, ids=[method for _, method, _ in ASKED_FOR])
def test_what_would_be_refused_is_said_before_anything_is_typed(
    home: Path, line: tuple[str, ...], method: str, typed: list[str]
) -> None:
    del typed
    with fake_node(home, {"group.show": {"group": {}}, "check": NO_TURN}) as node:
        with terminal(*line, home=home, code=5) as child:
            child.expect("It is not your turn")
            assert "> " not in (child.before or "")
        asked = [params for name, params in node.handler.asked if name == "check"]
    assert [params["method"] for params in asked] == [method]
    assert method not in dict(node.handler.asked)


@pytest.mark.parametrize(("line", "method", "typed"), ASKED_FOR, ids=[method for _, method, _ in ASKED_FOR])
def test_what_was_typed_and_is_refused_all_the_same_is_shown_once_more(
    home: Path, line: tuple[str, ...], method: str, typed: list[str]
) -> None:
    with (
        fake_node(home, {"group.show": {"group": {}}, "check": {"may": True}, method: NO_TURN}),
        terminal(*line, home=home, code=5) as child,
    ):
        for number, text in enumerate(typed):
            if text != ".":
                child.expect("> " if typed[number + 1 :] == ["."] else r"[^:?]+[:?] ")
            child.sendline(text)
        child.expect("Here is your text once more")
        for text in typed:
            child.expect_exact(text) if text != "." else None
        child.expect("It is not your turn")


JOIN: JsonObject = {
    "id": "77" * 16,
    "state": "preview",
    "group": {"name": "Tuesday grief", "members": 5},
    "agreement": {"version": 1, "text": "Be kind."},
}


def table() -> dict[str, Reply]:
    """Give what a node answers to one who joins."""
    joined: JsonObject = {"join": {**JOIN, "state": "joined"}}
    return {
        "id.show": {"identity": {"name": "wren"}},
        "join.start": {"join": JOIN},
        "join.agree": joined,
        "join.drop": {},
    }


def test_joining_asks_for_code_pledge_alias_and_passphrase(home: Path) -> None:
    with fake_node(home, table()) as node:
        with terminal("join", home=home) as child:
            child.expect("The code: ")
            child.sendline(" mesh1code ")
            child.expect("Group: Tuesday grief")
            child.expect("network address")
            child.expect("    Be kind.")
            child.expect(r"Do you agree, and want to join\? \[y/N\] ")
            child.sendline("y")
            child.expect(r"Alias \[wren\]: ")
            child.sendline("tansy")
            child.expect("Passphrase: ")
            child.sendline(SECRET)
            child.expect("You are in")
            assert SECRET not in (child.before or "")
        asked = dict(node.handler.asked)
    assert asked["join.start"] == {"code": "mesh1code"}
    assert (asked["join.agree"]["alias"], asked["join.agree"]["passphrase"]) == ("tansy", SECRET)


def test_the_alias_that_is_offered_is_taken_with_return(home: Path) -> None:
    with fake_node(home, table()) as node:
        with terminal("join", "mesh1code", "--agree", home=home) as child:
            child.expect(r"Alias \[wren\]: ")
            child.sendline("")
            child.expect("Passphrase: ")
            child.sendline(SECRET)
            child.expect("You are in")
        assert dict(node.handler.asked)["join.agree"]["alias"] == "wren"


def test_ctrl_c_while_waiting_says_what_the_node_goes_on_doing(home: Path) -> None:
    knocking: JsonObject = {"join": {**JOIN, "state": "knocking"}}
    for state, said in (("looking", "goes on looking"), ("knocking", "goes on knocking by itself")):
        waiting: JsonObject = {"join": {**JOIN, "state": state, "addresses": 1}}
        with (
            fake_node(home, {**table(), "join.start": waiting, "join.wait": waiting, "join.agree": knocking}),
            terminal("join", "mesh1code", home=home, code=130) as child,
        ):
            child.expect("Looking" if state == "looking" else "Knocking")
            interrupt(child)
            child.expect(said)


def test_ctrl_c_at_the_passphrase_leaves_a_line_of_its_own(home: Path) -> None:
    with fake_node(home, table()), terminal("join", "mesh1code", "--agree", home=home, code=130) as child:
        child.expect(r"Alias \[wren\]: ")
        child.sendline("")
        child.expect("Passphrase: ")
        interrupt(child)
        child.expect(pexpect.EOF)
        assert (child.before or "").endswith("\r\n")


@pytest.mark.parametrize("answer", ["n", "", "maybe"])
def test_who_does_not_agree_does_not_join(home: Path, answer: str) -> None:
    with fake_node(home, table()) as node:
        with terminal("join", "mesh1code", home=home, code=2) as child:
            child.expect(r"\[y/N\] ")
            child.sendline(answer)
            child.expect("You did not join")
        methods = [method for method, _ in node.handler.asked]
    assert methods == ["join.start", "join.drop"]


def test_leaving_is_confirmed(home: Path) -> None:
    would: JsonObject = {"group": {"id": "ab" * 32, "name": "Tuesday grief", "alias": "wren"}}
    with fake_node(home, {"group.leave": {}, "group.leave.check": would}) as node:
        with terminal("group", "leave", "grief", "--wipe", home=home, code=2) as child:
            child.expect("What was said in it is deleted here for good.")
            child.expect("where you are wren\\? ")
            child.sendline("no")
            child.expect("Nothing was changed")
        assert "group.leave" not in dict(node.handler.asked)


def test_a_wipe_that_would_tell_nobody_is_confirmed_and_no_is_what_nothing_means(home: Path) -> None:
    group: JsonObject = {"id": "ab" * 32, "name": "Tuesday grief", "alias": "", "state": "left"}
    would: JsonObject = {"group": group, "unheard": True, "wiped": True, "others": ["tansy"]}
    with fake_node(home, {"group.leave": {}, "group.leave.check": would}) as node:
        with terminal("group", "leave", "grief", "--wipe", "--now", home=home, code=2) as child:
            child.expect("never told that you left; they list you on, and keep what you said: tansy.")
            child.expect("tell nobody\\? ")
            child.sendline("")
            child.expect("Nothing was changed")
        assert "group.leave" not in dict(node.handler.asked)


def test_who_is_removed_is_who_was_named_in_the_question(home: Path) -> None:
    tansy: JsonObject = {"id": "02" * 32, "alias": "tansy"}
    would: JsonObject = {"group": {"id": "ab" * 32, "name": "Tuesday grief"}, "member": tansy, "invites_open": 1}
    with fake_node(home, {"group.remove": {}, "group.remove.check": would}) as node:
        with terminal("group", "remove", "grief", "Tansy", home=home) as child:
            child.expect("1 open invite code closes with it")
            child.expect('Remove tansy from "Tuesday grief"\\? ')
            child.sendline("y")
            child.expect("Removed")
        asked = dict(node.handler.asked)["group.remove"]
    assert (asked["group"], asked["member"]) == ("ab" * 32, "02" * 32)


def test_ctrl_c_at_a_question_ends_quietly(home: Path) -> None:
    with fake_node(home, table()), terminal("join", home=home, code=130) as child:
        child.expect("The code: ")
        interrupt(child)
        child.expect(pexpect.EOF)
        assert "Traceback" not in (child.before or "")


def test_status_of_a_locked_home_asks_but_bare_mesh_does_not(home: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(SECRET)
    env = {"MESH_PASSPHRASE_FILE": str(tmp_path / "secret")}
    with terminal("init", "--yes", home=home / "inner", env=env) as child:
        child.expect("Your identity is")
        assert "Word 1:" not in (child.before or "")
    with terminal(home=home / "inner") as child:
        child.expect("Your node is not running")
    with terminal("status", home=home / "inner", code=3) as child:
        for _ in range(3):
            child.expect("Passphrase: ")
            child.sendline("not it")
        child.expect("The passphrase is wrong")


def test_a_passphrase_with_a_slip_may_be_typed_again(home: Path) -> None:
    def agree(params: JsonObject) -> JsonObject:
        if params["passphrase"] != SECRET:
            raise LockedError("the passphrase is wrong")
        return {"join": {**JOIN, "state": "joined"}}

    with (
        fake_node(home, {**table(), "join.agree": agree}) as node,
        terminal("join", "mesh1code", "--agree", "--alias", "tansy", home=home) as child,
    ):
        child.expect("Passphrase: ")
        child.sendline("a slip")
        child.expect("not the passphrase. Once more")
        child.expect("Passphrase: ")
        child.sendline(SECRET)
        child.expect("You are in")
    assert [params["alias"] for method, params in node.handler.asked if method == "join.agree"] == ["tansy", "tansy"]


def test_what_is_typed_while_a_passphrase_is_checked_is_not_shown_and_goes_nowhere(home: Path) -> None:
    checked = threading.Event()

    def agree(params: JsonObject) -> JsonObject:
        checked.wait(30)
        if params["passphrase"] != SECRET:
            raise LockedError("the passphrase is wrong")
        return {"join": {**JOIN, "state": "joined"}}

    with (
        fake_node(home, {**table(), "join.agree": agree}) as node,
        terminal("join", "mesh1code", "--agree", "--alias", "tansy", home=home) as child,
    ):
        child.logfile_read = seen = io.StringIO()
        child.expect("Passphrase: ")
        child.sendline("a slip")
        wait_for(lambda: "join.agree" in dict(node.handler.asked), "the check", 30)
        assert not child.getecho()
        child.sendline("typed too soon")
        wait_for(lambda: waiting_input(child) > 0, "it to come to the terminal", 30)
        checked.set()
        child.expect("not the passphrase. Once more")
        child.expect("Passphrase: ")
        child.sendline(SECRET)
        child.expect("You are in")
        child.expect(pexpect.EOF)
    assert "typed too soon" not in seen.getvalue()
    tried = [params["passphrase"] for method, params in node.handler.asked if method == "join.agree"]
    assert tried == ["a slip", SECRET]


def test_a_node_that_runs_shows_what_is_typed_beside_it(home: Path) -> None:
    with terminal("init", "--yes", home=home / "inner") as child:
        for _ in range(2):
            child.expect(r"(New passphrase|The same again): ")
            child.sendline(SECRET)
        child.expect("Your identity is")
    with terminal("up", "--listen", "/ip4/127.0.0.1/tcp/0", home=home / "inner") as child:
        child.expect("Passphrase: ")
        assert not child.getecho()
        child.sendline(SECRET)
        child.expect("Ready")
        assert child.getecho()
        child.sendintr()


def test_an_empty_passphrase_is_called_empty(home: Path) -> None:
    with terminal("init", home=home / "inner", code=3) as child:
        for _ in range(3):
            child.expect("New passphrase: ")
            child.sendline("")
        child.expect("The passphrase was empty")
        child.expect("E-PASSPHRASE-FORM")


def test_ctrl_c_at_the_words_check_leaves_an_identity_and_the_way_to_the_words(home: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(SECRET)
    env = {"MESH_PASSPHRASE_FILE": str(tmp_path / "secret")}
    with terminal("init", home=home / "inner", env=env, code=130) as child:
        child.expect("Press Return")
        child.sendline("")
        child.expect(r"Word \d+: ")
        interrupt(child)
        child.expect("Your identity [0-9a-f ]+ is made")
        child.expect("not checked. `mesh id words` shows the words again")


def test_a_question_has_one_mark_at_its_end(home: Path) -> None:
    with fake_node(home, table()), terminal("group", "create", home=home, code=130) as child:
        child.expect(r"What is the group called\? ")
        interrupt(child)


# ---------------------------------------------------------------- dress


def shown(*line: str, home: Path, env: Mapping[str, str] | None = None) -> str:
    """Give what a terminal is sent."""
    with fake_node(home, {"group.list": GROUPS}), terminal(*line, home=home, env=env) as child:
        child.expect(pexpect.EOF)
        return child.before or ""


def test_a_terminal_gets_a_table_and_a_bold_heading(home: Path) -> None:
    out = shown("group", "list", home=home)
    assert "\x1b[1mGroups\x1b[0m" in out
    assert "Tuesday [2Jgrief" in out
    assert "\x1b[2J" not in out
    assert "name:" not in out


@pytest.mark.parametrize(
    ("line", "env"),
    [
        (("--plain", "group", "list"), {}),
        (("group", "list"), {"NO_COLOR": "1"}),
        (("group", "list"), {"TERM": "dumb"}),
    ],
    ids=["--plain", "NO_COLOR", "TERM=dumb"],
)
def test_who_wants_plain_text_gets_plain_text(home: Path, line: tuple[str, ...], env: Mapping[str, str]) -> None:
    out = shown(*line, home=home, env=env)
    assert "\x1b" not in out
    assert "name: Tuesday [2Jgrief; members: 5" in out


def test_json_at_a_terminal_is_json_alone(home: Path) -> None:
    assert shown("group", "list", "--json", home=home).startswith('{"schema":1,"groups":')
