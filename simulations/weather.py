"""The weather between machines: how long a frame takes, what gets lost, which paths are cut or clogged.

Links are streams, so loss shows as delay (what is lost is sent again) and order is kept within a class of frames, as
the node's outbox keeps it; between classes there is none. A *cut* breaks the links of a path and lets none be made. A
*clog* is one-way: what is sent waits, the link stands, and all of it comes through when the path clears, as on a
half-open connection that recovers.

Duplicates and reordering are what no stream does; they are there for those who ask what the core would bear. A line of
some kbit/s sends one frame after the other. Each direction draws from a stream of its own, so that adding a machine
shifts nobody else's weather.
"""

import random
from dataclasses import dataclass, field
from typing import Final

from mesh.events import LinkKind, SendClass
from simulations.chance import seeded_dice
from simulations.regions import PLAIN, Machine, Nat, Reach, one_way_ms, reach

REDIAL_MS: Final = 1_000
REDIAL_MS_MAX: Final = 8_000
REORDER_MS: Final = 400  # so much later comes a frame that others pass; ours


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """What the network is like: one-way latency and its spread, and how often a frame must be sent again."""

    latency_ms: int = 20
    jitter_ms: int = 10
    loss: float = 0.0
    retransmit_ms: int = 200
    duplicates: float = 0.0  # how often a frame comes twice
    reorder: float = 0.0  # how often a frame lets others of its class pass it


CALM: Final = Weather()


@dataclass(frozen=True, slots=True)
class Parcel:
    """A frame on its way."""

    kind: LinkKind
    payload: bytes
    send_class: SendClass


@dataclass(slots=True)
class Pipe:
    """One direction of one link: what waits in a clogged path, and when the last frame of each class arrives."""

    held: list[Parcel] = field(default_factory=list)
    last: dict[SendClass, tuple[int, float]] = field(default_factory=dict)

    def place(self, send_class: SendClass, arrival_ms: int, draw: float) -> tuple[int, float]:
        """Return when a frame arrives and where among all that happens then: after its class's last one."""
        before_ms, before = self.last.get(send_class, (-1, 0.0))
        if arrival_ms > before_ms:
            place = (arrival_ms, draw)
        else:
            place = (before_ms, before + (1.0 - before) * draw)
        self.last[send_class] = place
        return place


class Paths:
    """Which machines can reach which, and how long it takes."""

    def __init__(self, seed: int, weather: Weather) -> None:
        self.weather = weather
        self.machines: dict[str, Machine] = {}
        self._seed = seed
        self._free_ms: dict[str, float] = {}  # when a machine's line has sent what waits in it
        self._cuts: dict[frozenset[str], None] = {}
        self._clogs: dict[tuple[str, str], None] = {}
        self._dice: dict[str, random.Random] = {}

    def dice(self, label: str) -> random.Random:
        """Return the stream of draws for one label."""
        if label not in self._dice:
            self._dice[label] = seeded_dice(self._seed, label)
        return self._dice[label]

    def delay_ms(self, one: str, other: str) -> int:
        """Draw how long a frame takes from one machine to another."""
        dice = self.dice(f"path/{one}/{other}")
        delay = self._way_ms(one, other) + dice.randrange(self.weather.jitter_ms + 1)
        while self.weather.loss and dice.random() < self.weather.loss:
            delay += self.weather.retransmit_ms
        return delay

    def _way_ms(self, one: str, other: str) -> int:
        """Give how long the way is without what happens on it: through a relay, both legs."""
        here, there = self.machines.get(one, PLAIN), self.machines.get(other, PLAIN)
        if not here.region or not there.region:
            way = self.weather.latency_ms
        else:
            way = one_way_ms(here.region, there.region)
        return 2 * way if self.how(one, other) is Reach.RELAYED else way

    def sent_ms(self, one: str, size: int, now_ms: int) -> int:
        """Send `size` B over a machine's line; return how long they wait there and take."""
        kbit_s = self.machines.get(one, PLAIN).kbit_s
        if not kbit_s:
            return 0
        self._free_ms[one] = max(self._free_ms.get(one, 0.0), float(now_ms)) + size * 8 / kbit_s
        return round(self._free_ms[one] - now_ms)

    def how(self, one: str, other: str) -> Reach:
        """Say how one machine comes to another."""
        here, there = self.machines.get(one, PLAIN), self.machines.get(other, PLAIN)
        if here.nat is Nat.NONE and there.nat is Nat.NONE:
            return Reach.DIRECT
        return reach(here, there, relay=any(machine.relays for machine in self.machines.values()))

    def draws(self, share: float, label: str) -> bool:
        """Draw whether something happens that does so with this share; nothing is drawn where it never does."""
        return share > 0 and self.dice(label).random() < share

    def cut(self, one: str, other: str) -> None:
        """Cut a path both ways."""
        self._cuts[frozenset((one, other))] = None

    def is_cut(self, one: str, other: str) -> bool:
        """Say whether no link can stand between two machines."""
        return frozenset((one, other)) in self._cuts

    def clog(self, one: str, other: str) -> None:
        """Hold what goes from one machine to the other, and only in that direction."""
        self._clogs[one, other] = None

    def is_clogged(self, one: str, other: str) -> bool:
        """Say whether what is sent in this direction waits."""
        return (one, other) in self._clogs

    def clear(self) -> None:
        """Mend every path."""
        self._cuts.clear()
        self._clogs.clear()
