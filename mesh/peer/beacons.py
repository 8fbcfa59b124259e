"""Beacons: whoever said nothing for a day says that they are still there (protocol.md §7).

A beacon has no content. Like every message it names, under its author's signature, the operations that they have: so
the others know who has heard of a removal, keys go that nobody needs any more, and a group in two parts shows. It is
never shown, never unread and never acknowledged. Members see by it on which days a node ran; whoever minds turns theirs
off (`beacons`), and is then waited for until they say something.
"""

from typing import Final

from mesh.crypto.hashes import h
from mesh.groups.group import Group
from mesh.peer.speaking import say
from mesh.peer.state import Room, State, Step
from mesh.wire.codec import encode
from mesh.wire.messages import BeaconBody, Kind

BEACONS: Final = "beacons"  # our own setting: on or off
HOUR_MS: Final = 3_600_000
SILENT_MS: Final = 24 * HOUR_MS  # protocol.md §7: at most daily
SPREAD_MS: Final = 6 * HOUR_MS  # and so much later at the most, so that not all speak at once; ours


def tend_beacon(state: State, room: Room, step: Step) -> None:
    """Say a beacon if it is time, and somebody is there to hear it."""
    group = room.group
    if group.me is None or group.own.left or len(group.view.devices) < 2:
        return
    if group.own.settings_map().get(BEACONS) != "off" and _is_due(group, step.now.wall_ms):
        say(state, room, Kind.BEACON, encode(BeaconBody()), step)


def _is_due(group: Group, wall_ms: int) -> bool:
    """Say whether we have signed nothing for a day, and a while more that differs by device and from time to time."""
    own = group.own
    share = h(b"mesh1/beacon", own.dev, own.mseq.to_bytes(8, "big"))[0]
    silent = wall_ms - own.spoke_ms
    # A clock that was far ahead when we last spoke, and is right again, must not silence us.
    return silent >= SILENT_MS + share * SPREAD_MS // 256 or silent <= -SILENT_MS
