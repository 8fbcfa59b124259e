"""Welcoming: what goes back to one who knocked: the group's operations and keys, or why not (protocol.md §12).

An answer travels on the reply topic that the knock named. It goes straight to the joiner where one of our links is
theirs; else back the way that the knock came, and each hands it on in the same way. A welcome is the whole log: sent to
all who listen, a group of thirteen moved 40 MB for each who came in. All who listen get it where that way is gone, or
the joiner has knocked again. A link that turns out to listen only after the answer went out gets it then.
"""

from mesh.crypto.keys import public_key
from mesh.errors import LocalError, RemoteError
from mesh.events import Fetch, LinkKind, SendClass, Space
from mesh.groups.discreet import is_kept
from mesh.groups.group import Invite
from mesh.groups.invites import knock_statement, open_knock, seal_welcome
from mesh.groups.operations import card_device
from mesh.ids import DeviceId, FrameId, LinkId, OpId, TopicId
from mesh.peer.links import Link
from mesh.peer.state import Room, State, Step, WelcomeFor
from mesh.peer.syncing import bundles
from mesh.wire import limits
from mesh.wire.frames import Frame, parse_frame, topic_of
from mesh.wire.invites import Contact, Door, FrontierEntry, KnockBody, OpBundle, WelcomeBody
from mesh.wire.messages import SignedMessage
from mesh.wire.operations import epoch_block


def welcome(state: State, room: Room, raw: bytes, step: Step, *, links: tuple[LinkId, ...] = ()) -> None:
    """Read what a welcome needs; `give_welcome` sends it: over these links, or wherever it is listened for."""
    opened = read_knock(room, raw)
    if opened is None:
        return
    dev = card_device(opened.card)
    ops = [op.op_id for op in room.group.log.ops if _was_given(room, op.op_id, dev)]
    ticket = state.ticket()
    state.fetching[ticket] = WelcomeFor(gid=room.group.gid, knock=raw, ops=tuple(ops), links=links)
    keys = tuple(room.group.gid + op_id for op_id in ops)
    step.effects.append(Fetch(ticket=ticket, space=Space.WRAPS, keys=keys))


def read_knock(room: Room, raw: bytes) -> KnockBody | None:
    """Return what stands in a knock that was checked when it came, or None if its invite is not known any more."""
    frame = parse_frame(raw)
    invite = _invite_by_key(room, frame.pk)
    if invite is None:
        return None
    try:
        return open_knock(frame, invite, room.group.gid)
    except RemoteError:
        return None


def _invite_by_key(room: Room, invite_pk: bytes) -> Invite | None:
    return next((i for i in room.group.invites.values() if i.body.invite_pk == invite_pk), None)


def _was_given(room: Room, op_id: OpId, dev: bytes) -> bool:
    op = room.group.log.get(op_id)
    block = None if op is None else epoch_block(op.body)
    return block is not None and dev in block.recipients


def give_welcome(state: State, wanted: WelcomeFor, wraps: tuple[bytes | None, ...], step: Step) -> None:
    """Send the welcome to whoever listens on the reply topic; never to one who is not in, or not any more."""
    room = state.rooms.get(wanted.gid)
    knock = None if room is None else read_knock(room, wanted.knock)
    if room is None or knock is None or card_device(knock.card) not in room.group.view.devices:
        return
    with_wraps = {b.op.tbs: b for b in bundles(room.group, wanted.ops, wraps)}
    ops = [with_wraps.get(op.signed.tbs, OpBundle(op=op.signed, wraps=[])) for op in room.group.log.ops]
    contacts = [Contact(dev=dev, addresses=c.addresses) for dev, c in sorted(room.contacts.items())]
    own: list[str] = [] if is_kept(room.group) else list(state.addresses[: limits.ADDRESSES_MAX])
    body = WelcomeBody(
        door=Door.OPEN,
        ops=ops,
        frontier=frontier_before(room, card_device(knock.card)),
        contacts=[*contacts, Contact(dev=room.group.own.dev, addresses=own)],
        keyups=keyups(room),
    )
    _send_answer(state, room, knock, body, step, wanted.links)


def keyups(room: Room) -> list[SignedMessage]:
    """Return the newest key-up of each device that is in: a newcomer can open none of those messages."""
    return [track.keyup for dev, track in sorted(room.tracks.items()) if track.keyup and dev in room.group.view.devices]


def frontier_before(room: Room, dev: bytes) -> list[FrontierEntry]:
    """Return how far each device had come when `dev`, who joins, was not in yet: those messages are not for it."""
    entries: list[FrontierEntry] = []
    for other, track in sorted(room.tracks.items()):
        given = [first for first, epoch in track.spells.changes if dev in room.group.recipients(OpId(epoch))]
        end = min([track.settled.contiguous, *(first - 1 for first in given)])
        entries.append(FrontierEntry(dev=other, contiguous=end, beyond=[]))
    return entries


def refuse(
    state: State, room: Room, knock: KnockBody, door: Door, step: Step, *, links: tuple[LinkId, ...] = ()
) -> None:
    """Tell a joiner why they are not let in."""
    body = WelcomeBody(door=door, ops=[], frontier=[], contacts=[], keyups=[])
    _send_answer(state, room, knock, body, step, links)


def answer_again(state: State, link: Link, topics: list[TopicId], step: Step) -> None:
    """Give our answers to a link that has just turned out to listen for them."""
    for topic in topics:
        reply = state.replies.get(topic)
        room = None if reply is None else state.rooms.get(reply.gid)
        if reply is None or room is None or reply.door is None or link.link in reply.told:
            continue
        if has_come(state, room, reply.device):
            continue
        if reply.told and not _is_stranger(room, link) and room.group.gid not in link.keepers:
            continue  # a member who heard the knock, too; our answer is on its way
        reply.told[link.link] = None
        if reply.door is Door.OPEN:
            welcome(state, room, reply.knock, step, links=(link.link,))
            continue
        knock = read_knock(room, reply.knock)
        if knock is not None:
            refuse(state, room, knock, reply.door, step, links=(link.link,))


def has_come(state: State, room: Room, device: DeviceId) -> bool:
    """Say whether one who knocked needs no answer any more: they have spoken here, or are linked as a member."""
    linked = any(session.device == device for _, session in state.present(room))
    return linked or (device in room.group.view.devices and device in room.group.seen_by)


def pass_answer_on(state: State, link: LinkId, frame: Frame, step: Step) -> None:
    """Hand on an answer that another member gave. The first goes to all if it must; others go no further than one way.

    Each who answers one joiner seals an answer of their own, the whole log every time, and it is a frame like no other.
    """
    topic = topic_of(frame.pk)
    reply = state.replies.get(topic)
    room = None if reply is None else state.rooms.get(reply.gid)
    if reply is not None:
        reply.answered = True
        reply.answerer = link if reply.answerer is None else reply.answerer
    if reply is not None and room is not None and not has_come(state, room, reply.device):
        links = _listeners(state, room, topic) if reply.answerer == link else _one_way(state, room, topic)
        _send(state, links, frame.id, frame.raw, step)


def _send_answer(
    state: State, room: Room, knock: KnockBody, body: WelcomeBody, step: Step, links: tuple[LinkId, ...]
) -> None:
    try:
        frames = seal_welcome(
            body,
            reply_seed=knock.reply_seed,
            kem_pk=knock.card.kem_pk,
            suite=room.group.suite,
            statement=knock_statement(knock, room.group.gid),
            sealer=step.sealer,
        )
    except LocalError:
        return  # a log too long for a welcome: the joiner waits, and nobody here can mend it
    topic = topic_of(public_key(knock.reply_seed))
    targets = links or _listeners(state, room, topic)
    reply = state.replies.get(topic)
    if reply is not None:
        reply.answered, reply.door = True, body.door
        reply.told.update(dict.fromkeys(targets))
    for raw in frames:
        _send(state, targets, parse_frame(raw).id, raw, step)


def _listeners(state: State, room: Room, topic: TopicId) -> tuple[LinkId, ...]:
    """Return the links on the reply topic: the joiner's own if there is one, which no member's is; else that over which
    the knock came; else all. And every keeper's: the joiner may be away by now.
    """
    listening = [link for link in state.links.values() if topic in link.topics.shared]
    keepers = [link.link for link in listening if room.group.gid in link.keepers]
    members = [link.link for link in listening if link.link not in keepers]
    return (*(_one_way(state, room, topic) or members), *keepers)


def _one_way(state: State, room: Room, topic: TopicId) -> tuple[LinkId, ...]:
    """Return the joiner's own link, or links, on a reply topic; else that over which the knock came; or none."""
    reply = state.replies.get(topic)
    listening = (link for link in state.links.values() if topic in link.topics.shared)
    others = [link for link in listening if room.group.gid not in link.keepers]
    strangers = [link.link for link in others if _is_stranger(room, link)]
    back = [link.link for link in others if reply is not None and link.link == reply.via]
    return tuple(strangers or back)


def _is_stranger(room: Room, link: Link) -> bool:
    session = link.sessions.get(room.group.gid)
    return session is None or session.device not in room.group.view.devices


def _send(state: State, links: tuple[LinkId, ...], frame_id: FrameId, raw: bytes, step: Step) -> None:
    for link_id in state.seen.targets(frame_id, links):
        step.send(link_id, LinkKind.FRAME, raw, SendClass.OPERATIONS)
