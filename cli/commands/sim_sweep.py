"""`sim sweep`: many runs at once, a file for each; on this machine, or on a cluster of one's own."""

import math
import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Annotated, Final

from cyclopts import Parameter

from cli.context import Context
from cli.durations import format_duration
from cli.live import Live
from cli.options import Flag, Here, WordOrNone, WordsOrNone
from cli.seeds import read_seeds
from cli.words import tell, tell_many
from mesh.errors import Exit, LocalError
from mesh.node.local.protocol import JsonObject, JsonValue
from mesh.phrases import phrase

if TYPE_CHECKING:
    from simulations.sweeping.hands import Hands
    from simulations.sweeping.rows import Limits, Row
    from simulations.sweeping.sweep import Progress, Swept

OUT: Final = Path("sweep")
SEEDS: Final = "0..20"
LOCAL: Final = "local"
JOBS_MAX: Final = 512
LIMIT_S: Final = 120.0
LIMIT_MIB: Final = 2_048
SAID_MAX: Final = 20  # runs that failed and are told one by one; the page has more, the files all
LINE_EVERY_S: Final = 10.0  # where there is no terminal


def sweep(
    *names: str,
    seeds: Annotated[str, Parameter(metavar="A..B")] = SEEDS,
    nodes: Annotated[int | None, Parameter(metavar="N")] = None,
    set_: Annotated[WordsOrNone, Parameter(metavar="K=V", negative="")] = None,
    full: Flag = False,
    out: Annotated[Path, Parameter(metavar="DIR")] = OUT,
    jobs: Annotated[int | None, Parameter(metavar="N")] = None,
    limit_s: Annotated[float, Parameter(metavar="S")] = LIMIT_S,
    limit_mib: Annotated[int, Parameter(metavar="M")] = LIMIT_MIB,
    executor: Annotated[WordOrNone, Parameter(metavar="local|dask://HOST:PORT")] = None,
    context: Here,
) -> int:
    """Run scenarios with many seeds at once. The exit status is 1 if any run failed.

    Each run leaves one file, named by its scenario, seed, parameters and code. What is there is not run again, so a
    sweep that was stopped goes on where it was. What failed last time comes first.

    mesh sim sweep
    mesh sim sweep partition-heal censor --seeds 0..200 --set members=5,9
    mesh sim sweep --executor dask://10.0.0.7:8786

    Parameters
    ----------
    names
        Which scenarios, by name or file in TOML. All, if none is named.
    seeds
        Which seeds: 0..20 are twenty, from 0 to 19.
    nodes
        How many members there are at first, in the place of the scenario's own number.
    set_
        A value, or several (K=1,2), as often as you like. Each is run with each other.
    full
        Run scenarios at their full size, and not at the small one that they have for sweeps.
    out
        Where the files and the page are kept.
    jobs
        How many runs at once. Left out, as many as there are processors.
    limit_s
        How many seconds one run may take. It is ended then, and counts as failed.
    limit_mib
        How many MiB of memory one run may take.
    executor
        Who runs them: this machine, or a Dask cluster. It needs `make dask`, and the same code on each machine. Use
        it with machines that are all yours: whoever runs a Dask scheduler can run anything on them.
    """
    from simulations.pages.writing import report_rows
    from simulations.sweeping.sweep import sweep as carry_out
    from simulations.sweeping.units import units_of

    hands, limits = _hands(executor or LOCAL, jobs), _limits(limit_s, limit_mib)
    units = units_of(names, read_seeds(seeds), _values(set_ or ()), nodes=_nodes(nodes), small=not full)
    said = _Said(context)
    try:
        with hands as ready:
            swept = carry_out(units, out, ready, limits=limits, told=said.tell)
    except KeyboardInterrupt:
        said.live.clear()
        kept = tell("Stopped. What is done is kept in {folder}, and the same command goes on.", folder=str(out))
        context.out.insist(kept)
        raise
    finally:
        said.live.clear()
    page = report_rows(out, swept.rows)
    context.out.result({**_as_json(swept, out, page), "executor": executor or LOCAL}, _lines(swept, page))
    return Exit.FAILED if swept.failed else Exit.OK


# ---------------------------------------------------------------- what is asked


def _hands(executor: str, jobs: int | None) -> "AbstractContextManager[Hands]":
    from simulations.sweeping.hands import cluster, here, scheduler

    if jobs is not None and not 1 <= jobs <= JOBS_MAX:
        raise LocalError(phrase("--jobs is from 1 to {most}.", most=JOBS_MAX), code="E-USAGE")
    if executor == LOCAL:
        return here(jobs or os.cpu_count() or 1)
    scheduler(executor)
    return cluster(executor, jobs)


def _limits(seconds: float, mib: int) -> "Limits":
    from simulations.sweeping.rows import MIB_LEAST, MIB_MOST, SECONDS_MOST, Limits

    if not math.isfinite(seconds) or not 0 < seconds <= SECONDS_MOST:
        raise LocalError(
            phrase("--limit-s is a number of seconds above 0, {most} at most.", most=f"{SECONDS_MOST:g}"),
            code="E-USAGE",
        )
    if not MIB_LEAST <= mib <= MIB_MOST:
        raise LocalError(
            phrase("--limit-mib is from {least} to {most}.", least=MIB_LEAST, most=MIB_MOST), code="E-USAGE"
        )
    return Limits(seconds=seconds, mib=mib)


def _nodes(nodes: int | None) -> int | None:
    from simulations.plans import PEOPLE_MAX

    if nodes is not None and not 1 <= nodes <= PEOPLE_MAX:
        raise LocalError(phrase("--nodes is from 1 to {most}.", most=PEOPLE_MAX), code="E-USAGE")
    return nodes


def _values(pairs: Sequence[str]) -> dict[str, tuple[float, ...]]:
    given: dict[str, tuple[float, ...]] = {}
    for pair in pairs:
        key, _, values = pair.partition("=")
        try:
            given[key] = (*given.get(key, ()), *(float(value) for value in values.split(",")))
        except ValueError as error:
            raise LocalError(
                phrase("“{typed}” is no NAME=VALUE with a number.", typed=pair[:40]), code="E-USAGE"
            ) from error
    return given


# ---------------------------------------------------------------- what is said


@dataclass(slots=True)
class _Said:
    """What is said while a sweep goes on: what fails, and how far it is: in place on a terminal, else now and then."""

    context: Context
    live: Live = field(init=False)
    next_s: float = 0.0

    def __post_init__(self) -> None:
        self.live = Live.on(self.context.out)

    def tell(self, progress: "Progress") -> None:
        """Say what came last, if it failed, and how far the sweep is."""
        if not progress.row.passed:
            self.live.clear()
            self.context.out.say(_verdict(progress.row))
        if self.live.stream is not None:
            self.live.show(lambda: _so_far(progress))
        elif progress.done == progress.all or monotonic() >= self.next_s:
            self.next_s = monotonic() + LINE_EVERY_S
            self.context.out.say(_so_far(progress))


def _so_far(progress: "Progress") -> str:
    return tell(
        "{done} of {all} runs, {failed} failed; {left} left",
        done=progress.done,
        all=progress.all,
        failed=progress.failed,
        left=_about(progress.left_s),
    )


def _about(seconds: float) -> str:
    """Write a span as it is said of what one waits for: seconds up to two minutes, then whole minutes."""
    whole = math.ceil(seconds)
    return format_duration(whole if whole <= 120 else 60 * -(-whole // 60))


def _verdict(row: "Row") -> str:
    return tell("{scenario}, seed {seed}: {verdict}", scenario=row.scenario, seed=row.seed, verdict=tell("FAILED"))


def _failed(row: "Row") -> Iterator[str]:
    yield _verdict(row)
    for check in row.failed:
        yield tell("  failed: {check}: {found}", check=check.name, found=check.found)
    yield tell("  again: {command}", command=row.again)


def _lines(swept: "Swept", page: Path) -> Iterator[str]:
    for row in swept.failed[:SAID_MAX]:
        yield from _failed(row)
    if (more := len(swept.failed) - SAID_MAX) > 0:
        yield tell_many("… and {count} more that failed", "… and {count} more that failed", count=more)
    passed, every = len(swept.rows) - len(swept.failed), len(swept.rows)
    yield tell("{passed} of {all} runs passed.", passed=passed, all=every)
    if swept.present:
        yield tell_many("{count} was there already.", "{count} were there already.", count=swept.present)
    if swept.present < every:
        cpu = f"{swept.cpu_s:.0f}"
        yield tell("It took {wall}, and {cpu} s of processors.", wall=_about(swept.wall_s), cpu=cpu)
    yield tell("The page is at {path}.", path=str(page))


def _as_json(swept: "Swept", out: Path, page: Path) -> JsonObject:
    failures: list[JsonValue] = [
        {
            "scenario": row.scenario,
            "seed": row.seed,
            "parameters": {**row.parameters},
            "checks": [{"name": check.name, "found": check.found} for check in row.failed],
            "ended": None if row.ended is None else row.ended.by,
            "again": row.again,
        }
        for row in swept.failed
    ]
    return {
        "sweep": {
            "runs": len(swept.rows),
            "passed": len(swept.rows) - len(swept.failed),
            "failed": len(swept.failed),
            "present": swept.present,
            "code": swept.rows[0].code,
            "cpu_s": round(swept.cpu_s, 1),
            "wall_s": round(swept.wall_s, 1),
        },
        "failures": failures,
        "out": str(out),
        "report": str(page),
    }
