"""Milestones: "90 days since …", counted from a date that their author names, and shown to the group.

They belong to their author: nobody else changes one or takes it down. To reset one is to take it down. Nothing that
others are sent says why, and it is the same word however it ended. Others congratulate where the author asked for it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from typing import Final

from mesh.commands import Rank
from mesh.errors import Fault, LocalError, RemoteError
from mesh.ids import MemberPk
from mesh.phrases import phrase
from mesh.support.slots import check_slot, check_thing, is_own_slot, thing_id
from mesh.support.statements import Rules, Said, later, newest
from mesh.wire import limits
from mesh.wire.codec import Record
from mesh.wire.statements import CongratulationValue, Form, MilestoneValue
from mesh.wire.text import check_text, require_text

SHOWN_MAX: Final = 64  # milestones in a list, the newest; ours, as the next
CONGRATULATIONS_SHOWN_MAX: Final = 12  # of each, the newest: a list of all fits the socket's line


class Count(IntEnum):
    """In what a milestone is counted."""

    DAYS = 0
    WEEKS = 1
    MONTHS = 2
    YEARS = 3


COUNTS: Final = {count.name.lower(): count for count in Count}
DOWN: Final = MilestoneValue(made_ms=0, text="", since=0, count=0, invited=False)  # what stood in the slot is gone


@dataclass(frozen=True, slots=True, kw_only=True)
class Milestone:
    """A milestone that stands; `id`: 16 B."""

    id: bytes
    said: Said
    value: MilestoneValue
    congratulations: tuple[Said, ...]  # one of a member, in order


def fold(said: Iterable[Said], congratulations: Iterable[Said]) -> list[Milestone]:
    """Return the milestones that stand, in the order in which they were put up.

    The last word of a member on a slot holds: from any device of theirs it takes down, and it puts up in its own alone.
    """
    given: dict[bytes, list[Said]] = {}
    for word in sorted(newest(congratulations, lambda word: (word.subject, word.member)).values(), key=later):
        if isinstance(word.value, CongratulationValue) and word.value.holds:
            given.setdefault(word.subject, []).append(word)
    stands: dict[bytes, Milestone] = {}
    for word in sorted(newest(said, lambda word: (word.member, word.subject)).values(), key=later):
        value = word.value
        if isinstance(value, MilestoneValue) and value.text and is_own_slot(word):
            key = thing_id(Form.MILESTONE, word.member, value)
            invited = tuple(_by_others(given.get(key, ()), word.member)) if value.invited else ()
            stands.setdefault(key, Milestone(id=key, said=word, value=value, congratulations=invited))
    return list(stands.values())


def _by_others(words: Iterable[Said], author: MemberPk) -> Iterable[Said]:
    return (word for word in words if word.member != author)


def elapsed(since: int, count: int, today: int) -> int:
    """Return how many whole days, weeks, months or years lie between two days (1: 1 January of the year 1)."""
    if today <= since:
        return 0
    if count in (Count.DAYS, Count.WEEKS):
        return (today - since) // (7 if count == Count.WEEKS else 1)
    first, last = date.fromordinal(since), date.fromordinal(today)
    months = (last.year - first.year) * 12 + last.month - first.month - (last.day < first.day)
    return months // 12 if count == Count.YEARS else months


def compose(*, made_ms: int, text: str, since: int, count: str, invited: bool, today: int) -> MilestoneValue:
    """Return a milestone as its author typed it; LocalError in words for what cannot be put up."""
    if count not in COUNTS:
        raise LocalError(
            phrase("a milestone is counted in {names}", names=", ".join(COUNTS)),
            do="choose one of them",
            code="E-USAGE",
        )
    if since > today + 1:  # it may be tomorrow already where its author is
        raise LocalError("that day is still to come", do="name the day on which it began", code="E-DATE")
    return MilestoneValue(
        made_ms=made_ms,
        text=require_text("text", text, limits.MILESTONE_TEXT_BYTES_MAX),
        since=since,
        count=COUNTS[count],
        invited=invited,
    )


def compose_congratulation(text: str, *, holds: bool) -> CongratulationValue:
    """Return what one says to a milestone, or takes back; LocalError."""
    words = require_text("text", text, limits.CONGRATULATION_TEXT_BYTES_MAX, empty=True) if holds else ""
    return CongratulationValue(holds=holds, text=words)


def check_milestone(subject: bytes, value: Record) -> None:
    """RemoteError unless this is what an honest program puts up in a slot, or takes down."""
    check_slot(subject, limits.MILESTONES_MAX)
    assert isinstance(value, MilestoneValue)
    check_text(value.text, limits.MILESTONE_TEXT_BYTES_MAX)
    if not value.text and value != DOWN:
        raise RemoteError(Fault.MALFORMED, "a milestone that is taken down and says more")
    if value.text and not value.since:
        raise RemoteError(Fault.MALFORMED, "a milestone that counts from no day")


def check_congratulation(subject: bytes, value: Record) -> None:
    """RemoteError unless a congratulation is about something and holds what may be shown."""
    check_thing(subject, value)
    assert isinstance(value, CongratulationValue)
    check_text(value.text, limits.CONGRATULATION_TEXT_BYTES_MAX)


MILESTONES: Final = Rules(
    form=Form.MILESTONE,
    value=MilestoneValue,
    check=check_milestone,
    deed="put up a milestone",
    least=Rank.MEMBER,
    only_in=True,
    newest=4 * limits.MILESTONES_MAX,  # a device takes down what another of the same member's put up
    standing=True,
    fades=True,
    speaks=True,
)
CONGRATULATIONS: Final = Rules(
    form=Form.CONGRATULATION,
    value=CongratulationValue,
    check=check_congratulation,
    deed="congratulate",
    least=Rank.MEMBER,
    only_in=True,
    newest=64,
    standing=True,
    fades=True,
    speaks=True,
)
