"""Hearing: a message frame comes in, is opened, placed, shown, acknowledged and passed on.

Nothing is shown before every check has passed, nothing twice, and nothing of it is lost if this process dies in the
next instant: the frame is stored in the same transaction in which the ratchet moves.
"""

from typing import Final

from mesh.errors import Fault, RemoteError
from mesh.events import Dial, Notice, Space
from mesh.groups.messaging import OpenedMessage, TooEarly, open_message, take_in
from mesh.ids import Address, DeviceId, FrameId, OpId, PeerId, PostId
from mesh.peer.placing import keep_message, note_message, place_ms
from mesh.peer.records import ContactRecord, MessageRecord
from mesh.peer.routing import forward
from mesh.peer.state import Link, Room, State, Step, post_id
from mesh.support.posts import interpret
from mesh.wire import limits
from mesh.wire.codec import decode, encode
from mesh.wire.frames import Frame
from mesh.wire.messages import KeyupBody, Kind, MessageTbs, PresenceBody, ReceiptBody

RECEIPT_WAIT_MS: Final = 600  # receipts go in batches, jittered (network.md §7); ours
RECEIPT_SPREAD_MS: Final = 900


def hear_message(state: State, room: Room, epoch: OpId, frame: Frame, link: Link | None, step: Step) -> bool:
    """Take in a message frame whose outer signature holds; return whether it is here now.

    RemoteError for what no honest member sends. False: it waits for operations, or came after its author's removal.
    """
    try:
        opened = open_message(room.group, frame, epoch)
    except RemoteError as error:
        if error.fault is Fault.UNASKED:
            return False
        raise
    if isinstance(opened, TooEarly):
        _wait_for_operations(room, frame.raw, link, step)
        return False
    tbs = opened.tbs
    track = room.track(tbs.dev)
    if tbs.mseq in track.have:
        take_in(room.group, opened, step.means())  # sealed twice by a rolled-back device: once is enough
        return True
    if tbs.mseq > max(track.top, track.settled.top) + limits.MSEQ_JUMP_MAX:
        raise RemoteError(Fault.AGAINST_RULES, "a device's message number leaps")
    if track.top and tbs.mseq == track.top + 1 and tbs.prev != track.top_id:
        raise RemoteError(Fault.AGAINST_RULES, "a message that does not follow its device's last one")
    _check_body(opened)
    take_in(room.group, opened, step.means())
    track.take(tbs.mseq, opened.msg_id, epoch)
    room.save_track(tbs.dev, step.journal)
    step.journal.put(Space.FRAMES, room.group.gid + tbs.dev + tbs.mseq.to_bytes(8, "big"), frame.raw)
    _act(room, opened, step)
    _tell_holder(link, room, tbs)
    forward(state, room, epoch, frame.id, frame.raw, step)
    return True


def _wait_for_operations(room: Room, raw: bytes, link: Link | None, step: Step) -> None:
    room.early[raw] = None
    while len(room.early) > limits.PENDING_MESSAGES_MAX:
        del room.early[next(iter(room.early))]
    if link is not None:
        step.wanted_ops[link.link, room.group.gid] = None


def _check_body(opened: OpenedMessage) -> None:
    """Parse a body before anything moves, so that a broken one costs its sender and not the ratchet."""
    body = opened.tbs.body
    match opened.tbs.kind:
        case Kind.POST:
            interpret(body)
        case Kind.KEYUP:
            decode(KeyupBody, body, bytes_max=limits.MESSAGE_BYTES_MAX)
        case Kind.RECEIPT:
            decode(ReceiptBody, body, bytes_max=limits.MESSAGE_BYTES_MAX)
        case Kind.PRESENCE:
            decode(PresenceBody, body, bytes_max=limits.MESSAGE_BYTES_MAX)
        case _:
            pass  # kinds of later versions are kept and shown as such


def _act(room: Room, opened: OpenedMessage, step: Step) -> None:
    tbs = opened.tbs
    match tbs.kind:
        case Kind.RECEIPT:
            _receipt(room, opened, decode(ReceiptBody, tbs.body, bytes_max=limits.MESSAGE_BYTES_MAX), step)
        case Kind.PRESENCE:
            presence = decode(PresenceBody, tbs.body, bytes_max=limits.MESSAGE_BYTES_MAX)
            contact = ContactRecord(addresses=presence.addresses, in_invites=presence.in_invites, ts_ms=tbs.ts_ms)
            learn_contact(room, tbs.dev, contact, step)
        case Kind.KEYUP:
            keyup = decode(KeyupBody, tbs.body, bytes_max=limits.MESSAGE_BYTES_MAX)
            if step.sealer.check(room.group.suite, keyup.kem_pk):
                room.group.note_kem(tbs.dev, keyup.kem_number, keyup.kem_pk)
        case Kind.BEACON | Kind.STRANDED | Kind.APPROVAL:
            pass  # kept for the frontier; acted on from the membership issue on
        case _:
            _show(room, opened, step)


def _show(room: Room, opened: OpenedMessage, step: Step) -> None:
    tbs = opened.tbs
    parents = tuple(tbs.parents)
    at_ms = place_ms(room, tbs.ts_ms, parents, step.now.wall_ms)
    note_message(room, opened.msg_id, parents, at_ms)
    record = MessageRecord(
        post=post_id(tbs.dev, tbs.uid),
        msg_id=opened.msg_id,
        dev=tbs.dev,
        member=opened.member,
        kind=tbs.kind,
        mseq=tbs.mseq,
        at_ms=at_ms,
        ts_ms=tbs.ts_ms,
        seen_ms=step.now.wall_ms,
        flags=tbs.flags,
        body=tbs.body,
    )
    keep_message(room, record, step, unread=True)
    if not room.owed:
        wait = RECEIPT_WAIT_MS + step.dice.randrange(RECEIPT_SPREAD_MS)
        step.set_timer("receipt", room.group.gid, wait)
    room.owed[tbs.dev] = None


def _receipt(room: Room, opened: OpenedMessage, body: ReceiptBody, step: Step) -> None:
    own = room.group.own
    for reached in body.reached:
        if reached.dev != own.dev:
            continue
        for mseq, post in list(room.sent.items()):
            if mseq <= reached.mseq and opened.member != own.member_pk:
                delivery = room.deliveries[post].received_by(opened.member)
                room.save_delivery(post, delivery, step.journal)
                step.notify(Notice.STATE, room.group.gid, post)


def learn_contact(room: Room, dev: DeviceId, contact: ContactRecord, step: Step) -> None:
    """Keep where a device can be reached, unless something newer is known, and try to link with it."""
    known = room.contacts.get(dev)
    if dev == room.group.own.dev or (known is not None and known.ts_ms > contact.ts_ms):
        return
    room.contacts[dev] = contact
    step.journal.put(Space.CONTACTS, room.group.gid + dev, encode(contact))
    dial(contact.addresses, step)


def dial(addresses: list[str] | tuple[str, ...], step: Step) -> None:
    """Ask for links to whoever is behind these addresses; those without a peer id are passed over."""
    peers: dict[PeerId, list[Address]] = {}
    for address in addresses:
        head, mark, peer = address.rpartition("/p2p/")
        if mark and head and peer:
            peers.setdefault(PeerId(peer), []).append(Address(address))
    for peer_id, found in peers.items():
        step.effects.append(Dial(peer=peer_id, addresses=tuple(found)))


def _tell_holder(link: Link | None, room: Room, tbs: MessageTbs) -> None:
    """Note that whoever gave us the message has it, so that we do not offer it back."""
    if link is not None:
        session = link.sessions.get(room.group.gid)
        if session is not None and tbs.dev in session.frontier:
            session.frontier[tbs.dev] = session.frontier[tbs.dev].add(tbs.mseq)


def heard_stored(state: State, link: Link, payload: bytes, step: Step) -> None:
    """A peer says that it stored these frames (32 B ids, one after the other); RemoteError if malformed."""
    if len(payload) % 32 or not 0 < len(payload) // 32 <= limits.STORED_IDS_MAX:
        raise RemoteError(Fault.MALFORMED, "a list of stored frames has the wrong length")
    for k in range(0, len(payload), 32):
        found = state.frames.get(FrameId(payload[k : k + 32]))
        if found is not None:
            gid, post = found
            note_holder(state.rooms[gid], link, post, step)


def note_holder(room: Room, link: Link, post: PostId, step: Step) -> None:
    """Count the node at the other end as one that has said it stored a message of ours; each node once."""
    gid = room.group.gid
    name = b"stored" + gid + post
    session = link.sessions.get(gid)
    member = room.group.view.devices.get(session.device) if session and session.device else None
    before = room.deliveries.get(post)
    if before is None or name in link.given or (member is not None and member in before.held):
        return
    link.given[name] = None
    room.save_delivery(post, before.stored_by(member), step.journal)
    step.notify(Notice.STATE, gid, post)
