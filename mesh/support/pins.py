"""Pins: moderators and more senior put a few messages first, for everybody.

Whoever may pin may take any pin down. A pin names a post and holds nothing of it: who cannot read the post, because it
was said before they came or has run out, sees only that there is one.
"""

from collections.abc import Iterable
from typing import Final

from mesh.commands import Rank
from mesh.support.flags import check_post
from mesh.support.statements import Rules, Said, later, newest
from mesh.wire.statements import Form, PinValue

SHOWN_MAX: Final = 8  # pins, the newest; ours: more would be no "first"


def fold(said: Iterable[Said]) -> list[Said]:
    """Return the pins that hold, the newest first: the last word on each post, whoever said it."""
    last = newest(said, lambda word: word.subject)
    up = [word for word in last.values() if isinstance(word.value, PinValue) and word.value.holds]
    return sorted(up, key=later, reverse=True)[:SHOWN_MAX]


RULES: Final = Rules(
    form=Form.PIN,
    value=PinValue,
    check=check_post,
    deed="pin a message, or take a pin down",
    least=Rank.MODERATOR,
    only_in=False,
    newest=64,
    standing=True,
    fades=True,
)
