"""The causal graph of a group's acts, held so that "is an ancestor of" is one bit test.

Each act gets the next free index; its ancestors are an int with one bit for each index. A *mask* is such an int for a
downward-closed set: the past of an act, or all that is known. A group of hundreds of acts costs some tens of kilobytes
this way, and every view that the rules ask about has a number that can be a cache key.

What follows from an act and its ancestors alone (author, level, what it grants) is worked out once, when it comes in,
and kept in its `Entry`: the rules ask for it again in every view.
"""

from bisect import insort
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from mesh.commands import Rank
from mesh.errors import Fault, RemoteError
from mesh.ids import DeviceId, MemberPk, OpId
from mesh.membership.acts import BRINGS_IN, GRANTS, Act
from mesh.wire import limits
from mesh.wire.operations import OpType

BY_MEMBER_KEY: Final = -1  # level of what rests on the member key alone (protocol.md §4)
_SPARSE: Final = 64  # up to so many bits are picked out one by one


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Entry:
    """An act in its place. `past` is the mask of its strict ancestors, `bit` its own."""

    act: Act
    bit: int
    past: int
    author: MemberPk
    grant: "Entry | None"  # the grant that is exercised; None in a create
    level: int  # the rank of that grant; lower is more senior and judged first
    seniority: tuple[bool, int, int, OpId]  # the order in which acts are judged

    @property
    def rank(self) -> Rank:
        """The rank of the grant that is exercised, whichever key signed."""
        return Rank.FOUNDER if self.grant is None else self.grant.act.granted_rank

    @property
    def closure(self) -> int:
        """The mask of the act and its ancestors."""
        return self.past | self.bit

    def is_before(self, later: "Entry") -> bool:
        """Say whether this is a strict ancestor of `later`."""
        return bool(later.past & self.bit)


@dataclass(slots=True)
class _Index:
    """Masks by what acts are about. Each act stands in the same places when it comes in and when it goes."""

    written: dict[bytes, int] = field(default_factory=dict)  # by a device
    authored: dict[bytes, int] = field(default_factory=dict)  # by a member's devices
    approved: dict[bytes, int] = field(default_factory=dict)  # admits that carry a member's yes
    granted: dict[bytes, int] = field(default_factory=dict)  # grants to a member
    exercised: dict[bytes, int] = field(default_factory=dict)  # what rests on a grant, by its author or an approver
    admits: dict[bytes, int] = field(default_factory=dict)  # admits under an invite
    brought: dict[bytes, int] = field(default_factory=dict)  # acts that brought a device in
    brought_for: dict[bytes, int] = field(default_factory=dict)  # the same, by whose device
    left: dict[bytes, int] = field(default_factory=dict)  # a member's own leaves
    of_type: dict[bytes, int] = field(default_factory=dict)  # one byte: the type


class Graph:
    """Acts of one group in an order in which each follows its deps."""

    def __init__(self) -> None:
        self.everything = 0  # the mask of all acts
        self._entries: list[Entry] = []
        self._ranked: list[Entry] = []  # by seniority
        self._places: dict[OpId, int] = {}
        self._owners: dict[DeviceId, MemberPk] = {}
        self._heads = 0
        self._heads_before: int  # as they were before the last push
        self._index = _Index()

    def __len__(self) -> int:
        return len(self._entries)

    # ------------------------------------------------------------ questions

    @property
    def heads(self) -> list[OpId]:
        """The acts that no other one here builds on, sorted."""
        return sorted(self._entries[k].act.op_id for k in bits(self._heads))

    def heads_over(self, needed: Iterable[OpId], count_max: int = limits.DEPS_MAX) -> list[OpId]:
        """Return at most `count_max` heads, sorted, whose past holds all of `needed` (fewer than that many).

        Where there are more heads than an operation or a message can name, whoever writes must still name those that
        hold their own last operation and their grant, else a flood of forks would silence everybody. After those the
        most senior heads come first: a removal of the one who floods is among them.
        """
        if self._heads.bit_count() <= count_max:
            return self.heads
        heads = sorted((self._entries[k] for k in bits(self._heads)), key=lambda e: (e.rank, e.act.op_id))
        chosen: dict[OpId, None] = {}
        for op_id in needed:
            bit = self.bit(op_id)
            over = [head.act.op_id for head in heads if head.closure & bit]
            if not any(head in chosen for head in over):
                chosen[over[0]] = None
        for head in heads:
            if len(chosen) < count_max:
                chosen[head.act.op_id] = None
        return sorted(chosen)

    def entry(self, op_id: OpId) -> Entry | None:
        """Return the act in its place, or None."""
        place = self._places.get(op_id)
        return None if place is None else self._entries[place]

    def at(self, place: int) -> Entry:
        """Return the act with this index."""
        return self._entries[place]

    def bit(self, op_id: OpId) -> int:
        """Return the mask of this one act."""
        return 1 << self._places[op_id]

    def past(self, op_id: OpId) -> int:
        """Return the mask of its strict ancestors."""
        return self._entries[self._places[op_id]].past

    def closure(self, heads: Iterable[OpId]) -> int | None:
        """Return the mask of these acts and all their ancestors, or None if one is unknown."""
        mask = 0
        for op_id in heads:
            place = self._places.get(op_id)
            if place is None:
                return None
            mask |= self._entries[place].closure
        return mask

    def owner(self, dev: DeviceId) -> MemberPk | None:
        """Return whose device this is; an id is bound to one member for good."""
        return self._owners.get(dev)

    def missing(self, deps: Iterable[OpId]) -> list[OpId]:
        """Return those deps that are not here."""
        return [dep for dep in deps if dep not in self._places]

    def entries(self, mask: int) -> Iterator[Entry]:
        """Return the acts of a mask, deps first."""
        return (self._entries[k] for k in bits(mask))

    def ranked(self, mask: int) -> Iterator[Entry]:
        """Return the acts of a mask in the order in which they are judged, the most senior first."""
        return (entry for entry in self._ranked if mask & entry.bit)

    def written_by(self, dev: DeviceId, mask: int) -> int:
        """Return the mask of what a device wrote, within a mask."""
        return self._index.written.get(dev, 0) & mask

    def authored_by(self, member: MemberPk, mask: int) -> int:
        """Return the mask of what a member's devices wrote, within a mask."""
        return self._index.authored.get(member, 0) & mask

    def approved_by(self, member: MemberPk, mask: int) -> int:
        """Return the mask of the admits that carry a member's yes, within a mask."""
        return self._index.approved.get(member, 0) & mask

    def granted_to(self, member: MemberPk, mask: int) -> int:
        """Return the mask of the grants to a member, within a mask."""
        return self._index.granted.get(member, 0) & mask

    def exercised(self, grant: OpId, mask: int) -> int:
        """Return the mask of the acts whose author or approver exercises a grant, within a mask."""
        return self._index.exercised.get(grant, 0) & mask

    def admits_under(self, invite: OpId, mask: int) -> int:
        """Return the mask of the admits under an invite, within a mask."""
        return self._index.admits.get(invite, 0) & mask

    def brought(self, dev: DeviceId, mask: int) -> int:
        """Return the mask of the acts that brought a device in, within a mask."""
        return self._index.brought.get(dev, 0) & mask

    def brought_for(self, member: MemberPk, mask: int) -> int:
        """Return the mask of the acts that brought a member's devices in, within a mask."""
        return self._index.brought_for.get(member, 0) & mask

    def left_by(self, member: MemberPk, mask: int) -> int:
        """Return the mask of a member's own leaves, within a mask."""
        return self._index.left.get(member, 0) & mask

    def of_type(self, kind: OpType, mask: int) -> int:
        """Return the mask of the acts of a type, within a mask."""
        return self._index.of_type.get(bytes([kind]), 0) & mask

    def joiners(self, invite: OpId, mask: int) -> frozenset[MemberPk]:
        """Return the distinct members who were let in under an invite, within a mask, whether that counts or not."""
        return frozenset(entry.act.subject for entry in self.entries(self.admits_under(invite, mask)))

    # ------------------------------------------------------------ changes

    def push(self, act: Act) -> Entry:
        """Append an act whose deps are all here; RemoteError if its place in the graph is wrong.

        What its author may do is not asked here. Nothing has changed after an error.
        """
        entry = self._place(act)
        self._heads_before = self._heads
        self._heads = (self._heads & ~entry.past) | entry.bit
        self._places[act.op_id] = len(self._entries)
        self._entries.append(entry)
        self.everything |= entry.bit
        insort(self._ranked, entry, key=lambda e: e.seniority)
        if act.type in BRINGS_IN:
            self._owners.setdefault(act.named_device, act.subject)
        for masks, key in self._shelves(entry):
            masks[key] = masks.get(key, 0) | entry.bit
        return entry

    def pop(self) -> None:
        """Take the act that was pushed last back out (it was found to be invalid)."""
        entry = self._entries.pop()
        self.everything &= ~entry.bit
        shelves = self._shelves(entry)
        del self._places[entry.act.op_id]
        self._ranked.remove(entry)
        self._heads = self._heads_before
        for masks, key in shelves:
            left = masks[key] & ~entry.bit
            if left:
                masks[key] = left
            else:
                del masks[key]
        act = entry.act
        if act.type in BRINGS_IN and act.named_device not in self._index.brought:
            del self._owners[act.named_device]

    def _shelves(self, entry: Entry) -> list[tuple[dict[bytes, int], bytes]]:
        """Return where in the index an act stands, each place once."""
        act, index = entry.act, self._index
        found: list[tuple[dict[bytes, int], bytes]] = [
            (index.written, act.dev),
            (index.authored, entry.author),
            (index.of_type, bytes([act.type])),
            *((index.exercised, grant) for grant in {act.auth, *(yes.grant for yes in act.approvals)}),
        ]
        if act.type in GRANTS:
            found.append((index.granted, act.subject))
        if act.type in BRINGS_IN:
            found.append((index.brought, act.named_device))
            found.append((index.brought_for, act.subject))
        if act.type is OpType.LEAVE:
            found.append((index.left, entry.author))
        if act.type is OpType.ADMIT:
            if act.invite is not None:
                found.append((index.admits, act.invite))
            approvers = {owner for yes in act.approvals if (owner := self.owner(yes.dev)) is not None}
            found.extend((index.approved, approver) for approver in approvers)
        return found

    def _place(self, act: Act) -> Entry:
        deps = [self._entries[self._places[dep]] for dep in act.deps]
        past = 0
        for dep in deps:
            past |= dep.closure
        gen = 1 + max((dep.act.gen for dep in deps), default=0)
        is_create = act.type is OpType.CREATE
        if act.gen != gen or is_create == bool(deps) or is_create == bool(self._entries):
            raise _misplaced("an operation's place in the graph is wrong")
        if any(dep.is_before(other) for dep in deps for other in deps):
            raise _misplaced("an operation lists a dep twice over")
        author = self._author(act, past)
        grant = None if is_create else self.entry(act.auth)
        if not is_create and (grant is None or not grant.bit & past or grant.act.type not in GRANTS):
            raise _misplaced("an operation exercises no grant that it builds on")
        level: int = Rank.FOUNDER if grant is None else grant.act.granted_rank
        if by_member_key(act, author):
            level = BY_MEMBER_KEY
        return Entry(
            act=act,
            bit=1 << len(self._entries),
            past=past,
            author=author,
            grant=grant,
            level=level,
            seniority=(not is_create, level, past.bit_count(), act.op_id),
        )

    def _author(self, act: Act, past: int) -> MemberPk:
        own = act.type is OpType.CREATE or (act.type is OpType.DEVICE_ADD and act.dev == act.device)
        author = act.subject if own else self._owners.get(act.dev)
        if author is None or not (own or self.brought(act.dev, past)):
            raise _misplaced("an operation by a device that nobody brought in")
        return author


def _misplaced(what: str) -> RemoteError:
    return RemoteError(Fault.AGAINST_RULES, what)


def by_member_key(act: Act, author: MemberPk) -> bool:
    """Say whether the rules want the member key's signature, not the device key's.

    So it is with a leave, a device_add, a demotion of oneself, and the removal of a device of one's own, unless the
    device goes by itself.
    """
    match act.type:
        case OpType.LEAVE | OpType.DEVICE_ADD:
            return True
        case OpType.DEMOTE:
            return act.member == author
        case OpType.DEVICE_REMOVE:
            return act.member == author and act.cut is not None
        case _:
            return False


def bits(mask: int) -> list[int]:
    """Return the indices of the set bits, lowest first."""
    if mask.bit_count() > _SPARSE:
        return [k for k, digit in enumerate(reversed(f"{mask:b}")) if digit == "1"]
    found = []
    while mask:
        lowest = mask & -mask
        found.append(lowest.bit_length() - 1)
        mask ^= lowest
    return found
