"""A crowd: a thousand nodes that spread frames, with our own gossip or as a plain mesh, on one network under one seed.

`make crowd` prints copies per delivery, latency and delivery for short and long frames, without a
fault and with loss and dead nodes, beside a mesh of degree 8 in which everybody sends all to all neighbours.

Our nodes are the machines of `mesh.gossip` as they run in `mesh.peer` (`View`, `SeenFrames`, `Spread`), driven as
`mesh.peer` drives them; what is left out is all that has nothing to do with the way of a frame: keys, stores, sessions,
receipts. So what is measured is how frames travel, and not how long a processor takes. A link that loses a segment
delivers it later, as streams do (`weather`). Links of dead nodes break at once.
"""

import argparse
import heapq
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from mesh.events import LinkKind, Send
from mesh.gossip.seen import SeenFrames, StreamId
from mesh.gossip.spread import ANNOUNCE_MS, ANNOUNCE_SPREAD_MS, Passing, Spread
from mesh.gossip.views import View
from mesh.ids import FrameId, LinkId, MemberPk, PeerId
from mesh.wire.gossip import ShortId, short
from simulations.chance import seeded_dice
from simulations.regions import WEIGHTS, Machine
from simulations.weather import Paths, Weather

SHORT_BYTES: Final = 700  # a post of some lines, sealed and padded
LONG_BYTES: Final = 16 * 1024
PLAIN_DEGREE: Final = 8
SETTLE_MS: Final = 15_000  # until views are full
GAP_MS: Final = 1_500  # between two posts


class Network:
    """Numbered nodes, links and a heap of what is to happen; nothing of it is ever at rest for long."""

    def __init__(self, seed: int, weather: Weather) -> None:
        self.now_ms = 0
        self.paths = Paths(seed, weather)
        self.nodes: list[Node] = []
        self.frames: dict[ShortId, tuple[FrameId, int, int]] = {}  # id, length, author
        self.sent: dict[FrameId, int] = {}  # copies
        self.said_bytes = 0  # of all that is no frame
        self.came: dict[FrameId, dict[int, int]] = {}  # node → when it had it
        self._heap: list[tuple[int, int, Callable[[], None]]] = []
        self._count = 0
        self._links = 0
        self._last: dict[LinkId, int] = {}

    def at(self, after_ms: int, happen: Callable[[], None]) -> None:
        """Let something happen."""
        self._count += 1
        heapq.heappush(self._heap, (self.now_ms + after_ms, self._count, happen))

    def run(self, ms: int) -> None:
        """Let time pass."""
        end = self.now_ms + ms
        while self._heap and self._heap[0][0] <= end:
            self.now_ms, _, happen = heapq.heappop(self._heap)
            happen()
        self.now_ms = end

    def connect(self, one: "Node", other: "Node") -> None:
        """Make a link, unless one stands."""
        if other.number in one.peers or not (one.alive and other.alive) or one is other:
            return
        self._links += 2
        here, there = LinkId(self._links), LinkId(self._links + 1)
        one.links[here], other.links[there] = (other, there), (one, here)
        one.peers[other.number], other.peers[one.number] = here, there
        one.way.linked(here)
        other.way.linked(there)

    def part(self, one: "Node", link: LinkId) -> None:
        """Break a link."""
        ends = one.links.pop(link, None)
        if ends is None:
            return
        other, there = ends
        del other.links[there], one.peers[other.number], other.peers[one.number]
        for node, gone in ((one, link), (other, there)):
            if node.alive:
                node.way.parted(gone)

    def carry(self, one: "Node", link: LinkId, act: Callable[["Node", LinkId], None]) -> None:
        """Carry something over a link, after what went before."""
        if link not in one.links:
            return
        other, there = one.links[link]
        arrival = self.now_ms + self.paths.delay_ms(str(one.number), str(other.number))
        arrival = self._last[link] = max(arrival, self._last.get(link, 0))

        def arrive() -> None:
            if there in other.links:
                act(other, there)

        self.at(arrival - self.now_ms, arrive)

    def send(self, one: "Node", link: LinkId, frame: FrameId) -> None:
        """Send a frame over a link."""
        self.sent[frame] = self.sent.get(frame, 0) + 1
        self.carry(one, link, lambda node, there: node.way.hear(there, frame))

    def post(self, author: "Node", number: int, frame_bytes: int) -> FrameId:
        """Have a node say something."""
        frame = FrameId(number.to_bytes(16, "big") + bytes(16))
        self.frames[short(frame)] = (frame, frame_bytes, author.number)
        self.came[frame] = {author.number: self.now_ms}
        author.way.say(frame)
        return frame

    def kill(self, node: "Node") -> None:
        """Switch a node off: its links break."""
        node.alive = False
        for link in list(node.links):
            self.part(node, link)


class Way(Protocol):
    """How a node spreads frames: plainly, or as we do."""

    def linked(self, link: LinkId) -> None:
        """A link stands."""

    def parted(self, link: LinkId) -> None:
        """A link is gone."""

    def say(self, frame: FrameId) -> None:
        """Say something of one's own."""

    def hear(self, link: LinkId, frame: FrameId) -> None:
        """A frame came."""

    def told(self, link: LinkId, send: Send) -> None:
        """Hear what a link says of frames."""


class Node:
    """One node: who it is linked with; what it does is its way's."""

    def __init__(self, network: Network, number: int) -> None:
        self.network, self.number, self.alive = network, number, True
        self.links: dict[LinkId, tuple[Node, LinkId]] = {}
        self.peers: dict[int, LinkId] = {}
        self.way: Way = Plain(self)

    def take(self, frame: FrameId) -> None:
        """Note that a frame is here now."""
        self.network.came[frame].setdefault(self.number, self.network.now_ms)


class Plain:
    """The way to compare with: whatever is new goes to all neighbours that are not known to have it."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._holders: dict[FrameId, set[LinkId]] = {}

    def linked(self, link: LinkId) -> None:
        """Do nothing about it."""

    def parted(self, link: LinkId) -> None:
        """Do nothing about it."""

    def told(self, link: LinkId, send: Send) -> None:
        """Do nothing about it: nothing is said but frames."""

    def say(self, frame: FrameId) -> None:
        """Send it to all."""
        self._holders[frame] = set()
        self._send_on(frame)

    def hear(self, link: LinkId, frame: FrameId) -> None:
        """Send it on if it is new."""
        holders = self._holders.get(frame)
        if holders is not None:
            holders.add(link)
            return
        self._holders[frame] = {link}
        self._node.take(frame)
        self._send_on(frame)

    def _send_on(self, frame: FrameId) -> None:
        for link in self._node.links:
            if link not in self._holders[frame]:
                self._node.network.send(self._node, link, frame)


class Ours:
    """Our way: the machines of `mesh.gossip`, driven as `mesh.peer` does."""

    def __init__(self, node: Node, seed: int, count: int) -> None:
        self.node, self.network = node, node.network
        self.members = {member_key(k): [peer_id(k)] for k in range(count) if k != node.number}
        self.dice = seeded_dice(seed, f"node/{node.number}")
        self.seen = SeenFrames()
        self.spread = Spread(self.seen)
        self.view = View()
        self.flushing = False
        self.blames = 0

    # ---------------------------------------------------------------- whom to link with

    def tend(self) -> None:
        """Look at whom to link with, as `peer.reaching` does, and again when the view says."""
        if not self.node.alive:
            return
        names = {peer_id(k): member_key(k) for k in self.node.peers}
        before = dict(self.view.chosen)
        ended = self.view.tend(self.members, names, (), self.network.now_ms, self.dice)
        for peer in ended:
            link = self.node.peers.get(number_of(peer))
            if link is not None:
                self.network.part(self.node, link)
        for peer in self.view.chosen:
            if peer not in before:
                self.dial(peer)

    def dial(self, peer: PeerId) -> None:
        """Try to link with somebody."""
        other = self.network.nodes[number_of(peer)]
        delay = 2 * self.network.paths.delay_ms(str(self.node.number), str(other.number))
        self.network.at(delay, lambda: self.network.connect(self.node, other))

    def watch(self) -> None:
        """Tend now, and whenever the view is to be looked at again."""
        self.tend()
        wait = self.view.wait_ms(self.network.now_ms)
        if self.node.alive and wait is not None:
            self.network.at(wait, self.watch)

    def linked(self, link: LinkId) -> None:
        """Let frames spread over it."""
        self.spread.link_up(link)
        self.network.at(0, self.tend)

    def parted(self, link: LinkId) -> None:
        """Have others take its place."""
        self._do(self.spread.link_down(link, self.network.now_ms, self.dice))
        self.network.at(0, self.tend)

    # ---------------------------------------------------------------- frames

    def say(self, frame: FrameId) -> None:
        """Send it to all links."""
        self.seen.note(frame, None)
        self._pass_on(frame, None)

    def hear(self, link: LinkId, frame: FrameId) -> None:
        """Take it in and pass it on."""
        self.spread.promises.came(short(frame), link)
        if not self.seen.note(frame, link):
            self._do(self.spread.came_again(frame, link))
            return
        self.node.take(frame)
        stream, from_author = self._author_of(frame, link)
        self._do(self.spread.came(frame, link, stream, from_author=from_author))
        self._pass_on(frame, link)

    def _author_of(self, frame: FrameId, link: LinkId | None) -> tuple[StreamId, bool]:
        author = self.network.frames[short(frame)][2]
        near = link is not None and self.node.links[link][0].number == author
        return StreamId(author.to_bytes(48, "big")), near and self.view.full_mesh

    def _pass_on(self, frame: FrameId, link: LinkId | None) -> None:
        stream, from_author = self._author_of(frame, link)
        frame_bytes = self.network.frames[short(frame)][1]
        passing = Passing(
            frame=frame, frame_bytes=frame_bytes, stream=stream, own=link is None, from_author=from_author
        )
        eager, sends = self.spread.pass_on(passing, list(self.node.links), self.dice)
        for other in eager:
            self.network.send(self.node, other, frame)
        self._do(sends)

    def _do(self, sends: list[Send]) -> None:
        for send in sends:
            self.network.said_bytes += 5 + len(send.payload)
            self.network.carry(self.node, send.link, _saying(send))
        self.plan()

    def plan(self) -> None:
        """Have ids announced soon, as `peer.spreading` does."""
        if self.spread.due and not self.flushing:
            self.flushing = True
            self.network.at(ANNOUNCE_MS + self.dice.randrange(ANNOUNCE_SPREAD_MS), self._flush)

    def _flush(self) -> None:
        self.flushing = False
        if self.node.alive:
            sends, broken = self.spread.flush(self.network.now_ms)
            self.blames += len(broken)
            self._do(sends)

    def told(self, link: LinkId, send: Send) -> None:
        """Hear what a link says of frames."""
        now_ms = self.network.now_ms
        if send.kind is LinkKind.IHAVE:
            self._do(self.spread.hear_ids(link, send.payload, now_ms))
        elif send.kind is LinkKind.WANT:
            for frame in self.spread.hear_wanted(link, send.payload, now_ms):
                self.network.send(self.node, link, self.network.frames[frame][0])
        else:
            self.spread.hear_rank(link, send.kind, send.payload, now_ms)
        self.plan()


def _saying(send: Send) -> Callable[[Node, LinkId], None]:
    return lambda node, there: node.way.told(there, send)


def peer_id(number: int) -> PeerId:
    """Return the name of a node."""
    return PeerId(f"peer-{number}")


def number_of(peer: PeerId) -> int:
    """Return the number of a node."""
    return int(peer.removeprefix("peer-"))


def member_key(number: int) -> MemberPk:
    """Return the member key of a node."""
    return MemberPk(number.to_bytes(32, "big"))


# ---------------------------------------------------------------- a run


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What is measured: how many nodes, what they say, and what goes wrong."""

    nodes: int = 1_000
    seed: int = 1
    authors: int = 10
    posts: int = 6  # of each
    frame_bytes: int = SHORT_BYTES
    loss: float = 0.0
    dead: float = 0.0
    regions: bool = False  # nodes stand all over the world (`regions`), and not all at one distance


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of it; latency in ms over all deliveries."""

    copies: float
    p50_ms: int
    p99_ms: int
    delivered: float  # share of those to whom it could come
    said_bytes: float  # of ids and wishes, per delivery
    links: float  # per node


def build(scene: Scene, *, plain: bool) -> Network:
    """Return a network whose nodes have been on for a while."""
    network = Network(scene.seed, Weather(loss=scene.loss))
    dice = seeded_dice(scene.seed, "crowd")
    network.nodes = [Node(network, number) for number in range(scene.nodes)]
    if scene.regions:
        drawn = seeded_dice(scene.seed, "regions").choices(list(WEIGHTS), list(WEIGHTS.values()), k=scene.nodes)
        network.paths.machines = {str(number): Machine(region=region) for number, region in enumerate(drawn)}
    if plain:
        for node in network.nodes:
            for other in dice.sample(network.nodes, PLAIN_DEGREE // 2):
                network.connect(node, other)
    else:
        for node in network.nodes:
            node.way = ours = Ours(node, scene.seed, scene.nodes)
            network.at(dice.randrange(1_000), ours.watch)
        network.run(SETTLE_MS)
    return network


def measure(scene: Scene, *, plain: bool) -> Result:
    """Have authors speak in turn, and see what comes of it; after the first turn some nodes die, and no author."""
    network = build(scene, plain=plain)
    dice = seeded_dice(scene.seed, "authors")
    authors = dice.sample(network.nodes, scene.authors)
    doomed = dice.sample([node for node in network.nodes if node not in authors], round(scene.dead * scene.nodes))
    began = network.said_bytes
    said: dict[FrameId, tuple[int, dict[int, Node]]] = {}  # when, and to whom it could come
    for turn in range(scene.posts):
        for k, author in enumerate(authors):
            reached = _reached(author)
            frame = network.post(author, turn * scene.authors + k + 1, scene.frame_bytes)
            said[frame] = network.now_ms, reached
            network.run(GAP_MS)
        if turn == 0:
            for node in doomed:
                network.kill(node)
    network.run(10 * GAP_MS)
    waits = sorted(at - said[f][0] for f in said for at in network.came[f].values() if at > said[f][0])
    due = [(frame, number) for frame, (_, reached) in said.items() for number, node in reached.items() if node.alive]
    alive = [node for node in network.nodes if node.alive]
    return Result(
        copies=sum(network.sent.values()) / len(waits),
        p50_ms=waits[len(waits) // 2],
        p99_ms=waits[len(waits) * 99 // 100],
        delivered=sum(number in network.came[frame] for frame, number in due) / len(due),
        said_bytes=(network.said_bytes - began) / len(waits),
        links=sum(len(node.links) for node in alive) / len(alive),
    )


def _reached(start: Node) -> dict[int, Node]:
    """Return all who are connected with a node over links that stand."""
    found, edge = {start.number: start}, [start]
    while edge:
        for other, _ in edge.pop().links.values():
            if other.number not in found:
                found[other.number] = other
                edge.append(other)
    return found


def main(arguments: list[str]) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m simulations.crowd", description=__doc__)
    parser.add_argument("--nodes", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--authors", type=int, default=10)
    parser.add_argument("--posts", type=int, default=6, help="of each author")
    given = parser.parse_args(arguments)
    print(f"{given.nodes} nodes, seed {given.seed}, {given.authors} authors, {given.posts} posts each")
    for frame_bytes in (SHORT_BYTES, LONG_BYTES):
        for loss, dead in ((0.0, 0.0), (0.05, 0.2)):
            scene = Scene(
                nodes=given.nodes,
                seed=given.seed,
                authors=given.authors,
                posts=given.posts,
                frame_bytes=frame_bytes,
                loss=loss,
                dead=dead,
            )
            print(f"{frame_bytes} B, {loss:.0%} loss, {dead:.0%} dead")
            results = {name: measure(scene, plain=name == "plain") for name in ("plain", "ours")}
            for name, r in results.items():
                print(
                    f"  {name:5}  {r.copies:5.2f} copies  p50 {r.p50_ms:5} ms  p99 {r.p99_ms:5} ms  "
                    f"{r.delivered:8.3%} delivered  {r.said_bytes:5.0f} B of ids a delivery  {r.links:4.1f} links"
                )
            ours, plain = results["ours"], results["plain"]
            print(f"  ratio  {ours.copies / plain.copies:5.2f} copies{ours.p99_ms / plain.p99_ms:28.2f} × p99")


if __name__ == "__main__":
    main(sys.argv[1:])
