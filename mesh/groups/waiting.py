"""Operations that came before what they build on, and wait for it: bounded in number and in bytes.

One that waits has not been checked, so two with the same id and different signatures can both be here: whoever sends a
forged one first must not keep the true one out. When it is full the oldest goes; syncing brings it again.
"""

from collections import OrderedDict

from mesh.groups.operations import Operation
from mesh.groups.oplog import OpLog
from mesh.wire import limits

Wraps = tuple[bytes, ...]


class Waiting:
    """Operations of one group that wait, in the order in which they came."""

    def __init__(self) -> None:
        self._held: OrderedDict[bytes, tuple[Operation, Wraps]] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._held)

    @property
    def held_bytes(self) -> int:
        """What they take, in bytes."""
        return self._bytes

    def add(self, op: Operation, wraps: Wraps) -> None:
        """Let an operation wait, with the wraps that came with it."""
        key = op.op_id + op.signed.sig
        known = self._held.get(key)
        if known is not None and len(known[1]) >= len(wraps):
            return
        if known is not None:
            self._forget(key)
        self._held[key] = op, wraps
        self._bytes += _weight(op, wraps)
        while len(self._held) > limits.PENDING_OPS_MAX or self._bytes > limits.PENDING_OPS_BYTES_MAX:
            self._forget(next(iter(self._held)))

    def take_ready(self, log: OpLog) -> list[tuple[Operation, Wraps]]:
        """Return those that lack nothing any more, and let them go."""
        ready = [key for key, (op, _) in self._held.items() if not log.missing(op)]
        return [self._forget(key) for key in ready]

    def _forget(self, key: bytes) -> tuple[Operation, Wraps]:
        op, wraps = self._held.pop(key)
        self._bytes -= _weight(op, wraps)
        return op, wraps


def _weight(op: Operation, wraps: Wraps) -> int:
    return len(op.signed.tbs) + sum(map(len, wraps))
