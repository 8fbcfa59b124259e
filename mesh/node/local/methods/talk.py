"""`post`, `read`, `outbox`, `message show`: what is said, and how far it has come."""

from collections.abc import Iterator
from functools import partial
from typing import Final

from mesh.commands import MarkRead, Post, Withdraw
from mesh.errors import LocalError, RefusedError
from mesh.events import Notice, Notify, Space
from mesh.gossip.delivery import Delivery, DeliveryState
from mesh.groups.records import load
from mesh.ids import GroupId, OpId, PostId
from mesh.node.local.methods import given
from mesh.node.local.methods.chosen import choices_of, is_blocked, is_silenced
from mesh.node.local.methods.circles import news_json
from mesh.node.local.methods.desk import Desk
from mesh.node.local.methods.files import upload_named
from mesh.node.local.methods.fitting import ANSWER_BYTES_MAX, shortened
from mesh.node.local.methods.meetings import meeting_json
from mesh.node.local.methods.messages import (
    Look,
    asked_mode,
    gaps_json,
    is_hidden,
    message_json,
    missing_from,
    waits_for_circle,
    why_it_waits,
)
from mesh.node.local.methods.names import group_named, message_named
from mesh.node.local.methods.newcomers import require_pace
from mesh.node.local.methods.pins import pins_json
from mesh.node.local.methods.quotes import ends_with, quoted, to_be_quoted, topics_of, warning_of
from mesh.node.local.methods.sanctions import own_quiet_json
from mesh.node.local.methods.sealed import notes_json_waiting
from mesh.node.local.methods.share import is_unwanted
from mesh.node.local.methods.shown import catching_up_json, each, earlier_json, person
from mesh.node.local.protocol import JsonObject, JsonValue, encoded_bytes, phrased
from mesh.peer.listening import listen_state
from mesh.peer.modes import locked_mode
from mesh.peer.records import DraftRecord, MessageRecord
from mesh.peer.state import Room
from mesh.peer.statements import read_body
from mesh.phrases import phrase
from mesh.support.forms import form_name
from mesh.support.tags import tag_name
from mesh.wire.messages import Flag, Kind

ADVICE: Final = "advice"
NO_ADVICE: Final = ("listening", "experience")  # modes in which a post does not ask for advice
LIMIT_MAX = 500  # messages in one answer; of long ones fewer
# Events that name one thing, and by which key.
_NAMED: Final = {Notice.JOINED: "member", Notice.KNOCK: "knock", Notice.FORK: "fork", Notice.TURN: "circle"}
_ROWS_AT_ONCE = 64  # read from the store for an answer; ours
_FORM_BYTES = 2  # at the beginning of what a notice of the support layer is about


async def post(desk: Desk, params: JsonObject) -> JsonObject:
    """Say something, and wait for the first who has it."""
    room = group_named(desk.state, given.text(params, "group"))
    require_pace(desk.store, room, desk.now().wall_ms)
    answered = given.maybe_text(params, "reply_to")
    reply = None if answered is None else message_named(desk.store, answered, room.group.gid)[0]
    locked = locked_mode(room.group)
    mode = given.text(params, "mode", "listening" if locked is None else locked.name.lower())
    if reply is not None and not given.flag(params, "confirm_advice"):
        _require_asked_for(desk, room, reply, mode)
    cw, topics = given.text(params, "cw", ""), given.texts(params, "topics")
    expires_s, quote = given.maybe_number(params, "expires_s"), None
    if (name := given.maybe_text(params, "quote")) is not None:
        source, record, said = to_be_quoted(desk, room, name)
        quote = quoted(room, source, record, said)
        if source is not room:  # what holds for the words goes along with them
            cw, topics = warning_of(cw, said), topics_of(topics, said)
            expires_s = ends_with(expires_s, record, desk.now().wall_ms)
    upload = given.maybe_text(params, "files")
    post_id = PostId(
        await desk.ask(
            Post(
                group=room.group.gid,
                text=given.text(params, "text"),
                mode=mode,
                cw=cw,
                topics=topics,
                reply_to=reply,
                no_history=given.flag(params, "no_history"),
                expires_s=expires_s,
                quote=quote,
                may_leave=given.flag(params, "may_leave"),
                files=b"" if upload is None else upload_named(upload),
            )
        )
    )
    held = waits_for_circle(desk, room, post_id)
    wait_s = 0.0 if held else given.seconds(params, "wait_s", 2.0)
    await desk.until(lambda: room.deliveries[post_id].state is not DeliveryState.QUEUED, wait_s)
    key = desk.store.get(Space.POSTS, room.group.gid + post_id)
    assert key is not None, "a message is stored before the command is answered"
    return {"message": _message(desk, room, key, opened=True)}


def _require_asked_for(desk: Desk, room: Room, reply: PostId, mode: str) -> None:
    """RefusedError for advice to one who did not ask for it, unless its author says a second time that they want to."""
    asked = asked_mode(desk.store, room, reply)
    if mode == ADVICE and asked in NO_ADVICE:
        raise RefusedError(
            phrase("what you answer asks for “{asked}”, and yours is marked as advice", asked=asked),
            why="advice that nobody asked for can hurt; whoever wants some can say so",
            do="answer in another mode, or say that you mean it: --confirm-advice. Nothing was sent",
            code="E-ADVICE",
        )


def _message(desk: Desk, room: Room, key: bytes, *, opened: bool) -> JsonObject:
    value = desk.store.get(Space.MESSAGES, key)
    assert value is not None, "an index points at nothing"
    return message_json(Look.of(desk, room), room, value, opened=opened)


def _is_hidden(desk: Desk, room: Room, key: bytes) -> bool:
    value = desk.store.get(Space.MESSAGES, key)
    return value is None or is_hidden(Look.of(desk, room), room, value)


async def read(desk: Desk, params: JsonObject) -> JsonObject:
    """Show messages, oldest first, and note that they were seen.

    The newest, and `older`: there are some before them. Of what is unread the oldest, and `newer`: some come after.
    """
    room = group_named(desk.state, given.text(params, "group"))
    opened = given.maybe_text(params, "open")
    look = Look.of(desk, room)
    onwards = opened is None and given.flag(params, "unread")
    rows = _wanted(desk, room, look, params) if opened is None else _one(desk, room, look, opened)
    most = min(_limit(params), LIMIT_MAX)
    beside: JsonObject = {
        "gaps": gaps_json(desk.state, room, but=look.choices.blocked),
        "catching_up": catching_up_json(desk.state, room),
        "earlier": earlier_json(desk.state, room),
        "pins": each(pins_json(desk, room)),
        "meeting": meeting_json(desk, room),
        "quiet": own_quiet_json(room, look.wall_ms),
        "circle": news_json(desk, room),
    }
    told: list[JsonObject] = []
    shown: list[bytes] = []
    left, more = ANSWER_BYTES_MAX - encoded_bytes(beside), False
    for key, value in rows:
        message = message_json(look, room, value, opened=opened is not None)
        if not told:
            message = shortened(message, left)
        left -= encoded_bytes(message) + 1
        more = len(told) == most or bool(left < 0 and told)
        if more:
            break
        told.append(message)
        shown.append(key)
    seen = tuple(key for key in shown if desk.store.get(Space.UNREAD, key) is not None)
    if seen:
        await desk.ask(MarkRead(keys=seen))
    return {
        "messages": each(told if onwards else reversed(told)),
        "older": more and not onwards,
        "newer": more and onwards,
        **beside,
    }


def _one(desk: Desk, room: Room, look: Look, name: str) -> list[tuple[bytes, bytes]]:
    """Return the row of the message that is to be opened; none where its time is over."""
    key = message_named(desk.store, name, room.group.gid)[2]
    value = desk.store.get(Space.MESSAGES, key)
    return [] if value is None or is_hidden(look, room, value) else [(key, value)]


def _wanted(desk: Desk, room: Room, look: Look, params: JsonObject) -> Iterator[tuple[bytes, bytes]]:
    """Return the rows that are asked for, without those of people whom one has blocked.

    The newest come first; of what is unread the oldest. LocalError.
    """
    gid = room.group.gid
    since, before = given.maybe_text(params, "since"), given.maybe_text(params, "before")
    unread = given.flag(params, "unread")
    after = message_named(desk.store, since, gid)[2] if since else None
    end = message_named(desk.store, before, gid)[2] if before else None
    rows = _pages(desk, Space.UNREAD if unread else Space.MESSAGES, gid, after, end, onwards=unread)
    return (
        (key, value)
        for key, found in rows
        if (value := desk.store.get(Space.MESSAGES, key) if unread else found) is not None
        and not is_hidden(look, room, value)
        and not _is_left_out(look, value, unread=unread)
    )


def _limit(params: JsonObject) -> int:
    limit = given.number(params, "limit", 50)
    if limit < 1:
        raise LocalError("the limit is at least 1", code="E-USAGE")
    return limit


def _pages(
    desk: Desk, space: Space, gid: GroupId, after: bytes | None, before: bytes | None, *, onwards: bool
) -> Iterator[tuple[bytes, bytes]]:
    """Read the rows between two keys page by page, from the first on or from the last back."""
    scan = partial(desk.store.scan, space, gid, limit=_ROWS_AT_ONCE, reverse=not onwards)
    while rows := scan(after=after, before=before):
        yield from rows
        if onwards:
            after = rows[-1][0]
        else:
            before = rows[-1][0]


def _is_left_out(look: Look, value: bytes, *, unread: bool) -> bool:
    """Say whether a message is not shown at all: its author is blocked, or it does not count among what is unread."""
    if unread:
        return is_silenced(look.choices, value)
    return is_blocked(look.choices, value)


async def show(desk: Desk, params: JsonObject) -> JsonObject:
    """Show one message, opened, and what became of it."""
    _, gid, key = message_named(desk.store, given.text(params, "message"))
    if _is_hidden(desk, desk.state.rooms[gid], key):
        raise LocalError("the time of that message has run out", code="E-NO-MESSAGE")
    return {"message": _message(desk, desk.state.rooms[gid], key, opened=True)}


async def withdraw(desk: Desk, params: JsonObject) -> JsonObject:
    """Take a post of ours back, and wait until that has gone out; `told`: it has, or nobody had the post."""
    post, gid, _ = message_named(desk.store, given.text(params, "message"))
    room = desk.state.rooms[gid]
    for last in (False, True):  # it may be sealed in the very moment between reading its row and asking
        try:
            command = _withdrawal(desk, room, post)
            if command is not None:
                await desk.ask(command)
            break
        except LocalError as error:
            if last or error.code != "E-MOVED":
                raise
    told = await desk.until(
        lambda: all(draft.post != post for draft in room.drafts.values()), given.seconds(params, "wait_s", 2.0)
    )
    key = desk.store.get(Space.POSTS, gid + post)
    assert key is not None, "what was taken back stands in its place"
    return {"message": _message(desk, room, key, opened=True), "told": told}


def _withdrawal(desk: Desk, room: Room, post: PostId) -> Withdraw | None:
    """Read what a post is taken back by; None where it was taken back before. RefusedError for one that is not ours."""
    place = desk.store.get(Space.POSTS, room.group.gid + post)
    value = None if place is None else desk.store.get(Space.MESSAGES, place)
    if place is None or value is None:
        raise LocalError("that message is not here any more", code="E-NO-MESSAGE")
    record = load(MessageRecord, value)
    if record.member != room.group.own.member_pk:
        raise RefusedError(
            "that message is not yours",
            why="only its author takes a message back, under the key that they said it under",
            do="ask its author; `mesh hide` closes it for you alone",
            code="E-NOT-YOURS",
        )
    if record.kind == Kind.WITHDRAWAL:
        return None
    origin = record.origin
    return Withdraw(
        group=room.group.gid,
        post=post,
        place=place,
        dev=record.dev,
        mseq=record.mseq,
        uid=b"" if origin is None else origin.uid,
        ts_ms=record.ts_ms,
        epoch=OpId(b"") if origin is None else origin.epoch,
        flags=record.flags & Flag.NO_HISTORY,
        gone_ms=record.gone_ms,
    )


async def outbox(desk: Desk, params: JsonObject) -> JsonObject:
    """Show what has not reached everybody whom it was sent to: for whom it waits, and why."""
    del params
    waiting: list[JsonObject] = []
    for room in desk.state.rooms.values():
        for post_id, delivery in room.deliveries.items():
            missing, silent = missing_from(room, post_id, delivery)
            if room.waits(post_id) and (missing or not (silent and delivery.held)):  # the silent say nothing more
                waiting.append(_waiting(desk, room, post_id, delivery))
        taken_back = [draft.post for draft in room.drafts.values() if draft.kind == Kind.WITHDRAWAL]
        waiting.extend(_untold(room, post_id) for post_id in taken_back)
        waiting.extend(_unsaid(room, draft) for draft in room.drafts.values() if draft.kind == Kind.STATEMENT)
        waiting.extend(notes_json_waiting(room))
    return {"outbox": each(waiting)}


def _waiting(desk: Desk, room: Room, post_id: PostId, delivery: Delivery) -> JsonObject:
    missing, silent = missing_from(room, post_id, delivery)
    return {
        "id": post_id.hex(),
        "group": {"id": room.group.gid.hex(), "name": room.group.founding.name},
        "state": delivery.state.value,
        "waiting_for": [person(room, pk) for pk in missing],
        "receipts_off": [person(room, pk) for pk in silent],
        **phrased(why=why_it_waits(Look.of(desk, room), room, post_id)),
    }


def _untold(room: Room, post_id: PostId) -> JsonObject:
    """Describe a post that was taken back, of which nobody has been told yet."""
    return {
        "id": post_id.hex(),
        "group": {"id": room.group.gid.hex(), "name": room.group.founding.name},
        "state": DeliveryState.WITHDRAWN.value,
        "waiting_for": [person(room, pk) for pk in room.group.others],
        "receipts_off": [],
        **phrased(why="nobody has been told yet that you took it back"),
    }


def _unsaid(room: Room, draft: DraftRecord) -> JsonObject:
    """Describe a statement of ours, a flag or a pin, that nobody has been told of yet."""
    return {
        "id": draft.post.hex(),
        "group": {"id": room.group.gid.hex(), "name": room.group.founding.name},
        "state": DeliveryState.QUEUED.value,
        "waiting_for": [person(room, pk) for pk in room.group.others],
        "receipts_off": [],
        **phrased(why=phrase("nobody has been told of your {form} yet", form=form_name(read_body(draft.body).form))),
    }


# ---------------------------------------------------------------- events


def event_json(desk: Desk, notice: Notify, *, full: bool) -> JsonObject | None:
    """Describe one thing that happened; texts only where `full` (they are somebody's screen, not a log)."""
    told: JsonObject = {"event": notice.notice.value}
    room = desk.state.rooms.get(notice.group) if notice.group is not None else None
    if notice.group is not None:
        told["group"] = notice.group.hex()
    subject: JsonValue = notice.subject.hex()
    match notice.notice:
        case Notice.MESSAGE | Notice.STATE if room is not None:
            key = (
                notice.subject
                if notice.notice is Notice.MESSAGE
                else desk.store.get(Space.POSTS, room.group.gid + notice.subject)
            )
            value = None if key is None else desk.store.get(Space.MESSAGES, key)
            look = Look.of(desk, room)
            if value is None or is_hidden(look, room, value) or is_silenced(look.choices, value):
                return None  # it has been moved, wiped, or has run out since; or one does not want to hear of it
            message = message_json(look, room, value, opened=False)
            told["message"] = message if full else {"id": message["id"], "state": message["state"]}
        case kind if kind in _NAMED:
            told[_NAMED[kind]] = subject
        case Notice.JOIN:
            join = next((j for j in desk.state.joins.values() if j.join == notice.subject), None)
            told["join"] = subject
            told["state"] = None if join is None else join.stage.value
        case Notice.GROUP if notice.subject:
            told["history"] = notice.subject.decode()
        case Notice.HISTORY:
            told["messages"] = int.from_bytes(notice.subject[:4], "big")
            told["done"] = notice.subject[4:] == b"\1"
        case Notice.CATCHING_UP:
            told["got"] = int.from_bytes(notice.subject[:8], "big")
            told["of"] = int.from_bytes(notice.subject[8:], "big")
        case Notice.FILE:
            if room is not None and _is_silenced_post(desk, room, notice.subject[:16]):
                return None
            told["message"] = notice.subject[:16].hex()
            told["got"] = int.from_bytes(notice.subject[16:20], "big")
            told["of"] = int.from_bytes(notice.subject[20:], "big")
        case Notice.SUPPORT if len(notice.subject) > _FORM_BYTES:
            if room is not None and is_unwanted(desk, room, notice.subject[_FORM_BYTES:]):
                return None
            told["form"] = tag_name(int.from_bytes(notice.subject[:_FORM_BYTES], "big"))
            told["note"] = notice.subject[_FORM_BYTES:].hex()
        case Notice.SUPPORT:
            told["form"] = form_name(int.from_bytes(notice.subject, "big"))
        case Notice.TALK:
            talk = None if room is None else room.talks.get(GroupId(notice.subject))
            if room is not None and talk is not None and talk.member in choices_of(desk.store, room.group.gid).blocked:
                return None
            told["talk"] = subject
        case Notice.LISTEN:
            kept = None if room is None else room.listens.get(GroupId(notice.subject))
            if room is None or kept is None or kept.member in choices_of(desk.store, room.group.gid).blocked:
                return None
            told["talk"] = (kept.ask if kept.mine else notice.subject).hex()
            told["state"] = listen_state(desk.state, room, GroupId(notice.subject), desk.now().wall_ms)
            told["mine"] = kept.mine
        case Notice.LINK:
            told["peer"] = notice.subject.decode()
            told["linked"] = notice.subject.decode() in desk.linked_peers()
        case _:
            pass
    return told


def _is_silenced_post(desk: Desk, room: Room, post: bytes) -> bool:
    """Say whether a post is one of which one does not want to hear."""
    key = desk.store.get(Space.POSTS, room.group.gid + post)
    value = None if key is None else desk.store.get(Space.MESSAGES, key)
    return value is not None and is_silenced(choices_of(desk.store, room.group.gid), value)
