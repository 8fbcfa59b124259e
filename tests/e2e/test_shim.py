"""The shim over real sockets: what passes, what does not, and that each way and each pair is apart from the others."""

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import pytest
import trio

from simulations.lab.shim import CHUNK_BYTES, CHUNKS_MAX, HERE, Shim, shim_beside
from simulations.regions import Machine
from simulations.weather import Paths, Weather

DELAY_S = 0.3
SOON_S = 10.0  # nothing here may take longer
SILENT_S = 0.3  # how long we listen for what must not come


@pytest.fixture
async def shim(nursery: trio.Nursery) -> Shim:
    """A shim with juniper and sorrel behind it, who give back what they hear with their name before it."""
    return await _wired(nursery)


async def _wired(nursery: trio.Nursery, sky: Paths | None = None) -> Shim:
    made = Shim(nursery, sky)
    for name in ("juniper", "sorrel"):
        (listener,) = await trio.open_tcp_listeners(0, host=HERE)
        made.lives_at(name, listener.socket.getsockname()[1])
        nursery.start_soon(trio.serve_listeners, partial(_answer, name.encode()), [listener])
    return made


async def _answer(name: bytes, stream: trio.SocketStream) -> None:
    try:
        async for data in stream:
            await stream.send_all(name + b": " + data)
    except trio.BrokenResourceError:
        return  # it was cut


@asynccontextmanager
async def call(shim: Shim, called: str, caller: str = "wren") -> AsyncIterator[trio.SocketStream]:
    with trio.fail_after(SOON_S):
        async with await trio.open_tcp_stream(HERE, shim.front(caller, called)) as stream:
            yield stream


async def heard(stream: trio.SocketStream) -> bytes:
    """Return what comes next; nothing if the other end hung up."""
    try:
        return await stream.receive_some()
    except trio.BrokenResourceError:
        return b""


async def is_silent(stream: trio.SocketStream) -> bool:
    with trio.move_on_after(SILENT_S) as listened:
        await heard(stream)
    return listened.cancelled_caught


async def test_each_front_leads_to_its_own_node(shim: Shim) -> None:
    async with call(shim, "juniper") as one, call(shim, "sorrel") as other:
        await one.send_all(b"hello")
        await other.send_all(b"hello")
        assert await heard(one) == b"juniper: hello"
        assert await heard(other) == b"sorrel: hello"
        assert shim.carried(one.socket.getpeername()[1]) == ("wren", "juniper")
        assert shim.carried(one.socket.getsockname()[1]) is None, "the caller's own end is none of the shim's"


async def test_a_node_sees_the_shim_and_knows_through_which_pair(nursery: trio.Nursery) -> None:
    shim = Shim(nursery)
    sees, seen = trio.open_memory_channel[int](1)

    async def look(stream: trio.SocketStream) -> None:
        await sees.send(stream.socket.getpeername()[1])

    (listener,) = await trio.open_tcp_listeners(0, host=HERE)
    shim.lives_at("juniper", listener.socket.getsockname()[1])
    nursery.start_soon(trio.serve_listeners, look, [listener])
    async with call(shim, "juniper"):
        assert shim.carried(await seen.receive()) == ("wren", "juniper")


async def test_the_end_passes_in_one_direction_and_leaves_the_other_open(shim: Shim) -> None:
    async with call(shim, "juniper") as stream:
        await stream.send_all(b"last words")
        await stream.send_eof()
        assert await heard(stream) == b"juniper: last words"
        assert await heard(stream) == b""


async def test_delay_holds_one_direction_back(shim: Shim) -> None:
    shim.delay("wren", "juniper", DELAY_S)
    async with call(shim, "juniper") as late, call(shim, "sorrel") as prompt:
        began = trio.current_time()
        await late.send_all(b"a")
        assert await heard(late) == b"juniper: a"
        assert trio.current_time() - began >= DELAY_S
        shim.delay("juniper", "wren", DELAY_S)
        began = trio.current_time()
        await late.send_all(b"b")
        assert await heard(late) == b"juniper: b"
        assert trio.current_time() - began >= 2 * DELAY_S
        began = trio.current_time()
        await prompt.send_all(b"c")
        assert await heard(prompt) == b"sorrel: c"


async def test_what_is_delayed_less_does_not_overtake(shim: Shim) -> None:
    async with call(shim, "juniper") as stream:
        shim.delay("juniper", "wren", DELAY_S)
        await stream.send_all(b"1")
        shim.delay("juniper", "wren", 0)
        await stream.send_all(b"2")
        both = b""
        while b"2" not in both:
            both += await heard(stream)
        assert both.replace(b"juniper: ", b"") == b"12"


async def test_drop_is_silent_one_way_and_all_comes_after_it_heals(shim: Shim) -> None:
    shim.drop("juniper", "wren")
    async with call(shim, "juniper") as stream, call(shim, "sorrel") as other:
        await stream.send_all(b"are you there?")
        assert await is_silent(stream)
        await other.send_all(b"and you?")
        assert await heard(other) == b"sorrel: and you?"
        shim.heal("wren", "juniper")
        assert await heard(stream) == b"juniper: are you there?"


async def test_a_call_that_is_dropped_is_not_heard_of_before_it_heals(nursery: trio.Nursery) -> None:
    shim, came = Shim(nursery), trio.Event()

    async def note(stream: trio.SocketStream) -> None:
        came.set()
        await trio.sleep(math.inf)

    (listener,) = await trio.open_tcp_listeners(0, host=HERE)
    shim.lives_at("juniper", listener.socket.getsockname()[1])
    nursery.start_soon(trio.serve_listeners, note, [listener])
    shim.drop("wren", "juniper")
    async with call(shim, "juniper") as stream:
        assert await is_silent(stream)
        assert not came.is_set()
        shim.heal_all()
        await came.wait()


async def test_an_end_that_is_dropped_is_not_heard_of_either(shim: Shim) -> None:
    async with call(shim, "juniper") as stream:
        await stream.send_all(b"x")
        assert await heard(stream) == b"juniper: x"
        shim.drop("juniper", "wren")
        await stream.send_eof()  # which juniper answers by hanging up
        assert await is_silent(stream)
        shim.heal("juniper", "wren")
        assert await heard(stream) == b""


async def test_a_dropped_way_takes_in_no_more_than_its_limit(shim: Shim) -> None:
    shim.drop("wren", "juniper")
    sent = 0
    async with call(shim, "juniper") as stream:
        with trio.move_on_after(1) as pushed:
            while sent < 4 * CHUNKS_MAX * CHUNK_BYTES:
                await stream.send_all(bytes(CHUNK_BYTES))
                sent += CHUNK_BYTES
        assert pushed.cancelled_caught


async def test_cut_ends_what_there_is_and_hangs_up_on_both_until_it_heals(shim: Shim) -> None:
    async with call(shim, "juniper") as stream, call(shim, "sorrel") as other:
        await stream.send_all(b"x")
        assert await heard(stream) == b"juniper: x"
        shim.cut("juniper", "wren")
        assert await heard(stream) == b""
        async with call(shim, "juniper") as again:
            assert await heard(again) == b""
        await other.send_all(b"still here")
        assert await heard(other) == b"sorrel: still here"
        async with call(shim, "juniper", caller="sorrel") as third:
            await third.send_all(b"nor am I cut")
            assert await heard(third) == b"juniper: nor am I cut"
        shim.heal("wren", "juniper")
        async with call(shim, "juniper") as healed:
            await healed.send_all(b"y")
            assert await heard(healed) == b"juniper: y"


async def test_flap_ends_what_there_is_and_lets_them_call_again(shim: Shim) -> None:
    async with call(shim, "juniper") as stream, call(shim, "sorrel") as other:
        await stream.send_all(b"x")
        assert await heard(stream) == b"juniper: x"
        shim.flap("juniper", "wren")
        assert await heard(stream) == b""
        async with call(shim, "juniper") as again:
            await again.send_all(b"y")
            assert await heard(again) == b"juniper: y"
        await other.send_all(b"still here")
        assert await heard(other) == b"sorrel: still here"


# ---------------------------------------------------------------- with the world's weather


async def _round_trip_s(stream: trio.SocketStream, data: bytes, answer_bytes: int) -> float:
    began, got = trio.current_time(), 0
    await stream.send_all(data)
    while got < answer_bytes:
        got += len(await heard(stream))
    return trio.current_time() - began


async def test_with_a_sky_each_way_takes_as_long_as_in_the_world(nursery: trio.Nursery) -> None:
    """The same draws: a twin of the sky says beforehand what each of the two ways will take."""
    weather = Weather(latency_ms=40, jitter_ms=30)
    shim, twin = await _wired(nursery, Paths(7, weather)), Paths(7, weather)
    async with call(shim, "juniper") as stream:
        for _ in range(3):
            least_s = (twin.delay_ms("wren", "juniper") + twin.delay_ms("juniper", "wren")) / 1000
            took_s = await _round_trip_s(stream, b"a", len(b"juniper: a"))
            assert least_s <= took_s + 0.001 < least_s + 1.0


async def test_regions_are_as_far_apart_as_in_the_world(nursery: trio.Nursery) -> None:
    sky = Paths(1, Weather(latency_ms=1_000, jitter_ms=0))
    sky.machines = {"wren": Machine(region="europe"), "juniper": Machine(region="australia")}
    shim = await _wired(nursery, sky)
    async with call(shim, "juniper") as stream:
        assert 0.33 <= await _round_trip_s(stream, b"a", len(b"juniper: a")) < 2.0, (
            "165 ms each way, and not a second each"
        )


async def test_what_is_lost_is_sent_again_and_nothing_passes_it(nursery: trio.Nursery) -> None:
    sky = Paths(3, Weather(latency_ms=1, jitter_ms=0, loss=0.9, retransmit_ms=20))
    shim, twin = await _wired(nursery, sky), Paths(3, sky.weather)
    async with call(shim, "juniper") as stream:
        least_s = (twin.delay_ms("wren", "juniper") + twin.delay_ms("juniper", "wren")) / 1000
        assert least_s > 0.1, "a draw in which much is lost"
        assert await _round_trip_s(stream, b"a", len(b"juniper: a")) + 0.001 >= least_s
        both = b""
        for part in (b"1", b"2", b"3"):
            await stream.send_all(part)
        while b"3" not in both:
            both += await heard(stream)
        assert both.replace(b"juniper: ", b"") == b"123"


async def test_a_line_of_some_kbit_sends_one_piece_after_the_other(nursery: trio.Nursery) -> None:
    sky = Paths(1, Weather(latency_ms=0, jitter_ms=0))
    sky.machines = {"wren": Machine(kbit_s=800)}
    shim = await _wired(nursery, sky)
    async with call(shim, "juniper") as stream, call(shim, "sorrel") as other:
        began = trio.current_time()
        for one in (stream, other):  # both share what wren's line carries: 20 kB at 100 kB/s each
            await one.send_all(bytes(20_000))
        for one in (stream, other):
            got = 0
            while got < 20_000:
                got += len((await heard(one)).replace(b"juniper: ", b"").replace(b"sorrel: ", b""))
        assert 0.4 <= trio.current_time() - began < 2.0


async def test_weather_changes_for_what_sets_out_from_now_on(nursery: trio.Nursery) -> None:
    sky = Paths(1, Weather(latency_ms=300, jitter_ms=0))
    shim = await _wired(nursery, sky)
    async with call(shim, "juniper") as stream:
        assert await _round_trip_s(stream, b"a", len(b"juniper: a")) >= 0.6
        sky.weather = Weather(latency_ms=0, jitter_ms=0)
        assert await _round_trip_s(stream, b"b", len(b"juniper: b")) < 0.6


async def test_under_a_sky_a_cut_and_silence_are_what_they_were(nursery: trio.Nursery) -> None:
    shim = await _wired(nursery, Paths(1, Weather(latency_ms=5, jitter_ms=5)))
    async with call(shim, "juniper") as stream:
        shim.drop("wren", "juniper")
        await stream.send_all(b"x")
        assert await is_silent(stream)
        shim.heal_all()
        assert await heard(stream) == b"juniper: x"
        shim.cut("wren", "juniper")
        assert await heard(stream) == b""


async def test_two_sides_are_parted_and_each_stays_whole(shim: Shim) -> None:
    shim.part(["wren", "juniper"], ["sorrel"])
    async with call(shim, "juniper") as same, call(shim, "sorrel") as across:
        await same.send_all(b"x")
        assert await heard(same) == b"juniper: x"
        assert await heard(across) == b""
    shim.heal_all()
    async with call(shim, "sorrel") as across:
        await across.send_all(b"y")
        assert await heard(across) == b"sorrel: y"


async def test_nobody_gets_in_at_a_door_or_to_one_who_is_nowhere(shim: Shim) -> None:
    with trio.fail_after(SOON_S):
        async with await trio.open_tcp_stream(HERE, shim.door("juniper")) as stream:
            assert await heard(stream) == b""
    assert shim.turned_away == {"juniper": 1}
    async with call(shim, "tansy") as stream:
        assert await heard(stream) == b""


def test_it_stands_beside_a_test_that_does_not_run_in_trio() -> None:
    with shim_beside() as hand:
        port = hand.do(hand.shim.front, "wren", "juniper")
        assert hand.do(hand.shim.carried, port) == ("wren", "juniper")
