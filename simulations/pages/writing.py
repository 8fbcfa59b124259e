"""Writing: the pages beside what they tell of. `report.html` in a run's folder, and one in the folder of several."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from simulations.errors import PlanError
from simulations.pages.reading import Outcome, Verdict, is_run, read_latencies, read_outcome, read_run, runs_below
from simulations.pages.run_page import run_page
from simulations.pages.sweep_page import Swept, sweep_page
from simulations.sweeping.rows import Row, last_rows

REPORT: Final = "report.html"
TIMES_MAX: Final = 1_000_000  # arrivals in the picture of several runs


def report(folder: Path) -> tuple[Path, int]:
    """Write the page of a run, of a sweep, or of all runs below a folder; return where it is, and of how many it tells.

    Of a sweep, the runs of the code that ran last. PlanError where nothing is kept, where what is kept is no run, or
    where nothing can be written.
    """
    if is_run(folder):
        return _write(folder / REPORT, run_page(read_run(folder))), 1
    if rows := last_rows(folder):
        return report_rows(folder, rows), len(rows)
    found = [Swept(one, read_outcome(one)) for one in runs_below(folder)]
    return _write(folder / REPORT, sweep_page(found, _together(found))), len(found)


def report_rows(folder: Path, rows: Sequence[Row]) -> Path:
    """Write the page of a sweep; return where it is. PlanError where it cannot be written."""
    values: dict[str, dict[str, set[float]]] = {}
    for row in rows:
        for key, value in row.parameters.items():
            values.setdefault(row.scenario, {}).setdefault(key, set()).add(value)
    several = {name: sorted(key for key, some in keys.items() if len(some) > 1) for name, keys in values.items()}
    found = []
    for row in rows:
        pairs = ", ".join(f"{key} {row.parameters.get(key, 0):g}" for key in several.get(row.scenario, ()))
        outcome = Outcome(
            scenario=f"{row.scenario} ({pairs})" if pairs else row.scenario,
            seed=row.seed,
            digest=row.digest,
            passed=row.passed,
            checks=tuple(Verdict(name=check.name, passed=False, found=check.found) for check in row.failed),
            figures=dict(row.figures),
        )
        found.append(Swept(folder, outcome, row.again))
    return _write(folder / REPORT, sweep_page(found))


def _together(found: list[Swept]) -> list[int]:
    """Give how long all arrivals of all runs took, sorted, where all are of one scenario; of the first runs if many."""
    times: list[int] = []
    if len({run.outcome.name for run in found}) == 1:
        for run in found:
            if len(times) < TIMES_MAX:
                times += read_latencies(run.folder)
    return sorted(times)


def _write(path: Path, page: str) -> Path:
    try:
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise PlanError(f"The page cannot be written to {path}: {error.strerror}.") from error
    return path
