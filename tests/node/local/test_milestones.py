"""Milestones among four: their author's alone; taken down without a reason; congratulated where that was asked for."""

from datetime import date

import pytest

from mesh.errors import LocalError, RefusedError
from mesh.events import Space
from mesh.node.local.protocol import JsonObject, JsonValue
from mesh.support.milestones import DOWN
from mesh.support.slots import slot
from mesh.wire.statements import CongratulationValue, Form, MilestoneValue
from simulations.checks import agree, blamed
from tests.node.local.test_messages import GROUP, call
from tests.node.local.test_methods import WorldDesk, part
from tests.node.local.test_shelf import four, states
from tests.peer.forgery import Forger


def days_ago(desk: WorldDesk, days: int) -> str:
    """The date so many days before today, by the world's clock."""
    return date.fromordinal(date(1970, 1, 1).toordinal() + desk.now().wall_ms // 86_400_000 - days).isoformat()


def add(desk: WorldDesk, text: str = "without a drink", **more: JsonValue) -> JsonObject:
    """Put up a milestone: 90 days."""
    asked: JsonObject = {"group": GROUP, "text": text, "since": days_ago(desk, 90), "wait_s": 5.0}
    return part(call(desk, "milestone.add", **{**asked, **more}), "milestone")


def standing(desk: WorldDesk) -> list[JsonObject]:
    """What one sees."""
    found = call(desk, "milestone.list", group=GROUP)["milestones"]
    assert isinstance(found, list)
    return [milestone for milestone in found if isinstance(milestone, dict)]


def ask(desk: WorldDesk, method: str, milestone: JsonObject, **more: JsonValue) -> JsonObject:
    """Do something with a milestone."""
    return call(desk, method, milestone=milestone["id"], **{"wait_s": 5.0, **more})


def test_all_see_it_count_and_congratulate_where_that_was_asked_for() -> None:
    world, gid, people, desks = four()
    wren, juniper, sorrel, tansy = desks
    milestone = add(sorrel, invite=True)
    world.run(5)
    told = ask(wren, "milestone.congratulate", milestone, text="Well done.")
    assert (part(told, "milestone")["congratulated_by_me"], told["told"]) == (True, True)
    ask(juniper, "milestone.congratulate", milestone)
    ask(tansy, "milestone.congratulate", milestone, text="Oh")
    world.run(5)
    ask(tansy, "milestone.congratulate", milestone, withdraw=True)
    world.run(5)
    for desk in desks:
        (seen,) = standing(desk)
        assert (seen["elapsed"], seen["count"], seen["congratulated"]) == (90, "days", 2)
        words = seen["congratulations"]
        assert isinstance(words, list)
        assert {w["text"] for w in words if isinstance(w, dict)} == {"Well done.", None}
    for node in world.nodes.values():
        node.skew_ms += 86_400_000
    assert [m["elapsed"] for m in standing(wren)] == [91], "it counts by itself"
    assert agree(gid, people) == []
    assert blamed(world) == []


def test_where_nobody_asked_honest_nodes_neither_send_nor_show_congratulations() -> None:
    world, gid, people, (wren, juniper, sorrel, tansy) = four(4)
    quiet, open_ = add(sorrel), add(juniper, "in the flat", invite=True)
    world.run(5)
    for desk, milestone in ((tansy, quiet), (juniper, open_)):
        with pytest.raises(RefusedError) as refused:
            ask(desk, "milestone.congratulate", milestone)
        assert refused.value.code == "E-NOT-INVITED"
    value = CongratulationValue(holds=True, text="Still sober?")
    states(Forger(people[3], gid), people[:3], Form.CONGRATULATION, bytes.fromhex(str(quiet["id"])), value)
    world.run(5)
    for desk in (wren, juniper, sorrel):
        assert {m["text"]: m["congratulated"] for m in standing(desk)} == {"without a drink": 0, "in the flat": 0}
        assert "Still sober" not in str(standing(desk))
    assert blamed(world) == []


def test_nobody_forges_one_for_another_or_takes_it_down_not_even_a_founder() -> None:
    world, gid, people, (wren, juniper, sorrel, tansy) = four(5)
    milestone = add(sorrel)
    world.run(5)
    with pytest.raises(RefusedError) as refused:
        ask(wren, "milestone.reset", milestone)
    assert refused.value.code == "E-NOT-YOUR-MILESTONE"
    forged = MilestoneValue(made_ms=1, text="relapsed", since=1, count=0, invited=True)
    founder, member = Forger(people[0], gid), Forger(people[3], gid)
    for k in range(2):
        states(member, people[:3], Form.MILESTONE, slot(people[2].device(gid), k), forged)
        states(founder, people[1:], Form.MILESTONE, slot(people[2].device(gid), k), DOWN)
    world.run(5)
    for desk in (juniper, sorrel, tansy):
        assert [(m["text"], part(m, "author")["alias"]) for m in standing(desk)] == [("without a drink", "sorrel")]
    assert blamed(world) == []


def test_a_reset_takes_it_from_every_store_and_says_no_more_than_that_it_is_gone() -> None:
    world, gid, people, (wren, juniper, sorrel, tansy) = four(6)
    milestone = add(sorrel, invite=True)
    world.run(5)
    ask(wren, "milestone.congratulate", milestone)
    world.run(5)
    told = ask(sorrel, "milestone.reset", milestone)
    assert told == {"reset": {"id": milestone["id"], "group": gid.hex()}, "told": True}
    world.run(5)
    for desk, person in zip((wren, juniper, sorrel, tansy), people, strict=True):
        assert standing(desk) == []
        rows = [value for _, value in person.node.store.scan(Space.STATEMENTS, gid)]
        assert not any(b"without a drink" in row for row in rows)
    with pytest.raises(LocalError) as gone:
        ask(sorrel, "milestone.reset", milestone)
    assert gone.value.code == "E-NO-THING"
    again = add(sorrel, since=None)
    world.run(5)
    assert [(m["id"], m["elapsed"], m["congratulated"]) for m in standing(wren)] == [(again["id"], 0, 0)]
    assert again["id"] != milestone["id"]
    people[2].leave(gid)
    world.run(20)
    assert standing(wren) == [], "who leaves takes it along"


def test_what_was_reset_before_anybody_heard_of_it_never_leaves() -> None:
    world, gid, people, (wren, _, sorrel, _) = four(7)
    for other in (people[0], people[1], people[3]):
        other.off()
    world.run(5)
    milestone = add(sorrel)
    assert milestone["waits"] is True
    assert ask(sorrel, "milestone.reset", milestone)["told"] is True
    people[0].on()
    world.run(30)
    assert standing(wren) == []
    assert people[0].node.store.count(Space.STATEMENTS, gid) == 0


def test_there_is_room_for_so_many_and_what_one_mutes_is_left_out() -> None:
    world, _, _, (wren, juniper, sorrel, _) = four(8)
    for k in range(8):
        add(sorrel, f"{k}")
    with pytest.raises(LocalError) as full:
        add(sorrel, "one more")
    assert full.value.code == "E-MILESTONES"
    own = add(juniper, invite=True)
    world.run(5)
    ask(sorrel, "milestone.congratulate", own, text="hello")
    world.run(5)
    assert len(standing(wren)) == 9
    call(wren, "own.person", group=GROUP, member="sorrel", muted=True)
    assert [(m["text"], m["congratulated"], m["congratulations"]) for m in standing(wren)] == [
        ("without a drink", 1, [])
    ]
    assert call(wren, "milestone.list", group=GROUP)["left_out"] == 8


@pytest.mark.parametrize("more", [{"since": "9999-12-31"}, {"since": "soon"}, {"count": "hours"}, {"text": ""}])
def test_what_cannot_be_put_up_changes_nothing(more: dict[str, str]) -> None:
    _, _, _, (_, _, sorrel, _) = four(9)
    with pytest.raises(LocalError):
        add(sorrel, **more)
    assert standing(sorrel) == []
