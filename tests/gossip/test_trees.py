"""Who brings an author's frames: the first, a spare, and what everybody is told."""

from random import Random

from mesh.gossip.seen import StreamId
from mesh.gossip.trees import MISSED_MAX, STREAMS_MAX, Trees
from mesh.ids import LinkId
from mesh.wire.gossip import Rank, ShortId

ONE, TWO, THREE, FOUR = (LinkId(k) for k in (1, 2, 3, 4))
AUTHOR = StreamId(bytes(48))
FRAME = ShortId(bytes(16))


def grown(*, links: tuple[LinkId, ...] = (ONE, TWO, THREE, FOUR)) -> Trees:
    """Give trees where ONE brings the author's frames first and TWO is the spare."""
    trees = Trees()
    assert trees.came_first(AUTHOR, FRAME, ONE, from_author=False) == [(ONE, Rank.FIRST)]
    assert trees.came_again(AUTHOR, TWO) == [(TWO, Rank.SPARE)]
    stream = trees.get(AUTHOR)
    assert stream is not None
    stream.links = links
    return trees


def test_the_first_the_spare_and_all_others() -> None:
    trees = grown()
    assert trees.came_again(AUTHOR, THREE) == [(THREE, Rank.LAZY)]
    assert trees.came_again(AUTHOR, ONE) == []
    assert trees.came_first(AUTHOR, FRAME, ONE, from_author=False) == []


def test_a_spare_that_is_always_faster_becomes_the_first() -> None:
    trees = grown()
    for _ in range(MISSED_MAX - 1):
        assert trees.came_first(AUTHOR, FRAME, TWO, from_author=False) == []
    assert trees.came_first(AUTHOR, FRAME, TWO, from_author=False) == [(TWO, Rank.FIRST), (ONE, Rank.SPARE)]


def test_one_that_is_faster_now_and_then_does_not() -> None:
    trees = grown()
    for _ in range(10):
        assert trees.came_first(AUTHOR, FRAME, TWO, from_author=False) == []
        assert trees.came_first(AUTHOR, FRAME, ONE, from_author=False) == []


def test_who_brings_what_neither_of_the_two_brought_becomes_the_first() -> None:
    trees = grown()
    told = trees.came_first(AUTHOR, FRAME, THREE, from_author=False)
    assert told == [(THREE, Rank.FIRST), (ONE, Rank.SPARE), (TWO, Rank.LAZY)]


def test_in_a_full_mesh_the_author_itself_needs_no_spare() -> None:
    trees = grown()
    assert trees.came_first(AUTHOR, FRAME, FOUR, from_author=True) == [(ONE, Rank.LAZY), (TWO, Rank.LAZY)]
    assert trees.came_again(AUTHOR, ONE) == [(ONE, Rank.LAZY)]
    assert trees.came_first(AUTHOR, FRAME, TWO, from_author=False) == [(TWO, Rank.LAZY)], (
        "the author's push was left out"
    )


def test_where_the_first_is_lost_the_spare_takes_its_place_and_another_becomes_the_spare() -> None:
    trees = grown()
    told = trees.lost(ONE, lambda link, _: Rank.FIRST if link == THREE else Rank.LAZY, Random(1))
    assert told == {AUTHOR: [(TWO, Rank.FIRST), (FOUR, Rank.SPARE)]}, "THREE takes this author's frames from us"
    told = trees.lost(FOUR, lambda _, __: Rank.LAZY, Random(1))
    assert told == {AUTHOR: [(THREE, Rank.SPARE)]}
    assert trees.lost(ONE, lambda _, __: Rank.LAZY, Random(1)) == {}


def test_where_all_are_lost_whoever_comes_next_is_the_first() -> None:
    trees = grown(links=(ONE, TWO))
    assert trees.lost(ONE, lambda _, __: Rank.LAZY, Random(1)) == {AUTHOR: [(TWO, Rank.FIRST)]}
    assert trees.lost(TWO, lambda _, __: Rank.LAZY, Random(1)) == {AUTHOR: []}
    assert trees.came_first(AUTHOR, FRAME, THREE, from_author=False) == [(THREE, Rank.FIRST)]


def test_the_author_s_link_is_lost() -> None:
    trees = Trees()
    trees.came_first(AUTHOR, FRAME, ONE, from_author=True)
    stream = trees.get(AUTHOR)
    assert stream is not None
    stream.links = (ONE, TWO)
    assert trees.lost(ONE, lambda _, __: Rank.LAZY, Random(1)) == {AUTHOR: [(TWO, Rank.FIRST)]}
    assert not stream.alone


def test_so_many_authors_and_no_more() -> None:
    trees = Trees()
    for k in range(STREAMS_MAX + 10):
        trees.came_first(StreamId(k.to_bytes(48, "big")), FRAME, ONE, from_author=False)
    assert len(trees) == STREAMS_MAX
    assert trees.get(StreamId(bytes(48))) is None
