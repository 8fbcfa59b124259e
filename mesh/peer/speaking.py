"""Speaking: drafts become messages when somebody is there to take them; what else we say goes the same way.

A post is sealed at its first hand-over (protocol.md §7): until a member's node has told how far it has seen *our own*
device, sealing could repeat a number that a restored state has forgotten; and until we have the operations that it
has, sealing could let in one who was removed.
"""

from dataclasses import dataclass
from typing import Final

from mesh.crypto.hashes import h
from mesh.errors import LocalError
from mesh.events import Instant, Notice, Space
from mesh.gossip.delivery import Delivery
from mesh.gossip.frontier import Frontier
from mesh.groups.authoring import Authored, rekey
from mesh.groups.discreet import is_kept
from mesh.groups.dormancy import missing_epoch
from mesh.groups.forgetting import DAY_MS
from mesh.groups.group import Group
from mesh.groups.messaging import Wording, chain_is_full, seal_message
from mesh.ids import MemberPk, MsgId, OpId, PostId
from mesh.peer.agreeing import waits_for_yes
from mesh.peer.circling import under_way, waits_for_end
from mesh.peer.consent import quote_waits
from mesh.peer.holdings import note_frame
from mesh.peer.keepers import is_level
from mesh.peer.links import Session
from mesh.peer.modes import is_held_back
from mesh.peer.originals import origin_of
from mesh.peer.placing import drop_message, end_of, is_over, keep_message, latest_ms, life_of, note_message
from mesh.peer.proving import remember
from mesh.peer.quieting import waits_for_quiet
from mesh.peer.records import DraftRecord, MessageRecord, OriginRecord, SourceRecord
from mesh.peer.routing import push_frame
from mesh.peer.state import Room, State, Step, message_key, post_id
from mesh.peer.statements import draft_has_ended, keep_statement
from mesh.peer.tracks import Track
from mesh.wire import limits
from mesh.wire.codec import decode, encode
from mesh.wire.frames import parse_frame
from mesh.wire.gossip import short
from mesh.wire.messages import Kind, MessageTbs, PresenceBody, SignedMessage
from mesh.wire.operations import ZERO32

NEWS_WAIT_MS: Final = 5_000  # how long one who was away waits for others than the first whom they meet; ours
AHEAD_WAIT_MS: Final = 10_000  # how long a claim to have messages of ours, that we have not, holds us back; ours
CLAIMED_MAX: Final = limits.MSEQ_JUMP_MAX // 2  # messages that we may have forgotten and nobody can give us; ours
IN_INVITES: Final = "invite-address"  # our own setting: may invites of others carry our addresses?
RECEIPTS: Final = "receipts"  # our own setting: are members told that their posts came?
ASK_TIMEOUT_MS: Final = 10_000  # then somebody else is asked, and what was asked for is waited for no longer; ours
_CLOCK_BACK_MS_MAX: Final = 120_000  # our clock may be set back so far without two posts changing places; ours


def write_draft(
    state: State,
    room: Room,
    body: bytes,
    flags: int,
    step: Step,
    *,
    uid: bytes | None = None,
    source: SourceRecord | None = None,
) -> PostId:
    """Keep a post that was typed, as a draft and for our own reading; return its id. `uid`: drawn before, 16 B."""
    group = room.group
    uid = step.entropy.draw(16) if uid is None else uid
    ts_ms = step.now.wall_ms
    if 0 <= room.last_ts - ts_ms < _CLOCK_BACK_MS_MAX:
        ts_ms = room.last_ts + 1
    room.last_ts = ts_ms
    at_ms = max(ts_ms, latest_ms(room) + 1)
    draft = DraftRecord(
        post=post_id(group.own.dev, uid),
        uid=uid,
        kind=Kind.POST,
        ts_ms=ts_ms,
        at_ms=at_ms,
        flags=flags,
        body=body,
        gone_ms=end_of(life_of(Kind.POST, body), at_ms),
        source=source,
    )
    keep_draft(room, draft, step)
    keep_message(room, own_record(group, draft, draft.at_ms, None, step), step, unread=False)
    room.save_delivery(draft.post, Delivery(), step.journal)
    hand_over(state, room, step)
    return draft.post


def keep_draft(room: Room, draft: DraftRecord, step: Step) -> None:
    """Keep something that was typed until it is sealed."""
    number = room.group.own.draft + 1
    room.group.set_own(step.journal, draft=number)
    room.drafts[number] = draft
    step.journal.put(Space.DRAFTS, room.group.gid + number.to_bytes(8, "big"), encode(draft))


def hand_over(state: State, room: Room, step: Step) -> None:
    """Seal and push the drafts of a group if a member is there to take them, and we know it to be the whole group."""
    if not room.drafts or not room.group.own.confirmed or not can_speak(state, room, step.now):
        return
    circle = under_way(room, step.now.wall_ms)
    for number, draft in sorted(room.drafts.items()):
        held = _is_held_back(room, draft, step) or waits_for_end(room, circle, draft)
        if held or draft_is_over(room, draft, step.now.wall_ms):
            continue
        if quote_waits(state, draft, step.now.wall_ms):
            continue
        epoch = speaking_epoch(state, room, step)
        if epoch is None:
            return
        _seal_draft(state, room, epoch, draft, step)
        drop_draft(room, number, step)


def _is_held_back(room: Room, draft: DraftRecord, step: Step) -> bool:
    """Say whether something that was typed waits for more than somebody to take it."""
    wall_ms = step.now.wall_ms
    held = is_held_back(room.group, draft)
    return held or waits_for_yes(room, draft, wall_ms) or waits_for_quiet(room, draft, wall_ms)


def draft_is_over(room: Room, draft: DraftRecord, wall_ms: int) -> bool:
    """Say whether what was typed has run out before anybody could take it."""
    if draft.kind == Kind.STATEMENT:
        return draft_has_ended(room, draft, wall_ms)
    return is_over(room, draft.at_ms, draft.gone_ms, wall_ms)


def drop_draft(room: Room, number: int, step: Step) -> None:
    """Forget a draft: it was sealed."""
    del room.drafts[number]
    step.journal.delete(Space.DRAFTS, room.group.gid + number.to_bytes(8, "big"))


def can_speak(state: State, room: Room, now: Instant) -> bool:
    """Say whether we are in, and a current member's node is there with which we agree on what was before.

    A keeper will do, once we have all that it has. What it keeps back, or was never left there, we may not know then.
    Whoever is there and has operations that we lack is waited for, for a while: one who is out, as they have it, must
    not be enough for us to speak.
    """
    if room.group.me is None or room.group.own.left or not room.group.epochs:
        return False
    heard = [session for _, session in state.present(room) if session.heard]
    left = bool(room.group.others) and is_level(state, room) and not _went_on(room)
    if _may_be_news(room, now, bool(heard) or left):
        return False
    waits = [_is_awaited(room, session, now) for session in heard]
    held_back = any(_is_ahead(room, session) and _is_fresh(room, session, now) for session in heard)
    somebody = left or any(agrees(room, session, now) for session in heard)
    return somebody and not held_back and not any(waits)


def _went_on(room: Room) -> bool:
    """Say whether the group seems to go on without us: then a keeper, which knows of nobody, is not enough."""
    log, last = room.group.log, room.unopened
    return last is not None and not any(log.past(epoch) & log.bit(last) for epoch in room.group.epochs)


def _may_be_news(room: Room, now: Instant, somebody: bool) -> bool:
    """Say whether our epoch is so old that the others must have a newer one, and whoever has it may just be linking.

    Two who were away alike and meet first would else talk under keys that the others have forgotten.
    """
    epoch = room.group.epoch
    old = epoch is not None and now.wall_ms - room.group.epochs[epoch].since_ms > limits.EPOCH_DAYS_MAX * DAY_MS
    if not old or not somebody:
        room.stale_ms = None
        return False
    room.stale_ms = now.mono_ms if room.stale_ms is None else room.stale_ms
    return now.mono_ms - room.stale_ms < NEWS_WAIT_MS


def _is_awaited(room: Room, session: Session, now: Instant) -> bool:
    """Say whether a device has told of operations that we lack, so lately that they may still be on their way.

    One that did not give in time what it told of is waited for no more until it does: or one member could silence
    another with bare names.
    """
    assert session.device is not None, "only proved devices are heard"
    lacking = [head for head in session.heads if head not in room.group.log]
    told, since = room.told_of.get(session.device, ((), 0))
    if all(head in room.group.log for head in told):
        told, since = tuple(lacking), now.mono_ms
    if told:
        room.told_of[session.device] = told, since
    else:
        room.told_of.pop(session.device, None)
    return bool(lacking) and now.mono_ms - since < ASK_TIMEOUT_MS


def _is_fresh(room: Room, session: Session, now: Instant) -> bool:
    """Say whether a device's claim to be ahead of us is so new that it may still be about to prove it.

    After that we speak, under a fresh epoch: or one member could silence another with a bare number.
    """
    assert session.device is not None, "only proved devices are heard"
    since = room.ahead_since.setdefault(session.device, now.mono_ms)
    if now.mono_ms - since < AHEAD_WAIT_MS:
        return True
    if session.device not in room.disbelieved:
        room.disbelieved[session.device] = None
        room.fell_back = True  # once: should it have been true after all, no key is used twice
    return False


def agrees(room: Room, session: Session, now: Instant) -> bool:
    """Say whether we have the operations that a peer has; one that cannot give them is not waited for."""
    known = all(head in room.group.log for head in session.heads)
    return known or now.mono_ms - session.asked_ops[1] >= ASK_TIMEOUT_MS


def _is_ahead(room: Room, session: Session) -> bool:
    """Say whether a peer has messages of our own that we have not; one that claimed such in vain is not believed."""
    own = room.group.own.dev
    ours = room.tracks.get(own, Track()).sure
    ahead = bool(ours.missing_from(session.frontier.get(own, Frontier())))
    return ahead and not ours.missing_from(session.closed.get(own, Frontier()))


def speaking_epoch(state: State, room: Room, step: Step) -> OpId | None:
    """Return the epoch to send under; where there is none, or ours is used up, re-key first (protocol.md §5).

    None where no epoch can be made (more devices came in at once than one carries, say), and while the group has a
    newer one whose key we were not given: others may have forgotten ours.
    """
    if missing_epoch(room.group) is not None:
        return None
    if room.fell_back:
        _pass_claimed(state, room, step)
    epoch = room.group.epoch
    if epoch is None or room.fell_back or chain_is_full(room.group, epoch):
        try:
            authored = rekey(room.group, step.means())
            publish(state, room, authored, step)
            if authored.op.op_id not in room.group.epochs:
                # Sealed to a key of ours that a restored copy lost; this one brought a new key, and so the next opens.
                publish(state, room, rekey(room.group, step.means()), step)
        except LocalError:
            return None
        room.fell_back = False
        epoch = room.group.epoch  # none where so many forked, and let in so many, that not all could be joined
    return epoch


def _pass_claimed(state: State, room: Room, step: Step) -> None:
    """We have forgotten what we said: go on after the number that at least half of those who are there have of us.

    It is their word, where nobody can give us the messages: a number that was used would be heard by nobody. One that
    was not used leaves a gap, and no leap is longer than others believe.
    """
    own = room.group.own
    tops = sorted(s.frontier.get(own.dev, Frontier()).top for _, s in state.present(room) if s.heard)
    claimed = tops[len(tops) // 2] if tops else 0
    if own.mseq < claimed <= own.mseq + CLAIMED_MAX:
        room.group.set_own(step.journal, mseq=claimed, prev=MsgId(ZERO32))


def publish(state: State, room: Room, authored: Authored, step: Step) -> None:
    """Push the frames of an operation of ours, and let the rest of the hall know that the group changed."""
    step.touch(room.group.gid, [authored.op])
    for epoch, frame in authored.frames:
        note_frame(room, parse_frame(frame), step, taken=True)
        push_frame(state, room, epoch, frame, step)


def say(state: State, room: Room, kind: Kind, body: bytes, step: Step) -> bool:
    """Seal and push something that is not a post; return False where nobody could take it now."""
    epoch = speaking_epoch(state, room, step) if can_speak(state, room, step.now) else None
    if epoch is None:
        return False
    say_under(state, room, epoch, kind, body, step)
    return True


def say_uid(state: State, room: Room, kind: Kind, uid: bytes, body: bytes, step: Step) -> bool:
    """Do what `say` does with a body that is bound to the message's uid (16 B)."""
    epoch = speaking_epoch(state, room, step) if can_speak(state, room, step.now) else None
    if epoch is None:
        return False
    wording = Wording(uid=uid, kind=kind, parents=(), ts_ms=step.now.wall_ms, flags=0, body=body)
    _seal_and_push(state, room, epoch, wording, step)
    return True


def say_under(state: State, room: Room, epoch: OpId, kind: Kind, body: bytes, step: Step) -> None:
    """Seal and push something that is not a post, under this epoch."""
    wording = Wording(uid=step.entropy.draw(16), kind=kind, parents=(), ts_ms=step.now.wall_ms, flags=0, body=body)
    _seal_and_push(state, room, epoch, wording, step)


# ---------------------------------------------------------------- presence


def say_presence(state: State, room: Room, step: Step) -> None:
    """Tell the group where we can be reached and whether we give receipts, if that or the epoch is new."""
    epoch = room.group.epoch
    own = room.group.own.settings_map()
    shared, receipts = own.get(IN_INVITES) == "on", own.get(RECEIPTS) != "off"
    addresses: list[str] = [] if is_kept(room.group) else list(state.addresses[: limits.ADDRESSES_MAX])
    if epoch is None or not (addresses or not receipts):
        return
    told = h(b"mesh1/presence", bytes([shared, receipts]), *[a.encode() for a in addresses]), epoch
    if room.presence_told == told:
        return
    body = PresenceBody(addresses=addresses, in_invites=shared, receipts=receipts)
    if say(state, room, Kind.PRESENCE, encode(body), step):
        room.presence_told = told


# ---------------------------------------------------------------- sealing


@dataclass(frozen=True, slots=True)
class _Sealed:
    mseq: int
    msg_id: MsgId
    signed: SignedMessage


def _seal_draft(state: State, room: Room, epoch: OpId, draft: DraftRecord, step: Step) -> None:
    group = room.group
    if draft.kind != Kind.POST:
        _seal_other(state, room, epoch, draft, step)
        return
    parents = tuple(list(room.tips)[-limits.PARENTS_MAX :])
    at_ms = max(draft.ts_ms, 1 + max((room.recent.get(p, 0) for p in parents), default=0))
    wording = Wording(
        uid=draft.uid,
        kind=draft.kind,
        parents=parents,
        ts_ms=at_ms,  # when it is said, after all that it follows: so it stands there also where that comes later
        flags=draft.flags,
        body=draft.body,
    )
    sealed = _seal_and_push(state, room, epoch, wording, step)
    drop_message(message_key(group.gid, draft.at_ms, draft.post), draft.gone_ms, step)
    note_message(room, sealed.msg_id, parents, at_ms)
    keep_message(room, own_record(group, draft, at_ms, sealed, step), step, unread=False)
    delivery = room.deliveries[draft.post].sealed(sealed.mseq, readers_of(group, epoch), sealed.msg_id)
    room.save_delivery(draft.post, delivery, step.journal)
    step.notify(Notice.STATE, group.gid, draft.post)


def _seal_other(state: State, room: Room, epoch: OpId, draft: DraftRecord, step: Step) -> None:
    """Seal the word that takes a post back, and stands where the post stood; or a statement. Nothing follows them."""
    wording = Wording(uid=draft.uid, kind=draft.kind, parents=(), ts_ms=draft.ts_ms, flags=draft.flags, body=draft.body)
    sealed = _seal_and_push(state, room, epoch, wording, step)
    if draft.kind == Kind.STATEMENT:
        keep_statement(room, own_record(room.group, draft, draft.at_ms, sealed, step), step)
        return
    drop_message(message_key(room.group.gid, draft.at_ms, draft.post), draft.gone_ms, step)
    keep_message(room, own_record(room.group, draft, draft.at_ms, sealed, step), step, unread=False)
    step.notify(Notice.STATE, room.group.gid, draft.post)


def readers_of(group: Group, epoch: OpId) -> list[MemberPk]:
    """Return the members who can open what is sealed under an epoch, ourselves left out."""
    devices = group.view.devices
    readers = {devices[dev] for dev in group.recipients(epoch) if dev in devices}
    return sorted(readers - {group.own.member_pk})


def _seal_and_push(state: State, room: Room, epoch: OpId, wording: Wording, step: Step) -> _Sealed:
    group = room.group
    sealed = seal_message(group, epoch, wording, step.means())
    track = room.track(group.own.dev)
    track.take(sealed.mseq, sealed.msg_id, epoch, sealed.heads)
    remember(state, group.gid, group.own.dev, sealed.mseq, sealed.signed)
    if wording.kind == Kind.KEYUP:
        track.keyup = sealed.signed
    room.save_track(group.own.dev, step.journal)
    key = group.gid + group.own.dev + sealed.mseq.to_bytes(8, "big")
    step.journal.put(Space.FRAMES, key, sealed.frame)
    note_frame(room, parse_frame(sealed.frame), step, key=key)
    frame_id = push_frame(state, room, epoch, sealed.frame, step)
    state.seen.mark_stored(frame_id)
    state.passed.note_message(short(frame_id), group.gid + group.own.dev + sealed.mseq.to_bytes(8, "big"))
    state.frames[frame_id] = (group.gid, sealed.mseq)
    while len(state.frames) > limits.SEEN_FRAMES_MAX:
        state.frames.popitem(last=False)
    return _Sealed(sealed.mseq, sealed.msg_id, sealed.signed)


def own_record(group: Group, draft: DraftRecord, at_ms: int, sealed: _Sealed | None, step: Step) -> MessageRecord:
    """Return something of our own as it stands for our own reading; `sealed` None: it waits."""
    return MessageRecord(
        post=draft.post,
        msg_id=MsgId(ZERO32) if sealed is None else sealed.msg_id,
        dev=group.own.dev,
        member=group.own.member_pk,
        kind=draft.kind,
        mseq=0 if sealed is None else sealed.mseq,
        at_ms=at_ms,
        ts_ms=draft.ts_ms if sealed is None or draft.kind != Kind.POST else at_ms,
        seen_ms=step.now.wall_ms,
        flags=draft.flags,
        body=draft.body,
        origin=None if sealed is None else _origin(sealed.signed),
        handed_on=False,
        gone_ms=end_of(life_of(draft.kind, draft.body), at_ms),
    )


def _origin(signed: SignedMessage) -> OriginRecord:
    return origin_of(decode(MessageTbs, signed.tbs, bytes_max=limits.MESSAGE_BYTES_MAX), signed.sig)
