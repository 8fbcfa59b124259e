"""Pace: when it is quiet, and what can be asked for."""

import pytest

from mesh.errors import LocalError
from mesh.support.pace import Pace, PauseRecord, quiet_text, read_quiet
from mesh.support.reflections import new_note


def test_a_pause_ends_by_itself_or_when_one_says_so() -> None:
    assert not Pace().is_silent(1000, 0)
    until = Pace(pause=PauseRecord(until_ms=1000))
    assert (until.is_paused(999), until.is_paused(1000)) == (True, False)
    assert Pace(pause=PauseRecord(until_ms=0)).is_paused(2**50)


@pytest.mark.parametrize(
    ("hours", "inside", "outside"),
    [("22:00-07:30", (22 * 60, 0, 449), (450, 1319)), ("13:00-14:00", (780, 839), (0, 779, 840))],
)
def test_quiet_hours_begin_and_end_by_the_minute_and_may_pass_midnight(
    hours: str, inside: tuple[int, ...], outside: tuple[int, ...]
) -> None:
    quiet = Pace(quiet=read_quiet(hours))
    assert [quiet.is_silent(0, minute) for minute in inside] == [True] * len(inside)
    assert [quiet.is_silent(0, minute) for minute in outside] == [False] * len(outside)
    assert quiet_text(read_quiet(hours)) == hours


@pytest.mark.parametrize(
    "nonsense", ["", "22-7", "22:00", "24:00-01:00", "22:60-23:00", "10:00-10:00", "٢٢:٠٠-٠٧:٠٠", "off", "x" * 999]
)
def test_what_is_no_span_of_the_day_is_refused(nonsense: str) -> None:
    with pytest.raises(LocalError) as refused:
        read_quiet(nonsense)
    assert refused.value.code == "E-PACE"


@pytest.mark.parametrize(("text", "about"), [("", "gave"), ("x" * 16_385, ""), ("\x1b[2J", ""), ("fine", "took")])
def test_what_cannot_be_a_note_is_refused(text: str, about: str) -> None:
    with pytest.raises(LocalError):
        new_note(text, about)
