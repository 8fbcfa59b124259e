"""A hostile node on real links: ten thousand cases and floods, and the node goes on serving, in bounded memory."""

import logging
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from itertools import islice
from typing import Self

import pytest
import trio

from demo.people import Json, Person, record, records, text
from mesh.errors import TransportError
from mesh.events import LinkKind
from mesh.ids import Address
from mesh.node.links.framing import encode
from mesh.node.links.link import exchange_hellos
from mesh.node.local.api import Api
from mesh.node.local.client import connect
from mesh.node.transports.base import Stream
from tests.e2e.conftest import GROUP
from tests.e2e.hostile import Hostile
from tests.node.links.wires import SeededEntropy
from tests.node.transports.loopback import port_of, transport

LINKS = 70  # each by another node, for each is banned in the end
AT_ONCE = 7
ODD, WRONG = 160, 40  # cases that a link sends: 11,200 that are all looked at, then others until it is hung up on
FLOOD_BYTES = 24 * 1024 * 1024
CROWDED_S = 8
HEARD_OUT_S = 20
GROWTH_BYTES_MAX = 64 * 1024 * 1024
BROKEN = (trio.BrokenResourceError, trio.ClosedResourceError, trio.EndOfChannel, trio.TooSlowError, TransportError)


class Talk:
    """A member who talks over the node under attack, and one at that node who reads, until they are told to stop."""

    def __init__(self, speaker: Person, reader: Person) -> None:
        self._speaker, self._reader = speaker, reader
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.said: list[str] = []
        self.slowest_s = 0.0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join(60)

    def _run(self) -> None:
        with node_of(self._speaker) as speaker, node_of(self._reader) as reader:
            while not self._stop.is_set():
                words, began = f"{len(self.said)} under attack", time.monotonic()
                speaker.call("post", {"group": GROUP, "text": words, "wait_s": 0.0})
                while words not in [
                    text(m, "text") for m in records(reader.call("read", {"group": GROUP}), "messages")
                ]:
                    if time.monotonic() - began > 30:
                        return
                    self._stop.wait(0.02)
                self.slowest_s = max(self.slowest_s, time.monotonic() - began)
                self.said.append(words)
                self._stop.wait(0.1)


@contextmanager
def node_of(person: Person) -> Iterator[Api]:
    """Ask a person's node over its socket."""
    node = connect(person.home)
    assert node is not None
    with closing(node):
        yield node


def memory(person: Person) -> int:
    """How much the node's process holds in RAM, once its collector has run."""
    with node_of(person) as node:
        held = record(node.call("node.health", {}), "health")["memory_bytes"]
    assert isinstance(held, int)
    return held


async def test_ten_thousand_hostile_cases_and_floods_leave_the_node_serving(
    pair: tuple[Person, Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    wren, juniper = pair
    monkeypatch.setenv("XDG_RUNTIME_DIR", wren.environment()["XDG_RUNTIME_DIR"])
    address = address_of(wren)
    code = text(wren.mesh("invite", "new", GROUP), "code")
    before = memory(wren)
    most = before
    with Talk(juniper, wren) as talk:
        sent = await attacked(address, code)
        most = max(most, await trio.to_thread.run_sync(memory, wren))
        refused = records(await trio.to_thread.run_sync(wren.mesh, "status"), "refused")
        await crowded(address)
        most = max(most, await trio.to_thread.run_sync(memory, wren))
        already = len(talk.said)
        assert already > 0, "nobody could talk meanwhile"
        assert not await linked(address, 0, nothing), "it was banned, and gets no hello"
    assert sent >= 10_000
    assert len(refused) >= LINKS - 5, "each was banned; some may not have been heard out"
    assert all(is_between(one["left_s"], 1, 300) for one in refused)
    assert talk.slowest_s < 20
    wren.post(GROUP, "still here")
    juniper.sees(GROUP, "still here")
    assert most - before < GROWTH_BYTES_MAX
    log = (wren.home / "log" / "node.log").read_text(encoding="utf-8")
    assert "bug" not in log
    more = (most - before) / 2**20
    said = f"{sent} cases, {len(talk.said)} posts meanwhile in {talk.slowest_s:.1f} s at the most, {more:.0f} MiB more"
    logging.getLogger(__name__).info(said)


def address_of(person: Person) -> Address:
    """Where a person's node is reached."""
    told = person.mesh("status")["addresses"]
    assert isinstance(told, list)
    assert isinstance(told[0], str)
    return Address(told[0])


def is_between(value: Json, low: int, high: int) -> bool:
    """Say whether a value is a number within bounds."""
    return isinstance(value, int) and low <= value <= high


async def attacked(address: Address, code: str) -> int:
    """Let one node after the other, several at once, send its cases until it is hung up on; return how many left."""
    sent = 0
    limit = trio.CapacityLimiter(AT_ONCE)

    async def attack(number: int) -> None:
        hostile = Hostile(code, number)
        wrong = hostile.wrong()

        async def send(stream: Stream) -> None:
            nonlocal sent
            async with trio.open_nursery() as nursery:
                nursery.start_soon(drained, stream)
                with suppress(*BROKEN):  # hung up on, as it should be
                    for case in [*hostile.odd(ODD), *islice(wrong, WRONG), hostile.breaks_framing()]:
                        await stream.write(case)
                        sent += 1
                # It is read until the node hangs up: who closed first might have been heard only in part.

        async with limit:
            with trio.move_on_after(HEARD_OUT_S):
                await linked(address, number, send)

    async with trio.open_nursery() as nursery:
        for number in range(LINKS):
            nursery.start_soon(attack, number)
    return sent


async def linked(address: Address, number: int, act: Callable[[Stream], Awaitable[None]]) -> bool:
    """Say hello as a node of one's own and do something with the link until it ends; return whether hello was said."""
    greeted = False
    async with transport(1000 + number) as ours:
        with suppress(*BROKEN):
            stream = await ours.dial(address)
            await exchange_hellos(stream, SeededEntropy(number).draw(32))
            greeted = True
            await act(stream)
    return greeted


async def drained(stream: Stream) -> None:
    """Read until the stream ends."""
    with suppress(*BROKEN):
        while await stream.read(65536):
            pass


async def crowded(address: Address) -> None:
    """Floods, trickles, halves and silence, all at once for some seconds."""
    with ExitStack() as silent, trio.move_on_after(CROWDED_S):
        for _ in range(60):
            silent.enter_context(socket.create_connection(("127.0.0.1", port_of(address)), timeout=10))
        async with trio.open_nursery() as nursery:
            for number in range(3):
                nursery.start_soon(linked, address, 500 + number, flood)
            for number in range(4):
                nursery.start_soon(linked, address, 600 + number, trickle)
                nursery.start_soon(linked, address, 700 + number, half_open)


async def flood(stream: Stream) -> None:
    """Send as fast as it is read: small frames that mean nothing, then large ones."""
    small = encode(250, b"") * 4000
    large = encode(LinkKind.SEALED, bytes(256 * 1024))
    for _ in range(20):
        await stream.write(small)
    for _ in range(FLOOD_BYTES // len(large)):
        await stream.write(large)


async def trickle(stream: Stream) -> None:
    """Send a frame byte by byte."""
    for byte in encode(LinkKind.SEALED, bytes(2000)):
        await stream.write(bytes([byte]))
        await trio.sleep(0.05)


async def half_open(stream: Stream) -> None:
    """Say nothing more, and read nothing."""
    del stream
    await trio.sleep_forever()


async def nothing(stream: Stream) -> None:
    """Hang up."""
    del stream
    await trio.lowlevel.checkpoint()
