"""Acknowledging: who brings frames is told which of them are stored here (STORED, protocol.md §7).

The first is told of at once, since somebody may be waiting to hear that what they said is safe. While more come,
several share an answer: one for each frame would cost both ends as much as the frame did. Of a receipt nobody waits to
hear: it is told of with the next answer, or after a while.
"""

from typing import Final

from mesh.events import LinkKind, SendClass
from mesh.ids import LinkId
from mesh.peer.links import Link
from mesh.peer.state import State, Step
from mesh.wire import limits

TIMER: Final = "stored"
STORED_GAP_MS: Final = 200  # between two answers on one link, unless there is much to tell; ours
CALM_MS: Final = 1_000  # for what nobody waits to hear of; less than a push is waited for (`routing.REPAIR_WAIT_MS`)


def acknowledge(state: State, step: Step) -> None:
    """Acknowledge what this step stored, now or with what comes next."""
    for link_id, frames in step.stored.items():
        link = state.links.get(link_id)
        if link is None:
            continue
        link.stored.update(dict.fromkeys(frames))
        calm = all(frame in step.calm for frame in frames)
        at = step.now.mono_ms + CALM_MS if calm else link.stored_ms + STORED_GAP_MS
        if at <= step.now.mono_ms or len(link.stored) >= limits.STORED_IDS_MAX:
            _say(link, step)
        elif link.stored_at is None or at < link.stored_at:
            link.stored_at = at
            step.set_timer(TIMER, link_id.to_bytes(8, "big"), at - step.now.mono_ms)


def say_stored(state: State, subject: bytes, step: Step) -> None:
    """The gap is over: tell a link, if it still stands, what has gathered."""
    link = state.links.get(LinkId(int.from_bytes(subject, "big")))
    if link is not None:
        link.stored_at = None
        _say(link, step)


def _say(link: Link, step: Step) -> None:
    frames = list(link.stored)
    link.stored.clear()
    for k in range(0, len(frames), limits.STORED_IDS_MAX):
        batch = b"".join(frames[k : k + limits.STORED_IDS_MAX])
        step.send(link.link, LinkKind.STORED, batch, SendClass.CONTROL)
        link.stored_ms = step.now.mono_ms
