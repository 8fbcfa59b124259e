"""How one frame after the other spreads over many nodes: `mesh.gossip.spread` and `trees`, with all nodes at once.

A *frontier* goes through time, one millisecond after the other: what arrives then is worked through for all nodes
together, in arrays, and what is sent is put into the calendar under the millisecond of its arrival. So a step costs
numpy some dozens of calls however many nodes it concerns, and a million nodes cost little more than their events.

Each group has one author. Trees are one for each author and do not touch each other (docs/decisions/0021), so several
authors of one group are several groups here; what they share on a line, order and the timers of announcements, is left
out. So are limits of what a link may bring, blame, repair, sessions and receipts: nobody here breaks a rule.

What is known of a link stands at a *place* (node · width + column), for both ends apart.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from simulations.model.links import Links
from simulations.model.ways import Bools, Calendar, Ints, Ways

NOTHING, LAZY, FIRST, SPARE = range(4)  # how an end wants the frames of the other
HOLDER, QUEUED, ANNOUNCED, GIVER = (
    1,
    2,
    4,
    8,
)  # of a frame: the other has it; is to hear its id; heard; said it
POST_MS_MAX: Final = 15_000  # after which a post has come wherever it comes; the crowd's own span between two turns


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of one post of each group. `came_ms`: for each node, after how long; -1 where it did not come."""

    came_ms: npt.NDArray[np.int32]
    copies: int  # of the frame, sent
    said: int  # ids, wishes and asks, sent; each 22 B
    events: int


class Flood:
    """Frames of one author in each group; all of one length."""

    def __init__(
        self, links: Links, ways: Ways, frame_bytes: int, dice: np.random.Generator, *, tally: bool = False
    ) -> None:
        self.links, self.settings = links, links.settings
        self.is_long = frame_bytes > links.settings.long_bytes
        # What went out from each place, in all posts: frames; ids, wishes and asks.
        shape = links.peer.shape
        self.sent = np.zeros(shape, np.uint16) if tally else None
        self.told = np.zeros(shape, np.uint16) if tally else None
        self._ways, self._dice = ways, dice
        self._author = np.zeros(links.nodes // links.group, np.int64)
        self._wants, self._told = np.zeros(shape, np.int8), np.zeros(shape, np.int8)
        self._known, self._last = np.zeros(shape, np.uint8), np.zeros(shape, np.int32)
        self._first, self._spare = np.full(links.nodes, -1, np.int8), np.full(links.nodes, -1, np.int8)
        self._missed, self._alone = np.zeros(links.nodes, np.int8), np.zeros(links.nodes, np.bool_)
        self._came, self._ask = np.full(links.nodes, -1, np.int32), np.full(links.nodes, -1, np.int32)
        self._flushing = np.zeros(links.nodes, np.bool_)
        self._winner = np.zeros(links.nodes, np.int32)
        self._copies = self._said = self._events = 0
        self._frames, self._asks, self._flushes = Calendar(), Calendar(), Calendar()
        self._ids = (Calendar(), Calendar())  # by whether to wait
        self._ranks = {rank: Calendar() for rank in (LAZY, FIRST, SPARE)}
        self._grafts = {rank: Calendar() for rank in (FIRST, SPARE)}  # in the name of the frame before
        self._late: list[tuple[int, Ints]] = []

    # ---------------------------------------------------------------- a post

    def post(self, authors: Ints, until_ms: int = POST_MS_MAX) -> Outcome:
        """Have one node of each group speak, and let it spread to the end."""
        self._author[authors // self.links.group] = authors
        self._known.fill(0)
        self._last.fill(0)
        self._came.fill(-1)
        self._ask.fill(-1)
        self._flushing.fill(False)
        self._copies = self._said = self._events = 0
        self._came[authors] = 0
        for rank, places in self._late:
            self._send(self._grafts[rank], 0, places)
        self._late.clear()
        self._send_frames(0, self._places(authors, self.links.peer[authors] >= 0))
        calendars = (*self._grafts.values(), *self._ranks.values(), self._frames, *self._ids, self._asks, self._flushes)
        for now_ms in range(until_ms):
            self._step(now_ms)
            if not any(calendars):
                break
        for calendar in calendars:
            calendar.clear()
        return Outcome(came_ms=self._came.copy(), copies=self._copies, said=self._said, events=self._events)

    def _step(self, now_ms: int) -> None:
        for rank, calendar in self._grafts.items():
            if (places := calendar.take(now_ms)) is not None:
                self._wants.reshape(-1)[self._others(places)[1]] = rank
        for rank, calendar in self._ranks.items():
            if (places := calendar.take(now_ms)) is not None:
                self._hear_rank(places, rank)
        if (places := self._frames.take(now_ms)) is not None:
            self._hear(now_ms, places)
        for wait, calendar in enumerate(self._ids):
            if (places := calendar.take(now_ms)) is not None:
                self._hear_ids(now_ms, places, self.settings.wait_ms if wait else 0)
        if (places := self._asks.take(now_ms)) is not None:
            self._hear_asked(now_ms, places)
        if (nodes := self._flushes.take(now_ms)) is not None:
            self._flush(now_ms, nodes)

    def _others(self, places: Ints) -> tuple[Ints, Ints]:
        """Return who is at the other end of each place, and the place there."""
        self._events += len(places)
        peer = self.links.peer.reshape(-1)[places].astype(np.int64)
        return peer, peer * self.links.width + self.links.back.reshape(-1)[places]

    # ---------------------------------------------------------------- frames

    def _hear(self, now_ms: int, places: Ints) -> None:
        nodes, back = self._others(places)
        self._known.reshape(-1)[back] |= HOLDER
        new = self._once(nodes, self._came[nodes] < 0)
        fresh, brought = nodes[new], back[new]
        self._came[fresh] = now_ms
        from_author = self.links.full_mesh & (places[new] // self.links.width == self._authors(fresh))
        self._came_first(now_ms, fresh, brought, from_author)
        self._pass_on(now_ms, fresh, from_author)
        if len(fresh) < len(nodes):
            self._came_again(now_ms, nodes[~new], back[~new])

    def _once(self, nodes: Ints, free: Bools) -> Bools:
        """Return `free` with each node left in once, where it stands first."""
        at = np.flatnonzero(free)[::-1].astype(np.int32)
        self._winner[nodes[at]] = at
        chosen = np.zeros(len(nodes), np.bool_)
        chosen[at[self._winner[nodes[at]] == at]] = True
        return chosen

    def _authors(self, nodes: Ints) -> Ints:
        return self._author[nodes // self.links.group]

    def _pass_on(self, now_ms: int, nodes: Ints, from_author: Bools) -> None:
        known, wants, linked = self._known[nodes], self._wants[nodes], self.links.peer[nodes] >= 0
        lacking = linked & ((known & HOLDER) == 0)
        eager = lacking & (wants == FIRST)
        if not self.is_long and self.settings.spare_pushes:
            eager |= lacking & (wants == SPARE)
        unknown = ~from_author & ((wants == NOTHING) | ~linked).all(axis=1)
        urgent = np.zeros_like(lacking)
        if unknown.any():
            (urgent if self.is_long else eager)[unknown] = (
                lacking[unknown] if self.is_long else self._draw(lacking[unknown], self.settings.eager)
            )
        queued = lacking & ~eager & ~urgent
        known[queued] |= QUEUED
        known[urgent] |= ANNOUNCED
        self._known[nodes] = known
        self._send_frames(now_ms, self._places(nodes, eager))
        if urgent.any():
            self._say(self._ids[0], now_ms, self._places(nodes, urgent))
        self._plan(now_ms, nodes[queued.any(axis=1)])

    def _send_frames(self, now_ms: int, places: Ints) -> None:
        self._known.reshape(-1)[places] |= HOLDER
        if self.sent is not None:
            self.sent.reshape(-1)[places] += 1
        self._copies += len(places)
        self._send(self._frames, now_ms, places)

    def _places(self, nodes: Ints, where: Bools) -> Ints:
        row, column = np.nonzero(where)
        return nodes[row] * self.links.width + column

    def _draw(self, where: Bools, count: int) -> Bools:
        """Return so many of each row, by dice, or all."""
        keys = self._dice.random(where.shape, np.float32)
        keys[~where] = 2.0
        if count >= where.shape[1]:
            return where
        drawn = np.zeros_like(where)
        np.put_along_axis(drawn, np.argpartition(keys, count - 1, axis=1)[:, :count], np.True_, axis=1)
        return drawn & where

    # ---------------------------------------------------------------- trees

    def _came_first(self, now_ms: int, nodes: Ints, brought: Ints, from_author: Bools) -> None:
        by = (brought % self.links.width).astype(np.int8)
        first, spare = self._first[nodes], self._spare[nodes]
        if self.links.full_mesh:
            self._came_in_mesh(now_ms, nodes, brought, from_author)
        plain = ~from_author & ~self._alone[nodes]
        none = plain & (first < 0)
        self._first[nodes[none]], self._spare[nodes[none]] = by[none], -1
        self._tell(now_ms, brought[none], FIRST)
        self._missed[nodes[plain & (first == by)]] = 0
        spared = plain & ~none & (first != by) & (spare == by)
        self._missed[nodes[spared]] += 1
        other = plain & ~none & (first != by)
        other &= ~spared | (self._missed[nodes] >= self.settings.missed_max)
        nodes, brought, first, spare, by = (some[other] for some in (nodes, brought, first, spare, by))
        self._tell(now_ms, brought, FIRST)
        self._tell(now_ms, nodes * self.links.width + first, SPARE)
        gone = (spare >= 0) & (spare != by)
        self._tell(now_ms, (nodes * self.links.width + spare)[gone], LAZY)
        self._first[nodes], self._spare[nodes], self._missed[nodes] = by, first, 0

    def _came_in_mesh(self, now_ms: int, nodes: Ints, brought: Ints, from_author: Bools) -> None:
        late = ~from_author & self._alone[nodes]
        self._tell(now_ms, brought[late], LAZY)
        here, link = nodes[from_author], brought[from_author]
        for old in (self._first[here], self._spare[here]):
            place = here * self.links.width + old
            self._tell(now_ms, place[(old >= 0) & (place != link)], LAZY)
        self._first[here], self._spare[here] = (link % self.links.width).astype(np.int8), -1
        self._alone[here], self._missed[here] = True, 0

    def _came_again(self, now_ms: int, nodes: Ints, back: Ints) -> None:
        by = (back % self.links.width).astype(np.int8)
        strange = (by != self._first[nodes]) & (by != self._spare[nodes])
        # An author has no first: what comes back to it is told to be announced only once it has a spare, as all do.
        takes = self._once(nodes, strange & (self._spare[nodes] < 0) & (self._first[nodes] >= 0) & ~self._alone[nodes])
        self._spare[nodes[takes]] = by[takes]
        self._tell(now_ms, back[takes], SPARE)
        own = nodes == self._authors(nodes)
        self._tell(now_ms, back[strange & ~takes & ~own], LAZY)

    def _tell(self, now_ms: int, places: Ints, rank: int) -> None:
        """Say over links how their frames are wanted, where that was not said yet."""
        told = self._told.reshape(-1)
        news = places[told[places] != rank]
        told[news] = rank
        self._say(self._ranks[rank], now_ms, news)

    def _hear_rank(self, places: Ints, rank: int) -> None:
        nodes, back = self._others(places)
        self._wants.reshape(-1)[back[self._came[nodes] >= 0]] = rank

    # ---------------------------------------------------------------- ids

    def _hear_ids(self, now_ms: int, places: Ints, wait_ms: int) -> None:
        nodes, back = self._others(places)
        known, here = self._known.reshape(-1), self._came[nodes] >= 0
        known[back[here]] |= HOLDER
        nodes, back = nodes[~here], back[~here]
        fresh = self._once(nodes, self._ask[nodes] < 0)
        self._ask[nodes[fresh]] = now_ms + (wait_ms or self.settings.ask_next_ms)
        if not wait_ms:
            self._say(self._asks, now_ms, back[fresh])
        known[back if wait_ms else back[~fresh]] |= GIVER
        self._plan(now_ms, nodes[fresh])

    def _hear_asked(self, now_ms: int, places: Ints) -> None:
        _, back = self._others(places)
        known = self._known.reshape(-1)
        given = back[(known[back] & ANNOUNCED) != 0]
        known[given] &= ~np.uint8(ANNOUNCED)
        self._send_frames(now_ms, given)

    def _flush(self, now_ms: int, nodes: Ints) -> None:
        """Announce what has gathered; ask the next where nobody has given."""
        self._events += len(nodes)
        self._flushing[nodes] = False
        known = self._known[nodes]
        say = (known & (QUEUED | HOLDER)) == QUEUED
        known &= ~np.uint8(QUEUED)
        known[say] |= ANNOUNCED
        due = (self._came[nodes] < 0) & (self._ask[nodes] >= 0) & (self._ask[nodes] <= now_ms)
        asked = np.zeros_like(say)
        if due.any():
            asked[due] = self._draw((known[due] & GIVER) != 0, 1)
            known[asked] &= ~np.uint8(GIVER)
            self._ask[nodes[due]] = np.where(asked[due].any(axis=1), now_ms + self.settings.ask_next_ms, -1)
        self._known[nodes] = known
        self._say(self._ids[int(self.is_long)], now_ms, self._places(nodes, say))
        self._say(self._asks, now_ms, self._places(nodes, asked))
        self._plan(now_ms, nodes[(self._came[nodes] < 0) & (self._ask[nodes] >= 0)])

    def _plan(self, now_ms: int, nodes: Ints) -> None:
        nodes = nodes[~self._flushing[nodes]]
        if len(nodes):
            self._flushing[nodes] = True
            wait = self.settings.announce_ms + self._dice.integers(0, self.settings.announce_spread_ms, len(nodes))
            self._flushes.put((now_ms + wait).astype(np.int32), nodes)

    # ---------------------------------------------------------------- on the way

    def _say(self, calendar: Calendar, now_ms: int, places: Ints) -> None:
        if len(places):
            self._said += len(places)
            if self.told is not None:
                self.told.reshape(-1)[places] += 1
            self._send(calendar, now_ms, places)

    def _send(self, calendar: Calendar, now_ms: int, places: Ints) -> None:
        """Send over links: each after what went before, as streams do."""
        if not len(places):
            return
        delay = self._ways.delay_ms(places // self.links.width, self.links.peer.reshape(-1)[places])
        last = self._last.reshape(-1)
        arrival = np.maximum(now_ms + delay, last[places])
        last[places] = arrival
        calendar.put(arrival, places)

    # ---------------------------------------------------------------- nodes that go

    def lose(self, lost: Bools, *, at_once: Bools) -> int:
        """Links are gone (`Links.kill`): the spare takes the place of the first, others by dice the places free.

        `at_once`: by groups, whether its next post is at this very moment, so that it meets what is said of it.
        Return how much is said.
        """
        self._wants[lost] = NOTHING
        self._told[lost] = NOTHING
        self._said = 0
        first_gone, spare_gone = (self._lost_its(column) for column in (self._first, self._spare))
        touched, heirs = np.flatnonzero(first_gone | spare_gone), np.flatnonzero(first_gone)
        self._spare[spare_gone] = -1
        self._first[heirs], self._spare[heirs] = self._spare[heirs], -1
        self._missed[heirs], self._alone[heirs] = 0, False
        orphans = heirs[self._first[heirs] < 0]
        self._first[orphans] = self._heir(orphans)
        self._spare[touched] = self._heir(touched)
        self._tell_late(heirs, self._first, FIRST, at_once)
        self._tell_late(touched, self._spare, SPARE, at_once)
        return self._said

    def _lost_its(self, column: npt.NDArray[np.int8]) -> Bools:
        """Say of each node whether it had somebody there, and has not any more."""
        gone: Bools = (column >= 0) & (self.links.peer[np.arange(self.links.nodes), column] < 0) & self.links.alive
        return gone

    def _heir(self, nodes: Ints) -> npt.NDArray[np.int8]:
        """Draw for each a link that may bring the stream: one that does not take it from us, else as a spare alone."""
        free = self.links.peer[nodes] >= 0
        has = self._first[nodes] >= 0
        free[has, self._first[nodes][has]] = False
        wants = self._wants[nodes]
        best = free & (wants != FIRST) & (wants != SPARE)
        best = np.where(best.any(axis=1)[:, None], best, free & (wants == SPARE))
        drawn = self._draw(best, 1)
        return np.where(drawn.any(axis=1), drawn.argmax(axis=1), -1).astype(np.int8)

    def _tell_late(self, nodes: Ints, column: npt.NDArray[np.int8], rank: int, at_once: Bools) -> None:
        """Tell links how their frames are wanted from now on; who hears of it before the next post, at once."""
        nodes = nodes[column[nodes] >= 0]
        places = nodes * self.links.width + column[nodes]
        told = self._told.reshape(-1)
        nodes, places = nodes[told[places] != rank], places[told[places] != rank]
        told[places] = rank
        self._said += len(places)
        late = at_once[nodes // self.links.group]
        self._late.append((rank, places[late]))
        _, back = self._others(places[~late])
        self._wants.reshape(-1)[back] = rank
