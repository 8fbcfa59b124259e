"""Attacks on epochs: who is left out of a fresh secret, let in, or deceived about it, and which one is used."""

from msgspec.structs import replace

from mesh.commands import Rank
from mesh.groups.epochs import Draft
from mesh.groups.operations import Operation
from mesh.groups.schedule import wrap_hint, wrap_info, wraps_hash
from mesh.wire.invites import OpBundle
from mesh.wire.operations import OpType, RekeyBody
from tests.attacks.plain import Told, device, refused
from tests.groups.parting import circle
from tests.groups.people import Person, standing


def newest(person: Person) -> Operation:
    """The operation that came last."""
    return person.group.log.ops[-1]


def rekey_with(person: Person, draft: Draft, wraps: list[bytes]) -> OpBundle:
    """A re-key with that epoch, committed to these wraps."""
    block = replace(draft.block, wraps_hash=wraps_hash(tuple(wraps)))
    return OpBundle(op=person.forges(OpType.REKEY, RekeyBody(epoch=block)), wraps=wraps)


def test_attack_16_recipients_leave_a_member_out() -> None:
    group = Told(bob=Rank.MEMBER, carol=Rank.MEMBER)
    alice, bob, carol = group.people
    for listed, dormant in (({alice.dev, bob.dev}, set()), ({alice.dev}, {bob.dev}), ({bob.dev, carol.dev}, set())):
        with refused():
            alice.rekeys(listed, dormant)
    with refused():  # nor in the act that lets somebody in, or has somebody go
        alice.admits("dave", recipients=tuple(sorted({alice.dev, bob.dev, carol.dev})))
    with refused():
        alice.removes(bob, recipients=(alice.dev,))
    alice.rekeys({alice.dev, bob.dev, carol.dev})


def test_attack_17_recipients_let_an_outsider_in() -> None:
    group = Told(bob=Rank.MEMBER, carol=Rank.MEMBER)
    alice, bob, carol = group.people
    alice.removes(carol)
    for outsider in (carol.dev, device("mallory")):
        with refused():
            alice.rekeys({alice.dev, bob.dev, outsider})
        with refused():
            alice.rekeys({alice.dev, bob.dev}, {outsider})
    with refused():
        alice.removes(bob, recipients=tuple(sorted({alice.dev, bob.dev})))
    alice.rekeys({alice.dev, bob.dev})


def test_attack_18_different_secrets_for_different_members() -> None:
    """Bob, who was given another secret than Carol, has no key; the operation stands for both alike.

    Refused by Bob alone, it kept him for ever from everything that was built on it.
    """
    mallory, bob, carol = circle(Bob=Rank.MEMBER, Carol=Rank.MEMBER).values()
    draft = mallory.draft()
    kem_pk = bob.group.kem_of[bob.dev][1]
    info = wrap_info(mallory.group.gid, draft.block.nonce, bob.dev)
    hint = wrap_hint(kem_pk, draft.block.nonce)
    deceiving = hint + mallory.sealer.seal(1, kem_pk, info, bytes(32))
    bundle = rekey_with(mallory, draft, [deceiving if wrap[:4] == hint else wrap for wrap in draft.wraps])
    for person in (bob, carol):
        assert len(person.takes(bundle)) == 1
    assert newest(carol).op_id in carol.group.epochs
    assert newest(bob).op_id not in bob.group.epochs
    assert standing(bob) == standing(carol)
    assert bob.group.epoch is not None  # he goes on under the epoch before
    carol.rekeys()
    bob.hears(carol)
    assert bob.reads(carol.says("here we are")) == "here we are"


def test_attack_19_wrap_used_again_under_another_nonce() -> None:
    """With its hint made to fit, too."""
    alice, bob = circle(Bob=Rank.MEMBER).values()
    first = alice.draft()
    other = Draft(secret=first.secret, block=replace(first.block, nonce=b"\x45" * 32), wraps=first.wraps)
    keys = [pk for _, pk in alice.group.kem_of.values()]
    hints = {wrap_hint(pk, first.block.nonce): wrap_hint(pk, other.block.nonce) for pk in keys}
    moved = [hints.get(wrap[:4], wrap[:4]) + wrap[4:] for wrap in first.wraps]
    bob.takes(rekey_with(alice, other, moved))
    assert newest(bob).op_id not in bob.group.epochs


def test_attack_20_epoch_from_before_a_removal() -> None:
    """A re-key that builds on what was before is not for those who are in now, even where there is no other."""
    alice, bob, carol, dave = circle(Bob=Rank.MEMBER, Carol=Rank.MEMBER, Dave=Rank.MEMBER).values()
    without_key = bob.restarted()
    alice.removes(carol)
    removal = newest(alice).op_id
    dave.rekeys()
    dave.rekeys()  # of a higher gen than the removal
    for person in (alice, bob):
        person.hears(alice, dave)
        assert carol.dev in person.group.recipients(newest(dave).op_id)
        assert person.group.epoch == removal
    without_key.takes(OpBundle(op=alice.bundle(removal).op, wraps=[]))
    without_key.hears(dave)
    assert newest(dave).op_id in without_key.group.epochs
    assert without_key.group.epoch is None


def test_attack_21_both_epochs_of_concurrent_removals() -> None:
    """Each leaves the other's target inside: neither is used."""
    alice, steve, bob, carol = circle(Steve=Rank.STEWARD, Bob=Rank.MEMBER, Carol=Rank.MEMBER).values()
    alice.removes(bob)
    steve.removes(carol)
    for person, other in ((alice, steve), (steve, alice)):
        person.hears(other)
        assert person.names == {"Alice", "Steve"}
        assert person.group.epoch is None
    alice.rekeys()
    steve.hears(alice)
    assert steve.group.epoch == newest(alice).op_id
    assert steve.group.epoch_is_complete
