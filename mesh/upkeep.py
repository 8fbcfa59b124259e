"""What a person can ask about their own homes and devices, and about keepers: the rest of `mesh.commands`."""

from dataclasses import dataclass

from mesh.ids import Address, DeviceId, GroupId, HomeId
from mesh.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPairing:
    """Let a home with the same root ask for our groups, under a key (32 B) of root and code; any earlier code is void.

    `name` is what it is to be called, `own_name` what this one is; empty: as it is, or by number.
    """

    key: Secret
    name: str
    own_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StartEntering:
    """Ask the home that showed a code for its groups; `addresses` are the untrusted fragment's."""

    key: Secret
    addresses: tuple[Address, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EnterGroup:
    """Add this device to the group whose log has come, by the member key. What hinders it is kept for the report."""

    group: GroupId
    member_seed: Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class EndEntering:
    """Ask no further."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveDevice:
    """Take another device of ours out of a group and re-key, in one operation."""

    group: GroupId
    device: DeviceId
    member_seed: Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgetHome:
    """Forget a home of ours: its devices are out of every group that is here."""

    home: HomeId


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnKeeperOn:
    """Keep sealed frames for those who hold a ticket of ours: so many bytes in all, each for so many days.

    None: as before, or the default.
    """

    quota: int | None = None
    days: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnKeeperOff:
    """Keep nothing for others any more, and forget what is here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueTicket:
    """Make a keeper ticket: so many bytes (None: the default), at these addresses of ours."""

    quota: int | None
    note: str
    addresses: tuple[Address, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AddKeeper:
    """Have a group use a keeper, by its ticket (text)."""

    group: GroupId
    ticket: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DropKeeper:
    """Have a group use a keeper no more; `keeper` is its 8 B id."""

    group: GroupId
    keeper: bytes


Upkeep = (
    OpenPairing
    | StartEntering
    | EnterGroup
    | EndEntering
    | RemoveDevice
    | ForgetHome
    | TurnKeeperOn
    | TurnKeeperOff
    | IssueTicket
    | AddKeeper
    | DropKeeper
)
