"""Plans: what happens in a network, as data. People, their weather, and steps in a small closed vocabulary.

A scenario makes a plan from a seed; a file in TOML is one too. A stage carries it out: the simulator's world
(`simulations/stage.py`), or real processes. As a plan is data it can be kept beside what came of it, run again, and
made smaller step by step until only what a failure needs is left.

A step names people, groups, codes and posts by labels that the plan gives them, never by ids. What cannot be done when
its time has come, because somebody is down or was never let in, is passed over and noted: so any part of a plan is a
plan.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from typing import Final, TypeAlias

from simulations.errors import PlanError
from simulations.regions import PLAIN, Machine
from simulations.weather import CALM, Weather

Argument: TypeAlias = str | int | float | bool | tuple[str, ...]

STEPS_MAX: Final = 100_000
PEOPLE_MAX: Final = 2_000
SECONDS_MAX: Final = 400 * 86_400  # a year and a month of virtual time
LABEL_CHARS_MAX: Final = 64
TEXT_CHARS_MAX: Final = 4_000

# What may be done, with what: argument -> its type; a name with ? may be left out.
DEEDS: Final[Mapping[str, Mapping[str, type]]] = {
    # groups
    "found": {"who": str, "group": str, "settings?": tuple},
    "enter": {"who": str, "group": str, "by": str},  # a code of one use goes from `by` to `who`, who uses it at once
    "invite": {"who": str, "group": str, "code": str, "uses?": int, "hours?": int, "approvals?": int},
    "join": {"who": str, "code": str, "via?": str},  # looks, and knocks once the group is found
    "revoke": {"who": str, "code": str},
    "admit": {"who": str, "group": str},  # whoever waits at the door
    "remove": {"who": str, "group": str, "member": str},
    "rank": {"who": str, "group": str, "member": str, "rank": str},
    "leave": {"who": str, "group": str, "wipe?": bool},
    "rekey": {"who": str, "group": str},
    "fork": {"who": str, "group": str, "new": str, "without?": tuple},
    "follow": {"who": str, "group": str, "new": str},
    # words
    "post": {"who": str, "group": str, "says?": str, "chars?": int, "expires_s?": int}
    | {"warns?": str, "may_leave?": bool},  # behind which content warning; whether others may export it
    "withdraw": {"who": str, "says": str},
    "flag": {"who": str, "says": str},
    # what members do for each other, by the local Api: `mesh help` says more of each
    "read": {"who": str, "group": str},
    "open": {"who": str, "says": str},  # what stands behind a warning
    "report": {"who": str, "says": str},
    "report-withdraw": {"who": str, "group": str},  # whatever they reported there
    "report-answer": {"who": str, "group": str},  # whatever report waits for them
    "quiet": {"who": str, "group": str, "member": str, "for_s?": int},
    "lift": {"who": str, "group": str, "member": str},
    "share-ask": {"who": str, "says": str},
    "share-grant": {"who": str, "says": str, "to?": str},  # to whom of those who asked, or `all`
    "share-withdraw": {"who": str, "says": str},
    "export": {"who": str, "group": str},
    "listen-offer": {"who": str, "group": str},
    "listen-ask": {"who": str, "group": str, "direct?": bool},
    "listen-accept": {
        "who": str,
        "group": str,
        "talk": str,
        "direct?": bool,
    },  # `talk` is the group for two from then on
    "listen-end": {"who": str, "group": str, "talk": str},
    "circle-open": {"who": str, "group": str, "turn_s?": int},
    "circle-join": {"who": str, "group": str},
    "circle-next": {"who": str, "group": str},  # begins it, or moves it on
    "circle-say": {"who": str, "group": str, "says?": str},
    "circle-pass": {"who": str, "group": str},
    "circle-close": {"who": str, "group": str},
    # keepers
    "keep": {"who": str, "quota?": int, "days?": int},
    "use": {"who": str, "group": str, "keeper": str},
    # machines
    "off": {"who": str},
    "on": {"who": str},
    "power-cut": {"who": str},
    "crash": {"who": str, "commits?": int, "sends?": int, "how?": str},  # at the so-many-th from now on
    "save": {"who": str},  # a copy of the disk
    "restore": {"who": str},  # the copy comes back
    "lose": {"who": str},  # the disk is lost: the machine starts anew, as nobody
    "clock": {"who": str, "ahead_s": float},
    # paths
    "cut": {"one": str, "other": str},
    "clog": {"one": str, "other": str},  # what goes from one to the other waits
    "flap": {"one": str, "other": str},
    "partition": {"sides": tuple},  # each side: names with spaces between them
    "heal": {},
    "weather": {"latency_ms?": int, "jitter_ms?": int, "loss?": float},
    "mark": {},  # what is counted between two of them is given for each second: `idle_bytes_s`
    # members who misbehave
    "misbehave": {"who": str, "how": str, "group": str, "times?": int},
}
HOW_TO_CRASH: Final = ("before", "after", "power")
RANKS: Final = ("steward", "moderator", "member")


@dataclass(frozen=True, slots=True)
class Step:
    """One deed at one moment of virtual time."""

    at_s: float
    do: str
    args: Mapping[str, Argument] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """Give an argument that is a text; empty where it was left out."""
        value = self.args.get(name, "")
        assert isinstance(value, str)
        return value

    def number(self, name: str, default: int = 0) -> int:
        """Give an argument that is a whole number."""
        value = self.args.get(name, default)
        assert isinstance(value, int)
        return value

    def __str__(self) -> str:
        """Say it in a line."""
        said = " ".join(f"{name}={' | '.join(v) if isinstance(v, tuple) else v}" for name, v in self.args.items())
        return f"{self.at_s:9.2f} s  {self.do:<10} {said}".rstrip()


@dataclass(frozen=True, slots=True)
class Somebody:
    """Someone in a plan: their name, how far their clock is off, and where and how their machine stands."""

    name: str
    skew_ms: int = 0
    machine: Machine = PLAIN


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All that a run needs beside its seed."""

    people: tuple[Somebody, ...]
    weather: Weather = CALM
    steps: tuple[Step, ...]
    settle_s: float = 120.0  # how long all may take to agree after the last step, with every path mended

    @property
    def name(self) -> str:
        """A name for the plan: the same words give the same name. 16 hexadecimal digits."""
        return blake2b(json.dumps(self.to_json(), sort_keys=True).encode(), digest_size=8).hexdigest()

    def to_json(self) -> dict[str, object]:
        """Give it as JSON."""
        return {
            "people": [asdict(person) for person in self.people],
            "weather": asdict(self.weather),
            "steps": [{"at_s": step.at_s, "do": step.do, **_lists(step.args)} for step in self.steps],
            "settle_s": self.settle_s,
        }

    def with_steps(self, steps: tuple[Step, ...]) -> "Plan":
        """Give the same plan with other steps."""
        return Plan(people=self.people, weather=self.weather, steps=steps, settle_s=self.settle_s)


def _lists(args: Mapping[str, Argument]) -> dict[str, object]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in args.items()}


# ---------------------------------------------------------------- making steps


def step(at_s: float, do: str, **args: Argument) -> Step:
    """Make a step; PlanError for a deed or an argument that there is not."""
    return Step(round(float(at_s), 3), do, checked_args(do, args, f"a step `{do}`"))


def checked_args(do: str, args: Mapping[str, object], where: str) -> dict[str, Argument]:
    """Check a deed's arguments, and bring lists and whole numbers into their shape."""
    if do not in DEEDS:
        raise PlanError(f"{where}: nothing is called `{do}`. There is: {', '.join(sorted(DEEDS))}.")
    wanted = {name.removesuffix("?"): kind for name, kind in DEEDS[do].items()}
    needed = [name for name in DEEDS[do] if not name.endswith("?")]
    if missing := [name for name in needed if name not in args]:
        raise PlanError(f"{where}: `{do}` needs {' and '.join(f'`{name}`' for name in missing)}.")
    if unknown := [name for name in args if name not in wanted]:
        known = ", ".join(wanted) or "nothing"
        raise PlanError(f"{where}: `{do}` does not know `{unknown[0]}`. It takes: {known}.")
    return {name: _checked(value, wanted[name], f"{where}: `{name}`") for name, value in args.items()}


def _checked(value: object, kind: type, where: str) -> Argument:
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if kind is tuple and isinstance(value, list | tuple):
        if not all(isinstance(part, str) and len(part) <= TEXT_CHARS_MAX for part in value):
            raise PlanError(f"{where} is a list of texts.")
        return tuple(str(part) for part in value)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        names = {str: "a text", int: "a whole number", float: "a number", bool: "true or false", tuple: "a list"}
        raise PlanError(f"{where} is {names[kind]}, not {json.dumps(value, default=str)[:40]}.")
    if isinstance(value, str) and len(value) > TEXT_CHARS_MAX:
        raise PlanError(f"{where} is longer than {TEXT_CHARS_MAX} characters.")
    assert isinstance(value, str | int | float | bool)
    return value


def made(people: tuple[Somebody, ...], weather: Weather, steps: list[Step], settle_s: float = 120.0) -> Plan:
    """Make a plan: steps in the order of time, those of one moment as given. PlanError if it cannot be one."""
    if not people or len(people) > PEOPLE_MAX:
        raise PlanError(f"A plan has 1 to {PEOPLE_MAX} people, not {len(people)}.")
    if len({person.name for person in people}) != len(people):
        raise PlanError("Two people of a plan have one name.")
    if len(steps) > STEPS_MAX:
        raise PlanError(f"A plan has at most {STEPS_MAX} steps, not {len(steps)}.")
    names = {person.name for person in people}
    for one in steps:
        _check_place(one, names)
    return Plan(people=people, weather=weather, steps=tuple(sorted(steps, key=lambda one: one.at_s)), settle_s=settle_s)


def _check_place(one: Step, names: set[str]) -> None:
    if not 0 <= one.at_s <= SECONDS_MAX:
        raise PlanError(f"`{one.do}` happens at {one.at_s} s; a plan goes from 0 to {SECONDS_MAX} s.")
    for role in ("who", "by", "member", "keeper", "one", "other", "via"):
        if (name := one.text(role)) and name not in names:
            raise PlanError(f"`{one.do}` at {one.at_s} s: nobody is called `{name}`.")
    sides = one.args.get("sides", ())
    for name in " ".join(sides if isinstance(sides, tuple) else ()).split():
        if name not in names:
            raise PlanError(f"`{one.do}` at {one.at_s} s: nobody is called `{name}`.")
    for role, known in (("rank", RANKS), ("how", HOW_TO_CRASH if one.do == "crash" else ())):
        if (value := one.text(role)) and known and value not in known:
            raise PlanError(f"`{one.do}` at {one.at_s} s: `{role}` is one of {', '.join(known)}.")
    for role, label in one.args.items():
        if role in {"group", "code", "says", "new", "talk", "warns"} and len(str(label)) > LABEL_CHARS_MAX:
            raise PlanError(f"`{one.do}` at {one.at_s} s: `{role}` is longer than {LABEL_CHARS_MAX} characters.")
