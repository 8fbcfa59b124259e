"""Who knows who is out: how many members have heard of every removal, as far as this node can tell.

Until a member's node has heard of a removal, it still encrypts to whoever was removed. That it has heard shows in what
it signs (each operation and message names the newest operations that its author had), or it tells so over a link.
"""

from mesh.ids import DeviceId, MemberPk
from mesh.membership.graph import Entry
from mesh.node.local.methods.shown import is_removal, person
from mesh.node.local.protocol import JsonObject
from mesh.peer.state import Room, State
from mesh.wire.operations import OpType


def removal_json(state: State, room: Room) -> JsonObject | None:
    """Describe the newest removal, and how many of the others have heard of it and all others; None without one.

    A device that its own person took out, and a removal that follows up a leave, are none to show: the one is still in,
    and the other left. Both count among what is to be heard of, for each has brought a new key.
    """
    mask = _removals(room)
    shown = [entry for entry in room.group.log.graph.entries(mask) if is_removal(room, entry)]
    if not shown:
        return None
    newest = max(shown, key=lambda entry: (entry.act.gen, entry.act.op_id))
    return {
        "id": newest.act.op_id.hex(),
        "member": person(room, newest.act.subject),
        "seen_by": count_seen(state, room, mask),
        "members": len(room.group.others),
    }


def knows_of_removals(state: State, room: Room, pk: MemberPk) -> bool | None:
    """Say whether a member has heard of every removal that counts; None of ourselves, and where there was none."""
    mask = _removals(room)
    return None if not mask or pk == room.group.own.member_pk else has_heard(state, room, pk, mask)


def seen_removal_of(state: State, room: Room, target: MemberPk) -> int:
    """Count the other members who have heard of the removal of `target`."""
    entries: list[Entry] = [
        entry for entry in room.group.log.graph.entries(_removals(room)) if entry.act.subject == target
    ]
    return count_seen(state, room, entries[-1].bit) if entries else 0


def count_seen(state: State, room: Room, mask: int) -> int:
    """Count the other members who have all operations of a mask, as far as we know."""
    return sum(has_heard(state, room, pk, mask) for pk in room.group.others)


def _removals(room: Room) -> int:
    graph, valid = room.group.log.graph, room.group.view.valid
    return graph.of_type(OpType.REMOVE, valid) | graph.of_type(OpType.DEVICE_REMOVE, valid)


def has_heard(state: State, room: Room, pk: MemberPk, mask: int) -> bool:
    """Say whether a member has all operations of a mask, on one of their devices, as far as we know."""
    return any(not mask & ~_seen(state, room, dev) for dev in room.group.view.members[pk].devices)


def _seen(state: State, room: Room, dev: DeviceId) -> int:
    """Return the mask of the operations that a device has: by what it signed, and by what it tells now."""
    told = [session.heads for _, session in state.present(room) if session.device == dev]
    seen = room.group.seen_by.get(dev, 0)
    for heads in told:
        seen |= room.group.log.closure(head for head in heads if head in room.group.log) or 0
    return seen
