"""How near the model must come to the machines themselves, and on what; written down before the first comparison.

Each scene is run twice: by `simulations.crowd`, where every node is the code of `mesh.gossip`, and by the model. Both
draw from their own dice, so no run is like another; what is compared is the mean over the seeds.
"""

from dataclasses import dataclass
from typing import Final

from simulations.crowd import LONG_BYTES, Scene

SEEDS: Final = range(1, 6)

SCENES: Final[dict[str, Scene]] = {
    "fifty": Scene(nodes=50),
    "two hundred": Scene(nodes=200),
    "five hundred": Scene(nodes=500),
    "first posts": Scene(nodes=500, authors=30, posts=1),
    "loss": Scene(nodes=200, loss=0.05),
    "dead": Scene(nodes=200, dead=0.2),
    "loss and dead": Scene(nodes=300, loss=0.05, dead=0.2),
    "regions": Scene(nodes=300, regions=True),
    "long": Scene(nodes=200, frame_bytes=LONG_BYTES),
    "long, loss and dead": Scene(nodes=200, frame_bytes=LONG_BYTES, loss=0.05, dead=0.2),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """How far a figure of the model may lie from the crowd's. `relative`: as a part of it, else as it stands."""

    figure: str  # of `crowd.Result`
    most: float | None  # None: told, and held to nothing
    relative: bool = True


BOUNDS: Final = (
    Bound(figure="delivered", most=0.001, relative=False),
    Bound(figure="copies", most=0.03),
    Bound(figure="p50_ms", most=0.05),
    Bound(figure="p99_ms", most=0.10),
    Bound(figure="said_bytes", most=None),
    Bound(figure="links", most=None),
)
