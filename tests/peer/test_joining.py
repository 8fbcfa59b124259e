"""Joining: from a code to being in, and what stops in between."""

import pytest

from mesh.commands import DropJoin, Rank, Rekey, SetAgreement
from mesh.errors import LocalError, RefusedError
from mesh.events import LinkKind, Space
from mesh.groups.invites import knock_statement, seal_welcome
from mesh.ids import Address, DeviceId, GroupId
from mesh.peer.joining import _WELCOMES_MAX, preview_of
from mesh.peer.records import JoinStage
from mesh.wire.codec import decode
from mesh.wire.invites import Contact, Door, KnockBody, OpBundle, WelcomeBody
from simulations.chance import SeededEntropy, SeededSealer
from simulations.checks import Watch, agree, blamed
from simulations.people import Person, circle, gather
from simulations.world import World
from tests.peer.liar import Liar


def two(seed: int = 1) -> tuple[World, GroupId, Person, Person]:
    """Give wren, in a group of her own, and tansy, who is not in it."""
    world = World(seed)
    wren, tansy = gather(world, "wren", "tansy")
    return world, wren.create(), wren, tansy


def test_every_stage_is_kept_through_a_restart() -> None:
    world, gid, wren, tansy = two()
    code = wren.invite(gid, uses=2)
    wren.off()
    join = tansy.look(code)
    for stage in (JoinStage.LOOKING, JoinStage.PREVIEW, JoinStage.KNOCKING, JoinStage.JOINED):
        if stage is JoinStage.PREVIEW:
            wren.on()
        elif stage is JoinStage.KNOCKING:
            tansy.knock(join, gid)
        elif stage is JoinStage.JOINED:
            (knock,) = wren.waiting(gid)
            wren.decide(gid, knock, admit=True)
        world.run(20)
        assert tansy.stage(join) is stage
        tansy.off(power_cut=True)
        tansy.on()
        assert tansy.stage(join) is stage
        world.run(20)
    assert tansy.members(gid) == ["tansy", "wren"]


def test_the_same_code_twice_is_one_attempt() -> None:
    _, gid, wren, tansy = two()
    code = wren.invite(gid)
    assert tansy.look(code) == tansy.look(code)


def test_who_is_in_does_not_join_again() -> None:
    _, gid, wren, tansy = two()
    code = wren.invite(gid)
    with pytest.raises(RefusedError) as caught:
        wren.look(code, tansy)
    assert caught.value.code == "E-ALREADY-IN"


def test_one_group_is_knocked_at_with_one_code_at_a_time() -> None:
    _, gid, wren, tansy = two()
    joins = [tansy.look(wren.invite(gid, uses=2)) for _ in range(2)]
    assert tansy.until(lambda: all(tansy.stage(join) is JoinStage.PREVIEW for join in joins))
    tansy.knock(joins[0], gid)
    with pytest.raises(LocalError):
        tansy.knock(joins[1], gid)
    tansy.knock(joins[0], gid)  # again is no fault, and changes nothing


def test_nothing_is_agreed_to_unseen() -> None:
    world, gid, wren, tansy = two()
    code = wren.invite(gid)
    wren.off()
    join = tansy.look(code)
    world.run(5)
    with pytest.raises(LocalError) as caught:
        tansy.knock(join, gid)
    assert caught.value.code == "E-NO-PREVIEW"
    wren.on()
    world.ask("wren", SetAgreement(group=gid, text="Be kind, and be on time."))
    assert tansy.until(lambda: tansy.stage(join) is JoinStage.PREVIEW)
    with pytest.raises(LocalError) as caught:
        tansy.knock(join, gid, version=1)
    assert caught.value.code == "E-AGREEMENT"
    tansy.knock(join, gid, version=2)
    assert tansy.until(lambda: tansy.stage(join) is JoinStage.JOINED)


def test_an_attempt_that_was_dropped_is_over_and_its_addresses_are_dialled_no_more() -> None:
    world, gid, wren, tansy = two()
    code = wren.invite(gid)
    join = tansy.look(code)
    tansy.until(lambda: tansy.stage(join) is JoinStage.PREVIEW)
    assert tansy.node.wanted
    world.ask("tansy", DropJoin(join=join))
    assert tansy.node.wanted == {}
    assert not tansy.knows(join)
    with pytest.raises(LocalError):
        world.ask("tansy", DropJoin(join=join))
    with pytest.raises(LocalError):
        tansy.knock(join, gid)


def test_many_long_addresses_do_not_burst_the_knock() -> None:
    world, gid, wren, tansy = two()
    code = wren.invite(gid)
    join = tansy.look(code)
    tansy.until(lambda: tansy.stage(join) is JoinStage.PREVIEW)
    assert tansy.node.peer is not None
    long = tuple(Address(f"/dns4/{'x' * 200}{k:02}/tcp/1/p2p/peer-tansy") for k in range(16))
    tansy.node.peer.state.addresses = (tansy.node.address, *long)
    tansy.knock(join, gid)
    assert tansy.until(lambda: tansy.stage(join) is JoinStage.JOINED)
    world.run(5)
    assert wren.room(gid).contacts[tansy.group(gid).own.dev].addresses[0] == tansy.node.address


def test_an_answer_of_another_is_not_believed() -> None:
    """A holder of the same code can read knocks, and so knows the reply key; it cannot let anybody in.

    Nor does it set the joiner against the members who hand on what they cannot open.
    """
    world, gid, wren, tansy = two()
    code = wren.invite(gid, uses=2)
    join = tansy.look(code)
    tansy.until(lambda: tansy.stage(join) is JoinStage.PREVIEW)
    tansy.knock(join, gid)
    kept = tansy.join_record(join).keys
    assert kept is not None
    knock = decode(KnockBody, kept.knock, bytes_max=4096)
    liar = Liar(tansy)
    for ops in ([], [op.signed for op in wren.group(gid).log.ops]):
        body = WelcomeBody(
            door=Door.OPEN, ops=[OpBundle(op=op, wraps=[]) for op in ops], frontier=[], contacts=[], keyups=[]
        )
        frames = seal_welcome(
            body,
            reply_seed=knock.reply_seed,
            kem_pk=knock.card.kem_pk,
            suite=2,
            statement=knock_statement(knock, gid),
            sealer=SeededSealer(SeededEntropy(1, "liar")),
        )
        for frame in frames:
            liar.say(LinkKind.FRAME, frame)
    assert tansy.stage(join) is JoinStage.KNOCKING
    assert tansy.node.store.count(Space.GROUPS) == 0
    assert liar.faults == []
    world.run(5)
    (knocker,) = wren.waiting(gid)
    wren.decide(gid, knocker, admit=True)
    assert tansy.until(lambda: tansy.stage(join) is JoinStage.JOINED)


def test_half_welcomes_are_bounded() -> None:
    world, gid, wren, tansy = two()
    code = wren.invite(gid, uses=2)
    join = tansy.look(code)
    tansy.until(lambda: tansy.stage(join) is JoinStage.PREVIEW)
    tansy.knock(join, gid)
    kept = tansy.join_record(join).keys
    assert kept is not None
    knock = decode(KnockBody, kept.knock, bytes_max=4096)
    liar = Liar(tansy)
    for k in range(8):
        contacts = [Contact(dev=DeviceId(bytes([k]) * 16), addresses=["x" * 250] * 16) for _ in range(90)]
        frames = seal_welcome(
            WelcomeBody(door=Door.OPEN, ops=[], frontier=[], contacts=contacts, keyups=[]),
            reply_seed=knock.reply_seed,
            kem_pk=knock.card.kem_pk,
            suite=2,
            statement=knock_statement(knock, gid),
            sealer=SeededSealer(SeededEntropy(1, f"liar {k}")),
        )
        assert len(frames) == 2
        liar.say(LinkKind.FRAME, frames[1])
    assert tansy.node.peer is not None
    assert len(tansy.node.peer.state.welcomes) == _WELCOMES_MAX
    world.run(5)
    (knocker,) = wren.waiting(gid)
    wren.decide(gid, knocker, admit=True)
    assert tansy.until(lambda: tansy.stage(join) is JoinStage.JOINED)
    assert tansy.node.peer.state.welcomes == {}


def test_a_log_of_several_chunks_comes_whole_and_from_two_at_once() -> None:
    world = World(5)
    gid, (wren, juniper) = circle(world, "wren", "juniper")
    for _ in range(30):
        world.ask("wren", Rekey(group=gid))
        world.run(0.5)
    for k in range(12):
        world.ask("wren", SetAgreement(group=gid, text=str(k) + "x" * 16_000))
    code = wren.invite(gid)
    world.run(10)
    tansy = Person(world, "tansy")
    join = tansy.look(code, wren, juniper)
    tansy.until(lambda: tansy.stage(join) is JoinStage.PREVIEW)
    world.cut("wren", "juniper")
    world.run(1)
    tansy.knock(join, gid, version=13)
    assert tansy.until(lambda: tansy.stage(join) is JoinStage.JOINED)
    world.heal()
    world.run(30)
    assert agree(gid, [wren, juniper, tansy]) == []
    assert blamed(world) == []


def test_one_who_comes_back_is_somebody_new_and_keeps_what_they_had_read() -> None:
    world = World(6)
    watch = Watch.over(world)
    gid, (wren, juniper, sorrel) = circle(world, "wren", "juniper", "sorrel")
    world.run(5)
    first = juniper.post(gid, "before I left")
    world.run(5)
    wren.post(gid, "stay")
    world.run(5)
    before = juniper.member(gid)
    juniper.leave(gid)
    world.run(20)
    wren.post(gid, "while you were out")
    world.run(5)
    juniper.join(gid, wren.invite(gid))
    world.run(5)
    assert juniper.member(gid) != before
    assert juniper.reads(gid) == ["before I left", "stay"]
    back = juniper.post(gid, "I am back")
    world.run(1)
    wren.post(gid, "welcome")
    world.run(10)
    assert juniper.reads(gid) == ["before I left", "stay", "I am back", "welcome"]
    assert juniper.told(gid, back) == ("reached", 2, 2)
    assert juniper.node.store.get(Space.DELIVERY, gid + first) is None, "that was another member's"
    juniper.off()
    juniper.on()
    world.run(10)
    again = juniper.post(gid, "and again")
    world.run(5)
    assert juniper.told(gid, again) == ("reached", 2, 2)
    assert wren.reads(gid)[-3:] == ["I am back", "welcome", "and again"]
    assert agree(gid, [wren, juniper, sorrel]) == []
    assert blamed(world) == []
    watch.at_rest(gid, [wren, juniper, sorrel])


def test_the_welcome_is_asked_for_again_on_its_own_link() -> None:
    """It was lost with the link's other end still there: knocking again does not need a new link."""
    world, gid, wren, tansy = two(7)
    join = tansy.look(wren.invite(gid))
    tansy.until(lambda: tansy.stage(join) is JoinStage.PREVIEW)
    world.clog("wren", "tansy")
    tansy.knock(join, gid)
    world.run(5)
    assert wren.members(gid) == ["tansy", "wren"]
    held = [pipe for pipe in world._pipes.values() if pipe.held]
    for pipe in held:
        pipe.held.clear()
    world.heal()
    assert tansy.until(lambda: tansy.stage(join) is JoinStage.JOINED, 60)


def test_one_agrees_to_the_text_that_was_shown_also_where_another_bears_its_version() -> None:
    """Two publish at once, and so give one number to two texts; each shows the joiner their own."""
    world = World(8)
    gid, (wren, juniper) = circle(world, "wren", "juniper")
    wren.rank(gid, juniper, Rank.STEWARD)
    code = wren.invite(gid)
    world.run(5)
    world.partition(("wren",), ("juniper",))
    world.run(1)
    world.ask("wren", SetAgreement(group=gid, text="Be kind, says wren."))
    world.ask("juniper", SetAgreement(group=gid, text="Be kind, says juniper."))
    tansy = Person(world, "tansy")
    join = tansy.look(code, wren)
    tansy.until(lambda: tansy.stage(join) is JoinStage.PREVIEW)
    shown = preview_of(tansy.join_record(join))
    assert shown is not None
    assert (shown.agreement_version, shown.agreement) == (2, "Be kind, says wren.")
    tansy.look(code, juniper)
    world.run(5)
    kept = preview_of(tansy.join_record(join))
    assert kept is not None
    assert kept.agreement == shown.agreement
    tansy.knock(join, gid, version=2)
    assert tansy.until(lambda: tansy.stage(join) is JoinStage.JOINED)
    world.heal()
    world.run(20)
    assert agree(gid, [wren, juniper, tansy]) == []
    assert blamed(world) == []


def test_a_search_goes_on_through_restarts_and_then_waits_for_the_person() -> None:
    """Nobody is there for long. What one agrees to has to be seen: the group is found, and the rest is asked."""
    world, gid, wren, tansy = two(9)
    code = wren.invite(gid)
    wren.off()
    join = tansy.look(code)
    world.run(7200)
    tansy.off(power_cut=True)
    tansy.on()
    world.run(7200)
    assert tansy.stage(join) is JoinStage.LOOKING
    wren.on()
    assert tansy.until(lambda: tansy.stage(join) is JoinStage.PREVIEW)
    assert tansy.look(code) == join, "the same code goes on where it was"
    tansy.off(power_cut=True)
    tansy.on()
    tansy.knock(join, gid)
    assert tansy.until(lambda: tansy.stage(join) is JoinStage.JOINED)
