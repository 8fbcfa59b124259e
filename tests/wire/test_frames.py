"""The outside of a frame, as a relay that trusts nobody takes it apart."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.crypto.hashes import h
from mesh.crypto.keys import public_key, sign
from mesh.errors import Fault, RemoteError
from mesh.wire import limits
from mesh.wire.frames import (
    DAY_MS,
    PUBLISH_LABEL,
    EnvelopeParts,
    FrameType,
    join_envelope,
    join_welcome,
    parse_frame,
    rendezvous_topic,
    seal_frame,
    split_envelope,
    split_nonce,
    split_welcome,
    topic_of,
    topics_of,
    verify_frame,
)

SEED = bytes(range(32))
WALL_MS = 1_800_000_000_000


def fault(data: bytes) -> Fault:
    """How a frame is refused."""
    with pytest.raises(RemoteError) as caught:
        parse_frame(data)
    return caught.value.fault


@pytest.mark.parametrize("kind", FrameType)
@given(st.binary(min_size=1, max_size=200))
def test_a_frame_comes_apart_as_it_was_put_together(kind: FrameType, middle: bytes) -> None:
    raw = seal_frame(kind, SEED, middle)
    frame = parse_frame(raw)
    verify_frame(frame)
    assert (frame.type, frame.pk, frame.middle, frame.raw) == (kind, public_key(SEED), middle, raw)
    assert raw == bytes([kind]) + public_key(SEED) + middle + sign(SEED, b"mesh1/pub\0" + frame.core)
    assert frame.id == h(b"mesh1/frame", raw[:-64])


@pytest.mark.parametrize("seed", [None, SEED])
@given(st.data())
def test_a_frame_that_was_touched_does_not_verify(seed: bytes | None, data: st.DataObject) -> None:
    raw = bytearray(seal_frame(FrameType.MESSAGE, SEED, b"middle"))
    verify_frame(parse_frame(bytes(raw)), seed)
    at = data.draw(st.integers(0, 8 * len(raw) - 1).filter(lambda bit: seed is None or not 8 <= bit < 264))
    raw[at // 8] ^= 1 << at % 8
    with pytest.raises(RemoteError):
        verify_frame(parse_frame(bytes(raw)), seed)


def test_two_signatures_over_one_core_are_one_frame() -> None:
    """Whoever holds the epoch's key can sign again, otherwise than RFC 8032 says; that must not make a new frame."""
    frame = parse_frame(seal_frame(FrameType.MESSAGE, SEED, b"middle"))
    again = parse_frame(frame.core + sign(bytes(32), PUBLISH_LABEL + frame.core))
    assert again.id == frame.id
    assert again.signature != frame.signature


@given(st.binary(max_size=300))
def test_rubbish_is_no_frame(data: bytes) -> None:
    try:
        frame = parse_frame(data)
    except RemoteError:
        return
    with pytest.raises(RemoteError):
        verify_frame(frame)


def test_what_is_too_short_has_no_middle() -> None:
    for length in range(98):
        assert fault(b"\1" * length) is Fault.MALFORMED
    assert parse_frame(b"\1" * 98).middle == b"\1"


@pytest.mark.parametrize("kind", [0, 10, 127, 255])
def test_an_unknown_type_is_refused(kind: int) -> None:
    assert fault(bytes([kind]) + bytes(200)) is Fault.MALFORMED


# ------------------------------------------------------------------------------------- topics


def test_a_frame_travels_on_the_topic_of_its_key() -> None:
    frame = parse_frame(seal_frame(FrameType.MESSAGE, SEED, b"middle"))
    assert topics_of(frame, WALL_MS) == (topic_of(public_key(SEED)),)
    assert topic_of(public_key(SEED)) == h(b"mesh1/topic", public_key(SEED))


@pytest.mark.parametrize("wall_ms", [0, DAY_MS - 1, WALL_MS, WALL_MS - 365 * DAY_MS, WALL_MS + 365 * DAY_MS])
def test_a_knock_travels_on_the_topics_of_three_days(wall_ms: int) -> None:
    """Clocks that are off by less than a day meet; no clock breaks anything."""
    frame = parse_frame(seal_frame(FrameType.KNOCK, SEED, b"middle"))
    today = wall_ms // DAY_MS
    days = tuple(rendezvous_topic(frame.pk, max(0, today + k)) for k in (-1, 0, 1))
    assert topics_of(frame, wall_ms) == (*days, topic_of(frame.pk))  # the last one is for keepers
    assert rendezvous_topic(frame.pk, today) != rendezvous_topic(frame.pk, today + 1)


# ------------------------------------------------------------------------------------- middles


@given(
    st.binary(min_size=32, max_size=32),
    st.integers(1, 40).flatmap(
        lambda size: st.lists(st.binary(min_size=4 + size, max_size=4 + size), min_size=1, max_size=9)
    ),
    st.binary(min_size=16, max_size=90),
)
def test_an_envelope_comes_apart_as_it_was_put_together(nonce: bytes, wraps: list[bytes], sealed: bytes) -> None:
    parts = EnvelopeParts(nonce=nonce, wraps=tuple(wraps), sealed_op=sealed)
    assert split_envelope(join_envelope(parts)) == parts


@pytest.mark.parametrize(
    ("count", "size", "rest"),
    [
        (0, 84, 100),  # no wraps
        (8, 0, 100),  # wraps of nothing
        (8, 4, 100),  # hints alone
        (8, 84, 8 * 84 + 15),  # no room for a tag
        (65_535, 65_535, 200_000),  # 4 GB of wraps
        (65_535, 5, 65_535 * 5),
        (1, 65_535, 65_535),
    ],
)
def test_an_envelope_whose_numbers_do_not_add_up_is_refused(count: int, size: int, rest: int) -> None:
    middle = bytes(32) + count.to_bytes(2, "big") + size.to_bytes(2, "big") + bytes(rest)
    with pytest.raises(RemoteError):
        split_envelope(middle)


@given(st.binary(max_size=120))
def test_rubbish_comes_apart_whole_or_not_at_all(middle: bytes) -> None:
    with suppress(RemoteError):
        assert join_envelope(split_envelope(middle)) == middle
    with suppress(RemoteError):
        assert join_welcome(*split_welcome(middle)) == middle
    with suppress(RemoteError):
        assert b"".join(split_nonce(middle)) == middle


@pytest.mark.parametrize("numbers", [(0, 0), (1, 1), (64, 65), (0, limits.WELCOME_CHUNKS_MAX + 1), (65_535, 65_535)])
def test_a_welcome_whose_numbers_make_no_sense_is_refused(numbers: tuple[int, int]) -> None:
    with pytest.raises(RemoteError):
        split_welcome(join_welcome(*numbers, b"chunk"))
    assert split_welcome(join_welcome(63, 64, b"chunk")) == (63, 64, b"chunk")
