"""Shrinking: make a plan that fails smaller, until no part of it can be left out and the same check still fails.

Delta debugging over the steps (Zeller and Hildebrandt, 2002: "Simplifying and Isolating Failure-Inducing Input"), then
over the people. Any part of a plan is a plan, since what cannot be done is passed over. Each try is a run from the same
seed; a smaller plan draws other chances from it, so a try that passes by luck costs size, never truth: what is left was
seen to fail.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from simulations.plans import Plan, Step, made
from simulations.running import Result, run
from simulations.scenario import Bound

RUNS_MAX: Final = 400  # as many as `mesh sim shrink` takes


@dataclass(frozen=True, slots=True)
class Shrunk:
    """What is left of a plan, how it fails, and how many runs that took."""

    plan: Plan
    result: Result
    runs: int


def shrink(
    plan: Plan,
    seed: int,
    check: str,
    *,
    bounds: Mapping[str, Bound] | None = None,
    runs_max: int = RUNS_MAX,
    told: Callable[[int, int], None] | None = None,
) -> Shrunk:
    """Make a plan smaller that fails this check; AssertionError if it does not fail it. `told`: (runs, steps left)."""
    search = _Search(seed, check, bounds or {}, runs_max, told)
    result = search.fails(plan)
    assert result is not None, f"the plan does not fail `{check}`"
    plan, result = search.smaller(plan, result)
    return Shrunk(plan, result, search.runs)


@dataclass(slots=True)
class _Search:
    seed: int
    check: str
    bounds: Mapping[str, Bound]
    runs_max: int
    told: Callable[[int, int], None] | None
    runs: int = 0

    def fails(self, plan: Plan) -> Result | None:
        """Run a plan; return what came of it if the check fails."""
        self.runs += 1
        result = run(plan, self.seed, bounds=self.bounds)
        if self.told is not None:
            self.told(self.runs, len(plan.steps))
        return result if self.check in result.failed else None

    def smaller(self, plan: Plan, result: Result) -> tuple[Plan, Result]:
        """Leave out ever smaller pieces, then people of whom nothing is left, and begin again while that helps."""
        before = -1
        while before != len(plan.steps) and self.runs < self.runs_max:
            before = len(plan.steps)
            plan, result = self._fewer_steps(plan, result)
            plan, result = self._fewer_people(plan, result)
        return plan, result

    def _fewer_steps(self, plan: Plan, result: Result) -> tuple[Plan, Result]:
        size = max(1, len(plan.steps) // 2)
        while size and self.runs < self.runs_max:
            at = 0
            while at < len(plan.steps) and self.runs < self.runs_max:
                tried = plan.with_steps(plan.steps[:at] + plan.steps[at + size :])
                found = self.fails(tried)
                if found is None:
                    at += size
                else:
                    plan, result = tried, found
            size //= 2
        return plan, result

    def _fewer_people(self, plan: Plan, result: Result) -> tuple[Plan, Result]:
        for person in plan.people:
            if len(plan.people) == 1 or self.runs >= self.runs_max:
                break
            steps = [step for step in plan.steps if person.name not in _named(step)]
            people = tuple(other for other in plan.people if other is not person)
            tried = made(people, plan.weather, steps, plan.settle_s)
            found = self.fails(tried)
            if found is not None:
                plan, result = tried, found
        return plan, result


def _named(step: Step) -> set[str]:
    """Give everybody whom a step names."""
    values: Sequence[object] = list(step.args.values())
    return {name for value in values for name in (" ".join(value) if isinstance(value, tuple) else str(value)).split()}
