"""Range-based set reconciliation: two that hold nearly the same items find out in which they differ.

Each item is a time bucket and a 32 B id, and all items stand in order on one line. An id in another bucket is another
item, so the bucket must be the same at both ends, or they will find a difference each time. The asker sends a
fingerprint of a stretch of it. Is that the answerer's own, the two are alike there. If not, the answerer lists what it
has there, when that is short, or else cuts the stretch into pieces and sends a fingerprint of each; the asker cuts
those that differ into smaller ones, and so on. Equal sets cost one question of some 25 B; a difference costs what the
stretch costs in which it hides. (A. Meyer, "Range-Based Set Reconciliation", SRDS 2023; Negentropy is the known
practice.)

The answerer keeps nothing between questions. The asker is an `Asking`: it knows what it has asked, holds each answer
against that, and has an end. Questions are cut so that their answers are likely to fit 64 KiB, and may all be sent at
once; an answer that does not fit ends early, and the asker asks on from there.

**The fingerprint** is the sum, modulo 2⁶⁴, of the short ids, beside their number. A short id is 8 B of keyed BLAKE2b
over bucket and id, under a key that both derive from their link's nonces (`session_key`). Whoever puts items into a set
without knowing that key makes two different sets look alike with a chance of 2⁻⁶⁴ a try, whatever ids they grind; and
what was missed under one link's key is found under the next. It resists nobody who knows the key, and these are the two
ends alone: who lies about their own set can say anything without it. A sum with a known key is forged easily, so the
key must not be used for two links, and short ids name an item to the other end of this link and to nobody else: what
comes under one is checked by its full hash.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise
from struct import unpack
from typing import Final

from mesh.crypto.hashes import h, short_hashes
from mesh.errors import Fault, RemoteError
from mesh.ids import TopicId
from mesh.wire import limits
from mesh.wire.codec import decode, encode
from mesh.wire.ranges import RANGE_KEY_BYTES, SHORT_BYTES, Listed, Printed, RangeAnswer, RangeQuestion, Same

BUCKET_BYTES: Final = 4
BUCKET_MAX: Final = 2**32 - 1
# A difference in 100k items is found in two round trips: 192 pieces, 17 pieces of one of them, and one of these listed.
PIECES_MAX: Final = 192
PIECE_ITEMS: Final = 32
FEW: Final = 64  # items that are rather listed than divided
_SUM: Final = 2**64
_RANGE_BYTES: Final = 20  # what a range takes at most, besides its bound and its list: 1 + 1 + 2 + 5 + 10
_ANSWER_BYTES: Final = 48 * 1024  # that an answer is expected to take: room for what we do not know of
_STRETCHES: Final = 512  # of one question of ours: with the longest bounds, and gaps between them, 50 kB


def session_key(topic: TopicId, asker_nonce: bytes, answerer_nonce: bytes) -> bytes:
    """Return the key (32 B) for one topic, link and direction; the nonces (32 B) are those of the link's hellos."""
    return h(b"mesh1/recon", topic, asker_nonce, answerer_nonce)


@dataclass(frozen=True, slots=True)
class Items:
    """A set of items in order: each `bucket u32be ‖ id 32`, no two alike."""

    keys: tuple[bytes, ...]

    @staticmethod
    def of(pairs: Iterable[tuple[int, bytes]]) -> "Items":
        """Put pairs of bucket (0…2³²−1) and id (32 B) in order; those that come twice stand once."""
        return Items(tuple(sorted({bucket.to_bytes(BUCKET_BYTES, "big") + one for bucket, one in pairs})))

    def __len__(self) -> int:
        return len(self.keys)


class Index:
    """Items under one session's key: what both sides compute with. Building it takes about 1 µs an item.

    Make it once for a link, and not for each question: whoever asks could keep a node busy otherwise.
    """

    def __init__(self, items: Items, key: bytes) -> None:
        self.keys = items.keys
        self._shorts = b"".join(short_hashes(key, b"mesh1/short", items.keys))
        numbers: tuple[int, ...] = unpack(f">{len(items)}Q", self._shorts)
        self._sums = (0, *accumulate(numbers))  # of the first k: a stretch's sum is a difference of two

    def __len__(self) -> int:
        return len(self.keys)

    def place(self, bound: bytes, *, least: int = 0) -> int:
        """Return how many items stand before a bound; the end of the line is the empty one."""
        return bisect_left(self.keys, bound, least) if bound else len(self.keys)

    def bound(self, place: int) -> bytes:
        """Return the shortest bound before which so many items stand (1 ≤ `place` < their number)."""
        before, after = self.keys[place - 1], self.keys[place]
        differing_bits = (int.from_bytes(before, "big") ^ int.from_bytes(after, "big")).bit_length()
        return after[: RANGE_KEY_BYTES - (differing_bits - 1) // 8]

    def fingerprint(self, first: int, end: int) -> bytes:
        """Return the 8 B that stand for the items from place `first` up to `end`."""
        return ((self._sums[end] - self._sums[first]) % _SUM).to_bytes(SHORT_BYTES, "big")

    def printed(self, first: int, end: int, upto: bytes) -> Printed:
        """Return a stretch as its fingerprint."""
        return Printed(upto=upto, count=end - first, fingerprint=self.fingerprint(first, end))

    def shorts(self, first: int, end: int) -> bytes:
        """Return the short ids of a stretch, 8 B each, in order."""
        return self._shorts[SHORT_BYTES * first : SHORT_BYTES * end]

    def divided(self, first: int, end: int, upto: bytes) -> Iterator[Printed]:
        """Cut a stretch that ends at `upto` into pieces of nearly equal size, a fingerprint of each."""
        count = end - first
        pieces = min(PIECES_MAX, max(2, -(-count // PIECE_ITEMS)))
        places = [first + count * k // pieces for k in range(pieces + 1)]
        for low, high in pairwise(places):
            yield self.printed(low, high, upto if high == end else self.bound(high))

    def find(self, short: bytes) -> tuple[int, bytes] | None:
        """Return the bucket and id of the item that has this short id (8 B), if there is one."""
        place = self._places.get(short)
        if place is None:
            return None
        key = self.keys[place]
        return int.from_bytes(key[:BUCKET_BYTES], "big"), key[BUCKET_BYTES:]

    @cached_property
    def _places(self) -> dict[bytes, int]:
        return {short: place for place, short in enumerate(_cut(self._shorts))}


def _cut(shorts: bytes) -> list[bytes]:
    return [shorts[at : at + SHORT_BYTES] for at in range(0, len(shorts), SHORT_BYTES)]


# ------------------------------------------------------------------------------------------ the answerer


def answer(index: Index, question: bytes) -> bytes:
    """Answer a question (both ≤ 64 KiB); RemoteError. Nothing is remembered.

    The work is bounded by the size of both frames: some 30 ms at most.
    """
    asked = decode(RangeQuestion, question, bytes_max=limits.RANGE_FRAME_BYTES_MAX)
    _in_order(asked.start, asked.ranges)
    given: list[Same | Printed | Listed] = []
    room = limits.RANGE_FRAME_BYTES_MAX - _RANGE_BYTES  # for the record around them
    end = index.place(asked.start) if asked.start else 0
    for one in asked.ranges:
        first, end = end, index.place(one.upto, least=end)
        parts = _answered(index, one, first, end)
        room -= sum(_size(part) for part in parts)
        if room < 0 or len(given) + len(parts) > limits.RANGES_MAX:
            break  # there is room for what one range comes to, so this is never the first
        if given and isinstance(given[-1], Same) and isinstance(parts[0], Same):
            given.pop()
        given.extend(parts)
    return encode(RangeAnswer(ticket=asked.ticket, ranges=given))


def _answered(index: Index, one: Same | Printed, first: int, end: int) -> Sequence[Same | Printed | Listed]:
    if isinstance(one, Same):
        return [one]
    count = end - first
    if count == one.count and index.fingerprint(first, end) == one.fingerprint:
        return [Same(upto=one.upto)]
    if min(count, one.count) <= FEW and count <= limits.RANGE_LISTED_MAX:
        return [Listed(upto=one.upto, shorts=index.shorts(first, end))]
    return list(index.divided(first, end, one.upto))


def _size(part: Same | Printed | Listed) -> int:
    return _RANGE_BYTES + len(part.upto) + (len(part.shorts) if isinstance(part, Listed) else 0)


def _in_order(start: bytes, ranges: Sequence[Same | Printed | Listed]) -> None:
    """Check that each stretch ends after it begins, and that the end of the line comes last."""
    at = start
    for k, one in enumerate(ranges):
        if not one.upto:
            if k + 1 < len(ranges):
                raise RemoteError(Fault.MALFORMED, "a range after the last one")
        elif one.upto <= at:
            raise RemoteError(Fault.MALFORMED, "ranges are out of order")
        at = one.upto


# -------------------------------------------------------------------------------------------- the asker


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What one answer shows: ids (32 B) that they lack, short ids (8 B) that we lack, and what to ask next."""

    have: tuple[bytes, ...]
    want: tuple[bytes, ...]
    questions: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class _Asked:
    """A stretch that we ask for, as it stands in our index, and about how many bytes its answer will take."""

    start: bytes
    range: Printed
    expected: int


class Asking:
    """One reconciliation, seen by the one who asks. All that it knows of the other side is what it was answered.

    It ends: after so many questions or so much work an answer is refused as a fault of the other side. Whoever asks
    sees to it how much is wanted in all.
    """

    def __init__(self, index: Index) -> None:
        self._index = index
        self._open: dict[int, tuple[_Asked, ...]] = {}
        self._tickets = 0
        self._steps = 0

    @property
    def waiting(self) -> int:
        """Return how many questions have no answer yet. None: all differences are known."""
        return len(self._open)

    def begin(self, since: int = 0) -> bytes:
        """Return the first question: for all items, or those in the buckets from `since` on."""
        start = since.to_bytes(BUCKET_BYTES, "big") if since else b""
        first = self._index.place(start) if start else 0
        whole = self._index.printed(first, len(self._index), b"")
        (question,) = self._ask([_Asked(start, whole, 0)])
        return question

    def take(self, answer: bytes) -> Found:
        """Take an answer in; RemoteError if it answers nothing that was asked, or this has gone on for too long."""
        given = decode(RangeAnswer, answer, bytes_max=limits.RANGE_FRAME_BYTES_MAX)
        asked = self._open.get(given.ticket)
        if asked is None:
            raise RemoteError(Fault.UNASKED, "an answer to what was not asked")
        _in_order(asked[0].start, given.ranges)
        left = _left(asked, given.ranges[-1].upto)
        self._work(len(given.ranges))
        have: list[bytes] = []
        want: list[bytes] = []
        more: list[_Asked] = []
        start = asked[0].start
        end = self._index.place(start) if start else 0
        for one in given.ranges:
            first, end = end, self._index.place(one.upto, least=end)
            match one:
                case Listed():
                    self._compare(one, first, end, have, want)
                case Printed():
                    more.extend(self._differing(one, start, first, end))
                case Same():
                    pass
            start = one.upto
        questions = self._ask([*more, *left])
        del self._open[given.ticket]
        return Found(have=tuple(have), want=tuple(want), questions=tuple(questions))

    def _compare(self, one: Listed, first: int, end: int, have: list[bytes], want: list[bytes]) -> None:
        if len(one.shorts) % SHORT_BYTES:
            raise RemoteError(Fault.MALFORMED, "a list of short ids has the wrong length")
        ours, theirs = _cut(self._index.shorts(first, end)), dict.fromkeys(_cut(one.shorts))
        known = frozenset(ours)
        want.extend(short for short in theirs if short not in known)
        have.extend(self._index.keys[first + k][BUCKET_BYTES:] for k, short in enumerate(ours) if short not in theirs)

    def _differing(self, one: Printed, start: bytes, first: int, end: int) -> Iterator[_Asked]:
        """Give what is to be asked next of a stretch of which they sent a fingerprint."""
        ours = end - first
        if ours == one.count and self._index.fingerprint(first, end) == one.fingerprint:
            return
        if min(ours, one.count) <= FEW:  # they will list theirs, or divide it if it is long
            pieces: Iterable[Printed] = [self._index.printed(first, end, one.upto)]
            theirs = one.count
        else:
            pieces = list(self._index.divided(first, end, one.upto))
            theirs = one.count // len(pieces)
        for piece in pieces:
            self._work(1)
            listed = min(theirs, limits.RANGE_LISTED_MAX) * SHORT_BYTES
            yield _Asked(start, piece, 2 * _RANGE_BYTES + listed)
            start = piece.upto

    def _ask(self, asked: Sequence[_Asked]) -> list[bytes]:
        """Put stretches into questions, each with as many as its answer is likely to have room for."""
        questions: list[bytes] = []
        batch: list[_Asked] = []
        expected = 0
        for one in asked:
            if batch and (expected + one.expected > _ANSWER_BYTES or len(batch) == _STRETCHES):
                questions.append(self._question(batch))
                batch, expected = [], 0
            batch.append(one)
            expected += one.expected
        if batch:
            questions.append(self._question(batch))
        return questions

    def _question(self, batch: Sequence[_Asked]) -> bytes:
        self._tickets += 1
        if self._tickets > limits.RANGE_QUESTIONS_MAX:
            raise RemoteError(Fault.OVER_LIMIT, "a reconciliation without end")
        self._open[self._tickets] = tuple(batch)
        ranges: list[Same | Printed] = []
        at = batch[0].start
        for one in batch:
            if one.start != at:
                ranges.append(Same(upto=one.start))
            ranges.append(one.range)
            at = one.range.upto
        return encode(RangeQuestion(ticket=self._tickets, start=batch[0].start, ranges=ranges))

    def _work(self, steps: int) -> None:
        self._steps += steps
        if self._steps > limits.RANGE_STEPS_MAX:
            raise RemoteError(Fault.OVER_LIMIT, "a reconciliation that takes too much work")


def _left(asked: Sequence[_Asked], upto: bytes) -> Sequence[_Asked]:
    """Return what an answer that ends at `upto` left out; RemoteError unless a stretch of ours or a gap ends there."""
    for k, one in enumerate(asked):
        if one.range.upto == upto or (k + 1 < len(asked) and asked[k + 1].start == upto):
            return asked[k + 1 :]
    raise RemoteError(Fault.MALFORMED, "an answer that ends elsewhere than what was asked")
