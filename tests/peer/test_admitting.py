"""Several who come at once share an epoch, whoever of the members goes on to make it; and each is welcomed once."""

import itertools

import pytest

from mesh.events import Effect, FrameReceived, Input, LinkKind
from mesh.ids import GroupId
from mesh.peer import admitting
from mesh.peer.records import JoinStage
from mesh.wire.frames import FrameType
from mesh.wire.operations import AdmitBody, epoch_block
from simulations.checks import Watch, agree, blamed
from simulations.people import Person, circle, gather
from simulations.weather import Weather
from simulations.world import Node, World

FAR = Weather(latency_ms=40, jitter_ms=40)
MEMBERS = ("wren", "juniper", "sorrel", "olive", "hazel", "rowan")
JOINERS = ("tansy", "yarrow", "dill", "fennel", "basil", "thyme", "mint", "sage", "clover", "ivy", "laurel", "iris")


def crowd(
    seed: int = 3, weather: Weather = FAR, *, approvals: int = 0, joiners: tuple[str, ...] = JOINERS
) -> tuple[World, GroupId, list[Person], list[Person]]:
    """A group at rest, and people outside who all hold the same code and are about to knock."""
    world = World(seed, weather)
    Watch.over(world)
    gid, members = circle(world, *MEMBERS)
    code = members[0].invite(gid, uses=len(joiners), approvals=approvals)
    world.run(60)
    outside = gather(world, *joiners)
    for person in outside:
        person.look(code, *members[:3])
    assert members[0].until(lambda: all(stage(person) is JoinStage.PREVIEW for person in outside), 30)
    return world, gid, members, outside


def stage(person: Person) -> JoinStage:
    """How far somebody's only attempt to join has come."""
    peer = person.node.peer
    assert peer is not None
    (join,) = peer.state.joins.values()
    return join.stage


def knock(person: Person, gid: GroupId) -> None:
    """Agree, and knock."""
    peer = person.node.peer
    assert peer is not None
    (join,) = peer.state.joins
    person.knock(join, gid)


def epochs(person: Person, gid: GroupId) -> int:
    """Count the epochs in a group's log."""
    return sum(epoch_block(op.body) is not None for op in person.group(gid).log.ops)


def keyless(person: Person, gid: GroupId) -> int:
    """Count those who are in and whom the epoch in use, as this person has it, was not made for."""
    group = person.group(gid)
    return 0 if group.epoch is None else len(group.view.devices.keys() - group.recipients(group.epoch))


@pytest.mark.parametrize(
    ("seed", "weather"), [(3, FAR), (4, Weather(latency_ms=40, jitter_ms=40, loss=0.2))], ids=["fair", "lossy"]
)
def test_twelve_who_come_within_seconds_share_a_few_epochs(seed: int, weather: Weather) -> None:
    world, gid, members, outside = crowd(seed, weather)
    before = epochs(members[0], gid)
    for person in outside:
        knock(person, gid)
        world.run(0.25)
    assert members[0].until(lambda: all(stage(person) is JoinStage.JOINED for person in outside), 60)
    world.run(30)
    assert epochs(members[0], gid) - before <= 4
    assert agree(gid, [*members, *outside]) == []
    assert blamed(world) == []
    outside[-1].post(gid, "hello")
    world.run(10)
    assert all(person.reads(gid) == ["hello"] for person in (*members, *outside))


def test_the_first_waits_for_nobody_and_the_next_no_longer_than_the_epoch_is_young() -> None:
    _, gid, members, (tansy, yarrow) = crowd(joiners=JOINERS[:2])
    knock(tansy, gid)
    assert tansy.until(lambda: stage(tansy) is JoinStage.JOINED, 1)
    knock(yarrow, gid)
    share_s = admitting.SHARE_MS * (len(MEMBERS) + 2) / 1000
    assert not yarrow.until(lambda: stage(yarrow) is JoinStage.JOINED, share_s / 2)
    assert all("yarrow" in member.members(gid) for member in members), "let in at once, without a key"
    assert keyless(members[0], gid) == 1
    assert yarrow.until(lambda: stage(yarrow) is JoinStage.JOINED, share_s)


def test_where_all_who_let_them_in_are_gone_the_others_go_on() -> None:
    world, gid, members, outside = crowd(joiners=JOINERS[:4])
    before = len(members[0].group(gid).log)
    for person in outside:
        knock(person, gid)
        world.run(0.1)
    assert members[0].until(lambda: any(keyless(member, gid) >= 2 for member in members), 5)
    world.run(0.2)  # on its way to all
    group = next(member for member in members if keyless(member, gid)).group(gid)
    hosts = {op.tbs.dev for op in group.log.ops[before:] if isinstance(op.body, AdmitBody) and not op.body.epoch}
    for member in members:
        if member.group(gid).own.dev in hosts:
            member.off(power_cut=True)
    rest = [member for member in members if member.node.up]
    assert rest
    assert len(rest) < len(members)
    assert rest[0].until(lambda: all(stage(person) is JoinStage.JOINED for person in outside), 40)
    world.run(10)
    assert agree(gid, [*rest, *outside]) == []
    for member in members:
        if not member.node.up:
            member.on()
    world.run(60)
    assert agree(gid, [*members, *outside]) == []


def test_a_gatherer_that_starts_again_goes_on_where_it_was() -> None:
    world = World(5)
    (wren,) = gather(world, "wren")
    gid = wren.create()
    code = wren.invite(gid, uses=3, approvals=0)
    world.run(60)
    outside = gather(world, "tansy", "yarrow", "dill")
    for person in outside:
        person.look(code)
    world.run(5)
    for person in outside:
        knock(person, gid)
    assert wren.until(lambda: keyless(wren, gid) > 0, 5)
    wren.off(power_cut=True)
    wren.on()
    assert wren.until(lambda: not keyless(wren, gid), 5)
    assert wren.until(lambda: all(stage(person) is JoinStage.JOINED for person in outside), 60)


def test_one_who_decides_lets_several_in_with_one_epoch() -> None:
    world, gid, (wren, *others), outside = crowd(approvals=1, joiners=JOINERS[:6])
    for person in outside:
        knock(person, gid)
    assert wren.until(lambda: len(wren.waiting(gid)) == len(outside), 20)
    before = epochs(wren, gid)
    for waits in wren.waiting(gid):
        wren.decide(gid, waits, admit=True)
    assert wren.until(lambda: not any(other.waiting(gid) for other in others), 2)
    assert wren.until(lambda: all(stage(person) is JoinStage.JOINED for person in outside), 10)
    world.run(10)
    assert epochs(wren, gid) - before == 2
    assert agree(gid, [wren, *others, *outside]) == []


def test_posts_go_on_while_newcomers_wait_and_are_for_those_who_have_the_key() -> None:
    world, gid, members, outside = crowd(joiners=JOINERS[:2])
    for person in outside:
        knock(person, gid)
        world.run(0.1)
    assert members[1].until(lambda: keyless(members[1], gid) > 0, 5)
    before = epochs(members[1], gid)
    members[1].post(gid, "who is there?")
    world.run(0.5)
    assert epochs(members[1], gid) == before, "nobody re-keys for it"
    assert all("who is there?" in member.reads(gid) for member in members)


def welcomes_in(world: World) -> list[str]:
    """Collect who gets a frame of a welcome from now on."""
    welcomes: list[str] = []

    def note(node: Node, event: Input, effects: list[Effect]) -> None:
        if isinstance(event, FrameReceived) and event.kind == LinkKind.FRAME:
            welcomes.extend([node.name] if event.payload[0] == FrameType.WELCOME else [])

    world.watchers.append(note)
    return welcomes


def test_a_welcome_travels_one_way_and_not_to_everybody() -> None:
    """It is the whole log: flooded, with each one who came in a group of thirteen moved 40 MB."""
    world, gid, members, (tansy,) = crowd(joiners=("tansy",))
    welcomes = welcomes_in(world)
    knock(tansy, gid)
    assert tansy.until(lambda: stage(tansy) is JoinStage.JOINED, 5)
    world.run(20)
    assert len(welcomes) <= 3
    assert len(members) == len(MEMBERS)


def test_nobody_is_welcomed_over_a_new_link_who_has_come_in() -> None:
    """A link is no member's until it proves to be: whoever linked anew got the log of each who came of late."""
    world, gid, members, (tansy,) = crowd(joiners=("tansy",))
    knock(tansy, gid)
    assert tansy.until(lambda: stage(tansy) is JoinStage.JOINED, 5)
    world.run(20)
    welcomes = welcomes_in(world)
    for one, other in itertools.combinations([*members, tansy], 2):
        world.flap(one.name, other.name)
        world.run(2)
    assert welcomes == []
    assert blamed(world) == []


def test_a_welcome_finds_another_way_where_the_first_one_breaks() -> None:
    """Only sorrel meets tansy, and goes before an answer is out; hazel meets her then, and she knocks again."""
    world, gid, members, (tansy,) = crowd(joiners=("tansy",))
    for member in members:
        if member.name != "sorrel":
            world.cut("tansy", member.name)
    world.run(1)
    knock(tansy, gid)
    world.run(0.06)
    world.cut("tansy", "sorrel")
    world.run(5)
    assert stage(tansy) is JoinStage.KNOCKING
    world.paths.clear()
    world.join_up("tansy", "hazel")
    assert tansy.until(lambda: stage(tansy) is JoinStage.JOINED, 60)
