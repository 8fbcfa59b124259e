"""Listeners: members who offer to listen to another for a while, one to one, and what is asked of them.

An offer stands in the group for all to see: of which topics (none: of any), at what time of the day, until when. It
says what its author would like to be asked, and binds them to nothing: their own node looks whether it fits, and they
say yes to each, or nothing. It counts as long as they are in. What is asked of whom, nobody sees but the two nodes
(`mesh.peer.listening`).
"""

from collections.abc import Iterable
from typing import Final

from mesh.commands import Rank
from mesh.errors import Fault, LocalError, RemoteError
from mesh.ids import MemberPk
from mesh.phrases import phrase
from mesh.support.own import compared
from mesh.support.pace import read_quiet
from mesh.support.statements import Rules, Said, newest
from mesh.wire import limits
from mesh.wire.codec import Record
from mesh.wire.statements import Form, ListenerValue, TalkEndValue
from mesh.wire.text import check_text, require_text

OFFER_DAYS: Final = 30  # how long an offer stands if its author says nothing else; ours
OFFER_DAYS_MAX: Final = 366
MINUTES: Final = 30  # how long a talk is asked for, if nothing else is said; ours
NO_OFFER: Final = ListenerValue(holds=False, topics=[], start=0, end=0)
_DAY_MINUTES: Final = 24 * 60


def fold(said: Iterable[Said]) -> dict[MemberPk, Said]:
    """Return who offers to listen now: the last word of each."""
    last = newest(said, lambda word: word.member)
    return {pk: word for pk, word in last.items() if isinstance(word.value, ListenerValue) and word.value.holds}


def fits(offer: Record, topic: str, wall_ms: int) -> bool:
    """Say whether an offer is for a topic (empty: none was named) at this moment."""
    if not isinstance(offer, ListenerValue):
        return False
    minute = wall_ms // 60_000 % _DAY_MINUTES
    since, lasts = (minute - offer.start) % _DAY_MINUTES, (offer.end - offer.start) % _DAY_MINUTES
    listens = not offer.topics or not topic or compared(topic) in {compared(one) for one in offer.topics}
    return listens and (not lasts or since < lasts)


def compose(*, topics: Iterable[str], start: int, end: int) -> ListenerValue:
    """Return an offer as a person typed it; LocalError in words."""
    named = [require_text("topic", topic, limits.TOPIC_BYTES_MAX) for topic in dict.fromkeys(topics)]
    if len(named) > limits.LISTENER_TOPICS_MAX:
        raise LocalError(
            phrase("an offer to listen names at most {most} topics", most=limits.LISTENER_TOPICS_MAX),
            do="name fewer, or none: then you are asked of any",
            code="E-TEXT",
        )
    return ListenerValue(holds=True, topics=named, start=start % _DAY_MINUTES, end=end % _DAY_MINUTES)


def read_hours(text: str) -> tuple[int, int]:
    """Read `HH:MM-HH:MM` as minutes of the day; LocalError for what is none."""
    try:
        hours = read_quiet(text)
    except LocalError:
        raise LocalError(
            phrase("“{typed}” names no hours", typed=text[:40]),
            why="an offer is for hours of the day that begin at one time and end at another",
            do="write them like 18:00-22:30, or leave --hours out: then it is for any time",
            code="E-HOURS",
        ) from None
    return hours.start, hours.end


def require_minutes(minutes: int) -> int:
    """Return how long a talk is asked for; LocalError for what is too short or too long."""
    if not limits.LISTEN_MINUTES_MIN <= minutes <= limits.LISTEN_MINUTES_MAX:
        raise LocalError(
            phrase(
                "a talk with a listener is asked for {least} to {most} minutes",
                least=limits.LISTEN_MINUTES_MIN,
                most=limits.LISTEN_MINUTES_MAX,
            ),
            do="write a number between them; 30 minutes are usual",
            code="E-USAGE",
        )
    return minutes


def check_offer(subject: bytes, value: Record) -> None:
    """RemoteError unless this is what an honest program offers, or takes back."""
    check_nothing(subject, value)
    assert isinstance(value, ListenerValue)
    for topic in value.topics:
        check_text(topic, limits.TOPIC_BYTES_MAX)
    if len(set(value.topics)) != len(value.topics) or (not value.holds and value != NO_OFFER):
        raise RemoteError(Fault.MALFORMED, "an offer to listen that no honest program makes")


def check_nothing(subject: bytes, value: Record) -> None:
    """RemoteError unless a statement is about nothing but its author."""
    del value
    if subject:
        raise RemoteError(Fault.MALFORMED, "a statement about something that it cannot be about")


OFFERS: Final = Rules(
    form=Form.LISTENER,
    value=ListenerValue,
    check=check_offer,
    deed="offer to listen",
    least=Rank.MEMBER,
    only_in=True,
    newest=1,
    standing=True,
    fades=False,
    speaks=True,
    lingers=True,
)
ENDS: Final = Rules(
    form=Form.TALK_END,
    value=TalkEndValue,
    check=check_nothing,
    deed="end a talk",
    least=Rank.MEMBER,
    only_in=True,
    newest=1,
    standing=True,
    fades=False,
)
