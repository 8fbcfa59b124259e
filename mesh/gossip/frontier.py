"""A frontier: which messages of one device are here, as a contiguous maximum and ranges beyond it.

A frontier vector (one of these for each device of a group) tells a peer in one round trip what it lacks, at a cost that
does not grow with the history (network.md §4).
"""

from bisect import bisect_right
from dataclasses import dataclass

from mesh.wire import limits


@dataclass(frozen=True, slots=True)
class Frontier:
    """All of 1…`contiguous` is here, and each of the sorted, disjoint ranges (first, last) in `beyond`."""

    contiguous: int = 0
    beyond: tuple[tuple[int, int], ...] = ()

    def __contains__(self, mseq: int) -> bool:
        if mseq <= self.contiguous:
            return True
        k = bisect_right(self.beyond, mseq, key=lambda span: span[0])
        return k > 0 and mseq <= self.beyond[k - 1][1]

    @property
    def top(self) -> int:
        """The highest number that is here."""
        return self.beyond[-1][1] if self.beyond else self.contiguous

    @property
    def count(self) -> int:
        """How many are here."""
        return self.contiguous + sum(last - first + 1 for first, last in self.beyond)

    def add(self, first: int, last: int | None = None) -> "Frontier":
        """Return it with `first` (to `last`) added, merged, and cut to the limit of separate ranges."""
        end = first if last is None else last
        if not self.beyond and first <= self.contiguous + 1:
            return Frontier(max(self.contiguous, end))
        return self.union(Frontier(0, ((first, end),)))

    def has_room_for(self, mseq: int) -> bool:
        """Say whether adding this number would lose nothing to the limit of separate ranges."""
        if len(self.beyond) < limits.FRONTIER_GAPS_MAX:
            return True
        after = self.add(mseq)
        return mseq in after and self.top in after

    def union(self, other: "Frontier") -> "Frontier":
        """Return what is in either, within the limit of separate ranges."""
        contiguous = max(self.contiguous, other.contiguous)
        merged: list[tuple[int, int]] = []
        for low, high in sorted([*self.beyond, *other.beyond]):
            if low <= contiguous + 1:
                contiguous = max(contiguous, high)
            elif merged and low <= merged[-1][1] + 1:
                merged[-1] = (merged[-1][0], max(merged[-1][1], high))
            else:
                merged.append((low, high))
        return Frontier(contiguous, tuple(merged[: limits.FRONTIER_GAPS_MAX]))

    def is_canonical(self) -> bool:
        """Say whether the ranges are in order, apart from each other, and each the right way round."""
        end = self.contiguous
        for first, last in self.beyond:
            if first <= end + 1 or last < first:
                return False
            end = last
        return True

    def gaps_below(self, top: int) -> list[tuple[int, int]]:
        """Return the ranges that are missing up to `top`."""
        found: list[tuple[int, int]] = []
        low = self.contiguous + 1
        for first, last in self.beyond:
            if first > top:
                break
            found.append((low, first - 1))
            low = last + 1
        if low <= top:
            found.append((low, top))
        return found

    def missing_from(self, other: "Frontier") -> list[tuple[int, int]]:
        """Return the ranges that `other` has and this has not."""
        if other.top <= self.contiguous:
            return []
        has = [(1, other.contiguous), *other.beyond] if other.contiguous else list(other.beyond)
        gaps = self.gaps_below(other.top)
        wanted: list[tuple[int, int]] = []
        k = 0
        for low, high in has:
            while k < len(gaps) and gaps[k][1] < low:
                k += 1
            at = k
            while at < len(gaps) and gaps[at][0] <= high:
                wanted.append((max(gaps[at][0], low), min(gaps[at][1], high)))
                at += 1
        return wanted


@dataclass(frozen=True, slots=True)
class Spells:
    """Under which epoch each message of a device was sealed, as the numbers at which it changed.

    Enough to tell a newcomer, without reading any frame, which messages were never meant for them.
    """

    changes: tuple[tuple[int, bytes], ...] = ()

    def at(self, mseq: int) -> bytes | None:
        """Return the epoch of a message that is here, or None if it is too long ago."""
        found = None
        for first, epoch in self.changes:
            if first > mseq:
                break
            found = epoch
        return found

    def at_or_first(self, mseq: int) -> bytes:
        """Return the epoch of a message that is here; of one too long ago, the oldest epoch that is remembered.

        Enough for one who asks: whoever was not in then was not before.
        """
        return self.at(mseq) or self.changes[0][1]

    def note(self, mseq: int, epoch: bytes, top: int) -> "Spells":
        """Return it with one more message known, `top` being the highest known so far; the oldest changes go."""
        before = self.at(mseq)
        if before == epoch:
            return self
        changes = dict(self.changes)
        changes[mseq] = epoch
        if mseq < top and before is not None:
            changes.setdefault(mseq + 1, before)
        kept: list[tuple[int, bytes]] = []
        for change in sorted(changes.items()):
            if not kept or kept[-1][1] != change[1]:
                kept.append(change)
        return Spells(tuple(kept[-limits.EPOCH_CHANGES_MAX :]))
