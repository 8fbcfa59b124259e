"""The machine as a whole: the story that the demo tells, step by step, with every delivery state as it must be then."""

import pytest

from mesh.commands import KnownAddress, MarkRead, Rank
from mesh.errors import Fault
from mesh.events import (
    AddressesChanged,
    Answer,
    Asked,
    Blame,
    Effect,
    Fetched,
    FrameReceived,
    HangUp,
    Input,
    LinkDown,
    LinkKind,
    LinkUp,
    Persist,
    Send,
    Space,
    Timer,
    TimerFired,
)
from mesh.ids import Address, GroupId, LinkId, PeerId, PostId
from simulations.checks import Watch, agree, blamed, unread
from simulations.people import Person, circle, gather
from simulations.weather import Weather
from simulations.world import Node, World


@pytest.mark.parametrize(
    "weather",
    [Weather(), Weather(latency_ms=200, jitter_ms=300), Weather(loss=0.2), Weather(latency_ms=0, jitter_ms=0)],
    ids=["fair", "far", "lossy", "instant"],
)
def test_the_story(weather: Weather) -> None:
    world = World(7, weather)
    watch = Watch.over(world)
    people = gather(world, "wren", "juniper", "sorrel", "tansy")
    wren, juniper, sorrel, tansy = people
    gid = three_come_together(wren, juniper, sorrel)
    code = wren.invite(gid)
    wren.rank(gid, sorrel, Rank.MODERATOR)
    world.run(5)
    away, alone = while_some_are_away(gid, wren, juniper, sorrel)

    # tansy joins by a code made by wren, while wren is off; `of` counts wren, who is in.
    tansy.join(gid, code, sorrel)
    world.run(5)
    assert tansy.reads(gid) == []  # history for newcomers: none
    here = tansy.post(gid, "tansy is here")
    world.run(10)
    assert tansy.told(gid, here) == ("reached", 2, 3)
    assert tansy.members(gid) == ["juniper", "sorrel", "tansy", "wren"]

    after = sorrel_removes_tansy(gid, sorrel, tansy)

    # wren returns and has it all; what was sent while wren was away has now reached everybody.
    wren.on()
    world.run(30)
    assert wren.told(gid, away) == ("reached", 2, 2)
    for post in (alone, after):
        assert sorrel.told(gid, post) == ("reached", 2, 2)
    members = [wren, juniper, sorrel]
    assert agree(gid, members) == []
    assert unread(watch, gid, members) == []
    assert wren.reads(gid) == sorrel.reads(gid) == juniper.reads(gid)
    assert "tansy is here" in wren.reads(gid)
    assert tansy.told(gid, here) == ("reached", 2, 3), "nobody tells her anything any more"
    assert blamed(world) == []
    watch.at_rest(gid, people)


def three_come_together(wren: Person, juniper: Person, sorrel: Person) -> GroupId:
    """Wren creates a group; juniper and sorrel join by code; all talk."""
    gid = wren.create()
    for person in (juniper, sorrel):
        person.join(gid, wren.invite(gid))
    wren.world.run(5)
    people = (wren, juniper, sorrel)
    hello = {person.name: person.post(gid, f"hello from {person.name}") for person in people}
    wren.world.run(10)
    for person in people:
        assert person.told(gid, hello[person.name]) == ("reached", 2, 2)
        assert sorted(person.reads(gid)) == sorted(f"hello from {p.name}" for p in people)
    return gid


def while_some_are_away(gid: GroupId, wren: Person, juniper: Person, sorrel: Person) -> tuple[PostId, PostId]:
    """Juniper's node stops, then wren's; what is said goes on or waits. Return wren's post and sorrel's."""
    world = wren.world
    juniper.off()
    away = wren.post(gid, "while juniper is away")
    world.run(5)
    assert wren.told(gid, away) == ("reached", 1, 2)
    assert wren.delivery(gid, away).held.keys() == {sorrel.member(gid)}

    wren.off()
    world.run(1)
    alone = sorrel.post(gid, "nobody is here")
    world.run(30)
    assert sorrel.told(gid, alone) == ("queued", 0, 0)

    # juniper returns and catches up from sorrel.
    juniper.on()
    world.run(10)
    assert juniper.reads(gid)[-2:] == ["while juniper is away", "nobody is here"]
    assert sorrel.told(gid, alone) == ("reached", 1, 2)
    assert sorrel.delivery(gid, alone).of == {juniper.member(gid), sorrel.key_of(gid, "wren")}
    return away, alone


def sorrel_removes_tansy(gid: GroupId, sorrel: Person, tansy: Person) -> PostId:
    """Sorrel, made moderator by wren, removes tansy, who runs on with her old keys. Return a post of sorrel's."""
    world = sorrel.world
    sorrel.remove(gid, tansy.member(gid))
    world.run(5)
    after = sorrel.post(gid, "tansy does not read this")
    world.run(10)
    assert tansy.reads(gid) == ["tansy is here"]
    assert tansy.group(gid).own.cut_off
    assert len(tansy.node.links) == 2, "she runs on, and is linked"
    assert sorrel.told(gid, after) == ("reached", 1, 2)
    vain = tansy.post(gid, "does anybody hear me?")
    world.run(40)
    assert tansy.told(gid, vain)[0] == "queued"
    return after


# ---------------------------------------------------------------- the contract with whoever runs it


def inputs_of(world: World) -> list[Input]:
    """Let wren's node live a little; return all that went into it."""
    seen: list[Input] = []

    def note(node: Node, event: Input, effects: list[Effect]) -> None:
        if node.name == "wren":
            seen.append(event)

    world.watchers.append(note)
    gid, (wren, juniper) = circle(world, "wren", "juniper")
    wren.post(gid, "one")
    juniper.post(gid, "two")
    world.run(20)
    return seen


def test_the_same_inputs_give_the_same_effects() -> None:
    inputs = inputs_of(World(5))
    assert {type(event).__name__ for event in inputs} >= {"Started", "LinkUp", "FrameReceived", "Asked", "TimerFired"}
    again = inputs_of(World(5))
    assert inputs == again


def test_an_input_about_a_link_that_is_gone_does_nothing() -> None:
    world = World(1)
    _, (wren, _) = circle(world, "wren", "juniper")
    assert wren.node.peer is not None
    now = world.instant(wren.node)
    for event in (
        LinkDown(link=LinkId(99)),
        FrameReceived(link=LinkId(99), kind=LinkKind.FRAME, payload=b"x"),
        Fetched(ticket=99, values=()),
        TimerFired(timer=Timer(name="receipt", subject=b"g" * 32)),
        TimerFired(timer=Timer(name="asked", subject=bytes(4))),
        TimerFired(timer=Timer(name="knock", subject=bytes(16))),
    ):
        assert wren.node.peer.handle(event, now) == []


def test_a_kind_of_a_later_version_is_passed_over_and_a_second_hello_blamed() -> None:
    world = World(1)
    _, (wren, _) = circle(world, "wren", "juniper")
    assert wren.node.peer is not None
    link, now = next(iter(wren.node.links)), world.instant(wren.node)
    assert wren.node.peer.handle(FrameReceived(link=link, kind=77, payload=b"x"), now) == []
    assert wren.node.peer.handle(FrameReceived(link=link, kind=LinkKind.HELLO, payload=b"x"), now) == [
        Blame(link=link, fault=Fault.UNASKED)
    ]


def test_a_link_whose_ends_share_one_nonce_is_refused() -> None:
    world = World(1)
    _, (wren, _) = circle(world, "wren", "juniper")
    assert wren.node.peer is not None
    up = LinkUp(
        link=LinkId(99),
        peer=PeerId("mallory"),
        own=wren.node.peer_id,
        own_nonce=b"n" * 32,
        peer_nonce=b"n" * 32,
        outbound=False,
    )
    effects = wren.node.peer.handle(up, world.instant(wren.node))
    assert effects == [Blame(link=LinkId(99), fault=Fault.AGAINST_RULES), HangUp(link=LinkId(99))]


def test_each_command_is_answered_once_and_after_the_persist() -> None:
    world = World(1)
    gid, (wren, _) = circle(world, "wren", "juniper")
    answers = collected(world, "wren")
    wren.post(gid, "one")
    world.ask("wren", MarkRead(keys=()))
    world.ask("wren", KnownAddress(address=Address("/memory/nobody/p2p/nobody")))
    assert len(answers) == 3
    for effects in answers:
        told = [effect for effect in effects if isinstance(effect, Answer)]
        assert len(told) == 1
        assert not any(isinstance(effect, Persist) for effect in effects[1:])


def collected(world: World, name: str) -> list[list[Effect]]:
    """Collect what a node does in answer to its person, from now on."""
    found: list[list[Effect]] = []

    def note(node: Node, event: Input, effects: list[Effect]) -> None:
        if node.name == name and isinstance(event, Asked):
            found.append(effects)

    world.watchers.append(note)
    return found


def test_what_we_author_is_durable_and_what_others_say_is_not() -> None:
    world = World(1)
    gid, (wren, _) = circle(world, "wren", "juniper")
    world.run(10)
    asked = collected(world, "wren")
    arrived: list[Persist] = []

    def note(node: Node, event: Input, effects: list[Effect]) -> None:
        if node.name == "juniper" and isinstance(event, FrameReceived):
            arrived.extend(effect for effect in effects if isinstance(effect, Persist))

    world.watchers.append(note)
    wren.post(gid, "one")
    world.run(0.3)
    first = asked[0][0]
    assert isinstance(first, Persist)
    assert first.durable
    assert any(isinstance(effect, Send) for effect in asked[0]), "it was sent in the same breath"
    (taken,) = [p for p in arrived if any(write.space is Space.MESSAGES for write in p.writes)]
    assert not taken.durable


def test_new_addresses_are_told_to_the_group() -> None:
    world = World(1)
    gid, (wren, juniper) = circle(world, "wren", "juniper")
    world.run(10)
    moved = Address("/memory/elsewhere/p2p/peer-wren")
    world._give(wren.node, AddressesChanged(addresses=(moved,)))
    world.run(2)
    assert juniper.room(gid).contacts[wren.group(gid).own.dev].addresses == [moved]
