"""Syncing: two members prove themselves to each other over a link, compare how far they have come, and fill the gaps.

Per link and group: a proof in each direction, then a state in each direction (heads of the operations, frontier of the
messages), then questions and answers. Only a proved, current device is answered; what it answers is believed no further
than its signatures reach (protocol.md §10, network.md §4).
"""

from typing import Final

from mesh.crypto.hashes import h
from mesh.crypto.keys import public_key, sign, verify
from mesh.errors import Fault, RemoteError
from mesh.events import Fetch, LinkKind, SendClass, SendStored, Space
from mesh.gossip.frontier import Frontier
from mesh.gossip.sessions import half_session, pack, proof_statement, tag_of, unpack
from mesh.groups.group import Group
from mesh.groups.receiving import bundles_beyond, receive_bundle, unpack_wraps
from mesh.ids import DeviceId, OpId
from mesh.peer.hearing import note_holder
from mesh.peer.speaking import hand_over
from mesh.peer.state import Asking, Link, OpsFor, Room, Session, State, Step
from mesh.wire import limits
from mesh.wire.codec import decode, encode
from mesh.wire.frames import topic_of
from mesh.wire.invites import FrontierEntry, OpBundle
from mesh.wire.sessions import (
    AnsweredBody,
    ClosedSpan,
    OpsBody,
    ProofBody,
    SessionBody,
    Span,
    StateBody,
    WantMessagesBody,
    WantOpsBody,
)

PRESENCE_WAIT_MS: Final = 100  # where we can be reached is told soon after someone is there to hear it; ours
PRESENCE_SPREAD_MS: Final = 300
ASK_TIMEOUT_MS: Final = 10_000  # then somebody else is asked; ours
CANNOT_GIVE_MAX: Final = 8192  # a peer that claims more messages and cannot give them is asked no further; ours


def open_session(link: Link, room: Room, step: Step) -> None:
    """Prove ourselves over a link that shares one of the group's topics, or tell our state again if that is done."""
    group = room.group
    session = link.session(group.gid)
    if session.out is None and group.me is not None:
        for record in group.newest_epochs():
            topic = topic_of(public_key(record.pub_seed))
            if topic in link.topics.shared:
                session.out = half_session(link.topics.own_tag(topic), record.sync_key, link.ends)
                proof = ProofBody(
                    dev=group.own.dev, sig=sign(group.own.dev_seed, proof_statement(group.gid, link.ends))
                )
                payload = session.out.seal(step.entropy.draw(24), encode(proof))
                step.send(link.link, LinkKind.PROOF, payload, SendClass.CONTROL)
                break
    tell_state(link, room, step)


def hear_proof(state: State, link: Link, payload: bytes, step: Step) -> None:
    """The peer proves that it knows an epoch's sync key and claims to be a device. RemoteError."""
    peer_tag = tag_of(payload)
    topic = link.topics.topic_of_peer_tag(peer_tag)
    for room in state.rooms.values():
        epoch = room.group.topics.get(topic) if topic is not None else None
        if epoch is None:
            continue
        ends = link.ends.turned()
        half = half_session(peer_tag, room.group.epochs[epoch].sync_key, ends)
        proof = decode(ProofBody, half.open(payload), bytes_max=256)
        session = link.session(room.group.gid)
        session.into, session.proof, session.device = half, (proof.dev, proof.sig), None
        check_proof(link, room)
        open_session(link, room, step)
        return
    raise RemoteError(Fault.UNASKED, "a proof under a topic that is not shared")


def check_proof(link: Link, room: Room) -> None:
    """Check a claimed device as soon as its keys are known; RemoteError if the signature is not its own."""
    session = link.session(room.group.gid)
    if session.proof is None or session.device is not None:
        return
    dev, signature = session.proof
    card = room.group.log.card(dev)
    if card is not None:
        verify(card.dev_pk, proof_statement(room.group.gid, link.ends.turned()), signature)
        session.device = dev


def tell_state(link: Link, room: Room, step: Step) -> None:
    """Tell a proved, current device how far we have come, if that is news to it."""
    session = link.session(room.group.gid)
    if session.out is None or session.device not in room.group.view.devices:
        return
    body = StateBody(heads=room.group.log.heads, frontier=frontier_vector(room))
    digest = h(b"mesh1/told", encode(body))
    if digest != session.told:
        session.told = digest
        _say(link, session, body, SendClass.CONTROL, step)


def frontier_vector(room: Room) -> list[FrontierEntry]:
    """Return how far we have come with every device's messages."""
    return [
        FrontierEntry(
            dev=dev,
            contiguous=track.have.contiguous,
            beyond=[[first, last] for first, last in track.have.beyond],
        )
        for dev, track in sorted(room.tracks.items())
    ]


def hear_sealed(state: State, link: Link, payload: bytes, step: Step) -> None:
    """Something under a session's seal; RemoteError if it does not open or makes no sense."""
    peer_tag = tag_of(payload)
    for gid, session in link.sessions.items():
        if session.into is None or session.into.tag != peer_tag:
            continue
        room = state.rooms[gid]
        body = unpack(session.into.open(payload))
        _answer(state, link, room, session, body, step)
        return
    raise RemoteError(Fault.UNASKED, "a session message without a session")


def _answer(state: State, link: Link, room: Room, session: Session, body: SessionBody, step: Step) -> None:
    current = session.device in room.group.view.devices
    match body:
        case StateBody():
            _hear_state(state, link, room, session, body, step)
        case OpsBody():
            for bundle in body.ops:
                step.touch(room.group.gid, receive_bundle(room.group, bundle, step.means()))
        case WantOpsBody() if current:
            _give_ops(state, link, room, body, step)
        case WantMessagesBody() if current:
            _give_messages(link, room, session, body, step)
        case AnsweredBody():
            _hear_answered(state, link, room, session, body, step)
        case WantOpsBody() | WantMessagesBody():
            pass  # not a member as far as we know: ciphertext on the topic is all there is


def _hear_state(state: State, link: Link, room: Room, session: Session, body: StateBody, step: Step) -> None:
    session.heads = tuple(body.heads)
    session.frontier = {
        entry.dev: Frontier(entry.contiguous, tuple((r[0], r[1]) for r in entry.beyond)) for entry in body.frontier
    }
    if not all(frontier.is_canonical() for frontier in session.frontier.values()):
        raise RemoteError(Fault.MALFORMED, "a frontier that is not in order")
    if not session.heard:
        session.heard = True
        wait = PRESENCE_WAIT_MS + step.dice.randrange(PRESENCE_SPREAD_MS)
        step.set_timer("presence", room.group.gid, wait)
    if any(head not in room.group.log for head in body.heads):
        ask_ops(link, room, step)
    own = session.frontier.get(room.group.own.dev, Frontier())
    for mseq, post in list(room.sent.items()):
        if mseq in own:
            note_holder(room, link, post, step)
    hand_over(state, room, step)
    ask_messages(state, room, step)


# ---------------------------------------------------------------- operations


def ask_ops(link: Link, room: Room, step: Step) -> None:
    """Ask a link for the operations that we lack."""
    session = link.session(room.group.gid)
    if session.out is not None:
        _say(link, session, WantOpsBody(heads=room.group.log.heads), SendClass.CONTROL, step)


def _give_ops(state: State, link: Link, room: Room, body: WantOpsBody, step: Step) -> None:
    log = room.group.log
    known = log.closure(head for head in body.heads if head in log)
    assert known is not None
    wanted = bundles_beyond(room.group, known)
    if wanted:
        ticket = state.ticket()
        state.fetching[ticket] = OpsFor(link=link.link, gid=room.group.gid, ops=tuple(wanted))
        keys = tuple(room.group.gid + op_id for op_id in wanted)
        step.effects.append(Fetch(ticket=ticket, space=Space.WRAPS, keys=keys))


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
            _say(link, session, OpsBody(ops=batch), SendClass.OPERATIONS, step)
            batch, size = [], 0
        batch.append(bundle)
        size += weight
    if batch:
        _say(link, session, OpsBody(ops=batch), SendClass.OPERATIONS, step)


# ---------------------------------------------------------------- messages


def ask_messages(state: State, room: Room, step: Step) -> None:
    """Ask for what we lack, each message of one link only; as many links in parallel as have something."""
    gid = room.group.gid
    asked = {(dev, k) for a in state.asking.values() if a.gid == gid for dev, f, t in a.spans for k in range(f, t + 1)}
    for link, session in state.sessions(gid):
        busy = any(a.link == link.link and a.gid == gid for a in state.asking.values())
        if session.out is None or busy or len(session.closed) > CANNOT_GIVE_MAX:
            continue
        spans: list[tuple[DeviceId, int, int]] = []
        room_left = limits.WANT_MESSAGES_MAX
        for dev, theirs in sorted(session.frontier.items()):
            if room.group.log.card(dev) is None:
                continue
            for first, last in room.track(dev).settled.missing_from(theirs):
                for low, high in _runs(first, min(last, first + room_left), dev, asked, session):
                    if room_left > 0 and len(spans) < limits.WANT_RANGES_MAX:
                        end = min(high, low + room_left - 1)
                        spans.append((dev, low, end))
                        room_left -= end - low + 1
        if spans:
            ticket = state.ticket()
            state.asking[ticket] = Asking(link=link.link, gid=gid, spans=tuple(spans))
            asked.update((dev, k) for dev, f, t in spans for k in range(f, t + 1))
            wanted = [Span(dev=dev, first=low, last=high) for dev, low, high in spans]
            _say(link, session, WantMessagesBody(ticket=ticket, spans=wanted), SendClass.CONTROL, step)
            step.set_timer("asked", ticket.to_bytes(4, "big"), ASK_TIMEOUT_MS)


def _runs(
    first: int, last: int, dev: DeviceId, asked: set[tuple[DeviceId, int]], session: Session
) -> list[tuple[int, int]]:
    """Return the parts of a range that nobody has been asked for and that this peer has not said it cannot give."""
    runs: list[tuple[int, int]] = []
    for k in range(first, last + 1):
        if (dev, k) in asked or (dev, k) in session.closed:
            continue
        if runs and runs[-1][1] == k - 1:
            runs[-1] = (runs[-1][0], k)
        else:
            runs.append((k, k))
    return runs


def _give_messages(link: Link, room: Room, session: Session, body: WantMessagesBody, step: Step) -> None:
    if sum(span.last - span.first + 1 for span in body.spans) > limits.WANT_MESSAGES_MAX:
        raise RemoteError(Fault.OVER_LIMIT, "more messages asked for than one request may hold")
    keys: list[bytes] = []
    closed: list[ClosedSpan] = []
    for span in body.spans:
        track = room.track(span.dev)
        for mseq in range(span.first, span.last + 1):
            if mseq not in track.have:
                continue
            epoch = track.spells.at(mseq)
            if epoch is not None and session.device not in room.group.recipients(OpId(epoch)):
                closed.append(ClosedSpan(dev=span.dev, first=mseq, last=mseq))
            else:
                keys.append(room.group.gid + span.dev + mseq.to_bytes(8, "big"))
    if keys:
        step.effects.append(
            SendStored(link=link.link, space=Space.FRAMES, keys=tuple(keys), send_class=SendClass.REPAIR)
        )
    _say(link, session, AnsweredBody(ticket=body.ticket, closed=closed), SendClass.REPAIR, step)


def _hear_answered(state: State, link: Link, room: Room, session: Session, body: AnsweredBody, step: Step) -> None:
    asking = state.asking.get(body.ticket)
    if asking is None or asking.link != link.link or asking.gid != room.group.gid:
        raise RemoteError(Fault.UNASKED, "an answer to nothing that was asked")
    del state.asking[body.ticket]
    step.set_timer("asked", body.ticket.to_bytes(4, "big"), None)
    if session.device in room.group.view.devices:
        _settle(room, asking, body, step)
    for dev, first, last in asking.spans:
        for mseq in range(first, last + 1):
            if mseq not in room.track(dev).settled:
                session.closed[dev, mseq] = None
    ask_messages(state, room, step)


def _settle(room: Room, asking: Asking, body: AnsweredBody, step: Step) -> None:
    """Stop asking for what a member says was sealed for others before we were in; should it come, it is still taken."""
    asked = {(dev, k) for dev, first, last in asking.spans for k in range(first, last + 1)}
    for span in body.closed:
        for mseq in range(span.first, min(span.last, span.first + limits.WANT_MESSAGES_MAX) + 1):
            track = room.track(span.dev)
            if (span.dev, mseq) in asked and mseq not in track.settled:
                track.settled = track.settled.add(mseq)
                room.save_track(span.dev, step.journal)


def forget_asking(state: State, step: Step, *, ticket: int | None = None, link: int | None = None) -> None:
    """Give up on an answer, and ask somebody else."""
    for number, asking in list(state.asking.items()):
        if number == ticket or asking.link == link:
            del state.asking[number]
            room = state.rooms.get(asking.gid)
            if room is not None:
                ask_messages(state, room, step)


def _say(link: Link, session: Session, body: SessionBody, send_class: SendClass, step: Step) -> None:
    if session.out is not None:  # else we share no topic on which we could prove ourselves
        step.send(link.link, LinkKind.SEALED, session.out.seal(step.entropy.draw(24), pack(body)), send_class)
