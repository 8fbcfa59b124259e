"""Retention: how long a group keeps what is said in it (`keep`), as its setting says.

Hours, as a decimal number; 0, or anything that is none, is for ever. Of concurrent values the least counts
(`mesh.membership.rendering`).
"""

from collections.abc import Mapping
from typing import Final

from mesh.errors import LocalError
from mesh.groups.group import Group
from mesh.membership.rendering import STRICTNESS
from mesh.phrases import phrase
from mesh.wire.limits import KEEP_HOURS_MAX

KEEP: Final = "keep"  # the setting
HOUR_MS: Final = 3_600_000


def keep_ms(group: Group) -> int:
    """Return how long after its place a message is kept, in ms; 0: for ever."""
    return kept_ms(group.view.settings)


def kept_ms(settings: Mapping[str, str]) -> int:
    """Return the same from a group's settings."""
    _, hours = STRICTNESS[KEEP](settings.get(KEEP, "0"))
    return hours * HOUR_MS


def require_keep(value: str) -> None:
    """LocalError for what a person may not set: 0, or 1 to `KEEP_HOURS_MAX` hours, without leading zeros."""
    well_formed = value.isascii() and value.isdecimal() and len(value) <= len(str(KEEP_HOURS_MAX))
    if not well_formed or str(int(value)) != value or int(value) > KEEP_HOURS_MAX:
        raise LocalError(
            phrase("messages cannot be kept for “{value}”", value=value),
            why=phrase("it is a number of hours, from 1 to {most}, or 0 for ever", most=KEEP_HOURS_MAX),
            do="say it as 12h or 30d, or as 0",
            code="E-SETTING",
        )
