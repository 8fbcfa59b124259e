"""What is kept of runs: a folder each, with the plan, the result and the series; and reading them back.

`DIR/NAME-SEED/` holds `plan.json` (all that a run needs beside its seed), `result.json`, and series as CSV: how long
each arrival took, bytes by the second, bytes by pair of nodes, and the way of one message.
A plan that somebody else wrote is checked like one of ours: whatever it says, it is a plan or PlanError.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final

from simulations.errors import PlanError
from simulations.plans import SECONDS_MAX, Plan, Somebody, Step, checked_args, made
from simulations.regions import WEIGHTS, Machine, Nat
from simulations.running import Result, written
from simulations.scenario import Bound
from simulations.weather import Weather

PLAN, RESULT = "plan.json", "result.json"
LATENCY, BYTES, PAIRS, WAY = "latency.csv", "bytes.csv", "pairs.csv", "way.csv"
PLAN_BYTES_MAX: Final = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Kept:
    """A run that was kept: what it needs to be run again, and what was said of it then."""

    path: Path
    scenario: str
    seed: int
    plan: Plan
    bounds: Mapping[str, Bound]
    result: Mapping[str, object]
    question: str = ""


def keep(out: Path, plan: Plan, result: Result, bounds: Mapping[str, Bound], question: str = "") -> Path:
    """Keep a run, with the question that it answers; return its folder."""
    folder = out / f"{result.scenario or 'plan'}-{result.seed}"
    folder.mkdir(parents=True, exist_ok=True)
    limits = {name: {"least": bound.least, "most": bound.most} for name, bound in bounds.items()}
    asked = {"question": question} if question else {}
    said = {"scenario": result.scenario, "seed": result.seed, **asked, "bounds": limits, **plan.to_json()}
    (folder / PLAN).write_text(written(said), encoding="utf-8")
    (folder / RESULT).write_text(written(result.to_json()), encoding="utf-8")
    for name, text in _series(result).items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def _series(result: Result) -> dict[str, str]:
    """Give the series of a run as CSV: each arrival, bytes by the second, bytes by pair, and the way of one message."""
    rows: dict[str, list[tuple[str | int, ...]]] = {LATENCY: [("ms",), *((time,) for time in result.latencies_ms)]}
    measures = result.measures
    if measures is not None:
        rows[BYTES] = [("second", "payload", "control")]
        rows[BYTES] += [(second, *counts) for second, counts in sorted(measures.series.items())]
        rows[PAIRS] = [("from", "to", "bytes"), *((*pair, count) for pair, count in sorted(measures.pairs.items()))]
        rows[WAY] = [("left_ms", "at_ms", "from", "to", "fresh")]
        rows[WAY] += [(hop.left_ms, hop.at_ms, hop.one, hop.other, int(hop.fresh)) for hop in measures.way]
    return {name: "".join(f"{','.join(map(str, row))}\n" for row in lines) for name, lines in rows.items()}


def kept(path: Path) -> Kept:
    """Read a run back, by its folder or its plan; PlanError for whatever is no run."""
    folder = path if path.is_dir() else path.parent
    said = _object(_read(folder / PLAN if path.is_dir() else path), str(path))
    result = _object(_read(folder / RESULT), RESULT) if (folder / RESULT).is_file() else {}
    seed = said.get("seed", 0)
    if not isinstance(seed, int) or isinstance(seed, bool):
        raise PlanError(f"In {path}, `seed` is a whole number.")
    scenario, question = str(said.get("scenario", "")), str(said.get("question", ""))
    return Kept(folder, scenario, seed, plan_from(said), _bounds(said.get("bounds", {})), result, question)


def _read(path: Path) -> object:
    try:
        if path.stat().st_size > PLAN_BYTES_MAX:
            raise PlanError(f"What stands at {path} is larger than {PLAN_BYTES_MAX} B.")
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise PlanError(f"What stands at {path} cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise PlanError(f"What stands at {path} is no JSON.") from error


def _object(value: object, where: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise PlanError(f"What stands at {where} is no object in JSON.")
    return {str(name): part for name, part in value.items()}


def _list(value: object, where: str) -> list[object]:
    if not isinstance(value, list):
        raise PlanError(f"{where} is no list.")
    return value


def _number(value: object, where: str, most: float = SECONDS_MAX, least: float = 0) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise PlanError(f"{where} is a number from {least:g} to {most:g}.")
    return value


def _bounds(value: object) -> dict[str, Bound]:
    found = {}
    for name, said in _object(value, "`bounds`").items():
        limits = _object(said, f"the bound of `{name}`")
        if unknown := limits.keys() - {"least", "most"}:
            raise PlanError(f"The bound of `{name}` has `least` and `most`, not `{min(unknown)}`.")
        sides = {side: _number(v, f"`{side}` of `{name}`", 1e15) for side, v in limits.items() if v is not None}
        found[name] = Bound(**sides)
    return found


def bounds_from(value: object) -> dict[str, Bound]:
    """Read bounds as a file gives them; PlanError for anything else."""
    return _bounds(value)


def plan_from(said: Mapping[str, object]) -> Plan:
    """Read a plan; PlanError for anything that is none."""
    people = tuple(_somebody(one) for one in _list(said.get("people", []), "`people`"))
    steps = [_step(one, number) for number, one in enumerate(_list(said.get("steps", []), "`steps`"), 1)]
    weather = weather_from(said.get("weather", {}))
    return made(people, weather, steps, _number(said.get("settle_s", 120.0), "`settle_s`"))


def weather_from(value: object) -> Weather:
    """Read a weather; PlanError for anything that is none."""
    said = _object(value, "`weather`")
    known = {field.name: field.type for field in fields(Weather)}
    if unknown := sorted(said.keys() - known.keys()):
        raise PlanError(f"`weather` has no `{unknown[0]}`. It has: {', '.join(known)}.")
    shares = {"loss": 0.95, "duplicates": 1.0, "reorder": 1.0}
    numbers = {name: _number(v, f"`{name}` of `weather`", shares.get(name, 3_600_000)) for name, v in said.items()}
    whole = {name: v if name in shares else round(v) for name, v in numbers.items()}
    return Weather(**whole)  # type: ignore[arg-type]  # names and ranges are checked above


def _somebody(value: object) -> Somebody:
    if isinstance(value, str):
        return Somebody(_name(value))
    said = _object(value, "somebody")
    skew = round(_number(said.get("skew_ms", 0), "`skew_ms`", 1e12, -1e12))
    return Somebody(_name(said.get("name")), skew, _machine(said.get("machine", {})))


def _name(value: object) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= 32 or not value.replace("-", "").isalnum():
        raise PlanError(f"A name is 1 to 32 letters, digits and `-`, not {json.dumps(value, default=str)[:40]}.")
    return value


def _machine(value: object) -> Machine:
    said = _object(value, "`machine`")
    if unknown := sorted(said.keys() - {field.name for field in fields(Machine)}):
        raise PlanError(f"`machine` has no `{unknown[0]}`.")
    region, nat = said.get("region", ""), said.get("nat", Nat.NONE.value)
    if region not in {"", *WEIGHTS}:
        raise PlanError(f"No region is called {json.dumps(region, default=str)[:40]}. There is: {', '.join(WEIGHTS)}.")
    if nat not in {kind.value for kind in Nat}:
        raise PlanError(f"`nat` is one of {', '.join(kind.value for kind in Nat)}.")
    speed = round(_number(said.get("kbit_s", 0), "`kbit_s`", 1e9))
    return Machine(str(region), speed, Nat(str(nat)), bool(said.get("relays", False)))


def _step(value: object, number: int) -> Step:
    where = f"step {number}"
    said = _object(value, where)
    at_s, do = _number(said.pop("at_s", None), f"{where}: `at_s`"), said.pop("do", None)
    if not isinstance(do, str):
        raise PlanError(f"{where}: `do` names what is done.")
    return Step(round(at_s, 3), do, checked_args(do, said, where))
