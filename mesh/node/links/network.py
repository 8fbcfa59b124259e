"""The node's network, as the runner sees it: links come and go as inputs, and effects are carried out here.

`open_network` ties the transport, the switchboard and the dialer together. libp2p is imported when it is
called and not before, for it takes a second. The runner reads `LinkUp`, `FrameReceived` and `LinkDown` from
the other end of `inputs`; when it is slow, the links read slowly. All methods of `Network` return at once
but `send_frames`, which waits for room: run that one beside the task that reads `inputs`, never in it, or
two nodes that send each other much can wait for one another.
"""

import logging
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager

import trio

from mesh.events import Blame, Dial, Forget, HangUp, Input, Instant, LinkKind, Send, SendClass
from mesh.ids import Address, Dice, Entropy, LinkId, PeerId
from mesh.node.links.budget import Ban
from mesh.node.links.dialer import Dialer
from mesh.node.links.switchboard import LinkStatus, OnBug, Switchboard
from mesh.node.transports.base import Stream, Transport
from mesh.secret import Secret


class Network:
    """What the runner holds while the network is open."""

    def __init__(
        self,
        transport: Transport,
        switchboard: Switchboard,
        dialer: Dialer,
        announced: tuple[Address, ...] = (),
    ) -> None:
        self._transport = transport
        self._announced = announced
        self._switchboard = switchboard
        self._dialer = dialer

    @property
    def peer_id(self) -> PeerId:
        """Our own name towards other nodes."""
        return self._transport.peer_id

    def addresses(self) -> tuple[Address, ...]:
        """What others are told of where they reach us, each ending in /p2p/<our PeerId>."""
        return self._announced or self._transport.addresses()

    def interfaces(self) -> tuple[Address, ...]:
        """Where this machine itself is reached, whatever others are told."""
        return self._transport.addresses()

    def send(self, send: Send) -> None:
        """Queue one frame. A link that is gone swallows it; a MESSAGES frame may be left out, counted."""
        self._switchboard.send(send)

    async def send_frames(
        self,
        link: LinkId,
        frames: Iterable[bytes],
        send_class: SendClass,
        kind: LinkKind = LinkKind.FRAME,
    ) -> bool:
        """Queue payloads in order, waiting while the peer reads slowly. False if the link went meanwhile."""
        return await self._switchboard.send_frames(link, frames, send_class, kind)

    def dial(self, dial: Dial) -> None:
        """Keep trying to link with a peer at these addresses; replaces the addresses it had."""
        if dial.peer != self.peer_id:
            self._dialer.dial(dial.peer, dial.addresses)

    def forget(self, forget: Forget) -> None:
        """Stop dialling a peer; a link that stands is left alone."""
        self._dialer.forget(forget.peer)

    def kick(self) -> None:
        """Try all wanted peers now: the machine woke up, or its addresses changed."""
        self._dialer.kick()

    def hang_up(self, hang_up: HangUp) -> None:
        """End a link once what is queued on it has left."""
        self._switchboard.hang_up(hang_up)

    def blame(self, blame: Blame) -> None:
        """Hold a fault against a link's peer; enough of them end in a hang-up and a ban that ends."""
        self._switchboard.blame(blame)

    def links(self) -> tuple[LinkStatus, ...]:
        """Describe each link, for `mesh status`."""
        return self._switchboard.links()

    def said(self) -> dict[LinkKind, int]:
        """Say how many bytes of payload have gone to links since the start, by kind: as the machine gave them."""
        return dict(self._switchboard.said)

    def bans(self) -> tuple[Ban, ...]:
        """Say who is refused, and for how long yet, for `mesh status`."""
        return self._switchboard.bans()


@asynccontextmanager
async def open_network(
    *,
    seed: Secret,
    listen: Sequence[str],
    inputs: trio.MemorySendChannel[Input],
    dice: Dice,
    entropy: Entropy,
    clock: Callable[[], Instant],
    announce: Sequence[str] = (),
    on_bug: OnBug | None = None,
) -> AsyncIterator[Network]:
    """Open the network over libp2p's TCP: `seed` (32 B, Ed25519) makes the PeerId.

    `listen` holds multiaddrs without /p2p; none of them: all interfaces, IPv4 and IPv6, on one free port.
    PortTaken, CannotListen or BadAddress before anything has started. Others are told what is in `announce`, if there
    is something, and else where we listen; BadAddress or LocalError, in a group, before there is any link. On leaving,
    every link is dropped at once. `on_bug` hears of an exception that ended a link and should not have happened.
    """
    from mesh.node.transports import quiet

    quiet.load()
    from mesh.node.transports.addresses import announced
    from mesh.node.transports.libp2p_tcp import open_transport

    async with (
        open_transport(seed=seed, entropy=entropy, listen=listen) as transport,
        connect(
            transport,
            inputs=inputs,
            dice=dice,
            entropy=entropy,
            clock=clock,
            announced=announced(announce, transport.peer_id),
            on_bug=on_bug,
        ) as network,
    ):
        yield network


@asynccontextmanager
async def connect(
    transport: Transport,
    *,
    inputs: trio.MemorySendChannel[Input],
    dice: Dice,
    entropy: Entropy,
    clock: Callable[[], Instant],
    announced: tuple[Address, ...] = (),
    on_bug: OnBug | None = None,
) -> AsyncIterator[Network]:
    """Run links over a transport that already listens, until the block is left."""
    async with trio.open_nursery() as nursery:

        async def adopt(stream: Stream) -> None:
            settled = trio.Event()
            nursery.start_soon(switchboard.serve, stream, settled)
            await settled.wait()

        switchboard = Switchboard(
            own=transport.peer_id,
            inputs=inputs,
            entropy=entropy,
            clock=clock,
            on_link_changed=lambda peer, linked: dialer.link_changed(peer, linked=linked),
            on_bug=on_bug or _log_bug,
        )
        dialer = Dialer(
            nursery=nursery,
            connect=transport.dial,
            adopt=adopt,
            is_linked=switchboard.is_linked,
            dice=dice,
        )
        nursery.start_soon(transport.serve, switchboard.serve)
        try:
            yield Network(transport, switchboard, dialer, announced)
        finally:
            nursery.cancel_scope.cancel()


def _log_bug(where: str, error: Exception) -> None:
    logging.getLogger(__name__).error("a %s failed: %s", where, type(error).__name__)
