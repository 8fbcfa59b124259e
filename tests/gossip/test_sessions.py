"""Sessions: what one end seals opens at the other end of this very link, in this direction, and nowhere else."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.errors import Fault, RemoteError
from mesh.gossip.sessions import Ends, half_session, pack, proof_statement, tag_of, unpack
from mesh.ids import DeviceId, GroupId, OpId, PeerId
from mesh.wire.invites import FrontierEntry
from mesh.wire.sessions import AnsweredBody, SessionBody, Span, StateBody, WantMessagesBody, WantOpsBody

HERE = Ends(speaker_nonce=b"a" * 32, hearer_nonce=b"b" * 32, speaker=PeerId("alice"), hearer=PeerId("bob"))
ELSEWHERE = [
    Ends(speaker_nonce=b"a" * 32, hearer_nonce=b"c" * 32, speaker=PeerId("alice"), hearer=PeerId("bob")),
    Ends(speaker_nonce=b"c" * 32, hearer_nonce=b"b" * 32, speaker=PeerId("alice"), hearer=PeerId("bob")),
    Ends(speaker_nonce=b"a" * 32, hearer_nonce=b"b" * 32, speaker=PeerId("mallory"), hearer=PeerId("bob")),
    Ends(speaker_nonce=b"a" * 32, hearer_nonce=b"b" * 32, speaker=PeerId("alice"), hearer=PeerId("mallory")),
    HERE.turned(),
]
KEY, TAG, NONCE = b"k" * 32, b"t" * 8, b"n" * 24


def test_the_other_end_opens_it() -> None:
    sealed = half_session(TAG, KEY, HERE).seal(NONCE, b"hello")
    assert tag_of(sealed) == TAG
    assert half_session(TAG, KEY, HERE.turned().turned()).open(sealed) == b"hello"


@pytest.mark.parametrize("ends", ELSEWHERE)
def test_no_other_link_and_no_other_direction_does(ends: Ends) -> None:
    sealed = half_session(TAG, KEY, HERE).seal(NONCE, b"hello")
    with pytest.raises(RemoteError) as caught:
        half_session(TAG, KEY, ends).open(sealed)
    assert caught.value.fault is Fault.UNREADABLE


def test_nor_another_epochs_key_nor_another_tag() -> None:
    sealed = half_session(TAG, KEY, HERE).seal(NONCE, b"hello")
    for half in (half_session(TAG, b"K" * 32, HERE), half_session(b"T" * 8, KEY, HERE)):
        with pytest.raises(RemoteError):
            half.open(sealed)


def test_a_proof_is_bound_to_the_group_and_the_link() -> None:
    one, other = GroupId(b"g" * 32), GroupId(b"G" * 32)
    statements = [proof_statement(gid, ends) for gid in (one, other) for ends in (HERE, *ELSEWHERE)]
    assert len(set(statements)) == len(statements)


def test_a_session_does_not_show_its_key() -> None:
    assert "kkk" not in repr(half_session(TAG, KEY, HERE))


BODIES: list[SessionBody] = [
    StateBody(
        heads=[OpId(b"h" * 32)], frontier=[FrontierEntry(dev=DeviceId(b"d" * 16), contiguous=3, beyond=[[5, 6]])]
    ),
    WantOpsBody(heads=[]),
    WantMessagesBody(ticket=7, spans=[Span(dev=DeviceId(b"d" * 16), first=1, last=2)]),
    AnsweredBody(ticket=7, closed=[]),
]


@pytest.mark.parametrize("body", BODIES)
def test_what_is_packed_is_unpacked(body: SessionBody) -> None:
    assert unpack(pack(body)) == body


@pytest.mark.parametrize("plain", [b"", b"\0", b"\x63", b"\1", b"\1\x92\x90", b"\4\x92\xff\x90"])
def test_what_makes_no_sense_is_malformed(plain: bytes) -> None:
    with pytest.raises(RemoteError) as caught:
        unpack(plain)
    assert caught.value.fault is Fault.MALFORMED


@given(st.binary(max_size=300))
def test_no_bytes_break_it(payload: bytes) -> None:
    for read in (tag_of, unpack, half_session(TAG, KEY, HERE).open):
        with suppress(RemoteError):
            read(payload)
