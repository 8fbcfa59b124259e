"""Proving: two different messages of one device under one number. Here stands the one that came first.

What was signed twice is evidence, and it is in hand for a moment only: the second message's key is spent once it was
opened, and of the first only its frame is stored, whose key is gone. So the newest signed messages are remembered while
the node runs, and the first such pair of each device is kept, for people and for other programs to look at. Two
messages sealed with one key (one place in one chain) never meet here: the first one's opening took the key.
"""

from mesh.events import Space
from mesh.groups.erasing import has_erased
from mesh.groups.messaging import OpenedMessage
from mesh.ids import DeviceId, GroupId
from mesh.peer.records import ProofRecord
from mesh.peer.state import Room, State, Step
from mesh.peer.tracks import Track
from mesh.wire import limits
from mesh.wire.codec import encode
from mesh.wire.messages import SignedMessage
from mesh.wire.operations import ZERO32


def remember(state: State, gid: GroupId, dev: DeviceId, mseq: int, signed: SignedMessage) -> None:
    """Keep a signed message in memory for a while; the oldest go first."""
    _drop(state, (gid, dev, mseq))
    state.signed[gid, dev, mseq] = signed
    state.signed_bytes += len(signed.tbs)
    while len(state.signed) > limits.SIGNED_KEPT_MAX or state.signed_bytes > limits.SIGNED_KEPT_BYTES_MAX:
        _drop(state, next(iter(state.signed)))


def forget_signed(state: State, gid: GroupId, dev: DeviceId | None = None) -> None:
    """Forget what was said in a group, by one device or by all: it is being wiped."""
    for key in [key for key in state.signed if key[0] == gid and dev in (None, key[1])]:
        _drop(state, key)


def forget_one(state: State, gid: GroupId, dev: DeviceId, mseq: int) -> None:
    """Forget what one message said: it is not kept any more."""
    _drop(state, (gid, dev, mseq))


def _drop(state: State, key: tuple[GroupId, DeviceId, int]) -> None:
    gone = state.signed.pop(key, None)
    state.signed_bytes -= 0 if gone is None else len(gone.tbs)


def note_second(state: State, room: Room, opened: OpenedMessage, step: Step) -> None:
    """Keep a message whose number another one of its device has, beside that one if it is remembered.

    It cannot be the same one again: that would have had the same place in its chain, and could not have been opened.
    """
    room.track(opened.tbs.dev).doubt(opened.tbs.mseq)
    room.save_track(opened.tbs.dev, step.journal)
    _keep(state, room, opened, opened.tbs.mseq, step)


def note_break(state: State, room: Room, opened: OpenedMessage, track: Track, step: Step) -> None:
    """Keep a message that follows another than the one that stands here before it: there are two of that number.

    So it shows even where the other one never comes: nodes that have a number ask nobody for it. One that names none
    before it has forgotten what it said (an old copy of a home), and says nothing twice.
    """
    tbs = opened.tbs
    if track.top and tbs.mseq == track.top + 1 and tbs.prev not in (track.top_id, ZERO32):
        track.doubt(track.top)
        _keep(state, room, opened, track.top, step)


def _keep(state: State, room: Room, opened: OpenedMessage, mseq: int, step: Step) -> None:
    gid, dev = room.group.gid, opened.tbs.dev
    if dev in room.proofs or has_erased(room.group, opened.member) or not _make_room(room, step):
        return
    first = state.signed.get((gid, dev, mseq))
    proof = ProofRecord(mseq=mseq, first=first, second=opened.signed, at_ms=step.now.wall_ms)
    room.proofs[dev] = proof
    step.journal.put(Space.PROOFS, gid + dev, encode(proof))


def _make_room(room: Room, step: Step) -> bool:
    """Say whether one more proof may be kept; those of devices that are out make room."""
    if len(room.proofs) < limits.PROOFS_MAX:
        return True
    gone = next((dev for dev in room.proofs if dev not in room.group.view.devices), None)
    if gone is None:
        return False
    del room.proofs[gone]
    step.journal.delete(Space.PROOFS, room.group.gid + gone)
    return True
