"""Blocking, muting and hiding: what is shown and told of afterwards, and that nothing of it leaves the node."""

from collections.abc import AsyncIterator, Callable

import pytest

from mesh.commands import LeaveGroup
from mesh.errors import LocalError
from mesh.events import Effect, Input, Notify, Send, SendStored, Space
from mesh.groups.records import load
from mesh.node.local.inprocess import run_to_end
from mesh.node.local.methods.talk import event_json
from mesh.node.local.methods.telling import events_of
from mesh.node.local.protocol import JsonObject, JsonValue
from mesh.peer.records import MessageRecord
from simulations.people import circle
from simulations.world import Node, World
from tests.node.local.test_messages import GROUP, call, read, say, three
from tests.node.local.test_methods import WorldDesk


def texts(desk: WorldDesk) -> list[JsonValue]:
    return [message["text"] for message in read(desk)]


def opened(desk: WorldDesk, message: JsonObject) -> list[JsonValue]:
    shown = call(desk, "read", group=GROUP, open=message["id"])["messages"]
    assert isinstance(shown, list)
    return [message["text"] for message in shown if isinstance(message, dict)]


def unread(desk: WorldDesk) -> JsonValue:
    (group,) = groups(desk)
    return group["unread"]


def groups(desk: WorldDesk) -> list[JsonObject]:
    found = call(desk, "group.list")["groups"]
    assert isinstance(found, list)
    return [group for group in found if isinstance(group, dict)]


def person(desk: WorldDesk, member: str, **what: JsonValue) -> JsonObject:
    return call(desk, "own.person", group=GROUP, member=member, **what)


def events(desk: WorldDesk, since: int) -> list[JsonObject]:
    """Return what a program that listens is told of what has happened since."""
    told = [event_json(desk, notice, full=False) for notice in desk.node.notices[since:]]
    return [event for event in told if event is not None and event["event"] == "message"]


def following(desk: WorldDesk, since: int) -> list[JsonObject]:
    """Return what `read --follow` shows of what has happened since."""

    async def happened() -> AsyncIterator[Notify]:
        for notice in desk.node.notices[since:]:
            yield notice

    async def all_of_them() -> list[JsonObject]:
        return [event async for event in events_of(desk, happened(), {"group": GROUP}, only=True)]

    return [event for event in run_to_end(all_of_them()) if event["event"] == "message"]


# ---------------------------------------------------------------- nobody can see it


def a_day(decide: Callable[[WorldDesk], None]) -> list[tuple[int, str, Effect]]:
    """Run a world in which wren decides something; return all that is sent in it, by whom and when."""
    world = World(21)
    circle(world, "wren", "juniper", "sorrel")
    sent: list[tuple[int, str, Effect]] = []

    def watch(node: Node, event: Input, effects: list[Effect]) -> None:
        del event
        sent.extend((world.now_ms, node.name, effect) for effect in effects if isinstance(effect, Send | SendStored))

    world.watchers.append(watch)
    desks = {name: WorldDesk(world, name) for name in ("wren", "juniper", "sorrel")}
    world.run(10)
    say(desks["juniper"], "before")
    world.run(5)
    decide(desks["wren"])
    for name in ("juniper", "sorrel", "wren"):
        say(desks[name], f"from {name}")
        world.run(30)
    world.cut("wren", "juniper")
    say(desks["juniper"], "while one of them was away")
    world.run(20)
    world.heal()
    world.run(120)
    return sent


def test_nothing_that_leaves_any_node_shows_what_one_decided_or_noted_for_oneself() -> None:
    def decide(wren: WorldDesk) -> None:
        person(wren, "juniper", blocked=True, clear=True)
        person(wren, "sorrel", muted=True)
        call(wren, "own.words", add_words=["from"], add_topics=["work"])
        call(wren, "own.pace", paused=True, quiet="00:00-23:59", digest="daily", cap=3)
        call(wren, "reflect.add", text="a note for myself", about="gave")
        call(wren, "own.hide", message=next(key[32:].hex() for key, _ in wren.store.scan(Space.POSTS)), undo=False)

    without = a_day(lambda wren: None)
    assert len(without) > 100
    assert a_day(decide) == without


def test_a_blocked_members_operations_count_and_their_posts_are_confirmed() -> None:
    world, _, _, (wren, juniper, sorrel) = three()
    person(sorrel, "wren", blocked=True)
    said = say(wren, "hello")
    call(wren, "group.set", group=GROUP, key="keep", value="48")
    world.run(20)
    assert [message["reached"] for message in read(wren) if message["id"] == said["id"]] == [2]
    assert groups(sorrel)[0]["keep"] == 48 * 3600
    assert (texts(juniper), texts(sorrel)) == (["hello"], [])


# ---------------------------------------------------------------- what is shown


def test_who_is_blocked_is_not_shown_not_told_of_and_not_counted_and_nothing_is_lost() -> None:
    world, _, _, (wren, juniper, sorrel) = three()
    told = person(wren, "juniper", blocked=True)
    assert (told["blocked"], told["muted"], told["cleared"]) == (True, False, None)
    before = len(wren.node.notices)
    one = say(juniper, "from juniper")
    say(sorrel, "from sorrel")
    world.run(5)
    assert (unread(wren), unread(sorrel)) == (1, 1)
    assert (len(events(wren, before)), len(following(wren, before))) == (1, 1)
    assert texts(wren) == ["from sorrel"]
    assert opened(wren, one) == ["from juniper"]
    person(wren, "juniper", blocked=False)
    assert texts(wren) == ["from juniper", "from sorrel"]


def test_a_pin_shows_nothing_of_one_who_is_blocked() -> None:
    world, _, _, (wren, juniper, sorrel) = three()
    said = say(juniper, "for everybody")
    call(wren, "group.pin", group=GROUP, message=said["id"], remove=False, wait_s=2.0)
    world.run(5)
    person(sorrel, "juniper", blocked=True)
    shown = [call(desk, "read", group=GROUP, limit=50, unread=False)["pins"] for desk in (wren, sorrel)]
    here, there = (pins[0] for pins in shown if isinstance(pins, list))
    assert isinstance(here, dict)
    assert isinstance(there, dict)
    assert isinstance(here["message"], dict)
    assert (there["id"], there["message"]) == (said["id"], None)


def test_many_posts_of_one_who_is_blocked_do_not_push_the_others_out_of_the_page() -> None:
    world, _, _, (wren, juniper, sorrel) = three()
    say(sorrel, "first")
    for number in range(5):
        say(juniper, f"{number}")
    world.run(5)
    person(wren, "juniper", blocked=True)
    for unread_alone in (True, False):
        shown = call(wren, "read", group=GROUP, limit=2, unread=unread_alone)["messages"]
        assert isinstance(shown, list)
        assert [message["text"] for message in shown if isinstance(message, dict)] == ["first"]


def test_what_a_blocked_member_said_can_be_deleted_here_and_stays_with_the_others() -> None:
    world, gid, _, (wren, juniper, sorrel) = three()
    said = say(juniper, "words that wound")
    world.run(5)
    assert person(wren, "juniper", blocked=True, clear=True)["cleared"] == 1
    held = [load(MessageRecord, value) for _, value in wren.store.scan(Space.MESSAGES, gid)]
    assert not any(b"wound" in record.body for record in held)
    assert all(b"wound" not in tbs.tbs for tbs in wren.state.signed.values())
    assert texts(sorrel) == ["words that wound"]
    world.restart("wren")
    world.run(30)
    assert texts(wren) == []
    shown = call(wren, "message.show", message=said["id"])["message"]
    assert isinstance(shown, dict)
    assert (shown["text"], shown["why"]) == (None, "you deleted it here")
    assert person(wren, "juniper", blocked=True, clear=True)["cleared"] == 0
    say(wren, "mine stays")
    assert texts(wren) == ["mine stays"]


def test_a_muted_member_is_closed_uncounted_and_can_be_opened() -> None:
    world, _, _, (wren, juniper, _) = three()
    person(wren, "juniper", muted=True)
    before = len(wren.node.notices)
    said = say(juniper, "again and again")
    world.run(5)
    assert (unread(wren), events(wren, before), following(wren, before)) == (0, [], [])
    assert [(m["text"], m["closed_by"]) for m in read(wren)] == [(None, "muted")]
    assert opened(wren, said) == ["again and again"]
    person(wren, "juniper", muted=False)
    assert texts(wren) == ["again and again"]


def test_muted_words_and_topics_close_what_others_say_in_every_place_where_it_is_shown() -> None:
    world, _, _, (wren, juniper, _) = three()
    told = call(wren, "own.words", add_words=["Hospital", "overdos*"], add_topics=["Work"])
    assert (told["words"], told["topics"]) == (["hospital", "overdos*"], ["work"])
    before = len(wren.node.notices)
    say(juniper, "back from the hospital")
    call(juniper, "post", group=GROUP, text="a job", topics=["work"], wait_s=1.0)
    say(wren, "I know that hospital")
    world.run(5)
    closed = [(None, "muted-word"), (None, "muted-topic")]
    assert [(m["text"], m["closed_by"]) for m in read(wren)] == [*closed, ("I know that hospital", None)]
    shown = [event["message"] for event in following(wren, before)]
    assert [(m["text"], m["closed_by"]) for m in shown[:2] if isinstance(m, dict)] == closed
    call(wren, "own.words", remove_words=["HOSPITAL"], clear_topics=True)
    assert texts(wren) == ["back from the hospital", "a job", "I know that hospital"]
    with pytest.raises(LocalError):
        call(wren, "own.words", add_words=[f"word{number}" for number in range(600)])


def test_one_post_can_be_hidden_and_shown_again() -> None:
    world, _, _, (wren, juniper, _) = three()
    said = say(juniper, "not today")
    world.run(5)
    call(wren, "own.hide", message=said["id"], undo=False)
    assert unread(wren) == 0
    assert [(m["text"], m["closed_by"]) for m in read(wren)] == [(None, "hidden")]
    call(wren, "own.hide", message=said["id"], undo=True)
    assert texts(wren) == ["not today"]


def test_who_is_blocked_asks_in_vain_to_talk() -> None:
    world, _, _, (wren, juniper, _) = three()
    person(wren, "juniper", blocked=True)
    before = len(wren.node.notices)
    call(juniper, "talk.offer", group=GROUP, member="wren", passphrase="p")
    world.run(20)
    assert call(wren, "talk.list", group=None)["talks"] == []
    assert "asks to talk" not in str(call(wren, "status")["problems"])
    told = [event_json(wren, notice, full=False) for notice in wren.node.notices[before:]]
    assert "talk" not in [event["event"] for event in told if event is not None]
    person(wren, "juniper", blocked=False)
    assert "asks to talk" in str(call(wren, "status")["problems"])


def test_one_who_left_can_still_be_unblocked_and_nobody_blocks_themself() -> None:
    world, _, _, (wren, _, _) = three()
    person(wren, "juniper", blocked=True)
    call(wren, "group.remove", group=GROUP, member="juniper", reason="")
    world.run(5)
    people_told = call(wren, "own.list")["people"]
    assert isinstance(people_told, list)
    assert len(people_told) == 1
    assert person(wren, "juniper", blocked=False)["blocked"] is False
    with pytest.raises(LocalError):
        person(wren, "wren", blocked=True)


def test_choices_survive_a_restart_and_go_with_the_group() -> None:
    world, gid, people, (wren, juniper, _) = three()
    person(wren, "juniper", blocked=True)
    call(wren, "own.words", add_words=["hospital"])
    world.restart("wren")
    say(juniper, "unseen")
    world.run(10)
    assert texts(wren) == []
    assert list(wren.store.scan(Space.OWN, gid))
    world.ask("wren", LeaveGroup(group=gid, member_seed=people[0].member_seeds[gid], wipe=True))
    world.run(10)
    assert list(wren.store.scan(Space.OWN, gid)) == []
    assert call(wren, "own.list") == {"people": [], "words": ["hospital"], "topics": []}
