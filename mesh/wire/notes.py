"""What stands inside a sealed note (protocol.md §7, kind 9), once it is opened: a tag, and the record for it."""

from enum import IntEnum
from typing import Annotated

from msgspec import Meta

from mesh.wire import limits, shapes
from mesh.wire.codec import Record


class NoteTag(IntEnum):
    """What a note says. One with another number is passed over: a later version says it."""

    TALK = 1


class NoteText(Record, frozen=True):
    """The plain text of a note."""

    tag: Annotated[int, Meta(ge=1, le=65535)]
    value: Annotated[bytes, Meta(max_length=limits.NOTE_PLAIN_BYTES)]


class TalkOffer(Record, frozen=True):
    """Tag 1: an offer to talk as two. `preview` is the preview frame of the group that stands ready for it."""

    code: Annotated[bytes, Meta(min_length=38, max_length=38)]
    gid: shapes.Group
    preview: Annotated[bytes, Meta(max_length=limits.NOTE_PLAIN_BYTES)]
    addresses: Annotated[list[shapes.AddressText], Meta(max_length=limits.NOTE_ADDRESSES_MAX)]
