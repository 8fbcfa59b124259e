"""Bots: programs of somebody's own that listen and answer in a simulated network, as they would beside a real node.

A bot is called for each post that comes up at its person's node, at that moment of virtual time, and may do whatever a
person may. It is told of a post once; what came up and was not told before its machine stopped, it is told when the
machine runs again. A real bot does the same by the local Api (docs/commands.md, `events` and `read --after`).
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from mesh.events import Effect, Input, Persist, Put, Space, Started
from mesh.groups.records import load
from mesh.ids import GroupId, PostId
from mesh.peer.records import MessageRecord
from mesh.support.posts import interpret
from mesh.wire.messages import Kind
from simulations.people import Person
from simulations.world import Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A post of somebody else: in which group, by whom (their alias; empty for one who is out by now), and its text."""

    group: GroupId
    post: PostId
    author: str
    text: str


@dataclass(slots=True)
class _Ears:
    person: Person
    then: Callable[[Heard], None]
    told: dict[tuple[GroupId, PostId], None] = field(default_factory=dict)
    waiting: list[tuple[GroupId, MessageRecord]] = field(default_factory=list)

    def step(self, node: Node, event: Input, effects: list[Effect]) -> None:
        """Look at one step of any node."""
        if node is not self.person.node:
            return
        before = len(self.waiting)
        for effect in effects:
            for write in effect.writes if isinstance(effect, Persist) else ():
                if isinstance(write, Put) and write.space is Space.MESSAGES:
                    self._comes_up(GroupId(write.key[:32]), load(MessageRecord, write.value))
        if self.waiting and (isinstance(event, Started) or len(self.waiting) > before):
            self.person.world.soon(node, self._tell)

    def _comes_up(self, gid: GroupId, record: MessageRecord) -> None:
        peer = self.person.node.peer
        room = None if peer is None else peer.state.rooms.get(gid)
        own = room is not None and record.member == room.group.own.member_pk
        name = gid, record.post
        if record.kind == Kind.POST and record.body and not own and name not in self.told:
            self.told[name] = None
            self.waiting.append((gid, record))

    def _tell(self) -> None:
        while self.waiting and self.person.node.up:
            gid, record = self.waiting.pop(0)
            member = self.person.group(gid).view.members.get(record.member)
            text = interpret(record.body).text
            alias = member.alias if member is not None else ""
            self.then(Heard(group=gid, post=record.post, author=alias, text=text))


def hears(person: Person, then: Callable[[Heard], None]) -> None:
    """Call a function for each post of others that comes up at somebody's node from now on.

    What the function raises comes out of `World.run`: a bot that does what it must not fails the test.
    """
    person.world.watchers.append(_Ears(person, then).step)
