"""The world: real peers under virtual time, with weather, partitions, crashes and wrong clocks, all from one seed.

One heap of events and nothing else: no threads, no trio, no wall clock. Events at the same instant are ordered by
seeded draws, so that nothing can come to rest on an order that real networks do not promise; frames of one class on
one link keep theirs. The trace digest names what happened: the same scenario, seed and code give the same digest in
any process and under any PYTHONHASHSEED.
"""

import heapq
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from enum import Enum
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
    Forget,
    FrameReceived,
    HangUp,
    Input,
    Instant,
    LinkDown,
    LinkUp,
    Notify,
    Persist,
    Scan,
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
from mesh.store.reading import read_for
from mesh.store.starting import starting_records
from simulations.chance import SeededEntropy, SeededSealer, seeded_dice
from simulations.regions import Reach
from simulations.weather import REDIAL_MS, REDIAL_MS_MAX, REORDER_MS, Parcel, Paths, Pipe, Weather

START_WALL_MS: Final = 1_800_000_000_000  # where virtual time begins; only differences matter
FETCH_MS_MAX: Final = 3  # a disk answers after 0 to so many ms; ours

Watcher = Callable[["Node", Input, list[Effect]], None]
Gate = Callable[[Parcel], Iterable[Parcel]]
Program = Callable[[], AbstractContextManager[None]]


class Crash(Enum):
    """How a machine stops at a commit."""

    BEFORE = "before"  # the process dies before anything is written
    AFTER = "after"  # it dies with all of it written and nothing of it sent
    POWER = "power"  # the same, and the disk loses whatever was not asked to survive a power cut


class Crashed(Exception):
    """The machine stopped before it could answer; whoever asked cannot know whether it was done."""


@dataclass(slots=True)
class Node:
    """One person's machine: the disk outlives the process."""

    name: str
    store: MemoryStore = field(default_factory=MemoryStore)
    peer: Peer | None = None  # None while it is down
    generation: int = 0  # counts starts, so that what was meant for an earlier process is not delivered
    wanted: dict[PeerId, int] = field(default_factory=dict)  # whom it dials, and how often in vain
    dials: dict[PeerId, int] = field(default_factory=dict)  # numbers dials, so that only the newest goes on
    links: dict[LinkId, tuple[str, LinkId]] = field(default_factory=dict)
    timers: dict[Timer, int] = field(default_factory=dict)
    answers: dict[int, Answer] = field(default_factory=dict)
    notices: list[Notify] = field(default_factory=list)
    blames: list[Blame] = field(default_factory=list)
    tokens: int = 0
    commits: int = 0
    crash_at_commit: int | None = None
    sends: int = 0
    crash_at_send: int | None = None  # what stands after it in the batch is never carried out
    crash: Crash = Crash.AFTER
    skew_ms: int = 0  # how far its clock on the wall is off
    lost: int = 0  # how often its disk was lost, and the name with it by which the network knew it

    @property
    def up(self) -> bool:
        """Whether its process runs."""
        return self.peer is not None

    @property
    def peer_id(self) -> PeerId:
        """The name by which the network knows it."""
        return PeerId(f"peer-{self.name}{f'-{self.lost}' if self.lost else ''}")

    @property
    def address(self) -> Address:
        """Where it can be reached."""
        return Address(f"/memory/{self.name}/p2p/{self.peer_id}")


class World:
    """A network of nodes. Everything is driven by `ask`, `run` and the weather."""

    def __init__(self, seed: int, weather: Weather | None = None) -> None:
        self.seed = seed
        self.now_ms = 0
        self.nodes: dict[str, Node] = {}
        self.paths = Paths(seed, weather or Weather())
        self.watchers: list[Watcher] = []  # each sees a step once its writes are on disk, before it is carried out
        self.frames_sent = 0
        self.bytes_sent = 0
        self.frames_under_way = 0
        self.gates: dict[str, Gate] = {}  # what really leaves a node whose program was changed
        self.programs: dict[str, Program] = {}  # which rules it leaves out: held while it thinks
        self._heap: list[tuple[int, float, int, Callable[[], None]]] = []
        self._count = 0
        self._links = 0
        self._pipes: dict[LinkId, Pipe] = {}
        self._trace = blake2b(digest_size=32)

    # ------------------------------------------------------------ people and machines

    def add(self, name: str, *, skew_ms: int = 0) -> Node:
        """Add a node and start it."""
        node = self.nodes[name] = Node(name, skew_ms=skew_ms)
        self.start(name)
        return node

    def start(self, name: str) -> None:
        """Start a node's process from its disk."""
        node = self.nodes[name]
        assert node.peer is None, "it runs already"
        node.generation += 1
        label = f"{name}/{node.generation}"
        node.peer = Peer(
            dice=seeded_dice(self.seed, f"{label}/dice"),
            entropy=SeededEntropy(self.seed, f"{label}/entropy"),
            sealer=SeededSealer(SeededEntropy(self.seed, f"{label}/sealer")),
        )
        self._give(node, Started(records=starting_records(node.store), addresses=(node.address,)))

    def stop(self, name: str, *, power_cut: bool = False) -> None:
        """Stop a node's process at once, as a crash does; with `power_cut` the disk keeps only what is durable."""
        node = self.nodes[name]
        for link in list(node.links):
            self._break(node, link)
        node.peer = None
        node.store.crash(power_cut=power_cut)
        node.wanted.clear()
        node.timers.clear()
        node.crash_at_commit = node.crash_at_send = None

    def restart(self, name: str) -> None:
        """Stop a node, if it runs, and start it again."""
        if self.nodes[name].up:
            self.stop(name)
        self.start(name)

    def ask(self, name: str, command: Command) -> bytes:
        """Have a person ask their running node; return the id it made. Raises the node's LocalError, or Crashed."""
        node = self.nodes[name]
        node.tokens += 1
        self._give(node, Asked(token=node.tokens, command=command))
        answer = node.answers.pop(node.tokens, None)
        if answer is None:
            raise Crashed(name)
        if answer.error is not None:
            raise answer.error
        return answer.subject

    def may_ask(self, name: str, command: Command) -> bool:
        """Have a person ask, whatever the outcome; return whether it was carried out."""
        try:
            self.ask(name, command)
        except (LocalError, Crashed):
            return False
        return True

    # ------------------------------------------------------------ weather

    def cut(self, one: str, other: str) -> None:
        """Cut the path between two nodes: their links break, and none can be made."""
        self.paths.cut(one, other)
        self.flap(one, other)

    def flap(self, one: str, other: str) -> None:
        """Break the links between two nodes; they may be made again."""
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

    def clog(self, one: str, other: str) -> None:
        """Hold all that goes from one node to another, until the paths are healed."""
        self.paths.clog(one, other)

    def heal(self) -> None:
        """Mend every path; what waited comes through."""
        self.paths.clear()
        for node in self.nodes.values():
            for link in node.links:
                held, self._pipes[link].held = self._pipes[link].held, []
                for parcel in held:
                    self._carry(node, link, parcel)

    def join_up(self, one: str, other: str) -> None:
        """Make a link between two running nodes, also where one stands already."""
        self._connect(self.nodes[one], self.nodes[other])

    # ------------------------------------------------------------ time

    def run(self, seconds: float) -> None:
        """Let virtual time pass."""
        self.run_until(lambda: False, seconds)

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

    def soon(self, node: Node, happen: Callable[[], None]) -> None:
        """Let something happen at this moment, once what a node does now is done."""
        self._at(node, 0, happen)

    def _at(self, node: Node, after_ms: int, happen: Callable[[], None]) -> None:
        draw = self.paths.dice(f"ties/{node.name}").random()
        self._push(self.now_ms + after_ms, draw, happen)

    def _push(self, at_ms: int, draw: float, happen: Callable[[], None]) -> None:
        self._count += 1
        heapq.heappush(self._heap, (at_ms, draw, self._count, happen))

    # ------------------------------------------------------------ the seam

    def _give(self, node: Node, event: Input) -> None:
        """Hand an input to a node and carry out what follows: the second of the two places that interpret effects."""
        peer = node.peer
        assert peer is not None
        with self.programs.get(node.name, nullcontext)():
            effects = peer.handle(event, self.instant(node))
        # Everything that goes in or comes out is named: dataclasses of bytes, numbers and texts, in order.
        self._trace.update(f"{self.now_ms} {node.name} {event!r} {effects!r}\n".encode())
        crash = None
        if effects and isinstance(effects[0], Persist):
            node.commits += 1
            crash = node.crash if node.commits == node.crash_at_commit else None
            if crash is Crash.BEFORE:
                self.stop(node.name)
                return
            node.store.commit(effects[0].writes, durable=effects[0].durable)
        for watch in self.watchers:
            watch(node, event, effects)
        if crash is not None:
            self.stop(node.name, power_cut=crash is Crash.POWER)
            return
        for k, effect in enumerate(effects):
            assert k == 0 or not isinstance(effect, Persist), "a Persist that does not come first"
            self._do(node, effect)
            if isinstance(effect, Send | SendStored):
                node.sends += 1
                if node.sends == node.crash_at_send:
                    self.stop(node.name, power_cut=node.crash is Crash.POWER)
                    return

    def _do(self, node: Node, effect: Effect) -> None:
        match effect:
            case Persist():
                pass  # done before anything else
            case Send():
                self._send(node, effect.link, Parcel(effect.kind, effect.payload, effect.send_class))
            case SendStored():
                for key in effect.keys:
                    value = node.store.get(effect.space, key)
                    if value is not None:
                        self._send(node, effect.link, Parcel(effect.kind, value, effect.send_class))
            case Fetch() | Scan():
                self._read(node, effect)
            case Dial():
                if effect.peer not in node.wanted:
                    node.wanted[effect.peer] = 0
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

    def _read(self, node: Node, effect: Fetch | Scan) -> None:
        generation = node.generation

        def answer() -> None:
            if node.peer is not None and node.generation == generation:
                self._give(node, read_for(node.store, effect))

        self._at(node, self.paths.dice(f"disk/{node.name}").randrange(FETCH_MS_MAX + 1), answer)

    def _set_timer(self, node: Node, timer: Timer, after_ms: int | None) -> None:
        number = node.timers.get(timer, 0) + 1
        node.timers[timer] = number
        if after_ms is None:
            return
        generation = node.generation

        def fire() -> None:
            if node.peer is not None and node.generation == generation and node.timers.get(timer) == number:
                self._give(node, TimerFired(timer=timer))

        self._at(node, after_ms, fire)

    # ------------------------------------------------------------ links

    @property
    def _by_peer(self) -> Mapping[PeerId, Node]:
        return {node.peer_id: node for node in self.nodes.values()}

    def _dial_soon(self, node: Node, peer: PeerId, after_ms: int) -> None:
        generation = node.generation
        number = node.dials[peer] = node.dials.get(peer, 0) + 1

        def dial() -> None:
            if node.generation != generation or node.dials[peer] != number or peer not in node.wanted:
                return
            far = self._by_peer.get(peer)
            if far is not None and far.name in [name for name, _ in node.links.values()]:
                return  # it is dialled again when that link breaks
            if far is not None and far.up and far is not node and self._is_way(node.name, far.name):
                self._connect(node, far)
                return
            node.wanted[peer] += 1
            self._dial_soon(node, peer, min(REDIAL_MS << min(node.wanted[peer], 8), REDIAL_MS_MAX))

        self._at(node, after_ms + self.paths.delay_ms(node.name, str(peer)), dial)

    def _is_way(self, one: str, other: str) -> bool:
        return not self.paths.is_cut(one, other) and self.paths.how(one, other) is not Reach.NOT

    def _connect(self, node: Node, far: Node) -> None:
        self._links += 2
        here, there = LinkId(self._links), LinkId(self._links + 1)
        dice = self.paths.dice(f"nonces/{node.name}/{far.name}")
        nonces = [dice.randbytes(32) for _ in range(2)]
        node.links[here], far.links[there] = (far.name, there), (node.name, here)
        self._pipes[here], self._pipes[there] = Pipe(), Pipe()
        ends = ((node, far, here, nonces, True), (far, node, there, nonces[::-1], False))
        for one, other, link, (own_nonce, peer_nonce), outbound in ends:
            if link not in one.links:
                return  # one of them stopped at once
            one.wanted = {peer: 0 if peer == other.peer_id else tries for peer, tries in one.wanted.items()}
            up = LinkUp(
                link=link,
                peer=other.peer_id,
                own=one.peer_id,
                own_nonce=own_nonce,
                peer_nonce=peer_nonce,
                outbound=outbound,
            )
            self._give(one, up)

    def _break(self, node: Node, link: LinkId) -> None:
        ends = node.links.pop(link, None)
        if ends is None:
            return
        far = self.nodes[ends[0]]
        far.links.pop(ends[1], None)
        for one, gone, other in ((node, link, far), (far, ends[1], node)):
            del self._pipes[gone]
            self._at(one, 0, self._losing(one, gone, other))

    def _losing(self, node: Node, link: LinkId, far: Node) -> Callable[[], None]:
        generation = node.generation

        def lose() -> None:
            if node.peer is not None and node.generation == generation:
                if far.peer_id in node.wanted:
                    self._dial_soon(node, far.peer_id, REDIAL_MS)
                self._give(node, LinkDown(link=link))

        return lose

    def _send(self, node: Node, link: LinkId, parcel: Parcel) -> None:
        gate = self.gates.get(node.name)
        for passed in (parcel,) if gate is None else gate(parcel):
            self._carry(node, link, passed)

    def _carry(self, node: Node, link: LinkId, parcel: Parcel) -> None:
        ends = node.links.get(link)
        if ends is None:
            return
        far, there = self.nodes[ends[0]], ends[1]
        pipe = self._pipes[link]
        if pipe.held or self.paths.is_clogged(node.name, far.name):
            pipe.held.append(parcel)
            return
        self.frames_sent += 1
        self.frames_under_way += 1
        self.bytes_sent += len(parcel.payload)
        draw = self.paths.dice(f"ties/{node.name}").random()
        waits = self.paths.sent_ms(node.name, len(parcel.payload), self.now_ms)
        arrival = self.now_ms + waits + self.paths.delay_ms(node.name, far.name)

        def arrive() -> None:
            self.frames_under_way -= 1
            if there in far.links:
                self._give(far, FrameReceived(link=there, kind=parcel.kind, payload=parcel.payload))

        weather = self.paths.weather
        if self.paths.draws(weather.reorder, f"reorder/{node.name}/{far.name}"):
            self._push(arrival + REORDER_MS, draw, arrive)
        else:
            self._push(*pipe.place(parcel.send_class, arrival, draw), arrive)
        if self.paths.draws(weather.duplicates, f"again/{node.name}/{far.name}"):
            self.frames_under_way += 1
            self._push(arrival + REORDER_MS, draw, arrive)
