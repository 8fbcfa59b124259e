"""Reflection: private notes of what one gave and received. Never sent, never counted, in the encrypted store alone."""

from typing import Annotated, Final

from msgspec import Meta

from mesh.errors import LocalError
from mesh.support.own import EVERYWHERE
from mesh.wire import limits
from mesh.wire.codec import Record
from mesh.wire.text import require_text

ABOUT: Final = ("gave", "received", "")
NOTE_ID_BYTES: Final = 8
NOTES: Final = EVERYWHERE + b"r"  # in Space.OWN; then when (u64 ms), and an id


class NoteRecord(Record, frozen=True):
    """A note; its key says when it was written."""

    about: Annotated[str, Meta(max_length=8)]
    text: Annotated[str, Meta(min_length=1, max_length=limits.REFLECTION_BYTES_MAX)]


def note_key(at_ms: int, note: bytes) -> bytes:
    """Return the key of a note (8 B) in `Space.OWN`: notes sort by when they were written."""
    return NOTES + at_ms.to_bytes(8, "big") + note


def new_note(text: str, about: str) -> NoteRecord:
    """Return a note as it is kept; LocalError for what cannot be."""
    if about not in ABOUT:
        raise LocalError("a note is about what you “gave” or “received”, or about neither", code="E-USAGE")
    return NoteRecord(about=about, text=require_text("note", text, limits.REFLECTION_BYTES_MAX, lines=True))
