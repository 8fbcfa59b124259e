"""The network as a picture: who spoke with whom, and for each spell of cuts which paths were not there.

Those whom a cut keeps apart stand side by side and have a shape of their own, so that sides are seen without colour.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from xml.etree.ElementTree import Element

from simulations.pages.drawing import SHAPES, label, line, shape, size_said, time_said
from simulations.pages.markup import picture, table, tag, words
from simulations.spells import Pair, Spell

DRAWN_MAX: Final = 60  # people in the picture
NAMED_MAX: Final = 24  # more have no name in it
PATHS_MAX: Final = 400
PANELS_MAX: Final = 4
ROWS_MAX: Final = 200
PANEL: Final = 320.0


@dataclass(frozen=True, slots=True)
class _Place:
    """Where somebody stands in a panel."""

    x: float
    y: float
    angle: float


def network_picture(people: Sequence[str], pairs: Mapping[Pair, int], spells: Sequence[Spell]) -> Element:
    """Draw people, the paths on which bytes went, and the cuts, a panel for each spell."""
    weights: dict[Pair, int] = {}
    for (one, other), count in pairs.items():
        pair = (one, other) if one < other else (other, one)
        weights[pair] = weights.get(pair, 0) + count
    cut = [spell for spell in spells if not spell.whole]
    shown = [Spell(0.0, spells[-1].to_s if spells else 0.0, frozenset(), frozenset()), *cut[: PANELS_MAX - 1]]
    drawn_people = list(people[:DRAWN_MAX])
    apart = max(cut, key=lambda spell: len(spell.cuts), default=None)
    places = _places(_by_side(drawn_people, apart))
    height = (PANEL + 24) * -(-len(shown) // 2)
    middle = (PANEL + 10) / 2 if len(shown) == 1 else 0.0
    says = _says(people, weights, cut, len(shown) - 1)
    panels = []
    for number, spell in enumerate(shown):
        x, y = middle + (number % 2) * (PANEL + 10), (number // 2) * (PANEL + 24)
        inside = _panel(spell, places, weights, first=number == 0)
        panels.append(tag("g", inside, transform=f"translate({x:g},{y:g})"))
    size = (PANEL * 2 + 10, height)
    return picture("network", "The network and its cuts", says, size, panels, _behind(weights, cut))


def _says(people: Sequence[str], weights: Mapping[Pair, int], cut: Sequence[Spell], panels: int) -> str:
    said = f"{len(people)} nodes; bytes went on {len(weights)} paths, the more the wider the line."
    if len(people) > DRAWN_MAX:
        said += f" The first {DRAWN_MAX} are drawn."
    if not cut:
        return f"{said} No path was cut."
    times = "once" if len(cut) == 1 else f"{len(cut)} times"
    said += f" Paths were cut or clogged {times}"
    said += f", of which the first {panels} are drawn" if len(cut) > panels else ""
    return f"{said}: dashed and crossed where no frame goes, dashed with a bar where one way waits."


def _behind(weights: Mapping[Pair, int], cut: Sequence[Spell]) -> Element:
    heavy = sorted(weights.items(), key=lambda item: (-item[1], item[0]))
    rows = [(f"{words(one)} – {words(other)}", size_said(count)) for (one, other), count in heavy[:ROWS_MAX]]
    paths = table("What went between two nodes, both ways", ("path", "bytes"), rows, max(0, len(heavy) - ROWS_MAX))
    if not cut:
        return paths
    lines = [
        (f"{time_said(spell.from_s)} to {time_said(spell.to_s)}", _listed(spell.cuts), _listed(spell.clogs))
        for spell in cut[:ROWS_MAX]
    ]
    cuts = table("Cuts", ("when", "cut", "clogged, from – to"), lines, max(0, len(cut) - ROWS_MAX))
    return tag("div", cuts, paths)


def _listed(pairs: frozenset[Pair]) -> str:
    return words(", ".join(f"{one} – {other}" for one, other in sorted(pairs)[:40])) or "none"


# ---------------------------------------------------------------- where they stand


def sides(people: Sequence[str], spell: Spell) -> list[list[str]]:
    """Say who can still come to whom: the parts into which a spell's cuts divide people, in their order."""
    left, found = list(people), []
    while left:
        side = [left.pop(0)]
        for one in side:
            near = [other for other in left if (min(one, other), max(one, other)) not in spell.cuts]
            left = [other for other in left if other not in near]
            side += near
        found.append(sorted(side, key=people.index))
    return found


def _by_side(people: list[str], apart: Spell | None) -> list[str]:
    return people if apart is None else [name for side in sides(people, apart) for name in side]


def _places(people: Sequence[str]) -> dict[str, _Place]:
    middle, radius = PANEL / 2, PANEL / 2 - (80 if len(people) <= NAMED_MAX else 28)
    found = {}
    for number, name in enumerate(people):
        angle = 2 * math.pi * number / len(people) - math.pi / 2
        found[name] = _Place(middle + radius * math.cos(angle), middle + 10 + radius * math.sin(angle), angle)
    return found


# ---------------------------------------------------------------- what is drawn


def _panel(
    spell: Spell, places: Mapping[str, _Place], weights: Mapping[Pair, int], *, first: bool
) -> Iterator[Element]:
    kinds: dict[str, int] = {}
    if not first:
        for number, side in enumerate(sides(list(places), spell)):
            kinds |= dict.fromkeys(side, number)
    parts = len(set(kinds.values()))
    when = "whole" if first else f"{time_said(spell.from_s)} to {time_said(spell.to_s)}"
    said = "over the whole run" if first else f"{when}: {f'in {parts} parts' if parts > 1 else 'some paths cut'}"
    yield label(PANEL / 2, 16, said, "strong middle")
    yield from _paths(spell, places, weights)
    yield from _crosses(spell, places)
    for name, place in places.items():
        kind = kinds.get(name, 0)
        yield shape(kind, place.x, place.y, 7 if len(places) <= NAMED_MAX else 4, "hollow" if kind else "solid")
        if len(places) <= NAMED_MAX:
            yield _name(name, place)
    if parts > 1:
        told = ", ".join(SHAPES[number % len(SHAPES)] for number in range(min(parts, 4)))
        yield label(PANEL / 2, PANEL + 12, f"a shape for each part: {told}", "middle")


def _name(name: str, place: _Place) -> Element:
    away = 15.0
    x, y = place.x + away * math.cos(place.angle), place.y + away * math.sin(place.angle) + 4
    side = math.cos(place.angle)
    kind = "middle" if abs(side) < 0.3 else "" if side > 0 else "end"
    return label(x, y, words(name, 9), f"strong {kind}".strip())


def _paths(spell: Spell, places: Mapping[str, _Place], weights: Mapping[Pair, int]) -> Iterator[Element]:
    heavy = sorted(weights.items(), key=lambda item: (-item[1], item[0]))
    most = heavy[0][1] if heavy else 1
    inside = [(pair, count) for pair, count in heavy if set(pair) <= places.keys() and pair not in spell.cuts]
    for (one, other), count in inside[:PATHS_MAX]:
        width = 0.75 + 5 * count / most
        yield line(places[one].x, places[one].y, places[other].x, places[other].y, "path", stroke_width=width)


def _crosses(spell: Spell, places: Mapping[str, _Place]) -> Iterator[Element]:
    cut = [pair for pair in sorted(spell.cuts) if set(pair) <= places.keys()][:PATHS_MAX]
    held = [pair for pair in sorted(spell.clogs) if set(pair) <= places.keys()][:PATHS_MAX]
    for pair in (*cut, *held):
        one, other = (places[name] for name in pair)
        yield line(one.x, one.y, other.x, other.y, "line-two")
        if len(cut) + len(held) > 40:
            continue
        x, y = (one.x + other.x) / 2, (one.y + other.y) / 2
        yield line(x - 5, y - 5, x + 5, y + 5, "mark-two")
        if pair in spell.cuts:
            yield line(x - 5, y + 5, x + 5, y - 5, "mark-two")
