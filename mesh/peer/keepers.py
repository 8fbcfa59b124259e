"""A group's keepers, as its members see them: which they are, whether one is there, what is left with them.

They are settings of the group, so that all members agree on them and newcomers learn of them with the log.
"""

from typing import Final

from mesh.groups.group import Group
from mesh.ids import AccountId
from mesh.peer.links import AtKeeper, Link
from mesh.peer.state import Room, State
from mesh.wire import limits
from mesh.wire.tickets import KEEPER_SETTING, Ticket, read_ticket

ADDRESSES_IN_CODES: Final = 2  # keepers that a code leads to, by one address each; ours


def keepers_of(group: Group) -> dict[AccountId, Ticket]:
    """Return the tickets of a group's keepers, the first four that are in order."""
    found: dict[AccountId, Ticket] = {}
    for key, value in sorted(group.view.settings.items()):
        ticket = read_ticket(value) if value and key.startswith(KEEPER_SETTING) else None
        if ticket is not None and key == KEEPER_SETTING + ticket.keeper.hex() and len(found) < limits.KEEPERS_MAX:
            found[ticket.account] = ticket
    return found


def has_keepers(group: Group) -> bool:
    """Say whether anything is left at keepers."""
    return any(value and key.startswith(KEEPER_SETTING) for key, value in group.view.settings.items())


def code_addresses(room: Room) -> list[str]:
    """Return the keepers' addresses that an invite carries."""
    return [ticket.addresses[0] for ticket in list(keepers_of(room.group).values())[:ADDRESSES_IN_CODES]]


def at_keepers(state: State, room: Room) -> list[tuple[Link, AtKeeper]]:
    """Return the links that stand with keepers of a group which keep for it."""
    found = [(link, link.keepers.get(room.group.gid)) for link in state.links.values()]
    return [(link, at) for link, at in found if at is not None and at.accepted]


def is_level(state: State, room: Room) -> bool:
    """Say whether a keeper is there and we lack nothing of what it has under the epochs whose keys are here."""
    return any(at.topics and all(topic in at.level for topic in at.topics) for _, at in at_keepers(state, room))
