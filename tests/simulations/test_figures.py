"""What a run cost: counted once, on both sides; what a return took; how long a mended network took."""

import json
from pathlib import Path

import pytest

from mesh.ids import GroupId, PostId
from simulations.healing import lag_ms
from simulations.keeping import keep
from simulations.plans import Plan, Somebody, made, step
from simulations.returns import Returns
from simulations.running import Result, run
from simulations.spells import Spell, healed_ms, spells
from simulations.weather import Weather
from simulations.world import Node

NAMES = ("wren", "juniper", "sorrel")


def evening() -> Plan:
    """Three are in a group; one is cut off and one is away while something is said."""
    steps = [
        step(0, "found", who="wren", group="g"),
        *(step(0, "enter", who=name, group="g", by="wren") for name in NAMES[1:]),
        step(20, "partition", sides=("wren juniper", "sorrel")),
        step(21, "off", who="juniper"),
        step(22, "post", who="wren", group="g"),
        step(24, "post", who="wren", group="g"),
        step(30, "heal"),
        step(40, "on", who="juniper"),
        step(45, "post", who="juniper", group="g"),
    ]
    return made(tuple(Somebody(name) for name in NAMES), Weather(), steps, 60.0)


@pytest.fixture(scope="module")
def ran() -> Result:
    """Give that evening as it went."""
    result = run(evening(), 1, scenario="evening")
    assert result.passed, result.checks
    return result


def test_what_was_new_to_somebody_was_given_by_somebody(ran: Result) -> None:
    assert ran.measures is not None
    nodes = ran.measures.nodes()
    assert set(nodes) == set(NAMES)
    assert sum(one["payload_up"] for one in nodes.values()) == sum(one["payload_down"] for one in nodes.values()) > 0
    assert all(count >= 0 for one in nodes.values() for count in one.values())
    came = sum(one["payload_down"] + one["control_down"] for one in nodes.values())
    assert came == sum(ran.measures.pairs.values()) == sum(map(sum, ran.measures.series.values()))
    assert ran.figures["payload_bytes"] == sum(payload for payload, _ in ran.measures.series.values())


def test_who_comes_back_pays_for_what_was_missed(ran: Result) -> None:
    assert ran.measures is not None
    (back,) = ran.measures.caught_up()
    assert (back.who, back.at_ms) == ("juniper", 40_000)
    assert back.missed >= 2, "both posts, and what others acknowledged meanwhile"
    assert 0 < back.took_ms < 5_000
    assert 1 <= back.round_trips <= 10
    assert ran.figures["catch_up_bytes"] == back.bytes > 100


def test_a_mended_network_is_timed_from_the_heal_to_the_last_reader(ran: Result) -> None:
    assert 0 < ran.figures["heal_s"] < 10, "sorrel had it soon after 30 s; juniper, who was off, does not count"


def test_all_of_it_is_kept(ran: Result, tmp_path: Path) -> None:
    folder = keep(tmp_path, evening(), ran, {})
    told = json.loads((folder / "result.json").read_text())
    assert {"hops", "nodes", "catch_up", "figures", "digest", "checks", "latency"} <= set(told)
    heads = {name: (folder / name).read_text().splitlines()[0] for name in ("bytes.csv", "pairs.csv", "way.csv")}
    assert heads == {
        "bytes.csv": "second,payload,control",
        "pairs.csv": "from,to,bytes",
        "way.csv": "left_ms,at_ms,from,to,fresh",
    }
    way = [line.split(",") for line in (folder / "way.csv").read_text().splitlines()[1:]]
    assert sorted(leg[3] for leg in way if leg[4] == "1") == ["juniper", "sorrel"]
    assert all(int(leg[0]) <= int(leg[1]) for leg in way)


def test_spells_follow_from_the_steps() -> None:
    plan = made(
        tuple(map(Somebody, NAMES)),
        Weather(),
        [
            step(10, "cut", one="wren", other="juniper"),
            step(10, "clog", one="sorrel", other="wren"),
            step(20, "heal"),
            step(30, "partition", sides=("sorrel", "wren juniper")),
            step(35, "mark"),
        ],
    )
    cut, clog = frozenset({("juniper", "wren")}), frozenset({("sorrel", "wren")})
    apart = frozenset({("juniper", "sorrel"), ("sorrel", "wren")})
    found = spells(plan, 50)
    assert found == [
        Spell(0, 10, frozenset(), frozenset()),
        Spell(10, 20, cut, clog),
        Spell(20, 30, frozenset(), frozenset()),
        Spell(30, 35, apart, frozenset()),
        Spell(35, 50, frozenset(), frozenset()),
    ]
    assert healed_ms(found) == [20_000, 35_000]
    assert spells(plan, 15)[-1].to_s == 15, "a run that ended early has no later spell"


def test_who_came_back_after_a_heal_waited_for_no_path() -> None:
    name = GroupId(bytes(32)), PostId(bytes(16))
    assert lag_ms([100], {name: 50}, {name: 130}, []) == 30
    assert lag_ms([100], {name: 50}, {name: 130}, [120]) is None
    assert lag_ms([100], {name: 110}, {name: 130}, []) is None, "it was said after the heal"
    assert lag_ms([100, 120], {name: 50}, {name: 130}, []) == 10


def test_a_round_trip_is_there_and_back() -> None:
    returns, node = Returns(), Node("wren", generation=2)
    returns.starts(node, 1_000)
    returns.goes("wren", "juniper")
    returns.comes("wren", "juniper", 7)  # had left before: no answer
    returns.comes("juniper", "wren", 5)
    returns.goes("juniper", "wren")
    returns.comes("wren", "juniper", 9)
    returns.gets("wren", 900, 1_500)
    returns.gets("wren", 1_200, 1_600)  # said since: not missed
    (back,) = returns.ended()
    assert (back.missed, back.bytes, back.round_trips, back.took_ms) == (1, 16, 1, 500)


def test_a_first_start_is_no_return() -> None:
    returns = Returns()
    returns.starts(Node("wren", generation=1), 0)
    returns.gets("wren", -5, 10)
    assert returns.ended() == []
