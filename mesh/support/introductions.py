"""Introductions: one asks somebody whom they trust whether they know a group for something, and nobody else.

The answer is a code of a group in which the other may invite, a few words, or nothing at all. A code is a code like any
other: it shows what the group is before anybody joins, whatever was said beside it.
"""

from typing import Final

from mesh.commands import Rank
from mesh.errors import Fault, LocalError, RemoteError
from mesh.support.notes import NoteRules
from mesh.wire import limits
from mesh.wire.codec import Record
from mesh.wire.codes import from_uri, is_written_plainly
from mesh.wire.notes import IntroductionNote, NoteTag, SeekingNote
from mesh.wire.text import check_text, require_text


def compose_question(text: str) -> SeekingNote:
    """Return a question as a person typed it; LocalError in words."""
    return SeekingNote(text=require_text("question", text, limits.INTRODUCTION_BYTES_MAX, lines=True))


def compose_answer(about: bytes, *, code: str, text: str) -> IntroductionNote:
    """Return an answer; LocalError where it would say nothing."""
    if not code and not text:
        raise LocalError(
            "an answer has a code, a few words, or both",
            why="to say nothing, no answer is needed: silence is one",
            do="name a group with --invite, or write something with --text",
            code="E-USAGE",
        )
    words = require_text("answer", text, limits.INTRODUCTION_BYTES_MAX, lines=True, empty=True)
    return IntroductionNote(about=about, code=code, text=words)


def check_question(value: Record) -> None:
    """RemoteError unless this is what an honest program asks."""
    assert isinstance(value, SeekingNote)
    check_text(value.text, limits.INTRODUCTION_BYTES_MAX, lines=True)


def check_answer(value: Record) -> None:
    """RemoteError unless this is what an honest program answers."""
    assert isinstance(value, IntroductionNote)
    if value.text:
        check_text(value.text, limits.INTRODUCTION_BYTES_MAX, lines=True)
    try:
        if value.code:
            from_uri(value.code)
            if not is_written_plainly(value.code):
                raise RemoteError(Fault.MALFORMED, "a code with more in it than a code")
    except LocalError:
        raise RemoteError(Fault.MALFORMED, "an answer with a code that is none") from None
    if not value.code and not value.text:
        raise RemoteError(Fault.MALFORMED, "an answer that says nothing")


SEEKING: Final = NoteRules(
    tag=NoteTag.SEEKING,
    value=SeekingNote,
    check=check_question,
    author=Rank.NEWCOMER,
    reader=Rank.NEWCOMER,
    newest=8,
)
ANSWERS: Final = NoteRules(
    tag=NoteTag.INTRODUCTION,
    value=IntroductionNote,
    check=check_answer,
    author=Rank.NEWCOMER,
    reader=Rank.NEWCOMER,
    newest=8,
)
