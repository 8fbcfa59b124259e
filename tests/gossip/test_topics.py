"""Which topics two nodes share: told without naming them, and bounded."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.crypto.hashes import h
from mesh.errors import Fault, RemoteError
from mesh.gossip.topics import TAG_BYTES, TopicTable, tag
from mesh.ids import TopicId

ALICE, BOB = b"a" * 32, b"b" * 32


def topics(*names: str) -> list[TopicId]:
    """Give topics with these names."""
    return [TopicId(h(b"mesh1/test", name.encode())) for name in names]


def pair() -> tuple[TopicTable, TopicTable]:
    """Give both ends of one link."""
    return TopicTable(ALICE, BOB), TopicTable(BOB, ALICE)


def tell(one: TopicTable, other: TopicTable, wanted: list[TopicId]) -> tuple[list[TopicId], list[TopicId]]:
    """Announce topics; return what each end newly recognises."""
    payload, mine = one.announce(wanted)
    return mine, [] if payload is None else other.hear(payload)


def test_only_what_both_listen_to_is_recognised() -> None:
    alice, bob = pair()
    assert tell(alice, bob, topics("grief", "sleep")) == ([], [])
    assert tell(bob, alice, topics("sleep", "work")) == (topics("sleep"), topics("sleep"))
    assert list(alice.shared) == list(bob.shared) == topics("sleep")


def test_a_topic_learned_later_is_recognised_then() -> None:
    alice, bob = pair()
    tell(alice, bob, topics("grief"))
    assert tell(bob, alice, topics("work")) == ([], [])
    assert tell(bob, alice, topics("work", "grief")) == (topics("grief"), topics("grief"))


def test_what_is_told_says_nothing_to_others() -> None:
    alice, _ = pair()
    payload, _ = alice.announce(topics("grief"))
    other, _ = TopicTable(ALICE, b"c" * 32).announce(topics("grief"))
    assert payload is not None
    assert other is not None
    assert bytes(topics("grief")[0]) not in payload
    assert payload[2:] != other[2:]  # another link, another tag
    assert len(payload) == 2 + TAG_BYTES


def test_only_changes_travel() -> None:
    alice, bob = pair()
    tell(alice, bob, topics("grief"))
    tell(bob, alice, topics("grief"))
    assert alice.announce(topics("grief")) == (None, [])
    payload, _ = alice.announce(topics("sleep"))
    assert payload is not None
    assert payload[:2] == b"\0\1"
    assert len(payload) == 2 + 2 * TAG_BYTES  # one more, one less
    bob.hear(payload)
    assert list(bob.shared) == []
    assert list(alice.shared) == []
    assert tell(alice, bob, topics("grief")) == (topics("grief"), topics("grief"))


def test_an_echo_of_our_own_tags_claims_nothing() -> None:
    alice, _ = pair()
    payload, _ = alice.announce(topics("grief", "sleep"))
    assert payload is not None
    assert alice.hear(payload) == []
    assert alice.shared == {}
    assert tag(topics("grief")[0], ALICE, BOB) != tag(topics("grief")[0], BOB, ALICE)


@pytest.mark.parametrize("payload", [b"", b"\0", b"\0\1", b"\0\0\1", b"\0\2" + bytes(8), b"\0\1" + bytes(7)])
def test_a_list_of_the_wrong_length_is_refused(payload: bytes) -> None:
    alice, _ = pair()
    with pytest.raises(RemoteError) as caught:
        alice.hear(payload)
    assert caught.value.fault is Fault.MALFORMED


@given(st.lists(st.tuples(st.booleans(), st.sets(st.sampled_from("abcdef"))), max_size=20))
def test_both_ends_always_agree_on_what_they_share(steps: list[tuple[bool, set[str]]]) -> None:
    alice, bob = pair()
    said: dict[bool, set[str]] = {True: set(), False: set()}
    for is_alice, names in steps:
        one, other = (alice, bob) if is_alice else (bob, alice)
        tell(one, other, topics(*sorted(names)))
        said[is_alice] = names
        both = set(topics(*sorted(said[True] & said[False])))
        assert set(alice.shared) == set(bob.shared) == both


@given(st.binary(max_size=200))
def test_no_bytes_break_it(payload: bytes) -> None:
    alice, _ = pair()
    alice.announce(topics("grief"))
    with suppress(RemoteError):
        alice.hear(payload)
    assert alice.shared == {}
