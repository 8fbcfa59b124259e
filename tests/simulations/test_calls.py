"""Calls in the world take as long as real ones do, and are tried again as real dialers try: measured, and read off."""

from collections.abc import Callable

import trio

from mesh.events import Dial
from mesh.ids import Address
from mesh.node.links import dialer
from simulations.lab.shim import HERE, Shim
from simulations.people import Person, gather
from simulations.weather import CALL_WAYS, REDIAL_MS, REDIAL_MS_MAX, Paths, Weather
from simulations.world import World
from tests.node.transports.loopback import Peer, peer

WAY_MS = 250
IN_VAIN = [0, 1, 2, 3, 8, 9, 1000]


async def test_a_real_link_stands_after_as_many_ways_as_one_of_the_world(nursery: trio.Nursery) -> None:
    """Over the shim, each way of a fixed length: how many of them from the call until the called has a link."""
    sky = Paths(1, Weather(latency_ms=WAY_MS, jitter_ms=0))
    shim = Shim(nursery, sky)
    async with peer(1) as wren, peer(2) as juniper:
        shim.lives_at("juniper", juniper.port)
        address = Address(f"/ip4/{HERE}/tcp/{shim.front('wren', 'juniper')}/p2p/{juniper.network.peer_id}")
        began = trio.current_time()
        wren.network.dial(Dial(peer=juniper.network.peer_id, addresses=(address,)))
        ways: list[int] = []

        async def count(one: Peer) -> None:
            await one.up()
            ways.append(int((trio.current_time() - began) * 1000 / WAY_MS))

        async with trio.open_nursery() as both:
            both.start_soon(count, wren)
            both.start_soon(count, juniper)
    assert sorted(ways) == [CALL_WAYS - 1, CALL_WAYS], "the caller's link stands one way earlier"


def test_a_link_of_the_world_stands_after_so_many_ways() -> None:
    world = World(1, Weather(latency_ms=WAY_MS, jitter_ms=0))
    wren, juniper = gather(world, "wren", "juniper")
    gid = wren.create()
    juniper.look(wren.invite(gid))
    assert _first(world, lambda: bool(juniper.node.links)) == CALL_WAYS * WAY_MS


def _first(world: World, condition: Callable[[], bool]) -> int:
    assert world.run_until(condition, 60)
    return world.now_ms


def test_the_world_calls_again_as_a_dialer_does() -> None:
    assert REDIAL_MS == dialer.RETRY_S_FIRST * 1000
    assert REDIAL_MS_MAX == dialer.RETRY_S_MAX * 1000
    paths = Paths(3, Weather())
    for in_vain, least in zip(IN_VAIN, (150, 150, 300, 600, 19_200, 22_500, 22_500), strict=True):
        drawn = [paths.redial_ms("wren", in_vain) for _ in range(200)]
        middle = min(REDIAL_MS * 2 ** max(0, in_vain - 1), REDIAL_MS_MAX)
        assert min(drawn) >= least == middle * 3 // 4
        assert max(drawn) <= middle * 5 // 4
        assert min(drawn) < middle * 0.8 < middle * 1.2 < max(drawn), "a quarter either way"


def test_who_was_called_in_vain_for_long_is_called_seldom() -> None:
    world = World(2, Weather(latency_ms=20, jitter_ms=0))
    wren, juniper = gather(world, "wren", "juniper")
    gid = wren.create()
    code = wren.invite(gid)
    wren.off()
    juniper.look(code)
    world.run(120)
    tries = _tries(juniper)
    assert 8 <= tries <= 14, "0.2 s, 0.4 s, … 25.6 s, and then each half a minute"
    world.run(300)
    assert _tries(juniper) - tries <= 15


def _tries(person: Person) -> int:
    (tries,) = person.node.wanted.values()
    return tries
