"""Registering: each member's node asks the group's keepers to keep what those who are away will need.

That is the topics of the newest epochs, the doors of open invites, and where answers to knocks go. A keeper is asked
again whenever that changes, and now and then: what nobody names any more it forgets.
"""

from typing import Final

from mesh.crypto.hashes import h
from mesh.crypto.keys import public_key
from mesh.events import LinkKind, SendClass
from mesh.groups.discreet import is_listening
from mesh.groups.invites import HOUR_MS
from mesh.groups.retention import keep_ms
from mesh.ids import TopicId
from mesh.peer import holdings, refilling
from mesh.peer.keepers import keepers_of
from mesh.peer.links import AtKeeper, Link
from mesh.peer.routing import DOOR_DAYS, preview_topic
from mesh.peer.state import Room, State, Step
from mesh.peer.welcoming import read_knock
from mesh.wire import limits
from mesh.wire.frames import DAY_MS, topic_of
from mesh.wire.keepers import KeepAsk, KeptSaid, pack_keep
from mesh.wire.tickets import Ticket

KEPT_DAYS: Final = 30  # how long an epoch that is over is left at keepers; they keep as long by default; ours
ASK_AGAIN_MS: Final = 600_000  # what it holds is asked anew, and our topics are named again; ours
_EPOCHS_LEFT: Final = 40  # of the 64 topics of an account; ours
_INVITES_LEFT: Final = 8  # newest ones, two topics each; ours
_REPLIES_LEFT: Final = 8


def tend(state: State, step: Step) -> None:
    """Ask every keeper that is linked for what our groups need, where that is news or long ago."""
    for room in state.rooms.values():
        if room.group.me is None or room.group.own.left:
            continue
        by_peer = {ticket.peer: ticket for ticket in keepers_of(room.group).values()}
        topics = topics_left(state, room, step.now.wall_ms) if by_peer else []
        if by_peer or room.left:
            holdings.forget_holdings(room, epochs_left(room, step.now.wall_ms) if by_peer else [], step)
        for link in state.links.values():
            ticket = by_peer.get(link.peer)
            if ticket is None:
                link.keepers.pop(room.group.gid, None)
            else:
                _ask(link, room, ticket, topics, step)


def _ask(link: Link, room: Room, ticket: Ticket, topics: list[TopicId], step: Step) -> None:
    at, aside = link.keepers.get(room.group.gid), is_listening(room.group)
    if at is None or at.account != ticket.account:
        at = link.keepers[room.group.gid] = AtKeeper(account=ticket.account, aside=aside)
    at.topics = tuple(topic for topic in topics if _is_readable(room, topic))
    kept_ms = keep_ms(room.group)
    days = min(limits.KEPT_DAYS_MAX, max(1, -(-kept_ms // DAY_MS))) if kept_ms else limits.KEPT_DAYS_MAX
    told = h(b"mesh1/left", bytes([days]), *topics)
    if told == at.told and step.now.mono_ms - at.told_ms < ASK_AGAIN_MS:
        return
    at.told, at.told_ms = told, step.now.mono_ms
    ask = KeepAsk(account=ticket.account, quota=ticket.quota, mac=ticket.mac, days=days, aside=aside, topics=topics)
    step.send(link.link, LinkKind.KEEP, pack_keep(ask), SendClass.CONTROL)


def _is_readable(room: Room, topic: TopicId) -> bool:
    epoch = room.group.topics.get(topic)
    return epoch is not None and not room.group.epochs[epoch].is_retired


def hear_said(state: State, link: Link, said: KeptSaid, step: Step) -> None:
    """A keeper says what it holds for us. What nobody asked it is passed over: it may answer what we asked before.

    One that kept nothing and says that it does so again is asked at once.
    """
    for gid, at in list(link.keepers.items()):
        room = state.rooms.get(gid)
        if (at.account, at.aside) == (said.account, said.aside) and room is not None:
            if said.accepted and at.refused:  # it keeps again, and has nothing of ours yet
                at.told, step.keepers_due = b"", True
            at.refused = not said.accepted
            at.accepted, at.free = said.accepted, max(0, said.quota - said.size)
            room.keepers_said[at.account] = said
            refilling.compare(state, link, room, step)


def epochs_left(room: Room, wall_ms: int) -> list[TopicId]:
    """Return the topics of the epochs that are left at keepers, the newest first: until a month after they ended."""
    found: list[TopicId] = []
    ended_ms = wall_ms
    for record in room.group.newest_epochs()[:_EPOCHS_LEFT]:
        if ended_ms < wall_ms - KEPT_DAYS * DAY_MS:
            break
        found.append(topic_of(public_key(record.pub_seed)))
        ended_ms = min(ended_ms, record.since_ms)
    return found


def topics_left(state: State, room: Room, wall_ms: int) -> list[TopicId]:
    """Return all topics that keepers are to keep for a group, the most important last (≤ 64)."""
    doors: list[TopicId] = []
    for invite in list(room.group.invites.values())[-_INVITES_LEFT:]:
        if invite.body.expiry_hour * HOUR_MS + DOOR_DAYS * DAY_MS > wall_ms:
            doors += [preview_topic(invite.body.knock_key), topic_of(invite.body.invite_pk)]
    waiting = (read_knock(room, record.frame) for record in room.knocks.values())
    replies = [topic_of(public_key(knock.reply_seed)) for knock in waiting if knock is not None]
    replies += [topic for topic, reply in state.replies.items() if reply.gid == room.group.gid]
    doors += list(dict.fromkeys(replies))[-_REPLIES_LEFT:]
    epochs = epochs_left(room, wall_ms)[::-1]
    return [*epochs[:-2], *doors, *epochs[-2:]]
