"""Sweeps: a file for each run, what is there is not run again, what failed comes first, and each run has its limits."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import msgspec
import psutil
import pytest

from simulations.errors import PlanError
from simulations.memo import remembering
from simulations.pages.writing import report, report_rows
from simulations.running import run, written
from simulations.scenarios import names, scenario
from simulations.sweeping.child import carry_out
from simulations.sweeping.hands import Hands, here
from simulations.sweeping.rows import Ended, Failed, Limits, Row, broken, keep_row, last_rows, read_row
from simulations.sweeping.runners import Asked, Crew, Runner, own_name
from simulations.sweeping.sweep import Progress, present, sweep
from simulations.sweeping.units import Unit, again, units_of

CHEAP = "restored-apart"
LOSING = """
people = 2
[bounds]
joins_ended = { least = 3 }
[[step]]
do = "gather"
group = "g"
"""


@pytest.fixture(scope="module")
def hands() -> Iterator[Hands]:
    """Give two processes of this machine."""
    with here(2) as ready:
        yield ready


@pytest.fixture
def losing(tmp_path: Path) -> str:
    """Give a scenario that fails, as a file."""
    path = tmp_path / "losing.toml"
    path.write_text(LOSING, encoding="utf-8")
    return str(path)


def elsewhere(unit: Unit) -> Unit:
    """Give the same unit of other code."""
    return msgspec.structs.replace(unit, code="0" * 16)


def test_each_run_leaves_one_file_and_is_not_run_again(tmp_path: Path, hands: Hands) -> None:
    units = units_of([CHEAP, "crash-at-every-commit"], range(2), {})
    first = sweep(units, tmp_path, hands)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(unit.file for unit in units)
    assert (first.present, first.failed, len(units)) == (0, (), 4)
    assert first.cpu_s > 0
    told: list[Progress] = []
    second = sweep(units, tmp_path, hands, told=told.append)
    assert (second.present, second.rows, told) == (4, first.rows, [])


def test_a_sweep_gives_what_a_run_gives_though_it_remembers_what_is_pure(tmp_path: Path, hands: Hands) -> None:
    (unit,) = units_of([CHEAP], range(3, 4), {})
    one = scenario(CHEAP)
    plain = run(one.plan(3, dict(unit.given)), 3).digest
    with remembering():
        assert run(one.plan(3, dict(unit.given)), 3).digest == plain
    assert [row.digest for row in sweep([unit], tmp_path, hands).rows] == [plain]


@pytest.mark.parametrize(
    "there",
    [
        b"",
        b"{",
        b"null",
        b"[]" * 9,
        b"[" * 100_000,
        b"\xff\xfe",
        b"{}" + b" " * 2_000_000,
        b'{"scenario": "restored-apart", "seed": 0, "parameters": {}, "code": "CODE", "passed": true, "fig',
        b'{"scenario": "restored-apart", "seed": 1, "parameters": {}, "code": "CODE", "passed": true}',  # another seed
        b'{"scenario": "restored-apart", "seed": 0, "parameters": {"posts": 9}, "code": "CODE", "passed": true}',
        b'{"scenario": "restored-apart", "seed": 0, "parameters": {}, "code": "0000", "passed": true}',  # other code
        b'{"scenario": "restored-apart", "seed": 0, "parameters": {}, "code": "CODE", "passed": false}',  # and why?
        b'{"scenario": "restored-apart", "seed": 0, "parameters": {}, "code": "CODE", "passed": true, "digest": 7}',
    ],
)
def test_what_is_no_row_of_the_unit_counts_for_nothing(tmp_path: Path, there: bytes) -> None:
    (unit,) = units_of([CHEAP], range(1), {})
    whole = f'{{"scenario": "{CHEAP}", "seed": 0, "parameters": {{}}, "code": "{unit.code}", "passed": true}}'
    (tmp_path / unit.file).write_text(whole)
    assert list(present([unit], tmp_path, Limits())[0]) == [unit]
    (tmp_path / unit.file).write_bytes(there.replace(b"CODE", unit.code.encode()))
    assert list(present([unit], tmp_path, Limits())[1]) == [unit]


def test_what_failed_before_comes_first_whatever_the_code(tmp_path: Path) -> None:
    units = units_of([CHEAP, "censor"], range(3), {})
    keep_row(tmp_path / elsewhere(units[4]).file, broken(elsewhere(units[4]), "settles", "no"))
    keep_row(tmp_path / elsewhere(units[1]).file, msgspec.structs.replace(_passing(elsewhere(units[1]))))
    rows, rest = present(units, tmp_path, Limits())
    assert (rows, list(rest)) == ({}, [units[4], *units[:4], units[5]])


def _passing(unit: Unit) -> Row:
    return msgspec.structs.replace(broken(unit, "", ""), passed=True, failed=())


def test_a_failed_run_says_what_runs_it_again_and_changing_its_file_makes_it_another(
    tmp_path: Path, losing: str, hands: Hands
) -> None:
    units = units_of([losing], range(1), {})
    (row,) = sweep(units, tmp_path / "out", hands).failed
    assert (row.failed, row.again) == (
        (Failed("joins_ended is at least 3", "it is 1"),),
        f"mesh sim run {losing} --seed 0",
    )
    Path(losing).write_text(LOSING.replace("3", "1"), encoding="utf-8")
    changed = sweep(units_of([losing], range(1), {}), tmp_path / "out", hands)
    assert (changed.present, changed.failed) == (0, ())


def test_the_command_that_runs_it_again_is_one_for_a_shell() -> None:
    assert again("my own.toml", 3, {"loss": 0.1234567891, "posts": 5.0}) == (
        "mesh sim run 'my own.toml' --seed 3 --set loss=0.1234567891 --set posts=5"
    )


def test_a_run_that_takes_too_long_is_ended_and_run_again_only_when_it_may_take_longer(tmp_path: Path) -> None:
    units = units_of(["flash-crowd"], range(1), {"crowd": (100.0,)})
    with here(1) as hands:
        (row,) = sweep(units, tmp_path, hands, limits=Limits(seconds=0.2)).rows
        assert (row.failed, row.ended) == ((Failed("time", "it took more than 0.2 s"),), Ended("time", 0.2))
        assert sweep(units, tmp_path, hands, limits=Limits(seconds=0.1)).present == 1
    _, rest = present(units, tmp_path, Limits(seconds=0.3))
    assert list(rest) == units


def test_the_process_of_a_run_that_takes_too_long_is_killed_and_the_next_has_a_new_one() -> None:
    long, short = (Asked(asked[0], Limits(seconds=60), own_name()) for asked in (units_of(*_LONG), units_of(*_SHORT)))
    crew = Crew()
    came = crew.run(msgspec.structs.replace(long, limits=Limits(seconds=0.2)))
    assert came.row is not None
    assert came.row.ended == Ended("time", 0.2)
    assert (crew.idle, crew.all) == ([], [])
    after = crew.run(short)
    assert after.row is not None
    assert after.row.passed
    (runner,) = crew.idle
    crew.end()
    assert runner.process.wait(timeout=20) == -signal.SIGKILL


_LONG = (["flash-crowd"], range(1), {"crowd": (100.0,)})
_SHORT: tuple[list[str], range, dict[str, tuple[float, ...]]] = ([CHEAP], range(1), {})


def test_a_run_has_so_much_memory_and_one_that_wants_more_is_told() -> None:
    crew = Crew()
    (unit,) = units_of(*_LONG)
    came = crew.run(Asked(unit, Limits(mib=128), own_name()))
    crew.end()
    assert came.row is not None
    assert (came.row.failed, came.row.ended) == (
        (Failed("memory", "it took more than 128 MiB"),),
        Ended("memory", 128),
    )
    assert crew.all == [], "nobody knows what is whole in a process that had no memory"


def test_a_process_that_is_ended_from_outside_fails_its_run_alone() -> None:
    runner = Runner.start()
    os.kill(runner.process.pid, signal.SIGKILL)
    (unit,) = units_of(*_LONG)
    came = runner.run(Asked(unit, Limits(), own_name()))
    assert came.row is not None
    assert came.row.failed == (Failed("process", "its process was ended by signal 9"),)
    assert came.row.ended == Ended("process")
    assert not came.row.ended.holds(Limits()), "it is run again"


def test_a_process_goes_when_its_asker_does_in_the_middle_of_a_run() -> None:
    runner = Runner.start()
    assert runner.process.stdin is not None
    runner.process.stdin.write(msgspec.json.encode(Asked(units_of(*_LONG)[0], Limits(), own_name())) + b"\n")
    runner.process.stdin.close()
    assert runner.process.wait(timeout=20) == 0
    runner.end()


def test_after_a_sweep_no_process_is_left(tmp_path: Path) -> None:
    before = set(psutil.Process().children(recursive=True))
    with here(2) as hands:
        sweep(units_of([CHEAP], range(2), {}), tmp_path, hands)
        ours = set(psutil.Process().children(recursive=True)) - before
        assert len(ours) == 2
    assert psutil.wait_procs(list(ours), timeout=20)[1] == []


def test_other_code_is_refused_before_it_runs() -> None:
    crew = Crew()
    (unit,) = units_of(*_SHORT)
    came = crew.run(Asked(elsewhere(unit), Limits(), msgspec.structs.replace(own_name(), code="0" * 16)))
    assert came.row is None
    assert "here is code 0000000000000000" in came.refused
    assert (crew.idle, crew.all) == ([], [])


def test_a_node_that_breaks_down_says_so_in_the_same_words_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_: object, **__: object) -> None:
        raise ValueError(f"no such thing as {object()}")

    monkeypatch.setattr("simulations.sweeping.child.run", breaks)
    (unit,) = units_of(*_SHORT)
    row = carry_out(unit, Limits())
    assert row.failed == (Failed("runs", "ValueError: no such thing as <object object at 0x…>"),)


def test_each_value_is_run_with_each_other_once() -> None:
    units = units_of([CHEAP, "censor", CHEAP], range(2), {"posts": (1.0, 2.0, 1.0), "censors": (0.0, 1.0)})
    assert len(units) == len(set(units)) == len({unit.file for unit in units}) == 2 * 2 + 2 * 2 * 2
    assert [unit.seed for unit in units] == sorted(unit.seed for unit in units)


@pytest.mark.parametrize(
    ("wanted", "seeds", "given", "said"),
    [
        (["censor"], range(1), {"crowd": (1.0,)}, "None of these scenarios has a parameter `crowd`"),
        (["censor"], range(1), {"posts": (float("nan"),)}, "is from 0 to"),
        (["censor"], range(0), {}, "there is one at least"),
        (["censor"], range(-1, 1), {}, "whole numbers from 0"),
        (["censor"], range(2**63, 2**63 + 1), {}, "whole numbers from 0"),
        (["censor"], range(1_000_001), {}, "at most 1000000 runs"),
        (["sulk"], range(1), {}, "No scenario is called `sulk`"),
        (["sulk.toml"], range(1), {}, "cannot be read"),
    ],
)
def test_what_cannot_be_swept_is_said_before_anything_is_run(
    wanted: list[str], seeds: range, given: dict[str, tuple[float, ...]], said: str
) -> None:
    with pytest.raises(PlanError, match=said):
        units_of(wanted, seeds, given)


def test_a_long_name_of_a_file_is_cut() -> None:
    unit = Unit(scenario=f"{'a' * 250}.toml", given=(), seed=0, code="0" * 16, own="people = 2")
    assert len(unit.file) < 120
    assert Unit(scenario="../é b/;$x.toml", given=(), seed=0, code="0" * 16, own="x").file.startswith("__x-0-")


@pytest.mark.parametrize("name", names())
def test_a_small_size_is_one_of_the_scenario(name: str) -> None:
    one = scenario(name)
    assert all(one.small[key] < one.parameters[key] for key in one.small)


def test_a_row_is_written_as_it_is_read(tmp_path: Path) -> None:
    (unit,) = units_of(*_SHORT)
    row = carry_out(unit, Limits())
    keep_row(tmp_path / unit.file, row)
    assert read_row(tmp_path / unit.file) == row
    assert (tmp_path / unit.file).read_text() == written(msgspec.to_builtins(row))
    assert [path.name for path in tmp_path.iterdir()] == [unit.file]


def test_the_page_of_a_sweep_names_what_failed_with_what_runs_it_again(tmp_path: Path) -> None:
    units = units_of(["censor"], range(2), {"posts": (1.0, 2.0)})
    rows = [_passing(units[0]), broken(units[1], "settles", "<script>alert(1)</script>")]
    for unit, row in zip(units, rows, strict=False):
        keep_row(tmp_path / unit.file, row)
    page = report_rows(tmp_path, rows).read_text()
    assert "mesh sim run censor --seed 0 --set posts=2" in page
    assert "censor (posts 1)" in page
    assert "<script>" not in page
    assert report(tmp_path) == (tmp_path / "report.html", 2)
    assert (tmp_path / "report.html").read_text() == page
    newer = elsewhere(units[0])
    keep_row(tmp_path / newer.file, _passing(newer))
    os.utime(tmp_path / newer.file, ns=(2**62, 2**62))
    assert [row.code for row in last_rows(tmp_path)] == [newer.code], "of the code that ran last alone"
