"""A plan is data: it is written and read without loss, and whatever somebody writes is a plan or a clear error."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulations.errors import PlanError
from simulations.keeping import keep, kept, plan_from
from simulations.own import read_own, scenario_from
from simulations.plans import DEEDS, Plan, Somebody, made, step
from simulations.regions import Machine, Nat, Reach, one_way_ms, reach
from simulations.running import run
from simulations.scenario import Bound
from simulations.scenarios import names, scenario
from simulations.weather import Weather

TWO = (Somebody("wren"), Somebody("juniper"))
EVENING = """
name = "an-evening"
question = "Does everybody have everything?"
people = 3

[weather]
latency_ms = 80
loss = 0.05

[bounds]
delivery_ratio = { least = 1.0 }

[[step]]
do = "gather"
group = "evening"

[[step]]
at_s = 20
every_s = 10
until_s = 50
do = "post"
who = "any"
group = "evening"

[[step]]
at_s = 30
do = "off"
who = "wren"
"""


@pytest.mark.parametrize("name", names())
def test_a_scenarios_plan_is_written_and_read_without_loss(name: str) -> None:
    plan = scenario(name).plan(3, {})
    assert plan.steps
    read = plan_from(json.loads(json.dumps(plan.to_json())))
    assert read == plan
    assert read.name == plan.name


@pytest.mark.parametrize("name", names())
def test_a_scenario_says_what_it_is_about(name: str) -> None:
    one = scenario(name)
    assert one.name == name
    assert one.question.endswith("?")
    assert len(one.about) > 30
    assert one.size in one.parameters


def test_a_seed_names_a_plan_and_another_seed_another() -> None:
    one = scenario("partition-heal")
    assert one.plan(1, {}).name == one.plan(1, {}).name != one.plan(2, {}).name


@pytest.mark.parametrize(
    ("do", "args", "said"),
    [
        ("fly", {}, "nothing is called `fly`"),
        ("post", {"who": "wren"}, "needs `group`"),
        ("post", {"who": "wren", "group": "g", "loud": True}, "does not know `loud`"),
        ("post", {"who": 7, "group": "g"}, "is a text, not 7"),
        ("post", {"who": "wren", "group": "g", "chars": True}, "is a whole number, not true"),
        ("partition", {"sides": "wren juniper"}, "is a list"),
        ("leave", {"who": "wren", "group": "g", "wipe": 1}, "is true or false"),
        ("post", {"who": "w" * 5000, "group": "g"}, "longer than"),
    ],
)
def test_a_step_that_there_is_not_is_refused(do: str, args: dict[str, object], said: str) -> None:
    with pytest.raises(PlanError) as refused:
        plan_from({"people": ["wren"], "steps": [{"at_s": 0, "do": do, **args}]})
    assert said in refused.value.what


@pytest.mark.parametrize(
    ("plan", "said"),
    [
        ({"people": []}, "1 to 2000 people"),
        ({"people": ["wren", "wren"]}, "one name"),
        ({"people": ["wren\n"]}, "A name is"),
        ({"people": [{"name": "wren", "machine": {"region": "moon"}}]}, "No region"),
        ({"people": [{"name": "wren", "machine": {"nat": "wall"}}]}, "`nat` is one of"),
        ({"people": ["wren"], "weather": {"loss": 2}}, "`loss` of `weather`"),
        ({"people": ["wren"], "weather": {"fog": 2}}, "`weather` has no `fog`"),
        ({"people": ["wren"], "steps": [{"at_s": -1, "do": "heal"}]}, "`at_s`"),
        ({"people": ["wren"], "steps": [{"at_s": float("nan"), "do": "heal"}]}, "`at_s`"),
        ({"people": ["wren"], "steps": [{"at_s": 0, "do": "off", "who": "moss"}]}, "nobody is called `moss`"),
        ({"people": ["wren"], "steps": [{"at_s": 0, "do": "crash", "who": "wren", "how": "loudly"}]}, "`how` is one"),
        ({"people": ["wren"], "steps": 7}, "`steps` is no list"),
        ({"people": ["wren"], "steps": [7]}, "step 1 is no object"),
        ({"people": ["wren"], "settle_s": True}, "`settle_s`"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(plan: dict[str, object], said: str) -> None:
    with pytest.raises(PlanError) as refused:
        plan_from(plan)
    assert said in refused.value.what


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
some_steps = st.lists(
    st.fixed_dictionaries({"at_s": json_values, "do": st.sampled_from(sorted(DEEDS)) | st.text(max_size=5)}).flatmap(
        lambda one: st.dictionaries(st.sampled_from(["who", "group", "code", "sides", "says"]), json_values).map(
            lambda rest: {**one, **rest}
        )
    ),
    max_size=4,
)


@pytest.mark.property
@given(st.fixed_dictionaries({"people": json_values}, optional={"weather": json_values, "steps": some_steps}))
def test_whatever_a_file_says_it_is_a_plan_or_a_plan_error(said: dict[str, object]) -> None:
    try:
        plan = plan_from(said)
    except PlanError:
        return
    assert isinstance(plan, Plan)


def test_a_run_is_kept_and_read_back(tmp_path: Path) -> None:
    one = scenario("partition-heal")
    plan = one.plan(5, {"posts": 2})
    result = run(plan, 5, scenario=one.name, bounds=one.bounds)
    back = kept(keep(tmp_path, plan, result, one.bounds))
    assert (back.plan, back.seed, back.scenario) == (plan, 5, one.name)
    assert back.bounds == one.bounds
    assert back.result["digest"] == result.digest
    assert len((tmp_path / "partition-heal-5" / "latency.csv").read_text().splitlines()) == 1 + len(result.latencies_ms)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"people": 7}', '{"people": ["a"], "seed": "x"}', "[" * 100_000])
def test_a_file_that_is_no_run_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "plan.json").write_text(text, encoding="utf-8")
    with pytest.raises(PlanError):
        kept(tmp_path)


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="cannot be read"):
        kept(tmp_path / "nowhere")


# ---------------------------------------------------------------- of one's own


def test_a_scenario_of_ones_own_runs(tmp_path: Path) -> None:
    path = tmp_path / "evening.toml"
    path.write_text(EVENING, encoding="utf-8")
    one = read_own(path)
    result = run(one.plan(1, {}), 1, scenario=one.name, bounds=one.bounds)
    assert result.passed, result.checks
    assert result.figures["posts"] >= 3
    assert len(one.plan(1, {"people": 5}).people) == 5


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("people = 3", "people = 0"), "`people` is a number"),
        (("people = 3", "peeple = 3"), "no place for `peeple`"),
        (("latency_ms = 80", "latency_ms = 'far'"), "`latency_ms` of `weather`"),
        (("{ least = 1.0 }", "{ at_least = 1.0 }"), "has `least` and `most`"),
        (('do = "off"', 'do = "fly"'), "nothing is called `fly`"),
        (('who = "wren"', 'who = "moss"'), "nobody is called `moss`"),
        (("every_s = 10", "every_s = 0.0001"), "more than 100000 times"),
        (('name = "an-evening"', "name = 7"), "`name` is a text"),
        (("[[step]]", "[step"), "is no TOML"),
    ],
)
def test_a_mistake_in_a_file_is_named(tmp_path: Path, change: tuple[str, str], said: str) -> None:
    path = tmp_path / "evening.toml"
    assert change[0] in EVENING
    path.write_text(EVENING.replace(*change), encoding="utf-8")
    with pytest.raises(PlanError) as refused:
        read_own(path)
    assert said in refused.value.what


def test_gather_takes_a_group_alone() -> None:
    with pytest.raises(PlanError, match="`gather` needs `group`"):
        scenario_from({"step": [{"do": "gather"}]}, "x")


# ---------------------------------------------------------------- parts


def test_a_parameter_has_a_name_and_a_range() -> None:
    one = scenario("flash-crowd")
    with pytest.raises(PlanError, match="is called `noise`"):
        one.plan(0, {"noise": 1})
    with pytest.raises(PlanError, match="is from 0 to 200"):
        one.plan(0, {"crowd": 201})


def test_a_bound_says_what_it_is() -> None:
    assert Bound(least=1, most=2).holds(1.5)
    assert not Bound(least=1).holds(0.5)
    assert not Bound(most=1).holds(1.5)
    assert str(Bound(least=1, most=2)) == "at least 1 and at most 2"


def test_steps_stand_in_the_order_of_time_those_of_one_moment_as_given() -> None:
    plan = made(TWO, Weather(), [step(2, "heal"), step(1, "off", who="wren"), step(1, "on", who="wren")])
    assert [one.do for one in plan.steps] == ["off", "on", "heal"]


def test_the_ways_between_regions_go_both_ways() -> None:
    assert one_way_ms("europe", "america-east") == one_way_ms("america-east", "europe") == 70
    assert one_way_ms("europe", "europe") == 20


@pytest.mark.parametrize("nat", list(Nat))
def test_with_a_relay_everybody_is_reached_somehow(nat: Nat) -> None:
    assert reach(Machine(nat=nat), Machine(), relay=False) is Reach.DIRECT
    for other in Nat:
        assert reach(Machine(nat=nat), Machine(nat=other), relay=True) is not Reach.NOT


def test_two_strict_routers_need_a_relay_and_two_lenient_ones_a_hole() -> None:
    strict, lenient = Machine(nat=Nat.SYMMETRIC), Machine(nat=Nat.PORT_RESTRICTED)
    assert reach(strict, lenient, relay=True) is Reach.RELAYED
    assert reach(strict, lenient, relay=False) is Reach.NOT
    assert reach(lenient, lenient, relay=True) is Reach.PUNCHED
