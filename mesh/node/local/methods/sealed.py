"""What was said under seal, as the methods about it share it: saying it, finding it by id, describing it."""

from collections.abc import Container
from typing import Final

from mesh.commands import CloseNote, SayNote
from mesh.ids import MemberPk
from mesh.node.local.methods import given
from mesh.node.local.methods.desk import Desk
from mesh.node.local.methods.names import thing_named
from mesh.node.local.methods.shown import iso, person
from mesh.node.local.protocol import JsonObject, phrased
from mesh.peer.noting import has_nobody_left
from mesh.peer.records import NoteRecord
from mesh.peer.state import Room
from mesh.phrases import phrase
from mesh.support.tags import read_note_value, tag_name
from mesh.wire.codec import Record, encode
from mesh.wire.notes import NoteTag, RecallNote, WordKind, WordNote

_MEMBER = 32
_WAITS: Final = "a word of yours to them alone waits until a member's node is there to take it"
_NOBODY_LEFT: Final = "nobody has it, and none of those it was for is a steward here now; you can take it back"


def value_of(note: NoteRecord) -> Record:
    """Return what a note says: it was checked when it came."""
    value = read_note_value(note.tag, note.value)
    assert value is not None, "a note is kept that says nothing"
    return value


def notes_of(room: Room, *tags: NoteTag) -> list[tuple[bytes, NoteRecord]]:
    """Return the notes of these tags that are kept in a group, by their keys, in the order in which they came."""
    found = [(key, note) for key, note in room.sealed.items() if note.tag in tags]
    return sorted(found, key=lambda entry: (entry[1].at_ms, entry[0]))


def recalled(room: Room) -> frozenset[bytes]:
    """Return the keys of the notes that their authors took back."""
    found = ((MemberPk(note.by), value_of(note)) for _, note in notes_of(room, NoteTag.RECALL))
    theirs = {by + value.about for by, value in found if isinstance(value, RecallNote)}
    ours = (key for key, note in notes_of(room, NoteTag.REPORT, NoteTag.APPEAL) if note.mine and note.closed_ms)
    return frozenset(theirs.union(ours))


def open_to_us(room: Room) -> list[NoteRecord]:
    """Return the reports and appeals that came to us and wait: neither dealt with nor taken back."""
    gone = recalled(room)
    asked = notes_of(room, NoteTag.REPORT, NoteTag.APPEAL)
    return [note for key, note in asked if not note.mine and not note.closed_ms and key not in gone]


def words_to_us(room: Room, *kinds: WordKind) -> list[tuple[bytes, NoteRecord, WordNote]]:
    """Return what moderators and more senior people said to us, for one of these reasons, in order."""
    words = ((key, note, value_of(note)) for key, note in notes_of(room, NoteTag.WORD) if not note.mine)
    return [(key, note, word) for key, note, word in words if isinstance(word, WordNote) and word.kind in kinds]


def note_named(desk: Desk, name: str, *tags: NoteTag) -> tuple[Room, bytes, NoteRecord]:
    """Return the note with this id prefix, of one of these tags, and its group; LocalError."""
    found = {  # an id is its author's choice: two authors' notes under one id are two, and neither is meant
        key[_MEMBER:] + key[:_MEMBER]: (room, key, note)
        for room in desk.state.rooms.values()
        for key, note in notes_of(room, *tags)
    }
    return found[thing_named("report", name, found, "`mesh reports` shows the ids")]


async def say(desk: Desk, room: Room, tag: NoteTag, to: list[MemberPk], value: Record) -> bytes:
    """Say something under seal; return its key among the group's notes."""
    command = SayNote(group=room.group.gid, tag=tag, to=tuple(to), value=encode(value))
    return room.group.own.member_pk + await desk.ask(command)


async def said(desk: Desk, room: Room, key: bytes, params: JsonObject) -> bool:
    """Wait until everybody whom something was for has been told, or at least a node has it for them."""
    return await desk.until(lambda: not waits(room, key), given.seconds(params, "wait_s", 2.0))


def waits(room: Room, key: bytes) -> bool:
    """Say whether something that we said under seal has not gone out yet."""
    note = room.sealed.get(key)
    return note is not None and bool(note.waits)


async def close(desk: Desk, room: Room, key: bytes) -> None:
    """Note that the person has dealt with a note."""
    await desk.ask(CloseNote(group=room.group.gid, note=key, closed=True))


def note_json(room: Room, key: bytes, note: NoteRecord, gone: Container[bytes] = ()) -> JsonObject:
    """Describe a note, without what it says; `gone`: the keys of those that were taken back."""
    return {
        "id": key[_MEMBER:].hex(),
        "group": {"id": room.group.gid.hex(), "name": room.group.founding.name},
        "kind": tag_name(note.tag),
        "by": person(room, MemberPk(note.by)),
        "mine": note.mine,
        "to": [person(room, MemberPk(pk)) for pk in note.told],
        "waiting_for": [person(room, MemberPk(pk)) for pk in note.waits],
        "nobody_left": has_nobody_left(room, note),
        "at": iso(note.at_ms),
        "closed": bool(note.closed_ms),
        "withdrawn": key in gone,
    }


def notes_json_waiting(room: Room) -> list[JsonObject]:
    """Describe, as the outbox does, what we said under seal and has not gone out to all whom it is for."""
    return [
        {
            "id": key[_MEMBER:].hex(),
            "group": {"id": room.group.gid.hex(), "name": room.group.founding.name},
            "state": "queued" if not note.told else "sent",
            "waiting_for": [person(room, MemberPk(pk)) for pk in note.waits],
            "receipts_off": [],
            **phrased(why=_NOBODY_LEFT if has_nobody_left(room, note) else _WAITS),
        }
        for key, note in room.sealed.items()
        if note.waits
    ]


def sealed_problems(room: Room) -> list[JsonObject]:
    """Say that a report or an appeal of ours reached nobody, and that nobody whom it was for may be told it now."""
    if room.group.me is None or room.group.own.left:
        return []
    name = room.group.founding.name
    return [
        phrased(
            what=phrase("Your report in “{group}” has reached nobody: those it was for do not serve now.", group=name)
            if note.tag == NoteTag.REPORT
            else phrase("Your appeal in “{group}” has reached nobody: those it was for do not serve now.", group=name),
            do=phrase(
                "It goes out if one of them serves again. `mesh reports {id} --withdraw` takes it back. Then you can "
                "ask those who serve now.",
                id=key[_MEMBER:].hex()[:8],
            ),
        )
        for key, note in notes_of(room, NoteTag.REPORT, NoteTag.APPEAL)
        if note.mine and has_nobody_left(room, note)
    ]
