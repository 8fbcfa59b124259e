"""Attaching: the files of a post that is being written come in piece by piece, and are sealed as they come.

Each file is sealed under a key of its own, which only the post will tell. What is sealed is stored at once, so that
never more than one chunk is held in memory. Until the post itself is written nobody knows of it; what belongs to a post
that is never written goes after a while, or when the node starts.
"""

from typing import Final

from mesh.commands import GivePiece, OfferFiles
from mesh.crypto.streams import HEADER_BYTES, KEY_BYTES, Sealing
from mesh.errors import LocalError
from mesh.events import Space
from mesh.ids import GroupId
from mesh.peer.fetching import drop_files, save_held
from mesh.peer.files import Held, Upload, UploadFile
from mesh.peer.state import Room, State, Step, post_id
from mesh.phrases import phrase
from mesh.support.files import require_files
from mesh.wire import limits
from mesh.wire.files import FileEntry, chunk_id, chunks_of, padded_bytes, stream_about

TIMER: Final = "upload"
WRITTEN: Final = b"here"  # stands for the place of a post whose files need not be looked for
WAIT_MS: Final = 10 * 60_000  # how long a next piece, or the post, is waited for; ours
UID_BYTES: Final = 16


def offer_files(state: State, room: Room, command: OfferFiles, step: Step) -> bytes:
    """Begin; return the id under which pieces are to come, 16 B. LocalError for what no post takes."""
    require_files(command.files)
    if len(state.uploads) >= limits.UPLOADS_MAX:
        raise LocalError(
            "files of too many posts are being handed over", do="wait until one of them is sent", code="E-TOO-MANY"
        )
    group = room.group
    uid = step.entropy.draw(UID_BYTES)
    files = []
    for name, size in command.files:
        key, header = step.entropy.draw(KEY_BYTES), step.entropy.draw(HEADER_BYTES)
        sealing = Sealing(key, header, stream_about(group.gid))
        files.append(UploadFile(name=name, size=size, key=key, header=header, sealing=sealing))
    upload = Upload(gid=group.gid, uid=uid, post=post_id(group.own.dev, uid), files=files)
    state.uploads[uid] = upload
    total = sum(chunks_of(file.size) for file in files)
    held = Held(key=b"", under=upload.post, total=total, by=group.own.member_pk)
    room.files[upload.post] = held
    save_held(room, upload.post, held, step)
    _take(upload, b"", step)  # a file without a byte is whole
    step.set_timer(TIMER, uid, WAIT_MS)
    return uid


def give_piece(state: State, command: GivePiece, step: Step) -> None:
    """Take the next bytes. LocalError for an id that is not known, and for more than was offered."""
    upload = _upload(state, command.upload)
    if len(command.piece) > limits.FILE_PIECE_BYTES_MAX:
        raise LocalError(
            phrase(
                "a piece of {size} bytes; {most} is the limit",
                size=len(command.piece),
                most=limits.FILE_PIECE_BYTES_MAX,
            ),
            code="E-TOO-LONG",
        )
    if len(command.piece) > sum(file.size - file.taken for file in upload.files):
        raise LocalError(
            "there is more of a file than was said at first",
            why="it grew while it was being read",
            do="send it when nothing writes to it any more",
            code="E-FILES",
        )
    _take(upload, command.piece, step)
    step.set_timer(TIMER, upload.uid, WAIT_MS)


def given_files(state: State, gid: GroupId, uid: bytes) -> tuple[FileEntry, ...]:
    """Return what is to stand in the post of an upload. LocalError unless it is whole, and of this group."""
    upload = _upload(state, uid)
    if upload.gid != gid or not all(file.is_whole for file in upload.files):
        raise LocalError(
            "not all of the files has been handed over",
            why="one of them became shorter while it was being read",
            do="send it when nothing writes to it any more",
            code="E-FILES",
        )
    return tuple(
        FileEntry(name=file.name, size=file.size, key=file.key, header=file.header, chunks=file.chunks)
        for file in upload.files
    )


def note_written(state: State, room: Room, uid: bytes, step: Step) -> None:
    """The post is written: its files are here, whole."""
    upload = state.uploads.pop(uid)
    step.set_timer(TIMER, uid, None)
    held = Held.whole(WRITTEN, upload.post, room.files[upload.post].total, room.group.own.member_pk)
    room.files[upload.post] = held
    save_held(room, upload.post, held, step)


def give_up(state: State, uid: bytes, step: Step) -> None:
    """Nobody went on: forget what came."""
    upload = state.uploads.pop(uid, None)
    room = None if upload is None else state.rooms.get(upload.gid)
    if upload is not None and room is not None:
        drop_files(room, upload.post, step)


def sweep(room: Room, step: Step) -> None:
    """The node starts: what belongs to posts that were never written goes."""
    for post, held in list(room.files.items()):
        if not held.key:
            drop_files(room, post, step)


def _upload(state: State, uid: bytes) -> Upload:
    upload = state.uploads.get(uid)
    if upload is None:
        raise LocalError(
            "these files are not here any more",
            why="they are kept for ten minutes until their post is sent, and not across a restart of the node",
            do="run the command again",
            code="E-FILES",
        )
    return upload


def _take(upload: Upload, piece: bytes, step: Step) -> None:
    """Seal what is whole of what has come: chunks of 64 KiB, and at a file's end its padding."""
    for file in upload.files:
        if file.is_whole:
            continue
        ours, piece = piece[: file.size - file.taken], piece[file.size - file.taken :]
        file.taken += len(ours)
        waiting = upload.rest + ours
        if file.taken == file.size:
            so_far = len(file.chunks) * limits.CHUNK_BYTES + len(waiting)
            waiting += b"\x80" + bytes(padded_bytes(file.size) - so_far - 1)
        upload.rest = _seal(upload, file, waiting, step)
        if not file.is_whole:
            return


def _seal(upload: Upload, file: UploadFile, waiting: bytes, step: Step) -> bytes:
    """Seal and store chunk after chunk; return what is left over."""
    count, start = chunks_of(file.size), 0
    while not file.is_whole:
        last = len(file.chunks) == count - 1
        end = len(waiting) if last else start + limits.CHUNK_BYTES
        if end > len(waiting) or (last and file.taken < file.size):
            return waiting[start:]
        sealed = file.sealing.seal(waiting[start:end], last=last)
        file.chunks.append(chunk_id(sealed))
        step.journal.put(Space.CHUNKS, upload.gid + upload.post + file.chunks[-1], sealed)
        start = end
    return b""
