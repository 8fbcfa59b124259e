"""Fetching: the chunks of files that stand beside posts, from whoever has them, and giving them to those who ask.

A chunk is asked for by its id, which stands nowhere but in the post: whoever can name it can read the post. So every
current member is given what they name, and nobody else is given anything. What comes is believed if its hash is an id
that was asked for over that very link.

Small files are fetched as soon as their post is here, so that several nodes have them when their author is gone; larger
ones when the person wants them. Each link is asked for a few chunks at a time, and no chunk of two links at once. What
a link does not give is asked of the next one; it is asked again after a while, for it may have it by then.
"""

from itertools import islice
from typing import Final

from mesh.errors import Fault, LocalError, RemoteError
from mesh.events import Fetch, LinkKind, Notice, SendClass, SendStored, Space
from mesh.groups.records import load
from mesh.ids import GroupId, LinkId, PostId
from mesh.peer.files import AskingChunks, Held
from mesh.peer.links import Link, Session
from mesh.peer.records import MessageRecord
from mesh.peer.routing import tell
from mesh.peer.state import FilesFor, Room, State, Step, message_key
from mesh.support.files import files_of
from mesh.support.posts import interpret
from mesh.wire import limits
from mesh.wire.codec import encode
from mesh.wire.files import CHUNK_SEALED_BYTES_MAX, chunk_id
from mesh.wire.messages import Kind, PostBody
from mesh.wire.sessions import ChunksSentBody, WantChunksBody

TIMER: Final = "chunks"
FETCH_FILES: Final = "fetch-files"  # our own setting: are small files fetched before anybody asks for them?
BY_ITSELF_BYTES_MAX: Final = 1024 * 1024  # of a post: a photograph, a leaflet; ours
BY_ITSELF_CHUNKS_MAX: Final = 4096  # in a group, 256 MiB: past that a person decides; ours
BY_MEMBER_CHUNKS_MAX: Final = BY_ITSELF_CHUNKS_MAX // 4  # of one member: or one could use up what is for all; ours
STILL_MS: Final = 20_000  # when nothing has come for so long, somebody else is asked; ours
REST_MS: Final = 60_000  # and what was not given is not asked of the same one; ours
_OWED_MAX: Final = 4096  # chunks that a link was asked for and did not give: it is asked no further; ours


# ---------------------------------------------------------------- what is wanted


def note_post(state: State, room: Room, record: MessageRecord, post: PostBody, step: Step) -> None:
    """A post came: note its files, and begin to fetch them if they are small."""
    entries = files_of(post)
    if not entries or record.post in room.files:
        return
    key = message_key(room.group.gid, record.at_ms, record.post, record.msg_id)
    total = sum(len(entry.chunks) for entry in entries)
    held = Held(key=key, under=record.post, total=total, by=record.member)
    held.wanted = sum(entry.size for entry in entries) <= BY_ITSELF_BYTES_MAX and _takes_more(room, held)
    room.files[record.post] = held
    if held.wanted:
        held.missing = _missing(held, post)
        ask_chunks(state, room, step)
    save_held(room, record.post, held, step)


def _takes_more(room: Room, more: Held) -> bool:
    """Say whether we fetch so much more by ourselves: of the group, and of whoever posts it."""
    if room.group.own.settings_map().get(FETCH_FILES) == "off":
        return False
    taken = {post: held.total if held.wanted else held.count for post, held in room.files.items()}
    theirs = sum(chunks for post, chunks in taken.items() if room.files[post].by == more.by)
    return sum(taken.values()) + more.total <= BY_ITSELF_CHUNKS_MAX and theirs + more.total <= BY_MEMBER_CHUNKS_MAX


def want_files(state: State, room: Room, post: PostId, step: Step) -> None:
    """The person wants a post's files. LocalError if it has none."""
    held = room.files.get(post)
    if held is None:
        raise LocalError("there is no file beside this message", do="`mesh read` shows which have some", code="E-FILES")
    if not held.is_whole:
        held.wanted = True
        save_held(room, post, held, step)
        for _, session in state.sessions(room.group.gid):
            session.resting.clear()  # they may have it by now, and a person waits
        ask_chunks(state, room, step)


def drop_files(room: Room, post: PostId, step: Step) -> None:
    """Forget a post's files: it was withdrawn, ran out, or was never written."""
    held = room.files.pop(post, None)
    if held is not None:
        step.journal.delete_prefix(Space.CHUNKS, room.group.gid + held.under)
        step.journal.delete(Space.FILES, room.group.gid + post)


def save_held(room: Room, post: PostId, held: Held, step: Step) -> None:
    """Write how much of a post's files is here."""
    step.journal.put(Space.FILES, room.group.gid + post, encode(held.to_record()))


def _missing(held: Held, post: PostBody) -> dict[bytes, int]:
    ids = [chunk for entry in files_of(post) for chunk in entry.chunks]
    return {chunk: number for number, chunk in enumerate(ids) if number < held.total and not held.has(number)}


def hear_read(state: State, wanted: FilesFor, value: bytes | None, step: Step) -> None:
    """A post was read again for what its chunks are called."""
    room = state.rooms.get(wanted.gid)
    held = None if room is None else room.files.get(wanted.post)
    if room is None or held is None or held.missing is not None:
        return
    held.reading = False
    record = None if value is None else load(MessageRecord, value)
    if record is not None and record.kind == Kind.POST:
        held.missing = _missing(held, interpret(record.body))
        ask_chunks(state, room, step)


# ---------------------------------------------------------------- asking


def ask_chunks(state: State, room: Room, step: Step) -> None:
    """Ask for chunks that are wanted, of every link that is not busy with that and may have some."""
    wanted = _wanted(room)
    if not wanted or room.group.own.left:
        return
    for post, held in wanted.items():
        if held.missing is None and not held.reading:
            held.reading = True
            ticket = state.ticket()
            state.fetching[ticket] = FilesFor(gid=room.group.gid, post=post)
            step.effects.append(Fetch(ticket=ticket, space=Space.MESSAGES, keys=(held.key,)))
    asked = {chunk for asking in state.asking_chunks.values() for chunk in asking.chunks}
    busy = {asking.link for asking in state.asking_chunks.values()}
    for link, session in state.present(room):
        if link.link in busy or link.spoilt or len(link.owed) > _OWED_MAX or session.out is None:
            continue
        found = _next(link, room, session, asked, step)
        if found is not None:
            asked.update(found.chunks)
            _ask(state, link, session, found, step)


def _wanted(room: Room) -> dict[PostId, Held]:
    return {post: held for post, held in room.files.items() if held.wanted and held.key and not held.is_whole}


def _next(link: Link, room: Room, session: Session, asked: set[bytes], step: Step) -> AskingChunks | None:
    """Return what to ask a link for: chunks of one post that nobody is being asked for, and it has not just lacked."""
    for name in [name for name, until_ms in session.resting.items() if until_ms <= step.now.mono_ms]:
        del session.resting[name]
    for post, held in _wanted(room).items():
        if post in session.resting:
            continue
        free = (chunk for chunk in held.missing or () if chunk not in asked and chunk not in session.resting)
        chunks = tuple(islice(free, limits.CHUNKS_ASKED_MAX))
        if chunks:
            return AskingChunks(link=link.link, gid=room.group.gid, post=post, chunks=chunks)
    return None


def _ask(state: State, link: Link, session: Session, asking: AskingChunks, step: Step) -> None:
    ticket = state.ticket()
    state.asking_chunks[ticket] = asking
    for chunk in asking.chunks:
        link.owed.setdefault(chunk, []).append((asking.gid, asking.post))
    body = WantChunksBody(ticket=ticket, post=asking.post, chunks=list(asking.chunks))
    tell(link, session, body, SendClass.CONTROL, step)
    step.set_timer(TIMER, ticket.to_bytes(4, "big"), STILL_MS)


def stop_asking(state: State, step: Step, *, ticket: int | None = None, link: LinkId | None = None) -> None:
    """Nothing comes, or the link is gone: ask somebody else."""
    for number, asking in list(state.asking_chunks.items()):
        if number == ticket or asking.link == link:
            silent = state.links.get(asking.link)
            if silent is not None:
                silent.session(asking.gid).resting[asking.post] = step.now.mono_ms + REST_MS
            _end(state, number, step)


def forget_asking(state: State, gid: bytes, step: Step) -> None:
    """The group is forgotten here: nothing of it is waited for."""
    for number in [number for number, asking in state.asking_chunks.items() if asking.gid == gid]:
        del state.asking_chunks[number]
        step.set_timer(TIMER, number.to_bytes(4, "big"), None)


def _end(state: State, ticket: int, step: Step) -> None:
    """An answer is over: show how far that is, and go on."""
    asking = state.asking_chunks.pop(ticket)
    step.set_timer(TIMER, ticket.to_bytes(4, "big"), None)
    for room in list(state.rooms.values()):
        held = room.files.get(asking.post) if room.group.gid == asking.gid else None
        if held is not None and not held.is_whole:
            _show(room, asking.post, held, step)
        ask_chunks(state, room, step)  # a link that was busy with one group is free for all


def _show(room: Room, post: PostId, held: Held, step: Step) -> None:
    far = held.count.to_bytes(4, "big") + held.total.to_bytes(4, "big")
    step.notify(Notice.FILE, room.group.gid, post + far)


# ---------------------------------------------------------------- what comes


def hear_chunk(state: State, link: Link, sealed: bytes, step: Step) -> None:
    """A chunk came. RemoteError if it is none that this link was asked for; then it is asked no further."""
    if len(sealed) > CHUNK_SEALED_BYTES_MAX:
        link.spoilt = True
        raise RemoteError(Fault.OVER_LIMIT, "a chunk that is too long")
    name = chunk_id(sealed)
    if name not in link.owed:
        link.spoilt = True
        raise RemoteError(Fault.UNASKED, "a chunk that was not asked for, or not as it should be")
    gid, post = _settle(link, name)
    room = state.rooms.get(gid)
    held = None if room is None else room.files.get(post)
    if room is None or held is None or held.missing is None or name not in held.missing:
        return  # it is not wanted any more, or came from somebody else
    held.note(held.missing.pop(name))
    step.journal.put(Space.CHUNKS, gid + held.under + name, sealed)
    save_held(room, post, held, step)
    for ticket, asking in state.asking_chunks.items():
        if asking.link == link.link:
            step.set_timer(TIMER, ticket.to_bytes(4, "big"), STILL_MS)
    if held.is_whole:
        _show(room, post, held, step)


def _settle(link: Link, name: bytes) -> tuple[GroupId, PostId]:
    """A chunk that a link owes us came, or will not: asked twice of a slow link, it may come twice."""
    asked = link.owed[name]
    if len(asked) == 1:
        del link.owed[name]
    return asked.pop(0)


def hear_sent(state: State, link: Link, room: Room, session: Session, body: ChunksSentBody, step: Step) -> None:
    """A peer has given what it has of what it was asked for. RemoteError if it was never asked."""
    asking = state.asking_chunks.get(body.ticket)
    if asking is None and body.ticket <= state.tickets:
        return  # it took so long that we wait no longer
    if asking is None or asking.link != link.link or asking.gid != room.group.gid:
        raise RemoteError(Fault.UNASKED, "an answer to nothing that was asked")
    until_ms = step.now.mono_ms + REST_MS
    lacking = [chunk for chunk in asking.chunks if chunk in link.owed]
    for chunk in lacking:
        _settle(link, chunk)
    session.resting.update(dict.fromkeys(lacking, until_ms))
    if len(lacking) == len(asking.chunks):
        session.resting[asking.post] = until_ms
    _end(state, body.ticket, step)


# ---------------------------------------------------------------- giving


def give_chunks(link: Link, room: Room, session: Session, body: WantChunksBody, step: Step) -> None:
    """Send a current member what we have of what it can name, and say when that is all."""
    if session.out is None:
        return
    held = room.files.get(body.post)
    if held is not None and held.key and held.count:
        names = dict.fromkeys(body.chunks)
        given = SendStored(
            link=link.link,
            space=Space.CHUNKS,
            keys=tuple(room.group.gid + held.under + name for name in names),
            send_class=SendClass.BULK,
            kind=LinkKind.CHUNK,
        )
        step.effects.append(given)
    tell(link, session, ChunksSentBody(ticket=body.ticket), SendClass.BULK, step)
