"""Which links a frame goes to, and which topics a link hears of: the mesh side of every room's traffic."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from mesh.crypto.keys import public_key
from mesh.events import LinkKind, SendClass
from mesh.gossip.seen import StreamId
from mesh.gossip.sessions import pack
from mesh.gossip.spread import Passing
from mesh.groups.invites import HOUR_MS, invite_keys, preview_seed
from mesh.ids import DeviceId, FrameId, LinkId, OpId, PeerId, TopicId
from mesh.peer.keepers import only_told, only_told_of
from mesh.peer.links import Link, Session
from mesh.peer.records import JoinRecord, JoinStage
from mesh.peer.state import Room, State, Step
from mesh.wire import limits
from mesh.wire.codec import decode
from mesh.wire.codes import InviteCode
from mesh.wire.frames import DAY_MS, Frame, FrameType, parse_frame, rendezvous_topic, topic_of
from mesh.wire.gossip import short
from mesh.wire.invites import KnockBody
from mesh.wire.sessions import SessionBody

_CLASSES: Final = dict.fromkeys(FrameType, SendClass.OPERATIONS) | {FrameType.MESSAGE: SendClass.MESSAGES}
DOOR_TOPICS: Final = 5  # the first of a joiner's: whoever listens there is at the door
DOOR_DAYS: Final = 7  # how long after its expiry an invite's door still answers; ours
EPOCHS_HEARD: Final = 64  # newest epochs of a group on whose topics we listen (protocol.md §5)
# A push that nobody acknowledges was skipped by a full queue, or came before its epoch: then links are told how far we
# have come, and ask. Longer than most round trips, shorter than a person's patience; ours.
REPAIR_WAIT_MS: Final = 2_000
_PUSHED_MAX: Final = 4096  # pushes of which a link owes an acknowledgement; ours
JOINING: Final = (JoinStage.LOOKING, JoinStage.PREVIEW, JoinStage.KNOCKING)


def push_frame(state: State, room: Room, epoch: OpId, frame: bytes, step: Step) -> FrameId:
    """Push a frame of ours on the topic of `epoch`; return its id."""
    parsed = parse_frame(frame)
    state.seen.note(parsed.id, None)
    forward(state, room, epoch, parsed, room.group.own.dev, step, source=None)
    return parsed.id


def forward(
    state: State,
    room: Room,
    epoch: OpId,
    frame: Frame,
    author: DeviceId | None,
    step: Step,
    *,
    source: LinkId | None,
    pushed: bool = True,
) -> None:
    """Let a frame go on to every link on its epoch's topic, or whose device the epoch was made for, that may lack it.

    Members get it at once or as an id, as `gossip.spread` has it; others at once, and everybody a call for a way back:
    what answers it must not be there before it. `author`: None where nobody can say;
    `source`: whence it came, None if it is ours; `pushed`: it was not asked for by its number.
    """
    topic, recipients, gid = topic_of(frame.pk), room.group.recipients(epoch), room.group.gid
    devices = room.group.view.devices
    members: list[LinkId] = []
    others: list[LinkId] = []
    for link in state.links.values():
        session = link.sessions.get(gid)
        device = None if session is None else session.device
        if topic in link.topics.shared or device in recipients:
            (members if device in devices and frame.type is not FrameType.RETURN else others).append(link.link)
    stream = None if author is None else StreamId(gid + author)
    giver = state.links.get(source) if source is not None else None
    from_author = (
        giver is not None and room.view.full_mesh and author is not None and giver.session(gid).device == author
    )
    if pushed:
        giver_id = source if source in members else None  # to nobody else is anything said
        step.effects.extend(state.spread.came(frame.id, giver_id, stream, from_author=from_author))
    passing = Passing(
        frame=frame.id,
        frame_bytes=len(frame.raw),
        stream=stream,
        own=source is None,
        from_author=from_author,
        calm=from_author and frame.type is FrameType.MESSAGE,
        pushed=pushed,
    )
    eager, sends = state.spread.pass_on(passing, members, step.dice)
    step.effects.extend(sends)
    if frame.type is not FrameType.MESSAGE:
        state.passed.note_other(short(frame.id), frame.raw)
    send_class = _CLASSES[frame.type]
    for link_id in [*eager, *state.seen.targets(frame.id, others)]:
        step.send(link_id, LinkKind.FRAME, frame.raw, send_class)
        session = state.links[link_id].sessions.get(gid)
        if frame.type is FrameType.MESSAGE and session is not None and session.device in recipients:
            _await(state.links[link_id], room, frame.id, step)


def _await(link: Link, room: Room, frame_id: FrameId, step: Step) -> None:
    link.pushed[frame_id] = room.group.gid
    while len(link.pushed) > _PUSHED_MAX:
        link.pushed.popitem(last=False)
    plan_telling(room, REPAIR_WAIT_MS, step)


def plan_telling(room: Room, wait_ms: int, step: Step) -> None:
    """Have links told how far we have come, no later than so long from now, if it is news to them."""
    at = step.now.mono_ms + wait_ms
    if room.tell_at is None or at < room.tell_at:
        room.tell_at = at
        step.set_timer("tell", room.group.gid, wait_ms)


def tell(link: Link, session: Session, body: SessionBody, send_class: SendClass, step: Step) -> None:
    """Say something to the other end of a session, under its seal; nothing where we could not prove ourselves."""
    if session.out is not None:
        step.send(link.link, LinkKind.SEALED, session.out.seal(step.entropy.draw(24), pack(body)), send_class)


def forward_on(state: State, topics: tuple[TopicId, ...], frame_id: FrameId, frame: bytes, step: Step) -> None:
    """Push a frame to every link that shares one of these topics and may lack it."""
    links = [link.link for link in state.links.values() if any(topic in link.topics.shared for topic in topics)]
    for link_id in state.seen.targets(frame_id, links):
        step.send(link_id, LinkKind.FRAME, frame, _CLASSES[FrameType(frame[0])])


def hand_to(link: Link, name: bytes, frame: bytes, step: Step) -> None:
    """Give a link a frame that it asked for by listening on its topic; once for each `name`."""
    if name not in link.given:
        link.given[name] = None
        step.send(link.link, LinkKind.FRAME, frame, SendClass.OPERATIONS)


@dataclass(frozen=True, slots=True)
class Telling:
    """Which links hear of a topic. `only`: those who are told of it, None: all; `answers`: so is whoever names it."""

    only: frozenset[PeerId] | None
    answers: bool = False

    def told_to(self, link: Link) -> bool:
        """Say whether a link is told of it, whatever it names."""
        return self.only is None or link.peer in self.only


_ALL: Final = Telling(None)
_NAMED: Final = Telling(frozenset(), answers=True)


def own_topics(state: State, wall_ms: int) -> dict[TopicId, Telling]:
    """Return every topic that we listen on now, and which links hear of it.

    They are those of epochs, of doors that still answer, of our own joins, and what we keep for others. What is kept is
    told to those alone who name it: by the number of the rest one would see that somebody has more kept than before. So
    it is with a talk of ours that keepers carry, if we are one: what we keep and what is ours looks alike.
    """
    found: dict[TopicId, Telling] = {}
    is_host = state.host is not None and state.host.on

    def listen(topics: Iterable[TopicId], only: frozenset[PeerId] | None) -> None:
        found.update(dict.fromkeys(topics, _ALL if only is None else Telling(only, answers=is_host)))

    for room in state.rooms.values():
        listen(_room_topics(room, wall_ms), only_told(room.group))
    for topic, reply in state.replies.items():
        answering = state.rooms.get(reply.gid)
        listen([topic], None if answering is None else only_told(answering.group))
    for join in state.joins.values():
        if join.stage in JOINING:
            listen(join_topics(join, wall_ms // DAY_MS), only_told_of(state, join))
    for topic in () if state.host is None else state.host.shelf.topics:
        found.setdefault(topic, _NAMED)
    listen([pairing.keys.topic for pairing in (state.pairing, state.entering) if pairing is not None], None)
    return found


def _room_topics(room: Room, wall_ms: int) -> list[TopicId]:
    """Return the topics of a group: its newest epochs', and its doors'."""
    if room.silent:
        return []
    newest = {record.op_id for record in room.group.newest_epochs()[:EPOCHS_HEARD]}
    topics = [topic for topic, epoch in room.group.topics.items() if epoch in newest]
    for invite in room.group.invites.values() if room.group.me is not None else ():
        if invite.body.expiry_hour * HOUR_MS + DOOR_DAYS * DAY_MS > wall_ms:
            topics.append(preview_topic(invite.body.knock_key))
            topics.extend(_doors(invite.body.invite_pk, wall_ms // DAY_MS))
    return topics


@lru_cache(maxsize=4096)
def preview_topic(knock_key: bytes) -> TopicId:
    """Return the topic on which an invite's previews travel."""
    return topic_of(public_key(preview_seed(knock_key)))


def is_looked_for(state: State, frame: Frame) -> bool:
    """Say whether a frame may be the preview that an attempt to join waits for, though another had it before."""
    if frame.type is not FrameType.PREVIEW:
        return False
    codes = [InviteCode.unpack(join.code) for join in state.joins.values() if join.stage is JoinStage.LOOKING]
    return any(preview_topic(invite_keys(code.seed).knock_key) == topic_of(frame.pk) for code in codes)


def join_topics(join: JoinRecord, today: int) -> list[TopicId]:
    """Return what a joiner listens on: previews, the four topics of the door, and the reply once it has knocked."""
    keys = invite_keys(InviteCode.unpack(join.code).seed)
    topics = [preview_topic(keys.knock_key), *_doors(keys.invite_pk, today)]
    if join.keys is not None:
        knock = decode(KnockBody, join.keys.knock, bytes_max=limits.KNOCK_PADDED_BYTES)
        topics.append(topic_of(_reply_key(knock.reply_seed)))
    return topics


@lru_cache(maxsize=256)
def _reply_key(reply_seed: bytes) -> bytes:
    return public_key(reply_seed)


def _doors(invite_pk: bytes, today: int) -> list[TopicId]:
    """Return where knocks go: to members who are there on a topic of the day, to keepers on one that stays."""
    return [*(rendezvous_topic(invite_pk, max(0, today + shift)) for shift in (-1, 0, 1)), topic_of(invite_pk)]
