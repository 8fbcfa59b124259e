"""Who says nothing for a day is heard of all the same, says nothing by it, and may choose not to."""

import pytest

from mesh.commands import Rekey, SetSetting
from mesh.errors import LocalError
from mesh.events import Space
from mesh.ids import GroupId
from mesh.peer.beacons import BEACONS, SILENT_MS, SPREAD_MS
from mesh.wire.codec import encode
from mesh.wire.messages import Kind, ReceiptBody
from simulations.checks import agree, blamed
from simulations.people import Person, circle
from simulations.world import World
from tests.peer.forgery import Forger

DAY_MS = SILENT_MS


def three(seed: int = 5) -> tuple[World, GroupId, list[Person]]:
    """Give wren, juniper and sorrel, in one group and at rest, whose keys are fresh and wait for no key-up."""
    world = World(seed)
    gid, people = circle(world, "wren", "juniper", "sorrel")
    world.run(30)
    later(world, people, DAY_MS + SPREAD_MS)
    world.run(600)
    return world, gid, people


def later(world: World, people: list[Person], ms: int) -> None:
    """Let the wall clocks of all of them go on, and their nodes see it."""
    for person in people:
        person.node.skew_ms += ms
    world.run(40)


def spoken(people: list[Person], gid: GroupId) -> list[int]:
    """Return how many messages each has signed."""
    return [person.group(gid).own.mseq for person in people]


def test_one_who_is_silent_for_a_day_says_a_beacon_and_one_only() -> None:
    world, gid, people = three()
    before = spoken(people, gid)
    later(world, people, DAY_MS - SPREAD_MS - 1_000_000)
    assert spoken(people, gid) == before
    later(world, people, 2 * SPREAD_MS + 1_000_000)
    after = spoken(people, gid)
    assert after == [count + 1 for count in before]
    later(world, people, DAY_MS - SPREAD_MS - 1_000_000)
    assert spoken(people, gid) == after, "at most one a day"
    assert blamed(world) == []


def test_they_do_not_all_come_at_once() -> None:
    world, gid, people = three()
    before = spoken(people, gid)
    times: dict[str, int] = {}
    later(world, people, DAY_MS - SPREAD_MS)
    for quarter in range(2 * 24 + 2):
        for person, count in zip(people, before, strict=True):
            if person.group(gid).own.mseq > count:
                times.setdefault(person.name, quarter)
        later(world, people, SPREAD_MS // 24)
    assert len(times) == 3
    assert len(set(times.values())) > 1


def test_whoever_says_anything_else_says_no_beacon() -> None:
    world, gid, people = three()
    wren, *_ = people
    later(world, people, DAY_MS - SPREAD_MS - 1_000_000)
    wren.post(gid, "hello")
    world.run(10)
    world.ask("juniper", Rekey(group=gid))
    world.run(10)
    spoke = spoken(people, gid)
    later(world, people, SPREAD_MS + 7_200_000)
    assert spoken(people, gid) == spoke, "a post, its receipts and an operation were enough"


def test_it_is_never_shown_unread_or_acknowledged() -> None:
    world, gid, people = three()
    later(world, people, DAY_MS + SPREAD_MS)
    world.run(30)
    for person in people:
        assert person.messages(gid) == []
        assert person.node.store.count(Space.UNREAD, gid) == 0
        assert not any(track.owes for track in person.room(gid).tracks.values())
        heard = [person.room(gid).tracks[other.group(gid).own.dev].top for other in people]
        assert heard == spoken(people, gid), "and yet each has come"


def test_by_beacons_alone_the_others_know_what_each_has() -> None:
    world, gid, people = three()
    wren, *others = people
    world.ask("wren", SetSetting(group=gid, key="approvals", value="2", own=False))
    world.run(30)
    (head,) = wren.group(gid).log.heads
    bit = wren.group(gid).log.bit(head)
    devices = [person.group(gid).own.dev for person in others]
    assert not any(wren.group(gid).seen_by[dev] & bit for dev in devices)
    later(world, people, DAY_MS + SPREAD_MS)
    assert all(wren.group(gid).seen_by[dev] & bit for dev in devices)
    assert agree(gid, people) == []


def test_one_may_turn_them_off_for_oneself() -> None:
    world, gid, people = three()
    world.ask("sorrel", SetSetting(group=gid, key=BEACONS, value="off", own=True))
    world.run(5)
    before = spoken(people, gid)
    later(world, people, DAY_MS + SPREAD_MS)
    assert spoken(people, gid) == [before[0] + 1, before[1] + 1, before[2]]
    world.ask("sorrel", SetSetting(group=gid, key=BEACONS, value="on", own=True))
    world.run(40)
    assert spoken(people, gid)[2] == before[2] + 1
    with pytest.raises(LocalError):
        world.ask("sorrel", SetSetting(group=gid, key=BEACONS, value="weekly", own=True))


def test_alone_nobody_says_one_and_with_nobody_there_it_waits() -> None:
    world = World(3)
    wren = Person(world, "wren")
    gid = wren.create()
    later(world, [wren], DAY_MS + SPREAD_MS)
    assert wren.group(gid).own.mseq == 0
    world, gid, people = three()
    before = spoken(people, gid)
    world.partition(("wren",), ("juniper",), ("sorrel",))
    later(world, people, 3 * DAY_MS)
    assert spoken(people, gid) == before
    world.heal()
    world.run(60)
    # Wren, who founded the group, closes codes meanwhile, and so has signed something.
    assert spoken(people[1:], gid) == [count + 1 for count in before[1:]]


def test_a_clock_that_was_far_ahead_silences_nobody() -> None:
    world, gid, people = three()
    wren, *_ = people
    wren.node.skew_ms += 400 * DAY_MS
    world.run(40)
    wren.post(gid, "from far ahead")
    world.run(10)
    wren.node.skew_ms -= 400 * DAY_MS
    before = wren.group(gid).own.mseq
    world.run(60)
    assert wren.group(gid).own.mseq == before + 1
    world.run(600)
    assert wren.group(gid).own.mseq == before + 1


def test_a_restart_forgets_not_when_one_last_spoke() -> None:
    world, gid, people = three()
    later(world, people, DAY_MS + SPREAD_MS)
    before = spoken(people, gid)
    for person in people:
        person.off()
        person.on()
    world.run(60)
    assert all(now <= count + 1 for now, count in zip(spoken(people, gid), before, strict=True)), (
        "presence, and no more"
    )


def test_when_somebody_was_last_heard_of_is_believed_no_further_than_our_own_clock() -> None:
    world, gid, people = three()
    wren, juniper, _ = people
    dev = juniper.group(gid).own.dev
    juniper.node.skew_ms += 90 * DAY_MS
    world.run(20)
    juniper.post(gid, "from the future")
    world.run(25)
    now = world.instant(wren.node).wall_ms
    heard = wren.room(gid).tracks[dev].heard_ms
    assert now - 30_000 <= heard <= now
    juniper.node.skew_ms -= 180 * DAY_MS
    world.run(20)
    juniper.post(gid, "from the past")
    world.run(10)
    assert wren.room(gid).tracks[dev].heard_ms >= heard, "and it does not go back"


@pytest.mark.parametrize("body", [b"", b"\x91\x00", encode(ReceiptBody(reached=[])), b"\x90\x90", b"\xc1"])
def test_a_beacon_with_something_in_it_is_not_taken_in(body: bytes) -> None:
    _, gid, people = three()
    wren, mallory, _ = people
    forger = Forger(mallory, gid)
    dev = mallory.group(gid).own.dev
    top = wren.room(gid).tracks[dev].top
    forger.hands(wren, forger.message(Kind.BEACON, body))
    assert wren.room(gid).tracks[dev].top == top
    assert [blame.fault for blame in wren.node.blames] == ["malformed"]
