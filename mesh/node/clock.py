"""The two clocks of a machine: one that only rises, one that people set."""

import time

from mesh.events import Instant


def now() -> Instant:
    """Return this moment."""
    return Instant(mono_ms=time.monotonic_ns() // 1_000_000, wall_ms=time.time_ns() // 1_000_000)
