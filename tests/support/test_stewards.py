"""Duty and terms: the last word of each, in whatever order it comes; each word about oneself alone."""

from hashlib import sha256
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.commands import Rank
from mesh.ids import DeviceId, MemberPk, MsgId
from mesh.support.forms import read_value
from mesh.support.statements import Said
from mesh.support.stewards import DAY_MS, off_duty, reminder, terms
from mesh.wire.codec import encode
from mesh.wire.messages import StatementBody
from mesh.wire.statements import DutyValue, Form, PledgeValue, TermValue

NOW = 1_000_000


def said(member: int, dev: int, ts_ms: int, value: DutyValue | TermValue, subject: bytes = b"") -> Said:
    """A word of one device of a member."""
    return Said(
        member=MemberPk(bytes([member]) * 32),
        dev=DeviceId(bytes([member, dev]) * 8),
        rank=Rank.STEWARD,
        ts_ms=ts_ms,
        msg_id=MsgId(sha256(repr((member, dev, ts_ms, encode(value))).encode()).digest()),
        subject=subject,
        value=value,
    )


duties = st.builds(
    said,
    st.integers(1, 3),
    st.integers(0, 1),
    st.integers(0, 200),
    st.builds(DutyValue, on=st.booleans(), until_ms=st.sampled_from((0, NOW - 1, NOW, NOW + 1))),
)


@given(st.lists(duties), st.randoms(use_true_random=False))
def test_who_is_off_duty_does_not_depend_on_the_order_nor_on_hearing_twice(words: list[Said], dice: Random) -> None:
    mixed = words * 2
    dice.shuffle(mixed)
    assert off_duty(words, NOW) == off_duty(mixed, NOW)


def test_one_is_on_duty_again_when_the_time_has_come_and_no_older_word_comes_back() -> None:
    member = MemberPk(b"\1" * 32)
    words = [
        said(1, 0, 5, DutyValue(on=False, until_ms=0)),
        said(1, 1, 6, DutyValue(on=False, until_ms=NOW)),
    ]
    assert off_duty(words, NOW - 1) == {member: NOW}
    assert off_duty(words, NOW) == {}
    assert off_duty([*words, said(1, 0, 7, DutyValue(on=False, until_ms=0))], NOW) == {member: 0}
    assert off_duty([], NOW) == {}


def test_a_term_is_that_of_the_last_word_about_the_grant() -> None:
    grant, other = b"g" * 32, b"o" * 32
    words = [
        said(1, 0, 1, TermValue(until_ms=10), grant),
        said(1, 1, 2, TermValue(until_ms=20), grant),
        said(1, 0, 3, TermValue(until_ms=30), other),
        said(2, 0, 4, TermValue(until_ms=40), grant),
    ]
    one, two = MemberPk(b"\1" * 32), MemberPk(b"\2" * 32)
    assert terms(words) == {(one, grant): 20, (one, other): 30, (two, grant): 40}
    assert terms(reversed(words)) == terms(words)


@pytest.mark.parametrize(("days", "told"), [(15.0, None), (14.0, 14), (3.5, 14), (3.0, 3), (0.0, 3), (-1.0, 3)])
def test_one_is_reminded_a_fortnight_and_three_days_ahead(days: float, told: int | None) -> None:
    end = 100 * DAY_MS
    assert reminder(end, round(end - days * DAY_MS)) == told


@pytest.mark.parametrize(
    ("form", "subject", "value"),
    [
        (Form.DUTY, b"x", encode(DutyValue(on=True, until_ms=0))),
        (Form.DUTY, b"", encode(DutyValue(on=True, until_ms=5))),
        (Form.DUTY, b"", encode(PledgeValue())),
        (Form.DUTY, b"", b"\x92\xc3\xff"),
        (Form.TERM, b"", encode(TermValue(until_ms=5))),
        (Form.TERM, b"x" * 16, encode(TermValue(until_ms=5))),
        (Form.TERM, b"x" * 32, b"\x91\x00"),
        (Form.TERM, b"x" * 32, b""),
    ],
)
def test_what_no_honest_program_says_says_nothing(form: Form, subject: bytes, value: bytes) -> None:
    assert read_value(StatementBody(form=form, subject=subject, lasts_s=0, value=value)) is None
