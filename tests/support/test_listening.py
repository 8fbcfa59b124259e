"""Offers to listen: who offers does not depend on the order of hearing, and hostile values say nothing."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.commands import Rank
from mesh.errors import RemoteError
from mesh.ids import DeviceId, MemberPk, MsgId
from mesh.support.forms import read_value
from mesh.support.listening import NO_OFFER, check_offer, compose, fold
from mesh.support.statements import Said
from mesh.wire.codec import encode
from mesh.wire.messages import StatementBody
from mesh.wire.statements import Form, ListenerValue


def said(member: int, ts_ms: int, value: ListenerValue) -> Said:
    pk = MemberPk(bytes([member]) * 32)
    return Said(
        member=pk,
        dev=DeviceId(bytes([member]) * 16),
        rank=Rank.MEMBER,
        ts_ms=ts_ms,
        msg_id=MsgId(bytes([member, ts_ms]) * 16),
        subject=b"",
        value=value,
    )


VALUES = st.sampled_from([NO_OFFER, compose(topics=(), start=0, end=0), compose(topics=("sleep",), start=60, end=120)])
WORDS = st.lists(
    st.builds(said, st.integers(1, 3), st.integers(0, 5), VALUES), max_size=8, unique_by=lambda w: w.msg_id
)


@given(WORDS, st.randoms())
def test_who_offers_does_not_depend_on_the_order_nor_on_hearing_twice(words: list[Said], chance: Random) -> None:
    mixed = [*words, *words[:2]]
    chance.shuffle(mixed)
    assert fold(mixed) == fold(words)


def test_the_last_word_of_each_holds() -> None:
    offer = compose(topics=("sleep",), start=0, end=0)
    found = fold([said(1, 1, offer), said(1, 2, NO_OFFER), said(2, 1, NO_OFFER), said(2, 2, offer)])
    assert list(found) == [MemberPk(bytes([2]) * 32)]


@pytest.mark.parametrize(
    ("subject", "value"),
    [
        (b"x", compose(topics=(), start=0, end=0)),
        (b"", ListenerValue(holds=False, topics=["sleep"], start=0, end=0)),
        (b"", ListenerValue(holds=True, topics=["a", "a"], start=0, end=0)),
        (b"", ListenerValue(holds=True, topics=["\u202e"], start=0, end=0)),
    ],
)
def test_what_no_honest_program_offers_says_nothing(subject: bytes, value: ListenerValue) -> None:
    with pytest.raises(RemoteError):
        check_offer(subject, value)
    body = StatementBody(form=Form.LISTENER, subject=subject, lasts_s=0, value=encode(value))
    assert read_value(body) is None


@pytest.mark.parametrize("raw", [b"", b"\xc0", encode(NO_OFFER)[:-1], b"\x94\xc3\x90\xcd\xff\xff\x00"])
def test_rubbish_says_nothing(raw: bytes) -> None:
    assert read_value(StatementBody(form=Form.LISTENER, subject=b"", lasts_s=0, value=raw)) is None
