"""Spells: which paths are cut or clogged from when to when, read off a plan's steps.

A plan says all of it, so no world need be asked: pages draw it, and `simulations/healing.py` measures from it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

from simulations.plans import Plan, Step

Pair: TypeAlias = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Spell:
    """From `from_s` to `to_s` no frame goes between the pairs of `cuts`, and in `clogs` what goes one way waits."""

    from_s: float
    to_s: float
    cuts: frozenset[Pair]  # each pair in the order of the alphabet
    clogs: frozenset[Pair]  # from, to

    @property
    def whole(self) -> bool:
        """Whether every path is open."""
        return not self.cuts and not self.clogs


def spells(plan: Plan, until_s: float) -> list[Spell]:
    """Give the spells of a plan one after the other, from 0 to `until_s`; the last heals when the plan has ended.

    A network that settles is mended with the last step; one that failed on the way has no spell after that.
    """
    found: list[Spell] = []
    cuts: frozenset[Pair] = frozenset()
    clogs: frozenset[Pair] = frozenset()
    began, ends = 0.0, min(until_s, plan.steps[-1].at_s if plan.steps else 0.0)

    def close(at_s: float) -> None:
        if at_s > began:
            found.append(Spell(began, at_s, cuts, clogs))

    for step in plan.steps:
        after = _after(step, cuts, clogs)
        if step.at_s > ends or after == (cuts, clogs):
            continue
        close(step.at_s)
        began, (cuts, clogs) = step.at_s, after
    if cuts or clogs:
        close(ends)
        began, cuts, clogs = ends, frozenset(), frozenset()
    close(until_s)
    return found


def _after(step: Step, cuts: frozenset[Pair], clogs: frozenset[Pair]) -> tuple[frozenset[Pair], frozenset[Pair]]:
    match step.do:
        case "heal":
            return frozenset(), frozenset()
        case "cut":
            return cuts | {_pair(step.text("one"), step.text("other"))}, clogs
        case "clog":
            return cuts, clogs | {(step.text("one"), step.text("other"))}
        case "partition":
            sides = step.args.get("sides", ())
            return cuts | set(_between(sides if isinstance(sides, tuple) else ())), clogs
        case _:
            return cuts, clogs


def _pair(one: str, other: str) -> Pair:
    return (one, other) if one < other else (other, one)


def _between(sides: tuple[str, ...]) -> Iterable[Pair]:
    for k, side in enumerate(sides):
        for other_side in sides[k + 1 :]:
            yield from (_pair(one, other) for one in side.split() for other in other_side.split())


def healed_ms(spells: Iterable[Spell]) -> list[int]:
    """Give the moments at which every path became open again."""
    ordered = list(spells)
    return [round(after.from_s * 1000) for before, after in pairwise(ordered) if after.whole and not before.whole]
