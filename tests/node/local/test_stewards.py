"""Stewards over simulated nodes: who is on duty, terms that end in one's own node, and handing over."""

import pytest

from mesh.commands import MakeStatement, Rank, SayNote
from mesh.errors import LocalError, RefusedError
from mesh.events import Notice, Notify
from mesh.ids import GroupId, PostId
from mesh.node.local.inprocess import run_to_end
from mesh.node.local.methods.shown import iso
from mesh.node.local.methods.stewards import end_terms
from mesh.node.local.methods.telling import Teller
from mesh.node.local.protocol import JsonObject, JsonValue
from mesh.wire.codec import encode
from mesh.wire.notes import NoteTag, ReportedPost, ReportNote
from mesh.wire.statements import DutyValue, Form, TermValue
from simulations.checks import agree, blamed
from simulations.people import Person, circle
from simulations.world import World
from tests.node.local.test_messages import GROUP, call
from tests.node.local.test_methods import WorldDesk, part
from tests.node.local.test_shelf import states
from tests.peer.forgery import Forger

DAY_MS = 86_400_000


def four(seed: int = 3) -> tuple[World, GroupId, list[Person], list[WorldDesk]]:
    """Give wren (founder), juniper (steward), sorrel (moderator) and tansy (member), with the keys of their desks."""
    world = World(seed)
    gid, people = circle(world, "wren", "juniper", "sorrel", "tansy")
    world.run(10)
    people[0].rank(gid, people[1], Rank.STEWARD)
    people[0].rank(gid, people[2], Rank.MODERATOR)
    if people[3].group(gid).rank is Rank.NEWCOMER:
        people[0].rank(gid, people[3], Rank.MEMBER)
    world.run(10)
    desks = [WorldDesk(world, person.name) for person in people]
    for person, desk in zip(people, desks, strict=True):
        desk.seeds[person.group(gid).own.join_nonce] = person.member_seeds[gid]
    return world, gid, people, desks


def pass_days(world: World, days: int) -> None:
    """Let the clocks go on by so many days, and the nodes settle."""
    for node in world.nodes.values():
        node.skew_ms += days * DAY_MS
    world.run(60)


def who(desk: WorldDesk) -> dict[str, JsonObject]:
    """Who serves, by alias."""
    found = call(desk, "stewards.list", group=GROUP)["stewards"]
    assert isinstance(found, list)
    return {str(entry["alias"]): entry for entry in found if isinstance(entry, dict)}


def on_duty(desk: WorldDesk) -> list[str]:
    return [name for name, entry in who(desk).items() if entry["on_duty"]]


def duty(desk: WorldDesk, *, on: bool, **more: JsonValue) -> JsonObject:
    return call(desk, "steward.duty", group=GROUP, on=on, wait_s=5.0, **more)


def term(desk: WorldDesk, **more: JsonValue) -> JsonObject:
    return call(desk, "steward.term", group=GROUP, passphrase="p", wait_s=5.0, **more)


def problems(desk: WorldDesk) -> str:
    return str(call(desk, "status")["problems"])


# ---------------------------------------------------------------- duty


def test_all_see_who_is_on_duty_and_those_who_are_not_are_left_in_peace() -> None:
    world, gid, people, desks = four()
    wren, juniper, sorrel, tansy = desks
    assert [on_duty(desk) for desk in desks] == [["wren", "juniper", "sorrel"]] * 4
    until = "2999-01-01T00:00:00+00:00"
    with pytest.raises(LocalError):
        duty(wren, on=False, until=until)
    assert duty(wren, on=False)["told"] is True
    duty(sorrel, on=False)
    world.run(5)
    assert [on_duty(desk) for desk in desks] == [["juniper"]] * 4
    assert "Nobody is on duty" not in problems(tansy)
    knocks = Notify(notice=Notice.KNOCK, group=gid, subject=b"k" * 32)
    assert Teller().tell(wren, knocks) == []
    assert [event["event"] for event in Teller().tell(juniper, knocks)] == ["knock"]
    duty(juniper, on=False)
    world.run(5)
    assert [on_duty(desk) for desk in desks] == [[]] * 4
    assert call(tansy, "stewards.list", group=GROUP)["on_duty"] == 0
    assert ["Nobody is on duty" in problems(desk) for desk in desks] == [False, False, False, True]
    duty(wren, on=True)
    world.run(5)
    assert [on_duty(desk) for desk in desks] == [["wren"]] * 4
    for person in people:
        person.off()
        person.on()
    world.run(30)
    assert [on_duty(desk) for desk in desks] == [["wren"]] * 4, "after a restart too"
    assert agree(gid, people) == []
    assert blamed(world) == []


def test_one_who_is_off_duty_is_told_nothing_of_reports_and_whoever_is_on_duty_is() -> None:
    world, gid, people, (wren, juniper, _, _) = four(14)
    duty(wren, on=False)
    world.run(5)
    post = ReportedPost(post=PostId(b"p" * 16), member=people[2].member(gid), ts_ms=1, text="It hurt.", signed=None)
    value = encode(ReportNote(text="Please look.", posts=[post]))
    seniors = tuple(person.member(gid) for person in people[:2])
    world.ask("tansy", SayNote(group=gid, tag=NoteTag.REPORT, to=seniors, value=value))
    world.run(20)
    for desk, told in ((wren, []), (juniper, ["report"])):
        [key] = desk.state.rooms[gid].sealed
        subject = int(NoteTag.REPORT).to_bytes(2, "big") + key[32:]
        notice = Notify(notice=Notice.SUPPORT, group=gid, subject=subject)
        assert [event["form"] for event in Teller().tell(desk, notice)] == told


def test_whoever_is_away_until_a_day_is_on_duty_when_it_comes() -> None:
    world, _, _, desks = four(4)
    wren, _, sorrel, _ = desks
    until_ms = wren.now().wall_ms + 2 * DAY_MS
    duty(sorrel, on=False, until=iso(until_ms))
    world.run(5)
    assert who(wren)["sorrel"]["off_until"] == iso(until_ms)
    pass_days(world, 3)
    assert [on_duty(desk) for desk in desks] == [["wren", "juniper", "sorrel"]] * 4


def test_nobody_is_off_duty_or_on_by_anothers_word_and_members_have_none() -> None:
    world, gid, people, desks = four(5)
    wren, juniper, sorrel, tansy = desks
    with pytest.raises(RefusedError):
        duty(tansy, on=False)
    duty(juniper, on=False)
    world.run(5)
    mallory = Forger(people[3], gid)
    for value in (DutyValue(on=True, until_ms=0), DutyValue(on=False, until_ms=0)):
        states(mallory, people[:3], Form.DUTY, b"", value)
        states(mallory, people[:3], Form.DUTY, people[1].member(gid), value)
    world.run(5)
    for desk in (wren, juniper, sorrel):
        assert on_duty(desk) == ["wren", "sorrel"], "no member's word, and nobody's for another, changes it"
    steward = Forger(people[1], gid)
    states(steward, [people[0], people[2]], Form.DUTY, b"", DutyValue(on=True, until_ms=0))
    world.run(5)
    assert on_duty(wren) == ["wren", "juniper", "sorrel"], "what a changed program says of itself is believed"
    call(wren, "group.rank", group=GROUP, member="sorrel", rank="member")
    world.run(5)
    assert on_duty(tansy) == ["wren", "juniper"] or on_duty(tansy) == ["wren"], "who is no moderator serves no more"
    assert blamed(world) == []


# ---------------------------------------------------------------- terms


def test_a_term_is_announced_ends_in_ones_own_node_and_steps_down_with_the_passphrase() -> None:
    world, gid, people, desks = four(6)
    wren, juniper, _, tansy = desks
    assert "Your term" not in problems(juniper)
    pass_days(world, 77)
    assert "Your term in" in problems(juniper)
    assert "ends on" in problems(juniper)
    assert run_to_end(end_terms(juniper, "p")) == []
    pass_days(world, 14)
    assert "is over. Others go on" in problems(juniper)
    deeds: list[tuple[str, JsonObject]] = [
        ("group.set", {"key": "members-invite", "value": "on"}),
        ("group.remove", {"member": "tansy"}),
        ("group.agreement", {"action": "edit", "text": "mine"}),
        ("group.rank", {"member": "sorrel", "rank": "member"}),
    ]
    for method, asked in deeds:
        with pytest.raises(RefusedError) as over:
            call(juniper, method, group=GROUP, **asked)
        assert over.value.code == "E-TERM-OVER"
    assert who(tansy)["juniper"]["rank"] == "steward", "nothing is signed without the member key"
    assert run_to_end(end_terms(juniper, "p")) == [GROUP]
    world.run(10)
    assert [sorted(who(desk)) for desk in desks] == [["sorrel", "wren"]] * 4
    assert "You have stepped down" in problems(juniper)
    assert "nobody else is a founder" in problems(wren), "the last founder goes on, and is asked to find another"
    assert run_to_end(end_terms(wren, "p")) == []
    assert agree(gid, people) == []
    assert blamed(world) == []


def test_two_founders_whose_terms_end_apart_leave_the_group_with_one() -> None:
    world, gid, people, desks = four(6)
    wren, juniper, *_ = people
    wren.rank(gid, juniper, Rank.FOUNDER)
    world.run(10)
    pass_days(world, 95)
    world.partition(("wren",), ("juniper",), ("sorrel", "tansy"))
    world.run(5)
    assert [run_to_end(end_terms(desk, "p", 30)) for desk in desks[:2]] == [[], []], "neither hears of the other"
    world.heal()
    world.run(60)
    first, second = sorted(range(2), key=lambda k: people[k].member(gid))
    assert run_to_end(end_terms(desks[first], "p")) == [], "whoever goes on in any case does not step down by itself"
    assert run_to_end(end_terms(desks[second], "p", 30)) == [GROUP]
    world.run(10)
    assert run_to_end(end_terms(desks[first], "p")) == []
    assert [person.group(gid).rank for person in people[:2]].count(Rank.FOUNDER) == 1
    assert agree(gid, people) == []
    assert blamed(world) == []


def test_two_stewards_in_a_group_without_a_founder_do_not_both_go() -> None:
    world, gid, people, desks = four(7)
    wren, juniper, sorrel, _ = people
    wren.rank(gid, sorrel, Rank.STEWARD)
    world.run(10)
    wren.leave(gid)
    world.run(30)
    pass_days(world, 95)
    world.partition(("juniper",), ("sorrel",), ("tansy",))
    world.run(5)
    assert [run_to_end(end_terms(desk, "p", 5)) for desk in desks[1:3]] == [[], []]
    world.heal()
    world.run(60)
    ended = [run_to_end(end_terms(desk, "p", 5)) for desk in desks[1:3]]
    world.run(10)
    assert sorted(ended) == [[], [GROUP]]
    assert sorted(person.group(gid).rank for person in (juniper, sorrel)) == [Rank.STEWARD, Rank.MEMBER]


def test_a_further_device_puts_a_term_off_and_never_brings_its_end_nearer() -> None:
    world, gid, people, desks = four(6)
    juniper = people[1]
    laptop = Person(world, "laptop")
    laptop.enter_groups_of(juniper)
    world.run(20)
    me = juniper.group(gid).me
    assert me is not None

    def ends() -> str:
        shown = term(desks[1])["term"]
        assert isinstance(shown, dict)
        return str(shown["until"])

    before = ends()
    for until_ms in (1, world.instant(juniper.node).wall_ms + 100_000 * DAY_MS):
        value = encode(TermValue(until_ms=until_ms))
        world.ask("laptop", MakeStatement(group=gid, form=Form.TERM, subject=me.grant, value=value))
        world.run(10)
        if until_ms == 1:
            assert ends() == before
            assert run_to_end(end_terms(desks[1], "p")) == []
            assert juniper.group(gid).rank is Rank.STEWARD
    latest = world.instant(juniper.node).wall_ms + 90 * DAY_MS
    assert before < ends() <= iso(latest), "no later than the group lets anybody serve"
    term(desks[1], days=5)
    assert ends() < before, "this device's own later word holds"


def test_a_term_is_renewed_or_set_and_all_see_until_when() -> None:
    world, gid, people, desks = four(7)
    wren, juniper, _, tansy = desks
    assert who(tansy)["juniper"]["term_until"] is None, "nothing was said of it"
    for days in (0, -1, 91, 10**9):
        with pytest.raises(LocalError):
            term(juniper, days=days)
    with pytest.raises(RefusedError):
        term(tansy, renew=True)
    pass_days(world, 80)
    assert term(juniper, renew=True)["told"] is True
    world.run(5)
    assert "Your term" not in problems(juniper)
    said = who(tansy)["juniper"]["term_until"]
    assert said == part(term(juniper), "term")["until"] is not None
    term(juniper, days=1)
    pass_days(world, 2)
    assert who(tansy)["juniper"]["term_over"] is True
    assert part(term(juniper), "term")["over"] is True
    mallory = Forger(people[3], gid)
    grant = people[1].group(gid).view.members[people[0].member(gid)].grant
    states(mallory, people[:3], Form.TERM, grant, TermValue(until_ms=1))
    states(Forger(people[1], gid), [people[0]], Form.TERM, grant, TermValue(until_ms=1))
    world.run(5)
    assert who(wren)["wren"]["term_over"] is False, "nobody ends another's term"
    assert blamed(world) == []


def test_a_group_may_set_how_long_and_a_changed_program_that_never_ends_can_be_lowered_by_a_founder() -> None:
    world, gid, people, desks = four(8)
    wren, _, _, tansy = desks
    call(wren, "group.set", group=GROUP, key="steward-term", value="7")
    world.run(5)
    grant = people[0].group(gid).view.members[people[1].member(gid)].grant
    others = [people[0], people[2], people[3]]
    states(Forger(people[1], gid), others, Form.TERM, grant, TermValue(until_ms=2**53 - 1))
    pass_days(world, 400)
    assert who(tansy)["juniper"]["rank"] == "steward", "its own node alone would have ended it: that is the limit"
    call(wren, "steward.term", group=GROUP, renew=True, wait_s=5.0)
    call(wren, "group.rank", group=GROUP, member="juniper", rank="member")
    world.run(10)
    assert sorted(who(tansy)) == ["sorrel", "wren"]
    for wrong in ("-1", "367", "never", "", "007"):
        with pytest.raises(LocalError):
            call(wren, "group.set", group=GROUP, key="steward-term", value=wrong)
    call(wren, "group.set", group=GROUP, key="steward-term", value="0")
    world.run(5)
    call(wren, "group.rank", group=GROUP, member="sorrel", rank="steward")
    world.run(5)
    assert who(desks[2])["sorrel"]["term_until"] is None
    assert blamed(world) == []


def test_the_last_of_a_rank_cannot_step_down() -> None:
    _, _, _, (wren, juniper, _, _) = four(9)
    with pytest.raises(RefusedError) as last:
        term(wren, end=True)
    assert last.value.code == "E-LAST-STEWARD"
    assert term(juniper, end=True)["stepped_down"] is True


# ---------------------------------------------------------------- handing over


def handover(desk: WorldDesk, member: str, **more: JsonValue) -> JsonObject:
    asked: JsonObject = {"group": GROUP, "member": member, "check": False, "passphrase": "p", "wait_s": 5.0, **more}
    return call(desk, "steward.handover", **asked)


def test_a_founder_hands_over_only_when_the_others_node_has_heard() -> None:
    world, gid, people, desks = four(10)
    wren = desks[0]
    call(wren, "invite.new", group=GROUP, uses=1, expires_s=3600, note="")
    shown = handover(wren, "tansy", check=True)
    items = shown["checklist"]
    assert isinstance(items, list)
    counted = {str(i["item"]): i["count"] for i in items if isinstance(i, dict)}
    assert (counted["invites"], counted["knocks"], counted["reports"], counted["room"]) == (1, 0, 0, 0)
    assert (shown["given"], shown["stepped_down"]) == (False, False)
    people[3].off()
    world.run(5)
    first = handover(wren, "tansy")
    assert (first["given"], first["heard"], first["stepped_down"]) == (True, False, False)
    assert who(wren)["wren"]["rank"] == "founder", "the group is never without"
    people[3].on()
    world.run(30)
    second = handover(wren, "tansy")
    assert (second["given"], second["stepped_down"]) == (True, True)
    world.run(10)
    for desk in desks:
        assert {name: entry["rank"] for name, entry in who(desk).items()} == {
            "tansy": "founder",
            "juniper": "steward",
            "sorrel": "moderator",
        }
    with pytest.raises(RefusedError):
        handover(wren, "sorrel")
    assert agree(gid, people) == []


def test_a_steward_is_told_whom_to_ask_and_steps_down_for_one_who_has_the_rank() -> None:
    world, _, _, (wren, juniper, _, tansy) = four(11)
    with pytest.raises(RefusedError) as refused:
        handover(juniper, "tansy")
    assert refused.value.code == "E-HANDOVER"
    assert "wren" in refused.value.do
    call(wren, "group.rank", group=GROUP, member="tansy", rank="steward")
    world.run(10)
    assert handover(juniper, "tansy")["stepped_down"] is True
    world.run(10)
    assert sorted(who(tansy)) == ["sorrel", "tansy", "wren"]
    with pytest.raises(LocalError):
        handover(tansy, "tansy")


# ---------------------------------------------------------------- nobody is left


def test_when_no_steward_was_heard_from_for_long_status_points_to_a_fork() -> None:
    world, gid, people, desks = four(12)
    _, _, sorrel, tansy = desks
    people[0].off()
    people[1].off()
    pass_days(world, 10)
    assert "was heard from" not in problems(tansy)
    for _ in range(3):
        pass_days(world, 10)
        people[2].post(gid, "anybody there?")
        world.run(30)
    assert "No steward of" in problems(tansy)
    assert "mesh group fork" in problems(tansy)
    assert call(sorrel, "stewards.list", group=GROUP)["silent_days"] is not None


def test_one_whose_own_machine_was_off_blames_nobody() -> None:
    world, _, people, desks = four(13)
    for other in people[:3]:
        other.off()
    pass_days(world, 90)
    assert "was heard from" not in problems(desks[3])
