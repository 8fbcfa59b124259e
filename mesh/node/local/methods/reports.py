"""`report`: show posts to the stewards under seal; and what stewards do with reports and appeals."""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from mesh.commands import Rank, RecallNote
from mesh.errors import LocalError, RefusedError, RemoteError
from mesh.events import Space
from mesh.groups.messaging import Original, check_words
from mesh.groups.records import load
from mesh.ids import MemberPk, PostId
from mesh.node.local.methods import given
from mesh.node.local.methods.chosen import choices_of
from mesh.node.local.methods.desk import Desk
from mesh.node.local.methods.fitting import newest
from mesh.node.local.methods.names import group_named, message_named
from mesh.node.local.methods.sealed import (
    close,
    note_json,
    note_named,
    notes_of,
    recalled,
    said,
    say,
    value_of,
)
from mesh.node.local.methods.shown import each, iso, person
from mesh.node.local.protocol import JsonObject
from mesh.peer.originals import original_of
from mesh.peer.records import MessageRecord, NoteRecord
from mesh.peer.rights import require_in
from mesh.peer.state import Room, post_id
from mesh.phrases import phrase
from mesh.support import reports
from mesh.support.own import Choices, Closed
from mesh.support.posts import interpret
from mesh.wire import limits
from mesh.wire.messages import Kind
from mesh.wire.notes import AppealNote, NoteTag, ReportedPost, ReportNote, WordKind, WordNote
from mesh.wire.text import require_text

LIMIT_MAX: Final = 200  # reports and appeals in one answer; of long ones fewer
ASKED: Final = (NoteTag.REPORT, NoteTag.APPEAL)  # what stewards and founders are asked for


@dataclass(frozen=True, slots=True, kw_only=True)
class _Draft:
    """A report as it would be sent: to whom, to which stewards and founders not, and what."""

    room: Room
    readers: list[MemberPk]
    left_out: list[MemberPk]
    value: ReportNote


async def report_check(desk: Desk, params: JsonObject) -> JsonObject:
    """Say what a report would show to whom, and which stewards and founders it does not go to. Nothing is sent."""
    draft = _drafted(desk, params)
    room = draft.room
    shown = _Shown(choices_of(desk.store, room.group.gid), opened=False)
    return {
        "group": {"id": room.group.gid.hex(), "name": room.group.founding.name},
        "to": [person(room, pk) for pk in draft.readers],
        "not_to": [person(room, pk) for pk in draft.left_out],
        "text": draft.value.text or None,
        "posts": each(_post_json(room, post, shown) for post in draft.value.posts),
    }


async def report(desk: Desk, params: JsonObject) -> JsonObject:
    """Show posts to the stewards and founders, but to nobody whose post is among them. RefusedError if none is left.

    `to`: ids of members; it goes to these alone, as far as they may be told.
    """
    draft = _drafted(desk, params)
    room, readers = draft.room, draft.readers
    if "to" in params:
        asked = given.texts(params, "to")
        readers = [pk for pk in readers if pk.hex() in asked]
    if not readers:
        raise _nobody(room)
    key = await say(desk, room, NoteTag.REPORT, readers, draft.value)
    told = await said(desk, room, key, params)
    return {"report": _whole(room, key, room.sealed[key]), "told": told}


def _drafted(desk: Desk, params: JsonObject) -> _Draft:
    names = list(dict.fromkeys((given.text(params, "message"), *given.texts(params, "with"))))
    if len(names) > limits.REPORTED_POSTS_MAX:
        raise LocalError(
            phrase("a report shows at most {most} messages", most=limits.REPORTED_POSTS_MAX), code="E-USAGE"
        )
    _, gid, _ = message_named(desk.store, names[0])
    room = desk.state.rooms[gid]
    require_in(room)
    records = list({record.post: record for record in (_row(desk, room, name) for name in names)}.values())
    if records[0].member == room.group.own.member_pk:
        raise LocalError(
            "that message is your own",
            why="a report is about what somebody else said",
            do="`mesh message withdraw` takes back what you said",
            code="E-YOURS",
        )
    about = {MemberPk(record.member) for record in records}
    readers = reports.readers_of(room.group.view.members.values(), room.group.own.member_pk, about)
    if not readers:
        raise _nobody(room)
    text = require_text("note", given.text(params, "note", ""), limits.WORD_TEXT_BYTES_MAX, lines=True, empty=True)
    value = reports.fit(text, [_reported(room, record) for record in records])
    served = (pk for pk, member in room.group.view.members.items() if member.rank <= Rank.STEWARD)
    return _Draft(room=room, readers=readers, left_out=sorted(about.intersection(served)), value=value)


def _row(desk: Desk, room: Room, name: str) -> MessageRecord:
    """Return what a name means in this group: a post whose words are here. LocalError."""
    _, _, place = message_named(desk.store, name, room.group.gid)
    value = desk.store.get(Space.MESSAGES, place)
    record = None if value is None else load(MessageRecord, value)
    if record is None or record.kind != Kind.POST or not record.body:
        raise LocalError("there is nothing there that could be shown", do="`mesh read` shows ids", code="E-NO-MESSAGE")
    return record


_GO_ON: Final = "`mesh block` stops it for you; `mesh group leave` or `mesh group fork` goes on without them"
_SENIOR_GO_ON: Final = (
    "`mesh sanction` is the way for you, where you are the more senior; `mesh block` stops it for you; "
    "`mesh group leave` or `mesh group fork` goes on without them"
)


def _nobody(room: Room) -> RefusedError:
    """Say, before anything leaves, that nobody is there who could be told."""
    senior = room.group.rank <= Rank.MODERATOR
    return RefusedError(
        phrase(
            "in “{group}” there is no steward or founder whom you could tell of this", group=room.group.founding.name
        ),
        why="a report never goes to yourself, nor to anybody whose message is in it; nothing was sent",
        do=_SENIOR_GO_ON if senior else _GO_ON,
        code="E-NOBODY-TO-TELL",
    )


def _reported(room: Room, record: MessageRecord) -> tuple[ReportedPost, str]:
    """Return a post as a report shows it where it fits, and what it says."""
    signed = None if record.origin is None else original_of(room.group.gid, record)
    post = ReportedPost(
        post=PostId(record.post), member=MemberPk(record.member), ts_ms=record.ts_ms, text="", signed=signed
    )
    try:
        return post, interpret(record.body).text
    except RemoteError:
        return post, ""


# ---------------------------------------------------------------- those who are asked


async def list_reports(desk: Desk, params: JsonObject) -> JsonObject:
    """List the reports and appeals that came to us, and our own; the newest last. What they say is left to `show`.

    `older`: there are some before them; with `before`, the id of one, those are listed.
    """
    name, before = given.maybe_text(params, "group"), given.maybe_text(params, "before")
    limit = given.number(params, "limit", LIMIT_MAX)
    if limit < 1:
        raise LocalError("the limit is at least 1", code="E-USAGE")
    rooms = [group_named(desk.state, name)] if name else list(desk.state.rooms.values())
    found = sorted(
        ((note.at_ms, room.group.gid, key) for room in rooms for key, note in notes_of(room, *ASKED)),
    )
    if before is not None:
        room, key, note = note_named(desk, before, *ASKED)
        found = found[: bisect_left(found, (note.at_ms, room.group.gid, key))]
    last = [(desk.state.rooms[gid], key) for _, gid, key in found[-min(limit, LIMIT_MAX) :]]
    told, cut = newest((_whole(room, key, room.sealed[key]) for room, key in last), most=len(last))
    return {"reports": each(told), "older": cut or len(last) < len(found)}


async def show(desk: Desk, params: JsonObject) -> JsonObject:
    """Show one report or appeal, with the posts in it as far as they came; `open`: those that are closed as well."""
    room, key, note = note_named(desk, given.text(params, "report"), *ASKED)
    choices = choices_of(desk.store, room.group.gid)
    return {"report": _whole(room, key, note, shown=_Shown(choices, opened=given.flag(params, "open")))}


async def answer(desk: Desk, params: JsonObject) -> JsonObject:
    """Close a report or an appeal, and answer it under seal where there is a text.

    `told`: that has gone out. `answered` false: whoever wrote is out, and nothing can be said to them here.
    """
    room, key, note = note_named(desk, given.text(params, "report"), *ASKED)
    if note.mine:
        raise LocalError(
            "that is your own",
            why="those whom you told answer it",
            do="`mesh reports ID` shows what they said to you; --withdraw takes it back",
            code="E-YOURS",
        )
    text = require_text("answer", given.text(params, "text", ""), limits.WORD_TEXT_BYTES_MAX, lines=True, empty=True)
    told, there = True, note.by in room.group.view.members
    if text and there:
        kind = WordKind.REPORT if note.tag == NoteTag.REPORT else WordKind.APPEAL
        word = WordNote(kind=kind, about=key[32:], text=text)
        told = await said(desk, room, await say(desk, room, NoteTag.WORD, [MemberPk(note.by)], word), params)
    await close(desk, room, key)
    return {"report": _whole(room, key, room.sealed[key]), "told": told, "answered": bool(text) and there}


async def withdraw(desk: Desk, params: JsonObject) -> JsonObject:
    """Take a report or an appeal of ours back; who was told it is told so. `report` null: nobody had it; it is gone.

    `told`: all who had it have been told, or a node has it for them.
    """
    room, key, _ = note_named(desk, given.text(params, "report"), *ASKED)
    before = set(room.sealed)
    await desk.ask(RecallNote(group=room.group.gid, note=key))
    new = [one for one in room.sealed if one not in before]
    told = all([await said(desk, room, one, params) for one in new])
    note = room.sealed.get(key)
    return {"report": None if note is None else _whole(room, key, note), "told": told}


@dataclass(frozen=True, slots=True)
class _Shown:
    """How the words of reported posts are shown: by these choices, and closed ones only where they are opened."""

    choices: Choices
    opened: bool


def _whole(room: Room, key: bytes, note: NoteRecord, *, shown: _Shown | None = None) -> JsonObject:
    """Describe a report or an appeal, and what was answered; with `shown` what the posts in it say."""
    value = value_of(note)
    told = {**note_json(room, key, note, recalled(room)), "text": None, "about": None, "sanction": None, "posts": []}
    told["answers"] = each(_answers(room, key, note))
    if isinstance(value, AppealNote):
        return told | {"text": value.text or None, "sanction": value.about.hex() or None}
    assert isinstance(value, ReportNote)
    return told | {
        "text": value.text or None,
        "about": person(room, MemberPk(value.posts[0].member)),
        "posts": each(_post_json(room, post, shown) for post in value.posts),
    }


def _answers(room: Room, key: bytes, note: NoteRecord) -> Iterator[JsonObject]:
    """Give what was answered under seal: to us by those whom we told, or by us."""
    for _, there in notes_of(room, NoteTag.WORD):
        word = value_of(there)
        if not isinstance(word, WordNote) or word.about != key[32:]:
            continue
        answers = word.kind in (WordKind.REPORT, WordKind.APPEAL)
        if answers and (there.by in note.told if note.mine else there.mine):
            gone = not there.waits
            yield {"by": person(room, MemberPk(there.by)), "at": iso(there.at_ms), "text": word.text, "sent": gone}


def _post_json(room: Room, post: ReportedPost, shown: _Shown | None) -> JsonObject:
    """Describe a post in a report. `proved`: its author signed just this; else it is the reporter's word.

    A warning closes its words as it does in the group, until they are opened; `closed_by` says why. Where the author's
    signature is not there, nobody knows whether they set a warning, and the words are closed for that.
    """
    body = _signed_body(room, post)
    told: JsonObject = {
        "id": post.post.hex(),
        "author": person(room, MemberPk(post.member)),
        "at": iso(post.ts_ms),
        "proved": body is not None,
        "text": None,
        "cw": None,
        "closed_by": None,
    }
    if shown is None:
        return told
    try:
        said_there = None if body is None else interpret(body)
    except RemoteError:
        return told
    if said_there is None:
        text, warning = post.text or None, None
        closed = Closed.UNPROVED if text else None
    else:
        text, warning = said_there.text, said_there.cw or None
        closed = shown.choices.closes_by_words(said_there)
    if closed is None or shown.opened:
        return told | {"text": text, "cw": warning}
    return told | {"cw": warning, "closed_by": closed.value}


def _signed_body(room: Room, post: ReportedPost) -> bytes | None:
    """Return what the author of a reported post signed, if it is this post and theirs; None otherwise."""
    if post.signed is None:
        return None
    try:
        original = check_words(room.group, post.signed)
    except RemoteError:
        return None
    if not isinstance(original, Original) or original.tbs.kind != Kind.POST:
        return None
    same = post_id(original.tbs.dev, original.tbs.uid) == post.post and original.member == post.member
    return original.tbs.body if same and original.tbs.ts_ms == post.ts_ms else None
