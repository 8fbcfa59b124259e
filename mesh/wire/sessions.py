"""What two members say to each other under a sync session's seal (protocol.md §10, network.md §4)."""

from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType
from typing import Annotated, Final

from msgspec import Meta

from mesh.wire import limits, shapes
from mesh.wire.codec import Record
from mesh.wire.invites import Frontier, OpBundle
from mesh.wire.messages import SignedMessage


class ProofBody(Record, frozen=True):
    """A device's proof that it is at this end of this very link."""

    dev: shapes.Device
    sig: shapes.Bytes64


class SessionType(IntEnum):
    """The first byte under the seal."""

    STATE = 1
    WANT_OPS = 2
    OPS = 3
    WANT_MESSAGES = 4
    ANSWERED = 5
    WANT_HISTORY = 6
    HISTORY = 7
    KEYUPS = 8
    NOT_IN = 9
    WANT_CHUNKS = 10
    CHUNKS_SENT = 11
    WANT_STATEMENTS = 12
    STATEMENTS = 13


Heads = Annotated[list[shapes.Op], Meta(max_length=limits.STATE_HEADS_MAX)]


class StateBody(Record, frozen=True):
    """How far this device has come: heads of the operations, frontier of the messages."""

    heads: Heads
    frontier: Frontier


class WantOpsBody(Record, frozen=True):
    """Please send the operations that these heads do not cover."""

    heads: Heads


class OpsBody(Record, frozen=True):
    """Operations, each after those it depends on."""

    ops: Annotated[list[OpBundle], Meta(max_length=4096)]


class Span(Record, frozen=True):
    """Messages `first` to `last` of a device, both included."""

    dev: shapes.Device
    first: shapes.Mseq
    last: shapes.Mseq


class WantMessagesBody(Record, frozen=True):
    """Please send these messages; the answer ends with ANSWERED and this number."""

    ticket: shapes.Count
    spans: Annotated[list[Span], Meta(max_length=limits.WANT_RANGES_MAX)]


class ClosedSpan(Record, frozen=True):
    """Messages that were sealed under an epoch which the asker was not in, so that it could not open them."""

    dev: shapes.Device
    first: shapes.Mseq
    last: shapes.Mseq


class AnsweredBody(Record, frozen=True):
    """All that this node had of a request has been sent; `closed` is what the asker cannot open."""

    ticket: shapes.Count
    closed: Annotated[list[ClosedSpan], Meta(max_length=limits.WANT_MESSAGES_MAX)]


Place = Annotated[bytes, Meta(max_length=32)]  # of a message in the pages of whoever hands it on; empty: the end


class WantHistoryBody(Record, frozen=True):
    """Please hand on what I may have and hold no key for, of what stands before a place; empty: the newest first."""

    ticket: shapes.Count
    before: Place
    have: Frontier  # messages that are here already


class HistoryBody(Record, frozen=True):
    """Messages as their authors signed them, oldest first. `before`: where to ask on; empty: there is no more."""

    ticket: shapes.Count
    before: Place
    messages: Annotated[list[SignedMessage], Meta(max_length=limits.HISTORY_MESSAGES_MAX)]


class KeyupsBody(Record, frozen=True):
    """The newest key-up of each device, as its author signed it, for one who was away."""

    keyups: Annotated[list[SignedMessage], Meta(max_length=limits.FRONTIER_DEVICES_MAX)]


class NotInBody(Record, frozen=True):
    """You called, and as far as I know your device is not in this group."""

    nonce: shapes.Bytes24  # of the call


class WantChunksBody(Record, frozen=True):
    """Please send what you have of these chunks of a post's files; the answer ends with CHUNKS_SENT and this number."""

    ticket: shapes.Count
    post: shapes.PostRef
    chunks: Annotated[list[shapes.Bytes32], Meta(min_length=1, max_length=limits.CHUNKS_ASKED_MAX)]


class ChunksSentBody(Record, frozen=True):
    """All that this node had of a request for chunks has been sent."""

    ticket: shapes.Count


Stood = Annotated[bytes, Meta(max_length=34)]  # key of a statement: form u16, device, mseq u64, 8 B of its msg id


class WantStatementsBody(Record, frozen=True):
    """Please hand on what stands, beyond a key (empty: all of it), unless it is what this hash says that we have."""

    ticket: shapes.Count
    after: Stood
    have: shapes.Bytes32


class StatementsBody(Record, frozen=True):
    """Statements as their authors signed them, in the order of their keys. `after`: where to ask on; empty: no more."""

    ticket: shapes.Count
    after: Stood
    messages: Annotated[list[SignedMessage], Meta(max_length=limits.STATEMENTS_OF_PAGE_MAX)]


SessionBody = (
    StateBody
    | WantOpsBody
    | OpsBody
    | WantMessagesBody
    | AnsweredBody
    | WantHistoryBody
    | HistoryBody
    | KeyupsBody
    | NotInBody
    | WantChunksBody
    | ChunksSentBody
    | WantStatementsBody
    | StatementsBody
)

SESSION_BODIES: Final[Mapping[SessionType, type[SessionBody]]] = MappingProxyType(
    {
        SessionType.STATE: StateBody,
        SessionType.WANT_OPS: WantOpsBody,
        SessionType.OPS: OpsBody,
        SessionType.WANT_MESSAGES: WantMessagesBody,
        SessionType.ANSWERED: AnsweredBody,
        SessionType.WANT_HISTORY: WantHistoryBody,
        SessionType.HISTORY: HistoryBody,
        SessionType.KEYUPS: KeyupsBody,
        SessionType.NOT_IN: NotInBody,
        SessionType.WANT_CHUNKS: WantChunksBody,
        SessionType.CHUNKS_SENT: ChunksSentBody,
        SessionType.WANT_STATEMENTS: WantStatementsBody,
        SessionType.STATEMENTS: StatementsBody,
    }
)
