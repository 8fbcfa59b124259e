"""Keys stay young and go when their work is done; nobody is stranded by it, and nothing that is owed is lost."""

import pytest

from mesh.commands import Rekey, SetSetting
from mesh.errors import LocalError, RemoteError
from mesh.events import Space
from mesh.groups.epochs import unwrap
from mesh.groups.group import Group
from mesh.groups.messaging import open_message
from mesh.groups.receiving import unpack_wraps, wrap_gid
from mesh.groups.records import EpochRecord, load
from mesh.ids import GroupId, MsgId, OpId
from mesh.peer.keeping import AGE_MS, USED_MS
from mesh.wire.frames import parse_frame
from mesh.wire.operations import epoch_block
from simulations.chance import SeededEntropy, SeededSealer
from simulations.checks import Watch, agree, blamed, unread
from simulations.people import Person, circle
from simulations.weather import Weather
from simulations.world import World

DAY_MS = 86_400_000
WINDOW_MS = 14 * DAY_MS


def three(seed: int = 5, weather: Weather | None = None) -> tuple[World, GroupId, list[Person]]:
    """Give wren, juniper and sorrel, in one group and at rest."""
    world = World(seed, weather)
    gid, people = circle(world, "wren", "juniper", "sorrel")
    world.run(30)
    return world, gid, people


def later(people: list[Person], ms: int) -> None:
    """Let the wall clocks of all of them go on."""
    for person in people:
        person.node.skew_ms += ms


def all_speak(world: World, gid: GroupId, people: list[Person]) -> None:
    """Let each of them say something, and the rest follow."""
    for person in people:
        person.post(gid, f"{person.name} is here")
    world.run(40)


def rekeyed(world: World, gid: GroupId, by: Person) -> OpId:
    """Have somebody re-key, and return the epoch that was in use before."""
    before = by.group(gid).epoch
    assert before is not None
    world.ask(by.name, Rekey(group=gid))
    world.run(5)
    return before


def can_open(person: Person, gid: GroupId, epoch: OpId) -> bool:
    """Say whether what the store holds opens what was said under an epoch: by its chains, or by its wraps anew."""
    store = person.node.store
    rows = {space: dict(store.scan(space, gid)) for space in (Space.OPS, Space.EPOCHS, Space.CHAINS, Space.KEMS)}
    group = Group.restore(person.group(gid).own, rows)
    if any(held == epoch for held, _ in group.chains):
        return True
    op = group.log.operation(epoch)
    block = epoch_block(op.body)
    assert block is not None
    wraps = unpack_wraps(dict(store.scan(Space.WRAPS, gid + epoch)).get(gid + epoch))
    found = unwrap(
        gid=wrap_gid(op),
        nonce=block.nonce,
        wraps=wraps,
        dev=group.own.dev,
        keys=group.kem_pairs(),
        suite=group.suite,
        sealer=SeededSealer(SeededEntropy(1, "thief")),
    )
    return found is not None


# ------------------------------------------------------------------------------------- epochs


def test_an_epoch_goes_when_all_have_built_on_its_successor() -> None:
    """Forward secrecy: what the store of a node holds now opens nothing of the epoch before.

    What was recorded on the way is another matter: it takes the KEM key to go too.
    """
    world, gid, people = three()
    all_speak(world, gid, people)
    now = people[0].group(gid).epoch
    assert now is not None
    assert all(can_open(person, gid, now) for person in people)
    old = rekeyed(world, gid, people[0])
    assert old == now
    all_speak(world, gid, people)
    for person in people:
        assert person.group(gid).epochs[old].is_retired
        assert not can_open(person, gid, old)
    assert agree(gid, people) == []
    assert blamed(world) == []


def test_one_who_is_silent_holds_an_epoch_back_for_the_window() -> None:
    world, gid, people = three()
    wren, juniper, sorrel = people
    sorrel.off()
    old = rekeyed(world, gid, wren)
    all_speak(world, gid, [wren, juniper])
    assert not wren.group(gid).epochs[old].is_retired
    later(people, WINDOW_MS - DAY_MS)
    world.run(40)
    assert not wren.group(gid).epochs[old].is_retired
    later(people, 2 * DAY_MS)
    world.run(40)
    assert wren.group(gid).epochs[old].is_retired
    assert not can_open(wren, gid, old)


@pytest.mark.parametrize("is_out", [True, False])
def test_a_gap_holds_an_epoch_back_unless_nothing_can_come_any_more(is_out: bool) -> None:
    """Found by the machine in `tests/properties/test_secrecy.py`: one who was removed had said something once more."""
    world, gid, people = three()
    wren, juniper, sorrel = people
    all_speak(world, gid, people)
    late, member = sorrel.device(gid), sorrel.member(gid)
    sorrel.off()
    if is_out:
        wren.remove(gid, member)
    world.run(10)
    for person in (wren, juniper):
        track = person.room(gid).track(late)
        epoch = person.group(gid).epoch
        assert epoch is not None
        track.take(track.top + 2, MsgId(bytes([7]) * 32), epoch, track.heads)
        assert track.sure.gaps_below(track.top)
    if not is_out:  # she has built on it: but for the gap it could go
        for person in (wren, juniper):
            person.group(gid).seen_by[late] = -1
    old = rekeyed(world, gid, wren)
    all_speak(world, gid, [wren, juniper])
    for person in (wren, juniper):
        assert person.group(gid).epochs[old].is_retired == is_out
        assert can_open(person, gid, old) != is_out


def test_wraps_go_when_nobody_can_need_them_and_not_by_age_alone() -> None:
    world, gid, people = three()
    wren, _, sorrel = people
    sorrel.off()
    old = rekeyed(world, gid, wren)
    world.run(5)
    aged = wren.group(gid).epoch
    assert aged is not None
    rekeyed(world, gid, wren)
    later(people, WINDOW_MS + DAY_MS)
    world.run(40)
    for epoch in (old, aged):
        assert wren.group(gid).epochs[epoch].is_retired
        assert wren.node.store.get(Space.WRAPS, gid + epoch) is not None
    sorrel.on()
    world.run(60)
    all_speak(world, gid, people)
    world.ask("wren", Rekey(group=gid))
    world.run(5)
    all_speak(world, gid, people)
    newest = wren.group(gid).epoch
    assert newest is not None
    before = rekeyed(world, gid, wren)
    all_speak(world, gid, people)
    assert wren.node.store.get(Space.WRAPS, gid + before) is None
    assert agree(gid, people) == []


def test_the_window_is_ones_own_to_choose() -> None:
    world, gid, people = three()
    wren, juniper, sorrel = people
    world.ask("wren", SetSetting(group=gid, key="key-window", value="3", own=True))
    for value in ("2", "31", "x", ""):
        with pytest.raises(LocalError):
            world.ask("wren", SetSetting(group=gid, key="key-window", value=value, own=True))
    sorrel.off()
    old = rekeyed(world, gid, wren)
    later(people, 4 * DAY_MS)
    world.run(40)
    assert wren.group(gid).epochs[old].is_retired
    assert not juniper.group(gid).epochs[old].is_retired


def test_what_is_missing_holds_an_epoch_back() -> None:
    """A message under it that is known to be somewhere would be lost for ever."""
    world, gid, people = three()
    wren, juniper, _ = people
    watch = Watch.over(world)
    world.partition(("wren", "juniper"), ("sorrel",))
    for k in range(3):
        wren.post(gid, f"{k}")
    world.run(5)
    rekeyed(world, gid, wren)
    juniper.off()
    wren.off()
    world.heal()
    juniper.on()
    wren.on()
    world.run(60)
    all_speak(world, gid, people)
    assert unread(watch, gid, people) == []


def test_a_retired_epoch_is_not_spoken_under_again() -> None:
    world, gid, people = three()
    all_speak(world, gid, people)
    old = rekeyed(world, gid, people[0])
    all_speak(world, gid, people)
    group = people[0].group(gid)
    newest = group.epoch
    assert newest is not None
    del group.epochs[newest]
    assert group.epoch != old


def test_a_frame_under_a_retired_epoch_is_nobodys_fault() -> None:
    world, gid, people = three()
    wren = people[0]
    all_speak(world, gid, people)
    frames = [value for _, value in wren.node.store.scan(Space.FRAMES, gid)]
    old = rekeyed(world, gid, wren)
    all_speak(world, gid, people)
    for raw in frames:
        with pytest.raises(RemoteError, match=r"retired|opened before"):
            open_message(wren.group(gid), parse_frame(raw), old)


def test_a_restart_keeps_what_is_retired_retired() -> None:
    world, gid, people = three()
    all_speak(world, gid, people)
    old = rekeyed(world, gid, people[0])
    all_speak(world, gid, people)
    for person in people:
        world.restart(person.name)
    world.run(40)
    assert all(person.group(gid).epochs[old].is_retired for person in people)
    all_speak(world, gid, people)
    assert agree(gid, people) == []


def test_half_a_year_later_a_retired_epoch_is_forgotten() -> None:
    world, gid, people = three()
    all_speak(world, gid, people)
    old = rekeyed(world, gid, people[0])
    all_speak(world, gid, people)
    later(people, 181 * DAY_MS)
    world.run(60)
    for person in people:
        assert old not in person.group(gid).epochs
        kept = load(EpochRecord, dict(person.node.store.scan(Space.EPOCHS, gid))[gid + old])
        assert not any((kept.op_key, kept.hdr_key, kept.pub_seed, kept.sync_key))
        world.restart(person.name)
    world.run(60)
    assert not any(old in person.group(gid).epochs for person in people)
    all_speak(world, gid, people)
    assert agree(gid, people) == []


# ------------------------------------------------------------------------------------- KEM keys


def newest(person: Person, gid: GroupId) -> int:
    """The number of a node's newest KEM key."""
    return max(person.group(gid).kems)


@pytest.mark.parametrize(("days", "why"), [(USED_MS, "used"), (AGE_MS, "old")])
def test_a_kem_key_is_replaced_when_it_was_used_or_is_old(days: int, why: str) -> None:
    world, gid, people = three()
    wren, juniper, _ = people
    if why == "used":
        rekeyed(world, gid, wren)
    before = newest(juniper, gid)
    later(people, days)
    world.run(60)
    assert newest(juniper, gid) > before
    for person in people:
        assert person.group(gid).kem_of[juniper.group(gid).own.dev][0] == newest(juniper, gid)
    assert agree(gid, people) == []
    assert blamed(world) == []


def test_a_kem_key_goes_after_its_successor_is_known_to_all() -> None:
    """Whoever seizes a store later opens no wrap that was recorded before."""
    world, gid, people = three()
    wren = people[0]
    for _ in range(2):
        rekeyed(world, gid, wren)
        all_speak(world, gid, people)
    assert sorted(wren.group(gid).kems) == [newest(wren, gid)]


def test_a_key_up_is_known_after_a_restart_and_to_newcomers() -> None:
    """Else they would seal to a key that is gone, and strand its owner."""
    world, gid, people = three()
    wren, juniper, _ = people
    later(people, AGE_MS)
    world.run(60)
    later(people, WINDOW_MS + DAY_MS)
    world.run(60)
    assert newest(juniper, gid) - min(juniper.group(gid).kems) <= 1
    for person in people:
        world.restart(person.name)
    tansy = Person(world, "tansy", skew_ms=wren.node.skew_ms)
    tansy.join(gid, wren.invite(gid), wren)
    world.run(60)
    world.ask("tansy", Rekey(group=gid))
    world.run(20)
    epoch = tansy.group(gid).epoch
    assert all(person.group(gid).epoch == epoch for person in people)


def test_with_nobody_there_no_key_is_made() -> None:
    world, gid, people = three()
    wren, juniper, sorrel = people
    rekeyed(world, gid, juniper)
    juniper.off()
    sorrel.off()
    before = newest(wren, gid)
    later(people, USED_MS)
    world.run(60)
    assert newest(wren, gid) == before
