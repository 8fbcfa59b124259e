"""`introduce`: ask one member whether they know a group for something, see what was asked, and answer."""

from mesh.errors import LocalError, MeshError
from mesh.ids import MemberPk
from mesh.node.local.methods import doors, given
from mesh.node.local.methods.chosen import choices_of
from mesh.node.local.methods.desk import Desk
from mesh.node.local.methods.fitting import newest
from mesh.node.local.methods.names import group_named, member_named, thing_named
from mesh.node.local.methods.sealed import close, note_json, notes_of, said, say, value_of
from mesh.node.local.methods.shown import alias_of, each, iso, person
from mesh.node.local.protocol import JsonObject, phrased
from mesh.peer.records import NoteRecord
from mesh.peer.rights import require_in
from mesh.peer.state import Room
from mesh.phrases import phrase
from mesh.support import introductions
from mesh.wire.notes import IntroductionNote, NoteTag, SeekingNote

_MEMBER = 32


async def ask(desk: Desk, params: JsonObject) -> JsonObject:
    """Ask one member, under seal."""
    room = group_named(desk.state, given.text(params, "group"))
    member = member_named(room, given.text(params, "member"))
    if member == room.group.own.member_pk:
        raise LocalError("that is you", do="name another member; `mesh group members` lists them", code="E-NO-MEMBER")
    key = await say(desk, room, NoteTag.SEEKING, [member], introductions.compose_question(given.text(params, "text")))
    told = await said(desk, room, key, params)
    return {"question": _json(room, key, room.sealed[key], _answers(room)), "told": told}


async def list_questions(desk: Desk, params: JsonObject) -> JsonObject:
    """List what one asked, with the answers, and what one is asked."""
    name = given.maybe_text(params, "group")
    rooms = [group_named(desk.state, name)] if name else list(desk.state.rooms.values())
    found: list[JsonObject] = []
    for room in rooms:
        answers = _answers(room)
        found += [_json(room, key, note, answers) for key, note in _shown(desk, room)]
    return {"questions": each(newest(found, most=len(found))[0])}


async def answer(desk: Desk, params: JsonObject) -> JsonObject:
    """Answer with a code for one use, made now, with a few words, or with both."""
    room, key, note = _named(desk, given.text(params, "question"))
    asker, text, invite = MemberPk(note.by), given.text(params, "text", ""), given.maybe_text(params, "invite")
    about = key[_MEMBER:]
    value = introductions.compose_answer(about, code="", text=text or ("a code" if invite is not None else ""))
    _require_to_be_told(room, asker)  # before anything is made
    if invite is None:
        sent = await say(desk, room, NoteTag.INTRODUCTION, [asker], value)
    else:
        sent = await _send_code(desk, room, asker, (about, invite, text))
    await close(desk, room, key)
    told = await said(desk, room, sent, params)
    return {"question": _json(room, key, room.sealed[key], _answers(room)), "told": told}


async def _send_code(desk: Desk, room: Room, asker: MemberPk, answered: tuple[bytes, str, str]) -> bytes:
    """Make a code for a group (about what, which group, beside which words) and say it to the asker alone.

    If that turns out not to be possible, the code is closed again: nobody has it.
    """
    about, invite, text = answered
    if group_named(desk.state, invite) is room:
        raise LocalError("whoever asks is in that group already", do="name another group", code="E-ALREADY-IN")
    made = await doors.new_invite(desk, {"group": invite, "uses": 1})
    try:
        value = introductions.compose_answer(about, code=given.text(made, "code"), text=text)
        return await say(desk, room, NoteTag.INTRODUCTION, [asker], value)
    except MeshError:
        shown = made["invite"]
        assert isinstance(shown, dict)
        await doors.revoke_invite(desk, {"group": invite, "invite": shown["id"]})
        raise


def _require_to_be_told(room: Room, asker: MemberPk) -> None:
    """LocalError where nothing can be said to whoever asked any more."""
    require_in(room)
    if asker not in room.group.view.members:
        raise LocalError(
            "whoever asked is not in that group any more",
            why="an answer goes through the group where you were asked",
            do="nothing more is needed",
            code="E-NO-MEMBER",
        )


def introduce_problems(desk: Desk, room: Room) -> list[JsonObject]:
    """Say who asks for a group and was not answered, for `status`; of those alone who can still be answered."""
    return [
        phrased(
            what=phrase(
                "{name} of “{group}” asks you about a group.",
                name=alias_of(room, MemberPk(note.by)),
                group=room.group.founding.name,
            ),
            do=phrase(
                "`mesh introduce list`; `mesh introduce answer {id}`, or say nothing.", id=key[_MEMBER:].hex()[:8]
            ),
        )
        for key, note in _shown(desk, room)
        if not note.mine and not note.closed_ms and note.by in room.group.view.members
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


Answers = dict[bytes, list[tuple[NoteRecord, IntroductionNote]]]  # by the id of the question that they name


def _answers(room: Room) -> Answers:
    """Return all answers that are kept in a group, in order."""
    found: Answers = {}
    for _, reply in notes_of(room, NoteTag.INTRODUCTION):
        said_back = value_of(reply)
        if isinstance(said_back, IntroductionNote):
            found.setdefault(said_back.about, []).append((reply, said_back))
    return found


def _json(room: Room, key: bytes, note: NoteRecord, answers: Answers) -> JsonObject:
    """Describe a question; of its answers those of the one who was asked alone, or our own."""
    value = value_of(note)
    text = value.text if isinstance(value, SeekingNote) else ""
    told: list[JsonObject] = [
        {
            "by": person(room, MemberPk(reply.by)),
            "code": said_back.code or None,
            "text": said_back.text or None,
            "at": iso(reply.at_ms),
        }
        for reply, said_back in answers.get(key[_MEMBER:], [])
        if (reply.by in (*note.told, *note.waits) if note.mine else reply.mine)
    ]
    return note_json(room, key, note) | {"text": text, "answers": each(told)}
