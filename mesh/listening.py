"""What a person can ask of their mesh about listeners, as values; `mesh.commands` names them among all others."""

from dataclasses import dataclass

from mesh.ids import GroupId, MemberPk
from mesh.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """Under what one founds a group for two: nothing of it is ever used a second time. `join_nonce`: 32 B."""

    name: str
    alias: str
    join_nonce: bytes
    member_seed: Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class AskListener:
    """Ask some of these volunteers of a group for a talk. `seats`: one for each who can be asked at once.

    `direct`: let the two nodes link with each other where the group has no keeper.
    """

    group: GroupId
    volunteers: tuple[MemberPk, ...]
    topic: str
    mode: str
    minutes: int
    direct: bool
    seats: tuple[Seat, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SeekTalk:
    """Look for the talk that we were asked for, so as to listen. `direct`: also where the two nodes will be linked."""

    group: GroupId
    talk: GroupId
    direct: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EnterTalk:
    """Knock there, once it was found. `former_seed` is that of our key in the group where we were asked."""

    group: GroupId
    talk: GroupId
    alias: str
    join_nonce: bytes
    member_seed: Secret
    former_seed: Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class EndListening:
    """End a talk with a listener, take back what one asked, or put aside what one was asked. No reason is told."""

    group: GroupId
    talk: GroupId


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenListening:
    """The person has been told how these talks ended."""

    group: GroupId
    talks: tuple[GroupId, ...]


ListeningCommand = AskListener | SeekTalk | EnterTalk | EndListening | SeenListening
