"""Equivocation: one device signed two different operations under one number (protocol.md §4).

Both stay in the log, for others may have built on either. What the device signs once it has seen both is refused, by
itself too: it is dead for the group until its owner comes in anew. Malice is not needed for it: an old copy of a home
that was put back does the same. So this finds it, and judges nobody.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from mesh.groups.operations import Operation
from mesh.groups.oplog import OpLog
from mesh.ids import DeviceId
from mesh.membership.graph import BY_MEMBER_KEY


@dataclass(frozen=True, slots=True, kw_only=True)
class Fork:
    """Two operations of one device under one `dseq`; `keys` are those (32 B) that their signatures verify under."""

    dev: DeviceId
    dseq: int
    ops: tuple[Operation, Operation]
    keys: tuple[bytes, bytes]


def forks(log: OpLog) -> Mapping[DeviceId, Fork]:
    """Return the first fork of each device that has one: of the lowest number, the two lowest ids.

    Whoever has the same operations finds the same.
    """
    at: dict[tuple[DeviceId, int], list[Operation]] = {}
    for op in log.ops:
        at.setdefault((op.tbs.dev, op.tbs.dseq), []).append(op)
    found: dict[DeviceId, Fork] = {}
    for (dev, dseq), ops in at.items():
        if len(ops) > 1 and (dev not in found or dseq < found[dev].dseq):
            first, second = sorted(ops, key=lambda op: op.op_id)[:2]
            found[dev] = Fork(dev=dev, dseq=dseq, ops=(first, second), keys=(_key(log, first), _key(log, second)))
    return found


def _key(log: OpLog, op: Operation) -> bytes:
    """Return the key that the rules want an operation signed by."""
    card, entry = log.card(op.tbs.dev), log.graph.entry(op.op_id)
    assert card is not None, "its author was brought in by what it builds on, or by itself"
    assert entry is not None
    return card.member_pk if entry.level == BY_MEMBER_KEY else card.dev_pk
