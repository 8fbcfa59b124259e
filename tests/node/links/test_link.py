"""A link carries frames both ways, waits where it must, and ends for each reason that there is."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
import trio

from mesh.errors import Fault, RemoteError
from mesh.events import FrameReceived, Input, LinkKind, SendClass
from mesh.ids import LinkId
from mesh.node.links import framing, hello
from mesh.node.links.budget import FRAMES_BURST, FRAMES_PER_S
from mesh.node.links.link import FINISH_S_MAX, HELLO_S_MAX, WRITE_S_MAX, Link, exchange_hellos
from tests.node.links.wires import ALICE, BOB, MemoryStream, clock, hello_frame, settle, stream_pair

POST = (LinkKind.FRAME, SendClass.MESSAGES)


@dataclass
class End:
    """One end of a link under test."""

    link: Link
    stream: MemoryStream
    inputs: trio.MemoryReceiveChannel[Input]
    faults: list[Fault] = field(default_factory=list)

    def push(self, payload: bytes, send_class: SendClass = SendClass.MESSAGES) -> bool:
        return self.link.push(LinkKind.FRAME, payload, send_class)

    async def payload(self) -> bytes:
        with trio.fail_after(600):
            received = await self.inputs.receive()
        assert isinstance(received, FrameReceived)
        assert received.link == self.link.id
        return received.payload


def end(stream: MemoryStream, number: int, inputs_max: int = 1_000) -> End:
    sender, receiver = trio.open_memory_channel[Input](inputs_max)
    faults: list[Fault] = []
    link = Link(
        link=LinkId(number),
        stream=stream,
        decoder=framing.Decoder(),
        inputs=sender,
        now_ms=lambda: clock().mono_ms,
        on_fault=faults.append,
    )
    return End(link, stream, receiver, faults)


@asynccontextmanager
async def pair(inputs_max: int = 1_000, bytes_max: int = 2**62) -> AsyncIterator[tuple[End, End]]:
    """Give both ends of a running link."""
    ours, theirs = stream_pair(ALICE, BOB, bytes_max=bytes_max)
    alice, bob = end(ours, 1, inputs_max), end(theirs, 2, inputs_max)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(alice.link.run)
        nursery.start_soon(bob.link.run)
        yield alice, bob
        nursery.cancel_scope.cancel()


@asynccontextmanager
async def stranger(inputs_max: int = 1_000, bytes_max: int = 2**62) -> AsyncIterator[tuple[End, MemoryStream]]:
    """Give one end of a running link, and the bare stream at the other."""
    ours, theirs = stream_pair(ALICE, BOB, bytes_max=bytes_max)
    alice = end(ours, 1, inputs_max)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(alice.link.run)
        yield alice, theirs
        nursery.cancel_scope.cancel()


# ---------------------------------------------------------------------------------------------- hellos


async def test_both_hear_the_others_nonce(autojump_clock: trio.abc.Clock) -> None:
    ours, theirs = stream_pair(ALICE, BOB, delay_s=0.05)
    heard: list[hello.Hello] = []

    async def greet(stream: MemoryStream, nonce: bytes) -> None:
        said, decoder = await exchange_hellos(stream, nonce)
        heard.append(said)
        assert decoder.payload_bytes_max > hello.HELLO_BYTES

    async with trio.open_nursery() as nursery:
        nursery.start_soon(greet, ours, b"a" * 32)
        nursery.start_soon(greet, theirs, b"b" * 32)
    assert {said.nonce for said in heard} == {b"a" * 32, b"b" * 32}


async def test_who_says_nothing_is_dropped_after_ten_seconds(autojump_clock: trio.abc.Clock) -> None:
    ours, _theirs = stream_pair(ALICE, BOB)
    began = trio.current_time()
    with pytest.raises(trio.TooSlowError):
        await exchange_hellos(ours, b"a" * 32)
    assert trio.current_time() - began == pytest.approx(HELLO_S_MAX)


async def test_who_drips_a_hello_is_dropped_as_late(autojump_clock: trio.abc.Clock) -> None:
    ours, theirs = stream_pair(ALICE, BOB)

    async def drip() -> None:
        for number in range(200):
            await theirs.write(hello_frame()[number : number + 1])
            await trio.sleep(0.1)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(drip)
        with pytest.raises(trio.TooSlowError):
            await exchange_hellos(ours, b"a" * 32)
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        (framing.encode(LinkKind.FRAME, b"too early"), Fault.AGAINST_RULES),
        (framing.encode(LinkKind.HELLO, b"short"), Fault.MALFORMED),
        ((300).to_bytes(4, "big") + b"\1", Fault.OVER_LIMIT),
        (hello_frame(b"a" * 32), Fault.AGAINST_RULES),
    ],
)
async def test_what_is_no_hello_is_a_fault(said: bytes, fault: Fault) -> None:
    ours, theirs = stream_pair(ALICE, BOB)
    await theirs.write(said)
    with pytest.raises(RemoteError) as caught:
        await exchange_hellos(ours, b"a" * 32)
    assert caught.value.fault is fault


async def test_who_hangs_up_before_the_hello_is_gone() -> None:
    ours, theirs = stream_pair(ALICE, BOB)
    await theirs.finish()
    with pytest.raises(trio.EndOfChannel):
        await exchange_hellos(ours, b"a" * 32)


# ---------------------------------------------------------------------------------------------- frames


async def test_frames_go_both_ways(autojump_clock: trio.abc.Clock) -> None:
    async with pair() as (alice, bob):
        assert alice.push(b"first")
        assert alice.push(b"second")
        assert bob.push(b"third")
        assert await bob.payload() == b"first"
        assert await bob.payload() == b"second"
        assert await alice.payload() == b"third"


async def test_a_burst_leaves_in_few_writes(autojump_clock: trio.abc.Clock) -> None:
    ours, theirs = stream_pair(ALICE, BOB)
    alice = end(ours, 1)
    for number in range(1_000):
        alice.push(number.to_bytes(60, "big"))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(alice.link.run)
        await settle()
        writes = ours._out.sender.statistics().current_buffer_used
        nursery.cancel_scope.cancel()
    assert writes == 2  # 65 kB
    theirs.abort()


async def test_a_busy_runner_makes_the_peer_wait_and_loses_nothing(autojump_clock: trio.abc.Clock) -> None:
    async with pair(inputs_max=4, bytes_max=10_000) as (alice, bob):
        for number in range(4_000):
            assert alice.push(number.to_bytes(100, "big"))
        await settle()
        assert bob.inputs.statistics().current_buffer_used == 4
        assert alice.link.queued_bytes > 0  # the wire is full too
        assert [int.from_bytes(await bob.payload(), "big") for _ in range(4_000)] == list(range(4_000))
        assert alice.link.queued_bytes == 0


async def test_a_flood_is_read_at_its_rate(autojump_clock: trio.abc.Clock) -> None:
    count = FRAMES_BURST + FRAMES_PER_S * 2
    async with stranger(inputs_max=count) as (alice, bob):
        began = trio.current_time()
        frames = framing.encode(LinkKind.FRAME, b"") * 5_000
        for _ in range(count // 5_000):
            await bob.write(frames)
        for _ in range(count):
            await alice.payload()
        assert trio.current_time() - began == pytest.approx(2, abs=0.5)


async def test_what_is_longer_than_a_queue_waits_for_room(autojump_clock: trio.abc.Clock) -> None:
    payload, sent = bytes(250_000), 40
    async with pair(inputs_max=1, bytes_max=100_000) as (alice, bob), trio.open_nursery() as nursery:

        async def send() -> None:
            for _ in range(sent):
                assert await alice.link.push_with_room(LinkKind.FRAME, payload, SendClass.BULK)

        nursery.start_soon(send)
        for _ in range(sent):
            assert await bob.payload() == payload
            assert alice.link.queued_bytes < 1_500_000


async def test_whoever_waits_for_room_is_told_when_the_link_goes(autojump_clock: trio.abc.Clock) -> None:
    async with stranger(bytes_max=1_000) as (alice, bob), trio.open_nursery() as nursery:
        told = trio.Event()

        async def send() -> None:
            while await alice.link.push_with_room(LinkKind.FRAME, bytes(100_000), SendClass.BULK):
                pass
            told.set()

        nursery.start_soon(send)
        await settle()
        assert not told.is_set()
        bob.abort()
        alice.link.abort()
        with trio.fail_after(1):
            await told.wait()


# ---------------------------------------------------------------------------------------------- ends


async def run_out(link: Link) -> None:
    with trio.fail_after(600):
        await link.run()


async def test_it_ends_when_the_peer_closes(autojump_clock: trio.abc.Clock) -> None:
    ours, theirs = stream_pair(ALICE, BOB)
    alice = end(ours, 1)
    await theirs.write(framing.encode(LinkKind.FRAME, b"last words"))
    await theirs.finish()
    await run_out(alice.link)
    assert await alice.payload() == b"last words"
    assert ours.aborted.is_set()
    assert alice.faults == []


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        (bytes(4), Fault.MALFORMED),
        (b"\xff\xff\xff\xff", Fault.OVER_LIMIT),
        (hello_frame(), Fault.AGAINST_RULES),
    ],
)
async def test_it_ends_when_the_peer_breaks_the_framing(
    said: bytes, fault: Fault, autojump_clock: trio.abc.Clock
) -> None:
    ours, theirs = stream_pair(ALICE, BOB)
    alice = end(ours, 1)
    await theirs.write(said + framing.encode(LinkKind.FRAME, b"never read"))
    await run_out(alice.link)
    assert alice.faults == [fault]
    assert alice.inputs.statistics().current_buffer_used == 0
    assert ours.aborted.is_set()


async def test_it_ends_when_the_peer_does_not_read(autojump_clock: trio.abc.Clock) -> None:
    ours, _theirs = stream_pair(ALICE, BOB, bytes_max=1_000)
    alice = end(ours, 1)
    for _ in range(3):
        alice.push(bytes(60_000))
    began = trio.current_time()
    await run_out(alice.link)
    assert trio.current_time() - began == pytest.approx(WRITE_S_MAX)


async def test_it_ends_when_a_queue_that_must_not_leave_out_is_full(autojump_clock: trio.abc.Clock) -> None:
    async with stranger(bytes_max=1_000) as (alice, bob):
        while alice.push(bytes(50_000), SendClass.OPERATIONS):
            await settle()
        with trio.fail_after(1):
            await alice.stream.aborted.wait()
        assert await bob.read(100)  # something had left


async def test_posts_are_left_out_and_counted_while_the_link_stands(autojump_clock: trio.abc.Clock) -> None:
    async with stranger(bytes_max=1_000) as (alice, _bob):
        while alice.push(bytes(50_000)):
            await settle()
        assert alice.link.skipped == 1
        assert not alice.stream.aborted.is_set()


async def test_a_hang_up_lets_what_is_queued_leave(autojump_clock: trio.abc.Clock) -> None:
    async with pair() as (alice, bob):
        for number in range(300):
            alice.push(number.to_bytes(1_000, "big"))
        alice.link.finish()
        assert not alice.push(b"too late")
        assert not await alice.link.push_with_room(*POST[:1], b"too late", POST[1])
        assert [int.from_bytes(await bob.payload(), "big") for _ in range(300)] == list(range(300))
        with trio.fail_after(FINISH_S_MAX / 2):
            await alice.stream.aborted.wait()
            await bob.stream.aborted.wait()


async def test_a_hang_up_does_not_wait_for_a_peer_that_never_closes(autojump_clock: trio.abc.Clock) -> None:
    ours, _theirs = stream_pair(ALICE, BOB)
    alice = end(ours, 1)
    alice.push(b"goodbye")
    alice.link.finish()
    began = trio.current_time()
    await run_out(alice.link)
    assert trio.current_time() - began == pytest.approx(FINISH_S_MAX)
    assert ours.finished


async def test_a_link_that_was_ended_before_it_ran_ends_at_once(autojump_clock: trio.abc.Clock) -> None:
    ours, _theirs = stream_pair(ALICE, BOB)
    alice = end(ours, 1)
    alice.link.abort()
    await run_out(alice.link)
    assert ours.aborted.is_set()


async def test_it_ends_when_the_runner_is_gone(autojump_clock: trio.abc.Clock) -> None:
    ours, theirs = stream_pair(ALICE, BOB)
    alice = end(ours, 1)
    alice.inputs.close()
    await theirs.write(framing.encode(LinkKind.FRAME, b"hello?"))
    await run_out(alice.link)
    assert ours.aborted.is_set()
