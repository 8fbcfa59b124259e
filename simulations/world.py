"""The world: real peers under virtual time, with latency, loss, partitions and crashes, all from one seed.

One heap of events and nothing else: no threads, no trio, no wall clock. Links are streams, so loss shows as delay
(what is lost is sent again); a partition or a crash breaks them. Events at the same instant are ordered by seeded
draws, so that nothing can come to rest on an order that real networks do not promise. The trace digest names what
happened: the same scenario, seed and code give the same digest in any process.
"""

import heapq
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Final, assert_never

from mesh.commands import Command
from mesh.errors import LocalError
from mesh.events import (
    Answer,
    Asked,
    Blame,
    Dial,
    Effect,
    Fetch,
    Fetched,
    Forget,
    FrameReceived,
    HangUp,
    Input,
    Instant,
    LinkDown,
    LinkKind,
    LinkUp,
    Notify,
    Persist,
    Send,
    SendStored,
    SetTimer,
    Started,
    Timer,
    TimerFired,
)
from mesh.ids import Address, LinkId, PeerId
from mesh.peer import Peer
from mesh.store.memory import MemoryStore
from mesh.store.starting import starting_records
from simulations.chance import SeededEntropy, SeededSealer, seeded_dice

START_WALL_MS: Final = 1_800_000_000_000  # where virtual time begins; only differences matter
REDIAL_MS: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """What the network is like: one-way latency and its spread, and how often a frame must be sent again."""

    latency_ms: int = 20
    jitter_ms: int = 10
    loss: float = 0.0
    retransmit_ms: int = 200


@dataclass(slots=True)
class Node:
    """One person's machine: the disk outlives the process."""

    name: str
    store: MemoryStore = field(default_factory=MemoryStore)
    peer: Peer | None = None  # None while it is down
    generation: int = 0  # counts starts, so that what was meant for an earlier process is not delivered
    wanted: dict[PeerId, None] = field(default_factory=dict)
    links: dict[LinkId, tuple[str, LinkId]] = field(default_factory=dict)
    timers: dict[Timer, int] = field(default_factory=dict)
    answers: dict[int, Answer] = field(default_factory=dict)
    notices: list[Notify] = field(default_factory=list)
    blames: list[Blame] = field(default_factory=list)
    tokens: int = 0
    commits: int = 0
    crash_at_commit: int | None = None
    skew_ms: int = 0

    @property
    def up(self) -> bool:
        """Whether its process runs."""
        return self.peer is not None

    @property
    def peer_id(self) -> PeerId:
        """The name by which the network knows it."""
        return PeerId(f"peer-{self.name}")

    @property
    def address(self) -> Address:
        """Where it can be reached."""
        return Address(f"/memory/{self.name}/p2p/{self.peer_id}")


class World:
    """A network of nodes. Everything is driven by `ask`, `run` and the weather."""

    def __init__(self, seed: int, weather: Weather | None = None) -> None:
        self.seed = seed
        self.weather = weather or Weather()
        self.now_ms = 0
        self.nodes: dict[str, Node] = {}
        self._heap: list[tuple[int, float, int, Callable[[], None]]] = []
        self._count = 0
        self._ties = seeded_dice(seed, "ties")
        self._network = seeded_dice(seed, "network")
        self._cuts: set[frozenset[str]] = set()
        self._links = 0
        self._arrivals: dict[LinkId, int] = {}
        self._trace = blake2b(digest_size=32)
        self.watchers: list[Callable[[Node, Input, list[Effect]], None]] = []

    # ------------------------------------------------------------ people and machines

    def add(self, name: str) -> Node:
        """Add a node and start it."""
        node = self.nodes[name] = Node(name)
        self.start(name)
        return node

    def start(self, name: str) -> None:
        """Start a node's process from its disk."""
        node = self.nodes[name]
        assert node.peer is None, "it runs already"
        node.generation += 1
        label = f"{name}/{node.generation}"
        entropy = SeededEntropy(self.seed, f"{label}/entropy")
        node.peer = Peer(
            dice=seeded_dice(self.seed, f"{label}/dice"),
            entropy=entropy,
            sealer=SeededSealer(SeededEntropy(self.seed, f"{label}/sealer")),
        )
        self._give(node, Started(records=starting_records(node.store), addresses=(node.address,)))

    def stop(self, name: str) -> None:
        """Stop a node's process at once, as a crash does: what was not committed is gone."""
        node = self.nodes[name]
        for link in list(node.links):
            self._break(node, link)
        node.peer = None
        node.store.crash()
        node.wanted.clear()
        node.timers.clear()
        node.links.clear()

    def ask(self, name: str, command: Command) -> bytes:
        """Have a person ask their running node; return the id it made. Raises the node's LocalError."""
        node = self.nodes[name]
        node.tokens += 1
        self._give(node, Asked(token=node.tokens, command=command))
        answer = node.answers.pop(node.tokens)
        if answer.error is not None:
            raise answer.error
        return answer.subject

    def may_ask(self, name: str, command: Command) -> bool:
        """Have a person ask, whatever the outcome; return whether it was carried out."""
        try:
            self.ask(name, command)
        except LocalError:
            return False
        return True

    # ------------------------------------------------------------ weather

    def cut(self, one: str, other: str) -> None:
        """Cut the path between two nodes: their link breaks, and none can be made."""
        self._cuts.add(frozenset((one, other)))
        for link, (far, _) in list(self.nodes[one].links.items()):
            if far == other:
                self._break(self.nodes[one], link)

    def partition(self, *sides: tuple[str, ...]) -> None:
        """Cut every path between nodes of different sides."""
        for k, side in enumerate(sides):
            for other_side in sides[k + 1 :]:
                for one in side:
                    for other in other_side:
                        self.cut(one, other)

    def heal(self) -> None:
        """Mend every path."""
        self._cuts.clear()

    # ------------------------------------------------------------ time

    def run(self, seconds: float) -> None:
        """Let virtual time pass."""
        end = self.now_ms + round(seconds * 1000)
        while self._heap and self._heap[0][0] <= end:
            self.now_ms, _, _, happen = heapq.heappop(self._heap)
            happen()
        self.now_ms = end

    def run_until(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Let time pass until something holds, at most so long; return whether it does."""
        end = self.now_ms + round(seconds * 1000)
        while not condition():
            if not self._heap or self._heap[0][0] > end:
                self.now_ms = end
                return condition()
            self.now_ms, _, _, happen = heapq.heappop(self._heap)
            happen()
        return True

    @property
    def digest(self) -> str:
        """A name for all that has happened so far."""
        return self._trace.copy().hexdigest()

    def instant(self, node: Node) -> Instant:
        """Return the moment as a node's clocks have it."""
        return Instant(mono_ms=self.now_ms, wall_ms=START_WALL_MS + self.now_ms + node.skew_ms)

    def _at(self, after_ms: int, happen: Callable[[], None]) -> None:
        self._count += 1
        heapq.heappush(self._heap, (self.now_ms + after_ms, self._ties.random(), self._count, happen))

    # ------------------------------------------------------------ the seam

    def _give(self, node: Node, event: Input) -> None:
        """Hand an input to a node and carry out what follows: the second of the two places that interpret effects."""
        waiting: list[Input] = [event]
        while waiting:
            peer = node.peer
            if peer is None:  # it crashed half-way
                return
            current = waiting.pop(0)
            effects = peer.handle(current, self.instant(node))
            self._note(node, current, effects)
            for watch in self.watchers:
                watch(node, current, effects)
            for effect in effects:
                if not node.up:
                    return
                waiting.extend(self._do(node, effect))

    def _do(self, node: Node, effect: Effect) -> list[Input]:
        match effect:
            case Persist():
                node.store.commit(effect.writes, durable=effect.durable)
                node.commits += 1
                if node.commits == node.crash_at_commit:
                    self.stop(node.name)
            case Send():
                self._send(node, effect.link, effect.kind, effect.payload)
            case SendStored():
                for key in effect.keys:
                    value = node.store.get(effect.space, key)
                    if value is not None:
                        self._send(node, effect.link, LinkKind.FRAME, value)
            case Fetch():
                values = tuple(node.store.get(effect.space, key) for key in effect.keys)
                return [Fetched(ticket=effect.ticket, values=values)]
            case Dial():
                node.wanted[effect.peer] = None
                self._dial_soon(node, effect.peer, 0)
            case Forget():
                node.wanted.pop(effect.peer, None)
            case HangUp():
                self._break(node, effect.link)
            case SetTimer():
                self._set_timer(node, effect.timer, effect.after_ms)
            case Notify():
                node.notices.append(effect)
            case Blame():
                node.blames.append(effect)
            case Answer():
                node.answers[effect.token] = effect
            case _:
                assert_never(effect)
        return []

    def _note(self, node: Node, event: Input, effects: list[Effect]) -> None:
        line = f"{self.now_ms} {node.name} {type(event).__name__}"
        self._trace.update(line.encode())
        if isinstance(event, FrameReceived):
            self._trace.update(event.payload)
        for effect in effects:
            self._trace.update(type(effect).__name__.encode())
            if isinstance(effect, Persist):
                for write in effect.writes:
                    self._trace.update(repr(write).encode())

    # ------------------------------------------------------------ timers

    def _set_timer(self, node: Node, timer: Timer, after_ms: int | None) -> None:
        number = node.timers.get(timer, 0) + 1
        node.timers[timer] = number
        if after_ms is None:
            return
        generation = node.generation

        def fire() -> None:
            if node.peer is not None and node.generation == generation and node.timers.get(timer) == number:
                self._give(node, TimerFired(timer=timer))

        self._at(after_ms, fire)

    # ------------------------------------------------------------ links

    def _dial_soon(self, node: Node, peer: PeerId, after_ms: int) -> None:
        generation = node.generation

        def dial() -> None:
            if node.peer is None or node.generation != generation or peer not in node.wanted:
                return
            far = self._by_peer.get(peer)
            if far is None or far.name == node.name or self._linked(node, far):
                self._dial_soon(node, peer, REDIAL_MS)
                return
            if far.peer is not None and frozenset((node.name, far.name)) not in self._cuts:
                self._connect(node, far)
            self._dial_soon(node, peer, REDIAL_MS)

        self._at(after_ms + self._delay(), dial)

    @property
    def _by_peer(self) -> Mapping[PeerId, Node]:
        return {node.peer_id: node for node in self.nodes.values()}

    def _linked(self, node: Node, far: Node) -> bool:
        return any(name == far.name for name, _ in node.links.values())

    def _connect(self, node: Node, far: Node) -> None:
        self._links += 2
        here, there = LinkId(self._links), LinkId(self._links + 1)
        nonces = [self._network.randbytes(32) for _ in range(2)]
        node.links[here], far.links[there] = (far.name, there), (node.name, here)
        ends = ((node, far, here, nonces, True), (far, node, there, nonces[::-1], False))
        for one, other, link, (own_nonce, peer_nonce), outbound in ends:
            self._give(
                one,
                LinkUp(
                    link=link,
                    peer=other.peer_id,
                    own=one.peer_id,
                    own_nonce=own_nonce,
                    peer_nonce=peer_nonce,
                    outbound=outbound,
                ),
            )
            if node.peer is None or far.peer is None:
                return

    def _break(self, node: Node, link: LinkId) -> None:
        ends = node.links.pop(link, None)
        if ends is None:
            return
        far = self.nodes[ends[0]]
        far.links.pop(ends[1], None)
        for one, gone in ((node, link), (far, ends[1])):
            self._at(0, lambda one=one, gone=gone, g=one.generation: self._lost(one, gone, g))  # type: ignore[misc]

    def _lost(self, node: Node, link: LinkId, generation: int) -> None:
        if node.peer is not None and node.generation == generation:
            self._give(node, LinkDown(link=link))

    def _send(self, node: Node, link: LinkId, kind: LinkKind, payload: bytes) -> None:
        ends = node.links.get(link)
        if ends is None:
            return
        far, there = self.nodes[ends[0]], ends[1]
        arrival = max(self.now_ms + self._delay(), self._arrivals.get(link, 0))
        self._arrivals[link] = arrival
        generation = far.generation

        def arrive() -> None:
            if far.peer is not None and far.generation == generation and there in far.links:
                self._give(far, FrameReceived(link=there, kind=kind, payload=payload))

        # A stream keeps its order, so frames of one link that arrive together do so in the order of sending.
        self._count += 1
        heapq.heappush(self._heap, (arrival, 0.0 if arrival > self.now_ms else 1.0, self._count, arrive))

    def _delay(self) -> int:
        delay = self.weather.latency_ms + self._network.randrange(self.weather.jitter_ms + 1)
        while self.weather.loss and self._network.random() < self.weather.loss:
            delay += self.weather.retransmit_ms
        return delay
