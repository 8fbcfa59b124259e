"""One device's chain of keys: each opens once, in any order, and none can be had again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from mesh.errors import Fault, RemoteError
from mesh.groups.ratchet import Chain
from mesh.groups.schedule import message_key, next_chain_key
from mesh.wire.codec import decode, encode
from mesh.wire.limits import CHAIN_LENGTH_MAX, SKIPPED_KEYS_MAX

FIRST = bytes(range(32))


def keys_of_chain(count: int) -> list[bytes]:
    """The first message keys, one after the other."""
    keys, chain = [], FIRST
    for i in range(count):
        keys.append(message_key(chain, i))
        chain = next_chain_key(chain)
    return keys


KEYS = keys_of_chain(64)


@given(st.permutations(range(24)))
def test_messages_open_in_any_order(order: list[int]) -> None:
    chain = Chain(key=FIRST)
    for i in order:
        key, chain = chain.take(i)
        assert key == KEYS[i]
    assert (chain.i, chain.skipped) == (24, {})


def test_a_key_opens_once() -> None:
    """Replay within an epoch."""
    _, chain = Chain(key=FIRST).take(5)
    _, chain = chain.take(3)
    for i in (5, 3):
        with pytest.raises(RemoteError) as caught:
            chain.take(i)
        assert caught.value.fault is Fault.UNASKED


def test_looking_does_not_move_it() -> None:
    """What is taken is a copy; the chain itself stays as it was until somebody keeps the copy."""
    _, chain = Chain(key=FIRST).take(5)
    before = chain.to_record()
    for i in (0, 4, 7, 4000):
        chain.take(i)
    assert chain.to_record() == before


@pytest.mark.parametrize("i", [CHAIN_LENGTH_MAX, CHAIN_LENGTH_MAX + 1, 2**31, 2**32 - 1])
def test_nobody_can_make_it_run_for_ever(i: int) -> None:
    with pytest.raises(RemoteError) as caught:
        Chain(key=FIRST).take(i)
    assert caught.value.fault is Fault.OVER_LIMIT


def test_the_last_place_of_a_chain_opens_and_keeps_all_before_it() -> None:
    _, chain = Chain(key=FIRST).take(CHAIN_LENGTH_MAX - 1)
    assert len(chain.skipped) == CHAIN_LENGTH_MAX - 1 < SKIPPED_KEYS_MAX
    assert chain.take(63)[0] == KEYS[63]
    with pytest.raises(RemoteError):
        chain.take(chain.i)


@given(st.lists(st.integers(0, 40), unique=True, max_size=12))
def test_it_comes_back_from_the_store_as_it_was(taken: list[int]) -> None:
    chain = Chain(key=FIRST)
    for i in taken:
        _, chain = chain.take(i)
    record = chain.to_record()
    assert Chain.from_record(decode(type(record), encode(record), bytes_max=100_000)) == chain


def test_who_has_a_later_key_cannot_go_back() -> None:
    _, chain = Chain(key=FIRST).take(0)
    _, chain = chain.take(1)
    held = [chain.key, *chain.skipped.values()]
    assert not set(held) & set(KEYS[:2])
    assert all(next_chain_key(key) not in (*KEYS[:2], FIRST) for key in held)


def test_keys_are_not_shown() -> None:
    _, chain = Chain(key=FIRST).take(3)
    assert repr(chain) == "Chain(i=4, counted=0)"
    assert repr(chain.to_record()) == "ChainRecord(…)"


class ChainAndItsTwin(RuleBasedStateMachine):
    """A chain beside a twin that simply remembers which numbers were used."""

    def __init__(self) -> None:
        super().__init__()
        self.chain = Chain(key=FIRST)
        self.used: set[int] = set()

    @rule(i=st.integers(0, 63))
    def take(self, i: int) -> None:
        """Open message i, or be refused because it was opened before."""
        try:
            key, self.chain = self.chain.take(i)
        except RemoteError:
            assert i in self.used
        else:
            assert i not in self.used
            assert key == KEYS[i]
            self.used.add(i)

    @rule()
    def restart(self) -> None:
        """Come back from the store."""
        self.chain = Chain.from_record(self.chain.to_record())

    @invariant()
    def holds_no_used_key(self) -> None:
        """What is kept opens nothing that was opened."""
        assert self.chain.i == max(self.used, default=-1) + 1
        assert set(self.chain.skipped) == set(range(self.chain.i)) - self.used


TestChainAndItsTwin = ChainAndItsTwin.TestCase
