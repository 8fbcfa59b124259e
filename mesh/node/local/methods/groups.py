"""`group …`: found one, look at it, change who is in and what holds in it."""

from collections.abc import Mapping
from typing import Final

from mesh.commands import (
    ConfirmGroup,
    CreateGroup,
    HoldBack,
    LeaveGroup,
    Rank,
    Rekey,
    RemoveMember,
    SetRank,
    SetSetting,
    Suite,
)
from mesh.errors import LocalError
from mesh.groups.equivocation import Fork, forks
from mesh.groups.history import HISTORY, require_window
from mesh.groups.invites import door_of
from mesh.groups.retention import KEEP, require_keep
from mesh.ids import DeviceId, GroupId, MemberPk, OpId
from mesh.membership.views import Member
from mesh.node.local.methods import given
from mesh.node.local.methods.desk import Desk
from mesh.node.local.methods.meetings import meeting_json
from mesh.node.local.methods.names import group_named, member_named
from mesh.node.local.methods.pins import pins_json
from mesh.node.local.methods.proofs import signed_twice
from mesh.node.local.methods.removals import knows_of_removals, removal_json, seen_removal_of
from mesh.node.local.methods.sanctions import quiet_until
from mesh.node.local.methods.shown import (
    alias_of,
    departed_json,
    each,
    group_json,
    member_json,
    person,
    rooms_shown,
)
from mesh.node.local.protocol import JsonObject, JsonValue
from mesh.peer.asking import require_removable
from mesh.peer.leaving import is_unheard, require_leavable
from mesh.peer.modes import LOCK_MODE
from mesh.peer.raising import is_told
from mesh.peer.settings import OWN_SETTINGS
from mesh.peer.state import Room
from mesh.phrases import phrase
from mesh.wire.invites import Door

SUITES: Final = {"pq": Suite.HYBRID, "classic": Suite.CLASSIC}
RANKS: Final = {rank.name.lower(): rank for rank in Rank if rank is not Rank.NEWCOMER}
HOUR_S: Final = 3600
SEEN_WAIT_S: Final = 2.0  # how long a removal, or a leave with a wipe, waits for those linked to say that they know


async def create(desk: Desk, params: JsonObject) -> JsonObject:
    """Found a group."""
    suite = SUITES.get(given.text(params, "suite", "pq"))
    if suite is None:
        raise LocalError("the suite is “pq” or “classic”", code="E-USAGE")
    keep = given.maybe_number(params, "keep")
    approvals, history = given.maybe_number(params, "approvals"), given.text(params, "history", "none")
    settings = {} if approvals is None else {"approvals": str(approvals)}
    if history != "none":
        settings[HISTORY] = history
    require_window(history)
    if (lock := given.maybe_text(params, "lock_mode")) is not None:
        settings[LOCK_MODE] = lock
    if keep is not None:
        settings[KEEP] = str(keep // HOUR_S) if keep % HOUR_S == 0 else f"{keep} seconds"
        require_keep(settings[KEEP])
    nonce, seed = await desk.member_seed(given.text(params, "passphrase"))
    gid = await desk.ask(
        CreateGroup(
            name=given.text(params, "name"),
            about=given.text(params, "about", ""),
            topics=given.texts(params, "topics"),
            agreement=given.text(params, "agreement", ""),
            alias=alias_given(desk, params),
            suite=suite,
            settings=tuple(settings.items()),
            join_nonce=nonce,
            member_seed=seed,
        )
    )
    return {"group": group_json(desk, desk.state.rooms[GroupId(gid)])}


def alias_given(desk: Desk, params: JsonObject) -> str:
    """Return the alias, or the name that `init` was given; LocalError if there is neither."""
    said = given.maybe_text(params, "alias")
    alias = desk.keepsakes.name if said is None else said
    if not alias:
        raise LocalError(
            "an alias is needed",
            why="the members of the group see you under it",
            do="name one with --alias",
            code="E-NO-ALIAS",
        )
    return alias


async def list_groups(desk: Desk, params: JsonObject) -> JsonObject:
    """List the groups."""
    del params
    return {"groups": each(group_json(desk, room) for room in rooms_shown(desk.state))}


async def show(desk: Desk, params: JsonObject) -> JsonObject:
    """Show one group, with how many know who is out."""
    room = _room(desk, params)
    more: JsonObject = {"pins": each(pins_json(desk, room)), "meeting": meeting_json(desk, room)}
    return {"group": group_json(desk, room) | {"removal": removal_json(desk.state, room)} | more}


async def members(desk: Desk, params: JsonObject) -> JsonObject:
    """List who is in, and who was."""
    room = _room(desk, params)
    people = sorted(room.group.view.members.values(), key=lambda m: (m.rank, m.alias, m.pk))
    forked = forks(room.group.log)
    return {
        "members": each(_member(desk, room, member, forked) for member in people),
        "departed": each(departed_json(room)),
    }


def _member(desk: Desk, room: Room, member: Member, forked: Mapping[DeviceId, Fork]) -> JsonObject:
    """Describe a member, with what they know of removals, and whether a device of theirs signed twice in one place."""
    twice = signed_twice(room, forked, member.devices)
    return {
        **member_json(desk, room, member),
        "seen_removal": knows_of_removals(desk.state, room, member.pk),
        "equivocated": bool(twice),
        "equivocations": each(twice),
        "quiet_until": quiet_until(room, member.pk, desk.now().wall_ms),
    }


async def leave_check(desk: Desk, params: JsonObject) -> JsonObject:
    """Say which group would be left, and what follows. Nothing changes; the errors of leaving.

    `others`: the aliases of those who are in; `reachable`: one of them is now. `unheard`: one left before, and none of
    them is known to have heard of it; `wiped`: what was said is deleted already.
    """
    room = _leaving(desk, params)
    require_leavable(room, wipe=given.flag(params, "wipe"))
    founders = [pk for pk, member in room.group.view.members.items() if member.rank is Rank.FOUNDER]
    return {
        "group": group_json(desk, room),
        "only_founder": founders == [room.group.own.member_pk] and bool(room.group.others),
        "others": [alias_of(room, pk) for pk in room.group.others],
        "reachable": bool(desk.state.present(room)),
        "unheard": is_unheard(room),
        "wiped": room.group.own.wipe,
    }


def _leaving(desk: Desk, params: JsonObject) -> Room:
    """Return the group to be left. LocalError if its name may also mean one that was left before: that can be wiped."""
    return group_named(desk.state, given.text(params, "group"), any_standing=given.flag(params, "wipe"))


async def leave(desk: Desk, params: JsonObject) -> JsonObject:
    """Leave a group. `wiped`: nothing of it is left in the store. `told`: somebody heard of it; null: nobody had to.

    With `now` it is wiped even where nobody has heard; then nobody is told, and what we said stays with the others.
    """
    room = _leaving(desk, params)
    gid, wipe = room.group.gid, given.flag(params, "wipe")
    seed = await desk.member_seed_for(given.text(params, "passphrase"), room.group.own.join_nonce)
    somebody, was_in = bool(desk.state.present(room)), room.group.me is not None and not room.group.own.left
    due = bool(room.group.others) and (was_in or is_unheard(room))
    await desk.ask(LeaveGroup(group=gid, member_seed=seed, wipe=wipe))
    if wipe and somebody:
        await desk.until(lambda: gid not in desk.state.rooms, SEEN_WAIT_S)
    told = (gid not in desk.state.rooms or room.silent) if due else None
    if wipe and given.flag(params, "now") and gid in desk.state.rooms:
        await desk.ask(LeaveGroup(group=gid, member_seed=seed, wipe=True, now=True))
    return {"left": {"id": gid.hex()}, "wiped": gid not in desk.state.rooms, "told": told}


async def remove_check(desk: Desk, params: JsonObject) -> JsonObject:
    """Say who would be removed from which group, and how many open invites there are. The errors of a removal."""
    room = _room(desk, params)
    target = member_named(room, given.text(params, "member"))
    require_removable(room, target)
    return {
        "group": group_json(desk, room),
        "member": member_json(desk, room, room.group.view.members[target]),
        "invites_open": len(_open_invites(desk, room)),
        "let_in": _let_in_by(room, target),
    }


async def remove(desk: Desk, params: JsonObject) -> JsonObject:
    """Remove a member; say which open invites were closed with it, and how many know of it so far."""
    room = _room(desk, params)
    target = member_named(room, given.text(params, "member"))
    before = _open_invites(desk, room)
    await desk.ask(RemoveMember(group=room.group.gid, member=target, reason=given.text(params, "reason", "")))
    closed = [invite for invite in before if invite not in _open_invites(desk, room)]
    linked = len({s.device for _, s in desk.state.present(room)})
    await desk.until(lambda: seen_removal_of(desk.state, room, target) >= linked, SEEN_WAIT_S)
    others = len(room.group.others)
    return {
        "removed": {"id": target.hex()},
        "seen_by": seen_removal_of(desk.state, room, target),
        "members": others,
        "invites_closed": each(_invite(room, invite) for invite in closed),
        "let_in": _let_in_by(room, target),
    }


def _let_in_by(room: Room, inviter: MemberPk) -> list[JsonValue]:
    """Name those who are in by somebody's invites: who was removed may have let in others of their kind."""
    return [person(room, pk) for pk, member in sorted(room.group.view.members.items()) if member.invited_by == inviter]


def _open_invites(desk: Desk, room: Room) -> list[OpId]:
    now_ms = desk.now().wall_ms
    return [op_id for op_id, invite in room.group.invites.items() if door_of(invite, now_ms) is Door.OPEN]


def _invite(room: Room, op_id: OpId) -> JsonObject:
    own = room.invites.get(op_id)
    return {"id": op_id.hex(), "note": "" if own is None else own.note}


async def rank(desk: Desk, params: JsonObject) -> JsonObject:
    """Give a member another rank."""
    room = _room(desk, params)
    name = given.text(params, "rank")
    if name not in RANKS:
        raise LocalError(
            phrase("“{name}” is not a rank", name=name),
            do=phrase("one of: {names}", names=", ".join(RANKS)),
            code="E-USAGE",
        )
    target = member_named(room, given.text(params, "member"))
    await desk.ask(SetRank(group=room.group.gid, member=target, rank=RANKS[name]))
    return {"member": member_json(desk, room, room.group.view.members[target])}


async def hold(desk: Desk, params: JsonObject) -> JsonObject:
    """Object to a newcomer's becoming a member by itself, or take that back. `told`: the group knows of it."""
    room = _room(desk, params)
    target = member_named(room, given.text(params, "member"))
    await desk.ask(HoldBack(group=room.group.gid, member=target, holds=not given.flag(params, "release")))
    return {"member": member_json(desk, room, room.group.view.members[target]), "told": is_told(room, target)}


async def rekey(desk: Desk, params: JsonObject) -> JsonObject:
    """Start a new epoch."""
    room = _room(desk, params)
    await desk.ask(Rekey(group=room.group.gid))
    return {"group": group_json(desk, room)}


async def confirm(desk: Desk, params: JsonObject) -> JsonObject:
    """Take the word of whoever let us in that the group is as we have it; what waited for another's goes out."""
    room = _room(desk, params)
    await desk.ask(ConfirmGroup(group=room.group.gid))
    return {"group": group_json(desk, room)}


async def set_setting(desk: Desk, params: JsonObject) -> JsonObject:
    """Change a setting of the group, or one of our own in it."""
    room = _room(desk, params)
    key, value = given.text(params, "key"), given.text(params, "value")
    await desk.ask(SetSetting(group=room.group.gid, key=key, value=value, own=key in OWN_SETTINGS))
    return {"setting": {"key": key, "value": value, "own": key in OWN_SETTINGS}, "group": group_json(desk, room)}


def _room(desk: Desk, params: JsonObject) -> Room:
    return group_named(desk.state, given.text(params, "group"))
