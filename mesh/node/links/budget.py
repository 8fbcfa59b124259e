"""How much a peer may send us, and how much it may get wrong.

Two token buckets per link bound the frames and bytes that we read: a peer above its rate is not blamed but
read more slowly, so that back-pressure reaches it and its flood costs us a known share of a core. (The rest
is fair by itself: every link's reader waits in one line for the runner.)

Blame is for what no honest node does. Each `Fault` weighs something, the sum halves every ten minutes, and
at the limit the peer is hung up on and refused until its ban ends; each further ban lasts twice as long, up
to a day. PeerIds cost nothing to make, so a ban is a brake and no wall: the limits per address stand beside
it. Blame is kept by PeerId and outlives links; the table is bounded, and forgets whoever has the least
against them.

Time comes in as milliseconds of a clock that only rises.
"""

import math
from dataclasses import dataclass
from typing import Final

from mesh.errors import Fault
from mesh.ids import PeerId

# All ours, until the gossip issue measures them. The core takes in some thousands of frames/s on one core.
FRAMES_PER_S: Final = 20_000
FRAMES_BURST: Final = 40_000
BYTES_PER_S: Final = 32 * 1024 * 1024
BYTES_BURST: Final = 64 * 1024 * 1024

BLAME_LIMIT: Final = 100.0
BLAME_HALF_LIFE_MS: Final = 10 * 60 * 1000
BLAME_WEIGHT: Final = {
    Fault.MALFORMED: 50.0,  # no version of an honest node writes it
    Fault.BAD_SIGNATURE: 50.0,
    Fault.OVER_LIMIT: 25.0,
    Fault.AGAINST_RULES: 20.0,
    Fault.UNREADABLE: 5.0,  # happens to the honest while an epoch changes
    Fault.UNASKED: 5.0,  # and this when an answer crosses a withdrawal
    Fault.BROKEN_PROMISE: 5.0,  # 32 frames announced, asked for and not given (gossip.promises): a busy node may err
}
BAN_MS_FIRST: Final = 5 * 60 * 1000
BAN_MS_MAX: Final = 24 * 60 * 60 * 1000
PEERS_BLAMED_MAX: Final = 1024


class Bucket:
    """A token bucket: `rate_per_s` tokens a second, up to `burst`. It may be overdrawn once, then waits."""

    def __init__(self, rate_per_s: int, burst: int) -> None:
        self._rate_per_s = rate_per_s
        self._burst = burst
        self._tokens = float(burst)
        self._at_ms = 0

    def take(self, amount: int, now_ms: int) -> int:
        """Take `amount` tokens; return for how many ms to wait until the bucket is out of debt, often 0."""
        gained = max(0, now_ms - self._at_ms) * self._rate_per_s / 1000
        self._at_ms = max(self._at_ms, now_ms)
        self._tokens = min(self._burst, self._tokens + gained) - amount
        return 0 if self._tokens >= 0 else 1 + int(-self._tokens * 1000 / self._rate_per_s)


class Budget:
    """What one link may send us."""

    def __init__(self) -> None:
        self._frames = Bucket(FRAMES_PER_S, FRAMES_BURST)
        self._bytes = Bucket(BYTES_PER_S, BYTES_BURST)

    def charge(self, *, frames: int, received_bytes: int, now_ms: int) -> int:
        """Count what has come; return for how many ms to read nothing more, usually 0."""
        return max(self._frames.take(frames, now_ms), self._bytes.take(received_bytes, now_ms))


@dataclass(frozen=True, slots=True, kw_only=True)
class Ban:
    """A peer that is refused: for how long yet, and for the how-many-th time."""

    peer: PeerId
    left_ms: int
    times: int


@dataclass(slots=True)
class _Record:
    score: float
    at_ms: int
    bans: int = 0
    banned_until_ms: int = 0

    def decayed(self, now_ms: int) -> float:
        halvings = max(0, now_ms - self.at_ms) / BLAME_HALF_LIFE_MS
        return self.score * math.pow(0.5, halvings)


class BlameBook:
    """What has been held against whom."""

    def __init__(self) -> None:
        self._records: dict[PeerId, _Record] = {}

    def blame(self, peer: PeerId, fault: Fault, now_ms: int) -> bool:
        """Hold a fault against a peer. True: that was the last straw, hang up; its ban has begun.

        What it had sent before it was hung up on is looked at afterwards, and does not lengthen the ban.
        """
        record = self._records.get(peer)
        if record is not None and record.banned_until_ms > now_ms:
            return False
        if record is None:
            self._make_room(now_ms)
            record = self._records[peer] = _Record(0.0, now_ms)
        record.score = record.decayed(now_ms) + BLAME_WEIGHT[fault]
        record.at_ms = now_ms
        if record.score < BLAME_LIMIT:
            return False
        record.banned_until_ms = now_ms + min(BAN_MS_MAX, BAN_MS_FIRST << min(record.bans, 16))
        record.bans += 1
        record.score = 0.0
        return True

    def score(self, peer: PeerId, now_ms: int) -> float:
        """Return what stands against a peer, between 0 and BLAME_LIMIT."""
        record = self._records.get(peer)
        return record.decayed(now_ms) if record is not None else 0.0

    def banned_ms(self, peer: PeerId, now_ms: int) -> int:
        """Return for how many ms more a peer is refused; 0 if it is not."""
        record = self._records.get(peer)
        return max(0, record.banned_until_ms - now_ms) if record is not None else 0

    def bans(self, now_ms: int) -> tuple[Ban, ...]:
        """Return who is refused now, in the order in which they were first blamed."""
        return tuple(
            Ban(peer=peer, left_ms=left_ms, times=record.bans)
            for peer, record in self._records.items()
            if (left_ms := self.banned_ms(peer, now_ms))
        )

    def _make_room(self, now_ms: int) -> None:
        """Forget one peer if the table is full: one that is not banned, with the least against it."""
        if len(self._records) >= PEERS_BLAMED_MAX:
            least = min(self._records, key=lambda peer: self._gravity(self._records[peer], now_ms))
            del self._records[least]

    @staticmethod
    def _gravity(record: _Record, now_ms: int) -> tuple[int, float]:
        return max(0, record.banned_until_ms - now_ms), record.decayed(now_ms)
