"""What waits to be written on one link: a bounded queue for each class, emptied in class order but never
unfairly.

A batch of up to 64 KiB is taken at a time, because one large write costs little more than one small one
(203,000 frames/s against 3,800, network.md §1). Higher classes go first. Each lower class with something to
say earns a small credit with every batch, and spends it before the rest is dealt out: deficit round robin
(Shreedhar and Varghese, SIGCOMM 1995), so that a flood of posts delays a catch-up and cannot stop it.

Only a push of MESSAGES may be left out when its queue is full: it is counted, and repair fetches the
message later. In any other class a full queue means that the peer does not keep up: `SlowReader` tells the
caller to end the link, and whoever has more than a queue holds (REPAIR, BULK) waits for `has_room` first.
"""

from collections import deque
from typing import Final

from mesh.errors import TransportError
from mesh.events import SendClass
from mesh.phrases import phrase

# network.md §2 says 64 KiB; what Yamux and Noise put around a batch must fit into one Noise message (65,535
# B).
BATCH_BYTES: Final = 63 * 1024
LOWER: Final = (SendClass.OPERATIONS, SendClass.MESSAGES, SendClass.REPAIR, SendClass.BULK)
SHARE: Final = 16  # each of them, while it waits, earns 1/16 of each batch; ours
# Bytes that may wait, by class. Ours: MESSAGES holds a burst of 2,000 posts at 600 B with room to spare.
QUEUE_BYTES_MAX: Final = {
    SendClass.CONTROL: 1024 * 1024,
    SendClass.OPERATIONS: 2 * 1024 * 1024,
    SendClass.MESSAGES: 2 * 1024 * 1024,
    SendClass.REPAIR: 1024 * 1024,
    SendClass.BULK: 1024 * 1024,
}


class SlowReader(TransportError):
    """That node does not read what it is sent. The link is closed; the next one repairs what is missing."""

    code = "E-SLOW-READER"


class Outbox:
    """The queues of one link. Frames are whole, encoded, and leave in order within their class."""

    def __init__(self) -> None:
        self._queues: dict[SendClass, deque[bytes]] = {send_class: deque() for send_class in SendClass}
        self._bytes = dict.fromkeys(SendClass, 0)
        self._credit = dict.fromkeys(SendClass, 0)
        self.skipped = 0
        self.sent_frames = 0
        self.sent_bytes = 0

    @property
    def queued_bytes(self) -> int:
        """How many bytes wait, in all classes."""
        return sum(self._bytes.values())

    def has_room(self, send_class: SendClass, frame_bytes: int) -> bool:
        """Say whether a frame of this length fits. An empty queue takes any, or it could never pass."""
        held = self._bytes[send_class]
        return held == 0 or held + frame_bytes <= QUEUE_BYTES_MAX[send_class]

    def push(self, send_class: SendClass, frame: bytes) -> bool:
        """Queue a frame. False: a MESSAGES frame was left out, counted. SlowReader if another class is full."""
        if not self.has_room(send_class, len(frame)):
            if send_class is SendClass.MESSAGES:
                self.skipped += 1
                return False
            raise SlowReader(
                phrase("a peer does not keep up with what it is sent ({kind})", kind=send_class.name.lower())
            )
        self._queues[send_class].append(frame)
        self._bytes[send_class] += len(frame)
        return True

    def take(self, bytes_max: int = BATCH_BYTES) -> bytes:
        """Take the next batch, empty if nothing waits: whole frames, `bytes_max` bytes or one longer frame."""
        batch: dict[SendClass, list[bytes]] = {send_class: [] for send_class in SendClass}
        room = bytes_max
        for send_class in LOWER:
            room -= self._spend_credit(send_class, batch[send_class], bytes_max // SHARE)
        first = True  # the head of the highest class always leaves, for it may be longer than a batch
        for send_class in SendClass:
            queue = self._queues[send_class]
            while queue and (first or len(queue[0]) <= room):
                room -= self._move(send_class, batch[send_class])
                first = False
            if queue:
                break
        return b"".join(frame for send_class in SendClass for frame in batch[send_class])

    def _spend_credit(self, send_class: SendClass, out: list[bytes], earned: int) -> int:
        """Move to `out` what this class has earned so far; return how many bytes that is."""
        queue, moved = self._queues[send_class], 0
        if queue:
            self._credit[send_class] += earned
        while queue and len(queue[0]) <= self._credit[send_class]:
            moved += self._move(send_class, out)
        return moved

    def _move(self, send_class: SendClass, out: list[bytes]) -> int:
        """Move the first frame of a class to `out`; return its length."""
        frame = self._queues[send_class].popleft()
        out.append(frame)
        length = len(frame)
        self._bytes[send_class] -= length
        # Whoever has nothing left to say saves up nothing for later.
        self._credit[send_class] = max(0, self._credit[send_class] - length) if self._queues[send_class] else 0
        self.sent_frames += 1
        self.sent_bytes += length
        return length
