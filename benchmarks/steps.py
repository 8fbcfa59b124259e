"""How long the machine takes for a step: a post until it is to be sent, and a frame until it is to be stored.

The simulator brings a small group together and runs it; what is measured is `Peer.handle` alone.
"""

import time
from dataclasses import dataclass, field
from typing import Final, cast

from benchmarks.report import Figure
from mesh.commands import Suite
from mesh.events import Asked, Effect, FrameReceived, Input, Instant, LinkKind, Persist
from mesh.peer import Peer
from simulations.people import circle
from simulations.world import World

NAMES: Final = ("alice", "bob", "carol", "dave")
POSTS: Final = 100


@dataclass(slots=True)
class Times:
    """What was measured, in ms."""

    posts: list[float] = field(default_factory=list)
    taken_in: list[float] = field(default_factory=list)
    here_already: list[float] = field(default_factory=list)


class Stopwatch:
    """Stands between the world and a peer, and takes the time of each step."""

    def __init__(self, peer: Peer, times: Times) -> None:
        self.peer, self.state, self.times = peer, peer.state, times

    def handle(self, event: Input, now: Instant) -> list[Effect]:
        """Take one input in, and note how long that kept the processor busy."""
        began = time.process_time()
        effects = self.peer.handle(event, now)
        took = 1000 * (time.process_time() - began)
        if isinstance(event, Asked):
            self.times.posts.append(took)
        elif isinstance(event, FrameReceived) and event.kind == LinkKind.FRAME:
            taken_in = bool(effects) and isinstance(effects[0], Persist)
            (self.times.taken_in if taken_in else self.times.here_already).append(took)
        return effects


def measure_steps() -> list[Figure]:
    """Let people talk, and take the times."""
    world = World(1)
    gid, people = circle(world, *NAMES, suite=Suite.CLASSIC)
    world.run(30)
    times = Times()
    for node in world.nodes.values():
        assert node.peer is not None
        node.peer = cast("Peer", Stopwatch(node.peer, times))
    for k in range(POSTS):
        people[k % len(people)].post(gid, f"{k:0200}")
        world.run(0.5)
    measured = {
        f"a post to {len(NAMES) - 1} who are there, machine alone": times.posts,
        "a message taken in and passed on, machine alone": times.taken_in,
        "a frame that is here already": times.here_already,  # none, where each came once
    }
    return [Figure(name=name, unit="ms", values=values) for name, values in measured.items() if values]
