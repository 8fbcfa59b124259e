"""Questions and answers of range-based set reconciliation (protocol.md §10, "Reconciling sets").

Both speak of stretches of one line on which all items stand in order. A stretch begins where the one before it ended
and says where it ends itself.
"""

from typing import Annotated, Final

from msgspec import Meta

from mesh.wire import limits, shapes
from mesh.wire.codec import Record

RANGE_KEY_BYTES: Final = 36  # of an item: bucket u32be ‖ id 32
SHORT_BYTES: Final = 8

# The beginning of an item's key: as much of it as sets it apart from its predecessor. Empty: the end of the line.
Bound = Annotated[bytes, Meta(max_length=RANGE_KEY_BYTES)]
Shorts = Annotated[bytes, Meta(max_length=SHORT_BYTES * limits.RANGE_LISTED_MAX)]


class Same(Record, frozen=True, tag=0):
    """Nothing more is to be said up to here."""

    upto: Bound


class Printed(Record, frozen=True, tag=1):
    """So many items stand up to here, and this is their fingerprint."""

    upto: Bound
    count: shapes.Count
    fingerprint: shapes.Bytes8


class Listed(Record, frozen=True, tag=2):
    """These are the short ids (8 B each) of all items up to here."""

    upto: Bound
    shorts: Shorts


class RangeQuestion(Record, frozen=True):
    """What stands at the asker's from `start` on, `Same` where nothing is asked."""

    ticket: shapes.Count
    start: Bound  # empty: the beginning of the line
    ranges: Annotated[list[Same | Printed], Meta(min_length=1, max_length=limits.RANGES_MAX)]


class RangeAnswer(Record, frozen=True):
    """What stands there at the answerer's; it may end earlier than the question, where one of its ranges ends."""

    ticket: shapes.Count
    ranges: Annotated[list[Same | Printed | Listed], Meta(min_length=1, max_length=limits.RANGES_MAX)]
