"""A sweep: units that are not there yet are carried out, and a row is kept of each as soon as it is known.

Units that failed before come first. Each run has a limit of time and of memory, and breaks alone; one that was ended by
a limit is run again once the limit is higher. Whenever a sweep is stopped, the same one goes on from what is there.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from simulations.errors import PlanError
from simulations.sweeping.hands import ClusterError, Hands
from simulations.sweeping.rows import Ended, Limits, Row, broken, failed_before, keep_row, read_row
from simulations.sweeping.runners import START_S, Asked, Came, own_name
from simulations.sweeping.units import Unit

LOOK_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a sweep has come, with the row that came last. `left_s`: what it will still take, as it went so far."""

    done: int
    all: int
    failed: int
    left_s: float
    row: Row


@dataclass(frozen=True, slots=True)
class Swept:
    """What came of a sweep: each unit's row, in the order of the units; how many were there; what the others took."""

    rows: tuple[Row, ...]
    present: int
    cpu_s: float
    wall_s: float

    @property
    def failed(self) -> tuple[Row, ...]:
        """The rows of the runs that did not pass."""
        return tuple(row for row in self.rows if not row.passed)


def sweep(
    units: Iterable[Unit],
    out: Path,
    hands: Hands,
    *,
    limits: Limits | None = None,
    told: Callable[[Progress], None] | None = None,
) -> Swept:
    """Carry out what is not there yet, and keep each row in `out`. PlanError where it cannot be done."""
    asked, limits = list(units), limits or Limits()
    began = time.monotonic()
    rows, rest = present(asked, out, limits)
    there, cpu_s, failed = len(rows), 0.0, sum(not row.passed for row in rows.values())
    for unit, came in _carried(rest, hands, limits):
        row = _row(unit, came)
        keep_row(out / unit.file, row)
        rows[unit], cpu_s, failed = row, cpu_s + came.cpu_s, failed + (not row.passed)
        if told is not None:
            each = (time.monotonic() - began) / (len(rows) - there)
            told(Progress(len(rows), len(asked), failed, each * (len(asked) - len(rows)), row))
    return Swept(tuple(rows[unit] for unit in asked), there, cpu_s, time.monotonic() - began)


def present(units: list[Unit], out: Path, limits: Limits) -> tuple[dict[Unit, Row], deque[Unit]]:
    """Give the rows that are there already, and the units to be run, those that failed before first.

    PlanError where `out` is no folder in which something can be kept.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        failed = failed_before(out)
    except OSError as error:
        raise PlanError(f"{out} is no folder in which runs can be kept: {error.strerror}.") from error
    rows = {
        unit: row
        for unit in units
        if (row := read_row(out / unit.file)) is not None
        and row.of(unit)
        and (row.ended is None or row.ended.holds(limits))
    }
    return rows, deque(sorted((unit for unit in units if unit not in rows), key=lambda unit: unit.stem not in failed))


def _carried(rest: deque[Unit], hands: Hands, limits: Limits) -> Iterable[tuple[Unit, Came]]:
    """Hand units over, so many at once, and give what comes of each as it comes."""
    name, under_way = own_name(), dict[Future[str], Unit]()
    heard_s = time.monotonic()
    while rest or under_way:
        while rest and len(under_way) < hands.at_once:
            unit = rest.popleft()
            text = msgspec.json.encode(Asked(unit, limits, name)).decode()
            under_way[hands.pool.submit(hands.carry, text)] = unit
        done = wait(under_way, timeout=LOOK_S, return_when=FIRST_COMPLETED).done
        if not done:
            hands.look()
            if time.monotonic() - heard_s > START_S + 3 * limits.seconds:
                raise ClusterError("Nothing has come for longer than runs may take. What was done is kept.")
        else:
            heard_s = time.monotonic()
        for future in done:
            unit = under_way.pop(future)
            yield unit, _came(unit, future)


def _came(unit: Unit, future: Future[str]) -> Came:
    try:
        came = msgspec.json.decode(future.result(), type=Came)
    except PlanError:
        raise
    except CancelledError as error:
        raise ClusterError("The cluster let go of what it had to do. What was done is kept.") from error
    except Exception as error:
        if type(error).__name__ == "KilledWorker":  # Dask's: one worker after the other ended in the midst of it
            return Came(broken(unit, "process", "every worker that ran it was ended", Ended("process")))
        said = f"{type(error).__name__}: {error}"[:300]
        raise ClusterError(f"A worker gave no answer that can be read: {said}. What was done is kept.") from error
    if came.refused:
        raise ClusterError(
            f"The code is not the same everywhere: {came.refused}. What was done is kept.",
            do="Where it changed while the sweep went on, start it again; else install the same version everywhere.",
        )
    return came


def _row(unit: Unit, came: Came) -> Row:
    if came.row is None or not came.row.of(unit):
        raise ClusterError(f"What came back is not of {unit.scenario}, seed {unit.seed}. What was done is kept.")
    return came.row
