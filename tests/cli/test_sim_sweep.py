"""`mesh sim sweep`: many runs, a file and a page; what is asked in a wrong way; stopped and gone on with."""

import io
import json
import os
import signal
import subprocess
from pathlib import Path

import psutil
import pytest

from cli.commands.sim_sweep import _Said
from cli.context import Context
from cli.live import Live
from cli.output import Output
from mesh.errors import Exit
from simulations.sweeping.rows import Ended, broken, keep_row
from simulations.sweeping.sweep import Progress
from simulations.sweeping.units import units_of
from tests.cli.runner import COMMAND, mesh, prepared

FAST = ("sim", "sweep", "restored-apart")
LOSING = """
people = 2
[bounds]
joins_ended = { least = 3 }
[[step]]
do = "gather"
group = "g"
"""


def test_a_sweep_says_how_many_passed_and_runs_nothing_twice(home: Path, tmp_path: Path) -> None:
    out = tmp_path / "sweep"
    first = mesh(*FAST, "--seeds", "3..5", "--out", str(out), home=home, passphrase=False)
    assert first.code == Exit.OK
    assert first.out.startswith("2 of 2 runs passed.\nIt took ")
    assert "1 of 2 runs, 0 failed; " in first.err
    assert "2 of 2 runs, 0 failed; 0s left" in first.err
    files = sorted(path.name for path in out.iterdir())
    assert [name.rsplit("-", 2)[0] for name in files if name.endswith(".json")] == [
        "restored-apart-3",
        "restored-apart-4",
    ]
    assert (out / "report.html").read_text().startswith("<!doctype html>")
    again = mesh(*FAST, "--seeds", "3..5", "--out", str(out), home=home, passphrase=False)
    assert again.out == f"2 of 2 runs passed.\n2 were there already.\nThe page is at {out / 'report.html'}.\n"
    assert list(home.iterdir()) == [], "it leaves nothing behind"


def test_what_failed_is_told_with_what_runs_it_again(home: Path, tmp_path: Path) -> None:
    path, out = tmp_path / "losing.toml", tmp_path / "sweep"
    path.write_text(LOSING, encoding="utf-8")
    line = ("sim", "sweep", str(path), "restored-apart", "--seeds", "0..1", "--jobs", "1", "--out", str(out))
    told = mesh(*line, "--json", home=home)
    assert told.code == Exit.FAILED
    value = told.json
    swept = value["sweep"]
    assert isinstance(swept, dict)
    assert {key: swept[key] for key in ("runs", "passed", "failed", "present")} == {
        "runs": 2,
        "passed": 1,
        "failed": 1,
        "present": 0,
    }
    assert value["failures"] == [
        {
            "scenario": str(path),
            "seed": 0,
            "parameters": {},
            "checks": [{"name": "joins_ended is at least 3", "found": "it is 1"}],
            "ended": None,
            "again": f"mesh sim run {path} --seed 0",
        }
    ]
    ran = mesh(*line, home=home)
    assert ran.code == Exit.FAILED, "what failed, and is there, has failed"
    assert f"{path}, seed 0: FAILED\n  failed: joins_ended is at least 3: it is 1\n" in ran.out
    assert f"  again: mesh sim run {path} --seed 0\n" in ran.out
    page = mesh("sim", "report", str(out), home=home)
    assert (page.code, page.out) == (Exit.OK, f"The page is at {out / 'report.html'}.\n")
    assert f"mesh sim run {path} --seed 0" in (out / "report.html").read_text()


def test_a_run_that_is_ended_by_its_limit_has_failed_and_says_so(home: Path, tmp_path: Path) -> None:
    line = ("sim", "sweep", "flash-crowd", "--seeds", "0..1", "--set", "crowd=100", "--limit-s", "0.2")
    ran = mesh(*line, "--jobs", "1", "--out", str(tmp_path / "sweep"), home=home)
    assert ran.code == Exit.FAILED
    assert "failed: time: it took more than 0.2 s" in ran.out
    assert "0 of 1 runs passed." in ran.out


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("nothing",), "No scenario is called `nothing`"),
        (("nothing.toml",), "cannot be read"),
        (("--seeds", "5"), "is no range of seeds"),
        (("--seeds", "5..5"), "is no range of seeds"),
        (("--seeds=-1..5",), "is no range of seeds"),
        (("--seeds", "0..x"), "is no range of seeds"),
        (("--seeds", "0..1000002"), "is no range of seeds"),
        (("--seeds", f"{'9' * 5000}..{'9' * 5000}1"), "is no range of seeds"),
        (("--set", "posts"), "is no NAME=VALUE"),
        (("--set", "posts="), "is no NAME=VALUE"),
        (("--set", "posts=1,"), "is no NAME=VALUE"),
        (("--set", "noise=1"), "has a parameter `noise`"),
        (("--set", "posts=inf"), "is from 0 to"),
        (("--set", "posts=nan,1"), "is from 0 to"),
        (("--nodes", "0"), "--nodes is from 1 to"),
        (("--nodes", "100000"), "--nodes is from 1 to"),
        (("--jobs", "0"), "--jobs is from 1 to"),
        (("--jobs", "513"), "--jobs is from 1 to"),
        (("--limit-s", "0"), "--limit-s is a number of seconds"),
        (("--limit-s", "nan"), "--limit-s is a number of seconds"),
        (("--limit-s", "inf"), "--limit-s is a number of seconds"),
        (("--limit-mib", "1"), "--limit-mib is from 128 to"),
        (("--executor", "cloud"), "is no cluster"),
        (("--executor", "dask://nowhere"), "is no cluster"),
        (("--executor", ""), "is empty"),
    ],
)
def test_what_cannot_be_swept_is_said(home: Path, tmp_path: Path, given: tuple[str, ...], said: str) -> None:
    out = tmp_path / "sweep"
    ran = mesh(*FAST, *given, "--out", str(out), home=home)
    assert ran.code == Exit.USAGE
    assert said in ran.err
    assert not out.exists()


def test_an_out_that_is_a_file_is_left_as_it_is(home: Path, tmp_path: Path) -> None:
    out = tmp_path / "sweep"
    out.write_text("mine")
    for where in (out, out / "below"):
        ran = mesh(*FAST, "--seeds", "0..1", "--out", str(where), home=home)
        assert ran.code == Exit.USAGE
        assert "is no folder in which runs can be kept" in ran.err
    assert out.read_text() == "mine"


def test_stopped_by_hand_it_leaves_whole_files_and_no_process_and_goes_on_from_there(
    home: Path, tmp_path: Path
) -> None:
    out = tmp_path / "sweep"
    names = ("restored-apart", "flash-crowd")
    line = ["sim", "sweep", *names, "--seeds", "0..1", "--set", "crowd=40", "--jobs", "2", "--out", str(out)]
    process = subprocess.Popen(
        [*COMMAND, *line],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=prepared(home, None, passphrase=False),
        start_new_session=True,
    )
    with process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith("1 of 2 runs, 0 failed")
        children = psutil.Process(process.pid).children(recursive=True)
        os.kill(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert f"Stopped. What is done is kept in {out}, and the same command goes on." in err
    assert len(children) == 2
    assert psutil.wait_procs(children, timeout=20)[1] == []
    (kept,) = out.iterdir()
    assert json.loads(kept.read_text())["scenario"] == "restored-apart"
    (first, second) = units_of(names, range(1), {"crowd": (40.0,)})
    assert kept.name == first.file
    keep_row(out / second.file, broken(second, "settles", "no"))
    told = mesh(*line, "--json", home=home).json["sweep"]
    assert isinstance(told, dict)
    assert told["present"] == 2


def test_on_a_terminal_one_line_says_how_far_it_is(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(Live, "on", lambda *_: Live(stream))
    (unit,) = units_of(["censor"], range(1), {})
    said = _Said(Context(home=home, out=Output()))
    row = broken(unit, "time", "it took more than 1 s", Ended("time", 1))
    said.tell(Progress(7, 600, 1, 121.2, row))
    assert stream.getvalue() == "\r\x1b[K7 of 600 runs, 1 failed; 3m left"
