"""Operations on a group, as records (protocol.md §4–5).

`tbs` is what is signed: a MessagePack array whose last element holds the body, itself the canonical bytes of the
record for its type. Rules about who may do what are in `mesh.groups`; here is only what the bytes can say.
"""

from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType
from typing import Annotated, Final

from msgspec import Meta

from mesh.commands import Rank, Suite
from mesh.wire import limits, shapes
from mesh.wire.codec import Record

ZERO32: Final = bytes(32)


class OpType(IntEnum):
    """The type of an operation."""

    CREATE = 1
    ADMIT = 2
    PROMOTE = 3
    DEMOTE = 4
    REMOVE = 5
    LEAVE = 6
    INVITE = 7
    UNINVITE = 8
    SETTINGS = 9
    AGREEMENT = 10
    REKEY = 11
    DEVICE_ADD = 12
    DEVICE_REMOVE = 13
    FORK = 14


class OpTbs(Record, frozen=True):
    """The signed part. In a create, `gid`, `dprev` and `auth` are 32 zero bytes and `deps` is empty."""

    version: Annotated[int, Meta(ge=1, le=1)]
    gid: shapes.Group
    type: OpType
    dev: shapes.Device
    dseq: Annotated[int, Meta(ge=1, le=limits.MSEQ_MAX)]  # this device's operations in this group, from 1
    dprev: shapes.Op
    deps: Annotated[list[shapes.Op], Meta(max_length=limits.DEPS_MAX)]  # sorted, distinct: the heads seen
    auth: shapes.Op  # the grant that is exercised
    gen: Annotated[int, Meta(ge=1, le=2**32 - 1)]  # 1 + the greatest gen among deps; 1 in a create
    body: Annotated[bytes, Meta(max_length=limits.OPERATION_BYTES_MAX)]


class SignedOp(Record, frozen=True):
    """An operation as it travels: hash and verify these very bytes."""

    tbs: Annotated[bytes, Meta(max_length=limits.OPERATION_BYTES_MAX)]
    sig: shapes.Bytes64


class Card(Record, frozen=True):
    """A device's keys, certified by its member key: see `mesh.identity.keys.sign_device`."""

    member_pk: shapes.Member
    dev_pk: shapes.DeviceKey
    kem_pk: shapes.KemPk  # key number 0
    cert: shapes.Bytes64


class EpochBlock(Record, frozen=True):
    """A fresh epoch: to whom its secret is sealed, and commitments to the secret and to the wraps."""

    commit: shapes.Bytes32  # KDF(ES, "mesh1/commit", gid)
    nonce: shapes.Bytes32
    recipients: Annotated[list[shapes.Device], Meta(max_length=1000)]  # sorted
    dormant: Annotated[list[shapes.Device], Meta(max_length=1000)]  # sorted, disjoint from recipients
    wraps_hash: shapes.Bytes32  # H("mesh1/wraps", wraps…) as sent, dummies included
    kem_number: shapes.KemNumber
    kem_pk: shapes.KemPk  # the author's fresh key


class Setting(Record, frozen=True):
    """One setting of the group."""

    key: shapes.SettingKey
    value: shapes.SettingValue


Settings = Annotated[list[Setting], Meta(max_length=limits.SETTINGS_MAX)]
TopicNames = Annotated[list[shapes.TopicName], Meta(max_length=limits.TOPICS_MAX)]


class CreateBody(Record, frozen=True):
    """The founding of a group."""

    suite: Suite
    name: shapes.GroupName
    about: shapes.About
    topics: TopicNames
    agreement: shapes.AgreementText
    alias: shapes.Alias
    card: Card
    settings: Settings
    epoch: EpochBlock


class Approval(Record, frozen=True):
    """A member's yes to a knock: a device's signature over `approval_statement` of `mesh.groups.joining`."""

    grant: shapes.Op
    dev: shapes.Device
    sig: shapes.Bytes64


class Former(Record, frozen=True):
    """A joiner is a member of another group: that member key's signature over `former_statement` (protocol.md §12)."""

    member: shapes.Member
    sig: shapes.Bytes64


class AdmitBody(Record, frozen=True):
    """Someone comes in. The three signatures are over T (protocol.md §12), so nobody can be enrolled unasked."""

    invite: shapes.Op  # 32 zero bytes: without an invite
    rank: Rank
    alias: shapes.Alias
    card: Card
    join_nonce: shapes.Bytes32
    agreement_hash: shapes.Bytes32
    sig_invite: Annotated[bytes, Meta(max_length=64)]  # empty without an invite
    sig_member: shapes.Bytes64
    sig_dev: shapes.Bytes64
    former: Former | None  # exactly where the invite says who may come in by it
    approvals: Annotated[list[Approval], Meta(max_length=limits.APPROVALS_MAX)]
    epoch: EpochBlock | None


class RankBody(Record, frozen=True):
    """Promote or demote."""

    target: shapes.Member
    rank: Rank


class Cut(Record, frozen=True):
    """The last message of a device that the author of a removal had seen; (0, zeros) where it had seen none."""

    dev: shapes.Device
    mseq: shapes.MseqOrNone
    msg_id: shapes.Msg


class RemoveBody(Record, frozen=True):
    """Remove a member; `cuts` names each of their devices that the author knew."""

    target: shapes.Member
    cuts: Annotated[list[Cut], Meta(max_length=64)]
    reason: shapes.Reason
    epoch: EpochBlock


class LeaveBody(Record, frozen=True):
    """Leave; signed by the member key. `erase`: all that this member said, from whichever device, is taken back."""

    erase: bool


Allowed = Annotated[list[shapes.Member], Meta(max_length=limits.MEMBERS_MAX)]  # sorted, distinct


class InviteBody(Record, frozen=True):
    """An open door. Every member can read knocks (`knock_key`); only the holder of the code can sign one.

    `allow` names member keys of another group: then only they come in by it, each once. Empty: any holder of the code.
    """

    invite_pk: shapes.Invite
    knock_key: shapes.Bytes32
    role: Rank
    max_uses: Annotated[int, Meta(ge=1, le=limits.MEMBERS_MAX)]  # above INVITE_USES_MAX only as many as `allow` names
    expiry_hour: shapes.Count  # hours since 1970 in UTC
    approvals: Annotated[int, Meta(ge=0, le=limits.APPROVALS_MAX)]
    allow: Allowed


class UninviteBody(Record, frozen=True):
    """Close an invite."""

    invite: shapes.Op


class SettingsBody(Record, frozen=True):
    """Change settings of the group."""

    settings: Settings


class AgreementBody(Record, frozen=True):
    """A new version of the agreement."""

    version: Annotated[int, Meta(ge=1, le=2**32 - 1)]
    text: shapes.AgreementText


class RekeyBody(Record, frozen=True):
    """A fresh epoch and nothing else."""

    epoch: EpochBlock


class DeviceAddBody(Record, frozen=True):
    """A further device of a member; signed by the member key."""

    card: Card
    epoch: EpochBlock | None


class OpCut(Record, frozen=True):
    """The last operation of a device that still holds."""

    dseq: shapes.MseqOrNone
    op_id: shapes.Op


class DeviceRemoveBody(Record, frozen=True):
    """A device is gone for good: by its member's word (member key), a senior's, or its own (then without cuts)."""

    member: shapes.Member  # whose device it is
    dev: shapes.Device
    op_cut: OpCut | None
    message_cut: Cut | None
    epoch: EpochBlock | None


class ForkBody(Record, frozen=True):
    """A successor group, and which members of this one may join it by knocking with their old member key.

    All that is needed to find its door and to know the right one: whoever reads this could stand there and mislead.
    """

    new_gid: shapes.Group
    invite: shapes.Op
    seed: shapes.Bytes16  # of the invite's code
    expiry_hour: shapes.Count
    allow: Allowed


Body = (
    CreateBody
    | AdmitBody
    | RankBody
    | RemoveBody
    | LeaveBody
    | InviteBody
    | UninviteBody
    | SettingsBody
    | AgreementBody
    | RekeyBody
    | DeviceAddBody
    | DeviceRemoveBody
    | ForkBody
)

BODIES: Final[Mapping[OpType, type[Body]]] = MappingProxyType(
    {
        OpType.CREATE: CreateBody,
        OpType.ADMIT: AdmitBody,
        OpType.PROMOTE: RankBody,
        OpType.DEMOTE: RankBody,
        OpType.REMOVE: RemoveBody,
        OpType.LEAVE: LeaveBody,
        OpType.INVITE: InviteBody,
        OpType.UNINVITE: UninviteBody,
        OpType.SETTINGS: SettingsBody,
        OpType.AGREEMENT: AgreementBody,
        OpType.REKEY: RekeyBody,
        OpType.DEVICE_ADD: DeviceAddBody,
        OpType.DEVICE_REMOVE: DeviceRemoveBody,
        OpType.FORK: ForkBody,
    }
)


def epoch_block(body: Body) -> EpochBlock | None:
    """Return the epoch that a body carries, if any."""
    match body:
        case CreateBody() | RemoveBody() | RekeyBody():
            return body.epoch
        case AdmitBody() | DeviceAddBody() | DeviceRemoveBody():
            return body.epoch
        case _:
            return None
