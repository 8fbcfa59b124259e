"""Discreet groups: for a talk with a listener, which nobody else is to link with the two who talk (protocol.md §11).

Its founding says so. *Kept*: it is carried by the keepers that its founding names, and by no other link, and no address
is said in it. *Direct*: the two nodes link with each other, as in any talk of two.
"""

from typing import Final

from mesh.groups.group import Group

LISTENING: Final = "listening"  # a setting that is read in a founding alone
KEPT: Final = "kept"
DIRECT: Final = "direct"


def founding_settings(group: Group) -> dict[str, str]:
    """Return the settings of a group as it was founded."""
    return {setting.key: setting.value for setting in group.founding.settings}


def is_listening(group: Group) -> bool:
    """Say whether a group is for a talk with a listener."""
    return any(setting.key == LISTENING for setting in group.founding.settings)


def is_kept(group: Group) -> bool:
    """Say whether nothing of a group goes over a link but with one of its keepers."""
    return any(setting.key == LISTENING and setting.value == KEPT for setting in group.founding.settings)
