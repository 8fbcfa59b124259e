"""Admitting: whose turn it is to let somebody in, the operation that does, and the welcome (protocol.md §12).

Members wait their turn by a hash, so that usually one of them acts; should two act at once, the joiner still counts
once. Whoever's turn it is welcomes again one who is in already, and knocks once more.

Those who come shortly after one another share an epoch (decision 0013). The first one's admit carries it. While it is
young, further admits are made and told at once without one; when it is old enough, an epoch for all of them follows
(`chores`), and with it their welcomes. Nothing of this is remembered but what the log says: any other member can go on.
"""

from typing import Final

from mesh.commands import Rank
from mesh.crypto.hashes import h
from mesh.errors import LocalError, RefusedError, RemoteError
from mesh.events import Instant, Notice
from mesh.groups.authoring import admit, author
from mesh.groups.group import Group, Invite
from mesh.groups.invites import door_of, knock_statement, open_knock
from mesh.groups.operations import card_device
from mesh.ids import DeviceId
from mesh.membership.acts import GRANTS
from mesh.peer import approving, reaching
from mesh.peer.records import ContactRecord
from mesh.peer.speaking import publish
from mesh.peer.state import Arrival, Room, State, Step
from mesh.peer.welcoming import read_knock, refuse, welcome
from mesh.phrases import verbatim
from mesh.wire import limits
from mesh.wire.frames import Frame, parse_frame
from mesh.wire.invites import Door, KnockBody
from mesh.wire.operations import AdmitBody, OpType

TURN_MS: Final = 1000  # protocol.md §12: rank r waits r × 1 s
SHARE_MS: Final = 250  # an epoch for newcomers follows another after so long for each device (decision 0013)
SHARE_MS_MAX: Final = 30_000  # and after this at the latest (protocol.md §5)
_CLOSED: Final = {
    Door.REVOKED: "that invite is revoked",
    Door.USED_UP: "that invite is used up",
    Door.EXPIRED: "that invite is expired",
    Door.DECLINED: "that invite is declined",
}


def invite_of(state: State, frame: Frame) -> tuple[Room, Invite] | None:
    """Return the invite whose key signed a knock's frame, and the room that it opens; None if none of ours."""
    for room in state.rooms.values():
        if room.group.me is None:
            continue
        for invite in room.group.invites.values():
            if invite.body.invite_pk == frame.pk:
                return room, invite
    return None


def door_for(invite: Invite, knock: KnockBody, step: Step) -> Door:
    """Say what we tell one who knocks: each whom an invite names comes in once."""
    door = door_of(invite, step.now.wall_ms)
    came_as = None if knock.former is None else invite.formers.get(knock.former.member)
    is_spent = came_as is not None and came_as != knock.card.member_pk
    return Door.USED_UP if door is Door.OPEN and is_spent else door


def was_admitted(room: Room, knock: KnockBody) -> bool:
    """Say whether whoever knocks was let in before, under this key."""
    return any(op.grantee == knock.card.member_pk for op in room.group.log.ops if op.type in GRANTS)


def await_turn(state: State, room: Room, statement: bytes, raw: bytes, knock: KnockBody, step: Step) -> None:
    """Let whoever sent this knock in, or welcome them again, when our turn comes."""
    expect(room, statement, raw, card_device(knock.card))
    step.set_timer("admit", room.group.gid + statement, _turn(state, room) * TURN_MS)


def expect(room: Room, statement: bytes, frame: bytes, device: DeviceId, *, ours: bool = False) -> None:
    """Remember one who knocked until they have been welcomed, here or elsewhere."""
    before = room.arriving.pop(statement, None)
    ours = ours or (before is not None and before.ours)
    room.arriving[statement] = Arrival(frame=frame, device=device, ours=ours)
    while len(room.arriving) > limits.KNOCKS_MAX:
        del room.arriving[next(iter(room.arriving))]


def _turn(state: State, room: Room) -> int:
    """Return how many of the devices that are there come before ours; with each epoch it is somebody else's turn.

    It is not asked who knocks: of several who come at once one member lets in all, and they share an epoch.
    """
    view = room.group.view
    there = {s.device for _, s in state.present(room) if s.device is not None} | {room.group.own.dev}
    able = [dev for dev in there if view.members[view.devices[dev]].rank <= Rank.MEMBER or dev == room.group.own.dev]
    order = sorted(able, key=lambda dev: h(b"mesh1/turn", room.group.epoch or b"", dev))
    return order.index(room.group.own.dev)


def admit_in_turn(state: State, room: Room, statement: bytes, step: Step) -> None:
    """Our turn has come: let in or welcome whoever knocked, unless somebody else has answered."""
    arrival = room.arriving.get(statement)
    if arrival is None or room.group.me is None or not room.group.own.confirmed:
        return
    reply = next((reply for reply in state.replies.values() if reply.statement == statement), None)
    linked = any(session.device == arrival.device for _, session in state.present(room))
    heard = arrival.due and arrival.device in room.group.seen_by  # whoever spoke here has been welcomed
    if linked or heard or (reply is not None and reply.answered):
        del room.arriving[statement]
        return
    try:
        admit_knock(state, room, arrival.frame, step)
    except LocalError:
        del room.arriving[statement]
        _turn_away(state, room, arrival.frame, step)


def _turn_away(state: State, room: Room, raw: bytes, step: Step) -> None:
    """Tell one whose turn has come that the door has closed since; where rules refuse them, there is nothing to say.

    Of two who knock at one moment with a code of one use, both wait for their turn, and the first is let in.
    """
    found, knock = invite_of(state, parse_frame(raw)), read_knock(room, raw)
    if found is None or knock is None:
        return
    door = door_for(found[1], knock, step)
    if door is not Door.OPEN:
        refuse(state, room, knock, door, step)


def admit_knock(state: State, room: Room, raw: bytes, step: Step) -> None:
    """Admit whoever sent this knock, and welcome them as soon as there is a key for them.

    RefusedError if the door or the rules do not allow it.
    """
    frame = parse_frame(raw)
    found = invite_of(state, frame)
    if found is None:
        raise RefusedError("that invite is no longer known", do="ask them to knock with a new code")
    _, invite = found
    try:
        knock = open_knock(frame, invite, room.group.gid)
    except RemoteError as error:
        raise RefusedError("that knock is not valid", why=verbatim(error.what), do="ask them to knock again") from error
    fresh = not was_admitted(room, knock)
    if fresh:
        _let_in(state, room, knock, invite, step)
    device = card_device(knock.card)
    expect(room, knock_statement(knock, room.group.gid), raw, device, ours=fresh or device in _keyed(room))
    welcome_keyed(state, room, step)


def _let_in(state: State, room: Room, knock: KnockBody, invite: Invite, step: Step) -> None:
    """Write the admit; with an epoch of its own unless the one in use is so young that others may share the next."""
    group = room.group
    door = door_for(invite, knock, step)
    if door is not Door.OPEN:
        raise RefusedError(_CLOSED[door], do="make a new code")
    body = AdmitBody(
        invite=invite.op_id,
        rank=invite.body.role if group.rank <= Rank.MODERATOR else Rank.NEWCOMER,
        alias=knock.alias,
        card=knock.card,
        join_nonce=knock.join_nonce,
        agreement_hash=knock.agreement_hash,
        sig_invite=knock.sig_invite,
        sig_member=knock.sig_member,
        sig_dev=knock.sig_dev,
        former=knock.former,
        approvals=approving.standing_approvals(room, knock_statement(knock, group.gid)),
        epoch=None,
    )
    authored = (
        author(group, OpType.ADMIT, body, step.means())
        if epoch_youth_ms(room, step.now)
        else admit(group, body, step.means())
    )
    publish(state, room, authored, step)
    contact = ContactRecord(addresses=knock.addresses, in_invites=False, mseq=0)
    reaching.learn_contact(room, card_device(knock.card), contact, step)
    step.notify(Notice.JOINED, group.gid, knock.card.member_pk)


def welcome_keyed(state: State, room: Room, step: Step) -> None:
    """Welcome those whom we let in and who have a key now; those whom others let in, in turn, if nobody else does."""
    keyed = _keyed(room)
    for statement, arrival in list(room.arriving.items()):
        if arrival.device in keyed and arrival.ours:
            del room.arriving[statement]
            welcome(state, room, arrival.frame, step)
        elif arrival.device in keyed and not arrival.due:
            arrival.due = True
            step.set_timer("admit", room.group.gid + statement, (1 + _turn(state, room)) * TURN_MS)


def _keyed(room: Room) -> frozenset[DeviceId]:
    """Return the devices that are in and have the key of the epoch in use."""
    group = room.group
    return frozenset() if group.epoch is None else group.recipients(group.epoch) & group.view.devices.keys()


# ---------------------------------------------------------------- one epoch for several


def epoch_youth_ms(room: Room, now: Instant) -> int:
    """Return for how long the epoch in use is too young to be followed by one for newcomers; 0 where it is not.

    A clock that was set back since it came is not waited for.
    """
    group = room.group
    if group.epoch is None:
        return 0
    share_ms = min(SHARE_MS_MAX, SHARE_MS * len(group.view.devices))
    age = now.wall_ms - group.epochs[group.epoch].since_ms
    return share_ms - age if 0 <= age < share_ms else 0


def newest_host(group: Group) -> DeviceId | None:
    """Return who let the last one in, where nothing is wrong with the epoch in use but that newcomers wait for theirs.

    None where somebody else lacks its key: one whom another epoch was made for, or who says that they cannot open it.
    """
    epoch = None if group.epoch is None else group.log.graph.entry(group.epoch)
    if epoch is None or epoch.act.op_id in group.stranded:
        return None
    without = group.view.devices.keys() - {*(epoch.act.recipients or ()), *epoch.act.dormant}
    speaking = (dev for entry in group.log.graph.entries(group.log.everything) for dev in entry.act.recipients or ())
    if not without.isdisjoint(speaking):
        return None
    brought_in = [op for op in group.log.ops if op.card is not None and card_device(op.card) in without]
    return max(brought_in, key=lambda op: (op.tbs.gen, op.op_id)).tbs.dev if brought_in else None
