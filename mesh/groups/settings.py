"""What held in a group when somebody wrote something: a setting or the agreement, as the operations that they had seen
have it.
"""

from typing import Final

from mesh.groups.group import Group
from mesh.ids import OpId
from mesh.wire.operations import OpType

_KNOWN_MAX: Final = 4096  # values that are remembered; ours


def setting_at(group: Group, key: str, mask: int) -> str | None:
    """Return a setting's value as the operations of a mask have it; None where nobody ever set it.

    It is asked for the heads of each post that is handed on or shown, over and over: so nothing is judged where nobody
    ever changed the setting, and nothing twice.
    """
    graph = group.log.graph
    if not any(key in entry.act.settings for entry in graph.entries(graph.of_type(OpType.SETTINGS, mask))):
        founded = {setting.key: setting.value for setting in group.founding.settings}
        return founded.get(key)
    value = group.settings_at.get((key, mask))
    if value is None:
        value = group.settings_at[key, mask] = group.view_of(mask).settings.get(key, "")
        if len(group.settings_at) > _KNOWN_MAX:
            group.settings_at.popitem(last=False)
    return value


def agreement_at(group: Group, mask: int) -> OpId:
    """Return the operation whose agreement held, as the operations of a mask have it."""
    if not group.log.graph.of_type(OpType.AGREEMENT, mask):
        return group.log.ops[0].op_id
    found = group.agreement_at.get(mask)
    if found is None:
        found = group.agreement_at[mask] = group.view_of(mask).agreement
        if len(group.agreement_at) > _KNOWN_MAX:
            group.agreement_at.popitem(last=False)
    return found
