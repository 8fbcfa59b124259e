"""Every scenario there is: one file each, found by its name with `_` for `-`."""

from importlib import import_module
from pkgutil import iter_modules

from simulations.errors import PlanError
from simulations.scenario import Scenario


def names() -> list[str]:
    """Name every scenario, in the order of the alphabet."""
    return sorted(module.name.replace("_", "-") for module in iter_modules(__path__))


def scenario(name: str) -> Scenario:
    """Give a scenario; PlanError if nothing is called so."""
    if name not in names():
        raise PlanError(f"No scenario is called `{name}`. There is: {', '.join(names())}.")
    found = import_module(f"{__name__}.{name.replace('-', '_')}").SCENARIO
    assert isinstance(found, Scenario)
    return found
