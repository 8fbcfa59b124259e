"""One operation, taken apart: what is hashed, what is signed, and bytes that are none."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from mesh.commands import Rank
from mesh.crypto.hashes import h
from mesh.crypto.keys import verify
from mesh.errors import Fault, RemoteError
from mesh.groups.operations import OP_LABEL, act_of, card_device, parse_op, sign_op, verify_op
from mesh.identity.keys import device_id
from mesh.ids import GroupId, OpId
from mesh.membership.acts import GRANTS
from mesh.membership.graph import by_member_key
from mesh.wire.codec import encode
from mesh.wire.operations import (
    ZERO32,
    Body,
    DeviceAddBody,
    LeaveBody,
    OpType,
    RankBody,
    SettingsBody,
    SignedOp,
)
from tests.groups.people import founds, refusal

ALICE = founds("Alice")
BOB = ALICE.admits("Bob")
CREATE = ALICE.group.log.ops[0]


def test_a_group_is_named_by_its_first_operation() -> None:
    assert {bytes(CREATE.gid), bytes(CREATE.op_id)} == {h(b"mesh1/opid", CREATE.signed.tbs)}
    assert {bytes(CREATE.tbs.gid), bytes(CREATE.tbs.dprev), bytes(CREATE.tbs.auth)} == {ZERO32}
    assert all(op.gid == op.tbs.gid == CREATE.gid for op in ALICE.group.log.ops[1:])


def test_what_is_signed_is_a_label_and_the_bytes_as_they_came() -> None:
    verify(CREATE.card.dev_pk if CREATE.card else b"", OP_LABEL + CREATE.signed.tbs, CREATE.signed.sig)
    assert sign_op(CREATE.tbs, ALICE.dev_seed) == CREATE.signed
    assert card_device(ALICE.group.founding.card) == ALICE.dev
    assert device_id(ALICE.pk, ALICE.group.founding.card.dev_pk) == ALICE.dev


def test_the_member_key_signs_what_concerns_oneself() -> None:
    card = ALICE.group.founding.card
    by_member: dict[OpType, Body] = {
        OpType.LEAVE: LeaveBody(erase=False),
        OpType.DEVICE_ADD: DeviceAddBody(card=card, epoch=None),
        OpType.DEMOTE: RankBody(target=ALICE.pk, rank=Rank.MEMBER),
    }
    for kind, body in by_member.items():
        op = parse_op(ALICE.forges(kind, body, key=ALICE.member_seed))
        assert by_member_key(act_of(op), card.member_pk)
        verify_op(op, card)
        by_device = parse_op(ALICE.forges(kind, body))
        with pytest.raises(RemoteError):
            verify_op(by_device, card)
    for kind, target in ((OpType.PROMOTE, ALICE.pk), (OpType.DEMOTE, BOB.pk)):
        op = parse_op(ALICE.forges(kind, RankBody(target=target, rank=Rank.MEMBER)))
        assert not by_member_key(act_of(op), card.member_pk)


def test_grants_say_who_gets_what() -> None:
    assert {kind.name for kind in GRANTS} == {"CREATE", "ADMIT", "PROMOTE", "DEMOTE"}
    assert (CREATE.grantee, CREATE.granted_rank) == (ALICE.pk, Rank.FOUNDER)
    admit = ALICE.group.log.ops[2]
    assert (admit.grantee, admit.granted_rank) == (BOB.pk, Rank.MEMBER)
    assert (admit.card, CREATE.card) == (BOB.group.log.card(BOB.dev), ALICE.group.founding.card)
    leave = parse_op(ALICE.forges(OpType.LEAVE, LeaveBody(erase=False)))
    assert (leave.grantee, leave.card) == (None, None)
    with pytest.raises(AssertionError):
        _ = leave.granted_rank


@pytest.mark.parametrize(
    "changes",
    [
        {"gid": GroupId(ZERO32)},
        {"version": 2},
        {"version": 0},
        {"dseq": 0},
        {"gen": 0},
        {"gen": 2**32},
        {"deps": [OpId(b"\2" * 32), OpId(b"\1" * 32)]},
        {"deps": [OpId(b"\1" * 32)] * 2},
        {"deps": [OpId(bytes([k]) * 32) for k in range(17)]},
        {"deps": [OpId(bytes(31))]},
        {"dev": bytes(15)},
        {"auth": bytes(33)},
        {"body": b""},
        {"body": b"\x90\x90"},
        {"body": bytes(70_000)},
        {"type": 15},
        {"type": 0},
        {"type": OpType.CREATE},
        {"type": OpType.REKEY},
    ],
)
def test_fields_out_of_their_bounds_are_refused(changes: dict[str, object]) -> None:
    tbs = replace(
        ALICE.tbs(OpType.SETTINGS, SettingsBody(settings=[])), **changes, **({} if "gen" in changes else {"gen": 3})
    )
    assert refusal(lambda: parse_op(SignedOp(tbs=encode(tbs), sig=bytes(64)))) in (Fault.MALFORMED, Fault.OVER_LIMIT)


def test_a_create_has_no_group_yet() -> None:
    tbs = replace(CREATE.tbs, gid=CREATE.gid)
    assert refusal(lambda: parse_op(SignedOp(tbs=encode(tbs), sig=bytes(64)))) is Fault.MALFORMED


@given(st.binary(max_size=300), st.binary(max_size=80))
def test_rubbish_is_no_operation(tbs: bytes, sig: bytes) -> None:
    with pytest.raises(RemoteError):
        parse_op(SignedOp(tbs=tbs, sig=sig))


@given(st.data())
def test_an_operation_that_was_bent_is_none_or_another(data: st.DataObject) -> None:
    op = data.draw(st.sampled_from(ALICE.group.log.ops))
    bent = bytearray(op.signed.tbs)
    at = data.draw(st.integers(0, 8 * len(bent) - 1))
    bent[at // 8] ^= 1 << at % 8
    with suppress(RemoteError):
        other = parse_op(SignedOp(tbs=bytes(bent), sig=op.signed.sig))
        assert other.op_id != op.op_id
        assert refusal(lambda: verify_op(other, ALICE.group.founding.card)) is Fault.BAD_SIGNATURE
