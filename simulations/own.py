"""Scenarios of one's own, in TOML: who is there, what happens, and within which bounds it must end.

    name = "an-evening"
    question = "Does everybody have everything after an evening on a bad line?"
    people = 4                                   # wren, juniper, sorrel, tansy; or a list of names

    [weather]
    latency_ms = 80
    loss = 0.05

    [bounds]
    delivery_ratio = { least = 1.0 }

    [[step]]                                     # everybody comes in by a code of the first
    do = "gather"
    group = "evening"

    [[step]]                                     # somebody says something, every ten seconds for five minutes
    at_s = 20
    every_s = 10
    until_s = 320
    do = "post"
    who = "any"
    group = "evening"

    [[step]]
    at_s = 60
    do = "off"
    who = "wren"

`who = "any"` draws somebody anew for each time; `who = "each"` is everybody in turn. All other deeds are those of
`simulations/plans.py`, with the same arguments.
"""

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Final

from simulations.errors import PlanError
from simulations.keeping import bounds_from, plan_from, weather_from
from simulations.plans import PEOPLE_MAX, STEPS_MAX, checked_args
from simulations.scenario import Draft, Scenario, called

FILE_BYTES_MAX: Final = 1024 * 1024
TOP: Final = frozenset({"name", "question", "about", "people", "weather", "bounds", "settle_s", "step"})
ANY, EACH = "any", "each"


def read_own(path: Path) -> Scenario:
    """Read a scenario from a file; PlanError, with the place, for what is none."""
    return own_from(own_text(path), path)


def own_text(path: Path) -> str:
    """Read what stands in a scenario's file; PlanError where it cannot be read."""
    try:
        if path.stat().st_size > FILE_BYTES_MAX:
            raise PlanError(f"What stands at {path} is larger than {FILE_BYTES_MAX} B.")
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise PlanError(f"What stands at {path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise PlanError(f"What stands at {path} is no TOML: {error}.") from error


def own_from(text: str, path: Path) -> Scenario:
    """Make a scenario of the text of a file; PlanError, with the place, for what is none."""
    try:
        said = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise PlanError(f"What stands at {path} is no TOML: {error}.") from error
    return scenario_from(said, path.stem)


def scenario_from(said: dict[str, object], stem: str) -> Scenario:
    """Make a scenario of what a file says; PlanError for what is none."""
    if unknown := sorted(said.keys() - TOP):
        raise PlanError(f"The file has no place for `{unknown[0]}`. It has: {', '.join(sorted(TOP))}.")
    steps = said.get("step", [])
    if not isinstance(steps, list) or not all(isinstance(one, dict) for one in steps):
        raise PlanError("Steps are written as [[step]], each with `do`.")
    names = _names(said.get("people", 3))
    settle_s = said.get("settle_s", 120.0)
    if isinstance(settle_s, bool) or not isinstance(settle_s, int | float) or not 0 < settle_s <= 86_400:
        raise PlanError("`settle_s` is a number of seconds up to a day.")
    scenario = Scenario(
        name=_text(said, "name", stem),
        question=_text(said, "question", ""),
        about=_text(said, "about", ""),
        parameters={"people": len(names)},
        bounds=bounds_from(said.get("bounds", {})),
        draw=_drawing(names, said, [dict(one) for one in steps], float(settle_s)),
        most={"people": PEOPLE_MAX},
        size="people",
    )
    scenario.plan(0, {})  # whatever is wrong with it is said now
    return scenario


def _text(said: dict[str, object], name: str, default: str) -> str:
    value = said.get(name, default)
    if not isinstance(value, str) or len(value) > 1_000:
        raise PlanError(f"`{name}` is a text of at most 1000 characters.")
    return value


def _names(value: object) -> list[str]:
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= PEOPLE_MAX:
        return [called(number) for number in range(value)]
    if isinstance(value, list) and value and all(isinstance(name, str) for name in value):
        return [str(name) for name in value]
    raise PlanError(f"`people` is a number from 1 to {PEOPLE_MAX}, or a list of names.")


def _drawing(
    names: list[str], said: dict[str, object], steps: list[dict[str, object]], settle_s: float
) -> Callable[[Draft], None]:
    def draw(draft: Draft) -> None:
        count = draft.whole("people")
        everybody = [*names, *(called(number) for number in range(len(names), count))][:count]
        draft.weather, draft.settle_s = weather_from(said.get("weather", {})), settle_s
        draft.people = list(plan_from({"people": everybody}).people)
        for number, one in enumerate(steps, 1):
            _draw_step(draft, dict(one), f"step {number}")

    return draw


def _draw_step(draft: Draft, one: dict[str, object], where: str) -> None:
    at_s = _seconds(one.pop("at_s", None), f"{where}: `at_s`", draft.now_s)
    every_s = _seconds(one.pop("every_s", None), f"{where}: `every_s`", 0.0)
    until_s = _seconds(one.pop("until_s", None), f"{where}: `until_s`", at_s)
    do = one.pop("do", None)
    if not isinstance(do, str):
        raise PlanError(f"{where}: `do` names what is done.")
    if every_s and (until_s - at_s) / every_s > STEPS_MAX:
        raise PlanError(f"{where}: that is more than {STEPS_MAX} times.")
    draft.now_s = at_s
    while draft.now_s <= until_s:
        _do(draft, do, one, where)
        if not every_s:
            return
        draft.now_s += every_s


def _do(draft: Draft, do: str, one: dict[str, object], where: str) -> None:
    everybody = [person.name for person in draft.people]
    if do == "gather":
        if set(one) != {"group"} or not isinstance(one["group"], str):
            raise PlanError(f"{where}: `gather` needs `group`, and nothing else.")
        draft.gathers(everybody, group=one["group"])
        return
    wanted = one.get("who")
    who = everybody if wanted == EACH else [draft.dice.choice(everybody)] if wanted == ANY else [wanted]
    for name in who:
        said = one if wanted is None else {**one, "who": name}
        draft.does(do, **checked_args(do, said, where))


def _seconds(value: object, where: str, default: float) -> float:
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e9:
        raise PlanError(f"{where} is a number of seconds.")
    return float(value)
