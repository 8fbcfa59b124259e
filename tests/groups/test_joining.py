"""Alice opens the door to Dave: nobody can be enrolled unasked, and nobody's proof serves another.

T binds group, invite, every key of the joiner, alias and pledge; the rules check it, and what else an admit must be.
"""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from mesh.commands import Rank
from mesh.crypto.keys import public_key, sign
from mesh.errors import Fault
from mesh.groups.authoring import new_card
from mesh.groups.joining import (
    APPROVAL_LABEL,
    JOIN_LABEL,
    agreement_hash,
    approval_statement,
    join_statement,
)
from mesh.ids import GroupId, InvitePk, OpId
from mesh.wire.operations import ZERO32, AdmitBody, Approval, OpType, SignedOp
from tests.groups.joiners import AGREEMENT, Code, Joiner, invite_body, joiner
from tests.groups.people import Person, founds

SMALL_ORDER = b"\1" + bytes(31)


class Door:
    """Alice's group with Bob in it, an open invite, and two who may come in by it."""

    def __init__(self, *, uses: int = 1, approvals: int = 0) -> None:
        self.alice = founds("Alice")
        self.bob = self.alice.admits("Bob")
        self.code = self.alice.invites(uses=uses, approvals=approvals)
        self.gid, self.suite = self.alice.group.gid, self.alice.group.suite
        self.dave = joiner("Dave", self.gid, self.suite)
        self.mallory = joiner("Mallory", self.gid, self.suite)
        self.bob.hears(self.alice)

    def admit(self, author: Person, body: AdmitBody) -> SignedOp:
        """Sign an admit with an epoch for all and whoever stands in the body."""
        recipients = Joiner(
            name="",
            member_seed=b"",
            dev_seed=b"",
            join_nonce=b"",
            kem=(b"", b""),
            card=replace(body.card, kem_pk=self.dave.card.kem_pk),
            entropy=author.entropy,
            sealer=author.sealer,
        )
        return author.forges(OpType.ADMIT, replace(body, epoch=author.draft(plus=(recipients,)).block))

    def asked(self, **changes: object) -> AdmitBody:
        """What Dave asks for as a newcomer, with fields changed afterwards."""
        return replace(self.dave.asks(self.gid, self.code, rank=Rank.NEWCOMER), **changes)


def test_an_honest_admit_is_let_in() -> None:
    door = Door()
    door.bob.would_take(door.admit(door.alice, door.asked()))
    door.alice.would_take(door.admit(door.bob, door.asked()))


CHANGES: dict[str, Callable[[Door], dict[str, object]]] = {
    "another alias": lambda _: {"alias": "David"},
    "another nonce": lambda _: {"join_nonce": bytes(32)},
    "another pledge": lambda _: {"agreement_hash": agreement_hash("")},
    "another invite": lambda door: {"invite": door.alice.group.log.ops[1].op_id},
    "no invite": lambda _: {"invite": OpId(ZERO32), "sig_invite": b""},
    "no invite's signature": lambda _: {"sig_invite": b""},
    "half a signature": lambda _: {"sig_invite": bytes(32)},
    "the member's signature twice": lambda door: {"sig_dev": door.asked().sig_member},
    "signatures swapped": lambda door: {"sig_dev": door.asked().sig_member, "sig_member": door.asked().sig_dev},
    "Mallory's card": lambda door: {"card": door.mallory.card},
    "Mallory's KEM key, certified by nobody": lambda door: {
        "card": replace(door.dave.card, kem_pk=door.mallory.card.kem_pk)
    },
    "Mallory's device, certified by nobody": lambda door: {
        "card": replace(door.dave.card, dev_pk=door.mallory.card.dev_pk)
    },
    "Mallory's device, certified by Mallory": lambda door: {
        "card": replace(door.mallory.card, member_pk=door.dave.card.member_pk)
    },
    "a certificate for another group": lambda door: {
        "card": new_card(GroupId(bytes(32)), door.dave.member_seed, door.dave.dev_seed, door.dave.card.kem_pk)
    },
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_proof_serves_for_nothing_else(name: str) -> None:
    """A proof that was seen is bound again to other keys, another name, another invite."""
    door = Door()
    signed = door.admit(door.alice, door.asked(**CHANGES[name](door)))
    assert door.bob.refuses(signed) in (Fault.BAD_SIGNATURE, Fault.AGAINST_RULES)


def test_t_names_everything() -> None:
    door = Door()
    card, nonce, pledge = door.dave.card, door.dave.join_nonce, agreement_hash(AGREEMENT)
    base = (door.gid, door.code.op_id, card, nonce, "Dave", pledge)
    others = [
        (GroupId(b"\1" + door.gid[1:]), *base[1:]),
        (door.gid, OpId(ZERO32), *base[2:]),
        (*base[:2], replace(card, member_pk=door.mallory.card.member_pk), *base[3:]),
        (*base[:2], replace(card, dev_pk=door.mallory.card.dev_pk), *base[3:]),
        (*base[:2], replace(card, kem_pk=door.mallory.card.kem_pk), *base[3:]),
        (*base[:3], bytes(32), *base[4:]),
        (*base[:4], "Dav", pledge),
        (*base[:5], agreement_hash("")),
    ]
    statements = {join_statement(*parts) for parts in [base, *others]}
    assert len(statements) == len(others) + 1


def test_a_signature_over_t_alone_is_none() -> None:
    """The label stands before it."""
    door = Door()
    asked = door.asked()
    statement = join_statement(door.gid, asked.invite, asked.card, asked.join_nonce, asked.alias, asked.agreement_hash)
    assert asked.sig_dev == sign(door.dave.dev_seed, JOIN_LABEL + statement)
    for label in (b"", b"mesh1/op\0", APPROVAL_LABEL):
        signed = door.admit(door.alice, door.asked(sig_dev=sign(door.dave.dev_seed, label + statement)))
        assert door.bob.refuses(signed) is Fault.BAD_SIGNATURE


def test_one_pledges_to_what_the_group_agreed_on_once() -> None:
    """Whoever holds a leaked code can show a joiner any text as the group's; such a pledge is worth nothing here."""
    door = Door()
    forged = door.dave.asks(door.gid, door.code, rank=Rank.NEWCOMER, agreement="Hand over your diary.")
    assert door.bob.refuses(door.admit(door.alice, forged)) is Fault.AGAINST_RULES
    door.alice.agrees_on("Hand over nothing.")
    door.bob.hears(door.alice)
    for text in (AGREEMENT, "Hand over nothing."):  # Dave may have seen it before it changed
        asked = door.dave.asks(door.gid, door.code, rank=Rank.NEWCOMER, agreement=text)
        door.bob.would_take(door.admit(door.alice, asked))


# ------------------------------------------------------------------------------------- keys


def test_an_invite_with_a_bad_key_or_another_s_is_refused() -> None:
    door = Door()
    body = invite_body(bytes(16))
    door.bob.would_take(door.alice.forges(OpType.INVITE, body))
    for key in (SMALL_ORDER, bytes(32), b"\xff" * 32, door.code.body.invite_pk):
        signed = door.alice.forges(OpType.INVITE, replace(body, invite_pk=InvitePk(key)))
        assert door.bob.refuses(signed) is Fault.AGAINST_RULES


@pytest.mark.parametrize("alias", ["\n", "\x1b[31mDave", "Da\u202eve", "\u200b", "é" * 33])
def test_an_alias_that_tricks_the_eye_is_refused(alias: str) -> None:
    door = Door()
    someone = Joiner(
        name=alias,
        member_seed=door.dave.member_seed,
        dev_seed=door.dave.dev_seed,
        join_nonce=door.dave.join_nonce,
        kem=door.dave.kem,
        card=door.dave.card,
        entropy=door.dave.entropy,
        sealer=door.dave.sealer,
    )
    asked = someone.asks(door.gid, door.code, rank=Rank.NEWCOMER)
    assert door.bob.refuses(door.admit(door.alice, asked)) is Fault.MALFORMED


# ------------------------------------------------------------------------------------- uses and approvals


def test_an_invite_lets_in_as_many_as_it_says() -> None:
    door = Door(uses=2)
    for name in ("Dave", "Erin"):
        door.alice.lets_in(joiner(name, door.gid, door.suite), door.code)
    door.bob.hears(door.alice)
    third = joiner("Frank", door.gid, door.suite).asks(door.gid, door.code, rank=Rank.NEWCOMER)
    assert door.bob.refuses(door.admit(door.alice, third)) is Fault.AGAINST_RULES
    door.bob.would_take(
        door.admit(door.alice, joiner("Frank", door.gid, door.suite).asks(door.gid, None, rank=Rank.MEMBER))
    )


def test_a_closed_invite_lets_nobody_in_for_a_member_who_knows() -> None:
    door = Door()
    door.alice.uninvites(door.code)
    late = door.admit(door.bob, door.asked())  # Bob has not heard
    door.alice.takes(type(door.alice.bundles[0])(op=late, wraps=[]))
    assert "Dave" not in door.alice.names


def approval(door: Door, by: Person, asked: AdmitBody, **changes: object) -> Approval:
    """A yes to what Dave asks."""
    parts = (asked.card, asked.join_nonce, asked.alias, asked.agreement_hash)
    statement = join_statement(door.gid, asked.invite, *parts)
    said = APPROVAL_LABEL + approval_statement(door.gid, asked.invite, statement)
    grant = by.view.members[by.pk].grant
    return replace(Approval(grant=grant, dev=by.dev, sig=sign(by.dev_seed, said)), **changes)


def test_a_plain_member_needs_the_approvals_that_the_invite_asks_for() -> None:
    door = Door(approvals=2)
    mo = door.alice.admits("Mo")
    door.alice.promotes(mo, Rank.MODERATOR)
    for person in (mo, door.bob):
        person.hears(door.alice)
    asked = door.asked()
    yes, too = approval(door, door.alice, asked), approval(door, mo, asked)
    bobs = approval(door, door.bob, asked)
    mo.would_take(door.admit(door.bob, replace(asked, approvals=[yes, too])))
    refused = {
        "none": [],
        "one": [yes],
        "one twice": [yes, yes],
        "one of them by a plain member": [yes, bobs],
        "one under another's grant": [yes, replace(too, grant=yes.grant)],
        "one under no grant": [yes, replace(too, grant=door.code.op_id)],
        "one under an unknown grant": [yes, replace(too, grant=OpId(bytes(32)))],
        "one by another's device": [yes, replace(too, dev=door.bob.dev)],
        "one by an unknown device": [yes, replace(too, dev=door.mallory.dev)],
        "one for somebody else": [yes, approval(door, mo, door.mallory.asks(door.gid, door.code, rank=Rank.NEWCOMER))],
        "one signed as an operation": [yes, replace(too, sig=sign(mo.dev_seed, b"mesh1/op\0"))],
        "a third that is false": [yes, too, replace(bobs, grant=yes.grant)],
    }
    for name, approvals in refused.items():
        signed = door.admit(door.bob, replace(asked, approvals=approvals))
        assert mo.refuses(signed) in (Fault.AGAINST_RULES, Fault.BAD_SIGNATURE), name
    door.bob.would_take(door.admit(mo, asked))  # a moderator's admit is a yes in itself


def test_an_approval_under_a_grant_that_the_admit_does_not_build_on_is_refused() -> None:
    """A node that knew the grant let it in and one that did not refused it for ever: the group fell in two."""
    door = Door(approvals=1)
    promoted = door.alice.promotes(door.bob, Rank.MODERATOR)
    dan = door.alice.admits("Dan")  # who has heard of the promotion, which Bob himself has not
    asked = door.asked()
    early = approval(door, door.alice, asked)
    late = replace(early, grant=promoted.op_id, dev=door.bob.dev, sig=approval(door, door.bob, asked).sig)
    dan.would_take(door.admit(door.bob, replace(asked, approvals=[early])))
    for judge in (dan, door.bob):
        assert judge.refuses(door.admit(door.bob, replace(asked, approvals=[late]))) is Fault.AGAINST_RULES


def test_what_an_approver_says_names_group_invite_and_joiner() -> None:
    gid, invite, statement = GroupId(bytes(32)), OpId(bytes(32)), bytes(32)
    said = {
        approval_statement(gid, invite, statement),
        approval_statement(GroupId(b"\1" * 32), invite, statement),
        approval_statement(gid, OpId(b"\1" * 32), statement),
        approval_statement(gid, invite, b"\1" * 32),
    }
    assert len(said) == 4
    assert public_key(bytes(32)) not in said


def test_a_code_s_holder_signs_with_the_key_of_the_invite() -> None:
    door = Door()
    other = Code(op_id=door.code.op_id, seed=bytes(16), body=door.code.body)
    guessed = door.dave.asks(door.gid, other, rank=Rank.NEWCOMER)
    assert door.bob.refuses(door.admit(door.alice, guessed)) is Fault.BAD_SIGNATURE
