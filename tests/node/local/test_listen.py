"""`listen` over the local Api: what each of the two is told, and that neither is told who the other is."""

import pytest

from mesh.errors import LocalError, RefusedError
from mesh.node.local.protocol import JsonObject
from simulations.world import World
from tests.node.local.test_forks import problems, three
from tests.node.local.test_methods import GROUP, WorldDesk, part


def kept() -> tuple[World, WorldDesk, WorldDesk, WorldDesk]:
    """Three members of a group with a keeper; wren and tansy offer to listen."""
    world, ash, wren, tansy = three()
    pi = WorldDesk(world, "pi")
    pi.call("keeper.on", quota=100_000_000, days=7)
    ash.call("keeper.add", ticket=pi.call("keeper.ticket", note="pi", quota=10_000_000)["ticket"])
    world.run(30)
    for desk in (wren, tansy):
        desk.call("listen.offer", topics=["Sleep"], wait_s=5.0)
    world.run(5)
    return world, ash, wren, tansy


def talks(desk: WorldDesk) -> list[JsonObject]:
    return desk.list("listen.list", "talks")


def test_one_asks_another_says_yes_they_talk_and_both_get_a_last_word() -> None:
    world, ash, wren, tansy = kept()
    offers = ash.list("listen.list", "offers")
    assert sorted(str(part(offer, "member")["alias"]) for offer in offers) == ["tansy", "wren"]
    checked = ash.call("listen.check", topic="sleep")
    assert (checked["volunteers"], checked["kept"]) == (2, True)
    told = part(ash.call("listen.ask", topic="sleep", minutes=20), "talk")
    assert (told["state"], told["mine"], told["minutes"], told["kept"]) == ("asked", True, 20, True)
    world.run(10)
    assert [group["name"] for group in ash.list("group.list", "groups")] == [GROUP], "what stands ready is not listed"
    (asked,) = talks(tansy)
    assert (asked["state"], asked["topic"], asked["mode"], asked["name"]) == ("offered", "sleep", "listening", None)
    assert f"Somebody in “{GROUP}” asks for a listener for 20 minutes about “sleep”." in problems(tansy)
    yes = part(tansy.call("listen.accept", talk=asked["id"], wait_s=60.0), "talk")
    assert yes["state"] == "open"
    assert ash.call("listen.list")["talks"] != []
    world.run(10)
    (open_,) = talks(ash)
    assert (open_["state"], open_["id"], open_["name"]) == ("open", told["id"], yes["name"])
    assert open_["alias"] not in ("ash", yes["alias"])
    said_yes = f"Somebody said yes: you can talk with a listener, in “{yes['name']}”."
    assert said_yes in problems(ash), "who asked need not look for it"
    assert said_yes not in problems(tansy), "tansy knows"
    for desk in (ash, tansy):
        assert not any("reachable" in what for what in problems(desk)), "the keeper carries it, and is there"
    ash.call("post", group=open_["name"], text="I cannot sleep", wait_s=5.0)
    world.run(10)
    assert said_yes not in problems(ash), "they have begun"
    read = tansy.call("read", group=yes["name"], limit=10, unread=False)["messages"]
    assert isinstance(read, list)
    assert [message["text"] for message in read if isinstance(message, dict)] == ["I cannot sleep"]
    for text in (str(talks(ash)), str(talks(tansy)), str(ash.call("listen.list", group=None)["talks"])):
        assert not any(name in text for name in ("'tansy'", "'ash'", "'wren'"))
    (late,) = talks(wren)
    late = part(wren.call("listen.accept", talk=late["id"], wait_s=60.0), "talk")
    assert late["state"] == "taken"

    world.stop("pi")
    world.run(60)
    unreached = f"No keeper that carries “{yes['name']}” is reachable now."
    assert unreached in problems(ash)
    assert not any(what.startswith("No member of “listening") for what in problems(ash))
    world.start("pi")
    world.run(60)
    ended = part(tansy.call("listen.end", wait_s=5.0), "ended")
    assert (ended["was"], ended["id"]) == ("open", yes["id"])
    world.run(10)
    assert any("has ended" in what for what in problems(ash))
    assert [(talk["state"], talk["care"]) for talk in talks(ash)] == [("ended", True)], "once"
    assert [(talk["state"], talk["care"]) for talk in talks(ash)] == [("ended", False)]
    assert [(talk["state"], talk["care"]) for talk in talks(tansy)] == [("ended", False)], "its ender was told at once"
    with pytest.raises(LocalError):
        ash.call("post", group=open_["name"], text="more", wait_s=0.0)


def test_where_no_keeper_carries_it_the_way_to_say_yes_names_what_it_needs() -> None:
    world, ash, _, tansy = three()
    tansy.call("listen.offer", topics=[], wait_s=5.0)
    world.run(5)
    ash.call("listen.ask", minutes=20, direct=True)
    world.run(10)
    (asked,) = talks(tansy)
    found = tansy.list("status", "problems")
    ways = [str(problem["do"]) for problem in found if "asks for a listener" in str(problem["what"])]
    assert [f"`mesh listen accept {str(asked['id'])[:8]} --direct`" in way for way in ways] == [True]


def test_what_cannot_be_asked_is_said_in_words() -> None:
    _, ash, wren, tansy = kept()
    for method, asked, code in (
        ("listen.ask", {"topic": "money"}, "E-NO-LISTENER"),
        ("listen.ask", {"topic": "sleep", "minutes": 1}, "E-USAGE"),
        ("listen.ask", {"topic": "sleep", "mode": "shouting"}, "E-MODE"),
        ("listen.ask", {"topic": "x" * 65}, "E-TEXT"),
        ("listen.offer", {"hours": "late"}, "E-HOURS"),
        ("listen.offer", {"days": 0}, "E-USAGE"),
        ("listen.accept", {"talk": "abcdef"}, "E-NO-THING"),
        ("listen.end", {}, "E-NO-LISTEN"),
    ):
        with pytest.raises(LocalError) as caught:
            ash.call(method, **asked)
        assert caught.value.code == code, method
    ash.call("listen.ask", topic="sleep")
    with pytest.raises(LocalError) as caught:
        ash.call("listen.ask", topic="sleep")
    assert caught.value.code == "E-LISTEN-ASKED"
    del wren, tansy


def test_it_is_taken_back_withdrawn_and_switched_off() -> None:
    world, ash, wren, tansy = kept()
    told = part(ash.call("listen.ask"), "talk")
    world.run(10)
    assert part(ash.call("listen.end", talk=told["id"]), "ended")["was"] == "asked"
    assert talks(ash) == []
    (asked,) = talks(tansy)
    tansy.call("listen.end", talk=asked["id"])
    assert [talk["state"] for talk in talks(tansy)] == ["declined"]
    assert wren.call("listen.withdraw", wait_s=5.0)["offer"] is None
    world.run(5)
    assert len(ash.list("listen.list", "offers")) == 1
    ash.call("group.set", key="listeners", value="off")
    world.run(5)
    assert ash.list("listen.list", "offers") == []
    for method in ("listen.ask", "listen.offer", "listen.check"):
        with pytest.raises(RefusedError) as caught:
            tansy.call(method)
        assert caught.value.code == "E-LISTEN-OFF"


def test_whom_one_blocks_one_is_not_asked_by_and_does_not_ask() -> None:
    world, ash, _, tansy = kept()
    tansy.call("own.person", member="ash", blocked=True)
    ash.call("own.person", member="wren", blocked=True)
    assert ash.call("listen.check")["volunteers"] == 1
    ash.call("listen.ask")
    world.run(10)
    assert talks(tansy) == []
    assert not any("listener" in what for what in problems(tansy))


def test_hours_are_those_of_the_wall() -> None:
    _, _, wren, _ = kept()
    told = part(wren.call("listen.offer", hours="18:00-22:30", wait_s=5.0), "offer")
    assert (told["hours"], told["topics"], told["mine"]) == ("18:00-22:30", [], True)
    told = part(wren.call("listen.offer", hours="22:00-01:00", topics=["a", "b"], wait_s=5.0), "offer")
    assert (told["hours"], told["topics"]) == ("22:00-01:00", ["a", "b"])


def test_without_a_keeper_both_must_say_that_their_nodes_may_be_linked() -> None:
    world, ash, _, tansy = three()
    tansy.call("listen.offer", wait_s=5.0)
    world.run(5)
    assert ash.call("listen.check")["kept"] is False
    with pytest.raises(RefusedError) as caught:
        ash.call("listen.ask")
    assert caught.value.code == "E-LISTEN-DIRECT"
    ash.call("listen.ask", direct=True)
    world.run(10)
    (asked,) = talks(tansy)
    with pytest.raises(RefusedError):
        tansy.call("listen.accept", talk=asked["id"])
    yes = part(tansy.call("listen.accept", talk=asked["id"], direct=True, wait_s=60.0), "talk")
    assert (yes["state"], yes["kept"]) == ("open", False)
