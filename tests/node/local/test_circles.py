"""Circles among five: turns in order, a slot for who was away, others' posts wait; a changed program moves nothing."""

import pytest

from mesh.commands import Rank
from mesh.errors import LocalError, RefusedError
from mesh.ids import GroupId, PostId
from mesh.node.local.methods.telling import Teller
from mesh.node.local.protocol import JsonObject, JsonValue
from mesh.peer.circling import circles_of
from mesh.peer.state import post_id
from mesh.support.circles import Circle, in_round, seat
from mesh.support.posts import Wish, compose
from mesh.support.slots import slot, thing_id
from mesh.wire.codec import Record, encode
from mesh.wire.messages import Kind, StatementBody
from mesh.wire.statements import (
    CircleValue,
    ClosingValue,
    Form,
    MoveValue,
    SeatValue,
    StartValue,
    TurnValue,
)
from simulations.checks import agree, blamed
from simulations.people import Person
from simulations.world import World
from tests.node.local.test_messages import GROUP, call, read, say
from tests.node.local.test_methods import WorldDesk, part
from tests.peer.forgery import Forger
from tests.peer.test_raising import newcomer
from tests.properties.circles import five as five_people

DAY_S = 86_400
QUESTION = "What helped you this week?"


def five(seed: int = 3) -> tuple[World, GroupId, list[Person], list[WorldDesk]]:
    """Give wren (founder), juniper (steward), sorrel, tansy and alder (members) at their desks."""
    world, gid, people = five_people(seed)
    for person in people[2:]:
        if person.group(gid).rank is Rank.NEWCOMER:
            people[0].rank(gid, person, Rank.MEMBER)
    world.run(10)
    return world, gid, people, [WorldDesk(world, person.name) for person in people]


def do(desk: WorldDesk, act: str, **more: JsonValue) -> JsonObject:
    """Do something in the circle; return how it stands."""
    return part(call(desk, f"circle.{act}", group=GROUP, wait_s=5.0, **more), "circle")


def shown(desk: WorldDesk) -> JsonObject:
    """Return how the circle stands for one."""
    return part(call(desk, "circle.show", group=GROUP), "circle")


def names(circle: JsonObject, key: str) -> list[str]:
    """Return who is named in a field."""
    found = circle[key]
    people = found if isinstance(found, list) else [found]
    return [str(person["alias"]) for person in people if isinstance(person, dict)]


def stand(circle: JsonObject) -> tuple[JsonValue, list[str]]:
    """Return how far a circle is, and who speaks."""
    return circle["state"], names(circle, "speaking")


def begun(world: World, desks: list[WorldDesk], **more: JsonValue) -> None:
    """Open a circle of sorrel's with all five in it, and begin it: wren is the last to speak."""
    sorrel = desks[2]
    do(sorrel, "open", question=QUESTION, turn_s=300, **more)
    world.run(5)
    for desk in (desks[1], desks[3], desks[4], desks[0]):
        do(desk, "join")
        world.run(2)
    do(sorrel, "next")
    world.run(5)


def the_circle(person: Person, gid: GroupId) -> Circle:
    """Return the only circle, as one has it."""
    (found,) = circles_of(person.room(gid), person.world.instant(person.node).wall_ms)
    return found


def texts(desk: WorldDesk) -> list[JsonValue]:
    """Return what one reads."""
    return [message["text"] for message in read(desk)]


def states(
    forger: Forger, victims: list[Person], form: Form, subject: bytes, value: Record, *, ahead_ms: int = 0
) -> None:
    """Have a changed program state something, and give it to others by hand."""
    body = encode(StatementBody(form=form, subject=subject, lasts_s=0, value=encode(value)))
    ts_ms = forger.person.world.instant(forger.person.node).wall_ms + ahead_ms
    frame = forger.message(Kind.STATEMENT, body, ts_ms=ts_ms)
    for victim in victims:
        forger.hands(victim, frame)


def test_five_speak_in_turn_and_one_who_was_away_comes_back_to_a_slot_at_the_end() -> None:
    world, gid, people, desks = five()
    wren, juniper, sorrel, tansy, alder = desks
    begun(world, desks)
    order = ["sorrel", "juniper", "tansy", "alder", "wren"]
    assert [names(shown(desk), "order") for desk in desks] == [order] * 5, "all see the order"
    people[1].off()
    do(sorrel, "say", text="A walk.", cw="weather")
    world.run(5)
    assert stand(shown(tansy)) == ("running", ["juniper"])
    with pytest.raises(RefusedError) as refused:
        do(tansy, "next")
    assert refused.value.code == "E-CIRCLE-LED"
    world.run(301)
    circle = do(tansy, "next")
    assert (stand(circle), names(circle, "away")) == (("running", ["tansy"]), ["juniper"]), "the timer is over"
    do(tansy, "pass")
    world.run(5)
    do(alder, "say", text="Tea.")
    world.run(5)
    do(wren, "pass")
    world.run(5)
    assert stand(shown(alder)) == ("running", ["juniper"]), "there is a slot for her"
    people[1].on()
    world.run(30)
    circle = shown(juniper)
    assert (circle["my_turn"], circle["question"]) == (True, QUESTION)
    do(juniper, "say", text="You.")
    world.run(5)
    assert {str(stand(shown(desk))) for desk in desks} == {str(("closing", []))}
    do(sorrel, "close", words="Go well.\nAll of you.")
    world.run(5)
    for desk in desks:
        circle = shown(desk)
        assert (circle["state"], circle["closing_words"], names(circle, "closed_by")) == (
            "closed",
            "Go well.\nAll of you.",
            ["sorrel"],
        )
        assert sorted(names(circle, "spoke")) == ["alder", "juniper", "sorrel"]
        assert sorted(names(circle, "passed")) == ["tansy", "wren"]
        assert texts(desk)[-3:] == [None, "Tea.", "You."], "what is said in it is a message, with its warning"
        marked = [part(message, "circle") for message in read(desk)[-3:]]
        assert [mark["out_of_turn"] for mark in marked] == [False] * 3
        assert {mark["id"] for mark in marked} == {circle["id"]}
    assert agree(gid, people) == []
    assert blamed(world) == []


def test_what_others_post_waits_until_it_is_over_and_the_outbox_says_so() -> None:
    world, _, _, desks = five(4)
    wren, juniper, sorrel, tansy, _ = desks
    begun(world, desks)
    told = say(tansy, "I would like to answer.")
    assert (told["state"], part(told, "circle")["waits"]) == ("queued", True)
    assert "circle is under way" in str(told["why"])
    first = say(sorrel, "A first word, in my turn.")
    assert first["state"] != "queued", "who speaks may post more than once"
    world.run(30)
    waiting = call(tansy, "outbox")["outbox"]
    assert isinstance(waiting, list)
    (entry,) = waiting
    assert isinstance(entry, dict)
    assert "when the circle is over" in str(entry["why"])
    assert "I would like to answer." not in texts(wren)
    do(sorrel, "say", text="A walk.")
    world.run(5)
    do(juniper, "pass")
    world.run(30)
    assert stand(shown(tansy)) == ("running", ["tansy"])
    assert "I would like to answer." not in texts(wren), "what one typed while another spoke is no turn"
    do(juniper, "close")
    world.run(5)
    assert texts(wren)[-3:] == ["A first word, in my turn.", "A walk.", "I would like to answer."]
    assert part(call(tansy, "message.show", message=told["id"]), "message")["state"] == "reached"


def test_what_waits_can_be_taken_back_and_never_leaves() -> None:
    world, _, _, desks = five(5)
    begun(world, desks)
    told = say(desks[3], "Never mind.")
    call(desks[3], "message.withdraw", message=told["id"], wait_s=1.0)
    do(desks[2], "close")
    world.run(30)
    assert "Never mind." not in texts(desks[0])


def test_a_changed_program_that_speaks_out_of_turn_is_shown_closed_until_it_is_over_then_as_any() -> None:
    world, gid, people, desks = five(6)
    wren, _, sorrel, _, alder = desks
    begun(world, desks)
    world.run(60)
    forger, victims = Forger(people[3], gid), [people[0], people[2], people[4]]
    body = compose(Wish(text="Listen to me!", mode="listening", cw="", topics=(), reply_to=b""))
    uid = bytes(16)
    frame = forger.message(Kind.POST, body, uid=uid, ts_ms=world.instant(people[3].node).wall_ms)
    for victim in victims:
        forger.hands(victim, frame)
    world.run(5)
    (seen,) = [message for message in read(wren) if message["closed_by"] == "turn"]
    assert (seen["text"], part(seen, "circle")["out_of_turn"]) == (None, True)
    opened = call(wren, "read", group=GROUP, limit=1, unread=False, open=seen["id"])["messages"]
    assert "Listen to me!" in str(opened), "whoever wants to opens it"
    post = PostId(post_id(people[3].device(gid), uid))
    states(forger, victims, Form.TURN, in_round(the_circle(people[0], gid).id, 1), TurnValue(post=post))
    world.run(5)
    assert stand(shown(wren)) == ("running", ["sorrel"]), "it moves nothing on"
    assert "Listen to me!" not in texts(alder)
    do(sorrel, "close")
    world.run(5)
    for desk in (wren, sorrel, alder):
        assert "Listen to me!" in texts(desk)
    assert blamed(world) == []


def test_a_changed_program_moves_nothing_on_closes_nothing_and_gains_no_second_turn() -> None:
    world, gid, people, desks = five(7)
    wren, juniper, sorrel, _, alder = desks
    begun(world, desks)
    forger, victims = Forger(people[3], gid), [people[0], people[1], people[2], people[4]]
    before = the_circle(people[0], gid)
    turn = before.speaking
    assert turn is not None
    mallory = people[3].member(gid)
    states(forger, victims, Form.MOVE, seat(before.id, turn), MoveValue())
    states(forger, victims, Form.MOVE, seat(before.id, turn), MoveValue(), ahead_ms=290_000)
    states(forger, victims, Form.CLOSING, before.id, ClosingValue(text="That is enough."))
    states(forger, victims, Form.START, before.id, StartValue(order=[mallory[:16], people[0].member(gid)[:16]]))
    for _ in range(3):
        states(forger, victims, Form.SEAT, before.id, SeatValue(holds=True))
    back_ms = world.instant(people[3].node).wall_ms - 300_000
    mine = CircleValue(made_ms=back_ms, question="Mine", turn_s=60, rounds=1, lasts_s=600)
    states(forger, victims, Form.CIRCLE, slot(people[3].device(gid), 0), mine, ahead_ms=-300_000)
    states(forger, victims, Form.CIRCLE, slot(people[2].device(gid), 0), mine)
    world.run(5)
    for desk in (wren, juniper, sorrel, alder):
        circle = shown(desk)
        assert (stand(circle), circle["question"]) == (("running", ["sorrel"]), QUESTION)
        assert names(circle, "order") == ["sorrel", "juniper", "tansy", "alder", "wren"]
    assert shown(wren)["set_aside"] == 1
    assert blamed(world) == []


def test_who_is_removed_or_leaves_drops_out_of_the_order_and_it_goes_on() -> None:
    world, gid, people, desks = five(8)
    wren, juniper, sorrel, _, alder = desks
    begun(world, desks)
    do(sorrel, "say", text="A walk.")
    world.run(5)
    do(juniper, "join", leave=True)
    world.run(5)
    assert stand(shown(alder)) == ("running", ["tansy"])
    people[0].remove(gid, people[3].member(gid))
    world.run(20)
    assert stand(shown(wren)) == ("running", ["alder"])
    people[2].leave(gid)
    world.run(20)
    circle = shown(wren)
    assert (stand(circle), names(circle, "order")) == (("running", ["alder"]), ["sorrel", "alder", "wren"])
    do(alder, "pass")
    world.run(5)
    do(wren, "pass")
    world.run(5)
    assert stand(do(wren, "close")) == ("closed", []), "it goes on without the one who opened it"


def test_it_ends_by_itself_and_then_what_waited_goes_out() -> None:
    world, _, _, desks = five(9)
    begun(world, desks, lasts_s=600)
    told = say(desks[3], "Later, then.")
    world.run(620)
    assert shown(desks[0])["state"] == "closed"
    assert shown(desks[0])["closed_by"] is None
    assert "Later, then." in texts(desks[0])
    assert part(call(desks[3], "message.show", message=told["id"]), "message")["state"] == "reached"


def test_two_parts_that_went_on_alone_agree_when_they_meet_and_all_that_was_said_is_there() -> None:
    world, gid, people, desks = five(10)
    _, juniper, sorrel, tansy, alder = desks
    begun(world, desks)
    world.partition(("sorrel", "juniper"), ("wren", "tansy", "alder"))
    do(sorrel, "say", text="A walk.")
    world.run(5)
    do(juniper, "say", text="Sleep.")
    world.run(301)
    do(tansy, "next")
    world.run(302)
    do(alder, "next")
    world.run(2)
    do(tansy, "say", text="Tea.")
    world.run(5)
    world.heal()
    world.run(60)
    stands = [shown(desk) for desk in desks]
    assert [stand(circle) for circle in stands] == [("running", ["alder"])] * 5
    for desk in desks:
        said = [str(call(desk, "message.show", message=message["id"])) for message in read(desk)[-3:]]
        assert all(any(text in shown_ for shown_ in said) for text in ("A walk.", "Sleep.", "Tea."))
    assert sorted(names(stands[0], "spoke")) == ["juniper", "sorrel", "tansy"]
    assert agree(gid, people) == []
    assert blamed(world) == []


def test_two_that_were_opened_apart_become_one() -> None:
    world, _, _, desks = five(11)
    _, _, sorrel, tansy, alder = desks
    world.partition(("sorrel", "juniper"), ("wren", "tansy", "alder"))
    world.run(2)
    do(sorrel, "open", question="First?")
    world.run(2)
    do(tansy, "open", question="Second?")
    world.run(2)
    do(alder, "join")
    world.run(2)
    world.heal()
    world.run(60)
    assert [(shown(desk)["question"], shown(desk)["set_aside"]) for desk in desks] == [("Second?", 1)] * 5
    with pytest.raises(LocalError) as on:
        do(sorrel, "open", question="Third?")
    assert on.value.code == "E-CIRCLE-ON"


def test_newcomers_join_and_speak_and_do_not_open() -> None:
    world, _, people, tansy_ = newcomer()
    wren, tansy = WorldDesk(world, people[0].name), WorldDesk(world, tansy_.name)
    with pytest.raises(RefusedError):
        do(tansy, "open", question=QUESTION)
    do(wren, "open", question=QUESTION)
    world.run(5)
    do(tansy, "join")
    world.run(5)
    do(wren, "next")
    world.run(2)
    do(wren, "pass")
    world.run(5)
    assert stand(do(tansy, "say", text="Hello.")) == ("closing", [])
    world.run(5)
    assert texts(wren)[-1] == "Hello."


def test_what_is_not_ones_to_do_is_said_in_words_and_changes_nothing() -> None:
    world, _, _, desks = five(12)
    wren, _, sorrel, tansy, _ = desks
    for act in ("join", "pass", "next", "close"):
        with pytest.raises(LocalError) as none:
            do(tansy, act)
        assert none.value.code == "E-NO-CIRCLE"
    assert call(tansy, "circle.show", group=GROUP) == {"circle": None}
    do(sorrel, "open", question=QUESTION)
    with pytest.raises(LocalError) as alone:
        do(sorrel, "next")
    assert alone.value.code == "E-CIRCLE-ALONE"
    world.run(5)
    with pytest.raises(LocalError) as seatless:
        do(tansy, "pass")
    assert seatless.value.code == "E-NO-SEAT"
    do(tansy, "join")
    for act in ("next", "close"):
        with pytest.raises(RefusedError) as led:
            do(tansy, act)
        assert led.value.code == "E-CIRCLE-LED"
    world.run(5)
    do(sorrel, "next")
    world.run(5)
    with pytest.raises(RefusedError) as turn:
        do(tansy, "say", text="Me first.")
    assert turn.value.code == "E-NOT-YOUR-TURN"
    do(tansy, "pass")
    with pytest.raises(RefusedError):
        do(tansy, "pass")
    world.run(5)
    assert stand(do(sorrel, "pass")) == ("closing", []), "one passed ahead"
    with pytest.raises(LocalError) as over:
        do(sorrel, "next")
    assert over.value.code == "E-CIRCLE-OVER"
    do(sorrel, "close")
    world.run(5)
    assert shown(wren)["state"] == "closed"


def test_one_is_told_once_that_it_is_ones_turn_and_at_ones_own_pace() -> None:
    world, _, _, desks = five(13)
    sorrel, juniper = desks[2], desks[1]
    do(sorrel, "open", question=QUESTION)
    world.run(5)
    do(juniper, "join")
    world.run(5)
    do(sorrel, "next")
    world.run(2)
    since = len(world.nodes["juniper"].notices)
    do(sorrel, "pass")
    world.run(10)
    notices = list(world.nodes["juniper"].notices)[since:]
    teller = Teller()
    events = [event for notice in notices for event in teller.tell(juniper, notice)]
    (told,) = [event for event in events if event["event"] == "turn"]
    assert told["circle"] == shown(juniper)["id"]
    problems = call(juniper, "status")["problems"]
    assert "It is your turn in the circle" in str(problems)
    call(juniper, "own.pace", paused=True)
    assert [event for notice in notices for event in Teller().tell(juniper, notice) if event["event"] == "turn"] == []


def test_those_who_do_not_sit_in_it_are_told_that_it_is_open_and_then_that_their_posts_wait() -> None:
    world, _, _, (wren, juniper, sorrel, tansy, alder) = five(15)
    do(sorrel, "open", question=QUESTION)
    world.run(5)
    do(juniper, "join")
    call(alder, "own.person", group=GROUP, member="sorrel", blocked=True)
    world.run(5)

    def told(desk: WorldDesk) -> tuple[bool, bool]:
        problems = str(call(desk, "status")["problems"])
        return "A circle is open in “Tuesday grief”" in problems, "A circle goes on in “Tuesday grief”" in problems

    def seen(desk: WorldDesk) -> JsonValue:
        return call(desk, "read", group=GROUP, limit=5, unread=False)["circle"]

    assert [told(desk)[0] for desk in (wren, juniper, sorrel, tansy, alder)] == [True, False, False, True, False]
    assert seen(wren) == {"id": shown(wren)["id"], "state": "open", "joined": False, "my_turn": False}
    do(sorrel, "next")
    world.run(5)
    assert [told(desk) for desk in (wren, juniper, tansy, alder)] == [(False, True)] * 4, "what they post waits"
    assert "It is your turn" in str(call(sorrel, "status")["problems"])
    assert told(sorrel) == (False, False)
    do(sorrel, "close")
    world.run(5)
    assert [told(desk) for desk in (wren, sorrel, tansy)] == [(False, False)] * 3
    assert seen(wren) is None


def test_a_clock_that_is_behind_moves_nothing_out_of_turn() -> None:
    world, _, _, desks = five(14)
    wren, juniper, sorrel, *_ = desks
    world.nodes["juniper"].skew_ms = -100_000
    begun(world, desks)
    do(sorrel, "pass")
    world.run(5)
    do(juniper, "say", text="Sleep.")
    world.run(5)
    assert "Sleep." in texts(wren)
    assert stand(shown(wren)) == ("running", ["tansy"])


def test_two_members_close_nothing_that_others_said_before_there_was_a_circle() -> None:
    """They date a circle back by days: by their words it was open, and running, while the others wrote."""
    world, gid, people, (wren, _, sorrel, _, alder) = five(77)
    for text in ("on monday", "on thursday"):
        say(sorrel, text)
        world.run(10)
        for node in world.nodes.values():
            node.skew_ms += 3 * DAY_S * 1000
        world.run(30)
    then = world.instant(people[0].node).wall_ms - 5 * DAY_S * 1000
    value = CircleValue(made_ms=then, question="?", turn_s=DAY_S, rounds=4, lasts_s=7 * DAY_S)
    circle = thing_id(Form.CIRCLE, people[3].member(gid), value)
    order = StartValue(order=[people[3].member(gid)[:16], people[1].member(gid)[:16]])
    changed, second = Forger(people[3], gid), Forger(people[1], gid)
    for who, form, subject, said, ts_ms in (
        (changed, Form.CIRCLE, slot(people[3].device(gid), 0), value, then),
        (second, Form.SEAT, circle, SeatValue(holds=True), then + 1000),
        (changed, Form.START, circle, order, then + 2000),
    ):
        body = encode(StatementBody(form=form, subject=subject, lasts_s=0, value=encode(said)))
        frame = who.message(Kind.STATEMENT, body, ts_ms=ts_ms)
        for honest in (people[0], people[2], people[4]):
            who.hands(honest, frame)
    world.run(10)
    for desk in (wren, sorrel, alder):
        assert shown(desk)["state"] == "running"
        assert [(post["text"], post["closed_by"]) for post in read(desk)] == [
            ("on monday", None),
            ("on thursday", None),
        ]
