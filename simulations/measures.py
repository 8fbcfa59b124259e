"""Measures: what a run cost and how long it took, counted beside the world while it goes on.

Counted at the seam, where frames go in and out, and in what is written: so a node says nothing of itself that is taken
on trust. Bytes are those of frames, without what a transport adds to them.
"""

from collections import Counter
from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from typing import Final, TypeAlias

from mesh.events import Effect, FrameReceived, Input, LinkKind, Persist, Put, Send, SendStored, Space, Started
from mesh.groups.records import load
from mesh.ids import JoinId, LinkId
from mesh.peer.records import JoinRecord, JoinStage
from mesh.wire.frames import FrameType
from simulations.returns import Return, Returns
from simulations.world import Node, World

Json: TypeAlias = str | int | float | bool | list["Json"] | dict[str, "Json"] | None

MESSAGE: Final = bytes([FrameType.MESSAGE])
TRACED_MAX: Final = 64  # message frames whose way is kept whole, for the picture of one
SERIES_MS: Final = 1_000  # one row of bytes over time
KEY_BYTES: Final = 8  # of a frame's hash: told apart within a run


@dataclass(slots=True)
class Traffic:
    """What one node sent and received: frames' bytes by their kind on the link."""

    up: Counter[LinkKind] = field(default_factory=Counter)
    down: Counter[LinkKind] = field(default_factory=Counter)
    first: int = 0  # bytes of message frames that came for the first time: payload; all else is its price
    given: int = 0  # bytes of message frames that came from here to somebody for the first time
    frames: int = 0  # message frames that came
    fresh: int = 0  # of these, for the first time


@dataclass(frozen=True, slots=True)
class Hop:
    """One leg of a message frame's way: when it left and came, from whom to whom."""

    left_ms: int
    at_ms: int
    one: str
    other: str
    fresh: bool


@dataclass(slots=True)
class Measures:
    """Counts what happens in a world."""

    world: World
    traffic: dict[str, Traffic] = field(default_factory=dict)
    returns: Returns = field(default_factory=Returns)
    series: dict[int, list[int]] = field(default_factory=dict)  # second → bytes of payload and of all else that came
    pairs: Counter[tuple[str, str]] = field(default_factory=Counter)  # from whom, to whom → bytes that came
    hops: dict[int, int] = field(default_factory=dict)  # legs from the author → first arrivals
    ways: dict[bytes, list[Hop]] = field(default_factory=dict)  # frame's key → legs, for the first TRACED_MAX
    joins: dict[JoinId, int] = field(default_factory=dict)  # when somebody began to look
    joined: dict[JoinId, int] = field(default_factory=dict)  # how long it took them, in ms
    marks: list[tuple[int, int]] = field(default_factory=list)  # when, all bytes that had arrived by then
    crossed: dict[tuple[str, str], Counter[bytes]] = field(default_factory=dict)  # (from, to) → frame's key → how often
    queued: int = 0  # the most frames that were under way at once
    _seen: dict[str, dict[bytes, int]] = field(default_factory=dict)  # node → frame's key → legs from the author
    _born: dict[bytes, int] = field(default_factory=dict)  # frame's key → when it first went out
    _left: dict[tuple[bytes, str, str], int] = field(default_factory=dict)  # key, from, to → when it last left

    @staticmethod
    def over(world: World) -> "Measures":
        """Measure a world from now on."""
        measures = Measures(world)
        world.watchers.append(measures.step)
        return measures

    def looks(self, join: JoinId) -> None:
        """Learn that somebody looks for a group from now on."""
        self.joins[join] = self.world.now_ms

    def mark(self) -> None:
        """Note the time and all bytes so far."""
        self.marks.append((self.world.now_ms, sum(sum(one.down.values()) for one in self.traffic.values())))

    @property
    def idle_bytes_s(self) -> float | None:
        """What a node received each second between the first mark and the last; None without two."""
        if len(self.marks) < 2 or not self.traffic:
            return None
        (first_ms, first), (last_ms, last) = self.marks[0], self.marks[-1]
        return (last - first) * 1000 / max(1, last_ms - first_ms) / len(self.traffic)

    def step(self, node: Node, event: Input, effects: list[Effect]) -> None:
        """Count one step."""
        now_ms = self.world.now_ms
        if isinstance(event, Started):
            self.returns.starts(node, now_ms)
        elif isinstance(event, FrameReceived):
            self._came(node, event)
        for effect in effects:
            if isinstance(effect, Send):
                self._goes(node, effect.link, effect.kind, effect.payload)
            elif isinstance(effect, SendStored):
                for key in effect.keys:
                    self._goes(node, effect.link, effect.kind, node.store.get(effect.space, key) or b"")
            elif isinstance(effect, Persist):
                self._entered(effect)
        self.queued = max(self.queued, self.world.frames_under_way)

    def _entered(self, persist: Persist) -> None:
        for write in persist.writes:
            if isinstance(write, Put) and write.space is Space.JOINS and write.key in self.joins:
                join = JoinId(write.key)
                if load(JoinRecord, write.value).stage is JoinStage.JOINED:
                    self.joined.setdefault(join, self.world.now_ms - self.joins[join])

    def of(self, node: Node) -> Traffic:
        """Give a node's counts."""
        return self.traffic.setdefault(node.name, Traffic())

    def _goes(self, node: Node, link: LinkId, kind: LinkKind, payload: bytes) -> None:
        self.of(node).up[kind] += len(payload)
        far = node.links[link][0] if link in node.links else ""
        self.returns.goes(node.name, far)
        if kind is LinkKind.FRAME and payload[:1] == MESSAGE:
            key = _key(payload)
            self._seen.setdefault(node.name, {}).setdefault(key, 0)
            self._born.setdefault(key, self.world.now_ms)
            if len(self._born) <= TRACED_MAX or key in self.ways:
                self._left[key, node.name, far] = self.world.now_ms

    def _came(self, node: Node, event: FrameReceived) -> None:
        size, now_ms = len(event.payload), self.world.now_ms
        far = node.links[event.link][0] if event.link in node.links else ""
        traffic = self.of(node)
        traffic.down[LinkKind(event.kind)] += size
        self.pairs[far, node.name] += size
        self.returns.comes(node.name, far, size)
        fresh = False
        if event.kind is LinkKind.FRAME and event.payload[:1] == MESSAGE:
            key = _key(event.payload)
            self.crossed.setdefault((far, node.name), Counter())[key] += 1
            seen = self._seen.setdefault(node.name, {})
            fresh = key not in seen
            traffic.frames += 1
            if fresh:
                traffic.fresh += 1
                traffic.first += size
                self.traffic.setdefault(far, Traffic()).given += size
                seen[key] = self._seen.get(far, {}).get(key, 0) + 1
                self.hops[seen[key]] = self.hops.get(seen[key], 0) + 1
                self.returns.gets(node.name, self._born.get(key, now_ms), now_ms)
            if key in self.ways or len(self.ways) < TRACED_MAX:
                left_ms = self._left.get((key, far, node.name), now_ms)
                self.ways.setdefault(key, []).append(Hop(left_ms, now_ms, far, node.name, fresh))
        self.series.setdefault(now_ms // SERIES_MS, [0, 0])[0 if fresh else 1] += size

    @property
    def way(self) -> list[Hop]:
        """The legs of one message frame: of those traced, one that came to most nodes; the slowest of them."""
        return max(self.ways.values(), key=_reach, default=[])

    def nodes(self) -> dict[str, dict[str, int]]:
        """Give what each node sent and received: bytes of messages that were new to who got them, and all other."""
        return {
            name: {
                "payload_up": one.given,
                "control_up": sum(one.up.values()) - one.given,
                "payload_down": one.first,
                "control_down": sum(one.down.values()) - one.first,
                "frames": one.frames,
                "fresh": one.fresh,
            }
            for name, one in sorted(self.traffic.items())
        }

    def to_json(self) -> dict[str, Json]:
        """Give what `result.json` holds of them: legs of messages, each node's bytes, and each return."""
        return {
            "hops": {str(legs): count for legs, count in sorted(self.hops.items())},
            "nodes": {name: dict(counts) for name, counts in self.nodes().items()},
            "catch_up": [asdict(one) for one in self.caught_up()],
        }

    def caught_up(self) -> list[Return]:
        """Give each return of a node that missed something and got it."""
        return self.returns.ended()

    @property
    def copies(self) -> float:
        """Message frames that came, for each that came for the first time."""
        fresh = sum(traffic.fresh for traffic in self.traffic.values())
        return sum(traffic.frames for traffic in self.traffic.values()) / fresh if fresh else 0.0


def _key(payload: bytes) -> bytes:
    return blake2b(payload, digest_size=KEY_BYTES).digest()


def _reach(way: list[Hop]) -> tuple[int, int]:
    fresh = [hop for hop in way if hop.fresh]
    return len(fresh), max((hop.at_ms for hop in fresh), default=0) - way[0].left_ms


def percentile(values: list[int], share: float) -> int:
    """Give the value that a share of all values does not pass: the nearest rank. 0 for none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -(-len(ordered) * round(share * 1000) // 1000) - 1))] if ordered else 0
