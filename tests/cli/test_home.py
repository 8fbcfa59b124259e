"""`init`, `status`, `id`, `up` and `down`: the real home on a real disk, the node only where a fake one will do."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from subprocess import PIPE

import pytest

from cli.commands.node import ready_lines
from cli.render import when
from mesh.errors import Exit
from mesh.node.local.api import reach_node
from mesh.node.local.protocol import JsonObject, phrased
from mesh.phrases import phrase
from tests.cli.runner import COMMAND, PASSPHRASE, environment, mesh, mesh_process
from tests.node.local.fake_node import fake_node


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, JsonObject]:
    """Make one identity for the tests that only look at it."""
    home = tmp_path_factory.mktemp("made") / "home"
    ran = mesh("init", "--name", "wren", "--json", home=home)
    assert ran.code == 0, ran.err
    return home, ran.json


def test_init_gives_the_words_once_and_closes_the_home(made: tuple[Path, JsonObject]) -> None:
    home, told = made
    assert set(told) == {"schema", "identity", "recovery_words", "home"}
    words = told["recovery_words"]
    assert isinstance(words, list)
    assert len(words) == 24
    assert told["home"] == str(home)
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert all(not path.stat().st_mode & 0o077 for path in home.rglob("*"))


def test_nothing_that_was_said_at_init_lies_in_the_home_in_clear(made: tuple[Path, JsonObject]) -> None:
    home, told = made
    words = told["recovery_words"]
    assert isinstance(words, list)
    held = b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())
    for secret in ("wren", PASSPHRASE, " ".join(map(str, words[:2]))):
        assert secret.encode() not in held


def test_init_does_not_replace_an_identity(made: tuple[Path, JsonObject]) -> None:
    home, _ = made
    before = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}
    ran = mesh("init", "--json", home=home)
    assert ran.code == Exit.USAGE
    assert "E-HOME-EXISTS" in ran.out
    assert {path: path.read_bytes() for path in home.rglob("*") if path.is_file()} == before


def test_the_words_are_shown_again_for_the_passphrase_alone(made: tuple[Path, JsonObject], tmp_path: Path) -> None:
    home, told = made
    (tmp_path / "wrong").write_text("not it\n")
    assert mesh("id", "words", "--json", home=home).json["recovery_words"] == told["recovery_words"]
    wrong = mesh("id", "words", home=home, env={"MESH_PASSPHRASE_FILE": str(tmp_path / "wrong")})
    assert (wrong.code, wrong.out) == (Exit.LOCKED, "")


def test_a_weak_passphrase_is_hinted_at_and_taken(home: Path, tmp_path: Path) -> None:
    (tmp_path / "weak").write_text("1234\n")
    ran = mesh("init", "--yes", home=home / "inner", env={"MESH_PASSPHRASE_FILE": str(tmp_path / "weak")})
    assert ran.code == 0
    assert "Hint" in ran.err
    assert "1234" not in ran.out + ran.err


def test_the_passphrase_is_changed(home: Path, tmp_path: Path) -> None:
    place = home / "inner"
    words = mesh("init", "--json", home=place).json["recovery_words"]
    reading, writing = os.pipe()
    os.write(writing, b"another one\n")
    os.close(writing)
    changed = subprocess.run(
        [*COMMAND, "--home", str(place), "id", "passphrase", "--new-passphrase-fd", str(reading)],
        pass_fds=[reading],
        env=environment({"MESH_PASSPHRASE_FILE": str(home / "passphrase")}),
        capture_output=True,
        check=False,
    )
    os.close(reading)
    assert changed.returncode == 0, changed.stderr
    (tmp_path / "new").write_text("another one\n")
    new = {"MESH_PASSPHRASE_FILE": str(tmp_path / "new")}
    assert mesh("id", "words", home=place).code == Exit.LOCKED
    assert mesh("id", "words", "--json", home=place, env=new).json["recovery_words"] == words


def test_while_the_node_runs_it_changes_the_passphrase(made: tuple[Path, JsonObject]) -> None:
    home, _ = made
    with fake_node(home, {"id.passphrase": {"changed": True}}) as node:
        reused = mesh_process("id", "passphrase", "--new-passphrase-fd", "0", stdin="new words\n", home=home)
        assert node.handler.asked == [("id.passphrase", {"passphrase": PASSPHRASE, "new_passphrase": "new words"})]
    assert reused.code == 0


@pytest.mark.parametrize("line", [("up",), ("up", "--detach"), ("id", "words"), ("status",)])
@pytest.mark.parametrize("passphrase", [True, False], ids=["with a passphrase", "without"])
def test_a_home_without_an_identity_says_what_to_do(home: Path, line: tuple[str, ...], passphrase: bool) -> None:
    ran = mesh(*line, home=home, passphrase=passphrase)
    assert ran.code == Exit.USAGE
    assert "`mesh init`" in ran.err


# ---------------------------------------------------------------- status

STATUS: JsonObject = {
    "running": True,
    "problems": [],
    "links": [{"peer_id": "12D3"}],
    "groups": [{"id": "ab" * 32, "name": "Tuesday grief", "members": 5, "unread": 2, "complete": True}],
    "outbox": 1,
}


def test_bare_mesh_without_an_identity_says_what_this_is_and_where_to_begin(home: Path) -> None:
    said, told = mesh(home=home), mesh("--json", home=home)
    assert said.code == 0
    assert "Support Mesh" in said.out
    assert "mesh init" in said.out
    assert told.json == {"schema": 1, "identity": None, "home": str(home)}


def test_bare_mesh_with_a_node_that_runs_is_status(home: Path) -> None:
    with fake_node(home, {"status": STATUS}):
        assert mesh(home=home).out == mesh("status", home=home).out


def test_status_ends_with_the_next_useful_step(home: Path) -> None:
    with fake_node(home, {"status": STATUS}):
        assert mesh("status", home=home).out.splitlines() == [
            "Your node is running, with 1 link to others.",
            "1 message of yours waits to leave.",
            "Groups",
            "name: Tuesday grief; members: 5; unread: 2; id: abababab",
            'Next: `mesh read "Tuesday grief" --unread`.',
        ]
        assert mesh("status", "--json", home=home).json == {"schema": 1, **STATUS}


def test_a_keeper_of_others_is_not_asked_to_join_a_group(home: Path) -> None:
    with fake_node(home, {"status": {**STATUS, "groups": [], "outbox": 0, "keeper": True}}):
        said = mesh("status", home=home).out.splitlines()[-1]
    assert said == "Next: this node is a keeper; `mesh keeper status` shows what it holds."


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("knocking", "Next: you wait to be let in; `mesh joins list` shows how that stands."),
        ("awaiting-approval", "Next: you wait to be let in; `mesh joins list` shows how that stands."),
        ("refused", "Next: `mesh join` with a code, or `mesh group create NAME`."),
    ],
)
def test_who_waits_at_a_door_is_not_sent_to_another(home: Path, state: str, said: str) -> None:
    waiting: JsonObject = {**STATUS, "groups": [], "outbox": 0, "joins": [{"id": "77" * 16, "state": state}]}
    with fake_node(home, {"status": waiting}):
        assert mesh("status", home=home).out.splitlines()[-1] == said


def test_status_counts_who_is_refused_and_shows_how_far_a_long_catch_up_is(home: Path) -> None:
    group: JsonObject = {"id": "ab" * 32, "name": "g", "catching_up": {"got": 3200, "of": 20_000}}
    for count, said in ((1, "1 node is refused for a while"), (2, "2 nodes are refused for a while")):
        refused: JsonObject = {"refused": [{"peer": "12D3", "left_s": 290, "times": 1}] * count, "groups": [group]}
        with fake_node(home, {"status": {**STATUS, **refused}}):
            out = mesh("status", home=home).out
        assert f"{said}: no honest node sends what came." in out
        assert "catching up: 3,200 of 20,000 messages" in out


def test_status_names_problems_first(home: Path) -> None:
    problems: JsonObject = {"problems": [{"what": "The port is taken.", "do": "Stop the other program."}]}
    with fake_node(home, {"status": {**STATUS, **problems}}):
        out = mesh("status", home=home).out
    assert out.startswith("! The port is taken.\n  Stop the other program.\n")


def test_a_time_that_the_node_names_is_told_as_it_is_here(home: Path) -> None:
    until = "2020-01-03T03:04:05.000Z"
    problem = phrased(
        what=phrase("In “{group}” you are asked to be quiet until {time}.", group=until, time=until),
        do=phrase("`mesh log {group}` shows why.", group="g"),
    )
    with fake_node(home, {"status": {**STATUS, "problems": [problem]}}):
        said = mesh("status", home=home).out.splitlines()[0]
        told = mesh("status", "--json", home=home).out
    assert said == f"! In “{until}” you are asked to be quiet until {when(until)}.", "what people named stays as it is"
    assert "T03" not in when(until)
    assert f"quiet until {until}" in json.loads(told)["problems"][0]["what"]


def test_status_without_node_and_passphrase_says_what_it_can(made: tuple[Path, JsonObject]) -> None:
    home, _ = made
    said = mesh("status", home=home, passphrase=False)
    told = mesh("status", "--json", home=home, passphrase=False).json
    assert said.code == 0
    assert said.out == "! Your node is not running.\n  Start it with `mesh up`.\n"
    assert (told["running"], told["groups"], told["joins"], told["outbox"]) == (False, None, None, None)
    assert told.keys() == mesh("status", "--json", home=home).json.keys(), "locked or not, the same keys"


WAITING: JsonObject = {
    "id": "77" * 16,
    "state": "awaiting-approval",
    "group": {"name": "Tuesday grief"},
    "key_words": ["rich", "cook"],
}


@pytest.mark.parametrize(
    ("join", "said"),
    [
        (
            WAITING,
            (
                'Joining "Tuesday grief" (77777777): waiting for a moderator, steward or founder to let you in.\n'
                "  They see these words beside your knock: rich cook.\n"
            ),
        ),
        (
            {**WAITING, "state": "refused", "why": "A member declined."},
            (
                'Joining "Tuesday grief" (77777777): not let in (a member declined).\n'
                "  Ask the person who invited you for a new code; `mesh joins drop 77777777` takes this line away.\n"
            ),
        ),
        (
            {**WAITING, "state": "looking", "group": None, "addresses": 0},
            "Joining 77777777: looking for the group.\n  The code had no part after #",
        ),
        (
            {**WAITING, "state": "preview"},
            (
                'Joining "Tuesday grief" (77777777): found; you have not agreed to join yet.\n'
                "  `mesh join` with the same code shows it and asks you; `mesh joins drop 77777777` ends it.\n"
            ),
        ),
    ],
    ids=["awaiting", "refused", "nowhere to look", "not agreed"],
)
def test_status_says_how_a_join_stands_and_what_comes_next(home: Path, join: JsonObject, said: str) -> None:
    with fake_node(home, {"status": {**STATUS, "joins": [join]}}):
        assert said in mesh("status", home=home).out


# ---------------------------------------------------------------- up, down


def test_up_on_a_home_whose_node_runs_is_refused_before_anything_is_asked(home: Path) -> None:
    with fake_node(home):
        ran = mesh_process("up", "--json", home=home, passphrase=False)
    assert ran.code == Exit.FAILED
    assert "E-NODE-RUNNING" in ran.out


def test_down_stops_the_node_and_waits_until_it_is_gone(home: Path) -> None:
    with fake_node(home, {"node.stop": {}}) as node:
        ran = mesh("down", "--json", home=home)
        assert reach_node(home) is None
    assert not node.path.exists()
    assert ran.json == {"schema": 1, "stopped": True}


def test_down_without_a_node_says_so(home: Path) -> None:
    ran = mesh("down", home=home)
    assert (ran.code, ran.out) == (0, "No node was running.\n")
    assert mesh("down", "--json", home=home).json == {"schema": 1, "stopped": False}


@pytest.mark.parametrize("detach", [(), ("--detach",)], ids=["in the foreground", "detached"])
def test_up_with_a_wrong_passphrase_says_so(
    made: tuple[Path, JsonObject], tmp_path: Path, detach: tuple[str, ...]
) -> None:
    home, _ = made
    (tmp_path / "wrong").write_text("not it\n")
    ran = mesh_process("up", "--json", *detach, home=home, env={"MESH_PASSPHRASE_FILE": str(tmp_path / "wrong")})
    error = ran.json["error"]
    assert isinstance(error, dict)
    assert (ran.code, error["code"]) == (Exit.LOCKED, "E-PASSPHRASE")


def test_ready_says_of_announced_addresses_only_that_others_are_told_them() -> None:
    here, outside = "/ip4/10.0.0.7/tcp/4001/p2p/12D3", "/ip4/192.0.2.7/tcp/4001/p2p/12D3"
    plain = ready_lines({"event": "ready", "pid": 7, "addresses": [here], "listening": [here]})
    assert plain == ["Ready, as process 7. Others reach you at:", f"  {here}"]
    assert ready_lines({"event": "ready", "pid": 7, "addresses": [outside], "listening": [here]}) == [
        "Ready, as process 7. It listens at:",
        f"  {here}",
        "Others are told that they reach you at:",
        f"  {outside}",
    ]


TELL = """
import sys
from pathlib import Path
from cli.commands.node import Teller
from cli.context import Context
from cli.output import Output
teller = Teller(Context(home=Path("."), out=Output(json=True)))
for number in range(int(sys.argv[1])):
    teller.tell({"event": "message", "group": "ab" * 100, "number": number})
print("told", file=sys.stderr)
teller.close()
"""


def test_events_that_nobody_reads_do_not_hold_the_node_up() -> None:
    with subprocess.Popen([sys.executable, "-c", TELL, "5000"], stdout=PIPE, stderr=PIPE) as node:
        assert node.stderr is not None
        assert node.stdout is not None
        assert node.stderr.readline() == b"told\n"
        assert node.wait(20) == 0
        assert node.stderr.read() == b""


def test_a_reader_of_events_that_goes_away_does_not_end_the_node() -> None:
    with subprocess.Popen([sys.executable, "-c", TELL, "900"], stdout=PIPE, stderr=PIPE) as node:
        assert node.stderr is not None
        assert node.stdout is not None
        node.stdout.close()
        assert node.wait(20) == 0
        assert node.stderr.read() == b"told\n"


def test_events_that_somebody_reads_all_come() -> None:
    ran = subprocess.run([sys.executable, "-c", TELL, "500"], capture_output=True, check=True, text=True)
    assert [json.loads(line)["number"] for line in ran.stdout.splitlines()] == list(range(500))
