"""Who gets a frame next: at once, as an id, or not at all (network.md §3).

Whoever speaks sends to all its links. Whoever passes on sends at once to those who asked for that author's frames
(`trees`), and to others ids, in batches; who lacks one asks for it (`promises`). Where nobody has said anything about
an author yet, a short frame goes to D = 5 of those that may lack it, a long one as an id that may be asked for at once.
In a full mesh what came from its author itself goes to nobody but as an id: the author sends to all.

A frame is passed on after it was checked, opened and stored, so ids stand for what is here. A link may ask once for
what was announced to it and for nothing else: asking cannot be made to cost more than listening.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

from mesh.errors import Fault, RemoteError
from mesh.events import LinkKind, Send, SendClass
from mesh.gossip.allowance import Allowance
from mesh.gossip.promises import WAIT_MS, Promises
from mesh.gossip.seen import SeenFrames, StreamId
from mesh.gossip.trees import Trees, Wishes
from mesh.ids import Dice, FrameId, LinkId
from mesh.wire import limits
from mesh.wire.gossip import Pace, Rank, ShortId, pack_ids, short, unpack_ids

D: Final = 5  # links that get a short frame of an author of whom nothing is known yet; 4 make longer ways (0021)
LONG_BYTES: Final = 4096  # frames above are long; network.md §3
FULL_MESH: Final = 8  # nodes, ourselves included, that are all linked with each other; network.md §3
ANNOUNCE_MS: Final = 200  # ids are gathered for so long
ANNOUNCE_SPREAD_MS: Final = 300  # and up to so much longer; network.md §3
CALM_MS: Final = 1_000  # ids of messages that their authors sent to everybody, in a full mesh; ours
BROKEN_PER_BLAME: Final = 32  # broken promises that are one fault; ours
RANKS_MAX: Final = 4096  # authors of whom a link said how it wants their frames; ours
ANNOUNCED_MAX: Final = 8192  # announced ids that a link may still ask for; ours
# Ids that a link may bring, of each kind. We announce 512 in 200 ms at most, half of what we take.
IDS_PER_S: Final = 5 * limits.SHORT_IDS_MAX * 2
IDS_BURST: Final = 32 * limits.SHORT_IDS_MAX
_FLAGS: Final[dict[LinkKind, tuple[int, ...]]] = {
    LinkKind.IHAVE: tuple(Pace),
    LinkKind.WANT: (0,),
    LinkKind.PRUNE: (Rank.LAZY,),
    LinkKind.GRAFT: (Rank.FIRST, Rank.SPARE),
}
K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Passing:
    """A frame on its way through here."""

    frame: FrameId
    frame_bytes: int
    stream: StreamId | None  # whose it is, where that is known
    own: bool = False  # we speak ourselves
    from_author: bool = False  # it came from its author itself, in a full mesh
    calm: bool = False  # and hardly anybody needs an id of it: a message, and no operation, on which much may wait
    pushed: bool = True  # it was sent to us because it is new, and not because we asked for what we had missed


@dataclass(slots=True)
class _Neighbour:
    """What is known of a link."""

    wants: OrderedDict[StreamId, Rank] = field(default_factory=OrderedDict)  # how it wants frames of ours
    told: OrderedDict[StreamId, Rank] = field(default_factory=OrderedDict)  # how we said that we want its
    queue: OrderedDict[ShortId, Pace] = field(default_factory=OrderedDict)  # to be announced
    announced: OrderedDict[ShortId, None] = field(default_factory=OrderedDict)  # and not asked for yet
    allowances: dict[LinkKind, Allowance] = field(default_factory=dict)
    broken: int = 0  # promises, of which it was not blamed yet

    def count_broken(self, count: int) -> int:
        """Count broken promises; return how many faults they come to."""
        faults, self.broken = divmod(self.broken + count, BROKEN_PER_BLAME)
        return faults


class Spread:
    """How frames spread from here; times are mono."""

    def __init__(self, seen: SeenFrames) -> None:
        self._seen = seen
        self._neighbours: dict[LinkId, _Neighbour] = {}
        self._waited_for = False  # an id is queued that somebody may need
        self.trees = Trees()
        self.promises = Promises()

    @property
    def due(self) -> bool:
        """Whether `flush` has something to do, some time soon."""
        return self.promises.open or any(n.queue for n in self._neighbours.values())

    @property
    def urgent(self) -> bool:
        """Whether it should be within ANNOUNCE_MS, and not CALM_MS."""
        return self._waited_for or self.promises.open

    # ---------------------------------------------------------------- links

    def link_up(self, link: LinkId) -> None:
        """A link stands."""
        self._neighbours[link] = _Neighbour()

    def link_down(self, link: LinkId, now_ms: int, dice: Dice) -> list[Send]:
        """A link is gone: others take its place in the trees."""
        if self._neighbours.pop(link, None) is None:
            return []
        self.promises.drop(link, now_ms)
        said: dict[tuple[LinkId, Rank], list[ShortId]] = {}
        for stream, wishes in self.trees.lost(link, self._takes, dice).items():
            known = self.trees.get(stream)
            assert known is not None
            for other, rank in self._news(stream, wishes):
                said.setdefault((other, rank), []).append(known.last)
        return [send for (other, rank), ids in said.items() for send in _say_rank(other, rank, ids)]

    def _takes(self, link: LinkId, stream: StreamId) -> Rank:
        neighbour = self._neighbours.get(link)
        return Rank.FIRST if neighbour is None else neighbour.wants.get(stream, Rank.LAZY)

    # ---------------------------------------------------------------- frames

    def came(self, frame: FrameId, link: LinkId | None, stream: StreamId | None, *, from_author: bool) -> list[Send]:
        """A fresh frame was taken in; return how to tell others that we want its author's frames.

        `from_author`: it came from its author itself, in a full mesh.
        """
        self._seen.note_stream(frame, stream)
        if stream is None or link not in self._neighbours:
            return []
        assert link is not None
        wishes = self.trees.came_first(stream, short(frame), link, from_author=from_author)
        return [s for other, rank in self._news(stream, wishes) for s in _say_rank(other, rank, [short(frame)])]

    def came_again(self, frame: FrameId, link: LinkId) -> list[Send]:
        """A frame came that was here already."""
        stream = self._seen.stream_of(short(frame))
        if stream is None or link not in self._neighbours:
            return []
        wishes = self.trees.came_again(stream, link)
        return [s for other, rank in self._news(stream, wishes) for s in _say_rank(other, rank, [short(frame)])]

    def _news(self, stream: StreamId, wishes: Wishes) -> Wishes:
        """Return what the links have not been told yet, and note that they will be."""
        news: Wishes = []
        for link, rank in wishes:
            neighbour = self._neighbours.get(link)
            if neighbour is not None and neighbour.told.get(stream) is not rank:
                _put(neighbour.told, stream, rank, RANKS_MAX)
                news.append((link, rank))
        return news

    def pass_on(self, passing: Passing, links: Sequence[LinkId], dice: Dice) -> tuple[list[LinkId], list[Send]]:
        """Return to whom a frame goes at once, and what else to say now; the others hear its id soon.

        `links`: the members who share the group.
        """
        frame, stream = short(passing.frame), passing.stream
        links = [link for link in links if link in self._neighbours]
        known = self.trees.get(stream) if stream is not None else None
        if known is not None:
            known.links = tuple(links)
        holders = self._seen.holders(frame)
        lacking = [link for link in links if link not in holders]
        if passing.own:
            self._seen.note_stream(passing.frame, stream)
            return self._seen.targets(passing.frame, lacking), []
        is_long = passing.frame_bytes > LONG_BYTES
        wanted = {link: self._neighbours[link].wants.get(stream) if stream else None for link in links}
        eager = [link for link in lacking if passing.pushed and _is_eager(wanted[link], is_long)]
        urgent: list[LinkId] = []
        if passing.pushed and not passing.from_author and all(rank is None for rank in wanted.values()):
            eager, urgent = ([], lacking) if is_long else (_draw(lacking, D, dice), [])
        for link in lacking:
            if link not in eager and link not in urgent:
                self._neighbours[link].queue[frame] = Pace.WAIT if is_long else Pace.ASK
                self._waited_for = self._waited_for or not passing.calm
        sends = [send for link in urgent for send in self._announce(link, {frame: Pace.ASK})]
        return self._seen.targets(passing.frame, eager), sends

    # ---------------------------------------------------------------- ids

    def flush(self, now_ms: int) -> tuple[list[Send], list[LinkId]]:
        """Announce what has gathered, and ask again for what was not given; return that, and whom to blame."""
        self._waited_for = False
        sends: list[Send] = []
        for link, neighbour in self._neighbours.items():
            lacking = {f: pace for f, pace in neighbour.queue.items() if not self._seen.has(f, link)}
            neighbour.queue.clear()
            newest = dict(list(lacking.items())[-limits.SHORT_IDS_MAX :])  # repair brings what is left out
            sends += self._announce(link, newest)
        for link, ids in self.promises.ask(now_ms).items():
            sends += _say(link, LinkKind.WANT, 0, ids)
        blamed = []
        for link, count in self.promises.broken(now_ms).items():
            blamed += [link] * self._neighbours[link].count_broken(count)
        return sends, blamed

    def _announce(self, link: LinkId, ids: dict[ShortId, Pace]) -> list[Send]:
        sends: list[Send] = []
        for pace in Pace:
            some = [frame for frame, each in ids.items() if each is pace]
            sends += _say(link, LinkKind.IHAVE, pace, some)
        for frame in ids:
            _put(self._neighbours[link].announced, frame, None, ANNOUNCED_MAX)
        return sends

    def hear_ids(self, link: LinkId, payload: bytes, now_ms: int) -> list[Send]:
        """A link announces frames; return what to ask of it at once. RemoteError."""
        flag, ids = self._take(link, LinkKind.IHAVE, payload, now_ms)
        fresh = []
        for frame in ids:
            if self._seen.knows(frame):
                self._seen.note_holder(frame, link)
            else:
                fresh.append(frame)
        asked = self.promises.hear(link, fresh, WAIT_MS if flag == Pace.WAIT else 0, now_ms)
        return _say(link, LinkKind.WANT, 0, asked)

    def hear_wanted(self, link: LinkId, payload: bytes, now_ms: int) -> list[ShortId]:
        """A link asks for frames; return those that were announced to it and not asked for before. RemoteError."""
        _, ids = self._take(link, LinkKind.WANT, payload, now_ms)
        announced = self._neighbours[link].announced
        given = [frame for frame in ids if frame in announced]
        for frame in given:
            del announced[frame]
            self._seen.note_holder(frame, link)
        return given

    def hear_rank(self, link: LinkId, kind: LinkKind, payload: bytes, now_ms: int) -> None:
        """A link says how it wants the frames of whoever said these (PRUNE, GRAFT). RemoteError."""
        flag, ids = self._take(link, kind, payload, now_ms)
        for frame in ids:
            stream = self._seen.stream_of(frame)
            if stream is not None:
                _put(self._neighbours[link].wants, stream, Rank(flag), RANKS_MAX)

    def _take(self, link: LinkId, kind: LinkKind, payload: bytes, now_ms: int) -> tuple[int, list[ShortId]]:
        """Read a list of ids, within what a link may bring; RemoteError."""
        flag, ids = unpack_ids(payload, _FLAGS[kind])
        allowances = self._neighbours[link].allowances
        allowance = allowances.get(kind)
        if allowance is None:
            allowance = allowances[kind] = Allowance(IDS_PER_S, IDS_BURST, now_ms)
        if not allowance.take(len(ids), now_ms):
            raise RemoteError(Fault.OVER_LIMIT, "more ids of frames than a link may bring")
        return flag, ids


def _say(link: LinkId, kind: LinkKind, flag: int, ids: Sequence[ShortId]) -> list[Send]:
    payloads = pack_ids(flag, ids)
    return [Send(link=link, kind=kind, payload=payload, send_class=SendClass.CONTROL) for payload in payloads]


def _say_rank(link: LinkId, rank: Rank, ids: Sequence[ShortId]) -> list[Send]:
    return _say(link, LinkKind.PRUNE if rank is Rank.LAZY else LinkKind.GRAFT, rank, ids)


def _is_eager(rank: Rank | None, is_long: bool) -> bool:
    return rank is Rank.FIRST or (rank is Rank.SPARE and not is_long)


def _draw(links: list[LinkId], count: int, dice: Dice) -> list[LinkId]:
    """Draw so many links, or all."""
    left = list(links)
    return [left.pop(dice.randrange(len(left))) for _ in range(min(max(0, count), len(left)))]


def _put(table: OrderedDict[K, V], key: K, value: V, size_max: int) -> None:
    table[key] = value
    table.move_to_end(key)
    while len(table) > size_max:
        table.popitem(last=False)
