"""A trivial twin of `resolve`: the rules of protocol.md §4 read aloud, over plain sets, with no thought of speed.

It knows nothing of masks, of orders of judging or of what changed: whether an act counts is asked when it is needed,
and that rests on more senior acts only.
"""

from functools import cache

from mesh.commands import Rank
from mesh.ids import DeviceId, MemberPk, OpId
from mesh.membership.acts import GRANTS, NOTHING, Act
from mesh.wire.operations import OpType

BY_MEMBER_KEY = -1
DEVICES = 4


class Twin:
    """What a set of acts says, asked one question at a time. All of them are structurally valid."""

    def __init__(self, acts: list[Act]) -> None:
        self.acts = {act.op_id: act for act in acts}
        brought = (OpType.CREATE, OpType.ADMIT, OpType.DEVICE_ADD)
        self.owner = {act.device: act.member for act in acts if act.type in brought}
        self.ancestors = cache(self._ancestors)
        self.counts = cache(self._counts)
        self.stands = cache(self._stands)

    def of_type(self, *kinds: OpType) -> list[Act]:
        return [act for act in self.acts.values() if act.type in kinds]

    # ------------------------------------------------------------ the graph

    def _ancestors(self, op_id: OpId) -> frozenset[OpId]:
        found: set[OpId] = set()
        for dep in self.acts[op_id].deps:
            found |= {dep} | self.ancestors(dep)
        return frozenset(found)

    def before(self, one: Act, other: Act) -> bool:
        return one.op_id in self.ancestors(other.op_id)

    def beside(self, one: Act, other: Act) -> bool:
        return not self.before(one, other) and not self.before(other, one)

    # ------------------------------------------------------------ rule 2

    def author(self, act: Act) -> MemberPk:
        found = self.owner[act.dev]
        assert found is not None
        return found

    def by_member_key(self, act: Act) -> bool:
        if act.type in (OpType.LEAVE, OpType.DEVICE_ADD):
            return True
        if act.type is OpType.DEMOTE:
            return act.member == self.author(act)
        return act.type is OpType.DEVICE_REMOVE and act.member == self.author(act) and act.cut is not None

    def level(self, act: Act) -> int:
        if act.type is OpType.CREATE:
            return Rank.FOUNDER
        return BY_MEMBER_KEY if self.by_member_key(act) else self.acts[act.auth].granted_rank

    # ------------------------------------------------------------ rule 3

    def revoke(self, grant: Act) -> list[Act]:
        """The removes and demotes that count and take this grant."""
        found = []
        for act in self.of_type(OpType.REMOVE, OpType.DEMOTE):
            senior_only = act.type is OpType.DEMOTE and grant.granted_rank >= act.granted_rank
            takes = act.member == grant.member and not self.by_member_key(act) and not senior_only
            is_senior = self.level(act) < grant.granted_rank
            if takes and is_senior and not self.before(act, grant) and self.stands(act.op_id):
                found.append(act)
        return found

    def give_up(self, grant: Act) -> list[Act]:
        """The leaves and steps down by which its holder gave this grant up."""
        found = []
        for act in self.of_type(OpType.LEAVE, OpType.DEMOTE):
            if self.author(act) != grant.member or not self.by_member_key(act):
                continue
            if act is grant or self.before(act, grant):
                continue
            if act.type is OpType.LEAVE or grant.granted_rank < act.granted_rank:
                found.append(act)
        return found

    def effective(self, grant: Act) -> list[Act]:
        """Of those, the ones that are beside no removal that takes the same grant."""
        return [leave for leave in self.give_up(grant) if not any(self.beside(leave, r) for r in self.revoke(grant))]

    # ------------------------------------------------------------ rule 4

    def is_grant(self, grant: Act) -> bool:
        """A step down gives no more than there was."""
        steps_down = grant.type is OpType.DEMOTE and self.by_member_key(grant)
        return self.stands(grant.op_id) and (not steps_down or self.is_grant(self.acts[grant.auth]))

    def may_rest(self, act: Act, grant: Act) -> bool:
        if not self.is_grant(grant):
            return False
        return all(self.before(act, taking) for taking in (*self.revoke(grant), *self.effective(grant)))

    def _counts(self, op_id: OpId) -> bool:
        act = self.acts[op_id]
        if act.type is OpType.CREATE or self.by_member_key(act):
            return True
        return self.may_rest(act, self.acts[act.auth]) and self.has_its_approvals(act) and self.within_cuts(act)

    # ------------------------------------------------------------ rule 5

    def has_its_approvals(self, act: Act) -> bool:
        if act.type is not OpType.ADMIT or act.invite is None or self.level(act) <= Rank.MODERATOR:
            return True
        standing = {self.owner[yes.dev] for yes in act.approvals if self.may_rest(act, self.acts[yes.grant])}
        return len(standing) >= self.acts[act.invite].approvals_needed

    def _stands(self, op_id: OpId) -> bool:
        """Counts, and the invite filter leaves it in."""
        act = self.acts[op_id]
        if not self.counts(op_id):
            return False
        if act.type is not OpType.ADMIT or act.invite is None:
            return True
        invite = self.acts[act.invite]
        if self.level(act) > Rank.MODERATOR and not self.stands(invite.op_id):
            return False
        closings = [u for u in self.of_type(OpType.UNINVITE) if u.invite == act.invite]
        closings += [r for r in self.of_type(OpType.REMOVE) if r.member == self.author(invite)]
        return not any(
            self.level(act) >= self.level(closing) and not self.before(act, closing) and self.stands(closing.op_id)
            for closing in closings
        )

    # ------------------------------------------------------------ rule 6

    def within_cuts(self, act: Act) -> bool:
        for loss in self.of_type(OpType.DEVICE_REMOVE):
            if loss.device != act.dev or loss.cut is None or not self.binds(loss, act):
                continue
            if loss.cut == NOTHING or not (act.op_id == loss.cut or self.before(act, self.acts[loss.cut])):
                return False
        return True

    def binds(self, loss: Act, act: Act) -> bool:
        grant = self.acts[act.auth]
        if not self.by_member_key(loss):
            return grant.granted_rank > self.level(loss) and self.stands(loss.op_id)
        return all(self.before(loss, taking) for taking in (*self.revoke(grant), *self.effective(grant)))

    def is_taken(self, dev: DeviceId, live: list[Act]) -> bool:
        for loss in self.of_type(OpType.DEVICE_REMOVE):
            if loss.device != dev or not self.stands(loss.op_id):
                continue
            outranked = any(g.granted_rank <= self.level(loss) and not self.before(loss, g) for g in live)
            if self.author(loss) == loss.member or not outranked:
                return True
        return False

    # ------------------------------------------------------------ who is named

    def astray(self) -> list[Act]:
        """The admits that should never have come in: by a name that the invite does not give, or that was used."""
        found = []
        for act in self.of_type(OpType.ADMIT):
            allow = () if act.invite is None else self.acts[act.invite].allow
            earlier = [a for a in self.of_type(OpType.ADMIT) if a.invite == act.invite and self.before(a, act)]
            used = act.former is not None and any(a.former == act.former for a in earlier)
            named = act.former in allow if allow else act.former is None
            if used or not named:
                found.append(act)
        return found

    # ------------------------------------------------------------ rule 7

    def live(self, member: MemberPk) -> list[Act]:
        return [
            act
            for act in self.acts.values()
            if act.type in GRANTS
            and act.member == member
            and self.is_grant(act)
            and not self.revoke(act)
            and not self.give_up(act)
        ]

    def ranks(self) -> dict[MemberPk, Rank]:
        """Who is in, and at what rank."""
        everybody = {act.subject for act in self.of_type(OpType.CREATE, OpType.ADMIT)}
        return {pk: min(g.granted_rank for g in live) for pk in everybody if (live := self.live(pk))}

    def devices(self) -> dict[MemberPk, set[DeviceId]]:
        """The devices of those who are in."""
        found: dict[MemberPk, set[DeviceId]] = {}
        for pk in self.ranks():
            there: list[DeviceId] = []
            brought = [a for a in self.of_type(OpType.CREATE, OpType.ADMIT, OpType.DEVICE_ADD) if a.member == pk]
            for act in sorted(brought, key=lambda a: (a.gen, a.op_id)):
                assert act.device is not None
                if act.device not in there and not self.is_taken(act.device, self.live(pk)):
                    there.append(act.device)
            found[pk] = set(there[:DEVICES])
        return found

    def standing(self) -> set[OpId]:
        """The acts that count."""
        return {op_id for op_id in self.acts if self.stands(op_id)}
