"""How long posts take: the share of all arrivals that are there after a time, on a scale of powers of ten."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final
from xml.etree.ElementTree import Element

from simulations.measures import percentile
from simulations.pages.drawing import Frame, across, label, line, path, shape, time_said, time_ticks, upwards
from simulations.pages.markup import picture, table
from simulations.scenario import Bound

NAMED: Final = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
SHARES: Final = (0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1.0)
POINTS_MAX: Final = 300


def latency_picture(times_ms: Sequence[int], bounds: Mapping[str, Bound]) -> Element:
    """Draw how long each post took to each reader; `times_ms` are sorted, and there is at least one."""
    most = {name: bounds[f"latency_{name}_ms"].most for name in (*NAMED, "max") if f"latency_{name}_ms" in bounds}
    limits = {name: limit for name, limit in most.items() if limit}
    values = {name: percentile([*times_ms], share) for name, share in NAMED.items()}
    said = ", ".join(f"{name} {time_said(value / 1000)}" for name, value in values.items())
    says = (
        f"Of {len(times_ms):,} arrivals, half were there within {time_said(values['p50'] / 1000)}, and the slowest "
        f"after {time_said(times_ms[-1] / 1000)}. {said}. Time runs to the right, by powers of ten."
    )
    rows = [(f"{share:.0%}", time_said(percentile([*times_ms], share) / 1000)) for share in SHARES]
    behind = table("How long it took", ("share of arrivals", "there within"), rows)
    frame = Frame()
    drawn = _drawn(frame, times_ms, values, limits)
    title = "From a post to its readers"
    return picture("latency", title, says, (frame.width, frame.height), drawn, behind)


def _drawn(
    frame: Frame, times_ms: Sequence[int], values: Mapping[str, int], limits: Mapping[str, float]
) -> Iterator[Element]:
    ticks = time_ticks(max(1, times_ms[0]), max(1, times_ms[-1], *limits.values(), 1))
    low, high = math.log10(ticks[0]), math.log10(ticks[-1])

    def x(time_ms: float) -> float:
        return frame.x((math.log10(max(ticks[0], time_ms)) - low) / (high - low))

    yield from upwards(frame, [(share, f"{share:.0%}") for share in (0, 0.25, 0.5, 0.75, 1)])
    every = -(-len(ticks) // 9)
    yield from across(frame, [((math.log10(t) - low) / (high - low), time_said(t / 1000)) for t in ticks[::every]])
    for name, limit in limits.items():
        yield line(x(limit), frame.top, x(limit), frame.bottom, "line-two")
        side, dress = (5, "") if x(limit) < frame.x(0.3) else (-5, "end")
        yield label(x(limit) + side, frame.y(0.08), f"bound of {name}", dress)
    yield path(_steps(frame, times_ms, x), "line-one")
    for kind, (name, value) in enumerate(values.items()):
        yield shape(kind, x(value), frame.y(NAMED[name]), 5, "hollow")
        at = frame.x(0.03 + 0.34 * kind)
        yield shape(kind, at, frame.height - 12, 5, "hollow")
        yield label(at + 14, frame.height - 8, f"{name}  {time_said(value / 1000)}", "strong")


def _steps(frame: Frame, times_ms: Sequence[int], x: Callable[[float], float]) -> Iterator[tuple[float, float]]:
    count = len(times_ms)
    every = max(1, count // POINTS_MAX)
    yield x(times_ms[0]), frame.y(0)
    share = 0.0
    for number in [*range(0, count - 1, every), count - 1]:
        yield x(times_ms[number]), frame.y(share)
        share = (number + 1) / count
        yield x(times_ms[number]), frame.y(share)
    yield frame.right, frame.y(share)
