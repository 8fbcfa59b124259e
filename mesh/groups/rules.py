"""The structure of an operation: what must hold, from its ancestors alone, or it is refused for ever (protocol.md §4).

Every check looks only at the past that the operation itself names, so all nodes refuse the same ones. Whether a
well-formed operation then *counts* beside concurrent ones is `mesh.groups.resolve`'s question.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from mesh.commands import Rank, Suite
from mesh.crypto.keys import valid_point, verify
from mesh.errors import Fault, RemoteError
from mesh.groups.epochs import KEM_BYTES, check_block
from mesh.groups.joining import (
    APPROVAL_LABEL,
    agreement_hash,
    approval_statement,
    check_admit_signatures,
    join_statement,
)
from mesh.groups.operations import Operation, card_device, signed_by_member_key, verify_op
from mesh.groups.oplog import OpLog
from mesh.groups.views import View
from mesh.identity.keys import verify_device
from mesh.ids import GroupId, MemberPk, Sealer
from mesh.wire import limits
from mesh.wire.operations import (
    ZERO32,
    AdmitBody,
    AgreementBody,
    Card,
    CreateBody,
    DeviceAddBody,
    DeviceRemoveBody,
    ForkBody,
    InviteBody,
    LeaveBody,
    OpType,
    RankBody,
    RekeyBody,
    RemoveBody,
    Setting,
    SettingsBody,
    UninviteBody,
    epoch_block,
)
from mesh.wire.text import check_text

MEMBERS_INVITE: Final = "members-invite"  # the setting by which plain members may invite


def against(what: str) -> RemoteError:
    """Return the error for an operation that the rules do not allow."""
    return RemoteError(Fault.AGAINST_RULES, what)


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What an operation's author had seen: the log, the mask of its ancestors, and the view of them."""

    log: OpLog
    mask: int
    view: View
    suite: Suite
    sealer: Sealer


def check_create(op: Operation, sealer: Sealer) -> None:
    """Check the founding operation, which has no past; RemoteError."""
    body = op.body
    assert isinstance(body, CreateBody)
    tbs = op.tbs
    if tbs.deps or tbs.dseq != 1 or tbs.dprev != ZERO32 or tbs.auth != ZERO32 or tbs.gen != 1:
        raise against("a create has a past")
    if tbs.dev != card_device(body.card):
        raise against("a create is not by the device that it brings in")
    _check_card(body.card, ZERO32, body.suite, sealer)
    verify_op(op, body.card)
    check_founding(body)
    if body.epoch.recipients != [tbs.dev] or body.epoch.dormant:
        raise against("a create's epoch is not for its author alone")
    _check_kem(body.epoch.kem_pk, body.suite, sealer)


def check_founding(body: CreateBody) -> None:
    """Check the texts of a founding operation, which people read before they are in; RemoteError."""
    check_text(body.name, limits.GROUP_NAME_BYTES_MAX)
    check_text(body.alias, limits.ALIAS_BYTES_MAX)
    check_text(body.about, limits.ABOUT_BYTES_MAX, lines=True)
    check_text(body.agreement, limits.AGREEMENT_BYTES_MAX, lines=True)
    for topic in body.topics:
        check_text(topic, limits.TOPIC_BYTES_MAX)
    check_settings(body.settings)


def check_settings(settings: list[Setting]) -> None:
    """Check the texts of settings, and that none is set twice over; RemoteError."""
    for setting in settings:
        check_text(setting.key, limits.SETTING_KEY_BYTES_MAX)
        check_text(setting.value, limits.SETTING_VALUE_BYTES_MAX)
    if len({setting.key for setting in settings}) != len(settings):
        raise RemoteError(Fault.MALFORMED, "a setting is set twice over")


def check_operation(op: Operation, past: Past, after: Callable[[], View]) -> None:
    """Check any later operation against its past; `after` gives the view of past and operation together.

    RemoteError(AGAINST_RULES or BAD_SIGNATURE). The log must hold the operation already (it is taken back out by
    the caller on failure).
    """
    card = past.log.card_in(op.tbs.dev, past.mask)
    if card is None:
        raise against("an operation by a device that nobody brought in")
    if op.type in (OpType.DEVICE_ADD, OpType.DEVICE_REMOVE, OpType.FORK):
        raise against("an operation that this version does not act on")
    verify_op(op, card)
    _check_chain(op, past)
    author = past.view.member_of(op.tbs.dev)
    if author is None:
        raise against("an operation by a device that is not in")
    rank = _check_grant(op, past, author.pk)
    if not signed_by_member_key(op, card):
        _check_permission(op, past, author.pk, rank)
    elif isinstance(op.body, RankBody) and (op.body.rank <= author.rank or op.body.rank <= rank):
        raise against("a self-demotion that demotes nobody")
    block = epoch_block(op.body)
    if block is not None:
        _check_kem(block.kem_pk, past.suite, past.sealer)
        check_block(block, author=op.tbs.dev, view=after(), suite=past.suite)


def _check_chain(op: Operation, past: Past) -> None:
    own = list(past.log.within(past.log.written_by(op.tbs.dev, past.mask)))
    if len({o.tbs.dseq for o in own}) != len(own):
        raise against("a device that has seen its own fork goes on")
    last = max(own, key=lambda o: o.tbs.dseq, default=None)
    expected = (1, ZERO32) if last is None else (last.tbs.dseq + 1, last.op_id)
    if (op.tbs.dseq, op.tbs.dprev) != expected:
        raise against("a device's operations do not follow each other")
    if any(o.type is OpType.LEAVE for o in own):
        raise against("an operation after its author's leave")


def _check_grant(op: Operation, past: Past, author: MemberPk) -> Rank:
    """Return the rank that is exercised. That the grant is among the ancestors, the log has made sure."""
    grant = past.log.get(op.tbs.auth)
    if grant is None or grant.grantee != author:
        raise against("an operation exercises a grant that is not its author's")
    return grant.granted_rank


def _check_permission(op: Operation, past: Past, author: MemberPk, rank: Rank) -> None:
    """Check the table of operation types; `rank` is that of the grant exercised."""
    match op.body:
        case AdmitBody():
            _check_admit(op.body, past, rank)
        case RankBody():
            _check_rank_change(op, op.body, past, rank)
        case RemoveBody():
            _require(rank, Rank.MODERATOR)
            if not past.log.granted_to(op.body.target, past.mask):
                raise against("a removal of someone who never was in")
            check_text(op.body.reason, limits.REASON_BYTES_MAX, lines=True)
        case InviteBody():
            open_to_members = past.view.settings.get(MEMBERS_INVITE) == "on"
            _require(rank, Rank.MEMBER if open_to_members else Rank.MODERATOR)
            if op.body.role not in (Rank.MEMBER, Rank.NEWCOMER) or not valid_point(op.body.invite_pk):
                raise against("an invite to a rank that invites cannot give, or with a bad key")
            if any(known.body.invite_pk == op.body.invite_pk for known in past.view.invites.values()):
                raise against("an invite with the key of another")
        case UninviteBody():
            invite = past.view.invites.get(op.body.invite)
            if invite is None:
                raise against("an uninvite of nothing")
            if invite.issuer != author:
                _require(rank, Rank.MODERATOR)
        case SettingsBody():
            _require(rank, Rank.STEWARD)
            check_settings(op.body.settings)
        case AgreementBody():
            _require(rank, Rank.STEWARD)
            check_text(op.body.text, limits.AGREEMENT_BYTES_MAX, lines=True)
        case RekeyBody():
            _require(rank, Rank.NEWCOMER)
        case CreateBody() | LeaveBody() | DeviceAddBody() | DeviceRemoveBody() | ForkBody():
            raise against("an operation that cannot stand here")


def _require(rank: Rank, least: Rank) -> None:
    if rank > least:
        raise against("an operation that needs a more senior grant")


def _check_rank_change(op: Operation, body: RankBody, past: Past, rank: Rank) -> None:
    target = past.view.members.get(body.target)
    if target is None:
        raise against("a change of rank for someone who is not in")
    if op.type is OpType.PROMOTE:
        newcomer_up = target.rank is Rank.NEWCOMER and body.rank is Rank.MEMBER
        _require(rank, Rank.MODERATOR if newcomer_up else Rank.STEWARD)
        founder_names_founder = rank is Rank.FOUNDER and body.rank is Rank.FOUNDER
        if (body.rank <= rank and not founder_names_founder) or body.rank >= target.rank:
            raise against("a promotion to or above the author's own rank, or that promotes nobody")
    else:
        _require(rank, Rank.STEWARD)
        if target.rank <= rank or body.rank <= target.rank:
            raise against("a demotion of someone who is not junior, or that demotes nobody")


def _check_admit(body: AdmitBody, past: Past, rank: Rank) -> None:
    _require(rank, Rank.MEMBER)
    joiner = body.card.member_pk
    if past.log.granted_to(joiner, past.mask):
        raise against("an admit of someone who was in before")
    if past.log.card_in(card_device(body.card), past.mask) is not None:
        raise against("an admit with a device that is in already")
    if len(past.view.devices) >= limits.DEVICES_MAX[past.suite]:
        raise against("an admit to a group that is full")
    moderates = rank <= Rank.MODERATOR
    invite = past.view.invites.get(body.invite) if body.invite != ZERO32 else None
    if body.invite != ZERO32 and invite is None:
        raise against("an admit under an invite that does not stand")
    if not moderates and (invite is None or body.rank is not Rank.NEWCOMER):
        raise against("a plain member admits only newcomers, and only under an invite")
    if body.rank not in (Rank.MEMBER, Rank.NEWCOMER):
        raise against("an admit to a rank that a joiner cannot have")
    check_text(body.alias, limits.ALIAS_BYTES_MAX)
    group = past.log.ops[0].gid
    _check_card(body.card, group, past.suite, past.sealer)
    check_admit_signatures(group, body, invite.body.invite_pk if invite else None)
    _check_pledge(body, past)
    if invite is not None:
        if len({*invite.joiners, joiner}) > invite.body.max_uses:
            raise against("an admit past the uses of its invite")
        if not moderates and invite.body.approvals:
            _check_approvals(body, past, invite.body.approvals)


def _check_pledge(body: AdmitBody, past: Past) -> None:
    """A joiner pledges to a text that the group has or had: the holder of a leaked code could show them another."""
    texts = (o.body for o in past.log.within(past.mask))
    agreements = (
        text.text if isinstance(text, AgreementBody) else text.agreement
        for text in texts
        if isinstance(text, AgreementBody | CreateBody)
    )
    if not any(agreement_hash(agreement) == body.agreement_hash for agreement in agreements):
        raise against("an admit with a pledge to no agreement of this group")


def _check_approvals(body: AdmitBody, past: Past, needed: int) -> None:
    gid = past.log.ops[0].gid
    statement = join_statement(gid, body.invite, body.card, body.join_nonce, body.alias, body.agreement_hash)
    said = APPROVAL_LABEL + approval_statement(gid, body.invite, statement)
    approvers: set[MemberPk] = set()
    for approval in body.approvals:
        member = past.view.member_of(approval.dev)
        card = past.log.card_in(approval.dev, past.mask)
        grant = past.log.entry(approval.grant)
        in_past = grant is not None and grant.bit & past.mask
        if member is None or card is None or grant is None or not in_past or grant.op.grantee != member.pk:
            raise against("an approval by someone who is not in")
        _require(grant.op.granted_rank, Rank.MODERATOR)
        verify(card.dev_pk, said, approval.sig)
        approvers.add(member.pk)
    if len(approvers) < needed:
        raise against("an admit with too few approvals")


def _check_card(card: Card, gid: bytes, suite: Suite, sealer: Sealer) -> None:
    if not valid_point(card.member_pk) or not valid_point(card.dev_pk):
        raise against("a key that is not a valid point")
    verify_device(card.member_pk, GroupId(gid), card.dev_pk, card.kem_pk, card.cert)
    _check_kem(card.kem_pk, suite, sealer)


def _check_kem(kem_pk: bytes, suite: Suite, sealer: Sealer) -> None:
    if len(kem_pk) != KEM_BYTES[suite] or not sealer.check(suite, kem_pk):
        raise against("a KEM key that nothing can be sealed to")
