"""Hearing: a message frame comes in, is opened, placed, shown, acknowledged and passed on.

Nothing is shown before every check has passed, nothing twice, and nothing of it is lost if this process dies in the
next instant: the frame is stored in the same transaction in which the ratchet moves. Blame is only for what shows that
the one who handed a frame over did not check it. What nodes may see differently, because they hold other operations or
other messages of a device that writes two under one number, is left aside or taken in without a word.
"""

from typing import Final

from mesh.errors import Fault, RemoteError
from mesh.events import Space
from mesh.gossip.frontier import Frontier
from mesh.groups.erasing import is_erased
from mesh.groups.messaging import OpenedMessage, Original, TooEarly, open_message, read_keyup, take_in
from mesh.ids import LinkId, OpId
from mesh.peer import approving, fetching, raising, reaching, stranding
from mesh.peer.holdings import note_frame
from mesh.peer.lacking import note_heads
from mesh.peer.links import Link
from mesh.peer.originals import message_record
from mesh.peer.placing import drop_message, end_of, is_over, keep_message, note_message, place_ms
from mesh.peer.proving import note_break, note_second, remember
from mesh.peer.receipts import hear_receipt, plan_receipt
from mesh.peer.records import ContactRecord
from mesh.peer.routing import forward
from mesh.peer.speaking import drop_draft, readers_of
from mesh.peer.state import Room, State, Step, message_key, post_id
from mesh.peer.statements import has_ended, read_body
from mesh.peer.stating import hear_statement
from mesh.peer.withdrawing import hear_withdrawal, is_shown, is_taken_back
from mesh.support.posts import interpret, lifetime_s
from mesh.wire import limits
from mesh.wire.codec import decode
from mesh.wire.frames import Frame
from mesh.wire.gossip import short
from mesh.wire.messages import (
    MESSAGE_BODIES,
    Flag,
    Kind,
    MessageTbs,
    ObjectionBody,
    PostBody,
    PresenceBody,
    ReceiptBody,
    SignedMessage,
    StrandedBody,
)

GAP_WAIT_MS: Final = 300  # what comes out of order over several links needs no asking; ours
_EARLY_BYTES_MAX: Final = 8 * 1024 * 1024  # of messages that wait for operations, per group; ours


def hear_message(state: State, room: Room, epoch: OpId, frame: Frame, link: LinkId | None, step: Step) -> bool:
    """Take in a message frame whose outer signature holds; return whether this very frame is here now.

    RemoteError for what no honest member hands over. False: it waits for operations, is not for us any more, or its
    device gave its number to another message before.
    """
    if room.group.own.left or frame.raw in room.early:
        return False
    try:
        opened = open_message(room.group, frame, epoch)
    except RemoteError as error:
        if error.fault is Fault.UNASKED:
            return False
        raise
    if isinstance(opened, TooEarly):
        note_heads(room, opened.dev, opened.heads, step.now)
        _wait_for_operations(room, frame.raw, link, step)
        return False
    tbs = opened.tbs
    track = room.track(tbs.dev)
    if track.has_come(tbs.mseq):
        take_in(room.group, opened, step.means())  # its key is spent, so that it is not opened over and over
        if tbs.mseq not in track.gone:  # nothing is kept of what was forgotten, as a proof of nothing neither
            note_second(state, room, opened, step)
        return False
    leaps = bool(track.top) and tbs.mseq > track.top + limits.MSEQ_JUMP_MAX
    if leaps or not track.have.has_room_for(tbs.mseq):
        return False
    post = check_body(opened.tbs)
    life_s = None if post is None else lifetime_s(post)
    take_in(room.group, opened, step.means())
    note_break(state, room, opened, track, step)
    late = comes_too_late(room, tbs, life_s, step)
    (track.pass_over if late else track.take)(tbs.mseq, opened.msg_id, epoch, tbs.heads)
    track.heard_ms = max(track.heard_ms, min(tbs.ts_ms, step.now.wall_ms))
    track.claimed = min(track.claimed, max(0, tbs.mseq - tbs.i - 1))  # from its chain's first message on, they are ours
    if tbs.i == 0 and track.sure.contiguous < tbs.mseq and _is_first_for_us(room, epoch, tbs):
        track.sure = track.sure.add(1, tbs.mseq)
    room.group.note_seen(tbs.dev, tbs.heads)
    if tbs.dev == room.group.own.dev:
        _recover_own(room, opened, step)
    key = room.group.gid + tbs.dev + tbs.mseq.to_bytes(8, "big")
    note_frame(room, frame, step, key=key)  # also of what is not kept: a keeper is not to bring it again
    if not late:
        remember(state, room.group.gid, tbs.dev, tbs.mseq, opened.signed)
        step.journal.put(Space.FRAMES, key, frame.raw)
        state.seen.mark_stored(frame.id)
        if tbs.kind == Kind.RECEIPT:
            step.calm[frame.id] = None
        state.passed.note_message(short(frame.id), key)
    if (not late or tbs.kind == Kind.STATEMENT) and tbs.mseq not in track.past:  # past: it stands where it belongs
        _act(state, room, opened, post, step)
    room.save_track(tbs.dev, step.journal)
    plan_receipt(room, step)
    giver = None if link is None else state.links.get(link)
    if giver is not None:
        _note_giver(giver, room, tbs, step)
    if not late:
        pushed = not _was_asked_for(state, room, tbs, link)
        forward(state, room, epoch, frame, tbs.dev, step, source=link, pushed=pushed)
    return not late


def comes_too_late(room: Room, tbs: MessageTbs, life_s: int | None, step: Step) -> bool:
    """Say whether a message is not to be kept: it was forgotten here, its time is over, or its author left no trace."""
    if tbs.mseq in room.track(tbs.dev).gone or is_erased(room.group, tbs.dev):
        return True
    if tbs.kind == Kind.STATEMENT:
        return has_ended(room, read_body(tbs.body), tbs.ts_ms, step.now.wall_ms)
    if is_shown(tbs.kind) and is_taken_back(room, post_id(tbs.dev, tbs.uid)):
        return True
    if tbs.kind != Kind.POST:
        return False
    at_ms = place_ms(room, tbs.ts_ms, tuple(tbs.parents), step.now.wall_ms)
    return is_over(room, at_ms, end_of(life_s, at_ms), step.now.wall_ms)


def _was_asked_for(state: State, room: Room, tbs: MessageTbs, link: LinkId | None) -> bool:
    """Say whether a message is one that we were catching up on: others have had it, as a rule."""
    asked = (asking.spans for asking in state.asking.values() if asking.link == link and asking.gid == room.group.gid)
    return any(dev == tbs.dev and first <= tbs.mseq <= last for spans in asked for dev, first, last in spans)


def _is_first_for_us(room: Room, epoch: OpId, tbs: MessageTbs) -> bool:
    """Say whether the first message of a chain is the first that its device sealed for us, by that device's own word.

    It is where no other epoch for us was among what its author had: all of that stands behind its heads, if they are
    all of its author's. So its earlier ones were not for us, and need not be asked for.
    """
    group = room.group
    mask = group.log.closure(tbs.heads)
    if mask is None or len(tbs.heads) >= limits.HEADS_MAX:
        return False
    past = (op.op_id for op in group.log.ops if mask & group.log.bit(op.op_id))
    return all(op_id == epoch or group.own.dev not in group.recipients(op_id) for op_id in past)


def _wait_for_operations(room: Room, raw: bytes, link: LinkId | None, step: Step) -> None:
    if raw not in room.early:
        room.early_bytes += len(raw)
    room.early[raw] = link
    while len(room.early) > limits.PENDING_MESSAGES_MAX or room.early_bytes > _EARLY_BYTES_MAX:
        dropped, _ = room.early.popitem(last=False)
        room.early_bytes -= len(dropped)
    if link is not None:
        step.wanted_ops[link, room.group.gid] = None


def take_early(room: Room) -> list[tuple[bytes, LinkId | None]]:
    """Return the messages that waited for operations, with the links that gave them, and wait no longer."""
    waiting = list(room.early.items())
    room.early.clear()
    room.early_bytes = 0
    return waiting


def check_body(tbs: MessageTbs) -> PostBody | None:
    """Parse a body before anything moves, so that a broken one costs its sender and not the ratchet.

    Return it, if it is a post. Kinds of later versions are kept and shown as such.
    """
    if tbs.kind != Kind.POST and tbs.kind in MESSAGE_BODIES:
        decode(MESSAGE_BODIES[Kind(tbs.kind)], tbs.body, bytes_max=limits.MESSAGE_BYTES_MAX)
    if tbs.kind == Kind.STATEMENT and tbs.flags & Flag.NO_HISTORY:
        raise RemoteError(Fault.MALFORMED, "a statement that is not to be handed on")  # else who hands it on is blamed
    return interpret(tbs.body) if tbs.kind == Kind.POST else None


def _act(state: State, room: Room, opened: OpenedMessage, post: PostBody | None, step: Step) -> None:
    tbs = opened.tbs
    match tbs.kind:
        case Kind.RECEIPT:
            hear_receipt(room, opened, decode(ReceiptBody, tbs.body, bytes_max=limits.MESSAGE_BYTES_MAX), step)
        case Kind.PRESENCE:
            presence = decode(PresenceBody, tbs.body, bytes_max=limits.MESSAGE_BYTES_MAX)
            _note_quiet(room, tbs, presence)
            contact = ContactRecord(addresses=presence.addresses, in_invites=presence.in_invites, mseq=tbs.mseq)
            reaching.learn_contact(room, tbs.dev, contact, step)
        case Kind.KEYUP:
            learn_keyup(room, opened.signed, step)
        case Kind.APPROVAL:
            statement = approving.hear_approval(room, tbs.dev, tbs.body, step)
            if statement is not None:
                step.set_timer("approved", room.group.gid + statement, 0)
        case Kind.STRANDED:
            stranding.hear_stranded(
                room, tbs.dev, decode(StrandedBody, tbs.body, bytes_max=limits.MESSAGE_BYTES_MAX), step
            )
        case Kind.OBJECTION:
            objection = decode(ObjectionBody, tbs.body, bytes_max=limits.MESSAGE_BYTES_MAX)
            raising.hear_objection(room, tbs.dev, objection, tbs.mseq, tbs.ts_ms, step)
        case Kind.NOTE:
            step.notes.append((room.group.gid, tbs, opened.member))  # what it may set off stands above this file
        case Kind.WITHDRAWAL:
            original = Original(tbs=tbs, msg_id=opened.msg_id, member=opened.member)
            hear_withdrawal(state, room, original, opened.signed.sig, step, handed_on=False)
        case Kind.STATEMENT:
            original = Original(tbs=tbs, msg_id=opened.msg_id, member=opened.member)
            hear_statement(state, room, original, opened.signed.sig, step)
        case Kind.BEACON:
            pass  # its heads have been noted, as every message's are
        case _:
            _show(state, room, opened, post, step)


def _note_quiet(room: Room, tbs: MessageTbs, presence: PresenceBody) -> None:
    """A device says whether it gives receipts; its newest word counts."""
    track = room.track(tbs.dev)
    if tbs.mseq > track.presence:
        track.presence, track.quiet = tbs.mseq, not presence.receipts


def learn_keyup(room: Room, signed: SignedMessage, step: Step) -> None:
    """Believe a key-up if it brings a key that can be sealed to; RemoteError if it is not its author's own."""
    dev, keyup = read_keyup(room.group, signed)
    known = room.group.kem_of.get(dev)
    newer = known is None or keyup.kem_number > known[0]
    if step.sealer.check(room.group.suite, keyup.kem_pk) and room.group.note_kem(dev, keyup.kem_number, keyup.kem_pk):
        room.group.date_kem(dev, step.means())
        track = room.track(dev)
        if newer:
            track.keyup = signed
        room.save_track(dev, step.journal)


def _recover_own(room: Room, opened: OpenedMessage, step: Step) -> None:
    """Others have a message of ours that we lost: we go on after it, under a fresh epoch, and never say it again."""
    tbs = opened.tbs
    own = room.group.own
    if tbs.mseq > own.mseq:
        room.group.set_own(step.journal, mseq=tbs.mseq, prev=opened.msg_id)
    room.fell_back = True
    for number, draft in list(room.drafts.items()):
        if draft.uid == tbs.uid:
            drop_draft(room, number, step)
            drop_message(message_key(own.gid, draft.at_ms, draft.post), draft.gone_ms, step)
        if draft.uid == tbs.uid and draft.kind == Kind.POST:
            readers = readers_of(room.group, opened.epoch)
            delivery = room.deliveries[draft.post].sealed(tbs.mseq, readers, opened.msg_id)
            room.save_delivery(draft.post, delivery, step.journal)


def _show(state: State, room: Room, opened: OpenedMessage, post: PostBody | None, step: Step) -> None:
    tbs = opened.tbs
    parents = tuple(tbs.parents)
    at_ms = place_ms(room, tbs.ts_ms, parents, step.now.wall_ms)
    note_message(room, opened.msg_id, parents, at_ms)
    original = Original(tbs=tbs, msg_id=opened.msg_id, member=opened.member)
    life_s = None if post is None else lifetime_s(post)
    record = message_record(original, opened.signed.sig, at_ms, step.now.wall_ms, life_s=life_s, handed_on=False)
    ours = opened.member == room.group.own.member_pk  # said here, or on another device of ours: no news to ourselves
    keep_message(room, record, step, unread=not ours)
    if post is not None:
        fetching.note_post(state, room, record, post, step)
    if not ours and tbs.kind == Kind.POST:
        room.track(tbs.dev).note_post(tbs.mseq, opened.msg_id)


def _note_giver(link: Link, room: Room, tbs: MessageTbs, step: Step) -> None:
    """Whoever gave us a message has it; where earlier ones are missing, it is asked for those too, shortly."""
    session = link.sessions.get(room.group.gid)
    if session is None or session.device not in room.group.view.devices:
        return
    settled = room.track(tbs.dev).settled
    missing = settled.gaps_below(tbs.mseq)
    session.frontier[tbs.dev] = session.frontier.get(tbs.dev, Frontier()).add(
        missing[0][0] if missing else tbs.mseq, tbs.mseq
    )
    if missing and not room.gap_due:
        room.gap_due = True
        step.set_timer("gap", room.group.gid, GAP_WAIT_MS)
