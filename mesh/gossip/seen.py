"""Frames that passed here: which links are known to have each, whose it was, whether it is in our store.

Bounded by number: the newest 65,536. What it forgets the frontiers still know: a message that is said again after that
is found to be spent and goes no further (`peer.hearing`), so nothing has to be remembered for as long as an epoch is.
"""

from collections import OrderedDict
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import NewType

from mesh.ids import FrameId, LinkId
from mesh.wire import limits
from mesh.wire.gossip import ShortId, short

StreamId = NewType("StreamId", bytes)  # an author's frames in a group: gid 32 ‖ device id 16


@dataclass(slots=True)
class _Passed:
    holders: set[LinkId] = field(default_factory=set)
    stream: StreamId | None = None
    stored: bool = False


class SeenFrames:
    """Frames that passed here; the oldest are forgotten past the limit."""

    def __init__(self, frames_max: int = limits.SEEN_FRAMES_MAX) -> None:
        self._frames_max = frames_max
        self._passed: OrderedDict[ShortId, _Passed] = OrderedDict()

    def __contains__(self, frame: FrameId) -> bool:
        return short(frame) in self._passed

    def __len__(self) -> int:
        return len(self._passed)

    def knows(self, frame: ShortId) -> bool:
        """Say whether a frame passed here, by its short id."""
        return frame in self._passed

    def note(self, frame: FrameId, link: LinkId | None) -> bool:
        """Note that `link` (None: we ourselves) has the frame; return whether the frame is new here."""
        new = frame not in self
        self._entry(frame)
        if link is not None:
            self.note_holder(short(frame), link)
        return new

    def note_holder(self, frame: ShortId, link: LinkId) -> None:
        """Note that a link has a frame, if we know it."""
        passed = self._passed.get(frame)
        if passed is not None:
            passed.holders.add(link)

    def note_stream(self, frame: FrameId, stream: StreamId | None) -> None:
        """Note whose a frame is."""
        self._entry(frame).stream = stream

    def stream_of(self, frame: ShortId) -> StreamId | None:
        """Return whose a frame is, as far as that is known."""
        passed = self._passed.get(frame)
        return None if passed is None else passed.stream

    def mark_stored(self, frame: FrameId) -> None:
        """Note that the frame is in our store, so that whoever pushes it again may be told so."""
        self._entry(frame).stored = True

    def is_stored(self, frame: FrameId) -> bool:
        """Say whether the frame is known to be in our store."""
        passed = self._passed.get(short(frame))
        return passed is not None and passed.stored

    def holders(self, frame: ShortId) -> AbstractSet[LinkId]:
        """Return the links that are known to have a frame; not to be iterated, for it has no order."""
        passed = self._passed.get(frame)
        return frozenset() if passed is None else passed.holders

    def has(self, frame: ShortId, link: LinkId) -> bool:
        """Say whether a link is known to have a frame."""
        passed = self._passed.get(frame)
        return passed is not None and link in passed.holders

    def targets(self, frame: FrameId, links: Iterable[LinkId]) -> list[LinkId]:
        """Return those links that are not known to have the frame, and note that they will."""
        holders = self._entry(frame).holders
        chosen = [link for link in links if link not in holders]
        holders.update(chosen)
        return chosen

    def _entry(self, frame: FrameId) -> _Passed:
        passed = self._passed.get(short(frame))
        if passed is None:
            passed = self._passed[short(frame)] = _Passed()
            while len(self._passed) > self._frames_max:
                self._passed.popitem(last=False)
        return passed
