"""Coming back by a new code, after a leave without a trace."""

from mesh.ids import GroupId
from mesh.peer.records import JoinStage
from simulations.checks import blamed
from simulations.people import Person
from tests.peer.test_keepers import with_keeper


def forgot(person: Person, gid: GroupId) -> bool:
    """Say whether a person's running node knows a group no more, and nothing of its keepers."""
    assert person.node.peer is not None
    state = person.node.peer.state
    return gid not in state.rooms


def test_a_new_code_is_looked_for_on_when_the_leave_is_heard_of_meanwhile() -> None:
    world, gid, _, (wren, tansy) = with_keeper("wren", "tansy")
    world.cut("wren", "tansy")
    tansy.leave(gid, wipe=True)
    world.run(20)
    assert wren.members(gid) == ["wren"], "the keeper had it for her"
    assert not forgot(tansy, gid), "no member has told tansy yet that the leave is known"
    code = wren.invite(gid)
    join = tansy.look(code)
    world.heal()
    assert tansy.until(lambda: forgot(tansy, gid)), "over the link that the code leads to, wren says farewell"
    assert tansy.until(lambda: tansy.stage(join) is JoinStage.PREVIEW)
    tansy.knock(join, gid)
    assert tansy.until(lambda: tansy.stage(join) is JoinStage.JOINED)
    post = wren.post(gid, "Welcome back.")
    assert tansy.until(lambda: tansy.reads(gid) == ["Welcome back."])
    assert wren.until(lambda: wren.told(gid, post) == ("reached", 1, 1))
    assert blamed(world) == []


def test_a_knock_by_a_new_code_outlasts_the_farewell_too() -> None:
    world, gid, _, (wren, tansy) = with_keeper("wren", "tansy")
    world.cut("wren", "tansy")
    tansy.leave(gid, wipe=True)
    world.run(20)
    code = wren.invite(gid)
    world.run(20)
    wren.off()
    join = tansy.look(code)
    assert tansy.until(lambda: tansy.stage(join) is JoinStage.PREVIEW)
    tansy.knock(join, gid)
    world.run(5)
    world.heal()
    wren.on()
    assert tansy.until(lambda: tansy.stage(join) is JoinStage.JOINED)
    assert wren.until(lambda: wren.members(gid) == ["tansy", "wren"])
    assert blamed(world) == []


def test_who_wipes_the_rest_too_looks_for_the_group_no_more() -> None:
    world, gid, _, (wren, tansy) = with_keeper("wren", "tansy")
    world.cut("wren", "tansy")
    tansy.leave(gid, wipe=True)
    world.run(20)
    join = tansy.look(wren.invite(gid))
    tansy.leave(gid, wipe=True, now=True)
    assert forgot(tansy, gid)
    assert not tansy.knows(join)
