"""Mallory is a member and holds every key but that of Alice's device: what she makes of Alice's words is not heard."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.crypto.keys import decrypt, encrypt, public_key
from mesh.errors import Fault, RemoteError
from mesh.groups.messaging import (
    OpenedMessage,
    TooEarly,
)
from mesh.groups.schedule import message_key
from mesh.ids import MsgId, OpId
from mesh.wire import limits
from mesh.wire.frames import FrameType, parse_frame, seal_frame
from mesh.wire.padding import pad, unpad
from tests.groups.by_hand import circle, epoch_in_use, honest_tbs, sealed_by_hand
from tests.groups.people import Person

# ------------------------------------------------------------------------------------- Mallory


@given(st.data())
def test_a_frame_that_was_touched_moves_nothing(data: st.DataObject) -> None:
    """Attack 27: the outer key is shared, so a member can sign whatever they like; a bad body leaves the ratchet be."""
    alice, bob, raw = TOUCHED
    seed = epoch_in_use(alice).pub_seed
    middle = bytearray(parse_frame(raw).middle)
    at = data.draw(st.integers(0, 8 * len(middle) - 1))
    middle[at // 8] ^= 1 << at % 8
    before = dict(bob.group.chains)
    fault = bob.cannot_read(seal_frame(FrameType.MESSAGE, seed, bytes(middle)))
    assert fault is Fault.UNREADABLE
    assert bob.group.chains == before


def touched() -> tuple[Person, Person, bytes]:
    """A message that Bob has not read."""
    alice, bob = circle("Bob")
    return alice, bob, alice.says("Touch this.")


TOUCHED = touched()


def test_a_good_header_before_a_bad_body_leaves_the_message_to_be_read() -> None:
    """Attack 27, by one who holds every key but Alice's own."""
    alice, bob, mallory = circle("Bob", "Mallory")
    tbs = honest_tbs(alice)
    forged = [
        sealed_by_hand(mallory, tbs),  # signed by Mallory
        sealed_by_hand(mallory, tbs, plain=lambda _: pad(b"\x90")),
        sealed_by_hand(mallory, tbs, plain=lambda _: bytes(300)),
        sealed_by_hand(mallory, tbs, plain=lambda signed: signed),  # not padded
        sealed_by_hand(mallory, honest_tbs(alice, i=4_000), header=(alice.dev, 4_000)),
    ]
    before = dict(bob.group.chains)
    for raw in forged:
        with pytest.raises(RemoteError):
            bob.looks_at(raw)
    assert bob.group.chains == before
    assert bob.reads(alice.says("the true one")) == "the true one"


MOVED: dict[str, Callable[[Person], dict[str, object]]] = {
    "another group": lambda _: {"gid": bytes(32)},
    "another epoch": lambda _: {"epoch": bytes(32)},
    "another device": lambda alice: {"dev": alice.group.view.members[alice.pk].devices[0][::-1]},
    "another place": lambda _: {"i": 7},
}


@pytest.mark.parametrize("name", MOVED)
def test_a_message_stays_where_it_was_sealed(name: str) -> None:
    """Attacks 23 and 24: what Alice signed for one place is sealed again, in another."""
    alice, bob = circle("Bob")
    tbs = honest_tbs(alice, **MOVED[name](alice))
    raw = sealed_by_hand(alice, tbs, header=(alice.dev, 0))
    assert bob.cannot_read(raw) is Fault.AGAINST_RULES


def test_what_alice_said_in_one_epoch_is_not_said_again_in_the_next() -> None:
    """Attack 23: Mallory holds both epochs' keys, and Alice's signature."""
    alice, bob, mallory = circle("Bob", "Mallory")
    raw = alice.says("Only today.")
    opened = mallory.looks_at(raw)
    assert isinstance(opened, OpenedMessage)
    frame = parse_frame(raw)
    record = mallory.group.epochs[opened.epoch]
    key, _ = mallory.group.chains[opened.epoch, alice.dev].take(0)
    outer, nonce = b"\1" + frame.pk, frame.middle[:24]
    signed = unpad(decrypt(key, nonce, outer + frame.middle[24:60], frame.middle[60:]))
    bob.reads(raw)
    alice.rekeys()
    for person in (bob, mallory):
        person.hears(alice)
    new = epoch_in_use(mallory)
    for target, place in ((new, 0), (new, 3), (record, 1)):
        chain_key, _ = mallory.group.chains[target.op_id, alice.dev].take(place)
        head = b"\1" + public_key(target.pub_seed)
        header = encrypt(target.hdr_key, bytes(24), head, alice.dev + place.to_bytes(4, "big"))
        body = encrypt(chain_key, bytes(24), head + header, pad(signed))
        moved = seal_frame(FrameType.MESSAGE, target.pub_seed, bytes(24) + header + body)
        assert bob.cannot_read(moved) is Fault.AGAINST_RULES


def test_the_same_inner_message_in_a_new_envelope_is_opened_once() -> None:
    """Attack 24: a new nonce and a new outer signature make another frame of the same message."""
    alice, bob, mallory = circle("Bob", "Mallory")
    raw = alice.says("Once.")
    frame = parse_frame(raw)
    record = epoch_in_use(mallory)
    key = message_key(mallory.group.chains[record.op_id, alice.dev].key, 0)
    outer, nonce = b"\1" + frame.pk, b"\7" * 24
    padded = decrypt(key, frame.middle[:24], outer + frame.middle[24:60], frame.middle[60:])
    header = encrypt(record.hdr_key, nonce, outer, alice.dev + bytes(4))
    again = seal_frame(FrameType.MESSAGE, record.pub_seed, nonce + header + encrypt(key, nonce, outer + header, padded))
    assert parse_frame(again).id != frame.id
    first = bob.looks_at(again)
    assert isinstance(first, OpenedMessage)
    assert bob.reads(raw) == "Once."
    assert bob.cannot_read(again) is Fault.UNASKED


def test_a_signature_under_another_label_is_no_message() -> None:
    """Attack 30."""
    alice, bob = circle("Bob")
    for label in (b"", b"mesh1/op\0", b"mesh1/pub\0", b"mesh1/session\0"):
        raw = sealed_by_hand(alice, honest_tbs(alice), label=label)
        assert bob.cannot_read(raw) is Fault.BAD_SIGNATURE


@pytest.mark.parametrize("i", [limits.CHAIN_LENGTH_MAX, 2**31, 2**32 - 1])
def test_a_place_past_the_end_of_a_chain_is_refused_at_once(i: int) -> None:
    """Attack 26."""
    alice, bob = circle("Bob")
    record = epoch_in_use(alice)
    outer = b"\1" + public_key(record.pub_seed)
    header = encrypt(record.hdr_key, bytes(24), outer, alice.dev + i.to_bytes(4, "big"))
    raw = seal_frame(FrameType.MESSAGE, record.pub_seed, bytes(24) + header + bytes(300))
    assert bob.cannot_read(raw) is Fault.OVER_LIMIT


@given(st.binary(max_size=400))
def test_rubbish_under_the_epoch_s_own_key_is_refused(middle: bytes) -> None:
    alice, bob, _ = TOUCHED
    raw = seal_frame(FrameType.MESSAGE, epoch_in_use(alice).pub_seed, b"\0" + middle)
    assert bob.cannot_read(raw) in (Fault.UNREADABLE, Fault.MALFORMED)


@pytest.mark.parametrize(
    "changes",
    [
        {"heads": []},
        {"heads": [OpId(b"\2" * 32), OpId(b"\1" * 32)]},
        {"heads": [OpId(b"\1" * 32)] * 2},
        {"heads": [OpId(bytes([k]) * 32) for k in range(17)]},
        {"parents": [MsgId(bytes([k]) * 32) for k in range(5)]},
        {"mseq": 0},
        {"version": 2},
        {"kind": 0},
    ],
)
def test_a_signed_message_of_the_wrong_form_is_refused(changes: dict[str, object]) -> None:
    alice, bob = circle("Bob")
    raw = sealed_by_hand(alice, honest_tbs(alice, **changes))
    assert bob.cannot_read(raw) is Fault.MALFORMED


def test_a_message_waits_for_the_operations_that_it_builds_on() -> None:
    alice, bob = circle("Bob")
    alice.sets(note="news")
    raw = alice.says("As I just wrote…")
    early = bob.looks_at(raw)
    assert early == TooEarly(heads=tuple(alice.group.log.heads))
    bob.hears(alice)
    assert bob.reads(raw) == "As I just wrote…"
