"""Holdings: which frames of an epoch's topic are here, so that they can be compared with what a keeper has.

A message's frame is found by its device and number, and which numbers are an epoch's is known of each device; so the
list is made by reading those frames when it is first needed, and held from then on. Nothing is written for it with each
message. Frames of operations are not kept by nodes otherwise: in groups with a keeper they are, for as long as their
epoch is left at keepers, so that one that lost everything can be filled again.
"""

from itertools import pairwise
from typing import Final

from mesh.events import Fetch, Scan, Space
from mesh.gossip.shelf import BUCKETS
from mesh.ids import FrameId, GroupId, OpId, TopicId
from mesh.peer.held import Held, Holding, HoldingFor
from mesh.peer.keepers import has_keepers
from mesh.peer.state import Room, State, Step
from mesh.wire.frames import Frame, parse_frame, topic_of

UNKEPT_MAX: Final = 32_768  # frames of a group that came, and are kept nowhere here: some 15 MB; ours
_READ: Final = 1024  # frames of messages that are read at once; ours
_READ_OPS: Final = 64  # frames of operations, each up to 288 KiB; ours


def note_frame(room: Room, frame: Frame, step: Step, *, key: bytes = b"", taken: bool = False) -> None:
    """Note that a frame came in or went out on one of the group's topics.

    `key`: where it lies, if it is a message that is kept. `taken`: it is an operation's, and brought something.
    """
    bucket = BUCKETS.get(frame.type)
    topic = topic_of(frame.pk)
    if bucket is None or topic not in room.group.topics:
        return
    space = Space.FRAMES
    if taken and has_keepers(room.group):
        space, key = Space.OPFRAMES, room.group.gid + topic + frame.id
        step.journal.put(space, key, frame.raw)
    holding = room.holdings.get(topic)
    if holding is not None and (key or frame.id not in holding.frames):
        holding.frames[frame.id] = Held(bucket, space, key, len(frame.raw))
        if not key:
            _note_unkept(room, topic, frame.id)


def note_in_all(state: State, frame: Frame, step: Step) -> None:
    """Note in every group that a frame came in which may be one of its own."""
    for room in state.rooms.values():
        note_frame(room, frame, step)


def _note_unkept(room: Room, topic: TopicId, frame: FrameId) -> None:
    """Remember only so many frames that are kept nowhere; what a keeper has of the others it gives again."""
    room.unkept[topic, frame] = None
    while len(room.unkept) > UNKEPT_MAX:
        (old_topic, old), _ = room.unkept.popitem(last=False)
        holding = room.holdings.get(old_topic)
        if holding is not None and old in holding.frames and not holding.frames[old].key:
            del holding.frames[old]


def want_holding(state: State, room: Room, topic: TopicId, step: Step) -> Holding | None:
    """Return what is here of a topic once it has been read; None meanwhile."""
    holding = room.holdings.get(topic)
    if holding is None:
        room.holdings[topic] = Holding()
        keys = tuple(_keys(room, room.group.topics[topic]))
        if keys:
            _read(state, HoldingFor(gid=room.group.gid, topic=topic, keys=keys[:_READ], rest=keys[_READ:]), step)
        else:
            _scan(state, room.group.gid, topic, None, step)
        return None
    return holding if holding.whole else None


def _keys(room: Room, epoch: OpId) -> list[bytes]:
    """Return where the messages of an epoch lie, as far as it is remembered which those are."""
    found: list[bytes] = []
    for dev, track in sorted(room.tracks.items()):
        changes = [*track.spells.changes, (track.top + 1, b"")]
        spells = [(first, after - 1) for (first, under), (after, _) in pairwise(changes) if under == epoch]
        ranges = [(max(first, low), min(last, high)) for first, last in spells for low, high in track.kept()]
        numbers = (mseq for low, high in ranges for mseq in range(low, high + 1))  # never those that nobody said
        found.extend(room.group.gid + dev + mseq.to_bytes(8, "big") for mseq in numbers)
    return found


def _read(state: State, wanted: HoldingFor, step: Step) -> None:
    ticket = state.ticket()
    state.fetching[ticket] = wanted
    step.effects.append(Fetch(ticket=ticket, space=Space.FRAMES, keys=wanted.keys))


def _scan(state: State, gid: GroupId, topic: TopicId, before: bytes | None, step: Step) -> None:
    ticket = state.ticket()
    state.scanning[ticket] = HoldingFor(gid=gid, topic=topic, keys=(), rest=())
    prefix = gid + topic
    step.effects.append(Scan(ticket=ticket, space=Space.OPFRAMES, prefix=prefix, before=before, limit=_READ_OPS))


def read_messages(state: State, wanted: HoldingFor, values: tuple[bytes | None, ...], step: Step) -> None:
    """Frames of messages have been read; go on with the next."""
    room = state.rooms.get(wanted.gid)
    holding = None if room is None else room.holdings.get(wanted.topic)
    if holding is None:
        return
    for key, raw in zip(wanted.keys, values, strict=True):
        if raw is not None:
            _hold(holding, Space.FRAMES, key, raw)
    if wanted.rest:
        keys, rest = wanted.rest[:_READ], wanted.rest[_READ:]
        _read(state, HoldingFor(gid=wanted.gid, topic=wanted.topic, keys=keys, rest=rest), step)
    else:
        _scan(state, wanted.gid, wanted.topic, None, step)


def read_operations(state: State, wanted: HoldingFor, rows: tuple[tuple[bytes, bytes], ...], step: Step) -> bool:
    """Frames of operations have been read; return whether all of the topic is known now."""
    room = state.rooms.get(wanted.gid)
    holding = None if room is None else room.holdings.get(wanted.topic)
    if holding is None:
        return False
    for key, raw in rows:
        _hold(holding, Space.OPFRAMES, key, raw)
    if len(rows) == _READ_OPS:
        _scan(state, wanted.gid, wanted.topic, rows[-1][0], step)
        return False
    holding.whole = True
    return True


def _hold(holding: Holding, space: Space, key: bytes, raw: bytes) -> None:
    frame = parse_frame(raw)
    holding.frames[frame.id] = Held(BUCKETS[frame.type], space, key, len(raw))


def forget_holdings(room: Room, topics: list[TopicId], step: Step) -> None:
    """Forget the frames of operations of epochs that are not left at keepers any more."""
    kept = dict.fromkeys(topics)
    for topic in room.group.topics:
        if topic not in kept:
            room.holdings.pop(topic, None)
    gone = [topic for topic in room.left if topic not in kept]
    for topic in gone:
        step.journal.delete_prefix(Space.OPFRAMES, room.group.gid + topic)
    room.left = kept
