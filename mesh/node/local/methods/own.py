"""`block`, `mute`, `hide`: what a person decides for themself, kept here and told to nobody."""

from typing import Final

from mesh.commands import ClearPosts, KeepOwn
from mesh.errors import LocalError
from mesh.events import Space
from mesh.groups.records import load
from mesh.ids import GroupId, MemberPk
from mesh.node.local.methods import given
from mesh.node.local.methods.chosen import choices_of
from mesh.node.local.methods.desk import Desk
from mesh.node.local.methods.names import anybody_named, group_named, message_named
from mesh.node.local.methods.shown import each, person
from mesh.node.local.protocol import JsonObject, JsonValue
from mesh.peer.records import MessageRecord
from mesh.peer.state import Room
from mesh.phrases import phrase
from mesh.support.own import EVERYWHERE, About, SinceRecord, own_key, own_prefix, own_topic, own_word
from mesh.wire import limits
from mesh.wire.codec import encode

_CLEARED_AT_ONCE: Final = 256  # posts that are cleared in one commit; ours


async def person_(desk: Desk, params: JsonObject) -> JsonObject:
    """Block or mute a member, or do so no longer; `clear`: also delete what they said from here."""
    room = group_named(desk.state, given.text(params, "group"), any_standing=True)
    pk = anybody_named(room, given.text(params, "member"))
    if pk == room.group.own.member_pk:
        raise LocalError(
            "that is you",
            why="what one says oneself is always shown",
            do="name another member; `mesh group members` shows who is in",
            code="E-NO-MEMBER",
        )
    changes = [
        _change(desk, own_key(about, pk, room.group.gid), stands=given.flag(params, name))
        for name, about in (("blocked", About.BLOCKED), ("muted", About.MUTED))
        if params.get(name) is not None
    ]
    await desk.ask(KeepOwn(changes=tuple(changes)))
    cleared = await _clear(desk, room, pk) if given.flag(params, "clear") else None
    return _decided(desk, room, pk) | {"cleared": cleared}


def _change(desk: Desk, key: bytes, *, stands: bool) -> tuple[bytes, bytes | None]:
    return key, encode(SinceRecord(at_ms=desk.now().wall_ms)) if stands else None


async def _clear(desk: Desk, room: Room, pk: MemberPk) -> int:
    """Delete here what a member said; return how many posts that were."""
    gid, after, cleared = room.group.gid, None, 0
    while rows := desk.store.scan(Space.MESSAGES, gid, after=after, limit=_CLEARED_AT_ONCE):
        after = rows[-1][0]
        theirs = tuple((key, value) for key, value in rows if _is_theirs(load(MessageRecord, value), pk))
        if theirs:
            await desk.ask(ClearPosts(group=gid, rows=theirs))
            cleared += len(theirs)
    return cleared


def _is_theirs(record: MessageRecord, pk: MemberPk) -> bool:
    return record.member == pk and bool(record.body)


def _decided(desk: Desk, room: Room, pk: MemberPk) -> JsonObject:
    choices = choices_of(desk.store, room.group.gid)
    return {
        "group": {"id": room.group.gid.hex(), "name": room.group.founding.name},
        "member": person(room, pk),
        "blocked": pk in choices.blocked,
        "muted": pk in choices.muted,
    }


async def words(desk: Desk, params: JsonObject) -> JsonObject:
    """Mute words and topics, or no longer: those of `add` come, those of `remove` go; `clear` takes all of a kind."""
    changes: list[tuple[bytes, bytes | None]] = []
    for about, kind, read in ((About.WORD, "words", own_word), (About.TOPIC, "topics", own_topic)):
        there = [key for key, _ in desk.store.scan(Space.OWN, own_prefix(about))]
        added = [own_key(about, read(word).encode()) for word in given.texts(params, f"add_{kind}")]
        gone = [own_key(about, read(word).encode()) for word in given.texts(params, f"remove_{kind}")]
        if given.flag(params, f"clear_{kind}"):
            gone += there
        if len({*there, *added} - {*gone}) > limits.MUTED_MAX:
            raise LocalError(
                phrase("more than {most} {kind}", most=limits.MUTED_MAX, kind=kind),
                why="each is looked for in each post that is shown",
                do="take some away first: `mesh unmute --help`",
                code="E-TOO-MANY",
            )
        changes += [_change(desk, key, stands=True) for key in added if key not in there]
        changes += [(key, None) for key in gone if key not in added]
    if changes:
        await desk.ask(KeepOwn(changes=tuple(changes)))
    return _muted(desk)


def _muted(desk: Desk) -> JsonObject:
    choices = choices_of(desk.store, EVERYWHERE)
    words: list[JsonValue] = [*choices.words]
    topics: list[JsonValue] = [*sorted(choices.topics)]
    return {"words": words, "topics": topics}


async def hide(desk: Desk, params: JsonObject) -> JsonObject:
    """Hide one post, or show it again."""
    post, gid, _ = message_named(desk.store, given.text(params, "message"))
    hidden = not given.flag(params, "undo")
    await desk.ask(KeepOwn(changes=(_change(desk, own_key(About.HIDDEN, post, gid), stands=hidden),)))
    return {"message": {"id": post.hex(), "group": gid.hex(), "hidden": hidden}}


async def list_own(desk: Desk, params: JsonObject) -> JsonObject:
    """List whom one has blocked or muted, and which words and topics stay closed."""
    del params
    found: list[JsonObject] = []
    for gid, room in desk.state.rooms.items():
        choices = choices_of(desk.store, GroupId(gid))
        found += [_decided(desk, room, pk) for pk in sorted(choices.blocked | choices.muted)]
    return {"people": each(found), **_muted(desk)}
