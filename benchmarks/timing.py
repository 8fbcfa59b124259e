"""How long something keeps the processor busy; not the wall's time: others may use this machine."""

import time
from collections.abc import Callable

from benchmarks.report import Figure


def busy_ms(act: Callable[[], object]) -> float:
    """Return how long something keeps the processor busy, in ms."""
    began = time.process_time()
    act()
    return (time.process_time() - began) * 1000


def timed(name: str, act: Callable[[], object], runs: int, bar: float | None = None) -> Figure:
    """Do something so often, and return how long it took each time, beside its bar in ms."""
    return Figure(name=name, unit="ms", values=[busy_ms(act) for _ in range(runs)], bar=bar)
