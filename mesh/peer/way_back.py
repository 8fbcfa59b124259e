"""The way back: a device that lost the thread calls where it still can, and is given a key by those who are there.

It calls (frame 05) when it is behind and cannot say so under a key that others still hold, or when those who are there
tell it nothing. Each call brings a fresh KEM key. Whoever hears it, and counts the device in, takes the key as by a
key-up, and the epoch in use as one that leaves it out, so that somebody re-keys in turn; operations travel by the sync
session, and what it missed by `history`. A device that is not in is told so, and nothing else.

Ex-members can write to these topics, and replay what they heard there: a number that is not new moves nothing, each
link may bring so many calls a minute, and each member's calls cost the others only so many epochs an hour.
"""

from contextlib import suppress
from typing import Final

from mesh.errors import Fault, RemoteError
from mesh.events import SendClass
from mesh.groups.dormancy import missing_epoch
from mesh.groups.messaging import read_keyup
from mesh.groups.returns import open_return, return_nonce, seal_return
from mesh.ids import OpId
from mesh.peer import reaching, stranding
from mesh.peer.hearing import learn_keyup
from mesh.peer.history import want_history
from mesh.peer.keeping import announced_kem, fresh_kem
from mesh.peer.links import Link, Session
from mesh.peer.records import ContactRecord
from mesh.peer.routing import forward, push_frame, tell
from mesh.peer.state import Room, State, Step
from mesh.wire import limits
from mesh.wire.frames import Frame, topic_of
from mesh.wire.messages import SignedMessage
from mesh.wire.operations import ZERO32
from mesh.wire.returns import ReturnBody
from mesh.wire.sessions import KeyupsBody, NotInBody

CALLS_OF_A_LINK: Final = 8  # calls that a link may bring, ...; ours
CALLS_OF_A_LINK_MS: Final = 60_000  # ... in so long
UNANNOUNCED_MAX: Final = 32  # keys that nobody may have heard of: others believe a rise of 64 (protocol.md §3); ours
_CALLED_KEPT: Final = 64  # calls of ours to which an answer counts; ours


# ---------------------------------------------------------------- calling


def tend(state: State, room: Room, step: Step) -> None:
    """Look whether the group went on without us: say so, call, or, once we are back, ask for what we missed."""
    before = room.behind
    if stranding.tend(state, room, step):
        _call(state, room, step)
    if before is not None and before.tries and room.behind is None and room.group.me is not None:
        want_history(room, step)


def _call(state: State, room: Room, step: Step) -> None:
    """Call on the newest topic that each link shares with us."""
    group = room.group
    number = max(group.kems)
    if number < announced_kem(room) + UNANNOUNCED_MAX:
        number, _ = fresh_kem(group, step)
    body = ReturnBody(
        dev=group.own.dev,
        kem_number=number,
        kem_pk=group.kems[number].public,
        addresses=reaching.knock_addresses(state, room),
        heads=group.log.heads_over([], limits.HEADS_MAX),
        epoch=group.epoch or OpId(ZERO32),
    )
    for epoch in _meeting(state, room):
        nonce = step.entropy.draw(24)
        room.called[nonce] = None
        push_frame(state, room, epoch, seal_return(group, epoch, body, nonce), step)
    while len(room.called) > _CALLED_KEPT:
        del room.called[next(iter(room.called))]


def _meeting(state: State, room: Room) -> dict[OpId, None]:
    """Return the newest epoch whose topic is shared, of each link."""
    topics = {epoch: topic for topic, epoch in room.group.topics.items()}
    newest = [record.op_id for record in room.group.newest_epochs()]
    found: dict[OpId, None] = {}
    for link in state.links.values():
        shared = next((epoch for epoch in newest if topics[epoch] in link.topics.shared), None)
        if shared is not None:
            found[shared] = None
    return found


# ---------------------------------------------------------------- hearing a call


def may_bring(link: Link, step: Step) -> bool:
    """Say whether a link may bring one more call now, and count it: asked before anything is verified."""
    lately = [at for at in link.calls if step.now.mono_ms - at < CALLS_OF_A_LINK_MS]
    link.calls = [*lately, step.now.mono_ms][:CALLS_OF_A_LINK]
    return len(lately) < CALLS_OF_A_LINK


def hear_frame(state: State, link: Link, frame: Frame, step: Step) -> None:
    """A call comes on one of our groups' topics. RemoteError for what no member hands on."""
    topic = topic_of(frame.pk)
    for room in state.rooms.values():
        epoch = room.group.topics.get(topic)
        if epoch is not None and not room.group.own.left:
            hear_call(state, link, room, epoch, frame, step)
            return


def hear_call(state: State, link: Link, room: Room, epoch: OpId, frame: Frame, step: Step) -> None:
    """Somebody calls on the topic of `epoch`. RemoteError for what no member hands on."""
    group = room.group
    body = open_return(group, frame, epoch)
    if body is None or body.dev == group.own.dev:
        return
    behind = any(head not in group.log for head in body.heads)
    if behind:
        step.wanted_ops[link.link, group.gid] = None
    if body.dev in group.view.devices:
        if _give_way(room, body, step):
            forward(state, room, epoch, frame, None, step, source=link.link)
    elif not behind and (session := link.sessions.get(group.gid)) is not None and session.device == body.dev:
        tell(link, session, NotInBody(nonce=return_nonce(frame)), SendClass.CONTROL, step)


def _give_way(room: Room, body: ReturnBody, step: Step) -> bool:
    """A device that is in calls: believe its key and have somebody re-key; return whether the call is to go on."""
    group = room.group
    known = group.kem_of.get(body.dev)
    if known is not None and body.kem_number <= known[0]:
        return False  # heard already, or said long ago
    if not step.sealer.check(group.suite, body.kem_pk):
        raise RemoteError(Fault.AGAINST_RULES, "a call with a key that nothing can be sealed to")
    if not group.note_kem(body.dev, body.kem_number, body.kem_pk):
        return False
    group.date_kem(body.dev, step.means())
    contact = room.contacts.get(body.dev)
    reached = ContactRecord(
        addresses=body.addresses,
        in_invites=contact is not None and contact.in_invites,
        mseq=0 if contact is None else contact.mseq,
    )
    reaching.learn_contact(room, body.dev, reached, step)
    if group.epoch is not None and group.epoch != body.epoch:
        stranding.call(room, body.dev, group.epoch, step)
    return True


# ---------------------------------------------------------------- key-ups for one who was away


def hand_keyups(link: Link, room: Room, session: Session, step: Step) -> None:
    """Give a device that speaks under an older epoch the newest key-up of each: it cannot open those messages.

    Its own are among them: an old copy of a home has forgotten which numbers it used.
    """
    group = room.group
    if session.epoch == group.epoch or missing_epoch(group) is not None:
        return
    batch: list[SignedMessage] = []
    size = 0
    for dev, track in sorted(room.tracks.items()):
        if track.keyup is None or dev not in group.view.devices:
            continue
        weight = len(track.keyup.tbs) + 128
        if batch and size + weight > limits.SESSION_CHUNK_BYTES:
            tell(link, session, KeyupsBody(keyups=batch), SendClass.OPERATIONS, step)
            batch, size = [], 0
        batch.append(track.keyup)
        size += weight
    if batch:
        tell(link, session, KeyupsBody(keyups=batch), SendClass.OPERATIONS, step)


def hear_keyups(room: Room, body: KeyupsBody, step: Step) -> None:
    """Learn the KEM keys of others, and which number of ours was the last; what is false is passed over."""
    group = room.group
    for signed in body.keyups:
        with suppress(RemoteError):
            dev, keyup = read_keyup(group, signed)
            if dev == group.own.dev and keyup.kem_number > group.own.kem_number:
                group.set_own(step.journal, kem_number=keyup.kem_number)
            learn_keyup(room, signed, step)
