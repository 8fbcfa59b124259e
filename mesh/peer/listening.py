"""Asking for a listener: one sealed note asks up to four volunteers, each into a group for two of their own.

A group for two is founded for each of them, under an alias and keys of its own, and what leads into it stands in a
slip that its one reader opens (`groups.notes`). So those who were asked too know who asked, and nothing of the talk
that comes about: not its group, no alias, no key. The others see one sealed note, as many are. Nobody answers by a
note: whoever says yes knocks at their group, at the group's keepers, which carry the talk and see neither who it is
nor what it says. The first who comes closes the other doors.

An invite names the one member it is for, so nobody else comes in, nor can pass it on. What links a talk with the group
where it was asked for stands in the stores of the two, and is not shown to either person.
"""

from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from mesh.commands import AgreeJoin, CreateGroup, Rank, StartJoin
from mesh.errors import LocalError, RefusedError
from mesh.events import Notice, Space
from mesh.groups.authoring import author, found
from mesh.groups.discreet import DIRECT, KEPT, LISTENING
from mesh.groups.group import Means
from mesh.groups.invites import HOUR_MS, Preview
from mesh.groups.joining import GID_PREFIX_BYTES
from mesh.groups.notes import open_slip, seal_note, seal_slips
from mesh.ids import Address, DeviceId, GroupId, JoinId, MemberPk, OpId
from mesh.journal import Journal
from mesh.listening import AskListener, EnterTalk, Seat, SeekTalk
from mesh.membership.structure import TALK
from mesh.peer.joining import agree, drop_join, preview_of, start_join
from mesh.peer.keepers import keepers_of
from mesh.peer.records import JoinRecord, JoinStage, ListenRecord, OfferRecord
from mesh.peer.rights import require_in
from mesh.peer.routing import JOINING
from mesh.peer.speaking import can_speak, say_uid
from mesh.peer.state import Room, State, Step
from mesh.peer.statements import counting
from mesh.peer.talking import invite_for, is_talk
from mesh.phrases import phrase
from mesh.support import listening
from mesh.support.posts import MODES
from mesh.support.statements import Said
from mesh.wire import limits
from mesh.wire.codec import decode, encode
from mesh.wire.codes import InviteCode
from mesh.wire.messages import Kind, MessageTbs
from mesh.wire.notes import ListenAsk, ListenSlip, NoteTag, NoteText
from mesh.wire.operations import OpType
from mesh.wire.statements import Form
from mesh.wire.text import check_text, require_text
from mesh.wire.tickets import KEEPER_SETTING, Ticket, ticket_to_text

LISTENERS: Final = "listeners"  # the group's setting: on, or off
ASK_HOURS: Final = 2  # an asking stands for two to three hours: codes end with whole hours; ours
ASKED_MAX: Final = limits.NOTE_WRAPS  # volunteers asked at once: a note has room for so many devices
KEEPERS_TAKEN: Final = 2  # of the group's, for a talk; ours
_AGREEMENT_VERSION: Final = 1
_STANDS_MS: Final = (ASK_HOURS + 1) * HOUR_MS


def listeners_are_on(room: Room) -> bool:
    """Say whether members of a group may ask each other to listen: unless it has switched that off."""
    return room.group.view.settings.get(LISTENERS, "on") != "off" and not is_talk(room.group)


def volunteers(room: Room, wall_ms: int) -> dict[MemberPk, Said]:
    """Return who offers to listen now, ourselves too."""
    return listening.fold(counting(room, Form.LISTENER, wall_ms)) if listeners_are_on(room) else {}


def asked_in(state: State, gid: GroupId) -> tuple[Room, ListenRecord] | None:
    """Return the group in which a talk was asked for, and what is kept of it there."""
    found_in = ((room, room.listens[gid]) for room in state.rooms.values() if gid in room.listens)
    return next(found_in, None)


def listen_state(state: State, room: Room, gid: GroupId, wall_ms: int) -> str:
    """Say how a talk with a listener stands.

    Ours: waiting, asked. Of us: offered, declined, joining. Either: open, ended, expired; taken, where another talk
    came about.
    """
    kept = room.listens[gid]
    if kept.ended_ms:
        return "ended"
    if kept.opened_ms:
        return "open"
    if kept.taken:
        return "taken"
    if kept.mine:
        is_there = gid in state.rooms and not is_over(kept, wall_ms)
        return ("asked" if kept.told else "waiting") if is_there else "expired"
    if is_over(kept, wall_ms):
        return "expired"
    if join_of(state, gid) is not None:
        return "joining"
    return "declined" if kept.declined else "offered"


def is_over(kept: ListenRecord, wall_ms: int) -> bool:
    """Say whether an asking stands no more."""
    end_ms = min(InviteCode.unpack(kept.code).expiry_hour * HOUR_MS, kept.at_ms + _STANDS_MS)
    return wall_ms >= end_ms


def join_of(state: State, gid: GroupId) -> JoinRecord | None:
    """Return our attempt to come into a talk, if one is under way."""
    going = (join for join in state.joins.values() if join.stage in JOINING and join.offer is not None)
    return next((join for join in going if join.offer is not None and join.offer.gid == gid), None)


def keep(room: Room, gid: GroupId, kept: ListenRecord, step: Step) -> None:
    """Write down how a talk stands, and tell whoever listens."""
    room.listens[gid] = kept
    step.journal.put(Space.LISTENS, room.group.gid + gid, encode(kept))
    step.journal.make_durable()
    step.notify(Notice.LISTEN, room.group.gid, gid)


def forget_asking(room: Room, gid: GroupId, step: Step) -> None:
    """Forget that a talk was asked for."""
    del room.listens[gid]
    step.journal.delete(Space.LISTENS, room.group.gid + gid)


# ---------------------------------------------------------------- asking


def ask_listener(state: State, room: Room, command: AskListener, step: Step) -> bytes:
    """Found a group for each volunteer whom we ask, and ask them; return the id of the asking, 16 B. LocalError."""
    _require_asker(state, room, step)
    if command.mode not in MODES:
        what = phrase("“{mode}” is not a support mode", mode=command.mode)
        raise LocalError(what, do=phrase("choose one of: {names}", names=", ".join(MODES)), code="E-MODE")
    topic = require_text("topic", command.topic, limits.TOPIC_BYTES_MAX, empty=True)
    minutes = listening.require_minutes(command.minutes)
    tickets = list(keepers_of(room.group).values())[:KEEPERS_TAKEN]
    if not tickets and not command.direct:
        raise needs_direct()
    chosen = _choose(room, command.volunteers, topic, step)[: len(command.seats)]
    if len(state.rooms) + len(chosen) > limits.GROUPS_MAX or len(room.listens) + len(chosen) > limits.LISTENS_MAX:
        raise LocalError("this node holds as many groups or talks as it can", do="leave one", code="E-TOO-MANY")
    ask = step.entropy.draw(16)
    for member, seat in zip(chosen, command.seats, strict=False):
        code, gid, invite = _found(state, room, seat, member, tickets, step)
        asked = ListenRecord(
            ask=ask,
            mine=True,
            member=member,
            code=code.pack(),
            invite=invite,
            topic=topic,
            mode=MODES[command.mode],
            minutes=minutes,
            kept=bool(tickets),
            addresses=[],
            at_ms=step.now.wall_ms,
            said_ms=step.now.wall_ms,
            earlier_ms=[],
            told=False,
            declined=False,
            taken=False,
            opened_ms=0,
            ended_ms=0,
            seen=False,
        )
        keep(room, gid, asked, step)
    tell_asks(state, room, step)
    return ask


def needs_direct() -> LocalError:
    """Return the error for a talk that no keeper would carry, where that was not agreed to."""
    return RefusedError(
        "no keeper of this group carries such a talk",
        why="your two nodes would link with each other, and who watches the network sees that",
        do="add a keeper to the group, or go on all the same with --direct",
        code="E-LISTEN-DIRECT",
    )


def _require_asker(state: State, room: Room, step: Step) -> None:
    """RefusedError or LocalError for one who cannot ask for a listener in this group now. Newcomers can."""
    require_in(room)
    require_listeners(room)
    standing = ("waiting", "asked", "open")
    for gid, kept in room.listens.items():
        if kept.mine and listen_state(state, room, gid, step.now.wall_ms) in standing:
            raise LocalError(
                "you have asked for a listener in this group already",
                do="`mesh listen list` shows how it stands; `mesh listen end` takes it back",
                code="E-LISTEN-ASKED",
            )
    room.asks_ms = [at_ms for at_ms in room.asks_ms if step.now.mono_ms - at_ms < _STANDS_MS]
    if len(room.asks_ms) >= limits.ASKINGS_MAX:
        raise LocalError(
            phrase("you have asked for a listener {times} times within three hours", times=len(room.asks_ms)),
            why="those who were asked are shown no more than that from one person",
            do="try again later; `mesh talk GROUP MEMBER` asks one member, and `mesh crisis` shows who is there now",
            code="E-LISTEN-ASKED",
        )


def require_listeners(room: Room) -> None:
    """RefusedError where a group has no listeners."""
    if not listeners_are_on(room):
        raise RefusedError(
            "this group has switched listeners off" if not is_talk(room.group) else "you are two here already",
            why="its stewards decide that, and every honest node keeps to it",
            do="`mesh talk GROUP MEMBER` asks one member to talk as two",
            code="E-LISTEN-OFF",
        )


def _choose(room: Room, among: Iterable[MemberPk], topic: str, step: Step) -> list[MemberPk]:
    """Return whom of these to ask: by lot, as many as a note has room for. LocalError if there is nobody."""
    wall_ms, members = step.now.wall_ms, room.group.view.members
    offers, own = volunteers(room, wall_ms), room.group.own.member_pk
    able = [pk for pk in sorted(set(among)) if pk in offers and pk != own]
    able = [pk for pk in able if listening.fits(offers[pk].value, topic, wall_ms)]
    chosen: list[MemberPk] = []
    devices = 0
    while able:
        pk = able.pop(step.dice.randrange(len(able)))
        if devices + len(members[pk].devices) <= limits.NOTE_WRAPS:
            devices += len(members[pk].devices)
            chosen.append(pk)
    if not chosen:
        raise LocalError(
            "nobody in this group offers to listen to that now",
            do="ask with another topic or none, at another time, or `mesh post` what moves you",
            code="E-NO-LISTENER",
        )
    return chosen


def _found(
    state: State, room: Room, seat: Seat, member: MemberPk, tickets: list[Ticket], step: Step
) -> tuple[InviteCode, GroupId, OpId]:
    """Found the group into which one volunteer is asked; return the way in."""
    scratch = Journal()
    means = Means(entropy=step.entropy, sealer=step.sealer, journal=scratch, wall_ms=step.now.wall_ms)
    carried = [(KEEPER_SETTING + ticket.keeper.hex(), ticket_to_text(ticket)) for ticket in tickets]
    new = found(
        CreateGroup(
            name=require_text("group's name", seat.name, limits.GROUP_NAME_BYTES_MAX),
            about="",
            topics=(),
            agreement="",
            alias=require_text("alias", seat.alias, limits.ALIAS_BYTES_MAX),
            suite=room.group.suite,
            settings=(*carried, (LISTENING, KEPT if tickets else DIRECT), (TALK, "on")),
            join_nonce=seat.join_nonce,
            member_seed=seat.member_seed,
        ),
        means,
    )
    seed, expiry_hour = step.entropy.draw(16), -(-step.now.wall_ms // HOUR_MS) + ASK_HOURS
    invited = author(new, OpType.INVITE, invite_for(seed, member, expiry_hour), means)
    step.journal.merge(scratch)
    state.rooms[new.gid] = Room(new)
    step.touch(new.gid, list(new.log.ops))
    return (
        InviteCode(seed=seed, gid_prefix=new.gid[:GID_PREFIX_BYTES], expiry_hour=expiry_hour),
        new.gid,
        invited.op.op_id,
    )


def tell_asks(state: State, room: Room, step: Step) -> None:
    """Send the note of an asking that has not gone out, if somebody is there to take it: to those who are in now."""
    untold = {
        gid: kept
        for gid, kept in room.listens.items()
        if listen_state(state, room, gid, step.now.wall_ms) == "waiting" and kept.member is not None
    }
    members = room.group.view.members
    slips: dict[DeviceId, bytes] = {}
    readers: list[MemberPk] = []
    for gid, kept in untold.items():
        devices = () if kept.member is None or kept.member not in members else members[kept.member].devices
        if kept.member is not None and 0 < len(devices) <= limits.NOTE_WRAPS - len(slips):
            slips |= dict.fromkeys(devices, encode(ListenSlip(code=kept.code, gid=gid, invite=kept.invite)))
            readers.append(kept.member)
    if not slips or not listeners_are_on(room) or not can_speak(state, room, step.now):
        return
    uid, first = step.entropy.draw(16), next(iter(untold.values()))
    addresses: list[str] = [] if first.kept else list(state.addresses[: limits.LISTEN_ADDRESSES_MAX])
    ask = ListenAsk(
        topic=first.topic,
        mode=first.mode,
        minutes=first.minutes,
        kept=first.kept,
        addresses=addresses,
        slips=seal_slips(room.group, slips, uid, step.means()),
    )
    plain = encode(NoteText(tag=NoteTag.LISTEN, id=first.ask, value=encode(ask)))
    if say_uid(state, room, Kind.NOTE, uid, seal_note(room.group, readers, uid, plain, step.means()), step):
        room.asks_ms.append(step.now.mono_ms)
        for gid, kept in untold.items():
            keep(room, gid, replace(kept, told=True, member=None), step)


# ---------------------------------------------------------------- being asked


def hear_ask(state: State, room: Room, tbs: MessageTbs, text: NoteText, step: Step) -> None:
    """Keep what we are asked, if it goes with what we offer; else it is as if it never came. RemoteError."""
    ask = decode(ListenAsk, text.value, bytes_max=limits.NOTE_VALUE_BYTES_MAX)
    if ask.topic:
        check_text(ask.topic, limits.TOPIC_BYTES_MAX)
    wall_ms, own, member = step.now.wall_ms, room.group.own.member_pk, room.group.view.devices[tbs.dev]
    offer = volunteers(room, wall_ms).get(own)
    if offer is None or not listening.fits(offer.value, ask.topic, wall_ms):
        return
    has_keepers = bool(keepers_of(room.group))
    older = next(((gid, kept) for gid, kept in room.listens.items() if kept.member == member and not kept.mine), None)
    if ask.kept != has_keepers or (ask.kept and ask.addresses) or not _is_heard(room, older, tbs.ts_ms, wall_ms):
        return
    plain = open_slip(room.group, tbs.dev, tbs.uid, ask.slips, step.sealer)
    slip = None if plain is None else decode(ListenSlip, plain, bytes_max=limits.LISTEN_SLIP_BYTES_MAX)
    if slip is None or slip.gid in room.listens or slip.gid in state.rooms:
        return
    code = InviteCode.unpack(slip.code)
    ends_soon = code.expiry_hour * HOUR_MS <= wall_ms + (ASK_HOURS + 2) * HOUR_MS
    if code.gid_prefix != slip.gid[:GID_PREFIX_BYTES] or not ends_soon:
        return  # else it would be kept for as long as whoever asks likes
    asked = ListenRecord(
        ask=text.id,
        mine=False,
        member=member,
        code=slip.code,
        invite=slip.invite,
        topic=ask.topic,
        mode=ask.mode,
        minutes=ask.minutes,
        kept=ask.kept,
        addresses=ask.addresses,
        at_ms=wall_ms,
        said_ms=tbs.ts_ms,
        earlier_ms=[] if older is None else _heard_ms(older[1], wall_ms),
        told=True,
        declined=False,
        taken=False,
        opened_ms=0,
        ended_ms=0,
        seen=False,
    )
    if is_over(asked, wall_ms):
        return
    if older is not None:
        _drop_asking(state, room, older[0], step)
    keep(room, slip.gid, asked, step)


def _is_heard(room: Room, older: tuple[GroupId, ListenRecord] | None, ts_ms: int, wall_ms: int) -> bool:
    """Say whether we are shown what is asked. Of one member one asking stands, the newest: the others were taken back.

    In the time for which one may stand they are shown a few, and then no more, put aside or not.
    """
    if older is None:
        return len(room.listens) < limits.LISTENS_MAX
    return ts_ms > older[1].said_ms and len(_heard_ms(older[1], wall_ms)) < limits.ASKINGS_MAX


def _heard_ms(kept: ListenRecord, wall_ms: int) -> list[int]:
    """Return when askings of one member came here of late, of which the newest is kept."""
    return [at_ms for at_ms in (*kept.earlier_ms, kept.at_ms) if wall_ms - at_ms < _STANDS_MS]


def _drop_asking(state: State, room: Room, gid: GroupId, step: Step) -> None:
    """Forget what we were asked, and an attempt of ours to come in there."""
    join = join_of(state, gid)
    if join is not None:
        drop_join(state, JoinId(join.join), step)
    forget_asking(room, gid, step)


def seek_talk(state: State, room: Room, command: SeekTalk, step: Step) -> JoinId:
    """Look for the talk that we were asked for. LocalError."""
    kept = _asked_of_us(state, room, command.talk, step)
    require_listeners(room)
    if not kept.kept and not command.direct:
        raise needs_direct()
    going = join_of(state, command.talk)
    if going is not None:
        return JoinId(going.join)
    carriers = [a for ticket in keepers_of(room.group).values() for a in ticket.addresses]
    looked_for = StartJoin(code=kept.code, addresses=tuple(carriers if kept.kept else map(Address, kept.addresses)))
    offer = OfferRecord(parent=room.group.gid, gid=command.talk, invite=kept.invite, discreet=kept.kept)
    return start_join(state, looked_for, step, offer)


def enter_talk(state: State, room: Room, command: EnterTalk, step: Step) -> None:
    """Knock at the talk that we were asked for, once it has shown itself. LocalError."""
    kept = _asked_of_us(state, room, command.talk, step)
    join = join_of(state, command.talk)
    preview = None if join is None else preview_of(join)
    if join is None or preview is None:
        raise LocalError(
            "the talk has not shown itself yet",
            do="wait until the keeper, or whoever asks, is reachable, and try again",
            code="E-NO-PREVIEW",
        )
    if not _is_talk_for_us(room, kept, preview):
        drop_join(state, JoinId(join.join), step)
        keep(room, command.talk, replace(kept, declined=True), step)
        return
    agreed = AgreeJoin(
        join=JoinId(join.join),
        alias=command.alias,
        agreement_version=_AGREEMENT_VERSION,
        join_nonce=command.join_nonce,
        member_seed=command.member_seed,
        former_seed=command.former_seed,
    )
    if join.stage is JoinStage.PREVIEW:
        agree(state, agreed, step)


def _is_talk_for_us(room: Room, kept: ListenRecord, preview: Preview) -> bool:
    """Say whether a preview is of a group for two with us, as was asked, and of keepers that our group has."""
    founding = {setting.key: setting.value for setting in preview.create.settings}
    how, talk = founding.pop(LISTENING, ""), founding.pop(TALK, "")
    ours = {ticket_to_text(ticket) for ticket in keepers_of(room.group).values()}
    known = all(key.startswith(KEEPER_SETTING) and value in ours for key, value in founding.items())
    terms = preview.invite_body
    named = terms.allow == [room.group.own.member_pk] and terms.role == Rank.MEMBER and not terms.approvals
    carried = how == KEPT and bool(founding) if kept.kept else how == DIRECT and not founding
    return talk == "on" and known and carried and named and preview.create.agreement == ""


def _asked_of_us(state: State, room: Room, gid: GroupId, step: Step) -> ListenRecord:
    """Return what we are asked, as long as it can be answered. LocalError."""
    kept = room.listens.get(gid)
    if kept is None or kept.mine or kept.member not in room.group.view.members:
        raise no_asking()
    match listen_state(state, room, gid, step.now.wall_ms):
        case "offered" | "joining":
            return kept
        case "taken":
            raise LocalError(
                "another was there before you",
                why="whoever says yes first is asked; that you were ready counts all the same",
                do="nothing more is needed",
                code="E-LISTEN-TAKEN",
            )
        case _:
            raise no_asking()


def no_asking() -> LocalError:
    """Return the error for a talk that nobody asks for, or not any more."""
    return LocalError(
        "nobody waits for a listener under that id",
        why="it may have run out, or was taken back",
        do="`mesh listen list` shows who asks",
        code="E-NO-LISTEN",
    )
