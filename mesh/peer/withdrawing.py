"""Withdrawing: an author takes back what they said, and every honest node forgets the text.

A withdrawal is a message of its author's (kind 10). It names the post by device, number and uid, and takes its place:
the row that is read becomes the withdrawal's own, so that it can be handed on as its author signed it. The frame goes,
and the number under which it was here counts as forgotten (`Track.gone`). What is taken back is the post with that uid
alone, whatever number is named: whenever it comes after that, by whomever, it is not taken in, and anything else under
the number is. So nobody silences another device of theirs ahead of time, for its uids are still to be drawn.

What nobody has yet is just dropped, and never leaves. Where the post stood here is found in the store, which takes a
moment; until then the withdrawal waits there, so that a crash loses none.
"""

from typing import Final

from msgspec import structs

from mesh.commands import Withdraw
from mesh.errors import LocalError, RefusedError
from mesh.events import Fetch, Space
from mesh.gossip.delivery import End
from mesh.groups.history import devices_of, was_for
from mesh.groups.messaging import Original
from mesh.groups.records import load
from mesh.ids import DeviceId, PostId
from mesh.peer.fetching import drop_files
from mesh.peer.originals import message_record
from mesh.peer.placing import drop_message, keep_message, place_ms
from mesh.peer.records import DraftRecord, MessageRecord
from mesh.peer.retention import forget_frame, mark_ended
from mesh.peer.rights import require_in
from mesh.peer.speaking import hand_over, keep_draft, own_record
from mesh.peer.state import PlaceFor, Room, State, Step, message_key, post_id
from mesh.wire import limits
from mesh.wire.codec import decode, encode
from mesh.wire.messages import Kind, WithdrawalBody

_KNOWN_KINDS: Final = frozenset(map(int, Kind))

# ---------------------------------------------------------------- ours


def withdraw(state: State, room: Room, command: Withdraw, step: Step) -> None:
    """Take a post of ours back; nothing where it ended before. RefusedError for another's, LocalError if it moved."""
    before = room.deliveries.get(command.post)
    if before is not None and before.end is not End.OPEN:
        return
    draft = next((d for d in room.drafts.values() if d.post == command.post and d.kind == Kind.POST), None)
    if draft is not None:
        drop_message(message_key(room.group.gid, draft.at_ms, draft.post), draft.gone_ms, step)
        drop_files(room, draft.post, step)
        mark_ended(room, draft.post, draft.at_ms, End.WITHDRAWN, step)
        return
    require_in(room)
    if not command.mseq or (before is not None and before.mseq != command.mseq):
        raise LocalError("the message has moved meanwhile", do="do that again", code="E-MOVED")
    _require_ours(room, command.dev)
    body = WithdrawalBody(dev=command.dev, mseq=command.mseq, uid=command.uid, ts_ms=command.ts_ms, epoch=command.epoch)
    at_ms = int.from_bytes(command.place[32:40], "big")
    said = DraftRecord(
        post=command.post,
        uid=step.entropy.draw(16),
        kind=Kind.WITHDRAWAL,
        ts_ms=step.now.wall_ms,
        at_ms=at_ms,
        flags=command.flags,
        body=encode(body),
        gone_ms=0,
        source=None,
    )
    drop_message(command.place, command.gone_ms, step)
    drop_files(room, command.post, step)
    forget_frame(state, room, command.dev, command.mseq, step)
    keep_draft(room, said, step)
    keep_message(room, own_record(room.group, said, at_ms, None, step), step, unread=False)
    _end(room, command.post, step)
    hand_over(state, room, step)


def _require_ours(room: Room, dev: DeviceId) -> None:
    card = room.group.log.card(dev)
    if card is None or card.member_pk != room.group.own.member_pk:
        raise RefusedError(
            "that message is not yours",
            why="only its author takes a message back",
            do="ask its author; `mesh hide` closes it for you alone",
            code="E-NOT-YOURS",
        )


def _end(room: Room, post: PostId, step: Step) -> None:
    delivery = room.deliveries.get(post)
    if delivery is not None:
        room.save_delivery(post, delivery.ended(End.WITHDRAWN), step.journal)


# ---------------------------------------------------------------- anybody's


def hear_withdrawal(state: State, room: Room, original: Original, sig: bytes, step: Step, *, handed_on: bool) -> None:
    """An author takes a post back: forget it, and have its place found. What is not theirs to take back stays."""
    tbs = original.tbs
    body = decode(WithdrawalBody, tbs.body, bytes_max=limits.MESSAGE_BYTES_MAX)
    card = room.group.log.card(body.dev)
    if card is None or card.member_pk != original.member or (body.dev == tbs.dev and body.mseq >= tbs.mseq):
        return
    post = post_id(body.dev, body.uid)
    _note(room, tbs.dev, post, tbs.mseq, step)
    drop_files(room, post, step)
    _end(room, post, step)
    at_ms = place_ms(room, body.ts_ms, (), step.now.wall_ms)
    record = message_record(original, sig, at_ms, step.now.wall_ms, handed_on=handed_on)
    room.withdrawn[post] = structs.replace(record, post=post)
    step.journal.put(Space.WITHDRAWN, room.group.gid + post, encode(room.withdrawn[post]))
    find_place(state, room, post, step)


def _note(room: Room, dev: DeviceId, post: PostId, mseq: int, step: Step) -> None:
    """Note that a device took a post back, of its newest words only: which are kept hangs on no order."""
    there = room.taken_back.setdefault(dev, {})
    there[post] = max(mseq, there.get(post, 0))
    step.journal.put(Space.TAKEN_BACK, room.group.gid + dev + post, there[post].to_bytes(8, "big"))
    if len(there) > limits.TAKEN_BACK_MAX:
        oldest = min(there, key=lambda other: (there[other], other))
        del there[oldest]
        step.journal.delete(Space.TAKEN_BACK, room.group.gid + dev + oldest)


def is_taken_back(room: Room, post: PostId) -> bool:
    """Say whether a post was taken back, whether it was here before or not."""
    return post in room.withdrawn or any(post in there for there in room.taken_back.values())


def is_shown(kind: int) -> bool:
    """Say whether messages of a kind are rows that are read, which can be taken back; of later versions too."""
    return kind == Kind.POST or kind not in _KNOWN_KINDS


def find_place(state: State, room: Room, post: PostId, step: Step, *, place: bytes = b"") -> None:
    """Read where a post stands that was taken back, and then what stands there."""
    ticket = state.ticket()
    state.fetching[ticket] = PlaceFor(gid=room.group.gid, post=post, place=place)
    space, key = (Space.MESSAGES, place) if place else (Space.POSTS, room.group.gid + post)
    step.effects.append(Fetch(ticket=ticket, space=space, keys=(key,)))


def take_place(state: State, wanted: PlaceFor, value: bytes | None, step: Step) -> None:
    """It has been read: put the withdrawal where the post stood, or where it would have stood for us."""
    room = state.rooms.get(wanted.gid)
    record = None if room is None else room.withdrawn.get(wanted.post)
    if room is None or record is None:
        return
    if value is not None and not wanted.place:
        find_place(state, room, wanted.post, step, place=value)
        return
    del room.withdrawn[wanted.post]
    step.journal.delete(Space.WITHDRAWN, wanted.gid + wanted.post)
    if value is not None:
        there = load(MessageRecord, value)
        if there.kind != Kind.WITHDRAWAL:
            forget_frame(state, room, there.dev, there.mseq, step)
        drop_message(wanted.place, there.gone_ms, step)
        record = structs.replace(record, at_ms=there.at_ms, gone_ms=there.gone_ms)
    elif not _was_ours(room, record):
        return
    keep_message(room, record, step, unread=False)


def _was_ours(room: Room, record: MessageRecord) -> bool:
    """Say whether the post that is taken back was meant for us, so that its place is in what we read."""
    body = decode(WithdrawalBody, record.body, bytes_max=limits.MESSAGE_BYTES_MAX)
    me = room.group.me
    return record.handed_on or (me is not None and was_for(room.group, devices_of(room.group, me.pk), body.epoch))
