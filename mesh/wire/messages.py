"""Messages in a group, as records (protocol.md §7): the signed part, and one body record for each kind."""

from collections.abc import Mapping
from enum import IntEnum, IntFlag
from types import MappingProxyType
from typing import Annotated, Final

from msgspec import Meta

from mesh.wire import limits, shapes
from mesh.wire.codec import Record


class Kind(IntEnum):
    """What a message is. A number that is not here is kept and shown as "needs a newer version"."""

    POST = 1
    KEYUP = 2
    RECEIPT = 3
    PRESENCE = 4
    BEACON = 5
    STRANDED = 6
    APPROVAL = 7
    OBJECTION = 8
    NOTE = 9
    WITHDRAWAL = 10
    STATEMENT = 11


class Flag(IntFlag):
    """Wishes of the author that honest nodes keep."""

    NO_HISTORY = 1  # do not show to those who join later
    STAY_HERE = 2  # do not take out of the group without consent


class MessageTbs(Record, frozen=True):
    """The signed part of a message; `prev` and `parents` are msg ids, `heads` operation ids."""

    version: Annotated[int, Meta(ge=1, le=1)]
    gid: shapes.Group
    epoch: shapes.Op
    dev: shapes.Device
    i: Annotated[int, Meta(ge=0, lt=limits.CHAIN_LENGTH_MAX)]  # place in this device's chain of this epoch
    mseq: shapes.Mseq  # this device's messages in this group, across epochs, from 1
    uid: shapes.Bytes16
    kind: Annotated[int, Meta(ge=1, le=65535)]
    prev: shapes.Msg  # this device's message mseq − 1; zeros at mseq 1
    parents: Annotated[list[shapes.Msg], Meta(max_length=limits.PARENTS_MAX)]
    heads: Annotated[list[shapes.Op], Meta(min_length=1, max_length=limits.HEADS_MAX)]  # sorted
    ts_ms: shapes.Millis  # for display only
    flags: Annotated[int, Meta(ge=0, le=2**16 - 1)]
    body: Annotated[bytes, Meta(max_length=limits.MESSAGE_BYTES_MAX)]


class SignedMessage(Record, frozen=True):
    """The plaintext of a message's body: hash and verify these very bytes."""

    tbs: Annotated[bytes, Meta(max_length=limits.MESSAGE_BYTES_MAX)]
    sig: shapes.Bytes64


class Mode(IntEnum):
    """How the author of a post wants to be heard (docs/glossary.md, "mode")."""

    LISTENING = 0
    EXPERIENCE = 1
    ADVICE = 2
    RESOURCES = 3


class Extra(Record, frozen=True):
    """An addition that later versions define; one that does not know `tag` says that something is not shown."""

    tag: Annotated[int, Meta(ge=1, le=65535)]
    value: Annotated[bytes, Meta(max_length=limits.MESSAGE_BYTES_MAX)]


class ExtraTag(IntEnum):
    """Additions to a post that this version knows."""

    EXPIRES = 1  # u32be, 4 B: seconds after its place when every node forgets it; 1 to EXPIRES_S_MAX
    FILES = 2  # `mesh.wire.files.FilesValue`
    QUOTE = 3  # `QuoteValue`


class QuoteValue(Record, frozen=True):
    """What a post quotes: a post of this group by its id, or words from another group by themselves.

    Of words from elsewhere nothing else is said: not whose they are, nor whence (decision 0031).
    """

    post: Annotated[bytes, Meta(max_length=16)]  # post id; empty: from elsewhere
    text: Annotated[str, shapes.text(limits.QUOTE_TEXT_BYTES_MAX)]  # from elsewhere; else empty


class PostBody(Record, frozen=True):
    """Kind 1: something said."""

    mode: Mode
    cw: shapes.Warning_  # label of a content warning, empty for none
    topics: Annotated[list[shapes.TopicName], Meta(max_length=limits.TOPICS_MAX)]
    text: shapes.PostText
    reply_to: Annotated[bytes, Meta(max_length=16)]  # post id, or empty
    extras: Annotated[list[Extra], Meta(max_length=16)]


class KeyupBody(Record, frozen=True):
    """Kind 2: a fresh KEM key of this device."""

    kem_number: shapes.KemNumber
    kem_pk: shapes.KemPk


_Span = Annotated[list[shapes.Mseq], Meta(min_length=2, max_length=2)]


class Reached(Record, frozen=True):
    """The messages of this device in these spans (first, last) came and could be read; nothing is said above `mseq`.

    `mseq` and `name` (16 B: the beginning of its msg id) are those of its newest post that came: a device that was put
    back to an old copy gives numbers anew, and this tells which of its messages are meant.
    """

    dev: shapes.Device
    spans: Annotated[list[_Span], Meta(max_length=limits.RECEIPT_SPANS_MAX)]
    mseq: shapes.Mseq
    name: shapes.Bytes16


class ReceiptBody(Record, frozen=True):
    """Kind 3: what the author has received; never itself acknowledged."""

    reached: Annotated[list[Reached], Meta(max_length=limits.RECEIPT_DEVICES_MAX)]


class BeaconBody(Record, frozen=True):
    """Kind 5: nothing. What it says, its author's signature over `heads` says."""


class StrandedBody(Record, frozen=True):
    """Kind 6: the epoch with this nonce lists this device, which has no key of it; see `mesh.peer.stranding`."""

    nonce: shapes.Bytes32


class ApprovalBody(Record, frozen=True):
    """Kind 7: its author's yes to somebody who knocks; `sig` is that of an `Approval` in an admit."""

    invite: shapes.Op
    statement: shapes.Bytes32  # T of the knock
    grant: shapes.Op
    sig: shapes.Bytes64


class ObjectionBody(Record, frozen=True):
    """Kind 8: its author objects to a newcomer's being raised by itself after 72 hours, or no longer does."""

    target: shapes.Member
    holds: bool


class PresenceBody(Record, frozen=True):
    """Kind 4: where this device can be reached, whether invites may carry that, and whether it gives receipts."""

    addresses: Annotated[list[shapes.AddressText], Meta(max_length=limits.ADDRESSES_MAX)]
    in_invites: bool
    receipts: bool


class NoteBody(Record, frozen=True):
    """Kind 9: something for one member alone: its key sealed to each of their devices, among dummies, and the text."""

    wraps: Annotated[
        list[Annotated[bytes, Meta(max_length=1300)]], Meta(min_length=limits.NOTE_WRAPS, max_length=limits.NOTE_WRAPS)
    ]
    sealed: Annotated[bytes, Meta(min_length=limits.NOTE_SEALED_BYTES, max_length=limits.NOTE_SEALED_BYTES)]


class WithdrawalBody(Record, frozen=True):
    """Kind 10: its author takes back the post of this device, number, uid and time, which was sealed under `epoch`."""

    dev: shapes.Device
    mseq: shapes.Mseq
    uid: shapes.Bytes16
    ts_ms: shapes.Millis
    epoch: shapes.Op


class StatementBody(Record, frozen=True):
    """Kind 11: not shown as a message; it changes something that follows from all that was stated, as its form says.

    `subject` is what it is about: a post id, say. A form that is not known here is kept, and changes nothing.
    """

    form: Annotated[int, Meta(ge=1, le=65535)]
    subject: Annotated[bytes, Meta(max_length=limits.STATEMENT_SUBJECT_BYTES_MAX)]
    lasts_s: Annotated[int, Meta(ge=0, le=limits.EXPIRES_S_MAX)]  # how long it counts; 0: it has no end of its own
    value: Annotated[bytes, Meta(max_length=limits.STATEMENT_VALUE_BYTES_MAX)]  # the form's own record


MESSAGE_BODIES: Final[Mapping[Kind, type[Record]]] = MappingProxyType(
    {
        Kind.POST: PostBody,
        Kind.KEYUP: KeyupBody,
        Kind.RECEIPT: ReceiptBody,
        Kind.PRESENCE: PresenceBody,
        Kind.BEACON: BeaconBody,
        Kind.STRANDED: StrandedBody,
        Kind.APPROVAL: ApprovalBody,
        Kind.OBJECTION: ObjectionBody,
        Kind.NOTE: NoteBody,
        Kind.WITHDRAWAL: WithdrawalBody,
        Kind.STATEMENT: StatementBody,
    }
)
