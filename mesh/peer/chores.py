"""Chores: what a group needs after its operations changed, and who does it.

Whoever happens to be there re-keys, follows a leave with a removal, and closes what a departed member could misuse.
Members take turns by a hash, so that a change does not make everyone act at once (protocol.md §5, "Storm control").
"""

from contextlib import suppress
from itertools import islice
from typing import Final

from mesh.commands import Rank
from mesh.crypto.hashes import h
from mesh.crypto.keys import public_key
from mesh.errors import LocalError, RemoteError
from mesh.events import Instant, Notice
from mesh.groups.authoring import author, rekey, remove, remove_device
from mesh.groups.dormancy import missing_epoch
from mesh.groups.history import HISTORY, shown_window
from mesh.groups.invites import HOUR_MS
from mesh.groups.operations import Operation
from mesh.ids import DeviceId, MemberPk, OpId
from mesh.membership.acts import GRANTS
from mesh.peer import (
    admitting,
    catching_up,
    door,
    doubting,
    erasing,
    joining,
    leaving,
    parting,
    raising,
    reaching,
    way_back,
)
from mesh.peer.circling import note_turn
from mesh.peer.hearing import hear_message, take_early
from mesh.peer.own import note_came
from mesh.peer.routing import plan_telling
from mesh.peer.speaking import can_speak, hand_over, publish
from mesh.peer.state import Room, State, Step
from mesh.peer.statements import first_ahead, note_cuts
from mesh.peer.syncing import PRESENCE_SPREAD_MS, PRESENCE_WAIT_MS, resume_sessions
from mesh.wire.frames import parse_frame
from mesh.wire.operations import Cut, ForkBody, OpType, UninviteBody, epoch_block

TURN_MS: Final = 2_000  # rank r waits 2r s for r < 30 (protocol.md §5)
LATE_TURN_MS: Final = 60_000  # and 60 + (r − 30) s beyond
BEHIND_MS: Final = 60_000  # who was not given the newest key comes after those who were (protocol.md §9); ours
CLOCKS_MS: Final = 3_600_000  # so far may moderators' clocks be apart: an invite that is closed stays so; ours
CLOSED_AT_ONCE_MAX: Final = 16  # invites that ran out; ours
EPOCH_MS_MAX: Final = 7 * 86_400_000
TELL_WAIT_MS: Final = 400  # an operation is pushed at once; states follow, so that it does not travel twice; ours
TELL_SPREAD_MS: Final = 400


def after_operations(state: State, room: Room, ops: list[Operation], step: Step) -> None:
    """Bring everything that hangs on a group's operations up to date, now that these came in."""
    group = room.group
    for op in ops:
        if op.type is OpType.ADMIT and op.grantee is not None and op.tbs.dev != group.own.dev:
            step.notify(Notice.JOINED, group.gid, op.grantee)
        elif isinstance(op.body, ForkBody) and op.tbs.dev != group.own.dev and group.own.member_pk in op.body.allow:
            step.notify(Notice.FORK, group.gid, op.op_id)
    step.topics_changed = True
    _recover_own(room, ops, step)
    if group.me is None and not group.own.left and group.own.rank_seen is not Rank.NEWCOMER:
        group.set_own(step.journal, rank_seen=Rank.NEWCOMER)
    elif group.me is not None and group.rank != group.own.rank_seen:
        group.set_own(step.journal, rank_seen=group.rank)
    if group.me is not None and group.me.grant != group.own.granted:
        group.set_own(step.journal, granted=group.me.grant, granted_ms=step.now.wall_ms)
    leaving.note_own(room, step)
    erasing.tend(state, room, step)
    note_cuts(room, step)
    if group.own.cut_off and _brings_us_in(state, room, ops):
        doubting.hear_epoch(state, room, step)
    elif not room.seems_out:
        joining.stop_needless(state, room, step)
    step.notify(Notice.GROUP, group.gid)
    _tell_history(room, step)
    door.sweep_knocks(state, room, ops, step)
    admitting.welcome_keyed(state, room, step)
    note_came(room, ops, step)
    raising.sweep_objections(room, step)
    resume_sessions(state, room, step)
    plan_telling(room, TELL_WAIT_MS + step.dice.randrange(TELL_SPREAD_MS), step)
    reaching.dial_keepers(room, step)
    devices = group.view.devices
    reaching.forget_contacts(room, [dev for dev in room.contacts if dev not in devices], step)
    _retry_early(state, room, step)
    way_back.tend(state, room, step)
    plan(state, room, step)
    note_turn(room, step)
    hand_over(state, room, step)
    if group.epochs.keys() != room.epochs_known:
        room.epochs_known = frozenset(group.epochs)
        catching_up.ask_anew(state, room, step)
    else:
        catching_up.ask_messages(state, room, step)
    wait = PRESENCE_WAIT_MS + step.dice.randrange(PRESENCE_SPREAD_MS)
    step.set_timer("presence", group.gid, wait)
    parting.after_operations(state, room, step)


def _tell_history(room: Room, step: Step) -> None:
    """Tell people when what newcomers get has changed: it concerns whatever they say from now on."""
    now = shown_window(room.group.view.settings.get(HISTORY, "none"))
    if now != room.history_seen:
        room.history_seen = now
        step.notify(Notice.GROUP, room.group.gid, now.encode())


def _recover_own(room: Room, ops: list[Operation], step: Step) -> None:
    """Others have operations of ours that we lost: we go on after them, and never give their numbers again."""
    own = room.group.own
    for op in ops:
        if op.tbs.dev == own.dev and op.tbs.dseq > room.group.own.dseq:
            block = epoch_block(op.body)
            number = room.group.own.kem_number if block is None else max(room.group.own.kem_number, block.kem_number)
            room.group.set_own(step.journal, dseq=op.tbs.dseq, dprev=op.op_id, kem_number=number)
            room.fell_back = True


def _brings_us_in(state: State, room: Room, ops: list[Operation]) -> bool:
    """Say whether others speak under an epoch with us: one of theirs is ours to speak under, and it is new here.

    One that we make ourselves, on whichever device, shows nothing: we can go on making them alone. Nor does one that
    answers our own knock: what it means for us is judged by the welcome (`joining`).
    """
    op = room.group.log.get(room.group.epoch) if room.group.epoch is not None else None
    card = None if op is None else room.group.log.card(op.tbs.dev)
    if op is None or card is None or card.member_pk == room.group.own.member_pk or joining.is_answer(state, op):
        return False
    return op in ops or op.op_id not in room.epochs_known


def _retry_early(state: State, room: Room, step: Step) -> None:
    epochs = {public_key(record.pub_seed): epoch for epoch, record in room.group.epochs.items()} if room.early else {}
    for raw, link in take_early(room):
        frame = parse_frame(raw)
        epoch = epochs.get(frame.pk)
        if epoch is None:
            continue
        try:
            taken = hear_message(state, room, epoch, frame, link, step)
        except RemoteError:
            continue  # its sender is not at hand any more; it is simply not shown
        if taken and link is not None:
            step.stored.setdefault(link, []).append(frame.id)


# ---------------------------------------------------------------- whose turn


def plan(state: State, room: Room, step: Step) -> None:
    """Set the timer for whatever the group needs, at our turn; stop it where nothing is needed."""
    wait = None
    if room.group.me is not None and not room.group.own.left and _needs(state, room, step):
        host = None if _to_follow_up(room) else admitting.newest_host(room.group)
        rank = _place_in_line(state, room, host)
        wait = rank * TURN_MS if rank < 30 else LATE_TURN_MS + (rank - 30) * 1000
        wait += 0 if missing_epoch(room.group) is None else BEHIND_MS
        wait += 0 if host is None else admitting.epoch_youth_ms(room, step.now)
        wait += 0 if _is_urgent(state, room, step) else TURN_MS  # what another has just done is still on its way
    if wait is not None or room.chore_due:
        step.set_timer("chore", room.group.gid, wait)
    room.chore_due = wait is not None


def _place_in_line(state: State, room: Room, host: DeviceId | None) -> int:
    """Return how many of those who are there come before us; whoever let newcomers in comes first."""
    group = room.group
    heads = b"".join(group.log.heads)
    there = {s.device for _, s in state.present(room) if s.device is not None} | {group.own.dev}
    return sorted(there, key=lambda dev: (dev != host, h(b"mesh1/storm", heads, dev))).index(group.own.dev)


def _needs(state: State, room: Room, step: Step) -> bool:
    return _is_urgent(state, room, step) or bool(raising.to_raise(room, step.now) or _to_close(room, step.now))


def _is_urgent(state: State, room: Room, step: Step) -> bool:
    return _needs_epoch(state, room, step) or bool(_to_follow_up(room))


def _to_close(room: Room, now: Instant) -> list[OpId]:
    """Return open invites that ran out so long ago that every clock has it so; as many as we close at once."""
    if room.group.rank > Rank.MODERATOR:
        return []
    due_ms = now.wall_ms - CLOCKS_MS
    over = (i.op_id for i in room.group.invites.values() if i.open and i.body.expiry_hour * HOUR_MS <= due_ms)
    return list(islice(over, CLOSED_AT_ONCE_MAX))


def _needs_epoch(state: State, room: Room, step: Step) -> bool:
    """Say whether an epoch is to be made, as far as we know; that ours is old we may know only of old."""
    group = room.group
    if missing_epoch(group) is not None:
        return can_speak(state, room, step.now)
    epoch = group.epoch
    if epoch is None or not group.epoch_is_complete:
        return True
    old = step.now.wall_ms - group.epochs[epoch].since_ms > EPOCH_MS_MAX
    return old and (not group.others or can_speak(state, room, step.now))


def _to_follow_up(room: Room) -> list[MemberPk]:
    """Return those who left and whom we may and should also remove: only that closes back-dating (protocol.md §4)."""
    group = room.group
    if group.rank > Rank.MODERATOR:
        return []
    found = []
    for pk, farewell in group.view.departed.items():
        op = group.log.get(farewell)
        ranks = [o.granted_rank for o in group.log.ops if o.type in GRANTS and o.grantee == pk]
        if op is not None and op.type is OpType.LEAVE and min(ranks) > group.rank:
            found.append(pk)
    return found


def do_chore(state: State, room: Room, step: Step) -> None:
    """Our turn has come: do what is still needed."""
    room.chore_due = False
    if room.group.me is None or room.group.own.left:
        return
    try:
        followed = _to_follow_up(room)
        for pk in followed:
            remove_member(state, room, pk, "", step)
        if not followed and _needs_epoch(state, room, step):
            publish(state, room, rekey(room.group, step.means()), step)
        for pk in raising.to_raise(room, step.now):
            raising.raise_newcomer(state, room, pk, step)
        for invite in _to_close(room, step.now):
            publish(state, room, author(room.group, OpType.UNINVITE, UninviteBody(invite=invite), step.means()), step)
    except LocalError:
        return  # no key, or no right any more: somebody else's turn


# ---------------------------------------------------------------- removal


def remove_member(state: State, room: Room, target: MemberPk, reason: str, step: Step) -> None:
    """Remove a member, and close all open invites: the removed could read knocks (protocol.md §12). RefusedError."""
    cuts = [_cut(room, dev, step.now.wall_ms) for dev in _devices_of(room, target)]
    publish(state, room, remove(room.group, target, cuts, reason, step.means()), step)
    _close_invites(state, room, step)


def remove_own_device(state: State, room: Room, dev: DeviceId, member_seed: bytes, step: Step) -> None:
    """Take another device of ours out, and close the open invites as far as we may. LocalError, RefusedError."""
    group = room.group
    if dev == group.own.dev:
        raise LocalError("a device is not removed by itself", do="leave the group here", code="E-THIS-DEVICE")
    if group.view.devices.get(dev) != group.own.member_pk:
        raise LocalError("that is no device of yours in this group", code="E-NO-DEVICE")
    publish(state, room, remove_device(group, dev, _cut(room, dev, step.now.wall_ms), member_seed, step.means()), step)
    _close_invites(state, room, step)


def _close_invites(state: State, room: Room, step: Step) -> None:
    group = room.group
    for invite in list(group.invites.values()):
        if invite.open:
            with suppress(LocalError):  # the removal stands, whatever hinders this
                body = UninviteBody(invite=invite.op_id)
                publish(state, room, author(group, OpType.UNINVITE, body, step.means()), step)


def _devices_of(room: Room, target: MemberPk) -> list[DeviceId]:
    return [
        dev for dev in room.group.kem_of if (card := room.group.log.card(dev)) is not None and card.member_pk == target
    ]


def _cut(room: Room, dev: DeviceId, wall_ms: int) -> Cut:
    """Return the last message of a device that is to count: the last one here, or that before what is dated ahead.

    A statement that is dated ahead would begin to count when its author is long out.
    """
    ahead = first_ahead(room, dev, wall_ms)
    if ahead is not None and ahead.origin is not None:
        return Cut(dev=dev, mseq=ahead.mseq - 1, msg_id=ahead.origin.prev)
    track = room.track(dev)
    return Cut(dev=dev, mseq=track.top, msg_id=track.top_id)
