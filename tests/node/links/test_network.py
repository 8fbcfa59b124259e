"""Whole networks over a transport in memory: dialers and switchboards together, in virtual time."""

import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import trio
from hypothesis import given
from hypothesis import strategies as st

from mesh.errors import Fault
from mesh.events import Blame, Dial, Forget, FrameReceived, HangUp, Input, LinkDown, LinkKind, LinkUp, Send, SendClass
from mesh.ids import Address, PeerId
from mesh.node.links.network import Network, connect
from mesh.node.transports.base import Remote, Stream, Unreachable, Welcome
from tests.node.links.wires import (
    ALICE,
    BOB,
    CAROL,
    MemoryStream,
    SeededDice,
    SeededEntropy,
    clock,
    run,
    stream_pair,
)


class City:
    """Who listens where, and how long it takes to get there."""

    def __init__(self, seed: int = 0) -> None:
        self.random = random.Random(seed)
        self.listeners: dict[Address, tuple[PeerId, trio.MemorySendChannel[Stream]]] = {}
        self.streams: list[MemoryStream] = []

    def delay_s(self) -> float:
        return self.random.random() * 0.2


class MemoryTransport:
    """A transport within one process."""

    latency_s_max = 1.0
    hides_address = True

    def __init__(self, city: City, peer: PeerId) -> None:
        self._city, self._peer = city, peer
        self._sender, self._accepted = trio.open_memory_channel[Stream](100)
        self._addresses: tuple[Address, ...] = ()

    @property
    def peer_id(self) -> PeerId:
        return self._peer

    def addresses(self) -> tuple[Address, ...]:
        return self._addresses

    async def listen(self, where: Sequence[str]) -> None:
        self._addresses = tuple(Address(f"{each}/p2p/{self._peer}") for each in where)
        for address in self._addresses:
            self._city.listeners[address] = self._peer, self._sender

    async def serve(self, welcome: Welcome) -> None:
        async with trio.open_nursery() as nursery:
            async for stream in self._accepted:
                nursery.start_soon(welcome, stream)

    async def dial(self, address: Address) -> Stream:
        await trio.sleep(self._city.delay_s())
        if address not in self._city.listeners:
            raise Unreachable("nobody there")
        peer, door = self._city.listeners[address]
        there, back = self._city.delay_s(), self._city.delay_s()
        ours, theirs = stream_pair(self._peer, peer, delay_s=there, back_s=back)
        named = Remote(peer=peer, address=address, host=None, outbound=True)
        dialled = MemoryStream(named, ours._out, ours._in)
        self._city.streams += [dialled, theirs]
        try:
            await door.send(theirs)
            await trio.sleep(back)
        except BaseException:
            dialled.abort()
            raise
        return dialled

    def close(self) -> None:
        for address in self._addresses:
            del self._city.listeners[address]


class Peer:
    """A network, and what its runner would read."""

    def __init__(self, network: Network, inputs: trio.MemoryReceiveChannel[Input]) -> None:
        self.network, self.inputs = network, inputs

    async def next(self) -> Input:
        with trio.fail_after(120):
            return await self.inputs.receive()

    async def up(self) -> LinkUp:
        event = await self.next()
        assert isinstance(event, LinkUp)
        return event

    def dial(self, other: "Peer") -> None:
        self.network.dial(Dial(peer=other.network.peer_id, addresses=other.network.addresses()))


@asynccontextmanager
async def living_in(
    city: City, peer: PeerId, where: Sequence[str] = ("/memory/a",), seed: int = 0
) -> AsyncIterator[Peer]:
    transport = MemoryTransport(city, peer)
    await transport.listen([f"{each}{peer}" for each in where])
    sender, receiver = trio.open_memory_channel[Input](100)
    async with connect(
        transport, inputs=sender, dice=SeededDice(seed), entropy=SeededEntropy(seed), clock=clock
    ) as network:
        yield Peer(network, receiver)
    transport.close()


async def test_two_networks_link_and_talk(autojump_clock: trio.abc.Clock) -> None:
    city = City()
    async with living_in(city, ALICE, seed=1) as alice, living_in(city, BOB, seed=2) as bob:
        assert bob.network.peer_id == BOB
        alice.dial(bob)
        at_alice, at_bob = await alice.up(), await bob.up()
        assert at_alice.outbound
        assert at_alice.own_nonce == at_bob.peer_nonce
        post = Send(link=at_alice.link, kind=LinkKind.FRAME, payload=b"hi", send_class=SendClass.MESSAGES)
        alice.network.send(post)
        assert await bob.next() == FrameReceived(link=at_bob.link, kind=LinkKind.FRAME, payload=b"hi")
        assert await bob.network.send_frames(at_bob.link, [b"1", b"2"], SendClass.REPAIR, LinkKind.SEALED)
        assert await alice.next() == FrameReceived(link=at_alice.link, kind=LinkKind.SEALED, payload=b"1")
        assert await alice.next() == FrameReceived(link=at_alice.link, kind=LinkKind.SEALED, payload=b"2")
        assert [status.peer for status in alice.network.links()] == [BOB]


async def test_a_link_that_is_hung_up_is_sought_again_until_forgotten(autojump_clock: trio.abc.Clock) -> None:
    city = City()
    async with living_in(city, ALICE, seed=1) as alice, living_in(city, BOB, seed=2) as bob:
        alice.dial(bob)
        first = await alice.up()
        await bob.up()
        bob.network.hang_up(HangUp(link=(at_bob := bob.network.links()[0].link)))
        assert await bob.next() == LinkDown(link=at_bob)
        assert await alice.next() == LinkDown(link=first.link)
        second = await alice.up()
        assert second.link != first.link
        alice.network.forget(Forget(peer=BOB))
        alice.network.hang_up(HangUp(link=second.link))
        assert await alice.next() == LinkDown(link=second.link)
        await trio.sleep(300)
        assert alice.network.links() == ()


async def test_a_peer_that_comes_online_later_is_found(autojump_clock: trio.abc.Clock) -> None:
    city = City()
    async with living_in(city, ALICE, seed=1) as alice:
        address = Address(f"/memory/a{BOB}/p2p/{BOB}")
        alice.network.dial(Dial(peer=BOB, addresses=(Address("/memory/gone"), address)))
        await trio.sleep(3_600)
        async with living_in(city, BOB, seed=2) as bob:
            alice.network.kick()
            began = trio.current_time()
            assert (await alice.up()).peer == BOB
            assert (await bob.up()).peer == ALICE
            assert trio.current_time() - began < 2
        assert isinstance(await alice.next(), LinkDown)


async def test_a_banned_peer_is_hung_up_on_and_comes_back_when_the_ban_ends(autojump_clock: trio.abc.Clock) -> None:
    city = City()
    async with living_in(city, ALICE, seed=1) as alice, living_in(city, BOB, seed=2) as bob:
        bob.dial(alice)
        link, _ = (await alice.up()).link, await bob.up()
        for _ in range(2):
            alice.network.blame(Blame(link=link, fault=Fault.MALFORMED))
        assert await alice.next() == LinkDown(link=link)
        banned = trio.current_time()
        assert [(ban.peer, ban.times) for ban in alice.network.bans()] == [(BOB, 1)]
        with trio.fail_after(600):
            assert isinstance(await alice.inputs.receive(), LinkUp)
        assert 300 <= trio.current_time() - banned < 300 + 60
        assert alice.network.bans() == ()


async def test_nobody_dials_themselves(autojump_clock: trio.abc.Clock) -> None:
    city = City()
    async with living_in(city, ALICE) as alice:
        alice.dial(alice)
        await trio.sleep(60)
        assert city.streams == []


async def test_leaving_aborts_every_stream(autojump_clock: trio.abc.Clock) -> None:
    city = City()
    async with living_in(city, ALICE, seed=1) as alice, living_in(city, BOB, seed=2) as bob:
        async with living_in(city, CAROL, seed=3) as carol:
            carol.dial(alice)
            carol.dial(bob)
            for peer in (alice, bob, carol, carol):
                await peer.up()
        for peer in (alice, bob):
            assert isinstance(await peer.next(), LinkDown)
    assert all(stream.aborted.is_set() for stream in city.streams)


@given(seed=st.integers(0, 2**32), addresses=st.integers(1, 3))
def test_two_who_dial_each_other_at_every_address_at_once_end_with_the_same_link(seed: int, addresses: int) -> None:
    async def story() -> None:
        city = City(seed)
        where = [f"/memory/{number}" for number in range(addresses)]
        async with living_in(city, ALICE, where, seed=1) as alice, living_in(city, BOB, where, seed=2) as bob:
            alice.dial(bob)
            await trio.sleep(city.delay_s())
            bob.dial(alice)
            await trio.sleep(60)
            standing = []
            for peer in (alice, bob):
                links: dict[int, frozenset[bytes]] = {}
                while peer.inputs.statistics().current_buffer_used:
                    event = peer.inputs.receive_nowait()
                    if isinstance(event, LinkUp):
                        links[event.link] = frozenset([event.own_nonce, event.peer_nonce])
                    else:
                        assert isinstance(event, LinkDown)
                        del links[event.link]
                standing.append(list(links.values()))
            assert standing[0] == standing[1]
            assert len(standing[0]) == 1
            left = [stream for stream in city.streams if not stream.aborted.is_set()]
            assert len(left) == 2
            assert all(status.age_ms > 55_000 for status in alice.network.links())

    run(story)
