"""What the hall keeps in the store: messages for reading, drafts, joins, knocks, contacts, frontiers."""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta

from mesh.wire import limits, shapes
from mesh.wire.codec import Record
from mesh.wire.frames import FrameType
from mesh.wire.invites import Addresses, Door
from mesh.wire.keepers import Days, Quota, Topic
from mesh.wire.messages import SignedMessage
from mesh.wire.operations import Approval
from mesh.wire.pairing import HomeEntry

_Span = Annotated[list[shapes.Mseq], Meta(min_length=2, max_length=2)]


class RangesRecord(Record, frozen=True):
    """A frontier as it is stored."""

    contiguous: shapes.MseqOrNone
    beyond: list[_Span]


class SpellRecord(Record, frozen=True):
    """From `mseq` on, under this epoch."""

    mseq: shapes.Mseq
    epoch: shapes.Op


class TrackRecord(Record, frozen=True):
    """Which messages of a device are here (`have`), which are here or not for us (`sure`), and the highest one."""

    have: RangesRecord
    sure: RangesRecord
    claimed: shapes.MseqOrNone  # up to here nothing is for us, says whoever welcomed us
    top: shapes.MseqOrNone
    top_id: shapes.Msg  # a removal's cut names it
    spells: list[SpellRecord]
    owes: bool  # one of them was shown since our last receipt
    heads: list[shapes.Op]  # the operations that the author of the highest one had seen
    keyup: SignedMessage | None  # the newest one of this device, as its author signed it
    past: RangesRecord  # what a member handed on: it is here to be read, and its frame is not
    heard_ms: shapes.Millis  # when its author last spoke, as far as they can be believed
    presence: shapes.MseqOrNone  # the number of the newest presence of it
    quiet: bool  # in which it says that it gives no receipts
    gone: RangesRecord  # numbers whose messages were forgotten here, or came too late to be kept
    passed: RangesRecord  # numbers under which something came that was not kept
    aged: shapes.MseqOrNone  # up to here no frame is kept for repair
    mark: shapes.MseqOrNone  # the highest one when we last looked
    mark_ms: shapes.Millis  # and when that was; 0: never
    post: shapes.MseqOrNone  # its newest post that came
    post_id: shapes.Msg
    doubted: shapes.MseqOrNone  # up to here another message than ours may stand under a number at its author's


class OriginRecord(Record, frozen=True):
    """What else stood in a message as its author signed it: with the rest of its `MessageRecord` it can be proved."""

    epoch: shapes.Op
    i: shapes.Count
    uid: shapes.Bytes16
    prev: shapes.Msg
    parents: Annotated[list[shapes.Msg], Meta(max_length=limits.PARENTS_MAX)]
    heads: Annotated[list[shapes.Op], Meta(max_length=limits.HEADS_MAX)]
    sig: shapes.Bytes64


class MessageRecord(Record, frozen=True):
    """A message for reading. `at_ms` places it, `ts_ms` is what its author's clock said; mseq 0: our own draft."""

    post: shapes.PostRef
    msg_id: shapes.Msg  # zeros for a draft
    dev: shapes.Device
    member: shapes.Member
    kind: shapes.Count
    mseq: shapes.MseqOrNone
    at_ms: shapes.Millis
    ts_ms: shapes.Millis
    seen_ms: shapes.Millis  # our clock when it came here
    flags: shapes.Count
    body: bytes
    origin: OriginRecord | None  # None for a draft
    handed_on: bool  # a member handed it on later: it did not come here when it was said
    gone_ms: shapes.Millis  # when it ends by its own word; 0: when the group forgets it


class ExpiryRecord(Record, frozen=True):
    """A message that ends by its own word: its key in Space.MESSAGES, and under which number its frame is here."""

    place: Annotated[bytes, Meta(min_length=56, max_length=64)]
    dev: shapes.Device
    mseq: shapes.MseqOrNone


class SourceRecord(Record, frozen=True):
    """Whence a post of ours quotes somebody's words: a post of another group. It never leaves this node."""

    gid: shapes.Group
    post: shapes.PostRef
    author: shapes.Member
    words: shapes.Bytes32
    stays: bool
    dev: shapes.Device
    mseq: shapes.MseqOrNone


class DraftRecord(Record, frozen=True):
    """Typed and not yet sealed. `source`: it goes out while the words that it quotes may leave their group."""

    post: shapes.PostRef
    uid: shapes.Bytes16
    kind: shapes.Count
    ts_ms: shapes.Millis
    at_ms: shapes.Millis  # where it stands for our own reading until it is sealed
    flags: shapes.Count
    body: bytes
    gone_ms: shapes.Millis  # when it ends by its own word; 0: when the group forgets it
    source: SourceRecord | None


class FilesRecord(Record, frozen=True):
    """Which chunks of a post's files are here: a bit for each, the lowest first, counted through all of its files.

    `key`: of the post in Space.MESSAGES; empty while it is being written. `wanted`: the rest is to be fetched.
    """

    key: Annotated[bytes, Meta(max_length=64)]
    under: shapes.PostRef  # by which its chunks are stored: the post, or what it was called in a former membership
    total: shapes.Count
    here: Annotated[bytes, Meta(max_length=limits.CHUNKS_OF_FILE_MAX)]
    wanted: bool
    by: shapes.Member  # whose post it is


class JoinStage(StrEnum):
    """How far an attempt to join has come."""

    LOOKING = "looking"
    PREVIEW = "preview"
    KNOCKING = "knocking"
    JOINED = "joined"
    REFUSED = "refused"
    EXPIRED = "expired"


class KnockKeys(Record, frozen=True):
    """What a joiner must keep while knocking; gone once the welcome is in."""

    dev_seed: shapes.Bytes32
    kem_private: bytes
    knock: bytes  # encoded KnockBody


class OfferRecord(Record, frozen=True):
    """Where the code of an attempt to join comes from: a member of `parent` offered it there, to our key in it.

    `gid` and `invite` are what must stand behind it. `discreet`: it is looked for at the keepers of `parent` alone.
    """

    parent: shapes.Group
    gid: shapes.Group
    invite: shapes.Op
    discreet: bool


class JoinRecord(Record, frozen=True):
    """An attempt to join. `preview` is the frame as it came; `keys` stand from the knock until the welcome.

    Refused at an open door: it was answered, and we are in already. Entering again would have cost what we are there.
    With an `offer`, a `door` that is not open is what somebody said there, and ends nothing.
    """

    join: shapes.Bytes16
    code: Annotated[bytes, Meta(min_length=38, max_length=38)]
    addresses: Addresses
    stage: JoinStage
    started_ms: shapes.Millis
    preview: bytes
    door: Door
    keys: KnockKeys | None
    offer: OfferRecord | None


class TalkRecord(Record, frozen=True):
    """A conversation of two that was offered in a group: by us (`mine`) to `member`, or by them to us.

    `told`: our note is out. `preview` and `addresses` came with theirs. `declined`: we do not want to be asked again.
    """

    member: shapes.Member
    mine: bool
    code: Annotated[bytes, Meta(min_length=38, max_length=38)]
    preview: Annotated[bytes, Meta(max_length=limits.NOTE_PLAIN_BYTES)]
    addresses: Addresses
    at_ms: shapes.Millis
    told: bool
    declined: bool


class NoteRecord(Record, frozen=True):
    """What was said under seal: by us (`mine`; `waits`: to whom it has not gone out, `told`: to whom it has), or to us.

    `closed_ms`: since when the person here has dealt with it; 0: they have not.
    """

    tag: shapes.Count
    value: Annotated[bytes, Meta(max_length=limits.NOTE_VALUE_BYTES_MAX)]
    by: shapes.Member
    mine: bool
    waits: Annotated[list[shapes.Member], Meta(max_length=limits.NOTE_READERS_MAX)]
    told: Annotated[list[shapes.Member], Meta(max_length=limits.NOTE_READERS_MAX)]
    at_ms: shapes.Millis  # when it was typed, or came here
    closed_ms: shapes.Millis


class ListenRecord(Record, frozen=True):
    """A talk with a listener that was asked for in a group, by us (`mine`) or of us; the group for it is the key.

    We ask each volunteer into a group of their own; `ask` is the same for all of one asking. `member` is whom we asked
    until they are told, or who asks us until it is answered. `invite` is what the code opens. `said_ms` is when it was
    asked, by its author's clock; `earlier_ms`: since when those were here that this one took the place of.
    """

    ask: shapes.Bytes16
    mine: bool
    member: shapes.Member | None
    code: Annotated[bytes, Meta(min_length=38, max_length=38)]
    invite: shapes.Op
    topic: str
    mode: shapes.Count
    minutes: shapes.Count
    kept: bool  # keepers carry it, and no other link does
    addresses: Addresses
    at_ms: shapes.Millis
    said_ms: shapes.Millis
    earlier_ms: Annotated[list[shapes.Millis], Meta(max_length=limits.ASKINGS_MAX)]
    told: bool  # our note is out
    declined: bool  # we put it aside
    taken: bool  # somebody else was there before us
    opened_ms: shapes.Millis  # since when both are in; 0: they are not
    ended_ms: shapes.Millis  # 0: it has not ended
    seen: bool  # the person has been told how it ended


class KnockRecord(Record, frozen=True):
    """A knock that waits for a person, or was `declined` by one here (and is then kept without its frame).

    With neither, only its approvals came so far.
    """

    frame: Annotated[bytes, Meta(max_length=limits.KNOCK_PADDED_BYTES + 512)]
    alias: shapes.Alias
    invite: shapes.Op
    at_ms: shapes.Millis
    declined: bool
    approvals: list[Approval]


class ProofRecord(Record, frozen=True):
    """What shows that a device signed two messages under one number: the one that stands here, and another.

    The other bears the number too, or bears the next one and follows a message that is not the first. The first is None
    where it was not remembered any more.
    """

    mseq: shapes.Mseq
    first: SignedMessage | None
    second: SignedMessage
    at_ms: shapes.Millis  # when the second came


class VerifiedRecord(Record, frozen=True):
    """The person here compared a member's key with them."""

    at_ms: shapes.Millis


class ObjectionRecord(Record, frozen=True):
    """What a device said last of a newcomer; `mseq` 0: our own word, which nobody has been told of."""

    mseq: shapes.MseqOrNone
    ts_ms: shapes.Millis
    holds: bool


class HomeRecord(Record, frozen=True):
    """A home of this identity: `own`, this one; or another, as it was told when the two were paired."""

    own: bool
    entry: HomeEntry


class ContactRecord(Record, frozen=True):
    """Where a device can be reached, and whether invites may carry these addresses.

    `mseq` numbers the presence message that said so (0: somebody else did), so that the newest one counts whatever the
    device's clock says.
    """

    addresses: Addresses
    in_invites: bool
    mseq: shapes.MseqOrNone


class KeeperRecord(Record, frozen=True):
    """Ourselves as a keeper: whether we are one, what our tickets are made with, how many bytes and days we keep."""

    on: bool
    secret: shapes.Bytes32
    quota: Quota
    days: Days


class NamedTopic(Record, frozen=True):
    """A topic that an account has us keep, and when it was named last."""

    topic: Topic
    named_ms: shapes.Millis


class AccountRecord(Record, frozen=True):
    """An account that others have with us, or one that a member has `aside` of it: topics, named longest ago first."""

    quota: Quota
    days: Days
    aside: bool
    topics: Annotated[list[NamedTopic], Meta(max_length=limits.KEPT_TOPICS_MAX)]


class SizeRecord(Record, frozen=True):
    """What lies in KEPT under the same key, and for which accounts."""

    type: FrameType
    size: shapes.Count
    accounts: Annotated[list[shapes.Bytes16], Meta(max_length=limits.KEPT_HOLDERS_MAX)]
