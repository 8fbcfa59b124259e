"""Stating: our own statements go out as what we type does, when somebody is there; others' are kept as they come.

A statement of ours holds here from the moment it was typed, and waits as a draft until a member is there to take it. A
newer one on the same thing takes its place, so that no more goes out than what we last said.
"""

from collections.abc import Iterable
from typing import Final

from mesh.commands import MakeStatement, Rank
from mesh.errors import LocalError, RefusedError
from mesh.groups.messaging import Original
from mesh.ids import PostId
from mesh.peer.circling import note_turn
from mesh.peer.originals import message_record
from mesh.peer.quieting import require_not_quiet
from mesh.peer.records import DraftRecord
from mesh.peer.rights import require_in, require_rank
from mesh.peer.speaking import drop_draft, hand_over, keep_draft
from mesh.peer.state import Room, State, Step, post_id
from mesh.peer.statements import keep_statement, notify, read_body
from mesh.phrases import own, phrase
from mesh.support.circles import FORMS_OF_CIRCLES
from mesh.support.forms import FORMS, read_value
from mesh.support.statements import Rules
from mesh.wire import limits
from mesh.wire.codec import encode
from mesh.wire.messages import Kind, StatementBody

_OF_CIRCLES: Final[frozenset[int]] = frozenset(FORMS_OF_CIRCLES)


def make_statement(state: State, room: Room, command: MakeStatement, step: Step) -> bytes:
    """State something; return its id (16 B), or nothing where nothing had to be said. RefusedError, LocalError."""
    require_sayable(room, command, step.now.wall_ms)
    if len(command.subject) > limits.STATEMENT_SUBJECT_BYTES_MAX:
        raise LocalError("there is no such thing to say something of", code="E-USAGE")
    body = StatementBody(form=command.form, subject=command.subject, lasts_s=command.lasts_s, value=command.value)
    assert read_value(body) is not None, "whoever asks composes what the form takes"
    for number, draft in list(room.drafts.items()):
        if draft.kind == Kind.STATEMENT and _is_about(read_body(draft.body), body):
            drop_draft(room, number, step)
    before = room.statements.about(body.form, body.subject)
    notify(room, body.form, step)
    if command.takes_back and not before:
        return b""
    ahead_ms = step.now.wall_ms + limits.CLOCK_AHEAD_MS_MAX
    seen = (*(there.record.ts_ms for there in before), command.after_ms)
    seen_ms = max((ts_ms for ts_ms in seen if ts_ms <= ahead_ms), default=0)
    ts_ms = max(step.now.wall_ms, seen_ms + 1)  # it is said after what it answers, whatever the clocks say
    uid = step.entropy.draw(16)
    draft = DraftRecord(
        post=post_id(room.group.own.dev, uid),
        uid=uid,
        kind=Kind.STATEMENT,
        ts_ms=ts_ms,
        at_ms=ts_ms,
        flags=0,
        body=encode(body),
        gone_ms=0,
        source=None,
    )
    keep_draft(room, draft, step)
    if body.form in _OF_CIRCLES:
        note_turn(room, step)
    hand_over(state, room, step)
    return PostId(draft.post)


def follow(state: State, room: Room, forms: Iterable[int], step: Step) -> None:
    """Do what follows from something of these forms' having been stated: a circle that moved lets others speak."""
    if not _OF_CIRCLES.isdisjoint(forms):
        note_turn(room, step)
        hand_over(state, room, step)


def _is_about(one: StatementBody, other: StatementBody) -> bool:
    return (one.form, one.subject) == (other.form, other.subject)


def require_sayable(room: Room, command: MakeStatement, wall_ms: int) -> None:
    """RefusedError, in words, where we may not state this now: by our rank, or while we are asked to be quiet."""
    require_may(room, FORMS[command.form])
    if FORMS[command.form].speaks and not command.takes_back:
        require_not_quiet(room, wall_ms)


def require_may(room: Room, rules: Rules) -> None:
    """RefusedError, in words, for one whose rank is lower than the form asks for."""
    require_in(room)
    if rules.least < Rank.MEMBER:
        require_rank(room, rules.least, rules.deed)
    elif room.group.rank > rules.least:
        raise RefusedError(
            phrase("newcomers cannot {deed} yet", deed=own(rules.deed)),
            why="for the first three days one listens; then one is a member",
            do="ask a member or a moderator",
        )


def is_told(room: Room, form: int, subject: bytes) -> bool:
    """Say whether what we stated of something is out, or nothing had to be said."""
    waiting = (read_body(draft.body) for draft in room.drafts.values() if draft.kind == Kind.STATEMENT)
    return all((body.form, body.subject) != (form, subject) for body in waiting)


def hear_statement(state: State, room: Room, original: Original, sig: bytes, step: Step) -> None:
    """Keep what somebody stated. RemoteError if it is no statement."""
    record = message_record(original, sig, original.tbs.ts_ms, step.now.wall_ms, handed_on=False)
    keep_statement(room, record, step)
    follow(state, room, [read_body(record.body).form], step)
