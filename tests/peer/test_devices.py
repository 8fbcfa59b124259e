"""Several devices of one person: a home enters the groups of another, speaks, reads, and is taken out again."""

import pytest

from mesh.commands import Rank
from mesh.errors import LocalError, RefusedError
from mesh.events import FrameReceived, LinkKind, Space
from mesh.groups.pairing import pairing_keys
from mesh.ids import GroupId
from mesh.peer.links import Session
from mesh.peer.records import JoinStage
from mesh.secret import Secret
from mesh.upkeep import EndEntering, EnterGroup, OpenPairing, RemoveDevice
from mesh.wire import limits
from mesh.wire.frames import FrameType, seal_frame
from simulations.checks import Watch, agree, blamed
from simulations.people import Person, circle, gather
from simulations.world import Crash, Crashed, World

NAMES = ("wren", "juniper", "sorrel", "aspen")
ENTERING_S = 400.0  # past the machine's patience with an answer that does not come


def five(seed: int) -> tuple[World, GroupId, list[Person], Person]:
    """Give a group of four people, one of whom has a phone beside their first device."""
    world = World(seed)
    Watch.over(world)
    gid, people = circle(world, *NAMES)
    phone = Person(world, "phone")
    assert phone.enter_groups_of(people[0], name="phone").entered == [gid]
    settle(world, gid, [*people, phone])
    return world, gid, people, phone


def settle(world: World, gid: GroupId, people: list[Person]) -> None:
    """Let time pass until these hold the same, and are linked."""
    assert world.run_until(lambda: agree(gid, people) == [] and linked(gid, people), 120), agree(gid, people)


def linked(gid: GroupId, people: list[Person]) -> bool:
    return all(sum(s.heard for s in present(person, gid)) >= len(people) - 1 for person in people)


def present(person: Person, gid: GroupId) -> list[Session]:
    assert person.node.peer is not None
    return [session for _, session in person.node.peer.state.present(person.room(gid))]


# ---------------------------------------------------------------- two devices of one member


def test_a_second_device_reads_and_speaks_as_the_same_member() -> None:
    world, gid, people, phone = five(1)
    wren, juniper, *_ = people
    everybody = [*people, phone]
    assert len(wren.group(gid).view.members) == 4
    assert len(wren.group(gid).view.devices) == 5
    assert phone.member(gid) == wren.member(gid)
    assert phone.device(gid) != wren.device(gid)
    for person in everybody:
        person.post(gid, f"by {person.name}")
    world.run(20)
    assert all(sorted(person.reads(gid)) == sorted(f"by {p.name}" for p in everybody) for person in everybody)
    authors = {message.member for message in juniper.messages(gid)}
    assert len(authors) == 4
    assert blamed(world) == []


@pytest.mark.parametrize("others_are_there", [True, False])
def test_what_was_said_before_comes_over_whatever_the_group_shows_newcomers(*, others_are_there: bool) -> None:
    """One's own other device hands on all that it has; it is the same member, and was meant to have it."""
    world = World(24)
    Watch.over(world)
    gid, people = circle(world, *NAMES)
    for person in people:
        person.post(gid, f"by {person.name}")
    world.run(10)
    if not others_are_there:
        for person in people[1:]:
            person.off()
    phone = Person(world, "phone")
    phone.enter_groups_of(people[0])
    assert world.run_until(lambda: len(phone.reads(gid)) == 4, 60)
    assert sorted(phone.reads(gid)) == sorted(f"by {name}" for name in NAMES)
    assert phone.node.store.count(Space.UNREAD, gid) == 0, "it was news once"
    assert blamed(world) == []


def test_what_counts_members_counts_no_device_twice_and_not_oneself() -> None:
    world, gid, people, phone = five(2)
    wren, juniper, *_ = people
    by_phone, by_juniper = phone.post(gid, "from my phone"), juniper.post(gid, "from juniper")
    world.run(20)
    assert phone.told(gid, by_phone) == ("reached", 3, 3)
    assert juniper.told(gid, by_juniper) == ("reached", 3, 3)
    assert "from my phone" in wren.reads(gid)
    assert wren.node.store.count(Space.UNREAD, gid) == 1, "what one says oneself is no news on another device"
    assert phone.node.store.count(Space.UNREAD, gid) == 1
    track = wren.room(gid).tracks[phone.device(gid)]
    assert not track.owes, "one's own device is sent no receipt"


def test_a_yes_said_on_two_devices_is_one_yes() -> None:
    world = World(25)
    Watch.over(world)
    gid, (wren, juniper, sorrel) = circle(world, "wren", "juniper", "sorrel")
    wren.rank(gid, juniper, Rank.MODERATOR)
    phone, aspen = gather(world, "phone", "aspen")
    phone.enter_groups_of(wren)
    settle(world, gid, [wren, juniper, sorrel, phone])
    join = aspen.look(wren.invite(gid, approvals=2))
    assert aspen.until(lambda: aspen.stage(join) is JoinStage.PREVIEW)
    aspen.knock(join, gid)
    everybody = (wren, phone, juniper)
    assert aspen.until(lambda: all(person.waiting(gid) for person in everybody))
    (knock,) = wren.waiting(gid)
    wren.decide(gid, knock, admit=True)
    phone.decide(gid, knock, admit=True)
    world.run(20)
    assert aspen.stage(join) is JoinStage.KNOCKING
    assert [len(person.room(gid).knocks[knock].approvals) for person in everybody] == [1, 1, 1]
    juniper.decide(gid, knock, admit=True)
    assert aspen.until(lambda: aspen.stage(join) is JoinStage.JOINED)
    assert blamed(world) == []


def test_one_s_own_other_device_holds_a_post_and_is_not_counted() -> None:
    world, gid, people, phone = five(3)
    wren, *others = people
    for other in others:
        other.off()
    world.run(5)
    post = wren.post(gid, "into the quiet")
    world.run(20)
    assert wren.told(gid, post) == ("queued", 0, 3)
    assert "into the quiet" in phone.reads(gid)
    wren.off()
    others[0].on()
    assert world.run_until(lambda: "into the quiet" in others[0].reads(gid), 60), "the phone hands it on"


@pytest.mark.parametrize("away", [False, True])
def test_leaving_on_one_device_leaves_on_all_of_them(*, away: bool) -> None:
    world, gid, people, phone = five(4)
    wren, *others = people
    if away:
        phone.off()
    wren.leave(gid)
    world.run(30)
    if away:
        phone.on()
    assert world.run_until(lambda: phone.group(gid).own.left, 60)
    assert agree(gid, others) == []
    assert len(others[0].group(gid).view.devices) == 3
    with pytest.raises(RefusedError):
        phone.post(gid, "still here?")
    assert blamed(world) == []


def test_a_member_who_is_removed_notices_on_each_device() -> None:
    world = World(6)
    Watch.over(world)
    gid, (wren, juniper, sorrel) = circle(world, "wren", "juniper", "sorrel")
    phone = Person(world, "phone")
    phone.enter_groups_of(juniper)
    settle(world, gid, [wren, juniper, sorrel, phone])
    sorrel.off()
    wren.remove(gid, juniper.member(gid))
    assert world.run_until(lambda: juniper.room(gid).seems_out and phone.room(gid).seems_out, 120)
    world.run(120)
    assert juniper.room(gid).seems_out, "the phone goes on telling that both are in, and was removed with it"
    assert phone.room(gid).seems_out


# ---------------------------------------------------------------- taking a device out


def test_a_lost_device_is_taken_out_while_it_is_off_and_reads_nothing_more() -> None:
    world, gid, people, phone = five(7)
    wren, juniper, *_ = people
    phone.off()
    world.run(5)
    code = wren.invite(gid)
    lost = next(
        d
        for d in wren.group(gid).view.devices
        if wren.group(gid).view.devices[d] == wren.member(gid) and d != wren.device(gid)
    )
    wren.remove_device(gid, lost)
    settle(world, gid, people)
    assert not wren.group(gid).invites[code.invite].open, "whoever has it could watch who knocks"
    assert len(wren.group(gid).view.members) == 4
    post = juniper.post(gid, "after")
    world.run(10)
    assert juniper.told(gid, post) == ("reached", 3, 3)
    phone.on()
    assert world.run_until(lambda: phone.room(gid).seems_out, 60)
    phone.post(gid, "let me in")
    world.run(60)
    assert "after" not in phone.reads(gid)
    assert all("let me in" not in person.reads(gid) for person in people)
    assert blamed(world) == []


def test_a_removed_device_comes_back_as_another_with_root_and_code() -> None:
    world, gid, people, phone = five(8)
    wren, *_ = people
    before = phone.device(gid)
    wren.remove_device(gid, before)
    world.run(60)
    assert phone.enter_groups_of(wren).entered == [gid]
    settle(world, gid, [*people, phone])
    assert phone.device(gid) != before
    phone.post(gid, "here again")
    world.run(20)
    assert all("here again" in person.reads(gid) for person in people)
    assert blamed(world) == []


def test_a_device_is_not_removed_by_itself_nor_one_of_another_member() -> None:
    world, gid, people, phone = five(9)
    wren, juniper, *_ = people
    with pytest.raises(LocalError) as own:
        wren.remove_device(gid, wren.device(gid))
    assert own.value.code == "E-THIS-DEVICE"
    with pytest.raises(LocalError) as other:
        wren.remove_device(gid, juniper.device(gid))
    assert other.value.code == "E-NO-DEVICE"
    forged = RemoveDevice(group=gid, device=phone.device(gid), member_seed=Secret(bytes(32)))
    with pytest.raises(RefusedError):
        world.ask("wren", forged)
    assert phone.device(gid) in wren.group(gid).view.devices


def test_partitions_around_an_addition_and_a_removal_heal() -> None:
    """The phone comes in on one side while the other goes on; then it is taken out there, and speaks on the other."""
    world = World(10)
    Watch.over(world)
    gid, people = circle(world, *NAMES)
    wren, juniper, sorrel, aspen = people
    phone = Person(world, "phone")
    world.partition(("wren", "juniper", "phone"), ("sorrel", "aspen"))
    juniper.post(gid, "on one side")
    aspen.post(gid, "on the other")
    assert phone.enter_groups_of(wren).entered == [gid]
    phone.post(gid, "by phone")
    world.run(20)
    world.heal()
    settle(world, gid, [*people, phone])
    world.run(30)
    assert all("by phone" in person.reads(gid) for person in people)
    world.partition(("wren", "juniper"), ("sorrel", "aspen", "phone"))
    wren.remove_device(gid, phone.device(gid))
    phone.post(gid, "before I knew")
    world.run(30)
    world.heal()
    settle(world, gid, people)
    sorrel.post(gid, "after")
    world.run(30)
    assert "before I knew" in sorrel.reads(gid)
    assert "before I knew" not in wren.reads(gid), "it lies past the cut"
    assert "after" not in phone.reads(gid)
    assert blamed(world) == []


# ---------------------------------------------------------------- the code


def test_without_the_root_a_code_leads_nowhere() -> None:
    world, gid, people, _ = five(11)
    stranger = Person(world, "stranger")
    people[0].show_code()
    entering = stranger.look_for(people[0], Secret(b"\x01" * 32))
    assert not stranger.enter_next(entering, ENTERING_S)
    assert not entering.listed
    assert gid not in entering.nonces
    assert blamed(world) == []


def test_a_code_brings_in_one_home_and_not_two() -> None:
    world, _, people, _ = five(12)
    key = people[0].show_code()
    laptop, thief = gather(world, "laptop", "thief")
    first = laptop.look_for(people[0], key)
    assert laptop.until(lambda: first.ready is not None)
    second = thief.look_for(people[0], key)
    assert not thief.enter_next(second, 60)
    assert not second.listed
    assert laptop.enter_next(first)
    assert not laptop.enter_next(first)
    assert first.over


def test_a_code_runs_out_and_a_new_one_makes_the_old_one_void() -> None:
    world, _, people, _ = five(13)
    wren = people[0]
    laptop = Person(world, "laptop")
    old = wren.show_code()
    new = wren.show_code()
    assert not laptop.enter_next(laptop.look_for(wren, old), 60)
    world.run(limits.PAIRING_MS / 1000)
    late = laptop.look_for(wren, new)
    assert not laptop.enter_next(late, 60)
    assert not late.listed
    world.run(limits.PAIRING_MS / 1000)
    assert laptop.node.peer is not None
    assert laptop.node.peer.state.entering is None, "whoever asks in vain gives up"


def test_names_are_not_given_twice() -> None:
    world, _, people, _ = five(14)
    with pytest.raises(LocalError) as taken:
        people[0].show_code(name="Phone")
    assert taken.value.code == "E-DEVICE-NAME"
    with pytest.raises(LocalError):
        world.ask("wren", OpenPairing(key=Secret(bytes(32)), name="desk", own_name="Desk"))


def test_a_fifth_device_is_refused_in_words_and_nothing_changes() -> None:
    world, gid, people, phone = five(15)
    wren = people[0]
    for name in ("tablet", "laptop"):
        assert Person(world, name).enter_groups_of(wren).entered == [gid]
    world.run(10)
    fifth = Person(world, "fifth")
    entering = fifth.enter_groups_of(wren)
    assert entering.entered == []
    assert "4 devices" in str(entering.refused[gid])
    assert fifth.node.store.count(Space.GROUPS) == 0
    assert len(wren.group(gid).view.devices) == 7
    wren.remove_device(gid, phone.device(gid))
    world.run(10)
    assert fifth.enter_groups_of(wren).entered == [gid]


def test_a_full_group_is_said_to_be_full(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(16)
    gid, people = circle(world, *NAMES)
    monkeypatch.setitem(limits.DEVICES_MAX, 2, 4)
    entering = Person(world, "phone").enter_groups_of(people[0])
    assert "its suite carries 4" in str(entering.refused[gid])


def test_what_comes_under_the_key_of_a_code_and_makes_no_sense_is_blamed_and_changes_nothing() -> None:
    """Only who has root and code can sign such a frame: one's own home gone wrong, at worst."""
    world, _, people, phone = five(23)
    wren = people[0]
    key = wren.show_code()
    entering = phone.look_for(wren, key)
    assert phone.until(lambda: entering.over)
    world.ask("phone", EndEntering())
    keys = pairing_keys(wren.show_code())
    bad = [
        seal_frame(FrameType.PAIR_ASK, keys.pub_seed, b"short"),
        seal_frame(FrameType.PAIR_ASK, keys.pub_seed, bytes(200)),
        seal_frame(FrameType.PAIR_ANSWER, keys.pub_seed, bytes(200)),
    ]
    assert wren.node.peer is not None
    before = dict(wren.node.peer.state.homes)
    link = next(iter(wren.node.links))
    for raw in bad:
        world._give(wren.node, FrameReceived(link=link, kind=LinkKind.FRAME, payload=raw))
    assert len(wren.node.blames) == 2, "an answer to nothing that is asked is passed over"
    assert wren.node.peer.state.homes == before
    other = pairing_keys(Secret(b"\x07" * 32))
    strange = seal_frame(FrameType.PAIR_ASK, other.pub_seed, bytes(200))
    world._give(wren.node, FrameReceived(link=link, kind=LinkKind.FRAME, payload=strange))
    assert len(wren.node.blames) == 2, "of another topic than any of ours"


# ---------------------------------------------------------------- what stops half-way


def two_groups(seed: int) -> tuple[World, list[GroupId], Person, Person]:
    """Give a world in which wren founded two groups with juniper."""
    world = World(seed)
    Watch.over(world)
    wren, juniper = gather(world, "wren", "juniper")
    gids = [wren.create("Tuesday grief"), wren.create("Sunday walks")]
    for gid in gids:
        juniper.join(gid, wren.invite(gid))
    world.run(10)
    return world, gids, wren, juniper


@pytest.mark.parametrize("crash", list(Crash))
@pytest.mark.parametrize("commit", range(1, 9))
def test_whatever_stops_the_new_device_asking_again_completes_it(commit: int, crash: Crash) -> None:
    world, gids, wren, juniper = two_groups(17)
    phone = Person(world, "phone")
    phone.node.crash_at_commit, phone.node.crash = phone.node.commits + commit, crash
    key = wren.show_code()
    try_to_enter(phone, wren, key)
    assert world.run_until(lambda: not phone.node.up, 60)
    phone.on()
    world.run(5)
    entering = phone.enter_groups_of(wren)
    assert sorted([*entering.entered, *entering.here]) == sorted(gids)
    assert entering.refused == {}
    for gid in gids:
        settle(world, gid, [wren, juniper, phone])
        assert len(wren.group(gid).view.devices) == 3, "one device for each home, whatever happened"
        phone.post(gid, "all is well")
    world.run(20)
    assert all("all is well" in juniper.reads(gid) for gid in gids)
    assert blamed(world) == []


def try_to_enter(phone: Person, first: Person, key: Secret) -> None:
    """Go as far as it goes until the machine stops."""
    try:
        entering = phone.look_for(first, key)
        while phone.node.up and phone.enter_next(entering, 20):
            pass
    except Crashed:
        assert not phone.node.up


def test_the_first_device_stops_half_way() -> None:
    world, gids, wren, juniper = two_groups(18)
    phone = Person(world, "phone")
    entering = phone.look_for(wren, wren.show_code())
    assert phone.enter_next(entering)
    assert phone.until(lambda: entering.ready is not None)
    wren.off(power_cut=True)
    world.run(5)
    wren.on()
    world.run(30)
    again = phone.enter_groups_of(wren)
    assert sorted([*again.entered, *again.here]) == sorted(gids)
    for gid in gids:
        settle(world, gid, [wren, juniper, phone])
        assert len(wren.group(gid).view.devices) == 3


def test_groups_joined_later_come_over_the_next_time_and_the_others_are_passed_over() -> None:
    world, gids, wren, _ = two_groups(19)
    phone = Person(world, "phone")
    assert sorted(phone.enter_groups_of(wren).entered) == sorted(gids)
    later = wren.create("A third one")
    entering = phone.enter_groups_of(wren)
    assert (entering.entered, sorted(entering.here)) == ([later], sorted(gids))


def test_a_home_that_is_behind_brings_over_what_it_has_and_the_rest_follows() -> None:
    """It is one's own device, and believed; what it had not heard, the new one hears from the others."""
    world = World(20)
    Watch.over(world)
    gid, (wren, juniper, sorrel, aspen) = circle(world, *NAMES)
    world.partition(("wren",), ("juniper", "sorrel", "aspen"))
    world.run(5)
    juniper.post(gid, "while wren is away")
    sorrel.leave(gid)
    world.run(20)
    phone = Person(world, "phone")
    world.cut("phone", "juniper")
    world.cut("phone", "aspen")
    world.cut("phone", "sorrel")
    assert phone.enter_groups_of(wren).entered == [gid]
    world.heal()
    settle(world, gid, [wren, juniper, aspen, phone])
    phone.post(gid, "caught up")
    world.run(20)
    assert "caught up" in juniper.reads(gid)
    assert blamed(world) == []


def test_nothing_enters_that_was_not_asked_for() -> None:
    world, gids, wren, _ = two_groups(21)
    with pytest.raises(LocalError):
        world.ask("wren", EnterGroup(group=gids[0], member_seed=wren.member_seeds[gids[0]]))


def test_no_store_holds_a_member_key_or_the_key_of_a_code() -> None:
    world, gids, wren, _ = two_groups(22)
    phone = Person(world, "phone")
    key = wren.show_code()
    entering = phone.look_for(wren, key)
    while phone.enter_next(entering):
        pass
    phone.remove_device(gids[0], wren.device(gids[0]))
    secrets = [key.reveal(), *(wren.member_seeds[gid].reveal() for gid in gids)]
    for person in (wren, phone):
        rows = [k + v for space in Space for k, v in person.node.store.scan(space)]
        assert not any(secret in row for secret in secrets for row in rows)
