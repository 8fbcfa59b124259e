"""Lacking: operations that a member is known to have, and that have not come here: a sign of a group in two parts.

A member's node names its newest operations in every state that it tells, and in every message that it signs. What it
names is asked for; mostly it comes within seconds. What does not come for minutes people are to see: somebody may keep
it back, or name what does not exist.
"""

from collections.abc import Sequence
from typing import Final

from mesh.events import Instant
from mesh.ids import DeviceId, OpId
from mesh.peer.state import Room

OVERDUE_MS: Final = 120_000  # by then it has been asked for several times, of everybody who is there; ours
_NAMED_MAX: Final = 4  # operations of a device that are waited for at once; the rest come with them


def note_heads(room: Room, dev: DeviceId, heads: Sequence[OpId], now: Instant) -> None:
    """Note what a device says that it has; since when it is waited for, if it is not here."""
    log = room.group.log
    unknown = tuple(head for head in heads if head not in log)[:_NAMED_MAX]
    named, _ = room.lacking.get(dev, ((), 0))
    if not unknown:
        room.lacking.pop(dev, None)
    elif all(head in log for head in named):
        room.lacking[dev] = unknown, now.mono_ms


def overdue(room: Room, now: Instant) -> list[DeviceId]:
    """Return the current devices that have operations which have not come here for long."""
    log, devices = room.group.log, room.group.view.devices
    return [
        dev
        for dev, (named, since_ms) in room.lacking.items()
        if dev in devices and now.mono_ms - since_ms >= OVERDUE_MS and any(head not in log for head in named)
    ]
