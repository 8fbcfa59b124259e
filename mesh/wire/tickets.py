"""Keeper tickets: what an operator gives away, so that a group's members may leave sealed frames at their node.

`version 1 ‖ account 16 ‖ quota u64be ‖ MAC 16`, as 81 characters of bech32m with the prefix `meshkeep`; after "#"
base64url of `[addresses, note]`. Only the keeper can tell whether the MAC is its own. What stands after "#" is vouched
for by nobody: it says where the keeper is, and what people call it. Two accounts are two groups' affair: who gives one
ticket to two groups lets their keeper know that they have to do with each other.
"""

import base64
import binascii
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Annotated, Final

from msgspec import Meta

from mesh.errors import LocalError, RemoteError
from mesh.ids import AccountId, Address, PeerId
from mesh.wire import bech32m, limits, shapes
from mesh.wire.codec import Record, decode, encode
from mesh.wire.keepers import MAC_BYTES
from mesh.wire.text import check_text

HRP: Final = "meshkeep"
TICKET_BYTES: Final = 1 + 16 + 8 + MAC_BYTES
TICKET_CHARACTERS: Final = 81
VERSION: Final = 1
KEEPER_ID_BYTES: Final = 8
KEEPER_SETTING: Final = "keeper-"  # and the keeper's id in hex: the setting that holds its ticket; empty: no more
_PEER_MARK: Final = "/p2p/"


class _Where(Record, frozen=True):
    addresses: Annotated[list[shapes.AddressText], Meta(min_length=1, max_length=limits.TICKET_ADDRESSES_MAX)]
    note: Annotated[str, shapes.text(limits.TICKET_NOTE_BYTES_MAX)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """What a ticket holds. `addresses` all lead to one node: the first names it."""

    account: AccountId
    quota: int
    mac: bytes = field(repr=False)
    addresses: tuple[Address, ...]
    note: str

    @property
    def keeper(self) -> bytes:
        """The 8 B by which people and settings name a group's keeper."""
        return self.account[:KEEPER_ID_BYTES]

    @property
    def peer(self) -> PeerId:
        """The node that keeps."""
        return _peer_of(self.addresses[0])


def ticket_to_text(ticket: Ticket) -> str:
    """Return a ticket as text. Of its addresses as many as fit; LocalError if there is none to give."""
    peer = next((_peer_of(a) for a in ticket.addresses if _peer_of(a)), "")
    fitting: list[Address] = []
    for address in ticket.addresses:
        one_more = encode(_Where(addresses=[*fitting, address], note=ticket.note))
        if peer and _peer_of(address) == peer and len(one_more) <= limits.TICKET_FRAGMENT_BYTES_MAX:
            fitting.append(address)
        if len(fitting) == limits.TICKET_ADDRESSES_MAX:
            break
    if not fitting:
        raise LocalError(
            "this node has no address that others could use",
            why="members must be able to reach a keeper",
            do="run `mesh up` once, with --listen if need be, and ask again",
            code="E-KEEPER",
        )
    data = bytes([VERSION]) + ticket.account + ticket.quota.to_bytes(8, "big") + ticket.mac
    where = base64.urlsafe_b64encode(encode(_Where(addresses=list(fitting), note=ticket.note))).rstrip(b"=")
    return f"{bech32m.encode(HRP, data)}#{where.decode()}"


def ticket_from_text(text: str) -> Ticket:
    """Read a ticket; LocalError that names the slip."""
    bare, _, fragment = "".join(text.split()).partition("#")
    data = bech32m.decode(HRP, bare, characters=TICKET_CHARACTERS)
    quota = int.from_bytes(data[17:25], "big")
    if len(data) != TICKET_BYTES or data[0] != VERSION or not 1 <= quota <= limits.QUOTA_BYTES_MAX:
        raise LocalError(
            "that ticket is of a newer kind",
            why="this version of the program cannot read it",
            do="update the program, or ask for a ticket of the older kind",
            code="E-CODE-NEWER",
        )
    where = _where(fragment)
    return Ticket(
        account=AccountId(data[1:17]),
        quota=quota,
        mac=data[25:],
        addresses=tuple(Address(a) for a in where.addresses),
        note=where.note,
    )


def _where(fragment: str) -> _Where:
    try:
        raw = base64.b64decode(fragment + "=" * (-len(fragment) % 4), altchars=b"-_", validate=True)
        where = decode(_Where, raw, bytes_max=limits.TICKET_FRAGMENT_BYTES_MAX)
        check_text(where.note, limits.TICKET_NOTE_BYTES_MAX)
    except (binascii.Error, ValueError, RemoteError):
        where = None
    if where is None or not _peer_of(where.addresses[0]) or len({_peer_of(a) for a in where.addresses}) > 1:
        raise LocalError(
            "the part of that ticket after “#” is missing or damaged",
            why="it says where the keeper can be found",
            do="copy the whole ticket again",
            code="E-CODE",
        )
    return where


@lru_cache(maxsize=256)
def read_ticket(text: str) -> Ticket | None:
    """Return the ticket in a group's setting; None if it is none: whoever set it may have written anything."""
    try:
        return ticket_from_text(text)
    except LocalError:
        return None


def _peer_of(address: str) -> PeerId:
    return PeerId(address.rpartition(_PEER_MARK)[2]) if _PEER_MARK in address else PeerId("")
