"""What a node keeps for itself in the store: its transport key, its port, its own name, its last addresses.

The transport key is random for each home and has nothing to do with the root seed: whoever sees the PeerId learns
nothing about anybody's membership (protocol.md §3). The port is drawn once, so that addresses that others remember
stay good.
"""

from dataclasses import dataclass
from typing import Annotated, Final

from msgspec import Meta

from mesh.events import Put, Space
from mesh.groups.records import load
from mesh.ids import Address, Entropy
from mesh.secret import Secret
from mesh.store.base import Store
from mesh.wire import limits, shapes
from mesh.wire.codec import Record, encode

_KEY: Final = b"keepsakes"
_ADDRESSES: Final = b"addresses"
PORT_FIRST: Final = 20_000  # below the range that systems hand out by themselves (IANA: 49152; Linux: 32768)
PORT_LAST: Final = 32_000


class _Record(Record, frozen=True):
    fingerprint: str
    name: str
    locale: str
    transport_seed: shapes.Bytes32
    port: Annotated[int, Meta(ge=1, le=65535)]


class _Addresses(Record, frozen=True):
    addresses: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Keepsakes:
    """`fingerprint` names the identity to its owner; `name` is the alias used where none is given."""

    fingerprint: str
    name: str
    locale: str
    transport_seed: Secret
    port: int


def draw_keepsakes(*, fingerprint: str, name: str, locale: str, entropy: Entropy) -> Keepsakes:
    """Draw a transport key and a port for a new home."""
    port = PORT_FIRST + int.from_bytes(entropy.draw(4), "big") % (PORT_LAST - PORT_FIRST)
    return Keepsakes(
        fingerprint=fingerprint, name=name, locale=locale, transport_seed=Secret(entropy.draw(32)), port=port
    )


def keepsakes_write(kept: Keepsakes) -> Put:
    """Return the write that keeps them: a home is made with it, and is none without."""
    record = _Record(
        fingerprint=kept.fingerprint,
        name=kept.name,
        locale=kept.locale,
        transport_seed=kept.transport_seed.reveal(),
        port=kept.port,
    )
    return Put(Space.NODE, _KEY, encode(record))


def read_keepsakes(store: Store) -> Keepsakes:
    """Read them; StoreError if they are not there or damaged."""
    record = load(_Record, store.get(Space.NODE, _KEY) or b"")
    return Keepsakes(
        fingerprint=record.fingerprint,
        name=record.name,
        locale=record.locale,
        transport_seed=Secret(record.transport_seed),
        port=record.port,
    )


def addresses_write(addresses: tuple[Address, ...]) -> Put:
    """Return the write that remembers where we can be reached, for invites that are made while the node is down."""
    record = _Addresses(addresses=list(addresses[: limits.ADDRESSES_MAX]))
    return Put(Space.NODE, _ADDRESSES, encode(record))


def read_addresses(store: Store) -> tuple[Address, ...]:
    """Return where we could be reached last."""
    value = store.get(Space.NODE, _ADDRESSES)
    return () if value is None else tuple(Address(a) for a in load(_Addresses, value).addresses)
