"""Streams in memory, dice and keys from a seed, and trio's clock as an `Instant`: what the tests of links stand on."""

import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import TypeVar

import trio
import trio.testing

from mesh.events import Input, Instant
from mesh.ids import Address, PeerId
from mesh.node.links import framing, hello
from mesh.node.links.switchboard import Switchboard
from mesh.node.transports.base import Remote

T = TypeVar("T")
ALICE, BOB, CAROL = PeerId("12D3KooWAlice"), PeerId("12D3KooWBob"), PeerId("12D3KooWCarol")  # Alice is lower


class SeededEntropy:
    """Key material from a seed."""

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)

    def draw(self, count: int) -> bytes:
        return self._random.randbytes(count)


class SeededDice:
    """Chance from a seed."""

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)

    def random(self) -> float:
        return self._random.random()

    def randrange(self, stop: int) -> int:
        return self._random.randrange(stop)


def clock() -> Instant:
    return Instant(mono_ms=round(trio.current_time() * 1000), wall_ms=0)


class Wire:
    """One direction of a stream: bytes that arrive `delay_s` after they were written. Holds `bytes_max` at most."""

    def __init__(self, delay_s: float = 0.0, bytes_max: int = 2**62) -> None:
        self.delay_s = delay_s
        self.bytes_max = bytes_max
        self.held = 0
        self.taken = trio.Event()
        self.sender, self.receiver = trio.open_memory_channel[tuple[float, bytes]](2**30)


class MemoryStream:
    """A stream between two ends in one process, with a transport's manners."""

    def __init__(self, remote: Remote, out: Wire, inward: Wire) -> None:
        self._remote, self._out, self._in = remote, out, inward
        self._left = b""
        self.aborted = trio.Event()
        self.finished = False

    @property
    def remote(self) -> Remote:
        return self._remote

    async def read(self, bytes_max: int) -> bytes:
        try:
            if not self._left:
                due, self._left = await self._in.receiver.receive()
                await trio.sleep_until(max(due, trio.current_time()))
                if self.aborted.is_set():
                    raise trio.ClosedResourceError
        except trio.EndOfChannel:
            return b""
        data, self._left = self._left[:bytes_max], self._left[bytes_max:]
        self._in.held -= len(data)
        self._in.taken.set()
        self._in.taken = trio.Event()
        return data

    async def write(self, data: bytes) -> None:
        while self._out.held and self._out.held + len(data) > self._out.bytes_max:
            await self._out.taken.wait()
        self._out.held += len(data)
        await self._out.sender.send((trio.current_time() + self._out.delay_s, data))

    async def finish(self) -> None:
        self.finished = True
        self._out.sender.close()
        await trio.lowlevel.checkpoint()

    def abort(self) -> None:
        self.aborted.set()
        self._out.sender.close()
        self._in.receiver.close()


def stream_pair(
    dialer: PeerId,
    answerer: PeerId,
    *,
    delay_s: float = 0.0,
    back_s: float | None = None,
    bytes_max: int = 2**62,
    host: str | None = None,
) -> tuple[MemoryStream, MemoryStream]:
    """Return the dialer's end and the other. The way back takes `back_s`, or as long as the way there."""
    there, back = Wire(delay_s, bytes_max), Wire(delay_s if back_s is None else back_s, bytes_max)
    name = Address(f"/memory/{answerer}")
    dialled = MemoryStream(Remote(peer=answerer, address=name, host=host, outbound=True), there, back)
    accepted = MemoryStream(
        Remote(peer=dialer, address=Address(f"/memory/{dialer}"), host=host, outbound=False), back, there
    )
    return dialled, accepted


class Node:
    """A switchboard, and what its runner would read."""

    def __init__(self, peer: PeerId, inputs_max: int = 10_000, seed: int = 0) -> None:
        self.peer = peer
        self.changes: list[tuple[PeerId, bool]] = []
        self.bugs: list[tuple[str, Exception]] = []
        sender, self.inputs = trio.open_memory_channel[Input](inputs_max)
        self.board = Switchboard(
            own=peer,
            inputs=sender,
            entropy=SeededEntropy(seed),
            clock=clock,
            on_link_changed=lambda peer, linked: self.changes.append((peer, linked)),
            on_bug=lambda where, error: self.bugs.append((where, error)),
        )

    async def next(self) -> Input:
        with trio.fail_after(60):
            return await self.inputs.receive()

    def waiting(self) -> list[Input]:
        """Return what the runner has not read yet."""
        found: list[Input] = []
        while self.inputs.statistics().current_buffer_used:
            found.append(self.inputs.receive_nowait())
        return found


async def settle() -> None:
    """Let every task that can go on without time passing do so."""
    await trio.testing.wait_all_tasks_blocked()


@asynccontextmanager
async def linked(dialer: Node, answerer: Node, **wires: float) -> AsyncIterator[trio.Nursery]:
    """Give a nursery in which the two are linked."""
    async with trio.open_nursery() as nursery:
        ours, theirs = stream_pair(
            dialer.peer,
            answerer.peer,
            delay_s=wires.get("delay_s", 0.0),
            back_s=wires.get("back_s"),
            bytes_max=int(wires.get("bytes_max", 2**62)),
        )
        nursery.start_soon(dialer.board.serve, ours)
        nursery.start_soon(answerer.board.serve, theirs)
        yield nursery
        nursery.cancel_scope.cancel()


def hello_frame(nonce: bytes = b"n" * 32, oldest: int = 1, newest: int = 1) -> bytes:
    """Return the bytes of a hello frame."""
    said = hello.Hello(oldest=oldest, newest=newest, nonce=nonce)
    return framing.encode(1, hello.encode(said))


def run(main: Callable[..., Awaitable[T]], *args: object) -> T:
    """Run a coroutine in virtual time that jumps, as hypothesis' examples need it."""
    return trio.run(partial(main, *args), clock=trio.testing.MockClock(autojump_threshold=0))
