"""Frames that passed of late, for those who ask for them: where each message stands, and the others themselves."""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

from mesh.wire.gossip import ShortId

_KEYS_MAX: Final = 16_384  # messages; ours
_OTHERS_BYTES_MAX: Final = 4 * 1024 * 1024  # of frames that are kept nowhere else; ours


@dataclass(slots=True)
class Passed:
    """Frames that may be asked for by their short id; the oldest are forgotten."""

    keys: OrderedDict[ShortId, bytes] = field(default_factory=OrderedDict)  # messages, by their key in Space.FRAMES
    others: OrderedDict[ShortId, bytes] = field(default_factory=OrderedDict)
    others_bytes: int = 0

    def note_message(self, frame: ShortId, key: bytes) -> None:
        """Note where a message stands in the store."""
        self.keys[frame] = key
        while len(self.keys) > _KEYS_MAX:
            self.keys.popitem(last=False)

    def note_other(self, frame: ShortId, raw: bytes) -> None:
        """Keep a frame that stands nowhere in the store as it came."""
        if frame not in self.others:
            self.others[frame] = raw
            self.others_bytes += len(raw)
        while self.others_bytes > _OTHERS_BYTES_MAX:
            _, gone = self.others.popitem(last=False)
            self.others_bytes -= len(gone)
