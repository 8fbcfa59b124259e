"""Words: what a moderator, steward or founder says to one member under seal, and a member's appeal against a sanction.

A word gives the reason for a step of the ladder (`mesh.support.ladder`), or answers a report or an appeal. Nobody else
sees it, or that it was said to this member.
"""

from typing import Final

from mesh.commands import Rank
from mesh.support.notes import NoteRules
from mesh.wire import limits
from mesh.wire.codec import Record
from mesh.wire.notes import AppealNote, NoteTag, WordNote
from mesh.wire.text import check_text


def check_words(value: Record) -> None:
    """RemoteError unless this is what an honest program says."""
    assert isinstance(value, WordNote | AppealNote)
    check_text(value.text, limits.WORD_TEXT_BYTES_MAX, lines=True)


WORDS: Final = NoteRules(
    tag=NoteTag.WORD,
    value=WordNote,
    check=check_words,
    author=Rank.MODERATOR,
    reader=Rank.NEWCOMER,
    newest=64,
)
APPEALS: Final = NoteRules(
    tag=NoteTag.APPEAL,
    value=AppealNote,
    check=check_words,
    author=Rank.NEWCOMER,
    reader=Rank.STEWARD,
    newest=16,
)
