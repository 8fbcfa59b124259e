"""Confirming: what a newcomer says waits for a second member's word, and what that word is worth."""

import pytest

from mesh.commands import ConfirmGroup, DecideKnock, Rank
from mesh.errors import LocalError, RefusedError
from mesh.ids import GroupId
from mesh.peer.confirming import confirmers, welcomer
from simulations.checks import blamed
from simulations.people import Person, circle
from simulations.world import World


def three(seed: int = 3) -> tuple[World, GroupId, Person, Person, Person]:
    """Give wren, who founded it, juniper and sorrel, in one group and at rest."""
    world = World(seed)
    gid, (wren, juniper, sorrel) = circle(world, "wren", "juniper", "sorrel")
    world.run(10)
    return world, gid, wren, juniper, sorrel


def let_in(world: World, gid: GroupId, host: Person, inviter: Person, name: str = "tansy") -> Person:
    """Let somebody in by one member's node alone, all others being cut off from both."""
    code = inviter.invite(gid)
    world.run(5)
    tansy = Person(world, name)
    for other in list(world.nodes):
        for one in (host.name, name):
            if other not in (host.name, name):
                world.cut(one, other)
    tansy.join(gid, code, host)
    world.run(5)
    return tansy


def test_in_a_group_of_two_nothing_is_held_back() -> None:
    world = World(1)
    gid, (wren, juniper) = circle(world, "wren", "juniper")
    assert juniper.group(gid).own.confirmed
    assert wren.group(gid).own.confirmed
    juniper.post(gid, "hello")
    world.run(3)
    assert wren.reads(gid) == ["hello"]


def test_a_founder_s_word_is_enough() -> None:
    world, gid, wren, _, _ = three()
    tansy = let_in(world, gid, wren, wren)
    assert welcomer(tansy.group(gid)) == wren.member(gid)
    assert tansy.group(gid).own.confirmed


def test_one_member_s_word_is_not_and_another_s_makes_two() -> None:
    world, gid, wren, juniper, sorrel = three()
    tansy = let_in(world, gid, sorrel, wren)
    post = tansy.post(gid, "is this all of us?")
    world.run(600)
    assert not tansy.group(gid).own.confirmed
    assert tansy.told(gid, post) == ("queued", 0, 0)
    assert sorrel.reads(gid) == []
    tansy.off(power_cut=True)
    tansy.on()
    world.run(60)
    assert tansy.told(gid, post) == ("queued", 0, 0), "a restart is nobody's word"
    world.heal()
    world.run(60)
    assert tansy.group(gid).own.confirmed
    for person in (wren, juniper, sorrel):
        assert person.reads(gid) == ["is this all of us?"]
    assert tansy.told(gid, post) == ("reached", 3, 3)
    assert blamed(world) == []


def test_the_person_may_take_the_one_s_word() -> None:
    world, gid, wren, _, sorrel = three()
    tansy = let_in(world, gid, sorrel, wren)
    tansy.post(gid, "I know who let me in")
    world.run(30)
    assert sorrel.reads(gid) == []
    world.ask("tansy", ConfirmGroup(group=gid))
    world.run(3)
    assert sorrel.reads(gid) == ["I know who let me in"]
    world.ask("tansy", ConfirmGroup(group=gid))  # again is no fault


def test_while_not_confirmed_one_lets_nobody_in() -> None:
    """Two whom the same member let in must not be each other's second voice, nor open to a third."""
    world, gid, wren, juniper, sorrel = three()
    codes = [wren.invite(gid) for _ in range(2)]
    world.run(5)
    wren.off()
    juniper.off()
    tansy, yarrow = Person(world, "tansy"), Person(world, "yarrow")
    tansy.join(gid, codes[0], sorrel)
    world.run(10)
    yarrow.join(gid, codes[1], sorrel)
    world.run(120)
    assert welcomer(yarrow.group(gid)) == sorrel.member(gid), "tansy's node opens to nobody"
    assert not tansy.group(gid).own.confirmed
    assert not yarrow.group(gid).own.confirmed
    assert not tansy.room(gid).seems_out
    assert not yarrow.room(gid).seems_out
    for person in (tansy, yarrow):
        person.post(gid, f"{person.name} is here")
    juniper.on()
    world.run(60)
    assert tansy.group(gid).own.confirmed
    assert yarrow.group(gid).own.confirmed
    assert sorted(sorrel.reads(gid)) == ["tansy is here", "yarrow is here"]
    assert blamed(world) == []


def test_whom_the_one_brought_in_are_no_second_voice_while_there_are_others() -> None:
    world, gid, wren, juniper, sorrel = three()
    wren.rank(gid, sorrel, Rank.MODERATOR)
    world.run(5)
    guest = Person(world, "guest")
    guest.join(gid, sorrel.invite(gid))
    world.run(10)
    codes = [wren.invite(gid)]
    world.run(5)
    wren.off()
    juniper.off()
    tansy = Person(world, "tansy")
    world.cut("guest", "tansy")
    tansy.join(gid, codes[0], sorrel)
    world.heal()
    world.run(60)
    assert welcomer(tansy.group(gid)) == sorrel.member(gid)
    assert guest.member(gid) not in confirmers(tansy.group(gid))
    assert not tansy.group(gid).own.confirmed
    juniper.on()
    world.run(60)
    assert tansy.group(gid).own.confirmed


def test_nobody_decides_on_a_knock_while_their_own_seat_is_not_confirmed() -> None:
    world, gid, wren, _juniper, sorrel = three()
    wren.rank(gid, sorrel, Rank.MODERATOR)
    world.run(5)
    tansy = let_in(world, gid, sorrel, wren)
    tansy.room(gid).knocks[b"k" * 32] = None  # type: ignore[assignment]  # whatever it is, it is not looked at
    with pytest.raises(RefusedError) as caught:
        world.ask("tansy", DecideKnock(group=gid, knock=b"k" * 32, admit=True))
    assert caught.value.code == "E-UNCONFIRMED"


def test_one_who_is_out_confirms_nothing() -> None:
    world, gid, _, juniper, _ = three()
    juniper.leave(gid)
    with pytest.raises(LocalError) as caught:
        world.ask("juniper", ConfirmGroup(group=gid))
    assert caught.value.code == "E-NOT-MEMBER"
