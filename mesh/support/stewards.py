"""Stewards serve for a time, and rest in between: who is on duty, and until when each of them serves.

Both are their own word, which the whole group sees. Nobody is off duty by another's word, and nobody's term is set by
another: whoever would want that asks them, or lowers their rank.
"""

from collections.abc import Iterable
from typing import Final

from mesh.commands import Rank
from mesh.errors import Fault, RemoteError
from mesh.ids import DeviceId, MemberPk
from mesh.support.statements import Rules, Said, newest
from mesh.wire.codec import Record
from mesh.wire.statements import DutyValue, Form, TermValue

GRANT_BYTES: Final = 32
DAY_MS: Final = 86_400_000
TERM_DAYS: Final = 90  # where the group says nothing else; ours, as all of these
TERM_DAYS_MAX: Final = 366
REMIND_DAYS: Final = (3, 14)  # before the end of a term: the last time, and the first
DUTY_DAYS_MAX: Final = 366  # that one can be off duty in one word; longer is until one says otherwise


def off_duty(said: Iterable[Said], wall_ms: int) -> dict[MemberPk, int]:
    """Return who is off duty now, and until when (0: until they say so): the last word of each."""
    last = newest(said, lambda word: word.member)
    return {
        member: word.value.until_ms
        for member, word in last.items()
        if isinstance(word.value, DutyValue)
        and not word.value.on
        and (not word.value.until_ms or wall_ms < word.value.until_ms)
    }


def terms(said: Iterable[Said]) -> dict[tuple[MemberPk, bytes], int]:
    """Return until when each says that they serve, by the grant that it is about: the last word of each."""
    last = newest(said, lambda word: (word.member, word.subject))
    return {key: word.value.until_ms for key, word in last.items() if isinstance(word.value, TermValue)}


def own_end_ms(said: Iterable[Said], dev: DeviceId, days: int, granted_ms: int | None) -> int | None:
    """Return when our own term ends, by what our devices said of it (`dev`: this one); None: it has no end.

    This device's last word holds, else `granted_ms`, when it ends where nobody says anything. What another device of
    ours says after that can only put it off, by no more than so many days from when it said so.
    """
    end_ms = granted_ms
    for word in newest(said, lambda word: word.dev).values():  # in the order in which they were said
        if isinstance(word.value, TermValue) and word.dev == dev:
            end_ms = word.value.until_ms
        elif isinstance(word.value, TermValue) and end_ms is not None:
            end_ms = max(end_ms, min(word.value.until_ms, word.ts_ms + days * DAY_MS))
    return end_ms


def reminder(end_ms: int, wall_ms: int) -> int | None:
    """Return the days before its end from which one is reminded of a term now: 3 or 14; None: of nothing yet."""
    return next((days for days in REMIND_DAYS if wall_ms >= end_ms - days * DAY_MS), None)


def check_duty(subject: bytes, value: Record) -> None:
    """RemoteError unless this is a word on one's own duty; who is on duty is so without an end."""
    assert isinstance(value, DutyValue)
    if subject or (value.on and value.until_ms):
        raise RemoteError(Fault.MALFORMED, "a duty that is none")


def check_term(subject: bytes, value: Record) -> None:
    """RemoteError unless this is about a grant."""
    del value
    if len(subject) != GRANT_BYTES:
        raise RemoteError(Fault.MALFORMED, "a term of no rank")


DUTY: Final = Rules(
    form=Form.DUTY,
    value=DutyValue,
    check=check_duty,
    deed="be on duty or off",
    least=Rank.MODERATOR,
    only_in=True,
    newest=1,
    standing=True,
    fades=False,
)
TERM: Final = Rules(
    form=Form.TERM,
    value=TermValue,
    check=check_term,
    deed="serve for a term",
    least=Rank.STEWARD,
    only_in=True,
    newest=4,
    standing=True,
    fades=False,
)
