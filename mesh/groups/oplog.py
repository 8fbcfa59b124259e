"""The log of a group: a causal graph of operations, held so that "is an ancestor of" is one bit test.

Each operation gets the next free index; its ancestors are an int with one bit for each index. A *mask* is such an
int for a downward-closed set: the past of an operation, or all that is known. A group of hundreds of operations costs
some tens of kilobytes this way, and every view that the rules ask about has a number that can be a cache key.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache

from mesh.errors import Fault, RemoteError
from mesh.groups.operations import Operation, card_device
from mesh.ids import DeviceId, OpId
from mesh.wire.operations import Card


class OpLog:
    """Operations of one group in an order in which each follows its deps."""

    def __init__(self) -> None:
        self.ops: list[Operation] = []
        self._index: dict[OpId, int] = {}
        self._past: list[int] = []  # strict ancestors
        self._heads = 0
        self._cards: dict[DeviceId, Card] = {}
        self._brought: dict[DeviceId, int] = {}  # index of the operation that brought a device in

    def __contains__(self, op_id: OpId) -> bool:
        return op_id in self._index

    def __len__(self) -> int:
        return len(self.ops)

    @property
    def everything(self) -> int:
        """The mask of all operations."""
        return (1 << len(self.ops)) - 1

    @property
    def heads(self) -> list[OpId]:
        """The operations that no other one here builds on, sorted."""
        return sorted(self.ops[k].op_id for k in bits(self._heads))

    def get(self, op_id: OpId) -> Operation | None:
        """Return the operation, or None."""
        index = self._index.get(op_id)
        return None if index is None else self.ops[index]

    def bit(self, op_id: OpId) -> int:
        """Return the mask of this one operation."""
        return 1 << self._index[op_id]

    def past(self, op_id: OpId) -> int:
        """Return the mask of its strict ancestors."""
        return self._past[self._index[op_id]]

    def closure(self, heads: Iterable[OpId]) -> int | None:
        """Return the mask of these operations and all their ancestors, or None if one is unknown."""
        mask = 0
        for op_id in heads:
            index = self._index.get(op_id)
            if index is None:
                return None
            mask |= self._past[index] | (1 << index)
        return mask

    def card(self, dev: DeviceId) -> Card | None:
        """Return the keys behind a device id, whoever brought it in."""
        return self._cards.get(dev)

    def card_in(self, dev: DeviceId, mask: int) -> Card | None:
        """Return the keys of a device that an operation in this mask brought in."""
        index = self._brought.get(dev)
        return self._cards[dev] if index is not None and mask >> index & 1 else None

    def within(self, mask: int) -> Iterator[Operation]:
        """Return the operations of a mask, deps first."""
        return (self.ops[k] for k in bits(mask))

    def missing(self, op: Operation) -> list[OpId]:
        """Return those deps that are not here."""
        return [dep for dep in op.tbs.deps if dep not in self._index]

    def push(self, op: Operation) -> None:
        """Append an operation whose deps are all here; RemoteError if its graph fields are wrong."""
        deps = [self._index[dep] for dep in op.tbs.deps]
        past = 0
        for k in deps:
            past |= self._past[k] | (1 << k)
        gen = 1 + max((self.ops[k].tbs.gen for k in deps), default=0)
        if op.tbs.gen != gen or bool(deps) == (not self.ops):
            raise RemoteError(Fault.AGAINST_RULES, "an operation's place in the graph is wrong")
        for k in deps:
            if any(self._past[other] >> k & 1 for other in deps):
                raise RemoteError(Fault.AGAINST_RULES, "an operation lists a dep twice over")
        index = len(self.ops)
        self.ops.append(op)
        self._index[op.op_id] = index
        self._past.append(past)
        self._heads = (self._heads & ~past) | (1 << index)
        card = op.card
        if card is not None and card_device(card) not in self._cards:
            self._cards[card_device(card)] = card
            self._brought[card_device(card)] = index

    def pop(self) -> None:
        """Take the last operation back out (it was found to be invalid)."""
        op = self.ops.pop()
        index = self._index.pop(op.op_id)
        past = self._past.pop()
        self._heads = 0
        for k in range(index):
            if not any(self._past[other] >> k & 1 for other in range(k + 1, index)):
                self._heads |= 1 << k
        assert past < 1 << index
        for dev, brought in list(self._brought.items()):
            if brought == index:
                del self._brought[dev], self._cards[dev]


@lru_cache(maxsize=1024)
def _bit_list(mask: int) -> tuple[int, ...]:
    return tuple(k for k in range(mask.bit_length()) if mask >> k & 1)


def bits(mask: int) -> tuple[int, ...]:
    """Return the indices of the set bits, lowest first."""
    return _bit_list(mask)
