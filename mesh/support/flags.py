"""Flags: members say that they would rather not meet a post unasked, and enough of them fold it.

A folded post is not deleted. It stays in its place, closed like one with a warning, and whoever wants to opens it. A
flag is taken back as easily as it is made, and counts as long as its author is in. So folding says what the group finds
hard to read, and never what is true or who is right.

Nobody is shown who flagged, and programs know it, for each flag is signed.
"""

from collections.abc import Iterable
from typing import Final

from mesh.commands import Rank
from mesh.errors import Fault, RemoteError
from mesh.ids import MemberPk
from mesh.support.statements import Rules, Said, newest
from mesh.wire.codec import Record
from mesh.wire.statements import FlagValue, Form

POST_ID_BYTES: Final = 16
ONE_IN: Final = 4  # of those who may flag a post; ours
NEEDED_MIN: Final = 2  # nobody folds a post alone; ours
NEEDED_MAX: Final = 10  # in a large group it must not take dozens; ours


def needed(others: int) -> int:
    """Return how many flags fold a post, where so many members other than its author may flag it.

    One in four of them, rounded up; two at the least, ten at the most.
    """
    return min(max(-(-others // ONE_IN), NEEDED_MIN), NEEDED_MAX)


def fold(said: Iterable[Said]) -> dict[bytes, frozenset[MemberPk]]:
    """Return who flags which post now: the last word of each member on each."""
    last = newest(said, lambda word: (word.subject, word.member))
    flagged: dict[bytes, set[MemberPk]] = {}
    for (post, member), word in last.items():
        if isinstance(word.value, FlagValue) and word.value.holds:
            flagged.setdefault(post, set()).add(member)
    return {post: frozenset(members) for post, members in flagged.items()}


def check_post(subject: bytes, value: Record) -> None:
    """RemoteError unless a statement is about a post."""
    del value
    if len(subject) != POST_ID_BYTES:
        raise RemoteError(Fault.MALFORMED, "a statement about no post")


RULES: Final = Rules(
    form=Form.FLAG,
    value=FlagValue,
    check=check_post,
    deed="flag a message",
    least=Rank.MEMBER,
    only_in=True,
    newest=64,
    standing=True,
    fades=True,
)
