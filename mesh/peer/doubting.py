"""Doubting: signs that others do not count us in, and what refutes them. One who was removed is not told so.

There are two signs: an epoch seems to have been made without us, and those who are there tell us nothing. Anybody with
the group's keys can feign the first, so it is only a doubt: those who are there are asked, and whoever counts us in
answers. If fewer than half of them do, the doubt is shown to the person, and taken back once half of them have: one
member's silence must not do, nor the word of one who was removed together with us. Whoever answers may not have heard
of a removal yet, so they are asked again for a while.

Neither sign need come by itself: the epoch may be said on a topic that is not ours, and who told us something before
the removal is silent without our noticing. So one who is silent from the first raises the doubt too, and whoever has
told us nothing for long is asked.

Members are counted, not devices. Our own other devices are removed together with us and would go on telling each other
that they are in; so they are asked only where nobody else is there, for one of them may have removed this device alone.
"""

from typing import Final

from mesh.events import Instant, Notice, SendClass
from mesh.groups.epochs import unwrap
from mesh.ids import OpId
from mesh.peer import joining
from mesh.peer.links import Link, Session
from mesh.peer.routing import tell
from mesh.peer.state import Doubt, Room, State, Step
from mesh.wire import limits
from mesh.wire.frames import Frame, split_envelope
from mesh.wire.sessions import WantOpsBody

UNHEARD_MS: Final = 10_000  # by then one who counts us in has told its state, over any link that people bear; ours
SPREAD_MS: Final = 2_000  # what we could not open reaches the others too, before they are asked about it; ours
QUIET_MS: Final = 1_800_000  # whoever told us nothing for so long is asked: are we still in?; ours
ANSWER_MS: Final = 8_000  # by then one who counts us in has answered; ours
AGAIN_MS: Final = 60_000  # whoever answered may not have heard yet: they are asked again, and again for so long: ours
DOUBT_MS: Final = 600_000


def is_unopened(room: Room, frame: Frame, step: Step) -> bool:
    """Say whether an envelope holds nothing for us."""
    parts = split_envelope(frame.middle)
    secret = unwrap(
        gid=room.group.gid,
        nonce=parts.nonce,
        wraps=parts.wraps,
        dev=room.group.own.dev,
        keys=room.group.kem_pairs(),
        suite=room.group.suite,
        sealer=step.sealer,
    )
    return secret is None


def note_unopened(room: Room, epoch: OpId, step: Step) -> None:
    """Something that calls itself an epoch came, and holds no key for us: we may have been removed.

    Only if it follows an epoch that nothing here follows: on the topics of older ones those can write who are out.
    """
    log = room.group.log
    if any(log.past(other) & log.bit(epoch) for other in room.group.epochs if other != epoch):
        return
    room.unopened = epoch
    if room.doubt is None:
        room.doubt = Doubt(since_ms=step.now.mono_ms, cut_off=True)
        step.set_timer("doubt", room.group.gid, SPREAD_MS)
    else:
        room.doubt.since_ms, room.doubt.cut_off = step.now.mono_ms, True


def look_into(state: State, room: Room, step: Step) -> None:
    """The doubt's timer has run out: ask those who are there, or take it that they do not count us in."""
    doubt = room.doubt
    if doubt is None or room.group.me is None or room.group.own.left:
        room.doubt = None
        return
    there = [link for link, session in witnesses(state, room) if session.out is not None]
    wait = AGAIN_MS
    if doubt.asked:
        if there and not _is_counted_in(state, room, doubt.asked_ms):
            _seem_out(room, cut_off=doubt.cut_off, step=step)
        doubt.asked = {}
    elif step.now.mono_ms - doubt.since_ms >= DOUBT_MS:
        room.doubt = None
        return
    elif there:
        for link in there:
            _ask_whether_in(link, room, step)
        doubt.asked, doubt.asked_ms = {link.link: None for link in there}, step.now.mono_ms
        wait = ANSWER_MS
    step.set_timer("doubt", room.group.gid, wait)


def _ask_whether_in(link: Link, room: Room, step: Step) -> None:
    """Ask one who is there for operations that we lack: who counts us in gives them, or tells its state."""
    session = link.session(room.group.gid)
    if session.out is not None:
        heads = room.group.log.heads[: limits.STATE_HEADS_MAX]
        tell(link, session, WantOpsBody(heads=heads), SendClass.CONTROL, step)
        session.asked_in_ms = step.now.mono_ms


def hear_epoch(state: State, room: Room, step: Step) -> None:
    """Somebody made an epoch for us, though we seem to be out: we are in, unless others are there who do not say so.

    One who was removed together with us makes such epochs too, so those who are there are asked (`note_heard`).
    """
    if witnesses(state, room):
        room.doubt = Doubt(since_ms=step.now.mono_ms, cut_off=True)
        step.set_timer("doubt", room.group.gid, SPREAD_MS)
    else:
        room.doubt = None
        _take_back(room, step)
        joining.drop_needless(state, room, step)


def note_silence(state: State, room: Room, step: Step) -> None:
    """Note who is there, has proved who they are, and tells us nothing: if they are more than half, we seem to be out.

    A node tells its state at once to every device that it counts in. One who was removed while they were away learns
    of it in no other way: whatever could tell them is sealed for those who are in. It is a sign and no proof. If they
    are fewer, all are asked; for those who did tell us something may not have heard of our removal by then.
    """
    there = witnesses(state, room)
    if room.unheard or not there or room.group.me is None or room.group.own.left:
        return
    for link, session in there:
        if step.now.mono_ms - max(session.heard_ms, session.proved_ms, session.asked_in_ms or 0) >= QUIET_MS:
            _ask_whether_in(link, room, step)
    silent = [session for _, session in there if _is_silent(session, step.now)]
    telling = _count(room, [session for _, session in there if not _is_silent(session, step.now)])
    if telling * 2 < _count(room, [session for _, session in there]):
        _seem_out(room, cut_off=False, step=step)
    elif room.doubt is None and any(session.asked_in_ms is None for session in silent):
        room.doubt = Doubt(since_ms=step.now.mono_ms, cut_off=False)
        step.set_timer("doubt", room.group.gid, SPREAD_MS)


def _is_silent(session: Session, now: Instant) -> bool:
    """Say whether a device has told us nothing since it proved itself, or since it was asked, in time enough."""
    asked_ms = session.asked_in_ms
    unheard = not session.heard and now.mono_ms - session.proved_ms >= UNHEARD_MS
    return unheard or (asked_ms is not None and session.heard_ms < asked_ms <= now.mono_ms - ANSWER_MS)


def hear_not_in(state: State, room: Room, session: Session, nonce: bytes, step: Step) -> None:
    """A current member answers our call: we are not in. It is one member's word; that of more than half is shown."""
    if nonce not in room.called or room.group.me is None:
        return
    session.denied = True
    there = [other for _, other in witnesses(state, room)]
    denying = _count(room, [other for other in there if other.denied])
    if denying * 2 > _count(room, there) and not room.denied:
        room.denied = True
        _seem_out(room, cut_off=False, step=step)


def witnesses(state: State, room: Room) -> list[tuple[Link, Session]]:
    """Return the sessions of those who can say whether we are in: other members; our own devices if none is there."""
    present, devices = state.present(room), room.group.view.devices
    others = [
        (link, s) for link, s in present if s.device is not None and devices[s.device] != room.group.own.member_pk
    ]
    return others or present


def _count(room: Room, sessions: list[Session]) -> int:
    """Count the members behind these sessions, each of which is a current device's."""
    return len({room.group.view.devices[s.device] for s in sessions if s.device is not None})


def _seem_out(room: Room, *, cut_off: bool, step: Step) -> None:
    if cut_off and not room.group.own.cut_off:
        room.group.set_own(step.journal, cut_off=True)
    room.unheard = room.unheard or not cut_off
    step.notify(Notice.GROUP, room.group.gid)


def note_heard(state: State, room: Room, session: Session, step: Step) -> None:
    """A current member told us what only those are told whom it counts in: if we have all it has, we are in for it."""
    if session.device not in room.group.view.devices or any(head not in room.group.log for head in session.heads):
        return
    session.denied = False
    since_ms = 0 if room.doubt is None else room.doubt.since_ms + SPREAD_MS
    if room.seems_out and _is_counted_in(state, room, since_ms):
        room.doubt = Doubt(since_ms=step.now.mono_ms, cut_off=room.group.own.cut_off)
        step.set_timer("doubt", room.group.gid, AGAIN_MS)
        _take_back(room, step)
        joining.stop_needless(state, room, step)


def _is_counted_in(state: State, room: Room, since_ms: int) -> bool:
    """Say whether at least half of the members who are there have told us what members are told, since then."""
    there = [session for _, session in witnesses(state, room)]
    telling = [s for s in there if s.heard and s.heard_ms >= since_ms and all(h in room.group.log for h in s.heads)]
    return _count(room, telling) * 2 >= _count(room, there)


def _take_back(room: Room, step: Step) -> None:
    """We are in after all: show no sign of the contrary."""
    if room.group.own.cut_off:
        room.group.set_own(step.journal, cut_off=False)
    room.unheard = room.denied = False
    step.notify(Notice.GROUP, room.group.gid)
