"""What libp2p reads and writes through: exact, bounded, watched, and cut at once."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
from libp2p.io.exceptions import ConnectionClosedError

from mesh.node.transports.raw import ASK_BYTES_MAX, CHECK_BYTES, SILENT_S_MAX, TICK_S, RawStream


@asynccontextmanager
async def tcp_pair() -> AsyncIterator[tuple[RawStream, trio.SocketStream]]:
    """Give one end as libp2p has it, and the other as a stranger has it."""
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    async with listener:
        theirs = await trio.open_tcp_stream("127.0.0.1", listener.socket.getsockname()[1])
        accepted = await listener.accept()
        raw = RawStream(accepted, "127.0.0.1", 1)
        async with theirs:
            yield raw, theirs
        raw.abort()


def ticks(raw: RawStream, count: int) -> None:
    for _ in range(count):
        raw.tick()


async def test_it_gives_exactly_what_is_asked_for_however_it_comes() -> None:
    async with tcp_pair() as (raw, theirs), trio.open_nursery() as nursery:

        async def drip() -> None:
            for number in range(250):  # libp2p's own reader gives up after a hundred pieces
                await theirs.send_all(bytes([number]))
                await trio.testing.wait_all_tasks_blocked()

        nursery.start_soon(drip)
        assert await raw.read(2) == b"\0\1"
        assert await raw.read(248) == bytes(range(2, 250))


async def test_without_a_count_it_gives_what_is_there() -> None:
    async with tcp_pair() as (raw, theirs):
        await theirs.send_all(b"abc")
        assert await raw.read(1) == b"a"
        assert await raw.read() == b"bc"
        assert await raw.read(0) == b""


async def test_the_end_is_an_error_that_libp2p_knows() -> None:
    async with tcp_pair() as (raw, theirs):
        await theirs.send_all(b"abc")
        await theirs.aclose()
        with pytest.raises(ConnectionClosedError):
            await raw.read(4)
        with pytest.raises(ConnectionClosedError):
            await raw.write(b"x")
        assert raw.closed.is_set()


async def test_a_stranger_cannot_make_it_gather_without_end() -> None:
    async with tcp_pair() as (raw, _theirs):
        with pytest.raises(ConnectionClosedError):
            await raw.read(ASK_BYTES_MAX + 1)
        assert raw.closed.is_set()


async def test_who_sends_more_than_is_taken_is_cut_off() -> None:
    async with tcp_pair() as (raw, theirs), trio.open_nursery() as nursery:
        asked = 0

        def overfull() -> bool:
            nonlocal asked
            asked += 1
            return asked == 3

        raw.overfull = overfull

        taken = 0

        async def flood() -> None:
            with pytest.raises(trio.BrokenResourceError):
                await theirs.send_all(bytes(100_000_000))

        async def take() -> None:
            nonlocal taken
            while True:
                taken += len(await raw.read(1_000))

        nursery.start_soon(flood)
        with pytest.raises(ConnectionClosedError):
            await take()
        assert 2 * CHECK_BYTES < taken < 4 * CHECK_BYTES


async def test_silence_ends_it_and_any_byte_is_life() -> None:
    silent = round(SILENT_S_MAX / TICK_S)
    async with tcp_pair() as (raw, theirs):
        ticks(raw, silent)  # the first follows the connecting, which was life
        assert not raw.closed.is_set()
        await theirs.send_all(b"x")
        await raw.read(1)
        ticks(raw, silent)
        assert not raw.closed.is_set()
        ticks(raw, 1)
        assert raw.closed.is_set()


async def test_an_abort_wakes_whoever_reads_and_whoever_writes() -> None:
    async with tcp_pair() as (raw, _theirs), trio.open_nursery() as nursery:
        told: list[str] = []
        raw.on_abort = lambda: told.append("cut")

        async def read() -> None:
            with pytest.raises(ConnectionClosedError):
                await raw.read(1)
            told.append("read")

        async def write() -> None:
            with pytest.raises(ConnectionClosedError):
                await raw.write(bytes(100_000_000))
            told.append("write")

        nursery.start_soon(read)
        nursery.start_soon(write)
        await trio.testing.wait_all_tasks_blocked()
        with trio.fail_after(5):
            await raw.close()
            nursery.cancel_scope.deadline = trio.current_time() + 5
        raw.abort()
    assert sorted(told) == ["cut", "read", "write"]


async def test_a_write_that_was_cancelled_half_way_leaves_nothing_usable() -> None:
    async with tcp_pair() as (raw, _theirs):
        with trio.CancelScope() as scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(raw.write, bytes(100_000_000))
                await trio.testing.wait_all_tasks_blocked()
                scope.cancel()
        assert raw.closed.is_set()
        assert raw.get_remote_address() == ("127.0.0.1", 1)
