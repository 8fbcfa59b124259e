"""`listen`: offer to listen, ask for a listener, say yes, end it, and see how it stands. Nobody is shown who it is."""

from typing import Final

from mesh.commands import MakeStatement
from mesh.errors import LocalError
from mesh.identity.keys import member_seed
from mesh.identity.words import fresh_alias
from mesh.ids import GroupId, MemberPk
from mesh.listening import AskListener, EndListening, EnterTalk, Seat, SeekTalk, SeenListening
from mesh.node.chance import OsEntropy
from mesh.node.local.methods import given
from mesh.node.local.methods.chosen import choices_of
from mesh.node.local.methods.desk import Desk
from mesh.node.local.methods.names import group_named, thing_named
from mesh.node.local.methods.pace import local_time
from mesh.node.local.methods.shown import each, iso, person
from mesh.node.local.protocol import JsonObject, phrased
from mesh.peer.keepers import keepers_of
from mesh.peer.listening import ASKED_MAX, join_of, listen_state, listeners_are_on, require_listeners, volunteers
from mesh.peer.records import JoinStage, ListenRecord
from mesh.peer.state import Room
from mesh.peer.stating import is_told
from mesh.phrases import Phrase, phrase
from mesh.secret import Secret
from mesh.support import listening
from mesh.support.pace import QuietRecord, quiet_text
from mesh.support.statements import Said
from mesh.wire.codec import encode
from mesh.wire.codes import InviteCode
from mesh.wire.messages import Mode
from mesh.wire.statements import Form, ListenerValue

JOIN_NONCE_BYTES: Final = 32
_HOUR_MS: Final = 3_600_000
_DAY_S: Final = 86_400
_DAY_MINUTES: Final = 24 * 60


async def offer(desk: Desk, params: JsonObject) -> JsonObject:
    """Offer to listen, until a day; or say it anew."""
    room = group_named(desk.state, given.text(params, "group"))
    require_listeners(room)
    days = given.number(params, "days", listening.OFFER_DAYS)
    if not 1 <= days <= listening.OFFER_DAYS_MAX:
        what = phrase("an offer to listen stands for 1 to {most} days", most=listening.OFFER_DAYS_MAX)
        raise LocalError(what, do="say how long with --for, like 30d", code="E-USAGE")
    hours, ahead = given.maybe_text(params, "hours"), _utc_ahead(desk)
    start, end = (0, 0) if hours is None else listening.read_hours(hours)
    value = listening.compose(topics=given.texts(params, "topics"), start=start - ahead, end=end - ahead)
    return await _state(desk, room, value, params, lasts_s=days * _DAY_S)


async def withdraw(desk: Desk, params: JsonObject) -> JsonObject:
    """Offer to listen no longer."""
    room = group_named(desk.state, given.text(params, "group"))
    return await _state(desk, room, listening.NO_OFFER, params)


async def _state(desk: Desk, room: Room, value: ListenerValue, params: JsonObject, *, lasts_s: int = 0) -> JsonObject:
    command = MakeStatement(
        group=room.group.gid,
        form=Form.LISTENER,
        subject=b"",
        value=encode(value),
        lasts_s=lasts_s,
        takes_back=not value.holds,
    )
    await desk.ask(command)
    told = await desk.until(lambda: is_told(room, Form.LISTENER, b""), given.seconds(params, "wait_s", 2.0))
    own = volunteers(room, desk.now().wall_ms).get(room.group.own.member_pk)
    return {"offer": None if own is None else _offer(desk, room, own), "told": told}


async def check(desk: Desk, params: JsonObject) -> JsonObject:
    """Say whether one can ask in a group now: how many fit, and whether a keeper carries the talk."""
    room = group_named(desk.state, given.text(params, "group"))
    require_listeners(room)
    fitting = _fitting(desk, room, given.text(params, "topic", ""))
    return {"group": _group(room), "volunteers": len(fitting), "kept": bool(keepers_of(room.group))}


async def ask(desk: Desk, params: JsonObject) -> JsonObject:
    """Ask some of those who offer to listen; the group does not see whom, or what."""
    room, topic = group_named(desk.state, given.text(params, "group")), given.text(params, "topic", "")
    nonces = [OsEntropy().draw(JOIN_NONCE_BYTES) for _ in range(ASKED_MAX)]
    seeds: list[Secret] = await desk.with_root(
        given.text(params, "passphrase"), lambda root: [member_seed(root, nonce) for nonce in nonces]
    )
    command = AskListener(
        group=room.group.gid,
        volunteers=tuple(_fitting(desk, room, topic)),
        topic=topic,
        mode=given.text(params, "mode", "listening"),
        minutes=given.number(params, "minutes", listening.MINUTES),
        direct=given.flag(params, "direct"),
        seats=tuple(
            Seat(
                name=f"listening {fresh_alias(OsEntropy())}",
                alias=fresh_alias(OsEntropy()),
                join_nonce=nonce,
                member_seed=seed,
            )
            for nonce, seed in zip(nonces, seeds, strict=True)
        ),
    )
    asked = await desk.ask(command)
    return {"talk": _json(desk, *_standing(desk, asked.hex()))}


async def accept(desk: Desk, params: JsonObject) -> JsonObject:
    """Say yes to one who asks: look for the talk, and knock as soon as it shows itself."""
    room, gid, _ = _standing(desk, given.text(params, "talk"), mine=False)
    passphrase, wait_s = given.text(params, "passphrase"), given.seconds(params, "wait_s", 30.0)
    await desk.ask(SeekTalk(group=room.group.gid, talk=gid, direct=given.flag(params, "direct")))
    await desk.until(lambda: _stage(desk, gid) is not JoinStage.LOOKING, wait_s)
    if _stage(desk, gid) is JoinStage.PREVIEW:
        former = await desk.member_seed_for(passphrase, room.group.own.join_nonce)
        nonce, seed = await desk.member_seed(passphrase)
        command = EnterTalk(
            group=room.group.gid,
            talk=gid,
            alias=fresh_alias(OsEntropy()),
            join_nonce=nonce,
            member_seed=seed,
            former_seed=former,
        )
        await desk.ask(command)
        await desk.until(lambda: _how(desk, room, gid) != "joining", wait_s)
    return {"talk": None if gid not in room.listens else _json(desk, room, gid, room.listens[gid])}


def _stage(desk: Desk, gid: GroupId) -> JoinStage | None:
    join = join_of(desk.state, gid)
    return None if join is None else join.stage


async def end(desk: Desk, params: JsonObject) -> JsonObject:
    """End a talk, take back what one asked, or put aside what one is asked; nobody is told why."""
    name = given.maybe_text(params, "talk")
    room, gid, kept = _only_open(desk) if name is None else _standing(desk, name)
    before = _json(desk, room, gid, kept)
    await desk.ask(EndListening(group=room.group.gid, talk=gid))
    talk = desk.state.rooms.get(gid)
    told = await desk.until(
        lambda: talk is None or gid not in desk.state.rooms or is_told(talk, Form.TALK_END, b""),
        given.seconds(params, "wait_s", 2.0),
    )
    return {"ended": {"id": before["id"], "group": before["group"], "was": before["state"]}, "told": told}


async def list_listening(desk: Desk, params: JsonObject) -> JsonObject:
    """List who offers to listen, and the talks that were asked for; of what ended it is told once how."""
    name = given.maybe_text(params, "group")
    rooms = [group_named(desk.state, name)] if name else list(desk.state.rooms.values())
    wall_ms = desk.now().wall_ms
    offers = [
        _offer(desk, room, said)
        for room in rooms
        for pk, said in volunteers(room, wall_ms).items()
        if pk not in choices_of(desk.store, room.group.gid).blocked
    ]
    shown = [(room, gid, kept) for room in rooms for gid, kept in _shown(desk, room)]
    told: JsonObject = {"offers": each(offers), "talks": each(_json(desk, *row) for row in shown)}
    for room in rooms:
        over = tuple(gid for there, gid, _ in shown if there is room and _how(desk, room, gid) in ("ended", "expired"))
        if over:
            await desk.ask(SeenListening(group=room.group.gid, talks=over))
    return told


# ---------------------------------------------------------------- what stands


def _fitting(desk: Desk, room: Room, topic: str) -> list[MemberPk]:
    """Return who offers to listen to that now, and is not blocked."""
    wall_ms, blocked = desk.now().wall_ms, choices_of(desk.store, room.group.gid).blocked
    offers = volunteers(room, wall_ms)
    others = [pk for pk in offers if pk not in blocked and pk != room.group.own.member_pk]
    return [pk for pk in others if listening.fits(offers[pk].value, topic, wall_ms)]


def _shown(desk: Desk, room: Room) -> list[tuple[GroupId, ListenRecord]]:
    """Return what was asked in a group, one of each asking of ours; not what those asked whom one has blocked."""
    blocked = choices_of(desk.store, room.group.gid).blocked
    found: dict[bytes, tuple[GroupId, ListenRecord]] = {}
    for gid, kept in room.listens.items():
        key = kept.ask if kept.mine else gid
        if (kept.mine or kept.member is None or kept.member not in blocked) and (key not in found or not kept.taken):
            found[key] = gid, kept
    return list(found.values())


def _standing(desk: Desk, name: str, *, mine: bool | None = None) -> tuple[Room, GroupId, ListenRecord]:
    """Return the talk with this id prefix. LocalError."""
    found = {
        (kept.ask if kept.mine else gid): (room, gid, kept)
        for room in desk.state.rooms.values()
        for gid, kept in _shown(desk, room)
        if mine is None or kept.mine is mine
    }
    return found[thing_named("talk", name, found, "`mesh listen list` shows the ids")]


def _only_open(desk: Desk) -> tuple[Room, GroupId, ListenRecord]:
    """Return the one talk that is open. LocalError if there is none, or more than one."""
    rooms = desk.state.rooms.values()
    found = [(room, gid, kept) for room in rooms for gid, kept in _shown(desk, room) if _how(desk, room, gid) == "open"]
    if len(found) != 1:
        raise LocalError(
            "no talk with a listener is open" if not found else "more than one talk with a listener is open",
            do="name it by the beginning of its id in `mesh listen list`",
            code="E-NO-LISTEN",
        )
    return found[0]


def _how(desk: Desk, room: Room, gid: GroupId) -> str:
    return listen_state(desk.state, room, gid, desk.now().wall_ms) if gid in room.listens else "gone"


def _json(desk: Desk, room: Room, gid: GroupId, kept: ListenRecord) -> JsonObject:
    """Describe a talk; `name` and `alias` are those of the group for two, once both are in. With whom is not said."""
    here = desk.state.rooms.get(gid) if kept.opened_ms else None
    me = None if here is None else here.group.me
    state = _how(desk, room, gid)
    return {
        "id": (kept.ask if kept.mine else gid).hex(),
        "group": _group(room),
        "mine": kept.mine,
        "state": state,
        "topic": kept.topic or None,
        "mode": Mode(kept.mode).name.lower(),
        "minutes": kept.minutes,
        "kept": kept.kept,
        "name": None if here is None else here.group.founding.name,
        "alias": None if me is None else me.alias,
        "at": iso(kept.at_ms),
        "expires": iso(InviteCode.unpack(kept.code).expiry_hour * _HOUR_MS),
        "opened": iso(kept.opened_ms) if kept.opened_ms else None,
        "care": state == "ended" and not kept.seen,
    }


def _offer(desk: Desk, room: Room, said: Said) -> JsonObject:
    """Describe an offer to listen; its hours by the clock on this machine's wall."""
    value, ahead = said.value, _utc_ahead(desk)
    assert isinstance(value, ListenerValue)
    start, stop = (value.start + ahead) % _DAY_MINUTES, (value.end + ahead) % _DAY_MINUTES
    return {
        "group": _group(room),
        "member": person(room, said.member),
        "mine": said.member == room.group.own.member_pk,
        "topics": list(value.topics),
        "hours": None if start == stop else quiet_text(QuietRecord(start=start, end=stop)),
        "now": listening.fits(value, "", desk.now().wall_ms),
        "waits": said.waits,
    }


def _utc_ahead(desk: Desk) -> int:
    """Return by how many minutes the clock on this machine's wall is ahead of UTC now."""
    offset = local_time(desk.now().wall_ms).utcoffset()
    return 0 if offset is None else round(offset.total_seconds() / 60)


def _group(room: Room) -> JsonObject:
    return {"id": room.group.gid.hex(), "name": room.group.founding.name, "listeners": listeners_are_on(room)}


def listen_problems(desk: Desk, room: Room) -> list[JsonObject]:
    """Say who asks one to listen, whether somebody said yes, and what has ended, for `status`."""
    name = room.group.founding.name
    found: list[JsonObject] = []
    for gid, kept in _shown(desk, room):
        state = _how(desk, room, gid)
        if state == "offered" and listeners_are_on(room):
            found.append(
                phrased(
                    what=_asks_for_a_listener(name, kept.minutes, kept.topic), do=_how_to_say_yes(gid, kept=kept.kept)
                )
            )
        elif state == "open" and kept.mine and gid in desk.state.rooms and not desk.state.rooms[gid].deliveries:
            talk = desk.state.rooms[gid].group.founding.name
            what = phrase("Somebody said yes: you can talk with a listener, in “{talk}”.", talk=talk)
            do = phrase('`mesh post "{talk}"` says something there; `mesh listen end` ends it.', talk=talk)
            found.append(phrased(what=what, do=do))
        elif state == "ended" and not kept.seen:
            what = phrase("A talk with a listener that began in “{group}” has ended.", group=name)
            found.append(phrased(what=what, do="`mesh listen list` says a last word about it."))
    return found


def _how_to_say_yes(gid: GroupId, *, kept: bool) -> Phrase:
    if kept:
        return phrase("`mesh listen accept {id}`, or do nothing: they are not told.", id=gid.hex()[:8])
    return phrase(
        "`mesh listen accept {id} --direct`, or do nothing: they are not told. No keeper carries it: your two nodes "
        "link with each other.",
        id=gid.hex()[:8],
    )


def _asks_for_a_listener(name: str, minutes: int, topic: str) -> Phrase:
    if not topic:
        return phrase("Somebody in “{group}” asks for a listener for {minutes} minutes.", group=name, minutes=minutes)
    return phrase(
        "Somebody in “{group}” asks for a listener for {minutes} minutes about “{topic}”.",
        group=name,
        minutes=minutes,
        topic=topic,
    )
