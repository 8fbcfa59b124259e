"""Reaching: where devices can be found, and whom we keep trying to link with.

What a member says of its own addresses is believed for its own device only. Should several devices name one transport
key, their addresses are tried in turn, the first of each, then the second of each: a member that claims another's key
costs vain dials and pushes nobody out.
"""

from collections.abc import Iterable
from itertools import zip_longest
from typing import Final

from mesh.events import Dial, Forget, Space
from mesh.ids import Address, DeviceId, PeerId
from mesh.peer.keepers import keepers_of
from mesh.peer.records import ContactRecord
from mesh.peer.routing import JOINING
from mesh.peer.state import Room, State, Step
from mesh.wire import limits
from mesh.wire.codec import encode

_TRIED_MAX: Final = limits.ADDRESSES_MAX  # addresses of one transport key; the dialer tries no more
_KNOCK_ADDRESS_BYTES: Final = 1536  # what a knock of one size has room for beside keys and signatures


def learn_contact(state: State, room: Room, dev: DeviceId, contact: ContactRecord, step: Step) -> None:
    """Keep where a device can be reached, unless something newer is known, and try to link with it."""
    known = room.contacts.get(dev)
    if dev == room.group.own.dev or (known is not None and known.mseq > contact.mseq):
        return
    room.contacts[dev] = contact
    step.journal.put(Space.CONTACTS, room.group.gid + dev, encode(contact))
    dial(state, contact.addresses, step)
    if known is not None:
        forget(state, known.addresses, step)


def forget_contacts(state: State, room: Room, devices: Iterable[DeviceId], step: Step) -> None:
    """Forget where these devices can be reached, and stop dialling those whom nothing else leads to."""
    for dev in list(devices):
        gone = room.contacts.pop(dev)
        step.journal.delete(Space.CONTACTS, room.group.gid + dev)
        forget(state, gone.addresses, step)


def dial(state: State, addresses: Iterable[str], step: Step) -> None:
    """Ask for links to whoever is behind these addresses; those without a peer id are passed over."""
    known = _wanted(state)
    for peer, some in _by_peer(addresses).items():
        step.effects.append(Dial(peer=peer, addresses=_in_turn([*known.get(peer, ()), some])))


def forget(state: State, addresses: Iterable[str], step: Step) -> None:
    """Stop dialling whoever is behind these addresses, unless a contact or a join still leads to them."""
    known = _wanted(state)
    step.effects.extend(Forget(peer=peer) for peer in _by_peer(addresses) if peer not in known)


def dial_keepers(state: State, room: Room, step: Step) -> None:
    """Look for a group's keepers, and no longer for those that it had before; one who is out looks for none."""
    is_in = room.group.me is not None and not room.group.own.left
    wanted = tuple(a for ticket in keepers_of(room.group).values() for a in ticket.addresses) if is_in else ()
    before, room.keepers_dialled = room.keepers_dialled, wanted
    if wanted != before:
        dial(state, wanted, step)
        forget(state, before, step)
        step.keepers_due = True


def dial_all(state: State, step: Step) -> None:
    """Ask for links to everybody whom we know how to reach."""
    for peer, lists in _wanted(state).items():
        step.effects.append(Dial(peer=peer, addresses=_in_turn(lists)))


def knock_addresses(state: State) -> list[str]:
    """Return our addresses, as many as a knock has room for."""
    chosen: list[str] = []
    room = _KNOCK_ADDRESS_BYTES
    for address in state.addresses[: limits.ADDRESSES_MAX]:
        room -= len(address.encode()) + 3
        if room >= 0:
            chosen.append(address)
    return chosen


def _wanted(state: State) -> dict[PeerId, list[list[Address]]]:
    """Return everybody whom contacts, open joins and a device code lead to, with what each says of their addresses."""
    lists: list[Iterable[str]] = [state.known]
    lists += [contact.addresses for room in state.rooms.values() for contact in room.contacts.values()]
    lists += [join.addresses for join in state.joins.values() if join.stage in JOINING]
    lists += [state.entering.addresses] if state.entering is not None else []
    lists += [room.keepers_dialled for room in state.rooms.values()]
    wanted: dict[PeerId, list[list[Address]]] = {}
    for addresses in lists:
        for peer, found in _by_peer(addresses).items():
            wanted.setdefault(peer, []).append(found)
    return wanted


def _in_turn(lists: list[list[Address]]) -> tuple[Address, ...]:
    """Return the first address of each list, then the second of each, none twice."""
    ranked = zip_longest(*lists)
    return tuple(dict.fromkeys(a for rank in ranked for a in rank if a is not None))[:_TRIED_MAX]


def _by_peer(addresses: Iterable[str]) -> dict[PeerId, list[Address]]:
    peers: dict[PeerId, list[Address]] = {}
    for address in addresses:
        head, mark, peer = address.rpartition("/p2p/")
        if mark and head and peer:
            peers.setdefault(PeerId(peer), []).append(Address(address))
    return peers
