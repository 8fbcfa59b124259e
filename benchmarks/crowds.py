"""A thousand nodes of our gossip beside a plain mesh, in the simulator: copies and latency (docs/network.md)."""

from collections.abc import Iterator
from typing import Final

from benchmarks.report import Figure
from simulations.crowd import LONG_BYTES, SHORT_BYTES, Scene, measure

# network.md §8: frame, loss, dead; the most copies as a part of the mesh's, or at all; the most p99 beside the mesh's.
SCENES: Final = (
    (SHORT_BYTES, 0.0, 0.0, 0.5, None, 1.5),
    (SHORT_BYTES, 0.05, 0.2, 0.5, None, 1.8),
    (LONG_BYTES, 0.0, 0.0, None, 1.5, None),
    (LONG_BYTES, 0.05, 0.2, None, 1.5, None),
)


def measure_crowds(nodes: int) -> Iterator[Figure]:
    """Measure each scene once: it is drawn from a seed, and the same each time."""
    for frame_bytes, loss, dead, part, copies, p99 in SCENES:
        scene = Scene(nodes=nodes, frame_bytes=frame_bytes, loss=loss, dead=dead)
        ours, plain = measure(scene, plain=False), measure(scene, plain=True)
        name = f"{frame_bytes} B, {loss:.0%} loss, {dead:.0%} dead"
        yield Figure(name=f"{name}: delivered", unit="percent", values=[100 * ours.delivered], bar=100.0)
        yield Figure(name=f"{name}: a delivery", unit="copies", values=[ours.copies], bar=copies)
        yield Figure(name=f"{name}: of the mesh's", unit="× copies", values=[ours.copies / plain.copies], bar=part)
        yield Figure(name=f"{name}: p99", unit="ms", values=[ours.p99_ms])
        yield Figure(name=f"{name}: of the mesh's", unit="× p99", values=[ours.p99_ms / plain.p99_ms], bar=p99)
