"""Retention: what has run out is forgotten here, and nobody is asked for it again.

A group keeps what is said for as long as its setting `keep` says, and a post may name a shorter time of its own. Both
count from its place (decision 0008). After it this node forgets text, index, frame and delivery; what remains is that
the number was here once (`Track.gone`), so that it is no gap, is not fetched again, and is not given to others. Of an
own post that ran out by its own time there remains that it did.

It is read from the store in pages, at the start and with each tick. What is not a post has no row; its frames go when
their device has been further than they for long enough.
"""

from typing import Final

from mesh.events import Notice, Scan, Space
from mesh.gossip.delivery import Delivery, End
from mesh.groups.forgetting import DAY_MS, WINDOW_DAYS
from mesh.groups.records import load
from mesh.groups.retention import keep_ms
from mesh.ids import DeviceId, MsgId, PostId
from mesh.peer import erasing
from mesh.peer.fetching import drop_files
from mesh.peer.placing import drop_message, is_over, keep_message
from mesh.peer.proving import forget_one
from mesh.peer.records import ExpiryRecord, MessageRecord
from mesh.peer.speaking import draft_is_over, drop_draft
from mesh.peer.state import Room, State, Step, Sweep, message_key
from mesh.peer.statements import blank_over
from mesh.peer.tracks import Track
from mesh.wire.messages import Kind
from mesh.wire.operations import ZERO32

ROWS_AT_ONCE: Final = 256  # forgotten in one commit; ours
FRAMES_AT_ONCE: Final = 1024
OTHERS_MS: Final = WINDOW_DAYS * DAY_MS  # what is no post is kept so long at least, for those who were away; ours


def sweep(state: State, room: Room, step: Step) -> None:
    """Begin to forget what has run out; nothing while the last time is not over."""
    erasing.tend(state, room, step)
    kept = keep_ms(room.group)
    _end_drafts(room, step)
    for record in blank_over(room, step):
        forget_frame(state, room, record.dev, record.mseq, step)
    if kept:
        _forget_others(state, room, kept, step)
    if any(wanted.gid == room.group.gid for wanted in state.sweeping.values()):
        return
    _read(state, Sweep(gid=room.group.gid, space=Space.EXPIRIES), step.now.wall_ms + 1, step)
    if kept and step.now.wall_ms > kept:
        _read(state, Sweep(gid=room.group.gid, space=Space.MESSAGES), step.now.wall_ms - kept + 1, step)


def _read(state: State, wanted: Sweep, before_ms: int, step: Step) -> None:
    ticket = state.ticket()
    state.sweeping[ticket] = wanted
    before = wanted.gid + before_ms.to_bytes(8, "big")
    step.effects.append(Scan(ticket=ticket, space=wanted.space, prefix=wanted.gid, before=before, limit=ROWS_AT_ONCE))


def swept(state: State, wanted: Sweep, rows: tuple[tuple[bytes, bytes], ...], step: Step) -> None:
    """Forget what has been read, and read on if there was more."""
    room = state.rooms.get(wanted.gid)
    if room is None:
        return
    if wanted.erased:
        erasing.forget_rows(state, room, wanted.erased, rows, step)
        return
    for key, value in rows:
        if wanted.space is Space.EXPIRIES:
            _expire(state, room, key, load(ExpiryRecord, value), step)
        else:
            _outlive(state, room, key, load(MessageRecord, value), step)
    if len(rows) == ROWS_AT_ONCE:
        _read(state, wanted, int.from_bytes(rows[0][0][32:40], "big") + 1, step)


def _expire(state: State, room: Room, key: bytes, entry: ExpiryRecord, step: Step) -> None:
    """Forget a post whose own time has run out; of ours it stays known that it did."""
    post = PostId(key[40:56])
    drop_message(entry.place, int.from_bytes(key[32:40], "big"), step)
    drop_files(room, post, step)
    forget_frame(state, room, entry.dev, entry.mseq, step)
    if post in room.deliveries:
        mark_ended(room, post, int.from_bytes(entry.place[32:40], "big"), End.EXPIRED, step)
    else:
        step.journal.delete(Space.POSTS, room.group.gid + post)


def _outlive(state: State, room: Room, place: bytes, record: MessageRecord, step: Step) -> None:
    """Forget a message that is older than the group keeps, and all that is known of it."""
    drop_message(place, record.gone_ms, step)
    drop_files(room, record.post, step)
    step.journal.delete(Space.POSTS, room.group.gid + record.post)
    forget_frame(state, room, record.dev, record.mseq, step)
    if record.post in room.deliveries:
        room.forget_delivery(record.post, step.journal)


def forget_frame(state: State, room: Room, dev: DeviceId, mseq: int, step: Step) -> None:
    """Keep a message no more for those who may lack it, and never take it again; `mseq` 0: it was not sealed yet."""
    if not mseq:
        return
    track = room.track(dev)
    kept = track.kept()
    for first, last in track.forget(mseq):
        here = [(max(first, low), min(last, high)) for low, high in kept if low <= last and high >= first]
        for number in [number for low, high in here for number in range(low, high + 1)]:
            forget_one(state, room.group.gid, dev, number)
            step.journal.delete(Space.FRAMES, room.group.gid + dev + number.to_bytes(8, "big"))
    room.save_track(dev, step.journal)


def mark_ended(room: Room, post: PostId, at_ms: int, end: End, step: Step) -> None:
    """Keep of an own post that it ended, in its place, without a word of it."""
    for number, draft in list(room.drafts.items()):
        if draft.post == post:
            drop_draft(room, number, step)
    keep_message(room, _without_words(room, post, at_ms, step), step, unread=False)
    room.save_delivery(post, room.deliveries.get(post, Delivery()).ended(end), step.journal)
    step.notify(Notice.STATE, room.group.gid, post)


def _without_words(room: Room, post: PostId, at_ms: int, step: Step) -> MessageRecord:
    own = room.group.own
    return MessageRecord(
        post=post,
        msg_id=MsgId(ZERO32),
        dev=own.dev,
        member=own.member_pk,
        kind=Kind.POST,
        mseq=0,
        at_ms=at_ms,
        ts_ms=at_ms,
        seen_ms=step.now.wall_ms,
        flags=0,
        body=b"",
        origin=None,
        handed_on=False,
        gone_ms=0,
    )


def _end_drafts(room: Room, step: Step) -> None:
    """What nobody has taken in time never leaves; what the group would not keep neither."""
    for number, draft in list(room.drafts.items()):
        if draft.kind != Kind.POST and draft_is_over(room, draft, step.now.wall_ms):
            drop_draft(room, number, step)  # what it takes back, or is about, is over anyway
        elif draft.post in room.deliveries and is_over(room, draft.at_ms, draft.gone_ms, step.now.wall_ms):
            drop_message(message_key(room.group.gid, draft.at_ms, draft.post), draft.gone_ms, step)
            drop_files(room, draft.post, step)
            mark_ended(room, draft.post, draft.at_ms, End.EXPIRED, step)


def _forget_others(state: State, room: Room, kept: int, step: Step) -> None:
    """Forget the frames of what is no post once their device has been further than they for long enough."""
    left = FRAMES_AT_ONCE
    for dev, track in room.tracks.items():
        if track.mark_ms + max(kept, OTHERS_MS) <= step.now.wall_ms:
            if track.mark_ms:
                track.aged = track.mark
            track.mark, track.mark_ms = track.top, step.now.wall_ms
            room.save_track(dev, step.journal)
        left = _forget_up_to(state, room, dev, track, left, step)


def _forget_up_to(state: State, room: Room, dev: DeviceId, track: Track, left: int, step: Step) -> int:
    """Forget the frames of a device up to its mark, at most `left` of them; return how many more there may be."""
    due = [(first, min(last, track.aged)) for first, last in track.kept() if first <= track.aged]
    numbers = [mseq for first, last in due for mseq in range(first, min(last, first + left) + 1)][:left]
    for mseq in numbers:
        forget_frame(state, room, dev, mseq, step)
    return left - len(numbers)
