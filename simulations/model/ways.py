"""How long things are under way between many nodes, as `simulations.weather` has it, and what arrives when."""

from typing import Final

import numpy as np
import numpy.typing as npt

from simulations.model.settings import RETRANSMITS_MAX, Sky
from simulations.regions import WEIGHTS, one_way_ms

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Millis = npt.NDArray[np.int32]

_REGION_MS: Final = np.array([[one_way_ms(a, b) for b in WEIGHTS] for a in WEIGHTS], np.int32)


class Ways:
    """How far so many nodes are apart: all alike, or by the regions in which they stand."""

    def __init__(self, nodes: int, sky: Sky, dice: np.random.Generator) -> None:
        self._sky, self._dice = sky, dice
        weights = np.array(list(WEIGHTS.values()), np.float64)
        share = weights / weights.sum()
        self._region = dice.choice(len(share), nodes, p=share).astype(np.int8) if sky.regions else None

    def delay_ms(self, here: Ints, there: Ints | Millis) -> Millis:
        """Draw how long something takes from each to each; what is lost on the way comes later."""
        delay = self._dice.integers(0, self._sky.jitter_ms + 1, len(here), dtype=np.int32)
        if self._region is None:
            delay += self._sky.latency_ms
        else:
            delay += _REGION_MS[self._region[here], self._region[there]]
        if self._sky.loss:
            lost = self._dice.geometric(1 - self._sky.loss, len(here)).astype(np.int32) - 1
            delay += self._sky.retransmit_ms * np.minimum(lost, RETRANSMITS_MAX)
        return delay


def in_time(when_ms: Millis) -> Ints:
    """Return the order by time, equal times as they stood; within a minute it is a radix sort of 16 bits."""
    if not len(when_ms):
        return np.zeros(0, np.int64)
    after = when_ms - when_ms.min()
    order: Ints = np.argsort(after.astype(np.uint16) if after.max() < 1 << 16 else after, kind="stable")
    return order


def runs(in_order: Millis) -> list[tuple[int, int]]:
    """Return where each run of equal values begins and ends."""
    if not len(in_order):
        return []
    cuts: list[int] = (np.flatnonzero(in_order[1:] != in_order[:-1]) + 1).tolist()
    return list(zip([0, *cuts], [*cuts, len(in_order)], strict=True))


class Calendar:
    """What arrives when: arrays of numbers under a millisecond."""

    def __init__(self) -> None:
        self._days: dict[int, list[npt.NDArray[np.int32]]] = {}

    def __bool__(self) -> bool:
        return bool(self._days)

    def clear(self) -> None:
        """Forget all."""
        self._days.clear()

    def put(self, when_ms: Millis, what: Ints) -> None:
        """Let something arrive."""
        order = in_time(when_ms)
        when_ms, parts = when_ms[order], what[order].astype(np.int32)
        for begin, end in runs(when_ms):
            self._days.setdefault(int(when_ms[begin]), []).append(parts[begin:end])

    def take(self, now_ms: int) -> Ints | None:
        """Return what arrives now, in the order in which it was sent."""
        parts = self._days.pop(now_ms, None)
        if parts is None:
            return None
        return (parts[0] if len(parts) == 1 else np.concatenate(parts)).astype(np.int64)
