"""How long a node takes for a long catch-up: two members talk while the third is away, and then it all comes.

The simulator brings the group together, so what is measured is the machine of the one who comes back: opening, both
signatures' checks, and what is to be written. Two of its rows leave the network out and keep the store, by committing
the same writes to a real one. Times are of the processor, not of the wall.
"""

import subprocess
import tempfile
import time
from pathlib import Path
from typing import Final, cast

from benchmarks.messages import VODOZEMAC
from benchmarks.report import Figure
from mesh.commands import Suite
from mesh.events import Effect, FrameReceived, Input, Instant, LinkKind, Notice, Notify, Persist, Write
from mesh.peer import Peer
from mesh.peer.catching_up import LONG
from mesh.peer.state import State
from mesh.secret import Secret
from mesh.store.sqlite import EncryptedStore
from simulations.people import circle
from simulations.weather import Weather
from simulations.world import World

MESSAGES: Final = 20_000
TEXT_BYTES: Final = 256
AWAY_MS: Final = 14 * 86_400_000
BATCH: Final = 64  # inputs that share a commit, as in the node
BAR: Final = 2.0  # of Megolm's rate, network.md §8
END_S: Final = 3600


class Stopwatch:
    """Stands between the world and a peer: takes the time of each message, and keeps what is to be written."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self.busy_s, self.taken, self.told = 0.0, 0, 0
        self.writes: list[tuple[Write, ...]] = []

    @property
    def state(self) -> State:
        """What the machine knows."""
        return self.peer.state

    def handle(self, event: Input, now: Instant) -> list[Effect]:
        """Take one input in."""
        began = time.process_time()
        effects = self.peer.handle(event, now)
        self.busy_s += time.process_time() - began
        self.told += sum(isinstance(e, Notify) and e.notice is Notice.CATCHING_UP for e in effects)
        if isinstance(event, FrameReceived) and event.kind == LinkKind.FRAME and effects:
            first = effects[0]
            if isinstance(first, Persist):
                self.taken += 1
                self.writes.append(first.writes)
        return effects


def caught_up(messages: int) -> Stopwatch:
    """Let one come back after two weeks to so many messages; all are there, in order, none twice."""
    world = World(1, Weather(latency_ms=20, jitter_ms=0))
    gid, (wren, juniper, sorrel) = circle(world, "wren", "juniper", "sorrel", suite=Suite.CLASSIC)
    world.run(10)
    juniper.off()
    texts = [f"{k:06}".ljust(TEXT_BYTES, "x") for k in range(messages)]
    for k, text in enumerate(texts):
        (wren, sorrel)[k % 2].post(gid, text)
        world.run(0.02)
    world.run(30)
    for person in (wren, juniper, sorrel):
        person.node.skew_ms += AWAY_MS
    world.run(60)
    juniper.on()
    assert juniper.node.peer is not None
    watch = Stopwatch(juniper.node.peer)
    juniper.node.peer = cast("Peer", watch)
    assert world.run_until(lambda: watch.taken >= messages, END_S)
    world.run(30)
    assert juniper.reads(gid) == texts
    assert watch.told or messages < LONG
    return watch


def stored_s(writes: list[tuple[Write, ...]]) -> float:
    """Return how long a real store is busy with what was written, in batches as a node commits."""
    with tempfile.TemporaryDirectory() as folder:
        store = EncryptedStore.create(Path(folder) / "store.db", Secret(bytes(32)))
        began = time.process_time()
        for k in range(0, len(writes), BATCH):
            store.commit([write for some in writes[k : k + BATCH] for write in some], durable=False)
        took = time.process_time() - began
        store.close()
    return took


def measure_catching_up(messages: int, vodozemac: str | None) -> list[Figure]:
    """Let one who was away take so many messages in; `vodozemac`: an interpreter that has that package."""
    watch = caught_up(messages)
    with_store_s = watch.busy_s + stored_s(watch.writes)
    rate = watch.taken / watch.busy_s
    figures = [
        Figure(name="frames taken in; every post read once, in order", unit="", values=[watch.taken], bar=messages),
        Figure(name="times that progress was told", unit="", values=[watch.told], bar=1 if messages >= LONG else None),
        Figure(name="the machine alone", unit="/s", values=[rate]),
        Figure(name="with an encrypted store", unit="/s", values=[watch.taken / with_store_s]),
    ]
    if vodozemac is not None:
        ran = subprocess.run(
            [vodozemac, "-c", VODOZEMAC], input=f"{messages}\n", capture_output=True, text=True, check=True
        )
        megolm = 1000 * messages / float(ran.stdout.split()[1])
        figures.append(Figure(name="Megolm decrypts", unit="/s", values=[megolm]))
        figures.append(Figure(name="the machine, of Megolm's", unit="×", values=[rate / megolm], bar=BAR))
    return figures
