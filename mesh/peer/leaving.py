"""Leaving: say so, tell at least one member, and where the person asked for it, forget and be forgotten.

A leave made offline waits until somebody hears it: to them we are still in, so a session opens as before. Whoever has
it answers with a farewell: a state whose only head is the leave. With `wipe` all that was said and every key that opens
it goes at once, and the leave itself takes back what we said: whoever hears it forgets that (`erasing`). Until the
farewell there remains what it takes to be heard: our device's key, the operations (they name the group and its members)
with their wraps, the epochs' keys and the contacts. After it nothing; before it only for one who says `now`, for then
nobody is told any more.
"""

from typing import Final

from mesh.commands import LeaveGroup
from mesh.errors import RefusedError
from mesh.events import Notice, Space
from mesh.groups.authoring import author
from mesh.ids import DeviceId, OpId
from mesh.peer import fetching, homes, reaching
from mesh.peer.links import Session
from mesh.peer.proving import forget_signed
from mesh.peer.routing import JOINING
from mesh.peer.speaking import publish
from mesh.peer.state import Room, State, Step
from mesh.peer.stated import Statements
from mesh.phrases import phrase
from mesh.wire.codes import InviteCode
from mesh.wire.operations import LeaveBody, OpType

# What a wipe takes at once, and what it takes when the leave is known to somebody. GROUPS goes last: with it the group
# is gone from the store.
_WORDS: Final = (
    Space.MESSAGES,
    Space.POSTS,
    Space.UNREAD,
    Space.EXPIRIES,
    Space.WITHDRAWN,
    Space.TAKEN_BACK,
    Space.FILES,
    Space.CHUNKS,
    Space.DELIVERY,
)
_AT_ONCE: Final = (
    *_WORDS,
    Space.FRAMES,
    Space.OPFRAMES,
    Space.FRONTIERS,
    Space.INVITES,
    Space.KNOCKS,
    Space.OBJECTIONS,
    Space.STATEMENTS,
    Space.GAVE_WAY,
    Space.TALKS,
    Space.NOTES,
    Space.LISTENS,
    Space.CHAINS,
    Space.KEMS,
    Space.PROOFS,
    Space.VERIFIED,
    Space.DEVICES,
    Space.OWN,
)
_IN_THE_END: Final = (*_AT_ONCE, Space.DRAFTS, Space.CONTACTS, Space.EPOCHS, Space.WRAPS, Space.OPS, Space.GROUPS)


def leave(state: State, room: Room, command: LeaveGroup, step: Step) -> None:
    """Leave, or forget a group that we are out of. RefusedError for one who is out and does not ask for that."""
    group = room.group
    require_leavable(room, wipe=command.wipe)
    if group.me is None or group.own.left:
        if command.now or not is_unheard(room):
            forget(state, room, step)
        elif not group.own.wipe:
            group.set_own(step.journal, wipe=True)
            _forget_all_but_the_leave(state, room, step)
        return
    others = group.others
    seed = command.member_seed.reveal()
    said = LeaveBody(erase=command.wipe)
    publish(state, room, author(group, OpType.LEAVE, said, step.means(), member_seed=seed), step)
    group.set_own(step.journal, left=True, wipe=command.wipe)
    room.drafts.clear()
    step.journal.delete_prefix(Space.DRAFTS, group.gid)
    if not others:
        farewell(state, room, step)
    elif command.wipe:
        _forget_all_but_the_leave(state, room, step)


def is_unheard(room: Room) -> bool:
    """Say whether we left, and none of those who are in has told us yet that they have the leave."""
    return room.group.own.left and not room.silent and bool(room.group.others)


def require_leavable(room: Room, *, wipe: bool) -> None:
    """RefusedError for one who is out already, and does not ask to forget the group."""
    if (room.group.me is None or room.group.own.left) and not wipe:
        raise RefusedError(
            phrase("you are not in “{group}” any more", group=room.group.founding.name),
            why="there is nothing left to leave",
            do="add --wipe to forget what this store holds of it",
            code="E-NOT-MEMBER",
        )


def _forget_all_but_the_leave(state: State, room: Room, step: Step) -> None:
    forget_signed(state, room.group.gid)
    for space in _AT_ONCE:
        step.journal.delete_prefix(space, room.group.gid)
    for held in (
        room.tracks,
        room.files,
        room.deliveries,
        room.withdrawn,
        room.taken_back,
        room.sent,
        room.crowds,
        room.invites,
        room.knocks,
        room.talks,
        room.sealed,
        room.listens,
        room.declined,
    ):
        held.clear()
    room.statements = Statements()
    room.verified.clear()
    room.proofs.clear()
    room.arriving.clear()
    room.objections.clear()
    room.recent.clear()
    room.latest_ms = 0
    room.tips.clear()
    room.early.clear()
    room.group.chains.clear()
    room.group.kems.clear()


def forget_words(room: Room, step: Step) -> None:
    """Forget what was said in a group, and what waits to be said; its keys stay, so that we can say that it is over."""
    for space in (*_WORDS, Space.DRAFTS):
        step.journal.delete_prefix(space, room.group.gid)
    for held in (room.files, room.deliveries, room.withdrawn, room.taken_back, room.crowds, room.sent, room.drafts):
        held.clear()
    room.recent.clear()
    room.latest_ms = 0
    room.tips.clear()


def leave_of(room: Room, dev: DeviceId) -> OpId | None:
    """Return the leave of the member whose device this is or was, if we have one."""
    log = room.group.log
    card = log.card(dev)
    if card is not None:
        for op in log.ops:
            author_card = log.card(op.tbs.dev)
            if op.type is OpType.LEAVE and author_card is not None and author_card.member_pk == card.member_pk:
                return op.op_id
    return None


def of_session(room: Room, session: Session) -> OpId | None:
    """Return the leave of whoever is proved to be at the other end, if we have one."""
    return None if session.device is None else leave_of(room, session.device)


def note_own(room: Room, step: Step) -> None:
    """Another device of ours may have left for all of us: then the group is history here too."""
    group = room.group
    if not group.own.left and group.me is None and leave_of(room, group.own.dev) is not None:
        group.set_own(step.journal, left=True)
        room.drafts.clear()
        step.journal.delete_prefix(Space.DRAFTS, group.gid)


def hear_farewell(state: State, room: Room, heads: list[OpId], step: Step) -> None:
    """A proved member says what it has: if our leave is among it, we are done here."""
    log = room.group.log
    own = leave_of(room, room.group.own.dev)
    if own is not None and any(head in log and (head == own or log.past(head) & log.bit(own)) for head in heads):
        farewell(state, room, step)


def farewell(state: State, room: Room, step: Step) -> None:
    """Somebody has our leave: forget the group if that was asked for, else fall silent in it."""
    if room.group.own.wipe:
        forget(state, room, step, coming_back=True)
    else:
        room.silent = True
        reaching.forget_contacts(room, room.contacts, step)
        step.topics_changed = True


def forget(state: State, room: Room, step: Step, *, coming_back: bool = False) -> None:
    """Forget all that this store holds of a group.

    `coming_back`: but for an attempt to join that is under way. It began after the leave, by a new code, and whoever
    that leads to may be the first who tells us that the leave is known.
    """
    gid = room.group.gid
    del state.rooms[gid]
    forget_signed(state, gid)
    reaching.forget_contacts(room, room.contacts, step)
    for link in state.links.values():
        link.sessions.pop(gid, None)
        link.keepers.pop(gid, None)
    for ticket in [t for t, asking in state.asking.items() if asking.gid == gid]:
        del state.asking[ticket]
        step.set_timer("asked", ticket.to_bytes(4, "big"), None)
    for ticket in [t for t, asking in state.asking_on.items() if asking.gid == gid]:
        del state.asking_on[ticket]
        step.set_timer("history", ticket.to_bytes(4, "big"), None)
    fetching.forget_asking(state, gid, step)
    for topic in [t for t, reply in state.replies.items() if reply.gid == gid]:
        del state.replies[topic]
    for name in ("receipt", "presence", "chore", "tell", "gap", "doubt"):
        step.set_timer(name, gid, None)
    for join_id, join in list(state.joins.items()):
        stays = coming_back and join.stage in JOINING
        if InviteCode.unpack(join.code).gid_prefix == gid[:16] and not stays:
            del state.joins[join_id]
            step.journal.delete(Space.JOINS, join_id)
    for space in _IN_THE_END:
        step.journal.delete_prefix(space, gid)
    homes.forget_group(state, gid, step)
    for other in state.rooms.values():  # with whom one talked in a group for two goes with it
        if other.talks.pop(gid, None) is not None:
            step.journal.delete(Space.TALKS, other.group.gid + gid)
    step.touched.pop(gid, None)
    step.topics_changed = True
    step.notify(Notice.GROUP, gid)
