"""How far an own message has come, never more than is known and never backwards (network.md §7).

queued: no other node has said that it stored it. sent: these have. reached k of n: members have sealed receipts for
it. `of` is fixed when the message is sealed, and leaves oneself out.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from msgspec import Meta

from mesh.ids import MemberPk
from mesh.wire import limits, shapes
from mesh.wire.codec import Record


class DeliveryState(StrEnum):
    """The states, in the order in which they can follow each other."""

    QUEUED = "queued"
    SENT = "sent"
    REACHED = "reached"


class DeliveryRecord(Record, frozen=True):
    """An own message's way, as it is stored. `mseq` 0: still a draft."""

    mseq: shapes.MseqOrNone
    of: Annotated[list[shapes.Member], Meta(max_length=limits.MEMBERS_MAX)]
    held: Annotated[list[shapes.Member], Meta(max_length=limits.MEMBERS_MAX)]
    held_unnamed: shapes.Count
    reached: Annotated[list[shapes.Member], Meta(max_length=limits.MEMBERS_MAX)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """An own message's way. `held`: members whose node said that it stored it; `unnamed`: nodes not known by name."""

    mseq: int = 0
    of: frozenset[MemberPk] = frozenset()
    held: frozenset[MemberPk] = frozenset()
    held_unnamed: int = 0
    reached: frozenset[MemberPk] = frozenset()

    @property
    def state(self) -> DeliveryState:
        """The furthest state that is known to be true."""
        if self.reached:
            return DeliveryState.REACHED
        if self.held or self.held_unnamed:
            return DeliveryState.SENT
        return DeliveryState.QUEUED

    def sealed(self, mseq: int, of: Iterable[MemberPk]) -> "Delivery":
        """Return it once the message is sealed for these members, ourselves left out."""
        return Delivery(mseq=mseq, of=frozenset(of))

    def stored_by(self, member: MemberPk | None) -> "Delivery":
        """Return it once a node has said that it stored the message; None: a node without a name here."""
        return Delivery(
            mseq=self.mseq,
            of=self.of,
            held=self.held if member is None else self.held | {member},
            held_unnamed=self.held_unnamed + (1 if member is None else 0),
            reached=self.reached,
        )

    def received_by(self, member: MemberPk) -> "Delivery":
        """Return it once a member's sealed receipt covers the message; others than those in `of` do not count."""
        if member not in self.of:
            return self
        return Delivery(
            mseq=self.mseq,
            of=self.of,
            held=self.held,
            held_unnamed=self.held_unnamed,
            reached=self.reached | {member},
        )

    def sharing(self, crowds: dict[frozenset[MemberPk], frozenset[MemberPk]]) -> "Delivery":
        """Return it with equal sets of members replaced by the one in `crowds`: most messages go to the same people."""
        of, held, reached = (crowds.setdefault(crowd, crowd) for crowd in (self.of, self.held, self.reached))
        return Delivery(mseq=self.mseq, of=of, held=held, held_unnamed=self.held_unnamed, reached=reached)

    def to_record(self) -> DeliveryRecord:
        """Return it as it is stored."""
        return DeliveryRecord(
            mseq=self.mseq,
            of=sorted(self.of),
            held=sorted(self.held),
            held_unnamed=self.held_unnamed,
            reached=sorted(self.reached),
        )

    @staticmethod
    def from_record(record: DeliveryRecord) -> "Delivery":
        """Read it back."""
        return Delivery(
            mseq=record.mseq,
            of=frozenset(record.of),
            held=frozenset(record.held),
            held_unnamed=record.held_unnamed,
            reached=frozenset(record.reached),
        )
