"""Erasing: forget all that somebody said who left without a trace.

What is held in memory, the frames and the statements go in the step in which the leave comes in. The rows that people
read are found in the store, page by page, which takes a moment; until the last is through, the member is not among
those of whom it is done (`OwnState.erased`), so that a crash between two pages loses nothing: it is begun anew at the
start. Nothing of theirs is taken in, handed on or asked for from then on (`mesh.groups.erasing`), so it comes back from
nowhere. The operations stay, and name their key and the alias that they took: without them nobody could check who let
in whom. No honest node shows that alias again.
"""

from typing import Final

from mesh.events import Notice, Scan, Space
from mesh.gossip.frontier import Frontier
from mesh.groups.erasing import all_erased
from mesh.groups.history import devices_of
from mesh.groups.records import load
from mesh.ids import DeviceId, MemberPk
from mesh.peer.fetching import drop_files
from mesh.peer.placing import drop_message
from mesh.peer.proving import forget_signed
from mesh.peer.records import MessageRecord
from mesh.peer.state import Room, State, Step, Sweep
from mesh.peer.statements import notify, save, what_stays

ROWS_AT_ONCE: Final = 256  # looked at in one commit; ours

Rows = tuple[tuple[bytes, bytes], ...]


def tend(state: State, room: Room, step: Step) -> None:
    """Begin to forget whoever left without a trace, if that is not done or under way."""
    gid, own = room.group.gid, room.group.own
    due = tuple(pk for pk in all_erased(room.group) if pk not in own.erased)
    if not due or own.wipe or any(sweep.gid == gid and sweep.erased for sweep in state.sweeping.values()):
        return
    for pk in due:
        for dev in sorted(devices_of(room.group, pk)):
            _forget_device(state, room, dev, step)
        _forget_member(room, pk, step)
    _read(state, Sweep(gid=gid, space=Space.MESSAGES, erased=due), None, step)


def _forget_device(state: State, room: Room, dev: DeviceId, step: Step) -> None:
    """Forget the frames of a device, and what of them is in memory or kept as a proof."""
    gid = room.group.gid
    forget_signed(state, gid, dev)
    step.journal.delete_prefix(Space.FRAMES, gid + dev)
    step.journal.delete_prefix(Space.GAVE_WAY, gid + dev)
    step.journal.delete_prefix(Space.TAKEN_BACK, gid + dev)
    room.taken_back.pop(dev, None)
    room.statements.forget_gave_way(dev)
    if room.proofs.pop(dev, None) is not None:
        step.journal.delete(Space.PROOFS, gid + dev)
    track = room.tracks.get(dev)
    if track is not None:
        track.gone = track.gone.union(Frontier(track.top))
        room.save_track(dev, step.journal)


def _forget_member(room: Room, pk: MemberPk, step: Step) -> None:
    """Forget what a member stated, but for what binds others; what is being taken back; that their key was compared.

    What they said under seal to some stays with these (decision 0035).
    """
    gid = room.group.gid
    for stated in list(room.statements):
        left = what_stays(stated) if stated.record.member == pk else stated
        if left is None:
            room.statements.drop(stated)
            step.journal.delete(Space.STATEMENTS, gid + stated.key)
        elif left is not stated:
            room.statements.put(left)
            save(room, left, step)
        if left is not stated:
            notify(room, stated.body.form, step)
    for post in [post for post, record in room.withdrawn.items() if record.member == pk]:
        del room.withdrawn[post]
        step.journal.delete(Space.WITHDRAWN, gid + post)
    if room.verified.pop(pk, None) is not None:
        step.journal.delete(Space.VERIFIED, gid + pk)


def _read(state: State, wanted: Sweep, before: bytes | None, step: Step) -> None:
    ticket = state.ticket()
    state.sweeping[ticket] = wanted
    scan = Scan(ticket=ticket, space=wanted.space, prefix=wanted.gid, before=before, limit=ROWS_AT_ONCE)
    step.effects.append(scan)


def forget_rows(state: State, room: Room, erased: tuple[MemberPk, ...], rows: Rows, step: Step) -> None:
    """Forget what has been read of theirs, and read on; when all is through, note that it is done."""
    gid = room.group.gid
    for key, value in rows:
        record = load(MessageRecord, value)
        if record.member not in erased:
            continue
        drop_message(key, record.gone_ms, step)
        drop_files(room, record.post, step)
        step.journal.delete(Space.POSTS, gid + record.post)
        if record.post in room.deliveries:
            room.forget_delivery(record.post, step.journal)
    if len(rows) == ROWS_AT_ONCE:
        _read(state, Sweep(gid=gid, space=Space.MESSAGES, erased=erased), rows[-1][0], step)
        return
    room.group.set_own(step.journal, erased=sorted({*room.group.own.erased, *erased}))
    step.notify(Notice.GROUP, gid)
    tend(state, room, step)
