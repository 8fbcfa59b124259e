"""How long a node takes for a long catch-up: two members talk while the third is away, and then it all comes.

Run it with `make bench-catchup`. The simulator brings the group together, so what is measured is the machine of the one
who comes back: opening, both signatures' checks, and what is to be written. Two of its rows leave the network out and
keep the store, by committing the same writes to a real one. Times are of the processor, not of the wall. With
`ARGS="--vodozemac PYTHON"`, an interpreter that has the vodozemac package, Megolm decrypts as many in the same sitting.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final, cast

from benchmarks.messages import VODOZEMAC
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


def main() -> int:
    """Measure, and say it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=MESSAGES)
    parser.add_argument("--vodozemac", metavar="PYTHON", help="an interpreter that has the vodozemac package")
    asked = parser.parse_args()
    watch = caught_up(asked.messages)
    store_s = stored_s(watch.writes)
    machine = watch.taken / watch.busy_s
    whole = watch.taken / (watch.busy_s + store_s)
    print(f"{watch.taken:,} messages taken in after two weeks, all of them there, in order, none twice")
    print(f"progress was told {watch.told:,} times")
    print(f"the machine:            {watch.busy_s:7.1f} s   {machine:7,.0f} messages/s")
    print(f"with an encrypted store:{watch.busy_s + store_s:7.1f} s   {whole:7,.0f} messages/s")
    if asked.vodozemac:
        given = f"{asked.messages}\n"
        ran = subprocess.run(
            [asked.vodozemac, "-c", VODOZEMAC], input=given, capture_output=True, text=True, check=True
        )
        megolm = 1000 * asked.messages / float(ran.stdout.split()[1])
        met = "met" if machine >= BAR * megolm else "MISSED"
        print(
            f"Megolm decrypts:                    {megolm:7,.0f} messages/s   we: {machine / megolm:.2f} of it", end=""
        )
        print(f"   bar {BAR:.1f}  {met}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
