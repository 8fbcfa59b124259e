"""Retention: what has run out is gone from every honest node, is no gap, and comes back by nobody's hand."""

import pytest

from mesh.commands import Rank, SetSetting
from mesh.errors import LocalError, RemoteError
from mesh.events import Space
from mesh.gossip.delivery import DeliveryState
from mesh.groups.retention import KEEP, keep_ms
from mesh.ids import GroupId
from mesh.node.local.methods.messages import gaps_json
from mesh.peer.tracks import Track
from mesh.support.posts import Wish, compose, interpret, lifetime_s
from mesh.wire import limits
from mesh.wire.codec import encode
from mesh.wire.messages import Extra, ExtraTag, Mode, PostBody
from mesh.wire.operations import ZERO32
from simulations.checks import Watch, blamed
from simulations.people import Person, circle
from simulations.world import World

HOUR_S = 3600
DAY_S = 24 * HOUR_S


def three(seed: int = 3, *, keep: str = "0") -> tuple[World, Watch, GroupId, tuple[Person, ...]]:
    """Give wren, juniper and sorrel, in one group and at rest."""
    world = World(seed)
    watch = Watch.over(world)
    gid, people = circle(world, "wren", "juniper", "sorrel", settings=((KEEP, keep), ("history", "last:50")))
    world.run(10)
    return world, watch, gid, tuple(people)


def everything(person: Person) -> bytes:
    """Return all that a store holds, deciphered."""
    return b"".join(value for space in Space for _, value in person.node.store.scan(space))


def pass_time(world: World, seconds: int) -> None:
    """Let the clocks on all walls go on, and the world for a minute: nothing is measured by the other clock here."""
    for node in world.nodes.values():
        node.skew_ms += seconds * 1000
    world.run(60)


def no_gaps(person: Person, gid: GroupId) -> bool:
    """Say whether nothing is said to be missing."""
    assert person.node.peer is not None
    return gaps_json(person.node.peer.state, person.room(gid)) == []


# ---------------------------------------------------------------- a post's own time


def test_a_post_disappears_everywhere_when_its_author_said_so() -> None:
    world, watch, gid, people = three()
    wren, juniper, sorrel = people
    kept = wren.post(gid, "this one stays")
    post = wren.post(gid, "this one goes", expires_s=HOUR_S)
    world.run(60)
    assert juniper.reads(gid) == ["this one stays", "this one goes"]
    assert wren.told(gid, post) == ("reached", 2, 2)
    pass_time(world, HOUR_S)
    for person in people:
        assert person.reads(gid) == ["this one stays"]
        assert b"this one goes" not in everything(person)
        assert no_gaps(person, gid)
    assert wren.told(gid, post) == ("expired", 2, 2), "how far it came stays known"
    assert wren.told(gid, kept) == ("reached", 2, 2)
    watch.at_rest(gid, people)
    before = world.frames_sent
    world.run(10 * 60)
    assert world.frames_sent == before, "nobody asks for it again"
    for person in people:
        person.off()
        person.on()
    world.run(60)
    assert sorrel.reads(gid) == ["this one stays"]
    assert wren.told(gid, post) == ("expired", 2, 2)
    assert blamed(world) == []


def test_one_who_was_away_meanwhile_never_sees_it_and_lacks_nothing() -> None:
    world, watch, gid, people = three(4)
    wren, juniper, sorrel = people
    sorrel.off()
    wren.post(gid, "gone before sorrel is back", expires_s=HOUR_S)
    later = wren.post(gid, "and this is not")
    pass_time(world, 2 * HOUR_S)
    sorrel.on()
    world.run(60)
    assert sorrel.reads(gid) == ["and this is not"]
    assert no_gaps(sorrel, gid)
    assert wren.delivery(gid, later).reached == {juniper.member(gid), sorrel.member(gid)}
    watch.at_rest(gid, people)
    before = world.frames_sent
    world.run(10 * 60)
    assert world.frames_sent == before, "nobody goes on asking for it"


def test_what_comes_after_its_time_is_never_shown_and_nobody_is_told_that_it_came() -> None:
    """The frame itself is late: it lay in a link's queue."""
    world, watch, gid, people = three(5)
    wren, juniper, sorrel = people
    world.clog("wren", "sorrel")
    world.clog("juniper", "sorrel")
    post = wren.post(gid, "too late", expires_s=30)
    world.run(5)
    juniper.off()
    world.run(60)
    assert wren.told(gid, post) == ("expired", 1, 2)
    world.heal()
    juniper.on()
    world.run(60)
    assert sorrel.reads(gid) == []
    assert b"too late" not in everything(sorrel)
    assert wren.delivery(gid, post).reached == {juniper.member(gid)}
    assert no_gaps(sorrel, gid)
    watch.at_rest(gid, people)


def test_a_node_whose_clock_is_ahead_confirms_nothing_that_it_never_showed() -> None:
    world, _, gid, (wren, juniper, sorrel) = three(6)
    sorrel.node.skew_ms = 10 * 60_000
    post = wren.post(gid, "five minutes", expires_s=300)
    world.run(60)
    assert sorrel.reads(gid) == []
    assert wren.delivery(gid, post).reached == {juniper.member(gid)}
    assert sorrel.member(gid) not in wren.delivery(gid, post).held


def test_what_waited_until_its_time_ran_out_never_leaves() -> None:
    world, _, gid, people = three(7)
    wren, juniper, _ = people
    for other in people[1:]:
        other.off()
    world.run(1)
    post = wren.post(gid, "who hears this?", expires_s=60)
    assert wren.told(gid, post)[0] == "queued"
    world.run(120)
    assert wren.told(gid, post) == ("expired", 0, 0)
    assert not wren.room(gid).drafts
    assert not wren.room(gid).waits(post)
    juniper.on()
    world.run(60)
    assert juniper.reads(gid) == wren.reads(gid) == []


def test_a_power_cut_in_the_middle_leaves_it_gone() -> None:
    world, watch, gid, people = three(8)
    wren, juniper, _ = people
    post = wren.post(gid, "not for long", expires_s=60)
    world.run(61)
    for person in (wren, juniper):
        person.off(power_cut=True)
    world.run(60)
    for person in (wren, juniper):
        person.on()
    world.run(1)
    for person in (wren, juniper):
        assert b"not for long" not in everything(person), "at the start, before any tick"
    world.run(20)
    assert wren.told(gid, post)[0] == "expired"
    watch.at_rest(gid, people)


# ---------------------------------------------------------------- what the group keeps


def test_a_group_keeps_what_is_said_as_long_as_it_says() -> None:
    world, watch, gid, people = three(9, keep="24")
    wren, juniper, sorrel = people
    post = juniper.post(gid, "of the first day")
    pass_time(world, 20 * HOUR_S)
    wren.post(gid, "of the second day")
    pass_time(world, 5 * HOUR_S)
    for person in people:
        assert person.reads(gid) == ["of the second day"]
        assert b"of the first day" not in everything(person)
        assert no_gaps(person, gid)
    assert juniper.node.store.get(Space.DELIVERY, gid + post) is None
    assert juniper.node.store.count(Space.POSTS, gid) == 1
    watch.at_rest(gid, people)
    tansy = Person(world, "tansy")
    tansy.join(gid, wren.invite(gid))
    world.run(30)
    assert tansy.reads(gid) == ["of the second day"]
    assert sorrel.group(gid).view.settings[KEEP] == "24"
    assert blamed(world) == []


def test_a_shorter_time_holds_for_what_was_said_before() -> None:
    world, watch, gid, people = three(10)
    wren = people[0]
    for k in range(600):
        wren.post(gid, f"{k:04}")
        if k % 50 == 0:
            world.run(0.5)
    pass_time(world, 3 * HOUR_S)
    world.ask("wren", SetSetting(group=gid, key=KEEP, value="2", own=False))
    world.run(60)
    for person in people:
        assert person.reads(gid) == []
        assert person.node.store.count(Space.POSTS, gid) == person.node.store.count(Space.EXPIRIES, gid) == 0
        assert not person.room(gid).deliveries
    watch.at_rest(gid, people)


def test_of_two_settings_at_one_time_the_shorter_holds() -> None:
    world, _, gid, people = three(11)
    wren, juniper, _ = people
    wren.rank(gid, juniper, Rank.STEWARD)
    world.run(10)
    world.cut("wren", "juniper")
    world.ask("wren", SetSetting(group=gid, key=KEEP, value="48", own=False))
    world.ask("juniper", SetSetting(group=gid, key=KEEP, value="12", own=False))
    world.heal()
    world.run(60)
    assert {keep_ms(person.group(gid)) for person in people} == {12 * HOUR_S * 1000}


def test_frames_of_what_is_no_post_go_too_in_time() -> None:
    world, watch, gid, people = three(12, keep="24")
    wren = people[0]
    for day in range(36):
        wren.post(gid, f"day {day}")
        pass_time(world, DAY_S)
    for person in people:
        frames = person.node.store.count(Space.FRAMES, gid)
        assert frames < 3 * 30 * 3, "what is older than a month is gone, receipts and presence too"
        assert all(track.aged > 0 for track in person.room(gid).tracks.values())
    watch.at_rest(gid, people)


# ---------------------------------------------------------------- forms and limits


TOO_LONG = str(limits.KEEP_HOURS_MAX + 1)


@pytest.mark.parametrize("value", ["", "-1", "07", "1.5", "7d", "for ever", "\u0661", TOO_LONG, "9" * 40])
def test_a_time_that_is_none_is_refused(value: str) -> None:
    world = World(1)
    (wren,) = (Person(world, "wren"),)
    gid = wren.create()
    with pytest.raises(LocalError):
        world.ask("wren", SetSetting(group=gid, key=KEEP, value=value, own=False))
    world.ask("wren", SetSetting(group=gid, key=KEEP, value=str(limits.KEEP_HOURS_MAX), own=False))
    world.ask("wren", SetSetting(group=gid, key=KEEP, value="0", own=False))


def post(*extras: Extra) -> bytes:
    """Return the body of a post with these additions."""
    return encode(PostBody(mode=Mode.LISTENING, cw="", topics=[], text="x", reply_to=b"", extras=list(extras)))


@pytest.mark.parametrize("value", [b"", b"\0" * 4, b"\1", b"\1" * 5, (limits.EXPIRES_S_MAX + 1).to_bytes(4, "big")])
def test_a_post_that_does_not_say_clearly_when_it_disappears_is_refused(value: bytes) -> None:
    with pytest.raises(RemoteError):
        interpret(post(Extra(tag=ExtraTag.EXPIRES, value=value)))


def test_a_post_that_says_it_twice_is_refused_and_other_additions_are_not() -> None:
    once = Extra(tag=ExtraTag.EXPIRES, value=(60).to_bytes(4, "big"))
    with pytest.raises(RemoteError):
        interpret(post(once, once))
    assert lifetime_s(interpret(post(once, Extra(tag=99, value=b"later")))) == 60


@pytest.mark.parametrize("expires_s", [0, -1, limits.EXPIRES_S_MAX + 1])
def test_a_time_that_nobody_can_mean_is_refused_before_it_is_sent(expires_s: int) -> None:
    with pytest.raises(LocalError):
        compose(Wish(text="x", mode="listening", cw="", topics=(), reply_to=b"", expires_s=expires_s))


def test_more_ranges_than_are_kept_give_up_what_lies_between_the_oldest() -> None:
    track = Track()
    for k in range(1, 2 * limits.FRONTIER_GAPS_MAX + 11):
        track.take(k, ZERO32, ZERO32, [])  # type: ignore[arg-type]  # any 32 bytes
    given = []
    for k in range(2, 2 * limits.FRONTIER_GAPS_MAX + 11, 2):
        given += track.forget(k)
    assert len(track.gone.beyond) <= limits.FRONTIER_GAPS_MAX
    numbers = {n for first, last in given for n in range(first, last + 1)}
    assert all(n in track.gone for n in numbers)
    assert all((n in numbers) == (n in track.gone) for n in range(1, track.top + 1))
    assert Track.from_record(track.to_record()).gone == track.gone


def test_the_states_of_what_ended_are_told_as_such() -> None:
    assert [state.value for state in DeliveryState][-2:] == ["expired", "withdrawn"]
