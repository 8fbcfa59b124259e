"""Who has which post: five peers talk through every kind of trouble, and a twin that is only a list says what must be.

The twin knows who said what in which order, and nothing of keys, epochs or links: in the end everybody reads all of
it, once, each author's words in order. Of one whose home went back to an old copy it promises less (protocol.md §10):
nothing comes twice. Links are streams, as in the node: what is lost is what was under way when a link broke, what
comes late or twice is played again from a record of the wire.

It can fail: with a nonce that is not drawn (`SeededEntropy.draw(24)` giving zeros) it does at once.
"""

from contextlib import suppress
from copy import deepcopy

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from mesh.commands import Rank, Rekey
from mesh.errors import LocalError
from mesh.events import FrameReceived, LinkKind
from mesh.store.memory import MemoryStore
from simulations.checks import agree
from simulations.people import Person
from simulations.weather import Weather
from simulations.world import Crash, Crashed
from tests.properties.circles import NAMES, Wire, five, some

who = st.integers(0, len(NAMES) - 1)
skies = st.sampled_from((Weather(), Weather(loss=0.2), Weather(latency_ms=150, jitter_ms=200)))
HEALED_S = 90


class Talk(RuleBasedStateMachine):
    """Five peers, and the list of what was said."""

    @initialize(seed=st.integers(0, 50), weather=skies)
    def begin(self, seed: int, weather: Weather) -> None:
        self.world, self.gid, self.people = five(seed, weather)
        self.wire = Wire.of(self.world)
        self.said: list[tuple[str, str]] = []  # author, text
        self.unsure: set[str] = set()  # the machine stopped while it was asked: said, or not
        self.copies: dict[str, tuple[int, MemoryStore]] = {}
        self.went_back: set[str] = set()

    # ------------------------------------------------------------ people

    @rule(one=who)
    def says(self, one: int) -> None:
        person = self.people[one]
        text = f"{len(self.said)} by {person.name}"
        if person.node.up:
            self.said.append((person.name, text))
            try:
                person.post(self.gid, text)
            except Crashed:
                self.unsure.add(text)

    @rule(one=who)
    def rekeys(self, one: int) -> None:
        person = self.people[one]
        if person.node.up and person.name not in self.went_back:
            self.world.may_ask(person.name, Rekey(group=self.gid))

    @rule(one=st.integers(0, 1), other=st.integers(2, 4), rank=st.sampled_from((Rank.MODERATOR, Rank.MEMBER)))
    def ranks(self, one: int, other: int, rank: Rank) -> None:
        person, target = self.people[one], self.people[other]
        if person.node.up and target.node.up and person.name not in self.went_back:
            with suppress(LocalError, Crashed):
                person.rank(self.gid, target, rank)

    # ------------------------------------------------------------ trouble

    @rule(one=who, other=who)
    def cuts(self, one: int, other: int) -> None:
        if one != other:
            self.world.cut(NAMES[one], NAMES[other])

    @rule(one=who, other=who)
    def clogs(self, one: int, other: int) -> None:
        if one != other:
            self.world.clog(NAMES[one], NAMES[other])

    @rule(side=st.sets(who, min_size=1, max_size=2))
    def parts(self, side: set[int]) -> None:
        there = tuple(name for k, name in enumerate(NAMES) if k not in side)
        self.world.partition(tuple(NAMES[k] for k in sorted(side)), there)

    @rule(one=who, other=who)
    def drops_what_is_under_way(self, one: int, other: int) -> None:
        if one != other:
            self.world.flap(NAMES[one], NAMES[other])

    @rule()
    def heals(self) -> None:
        self.world.heal()

    @rule(one=who, power_cut=st.booleans())
    def stops(self, one: int, power_cut: bool) -> None:
        if self.people[one].node.up:
            self.people[one].off(power_cut=power_cut)

    @rule(one=who)
    def starts(self, one: int) -> None:
        if not self.people[one].node.up:
            self.people[one].on()

    @rule(one=who, commits=st.integers(1, 4), crash=st.sampled_from(Crash))
    def will_crash(self, one: int, commits: int, crash: Crash) -> None:
        node = self.people[one].node
        node.crash_at_commit, node.crash = node.commits + commits, crash

    @precondition(lambda self: self.wire.raw)
    @rule(one=who, which=st.integers(0, 10**6), count=st.integers(1, 8), back=st.booleans())
    def hears_again(self, one: int, which: int, count: int, back: bool) -> None:
        """Play what was sent some time ago again, in order or from the end, on whichever link stands."""
        node = self.people[one].node
        start = which % len(self.wire.raw)
        frames = self.wire.raw[start : start + count]
        for raw in reversed(frames) if back else frames:
            link = next(iter(node.links), None)
            if link is not None and node.up:
                self.world._give(node, FrameReceived(link=link, kind=LinkKind.FRAME, payload=raw))

    @rule(one=who)
    def keeps_a_copy(self, one: int) -> None:
        person = self.people[one]
        if person.node.up:
            self.copies[person.name] = person.group(self.gid).own.dseq, deepcopy(person.node.store)

    @rule(one=who)
    def goes_back_to_it(self, one: int) -> None:
        """The home is an old copy. One who changed the group since would contradict themselves."""
        person = self.people[one]
        dseq, store = self.copies.get(person.name, (-1, person.node.store))
        if person.node.up and person.group(self.gid).own.dseq == dseq:
            person.off()
            person.node.store = deepcopy(store)
            self.went_back.add(person.name)
            person.on()

    @rule(seconds=st.sampled_from((0.05, 0.5, 3.0, 20.0)))
    def time_passes(self, seconds: float) -> None:
        self.world.run(seconds)

    # ------------------------------------------------------------ what must hold

    def teardown(self) -> None:
        if not hasattr(self, "people"):
            return  # it never began
        for person in self.people:
            person.node.crash_at_commit = None
        self.world.heal()
        for person in self.people:
            if not person.node.up:
                person.on()
        self.world.run(HEALED_S)
        assert agree(self.gid, self.people) == []
        for person in self.people:
            self.reads_what_the_list_says(person)

    def reads_what_the_list_says(self, person: Person) -> None:
        reads = person.reads(self.gid)
        assert len(reads) == len(set(reads)), f"{person.name} reads something twice"
        assert {*reads} <= {text for _, text in self.said}, f"{person.name} reads what nobody said"
        for name in NAMES:
            words = [text for author, text in self.said if author == name]
            if name not in self.went_back:
                own = {text for text in self.people[NAMES.index(name)].reads(self.gid) if text in words}
                assert own >= {*words} - self.unsure, f"{name} lost words of their own"
                due = [text for text in words if text in own]
                assert [text for text in reads if text in words] == due, f"{person.name} does not read all of {name}"


Talk.TestCase.settings = settings(stateful_step_count=30, max_examples=some())
TestTalk = Talk.TestCase
