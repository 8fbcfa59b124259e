"""`meeting …`: when the group meets, when that is next, and whether one wants to be reminded."""

from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from mesh.commands import MakeStatement, SetSetting
from mesh.errors import LocalError
from mesh.node.local.methods import given
from mesh.node.local.methods.desk import Desk
from mesh.node.local.methods.names import group_named
from mesh.node.local.methods.shown import iso, person
from mesh.node.local.protocol import JsonObject, phrased
from mesh.peer.settings import MEETING_REMIND
from mesh.peer.state import Room
from mesh.peer.statements import counting
from mesh.peer.stating import is_told, require_may
from mesh.phrases import phrase
from mesh.support import meetings
from mesh.wire.codec import encode
from mesh.wire.statements import Form, MeetingValue

LASTS: Final = timedelta(hours=3)  # so long after its beginning it is still shown, and not the next one; ours
_WEEK: Final = 7


async def set_meeting(desk: Desk, params: JsonObject) -> JsonObject:
    """Say when the group meets, or that it does not; `told`: somebody has been told."""
    room = group_named(desk.state, given.text(params, "group"))
    require_may(room, meetings.RULES)
    lasts_s = 0
    if given.flag(params, "none"):
        value = meetings.NONE
    else:
        value = meetings.compose(
            day=given.text(params, "day"),
            time=given.text(params, "time"),
            zone=given.text(params, "zone"),
            note=given.text(params, "note", ""),
        )
        at = next_of(value, desk.now().wall_ms)
        if at is None:
            raise LocalError(
                "that time has passed, or its zone is not known here",
                do="name a day that comes, and a zone like Europe/London or UTC",
                code="E-MEETING",
            )
        if meetings.is_date(value.day):
            end = at + LASTS - datetime.fromtimestamp(desk.now().wall_ms / 1000, UTC)
            lasts_s = max(1, int(end.total_seconds()))
    await desk.ask(
        MakeStatement(group=room.group.gid, form=Form.MEETING, subject=b"", value=encode(value), lasts_s=lasts_s)
    )
    told = await desk.until(lambda: is_told(room, Form.MEETING, b""), given.seconds(params, "wait_s", 2.0))
    return {"group": _group(room), "meeting": meeting_json(desk, room), "told": told}


async def show(desk: Desk, params: JsonObject) -> JsonObject:
    """Show when the group meets."""
    room = group_named(desk.state, given.text(params, "group"))
    return {"group": _group(room), "meeting": meeting_json(desk, room)}


async def remind(desk: Desk, params: JsonObject) -> JsonObject:
    """Have `status` say so this long before the meeting, on this device; 0: no longer. Nobody else is told."""
    room = group_named(desk.state, given.text(params, "group"))
    minutes = given.number(params, "before_s", 0) // 60
    await desk.ask(SetSetting(group=room.group.gid, key=MEETING_REMIND, value=str(minutes), own=True))
    return {"group": _group(room), "meeting": meeting_json(desk, room), "remind_s": minutes * 60}


def _group(room: Room) -> JsonObject:
    return {"id": room.group.gid.hex(), "name": room.group.founding.name}


def meeting_json(desk: Desk, room: Room) -> JsonObject | None:
    """Describe when a group meets, and whether one is to be reminded now; None where it has no meeting."""
    now_ms = desk.now().wall_ms
    word = meetings.fold(counting(room, Form.MEETING, now_ms))
    if word is None or not isinstance(word.value, MeetingValue):
        return None
    value, at = word.value, next_of(word.value, now_ms)
    if at is None and meetings.is_date(value.day):
        return None  # it is over
    remind_s = int(room.group.own.settings_map().get(MEETING_REMIND, "0")) * 60
    begins_ms = None if at is None else int(at.timestamp() * 1000)
    return {
        "day": value.day,
        "time": f"{value.minute // 60:02}:{value.minute % 60:02}",
        "zone": value.zone,
        "note": value.note,
        "next": None if begins_ms is None else iso(begins_ms),
        "by": person(room, word.member),
        "remind_s": remind_s or None,
        "soon": bool(remind_s) and begins_ms is not None and begins_ms - now_ms <= remind_s * 1000,
    }


def meeting_reminders(desk: Desk, room: Room) -> list[JsonObject]:
    """Remind of a meeting that begins soon, where the person wanted that."""
    meeting = None if room.group.me is None else meeting_json(desk, room)
    if meeting is None or not meeting["soon"]:
        return []
    begins = datetime.fromisoformat(str(meeting["next"]))
    minutes = int((begins.timestamp() * 1000 - desk.now().wall_ms) // 60_000)
    name = room.group.founding.name
    what = phrase("the group “{group}” has begun its meeting", group=name)
    if minutes > 0:
        what = phrase("the group “{group}” meets in {minutes} minutes", group=name, minutes=minutes)
    return [phrased(what=what, do="`mesh meeting show GROUP` says what was said of it")]


def next_of(value: MeetingValue, wall_ms: int) -> datetime | None:
    """Return when a meeting begins next, or began within `LASTS`; None where it is over, or its zone is not known."""
    try:
        zone = ZoneInfo(value.zone)
        now = datetime.fromtimestamp(wall_ms / 1000, zone)
        if meetings.is_date(value.day):
            days = [date.fromisoformat(value.day)]
        else:
            ahead = (meetings.WEEKDAYS.index(value.day) - now.weekday()) % _WEEK
            days = [now.date() + timedelta(days=ahead + more) for more in (-_WEEK, 0, _WEEK)]
        clock = {"hour": value.minute // 60, "minute": value.minute % 60}
        begins = [datetime(day.year, day.month, day.day, **clock, tzinfo=zone) for day in days]
        return next((at for at in begins if at.astimezone(UTC) + LASTS > now.astimezone(UTC)), None)
    except (OSError, ValueError, OverflowError, KeyError):  # a zone that is not known here is a KeyError
        return None
