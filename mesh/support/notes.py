"""Sealed notes that are kept: what each tag says, who may be told it, and how many of one author's stay.

A note is nothing that a group folds: it is between its author and those whom it is for. It fades as messages do, by the
group's `keep`. Whoever adds a tag says its rules in a file of its own and names them in `mesh.support.tags`.
"""

from collections.abc import Callable
from dataclasses import dataclass

from mesh.commands import Rank
from mesh.wire.codec import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteRules:
    """What holds for all notes of a tag."""

    tag: int
    value: type[Record]
    check: Callable[[Record], None]  # RemoteError for what an honest program never says
    author: Rank  # which its author must have, or a more senior one, when it comes
    reader: Rank  # with which, or a more senior one, one may be told it: when it is sent, and when it comes
    newest: int  # how many of one author are kept: of more the oldest goes, one that was dealt with first
    holds_ms: int = 0  # for how long one that was dealt with is kept before the others: its answer holds for so long
