"""What the local Api tells of flags: how many, never whose; folded posts stay closed until they are opened."""

import pytest

from mesh.errors import LocalError
from mesh.events import Effect, Notice, Notify
from mesh.ids import GroupId
from mesh.node.local import methods
from mesh.node.local.inprocess import run_to_end
from mesh.node.local.methods.talk import event_json
from mesh.node.local.protocol import JsonObject, JsonValue
from simulations.people import Person, circle
from simulations.world import World
from tests.node.local.test_messages import call, read, say, show
from tests.node.local.test_methods import WorldDesk

HARD = "hard to read"


def four(seed: int = 3) -> tuple[World, GroupId, list[Person], list[WorldDesk], JsonObject]:
    """Give wren, juniper, sorrel and tansy at their desks; wren said something that is hard to read."""
    world = World(seed)
    gid, people = circle(world, "wren", "juniper", "sorrel", "tansy")
    world.run(10)
    desks = [WorldDesk(world, person.name) for person in people]
    post = say(desks[0], HARD)
    world.run(10)
    return world, gid, people, desks, post


def flag(desk: WorldDesk, post: JsonObject, *, withdraw: bool = False) -> JsonObject:
    """Flag a post, or no longer."""
    return call(desk, "flag", message=post["id"], withdraw=withdraw, wait_s=5.0)


def stands(message: JsonObject) -> tuple[JsonValue, ...]:
    """What is told of a message's flags, and of its text."""
    return message["text"], message["flags"], message["collapsed"], message["flagged"]


def test_two_of_three_fold_a_post_for_all_but_its_author_who_is_told() -> None:
    world, _, _, (wren, juniper, sorrel, tansy), post = four()
    told = flag(juniper, post)
    assert told["told"] is True
    assert told["flag"] == {
        "id": post["id"],
        "group": post["group"],
        "flags": 1,
        "folds_at": 2,
        "collapsed": False,
        "flagged": True,
        "mine": False,
    }
    world.run(5)
    assert [stands(m) for m in read(tansy)] == [(HARD, 1, False, False)]
    before = call(wren, "log", group="Tuesday grief")["entries"]
    flag(sorrel, post)
    world.run(5)
    assert call(wren, "log", group="Tuesday grief")["entries"] == before, "nobody in particular did it"
    assert [stands(m) for m in read(tansy)] == [(None, 2, True, False)]
    assert [stands(m) for m in read(juniper)] == [(None, 2, True, True)]
    assert [(*stands(m), m["mine"]) for m in read(wren)] == [(HARD, 2, True, False, True)]
    assert stands(show(tansy, post))[0] == HARD, "whoever wants to opens it"
    opened = call(tansy, "read", group="Tuesday grief", limit=50, unread=False, open=post["id"])["messages"]
    assert isinstance(opened, list)
    assert [stands(m) for m in opened if isinstance(m, dict)] == [(HARD, 2, True, False)]
    for desk in (tansy, sorrel):
        assert "juniper" not in str(read(desk)), "it is not told whose they are"
    flag(sorrel, post, withdraw=True)
    world.run(5)
    assert [stands(m) for m in read(tansy)] == [(HARD, 1, False, False)]


def test_what_cannot_be_flagged_is_said() -> None:
    world, gid, people, (wren, juniper, *_), post = four(4)
    with pytest.raises(LocalError) as own:
        flag(wren, post)
    assert own.value.code == "E-YOURS"
    people[0].withdraw(gid, people[0].messages(gid)[0].post)
    world.run(5)
    with pytest.raises(LocalError) as gone:
        flag(juniper, post)
    assert gone.value.code == "E-NO-MESSAGE"
    with pytest.raises(LocalError):
        flag(juniper, {"id": "ab" * 16})


def test_with_nobody_there_it_waits_and_the_outbox_says_so() -> None:
    world, _, people, (_, juniper, *_), post = four(5)
    for other in (people[0], people[2], people[3]):
        other.off()
    world.run(5)
    assert flag(juniper, post)["told"] is False
    assert flag(juniper, post)["told"] is False, "asked again it still waits"
    (waiting,) = juniper.list("outbox", "outbox")
    assert (waiting["state"], waiting["why"]) == ("queued", "nobody has been told of your flag yet")
    people[2].on()
    world.run(30)
    assert flag(juniper, post)["told"] is True
    assert juniper.list("outbox", "outbox") == []


def test_listeners_hear_that_something_was_flagged() -> None:
    world, _, people, (_, juniper, _, tansy), post = four(6)
    heard: list[JsonObject] = []
    world.watchers.append(
        lambda node, event, effects: heard.extend(_told(tansy, effects) if node is people[3].node else [])
    )
    flag(juniper, post)
    world.run(5)
    assert {"event": "support", "group": post["group"], "form": "flag"} in heard


def _told(desk: WorldDesk, effects: list[Effect]) -> list[JsonObject]:
    notices = [e for e in effects if isinstance(e, Notify) and e.notice is Notice.SUPPORT]
    return [told for notice in notices if (told := event_json(desk, notice, full=False)) is not None]


def test_in_a_conversation_of_two_nothing_is_folded() -> None:
    world = World(7)
    _, people = circle(world, "wren", "juniper")
    world.run(10)
    wren, juniper = (WorldDesk(world, person.name) for person in people)
    post = say(wren, HARD)
    world.run(5)
    told = run_to_end(methods.call(juniper, "flag", {"message": post["id"], "withdraw": False, "wait_s": 5.0}))["flag"]
    assert isinstance(told, dict)
    assert (told["flags"], told["folds_at"], told["collapsed"]) == (1, 2, False)
