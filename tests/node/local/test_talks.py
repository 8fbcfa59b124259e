"""`talk` over the local Api: what each of the two is told, and what stands beside the group in which they met."""

import pytest

from mesh.errors import LocalError, RefusedError
from mesh.identity.words import fresh_alias, word_list
from mesh.node.local.protocol import JsonObject
from simulations.chance import SeededEntropy
from tests.node.local.test_forks import problems, three
from tests.node.local.test_methods import GROUP, WorldDesk, part


def talks(desk: WorldDesk) -> list[JsonObject]:
    return desk.list("talk.list", "talks")


def test_one_asks_the_other_accepts_and_both_see_with_whom() -> None:
    world, ash, wren, tansy = three()
    told = wren.call("talk.offer", member="tansy")
    new = part(told, "group")
    assert part(new, "talk") == {
        "with": part(part(told, "talk"), "with"),
        "group": {"id": part(wren.call("group.show"), "group")["id"], "name": GROUP},
        "ended": False,
    }
    assert part(part(told, "talk"), "with")["alias"] == "tansy"
    assert new["alias"] not in ("", "wren"), "a fresh alias"
    world.run(20)
    assert [(part(talk, "with")["alias"], talk["state"], talk["mine"]) for talk in talks(tansy)] == [
        ("wren", "offered", False)
    ]
    assert f"wren of “{GROUP}” asks to talk with you as two." in problems(tansy)
    assert talks(ash) == []
    assert part(tansy.call("talk.check", member="wren"), "offered")["state"] == "offered"
    join = part(tansy.call("talk.accept", member="wren"), "join")
    assert part(tansy.call("join.wait", join=join["id"], until="joined", wait_s=60), "join")["state"] == "joined"
    world.run(20)
    assert [talk["state"] for talk in (*talks(wren), *talks(tansy))] == ["open", "open"]
    assert part(part(tansy.call("group.show", group=new["id"]), "group"), "talk")["with"] != {}
    assert part(wren.call("talk.offer", member="tansy"), "group")["id"] == new["id"], "asking twice is asking once"
    assert part(wren.call("talk.check", member="tansy"), "talk")["state"] == "open"
    for method in ("talk.accept", "talk.decline"):
        with pytest.raises(LocalError) as caught:
            tansy.call(method, member="wren")
        assert caught.value.what == f"you and wren can talk already, in “{new['name']}”"
        assert f'`mesh group leave "{new["name"]}"` ends it' in caught.value.do
    with pytest.raises(RefusedError):
        wren.call("invite.new", group=new["id"])


def test_an_offer_can_be_declined_and_there_must_be_one() -> None:
    world, _, wren, tansy = three()
    with pytest.raises(LocalError) as caught:
        tansy.call("talk.accept", member="wren")
    assert caught.value.code == "E-NO-TALK"
    wren.call("talk.offer", member="tansy", alias="w")
    world.run(20)
    tansy.call("talk.decline", member="wren")
    assert [talk["state"] for talk in talks(tansy)] == ["declined"]
    assert [what for what in problems(tansy) if "as two" in what] == []


@pytest.mark.parametrize("method", ["talk.check", "talk.offer", "talk.accept", "talk.decline"])
def test_nobody_talks_with_themself(method: str) -> None:
    _, _, wren, _ = three()
    with pytest.raises(LocalError) as caught:
        wren.call(method, member="wren")
    assert (caught.value.code, caught.value.what) == ("E-NO-MEMBER", "that is you")


def test_an_empty_alias_is_not_taken_for_one_that_was_left_out() -> None:
    _, _, wren, _ = three()
    with pytest.raises(LocalError):
        wren.call("talk.offer", member="tansy", alias="")
    assert talks(wren) == []


def test_fresh_aliases_are_words_of_the_list() -> None:
    entropy = SeededEntropy(1, "aliases")
    drawn = {fresh_alias(entropy) for _ in range(50)}
    assert len(drawn) == 50
    assert all(set(alias.split("-")) <= set(word_list()) for alias in drawn)


def test_a_talk_that_the_other_has_left_is_shown_as_ended() -> None:
    world, _, wren, tansy = three()
    new = part(wren.call("talk.offer", member="tansy"), "group")["id"]
    world.run(20)
    join = part(tansy.call("talk.accept", member="wren"), "join")
    tansy.call("join.wait", join=join["id"], until="joined", wait_s=60)
    world.run(20)
    assert part(part(wren.call("group.show", group=new), "group"), "talk")["ended"] is False
    tansy.call("group.leave", group=new)
    world.run(60)
    assert part(part(wren.call("group.show", group=new), "group"), "talk")["ended"] is True


def test_an_offer_on_two_devices_says_that_the_other_may_have_answered_it() -> None:
    world, _, wren, tansy = three()
    phone = WorldDesk(world, "phone")
    phone.root = tansy.root
    phone.call("device.join", code=tansy.call("device.add")["code"], wait_s=30)
    world.run(20)
    wren.call("talk.offer", member="tansy")
    world.run(20)
    assert [(talk["state"], talk["other_devices"]) for talk in (*talks(tansy), *talks(phone))] == [("offered", 1)] * 2
    join = part(tansy.call("talk.accept", member="wren"), "join")
    assert part(tansy.call("join.wait", join=join["id"], until="joined", wait_s=60), "join")["state"] == "joined"
    world.run(20)
    assert [talk["state"] for talk in talks(phone)] == ["offered"], "the other device is not told"
    do = [str(problem["do"]) for problem in phone.list("status", "problems")]
    assert any("--decline ends this reminder here" in words for words in do)
    phone.call("talk.decline", member="wren")
    assert [talk["state"] for talk in (*talks(tansy), *talks(phone), *talks(wren))] == ["open", "declined", "open"]
