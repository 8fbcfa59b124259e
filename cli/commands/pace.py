"""`pause`, `resume`, `quiet`, `digest`: take part at one's own pace. Kept on this device; nobody is told."""

from datetime import datetime
from typing import Annotated, Final, Literal

from cyclopts import Parameter

from cli import fields, words
from cli.context import Context
from cli.moments import moment
from cli.options import Here, WordOrNone
from cli.pace import wishes_lines
from cli.render import delivery_line, shown_id
from mesh.errors import Exit
from mesh.node.local.protocol import JsonObject

MONTHS: Final = {
    1: words.to_tell("January"),
    2: words.to_tell("February"),
    3: words.to_tell("March"),
    4: words.to_tell("April"),
    5: words.to_tell("May"),
    6: words.to_tell("June"),
    7: words.to_tell("July"),
    8: words.to_tell("August"),
    9: words.to_tell("September"),
    10: words.to_tell("October"),
    11: words.to_tell("November"),
    12: words.to_tell("December"),
}


def pause(
    *,
    until: Annotated[WordOrNone, Parameter(metavar="T")] = None,
    tell: Annotated[WordOrNone, Parameter(metavar="GROUP")] = None,
    context: Here,
) -> int:
    """Step back for a while. Nothing is lost, and nobody is told unless you want to.

    Your node goes on as before: it keeps what comes and passes it on. `mesh up`, `mesh read --follow` and programs that
    listen are told nothing of it until the pause ends, and then once how much is unread. `mesh read` shows all of it
    whenever you look. What becomes of your own messages is told all the same. Another device of yours has a pace of its
    own. For example:

    mesh pause
    mesh pause --until 3d
    mesh pause --until 2026-12-01 --tell "Tuesday grief"

    Parameters
    ----------
    until
        When it ends: after a time (3d), on a day (2026-12-01) or at a moment (2026-12-01T18:00). Left out: when you say
        `mesh resume`.
    tell
        Also post into this group that you are stepping back, with the day, and without a reason.
    """
    ends = None if until is None else moment(until)
    told = context.call("own.pace", {"paused": True, "until": ends})
    posted: JsonObject = {}
    if tell is not None:
        posted = context.call("post", {"group": tell, "text": _stepping_back(ends), "cw": "", "topics": []})
    lines = wishes_lines(fields.record(told, "pace"))
    if message := fields.record(posted, "message"):
        lines.append(f"{delivery_line(message)} · {shown_id(fields.text(message, 'id'))}")
    context.out.result({**told, **posted}, lines)
    return Exit.QUEUED if fields.text(fields.record(posted, "message"), "state") == "queued" else Exit.OK


def resume(*, context: Here) -> None:
    """End a pause. What came meanwhile is there: `mesh read GROUP --unread`. For example: mesh resume."""
    _set(context, {"paused": False})


def quiet(hours: str | None = None, /, *, context: Here) -> None:
    """Set hours in which you are told of nothing, each day, by this machine's clock. Without HOURS it shows them.

    As in a pause, nothing is lost. Another device of yours has hours of its own. For example:

    mesh quiet 22:00-07:30
    mesh quiet off

    Parameters
    ----------
    hours
        From when to when, or off.
    """
    _set(context, {"quiet": hours})


def digest(
    how: Literal["daily", "off"] | None = None, /, *, cap: Annotated[int, Parameter(metavar="N")] = 0, context: Here
) -> None:
    """Be told of messages once a day, after midnight, and not one by one. Without an argument it shows what holds.

    Who knocks, or asks to talk with you, is told as it comes. Another device of yours has a pace of its own. For
    example:

    mesh digest daily
    mesh digest daily --cap 10
    mesh digest off

    Parameters
    ----------
    how
        Once a day, or off.
    cap
        So many messages of each day are told of as they come; the rest waits.
    """
    _set(context, {} if how is None else {"digest": how, "cap": cap})


def _set(context: Context, asked: JsonObject) -> None:
    told = context.call("own.pace", asked)
    context.out.result(told, wishes_lines(fields.record(told, "pace")))


def _stepping_back(ends: str | None) -> str:
    """Give what is posted for somebody who pauses: in their own language, as their own words are."""
    if ends is None:
        return words.tell("I am stepping back.")
    return words.tell("I am stepping back until {day}.", day=_day(ends))


def _day(iso: str) -> str:
    """Say when a pause ends to those who read it elsewhere and later: whole, and with the zone where a time is said."""
    at = datetime.fromisoformat(iso)
    day = words.tell("{day} {month} {year}", day=at.day, month=words.tell(MONTHS[at.month]), year=at.year)
    if (at.hour, at.minute) == (0, 0):
        return day
    return words.tell("{day}, {time} (UTC{offset})", day=day, time=f"{at:%H:%M}", offset=f"{at:%z}")
