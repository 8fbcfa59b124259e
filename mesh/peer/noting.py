"""Noting: what is said under seal goes out when somebody is there to take it, and what came for us is kept.

A note is sealed when it goes out, to the devices that its readers have then: to those alone who are still in, with the
rank that its tag asks for. Until then it waits here, and after it a copy stays. Readers share notes as far as their
devices fit in one: each note that goes out is seen by all, and says no more than that it is one.
"""

from collections import Counter
from typing import Final

from msgspec.structs import replace

from mesh.commands import CloseNote, Rank, RecallNote, SayNote
from mesh.errors import LocalError, RemoteError
from mesh.events import Notice, Space
from mesh.groups.forgetting import DAY_MS, WINDOW_DAYS_MAX
from mesh.groups.invites import HOUR_MS
from mesh.groups.notes import open_note, read_note, seal_note, shares
from mesh.groups.retention import keep_ms
from mesh.ids import MemberPk
from mesh.peer.listening import hear_ask
from mesh.peer.records import NoteRecord
from mesh.peer.rights import require_in
from mesh.peer.speaking import can_speak, say_uid
from mesh.peer.state import Room, State, Step
from mesh.peer.statements import rank_of
from mesh.peer.talking import hear_offer, sweep_talks, tell_talks
from mesh.peer.tracks import Tried
from mesh.support.tags import TAGS, read_note_value
from mesh.wire import limits, notes
from mesh.wire.codec import decode, encode
from mesh.wire.messages import Kind, MessageTbs
from mesh.wire.notes import NoteTag, NoteText

ID_BYTES: Final = 16
_MEMBER: Final = 32
_RECALLED: Final = frozenset({NoteTag.REPORT, NoteTag.APPEAL})  # can be taken back
_OF_THOSE_OUT: Final = _RECALLED | {NoteTag.RECALL}  # are read though their author is out by now


def tend(state: State, room: Room, step: Step) -> None:
    """Say what waits, if somebody is there to take it; forget what has faded."""
    tell_talks(state, room, step)
    sweep_talks(state, room, step)
    tell_notes(state, room, step)
    _sweep(room, step)


# ---------------------------------------------------------------- saying


def say_note(state: State, room: Room, command: SayNote, step: Step) -> bytes:
    """Keep what is to be said under seal, and say it if somebody is there; return its id (16 B). LocalError."""
    require_in(room)
    readers = list(dict.fromkeys(command.to))
    assert read_note_value(command.tag, command.value) is not None, "whoever asks composes what the tag takes"
    if not readers or len(readers) > limits.NOTE_READERS_MAX:
        raise LocalError("there is nobody, or there are too many, to say this to", code="E-NO-MEMBER")
    if any(not _may_read(room, command.tag, member) for member in readers):
        raise LocalError("that is nobody else who is in the group and may be told this", code="E-NO-MEMBER")
    return _say(state, room, command.tag, readers, command.value, step)


def _say(state: State, room: Room, tag: int, readers: list[MemberPk], value: bytes, step: Step) -> bytes:
    note = NoteRecord(
        tag=tag,
        value=value,
        by=room.group.own.member_pk,
        mine=True,
        waits=readers,
        told=[],
        at_ms=step.now.wall_ms,
        closed_ms=0,
    )
    note_id = step.entropy.draw(ID_BYTES)
    _keep(room, note_id, note, step)
    step.journal.make_durable()
    tell_notes(state, room, step)
    return note_id


def _may_read(room: Room, tag: int, member: MemberPk) -> bool:
    there = room.group.view.members.get(member)
    return there is not None and member != room.group.own.member_pk and there.rank <= TAGS[tag].reader


def tell_notes(state: State, room: Room, step: Step) -> None:
    """Seal and push what waits, to those who may still be told it; others are not waited for.

    A report or an appeal that nobody was told is not over when nobody may be told it any more: whom it is about may
    have seen to that. It waits for those whom it was for, in case that they serve again, and its author sees it.
    """
    if not any(note.waits for note in room.sealed.values()):
        return
    if not room.group.own.confirmed or not can_speak(state, room, step.now):
        return
    for key, note in list(room.sealed.items()):
        if not note.waits:
            continue
        readers = [member for member in note.waits if _may_read(room, note.tag, member)]
        plain = encode(NoteText(tag=note.tag, id=key[_MEMBER:], value=note.value))
        told = list(note.told)
        for share in shares(room.group, readers):
            uid = step.entropy.draw(16)
            if not say_uid(state, room, Kind.NOTE, uid, seal_note(room.group, share, uid, plain, step.means()), step):
                break
            told.extend(share)
        stays = note.tag in _RECALLED and not told
        left = [member for member in (note.waits if stays else readers) if member not in told]
        if (left, told) != (note.waits, note.told):
            _keep(room, key[_MEMBER:], replace(note, waits=left, told=told), step)


def has_nobody_left(room: Room, note: NoteRecord) -> bool:
    """Say whether a note of ours waits though none of those whom it is for may be told it now."""
    return bool(note.waits) and not any(_may_read(room, note.tag, MemberPk(member)) for member in note.waits)


def close_note(room: Room, command: CloseNote, step: Step) -> None:
    """Note that the person has dealt with a note, or has not after all; nobody is told. LocalError."""
    note = room.sealed.get(command.note)
    if note is None:
        raise LocalError("there is no such note here", code="E-NO-THING")
    closed_ms = step.now.wall_ms if command.closed else 0
    if bool(closed_ms) != bool(note.closed_ms):
        _keep(room, command.note[_MEMBER:], replace(note, closed_ms=closed_ms), step)


def recall_note(state: State, room: Room, command: RecallNote, step: Step) -> None:
    """Take a report or an appeal of ours back. LocalError if it is none, or was taken back.

    It goes to nobody who was not told it yet. One that nobody was told is forgotten, and nobody hears of it.
    """
    require_in(room)
    note = room.sealed.get(command.note)
    if note is None or not note.mine or note.tag not in _RECALLED or note.closed_ms:
        raise LocalError(
            "that is no report or appeal of yours that stands",
            do="`mesh reports` shows yours, and which you took back",
            code="E-NO-THING",
        )
    if not note.told:
        _forget(room, command.note, step)
        step.journal.make_durable()
        return
    _keep(room, command.note[_MEMBER:], replace(note, waits=[], closed_ms=step.now.wall_ms), step)
    readers = [MemberPk(member) for member in note.told if _may_read(room, NoteTag.RECALL, MemberPk(member))]
    if readers:
        value = encode(notes.RecallNote(about=command.note[_MEMBER:]))
        _say(state, room, NoteTag.RECALL, readers, value, step)


# ---------------------------------------------------------------- hearing


def hear_notes(state: State, step: Step) -> None:
    """Open the notes that came in during this step."""
    for gid, tbs, member in step.notes:
        if gid in state.rooms:
            hear_note(state, state.rooms[gid], tbs, member, step)
    step.notes.clear()


def hear_note(state: State, room: Room, tbs: MessageTbs, member: MemberPk, step: Step) -> None:
    """Take in a note of somebody else's. One that is for others, or makes no sense, says nothing to anybody.

    A report counts though its author is out by now: whom it is about may have seen to that, or they left over it.
    """
    is_in = room.group.view.devices.get(tbs.dev) == member
    if member == room.group.own.member_pk or not _may_note(room, member, tbs.ts_ms, step):
        return
    try:
        note = read_note(room.group, tbs.body)
        plain = open_note(room.group, tbs.dev, tbs.uid, note, step.sealer)
        if plain is None:
            return
        text = decode(NoteText, plain, bytes_max=limits.NOTE_PLAIN_BYTES)
        rank = rank_of(room.group, member, tbs.heads)
        if rank is None or not (is_in or text.tag in _OF_THOSE_OUT):
            return
        if text.tag == NoteTag.TALK:
            hear_offer(state, room, member, text.value, step)
        elif text.tag == NoteTag.LISTEN:
            hear_ask(state, room, tbs, text, step)
        else:
            _take(room, member, rank, text, step)
    except (RemoteError, LocalError):
        return  # nobody else could read it: its author is wasting a note of their own


def _may_note(room: Room, member: MemberPk, ts_ms: int, step: Step) -> bool:
    """Say whether one more note of a member may be tried now, and count it: trying one that is for others is dear.

    It is counted in the hour in which its author says that they said it, so that one who catches up loses none. Hours
    that lie ahead are this one, and all that lie before what is still handed on are one: who dates theirs back uses up
    each hour once. Between them stands what may be tried in an hour of ours.
    """
    now, tried = step.now, room.notes.setdefault(member, Tried())
    this = now.wall_ms // HOUR_MS
    first = this - WINDOW_DAYS_MAX * DAY_MS // HOUR_MS
    hour = min(max(ts_ms // HOUR_MS, first), this)
    return tried.may(hour, now.mono_ms, first=first)


def _take(room: Room, member: MemberPk, rank: Rank, text: NoteText, step: Step) -> None:
    """Keep a note that makes sense and that one of our rank may be told. The first under an id stands."""
    if read_note_value(text.tag, text.value) is None or member + text.id in room.sealed:
        return
    rules = TAGS[text.tag]
    if room.group.rank > rules.reader or rank > rules.author:
        return
    note = NoteRecord(
        tag=text.tag,
        value=text.value,
        by=member,
        mine=False,
        waits=[],
        told=[],
        at_ms=step.now.wall_ms,
        closed_ms=0,
    )
    _keep(room, text.id, note, step)
    step.notify(Notice.SUPPORT, room.group.gid, text.tag.to_bytes(2, "big") + text.id)


# ---------------------------------------------------------------- the store


def _keep(room: Room, note_id: bytes, note: NoteRecord, step: Step) -> None:
    key = note.by + note_id
    room.sealed[key] = note
    step.journal.put(Space.NOTES, room.group.gid + key, encode(note))
    alike = [k for k, there in room.sealed.items() if there.by == note.by and there.tag == note.tag]
    if len(alike) > TAGS[note.tag].newest:
        _forget(room, _oldest(room, alike, step.now.wall_ms), step)
    if len(room.sealed) > limits.NOTES_KEPT_MAX:
        [(most, _)] = Counter(there.by for there in room.sealed.values()).most_common(1)
        theirs = [k for k, there in room.sealed.items() if there.by == most]
        _forget(room, _oldest(room, theirs, step.now.wall_ms), step)


def _oldest(room: Room, keys: list[bytes], wall_ms: int) -> bytes:
    """Return which of these notes goes first: the oldest that was dealt with, else the oldest.

    One whose answer still holds (`NoteRules.holds_ms`) goes last, or it would come back with the next of its kind.
    """

    def place(key: bytes) -> tuple[int, int, bytes]:
        note = room.sealed[key]
        holds = note.closed_ms > 0 and wall_ms < note.closed_ms + TAGS[note.tag].holds_ms
        return 2 if holds else 0 if note.closed_ms else 1, note.at_ms, key

    return min(keys, key=place)


def _forget(room: Room, key: bytes, step: Step) -> None:
    del room.sealed[key]
    step.journal.delete(Space.NOTES, room.group.gid + key)


def _sweep(room: Room, step: Step) -> None:
    """Forget the notes that are older than the group keeps anything."""
    kept = keep_ms(room.group)
    for key, note in list(room.sealed.items()):
        if kept and note.at_ms + kept <= step.now.wall_ms:
            _forget(room, key, step)
