"""A circle comes to the same for everybody: five people go round while the group is cut in parts and nodes stop.

Each does what their own node lets them do, in the part of the group in which they happen to be: join, speak, pass, move
it on, close it, open another. The last of them runs a changed program, which posts while others speak. Meanwhile one is
removed, one leaves, and ranks change, so that who may move a circle on is not the same everywhere. When all hear all
again, everybody who is in sees the same circles, standing alike, and all that they said is there for all to read.

It can fail: with words in the order in which they came here (`seen_ms` for `ts_ms` in `_judged`) it does at once, and
so it does where what the removed one said later counts for whoever heard it (no `cut_of` there).
"""

from contextlib import suppress

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from mesh.commands import Rank, SetRank
from mesh.errors import LocalError
from mesh.node.local.protocol import JsonValue
from mesh.peer.circling import circles_of
from mesh.support.circles import Circle
from simulations.checks import agree, blamed
from simulations.rogues import heedless
from tests.node.local.test_messages import GROUP, call
from tests.node.local.test_methods import WorldDesk
from tests.properties.circles import NAMES, five, some

who = st.integers(0, len(NAMES) - 1)
acts = st.sampled_from(("join", "say", "say", "pass", "next", "next", "close", "open"))
HEALED_S = 90


class Circles(RuleBasedStateMachine):
    """Five peers, and what was said in their circles."""

    @initialize(seed=st.integers(0, 50))
    def begin(self, seed: int) -> None:
        self.world, self.gid, self.people = five(seed)
        for person in self.people:
            if person.group(self.gid).rank is Rank.NEWCOMER:
                self.people[0].rank(self.gid, person, Rank.MEMBER)
        self.world.run(5)
        self.desks = [WorldDesk(self.world, name) for name in NAMES]
        self.said: list[tuple[int, str]] = []  # who, what
        self.out: dict[int, None] = {}  # who was removed, or left
        self.world.programs[NAMES[4]] = heedless
        call(self.desks[2], "circle.open", group=GROUP, question="What helped?", turn_s=60, wait_s=1.0)
        self.world.run(2)
        for desk in (*self.desks[:2], self.desks[3]):
            call(desk, "circle.join", group=GROUP, wait_s=1.0)
        self.world.run(2)
        call(self.desks[2], "circle.next", group=GROUP, wait_s=1.0)

    @rule(one=who, act=acts)
    def acts_as_their_node_lets_them(self, one: int, act: str) -> None:
        if not self.people[one].node.up:
            return
        text = f"word {len(self.said)}"
        more: dict[str, dict[str, JsonValue]] = {"say": {"text": text}, "open": {"question": text}}
        with suppress(LocalError):
            call(self.desks[one], f"circle.{act}", group=GROUP, wait_s=0.0, **more.get(act, {}))
            self.said.extend([(one, text)] if act == "say" else [])

    @rule()
    def a_changed_program_posts_though_others_speak(self) -> None:
        if self.people[4].node.up:
            text = f"word {len(self.said)}"
            self.people[4].post(self.gid, text)
            self.said.append((4, text))

    @rule(act=acts, hears_on=st.sampled_from((1, 2, 4)))
    def the_founder_removes_one_who_goes_on_in_another_part(self, act: str, hears_on: int) -> None:
        if not self.people[0].node.up or 3 in self.out:
            return
        apart = {3, hears_on}
        self.parts(apart)
        self.people[0].remove(self.gid, self.people[0].key_of(self.gid, NAMES[3]))
        self.acts_as_their_node_lets_them(3, act)
        self.world.run(3)
        self.out[3] = None

    @rule()
    def one_leaves(self) -> None:
        if self.people[2].node.up and 2 not in self.out:
            self.out[2] = None
            self.people[2].leave(self.gid)

    @rule(one=st.sampled_from((1, 4)), rank=st.sampled_from((Rank.STEWARD, Rank.MODERATOR, Rank.MEMBER)))
    def the_founder_ranks_one(self, one: int, rank: Rank) -> None:
        if self.people[0].node.up:
            command = SetRank(group=self.gid, member=self.people[0].key_of(self.gid, NAMES[one]), rank=rank)
            self.world.may_ask(NAMES[0], command)

    @rule(side=st.sets(who, min_size=1, max_size=2))
    def parts(self, side: set[int]) -> None:
        there = tuple(name for k, name in enumerate(NAMES) if k not in side)
        self.world.partition(tuple(NAMES[k] for k in sorted(side)), there)

    @rule()
    def heals(self) -> None:
        self.world.heal()

    @rule(one=who, power_cut=st.booleans())
    def stops(self, one: int, power_cut: bool) -> None:
        if self.people[one].node.up and one < 3:
            self.people[one].off(power_cut=power_cut)

    @rule(one=who)
    def starts(self, one: int) -> None:
        if not self.people[one].node.up:
            self.people[one].on()

    @rule(seconds=st.sampled_from((0.05, 3.0, 20.0, 61.0)))
    def time_passes(self, seconds: float) -> None:
        self.world.run(seconds)

    def teardown(self) -> None:
        if not hasattr(self, "desks"):
            return  # it never began
        self.world.heal()
        for person in self.people:
            if not person.node.up:
                person.on()
        self.world.run(HEALED_S)
        there = [k for k in range(len(NAMES)) if k not in self.out]
        assert agree(self.gid, [self.people[k] for k in there]) == []
        assert blamed(self.world) == []
        first, *others = [self.circles(k) for k in there]
        for k, found in zip(there[1:], others, strict=True):
            assert found == first, f"{NAMES[k]} sees another circle than {NAMES[0]}"
        said = {text for one, text in self.said if one not in self.out}
        for k in there:
            assert said <= set(self.people[k].reads(self.gid)), f"{NAMES[k]} lacks what was said"

    def circles(self, one: int) -> list[Circle]:
        return circles_of(self.people[one].room(self.gid), self.desks[one].now().wall_ms)


Circles.TestCase.settings = settings(stateful_step_count=30, max_examples=some())
TestCircles = Circles.TestCase
