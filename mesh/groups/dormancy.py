"""Dormant and stranded: who is given no key of an epoch, and who was listed and has none (protocol.md §3, §5, §9).

A key that was published long ago may have been taken since, and its owner may be gone for good. So a device whose
newest KEM key is old here is listed as dormant in the epochs that we make: it is in, it gets no wrap, and it says so as
soon as it is there. A device that is listed and has no key, dormant or deceived, is *behind*: it knows that the group
went on without it.
"""

from typing import Final

from mesh.groups.epochs import choose_epoch
from mesh.groups.forgetting import DAY_MS
from mesh.groups.group import Group
from mesh.ids import DeviceId, OpId

DORMANT_DAYS: Final = 60  # unless the person chose otherwise (protocol.md §3)
DORMANT_DAYS_MIN, DORMANT_DAYS_MAX = 14, 365  # below, a holiday would do; ours
DORMANT_AFTER: Final = "dormant-after"  # our own setting, in days


def dormant_ms(group: Group) -> int:
    """Return how old a device's newest KEM key may be here before we seal nothing to it any more."""
    chosen = group.own.settings_map().get(DORMANT_AFTER, str(DORMANT_DAYS))
    days = int(chosen) if chosen.isdecimal() and len(chosen) <= 3 else DORMANT_DAYS
    return min(max(days, DORMANT_DAYS_MIN), DORMANT_DAYS_MAX) * DAY_MS


def is_dormant(group: Group, dev: DeviceId, wall_ms: int) -> bool:
    """Say whether others' KEM keys came for so long, and none of this device, which did not prove itself either.

    It is measured against the newest key of all, our own included: one who comes back after months, or whose clock has
    leapt, has missed everybody's alike, and leaves out nobody. A key that came while our clock was ahead is dated later
    than now; it counts as one of now.
    """
    known = group.devices.get(dev)
    if known is None or dev == group.own.dev:
        return False
    newest = min(wall_ms, max(other.kem_ms for other in group.devices.values()))
    return 0 < max(known.kem_ms, group.proved_ms.get(dev, 0)) < newest - dormant_ms(group)


def missing_epoch(group: Group) -> OpId | None:
    """Return the epoch that we would send under, were its key here; None where what we hold is what there is.

    It lists us, as a recipient or as dormant, and follows all that we hold or would be preferred to it.
    """
    log, own = group.log.graph, group.own.dev
    covered = 0
    for op_id in group.epochs:
        entry = log.entry(op_id)
        if entry is not None and entry.bit & group.view.valid:
            covered |= entry.closure
    lacking = [
        act.op_id
        for entry in log.entries(group.view.valid & ~covered)
        if (act := entry.act).recipients is not None
        and (own in act.recipients or own in act.dormant)
        and group.lacks_epoch(act.op_id)
    ]
    if not lacking:
        return None
    held = [op_id for op_id, record in group.epochs.items() if not record.is_retired]
    chosen = choose_epoch(group.log, group.view, [*held, *lacking], group.stranded)
    return chosen if chosen in lacking else None


def lists(group: Group, epoch: OpId, dev: DeviceId) -> bool:
    """Say whether an epoch names a device, as a recipient or as dormant."""
    entry = group.log.graph.entry(epoch)
    return entry is not None and (dev in (entry.act.recipients or ()) or dev in entry.act.dormant)
