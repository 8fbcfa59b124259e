"""Goes after the peers that we want to be linked with: never gives up, only slows down (network.md §6).

One task for each wanted peer. It tries all of the peer's addresses at once, each a quarter of a second
after the one before or as soon as that one fails ("Happy Eyeballs", RFC 8305 §5), starting with the one
that worked last. Of the streams that come of it the first is taken and the others are dropped *before* a
word is said on them: a peer must never see two hellos of ours at once, for it trusts that a dialer's
newest link is the one that it keeps (`switchboard`). While a link to the peer stands, whoever dialled it,
the task waits; when it goes, it starts again.

The dialer knows neither transports nor hellos: it is given `connect` and `adopt`.
"""

import logging
from collections.abc import Awaitable, Callable
from typing import Final

import trio

from mesh.errors import TransportError
from mesh.ids import Address, Dice, PeerId
from mesh.node.transports.base import Stream
from mesh.wire.limits import ADDRESSES_MAX

log = logging.getLogger(__name__)

STAGGER_S: Final = 0.25  # RFC 8305 §8, "Connection Attempt Delay"
RETRY_S_FIRST: Final = 0.2
RETRY_S_MAX: Final = 30.0
STEADY_S: Final = 10.0  # ours: a link that stood so long was a success, and the next retry is quick again
RECUT_S: Final = 30.0  # an attempt that runs is cut short for new addresses at most so often; ours
CONNECTS_MAX: Final = 32  # attempts in flight at once, over all peers; ours

Connect = Callable[[Address], Awaitable[Stream]]
Adopt = Callable[[Stream], Awaitable[None]]


class _Want:
    """A wanted peer."""

    def __init__(self, peer: PeerId, addresses: tuple[Address, ...]) -> None:
        self.peer = peer
        self.addresses = addresses
        self.worked: Address | None = None
        self.failures = 0
        self.linked = False
        self.changed = trio.Event()  # a link came or went
        self.nudged = trio.Event()  # there is a reason to try now
        self.task = trio.CancelScope()
        self.race = trio.CancelScope()
        self._readdressed_s = -RECUT_S

    def in_order(self) -> list[Address]:
        """Return the addresses, the one that worked last first."""
        return sorted(self.addresses, key=lambda address: address != self.worked)

    def nudge(self) -> None:
        """Try again at once."""
        self.failures = 0
        self.nudged.set()
        self.race.cancel()

    def readdress(self) -> None:
        """The addresses changed: try them at once, but seldom cut an attempt short for it.

        Else whoever may name addresses for a peer could keep us from ever reaching it, by naming new ones all the time.
        """
        if trio.current_time() - self._readdressed_s >= RECUT_S:
            self._readdressed_s = trio.current_time()
            self.nudge()
        else:
            self.nudged.set()


class Dialer:
    """Keeps trying. `adopt` takes a fresh stream over, and returns once it is a link or has come to nothing.

    Whoever adopts calls `link_changed` for each peer whose first link comes or whose last one goes.
    """

    def __init__(
        self,
        *,
        nursery: trio.Nursery,
        connect: Connect,
        adopt: Adopt,
        is_linked: Callable[[PeerId], bool],
        dice: Dice,
    ) -> None:
        self._nursery = nursery
        self._connect = connect
        self._adopt = adopt
        self._is_linked = is_linked
        self._dice = dice
        self._wants: dict[PeerId, _Want] = {}
        self._connects = trio.CapacityLimiter(CONNECTS_MAX)

    def dial(self, peer: PeerId, addresses: tuple[Address, ...]) -> None:
        """Want this peer, at these addresses (the first ADDRESSES_MAX), until `forget`."""
        addresses = tuple(dict.fromkeys(addresses))[:ADDRESSES_MAX]
        want = self._wants.get(peer)
        if want is None:
            want = self._wants[peer] = _Want(peer, addresses)
            want.linked = self._is_linked(peer)
            self._nursery.start_soon(self._pursue, want)
        elif want.addresses != addresses:
            want.addresses = addresses
            want.readdress()

    def forget(self, peer: PeerId) -> None:
        """Want this peer no longer. A link that stands is left alone."""
        if (want := self._wants.pop(peer, None)) is not None:
            want.task.cancel()

    def kick(self) -> None:
        """Try every wanted peer that is not linked at once: the network may be back."""
        for want in self._wants.values():
            want.nudge()

    def link_changed(self, peer: PeerId, *, linked: bool) -> None:
        """A link to this peer stands, or none stands any more."""
        if (want := self._wants.get(peer)) is not None:
            want.linked = linked
            want.changed.set()
            if linked:
                want.race.cancel()

    async def _pursue(self, want: _Want) -> None:
        with want.task:
            while True:
                if want.linked:
                    await self._outlast(want)
                else:
                    cut_short = await self._attempt(want)
                    if cut_short or want.linked:
                        continue
                    want.failures += 1
                if not want.linked:
                    await self._pause(want)

    async def _outlast(self, want: _Want) -> None:
        """Wait while the link stands, and judge by how long it stood."""
        began = trio.current_time()
        while want.linked:
            await want.changed.wait()
            want.changed = trio.Event()
        if trio.current_time() - began >= STEADY_S:
            want.failures = 0
        else:
            want.failures += 1

    async def _pause(self, want: _Want) -> None:
        """Wait before the next attempt, twice as long after each failure, unless nudged."""
        delay_s = min(RETRY_S_MAX, RETRY_S_FIRST * 2.0 ** min(max(0, want.failures - 1), 16))
        with trio.move_on_after(delay_s * (0.75 + 0.5 * self._dice.random())):
            await want.nudged.wait()

    async def _attempt(self, want: _Want) -> bool:
        """Race the addresses and adopt the winner. True if the race was cut short, so look again."""
        want.nudged = trio.Event()
        stream: Stream | None = None
        with trio.CancelScope() as want.race:
            stream = await self._race(want)
        if want.race.cancelled_caught:
            return True
        if stream is not None:
            want.worked = stream.remote.address
            await self._adopt(stream)
        return False

    async def _race(self, want: _Want) -> Stream | None:
        """Return the first stream to the peer that any address gives, or None; no other is left open."""
        winner: Stream | None = None

        async def attempt(address: Address, failed: trio.Event) -> None:
            nonlocal winner
            try:
                async with self._connects:
                    stream = await self._connect(address)
            except TransportError as error:
                log.debug("an address does not answer: %s", type(error).__name__)
                failed.set()
                return
            if winner is None and stream.remote.peer == want.peer:
                winner = stream
                nursery.cancel_scope.cancel()
            else:
                stream.abort()
                failed.set()

        finished = False
        try:
            async with trio.open_nursery() as nursery:
                for address in want.in_order():
                    failed = trio.Event()
                    nursery.start_soon(attempt, address, failed)
                    with trio.move_on_after(STAGGER_S):
                        await failed.wait()
            finished = True
        finally:
            if winner is not None and not finished:  # cut short just as somebody answered
                winner.abort()
        return winner
