"""Sealed notes, with real and seeded seals: for each device of one member, and for nobody else."""

import pytest

from mesh.commands import Rank, Suite
from mesh.errors import LocalError
from mesh.groups.authoring import keep_kem, new_card
from mesh.groups.notes import open_note, read_note, seal_note
from mesh.groups.operations import card_device
from mesh.ids import Sealer
from mesh.node.chance import HpkeSealer
from mesh.wire import limits
from mesh.wire.operations import DeviceAddBody, OpType
from tests.groups.joiners import joiner
from tests.groups.people import Person, founds

UID = b"u" * 16


def notes(author: Person, to: Person, plain: bytes) -> bytes:
    with author.step() as means:
        return seal_note(author.group, [to.pk], UID, plain, means)


@pytest.mark.parametrize("suite", list(Suite))
@pytest.mark.parametrize("sealer", [None, HpkeSealer()], ids=["seeded", "hpke"])
def test_one_member_reads_it_and_no_other(suite: Suite, sealer: Sealer | None) -> None:
    alice = founds("Alice", suite=suite, sealer=sealer)
    bob, carol = alice.admits("Bob"), alice.admits("Carol")
    bob.hears(alice)
    body = notes(alice, bob, b"only you")
    note = read_note(bob.group, body)
    assert len(note.wraps) == limits.NOTE_WRAPS
    assert open_note(bob.group, alice.dev, UID, note, bob.sealer) == b"only you"
    assert open_note(carol.group, alice.dev, UID, note, carol.sealer) is None
    assert open_note(alice.group, alice.dev, UID, note, alice.sealer) is None, "not even who wrote it"
    assert b"only you" not in body


def test_each_device_of_a_member_reads_it() -> None:
    alice = founds("Alice")
    bob = alice.admits("Bob")
    new = joiner("Bob's other one", alice.group.gid, alice.group.suite)
    card = new_card(alice.group.gid, bob.member_seed, new.dev_seed, new.card.kem_pk)
    bob.does(OpType.DEVICE_ADD, DeviceAddBody(card=card, epoch=None), by_member_key=True)
    alice.hears(bob)
    assert set(alice.view.members[bob.pk].devices) == {bob.dev, card_device(card)}
    note = read_note(alice.group, notes(alice, bob, b"wherever you are"))
    assert len(note.wraps) == limits.NOTE_WRAPS, "the number of devices does not show"
    assert open_note(bob.group, alice.dev, UID, note, bob.sealer) == b"wherever you are"
    bob.group.kems.clear()
    with bob.step() as means:
        keep_kem(bob.group, 0, new.kem[0], new.kem[1], means)
    assert open_note(bob.group, alice.dev, UID, note, bob.sealer) == b"wherever you are", "with the other's key alone"


def test_what_is_too_long_is_refused() -> None:
    alice = founds("Alice")
    bob = alice.admits("Bob", Rank.MEMBER)
    with pytest.raises(LocalError):
        notes(alice, bob, bytes(limits.NOTE_PLAIN_BYTES))
