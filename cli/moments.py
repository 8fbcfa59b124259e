"""Moments as people type them: after a time, on a day, at a moment."""

import re
from datetime import datetime, timedelta

from cli.durations import parse_duration
from mesh.errors import LocalError
from mesh.phrases import phrase


def moment(said: str) -> str:
    """Return a moment as ISO 8601 with its zone, from what a person types; LocalError."""
    if re.fullmatch(r"[0-9]+[smhd]", said.strip().lower()):
        return (datetime.now().astimezone() + timedelta(seconds=parse_duration(said))).isoformat()
    try:
        return datetime.fromisoformat(said.strip()).astimezone().isoformat()
    except (ValueError, OverflowError):
        raise LocalError(
            phrase("“{typed}” is no time.", typed=said[:40]),
            do="Write 3d, 2026-12-01 or 2026-12-01T18:00.",
            code="E-PACE",
        ) from None
