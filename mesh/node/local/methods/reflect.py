"""`reflect`: private notes, kept here and nowhere else."""

from typing import Final

from mesh.commands import KeepOwn
from mesh.errors import LocalError
from mesh.events import Space
from mesh.groups.records import load
from mesh.node.chance import OsEntropy
from mesh.node.local.methods import given
from mesh.node.local.methods.desk import Desk
from mesh.node.local.methods.fitting import newest
from mesh.node.local.methods.names import note_named
from mesh.node.local.methods.shown import each, iso
from mesh.node.local.protocol import JsonObject
from mesh.phrases import phrase
from mesh.support.reflections import NOTE_ID_BYTES, NOTES, NoteRecord, new_note, note_key
from mesh.wire import limits
from mesh.wire.codec import encode

_AT: Final = slice(len(NOTES), len(NOTES) + 8)


async def add(desk: Desk, params: JsonObject) -> JsonObject:
    """Keep a note."""
    record = new_note(given.text(params, "text"), given.text(params, "about", ""))
    if desk.store.count(Space.OWN, NOTES) >= limits.REFLECTIONS_MAX:
        raise LocalError(
            phrase("more than {most} notes", most=limits.REFLECTIONS_MAX),
            do="delete some first: `mesh reflect list`",
            code="E-TOO-MANY",
        )
    key = note_key(desk.now().wall_ms, OsEntropy().draw(NOTE_ID_BYTES))
    await desk.ask(KeepOwn(changes=((key, encode(record)),)))
    return {"note": _note(key, record)}


def _note(key: bytes, record: NoteRecord) -> JsonObject:
    return {
        "id": key[-NOTE_ID_BYTES:].hex(),
        "at": iso(int.from_bytes(key[_AT], "big")),
        "about": record.about or None,
        "text": record.text,
    }


async def list_notes(desk: Desk, params: JsonObject) -> JsonObject:
    """Show the newest notes, oldest first; `more`: there are older ones."""
    limit = given.number(params, "limit", 50)
    if limit < 1:
        raise LocalError("the limit is at least 1", code="E-USAGE")
    rows = desk.store.scan(Space.OWN, NOTES, limit=limit + 1, reverse=True)
    told, more = newest((_note(key, load(NoteRecord, value)) for key, value in reversed(rows)), most=limit)
    return {"notes": each(told), "more": more}


async def delete(desk: Desk, params: JsonObject) -> JsonObject:
    """Delete a note for good."""
    key = note_named(desk.store, given.text(params, "note"))
    await desk.ask(KeepOwn(changes=((key, None),)))
    return {"deleted": {"id": key[-NOTE_ID_BYTES:].hex()}}
