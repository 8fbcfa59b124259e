"""The shelf: what a keeper takes, what gives way, and that nobody pushes out what others left."""

import pytest

from mesh.gossip.shelf import ASIDE_BYTES_LEAST, Account, Place, Shelf, aside_quota, is_own_ticket, ticket_mac
from mesh.ids import AccountId, FrameId, TopicId
from mesh.wire import limits
from mesh.wire.frames import DAY_MS, FrameType

WREN, TANSY = AccountId(b"w" * 16), AccountId(b"t" * 16)
SECRET = bytes(32)


def topic(number: int) -> TopicId:
    """Give a topic."""
    return TopicId(number.to_bytes(32, "big"))


def frame(number: int) -> FrameId:
    """Give a frame id."""
    return FrameId(number.to_bytes(32, "big"))


BOTH = (WREN, TANSY)


def put(
    shelf: Shelf,
    number: int,
    *,
    on: int = 1,
    size: int = 100,
    kind: FrameType = FrameType.MESSAGE,
    shown: tuple[AccountId, ...] = BOTH,
) -> list[Place]:
    """Put a frame there that must have room; return what goes for it."""
    added = shelf.add(topic(on), frame(number), kind, size, number, shown)
    assert added is not None
    assert added[0] in shelf.places(topic(on))
    return added[1]


def test_only_the_keepers_own_mac_opens_an_account_of_this_size() -> None:
    mac = ticket_mac(SECRET, WREN, 1000)
    assert is_own_ticket(SECRET, WREN, 1000, mac)
    for secret, account, quota, shown in (
        (bytes([1]) * 32, WREN, 1000, mac),
        (SECRET, TANSY, 1000, mac),
        (SECRET, WREN, 1001, mac),
        (SECRET, WREN, 1000, bytes(16)),
        (SECRET, WREN, 1000, b""),
    ):
        assert not is_own_ticket(secret, account, quota, shown)


def test_the_oldest_of_an_account_gives_way_to_the_new_and_no_other_account_does() -> None:
    shelf = Shelf(quota=10_000)
    shelf.name(WREN, 300, [topic(1), topic(2)], 0)
    shelf.name(TANSY, 300, [topic(3)], 0)
    put(shelf, 1, on=3)
    for number in (2, 3, 4):
        assert put(shelf, number, on=1 + number % 2) == []
    assert [place.frame for place in put(shelf, 5)] == [frame(2)]
    assert [place.frame for place in put(shelf, 6, size=250)] == [frame(3), frame(4), frame(5)]
    assert shelf.held(WREN) == (1, 250, 6)
    assert shelf.held(TANSY) == (1, 100, 1)
    assert shelf.size == 350


def test_what_is_larger_than_the_quota_pushes_nothing_out() -> None:
    shelf = Shelf(quota=10_000)
    shelf.name(WREN, 300, [topic(1)], 0)
    put(shelf, 1)
    assert shelf.add(topic(1), frame(2), FrameType.ENVELOPE, 301, 2, BOTH) is None
    assert shelf.held(WREN) == (1, 100, 1)


def test_a_full_house_takes_from_whoever_brings_more_and_from_nobody_else() -> None:
    shelf = Shelf(quota=300)
    shelf.name(WREN, 300, [topic(1)], 0)
    shelf.name(TANSY, 300, [topic(2)], 0)
    put(shelf, 1)
    put(shelf, 2, on=2)
    put(shelf, 3, on=2)
    assert [place.frame for place in put(shelf, 4)] == [frame(1)]
    assert shelf.add(topic(1), frame(5), FrameType.MESSAGE, 250, 5, BOTH) is None
    assert shelf.held(WREN)[0] == 1
    assert shelf.held(TANSY)[0] == 2


def test_the_topic_named_longest_ago_gives_way_with_all_that_lies_there() -> None:
    shelf = Shelf(quota=10_000)
    shelf.name(WREN, 5000, [topic(k) for k in range(1, limits.KEPT_TOPICS_MAX + 1)], 0)
    put(shelf, 1, on=1)
    put(shelf, 2, on=2)
    shelf.name(WREN, 5000, [topic(1)], 1)
    gone, taken = shelf.name(WREN, 5000, [topic(1000)], 2)
    assert taken == []
    assert [place.frame for place in gone] == [frame(2)]
    assert not shelf.has_topic(topic(2))
    assert shelf.has_topic(topic(1))
    assert len(shelf.accounts[WREN].topics) == limits.KEPT_TOPICS_MAX


def test_a_topic_of_two_accounts_stays_as_long_as_one_of_them_names_it() -> None:
    shelf = Shelf(quota=10_000)
    shelf.name(WREN, 300, [topic(1)], 0)
    shelf.name(TANSY, 300, [topic(1)], 50)
    put(shelf, 60)
    assert shelf.held(TANSY) == (1, 100, 60)
    gone, changed = shelf.expire(DAY_MS + 40, 1)
    assert (gone, changed) == ([], [WREN])
    assert shelf.held(WREN) == (0, 0, 0)
    assert shelf.held(TANSY) == (1, 100, 60)
    gone, changed = shelf.expire(DAY_MS + 1000, 1)
    assert [place.frame for place in gone] == [frame(60)]
    assert changed == [TANSY]
    assert (shelf.size, shelf.frames, list(shelf.topics)) == (0, 0, [])


def test_no_account_drives_others_out_by_inventing_topics(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "KEPT_TOPICS_ALL_MAX", 3)
    shelf = Shelf(quota=10_000)
    shelf.name(WREN, 300, [topic(1)], 0)
    shelf.name(TANSY, 300, [topic(k) for k in range(10, 30)], 1)
    assert shelf.has_topic(topic(1))
    assert len(list(shelf.topics)) == 3


@pytest.mark.parametrize(
    ("kind", "most"),
    [
        (FrameType.KNOCK, limits.KEPT_KNOCKS_MAX),
        (FrameType.PREVIEW, limits.KEPT_PREVIEWS_MAX),
        (FrameType.RETURN, limits.KEPT_CALLS_MAX),
    ],
)
def test_of_what_anybody_can_make_the_newest_are_kept(kind: FrameType, most: int) -> None:
    shelf = Shelf(quota=1_000_000)
    shelf.name(WREN, 1_000_000, [topic(1)], 0)
    put(shelf, 1, kind=FrameType.MESSAGE)
    for number in range(2, most + 7):
        put(shelf, number, kind=kind)
    kinds = [place.type for place in shelf.places(topic(1))]
    assert kinds.count(kind) == most
    assert kinds.count(FrameType.MESSAGE) == 1


def test_what_was_stored_comes_back_as_it_was() -> None:
    shelf = Shelf(quota=10_000)
    shelf.name(WREN, 500, [topic(1), topic(2)], 7)
    put(shelf, 1)
    put(shelf, 2, on=2)
    again = Shelf(quota=10_000)
    again.restore(WREN, Account(500, topics=shelf.accounts[WREN].topics))
    for number in (1, 2):
        for place in shelf.places(topic(number)):
            kept_ms, name = int.from_bytes(place.key[32:40], "big"), FrameId(place.key[40:])
            assert place == Place(TopicId(place.key[:32]), kept_ms, name, place.type, 100)
            assert again.restore_place(place, shelf.holders(place))
    assert again.held(WREN) == shelf.held(WREN)
    assert not again.restore_place(Place(topic(9), 1, frame(9), FrameType.MESSAGE, 1), [WREN])
    assert not again.restore_place(Place(topic(1), 1, frame(9), FrameType.MESSAGE, 1), [TANSY])


def test_nothing_is_kept_for_longer_than_its_group_keeps_it() -> None:
    shelf = Shelf(quota=10_000)
    shelf.name(WREN, 500, [topic(1)], 0, days=2)
    shelf.name(TANSY, 500, [topic(2)], 0)
    put(shelf, 1)
    put(shelf, 2, on=2)
    gone, changed = shelf.expire(2 * DAY_MS + 10, 30)
    assert [place.frame for place in gone] == [frame(1)]
    assert changed == []
    assert shelf.has_topic(topic(1))
    assert shelf.held(TANSY)[0] == 1


def test_what_was_said_is_kept_only_for_those_whose_ticket_was_shown() -> None:
    shelf = Shelf(quota=10_000)
    shelf.name(WREN, 300, [topic(1)], 0)
    shelf.name(TANSY, 1000, [topic(1)], 0)
    assert shelf.add(topic(1), frame(1), FrameType.MESSAGE, 100, 1, ()) is None
    put(shelf, 2, shown=(TANSY,))
    assert (shelf.held(WREN)[0], shelf.held(TANSY)[0]) == (0, 1)
    put(shelf, 2, shown=(WREN,))
    assert (shelf.held(WREN)[0], shelf.held(TANSY)[0], shelf.frames, shelf.size) == (1, 1, 1, 100)
    assert shelf.add(topic(1), frame(2), FrameType.MESSAGE, 100, 3, BOTH) is None, "it lies there for both"
    for number in range(3, 20):
        gone = put(shelf, number, shown=(TANSY,))
        assert frame(2) not in [place.frame for place in gone], "nobody pushes out what another left"
    assert shelf.held(TANSY)[0] == 10
    assert shelf.held(WREN) == (1, 100, 2)
    for kind in (FrameType.KNOCK, FrameType.WELCOME, FrameType.PREVIEW, FrameType.RETURN):
        put(shelf, 100 + kind, kind=kind, size=10, shown=())


def test_another_ticket_takes_over_what_lies_there_and_the_first_cannot_make_it_go() -> None:
    shelf = Shelf(quota=100_000)
    shelf.name(WREN, 1000, [topic(1)], 0)
    put(shelf, 1, kind=FrameType.ENVELOPE, shown=(WREN,))
    put(shelf, 2, shown=(WREN,))
    gone, taken = shelf.name(TANSY, 1000, [topic(1), topic(2)], 3)
    assert (gone, [place.frame for place in taken]) == ([], [frame(1), frame(2)])
    assert shelf.holders(taken[0]) == [WREN, TANSY]
    shelf.name(WREN, 1000, [topic(k) for k in range(10, 10 + limits.KEPT_TOPICS_MAX)], 4)
    assert [place.frame for place in shelf.places(topic(1))] == [frame(1), frame(2)]
    put(shelf, 3, shown=(TANSY,), kind=FrameType.KNOCK)
    assert shelf.name(WREN, 1000, [topic(1)], 5)[1] == [place for place in shelf.places(topic(1)) if place.at_ms < 3]


def test_what_anybody_may_bring_has_a_part_of_an_account_and_gets_no_more() -> None:
    shelf = Shelf(quota=10_000)
    shelf.name(WREN, 1000, [topic(1), topic(2), topic(3)], 0)
    for number in range(10):
        put(shelf, number, on=3)
    put(shelf, 10, on=1, kind=FrameType.KNOCK)
    for number in range(11, 60):
        put(shelf, number, on=2, kind=FrameType.WELCOME, shown=())
    assert [place.frame for place in shelf.places(topic(1))] == [frame(10)], "the fullest door gives way"
    assert len(shelf.places(topic(2))) == 1
    assert len(shelf.places(topic(3))) == 8
    assert shelf.add(topic(2), frame(60), FrameType.WELCOME, 251, 60, BOTH) is None
    assert shelf.add(topic(3), frame(61), FrameType.MESSAGE, 801, 61, BOTH) is None
    put(shelf, 62, on=3, size=800)
    assert shelf.held(WREN)[:2] == (3, 1000), "and what is said pushes nobody from the door"


def test_no_account_leaves_more_frames_than_its_part_of_the_house(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "KEPT_FRAMES_MAX", 1000)
    shelf = Shelf(quota=1_000_000)
    shelf.name(WREN, 500_000, [topic(1)], 0)
    shelf.name(TANSY, 500_000, [topic(2)], 0)
    for number in range(1, 1500):
        put(shelf, number, size=1)
    assert shelf.held(WREN)[0] == 500
    put(shelf, 2000, on=2)
    for number in range(3000, 3500):
        put(shelf, number, kind=FrameType.WELCOME, size=1, shown=())
    assert shelf.held(WREN)[0] == 500
    assert len([place for place in shelf.places(topic(1)) if place.type is FrameType.WELCOME]) == 125


def test_after_a_restart_each_frame_counts_for_those_for_whom_it_came() -> None:
    shelf = Shelf(quota=10_000)
    shelf.name(WREN, 300, [topic(1)], 1)
    shelf.name(TANSY, 100, [topic(1)], 2, days=1)
    put(shelf, 3, size=200, shown=(WREN,))
    again = Shelf(quota=10_000)
    for account, kept in ((TANSY, Account(100, 1)), (WREN, Account(300))):
        kept.topics = shelf.accounts[account].topics
        again.restore(account, kept)
    for place in shelf.places(topic(1)):
        assert again.restore_place(place, shelf.holders(place))
    assert again.held(WREN) == (1, 200, 3)
    assert again.held(TANSY) == (0, 0, 0)
    assert again.expire(2 * DAY_MS, 30) == ([], [])


def test_nobody_has_frames_taken_over_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = Shelf(quota=100_000)
    shelf.name(WREN, 10_000, [topic(1)], 0)
    for number in range(1, 11):
        put(shelf, number, shown=(WREN,))
    monkeypatch.setattr(limits, "KEPT_FRAMES_MAX", 1000)
    others = [topic(k) for k in range(100, 100 + limits.KEPT_TOPICS_MAX)]
    written = 0
    for round_ in range(200):
        written += len(shelf.name(TANSY, 10_000, [topic(1)], round_)[1])
        shelf.name(TANSY, 10_000, others, round_)
    assert written == 1000
    assert shelf.held(WREN)[0] == 10


# ---------------------------------------------------------------- aside


def test_aside_there_is_room_for_less_and_for_less_long() -> None:
    assert (aside_quota(500), aside_quota(2**20 * 64)) == (500, 2**20)
    assert aside_quota(ASIDE_BYTES_LEAST * 2) == ASIDE_BYTES_LEAST
    shelf = Shelf(quota=100_000)
    shelf.name(WREN, 1000, [topic(k) for k in range(100)], 0, days=2, aside=True)
    assert list(shelf.accounts[WREN].topics) == [topic(k) for k in range(100 - limits.KEPT_ASIDE_TOPICS_MAX, 100)]
    shelf.name(TANSY, 1000, [topic(2)], 0, days=2)
    again = Shelf(quota=100_000)
    again.restore(WREN, Account(1000, 2, aside=True, topics=shelf.accounts[WREN].topics.copy()))
    for one in (shelf, again):
        assert one.expire(2 * DAY_MS + 10, 30)[1] == [WREN]
        assert WREN not in one.accounts
        assert not one.has_topic(topic(99))
    assert shelf.has_topic(topic(2))


def test_an_account_that_is_closed_leaves_nothing_and_takes_nothing_of_others() -> None:
    shelf = Shelf(quota=100_000)
    shelf.name(WREN, 1000, [topic(1), topic(2)], 0, aside=True)
    shelf.name(TANSY, 1000, [topic(1)], 0)
    put(shelf, 1)
    put(shelf, 2, on=2, shown=(WREN,))
    assert [place.frame for place in shelf.close(WREN)] == [frame(2)]
    assert shelf.close(WREN) == []
    assert (shelf.frames, shelf.size, list(shelf.topics)) == (1, 100, [topic(1)])
    assert shelf.held(TANSY)[0] == 1


# ---------------------------------------------------------------- for how long


def test_nobody_shortens_what_another_wants_kept_for_longer() -> None:
    """Fewer days count once nobody has asked for as many as before for a day."""
    shelf = Shelf(quota=10_000)
    shelf.name(WREN, 500, [topic(1)], 0, days=30)
    put(shelf, 1)
    shelf.name(WREN, 500, [topic(1)], DAY_MS - 1, days=1)
    assert shelf.expire(3 * DAY_MS, 30)[0] == []
    again = Shelf(quota=10_000)
    again.restore(WREN, Account(500, 30, topics=shelf.accounts[WREN].topics.copy()))
    again.name(WREN, 500, [topic(1)], DAY_MS, days=1)
    assert again.accounts[WREN].days == 30, "after a restart too"
    shelf.name(WREN, 500, [topic(1)], DAY_MS + 5, days=30)
    shelf.name(WREN, 500, [topic(1)], 2 * DAY_MS + 4, days=1)
    assert shelf.accounts[WREN].days == 30
    shelf.name(WREN, 500, [topic(1)], 2 * DAY_MS + 5, days=1)
    assert [place.frame for place in shelf.expire(3 * DAY_MS, 30)[0]] == [frame(1)]
