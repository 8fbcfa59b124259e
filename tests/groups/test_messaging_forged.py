"""Mallory is a member and holds every key but that of Alice's device: what she makes of Alice's words is not heard."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.errors import Fault
from mesh.groups.messaging import (
    TooEarly,
)
from mesh.ids import MsgId, OpId
from mesh.wire.frames import FrameType, parse_frame, seal_frame
from tests.groups.by_hand import circle, epoch_in_use, honest_tbs, sealed_by_hand
from tests.groups.people import Person

# ------------------------------------------------------------------------------------- Mallory


@given(st.data())
def test_a_frame_that_was_touched_moves_nothing(data: st.DataObject) -> None:
    """The outer key is shared, so a member can sign whatever they like; a bad body leaves the ratchet be."""
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


MOVED: dict[str, Callable[[Person], dict[str, object]]] = {
    "another group": lambda _: {"gid": bytes(32)},
    "another epoch": lambda _: {"epoch": bytes(32)},
    "another device": lambda alice: {"dev": alice.group.view.members[alice.pk].devices[0][::-1]},
    "another place": lambda _: {"i": 7},
}


@pytest.mark.parametrize("name", MOVED)
def test_a_message_stays_where_it_was_sealed(name: str) -> None:
    """What Alice signed for one place is sealed again, in another."""
    alice, bob = circle("Bob")
    tbs = honest_tbs(alice, **MOVED[name](alice))
    raw = sealed_by_hand(alice, tbs, header=(alice.dev, 0))
    assert bob.cannot_read(raw) is Fault.AGAINST_RULES


def test_a_signature_under_another_label_is_no_message() -> None:
    alice, bob = circle("Bob")
    for label in (b"", b"mesh1/op\0", b"mesh1/pub\0", b"mesh1/session\0"):
        raw = sealed_by_hand(alice, honest_tbs(alice), label=label)
        assert bob.cannot_read(raw) is Fault.BAD_SIGNATURE


def test_an_author_has_seen_the_epoch_under_which_they_speak() -> None:
    """One who names less could have words handed on that nobody can judge who has not got that epoch."""
    alice, bob = circle("Bob")
    raw = sealed_by_hand(alice, honest_tbs(alice, heads=[alice.group.log.ops[0].op_id]))
    assert bob.cannot_read(raw) is Fault.AGAINST_RULES


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
    assert early == TooEarly(dev=alice.dev, heads=tuple(alice.group.log.heads))
    bob.hears(alice)
    assert bob.reads(raw) == "As I just wrote…"
