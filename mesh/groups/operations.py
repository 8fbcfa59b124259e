"""One operation: making, signing, taking apart and checking whose it is (protocol.md §4).

An operation is hashed and verified over the very bytes that arrived. Whether its author *may* do this is a
question for `mesh.groups.rules`; whether it *counts* is one for `mesh.membership`.
"""

from dataclasses import dataclass
from typing import Final

from msgspec.structs import replace

from mesh.commands import Rank
from mesh.crypto.hashes import h
from mesh.crypto.keys import sign, verify
from mesh.errors import Fault, RemoteError
from mesh.identity.keys import device_id
from mesh.ids import DeviceId, GroupId, MemberPk, OpId
from mesh.membership.acts import Act, Approved
from mesh.membership.graph import by_member_key
from mesh.wire import limits
from mesh.wire.codec import decode, encode
from mesh.wire.operations import (
    BODIES,
    ZERO32,
    AdmitBody,
    Body,
    Card,
    CreateBody,
    DeviceAddBody,
    DeviceRemoveBody,
    InviteBody,
    OpTbs,
    OpType,
    RankBody,
    RemoveBody,
    SettingsBody,
    SignedOp,
    UninviteBody,
    epoch_block,
)

OP_LABEL: Final = b"mesh1/op\0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """An operation taken apart. `gid` is the group it belongs to, also for a create, where tbs holds zeros."""

    op_id: OpId
    gid: GroupId
    signed: SignedOp
    tbs: OpTbs
    body: Body

    @property
    def type(self) -> OpType:
        """What it does."""
        return self.tbs.type

    @property
    def card(self) -> Card | None:
        """The device that it brings in, if any."""
        return self.body.card if isinstance(self.body, CreateBody | AdmitBody | DeviceAddBody) else None

    @property
    def grantee(self) -> MemberPk | None:
        """Who gets a rank by it, if it is a grant."""
        match self.body:
            case CreateBody() | AdmitBody():
                return self.body.card.member_pk
            case RankBody():
                return self.body.target
            case _:
                return None

    @property
    def granted_rank(self) -> Rank:
        """The rank that a grant gives; asking a non-grant is a bug."""
        match self.body:
            case CreateBody():
                return Rank.FOUNDER
            case AdmitBody() | RankBody():
                return self.body.rank
            case _:
                raise AssertionError("not a grant")


def card_device(card: Card) -> DeviceId:
    """Return the id of the device that a card brings in."""
    return device_id(card.member_pk, card.dev_pk)


def sign_op(tbs: OpTbs, seed: bytes, *, forget: bool = False) -> SignedOp:
    """Sign with the device key, or (`forget`) the member key where the rules ask for that (32 B seed)."""
    raw = encode(tbs)
    return SignedOp(tbs=raw, sig=sign(seed, OP_LABEL + raw, forget=forget))


def parse_op(signed: SignedOp) -> Operation:
    """Take an operation apart; RemoteError(MALFORMED). Its signature is not checked yet."""
    tbs = decode(OpTbs, signed.tbs, bytes_max=limits.OPERATION_BYTES_MAX)
    body = decode(BODIES[tbs.type], tbs.body, bytes_max=limits.OPERATION_BYTES_MAX)
    op_id = OpId(h(b"mesh1/opid", signed.tbs))
    is_create = tbs.type is OpType.CREATE
    if is_create != (tbs.gid == ZERO32):
        raise RemoteError(Fault.MALFORMED, "only a create has no group id")
    if tbs.deps != sorted(set(tbs.deps)):
        raise RemoteError(Fault.MALFORMED, "deps are not sorted and distinct")
    gid = GroupId(op_id) if is_create else tbs.gid
    return Operation(op_id=op_id, gid=gid, signed=signed, tbs=tbs, body=body)


def act_of(op: Operation) -> Act:
    """Return what an operation says about who belongs."""
    tbs, body = op.tbs, op.body
    block = epoch_block(body)
    act = Act(
        op_id=op.op_id,
        type=tbs.type,
        dev=tbs.dev,
        dseq=tbs.dseq,
        dprev=tbs.dprev,
        deps=tuple(tbs.deps),
        auth=tbs.auth,
        gen=tbs.gen,
        recipients=None if block is None else tuple(block.recipients),
        dormant=() if block is None else tuple(block.dormant),
    )
    match body:
        case CreateBody():
            return replace(
                act,
                member=body.card.member_pk,
                device=card_device(body.card),
                rank=Rank.FOUNDER,
                alias=body.alias,
                settings={s.key: s.value for s in body.settings},
            )
        case AdmitBody():
            return replace(
                act,
                member=body.card.member_pk,
                device=card_device(body.card),
                rank=body.rank,
                alias=body.alias,
                invite=None if body.invite == ZERO32 else body.invite,
                approvals=tuple(Approved(grant=yes.grant, dev=yes.dev) for yes in body.approvals),
                former=None if body.former is None else body.former.member,
            )
        case RankBody():
            return replace(act, member=body.target, rank=body.rank)
        case RemoveBody():
            return replace(act, member=body.target)
        case InviteBody():
            return replace(
                act,
                rank=body.role,
                uses=body.max_uses,
                approvals_needed=body.approvals,
                allow=tuple(body.allow),
            )
        case UninviteBody():
            return replace(act, invite=body.invite)
        case SettingsBody():
            return replace(act, settings={s.key: s.value for s in body.settings})
        case DeviceAddBody():
            return replace(act, member=body.card.member_pk, device=card_device(body.card))
        case DeviceRemoveBody():
            cut = None if body.op_cut is None else body.op_cut.op_id
            return replace(act, member=body.member, device=body.dev, cut=cut)
        case _:
            return act


def verify_op(op: Operation, author: Card) -> None:
    """Check the signature against the author's card; RemoteError(BAD_SIGNATURE)."""
    key = author.member_pk if by_member_key(act_of(op), author.member_pk) else author.dev_pk
    verify(key, OP_LABEL + op.signed.tbs, op.signed.sig)
