"""What a set of operations says of a group: who is in, at what rank, with which devices, invites and settings."""

from collections.abc import Mapping
from dataclasses import dataclass

from mesh.commands import Rank
from mesh.ids import DeviceId, MemberPk, OpId
from mesh.wire.operations import InviteBody


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One who is in. `grant` is the live grant that gives `rank`; `admitted` the one that first let them in."""

    pk: MemberPk
    alias: str
    rank: Rank
    grant: OpId
    admitted: OpId
    invited_by: MemberPk | None
    devices: tuple[DeviceId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Invite:
    """An invite that stands in the log. `joiners` are the distinct members that came in by it."""

    op_id: OpId
    body: InviteBody
    issuer: MemberPk
    open: bool
    joiners: tuple[MemberPk, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """The group as one set of operations has it. The same set gives the same view, on every node."""

    members: Mapping[MemberPk, Member]
    devices: Mapping[DeviceId, MemberPk]
    departed: Mapping[MemberPk, OpId]  # once in, now out, and the operation that says so
    invites: Mapping[OpId, Invite]
    settings: Mapping[str, str]
    agreement: OpId  # the operation that holds the text in force
    valid: int  # mask of the operations that count

    def member_of(self, dev: DeviceId) -> Member | None:
        """Return the member whose current device this is."""
        pk = self.devices.get(dev)
        return None if pk is None else self.members[pk]
