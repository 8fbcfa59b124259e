"""The model: how long a flood of a million nodes takes, in how much memory; and what a node's own tables take.

The tables are measured on the machines of `mesh.gossip` themselves; `simulations.model.costs` reckons with them.
"""

import argparse
import json
import os
import platform
import resource
import sys
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np

from mesh.events import LinkKind
from mesh.gossip.seen import SeenFrames, StreamId
from mesh.gossip.spread import Passing, Spread
from mesh.gossip.views import View
from mesh.ids import FrameId, LinkId
from mesh.wire.gossip import Rank, short
from simulations.chance import seeded_dice
from simulations.crowd import SHORT_BYTES, member_key, peer_id
from simulations.model.flood import Flood
from simulations.model.links import Links
from simulations.model.settings import SETTINGS, Sky
from simulations.model.ways import Ways

RESULTS: Final = Path(__file__).parent / "results" / "model.json"
SECONDS_BAR: Final = 5.0
MEMORY_BAR: Final = 1024.0  # MiB
LINKS: Final = 8
AUTHORS: Final = 300
FRAMES: Final = 60_000
MEMBERS: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Flooded:
    """What one flood took. Seconds are of the processor: others may use this machine."""

    nodes: int
    links_s: float  # until everybody is linked
    first_s: float  # an author's first post
    later_s: float  # its second, along the tree
    events: int
    memory_mib: float  # of the whole process, at most
    copies: float
    delivered: float
    p99_ms: int


def flood(nodes: int, seed: int = 1) -> Flooded:
    """Let one node of so many speak, twice."""
    dice = np.random.default_rng(seed)
    began = time.process_time()
    ways = Ways(nodes, Sky(), dice)
    links = Links(1, nodes, SETTINGS, ways, dice)
    linked = time.process_time()
    machine, author = Flood(links, ways, SHORT_BYTES, dice), np.array([nodes // 2])
    first = machine.post(author)
    spoken = time.process_time()
    machine.post(author)
    return Flooded(
        nodes=nodes,
        links_s=round(linked - began, 2),
        first_s=round(spoken - linked, 2),
        later_s=round(time.process_time() - spoken, 2),
        events=first.events,
        memory_mib=round(_peak_mib(), 1),
        copies=round(first.copies / (nodes - 1), 3),
        delivered=float((first.came_ms >= 0).mean()),
        p99_ms=int(np.percentile(first.came_ms, 99)),
    )


def _peak_mib() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10


# ---------------------------------------------------------------- what a node's tables take


def tables() -> dict[str, int]:
    """Return what one entry of each takes, in B."""
    seen = _traced(lambda: _remember(FRAMES)) / FRAMES
    return {
        "frame remembered": round(seen),
        "author": round(_traced(lambda: _hear_authors(AUTHORS)) / AUTHORS - seen),
        "member": round(_traced(lambda: _choose(MEMBERS)) / MEMBERS),
    }


def _traced(make: Callable[[], object]) -> int:
    tracemalloc.start()
    kept = make()
    size = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    del kept
    return size


def _frame(number: int) -> FrameId:
    return FrameId(number.to_bytes(32, "little"))


def _remember(count: int) -> SeenFrames:
    """Let frames pass, each of which three links have."""
    seen = SeenFrames()
    for number in range(count):
        frame = _frame(number)
        for link in range(3):
            seen.note(frame, LinkId(link))
        seen.note_stream(frame, StreamId(bytes(48)))
    return seen


def _hear_authors(count: int) -> Spread:
    """Hear one frame of each author from all links, and hear from all how they want them."""
    seen, dice = SeenFrames(), seeded_dice(1, "bench")
    spread, links = Spread(seen), [LinkId(link) for link in range(LINKS)]
    for link in links:
        spread.link_up(link)
    for number in range(count):
        frame, stream = _frame(number), StreamId(number.to_bytes(48, "big"))
        seen.note(frame, links[0])
        spread.came(frame, links[0], stream, from_author=False)
        spread.pass_on(Passing(frame=frame, frame_bytes=SHORT_BYTES, stream=stream), links, dice)
        for link in links[1:]:
            spread.came_again(frame, link)
        for link in links:
            rank = Rank.SPARE if link < 2 else Rank.LAZY
            kind = LinkKind.GRAFT if rank else LinkKind.PRUNE
            spread.hear_rank(link, kind, bytes([rank]) + short(frame), 0)
    return spread


def _choose(count: int) -> tuple[View, object]:
    """Know so many members."""
    view, members = View(), {member_key(number): [peer_id(number)] for number in range(count)}
    view.tend(members, {}, (), 0, seeded_dice(1, "bench"))
    return view, members


# ---------------------------------------------------------------- saying it


def main() -> int:
    """Measure, print it, and keep it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nodes", type=int, default=1_000_000)
    asked = parser.parse_args()
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors, "
    machine += f"Python {platform.python_version()}, numpy {np.__version__}"
    print(machine)
    one = flood(asked.nodes)
    print(f"{one.nodes:,} nodes linked in {one.links_s:.2f} s of a processor")
    said = "met" if one.first_s <= SECONDS_BAR else "MISSED"
    print(f"a first post floods them in {one.first_s:.2f} s, {one.events:,} events   bar {SECONDS_BAR:g} s  {said}")
    print(f"a later one in {one.later_s:.2f} s")
    said = "met" if one.memory_mib <= MEMORY_BAR else "MISSED"
    print(f"{one.memory_mib:.0f} MiB at most   bar {MEMORY_BAR:g} MiB  {said}")
    print(f"{one.delivered:.3%} delivered, {one.copies:.2f} copies, p99 {one.p99_ms} ms")
    sizes = tables()
    print(*(f"{name}: {size:,} B" for name, size in sizes.items()), sep="\n")
    kept = {"machine": machine, "flood": asdict(one), "tables_bytes": sizes}
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
