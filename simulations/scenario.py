"""Scenarios: a question put to a network, how a plan for it is drawn from a seed, and within which bounds it must end.

A scenario is a claim with a seed: it is true for this plan, or there is a run that shows that it is not.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from simulations.chance import seeded_dice
from simulations.errors import PlanError
from simulations.plans import Plan, Somebody, Step, made, step
from simulations.regions import Machine
from simulations.weather import CALM, Weather

Parameters: TypeAlias = Mapping[str, int | float]

NAMES: Final = (
    *("wren", "juniper", "sorrel", "tansy", "alder", "rowan", "hazel", "linden", "clover", "heron"),
    *("fern", "willow", "maple", "thrush", "aspen", "yarrow", "briar", "finch", "laurel", "moss"),
)
GROUP: Final = "circle"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """What a measure may be: `least`, `most` or both. Of one that a run does not have (nobody joined), nothing."""

    least: float | None = None
    most: float | None = None

    def holds(self, value: float) -> bool:
        """Say whether a value is within."""
        return (self.least is None or value >= self.least) and (self.most is None or value <= self.most)

    def __str__(self) -> str:
        """Say it in words."""
        words = [f"at least {self.least:g}" if self.least is not None else ""]
        words.append(f"at most {self.most:g}" if self.most is not None else "")
        return " and ".join(filter(None, words)) or "anything"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A question, and the networks in which it is put."""

    name: str
    question: str
    about: str  # what happens, for somebody who has never seen it
    parameters: Parameters  # with what holds where nobody says otherwise
    bounds: Mapping[str, Bound]
    draw: Callable[["Draft"], None]
    most: Parameters = field(default_factory=dict)  # the largest that a parameter may be
    small: Parameters = field(default_factory=dict)  # what differs in a sweep, where many are run at once
    size: str = "members"  # the parameter that says how many nodes there are: `--nodes`

    def plan(self, seed: int, given: Parameters) -> Plan:
        """Draw a plan. PlanError for a parameter that the scenario does not have, or that is out of its range."""
        for name, value in given.items():
            if name not in self.parameters:
                known = ", ".join(sorted(self.parameters))
                raise PlanError(f"No parameter of {self.name} is called `{name}`. There is: {known}.")
            if not 0 <= value <= self.most.get(name, 1_000):
                raise PlanError(f"`{name}` of {self.name} is from 0 to {self.most.get(name, 1_000):g}, not {value:g}.")
        draft = Draft({**self.parameters, **given}, seeded_dice(seed, f"plan/{self.name}"))
        self.draw(draft)
        return made(tuple(draft.people), draft.weather, draft.steps, draft.settle_s)


@dataclass(slots=True)
class Draft:
    """A plan that is being drawn. `now_s` is the time at which the next step will stand."""

    parameters: Parameters
    dice: random.Random
    weather: Weather = CALM
    people: list[Somebody] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    settle_s: float = 120.0
    now_s: float = 0.0

    def whole(self, name: str) -> int:
        """Give a parameter as a whole number."""
        return round(self.parameters[name])

    def does(self, do: str, **args: str | float | bool | tuple[str, ...]) -> None:
        """Add a step at this time."""
        self.steps.append(step(self.now_s, do, **args))

    def waits(self, seconds: float) -> None:
        """Let time pass."""
        self.now_s += seconds

    def comes(self, name: str = "", *, skew_ms: int = 0, machine: Machine | None = None) -> str:
        """Add somebody; return their name."""
        name = name or called(len(self.people))
        self.people.append(Somebody(name, skew_ms, machine or Machine()))
        return name

    def circle(self, count: int, *, group: str = GROUP, settle_s: float = 5.0) -> list[str]:
        """Add people who found a group and all come in; return their names, the founder's first."""
        return self.gathers([self.comes() for _ in range(count)], group=group, settle_s=settle_s)

    def gathers(self, names: list[str], *, group: str = GROUP, settle_s: float = 5.0) -> list[str]:
        """Have people who are there found a group and all come in; return their names, the founder's first."""
        self.does("found", who=names[0], group=group)
        for name in names[1:]:
            self.does("enter", who=name, group=group, by=names[0])
            self.waits(1.0)
        self.waits(settle_s)
        return names

    def talks(self, names: list[str], count: int, over_s: float, *, group: str = GROUP) -> None:
        """Have people say something, one after the other, at drawn times within so many seconds from now."""
        began = self.now_s
        for at in sorted(self.dice.uniform(0, over_s) for _ in range(count)):
            self.now_s = began + at
            self.does("post", who=self.dice.choice(names), group=group, chars=self.dice.choice((20, 80, 240, 900)))
        self.now_s = began + over_s


def called(number: int) -> str:
    """Name the number-th person: wren, juniper, …, wren-2."""
    return NAMES[number % len(NAMES)] + (f"-{number // len(NAMES) + 1}" if number >= len(NAMES) else "")
