"""Units: what a sweep is made of. One is a scenario, parameters, a seed and the code; its file bears that name."""

import json
import re
import shlex
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from itertools import product
from pathlib import Path
from typing import Annotated, Final

from msgspec import Meta, Struct

from simulations.errors import PlanError
from simulations.own import own_from, own_text
from simulations.running import code_name
from simulations.scenario import Scenario
from simulations.scenarios import names, scenario

UNITS_MAX: Final = 1_000_000
SEED_MAX: Final = 2**63 - 1  # what every reader of JSON takes for a whole number; ours
STEM_MAX: Final = 60  # characters of a scenario's name in that of a file


class Unit(Struct, frozen=True, kw_only=True):
    """One run of a sweep. `own`: the text of a scenario in TOML, whose file `scenario` names; else empty."""

    scenario: str
    given: tuple[tuple[str, float], ...]
    seed: Annotated[int, Meta(ge=0, le=SEED_MAX)]
    code: str
    own: str = ""

    @property
    def stem(self) -> str:
        """How its file begins, whatever the code."""
        said = json.dumps([self.scenario, self.given, self.seed, *([self.own] if self.own else [])])
        name = re.sub(r"[^\w.-]", "_", Path(self.scenario).stem)[:STEM_MAX]
        return f"{name}-{self.seed}-{blake2b(said.encode(), digest_size=4).hexdigest()}"

    @property
    def file(self) -> str:
        """The name of its file."""
        return f"{self.stem}-{self.code}.json"

    def found(self) -> Scenario:
        """Give its scenario; PlanError if there is none."""
        return own_from(self.own, Path(self.scenario)) if self.own else scenario(self.scenario)


def again(name: str, seed: int, given: Mapping[str, float]) -> str:
    """Give the command that runs a unit again, and keeps all that comes of it."""
    pairs = [part for key, value in given.items() for part in ("--set", f"{key}={_number(value)}")]
    return shlex.join(["mesh", "sim", "run", name, "--seed", str(seed), *pairs])


def _number(value: float) -> str:
    return f"{value:g}" if float(f"{value:g}") == value else repr(value)


def units_of(
    wanted: Iterable[str],
    seeds: range,
    given: Mapping[str, tuple[float, ...]],
    *,
    nodes: int | None = None,
    small: bool = True,
) -> list[Unit]:
    """Give every unit: scenarios (all, if none is wanted), seeds, and each value of each parameter with each other.

    A scenario takes those parameters that it has, and is drawn at its small size unless that is switched off; `nodes`
    is its own parameter for how many there are. PlanError for a parameter that none of them has, and for more units
    than a sweep may have. What was the smallest seed comes first.
    """
    if not seeds or seeds[0] < 0 or seeds[-1] > SEED_MAX:
        raise PlanError(f"Seeds are whole numbers from 0 to {SEED_MAX}, and there is one at least.")
    texts = {name: own_text(Path(name)) if name.endswith(".toml") else "" for name in wanted or names()}
    chosen = {name: own_from(text, Path(name)) if text else scenario(name) for name, text in texts.items()}
    for key in given:
        if not any(key in one.parameters for one in chosen.values()):
            raise PlanError(f"None of these scenarios has a parameter `{key}`.")
    drawn: list[tuple[str, tuple[tuple[str, float], ...]]] = []
    for name, one in chosen.items():
        base: dict[str, float] = {**(one.small if small else {}), **({} if nodes is None else {one.size: nodes})}
        values = {key: dict.fromkeys(some) for key, some in given.items() if key in one.parameters}
        for some in product(*values.values()):
            parameters = {**base, **dict(zip(values, some, strict=True))}
            one.plan(seeds[0], parameters)  # what cannot be drawn is told before anything is run
            drawn.append((name, tuple(sorted((key, float(value)) for key, value in parameters.items()))))
            if len(drawn) * len(seeds) > UNITS_MAX:
                raise PlanError(f"A sweep has at most {UNITS_MAX} runs.")
    code = code_name()
    return [
        Unit(scenario=name, given=parameters, seed=seed, code=code, own=texts[name])
        for seed in seeds
        for name, parameters in drawn
    ]
