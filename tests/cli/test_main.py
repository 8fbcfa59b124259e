"""The edges: usage errors, exit codes, errors as JSON, no traceback, interrupts, readers that go away."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cli.app import COMMANDS, ELSEWHERE, build
from mesh.errors import Exit, LocalError, LockedError, MeshError, RefusedError
from mesh.node.local.protocol import JsonObject
from tests.cli.runner import COMMAND, environment, mesh, mesh_process
from tests.node.local.fake_node import fake_node

USAGE = {
    "unknown command": ("bogus",),
    "unknown sub-command": ("group", "bogus"),
    "mistyped flag": ("post", "grief", "hello", "--modee", "advice"),
    "mistyped flag in place of a text": ("post", "grief", "--helo"),
    "too much": ("post", "grief", "hello", "there"),
    "too little": ("read",),
    "no such choice": ("post", "grief", "hello", "--mode", "shouting"),
    "no number": ("read", "grief", "--limit", "many"),
    "no messages": ("read", "grief", "--limit", "0"),
    "no duration": ("post", "grief", "hello", "--wait", "3"),
    "no descriptor": ("--passphrase-fd", "x", "status"),
    "no such shell": ("completion", "tcsh"),
    "no such error": ("help", "E-NOWHERE"),
}


@pytest.mark.parametrize("line", USAGE.values(), ids=list(USAGE))
def test_a_line_that_is_not_understood_is_said_and_ends_with_2(home: Path, line: tuple[str, ...]) -> None:
    with fake_node(home):
        ran = mesh("--json", *line, home=home)
    error = ran.json["error"]
    assert isinstance(error, dict)
    assert ran.code == Exit.USAGE
    assert str(error["code"]).startswith("E-")
    assert error["what"]
    assert str(error["code"]) in ran.err
    assert "Traceback" not in ran.err + ran.out


WRONG = [
    (("group", "bogus"), "Hier gibt es keinen Befehl „bogus“."),
    (("grup",), "Vielleicht meinst du `mesh group`."),
    (("group", "lst"), "Vielleicht meinst du `mesh group list`."),
    (("post", "grief", "hello", "--modee", "advice"), "Vielleicht meinst du `--mode`."),
    (("read",), "GROUP fehlt auf dieser Zeile."),
    (("post", "grief", "hello", "--mode"), "Nach --mode fehlt ein Wert."),
    (("post", "grief", "hello", "--mode", "shouting"), "Eines von: listening, experience, advice, resources."),
    (("read", "grief", "--limit", "many"), "„many“ ist keine Zahl, wie --limit sie braucht."),
    (("read", "grief", "--limit", "3", "--limit", "4"), "--limit steht mehrmals da"),
    (("status", "--json=maybe"), "--json nimmt keinen Wert"),
    (("post", "grief", "hello", "there"), "Auf der Zeile steht mehr, als dieser Befehl nimmt: there"),
]


@pytest.mark.parametrize(("line", "said"), WRONG, ids=[" ".join(line) for line, _ in WRONG])
def test_what_is_wrong_with_a_line_is_said_in_the_readers_language(
    home: Path, line: tuple[str, ...], said: str
) -> None:
    with fake_node(home):
        ran = mesh(*line, home=home, env={"LC_ALL": "de_DE.UTF-8"})
    assert ran.code == Exit.USAGE
    assert said in " ".join(ran.err.split())


def test_an_unknown_command_names_what_it_may_have_been(home: Path) -> None:
    ran = mesh_process("pots", home=home)
    assert ran.out == ""
    assert "post" in ran.err
    assert "`mesh --help`" in ran.err


@pytest.mark.parametrize("word", ["leave", "create", "members", "admit", "revoke", "words"])
def test_a_sub_command_without_its_command_is_pointed_to(home: Path, word: str) -> None:
    ran = mesh(word, "Tuesday grief", home=home)
    assert ran.code == Exit.USAGE
    assert f"`{ELSEWHERE[word]}`" in ran.err


def test_what_is_pointed_to_exists() -> None:
    for line in ELSEWHERE.values():
        _, *tokens = line.split()
        assert build().parse_args([*tokens, "--help"])[0] is not None
        assert tokens[0] in {name for commands in COMMANDS.values() for name, *_ in commands}


@pytest.mark.parametrize("place", [0, 1, 2, 3])
def test_global_flags_stand_anywhere(home: Path, place: int) -> None:
    line = ["read", "grief", "--unread"]
    line.insert(place, "--json")
    with fake_node(home, {"read": {"messages": [], "gaps": []}}):
        assert mesh(*line, home=home).json == {"schema": 1, "messages": [], "gaps": []}


def test_home_by_flag_wins_over_home_by_environment(home: Path, tmp_path: Path) -> None:
    with fake_node(home, {"group.list": {"groups": []}}):
        ran = mesh("group", "list", "--json", "--home", str(home), home=tmp_path / "elsewhere")
    assert ran.json["groups"] == []


ERRORS: list[MeshError] = [
    MeshError("It failed.", code="E-FAILED"),
    LocalError("Which?", code="E-AMBIGUOUS", candidates=("grief-a", "grief-b")),
    LockedError("The passphrase is wrong."),
    RefusedError("That is for stewards."),
    MeshError("They differ.", code="E-MISMATCH", exit=Exit.MISMATCH),
]


@pytest.mark.parametrize("error", ERRORS, ids=[error.code for error in ERRORS])
def test_an_error_of_the_node_is_said_in_words_and_in_json(home: Path, error: MeshError) -> None:
    with fake_node(home, {"group.list": error}):
        said, told = mesh_process("group", "list", home=home), mesh_process("group", "list", "--json", home=home)
    assert said.code == told.code == error.exit
    assert said.out == ""
    assert error.what in said.err
    assert f"mesh help {error.code}" in said.err
    assert all(name in said.err for name in error.candidates)
    expected: JsonObject = {"code": error.code, "what": error.what, "why": error.why, "do": error.do}
    if error.candidates:
        expected["candidates"] = list(error.candidates)
    assert told.json == {"schema": 1, "error": expected}


def test_an_errors_words_cannot_drive_the_terminal(home: Path) -> None:
    hostile = LocalError("no member \x1b]0;owned\x07", candidates=("\x9b2J", "\u202eevil"), code="E-AMBIGUOUS")
    with fake_node(home, {"group.list": hostile}):
        ran = mesh("group", "list", home=home)
    assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(ran.err)


def test_a_fault_of_the_program_is_said_without_a_traceback_unless_asked_for(home: Path) -> None:
    with fake_node(home, {"group.list": {"groups": 7}}):
        ran = mesh_process("group", "list", "--json", home=home)
        shown = mesh_process("group", "list", "--debug", home=home)
    assert (ran.code, shown.code) == (1, 1)
    assert "E-ANSWER" in ran.err
    assert "Traceback" not in ran.err
    assert "Traceback" in shown.err


def test_an_exception_nobody_foresaw_is_e_internal() -> None:
    code = """
import sys, cli.app
def burst(line): raise ZeroDivisionError("what somebody wrote")
cli.app.build = burst
from cli.main import main
sys.exit(main(["status", "--json"]))
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert '"E-INTERNAL"' in ran.stdout
    assert "ZeroDivisionError" in ran.stderr
    assert "somebody" not in ran.stdout + ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_reader_that_goes_away_is_no_error_to_shout_about(home: Path) -> None:
    group: JsonObject = {"id": "ab" * 32, "name": "g" * 100, "members": 1}
    with fake_node(home, {"group.list": {"groups": [group] * 2000}}):
        running = subprocess.Popen(
            [*COMMAND, "--home", str(home), "group", "list"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(),
        )
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.readline()
        running.stdout.close()
        said = running.stderr.read()
        running.stderr.close()
        assert running.wait(20) == 1
    assert said == b""


def test_ctrl_c_ends_quietly_with_130(home: Path) -> None:
    with fake_node(home, {"read": {"messages": [], "gaps": []}}, {"read.follow": []}, stays_open=True) as node:
        running = subprocess.Popen(
            [*COMMAND, "--home", str(home), "read", "grief", "--follow"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment(),
        )
        end = time.monotonic() + 20
        while not node.handler.asked:
            assert time.monotonic() < end
            time.sleep(0.01)
        running.send_signal(signal.SIGINT)
        said, _ = running.communicate(timeout=20)
    assert said == b""
    assert running.returncode == 130


def test_a_node_that_stops_in_the_middle_is_said(home: Path) -> None:
    with fake_node(home, {"read": {"messages": [], "gaps": []}}, {"read.follow": [{"event": "following"}]}):
        ran = mesh("read", "grief", "--follow", home=home)
    assert ran.code == 0  # the stream ended by itself: the node said so


# ---------------------------------------------------------------- help


def test_help_lists_every_command_and_flag(home: Path) -> None:
    ran = mesh_process("--help", home=home, env={"COLUMNS": "100"})
    assert ran.code == 0
    for group, commands in COMMANDS.items():
        assert f"{group}:" in ran.out
        for name, _, does in commands:
            assert any(line.split()[:1] == [name] and does in line for line in ran.out.splitlines())
    for flag in ("--home", "--json", "--plain", "--quiet", "--yes", "--debug", "--passphrase-fd"):
        assert flag in ran.out
    assert "\x1b" not in ran.out


@pytest.mark.parametrize("line", [("post", "--help"), ("help", "post"), ("--json", "post", "--help")])
def test_a_commands_help_says_that_argv_is_seen_by_others(home: Path, line: tuple[str, ...]) -> None:
    ran = mesh(*line, home=home)
    assert ran.code == 0
    assert "history" in ran.out
    assert "--cw" in ran.out


def test_each_command_has_a_help_page(home: Path) -> None:
    for commands in COMMANDS.values():
        for name, _, _ in commands:
            ran = mesh(name, "--help", home=home)
            assert (ran.code, ran.err) == (0, ""), name
            assert f"mesh {name}" in ran.out


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_completion_script_is_printed(home: Path, shell: str) -> None:
    ran = mesh("completion", shell, home=home)
    assert ran.code == 0
    assert "invite" in ran.out
    assert str(home) not in ran.out
    if shell == "bash":
        checked = subprocess.run(["bash", "-n"], input=ran.out, text=True, capture_output=True, check=False)
        assert checked.stderr == ""


def test_version_is_one_line_or_one_object(home: Path) -> None:
    assert mesh_process("version", home=home).out.startswith("mesh ")
    assert mesh_process("--version", home=home).out == mesh_process("version", home=home).out
    assert set(mesh_process("version", "--json", home=home).json) == {"schema", "version", "python"}


def test_api_names_the_socket_and_the_methods(home: Path) -> None:
    with fake_node(home) as node:
        told = mesh("api", "--json", home=home).json
        assert told["socket"] == str(node.path)
    methods = told["methods"]
    assert isinstance(methods, list)
    assert {"name": "read.follow", "params": ["group"], "stream": True} in methods


def test_no_passphrase_ever_comes_by_argv(home: Path) -> None:
    pages = [
        mesh("--help", home=home),
        mesh("init", "--help", home=home),
        mesh("id", "passphrase", "--help", home=home),
    ]
    flags = {word for page in pages for word in page.out.replace("=", " ").split() if word.startswith("--")}
    assert {flag for flag in flags if "passphrase" in flag} == {"--passphrase-fd", "--new-passphrase-fd"}


def test_the_terminal_is_not_needed_for_stdin_text(home: Path) -> None:
    reply: JsonObject = {"message": {"id": "ab" * 16, "state": "sent", "reached": 0, "of": 3, "held_by": []}}
    with fake_node(home, {"post": reply}) as node:
        ran = mesh_process("post", "grief", "-", stdin="First line\nsecond\n", home=home)
        asked = dict(node.handler.asked)
    assert ran.code == 0
    assert asked["post"]["text"] == "First line\nsecond"


def test_bytes_that_are_no_text_are_refused(home: Path) -> None:
    with fake_node(home):
        ran = mesh_process("post", "grief", "-", stdin=b"\xff\xfe", home=home)
    assert ran.code == Exit.USAGE
    assert "UTF-8" in ran.err


def test_a_lone_dash_after_two_is_a_text(home: Path) -> None:
    reply: JsonObject = {"message": {"id": "ab" * 16, "state": "sent"}}
    with fake_node(home, {"post": reply}) as node:
        mesh("post", "grief", "--", "-", home=home)
        mesh("post", "grief", "--", "--json", home=home)
        texts = [params["text"] for method, params in node.handler.asked if method == "post"]
    assert texts == ["-", "--json"]


def test_without_a_terminal_what_is_missing_is_named(home: Path) -> None:
    with fake_node(home, {"group.show": {"group": {}}}):
        ran = mesh_process("post", "grief", "--json", home=home)
    assert ran.code == Exit.USAGE
    assert "TEXT" in ran.err
    assert "E-VALUE-NEEDED" in ran.err
    assert "One thing is still missing: What do you want to say?" in ran.err
    assert "not given" not in ran.err


def test_without_a_terminal_a_missing_passphrase_ends_with_3(home: Path) -> None:
    with fake_node(home):
        ran = mesh_process("group", "create", "grief", home=home, passphrase=False)
    assert ran.code == Exit.LOCKED
    assert "--passphrase-fd" in ran.err


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\n", b"a" * 5000])
def test_a_passphrase_file_without_a_passphrase_is_said(home: Path, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "secret").write_bytes(content)
    with fake_node(home):
        ran = mesh("group", "create", "grief", home=home, env={"MESH_PASSPHRASE_FILE": str(tmp_path / "secret")})
    assert ran.code == Exit.LOCKED


def test_the_passphrase_comes_by_a_descriptor_and_leaves_the_rest_of_it(home: Path) -> None:
    reading, writing = os.pipe()
    os.write(writing, b"by a pipe\r\nthe rest")
    os.close(writing)
    with fake_node(home, {"group.create": {"group": {"name": "grief", "id": "ab"}}}) as node:
        subprocess.run(
            [*COMMAND, "--home", str(home), "group", "create", "grief", "--passphrase-fd", str(reading)],
            pass_fds=[reading],
            check=True,
            capture_output=True,
            env=environment(),
        )
        assert dict(node.handler.asked)["group.create"]["passphrase"] == "by a pipe"
    assert os.read(reading, 100) == b"the rest"
    os.close(reading)
