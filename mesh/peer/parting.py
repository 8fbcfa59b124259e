"""Parting: how a talk with a listener ends, and what is left of one that did not come about.

Either ends it, and says so by one sealed word without a reason. What was said goes from the ender's store at once; the
keys go as soon as a keeper or the other has the word, and after a minute in any case. The other's node forgets all of
it when it hears the word. One that nobody ends is forgotten after a day. What stays for a while is that there was a
talk: not with whom.
"""

from typing import Final

from msgspec.structs import replace

from mesh.commands import MakeStatement
from mesh.errors import LocalError
from mesh.events import Space
from mesh.groups.authoring import author
from mesh.groups.discreet import is_listening
from mesh.groups.invites import HOUR_MS
from mesh.ids import GroupId, JoinId
from mesh.listening import EndListening, SeenListening
from mesh.peer.joining import drop_join
from mesh.peer.leaving import forget, forget_words
from mesh.peer.listening import (
    asked_in,
    forget_asking,
    is_over,
    join_of,
    keep,
    listen_state,
    no_asking,
    tell_asks,
)
from mesh.peer.records import ListenRecord
from mesh.peer.speaking import publish
from mesh.peer.state import Room, State, Step
from mesh.peer.stating import is_told, make_statement
from mesh.wire.codec import encode
from mesh.wire.codes import InviteCode
from mesh.wire.invites import Door
from mesh.wire.operations import OpType, UninviteBody
from mesh.wire.statements import Form, TalkEndValue

LIFE_MS: Final = 24 * HOUR_MS  # a talk that nobody ends; ours
KEYS_MS: Final = 60_000  # what it takes to say the end goes after so long, if nobody says that they have it; ours
HEARD_MS: Final = 1_000  # keys go so long after we heard of the end; ours
TIMER: Final = "parting"
SHOWN_DAYS: Final = 7  # that there was a talk is kept so long, if the person does not look; ours
_FORMS: Final = (Form.TALK_END, b"")


def after_operations(state: State, room: Room, step: Step) -> None:
    """Note that both are in, and close the other doors of the asking; or that one of the two is out."""
    _close_to_those_out(state, room, step)
    asked = asked_in(state, room.group.gid) if is_listening(room.group) else None
    if asked is None:
        return
    parent, kept = asked
    if room.group.own.left:  # the keys go when the leave had time to arrive
        keep(parent, room.group.gid, replace(kept, ended_ms=kept.ended_ms or step.now.wall_ms), step)
    elif room.group.view.departed or room.group.me is None:
        finish(state, room, step)
    elif room.group.others and not kept.opened_ms:
        opened = replace(kept, opened_ms=step.now.wall_ms, member=None, addresses=[], taken=False)
        keep(parent, room.group.gid, opened, step)
        for gid, other in list(parent.listens.items()):
            if kept.mine and other.ask == kept.ask and gid != room.group.gid and not other.taken:
                _shut(state, gid, step)
                keep(parent, gid, replace(other, taken=True, member=None), step)


def _close_to_those_out(state: State, parent: Room, step: Step) -> None:
    """Close the doors of our askings to volunteers who are not in the group any more."""
    for gid, kept in list(parent.listens.items()):
        room = state.rooms.get(gid)
        if room is None or not kept.mine or kept.opened_ms or kept.taken:
            continue
        asked = {member for invite in room.group.invites.values() for member in invite.body.allow}
        if not asked <= parent.group.view.members.keys():
            _shut(state, gid, step)
            keep(parent, gid, replace(kept, taken=True, member=None), step)


def _shut(state: State, gid: GroupId, step: Step) -> None:
    """Close the door of a group for two into which nobody is to come any more."""
    room = state.rooms.get(gid)
    for invite in list(room.group.invites.values()) if room is not None else ():
        if room is not None and invite.open:
            body = UninviteBody(invite=invite.op_id)
            publish(state, room, author(room.group, OpType.UNINVITE, body, step.means()), step)


# ---------------------------------------------------------------- ending


def end_listening(state: State, parent: Room, command: EndListening, step: Step) -> None:
    """End a talk, take an asking back, or put aside what we are asked. LocalError."""
    gid = command.talk
    kept = parent.listens.get(gid)
    if kept is None:
        raise no_asking()
    match listen_state(state, parent, gid, step.now.wall_ms):
        case "open":
            keep(parent, gid, replace(kept, ended_ms=step.now.wall_ms, seen=True), step)
            _say_end(state, gid, step)
        case "waiting" | "asked" | "taken" | "expired" if kept.mine:
            _take_back(state, parent, kept, step)
        case "offered" | "joining":
            _drop_join(state, gid, step)
            keep(parent, gid, replace(kept, declined=True), step)
        case "ended":
            keep(parent, gid, replace(kept, seen=True), step)
        case _:
            raise no_asking()


def _say_end(state: State, gid: GroupId, step: Step) -> None:
    """Forget what was said in a talk, and say that it is over."""
    room = state.rooms.get(gid)
    if room is None:
        return
    forget_words(room, step)
    if room.group.me is None or room.group.own.left:
        forget(state, room, step)
        return
    end = MakeStatement(group=gid, form=Form.TALK_END, subject=b"", value=encode(TalkEndValue()))
    make_statement(state, room, end, step)


def _take_back(state: State, parent: Room, kept: ListenRecord, step: Step) -> None:
    """Take an asking back, or what is left of it: nobody is told, and nobody finds the groups for it any more."""
    for gid, other in list(parent.listens.items()):
        if other.mine and other.ask == kept.ask and not other.opened_ms:
            forget_asking(parent, gid, step)
            if gid in state.rooms:
                forget(state, state.rooms[gid], step)


def _drop_join(state: State, gid: GroupId, step: Step) -> None:
    join = join_of(state, gid)
    if join is not None:
        drop_join(state, JoinId(join.join), step)


def finish(state: State, room: Room, step: Step) -> None:
    """Forget all of a talk; what stays is that there was one."""
    gid = room.group.gid
    asked = asked_in(state, gid)
    if asked is not None:
        parent, kept = asked
        ended_ms = kept.ended_ms or step.now.wall_ms
        keep(parent, gid, replace(kept, ended_ms=ended_ms, member=None, addresses=[]), step)
    forget(state, room, step)


def hear_ends(state: State, step: Step) -> None:
    """An end was stated in these groups, or our word of it is stored elsewhere: forget them.

    What the other said is forgotten a moment later: first they are told that it came.
    """
    for gid, stored in list(step.ends.items()):
        room = state.rooms.get(gid)
        if room is None or not is_listening(room.group):
            continue
        words = room.statements.about(*_FORMS)
        # Whatever their clock says: who says that it is over takes in nothing more.
        by_other = any(word.value is not None and word.record.member != room.group.own.member_pk for word in words)
        ours = any(word.record.dev == room.group.own.dev and word.record.mseq == stored for word in words)
        asked = asked_in(state, gid)
        if stored and ours:
            finish(state, room, step)
        elif by_other:
            forget_words(room, step)
            step.set_timer(TIMER, gid, HEARD_MS)
            if asked is not None and not asked[1].ended_ms:
                keep(asked[0], gid, replace(asked[1], ended_ms=step.now.wall_ms), step)
    step.ends.clear()


def require_open(state: State, room: Room) -> None:
    """LocalError where we have ended a talk, and nothing more is said in it."""
    asked = asked_in(state, room.group.gid) if is_listening(room.group) else None
    if asked is not None and asked[1].ended_ms:
        raise LocalError("that talk has ended", do="`mesh listen ask` asks for another one", code="E-NO-LISTEN")


def see_ends(parent: Room, command: SeenListening, step: Step) -> None:
    """The person has been told how these ended."""
    for gid in command.talks:
        kept = parent.listens.get(gid)
        if kept is not None and not kept.seen:
            parent.listens[gid] = replace(kept, seen=True)
            step.journal.put(Space.LISTENS, parent.group.gid + gid, encode(parent.listens[gid]))


# ---------------------------------------------------------------- what time brings


def tend(state: State, parent: Room, step: Step) -> None:
    """Look after the talks that were asked for in a group, now and then."""
    tell_asks(state, parent, step)
    for gid, kept in list(parent.listens.items()):
        room = state.rooms.get(gid)
        if room is not None and _is_done(room, kept, step):
            finish(state, room, step)
        elif not kept.mine and not kept.opened_ms:
            _tend_asked(state, parent, gid, kept, step)
        elif kept.mine and not kept.opened_ms and room is not None and is_over(kept, step.now.wall_ms):
            forget(state, room, step)
            keep(parent, gid, replace(kept, member=None), step)
        if gid in parent.listens:
            _sweep(state, parent, gid, step)


def tend_orphans(state: State, step: Step) -> None:
    """Forget talks of whose asking nothing is kept: the group of it was forgotten, or another device of ours asked."""
    for room in list(state.rooms.values()):
        if is_listening(room.group) and asked_in(state, room.group.gid) is None:
            forget(state, room, step)
    for join_id, join in list(state.joins.items()):
        if join.offer is not None and join.offer.discreet and asked_in(state, GroupId(join.offer.gid)) is None:
            drop_join(state, join_id, step)


def _is_done(room: Room, kept: ListenRecord, step: Step) -> bool:
    """Say whether a talk's keys may go: its time is over, or the end was said and had time to arrive."""
    wall_ms = step.now.wall_ms
    if kept.opened_ms and wall_ms >= kept.opened_ms + LIFE_MS:
        return True
    return bool(kept.ended_ms) and is_told(room, *_FORMS) and not kept.ended_ms <= wall_ms < kept.ended_ms + KEYS_MS


def _tend_asked(state: State, parent: Room, gid: GroupId, kept: ListenRecord, step: Step) -> None:
    """Stop knocking where the door says that somebody else was first, where whoever asked is out, or it is too late."""
    join = join_of(state, gid)
    if kept.member is not None and kept.member not in parent.group.view.members:
        _drop_join(state, gid, step)
        forget_asking(parent, gid, step)
    elif join is not None and join.door is not Door.OPEN:
        _drop_join(state, gid, step)
        keep(parent, gid, replace(kept, taken=True), step)
    elif join is not None and is_over(kept, step.now.wall_ms):
        _drop_join(state, gid, step)


def _sweep(state: State, parent: Room, gid: GroupId, step: Step) -> None:
    """Forget that there was an asking or a talk, once nothing can be made of it any more."""
    kept, wall_ms = parent.listens[gid], step.now.wall_ms
    if gid in state.rooms or wall_ms < InviteCode.unpack(kept.code).expiry_hour * HOUR_MS or not is_over(kept, wall_ms):
        return
    told = kept.seen or kept.taken or not (kept.mine or kept.opened_ms)
    if told or wall_ms >= kept.at_ms + SHOWN_DAYS * 24 * HOUR_MS:
        forget_asking(parent, gid, step)
