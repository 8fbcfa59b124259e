"""Forking: a successor that each member follows by choice, and that a thief of the founder's keys cannot enter."""

import pytest
from msgspec.structs import replace

from mesh.commands import DeclineFork, OfferForkAgain, Rank, SetRank, SetSetting
from mesh.errors import RefusedError
from mesh.events import Notice, Space
from mesh.groups.authoring import author
from mesh.groups.group import Means
from mesh.groups.invites import invite_keys, knock_statement, seal_knock, seal_preview, seal_welcome
from mesh.groups.joining import GID_PREFIX_BYTES, sign_former
from mesh.ids import GroupId
from mesh.journal import Journal
from mesh.membership.structure import SUCCEEDS
from mesh.peer.forking import followers, forks_of, predecessor
from mesh.peer.joining import preview_of
from mesh.peer.records import JoinStage
from mesh.peer.state import Reply
from mesh.wire import limits
from mesh.wire.codec import decode
from mesh.wire.codes import InviteCode
from mesh.wire.invites import Door, KnockBody, WelcomeBody
from mesh.wire.operations import AdmitBody, ForkBody, OpType
from simulations.checks import Watch, agree, blamed
from simulations.people import Code, Person, circle
from simulations.world import START_WALL_MS, World
from tests.groups.joiners import Code as Opened
from tests.groups.joiners import invite_body, joiner
from tests.peer.forgery import Forger

DAY_S = 86_400


def old_group(*names: str, seed: int = 1) -> tuple[World, GroupId, list[Person]]:
    """A group that the first of them founded."""
    world = World(seed)
    Watch.over(world)
    gid, people = circle(world, *names)
    return world, gid, people


def code_of(person: Person, gid: GroupId) -> Code:
    """What whoever reads the offer can make of it: the whole code."""
    fork = person.offers(gid)[0]
    code = InviteCode(
        seed=fork.body.seed, gid_prefix=fork.body.new_gid[:GID_PREFIX_BYTES], expiry_hour=fork.body.expiry_hour
    )
    return Code(code=code.pack(), addresses=(), invite=fork.body.invite)


def test_a_group_without_its_steward_goes_on_in_a_successor() -> None:
    world, gid, (ash, wren, tansy, sorrel) = old_group("ash", "wren", "tansy", "sorrel")
    ash.post(gid, "before")
    world.run(5)
    ash.off()
    new = wren.fork(gid, without=(wren.key_of(gid, "ash"),))
    world.run(10)
    for person in (tansy, sorrel):
        assert Notice.FORK in [notice.notice for notice in person.node.notices]
    tansy.follow(gid, new)
    wren.off()  # whoever followed opens too
    sorrel.follow(gid, new)
    wren.on()
    world.run(30)
    sorrel.post(new, "here we are")
    world.run(10)
    assert wren.members(new) == tansy.members(new) == sorrel.members(new) == ["sorrel", "tansy", "wren"]
    assert wren.reads(new) == ["here we are"]
    assert tansy.reads(gid) == ["before"], "the old group stays to be read"
    offered, came = followers(wren.group(new))
    assert (len(offered), offered == came) == (2, True)
    assert predecessor(sorrel.group(new)) == gid
    assert agree(new, [wren, tansy, sorrel]) == []
    assert blamed(world) == []


def test_what_the_group_was_about_and_what_holds_in_it_are_taken_over() -> None:
    world, gid, (wren, tansy) = old_group("wren", "tansy")
    world.ask("wren", SetSetting(group=gid, key="members-invite", value="on", own=False))
    new = wren.fork(gid)
    old, founding = wren.group(gid), wren.group(new).founding
    assert (founding.about, founding.topics, founding.agreement) == (
        old.founding.about,
        old.founding.topics,
        old.agreement[1],
    )
    assert wren.group(new).view.settings == {"members-invite": "on", SUCCEEDS: gid.hex()}
    assert wren.group(new).suite is old.suite
    tansy.follow(gid, new)
    with pytest.raises(RefusedError):
        tansy.look_where(gid, tansy.offers(gid)[0])


def test_following_is_a_choice_and_a_reminder_can_be_ended() -> None:
    world, gid, (wren, tansy) = old_group("wren", "tansy")
    wren.fork(gid)
    world.run(20)
    assert [key for key, _ in tansy.node.store.scan(Space.GROUPS)] == [gid], "nobody is moved"
    fork = tansy.offers(gid)[0]
    world.ask("tansy", DeclineFork(group=gid, fork=fork.op_id))
    tansy.off()
    tansy.on()
    assert tansy.group(gid).own.declined == [fork.op_id]


# ---------------------------------------------------------------- a stolen founder


def stolen(seed: int = 1) -> tuple[World, GroupId, GroupId, Person, Person, Person]:
    """Ash's keys are in wrong hands; wren offers a successor without ash to tansy."""
    world, gid, (ash, wren, tansy) = old_group("ash", "wren", "tansy", seed=seed)
    new = wren.fork(gid, without=(ash.member(gid),))
    world.run(5)
    return world, gid, new, ash, wren, tansy


def test_a_thief_reads_the_offer_and_does_not_come_in() -> None:
    _, gid, new, ash, wren, tansy = stolen()
    assert [fork.body.new_gid for fork in ash.offers(gid)] == [new], "everybody in the old group reads it"
    with pytest.raises(RefusedError) as caught:
        ash.look_where(gid, ash.offers(gid)[0])
    assert caught.value.code == "E-NOT-OFFERED"
    join = ash.look(code_of(ash, gid), wren, tansy)
    assert ash.until(lambda: ash.stage(join) is JoinStage.PREVIEW), "the code shows the door"
    with pytest.raises(RefusedError) as caught:
        ash.knock(join, new, former=ash.key_seed(gid))
    assert caught.value.code == "E-NOT-OFFERED"
    tansy.follow(gid, new)
    assert wren.members(new) == ["tansy", "wren"]


@pytest.mark.parametrize("how", ["none", "own", "forged", "another's name", "re-used"])
def test_a_thief_s_own_knock_is_not_opened(how: str) -> None:
    """What a thief's program would send that keeps to no rule."""
    world, gid, new, ash, wren, tansy = stolen()
    if how == "re-used":
        tansy.follow(gid, new)
    fork = ash.offers(gid)[0]
    keys = invite_keys(fork.body.seed)
    thief = Forger(ash, gid)
    knock = _thief_s_knock(thief, new, fork.body)
    former = {
        "none": None,
        "own": sign_former(ash.key_seed(gid).reveal(), new, fork.body.invite, bytes(32)),
        "forged": sign_former(b"f" * 32, new, fork.body.invite, bytes(32)),
        "another's name": replace(
            sign_former(b"f" * 32, new, fork.body.invite, bytes(32)), member=ash.key_of(gid, "tansy")
        ),
        "re-used": next((op.body.former for op in wren.group(new).log.ops if isinstance(op.body, AdmitBody)), None),
    }[how]
    frame = seal_knock(keys, replace(knock, former=former), _means(thief))
    thief.hands(wren, frame)
    world.run(30)
    assert "thief" not in wren.members(new)
    assert wren.node.blames != [], "and whoever hands it on is blamed"


def _means(forger: Forger) -> Means:
    return Means(entropy=forger.entropy, sealer=forger.sealer, journal=Journal(), wall_ms=START_WALL_MS)


def _thief_s_knock(thief: Forger, new: GroupId, body: ForkBody) -> KnockBody:
    someone = joiner("thief", new, thief.group.suite, thief.sealer)
    opened = Opened(op_id=body.invite, seed=body.seed, body=invite_body(body.seed))
    return someone.knocks(new, opened, addresses=[], agreement="Be kind.")


def test_a_thief_at_the_door_turns_nobody_away_and_shows_nothing_of_their_own() -> None:
    world, gid, new, ash, wren, tansy = stolen()
    wren.off()
    fork = tansy.offers(gid)[0]
    join = tansy.look_where(gid, fork)
    world.run(10)
    assert tansy.stage(join) is JoinStage.LOOKING
    thief = Forger(ash, gid)
    wren.on()
    world.run_until(lambda: tansy.stage(join) is JoinStage.PREVIEW, 60)
    record = tansy.join_record(join)
    room = wren.room(new)
    invite = room.group.invites[fork.body.invite]
    closed = seal_preview(room.group, invite, Door.REVOKED, _means(thief))  # its key is the code's: anybody's there
    thief.hands(tansy, closed)
    assert tansy.stage(join) is JoinStage.PREVIEW, "a word at that door ends nothing"
    assert tansy.join_record(join).door is Door.REVOKED
    shown = preview_of(record)
    assert shown is not None
    assert (shown.agreement_version, shown.agreement, shown.members) == (1, "Be kind.", 0)
    wren.off()
    tansy.knock(join, new, former=tansy.key_seed(gid))
    keys = tansy.join_record(join).keys
    assert keys is not None
    knock = decode(KnockBody, keys.knock, bytes_max=limits.KNOCK_PADDED_BYTES)
    refusal = WelcomeBody(door=Door.DECLINED, ops=[], frontier=[], contacts=[], keyups=[])
    [frame] = seal_welcome(
        refusal,
        reply_seed=knock.reply_seed,
        kem_pk=knock.card.kem_pk,
        suite=room.group.suite,
        statement=knock_statement(knock, new),
        sealer=thief.sealer,
    )
    thief.hands(tansy, frame)
    assert (tansy.stage(join), tansy.join_record(join).door) == (JoinStage.KNOCKING, Door.DECLINED)
    wren.on()
    assert tansy.until(lambda: tansy.stage(join) is JoinStage.JOINED, 700), "and the door opens all the same"


def test_a_thief_who_removes_whoever_offers_takes_the_offer_from_nobody() -> None:
    world, gid, (ash, wren, tansy) = old_group("ash", "wren", "tansy")
    world.cut("ash", "wren")
    world.cut("ash", "tansy")
    new = wren.fork(gid, without=(ash.member(gid),))
    ash.remove(gid, ash.key_of(gid, "wren"))  # neither has heard of the other
    world.run(5)
    world.heal()
    world.run(30)
    assert "wren" not in tansy.members(gid)
    tansy.follow(gid, new)
    assert tansy.members(new) == ["tansy", "wren"]


def test_a_follower_lets_no_stranger_in() -> None:
    """A member of the successor who helps the thief: the rules refuse the admit on every node."""
    world, gid, new, ash, wren, tansy = stolen()
    tansy.follow(gid, new)
    world.run(10)
    body = _thief_s_knock(Forger(ash, gid), new, ash.offers(gid)[0].body)
    admit = AdmitBody(
        invite=body.invite,
        rank=tansy.group(new).invites[body.invite].body.role,
        alias="thief",
        card=body.card,
        join_nonce=body.join_nonce,
        agreement_hash=body.agreement_hash,
        sig_invite=body.sig_invite,
        sig_member=body.sig_member,
        sig_dev=body.sig_dev,
        former=None,
        approvals=[],
        epoch=None,
    )
    with pytest.raises(RefusedError):
        author(tansy.group(new), OpType.ADMIT, admit, _means(Forger(tansy, new)))
    assert "thief" not in wren.members(new)


# ---------------------------------------------------------------- who, when, how often


def replies_of(person: Person) -> list[Reply]:
    """What this person's node has to say to those who knocked, the joiners who are in left out."""
    assert person.node.peer is not None
    return [reply for reply in person.node.peer.state.replies.values() if reply.door is not Door.OPEN]


def test_two_offers_at_once_stand_beside_each_other() -> None:
    world, gid, (ash, wren, tansy) = old_group("ash", "wren", "tansy")
    one, other = wren.fork(gid, name="by wren"), tansy.fork(gid, name="by tansy")
    world.run(10)
    assert {fork.body.new_gid for fork in ash.offers(gid)} == {one, other}
    ash.follow(gid, one)
    ash.follow(gid, other)
    assert ash.members(one) == ["ash", "wren"]
    assert ash.members(other) == ["ash", "tansy"]
    assert blamed(world) == []


def test_one_who_left_after_the_offer_still_comes_along_and_one_who_had_left_is_not_named() -> None:
    world, gid, (wren, tansy, sorrel) = old_group("wren", "tansy", "sorrel")
    gone = sorrel.member(gid)
    sorrel.leave(gid)
    world.run(10)
    new = wren.fork(gid)
    world.run(5)
    assert gone not in wren.offers(gid)[0].body.allow
    fork = tansy.offers(gid)[0]
    join = tansy.look_where(gid, fork)
    tansy.leave(gid)
    assert tansy.until(lambda: tansy.stage(join) is JoinStage.PREVIEW)
    tansy.knock(join, new, former=tansy.key_seed(gid))
    assert tansy.until(lambda: tansy.stage(join) is JoinStage.JOINED)
    del world


def test_each_old_key_comes_in_once() -> None:
    world, gid, (wren, tansy, sorrel) = old_group("wren", "tansy", "sorrel")
    new = wren.fork(gid)
    tansy.follow(gid, new)
    tansy.leave(new, wipe=True)
    world.run(30)
    assert tansy.node.store.get(Space.GROUPS, new) is None
    join = tansy.look_where(gid, tansy.offers(gid)[0])
    world.run(30)
    if tansy.stage(join) is JoinStage.PREVIEW:
        tansy.knock(join, new, former=tansy.key_seed(gid))
        world.run(60)
    assert tansy.stage(join) is not JoinStage.JOINED
    assert wren.members(new) == ["wren"]
    del sorrel


def test_one_who_is_in_brings_nobody_in_with_the_same_key() -> None:
    world, gid, (wren, tansy) = old_group("wren", "tansy")
    new = wren.fork(gid)
    tansy.follow(gid, new)
    body, forger = tansy.offers(gid)[0].body, Forger(tansy, gid)
    knock = _thief_s_knock(forger, new, body)
    former = sign_former(tansy.key_seed(gid).reveal(), new, body.invite, knock_statement(knock, new))
    forger.hands(wren, seal_knock(invite_keys(body.seed), replace(knock, former=former), _means(forger)))
    assert [reply.door for reply in replies_of(wren)] == [Door.USED_UP], "a good knock, and the key has come in"
    world.run(30)
    assert wren.members(new) == ["tansy", "wren"]


def test_an_offer_runs_out_and_can_be_made_again() -> None:
    world, gid, (wren, tansy, sorrel) = old_group("wren", "tansy", "sorrel")
    new = wren.fork(gid)
    tansy.follow(gid, new)
    for person in (wren, tansy, sorrel):
        person.node.skew_ms = 91 * DAY_S * 1000
    world.run(40)
    with pytest.raises(RefusedError) as caught:
        sorrel.look_where(gid, sorrel.offers(gid)[0])
    assert caught.value.code == "E-CODE-EXPIRED"
    world.ask("wren", OfferForkAgain(group=gid, successor=new, without=()))
    world.run(10)
    [fork] = sorrel.offers(gid)
    assert fork.body.allow == [sorrel.member(gid)], "those who came are not asked again"
    sorrel.follow(gid, new)
    assert sorrel.members(new) == ["sorrel", "tansy", "wren"]
    assert blamed(world) == []


def test_a_newcomer_offers_nothing() -> None:
    world, gid, (wren, tansy) = old_group("wren", "tansy")
    world.ask("wren", SetRank(group=gid, member=tansy.member(gid), rank=Rank.NEWCOMER))
    world.run(5)
    with pytest.raises(RefusedError):
        tansy.fork(gid)
    assert forks_of(wren.group(gid)) == []
    body = ForkBody(new_gid=gid, invite=wren.group(gid).log.ops[0].op_id, seed=bytes(16), expiry_hour=1, allow=[])
    with pytest.raises(RefusedError):
        author(tansy.group(gid), OpType.FORK, body, _means(Forger(tansy, gid)))


def test_following_goes_on_across_restarts() -> None:
    world, gid, (wren, tansy) = old_group("wren", "tansy")
    new = wren.fork(gid)
    world.run(5)
    join = tansy.look_where(gid, tansy.offers(gid)[0])
    assert tansy.until(lambda: tansy.stage(join) is JoinStage.PREVIEW)
    wren.off()
    tansy.knock(join, new, former=tansy.key_seed(gid))
    tansy.off(power_cut=True)
    wren.on()
    tansy.on()
    assert tansy.until(lambda: tansy.stage(join) is JoinStage.JOINED, 120)
