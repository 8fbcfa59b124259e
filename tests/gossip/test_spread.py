"""Who gets a frame at once, who as an id, and what a link may bring and ask for."""

from random import Random

import pytest

from mesh.errors import Fault, RemoteError
from mesh.events import LinkKind, Send
from mesh.gossip.promises import BROKEN_MS, OWED_MAX
from mesh.gossip.seen import SeenFrames, StreamId
from mesh.gossip.spread import ANNOUNCED_MAX, BROKEN_PER_BLAME, IDS_BURST, LONG_BYTES, RANKS_MAX, D, Passing, Spread
from mesh.ids import FrameId, LinkId
from mesh.wire import limits
from mesh.wire.gossip import Pace, Rank, ShortId, pack_ids, short, unpack_ids

LINKS = [LinkId(k) for k in range(1, 11)]
ONE, TWO, THREE, *_ = LINKS
AUTHOR = StreamId(b"a" * 48)


def frame(number: int) -> FrameId:
    """Give a frame's id."""
    return FrameId(number.to_bytes(16, "big") + bytes(16))


def invented(first: int, count: int) -> list[ShortId]:
    """Give ids of frames that nobody has."""
    return [ShortId((2**100 + first + k).to_bytes(16, "big")) for k in range(count)]


class Desk:
    """A node's Spread with ten links, and what it would do."""

    def __init__(self) -> None:
        self.seen = SeenFrames()
        self.spread = Spread(self.seen)
        self.dice = Random(3)
        for link in LINKS:
            self.spread.link_up(link)

    def take(
        self, number: int, link: LinkId | None, *, size: int = 700, **more: bool
    ) -> tuple[list[LinkId], list[Send]]:
        """Take a frame of the author's in, and pass it on."""
        self.seen.note(frame(number), link)
        said = self.spread.came(frame(number), link, AUTHOR, from_author=more.get("from_author", False))
        passing = Passing(frame=frame(number), frame_bytes=size, stream=AUTHOR, own=link is None, **more)
        eager, sends = self.spread.pass_on(passing, LINKS, self.dice)
        return eager, [*said, *sends]

    def wants(self, link: LinkId, rank: Rank, number: int) -> None:
        """Have a link say how it wants the author's frames."""
        kind = LinkKind.PRUNE if rank is Rank.LAZY else LinkKind.GRAFT
        self.spread.hear_rank(link, kind, pack_ids(rank, [short(frame(number))])[0], 0)

    def announced(self) -> dict[LinkId, tuple[int, list[ShortId]]]:
        """Flush, and return which ids each link is told."""
        sends, _ = self.spread.flush(0)
        return {s.link: unpack_ids(s.payload, tuple(Pace)) for s in sends if s.kind is LinkKind.IHAVE}


def said(sends: list[Send]) -> list[tuple[LinkKind, LinkId]]:
    """Return the kinds of what is said, and to whom."""
    return [(send.kind, send.link) for send in sends]


def test_what_we_say_ourselves_goes_to_all_links_at_once() -> None:
    desk = Desk()
    eager, sends = desk.take(1, None, size=LONG_BYTES + 1)
    assert eager == LINKS
    assert sends == []
    assert desk.announced() == {}


def test_a_short_frame_of_an_unknown_author_goes_to_four_and_its_id_to_the_rest() -> None:
    desk = Desk()
    eager, sends = desk.take(1, ONE)
    assert len(eager) == D
    assert ONE not in eager
    assert said(sends) == [(LinkKind.GRAFT, ONE)]
    told = desk.announced()
    assert sorted([*eager, *told, ONE]) == LINKS
    assert all(each == (Pace.ASK, [short(frame(1))]) for each in told.values())
    assert desk.announced() == {}, "once"


def test_a_long_frame_of_an_unknown_author_is_offered_to_all_at_once() -> None:
    desk = Desk()
    eager, sends = desk.take(1, ONE, size=LONG_BYTES + 1)
    assert eager == []
    assert said(sends) == [(LinkKind.GRAFT, ONE), *((LinkKind.IHAVE, link) for link in LINKS[1:])]
    assert unpack_ids(sends[-1].payload, tuple(Pace)) == (Pace.ASK, [short(frame(1))])


def test_once_links_have_said_how_they_want_an_author_that_is_kept_to() -> None:
    desk = Desk()
    desk.take(1, ONE)
    desk.wants(TWO, Rank.FIRST, 1)
    desk.wants(THREE, Rank.SPARE, 1)
    eager, _ = desk.take(2, ONE)
    assert eager == [TWO, THREE]
    eager, _ = desk.take(3, ONE, size=LONG_BYTES + 1)
    assert eager == [TWO]
    assert desk.announced()[THREE] == (Pace.WAIT, [short(frame(3))])
    desk.wants(TWO, Rank.LAZY, 3)
    eager, _ = desk.take(4, ONE)
    assert eager == [THREE]


def test_in_a_full_mesh_what_came_from_its_author_goes_on_as_an_id_alone() -> None:
    desk = Desk()
    for size in (700, LONG_BYTES + 1):
        eager, sends = desk.take(size, ONE, size=size, from_author=True)
        assert (eager, sends) == ([], [])
    assert sorted(desk.announced()) == LINKS[1:]


def test_ids_of_messages_that_their_author_sent_to_all_are_not_urgent_and_others_are() -> None:
    desk = Desk()
    urgent: list[bool] = []
    desk.take(1, ONE, from_author=True, calm=True)
    urgent.append(desk.spread.urgent)
    desk.take(2, ONE)
    urgent.append(desk.spread.urgent)
    desk.announced()
    desk.take(3, ONE, from_author=True, calm=True)
    urgent.append(desk.spread.urgent)
    desk.take(4, ONE, from_author=True)  # an operation
    urgent.append(desk.spread.urgent)
    desk.announced()
    (unknown,) = pack_ids(Pace.ASK, invented(0, 1))
    desk.spread.hear_ids(TWO, unknown, 0)  # it is asked for, and waited for
    urgent.append(desk.spread.urgent)
    assert urgent == [False, True, False, True, True]


def test_what_we_were_catching_up_on_goes_on_as_an_id_alone() -> None:
    desk = Desk()
    desk.wants(TWO, Rank.FIRST, 1)
    eager, _ = desk.spread.pass_on(Passing(frame(1), 700, AUTHOR, pushed=False), LINKS, desk.dice)
    assert eager == []
    assert len(desk.announced()) == len(LINKS)


def test_whoever_turns_out_to_have_it_is_not_told() -> None:
    desk = Desk()
    eager, _ = desk.take(1, ONE)
    (late,) = pack_ids(Pace.ASK, [short(frame(1))])
    others = [link for link in LINKS if link not in eager and link != ONE]
    desk.spread.hear_ids(others[0], late, 0)
    assert sorted(desk.announced()) == others[1:]


def test_the_first_copy_is_grafted_the_second_kept_and_the_third_pruned_once() -> None:
    desk = Desk()
    desk.take(1, ONE)
    assert said(desk.spread.came_again(frame(1), TWO)) == [(LinkKind.GRAFT, TWO)]
    assert said(desk.spread.came_again(frame(1), THREE)) == [(LinkKind.PRUNE, THREE)]
    assert desk.spread.came_again(frame(1), THREE) == []
    assert desk.spread.came_again(frame(9), THREE) == [], "nothing is known of it"


def test_what_is_announced_and_not_here_is_asked_for_once() -> None:
    desk = Desk()
    (payload,) = pack_ids(Pace.ASK, invented(0, 2))
    (want,) = desk.spread.hear_ids(ONE, payload, 0)
    assert (want.kind, want.link, unpack_ids(want.payload, (0,))[1]) == (LinkKind.WANT, ONE, invented(0, 2))
    assert desk.spread.hear_ids(TWO, payload, 0) == []


def test_a_link_gets_what_was_announced_to_it_once_and_nothing_else() -> None:
    desk = Desk()
    eager, _ = desk.take(1, ONE)
    (link, *_) = desk.announced()
    (want,) = pack_ids(0, [short(frame(1)), *invented(0, 3)])
    assert desk.spread.hear_wanted(link, want, 0) == [short(frame(1))]
    assert desk.spread.hear_wanted(link, want, 0) == []
    assert desk.spread.hear_wanted(eager[0], want, 0) == [], "it was not announced there"


def test_where_a_first_is_lost_the_others_are_told() -> None:
    desk = Desk()
    desk.take(1, ONE)
    desk.spread.came_again(frame(1), TWO)
    sends = desk.spread.link_down(ONE, 0, desk.dice)
    assert [send.kind for send in sends] == [LinkKind.GRAFT, LinkKind.GRAFT]
    assert (sends[0].link, sends[0].payload[0]) == (TWO, Rank.FIRST)
    assert sends[1].payload[0] == Rank.SPARE
    assert desk.spread.link_down(ONE, 0, desk.dice) == []


# ---------------------------------------------------------------- hostile links (GossipSub v1.1, PL-TechRep-2020-001)


def test_hostile_ihave_spam_costs_the_spammer_its_link_and_us_a_bounded_table() -> None:
    desk = Desk()
    asked = 0
    for payload in pack_ids(Pace.ASK, invented(0, IDS_BURST)):
        sends = desk.spread.hear_ids(ONE, payload, 0)
        asked += sum(len(unpack_ids(send.payload, (0,))[1]) for send in sends)
    assert asked == OWED_MAX, "who owes so much is asked no further"
    with pytest.raises(RemoteError) as caught:
        desk.spread.hear_ids(ONE, pack_ids(Pace.ASK, invented(0, 1))[0], 0)
    assert caught.value.fault is Fault.OVER_LIMIT


def test_hostile_broken_promises_are_counted_and_held_against_the_link() -> None:
    desk = Desk()
    for k in range(2):
        (payload,) = pack_ids(Pace.ASK, invented(k * 512, 512))
        desk.spread.hear_ids(ONE, payload, 0)
    _, blamed = desk.spread.flush(BROKEN_MS)
    assert blamed == [ONE] * (1024 // BROKEN_PER_BLAME)


def test_a_few_broken_promises_are_no_fault() -> None:
    desk = Desk()
    (payload,) = pack_ids(Pace.ASK, invented(0, BROKEN_PER_BLAME - 1))
    desk.spread.hear_ids(ONE, payload, 0)
    assert desk.spread.flush(BROKEN_MS)[1] == []


def test_hostile_censor_who_announces_and_gives_nothing_delays_by_a_second() -> None:
    desk = Desk()
    (payload,) = pack_ids(Pace.ASK, invented(0, 1))
    desk.spread.hear_ids(ONE, payload, 0)
    desk.spread.hear_ids(TWO, payload, 100)
    sends, _ = desk.spread.flush(1_000)
    assert said(sends) == [(LinkKind.WANT, TWO)]


@pytest.mark.parametrize("kind", [LinkKind.GRAFT, LinkKind.PRUNE, LinkKind.WANT])
def test_hostile_graft_flood_is_over_the_limit_and_fills_nothing(kind: LinkKind) -> None:
    desk = Desk()
    numbers = range(RANKS_MAX + limits.SHORT_IDS_MAX)
    for number in numbers:
        desk.seen.note_stream(frame(number), StreamId(number.to_bytes(48, "big")))
    payloads = pack_ids(Rank.FIRST if kind is LinkKind.GRAFT else 0, [short(frame(number)) for number in numbers])

    def hear(link: LinkId, payload: bytes) -> None:
        if kind is LinkKind.WANT:
            desk.spread.hear_wanted(link, payload, 0)
        else:
            desk.spread.hear_rank(link, kind, payload, 0)

    for k in range(IDS_BURST // limits.SHORT_IDS_MAX):
        hear(ONE, payloads[k % len(payloads)])
    with pytest.raises(RemoteError) as caught:
        hear(ONE, payloads[0])
    assert caught.value.fault is Fault.OVER_LIMIT
    assert len(desk.spread._neighbours[ONE].wants) <= RANKS_MAX
    hear(TWO, payloads[0])  # another link is not held to account for it


def test_hostile_a_graft_of_everything_gets_each_frame_once_and_no_more() -> None:
    desk = Desk()
    desk.take(1, ONE)
    for _ in range(20):
        desk.wants(TWO, Rank.FIRST, 1)
    copies = [link for number in range(2, 30) for link in desk.take(number, ONE)[0] if link == TWO]
    assert len(copies) == 28


def test_what_is_announced_to_a_link_is_remembered_within_bounds() -> None:
    desk = Desk()
    for number in range(3 * ANNOUNCED_MAX // 2):
        desk.spread.pass_on(Passing(frame(number), 700, AUTHOR, pushed=False), [ONE], desk.dice)
        if number % limits.SHORT_IDS_MAX == 0:
            desk.spread.flush(0)
    assert len(desk.spread._neighbours[ONE].announced) <= ANNOUNCED_MAX
    assert len(desk.announced()[ONE][1]) <= limits.SHORT_IDS_MAX
