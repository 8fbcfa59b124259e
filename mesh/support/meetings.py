"""The meeting: when a group meets, said once for all by a moderator or more senior.

A day of the week or one date, a time, and the time zone that both are meant in: so that it is the same moment for
everybody, through summer time too. When that is next is worked out by whoever has a clock; here is only what was said.
"""

import re
from collections.abc import Iterable
from datetime import date
from typing import Final

from mesh.commands import Rank
from mesh.errors import Fault, LocalError, RemoteError
from mesh.support.statements import Rules, Said, later
from mesh.wire import limits
from mesh.wire.codec import Record
from mesh.wire.statements import Form, MeetingValue
from mesh.wire.text import check_text, require_text

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_MINUTES: Final = 24 * 60
_ZONE: Final = re.compile(r"[A-Za-z0-9_+-]{1,32}(/[A-Za-z0-9_+-]{1,32}){0,2}")
_TIME: Final = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")


def fold(said: Iterable[Said]) -> Said | None:
    """Return the last word on when the group meets; None where none was said, or that it does not."""
    last = max(said, key=later, default=None)
    return last if last is not None and isinstance(last.value, MeetingValue) and last.value.day else None


def is_date(day: str) -> bool:
    """Say whether this is a date, as 2026-12-01."""
    try:
        return date.fromisoformat(day).isoformat() == day
    except ValueError:
        return False


def compose(*, day: str, time: str, zone: str, note: str) -> MeetingValue:
    """Return when a group meets, from what a person typed. LocalError in words."""
    day, at = day.strip().lower()[:10], _TIME.fullmatch(time.strip())
    if day[:3] in WEEKDAYS:
        day = day[:3]
    elif not is_date(day):
        raise LocalError(
            "that is no day",
            why="a meeting is on a day of the week, or on one date",
            do="say it as tue, or as 2026-12-01",
            code="E-MEETING",
        )
    if at is None:
        raise LocalError("that is no time of day", do="say it as 19:00", code="E-MEETING")
    if not _ZONE.fullmatch(zone):
        raise LocalError("that is no time zone", do="name one, like Europe/London or UTC", code="E-MEETING")
    return MeetingValue(
        day=day,
        minute=int(at[1]) * 60 + int(at[2]),
        zone=zone,
        note=require_text("note", note, limits.MEETING_NOTE_BYTES_MAX, lines=True, empty=True),
    )


NONE: Final = MeetingValue(day="", minute=0, zone="UTC", note="")  # the group has no meeting, or not any more


def check(subject: bytes, value: Record) -> None:
    """RemoteError unless this is what an honest program says of a meeting."""
    assert isinstance(value, MeetingValue)
    check_text(value.note, limits.MEETING_NOTE_BYTES_MAX, lines=True)
    known_day = not value.day or value.day in WEEKDAYS or is_date(value.day)
    if subject or not known_day or not _ZONE.fullmatch(value.zone):
        raise RemoteError(Fault.MALFORMED, "a meeting at no time")


RULES: Final = Rules(
    form=Form.MEETING,
    value=MeetingValue,
    check=check,
    deed="say when the group meets",
    least=Rank.MODERATOR,
    only_in=False,
    newest=1,
    standing=True,
    fades=False,
    speaks=True,
    lingers=True,
)
