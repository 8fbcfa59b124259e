"""Lengths say little: what is sent has one of few sizes, and costs at most an eighth more."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.errors import RemoteError
from mesh.wire.limits import KNOCK_PADDED_BYTES, MESSAGE_BYTES_MAX
from mesh.wire.padding import FLOOR_BYTES, pad, padme, unpad


@given(st.binary(max_size=2000))
def test_what_was_padded_comes_back(data: bytes) -> None:
    assert unpad(pad(data)) == data
    assert len(pad(data)) == padme(len(data) + 1)
    assert unpad(pad(data, KNOCK_PADDED_BYTES)) == data
    assert len(pad(data, KNOCK_PADDED_BYTES)) == KNOCK_PADDED_BYTES


def test_padding_costs_at_most_twelve_percent() -> None:
    for length in range(FLOOR_BYTES + 1, MESSAGE_BYTES_MAX + 2):
        size = padme(length)
        assert length <= size <= length * 1.12
        assert padme(size) == size
    assert {padme(length) for length in range(1, FLOOR_BYTES + 1)} == {FLOOR_BYTES}


def test_few_sizes_tell_messages_apart() -> None:
    sizes = {padme(length) for length in range(1, MESSAGE_BYTES_MAX + 1)}
    assert len(sizes) == 129
    assert [padme(n) for n in (257, 273, 1000, 1025, 40_000)] == [272, 288, 1024, 1088, 40_960]


@pytest.mark.parametrize("padded", [b"", b"\0", bytes(256), b"hello", b"hello\x80\x01", b"\x81", bytes(65_536)])
def test_what_is_not_padded_is_refused(padded: bytes) -> None:
    with pytest.raises(RemoteError):
        unpad(padded)


@given(st.binary(max_size=300))
def test_rubbish_is_refused_or_shorter(data: bytes) -> None:
    with suppress(RemoteError):
        assert len(unpad(data)) < len(data)


def test_what_does_not_fit_is_a_bug() -> None:
    with pytest.raises(AssertionError):
        pad(bytes(256), 256)
