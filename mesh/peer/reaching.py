"""Reaching: where devices can be found, and whom we keep trying to link with.

What a member says of its own addresses is believed for its own device only. Should several devices name one transport
key, their addresses are tried in turn, the first of each, then the second of each: a member that claims another's key
costs vain dials and pushes nobody out.
"""

from collections.abc import Iterable
from itertools import zip_longest
from typing import Final

from mesh.events import Dial, Forget, HangUp, Space
from mesh.groups.discreet import is_kept
from mesh.ids import Address, DeviceId, MemberPk, PeerId
from mesh.peer.keepers import keepers_of, only_told_of
from mesh.peer.records import ContactRecord, JoinRecord
from mesh.peer.routing import JOINING
from mesh.peer.state import Room, State, Step
from mesh.wire import limits
from mesh.wire.codec import encode

TIMER: Final = "views"
_TRIED_MAX: Final = limits.ADDRESSES_MAX  # addresses of one transport key; the dialer tries no more
_KNOCK_ADDRESS_BYTES: Final = 1536  # what a knock of one size has room for beside keys and signatures


def learn_contact(room: Room, dev: DeviceId, contact: ContactRecord, step: Step) -> None:
    """Keep where a device can be reached, unless something newer is known; nowhere where keepers carry all."""
    known = room.contacts.get(dev)
    if is_kept(room.group) or dev == room.group.own.dev or (known is not None and known.mseq > contact.mseq):
        return
    room.contacts[dev] = contact
    step.journal.put(Space.CONTACTS, room.group.gid + dev, encode(contact))
    step.views[room.group.gid] = None


def forget_contacts(room: Room, devices: Iterable[DeviceId], step: Step) -> None:
    """Forget where these devices can be reached, and stop dialling those whom nothing else leads to."""
    for dev in list(devices):
        del room.contacts[dev]
        step.journal.delete(Space.CONTACTS, room.group.gid + dev)
    step.views[room.group.gid] = None


def tend(state: State, step: Step) -> None:
    """Look at whom we link with, where something has changed, and dial whom that and all else leads to."""
    for gid in step.views:
        room = state.rooms.get(gid)
        if room is not None:
            _tend_view(state, room, step)
    if step.views or step.dials_changed:
        _dial(state, step)


def _tend_view(state: State, room: Room, step: Step) -> None:
    own, devices = room.group.own.member_pk, room.group.view.devices
    candidates: dict[MemberPk, list[PeerId]] = {}
    for dev, contact in sorted(room.contacts.items()):
        member = devices.get(dev)
        if member is not None and member != own:
            candidates.setdefault(member, []).extend(_by_peer(contact.addresses))
    linked = {
        link.peer: devices[session.device]
        for link, session in state.present(room)
        if session.device is not None and devices[session.device] != own
    }
    before = list(room.view.chosen)
    ended = room.view.tend(candidates, linked, _kept(state, room), step.now.mono_ms, step.dice)
    for link in state.links.values():
        if link.peer in ended:
            step.effects.append(HangUp(link=link.link))
    step.dials_changed = step.dials_changed or before != list(room.view.chosen)
    wait_ms = room.view.wait_ms(step.now.mono_ms)
    if wait_ms is not None:
        step.set_timer(TIMER, room.group.gid, wait_ms)


def dial_keepers(room: Room, step: Step) -> None:
    """Look for a group's keepers, and no longer for those that it had before; one who is out looks for none."""
    is_in = room.group.me is not None and not room.group.own.left
    wanted = tuple(a for ticket in keepers_of(room.group).values() for a in ticket.addresses) if is_in else ()
    before, room.keepers_dialled = room.keepers_dialled, wanted
    if wanted != before:
        step.dials_changed = step.keepers_due = True


def _kept(state: State, room: Room) -> dict[PeerId, None]:
    """Return whose links no choice of this group's may end: they are wanted elsewhere, or come to us as a keeper."""
    kept = dict.fromkeys(_wanted(state, without=room))
    if state.host is not None:
        kept.update((link.peer, None) for link in state.links.values())
    for other in state.rooms.values():
        if other is not room:
            kept.update((link.peer, None) for link, _ in state.present(other))
    return kept


def _dial(state: State, step: Step) -> None:
    wanted = {peer: _in_turn(lists) for peer, lists in _wanted(state).items()}
    for peer, addresses in wanted.items():
        if state.dialled.get(peer) != addresses:
            step.effects.append(Dial(peer=peer, addresses=addresses))
    step.effects.extend(Forget(peer=peer) for peer in state.dialled if peer not in wanted)
    state.dialled = wanted


def knock_addresses(state: State, where: JoinRecord | Room | None = None) -> list[str]:
    """Return our addresses, as many as a knock has room for; none where only keepers may know of us."""
    kept = isinstance(where, JoinRecord) and only_told_of(state, where) is not None
    if kept or (isinstance(where, Room) and is_kept(where.group)):
        return []
    chosen: list[str] = []
    room = _KNOCK_ADDRESS_BYTES
    for address in state.addresses[: limits.ADDRESSES_MAX]:
        room -= len(address.encode()) + 3
        if room >= 0:
            chosen.append(address)
    return chosen


def _wanted(state: State, *, without: Room | None = None) -> dict[PeerId, list[list[Address]]]:
    """Return everybody whom contacts, open joins and a device code lead to, with what each says of their addresses.

    Of a group's contacts those whom its view chose, and our own other devices. `without`: as if that group chose none.
    """
    lists: list[Iterable[str]] = [state.known]
    lists += [join.addresses for join in state.joins.values() if join.stage in JOINING]
    lists += [state.entering.addresses] if state.entering is not None else []
    lists += [room.keepers_dialled for room in state.rooms.values()]
    wanted: dict[PeerId, list[list[Address]]] = {}
    for addresses in lists:
        for peer, found in _by_peer(addresses).items():
            wanted.setdefault(peer, []).append(found)
    for room in state.rooms.values():
        for dev, contact in room.contacts.items():
            ours = room.group.view.devices.get(dev) == room.group.own.member_pk
            for peer, found in _by_peer(contact.addresses).items():
                if ours or (peer in room.view.chosen and room is not without):
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
