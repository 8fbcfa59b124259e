"""What the local Api tells of pins: they stand first for all, and hold nothing of what one may not read."""

import pytest

from mesh.commands import Rank
from mesh.errors import LocalError, RefusedError
from mesh.node.local.protocol import JsonObject
from mesh.support import pins
from simulations.people import Person
from tests.node.local.test_flags import four
from tests.node.local.test_messages import GROUP, call, say
from tests.node.local.test_methods import WorldDesk


def pin(desk: WorldDesk, post: JsonObject, *, remove: bool = False) -> JsonObject:
    """Pin a message, or take it down."""
    return call(desk, "group.pin", group=GROUP, message=post["id"], remove=remove, wait_s=5.0)


def shown(desk: WorldDesk) -> list[tuple[str, str | None]]:
    """Whose pins of which texts are shown by `read` and, the same, by `group show`."""
    read = call(desk, "read", group=GROUP, limit=50, unread=False)["pins"]
    group = call(desk, "group.show", group=GROUP)["group"]
    assert isinstance(group, dict)
    assert group["pins"] == read
    assert isinstance(read, list)
    found = []
    for entry in read:
        assert isinstance(entry, dict)
        by, message = entry["by"], entry["message"]
        assert isinstance(by, dict)
        assert message is None or isinstance(message, dict)
        found.append((str(by["alias"]), None if message is None else str(message["text"])))
    return found


def test_pins_stand_first_for_everybody_and_are_taken_down_by_any_moderator() -> None:
    world, gid, people, desks, post = four(3)
    wren, juniper, *_ = desks
    people[0].rank(gid, people[1], Rank.MODERATOR)
    world.run(10)
    other = say(wren, "read this first")
    world.run(5)
    told = pin(juniper, post)
    assert told == {"pin": {"id": post["id"], "group": post["group"], "pinned": True}, "told": True}
    world.run(5)
    pin(wren, other)
    world.run(5)
    assert [shown(desk) for desk in desks] == [[("wren", "read this first"), ("juniper", "hard to read")]] * 4
    pin(wren, post, remove=True)
    world.run(5)
    assert [shown(desk) for desk in desks] == [[("wren", "read this first")]] * 4
    assert pin(wren, post, remove=True)["told"] is True, "once more does nothing"


def test_only_moderators_pin_and_what_is_not_there_cannot_be_pinned() -> None:
    world, gid, people, desks, post = four(4)
    tansy = desks[3]
    with pytest.raises(RefusedError):
        pin(tansy, post)
    with pytest.raises(RefusedError):
        pin(tansy, post, remove=True)
    for remove in (False, True):
        with pytest.raises(LocalError) as none:
            pin(desks[0], {"id": "ab" * 16}, remove=remove)
        assert none.value.code == "E-NO-MESSAGE"
    assert shown(tansy) == []
    world.run(1)
    assert people[3].pinned(gid) == []


def test_eight_stand_first_and_a_ninth_waits_until_one_goes() -> None:
    _, _, _, desks, _ = four(5)
    wren = desks[0]
    posts = [say(wren, f"post {k}") for k in range(pins.SHOWN_MAX + 1)]
    for post in posts[:-1]:
        pin(wren, post)
    with pytest.raises(LocalError) as full:
        pin(wren, posts[-1])
    assert full.value.code == "E-PINS"
    assert pin(wren, posts[0])["told"] is True, "what is up can be asked for again"
    pin(wren, posts[0], remove=True)
    pin(wren, posts[-1])
    assert len(shown(wren)) == pins.SHOWN_MAX


def test_newcomers_see_that_there_is_a_pin_and_not_what_was_said_before_they_came() -> None:
    world, gid, people, desks, post = four(6)
    pin(desks[0], post)
    alder = Person(world, "alder")
    alder.join(gid, people[0].invite(gid))
    world.run(30)
    assert shown(WorldDesk(world, "alder")) == [("wren", None)]
    people[0].rank(gid, alder, Rank.MODERATOR) if alder.group(gid).rank > Rank.MODERATOR else None
    world.run(10)
    pin(WorldDesk(world, "alder"), post, remove=True)
    world.run(5)
    assert shown(desks[1]) == [], "a pin is taken down by its name, though the message is not here"


def test_a_pinned_message_stays_closed_where_it_would_be() -> None:
    world, _, _, desks, _ = four(7)
    wren, juniper, *_ = desks
    told = call(
        wren, "post", group=GROUP, text="the night it happened", mode="listening", cw="loss", topics=[], wait_s=5.0
    )["message"]
    assert isinstance(told, dict)
    pin(wren, told)
    world.run(5)
    assert shown(juniper) == [("wren", "None")]
    assert "the night" not in str(call(juniper, "read", group=GROUP, limit=50, unread=False))
