"""`flag`: ask that a post be folded, or take that back; and what a post's flags come to for whoever reads."""

from typing import Final

from mesh.commands import MakeStatement, Rank
from mesh.errors import LocalError
from mesh.events import Space
from mesh.groups.records import load
from mesh.ids import MemberPk, PostId
from mesh.node.local.methods import given
from mesh.node.local.methods.desk import Desk
from mesh.node.local.methods.names import message_named
from mesh.node.local.protocol import JsonObject
from mesh.peer.records import MessageRecord
from mesh.peer.state import Room
from mesh.peer.statements import counting
from mesh.peer.stating import is_told
from mesh.support import flags
from mesh.wire.codec import encode
from mesh.wire.messages import Kind
from mesh.wire.statements import FlagValue, Form

NO_FLAGS: Final[JsonObject] = {"flags": 0, "folds_at": None, "collapsed": False, "flagged": False, "mine": False}


async def flag(desk: Desk, params: JsonObject) -> JsonObject:
    """Flag a post, or no longer; `told`: somebody has been told, or nobody had to be."""
    post, gid, key = message_named(desk.store, given.text(params, "message"))
    room, holds = desk.state.rooms[gid], not given.flag(params, "withdraw")
    value = desk.store.get(Space.MESSAGES, key)
    record = None if value is None else load(MessageRecord, value)
    if record is None or record.kind != Kind.POST or not record.body:
        raise LocalError("there is nothing there that could be folded", do="`mesh read` shows ids", code="E-NO-MESSAGE")
    if record.member == room.group.own.member_pk:
        raise LocalError(
            "that message is your own",
            why="a flag says that one would rather not meet what another said",
            do="`mesh message withdraw` takes back what you said",
            code="E-YOURS",
        )
    if holds != (room.group.own.member_pk in flagged_by(room, post, desk.now().wall_ms)):
        command = MakeStatement(
            group=gid, form=Form.FLAG, subject=post, value=encode(FlagValue(holds=holds)), takes_back=not holds
        )
        await desk.ask(command)
    told = await desk.until(lambda: is_told(room, Form.FLAG, post), given.seconds(params, "wait_s", 2.0))
    shown = flags_json(room, record, desk.now().wall_ms)
    return {"flag": {"id": post.hex(), "group": gid.hex(), **shown}, "told": told}


def flagged_by(room: Room, post: PostId, wall_ms: int) -> frozenset[MemberPk]:
    """Return who flags a post."""
    return flags.fold(counting(room, Form.FLAG, wall_ms, subject=post)).get(post, frozenset())


def flags_json(room: Room, record: MessageRecord, wall_ms: int) -> JsonObject:
    """Say what a post's flags come to: how many there are, how many fold it, whether one is ours; never whose."""
    by = flagged_by(room, PostId(record.post), wall_ms) - {record.member}
    others = [pk for pk, m in room.group.view.members.items() if m.rank <= Rank.MEMBER and pk != record.member]
    folds_at = flags.needed(len(others))
    return {
        "flags": len(by),
        "folds_at": folds_at,
        "collapsed": len(by) >= folds_at,
        "flagged": room.group.own.member_pk in by,
        "mine": record.member == room.group.own.member_pk,
    }
