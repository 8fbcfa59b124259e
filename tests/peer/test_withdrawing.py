"""Withdrawing: an author's words go from every honest node, whatever comes first, and nobody else's can be taken."""

import pytest

from mesh.commands import Withdraw
from mesh.errors import LocalError, RefusedError
from mesh.events import Space
from mesh.groups.history import HISTORY
from mesh.ids import DeviceId, GroupId, PostId
from mesh.wire import limits
from mesh.wire.codec import encode
from mesh.wire.messages import Kind, WithdrawalBody
from simulations.checks import Watch, blamed
from simulations.people import Person, circle
from simulations.world import Crash, World
from tests.peer.forgery import Forger
from tests.peer.test_retention import everything, no_gaps

WORDS = "a word too much"


def three(seed: int = 3) -> tuple[World, Watch, GroupId, tuple[Person, ...]]:
    """Give wren, juniper and sorrel, in one group and at rest."""
    world = World(seed)
    watch = Watch.over(world)
    gid, people = circle(world, "wren", "juniper", "sorrel", settings=((HISTORY, "last:50"),))
    world.run(10)
    return world, watch, gid, tuple(people)


def is_gone(gid: GroupId, people: tuple[Person, ...]) -> bool:
    """Say whether nobody has a word of it, and nobody misses anything."""
    return all(WORDS.encode() not in everything(p) and no_gaps(p, gid) for p in people)


def test_what_an_author_takes_back_goes_everywhere_and_its_place_says_so() -> None:
    world, watch, gid, people = three()
    wren, juniper, sorrel = people
    wren.post(gid, "before")
    post = wren.post(gid, WORDS)
    juniper.post(gid, "after")
    world.run(10)
    places = [[m.at_ms for m in p.messages(gid)] for p in people]
    wren.withdraw(gid, post)
    assert WORDS.encode() not in everything(wren), "at once, and before anybody is told"
    world.run(10)
    assert is_gone(gid, people)
    for person in people:
        assert person.reads(gid) == ["before", "after"]
        assert person.taken_back(gid) == [post]
    assert [[m.at_ms for m in p.messages(gid)] for p in people] == places, "in its place"
    assert wren.told(gid, post) == ("withdrawn", 2, 2)
    watch.at_rest(gid, people)
    world.run(30)
    before = world.frames_sent
    wren.withdraw(gid, post)
    world.run(60)
    assert world.frames_sent == before, "taking it back again does nothing"
    for person in people:
        person.off()
        person.on()
    world.run(60)
    assert is_gone(gid, people)
    assert [p.taken_back(gid) for p in people] == [[post]] * 3
    assert sorrel.node.store.count(Space.WITHDRAWN, gid) == 0
    assert blamed(world) == []


def test_what_nobody_has_yet_never_leaves() -> None:
    world, _, gid, people = three(4)
    wren, juniper, sorrel = people
    juniper.off()
    sorrel.off()
    world.run(1)
    post = wren.post(gid, WORDS)
    wren.withdraw(gid, post)
    assert wren.told(gid, post) == ("withdrawn", 0, 0)
    assert not wren.room(gid).drafts
    assert not wren.room(gid).waits(post)
    juniper.on()
    sorrel.on()
    world.run(30)
    assert is_gone(gid, people)
    assert juniper.messages(gid) == []


def test_a_withdrawal_that_comes_before_the_post_keeps_it_out_and_stands_in_its_place() -> None:
    world, watch, gid, people = three(5)
    wren, juniper, sorrel = people
    world.clog("wren", "sorrel")
    world.clog("juniper", "sorrel")
    post = wren.post(gid, WORDS)
    world.run(5)
    frame = next(v for k, v in wren.node.store.scan(Space.FRAMES, gid + wren.device(gid)) if _is_of(wren, gid, post, k))
    wren.withdraw(gid, post)
    world.run(5)
    for other in ("wren", "juniper"):
        world.flap(other, "sorrel")  # what lay in the queues is lost
    world.heal()
    world.run(40)
    assert sorrel.taken_back(gid) == [post]
    sorrel.off()
    sorrel.on()
    world.run(30)
    Forger(juniper, gid).hands(sorrel, frame)  # somebody kept it, and hands it over all the same
    world.run(5)
    assert sorrel.taken_back(gid) == [post]
    assert is_gone(gid, people)
    watch.at_rest(gid, people)


def _is_of(person: Person, gid: GroupId, post: PostId, key: bytes) -> bool:
    return int.from_bytes(key[48:], "big") == person.delivery(gid, post).mseq


def test_one_who_was_away_for_both_sees_that_something_was_taken_back() -> None:
    world, watch, gid, people = three(6)
    wren, juniper, sorrel = people
    sorrel.off()
    post = wren.post(gid, WORDS)
    world.run(5)
    wren.withdraw(gid, post)
    later = wren.post(gid, "later")
    world.run(5)
    sorrel.on()
    world.run(60)
    assert sorrel.taken_back(gid) == [post]
    assert sorrel.reads(gid) == ["later"]
    assert is_gone(gid, people)
    assert wren.delivery(gid, later).reached == {juniper.member(gid), sorrel.member(gid)}
    watch.at_rest(gid, people)


def test_newcomers_are_handed_that_it_was_taken_back_and_not_the_words() -> None:
    world, watch, gid, people = three(7)
    wren = people[0]
    post = wren.post(gid, WORDS)
    world.run(5)
    wren.withdraw(gid, post)
    world.run(5)
    tansy = Person(world, "tansy")
    tansy.join(gid, wren.invite(gid))
    world.run(40)
    assert tansy.taken_back(gid) == [post]
    assert tansy.reads(gid) == []
    assert is_gone(gid, (*people, tansy))
    assert blamed(world) == []
    watch.at_rest(gid, [*people, tansy])


def test_who_came_between_the_post_and_the_withdrawal_is_shown_nothing_that_was_not_theirs() -> None:
    world = World(8)
    watch = Watch.over(world)
    gid, (wren, juniper) = circle(world, "wren", "juniper")
    world.run(10)
    post = wren.post(gid, WORDS)
    world.run(5)
    tansy = Person(world, "tansy")
    tansy.join(gid, wren.invite(gid))
    world.run(20)
    wren.withdraw(gid, post)
    world.run(20)
    assert juniper.taken_back(gid) == [post]
    assert tansy.messages(gid) == []
    watch.at_rest(gid, [wren, juniper, tansy])


def test_nobody_takes_back_what_another_said() -> None:
    world, _, gid, people = three(9)
    wren, juniper, sorrel = people
    post = wren.post(gid, "this stays")
    world.run(5)
    row = next(m for m in juniper.messages(gid) if m.post == post)
    assert row.origin is not None
    with pytest.raises(RefusedError):
        juniper.withdraw(gid, post)
    body = WithdrawalBody(
        dev=wren.device(gid), mseq=row.mseq, uid=row.origin.uid, ts_ms=row.ts_ms, epoch=row.origin.epoch
    )
    forger = Forger(juniper, gid)
    forger.hands(sorrel, forger.message(Kind.WITHDRAWAL, encode(body)))
    world.run(5)
    assert sorrel.reads(gid) == wren.reads(gid) == ["this stays"]
    assert sorrel.taken_back(gid) == []


def test_numbers_that_nobody_can_mean_do_nothing() -> None:
    world, _, gid, people = three(10)
    wren, juniper, _ = people
    forger = Forger(juniper, gid)
    epoch = juniper.group(gid).epoch
    assert epoch is not None
    for dev, mseq in ((juniper.device(gid), limits.MSEQ_MAX), (DeviceId(bytes(16)), 1)):
        body = WithdrawalBody(dev=dev, mseq=mseq, uid=bytes(16), ts_ms=0, epoch=epoch)
        forger.hands(wren, forger.message(Kind.WITHDRAWAL, encode(body)))
    world.run(5)
    assert wren.messages(gid) == []
    juniper_s = wren.room(gid).tracks[juniper.device(gid)]
    assert not juniper_s.gone.beyond
    assert blamed(world) == []


def test_a_row_that_has_moved_is_not_taken_for_another() -> None:
    world, _, gid, people = three(11)
    wren = people[0]
    post = wren.post(gid, "sealed by now")
    world.run(5)
    command = Withdraw(
        group=gid,
        post=post,
        place=bytes(64),
        dev=wren.device(gid),
        mseq=0,
        uid=bytes(16),
        ts_ms=0,
        epoch=wren.group(gid).epoch or wren.group(gid).log.heads[0],
        flags=0,
        gone_ms=0,
    )
    with pytest.raises(LocalError) as refused:
        world.ask("wren", command)
    assert refused.value.code == "E-MOVED"
    assert wren.reads(gid) == ["sealed by now"]


@pytest.mark.parametrize("crash", list(Crash))
@pytest.mark.parametrize("commit", range(1, 5))
def test_a_crash_in_the_middle_of_hearing_it_loses_nothing(commit: int, crash: Crash) -> None:
    world, watch, gid, people = three(12)
    wren, juniper, _ = people
    post = wren.post(gid, WORDS)
    world.run(10)
    juniper.node.crash_at_commit, juniper.node.crash = juniper.node.commits + commit, crash
    wren.withdraw(gid, post)
    world.run(5)
    if not juniper.node.up:
        juniper.on()
    juniper.node.crash_at_commit = None
    world.run(60)
    assert juniper.taken_back(gid) == [post]
    assert is_gone(gid, people)
    watch.at_rest(gid, people)


def test_a_second_device_takes_back_what_the_first_said() -> None:
    world, watch, gid, people = three(13)
    wren, juniper, _ = people
    phone = Person(world, "phone")
    phone.enter_groups_of(wren)
    world.run(30)
    post = wren.post(gid, WORDS)
    world.run(10)
    phone.withdraw(gid, post)
    world.run(20)
    assert is_gone(gid, (*people, phone))
    assert wren.told(gid, post)[0] == "withdrawn"
    assert juniper.taken_back(gid) == phone.taken_back(gid) == [post]
    watch.at_rest(gid, [*people, phone])
