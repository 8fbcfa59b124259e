"""Returning: one who was out comes in again, as somebody new (protocol.md §12), and finds what they had.

What was said stays to be read, and what waited to be said still waits: it goes out under the new membership. What was
sealed under the former one and came to nobody, as far as we know, cannot go out any more: it is kept as that, for the
person to see and say again. What the former one was goes: its device's keys, counters, chains and operations, so that
the store holds what the welcome brought, and nothing that was on its way for one can meet the other.
"""

from typing import Final

from msgspec.structs import replace

from mesh.events import Space
from mesh.gossip.delivery import Delivery, DeliveryState
from mesh.ids import GroupId
from mesh.peer import reaching
from mesh.peer.fetching import forget_asking, save_held
from mesh.peer.handing_on import forget_handing
from mesh.peer.links import Session
from mesh.peer.placing import drop_message, keep_message
from mesh.peer.speaking import keep_draft, own_record
from mesh.peer.state import Room, State, Step, message_key, post_id
from mesh.wire.messages import Kind

_FORMER: Final = (
    Space.OPS,
    Space.WRAPS,
    Space.KEMS,
    Space.DEVICES,
    Space.CHAINS,
    Space.EPOCHS,
    Space.FRONTIERS,
    Space.FRAMES,
    Space.OPFRAMES,
    Space.DELIVERY,
    Space.DRAFTS,
    Space.INVITES,
    Space.KNOCKS,
    Space.OBJECTIONS,
)


def clear_former(state: State, gid: GroupId, step: Step) -> None:
    """Forget what we were in a group: all that a membership has of its own."""
    former = state.rooms[gid]
    reaching.forget_contacts(former, former.contacts, step)
    for space in _FORMER:
        step.journal.delete_prefix(space, gid)
    for link in state.links.values():
        session = link.sessions.get(gid)
        if session is not None:
            link.sessions[gid] = Session(
                into=session.into, epoch=session.epoch, device=session.device, proved_ms=session.proved_ms
            )
    for ticket in [t for t, asking in state.asking.items() if asking.gid == gid]:
        del state.asking[ticket]
        step.set_timer("asked", ticket.to_bytes(4, "big"), None)
    for ticket in [t for t, fetching in state.fetching.items() if fetching.gid == gid]:
        del state.fetching[ticket]
    forget_handing(state, gid=gid)
    forget_asking(state, gid, step)
    for ticket in [t for t, asking in state.asking_on.items() if asking.gid == gid]:
        del state.asking_on[ticket]
        step.set_timer("history", ticket.to_bytes(4, "big"), None)
    for frame in [f for f, (group, _) in state.frames.items() if group == gid]:
        del state.frames[frame]
    for name in ("receipt", "chore", "tell", "gap", "doubt", "stranded"):
        step.set_timer(name, gid, None)
    step.touched.pop(gid, None)


def take_over(former: Room, room: Room, step: Step) -> None:
    """Bring over what is the person's own: their settings, whose keys they confirmed, and what they wrote.

    Of that what nobody has yet. A message's id names the device that sends it, so it changes.
    """
    room.group.set_own(step.journal, settings=former.group.own.settings, declined=former.group.own.declined)
    room.verified, room.proofs = former.verified, former.proofs  # the others' keys are what they were
    room.talks, room.listens = former.talks, former.listens
    room.sealed = former.sealed
    room.files = former.files
    room.statements = former.statements  # who they are by is in the log, which is the same
    gid, dev = room.group.gid, room.group.own.dev
    for other, track in former.tracks.items():  # what can be read already need not be handed on
        room.track(other).past = track.have.union(track.past)
        room.save_track(other, step.journal)
    waiting = {draft.post for draft in former.drafts.values()}
    for post, delivery in former.deliveries.items():
        if delivery.state is DeliveryState.QUEUED and post not in waiting:
            room.save_delivery(post, Delivery(), step.journal)
    for _, draft in sorted(former.drafts.items()):
        if draft.kind == Kind.STATEMENT:
            keep_draft(room, replace(draft, post=post_id(dev, draft.uid)), step)
        if draft.kind != Kind.POST:
            continue  # it took back what was said under another key
        drop_message(message_key(gid, draft.at_ms, draft.post), draft.gone_ms, step)
        step.journal.delete(Space.POSTS, gid + draft.post)
        ours = replace(draft, post=post_id(dev, draft.uid))
        if (held := room.files.pop(draft.post, None)) is not None:
            step.journal.delete(Space.FILES, gid + draft.post)
            room.files[ours.post] = held
            save_held(room, ours.post, held, step)
        keep_draft(room, ours, step)
        keep_message(room, own_record(room.group, ours, ours.at_ms, None, step), step, unread=False)
        room.save_delivery(ours.post, Delivery(), step.journal)
