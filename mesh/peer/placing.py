"""Placing: where a message stands for its reader, and until when.

Messages are shown in the order of their authors' clocks, as far as those can be believed: never before what they
answer, and never from further in the future than two minutes. Honest clocks give every reader the same order; a
wrong clock can misplace its own messages and nobody else's.
"""

from typing import Final

from mesh.events import Notice, Space
from mesh.groups.retention import keep_ms
from mesh.ids import MsgId
from mesh.peer.records import ExpiryRecord, MessageRecord
from mesh.peer.state import Room, Step, message_key
from mesh.support.posts import interpret, lifetime_s
from mesh.wire import limits
from mesh.wire.codec import encode
from mesh.wire.messages import Kind

_RECENT_MAX: Final = 1024  # messages whose place is remembered for what answers them
_TIPS_MAX: Final = 16


def place_ms(room: Room, ts_ms: int, parents: tuple[MsgId, ...], wall_ms: int) -> int:
    """Return where a message that has just come stands, in ms of Unix time."""
    believed = min(ts_ms, wall_ms + limits.CLOCK_AHEAD_MS_MAX)
    return max(believed, 1 + max((room.recent.get(parent, 0) for parent in parents), default=0))


def latest_ms(room: Room) -> int:
    """Return the place of the last message there is."""
    return room.latest_ms


def note_message(room: Room, msg_id: MsgId, parents: tuple[MsgId, ...], at_ms: int) -> None:
    """Remember a message as one that later ones may follow."""
    remember_place(room, msg_id, at_ms)
    for parent in parents:
        room.tips.pop(parent, None)
    room.tips[msg_id] = None
    while len(room.tips) > _TIPS_MAX:
        del room.tips[next(iter(room.tips))]


def remember_place(room: Room, msg_id: MsgId, at_ms: int) -> None:
    """Remember where a message stands, for those that answer it."""
    room.recent[msg_id] = at_ms
    room.latest_ms = max(room.latest_ms, at_ms)
    while len(room.recent) > _RECENT_MAX:
        room.recent.popitem(last=False)


def is_over(room: Room, at_ms: int, gone_ms: int, wall_ms: int) -> bool:
    """Say whether a message's time has run out that stands at `at_ms` and ends by its own word at `gone_ms` (0: never).

    The group forgets it as long after its place as its setting `keep` says.
    """
    kept = keep_ms(room.group)
    return bool(gone_ms and gone_ms <= wall_ms) or bool(kept and at_ms + kept <= wall_ms)


def life_of(kind: int, body: bytes) -> int | None:
    """Return after how many seconds a message ends by its own word; None: it says nothing of that. RemoteError."""
    return lifetime_s(interpret(body)) if kind == Kind.POST else None


def end_of(life_s: int | None, at_ms: int) -> int:
    """Return when a message ends by its own word that stands at `at_ms`; 0: never."""
    return 0 if life_s is None else at_ms + life_s * 1000


def drop_message(place: bytes, gone_ms: int, step: Step) -> None:
    """Forget a row of Space.MESSAGES, by its key; whoever does so sees to the index of posts."""
    step.journal.delete(Space.MESSAGES, place)
    step.journal.delete(Space.UNREAD, place)
    if gone_ms:
        step.journal.delete(Space.EXPIRIES, _expiry_key(place, gone_ms))


def _expiry_key(place: bytes, gone_ms: int) -> bytes:
    return place[:32] + gone_ms.to_bytes(8, "big") + place[40:]


def keep_message(room: Room, record: MessageRecord, step: Step, *, unread: bool) -> None:
    """Keep a message for reading, and tell whoever listens that it is there; what was handed on comes in pages."""
    gid = room.group.gid
    key = message_key(gid, record.at_ms, record.post, record.msg_id if record.mseq else b"")
    step.journal.put(Space.MESSAGES, key, encode(record))
    step.journal.put(Space.POSTS, gid + record.post, key)
    if record.gone_ms:
        entry = ExpiryRecord(place=key, dev=record.dev, mseq=record.mseq)
        step.journal.put(Space.EXPIRIES, _expiry_key(key, record.gone_ms), encode(entry))
    if unread:
        step.journal.put(Space.UNREAD, key, b"")
    if not record.handed_on:
        step.notify(Notice.MESSAGE, gid, key)
