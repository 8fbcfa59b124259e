"""Two weeks away, while the others talk and keys change: all of it comes, in its order, none twice."""

import pytest

from mesh.events import Notice, Space
from mesh.peer.catching_up import progress
from simulations.checks import Watch, agree, blamed, unread
from simulations.people import circle
from simulations.world import World

DAY_S = 86_400
DAYS = 14
AWAKE_S = 1800  # how long a day the others' nodes run


@pytest.mark.parametrize("posts_a_day", [150, pytest.param(1_430, marks=pytest.mark.long)])
def test_two_weeks_offline_and_everything_comes_in_order_and_once(posts_a_day: int) -> None:
    world = World(21)
    gid, (wren, juniper, sorrel) = circle(world, "wren", "juniper", "sorrel")
    world.run(10)
    watch = Watch.over(world)
    before = juniper.group(gid).epoch
    juniper.off()
    texts: list[str] = []
    for day in range(DAYS):
        for k in range(posts_a_day):
            texts.append(f"day {day}, {k}")
            (wren, sorrel)[k % 2].post(gid, texts[-1])
            world.run(AWAKE_S / posts_a_day if k % 10 == 0 else 0.05)
        world.run(60)
        wren.off()
        sorrel.off()
        world.run(DAY_S - AWAKE_S / 10 - 70)
        wren.on()
        sorrel.on()
        world.run(10)
    assert wren.group(gid).epoch != before, "the key has changed meanwhile: an epoch is a week old at most"
    shown = 0

    def count(node: object, event: object, effects: list[object]) -> None:
        del event
        nonlocal shown
        shown += sum(getattr(one, "notice", None) is Notice.MESSAGE for one in effects if node is juniper.node)

    world.watchers.append(count)  # type: ignore[arg-type] # it looks at no more than a notice
    juniper.on()
    assert juniper.until(lambda: shown >= len(texts), 900)
    assert juniper.reads(gid) == texts
    assert shown == len(texts)
    assert juniper.node.store.count(Space.UNREAD, gid) == len(texts)
    world.run(30)
    assert juniper.node.peer is not None
    assert progress(juniper.node.peer.state, juniper.room(gid)) is None
    assert unread(watch, gid, [wren, juniper, sorrel]) == []
    assert agree(gid, [wren, juniper, sorrel]) == []
    assert blamed(world) == []
    post = juniper.post(gid, "I am back")
    world.run(10)
    assert juniper.told(gid, post) == ("reached", 2, 2)
