"""Spreading: what links say of frames without sending them, and what we say of ours (network.md §3).

Only proved, current members of a group that we share are heard: to others nothing is announced, and they have nothing
to ask.
"""

from typing import Final

from mesh.errors import Fault
from mesh.events import Blame, LinkKind, SendClass, SendStored, Space
from mesh.gossip.spread import ANNOUNCE_MS, ANNOUNCE_SPREAD_MS, CALM_MS
from mesh.ids import DeviceId, FrameId, GroupId
from mesh.peer.links import Link
from mesh.peer.state import State, Step
from mesh.wire.gossip import ShortId, short

TIMER: Final = "spread"


def lose_link(state: State, link: Link, step: Step) -> None:
    """A link is gone: others take its place in the trees and, if need be, in the views."""
    step.effects.extend(state.spread.link_down(link.link, step.now.mono_ms, step.dice))
    step.views.update(dict.fromkeys(link.sessions))


def note_came(state: State, link: Link, frame: FrameId) -> None:
    """A link brought a frame: so much less it owes us."""
    state.spread.promises.came(short(frame), link.link)


def note_again(state: State, link: Link, frame: FrameId, step: Step) -> None:
    """A link brought a frame that was here: a member is told how we want its author's frames."""
    if _is_member(state, link):
        step.effects.extend(state.spread.came_again(frame, link.link))


def hear(state: State, link: Link, kind: LinkKind, payload: bytes, step: Step) -> None:
    """Take in an IHAVE, WANT, PRUNE or GRAFT; RemoteError if it is malformed or one too many."""
    if not _is_member(state, link):
        return
    now_ms = step.now.mono_ms
    if kind is LinkKind.IHAVE:
        step.effects.extend(state.spread.hear_ids(link.link, payload, now_ms))
    elif kind is LinkKind.WANT:
        _give(state, link, state.spread.hear_wanted(link.link, payload, now_ms), step)
    else:
        state.spread.hear_rank(link.link, kind, payload, now_ms)


def _is_member(state: State, link: Link) -> bool:
    return any(
        session.device is not None and gid in state.rooms and session.device in state.rooms[gid].group.view.devices
        for gid, session in link.sessions.items()
    )


def _give(state: State, link: Link, wanted: list[ShortId], step: Step) -> None:
    keys = [state.passed.keys[frame] for frame in wanted if frame in state.passed.keys]
    keys = [key for key in keys if _is_kept(state, key)]
    if keys:
        given = SendStored(link=link.link, space=Space.FRAMES, keys=tuple(keys), send_class=SendClass.REPAIR)
        step.effects.append(given)
    for frame in wanted:
        if frame in state.passed.others:
            step.send(link.link, LinkKind.FRAME, state.passed.others[frame], SendClass.OPERATIONS)


def _is_kept(state: State, key: bytes) -> bool:
    """Say whether a message is still in the store: the group is, and it was not forgotten."""
    room, dev = state.rooms.get(GroupId(key[:32])), DeviceId(key[32:48])
    track = None if room is None else room.tracks.get(dev)
    mseq = int.from_bytes(key[48:], "big")
    return track is not None and mseq in track.have and mseq not in track.gone


def plan_flush(state: State, step: Step) -> None:
    """Have ids announced and asked for soon, if there are any."""
    spread, soon = state.spread, step.now.mono_ms + ANNOUNCE_MS + ANNOUNCE_SPREAD_MS
    if state.spread_at is not None and (state.spread_at <= soon or not spread.urgent):
        return
    if spread.due:
        wait_ms = (ANNOUNCE_MS if spread.urgent else CALM_MS) + step.dice.randrange(ANNOUNCE_SPREAD_MS)
        state.spread_at = step.now.mono_ms + wait_ms
        step.set_timer(TIMER, b"", wait_ms)


def flush(state: State, step: Step) -> None:
    """Announce what has gathered; ask again for what was not given, and hold it against who broke many promises."""
    state.spread_at = None
    sends, broken = state.spread.flush(step.now.mono_ms)
    step.effects.extend(sends)
    step.effects.extend(Blame(link=link, fault=Fault.BROKEN_PROMISE) for link in broken)
