"""A flood is slowed to its rate, and blame adds up, fades, and ends in a ban that ends."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.errors import Fault
from mesh.ids import PeerId
from mesh.node.links.budget import (
    BAN_MS_FIRST,
    BAN_MS_MAX,
    BLAME_HALF_LIFE_MS,
    BLAME_LIMIT,
    BLAME_WEIGHT,
    FRAMES_BURST,
    FRAMES_PER_S,
    PEERS_BLAMED_MAX,
    Ban,
    BlameBook,
    Bucket,
    Budget,
)

MALLORY, ALICE = PeerId("12D3KooWMallory"), PeerId("12D3KooWAlice")


def ban(book: BlameBook, peer: PeerId, now_ms: int) -> None:
    while not book.blame(peer, Fault.MALFORMED, now_ms):
        pass


@given(st.lists(st.tuples(st.integers(0, 5_000), st.integers(0, 2_000)), min_size=1, max_size=50))
def test_whoever_waits_as_told_keeps_to_the_rate_and_the_burst(takes: list[tuple[int, int]]) -> None:
    bucket, now_ms, taken = Bucket(rate_per_s=1_000, burst=3_000), 0, 0
    for pause_ms, amount in takes:
        now_ms += pause_ms
        now_ms += bucket.take(amount, now_ms)
        taken += amount
        assert taken <= 3_000 + now_ms  # a token a millisecond


def test_a_burst_is_free_and_what_exceeds_it_is_waited_for() -> None:
    bucket = Bucket(rate_per_s=1_000, burst=500)
    assert bucket.take(500, 0) == 0
    assert 100 <= bucket.take(100, 0) <= 101
    assert bucket.take(0, 200) == 0


def test_a_clock_that_stands_still_gives_nothing() -> None:
    bucket = Bucket(rate_per_s=1_000, burst=10)
    assert bucket.take(10, 5_000) == 0
    assert bucket.take(10, 5_000) > 0


def test_a_link_pays_for_frames_and_for_bytes() -> None:
    assert Budget().charge(frames=FRAMES_BURST, received_bytes=1, now_ms=0) == 0
    assert Budget().charge(frames=FRAMES_BURST + FRAMES_PER_S, received_bytes=1, now_ms=0) >= 1_000
    assert Budget().charge(frames=1, received_bytes=2**30, now_ms=0) >= 1_000


def test_every_fault_has_a_weight_and_none_bans_at_once() -> None:
    assert set(BLAME_WEIGHT) == set(Fault)
    assert all(0 < weight < BLAME_LIMIT for weight in BLAME_WEIGHT.values())


def test_blame_fades_by_half() -> None:
    book = BlameBook()
    assert not book.blame(MALLORY, Fault.MALFORMED, 0)
    assert book.score(MALLORY, BLAME_HALF_LIFE_MS) == pytest.approx(BLAME_WEIGHT[Fault.MALFORMED] / 2)
    assert book.score(ALICE, 0) == 0


def test_small_faults_far_apart_never_ban() -> None:
    book = BlameBook()
    assert not any(book.blame(ALICE, Fault.UNREADABLE, hour * 3_600_000) for hour in range(200))


def test_a_ban_has_an_end_and_the_next_lasts_twice_as_long_up_to_a_day() -> None:
    book, now_ms, lengths = BlameBook(), 0, []
    for _ in range(12):
        ban(book, MALLORY, now_ms)
        lengths.append(book.banned_ms(MALLORY, now_ms))
        now_ms += lengths[-1]
        assert book.banned_ms(MALLORY, now_ms - 1) == 1
        assert book.banned_ms(MALLORY, now_ms) == 0
    assert lengths[:3] == [BAN_MS_FIRST, 2 * BAN_MS_FIRST, 4 * BAN_MS_FIRST]
    assert max(lengths) == lengths[-1] == BAN_MS_MAX


def test_what_was_under_way_when_a_ban_began_does_not_lengthen_it() -> None:
    book = BlameBook()
    ban(book, MALLORY, 0)
    for _ in range(10):
        assert not book.blame(MALLORY, Fault.MALFORMED, 10)
    assert book.bans(10) == (Ban(peer=MALLORY, left_ms=BAN_MS_FIRST - 10, times=1),)


def test_who_is_refused_is_said_while_it_lasts() -> None:
    book = BlameBook()
    book.blame(ALICE, Fault.MALFORMED, 0)
    ban(book, MALLORY, 0)
    assert book.bans(1_000) == (Ban(peer=MALLORY, left_ms=BAN_MS_FIRST - 1_000, times=1),)
    assert book.bans(BAN_MS_FIRST) == ()
    ban(book, MALLORY, BAN_MS_FIRST)
    assert [one.times for one in book.bans(BAN_MS_FIRST)] == [2]


def test_the_table_is_bounded_and_keeps_the_worst() -> None:
    book = BlameBook()
    ban(book, MALLORY, 0)
    book.blame(ALICE, Fault.UNASKED, 0)
    for number in range(2 * PEERS_BLAMED_MAX):
        book.blame(PeerId(f"12D3KooW{number}"), Fault.MALFORMED, 0)
    assert len(book._records) == PEERS_BLAMED_MAX
    assert book.banned_ms(MALLORY, 0) > 0
    assert book.score(ALICE, 0) == 0
