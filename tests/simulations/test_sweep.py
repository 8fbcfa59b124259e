"""Sweeps: a file for each run, what is there is not run again, what failed comes first, and each run has its limits."""

import json
from pathlib import Path

import pytest

from simulations import sweeping
from simulations.errors import PlanError
from simulations.memo import remembering
from simulations.running import run
from simulations.scenarios import names, scenario
from simulations.sweeping import Limits, Progress, again, carry_out, main, sweep, units_of

LOSING = """
people = 2
[bounds]
joins_ended = { least = 3 }
[[step]]
do = "gather"
group = "g"
"""


def test_each_run_leaves_one_file_and_is_not_run_again(tmp_path: Path) -> None:
    units = units_of(["restored-apart", "crash-at-every-commit"], range(2), {})
    first = sweep(units, tmp_path, workers=2)
    assert len(list(tmp_path.iterdir())) == len(units) == 4
    assert (first.present, first.failed) == (0, ())
    told: list[Progress] = []
    second = sweep(units, tmp_path, workers=2, told=told.append)
    assert (second.present, second.rows, told) == (4, first.rows, [])
    (tmp_path / units[0].file).write_text("{", encoding="utf-8")  # half a file is none
    assert sweep(units, tmp_path, workers=1).present == 3


def test_a_sweep_gives_what_a_run_gives_though_it_remembers_what_is_pure(tmp_path: Path) -> None:
    (unit,) = units_of(["restored-apart"], range(3, 4), {})
    one = scenario("restored-apart")
    plain = run(one.plan(3, dict(unit.given)), 3).digest
    with remembering():
        assert run(one.plan(3, dict(unit.given)), 3).digest == plain
    assert [row["digest"] for row in sweep([unit], tmp_path, workers=1).rows] == [plain]


def test_what_failed_before_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    losing = tmp_path / "losing.toml"
    losing.write_text(LOSING, encoding="utf-8")
    units = units_of([str(losing), "restored-apart"], range(1), {})
    out = tmp_path / "out"
    failed = sweep(units[::-1], out, workers=1).failed
    assert [again(row) for row in failed] == [f"mesh sim run {losing} --seed 0"]
    monkeypatch.setattr(sweeping, "code_name", lambda: "0" * 16)
    changed = units_of(["restored-apart", str(losing)], range(1), {})
    told: list[Progress] = []
    sweep(changed, out, workers=1, told=told.append)
    assert [progress.failed for progress in told] == [1, 1]


def test_a_run_has_so_much_time_and_breaks_alone() -> None:
    (unit,) = units_of(["flash-crowd"], range(1), {})
    row = carry_out(unit, Limits(seconds=0.05))
    assert (row["passed"], row["failed"]) == (False, [{"name": "time", "found": "it took more than 0.05 s"}])


def test_each_value_is_run_with_each_other() -> None:
    units = units_of(["restored-apart", "censor"], range(2), {"posts": (1.0, 2.0), "censors": (0.0, 1.0)})
    assert len(units) == 2 * 2 + 2 * 2 * 2
    with pytest.raises(PlanError, match="None of these scenarios has a parameter `crowd`"):
        units_of(["censor"], range(1), {"crowd": (1.0,)})


@pytest.mark.parametrize("name", names())
def test_a_small_size_is_one_of_the_scenario(name: str) -> None:
    one = scenario(name)
    assert all(one.small[key] < one.parameters[key] for key in one.small)


def test_by_hand(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["restored-apart", "--seeds", "1", "--set", "posts=1,2", "--workers", "1", "--out", str(tmp_path)]
    assert main(asked) == 0
    assert "2 of 2 runs passed, 0 were there already" in capsys.readouterr().out
    rows = [json.loads(path.read_text()) for path in tmp_path.iterdir()]
    assert sorted(row["parameters"]["posts"] for row in rows) == [1.0, 2.0]
    assert main(["sulk"]) == main(["censor", "--set", "posts"]) == 1
