"""Runs: every scenario passes within its bounds, the same name gives the same digest, and what fails is told small."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

import pytest

from mesh.errors import LocalError
from mesh.events import Effect, FrameReceived, Input, LinkKind
from mesh.wire.frames import FrameType
from simulations import running
from simulations.plans import Plan, Somebody, made, step
from simulations.regions import Machine, Nat
from simulations.rogues import GATES
from simulations.running import Result, locks_name, run
from simulations.scenario import Bound
from simulations.scenarios import names, scenario
from simulations.shrinking import shrink
from simulations.stage import Stage
from simulations.weather import Weather
from simulations.world import Node

NAMES = ("wren", "juniper", "sorrel")


def plan(*steps: "Happening", people: tuple[str, ...] = NAMES) -> Plan:
    """Make a plan in which three are in a group, and then this happens."""
    begin = [step(0, "found", who="wren", group="g")]
    begin += [step(0, "enter", who=name, group="g", by="wren") for name in people[1:]]
    rest = [step(at_s, do, **args) for at_s, do, args in steps]
    return made(tuple(Somebody(name) for name in people), Weather(), begin + rest, 60.0)


Happening: TypeAlias = tuple[float, str, Mapping[str, str | int | float | bool]]


def talk(at_s: float, count: int, names: tuple[str, ...] = NAMES) -> list[Happening]:
    """Have people say something in turn, one a second."""
    return [(at_s + k, "post", {"who": names[k % len(names)], "group": "g"}) for k in range(count)]


def ran(of: Plan, seed: int = 1) -> Result:
    """Run a plan; every check must pass."""
    result = run(of, seed)
    assert result.passed, result.checks
    return result


@pytest.mark.parametrize("name", names())
def test_every_scenario_holds(name: str) -> None:
    one = scenario(name)
    result = run(one.plan(0, {}), 0, scenario=name, bounds=one.bounds)
    assert result.passed, [check for check in result.checks if not check.passed]
    assert [bound for bound in one.bounds if bound not in result.figures] == [], "a bound of what is not measured"


def test_in_a_flash_crowd_each_welcome_goes_one_way() -> None:
    """Each is the whole log. Links come and go all the while, and several answer: everybody got most of them."""
    welcomes: list[str] = []

    def note(node: Node, event: Input, _: list[Effect]) -> None:
        if isinstance(event, FrameReceived) and event.kind == LinkKind.FRAME:
            welcomes.extend([node.name] if event.payload[0] == FrameType.WELCOME else [])

    one = scenario("flash-crowd")
    result = run(one.plan(3, {"crowd": 10}), 3, begun=lambda stage: stage.world.watchers.append(note))
    assert result.passed, result.checks
    assert 10 <= len(welcomes) <= 50, "one to each who comes, and a few ways that were tried in vain"


def test_the_same_seed_gives_the_same_digest_and_another_another() -> None:
    one = scenario("crash-at-every-commit")
    first, again, other = (run(one.plan(seed, {}), seed) for seed in (4, 4, 5))
    assert first.digest == again.digest != other.digest


def test_what_cannot_be_done_is_passed_over_and_told() -> None:
    result = ran(plan((20, "post", {"who": "wren", "group": "other"}), (21, "on", {"who": "wren"})))
    assert [line.split(": ", 1)[1] for line in result.passed_over] == ["there is no other yet", "wren is on"]


def test_a_run_is_named_by_the_versions_that_it_runs_with(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert running.LOCK.name == "runtime.lock"
    found = []
    for version in (b"trio==1", b"trio==2", None):
        if version is not None:
            (tmp_path / "lock").write_bytes(version)
        monkeypatch.setattr(running, "LOCK", tmp_path / ("lock" if version else "none"))
        locks_name.cache_clear()
        found.append(locks_name())
    locks_name.cache_clear()
    assert len(set(found)) == 3
    assert found[2] == ""


def test_a_bound_that_is_not_kept_fails_the_run() -> None:
    said = plan((20, "post", {"who": "wren", "group": "g"}))
    result = run(said, 1, bounds={"latency_max_ms": Bound(most=1)})
    assert result.failed == ("latency_max_ms is at most 1",)


def test_what_does_not_settle_fails_the_run() -> None:
    said = replace(plan((20, "post", {"who": "wren", "group": "g"})), settle_s=0.0)
    assert "settles" in run(said, 1).failed


def test_a_failure_is_made_small() -> None:
    said = plan(*talk(20, 12), (25, "cut", {"one": "wren", "other": "sorrel"}))
    bounds = {"joins_ended": Bound(least=3)}
    small = shrink(said, 1, "joins_ended is at least 3", bounds=bounds)
    assert small.plan.steps == ()
    assert small.result.failed == ("joins_ended is at least 3",)
    with pytest.raises(AssertionError):
        shrink(said, 1, "settles")


@pytest.mark.parametrize("how", sorted(GATES))
def test_a_member_who_misbehaves_takes_nothing_from_the_others(how: str) -> None:
    said = plan(
        (20, "misbehave", {"who": "sorrel", "how": how, "group": "g", "times": 3}),
        *talk(21, 6, NAMES[:2]),
    )
    stage = Stage.over(said, 2)
    stage.play()
    stage.world.run(10)
    wren, juniper = stage.people["wren"], stage.people["juniper"]
    assert len(wren.reads(stage.groups["g"])) == len(juniper.reads(stage.groups["g"])) == 6
    assert ran(said, 2).figures["delivery_ratio"] == 1.0


def test_nobody_misbehaves_in_a_way_that_there_is_not() -> None:
    said = plan((20, "misbehave", {"who": "sorrel", "how": "sulk", "group": "g"}))
    assert "knows no `sulk`" in run(said, 1).passed_over[0]


def test_a_line_of_so_many_kbit_takes_its_time() -> None:
    long: Happening = (20, "post", {"who": "wren", "group": "g", "chars": 900})
    slow = plan(*[long] * 8)
    machines = tuple(replace(person, machine=Machine(kbit_s=64)) for person in slow.people)
    assert ran(replace(slow, people=machines)).figures["latency_max_ms"] > 2 * ran(slow).figures["latency_max_ms"]


def test_frames_that_come_twice_or_late_change_nothing() -> None:
    said = plan(*talk(20, 9))
    odd = replace(said, weather=Weather(duplicates=0.3, reorder=0.2))
    assert ran(odd).figures["delivery_ratio"] == 1.0


def test_behind_strict_routers_nobody_meets_without_a_relay() -> None:
    said = plan((20, "post", {"who": "wren", "group": "g"}))
    behind = tuple(replace(person, machine=Machine(nat=Nat.SYMMETRIC)) for person in said.people)
    assert "every knock ends" in run(replace(said, people=behind), 1).failed
    relayed = (*behind, Somebody("keeper", machine=Machine(relays=True)))
    assert ran(replace(said, people=relayed)).figures["delivery_ratio"] == 1.0


def test_a_machine_that_has_lost_its_disk_comes_back_as_nobody() -> None:
    stage = Stage.over(plan((20, "lose", {"who": "sorrel"})), 1)
    stage.play()
    peer = stage.people["sorrel"].node.peer
    assert peer is not None
    assert peer.state.rooms == {}


def test_an_unknown_scenario_is_named_with_those_there_are() -> None:
    with pytest.raises(LocalError, match="No scenario is called `x`"):
        scenario("x")
