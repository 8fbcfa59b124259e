"""One code, tried twice: who said no the first time is shown the group again."""

from mesh.commands import DropJoin
from mesh.events import SendStored, Space
from mesh.groups.invites import invite_keys
from mesh.ids import TopicId
from mesh.peer import links
from mesh.peer.records import JoinStage
from mesh.peer.routing import preview_topic
from mesh.wire.codes import InviteCode
from simulations.checks import blamed
from simulations.people import circle, gather
from simulations.world import World
from tests.peer.liar import Liar
from tests.peer.test_keepers import with_keeper


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


def test_so_may_one_who_finds_only_a_keeper_there() -> None:
    world, gid, _, (wren,) = with_keeper("wren")
    (juniper,) = gather(world, "juniper")
    code = wren.invite(gid)
    world.run(20)
    wren.off()

    def looks() -> None:
        join = juniper.look(code)
        assert juniper.until(lambda: juniper.stage(join) is JoinStage.PREVIEW)
        world.ask("juniper", DropJoin(join=join))
        world.run(1)

    for _ in range(3):
        looks()
    assert blamed(world) == []


def test_a_keeper_gives_what_it_gave_before_no_faster_than_a_link_may_have_it() -> None:
    world, gid, keeper, (wren,) = with_keeper("wren")
    code = wren.invite(gid)
    world.run(20)
    topic = preview_topic(invite_keys(InviteCode.unpack(code.code).seed).knock_key)
    mallory = Liar(keeper)

    def looks() -> int:
        effects = mallory.announce([topic])
        mallory.announce([TopicId(b"x" * 32)])
        return sum(isinstance(effect, SendStored) and effect.link == mallory.link for effect in effects)

    size = min(len(raw) for key, raw in keeper.node.store.scan(Space.KEPT) if key[:32] == topic)
    assert sum(looks() for _ in range(5000)) <= 2 + links.AGAIN_BYTES_BURST // size < 3000
    world.run(2 + size / links.AGAIN_BYTES_PER_S)
    assert looks() == 1
