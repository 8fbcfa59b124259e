"""Who left without a trace: a leave that its author signed so takes back all that they ever said in the group.

It is honoured whether or not the leave counts towards who belongs (they may have been removed at the same time): it is
their word about their own words, under the member key, which no device alone holds.
"""

from mesh.groups.group import Group
from mesh.ids import DeviceId, MemberPk
from mesh.membership.graph import Entry
from mesh.wire.operations import LeaveBody, OpType


def has_erased(group: Group, member: MemberPk) -> bool:
    """Say whether a member left without a trace."""
    graph = group.log.graph
    leaves = graph.left_by(member, graph.everything)
    return bool(leaves) and any(_erases(group, leave) for leave in graph.entries(leaves))


def is_erased(group: Group, dev: DeviceId) -> bool:
    """Say whether a device is, or was, of a member who left without a trace."""
    card = group.log.card(dev)
    return card is not None and has_erased(group, card.member_pk)


def all_erased(group: Group) -> list[MemberPk]:
    """Return who left without a trace, sorted."""
    graph = group.log.graph
    leaves = graph.entries(graph.of_type(OpType.LEAVE, group.log.everything))
    return sorted({leave.author for leave in leaves if _erases(group, leave)})


def _erases(group: Group, leave: Entry) -> bool:
    body = group.log.operation(leave.act.op_id).body
    return isinstance(body, LeaveBody) and body.erase
