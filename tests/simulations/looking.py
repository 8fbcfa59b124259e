"""Look for whatever fails: every scenario at its own size, seed after seed; print the first run that fails, as JSON."""

import argparse
import json
from typing import TypeAlias

from simulations.running import run
from simulations.scenarios import names, scenario
from simulations.shrinking import shrink

Told: TypeAlias = dict[str, str | int | list[str]]


def first_failure(seeds: range, only: list[str]) -> Told:
    """Give the first run that fails; empty if none does. A node that breaks down fails too."""
    runs = 0
    for seed in seeds:
        for name in only or names():
            one, runs = scenario(name), runs + 1
            check, found = "", ""
            try:
                result = run(one.plan(seed, {}), seed, scenario=name, bounds=one.bounds)
                check, found = next(((one.name, one.found) for one in result.checks if not one.passed), ("", ""))
            except Exception as broken:  # noqa: BLE001 - whatever a planted fault makes a node raise
                check, found = "a node breaks down", repr(broken)
            if check:
                return {"scenario": name, "seed": seed, "check": check, "found": found[:200], "runs": runs}
    return {}


def smaller(name: str, seed: int, check: str, runs_max: int) -> list[str]:
    """Make a run that fails small; give its steps as lines, under a line that names the weather and the people."""
    one = scenario(name)
    small = shrink(one.plan(seed, {}), seed, check, bounds=one.bounds, runs_max=runs_max)
    people = " ".join(somebody.name for somebody in small.plan.people)
    found = next(one.found for one in small.result.checks if one.name == check)
    return [f"people: {people}", *(str(step).strip() for step in small.plan.steps), f"{check}: {found}"[:200]]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("only", nargs="*")
    parser.add_argument("--seeds", type=int, default=1, help="how many")
    parser.add_argument("--seed", type=int, help="this one alone")
    parser.add_argument("--shrink", type=int, default=0, help="make what fails small, in so many runs at most")
    asked = parser.parse_args()
    told = first_failure(range(asked.seeds) if asked.seed is None else range(asked.seed, asked.seed + 1), asked.only)
    if told and asked.shrink and told["check"] != "a node breaks down":
        told["small"] = smaller(str(told["scenario"]), int(str(told["seed"])), str(told["check"]), asked.shrink)
    print(json.dumps(told))
