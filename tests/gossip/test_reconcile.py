"""Reconciling sets: any two end equal, in few trips and bytes; what a hostile end says never loops or crashes."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesh.errors import Fault, RemoteError
from mesh.gossip import reconcile
from mesh.gossip.reconcile import Asking, Index, Items, answer, session_key
from mesh.ids import TopicId
from mesh.wire import limits
from mesh.wire.codec import encode
from mesh.wire.ranges import Listed, Printed, RangeAnswer, RangeQuestion, Same

KEY = session_key(TopicId(b"t" * 32), b"a" * 32, b"b" * 32)
Pair = tuple[int, bytes]
BUCKETS = st.integers(0, 3) | st.sampled_from([reconcile.BUCKET_MAX - 1, reconcile.BUCKET_MAX])
# Ids that begin alike for long, as one who grinds them would make them, and others.
IDS = st.binary(min_size=1, max_size=2).map(lambda end: end.rjust(32, b"\0")) | st.binary(min_size=32, max_size=32)
PAIRS = st.sets(st.tuples(BUCKETS, IDS), max_size=60)


@dataclass(slots=True)
class Outcome:
    """What a whole reconciliation came to."""

    have: list[bytes] = field(default_factory=list)
    want: list[bytes] = field(default_factory=list)
    sent: int = 0
    trips: int = 0
    longest: int = 0


def reconciled(
    asker: Index, answerer: Index, *, since: int = 0, bend: Callable[[bytes], bytes] = lambda given: given
) -> Outcome:
    """Ask until nothing is left to ask; `bend` stands between the answerer and the asker."""
    asking, outcome = Asking(asker), Outcome()
    questions = [asking.begin(since)]
    while questions:
        outcome.trips += 1
        more: list[bytes] = []
        for question in questions:
            given = answer(answerer, question)
            found = asking.take(bend(given))
            outcome.have += found.have
            outcome.want += [one if (item := answerer.find(one)) is None else item[1] for one in found.want]
            outcome.sent += len(question) + len(given)
            outcome.longest = max(outcome.longest, len(question), len(given))
            more += found.questions
        questions = more
    assert asking.waiting == 0
    return outcome


def of(pairs: set[Pair] | list[Pair]) -> Index:
    """Index pairs under the one key."""
    return Index(Items.of(pairs), KEY)


def ids(pairs: set[Pair]) -> list[bytes]:
    """Their ids, in order."""
    return [one for _, one in sorted(pairs)]


def many(count: int, seed: int = 1) -> list[Pair]:
    """So many items, 300 to a bucket."""
    dice = Random(seed)
    return [(k // 300, dice.randbytes(32)) for k in range(count)]


# ------------------------------------------------------------------------------------- two honest ends


@given(PAIRS, PAIRS, PAIRS)
def test_any_two_sets_end_equal(both: set[Pair], mine: set[Pair], theirs: set[Pair]) -> None:
    mine, theirs = mine | both, theirs | both
    outcome = reconciled(of(mine), of(theirs))
    assert sorted(outcome.have) == sorted(ids(mine - theirs))
    assert sorted(outcome.want) == sorted(ids(theirs - mine))
    assert outcome.trips <= 3


@given(st.data(), st.integers(0, 3000), st.integers(0, 3000))
@settings(max_examples=20)
def test_large_sets_end_equal_too(data: st.DataObject, lacking_here: int, lacking_there: int) -> None:
    dice = Random(data.draw(st.integers(0, 2**32)))
    everything = many(dice.choice([500, 3000, 9000]), seed=dice.randrange(2**32))
    mine = set(everything) - set(dice.sample(everything, min(lacking_here, len(everything))))
    theirs = set(everything) - set(dice.sample(everything, min(lacking_there, len(everything))))
    outcome = reconciled(of(mine), of(theirs))
    assert sorted(outcome.have) == sorted(ids(mine - theirs))
    assert sorted(outcome.want) == sorted(ids(theirs - mine))
    assert outcome.trips <= 4
    # Never much dearer than to list it all by short ids, however they differ.
    assert outcome.sent <= 100 + 10 * max(len(mine), len(theirs))


def test_nobody_asks_for_what_is_older_than_they_want() -> None:
    everything = many(3000)
    outcome = reconciled(of(everything[:1000]), of(everything[500:]), since=8)
    assert sorted(outcome.want) == sorted(one for bucket, one in everything[1000:] if bucket >= 8)
    assert outcome.have == []
    assert reconciled(of(everything[:10]), of(everything), since=100).trips == 1


def test_nobody_finds_anything_with_equal_sets() -> None:
    outcome = reconciled(of(many(5000)), of(many(5000)))
    assert (outcome.trips, outcome.have, outcome.want) == (1, [], [])
    assert outcome.sent <= 64


@pytest.mark.parametrize("lacking", [0, 5_000, 20_000])
def test_frames_are_of_64_kib_at_most_and_go_on_where_they_were_cut(lacking: int) -> None:
    everything = many(40_000)
    outcome = reconciled(of(everything[lacking:]), of(everything[: len(everything) - lacking]))
    assert outcome.longest <= limits.RANGE_FRAME_BYTES_MAX
    assert len(outcome.want) == len(outcome.have) == lacking
    assert outcome.trips <= 3


def test_an_answer_that_has_no_room_ends_early_and_the_rest_is_asked_for_again() -> None:
    everything = many(30_000)
    before, now = of(everything[::6]), of(everything)  # much came to the answerer between the first trip and the second
    asking = Asking(of([]))
    questions = asking.take(answer(before, asking.begin())).questions
    want: list[bytes] = []
    trips = 1
    while questions:
        found = [asking.take(answer(now, question)) for question in questions]
        want += [short for one in found for short in one.want]
        questions = tuple(question for one in found for question in one.questions)
        trips += 1
    assert len(want) == len(set(want)) == 30_000
    assert trips > 3


def test_the_bars_hold_for_ten_thousand() -> None:
    """The same shapes as those that `make bench` measures with 100,000, so that a change for the worse shows."""
    everything = many(10_000)
    few = set(Random(2).sample(everything, 10))
    outcome = reconciled(of([one for one in everything if one not in few]), of(everything))
    assert outcome.sent <= 9_000
    assert outcome.trips <= 2
    assert reconciled(of(everything[:-1000]), of(everything)).sent <= 14_000
    half = set(Random(3).sample(everything, 5000))
    assert reconciled(of([one for one in everything if one not in half]), of(everything)).sent <= 0.35 * 32 * 10_000


def test_a_short_id_leads_to_its_item_and_depends_on_the_key() -> None:
    index = of([(7, b"x" * 32), (8, b"y" * 32)])
    other = Index(Items.of([(7, b"x" * 32)]), session_key(TopicId(b"t" * 32), b"b" * 32, b"a" * 32))
    assert index.find(index.shorts(0, 1)) == (7, b"x" * 32)
    assert index.find(index.shorts(1, 2)) == (8, b"y" * 32)
    assert index.find(other.shorts(0, 1)) is None
    assert other.fingerprint(0, 1) != index.fingerprint(0, 1)


def test_items_stand_once_and_in_order() -> None:
    items = Items.of([(2, b"b" * 32), (1, b"c" * 32), (2, b"a" * 32), (1, b"c" * 32)])
    assert [key[:5] for key in items.keys] == [b"\0\0\0\1c", b"\0\0\0\2a", b"\0\0\0\2b"]
    assert len(items) == len(Index(items, KEY)) == 3


@given(st.lists(st.tuples(BUCKETS, IDS), min_size=2, max_size=40, unique=True))
def test_a_bound_parts_an_item_from_the_one_before_and_is_as_short_as_can_be(pairs: list[Pair]) -> None:
    index = of(pairs)
    for place in range(1, len(index)):
        bound = index.bound(place)
        assert index.place(bound) == place
        assert index.place(bound[:-1]) != place or bound[:-1] == b""


# ------------------------------------------------------------------------------------- a hostile answerer


@given(st.randoms(use_true_random=False), st.integers(0, 400), st.integers(0, 400))
def test_bent_answers_end_in_a_fault_or_in_a_few_trips(dice: Random, mine: int, theirs: int) -> None:
    everything = many(600)

    def bend(given: bytes) -> bytes:
        bent = bytearray(given)
        for _ in range(dice.randrange(3)):
            at = dice.randrange(8 * len(bent))
            bent[at // 8] ^= 1 << at % 8
        return bytes(bent)

    with suppress(RemoteError):
        outcome = reconciled(of(everything[: mine + 1]), of(everything[theirs:]), bend=bend)
        assert outcome.trips <= 10


@given(st.binary(max_size=200))
def test_rubbish_is_a_fault_at_both_ends(rubbish: bytes) -> None:
    asking = Asking(of(many(100)))
    asking.begin()
    with pytest.raises(RemoteError):
        asking.take(rubbish)
    assert asking.waiting == 1
    with suppress(RemoteError):
        assert len(answer(of(many(100)), rubbish)) <= limits.RANGE_FRAME_BYTES_MAX


def _say(*ranges: Same | Printed | Listed, ticket: int = 1) -> bytes:
    return encode(RangeAnswer(ticket=ticket, ranges=list(ranges)))


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        (_say(Same(upto=b""), ticket=2), Fault.UNASKED),
        (_say(Same(upto=b"\5")), Fault.MALFORMED),  # ends where nothing was asked
        (_say(Same(upto=b""), Same(upto=b"")), Fault.MALFORMED),
        (_say(Same(upto=b"\5"), Same(upto=b"\5"), Same(upto=b"")), Fault.MALFORMED),
        (_say(Same(upto=b"\5"), Same(upto=b"\4"), Same(upto=b"")), Fault.MALFORMED),
        (_say(Listed(upto=b"", shorts=bytes(9))), Fault.MALFORMED),
        (encode(RangeAnswer(ticket=1, ranges=[])), Fault.MALFORMED),
        (_say(Listed(upto=b"", shorts=bytes(8 * 4097))), Fault.MALFORMED),
        (bytes(64 * 1024 + 1), Fault.OVER_LIMIT),
    ],
)
def test_an_answer_that_does_not_answer_is_a_fault(said: bytes, fault: Fault) -> None:
    asking = Asking(of(many(500)))
    asking.begin()
    with pytest.raises(RemoteError) as caught:
        asking.take(said)
    assert caught.value.fault is fault


def test_an_answer_counts_once() -> None:
    asking = Asking(of(many(500)))
    asking.begin()
    asking.take(_say(Same(upto=b"")))
    with pytest.raises(RemoteError) as caught:
        asking.take(_say(Same(upto=b"")))
    assert caught.value.fault is Fault.UNASKED


def test_one_who_never_agrees_is_left_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """The answerer says of all that is asked that it differs, and always by the same number."""
    monkeypatch.setattr(limits, "RANGE_QUESTIONS_MAX", 50)
    asking = Asking(of(many(100)))
    asking.begin()
    for ticket in range(1, 50):
        asking.take(_say(Printed(upto=b"", count=1, fingerprint=bytes(8)), ticket=ticket))
    with pytest.raises(RemoteError) as caught:
        asking.take(_say(Printed(upto=b"", count=1, fingerprint=bytes(8)), ticket=50))
    assert caught.value.fault is Fault.OVER_LIMIT


def test_one_who_makes_work_is_left_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "RANGE_STEPS_MAX", 100)
    asking = Asking(of(many(20_000)))
    asking.begin()
    with pytest.raises(RemoteError) as caught:
        asking.take(_say(Printed(upto=b"", count=20_000, fingerprint=bytes(8))))  # 192 pieces to look at
    assert caught.value.fault is Fault.OVER_LIMIT


# ------------------------------------------------------------------------------------- a hostile asker


def _ask(*ranges: Same | Printed, start: bytes = b"") -> bytes:
    return encode(RangeQuestion(ticket=1, start=start, ranges=list(ranges)))


@pytest.mark.parametrize(
    ("question", "fault"),
    [
        (_ask(Same(upto=b""), Same(upto=b"")), Fault.MALFORMED),
        (_ask(Same(upto=b"\5"), Same(upto=b"\4")), Fault.MALFORMED),
        (_ask(Same(upto=b"\5"), start=b"\5"), Fault.MALFORMED),
        (_ask(), Fault.MALFORMED),
        (_ask(Same(upto=bytes(37))), Fault.MALFORMED),
        (_ask(*(Same(upto=k.to_bytes(4, "big")) for k in range(1, 4098))), Fault.MALFORMED),
        (bytes(64 * 1024 + 1), Fault.OVER_LIMIT),
    ],
)
def test_a_question_that_is_none_is_a_fault(question: bytes, fault: Fault) -> None:
    with pytest.raises(RemoteError) as caught:
        answer(of(many(500)), question)
    assert caught.value.fault is fault


@given(st.integers(0, 2**32 - 1), st.integers(1, 4096))
@settings(max_examples=20)
def test_the_longest_answers_are_of_64_kib(count: int, stretches: int) -> None:
    index = of(many(20_000))
    bounds = [(k * 68 // stretches).to_bytes(4, "big") + k.to_bytes(2, "big") for k in range(1, stretches)]
    ranges = [Printed(upto=one, count=count, fingerprint=bytes(8)) for one in [*bounds, b""]]
    question = _ask(*ranges)
    if len(question) > limits.RANGE_FRAME_BYTES_MAX:
        return
    assert 0 < len(answer(index, question)) <= limits.RANGE_FRAME_BYTES_MAX
