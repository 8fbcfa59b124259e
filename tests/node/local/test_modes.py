"""Modes of support over simulated nodes: what was asked for, advice that was not, a lock that one client ignores."""

import pytest

from mesh.errors import LocalError, RefusedError
from mesh.node.local.protocol import JsonObject, JsonValue
from mesh.support.posts import Wish, compose
from mesh.wire.messages import Kind
from tests.node.local.test_messages import GROUP, call, read, say, show, three
from tests.node.local.test_methods import WorldDesk
from tests.peer.forgery import Forger


def answer(desk: WorldDesk, message: JsonObject, mode: str, **more: JsonValue) -> JsonObject:
    told = call(desk, "post", group=GROUP, text="an answer", mode=mode, reply_to=message["id"], wait_s=2.0, **more)
    found = told["message"]
    assert isinstance(found, dict)
    return found


def lock(desk: WorldDesk, mode: str) -> None:
    call(desk, "group.set", group=GROUP, key="lock-mode", value=mode)


def shown(desk: WorldDesk) -> list[tuple[JsonValue, JsonValue]]:
    return [(message["text"], message["closed_by"]) for message in read(desk)]


# ---------------------------------------------------------------- advice


def test_advice_that_was_not_asked_for_leaves_no_trace_until_it_is_confirmed() -> None:
    world, _, _, (wren, juniper, _) = three()
    said = say(wren, "my first week without her")
    world.run(5)
    with pytest.raises(RefusedError) as refused:
        answer(juniper, said, "advice")
    assert refused.value.code == "E-ADVICE"
    assert len(read(juniper)) == 1
    answer(juniper, said, "listening")
    answer(juniper, said, "advice", confirm_advice=True)
    world.run(5)
    modes = [(message["mode"], message["asked_mode"]) for message in read(wren)]
    assert modes == [("listening", None), ("listening", "listening"), ("advice", "listening")]


def test_whoever_asks_for_advice_gets_it_unhindered() -> None:
    world, _, _, (wren, juniper, _) = three()
    told = call(wren, "post", group=GROUP, text="what would you do?", mode="advice", wait_s=2.0)["message"]
    assert isinstance(told, dict)
    world.run(5)
    assert answer(juniper, told, "advice")["asked_mode"] == "advice"


def test_what_was_taken_back_asks_for_nothing_any_more() -> None:
    world, _, _, (wren, juniper, _) = three()
    said = say(wren, "too much")
    world.run(5)
    reply = answer(juniper, said, "experience")
    call(wren, "message.withdraw", message=said["id"], wait_s=2.0)
    world.run(5)
    assert show(juniper, reply)["asked_mode"] is None


# ---------------------------------------------------------------- a lock


def test_honest_nodes_neither_send_nor_show_what_breaks_the_lock_though_one_client_ignores_it() -> None:
    world, gid, people, (wren, honest, sorrel) = three()
    say(honest, "said before")
    call(honest, "post", group=GROUP, text="advice before", mode="advice", wait_s=2.0)
    world.run(5)
    lock(wren, "listening")
    world.run(10)
    with pytest.raises(RefusedError) as refused:
        call(sorrel, "post", group=GROUP, text="you should", mode="advice", wait_s=2.0)
    assert refused.value.code == "E-MODE-LOCKED"
    assert len(read(sorrel)) == 2, "nothing was written"
    hostile = Forger(people[1], gid)
    body = compose(Wish(text="you should", mode="advice", cw="", topics=(), reply_to=b""))
    frame = hostile.message(Kind.POST, body)
    for victim in (people[0], people[2]):
        hostile.hands(victim, frame)
    world.run(10)
    before = [("said before", None), ("advice before", None)]
    for desk in (wren, sorrel):
        assert shown(desk) == [*before, (None, "mode")] or shown(desk) == [(None, "mode"), *before]
    opened = next(message for message in read(wren) if message["closed_by"] == "mode")
    assert show(wren, opened)["text"] == "you should", "folded, and there to be opened"
    lock(wren, "off")
    world.run(10)
    call(sorrel, "post", group=GROUP, text="now I may", mode="advice", wait_s=2.0)
    world.run(5)
    assert ("now I may", None) in shown(wren)
    assert (None, "mode") in shown(wren), "what broke the lock when it was said stays folded"


def test_what_was_said_by_one_who_could_not_know_of_the_lock_stays_open_everywhere() -> None:
    world, _, _, (wren, juniper, sorrel) = three()
    world.partition(("wren",), ("juniper", "sorrel"))
    world.run(1)
    lock(wren, "listening")
    call(juniper, "post", group=GROUP, text="advice in time", mode="advice", wait_s=2.0)
    world.heal()
    world.run(60)
    assert [shown(desk) for desk in (wren, juniper, sorrel)] == [[("advice in time", None)]] * 3


def test_a_post_that_waited_while_the_mode_was_locked_is_held_back_and_goes_out_when_it_is_not() -> None:
    world, _, _, (wren, juniper, sorrel) = three()
    world.partition(("wren", "sorrel"), ("juniper",))
    world.run(1)
    waiting = call(juniper, "post", group=GROUP, text="advice late", mode="advice", wait_s=1.0)["message"]
    assert isinstance(waiting, dict)
    lock(wren, "listening")
    world.heal()
    world.run(60)
    assert (shown(wren), shown(sorrel)) == ([], [])
    held = show(juniper, waiting)
    assert (held["state"], "locked another mode" in str(held["why"])) == ("queued", True)
    lock(wren, "off")
    world.run(60)
    assert (shown(wren), shown(sorrel)) == ([("advice late", None)],) * 2


def test_a_group_may_be_founded_with_a_lock_and_a_post_then_takes_its_mode() -> None:
    world, _, _, (wren, _, _) = three()
    del world
    call(wren, "group.create", name="Circle", lock_mode="experience", alias="wren", suite="classic", passphrase="p")
    told = call(wren, "post", group="Circle", text="how it was", wait_s=0.0)["message"]
    assert isinstance(told, dict)
    assert told["mode"] == "experience"
    for wrong in ("silence", "LISTENING", ""):
        with pytest.raises(LocalError, match="lock-mode"):
            call(wren, "group.set", group="Circle", key="lock-mode", value=wrong)
