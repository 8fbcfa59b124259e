"""A run in the lab: a plan, real processes, and what came of it, measured as the world measures it.

Bytes are those that the machine gives to links (`mesh.node.links.switchboard`), which is where the world counts them
(`simulations/measures.py`): frames' payload. What framing, Yamux, Noise and TCP add is in neither. A post is shown to
its author when their node has answered, to a reader when their node tells of it: both come over the local Api.
"""

import signal
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

import trio

from mesh.node.local.protocol import JsonObject
from simulations.lab.asking import NodeGone, records
from simulations.lab.residents import Resident
from simulations.lab.stage import LabStage, Said, require_able
from simulations.measures import percentile
from simulations.plans import Plan
from simulations.stage import Done

LOOK_S: Final = 1.0  # how often it is looked whether all agree, as in the world
SLACK_S: Final = 900.0  # beside the plan: to make identities, to start, to derive keys; then something hangs
READ_MAX: Final = 500
ENDED: Final = frozenset({"joined", "refused", "expired"})


@dataclass(frozen=True, slots=True, kw_only=True)
class LabResult:
    """What came of a run. `said`: who -> kind of frame -> bytes given to links; `latencies_ms`: each arrival, sorted.

    `wanted`: how many (post, reader) there were to be, and `came` of them; `settle_s`: how long all took to agree once
    every path was mended, None if they did not.
    """

    posts: int
    wanted: int
    came: int
    latencies_ms: tuple[int, ...]
    said: Mapping[str, Mapping[str, int]]
    settle_s: float | None
    seconds: float
    passed_over: tuple[str, ...]

    @property
    def delivery_ratio(self) -> float:
        """Which part of what was to be delivered was."""
        return self.came / self.wanted if self.wanted else 1.0

    @property
    def up_bytes_mean(self) -> float:
        """How many bytes of payload a node sent on the average."""
        totals = [sum(kinds.values()) for kinds in self.said.values()]
        return sum(totals) / len(totals)

    def latency_ms(self, share: float) -> int:
        """Give the time from a post to its reader that a share of all do not pass."""
        return percentile(list(self.latencies_ms), share)

    def to_json(self) -> JsonObject:
        """Give it as JSON."""
        return {
            "posts": self.posts,
            "wanted": self.wanted,
            "delivered": self.came,
            "delivery_ratio": self.delivery_ratio,
            "latency": {"p50": self.latency_ms(0.5), "p95": self.latency_ms(0.95)},
            "up_bytes": {"mean": round(self.up_bytes_mean)},
            "nodes": {name: dict(kinds) for name, kinds in self.said.items()},
            "settle_s": self.settle_s,
            "seconds": round(self.seconds, 1),
            "passed_over": list(self.passed_over),
        }


@dataclass(slots=True)
class _Run:
    plan: Plan
    seed: int
    folder: Path
    on_step: Callable[[Done], None] | None
    result: LabResult | None = None
    interrupted: bool = False


def run_in_lab(plan: Plan, seed: int, *, on_step: Callable[[Done], None] | None = None) -> LabResult:
    """Carry a plan out on real processes; none of them is left when this returns or raises, Ctrl-C and SIGTERM too.

    PlanError for a plan that no lab can carry out, NodeGone where a node ends or hangs, KeyboardInterrupt. `on_step` is
    called after each step.
    """
    require_able(plan)
    with tempfile.TemporaryDirectory(prefix="mesh-lab-") as folder:
        going = _Run(plan, seed, Path(folder), on_step)
        try:
            trio.run(partial(_go, going))
        except BaseExceptionGroup as group:
            raise _one_of(group) from group
    if going.interrupted:
        raise KeyboardInterrupt
    assert going.result is not None
    return going.result


def _one_of(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Give what a person must hear of: that they stopped it, else the first thing that went wrong."""
    stopped = group.subgroup(KeyboardInterrupt)
    if stopped is not None:
        return KeyboardInterrupt()
    first: BaseException = group
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    return first


async def _go(going: _Run) -> None:
    last_s = max((one.at_s for one in going.plan.steps), default=0.0)
    limit_s = last_s + going.plan.settle_s + SLACK_S
    with trio.move_on_after(limit_s) as within:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_stop_on_signal, going, nursery.cancel_scope)
            stage = LabStage.over(going.plan, going.seed, nursery, going.folder)
            try:
                await _carry_out(going, stage)
            finally:
                with trio.CancelScope(shield=True):
                    await stage.end()
            nursery.cancel_scope.cancel()
    if within.cancelled_caught:
        raise NodeGone(f"the lab was not done after {limit_s:g} s")


async def _stop_on_signal(going: _Run, scope: trio.CancelScope) -> None:
    with trio.open_signal_receiver(signal.SIGTERM) as signals:
        async for _ in signals:
            going.interrupted = True
            scope.cancel()


async def _carry_out(going: _Run, stage: LabStage) -> None:
    await stage.open()
    began = trio.current_time()
    await stage.play(going.on_step)
    settle_s = await _settle(stage)
    said = await stage.counted()
    found = await _found(stage)
    going.result = LabResult(
        posts=len(stage.posts),
        wanted=len(found.wanted),
        came=len(found.wanted & found.came),
        latencies_ms=tuple(_latencies(stage)),
        said=said,
        settle_s=settle_s,
        seconds=trio.current_time() - began,
        passed_over=tuple(f"{done.step}: {done.why}" for done in stage.journal if done.why),
    )


# ---------------------------------------------------------------- in the end


@dataclass(slots=True)
class _Found:
    """What is so now: (post, reader) that were to be and that came, and what still differs."""

    wanted: set[tuple[str, str]] = field(default_factory=set)
    came: set[tuple[str, str]] = field(default_factory=set)
    differs: list[str] = field(default_factory=list)


async def _settle(stage: LabStage) -> float | None:
    """Mend all, bring everybody back, and wait until all agree; return how many seconds it took, or None."""
    stage.shim.heal_all()
    await stage.start(*(person for person in stage.people.values() if not person.up))
    began = trio.current_time()
    while trio.current_time() - began < stage.plan.settle_s:
        await trio.sleep(LOOK_S)
        found = await _found(stage)
        knocking = [state for state in stage.joins.values() if state not in ENDED]
        if not found.differs and not knocking and found.wanted <= found.came:
            return trio.current_time() - began
    return None


async def _found(stage: LabStage) -> _Found:
    """Look at every group from every node: who is in, whether they agree, and who reads what was meant for them."""
    found = _Found()
    for label, gid in stage.groups.items():
        views, reads = {}, {}
        for name, person in stage.people.items():
            group = await _group(person, gid)
            if group is not None and group["state"] in ("member", "keyless"):
                views[name] = [group[key] for key in ("state_hash", "epoch", "complete", "members")]
                reads[name] = await _reads(person, gid)
        if any(view != next(iter(views.values())) or view[2] is not True for view in views.values()):
            found.differs.append(label)
        for post in stage.posts.values():
            if post.group == label and post.who in views and post.post not in stage.ends:
                meant = await _meant_for(stage.people[post.who], post)
                found.wanted |= {(post.post, name) for name in views if name != post.who and name in meant}
        found.came |= {(post, name) for name, posts in reads.items() for post in posts}
    return found


async def _group(person: Resident, gid: str) -> JsonObject | None:
    """Give the group as somebody's node has it; None if it has not."""
    groups = records(await person.ask("group.list"), "groups")
    return next((group for group in groups if group["id"] == gid), None)


async def _reads(person: Resident, gid: str) -> set[str]:
    """Give which posts somebody's node shows."""
    return {str(one["id"]) for one in records(await person.ask("read", group=gid, limit=READ_MAX), "messages")}


async def _meant_for(person: Resident, post: Said) -> set[str]:
    """Give the aliases of those for whom a post was sealed, by its author's node."""
    message = (await person.ask("message.show", message=post.post))["message"]
    assert isinstance(message, dict)
    return {str(one["alias"]) for key in ("reached_by", "waiting_for", "receipts_off") for one in records(message, key)}


def _latencies(stage: LabStage) -> list[int]:
    """Give how long each post took to each who was told of it, in ms, sorted."""
    return sorted(
        round((shown[post.post] - post.at_s) * 1000)
        for post in stage.posts.values()
        for reader, shown in stage.shown.items()
        if reader != post.who and post.post in shown
    )


def by_kind(said: Mapping[str, Mapping[str, int]]) -> Counter[str]:
    """Sum over all nodes what they gave to links, by kind."""
    total: Counter[str] = Counter()
    for kinds in said.values():
        total.update(kinds)
    return total
