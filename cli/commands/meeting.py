"""`meeting`: when a group meets, and being reminded of it."""

from typing import Annotated

from cyclopts import App, Parameter

from cli import fields
from cli.durations import spoken_duration
from cli.options import Flag, Here, Seconds
from cli.output import one_line
from cli.render import indented, when
from cli.told import told_code
from cli.words import tell, to_tell
from mesh.errors import LocalError
from mesh.node.local.protocol import JsonObject

HOUR_S = 3600
DAYS = {
    "mon": to_tell("Mondays"),
    "tue": to_tell("Tuesdays"),
    "wed": to_tell("Wednesdays"),
    "thu": to_tell("Thursdays"),
    "fri": to_tell("Fridays"),
    "sat": to_tell("Saturdays"),
    "sun": to_tell("Sundays"),
}

app = App(name="meeting", help="When a group meets: set, show, remind.")


@app.command(name="set")
def set_(
    group: str,
    /,
    *,
    day: Annotated[str | None, Parameter(metavar="DAY")] = None,
    time: Annotated[str | None, Parameter(metavar="HH:MM")] = None,
    zone: Annotated[str | None, Parameter(metavar="ZONE")] = None,
    note: str = "",
    none: Flag = False,
    wait: Seconds = 2,
    context: Here,
) -> int:
    """Say when a group meets, for all its members; for moderators and up. The last word holds.

    Of two who set it at the same time the later word holds, by their clocks. It stays when the group's `keep` has
    passed, until it is set anew.

    For example:

    mesh meeting set grief --day tue --time 19:00 --zone Europe/London

    Parameters
    ----------
    group
        The group's name, or the beginning of its id.
    day
        A day of the week, like tue, or one date, like 2026-12-01.
    time
        When it begins, like 19:00.
    zone
        The time zone that this is meant in, like Europe/London or UTC.
    note
        What else there is to know: where, how long, what to bring.
    none
        There is no meeting, or not any more.
    wait
        How long to wait until somebody is told.
    """
    if not none and not (day and time and zone):
        raise LocalError(
            "A meeting needs a day, a time and a zone.",
            do="Give --day, --time and --zone; or --none for no meeting.",
            code="E-USAGE",
        )
    asked: JsonObject = {"group": group, "day": day, "time": time, "zone": zone, "note": note, "none": none}
    told = context.call("meeting.set", {**{k: v for k, v in asked.items() if v is not None}, "wait_s": wait})
    context.out.result(told, meeting_lines(told))
    return told_code(context, told)


@app.command
def show(group: str, /, *, context: Here) -> None:
    """Show when a group meets, in its own time zone and in yours.

    Parameters
    ----------
    group
        The group's name, or the beginning of its id.
    """
    told = context.call("meeting.show", {"group": group})
    context.out.result(told, meeting_lines(told))


@app.command
def remind(group: str, /, *, before: Seconds = HOUR_S, off: Flag = False, context: Here) -> None:
    """Have `mesh read` and `mesh status` say so shortly before a meeting. Nobody else is told, and nothing rings.

    Parameters
    ----------
    group
        The group's name, or the beginning of its id.
    before
        How long before it begins, up to a day.
    off
        No longer.
    """
    told = context.call("meeting.remind", {"group": group, "before_s": 0 if off else before})
    ahead = fields.number(told, "remind_s")
    reminded = tell("You are reminded from {time} before.", time=spoken_duration(ahead))
    context.out.result(told, [*meeting_lines(told), reminded if ahead else tell("You are not reminded.")])


def meeting_lines(told: JsonObject) -> list[str]:
    """Say when a group meets, with what was said beside it."""
    meeting = fields.record(told, "meeting")
    if not meeting:
        return [tell("This group has no meeting.")]
    note = fields.text(meeting, "note")
    return [meeting_line(meeting), *(indented(note) if note else [])]


def meeting_line(meeting: JsonObject) -> str:
    """Say when a group meets in one line; nothing where it has no meeting."""
    if not meeting:
        return ""
    day = one_line(fields.text(meeting, "day"))
    at = tell(
        "{day} at {time} ({zone})",
        day=tell(DAYS[day]) if day in DAYS else day,
        time=one_line(fields.text(meeting, "time")),
        zone=one_line(fields.text(meeting, "zone")),
    )
    begins = fields.text(meeting, "next")
    next_ = (
        tell("next for you: {time}", time=when(begins)) if begins else tell("this machine does not know that time zone")
    )
    return f"{at}; {next_} · {tell('set by {name}', name=one_line(fields.person(fields.record(meeting, 'by'))))}"
