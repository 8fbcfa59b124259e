"""What a second outside review found, once each: what one member's word, or silence, made others believe."""

from functools import partial

from mesh.commands import Rank
from mesh.ids import GroupId, OpId
from mesh.wire.sessions import StateBody
from simulations.people import Person
from tests.peer.forgery import Forger
from tests.peer.test_returning import three as wren_juniper_sorrel
from tests.peer.test_review import three


def reads(person: Person, gid: GroupId, words: list[str]) -> bool:
    """Say whether this is what a person can read."""
    return person.reads(gid) == words


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


def test_one_who_agrees_is_not_enough_where_another_tells_of_news() -> None:
    c = three(12)
    for other in ("bob", "mallory"):
        c.world.clog("alice", other)
    c.alice.remove(c.gid, c.mallory.member(c.gid))
    Forger(c.alice, c.gid).tells(c.bob, StateBody(heads=c.alice.group(c.gid).log.heads, frontier=[]))
    post = c.bob.post(c.gid, "Mallory must not read this.")
    c.world.run(5)
    assert c.bob.told(c.gid, post) == ("queued", 0, 0)
    c.world.heal()
    assert c.bob.until(lambda: c.bob.told(c.gid, post) == ("reached", 1, 1), 30)
    assert c.mallory.reads(c.gid) == []


def test_telling_of_what_does_not_exist_holds_back_once() -> None:
    c = three(13)
    c.world.clog("mallory", "bob")  # her node would answer honestly
    known = c.bob.group(c.gid).log.heads
    for k in range(1, 4):
        c.forger.tells(c.bob, StateBody(heads=[OpId(bytes([k]) * 32)], frontier=[]))
        c.bob.post(c.gid, f"{k}")
        words = [str(n) for n in range(1, k + 1)]
        assert c.alice.until(partial(reads, c.alice, c.gid, words), 35 if k == 1 else 1)
        c.forger.tells(c.bob, StateBody(heads=known, frontier=[]))
