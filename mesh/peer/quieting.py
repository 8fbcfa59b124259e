"""Quieting: one who is asked to be quiet posts nothing for that while; what they typed before waits until it is over.

An honest node keeps to it by itself. What a changed one sends meanwhile is stored and passed on as any message, so that
nothing seems to be missing, and shown closed (`mesh.support.ladder`). Notes under seal, flags, what takes words back,
and leaving are open as ever: one can report, appeal and go.
"""

from mesh.errors import RefusedError
from mesh.peer.records import DraftRecord
from mesh.peer.state import Room
from mesh.peer.statements import quiets_of, read_body
from mesh.phrases import phrase
from mesh.support.forms import FORMS
from mesh.support.ladder import Quiet
from mesh.wire.messages import Kind


def quiet_now(room: Room, wall_ms: int) -> list[Quiet]:
    """Return what asks us to be quiet now, the one that lasts longest at the end."""
    own = room.group.own.member_pk
    found = [quiet for quiet in quiets_of(room, wall_ms) if quiet.member == own and quiet.lasts(wall_ms)]
    return sorted(found, key=lambda quiet: (quiet.end_ms, quiet.id))


def require_not_quiet(room: Room, wall_ms: int) -> None:
    """RefusedError, in words, for one who is asked to be quiet."""
    if quiet_now(room, wall_ms):
        raise RefusedError(
            phrase("you have been asked to be quiet in “{group}” for a while", group=room.group.founding.name),
            why="others' nodes would show your words closed; you can read on, and it ends by itself",
            do="`mesh log GROUP` shows until when and why; `mesh appeal GROUP` asks a steward to look at it again",
            code="E-QUIET",
        )


def waits_for_quiet(room: Room, draft: DraftRecord, wall_ms: int) -> bool:
    """Say whether something of ours that waits is to wait until we need not be quiet any more."""
    if draft.kind == Kind.STATEMENT:
        rules = FORMS.get(read_body(draft.body).form)
        return rules is not None and rules.speaks and bool(quiet_now(room, wall_ms))
    return draft.kind == Kind.POST and bool(quiet_now(room, wall_ms))
