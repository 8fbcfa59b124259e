"""Returns: what a node that was down pays to have what was said meanwhile.

A return begins when a node's process starts again, and ends with the last message frame that is new to it and had gone
out before. Counted until then: all bytes that came, and round trips, each on one link: something went out, came to the
other end, that end then sent something, and this came here. The busiest link's count; acknowledgements are among them,
so it is an upper bound of what asking took.
"""

from dataclasses import dataclass, field
from enum import Enum

from simulations.world import Node


class _Leg(Enum):
    """Where a round trip on a link is."""

    HERE = "here"
    OUT = "out"  # it went out
    THERE = "there"  # the other end has it
    BACK = "back"  # the other end has sent something since


@dataclass(frozen=True, slots=True)
class Return:
    """What one return took: so many message frames were missed, and after `took_ms` the last of them was here."""

    who: str
    at_ms: int
    took_ms: int
    missed: int
    bytes: int
    round_trips: int


@dataclass(slots=True)
class _Open:
    """A return on its way; `last`: what is counted with the newest of what was missed."""

    who: str
    at_ms: int
    bytes: int = 0
    legs: dict[str, _Leg] = field(default_factory=dict)
    trips: dict[str, int] = field(default_factory=dict)
    missed: int = 0
    last: Return | None = None


@dataclass(slots=True)
class Returns:
    """All returns of a world, told of each start and each frame."""

    done: list[Return] = field(default_factory=list)
    starts_ms: dict[str, list[int]] = field(default_factory=dict)  # node → when its process started, but the first time
    _open: dict[str, _Open] = field(default_factory=dict)

    def starts(self, node: Node, now_ms: int) -> None:
        """Learn that a process starts; its first start is no return."""
        if node.generation > 1:
            self._close(node.name)
            self.starts_ms.setdefault(node.name, []).append(now_ms)
            self._open[node.name] = _Open(node.name, now_ms)

    def goes(self, one: str, other: str) -> None:
        """Learn that a frame goes out from one to the other."""
        if (back := self._open.get(one)) is not None and back.legs.get(other, _Leg.HERE) is _Leg.HERE:
            back.legs[other] = _Leg.OUT
        if (theirs := self._open.get(other)) is not None and theirs.legs.get(one) is _Leg.THERE:
            theirs.legs[one] = _Leg.BACK

    def comes(self, one: str, far: str, size: int) -> None:
        """Learn that a frame of so many bytes came to one from far."""
        if (theirs := self._open.get(far)) is not None and theirs.legs.get(one) is _Leg.OUT:
            theirs.legs[one] = _Leg.THERE
        if (back := self._open.get(one)) is not None:
            back.bytes += size
            if back.legs.get(far) is _Leg.BACK:
                back.legs[far] = _Leg.HERE
                back.trips[far] = back.trips.get(far, 0) + 1

    def gets(self, one: str, born_ms: int, now_ms: int) -> None:
        """Learn that a message that first went out at `born_ms` is new to one."""
        back = self._open.get(one)
        if back is None or born_ms >= back.at_ms:
            return
        back.missed += 1
        trips = max(back.trips.values(), default=0)
        back.last = Return(one, back.at_ms, now_ms - back.at_ms, back.missed, back.bytes, trips)

    def ended(self) -> list[Return]:
        """Give every return that missed something, in the order of time."""
        for name in list(self._open):
            self._close(name)
        return sorted(self.done, key=lambda one: (one.at_ms, one.who))

    def _close(self, name: str) -> None:
        back = self._open.pop(name, None)
        if back is not None and back.last is not None:
            self.done.append(back.last)
