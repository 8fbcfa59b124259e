"""What was announced is asked for once, of one link, then of the next; who announces and does not give owes it."""

from mesh.gossip.promises import ASK_NEXT_MS, BROKEN_MS, OFFERS_MAX, OWED_MAX, WAIT_MS, Promises
from mesh.ids import LinkId
from mesh.wire.gossip import ShortId

ONE, TWO, THREE = (LinkId(k) for k in (1, 2, 3))


def frame(number: int) -> ShortId:
    """Give a frame's short id."""
    return ShortId(number.to_bytes(16, "big"))


def test_the_first_who_announces_is_asked_and_then_the_next() -> None:
    promises = Promises()
    assert promises.hear(ONE, [frame(1)], 0, 0) == [frame(1)]
    assert promises.hear(TWO, [frame(1)], 0, 1) == []
    assert promises.ask(ASK_NEXT_MS - 1) == {}
    assert promises.ask(ASK_NEXT_MS) == {TWO: [frame(1)]}
    assert promises.ask(2 * ASK_NEXT_MS) == {}
    assert len(promises) == 0, "nobody is left to ask: repair brings it"


def test_what_comes_is_asked_for_no_more() -> None:
    promises = Promises()
    promises.hear(ONE, [frame(1)], 0, 0)
    promises.hear(TWO, [frame(1)], 0, 0)
    promises.came(frame(1), ONE)
    assert promises.ask(ASK_NEXT_MS) == {}
    assert promises.broken(BROKEN_MS) == {}
    assert not promises.open


def test_a_long_frame_is_given_time_to_come_by_itself() -> None:
    promises = Promises()
    assert promises.hear(ONE, [frame(1)], WAIT_MS, 0) == []
    assert promises.ask(WAIT_MS - 1) == {}
    assert promises.ask(WAIT_MS) == {ONE: [frame(1)]}


def test_who_was_asked_and_did_not_give_broke_a_promise_whoever_else_gave_it() -> None:
    promises = Promises()
    promises.hear(ONE, [frame(1), frame(2)], 0, 0)
    promises.came(frame(1), TWO)
    assert promises.broken(BROKEN_MS - 1) == {}
    assert promises.broken(BROKEN_MS) == {ONE: 2}
    assert promises.broken(BROKEN_MS) == {}


def test_who_owes_much_is_asked_no_further_until_they_give() -> None:
    promises = Promises()
    first = [frame(k) for k in range(OWED_MAX)]
    assert promises.hear(ONE, first, 0, 0) == first
    assert promises.hear(ONE, [frame(OWED_MAX)], 0, 0) == []
    promises.came(frame(0), ONE)
    assert promises.hear(ONE, [frame(OWED_MAX + 1)], 0, 0) == [frame(OWED_MAX + 1)]


def test_what_a_lost_link_owed_is_asked_of_others_at_once() -> None:
    promises = Promises()
    promises.hear(ONE, [frame(1)], 0, 0)
    promises.hear(TWO, [frame(1)], 0, 0)
    promises.drop(ONE, 5)
    assert promises.ask(5) == {TWO: [frame(1)]}
    promises.hear(THREE, [frame(2)], WAIT_MS, 5)
    promises.drop(THREE, 6)
    assert promises.ask(5 + WAIT_MS) == {}


def test_invented_ids_fill_a_bounded_table() -> None:
    promises = Promises()
    for k in range(40):
        promises.hear(ONE, [frame(k * 512 + j) for j in range(512)], 0, 0)
    assert len(promises) <= OFFERS_MAX
    assert sum(promises.broken(BROKEN_MS).values()) <= OWED_MAX
