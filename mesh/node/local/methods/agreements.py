"""`group agreement`: show it with who has said yes, publish a new version, say yes."""

from typing import Final

from mesh.commands import MakeStatement, SetAgreement
from mesh.errors import LocalError
from mesh.groups.joining import agreement_hash
from mesh.node.local.methods import given
from mesh.node.local.methods.desk import Desk
from mesh.node.local.methods.names import group_named
from mesh.node.local.methods.shown import agreement_json, each, person
from mesh.node.local.protocol import JsonObject, phrased
from mesh.peer.agreeing import agreed, agreed_before, is_first, lacks_own_yes
from mesh.peer.state import Room
from mesh.peer.stating import is_told, require_may
from mesh.phrases import phrase
from mesh.support import pledges
from mesh.wire.codec import encode
from mesh.wire.statements import Form, PledgeValue

NAMED_MAX: Final = 64  # who is named as having said yes; the rest is counted; ours


async def agreement(desk: Desk, params: JsonObject) -> JsonObject:
    """Show the agreement; publish a new version (`changed` is false where the text was the same); say yes to it."""
    room = group_named(desk.state, given.text(params, "group"))
    match given.text(params, "action", "show"):
        case "show":
            return _shown(desk, room)
        case "edit":
            before, _ = room.group.agreement
            await desk.ask(SetAgreement(group=room.group.gid, text=given.text(params, "text")))
            return _shown(desk, room) | {"changed": room.group.agreement[0] != before}
        case "accept":
            return await _accept(desk, room, params)
        case _:
            raise LocalError("the action is “show”, “edit” or “accept”", code="E-USAGE")


async def _accept(desk: Desk, room: Room, params: JsonObject) -> JsonObject:
    """Say yes to the text whose hash was shown; LocalError if another holds by now. `told`: somebody has been told."""
    require_may(room, pledges.RULES)
    key = agreement_hash(room.group.agreement[1])
    if given.text(params, "hash") != key.hex():
        raise LocalError(
            "the agreement has changed since it was shown to you",
            why="you say yes to what you have read, and to nothing else",
            do="read it again: `mesh group agreement show GROUP`",
            code="E-AGREEMENT",
        )
    if lacks_own_yes(room, desk.now().wall_ms):
        pledge = MakeStatement(group=room.group.gid, form=Form.PLEDGE, subject=key, value=encode(PledgeValue()))
        await desk.ask(pledge)
    told = await desk.until(lambda: is_told(room, Form.PLEDGE, key), given.seconds(params, "wait_s", 2.0))
    return _shown(desk, room) | {"told": told}


def _shown(desk: Desk, room: Room) -> JsonObject:
    """Describe the agreement that holds; `changes` since what one said yes to before, null where it has them not."""
    wall_ms, text = desk.now().wall_ms, room.group.agreement[1]
    by, lacks = agreed(room, wall_ms), lacks_own_yes(room, wall_ms)
    changed = pledges.changes(agreed_before(room, wall_ms), text) if lacks else None
    return {
        "agreement": agreement_json(room),
        "hash": agreement_hash(text).hex(),
        "accepted": {
            "yes": len(by),
            "of": len(room.group.view.members),
            "mine": not lacks and room.group.me is not None,
            "people": each(person(room, pk) for pk in sorted(by)[:NAMED_MAX]),
        },
        "changes": None if changed is None else each({"sign": sign, "text": line} for sign, line in changed),
        "first": is_first(room.group),
    }


def agreement_problems(desk: Desk, room: Room) -> list[JsonObject]:
    """Say that the agreement has words that one has not said yes to yet; reading goes on as before."""
    if room.group.own.left or not lacks_own_yes(room, desk.now().wall_ms):
        return []
    name = room.group.founding.name
    what = phrase("The agreement of “{group}” has a new version. You can read as before.", group=name)
    if is_first(room.group):
        what = phrase(
            "The agreement of “{group}” has a new version. You can read as before. "
            "What you post waits until you have said yes.",
            group=name,
        )
    do = phrase(
        '`mesh group agreement show "{group}"` says what changed. '
        'If it is right for you, say yes: `mesh group agreement accept "{group}"`.',
        group=name,
    )
    return [phrased(what=what, do=do)]
