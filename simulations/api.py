"""The door for others: what a program, a notebook or a test may count on, to try its own ideas on a simulated network.

    from simulations.api import Weather, circle, watched

    world = watched(seed=1, weather=Weather(loss=0.1))
    gid, (wren, juniper) = circle(world, "wren", "juniper")

What is named here stays; all else in the package may change from one version to the next. Everything is of one process,
without threads and without a clock: time passes where `World.run` and `World.run_until` say so.
"""

from collections.abc import Mapping
from pathlib import Path

from mesh.errors import LocalError
from mesh.ids import GroupId, PostId
from simulations.bots import Heard, hears
from simulations.checks import Watch, agree, blamed, out_of_order, unread
from simulations.errors import PlanError
from simulations.keeping import keep, kept
from simulations.own import read_own
from simulations.pages.writing import report
from simulations.people import Code, Person, circle, gather
from simulations.plans import Plan, Somebody, Step, made, step
from simulations.running import Result, run
from simulations.scenario import Bound, Draft, Scenario
from simulations.scenarios import names, scenario
from simulations.verdicts import Check
from simulations.weather import CALM, Weather
from simulations.world import Crash, Crashed, Node, World

__all__ = [
    "CALM",
    "Bound",
    "Check",
    "Code",
    "Crash",
    "Crashed",
    "Draft",
    "GroupId",
    "Heard",
    "LocalError",
    "Node",
    "Person",
    "Plan",
    "PlanError",
    "PostId",
    "Result",
    "Scenario",
    "Somebody",
    "Step",
    "Watch",
    "Weather",
    "World",
    "agree",
    "blamed",
    "circle",
    "gather",
    "hears",
    "keep",
    "kept",
    "made",
    "names",
    "out_of_order",
    "read_own",
    "report",
    "run",
    "scenario",
    "step",
    "try_scenario",
    "unread",
    "watched",
]


def watched(seed: int, weather: Weather = CALM) -> World:
    """Make a world in which every claim of every node is compared with what is so, after every step.

    AssertionError from `World.run` and from whatever a person asks, in the step in which something is not so.
    """
    world = World(seed, weather)
    Watch.over(world)
    return world


def try_scenario(
    name: str | Path, seed: int = 0, given: Mapping[str, float] | None = None, out: Path | None = None
) -> Result:
    """Run a scenario by its name, or a file in TOML, with some of its parameters given anew.

    Where `out` is said, the run and its page are kept in a folder of its own there. PlanError for a scenario or a
    parameter that there is not; what is wrong with the network is in the result.
    """
    one = read_own(Path(name)) if str(name).endswith(".toml") else scenario(str(name))
    plan = one.plan(seed, given or {})
    result = run(plan, seed, scenario=one.name, bounds=one.bounds)
    if out is not None:
        report(keep(out, plan, result, one.bounds, one.question))
    return result
