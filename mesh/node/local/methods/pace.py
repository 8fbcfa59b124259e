"""`pause`, `quiet`, `digest`: when one wants to be told, kept here and told to nobody."""

from datetime import UTC, datetime
from typing import Final, TypeVar

from mesh.commands import KeepOwn
from mesh.errors import LocalError
from mesh.events import Space
from mesh.groups.records import load
from mesh.node.local.methods import given
from mesh.node.local.methods.desk import Desk
from mesh.node.local.methods.shown import iso
from mesh.node.local.protocol import JsonObject
from mesh.phrases import phrase
from mesh.store.base import Store
from mesh.support.own import EVERYWHERE
from mesh.support.pace import CAP_MAX, DigestRecord, Pace, PauseRecord, QuietRecord, Wishes, quiet_text, read_quiet
from mesh.wire.codec import Record, encode

T = TypeVar("T", bound=Record)
DAY_MS: Final = 86_400_000
PAUSE_DAYS_MAX: Final = 3660  # ten years; longer is until one says otherwise
OFF: Final = "off"


def pace_of(store: Store) -> Pace:
    """Return what holds."""
    return Pace(
        pause=_row(store, Wishes.PAUSE, PauseRecord),
        quiet=_row(store, Wishes.QUIET, QuietRecord),
        digest=_row(store, Wishes.DIGEST, DigestRecord),
    )


def _row(store: Store, wish: Wishes, kind: type[T]) -> T | None:
    value = store.get(Space.OWN, EVERYWHERE + wish.value)
    return None if value is None else load(kind, value)


def local_time(wall_ms: int) -> datetime:
    """Return a moment as the clock on this machine's wall has it."""
    return datetime.fromtimestamp(wall_ms / 1000, UTC).astimezone()


def is_silent(pace: Pace, wall_ms: int) -> bool:
    """Say whether nothing is told unasked at this moment."""
    here = local_time(wall_ms)
    return pace.is_silent(wall_ms, 60 * here.hour + here.minute)


def pace_json(desk: Desk) -> JsonObject:
    """Say what holds, and whether it is silent now."""
    pace, wall_ms = pace_of(desk.store), desk.now().wall_ms
    paused = pace.is_paused(wall_ms)
    until_ms = pace.pause.until_ms if pace.pause is not None and paused else 0
    return {
        "paused": paused,
        "until": iso(until_ms) if until_ms else None,
        "quiet": None if pace.quiet is None else quiet_text(pace.quiet),
        "digest": OFF if pace.digest is None else "daily",
        "cap": None if pace.digest is None else pace.digest.cap,
        "silent": is_silent(pace, wall_ms),
    }


async def set_pace(desk: Desk, params: JsonObject) -> JsonObject:
    """Change what of it is named, and show it all."""
    changes: list[tuple[Wishes, Record | None]] = []
    if params.get("paused") is not None:
        until = given.maybe_text(params, "until")
        paused = given.flag(params, "paused")
        pause = PauseRecord(until_ms=0 if until is None else read_until(until, desk.now().wall_ms))
        changes.append((Wishes.PAUSE, pause if paused else None))
    if (quiet := given.maybe_text(params, "quiet")) is not None:
        changes.append((Wishes.QUIET, None if quiet == OFF else read_quiet(quiet)))
    if (digest := given.maybe_text(params, "digest")) is not None:
        changes.append((Wishes.DIGEST, _digest(digest, given.number(params, "cap", 0))))
    if changes:
        rows = ((EVERYWHERE + wish.value, None if record is None else encode(record)) for wish, record in changes)
        await desk.ask(KeepOwn(changes=tuple(rows)))
    return {"pace": pace_json(desk)}


def _digest(said: str, cap: int) -> DigestRecord | None:
    if said not in ("daily", OFF) or not 0 <= cap <= CAP_MAX:
        raise LocalError(
            "a digest is “daily” or “off”, beside 0 to 1,000 messages a day that are told of as they come",
            do="write daily, with --cap if you like, or off",
            code="E-PACE",
        )
    return DigestRecord(cap=cap) if said == "daily" else None


def read_until(said: str, wall_ms: int, days_max: int = PAUSE_DAYS_MAX) -> int:
    """Read when something ends; LocalError for what is no time, is over, or lies too far ahead."""
    try:
        at = datetime.fromisoformat(said)
        until_ms = round((at if at.tzinfo else at.replace(tzinfo=local_time(wall_ms).tzinfo)).timestamp() * 1000)
    except (ValueError, OverflowError):
        until_ms = 0
    if not wall_ms < until_ms <= wall_ms + days_max * DAY_MS:
        raise LocalError(
            phrase("that cannot end at “{typed}”", typed=said[:40]),
            why=phrase(
                "it is no time that is known here, it is over, or it lies more than {days_max} days ahead",
                days_max=days_max,
            ),
            do="write 3d, 2026-12-01 or 2026-12-01T18:00, or leave --until out",
            code="E-PACE",
        )
    return until_ms
