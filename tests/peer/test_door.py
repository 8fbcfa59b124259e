"""The door: who comes in, who does not, and what each of them is told."""

import pytest

from mesh.commands import Rank, RevokeInvite, SetSetting
from mesh.errors import LocalError, RefusedError
from mesh.events import LinkKind, Space
from mesh.groups.group import Means
from mesh.groups.invites import invite_keys, preview_seed, seal_knock
from mesh.groups.operations import card_device
from mesh.ids import GroupId
from mesh.journal import Journal
from mesh.peer.records import JoinStage
from mesh.peer.routing import join_topics
from mesh.wire.codec import decode
from mesh.wire.codes import InviteCode
from mesh.wire.frames import DAY_MS, FrameType, parse_frame, seal_frame
from mesh.wire.invites import Door, KnockBody
from mesh.wire.operations import AdmitBody
from simulations.chance import SeededEntropy, SeededSealer
from simulations.checks import Watch, agree, blamed
from simulations.people import Code, Person, circle, gather
from simulations.weather import Weather
from simulations.world import World
from tests.peer.liar import Liar

HOUR_MS = 3_600_000


def alone(seed: int = 1, weather: Weather | None = None) -> tuple[World, GroupId, Person, Person]:
    """Give wren, in a group of her own, and tansy, who is not in it."""
    world = World(seed, weather)
    Watch.over(world)
    wren, tansy = gather(world, "wren", "tansy")
    return world, wren.create(), wren, tansy


def ended(person: Person, code: Code, *via: Person) -> tuple[JoinStage, Door]:
    """Look, knock where there is a preview, and say how it ends."""
    join = person.look(code, *via)
    gid = GroupId(code.code[18:34])
    going = (JoinStage.LOOKING, JoinStage.KNOCKING)
    person.until(lambda: person.stage(join) not in going, 30)
    if person.stage(join) is JoinStage.PREVIEW:
        person.knock(join, gid)
        person.until(lambda: person.stage(join) not in going, 60)
    return person.stage(join), person.join_record(join).door


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(
    "weather", [Weather(), Weather(latency_ms=300, jitter_ms=400), Weather(loss=0.3)], ids=["fair", "far", "lossy"]
)
def test_a_code_lets_one_person_in(seed: int, weather: Weather) -> None:
    world, gid, wren, tansy = alone(seed, weather)
    code = wren.invite(gid)
    tansy.join(gid, code)
    assert tansy.members(gid) == ["tansy", "wren"]
    [sorrel] = gather(world, "sorrel")
    assert ended(sorrel, code, wren) == (JoinStage.REFUSED, Door.USED_UP)
    assert blamed(world) == []


def test_a_code_for_several_asks_a_person_by_default() -> None:
    world, gid, wren, tansy = alone()
    code = wren.invite(gid, uses=3)
    join = tansy.look(code)
    tansy.until(lambda: tansy.stage(join) is JoinStage.PREVIEW)
    tansy.knock(join, gid)
    world.run(60)
    assert tansy.stage(join) is JoinStage.KNOCKING
    assert list(wren.waiting(gid).values()) == ["tansy"]
    (knock,) = wren.waiting(gid)
    wren.decide(gid, knock, admit=True)
    assert tansy.until(lambda: tansy.stage(join) is JoinStage.JOINED, 5)
    assert wren.waiting(gid) == {}
    assert wren.room(gid).knocks == {}


def test_an_expired_code_is_refused_here_and_by_those_inside() -> None:
    _, gid, wren, tansy = alone()
    code = wren.invite(gid, hours=1)
    tansy.node.skew_ms = 3 * HOUR_MS
    with pytest.raises(RefusedError) as caught:
        tansy.look(code)
    assert caught.value.code == "E-CODE-EXPIRED"
    wren.node.skew_ms = 3 * HOUR_MS
    tansy.node.skew_ms = 0  # her clock is slow: those inside tell her
    assert ended(tansy, code) == (JoinStage.EXPIRED, Door.EXPIRED)


def test_a_code_that_runs_out_while_knocking_ends_there() -> None:
    world, gid, wren, tansy = alone()
    code = wren.invite(gid, uses=2, hours=1)
    join = tansy.look(code)
    tansy.until(lambda: tansy.stage(join) is JoinStage.PREVIEW)
    tansy.knock(join, gid)
    world.run(5)
    for person in (wren, tansy):
        person.node.skew_ms = 3 * HOUR_MS
    assert tansy.until(lambda: tansy.stage(join) is JoinStage.EXPIRED, 120)
    assert tansy.join_record(join).keys is None


def test_a_knock_that_nobody_ever_hears_ends_a_week_after_its_code() -> None:
    world, gid, wren, tansy = alone()
    code = wren.invite(gid, hours=1)
    wren.off()
    join = tansy.look(code)
    world.run(60)
    assert tansy.stage(join) is JoinStage.LOOKING
    tansy.node.skew_ms = 8 * DAY_MS
    world.run(30)
    assert tansy.stage(join) is JoinStage.EXPIRED
    assert tansy.node.wanted == {}, "and nobody is dialled for it any more"


def test_a_revoked_code_is_refused() -> None:
    world, gid, wren, tansy = alone()
    code = wren.invite(gid)
    world.ask("wren", RevokeInvite(group=gid, invite=code.invite))
    assert ended(tansy, code) == (JoinStage.REFUSED, Door.REVOKED)


def test_a_code_revoked_while_one_waits_refuses_them() -> None:
    world, gid, wren, tansy = alone()
    code = wren.invite(gid, uses=2)
    join = tansy.look(code)
    tansy.until(lambda: tansy.stage(join) is JoinStage.PREVIEW)
    tansy.knock(join, gid)
    world.run(5)
    assert wren.waiting(gid)
    world.ask("wren", RevokeInvite(group=gid, invite=code.invite))
    world.run(2)
    assert (tansy.stage(join), tansy.join_record(join).door) == (JoinStage.REFUSED, Door.REVOKED)
    assert wren.waiting(gid) == {}


def test_one_who_is_declined_is_told_also_when_they_were_away_and_is_not_asked_about_again() -> None:
    world, gid, wren, tansy = alone()
    code = wren.invite(gid, uses=2)
    join = tansy.look(code)
    tansy.until(lambda: tansy.stage(join) is JoinStage.PREVIEW)
    tansy.knock(join, gid)
    world.run(5)
    tansy.off()
    (knock,) = wren.waiting(gid)
    wren.decide(gid, knock, admit=False)
    wren.off()
    wren.on()
    tansy.on()
    assert tansy.until(lambda: tansy.stage(join) is JoinStage.REFUSED, 60)
    assert tansy.join_record(join).door is Door.DECLINED
    assert wren.room(gid).knocks == {}


def test_knocks_are_kept_across_restarts_of_both_sides() -> None:
    world, gid, wren, tansy = alone()
    code = wren.invite(gid, uses=2)
    join = tansy.look(code)
    tansy.until(lambda: tansy.stage(join) is JoinStage.PREVIEW)
    tansy.knock(join, gid)
    world.run(5)
    for person in (wren, tansy):
        person.off(power_cut=True)
    tansy.on()
    wren.on()
    world.run(30)
    assert tansy.stage(join) is JoinStage.KNOCKING
    (knock,) = wren.room(gid).knocks
    wren.decide(gid, knock, admit=True)
    assert tansy.until(lambda: tansy.stage(join) is JoinStage.JOINED, 20)


def test_a_knock_while_everybody_is_off_is_answered_when_somebody_is_back() -> None:
    world = World(3)
    gid, (wren, sorrel) = circle(world, "wren", "sorrel")
    code = wren.invite(gid)
    world.run(2)
    tansy = Person(world, "tansy")
    join = tansy.look(code, wren, sorrel)
    tansy.until(lambda: tansy.stage(join) is JoinStage.PREVIEW)
    wren.off()
    sorrel.off()
    tansy.knock(join, gid)
    world.run(120)
    tansy.world.restart("tansy")
    world.run(600)
    assert tansy.stage(join) is JoinStage.KNOCKING
    sorrel.on()  # not the inviter
    assert tansy.until(lambda: tansy.stage(join) is JoinStage.JOINED, 30)


@pytest.mark.parametrize("seed", range(5))
def test_two_who_admit_at_once_admit_one(seed: int) -> None:
    world = World(seed)
    gid, (wren, juniper, sorrel) = circle(world, "wren", "juniper", "sorrel")
    code = wren.invite(gid)
    world.run(2)
    world.partition(("juniper",), ("wren", "sorrel"))
    world.run(1)
    wren.off()
    tansy = Person(world, "tansy")
    join = tansy.look(code, juniper, sorrel)
    tansy.until(lambda: tansy.stage(join) is JoinStage.PREVIEW)
    tansy.knock(join, gid)
    assert tansy.until(lambda: tansy.stage(join) is JoinStage.JOINED)
    world.run(3)
    admits = [op for p in (juniper, sorrel) for op in p.group(gid).log.ops if isinstance(op.body, AdmitBody)]
    assert {op.body.alias for op in admits if isinstance(op.body, AdmitBody)} >= {"tansy"}
    world.heal()
    wren.on()
    world.run(40)
    people = [wren, juniper, sorrel, tansy]
    assert agree(gid, people) == []
    assert wren.members(gid) == ["juniper", "sorrel", "tansy", "wren"]
    assert wren.group(gid).invites[code.invite].joiners == {tansy.member(gid)}
    tansy.post(gid, "hello")
    world.run(5)
    assert all(person.reads(gid) == ["hello"] for person in people)
    assert blamed(world) == []


def test_one_welcome_is_enough_where_several_could_give_it() -> None:
    world = World(4)
    gid, (wren, juniper, sorrel) = circle(world, "wren", "juniper", "sorrel")
    code = wren.invite(gid)
    world.run(2)
    tansy = Person(world, "tansy")
    welcomes: list[str] = []

    def note(node: object, event: object, effects: object) -> None:
        if node is tansy.node and getattr(event, "payload", b"")[:1] == bytes([FrameType.WELCOME]):
            welcomes.append("one")

    world.watchers.append(note)
    tansy.join(gid, code, wren, juniper, sorrel)
    world.run(30)
    assert 1 <= len(welcomes) <= 2  # two, if it came round by another member before we listened


def test_one_who_admitted_and_fell_silent_is_not_needed_for_the_welcome() -> None:
    """Sorrel lets tansy in and stops before a word of it leaves; it comes back, or another welcomes."""
    world = World(5)
    gid, (wren, sorrel) = circle(world, "wren", "sorrel")
    code = wren.invite(gid)
    world.run(2)
    wren.off()
    tansy = Person(world, "tansy")
    join = tansy.look(code, wren, sorrel)
    tansy.until(lambda: tansy.stage(join) is JoinStage.PREVIEW)
    tansy.knock(join, gid)
    sorrel.until(lambda: bool(sorrel.room(gid).arriving), 5)
    sorrel.node.crash_at_commit = sorrel.node.commits + 1
    world.run(10)
    assert not sorrel.node.up
    assert tansy.stage(join) is JoinStage.KNOCKING
    sorrel.on()
    assert tansy.until(lambda: tansy.stage(join) is JoinStage.JOINED, 40)
    wren.on()
    world.run(20)
    assert agree(gid, [wren, sorrel, tansy]) == []


def test_a_welcome_that_was_not_written_down_comes_again() -> None:
    """Tansy is in, but her node stops before it stores the welcome; she knocks again and is welcomed again."""
    world, gid, wren, tansy = alone(6)
    join = tansy.look(wren.invite(gid))
    tansy.until(lambda: tansy.stage(join) is JoinStage.PREVIEW)
    tansy.knock(join, gid)
    tansy.until(lambda: "tansy" in wren.members(gid), 5)
    tansy.off()
    world.run(1)
    assert tansy.node.store.count(Space.GROUPS) == 0
    tansy.on()
    assert tansy.until(lambda: tansy.stage(join) is JoinStage.JOINED, 40)
    assert len([op for op in wren.group(gid).log.ops if isinstance(op.body, AdmitBody)]) == 1


def test_one_who_left_or_was_removed_does_not_get_the_log_by_knocking() -> None:
    world = World(7)
    gid, (wren, _) = circle(world, "wren", "juniper")
    code = wren.invite(gid, uses=5, approvals=0)
    [tansy] = gather(world, "tansy")
    join = tansy.look(code, wren)
    tansy.until(lambda: tansy.stage(join) is JoinStage.PREVIEW)
    tansy.knock(join, gid)
    knock = tansy.join_record(join)
    assert tansy.until(lambda: tansy.stage(join) is JoinStage.JOINED)
    world.run(5)
    wren.remove(gid, tansy.member(gid))
    world.run(5)
    assert knock.keys is not None
    tansy.off()
    # The very knock that once let her in, from the lips of her old node.
    liar = Liar(wren)
    liar.announce(join_topics(knock, world.instant(wren.node).wall_ms // DAY_MS))
    keys = invite_keys(InviteCode.unpack(code.code).seed)
    body = decode(KnockBody, knock.keys.knock, bytes_max=4096)
    entropy = SeededEntropy(1, "again")
    means = Means(entropy=entropy, sealer=SeededSealer(entropy), journal=Journal(), wall_ms=0)
    liar.say(LinkKind.FRAME, seal_knock(keys, body, means))
    world.run(30)
    answers = [parse_frame(frame) for frame in liar.frames if frame[0] == FrameType.WELCOME]
    assert answers
    assert all(len(answer.middle) < 2048 for answer in answers), "refusals, and no log"
    assert wren.group(gid).log.ops[0].signed.tbs not in b"".join(liar.frames)
    assert card_device(body.card) not in wren.group(gid).view.devices


@pytest.mark.parametrize("kind", [FrameType.KNOCK, FrameType.PREVIEW, FrameType.WELCOME])
def test_forged_papers_change_nothing(kind: FrameType) -> None:
    world, gid, wren, tansy = alone(8)
    code = wren.invite(gid)
    join = tansy.look(code)
    tansy.until(lambda: tansy.stage(join) is JoinStage.PREVIEW)
    seeds = invite_keys(InviteCode.unpack(code.code).seed)
    seed = {FrameType.KNOCK: seeds.invite_seed, FrameType.PREVIEW: preview_seed(seeds.knock_key)}.get(kind, b"r" * 32)
    members = wren.members(gid)
    for number, middle in enumerate((b"", b"\0" * 4, b"\0\0\0\1x", b"x" * 200, b"\0\1\0\1" + b"x" * 99)):
        for victim in (wren, tansy):
            liar = Liar(victim, number)
            liar.say(LinkKind.FRAME, seal_frame(kind, seed, middle))
    world.run(5)
    assert wren.members(gid) == members
    assert tansy.stage(join) is JoinStage.PREVIEW


def test_a_moderator_opens_and_a_newcomer_does_not() -> None:
    world = World(9)
    gid, (wren, juniper) = circle(world, "wren", "juniper")
    first = wren.invite(gid)
    second = wren.invite(gid)
    third = wren.invite(gid)
    world.run(2)
    wren.off()
    sorrel, tansy = gather(world, "sorrel", "tansy")
    sorrel.join(gid, first, juniper)  # a plain member lets in newcomers
    assert sorrel.group(gid).rank is Rank.NEWCOMER
    world.run(5)
    juniper.off()
    join = tansy.look(second, sorrel)
    tansy.until(lambda: tansy.stage(join) is JoinStage.PREVIEW)
    tansy.knock(join, gid)
    world.run(60)
    assert tansy.stage(join) is JoinStage.KNOCKING, "a newcomer does not open"
    wren.on()
    assert tansy.until(lambda: tansy.stage(join) is JoinStage.JOINED, 60), "the knock finds its way through sorrel"
    assert tansy.group(gid).rank is Rank.MEMBER
    assert third.invite in wren.group(gid).invites


def test_only_a_moderator_decides() -> None:
    world = World(10)
    gid, (wren, juniper) = circle(world, "wren", "juniper")
    code = wren.invite(gid, uses=2)
    world.run(2)
    tansy = Person(world, "tansy")
    join = tansy.look(code, wren)
    tansy.until(lambda: tansy.stage(join) is JoinStage.PREVIEW)
    tansy.knock(join, gid)
    world.run(5)
    (knock,) = juniper.waiting(gid)
    with pytest.raises(RefusedError):
        juniper.decide(gid, knock, admit=True)
    with pytest.raises(RefusedError):
        juniper.decide(gid, knock, admit=False)
    wren.decide(gid, knock, admit=True)
    world.run(5)
    assert juniper.waiting(gid) == {}, "whoever else was asked sees that it is settled"
    with pytest.raises(LocalError) as caught:
        wren.decide(gid, knock, admit=True)
    assert caught.value.code == "E-NO-KNOCK"


def test_a_joiner_whose_clock_is_a_year_slow_comes_in() -> None:
    world = World(11)
    Watch.over(world)
    wren = Person(world, "wren")
    tansy = Person(world, "tansy", skew_ms=-365 * DAY_MS)
    gid = wren.create()
    tansy.join(gid, wren.invite(gid))
    tansy.post(gid, "what year is it?")
    world.run(5)
    assert wren.reads(gid) == ["what year is it?"]


def test_more_come_in_by_a_code_than_it_is_for_where_members_cannot_hear_of_each_other_and_it_is_seen() -> None:
    world = World(12)
    gid, (wren, juniper) = circle(world, "wren", "juniper")
    code, sound = wren.invite(gid), wren.invite(gid)
    world.run(5)
    world.cut("wren", "juniper")
    sorrel, tansy, yarrow = gather(world, "sorrel", "tansy", "yarrow")
    world.partition(("wren", "sorrel", "yarrow"), ("juniper", "tansy"))
    sorrel.join(gid, code, wren)
    tansy.join(gid, code, juniper)
    yarrow.join(gid, sound, wren)
    assert not any(person.group(gid).invites[code.invite].over_uses for person in (wren, juniper))
    world.heal()
    world.run(60)
    people = [wren, juniper, sorrel, tansy, yarrow]
    assert agree(gid, people) == []
    assert all(person.group(gid).invites[code.invite].over_uses for person in people)
    assert not wren.group(gid).invites[sound.invite].over_uses


def test_newcomers_and_plain_members_are_told_in_words_that_they_cannot_invite() -> None:
    world = World(9)
    gid, (wren, juniper) = circle(world, "wren", "juniper")
    code = wren.invite(gid)
    world.run(2)
    wren.off()
    (sorrel,) = gather(world, "sorrel")
    sorrel.join(gid, code, juniper)
    for person in (juniper, sorrel):
        with pytest.raises(RefusedError, match="only moderators"):
            person.invite(gid)
    wren.on()
    world.ask("wren", SetSetting(group=gid, key="members-invite", value="on", own=False))
    world.run(20)
    juniper.invite(gid)
    with pytest.raises(RefusedError, match="newcomers make no codes"):
        sorrel.invite(gid)
