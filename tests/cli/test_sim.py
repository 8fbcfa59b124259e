"""`mesh sim`: scenarios by name or file; what comes of a run is kept, run again and made small. No home is needed."""

import json
from pathlib import Path

import pytest

from mesh.errors import Exit
from simulations.scenarios import names
from tests.cli.runner import mesh

SHORT = ("partition-heal", "--set", "posts=2")
LOSING = """
people = 2
[bounds]
joins_ended = { least = 3 }
[[step]]
do = "gather"
group = "g"
[[step]]
at_s = 9
do = "post"
who = "wren"
group = "g"
"""


def test_every_scenario_is_listed_with_its_question(home: Path) -> None:
    told = mesh("sim", "list", "--json", home=home, passphrase=False).json
    listed = told["scenarios"]
    assert isinstance(listed, list)
    assert [one["name"] for one in listed if isinstance(one, dict)] == names()
    assert len(names()) >= 23
    assert list(home.iterdir()) == [], "it leaves nothing behind"


def test_a_scenario_is_shown_with_what_must_hold(home: Path) -> None:
    ran = mesh("sim", "show", "partition-heal", home=home)
    assert ran.code == Exit.OK
    assert "When the network falls in two and heals, does everybody have everything?" in ran.out
    assert "  members = 5" in ran.out
    assert "  delivery_ratio is at least 1" in ran.out


def test_a_run_gives_the_keys_of_the_contract_and_is_kept(home: Path, tmp_path: Path) -> None:
    out = tmp_path / "runs"
    told = mesh("sim", "run", *SHORT, "--seed", "3", "--out", str(out), "--json", home=home).json
    run = told["run"]
    assert isinstance(run, dict)
    contract = {"scenario", "seed", "digest", "passed", "checks", "delivery_ratio", "latency", "copies", "replay"}
    assert contract <= set(run)
    assert (run["scenario"], run["seed"], run["passed"], run["delivery_ratio"]) == ("partition-heal", 3, True, 1.0)
    kept = out / "partition-heal-3"
    series = ["bytes.csv", "latency.csv", "pairs.csv", "way.csv"]
    assert sorted(path.name for path in kept.iterdir()) == sorted([*series, "plan.json", "report.html", "result.json"])
    assert json.loads((kept / "result.json").read_text())["digest"] == run["digest"]
    again = mesh("sim", "replay", str(kept), "--json", home=home).json
    assert again["same"] is True


def test_several_seeds_are_counted(home: Path, tmp_path: Path) -> None:
    ran = mesh("sim", "run", *SHORT, "--seeds", "0..2", "--out", str(tmp_path / "runs"), home=home)
    assert (ran.code, ran.out) == (Exit.OK, "2 of 2 runs passed.\n")


def test_a_page_is_written_with_each_run_and_of_several(home: Path, tmp_path: Path) -> None:
    out = tmp_path / "runs"
    told = mesh("sim", "run", *SHORT, "--seeds", "0..2", "--out", str(out), "--json", home=home).json
    runs = told["runs"]
    assert isinstance(runs, list)
    pages = [Path(str(run["report"])) for run in runs if isinstance(run, dict)]
    assert [page.read_text().startswith("<!doctype html>") for page in pages] == [True, True]
    pages[0].unlink()
    again = mesh("sim", "report", str(pages[0].parent), "--json", home=home).json
    assert (again["report"], again["runs"]) == (str(pages[0]), 1)
    assert "When the network falls in two and heals" in pages[0].read_text()
    both = mesh("sim", "report", str(out), home=home)
    assert (both.code, both.out) == (Exit.OK, f"The page is at {out / 'report.html'}.\n")


def test_what_is_no_run_gets_no_page(home: Path, tmp_path: Path) -> None:
    ran = mesh("sim", "report", str(tmp_path), home=home)
    assert ran.code == Exit.USAGE
    assert "stands no run" in ran.err


def test_steps_are_shown_while_they_happen(home: Path, tmp_path: Path) -> None:
    ran = mesh("sim", "run", *SHORT, "--watch", "--out", str(tmp_path / "runs"), home=home)
    assert "0.00 s  found      who=wren group=circle" in ran.err
    assert "partition-heal, seed 0: passed" in ran.out


def test_what_fails_says_so_and_is_made_small(home: Path, tmp_path: Path) -> None:
    path, out = tmp_path / "losing.toml", tmp_path / "runs"
    path.write_text(LOSING, encoding="utf-8")
    ran = mesh("sim", "run", str(path), "--out", str(out), home=home)
    assert ran.code == Exit.FAILED
    assert "losing, seed 0: FAILED" in ran.out
    assert "failed: joins_ended is at least 3: it is 1" in ran.out
    assert f"again: mesh sim replay {out / 'losing-0'}" in ran.out
    small = mesh("sim", "shrink", str(out / "losing-0"), "--json", home=home).json
    assert (small["check"], small["steps"]) == ("joins_ended is at least 3", [])
    told = mesh("sim", "shrink", str(out / "losing-0"), home=home)
    assert told.out.startswith("0 of 3 steps are left, after ")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (("run", "nothing"), "No scenario is called `nothing`"),
        (("run", "nothing.toml"), "cannot be read"),
        (("run", *SHORT, "--set", "posts"), "is no NAME=VALUE"),
        (("run", *SHORT, "--set", "noise=1"), "No parameter of partition-heal is called `noise`"),
        (("run", *SHORT, "--set", "posts=inf"), "is from 0 to"),
        (("run", *SHORT, "--set", "posts=nan"), "is from 0 to"),
        (("run", *SHORT, "--nodes", "0"), "--nodes is from 1 to"),
        (("run", *SHORT, "--seeds", "5"), "is no range of seeds"),
        (("run", *SHORT, "--seeds", "5..2"), "is no range of seeds"),
        (("replay", "nowhere"), "cannot be read"),
    ],
)
def test_what_cannot_be_run_is_said(home: Path, line: tuple[str, ...], said: str) -> None:
    ran = mesh("sim", *line, home=home)
    assert ran.code == Exit.USAGE
    assert said in ran.err


def test_a_run_that_passed_is_not_made_small(home: Path, tmp_path: Path) -> None:
    mesh("sim", "run", *SHORT, "--out", str(tmp_path / "runs"), home=home)
    ran = mesh("sim", "shrink", str(tmp_path / "runs" / "partition-heal-0"), home=home)
    assert ran.code == Exit.USAGE
    assert "Nothing failed in that run." in ran.err
