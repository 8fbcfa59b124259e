"""What an operation says about who belongs, as plain data: the record that `resolve` takes."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from mesh.commands import Rank
from mesh.ids import DeviceId, MemberPk, OpId
from mesh.wire.operations import ZERO32, OpType

GRANTS: Final = frozenset({OpType.CREATE, OpType.ADMIT, OpType.PROMOTE, OpType.DEMOTE})
BRINGS_IN: Final = frozenset({OpType.CREATE, OpType.ADMIT, OpType.DEVICE_ADD})
NOTHING: Final = OpId(ZERO32)  # as `cut`: nothing that the device wrote holds
_NO_SETTINGS: Final[Mapping[str, str]] = MappingProxyType({})


class Approved(msgspec.Struct, frozen=True, kw_only=True):
    """One member's yes to a joiner, inside an admit: by which device, exercising which grant."""

    grant: OpId
    dev: DeviceId


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """One operation. Ids are any distinct bytes (here: 32 B operations and members, 16 B devices).

    Which of the later fields say something depends on `type`; the others keep their defaults.

    - create, admit, device_add: `member` gets in, or has, the device `device`
    - create, admit, promote, demote: `member` is granted `rank`
    - remove: `member` is who goes; device_remove: `member` is whose device `device` goes
    - invite: `rank` is its role; `uses` and `approvals_needed` its terms; `allow` are member keys of another group, of
      whom each may come in once (none: anybody may). admit and uninvite: `invite` names it
    - admit: `former` is the one of `allow` that the joiner was shown to hold
    - device_remove: `cut` is the last operation of the device that holds, NOTHING if none does, None if the device
      goes by itself, which says nothing about what it wrote
    - an act with an epoch: `recipients` and `dormant`, the devices that it lists
    """

    op_id: OpId
    type: OpType
    dev: DeviceId
    dseq: int  # 1 for a device's first act, then one more each time
    dprev: OpId
    deps: tuple[OpId, ...]  # the heads that its author had seen, sorted
    auth: OpId  # the grant that is exercised
    gen: int  # 1 + the greatest gen of the deps; 1 in a create
    member: MemberPk | None = None
    device: DeviceId | None = None
    rank: Rank | None = None
    invite: OpId | None = None
    uses: int = 0
    approvals_needed: int = 0
    approvals: tuple[Approved, ...] = ()
    allow: tuple[MemberPk, ...] = ()
    former: MemberPk | None = None
    cut: OpId | None = None
    settings: Mapping[str, str] = _NO_SETTINGS
    recipients: tuple[DeviceId, ...] | None = None
    dormant: tuple[DeviceId, ...] = ()
    alias: str = ""

    @property
    def granted_rank(self) -> Rank:
        """The rank that a grant gives; asking a non-grant is a bug."""
        assert self.type in GRANTS, "not a grant"
        assert self.rank is not None
        return self.rank

    @property
    def subject(self) -> MemberPk:
        """The member whom this act is about; asking an act that is about none is a bug."""
        assert self.member is not None
        return self.member

    @property
    def named_device(self) -> DeviceId:
        """The device that comes in or goes by this act; asking an act that names none is a bug."""
        assert self.device is not None
        return self.device

    @property
    def named_invite(self) -> OpId:
        """The invite that this act closes; asking an act that names none is a bug."""
        assert self.invite is not None
        return self.invite
