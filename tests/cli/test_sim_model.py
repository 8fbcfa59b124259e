"""`mesh sim model`: what a node pays in a network too large to run. No home is needed, and numpy is."""

import sys
from pathlib import Path

import pytest

from cli.commands import sim_model
from mesh.errors import Exit
from mesh.node.local.protocol import JsonObject
from simulations.model import check as checking
from simulations.model import choices as choosing
from simulations.model.check import Compared
from simulations.model.choices import AS_IT_IS, Choice
from tests.cli.runner import mesh

SMALL = ("sim", "model", "--nodes", "60", "--near")


def test_the_model_says_what_a_node_pays_with_the_source_of_each_constant(home: Path) -> None:
    told = mesh(*SMALL, "--json", home=home, passphrase=False).json["model"]
    assert isinstance(told, dict)
    rows, constants = told["rows"], told["constants"]
    assert isinstance(rows, list)
    assert isinstance(constants, list)
    assert [(row["nodes"], row["group"]) for row in rows if isinstance(row, dict)] == [(60, 5), (60, 20)]
    keys = {"nodes", "group", "delivered", "first_copies", "copies", "said", "latency", "up_bytes", "links", "day"}
    assert all(isinstance(row, dict) and set(row) == keys for row in rows)
    assert all(isinstance(one, dict) and one["source"] for one in constants)
    assert list(home.iterdir()) == [], "it leaves nothing behind"


def test_a_person_reads_a_table_of_one_post_and_one_of_a_day(home: Path) -> None:
    ran = mesh(*SMALL, "--group", "6", "--posts", "2", home=home, passphrase=False)
    assert ran.code == Exit.OK
    assert "nodes: 60; group: 6; copies: 1.00; p50:" in ran.out
    assert "What one member pays in a day, at 2 posts of each member\nnodes: 60; group: 6; posts: 12;" in ran.out
    assert "  post taken in: 1.1 ms (docs/decisions/0040" in ran.out
    assert "60 nodes in groups of 6" in ran.err


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("--group", "1"), "A group has two members at least"),
        (("--group", "61"), "no more than there are nodes"),
        (("--seed", "-1"), "a whole number from 0 on"),
        (("--loss", "nan"), "`loss` goes from 0 to 0.3"),
        (("--posts", "inf"), "0 to 10000 posts"),
        (("--set", "eager"), "is no NAME=VALUE with a whole number"),
        (("--set", "eager=-1"), "is no NAME=VALUE with a whole number"),
        (("--set", "egaer=4"), "There is no parameter `egaer`"),
        (("--set", "active=99"), "`active` goes from 3 to 60"),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_reckoned(home: Path, given: tuple[str, ...], said: str) -> None:
    ran = mesh(*SMALL, *given, home=home, passphrase=False)
    assert ran.code == Exit.USAGE
    assert said in ran.err
    assert "E-" in ran.err


@pytest.mark.parametrize("nodes", ["1", "-5", "99999999999999999999"])
def test_a_network_of_any_size_is_not_reckoned(home: Path, nodes: str) -> None:
    ran = mesh("sim", "model", "--nodes", nodes, home=home, passphrase=False)
    assert ran.code == Exit.USAGE
    assert "has 2 to 2000000 nodes" in ran.err


def test_without_numpy_it_says_what_to_install(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "numpy", None)
    ran = mesh("sim", "model", home=home, passphrase=False)
    assert ran.code == Exit.USAGE
    assert "needs numpy, which is not installed" in ran.err
    assert "`make model`" in ran.err


def test_all_other_simulations_do_without_numpy(home: Path) -> None:
    assert mesh("sim", "list", home=home, passphrase=False).code == Exit.OK
    assert "numpy" not in Path(sim_model.__file__).read_text().split("def model")[0]


@pytest.mark.parametrize(("off", "code", "verdict"), [(0.02, Exit.OK, "Every"), (0.04, Exit.FAILED, "1 bound is not")])
def test_the_check_gives_each_deviation_and_its_verdict(
    home: Path, monkeypatch: pytest.MonkeyPatch, off: float, code: Exit, verdict: str
) -> None:
    said = [
        Compared(scene="dead", figure="copies", crowd=2.0, model=2.0 * (1 + off), off=off, most=0.03),
        Compared(scene="dead", figure="links", crowd=8.0, model=9.0, off=0.125, most=None),
    ]
    monkeypatch.setattr(checking, "check", lambda: iter(said))
    ran = mesh("sim", "model", "--check", home=home, passphrase=False)
    assert ran.code == code
    assert verdict in ran.out
    assert "deviation: +12.50%; bound: no bound" in ran.out
    told = mesh("sim", "model", "--check", "--json", home=home, passphrase=False).json
    assert told["passed"] is (code is Exit.OK)


def test_a_choice_is_named_for_each_length(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = Choice(
        name=AS_IT_IS, frame_bytes=700, copies=2.0, bytes=1500, p99_ms=100,
        bytes_in_trouble=1600, p99_in_trouble_ms=200, delivered_in_trouble=1.0,
    )  # fmt: skip
    monkeypatch.setattr(choosing, "choices", lambda _seed: iter([ours]))
    assert "Frames of 700 B: choose “as it is”." in mesh("sim", "model", "--choose", home=home, passphrase=False).out
    told: JsonObject = mesh("sim", "model", "--choose", "--json", home=home, passphrase=False).json
    choices = told["choices"]
    assert isinstance(choices, list)
    assert [one["chosen"] for one in choices if isinstance(one, dict)] == [True]
