"""`steward handover`: give one's rank to another and step down, in an order that never leaves the group without."""

from collections.abc import Iterable
from typing import Final

from mesh.commands import Rank, SetRank
from mesh.errors import LocalError, RefusedError
from mesh.groups.invites import door_of
from mesh.ids import MemberPk
from mesh.membership.views import Member
from mesh.node.local.methods import given
from mesh.node.local.methods.desk import Desk
from mesh.node.local.methods.names import group_named, member_named
from mesh.node.local.methods.removals import has_heard
from mesh.node.local.methods.rooms import room_of
from mesh.node.local.methods.sealed import open_to_us
from mesh.node.local.methods.shown import alias_of, each, person
from mesh.node.local.methods.stewards import require_steward, step_down, stewards_of
from mesh.node.local.protocol import JsonObject
from mesh.peer import terms
from mesh.peer.keepers import keepers_of
from mesh.peer.state import Room
from mesh.peer.statements import counting
from mesh.phrases import own, phrase
from mesh.wire.invites import Door
from mesh.wire.statements import Form

CHECKLIST: Final = {  # what hangs on a steward, and how to hand it over; a command tells both in the reader's language
    "invites": (own("open invite codes that you made"), own("close each with `mesh invite revoke`; they make new")),
    "knocks": (own("people who wait at the door"), own("`mesh knocks list`: let them in, or leave them")),
    "reports": (own("reports and appeals that are open"), own("look at each, or ask another of you to")),
    "room": (own("the stewards' private room"), own("leave it when you have said goodbye")),
    "keeper": (own("your node keeps for others"), own("leave it on, or say so first")),
    "keepers": (own("keepers of this group"), own("`mesh keeper list`: ask who runs each")),
    "meeting": (own("words on when you meet"), own("they stay")),
    "settings": (own("settings of the group"), own("they stay: `mesh group show`")),
}


async def handover(desk: Desk, params: JsonObject) -> JsonObject:
    """Give one's rank to another and step down: in this order, once their node has heard of it. `check`: show only."""
    room = group_named(desk.state, given.text(params, "group"))
    target = member_named(room, given.text(params, "member"))
    me = require_steward(room)
    if target == me.pk:
        raise LocalError("that is you", do="name another member", code="E-NO-MEMBER")
    if not given.flag(params, "check"):
        await _give_rank(desk, room, me, target)
        wait_s = given.seconds(params, "wait_s", 5.0)
        if await desk.until(lambda: _knows_own_rank(desk, room, target), wait_s):
            await step_down(desk, room, given.text(params, "passphrase"))
    return {
        "group": {"id": room.group.gid.hex(), "name": room.group.founding.name},
        "member": person(room, target),
        "checklist": each(_checklist(desk, room)),
        "given": _has_rank(room, me.rank, target),
        "heard": _knows_own_rank(desk, room, target),
        "stepped_down": room.group.rank > Rank.STEWARD,
    }


async def _give_rank(desk: Desk, room: Room, me: Member, target: MemberPk) -> None:
    """Give our rank, where they have not got it yet. RefusedError: only a founder makes stewards."""
    if _has_rank(room, me.rank, target):
        return
    if me.rank is not Rank.FOUNDER:
        founders = [alias_of(room, m.pk) for m in stewards_of(room) if m.rank is Rank.FOUNDER]
        raise RefusedError(
            phrase("a steward cannot make {member} a steward", member=alias_of(room, target)),
            why="one gives the ranks below one's own; a founder can give each",
            do=phrase("ask a founder to do it first: {founders}", founders=", ".join(founders))
            if founders
            else "no founder is left; a member can begin anew with all: `mesh group fork`",
            code="E-HANDOVER",
        )
    await desk.ask(SetRank(group=room.group.gid, member=target, rank=me.rank))


def _has_rank(room: Room, rank: Rank, target: MemberPk) -> bool:
    member = room.group.view.members.get(target)
    return member is not None and member.rank <= rank


def _knows_own_rank(desk: Desk, room: Room, target: MemberPk) -> bool:
    """Say whether a member's node has heard of the rank that they have, and it is one that goes on for us."""
    if target not in terms.who_could_go_on(room.group) and room.group.rank <= Rank.STEWARD:
        return False
    member = room.group.view.members.get(target)
    grant = None if member is None else room.group.log.graph.entry(member.grant)
    return grant is not None and has_heard(desk.state, room, target, grant.bit)


def _checklist(desk: Desk, room: Room) -> Iterable[JsonObject]:
    """Say what hangs on oneself, and how to hand each over; what is nothing is said with 0."""
    me, group = room.group.own.member_pk, room.group
    now_ms = desk.now().wall_ms
    invites = sum(i.issuer == me and door_of(i, now_ms) is Door.OPEN for i in group.invites.values())
    host = desk.state.host
    open_notes = len(open_to_us(room))
    counts = {
        "invites": invites,
        "knocks": len(room.knocks),
        "reports": open_notes,
        "room": int(room_of(desk, room) is not None),
        "keeper": int(host is not None and host.on),
        "keepers": len(keepers_of(group)),
        "meeting": len(counting(room, Form.MEETING, now_ms)),
        "settings": len(group.view.settings),
    }
    return (
        {"item": item, "what": str(what), "count": counts[item], "how": str(how)}
        for item, (what, how) in CHECKLIST.items()
    )
