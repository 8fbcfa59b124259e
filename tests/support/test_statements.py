"""Flags: who flags what follows from the set of words alone, and how many fold a post from how many there are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.commands import Rank
from mesh.errors import RemoteError
from mesh.ids import DeviceId, MemberPk, MsgId
from mesh.support import flags, pins
from mesh.support.forms import FORMS, form_name, read_value
from mesh.support.statements import Said, newest
from mesh.wire.codec import Record, encode
from mesh.wire.messages import StatementBody
from mesh.wire.statements import FlagValue, Form, PinValue
from tests.wire.records import strategy

POSTS = [bytes([k]) * 16 for k in range(12)]


def word(k: int, value: Record, *, member: int = 1, post: int = 0, ts_ms: int = 0) -> Said:
    """One statement of a member's; `k` makes its id."""
    return Said(
        member=MemberPk(bytes([member]) * 32),
        dev=DeviceId(bytes([member]) * 16),
        rank=Rank.MODERATOR,
        ts_ms=ts_ms,
        msg_id=MsgId(k.to_bytes(32, "big")),
        subject=POSTS[post],
        value=value,
    )


def words(value: type[FlagValue] | type[PinValue]) -> st.SearchStrategy[list[Said]]:
    """Words of a few members on a few posts, at times that often are the same."""
    drawn = st.tuples(st.booleans(), st.integers(1, 4), st.integers(0, 11), st.integers(0, 3))
    return st.lists(drawn, max_size=20).map(
        lambda rows: [word(k, value(holds=h), member=m, post=p, ts_ms=t) for k, (h, m, p, t) in enumerate(rows)]
    )


@given(words(FlagValue), st.data())
def test_flags_do_not_depend_on_the_order_nor_on_hearing_twice(said: list[Said], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(said))
    assert flags.fold(shuffled) == flags.fold(said) == flags.fold([*said, *shuffled])


@given(words(PinValue), st.data())
def test_pins_do_not_depend_on_the_order_nor_on_hearing_twice(said: list[Said], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(said))
    assert pins.fold(shuffled) == pins.fold(said) == pins.fold([*said, *shuffled])
    assert len(pins.fold(said)) <= pins.SHOWN_MAX


def test_what_was_said_again_stands_where_it_was_said_last() -> None:
    yes = PinValue(holds=True)
    said = [word(1, yes, post=1, ts_ms=1), word(2, yes, post=2, ts_ms=2), word(3, yes, post=1, ts_ms=3)]
    assert list(newest(said, lambda one: one.subject)) == [POSTS[2], POSTS[1]]


def test_the_last_word_of_each_counts_by_its_time_and_then_by_its_id() -> None:
    yes, no = FlagValue(holds=True), FlagValue(holds=False)
    said = [
        word(9, yes, ts_ms=1),
        word(1, no, ts_ms=2),
        word(3, yes, member=2, ts_ms=5),
        word(2, no, member=2, ts_ms=5),
    ]
    assert flags.fold(said) == {POSTS[0]: {MemberPk(bytes([2]) * 32)}}


def test_of_many_pins_the_newest_stand_first() -> None:
    said = [word(k, PinValue(holds=True), member=k % 2, post=k, ts_ms=k) for k in range(12)]
    assert [pin.subject for pin in pins.fold(said)] == POSTS[:3:-1]
    said.append(word(50, PinValue(holds=False), post=11, ts_ms=50))
    assert [pin.subject for pin in pins.fold(said)] == POSTS[10:2:-1]


@pytest.mark.parametrize(
    ("others", "needed"), [(0, 2), (1, 2), (7, 2), (8, 2), (9, 3), (12, 3), (13, 4), (36, 9), (37, 10), (999, 10)]
)
def test_one_in_four_fold_a_post_two_at_the_least_and_ten_at_the_most(others: int, needed: int) -> None:
    assert flags.needed(others) == needed


def test_what_makes_no_sense_in_its_form_says_nothing() -> None:
    good = StatementBody(form=Form.FLAG, subject=bytes(16), lasts_s=0, value=encode(FlagValue(holds=True)))
    assert read_value(good) == FlagValue(holds=True)
    for body in (
        StatementBody(form=Form.FLAG, subject=bytes(15), lasts_s=0, value=good.value),
        StatementBody(form=Form.FLAG, subject=bytes(16), lasts_s=0, value=good.value + b"\0"),
        StatementBody(form=999, subject=bytes(16), lasts_s=0, value=good.value),
    ):
        assert read_value(body) is None
    with pytest.raises(RemoteError):
        flags.check_post(b"", FlagValue(holds=True))


@pytest.mark.parametrize("form", sorted(FORMS))
@given(st.data())
def test_any_bytes_are_a_value_or_nothing(form: int, data: st.DataObject) -> None:
    rules = FORMS[form]
    value = data.draw(st.binary(max_size=64) | strategy(rules.value).map(encode))
    subject = data.draw(st.sampled_from([b"", bytes(16), bytes(17), bytes(32)]))
    read = read_value(StatementBody(form=form, subject=subject, lasts_s=0, value=value))
    assert read is None or encode(read) == value


def test_forms_have_names() -> None:
    assert [form_name(form) for form in (1, 2, 3, 9999)] == ["flag", "pin", "meeting", "9999"]
