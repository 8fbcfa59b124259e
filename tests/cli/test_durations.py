"""Spans of time: each has its unit, and none is guessed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.durations import SECONDS_MAX, DurationWrong, format_duration, parse_duration, spoken_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("15m", 900), ("3h", 10_800), ("7d", 604_800), ("0", 0), ("0s", 0), (" 3H ", 10_800)],
)
def test_a_number_and_a_unit_are_read(text: str, seconds: int) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "3", "h", "-1s", "1.5h", "1h30m", "3w", "3 h", "٣h", "99999999999d", "1e3s", "9" * 5000 + "s"]
)
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(DurationWrong) as refused:
        parse_duration(text)
    assert "15m" in refused.value.do


@given(st.integers(0, SECONDS_MAX))
def test_what_is_written_is_read_back(seconds: int) -> None:
    assert parse_duration(format_duration(seconds)) == seconds


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "no time"), (1, "1 second"), (90, "90 seconds"), (3600, "1 hour"), (259_200, "3 days")],
)
def test_it_is_said_in_the_largest_unit_that_fits(seconds: int, said: str) -> None:
    assert spoken_duration(seconds) == said
