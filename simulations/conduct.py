"""Conduct: what a node does, held against what it knows itself at that moment; a watcher beside the world.

`simulations/checks.py` compares what a node claims with what is so elsewhere. Here a node is its own witness: it seals
for nobody of whom it knows that they are out, shows nothing that came after its author's removal as it has it, and puts
no post of others further into its own future than the protocol lets it believe. Whoever misbehaves breaks rules by
their own design; only what keeps to the rules is watched.
"""

from dataclasses import dataclass, field

from mesh.events import Effect, Input, Persist, Put, Space
from mesh.groups.messaging import cut_of
from mesh.groups.records import load
from mesh.ids import DeviceId, GroupId
from mesh.peer.records import MessageRecord
from mesh.peer.state import Room
from mesh.wire import limits
from mesh.wire.frames import parse_frame, topic_of
from simulations.world import Node, World


@dataclass(slots=True)
class Conduct:
    """Watches a world. AssertionError, in the step where it happens."""

    world: World
    _authored: dict[tuple[GroupId, bytes], None] = field(default_factory=dict)  # what a device has sealed so far
    _latest: dict[tuple[str, GroupId], int] = field(default_factory=dict)  # the last place on a node's page, in ms

    @staticmethod
    def over(world: World) -> "Conduct":
        """Watch a world from its beginning."""
        conduct = Conduct(world)
        world.watchers.append(conduct.step)
        return conduct

    def step(self, node: Node, _event: Input, effects: list[Effect]) -> None:
        """Look at one step."""
        if node.peer is None or not effects or not isinstance(effects[0], Persist):
            return
        for write in effects[0].writes:
            if not isinstance(write, Put) or write.space not in (Space.FRAMES, Space.MESSAGES):
                continue
            room = node.peer.state.rooms.get(GroupId(write.key[:32]))
            if room is None:
                continue
            if write.space is Space.FRAMES:
                self._sealed(node, room, write)
            else:
                self._shown(node, room, load(MessageRecord, write.value))

    def _sealed(self, node: Node, room: Room, put: Put) -> None:
        """A message of our own goes to none of whom we know that they are out."""
        group = room.group
        name = group.gid, put.key
        if DeviceId(put.key[32:48]) != group.own.dev or name in self._authored or group.own.left:
            return
        self._authored[name] = None
        epoch = group.topics.get(topic_of(parse_frame(put.value).pk))
        if epoch is not None:
            out = group.recipients(epoch) - group.view.devices.keys() - {group.own.dev}
            assert not out, f"{node.name} speaks under a key of one who is out, and knows that they are"

    def _shown(self, node: Node, room: Room, record: MessageRecord) -> None:
        """What others said stands no later than our clock lets us believe, or right after what is on the page."""
        gid = room.group.gid
        before = self._latest.get((node.name, gid), 0)
        self._latest[node.name, gid] = max(before, record.at_ms)
        if record.dev == room.group.own.dev:
            return
        believed = self.world.instant(node).wall_ms + limits.CLOCK_AHEAD_MS_MAX
        assert record.at_ms <= max(believed, before + 1), f"{node.name} puts a post into the future"
        late = record.mseq > cut_of(room.group, record.dev)
        assert not late, f"{node.name} shows what was said after its author's removal, and knows of that"
