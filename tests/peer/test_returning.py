"""Returning: one who was removed comes in again by a new code, under a new key, and has what they had."""

import pytest

from mesh.commands import Rekey, SetSetting
from mesh.errors import RefusedError
from mesh.events import Space
from mesh.ids import GroupId
from mesh.peer.doubting import UNHEARD_MS
from mesh.peer.records import JoinStage
from simulations.checks import Watch, agree, blamed, unread
from simulations.people import Person, circle
from simulations.world import World


def three(seed: int = 3) -> tuple[World, Watch, GroupId, Person, Person, Person]:
    """Give wren, juniper and sorrel, who have talked, in one group and at rest."""
    world = World(seed)
    watch = Watch.over(world)
    gid, (wren, juniper, sorrel) = circle(world, "wren", "juniper", "sorrel")
    for person in (wren, juniper, sorrel):
        person.post(gid, f"hello from {person.name}")
    world.run(15)
    return world, watch, gid, wren, juniper, sorrel


def test_one_who_was_removed_comes_back_by_a_new_code() -> None:
    world, watch, gid, wren, juniper, sorrel = three()
    before, read = juniper.member(gid), juniper.reads(gid)
    world.ask("juniper", SetSetting(group=gid, key="invite-address", value="on", own=True))
    wren.remove(gid, before)
    world.run(10)
    wren.post(gid, "without juniper")
    world.run(5)
    juniper.off(power_cut=True)
    juniper.on()
    waits = juniper.post(gid, "does anybody hear me?")
    world.run(5)
    juniper.join(gid, wren.invite(gid))
    world.run(10)
    assert juniper.member(gid) != before
    assert not juniper.room(gid).seems_out
    assert juniper.reads(gid) == [*read, "does anybody hear me?"], "what she had stays, what waited went out"
    assert wren.reads(gid)[-2:] == ["without juniper", "does anybody hear me?"]
    assert juniper.node.store.get(Space.POSTS, gid + waits) is None, "under the id that it has now"
    assert juniper.group(gid).own.settings_map() == {"invite-address": "on"}
    again = juniper.post(gid, "and I am back")
    world.run(5)
    assert juniper.told(gid, again) == ("reached", 2, 2)
    juniper.off()
    juniper.on()
    world.run(20)
    people = [wren, juniper, sorrel]
    assert agree(gid, people) == []
    assert unread(watch, gid, people) == []
    assert blamed(world) == []
    watch.at_rest(gid, people)


def test_what_was_sealed_for_nobody_is_kept_and_not_said_to_wait() -> None:
    """She spoke under the old key, on links that still stood: nobody took it, and it can go out no more."""
    world, _, gid, wren, juniper, _ = three()
    wren.remove(gid, juniper.member(gid))
    world.run(10)
    vain = juniper.post(gid, "does anybody hear me?")
    world.run(5)
    assert juniper.room(gid).waits(vain)
    juniper.join(gid, wren.invite(gid))
    world.run(10)
    for _ in range(2):
        assert juniper.reads(gid)[-1] == "does anybody hear me?"
        assert juniper.told(gid, vain) == ("queued", 0, 0)
        assert not juniper.room(gid).waits(vain)
        juniper.off()
        juniper.on()
        world.run(10)
    assert "does anybody hear me?" not in wren.reads(gid)
    assert blamed(world) == []


def test_what_is_stored_after_a_return_is_what_the_machine_holds() -> None:
    """She re-keyed alone, as one may who was removed: her next start brings nothing else than what is now."""
    world, _, gid, wren, juniper, sorrel = three(4)
    wren.remove(gid, juniper.member(gid))
    world.run(20)
    world.ask("juniper", Rekey(group=gid))
    assert juniper.group(gid).own.cut_off, "an epoch of our own shows nothing"
    juniper.join(gid, wren.invite(gid))
    world.run(10)
    held = {op.op_id for op in juniper.group(gid).log.ops}
    assert {key[32:] for key, _ in juniper.node.store.scan(Space.OPS, gid)} == held
    juniper.off()
    juniper.on()
    assert {op.op_id for op in juniper.group(gid).log.ops} == held
    world.run(20)
    assert agree(gid, [wren, juniper, sorrel]) == []
    assert blamed(world) == []


def test_one_who_was_removed_while_away_sees_the_signs_and_comes_back() -> None:
    world, _, gid, wren, juniper, sorrel = three(5)
    juniper.off()
    world.run(1)
    wren.remove(gid, wren.key_of(gid, "juniper"))
    world.run(5)
    code = wren.invite(gid)
    juniper.on()
    world.run(3)
    with pytest.raises(RefusedError) as caught:
        juniper.look(code)
    assert caught.value.code == "E-ALREADY-IN"
    vain = juniper.post(gid, "hello?")
    assert juniper.until(lambda: juniper.room(gid).seems_out, UNHEARD_MS / 1000 + 25)
    assert juniper.told(gid, vain)[0] == "queued"
    juniper.join(gid, code)
    world.run(10)
    assert not juniper.room(gid).seems_out
    assert wren.reads(gid)[-1] == "hello?"
    assert agree(gid, [wren, juniper, sorrel]) == []


def test_silence_of_one_beside_others_who_talk_is_no_sign() -> None:
    world, _, gid, _wren, juniper, sorrel = three(6)
    world.run(60)
    assert not juniper.room(gid).unheard
    world.clog("wren", "juniper")
    world.flap("wren", "juniper")
    world.run(60)
    assert not juniper.room(gid).unheard
    world.heal()
    sorrel.off()
    world.run(60)
    assert not juniper.room(gid).unheard


def test_one_who_is_in_after_all_stops_knocking() -> None:
    """An epoch was made by one who did not know that she had come in; another, with her, follows."""
    world, _, gid, wren, juniper, sorrel = three(7)
    code = wren.invite(gid)
    juniper.group(gid).own = juniper.group(gid).own.__class__(
        **{name: getattr(juniper.group(gid).own, name) for name in juniper.group(gid).own.__struct_fields__}
        | {"cut_off": True}
    )
    world.partition(("juniper",), ("wren", "sorrel"))
    join = juniper.look(code)
    assert juniper.stage(join) is JoinStage.LOOKING
    world.heal()
    world.ask("wren", Rekey(group=gid))
    world.run(20)
    assert not juniper.room(gid).seems_out
    assert not juniper.knows(join)
    assert juniper.members(gid) == ["juniper", "sorrel", "wren"]
    assert agree(gid, [wren, juniper, sorrel]) == []
