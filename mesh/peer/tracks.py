"""How far we have come with the messages of one device, and how that is stored."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from mesh.gossip.frontier import Frontier, Spells
from mesh.groups.retention import HOUR_MS
from mesh.ids import MsgId, OpId
from mesh.peer.records import RangesRecord, SpellRecord, TrackRecord
from mesh.wire import limits
from mesh.wire.messages import SignedMessage
from mesh.wire.operations import ZERO32


@dataclass(slots=True, kw_only=True)
class Track:
    """Which messages of a device are here, and which are not for us: for sure, or by one member's word."""

    have: Frontier = field(default_factory=Frontier)
    sure: Frontier = field(default_factory=Frontier)  # here, or not for us by its author's word or that of two members
    claimed: int = 0  # up to here nothing is for us, says whoever welcomed us: asked for last, and never acknowledged
    top: int = 0
    top_id: MsgId = MsgId(ZERO32)
    spells: Spells = field(default_factory=Spells)
    owes: bool = False  # one of them was shown since our last receipt
    heads: tuple[OpId, ...] = ()  # the operations that the author of the highest one had seen
    keyup: SignedMessage | None = None  # the newest one of this device
    past: Frontier = field(default_factory=Frontier)  # handed on by a member, without the frame
    heard_ms: int = 0  # when its author last spoke, by their clock and never later than it came; 0: never
    presence: int = 0  # the number of the newest presence of it
    quiet: bool = False  # in which it says that it gives no receipts
    gone: Frontier = field(default_factory=Frontier)  # were forgotten here, or came too late to be kept
    passed: Frontier = field(default_factory=Frontier)  # came, and were not kept
    aged: int = 0  # up to here no frame is kept for repair
    mark: int = 0  # the highest one when we last looked
    mark_ms: int = 0  # and when that was (wall); 0: never
    post: int = 0  # the number of its newest post that came, and its id: a receipt names it
    post_id: MsgId = MsgId(ZERO32)
    doubted: int = 0  # it gave a number twice: up to here its author may mean other messages, and no receipt covers any

    @property
    def settled(self) -> Frontier:
        """What is not missing as far as we have been told: nobody's word but one member's may stand for some of it."""
        return self.sure.union(Frontier(self.claimed))

    def take(self, mseq: int, msg_id: MsgId, epoch: OpId, heads: Sequence[OpId]) -> None:
        """Note a message that is here now, sealed under `epoch` by one who had seen the operations `heads`."""
        self.have = self.have.add(mseq)
        self._know(mseq, msg_id, epoch, heads)

    def pass_over(self, mseq: int, msg_id: MsgId, epoch: OpId, heads: Sequence[OpId]) -> None:
        """Note a message that came and is not kept: its time had run out, or its author had taken it back."""
        self.forget(mseq)
        self.passed = self.passed.add(mseq)
        self._know(mseq, msg_id, epoch, heads)

    def has_come(self, mseq: int) -> bool:
        """Say whether a message came under this number, whether it was kept or not; nobody's word stands for that."""
        return mseq in self.have or mseq in self.passed

    def _know(self, mseq: int, msg_id: MsgId, epoch: OpId, heads: Sequence[OpId]) -> None:
        self.sure = self.sure.add(mseq)
        self.spells = self.spells.note(mseq, epoch, self.top)
        if mseq > self.top:
            self.top, self.top_id, self.heads = mseq, msg_id, tuple(heads)

    def forget(self, mseq: int) -> list[tuple[int, int]]:
        """Note that a message is kept no more; return the ranges whose frames go.

        Where that makes too many separate ranges, what lies between the two oldest is given up too.
        """
        ranges = [(mseq, mseq)]
        if not self.gone.has_room_for(mseq):
            (first, last), *newer = self.gone.beyond
            ranges.append((self.gone.contiguous + 1, first - 1))
            self.gone = Frontier(last, tuple(newer))
        self.gone = self.gone.add(mseq)
        return ranges

    def kept(self) -> list[tuple[int, int]]:
        """Return the ranges of messages whose frames are here."""
        return self.gone.missing_from(self.have)

    def note_post(self, mseq: int, msg_id: MsgId) -> None:
        """Note a post that was shown: a receipt is owed for it."""
        self.owes = True
        if mseq > self.post:
            self.post, self.post_id = mseq, msg_id

    def doubt(self, mseq: int) -> None:
        """Note that this device gave this number twice: of all that came so far nobody can say what its author has."""
        if mseq > self.doubted:
            self.doubted = self.top

    def confirmed(self) -> list[tuple[int, int]]:
        """Return the ranges of messages that a receipt covers."""
        return self.gone.union(Frontier(self.doubted)).missing_from(self.have)

    def to_record(self) -> TrackRecord:
        """Return it as it is stored."""
        return TrackRecord(
            have=_ranges(self.have),
            sure=_ranges(self.sure),
            claimed=self.claimed,
            top=self.top,
            top_id=self.top_id,
            spells=[SpellRecord(mseq=mseq, epoch=OpId(epoch)) for mseq, epoch in self.spells.changes],
            owes=self.owes,
            heads=list(self.heads),
            keyup=self.keyup,
            past=_ranges(self.past),
            heard_ms=self.heard_ms,
            presence=self.presence,
            quiet=self.quiet,
            gone=_ranges(self.gone),
            passed=_ranges(self.passed),
            aged=self.aged,
            mark=self.mark,
            mark_ms=self.mark_ms,
            post=self.post,
            post_id=self.post_id,
            doubted=self.doubted,
        )

    @staticmethod
    def from_record(record: TrackRecord) -> "Track":
        """Read it back."""
        return Track(
            have=_frontier(record.have),
            sure=_frontier(record.sure),
            claimed=record.claimed,
            top=record.top,
            top_id=record.top_id,
            spells=Spells(tuple((s.mseq, s.epoch) for s in record.spells)),
            owes=record.owes,
            heads=tuple(record.heads),
            keyup=record.keyup,
            past=_frontier(record.past),
            heard_ms=record.heard_ms,
            presence=record.presence,
            quiet=record.quiet,
            gone=_frontier(record.gone),
            passed=_frontier(record.passed),
            aged=record.aged,
            mark=record.mark,
            mark_ms=record.mark_ms,
            post=record.post,
            post_id=record.post_id,
            doubted=record.doubted,
        )


@dataclass(slots=True, kw_only=True)
class Tried:
    """How many sealed notes of a member were tried: by the hour in which they were said, and of late here."""

    hours: dict[int, int] = field(default_factory=dict)  # hour since 1970, by their clock → how many
    since_ms: int = 0  # when the hour of ours began in which `count` were tried (mono)
    count: int = 0

    def may(self, hour: int, mono_ms: int, *, first: int) -> bool:
        """Say whether one more that was said in an hour may be tried, and count it; hours before `first` are let go."""
        if not self.count or mono_ms - self.since_ms >= HOUR_MS:
            self.since_ms, self.count = mono_ms, 0
        if self.count >= limits.NOTES_TRIED_MAX or self.hours.get(hour, 0) >= limits.NOTES_OF_A_MEMBER_MAX:
            return False
        self.count += 1
        self.hours[hour] = self.hours.get(hour, 0) + 1
        if min(self.hours) < first:
            self.hours = {there: many for there, many in self.hours.items() if there >= first}
        return True


def _ranges(frontier: Frontier) -> RangesRecord:
    return RangesRecord(contiguous=frontier.contiguous, beyond=[[first, last] for first, last in frontier.beyond])


def _frontier(record: RangesRecord) -> Frontier:
    return Frontier(record.contiguous, tuple((r[0], r[1]) for r in record.beyond))
