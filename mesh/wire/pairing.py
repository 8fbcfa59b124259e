"""What two homes of one person say to each other while one brings the other into its groups (protocol.md §18)."""

from enum import IntEnum
from typing import Annotated

from msgspec import Meta

from mesh.wire import limits, shapes
from mesh.wire.codec import Record
from mesh.wire.invites import Contact, Frontier, OpBundle
from mesh.wire.messages import SignedMessage


class PairStep(IntEnum):
    """What is asked for."""

    LIST = 1  # homes and groups
    GROUP = 2  # one group
    DONE = 3  # nothing more: the asker is in all that it could enter


class HomeDevice(Record, frozen=True):
    """Which device of a group a home is."""

    gid: shapes.Group
    dev: shapes.Device


class HomeEntry(Record, frozen=True):
    """A home of this person: what its owner calls it, since when it is there, and its devices as far as known."""

    home: shapes.Home
    name: Annotated[str, shapes.text(limits.DEVICE_NAME_BYTES_MAX, 1)]
    since_ms: shapes.Millis
    devices: Annotated[list[HomeDevice], Meta(max_length=limits.GROUPS_MAX)]


Homes = Annotated[list[HomeEntry], Meta(max_length=limits.HOMES_MAX)]


class PairAskBody(Record, frozen=True):
    """A question of the new home. Answers are sealed to `kem_pk` (suite 2), and bound to `ticket`."""

    step: PairStep
    ticket: shapes.Bytes16
    want: Annotated[bytes, Meta(max_length=32)]  # the group, for GROUP; else empty
    kem_pk: Annotated[bytes, Meta(min_length=1216, max_length=1216)]
    own: HomeEntry
    others: Homes


class PairGroupName(Record, frozen=True):
    """A group that the answering home is in, and what the member key in it is derived with."""

    gid: shapes.Group
    join_nonce: shapes.Bytes32


class PairListBody(Record, frozen=True):
    """The answer to LIST. `name` is what the new home is to be called; empty: as it calls itself."""

    own: HomeEntry
    others: Homes
    name: Annotated[str, shapes.text(limits.DEVICE_NAME_BYTES_MAX)]
    groups: Annotated[list[PairGroupName], Meta(max_length=limits.GROUPS_MAX)]


class PairEpoch(Record, frozen=True):
    """What finds the members of an epoch and opens nothing of what they said."""

    op_id: shapes.Op
    pub_seed: shapes.Bytes32
    sync_key: shapes.Bytes32
    since_ms: shapes.Millis


class PairGroupBody(Record, frozen=True):
    """The answer to GROUP: all that a further device needs to add itself and to be found. No key that opens content."""

    gid: shapes.Group
    ops: Annotated[list[OpBundle], Meta(min_length=1, max_length=65536)]  # each after what it builds on, without wraps
    epochs: Annotated[list[PairEpoch], Meta(max_length=limits.PAIR_EPOCHS_MAX)]  # the newest first
    frontier: Frontier
    contacts: Annotated[list[Contact], Meta(max_length=limits.FRONTIER_DEVICES_MAX)]
    keyups: Annotated[list[SignedMessage], Meta(max_length=limits.FRONTIER_DEVICES_MAX)]
    confirmed: bool  # whether whoever let the member in is not the only one who has said who is in (§12)
    settings: Annotated[
        list[Annotated[list[shapes.SettingValue], Meta(min_length=2, max_length=2)]],
        Meta(max_length=limits.SETTINGS_MAX),
    ]
