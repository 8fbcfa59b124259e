"""Handing on: give a member what others said and it has no key for, as their authors signed it (protocol.md §11).

What was sealed for a member, on whichever of their devices, is theirs. Of what was said before they came they may have
what the setting `history` covers: as it was at their admit, as it is now, and as it was for the author of each post
when it was written. What was promised to an author holds whatever is set later. No key is given away.

We go back through our own pages from their end, and count. A page is answered at a time, and the next one only when it
is asked for; who asks for more than their due makes us read, at most so many rows for each question, and gets nothing.
"""

from typing import Final

from mesh.errors import Fault, RemoteError
from mesh.events import Scan, SendClass, Space
from mesh.gossip.frontier import Frontier
from mesh.groups.erasing import has_erased
from mesh.groups.history import DAY_MS, came_ms, devices_of, was_for, window_of, windows_for
from mesh.groups.messaging import cut_of
from mesh.groups.records import load
from mesh.ids import GroupId
from mesh.membership.views import Member
from mesh.peer.links import Link, Session, Walk
from mesh.peer.originals import original_of
from mesh.peer.placing import is_over
from mesh.peer.records import MessageRecord
from mesh.peer.routing import tell
from mesh.peer.state import HistoryFor, Room, State, Step
from mesh.wire import limits
from mesh.wire.messages import Flag, Kind
from mesh.wire.sessions import HistoryBody, WantHistoryBody

ROWS_AT_ONCE: Final = 64  # read from the store at a time; ours
_HANDED_ON: Final = (Kind.POST, Kind.WITHDRAWAL)  # one that was taken back stands in its place
SLACK_MS: Final = DAY_MS  # a wrong clock may have put what was said after somebody came so far before it; ours
_OVERHEAD_BYTES: Final = 80  # of a signed message on top of its tbs


def give_history(state: State, link: Link, room: Room, session: Session, body: WantHistoryBody, step: Step) -> None:
    """Begin to answer a current member. RemoteError for what makes no sense; a later question replaces an earlier."""
    if session.out is None or session.device is None:
        return
    have = {e.dev: Frontier(e.contiguous, tuple((r[0], r[1]) for r in e.beyond)) for e in body.have}
    if not all(entry.is_canonical() for entry in have.values()):
        raise RemoteError(Fault.MALFORMED, "a frontier that is not in order")
    forget_handing(state, link=link.link, gid=room.group.gid)
    if session.walk is None or session.walk.at != body.before:
        session.walk = Walk()
    wanted = HistoryFor(
        link=link.link,
        gid=room.group.gid,
        dev=session.device,
        ticket=body.ticket,
        have=have,
        walk=session.walk,
    )
    _read_on(state, wanted, step)


def forget_handing(state: State, *, link: int | None = None, gid: GroupId) -> None:
    """Answer no more what was asked before, over this link or over any."""
    for ticket, wanted in list(state.scanning.items()):
        if wanted.gid == gid and (link is None or (isinstance(wanted, HistoryFor) and wanted.link == link)):
            del state.scanning[ticket]


def _read_on(state: State, wanted: HistoryFor, step: Step) -> None:
    ticket = state.ticket()
    state.scanning[ticket] = wanted
    before = wanted.gid + wanted.walk.at if wanted.walk.at else None
    scan = Scan(ticket=ticket, space=Space.MESSAGES, prefix=wanted.gid, before=before, limit=ROWS_AT_ONCE)
    step.effects.append(scan)


def go_on(state: State, wanted: HistoryFor, rows: tuple[tuple[bytes, bytes], ...], step: Step) -> None:
    """Look at rows that have been read, and answer, or read on. A link that is gone, or out by now, gets nothing."""
    link, room = state.links.get(wanted.link), state.rooms.get(wanted.gid)
    session = None if link is None else link.sessions.get(wanted.gid)
    if link is None or room is None or session is None or session.device != wanted.dev or room.group.own.left:
        return
    member = room.group.view.member_of(wanted.dev)
    if member is None:
        return
    due = Due(room, member, step.now.wall_ms)
    records = [(key[len(wanted.gid) :], load(MessageRecord, value)) for key, value in rows]
    due.look_ahead([record for _, record in records], wanted.walk)
    for place, record in records:
        if due.is_over(record, wanted.walk):
            _answer(link, session, wanted, b"", step)
            return
        passed = wanted.walk.passed
        here = record.mseq in wanted.have.get(record.dev, Frontier())
        if due.covers(record, wanted.walk) and not here:
            original = original_of(wanted.gid, record)
            size = wanted.size + len(original.tbs) + _OVERHEAD_BYTES
            if wanted.found and size > limits.SESSION_CHUNK_BYTES:
                wanted.walk.passed = passed  # it is the first of the next page
                _answer(link, session, wanted, wanted.walk.at, step)
                return
            wanted.found.append(original)
            wanted.size = size
        wanted.walk.at = place
    wanted.rows += len(rows)
    if len(rows) < ROWS_AT_ONCE:
        _answer(link, session, wanted, b"", step)
    elif len(wanted.found) + ROWS_AT_ONCE > limits.HISTORY_MESSAGES_MAX or wanted.rows >= limits.HISTORY_ROWS_MAX:
        _answer(link, session, wanted, wanted.walk.at, step)
    else:
        _read_on(state, wanted, step)


def _answer(link: Link, session: Session, wanted: HistoryFor, before: bytes, step: Step) -> None:
    if not before:
        session.walk = None
    body = HistoryBody(ticket=wanted.ticket, before=before, messages=wanted.found[::-1])
    tell(link, session, body, SendClass.REPAIR, step)


class Due:
    """What a member may have of a group's messages."""

    def __init__(self, room: Room, member: Member, wall_ms: int) -> None:
        self._room, self._group, self._wall_ms = room, room.group, wall_ms
        self._devices = devices_of(room.group, member.pk)
        self._windows = windows_for(room.group, member)
        self._came_ms = came_ms(room.group, self._devices)

    def is_over(self, record: MessageRecord, walk: Walk) -> bool:
        """Say whether nothing from here on is for them: it was said before they came, and no window reaches it."""
        came = self._came_ms
        return came is not None and record.at_ms < came - SLACK_MS and not self._reaches(record, walk.passed + 1)

    def look_ahead(self, records: list[MessageRecord], walk: Walk) -> None:
        """Work out what was in force when these were written, the oldest first: so each follows from the one before."""
        group = self._group
        masks: set[int] = set()
        for record in records:
            if record.kind in _HANDED_ON and record.origin is not None and self._reaches(record, walk.passed + 1):
                masks.add(group.log.closure(record.origin.heads) or 0)
        for mask in sorted(masks - {0}, key=int.bit_count):
            window_of(group, mask)

    def covers(self, record: MessageRecord, walk: Walk) -> bool:
        """Say whether a message is for them, and count it if it is a post from before their time that may be shown."""
        group, origin = self._group, record.origin
        if origin is None or record.mseq > cut_of(group, record.dev) or has_erased(group, record.member):
            return False
        if is_over(self._room, record.at_ms, record.gone_ms, self._wall_ms):
            return False
        if was_for(group, self._devices, origin.epoch):
            return True
        if record.kind not in _HANDED_ON or record.flags & Flag.NO_HISTORY:
            return False
        walk.passed += 1
        if not self._reaches(record, walk.passed):
            return False
        seen = group.log.closure(origin.heads)
        return seen is not None and window_of(group, seen).reaches(walk.passed, self._age_ms(record))

    def _reaches(self, record: MessageRecord, place: int) -> bool:
        return all(window.reaches(place, self._age_ms(record)) for window in self._windows)

    def _age_ms(self, record: MessageRecord) -> int:
        """Return how old it was when they came; where that is not known any more, older than any window."""
        return (1 << 62) if self._came_ms is None else self._came_ms - record.at_ms
