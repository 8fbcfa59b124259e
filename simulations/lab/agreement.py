"""How true the world is: the same plans in the world (level 1) and on real processes (level 3), within these bounds.

Bounds, scenarios, sizes and seeds were written down before the first comparison (docs/simulations.md). The world is
what a mean of `WORLDS` runs says: the plan is one, what differs is whom nodes choose and what the weather draws. Where
runs of the world differ much among themselves, the lab carries the plan out several times too.

`make lab` compares all of it, in real time, and says what is not met; `--write FILE` puts the table into a document.
"""

import argparse
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean
from typing import Final

from simulations.lab.running import LabResult, by_kind, run_in_lab
from simulations.plans import Plan
from simulations.running import Result, run
from simulations.scenarios import scenario
from simulations.stage import Done

WORLDS: Final = 20  # seeds of the world, from the plan's own on
BYTES_SHARE: Final = 0.10  # of what a node of the world sends on the average
P50_SHARE: Final = 0.30  # of the world's p50 …
P50_MS: Final = 20.0  # … and so much more: real machines commit, derive and wait for their turn
MARK: Final = "<!-- lab -->"  # before and after the table in a document


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A plan to be compared: scenario, parameters, seed, and how often the lab carries it out."""

    name: str
    given: Mapping[str, int | float] = field(default_factory=dict)
    seed: int = 1
    runs: int = 1

    def plan(self) -> Plan:
        """Draw it."""
        return scenario(self.name).plan(self.seed, self.given)


CASES: Final = (
    Case(name="plain-evening", given={"members": 5, "posts": 20, "seconds": 60}),
    Case(name="join-while-inviter-offline", given={"members": 4, "posts": 8}),
    Case(name="partition-heal", given={"members": 5, "posts": 12}, runs=2),
    Case(name="lossy-village", given={"members": 6, "posts": 20}, runs=3),
    Case(name="flash-crowd", given={"members": 3, "crowd": 4, "posts": 6}),
    Case(name="keeper-dies", given={"members": 4, "posts": 10}),
)
SMALL: Final = Case(name="plain-evening", given={"members": 4, "posts": 10, "seconds": 10}, seed=2)  # in `make test`
SMALL_WORLDS: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A figure of both levels. `off`: level 3 less level 1; `most`: how far off it may be, None for no bound."""

    scenario: str
    figure: str
    level1: float
    level3: float
    most: float | None

    @property
    def off(self) -> float:
        """How far level 3 is from level 1."""
        return self.level3 - self.level1

    @property
    def met(self) -> bool:
        """Whether that is within the bound."""
        return self.most is None or abs(self.off) <= self.most


def compare(name: str, worlds: Sequence[Result], labs: Sequence[LabResult]) -> list[Compared]:
    """Hold runs of one plan on real processes against runs in the world."""
    p50, sent = mean(_figure(worlds, "latency_p50_ms")), mean(_figure(worlds, "up_bytes_mean"))
    rows = (
        ("delivery_ratio", mean(_figure(worlds, "delivery_ratio")), mean(lab.delivery_ratio for lab in labs), 0.0),
        ("deliveries", mean(_figure(worlds, "deliveries")), mean(lab.came for lab in labs), None),
        ("up_bytes_mean", sent, mean(lab.up_bytes_mean for lab in labs), BYTES_SHARE * sent),
        ("latency_p50_ms", p50, mean(lab.latency_ms(0.5) for lab in labs), P50_SHARE * p50 + P50_MS),
        ("latency_p95_ms", mean(_figure(worlds, "latency_p95_ms")), mean(lab.latency_ms(0.95) for lab in labs), None),
    )
    return [
        Compared(scenario=name, figure=figure, level1=level1, level3=level3, most=most)
        for figure, level1, level3, most in rows
    ]


def _figure(worlds: Iterable[Result], name: str) -> list[float]:
    return [world.figures.get(name, 0.0) for world in worlds]


def in_worlds(plan: Plan, seed: int, name: str = "", count: int = WORLDS) -> list[Result]:
    """Carry a plan out in several worlds."""
    return [run(plan, seed + k, scenario=name) for k in range(count)]


def compared(case: Case, said: Callable[[str], None]) -> list[Compared]:
    """Carry a case out at both levels, and compare."""
    plan = case.plan()
    said(f"{case.name} {dict(case.given)}, seed {case.seed}: {WORLDS} worlds")
    worlds = in_worlds(plan, case.seed, case.name)
    labs = []
    for number in range(case.runs):
        said(f"{case.name}: lab, run {number + 1} of {case.runs}")
        labs.append(run_in_lab(plan, case.seed + number, on_step=lambda done: _passed_over(done, said)))
        said(f"  settled after {labs[-1].settle_s} s, {labs[-1].seconds:.0f} s in all; {_kinds(labs[-1])}")
    said(f"  a node of the world sends {_spread(worlds)}; {_world_kinds(worlds)}")
    return compare(case.name, worlds, labs)


def _passed_over(done: Done, said: Callable[[str], None]) -> None:
    if done.why:
        said(f"  passed over: {done.step}: {done.why}")


def _kinds(lab: LabResult) -> str:
    nodes = len(lab.said)
    return "a node sends " + ", ".join(
        f"{kind} {count / nodes:,.0f}" for kind, count in by_kind(lab.said).most_common()
    )


def _world_kinds(worlds: Sequence[Result]) -> str:
    kinds: dict[str, float] = {}
    for world in worlds:
        assert world.measures is not None
        for traffic in world.measures.traffic.values():
            for kind, count in traffic.up.items():
                share = count / len(world.measures.traffic) / len(worlds)
                kinds[kind.name.lower()] = kinds.get(kind.name.lower(), 0.0) + share
    return ", ".join(f"{kind} {count:,.0f}" for kind, count in sorted(kinds.items(), key=lambda one: -one[1]))


def _spread(worlds: Sequence[Result]) -> str:
    sent = _figure(worlds, "up_bytes_mean")
    return f"{min(sent):,.0f} to {max(sent):,.0f} B"


# ---------------------------------------------------------------- what is said


def table(rows: Iterable[Compared]) -> list[str]:
    """Give the rows as a table in Markdown."""
    lines = ["| scenario | figure | level 1 | level 3 | off | bound | met |", "|---|---|---|---|---|---|---|"]
    for one in rows:
        off = f"{one.off:+,.4g}" if not one.level1 else f"{one.off:+,.4g} ({one.off / one.level1:+.1%})"
        bound = "none" if one.most is None else "equal" if not one.most else f"± {one.most:,.4g}"
        met = "–" if one.most is None else "yes" if one.met else "**no**"
        lines.append(
            f"| {one.scenario} | {one.figure} | {one.level1:,.6g} | {one.level3:,.6g} | {off} | {bound} | {met} |"
        )
    return lines


def put_into(text: str, lines: Sequence[str]) -> str:
    """Give a document with these lines between its two marks; ValueError if it has not got two."""
    before, between, after = text.split(MARK)
    del between
    return f"{before}{MARK}\n" + "\n".join(lines) + f"\n{MARK}{after}"


def main(words: Sequence[str] | None = None) -> int:
    """Compare; 1 if a bound is not met."""
    parser = argparse.ArgumentParser(prog="make lab", description="Hold the world against real processes.")
    parser.add_argument("names", nargs="*", help="scenarios; left out, all of them")
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the table into a document, between its marks")
    asked = parser.parse_args(words)
    cases = [case for case in CASES if not asked.names or case.name in asked.names]
    rows: list[Compared] = []
    for case in cases:
        rows += compared(case, lambda line: print(line, file=sys.stderr, flush=True))
        print("\n".join(table(rows[-5:])), flush=True)
    print("\n".join(["", *table(rows)]))
    if asked.write is not None:
        asked.write.write_text(put_into(asked.write.read_text(encoding="utf-8"), table(rows)), encoding="utf-8")
    missed = [one for one in rows if not one.met]
    print(f"\n{len(missed)} of {sum(one.most is not None for one in rows)} bounds are not met.")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
