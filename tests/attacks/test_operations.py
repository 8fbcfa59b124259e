"""Attacks on single operations: whose they are, for which group, and what stands in them."""

import pytest
from msgspec.structs import replace

from mesh.commands import Rank
from mesh.crypto.keys import sign
from mesh.errors import Fault, RemoteError
from mesh.groups.authoring import new_card
from mesh.groups.operations import parse_op
from mesh.ids import OpId
from mesh.membership.acts import Act
from mesh.membership.resolve import resolve
from mesh.wire import limits
from mesh.wire.codec import encode
from mesh.wire.invites import OpBundle
from mesh.wire.operations import OpType, RekeyBody, Setting, SettingsBody, SignedOp
from tests.attacks.plain import Told
from tests.groups.joiners import Joiner, joiner
from tests.groups.parting import circle
from tests.groups.people import founds

L = 2**252 + 27742317777372353535851937790883648493  # the order of Ed25519's group, RFC 8032 §5.1
NOTHING_SAID = SettingsBody(settings=[])
SMALL_ORDER = b"\1" + bytes(31)
UNFIT_KEMS = (bytes(32), SMALL_ORDER, bytes(1216), b"\7" * 33)


def test_attack_01_forged_signature() -> None:
    people = circle(Steve=Rank.STEWARD, Bob=Rank.MEMBER)
    steve, bob = people["Steve"], people["Bob"]
    for seed in (bob.dev_seed, steve.member_seed, bytes(32)):
        assert bob.refuses(steve.forges(OpType.SETTINGS, NOTHING_SAID, key=seed)) is Fault.BAD_SIGNATURE
    honest = steve.forges(OpType.SETTINGS, NOTHING_SAID)
    for at in range(64):
        bent = bytearray(honest.sig)
        bent[at] ^= 1
        assert bob.refuses(SignedOp(tbs=honest.tbs, sig=bytes(bent))) is Fault.BAD_SIGNATURE
    bob.would_take(honest)


def test_attack_02_valid_signature_wrong_group() -> None:
    """Alice has another group under the same keys; what she signs for that one names what this one builds on, too."""
    people = circle(Bob=Rank.MEMBER)
    alice, bob = people["Alice"], people["Bob"]
    elsewhere = founds("Alice", agreement="Another group of the same Alice.")
    assert elsewhere.dev == alice.dev
    assert elsewhere.group.gid != alice.group.gid
    for signed in (
        elsewhere.forges(OpType.SETTINGS, NOTHING_SAID),
        alice.forges(OpType.SETTINGS, NOTHING_SAID, gid=elsewhere.group.gid),
    ):
        assert bob.will_not_take(OpBundle(op=signed, wraps=[])) is Fault.AGAINST_RULES
    assert len(bob.group.pending) == 0


def test_attack_15_deps_that_are_missing_or_cyclic_or_ten_thousand() -> None:
    alice = founds("Alice")
    many = [OpId(k.to_bytes(32, "big")) for k in range(10_000)]
    for count in (10_000, 1_000, limits.DEPS_MAX + 1):
        signed = alice.forges(OpType.SETTINGS, NOTHING_SAID, deps=many[:count], gen=2)
        with pytest.raises(RemoteError):
            parse_op(signed)
    bob = alice.admits("Bob")
    for k in range(limits.PENDING_OPS_MAX + 20):
        body = SettingsBody(settings=[Setting(key="note", value=str(k))])
        waits = alice.forges(OpType.SETTINGS, body, deps=many[k : k + 1], gen=2)
        assert bob.takes(OpBundle(op=waits, wraps=[])) == []
    assert len(bob.group.pending) == limits.PENDING_OPS_MAX
    story = [entry.act for entry in Told(bob=Rank.MEMBER).graph.entries(3)]
    ring = [knot(story[0], b"one", b"two"), knot(story[0], b"two", b"one")]
    found = resolve([*story, *ring])
    assert found.waiting == {act.op_id for act in ring}
    assert found.valid == {act.op_id for act in story}


def knot(create: Act, name: bytes, dep: bytes) -> Act:
    """An act that builds on another one, which builds on it; a hash that makes this possible is not known."""
    own, other = (OpId(word.ljust(32, b".")) for word in (name, dep))
    return Act(
        op_id=own, type=OpType.SETTINGS, dev=create.dev, dseq=2, dprev=other, deps=(other,), auth=create.op_id, gen=3
    )


def test_attack_28_keys_that_are_none_or_fail_on_use() -> None:
    """Each re-key that came after would fail, or a key would verify what nobody signed."""
    people = circle(Bob=Rank.MEMBER)
    alice, bob = people["Alice"], people["Bob"]
    for kem_pk in UNFIT_KEMS:
        block = replace(alice.draft().block, kem_pk=kem_pk)
        assert bob.refuses(alice.forges(OpType.REKEY, RekeyBody(epoch=block))) is Fault.AGAINST_RULES
    dave = joiner("Dave", alice.group.gid, alice.group.suite)
    cards = [
        *(new_card(alice.group.gid, dave.member_seed, dave.dev_seed, kem_pk) for kem_pk in UNFIT_KEMS),
        replace(dave.card, member_pk=SMALL_ORDER),
        replace(dave.card, dev_pk=SMALL_ORDER),
        replace(dave.card, member_pk=b"\xff" * 32),
    ]
    block = alice.draft(plus=(dave,)).block
    for card in cards:
        someone = Joiner(
            name="Dave",
            member_seed=dave.member_seed,
            dev_seed=dave.dev_seed,
            join_nonce=dave.join_nonce,
            kem=dave.kem,
            card=card,
            entropy=dave.entropy,
            sealer=dave.sealer,
        )
        asked = replace(someone.asks(alice.group.gid, None, rank=Rank.MEMBER), epoch=block)
        assert bob.refuses(alice.forges(OpType.ADMIT, asked)) is Fault.AGAINST_RULES


def test_attack_29_signature_with_a_second_form() -> None:
    """S + L satisfies the equation just as well as S (RFC 8032 §5.1.7 demands S < L)."""
    people = circle(Bob=Rank.MEMBER)
    alice, bob = people["Alice"], people["Bob"]
    honest = alice.forges(OpType.SETTINGS, NOTHING_SAID)
    for times in (1, 2, 7):
        second = int.from_bytes(honest.sig[32:], "little") + times * L
        bent = SignedOp(tbs=honest.tbs, sig=honest.sig[:32] + second.to_bytes(32, "little"))
        assert bob.refuses(bent) is Fault.BAD_SIGNATURE


def test_attack_30_signature_made_for_something_else() -> None:
    """The same bytes signed as a message, a frame, a session, a join, an approval, or as nothing in particular."""
    people = circle(Bob=Rank.MEMBER)
    alice, bob = people["Alice"], people["Bob"]
    tbs = encode(alice.tbs(OpType.SETTINGS, NOTHING_SAID))
    words = ("msg", "pub", "session", "join", "appr", "devcert")
    for label in (b"", b"mesh1/op", *(f"mesh1/{word}\0".encode() for word in words)):
        assert bob.refuses(SignedOp(tbs=tbs, sig=sign(alice.dev_seed, label + tbs))) is Fault.BAD_SIGNATURE, label
    bob.would_take(SignedOp(tbs=tbs, sig=sign(alice.dev_seed, b"mesh1/op\0" + tbs)))
