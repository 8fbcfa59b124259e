"""Keeping keys young: key-ups when they are due, and forgetting what has done its work (protocol.md §3 and §5).

A key-up is a message, so that a fresh KEM key costs no epoch. Who was not in when it was said learns it with their
welcome, under its author's own signature.
"""

from typing import Final

from mesh.crypto.hashes import h
from mesh.groups.authoring import keep_kem
from mesh.groups.dormancy import missing_epoch
from mesh.groups.erasing import is_erased
from mesh.groups.forgetting import forget_keys, published_kems
from mesh.groups.group import Group
from mesh.groups.messaging import cut_of, read_keyup
from mesh.peer.speaking import can_speak, say
from mesh.peer.state import Room, State, Step
from mesh.wire.codec import encode
from mesh.wire.messages import KeyupBody, Kind

HOUR_MS: Final = 3_600_000
USED_MS: Final = 24 * HOUR_MS  # a KEM key is replaced within so long of its use (protocol.md §3)
AGE_MS: Final = 7 * 24 * HOUR_MS  # or of its making


def tend_keys(state: State, room: Room, step: Step) -> None:
    """Do what is due with the keys of one group."""
    if room.group.me is None or room.group.own.left:
        return
    if _is_due(room, step.now.wall_ms) and can_speak(state, room, step.now) and missing_epoch(room.group) is None:
        number, public = fresh_kem(room.group, step)
        say(state, room, Kind.KEYUP, encode(KeyupBody(kem_number=number, kem_pk=public)), step)
    forget_keys(room.group, step.means(), gaps=_has_gaps(room))


def _has_gaps(room: Room) -> bool:
    """Say whether messages are missing that could still come: beyond the cut of one who is out, none does."""
    behind = ((dev, track) for dev, track in room.tracks.items() if track.sure.gaps_below(track.top))
    return any(
        track.sure.gaps_below(min(track.top, cut_of(room.group, dev)))
        for dev, track in behind
        if not is_erased(room.group, dev)
    )


def _is_due(room: Room, wall_ms: int) -> bool:
    """Say whether our newest KEM key is to be replaced; devices come at different times, within the hours that hold.

    So it is if only some have been told of it: those who called for it when we came back (protocol.md §9).
    """
    group = room.group
    if len(group.view.devices) < 2 or group.epoch is None:
        return False
    number, newest = max(group.kems.items())
    share = h(b"mesh1/keyup", group.own.dev, number.to_bytes(4, "big"))[0]
    early = share * HOUR_MS * 12 // 256
    used = bool(newest.used_ms) and wall_ms - newest.used_ms >= USED_MS - early
    return used or wall_ms - newest.made_ms >= AGE_MS - early or number > announced_kem(room)


def announced_kem(room: Room) -> int:
    """Return the number of the newest KEM key of ours that reaches everybody: by an operation, or a key-up."""
    signed = room.track(room.group.own.dev).keyup
    said = 0 if signed is None else read_keyup(room.group, signed)[1].kem_number
    return max(said, *published_kems(room.group), 0)


def fresh_kem(group: Group, step: Step) -> tuple[int, bytes]:
    """Make and keep a KEM key of ours that is to be announced; return its number and public half.

    It goes on after the highest number that anybody knows of ours: an old copy of a home has forgotten some.
    """
    number = 1 + max(group.own.kem_number, group.kem_of[group.own.dev][0])
    private, public = step.sealer.generate(group.suite)
    # Kept first: one that is announced and then not here could open nothing that is sealed to it.
    keep_kem(group, number, private, public, step.means())
    group.set_own(step.journal, kem_number=number)
    group.note_kem(group.own.dev, number, public)
    return number, public
