"""Writing: the pages beside what they tell of. `report.html` in a run's folder, and one in the folder of several."""

from pathlib import Path
from typing import Final

from simulations.errors import PlanError
from simulations.pages.reading import is_run, read_latencies, read_outcome, read_run, runs_below
from simulations.pages.run_page import run_page
from simulations.pages.sweep_page import Swept, sweep_page

REPORT: Final = "report.html"
TIMES_MAX: Final = 1_000_000  # arrivals in the picture of several runs


def report(folder: Path) -> tuple[Path, int]:
    """Write the page of a run, or of all runs below a folder; return where it is, and of how many runs it tells.

    PlanError where nothing is kept, where what is kept is no run, or where nothing can be written.
    """
    if is_run(folder):
        return _write(folder / REPORT, run_page(read_run(folder))), 1
    found = [Swept(one, read_outcome(one)) for one in runs_below(folder)]
    return _write(folder / REPORT, sweep_page(found, _together(found))), len(found)


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
