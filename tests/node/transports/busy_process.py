"""A node's bad day, in a process of its own: whatever libp2p would like to say about it must not be heard.

`python -W default -m tests.node.transports.busy_process`
"""

import logging
import os
from contextlib import suppress

import trio

from mesh.errors import TransportError
from mesh.events import HangUp, LinkDown
from mesh.ids import Address
from mesh.node.transports import quiet


async def main() -> None:
    quiet.load()  # as open_network does, before anything of libp2p
    from tests.node.transports.loopback import peer, transport

    async with peer(1) as alice:
        stranger = await trio.open_tcp_stream("127.0.0.1", alice.port)
        with suppress(trio.BrokenResourceError):
            await stranger.send_all(os.urandom(100_000))
        await stranger.aclose()
        async with transport(2) as carol:
            for name in (carol.peer_id, alice.network.peer_id):
                with suppress(TransportError):
                    await carol.dial(Address(f"/ip4/127.0.0.1/tcp/{alice.port}/p2p/{name}"))
        async with peer(3) as bob:
            alice.dial(bob)
            up, _ = await alice.up(), await bob.up()
            alice.network.hang_up(HangUp(link=up.link))
            assert isinstance(await alice.next(), LinkDown)
            await alice.up()
        await trio.sleep(0.5)  # bob is gone, and alice asks for him
    assert logging.getLogger().handlers == [], "libp2p configured everybody's logging"


if __name__ == "__main__":
    trio.run(main)
