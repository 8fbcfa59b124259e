"""resolve: from a set of operations to who belongs (protocol.md §4, "resolve").

A pure function of the *set*: no clock, no order of arrival. Operations are judged from the most senior down, so that
whether one counts depends only on operations that are more senior than it. This is the batch form, complete for rules
1 to 5 and 7; devices of their own, cuts of operations and the incremental form belong to the membership work that
follows, and docs/protocol.md says so.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from mesh.commands import Rank
from mesh.groups.operations import GRANTS, card_device
from mesh.groups.oplog import BY_MEMBER_KEY, Entry, OpLog
from mesh.groups.views import Invite, Member, View
from mesh.ids import MemberPk, OpId
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


@dataclass(slots=True)
class _Judgement:
    """What has been decided so far about the operations of one mask."""

    log: OpLog
    mask: int
    dropped: int  # admits that the invite filter took out, and all that rests on them
    valid: int = 0
    removals: dict[MemberPk, list[Entry]] = field(default_factory=dict)
    leaves: dict[MemberPk, list[Entry]] = field(default_factory=dict)  # self-demotions too
    uninvites: dict[OpId, list[Entry]] = field(default_factory=dict)

    def counts(self, entry: Entry) -> bool:
        """Judge one operation, all more senior ones having been judged (rule 4)."""
        if entry.grant is None:
            return True
        if entry.bit & self.dropped:
            return False
        if entry.level == BY_MEMBER_KEY:
            return True
        return self.exercises(entry, entry.author, entry.grant) and self.approved(entry)

    def exercises(self, entry: Entry, member: MemberPk, grant: Entry) -> bool:
        """Say whether an operation may rest on a grant of this member's, as author or approver (rule 4)."""
        if not self.gives(grant):
            return False
        against = [r for r in self.removals.get(member, ()) if _revokes(r, grant)]
        if not all(entry.is_before(r) for r in against):
            return False
        for leave in self.leaves.get(member, ()):
            undone = any(not r.is_before(leave) and not leave.is_before(r) for r in against)
            if _gives_up(leave, grant) and not undone and not entry.is_before(leave):
                return False
        return True

    def approved(self, entry: Entry) -> bool:
        """Say whether an admit by a plain member still has the approvals that its invite asks for (rule 5)."""
        body = entry.op.body
        if not isinstance(body, AdmitBody) or entry.level <= Rank.MODERATOR:
            return True
        invite = self.log.entry(body.invite)
        if invite is None or not isinstance(invite.op.body, InviteBody):
            return True
        said_yes: dict[MemberPk, None] = {}
        for approval in body.approvals:
            grant = self.log.entry(approval.grant)
            card = self.log.card(approval.dev)
            if grant is not None and card is not None and self.exercises(entry, card.member_pk, grant):
                said_yes[card.member_pk] = None
        return len(said_yes) >= invite.op.body.approvals

    def gives(self, grant: Entry) -> bool:
        """Say whether a grant counts as one.

        A self-demotion counts as an operation whatever becomes of its author's standing, but it can give no more than
        there was: its rank stands only while the more senior grant that it steps down from is one.
        """
        if not grant.bit & self.valid:
            return False
        stepped_down = grant.level == BY_MEMBER_KEY
        return not stepped_down or (grant.grant is not None and self.gives(grant.grant))

    def record(self, entry: Entry) -> None:
        """Note an operation that counts, so that more junior ones meet its effect."""
        self.valid |= entry.bit
        body = entry.op.body
        if isinstance(body, RemoveBody):
            self.removals.setdefault(body.target, []).append(entry)
        elif entry.op.type is OpType.LEAVE:
            self.leaves.setdefault(entry.author, []).append(entry)
        elif entry.op.type is OpType.DEMOTE and isinstance(body, RankBody):
            where = self.leaves if entry.level == BY_MEMBER_KEY else self.removals
            where.setdefault(body.target, []).append(entry)
        elif isinstance(body, UninviteBody):
            self.uninvites.setdefault(body.invite, []).append(entry)

    def alive(self, grant: Entry) -> bool:
        """Say whether a grant counts and nothing has taken it away (rule 7)."""
        who = grant.op.grantee
        if who is None or not self.gives(grant):
            return False
        if any(_revokes(r, grant) for r in self.removals.get(who, ())):
            return False
        return not any(_gives_up(leave, grant) for leave in self.leaves.get(who, ()))

    def outlawed_admits(self) -> list[Entry]:
        """Return the admits that count although their invite was closed, as far as its closing may strike (rule 5)."""
        return [entry for entry in self.log.entries(self.valid) if self._outlawed(entry)]

    def _outlawed(self, entry: Entry) -> bool:
        body = entry.op.body
        if not isinstance(body, AdmitBody) or body.invite == ZERO32:
            return False
        invite = self.log.entry(body.invite)
        assert invite is not None, "the rules let no admit in under an invite that it does not build on"
        if entry.level > Rank.MODERATOR and not invite.bit & self.valid:
            return True
        removed = [r for r in self.removals.get(invite.author, ()) if isinstance(r.op.body, RemoveBody)]
        closings = [*self.uninvites.get(body.invite, ()), *removed]
        return any(entry.level >= closing.level and not entry.is_before(closing) for closing in closings)


def _revokes(removal: Entry, grant: Entry) -> bool:
    """Say whether a valid remove or demote takes this grant away (rule 3)."""
    rank = grant.op.granted_rank
    if isinstance(removal.op.body, RankBody) and rank >= removal.op.body.rank:
        return False
    return removal.level < rank and not removal.is_before(grant)


def _gives_up(leave: Entry, grant: Entry) -> bool:
    """Say whether a leave or self-demotion takes this grant of its author's away (rule 3)."""
    if leave is grant or leave.is_before(grant):
        return False
    if isinstance(leave.op.body, RankBody):
        return grant.op.granted_rank < leave.op.body.rank
    return True


def _judge(log: OpLog, mask: int, dropped: int) -> _Judgement:
    judged = _Judgement(log=log, mask=mask, dropped=dropped)
    for entry in log.ranked(mask):
        if judged.counts(entry):
            judged.record(entry)
    return judged


def resolve(log: OpLog, mask: int) -> View:
    """Return the view of the operations in `mask` (downward closed, not empty, each structurally valid)."""
    dropped = 0
    while True:
        judged = _judge(log, mask, dropped)
        outlawed = judged.outlawed_admits()
        if not outlawed:
            return _render(judged)
        # The most senior admits fall first: one who falls with them has no say in whether more junior ones do.
        senior = min(entry.level for entry in outlawed)
        for entry in outlawed:
            if entry.level == senior:
                dropped |= entry.bit


# ---------------------------------------------------------------- the view


def _render(judged: _Judgement) -> View:
    log = judged.log
    granted = sorted((e for e in log.entries(judged.mask) if e.op.type in GRANTS), key=lambda e: e.depth)
    alive: dict[MemberPk, list[Entry]] = {}
    entered: dict[MemberPk, list[Entry]] = {}
    for entry in granted:
        who = entry.op.grantee
        assert who is not None
        if judged.alive(entry):
            alive.setdefault(who, []).append(entry)
        if entry.op.card is not None:
            entered.setdefault(who, []).append(entry)
    members = {pk: _member(judged, pk, entered[pk], grants) for pk, grants in sorted(alive.items())}
    departed = {pk: _farewell(judged, pk) for pk in sorted(entered) if pk not in members}
    return View(
        members=members,
        devices={dev: pk for pk, member in members.items() for dev in member.devices},
        departed={pk: op_id for pk, op_id in departed.items() if op_id is not None},
        invites=_invites(judged),
        settings=_settings(judged),
        agreement=_agreement(judged),
        valid=judged.valid,
    )


def _member(judged: _Judgement, pk: MemberPk, entered: list[Entry], alive: list[Entry]) -> Member:
    """Put together what is shown of a member; both lists are in an order that is the same on every node.

    A device bound in an admit stays bound while its member is in by any grant (rule 6).
    """
    best = min(alive, key=lambda e: (e.op.granted_rank, e.op.op_id))
    counting = [e for e in entered if e.bit & judged.valid]
    first = (counting or entered)[0]
    body = first.op.body
    assert isinstance(body, CreateBody | AdmitBody)
    inviter = None
    if isinstance(body, AdmitBody):
        invite = judged.log.entry(body.invite)
        inviter = (first if invite is None else invite).author
    cards = [e.op.card for e in entered if e.op.card is not None]
    return Member(
        pk=pk,
        alias=body.alias,
        rank=best.op.granted_rank,
        grant=best.op.op_id,
        admitted=first.op.op_id,
        invited_by=inviter,
        devices=tuple(sorted({card_device(card) for card in cards})),
    )


def _farewell(judged: _Judgement, pk: MemberPk) -> OpId | None:
    # A removal says more than a leave: it carries the cut.
    for removal in judged.removals.get(pk, ()):
        if isinstance(removal.op.body, RemoveBody):
            return removal.op.op_id
    for leave in judged.leaves.get(pk, ()):
        if leave.op.type is OpType.LEAVE:
            return leave.op.op_id
    return None


def _invites(judged: _Judgement) -> dict[OpId, Invite]:
    found: dict[OpId, Invite] = {}
    for entry in sorted(judged.log.entries(judged.valid), key=lambda e: e.depth):
        op = entry.op
        if not isinstance(op.body, InviteBody):
            continue
        gone = any(isinstance(r.op.body, RemoveBody) for r in judged.removals.get(entry.author, ()))
        admits = judged.log.entries(judged.log.admits_under(op.op_id, judged.mask))
        found[op.op_id] = Invite(
            op_id=op.op_id,
            body=op.body,
            issuer=entry.author,
            open=not judged.uninvites.get(op.op_id) and not gone,
            joiners=tuple(sorted({e.op.body.card.member_pk for e in admits if isinstance(e.op.body, AdmitBody)})),
        )
    return found


def _chosen(entries: Iterable[Entry]) -> Entry:
    """Return the one in force: of those that no other of them follows the most senior, then the lowest id."""
    candidates = list(entries)
    past = 0
    for entry in candidates:
        past |= entry.past
    return min((e for e in candidates if not past & e.bit), key=lambda e: (e.level, e.op.op_id))


def _settings(judged: _Judgement) -> dict[str, str]:
    setters: dict[str, list[Entry]] = {}
    values: dict[tuple[str, OpId], str] = {}
    for entry in judged.log.entries(judged.valid):
        if isinstance(entry.op.body, SettingsBody | CreateBody):
            for setting in entry.op.body.settings:
                setters.setdefault(setting.key, []).append(entry)
                values[setting.key, entry.op.op_id] = setting.value
    return {key: values[key, _chosen(entries).op.op_id] for key, entries in sorted(setters.items())}


def _agreement(judged: _Judgement) -> OpId:
    texts = (e for e in judged.log.entries(judged.valid) if isinstance(e.op.body, AgreementBody | CreateBody))
    return _chosen(texts).op.op_id
