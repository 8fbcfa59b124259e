"""Frames survive any cutting of the stream, and hostile lengths are refused before they cost anything."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.errors import Fault, RemoteError
from mesh.node.links.framing import Decoder, Frame, encode
from mesh.wire.limits import LINK_PAYLOAD_BYTES_MAX

FRAMES = st.lists(st.builds(Frame, st.integers(0, 255), st.binary(max_size=600)), max_size=8)


def decode_all(decoder: Decoder) -> list[Frame]:
    return list(iter(decoder.next, None))


def test_a_frame_is_its_length_its_type_and_its_payload() -> None:
    assert encode(3, b"ab") == bytes.fromhex("00000003 03 6162")
    assert encode(255, b"") == bytes.fromhex("00000001 ff")


@given(FRAMES, st.data())
def test_frames_come_out_as_they_went_in_however_the_stream_is_cut(frames: list[Frame], data: st.DataObject) -> None:
    stream = b"".join(encode(frame.kind, frame.payload) for frame in frames)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    decoder, found = Decoder(), []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        decoder.feed(stream[start:end])
        found += decode_all(decoder)
    assert found == frames
    assert decoder.held_bytes == 0


@given(st.binary(max_size=200))
def test_any_bytes_give_frames_or_a_remote_error_and_hold_no_more_than_came(junk: bytes) -> None:
    decoder = Decoder(payload_bytes_max=64)
    decoder.feed(junk)
    fault = None
    try:
        for frame in decode_all(decoder):
            assert len(frame.payload) <= 64
    except RemoteError as error:
        fault = error.fault
    assert fault in {None, Fault.MALFORMED, Fault.OVER_LIMIT}
    assert decoder.held_bytes < (4 + 1 + 64 if fault is None else 1)


@given(st.integers(2 + LINK_PAYLOAD_BYTES_MAX, 2**32 - 1))
def test_a_hostile_length_is_refused_before_its_payload_comes(length: int) -> None:
    decoder = Decoder()
    decoder.feed(length.to_bytes(4, "big"))
    with pytest.raises(RemoteError) as caught:
        decoder.next()
    assert caught.value.fault is Fault.OVER_LIMIT


def test_the_longest_frame_passes() -> None:
    decoder = Decoder()
    decoder.feed(encode(6, bytes(LINK_PAYLOAD_BYTES_MAX)))
    assert decoder.next() == Frame(6, bytes(LINK_PAYLOAD_BYTES_MAX))


def test_a_frame_without_a_type_is_malformed_and_what_follows_is_not_read() -> None:
    decoder = Decoder()
    decoder.feed(bytes(4))
    for _ in range(2):
        with pytest.raises(RemoteError) as caught:
            decoder.next()
        assert caught.value.fault is Fault.MALFORMED
        decoder.feed(encode(1, b"well formed"))


def test_a_peer_that_has_said_hello_may_say_more() -> None:
    decoder = Decoder(payload_bytes_max=10)
    decoder.feed(encode(1, bytes(10)) + encode(3, bytes(11)))
    assert decoder.next() == Frame(1, bytes(10))
    decoder.payload_bytes_max = 11
    assert decoder.next() == Frame(3, bytes(11))


def test_what_does_not_fit_is_a_bug_of_ours() -> None:
    with pytest.raises(AssertionError):
        encode(256, b"")
    with pytest.raises(AssertionError):
        encode(3, bytes(LINK_PAYLOAD_BYTES_MAX + 1))
