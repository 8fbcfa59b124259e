"""What a person can ask of their mesh, as values: the local Api turns a method call into one of these.

Each is answered by exactly one `Answer` effect. Secrets that only the person's passphrase opens (the member
key's seed) travel as `Secret`, are used for this one command and never stored.
"""

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from mesh.ids import Address, DeviceId, GroupId, JoinId, MemberPk, OpId, PostId
from mesh.listening import ListeningCommand
from mesh.secret import Secret
from mesh.upkeep import Upkeep


class Rank(IntEnum):
    """Rank in a group; lower is more senior (protocol.md §4)."""

    FOUNDER = 0
    STEWARD = 10
    MODERATOR = 20
    MEMBER = 100
    NEWCOMER = 110


class Suite(IntEnum):
    """How epoch secrets are sealed to devices; fixed for a group's life (protocol.md §2)."""

    CLASSIC = 1
    HYBRID = 2


INVITE_HOURS_DEFAULT: Final = 72  # protocol.md §12


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateGroup:
    """Found a group. `join_nonce` (32 B) is what `member_seed` was derived with."""

    name: str
    about: str
    topics: tuple[str, ...]
    agreement: str
    alias: str
    suite: Suite
    settings: tuple[tuple[str, str], ...]
    join_nonce: bytes
    member_seed: Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class NewInvite:
    """Make an invite code. `approvals` None: 0 for one use, the group's default or 1 for more."""

    group: GroupId
    uses: int
    hours: int
    approvals: int | None
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeInvite:
    """Close an invite for good."""

    group: GroupId
    invite: OpId


@dataclass(frozen=True, slots=True, kw_only=True)
class StartJoin:
    """Look for the group behind a code: `code` is 38 B, decoded; `addresses` are the untrusted fragment's."""

    code: bytes
    addresses: tuple[Address, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreeJoin:
    """Accept the agreement that the preview showed, take an alias, and knock.

    `former_seed` is that of our member key in the group in which this was offered, where it was offered in one.
    """

    join: JoinId
    alias: str
    agreement_version: int
    join_nonce: bytes
    member_seed: Secret
    former_seed: Secret | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DropJoin:
    """Stop trying to join."""

    join: JoinId


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideKnock:
    """Let someone in who waits at the door, or decline."""

    group: GroupId
    knock: bytes
    admit: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Quoted:
    """A post that another quotes. From the group where that is said its id is enough; else the rest says what it is.

    `text`: its words; `hash` and `stays` as in `mesh.support.consent.Words`; `dev`, `mseq`: under what it came.
    """

    group: GroupId
    post: PostId
    text: str = ""
    author: MemberPk = MemberPk(bytes(32))
    hash: bytes = bytes(32)
    stays: bool = True
    dev: DeviceId = DeviceId(bytes(16))
    mseq: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """Say something. It waits as a draft until a member is there to take it (protocol.md §7)."""

    group: GroupId
    text: str
    mode: str
    cw: str
    topics: tuple[str, ...]
    reply_to: PostId | None
    no_history: bool = False  # newcomers are never to see it, whatever the group gives them
    expires_s: int | None = None  # every node forgets it so long after it was said; None: when the group does
    files: bytes = b""  # what `OfferFiles` gave, once all of it has been handed over
    quote: Quoted | None = None
    may_leave: bool = False  # its author lets it leave the group, until they take that back


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferFiles:
    """Begin to hand over what is to stand beside a post: (name, size in bytes) of each file. Its id is `Post.files`."""

    group: GroupId
    files: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GivePiece:
    """Hand over the next bytes of the files that were offered under an id, the first file first."""

    upload: bytes
    piece: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchFiles:
    """Fetch what is not here of a post's files, until all of it is."""

    group: GroupId
    post: PostId


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdraw:
    """Take a post of ours back. `place` is its key in Space.MESSAGES; the rest is what stands there, `mseq` 0: a draft.

    `flags` are those that the word which takes it back is to bear; `gone_ms` as in the row.
    """

    group: GroupId
    post: PostId
    place: bytes
    dev: DeviceId
    mseq: int
    uid: bytes
    ts_ms: int
    epoch: OpId
    flags: int
    gone_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeStatement:
    """State something of a form that is known here; `value` is the form's encoded record.

    `takes_back`: it only undoes what was stated of the same thing before; where there is nothing, nothing is said.
    """

    group: GroupId
    form: int
    subject: bytes
    value: bytes = field(repr=False)
    lasts_s: int = 0  # how long it counts; 0: as long as its form does
    takes_back: bool = False
    after_ms: int = 0  # it answers something that was said then, and is said later, whatever our clock says


@dataclass(frozen=True, slots=True, kw_only=True)
class SayNote:
    """Say something to members under seal: `value` is the encoded record of a tag that is known here."""

    group: GroupId
    tag: int
    to: tuple[MemberPk, ...]
    value: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseNote:
    """Note that a sealed note (author 32 B, id 16 B) has been dealt with, or (`closed` False) has not after all."""

    group: GroupId
    note: bytes
    closed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallNote:
    """Take back a report or an appeal of one's own (author 32 B, id 16 B): who was told it is told so under seal."""

    group: GroupId
    note: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkRead:
    """The person has seen these (keys in Space.MESSAGES)."""

    keys: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SetRank:
    """Promote or demote a member; or step down oneself, with the seed of the member key."""

    group: GroupId
    member: MemberPk
    rank: Rank
    member_seed: Secret | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldBack:
    """Object to a newcomer's becoming a member by itself, or (`holds` False) no longer."""

    group: GroupId
    member: MemberPk
    holds: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveMember:
    """Remove a member and re-key, in one operation."""

    group: GroupId
    member: MemberPk
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaveGroup:
    """Leave. `wipe`: also forget all that this store holds of the group; `now`: even if nobody has heard of it."""

    group: GroupId
    member_seed: Secret
    wipe: bool
    now: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rekey:
    """Start a new epoch now."""

    group: GroupId


@dataclass(frozen=True, slots=True, kw_only=True)
class SetSetting:
    """Change a setting of the whole group (stewards), or one of our own in it (`own`)."""

    group: GroupId
    key: str
    value: str
    own: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmGroup:
    """Take the word of whoever let us in that the group is as we have it, and let go out what waited."""

    group: GroupId


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAgreement:
    """Publish a new version of the group's agreement."""

    group: GroupId
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmMember:
    """Keep that a member's key was compared with them over another channel, and was the same."""

    group: GroupId
    member: MemberPk


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferFork:
    """Found a successor to a group, and offer it to its members but these."""

    group: GroupId
    name: str
    alias: str
    without: tuple[MemberPk, ...]
    join_nonce: bytes
    member_seed: Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferForkAgain:
    """Offer a successor that stands already once more, to those members of the old group who have not come."""

    group: GroupId
    successor: GroupId
    without: tuple[MemberPk, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowFork:
    """Begin to look for a successor that the operation `fork` offers."""

    group: GroupId
    fork: OpId


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclineFork:
    """Be reminded no more of a successor that was offered."""

    group: GroupId
    fork: OpId


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferTalk:
    """Found a group for two, and ask a member into it under seal. Where one stands with them, that is the answer."""

    group: GroupId
    member: MemberPk
    name: str
    alias: str
    join_nonce: bytes
    member_seed: Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptTalk:
    """Come into a group for two that was offered. `former_seed` is that of our key in the group where it was."""

    group: GroupId
    talk: GroupId
    alias: str
    join_nonce: bytes
    member_seed: Secret
    former_seed: Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclineTalk:
    """Do not talk; nobody is told."""

    group: GroupId
    talk: GroupId


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownAddress:
    """Try this address too (`up --peer`)."""

    address: Address


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepOwn:
    """Write down what is one's own: keys in Space.OWN with their values, None to forget. Nobody is told."""

    changes: tuple[tuple[bytes, bytes | None], ...] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearPosts:
    """Forget here what these posts of others said: rows of Space.MESSAGES as they were read. Nobody is told."""

    group: GroupId
    rows: tuple[tuple[bytes, bytes], ...] = field(repr=False)


Command = (
    CreateGroup
    | NewInvite
    | RevokeInvite
    | StartJoin
    | AgreeJoin
    | DropJoin
    | DecideKnock
    | Post
    | Withdraw
    | OfferFiles
    | GivePiece
    | FetchFiles
    | MakeStatement
    | SayNote
    | CloseNote
    | RecallNote
    | MarkRead
    | SetRank
    | HoldBack
    | RemoveMember
    | LeaveGroup
    | Rekey
    | SetSetting
    | ConfirmGroup
    | SetAgreement
    | ConfirmMember
    | OfferFork
    | OfferForkAgain
    | FollowFork
    | DeclineFork
    | OfferTalk
    | AcceptTalk
    | DeclineTalk
    | ListeningCommand
    | KnownAddress
    | KeepOwn
    | ClearPosts
    | Upkeep
)
