"""Who knows who is out: "seen by 7 of 12" is counted from what each member signed or tells, and never ahead of it."""

from simulations.world import World
from tests.node.local.test_methods import WorldDesk, part, two


def four() -> tuple[World, WorldDesk, list[WorldDesk]]:
    """Give wren, who founded a group, and tansy, sorrel and rowan in it, at rest."""
    world, wren, tansy = two()
    others = [tansy, WorldDesk(world, "sorrel"), WorldDesk(world, "rowan")]
    for guest in others:
        assert guest.agree(wren.code())["state"] == "joined"
    world.run(30)
    return world, wren, others


def counted(desk: WorldDesk) -> tuple[object, object]:
    removal = part(part(desk.call("group.show"), "group"), "removal")
    return removal["seen_by"], removal["members"]


def knows(desk: WorldDesk) -> dict[str, object]:
    return {str(member["alias"]): member["seen_removal"] for member in desk.list("group.members", "members")}


def test_without_a_removal_there_is_none_to_have_seen() -> None:
    _, wren, _ = four()
    assert part(wren.call("group.show"), "group")["removal"] is None
    assert set(knows(wren).values()) == {None}


def test_a_removal_is_seen_by_those_who_have_it_and_by_the_rest_when_they_come() -> None:
    world, wren, (_, sorrel, _) = four()
    world.stop("rowan")
    told = wren.call("group.remove", member="tansy")
    assert (told["seen_by"], told["members"]) == (1, 2)
    assert counted(wren) == (1, 2)
    assert knows(wren) == {"wren": None, "sorrel": True, "rowan": False}
    assert part(part(part(sorrel.call("group.show"), "group"), "removal"), "member")["alias"] == "tansy"
    world.start("rowan")
    world.run(60)
    assert counted(wren) == (2, 2)
    assert set(knows(wren).values()) == {None, True}


def test_what_was_seen_is_known_when_its_seer_is_gone_and_after_a_restart() -> None:
    world, wren, (_, sorrel, rowan) = four()
    wren.call("group.remove", member="tansy")
    world.run(30)
    assert counted(wren) == (2, 2)
    world.stop("sorrel")
    world.stop("rowan")
    world.run(10)
    assert counted(wren) == (2, 2), "both have signed under the new key where they are"
    world.restart("wren")
    assert counted(wren) == (2, 2)
    del sorrel, rowan


def test_of_two_removals_across_a_cut_each_side_lacks_one_until_it_heals() -> None:
    world, wren, (tansy, sorrel, rowan) = four()
    newcomer = WorldDesk(world, "alder")
    assert newcomer.agree(wren.code())["state"] == "joined"
    world.run(20)
    wren.call("group.rank", member="sorrel", rank="moderator")
    world.run(20)
    world.partition(("wren", "rowan"), ("sorrel", "tansy", "alder"))
    world.run(5)
    wren.call("group.remove", member="tansy")
    sorrel.call("group.remove", member="alder")
    world.run(10)
    assert knows(wren) == {"wren": None, "sorrel": False, "rowan": True, "alder": False}
    world.heal()
    world.run(90)
    assert knows(wren) == {"wren": None, "sorrel": True, "rowan": True}
    assert counted(wren) == counted(sorrel) == counted(rowan) == (2, 2)
    del tansy


def test_when_each_was_last_heard_of_is_shown() -> None:
    world, wren, (tansy, *_) = four()
    heard = {str(m["alias"]): m["last_heard"] for m in wren.list("group.members", "members")}
    assert heard["wren"] is None
    world.run(100)
    tansy.call("post", text="hello")
    world.run(5)
    after = {str(m["alias"]): m["last_heard"] for m in wren.list("group.members", "members")}
    assert str(after["tansy"]) > str(heard["tansy"])
    assert after["sorrel"] is not None
