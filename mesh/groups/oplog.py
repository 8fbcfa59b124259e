"""The log of a group: its operations, beside the graph that says who comes before whom."""

from collections.abc import Iterable, Iterator

from mesh.groups.operations import Operation, act_of, card_device
from mesh.ids import DeviceId, OpId
from mesh.membership.graph import Graph, bits
from mesh.wire import limits
from mesh.wire.operations import Card


class OpLog:
    """Operations of one group in an order in which each follows its deps."""

    def __init__(self) -> None:
        self.ops: list[Operation] = []
        self.graph = Graph()
        self._places: dict[OpId, int] = {}
        self._cards: dict[DeviceId, Card] = {}

    def __contains__(self, op_id: OpId) -> bool:
        return op_id in self._places

    def __len__(self) -> int:
        return len(self.ops)

    # ------------------------------------------------------------ questions

    @property
    def everything(self) -> int:
        """The mask of all operations."""
        return self.graph.everything

    @property
    def heads(self) -> list[OpId]:
        """The operations that no other one here builds on, sorted."""
        return self.graph.heads

    def heads_over(self, needed: Iterable[OpId], count_max: int = limits.DEPS_MAX) -> list[OpId]:
        """Return at most `count_max` heads, sorted, whose past holds all of `needed`: see `Graph.heads_over`."""
        return self.graph.heads_over(needed, count_max)

    def get(self, op_id: OpId) -> Operation | None:
        """Return the operation, or None."""
        place = self._places.get(op_id)
        return None if place is None else self.ops[place]

    def operation(self, op_id: OpId) -> Operation:
        """Return an operation that is here."""
        return self.ops[self._places[op_id]]

    def closure(self, heads: Iterable[OpId]) -> int | None:
        """Return the mask of these operations and all their ancestors, or None if one is unknown."""
        return self.graph.closure(heads)

    def past(self, op_id: OpId) -> int:
        """Return the mask of an operation's strict ancestors."""
        return self.graph.past(op_id)

    def bit(self, op_id: OpId) -> int:
        """Return the mask of this one operation."""
        return self.graph.bit(op_id)

    def card(self, dev: DeviceId) -> Card | None:
        """Return the keys behind a device id, whoever brought it in.

        Two members may admit the same joiner at once; then either of the two operations will do. Their cards can
        differ in the KEM key alone, for the device id is a hash of the other two.
        """
        return self._cards.get(dev)

    def within(self, mask: int) -> Iterator[Operation]:
        """Return the operations of a mask, deps first."""
        return (self.ops[k] for k in bits(mask))

    def missing(self, op: Operation) -> list[OpId]:
        """Return those deps that are not here."""
        return self.graph.missing(op.tbs.deps)

    # ------------------------------------------------------------ changes

    def push(self, op: Operation) -> None:
        """Append an operation whose deps are all here; RemoteError if its place in the graph is wrong.

        What its author may do is not asked here. Nothing has changed after an error.
        """
        self.graph.push(act_of(op))
        self._places[op.op_id] = len(self.ops)
        self.ops.append(op)
        if op.card is not None:
            self._cards.setdefault(card_device(op.card), op.card)

    def pop(self) -> None:
        """Take the operation that was pushed last back out (it was found to be invalid)."""
        self.graph.pop()
        op = self.ops.pop()
        del self._places[op.op_id]
        if op.card is not None and self.graph.owner(card_device(op.card)) is None:
            del self._cards[card_device(op.card)]
