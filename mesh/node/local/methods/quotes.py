"""Quotes: what is to be quoted, if it may be; and a quote as its readers are shown it."""

from mesh.commands import Quoted
from mesh.errors import LocalError, RefusedError
from mesh.events import Space
from mesh.groups.records import load
from mesh.node.local.methods.desk import Desk
from mesh.node.local.methods.names import message_named
from mesh.peer.consent import may_leave, words_of
from mesh.peer.placing import is_over
from mesh.peer.records import MessageRecord
from mesh.peer.state import Room
from mesh.phrases import phrase
from mesh.support.posts import interpret
from mesh.support.quotes import quote_from_elsewhere
from mesh.wire import limits
from mesh.wire.messages import Kind, PostBody


def to_be_quoted(desk: Desk, into: Room, name: str) -> tuple[Room, MessageRecord, PostBody]:
    """Return the post that this names, if it may be quoted in a group. LocalError; RefusedError if it has to stay."""
    post, gid, key = message_named(desk.store, name)
    room, value, wall_ms = desk.state.rooms[gid], desk.store.get(Space.MESSAGES, key), desk.now().wall_ms
    record = None if value is None else load(MessageRecord, value)
    here = record is not None and not is_over(room, record.at_ms, record.gone_ms, wall_ms)
    if record is None or not here or record.kind != Kind.POST or not record.body:
        raise LocalError("nothing is said there any more", do="`mesh read` shows what is", code="E-NO-MESSAGE")
    if gid != into.group.gid and not may_leave(room, words_of(room, record), wall_ms):
        raise RefusedError(
            phrase("its author has not let it leave “{group}”", group=room.group.founding.name),
            why="what is said in a group stays there, unless whoever said it agrees",
            do=phrase("ask them, under seal: `mesh share ask {message}`", message=post.hex()[:8]),
            code="E-STAYS-HERE",
        )
    return room, record, interpret(record.body)


def quoted(into: Room, room: Room, record: MessageRecord, said: PostBody) -> Quoted:
    """Return what the machine is to quote: a post of the same group by its id, or words from elsewhere."""
    if room is into:
        return Quoted(group=room.group.gid, post=record.post)
    quote_from_elsewhere(said.text)
    words = words_of(room, record)
    return Quoted(
        group=room.group.gid,
        post=record.post,
        text=said.text,
        author=record.member,
        hash=words.hash,
        stays=words.stays,
        dev=record.dev,
        mseq=record.mseq,
    )


def warning_of(cw: str, said: PostBody) -> str:
    """Return the warning of a post that quotes words from elsewhere: its own and theirs. LocalError where both are too
    long for one: neither may be lost.
    """
    if not cw or not said.cw or cw.casefold() == said.cw.casefold():
        return said.cw or cw
    both = f"{said.cw}; {cw}"
    if len(both.encode()) > limits.WARNING_BYTES_MAX:
        raise LocalError(
            phrase("your warning and theirs together are longer than {most} bytes", most=limits.WARNING_BYTES_MAX),
            why="what you quote bears a warning, which goes along",
            do="say yours in fewer words, or leave --cw out: theirs stays",
            code="E-TOO-LONG",
        )
    return both


def topics_of(topics: tuple[str, ...], said: PostBody) -> tuple[str, ...]:
    """Return the topics of a post that quotes words from elsewhere: its own, and theirs as far as there is room."""
    return tuple(dict.fromkeys((*topics, *said.topics)))[: max(limits.TOPICS_MAX, len(topics))]


def ends_with(expires_s: int | None, record: MessageRecord, wall_ms: int) -> int | None:
    """Return after how many seconds a post disappears that quotes words from elsewhere: no later than they do."""
    if not record.gone_ms:
        return expires_s
    left = max(1, (record.gone_ms - wall_ms) // 1000)
    return left if expires_s is None else min(expires_s, left)
