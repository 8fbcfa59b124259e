"""`report`: show posts to the stewards under seal; and what stewards do with reports and appeals."""

from typing import Final

from mesh.commands import Rank
from mesh.errors import LocalError, RefusedError, RemoteError
from mesh.events import Space
from mesh.groups.messaging import Original, check_original
from mesh.groups.records import load
from mesh.ids import MemberPk, PostId
from mesh.node.local.methods import given
from mesh.node.local.methods.desk import Desk
from mesh.node.local.methods.names import group_named, message_named
from mesh.node.local.methods.sealed import close, note_json, note_named, notes_of, said, say, value_of
from mesh.node.local.methods.shown import each, iso, person
from mesh.node.local.protocol import JsonObject
from mesh.peer.originals import original_of
from mesh.peer.records import MessageRecord, NoteRecord
from mesh.peer.rights import require_in
from mesh.peer.state import Room, post_id
from mesh.support import reports
from mesh.support.posts import interpret
from mesh.wire import limits
from mesh.wire.messages import Kind
from mesh.wire.notes import AppealNote, NoteTag, ReportedPost, ReportNote, WordKind, WordNote
from mesh.wire.text import require_text

ASKED: Final = (NoteTag.REPORT, NoteTag.APPEAL)  # what stewards and founders are asked for


async def report(desk: Desk, params: JsonObject) -> JsonObject:
    """Show posts to the stewards and founders, but to nobody whose post is among them. RefusedError if none is left."""
    names = list(dict.fromkeys((given.text(params, "message"), *given.texts(params, "with"))))
    if len(names) > limits.REPORTED_POSTS_MAX:
        raise LocalError(f"a report shows at most {limits.REPORTED_POSTS_MAX} messages", code="E-USAGE")
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
    key = await say(desk, room, NoteTag.REPORT, readers, value)
    told = await said(desk, room, key, params)
    return {"report": _whole(room, key, room.sealed[key]), "told": told}


def _row(desk: Desk, room: Room, name: str) -> MessageRecord:
    """Return what a name means in this group: a post whose words are here. LocalError."""
    _, _, place = message_named(desk.store, name, room.group.gid)
    value = desk.store.get(Space.MESSAGES, place)
    record = None if value is None else load(MessageRecord, value)
    if record is None or record.kind != Kind.POST or not record.body:
        raise LocalError("there is nothing there that could be shown", do="`mesh read` shows ids", code="E-NO-MESSAGE")
    return record


def _nobody(room: Room) -> RefusedError:
    """Say, before anything leaves, that nobody is there who could be told."""
    senior = room.group.rank <= Rank.MODERATOR
    return RefusedError(
        f"in “{room.group.founding.name}” there is no steward or founder whom you could tell of this",
        why="a report never goes to yourself, nor to anybody whose message is in it; nothing was sent",
        do=("`mesh sanction` is the way for you, where you are the more senior; " if senior else "")
        + "`mesh block` stops it for you; `mesh group leave` or `mesh group fork` goes on without them",
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
    """List the reports and appeals that came to us, and our own; the newest last. What they say is left to `show`."""
    name = given.maybe_text(params, "group")
    rooms = [group_named(desk.state, name)] if name else list(desk.state.rooms.values())
    return {"reports": each(_whole(room, key, note) for room in rooms for key, note in notes_of(room, *ASKED))}


async def show(desk: Desk, params: JsonObject) -> JsonObject:
    """Show one report or appeal, with the posts in it as far as they came."""
    room, key, note = note_named(desk, given.text(params, "report"), *ASKED)
    return {"report": _whole(room, key, note, posts=True)}


async def answer(desk: Desk, params: JsonObject) -> JsonObject:
    """Close a report or an appeal, and answer it under seal where there is a text; `told`: that has gone out."""
    room, key, note = note_named(desk, given.text(params, "report"), *ASKED)
    if note.mine:
        raise LocalError(
            "that is your own",
            why="those whom you told answer it",
            do="`mesh log GROUP` shows what they said to you",
            code="E-YOURS",
        )
    text = require_text("answer", given.text(params, "text", ""), limits.WORD_TEXT_BYTES_MAX, lines=True, empty=True)
    told = True
    if text:
        kind = WordKind.REPORT if note.tag == NoteTag.REPORT else WordKind.APPEAL
        word = WordNote(kind=kind, about=key[32:], text=text)
        told = await said(desk, room, await say(desk, room, NoteTag.WORD, [MemberPk(note.by)], word), params)
    await close(desk, room, key)
    return {"report": _whole(room, key, room.sealed[key]), "told": told}


def _whole(room: Room, key: bytes, note: NoteRecord, *, posts: bool = False) -> JsonObject:
    """Describe a report or an appeal; with `posts` what the posts in it say."""
    value = value_of(note)
    told = {**note_json(room, key, note), "text": None, "about": None, "sanction": None, "posts": []}
    if isinstance(value, AppealNote):
        return told | {"text": value.text or None, "sanction": value.about.hex() or None}
    assert isinstance(value, ReportNote)
    return told | {
        "text": value.text or None,
        "about": person(room, MemberPk(value.posts[0].member)),
        "posts": each(_post_json(room, post, whole=posts) for post in value.posts),
    }


def _post_json(room: Room, post: ReportedPost, *, whole: bool) -> JsonObject:
    """Describe a post in a report. `proved`: its author signed just this; else it is the reporter's word."""
    body = _signed_body(room, post)
    told: JsonObject = {
        "id": post.post.hex(),
        "author": person(room, MemberPk(post.member)),
        "at": iso(post.ts_ms),
        "proved": body is not None,
        "text": None,
        "cw": None,
    }
    if not whole:
        return told
    try:
        said_there = None if body is None else interpret(body)
    except RemoteError:
        return told
    if said_there is None:
        return told | {"text": post.text or None}
    return told | {"text": said_there.text, "cw": said_there.cw or None}


def _signed_body(room: Room, post: ReportedPost) -> bytes | None:
    """Return what the author of a reported post signed, if it is this post and theirs; None otherwise."""
    if post.signed is None:
        return None
    try:
        original = check_original(room.group, post.signed)
    except RemoteError:
        return None
    if not isinstance(original, Original) or original.tbs.kind != Kind.POST:
        return None
    same = post_id(original.tbs.dev, original.tbs.uid) == post.post and original.member == post.member
    return original.tbs.body if same and original.tbs.ts_ms == post.ts_ms else None
