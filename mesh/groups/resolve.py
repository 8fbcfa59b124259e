"""resolve: from a set of operations to who belongs (protocol.md §4, "resolve").

A pure function of the *set*: no clock, no order of arrival. Operations are judged from the most senior down, so that
whether one counts depends only on operations that are more senior than it. This is the batch form, complete for rules
1 to 4 and 7 and for what invites need; devices of their own, cuts of operations and the incremental form belong to
the membership work that follows, and docs/protocol.md says so.
"""

from collections import defaultdict
from dataclasses import dataclass, field

from mesh.commands import Rank
from mesh.groups.operations import GRANTS, Operation, card_device, signed_by_member_key
from mesh.groups.oplog import OpLog, bits
from mesh.groups.views import Invite, Member, View
from mesh.ids import DeviceId, MemberPk, OpId
from mesh.wire.operations import (
    ZERO32,
    AdmitBody,
    AgreementBody,
    CreateBody,
    InviteBody,
    OpType,
    RankBody,
    RemoveBody,
    SettingsBody,
    UninviteBody,
)

_BY_MEMBER_KEY = -1  # level of what rests on the member key alone


@dataclass(slots=True)
class _Judgement:
    """What has been decided so far about the operations of one mask."""

    log: OpLog
    mask: int
    dropped: int  # admits that the invite filter took out, and all that rests on them
    valid: int = 0
    removals: dict[MemberPk, list[Operation]] = field(default_factory=lambda: defaultdict(list))
    leaves: dict[MemberPk, list[Operation]] = field(default_factory=lambda: defaultdict(list))
    uninvites: dict[OpId, list[Operation]] = field(default_factory=lambda: defaultdict(list))

    def author(self, op: Operation) -> MemberPk:
        """Return the member whose device wrote it."""
        card = op.card if op.type is OpType.CREATE else self.log.card(op.tbs.dev)
        assert card is not None, "the rules let no operation in without its author's card"
        return card.member_pk

    def level(self, op: Operation) -> int:
        """Return the rank of the grant it exercises; lower is judged first."""
        if op.type is OpType.CREATE:
            return Rank.FOUNDER
        card = self.log.card(op.tbs.dev)
        assert card is not None
        if signed_by_member_key(op, card):
            return _BY_MEMBER_KEY
        grant = self.log.get(op.tbs.auth)
        assert grant is not None
        return grant.granted_rank

    def is_before(self, earlier: Operation, later: Operation) -> bool:
        """Say whether `earlier` is a strict ancestor of `later`."""
        return bool(self.log.past(later.op_id) & self.log.bit(earlier.op_id))

    def revokes(self, removal: Operation, grant: Operation) -> bool:
        """Say whether a valid remove or demote takes this grant away (rule 3)."""
        if isinstance(removal.body, RankBody) and grant.granted_rank >= removal.body.rank:
            return False
        senior = self.level(removal) < grant.granted_rank
        return senior and not self.is_before(removal, grant)

    def counts(self, op: Operation) -> bool:
        """Judge one operation, all more senior ones having been judged (rule 4)."""
        if op.type is OpType.CREATE:
            return True
        if self.log.bit(op.op_id) & self.dropped:
            return False
        author = self.author(op)
        if self.level(op) == _BY_MEMBER_KEY:
            return True
        grant = self.log.get(op.tbs.auth)
        assert grant is not None
        if not self.log.bit(grant.op_id) & self.valid:
            return False
        against = [r for r in self.removals[author] if self.revokes(r, grant)]
        if not all(self.is_before(op, r) for r in against):
            return False
        for leave in self.leaves[author]:
            concurrent_removal = any(not self.is_before(r, leave) and not self.is_before(leave, r) for r in against)
            gives_up = leave.type is OpType.LEAVE or (
                isinstance(leave.body, RankBody) and grant.granted_rank < leave.body.rank
            )
            binds = gives_up and not self.is_before(leave, grant) and not concurrent_removal
            if binds and not self.is_before(op, leave):
                return False
        return True

    def record(self, op: Operation) -> None:
        """Note an operation that counts, so that more junior ones meet its effect."""
        self.valid |= self.log.bit(op.op_id)
        if isinstance(op.body, RemoveBody):
            self.removals[op.body.target].append(op)
        elif op.type is OpType.LEAVE:
            self.leaves[self.author(op)].append(op)
        elif op.type is OpType.DEMOTE and isinstance(op.body, RankBody):
            own = op.body.target == self.author(op)
            (self.leaves if own else self.removals)[op.body.target].append(op)
        elif isinstance(op.body, UninviteBody):
            self.uninvites[op.body.invite].append(op)

    def alive(self, grant: Operation) -> bool:
        """Say whether a grant is valid and nothing has taken it away (rule 7)."""
        who = grant.grantee
        if who is None or not self.log.bit(grant.op_id) & self.valid:
            return False
        if any(self.revokes(r, grant) for r in self.removals[who]):
            return False
        for leave in self.leaves[who]:
            gives_up = leave.type is OpType.LEAVE or (
                isinstance(leave.body, RankBody) and grant.granted_rank < leave.body.rank
            )
            if gives_up and leave.op_id != grant.op_id and not self.is_before(leave, grant):
                return False
        return True

    def outlawed_admits(self) -> int:
        """Return the admits under a closed invite that its closing may strike (rule 5)."""
        struck = 0
        for op in self.log.within(self.mask):
            if not isinstance(op.body, AdmitBody) or op.body.invite == ZERO32:
                continue
            invite = self.log.get(op.body.invite)
            assert invite is not None
            closings = self.uninvites[invite.op_id] + [
                r for r in self.removals[self.author(invite)] if isinstance(r.body, RemoveBody)
            ]
            for closing in closings:
                if self.level(op) >= self.level(closing) and not self.is_before(op, closing):
                    struck |= self.log.bit(op.op_id)
            if self.level(op) > Rank.MODERATOR and not self.log.bit(invite.op_id) & self.valid:
                struck |= self.log.bit(op.op_id)
        return struck & self.valid


def _judge(log: OpLog, mask: int, dropped: int) -> _Judgement:
    judged = _Judgement(log=log, mask=mask, dropped=dropped)

    def seniority(op: Operation) -> tuple[bool, int, int, OpId]:
        return (op.type is not OpType.CREATE, judged.level(op), log.past(op.op_id).bit_count(), op.op_id)

    for op in sorted(log.within(mask), key=seniority):
        if judged.counts(op):
            judged.record(op)
    return judged


def resolve(log: OpLog, mask: int) -> View:
    """Return the view of the operations in `mask` (downward closed, not empty, each structurally valid)."""
    dropped = 0
    while True:
        judged = _judge(log, mask, dropped)
        struck = judged.outlawed_admits()
        if not struck & ~dropped:
            return _render(judged)
        dropped |= struck


def _render(judged: _Judgement) -> View:
    log = judged.log
    grants: dict[MemberPk, list[Operation]] = {}
    everyone: dict[MemberPk, None] = {}
    cards: dict[MemberPk, list[DeviceId]] = {}
    for op in log.within(judged.mask):
        if op.type in GRANTS and op.grantee is not None:
            everyone[op.grantee] = None
            if judged.alive(op):
                grants.setdefault(op.grantee, []).append(op)
        if op.card is not None and log.bit(op.op_id) & judged.valid:
            cards.setdefault(op.card.member_pk, []).append(card_device(op.card))
    members = {pk: _member(judged, pk, alive, tuple(cards.get(pk, ()))) for pk, alive in grants.items() if pk in cards}
    departed = {pk: _farewell(judged, pk) for pk in everyone if pk not in members}
    return View(
        members=members,
        devices={dev: pk for pk, member in members.items() for dev in member.devices},
        departed={pk: op_id for pk, op_id in departed.items() if op_id is not None},
        invites=_invites(judged),
        settings=_settings(judged),
        agreement=_agreement(judged),
        valid=judged.valid,
    )


def _member(judged: _Judgement, pk: MemberPk, alive: list[Operation], devices: tuple[DeviceId, ...]) -> Member:
    best = min(alive, key=lambda op: (op.granted_rank, op.op_id))
    entry = next(
        op
        for op in judged.log.within(judged.mask)
        if op.card is not None and op.card.member_pk == pk and op.type in GRANTS
    )
    assert isinstance(entry.body, CreateBody | AdmitBody)
    inviter = None
    if isinstance(entry.body, AdmitBody):
        invite = judged.log.get(entry.body.invite)
        inviter = judged.author(invite if invite is not None else entry)
    return Member(
        pk=pk,
        alias=entry.body.alias,
        rank=best.granted_rank,
        grant=best.op_id,
        admitted=entry.op_id,
        invited_by=inviter,
        devices=devices,
    )


def _farewell(judged: _Judgement, pk: MemberPk) -> OpId | None:
    # A removal says more than a leave: it carries the cut.
    for op in judged.removals[pk]:
        if isinstance(op.body, RemoveBody):
            return op.op_id
    for op in judged.leaves[pk]:
        if op.type is OpType.LEAVE:
            return op.op_id
    return None


def _invites(judged: _Judgement) -> dict[OpId, Invite]:
    joiners: dict[OpId, dict[MemberPk, None]] = {}
    for k in bits(judged.valid):
        body = judged.log.ops[k].body
        if isinstance(body, AdmitBody):
            joiners.setdefault(body.invite, {})[body.card.member_pk] = None
    found: dict[OpId, Invite] = {}
    for k in bits(judged.valid):
        op = judged.log.ops[k]
        if isinstance(op.body, InviteBody):
            issuer = judged.author(op)
            gone = any(isinstance(r.body, RemoveBody) for r in judged.removals[issuer])
            found[op.op_id] = Invite(
                op_id=op.op_id,
                body=op.body,
                issuer=issuer,
                open=not judged.uninvites[op.op_id] and not gone,
                joiners=tuple(joiners.get(op.op_id, ())),
            )
    return found


def _maximal(judged: _Judgement, ops: list[Operation]) -> list[Operation]:
    """Return those that no other of them follows, most senior and then lowest id first (protocol.md §4)."""
    last = [op for op in ops if not any(judged.is_before(op, other) for other in ops)]
    return sorted(last, key=lambda op: (judged.level(op), op.op_id))


def _settings(judged: _Judgement) -> dict[str, str]:
    setters: dict[str, list[Operation]] = {}
    values: dict[tuple[str, OpId], str] = {}
    for k in bits(judged.valid):
        op = judged.log.ops[k]
        if isinstance(op.body, SettingsBody | CreateBody):
            for setting in op.body.settings:
                setters.setdefault(setting.key, []).append(op)
                values[setting.key, op.op_id] = setting.value
    return {key: values[key, _maximal(judged, ops)[0].op_id] for key, ops in sorted(setters.items())}


def _agreement(judged: _Judgement) -> OpId:
    texts = [
        judged.log.ops[k] for k in bits(judged.valid) if isinstance(judged.log.ops[k].body, AgreementBody | CreateBody)
    ]
    return _maximal(judged, texts)[0].op_id
