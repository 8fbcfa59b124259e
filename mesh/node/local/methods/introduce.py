"""`introduce`: ask one member whether they know a group for something, see what was asked, and answer."""

from mesh.errors import LocalError
from mesh.ids import MemberPk
from mesh.node.local.methods import doors, given
from mesh.node.local.methods.chosen import choices_of
from mesh.node.local.methods.desk import Desk
from mesh.node.local.methods.names import group_named, member_named, thing_named
from mesh.node.local.methods.sealed import close, note_json, notes_of, said, say, value_of
from mesh.node.local.methods.shown import alias_of, each, iso, person
from mesh.node.local.protocol import JsonObject
from mesh.peer.records import NoteRecord
from mesh.peer.state import Room
from mesh.support import introductions
from mesh.wire.notes import IntroductionNote, NoteTag, SeekingNote

_MEMBER = 32


async def ask(desk: Desk, params: JsonObject) -> JsonObject:
    """Ask one member, under seal."""
    room = group_named(desk.state, given.text(params, "group"))
    member = member_named(room, given.text(params, "member"))
    key = await say(desk, room, NoteTag.SEEKING, [member], introductions.compose_question(given.text(params, "text")))
    told = await said(desk, room, key, params)
    return {"question": _json(room, key, room.sealed[key]), "told": told}


async def list_questions(desk: Desk, params: JsonObject) -> JsonObject:
    """List what one asked, with the answers, and what one is asked."""
    name = given.maybe_text(params, "group")
    rooms = [group_named(desk.state, name)] if name else list(desk.state.rooms.values())
    return {"questions": each(_json(room, key, note) for room in rooms for key, note in _shown(desk, room))}


async def answer(desk: Desk, params: JsonObject) -> JsonObject:
    """Answer with a code for one use, made now, with a few words, or with both."""
    room, key, note = _named(desk, given.text(params, "question"))
    asker, text, invite = MemberPk(note.by), given.text(params, "text", ""), given.maybe_text(params, "invite")
    introductions.compose_answer(key[_MEMBER:], code="", text=text or "a code")  # before anything is made
    code = ""
    if invite is not None:
        if group_named(desk.state, invite) is room:
            raise LocalError("whoever asks is in that group already", do="name another group", code="E-ALREADY-IN")
        made = await doors.new_invite(desk, {"group": invite, "uses": 1})
        code = given.text(made, "code")
    value = introductions.compose_answer(key[_MEMBER:], code=code, text=text)
    sent = await say(desk, room, NoteTag.INTRODUCTION, [asker], value)
    await close(desk, room, key)
    told = await said(desk, room, sent, params)
    return {"question": _json(room, key, room.sealed[key]), "told": told}


def introduce_problems(desk: Desk, room: Room) -> list[JsonObject]:
    """Say who asks for a group and was not answered, for `status`."""
    return [
        {
            "what": f"{alias_of(room, MemberPk(note.by))} of “{room.group.founding.name}” asks you about a group.",
            "do": f"`mesh introduce list`; `mesh introduce answer {key[_MEMBER:].hex()[:8]}`, or say nothing.",
        }
        for key, note in _shown(desk, room)
        if not note.mine and not note.closed_ms
    ]


def _shown(desk: Desk, room: Room) -> list[tuple[bytes, NoteRecord]]:
    """Return the questions of a group, without those of members whom one has blocked."""
    blocked = choices_of(desk.store, room.group.gid).blocked
    return [(key, note) for key, note in notes_of(room, NoteTag.SEEKING) if note.mine or note.by not in blocked]


def _named(desk: Desk, name: str) -> tuple[Room, bytes, NoteRecord]:
    """Return what we are asked under this id prefix. LocalError."""
    found = {
        key[_MEMBER:] + key[:_MEMBER]: (room, key, note)  # an id is its author's choice: two may be alike
        for room in desk.state.rooms.values()
        for key, note in _shown(desk, room)
        if not note.mine
    }
    return found[thing_named("question", name, found, "`mesh introduce list` shows the ids")]


def _json(room: Room, key: bytes, note: NoteRecord) -> JsonObject:
    """Describe a question; of its answers those of the one who was asked alone, or our own."""
    value = value_of(note)
    text = value.text if isinstance(value, SeekingNote) else ""
    answers: list[JsonObject] = []
    for _, reply in notes_of(room, NoteTag.INTRODUCTION):
        said_back = value_of(reply)
        was_asked = reply.by in (*note.told, *note.waits) if note.mine else reply.mine
        if isinstance(said_back, IntroductionNote) and said_back.about == key[_MEMBER:] and was_asked:
            answers.append(
                {
                    "by": person(room, MemberPk(reply.by)),
                    "code": said_back.code or None,
                    "text": said_back.text or None,
                    "at": iso(reply.at_ms),
                }
            )
    return note_json(room, key, note) | {"text": text, "answers": each(answers)}
