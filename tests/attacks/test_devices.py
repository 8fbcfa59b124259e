"""Attacks by and on single devices: a seized one, a claimed one, one that was taken away."""

from msgspec.structs import replace

from mesh.commands import Rank
from mesh.errors import Fault
from mesh.groups.authoring import new_card
from mesh.groups.operations import card_device
from mesh.membership.acts import NOTHING
from mesh.wire.operations import (
    DeviceAddBody,
    DeviceRemoveBody,
    OpCut,
    OpType,
    RekeyBody,
)
from tests.attacks.plain import Told, refused
from tests.groups.joiners import joiner
from tests.groups.parting import circle, told
from tests.groups.people import empty_onlooker


def test_attack_45_removed_member_s_second_device_is_added_at_the_same_time() -> None:
    group = Told(bob=Rank.MEMBER)
    alice, bob = group.people
    then = group.heads
    second = bob.adds("bob's second", after=then)
    with_it = group.heads
    alice.removes(bob, after=then)
    spoke = second.rekeys({alice.dev, bob.dev, second.dev}, after=with_it)
    assert set(group.view.devices) == {alice.dev}
    assert not group.counts(spoke)
    with refused():
        second.rekeys({alice.dev, second.dev}, auth=group.entry(spoke).act.auth)


def test_attack_50_seized_open_store_adds_a_device() -> None:
    """The store holds the device key. A device_add wants the member key, even with a certificate that Bob once gave."""
    people = circle(Bob=Rank.MEMBER)
    alice, bob = people["Alice"], people["Bob"]
    new = joiner("Mallory", alice.group.gid, alice.group.suite)
    own = new_card(alice.group.gid, bob.dev_seed, new.dev_seed, new.card.kem_pk)
    cards = {
        "certified by Bob": new_card(alice.group.gid, bob.member_seed, new.dev_seed, new.card.kem_pk),
        "certified by the device key": replace(own, member_pk=bob.pk),
    }
    for name, card in cards.items():
        body = DeviceAddBody(card=card, epoch=None)
        by_old = bob.forges(OpType.DEVICE_ADD, body)
        by_new = bob.forges(OpType.DEVICE_ADD, body, key=new.dev_seed, dev=card_device(card), dseq=1, dprev=NOTHING)
        for signed in (by_old, by_new):
            assert alice.refuses(signed) is Fault.BAD_SIGNATURE, name
    alice.would_take(
        bob.forges(OpType.DEVICE_ADD, DeviceAddBody(card=cards["certified by Bob"], epoch=None), key=bob.member_seed)
    )


def test_attack_51_another_member_claims_one_s_device_key_and_removes_it() -> None:
    """Mallory adds the device key of Bob as a device of her own, dated back to before he came in, and takes it away.

    It takes nothing of Bob's secrets: his public key goes into the card, and the certificate is Mallory's.
    """
    people = circle(Mallory=Rank.MEMBER)
    alice, mallory = people["Alice"], people["Mallory"]
    bob = alice.admits("Bob")
    before = mallory.restarted()
    stolen = new_card(alice.group.gid, mallory.member_seed, bob.dev_seed, bob.group.kem_of[bob.dev][1])
    claim = told(
        before, before.forges(OpType.DEVICE_ADD, DeviceAddBody(card=stolen, epoch=None), key=before.member_seed)
    )
    body = DeviceRemoveBody(
        member=mallory.pk,
        dev=card_device(stolen),
        op_cut=OpCut(dseq=0, op_id=NOTHING),
        message_cut=None,
        epoch=None,
    )
    taken = told(before, before.forges(OpType.DEVICE_REMOVE, body, key=before.member_seed))
    for first, second in ((before, alice), (alice, before)):
        late = empty_onlooker(alice)
        late.hears(first)
        late.hears(second)
        assert {taken.op_id, claim.op_id} <= {op.op_id for op in late.group.log.ops}
        assert late.view.devices.get(bob.dev) == bob.pk
        late.would_take(bob.forges(OpType.REKEY, RekeyBody(epoch=bob.draft().block)))


def test_attack_52_seized_device_removes_itself_with_cut_0() -> None:
    """With a cut it wants the member key; without one it takes nothing back of what the device did."""
    people = circle(Mo=Rank.MODERATOR)
    alice, mo = people["Alice"], people["Mo"]
    bob = mo.admits("Bob")
    alice.hears(mo)
    itself = DeviceRemoveBody(member=mo.pk, dev=mo.dev, op_cut=None, message_cut=None, epoch=None)
    with_cut = replace(itself, op_cut=OpCut(dseq=0, op_id=NOTHING))
    assert alice.refuses(mo.forges(OpType.DEVICE_REMOVE, with_cut)) is Fault.BAD_SIGNATURE
    told(alice, mo.forges(OpType.DEVICE_REMOVE, itself))
    assert mo.dev not in alice.view.devices
    assert alice.rank_of(mo) is Rank.MODERATOR
    assert bob.dev in alice.view.devices


def test_attack_53_removed_steward_dates_back_a_removal_of_their_own_device_with_cut_0() -> None:
    """It would unmake all that Steve did; done before the removal, it heals what a thief did."""
    for is_removed in (True, False):
        group = Told(steve=Rank.STEWARD, bob=Rank.MEMBER)
        alice, steve, bob = group.people
        then = group.heads
        did = steve.removes(bob)
        if is_removed:
            alice.removes(steve)
        steve.takes(steve, cut=NOTHING, after=then)
        assert group.counts(did) == is_removed
        assert ("bob" in group.names) != is_removed


def test_attack_56_device_that_removes_itself_authors_the_epoch() -> None:
    group = Told(bob=Rank.MEMBER)
    alice, bob = group.people
    second = bob.adds("bob's second")
    for cut in (None, NOTHING):
        for listed in ({alice.dev, bob.dev}, {alice.dev, bob.dev, second.dev}):
            with refused():
                second.takes(second, cut=cut, recipients=tuple(sorted(listed)))
    second.takes(second, cut=None)
    assert bob.devices == {bob.dev}


def test_attack_60_removed_device_signs_under_a_later_grant() -> None:
    """Bob takes his phone away; promoted meanwhile by one who had not heard of it, his phone acts by that grant."""
    group = Told(bob=Rank.MEMBER, dave=Rank.MEMBER)
    alice, bob, dave = group.people
    phone = bob.adds("bob's phone")
    honest = phone.rekeys({alice.dev, bob.dev, phone.dev, dave.dev})
    then = group.heads
    bob.takes(phone, cut=honest, after=then)
    promoted = alice.promotes(bob, Rank.MODERATOR, after=then)
    theft = phone.removes(dave, after=(promoted,), auth=promoted)
    assert group.counts(honest)
    assert not group.counts(theft)
    assert dave.rank is Rank.MEMBER
    assert bob.rank is Rank.MODERATOR
    with refused():
        phone.removes(dave)
