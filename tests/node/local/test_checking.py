"""What would be refused is refused before the words for it are there, and a look changes nothing."""

import pytest

from mesh.errors import MeshError
from mesh.node.local import methods
from mesh.node.local.inprocess import run_to_end
from mesh.node.local.methods.checking import CHECKED
from mesh.node.local.protocol import JsonObject, JsonValue
from tests.node.local.test_circles import QUESTION, begun, do, five
from tests.node.local.test_ladder import step
from tests.node.local.test_messages import GROUP, call, read
from tests.node.local.test_methods import WorldDesk
from tests.node.local.test_shelf import four


def checked(desk: WorldDesk, method: str, asked: JsonValue) -> JsonObject:
    """Ask whether a method would be refused now."""
    return run_to_end(methods.call(desk, "check", {"method": method, "asked": asked}))


def code(desk: WorldDesk, method: str, **asked: JsonValue) -> str:
    """Return the code with which a method would be refused; nothing where it may go on."""
    given: JsonObject = {"group": GROUP, **asked}
    if method == "reflect.add":
        given = {**asked}
    try:
        assert checked(desk, method, given) == {"may": True}
    except MeshError as error:
        return error.code
    return ""


def test_each_refusal_that_does_not_hang_on_the_words_comes_before_them() -> None:
    world, _, _, (wren, juniper, sorrel, tansy) = four()
    step(juniper, "tansy", "quiet")
    world.run(5)
    assert code(tansy, "post", mode="listening") == "E-QUIET"
    assert code(tansy, "milestone.add") == code(tansy, "circle.open") == code(tansy, "shelf.add") == "E-QUIET"
    assert code(sorrel, "post", group="nope") == "E-NO-GROUP"
    assert code(sorrel, "sanction", member="juniper", step="note") == "E-REFUSED"
    assert code(juniper, "sanction", member="wren", step="note") == "E-REFUSED"
    assert code(juniper, "sanction", member="sorrel", step="quiet", for_s=30) == "E-USAGE"
    assert code(sorrel, "shelf.add", review_by="31.1.2030") == "E-DATE"
    assert code(sorrel, "milestone.add", since="yesterday") == "E-DATE"
    assert code(sorrel, "introduce.ask", member="sorrel") == "E-NO-MEMBER"
    assert code(sorrel, "group.agreement", action="edit") == "E-REFUSED"
    assert code(sorrel, "circle.say") == "E-NO-CIRCLE"
    assert code(wren, "post.no-such") == "E-METHOD"


def test_a_circle_refuses_who_has_no_turn_and_a_second_question() -> None:
    world, _, _, desks = five()
    begun(world, desks)
    wren, juniper, sorrel, *_ = desks
    assert code(juniper, "circle.say") == "E-NOT-YOUR-TURN"
    assert code(wren, "circle.open") == "E-CIRCLE-ON"
    assert code(sorrel, "circle.say") == ""
    do(sorrel, "say", text="mine")
    world.run(5)
    assert code(sorrel, "circle.say") == "E-NOT-YOUR-TURN"


def test_a_look_says_yes_and_does_nothing() -> None:
    world, _, _, (wren, _, sorrel, _) = four()
    asked: dict[str, JsonObject] = {
        "circle.open": {},
        "group.agreement": {"action": "edit"},
        "introduce.ask": {"member": "sorrel"},
        "milestone.add": {},
        "post": {"mode": "listening"},
        "reflect.add": {},
        "sanction": {"member": "sorrel", "step": "quiet"},
        "shelf.add": {},
    }
    assert {*asked, "circle.say"} == {*CHECKED}
    assert [code(wren, method, **more) for method, more in asked.items()] == [""] * len(asked)
    world.run(10)
    assert read(wren) == read(sorrel) == []
    assert call(wren, "circle.show", group=GROUP) == {"circle": None}
    assert call(sorrel, "read", group=GROUP, limit=5, unread=False)["quiet"] is None
    for method, key in (("shelf.list", "resources"), ("milestone.list", "milestones"), ("introduce.list", "questions")):
        assert call(wren, method, group=GROUP)[key] == []
    assert call(wren, "reflect.list")["notes"] == []
    do(wren, "open", question=QUESTION)


@pytest.mark.parametrize("asked", [None, "post", []])
def test_what_is_no_question_is_refused(asked: JsonValue) -> None:
    _, _, _, (wren, *_) = four()
    with pytest.raises(MeshError) as refused:
        checked(wren, "post", asked)
    assert refused.value.code == "E-METHOD"
