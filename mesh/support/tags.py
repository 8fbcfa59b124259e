"""The tags of sealed notes that are kept. A feature's file says what its tag means; here it is named."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from mesh.errors import RemoteError
from mesh.support import consent, introductions, reports, rooms, words
from mesh.support.notes import NoteRules
from mesh.wire import limits
from mesh.wire.codec import Record, decode
from mesh.wire.notes import NoteTag

_ALL: Final = (
    reports.REPORTS,
    reports.RECALLS,
    words.WORDS,
    words.APPEALS,
    consent.QUESTIONS,
    rooms.ROOMS,
    introductions.SEEKING,
    introductions.ANSWERS,
)
TAGS: Final[Mapping[int, NoteRules]] = MappingProxyType({rules.tag: rules for rules in _ALL})


def read_note_value(tag: int, value: bytes) -> Record | None:
    """Return what a note says; None for a tag that is not kept here, and for what makes no sense under its tag."""
    rules = TAGS.get(tag)
    if rules is None:
        return None
    try:
        record = decode(rules.value, value, bytes_max=limits.NOTE_VALUE_BYTES_MAX)
        rules.check(record)
    except RemoteError:
        return None
    return record


def tag_name(tag: int) -> str:
    """Return what a tag is called."""
    return NoteTag(tag).name.lower()
