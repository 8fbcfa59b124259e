"""The one shape of address that this transport knows, read strictly: /ip4/192.0.2.7/tcp/4001/p2p/12D3….

Addresses come from invites, from members and from the command line, so nothing is trusted: whatever is not
of that shape is a BadAddress, and circuits, QUIC and the like are somebody else's. Names (/dns4/…) are let
through and resolved when they are dialled.
"""

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from mesh.errors import LocalError
from mesh.ids import Address, PeerId
from mesh.node.transports.base import BadAddress
from mesh.phrases import phrase
from mesh.wire.limits import ADDRESS_BYTES_MAX, ADDRESSES_MAX

_SHAPE: Final = re.compile(
    r"/(ip4|ip6|dns|dns4|dns6)/([0-9A-Za-z.:-]{1,253})/tcp/([0-9]{1,5})(?:/p2p/([1-9A-HJ-NP-Za-km-z]{32,64}))?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where to connect or listen: an IP address (to dial, also a name), a port, and who should be there."""

    host: str
    port: int
    peer: PeerId | None
    named: bool

    @property
    def is_ip6(self) -> bool:
        """Whether the host is an IPv6 address."""
        return ":" in self.host


def parse(address: str) -> Endpoint:
    """Read an address; BadAddress if it has another shape. What it lacks (a peer, a port) is not judged."""
    found = _SHAPE.fullmatch(address) if len(address) <= ADDRESS_BYTES_MAX else None
    if found is None:
        raise _bad(address)
    kind, host, port, peer = found.groups()
    named = kind.startswith("dns")
    try:
        if not named:
            host = str(ipaddress.IPv4Address(host) if kind == "ip4" else ipaddress.IPv6Address(host))
    except ValueError:
        raise _bad(address) from None
    if int(port) > 65535 or (named and not re.fullmatch(r"[0-9A-Za-z.-]+", host)):
        raise _bad(address)
    return Endpoint(host=host, port=int(port), peer=PeerId(peer) if peer else None, named=named)


def parse_dialable(address: Address) -> tuple[Endpoint, PeerId]:
    """Read an address that can be dialled, with a port and the peer that must answer; else BadAddress."""
    endpoint = parse(address)
    if endpoint.peer is None or endpoint.port == 0:
        raise _bad(address)
    return endpoint, endpoint.peer


def render(host: str, port: int, peer: PeerId | None = None) -> Address:
    """Write an address of an IP address, a port and, if it is to be dialled, a peer."""
    kind = "ip6" if ":" in host else "ip4"
    return Address(f"/{kind}/{host}/tcp/{port}" + (f"/p2p/{peer}" if peer is not None else ""))


def announced(addresses: Sequence[str], own: PeerId) -> tuple[Address, ...]:
    """Read what a node is to tell others of itself, with or without its own /p2p; give each with it.

    BadAddress for what nobody could dial: no port, "all interfaces", another's PeerId. LocalError if there are more
    than others would keep.
    """
    told = tuple(dict.fromkeys(_announceable(address, own) for address in addresses))
    if len(told) > ADDRESSES_MAX:
        raise LocalError(
            phrase("a node can announce {most} addresses, and these are {count}", most=ADDRESSES_MAX, count=len(told)),
            why="others would keep no more of them",
            do="leave out those that matter least",
            code="E-TOO-MANY",
        )
    return told


def _announceable(address: str, own: PeerId) -> Address:
    endpoint = parse(address)
    if endpoint.peer not in (None, own):
        raise BadAddress(
            phrase("this address leads to another node: {address}", address=address),
            why="others would look for that one there, and refuse this one",
            do="leave out the part from /p2p on; it is added by itself",
        )
    if endpoint.port == 0 or (not endpoint.named and ipaddress.ip_address(endpoint.host).is_unspecified):
        raise BadAddress(
            phrase("others could not dial this address: {address}", address=address),
            why="what is announced must name one machine and one port",
            do="name the address and port by which others reach this machine, like /ip4/192.0.2.7/tcp/4001",
        )
    whole = Address(address if endpoint.peer else f"{address}/p2p/{own}")
    parse(whole)  # with the peer it may have become too long
    return whole


def _bad(address: str) -> BadAddress:
    shown = address if len(address) <= 80 and address.isprintable() else f"{address[:40]!r}…"
    return BadAddress(
        phrase("this is not an address of a node: {shown}", shown=shown),
        why="an address names a machine, a TCP port and who must answer there",
        do="copy it whole from the other node; it looks like /ip4/192.0.2.7/tcp/4001/p2p/12D3…",
    )
