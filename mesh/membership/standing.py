"""Which acts of a mask count (protocol.md §4, rules 2 to 6).

Acts are judged from the most senior level down. Whether one counts depends on acts of more senior levels alone: the
grant that it exercises was given by one, and only one can revoke that grant. So one pass is enough. An admit that the
invite filter takes out gives a rank below its author's own, so that all that rests on it is judged later too.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, TypeVar

from mesh.commands import Rank
from mesh.ids import DeviceId, MemberPk, OpId
from mesh.membership.acts import NOTHING
from mesh.membership.graph import BY_MEMBER_KEY, Entry, Graph
from mesh.wire.operations import OpType

Entries = tuple[Entry, ...]
_Key = TypeVar("_Key", bound=bytes)
_TAKE_AWAY: Final = frozenset({OpType.REMOVE, OpType.DEMOTE, OpType.LEAVE, OpType.UNINVITE, OpType.DEVICE_REMOVE})


@dataclass(slots=True, kw_only=True)
class Standing:
    """What has been decided about the acts of one mask: `valid` is the mask of those that count.

    The mappings hold acts that count and take something away, by what they take it from. A finished standing is never
    changed: `with_act` copies what it changes.
    """

    graph: Graph
    mask: int
    valid: int = 0
    removals: dict[MemberPk, Entries] = field(default_factory=dict)  # removes, and demotes by somebody else
    leaves: dict[MemberPk, Entries] = field(default_factory=dict)  # and demotions of oneself
    uninvites: dict[OpId, Entries] = field(default_factory=dict)
    losses: dict[DeviceId, Entries] = field(default_factory=dict)  # device_removes

    # ------------------------------------------------------------ questions

    def counts(self, entry: Entry) -> bool:
        """Judge one act, all those of more senior levels having been judged; the invite filter comes later."""
        if entry.grant is None or entry.level == BY_MEMBER_KEY:
            return True
        return self.exercises(entry, entry.author, entry.grant) and self._approved(entry) and self._within_cuts(entry)

    def exercises(self, entry: Entry, member: MemberPk, grant: Entry) -> bool:
        """Say whether an act may rest on a grant of this member's, as its author or as an approver (rule 4)."""
        return self.gives(grant) and all(entry.is_before(taking) for taking in self.taking_grant(member, grant))

    def taking_grant(self, member: MemberPk, grant: Entry) -> Iterator[Entry]:
        """Return all that takes a grant away from a member and binds what rests on it."""
        yield from self.revoking(member, grant)
        yield from self.giving_up(member, grant)

    def revoking(self, member: MemberPk, grant: Entry) -> Iterator[Entry]:
        """Return the removes and demotes that take a grant away from a member (rule 3)."""
        return (removal for removal in self.removals.get(member, ()) if _revokes(removal, grant))

    def giving_up(self, member: MemberPk, grant: Entry) -> Iterator[Entry]:
        """Return the *effective* leaves by which a member gave a grant up: one beside a removal has no effect."""
        for leave in self.leaves.get(member, ()):
            if _gives_up(leave, grant) and not any(_beside(leave, removal) for removal in self.revoking(member, grant)):
                yield leave

    def gives(self, grant: Entry) -> bool:
        """Say whether a grant counts as one.

        A self-demotion counts as an act whatever becomes of its author's standing, but it can give no more than there
        was: its rank stands only while the more senior grant that it steps down from is one.
        """
        stepped_down = grant.level == BY_MEMBER_KEY
        there_was = not stepped_down or (grant.grant is not None and self.gives(grant.grant))
        return there_was and bool(grant.bit & self.valid)

    def alive(self, grant: Entry) -> bool:
        """Say whether a grant counts and nothing has taken it away (rule 7)."""
        who = grant.act.subject
        given_up = any(_gives_up(leave, grant) for leave in self.leaves.get(who, ()))
        return self.gives(grant) and not given_up and not list(self.revoking(who, grant))

    def live_grants(self, member: MemberPk) -> list[Entry]:
        """Return a member's grants that are alive, the most senior first."""
        grants = self.graph.entries(self.graph.granted_to(member, self.valid))
        return sorted(filter(self.alive, grants), key=lambda e: (e.act.granted_rank, e.act.op_id))

    def taking(self, dev: DeviceId, live: list[Entry]) -> list[Entry]:
        """Return the acts that take a device away, its member holding these live grants (rule 6)."""
        owner = self.graph.owner(dev)
        return [loss for loss in self.losses.get(dev, ()) if loss.author == owner or not _outranked(loss, live)]

    def outlaws(self, entry: Entry) -> bool:
        """Say whether the invite filter takes an admit out (rule 5), all acts up to its level having been judged."""
        act = entry.act
        if act.invite is None:
            return False
        invite = self.graph.entry(act.invite)
        assert invite is not None, "an admit builds on its invite"
        if entry.level > Rank.MODERATOR and not invite.bit & self.valid:
            return True
        removed = (r for r in self.removals.get(invite.author, ()) if r.act.type is OpType.REMOVE)
        closings = (*self.uninvites.get(act.invite, ()), *removed)
        return any(entry.level >= closing.level and not entry.is_before(closing) for closing in closings)

    def _approved(self, entry: Entry) -> bool:
        """Say whether an admit by a plain member still has the approvals that its invite asks for (rule 5)."""
        act = entry.act
        if act.type is not OpType.ADMIT or act.invite is None or entry.level <= Rank.MODERATOR:
            return True
        invite = self.graph.entry(act.invite)
        assert invite is not None, "an admit builds on its invite"
        said_yes = set()
        for yes in act.approvals:
            grant, owner = self.graph.entry(yes.grant), self.graph.owner(yes.dev)
            if grant is not None and owner is not None and self.exercises(entry, owner, grant):
                said_yes.add(owner)
        return len(said_yes) >= invite.act.approvals_needed

    def _within_cuts(self, entry: Entry) -> bool:
        """Say whether an act is, or precedes, the cut of every removal of its device that binds it (rule 6)."""
        return not any(
            loss.act.cut is not None and self._binds(loss, entry) and not self._holds_by(entry, loss.act.cut)
            for loss in self.losses.get(entry.act.dev, ())
        )

    def _holds_by(self, entry: Entry, cut: OpId) -> bool:
        """Say whether an act is the last that holds, or precedes it."""
        last = self.graph.entry(cut)
        assert (last is None) == (cut == NOTHING), "a device_remove builds on its cut"
        return last is not None and (entry is last or entry.is_before(last))

    def _binds(self, loss: Entry, entry: Entry) -> bool:
        """Say whether the cut of a device_remove concerns an act by that device.

        A senior's binds what rests on grants junior to the senior's. That of the member key binds only where it was
        made before everything that took the grant: else one who was removed could unmake what they had done.
        """
        assert entry.grant is not None
        if loss.level != BY_MEMBER_KEY:
            return entry.grant.act.granted_rank > loss.level
        return all(loss.is_before(taking) for taking in self.taking_grant(entry.author, entry.grant))

    # ------------------------------------------------------------ changes

    def note(self, entry: Entry) -> None:
        """Note an act that counts, so that those judged after it meet its effect."""
        self.valid |= entry.bit
        act = entry.act
        if act.type is OpType.REMOVE or (act.type is OpType.DEMOTE and entry.level != BY_MEMBER_KEY):
            _file(self.removals, act.subject, entry)
        elif act.type in (OpType.LEAVE, OpType.DEMOTE):
            _file(self.leaves, entry.author, entry)
        elif act.type is OpType.UNINVITE:
            _file(self.uninvites, act.named_invite, entry)
        elif act.type is OpType.DEVICE_REMOVE:
            _file(self.losses, act.named_device, entry)

    def with_act(self, entry: Entry) -> tuple["Standing", int]:
        """Return the standing with one more act, whose past is here, and the mask of acts that now stand otherwise.

        Nothing here builds on the new act, so of the older ones only those can change that what it takes away may
        concern, and those that rest on such: they are judged anew, in their order, and all others stay as they are.
        """
        mask = self.mask | entry.bit
        takes = entry.act.type in _TAKE_AWAY
        doubted = _in_doubt(self.graph, entry, mask) if takes else entry.bit
        grown = self._without(doubted, mask, takes=takes)
        _judge(grown, self.graph.ranked(doubted) if doubted != entry.bit else (entry,))
        return grown, (self.valid ^ grown.valid) | entry.bit

    def _without(self, doubted: int, mask: int, *, takes: bool) -> "Standing":
        """Return a copy for `mask` in which nothing is decided of these acts; it shares what is filed if it can."""
        copy = Standing(
            graph=self.graph,
            mask=mask,
            valid=self.valid & ~doubted,
            removals=self.removals,
            leaves=self.leaves,
            uninvites=self.uninvites,
            losses=self.losses,
        )
        if takes:
            copy.removals, copy.leaves = _unfile(self.removals, doubted), _unfile(self.leaves, doubted)
            copy.uninvites, copy.losses = _unfile(self.uninvites, doubted), _unfile(self.losses, doubted)
        return copy


def judge(graph: Graph, mask: int) -> Standing:
    """Judge all acts of a mask (downward closed, each structurally valid)."""
    standing = Standing(graph=graph, mask=mask)
    _judge(standing, graph.ranked(mask))
    return standing


def _judge(standing: Standing, entries: Iterable[Entry]) -> None:
    """Judge acts of which nothing is decided, the most senior first."""
    level, admits = BY_MEMBER_KEY, list[Entry]()
    for entry in entries:
        if entry.level != level:
            _filter_admits(standing, admits)
            level, admits = entry.level, []
        if standing.counts(entry):
            standing.note(entry)
            if entry.act.type is OpType.ADMIT:
                admits.append(entry)
    _filter_admits(standing, admits)


def _in_doubt(graph: Graph, entry: Entry, mask: int) -> int:
    """Return the acts of a mask, this one included, that may stand otherwise for it; rather too many than too few."""
    doubted, todo = entry.bit, [entry]
    while todo:
        other = todo.pop()
        found = _touched(graph, other, mask, is_new=other is entry) & ~doubted
        doubted |= found
        todo.extend(graph.entries(found))
    return doubted


def _touched(graph: Graph, entry: Entry, mask: int, *, is_new: bool) -> int:
    """Return the acts whose standing asks directly about this one; what rests on the member key always counts."""
    act = entry.act
    match act.type:
        case OpType.DEMOTE if entry.level == BY_MEMBER_KEY and not is_new:
            return graph.exercised(act.op_id, mask)
        case OpType.LEAVE if not is_new:
            return 0
        case OpType.REMOVE | OpType.DEMOTE | OpType.LEAVE:
            who = entry.author if act.type is OpType.LEAVE else act.subject
            return graph.authored_by(who, mask) | graph.approved_by(who, mask) | graph.exercised(act.op_id, mask)
        case OpType.ADMIT | OpType.PROMOTE:
            return graph.exercised(act.op_id, mask)
        case OpType.INVITE:
            return graph.admits_under(act.op_id, mask)
        case OpType.UNINVITE:
            return graph.admits_under(act.named_invite, mask)
        case OpType.DEVICE_REMOVE:
            return graph.written_by(act.named_device, mask)
        case _:
            return 0


def _filter_admits(standing: Standing, admits: list[Entry]) -> None:
    for entry in admits:
        if standing.outlaws(entry):
            standing.valid &= ~entry.bit


def _unfile(shelf: dict[_Key, Entries], doubted: int) -> dict[_Key, Entries]:
    return {key: tuple(entry for entry in entries if not entry.bit & doubted) for key, entries in shelf.items()}


def _file(shelf: dict[_Key, Entries], key: _Key, entry: Entry) -> None:
    shelf[key] = (*shelf.get(key, ()), entry)


def _revokes(removal: Entry, grant: Entry) -> bool:
    """Say whether a remove or demote that counts takes this grant away (rule 3)."""
    return removal.level < grant.act.granted_rank and not removal.is_before(grant) and not _spares(removal, grant)


def _gives_up(leave: Entry, grant: Entry) -> bool:
    """Say whether a leave or self-demotion takes this grant of its author's away (rule 3)."""
    return leave is not grant and not leave.is_before(grant) and not _spares(leave, grant)


def _spares(taking: Entry, grant: Entry) -> bool:
    """Say whether a demotion leaves a grant alone: it takes only those above the rank that it gives."""
    return taking.act.type is OpType.DEMOTE and grant.act.granted_rank >= taking.act.granted_rank


def _beside(one: Entry, other: Entry) -> bool:
    """Say whether neither had heard of the other."""
    return not one.is_before(other) and not other.is_before(one)


def _outranked(loss: Entry, live: list[Entry]) -> bool:
    """Say whether a member holds a grant that the senior who took their device could not have taken (rule 6)."""
    return any(grant.act.granted_rank <= loss.level and not loss.is_before(grant) for grant in live)
