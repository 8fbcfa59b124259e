"""The dialer never gives up, only slows down, and stops while a link stands."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
import trio

from mesh.ids import Address, PeerId
from mesh.node.links.dialer import CONNECTS_MAX, RETRY_S_FIRST, RETRY_S_MAX, STAGGER_S, STEADY_S, Dialer
from mesh.node.transports.base import Remote, Stream, Unreachable
from mesh.wire.limits import ADDRESSES_MAX
from tests.node.links.wires import ALICE, BOB, CAROL, MemoryStream, SeededDice, settle, stream_pair

HOME, WORK, CAFE = Address("/memory/home"), Address("/memory/work"), Address("/memory/cafe")


class Town:
    """Where peers can be dialled: what answers at an address, after how long. Notes each attempt and each stream."""

    def __init__(self) -> None:
        self.answers: dict[Address, tuple[float, PeerId | None]] = {}
        self.tries: list[tuple[float, Address]] = []
        self.streams: list[MemoryStream] = []
        self.adopted: list[Stream] = []
        self.linked: set[PeerId] = set()
        self.stands_s: float | None = 1e9  # how long a link that was adopted stands; None: it never becomes one
        self.in_flight = 0
        self.most_in_flight = 0
        self.happened = trio.Event()
        self.dialer: Dialer

    def happen(self) -> None:
        self.happened.set()
        self.happened = trio.Event()

    async def until(self, done: Callable[[], bool], within_s: float = 1_000) -> None:
        with trio.fail_after(within_s):
            while not done():
                await self.happened.wait()

    async def connect(self, address: Address) -> Stream:
        self.tries.append((trio.current_time(), address))
        self.happen()
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            delay_s, peer = self.answers.get(address, (0.0, None))
            await trio.sleep(delay_s)
        finally:
            self.in_flight -= 1
        if peer is None:
            raise Unreachable("nobody there")
        made, _ = stream_pair(ALICE, peer)
        stream = MemoryStream(Remote(peer=peer, address=address, host=None, outbound=True), made._out, made._in)
        self.streams.append(stream)
        return stream

    async def adopt(self, stream: Stream) -> None:
        self.adopted.append(stream)
        self.happen()
        await trio.sleep(0.01)
        if self.stands_s is not None:
            self.set_linked(stream.remote.peer, linked=True)
            self.nursery.start_soon(self.part, stream.remote.peer, self.stands_s)

    async def part(self, peer: PeerId, after_s: float) -> None:
        await trio.sleep(after_s)
        self.set_linked(peer, linked=False)

    def set_linked(self, peer: PeerId, *, linked: bool) -> None:
        (self.linked.add if linked else self.linked.discard)(peer)
        self.dialer.link_changed(peer, linked=linked)

    @property
    def times(self) -> list[float]:
        return [when for when, _ in self.tries]

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Dialer]:
        async with trio.open_nursery() as nursery:
            self.nursery = nursery
            self.dialer = Dialer(
                nursery=nursery,
                connect=self.connect,
                adopt=self.adopt,
                is_linked=self.linked.__contains__,
                dice=SeededDice(1),
            )
            yield self.dialer
            nursery.cancel_scope.cancel()


# ---------------------------------------------------------------------------------------- one attempt


async def test_addresses_are_tried_beside_each_other_with_a_stagger(autojump_clock: trio.abc.Clock) -> None:
    town = Town()
    town.answers = {HOME: (5, None), WORK: (5, None), CAFE: (1, BOB)}
    async with town.open() as dialer:
        dialer.dial(BOB, (HOME, WORK, CAFE))
        await town.until(lambda: bool(town.adopted))
        assert town.tries == [(0, HOME), (STAGGER_S, WORK), (2 * STAGGER_S, CAFE)]
        assert trio.current_time() == pytest.approx(1.5, abs=0.01)
        assert town.in_flight == 0  # the others were given up
        assert town.adopted[0].remote.address == CAFE


async def test_the_next_address_does_not_wait_for_one_that_has_failed(autojump_clock: trio.abc.Clock) -> None:
    town = Town()
    town.answers = {HOME: (0.02, None), WORK: (0, BOB)}
    async with town.open() as dialer:
        dialer.dial(BOB, (HOME, WORK))
        await town.until(lambda: bool(town.adopted))
        assert trio.current_time() < STAGGER_S / 2


async def test_of_two_that_answer_together_one_is_taken_and_the_other_dropped(
    autojump_clock: trio.abc.Clock,
) -> None:
    town = Town()
    town.answers = {HOME: (0.5, BOB), WORK: (0.25, BOB)}
    async with town.open() as dialer:
        dialer.dial(BOB, (HOME, WORK))
        await town.until(lambda: bool(town.adopted))
        await settle()
        assert len(town.adopted) == 1
        assert [stream for stream in town.streams if not stream.aborted.is_set()] == town.adopted


async def test_the_address_that_worked_last_is_tried_first(autojump_clock: trio.abc.Clock) -> None:
    town = Town()
    town.answers = {HOME: (5, None), WORK: (0.1, BOB)}
    town.stands_s = 60
    async with town.open() as dialer:
        dialer.dial(BOB, (HOME, WORK))
        await town.until(lambda: len(town.adopted) == 2)
        assert [address for _, address in town.tries] == [HOME, WORK, WORK]


async def test_who_answers_under_another_name_is_not_taken(autojump_clock: trio.abc.Clock) -> None:
    town = Town()
    town.answers = {HOME: (0, CAROL), WORK: (0, BOB)}
    async with town.open() as dialer:
        dialer.dial(BOB, (HOME, WORK))
        await town.until(lambda: bool(town.adopted))
        assert [stream.remote.peer for stream in town.adopted] == [BOB]
        assert town.streams[0].aborted.is_set()


async def test_only_so_many_addresses_are_kept_and_each_once(autojump_clock: trio.abc.Clock) -> None:
    town = Town()
    async with town.open() as dialer:
        dialer.dial(BOB, (HOME, HOME, *(Address(f"/memory/{number}") for number in range(50))))
        await trio.sleep(0.1)
        assert len(town.tries) == ADDRESSES_MAX


async def test_attempts_in_flight_are_bounded_over_all_peers(autojump_clock: trio.abc.Clock) -> None:
    town = Town()
    async with town.open() as dialer:
        for number in range(3 * CONNECTS_MAX):
            address = Address(f"/memory/{number}")
            town.answers[address] = (3, None)
            dialer.dial(PeerId(f"12D3KooW{number}"), (address,))
        await town.until(lambda: len(town.tries) >= 3 * CONNECTS_MAX)
        assert town.most_in_flight == CONNECTS_MAX


# ---------------------------------------------------------------------------------------- again and again


async def test_it_slows_down_and_never_gives_up(autojump_clock: trio.abc.Clock) -> None:
    town = Town()
    async with town.open() as dialer:
        dialer.dial(BOB, (HOME,))
        await trio.sleep(3_600)
    pauses = [later - earlier for earlier, later in zip(town.times, town.times[1:], strict=False)]
    assert 0.75 * RETRY_S_FIRST <= pauses[0] <= 1.25 * RETRY_S_FIRST
    assert all(pause <= 1.25 * RETRY_S_MAX for pause in pauses)
    assert all(pause >= 0.75 * RETRY_S_MAX for pause in pauses[10:])
    assert len(set(pauses[10:])) > 10  # jitter: a thousand nodes must not come back in step
    assert 3_600 / len(pauses) < RETRY_S_MAX + 2


async def test_new_addresses_are_tried_at_once_even_amid_an_attempt(autojump_clock: trio.abc.Clock) -> None:
    town = Town()
    town.answers = {HOME: (100, None), WORK: (0, BOB)}
    async with town.open() as dialer:
        dialer.dial(BOB, (HOME,))
        await trio.sleep(50)
        dialer.dial(BOB, (HOME,))  # nothing new
        await settle()
        assert town.tries == [(0, HOME)]
        dialer.dial(BOB, (WORK,))
        await town.until(lambda: bool(town.adopted), within_s=0.1)


async def test_a_kick_ends_every_pause(autojump_clock: trio.abc.Clock) -> None:
    town = Town()
    async with town.open() as dialer:
        dialer.dial(BOB, (HOME,))
        dialer.dial(CAROL, (WORK,))
        await trio.sleep(300)
        town.answers = {HOME: (0, BOB), WORK: (0, CAROL)}
        dialer.kick()
        await town.until(lambda: len(town.adopted) == 2, within_s=0.1)


async def test_after_a_kick_pauses_are_short_again(autojump_clock: trio.abc.Clock) -> None:
    town = Town()
    async with town.open() as dialer:
        dialer.dial(BOB, (HOME,))
        await trio.sleep(300)
        dialer.kick()
        await settle()
        before = len(town.tries)
        await trio.sleep(2)
        assert len(town.tries) >= before + 2


async def test_a_forgotten_peer_is_left_in_peace(autojump_clock: trio.abc.Clock) -> None:
    town = Town()
    town.answers = {HOME: (0.2, BOB)}
    async with town.open() as dialer:
        dialer.dial(BOB, (HOME,))
        await trio.sleep(0.1)
        dialer.forget(BOB)
        dialer.forget(CAROL)
        await trio.sleep(100)
        assert town.adopted == []
        assert town.in_flight == 0
        assert len(town.tries) == 1


async def test_a_peer_can_be_wanted_again(autojump_clock: trio.abc.Clock) -> None:
    town = Town()
    town.answers = {HOME: (0.2, BOB)}
    async with town.open() as dialer:
        dialer.dial(BOB, (HOME,))
        dialer.forget(BOB)
        dialer.dial(BOB, (HOME,))
        await town.until(lambda: bool(town.adopted), within_s=1)


# ---------------------------------------------------------------------------------------- while a link stands


async def test_nothing_is_dialled_while_a_link_stands_whoever_made_it(autojump_clock: trio.abc.Clock) -> None:
    town = Town()
    town.linked.add(BOB)
    town.answers = {HOME: (0, BOB)}
    async with town.open() as dialer:
        dialer.dial(BOB, (HOME,))
        await trio.sleep(1_000)
        assert town.tries == []
        town.set_linked(BOB, linked=False)
        await town.until(lambda: bool(town.adopted), within_s=1)


async def test_an_attempt_is_given_up_when_the_peer_comes_by_itself(autojump_clock: trio.abc.Clock) -> None:
    town = Town()
    town.answers = {HOME: (5, BOB)}
    async with town.open() as dialer:
        dialer.dial(BOB, (HOME,))
        await trio.sleep(1)
        town.set_linked(BOB, linked=True)
        await trio.sleep(100)
        assert town.streams == []
        assert len(town.tries) == 1


async def test_a_link_that_stood_is_sought_again_quickly(autojump_clock: trio.abc.Clock) -> None:
    town = Town()
    town.stands_s = STEADY_S
    async with town.open() as dialer:
        dialer.dial(BOB, (HOME,))
        await trio.sleep(200)  # by now it has slowed down
        town.answers = {HOME: (0, BOB)}
        await town.until(lambda: bool(town.adopted))
        lost = trio.current_time() + STEADY_S
        await town.until(lambda: len(town.adopted) == 2)
        assert trio.current_time() - lost < 2 * RETRY_S_FIRST


@pytest.mark.parametrize("stands_s", [None, 0.0, 1.0])
async def test_a_peer_that_never_keeps_a_link_is_not_pestered(
    stands_s: float | None, autojump_clock: trio.abc.Clock
) -> None:
    town = Town()
    town.stands_s = stands_s
    town.answers = {HOME: (0, BOB)}
    async with town.open() as dialer:
        dialer.dial(BOB, (HOME,))
        await trio.sleep(600)
        assert 15 <= len(town.adopted) <= 35


async def test_ever_changing_addresses_do_not_keep_a_peer_from_being_reached(autojump_clock: trio.abc.Clock) -> None:
    town = Town()
    town.answers = {HOME: (5, BOB)}
    async with town.open() as dialer:
        for number in range(60):
            dialer.dial(BOB, (HOME, Address(f"/ip4/192.0.2.1/tcp/{1000 + number}")))
            await trio.sleep(1 / 3)
        assert town.adopted
