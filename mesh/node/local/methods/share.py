"""`share`: ask an author whether their words may leave the group, and answer one who asks."""

from collections.abc import Iterable
from typing import Final

from mesh.commands import CloseNote, MakeStatement, SayNote
from mesh.errors import LocalError, RefusedError
from mesh.events import Space
from mesh.groups.history import devices_of
from mesh.groups.records import load
from mesh.ids import PostId
from mesh.node.local.methods import given
from mesh.node.local.methods.chosen import choices_of
from mesh.node.local.methods.desk import Desk
from mesh.node.local.methods.fitting import ANSWER_BYTES_MAX, newest
from mesh.node.local.methods.messages import Look, is_hidden, message_json
from mesh.node.local.methods.names import member_named, message_named
from mesh.node.local.methods.shown import each, iso, person
from mesh.node.local.protocol import JsonObject
from mesh.peer.consent import Question, consent_to, may_leave, questions, words_of
from mesh.peer.records import MessageRecord
from mesh.peer.state import Room
from mesh.peer.stating import is_told
from mesh.phrases import phrase
from mesh.support import consent
from mesh.support.consent import Words
from mesh.support.forms import read_value
from mesh.wire.codec import encode
from mesh.wire.messages import Kind
from mesh.wire.notes import NoteTag, ShareQuestion
from mesh.wire.statements import ConsentValue, Form

EVERYONE: Final = "all"
_EXCERPT_CHARACTERS: Final = 80
_LISTED_MAX: Final = 256  # of each kind, the newest


async def ask(desk: Desk, params: JsonObject) -> JsonObject:
    """Ask a post's author, under seal; where we asked lately, or need not ask, nothing is sent."""
    room, record = _named(desk, given.text(params, "message"))
    if record.member == room.group.own.member_pk:
        raise LocalError(
            "those words are your own",
            why="nobody else is asked about them",
            do="quote or export them as they are; `mesh share grant` lets others do so",
            code="E-OWN-WORDS",
        )
    purpose = consent.require_purpose(given.text(params, "purpose", ""))
    lately = any(_is_new(desk, q) for q in questions(room, mine=True, post=record.post))
    if not lately and not may_leave(room, words_of(room, record), desk.now().wall_ms):
        if record.member not in room.group.others:
            raise LocalError(
                "whoever said that is not in the group any more",
                why="nobody else can let their words leave it",
                do="leave them where they were said",
                code="E-NO-MEMBER",
            )
        value = encode(ShareQuestion(post=record.post, purpose=purpose))
        await desk.ask(SayNote(group=room.group.gid, tag=NoteTag.QUESTION, to=(record.member,), value=value))
    await desk.until(lambda: _is_out(room, record.post), given.seconds(params, "wait_s", 2.0))
    return {"share": _post_json(desk, room, record), "told": _is_out(room, record.post)}


def _is_out(room: Room, post: PostId) -> bool:
    return not any(question.note.waits for question in questions(room, mine=True, post=post))


def _is_new(desk: Desk, question: Question) -> bool:
    return desk.now().wall_ms < question.note.at_ms + consent.QUESTION_MS


async def grant(desk: Desk, params: JsonObject) -> JsonObject:
    """Let a post of ours leave the group: by the hand of those who asked, of one of them (`to`), or of all."""
    room, record = _own(desk, given.text(params, "message"))
    to, words = given.maybe_text(params, "to"), words_of(room, record)
    asked = [] if to == EVERYONE else _askers(desk, room, record.post, to)
    before = consent_to(room, words, desk.now().wall_ms)
    named = {question.named(room) for question in asked}
    value = consent.widen(before, everyone=to == EVERYONE, to=named)
    if value != before:
        await _state(desk, room, record.post, value, takes_back=False)
    for question in asked:
        await desk.ask(CloseNote(group=room.group.gid, note=question.key, closed=True))
    return await _told(desk, room, record, params)


async def withdraw(desk: Desk, params: JsonObject) -> JsonObject:
    """Let a post of ours leave no more, by anybody's hand.

    Another device of ours may have let it leave while this one heard nothing: then it is said in any case.
    """
    room, record = _own(desk, given.text(params, "message"))
    words, group = words_of(room, record), room.group
    alone = len(devices_of(group, group.own.member_pk)) == 1
    could_leave = consent_to(room, words, desk.now().wall_ms) != consent.nobody(words)
    if could_leave or not (alone or _is_withdrawn(room, words)):
        await _state(desk, room, record.post, consent.nobody(words), takes_back=words.stays and alone)
    return await _told(desk, room, record, params)


def _is_withdrawn(room: Room, words: Words) -> bool:
    """Say whether a word of ours is here by which a post leaves no more."""
    about = room.statements.about(Form.CONSENT, words.post)
    return any(s.record.member == words.author and read_value(s.body) == consent.nobody(words) for s in about)


async def refuse(desk: Desk, params: JsonObject) -> JsonObject:
    """Say no to those who asked for a post of ours, or to one of them. It is written down here; nothing is sent."""
    room, record = _own(desk, given.text(params, "message"))
    asked = _askers(desk, room, record.post, given.maybe_text(params, "to"))
    for question in asked:
        await desk.ask(CloseNote(group=room.group.gid, note=question.key, closed=True))
    return {"share": _post_json(desk, room, record), "refused": len(asked)}


async def list_shares(desk: Desk, params: JsonObject) -> JsonObject:
    """List what we asked, what was asked of us and waits for an answer, and what of ours may leave."""
    del params
    asked: list[JsonObject] = []
    waiting: list[JsonObject] = []
    granted: list[JsonObject] = []
    for room in desk.state.rooms.values():
        mine = dict.fromkeys(question.post for question in questions(room, mine=True))
        theirs = dict.fromkeys(question.post for question in waiting_questions(desk, room))
        asked += _all_json(desk, room, mine, own=False)
        waiting += _all_json(desk, room, theirs, own=True)
        granted += [post for post in _all_json(desk, room, _stated(room), own=True) if post["everyone"] or post["to"]]
    return {
        "asked": each(newest(asked, most=_LISTED_MAX, bytes_max=ANSWER_BYTES_MAX // 3)[0]),
        "questions": each(newest(waiting, most=_LISTED_MAX, bytes_max=ANSWER_BYTES_MAX // 3)[0]),
        "granted": each(newest(granted, most=_LISTED_MAX, bytes_max=ANSWER_BYTES_MAX // 3)[0]),
    }


def _stated(room: Room) -> Iterable[PostId]:
    """Return the posts of ours of which we have said whether they may leave."""
    own = room.group.own
    said = [stated for stated in room.statements.of_form(Form.CONSENT) if stated.record.member == own.member_pk]
    return dict.fromkeys(PostId(stated.body.subject) for stated in said)


def waiting_questions(desk: Desk, room: Room) -> list[Question]:
    """Return the questions about posts of ours that wait for our answer; not of people whom one does not want to hear.

    One who asks again after a no is not shown for a while.
    """
    choices = choices_of(desk.store, room.group.gid)
    theirs = list(questions(room, mine=False))
    since_ms = max(0, desk.now().wall_ms - consent.QUESTION_MS)
    refused = {(q.asker, q.post) for q in theirs if q.note.closed_ms > since_ms}
    return [
        q
        for q in theirs
        if not q.note.closed_ms
        and (q.asker, q.post) not in refused
        and q.asker in room.group.others
        and not choices.leaves_out(q.asker, q.purpose)
        and (record := _find(desk, room, q.post)) is not None
        and record.member == room.group.own.member_pk
    ]


def is_unwanted(desk: Desk, room: Room, note_id: bytes) -> bool:
    """Say whether a note is a question that one does not want to hear."""
    asked = [q for q in questions(room, mine=False) if q.key.endswith(note_id)]
    return bool(asked) and not any(q.key == wanted.key for wanted in waiting_questions(desk, room) for q in asked)


# ---------------------------------------------------------------- helpers


def _find(desk: Desk, room: Room, post: bytes) -> MessageRecord | None:
    """Return a post that is here and has words."""
    key = desk.store.get(Space.POSTS, room.group.gid + post)
    value = None if key is None else desk.store.get(Space.MESSAGES, key)
    if value is None or is_hidden(Look.of(desk, room), room, value):
        return None
    record = load(MessageRecord, value)
    return record if record.kind == Kind.POST and record.body else None


def _named(desk: Desk, name: str) -> tuple[Room, MessageRecord]:
    """Return the post that this names, and its group; LocalError where it says nothing (any more)."""
    post, gid, _ = message_named(desk.store, name)
    room = desk.state.rooms[gid]
    record = _find(desk, room, post)
    if record is None:
        raise LocalError("nothing is said there any more", do="`mesh read` shows what is", code="E-NO-MESSAGE")
    return room, record


def _own(desk: Desk, name: str) -> tuple[Room, MessageRecord]:
    room, record = _named(desk, name)
    if record.member != room.group.own.member_pk:
        raise RefusedError(
            "those words are not yours",
            why="only who said them lets them leave the group, under the key that they said them under",
            do="ask their author: `mesh share ask`",
            code="E-NOT-YOURS",
        )
    return room, record


def _askers(desk: Desk, room: Room, post: PostId, to: str | None) -> list[Question]:
    """Return the questions about a post that are to be answered; LocalError where nobody asked."""
    if to is None:
        asked = [q for q in waiting_questions(desk, room) if q.post == post]
    else:
        member = member_named(room, to)
        asked = [q for q in questions(room, mine=False, post=post) if q.asker == member]
    if not asked:
        raise LocalError(
            "nobody has asked for that message" if to is None else phrase("{to} has not asked for that message", to=to),
            why="who asks can be named so that the others do not learn who it is",
            do="let everyone take it: --to all; or have them ask: `mesh share ask`",
            code="E-NO-ASKER",
        )
    return asked


async def _state(desk: Desk, room: Room, post: PostId, value: ConsentValue, *, takes_back: bool) -> None:
    await desk.ask(
        MakeStatement(group=room.group.gid, form=Form.CONSENT, subject=post, value=encode(value), takes_back=takes_back)
    )


async def _told(desk: Desk, room: Room, record: MessageRecord, params: JsonObject) -> JsonObject:
    told = await desk.until(lambda: is_told(room, Form.CONSENT, record.post), given.seconds(params, "wait_s", 2.0))
    return {"share": _post_json(desk, room, record), "told": told}


def _all_json(desk: Desk, room: Room, posts: Iterable[PostId], *, own: bool) -> list[JsonObject]:
    """Describe those of these posts that are here, and are ours or (`own` False) another's."""
    found = [record for post in posts if (record := _find(desk, room, post)) is not None]
    return [_post_json(desk, room, r) for r in found if (r.member == room.group.own.member_pk) is own]


def _post_json(desk: Desk, room: Room, record: MessageRecord) -> JsonObject:
    """Describe a post as far as consent is concerned; of what is closed nothing is said."""
    wall_ms, gid, words = desk.now().wall_ms, room.group.gid, words_of(room, record)
    found, mine = consent_to(room, words, wall_ms), record.member == room.group.own.member_pk
    asked = list(questions(room, mine=False, post=record.post)) if mine else []
    named = {q.named(room): q.asker for q in asked}
    key = desk.store.get(Space.POSTS, gid + record.post)
    value = b"" if key is None else desk.store.get(Space.MESSAGES, key) or b""
    shown = message_json(Look.of(desk, room), room, value, opened=False)
    told: JsonObject = {
        "id": record.post.hex(),
        "group": {"id": gid.hex(), "name": room.group.founding.name},
        "author": person(room, record.member),
        "mine": mine,
        "at": iso(record.at_ms),
        "cw": shown["cw"],
        "excerpt": None if shown["text"] is None else str(shown["text"])[:_EXCERPT_CHARACTERS],
        "everyone": found.everyone,
        "to": each(person(room, named[h]) for h in found.to if h in named) if mine else [],
        "unnamed": len([h for h in found.to if h not in named]),
        "may_leave": may_leave(room, words, wall_ms),
        "state": "yours" if mine else _state_of(desk, room, record),
        "questions": each(
            {"from": person(room, q.asker), "purpose": q.purpose or None, "at": iso(q.note.at_ms)}
            for q in (waiting_questions(desk, room) if mine else [])
            if q.post == record.post
        ),
    }
    return told


def _state_of(desk: Desk, room: Room, record: MessageRecord) -> str:
    """Say how our question stands: granted; waiting, asked; unanswered, after a while; none."""
    if may_leave(room, words_of(room, record), desk.now().wall_ms):
        return "granted"
    asked = list(questions(room, mine=True, post=record.post))
    if not asked:
        return "not-asked"
    newest = max(asked, key=lambda q: q.note.at_ms)
    if newest.note.waits:
        return "waiting"
    return "asked" if _is_new(desk, newest) else "unanswered"
