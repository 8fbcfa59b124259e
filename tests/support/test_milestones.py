"""Milestones: what stands follows from the set of words alone, and only its author changes it."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.commands import Rank
from mesh.errors import LocalError, RemoteError
from mesh.ids import DeviceId, MemberPk, MsgId
from mesh.support import milestones
from mesh.support.milestones import DOWN, Count
from mesh.support.slots import slot, thing_id
from mesh.support.statements import Said
from mesh.wire.codec import Record, encode
from mesh.wire.statements import CongratulationValue, Form, MilestoneValue

SINCE = date(2026, 8, 25).toordinal()


def value(text: str = "calm", *, invited: bool = True) -> MilestoneValue:
    return MilestoneValue(made_ms=1, text=text, since=SINCE, count=0, invited=invited)


def word(k: int, subject: bytes, said: Record, *, member: int = 1, dev: int = 0, ts_ms: int = 0) -> Said:
    """One statement of a member's, from their first device or another; `k` makes its id."""
    return Said(
        member=MemberPk(bytes([member]) * 32),
        dev=DeviceId(bytes([dev or member]) * 16),
        rank=Rank.FOUNDER,
        ts_ms=ts_ms,
        msg_id=MsgId(k.to_bytes(32, "big")),
        subject=subject,
        value=said,
    )


def there(number: int = 0, dev: int = 1) -> bytes:
    return slot(DeviceId(bytes([dev]) * 16), number)


def named(member: int, said: MilestoneValue) -> bytes:
    return thing_id(Form.MILESTONE, MemberPk(bytes([member]) * 32), said)


def cheer(k: int, about: bytes, member: int, *, holds: bool = True, ts_ms: int = 0) -> Said:
    text = f"from {member}" if holds else ""
    return word(k, about, CongratulationValue(holds=holds, text=text), member=member, ts_ms=ts_ms)


Sets = tuple[list[Said], list[Said]]
who, when = st.integers(1, 3), st.integers(0, 3)
values = st.sampled_from([DOWN, value(), value(invited=False), value("well")])
words = st.tuples(
    st.lists(st.tuples(who, who, when, values, st.integers(0, 1)), max_size=10).map(
        lambda rows: [word(k, there(n, of), v, member=m, ts_ms=ts) for k, (m, of, ts, v, n) in enumerate(rows)]
    ),
    st.lists(st.tuples(who, who, values, when, st.booleans()), max_size=10).map(
        lambda rows: [cheer(100 + k, named(of, v), m, holds=h, ts_ms=ts) for k, (m, of, v, ts, h) in enumerate(rows)]
    ),
)


@given(words, st.data())
def test_milestones_do_not_depend_on_the_order_nor_on_hearing_twice(sets: Sets, data: st.DataObject) -> None:
    shuffled = [data.draw(st.permutations(said)) for said in sets]
    twice = [[*said, *data.draw(st.lists(st.sampled_from(said)))] if said else [] for said in shuffled]
    assert milestones.fold(*shuffled) == milestones.fold(*sets) == milestones.fold(*twice)
    for found in milestones.fold(*sets):
        assert found.said.subject[1:] == found.said.dev
        assert found.value.invited or not found.congratulations
        assert found.said.member not in [said.member for said in found.congratulations]


def test_its_author_takes_it_down_from_any_device_of_theirs_and_nobody_else_does() -> None:
    up = word(1, there(), value(), ts_ms=1)
    assert milestones.fold([up, word(2, there(), DOWN, ts_ms=2)], []) == []
    assert milestones.fold([up, word(2, there(), DOWN, dev=7, ts_ms=2)], []) == []
    (standing,) = milestones.fold([up, word(2, there(), DOWN, member=2, ts_ms=2)], [])
    assert standing.said == up


def test_nobody_puts_one_up_for_another() -> None:
    forged = word(1, there(dev=1), value("relapsed"), member=2)
    assert milestones.fold([forged], []) == []
    (own,) = milestones.fold([forged, word(2, there(), value())], [])
    assert own.value.text == "calm"


def test_where_nobody_asked_congratulations_are_not_shown() -> None:
    for invited, count in ((True, 1), (False, 0)):
        said = value(invited=invited)
        about = named(1, said)
        (found,) = milestones.fold([word(1, there(), said)], [cheer(2, about, 2), cheer(3, about, 1)])
        assert len(found.congratulations) == count, "and nobody congratulates themself"


def test_the_last_word_of_each_who_congratulates_counts() -> None:
    about = named(1, value())
    said = [cheer(2, about, 2, ts_ms=1), cheer(3, about, 2, holds=False, ts_ms=2), cheer(4, about, 3)]
    (found,) = milestones.fold([word(1, there(), value())], said)
    assert [word.member[0] for word in found.congratulations] == [3]


@pytest.mark.parametrize(
    ("since", "count", "today", "passed"),
    [
        ("2026-08-25", Count.DAYS, "2026-11-23", 90),
        ("2026-08-25", Count.WEEKS, "2026-11-23", 12),
        ("2026-08-25", Count.MONTHS, "2026-11-24", 2),
        ("2026-08-25", Count.MONTHS, "2026-11-25", 3),
        ("2025-11-24", Count.YEARS, "2026-11-23", 0),
        ("2025-11-23", Count.YEARS, "2026-11-23", 1),
        ("2024-02-29", Count.YEARS, "2025-02-28", 0),
        ("2024-02-29", Count.YEARS, "2025-03-01", 1),
        ("2026-11-24", Count.DAYS, "2026-11-23", 0),
        ("9999-12-31", Count.YEARS, "2026-11-23", 0),
        ("0001-01-01", Count.DAYS, "0001-01-02", 1),
    ],
)
def test_it_counts_whole_days_weeks_months_and_years(since: str, count: Count, today: str, passed: int) -> None:
    days = (date.fromisoformat(day).toordinal() for day in (since, today))
    assert milestones.elapsed(next(days), count, next(days)) == passed


@pytest.mark.parametrize(
    ("subject", "said"),
    [
        (there(8), value()),
        (bytes(16), value()),
        (there(), value("a\nb")),
        (there(), value("\u202eabc")),
        (there(), value("ü" * 81)),
        (there(), MilestoneValue(made_ms=1, text="x", since=0, count=0, invited=False)),
        (there(), MilestoneValue(made_ms=1, text="", since=0, count=0, invited=False)),
        (there(), MilestoneValue(made_ms=0, text="", since=SINCE, count=0, invited=False)),
    ],
)
def test_what_no_honest_program_puts_up_says_nothing(subject: bytes, said: MilestoneValue) -> None:
    with pytest.raises(RemoteError):
        milestones.check_milestone(subject, said)


@pytest.mark.parametrize(
    ("subject", "text"), [(bytes(16), "\x07"), (bytes(16), "a\nb"), (bytes(17), ""), (bytes(16), "ü" * 81)]
)
def test_what_no_honest_program_says_to_one_says_nothing(subject: bytes, text: str) -> None:
    with pytest.raises(RemoteError):
        milestones.check_congratulation(subject, CongratulationValue(holds=True, text=text))


def test_all_that_is_taken_down_is_the_same_on_the_wire() -> None:
    milestones.check_milestone(there(), DOWN)
    assert encode(DOWN) == bytes.fromhex("9500a00000c2"), "no date, no words, no reason"


@pytest.mark.parametrize(("text", "since", "count"), [("", 0, "days"), ("x", 2, "days"), ("x", 0, "hours")])
def test_what_cannot_be_put_up_is_said_in_words(text: str, since: int, count: str) -> None:
    with pytest.raises(LocalError):
        milestones.compose(made_ms=1, text=text, since=SINCE + since, count=count, invited=False, today=SINCE)
