"""A group's keepers, as its members see them: which they are, whether one is there, what is left with them.

They are settings of the group, so that all members agree on them and newcomers learn of them with the log.
"""

from typing import Final

from mesh.groups.discreet import founding_settings, is_kept, is_listening
from mesh.groups.group import Group
from mesh.ids import AccountId, PeerId
from mesh.peer.links import AtKeeper, Link
from mesh.peer.records import JoinRecord
from mesh.peer.state import Room, State
from mesh.wire import limits
from mesh.wire.tickets import KEEPER_SETTING, Ticket, read_ticket

ADDRESSES_IN_CODES: Final = 2  # keepers that a code leads to, by one address each; ours


def keepers_of(group: Group) -> dict[AccountId, Ticket]:
    """Return the tickets of a group's keepers, the first four that are in order.

    A talk with a listener has those of its founding: what one of the two sets later leads the other nowhere.
    """
    found: dict[AccountId, Ticket] = {}
    settings = founding_settings(group) if is_listening(group) else group.view.settings
    for key, value in sorted(settings.items()):
        ticket = read_ticket(value) if value and key.startswith(KEEPER_SETTING) else None
        if ticket is not None and key == KEEPER_SETTING + ticket.keeper.hex() and len(found) < limits.KEEPERS_MAX:
            found[ticket.account] = ticket
    return found


def has_keepers(group: Group) -> bool:
    """Say whether anything is left at keepers."""
    return any(value and key.startswith(KEEPER_SETTING) for key, value in group.view.settings.items())


def only_told(group: Group) -> frozenset[PeerId] | None:
    """Return who alone may hear of a group's topics; None: any link."""
    return frozenset(ticket.peer for ticket in keepers_of(group).values()) if is_kept(group) else None


def only_told_of(state: State, join: JoinRecord) -> frozenset[PeerId] | None:
    """Return the same of an attempt to join: a talk that keepers carry is looked for at them alone."""
    if join.offer is None or not join.offer.discreet:
        return None
    room = state.rooms.get(join.offer.parent)
    return frozenset(() if room is None else (ticket.peer for ticket in keepers_of(room.group).values()))


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
