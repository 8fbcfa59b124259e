"""A circle of five real peers at the start of each example, and a record of all that goes over the wire.

The circle comes together once, in a world of its own; every example gets copies of the five disks and starts the
machines anew, so that it begins where the interesting things do.
"""

from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache

from hypothesis import settings

from mesh.commands import Rank
from mesh.events import Effect, Input, LinkKind, Send, SendStored
from mesh.ids import FrameId, GroupId
from mesh.secret import Secret
from mesh.store.memory import MemoryStore
from mesh.wire.frames import Frame, FrameType, parse_frame
from simulations.people import Person, circle
from simulations.weather import Weather
from simulations.world import Node, World

NAMES = ("wren", "juniper", "sorrel", "tansy", "alder")
BASE_SEED = 77  # no example's seed: entropy is drawn from the world's seed and the number of starts


def some() -> int:
    """Return how many examples a machine of whole worlds gets: each takes half a second, so fewer than others."""
    return max(1, settings().max_examples // 4)


@cache
def _base() -> tuple[GroupId, dict[str, tuple[MemoryStore, Secret]]]:
    world = World(BASE_SEED)
    gid, people = circle(world, *NAMES)
    founder, second, *_ = people
    founder.rank(gid, second, Rank.STEWARD)
    world.run(60)
    for person in people:
        person.off()
    return gid, {person.name: (person.node.store, person.member_seeds[gid]) for person in people}


def five(seed: int, weather: Weather | None = None) -> tuple[World, GroupId, list[Person]]:
    """Return the circle in a world of its own: wren founded it, juniper is a steward; all are up and linked."""
    gid, kept = _base()
    world = World(seed, weather)
    people = [Person(world, name) for name in NAMES]
    for person in people:
        person.off()
        store, person.member_seeds[gid] = kept[person.name]
        person.node.store = deepcopy(store)
        person.on()
    linked = world.run_until(lambda: all(len(person.node.links) == len(people) - 1 for person in people), 60)
    assert linked, "the circle does not come together"
    world.run(5)
    return world, gid, people


@dataclass(slots=True)
class Wire:
    """All that anybody ever sent. AssertionError in the step where a nonce comes twice under one key.

    A message's key is one of its epoch's, so what is asked is more: that no nonce comes twice in two frames of one
    publish key. A session's key is that of a tag on one direction of a link.
    """

    frames: dict[FrameId, Frame] = field(default_factory=dict)
    raw: list[bytes] = field(default_factory=list)  # frames of the group's topics, as they went out first
    _sealed: dict[tuple[bytes, bytes], bytes] = field(default_factory=dict)

    @staticmethod
    def of(world: World) -> "Wire":
        """Listen from now on."""
        wire = Wire()
        world.watchers.append(wire.step)
        return wire

    def step(self, node: Node, event: Input, effects: list[Effect]) -> None:
        """Look at one step."""
        for effect in effects:
            if isinstance(effect, SendStored):
                for key in effect.keys:
                    value = node.store.get(effect.space, key)
                    assert value is not None, "a frame is offered that is not stored"
                    self._frame(value)
            elif isinstance(effect, Send) and effect.kind is LinkKind.FRAME:
                self._frame(effect.payload)
            elif isinstance(effect, Send) and effect.kind is LinkKind.SEALED:
                tag, nonce = effect.payload[:8], effect.payload[8:32]
                key = b"%d/%s/" % (effect.link, node.name.encode()) + tag
                assert (key, nonce) not in self._sealed, "a session seals two things under one nonce"
                self._sealed[key, nonce] = effect.payload

    def _frame(self, raw: bytes) -> None:
        frame = parse_frame(raw)
        if frame.id in self.frames:
            return
        self.frames[frame.id] = frame
        if frame.type not in (FrameType.MESSAGE, FrameType.OPERATION):
            return
        self.raw.append(raw)
        core = self._sealed.setdefault((frame.pk, frame.middle[:24]), frame.core)
        assert core == frame.core, "a nonce comes twice under one key"
