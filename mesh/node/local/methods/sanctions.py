"""`sanction`: the steps of the ladder, each with a reason for whom it concerns alone; and `appeal`."""

from typing import Final

from mesh.commands import MakeStatement, Rank
from mesh.errors import LocalError, RefusedError
from mesh.events import Space
from mesh.groups.records import load
from mesh.ids import DeviceId, MemberPk, PostId
from mesh.node.local.methods import given
from mesh.node.local.methods.desk import Desk
from mesh.node.local.methods.names import group_named, member_named, message_named
from mesh.node.local.methods.sealed import note_json, said, say, waits, words_to_us
from mesh.node.local.methods.shown import iso, person
from mesh.node.local.protocol import JsonObject
from mesh.peer.quieting import quiet_now
from mesh.peer.records import MessageRecord
from mesh.peer.rights import require_in, require_rank
from mesh.peer.state import Room
from mesh.peer.statements import counting, quiets_of
from mesh.peer.stating import is_told
from mesh.peer.tracks import Track
from mesh.phrases import phrase
from mesh.support import ladder, reports
from mesh.support.ladder import Quiet
from mesh.wire import limits
from mesh.wire.codec import Record, encode
from mesh.wire.messages import Kind
from mesh.wire.notes import AppealNote, NoteTag, WordKind, WordNote
from mesh.wire.statements import FoldingValue, Form, LiftValue, QuietValue, SaidSoFar
from mesh.wire.text import require_text

QUIET_S_DEFAULT: Final = 86_400
STEPS: Final = ("note", "fold", "unfold", "quiet", "lift")


async def sanction(desk: Desk, params: JsonObject) -> JsonObject:
    """Take a step of the ladder with a member who is junior; `told`: all of it has gone out."""
    room = group_named(desk.state, given.text(params, "group"))
    step = given.text(params, "step")
    if step not in STEPS:
        raise LocalError(
            phrase("“{typed}” is no step of the ladder", typed=step[:40]),
            why=phrase("the steps are: {names}", names=", ".join(STEPS)),
            do="`mesh group remove` is the last one",
            code="E-USAGE",
        )
    member = member_named(room, given.text(params, "member"))
    _require_junior(room, member)
    optional = step in ("unfold", "lift")
    reason = require_text(
        "reason", given.text(params, "reason", ""), limits.WORD_TEXT_BYTES_MAX, lines=True, empty=optional
    )
    stated: list[tuple[Form, bytes]] = []
    about, kind, until = b"", WordKind.NOTE, None
    match step:
        case "quiet":
            quiet, until = await _quiet(desk, room, member, params)
            about, kind, stated = quiet, WordKind.QUIET, [(Form.QUIET, quiet)]
        case "lift":
            ended = await _lift(desk, room, member)
            about, kind, stated = ended[-1], WordKind.LIFT, [(Form.LIFT, quiet) for quiet in ended]
        case "fold" | "unfold":
            about = await _fold(desk, room, member, params, holds=step == "fold")
            kind, stated = WordKind.FOLD, [(Form.FOLDING, about)]
        case _:
            pass
    word = WordNote(kind=kind, about=about, text=reason)
    key = await say(desk, room, NoteTag.WORD, [member], word) if reason else None
    told = await desk.until(
        lambda: all(is_told(room, form, subject) for form, subject in stated) and (key is None or not waits(room, key)),
        given.seconds(params, "wait_s", 2.0),
    )
    shown: JsonObject = {
        "group": room.group.gid.hex(),
        "member": person(room, member),
        "step": step,
        "id": about.hex() or None,
        "until": until,
    }
    return {"sanction": shown, "told": told}


def _require_junior(room: Room, member: MemberPk) -> None:
    """RefusedError unless we may take steps with this member."""
    require_rank(room, Rank.MODERATOR, "do that")
    target = room.group.view.members[member]
    if target.rank <= room.group.rank:
        raise RefusedError(
            phrase(
                "the rank of {member} is {rank}, and yours is {own_rank}",
                member=target.alias,
                rank=target.rank.name.lower(),
                own_rank=room.group.rank.name.lower(),
            ),
            why="one takes such steps with those alone who have a lower rank, so that no two can take them with each "
            "other",
            do="ask someone with a higher rank; `mesh report` tells the others of a message",
        )


async def _quiet(desk: Desk, room: Room, member: MemberPk, params: JsonObject) -> tuple[bytes, str]:
    """Ask a member to be quiet; return the id of that, and until when."""
    for_s = given.number(params, "for_s", QUIET_S_DEFAULT)
    if not limits.QUIET_S_MIN <= for_s <= limits.QUIET_S_MAX:
        raise LocalError(
            "a quiet lasts from one minute to 14 days",
            why="a longer one has to be asked for anew, where everybody can see it",
            do="name a shorter time with --for",
            code="E-USAGE",
        )
    now_ms = desk.now().wall_ms
    before = [quiet for quiet in quiets_of(room, now_ms) if quiet.member == member and quiet.lasts(now_ms)]
    cuts = [
        SaidSoFar(dev=dev, mseq=min(_said_so_far(room, dev), *(quiet.cuts.get(dev, 0) for quiet in before), _ANY))
        for dev in room.group.view.members[member].devices
    ]
    value = QuietValue(made_ms=now_ms, member=member, for_s=for_s, cuts=cuts)
    quiet_id = ladder.quiet_id(room.group.own.member_pk, value)
    lasts_s = for_s + ladder.LOGGED_S
    await _state(desk, room, Form.QUIET, quiet_id, value, lasts_s)
    return quiet_id, iso(now_ms + for_s * 1000)


_ANY: Final = limits.MSEQ_MAX


def _said_so_far(room: Room, dev: DeviceId) -> int:
    return room.tracks.get(dev, Track()).top


async def _lift(desk: Desk, room: Room, member: MemberPk) -> list[bytes]:
    """End whatever asks a member to be quiet, or else open what did; return the ids. LocalError if nothing did."""
    now_ms = desk.now().wall_ms
    asked = [quiet for quiet in quiets_of(room, now_ms) if quiet.member == member and quiet.lift is None]
    lasting = [quiet for quiet in asked if quiet.lasts(now_ms)]
    found = [quiet.id for quiet in lasting or asked]
    if not found:
        raise LocalError(
            "nobody has asked them to be quiet, or it is over", do="`mesh log GROUP` shows it", code="E-NOT-QUIET"
        )
    for quiet in found:
        await _state(desk, room, Form.LIFT, quiet, LiftValue(), limits.QUIET_S_MAX + ladder.LOGGED_S)
    return found


async def _fold(desk: Desk, room: Room, member: MemberPk, params: JsonObject, *, holds: bool) -> bytes:
    """Fold a post of a member for all, or open it again; return its id."""
    post, _, place = message_named(desk.store, given.text(params, "message"), room.group.gid)
    value = desk.store.get(Space.MESSAGES, place)
    record = None if value is None else load(MessageRecord, value)
    if record is None or record.kind != Kind.POST or record.member != member:
        raise LocalError("that is no message of theirs", do="`mesh read` shows ids and authors", code="E-NO-MESSAGE")
    await _state(desk, room, Form.FOLDING, post, FoldingValue(holds=holds), 0)
    return post


async def _state(desk: Desk, room: Room, form: Form, subject: bytes, value: Record, lasts_s: int) -> None:
    await desk.ask(
        MakeStatement(group=room.group.gid, form=form, subject=subject, value=encode(value), lasts_s=lasts_s)
    )


# ---------------------------------------------------------------- whom it concerns


def folded_by(room: Room, post: PostId, author: MemberPk, wall_ms: int) -> JsonObject | None:
    """Say which moderator, or more senior member, folded a post, if one did."""
    member = room.group.view.members.get(author)
    rank = Rank.NEWCOMER if member is None else member.rank
    word = ladder.is_folded(counting(room, Form.FOLDING, wall_ms, subject=post), rank)
    return None if word is None else person(room, word.member)


def quiet_json(room: Room, quiet: Quiet) -> JsonObject:
    """Describe a quiet as everybody sees it: who, by whom, until when; never why."""
    return {
        "id": quiet.id.hex(),
        "member": person(room, quiet.member),
        "by": person(room, quiet.said.member),
        "at": iso(quiet.start_ms),
        "until": iso(quiet.end_ms),
        "lifted_by": None if quiet.lift is None else person(room, quiet.lift.member),
    }


def own_quiet_json(room: Room, wall_ms: int) -> JsonObject | None:
    """Describe what asks us to be quiet now, with the reason that was said to us; None if nothing does."""
    found = quiet_now(room, wall_ms)
    if not found:
        return None
    last = found[-1]
    words = words_to_us(room, WordKind.QUIET)
    reasons = [word.text for _, note, word in words if word.about == last.id and note.by == last.said.member]
    return {**quiet_json(room, last), "reason": reasons[-1] if reasons else None}


async def appeal(desk: Desk, params: JsonObject) -> JsonObject:
    """Ask stewards or founders who had no part in it to look at the last step again. RefusedError if there is none."""
    room = group_named(desk.state, given.text(params, "group"))
    require_in(room)
    about, involved = _last_step(desk, room)
    own = room.group.own.member_pk
    readers = reports.readers_of(room.group.view.members.values(), own, involved)
    if not readers:
        raise RefusedError(
            phrase("in “{group}” there is no steward or founder who had no part in it", group=room.group.founding.name),
            why="an appeal goes to nobody who took the step; nothing was sent",
            do="`mesh group leave` goes, and `mesh group fork` goes on with those who like to come; "
            "`mesh talk` reaches whoever took the step",
            code="E-NOBODY-TO-TELL",
        )
    text = require_text("note", given.text(params, "note", ""), limits.WORD_TEXT_BYTES_MAX, lines=True, empty=True)
    key = await say(desk, room, NoteTag.APPEAL, readers, AppealNote(about=about, text=text))
    told = await said(desk, room, key, params)
    return {"appeal": {**note_json(room, key, room.sealed[key]), "text": text or None}, "told": told}


def _last_step(desk: Desk, room: Room) -> tuple[bytes, set[MemberPk]]:
    """Return which step is appealed against, and who had a part in it: what asks us to be quiet, else the last word.

    LocalError if there is none.
    """
    quiets = quiet_now(room, desk.now().wall_ms)
    if quiets:
        return quiets[-1].id, {quiet.said.member for quiet in quiets}
    words = words_to_us(room, WordKind.NOTE, WordKind.FOLD, WordKind.QUIET)
    if not words:
        raise LocalError(
            "nobody has taken a step with you here that you could appeal against",
            do="`mesh log GROUP` shows what was done; `mesh report` tells stewards of a message",
            code="E-NO-SANCTION",
        )
    key, note, word = words[-1]
    alike = {MemberPk(there.by) for _, there, other in words if word.about and other.about == word.about}
    return word.about or key[32:], {MemberPk(note.by), *alike}


def quiet_until(room: Room, member: MemberPk, wall_ms: int) -> str | None:
    """Say until when a member is asked to be quiet; None if they are not."""
    ends = [q.end_ms for q in quiets_of(room, wall_ms) if q.member == member and q.lasts(wall_ms)]
    return iso(max(ends)) if ends else None
