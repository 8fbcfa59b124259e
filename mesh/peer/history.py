"""History: ask members to hand on what was said and we hold no key for, and keep it as what it is.

A newcomer asks once they are in, where the group gives newcomers anything. One member is asked at a time, page after
page, then the next, until a few have given all that they may: each knows only what is in its own store. What comes was
signed by its authors and is checked as if it had come under its seal, so nobody need be trusted but for completeness.
"""

from typing import Final

from mesh.errors import Fault, RemoteError
from mesh.events import Notice, SendClass
from mesh.groups.group import Group
from mesh.groups.history import devices_of, was_for, windows_for
from mesh.groups.messaging import Original, TooEarly, check_original
from mesh.ids import LinkId, MemberPk
from mesh.peer import fetching
from mesh.peer.hearing import check_body, comes_too_late
from mesh.peer.links import Link, Session
from mesh.peer.originals import message_record
from mesh.peer.placing import keep_message, place_ms, remember_place
from mesh.peer.questions import AskingOn
from mesh.peer.routing import tell
from mesh.peer.speaking import agrees
from mesh.peer.state import Room, State, Step
from mesh.peer.withdrawing import hear_withdrawal
from mesh.support.posts import lifetime_s
from mesh.wire import limits
from mesh.wire.invites import FrontierEntry
from mesh.wire.messages import Flag, Kind, SignedMessage
from mesh.wire.sessions import HistoryBody, WantHistoryBody

SOURCES: Final = 3  # members who are asked for all that they may give; ours
ANSWER_MS: Final = 20_000  # for one page; then somebody else is asked; ours
_HANDED_ON: Final = (Kind.POST, Kind.WITHDRAWAL)
_KNOWN_KINDS: Final = frozenset(map(int, Kind))
_TOLD_RANGES_MAX: Final = 4096  # of what is here already, all devices together: it only saves sending twice; ours


def want_if_due(room: Room, step: Step) -> None:
    """We have just come in: ask for history if the group gives newcomers any."""
    me = room.group.me
    if me is not None and all(window.is_open for window in windows_for(room.group, me)):
        want_history(room, step)


def want_history(room: Room, step: Step) -> None:
    """Ask members, from now on and across restarts, for what we may have and hold no key for."""
    room.group.set_own(step.journal, wants_history=True, handed_by=[])


def ask_history(state: State, room: Room, step: Step) -> None:
    """Ask one of those who are there and have not given all yet, if none is being asked."""
    own = room.group.own
    if not own.wants_history or own.left or room.group.me is None:
        return
    if any(asking.gid == room.group.gid for asking in state.asking_on.values()):
        return
    # Another device of ours first: it has all that we read there.
    there = sorted(state.present(room), key=lambda pair: _member_of(room, pair[1]) != own.member_pk)
    for link, session in there:
        member = _member_of(room, session)
        ready = session.heard and session.out is not None and not session.vain and agrees(room, session, step.now)
        if ready and member not in own.handed_by:
            _ask(state, link, room, session, AskingOn(link=link.link, gid=own.gid, before=b"", pages=1), step)
            return


def _ask(state: State, link: Link, room: Room, session: Session, asking: AskingOn, step: Step) -> None:
    ticket = state.ticket()
    state.asking_on[ticket] = asking
    body = WantHistoryBody(ticket=ticket, before=asking.before, have=_here(room))
    tell(link, session, body, SendClass.CONTROL, step)
    step.set_timer("history", ticket.to_bytes(4, "big"), ANSWER_MS)


def _here(room: Room) -> list[FrontierEntry]:
    """Return what is here already, shortened where it is in too many parts."""
    each = max(1, _TOLD_RANGES_MAX // max(1, len(room.tracks)))
    told = []
    for dev, track in sorted(room.tracks.items()):
        here = track.have.union(track.past)
        beyond = [[first, last] for first, last in here.beyond[:each]]
        told.append(FrontierEntry(dev=dev, contiguous=here.contiguous, beyond=beyond))
    return told[: limits.FRONTIER_DEVICES_MAX]


def give_up_asking(state: State, step: Step, *, ticket: int | None = None, link: LinkId | None = None) -> None:
    """Wait no longer for an answer, and ask somebody else."""
    for number, asking in list(state.asking_on.items()):
        if number == ticket or asking.link == link:
            _stop(state, number, step)
            room, silent = state.rooms.get(asking.gid), state.links.get(asking.link)
            if room is not None:
                if silent is not None:
                    silent.session(asking.gid).vain = True
                ask_history(state, room, step)


def _stop(state: State, ticket: int, step: Step) -> None:
    del state.asking_on[ticket]
    step.set_timer("history", ticket.to_bytes(4, "big"), None)


def hear_history(state: State, link: Link, room: Room, session: Session, body: HistoryBody, step: Step) -> None:
    """Take in a page. RemoteError for what was not asked for, or holds what no honest member hands on."""
    asking = state.asking_on.get(body.ticket)
    if asking is None and body.ticket <= state.tickets:
        return  # it took so long that we wait no longer
    if asking is None or asking.link != link.link or asking.gid != room.group.gid:
        raise RemoteError(Fault.UNASKED, "history that was not asked for")
    _stop(state, body.ticket, step)
    member = _member_of(room, session)
    if member is None:
        return
    session.vain = True  # until it is clear that it is not
    if body.before and (len(body.before) != 32 or (asking.before and body.before >= asking.before)):
        raise RemoteError(Fault.MALFORMED, "history that does not go back")
    taken = _take_page(state, room, body.messages, step)
    session.vain = bool(body.before) and asking.pages >= limits.HISTORY_PAGES_MAX
    if not body.before:
        _note_given(room, member, step)
    room.handed += taken
    done = not room.group.own.wants_history
    step.notify(Notice.HISTORY, room.group.gid, room.handed.to_bytes(4, "big") + bytes([done]))
    if body.before and not session.vain:
        onward = AskingOn(link=link.link, gid=asking.gid, before=body.before, pages=asking.pages + 1)
        _ask(state, link, room, session, onward, step)
    else:
        ask_history(state, room, step)


def _note_given(room: Room, member: MemberPk, step: Step) -> None:
    """Somebody has given all that they may: enough if they are several, or all the others."""
    given = sorted({*room.group.own.handed_by, member})
    enough = len([pk for pk in given if pk in room.group.view.members]) >= min(SOURCES, len(room.group.others))
    room.group.set_own(step.journal, handed_by=[] if enough else given, wants_history=not enough)


def _member_of(room: Room, session: Session) -> MemberPk | None:
    return None if session.device is None else room.group.view.devices.get(session.device)


# ---------------------------------------------------------------- what comes


def _take_page(state: State, room: Room, messages: list[SignedMessage], step: Step) -> int:
    """Take in one message after the other, up to the first that is false; return how many were new. RemoteError."""
    taken = 0
    for signed in messages:
        taken += _take(state, room, signed, step)
    return taken


def _take(state: State, room: Room, signed: SignedMessage, step: Step) -> bool:
    """Keep a message if it is new, and ours to have as far as anybody but its giver can know. RemoteError."""
    try:
        original = check_original(room.group, signed)
    except RemoteError as error:
        if error.fault is Fault.UNASKED:
            return False  # past a cut that its giver may not know
        raise
    if isinstance(original, TooEarly):
        return False  # operations come first; it can be asked for again
    tbs = original.tbs
    if (tbs.kind not in _HANDED_ON or tbs.flags & Flag.NO_HISTORY) and not _is_ours(room.group, original):
        raise RemoteError(Fault.AGAINST_RULES, "something that is not handed on")
    if tbs.kind not in _HANDED_ON and tbs.kind in _KNOWN_KINDS:
        return False  # its giver did not know the kind, and kept it to be shown; we do, and it shows nothing
    post = check_body(tbs)
    life_s = None if post is None else lifetime_s(post)
    track = room.track(tbs.dev)
    if tbs.dev == room.group.own.dev or tbs.mseq in track.have or tbs.mseq in track.past:
        return False
    if comes_too_late(room, tbs, life_s, step):
        return False
    past = track.past.add(tbs.mseq)
    if tbs.mseq not in past or track.past.top not in past:
        return False  # in more parts than are kept
    track.past = past
    room.save_track(tbs.dev, step.journal)
    if tbs.kind == Kind.WITHDRAWAL:
        hear_withdrawal(state, room, original, signed.sig, step, handed_on=True)
        return True
    at_ms = place_ms(room, tbs.ts_ms, tuple(tbs.parents), step.now.wall_ms)
    remember_place(room, original.msg_id, at_ms)
    record = message_record(original, signed.sig, at_ms, step.now.wall_ms, life_s=life_s, handed_on=True)
    keep_message(room, record, step, unread=False)
    if post is not None:
        fetching.note_post(state, room, record, post, step)
    return True


def _is_ours(group: Group, original: Original) -> bool:
    """Say whether a message was sealed for us: then it is ours, whatever its author wished for newcomers."""
    return group.me is not None and was_for(group, devices_of(group, group.me.pk), original.tbs.epoch)
