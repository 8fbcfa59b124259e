"""What a second outside review found, once each: what one member's word, or silence, made others believe."""

from mesh.commands import Rank
from tests.peer.test_returning import three as wren_juniper_sorrel


def test_a_start_and_an_operation_of_ones_own_show_nothing() -> None:
    world, _, gid, wren, juniper, _ = wren_juniper_sorrel(8)
    wren.rank(gid, juniper, Rank.MODERATOR)
    world.run(10)
    wren.remove(gid, juniper.member(gid))
    world.run(20)
    assert juniper.group(gid).own.cut_off
    code = wren.invite(gid)
    juniper.off()
    juniper.on()
    join = juniper.look(code)
    juniper.invite(gid)
    assert juniper.group(gid).own.cut_off
    assert juniper.knows(join)
