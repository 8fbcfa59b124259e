"""The forms of statements, and each form's value as a record (protocol.md §7); what they mean is in `mesh.support`.

A value that does not read as its form's record says nothing: it is not held against whoever passed it on, for they may
not know the form.
"""

from enum import IntEnum

from mesh.wire.codec import Record


class Form(IntEnum):
    """What a statement is about. Numbers that are not here are kept, and change nothing."""

    FLAG = 1
    PIN = 2


class FlagValue(Record, frozen=True):
    """Form 1, about a post: its author would rather not meet that post unasked (`holds`), or no longer minds."""

    holds: bool


class PinValue(Record, frozen=True):
    """Form 2, about a post: it stands first in the group (`holds`), or no longer."""

    holds: bool
