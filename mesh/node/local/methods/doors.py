"""`invite …`, `join …`, `knocks …`: the door, from both sides."""

import re
from typing import Final

from mesh.commands import (
    INVITE_HOURS_DEFAULT,
    AgreeJoin,
    DecideKnock,
    DropJoin,
    NewInvite,
    RevokeInvite,
    StartJoin,
)
from mesh.errors import LocalError
from mesh.groups.invites import HOUR_MS, door_of
from mesh.groups.joining import GID_PREFIX_BYTES
from mesh.ids import Address, JoinId, OpId
from mesh.node.local.methods import given
from mesh.node.local.methods.desk import Desk
from mesh.node.local.methods.groups import alias_given
from mesh.node.local.methods.joins import join_json, key_words
from mesh.node.local.methods.names import group_named, invite_named, join_named, knock_named
from mesh.node.local.methods.shown import each, iso, members_like, person, state_of
from mesh.node.local.protocol import JsonObject
from mesh.peer.approving import approvers, needed
from mesh.peer.joining import preview_of
from mesh.peer.keepers import keepers_of
from mesh.peer.records import JoinRecord, JoinStage, KnockRecord
from mesh.peer.state import Room
from mesh.phrases import phrase
from mesh.secret import Secret
from mesh.wire import limits
from mesh.wire.codes import InviteCode, from_uri, to_text, to_uri
from mesh.wire.invites import Door

_PREVIEW_ENDS: Final = (JoinStage.LOOKING,)
_CODE: Final = re.compile(r"\bmesh1[0-9a-z]+(?:#[0-9a-z_-]*)?", re.IGNORECASE)
_JOIN_ENDS: Final = (JoinStage.LOOKING, JoinStage.PREVIEW, JoinStage.KNOCKING)


# ---------------------------------------------------------------- invites


async def new_invite(desk: Desk, params: JsonObject) -> JsonObject:
    """Make a code."""
    room = group_named(desk.state, given.text(params, "group"))
    seconds = given.number(params, "expires_s", INVITE_HOURS_DEFAULT * 3600)
    if not 1 <= seconds <= limits.INVITE_HOURS_MAX * 3600:
        raise LocalError(
            phrase("an invite lasts at most {most} days", most=limits.INVITE_HOURS_MAX // 24),
            why="it counts in whole hours, at least one",
            do="say how long with --expires: 12h, 3d",
        )
    if seconds % 3600:
        raise LocalError(
            "an invite lasts whole hours",
            why="all nodes must agree on when it ends, and they count in hours; it is not made longer than you said",
            do="say how long with --expires: 1h at the least, 12h, 3d; `mesh invite revoke` closes it sooner",
        )
    op_id = OpId(
        await desk.ask(
            NewInvite(
                group=room.group.gid,
                uses=given.number(params, "uses", 1),
                hours=seconds // 3600,
                approvals=given.maybe_number(params, "approvals"),
                note=given.text(params, "note", ""),
            )
        )
    )
    code, addresses = code_of(room, op_id)
    invite = room.group.invites[op_id]
    return {
        "code": to_uri(code, addresses),
        "uri": to_uri(code, addresses),
        "bare_code": to_text(code),
        "invite": {
            "id": op_id.hex(),
            "uses": invite.body.max_uses,
            "expires": iso(invite.body.expiry_hour * HOUR_MS),
            "approvals": invite.body.approvals,
            "addresses": len(addresses),
            "others": _others_in(desk, room, addresses),
            "keepers": len(set(addresses) & {a for one in keepers_of(room.group).values() for a in one.addresses}),
        },
    }


def _others_in(desk: Desk, room: Room, addresses: tuple[Address, ...]) -> int:
    """Count the other members whose nodes a code leads to."""
    shared = set(addresses) - set(desk.state.addresses)
    owners = room.group.view.devices
    led_to = {owners[dev] for dev, contact in room.contacts.items() if dev in owners and shared & {*contact.addresses}}
    return len(led_to - {room.group.own.member_pk})


def code_of(room: Room, op_id: OpId) -> tuple[InviteCode, tuple[Address, ...]]:
    """Return the code of an invite that was made here, and the addresses beside it."""
    record = room.invites[op_id]
    invite = room.group.invites[op_id]
    code = InviteCode(
        seed=record.seed, gid_prefix=room.group.gid[:GID_PREFIX_BYTES], expiry_hour=invite.body.expiry_hour
    )
    return code, tuple(Address(a) for a in record.addresses)


async def list_invites(desk: Desk, params: JsonObject) -> JsonObject:
    """List a group's invites; the code itself only of those that were made here."""
    room = group_named(desk.state, given.text(params, "group"))
    found: list[JsonObject] = []
    for op_id, invite in room.group.invites.items():
        door, used = door_of(invite, desk.now().wall_ms), len(invite.joiners)
        own = room.invites.get(op_id)
        found.append(
            {
                "id": op_id.hex(),
                "uses_left": max(0, invite.body.max_uses - used),
                "expires": iso(invite.body.expiry_hour * HOUR_MS),
                "state": door.name.lower().replace("_", "-"),
                "over_uses": invite.over_uses,
                "approvals": invite.body.approvals,
                "note": "" if own is None else own.note,
                "former": len(invite.body.allow),
                "code": None if own is None or door is not Door.OPEN else to_uri(*code_of(room, op_id)),
            }
        )
    return {"invites": each(found)}


async def revoke_invite(desk: Desk, params: JsonObject) -> JsonObject:
    """Close an invite."""
    room = group_named(desk.state, given.text(params, "group"))
    op_id = invite_named(room, given.text(params, "invite"))
    await desk.ask(RevokeInvite(group=room.group.gid, invite=op_id))
    return {"revoked": {"id": op_id.hex()}}


# ---------------------------------------------------------------- joining


async def start(desk: Desk, params: JsonObject) -> JsonObject:
    """Begin to look for the group behind a code."""
    code, addresses = _read_code(given.text(params, "code"))
    for record in desk.state.joins.values():
        if record.code == code.pack() and record.stage is JoinStage.JOINED and _is_in(desk, record):
            return {"join": join_json(desk, record)}  # it was for them, and they were let in meanwhile
    join = await desk.ask(StartJoin(code=code.pack(), addresses=addresses))
    return _join(desk, JoinId(join))


def _is_in(desk: Desk, join: JoinRecord) -> bool:
    preview = preview_of(join)
    room = None if preview is None else desk.state.rooms.get(preview.gid)
    return room is not None and state_of(room) == "member"


def _read_code(text: str) -> tuple[InviteCode, tuple[Address, ...]]:
    """Read a code as it was pasted: on one line or several, or with words around it. LocalError."""
    try:
        return from_uri(text)
    except LocalError as error:
        found = list(dict.fromkeys(_CODE.findall(text)))
        for code in found if len(found) == 1 else ():
            try:
                return from_uri(code)
            except LocalError as inner:
                raise (error if text.lower().lstrip().startswith("mesh1") else inner) from None
        raise


async def wait(desk: Desk, params: JsonObject) -> JsonObject:
    """Wait until a join has come as far as asked, or further."""
    join = join_named(desk.state, given.text(params, "join"))
    until = given.text(params, "until", "joined")
    if until not in ("preview", "joined"):
        raise LocalError("“until” is “preview” or “joined”", code="E-USAGE")
    going = _PREVIEW_ENDS if until == "preview" else _JOIN_ENDS
    await desk.until(
        lambda: join not in desk.state.joins or desk.state.joins[join].stage not in going,
        given.seconds(params, "wait_s", 0.0),
    )
    return _join(desk, join)


async def agree(desk: Desk, params: JsonObject) -> JsonObject:
    """Accept the agreement and knock."""
    join = join_named(desk.state, given.text(params, "join"))
    alias = alias_given(desk, params)
    passphrase = given.text(params, "passphrase")
    former = await _former_seed(desk, join, passphrase)
    nonce, seed = await desk.member_seed(passphrase)
    await desk.ask(
        AgreeJoin(
            join=join,
            alias=alias,
            agreement_version=given.number(params, "agreement_version"),
            join_nonce=nonce,
            member_seed=seed,
            former_seed=former,
        )
    )
    return _join(desk, join)


async def _former_seed(desk: Desk, join: JoinId, passphrase: str) -> Secret | None:
    """Return our member key's seed in the group in which this was offered, if it was in one."""
    offer = desk.state.joins[join].offer
    if offer is None:
        return None
    room = desk.state.rooms.get(offer.parent)
    if room is None:
        raise LocalError(
            "the group in which this was offered is not stored here any more",
            why="only your key in it shows that the offer is for you",
            do="ask somebody in the new group for a code",
            code="E-NO-GROUP",
        )
    return await desk.member_seed_for(passphrase, room.group.own.join_nonce)


async def list_joins(desk: Desk, params: JsonObject) -> JsonObject:
    """List the attempts to join."""
    del params
    return {"joins": each(join_json(desk, join) for join in desk.state.joins.values())}


async def drop(desk: Desk, params: JsonObject) -> JsonObject:
    """Stop an attempt to join."""
    join = join_named(desk.state, given.text(params, "join"))
    await desk.ask(DropJoin(join=join))
    return {"dropped": {"id": join.hex()}}


def _join(desk: Desk, join: JoinId) -> JsonObject:
    found = desk.state.joins.get(join)
    if found is None:
        raise LocalError("that attempt to join was dropped", code="E-NO-JOIN")
    return {"join": join_json(desk, found)}


# ---------------------------------------------------------------- knocks


async def list_knocks(desk: Desk, params: JsonObject) -> JsonObject:
    """List who waits for a person."""
    name = given.maybe_text(params, "group")
    rooms = [group_named(desk.state, name)] if name else list(desk.state.rooms.values())
    return {"knocks": each(_knock(room, knock, record) for room in rooms for knock, record in room.knocks.items())}


def _knock(room: Room, knock: bytes, record: KnockRecord) -> JsonObject:
    return {
        "id": knock.hex(),
        "group": room.group.gid.hex(),
        "group_name": room.group.founding.name,
        "alias": record.alias,
        "alike": [person(room, pk) for pk in members_like(room, record.alias)],
        "key_words": list(key_words(knock)),
        "invite_id": record.invite.hex(),
        "at": iso(record.at_ms),
        "approvals": len(approvers(room, record)),
        "needed": needed(room, record),
    }


async def admit(desk: Desk, params: JsonObject) -> JsonObject:
    """Let someone in."""
    return await _decide(desk, params, admit=True)


async def decline(desk: Desk, params: JsonObject) -> JsonObject:
    """Do not let someone in."""
    return await _decide(desk, params, admit=False)


async def _decide(desk: Desk, params: JsonObject, *, admit: bool) -> JsonObject:
    room = group_named(desk.state, given.text(params, "group"))
    knock = knock_named(room, given.text(params, "knock"))
    record = room.knocks[knock]
    await desk.ask(DecideKnock(group=room.group.gid, knock=knock, admit=admit))
    waits = room.knocks.get(knock)
    if admit and waits is not None:
        return {"approved": _knock(room, knock, waits)}
    return {"admitted" if admit else "declined": {"id": knock.hex(), "alias": record.alias}}
