"""Drawing: scales, axes, marks and how quantities are said; what the pictures share.

Coordinates are those of SVG: pixels of the view box, y downwards.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from xml.etree.ElementTree import Element

from simulations.pages.markup import tag

_STEPS: Final = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400)
_TICKS_MS: Final = (
    *(1, 10, 100, 1_000, 10_000, 60_000, 600_000, 3_600_000),
    *(86_400_000, 864_000_000, 8_640_000_000, 86_400_000_000, 10**15),
)


@dataclass(frozen=True, slots=True)
class Frame:
    """A picture's size and the plot within it: from (left, top) to (right, bottom)."""

    width: float = 640
    height: float = 320
    left: float = 62
    top: float = 18
    right: float = 604
    bottom: float = 274

    def x(self, share: float) -> float:
        """Give where a share of the way from left to right is."""
        return self.left + share * (self.right - self.left)

    def y(self, share: float) -> float:
        """Give where a share of the way from bottom to top is."""
        return self.bottom - share * (self.bottom - self.top)


def time_said(seconds: float) -> str:
    """Say how long something takes, in the unit that fits."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.3g} s"
    if seconds < 3600:
        whole, rest = divmod(round(seconds), 60)
        return f"{whole} min {rest} s" if rest else f"{whole} min"
    if seconds < 86_400:
        return f"{seconds / 3600:.3g} h"
    return f"{seconds / 86_400:.3g} {'day' if seconds == 86_400 else 'days'}"


def size_said(count: float) -> str:
    """Say a number of bytes, in the unit that fits; 1 kB is 1000 B."""
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" or count >= 100 else f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} GB" if count < 100 else f"{count:,.0f} GB"


def share_said(share: float) -> str:
    """Say a share so that only what is whole is said to be."""
    percent = math.floor(share * 10_000) / 100 if share < 1 else share * 100
    return f"{percent:.4g} %"


def nice_steps(most: float, wanted: int = 4) -> list[float]:
    """Give round values from 0 to the first that is not below `most`: about so many steps."""
    if most <= 0:
        return [0.0, 1.0]
    power = 10.0 ** math.floor(math.log10(most / wanted))
    step = next(power * factor for factor in (1, 2, 5, 10) if most / (power * factor) <= wanted)
    return [step * number for number in range(math.ceil(most / step) + 1)]


def time_step(seconds: float, wanted: int) -> int:
    """Give a round number of seconds of which at most so many cover a time."""
    fitting = (step for step in _STEPS if seconds / step <= wanted)
    return next(fitting, 86_400 * math.ceil(seconds / 86_400 / wanted))


def time_ticks(least_ms: float, most_ms: float) -> list[float]:
    """Give round times around a range, for a scale of powers of ten: at least two, in ms."""
    first = max((number for number, tick in enumerate(_TICKS_MS) if tick <= least_ms), default=0)
    last = next((number for number, tick in enumerate(_TICKS_MS) if tick >= most_ms), len(_TICKS_MS) - 1)
    return [float(tick) for tick in _TICKS_MS[first : max(last, first + 1) + 1]]


def label(x: float, y: float, said: str, kind: str = "") -> Element:
    """Write a label; `kind`: strong, middle, end."""
    return tag("text", said, x=x, y=y, class_=kind) if kind else tag("text", said, x=x, y=y)


def line(x: float, y: float, to_x: float, to_y: float, kind: str, **more: str | float) -> Element:
    """Draw a line."""
    return tag("line", x1=x, y1=y, x2=to_x, y2=to_y, class_=kind, **more)


def path(points: Iterable[tuple[float, float]], kind: str) -> Element:
    """Draw a line through points."""
    return tag("polyline", points=" ".join(f"{x:.1f},{y:.1f}" for x, y in points), class_=kind)


def hatching(name: str) -> Element:
    """Give the pattern by which what is hatched is told from what is full: stripes of the second colour on the card."""
    stripe = tag("path", d="M0,6 L6,0", class_="stripe")
    ground = tag("rect", width=6, height=6, class_="bare")
    return tag("defs", tag("pattern", ground, stripe, id=name, width=6, height=6, patternUnits="userSpaceOnUse"))


def across(frame: Frame, ticks: Sequence[tuple[float, str]]) -> Iterator[Element]:
    """Draw the axis at the bottom: (share, what stands there)."""
    yield line(frame.left, frame.bottom, frame.right, frame.bottom, "axis")
    for share, said in ticks:
        yield line(frame.x(share), frame.bottom, frame.x(share), frame.bottom + 5, "axis")
        yield label(frame.x(share), frame.bottom + 19, said, "middle")


def upwards(frame: Frame, ticks: Sequence[tuple[float, str]]) -> Iterator[Element]:
    """Draw the axis at the left, with a line across the plot at each place."""
    for share, said in ticks:
        yield line(frame.left, frame.y(share), frame.right, frame.y(share), "grid")
        yield label(frame.left - 8, frame.y(share) + 4, said, "end")


def shape(kind: int, x: float, y: float, size: float, dress: str) -> Element:
    """Draw a mark: circle, square, diamond or triangle, so that what differs does not differ in colour alone."""
    corners: dict[int, list[tuple[float, float]]] = {
        1: [(-1, -1), (1, -1), (1, 1), (-1, 1)],
        2: [(0, -1.4), (1.4, 0), (0, 1.4), (-1.4, 0)],
        3: [(0, -1.3), (1.25, 0.9), (-1.25, 0.9)],
    }
    if kind % 4 == 0:
        return tag("circle", cx=x, cy=y, r=size, class_=dress)
    points = " ".join(f"{x + dx * size:.1f},{y + dy * size:.1f}" for dx, dy in corners[kind % 4])
    return tag("polygon", points=points, class_=dress)


SHAPES: Final = ("circle", "square", "diamond", "triangle")
