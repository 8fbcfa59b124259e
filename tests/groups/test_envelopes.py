"""How operations travel: who can read them, what can be told from outside, and what becomes of those that were bent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.crypto.keys import public_key
from mesh.errors import Fault, RemoteError
from mesh.groups.authoring import Authored, author, rekey, remove
from mesh.groups.envelopes import NewEpoch, open_envelope, open_operation, seal_envelope, seal_operation
from mesh.groups.schedule import wrap_hint
from mesh.wire.frames import EnvelopeParts, FrameType, join_envelope, parse_frame, seal_frame, split_envelope, topic_of
from mesh.wire.operations import AgreementBody, OpType
from tests.groups.people import Person, founds, refusal, standing


def circle(*names: str) -> list[Person]:
    """Alice, who founded the group, and these; all have heard all."""
    alice = founds("Alice")
    people = [alice, *(alice.admits(name) for name in names)]
    for person in people:
        person.hears(alice)
    return people


def re_key(person: Person) -> Authored:
    """Start a new epoch, and return it with its frames."""
    return person.publishes(lambda means: rekey(person.group, means))


def removal(person: Person, other: Person) -> Authored:
    """Remove somebody, and return the operation with its frames."""
    return person.publishes(lambda means: remove(person.group, other.pk, [], "", means))


def agreement(person: Person, text: str) -> Authored:
    """An operation that starts no epoch, with its frame."""
    return person.publishes(
        lambda means: author(person.group, OpType.AGREEMENT, AgreementBody(version=2, text=text), means)
    )


def frames_of(authored: Authored) -> list[bytes]:
    """The frames alone."""
    return [frame for _, frame in authored.frames]


# ------------------------------------------------------------------------------------- envelopes


def test_an_envelope_brings_the_operation_and_the_key() -> None:
    alice, bob, carol = circle("Bob", "Carol")
    (frame,) = frames_of(re_key(alice))
    for person in (bob, carol):
        (op,) = person.opens(frame)
        assert person.group.epoch == op.op_id == alice.group.epoch
        assert person.opens(frame) == []  # once is enough
    assert carol.reads(bob.says("new keys")) == "new keys"


def test_on_each_parent_s_topic_the_sealed_part_is_the_same() -> None:
    alice, bob, carol = circle("Bob", "Carol")
    re_key(bob)
    re_key(carol)
    alice.hears(bob, carol)
    first, second = frames_of(re_key(alice))
    assert topic_of(parse_frame(first).pk) != topic_of(parse_frame(second).pk)
    assert parse_frame(first).middle == parse_frame(second).middle
    (heard,) = (frame for frame in (first, second) if topic_of(parse_frame(frame).pk) in bob.group.topics)
    assert bob.opens(heard) == []  # it builds on Carol's re-key, of which Bob has not heard
    bob.takes(carol.bundle(carol.group.log.ops[-1].op_id))
    assert standing(bob) == standing(alice)
    assert bob.group.epoch == alice.group.epoch


def test_who_was_removed_learns_that_and_no_more() -> None:
    """§5: not by whom, nor the next topic; from the hints, who of those they knew is still in."""
    alice, bob, carol = circle("Bob", "Carol")
    authored = removal(alice, bob)
    (frame,) = frames_of(authored)
    before = standing(bob)
    assert bob.opens(frame) == []
    assert standing(bob) == before
    epoch = alice.group.epochs[authored.op.op_id]
    secrets = [epoch.pub_seed, epoch.op_key, epoch.hdr_key, epoch.sync_key, public_key(epoch.pub_seed)]
    secrets += [authored.op.op_id, alice.dev, carol.dev, alice.pk, topic_of(public_key(epoch.pub_seed))]
    assert not any(secret in frame for secret in secrets)
    parts = split_envelope(parse_frame(frame).middle)
    hints = {wrap[:4] for wrap in parts.wraps}
    known = {person.name: bob.group.kem_of[person.dev][1] for person in (alice, bob, carol)}
    assert {name for name, pk in known.items() if wrap_hint(pk, parts.nonce) in hints} == {"Alice", "Carol"}
    carol.opens(frame)
    assert carol.names == {"Alice", "Carol"}


@given(st.data())
def test_an_envelope_that_was_touched_is_refused_by_all(data: st.DataObject) -> None:
    """Whoever holds an old epoch's key can sign on its topic: what they bend inside does not open."""
    alice, bob, frame = ENVELOPE
    epoch = alice.group.epochs[bob.epoch_of(frame)]
    parts = split_envelope(parse_frame(frame).middle)
    hint = wrap_hint(bob.group.kem_of[bob.dev][1], parts.nonce)
    middle = bytearray(parse_frame(frame).middle)
    at = data.draw(st.integers(0, 8 * len(middle) - 1))
    middle[at // 8] ^= 1 << at % 8
    bent = seal_frame(FrameType.ENVELOPE, epoch.pub_seed, bytes(middle))
    before = standing(bob)
    try:
        opened = bob.opens(bent)
    except RemoteError:
        opened = []
    assert opened == []
    assert standing(bob) == before
    assert not bob.group.pending
    assert hint in frame


def one_envelope() -> tuple[Person, Person, bytes]:
    """Alice, Bob who has not opened it, and an envelope."""
    alice, bob = circle("Bob")
    return alice, bob, frames_of(re_key(alice))[0]


ENVELOPE = one_envelope()


def test_wraps_of_another_envelope_do_not_fit() -> None:
    alice, bob = circle("Bob")
    first, second = (frames_of(re_key(alice))[0] for _ in range(2))
    one, two = (split_envelope(parse_frame(frame).middle) for frame in (first, second))
    mixed = EnvelopeParts(nonce=one.nonce, wraps=one.wraps, sealed_op=two.sealed_op)
    seed = alice.group.epochs[bob.epoch_of(first)].pub_seed
    frame = seal_frame(FrameType.ENVELOPE, seed, join_envelope(mixed))
    assert refusal(lambda: bob.opens(frame)) is Fault.UNREADABLE


def test_an_envelope_holds_an_operation_that_starts_an_epoch() -> None:
    """Any other one, sealed like that with wraps around it, would be stored with wraps that it knows nothing of."""
    alice, bob = circle("Bob")
    draft = alice.draft()
    signed = alice.forges(OpType.AGREEMENT, AgreementBody(version=2, text="Sealed in the wrong way."))
    new = NewEpoch(op=signed, secret=draft.secret, nonce=draft.block.nonce, wraps=draft.wraps)
    assert alice.group.epoch is not None
    frame = seal_envelope(new, alice.group.gid, alice.group.epochs[alice.group.epoch].pub_seed)
    assert refusal(lambda: bob.opens(frame)) is Fault.AGAINST_RULES
    assert draft.secret.hex() not in repr(new)
    assert str(draft.secret) not in repr(new) + repr(draft)


def test_opening_an_envelope_needs_its_own_secret_group_and_nonce() -> None:
    alice, bob, frame = ENVELOPE
    draft = alice.draft()
    signed = alice.group.log.ops[-1].signed
    new = NewEpoch(op=signed, secret=draft.secret, nonce=draft.block.nonce, wraps=draft.wraps)
    parts = split_envelope(parse_frame(seal_envelope(new, alice.group.gid, bytes(32))).middle)
    assert open_envelope(parts, draft.secret, alice.group.gid) == signed
    for secret, gid in ((bytes(32), alice.group.gid), (draft.secret, bytes(32))):
        with pytest.raises(RemoteError):
            open_envelope(parts, secret, gid)
    other = EnvelopeParts(nonce=bytes(32), wraps=parts.wraps, sealed_op=parts.sealed_op)
    with pytest.raises(RemoteError):
        open_envelope(other, draft.secret, alice.group.gid)
    assert bob.epoch_of(frame) in alice.group.epochs


# ------------------------------------------------------------------------------------- operations


def test_an_operation_without_an_epoch_is_read_by_those_who_are_in() -> None:
    alice, bob, carol = circle("Bob", "Carol")
    removed = removal(alice, carol)
    bob.hears(alice)
    authored = agreement(alice, "Only for us.")
    ((epoch, frame),) = authored.frames
    assert epoch == removed.op.op_id
    assert bob.opens(frame) == [authored.op]
    assert bob.view.agreement == authored.op.op_id
    with pytest.raises(KeyError):
        carol.epoch_of(frame)


@given(st.data())
def test_an_operation_frame_that_was_touched_is_refused(data: st.DataObject) -> None:
    alice, bob, frame = OPERATION
    seed = alice.group.epochs[bob.epoch_of(frame)].pub_seed
    middle = bytearray(parse_frame(frame).middle)
    at = data.draw(st.integers(0, 8 * len(middle) - 1))
    middle[at // 8] ^= 1 << at % 8
    bent = seal_frame(FrameType.OPERATION, seed, bytes(middle))
    assert refusal(lambda: bob.opens(bent)) is Fault.UNREADABLE


def one_operation() -> tuple[Person, Person, bytes]:
    """Alice, Bob who has not opened it, and an operation without an epoch."""
    alice, bob = circle("Bob")
    return alice, bob, frames_of(agreement(alice, "Touch this."))[0]


OPERATION = one_operation()


def test_an_operation_is_bound_to_the_key_under_which_it_travels() -> None:
    signed = founds("Alice").group.log.ops[0].signed
    seed, key = bytes(32), b"\7" * 32
    frame = parse_frame(seal_operation(signed, key, seed, public_key(seed), bytes(24)))
    assert open_operation(frame, key) == signed
    moved = parse_frame(seal_frame(FrameType.OPERATION, b"\1" * 32, frame.middle))
    for sealed, with_key in ((moved, key), (frame, bytes(32))):
        with pytest.raises(RemoteError):
            open_operation(sealed, with_key)
