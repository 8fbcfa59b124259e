"""Pledges: a fold that no order changes, and what changed between two texts, said line by line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.commands import Rank
from mesh.errors import Fault, RemoteError
from mesh.ids import DeviceId, MemberPk, MsgId
from mesh.support.forms import read_value
from mesh.support.pledges import LINES_MAX, changes, check, fold
from mesh.support.statements import Said
from mesh.wire.codec import encode
from mesh.wire.messages import StatementBody
from mesh.wire.statements import Form, PledgeValue

TEXTS = [bytes([k]) * 32 for k in range(3)]


def said(member: int, text: int, ts_ms: int = 0) -> Said:
    """A pledge."""
    return Said(
        member=MemberPk(bytes([member]) * 32),
        dev=DeviceId(bytes([member]) * 16),
        rank=Rank.MEMBER,
        ts_ms=ts_ms,
        msg_id=MsgId(bytes(32)),
        subject=TEXTS[text],
        value=PledgeValue(),
    )


@given(st.lists(st.builds(said, st.integers(1, 5), st.integers(0, 2), st.integers(0, 9))), st.randoms())
def test_who_has_said_yes_does_not_depend_on_the_order_nor_on_hearing_twice(words: list[Said], dice: object) -> None:
    mixed = sorted(words * 2, key=lambda word: hash((id(dice), word.ts_ms, word.member)))
    assert fold(words) == fold(mixed)
    assert fold(words) == {
        text: frozenset(w.member for w in words if w.subject == text) for text in {w.subject for w in words}
    }


@pytest.mark.parametrize("subject", [b"", b"x" * 16, b"x" * 31])
def test_a_pledge_to_no_text_says_nothing(subject: bytes) -> None:
    with pytest.raises(RemoteError) as caught:
        check(subject, PledgeValue())
    assert caught.value.fault is Fault.MALFORMED
    body = StatementBody(form=Form.PLEDGE, subject=subject, lasts_s=0, value=encode(PledgeValue()))
    assert read_value(body) is None


@pytest.mark.parametrize("value", [b"", b"\xc0", b"\x91\xc3", b"\xff" * 64])
def test_a_value_that_is_none_says_nothing(value: bytes) -> None:
    assert read_value(StatementBody(form=Form.PLEDGE, subject=TEXTS[0], lasts_s=0, value=value)) is None


@pytest.mark.parametrize(
    ("before", "now", "told"),
    [
        ("Be kind.", "Be kind.\n", []),
        ("Be kind.", "Be kind.\nStay.", [("+", "Stay.")]),
        ("Be kind.\nStay.", "Stay.", [("-", "Be kind.")]),
        ("a\nBe kind.\nb", "a\nBe kinder.\nb", [("-", "Be kind."), ("+", "Be kinder.")]),
        ("", "Be kind.", [("+", "Be kind.")]),
    ],
)
def test_what_changed_is_said_line_by_line(before: str, now: str, told: list[tuple[str, str]]) -> None:
    assert changes(before, now) == told


def test_texts_that_take_too_long_are_not_compared() -> None:
    many = "\n".join("a" for _ in range(LINES_MAX + 1))
    assert changes("a", many) is None
    assert changes(many, "a") is None


@given(st.text("ab\n", max_size=80), st.text("ab\n", max_size=80))
def test_whoever_puts_in_what_came_and_takes_out_what_went_has_the_new_text(before: str, now: str) -> None:
    told = changes(before, now)
    assert told is not None
    old, new = ([line for line in text.splitlines() if line] for text in (before, now))
    rest = list(old)
    for sign, line in told:
        if sign == "-":
            rest.remove(line)
    assert sorted(rest + [line for sign, line in told if sign == "+"]) == sorted(new)
