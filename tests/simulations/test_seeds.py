"""One seed is one run: the same digest in any process and under any hash seed, and another one for another seed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from simulations.checks import Watch, agree, blamed, out_of_order, unread
from simulations.people import circle
from simulations.running import run
from simulations.sweeping.hands import Hands, cluster, here
from simulations.sweeping.sweep import sweep
from simulations.sweeping.units import Unit, units_of
from simulations.weather import Weather
from simulations.world import World
from tests.simulations import dasks

ROOT = Path(__file__).resolve().parent.parent.parent
RUN = """
import random, sys
from simulations.people import circle
from simulations.weather import Weather
from simulations.world import World
first, last, control = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "control"
for seed in range(first, last):
    world = World(seed, Weather(loss=0.1))
    gid, (wren, juniper, sorrel) = circle(world, "wren", "juniper", "sorrel")
    world.partition(("wren",), ("juniper", "sorrel"))
    wren.post(gid, f"alone {random.random() if control else 0.5}")
    juniper.post(gid, "with sorrel")
    world.run(20)
    world.heal()
    world.run(60)
    print(world.digest)
"""

DAY = """
people = 3
[weather]
loss = 0.1
[[step]]
do = "gather"
group = "g"
[[step]]
at_s = 20
do = "partition"
sides = ["wren", "juniper sorrel"]
[[step]]
at_s = 21
do = "post"
who = "any"
group = "g"
[[step]]
at_s = 40
do = "heal"
"""


def digests(first: int, last: int, hash_seed: str, *, control: bool = False) -> list[str]:
    """Run small days in a process of its own; `control` lets in one draw that is not the seed's."""
    ran = subprocess.run(
        [sys.executable, "-P", "-c", RUN, str(first), str(last), "control" if control else "true"],
        env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
        timeout=600,
    )
    return ran.stdout.split()


def digest(seed: int, hash_seed: str, *, control: bool = False) -> str:
    """Run one."""
    return digests(seed, seed + 1, hash_seed, control=control)[0]


@pytest.mark.long
def test_200_seeds_give_their_digests_in_any_process_and_none_does_with_one_draw_from_elsewhere() -> None:
    plain, other, astray = digests(0, 200, "0"), digests(0, 200, "4242"), digests(0, 200, "0", control=True)
    assert len(set(plain)) == 200
    assert plain == other
    assert not set(plain) & set(astray)


def carried(asked: list[Unit], out: Path, hands: Hands) -> list[str]:
    """Carry units out; give their digests, in the order of the units."""
    swept = sweep(asked, out, hands)
    assert swept.present == 0
    return [row.digest for row in swept.rows]


@pytest.mark.long
def test_200_seeds_give_their_digests_whoever_carries_them_out(tmp_path: Path) -> None:
    """Here, in a pool under two hash seeds, on a Dask cluster; and none with one draw from elsewhere."""
    scene = tmp_path / "day.toml"
    scene.write_text(DAY, encoding="utf-8")
    asked = units_of([str(scene)], range(200), {})
    plain = [run(unit.found().plan(unit.seed, {}), unit.seed).digest for unit in asked]
    assert len(set(plain)) == 200
    for hash_seed in ("0", "4242"):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PYTHONHASHSEED", hash_seed)
            with here(2) as hands:
                assert carried(asked, tmp_path / f"pool-{hash_seed}", hands) == plain
    hash_seeds = ({"PYTHONHASHSEED": "1"}, {"PYTHONHASHSEED": "77"})
    with dasks.scheduler() as at, dasks.workers(at, tmp_path, *hash_seeds), cluster(at) as hands:
        assert carried(asked, tmp_path / "dask", hands) == plain
    (tmp_path / "sitecustomize.py").write_text(dasks.ASTRAY, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(tmp_path))
        with here(2) as hands:
            assert not set(carried(asked, tmp_path / "astray", hands)) & set(plain)


def test_a_seed_gives_one_digest_whatever_the_process() -> None:
    digests = {digest(5, hash_seed) for hash_seed in ("0", "1", "4242")}
    assert len(digests) == 1
    assert digest(6, "0") not in digests


def test_one_draw_that_is_not_the_seeds_is_found_out() -> None:
    assert digest(5, "0", control=True) != digest(5, "0", control=True)


@pytest.mark.parametrize("seed", range(20))
def test_a_partition_heals_and_all_agree(seed: int) -> None:
    world = World(seed, Weather(loss=0.1 * (seed % 3), latency_ms=20 * (1 + seed % 4)))
    watch = Watch.over(world)
    gid, people = circle(world, "wren", "juniper", "sorrel", "tansy")
    wren, juniper, sorrel, tansy = people
    world.partition(("wren", "juniper"), ("sorrel", "tansy"))
    wren.post(gid, "this side")
    sorrel.post(gid, "that side")
    world.run(30)
    juniper.off(power_cut=bool(seed % 2))
    world.heal()
    tansy.post(gid, "whole again")
    world.run(10)
    juniper.on()
    world.run(120)
    assert agree(gid, people) == []
    assert unread(watch, gid, people) == []
    assert out_of_order(gid, people) == []
    assert blamed(world) == []
    assert sorted(juniper.reads(gid)) == ["that side", "this side", "whole again"]
