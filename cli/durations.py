"""Spans of time as people type and read them: `90s 15m 3h 7d`, each with its unit, so none is guessed."""

import re
from typing import Final

from mesh.errors import LocalError

UNITS_S: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
SECONDS_MAX: Final = 100 * 366 * 86_400  # our guess: nobody means more than a century
_NAMES: Final = ((86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))


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
            f"“{text[:40]}” is no span of time.",
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
    for size, name in _NAMES:
        if seconds and seconds % size == 0:
            count = seconds // size
            return f"{count} {name}{'' if count == 1 else 's'}"
    return "no time"
