"""What it costs two that hold 100,000 items to find out in which they differ (network.md §8, "sync bytes").

Each shape is tried from both sides: whoever asks may be the one who lacks items, or the other. What is printed is the
dearer of the two. Bytes go both ways; a trip is all questions that are open, and their answers.
"""

from dataclasses import dataclass
from random import Random
from typing import Final

from benchmarks.report import Figure
from benchmarks.timing import busy_ms, timed
from mesh.gossip.reconcile import Asking, Index, Items, answer

ITEMS: Final = 100_000
ID_BYTES: Final = 32
ITEMS_PER_BUCKET: Final = 300  # an hour each: 100,000 in two weeks
TRIPS_BAR: Final = 3
CPU_BAR_MS: Final = 350
Pairs = list[tuple[int, bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Synced:
    """What one shape of difference cost; `bar` is the most that it may be of the list of all full ids."""

    name: str
    sent: int  # bytes, both ways
    trips: int
    busy_ms: float  # both sides, the index apart
    bar: float

    def figures(self) -> list[Figure]:
        """Return its figures: bytes beside the share of the list that they may be, trips, time of both sides."""
        return [
            Figure(name=f"{self.name}: sent", unit="B", values=[self.sent], bar=self.bar * ITEMS * ID_BYTES),
            Figure(name=f"{self.name}: trips", unit="trips", values=[self.trips], bar=TRIPS_BAR),
            Figure(name=f"{self.name}: both sides busy", unit="ms", values=[self.busy_ms], bar=CPU_BAR_MS),
        ]


def measure_sets() -> list[Figure]:
    """Measure how long an index takes, and what each shape of difference costs."""
    dice = Random(1)
    everything: Pairs = [(k // ITEMS_PER_BUCKET, dice.randbytes(ID_BYTES)) for k in range(ITEMS)]
    items = Items.of(everything)
    shapes: list[tuple[str, float, Pairs, Pairs]] = [
        ("sets: no difference", 64 / (ITEMS * ID_BYTES), everything, everything),
        ("sets: 10 scattered", 0.005, *_parted(everything, dice, 10)),
        ("sets: 1,000 newest", 0.015, everything, everything[:-1000]),
        ("sets: 50,000 scattered, one side lacks them", 0.35, everything, _without(everything, dice, 50_000)),
        ("sets: 50,000 scattered, half on each side", 0.35, *_parted(everything, dice, 50_000)),
    ]
    index = timed(f"an index of {ITEMS:,} items, once for each link", lambda: Index(items, bytes(32)), 3)
    synced = [_dearer(name, bar, one, other) for name, bar, one, other in shapes]
    return [index, *(figure for one in synced for figure in one.figures())]


def _without(everything: Pairs, dice: Random, count: int) -> Pairs:
    lost = frozenset(dice.sample(range(len(everything)), count))
    return [one for k, one in enumerate(everything) if k not in lost]


def _parted(everything: Pairs, dice: Random, count: int) -> tuple[Pairs, Pairs]:
    lost = dice.sample(range(len(everything)), count)
    first, second = frozenset(lost[: count // 2]), frozenset(lost[count // 2 :])
    return (
        [one for k, one in enumerate(everything) if k not in first],
        [one for k, one in enumerate(everything) if k not in second],
    )


def _dearer(name: str, bar: float, one: Pairs, other: Pairs) -> Synced:
    first, second = (Index(Items.of(pairs), bytes(32)) for pairs in (one, other))
    return max((_synced(name, bar, *ends) for ends in ((first, second), (second, first))), key=lambda end: end.sent)


def _synced(name: str, bar: float, asker: Index, answerer: Index) -> Synced:
    sent = trips = found = 0

    def sync() -> None:
        nonlocal sent, trips, found
        asking = Asking(asker)
        questions: tuple[bytes, ...] = (asking.begin(),)
        while questions:
            trips += 1
            answers = [answer(answerer, question) for question in questions]
            sent += sum(map(len, questions)) + sum(map(len, answers))
            told = [asking.take(given) for given in answers]
            found += sum(len(one.have) + len(one.want) for one in told)
            questions = tuple(question for one in told for question in one.questions)

    took = busy_ms(sync)
    assert found == len(frozenset(asker.keys) ^ frozenset(answerer.keys))
    return Synced(name=name, sent=sent, trips=trips, busy_ms=took, bar=bar)
