"""Rows: what is kept of each run of a sweep, a file for each. The same unit gives the same bytes, wherever it ran.

What differs from one time to the next (how long a processor took) is therefore not in it. A row that came from a file
or over a wire is checked like anything that somebody else wrote.
"""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Final, Literal, TypeAlias

import msgspec
from msgspec import Meta, Struct

from simulations.errors import PlanError
from simulations.running import written
from simulations.sweeping.units import SEED_MAX, Unit, again

ROW_BYTES_MAX: Final = 1024 * 1024
ROWS_MAX: Final = 20_000  # on one page
FOUND_MAX: Final = 500  # characters of what was found against a check
SECONDS_MOST: Final = 86_400.0
MIB_LEAST, MIB_MOST = 128, 1024 * 1024  # a process alone takes some 60

Number: TypeAlias = Annotated[int, Meta(ge=-(10**15), le=10**15)] | Annotated[float, Meta(ge=-1e15, le=1e15)]
Label: TypeAlias = Annotated[str, Meta(max_length=4096)]


class Limits(Struct, frozen=True, kw_only=True):
    """What one run may take: seconds by the wall's clock, and memory of its process in MiB."""

    seconds: Annotated[float, Meta(gt=0, le=SECONDS_MOST)] = 120.0
    mib: Annotated[int, Meta(ge=MIB_LEAST, le=MIB_MOST)] = 2_048


class Failed(Struct, frozen=True):
    """A check that a run did not pass, and what was found."""

    name: Label
    found: Label


class Ended(Struct, frozen=True):
    """Why a run came to no end of its own: a limit, with what it was, or its process did not survive."""

    by: Literal["time", "memory", "process"]
    limit: Number = 0

    def holds(self, limits: Limits) -> bool:
        """Say whether it would end in this way again under these limits."""
        most: dict[str, Number] = {"time": limits.seconds, "memory": limits.mib}
        return self.by in most and most[self.by] <= self.limit


class Row(Struct, frozen=True, kw_only=True):
    """What came of one unit. `failed` names the checks that it did not pass; `figures`: measures by name."""

    scenario: Label
    seed: Annotated[int, Meta(ge=0, le=SEED_MAX)]
    parameters: dict[Label, Number]
    code: Label
    passed: bool
    digest: Label = ""
    failed: tuple[Failed, ...] = ()
    figures: dict[Label, Number] = {}
    ended: Ended | None = None

    @property
    def again(self) -> str:
        """The command that runs it again."""
        return again(self.scenario, self.seed, self.parameters)

    def of(self, unit: Unit) -> bool:
        """Say whether it tells of this unit."""
        mine = (self.scenario, self.seed, self.code, tuple(sorted(self.parameters.items())))
        return mine == (unit.scenario, unit.seed, unit.code, unit.given)


def broken(unit: Unit, name: str, found: str, ended: Ended | None = None) -> Row:
    """Give the row of a unit that came to no result."""
    failed = (Failed(name, found[:FOUND_MAX]),)
    parameters: dict[str, Number] = dict(unit.given)
    return Row(
        scenario=unit.scenario,
        seed=unit.seed,
        parameters=parameters,
        code=unit.code,
        passed=False,
        failed=failed,
        ended=ended,
    )


def read_row(path: Path) -> Row | None:
    """Read a row; None where there is none, half of one, or something else."""
    try:
        if path.stat().st_size > ROW_BYTES_MAX:
            return None
        row = msgspec.json.decode(path.read_bytes(), type=Row)
    except (OSError, msgspec.DecodeError, RecursionError):
        return None
    return row if row.passed != bool(row.failed) else None


def keep_row(path: Path, row: Row) -> None:
    """Keep a row, whole or not at all; PlanError where it cannot be kept."""
    half = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        half.write_text(written(msgspec.to_builtins(row)), encoding="utf-8")
        half.replace(path)
    except OSError as error:
        raise PlanError(f"What came of a run cannot be kept in {path.parent}: {error.strerror}.") from error


def failed_before(out: Path) -> frozenset[str]:
    """Give the stems of units that failed when they were last run, under whatever code."""
    found = {}
    for path in sorted(files(out), key=lambda path: path.stat().st_mtime):
        row = read_row(path)
        if row is not None:
            found[path.stem.rpartition("-")[0]] = row.passed
    return frozenset(stem for stem, passed in found.items() if not passed)


def last_rows(out: Path) -> list[Row]:
    """Give the rows in a folder that are of the code that ran last, in the order of their seeds; none if there is none.

    PlanError where there are more than a page may tell of.
    """
    found = {path: row for path in files(out) if (row := read_row(path)) is not None}
    if not found:
        return []
    code = found[max(found, key=lambda path: path.stat().st_mtime)].code
    rows = [row for row in found.values() if row.code == code]
    if len(rows) > ROWS_MAX:
        raise PlanError(f"In {out} stand more than {ROWS_MAX} runs.")
    return sorted(rows, key=lambda row: (row.seed, row.scenario))


def files(out: Path) -> Iterable[Path]:
    """Give every file in a folder that may be a row."""
    return (path for path in out.glob("*-*-*-*.json") if path.is_file())
