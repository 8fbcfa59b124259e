"""The wires between real nodes: a TCP proxy on loopback that can delay, drop, cut and heal, and has weather.

TCP does not say who calls, and a node's own handshake tells nobody else. So each caller gets a *front* of its own for
each node that it may call: whoever comes in at `front("juniper", "wren")` is juniper and is led to wren. A node listens
where only the shim knows it, is started with the fronts of the others (`mesh up --peer`), and announces a *door* (`mesh
up --announce`) at which everybody is hung up on. No address by which one could get around the shim is told to anybody.

What can befall two nodes is what can befall TCP:

- `delay` holds back what goes one way, by so many seconds.
- `drop` forwards nothing one way and says nothing; what was sent meanwhile comes after `heal`, as TCP sends it again.
- `cut` ends what there is between two and hangs up on whoever calls again, from either side; `flap` hangs up once.
- `heal` takes all of that back.

With a *sky* (`simulations/weather.py`, the very one of the world) each piece that is read also takes as long as a frame
takes there: region and jitter, a line of so many kbit/s, and the time to send again what is lost, as streams do.

The lab and the end-to-end tests use it. Only loopback; every port is the system's choice.
"""

import math
import socket
import threading
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Final, ParamSpec, TypeVar

import trio

from simulations.weather import Paths

HERE: Final = "127.0.0.1"
CHUNK_BYTES: Final = 65_536
CHUNKS_MAX: Final = 64  # that one way of one connection holds; past it the sender is read no further
END_S: Final = 10.0  # the longest that the shim may take to begin or to end beside a test

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(slots=True)
class Way:
    """What befalls the bytes that go from one node to another, over whichever connection."""

    delay_s: float = 0.0
    gate: trio.Event | None = None  # there while nothing passes; set when something does again
    weather_s: Callable[[int], float] | None = None  # how long so many bytes take besides

    async def open(self) -> None:
        """Wait until bytes pass."""
        while self.gate is not None:
            await self.gate.wait()

    def takes_s(self, size: int) -> float:
        """Say how long `size` bytes that set out now are under way."""
        return self.delay_s + (self.weather_s(size) if self.weather_s is not None else 0.0)


@dataclass(slots=True)
class Pair:
    """Two nodes: whether they are cut from each other, and what there is between them."""

    is_cut: bool = False
    carrying: list[trio.CancelScope] = field(default_factory=list)


class Shim:
    """The wires between all nodes of a run. Its methods return at once; `nursery` runs what they begin."""

    def __init__(self, nursery: trio.Nursery, sky: Paths | None = None) -> None:
        """Without a `sky`, nothing takes longer than it is told to."""
        self._nursery = nursery
        self._sky = sky
        self._homes: dict[str, int] = {}
        self._fronts: dict[tuple[str, str], int] = {}
        self._doors: dict[str, int] = {}
        self._ways: dict[tuple[str, str], Way] = {}
        self._pairs: dict[frozenset[str], Pair] = {}
        self._onward: dict[int, tuple[str, str]] = {}
        self.turned_away: dict[str, int] = {}  # callers at each door

    # ------------------------------------------------------------ who is where

    def lives_at(self, name: str, port: int) -> None:
        """Say where a node listens; until then its fronts hang up."""
        self._homes[name] = port

    def front(self, caller: str, called: str) -> int:
        """Return the port at which `caller`, and nobody else, reaches `called`."""
        pair = (caller, called)
        if pair not in self._fronts:
            self._fronts[pair] = self._listen(partial(self._carry, caller, called))
        return self._fronts[pair]

    def door(self, name: str) -> int:
        """Return the port that a node may announce: whoever calls there is hung up on, and counted."""
        if name not in self._doors:
            self.turned_away[name] = 0
            self._doors[name] = self._listen(partial(self._turn_away, name))
        return self._doors[name]

    def carried(self, port: int) -> tuple[str, str] | None:
        """Return caller and called, if this is the port of a front, or the one from which the shim goes on to a node.

        None says that whoever sees this port at the other end of a link has come around the shim.
        """
        fronts = {at: pair for pair, at in self._fronts.items()}
        return fronts.get(port) or self._onward.get(port)

    # ------------------------------------------------------------ what befalls them

    def delay(self, sender: str, receiver: str, seconds: float) -> None:
        """Hold back what one sends to the other from now on."""
        self._way(sender, receiver).delay_s = seconds

    def drop(self, sender: str, receiver: str) -> None:
        """Forward nothing of what one sends to the other, in silence."""
        way = self._way(sender, receiver)
        if way.gate is None:
            way.gate = trio.Event()

    def cut(self, one: str, other: str) -> None:
        """End every connection between two, and hang up on whoever of them calls."""
        self._pair(one, other).is_cut = True
        self.flap(one, other)

    def flap(self, one: str, other: str) -> None:
        """End every connection between two; they may call again at once."""
        for scope in self._pair(one, other).carrying:
            scope.cancel()

    def heal(self, one: str, other: str) -> None:
        """Let two reach each other as if nothing had been."""
        self._pair(one, other).is_cut = False
        for way in (self._way(one, other), self._way(other, one)):
            way.delay_s, gate, way.gate = 0.0, way.gate, None
            if gate is not None:
                gate.set()

    def part(self, side: Iterable[str], other_side: Iterable[str]) -> None:
        """Cut everybody on one side from everybody on the other."""
        others = list(other_side)
        for one in side:
            for other in others:
                self.cut(one, other)

    def heal_all(self) -> None:
        """Heal every pair that anything has befallen."""
        for pair in {*self._pairs, *map(frozenset, self._ways)}:
            self.heal(*pair)

    # ------------------------------------------------------------ the wires

    def _way(self, sender: str, receiver: str) -> Way:
        if (sender, receiver) not in self._ways:
            weather = None if self._sky is None else partial(_under_way_s, self._sky, sender, receiver)
            self._ways[sender, receiver] = Way(weather_s=weather)
        return self._ways[sender, receiver]

    def _pair(self, one: str, other: str) -> Pair:
        return self._pairs.setdefault(frozenset((one, other)), Pair())

    def _listen(self, serve: Callable[[trio.SocketStream], Awaitable[None]]) -> int:
        sock = socket.create_server((HERE, 0), backlog=64)
        listener = trio.SocketListener(trio.socket.from_stdlib_socket(sock))
        self._nursery.start_soon(partial(trio.serve_listeners, serve, [listener]))
        port: int = sock.getsockname()[1]
        return port

    async def _turn_away(self, name: str, caller: trio.SocketStream) -> None:
        self.turned_away[name] += 1
        await caller.aclose()

    async def _carry(self, caller: str, called: str, near: trio.SocketStream) -> None:
        """Lead one connection on, until both ends are done, one breaks off, or it is cut."""
        pair = self._pair(caller, called)
        async with near:
            if pair.is_cut or called not in self._homes:
                return
            with trio.CancelScope() as scope:
                pair.carrying.append(scope)
                try:
                    await self._way(caller, called).open()  # a call that is dropped is not heard of yet
                    await self._lead_on(near, caller, called)
                except OSError:
                    return  # nobody listens there now
                finally:
                    pair.carrying.remove(scope)

    async def _lead_on(self, near: trio.SocketStream, caller: str, called: str) -> None:
        with trio.socket.socket() as sock:
            await sock.bind((HERE, 0))
            port = sock.getsockname()[1]
            self._onward[port] = caller, called  # before the node can see it
            try:
                await sock.connect((HERE, self._homes[called]))
                far = trio.SocketStream(sock)
                await _both_ways(near, far, self._way(caller, called), self._way(called, caller))
            finally:
                del self._onward[port]


def _under_way_s(sky: Paths, sender: str, receiver: str, size: int) -> float:
    """Draw from the world's weather how long `size` bytes are under way, once the sender's line is free for them."""
    waits_ms = sky.sent_ms(sender, size, round(trio.current_time() * 1000))
    return (waits_ms + sky.delay_ms(sender, receiver)) / 1000


async def _both_ways(near: trio.SocketStream, far: trio.SocketStream, there: Way, back: Way) -> None:
    async with trio.open_nursery() as nursery:

        async def one_way(source: trio.SocketStream, sink: trio.SocketStream, way: Way) -> None:
            if not await _forward(source, sink, way):
                nursery.cancel_scope.cancel()

        nursery.start_soon(one_way, near, far, there)
        nursery.start_soon(one_way, far, near, back)


async def _forward(source: trio.SocketStream, sink: trio.SocketStream, way: Way) -> bool:
    """Forward what comes until it ends; False if it, or the other end, broke off."""
    enter, leave = trio.open_memory_channel[tuple[float, bytes]](CHUNKS_MAX)
    ended = False

    async def take() -> None:
        with enter:
            while True:
                try:
                    data = await source.receive_some(CHUNK_BYTES)
                except (trio.BrokenResourceError, trio.ClosedResourceError):
                    return
                await enter.send((trio.current_time() + way.takes_s(len(data)), data))
                if not data:
                    return

    async with trio.open_nursery() as nursery:
        nursery.start_soon(take)
        async for due, data in leave:
            await trio.sleep_until(due)
            await way.open()
            try:
                await (sink.send_all(data) if data else sink.send_eof())
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                nursery.cancel_scope.cancel()
                break
            ended = not data
        await way.open()  # that one end broke off is not heard of either, while nothing passes
    return ended


# ---------------------------------------------------------------- beside a test that does not run in trio


@dataclass(frozen=True, slots=True)
class Hand:
    """A shim that runs in a thread of its own, and the way to have it do something."""

    shim: Shim
    token: trio.lowlevel.TrioToken

    def do(self, what: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call one of the shim's methods in its thread: `hand.do(hand.shim.cut, "wren", "juniper")`."""
        return trio.from_thread.run_sync(partial(what, *args, **kwargs), trio_token=self.token)


@contextmanager
def shim_beside() -> Iterator[Hand]:
    """Give a shim to a test that waits for processes and not in trio; its wires are gone when the block is left."""
    hands: list[tuple[Hand, trio.CancelScope]] = []
    began = threading.Event()

    async def stand() -> None:
        async with trio.open_nursery() as nursery:
            hands.append((Hand(Shim(nursery), trio.lowlevel.current_trio_token()), nursery.cancel_scope))
            began.set()
            await trio.sleep(math.inf)

    thread = threading.Thread(target=trio.run, args=(stand,), daemon=True)
    thread.start()
    assert began.wait(END_S), "the shim did not begin"
    ((hand, scope),) = hands
    try:
        yield hand
    finally:
        hand.do(scope.cancel)
        thread.join(END_S)
        assert not thread.is_alive(), "the shim did not end"
