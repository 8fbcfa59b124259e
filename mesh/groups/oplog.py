"""The log of a group: a causal graph of operations, held so that "is an ancestor of" is one bit test.

Each operation gets the next free index; its ancestors are an int with one bit for each index. A *mask* is such an
int for a downward-closed set: the past of an operation, or all that is known. A group of hundreds of operations costs
some tens of kilobytes this way, and every view that the rules ask about has a number that can be a cache key.

What follows from an operation and its ancestors alone (author, level, what it grants) is worked out once, when it
comes in, and kept in its `Entry`: the rules ask for it again in every view.
"""

from bisect import insort
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeVar

from mesh.commands import Rank
from mesh.errors import Fault, RemoteError
from mesh.groups.operations import GRANTS, Operation, card_device, signed_by_member_key
from mesh.ids import DeviceId, MemberPk, OpId
from mesh.wire import limits
from mesh.wire.operations import AdmitBody, Card, OpType

_Id = TypeVar("_Id", bound=bytes)
BY_MEMBER_KEY: Final = -1  # level of what rests on the member key alone (protocol.md §4)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Entry:
    """An operation in its place. `past` is the mask of its strict ancestors, `bit` its own."""

    op: Operation
    bit: int
    past: int
    author: MemberPk
    grant: "Entry | None"  # the grant that is exercised; None in a create
    level: int  # the rank of that grant; lower is more senior and judged first
    seniority: tuple[bool, int, int, OpId]  # the order in which operations are judged

    @property
    def rank(self) -> Rank:
        """The rank of the grant that is exercised, whichever key signed."""
        return Rank.FOUNDER if self.grant is None else self.grant.op.granted_rank

    @property
    def depth(self) -> tuple[int, OpId]:
        """An order that is the same on every node: ancestors first, then by id."""
        return self.seniority[2:]

    def is_before(self, later: "Entry") -> bool:
        """Say whether this is a strict ancestor of `later`."""
        return bool(later.past & self.bit)


class OpLog:
    """Operations of one group in an order in which each follows its deps."""

    def __init__(self) -> None:
        self.ops: list[Operation] = []
        self._entries: list[Entry] = []
        self._ranked: list[Entry] = []  # by seniority
        self._index: dict[OpId, int] = {}
        self._heads = 0
        self._heads_before = 0  # as they were before the last push
        self._cards: dict[DeviceId, Card] = {}
        self._brought: dict[DeviceId, int] = {}  # mask of the operations that brought a device in
        self._written: dict[DeviceId, int] = {}  # mask of what a device wrote
        self._granted: dict[MemberPk, int] = {}  # mask of the grants to a member
        self._admits: dict[OpId, int] = {}  # mask of the admits under an invite

    def __contains__(self, op_id: OpId) -> bool:
        return op_id in self._index

    def __len__(self) -> int:
        return len(self.ops)

    # ------------------------------------------------------------ questions

    @property
    def everything(self) -> int:
        """The mask of all operations."""
        return (1 << len(self.ops)) - 1

    @property
    def heads(self) -> list[OpId]:
        """The operations that no other one here builds on, sorted."""
        return sorted(self.ops[k].op_id for k in bits(self._heads))

    def heads_over(self, needed: Iterable[OpId], count_max: int = limits.DEPS_MAX) -> list[OpId]:
        """Return at most `count_max` heads, sorted, whose past holds all of `needed` (fewer than that many).

        Where there are more heads than an operation or a message can name, whoever writes must still name those that
        hold their own last operation and their grant, else a flood of forks would silence everybody. After those the
        most senior heads come first: a removal of the one who floods is among them.
        """
        if self._heads.bit_count() <= count_max:
            return self.heads
        heads = sorted((self._entries[k] for k in bits(self._heads)), key=lambda e: (e.rank, e.op.op_id))
        chosen: dict[OpId, None] = {}
        for op_id in needed:
            bit = self.bit(op_id)
            over = [head.op.op_id for head in heads if (head.past | head.bit) & bit]
            if not any(head in chosen for head in over):
                chosen[over[0]] = None
        for head in heads:
            if len(chosen) < count_max:
                chosen[head.op.op_id] = None
        return sorted(chosen)

    def get(self, op_id: OpId) -> Operation | None:
        """Return the operation, or None."""
        index = self._index.get(op_id)
        return None if index is None else self.ops[index]

    def entry(self, op_id: OpId) -> Entry | None:
        """Return the operation in its place, or None."""
        index = self._index.get(op_id)
        return None if index is None else self._entries[index]

    def bit(self, op_id: OpId) -> int:
        """Return the mask of this one operation."""
        return 1 << self._index[op_id]

    def past(self, op_id: OpId) -> int:
        """Return the mask of its strict ancestors."""
        return self._entries[self._index[op_id]].past

    def closure(self, heads: Iterable[OpId]) -> int | None:
        """Return the mask of these operations and all their ancestors, or None if one is unknown."""
        mask = 0
        for op_id in heads:
            index = self._index.get(op_id)
            if index is None:
                return None
            mask |= self._entries[index].past | (1 << index)
        return mask

    def card(self, dev: DeviceId) -> Card | None:
        """Return the keys behind a device id, whoever brought it in."""
        return self._cards.get(dev)

    def card_in(self, dev: DeviceId, mask: int) -> Card | None:
        """Return the keys of a device that an operation in this mask brought in.

        Two members may admit the same joiner at once; then either of the two operations will do. Their cards can
        differ in the KEM key alone, for the device id is a hash of the other two.
        """
        return self._cards[dev] if self._brought.get(dev, 0) & mask else None

    def within(self, mask: int) -> Iterator[Operation]:
        """Return the operations of a mask, deps first."""
        return (self.ops[k] for k in bits(mask))

    def entries(self, mask: int) -> Iterator[Entry]:
        """Return the same in their places."""
        return (self._entries[k] for k in bits(mask))

    def ranked(self, mask: int) -> Iterator[Entry]:
        """Return the operations of a mask in the order in which they are judged, the most senior first."""
        return (entry for entry in self._ranked if mask & entry.bit)

    def written_by(self, dev: DeviceId, mask: int) -> int:
        """Return the mask of what a device wrote, within a mask."""
        return self._written.get(dev, 0) & mask

    def granted_to(self, member: MemberPk, mask: int) -> int:
        """Return the mask of the grants to a member, within a mask."""
        return self._granted.get(member, 0) & mask

    def admits_under(self, invite: OpId, mask: int) -> int:
        """Return the mask of the admits under an invite, within a mask."""
        return self._admits.get(invite, 0) & mask

    def missing(self, op: Operation) -> list[OpId]:
        """Return those deps that are not here."""
        return [dep for dep in op.tbs.deps if dep not in self._index]

    # ------------------------------------------------------------ changes

    def push(self, op: Operation) -> None:
        """Append an operation whose deps are all here; RemoteError if its place in the graph is wrong.

        What its author may do is not asked here. Nothing has changed after an error.
        """
        entry = self._place(op)
        self._heads_before = self._heads
        self._heads = (self._heads & ~entry.past) | entry.bit
        self._index[op.op_id] = len(self.ops)
        self.ops.append(op)
        self._entries.append(entry)
        insort(self._ranked, entry, key=lambda e: e.seniority)
        _add(self._written, op.tbs.dev, entry.bit)
        if op.grantee is not None:
            _add(self._granted, op.grantee, entry.bit)
        if isinstance(op.body, AdmitBody):
            _add(self._admits, op.body.invite, entry.bit)
        if op.card is not None:
            self._cards.setdefault(card_device(op.card), op.card)
            _add(self._brought, card_device(op.card), entry.bit)

    def pop(self) -> None:
        """Take the operation that was pushed last back out (it was found to be invalid)."""
        op = self.ops.pop()
        entry = self._entries.pop()
        del self._index[op.op_id]
        self._ranked.remove(entry)
        self._heads = self._heads_before
        _take(self._written, op.tbs.dev, entry.bit)
        if op.grantee is not None:
            _take(self._granted, op.grantee, entry.bit)
        if isinstance(op.body, AdmitBody):
            _take(self._admits, op.body.invite, entry.bit)
        if op.card is not None:
            dev = card_device(op.card)
            _take(self._brought, dev, entry.bit)
            if dev not in self._brought:
                del self._cards[dev]

    def _place(self, op: Operation) -> Entry:
        deps = [self._entries[self._index[dep]] for dep in op.tbs.deps]
        past = 0
        for dep in deps:
            past |= dep.past | dep.bit
        gen = 1 + max((dep.op.tbs.gen for dep in deps), default=0)
        is_create = op.type is OpType.CREATE
        if op.tbs.gen != gen or is_create == bool(deps) or is_create == bool(self.ops):
            raise RemoteError(Fault.AGAINST_RULES, "an operation's place in the graph is wrong")
        if any(dep.is_before(other) for dep in deps for other in deps):
            raise RemoteError(Fault.AGAINST_RULES, "an operation lists a dep twice over")
        card = op.card if is_create else self.card_in(op.tbs.dev, past)
        grant = None if is_create else self.entry(op.tbs.auth)
        if card is None:
            raise RemoteError(Fault.AGAINST_RULES, "an operation by a device that nobody brought in")
        if not is_create and (grant is None or not grant.bit & past or grant.op.type not in GRANTS):
            raise RemoteError(Fault.AGAINST_RULES, "an operation exercises no grant that it builds on")
        level: int = Rank.FOUNDER if grant is None else grant.op.granted_rank
        if signed_by_member_key(op, card):
            level = BY_MEMBER_KEY
        return Entry(
            op=op,
            bit=1 << len(self.ops),
            past=past,
            author=card.member_pk,
            grant=grant,
            level=level,
            seniority=(not is_create, level, past.bit_count(), op.op_id),
        )


def _add(masks: dict[_Id, int], key: _Id, bit: int) -> None:
    masks[key] = masks.get(key, 0) | bit


def _take(masks: dict[_Id, int], key: _Id, bit: int) -> None:
    left = masks[key] & ~bit
    if left:
        masks[key] = left
    else:
        del masks[key]


@lru_cache(maxsize=64)
def bits(mask: int) -> tuple[int, ...]:
    """Return the indices of the set bits, lowest first."""
    return tuple(k for k, digit in enumerate(reversed(f"{mask:b}")) if digit == "1")
