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


def tell(
    one: TopicTable, other: TopicTable, wanted: list[TopicId], answered: tuple[TopicId, ...] = ()
) -> tuple[list[TopicId], list[TopicId]]:
    """Announce topics, and let each end answer the other; return what each newly recognises."""
    payload, mine = one.announce(wanted, answered)
    theirs: list[TopicId] = []
    for _ in range(3):
        answer, found = (None, []) if payload is None else other.hear(payload)
        theirs += found
        payload, found = (None, []) if answer is None else one.hear(answer)
        mine += found
    assert payload is None, "it does not go on for ever"
    return mine, theirs


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
    assert alice.hear(payload) == (None, [])
    assert alice.shared == {}
    assert tag(topics("grief")[0], ALICE, BOB) != tag(topics("grief")[0], BOB, ALICE)


@pytest.mark.parametrize("payload", [b"", b"\0", b"\0\1", b"\0\0\1", b"\0\2" + bytes(8), b"\0\1" + bytes(7)])
def test_a_list_of_the_wrong_length_is_refused(payload: bytes) -> None:
    alice, _ = pair()
    with pytest.raises(RemoteError) as caught:
        alice.hear(payload)
    assert caught.value.fault is Fault.MALFORMED


def test_what_is_only_answered_is_told_to_nobody_who_does_not_name_it() -> None:
    """A keeper's links see nothing of what it keeps for others, nor how much that is."""
    keeper, rowan = pair()
    kept = topics("grief", "talk", "another talk")
    assert keeper.announce([], kept) == (None, [])
    assert tell(rowan, keeper, topics("grief", "work")) == (topics("grief"), topics("grief"))
    assert keeper.announce([], [*kept, *topics("a third")]) == (None, [])
    assert keeper.announce([], topics("grief")) == (None, [])
    assert tell(keeper, rowan, [], tuple(topics("grief", "work"))) == (topics("work"), topics("work"))
    assert tell(rowan, keeper, []) == ([], [])
    assert keeper.announce([], topics("grief")) == (None, []), "what was answered is over when its asker is done"
    assert (keeper.shared, rowan.shared) == ({}, {})


def test_two_who_only_answer_share_nothing() -> None:
    one, other = pair()
    assert one.announce([], topics("grief")) == (None, [])
    assert tell(other, one, [], tuple(topics("grief"))) == ([], [])


NAMES = st.sets(st.sampled_from("abcdef"))


@given(st.lists(st.tuples(st.booleans(), NAMES, NAMES), max_size=20))
def test_both_ends_always_agree_on_what_they_share(steps: list[tuple[bool, set[str], set[str]]]) -> None:
    alice, bob = pair()
    told: dict[bool, set[str]] = {True: set(), False: set()}
    answered: dict[bool, set[str]] = {True: set(), False: set()}
    for is_alice, names, quiet in steps:
        one, other = (alice, bob) if is_alice else (bob, alice)
        tell(one, other, topics(*sorted(names)), tuple(topics(*sorted(quiet))))
        told[is_alice], answered[is_alice] = names, quiet
        known = (told[True] | answered[True]) & (told[False] | answered[False])
        assert set(alice.shared) == set(bob.shared)
        assert set(topics(*sorted(known & (told[True] | told[False])))) <= set(alice.shared)
        assert set(alice.shared) <= set(topics(*sorted(known))), "what one of them told, both may go on answering"


@given(st.binary(max_size=200))
def test_no_bytes_break_it(payload: bytes) -> None:
    alice, _ = pair()
    alice.announce(topics("grief"))
    with suppress(RemoteError):
        alice.hear(payload)
    assert alice.shared == {}
