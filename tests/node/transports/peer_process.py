"""A peer in a process of its own, to be stopped and killed: dials an address and says "up" when the link stands.

`python -m tests.node.transports.peer_process NUMBER ADDRESS`
"""

import sys

import trio

from mesh.events import Dial, LinkUp
from mesh.ids import Address, PeerId
from tests.node.transports.loopback import peer


async def main(number: str, address: str) -> None:
    async with peer(int(number), inputs_max=10_000) as own:
        wanted = PeerId(address.rsplit("/", 1)[1])
        own.network.dial(Dial(peer=wanted, addresses=(Address(address),)))
        async for event in own.inputs:
            if isinstance(event, LinkUp):
                print("up", flush=True)  # noqa: T201 - the parent reads it


if __name__ == "__main__":
    trio.run(main, sys.argv[1], sys.argv[2])
