"""Restating: members hand on what stands in a group, as its authors signed it, to those who did not hear it said.

Newcomers, further devices and those who were away for long need the pins that are up, whatever the setting `history`
says of posts. So each two members' nodes compare what they have of the forms that are `standing`: a hash first, and
where that differs the statements, page by page. One link at a time is asked, so that the second as a rule has nothing
to add; each once, every hour, and when a removal has changed what counts. What comes is checked as if it had come under
its seal, and counts by the same rules.
"""

from typing import Final

from mesh.crypto.hashes import h
from mesh.errors import Fault, RemoteError
from mesh.events import SendClass
from mesh.groups.messaging import TooEarly, check_original, cut_of
from mesh.peer.links import Link, Session
from mesh.peer.originals import message_record, original_of
from mesh.peer.questions import AskingStated
from mesh.peer.routing import tell
from mesh.peer.speaking import agrees
from mesh.peer.state import Room, State, Step
from mesh.peer.stated import Stated
from mesh.peer.statements import has_ended, keep_statement, read_body
from mesh.peer.stating import follow
from mesh.support.forms import FORMS
from mesh.wire import limits
from mesh.wire.messages import Flag, Kind, SignedMessage
from mesh.wire.sessions import StatementsBody, WantStatementsBody

ANSWER_MS: Final = 20_000  # for one page; then somebody else is asked; ours
AGAIN_MS: Final = 10_000  # a link may ask from the beginning so often; ours
ANEW_MS: Final = 3_600_000  # what stands may have come to either by another way since; ours
_OVERHEAD_BYTES: Final = 80  # of a signed message on top of its tbs


def ask_statements(state: State, room: Room, step: Step) -> None:
    """Ask one of those who are there what stands, if none is being asked."""
    asking = room.asking_stated
    if room.group.own.left or room.group.me is None:
        return
    if asking is not None and asking.link in state.links and step.now.mono_ms - asking.asked_ms < ANSWER_MS:
        return
    room.asking_stated = None
    for link, session in state.present(room):
        ready = session.heard and session.out is not None and agrees(room, session, step.now)
        if ready and _is_due(room, session, step.now.mono_ms):
            session.asked_stated_ms = step.now.mono_ms
            first = AskingStated(link=link.link, ticket=state.ticket(), after=b"", pages=1, asked_ms=step.now.mono_ms)
            _ask(room, link, session, first, step)
            return


def _is_due(room: Room, session: Session, mono_ms: int) -> bool:
    """Say whether somebody is to be asked: each once, now and then anew, and when a cut has changed."""
    asked_ms = session.asked_stated_ms
    if asked_ms is None or mono_ms - asked_ms >= ANEW_MS:
        return True
    return asked_ms <= room.cuts_ms and mono_ms - asked_ms >= 2 * AGAIN_MS


def _ask(room: Room, link: Link, session: Session, asking: AskingStated, step: Step) -> None:
    room.asking_stated = asking
    have = _digest(_standing(room, step.now.wall_ms))
    body = WantStatementsBody(ticket=asking.ticket, after=asking.after, have=have)
    tell(link, session, body, SendClass.CONTROL, step)


def _standing(room: Room, wall_ms: int) -> list[Stated]:
    """Return what is handed on, in the order of keys."""
    found = [
        stated
        for stated in room.statements
        if stated.body.form in FORMS
        and FORMS[stated.body.form].standing
        and stated.record.origin is not None
        and not stated.record.flags & Flag.NO_HISTORY
        and stated.record.mseq <= cut_of(room.group, stated.record.dev)
        and (FORMS[stated.body.form].lingers or not has_ended(room, stated.body, stated.record.ts_ms, wall_ms))
    ]
    return sorted(found, key=lambda stated: stated.key)


def _digest(standing: list[Stated]) -> bytes:
    return h(b"mesh1/standing", *[stated.record.msg_id for stated in standing])


def give_statements(link: Link, room: Room, session: Session, body: WantStatementsBody, step: Step) -> None:
    """Answer a current member with the next page of what stands; nothing where they have the same.

    Who asks from the beginning over and over, or for another page than the next, is not answered.
    """
    since = session.gave_stated_ms
    begins = not body.after and (since is None or step.now.mono_ms - since >= AGAIN_MS)
    if session.out is None or not (begins or (body.after and body.after == session.gave_stated)):
        return
    if begins:
        session.gave_stated_ms = step.now.mono_ms
    standing = _standing(room, step.now.wall_ms)
    if not body.after and body.have == _digest(standing):
        standing = []
    page: list[SignedMessage] = []
    size, upto = 0, b""
    for stated in standing:
        if stated.key <= body.after:
            continue
        signed = original_of(room.group.gid, stated.record)
        size += len(signed.tbs) + _OVERHEAD_BYTES
        if page and (size > limits.SESSION_CHUNK_BYTES or len(page) >= limits.STATEMENTS_OF_PAGE_MAX):
            session.gave_stated = upto
            tell(link, session, StatementsBody(ticket=body.ticket, after=upto, messages=page), SendClass.REPAIR, step)
            return
        page.append(signed)
        upto = stated.key
    session.gave_stated = b""
    tell(link, session, StatementsBody(ticket=body.ticket, after=b"", messages=page), SendClass.REPAIR, step)


def hear_statements(state: State, link: Link, room: Room, session: Session, body: StatementsBody, step: Step) -> None:
    """Take in a page. RemoteError for what was not asked for, or holds what no honest member hands on."""
    asking = room.asking_stated
    if (asking is None or asking.ticket != body.ticket) and body.ticket <= state.tickets:
        return  # it took so long that somebody else is asked
    if asking is None or asking.ticket != body.ticket or asking.link != link.link:
        raise RemoteError(Fault.UNASKED, "statements that were not asked for")
    room.asking_stated = None
    if body.after and body.after <= asking.after:
        raise RemoteError(Fault.MALFORMED, "statements that do not go on")
    taken = [_take(room, signed, step) for signed in body.messages]
    follow(state, room, [form for form in taken if form is not None], step)
    if body.after and asking.pages < limits.STATEMENT_PAGES_MAX:
        ticket, pages, now_ms = state.ticket(), asking.pages + 1, step.now.mono_ms
        onward = AskingStated(link=link.link, ticket=ticket, after=body.after, pages=pages, asked_ms=now_ms)
        _ask(room, link, session, onward, step)
    else:
        ask_statements(state, room, step)


def _take(room: Room, signed: SignedMessage, step: Step) -> int | None:
    """Keep a statement as far as anybody but its giver can know that it is one to hand on. RemoteError.

    Return its form; None where it is left aside.
    """
    try:
        original = check_original(room.group, signed)
    except RemoteError as error:
        if error.fault is Fault.UNASKED:
            return None  # past a cut that its giver may not know
        raise
    if isinstance(original, TooEarly):
        return None  # operations come first; the next one is asked too
    tbs = original.tbs
    body = read_body(tbs.body) if tbs.kind == Kind.STATEMENT else None
    if body is None or tbs.flags & Flag.NO_HISTORY or (body.form in FORMS and not FORMS[body.form].standing):
        raise RemoteError(Fault.AGAINST_RULES, "something that is not handed on")
    record = message_record(original, signed.sig, tbs.ts_ms, step.now.wall_ms, handed_on=True)
    stated = Stated.of(record)
    kept = room.statements.kept(stated)
    if kept is not None and kept.record.origin is not None:
        return body.form
    track = room.track(tbs.dev)
    was_here = kept is not None or room.statements.gave_way(stated)
    if not was_here and track.has_come(tbs.mseq):
        return None  # under this number something else was heard: it was signed afterwards, or says nothing any more
    keep_statement(room, record, step)
    return body.form
