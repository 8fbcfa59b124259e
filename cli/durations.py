"""Spans of time as people type and read them: `90s 15m 3h 7d`, each with its unit, so none is guessed."""

import re
from typing import Final

from cli.words import tell, tell_many
from mesh.errors import LocalError
from mesh.phrases import phrase

UNITS_S: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
SECONDS_MAX: Final = 100 * 366 * 86_400  # our guess: nobody means more than a century


class DurationWrong(LocalError):
    """That is no span of time; write a number and s, m, h or d, like 90s, 15m, 3h or 7d."""

    code = "E-DURATION"


def parse_duration(text: str) -> int:
    """Read a span of time as seconds; DurationWrong for anything but `0` or digits and one unit."""
    match = re.fullmatch(r"([0-9]{1,12})([smhd])", text.strip().lower())
    if match is None and text.strip() == "0":
        return 0
    seconds = int(match[1]) * UNITS_S[match[2]] if match else -1
    if not 0 <= seconds <= SECONDS_MAX:
        raise DurationWrong(
            phrase("“{typed}” is no span of time.", typed=text[:40]),
            do="Write a number and s, m, h or d: 90s, 15m, 3h, 7d.",
        )
    return seconds


def format_duration(seconds: int) -> str:
    """Write seconds as `parse_duration` reads them, in the largest unit that fits exactly."""
    for unit, size in sorted(UNITS_S.items(), key=lambda entry: -entry[1]):
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return "0s"


def spoken_duration(seconds: int) -> str:
    """Say seconds in words, in the largest unit that fits exactly: `3 days`, `1 hour`."""
    if not seconds:
        return tell("no time")
    if seconds % 86_400 == 0:
        return tell_many("{count} day", "{count} days", count=seconds // 86_400)
    if seconds % 3600 == 0:
        return tell_many("{count} hour", "{count} hours", count=seconds // 3600)
    if seconds % 60 == 0:
        return tell_many("{count} minute", "{count} minutes", count=seconds // 60)
    return tell_many("{count} second", "{count} seconds", count=seconds)
