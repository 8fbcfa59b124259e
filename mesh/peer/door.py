"""The door, from inside: previews for those who hold a code, knocks, and admission (protocol.md §12).

Any member who is there opens; not only the inviter. Members wait their turn by a hash, so that usually one of them
acts; should two act at once, the joiner still counts once. A knock is answered until its answer is seen to go out: the
joiner knocks again, and whoever's turn it is welcomes again one who is in already.
"""

from typing import Final

from msgspec.structs import replace

from mesh.commands import Rank
from mesh.crypto.hashes import h
from mesh.crypto.keys import public_key
from mesh.errors import Fault, LocalError, RefusedError, RemoteError
from mesh.events import LinkKind, Notice, SendClass, Space
from mesh.groups.authoring import admit
from mesh.groups.group import Invite
from mesh.groups.invites import door_of, knock_statement, open_knock, seal_preview
from mesh.groups.joining import join_statement
from mesh.groups.operations import Operation, card_device
from mesh.ids import TopicId
from mesh.membership.acts import GRANTS
from mesh.peer import approving, reaching
from mesh.peer.records import ContactRecord, KnockRecord
from mesh.peer.routing import forward_on, preview_topic
from mesh.peer.speaking import publish
from mesh.peer.state import Link, Reply, Room, State, Step
from mesh.peer.welcoming import read_knock, refuse, welcome
from mesh.wire import limits
from mesh.wire.codec import encode
from mesh.wire.frames import Frame, parse_frame, topic_of, topics_of
from mesh.wire.invites import Door, KnockBody
from mesh.wire.operations import AdmitBody

TURN_MS: Final = 1000  # protocol.md §12: rank r waits r × 1 s
SAME_KNOCK_MS: Final = 5_000  # within so long, another frame of one joiner is the same knock; ours
_REPLIES_MAX: Final = 64


def show_previews(state: State, link: Link, topics: list[TopicId], step: Step) -> None:
    """Give previews to a link that has just turned out to listen for them.

    Each time: one who said no, or was declined, and tries the code again must not meet silence.
    """
    for room in state.rooms.values():
        if room.group.me is None:
            continue
        for invite in room.group.invites.values():
            if preview_topic(invite.body.knock_key) in topics:
                door = door_of(invite, step.now.wall_ms)
                preview = seal_preview(room.group, invite, door, step.means())
                step.send(link.link, LinkKind.FRAME, preview, SendClass.OPERATIONS)


def hear_knock(state: State, frame: Frame, raw: bytes, step: Step) -> None:
    """Someone with a code knocks; RemoteError if it is not their own knock."""
    found = _invite_of(state, frame)
    if found is None:
        return
    room, invite = found
    knock = open_knock(frame, invite, room.group.gid)
    if not step.sealer.check(room.group.suite, knock.card.kem_pk):
        raise RemoteError(Fault.AGAINST_RULES, "a knock with a KEM key that nothing can be sealed to")
    statement = knock_statement(knock, room.group.gid)
    forward_on(state, topics_of(frame, step.now.wall_ms), frame.id, raw, step)
    reply = Reply(gid=room.group.gid, statement=statement, knock=raw, heard_ms=step.now.mono_ms)
    if not _listen_for_answer(state, reply, knock, step):
        return
    door = _door_for(invite, knock, step)
    if card_device(knock.card) in room.group.view.devices:
        _await_turn(state, room, statement, raw, step)
    elif _was_admitted(room, knock) or statement in room.declined:
        refuse(state, room, knock, Door.DECLINED, step)  # one who is out comes back under a new key
    elif door is not Door.OPEN:
        refuse(state, room, knock, door, step)
    elif invite.body.approvals:
        _keep_for_a_person(room, knock, statement, raw, step)
        open_if_approved(state, room, statement, step)
    elif room.group.rank <= Rank.MEMBER:
        _await_turn(state, room, statement, raw, step)


def _listen_for_answer(state: State, reply: Reply, knock: KnockBody, step: Step) -> bool:
    """Listen on the joiner's reply topic, so that an answer finds its way, ours or another's.

    Return whether it is to be answered: one knock may come as several frames, over several links.
    """
    topic = topic_of(public_key(knock.reply_seed))
    before = state.replies.get(topic)
    if before is not None and step.now.mono_ms - before.heard_ms < SAME_KNOCK_MS:
        return False
    step.topics_changed = step.topics_changed or topic not in state.replies
    state.replies[topic] = reply
    state.replies.move_to_end(topic)
    while len(state.replies) > _REPLIES_MAX:
        state.replies.popitem(last=False)
    return True


def _invite_of(state: State, frame: Frame) -> tuple[Room, Invite] | None:
    for room in state.rooms.values():
        if room.group.me is None:
            continue
        for invite in room.group.invites.values():
            if invite.body.invite_pk == frame.pk:
                return room, invite
    return None


def _door_for(invite: Invite, knock: KnockBody, step: Step) -> Door:
    """Say what we tell one who knocks: each whom an invite names comes in once."""
    door = door_of(invite, step.now.wall_ms)
    came_as = None if knock.former is None else invite.formers.get(knock.former.member)
    is_spent = came_as is not None and came_as != knock.card.member_pk
    return Door.USED_UP if door is Door.OPEN and is_spent else door


def _was_admitted(room: Room, knock: KnockBody) -> bool:
    return any(op.grantee == knock.card.member_pk for op in room.group.log.ops if op.type in GRANTS)


# ---------------------------------------------------------------- a person decides


def _keep_for_a_person(room: Room, knock: KnockBody, statement: bytes, raw: bytes, step: Step) -> None:
    if statement in room.knocks or len(room.knocks) >= limits.KNOCKS_MAX:
        return
    record = KnockRecord(
        frame=raw,
        alias=knock.alias,
        invite=knock.invite,
        at_ms=step.now.wall_ms,
        declined=False,
        approvals=approving.approvals_before(room, statement),
    )
    room.knocks[statement] = record
    step.journal.put(Space.KNOCKS, room.group.gid + statement, encode(record))
    step.notify(Notice.KNOCK, room.group.gid, statement)


def decide(state: State, room: Room, statement: bytes, *, admitted: bool, step: Step) -> None:
    """Carry out what a person decided about a knock that waits. RefusedError if the rules do not allow it."""
    record = room.knocks[statement]
    if admitted and approving.needed(room, record) > 1:
        approving.approve(state, room, statement, step)
        admitted = approving.are_enough(room, room.knocks[statement])
        if not admitted:
            return
    if admitted:
        admit_knock(state, room, record.frame, step)
        _drop_knock(room, statement, step)
    else:
        _decline(state, room, statement, record, step)


def _decline(state: State, room: Room, statement: bytes, record: KnockRecord, step: Step) -> None:
    _drop_knock(room, statement, step)
    room.declined[statement] = None
    kept = replace(record, frame=b"", declined=True, approvals=[])
    step.journal.put(Space.KNOCKS, room.group.gid + statement, encode(kept))
    while len(room.declined) > limits.KNOCKS_MAX:
        oldest, _ = room.declined.popitem(last=False)
        step.journal.delete(Space.KNOCKS, room.group.gid + oldest)
    _refuse_kept(state, room, record, Door.DECLINED, step)


def _drop_knock(room: Room, statement: bytes, step: Step) -> None:
    del room.knocks[statement]
    step.journal.delete(Space.KNOCKS, room.group.gid + statement)


def _refuse_kept(state: State, room: Room, record: KnockRecord, door: Door, step: Step) -> None:
    frame = parse_frame(record.frame)
    invite = room.group.invites.get(record.invite)
    if invite is not None:
        try:
            knock = open_knock(frame, invite, room.group.gid)
        except RemoteError:
            return  # it was kept before a check that it now fails; there is nobody to answer
        refuse(state, room, knock, door, step)


def sweep_knocks(state: State, room: Room, ops: list[Operation], step: Step) -> None:
    """Operations came in: who has been let in waits no more, nor does anybody at an invite that is closed."""
    for op in ops:
        if isinstance(op.body, AdmitBody):
            body = op.body
            statement = join_statement(
                room.group.gid, body.invite, body.card, body.join_nonce, body.alias, body.agreement_hash
            )
            if statement in room.knocks:
                _drop_knock(room, statement, step)
    for statement, record in list(room.knocks.items()):
        invite = room.group.invites.get(record.invite)
        if invite is not None and not invite.open:
            _refuse_kept(state, room, record, Door.REVOKED, step)
            _drop_knock(room, statement, step)


# ---------------------------------------------------------------- the node decides


def open_if_approved(state: State, room: Room, statement: bytes, step: Step) -> None:
    """Take our turn to let somebody in who waits, if as many have said yes as their invite asks for."""
    record = room.knocks.get(statement)
    if record is not None and room.group.rank <= Rank.MEMBER and approving.are_enough(room, record):
        _await_turn(state, room, statement, record.frame, step)


def _await_turn(state: State, room: Room, statement: bytes, raw: bytes, step: Step) -> None:
    room.arriving[statement] = raw
    while len(room.arriving) > limits.KNOCKS_MAX:
        del room.arriving[next(iter(room.arriving))]
    step.set_timer("admit", room.group.gid + statement, _turn(state, room, statement) * TURN_MS)


def _turn(state: State, room: Room, statement: bytes) -> int:
    """Return how many of the devices that are there come before ours."""
    view = room.group.view
    there = {s.device for _, s in state.present(room) if s.device is not None} | {room.group.own.dev}
    able = [dev for dev in there if view.members[view.devices[dev]].rank <= Rank.MEMBER or dev == room.group.own.dev]
    order = sorted(able, key=lambda dev: h(b"mesh1/turn", statement, dev))
    return order.index(room.group.own.dev)


def admit_in_turn(state: State, room: Room, statement: bytes, step: Step) -> None:
    """Our turn to open has come: admit whoever knocked, unless somebody else has answered."""
    raw = room.arriving.pop(statement, None)
    reply = next((reply for reply in state.replies.values() if reply.statement == statement), None)
    knock = None if raw is None else read_knock(room, raw)
    if raw is None or knock is None or (reply is not None and reply.answered):
        return
    inside = any(session.device == card_device(knock.card) for _, session in state.present(room))
    if room.group.me is not None and not inside:
        try:
            admit_knock(state, room, raw, step)
        except LocalError:
            return  # the rules refuse it (a bad key, say): there is nobody here to tell


def admit_knock(state: State, room: Room, raw: bytes, step: Step) -> None:
    """Admit whoever sent this knock and send the welcome. RefusedError if the door or the rules do not allow it."""
    frame = parse_frame(raw)
    found = _invite_of(state, frame)
    if found is None:
        raise RefusedError("that invite is no longer known", do="ask them to knock with a new code")
    _, invite = found
    try:
        knock = open_knock(frame, invite, room.group.gid)
    except RemoteError as error:
        raise RefusedError("that knock is not valid", why=error.what, do="ask them to knock again") from error
    if not _was_admitted(room, knock):
        door = _door_for(invite, knock, step)
        if door is not Door.OPEN:
            raise RefusedError(f"that invite is {door.name.lower().replace('_', ' ')}", do="make a new code")
        body = AdmitBody(
            invite=invite.op_id,
            rank=invite.body.role if room.group.rank <= Rank.MODERATOR else Rank.NEWCOMER,
            alias=knock.alias,
            card=knock.card,
            join_nonce=knock.join_nonce,
            agreement_hash=knock.agreement_hash,
            sig_invite=knock.sig_invite,
            sig_member=knock.sig_member,
            sig_dev=knock.sig_dev,
            former=knock.former,
            approvals=approving.standing_approvals(room, knock_statement(knock, room.group.gid)),
            epoch=None,
        )
        publish(state, room, admit(room.group, body, step.means()), step)
        contact = ContactRecord(addresses=knock.addresses, in_invites=False, mseq=0)
        reaching.learn_contact(state, room, card_device(knock.card), contact, step)
        step.notify(Notice.JOINED, room.group.gid, knock.card.member_pk)
    welcome(state, room, raw, step)
