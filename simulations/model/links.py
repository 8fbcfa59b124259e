"""Who is linked with whom: what `mesh.gossip.views` comes to, for many groups at once.

A row of places for each node; a place holds a neighbour, and the place that the neighbour has for us. Nodes of a group
are numbered one after the other, and groups have no links with each other.

A node looks at its view when it starts, two seconds later if somebody whom it dialled has not answered, and when a link
comes or goes: then it dials as many as it lacks, but not twice within two seconds. It starts within a second, or when
somebody links with it. So in the machines themselves too some stay with fewer than eight links, until their next choice
is drawn anew minutes later, which is left out here. Where a row is full, whoever comes is sent away; the machines send
away one of all whom they did not choose.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from mesh.gossip.views import TRIED_MAX, WIDEN_MS
from simulations.model.settings import Settings
from simulations.model.ways import Bools, Calendar, Ints, Ways, in_time, runs

START_MS: Final = 1_000  # within which nodes start, as in the crowd
SETTLE_MS: Final = 15_000  # as the crowd does
_AT_ONCE: Final = 1 << 17  # nodes that dial in one step, which bounds the memory
_TRIES: Final = 6  # where somebody was drawn who is linked already


class Links:
    """The links of `groups` groups of `group` nodes each."""

    def __init__(self, groups: int, group: int, settings: Settings, ways: Ways, dice: np.random.Generator) -> None:
        self.group, self.nodes, self.settings = group, groups * group, settings
        self.full_mesh = group <= settings.full_mesh
        self.width = max(1, group - 1) if self.full_mesh else settings.linked_max
        self.peer = np.full((self.nodes, self.width), -1, np.int32)
        self.back = np.zeros((self.nodes, self.width), np.int8)
        self._own = np.zeros((self.nodes, self.width), np.bool_)  # links of our own choice
        self.degree = np.zeros(self.nodes, np.int8)
        self.alive = np.ones(self.nodes, np.bool_)
        self._ways, self._dice = ways, dice
        self._whole = True  # no row has a gap
        self._next_ms = np.zeros(self.nodes, np.int32)  # before which it does not dial again
        self._tried, self._came = np.zeros(self.nodes, np.int8), np.zeros(self.nodes, np.bool_)
        self._dialled = np.zeros(self.nodes, np.int8)  # how many at once, since it lacks any
        self._dials: dict[int, list[Ints]] = {}  # (2, n): who dials whom, by the millisecond at which it comes about
        if self.full_mesh:
            self._mesh()
        else:
            starts = Calendar()
            starts.put(dice.integers(0, START_MS, self.nodes, dtype=np.int32), np.arange(self.nodes))
            self._run(0, starts, starting=True)

    def _mesh(self) -> None:
        at = np.arange(self.nodes)
        for k in range(self.group - 1):
            self.peer[:, k] = at - at % self.group + (at + k + 1) % self.group
            self.back[:, k] = self.group - 2 - k
        self.degree[:] = self.group - 1

    # ---------------------------------------------------------------- views

    def _run(self, from_ms: int, looks: Calendar, *, starting: bool) -> None:
        for now_ms in range(from_ms, from_ms + SETTLE_MS):
            touched = self._dials.pop(now_ms, [])
            if touched:
                touched = [np.concatenate(touched, axis=1)]
                self._land(*touched[0])
                touched = [touched[0].reshape(-1)]
            looking = looks.take(now_ms)
            if looking is not None:
                touched.append(looking)
            if touched:
                self._tend(now_ms, np.unique(np.concatenate(touched)))
            if looking is not None and starting and now_ms < SETTLE_MS - WIDEN_MS:
                waiting = looking[(self._tried[looking] > 0) | (self._dialled[looking] > 0)]
                looks.put(np.full(len(waiting), now_ms + WIDEN_MS, np.int32), waiting)
            if not looks and not self._dials:
                break

    def _tend(self, now_ms: int, nodes: Ints) -> None:
        """Have nodes dial whom they lack, as `View.tend` does."""
        lacking = min(self.settings.active, self.group - 1) - self.degree[nodes].astype(np.int64)
        full = nodes[lacking <= 0]
        self._dialled[full] = 0
        self._tried[full] = 0
        some = (lacking > 0) & self.alive[nodes] & (now_ms >= self._next_ms[nodes])
        nodes, lacking = nodes[some], lacking[some]
        dialled = self._dialled[nodes].astype(np.int64)
        more = np.maximum(lacking, np.where(self._came[nodes], 0, 2 * dialled))
        width = np.minimum(np.where(dialled == 0, np.minimum(self.settings.own, lacking), more), TRIED_MAX)
        self._dialled[nodes], self._came[nodes], self._next_ms[nodes] = width, False, now_ms + WIDEN_MS
        self._dial(now_ms, nodes, np.clip(width - self._tried[nodes], 0, width))

    def _dial(self, now_ms: int, nodes: Ints, counts: Ints) -> None:
        for k in range(0, len(nodes), _AT_ONCE):
            here = np.repeat(nodes[k : k + _AT_ONCE], counts[k : k + _AT_ONCE])
            for _ in range(_TRIES):
                if not len(here):
                    break
                there = here - here % self.group + self._dice.integers(0, self.group, len(here))
                drawn = (here != there) & ~(self.peer[here] == there[:, None]).any(axis=1)
                self._call(now_ms, here[drawn], there[drawn])
                here = here[~drawn]

    def _call(self, now_ms: int, here: Ints, there: Ints) -> None:
        _add(self._tried, here, 1)
        when = now_ms + 2 * self._ways.delay_ms(here, there)
        order = in_time(when)
        when, pairs = when[order], np.stack([here, there])[:, order]
        for begin, end in runs(when):
            self._dials.setdefault(int(when[begin]), []).append(pairs[:, begin:end])

    # ---------------------------------------------------------------- links

    def _land(self, here: Ints, there: Ints) -> None:
        """Dials come about: links that do not stand yet are made, as far as both ends live and have room."""
        answered = self.alive[there] & self.alive[here]
        here, there = here[answered], there[answered]
        _add(self._tried, here, -1)
        self._came[here] = True
        free = ~(self.peer[here] == there[:, None]).any(axis=1)
        here, there = here[free], there[free]
        _, once = np.unique(np.minimum(here, there) * self.nodes + np.maximum(here, there), return_index=True)
        here, there = here[once], there[once]
        rank = _ranks(np.concatenate([here, there]))
        full = self.degree[np.concatenate([here, there])] + rank >= self.width
        kept = ~(full[: len(here)] | full[len(here) :])
        here, there = here[kept], there[kept]
        ends = np.concatenate([here, there])
        place = self._places(ends, _ranks(ends))
        ours, theirs = np.split(place, 2)
        self.peer[here, ours], self.peer[there, theirs] = there, here
        self.back[here, ours], self.back[there, theirs] = theirs, ours
        self._own[here, ours] = True
        _add(self.degree, ends, 1)

    def _places(self, nodes: Ints, rank: Ints) -> Ints:
        """Return the place of each node's next link but `rank`."""
        if self._whole:
            return self.degree[nodes] + rank
        free = np.argsort(self.peer[nodes] >= 0, axis=1, kind="stable")
        places: Ints = free[np.arange(len(nodes)), rank]
        return places

    # ---------------------------------------------------------------- nodes that go

    def kill(self, nodes: Ints) -> Bools:
        """Switch nodes off; their links break. Return (nodes, places) of the links that the others lost."""
        self.alive[nodes] = False
        settled = self.degree >= self.settings.active
        self._own &= (np.cumsum(self._own, axis=1, dtype=np.int8) <= self.settings.own) | ~settled[:, None]
        lost = (self.peer >= 0) & ~self.alive[self.peer]
        lost[nodes] = False
        self.peer[nodes] = -1
        self.peer[lost] = -1
        self.degree[:] = (self.peer >= 0).sum(axis=1)
        self._whole = False
        # A choice that is lost is waited for, for some seconds, before another is made in its place.
        self._tried += (lost & self._own).sum(axis=1, dtype=np.int8)
        self._own &= ~lost
        return lost

    def mend(self, nodes: Ints) -> None:
        """Have nodes that lost links look at their views, and what comes of it come about."""
        if not self.full_mesh:
            looks = Calendar()
            looks.put(np.full(len(nodes), SETTLE_MS, np.int32), nodes)
            self._run(SETTLE_MS, looks, starting=False)


def _add(counts: npt.NDArray[np.int8], nodes: Ints, one: int) -> None:
    """Count one for each time that a node stands there."""
    np.add.at(counts, nodes, np.int8(one))


def _ranks(ends: Ints) -> Ints:
    """Return how often each entry stood before it."""
    order = np.argsort(ends, kind="stable")
    at = np.arange(len(ends))
    begins = np.ones(len(ends), np.bool_)
    begins[1:] = np.diff(ends[order]) != 0
    rank = np.empty_like(at)
    rank[order] = at - np.maximum.accumulate(np.where(begins, at, 0))
    return rank
