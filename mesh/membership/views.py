"""What a set of acts says of a group: who is in, at what rank, with which devices, invites and settings."""

from collections.abc import Mapping
from dataclasses import dataclass

from mesh.commands import Rank
from mesh.ids import DeviceId, MemberPk, OpId


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
    """An invite that counts. Who came in by it, `Graph.joiners` knows."""

    op_id: OpId
    issuer: MemberPk
    open: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """The group as one set of acts has it. The same set gives the same view, on every node."""

    members: Mapping[MemberPk, Member]
    devices: Mapping[DeviceId, MemberPk]
    departed: Mapping[MemberPk, OpId]  # once in, now out, and the act that says so
    lost: Mapping[DeviceId, tuple[OpId, ...]]  # devices of members that were taken away, and the acts that say so
    invites: Mapping[OpId, Invite]
    settings: Mapping[str, str]
    agreement: OpId  # the act that holds the text in force
    valid: int  # mask of the acts that count

    def member_of(self, dev: DeviceId) -> Member | None:
        """Return the member whose current device this is."""
        pk = self.devices.get(dev)
        return None if pk is None else self.members[pk]
