"""The door, from inside: previews for those who hold a code, knocks, admission, welcome (protocol.md §12).

Any member who is there opens; not only the inviter. Members wait their turn by a hash, so that usually one of them
acts; should two act at once, the joiner still counts once.
"""

from typing import Final

from mesh.commands import Rank
from mesh.crypto.hashes import h
from mesh.crypto.keys import public_key
from mesh.errors import Fault, LocalError, RefusedError, RemoteError
from mesh.events import Fetch, Notice, Space
from mesh.groups.authoring import admit
from mesh.groups.invites import door_of, knock_statement, open_knock, seal_preview, seal_welcome
from mesh.groups.operations import GRANTS, card_device
from mesh.groups.views import Invite
from mesh.ids import OpId, TopicId
from mesh.peer.hearing import learn_contact
from mesh.peer.records import ContactRecord, KnockRecord
from mesh.peer.routing import forward_on, hand_to, preview_topic
from mesh.peer.speaking import publish
from mesh.peer.state import Link, Room, State, Step, WelcomeFor
from mesh.peer.syncing import bundles
from mesh.wire import limits
from mesh.wire.codec import encode
from mesh.wire.frames import Frame, parse_frame, topic_of, topics_of
from mesh.wire.invites import Contact, Door, FrontierEntry, KnockBody, OpBundle, WelcomeBody
from mesh.wire.operations import AdmitBody, epoch_block

TURN_MS: Final = 1000  # protocol.md §12: rank r waits r × 1 s
_REPLIES_MAX: Final = 64


def show_previews(state: State, link: Link, topics: list[TopicId], step: Step) -> None:
    """Give previews to a link that has just turned out to listen for them."""
    for room in state.rooms.values():
        if room.group.me is None:
            continue
        for invite in room.group.view.invites.values():
            if preview_topic(invite.body.knock_key) in topics:
                door = door_of(invite, step.now.wall_ms)
                name = b"preview" + invite.op_id + bytes([door])
                hand_to(link, name, seal_preview(room.group, invite, door, step.means()), step)


def hear_knock(state: State, frame: Frame, raw: bytes, step: Step) -> None:
    """Someone with a code knocks; RemoteError if it is not their own knock."""
    found = _invite_of(state, frame)
    if found is None:
        return
    room, invite = found
    knock = open_knock(frame, invite, room.group.gid)
    if not step.sealer.check(room.group.suite, knock.card.kem_pk):
        raise RemoteError(Fault.AGAINST_RULES, "a knock with a KEM key that nothing can be sealed to")
    statement = knock_statement(knock, room.group.gid)
    forward_on(state, topics_of(frame, step.now.wall_ms), frame.id, raw, step)
    reply = topic_of(public_key(knock.reply_seed))
    if reply not in state.reply_topics:
        state.reply_topics[reply] = None
        step.topics_changed = True
        while len(state.reply_topics) > _REPLIES_MAX:
            state.reply_topics.popitem(last=False)
    door = door_of(invite, step.now.wall_ms)
    if knock.card.member_pk in room.group.view.members:
        welcome(state, room, raw, step)
    elif _was_admitted(room, knock):
        refuse(state, room, knock, Door.DECLINED, step)  # one who is out comes back under a new key
    elif door is not Door.OPEN:
        refuse(state, room, knock, door, step)
    elif invite.body.approvals:
        _keep_for_a_person(room, knock, statement, raw, step)
    elif room.group.rank <= Rank.MEMBER:
        room.arriving[statement] = raw
        while len(room.arriving) > limits.KNOCKS_MAX:
            del room.arriving[next(iter(room.arriving))]
        step.set_timer("admit", room.group.gid + statement, _turn(state, room, statement) * TURN_MS)


def _invite_of(state: State, frame: Frame) -> tuple[Room, Invite] | None:
    for room in state.rooms.values():
        if room.group.me is None:
            continue
        for invite in room.group.view.invites.values():
            if invite.body.invite_pk == frame.pk:
                return room, invite
    return None


def _was_admitted(room: Room, knock: KnockBody) -> bool:
    return any(op.grantee == knock.card.member_pk for op in room.group.log.ops if op.type in GRANTS)


def _keep_for_a_person(room: Room, knock: KnockBody, statement: bytes, raw: bytes, step: Step) -> None:
    if statement in room.knocks or len(room.knocks) >= limits.KNOCKS_MAX:
        return
    record = KnockRecord(frame=raw, alias=knock.alias, invite=knock.invite, at_ms=step.now.wall_ms)
    room.knocks[statement] = record
    step.journal.put(Space.KNOCKS, room.group.gid + statement, encode(record))
    step.notify(Notice.KNOCK, room.group.gid, statement)


def _turn(state: State, room: Room, statement: bytes) -> int:
    """Return how many of the devices that are there come before ours."""
    view = room.group.view
    there = {s.device for _, s in state.present(room) if s.device is not None} | {room.group.own.dev}
    able = [dev for dev in there if view.members[view.devices[dev]].rank <= Rank.MEMBER]
    order = sorted(able, key=lambda dev: h(b"mesh1/turn", statement, dev))
    return order.index(room.group.own.dev)


def admit_in_turn(state: State, room: Room, statement: bytes, step: Step) -> None:
    """Our turn to open has come: admit whoever knocked, unless somebody else has."""
    raw = room.arriving.pop(statement, None)
    if raw is not None:
        try:
            admit_knock(state, room, raw, step)
        except LocalError:
            return  # the rules refuse it (a bad key, say): there is nobody here to tell


def admit_knock(state: State, room: Room, raw: bytes, step: Step) -> None:
    """Admit whoever sent this knock and send the welcome. RefusedError if the door or the rules do not allow it."""
    frame = parse_frame(raw)
    found = _invite_of(state, frame)
    if found is None:
        raise RefusedError("that invite is no longer known", do="ask them to knock with a new code")
    _, invite = found
    try:
        knock = open_knock(frame, invite, room.group.gid)
    except RemoteError as error:
        raise RefusedError("that knock is not valid", why=error.what, do="ask them to knock again") from error
    if not _was_admitted(room, knock):
        door = door_of(invite, step.now.wall_ms)
        if door is not Door.OPEN:
            raise RefusedError(f"that invite is {door.name.lower().replace('_', ' ')}", do="make a new code")
        body = AdmitBody(
            invite=invite.op_id,
            rank=invite.body.role if room.group.rank <= Rank.MODERATOR else Rank.NEWCOMER,
            alias=knock.alias,
            card=knock.card,
            join_nonce=knock.join_nonce,
            agreement_hash=knock.agreement_hash,
            sig_invite=knock.sig_invite,
            sig_member=knock.sig_member,
            sig_dev=knock.sig_dev,
            approvals=[],
            epoch=None,
        )
        publish(state, room, admit(room.group, body, step.means()), step)
        contact = ContactRecord(addresses=knock.addresses, in_invites=False, ts_ms=0)
        learn_contact(room, card_device(knock.card), contact, step)
        step.notify(Notice.JOINED, room.group.gid, knock.card.member_pk)
    welcome(state, room, raw, step)


# ---------------------------------------------------------------- welcome


def welcome(state: State, room: Room, raw: bytes, step: Step) -> None:
    """Read what a welcome needs; `give_welcome` sends it."""
    frame = parse_frame(raw)
    found = _invite_of(state, frame)
    if found is None:
        return
    knock = open_knock(frame, found[1], room.group.gid)
    dev = card_device(knock.card)
    ops = [op.op_id for op in room.group.log.ops if _was_given(room, op.op_id, dev)]
    ticket = state.ticket()
    state.fetching[ticket] = WelcomeFor(gid=room.group.gid, knock=raw, ops=tuple(ops))
    keys = tuple(room.group.gid + op_id for op_id in ops)
    step.effects.append(Fetch(ticket=ticket, space=Space.WRAPS, keys=keys))


def _was_given(room: Room, op_id: OpId, dev: bytes) -> bool:
    op = room.group.log.get(op_id)
    block = None if op is None else epoch_block(op.body)
    return block is not None and dev in block.recipients


def give_welcome(state: State, wanted: WelcomeFor, wraps: tuple[bytes | None, ...], step: Step) -> None:
    """Send the welcome to whoever listens on the reply topic."""
    room = state.rooms.get(wanted.gid)
    found = _invite_of(state, parse_frame(wanted.knock))
    if room is None or found is None:
        return
    knock = open_knock(parse_frame(wanted.knock), found[1], wanted.gid)
    with_wraps = {b.op.tbs: b for b in bundles(room.group, wanted.ops, wraps)}
    ops = [with_wraps.get(op.signed.tbs, OpBundle(op=op.signed, wraps=[])) for op in room.group.log.ops]
    contacts = [Contact(dev=dev, addresses=c.addresses) for dev, c in sorted(room.contacts.items())]
    own: list[str] = list(state.addresses[: limits.ADDRESSES_MAX])
    body = WelcomeBody(
        door=Door.OPEN,
        ops=ops,
        frontier=_before(room, card_device(knock.card)),
        contacts=[*contacts, Contact(dev=room.group.own.dev, addresses=own)],
    )
    _send_welcome(state, room, knock, body, step)


def _before(room: Room, dev: bytes) -> list[FrontierEntry]:
    """Return how far each device had come when the joiner was not in yet: those messages are not for them."""
    entries: list[FrontierEntry] = []
    for other, track in sorted(room.tracks.items()):
        given = [first for first, epoch in track.spells.changes if dev in room.group.recipients(OpId(epoch))]
        end = min([track.settled.contiguous, *(first - 1 for first in given)])
        entries.append(FrontierEntry(dev=other, contiguous=end, beyond=[]))
    return entries


def refuse(state: State, room: Room, knock: KnockBody, door: Door, step: Step) -> None:
    """Tell a joiner why they are not let in."""
    _send_welcome(state, room, knock, WelcomeBody(door=door, ops=[], frontier=[], contacts=[]), step)


def _send_welcome(state: State, room: Room, knock: KnockBody, body: WelcomeBody, step: Step) -> None:
    frames = seal_welcome(
        body,
        reply_seed=knock.reply_seed,
        kem_pk=knock.card.kem_pk,
        suite=room.group.suite,
        statement=knock_statement(knock, room.group.gid),
        sealer=step.sealer,
    )
    topics = (topic_of(public_key(knock.reply_seed)),)
    for raw in frames:
        frame_id = parse_frame(raw).id
        state.seen.note(frame_id, None)
        forward_on(state, topics, frame_id, raw, step)
