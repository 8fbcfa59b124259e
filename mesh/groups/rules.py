"""What no plain record can say: keys, signatures and texts of an operation (protocol.md §2 and §4).

With `mesh.membership.structure`, which judges what its author may do, this is all that lets an operation in or has it
refused for ever. Both look only at the past that the operation itself names, so all nodes refuse the same ones.
"""

from dataclasses import dataclass

from mesh.commands import Suite
from mesh.crypto.keys import valid_point, verify
from mesh.errors import Fault, RemoteError
from mesh.groups.epochs import KEM_BYTES
from mesh.groups.joining import (
    APPROVAL_LABEL,
    agreement_hash,
    approval_statement,
    check_admit_signatures,
    join_statement,
)
from mesh.groups.operations import Operation, card_device, verify_op
from mesh.groups.oplog import OpLog
from mesh.identity.keys import verify_device
from mesh.ids import GroupId, Sealer
from mesh.wire import limits
from mesh.wire.operations import (
    ZERO32,
    AdmitBody,
    AgreementBody,
    Card,
    CreateBody,
    DeviceAddBody,
    EpochBlock,
    ForkBody,
    InviteBody,
    RemoveBody,
    Setting,
    SettingsBody,
    epoch_block,
)
from mesh.wire.text import check_text


def against(what: str) -> RemoteError:
    """Return the error for an operation that the rules do not allow."""
    return RemoteError(Fault.AGAINST_RULES, what)


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What an operation's author had seen: the log, and the mask of its ancestors."""

    log: OpLog
    mask: int
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


def check_operation(op: Operation, past: Past) -> None:
    """Check any later operation's keys, signatures and texts; RemoteError(AGAINST_RULES or BAD_SIGNATURE).

    The log must hold the operation already (it is taken back out by the caller on failure).
    """
    group = past.log.ops[0].gid
    brought = op.body.card if isinstance(op.body, DeviceAddBody) else None
    if brought is not None:
        _check_card(brought, group, past.suite, past.sealer)
    own = brought is not None and card_device(brought) == op.tbs.dev
    author = brought if own else past.log.card(op.tbs.dev)
    if author is None:
        raise against("an operation by a device that nobody brought in")
    verify_op(op, author)
    match op.body:
        case AdmitBody():
            _check_admit(op.body, past)
        case RemoveBody():
            check_text(op.body.reason, limits.REASON_BYTES_MAX, lines=True)
        case InviteBody():
            _check_invite(op.body, past)
        case SettingsBody():
            check_settings(op.body.settings)
        case AgreementBody():
            check_text(op.body.text, limits.AGREEMENT_BYTES_MAX, lines=True)
        case ForkBody() if op.body.allow != sorted(set(op.body.allow)):
            raise against("a fork that names somebody twice, or in no order")
        case _:
            pass
    block = epoch_block(op.body)
    if block is not None:
        _check_block(block, past)


def _check_invite(body: InviteBody, past: Past) -> None:
    if not valid_point(body.invite_pk):
        raise against("an invite with a bad key")
    others = (o.body.invite_pk for o in past.log.within(past.mask) if isinstance(o.body, InviteBody))
    if body.invite_pk in others:
        raise against("an invite with the key of another")


def _check_block(block: EpochBlock, past: Past) -> None:
    _check_kem(block.kem_pk, past.suite, past.sealer)
    if len(block.recipients) > limits.DEVICES_MAX[past.suite]:
        raise against("an epoch for more devices than its suite carries")


def _check_admit(body: AdmitBody, past: Past) -> None:
    check_text(body.alias, limits.ALIAS_BYTES_MAX)
    group = past.log.ops[0].gid
    _check_card(body.card, group, past.suite, past.sealer)
    invite = None if body.invite == ZERO32 else past.log.get(body.invite)
    terms = None if invite is None else invite.body
    if terms is not None and not isinstance(terms, InviteBody):
        raise against("an admit under something that is no invite")
    check_admit_signatures(group, body, terms)
    _check_pledge(body, past)
    _check_approvals(body, past)


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


def _check_approvals(body: AdmitBody, past: Past) -> None:
    gid = past.log.ops[0].gid
    statement = join_statement(gid, body.invite, body.card, body.join_nonce, body.alias, body.agreement_hash)
    said = APPROVAL_LABEL + approval_statement(gid, body.invite, statement)
    for approval in body.approvals:
        card = past.log.card(approval.dev)
        if card is None:
            raise against("an approval by a device that nobody brought in")
        verify(card.dev_pk, said, approval.sig)


def _check_card(card: Card, gid: bytes, suite: Suite, sealer: Sealer) -> None:
    if not valid_point(card.member_pk) or not valid_point(card.dev_pk):
        raise against("a key that is not a valid point")
    verify_device(card.member_pk, GroupId(gid), card.dev_pk, card.kem_pk, card.cert)
    _check_kem(card.kem_pk, suite, sealer)


def _check_kem(kem_pk: bytes, suite: Suite, sealer: Sealer) -> None:
    if len(kem_pk) != KEM_BYTES[suite] or not sealer.check(suite, kem_pk):
        raise against("a KEM key that nothing can be sealed to")
