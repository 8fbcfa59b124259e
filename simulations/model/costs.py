"""What one node pays: what the model counts, times what each such thing was measured to cost.

A post is what `crowd` calls a short one. The model counts frames, ids, wishes and asks; what they cost in bytes, memory
and time of a processor is measured elsewhere, and each constant says where. What is reckoned and not measured says so.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from mesh.wire import limits
from simulations.crowd import SHORT_BYTES
from simulations.errors import PlanError
from simulations.model.flood import Flood
from simulations.model.links import Links
from simulations.model.settings import NODES_MAX, SETTINGS, Settings, Sky
from simulations.model.ways import Ways

GROUPS: Final = (5, 20, 100, 1_000)
SIZES: Final = (1_000, 10_000, 100_000, 1_000_000)
POSTS: Final = 3  # of the author of each group: the first makes the tree, the others go along it
POSTS_A_DAY_MAX: Final = 10_000
DAY_S: Final = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Constant:
    """Something that was measured, or reckoned: what it is worth, in what, and whence that is known."""

    value: float
    unit: str
    source: str


CONSTANTS: Final[dict[str, Constant]] = {
    "post": Constant(value=SHORT_BYTES, unit="B", source="simulations/crowd.py: some lines, sealed and padded"),
    "word": Constant(value=22, unit="B", source="docs/protocol.md §8: frame 5, flag 1, one id 16"),
    "framing": Constant(
        value=87,
        unit="B",
        source="reckoned for a frame that goes alone: head 5, Yamux 12, Noise 18, TCP 32 (RFC 9293, 7323), IPv4 20",
    ),
    "idle link": Constant(
        value=55, unit="B/s", source="reckoned: a Yamux ping and an answer each way every 3 s, 82 B each"
    ),
    "node": Constant(value=106, unit="MiB", source="docs/network.md §4: a node of the soak, four nodes, ten minutes"),
    "frame remembered": Constant(value=495, unit="B", source="make bench-model; 65,536 of them at most"),
    "author": Constant(value=2_330, unit="B", source="make bench-model; a place in a tree, with 8 links"),
    "member": Constant(value=230, unit="B", source="make bench-model; in the deck of a view"),
    "post taken in": Constant(
        value=1.1, unit="ms", source="docs/decisions/0040: all of a node's work, 1.02 to 1.14 ms for each"
    ),
    "frame that is here": Constant(value=0.049, unit="ms", source="benchmarks/steps.py; ids taken for as much"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Groups of one size in a network of one size. Of a post where not said otherwise; bytes are sent, with framing.

    `first_copies` are those of an author's first post, all other figures are of later ones.
    """

    nodes: int
    group: int
    delivered: float
    first_copies: float
    copies: float
    said: float  # ids, wishes and asks, for each delivery
    p50_ms: int
    p99_ms: int
    up_bytes: float  # of a node, on the average
    up_bytes_p99: float  # of the nodes
    up_bytes_max: float
    links: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """What one member of one such group pays in a day; `bytes` are sent and received; memory is that after 30 days."""

    posts: float
    bytes: float
    idle_bytes: float
    memory_mib: float
    cpu_s: float


def pay(
    nodes: int, group: int, *, seed: int, sky: Sky, settings: Settings = SETTINGS, frame_bytes: int = SHORT_BYTES
) -> Row:
    """Let one author of each group speak three times, in as many groups as so many nodes are."""
    check_size(nodes, group, seed)
    groups = nodes // group
    dice = np.random.default_rng([seed, nodes, group])
    ways = Ways(groups * group, sky, dice)
    links = Links(groups, group, settings, ways, dice)
    flood = Flood(links, ways, frame_bytes, dice, tally=True)
    authors = np.arange(groups) * group + dice.integers(0, group, groups)
    first = flood.post(authors)
    before = _up_bytes(flood, frame_bytes)
    later = [flood.post(authors) for _ in range(POSTS - 1)]
    up = (_up_bytes(flood, frame_bytes) - before) / len(later)
    came = np.concatenate([one.came_ms for one in later])
    waits = came[came > 0]
    return Row(
        nodes=groups * group,
        group=group,
        delivered=float((came >= 0).mean()),
        first_copies=first.copies / max(1, int((first.came_ms > 0).sum())),
        copies=sum(one.copies for one in later) / len(waits),
        said=sum(one.said for one in later) / len(waits),
        p50_ms=int(np.percentile(waits, 50)),
        p99_ms=int(np.percentile(waits, 99)),
        up_bytes=float(up.mean()),
        up_bytes_p99=float(np.percentile(up, 99)),
        up_bytes_max=float(up.max()),
        links=float(links.degree.mean()),
    )


def check_size(nodes: int, group: int, seed: int) -> None:
    """PlanError if there are not so many nodes, no such group, or no such seed."""
    if not 0 <= seed < 1 << 63:
        raise PlanError("A seed of the model is a whole number from 0 on.")
    if not 2 <= nodes <= NODES_MAX:
        raise PlanError(f"A network of the model has 2 to {NODES_MAX} nodes.")
    if not 2 <= group <= nodes:
        raise PlanError("A group has two members at least, and no more than there are nodes.")


def check_posts(posts_a_day: float) -> None:
    """PlanError if nobody could write so many posts."""
    if not 0 <= posts_a_day <= POSTS_A_DAY_MAX:
        raise PlanError(f"A member writes 0 to {POSTS_A_DAY_MAX} posts a day.")


def day(row: Row, posts_a_day: float) -> Day:
    """Reckon what a member of one such group pays in a day, at so many posts of each member."""
    worth = {name: constant.value for name, constant in CONSTANTS.items()}
    posts = row.group * posts_a_day
    heard = (row.copies - 1) * worth["frame that is here"] + row.said * worth["frame that is here"]
    remembered = min(30 * posts, limits.SEEN_FRAMES_MAX) * worth["frame remembered"]
    tables = remembered + row.group * (worth["author"] + worth["member"])
    return Day(
        posts=posts,
        bytes=2 * row.up_bytes * posts,
        idle_bytes=2 * row.links * worth["idle link"] * DAY_S,
        memory_mib=worth["node"] + tables / 2**20,
        cpu_s=posts * (worth["post taken in"] + heard) / 1000,
    )


def _up_bytes(flood: Flood, frame_bytes: int) -> npt.NDArray[np.float64]:
    """Return what each node has sent, in B."""
    assert flood.sent is not None
    assert flood.told is not None
    framing, word = CONSTANTS["framing"].value, CONSTANTS["word"].value
    frames, words = flood.sent.sum(axis=1, dtype=np.float64), flood.told.sum(axis=1, dtype=np.float64)
    up: npt.NDArray[np.float64] = frames * (frame_bytes + framing) + words * (word + framing - 5)
    return up
