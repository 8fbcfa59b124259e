"""Runs: a plan, a seed, and what came of it, under a name that says all that went in.

The name of a run is (plan, seed, code, locks): the same name gives the same digest in any process. So a run that failed
is run again by its files alone, as long as the code is what it was; `replay` says where it is not.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Final

from simulations.healing import heal_ms
from simulations.measures import Json, Measures, percentile
from simulations.plans import Plan
from simulations.scenario import Bound
from simulations.stage import Done, Stage
from simulations.verdicts import Check, settle, verdicts, within

ROOT: Final = Path(__file__).parents[1]
CODE: Final = ("mesh", "simulations")
LOCK: Final = ROOT / "requirements" / "runtime.lock"
SAFE: Final = "never untrue"  # the watch's check, after each step


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of a run. `figures`: measures by name; `latencies_ms`: each arrival after its post, sorted."""

    scenario: str
    seed: int
    plan: str
    code: str
    locks: str
    digest: str
    checks: tuple[Check, ...]
    figures: Mapping[str, float]
    latencies_ms: tuple[int, ...]
    passed_over: tuple[str, ...]
    measures: Measures | None = field(default=None, repr=False, compare=False)

    @property
    def passed(self) -> bool:
        """Whether every check did."""
        return all(check.passed for check in self.checks)

    @property
    def failed(self) -> tuple[str, ...]:
        """The names of the checks that did not."""
        return tuple(check.name for check in self.checks if not check.passed)

    def to_json(self) -> dict[str, Json]:
        """Give it as JSON: `result.json`."""
        latency: dict[str, Json] = {
            name: self.figures.get(f"latency_{name}_ms", 0) for name in ("p50", "p95", "p99", "max")
        }
        return {
            "scenario": self.scenario,
            "seed": self.seed,
            "plan": self.plan,
            "code": self.code,
            "locks": self.locks,
            "digest": self.digest,
            "passed": self.passed,
            "checks": [{"name": check.name, "found": check.found, "passed": check.passed} for check in self.checks],
            "delivery_ratio": self.figures["delivery_ratio"],
            "latency": latency,
            "copies": self.figures["copies"],
            "figures": dict(self.figures),
            "passed_over": list(self.passed_over),
            **(self.measures.to_json() if self.measures is not None else {}),
        }


def run(
    plan: Plan,
    seed: int,
    *,
    scenario: str = "",
    bounds: Mapping[str, Bound] | None = None,
    told: Callable[[Done], None] | None = None,
    begun: Callable[[Stage], None] | None = None,
) -> Result:
    """Carry out a plan and judge it. What is wrong with the network is in the result; PlanError for the plan itself.

    `told` is called after each step, `begun` once before the first: whoever looks on adds themselves to the world's
    watchers there, and changes nothing.
    """
    stage = Stage.over(plan, seed)
    if begun is not None:
        begun(stage)
    took, wrong, healed_ms = None, "", 0
    try:
        stage.play(told)
        healed_ms = stage.world.now_ms
        took = settle(stage)
        stage.leaks.look(again=True)
    except AssertionError as untrue:
        wrong = f"at {stage.world.now_ms / 1000:.3f} s: {untrue}"
    checks = [Check(SAFE, wrong)]
    figures = figures_of(stage)
    if not wrong:
        if took is not None:
            figures["settle_s"] = took
        wanted, came = deliveries(stage, healed_ms)
        figures["before_healing_ratio"] = came / wanted if wanted else 1.0
        checks += [Check("settles", "" if took is not None else f"not within {plan.settle_s:g} s"), *verdicts(stage)]
        checks += within(bounds or {}, figures)
    return Result(
        scenario=scenario,
        seed=seed,
        plan=plan.name,
        code=code_name(),
        locks=locks_name(),
        digest=stage.world.digest,
        checks=tuple(checks),
        figures=figures,
        latencies_ms=tuple(latencies(stage)),
        passed_over=tuple(f"{done.step}: {done.why}" for done in stage.journal if done.why),
        measures=stage.measures,
    )


# ---------------------------------------------------------------- figures


def latencies(stage: Stage) -> list[int]:
    """Give how long each post took to each who could read it, in ms, sorted."""
    found = []
    for name, post in stage.watch.posts.items():
        began = stage.watch.shown.get(post.author, {}).get(name)
        if began is not None:
            found += [
                shown[name] - began
                for reader, shown in stage.watch.shown.items()
                if reader != post.author and name in shown
            ]
    return sorted(found)


def figures_of(stage: Stage) -> dict[str, float]:
    """Give the measures of a run by name."""
    measures, times = stage.measures, latencies(stage)
    wanted, came = deliveries(stage)
    figures: dict[str, float] = {
        "posts": len(stage.watch.posts),
        "deliveries": came,
        "delivery_ratio": came / wanted if wanted else 1.0,
        "copies": round(measures.copies, 4),
        "queue_high": measures.queued,
        "hops_max": max(measures.hops, default=0),
        "same_way_max": max(
            (max(keys.values()) for (far, _), keys in measures.crossed.items() if far not in stage.rogues), default=0
        ),
    }
    if times:
        figures |= {f"latency_{name}_ms": percentile(times, share) for name, share in _SHARES.items()}
    if measures.joined:
        figures["join_max_s"] = max(measures.joined.values()) / 1000
    if (idle := measures.idle_bytes_s) is not None:
        figures["idle_bytes_s"] = round(idle, 2)
    figures["joins_ended"] = len(measures.joined)
    if (healed := heal_ms(stage)) is not None:
        figures["heal_s"] = healed / 1000
    if returns := measures.caught_up():
        figures["catch_up_s"] = max(one.took_ms for one in returns) / 1000
        figures["catch_up_bytes"] = max(one.bytes for one in returns)
        figures["catch_up_round_trips"] = max(one.round_trips for one in returns)
    nodes = list(measures.traffic.values())
    up, first = [sum(t.up.values()) for t in nodes], sum(t.first for t in nodes)
    figures |= {
        "up_bytes_mean": round(sum(up) / len(up)) if up else 0,
        "up_bytes_max": max(up, default=0),
        "payload_bytes": first,
        "control_bytes": sum(sum(t.down.values()) for t in nodes) - first,
        "seconds": stage.world.now_ms / 1000,
    }
    return figures | stage.leaks.figures


_SHARES: Final = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "max": 1.0}


def deliveries(stage: Stage, by_ms: int | None = None) -> tuple[int, int]:
    """Give how many (post, reader) there were to be, and came: by honest authors to honest readers who are still in.

    With `by_ms`, those count that came until then.
    """
    wanted = came = 0
    readers = {
        person.name: {gid: person.member(gid) for gid in stage.groups.values() if person in stage.members(gid)}
        for person in stage.people.values()
        if person.name not in stage.rogues and person.node.up
    }
    for (gid, post_id), post in stage.watch.posts.items():
        if post.ends or post.author in stage.rogues:
            continue
        for name, keys in readers.items():
            if name != post.author and keys.get(gid) in post.entitled:
                wanted += 1
                at_ms = stage.watch.shown.get(name, {}).get((gid, post_id))
                came += at_ms is not None and (by_ms is None or at_ms <= by_ms)
    return wanted, came


# ---------------------------------------------------------------- names


@cache
def code_name() -> str:
    """A name for the code that runs: 16 hexadecimal digits."""
    digest = blake2b(digest_size=8)
    for room in CODE:
        for path in sorted((ROOT / room).rglob("*.py")):
            digest.update(f"{path.relative_to(ROOT)}\n".encode() + path.read_bytes())
    return digest.hexdigest()


@cache
def locks_name() -> str:
    """A name for the versions of the libraries that it stands on; empty where it was installed without them."""
    return blake2b(LOCK.read_bytes(), digest_size=8).hexdigest() if LOCK.is_file() else ""


def written(value: object) -> str:
    """Write JSON as it is kept: the same value, the same bytes."""
    return json.dumps(value, indent=1, sort_keys=True) + "\n"
