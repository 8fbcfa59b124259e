"""Frames that links say they have and we have not: each asked for of one link, then of the next.

To announce is to promise. A link that is asked and does not give within ten seconds has broken its promise, also where
somebody else gave the frame meanwhile: one who announces everything and delivers nothing slows others down (GossipSub
v1.1 §5.2, "P₇"). A link that owes much is asked no further until it gives; what it announces beyond that counts for
nothing, so that inventing ids costs us a bounded memory and two lines on the wire.
"""

from collections import Counter, OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from mesh.ids import LinkId
from mesh.wire import limits
from mesh.wire.gossip import ShortId

ASK_NEXT_MS: Final = 1_000  # then the next link is asked: longer than most round trips; ours
WAIT_MS: Final = 1_000  # how long a long frame is given to come by itself; ours
BROKEN_MS: Final = 10_000  # an honest node that is busy answers within so long; ours
OWED_MAX: Final = 1024  # frames that one link may owe us; ours
OFFERS_MAX: Final = 8192  # frames that we know of and have not; ours
_GIVERS_MAX: Final = 8  # links remembered for one frame; ours


@dataclass(slots=True)
class _Offer:
    ask_ms: int  # when to ask (next)
    givers: list[LinkId] = field(default_factory=list)  # not asked yet


class Promises:
    """What was announced to us and is not here; times are mono."""

    def __init__(self) -> None:
        self._offers: OrderedDict[ShortId, _Offer] = OrderedDict()
        self._owed: dict[LinkId, OrderedDict[ShortId, int]] = {}

    def __len__(self) -> int:
        return len(self._offers)

    @property
    def open(self) -> bool:
        """Whether there is something to look after."""
        return bool(self._offers or self._owed)

    def hear(self, link: LinkId, ids: Iterable[ShortId], wait_ms: int, now_ms: int) -> list[ShortId]:
        """Take in what a link says it has; return what to ask of it at once."""
        fresh: list[ShortId] = []
        for frame in ids:
            offer = self._offers.get(frame)
            if offer is None:
                offer = self._offers[frame] = _Offer(now_ms + wait_ms)
                fresh.append(frame)
            if len(offer.givers) < _GIVERS_MAX and link not in offer.givers:
                offer.givers.append(link)
        while len(self._offers) > OFFERS_MAX:
            self._offers.popitem(last=False)
        asked = [frame for frame in fresh if frame in self._offers] if not wait_ms else []
        return [frame for frame in asked if self._ask(frame, now_ms) == link]

    def ask(self, now_ms: int) -> dict[LinkId, list[ShortId]]:
        """Return what to ask of whom now; what nobody is left to ask for is given up: repair brings it."""
        asked: dict[LinkId, list[ShortId]] = {}
        for frame, offer in list(self._offers.items()):
            if offer.ask_ms > now_ms:
                continue
            link = self._ask(frame, now_ms)
            if link is None:
                del self._offers[frame]
            else:
                asked.setdefault(link, []).append(frame)
        return asked

    def _ask(self, frame: ShortId, now_ms: int) -> LinkId | None:
        offer = self._offers[frame]
        while offer.givers:
            link = offer.givers.pop(0)
            owed = self._owed.setdefault(link, OrderedDict())
            if len(owed) < OWED_MAX:
                owed[frame] = now_ms
                offer.ask_ms = now_ms + ASK_NEXT_MS
                return link
        return None

    def came(self, frame: ShortId, link: LinkId) -> None:
        """A frame came, from `link`."""
        self._offers.pop(frame, None)
        owed = self._owed.get(link)
        if owed is not None:
            owed.pop(frame, None)
            if not owed:
                del self._owed[link]

    def broken(self, now_ms: int) -> Counter[LinkId]:
        """Return how many promises each link has broken since this was last asked."""
        found: Counter[LinkId] = Counter()
        for link, owed in list(self._owed.items()):
            while owed and now_ms - next(iter(owed.values())) >= BROKEN_MS:
                owed.popitem(last=False)
                found[link] += 1
            if not owed:
                del self._owed[link]
        return found

    def drop(self, link: LinkId, now_ms: int) -> None:
        """A link is gone: what it owes is asked of others."""
        for frame in self._owed.pop(link, ()):
            if frame in self._offers:
                self._offers[frame].ask_ms = now_ms
        for offer in self._offers.values():
            if link in offer.givers:
                offer.givers.remove(link)


assert OWED_MAX >= limits.SHORT_IDS_MAX, "one announcement can be asked for whole"
