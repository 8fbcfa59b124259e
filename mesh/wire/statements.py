"""The forms of statements, and each form's value as a record (protocol.md §7); what they mean is in `mesh.support`.

A value that does not read as its form's record says nothing: it is not held against whoever passed it on, for they may
not know the form.
"""

from enum import IntEnum
from typing import Annotated

from msgspec import Meta

from mesh.wire import limits
from mesh.wire.codec import Record


class Form(IntEnum):
    """What a statement is about. Numbers that are not here are kept, and change nothing."""

    FLAG = 1
    PIN = 2
    MEETING = 3


class FlagValue(Record, frozen=True):
    """Form 1, about a post: its author would rather not meet that post unasked (`holds`), or no longer minds."""

    holds: bool


class PinValue(Record, frozen=True):
    """Form 2, about a post: it stands first in the group (`holds`), or no longer."""

    holds: bool


class MeetingValue(Record, frozen=True):
    """Form 3, about nothing: when the group meets. `day`: mon to sun, or a date; empty: there is no meeting."""

    day: Annotated[str, Meta(max_length=10)]
    minute: Annotated[int, Meta(ge=0, lt=24 * 60)]  # of the day, in `zone`
    zone: Annotated[str, Meta(min_length=1, max_length=64)]  # IANA's name
    note: Annotated[str, Meta(max_length=limits.MEETING_NOTE_BYTES_MAX)]
