"""Who can open what: five peers talk, re-key, part and go, stores are copied, and a twin without keys says for whom.

The twin keeps names where the machine keeps keys: which devices an epoch lists, by which number of KEM key each was
given it, and what each node had taken in when its store was copied. From that follows, with no cryptography, what the
copy may open (`Ledger.by_ratchets`, `Ledger.by_wraps`); a thief who holds it tries every key on everything that was on
the wire, and must open exactly that. So forward secrecy, recovery after a theft and the shutting out of those who are
known to be gone are one comparison. The evening adds that the keys of the day do go: after everybody re-keyed and
spoke, no copy from the day opens what is said next, and no store holds what opens the day.

It can fail: it does if a ratchet keeps the keys that it gave (`Chain.take`), if `choose_epoch` does not ask for usable
epochs (as in `tests/attacks/defences/21.patch`), and if nothing is ever forgotten (`forget_keys`).
"""

from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from mesh.commands import Rank, Rekey
from mesh.errors import LocalError
from mesh.events import Effect, Input, Persist, Put, Space
from mesh.groups.group import Group
from mesh.groups.receiving import unpack_wraps
from mesh.ids import DeviceId, FrameId, GroupId, OpId
from mesh.store.memory import MemoryStore
from mesh.wire.frames import Frame, parse_frame, topic_of
from mesh.wire.operations import epoch_block
from simulations.people import Person
from simulations.world import Node, World
from tests.properties.circles import NAMES, Wire, five, some
from tests.properties.thief import Recorded, Thief

HOUR_MS = 3_600_000
who = st.integers(0, len(NAMES) - 1)


@dataclass(frozen=True, slots=True)
class Copy:
    """A store that was copied: whose, and what that device had taken in by then (a power cut may take some back)."""

    thief: Thief
    dev: DeviceId
    taken_in: frozenset[FrameId]


@dataclass(slots=True)
class Ledger:
    """The twin: names of devices, epochs and messages, numbers of KEM keys, and no key."""

    world: World
    gid: GroupId
    epoch_of: dict[FrameId, OpId] = field(default_factory=dict)  # of messages
    author: dict[FrameId, str] = field(default_factory=dict)
    listed: dict[OpId, frozenset[DeviceId]] = field(default_factory=dict)
    given_by: dict[OpId, dict[DeviceId, int]] = field(default_factory=dict)  # number of the KEM key it was sealed to
    frames: dict[FrameId, Frame] = field(default_factory=dict)
    recorded: dict[OpId, Recorded] = field(default_factory=dict)  # for the thief alone

    def step(self, node: Node, event: Input, effects: list[Effect]) -> None:
        """Note what a node seals, takes in, and makes new."""
        if not effects or not isinstance(effects[0], Persist) or node.peer is None:
            return
        room = node.peer.state.rooms.get(self.gid)
        for write in effects[0].writes:
            if room is not None and isinstance(write, Put) and write.key.startswith(self.gid):
                if write.space is Space.FRAMES:
                    self._message(node, room.group, DeviceId(write.key[32:48]), parse_frame(write.value))
                elif write.space is Space.WRAPS:
                    self._epoch(room.group, OpId(write.key[32:]), write.value)

    def _message(self, node: Node, group: Group, dev: DeviceId, frame: Frame) -> None:
        if dev == group.own.dev:
            epoch = group.topics[topic_of(frame.pk)]
            self.frames[frame.id], self.epoch_of[frame.id], self.author[frame.id] = frame, epoch, node.name
            self.listed[epoch] = group.recipients(epoch)
            assert self.listed[epoch] <= set(group.view.devices), f"{node.name} seals for one who is known to be out"

    def _epoch(self, group: Group, epoch: OpId, wraps: bytes) -> None:
        op = group.log.operation(epoch)
        block = epoch_block(op.body)
        if op.tbs.dev != group.own.dev or block is None:
            return
        self.recorded[epoch] = Recorded(op=op, block=block, wraps=tuple(unpack_wraps(wraps)))
        numbers = {dev: group.kem_of[dev][0] for dev in block.recipients}
        self.given_by[epoch] = numbers | {op.tbs.dev: block.kem_number - 1}  # its author's own new key came with it

    def by_ratchets(self, copy: Copy) -> set[FrameId]:
        """Say what the ratchets in a copy may open: what that device had not taken in yet, under epochs it held."""
        return {
            message
            for message, epoch in self.epoch_of.items()
            if epoch in copy.thief.epochs and copy.dev in self.listed[epoch] and message not in copy.taken_in
        }

    def by_wraps(self, copy: Copy) -> set[FrameId]:
        """Say what recorded wraps may open: what was said under epochs that were given to a KEM key in the copy."""
        return {
            message
            for message, epoch in self.epoch_of.items()
            if self.given_by.get(epoch, {}).get(copy.dev, -1) in copy.thief.numbers
        }


class Secrecy(RuleBasedStateMachine):
    """Five peers, the twin, and thieves."""

    @initialize(seed=st.integers(0, 50))
    def begin(self, seed: int) -> None:
        self.world, self.gid, self.people = five(seed)
        Wire.of(self.world)
        self.ledger = Ledger(self.world, self.gid)
        self.world.watchers.append(self.ledger.step)
        self.copies: list[Copy] = []
        self.count = 0
        self.world.ask("wren", Rekey(group=self.gid))
        self.world.run(5)

    def is_in(self, person: Person) -> bool:
        return person.node.up and person.group(self.gid).me is not None and not person.group(self.gid).own.left

    # ------------------------------------------------------------ what happens

    @rule(one=who)
    def says(self, one: int) -> None:
        if self.is_in(self.people[one]):
            self.count += 1
            self.people[one].post(self.gid, f"{self.count}")

    @rule(one=who)
    def rekeys(self, one: int) -> None:
        if self.people[one].node.up:
            self.world.may_ask(NAMES[one], Rekey(group=self.gid))

    @rule(one=st.integers(0, 1), other=st.integers(1, 4))
    def removes(self, one: int, other: int) -> None:
        person, target = self.people[one], self.people[other]
        if one != other and person.node.up:
            with suppress(LocalError, StopIteration):
                person.remove(self.gid, person.key_of(self.gid, target.name))

    @rule(one=st.integers(0, 1), other=st.integers(2, 4), rank=st.sampled_from((Rank.STEWARD, Rank.MEMBER)))
    def ranks(self, one: int, other: int, rank: Rank) -> None:
        person, target = self.people[one], self.people[other]
        if person.node.up and target.node.up:
            with suppress(LocalError):
                person.rank(self.gid, target, rank)

    @rule(one=st.integers(2, 4))
    def leaves(self, one: int) -> None:
        if self.is_in(self.people[one]):
            with suppress(LocalError):
                self.people[one].leave(self.gid)

    @rule(side=st.sets(who, min_size=1, max_size=2))
    def parts(self, side: set[int]) -> None:
        there = tuple(name for k, name in enumerate(NAMES) if k not in side)
        self.world.partition(tuple(NAMES[k] for k in sorted(side)), there)

    @rule(one=who, other=who)
    def clogs(self, one: int, other: int) -> None:
        if one != other:
            self.world.clog(NAMES[one], NAMES[other])

    @rule()
    def heals(self) -> None:
        self.world.heal()

    @rule(one=who, power_cut=st.booleans())
    def starts_again(self, one: int, power_cut: bool) -> None:
        if self.people[one].node.up:
            self.people[one].off(power_cut=power_cut)
        self.people[one].on()

    @rule(one=who)
    def stops(self, one: int) -> None:
        if self.people[one].node.up:
            self.people[one].off()

    @rule(seconds=st.sampled_from((0.05, 3.0, 30.0)), hours=st.sampled_from((0, 0, 13)))
    def time_passes(self, seconds: float, hours: int) -> None:
        for person in self.people:
            person.node.skew_ms += hours * HOUR_MS
        self.world.run(seconds)

    @rule(one=who)
    def is_copied(self, one: int) -> None:
        self.copies.append(self.copy_of(self.people[one]))

    def copy_of(self, person: Person) -> Copy:
        store: MemoryStore = deepcopy(person.node.store)
        thief = Thief(store, self.gid)
        taken_in = frozenset(parse_frame(value).id for _, value in store.scan(Space.FRAMES, self.gid))
        return Copy(thief, thief.own.dev, taken_in)

    # ------------------------------------------------------------ what must hold

    def compare(self, copy: Copy) -> None:
        frames = self.ledger.frames.values()
        assert copy.thief.opens_with_ratchets(frames) == self.ledger.by_ratchets(copy)
        assert copy.thief.opens_with_wraps(frames, self.ledger.recorded.values()) == self.ledger.by_wraps(copy)

    def teardown(self) -> None:
        if not hasattr(self, "people"):
            return  # it never began
        for copy in self.copies:
            self.compare(copy)
        self.world.heal()
        for person in self.people:
            if not person.node.up:
                person.on()
        self.world.run(60)
        members = self.people[0].group(self.gid).view.members
        there = [person for person in self.people if self.is_in(person) and person.member(self.gid) in members]
        if len(there) > 1:
            self.evening(there)
        for copy in self.copies:
            self.compare(copy)

    def evening(self, there: list[Person]) -> None:
        """Everybody renews their keys and is heard by all: the day can be opened no more, nor the night by the day."""
        day = [*self.ledger.frames.values()]
        for _ in range(2):
            for person in there:
                self.world.ask(person.name, Rekey(group=self.gid))
                self.world.run(5)
            for person in there:
                person.post(self.gid, "good night")
            self.world.run(60)
        night_began = len(self.ledger.frames)
        for person in there:
            person.post(self.gid, "sleep well")
        self.world.run(10)
        # One who was removed and has not heard of it goes on among old keys: that is no part of this night.
        names = [person.name for person in there]
        frames = [*self.ledger.frames.values()][night_began:]
        night = [frame for frame in frames if self.ledger.author[frame.id] in names]
        assert len(night) >= len(there)
        epochs = self.ledger.recorded.values()
        for copy in self.copies:
            assert not copy.thief.opens_with_ratchets(night) | copy.thief.opens_with_wraps(night, epochs)
        for person in there:
            thief = self.copy_of(person).thief
            assert not thief.opens_with_ratchets(day) | thief.opens_with_wraps(day, epochs), f"{person.name} keeps keys"


Secrecy.TestCase.settings = settings(stateful_step_count=25, max_examples=some())
TestSecrecy = Secrecy.TestCase
