"""`export`: what may be taken out of a group, page by page: own words, and those of others who let them leave.

What is withheld is counted and not described. What was taken back, ran out, or is of somebody whom one blocked or a
post that one hid, is left out without a word. Of a post that is closed to the person the words stand apart, under
`opened`, so that no program shows them by accident. Words that were quoted from another group stay here: whoever let
them leave there let them leave once.
"""

import re
from collections.abc import Iterator
from typing import Final

from mesh.errors import LocalError
from mesh.events import Space
from mesh.groups.forgetting import DAY_MS
from mesh.groups.records import load
from mesh.node.local.methods import given
from mesh.node.local.methods.desk import Desk
from mesh.node.local.methods.messages import Look, is_hidden, is_own, message_json, quoted_row
from mesh.node.local.methods.names import group_named, message_named
from mesh.node.local.methods.shown import FIRST_DAY, alias_of, each, iso
from mesh.node.local.protocol import JsonObject, encoded_bytes
from mesh.peer.consent import may_leave, words_of
from mesh.peer.records import MessageRecord
from mesh.peer.state import Room
from mesh.support.own import Closed
from mesh.support.posts import interpret
from mesh.support.quotes import quote_of
from mesh.wire.messages import Kind, PostBody

ROWS_OF_PAGE: Final = 256  # read for one answer; ours
PAGE_BYTES_MAX: Final = 512 * 1024  # as JSON, so that it fits the socket's line with the last post on it
_ROWS_AT_ONCE: Final = 64
_DATE: Final = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
_LEFT_OUT: Final = frozenset({Closed.HIDDEN.value, Closed.BLOCKED.value})


async def export(desk: Desk, params: JsonObject) -> JsonObject:
    """Give the next page of what may leave a group, oldest first; `next` null: there is no more."""
    room = group_named(desk.state, given.text(params, "group"), any_standing=True)
    look = Look.of(desk, room)
    posts: list[JsonObject] = []
    withheld, rows, size = 0, 0, 0
    after: bytes | None = _start(desk, room, params)
    more = False
    for key, value in _forwards(desk, room, after):
        if rows == ROWS_OF_PAGE or size > PAGE_BYTES_MAX:
            more = True
            break
        rows, after = rows + 1, key
        found = _post(look, room, value)
        if found is None:
            continue
        if found:
            posts.append(found)
            size += encoded_bytes(found)
        else:
            withheld += 1
    return {
        "group": {"id": room.group.gid.hex(), "name": room.group.founding.name},
        "posts": each(posts),
        "withheld": withheld,
        "next": after.hex() if more and after is not None else None,
    }


def _start(desk: Desk, room: Room, params: JsonObject) -> bytes | None:
    """Return the key after which a page begins: where the last one ended, a message, or a day (UTC)."""
    after, since, gid = given.maybe_text(params, "after"), given.maybe_text(params, "since"), room.group.gid
    if after is not None:
        try:
            key = bytes.fromhex(after)
        except ValueError:
            key = b""
        if not key.startswith(gid):
            raise LocalError("that is no place at which a page can begin", code="E-USAGE")
        return key
    if since is None or not _DATE.fullmatch(since):
        return None if since is None else message_named(desk.store, since, gid)[2]
    day = given.day(params, "since")
    assert day is not None, "it is given"
    return gid + (max(0, day - FIRST_DAY) * DAY_MS).to_bytes(8, "big")


def _forwards(desk: Desk, room: Room, after: bytes | None) -> Iterator[tuple[bytes, bytes]]:
    """Read a group's messages, oldest first, page by page."""
    while rows := desk.store.scan(Space.MESSAGES, room.group.gid, after=after, limit=_ROWS_AT_ONCE):
        yield from rows
        after = rows[-1][0]


def _post(look: Look, room: Room, value: bytes, *, quoting: bool = True) -> JsonObject | None:
    """Return a post as it leaves; nothing in it: it is withheld; None: it is not there for us, or any more.

    `quoting`: with what it quotes, one deep.
    """
    record = load(MessageRecord, value)
    mine = record.member == room.group.own.member_pk or is_own(room, record)
    if record.kind != Kind.POST or not record.body or is_hidden(look, room, value):
        return None
    told = message_json(look, room, value, opened=False)
    if told["closed_by"] in _LEFT_OUT or not (told["text"] is not None or told["closed_by"]):
        return None
    if not mine and (told["state"] == "after-removal" or not _may_leave(look, room, record)):
        return {}
    said = interpret(record.body)
    closed = told["closed_by"] is not None
    return {
        "id": record.post.hex(),
        "at": iso(record.at_ms),
        "author": {"alias": alias_of(room, record.member), "you": mine},
        "mode": told["mode"],
        "cw": told["cw"],
        "closed_by": told["closed_by"],
        "topics": told["topics"],
        "text": None if closed else said.text,
        "opened": said.text if closed else None,
        "reply_to": told["reply_to"],
        "files": told["files"],
        "quote": _quote(look, room, said, closed=closed) if quoting else None,
    }


def _may_leave(look: Look, room: Room, record: MessageRecord) -> bool:
    """Say whether another's post leaves. One that is to disappear does not: nothing would make it."""
    return not record.gone_ms and may_leave(room, words_of(room, record), look.wall_ms)


def _quote(look: Look, room: Room, said: PostBody, *, closed: bool) -> JsonObject | None:
    """Return what a post quotes, as far as that leaves: a post of this group that would leave too, and is open."""
    quote = quote_of(said)
    if quote is None:
        return None
    row = quoted_row(look, room, quote)
    quoted = None if row is None or closed else _post(look, room, row, quoting=False)
    if not quoted or quoted["text"] is None:
        return {"id": None, "author": None, "text": None}
    return {"id": quoted["id"], "author": quoted["author"], "text": quoted["text"]}
