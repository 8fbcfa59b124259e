"""The door, from inside: previews for those who hold a code, and knocks (protocol.md §12).

Any member who is there opens, not only the inviter; who does so, and how, is `admitting`'s. A knock is answered until
its answer is seen to go out: the joiner knocks again.
"""

from typing import Final

from msgspec.structs import replace

from mesh.commands import Rank
from mesh.crypto.keys import public_key
from mesh.errors import Fault, RemoteError
from mesh.events import LinkKind, Notice, SendClass, Space
from mesh.groups.group import Invite
from mesh.groups.invites import door_of, knock_statement, open_knock, seal_preview
from mesh.groups.joining import join_statement
from mesh.groups.operations import Operation, card_device
from mesh.ids import LinkId, TopicId
from mesh.peer import admitting, approving
from mesh.peer.admitting import await_turn, door_for, invite_of, was_admitted
from mesh.peer.keepers import at_keepers, is_level
from mesh.peer.links import Link
from mesh.peer.records import KnockRecord
from mesh.peer.routing import forward_on, preview_topic
from mesh.peer.state import Reply, Room, State, Step
from mesh.peer.welcoming import read_knock, refuse
from mesh.wire import limits
from mesh.wire.codec import encode
from mesh.wire.frames import Frame, parse_frame, topic_of, topics_of
from mesh.wire.invites import Door, KnockBody
from mesh.wire.operations import AdmitBody

KEPT_TIMER: Final = "kept"
KEPT_KNOCK_MS: Final = 2_000  # what lies at a keeper beside a knock is heard first, and again; ours
KEPT_KNOCK_MS_MAX: Final = 30_000
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


def hear_knock(state: State, frame: Frame, raw: bytes, link: LinkId, step: Step) -> None:
    """Someone with a code knocks; RemoteError if it is not their own knock."""
    found = invite_of(state, frame)
    if found is None:
        return
    room, invite = found
    knock = open_knock(frame, invite, room.group.gid)
    if not step.sealer.check(room.group.suite, knock.card.kem_pk):
        raise RemoteError(Fault.AGAINST_RULES, "a knock with a KEM key that nothing can be sealed to")
    statement = knock_statement(knock, room.group.gid)
    forward_on(state, topics_of(frame, step.now.wall_ms), frame.id, raw, step)
    reply = Reply(
        gid=room.group.gid,
        statement=statement,
        knock=raw,
        device=card_device(knock.card),
        heard_ms=step.now.mono_ms,
        via=link,
    )
    if not _listen_for_answer(state, reply, knock, step):
        return
    if room.group.gid in state.links[link].keepers:
        step.set_timer(KEPT_TIMER, room.group.gid + statement, KEPT_KNOCK_MS)
    else:
        _answer_knock(state, room, invite, raw, knock, step)


def answer_kept(state: State, room: Room, statement: bytes, step: Step) -> None:
    """A knock that waited at a keeper is due, unless somebody has answered it: their answer lies there too.

    First we hear all that the keeper has, or two who come one after the other would both let the joiner in.
    """
    reply = next((reply for reply in state.replies.values() if reply.statement == statement), None)
    if reply is None or reply.answered or room.group.me is None:
        return
    hearing = any(at.rounds for _, at in at_keepers(state, room)) or not is_level(state, room)
    if hearing and step.now.mono_ms - reply.heard_ms < KEPT_KNOCK_MS_MAX:
        step.set_timer(KEPT_TIMER, room.group.gid + statement, KEPT_KNOCK_MS)
        return
    frame = parse_frame(reply.knock)
    found, knock = invite_of(state, frame), read_knock(room, reply.knock)
    has_spoken = knock is not None and card_device(knock.card) in room.group.seen_by
    if found is not None and knock is not None and not has_spoken:
        _answer_knock(state, room, found[1], reply.knock, knock, step)


def _answer_knock(state: State, room: Room, invite: Invite, raw: bytes, knock: KnockBody, step: Step) -> None:
    """Do what the rules say with one who knocks, as far as no person has to decide."""
    statement = knock_statement(knock, room.group.gid)
    door = door_for(invite, knock, step)
    if card_device(knock.card) in room.group.view.devices:
        await_turn(state, room, statement, raw, knock, step)
    elif was_admitted(room, knock) or statement in room.declined:
        refuse(state, room, knock, Door.DECLINED, step)  # one who is out comes back under a new key
    elif door is not Door.OPEN:
        refuse(state, room, knock, door, step)
    elif invite.body.approvals:
        _keep_for_a_person(room, knock, statement, raw, step)
        open_if_approved(state, room, statement, step)
    elif room.group.rank <= Rank.MEMBER:
        await_turn(state, room, statement, raw, knock, step)


def _listen_for_answer(state: State, reply: Reply, knock: KnockBody, step: Step) -> bool:
    """Listen on the joiner's reply topic, so that an answer finds its way, ours or another's.

    Return whether it is to be answered: one knock may come as several frames, over several links.
    """
    topic = topic_of(public_key(knock.reply_seed))
    before = state.replies.get(topic)
    if before is not None and step.now.mono_ms - before.heard_ms < SAME_KNOCK_MS:
        return False
    if before is not None:
        reply.via = None  # what was answered on that way, if anything, did not arrive
    step.topics_changed = step.topics_changed or topic not in state.replies
    state.replies[topic] = reply
    state.replies.move_to_end(topic)
    while len(state.replies) > _REPLIES_MAX:
        state.replies.popitem(last=False)
    return True


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
    _listen_again(state, room, statement, record.frame, step)
    if admitted and approving.needed(room, record) > 1:
        approving.approve(state, room, statement, step)
        admitted = approving.are_enough(room, room.knocks[statement])
        if not admitted:
            return
    if admitted:
        admitting.admit_knock(state, room, record.frame, step)
        _drop_knock(room, statement, step)
    else:
        _decline(state, room, statement, record, step)


def _listen_again(state: State, room: Room, statement: bytes, raw: bytes, step: Step) -> None:
    """Listen for the answer to a knock that was heard before this process began: a keeper is to take it."""
    knock = read_knock(room, raw)
    if knock is None:
        return
    topic = topic_of(public_key(knock.reply_seed))
    if topic not in state.replies:
        state.replies[topic] = Reply(
            gid=room.group.gid,
            statement=statement,
            knock=raw,
            device=card_device(knock.card),
            heard_ms=step.now.mono_ms,
            via=None,
        )
        step.topics_changed = True


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
                admitting.expect(room, statement, room.knocks[statement].frame, card_device(body.card))
                _drop_knock(room, statement, step)
    for statement, record in list(room.knocks.items()):
        invite = room.group.invites.get(record.invite)
        if invite is not None and not invite.open:
            _refuse_kept(state, room, record, door_of(invite, step.now.wall_ms), step)
            _drop_knock(room, statement, step)


# ---------------------------------------------------------------- the node decides


def open_if_approved(state: State, room: Room, statement: bytes, step: Step) -> None:
    """Take our turn to let somebody in who waits, if as many have said yes as their invite asks for."""
    record = room.knocks.get(statement)
    if record is not None and room.group.rank <= Rank.MEMBER and approving.are_enough(room, record):
        knock = read_knock(room, record.frame)
        if knock is not None:
            await_turn(state, room, statement, record.frame, knock, step)
