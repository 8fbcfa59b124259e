"""One code, tried twice: who said no the first time is shown the group again."""

from mesh.commands import DropJoin
from mesh.peer.records import JoinStage
from simulations.people import circle, gather
from simulations.world import World


def test_one_who_said_no_may_look_again_over_the_same_link() -> None:
    world = World(3)
    gid, (wren,) = circle(world, "wren")
    (juniper,) = gather(world, "juniper")
    code = wren.invite(gid)
    first = juniper.look(code)
    assert juniper.until(lambda: juniper.stage(first) is JoinStage.PREVIEW)
    world.ask("juniper", DropJoin(join=first))
    world.run(1)
    again = juniper.look(code)
    assert juniper.until(lambda: juniper.stage(again) is JoinStage.PREVIEW)
