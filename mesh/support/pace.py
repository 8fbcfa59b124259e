"""Pace: when one wants to be told of what happens, and how often. Local and silent, as all that is one's own.

Three wishes that stand beside each other: a pause, until a time or until it is ended; quiet hours, each day by the
clock on the wall; a digest, which tells of messages once a day, but for the first few. They hold back what is *told*,
never what comes: whoever looks sees all of it.
"""

import re
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Final

from msgspec import Meta

from mesh.errors import LocalError
from mesh.phrases import phrase
from mesh.wire import shapes
from mesh.wire.codec import Record

MINUTES: Final = 24 * 60
CAP_MAX: Final = 1000  # messages a day that are told of beside a digest; ours
_Minute = Annotated[int, Meta(ge=0, lt=MINUTES)]
_CLOCK: Final = r"([01][0-9]|2[0-3]):([0-5][0-9])"


class Wishes(Enum):
    """What a row of `Space.OWN` about pace says: the byte after the place of the group."""

    PAUSE = b"p"
    QUIET = b"q"
    DIGEST = b"d"


class PauseRecord(Record, frozen=True):
    """One pauses until then; 0: until one says otherwise."""

    until_ms: shapes.Millis


class QuietRecord(Record, frozen=True):
    """Quiet hours, in minutes of the day; they may pass midnight."""

    start: _Minute
    end: _Minute


class DigestRecord(Record, frozen=True):
    """Messages are told of once a day, but for the first `cap`."""

    cap: Annotated[int, Meta(ge=0, le=CAP_MAX)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """What holds now."""

    pause: PauseRecord | None = None
    quiet: QuietRecord | None = None
    digest: DigestRecord | None = None

    def is_paused(self, wall_ms: int) -> bool:
        """Say whether one pauses."""
        return self.pause is not None and (not self.pause.until_ms or wall_ms < self.pause.until_ms)

    def is_silent(self, wall_ms: int, minute: int) -> bool:
        """Say whether nothing is told unasked; `minute` of the day as the person's clock has it."""
        return self.is_paused(wall_ms) or (self.quiet is not None and _within(self.quiet, minute))


def _within(quiet: QuietRecord, minute: int) -> bool:
    if quiet.start <= quiet.end:
        return quiet.start <= minute < quiet.end
    return minute >= quiet.start or minute < quiet.end


def read_quiet(text: str) -> QuietRecord:
    """Read `HH:MM-HH:MM`; LocalError for what is none."""
    match = re.fullmatch(f"{_CLOCK}-{_CLOCK}", text.strip(), re.ASCII)
    hours = (0, 0) if match is None else (60 * int(match[1]) + int(match[2]), 60 * int(match[3]) + int(match[4]))
    if hours[0] == hours[1]:
        raise LocalError(
            phrase("“{typed}” names no quiet hours", typed=text[:40]),
            why="they begin at one time of the day and end at another",
            do="write them like 22:00-07:30, or off",
            code="E-PACE",
        )
    return QuietRecord(start=hours[0], end=hours[1])


def quiet_text(quiet: QuietRecord) -> str:
    """Write quiet hours as they are typed."""
    return "-".join(f"{minute // 60:02}:{minute % 60:02}" for minute in (quiet.start, quiet.end))
