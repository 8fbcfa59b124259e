"""Pledges: each member says yes to the agreement, and to each new version of it anew.

A pledge names the hash of the text, as joining does: so it is about these very words, whichever version says them, and
one to words that are not the group's says nothing. Nobody says yes for another, for each signs for themself.

What changed between two texts is shown line by line, as `diff` does; two that are too long to be compared are not.
"""

from collections.abc import Iterable
from difflib import SequenceMatcher
from typing import Final

from mesh.commands import Rank
from mesh.errors import Fault, RemoteError
from mesh.ids import MemberPk
from mesh.support.statements import Rules, Said
from mesh.wire.codec import Record
from mesh.wire.statements import Form, PledgeValue

HASH_BYTES: Final = 32
KEPT_MAX: Final = 16  # texts that one device says yes to; with a 17th the first lapses; ours
LINES_MAX: Final = 400  # of a text that is compared: what takes longer could be written to keep nodes busy; ours
GONE, NEW = "-", "+"


def fold(said: Iterable[Said]) -> dict[bytes, frozenset[MemberPk]]:
    """Return who says yes to which text, by its hash."""
    by: dict[bytes, set[MemberPk]] = {}
    for word in said:
        if isinstance(word.value, PledgeValue):
            by.setdefault(word.subject, set()).add(word.member)
    return {text: frozenset(members) for text, members in by.items()}


def changes(before: str, now: str) -> list[tuple[str, str]] | None:
    """Return what changed, as ("-" or "+", line) in the order of reading; None where the texts are too long for it."""
    old, new = ([line.rstrip() for line in text.splitlines()] for text in (before, now))
    if max(len(old), len(new)) > LINES_MAX:
        return None
    found: list[tuple[str, str]] = []
    for tag, first, last, start, end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag != "equal":
            found += [(GONE, line) for line in old[first:last]]
            found += [(NEW, line) for line in new[start:end]]
    return [(sign, line) for sign, line in found if line]


def check(subject: bytes, value: Record) -> None:
    """RemoteError unless a pledge is about a hash."""
    del value
    if len(subject) != HASH_BYTES:
        raise RemoteError(Fault.MALFORMED, "a pledge to no text")


RULES: Final = Rules(
    form=Form.PLEDGE,
    value=PledgeValue,
    check=check,
    deed="say yes to the agreement",
    least=Rank.NEWCOMER,
    only_in=False,  # what one posted as a member stays open when one is out
    newest=KEPT_MAX,
    standing=True,
    fades=False,
)
