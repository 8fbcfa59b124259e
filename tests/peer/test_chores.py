"""Chores: what a group needs, done by whoever is there, once."""

import pytest

from mesh.commands import Rank, Rekey
from mesh.events import Effect, Input, LinkKind, Send
from mesh.groups.authoring import rekey
from mesh.groups.group import Means
from mesh.ids import GroupId
from mesh.journal import Journal
from mesh.peer.chores import EPOCH_MS_MAX
from mesh.wire.frames import FrameType
from mesh.wire.operations import OpType
from simulations.chance import SeededEntropy, SeededSealer
from simulations.checks import Watch, agree, blamed, unread
from simulations.people import Person, circle
from simulations.weather import Weather
from simulations.world import Node, World
from tests.peer.liar import Liar


def three(seed: int = 5, weather: Weather | None = None) -> tuple[World, GroupId, Person, Person, Person]:
    """Give wren, juniper and sorrel, in one group and at rest."""
    world = World(seed, weather)
    gid, (wren, juniper, sorrel) = circle(world, "wren", "juniper", "sorrel")
    world.run(10)
    return world, gid, wren, juniper, sorrel


def rekeys(person: Person, gid: GroupId) -> int:
    """Count the re-keys in a group's log."""
    return sum(op.type is OpType.REKEY for op in person.group(gid).log.ops)


def test_an_epoch_is_replaced_after_seven_days_by_one_of_them() -> None:
    world, gid, wren, juniper, sorrel = three()
    before = rekeys(wren, gid)
    for person in (wren, juniper, sorrel):
        person.node.skew_ms = EPOCH_MS_MAX + 1000
    world.run(60)
    assert rekeys(wren, gid) - before == 1
    assert agree(gid, [wren, juniper, sorrel]) == []


def test_also_when_all_were_off_meanwhile() -> None:
    world, gid, wren, juniper, sorrel = three()
    people = [wren, juniper, sorrel]
    before = rekeys(wren, gid)
    for person in people:
        person.off()
        person.node.skew_ms = EPOCH_MS_MAX + 1000
    for person in people:
        person.on()
    world.run(60)
    assert 1 <= rekeys(wren, gid) - before <= 3
    assert agree(gid, people) == []


def test_no_node_re_keys_because_another_ones_clock_is_wrong() -> None:
    world, gid, wren, juniper, sorrel = three()
    once = rekeys(wren, gid)
    for person, years in ((juniper, 1), (sorrel, -1)):
        person.off()
        person.node.skew_ms = years * 365 * 86_400_000
        person.on()
    world.run(120)
    assert rekeys(wren, gid) - once <= 1
    before = rekeys(wren, gid)
    world.run(600)
    assert rekeys(wren, gid) == before


def test_a_removal_closes_open_invites() -> None:
    world, gid, wren, juniper, sorrel = three()
    wren.rank(gid, sorrel, Rank.MODERATOR)
    world.run(5)
    codes = [wren.invite(gid), wren.invite(gid, uses=3), sorrel.invite(gid)]
    world.run(5)
    sorrel.remove(gid, juniper.member(gid))
    world.run(5)
    assert not any(wren.group(gid).invites[code.invite].open for code in codes)


def test_re_keys_and_ranks_under_traffic_lose_nothing() -> None:
    world, gid, wren, juniper, sorrel = three(6, Weather(latency_ms=80, jitter_ms=120))
    watch = Watch.over(world)
    people = [wren, juniper, sorrel]
    posts = []
    for k in range(40):
        author = people[k % 3]
        posts.append((author, author.post(gid, f"{k:02}")))
        if k % 5 == 0:
            world.ask(people[(k // 5) % 3].name, Rekey(group=gid))
        if k == 10:
            wren.rank(gid, juniper, Rank.STEWARD)
        if k == 25:
            wren.rank(gid, juniper, Rank.NEWCOMER)
        world.run(0.1)
    world.run(30)
    assert agree(gid, people) == []
    assert unread(watch, gid, people) == []
    assert all(author.told(gid, post) == ("reached", 2, 2) for author, post in posts)
    assert blamed(world) == []


def test_what_is_said_during_a_re_key_arrives_within_a_few_latencies() -> None:
    world, gid, wren, juniper, sorrel = three(7, Weather(latency_ms=50, jitter_ms=20))
    watch = Watch.over(world)
    for k in range(10):
        world.ask("juniper", Rekey(group=gid))
        began = world.now_ms
        post = wren.post(gid, f"{k}")
        world.run(2)
        for person in (juniper, sorrel):
            assert watch.shown[person.name][gid, post] - began <= 200


def test_an_epoch_without_us_is_told_once_and_taken_back_when_we_are_in_another() -> None:
    world, gid, wren, juniper, _ = three()
    wren.remove(gid, juniper.member(gid))
    world.run(5)
    assert not juniper.group(gid).own.cut_off, "whoever is there is asked first"
    world.run(10)
    assert juniper.group(gid).own.cut_off
    assert juniper.group(gid).me is not None, "she cannot know by whom, nor that it counts"


def test_an_envelope_that_came_after_its_operation_is_no_cut() -> None:
    """States overtake pushes: the operation is there by sync before the envelope arrives."""
    world, gid, wren, juniper, _ = three()
    world.clog("wren", "juniper")
    frames: list[bytes] = []

    def note(node: Node, event: Input, effects: list[Effect]) -> None:
        if node is wren.node:
            sends = [e.payload for e in effects if isinstance(e, Send) and e.kind is LinkKind.FRAME]
            frames.extend(payload for payload in sends if payload[0] == FrameType.ENVELOPE)

    world.watchers.append(note)
    world.ask("wren", Rekey(group=gid))
    world.run(5)  # juniper has it from sorrel
    assert juniper.group(gid).epoch == wren.group(gid).epoch
    liar = Liar(juniper)
    for frame in frames:
        liar.say(LinkKind.FRAME, frame)
    assert not juniper.group(gid).own.cut_off


def test_one_who_is_out_cannot_tell_others_that_they_are() -> None:
    world, gid, wren, juniper, sorrel = three()
    old = juniper.group(gid)
    wren.remove(gid, juniper.member(gid))
    world.run(5)
    entropy = SeededEntropy(1, "mallory")
    means = Means(entropy=entropy, sealer=SeededSealer(entropy), journal=Journal(), wall_ms=0)
    for person in (wren, sorrel):  # an envelope on the old topic, with wraps for nobody here
        stranger = rekey(old, means)
        Liar(person).say(LinkKind.FRAME, stranger.frames[0][1])
    world.run(5)
    assert not wren.group(gid).own.cut_off
    assert not sorrel.group(gid).own.cut_off
    assert agree(gid, [wren, sorrel]) == []


@pytest.mark.parametrize("seed", range(4))
def test_after_concurrent_removals_nobody_sends_to_either(seed: int) -> None:
    world = World(seed)
    watch = Watch.over(world)
    gid, people = circle(world, "wren", "juniper", "sorrel", "tansy")
    wren, juniper, sorrel, tansy = people
    wren.rank(gid, juniper, Rank.STEWARD)
    world.run(5)
    out = [sorrel.member(gid), tansy.member(gid)]
    world.partition(("wren", "sorrel", "tansy"), ("juniper",))
    world.run(1)
    wren.remove(gid, out[0])
    juniper.remove(gid, out[1])
    world.run(5)
    world.heal()
    world.run(20)
    assert wren.members(gid) == ["juniper", "wren"]
    assert agree(gid, [wren, juniper]) == []
    wren.post(gid, "among us")
    world.run(10)
    assert juniper.reads(gid) == ["among us"]
    assert sorrel.reads(gid) == tansy.reads(gid) == []
    assert unread(watch, gid, [wren, juniper]) == []
    assert blamed(world) == []


def test_who_was_removed_while_away_reads_nothing_new_when_back() -> None:
    world, gid, wren, juniper, sorrel = three()
    Watch.over(world)
    juniper.off()
    member = wren.key_of(gid, "juniper")
    wren.remove(gid, member)
    wren.post(gid, "without juniper")
    world.run(5)
    juniper.on()
    juniper.post(gid, "I am back")
    world.run(60)
    assert juniper.reads(gid) == ["I am back"]
    assert sorrel.reads(gid) == ["without juniper"]
    assert blamed(world) == []
