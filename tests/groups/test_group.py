"""One group as one member holds it: what comes back from the store, which keys it knows, what it answers."""

import pytest

from mesh.commands import Rank
from mesh.errors import StoreError
from mesh.events import Space
from mesh.groups.group import Group
from mesh.groups.records import EpochRecord, KemRecord, OwnState, load
from mesh.ids import DeviceId, OpId
from mesh.wire.codec import encode
from mesh.wire.limits import KEM_NUMBER_RISE_MAX
from mesh.wire.operations import SignedOp
from tests.groups.people import TABLES, Person, founds


def rows_of(person: Person) -> dict[Space, dict[bytes, bytes]]:
    """What the store would hand over at the next start."""
    return {space: dict(person.rows.get(space, {})) for space in TABLES}


def test_a_group_comes_back_from_the_store_whole() -> None:
    alice = founds("Alice")
    bob = alice.admits("Bob")
    alice.promotes(bob, Rank.MODERATOR)
    alice.rekeys()
    lost = alice.says("lost on the way")
    bob.hears(alice)
    bob.reads(alice.says("hello"))
    for person in (alice, bob):
        again = person.restarted().group
        assert (again.own, again.kems, again.kem_of) == (person.group.own, person.group.kems, person.group.kem_of)
        assert (again.epochs, again.chains) == (person.group.epochs, person.group.chains)
        assert again.topics.keys() == person.group.topics.keys()
        assert (again.epoch, again.view.members) == (person.group.epoch, person.view.members)
        assert again.newest_epochs() == person.group.newest_epochs()
    assert bob.restarted().reads(lost) == "lost on the way"


@pytest.mark.parametrize("space", TABLES)
def test_a_damaged_row_is_damage_and_nothing_else(space: Space) -> None:
    alice = founds("Alice")
    alice.admits("Bob")
    for damage in (b"", b"\x90", b"\xc1", bytes(40)):
        rows = rows_of(alice)
        rows[space][min(rows[space])] = damage
        with pytest.raises(StoreError) as caught:
            Group.restore(alice.group.own, rows)
        assert caught.value.code == "E-STORE-DAMAGED"


def test_a_row_that_is_missing_is_damage_too() -> None:
    """An operation whose deps are gone, and a group without its first: once a KeyError that said nothing."""
    alice = founds("Alice")
    alice.admits("Bob")
    for op in alice.group.log.ops[:-1]:
        rows = rows_of(alice)
        del rows[Space.OPS][alice.group.gid + op.op_id]
        with pytest.raises(StoreError):
            Group.restore(alice.group.own, rows)
    with pytest.raises(StoreError):
        Group.restore(alice.group.own, {space: {} for space in TABLES})


def test_an_operation_that_was_exchanged_in_the_store_is_damage() -> None:
    alice = founds("Alice")
    alice.sets(note="one")
    last = alice.group.log.ops[-1]
    rows = rows_of(alice)
    bent = SignedOp(tbs=last.signed.tbs[:-1], sig=last.signed.sig)
    rows[Space.OPS][alice.group.gid + last.op_id] = encode(bent)
    with pytest.raises(StoreError):
        Group.restore(alice.group.own, rows)


def test_records_do_not_show_their_keys() -> None:
    alice = founds("Alice")
    alice.invites()
    records = [alice.group.own, *alice.group.epochs.values(), *alice.group.kems.values()]
    secrets = [alice.group.own.dev_seed, *(kem.private for kem in alice.group.kems.values())]
    secrets += [key for epoch in alice.group.epochs.values() for key in (epoch.pub_seed, epoch.sync_key, epoch.op_key)]
    shown = repr(records) + str(records) + repr(list(alice.group.chains.values()))
    assert not any(str(secret)[2:-1] in shown or secret.hex() in shown for secret in secrets)
    kinds: list[type[OwnState | EpochRecord | KemRecord]] = [OwnState, EpochRecord, KemRecord]
    for kind in kinds:
        with pytest.raises(StoreError, match=kind.__name__):
            load(kind, b"")


# ------------------------------------------------------------------------------------- KEM keys


def test_a_key_from_a_message_is_believed_up_to_a_leap() -> None:
    """One who held a device for a moment could use all its numbers up. Nothing is raised: the message came."""
    alice = founds("Alice")
    bob = alice.admits("Bob")
    group = alice.group
    known, _ = group.kem_of[bob.dev]
    leap = known + KEM_NUMBER_RISE_MAX
    assert not group.note_kem(bob.dev, leap + 1, b"\1" * 32)
    assert group.kem_of[bob.dev][0] == known
    assert group.note_kem(bob.dev, leap, b"\1" * 32)
    assert group.kem_of[bob.dev] == (leap, b"\1" * 32)
    assert group.note_kem(bob.dev, known, b"\2" * 32)  # an old one, come late: believed, and of no use
    assert group.kem_of[bob.dev] == (leap, b"\1" * 32)
    for order in ([b"\3", b"\2"], [b"\2", b"\3"]):
        for byte in order:
            group.note_kem(DeviceId(order[0] * 16), 1, byte * 32)
        assert group.kem_of[DeviceId(order[0] * 16)] == (1, b"\2" * 32)  # of equal numbers the lower key


# ------------------------------------------------------------------------------------- answers


def test_a_group_knows_who_we_are_in_it() -> None:
    alice = founds("Alice")
    bob = alice.admits("Bob", Rank.NEWCOMER)
    assert (alice.group.rank, bob.group.rank) == (Rank.FOUNDER, Rank.NEWCOMER)
    assert alice.group.others == [bob.pk]
    assert bob.group.others == [alice.pk]
    alice.removes(bob)
    bob.hears(alice)
    assert bob.pk not in bob.view.members
    assert bob.group.rank is Rank.NEWCOMER  # which allows nothing by itself
    assert alice.group.others == []
    assert alice.group.recipients(alice.group.log.ops[-1].op_id) == {alice.dev}
    assert alice.group.recipients(OpId(bytes(32))) == frozenset()


def test_settings_of_one_s_own_are_one_s_own() -> None:
    alice = founds("Alice")
    with alice.step() as means:
        alice.group.set_own(means.journal, settings=[["invite-address", "on"]])
        assert means.journal.is_durable
    assert alice.restarted().group.own.settings_map() == {"invite-address": "on"}
    assert alice.view.settings == {}
