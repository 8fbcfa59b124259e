"""Statements in the store, and which of them count: judged here once for all forms (`mesh.support.statements`).

A statement counts if its author had the rank for it: as they had it by the operations that they had seen (its `heads`),
unless that rank was taken from them since. For of somebody's words nobody can say which they signed before they were
demoted and which after: those of one who was demoted by another count no further than the rank that is left to them. Of
one who was removed it can be said, up to the removal's cut. So it follows from the operations and the statements alone.
"""

import dataclasses
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Final

from msgspec.structs import replace

from mesh.commands import Rank
from mesh.events import Notice, Space
from mesh.groups.erasing import has_erased
from mesh.groups.group import Group
from mesh.groups.messaging import cut_of
from mesh.groups.retention import keep_ms
from mesh.ids import DeviceId, MemberPk, MsgId, OpId
from mesh.membership.graph import Entry
from mesh.peer.records import DraftRecord, MessageRecord
from mesh.peer.state import Room, Step
from mesh.peer.stated import Stated
from mesh.support import ladder
from mesh.support.forms import FORMS, read_value
from mesh.support.ladder import Quiet
from mesh.support.statements import Rules, Said
from mesh.wire import limits
from mesh.wire.codec import decode, encode
from mesh.wire.messages import Flag, Kind, StatementBody
from mesh.wire.operations import ZERO32, OpType
from mesh.wire.statements import Form

_WAITS: Final = MsgId(ZERO32)

# ---------------------------------------------------------------- the store


def keep_statement(room: Room, record: MessageRecord, step: Step) -> None:
    """Keep a statement if it is among its author's newest, and tell whoever listens. RemoteError if it is none.

    Of one who left without a trace there is kept only what binds others (`what_stays`). What makes no sense in its form
    takes no place, and replaces nothing; its name is noted, so that a later version may take it again.
    """
    heard: Stated | None = Stated.of(record)
    if heard is not None and has_erased(room.group, record.member):
        heard = what_stays(heard)
    if heard is None:
        return
    if heard.value is None and record.origin is not None and heard.body.form in FORMS:
        _note_gave_way(room, heard, step)
        return
    stated = _blank_if_over(room, heard, step.now.wall_ms)
    if stated.record.origin is None and room.statements.kept(stated) is not None:
        return
    gone = room.statements.put(stated, partial(cut_of, room.group))
    if gone is None:
        _note_gave_way(room, stated, step)
        return
    for there in gone:
        _give_way(room, there, step)
    save(room, stated, step)
    if record.dev not in room.group.view.devices and record.dev not in room.cuts:
        note_cuts(room, step)
    if stated.body.form == Form.TALK_END:
        step.ends.setdefault(room.group.gid, 0)
    notify(room, stated.body.form, step)


def save(room: Room, stated: Stated, step: Step) -> None:
    """Have the store hold a statement as it is kept now."""
    step.journal.put(Space.STATEMENTS, room.group.gid + stated.key, encode(stated.record))


def note_cuts(room: Room, step: Step) -> None:
    """Have all be asked anew if other devices are out than before, or other words of those count that are.

    From then on these share one allowance of their member's.
    """
    devices = room.group.view.devices
    out = [stated.record for stated in room.statements if stated.record.dev not in devices]
    owners = {DeviceId(record.dev): record.member for record in out}
    cuts = {dev: cut_of(room.group, dev) for dev in owners}
    if cuts != room.cuts:
        room.cuts, room.cuts_ms = cuts, step.now.mono_ms
        for gone in room.statements.share(owners, partial(cut_of, room.group)):
            _give_way(room, gone, step)


def _give_way(room: Room, stated: Stated, step: Step) -> None:
    """Have the store forget a statement that is kept no more, but for its name."""
    step.journal.delete(Space.STATEMENTS, room.group.gid + stated.key)
    _note_gave_way(room, stated, step)


def _note_gave_way(room: Room, stated: Stated, step: Step) -> None:
    prefix = room.group.gid + stated.record.dev
    step.journal.put(Space.GAVE_WAY, prefix + stated.name, b"")
    for name in room.statements.note_gave_way(DeviceId(stated.record.dev), stated.name):
        step.journal.delete(Space.GAVE_WAY, prefix + name)


def what_stays(stated: Stated) -> Stated | None:
    """Return what remains of a statement whose author left without a trace; None: nothing.

    It is what binds others, without its author's words. What had words is not as it was signed any more, and is not
    handed on.
    """
    rules = FORMS.get(stated.body.form)
    if rules is None or rules.stays is None or stated.value is None:
        return None
    value = encode(rules.stays(stated.value))
    if value == stated.body.value:
        return stated
    record, body = stated.record, replace(stated.body, value=value)
    return Stated.of(replace(record, body=encode(body), flags=record.flags | Flag.NO_HISTORY))


def notify(room: Room, form: int, step: Step) -> None:
    """Tell whoever listens that something of a form was stated."""
    step.notify(Notice.SUPPORT, room.group.gid, form.to_bytes(2, "big"))


def has_ended(room: Room, body: StatementBody, ts_ms: int, wall_ms: int) -> bool:
    """Say whether a statement's time is over: by its own word, or by the group's `keep` where its form fades."""
    kept, lasts_s = keep_ms(room.group), _lasts_s(body)
    fades = body.form not in FORMS or FORMS[body.form].fades
    over = bool(lasts_s) and ts_ms + lasts_s * 1000 <= wall_ms
    return over or bool(fades and kept and ts_ms + kept <= wall_ms)


def _lasts_s(body: StatementBody) -> int:
    """Return for how long a statement counts by its own word; 0: it has no end of its own."""
    lasts_s = FORMS[body.form].lasts_s if body.form in FORMS else None
    value = None if lasts_s is None else read_value(body)
    return body.lasts_s if lasts_s is None or value is None else lasts_s(value)


def draft_has_ended(room: Room, draft: DraftRecord, wall_ms: int) -> bool:
    """Say the same of one of our own that waits."""
    return has_ended(room, read_body(draft.body), draft.ts_ms, wall_ms)


def first_ahead(room: Room, dev: DeviceId, wall_ms: int) -> MessageRecord | None:
    """Return the first statement of a device that is dated ahead, of those that are kept; None where none is."""
    theirs = (stated.record for stated in room.statements if stated.record.dev == dev)
    ahead = (
        there for there in theirs if there.origin is not None and there.ts_ms > wall_ms + limits.CLOCK_AHEAD_MS_MAX
    )
    return min(ahead, key=lambda there: there.mseq, default=None)


def _blank_if_over(room: Room, stated: Stated, wall_ms: int) -> Stated:
    """Take the words from what is over, or of a form that is not known here; its place stays taken.

    The words of a form that `lingers` stay until its author's older ones cannot be about any more.
    """
    record, body = stated.record, stated.body
    lingers = body.form in FORMS and FORMS[body.form].lingers
    then_ms = wall_ms - limits.EXPIRES_S_MAX * 1000 if lingers else wall_ms
    if record.origin is None or (body.form in FORMS and not has_ended(room, body, record.ts_ms, then_ms)):
        return stated
    return Stated.of(replace(record, body=encode(replace(body, value=b"")), origin=None))


def blank_over(room: Room, step: Step) -> Iterator[MessageRecord]:
    """Forget the words of statements that are over; give each, so that its frame can go too."""
    for stated in list(room.statements):
        blank = _blank_if_over(room, stated, step.now.wall_ms)
        if blank is not stated:
            room.statements.put(blank, partial(cut_of, room.group))
            save(room, blank, step)
            yield stated.record


# ---------------------------------------------------------------- what counts


def counting(room: Room, form: int, wall_ms: int, *, subject: bytes | None = None) -> list[Said]:
    """Return the statements of a form that count now, about one subject or all; our own that wait among them."""
    rules = FORMS[form]
    found = room.statements.of_form(form) if subject is None else room.statements.about(form, subject)
    said = [word for stated in found if (word := _judged(room, rules, stated, wall_ms)) is not None]
    if rules.speaks and said and (quiets := quiets_of(room, wall_ms)):
        hushed = {stated.record.msg_id for stated in found if is_hushed(quiets, stated.record, wall_ms)}
        said = [word for word in said if word.msg_id not in hushed]
    return said + [word for word in _waiting(room, rules, wall_ms) if subject is None or word.subject == subject]


def quiets_of(room: Room, wall_ms: int) -> list[Quiet]:
    """Return who is, or was, asked to be quiet, in the order in which that was said."""
    ranks = {pk: member.rank for pk, member in room.group.view.members.items()}
    found = ladder.fold(counting(room, Form.QUIET, wall_ms), counting(room, Form.LIFT, wall_ms), ranks)
    return [dataclasses.replace(quiet, former=_former_devices(room, quiet)) for quiet in found]


def _former_devices(room: Room, quiet: Quiet) -> frozenset[DeviceId]:
    """Return the devices that a member had no more, as the author of a quiet saw it: they can say nothing new."""
    group = room.group
    said = (there.record for there in room.statements.about(Form.QUIET, quiet.id))
    heads = next((r.origin.heads for r in said if r.origin is not None and r.msg_id == quiet.said.msg_id), None)
    mask = group.log.everything if heads is None else group.log.closure(heads)
    if mask is None:
        return frozenset()
    brought = group.log.graph.entries(group.log.graph.brought_for(quiet.member, mask))
    devices = {entry.act.device for entry in brought if entry.act.device is not None}
    return frozenset(devices - group.view_of(mask).devices.keys())


def is_hushed(quiets: Iterable[Quiet], record: MessageRecord, wall_ms: int) -> bool:
    """Say whether a message stays closed because its author was asked to be quiet, and said it all the same."""
    return any(
        quiet.member == record.member and quiet.closes(DeviceId(record.dev), record.mseq, record.ts_ms, wall_ms)
        for quiet in quiets
        if record.mseq
    )


def _judged(room: Room, rules: Rules, stated: Stated, wall_ms: int) -> Said | None:
    """Say what a statement counts as; None where it does not."""
    group, record, origin = room.group, stated.record, stated.record.origin
    if stated.value is None or origin is None or record.ts_ms > wall_ms + limits.CLOCK_AHEAD_MS_MAX:
        return None
    if has_ended(room, stated.body, record.ts_ms, wall_ms) or record.mseq > cut_of(group, record.dev):
        return None
    rank = rank_of(group, record.member, origin.heads)
    present = group.view.members.get(record.member)
    if rank is None or rank > rules.least or (rules.only_in and (present is None or present.rank > rules.least)):
        return None
    return Said(
        member=record.member,
        dev=record.dev,
        rank=rank,
        ts_ms=record.ts_ms,
        msg_id=record.msg_id,
        subject=stated.body.subject,
        value=stated.value,
    )


def _waiting(room: Room, rules: Rules, wall_ms: int) -> Iterator[Said]:
    """Give those of our own that nobody has been told of; they are judged as what they will be once they are said."""
    me = room.group.me
    for draft in room.drafts.values():
        body = read_body(draft.body) if draft.kind == Kind.STATEMENT else None
        value = None if body is None or body.form != rules.form else read_value(body)
        if me is None or me.rank > rules.least or body is None or value is None:
            continue
        if not has_ended(room, body, draft.ts_ms, wall_ms):
            yield Said(
                member=me.pk,
                dev=room.group.own.dev,
                rank=me.rank,
                ts_ms=draft.ts_ms,
                msg_id=_WAITS,
                subject=body.subject,
                value=value,
                waits=True,
            )


def read_body(raw: bytes) -> StatementBody:
    """Read a message's body as a statement. RemoteError."""
    return decode(StatementBody, raw, bytes_max=limits.MESSAGE_BYTES_MAX)


# ---------------------------------------------------------------- ranks


def rank_of(group: Group, member: MemberPk, heads: Iterable[OpId]) -> Rank | None:
    """Return the rank with which a member said something that names these heads, as it counts now; None: none at all.

    It is the one that they had there, while the grant that gave it stands or only a removal took it (the cut sees to
    that), or they gave it up themselves; else what rank they have now.
    """
    present = group.view.members.get(member)
    now = None if present is None else present.rank
    if not _was_ever_senior(group, member):
        return _plain(group, member, heads) if now is None else now
    mask = group.log.closure(heads)
    then = None if mask is None else group.view_of(mask).members.get(member)
    grant = None if then is None else group.log.graph.entry(then.grant)
    if then is None or grant is None:
        return None
    return then.rank if _stands(group, member, grant) else now


def _was_ever_senior(group: Group, member: MemberPk) -> bool:
    """Say whether anything ever gave this member a rank above that of a member: else nothing need be looked up."""
    graph = group.log.graph
    grants = graph.entries(graph.granted_to(member, group.log.everything))
    return any(entry.act.granted_rank < Rank.MEMBER for entry in grants)


def _plain(group: Group, member: MemberPk, heads: Iterable[OpId]) -> Rank | None:
    """Return the rank of one who is out and was never more than a member."""
    mask = group.log.closure(heads)
    then = None if mask is None else group.view_of(mask).members.get(member)
    return None if then is None else then.rank


def _stands(group: Group, member: MemberPk, grant: Entry) -> bool:
    """Say whether a grant counts, and nobody else demoted its holder from it."""
    standing = group.views.standing(group.log.everything)
    demoted = any(entry.act.type is OpType.DEMOTE for entry in standing.revoking(member, grant))
    return standing.gives(grant) and not demoted
