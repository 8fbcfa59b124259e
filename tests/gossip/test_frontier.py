"""Frontiers against the plainest thing that could be in their place: a set of numbers."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from mesh.gossip.frontier import Frontier, Spells
from mesh.wire import limits

NUMBERS = st.integers(min_value=1, max_value=60)
SETS = st.sets(NUMBERS, max_size=40)


def frontier_of(numbers: set[int] | list[int]) -> Frontier:
    """Add numbers one by one, in the order in which they come."""
    frontier = Frontier()
    for number in numbers:
        frontier = frontier.add(number)
    return frontier


def spread(spans: list[tuple[int, int]]) -> list[int]:
    """Give each number of some ranges."""
    return [number for first, last in spans for number in range(first, last + 1)]


@given(st.lists(NUMBERS, max_size=60))
def test_it_holds_what_was_added_and_nothing_else(numbers: list[int]) -> None:
    frontier = frontier_of(numbers)
    assert {k for k in range(1, 62) if k in frontier} == set(numbers)
    assert frontier.top == max(numbers, default=0)
    assert frontier.is_canonical()


@given(st.permutations(range(1, 25)))
def test_the_order_of_adding_does_not_matter(numbers: list[int]) -> None:
    half = numbers[:12]
    assert frontier_of(half) == frontier_of(sorted(half))
    assert frontier_of(numbers) == Frontier(24)


@given(SETS, NUMBERS, NUMBERS)
def test_a_range_is_added_whole(numbers: set[int], one: int, other: int) -> None:
    first, last = min(one, other), max(one, other)
    assert frontier_of(numbers).add(first, last) == frontier_of(sorted(numbers | set(range(first, last + 1))))


@given(SETS, SETS)
def test_a_union_is_a_union(one: set[int], other: set[int]) -> None:
    assert frontier_of(one).union(frontier_of(other)) == frontier_of(sorted(one | other))


@given(SETS, SETS)
def test_what_is_missing_is_a_difference(mine: set[int], theirs: set[int]) -> None:
    spans = frontier_of(mine).missing_from(frontier_of(theirs))
    assert spread(spans) == sorted(theirs - mine)
    assert all(first <= last for first, last in spans)


@given(SETS, NUMBERS)
def test_gaps_are_what_is_not_there(numbers: set[int], top: int) -> None:
    assert spread(frontier_of(numbers).gaps_below(top)) == [k for k in range(1, top + 1) if k not in numbers]


def test_a_frontier_out_of_order_is_seen() -> None:
    assert not Frontier(5, ((6, 7),)).is_canonical()  # touches what is contiguous
    assert not Frontier(5, ((9, 8),)).is_canonical()
    assert not Frontier(5, ((8, 9), (10, 11))).is_canonical()  # one range in two pieces
    assert not Frontier(5, ((12, 13), (8, 9))).is_canonical()
    assert Frontier(5, ((7, 7), (9, 9))).is_canonical()


def test_separate_ranges_are_limited_and_the_limit_is_announced() -> None:
    full = Frontier()
    for k in range(limits.FRONTIER_GAPS_MAX):
        assert full.has_room_for(2 * k + 2)
        full = full.add(2 * k + 2)
    top = full.top
    assert len(full.beyond) == limits.FRONTIER_GAPS_MAX
    assert not full.has_room_for(top + 2)  # one range more than there is room for
    assert full.has_room_for(top + 1)  # lengthens the last one
    assert full.has_room_for(1)  # closes a gap
    assert full.has_room_for(3)
    assert top not in full.add(5000).beyond[-1] or 5000 not in full.add(5000)


def test_absurd_claims_cost_little() -> None:
    mine = frontier_of([k for k in range(1, 2000) if k % 2])
    absurd = Frontier(1, tuple((3 * k + 4, 3 * k + 5) for k in range(limits.FRONTIER_GAPS_MAX)))
    assert len(mine.missing_from(absurd)) < 2 * limits.FRONTIER_GAPS_MAX
    assert Frontier().missing_from(Frontier(limits.MSEQ_MAX)) == [(1, limits.MSEQ_MAX)]


# ---------------------------------------------------------------- spells


@given(st.lists(st.sampled_from([b"a", b"b", b"c"]), min_size=1, max_size=40))
def test_spells_tell_the_epoch_of_each_message_that_is_here(epochs: list[bytes]) -> None:
    oracle = dict(enumerate(epochs, 1))
    spells = Spells()
    for mseq, epoch in oracle.items():
        spells = spells.note(mseq, epoch, mseq - 1)
    assert {mseq: spells.at(mseq) for mseq in oracle} == oracle
    changes = 1 + sum(one != other for one, other in pairwise(epochs))
    assert len(spells.changes) == changes


@given(st.permutations(range(1, 13)), st.lists(st.sampled_from([b"a", b"b"]), min_size=12, max_size=12))
def test_spells_are_right_whatever_the_order(order: list[int], epochs: list[bytes]) -> None:
    spells = Spells()
    known: dict[int, bytes] = {}
    for mseq in order:
        spells = spells.note(mseq, epochs[mseq - 1], max(known, default=0))
        known[mseq] = epochs[mseq - 1]
        assert {k: spells.at(k) for k in known} == known


def test_the_oldest_spells_are_forgotten() -> None:
    spells = Spells()
    for mseq in range(1, limits.EPOCH_CHANGES_MAX + 11):
        spells = spells.note(mseq, b"a" if mseq % 2 else b"b", mseq - 1)
    assert len(spells.changes) == limits.EPOCH_CHANGES_MAX
    assert spells.at(1) is None
    assert spells.at(limits.EPOCH_CHANGES_MAX + 10) == b"b"
