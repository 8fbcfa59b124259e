"""`log`: what was done in a group, by whom, and when; and what was said to oneself under seal about it.

Operations bear no time: it is shown when they came here, and of what was there before one came in, nothing. What all
see is the same for all; the rest (reports and appeals, words to oneself) is for those whom it was told.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from mesh.events import Space
from mesh.groups.records import load
from mesh.ids import MemberPk
from mesh.membership.graph import Entry
from mesh.node.local.methods import given
from mesh.node.local.methods.desk import Desk
from mesh.node.local.methods.fitting import newest
from mesh.node.local.methods.names import group_named
from mesh.node.local.methods.sanctions import own_quiet_json, quiet_json
from mesh.node.local.methods.sealed import close, notes_of, open_to_us, value_of, words_to_us
from mesh.node.local.methods.shown import alias_of, each, is_removal, iso, person
from mesh.node.local.protocol import JsonObject, phrased
from mesh.peer.own import LOGGED
from mesh.peer.records import NoteRecord
from mesh.peer.state import Room
from mesh.peer.statements import counting, quiets_of
from mesh.phrases import phrase, plural
from mesh.support.own import About, SinceRecord, own_key
from mesh.wire.notes import AppealNote, NoteTag, RecallNote, ReportNote, WordKind, WordNote
from mesh.wire.operations import OpType, RemoveBody, SettingsBody
from mesh.wire.statements import FoldingValue, Form
from mesh.wire.tickets import KEEPER_SETTING

ENTRIES_MAX: Final = 200  # in one answer, the newest; ours


async def log(desk: Desk, params: JsonObject) -> JsonObject:
    """Show what was done in a group, the newest last. Words to oneself count as seen then."""
    room = group_named(desk.state, given.text(params, "group"))
    now_ms = desk.now().wall_ms
    entries = [*_operations(desk, room), *_stated(room, now_ms), *_sealed(room, now_ms)]
    order = sorted(range(len(entries)), key=lambda k: (entries[k][0], k))
    shown, older = newest((entries[k][1] for k in order), most=ENTRIES_MAX)
    for key, note, _ in words_to_us(room, *WordKind):
        if not note.closed_ms:
            await close(desk, room, key)
    return {
        "group": {"id": room.group.gid.hex(), "name": room.group.founding.name},
        "entries": each(shown),
        "older": older,
        "quiet": own_quiet_json(room, now_ms),
    }


def _entry(room: Room, kind: str, by: MemberPk, at_ms: int) -> JsonObject:
    """Return an entry with all its keys; `at` null: before one came, or not known."""
    return {
        "kind": kind,
        "at": iso(at_ms) if at_ms else None,
        "by": person(room, by),
        "member": None,
        "rank": None,
        "settings": {},
        "message": None,
        "until": None,
        "reason": None,
        "id": None,
        "mine": False,
    }


# ---------------------------------------------------------------- operations


def _operations(desk: Desk, room: Room) -> Iterator[tuple[int, JsonObject]]:
    """Give what operations that count have done, in causal order, with when each came here."""
    log, view = room.group.log, room.group.view
    mask = 0
    for kind in LOGGED:
        mask |= log.graph.of_type(kind, view.valid)
    last_ms = 0
    for found in sorted(log.graph.entries(mask), key=lambda entry: (entry.act.gen, entry.act.op_id)):
        value = desk.store.get(Space.OWN, own_key(About.CAME, found.act.op_id, room.group.gid))
        at_ms = 0 if value is None else load(SinceRecord, value).at_ms
        entry = _operation(room, found, at_ms)
        if entry is not None:
            last_ms = max(last_ms, at_ms)
            yield last_ms, entry


def _operation(room: Room, found: Entry, at_ms: int) -> JsonObject | None:
    act, body = found.act, room.group.log.operation(found.act.op_id).body
    entry = _entry(room, act.type.name.lower(), found.author, at_ms)
    match act.type:
        case OpType.REMOVE:
            assert isinstance(body, RemoveBody)
            if not is_removal(room, found):
                return None
            return entry | {"kind": "removed", "member": person(room, act.subject), "reason": body.reason or None}
        case OpType.PROMOTE | OpType.DEMOTE:
            rank = act.granted_rank.name.lower()
            return entry | {"kind": "rank", "member": person(room, act.subject), "rank": rank}
        case OpType.SETTINGS:
            assert isinstance(body, SettingsBody)
            shown = {s.key: s.value for s in body.settings if not s.key.startswith(KEEPER_SETTING)}
            return entry | {"kind": "settings", "settings": {**shown}} if shown else None
        case _:
            return entry


# ---------------------------------------------------------------- statements


def _stated(room: Room, now_ms: int) -> Iterator[tuple[int, JsonObject]]:
    """Give who was asked to be quiet and who ended it, and which posts were folded."""
    for quiet in quiets_of(room, now_ms):
        shown = quiet_json(room, quiet)
        entry = _entry(room, "quiet", quiet.said.member, quiet.start_ms) | {key: shown[key] for key in ("id", "member")}
        yield quiet.start_ms, entry | {"until": iso(quiet.asked_ms)}
        if quiet.lift is not None:
            entry = _entry(room, "lift", quiet.lift.member, quiet.lift.ts_ms)
            yield quiet.lift.ts_ms, entry | {key: shown[key] for key in ("id", "member")}
    for word in counting(room, Form.FOLDING, now_ms):
        if isinstance(word.value, FoldingValue):
            kind = "fold" if word.value.holds else "unfold"
            yield word.ts_ms, _entry(room, kind, word.member, word.ts_ms) | {"message": word.subject.hex()}


# ---------------------------------------------------------------- under seal


def _sealed(room: Room, now_ms: int) -> Iterator[tuple[int, JsonObject]]:
    """Give what was said to us under seal, and what we said: words, reports, appeals; and which were taken back."""
    asked_by = {quiet.id: quiet.said.member for quiet in quiets_of(room, now_ms)}
    for key, note in notes_of(room, NoteTag.WORD, NoteTag.REPORT, NoteTag.APPEAL):
        value = value_of(note)
        assert isinstance(value, WordNote | ReportNote | AppealNote)
        by = MemberPk(note.by)
        kind = _kind_of(room, note, value, asked_by)
        shown = _entry(room, kind, by, note.at_ms)
        shown |= {"id": key[32:].hex(), "reason": value.text or None, "mine": note.mine}
        if isinstance(value, WordNote):
            to = [*note.told, *note.waits] if note.mine else [room.group.own.member_pk]
            shown |= {"member": person(room, MemberPk(to[0])) if to else None, "message": _message_of(value)}
        elif isinstance(value, ReportNote):
            shown |= {"member": person(room, MemberPk(value.posts[0].member)), "message": value.posts[0].post.hex()}
        yield note.at_ms, shown
        if note.mine and note.closed_ms and not isinstance(value, WordNote):
            entry = _entry(room, "recall", by, note.closed_ms)
            yield note.closed_ms, entry | {"id": key[32:].hex(), "mine": True}
    for _, note in notes_of(room, NoteTag.RECALL):
        value = value_of(note)
        if isinstance(value, RecallNote) and note.by + value.about in room.sealed and not note.mine:
            yield note.at_ms, _entry(room, "recall", MemberPk(note.by), note.at_ms) | {"id": value.about.hex()}


def _kind_of(
    room: Room, note: NoteRecord, value: WordNote | ReportNote | AppealNote, asked_by: Mapping[bytes, MemberPk]
) -> str:
    """Return what an entry is called. A word claims for what it was said; where it is not its author's to say it for
    that, it is a word of theirs and no more. `asked_by`: who asked for which quiet.
    """
    if not isinstance(value, WordNote):
        return "report" if isinstance(value, ReportNote) else "appeal"
    if value.kind in (WordKind.REPORT, WordKind.APPEAL):
        return "answer" if note.mine or _was_asked(room, note.by, value.about) else _WORD
    foreign = value.kind is WordKind.QUIET and asked_by.get(value.about, note.by) != note.by
    return _WORD if foreign else f"word-{value.kind.name.lower()}"


_WORD: Final = "word-note"


def _was_asked(room: Room, member: bytes, about: bytes) -> bool:
    """Say whether a report or an appeal of ours went to a member."""
    asked = room.sealed.get(room.group.own.member_pk + about)
    return asked is not None and asked.tag in (NoteTag.REPORT, NoteTag.APPEAL) and member in asked.told


def _message_of(value: WordNote) -> str | None:
    return value.about.hex() if value.kind is WordKind.FOLD else None


# ---------------------------------------------------------------- what waits for the person


def care_problems(room: Room, wall_ms: int, *, on_duty: bool) -> Iterator[JsonObject]:
    """Say what waits for the person: words to them, that they are asked to be quiet; on duty, reports and appeals."""
    name = room.group.founding.name
    asked = open_to_us(room)
    if asked and on_duty:
        what = plural(
            "A report or an appeal waits for you in “{group}”.",
            "{count} reports and appeals wait for you in “{group}”.",
            count=len(asked),
            group=name,
        )
        yield phrased(what=what, do="`mesh reports` shows what, and answers or closes it.")
    quiet = own_quiet_json(room, wall_ms)
    if quiet is not None:
        yield phrased(
            what=phrase("In “{group}” you are asked to be quiet until {time}.", group=name, time=str(quiet["until"])),
            do=phrase(
                'You can read on, and it ends by itself. `mesh log "{group}"` shows why; `mesh appeal "{group}"` asks '
                "a steward to look at it again.",
                group=name,
            ),
        )
    senders = _names(room, (note.by for _, note, _ in words_to_us(room, *WordKind) if not note.closed_ms))
    for sender in senders:
        yield phrased(
            what=phrase("{name} of “{group}” has written to you alone.", name=sender, group=name),
            do=phrase('`mesh log "{group}"` shows it.', group=name),
        )


def _names(room: Room, members: Iterable[bytes]) -> list[str]:
    return [alias_of(room, MemberPk(pk)) for pk in dict.fromkeys(members)]
