"""Meetings: a day, a time and a zone, as a person types them and as a peer may send them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from mesh.errors import LocalError, RemoteError
from mesh.support import meetings
from mesh.wire.statements import MeetingValue
from tests.support.test_statements import word

TUESDAYS = MeetingValue(day="tue", minute=19 * 60, zone="Europe/London", note="")


@pytest.mark.parametrize("day", ["tue", "Tue", "Tuesday", " TUE "])
def test_a_day_of_the_week_is_said_in_several_ways(day: str) -> None:
    assert meetings.compose(day=day, time="19:00", zone="Europe/London", note="") == TUESDAYS


def test_one_date_is_said_as_in_a_calendar() -> None:
    said = meetings.compose(day="2028-02-29", time="7:05", zone="UTC", note="At wren's.\nTea first.")
    assert (said.day, said.minute, said.note) == ("2028-02-29", 425, "At wren's.\nTea first.")
    meetings.check(b"", said)


@pytest.mark.parametrize(
    "changes",
    [
        {"day": "someday"},
        {"day": "2027-02-29"},
        {"day": ""},
        {"time": "25:00"},
        {"time": "19"},
        {"time": "19:60"},
        {"zone": "../../etc/passwd"},
        {"zone": ""},
        {"zone": "Europe/London\n"},
        {"note": "x" * 1025},
        {"note": "\x1b[2J"},
    ],
)
def test_what_is_no_time_is_said(changes: dict[str, str]) -> None:
    typed = {"day": "tue", "time": "19:00", "zone": "Europe/London", "note": ""} | changes
    with pytest.raises(LocalError):
        meetings.compose(**typed)


@pytest.mark.parametrize(
    "changes",
    [
        {"day": "2027-02-29"},
        {"day": "TUE"},
        {"day": "2027-1-1"},
        {"zone": "/etc/passwd"},
        {"zone": "a/../b"},
        {"note": "\u202e"},
        {"note": "é" * 1000},
    ],
)
def test_what_no_honest_program_says_is_refused(changes: dict[str, str]) -> None:
    with pytest.raises(RemoteError):
        meetings.check(b"", replace(TUESDAYS, **changes))
    with pytest.raises(RemoteError):
        meetings.check(b"subject", TUESDAYS)


@given(st.permutations(range(6)))
def test_the_last_word_holds_in_whatever_order_they_came(order: list[int]) -> None:
    values = [replace(TUESDAYS, minute=k) for k in range(6)]
    said = [word(k, values[k], ts_ms=k // 2) for k in order]
    last = meetings.fold(said)
    assert last is not None
    assert last.value == values[5]
    assert meetings.fold([*said, word(9, meetings.NONE, ts_ms=9)]) is None
    assert meetings.fold([]) is None
