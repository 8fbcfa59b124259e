"""Real networks on 127.0.0.1, stock libp2p hosts to meet them with, and counts of what they hold."""

import gc
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import trio
from libp2p import new_host
from libp2p.abc import IHost
from libp2p.crypto.ed25519 import create_new_key_pair
from libp2p.crypto.keys import KeyPair
from libp2p.crypto.x25519 import create_new_key_pair as create_x25519
from libp2p.custom_types import TSecurityOptions
from libp2p.security.noise.transport import PROTOCOL_ID as NOISE
from libp2p.security.noise.transport import Transport as Noise
from multiaddr import Multiaddr

from mesh.events import Dial, Input, LinkUp
from mesh.ids import Address
from mesh.node.links.network import Network, open_network
from mesh.node.transports.libp2p_tcp import LibP2PTcp, open_transport
from mesh.secret import Secret
from tests.node.links.wires import SeededDice, SeededEntropy, clock

HERE = "/ip4/127.0.0.1/tcp/0"


def seed(number: int) -> Secret:
    return Secret(number.to_bytes(32, "big"))


@asynccontextmanager
async def transport(number: int, *listen: str) -> AsyncIterator[LibP2PTcp]:
    """Give a transport that listens on loopback."""
    async with open_transport(seed=seed(number), entropy=SeededEntropy(number), listen=listen or (HERE,)) as opened:
        yield opened


class Peer:
    """A network, and what its runner would read."""

    def __init__(self, network: Network, inputs: trio.MemoryReceiveChannel[Input]) -> None:
        self.network, self.inputs = network, inputs

    async def next(self, within_s: float = 20) -> Input:
        with trio.fail_after(within_s):
            return await self.inputs.receive()

    async def up(self) -> LinkUp:
        event = await self.next()
        assert isinstance(event, LinkUp)
        return event

    def dial(self, other: "Peer") -> None:
        self.network.dial(Dial(peer=other.network.peer_id, addresses=other.network.addresses()))

    @property
    def port(self) -> int:
        return int(self.network.addresses()[0].split("/")[4])


@asynccontextmanager
async def peer(number: int, *listen: str, announce: Sequence[str] = (), inputs_max: int = 1_000) -> AsyncIterator[Peer]:
    """Give a network that listens on loopback."""
    sender, receiver = trio.open_memory_channel[Input](inputs_max)
    async with open_network(
        seed=seed(number),
        listen=listen or (HERE,),
        inputs=sender,
        dice=SeededDice(number),
        entropy=SeededEntropy(number),
        clock=clock,
        announce=announce,
    ) as network:
        yield Peer(network, receiver)


def noise(keys: KeyPair) -> TSecurityOptions:
    return {NOISE: Noise(keys, noise_privkey=create_x25519().private_key)}


@asynccontextmanager
async def stock_host(security: TSecurityOptions | None = None, keys: KeyPair | None = None) -> AsyncIterator[IHost]:
    """Give a libp2p host as everybody else makes it, identify and all; Noise unless told otherwise."""
    keys = keys or create_new_key_pair()
    host = new_host(key_pair=keys, sec_opt=security or noise(keys))
    async with host.run(listen_addrs=[Multiaddr(HERE)]):
        yield host


def port_of(address: Address) -> int:
    return int(address.split("/")[4])


async def until(done: Callable[[], bool], within_s: float = 10) -> None:
    """Wait for what libp2p does behind its curtain."""
    with trio.fail_after(within_s):
        while not done():  # noqa: ASYNC110 - it tells nobody
            await trio.sleep(0.02)


def census() -> tuple[int, int]:
    """Count every task of this run, and every open file; what earlier stock hosts left to the collector is gone."""
    gc.collect()
    return _tasks(), len(list(Path("/dev/fd").iterdir()))


def _tasks() -> int:
    count, left = 0, [trio.lowlevel.current_root_task()]
    while left:
        task = left.pop()
        if task is not None:
            count += 1
            left += [child for nursery in task.child_nurseries for child in nursery.child_tasks]
    return count
