"""Reaching: where devices can be found, and whom we keep trying to link with.

What a member says of its own addresses is believed for its own device only. Should two devices name one transport key,
all their addresses are tried: a member that claims another's key costs a few vain dials and cuts nobody off.
"""

from collections.abc import Iterable
from typing import Final

from mesh.events import Dial, Forget, Space
from mesh.ids import Address, DeviceId, PeerId
from mesh.peer.records import ContactRecord
from mesh.peer.routing import JOINING
from mesh.peer.state import Room, State, Step
from mesh.wire import limits
from mesh.wire.codec import encode

_TRIED_MAX: Final = 2 * limits.ADDRESSES_MAX  # addresses of one transport key; ours
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
    found = _by_peer(addresses)
    known = _wanted(state)
    for peer, some in found.items():
        every = dict.fromkeys([*some, *known.get(peer, ())])
        step.effects.append(Dial(peer=peer, addresses=tuple(every)[:_TRIED_MAX]))


def forget(state: State, addresses: Iterable[str], step: Step) -> None:
    """Stop dialling whoever is behind these addresses, unless a contact or a join still leads to them."""
    known = _wanted(state)
    step.effects.extend(Forget(peer=peer) for peer in _by_peer(addresses) if peer not in known)


def dial_all(state: State, step: Step) -> None:
    """Ask for links to everybody whom we know how to reach."""
    for peer, addresses in _wanted(state).items():
        step.effects.append(Dial(peer=peer, addresses=tuple(addresses)[:_TRIED_MAX]))


def knock_addresses(state: State) -> list[str]:
    """Return our addresses, as many as a knock has room for."""
    chosen: list[str] = []
    room = _KNOCK_ADDRESS_BYTES
    for address in state.addresses[: limits.ADDRESSES_MAX]:
        room -= len(address.encode()) + 3
        if room >= 0:
            chosen.append(address)
    return chosen


def _wanted(state: State) -> dict[PeerId, dict[Address, None]]:
    """Return everybody whom contacts and open joins lead to, with all their addresses."""
    lists: list[Iterable[str]] = [state.known]
    lists += [contact.addresses for room in state.rooms.values() for contact in room.contacts.values()]
    lists += [join.addresses for join in state.joins.values() if join.stage in JOINING]
    wanted: dict[PeerId, dict[Address, None]] = {}
    for addresses in lists:
        for peer, found in _by_peer(addresses).items():
            wanted.setdefault(peer, {}).update(dict.fromkeys(found))
    return wanted


def _by_peer(addresses: Iterable[str]) -> dict[PeerId, list[Address]]:
    peers: dict[PeerId, list[Address]] = {}
    for address in addresses:
        head, mark, peer = address.rpartition("/p2p/")
        if mark and head and peer:
            peers.setdefault(PeerId(peer), []).append(Address(address))
    return peers
