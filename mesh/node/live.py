"""A node that lives in this process: machine, store, network and desk, open until the block is left.

`mesh.node.main` puts a socket and signals around it. A program may open several (a benchmark does).
"""

import contextlib
import math
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import asdict
from functools import partial
from typing import Final, TypeVar

import trio

from mesh.commands import Command
from mesh.events import Instant, Notify
from mesh.identity.keys import member_seed
from mesh.ids import PeerId
from mesh.node import clock
from mesh.node.chance import HpkeSealer, OsEntropy, os_dice
from mesh.node.health import measured
from mesh.node.home import Home
from mesh.node.keepsakes import Keepsakes, addresses_write, read_keepsakes
from mesh.node.links.network import Network, open_network
from mesh.node.local import methods
from mesh.node.local.api import unknown_method
from mesh.node.local.closed_desk import JOIN_NONCE_BYTES
from mesh.node.local.methods.files import read_out
from mesh.node.local.methods.telling import events_of
from mesh.node.local.protocol import JsonObject
from mesh.node.runner import Runner
from mesh.peer import Peer
from mesh.peer.state import State
from mesh.secret import Secret
from mesh.store.base import Store
from mesh.store.sqlite import EncryptedStore

T = TypeVar("T")


@asynccontextmanager
async def open_node(
    home: Home, store: EncryptedStore, *, listen: Sequence[str] = (), announce: Sequence[str] = ()
) -> AsyncIterator["OpenDesk"]:
    """Run the node of a home whose lock the caller holds, over its open store; give its desk.

    `listen` holds multiaddrs; none: all interfaces, on the port that was drawn at `init`. Errors as in `open_network`.
    """
    keepsakes = read_keepsakes(store)
    reader = store.reader()
    runner = Runner(Peer(dice=os_dice(), entropy=OsEntropy(), sealer=HpkeSealer()), store, reader)
    async with (
        open_network(
            seed=keepsakes.transport_seed,
            listen=listen or [f"/ip4/0.0.0.0/tcp/{keepsakes.port}", f"/ip6/::/tcp/{keepsakes.port}"],
            inputs=runner.inputs.clone(),
            dice=os_dice(),
            entropy=OsEntropy(),
            clock=clock.now,
            announce=announce,
        ) as network,
        trio.open_nursery() as nursery,
    ):
        runner.network = network
        await runner.keep([addresses_write(network.addresses())], durable=False)
        await nursery.start(runner.run, network.addresses())
        nursery.start_soon(_watch_addresses, runner, network)
        nursery.start_soon(_scrub, runner, store, reader)
        yield OpenDesk(home, reader, keepsakes, runner, network, nursery.cancel_scope)
        nursery.cancel_scope.cancel()


ADDRESSES_EVERY_S: Final = 20.0  # how often the machine's own addresses are looked at again; ours
TICK_S: Final = 30.0  # how soon what was held back is told of, once it may be; ours
SCRUB_EVERY_S: Final = 30.0  # how long a replaced key may wait in the write-ahead log; ours


async def _scrub(runner: Runner, store: EncryptedStore, reader: EncryptedStore) -> None:
    """Fold the write-ahead log in now and then, for it holds ratchets that have moved on; and give memory back."""

    def tidy() -> None:
        store.scrub()
        store.shrink()

    while True:
        await trio.sleep(SCRUB_EVERY_S)
        await runner.exclusively(tidy)
        reader.shrink()


async def _watch_addresses(runner: Runner, network: Network) -> None:
    """Look whether this machine is reached elsewhere now (another network, a cable pulled): tell it, and dial anew."""
    known = network.interfaces()
    while True:
        await trio.sleep(ADDRESSES_EVERY_S)
        current = network.interfaces()
        if current != known:
            known = current
            await runner.keep([addresses_write(network.addresses())], durable=False)
            await runner.addresses_changed(network.addresses())
            network.kick()


async def with_ticks(notices: trio.MemoryReceiveChannel[Notify]) -> AsyncGenerator[Notify | None, None]:
    """Give what happens, and None now and then while nothing does: a pause ends, and a day, with nobody's doing."""
    while True:
        notice = None
        try:
            with trio.move_on_after(TICK_S):
                notice = await notices.receive()
        except trio.EndOfChannel:
            return
        yield notice
        for further in waiting_in(notices):
            yield further


def waiting_in(notices: trio.MemoryReceiveChannel[Notify]) -> Iterator[Notify]:
    """Give what waits in a channel, without a turn of the loop for each."""
    with contextlib.suppress(trio.WouldBlock, trio.EndOfChannel):
        while True:
            yield notices.receive_nowait()


class OpenDesk:
    """The running node's desk, and what stands behind its socket."""

    running: Final = True

    def __init__(
        self,
        home: Home,
        store: Store,
        keepsakes: Keepsakes,
        runner: Runner,
        network: Network,
        scope: trio.CancelScope,
    ) -> None:
        self._home, self.store, self.keepsakes = home, store, keepsakes
        self._runner, self.network, self._scope = runner, network, scope
        self._stopping = False

    # ------------------------------------------------------------ the socket's handler

    async def call(self, method: str, params: JsonObject) -> JsonObject:
        """Answer one call; MeshError in words."""
        answer = await methods.call(self, method, params)
        if self._stopping:
            # The answer leaves before the node does; the server writes it as soon as this returns.
            self._runner.soon(0.05, self.end)
        return answer

    async def stream(self, method: str, params: JsonObject) -> AsyncIterator[JsonObject]:
        """Give events until the asker hangs up."""
        if method == "file.read":
            async with aclosing(read_out(self, params)) as pieces:
                async for piece in pieces:
                    yield piece
            return
        if method not in ("events", "read.follow"):
            raise unknown_method(method)
        notices, end = self.listen()
        try:
            only = method == "read.follow"
            async with (
                aclosing(with_ticks(notices)) as happened,
                aclosing(events_of(self, happened, params, only=only)) as events,
            ):
                async for event in events:
                    yield event
        finally:
            end()

    def listen(self) -> tuple[trio.MemoryReceiveChannel[Notify], Callable[[], None]]:
        """Return a channel of what happens from now on, and what ends it."""
        return self._runner.listen()

    def end(self) -> None:
        """End the node now."""
        self._scope.cancel()

    # ------------------------------------------------------------ the methods' desk

    @property
    def state(self) -> State:
        """The machine's state."""
        return self._runner.peer.state

    def now(self) -> Instant:
        """Return this moment."""
        return clock.now()

    def links(self) -> list[JsonObject]:
        """Describe the links."""
        return [
            {
                "peer": link.peer,
                "address": link.address,
                "outbound": link.outbound,
                "age_s": math.floor(link.age_ms / 1000),
                "queued_bytes": link.queued_bytes,
                "sent_bytes": link.sent_bytes,
                "skipped": link.skipped,
            }
            for link in self.network.links()
        ]

    def refused(self) -> list[JsonObject]:
        """Describe the nodes that are refused for a while."""
        return [
            {"peer": ban.peer, "left_s": math.ceil(ban.left_ms / 1000), "times": ban.times}
            for ban in self.network.bans()
        ]

    def health(self) -> JsonObject:
        """Say what this process holds, once the collector has run, and what it has given to links so far."""
        said: JsonObject = {kind.name.lower(): count for kind, count in self.network.said().items()}
        return {"running": True, "links": len(self.network.links()), "said_bytes": said, **asdict(measured())}

    def linked_peers(self) -> frozenset[PeerId]:
        """Return the nodes that we have a link with."""
        return frozenset(link.peer for link in self.network.links())

    async def ask(self, command: Command) -> bytes:
        """Have the machine carry out a command."""
        return await self._runner.ask(command)

    async def until(self, condition: Callable[[], bool], wait_s: float) -> bool:
        """Wait until something holds."""
        return await self._runner.until(condition, wait_s)

    async def member_seed(self, passphrase: str) -> tuple[bytes, Secret]:
        """Derive a fresh member key."""
        nonce = OsEntropy().draw(JOIN_NONCE_BYTES)
        return nonce, await self.member_seed_for(passphrase, nonce)

    async def member_seed_for(self, passphrase: str, join_nonce: bytes) -> Secret:
        """Derive the member key of a group that we are in."""
        return await self.with_root(passphrase, lambda root: member_seed(root, join_nonce))

    async def with_root(self, passphrase: str, derive: Callable[[Secret], T]) -> T:
        """Derive something of the root, which is opened in a worker thread and held only within this."""
        return derive(await trio.to_thread.run_sync(self._home.open_root, passphrase))

    async def change_passphrase(self, old: str, new: str) -> None:
        """Lock both slots with a new passphrase; four derivations, in a worker thread."""
        change = partial(self._home.change_passphrase, old, new, entropy=OsEntropy())
        await trio.to_thread.run_sync(change)

    def stop(self) -> None:
        """Stop the node, once the caller has its answer."""
        self._stopping = True
