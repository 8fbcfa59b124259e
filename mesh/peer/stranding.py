"""Stranded: a device that is in and was given no key says so, and is given one (protocol.md §9).

It notices when the log holds an epoch that lists it, as a recipient or as dormant, and no key of ours opens it. It
waits a moment, for wraps may be on their way. Then it publishes a fresh KEM key and says `stranded`, under the epoch
that it still holds. Whoever hears that counts the epoch as incomplete, so that somebody re-keys in turn.

A word costs the others an epoch, so each member has only so many of them an hour, and each device one for an epoch
that lists it. The device itself re-keys only after those who hold the newer epoch had their turns: should nobody have
been given the key, it must not wait for ever.
"""

from typing import Final

from mesh.events import Instant
from mesh.groups.dormancy import lists, missing_epoch
from mesh.groups.group import Group
from mesh.groups.messaging import chain_is_full
from mesh.ids import DeviceId, MemberPk, OpId
from mesh.peer.keeping import fresh_kem
from mesh.peer.speaking import can_speak, say_under
from mesh.peer.state import Behind, Room, State, Step
from mesh.wire.codec import encode
from mesh.wire.messages import KeyupBody, Kind, StrandedBody
from mesh.wire.operations import epoch_block

WAIT_MS: Final = 5_000  # by then wraps that are on their way, or asked for, have come; ours
AGAIN_MS: Final = 60_000  # then it is said again, and ever more seldom: ours
AGAIN_MS_MAX: Final = 3_600_000
CALLS_MAX: Final = 4  # words of one member that cost the others an epoch, ...; ours
CALLS_MS: Final = 3_600_000  # ... in so long


def tend(state: State, room: Room, step: Step) -> bool:
    """Say what we lack, if we lack it for long enough and somebody is there to hear.

    True where we cannot say it under a key that others still hold, or have said it in vain, or those who are there tell
    us nothing: then it is time to call (`way_back`).
    """
    group = room.group
    inside = group.me is not None and not group.own.left
    epoch = missing_epoch(group) if inside else None
    if epoch is None and not (inside and room.seems_out):
        room.behind = None
        return False
    if room.behind is None:
        room.behind = Behind(next_ms=step.now.mono_ms + WAIT_MS)
        step.set_timer("stranded", group.gid, WAIT_MS)
    behind = room.behind
    if step.now.mono_ms < behind.next_ms or not _is_somebody_there(state, group):
        return False
    says = epoch is not None and behind.said != epoch and _can_say(state, room, epoch, step.now)
    if says and epoch is not None:
        behind.said = epoch
        _say_stranded(state, room, epoch, step)
    behind.next_ms = step.now.mono_ms + min(AGAIN_MS << behind.tries, AGAIN_MS_MAX)
    behind.tries = min(behind.tries + 1, 16)
    return not says


def _is_somebody_there(state: State, group: Group) -> bool:
    return any(topic in group.topics for link in state.links.values() for topic in link.topics.shared)


def _can_say(state: State, room: Room, lacking: OpId, now: Instant) -> bool:
    """Say whether others can open what we say: if we lack no more than the last epoch, they hold the one before it.

    For it is not retired before we sign something that builds on its successor, or that one is old. Under an epoch that
    the group did not build on nobody may hear us; and one who has forgotten what they said must not speak.
    """
    group, epoch = room.group, room.group.epoch
    if epoch is None or room.fell_back or chain_is_full(group, epoch) or not can_speak(state, room, now):
        return False
    before, bit = group.log.past(lacking), group.log.bit(epoch)
    between = (e for e in group.log.graph.entries(before) if e.act.recipients is not None and e.past & bit)
    return bool(before & bit) and not any(between)


def _say_stranded(state: State, room: Room, lacking: OpId, step: Step) -> None:
    """Say that we cannot open an epoch, after a fresh key to seal the next one to."""
    group, epoch = room.group, room.group.epoch
    block = epoch_block(group.log.operation(lacking).body)
    assert block is not None
    assert epoch is not None
    number, public = fresh_kem(group, step)
    say_under(state, room, epoch, Kind.KEYUP, encode(KeyupBody(kem_number=number, kem_pk=public)), step)
    say_under(state, room, epoch, Kind.STRANDED, encode(StrandedBody(nonce=block.nonce)), step)


# ---------------------------------------------------------------- hearing it


def hear_stranded(room: Room, dev: DeviceId, body: StrandedBody, step: Step) -> None:
    """A device says that it has no key of an epoch: if that is the one in use and lists it, somebody is to re-key."""
    epoch = _epoch_of(room.group, body.nonce)
    if epoch is not None and lists(room.group, epoch, dev):
        call(room, dev, epoch, step)


def call(room: Room, dev: DeviceId, epoch: OpId, step: Step) -> None:
    """Count an epoch as one that leaves a device out, unless its member has called too often of late."""
    group = room.group
    member = group.view.devices.get(dev)
    known = group.devices.get(dev)
    said = known is not None and epoch in known.stranded
    if member is None or said or _is_followed(group, epoch) or not _may_call(room, member, step.now):
        return
    group.note_stranded(dev, epoch, step.journal)
    step.touch(group.gid, [], also=True)


def _epoch_of(group: Group, nonce: bytes) -> OpId | None:
    for op in reversed(group.log.ops):
        block = epoch_block(op.body)
        if block is not None and block.nonce == nonce:
            return op.op_id
    return None


def _is_followed(group: Group, epoch: OpId) -> bool:
    """Say whether an epoch that counts and whose key is here follows this one: then it is in use no more."""
    log, bit = group.log, group.log.bit(epoch)
    return any(log.past(held) & bit and log.bit(held) & group.view.valid for held in group.epochs)


def _may_call(room: Room, member: MemberPk, now: Instant) -> bool:
    lately = [at for at in room.calls.get(member, ()) if now.mono_ms - at < CALLS_MS]
    if len(lately) >= CALLS_MAX:
        return False
    room.calls[member] = [*lately, now.mono_ms]
    return True
