"""The shelf: what stands there follows from the set of words alone; nobody puts up or takes off what is another's."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.commands import Rank
from mesh.errors import LocalError, RemoteError
from mesh.ids import DeviceId, MemberPk, MsgId
from mesh.support import shelf
from mesh.support.slots import check_slot, first_free, slot, thing_id
from mesh.support.statements import Said
from mesh.wire import limits
from mesh.wire.codec import Record, encode
from mesh.wire.statements import Form, HelpedValue, ResourceValue, RetirementValue


def value(title: str = "Nights", **more: object) -> ResourceValue:
    """A resource; `more`: what is not as usual."""
    usual = ResourceValue(made_ms=1, title=title, note="", link="", text="Breathe.", language="", review_by=0)
    return ResourceValue(**{name: getattr(usual, name) for name in usual.__struct_fields__} | more)


def word(k: int, subject: bytes, said: Record, *, member: int = 1, rank: Rank = Rank.MEMBER, ts_ms: int = 0) -> Said:
    """One statement of a member's; `k` makes its id."""
    return Said(
        member=MemberPk(bytes([member]) * 32),
        dev=DeviceId(bytes([member]) * 16),
        rank=rank,
        ts_ms=ts_ms,
        msg_id=MsgId(k.to_bytes(32, "big")),
        subject=subject,
        value=said,
    )


def there(number: int = 0, member: int = 1) -> bytes:
    """A slot of a member's only device."""
    return slot(DeviceId(bytes([member]) * 16), number)


def named(member: int, said: ResourceValue) -> bytes:
    """The id of what a member put up."""
    return thing_id(Form.RESOURCE, MemberPk(bytes([member]) * 32), said)


Sets = tuple[list[Said], list[Said], list[Said]]
who, when = st.integers(1, 3), st.integers(0, 3)
ids = st.builds(named, who, st.sampled_from("ab").map(value))
words = st.tuples(
    st.lists(st.tuples(who, who, when, st.sampled_from("ab"), st.integers(0, 1)), max_size=10).map(
        lambda rows: [word(k, there(n, of), value(t), member=m, ts_ms=ts) for k, (m, of, ts, t, n) in enumerate(rows)]
    ),
    st.lists(st.tuples(who, ids, st.sampled_from([Rank.MODERATOR, Rank.MEMBER])), max_size=4).map(
        lambda rows: [word(100 + k, i, RetirementValue(), member=m, rank=r) for k, (m, i, r) in enumerate(rows)]
    ),
    st.lists(st.tuples(who, ids, when, st.booleans()), max_size=10).map(
        lambda rows: [
            word(200 + k, i, HelpedValue(holds=h), member=m, ts_ms=ts) for k, (m, i, ts, h) in enumerate(rows)
        ]
    ),
)


@given(words, st.data())
def test_the_shelf_does_not_depend_on_the_order_nor_on_hearing_twice(sets: Sets, data: st.DataObject) -> None:
    shuffled = [data.draw(st.permutations(said)) for said in sets]
    twice = [[*said, *data.draw(st.lists(st.sampled_from(said)))] if said else [] for said in shuffled]
    assert shelf.fold(*shuffled) == shelf.fold(*sets) == shelf.fold(*twice)
    for standing in shelf.fold(*sets):
        assert standing.said.subject[1:] == standing.said.dev, "each stands in a slot of its author's"


def test_it_is_listed_in_the_order_in_which_it_was_put_up_whatever_helped_whom() -> None:
    first, second = word(9, there(1), value("first"), ts_ms=1), word(1, there(0), value("second"), ts_ms=2)
    liked = [word(20 + m, named(1, value("second")), HelpedValue(holds=True), member=m) for m in range(2, 9)]
    found = shelf.fold([second, first], [], liked)
    assert [(there.value.title, len(there.helped)) for there in found] == [("first", 0), ("second", 7)]


@pytest.mark.parametrize(
    ("member", "rank", "stands"),
    [(1, Rank.MEMBER, 0), (2, Rank.MEMBER, 1), (2, Rank.MODERATOR, 0), (2, Rank.FOUNDER, 0)],
)
def test_its_author_or_a_moderator_retires_it_and_nobody_else(member: int, rank: Rank, stands: int) -> None:
    up = word(1, there(), value(), ts_ms=5)
    off = word(2, named(1, value()), RetirementValue(), member=member, rank=rank, ts_ms=1)
    assert len(shelf.fold([up], [off], [])) == stands
    assert len(shelf.fold([up, word(3, there(), value(), ts_ms=9)], [off], [])) == stands, "nor put up again as it was"


def test_what_is_put_in_a_slot_anew_is_another_and_takes_nothing_over() -> None:
    helped = word(3, named(1, value()), HelpedValue(holds=True), member=2)
    found = shelf.fold([word(1, there(), value()), word(2, there(), value("Days"), ts_ms=1)], [], [helped])
    assert [(standing.value.title, standing.helped) for standing in found] == [("Days", frozenset())]


def test_nobody_puts_something_in_a_slot_of_another_or_under_its_id() -> None:
    up = word(1, there(), value())
    over = word(2, there(), value("Mine now"), member=2, ts_ms=5)
    copy = word(3, there(member=2), value(), member=2, ts_ms=5)
    found = shelf.fold([up, over, copy], [], [])
    assert [(standing.said, standing.value.title) for standing in found] == [(up, "Nights"), (copy, "Nights")]
    assert found[0].id != found[1].id


def test_it_is_overdue_after_its_day_and_not_on_it() -> None:
    (standing,) = shelf.fold([word(1, there(), value(review_by=740_000))], [], [])
    assert [standing.is_overdue(day) for day in (739_999, 740_000, 740_001)] == [False, False, True]
    (never,) = shelf.fold([word(1, there(), value())], [], [])
    assert not never.is_overdue(3_652_059)


@pytest.mark.parametrize(
    "more",
    [
        {"text": ""},
        {"title": "a\nb"},
        {"title": "\u200b"},
        {"note": "\x1b[2J"},
        {"text": "\u202eabc"},
        {"text": "ü" * 1025},
        {"link": "javascript:alert(1)"},
        {"link": "https://"},
        {"link": "https://exаmple.org"},  # a Cyrillic letter, which is the point
        {"link": "https://a b"},
        {"link": "https://a\n"},
        {"language": "English, please"},
        {"language": "en\n"},
    ],
)
def test_what_no_honest_program_puts_up_says_nothing(more: dict[str, str]) -> None:
    with pytest.raises(RemoteError):
        shelf.check_resource(there(), value(**more))


@pytest.mark.parametrize("subject", [b"", bytes(16), bytes(18), bytes([limits.RESOURCES_MAX]) + bytes(16)])
def test_there_are_so_many_slots_and_no_more(subject: bytes) -> None:
    with pytest.raises(RemoteError):
        check_slot(subject, limits.RESOURCES_MAX)


def test_slots_fill_from_the_first_free_one() -> None:
    dev = DeviceId(bytes(16))
    assert first_free(dev, [], 2) == slot(dev, 0)
    assert first_free(dev, [slot(dev, 0), slot(DeviceId(b"x" * 16), 1)], 2) == slot(dev, 1)
    assert first_free(dev, [slot(dev, 0), slot(dev, 1)], 2) is None


@pytest.mark.parametrize(
    ("link", "text", "language", "title"),
    [
        ("", "", "", "x"),
        ("ftp://x", "", "", "x"),
        ("", "t", "english", "x"),
        ("", "t", "", " "),
        ("", "t" * 2049, "", "x"),
    ],
)
def test_what_cannot_be_put_up_is_said_in_words(link: str, text: str, language: str, title: str) -> None:
    with pytest.raises(LocalError):
        shelf.compose(made_ms=1, title=title, note="", link=link, text=text, language=language, review_by=0)


def test_the_largest_fits_a_statement() -> None:
    most = shelf.compose(
        made_ms=2**53 - 1,
        title="t" * limits.RESOURCE_TITLE_BYTES_MAX,
        note="n" * limits.RESOURCE_NOTE_BYTES_MAX,
        link="https://" + "l" * (limits.LINK_BYTES_MAX - 8),
        text="t" * limits.RESOURCE_TEXT_BYTES_MAX,
        language="zh-Hant-TW",
        review_by=3_652_059,
    )
    shelf.check_resource(there(), most)
    assert len(encode(most)) <= limits.STATEMENT_VALUE_BYTES_MAX
    said = word(1, there(), most)
    assert shelf.fold([replace(said, waits=True)], [], [])[0].said.waits
