"""Syncing: two members prove themselves to each other over a link, and compare how far they have come.

Per link and group: a proof in each direction, then a state in each direction (heads of the operations, frontier of the
messages), then questions and answers. Only a proved, current device is answered; what it answers is believed no further
than its signatures reach (protocol.md §10, network.md §4).

One whose device we do not know yet may be new here: it is asked for what it has beyond the epoch whose key it proved
to know, which tells it nothing that it does not know. Its state waits until the operations say who it is.
"""

from typing import Final

from mesh.crypto.hashes import h
from mesh.crypto.keys import sign, verify
from mesh.errors import Fault, RemoteError
from mesh.events import Fetch, LinkKind, SendClass, Space
from mesh.gossip.frontier import Frontier
from mesh.gossip.sessions import half_session, proof_statement, tag_of, unpack
from mesh.groups.group import Group
from mesh.groups.receiving import bundles_beyond, receive_bundle, unpack_wraps
from mesh.ids import DeviceId, OpId, TopicId
from mesh.peer import catching_up, confirming, doubting, fetching, handing_on, history, leaving, restating, way_back
from mesh.peer.lacking import note_heads
from mesh.peer.links import Link, Session
from mesh.peer.receipts import note_holder, plan_receipt
from mesh.peer.routing import tell
from mesh.peer.speaking import agrees, hand_over
from mesh.peer.state import OpsFor, Room, State, Step
from mesh.wire import limits
from mesh.wire.codec import decode, encode
from mesh.wire.invites import OpBundle
from mesh.wire.operations import epoch_block
from mesh.wire.sessions import (
    AnsweredBody,
    ChunksSentBody,
    HistoryBody,
    KeyupsBody,
    NotInBody,
    OpsBody,
    ProofBody,
    SessionBody,
    StateBody,
    StatementsBody,
    WantChunksBody,
    WantHistoryBody,
    WantMessagesBody,
    WantOpsBody,
    WantStatementsBody,
)

KEY_QUESTIONS_MAX: Final = 4  # places in the log from which wraps are asked for at once; ours
PRESENCE_WAIT_MS: Final = 100  # where we can be reached is told soon after someone is there to hear it; ours
PRESENCE_SPREAD_MS: Final = 300
SAME_QUESTION_MS: Final = 5_000  # the same operations are not asked for twice within so long; ours


# ---------------------------------------------------------------- who is there


def open_session(link: Link, room: Room, step: Step, *, proved_on: TopicId | None = None) -> None:
    """Prove ourselves over a link that shares one of the group's topics, and tell our state if that is news.

    `proved_on`: a topic that the peer has just proved to know. One who left still proves itself: to those who do not
    have its leave yet it is in, and they are to get it.
    """
    group = room.group
    session = link.session(group.gid)
    if session.out is None and (group.me is not None or (group.own.left and not room.silent)):
        topics = {epoch: topic for topic, epoch in group.topics.items()}
        for record in group.newest_epochs():
            topic = topics[record.op_id]
            if topic in link.topics.shared or topic == proved_on:
                session.out = half_session(link.topics.own_tag(topic), record.sync_key, link.ends)
                proof = ProofBody(
                    dev=group.own.dev, sig=sign(group.own.dev_seed, proof_statement(group.gid, link.ends))
                )
                payload = session.out.seal(step.entropy.draw(24), encode(proof))
                step.send(link.link, LinkKind.PROOF, payload, SendClass.CONTROL)
                break
    tell_state(link, room, step)


def hear_proof(state: State, link: Link, payload: bytes, step: Step) -> None:
    """The peer proves that it knows an epoch's sync key and claims to be a device. RemoteError if it does not.

    A proof under a topic that we do not have (any more) is passed over: it may have crossed our change of topics.
    """
    peer_tag = tag_of(payload)
    topic = link.topics.topic_of_peer_tag(peer_tag)
    for room in state.rooms.values():
        epoch = room.group.topics.get(topic) if topic is not None else None
        if epoch is None:
            continue
        half = half_session(peer_tag, room.group.epochs[epoch].sync_key, link.ends.turned())
        proof = decode(ProofBody, half.open(payload), bytes_max=256)
        session = link.session(room.group.gid)
        if _has_missed_ours(link, session, topic, proof.dev):
            session.out, session.told = None, b""  # say it anew
        session.into, session.epoch = half, epoch
        session.proof, session.device, session.heard = (proof.dev, proof.sig), None, False
        check_proof(link, room, step)
        open_session(link, room, step, proved_on=topic)
        return


def _has_missed_ours(link: Link, session: Session, topic: TopicId | None, dev: DeviceId) -> bool:
    """Say whether one who proves itself may not have our own proof: it came in anew, or as yet on another topic."""
    if session.device is not None:
        return session.device != dev
    return (
        topic is not None
        and session.into is None
        and session.out is not None
        and (session.out.tag != link.topics.own_tag(topic))
    )


def check_proof(link: Link, room: Room, step: Step) -> bool:
    """Check a claimed device once its keys are known; return whether that was now. RemoteError if it is not its own."""
    session = link.session(room.group.gid)
    if session.proof is None or session.device is not None:
        return False
    dev, signature = session.proof
    card = room.group.log.card(dev)
    if card is None:
        return False
    session.proof = None
    verify(card.dev_pk, proof_statement(room.group.gid, link.ends.turned()), signature)
    session.device, session.proved_ms = dev, step.now.mono_ms
    room.group.proved_ms[dev] = step.now.wall_ms
    step.views[room.group.gid] = None
    return True


def resume_sessions(state: State, room: Room, step: Step) -> None:
    """Operations came in: some whom we did not know may be members now, and what they told counts."""
    for link, session in list(state.sessions(room.group.gid)):
        try:
            proved_now = check_proof(link, room, step)
        except RemoteError:
            continue  # the claim was false; it stays a stranger, and is not told why
        if proved_now:
            open_session(link, room, step)
        if session.heard and agrees(room, session, step.now):
            ask_keys(link, room, step)
        if session.heard:
            doubting.note_heard(state, room, session, step)
            confirming.hear_word(room, session, step)
        if session.untimely is not None and session.device in room.group.view.devices:
            body, session.untimely = session.untimely, None
            _hear_state(state, link, room, session, body, step)


# ---------------------------------------------------------------- states


def tell_state(link: Link, room: Room, step: Step) -> None:
    """Tell a proved, current device how far we have come, if that is news to it; one who left, that we know."""
    session = link.session(room.group.gid)
    if session.out is None or session.device is None:
        return
    if session.device in room.group.view.devices:
        frontier = [] if room.group.own.left else catching_up.frontier_vector(room)
        vouches = confirming.tells_heads_to(room, session.device)
        heads = room.group.log.heads[: limits.STATE_HEADS_MAX] if vouches else []
        body = StateBody(heads=heads, frontier=frontier)
    else:
        leave = leaving.leave_of(room, session.device)
        if leave is None:
            return
        body = StateBody(heads=[leave], frontier=[])
    digest = h(b"mesh1/told", encode(body))
    if digest != session.told:
        session.told, session.told_heads = digest, tuple(body.heads)
        tell(link, session, body, SendClass.CONTROL, step)


def tell_round(state: State, room: Room, step: Step) -> None:
    """Tell those links how far we have come that may lack something: an operation, or a push that was not stored."""
    room.tell_at = None
    gid = room.group.gid
    heads = tuple(room.group.log.heads)
    for link, session in list(state.sessions(gid)):
        unsure = [frame for frame, group in link.pushed.items() if group == gid]
        for frame in unsure:
            del link.pushed[frame]
        if unsure or session.told_heads != heads:
            tell_state(link, room, step)


def hear_sealed(state: State, link: Link, payload: bytes, step: Step) -> None:
    """Something under a session's seal; RemoteError if it does not open or makes no sense.

    What comes for a session that is not there is passed over: it may have ended here while that was on its way.
    """
    peer_tag = tag_of(payload)
    for gid, session in link.sessions.items():
        if session.into is None or session.into.tag != peer_tag:
            continue
        body = unpack(session.into.open(payload))
        _answer(state, link, state.rooms[gid], session, body, step)
        return


def _answer(state: State, link: Link, room: Room, session: Session, body: SessionBody, step: Step) -> None:
    current = session.device in room.group.view.devices
    match body:
        case StateBody() if not current:
            _hear_stranger(link, room, session, body, step)
        case StateBody() if room.group.own.left:
            leaving.hear_farewell(state, room, body.heads, step)
        case StateBody():
            _hear_state(state, link, room, session, body, step)
        case OpsBody() if not room.group.own.left:
            _take_ops(room, body, step)
            session.heard_ms = step.now.mono_ms
            doubting.note_heard(state, room, session, step)
        case WantOpsBody() if current:
            _give_ops(state, link, room, body, room.group.log.everything, step)
        case WantOpsBody() if (leave := leaving.of_session(room, session)) is not None:
            _give_ops(state, link, room, body, room.group.log.past(leave) | room.group.log.bit(leave), step)
        case WantMessagesBody() if current and not room.group.own.left:
            catching_up.give_messages(link, room, session, body, step)
        case AnsweredBody():
            catching_up.hear_answered(state, link, room, session, body, step)
        case WantHistoryBody() if current and not room.group.own.left:
            handing_on.give_history(state, link, room, session, body, step)
        case HistoryBody() if current and not room.group.own.left:
            history.hear_history(state, link, room, session, body, step)
        case KeyupsBody() if current and not room.group.own.left:
            way_back.hear_keyups(room, body, step)
        case WantChunksBody() if current and not room.group.own.left:
            fetching.give_chunks(link, room, session, body, step)
        case ChunksSentBody():
            fetching.hear_sent(state, link, room, session, body, step)
        case WantStatementsBody() if current and not room.group.own.left:
            restating.give_statements(link, room, session, body, step)
        case StatementsBody() if current and not room.group.own.left:
            restating.hear_statements(state, link, room, session, body, step)
        case NotInBody() if current:
            doubting.hear_not_in(state, room, session, body.nonce, step)
        case (
            OpsBody()
            | WantOpsBody()
            | WantMessagesBody()
            | WantHistoryBody()
            | HistoryBody()
            | KeyupsBody()
            | NotInBody()
            | WantChunksBody()
            | WantStatementsBody()
            | StatementsBody()
        ):
            pass  # not a member as far as we know: ciphertext on the topic is all there is


def _hear_stranger(link: Link, room: Room, session: Session, body: StateBody, step: Step) -> None:
    """One who is not in, as far as we know: perhaps only we do not know it yet."""
    if room.group.own.left:
        return
    session.untimely = body
    if session.epoch is not None and any(head not in room.group.log for head in body.heads):
        _ask_ops(link, session, [session.epoch], body.heads, step)


def _hear_state(state: State, link: Link, room: Room, session: Session, body: StateBody, step: Step) -> None:
    frontier = {
        entry.dev: Frontier(entry.contiguous, tuple((r[0], r[1]) for r in entry.beyond)) for entry in body.frontier
    }
    if not all(entry.is_canonical() for entry in frontier.values()):
        raise RemoteError(Fault.MALFORMED, "a frontier that is not in order")
    session.heads, session.frontier = tuple(body.heads), frontier
    assert session.device is not None, "it is current"
    note_heads(room, session.device, body.heads, step.now)
    session.heard_ms = step.now.mono_ms
    doubting.note_heard(state, room, session, step)
    if not session.heard:
        session.heard = True
        way_back.hand_keyups(link, room, session, step)
        wait = PRESENCE_WAIT_MS + step.dice.randrange(PRESENCE_SPREAD_MS)
        step.set_timer("presence", room.group.gid, wait)
    ask_ops(link, room, step)
    own = frontier.get(room.group.own.dev, Frontier())
    for mseq, post in list(room.sent.items()):
        if mseq in own:
            note_holder(room, link, post, step)
    if agrees(room, session, step.now):
        ask_keys(link, room, step)
    confirming.hear_word(room, session, step)
    hand_over(state, room, step)
    plan_receipt(room, step)
    catching_up.ask_messages(state, room, step)
    history.ask_history(state, room, step)
    restating.ask_statements(state, room, step)
    fetching.ask_chunks(state, room, step)


# ---------------------------------------------------------------- operations


def ask_ops(link: Link, room: Room, step: Step) -> None:
    """Ask a current device for the operations that it has and we lack."""
    session = link.session(room.group.gid)
    if session.device in room.group.view.devices and any(head not in room.group.log for head in session.heads):
        _ask_ops(link, session, room.group.log.heads[: limits.STATE_HEADS_MAX], session.heads, step)


def _take_ops(room: Room, body: OpsBody, step: Step) -> None:
    for bundle in body.ops:
        epochs = len(room.group.epochs)
        ops = receive_bundle(room.group, bundle, step.means())
        step.touch(room.group.gid, ops, also=len(room.group.epochs) > epochs)


def ask_keys(link: Link, room: Room, step: Step) -> None:
    """Ask a peer for the wraps of epochs that were made for us too, where whoever gave us the operation had none.

    It is asked for all that follows what such an operation builds on; once over a link, and not for every fork of one
    who forks without end.
    """
    session = link.session(room.group.gid)
    log = room.group.log
    covered = 0
    questions: dict[tuple[OpId, ...], None] = {}
    for op in log.ops:
        if not room.group.lacks_epoch(op.op_id) or op.op_id in session.asked_keys:
            continue
        block = epoch_block(op.body)
        if block is not None and room.group.own.dev in block.recipients:
            session.asked_keys[op.op_id] = None
            if not log.past(op.op_id) & covered and len(questions) < KEY_QUESTIONS_MAX:
                questions[tuple(op.tbs.deps)] = None
            covered |= log.bit(op.op_id)
    for deps in questions:
        tell(link, session, WantOpsBody(heads=list(deps)), SendClass.CONTROL, step)


def want_ops(link: Link, room: Room, step: Step) -> None:
    """Ask for operations that must exist, for something builds on them."""
    session = link.session(room.group.gid)
    if session.device in room.group.view.devices:
        _ask_ops(link, session, room.group.log.heads[: limits.STATE_HEADS_MAX], (), step)


def _ask_ops(
    link: Link, session: Session, known: list[OpId], theirs: list[OpId] | tuple[OpId, ...], step: Step
) -> None:
    question = h(b"mesh1/wanted", *known, b"", *theirs)
    before, at_ms = session.asked_ops
    if question != before or step.now.mono_ms - at_ms >= SAME_QUESTION_MS:
        session.asked_ops = (question, step.now.mono_ms)
        tell(link, session, WantOpsBody(heads=known), SendClass.CONTROL, step)


def _give_ops(state: State, link: Link, room: Room, body: WantOpsBody, mask: int, step: Step) -> None:
    """Give what one lacks of a mask; one that lacks nothing is told our state, and so that we count it in.

    Who left is given no more than their leave builds on: another device of theirs may not have heard of it.
    """
    log = room.group.log
    known = log.closure(head for head in body.heads if head in log)
    assert known is not None
    wanted = [op_id for op_id in bundles_beyond(room.group, known) if log.bit(op_id) & mask]
    if wanted:
        ticket = state.ticket()
        state.fetching[ticket] = OpsFor(link=link.link, gid=room.group.gid, ops=tuple(wanted))
        keys = tuple(room.group.gid + op_id for op_id in wanted)
        step.effects.append(Fetch(ticket=ticket, space=Space.WRAPS, keys=keys))
    else:
        link.session(room.group.gid).told = b""
        tell_state(link, room, step)


def bundles(group: Group, ops: tuple[OpId, ...], wraps: tuple[bytes | None, ...]) -> list[OpBundle]:
    """Put operations together with their wraps from the store."""
    found = []
    for op_id, value in zip(ops, wraps, strict=True):
        op = group.log.get(op_id)
        assert op is not None
        found.append(OpBundle(op=op.signed, wraps=unpack_wraps(value)))
    return found


def give_fetched_ops(state: State, wanted: OpsFor, wraps: tuple[bytes | None, ...], step: Step) -> None:
    """Send operations whose wraps have now been read, in messages below the session's size."""
    link, room = state.links.get(wanted.link), state.rooms.get(wanted.gid)
    if link is None or room is None:
        return
    session = link.session(wanted.gid)
    batch: list[OpBundle] = []
    size = 0
    for bundle in bundles(room.group, wanted.ops, wraps):
        weight = len(bundle.op.tbs) + sum(len(w) + 8 for w in bundle.wraps) + 128
        if batch and size + weight > limits.SESSION_CHUNK_BYTES:
            tell(link, session, OpsBody(ops=batch), SendClass.OPERATIONS, step)
            batch, size = [], 0
        batch.append(bundle)
        size += weight
    if batch:
        tell(link, session, OpsBody(ops=batch), SendClass.OPERATIONS, step)
