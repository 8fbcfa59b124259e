"""A plugin for pytest: the fixture `mesh_world`, a simulated network for each test, under as many seeds as one likes.

It comes with the package and is there wherever that is installed. It imports nothing of the simulator before a test
asks for it.

    def test_my_bot(mesh_world):
        world = mesh_world(loss=0.1)
        gid, (wren, bot) = circle(world, "wren", "bot")

`pytest --mesh-seeds 0..20` runs such a test under twenty seeds; a failing one is run again by `--mesh-seeds 7..8`.
"""

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from simulations.world import World

SEEDS_MAX: Final = 10_000
WORLDS: Final = pytest.StashKey[list["World"]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --mesh-seeds."""
    said = "seeds for tests that ask for mesh_world: 0..20 are twenty, from 0 to 19"
    parser.getgroup("mesh").addoption("--mesh-seeds", metavar="A..B", default="0..1", help=said)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that asks for a seed once for each."""
    if "mesh_seed" in metafunc.fixturenames:
        metafunc.parametrize("mesh_seed", _seeds(str(metafunc.config.getoption("--mesh-seeds"))))


def _seeds(said: str) -> range:
    first, dots, last = said.partition("..")
    plain = all(part.isascii() and part.isdecimal() and len(part) < 10 for part in (first, last))
    if not dots or not plain or not 1 <= int(last) - int(first) <= SEEDS_MAX:
        raise pytest.UsageError(f"--mesh-seeds is a range of at most {SEEDS_MAX} seeds, as 0..20 is, not {said[:40]}")
    return range(int(first), int(last))


@pytest.fixture
def mesh_world(request: pytest.FixtureRequest, mesh_seed: int) -> "Callable[..., World]":
    """Give a function that makes a world, watched in every step: `mesh_world(loss=0.1, latency_ms=80)`.

    What it takes is what `simulations.weather.Weather` takes. Worlds of one test have one seed.
    """
    from simulations.api import Weather, watched  # noqa: PLC0415 - a test that asks for none must not pay for it

    worlds = request.node.stash.setdefault(WORLDS, [])

    def make(**weather: float) -> "World":
        world = watched(mesh_seed, Weather(**weather))  # type: ignore[arg-type]  # as Weather's own fields say
        worlds.append(world)
        return world

    return make


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Say of a test that failed what names its worlds."""
    told = yield
    worlds = item.stash.get(WORLDS, [])
    if told.when == "call" and told.failed and worlds:
        lines = [f"seed {w.seed}, after {w.now_ms} ms of virtual time, digest {w.digest[:16]}" for w in worlds]
        again = f"again: --mesh-seeds {worlds[0].seed}..{worlds[0].seed + 1}"
        told.sections.append(("simulated network", "\n".join([*lines, again])))
    return told
