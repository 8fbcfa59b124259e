"""What the local Api tells of messages that run out, are taken back, or that somebody confirms to nobody."""

import pytest

from mesh.commands import SetSetting
from mesh.errors import LocalError, RefusedError
from mesh.ids import GroupId
from mesh.node.local import methods
from mesh.node.local.inprocess import run_to_end
from mesh.node.local.protocol import JsonObject, JsonValue
from simulations.people import Person, circle
from simulations.world import World
from tests.node.local.test_methods import WorldDesk

GROUP = "Tuesday grief"


def three(seed: int = 3) -> tuple[World, GroupId, tuple[Person, ...], tuple[WorldDesk, ...]]:
    """Give wren, juniper and sorrel in one group, and a desk at each one's node."""
    world = World(seed)
    gid, people = circle(world, "wren", "juniper", "sorrel")
    world.run(10)
    return world, gid, tuple(people), tuple(WorldDesk(world, person.name) for person in people)


def call(desk: WorldDesk, method: str, **params: JsonValue) -> JsonObject:
    """Call a method."""
    return run_to_end(methods.call(desk, method, dict(params)))


def say(desk: WorldDesk, text: str, **more: JsonValue) -> JsonObject:
    """Say something; return what is told of it."""
    told = call(desk, "post", group=GROUP, text=text, mode="listening", cw="", topics=[], wait_s=5.0, **more)["message"]
    assert isinstance(told, dict)
    return told


def read(desk: WorldDesk) -> list[JsonObject]:
    """Return what is shown of the group."""
    shown = call(desk, "read", group=GROUP, limit=50, unread=False)["messages"]
    assert isinstance(shown, list)
    return [message for message in shown if isinstance(message, dict)]


def show(desk: WorldDesk, message: JsonObject) -> JsonObject:
    """Return what is told of one message."""
    told = call(desk, "message.show", message=message["id"])["message"]
    assert isinstance(told, dict)
    return told


def test_what_has_run_out_is_shown_to_nobody_from_that_moment_on() -> None:
    world, _, _, (wren, juniper, _) = three()
    said = say(wren, "not for long", expires_s=600)
    assert said["expires"] is not None
    world.run(5)
    assert [message["text"] for message in read(juniper)] == ["not for long"]
    for node in world.nodes.values():
        node.skew_ms += 600_000  # no tick comes between: the row is still there
    assert read(juniper) == []
    with pytest.raises(LocalError) as gone:
        show(juniper, said)
    assert gone.value.code == "E-NO-MESSAGE"
    assert "name" not in gone.value.why, "a message has none"
    assert [(m["state"], m["text"], m["reached"]) for m in read(wren)] == [("expired", None, 2)]
    world.run(60)
    assert [(m["state"], m["text"], m["reached"]) for m in (*read(wren), show(wren, said))] == [
        ("expired", None, 2)
    ] * 2
    assert read(juniper) == []


def test_a_group_says_how_long_it_keeps_what_is_said() -> None:
    world, _, _, (wren, juniper, _) = three(4)
    call(wren, "group.set", group=GROUP, key="keep", value="48")
    world.run(5)
    shown = call(juniper, "group.show", group=GROUP)["group"]
    assert isinstance(shown, dict)
    assert shown["keep"] == 48 * 3600
    with pytest.raises(LocalError):
        call(wren, "group.set", group=GROUP, key="keep", value="two days")


def test_taking_back_tells_whether_anybody_heard_and_waits_in_the_outbox_until_then() -> None:
    world, _, _, (wren, juniper, _) = three(5)
    said = say(wren, "too much")
    world.run(5)
    world.partition(("wren",), ("juniper", "sorrel"))
    world.run(1)
    told = call(wren, "message.withdraw", message=said["id"], wait_s=1.0)
    assert told["told"] is False
    message = told["message"]
    assert isinstance(message, dict)
    assert (message["state"], message["text"], message["reached"]) == ("withdrawn", None, 2)
    waiting = call(wren, "outbox")["outbox"]
    assert isinstance(waiting, list)
    assert [(entry["state"], entry["why"]) for entry in waiting if isinstance(entry, dict)] == [
        ("withdrawn", "nobody has been told yet that you took it back")
    ]
    world.heal()
    world.run(20)
    assert call(wren, "outbox") == {"outbox": []}
    assert call(wren, "message.withdraw", message=said["id"], wait_s=1.0)["told"] is True, "once more does nothing"
    assert [(m["state"], m["text"], m["why"]) for m in read(juniper)] == [
        ("withdrawn", None, "withdrawn by its author")
    ]


def test_nobody_takes_back_what_is_not_theirs() -> None:
    world, _, _, (wren, juniper, _) = three(6)
    said = say(wren, "mine")
    world.run(5)
    with pytest.raises(RefusedError) as refused:
        call(juniper, "message.withdraw", message=said["id"], wait_s=1.0)
    assert refused.value.code == "E-NOT-YOURS"
    assert [message["text"] for message in read(juniper)] == ["mine"]


def test_who_gives_no_receipts_is_told_apart_from_who_has_not_confirmed_yet() -> None:
    world, gid, (_, _, _), (wren, _, _) = three(7)
    world.ask("juniper", SetSetting(group=gid, key="receipts", value="off", own=True))
    world.run(5)
    world.stop("sorrel")
    said = say(wren, "who has it?")
    world.run(10)
    told = show(wren, said)
    assert [aliases(told, key) for key in ("held_by", "receipts_off", "waiting_for")] == [
        ["juniper"],
        ["juniper"],
        ["sorrel"],
    ]
    waiting = call(wren, "outbox")["outbox"]
    assert isinstance(waiting, list)
    assert len(waiting) == 1
    world.start("sorrel")
    world.run(30)
    assert (show(wren, said)["state"], aliases(show(wren, said), "reached_by")) == ("reached", ["sorrel"])
    assert call(wren, "outbox") == {"outbox": []}, "juniper has it by the word of her node, and says no more"


def aliases(told: JsonObject, key: str) -> list[JsonValue]:
    """Return who is named under a key."""
    named = told[key]
    assert isinstance(named, list)
    return [person["alias"] for person in named if isinstance(person, dict)]


def test_that_there_is_more_than_is_shown_is_said() -> None:
    world, _, _, (wren, juniper, _) = three(7)
    for word in ("one", "two", "three"):
        say(wren, word)
    world.run(5)
    for asked, texts, older, newer in (
        ({"limit": 2, "unread": True}, ["one", "two"], False, True),
        ({"limit": 2, "unread": True}, ["three"], False, False),
        ({"limit": 3, "unread": False}, ["one", "two", "three"], False, False),
        ({"limit": 1, "unread": False}, ["three"], True, False),
    ):
        told = call(juniper, "read", group=GROUP, **asked)
        messages = told["messages"]
        assert isinstance(messages, list)
        assert [message["text"] for message in messages if isinstance(message, dict)] == texts
        assert (told["older"], told["newer"]) == (older, newer)


def test_what_is_older_than_one_answer_is_read_from_there_on_back() -> None:
    world, _, _, (wren, juniper, _) = three(8)
    for word in ("one", "two", "three", "four"):
        say(wren, word)
    world.run(5)
    shown: list[list[JsonValue]] = []
    before: JsonValue = None
    while not shown or shown[-1]:
        told = call(juniper, "read", group=GROUP, limit=3, unread=False, before=before)
        page = [message for message in told["messages"] if isinstance(message, dict)]  # type: ignore[union-attr] # a list
        shown.append([message["text"] for message in page])
        before = page[0]["id"] if page else None
    assert shown == [["two", "three", "four"], ["one"], []]
