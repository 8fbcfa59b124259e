"""A trivial twin of `resolve`: the rules of protocol.md §4 read aloud, over plain sets, with no thought of speed.

It knows nothing of masks or of orders of judging: whether an operation counts is asked when it is needed, and that
rests on more senior operations only. It leaves out invites (rule 5), and so do the stories that it is asked about.
"""

from functools import cache

from mesh.commands import Rank
from mesh.groups.operations import GRANTS, Operation, card_device
from mesh.ids import MemberPk, OpId
from mesh.wire.operations import OpType, RankBody, RemoveBody

BY_MEMBER_KEY = -1


class Twin:
    """What a set of operations says, asked one question at a time."""

    def __init__(self, ops: list[Operation]) -> None:
        self.ops = {op.op_id: op for op in ops}
        self.owner = {card_device(op.card): op.card.member_pk for op in ops if op.card is not None}
        self.ancestors = cache(self._ancestors)
        self.counts = cache(self._counts)

    def _ancestors(self, op_id: OpId) -> frozenset[OpId]:
        found: set[OpId] = set()
        for dep in self.ops[op_id].tbs.deps:
            found |= {dep} | self.ancestors(dep)
        return frozenset(found)

    def author(self, op: Operation) -> MemberPk:
        """Who wrote it."""
        return self.owner[op.tbs.dev]

    def steps_down(self, op: Operation) -> bool:
        """Whether it is a demotion of its own author."""
        return op.type is OpType.DEMOTE and op.grantee == self.author(op)

    def level(self, op: Operation) -> int:
        """How senior it is; lower is more senior."""
        if op.type is OpType.CREATE:
            return Rank.FOUNDER
        if op.type is OpType.LEAVE or self.steps_down(op):
            return BY_MEMBER_KEY
        return self.ops[op.tbs.auth].granted_rank

    def is_removal(self, op: Operation, target: MemberPk) -> bool:
        """Whether it removes or demotes this member, and is not their own stepping down."""
        match op.body:
            case RemoveBody():
                return op.body.target == target
            case RankBody():
                return op.type is OpType.DEMOTE and op.body.target == target and not self.steps_down(op)
            case _:
                return False

    def revoke(self, grant: Operation) -> list[Operation]:
        """The removals that count and take this grant (rule 3)."""
        assert grant.grantee is not None
        return [
            op
            for op in self.ops.values()
            if self.is_removal(op, grant.grantee)
            and self.level(op) < grant.granted_rank
            and op.op_id not in self.ancestors(grant.op_id)
            and (not isinstance(op.body, RankBody) or grant.granted_rank < op.body.rank)
            and self.counts(op.op_id)
        ]

    def give_up(self, grant: Operation) -> list[Operation]:
        """The leaves and steps down by which its holder gave this grant up (rule 3)."""
        return [
            op
            for op in self.ops.values()
            if (op.type is OpType.LEAVE or self.steps_down(op))
            and self.author(op) == grant.grantee
            and op is not grant
            and op.op_id not in self.ancestors(grant.op_id)
            and (not isinstance(op.body, RankBody) or grant.granted_rank < op.body.rank)
        ]

    def is_grant(self, grant: Operation) -> bool:
        """Whether it gives what it says: a step down gives no more than there was."""
        if not self.counts(grant.op_id):
            return False
        return not self.steps_down(grant) or self.is_grant(self.ops[grant.tbs.auth])

    def _counts(self, op_id: OpId) -> bool:
        op = self.ops[op_id]
        if op.type is OpType.CREATE or self.level(op) == BY_MEMBER_KEY:
            return True
        grant = self.ops[op.tbs.auth]
        if not self.is_grant(grant):
            return False
        removals = self.revoke(grant)
        if any(op_id not in self.ancestors(removal.op_id) for removal in removals):
            return False
        return all(
            op_id in self.ancestors(leave.op_id) or any(self.is_beside(leave, removal) for removal in removals)
            for leave in self.give_up(grant)
        )

    def is_beside(self, one: Operation, other: Operation) -> bool:
        """Whether neither had heard of the other."""
        return one.op_id not in self.ancestors(other.op_id) and other.op_id not in self.ancestors(one.op_id)

    def ranks(self) -> dict[MemberPk, Rank]:
        """Who is in, and at what rank (rule 7)."""
        found: dict[MemberPk, Rank] = {}
        for op in self.ops.values():
            stands = op.type in GRANTS and self.is_grant(op) and not self.revoke(op) and not self.give_up(op)
            if stands and op.grantee is not None:
                found[op.grantee] = min(op.granted_rank, found.get(op.grantee, Rank.NEWCOMER))
        return found
