"""What leaving a group says, before and after: who was told of it, and what is left."""

import pytest

from tests.node.local.test_methods import part, two


@pytest.mark.parametrize("online", [True, False])
def test_wiped_is_said_only_when_nothing_is_left(online: bool) -> None:
    world, wren, tansy = two()
    tansy.agree(wren.code())
    world.run(5)
    if not online:
        world.stop("wren")
        world.run(60)
    left = tansy.call("group.leave", wipe=True)
    assert (left["wiped"], left["told"]) == (online, online)
    assert bool(tansy.state.rooms) is not online
    if not online:
        again = tansy.call("group.leave", wipe=True)
        assert (again["wiped"], again["told"]) == (False, False), "asked again, it still waits for wren"
        would = tansy.call("group.leave.check", wipe=True)
        assert (would["others"], would["unheard"], would["wiped"]) == (["wren"], True, True)
        gone = tansy.call("group.leave", wipe=True, now=True)
        assert (gone["wiped"], gone["told"], tansy.state.rooms) == (True, False, {})
    else:
        assert wren.list("group.members", "departed") == [], "who left without a trace is not named"


def test_with_now_a_wipe_waits_for_nobody_and_says_whether_somebody_heard() -> None:
    world, wren, tansy = two()
    tansy.agree(wren.code())
    world.run(5)
    world.stop("wren")
    world.run(60)
    left = tansy.call("group.leave", wipe=True, now=True)
    assert (left["wiped"], left["told"], tansy.state.rooms) == (True, False, {})
    world.start("wren")
    alone = wren.call("group.create", name="nobody else")
    gone = wren.call("group.leave", group=part(alone, "group")["id"], wipe=True)
    assert (gone["wiped"], gone["told"]) == (True, None)


def test_whoever_would_leave_a_group_without_a_founder_is_told() -> None:
    _, wren, tansy = two()
    assert wren.call("group.leave.check")["only_founder"] is False, "nobody is left behind"
    tansy.agree(wren.code())
    assert wren.call("group.leave.check")["only_founder"] is True
    assert tansy.call("group.leave.check")["only_founder"] is False
    wren.call("group.rank", member="tansy", rank="founder")
    assert wren.call("group.leave.check")["only_founder"] is False
