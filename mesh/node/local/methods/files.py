"""`post --file` and `file save`: files come in piece by piece, are fetched, and are opened piece by piece.

Bytes pass over the socket in base64, so that the command alone opens files, as the person who called it and where they
stand: the node reads and writes no path that somebody names to it.
"""

import binascii
from base64 import b64decode, b64encode
from collections.abc import AsyncGenerator
from typing import Final

from mesh.commands import FetchFiles, GivePiece, OfferFiles
from mesh.crypto.streams import Opening
from mesh.errors import LocalError, RemoteError
from mesh.events import Space
from mesh.groups.records import load
from mesh.ids import GroupId, PostId
from mesh.node.local.methods import given
from mesh.node.local.methods.desk import Desk
from mesh.node.local.methods.names import group_named, message_named
from mesh.node.local.methods.shown import each
from mesh.node.local.protocol import JsonObject, JsonValue
from mesh.peer.placing import is_over
from mesh.peer.records import MessageRecord
from mesh.peer.state import Room
from mesh.support.files import files_of
from mesh.support.posts import interpret
from mesh.wire import limits
from mesh.wire.files import FileEntry, chunk_bytes, stream_about
from mesh.wire.messages import Kind

READ_CHUNKS: Final = 4  # that are opened for one event: 256 KiB, in base64 a third of a line
WAIT_S: Final = 1.0  # how long `file.fetch` waits where it is not said


async def offer(desk: Desk, params: JsonObject) -> JsonObject:
    """Begin to hand over the files of a post: their names and sizes, in order."""
    room = group_named(desk.state, given.text(params, "group"))
    value = params.get("files")
    files = tuple(_offered(entry) for entry in value) if isinstance(value, list) else ()
    upload = await desk.ask(OfferFiles(group=room.group.gid, files=files))
    return {"upload": upload.hex()}


def _offered(entry: JsonValue) -> tuple[str, int]:
    if not isinstance(entry, dict):
        raise LocalError("a file is named by an object with its name and size", code="E-USAGE")
    return given.text(entry, "name"), given.number(entry, "size")


async def piece(desk: Desk, params: JsonObject) -> JsonObject:
    """Take the next bytes of what is being handed over."""
    try:
        data = b64decode(given.text(params, "data"), validate=True)
    except (binascii.Error, ValueError):
        raise LocalError("a piece of a file is not base64", code="E-USAGE") from None
    await desk.ask(GivePiece(upload=upload_named(given.text(params, "upload")), piece=data))
    return {"taken": len(data)}


def upload_named(name: str) -> bytes:
    """Return the bytes of an upload's id; LocalError if it can be none."""
    try:
        return bytes.fromhex(name)
    except ValueError:
        raise LocalError("that is not the id of files that are being handed over", code="E-USAGE") from None


async def fetch(desk: Desk, params: JsonObject) -> JsonObject:
    """Fetch a message's files, from now on until they are here, and wait for that a while."""
    post, gid, key = message_named(desk.store, given.text(params, "message"))
    _record(desk, gid, key)
    await desk.ask(FetchFiles(group=gid, post=post))
    await desk.until(lambda: _is_over(desk, gid, post), given.seconds(params, "wait_s", WAIT_S))
    room = desk.state.rooms.get(gid)
    if room is None:
        raise _gone()
    there = {session.device for _, session in desk.state.present(room)}
    return {
        "message": post.hex(),
        "files": files_json(room, _record(desk, gid, key), opened=True),
        "reachable": len(there),
    }


def _is_over(desk: Desk, gid: GroupId, post: PostId) -> bool:
    room = desk.state.rooms.get(gid)
    held = None if room is None else room.files.get(post)
    return held is None or held.is_whole


def _record(desk: Desk, gid: GroupId, key: bytes) -> MessageRecord:
    """Return a message from its row; LocalError where it is gone, or its time is over."""
    value = desk.store.get(Space.MESSAGES, key)
    record = None if value is None else load(MessageRecord, value)
    if record is None or is_over(desk.state.rooms[gid], record.at_ms, record.gone_ms, desk.now().wall_ms):
        raise _gone()
    return record


def _gone() -> LocalError:
    return LocalError("the message is not here any more", do="`mesh read` shows what is", code="E-NO-MESSAGE")


async def read_out(desk: Desk, params: JsonObject) -> AsyncGenerator[JsonObject]:
    """Give a file's bytes as events, in order; LocalError where it is not here, or does not open."""
    post, gid, key = message_named(desk.store, given.text(params, "message"))
    entries = _entries(_record(desk, gid, key))
    number = given.number(params, "file", 0)
    held = desk.state.rooms[gid].files.get(post)
    if held is None or not 0 <= number < len(entries):
        raise LocalError("there is no such file beside this message", do="`mesh read` shows which", code="E-FILES")
    entry = entries[number]
    opening = Opening(entry.key, entry.header, stream_about(gid))
    for start in range(0, len(entry.chunks), READ_CHUNKS):
        places = range(start, min(start + READ_CHUNKS, len(entry.chunks)))
        data = b"".join(_open(desk, gid + held.under, entry, opening, place) for place in places)
        yield {"event": "piece", "data": b64encode(data).decode()}


def _open(desk: Desk, prefix: bytes, entry: FileEntry, opening: Opening, place: int) -> bytes:
    """Open one chunk, and take off what is padding; LocalError."""
    sealed = desk.store.get(Space.CHUNKS, prefix + entry.chunks[place])
    if sealed is None:
        raise LocalError(
            "not all of this file is here",
            why="nobody who has the rest has been reachable yet",
            do="fetch it first: `mesh file save`",
            code="E-FILE-MISSING",
        )
    try:
        plain = opening.open(sealed, last=place == len(entry.chunks) - 1)
    except RemoteError:
        raise _broken() from None
    ours = max(0, min(len(plain), entry.size - place * limits.CHUNK_BYTES))
    mark = entry.size - place * limits.CHUNK_BYTES  # where the padding begins, counted from this chunk
    padding = b"\x80" + bytes(limits.CHUNK_BYTES) if mark >= 0 else bytes(limits.CHUNK_BYTES)
    if len(plain) != chunk_bytes(entry.size, place) or not padding.startswith(plain[ours:]):
        raise _broken()
    return plain[:ours]


def _broken() -> LocalError:
    return LocalError(
        "this file does not open",
        why="whoever sent it did not seal it as what the message says",
        do="ask them to send it again",
        code="E-FILE-BROKEN",
    )


def _entries(record: MessageRecord) -> list[FileEntry]:
    if record.kind != Kind.POST:
        return []
    try:
        return files_of(interpret(record.body))
    except RemoteError:
        return []


def files_json(room: Room, record: MessageRecord, *, opened: bool) -> list[JsonValue]:
    """Describe a message's files, and how much of each is here, in chunks of 64 KiB; closed, their names are not said.

    `state`: here, coming (the rest is fetched as soon as somebody is there who has it), or elsewhere.
    """
    held = room.files.get(record.post)
    told: list[JsonObject] = []
    first = 0
    for entry in _entries(record):
        places = range(first, first + len(entry.chunks))
        got = 0 if held is None else sum(held.has(place) for place in places if place < held.total)
        coming = held is not None and held.wanted
        told.append(
            {
                "name": entry.name if opened else None,
                "size": entry.size,
                "state": "here" if got == len(entry.chunks) else "coming" if coming else "elsewhere",
                "got": got,
                "of": len(entry.chunks),
            }
        )
        first = places.stop
    return each(told)
