"""Two nodes agree on a version, or say in words why they cannot; whatever else is sent is no hello."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.errors import Fault, RemoteError
from mesh.node.links.hello import HELLO_BYTES, Hello, VersionMismatch, agree, decode, encode, greeting

VERSIONS = st.tuples(st.integers(1, 255), st.integers(1, 255)).map(sorted)
NONCES = st.binary(min_size=32, max_size=32)
HELLOS = st.builds(lambda versions, nonce: Hello(oldest=versions[0], newest=versions[1], nonce=nonce), VERSIONS, NONCES)


def said(oldest: int, newest: int, nonce: bytes = b"b" * 32) -> Hello:
    return Hello(oldest=oldest, newest=newest, nonce=nonce)


def test_a_hello_byte_by_byte() -> None:
    payload = encode(greeting(bytes(range(32))))
    assert payload == bytes([1, 1]) + bytes(range(32)) + bytes(222)


@given(HELLOS)
def test_a_hello_has_one_length_and_survives(hello: Hello) -> None:
    payload = encode(hello)
    assert len(payload) == HELLO_BYTES
    assert decode(payload) == hello


@given(st.binary(max_size=300) | st.binary(min_size=HELLO_BYTES, max_size=HELLO_BYTES))
def test_any_bytes_are_a_hello_or_a_remote_error(payload: bytes) -> None:
    fault, versions = Fault.MALFORMED, (1, 1)
    try:
        hello = decode(payload)
        versions = (hello.oldest, hello.newest)
    except RemoteError as error:
        fault = error.fault
    assert fault is Fault.MALFORMED
    assert 1 <= versions[0] <= versions[1]


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        bytes(HELLO_BYTES),  # version 0
        bytes([2, 1]) + bytes(HELLO_BYTES - 2),  # newest before oldest
        bytes([1, 1]) + bytes(HELLO_BYTES - 1),  # too long
        bytes([1, 1]) + bytes(HELLO_BYTES - 3) + b"\1",  # a padding that says something
    ],
)
def test_what_version_1_never_sends_is_malformed(payload: bytes) -> None:
    with pytest.raises(RemoteError) as caught:
        decode(payload)
    assert caught.value.fault is Fault.MALFORMED


def test_what_a_newer_node_adds_is_not_looked_at() -> None:
    payload = bytes([1, 9]) + b"n" * 32 + b"?" * 222
    assert decode(payload) == said(1, 9, b"n" * 32)


@given(HELLOS, HELLOS)
def test_both_sides_come_to_the_same_end(alice: Hello, bob: Hello) -> None:
    common = set(range(alice.oldest, alice.newest + 1)) & set(range(bob.oldest, bob.newest + 1))
    for ours, theirs in [(alice, bob), (bob, alice)]:
        if alice.nonce == bob.nonce:
            with pytest.raises(RemoteError):
                agree(ours, theirs)
        elif common:
            assert agree(ours, theirs) == max(common)
        else:
            with pytest.raises(VersionMismatch):
                agree(ours, theirs)


def test_a_refusal_says_what_to_do() -> None:
    with pytest.raises(VersionMismatch) as caught:
        agree(greeting(b"a" * 32), said(3, 4))
    assert "3 to 4" in caught.value.what
    assert "update" in caught.value.do
    assert caught.value.code == "E-VERSION"


def test_an_echo_of_our_nonce_is_refused() -> None:
    with pytest.raises(RemoteError) as caught:
        agree(greeting(b"a" * 32), said(1, 1, b"a" * 32))
    assert caught.value.fault is Fault.AGAINST_RULES
