"""`stewards open`: the private room of those who serve: found it, ask the others in under seal, see who is in.

Which group is the room of which is a row of one's own, on this device (`Space.OWN`), made by whoever founds a room or
comes into one that was offered. Nothing in either group links the two, but the notes that offer it.
"""

from typing import Final

from mesh.commands import CreateGroup, KeepOwn, NewInvite, Rank, SayNote
from mesh.errors import LocalError
from mesh.events import Space
from mesh.groups.invites import HOUR_MS
from mesh.ids import GroupId, MemberPk, OpId
from mesh.membership.structure import MEMBERS_INVITE
from mesh.node.local.methods import given
from mesh.node.local.methods.desk import Desk
from mesh.node.local.methods.doors import code_of
from mesh.node.local.methods.names import group_named
from mesh.node.local.methods.shown import each, person, state_of
from mesh.node.local.methods.stewards import require_steward, stewards_of
from mesh.node.local.protocol import JsonObject, phrased
from mesh.peer.records import NoteRecord
from mesh.peer.state import Room
from mesh.peer.terms import STEWARD_TERM
from mesh.phrases import phrase
from mesh.support.own import About, SinceRecord, own_key, own_prefix
from mesh.support.tags import read_note_value
from mesh.wire import limits
from mesh.wire.codec import decode, encode
from mesh.wire.codes import from_uri, to_uri
from mesh.wire.notes import NoteTag, RoomNote

OFFER_HOURS: Final = 14 * 24  # an offer stands so long, as one to talk does; ours
TOGETHER_MS: Final = HOUR_MS  # rooms that come to be known so soon after another were opened at the same time; ours
NAME: Final = "Stewards: "


async def show(desk: Desk, params: JsonObject) -> JsonObject:
    """Show the room of those who serve, as this device knows it, and whether the right ones are in.

    `code`: by this we were asked into it, and are not in yet.
    """
    room = group_named(desk.state, given.text(params, "group"))
    me = require_steward(room)
    await _remember(desk, room)
    return {"group": _group(room), "alias": me.alias, "room": _room_json(desk, room), "code": _way_in(desk, room)}


async def open_room(desk: Desk, params: JsonObject) -> JsonObject:
    """Found the room, or ask those in who serve and were not asked; LocalError for one who was asked in themself."""
    room = group_named(desk.state, given.text(params, "group"))
    require_steward(room)
    await _remember(desk, room)
    if _way_in(desk, room) is not None:
        raise LocalError("there is a room already, and you are asked in", do="`mesh stewards open`", code="E-ROOM")
    there = room_of(desk, room)
    founded = there is None
    if there is None:
        there = await _found(desk, room, given.text(params, "passphrase"))
    asked = await _ask_in(desk, room, there)
    return {
        "group": _group(room),
        "room": _room_json(desk, room),
        "founded": founded,
        "asked": each(person(room, pk) for pk in asked),
    }


# ---------------------------------------------------------------- which it is


def room_of(desk: Desk, room: Room) -> Room | None:
    """Return the room of a group's stewards: of those that we are in the one that came first here.

    Of several that came within an hour of it, as where two opened one at the same time, it is the one with the lowest
    id, so for all. One that was offered by nobody who serves now comes after all others.
    """
    prefix = own_prefix(About.ROOM, room.group.gid)
    known = {
        GroupId(key[len(prefix) :]): decode(SinceRecord, value, bytes_max=len(value)).at_ms
        for key, value in desk.store.scan(Space.OWN, prefix)
    }
    inside = {gid: at_ms for gid, at_ms in known.items() if _is_in(desk, gid)}
    meant = {gid: at_ms for gid, at_ms in inside.items() if _is_meant(room, gid)} or inside
    first_ms = min(meant.values(), default=0)
    gid = min((gid for gid, at_ms in meant.items() if at_ms < first_ms + TOGETHER_MS), default=None)
    return None if gid is None else desk.state.rooms[gid]


def _is_in(desk: Desk, gid: GroupId) -> bool:
    there = desk.state.rooms.get(gid)
    return there is not None and state_of(there) not in ("left", "removed")


def _is_meant(room: Room, gid: GroupId) -> bool:
    """Say whether one who serves now offered a group as the room, we among them, or nobody knows any more who did."""
    notes = [note for note in room.sealed.values() if (value := _value(note)) is not None and value.gid == gid]
    return not notes or any(note.mine or _serves(room, note) for note in notes)


def _serves(room: Room, note: NoteRecord) -> bool:
    author = room.group.view.members.get(note.by)
    return author is not None and author.rank <= Rank.STEWARD


def _way_in(desk: Desk, room: Room) -> str | None:
    """Return the code of a room into which we were asked and should come: where we are in none, or one meant more."""
    there = room_of(desk, room)
    offers = [(offer, at_ms) for offer, at_ms in _offers(desk, room) if offer.gid not in desk.state.rooms]
    if there is not None and _is_meant(room, there.group.gid):
        since = desk.store.get(Space.OWN, own_key(About.ROOM, there.group.gid, room.group.gid))
        since_ms = 0 if since is None else decode(SinceRecord, since, bytes_max=len(since)).at_ms
        lower = [(offer, at_ms) for offer, at_ms in offers if offer.gid < there.group.gid]
        offers = [(offer, at_ms) for offer, at_ms in lower if at_ms < since_ms + TOGETHER_MS]
    best, _ = min(offers, key=lambda entry: entry[0].gid, default=(None, 0))
    return None if best is None else best.code


async def _remember(desk: Desk, room: Room) -> None:
    """Keep which groups that we came into were offered as the room, and when: the notes that say so go in time."""
    for offer, at_ms in sorted(_offers(desk, room), key=lambda entry: entry[1]):
        known = desk.store.get(Space.OWN, own_key(About.ROOM, offer.gid, room.group.gid)) is not None
        if _is_in(desk, offer.gid) and not known:
            await _link(desk, room, offer.gid, at_ms)


async def _link(desk: Desk, room: Room, gid: GroupId, at_ms: int) -> None:
    since = encode(SinceRecord(at_ms=at_ms))
    await desk.ask(KeepOwn(changes=((own_key(About.ROOM, gid, room.group.gid), since),)))


def _offers(desk: Desk, room: Room) -> list[tuple[RoomNote, int]]:
    """Return the rooms that those who serve now offered us, whose codes have not run out, and when that came (wall)."""
    hour = desk.now().wall_ms // HOUR_MS
    found: list[tuple[RoomNote, int]] = []
    for note in room.sealed.values():
        value = _value(note)
        if value is not None and not note.mine and _serves(room, note):
            found += [(value, note.at_ms)] if from_uri(value.code)[0].expiry_hour > hour else []
    return found


def _value(note: NoteRecord) -> RoomNote | None:
    """Return what a note says, if it offers a room."""
    value = read_note_value(note.tag, note.value) if note.tag == NoteTag.ROOM else None
    return value if isinstance(value, RoomNote) else None


# ---------------------------------------------------------------- founding, asking in


async def _found(desk: Desk, room: Room, passphrase: str) -> Room:
    """Found a room: whoever is in it may ask others in, so that it does not rest on one of them."""
    me = require_steward(room)
    nonce, seed = await desk.member_seed(passphrase)
    name = (NAME + room.group.founding.name).encode()[: limits.GROUP_NAME_BYTES_MAX].decode(errors="ignore").strip()
    gid = GroupId(
        await desk.ask(
            CreateGroup(
                name=name,
                about="",
                topics=(),
                agreement="",
                alias=me.alias,
                suite=room.group.suite,
                settings=((MEMBERS_INVITE, "on"), (STEWARD_TERM, "0")),
                join_nonce=nonce,
                member_seed=seed,
            )
        )
    )
    await _link(desk, room, gid, desk.now().wall_ms)
    return desk.state.rooms[gid]


def _unasked(desk: Desk, room: Room, there: Room) -> list[MemberPk]:
    """Return those who serve now, but whom we asked in lately, and who asked us."""
    since_ms = desk.now().wall_ms - OFFER_HOURS * HOUR_MS
    known: set[MemberPk] = set()
    for note in room.sealed.values():
        value = _value(note)
        if value is not None and value.gid == there.group.gid and note.at_ms > since_ms:
            known |= {*note.waits, *note.told} if note.mine else {note.by}
    serving = [m.pk for m in stewards_of(room) if m.rank <= Rank.STEWARD and m.pk in room.group.others]
    return [pk for pk in serving if pk not in known]


async def _ask_in(desk: Desk, room: Room, there: Room) -> list[MemberPk]:
    """Ask those in who serve now and were not asked lately; return whom. LocalError."""
    asked = _unasked(desk, room, there)[: limits.NOTE_READERS_MAX]
    if not asked:
        return []
    invite = NewInvite(group=there.group.gid, uses=len(asked), hours=OFFER_HOURS, approvals=0, note="stewards")
    code, addresses = code_of(there, OpId(await desk.ask(invite)))
    note = RoomNote(gid=there.group.gid, code=to_uri(code, addresses[: limits.NOTE_ADDRESSES_MAX]))
    await desk.ask(SayNote(group=room.group.gid, tag=NoteTag.ROOM, to=tuple(asked), value=encode(note)))
    return asked


# ---------------------------------------------------------------- what is shown


def _group(room: Room) -> JsonObject:
    return {"id": room.group.gid.hex(), "name": room.group.founding.name}


def _room_json(desk: Desk, room: Room) -> JsonObject | None:
    """Describe the room that we are in. `not_in`, `not_serving`: by alias, for keys in it are others than here."""
    there = room_of(desk, room)
    if there is None:
        return None
    serving = {m.alias: m for m in stewards_of(room) if m.rank <= Rank.STEWARD}
    inside = {m.alias: m for m in there.group.view.members.values()}
    return {
        **_group(there),
        "members": len(there.group.view.members),
        "not_in": [person(room, m.pk) for alias, m in serving.items() if alias not in inside],
        "not_serving": [person(there, m.pk) for alias, m in inside.items() if alias not in serving],
    }


def room_problems(desk: Desk, room: Room) -> list[JsonObject]:
    """Say that a room was offered, or that others are in it than serve now."""
    me = room.group.me
    if me is None or room.group.own.left or me.rank > Rank.STEWARD:
        return []
    name, shown = room.group.founding.name, _room_json(desk, room)
    found: list[JsonObject] = []
    if _way_in(desk, room) is not None:
        what = phrase("Those who serve in “{group}” have a room, and ask you in.", group=name)
        do = phrase('`mesh stewards open "{group}"` brings you there.', group=name)
        found.append(phrased(what=what, do=do))
    if shown is not None and shown["not_serving"]:
        found.append(
            phrased(
                what=phrase("In the stewards' room of “{group}” is somebody who does not serve now.", group=name),
                do=phrase(
                    '`mesh stewards list "{group}"` shows who. They read what is said there until they are removed.',
                    group=name,
                ),
            )
        )
    there = room_of(desk, room)
    if there is not None and _unasked_outside(desk, room, there):
        found.append(
            phrased(
                what=phrase("Not all who serve in “{group}” are in the stewards' room.", group=name),
                do=phrase('`mesh stewards open "{group}"` asks those in who were not asked yet.', group=name),
            )
        )
    return found


def _unasked_outside(desk: Desk, room: Room, there: Room) -> bool:
    """Say whether somebody serves who was not asked in lately, and seems not to be there."""
    inside = {member.alias for member in there.group.view.members.values()}
    members = room.group.view.members
    return any(members[pk].alias not in inside for pk in _unasked(desk, room, there))
