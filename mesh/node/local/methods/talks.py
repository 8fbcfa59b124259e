"""`talk`: ask a member of a group to talk as two, and answer one who asks."""

from mesh.commands import AcceptTalk, DeclineTalk, OfferTalk
from mesh.errors import LocalError
from mesh.groups.invites import HOUR_MS
from mesh.identity.words import fresh_alias
from mesh.ids import GroupId, JoinId, MemberPk
from mesh.node.chance import OsEntropy
from mesh.node.local.methods import given
from mesh.node.local.methods.chosen import choices_of
from mesh.node.local.methods.desk import Desk
from mesh.node.local.methods.joins import join_json
from mesh.node.local.methods.names import group_named, member_named
from mesh.node.local.methods.shown import alias_of, each, group_json, iso, other_devices, person
from mesh.node.local.protocol import JsonObject
from mesh.peer.records import TalkRecord
from mesh.peer.state import Room
from mesh.peer.talking import offer_from, talk_state, talk_with
from mesh.phrases import phrase
from mesh.wire.codes import InviteCode


async def list_talks(desk: Desk, params: JsonObject) -> JsonObject:
    """List the conversations of two: those that we asked for, and those that were offered to us."""
    name = given.maybe_text(params, "group")
    rooms = [group_named(desk.state, name)] if name else list(desk.state.rooms.values())
    return {"talks": each(_talk(desk, room, gid, talk) for room in rooms for gid, talk in _heard(desk, room))}


def _heard(desk: Desk, room: Room) -> list[tuple[GroupId, TalkRecord]]:
    """Return the talks of a group, without those that somebody asked for whom one has blocked."""
    blocked = choices_of(desk.store, room.group.gid).blocked
    known = [(gid, talk, gid in desk.state.rooms) for gid, talk in room.talks.items()]
    return [(gid, talk) for gid, talk, here in known if talk.mine or here or talk.member not in blocked]


async def check(desk: Desk, params: JsonObject) -> JsonObject:
    """Show the conversation with a member that stands, and their offer that waits; null where there is none."""
    room, member = _named(desk, params)
    now_ms = desk.now().wall_ms
    stands, offered = talk_with(desk.state, room, member, now_ms), offer_from(desk.state, room, member, now_ms)
    return {
        "member": person(room, member),
        "talk": None if stands is None else _talk(desk, room, stands, room.talks[stands]),
        "group": None if stands is None else group_json(desk, desk.state.rooms[stands]),
        "offered": None if offered is None else _talk(desk, room, offered, room.talks[offered]),
    }


async def offer(desk: Desk, params: JsonObject) -> JsonObject:
    """Ask a member to talk as two."""
    room, member = _named(desk, params)
    nonce, seed = await desk.member_seed(given.text(params, "passphrase"))
    gid = GroupId(
        await desk.ask(
            OfferTalk(
                group=room.group.gid,
                member=member,
                name=f"talk {fresh_alias(OsEntropy())}",
                alias=_alias(params),
                join_nonce=nonce,
                member_seed=seed,
            )
        )
    )
    return {"group": group_json(desk, desk.state.rooms[gid]), "talk": _talk(desk, room, gid, room.talks[gid])}


async def accept(desk: Desk, params: JsonObject) -> JsonObject:
    """Accept the newest offer of a member, and knock."""
    room, member = _named(desk, params)
    gid = _waiting(desk, room, member)
    passphrase = given.text(params, "passphrase")
    former = await desk.member_seed_for(passphrase, room.group.own.join_nonce)
    nonce, seed = await desk.member_seed(passphrase)
    join = await desk.ask(
        AcceptTalk(
            group=room.group.gid,
            talk=gid,
            alias=_alias(params),
            join_nonce=nonce,
            member_seed=seed,
            former_seed=former,
        )
    )
    return {"join": join_json(desk, desk.state.joins[JoinId(join)])}


async def decline(desk: Desk, params: JsonObject) -> JsonObject:
    """Decline the newest offer of a member; they are not told."""
    room, member = _named(desk, params)
    gid = _waiting(desk, room, member)
    await desk.ask(DeclineTalk(group=room.group.gid, talk=gid))
    return {"declined": {"id": gid.hex()}}


def _alias(params: JsonObject) -> str:
    """Return the alias, or a fresh one where none is given; an empty one is left to be refused."""
    alias = given.maybe_text(params, "alias")
    return fresh_alias(OsEntropy()) if alias is None else alias


def _named(desk: Desk, params: JsonObject) -> tuple[Room, MemberPk]:
    room = group_named(desk.state, given.text(params, "group"))
    member = member_named(room, given.text(params, "member"))
    if member == room.group.own.member_pk:
        raise LocalError(
            "that is you",
            why="a talk is with somebody else",
            do="name another member; `mesh group members` shows who is in",
            code="E-NO-MEMBER",
        )
    return room, member


def _waiting(desk: Desk, room: Room, member: MemberPk) -> GroupId:
    gid = offer_from(desk.state, room, member, desk.now().wall_ms)
    if gid is None:
        _refuse_if_open(desk, room, member)
        raise LocalError(
            "they have not asked you to talk, or their offer has run out",
            do="`mesh talk` lists who has asked; without --accept you ask them",
            code="E-NO-TALK",
        )
    return gid


def _refuse_if_open(desk: Desk, room: Room, member: MemberPk) -> None:
    """LocalError if we talk with a member already: there is nothing left to answer."""
    now_ms = desk.now().wall_ms
    stands = talk_with(desk.state, room, member, now_ms)
    if stands is None or talk_state(desk.state, stands, room.talks[stands], now_ms) != "open":
        return
    name = desk.state.rooms[stands].group.founding.name
    raise LocalError(
        phrase("you and {member} can talk already, in “{name}”", member=alias_of(room, member), name=name),
        why="that offer was accepted, and nothing is left to answer",
        do=phrase('`mesh post "{name}"` says something there; `mesh group leave "{name}"` ends it', name=name),
        code="E-NO-TALK",
    )


def _talk(desk: Desk, room: Room, gid: GroupId, talk: TalkRecord) -> JsonObject:
    """Describe a conversation of two as the group in which it was offered has it; `alias` is ours in it.

    `other_devices` counts those of ours on which it may have been answered: they do not tell this one.
    """
    here = desk.state.rooms.get(gid)
    me = None if here is None else here.group.me
    return {
        "id": gid.hex(),
        "name": None if here is None else here.group.founding.name,
        "group": {"id": room.group.gid.hex(), "name": room.group.founding.name},
        "with": person(room, talk.member),
        "alias": None if me is None else me.alias,
        "mine": talk.mine,
        "state": talk_state(desk.state, gid, talk, desk.now().wall_ms),
        "at": iso(talk.at_ms),
        "other_devices": other_devices(room),
        "expires": iso(InviteCode.unpack(talk.code).expiry_hour * HOUR_MS),
    }
