"""Talking as two: a group of two under fresh aliases, offered to one member of a group under seal (protocol.md §11).

Whoever asks founds it at once, with an invite that names the other's key in the group where both are, and hands the
code over in a sealed note: the others see that a note was sent, not to whom, nor what it says. The invite binds both
ways: only the one who was meant can come in, and nobody can hand on an offer that was made to them as their own. What
links the group of two with the other one stands in each of the two stores and nowhere else.
"""

from typing import Final

from msgspec.structs import replace

from mesh.commands import AcceptTalk, AgreeJoin, CreateGroup, DeclineTalk, OfferTalk, Rank
from mesh.errors import LocalError, RefusedError
from mesh.events import Notice, Space
from mesh.groups.authoring import author, found
from mesh.groups.group import Group, Means
from mesh.groups.invites import HOUR_MS, Preview, door_of, invite_keys, open_preview, seal_preview
from mesh.groups.joining import GID_PREFIX_BYTES
from mesh.groups.notes import seal_note
from mesh.ids import GroupId, JoinId, MemberPk, OpId
from mesh.journal import Journal
from mesh.membership.structure import TALK
from mesh.peer.joining import begin_knock, drop_join, expired
from mesh.peer.records import JoinRecord, JoinStage, OfferRecord, TalkRecord
from mesh.peer.routing import JOINING
from mesh.peer.speaking import can_speak, say_uid
from mesh.peer.state import Room, State, Step
from mesh.phrases import phrase
from mesh.wire import limits
from mesh.wire.codec import decode, encode
from mesh.wire.codes import InviteCode
from mesh.wire.frames import parse_frame
from mesh.wire.invites import Door
from mesh.wire.messages import Kind
from mesh.wire.notes import NoteTag, NoteText, TalkOffer
from mesh.wire.operations import InviteBody, OpType
from mesh.wire.text import require_text

TALK_HOURS: Final = 14 * 24  # as long as a replaced KEM key is kept: later a note may open no more; ours
_AGREEMENT_VERSION: Final = 1


def is_talk(group: Group) -> bool:
    """Say whether a group is a conversation of two, as its founding says."""
    return any(setting.key == TALK and setting.value == "on" for setting in group.founding.settings)


def parent_of(state: State, gid: GroupId) -> tuple[Room, TalkRecord] | None:
    """Return the group in which a conversation of two was offered, and what is kept of it there."""
    for room in state.rooms.values():
        if gid in room.talks:
            return room, room.talks[gid]
    return None


def talk_state(state: State, gid: GroupId, talk: TalkRecord, wall_ms: int) -> str:
    """Say how a talk stands: waiting, asked; offered, declined, joining; open; ended, expired."""
    room = state.rooms.get(gid)
    # Whoever asks says until when; no offer stands longer than ours would, or it could never be forgotten.
    end_ms = min(InviteCode.unpack(talk.code).expiry_hour * HOUR_MS, talk.at_ms + (TALK_HOURS + 1) * HOUR_MS)
    is_over = wall_ms >= end_ms
    if room is not None:
        if has_ended(room):
            return "ended"
        if room.group.others:
            return "open"
        return "expired" if is_over else ("asked" if talk.told else "waiting")
    if talk.mine:
        return "ended"
    if any(j.offer is not None and j.offer.gid == gid and j.stage in JOINING for j in state.joins.values()):
        return "joining"
    return "expired" if is_over else ("declined" if talk.declined else "offered")


def has_ended(room: Room) -> bool:
    """Say whether one of the two is out: nobody else comes in."""
    return room.group.own.left or room.group.me is None or bool(room.group.view.departed)


def talk_with(state: State, room: Room, member: MemberPk, wall_ms: int) -> GroupId | None:
    """Return the conversation with a member that is open, or that we asked for and that can still come about."""
    for gid, talk in reversed(room.talks.items()):
        if talk.member == member and talk_state(state, gid, talk, wall_ms) in ("open", "asked", "waiting"):
            return gid
    return None


def offer_from(state: State, room: Room, member: MemberPk, wall_ms: int) -> GroupId | None:
    """Return the newest offer of a member that waits for an answer, one that was declined or accepted included."""
    standing = ("offered", "joining", "declined")
    found_offers = [
        (talk_state(state, gid, talk, wall_ms) == "declined", -talk.at_ms, gid)
        for gid, talk in room.talks.items()
        if talk.member == member and talk_state(state, gid, talk, wall_ms) in standing
    ]
    return min(found_offers)[2] if found_offers else None


# ---------------------------------------------------------------- asking


def offer_talk(state: State, room: Room, command: OfferTalk, step: Step) -> GroupId:
    """Found a group for two and ask a member into it; where one stands with them, return that. LocalError."""
    _require_two(room, command.member)
    standing = talk_with(state, room, command.member, step.now.wall_ms)
    if standing is not None:
        return standing
    if len(state.rooms) >= limits.GROUPS_MAX or len(room.talks) >= limits.TALKS_MAX:
        raise LocalError("this node holds as many groups or talks as it can", do="leave one", code="E-TOO-MANY")
    scratch = Journal()
    means = Means(entropy=step.entropy, sealer=step.sealer, journal=scratch, wall_ms=step.now.wall_ms)
    new = found(
        CreateGroup(
            name=require_text("group's name", command.name, limits.GROUP_NAME_BYTES_MAX),
            about="",
            topics=(),
            agreement="",
            alias=require_text("alias", command.alias, limits.ALIAS_BYTES_MAX),
            suite=room.group.suite,
            settings=((TALK, "on"),),
            join_nonce=command.join_nonce,
            member_seed=command.member_seed,
        ),
        means,
    )
    seed = step.entropy.draw(16)
    expiry_hour = -(-step.now.wall_ms // HOUR_MS) + TALK_HOURS
    author(new, OpType.INVITE, invite_for(seed, command.member, expiry_hour), means)
    step.journal.merge(scratch)
    state.rooms[new.gid] = Room(new)
    step.touch(new.gid, list(new.log.ops))
    code = InviteCode(seed=seed, gid_prefix=new.gid[:GID_PREFIX_BYTES], expiry_hour=expiry_hour)
    _keep(room, new.gid, _record(command.member, code, step, mine=True), step)
    tell_talks(state, room, step)
    return new.gid


def invite_for(seed: bytes, member: MemberPk, expiry_hour: int) -> InviteBody:
    """Return an invite that one member of another group can use, once."""
    keys = invite_keys(seed)
    return InviteBody(
        invite_pk=keys.invite_pk,
        knock_key=keys.knock_key,
        role=Rank.MEMBER,
        max_uses=1,
        expiry_hour=expiry_hour,
        approvals=0,
        allow=[member],
    )


def _require_two(room: Room, member: MemberPk) -> None:
    group = room.group
    if group.me is None or group.own.left:
        raise RefusedError(
            phrase("you are not in “{group}” any more", group=group.founding.name),
            why="nobody in it would receive what you ask",
            do="reach the person in another way",
            code="E-NOT-MEMBER",
        )
    if is_talk(group):
        raise RefusedError("you are two here already", do="`mesh post` says something")
    if member not in group.others:
        raise LocalError("that is nobody else who is in the group", do="name another member", code="E-NO-MEMBER")


def _record(member: MemberPk, code: InviteCode, step: Step, *, mine: bool) -> TalkRecord:
    return TalkRecord(
        member=member,
        mine=mine,
        code=code.pack(),
        preview=b"",
        addresses=[],
        at_ms=step.now.wall_ms,
        told=False,
        declined=False,
    )


def _keep(room: Room, gid: GroupId, talk: TalkRecord, step: Step) -> None:
    room.talks[gid] = talk
    step.journal.put(Space.TALKS, room.group.gid + gid, encode(talk))
    step.journal.make_durable()


def tell_talks(state: State, room: Room, step: Step) -> None:
    """Send the notes that have not gone out, if somebody is there to take them: sealed to who is in, as of now."""
    for gid, talk in list(room.talks.items()):
        if not talk.mine or talk.told or talk_state(state, gid, talk, step.now.wall_ms) != "waiting":
            continue
        if talk.member not in room.group.view.members or not can_speak(state, room, step.now):
            continue
        uid = step.entropy.draw(16)
        plain = _note_text(state, state.rooms[gid].group, gid, talk, uid, step)
        body = seal_note(room.group, [talk.member], uid, plain, step.means())
        if say_uid(state, room, Kind.NOTE, uid, body, step):
            _keep(room, gid, replace(talk, told=True), step)


def _note_text(state: State, group: Group, gid: GroupId, talk: TalkRecord, uid: bytes, step: Step) -> bytes:
    [invite] = group.invites.values()
    preview = seal_preview(group, invite, door_of(invite, step.now.wall_ms), step.means())
    addresses = list(state.addresses[: limits.NOTE_ADDRESSES_MAX])
    offer = TalkOffer(code=talk.code, gid=gid, preview=preview, addresses=[str(a) for a in addresses])
    return encode(NoteText(tag=NoteTag.TALK, id=uid, value=encode(offer)))


# ---------------------------------------------------------------- being asked


def hear_offer(state: State, room: Room, member: MemberPk, value: bytes, step: Step) -> None:
    """Take in what a note of somebody else's offers. LocalError or RemoteError if it makes no sense."""
    offer = decode(TalkOffer, value, bytes_max=limits.NOTE_PLAIN_BYTES)
    _check_offer(room, offer)
    _take_offer(state, room, member, offer, step)


def _check_offer(room: Room, offer: TalkOffer) -> Preview:
    """Return what stands behind an offer; RemoteError or LocalError if it is no conversation of two with us."""
    code = InviteCode.unpack(offer.code)
    preview = open_preview(parse_frame(offer.preview), invite_keys(code.seed), code.gid_prefix)
    founding = {setting.key: setting.value for setting in preview.create.settings}
    terms = preview.invite_body
    good = preview.gid == offer.gid and founding == {TALK: "on"} and preview.create.agreement == ""
    if not good or terms.allow != [room.group.own.member_pk] or preview.door is not Door.OPEN:
        raise LocalError("an offer to talk that is none")
    return preview


def _take_offer(state: State, room: Room, member: MemberPk, offer: TalkOffer, step: Step) -> None:
    """Keep an offer. A member's later ones are let go while so many of theirs are here, declined ones too."""
    sweep_talks(state, room, step)
    theirs = [talk for talk in room.talks.values() if talk.member == member and not talk.mine]
    if offer.gid in room.talks or offer.gid in state.rooms:
        return
    if len(theirs) >= limits.TALKS_PER_MEMBER_MAX or len(room.talks) >= limits.TALKS_MAX:
        return
    code = InviteCode.unpack(offer.code)
    if step.now.wall_ms >= code.expiry_hour * HOUR_MS:
        return
    talk = _record(member, code, step, mine=False)
    _keep(room, offer.gid, replace(talk, preview=offer.preview, addresses=list(offer.addresses)), step)
    step.notify(Notice.TALK, room.group.gid, offer.gid)


def sweep_talks(state: State, room: Room, step: Step) -> None:
    """Forget offers to us whose time is over and that came to nothing."""
    for gid, talk in list(room.talks.items()):
        if not talk.mine and talk_state(state, gid, talk, step.now.wall_ms) == "expired":
            forget_talk(room, gid, step)


def forget_talk(room: Room, gid: GroupId, step: Step) -> None:
    """Forget what links a conversation of two with the group in which it was offered."""
    if room.talks.pop(gid, None) is not None:
        step.journal.delete(Space.TALKS, room.group.gid + gid)


def accept_talk(state: State, room: Room, command: AcceptTalk, step: Step) -> JoinId:
    """Accept an offer: knock at the group for two until the other's node is there. LocalError."""
    talk = _offered(state, room, command.talk, step)
    for join in state.joins.values():
        if join.offer is not None and join.offer.gid == command.talk and join.stage in JOINING:
            return JoinId(join.join)
    if sum(join.stage in JOINING for join in state.joins.values()) >= limits.JOINS_MAX:
        raise LocalError("too many attempts to join at once", do="stop one with `mesh joins drop`", code="E-TOO-MANY")
    code = InviteCode.unpack(talk.code)
    preview = open_preview(parse_frame(talk.preview), invite_keys(code.seed), code.gid_prefix)
    join = JoinRecord(
        join=step.entropy.draw(16),
        code=talk.code,
        addresses=talk.addresses,
        stage=JoinStage.PREVIEW,
        started_ms=step.now.wall_ms,
        preview=talk.preview,
        door=Door.OPEN,
        keys=None,
        offer=OfferRecord(parent=room.group.gid, gid=command.talk, invite=OpId(preview.invite), discreet=False),
    )
    agreed = AgreeJoin(
        join=JoinId(join.join),
        alias=command.alias,
        agreement_version=_AGREEMENT_VERSION,
        join_nonce=command.join_nonce,
        member_seed=command.member_seed,
        former_seed=command.former_seed,
    )
    begin_knock(state, join, preview, agreed, step)
    if talk.declined:
        _keep(room, command.talk, replace(talk, declined=False), step)
    step.dials_changed = True
    return JoinId(join.join)


def decline_talk(state: State, room: Room, command: DeclineTalk, step: Step) -> None:
    """Do not talk. It stays on this node: nothing is sent, and the other is not told."""
    talk = _offered(state, room, command.talk, step)
    for join_id, join in list(state.joins.items()):
        if join.offer is not None and join.offer.gid == command.talk:
            drop_join(state, join_id, step)
    _keep(room, command.talk, replace(talk, declined=True), step)


def _offered(state: State, room: Room, gid: GroupId, step: Step) -> TalkRecord:
    talk = room.talks.get(gid)
    if talk is None or talk.mine or gid in state.rooms:
        raise LocalError("nobody waits for an answer there", do="`mesh talk` lists who does", code="E-NO-TALK")
    if talk_state(state, gid, talk, step.now.wall_ms) == "expired":
        raise expired(offered=True)
    return talk
