"""Refilling: what a keeper has and we lack is fetched, and what it lacks is left there (protocol.md §8).

Topic by topic the two sets of frames are compared, by `mesh.gossip.reconcile`; the keeper only answers. When we lack
nothing that it has under the epochs that we can read, we are *level* with it: then what we say may be sealed and left
there though nobody else is about (`speaking`). What it then withholds is withheld as any single member could.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from mesh.errors import Fault, RemoteError
from mesh.events import LinkKind, SendClass, SendStored, Space
from mesh.gossip.reconcile import Asking, Index, session_key
from mesh.ids import FrameId, TopicId
from mesh.peer import chores, holdings, way_back
from mesh.peer.keepers import at_keepers, is_level
from mesh.peer.links import AtKeeper, Link, Round
from mesh.peer.receipts import plan_receipt
from mesh.peer.speaking import hand_over
from mesh.peer.state import Room, State, Step
from mesh.peer.syncing import PRESENCE_SPREAD_MS, PRESENCE_WAIT_MS
from mesh.wire import limits
from mesh.wire.keepers import RangesType, pack_ranges

COMPARE_EVERY_MS: Final = 60_000  # what a full queue left out is found so; ours
INDEX_MS: Final = 5_000  # frames are put into indexes for one keeper within so long, ...; ours
INDEX_ITEMS_MAX: Final = 400_000  # ... no more than this: some 0.4 s of work; ours
_SILENT_MS: Final = 300_000  # a keeper that has not answered by then is asked anew; ours
_LEFT_AT_ONCE: Final = 512  # frames that we leave before the keeper has said that it has them; ours


@dataclass(frozen=True, slots=True)
class _Here:
    """One of a group's topics at one of its keepers."""

    state: State
    link: Link
    room: Room
    at: AtKeeper
    topic: TopicId

    def say(self, kind: RangesType, body: bytes, step: Step) -> None:
        """Ask the keeper something about it."""
        payload = pack_ranges(self.link.topics.own_tag(self.topic), kind, body)
        step.send(self.link.link, LinkKind.RANGES, payload, SendClass.CONTROL)


def tend(state: State, room: Room, step: Step) -> None:
    """Compare anew with every keeper that is there, where that is long ago."""
    for link, _ in at_keepers(state, room):
        compare(state, link, room, step)


def compare(state: State, link: Link, room: Room, step: Step) -> None:
    """Begin to compare each topic that a keeper keeps for us, unless that is under way or was done lately."""
    at = link.keepers[room.group.gid]
    now_ms = step.now.mono_ms
    for topic in [topic for topic in at.level if topic not in at.topics]:
        del at.level[topic]
    for topic, running in list(at.rounds.items()):
        if now_ms - running.since_ms > _SILENT_MS:
            del at.rounds[topic]
    if now_ms - at.leaving_ms > COMPARE_EVERY_MS:
        at.leaving.clear()
        at.left.clear()
    for topic in at.topics:
        if now_ms - at.level.get(topic, now_ms - COMPARE_EVERY_MS) >= COMPARE_EVERY_MS:
            _begin(_Here(state, link, room, at, topic), step)


def compare_shared(state: State, link: Link, topics: list[TopicId], step: Step) -> None:
    """A link has turned out to share these topics: compare those that it keeps for us."""
    for gid in list(link.keepers):
        room = state.rooms.get(gid)
        if room is not None and any(topic in room.group.topics for topic in topics):
            compare(state, link, room, step)


def holding_read(state: State, room: Room, topic: TopicId, step: Step) -> None:
    """What is here of a topic is known now: compare it with whoever keeps it."""
    for link, at in at_keepers(state, room):
        if topic in at.topics:
            _begin(_Here(state, link, room, at, topic), step)


def _begin(here: _Here, step: Step, *, again: bool = False) -> None:
    at, link, topic = here.at, here.link, here.topic
    if not at.accepted or topic in at.rounds or topic not in link.topics.shared:
        return  # it has not said yet that it keeps it, or is being asked
    holding = holdings.want_holding(here.state, here.room, topic, step)
    if holding is None or not _may_index(at, 1 + len(holding.frames), step):
        return
    key = session_key(topic, link.ends.speaker_nonce, link.ends.hearer_nonce)
    asking = Asking(Index(holding.items(), key))
    at.rounds[topic] = Round(asking=asking, since_ms=step.now.mono_ms, again=again)
    here.say(RangesType.QUESTION, asking.begin(), step)


def _may_index(at: AtKeeper, frames: int, step: Step) -> bool:
    """Say whether so many frames may be indexed now: a keeper that is never done would keep us busy."""
    since_ms, spent = at.compared_items
    since_ms, spent = (since_ms, spent) if step.now.mono_ms - since_ms < INDEX_MS else (step.now.mono_ms, 0)
    if spent and spent + frames > INDEX_ITEMS_MAX:
        return False
    at.compared_items = since_ms, spent + frames
    return True


def hear_ranges(state: State, link: Link, topic: TopicId | None, kind: RangesType, body: bytes, step: Step) -> None:
    """A keeper answers a comparison, or has given what we wanted. RemoteError for what nobody asked it."""
    for here in _places(state, link):
        running = here.at.rounds.get(here.topic) if here.topic == topic else None
        if running is None:
            continue
        running.since_ms = step.now.mono_ms
        if kind is RangesType.ANSWER:
            _take(here, running, body, step)
        elif running.given:
            running.given -= 1
            _go_on(here, running, step)
        else:
            raise RemoteError(Fault.UNASKED, "something given that was not wanted")
        return


def _places(state: State, link: Link) -> Iterator[_Here]:
    """Give what is being compared over a link."""
    for gid, at in list(link.keepers.items()):
        for topic in list(at.rounds):
            if gid in state.rooms:
                yield _Here(state, link, state.rooms[gid], at, topic)


def _take(here: _Here, running: Round, body: bytes, step: Step) -> None:
    try:
        found = running.asking.take(body)
    except RemoteError:
        del here.at.rounds[here.topic]
        raise
    if len(found.want) + sum(len(one.want) for one in here.at.rounds.values()) > limits.KEPT_FRAMES_MAX:
        del here.at.rounds[here.topic]
        raise RemoteError(Fault.OVER_LIMIT, "more frames than a keeper keeps in all")
    for question in found.questions:
        here.say(RangesType.QUESTION, question, step)
    running.want.extend(found.want)
    running.lacked = running.lacked or bool(found.want)
    _leave(here, [FrameId(one) for one in found.have], step)
    if not running.asking.waiting:
        _go_on(here, running, step)


def _go_on(here: _Here, running: Round, step: Step) -> None:
    """All differences are known: want what we lack, batch by batch; then see that nothing is missing any more."""
    state, room, at = here.state, here.room, here.at
    if running.want:
        batch, running.want = running.want[: limits.KEPT_WANT_MAX], running.want[limits.KEPT_WANT_MAX :]
        running.given += 1
        here.say(RangesType.WANT, b"".join(batch), step)
        return
    del at.rounds[here.topic]
    if not running.lacked:
        before = is_level(state, room)
        at.level[here.topic] = step.now.mono_ms
        if not before and is_level(state, room):
            _now_level(state, room, step)
    elif not running.again:
        _begin(here, step, again=True)


def _now_level(state: State, room: Room, step: Step) -> None:
    """Nobody need be there now for us to speak: do what waited for somebody."""
    way_back.tend(state, room, step)
    hand_over(state, room, step)
    plan_receipt(room, step)
    chores.plan(state, room, step)
    wait = PRESENCE_WAIT_MS + step.dice.randrange(PRESENCE_SPREAD_MS)
    step.set_timer("presence", room.group.gid, wait)


# ---------------------------------------------------------------- leaving


def _leave(here: _Here, frames: list[FrameId], step: Step) -> None:
    """Leave at a keeper what it lacks, as far as it has room, and no more than it has said that it took.

    What has no room is not pressed on it: it would push out what lies there, and be missing again the next time. Nor is
    what it has just said that it took: it may answer out of an index from before that.
    """
    at, holding = here.at, here.room.holdings[here.topic]
    keys: dict[Space, list[bytes]] = {Space.OPFRAMES: [], Space.FRAMES: []}
    for frame in frames:
        held = holding.frames.get(frame)
        if held is None or not held.key or frame in at.leaving or frame in at.left:
            continue
        if held.size > at.free or len(at.leaving) >= _LEFT_AT_ONCE:
            break
        at.free -= held.size
        at.leaving[frame], at.leaving_ms = None, step.now.mono_ms
        keys[held.space].append(held.key)
    for space, some in keys.items():
        if some:
            given = SendStored(link=here.link.link, space=space, keys=tuple(some), send_class=SendClass.REPAIR)
            step.effects.append(given)


def hear_stored(state: State, link: Link, payload: bytes, step: Step) -> None:
    """A keeper says that it has these frames (32 B ids); once it has all that we left, see whether there is more."""
    frames = [FrameId(payload[k : k + 32]) for k in range(0, len(payload), 32)]
    for gid, at in link.keepers.items():
        room = state.rooms.get(gid)
        if room is None:
            continue
        was_leaving = bool(at.leaving)
        for frame in frames:
            if frame in at.leaving:
                del at.leaving[frame]
                at.left[frame] = None
            else:  # it came as it was said, and takes room there too
                at.free = max(0, at.free - _size(room, at, frame))
        if was_leaving and not at.leaving:
            for topic in at.topics:
                _begin(_Here(state, link, room, at, topic), step)


def _size(room: Room, at: AtKeeper, frame: FrameId) -> int:
    """Return how many bytes a frame of ours takes, as far as it is known here."""
    held = (room.holdings[topic].frames.get(frame) for topic in at.topics if topic in room.holdings)
    return next((one.size for one in held if one is not None), 0)
