"""What the local Api tells of meetings: the same moment for everybody, whoever set it, and a reminder for oneself."""

from datetime import UTC, datetime

import pytest

from mesh.commands import Rank
from mesh.errors import LocalError, RefusedError
from mesh.node.local.methods.meetings import next_of
from mesh.node.local.protocol import JsonObject, JsonValue
from mesh.wire.codec import encode
from mesh.wire.messages import StatementBody
from mesh.wire.statements import Form, MeetingValue
from simulations.people import Person
from simulations.world import START_WALL_MS
from tests.node.local.test_flags import four
from tests.node.local.test_messages import GROUP, call
from tests.node.local.test_methods import WorldDesk
from tests.peer.forgery import Forger
from tests.peer.test_stating import HOUR_MS, states


def set_to(desk: WorldDesk, **more: JsonValue) -> JsonObject:
    """Say when the group meets."""
    when: JsonObject = {"day": "tue", "time": "19:00", "zone": "UTC", "note": "Tea first."}
    return call(desk, "meeting.set", **{"group": GROUP, "wait_s": 5.0, **when, **more})


def meeting(desk: WorldDesk) -> JsonObject:
    """What `meeting show` tells, and the same in `read` and `group show`."""
    shown = call(desk, "meeting.show", group=GROUP)["meeting"]
    group = call(desk, "group.show", group=GROUP)["group"]
    assert isinstance(group, dict)
    assert group["meeting"] == shown == call(desk, "read", group=GROUP, limit=5, unread=False)["meeting"]
    return shown if isinstance(shown, dict) else {}


def at(*when: int) -> int:
    """A moment in UTC, in ms."""
    return int(datetime(*when, tzinfo=UTC).timestamp() * 1000)  # type: ignore[misc, arg-type] # year, month, day, …


def test_a_meeting_is_set_for_all_and_newcomers_hear_of_it() -> None:
    world, gid, people, desks, _ = four(3)
    told = set_to(desks[0])
    assert told["told"] is True
    world.run(5)
    alder = Person(world, "alder")
    alder.join(gid, people[0].invite(gid))
    world.run(30)
    for desk in (*desks, WorldDesk(world, "alder")):
        shown = meeting(desk)
        assert (shown["day"], shown["time"], shown["zone"], shown["note"]) == ("tue", "19:00", "UTC", "Tea first.")
        by = shown["by"]
        assert isinstance(by, dict)
        assert by["alias"] == "wren"
        begins = datetime.fromisoformat(str(shown["next"]))
        assert (begins.weekday(), begins.hour) == (1, 19)
    call(desks[0], "meeting.set", group=GROUP, none=True, wait_s=5.0)
    world.run(5)
    assert [meeting(desk) for desk in desks] == [{}] * 4


def test_members_do_not_set_it_whatever_a_changed_program_says() -> None:
    world, gid, people, desks, _ = four(4)
    people[0].rank(gid, people[1], Rank.MODERATOR)
    world.run(10)
    with pytest.raises(RefusedError):
        set_to(desks[3])
    set_to(desks[1], time="18:30")
    world.run(5)
    value = encode(MeetingValue(day="sun", minute=0, zone="UTC", note="mine"))
    body = encode(StatementBody(form=Form.MEETING, subject=b"", lasts_s=0, value=value))
    states(Forger(people[3], gid), people[:3], body)
    world.run(5)
    assert [meeting(desk)["time"] for desk in desks[:3]] == ["18:30"] * 3


def test_one_date_is_over_when_it_is_over() -> None:
    world, _, _, desks, _ = four(5)
    now = datetime.fromtimestamp(START_WALL_MS / 1000, UTC)
    with pytest.raises(LocalError) as past:
        set_to(desks[0], day="2020-01-01")
    assert past.value.code == "E-MEETING"
    with pytest.raises(LocalError):
        set_to(desks[0], zone="Nowhere/Land")
    set_to(desks[0], day=now.date().isoformat(), time="23:59")
    world.run(5)
    assert meeting(desks[2])["day"] == now.date().isoformat()
    for node in world.nodes.values():
        node.skew_ms += 48 * HOUR_MS
    world.run(60)
    assert [meeting(desk) for desk in desks] == [{}] * 4


def test_a_reminder_is_ones_own() -> None:
    world, _, _, desks, _ = four(6)
    wren, juniper, *_ = desks
    begins = datetime.fromtimestamp((world.instant(wren.node).wall_ms + 2 * HOUR_MS) / 1000, UTC)
    set_to(wren, day=begins.date().isoformat(), time=f"{begins:%H:%M}")
    world.run(5)
    assert call(juniper, "meeting.remind", group=GROUP, before_s=3600)["remind_s"] == 3600
    assert meeting(juniper)["soon"] is False
    for node in world.nodes.values():
        node.skew_ms += HOUR_MS + 60_000
    assert meeting(juniper)["soon"] is True
    assert meeting(wren)["soon"] is False
    said = [str(problem["what"]) for problem in juniper.list("status", "problems")]
    assert any("meets in 5" in what for what in said), said
    assert not any("meets in" in str(problem["what"]) for problem in wren.list("status", "problems"))
    call(juniper, "meeting.remind", group=GROUP, before_s=0)
    assert meeting(juniper)["soon"] is False
    with pytest.raises(LocalError):
        call(juniper, "meeting.remind", group=GROUP, before_s=3 * 86_400)


@pytest.mark.parametrize(
    ("value", "now", "begins"),
    [
        (("tue", 19 * 60, "Europe/London"), at(2026, 7, 14, 12), at(2026, 7, 14, 18)),
        (("tue", 19 * 60, "Europe/London"), at(2026, 12, 1, 12), at(2026, 12, 1, 19)),
        (("tue", 19 * 60, "UTC"), at(2026, 12, 1, 21), at(2026, 12, 1, 19)),
        (("tue", 19 * 60, "UTC"), at(2026, 12, 1, 22), at(2026, 12, 8, 19)),
        (("tue", 23 * 60, "UTC"), at(2026, 12, 2, 1), at(2026, 12, 1, 23)),
        (("2026-12-01", 0, "UTC"), at(2026, 12, 1, 4), None),
        (("9999-12-31", 1439, "Etc/GMT+12"), at(2026, 12, 1), None),
        (("0001-01-01", 0, "Etc/GMT-14"), at(2026, 12, 1), None),
        (("tue", 0, "No/Such"), at(2026, 12, 1), None),
    ],
)
def test_it_is_the_same_moment_for_everybody(value: tuple[str, int, str], now: int, begins: int | None) -> None:
    day, minute, zone = value
    found = next_of(MeetingValue(day=day, minute=minute, zone=zone, note=""), now)
    assert (None if found is None else int(found.timestamp() * 1000)) == begins
