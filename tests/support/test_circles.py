"""Circles: how one stands follows from the set of words alone; nobody moves it on without right; no turn is lost."""

from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesh.commands import Rank
from mesh.errors import LocalError, RemoteError
from mesh.ids import DeviceId, MemberPk, MsgId, PostId
from mesh.support import circle_forms, circles
from mesh.support.circle_forms import check_circle, check_closing, check_move, check_turn
from mesh.support.circles import FORMS_OF_CIRCLES, SLACK_MS, Circle, End, Phase, Turn, in_round, seat
from mesh.support.slots import slot, thing_id
from mesh.support.statements import Said
from mesh.wire.codec import Record
from mesh.wire.statements import (
    CircleValue,
    ClosingValue,
    Form,
    MoveValue,
    SeatValue,
    StartValue,
    TurnValue,
)

WREN, JUNIPER, SORREL, TANSY, ALDER = (MemberPk(bytes([k]) * 32) for k in range(1, 6))
ALL = frozenset({WREN, JUNIPER, SORREL, TANSY, ALDER})
MIN = 60_000
TURN_S = 300
_numbers = count(1)


def value(*, rounds: int = 1, turn_s: int = TURN_S, question: str = "What helped?", made_ms: int = 0) -> CircleValue:
    return CircleValue(made_ms=made_ms, question=question, turn_s=turn_s, rounds=rounds, lasts_s=7200)


ONE = thing_id(Form.CIRCLE, WREN, value())


def word(member: MemberPk, ts_ms: int, subject: bytes, said: Record, *, rank: Rank = Rank.MEMBER, k: int = 0) -> Said:
    """One statement of a member's only device."""
    return Said(
        member=member,
        dev=DeviceId(member[:16]),
        rank=rank,
        ts_ms=ts_ms,
        msg_id=MsgId((k or next(_numbers)).to_bytes(32, "big")),
        subject=subject,
        value=said,
    )


class Table:
    """What was said of a circle that wren opened, to be added to."""

    def __init__(self, *, rounds: int = 1, id_: bytes | None = None) -> None:
        opened = value(rounds=rounds)
        self.id = id_ or thing_id(Form.CIRCLE, WREN, opened)
        self.said: dict[Form, list[Said]] = {form: [] for form in FORMS_OF_CIRCLES}
        self.said[Form.CIRCLE].append(word(WREN, 0, slot(DeviceId(WREN[:16]), 0), opened))

    def joins(self, ts_ms: int, *members: MemberPk, holds: bool = True) -> "Table":
        for member in members:
            self.said[Form.SEAT].append(word(member, ts_ms, self.id, SeatValue(holds=holds)))
        return self

    def starts(self, ts_ms: int, *order: MemberPk, by: MemberPk = WREN, rank: Rank = Rank.MEMBER) -> "Table":
        self.said[Form.START].append(word(by, ts_ms, self.id, circle_forms.compose_start(order), rank=rank))
        return self

    def says(self, ts_ms: int, member: MemberPk, post: bytes = b"", *, number: int = 1) -> "Table":
        self.said[Form.TURN].append(word(member, ts_ms, in_round(self.id, number), TurnValue(post=post)))
        return self

    def moves(
        self, ts_ms: int, past: MemberPk, *, by: MemberPk = WREN, again: bool = False, rank: Rank = Rank.MEMBER
    ) -> "Table":
        about = seat(self.id, Turn(member=past, round=1, again=again, begun_ms=0))
        self.said[Form.MOVE].append(word(by, ts_ms, about, MoveValue(), rank=rank))
        return self

    def closes(self, ts_ms: int, by: MemberPk = WREN, text: str = "", *, rank: Rank = Rank.MEMBER) -> "Table":
        self.said[Form.CLOSING].append(word(by, ts_ms, self.id, ClosingValue(text=text), rank=rank))
        return self

    def stands(self, wall_ms: int = 60 * MIN, present: frozenset[MemberPk] = ALL) -> Circle:
        (found,) = circles.fold(self.said, present, wall_ms)
        return found


def five(*, rounds: int = 1) -> Table:
    """A circle of five that has begun, wren speaking."""
    table = Table(rounds=rounds).joins(1 * MIN, JUNIPER, SORREL, TANSY, ALDER)
    return table.starts(2 * MIN, WREN, JUNIPER, SORREL, TANSY, ALDER)


def post(k: int) -> PostId:
    return PostId(bytes([k]) * 16)


def test_one_speaks_after_the_other_in_the_order_that_the_start_names_and_passing_is_a_turn() -> None:
    table = Table().joins(1 * MIN, SORREL).joins(2 * MIN, JUNIPER)
    before = table.stands()
    assert (before.phase, before.order, before.speaking) == (Phase.OPEN, (WREN, SORREL, JUNIPER), None)
    table.starts(3 * MIN, JUNIPER, WREN, SORREL)
    turn = table.stands().speaking
    assert turn is not None
    assert (turn.member, turn.begun_ms) == (JUNIPER, 3 * MIN)
    table.says(4 * MIN, JUNIPER, post(1)).says(5 * MIN, WREN)
    circle = table.stands()
    assert circle.speaking is not None
    assert (circle.speaking.member, set(circle.spoke), set(circle.passed)) == (SORREL, {JUNIPER}, {WREN})
    done = table.says(6 * MIN, SORREL, post(2)).stands()
    assert (done.phase, done.finished_ms) == (Phase.CLOSING, 6 * MIN)
    over = table.closes(7 * MIN, text="Go well.").stands()
    assert (over.phase, over.over_ms) == (Phase.CLOSED, 7 * MIN)


def test_who_is_away_keeps_a_slot_at_the_end_and_comes_back_to_it() -> None:
    table = five().says(3 * MIN, WREN, post(1)).moves(4 * MIN, JUNIPER)
    circle = table.stands()
    assert circle.speaking is not None
    assert (circle.speaking.member, circle.away, circle.to_come) == (SORREL, (JUNIPER,), (TANSY, ALDER))
    table.says(5 * MIN, SORREL).says(6 * MIN, TANSY, post(2)).says(7 * MIN, ALDER)
    circle = table.stands()
    assert circle.speaking is not None
    assert (circle.speaking.member, circle.speaking.again) == (JUNIPER, True)
    table.says(8 * MIN, JUNIPER, post(3))
    circle = table.stands()
    assert circle.phase is Phase.CLOSING
    assert not circle.is_out_of_turn(JUNIPER, post(3), 8 * MIN)


def test_who_is_away_at_the_end_too_has_missed_it_and_the_circle_goes_on() -> None:
    table = Table().joins(1 * MIN, JUNIPER).starts(2 * MIN, WREN, JUNIPER)
    table.moves(3 * MIN, WREN).says(4 * MIN, JUNIPER, post(1)).moves(5 * MIN, WREN, again=True)
    circle = table.stands()
    assert (circle.phase, circle.missed) == (Phase.CLOSING, (WREN,))
    assert [turn.end for turn in circle.turns] == [End.AWAY, End.SAID, End.MISSED]


def test_others_in_it_move_it_on_once_the_timer_is_over_and_no_sooner() -> None:
    begun = 2 * MIN
    for ts_ms, speaks in ((begun + TURN_S * 1000 - 1, WREN), (begun + TURN_S * 1000, JUNIPER)):
        turn = five().moves(ts_ms, WREN, by=SORREL).stands().speaking
        assert turn is not None
        assert turn.member == speaks


def test_of_several_who_move_it_on_the_first_does_in_whatever_order_they_are_heard() -> None:
    for first, second in ((8, 9), (9, 8)):
        table = five().moves(first * MIN, WREN, by=SORREL).moves(second * MIN, WREN, by=TANSY)
        assert [turn.begun_ms for turn in table.stands().turns] == [2 * MIN, 8 * MIN]


@pytest.mark.parametrize(("rank", "moved"), [(Rank.MODERATOR, True), (Rank.STEWARD, True), (Rank.MEMBER, False)])
def test_a_moderator_moves_it_on_and_closes_it_though_another_opened_it(rank: Rank, moved: bool) -> None:
    other = MemberPk(bytes(32))
    turn = five().moves(3 * MIN, WREN, by=other, rank=rank).stands().speaking
    assert turn is not None
    assert (turn.member == JUNIPER) is moved
    assert (five().closes(3 * MIN, other, rank=rank).stands().phase is Phase.CLOSED) is moved
    begun = Table().joins(1, JUNIPER).starts(2, WREN, JUNIPER, by=other, rank=rank).stands()
    assert (begun.phase is Phase.RUNNING) is moved


def test_others_in_it_close_it_when_all_have_had_their_turn_and_the_timer_is_over() -> None:
    table = Table().joins(1, JUNIPER).starts(2, WREN, JUNIPER).says(3, WREN).says(4, JUNIPER)
    due = 4 + TURN_S * 1000
    assert table.closes(due - 1, JUNIPER).stands().phase is Phase.CLOSING
    assert table.closes(due + MIN, TANSY).stands().phase is Phase.CLOSING, "who does not sit in it cannot"
    assert table.closes(due + 2 * MIN, JUNIPER).stands().phase is Phase.CLOSED
    table.joins(due + 3 * MIN, ALDER)
    assert table.stands().phase is Phase.CLOSED, "who joins after that does not open it again"


def test_it_ends_by_itself_and_no_word_after_that_changes_it() -> None:
    table = five().closes(7200_000, text="too late")
    assert table.stands(7200_000 - 1).phase is Phase.RUNNING
    circle = table.stands(7200_000)
    assert (circle.phase, circle.closing, circle.over_ms) == (Phase.CLOSED, None, 7200_000)


def test_nobody_holds_a_circle_alone() -> None:
    assert Table().starts(2, WREN, WREN, WREN).stands().phase is Phase.OPEN
    assert Table().starts(2, WREN, SORREL).stands().phase is Phase.OPEN, "sorrel has not joined"


def test_who_left_drops_out_and_what_they_said_stays_theirs() -> None:
    table = five().says(3 * MIN, WREN, post(1))
    for gone in (table.stands(present=ALL - {JUNIPER, WREN}), table.joins(4 * MIN, JUNIPER, holds=False).stands()):
        assert gone.speaking is not None
        assert gone.speaking.member == SORREL
        assert gone.turns[0].member == WREN
        assert not gone.is_out_of_turn(WREN, post(1), 3 * MIN)


def test_who_joins_late_speaks_after_the_others_and_once() -> None:
    table = Table(rounds=2).joins(1, JUNIPER).starts(2, WREN, JUNIPER).joins(3, SORREL)
    for number, ts_ms in ((1, 10), (2, 20)):
        table.says(ts_ms, WREN, post(number), number=number).says(ts_ms + 1, JUNIPER, number=number)
    turn = table.stands().speaking
    assert turn is not None
    assert (turn.member, turn.round) == (SORREL, 2)
    assert table.says(30, SORREL, post(9), number=2).stands().phase is Phase.CLOSING


def test_a_join_that_is_dated_back_takes_nobodys_place() -> None:
    table = five().joins(-5 * MIN, mallory := MemberPk(b"\x66" * 32))
    circle = table.stands(present=ALL | {mallory})
    assert (circle.order[0], circle.order[-1]) == (WREN, mallory)


def test_there_are_as_many_rounds_as_it_was_opened_with() -> None:
    table = Table(rounds=2).joins(1, JUNIPER).starts(2, WREN, JUNIPER)
    table.says(3, WREN, post(1)).says(4, JUNIPER, post(2))
    circle = table.stands()
    assert (circle.phase, circle.round, circle.spoke) == (Phase.RUNNING, 2, frozenset())
    assert table.says(5, WREN, number=2).says(6, JUNIPER, number=2).stands().phase is Phase.CLOSING


def test_who_speaks_before_their_turn_has_had_it_and_is_shown_as_out_of_turn_until_it_is_over() -> None:
    table = five().says(3 * MIN, ALDER, post(7))
    circle = table.stands()
    assert circle.speaking is not None
    assert circle.speaking.member == WREN, "and does not move it on"
    assert circle.is_out_of_turn(ALDER, post(7), 3 * MIN)
    assert ALDER not in circle.to_come
    table.says(4 * MIN, WREN).says(5 * MIN, JUNIPER).says(6 * MIN, SORREL).says(7 * MIN, TANSY)
    circle = table.stands()
    assert circle.phase is Phase.CLOSING
    assert circle.is_out_of_turn(ALDER, post(7), 3 * MIN)
    assert not table.closes(8 * MIN).stands().is_out_of_turn(ALDER, post(7), 3 * MIN)


def test_what_is_said_beside_the_circle_is_out_of_turn_while_it_goes_on() -> None:
    table = five().says(6 * MIN, WREN, post(1))
    circle = table.stands()
    wren_ms, juniper_ms = (4 * MIN, 9 * MIN)
    assert not circle.is_out_of_turn(WREN, post(8), wren_ms), "more than one post in one's own turn is fine"
    assert not circle.is_out_of_turn(WREN, post(8), 6 * MIN + SLACK_MS), "clocks differ"
    assert circle.is_out_of_turn(WREN, post(8), juniper_ms)
    assert not circle.is_out_of_turn(JUNIPER, post(8), juniper_ms)
    assert circle.is_out_of_turn(JUNIPER, post(8), wren_ms)
    assert not circle.is_out_of_turn(JUNIPER, post(8), 1 * MIN), "before it began"
    done = table.says(10 * MIN, JUNIPER).says(11 * MIN, SORREL).says(12 * MIN, TANSY).says(13 * MIN, ALDER).stands()
    assert not done.is_out_of_turn(TANSY, post(8), 14 * MIN)
    assert done.is_out_of_turn(TANSY, post(8), 9 * MIN)


def test_two_parts_that_went_on_alone_come_to_one_state_and_lose_no_turn() -> None:
    one, other = five(), five()
    one.said = {form: list(words) for form, words in other.said.items()}
    one.says(3 * MIN, WREN, post(1)).moves(9 * MIN, JUNIPER, by=SORREL).says(10 * MIN, SORREL, post(2))
    other.moves(8 * MIN, WREN, by=JUNIPER).says(9 * MIN, JUNIPER, post(3)).moves(15 * MIN, SORREL, by=TANSY)
    both = Table()
    both.said = {form: [*one.said[form], *other.said[form]] for form in FORMS_OF_CIRCLES}
    circle = both.stands()
    assert circle.speaking is not None
    assert (circle.speaking.member, circle.away, circle.to_come) == (TANSY, (), (ALDER,)), "each has one turn"
    assert circle.posts == {(WREN, post(1)), (JUNIPER, post(3)), (SORREL, post(2))}
    assert circle.is_out_of_turn(JUNIPER, post(3), 9 * MIN), "she had been moved on from, in the other part"
    circle = both.says(20 * MIN, TANSY).says(21 * MIN, ALDER).stands()
    assert circle.phase is Phase.CLOSING, "nobody who has spoken is asked again"


def test_of_two_at_one_time_the_one_that_most_joined_goes_on_and_of_equal_ones_the_first() -> None:
    table, mine = five(), value(question="Mine")
    table.said[Form.CIRCLE][0] = word(WREN, 1, slot(DeviceId(WREN[:16]), 0), value())  # a moment after it was made
    second = word(TANSY, 0, slot(DeviceId(TANSY[:16]), 0), mine)
    table.said[Form.CIRCLE].append(second)
    found = circles.fold(table.said, ALL, 10 * MIN)
    assert [(circle.opening.member, circle.stands) for circle in found] == [(TANSY, False), (WREN, True)]
    shown = circles.current(found)
    assert shown is not None
    assert shown.opening.member == WREN, "one who dates theirs back alone displaces nobody"
    other = thing_id(Form.CIRCLE, TANSY, mine)
    for member in (JUNIPER, SORREL, ALDER, WREN, MemberPk(b"\x66" * 32)):
        table.said[Form.SEAT].append(word(member, 3 * MIN, other, SeatValue(holds=True)))
    shown = circles.current(circles.fold(table.said, ALL, 10 * MIN))
    assert shown is not None
    assert shown.opening.member == TANSY
    alone = Table()
    alone.said[Form.CIRCLE].append(second)
    shown = circles.current(circles.fold(alone.said, ALL, 10 * MIN))
    assert shown is not None
    assert shown.opening.member == TANSY, "it was the first"


def test_one_after_the_other_both_stand_and_the_last_is_shown() -> None:
    table = five().closes(5 * MIN)
    mine = value(question="Mine", made_ms=6 * MIN)
    table.said[Form.CIRCLE].append(word(TANSY, 6 * MIN, slot(DeviceId(TANSY[:16]), 0), mine))
    found = circles.fold(table.said, ALL, 10 * MIN)
    assert [circle.stands for circle in found] == [True, True]
    shown = circles.current(found)
    assert shown is not None
    assert shown.opening.member == TANSY


def test_nobody_opens_one_in_anothers_slot() -> None:
    table = Table()
    table.said[Form.CIRCLE] = [word(TANSY, 0, slot(DeviceId(WREN[:16]), 0), value())]
    assert circles.fold(table.said, ALL, MIN) == []


def test_who_opened_it_cannot_hold_it_open_by_stating_it_anew() -> None:
    opened = value(made_ms=10 * MIN)
    end_ms = 10 * MIN + opened.lasts_s * 1000
    for said_ms, counts in ((10 * MIN, True), (14 * MIN, True), (14 * MIN + 1, False), (end_ms, False), (0, False)):
        table = Table()
        table.said[Form.CIRCLE] = [word(WREN, said_ms, slot(DeviceId(WREN[:16]), 0), opened)]
        found = circles.fold(table.said, ALL, end_ms + 1)
        assert bool(found) is counts
        assert all(circle.ends_ms <= end_ms + circles.OPENING_MS for circle in found)


def test_a_start_that_is_dated_back_takes_no_circle_over_from_who_leads_it() -> None:
    table = Table().joins(MIN, JUNIPER, SORREL, TANSY).starts(20 * MIN, WREN, JUNIPER, SORREL, TANSY)
    table.says(21 * MIN, WREN, post(1))
    before = table.stands(22 * MIN)
    table.starts(6 * MIN, TANSY, SORREL, by=TANSY)
    assert table.stands(22 * MIN) == before
    table.starts(6 * MIN, SORREL, JUNIPER, by=ALDER, rank=Rank.MODERATOR)
    assert table.stands(22 * MIN).order[:2] == (SORREL, JUNIPER), "a moderator leads it too"


# ---------------------------------------------------------------- whatever is said, in whatever order

who, when = st.sampled_from(sorted(ALL)), st.integers(0, 40).map(lambda k: k * MIN // 2)
ranks = st.sampled_from((Rank.MODERATOR, Rank.MEMBER))
acts = st.one_of(
    st.tuples(st.just(Form.SEAT), who, when, ranks, st.booleans().map(lambda holds: (ONE, SeatValue(holds=holds)))),
    st.tuples(
        st.just(Form.START),
        who,
        when,
        ranks,
        st.lists(who, max_size=5).map(lambda order: (ONE, circle_forms.compose_start(order))),
    ),
    st.tuples(
        st.just(Form.TURN),
        who,
        when,
        ranks,
        st.integers(0, 3).map(lambda k: (in_round(ONE, 1), TurnValue(post=post(k) if k else b""))),
    ),
    st.tuples(
        st.just(Form.MOVE),
        who,
        when,
        ranks,
        st.tuples(who, st.booleans()).map(
            lambda past: (seat(ONE, Turn(member=past[0], round=1, again=past[1], begun_ms=0)), MoveValue())
        ),
    ),
    st.tuples(st.just(Form.CLOSING), who, when, ranks, st.just((ONE, ClosingValue(text="")))),
)


@given(st.lists(acts, max_size=25), st.sets(who), st.integers(0, 150).map(lambda k: k * MIN), st.data())
@settings(max_examples=max(1, settings().max_examples * 2))
def test_a_circle_does_not_depend_on_the_order_nor_on_hearing_twice(
    said: list[tuple[Form, MemberPk, int, Rank, tuple[bytes, Record]]],
    present: set[MemberPk],
    wall_ms: int,
    data: st.DataObject,
) -> None:
    begun = Table().joins(1 * MIN, JUNIPER).starts(2 * MIN, WREN, JUNIPER)
    table = data.draw(st.sampled_from((five(), begun, Table())))
    for form, member, ts_ms, rank, (subject, spoken) in said:
        table.said[form].append(word(member, ts_ms, subject, spoken, rank=rank))
    here = frozenset(present)
    circle = table.stands(wall_ms, here)
    other = Table()
    for form, words in table.said.items():
        twice = data.draw(st.lists(st.sampled_from(words))) if words else []
        other.said[form] = data.draw(st.permutations([*words, *twice]))
    assert other.stands(wall_ms, here) == circle
    speaking = circle.speaking
    assert (speaking is not None) == (circle.phase is Phase.RUNNING)
    if speaking is not None:
        assert circle.takes_part(speaking.member)
        assert speaking.member not in circle.spoke | circle.passed
    assert sum(turn.end is None for turn in circle.turns) <= 1
    for turn in circle.turns:
        assert turn.ended_ms is None or turn.begun_ms <= turn.ended_ms
    last = [turn.post for turn in circle.turns if turn.end is End.SAID]
    assert all((turn.member, turn.post) in circle.posts for turn in circle.turns if turn.post)
    assert len(last) == len({turn.member for turn in circle.turns if turn.end is End.SAID})


# ---------------------------------------------------------------- what no honest program says


@pytest.mark.parametrize(
    ("subject", "said"),
    [
        (slot(DeviceId(bytes(16)), 4), value()),
        (bytes(16), value()),
        (slot(DeviceId(bytes(16)), 0), value(question="a\nb")),
        (slot(DeviceId(bytes(16)), 0), value(question="\u202eabc")),
        (slot(DeviceId(bytes(16)), 0), value(question="ü" * 257)),
    ],
)
def test_what_cannot_be_opened_says_nothing(subject: bytes, said: CircleValue) -> None:
    with pytest.raises(RemoteError):
        check_circle(subject, said)


@pytest.mark.parametrize(
    ("subject", "said"),
    [(bytes(16), b""), (bytes(17), b""), (bytes(16) + b"\x05", b""), (bytes(16) + b"\x01", b"x"), (bytes(32), b"")],
)
def test_a_turn_is_of_one_round_and_names_a_post_or_none(subject: bytes, said: bytes) -> None:
    with pytest.raises(RemoteError):
        check_turn(subject, TurnValue(post=said))
    check_turn(bytes(16) + b"\x04", TurnValue(post=bytes(16)))


def test_moves_and_closings_are_about_a_turn_and_a_circle() -> None:
    with pytest.raises(RemoteError):
        check_move(bytes(16), MoveValue())
    for subject, text in ((bytes(17), ""), (bytes(16), "\x07"), (bytes(16), "ü" * 513)):
        with pytest.raises(RemoteError):
            check_closing(subject, ClosingValue(text=text))
    check_closing(bytes(16), ClosingValue(text="Go well.\nAll of you."))


@pytest.mark.parametrize("more", [{"turn_s": 59}, {"turn_s": 86_401}, {"rounds": 0}, {"rounds": 5}, {"lasts_s": 599}])
def test_what_cannot_be_opened_is_said_in_words(more: dict[str, int]) -> None:
    asked = {"turn_s": 60, "rounds": 1, "lasts_s": 600, **more}
    with pytest.raises(LocalError):
        circle_forms.compose(made_ms=1, question="What helped?", **asked)
    with pytest.raises(LocalError):
        circle_forms.compose(made_ms=1, question=" ", turn_s=60, rounds=1, lasts_s=600)
    with pytest.raises(LocalError):
        circle_forms.compose_closing("x" * 1025)


def test_a_start_names_each_by_the_beginning_of_their_key() -> None:
    assert circle_forms.compose_start([WREN, SORREL]) == StartValue(order=[WREN[:16], SORREL[:16]])
