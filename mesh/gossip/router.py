"""Who gets a frame next: everyone on the topic who is not known to have it (network.md §3).

Up to eight peers a topic is a full mesh: push to all, drop what was seen. Larger groups need views and lazy push, which
come with the gossip work; until then a large group is flooded, which is correct and costs more than it must.
"""

from collections import OrderedDict
from collections.abc import Iterable

from mesh.ids import FrameId, LinkId
from mesh.wire import limits


class SeenFrames:
    """Frame ids that passed here, with the links known to have each; the oldest are forgotten past the limit."""

    def __init__(self, frames_max: int = limits.SEEN_FRAMES_MAX) -> None:
        self._frames_max = frames_max
        self._holders: OrderedDict[FrameId, set[LinkId]] = OrderedDict()
        self._stored: OrderedDict[FrameId, None] = OrderedDict()

    def __contains__(self, frame: FrameId) -> bool:
        return frame in self._holders

    def note(self, frame: FrameId, link: LinkId | None) -> bool:
        """Note that `link` (None: we ourselves) has the frame; return whether the frame is new here."""
        holders = self._holders.get(frame)
        if holders is None:
            self._holders[frame] = set() if link is None else {link}
            while len(self._holders) > self._frames_max:
                self._holders.popitem(last=False)
            return True
        if link is not None:
            holders.add(link)
        return False

    def mark_stored(self, frame: FrameId) -> None:
        """Note that the frame is in our store, so that whoever pushes it again may be told so."""
        self._stored[frame] = None
        while len(self._stored) > self._frames_max:
            self._stored.popitem(last=False)

    def is_stored(self, frame: FrameId) -> bool:
        """Say whether the frame is known to be in our store."""
        return frame in self._stored

    def targets(self, frame: FrameId, links: Iterable[LinkId]) -> list[LinkId]:
        """Return those links that are not known to have the frame, and note that they will."""
        self.note(frame, None)
        holders = self._holders[frame]
        chosen = [link for link in links if link not in holders]
        holders.update(chosen)
        return chosen
