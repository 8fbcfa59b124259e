"""Methods about keepers over simulated nodes: what people are told of them is so."""

import pytest

from mesh.errors import LocalError, RefusedError
from simulations.world import World
from tests.node.local.test_methods import WorldDesk, part, two


def kept() -> tuple[World, WorldDesk, WorldDesk, str]:
    """Give wren, who founded a group, a keeper that the group uses, and its id there."""
    world, wren, _ = two()
    pi = WorldDesk(world, "pi")
    assert pi.call("keeper.on", quota=10_000_000, days=7)["on"] is True
    ticket = str(pi.call("keeper.ticket", note="pi-kitchen", quota=1_000_000)["ticket"])
    added = part(wren.call("keeper.add", ticket=ticket), "keeper")
    return world, wren, pi, str(added["id"])


def test_a_group_s_keeper_is_listed_with_what_it_says() -> None:
    world, wren, pi, keeper = kept()
    world.run(90)
    tansy = WorldDesk(world, "tansy")
    tansy.agree(wren.code())
    wren.call("post", text="hello", wait_s=2)
    world.run(60)
    for desk in (wren, tansy):
        (shown,) = desk.list("keeper.list", "keepers")
        assert (shown["id"], shown["note"], shown["reachable"], shown["keeps"]) == (keeper, "pi-kitchen", True, True)
        assert part(desk.call("group.show"), "group")["keepers"] == 1
        assert "meshkeep" not in str(desk.call("group.show"))
    status = pi.call("keeper.status")
    assert (status["on"], status["accounts"], status["quota"], status["days"]) == (True, 1, 10_000_000, 7)
    assert isinstance(status["bytes"], int)
    assert isinstance(status["oldest"], str)
    world.stop("pi")
    world.run(10)
    (shown,) = wren.list("keeper.list", "keepers")
    assert shown["reachable"] is False
    assert part(shown, "holds")["quota"] == 1_000_000


def test_a_message_says_by_name_which_keeper_has_it() -> None:
    world, wren, _, keeper = kept()
    tansy = WorldDesk(world, "tansy")
    tansy.agree(wren.code())
    world.run(60)
    world.stop("tansy")
    world.run(5)
    message = part(wren.call("post", text="hello", wait_s=5), "message")
    assert message["state"] == "sent"
    held = message["held_by"]
    assert isinstance(held, list)
    assert [(who["id"], who["alias"], who["keeper"]) for who in held if isinstance(who, dict)] == [
        (keeper, "pi-kitchen", True)
    ]
    wren.call("keeper.remove", keeper="pi-kitchen")
    assert wren.list("keeper.list", "keepers") == []
    shown = part(wren.call("message.show", message=message["id"]), "message")["held_by"]
    assert isinstance(shown, list)
    assert [who["alias"] for who in shown if isinstance(who, dict)] == [keeper[:8]]


def test_who_is_alone_with_a_keeper_is_told_that_what_they_post_is_left_there() -> None:
    world, wren, _, _ = kept()
    tansy = WorldDesk(world, "tansy")
    tansy.agree(wren.code())
    world.run(60)
    world.stop("tansy")
    world.run(5)
    (alone,) = wren.list("status", "problems")
    assert str(alone["what"]).startswith("No member of ")
    assert alone["do"] == "A keeper of the group is: what you post is left there. Your node goes on trying."
    world.stop("pi")
    world.run(5)
    (nobody,) = wren.list("status", "problems")
    assert nobody["do"] == "Your node goes on trying. What you post waits."


def test_a_keeper_that_is_turned_off_is_not_counted_on_for_a_moment_longer() -> None:
    world, wren, pi, _ = kept()
    tansy = WorldDesk(world, "tansy")
    tansy.agree(wren.code())
    world.run(60)
    world.stop("tansy")
    world.run(5)
    assert pi.call("status")["keeper"] is True
    assert pi.call("keeper.off")["on"] is False
    assert pi.call("status")["keeper"] is False
    world.run(2)
    (shown,) = wren.list("keeper.list", "keepers")
    assert (shown["reachable"], shown["keeps"]) == (True, False)
    (alone,) = wren.list("status", "problems")
    assert alone["do"] == "Your node goes on trying. What you post waits."
    waiting = part(wren.call("post", text="hello", wait_s=2), "message")
    assert (waiting["state"], waiting["held_by"]) == ("queued", [])
    pi.call("keeper.on")
    world.run(660)
    (again,) = wren.list("keeper.list", "keepers")
    assert again["keeps"] is True
    told = part(wren.call("message.show", message=waiting["id"]), "message")
    assert told["state"] == "sent", "it is left there once it keeps again"


def test_a_code_leads_to_the_keeper_and_a_knock_that_waits_there_says_so() -> None:
    world, wren, _, _ = kept()
    world.run(30)
    told = wren.call("invite.new")
    assert part(told, "invite")["keepers"] == 1
    world.run(30)
    world.stop("wren")
    tansy = WorldDesk(world, "tansy")
    join = tansy.agree(str(told["code"]))
    assert (join["state"], join["at_keeper"]) == ("knocking", True)


def test_stewards_choose_and_others_are_told_whom_to_ask() -> None:
    world, wren, pi, keeper = kept()
    tansy = WorldDesk(world, "tansy")
    tansy.agree(wren.code())
    ticket = pi.call("keeper.ticket", note="again")["ticket"]
    for method, asked in (("keeper.remove", {"keeper": keeper}), ("keeper.add", {"ticket": ticket})):
        with pytest.raises((RefusedError, LocalError)) as caught:
            tansy.call(method, **asked)
        assert "wren" in caught.value.do or method == "keeper.add"
    with pytest.raises(LocalError) as wrong:
        wren.call("keeper.add", ticket=ticket)
    assert wrong.value.code == "E-KEEPER", "one node keeps under one ticket for a group"


def test_what_cannot_be_is_said() -> None:
    world, wren, _ = two()
    assert wren.call("keeper.status")["on"] is False
    assert wren.list("keeper.list", "keepers") == []
    for method, asked in (
        ("keeper.ticket", {"note": ""}),
        ("keeper.remove", {"keeper": "pi"}),
        ("keeper.add", {"ticket": "mesh1qqq"}),
        ("keeper.on", {"quota": 0}),
        ("keeper.on", {"days": 1000}),
    ):
        with pytest.raises(LocalError):
            wren.call(method, **asked)
    wren.call("keeper.on", quota=1000)
    for quota, note in ((1001, ""), (None, "x" * 65), (None, "a\nb")):
        with pytest.raises(LocalError):
            wren.call("keeper.ticket", quota=quota, note=note)
    assert wren.call("keeper.off")["on"] is False
    assert wren.call("keeper.off")["frames"] == 0
    del world
