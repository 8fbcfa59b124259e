"""Forgetting: which keys have done their work and go for good (protocol.md §3 and §5).

A key that is here opens what was recorded: so those go that nobody needs any more. Of an epoch, the keys that open what
was said under it go when a complete successor is *causally stable* (each device that is in has since signed something
that builds on it) or has been here for the window. Where a device says that it cannot open an epoch, only the window
counts: it may still find the key with others. What is kept opens no content and finds those who come back. Of our own
KEM keys, each goes when its successor is causally stable, or when the window has passed since it was replaced.
"""

from typing import Final

from mesh.events import Space
from mesh.groups.group import Group, Means
from mesh.ids import OpId
from mesh.wire.operations import epoch_block

DAY_MS: Final = 86_400_000
WINDOW_DAYS: Final = 14  # unless the person chose otherwise (protocol.md §3)
WINDOW_DAYS_MIN, WINDOW_DAYS_MAX = 3, 30
RETIRED_DAYS: Final = 180  # so long a retired epoch is still a place to meet at
EPOCHS_KEPT: Final = 64  # and only so many, the newest (protocol.md §5)
KEY_WINDOW: Final = "key-window"  # our own setting: the window, in days


def window_ms(group: Group) -> int:
    """Return how long a key may open what was recorded after it was replaced, at most."""
    chosen = group.own.settings_map().get(KEY_WINDOW, str(WINDOW_DAYS))
    days = int(chosen) if chosen.isdecimal() and len(chosen) <= 2 else WINDOW_DAYS
    return min(max(days, WINDOW_DAYS_MIN), WINDOW_DAYS_MAX) * DAY_MS


def forget_keys(group: Group, means: Means, *, gaps: bool) -> None:
    """Delete the keys whose work is done; we are in. With `gaps`, messages are missing that old keys would open."""
    _retire_epochs(group, means, gaps=gaps)
    _drop_retired(group, means)
    _drop_kems(group, means)


def is_stable(group: Group, op_id: OpId) -> bool:
    """Say whether each device that is in has signed something that builds on an operation; we have seen all here."""
    others = (dev for dev in group.view.devices if dev != group.own.dev)
    return all(group.seen_by.get(dev, 0) & group.log.bit(op_id) for dev in others)


def _retire_epochs(group: Group, means: Means, *, gaps: bool) -> None:
    log, epoch, stable, aged = group.log, group.epoch, 0, 0
    if epoch is not None and group.epoch_is_complete and not gaps and is_stable(group, epoch):
        stable = log.past(epoch)
    for record in group.epochs.values():
        if log.bit(record.op_id) & group.view.valid and means.wall_ms - record.since_ms > window_ms(group):
            aged |= log.past(record.op_id)
    for record in list(group.epochs.values()):
        bit = log.bit(record.op_id)
        over = bool(stable & bit) and record.op_id not in group.stranded
        if not record.is_retired and (over or aged & bit):
            group.retire_epoch(record.op_id, means.journal)
            if over:  # nobody can need them any more
                means.journal.delete(Space.WRAPS, group.gid + record.op_id)


def _drop_retired(group: Group, means: Means) -> None:
    for place, record in enumerate(group.newest_epochs()):
        old = means.wall_ms - record.since_ms > RETIRED_DAYS * DAY_MS
        if record.is_retired and (old or place >= EPOCHS_KEPT):
            group.drop_epoch(record.op_id, means.journal)


def _drop_kems(group: Group, means: Means) -> None:
    published = published_kems(group)
    for number, record in list(group.kems.items()):
        if not record.replaced_ms:
            continue
        seen = any(later > number and is_stable(group, op_id) for later, op_id in published.items())
        if seen or means.wall_ms - record.replaced_ms > window_ms(group):
            group.drop_kem(number, means.journal)


def published_kems(group: Group) -> dict[int, OpId]:
    """Return our operations by the number of the KEM key that each made known."""
    own = group.log.within(group.log.graph.written_by(group.own.dev, group.log.everything))
    return {block.kem_number: op.op_id for op in own if (block := epoch_block(op.body)) is not None}
