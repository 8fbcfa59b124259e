"""`circle …`: open a round on a question, join, speak in turn or pass, move it on, close it; and how it stands."""

from collections.abc import Iterable

from mesh.commands import MakeStatement, Post
from mesh.errors import LocalError, RefusedError
from mesh.ids import MemberPk, PostId
from mesh.node.local.methods import given
from mesh.node.local.methods.chosen import choices_of
from mesh.node.local.methods.desk import Desk
from mesh.node.local.methods.names import group_named
from mesh.node.local.methods.shown import iso, person
from mesh.node.local.protocol import JsonObject, JsonValue, phrased
from mesh.peer.circling import circles_of, under_way
from mesh.peer.modes import locked_mode
from mesh.peer.state import Room
from mesh.peer.stating import is_told
from mesh.phrases import phrase
from mesh.support import circle_forms
from mesh.support.circles import NEEDED, Circle, Phase, current, in_round, seat
from mesh.support.slots import first_free
from mesh.wire import limits
from mesh.wire.codec import Record, encode
from mesh.wire.statements import ClosingValue, Form, MoveValue, SeatValue, TurnValue


async def open_circle(desk: Desk, params: JsonObject) -> JsonObject:
    """Open a circle on a question; its opener sits in it, and leads it. `told`: somebody has been told."""
    room, now_ms = group_named(desk.state, given.text(params, "group")), desk.now().wall_ms
    value = circle_forms.compose(
        made_ms=now_ms,
        question=given.text(params, "question"),
        turn_s=given.number(params, "turn_s", circle_forms.TURN_S),
        rounds=given.number(params, "rounds", 1),
        lasts_s=given.number(params, "lasts_s", circle_forms.LASTS_S),
    )
    if under_way(room, now_ms) is not None:
        raise LocalError(
            "a circle is under way in this group",
            why="there is one at a time, so that all know who speaks",
            do="`mesh circle join` takes part in it; open yours when it is over",
            code="E-CIRCLE-ON",
        )
    subject, lasts_s = _slot(room, now_ms), value.lasts_s + circle_forms.KEPT_S
    await desk.ask(
        MakeStatement(group=room.group.gid, form=Form.CIRCLE, subject=subject, value=encode(value), lasts_s=lasts_s)
    )
    return await _outcome(desk, room, params, Form.CIRCLE, subject)


async def join(desk: Desk, params: JsonObject) -> JsonObject:
    """Take part in the circle, or no longer."""
    room = group_named(desk.state, given.text(params, "group"))
    circle, me, leaves = _under_way(desk, room), room.group.own.member_pk, given.flag(params, "leave")
    if not leaves and not circle.takes_part(me) and len(circle.order) >= limits.CIRCLE_SEATS_MAX:
        raise LocalError(
            phrase("all {most} seats of the circle are taken", most=limits.CIRCLE_SEATS_MAX),
            why="each who sits in it has a turn",
            do="listen to this one, and join the next",
            code="E-CIRCLE-FULL",
        )
    if leaves == circle.takes_part(me):
        await _state(desk, room, circle, Form.SEAT, circle.id, SeatValue(holds=not leaves))
    return await _outcome(desk, room, params, Form.SEAT, circle.id)


async def say(desk: Desk, params: JsonObject) -> JsonObject:
    """Say something in one's turn, which is over with it."""
    room = group_named(desk.state, given.text(params, "group"))
    circle, me = _under_way(desk, room), room.group.own.member_pk
    turn = circle.speaking
    if turn is None or turn.member != me:
        raise RefusedError(
            "it is not your turn",
            why="in a circle one speaks, and the others listen",
            do="`mesh circle show` says who speaks, and who comes next",
            code="E-NOT-YOUR-TURN",
        )
    locked = locked_mode(room.group)
    command = Post(
        group=room.group.gid,
        text=given.text(params, "text"),
        mode=given.text(params, "mode", "listening" if locked is None else locked.name.lower()),
        cw=given.text(params, "cw", ""),
        topics=given.texts(params, "topics"),
        reply_to=None,
    )
    post, subject = PostId(await desk.ask(command)), in_round(circle.id, turn.round)
    await _state(desk, room, circle, Form.TURN, subject, TurnValue(post=post))
    return await _outcome(desk, room, params, Form.TURN, subject) | {"message": {"id": post.hex()}}


async def pass_turn(desk: Desk, params: JsonObject) -> JsonObject:
    """Pass, in one's turn or ahead of it: it is always allowed, and nobody asks why."""
    room = group_named(desk.state, given.text(params, "group"))
    circle, me = _under_way(desk, room), room.group.own.member_pk
    _require_seat(circle, me)
    if me in (*circle.passed, *circle.spoke, *circle.missed):
        raise RefusedError(
            "you have had your turn in this round",
            why="each has one in each round",
            do="`mesh circle show` says how the circle stands",
            code="E-NOT-YOUR-TURN",
        )
    subject = in_round(circle.id, circle.round)
    await _state(desk, room, circle, Form.TURN, subject, TurnValue(post=b""))
    return await _outcome(desk, room, params, Form.TURN, subject)


async def next_(desk: Desk, params: JsonObject) -> JsonObject:
    """Begin the circle, or move it on from who speaks: they keep a slot at the end of the round."""
    room = group_named(desk.state, given.text(params, "group"))
    circle = _under_way(desk, room)
    _require_may(desk, room, circle)
    if circle.speaking is None:
        await _state(desk, room, circle, Form.START, circle.id, _start(circle))
        return await _outcome(desk, room, params, Form.START, circle.id)
    subject = seat(circle.id, circle.speaking)
    await _state(desk, room, circle, Form.MOVE, subject, MoveValue())
    return await _outcome(desk, room, params, Form.MOVE, subject)


async def close(desk: Desk, params: JsonObject) -> JsonObject:
    """End the circle, with closing words or none."""
    room = group_named(desk.state, given.text(params, "group"))
    circle, value = _under_way(desk, room), circle_forms.compose_closing(given.text(params, "words", ""))
    if circle.phase is not Phase.CLOSING and not circle.leads(room.group.own.member_pk, room.group.rank):
        raise RefusedError(
            "not all have had their turn",
            why="until then who opened it closes it, or a moderator",
            do="ask one of them; `mesh circle join --leave` goes without a word",
            code="E-CIRCLE-LED",
        )
    _require_may(desk, room, circle)
    await _state(desk, room, circle, Form.CLOSING, circle.id, value)
    return await _outcome(desk, room, params, Form.CLOSING, circle.id)


async def show(desk: Desk, params: JsonObject) -> JsonObject:
    """Show how the circle stands: the one that is under way, else the last one."""
    room = group_named(desk.state, given.text(params, "group"))
    return {"circle": circle_json(desk, room)}


# ---------------------------------------------------------------- what may be done


def _under_way(desk: Desk, room: Room) -> Circle:
    circle = under_way(room, desk.now().wall_ms)
    if circle is None:
        raise LocalError(
            "no circle is under way in this group",
            do="`mesh circle open` opens one; `mesh circle show` shows the last one",
            code="E-NO-CIRCLE",
        )
    return circle


def _require_seat(circle: Circle, me: MemberPk) -> None:
    if not circle.takes_part(me):
        raise LocalError("you do not sit in this circle", do="`mesh circle join` takes part", code="E-NO-SEAT")


def _require_may(desk: Desk, room: Room, circle: Circle) -> None:
    """RefusedError, in words, for one who may not move the circle on now."""
    me, now_ms = room.group.own.member_pk, desk.now().wall_ms
    if circle.leads(me, room.group.rank):
        return
    _require_seat(circle, me)
    if now_ms < circle.moves_ms:
        raise RefusedError(
            "the circle is not yours to move on yet",
            why="who opened it does that, or a moderator; others in it when the soft timer is over, so that nobody "
            "is hurried",
            do="`mesh circle show` says when that is",
            code="E-CIRCLE-LED",
        )


def _start(circle: Circle) -> Record:
    """Return the word that begins a circle; LocalError where there is nothing to begin."""
    if circle.phase is Phase.CLOSING:
        raise LocalError("all have had their turn", do="`mesh circle close` ends the circle", code="E-CIRCLE-OVER")
    if len(circle.order) < NEEDED:
        raise LocalError(
            "nobody else sits in the circle yet",
            why="it is for two at least: while it goes on, the others' posts wait",
            do="begin when somebody has joined",
            code="E-CIRCLE-ALONE",
        )
    return circle_forms.compose_start(circle.order)


def _slot(room: Room, now_ms: int) -> bytes:
    """Return where a new circle of this device stands: where none of its own does, else in place of the oldest."""
    own = [circle for circle in circles_of(room, now_ms) if circle.opening.dev == room.group.own.dev]
    free = first_free(room.group.own.dev, (circle.opening.subject for circle in own), limits.CIRCLES_MAX)
    return own[0].opening.subject if free is None else free


async def _state(desk: Desk, room: Room, circle: Circle, form: Form, subject: bytes, value: Record) -> None:
    command = MakeStatement(
        group=room.group.gid,
        form=form,
        subject=subject,
        value=encode(value),
        lasts_s=circle.value.lasts_s + circle_forms.KEPT_S,
        after_ms=circle.since_ms,
    )
    await desk.ask(command)


async def _outcome(desk: Desk, room: Room, params: JsonObject, form: Form, subject: bytes) -> JsonObject:
    """Wait until somebody is told, and show how the circle stands."""
    told = await desk.until(lambda: is_told(room, form, subject), given.seconds(params, "wait_s", 2.0))
    return {"circle": circle_json(desk, room), "told": told}


# ---------------------------------------------------------------- how it stands


def circle_json(desk: Desk, room: Room) -> JsonObject | None:
    """Describe the circle that is under way, else the last one; None where none is known."""
    now_ms = desk.now().wall_ms
    found = circles_of(room, now_ms)
    circle = current(found)
    if circle is None:
        return None
    me, turn, closing = room.group.own.member_pk, circle.speaking, circle.closing
    leads = circle.leads(me, room.group.rank)
    due = circle.takes_part(me) and now_ms >= circle.moves_ms
    opener = circle.opening.member
    return {
        "id": circle.id.hex(),
        "group": {"id": room.group.gid.hex(), "name": room.group.founding.name},
        "question": _text(desk, room, opener, circle.value.question),
        "by": person(room, opener),
        "opened": iso(circle.opened_ms),
        "state": circle.phase.value,
        "order": _people(room, circle.order),
        "speaking": None if turn is None else person(room, turn.member),
        "since": iso(circle.since_ms),
        "moves_on": None if circle.phase is Phase.CLOSED else iso(circle.moves_ms),
        "to_come": _people(room, circle.to_come),
        "away": _people(room, circle.away),
        "spoke": _people(room, _as_they_sit(circle, circle.spoke)),
        "passed": _people(room, _as_they_sit(circle, circle.passed)),
        "missed": _people(room, circle.missed),
        "round": circle.round,
        "rounds": circle.value.rounds,
        "turn_s": circle.value.turn_s,
        "ends": iso(circle.over_ms),
        "closed_by": None if closing is None else person(room, closing.member),
        "closing_words": None if closing is None else _closing_words(desk, room, circle),
        "joined": circle.takes_part(me),
        "my_turn": turn is not None and turn.member == me,
        "may_move_on": circle.phase is not Phase.CLOSED and (leads or due),
        "set_aside": sum(not other.stands and other.over_ms > circle.opened_ms for other in found),
        "waits": circle.opening.waits,
    }


def _as_they_sit(circle: Circle, members: frozenset[MemberPk]) -> list[MemberPk]:
    """Return members in the order of the circle; last those who sit in it no more."""
    return [*(pk for pk in circle.order if pk in members), *sorted(members - {*circle.order})]


def _people(room: Room, members: Iterable[MemberPk]) -> list[JsonValue]:
    return [person(room, member) for member in members]


def _closing_words(desk: Desk, room: Room, circle: Circle) -> str | None:
    closing = circle.closing
    said = closing.value.text if closing is not None and isinstance(closing.value, ClosingValue) else ""
    return None if closing is None or not said else _text(desk, room, closing.member, said)


def _text(desk: Desk, room: Room, member: MemberPk, text: str) -> str | None:
    """Return what a member said; None where one does not want to read them, or a word in it."""
    return None if choices_of(desk.store, room.group.gid).leaves_out(member, text) else text


def news_json(desk: Desk, room: Room) -> JsonObject | None:
    """Say in a few words how the circle that is under way stands for us; None where there is none to tell of.

    One that is only open, by somebody whom one does not want to read, is not told of.
    """
    circle = None if room.group.me is None else under_way(room, desk.now().wall_ms)
    if circle is None:
        return None
    me, opener = room.group.own.member_pk, circle.opening.member
    if circle.phase is Phase.OPEN and _text(desk, room, opener, circle.value.question) is None:
        return None
    turn = circle.speaking
    return {
        "id": circle.id.hex(),
        "state": circle.phase.value,
        "joined": circle.takes_part(me),
        "my_turn": turn is not None and turn.member == me,
    }


def circle_reminders(desk: Desk, room: Room) -> list[JsonObject]:
    """Say that it is one's turn; that one may join; that what one posts waits."""
    news, name = news_json(desk, room), room.group.founding.name
    if news is None or (news["state"] == Phase.OPEN and news["joined"]):
        return []
    if news["my_turn"]:
        what = phrase("It is your turn in the circle of “{group}”.", group=name)
        do = phrase(
            '`mesh circle say "{group}"` or `mesh circle pass "{group}"`; `mesh circle show "{group}"` shows it.',
            group=name,
        )
    elif news["state"] == Phase.OPEN:
        what = phrase("A circle is open in “{group}”.", group=name)
        do = phrase('`mesh circle join "{group}"` takes part; `mesh circle show "{group}"` shows it.', group=name)
    else:
        what = phrase("A circle goes on in “{group}”: what you post there waits until it is over.", group=name)
        do = phrase('`mesh circle show "{group}"` shows how it stands.', group=name)
    return [phrased(what=what, do=do)]
