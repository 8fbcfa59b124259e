"""What yields to what: words past a cut, words that are over, words of one who left without a trace or said them late.

Each story ends with honest nodes that see the same, in whatever order they heard it.
"""

from itertools import permutations

import pytest

from mesh.commands import MakeStatement, Rank, SetRank
from mesh.events import Space
from mesh.ids import GroupId
from mesh.peer.circling import circles_of
from mesh.support import meetings
from mesh.support.circles import Phase
from mesh.support.ladder import LOGGED_S, quiet_id
from mesh.support.slots import slot, thing_id
from mesh.wire import limits
from mesh.wire.codec import Record, encode
from mesh.wire.messages import Kind, StatementBody
from mesh.wire.statements import CircleValue, ClosingValue, Form, LiftValue, ListenerValue, MeetingValue, QuietValue
from simulations.checks import blamed
from simulations.people import Person
from simulations.world import World
from tests.peer.forgery import Forger
from tests.peer.test_restating import pinned, rows
from tests.peer.test_stating import HOUR_MS, flag_of, four, states

DAY_S = 86_400


def says(person: Person, gid: GroupId, form: Form, subject: bytes, value: Record, *, lasts_s: int = 0) -> None:
    command = MakeStatement(group=gid, form=form, subject=subject, value=encode(value), lasts_s=lasts_s)
    person.world.ask(person.name, command)


def offers(person: Person, gid: GroupId, topic: str, lasts_s: int) -> None:
    offer = ListenerValue(holds=True, topics=[topic], start=0, end=0)
    says(person, gid, Form.LISTENER, b"", offer, lasts_s=lasts_s)


def quiets(person: Person, gid: GroupId, alias: str) -> None:
    """Ask somebody to be quiet for two weeks, in words that are kept for 44 days."""
    value = QuietValue(made_ms=now_ms(person), member=person.key_of(gid, alias), for_s=14 * DAY_S, cuts=[])
    says(person, gid, Form.QUIET, quiet_id(person.member(gid), value), value, lasts_s=44 * DAY_S)


def now_ms(person: Person) -> int:
    return person.world.instant(person.node).wall_ms


def skews(world: World, hours: int) -> None:
    for node in world.nodes.values():
        node.skew_ms += hours * HOUR_MS


def phase(person: Person, gid: GroupId) -> Phase:
    return circles_of(person.room(gid), now_ms(person))[0].phase


# ---------------------------------------------------------------- past a cut


@pytest.mark.parametrize("crash", [False, True])
def test_what_was_said_past_a_cut_yields_to_what_counts_wherever_it_was_heard(crash: bool) -> None:
    world, gid, people, post = pinned(3)
    wren, juniper, sorrel, tansy = people
    world.partition(("wren", "tansy"), ("juniper", "sorrel"))
    world.run(5)
    juniper.pin(gid, post, holds=False)  # sorrel alone hears it
    world.run(10)
    assert sorrel.pinned(gid) == []
    if crash:
        sorrel.off(power_cut=False)
        sorrel.on()
    wren.remove(gid, juniper.member(gid))
    world.run(10)
    juniper.off()
    world.heal()
    world.run(60)
    assert [person.pinned(gid) for person in (wren, sorrel, tansy)] == [[post]] * 3
    assert blamed(world) == []


@pytest.mark.parametrize("order", list(permutations(("unpins", "removes", "meets sorrel"))))
def test_in_whatever_order_it_is_heard_all_come_to_see_the_same(order: tuple[str, ...]) -> None:
    """Tansy hears of the removal and of the later word, in each order; then sorrel hears all from whoever is there."""
    world, gid, people, post = pinned(4)
    wren, juniper, sorrel, tansy = people
    world.partition(("wren",), ("juniper",), ("tansy",), ("sorrel",))
    world.run(5)
    juniper.pin(gid, post, holds=False)
    wren.remove(gid, juniper.member(gid))
    world.run(5)
    sides = {
        "unpins": (("wren",), ("juniper", "tansy"), ("sorrel",)),
        "removes": (("wren", "tansy"), ("juniper",), ("sorrel",)),
        "meets sorrel": (("wren",), ("juniper",), ("sorrel", "tansy")),
    }
    for what in order:
        world.paths.clear()
        world.partition(*sides[what])
        world.run(100)
    juniper.off()
    world.heal()
    world.run(90)
    assert [person.pinned(gid) for person in (wren, sorrel, tansy)] == [[post]] * 3
    assert blamed(world) == []


def test_a_removal_that_counts_no_more_gives_back_what_it_cut_off() -> None:
    world, gid, people, post = pinned(5)
    wren, juniper, sorrel, tansy = people
    wren.rank(gid, sorrel, Rank.STEWARD)
    world.run(10)
    world.partition(("wren",), ("juniper", "tansy"), ("sorrel",))
    world.run(5)
    juniper.pin(gid, post, holds=False)
    sorrel.remove(gid, juniper.member(gid))
    wren.remove(gid, sorrel.member(gid))
    world.run(10)
    assert tansy.pinned(gid) == []
    world.paths.clear()
    world.partition(("wren",), ("juniper",), ("sorrel", "tansy"))
    assert world.run_until(lambda: "juniper" not in tansy.members(gid), 600)
    world.run(60)
    assert tansy.pinned(gid) == [post]
    world.heal()
    world.run(120)
    assert "juniper" in tansy.members(gid), "whoever removed her had been removed"
    assert [person.pinned(gid) for person in (wren, juniper, tansy)] == [[]] * 3
    assert blamed(world) == []


# ---------------------------------------------------------------- what is over


def test_an_offer_that_is_over_ends_an_older_one_that_would_last_longer() -> None:
    world, gid, people, _ = four(6)
    wren, juniper, sorrel, tansy = people
    offers(juniper, gid, "a", 30 * DAY_S)
    world.run(10)
    tansy.off()
    world.run(2)
    offers(juniper, gid, "b", 3600)
    world.run(10)
    skews(world, 2)
    world.run(60)
    tansy.on()
    world.run(60)
    assert [person.stated(gid, Form.LISTENER) for person in (wren, juniper, sorrel, tansy)] == [[]] * 4
    skews(world, 367 * 24)
    world.run(60)
    for person in people:
        assert all(row.origin is None for row in rows(person, gid)), "in the end its words go everywhere"
    assert blamed(world) == []


def test_a_meeting_that_is_over_ends_an_older_one_too() -> None:
    world, gid, people, _ = four(7)
    wren, _, _, tansy = people
    weekly = MeetingValue(day="tue", minute=600, zone="UTC", note="")
    says(wren, gid, Form.MEETING, b"", weekly)
    world.run(10)
    tansy.off()
    says(wren, gid, Form.MEETING, b"", MeetingValue(day="2026-12-01", minute=600, zone="UTC", note=""), lasts_s=3600)
    world.run(10)
    skews(world, 2)
    world.run(60)
    tansy.on()
    world.run(60)
    assert [person.stated(gid, Form.MEETING) for person in people] == [[]] * 4


def test_a_clock_that_was_far_ahead_for_a_moment_loses_nothing_for_good() -> None:
    world, gid, people, _ = pinned(8)
    _, juniper, _, tansy = people
    quiets(juniper, gid, "tansy")
    offers(juniper, gid, "a", DAY_S)
    world.run(10)
    tansy.node.skew_ms += 50 * 24 * HOUR_MS
    world.run(60)
    assert tansy.quiets(gid) == []
    tansy.node.skew_ms -= 50 * 24 * HOUR_MS
    tansy.off()
    tansy.on()
    world.run(60)
    assert [len(person.quiets(gid)) for person in people] == [1] * 4
    assert [len(person.stated(gid, Form.LISTENER)) for person in people] == [1] * 4
    assert blamed(world) == []


def test_links_that_stand_are_asked_anew_within_the_hour() -> None:
    world, gid, people, _ = pinned(8)
    _, juniper, _, tansy = people
    quiets(juniper, gid, "tansy")
    world.run(10)
    tansy.node.skew_ms += 50 * 24 * HOUR_MS
    world.run(60)
    tansy.node.skew_ms -= 50 * 24 * HOUR_MS
    assert tansy.quiets(gid) == []
    world.run(3_700)
    assert len(tansy.quiets(gid)) == 1


def test_of_a_form_that_is_not_known_no_words_are_kept() -> None:
    world, gid, people, post = four(9)
    states(Forger(people[3], gid), people[:3], flag_of(post, form=9000))
    world.run(5)
    for person in people[:3]:
        (row,) = rows(person, gid)
        assert row.origin is None
        assert len(row.body) < len(flag_of(post, form=9000))


# ---------------------------------------------------------------- quiets


def test_a_quiet_that_is_dated_back_is_opened_by_a_lift() -> None:
    world, gid, people, _ = pinned(3)
    wren, juniper, sorrel, tansy = people
    sorrel.post(gid, "said in peace")
    world.run(10)
    back_ms = now_ms(wren) - 14 * DAY_S * 1000 + 2 * HOUR_MS
    value = QuietValue(made_ms=back_ms, member=wren.key_of(gid, "sorrel"), for_s=14 * DAY_S - 3600, cuts=[])
    subject = quiet_id(juniper.member(gid), value)
    body = StatementBody(form=Form.QUIET, subject=subject, lasts_s=0, value=encode(value))
    states(Forger(juniper, gid), [wren, sorrel, tansy], encode(body), ts_ms=back_ms)
    world.run(5)
    skews(world, 3)
    world.run(20)
    assert len(wren.hushed(gid)) == 1, "the quiet is over, and closes what it says that it closes"
    wren.ends_quiet(gid, subject)
    world.run(10)
    assert [person.hushed(gid) for person in (wren, sorrel, tansy)] == [set()] * 3


def test_what_a_former_device_said_before_is_not_closed() -> None:
    world, gid, people, _ = pinned(10)
    wren, juniper, sorrel, tansy = people
    laptop = Person(world, "laptop")
    laptop.enter_groups_of(tansy)
    world.run(30)
    laptop.post(gid, "from my laptop, in peace")
    world.run(10)
    tansy.remove_device(gid, laptop.device(gid))
    world.run(20)
    laptop.off()
    juniper.asks_to_be_quiet(gid, "tansy", DAY_S)
    world.run(10)
    assert [person.hushed(gid) for person in (wren, juniper, sorrel, tansy)] == [set()] * 4


@pytest.mark.parametrize("form", [Form.LISTENER, Form.MEETING])
def test_one_who_is_asked_to_be_quiet_says_nothing_by_other_means(form: Form) -> None:
    world, gid, people, _ = pinned(11)
    wren, juniper, sorrel, tansy = people
    wren.asks_to_be_quiet(gid, "juniper", DAY_S)
    world.run(10)
    value: Record = ListenerValue(holds=True, topics=["what I say all the same"], start=0, end=0)
    if form is Form.MEETING:
        value = MeetingValue(day="tue", minute=600, zone="UTC", note="what I say all the same")
    body = StatementBody(form=form, subject=b"", lasts_s=3600, value=encode(value))
    states(Forger(juniper, gid), [wren, sorrel, tansy], encode(body))
    world.run(10)
    assert [person.stated(gid, form) for person in (wren, sorrel, tansy)] == [[]] * 3


# ---------------------------------------------------------------- without a trace


def test_the_lift_of_one_who_leaves_without_a_trace_stays() -> None:
    world, gid, people, _ = pinned(12)
    wren, juniper, sorrel, tansy = people
    wren.rank(gid, sorrel, Rank.STEWARD)
    world.run(10)
    juniper.asks_to_be_quiet(gid, "tansy", 14 * DAY_S)
    world.run(10)
    sorrel.ends_quiet(gid, tansy.quiets(gid)[0].id)
    world.run(10)
    sorrel.leave(gid, wipe=True)
    world.run(30)
    left = (wren, juniper, tansy)
    assert [[quiet.lasts(now_ms(p)) for quiet in p.quiets(gid)] for p in left] == [[False]] * 3
    alder = Person(world, "alder")
    alder.join(gid, wren.invite(gid))
    world.run(30)
    assert [quiet.lasts(now_ms(alder)) for quiet in alder.quiets(gid)] == [False], "it is handed on"
    assert blamed(world) == []


def test_a_circle_stays_closed_without_the_words_of_one_who_left_no_trace() -> None:
    world, gid, people, _ = pinned(13)
    wren, juniper, sorrel, tansy = people
    value = CircleValue(made_ms=now_ms(wren), question="What helped?", turn_s=300, rounds=1, lasts_s=DAY_S)
    says(wren, gid, Form.CIRCLE, slot(wren.device(gid), 0), value)
    opened = thing_id(Form.CIRCLE, wren.member(gid), value)
    world.run(10)
    says(juniper, gid, Form.CLOSING, opened, ClosingValue(text="go well, all of you"))
    world.run(10)
    assert {phase(p, gid) for p in people} == {Phase.CLOSED}
    juniper.leave(gid, wipe=True)
    world.run(30)
    left = (wren, sorrel, tansy)
    assert {phase(p, gid) for p in left} == {Phase.CLOSED}
    for person in left:
        assert not any(b"go well" in value for _, value in person.node.store.scan(Space.STATEMENTS, gid))
        person.off()
        person.on()
    world.run(30)
    assert {phase(p, gid) for p in left} == {Phase.CLOSED}, "after a start too"
    assert blamed(world) == []


def test_who_leaves_without_a_trace_holds_no_statements_from_then_on() -> None:
    _, gid, people, _ = pinned(14)
    wren, *others = people
    for other in others:
        other.off()
    assert list(wren.room(gid).statements)
    wren.leave(gid, wipe=True)
    assert list(wren.room(gid).statements) == []
    assert wren.pinned(gid) == []


def test_what_gave_way_is_forgotten_with_its_author() -> None:
    world, gid, people, post = pinned(15)
    wren, juniper, *_ = people
    juniper.pin(gid, post, holds=False)
    world.run(5)
    assert wren.node.store.count(Space.GAVE_WAY, gid) == 1
    juniper.leave(gid, wipe=True)
    world.run(30)
    assert wren.node.store.count(Space.GAVE_WAY, gid) == 0


# ---------------------------------------------------------------- whatever time they bear


def quiet_body(author: Person, gid: GroupId, alias: str, *, lasts_s: int = 0, made_ms: int = 0) -> bytes:
    """Encode what asks a member to be quiet for two weeks, as a changed program may."""
    value = QuietValue(made_ms=made_ms, member=author.key_of(gid, alias), for_s=14 * DAY_S, cuts=[])
    subject = quiet_id(author.member(gid), value)
    return encode(StatementBody(form=Form.QUIET, subject=subject, lasts_s=lasts_s, value=encode(value)))


def test_a_lifted_quiet_does_not_come_back_when_the_lift_has_aged() -> None:
    """Its author says that it is kept for ever; a lift is kept for 44 days."""
    world, gid, people, _ = four(73)
    wren, juniper, sorrel, tansy = people
    wren.rank(gid, tansy, Rank.MODERATOR)
    world.run(10)
    sorrel.post(gid, "said in good faith")
    world.run(10)
    forger = Forger(tansy, gid)
    frame = forger.message(Kind.STATEMENT, quiet_body(tansy, gid, "sorrel"), ts_ms=now_ms(tansy) - 3_600_000)
    for honest in (wren, juniper, sorrel):
        forger.hands(honest, frame)
    world.run(10)
    assert wren.hushed(gid)
    [quiet] = wren.quiets(gid)
    says(
        wren, gid, Form.LIFT, quiet.id, LiftValue(), lasts_s=limits.QUIET_S_MAX + LOGGED_S
    )  # as `sanction --lift` does
    world.run(10)
    assert [p.hushed(gid) for p in (wren, juniper, sorrel)] == [set()] * 3
    skews(world, 45 * 24)
    world.run(60)
    assert [p.hushed(gid) for p in (wren, juniper, sorrel)] == [set()] * 3


def test_one_who_was_removed_asks_nobody_to_be_quiet_from_next_month_on() -> None:
    """Dated ahead, it begins to count when nobody can see any more why it should."""
    world, gid, people, _ = four(74)
    wren, juniper, sorrel, tansy = people
    wren.rank(gid, tansy, Rank.MODERATOR)
    world.run(10)
    forger = Forger(tansy, gid)
    for month in (1, 2):
        body = quiet_body(tansy, gid, "sorrel", made_ms=month)
        frame = forger.message(Kind.STATEMENT, body, ts_ms=now_ms(tansy) + month * 30 * DAY_S * 1000)
        for honest in (wren, juniper, sorrel):
            forger.hands(honest, frame)
    world.run(30)
    assert wren.quiets(gid) == [], "there is nothing yet that anybody could end"
    wren.remove(gid, tansy.member(gid))
    world.run(60)
    tansy.off()
    skews(world, 31 * 24)
    world.run(60)
    assert [q.lasts(now_ms(p)) for p in (wren, sorrel) for q in p.quiets(gid)] == []


def test_one_who_was_removed_does_not_call_the_group_to_a_meeting_next_month() -> None:
    """Dated ahead, it is the last word of all from that day on."""
    world, gid, people, _ = four(83)
    wren, juniper, sorrel, tansy = people
    wren.rank(gid, tansy, Rank.MODERATOR)
    world.run(10)
    forger = Forger(tansy, gid)
    value = MeetingValue(day="tue", minute=1200, zone="UTC", note="we meet at my house from now on")
    body = encode(StatementBody(form=Form.MEETING, subject=b"", lasts_s=0, value=encode(value)))
    frame = forger.message(Kind.STATEMENT, body, ts_ms=now_ms(tansy) + 30 * DAY_S * 1000)
    for honest in (wren, juniper, sorrel):
        forger.hands(honest, frame)
    world.run(10)
    wren.remove(gid, tansy.member(gid))
    world.run(60)
    tansy.off()
    says(wren, gid, Form.MEETING, b"", MeetingValue(day="fri", minute=1140, zone="UTC", note="as ever"))
    world.run(20)
    skews(world, 31 * 24)
    world.run(60)
    for honest in (wren, juniper, sorrel):
        word = meetings.fold(honest.stated(gid, Form.MEETING))
        assert word is not None
        assert word.member == wren.member(gid), "tansy has been out for a month"


def test_a_moderator_who_stepped_down_asks_nobody_to_be_quiet_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """The heads that they claim are theirs to choose, and stepping down makes no new epoch."""
    world, gid, people, post = four(75)
    wren, juniper, sorrel, tansy = people
    wren.rank(gid, tansy, Rank.MODERATOR)
    world.run(10)
    log, epoch, seed = tansy.group(gid).log, tansy.group(gid).epoch, tansy.member_seeds[gid]
    assert epoch is not None
    before = log.heads_over([epoch], limits.HEADS_MAX)
    world.ask("tansy", SetRank(group=gid, member=tansy.member(gid), rank=Rank.MEMBER, member_seed=seed))
    world.run(20)
    assert wren.group(gid).view.members[tansy.member(gid)].rank is Rank.MEMBER
    forger = Forger(tansy, gid)
    with monkeypatch.context() as changed:
        changed.setattr(type(log), "heads_over", lambda *_: before)
        frame = forger.message(Kind.STATEMENT, quiet_body(tansy, gid, "sorrel"), ts_ms=now_ms(tansy))
        pin = forger.message(Kind.STATEMENT, flag_of(post, form=Form.PIN), ts_ms=now_ms(tansy))
    for honest in (wren, juniper, sorrel):
        forger.hands(honest, frame)
        forger.hands(honest, pin)
    world.run(20)
    assert [len(p.quiets(gid)) for p in (wren, juniper, sorrel)] == [0, 0, 0]
    assert [p.pinned(gid) for p in (wren, juniper, sorrel)] == [[post]] * 3, "what they set up as a moderator stays"
    for rank in (Rank.MODERATOR, Rank.MEMBER):
        wren.rank(gid, tansy, rank)
        world.run(20)
    assert [p.pinned(gid) for p in (wren, juniper, sorrel)] == [[]] * 3, "unless somebody else takes the rank"


def test_what_says_nothing_takes_no_room_and_replaces_nothing() -> None:
    """Else whoever missed what makes no sense in its form would go by what it replaced elsewhere."""
    world, gid, people, post = four(79)
    wren, juniper, sorrel, tansy = people
    tansy.flag(gid, post)
    world.run(10)
    forger = Forger(tansy, gid)
    states(forger, [wren, sorrel], encode(StatementBody(form=Form.FLAG, subject=post, lasts_s=0, value=bytes(4096))))
    world.run(10)
    assert [p.flagged(gid) for p in (wren, juniper, sorrel)] == [{post: ["tansy"]}] * 3
    for k in range(64):
        body = StatementBody(form=Form.FLAG, subject=k.to_bytes(16, "big"), lasts_s=0, value=bytes(4096))
        forger.hands(wren, forger.message(Kind.STATEMENT, encode(body), ts_ms=now_ms(tansy)))
    world.run(10)
    kept = sum(len(value) for _, value in wren.node.store.scan(Space.STATEMENTS, gid))
    assert kept < 4096
    assert blamed(world) == []
