"""Whatever Mallory sends, a decoder gives back a record that has exactly those bytes, or refuses them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.errors import Fault, RemoteError
from mesh.ids import OpId
from mesh.wire.codec import Record, decode, encode
from mesh.wire.messages import Mode, PostBody
from mesh.wire.operations import LeaveBody, UninviteBody
from tests.wire.records import BYTES_MAX, RECORDS, SOME, WIRE_RECORDS, is_refused, spoiled, strategy


def test_there_are_records_to_try() -> None:
    assert len(WIRE_RECORDS) >= 40
    assert {"SignedOp", "KnockBody", "PostBody", "_Fragment", "WelcomeBody"} <= {kind.__name__ for kind in WIRE_RECORDS}


@pytest.mark.parametrize("kind", RECORDS)
@SOME
@given(st.data())
def test_a_record_comes_back_as_it_was(kind: type[Record], data: st.DataObject) -> None:
    record = data.draw(strategy(kind))
    assert decode(kind, encode(record), bytes_max=BYTES_MAX) == record


@pytest.mark.parametrize("kind", WIRE_RECORDS)
@SOME
@given(st.data())
def test_no_value_has_a_second_encoding(kind: type[Record], data: st.DataObject) -> None:
    good = encode(data.draw(strategy(kind)))
    ways = list(spoiled(good))
    for what, bad in data.draw(st.lists(st.sampled_from(ways), max_size=24, unique_by=lambda way: way[0])):
        assert bad == good or is_refused(kind, bad), what


@pytest.mark.parametrize("kind", WIRE_RECORDS)
@SOME
@given(st.binary(max_size=200))
def test_rubbish_is_refused_and_nothing_else_happens(kind: type[Record], data: bytes) -> None:
    is_refused(kind, data)


@pytest.mark.parametrize("kind", WIRE_RECORDS)
@SOME
@given(st.data())
def test_a_bent_record_is_refused_or_is_another_record(kind: type[Record], data: st.DataObject) -> None:
    bent = bytearray(encode(data.draw(strategy(kind))))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(bent) - 1))
        match data.draw(st.sampled_from(["bit", "byte", "drop", "add"])):
            case "bit":
                bent[at] ^= 1 << data.draw(st.integers(0, 7))
            case "byte":
                bent[at] = data.draw(st.integers(0, 255))
            case "drop" if len(bent) > 1:
                del bent[at]
            case _:
                bent.insert(at, data.draw(st.integers(0, 255)))
    is_refused(kind, bytes(bent))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x80",  # a map where an array belongs
        b"\x92\xc2\xc0",  # a field too many
        b"\x90",  # a field too few
        b"\x91\xc0",  # nil where yes or no belongs
        b"\x91\xc2\x00",  # something after the end
        b"\xdc\x00\x01\xc2",  # an array of one, written at length
        b"\xc0",
        b"\x00",
        b"\xc1",  # never used in MessagePack
    ],
)
def test_a_leave_is_one_short_array_and_nothing_else(data: bytes) -> None:
    assert decode(LeaveBody, b"\x91\xc2", bytes_max=10) == LeaveBody(erase=False)
    with pytest.raises(RemoteError) as caught:
        decode(LeaveBody, data, bytes_max=10)
    assert caught.value.fault is Fault.MALFORMED


def test_what_is_over_the_limit_is_not_even_looked_at() -> None:
    body = encode(UninviteBody(invite=OpId(bytes(32))))
    assert decode(UninviteBody, body, bytes_max=len(body)).invite == bytes(32)
    with pytest.raises(RemoteError) as caught:
        decode(UninviteBody, body, bytes_max=len(body) - 1)
    assert caught.value.fault is Fault.OVER_LIMIT


def test_a_record_shows_nothing_of_what_it_holds() -> None:
    post = PostBody(mode=Mode.LISTENING, cw="", topics=[], text="my secret", reply_to=b"", extras=[])
    assert "secret" not in f"{post}{post!r}{[post]}"
