"""A pause, quiet hours and a digest hold back what is told, and nothing else; notes stay where they were written."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from functools import partial

import pytest
import trio
import trio.testing

from mesh.errors import LocalError
from mesh.events import Effect, Input, Notice, Notify, Send, SendStored
from mesh.node.live import TICK_S, with_ticks
from mesh.node.local.inprocess import run_to_end
from mesh.node.local.methods.pace import local_time
from mesh.node.local.methods.telling import Teller, events_of
from mesh.node.local.protocol import JsonObject, JsonValue
from simulations.world import Node
from tests.node.local.test_listen import kept as asking
from tests.node.local.test_messages import GROUP, call, read, say, three
from tests.node.local.test_methods import WorldDesk
from tests.node.local.test_own import unread

HOUR_MS = 3_600_000


class Listener:
    """A program that listens at a node, as `mesh up` does; it is told what has happened since it was asked last."""

    def __init__(self, desk: WorldDesk) -> None:
        self.desk, self.teller, self.heard = desk, Teller(), len(desk.node.notices)

    def told(self) -> list[JsonObject]:
        """Return what it is told, and then what time alone brings."""
        notices = self.desk.node.notices[self.heard :]
        self.heard = len(self.desk.node.notices)
        return [event for notice in (*notices, None) for event in self.teller.tell(self.desk, notice)]

    def names(self) -> list[JsonValue]:
        """Return the names of messages and digests among it."""
        return [event["event"] for event in self.told() if event["event"] in ("message", "digest")]


def pace(desk: WorldDesk, **wishes: JsonValue) -> JsonObject:
    found = call(desk, "own.pace", **wishes)["pace"]
    assert isinstance(found, dict)
    return found


def now(desk: WorldDesk) -> datetime:
    return local_time(desk.now().wall_ms)


def wait(desk: WorldDesk, hours: float) -> None:
    """Let the clock on the wall go on, for a node."""
    desk.node.skew_ms += round(hours * HOUR_MS)


def test_while_one_pauses_nothing_is_told_and_nothing_is_lost() -> None:
    world, _, _, (wren, juniper, _) = three()
    program = Listener(wren)
    until = (now(wren) + timedelta(hours=2)).isoformat()
    told = pace(wren, paused=True, until=until)
    assert (told["paused"], told["silent"]) == (True, True)
    assert datetime.fromisoformat(str(told["until"])) == datetime.fromisoformat(until)
    say(juniper, "one")
    say(juniper, "two")
    world.run(5)
    assert program.names() == []
    assert unread(wren) == 2
    assert call(wren, "status")["pace"] == told
    wait(wren, 3)
    (summary,) = program.told()
    group = {"id": call(wren, "group.list")["groups"][0]["id"], "name": GROUP, "unread": 2}  # type: ignore[index,call-overload] # a list of objects
    assert summary == {"event": "digest", "groups": [group]}
    assert [message["text"] for message in read(wren)] == ["one", "two"]
    assert call(wren, "status")["pace"] == {**told, "paused": False, "until": None, "silent": False}
    say(juniper, "three")
    world.run(5)
    assert program.names() == ["message"]


def test_a_pause_holds_back_that_somebody_asks_for_a_listener_and_the_asking_waits() -> None:
    world, ash, wren, tansy = asking()
    paused, other = Listener(wren), Listener(tansy)
    pace(wren, paused=True)
    ash.call("listen.ask", topic="sleep")
    world.run(10)
    told = [[event for event in one.told() if event["event"] == "listen"] for one in (paused, other)]
    assert [[event["state"] for event in events] for events in told] == [[], ["offered"]]
    assert [talk["state"] for talk in wren.list("listen.list", "talks")] == ["offered"]


def test_a_pause_without_an_end_lasts_until_one_says_so_and_across_restarts() -> None:
    world, _, _, (wren, juniper, _) = three()
    pace(wren, paused=True)
    world.restart("wren")
    world.run(20)
    program = Listener(wren)
    wait(wren, 24 * 3)
    juniper.node.skew_ms = wren.node.skew_ms
    say(juniper, "days later")
    world.run(5)
    assert program.names() == []
    assert pace(wren, paused=False)["paused"] is False
    assert program.names() == ["digest"]


def test_what_becomes_of_ones_own_is_told_all_the_same() -> None:
    world, _, _, (wren, _, _) = three()
    pace(wren, paused=True)
    program = Listener(wren)
    say(wren, "one more thing")
    world.run(5)
    told = {event["event"] for event in program.told()}
    assert "state" in told
    assert "message" not in told


def test_quiet_hours_are_those_of_the_clock_on_the_wall() -> None:
    world, _, _, (wren, juniper, _) = three()
    program = Listener(wren)
    first, last = now(wren) - timedelta(minutes=5), now(wren) + timedelta(hours=3)
    assert pace(wren, quiet=f"{first:%H:%M}-{last:%H:%M}")["silent"] is True
    say(juniper, "late")
    world.run(5)
    assert program.names() == []
    wait(wren, 4)
    assert program.names() == ["digest"]
    assert pace(wren, quiet="off")["quiet"] is None


def test_a_digest_tells_of_messages_once_a_day_after_the_first_few() -> None:
    world, _, _, (wren, juniper, _) = three()
    noon = now(wren).replace(hour=12, minute=0)
    for desk in (wren, juniper):
        wait(desk, (noon - now(desk)) / timedelta(hours=1))
    program = Listener(wren)
    assert pace(wren, digest="daily", cap=1)["cap"] == 1
    program.told()
    for text in ("one", "two", "three"):
        say(juniper, text)
        world.run(5)
    assert program.names() == ["message"]
    wait(wren, 6)
    assert program.names() == [], "the day is not over"
    wait(wren, 8)
    assert program.names() == ["digest"]
    assert program.names() == [], "once"
    call(juniper, "talk.offer", group=GROUP, member="wren", passphrase="p")
    world.run(10)
    assert "talk" in [event["event"] for event in program.told()], "who asks for one is told of"


def test_a_digest_that_came_due_in_quiet_hours_is_told_when_they_end() -> None:
    world, _, _, (wren, juniper, _) = three()
    noon = now(wren).replace(hour=12, minute=0)
    for desk in (wren, juniper):
        wait(desk, (noon - now(desk)) / timedelta(hours=1))
    program = Listener(wren)
    pace(wren, digest="daily", quiet="22:00-07:00")
    say(juniper, "one")
    world.run(5)
    assert program.names() == []
    wait(wren, 13)
    assert program.names() == [], "it is one in the morning"
    wait(wren, 7)
    assert program.names() == ["digest"]


def test_read_follow_says_that_it_is_silent_and_shows_nothing_unasked() -> None:
    world, _, _, (wren, juniper, _) = three()
    pace(wren, paused=True)
    before = len(wren.node.notices)
    say(juniper, "unasked")
    world.run(5)

    async def happened() -> AsyncIterator[Notify | None]:
        for notice in wren.node.notices[before:]:
            yield notice

    async def all_of_them() -> list[JsonObject]:
        return [event async for event in events_of(wren, happened(), {"group": GROUP}, only=True)]

    (first,) = run_to_end(all_of_them())
    assert (first["event"], first["silent"]) == ("following", True)


@pytest.mark.parametrize(
    "wishes",
    [
        {"paused": True, "until": "yesterday"},
        {"paused": True, "until": "2020-01-01"},
        {"paused": True, "until": "9999-01-01"},
        {"quiet": "all day"},
        {"digest": "weekly"},
        {"digest": "daily", "cap": -1},
        {"digest": "daily", "cap": 1001},
    ],
)
def test_what_cannot_be_meant_changes_nothing(wishes: dict[str, JsonValue]) -> None:
    _, _, _, (wren, _, _) = three()
    before = pace(wren)
    with pytest.raises(LocalError) as refused:
        pace(wren, **wishes)
    assert refused.value.code == "E-PACE"
    assert pace(wren) == before


def test_time_alone_wakes_one_who_listens() -> None:
    async def listen() -> list[Notify | None]:
        sender, receiver = trio.open_memory_channel[Notify](1)
        heard: list[Notify | None] = []
        async for notice in with_ticks(receiver):
            heard.append(notice)
            if len(heard) == 2:
                await sender.send(Notify(notice=Notice.GROUP))
            if len(heard) == 3:
                assert trio.current_time() >= 2 * TICK_S
                sender.close()
        return heard

    clock = trio.testing.MockClock(autojump_threshold=0)
    assert trio.run(partial(listen), clock=clock) == [None, None, Notify(notice=Notice.GROUP)]


# ---------------------------------------------------------------- notes


def notes(desk: WorldDesk, limit: int = 50) -> list[JsonObject]:
    found = call(desk, "reflect.list", limit=limit)["notes"]
    assert isinstance(found, list)
    return [note for note in found if isinstance(note, dict)]


def test_notes_are_kept_in_order_found_by_id_and_deleted_for_good() -> None:
    world, _, _, (wren, juniper, _) = three()
    sent: list[Effect] = []

    def watch(node: Node, event: Input, effects: list[Effect]) -> None:
        del node, event
        sent.extend(effect for effect in effects if isinstance(effect, Send | SendStored))

    world.watchers.append(watch)
    for text, about in (("I listened", "gave"), ("they listened", "received"), ("a long day", None)):
        call(wren, "reflect.add", text=text, about=about)
        wait(wren, 1)
    assert sent == [], "no frame leaves"
    assert [(note["text"], note["about"]) for note in notes(wren)] == [
        ("I listened", "gave"),
        ("they listened", "received"),
        ("a long day", None),
    ]
    assert call(wren, "reflect.list", limit=1)["more"] is True
    assert [note["text"] for note in notes(wren, 1)] == ["a long day"]
    world.restart("wren")
    first = notes(wren)[0]
    assert call(wren, "reflect.delete", note=str(first["id"])[:8]) == {"deleted": {"id": first["id"]}}
    assert len(notes(wren)) == 2
    with pytest.raises(LocalError) as gone:
        call(wren, "reflect.delete", note=first["id"])
    assert gone.value.code == "E-NO-NOTE"
    assert notes(juniper) == []
