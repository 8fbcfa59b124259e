"""Which link brings us an author's frames: the first to bring one, and a spare; all others announce.

Plumtree (Leitão, Pereira and Rodrigues, SRDS 2007) with a tree for each author instead of one for all, so that each is
the tree of the shortest ways from its author: whoever brings a frame first becomes the *first*, the next one the
*spare*, and everybody else is told to announce only. Short frames come from both, so that a lost segment or a dead
neighbour delays nobody; long ones from the first alone. In a full mesh the author's own link needs no spare, and each
frame crosses each link from its author once.

Which author a frame is from is known to those who can open it, that is to members; on the wire a stream is named by any
frame of it.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from mesh.gossip.seen import StreamId
from mesh.ids import Dice, LinkId
from mesh.wire.gossip import Rank, ShortId

STREAMS_MAX: Final = 8192  # authors remembered; ours
MISSED_MAX: Final = 3  # frames that the spare brought before the first: then they change places; ours

Wishes = list[tuple[LinkId, Rank]]  # whom to tell how we want the stream


@dataclass(slots=True)
class Stream:
    """Who brings us an author's frames."""

    last: ShortId  # its newest frame, by which others know what we speak of
    first: LinkId | None = None
    spare: LinkId | None = None
    alone: bool = False  # `first` is the author itself, in a full mesh: no spare
    missed: int = 0  # frames in a row that the spare brought first
    links: tuple[LinkId, ...] = ()  # all who share the group


class Trees:
    """Our place in each author's tree."""

    def __init__(self) -> None:
        self._streams: OrderedDict[StreamId, Stream] = OrderedDict()

    def __len__(self) -> int:
        return len(self._streams)

    def get(self, stream: StreamId) -> Stream | None:
        """Return what is known of an author."""
        return self._streams.get(stream)

    def came_first(self, stream: StreamId, frame: ShortId, link: LinkId, *, from_author: bool) -> Wishes:
        """A frame came that was not here. `from_author`: from its author itself, in a full mesh."""
        known = self._streams.setdefault(stream, Stream(frame))
        self._streams.move_to_end(stream)
        while len(self._streams) > STREAMS_MAX:
            self._streams.popitem(last=False)
        known.last = frame
        if from_author:
            return self._make_alone(known, link)
        if known.alone:  # the author's own push was late or left out
            return [(link, Rank.LAZY)]
        if known.first is None:
            known.first, known.spare = link, None
            return [(link, Rank.FIRST)]
        if link == known.first:
            known.missed = 0
            return []
        if link == known.spare:
            known.missed += 1
            return self._promote(known, link) if known.missed >= MISSED_MAX else []
        return self._promote(known, link)

    def came_again(self, stream: StreamId, link: LinkId) -> Wishes:
        """A frame came that was here."""
        known = self._streams.get(stream)
        if known is None or link in (known.first, known.spare):
            return []
        if known.spare is None and not known.alone:
            known.spare = link
            return [(link, Rank.SPARE)]
        return [(link, Rank.LAZY)]

    def lost(self, link: LinkId, takes: Callable[[LinkId, StreamId], Rank], dice: Dice) -> dict[StreamId, Wishes]:
        """A link is gone: its spare takes the place of a first, and others by dice the places that are free.

        `takes`: how a link takes that author's frames from us. Who takes them all would wait for us, and we for it.
        """
        wishes: dict[StreamId, Wishes] = {}
        for stream, known in self._streams.items():
            known.links = tuple(other for other in known.links if other != link)
            if link not in (known.first, known.spare):
                continue
            wishes[stream] = told = []
            if link == known.first:
                known.first, known.alone, known.missed = known.spare, False, 0
                told += [(known.first, Rank.FIRST)] if known.first is not None else []
            known.spare = None
            if known.first is None:
                known.first = _draw(known, stream, takes, dice)
                told += [(known.first, Rank.FIRST)] if known.first is not None else []
            known.spare = _draw(known, stream, takes, dice)
            told += [(known.spare, Rank.SPARE)] if known.spare is not None else []
        return wishes

    @staticmethod
    def _make_alone(known: Stream, link: LinkId) -> Wishes:
        gone = [other for other in (known.first, known.spare) if other is not None and other != link]
        known.first, known.spare, known.alone, known.missed = link, None, True, 0
        return [(other, Rank.LAZY) for other in gone]

    @staticmethod
    def _promote(known: Stream, link: LinkId) -> Wishes:
        """Whoever was faster becomes the first, and the first the spare."""
        assert known.first is not None
        wishes: Wishes = [(link, Rank.FIRST), (known.first, Rank.SPARE)]
        if known.spare is not None and known.spare != link:
            wishes.append((known.spare, Rank.LAZY))
        known.first, known.spare, known.missed = link, known.first, 0
        return wishes


def _draw(known: Stream, stream: StreamId, takes: Callable[[LinkId, StreamId], Rank], dice: Dice) -> LinkId | None:
    """Draw a link that may bring the stream: one that does not take it from us, else one that takes it as a spare."""
    for rank in (Rank.LAZY, Rank.SPARE):
        free = [link for link in known.links if link != known.first and takes(link, stream) is rank]
        if free:
            return free[dice.randrange(len(free))]
    return None
