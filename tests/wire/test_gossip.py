"""Lists of short frame ids, as links say them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.errors import Fault, RemoteError
from mesh.ids import FrameId
from mesh.wire import limits
from mesh.wire.gossip import Pace, Rank, ShortId, pack_ids, short, unpack_ids


def ids(count: int) -> list[ShortId]:
    """Give so many ids."""
    return [short(FrameId(k.to_bytes(16, "big") + bytes(16))) for k in range(count)]


def test_flag_and_ids_come_back() -> None:
    (payload,) = pack_ids(Pace.WAIT, ids(3))
    assert payload.hex() == "01" + "".join(f"{k:032x}" for k in range(3))
    assert unpack_ids(payload, tuple(Pace)) == (Pace.WAIT, ids(3))


def test_long_lists_are_cut() -> None:
    payloads = pack_ids(0, ids(limits.SHORT_IDS_MAX + 1))
    assert [len(unpack_ids(payload, (0,))[1]) for payload in payloads] == [limits.SHORT_IDS_MAX, 1]
    assert pack_ids(0, []) == []


def test_the_same_id_twice_counts_once() -> None:
    assert unpack_ids(b"\0" + bytes(32), (0,)) == (0, [bytes(16)])


@pytest.mark.parametrize(
    "payload",
    [b"", b"\0", b"\0" + bytes(15), b"\0" + bytes(17), b"\3" + bytes(16), bytes(1 + 16 * (limits.SHORT_IDS_MAX + 1))],
    ids=["empty", "none", "short", "long", "flag", "many"],
)
def test_what_is_no_list_is_refused(payload: bytes) -> None:
    with pytest.raises(RemoteError) as caught:
        unpack_ids(payload, (Rank.FIRST, Rank.SPARE, 0))
    assert caught.value.fault is Fault.MALFORMED


@pytest.mark.property
@given(st.binary(max_size=100))
def test_any_bytes_are_a_list_or_a_fault(payload: bytes) -> None:
    try:
        flag, found = unpack_ids(payload, (0, 1))
    except RemoteError:
        return
    assert flag in {0, 1}
    assert all(len(each) == 16 for each in found)
