"""Reading: what is kept of runs, checked on its way in, since a folder may come from anybody.

A page is drawn from files alone, so that one can be made of a run that was made elsewhere, and long ago.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, TypeAlias

import msgspec
from msgspec import Meta, Struct

from simulations.errors import PlanError
from simulations.keeping import BYTES, LATENCY, PAIRS, RESULT, WAY, Kept, kept
from simulations.measures import Hop

BYTES_MAX: Final = 32 * 1024 * 1024  # of one file
ROWS_MAX: Final = 1_000_000  # of one series
RUNS_MAX: Final = 20_000  # of one sweep's page
DEPTH: Final = 3  # folders below the one that is named

Count: TypeAlias = Annotated[int, Meta(ge=0, le=10**15)]
Number: TypeAlias = Annotated[float, Meta(ge=-1e15, le=1e15)]
Label: TypeAlias = Annotated[str, Meta(max_length=200)]


class Verdict(Struct, frozen=True):
    """One check, and what was found against it."""

    name: Label
    passed: bool
    found: str = ""


class Cost(Struct, frozen=True):
    """What one node sent and received, in bytes; message frames, and how many of them were new to it."""

    payload_up: Count = 0
    control_up: Count = 0
    payload_down: Count = 0
    control_down: Count = 0
    frames: Count = 0
    fresh: Count = 0


class Back(Struct, frozen=True):
    """What it took somebody who was down to have what was missed."""

    who: Label
    at_ms: Count
    took_ms: Count
    missed: Count
    bytes: Count
    round_trips: Count


class Outcome(Struct, frozen=True, kw_only=True):
    """`result.json`."""

    scenario: Label
    seed: int
    digest: Label
    passed: bool
    plan: Label = ""
    code: Label = ""
    locks: Label = ""
    checks: tuple[Verdict, ...] = ()
    figures: dict[Label, Number] = msgspec.field(default_factory=dict)
    passed_over: tuple[str, ...] = ()
    hops: dict[Label, Count] = msgspec.field(default_factory=dict)
    nodes: dict[Label, Cost] = msgspec.field(default_factory=dict)
    catch_up: tuple[Back, ...] = ()

    @property
    def name(self) -> str:
        """The scenario's name, or what stands for it."""
        return self.scenario or "plan"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """All that is kept of one run."""

    folder: Path
    kept: Kept
    outcome: Outcome
    latencies_ms: tuple[int, ...]
    series: tuple[tuple[int, int, int], ...]  # second, bytes of payload, all other bytes
    pairs: Mapping[tuple[str, str], int]
    way: tuple[Hop, ...]

    @property
    def seconds(self) -> float:
        """How long it lasted, in virtual time."""
        return max(0.0, self.outcome.figures.get("seconds", 0.0))


def read_outcome(folder: Path) -> Outcome:
    """Read the result of a run; PlanError for what is none."""
    try:
        return msgspec.json.decode(_bytes(folder / RESULT), type=Outcome)
    except msgspec.DecodeError as error:
        raise PlanError(f"What stands at {folder / RESULT} is no result of a run: {str(error)[:200]}") from error


def read_run(folder: Path) -> Run:
    """Read a run back; PlanError for what is none. Series that are not there are empty."""
    return Run(
        folder=folder,
        kept=kept(folder),
        outcome=read_outcome(folder),
        latencies_ms=tuple(sorted(read_latencies(folder))),
        series=tuple((second, payload, control) for second, payload, control in _numbers(folder / BYTES, 3)),
        pairs={(one, other): _number(count, folder / PAIRS) for one, other, count in _rows(folder / PAIRS, 3)},
        way=tuple(
            Hop(_number(left, folder / WAY), _number(at, folder / WAY), one, other, fresh == "1")
            for left, at, one, other, fresh in _rows(folder / WAY, 5)
        ),
    )


def is_run(folder: Path) -> bool:
    """Say whether a folder holds a run."""
    return (folder / RESULT).is_file()


def runs_below(folder: Path) -> list[Path]:
    """Find the folders of runs below a folder, in the order of their names; PlanError where there is none."""
    found: list[Path] = []
    for depth in range(1, DEPTH + 1):
        found += [path.parent for path in folder.glob(f"{'*/' * depth}{RESULT}")]
        if len(found) > RUNS_MAX:
            raise PlanError(f"Below {folder} stand more than {RUNS_MAX} runs.")
    runs = set(found)
    outer = [run for run in found if runs.isdisjoint(run.parents)]  # what a run was shrunk to lies within it
    if not outer:
        raise PlanError(f"Below {folder} stands no run. `mesh sim run` keeps one.")
    return sorted(outer)


def read_latencies(folder: Path) -> list[int]:
    """Read how long each arrival of a run took, in ms; PlanError for what is no such series."""
    return [number for (number,) in _numbers(folder / LATENCY, 1)]


def _bytes(path: Path) -> bytes:
    try:
        if path.stat().st_size > BYTES_MAX:
            raise PlanError(f"What stands at {path} is larger than {BYTES_MAX} B.")
        return path.read_bytes()
    except OSError as error:
        raise PlanError(f"What stands at {path} cannot be read: {error.strerror}.") from error


def _rows(path: Path, columns: int) -> Iterator[list[str]]:
    """Give the rows of a series without its heading."""
    if not path.is_file():
        return
    try:
        lines = _bytes(path).decode().splitlines()
    except UnicodeDecodeError as error:
        raise PlanError(f"What stands at {path} is no text.") from error
    if len(lines) > ROWS_MAX:
        raise PlanError(f"What stands at {path} has more than {ROWS_MAX} rows.")
    for number, line in enumerate(lines[1:], 2):
        cells = line.split(",")
        if len(cells) != columns or len(line) > 400:
            raise PlanError(f"Row {number} of {path} has not {columns} columns.")
        yield cells


def _numbers(path: Path, columns: int) -> Iterator[tuple[int, ...]]:
    for cells in _rows(path, columns):
        yield tuple(_number(cell, path) for cell in cells)


def _number(cell: str, path: Path) -> int:
    if not cell.isascii() or not cell.isdecimal() or len(cell) > 15:
        raise PlanError(f"In {path}, {cell[:20]!r} is no whole number.")
    return int(cell)
