"""What members state comes to the same for everybody: five peers flag and pin while the group is cut in parts.

People are removed and given other ranks meanwhile, nodes stop and start, one changed program pins without the right.
When all hear all again, everybody who is in sees the same flags, the same pins, the same agreement and who has said yes
to it, and a twin that knows only who said what last says which flags these are.

It can fail: with words in the order in which they came here (`seen_ms` for `ts_ms` in `_judged`) it does at once.
"""

from contextlib import suppress

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from mesh.commands import Rank
from mesh.errors import LocalError
from mesh.wire.codec import encode
from mesh.wire.messages import Kind, StatementBody
from mesh.wire.statements import Form, PinValue
from simulations.checks import agree
from simulations.people import Person
from tests.peer.forgery import Forger
from tests.properties.circles import NAMES, five, some

who = st.integers(0, len(NAMES) - 1)
what = st.integers(0, 1)
HEALED_S = 90


class Support(RuleBasedStateMachine):
    """Five peers, two posts of wren's, and a list of who flagged what last."""

    @initialize(seed=st.integers(0, 50))
    def begin(self, seed: int) -> None:
        self.world, self.gid, self.people = five(seed)
        for person in self.people:
            if person.group(self.gid).rank is Rank.NEWCOMER:
                self.people[0].rank(self.gid, person, Rank.MEMBER)
        self.people[0].rank(self.gid, self.people[2], Rank.MODERATOR)
        self.posts = [self.people[0].post(self.gid, f"post {k}") for k in range(2)]
        self.world.run(5)
        self.flags: dict[tuple[str, int], bool] = {}
        self.removed: set[str] = set()

    @rule(one=st.integers(1, 4), post=what, holds=st.booleans())
    def flags_a_post(self, one: int, post: int, holds: bool) -> None:
        person = self.people[one]
        if person.node.up and person.name not in self.removed:
            person.flag(self.gid, self.posts[post], holds=holds)
            self.flags[person.name, post] = holds

    @rule(one=st.integers(0, 2), post=what, holds=st.booleans())
    def pins_a_post(self, one: int, post: int, holds: bool) -> None:
        person = self.people[one]
        if person.node.up:
            with suppress(LocalError):
                person.pin(self.gid, self.posts[post], holds=holds)

    @rule(one=st.integers(0, 2), other=st.integers(1, 4), for_s=st.sampled_from((60, 3600)))
    def asks_to_be_quiet(self, one: int, other: int, for_s: int) -> None:
        if self.people[one].node.up:
            with suppress(LocalError, StopIteration):
                self.people[one].asks_to_be_quiet(self.gid, NAMES[other], for_s)

    @rule(one=st.integers(0, 2))
    def ends_a_quiet(self, one: int) -> None:
        person = self.people[one]
        if person.node.up:
            for quiet in person.quiets(self.gid)[-1:]:
                with suppress(LocalError):
                    person.ends_quiet(self.gid, quiet.id)

    @rule(one=st.integers(1, 4))
    def says_something(self, one: int) -> None:
        if self.people[one].node.up:
            with suppress(LocalError):
                self.people[one].post(self.gid, "something")

    @rule(other=st.integers(0, 3), post=what)
    def pins_without_the_right(self, other: int, post: int) -> None:
        """Alder's program is changed."""
        alder, victim = self.people[4], self.people[other]
        linked = any(name == victim.name for name, _ in alder.node.links.values()) if alder.node.up else False
        if linked and victim.node.up and alder.group(self.gid).epoch is not None:
            value = encode(PinValue(holds=True))
            body = encode(StatementBody(form=Form.PIN, subject=self.posts[post], lasts_s=0, value=value))
            forger = Forger(alder, self.gid)
            ts_ms = self.world.instant(alder.node).wall_ms
            with suppress(AssertionError):  # no frames pass a cut
                forger.hands(victim, forger.message(Kind.STATEMENT, body, ts_ms=ts_ms))

    @rule(one=st.integers(0, 1), text=st.sampled_from(("Be kind.", "Be kinder.", "Be kindest.")))
    def writes_the_agreement(self, one: int, text: str) -> None:
        if self.people[one].node.up:
            with suppress(LocalError):
                self.people[one].edit_agreement(self.gid, text)

    @rule(one=who)
    def says_yes(self, one: int) -> None:
        person = self.people[one]
        if person.node.up and person.name not in self.removed:
            with suppress(LocalError):
                person.says_yes(self.gid)

    @rule(one=st.integers(0, 1), other=st.integers(2, 3), rank=st.sampled_from((Rank.MODERATOR, Rank.MEMBER)))
    def ranks(self, one: int, other: int, rank: Rank) -> None:
        if self.people[one].node.up and self.people[other].node.up:
            with suppress(LocalError):
                self.people[one].rank(self.gid, self.people[other], rank)

    @rule(one=st.integers(0, 1), other=st.integers(3, 4))
    def removes(self, one: int, other: int) -> None:
        if self.people[one].node.up and len(self.removed) == 0:
            with suppress(LocalError):
                self.people[one].remove(self.gid, self.people[other].member(self.gid))
                self.removed.add(NAMES[other])

    @rule(one=st.integers(0, 2), other=st.integers(0, 2), post=what, holds=st.booleans())
    def pins_and_is_answered_across_a_cut(self, one: int, other: int, post: int, holds: bool) -> None:
        """Two cannot hear each other, and the later one says the contrary of what the earlier one said."""
        if one != other:
            self.world.partition((NAMES[one],), tuple(name for k, name in enumerate(NAMES) if k != one))
            self.pins_a_post(one, post, holds)
            self.world.run(3)
            self.pins_a_post(other, post, not holds)
            self.world.run(3)

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

    @rule(seconds=st.sampled_from((0.05, 0.5, 3.0, 20.0)))
    def time_passes(self, seconds: float) -> None:
        self.world.run(seconds)

    def teardown(self) -> None:
        if not hasattr(self, "people"):
            return  # it never began
        self.world.heal()
        for person in self.people:
            if not person.node.up:
                person.on()
        self.world.run(HEALED_S)
        honest = [person for person in self.people if person.name not in self.removed]
        assert agree(self.gid, honest) == []
        held: dict[bytes, list[str]] = {}
        for (name, post), holds in sorted(self.flags.items()):
            if holds and name not in self.removed:
                held.setdefault(self.posts[post], []).append(name)
        for person in honest:
            assert person.flagged(self.gid) == held, f"{person.name} counts other flags"
            assert person.group(self.gid).agreement == honest[0].group(self.gid).agreement
            assert person.agreed(self.gid) == honest[0].agreed(self.gid), f"{person.name} counts other yeses"
            assert person.pinned(self.gid) == honest[0].pinned(self.gid), f"{person.name} sees other pins"
            self.only_moderators_pins_stand(person)
            assert person.quiets(self.gid) == honest[0].quiets(self.gid), f"{person.name} keeps other quiets"
            assert person.hushed(self.gid) == honest[0].hushed(self.gid), f"{person.name} closes other messages"
            self.quiets_are_of_juniors(person)

    def quiets_are_of_juniors(self, person: Person) -> None:
        members = person.group(self.gid).view.members
        for quiet in person.quiets(self.gid):
            rank = members[quiet.member].rank if quiet.member in members else Rank.NEWCOMER
            assert quiet.said.rank < rank, "somebody was asked to be quiet by one who may not"

    def only_moderators_pins_stand(self, person: Person) -> None:
        ranks = {word.rank for word in person.stated(self.gid, Form.PIN)}
        assert all(rank <= Rank.MODERATOR for rank in ranks), "somebody pinned without the right"


Support.TestCase.settings = settings(stateful_step_count=30, max_examples=some())
TestSupport = Support.TestCase
