"""Sweeps: many runs at once, each of which leaves one file, so that what is there already is not run again.

A unit is a scenario, parameters, a seed and the code: its file bears that name. Units that failed before come first.
Each run has a limit of time and of memory, and breaks alone. The runs go on in as many processes as there are
processors; which process takes which changes nothing of what comes of them. `make sweep` is all scenarios at their
small sizes, with 20 seeds.
"""

import argparse
import json
import resource
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import blake2b
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from types import FrameType
from typing import Final, TypeAlias

from simulations.errors import PlanError
from simulations.measures import Json
from simulations.memo import remember
from simulations.own import read_own
from simulations.running import code_name, run, written
from simulations.scenario import Scenario
from simulations.scenarios import names, scenario

UNITS_MAX: Final = 1_000_000
LIMIT_S: Final = 120.0
LIMIT_MIB: Final = 2_048
_MIB: Final = 1024 * 1024

Row: TypeAlias = dict[str, Json]


@dataclass(frozen=True, slots=True)
class Unit:
    """One run of a sweep. `scenario`: a name, or the path of a file in TOML."""

    scenario: str
    given: tuple[tuple[str, float], ...]
    seed: int
    code: str

    @property
    def stem(self) -> str:
        """How its file begins, whatever the code."""
        said = json.dumps([self.scenario, self.given, self.seed])
        return f"{Path(self.scenario).stem}-{self.seed}-{blake2b(said.encode(), digest_size=4).hexdigest()}"

    @property
    def file(self) -> str:
        """The name of its file."""
        return f"{self.stem}-{self.code}.json"


@dataclass(frozen=True, slots=True)
class Limits:
    """What one run may take."""

    seconds: float = LIMIT_S
    mib: int = LIMIT_MIB


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a sweep has come. `left_s`: how long it will still take, as it has gone so far."""

    done: int
    all: int
    failed: int
    left_s: float


@dataclass(frozen=True, slots=True)
class Swept:
    """What came of a sweep: each unit's row, in the order of the units, and how many were there already."""

    rows: tuple[Row, ...]
    present: int

    @property
    def failed(self) -> tuple[Row, ...]:
        """The rows of the runs that did not pass."""
        return tuple(row for row in self.rows if not row["passed"])


def found(name: str) -> Scenario:
    """Give a scenario by its name, or from a file in TOML; PlanError if there is none."""
    return read_own(Path(name)) if name.endswith(".toml") else scenario(name)


def again(row: Row) -> str:
    """Give the command that runs a row's unit again."""
    given = row["parameters"]
    pairs = [f"--set {name}={value}" for name, value in given.items()] if isinstance(given, dict) else []
    return " ".join(["mesh sim run", str(row["scenario"]), "--seed", str(row["seed"]), *pairs])


def units_of(
    wanted: Iterable[str], seeds: range, given: Mapping[str, tuple[float, ...]], *, small: bool = True
) -> list[Unit]:
    """Give every unit: scenarios, seeds, and each value of each parameter with each of the others.

    A scenario takes those parameters that it has, and is drawn at its small size unless that is switched off. PlanError
    for a parameter that none of them has, and for more units than a sweep may have.
    """
    units: list[Unit] = []
    chosen = {name: found(name) for name in wanted}
    for key in given:
        if not any(key in one.parameters for one in chosen.values()):
            raise PlanError(f"None of these scenarios has a parameter `{key}`.")
    for name, one in chosen.items():
        values = {key: tuple(some) for key, some in given.items() if key in one.parameters}
        base = {**(one.small if small else {})}
        for some in product(*values.values()):
            parameters = {**base, **dict(zip(values, some, strict=True))}
            one.plan(seeds[0], parameters)  # what cannot be drawn is told before anything is run
            units += [Unit(name, tuple(sorted(parameters.items())), seed, code_name()) for seed in seeds]
        if len(units) > UNITS_MAX:
            raise PlanError(f"A sweep has at most {UNITS_MAX} runs.")
    return sorted(units, key=lambda unit: unit.seed)


# ---------------------------------------------------------------- one unit


class _TooLong(BaseException):
    """A run's time is over; nothing that runs in it takes this for its own."""


def carry_out(unit: Unit, limits: Limits) -> Row:
    """Run one unit in the main thread of a process; what goes wrong in it is in its row."""
    began = time.process_time()
    row: Row = {"scenario": unit.scenario, "seed": unit.seed, "parameters": dict(unit.given), "code": unit.code}
    try:
        with _within(limits):
            row |= _run(unit)
    except _TooLong:
        row |= _broken("time", f"it took more than {limits.seconds:g} s")
    except MemoryError:
        row |= _broken("memory", f"it took more than {limits.mib} MiB")
    except Exception as broken:  # noqa: BLE001 - a node that breaks down is what a sweep is to find
        row |= _broken("runs", f"{type(broken).__name__}: {broken}"[:500])
    return {**row, "cpu_s": round(time.process_time() - began, 3)}


def _run(unit: Unit) -> Row:
    one = found(unit.scenario)
    result = run(one.plan(unit.seed, dict(unit.given)), unit.seed, scenario=one.name, bounds=one.bounds)
    checks: list[Json] = [{"name": check.name, "found": check.found} for check in result.checks if not check.passed]
    return {
        "passed": result.passed,
        "digest": result.digest,
        "failed": checks,
        "figures": dict(result.figures),
        "code": result.code,
    }


def _broken(check: str, why: str) -> Row:
    return {"passed": False, "digest": "", "failed": [{"name": check, "found": why}], "figures": {}}


@contextmanager
def _within(limits: Limits) -> Iterator[None]:
    """Hold what happens to limits. The memory's is the process's; macOS does not hold to it."""

    def over(_signal: int, _frame: FrameType | None) -> None:
        raise _TooLong

    before = resource.getrlimit(resource.RLIMIT_AS)
    hard = before[1]
    most = limits.mib * _MIB if hard == resource.RLIM_INFINITY else min(limits.mib * _MIB, hard)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (most, hard))
    handler = signal.signal(signal.SIGALRM, over)
    signal.setitimer(signal.ITIMER_REAL, limits.seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_AS, before)


# ---------------------------------------------------------------- all of them


def sweep(
    units: Iterable[Unit],
    out: Path,
    *,
    workers: int | None = None,
    limits: Limits | None = None,
    told: Callable[[Progress], None] | None = None,
) -> Swept:
    """Carry out what is not there yet, and keep each row in `out`. PlanError where it cannot be done."""
    asked, limits = list(units), limits or Limits()
    out.mkdir(parents=True, exist_ok=True)
    rows = {unit: row for unit in asked if (row := _read(out / unit.file)) is not None}
    present, failed_before = len(rows), _failed_before(out)
    rest = sorted((unit for unit in asked if unit not in rows), key=lambda unit: unit.stem not in failed_before)
    if rest:
        began = time.monotonic()
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=remember) as pool:
            futures: dict[Future[Row], Unit] = {pool.submit(carry_out, unit, limits): unit for unit in rest}
            for future in as_completed(futures):
                unit, row = futures[future], _result(future)
                rows[unit] = row
                _write(out / unit.file, row)
                if told is not None:
                    done, failed = len(rows), sum(not one["passed"] for one in rows.values())
                    each = (time.monotonic() - began) / (done - present)
                    told(Progress(done, len(asked), failed, each * (len(asked) - done)))
    return Swept(tuple(rows[unit] for unit in asked), present)


def _result(future: Future[Row]) -> Row:
    try:
        return future.result()
    except BrokenProcessPool as broken:
        raise PlanError("A process of the sweep was ended from outside. What was done is kept.") from broken


def _failed_before(out: Path) -> frozenset[str]:
    """Give the stems of units that failed when they were last run, under whatever code."""
    found = {}
    for path in sorted(out.glob("*.json"), key=lambda path: path.stat().st_mtime):
        row = _read(path)
        if row is not None:
            found[path.stem.rpartition("-")[0]] = bool(row["passed"])
    return frozenset(stem for stem, passed in found.items() if not passed)


def _read(path: Path) -> Row | None:
    """Read a row; None where there is none, or half of one."""
    try:
        row = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return row if isinstance(row, dict) and {"passed", "failed", "digest", "code"} <= row.keys() else None


def _write(path: Path, row: Row) -> None:
    """Keep a row, whole or not at all."""
    half = path.with_suffix(".part")
    half.write_text(written(row), encoding="utf-8")
    half.replace(path)


# ---------------------------------------------------------------- by hand


def main(arguments: list[str]) -> int:
    """Sweep, and print what failed with what runs it again; 1 if anything did."""
    parser = argparse.ArgumentParser(prog="python -m simulations.sweeping", description=__doc__)
    parser.add_argument("names", nargs="*", help="which scenarios, by name or file in TOML; all if none is named")
    parser.add_argument("--seeds", type=int, default=20, help="how many, from 0 on")
    parser.add_argument("--set", action="append", default=[], metavar="K=V[,V]", help="a parameter's values")
    parser.add_argument("--full", action="store_true", help="at their full size")
    parser.add_argument("--out", type=Path, default=Path("sweep"), help="where the files are kept")
    parser.add_argument("--workers", type=int, help="how many at once; as many as there are processors")
    parser.add_argument("--seconds", type=float, default=LIMIT_S, help="what one run may take")
    parser.add_argument("--mib", type=int, default=LIMIT_MIB, help="memory that one run may take")
    asked = parser.parse_args(arguments)
    try:
        units = units_of(asked.names or names(), range(asked.seeds), _values(asked.set), small=not asked.full)
        limits = Limits(asked.seconds, asked.mib)
        swept = sweep(units, asked.out, workers=asked.workers, limits=limits, told=_tell)
    except PlanError as wrong:
        print(wrong.what)
        return 1
    for row in swept.failed:
        print(f"{row['scenario']}, seed {row['seed']}: {json.dumps(row['failed'])[:400]}\n  again: {again(row)}")
    cpu_s = sum(cost for row in swept.rows if isinstance(cost := row.get("cpu_s"), float))
    passed, every = len(swept.rows) - len(swept.failed), len(swept.rows)
    print(f"{passed} of {every} runs passed, {swept.present} were there already; {cpu_s:.0f} s of processors.")
    return 1 if swept.failed else 0


def _values(pairs: list[str]) -> dict[str, tuple[float, ...]]:
    found: dict[str, tuple[float, ...]] = {}
    for pair in pairs:
        key, _, values = pair.partition("=")
        try:
            found[key] = tuple(float(value) for value in values.split(","))
        except ValueError as error:
            raise PlanError(f"`{pair[:40]}` is no NAME=VALUE with a number.") from error
    return found


def _tell(progress: Progress) -> None:
    if progress.done == progress.all or progress.done % max(1, progress.all // 20) == 0:
        said = f"{progress.done} of {progress.all}, {progress.failed} failed, {progress.left_s:.0f} s left"
        print(said, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
