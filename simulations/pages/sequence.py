"""One message's way as a sequence diagram: a column for each node, a row for each leg, later ones below.

Rows are as far apart whatever time lies between them, since legs of one message lie milliseconds and hours apart; the
time stands beside each.
"""

from collections.abc import Iterator, Sequence
from typing import Final
from xml.etree.ElementTree import Element

from simulations.measures import Hop
from simulations.pages.drawing import label, line, time_said
from simulations.pages.markup import picture, table, tag, words
from simulations.spells import Spell

LEGS_MAX: Final = 28
COLUMNS_MAX: Final = 12
ROWS_MAX: Final = 400
LEFT, TOP, ROW, SLOPE = 86.0, 44.0, 26.0, 7.0


def sequence_picture(way: Sequence[Hop], cuts: Sequence[Spell]) -> Element:
    """Draw the way of one message; there is at least one leg."""
    ordered = sorted(way, key=lambda hop: (hop.at_ms, hop.left_ms))
    news = [hop for hop in ordered if hop.fresh]
    began = min(hop.left_ms for hop in ordered)
    columns = list(dict.fromkeys([ordered[0].one, *(name for hop in news for name in (hop.one, hop.other))]))
    columns = columns[:COLUMNS_MAX]
    able = [hop for hop in ordered if {hop.one, hop.other} <= set(columns)]
    few = [*(hop for hop in able if hop.fresh), *(hop for hop in able if not hop.fresh)][:LEGS_MAX]
    drawn = sorted(few, key=lambda hop: (hop.at_ms, hop.left_ms))
    notes = [note for note in _notes(cuts) if began <= note[0] <= drawn[-1].at_ms] if drawn else []
    again = len(ordered) - len(news)
    last = max((hop.at_ms for hop in news), default=began)
    left_out = f"{len(drawn)} of {len(ordered)} legs are drawn. " if len(drawn) < len(ordered) else ""
    says = (
        f"The message left {words(ordered[0].one)} at {time_said(began / 1000)} and came to {len(news)} others within "
        f"{time_said((last - began) / 1000)}. Full arrows brought it for the first time; {again} dashed ones to "
        f"somebody who had it. {left_out}Of the first messages of the run it is the one that came to most nodes, and "
        "of these the slowest."
    )
    rows = [_row(hop) for hop in ordered[:ROWS_MAX]]
    heads = ("came at", "from", "to", "under way", "for the first time")
    behind = table("Every leg", heads, rows, max(0, len(ordered) - ROWS_MAX))
    size = (640.0, TOP + ROW * (len(drawn) + len(notes) + 1) + 12)
    inside = _drawn(columns, drawn, notes, began, size)
    return picture("message", "The way of one message", says, size, inside, behind)


def _row(hop: Hop) -> tuple[str, ...]:
    took = f"{hop.at_ms - hop.left_ms:,} ms"
    return time_said(hop.at_ms / 1000), words(hop.one), words(hop.other), took, "yes" if hop.fresh else "no"


def _notes(cuts: Sequence[Spell]) -> list[tuple[int, str]]:
    """Give what happened to paths: when, and what."""
    found = []
    for spell in cuts:
        found.append((round(spell.from_s * 1000), "paths cut" if spell.cuts else "paths clogged"))
        found.append((round(spell.to_s * 1000), "paths change or heal"))
    return found


def _drawn(
    columns: Sequence[str], legs: Sequence[Hop], notes: Sequence[tuple[int, str]], began: int, size: tuple[float, float]
) -> Iterator[Element]:
    apart = (size[0] - LEFT - 50) / max(1, len(columns) - 1)
    places = {name: LEFT + apart * number for number, name in enumerate(columns)}
    yield _arrowheads()
    for number, (name, x) in enumerate(places.items()):
        yield line(x, TOP - 8, x, size[1] - 6, "grid")
        high = 16 if number % 2 == 0 or len(columns) <= 7 else 30
        yield label(x, high, words(name, 12), "strong middle")
    rows: list[tuple[int, Hop | str]] = [*((hop.at_ms, hop) for hop in legs), *notes]
    y = TOP
    for at_ms, what in sorted(rows, key=lambda row: row[0]):
        y += ROW
        yield label(LEFT - 16, y + 4, _since(at_ms - began), "end")
        if isinstance(what, str):
            yield line(LEFT - 8, y, size[0] - 10, y, "axis", stroke_dasharray="2 4")
            yield label(size[0] - 12, y - 4, what, "end")
            continue
        kind, head = ("line-one", "message-news") if what.fresh else ("line-two", "message-again")
        to = places[what.other]
        from_x = places[what.one]
        yield line(from_x, y - SLOPE, to + (4 if to < from_x else -4), y + SLOPE, kind, marker_end=f"url(#{head})")


def _since(after_ms: int) -> str:
    if after_ms < 1000:
        return f"+{after_ms} ms"
    return f"+{after_ms / 1000:.3f} s" if after_ms < 600_000 else f"+{time_said(after_ms / 1000)}"


def _arrowheads() -> Element:
    full = tag("path", d="M0,0 L8,4 L0,8 z", class_="one", stroke="none")
    open_ = tag("path", d="M0,0 L8,4 L0,8", class_="head-two")
    size = {"viewBox": "0 0 9 8", "refX": "8", "refY": "4", "orient": "auto", "markerUnits": "userSpaceOnUse"}
    return tag(
        "defs",
        tag("marker", full, id="message-news", markerWidth=9, markerHeight=8, **size),
        tag("marker", open_, id="message-again", markerWidth=9, markerHeight=8, **size),
    )
