"""`group pin`: put a message first for everybody, or take that back; and what stands first for whoever reads."""

from mesh.commands import MakeStatement
from mesh.errors import LocalError
from mesh.events import Space
from mesh.ids import PostId
from mesh.node.local.methods import given
from mesh.node.local.methods.chosen import is_blocked
from mesh.node.local.methods.desk import Desk
from mesh.node.local.methods.fitting import PINNED_BYTES_MAX, shortened
from mesh.node.local.methods.messages import Look, is_hidden, message_json
from mesh.node.local.methods.names import group_named, message_named
from mesh.node.local.methods.shown import iso, person
from mesh.node.local.protocol import JsonObject
from mesh.peer.state import Room
from mesh.peer.statements import counting
from mesh.peer.stating import is_told, require_may
from mesh.phrases import phrase
from mesh.support import pins
from mesh.support.statements import Said
from mesh.wire.codec import encode
from mesh.wire.statements import Form, PinValue


async def pin(desk: Desk, params: JsonObject) -> JsonObject:
    """Put a message first, or no longer; `told`: somebody has been told, or nobody had to be."""
    room = group_named(desk.state, given.text(params, "group"))
    require_may(room, pins.RULES)
    holds, name = not given.flag(params, "remove"), given.text(params, "message")
    up = _pinned(desk, room)
    post = _taken_down(desk, room, up, name) if not holds else message_named(desk.store, name, room.group.gid)[0]
    if holds and post not in up and len(up) >= pins.SHOWN_MAX:
        raise LocalError(
            phrase("there are {most} pinned messages already", most=pins.SHOWN_MAX),
            why="where everything comes first, nothing does",
            do="take one down: `mesh group pin GROUP ID --remove`",
            code="E-PINS",
        )
    if holds != (post in up):
        value = encode(PinValue(holds=holds))
        await desk.ask(
            MakeStatement(group=room.group.gid, form=Form.PIN, subject=post, value=value, takes_back=not holds)
        )
    told = await desk.until(lambda: is_told(room, Form.PIN, post), given.seconds(params, "wait_s", 2.0))
    pinned = post in _pinned(desk, room)
    return {"pin": {"id": post.hex(), "group": room.group.gid.hex(), "pinned": pinned}, "told": told}


def _pinned(desk: Desk, room: Room) -> dict[PostId, Said]:
    """Return the posts that stand first, the newest pin first."""
    return {PostId(word.subject): word for word in pins.fold(counting(room, Form.PIN, desk.now().wall_ms))}


def _taken_down(desk: Desk, room: Room, up: dict[PostId, Said], name: str) -> PostId:
    """Return the post whose pin is meant: one that is up, here or not; else one that is here."""
    meant = [post for post in up if len(name) >= 6 and post.hex().startswith(name.lower())]
    return meant[0] if len(meant) == 1 else message_named(desk.store, name, room.group.gid)[0]


def pins_json(desk: Desk, room: Room) -> list[JsonObject]:
    """Describe what stands first. `message` is null where it is not shown here: said before one came, or over, or by
    somebody whom one has blocked. Of one that is too long to stand among others the words are left out.
    """
    look = Look.of(desk, room)
    told: list[JsonObject] = []
    for post, word in _pinned(desk, room).items():
        key = desk.store.get(Space.POSTS, room.group.gid + post)
        value = None if key is None else desk.store.get(Space.MESSAGES, key)
        readable = value is not None and not is_hidden(look, room, value) and not is_blocked(look.choices, value)
        message = message_json(look, room, value, opened=False) if readable and value is not None else None
        told.append(
            {
                "id": post.hex(),
                "by": person(room, word.member),
                "at": iso(word.ts_ms),
                "message": None if message is None else shortened(message, PINNED_BYTES_MAX),
            }
        )
    return told
