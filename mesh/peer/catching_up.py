"""Catching up: ask for the messages that one lacks, each of one link only, and answer those who ask.

What a peer claims to have is asked for once over a link. What it then does not give is not asked of it again, and one
that claims much and gives nothing is asked no further. A message that was never sealed for us need not be asked for;
that is believed when the author's own device says it, or everybody who is there and claims to have it. What whoever
welcomed us said of that is asked for all the same, after everything else.

Each link is asked first for devices of which no other link is being asked, so that a chain comes in its order as a
rule: keys that are passed over are kept and written until their messages come. A long catch-up shows how far it is.
"""

from typing import Final

from mesh.errors import Fault, RemoteError
from mesh.events import Notice, SendClass, SendStored, Space
from mesh.gossip.frontier import Frontier
from mesh.groups.erasing import is_erased
from mesh.groups.messaging import cut_of
from mesh.ids import DeviceId, OpId
from mesh.peer.links import Link, Session
from mesh.peer.questions import Asking
from mesh.peer.receipts import plan_receipt
from mesh.peer.routing import tell
from mesh.peer.speaking import ASK_TIMEOUT_MS, agrees
from mesh.peer.state import Room, State, Step
from mesh.peer.tracks import Track
from mesh.wire import limits
from mesh.wire.invites import FrontierEntry
from mesh.wire.sessions import AnsweredBody, ClosedSpan, Span, WantMessagesBody

CANNOT_GIVE_MAX: Final = 8192  # a peer that claims more messages and cannot give them is asked no further; ours
WITHHELD_MAX: Final = 1 << 20  # nor one that says of more that they are not for us; longer than histories are; ours
LONG: Final = 200  # messages that are to come: then it is shown how far we are; ours
_VAIN_COST: Final = 64  # what a question in vain counts for at least, in messages; ours
_TOLD_RANGES_MAX: Final = 8192  # separate ranges in one state, all devices together; ours

Spans = tuple[tuple[DeviceId, int, int], ...]


def frontier_vector(room: Room) -> list[FrontierEntry]:
    """Return how far we have come with every device's messages: never more than is here."""
    each = max(1, _TOLD_RANGES_MAX // max(1, len(room.tracks)))
    return [
        FrontierEntry(
            dev=dev,
            contiguous=track.have.contiguous,
            beyond=[[first, last] for first, last in track.have.beyond[:each]],
        )
        for dev, track in sorted(room.tracks.items())
    ]


# ---------------------------------------------------------------- asking


def ask_messages(state: State, room: Room, step: Step) -> None:
    """Ask for what we lack, each message of one link only; as many links in parallel as have something.

    A peer that has operations which we lack is asked for those first: without them its messages cannot be opened.
    """
    gid = room.group.gid
    if room.group.own.left:
        return
    asked: dict[DeviceId, Frontier] = {}
    busy = set()
    for asking in state.asking.values():
        if asking.gid == gid:
            busy.add(asking.link)
            _add(asked, asking.spans)
    for link, session in state.present(room):
        if link.link in busy or _is_worn(session) or not agrees(room, session, step.now):
            continue
        spans = _wanted(room, session, asked)
        if spans:
            _add(asked, spans)
            ticket = state.ticket()
            state.asking[ticket] = Asking(link=link.link, gid=gid, spans=spans)
            wanted = [Span(dev=dev, first=low, last=high) for dev, low, high in spans]
            tell(link, session, WantMessagesBody(ticket=ticket, spans=wanted), SendClass.CONTROL, step)
            step.set_timer("asked", ticket.to_bytes(4, "big"), ASK_TIMEOUT_MS)
    _note_progress(state, room, step)


# ---------------------------------------------------------------- how far we are


def progress(state: State, room: Room) -> tuple[int, int] | None:
    """Return how many messages of a long catch-up have come, and of how many; None while there is no such catch-up."""
    if room.catching_up is None:
        return None
    got = max(0, _here(room) - room.catching_up)
    return got, got + _outstanding(state, room)


def _note_progress(state: State, room: Room, step: Step) -> None:
    """Say how far a long catch-up is: when it begins, with each answer, and when nothing is left to ask for."""
    if room.catching_up is None and all(asking.gid != room.group.gid for asking in state.asking.values()):
        return
    left = _outstanding(state, room)
    if room.catching_up is None:
        if left < LONG:
            return
        room.catching_up = _here(room)
    got = max(0, _here(room) - room.catching_up)
    step.notify(Notice.CATCHING_UP, room.group.gid, got.to_bytes(8, "big") + (got + left).to_bytes(8, "big"))
    if not left:
        room.catching_up = None


def _here(room: Room) -> int:
    return sum(track.have.count for track in room.tracks.values())


def _outstanding(state: State, room: Room) -> int:
    """Count the messages that we lack and that somebody who is there offers, and has not been asked for in vain."""
    offered: dict[DeviceId, Frontier] = {}
    for _, session in state.present(room):
        if not _is_worn(session):
            _add(offered, tuple(_lacking(room, session, {}, early=False)))
    return sum(frontier.count for frontier in offered.values())


def _is_worn(session: Session) -> bool:
    """Say whether somebody has claimed so much and given nothing of it that they are asked no further."""
    return session.refused > CANNOT_GIVE_MAX or session.withheld > WITHHELD_MAX


def _wanted(room: Room, session: Session, asked: dict[DeviceId, Frontier]) -> Spans:
    """Return what to ask of a peer: what it has, we lack, and neither it nor another is being or was asked for.

    What is said to be from before our time comes last, and before that devices of which somebody is being asked.
    """
    spans: list[tuple[DeviceId, int, int]] = []
    left = limits.WANT_MESSAGES_MAX
    lacking = sorted(_lacking(room, session, asked, early=False), key=lambda span: span[0] in asked)
    for dev, first, last in [*lacking, *_lacking(room, session, asked, early=True)]:
        end = min(last, first + left - 1)
        spans.append((dev, first, end))
        left -= end - first + 1
        if left == 0 or len(spans) == limits.WANT_RANGES_MAX:
            break
    return tuple(spans)


def _lacking(
    room: Room, session: Session, asked: dict[DeviceId, Frontier], *, early: bool
) -> list[tuple[DeviceId, int, int]]:
    found: list[tuple[DeviceId, int, int]] = []
    for dev, theirs in sorted(session.frontier.items()):
        before = room.tracks.get(dev)
        if before is not None and theirs.top <= before.sure.contiguous:
            continue  # as a rule
        if room.group.log.card(dev) is None or is_erased(room.group, dev):
            continue
        track = room.track(dev)
        known = track.sure
        for more in (session.closed.get(dev), session.shut.get(dev), asked.get(dev)):
            known = known if more is None else known.union(more)
        cut = cut_of(room.group, dev)
        low, high = (1, min(cut, track.claimed)) if early else (track.claimed + 1, cut)
        ranges = ((max(first, low), min(last, high)) for first, last in known.missing_from(theirs))
        found.extend((dev, first, last) for first, last in ranges if first <= last)
    return found


def _add(frontiers: dict[DeviceId, Frontier], spans: Spans) -> None:
    for dev, first, last in spans:
        frontiers[dev] = frontiers.get(dev, Frontier()).add(first, last)


def ask_anew(state: State, room: Room, step: Step) -> None:
    """An epoch came in: what could not be opened may be now, so it may be asked for once more."""
    for _, session in state.sessions(room.group.gid):
        session.closed.clear()
    ask_messages(state, room, step)


def forget_asking(state: State, step: Step, *, ticket: int | None = None, link: int | None = None) -> None:
    """Give up on an answer, and ask somebody else."""
    for number, asking in list(state.asking.items()):
        if number == ticket or asking.link == link:
            del state.asking[number]
            step.set_timer("asked", number.to_bytes(4, "big"), None)
            room, silent = state.rooms.get(asking.gid), state.links.get(asking.link)
            if room is not None:
                if silent is not None:
                    _close(room, silent.session(asking.gid), asking)
                ask_messages(state, room, step)


def hear_answered(state: State, link: Link, room: Room, session: Session, body: AnsweredBody, step: Step) -> None:
    """A peer has given what it can of what it was asked for. RemoteError if it was never asked."""
    if sum(span.last - span.first + 1 for span in body.closed if span.first <= span.last) > limits.WANT_MESSAGES_MAX:
        raise RemoteError(Fault.OVER_LIMIT, "more messages withheld than one request may ask for")
    asking = state.asking.get(body.ticket)
    if asking is None and body.ticket <= state.tickets:
        return  # it took so long that we wait no longer
    if asking is None or asking.link != link.link or asking.gid != room.group.gid:
        raise RemoteError(Fault.UNASKED, "an answer to nothing that was asked")
    del state.asking[body.ticket]
    step.set_timer("asked", body.ticket.to_bytes(4, "big"), None)
    if session.device in room.group.view.devices:
        _settle(state, room, session, asking, body, step)
        plan_receipt(room, step)
    _close(room, session, asking)
    ask_messages(state, room, step)


def _close(room: Room, session: Session, asking: Asking) -> None:
    """Note what a peer was asked for, so that it is not asked again, and what it did not give."""
    _add(session.closed, asking.spans)
    refused = 0
    for dev, first, last in asking.spans:
        span = Frontier(0, ((first, last),))
        lacking = _count(room.track(dev).sure.missing_from(span))
        unsaid = _count(room.track(dev).sure.union(session.shut.get(dev, Frontier())).missing_from(span))
        refused += unsaid
        session.withheld += lacking - unsaid
    session.refused += max(refused, _VAIN_COST) if refused else 0


def _count(spans: list[tuple[int, int]]) -> int:
    return sum(last - first + 1 for first, last in spans)


def _settle(state: State, room: Room, session: Session, asking: Asking, body: AnsweredBody, step: Step) -> None:
    """Stop asking for what was sealed for others before we were in; should it come, it is still taken."""
    asked: dict[DeviceId, Frontier] = {}
    _add(asked, asking.spans)
    present = [other for _, other in state.present(room)]
    withheld = {(span.dev, mseq) for span in body.closed for mseq in range(span.first, span.last + 1)}
    settled: dict[DeviceId, None] = {}
    for dev, mseq in sorted(withheld):
        if mseq in asked.get(dev, Frontier()) and mseq not in room.track(dev).sure:
            session.shut[dev] = session.shut.get(dev, Frontier()).add(mseq)
            if session.device == dev or _is_shut(room, present, dev, mseq):
                room.track(dev).sure = room.track(dev).sure.add(mseq)
                settled[dev] = None
    for dev in settled:
        room.save_track(dev, step.journal)


def _is_shut(room: Room, present: list[Session], dev: DeviceId, mseq: int) -> bool:
    """Say whether two members say that a message was not for us, and none offers it.

    Its author knows; of others it takes two, or one member could hide another's words from us for good.
    """
    say_so = [s for s in present if mseq in s.shut.get(dev, Frontier())]
    offered = any(mseq in s.frontier.get(dev, Frontier()) for s in present if s not in say_so)
    return not offered and len({room.group.view.devices[s.device] for s in say_so if s.device}) >= 2


# ---------------------------------------------------------------- answering


def give_messages(link: Link, room: Room, session: Session, body: WantMessagesBody, step: Step) -> None:
    """Send what we have of what a current member asks for, and say when that is all. RemoteError past the limit.

    One who could not be told when it is all is given nothing.
    """
    if session.out is None:
        return
    if sum(span.last - span.first + 1 for span in body.spans if span.first <= span.last) > limits.WANT_MESSAGES_MAX:
        raise RemoteError(Fault.OVER_LIMIT, "more messages asked for than one request may hold")
    keys: list[bytes] = []
    closed: list[ClosedSpan] = []
    for span in body.spans:
        track = room.tracks.get(span.dev, Track())
        for mseq in range(span.first, span.last + 1):
            if mseq not in track.have:
                continue
            if mseq in track.gone or session.device not in room.group.recipients(OpId(track.spells.at_or_first(mseq))):
                _withhold(closed, span.dev, mseq)
            else:
                keys.append(room.group.gid + span.dev + mseq.to_bytes(8, "big"))
    keys = list(dict.fromkeys(keys))
    if keys:
        step.effects.append(
            SendStored(link=link.link, space=Space.FRAMES, keys=tuple(keys), send_class=SendClass.REPAIR)
        )
    tell(link, session, AnsweredBody(ticket=body.ticket, closed=closed), SendClass.REPAIR, step)


def _withhold(closed: list[ClosedSpan], dev: DeviceId, mseq: int) -> None:
    """Add a number to what is not for one who asks, in as few spans as that takes."""
    if closed and closed[-1].dev == dev and closed[-1].last == mseq - 1:
        closed[-1] = ClosedSpan(dev=dev, first=closed[-1].first, last=mseq)
    else:
        closed.append(ClosedSpan(dev=dev, first=mseq, last=mseq))
