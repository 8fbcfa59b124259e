"""How far an own message has come, never more than is known and never backwards (network.md §7).

queued: no other node has said that it stored it. sent: these have, each at a time; that is history and no promise.
reached k of n: members have sealed receipts for it. `of` is fixed when the message is sealed, and leaves oneself out.
A message that ended, because its time ran out or its author took it back, stays as it was then: whatever is said of it
later is not counted.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum, StrEnum
from typing import Annotated, Final

from msgspec import Meta

from mesh.ids import MemberPk
from mesh.wire import limits, shapes
from mesh.wire.codec import Record

NAME_BYTES: Final = 16  # of a msg id, by which a receipt names a message
HOLDERS_MAX: Final = 32  # members whose word that they have it is kept, with its time: the first ones; ours


class DeliveryState(StrEnum):
    """The states, in the order in which they can follow each other; nothing follows either of the last two."""

    QUEUED = "queued"
    SENT = "sent"
    REACHED = "reached"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


class End(IntEnum):
    """How a message ended, if it did."""

    OPEN = 0
    EXPIRED = 1
    WITHDRAWN = 2


_ENDED: Final = {End.EXPIRED: DeliveryState.EXPIRED, End.WITHDRAWN: DeliveryState.WITHDRAWN}


class HolderRecord(Record, frozen=True):
    """A member whose node said, at this time of our clock, that it stored a message."""

    member: shapes.Member
    said_ms: shapes.Millis


class KeeperWordRecord(Record, frozen=True):
    """A keeper that said, at this time of our clock, that it stored a message; `keeper` is its id in the group."""

    keeper: shapes.Bytes8
    said_ms: shapes.Millis


class DeliveryRecord(Record, frozen=True):
    """An own message's way, as it is stored. `mseq` 0: still a draft, without a `name`."""

    mseq: shapes.MseqOrNone
    name: Annotated[bytes, Meta(max_length=NAME_BYTES)]
    of: Annotated[list[shapes.Member], Meta(max_length=limits.MEMBERS_MAX)]
    held: Annotated[list[HolderRecord], Meta(max_length=HOLDERS_MAX)]
    kept: Annotated[list[KeeperWordRecord], Meta(max_length=HOLDERS_MAX)]
    reached: Annotated[list[shapes.Member], Meta(max_length=limits.MEMBERS_MAX)]
    end: End


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """An own message's way. `held`: members whose node said that it stored it, and when (Unix ms, our clock).

    `kept`: keepers that said so, by their ids (8 B) in the group. `name`: the beginning of its msg id (16 B).
    """

    mseq: int = 0
    name: bytes = b""
    of: frozenset[MemberPk] = frozenset()
    held: Mapping[MemberPk, int] = field(default_factory=dict)
    kept: Mapping[bytes, int] = field(default_factory=dict)
    reached: frozenset[MemberPk] = frozenset()
    end: End = End.OPEN

    @property
    def state(self) -> DeliveryState:
        """The furthest state that is known to be true."""
        if self.end is not End.OPEN:
            return _ENDED[self.end]
        if self.reached:
            return DeliveryState.REACHED
        return DeliveryState.SENT if self.held or self.kept else DeliveryState.QUEUED

    @property
    def is_over(self) -> bool:
        """Whether there is nothing more to hear of it: it is with everybody, or it ended."""
        return self.end is not End.OPEN or (self.mseq > 0 and self.reached == self.of)

    def sealed(self, mseq: int, of: Iterable[MemberPk], msg_id: bytes) -> "Delivery":
        """Return it once the message is sealed for these members, ourselves left out."""
        return Delivery(mseq=mseq, name=msg_id[:NAME_BYTES], of=frozenset(of), end=self.end)

    def stored_by(self, member: MemberPk, said_ms: int) -> "Delivery":
        """Return it once a member's node has said that it stored the message; the first time counts."""
        if self.end is not End.OPEN or member in self.held or len(self.held) >= HOLDERS_MAX:
            return self
        return replace(self, held={**self.held, member: said_ms})

    def kept_by(self, keeper: bytes, said_ms: int) -> "Delivery":
        """Return it once a keeper has said that it stored the message; the first time counts. It reaches nobody so."""
        if self.end is not End.OPEN or keeper in self.kept or len(self.kept) >= HOLDERS_MAX:
            return self
        return replace(self, kept={**self.kept, keeper: said_ms})

    def received_by(self, member: MemberPk) -> "Delivery":
        """Return it once a member's sealed receipt covers the message; others than those in `of` do not count."""
        if self.end is not End.OPEN or member not in self.of:
            return self
        return replace(self, reached=self.reached | {member})

    def ended(self, end: End) -> "Delivery":
        """Return it once its time has run out or its author took it back; the first of the two holds."""
        return self if self.end is not End.OPEN else replace(self, end=end)

    def sharing(self, crowds: dict[frozenset[MemberPk], frozenset[MemberPk]]) -> "Delivery":
        """Return it with equal sets of members replaced by the one in `crowds`: most messages go to the same people."""
        of, reached = crowds.setdefault(self.of, self.of), crowds.setdefault(self.reached, self.reached)
        return self if of is self.of and reached is self.reached else replace(self, of=of, reached=reached)

    def to_record(self) -> DeliveryRecord:
        """Return it as it is stored."""
        return DeliveryRecord(
            mseq=self.mseq,
            name=self.name,
            of=sorted(self.of),
            held=[HolderRecord(member=member, said_ms=said_ms) for member, said_ms in sorted(self.held.items())],
            kept=[KeeperWordRecord(keeper=keeper, said_ms=said_ms) for keeper, said_ms in sorted(self.kept.items())],
            reached=sorted(self.reached),
            end=self.end,
        )

    @staticmethod
    def from_record(record: DeliveryRecord) -> "Delivery":
        """Read it back."""
        return Delivery(
            mseq=record.mseq,
            name=record.name,
            of=frozenset(record.of),
            held={holder.member: holder.said_ms for holder in record.held},
            kept={word.keeper: word.said_ms for word in record.kept},
            reached=frozenset(record.reached),
            end=record.end,
        )
