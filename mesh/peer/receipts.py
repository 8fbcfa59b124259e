"""Receipts: what came is confirmed under seal, in batches; what others say of our own messages is noted.

A receipt says which messages of a device are here, and no more: not which are settled by others' word, nor which came
too late to be read. Two words count for an own message. A member's node says that it stored it (STORED, or a state that
covers it): that is what a program says. A member's sealed receipt covers it: then it has reached them.

A member may turn receipts off, and says so (`PresenceBody`): then nobody waits for theirs, and whether they have a
message stays unknown.
"""

from typing import Final

from mesh.errors import Fault, RemoteError
from mesh.events import Notice
from mesh.gossip.delivery import NAME_BYTES
from mesh.groups.discreet import is_listening
from mesh.groups.messaging import OpenedMessage
from mesh.ids import DeviceId, FrameId, MemberPk, PostId
from mesh.peer.links import Link
from mesh.peer.speaking import RECEIPTS, say
from mesh.peer.state import Room, State, Step
from mesh.peer.tracks import Track
from mesh.wire import limits
from mesh.wire.codec import encode
from mesh.wire.frames import parse_frame
from mesh.wire.messages import Kind, Reached, ReceiptBody
from mesh.wire.tickets import KEEPER_ID_BYTES

RECEIPT_WAIT_MS: Final = 600  # receipts go in batches, jittered (network.md §7); ours
RECEIPT_SPREAD_MS: Final = 900
RECEIPT_SHARE_MS: Final = 125  # of the spread, for each device: a large group says no more than eight a second; ours


def gives_receipts(room: Room) -> bool:
    """Say whether members are told that their posts came here."""
    return room.group.own.settings_map().get(RECEIPTS) != "off"


# ---------------------------------------------------------------- ours for others


def plan_receipt(room: Room, step: Step) -> None:
    """Have a receipt sent soon if one is owed; while they are off, it stays owed."""
    if not room.receipt_due and gives_receipts(room) and any(track.owes for track in room.tracks.values()):
        room.receipt_due = True
        spread_ms = max(RECEIPT_SPREAD_MS, RECEIPT_SHARE_MS * len(room.group.view.devices))
        step.set_timer("receipt", room.group.gid, RECEIPT_WAIT_MS + step.dice.randrange(spread_ms))


def say_receipt(state: State, room: Room, step: Step) -> None:
    """Acknowledge the posts that came since the last receipt; where they are by too many, the others come next."""
    room.receipt_due = False
    if not gives_receipts(room):
        return
    owed = [dev for dev, track in sorted(room.tracks.items()) if track.owes][: limits.RECEIPT_DEVICES_MAX]
    body = ReceiptBody(reached=[_reached(dev, room.tracks[dev]) for dev in owed])
    if owed and say(state, room, Kind.RECEIPT, encode(body), step):
        for dev in owed:
            room.tracks[dev].owes = False
            room.save_track(dev, step.journal)
        plan_receipt(room, step)


def _reached(dev: DeviceId, track: Track) -> Reached:
    spans = [[*span] for span in track.confirmed()[-limits.RECEIPT_SPANS_MAX :]]
    return Reached(dev=dev, spans=spans, mseq=track.post, name=track.post_id[:NAME_BYTES])


# ---------------------------------------------------------------- others' for ours


def hear_receipt(room: Room, opened: OpenedMessage, body: ReceiptBody, step: Step) -> None:
    """Note what of ours has reached the author of a receipt.

    One that names a post which we do not know as ours speaks of what we said before we were put back to an old copy.
    """
    entry = next((entry for entry in body.reached if entry.dev == room.group.own.dev), None)
    newest = None if entry is None else room.own_post(entry.mseq)
    if entry is None or newest is None or newest.name != entry.name:
        return
    for mseq, post in list(room.sent.items()):
        before = room.deliveries[post]
        came = mseq <= entry.mseq and any(first <= mseq <= last for first, last in entry.spans)
        if came and opened.member in before.of - before.reached:
            room.save_delivery(post, before.received_by(opened.member), step.journal)
            step.notify(Notice.STATE, room.group.gid, post)


def heard_stored(state: State, link: Link, payload: bytes, step: Step) -> None:
    """A peer says that it stored these frames (32 B ids, one after the other); RemoteError if malformed."""
    if len(payload) % 32 or not 0 < len(payload) // 32 <= limits.STORED_IDS_MAX:
        raise RemoteError(Fault.MALFORMED, "a list of stored frames has the wrong length")
    for k in range(0, len(payload), 32):
        frame = FrameId(payload[k : k + 32])
        link.pushed.pop(frame, None)
        _note_rested(state, link, frame, step)
        found = state.frames.get(frame)
        room = None if found is None else state.rooms.get(found[0])
        if found is not None and room is not None and found[1] in room.sent:
            note_holder(room, link, room.sent[found[1]], step)
        if found is not None and room is not None and is_listening(room.group):
            step.ends[found[0]] = found[1]


def _note_rested(state: State, link: Link, frame: FrameId, step: Step) -> None:
    """A knock of ours is kept at the other end: it rests there, and need not be repeated over this link."""
    for join, (raw, _) in state.knock_frames.items():
        if join not in link.rested and parse_frame(raw).id == frame:
            link.rested[join] = None
            state.resting[join] = None
            step.notify(Notice.JOIN, None, join)


def note_holder(room: Room, link: Link, post: PostId, step: Step) -> None:
    """Count a current member's node, or a keeper of the group's, as one that has said it stored a message of ours.

    Who is not proved to be one is not counted: nobody could say who it was, and an ex-member's word says nothing.
    """
    session = link.sessions.get(room.group.gid)
    member = None if session is None or session.device is None else room.group.view.devices.get(session.device)
    before = after = room.deliveries[post]
    if member is not None and member != room.group.own.member_pk:
        after = before.stored_by(member, step.now.wall_ms)
    elif member is None and room.group.gid in link.keepers:
        keeper = link.keepers[room.group.gid].account[:KEEPER_ID_BYTES]
        after = before.kept_by(keeper, step.now.wall_ms)
    if after is not before:
        room.save_delivery(post, after, step.journal)
        step.notify(Notice.STATE, room.group.gid, post)


def keeps_quiet(room: Room, member: MemberPk) -> bool:
    """Say whether a member gives no receipts, by the last word of each of their devices."""
    there = room.group.view.members.get(member)
    quiet = [dev in room.tracks and room.tracks[dev].quiet for dev in (() if there is None else there.devices)]
    return bool(quiet) and all(quiet)
