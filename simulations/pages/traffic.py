"""Bytes over time: what was new to whoever got it, on top of it all else; behind it, when paths were cut."""

from collections.abc import Iterator, Sequence
from typing import Final
from xml.etree.ElementTree import Element

from simulations.pages.drawing import (
    Frame,
    across,
    hatching,
    label,
    nice_steps,
    size_said,
    time_said,
    time_step,
    upwards,
)
from simulations.pages.markup import picture, table, tag
from simulations.spells import Spell

BARS_MAX: Final = 110
HATCH: Final = "traffic-hatch"


def traffic_picture(series: Sequence[tuple[int, int, int]], seconds: float, cuts: Sequence[Spell]) -> Element:
    """Draw what arrived at all nodes together; `series`: (second, payload, all else), at least one row."""
    ends = max(seconds, series[-1][0] + 1)
    step = time_step(ends, BARS_MAX)
    bars: dict[int, list[int]] = {}
    for second, payload, control in series:
        bar = bars.setdefault(second // step, [0, 0])
        bar[0] += payload
        bar[1] += control
    payload, control = (sum(bar[side] for bar in bars.values()) for side in (0, 1))
    says = (
        f"In {time_said(ends)} {size_said(payload + control)} arrived at all nodes together: {size_said(payload)} of "
        f"messages that were new to whoever got them (full), {size_said(control)} of all else (hatched): keys, "
        f"membership, acknowledgements, copies. Each bar is {time_said(step)}."
        + (" Behind the bars: when paths were cut or clogged." if cuts else "")
    )
    rows = [(time_said(bar * step), size_said(counts[0]), size_said(counts[1])) for bar, counts in sorted(bars.items())]
    behind = table("What arrived", ("from", "new messages", "all else"), rows)
    frame = Frame()
    drawn = _drawn(frame, bars, step, ends, cuts)
    return picture("traffic", "Bytes over time", says, (frame.width, frame.height), drawn, behind)


def _drawn(
    frame: Frame, bars: dict[int, list[int]], step: int, ends: float, cuts: Sequence[Spell]
) -> Iterator[Element]:
    scale = nice_steps(max(sum(bar) for bar in bars.values()))
    most = scale[-1]
    yield hatching(HATCH)
    for spell in cuts:
        left, right = frame.x(min(1.0, spell.from_s / ends)), frame.x(min(1.0, spell.to_s / ends))
        yield tag("rect", x=left, y=frame.top, width=right - left, height=frame.bottom - frame.top, class_="veil")
        if right - left > 30:
            yield label((left + right) / 2, frame.top - 5, "cut" if spell.cuts else "clogged", "middle")
    yield from upwards(frame, [(value / most, size_said(value)) for value in scale])
    between = time_step(ends, 7)
    marks = [number * between for number in range(int(ends // between) + 1)]
    yield from across(frame, [(mark / ends, time_said(mark) if mark else "0") for mark in marks])
    wide = max(1.0, (frame.right - frame.left) * step / ends - 1)
    for bar, (payload, control) in sorted(bars.items()):
        x, middle = frame.x(bar * step / ends), frame.y(payload / most)
        wide_here = min(wide, frame.right - x)
        yield tag("rect", x=x, y=middle, width=wide_here, height=frame.bottom - middle, class_="one", stroke="none")
        top = frame.y((payload + control) / most)
        yield tag("rect", x=x, y=top, width=wide_here, height=middle - top, fill=f"url(#{HATCH})", class_="rim")
    for place, said, fill in ((0.02, "new messages", ""), (0.27, "all else", HATCH)):
        dress = {"fill": f"url(#{fill})", "class": "rim"} if fill else {"class": "one"}
        yield tag("rect", x=frame.x(place), y=frame.height - 18, width=14, height=12, **dress)
        yield label(frame.x(place) + 20, frame.height - 8, said)
