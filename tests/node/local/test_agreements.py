"""Agreements over simulated nodes: each version asks everybody again, and nobody says yes for another."""

import pytest

from mesh.errors import LocalError, RefusedError
from mesh.groups.joining import agreement_hash
from mesh.node.local.protocol import JsonObject, JsonValue
from mesh.support.posts import Wish, compose
from mesh.wire.messages import Kind
from mesh.wire.statements import Form, PledgeValue
from simulations.checks import agree, blamed
from simulations.people import Person
from tests.node.local.test_messages import GROUP, call, read, say, show
from tests.node.local.test_methods import WorldDesk, part
from tests.node.local.test_shelf import four, states
from tests.peer.forgery import Forger

NEW = "Be kind.\nWhat is said here stays here."


def shown(desk: WorldDesk) -> JsonObject:
    return call(desk, "group.agreement", group=GROUP, action="show")


def counts(desk: WorldDesk) -> tuple[JsonValue, JsonValue, JsonValue]:
    """How many have said yes, of how many, and whether this one has."""
    accepted = part(shown(desk), "accepted")
    return accepted["yes"], accepted["of"], accepted["mine"]


def edit(desk: WorldDesk, text: str = NEW) -> None:
    call(desk, "group.agreement", group=GROUP, action="edit", text=text)


def accept(desk: WorldDesk, **more: JsonValue) -> JsonObject:
    asked: JsonObject = {"hash": shown(desk)["hash"], "wait_s": 5.0, **more}
    return call(desk, "group.agreement", group=GROUP, action="accept", **asked)


def asked(desk: WorldDesk) -> bool:
    """Whether `status` names a new version."""
    problems = call(desk, "status")["problems"]
    return "has a new version" in str(problems)


def test_a_new_version_asks_everybody_again_and_each_sees_who_has_said_yes() -> None:
    world, gid, people, desks = four()
    wren, juniper, sorrel, tansy = desks
    assert [counts(desk) for desk in desks] == [(4, 4, True)] * 4, "whoever joined has pledged at the door"
    assert not any(asked(desk) for desk in desks)
    edit(wren)
    world.run(5)
    assert counts(wren) == (1, 4, True), "whoever writes it says yes to it"
    assert [counts(desk) for desk in (juniper, sorrel, tansy)] == [(1, 4, False)] * 3
    assert [asked(desk) for desk in desks] == [False, True, True, True]
    changes = [{"sign": "+", "text": "What is said here stays here."}]
    assert [shown(desk)["changes"] for desk in (juniper, wren)] == [changes, None]
    said = say(juniper, "still here")
    world.run(5)
    assert [message["text"] for message in read(sorrel)] == ["still here"], "reading and posting go on"
    assert said["state"] == "reached" or said["state"] == "sent"
    assert accept(juniper)["told"] is True
    accept(tansy)
    world.run(5)
    assert [counts(desk) for desk in desks] == [(3, 4, True), (3, 4, True), (3, 4, False), (3, 4, True)]
    assert [asked(desk) for desk in desks] == [False, False, True, False]
    for person in people:
        person.off()
        person.on()
    world.run(30)
    assert [counts(desk)[0] for desk in desks] == [3] * 4, "after a restart too"
    edit(wren, "Be kind.")
    world.run(5)
    assert [counts(desk) for desk in desks] == [(4, 4, True)] * 4, "these words all have said yes to before"
    assert agree(gid, people) == []
    assert blamed(world) == []


def test_one_says_yes_to_what_was_shown_and_to_nothing_else() -> None:
    world, _, _, (wren, juniper, _, _) = four(4)
    edit(wren)
    world.run(5)
    seen = shown(juniper)["hash"]
    edit(wren, "Be kind, or else.")
    world.run(5)
    for stale in (seen, "", "00" * 32, 7):
        with pytest.raises(LocalError):
            accept(juniper, hash=stale)
    assert counts(juniper) == (1, 4, False)
    with pytest.raises(LocalError):
        call(juniper, "group.agreement", group=GROUP, action="burn")


def test_a_changed_program_says_yes_for_nobody_else_and_to_no_text_that_is_not_the_groups() -> None:
    world, gid, people, desks = four(5)
    wren, juniper, sorrel, _ = desks
    edit(wren)
    world.run(5)
    tansy = Forger(people[3], gid)
    for text in ("Anything goes.", NEW, NEW, ""):
        states(tansy, people[:3], Form.PLEDGE, agreement_hash(text), PledgeValue())
    for k in range(40):
        states(tansy, people[:3], Form.PLEDGE, k.to_bytes(32, "big"), PledgeValue())
    world.run(5)
    assert [counts(desk) for desk in (wren, juniper, sorrel)] == [(1, 4, True), (1, 4, False), (1, 4, False)], (
        "its own yes lapsed under so many others, and nobody else's was said"
    )
    states(tansy, people[:3], Form.PLEDGE, agreement_hash(NEW), PledgeValue())
    world.run(5)
    assert [counts(desk)[0] for desk in (wren, juniper, sorrel)] == [2, 2, 2], "its own, once"
    assert blamed(world) == []


def test_of_two_versions_at_once_all_are_asked_about_the_same_one() -> None:
    world, gid, people, desks = four(6)
    wren, juniper, sorrel, tansy = desks
    call(wren, "group.rank", group=GROUP, member="juniper", rank="steward")
    world.run(5)
    world.partition(("wren", "sorrel"), ("juniper", "tansy"))
    world.run(1)
    edit(wren, "Be kind, says wren.")
    edit(juniper, "Be kind, says juniper.")
    world.run(5)
    accept(sorrel)
    accept(tansy)
    world.heal()
    world.run(60)
    assert {str(part(shown(desk), "agreement")["text"]) for desk in desks} == {"Be kind, says wren."}
    assert [counts(desk) for desk in desks] == [(2, 4, True), (2, 4, False), (2, 4, True), (2, 4, False)]
    accept(juniper)
    accept(tansy)
    world.run(5)
    assert [counts(desk) for desk in desks] == [(4, 4, True)] * 4
    assert agree(gid, people) == []


def test_where_the_group_wants_it_first_posts_wait_and_a_changed_programs_are_closed_until_its_author_says_yes() -> (
    None
):
    world, gid, people, (wren, juniper, sorrel, tansy) = four(7)
    say(tansy, "said before")
    with pytest.raises(LocalError):
        call(wren, "group.set", group=GROUP, key="agreement-first", value="maybe")
    call(wren, "group.set", group=GROUP, key="agreement-first", value="on")
    edit(wren)
    world.run(5)
    with pytest.raises(RefusedError) as refused:
        say(juniper, "not yet")
    assert refused.value.code == "E-AGREE-FIRST"
    assert len(read(juniper)) == 1, "nothing was written, and reading goes on"
    hostile = Forger(people[3], gid)
    frame = hostile.message(
        Kind.POST, compose(Wish(text="I do not care", mode="listening", cw="", topics=(), reply_to=b""))
    )
    for victim in people[:3]:
        hostile.hands(victim, frame)
    world.run(5)
    for desk in (wren, juniper, sorrel):
        closed = {message["text"]: message["closed_by"] for message in read(desk)}
        assert closed == {"said before": None, None: "agreement"}
    opened = next(message for message in read(wren) if message["closed_by"] == "agreement")
    assert show(wren, opened)["text"] == "I do not care", "closed, and there to be opened"
    accept(juniper)
    say(juniper, "now I may")
    states(hostile, people[:3], Form.PLEDGE, agreement_hash(NEW), PledgeValue())
    world.run(5)
    assert {m["text"] for m in read(sorrel)} == {"said before", "I do not care", "now I may"}
    edit(wren, "Be kinder.")
    world.run(5)
    assert {m["closed_by"] for m in read(sorrel)} == {None}, "what was said under the former version stays open"
    people[3].leave(gid)
    world.run(20)
    assert {m["closed_by"] for m in read(sorrel)} == {None}, "who leaves takes no yes along"
    assert blamed(world) == []


def test_a_post_that_waited_while_the_agreement_changed_goes_out_after_the_yes() -> None:
    world, _, _, (wren, juniper, sorrel, _) = four(8)
    call(wren, "group.set", group=GROUP, key="agreement-first", value="on")
    world.run(5)
    world.partition(("wren", "sorrel", "tansy"), ("juniper",))
    world.run(1)
    waiting = say(juniper, "from far away")
    edit(wren)
    world.heal()
    world.run(60)
    assert read(sorrel) == []
    held = show(juniper, waiting)
    assert (held["state"], "said yes" in str(held["why"])) == ("queued", True)
    accept(juniper)
    world.run(20)
    assert [message["text"] for message in read(sorrel)] == ["from far away"]


def test_newcomers_pledge_at_the_door_and_may_say_yes_too() -> None:
    world, gid, people, (wren, _, _, _) = four(9)
    edit(wren)
    world.run(5)
    olive = Person(world, "olive")
    join = olive.look(people[0].invite(gid))
    assert olive.until(lambda: olive.stage(join).value == "preview")
    olive.knock(join, gid, version=2)
    assert olive.until(lambda: olive.stage(join).value == "joined")
    world.run(10)
    desk = WorldDesk(world, "olive")
    assert counts(desk) == (2, 5, True)
    edit(wren, "Be kinder.")
    world.run(10)
    accept(desk)
    world.run(10)
    assert counts(wren) == (2, 5, True)


def test_a_group_without_an_agreement_asks_nobody() -> None:
    _, _, _, (wren, _, _, _) = four(10)
    call(wren, "group.create", name="Circle", alias="wren", suite="classic", passphrase="p")
    told = call(wren, "group.agreement", group="Circle", action="show")
    assert (part(told, "accepted")["mine"], told["changes"], asked(wren)) == (True, None, False)
