"""Preview, knock and welcome, as records (protocol.md §12)."""

from enum import IntEnum
from typing import Annotated

from msgspec import Meta

from mesh.wire import limits, shapes
from mesh.wire.codec import Record
from mesh.wire.messages import SignedMessage
from mesh.wire.operations import Card, Former, Settings, SignedOp


class Door(IntEnum):
    """What members say of an invite to one who holds its code."""

    OPEN = 0
    REVOKED = 1
    USED_UP = 2
    EXPIRED = 3
    DECLINED = 4


class PreviewBody(Record, frozen=True):
    """What the holder of a code may see before knocking."""

    create: SignedOp
    agreement: SignedOp | None  # None: the one in create still stands
    settings: Settings
    invite: SignedOp
    members: shapes.Count
    door: Door


Addresses = Annotated[list[shapes.AddressText], Meta(max_length=limits.ADDRESSES_MAX)]


class KnockBody(Record, frozen=True):
    """A request to come in. The signatures are by invite, member and device key over T."""

    invite: shapes.Op
    card: Card
    join_nonce: shapes.Bytes32
    alias: shapes.Alias
    agreement_hash: shapes.Bytes32
    addresses: Addresses
    reply_seed: shapes.Bytes32  # the welcome is published under this key
    sig_invite: shapes.Bytes64
    sig_member: shapes.Bytes64
    sig_dev: shapes.Bytes64
    former: Former | None  # where the invite says who may come in by it


Wraps = Annotated[list[Annotated[bytes, Meta(max_length=1300)]], Meta(max_length=2048)]


class OpBundle(Record, frozen=True):
    """An operation with the wraps of its epoch, as members hand it to each other."""

    op: SignedOp
    wraps: Wraps


class FrontierEntry(Record, frozen=True):
    """What is here of one device's messages: all up to `contiguous`, and these ranges [from, to] beyond it."""

    dev: shapes.Device
    contiguous: shapes.MseqOrNone
    beyond: Annotated[
        list[Annotated[list[shapes.Mseq], Meta(min_length=2, max_length=2)]],
        Meta(max_length=limits.FRONTIER_GAPS_MAX),
    ]


Frontier = Annotated[list[FrontierEntry], Meta(max_length=limits.FRONTIER_DEVICES_MAX)]


class Contact(Record, frozen=True):
    """Where a device can be reached."""

    dev: shapes.Device
    addresses: Addresses


class WelcomeBody(Record, frozen=True):
    """What one who is let in needs, or (`door` other than OPEN, the rest empty) why they are not let in."""

    door: Door
    ops: Annotated[list[OpBundle], Meta(max_length=65536)]
    frontier: Frontier
    contacts: Annotated[list[Contact], Meta(max_length=limits.FRONTIER_DEVICES_MAX)]
    keyups: Annotated[list[SignedMessage], Meta(max_length=limits.FRONTIER_DEVICES_MAX)]  # the newest of each device
