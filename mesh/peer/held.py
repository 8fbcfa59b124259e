"""What is known of the frames of one epoch's topic: data of `mesh.peer.holdings`."""

from dataclasses import dataclass, field

from mesh.events import Space
from mesh.gossip.reconcile import Items
from mesh.ids import FrameId, GroupId, TopicId


@dataclass(frozen=True, slots=True)
class Held:
    """Where a frame lies in the store; `key` empty: it came and was not kept, and is not asked for again."""

    bucket: int
    space: Space
    key: bytes
    size: int


@dataclass(slots=True)
class Holding:
    """What is known of one topic. Not `whole`: it is being read."""

    whole: bool = False
    frames: dict[FrameId, Held] = field(default_factory=dict)

    def items(self) -> Items:
        """Return it for comparing."""
        return Items.of((held.bucket, frame) for frame, held in self.frames.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldingFor:
    """We are reading the frames of a topic: `keys` now, then `rest`; no keys: those of operations."""

    gid: GroupId
    topic: TopicId
    keys: tuple[bytes, ...]
    rest: tuple[bytes, ...]
