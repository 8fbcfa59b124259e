"""What members state comes to the same for everybody: five peers flag, pin and fold while the group is cut in parts.

People are removed, leave and are given other ranks meanwhile, nodes stop and start, one changed program pins, folds,
asks to be quiet and ends that without the right, and flags and says yes in words that its node never kept. When all
hear all again, everybody who is in sees the same flags, pins, folds and quiets, the same agreement and who has said
yes to it, and a twin that knows only who said what last says which flags these are.

It can fail: with words in the order in which they came here (`seen_ms` for `ts_ms` in `_judged`) it does at once.
"""

from contextlib import suppress

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from mesh.commands import MakeStatement, Rank
from mesh.errors import LocalError
from mesh.groups.joining import agreement_hash
from mesh.support.ladder import is_folded, quiet_id
from mesh.wire.codec import Record, encode
from mesh.wire.messages import Kind, StatementBody
from mesh.wire.statements import FlagValue, FoldingValue, Form, LiftValue, PinValue, PledgeValue, QuietValue
from simulations.checks import agree
from simulations.people import Person
from tests.peer.forgery import Forger
from tests.properties.circles import NAMES, five, some

who = st.integers(0, len(NAMES) - 1)
what = st.integers(0, 1)
HEALED_S = 90


class Support(RuleBasedStateMachine):
    """Five peers, a post of wren's and one of tansy's, and a list of who flagged what last."""

    @initialize(seed=st.integers(0, 50))
    def begin(self, seed: int) -> None:
        self.world, self.gid, self.people = five(seed)
        for person in self.people:
            if person.group(self.gid).rank is Rank.NEWCOMER:
                self.people[0].rank(self.gid, person, Rank.MEMBER)
        self.people[0].rank(self.gid, self.people[2], Rank.MODERATOR)
        self.posts = [self.people[one].post(self.gid, f"post of {NAMES[one]}") for one in (0, 3)]
        self.world.run(5)
        self.flags: dict[tuple[str, int], bool] = {}
        self.removed: set[str] = set()
        self.left: set[str] = set()
        self.forged = False

    def acts(self, one: int) -> bool:
        """Say whether somebody's node is on and has not left; of who was removed it may not have heard."""
        return self.people[one].node.up and NAMES[one] not in self.left

    @property
    def gone(self) -> set[str]:
        """Those who are not in any more."""
        return self.removed | self.left

    @rule(one=st.integers(1, 4), post=what, holds=st.booleans())
    def flags_a_post(self, one: int, post: int, holds: bool) -> None:
        person = self.people[one]
        if self.acts(one) and person.name not in self.removed:
            person.flag(self.gid, self.posts[post], holds=holds)
            self.flags[person.name, post] = holds

    @rule(one=st.integers(0, 2), post=what, holds=st.booleans())
    def pins_a_post(self, one: int, post: int, holds: bool) -> None:
        person = self.people[one]
        if self.acts(one):
            with suppress(LocalError):
                person.pin(self.gid, self.posts[post], holds=holds)

    @rule(one=st.integers(0, 2), other=st.integers(1, 4), for_s=st.sampled_from((60, 3600)))
    def asks_to_be_quiet(self, one: int, other: int, for_s: int) -> None:
        if self.acts(one):
            with suppress(LocalError, StopIteration):
                self.people[one].asks_to_be_quiet(self.gid, NAMES[other], for_s)

    @rule(one=st.integers(0, 2))
    def ends_a_quiet(self, one: int) -> None:
        person = self.people[one]
        if self.acts(one):
            for quiet in person.quiets(self.gid)[-1:]:
                with suppress(LocalError):
                    person.ends_quiet(self.gid, quiet.id)

    @rule(one=st.integers(1, 4))
    def says_something(self, one: int) -> None:
        if self.acts(one):
            with suppress(LocalError):
                self.people[one].post(self.gid, "something")

    @rule(one=st.integers(0, 2), post=what, holds=st.booleans())
    def folds_a_post(self, one: int, post: int, holds: bool) -> None:
        if self.acts(one):
            command = MakeStatement(
                group=self.gid, form=Form.FOLDING, subject=self.posts[post], value=encode(FoldingValue(holds=holds))
            )
            with suppress(LocalError):
                self.world.ask(NAMES[one], command)

    @rule(other=st.integers(0, 3), post=what, form=st.sampled_from((Form.PIN, Form.FOLDING)), holds=st.booleans())
    def puts_first_or_folds_without_the_right(self, other: int, post: int, form: Form, holds: bool) -> None:
        value = PinValue(holds=holds) if form is Form.PIN else FoldingValue(holds=holds)
        self.forges(self.people[other], form, self.posts[post], value)

    @rule(other=st.integers(0, 3), post=what, holds=st.booleans())
    def flags_in_a_word_that_is_nowhere_kept(self, other: int, post: int, holds: bool) -> None:
        self.forges(self.people[other], Form.FLAG, self.posts[post], FlagValue(holds=holds))

    @rule(other=st.integers(0, 3))
    def says_yes_in_a_word_that_is_nowhere_kept(self, other: int) -> None:
        if self.acts(4):
            key = agreement_hash(self.people[4].group(self.gid).agreement[1])
            self.forges(self.people[other], Form.PLEDGE, key, PledgeValue())

    @rule(other=st.integers(0, 3), of=who, for_s=st.sampled_from((60, 3600)))
    def asks_to_be_quiet_without_the_right(self, other: int, of: int, for_s: int) -> None:
        alder = self.people[4]
        if self.acts(4) and self.acts(of):
            made_ms = self.world.instant(alder.node).wall_ms
            member = self.people[of].member(self.gid)
            value = QuietValue(made_ms=made_ms, member=member, for_s=for_s, cuts=[])
            self.forges(self.people[other], Form.QUIET, quiet_id(alder.member(self.gid), value), value)

    @rule(other=st.integers(0, 3))
    def ends_a_quiet_without_the_right(self, other: int) -> None:
        victim = self.people[other]
        if self.acts(other):
            for quiet in victim.quiets(self.gid)[-1:]:
                self.forges(victim, Form.LIFT, quiet.id, LiftValue())

    def forges(self, victim: Person, form: Form, subject: bytes, value: Record) -> None:
        """Hand a word of alder's, whose program is changed, to one other alone."""
        alder = self.people[4]
        linked = any(name == victim.name for name, _ in alder.node.links.values()) if self.acts(4) else False
        if not linked or not victim.node.up or alder.group(self.gid).epoch is None:
            return
        body = encode(StatementBody(form=form, subject=subject, lasts_s=0, value=encode(value)))
        forger = Forger(alder, self.gid)
        ts_ms = self.world.instant(alder.node).wall_ms
        with suppress(AssertionError):  # no frames pass a cut
            forger.hands(victim, forger.message(Kind.STATEMENT, body, ts_ms=ts_ms))
            self.forged = True

    @rule(one=st.integers(2, 4), wipe=st.booleans())
    def leaves(self, one: int, wipe: bool) -> None:
        person = self.people[one]
        if self.acts(one) and not self.gone:
            with suppress(LocalError):
                person.leave(self.gid, wipe=wipe)
                self.left.add(person.name)

    @rule(one=st.integers(0, 1), text=st.sampled_from(("Be kind.", "Be kinder.", "Be kindest.")))
    def writes_the_agreement(self, one: int, text: str) -> None:
        if self.acts(one):
            with suppress(LocalError):
                self.people[one].edit_agreement(self.gid, text)

    @rule(one=who)
    def says_yes(self, one: int) -> None:
        person = self.people[one]
        if self.acts(one) and person.name not in self.removed:
            with suppress(LocalError):
                person.says_yes(self.gid)

    @rule(one=st.integers(0, 1), other=st.integers(2, 3), rank=st.sampled_from((Rank.MODERATOR, Rank.MEMBER)))
    def ranks(self, one: int, other: int, rank: Rank) -> None:
        if self.acts(one) and self.acts(other):
            with suppress(LocalError):
                self.people[one].rank(self.gid, self.people[other], rank)

    @rule(one=st.integers(0, 1), other=st.integers(2, 4))
    def removes(self, one: int, other: int) -> None:
        if self.acts(one) and NAMES[other] not in self.left and not self.removed:
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

    @rule(one=st.integers(3, 4), post=what, holds=st.booleans())
    def pins_and_is_removed_where_that_is_not_heard(self, one: int, post: int, holds: bool) -> None:
        """Sorrel pins, and then says the contrary to one other alone; she is removed by one who did not hear it."""
        if not self.removed and all(self.acts(k) for k in (0, 2, one)):
            self.pins_a_post(2, post, holds)
            self.world.run(3)
            apart = ("sorrel", NAMES[one])
            self.world.partition(apart, tuple(name for name in NAMES if name not in apart))
            self.pins_a_post(2, post, not holds)
            self.world.run(3)
            self.removes(0, 2)

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
        honest = [p for p in self.people if p.name not in self.gone and not (self.forged and p.name == "alder")]
        assert agree(self.gid, honest) == []
        held: dict[bytes, list[str]] = {}
        for (name, post), holds in sorted(self.flags.items()):
            if holds and name not in self.gone and not (self.forged and name == "alder"):
                held.setdefault(self.posts[post], []).append(name)
        for person in honest:
            assert person.flagged(self.gid) == honest[0].flagged(self.gid), f"{person.name} counts other flags"
            assert self.flagged(person) == held, f"{person.name} counts flags that nobody said"
            assert self.folded(person) == self.folded(honest[0]), f"{person.name} folds other posts"
            assert person.group(self.gid).agreement == honest[0].group(self.gid).agreement
            assert person.agreed(self.gid) == honest[0].agreed(self.gid), f"{person.name} counts other yeses"
            assert person.pinned(self.gid) == honest[0].pinned(self.gid), f"{person.name} sees other pins"
            self.only_moderators_pins_stand(person)
            assert person.quiets(self.gid) == honest[0].quiets(self.gid), f"{person.name} keeps other quiets"
            assert self.closed(person) == self.closed(honest[0]), f"{person.name} closes other messages"
            self.quiets_are_of_juniors(person)

    def flagged(self, person: Person) -> dict[bytes, list[str]]:
        """Return whose flags count, without those of a changed program, which says two things under one number."""
        found = {
            post: [n for n in by if not self.forged or n != "alder"] for post, by in person.flagged(self.gid).items()
        }
        return {post: by for post, by in found.items() if by}

    def folded(self, person: Person) -> list[bytes | None]:
        """Return who folded each post, or None; only somebody more senior than its author does."""
        found: list[bytes | None] = []
        members = person.group(self.gid).view.members
        for post, alias in zip(self.posts, ("wren", "tansy"), strict=True):
            rank = next((member.rank for member in members.values() if member.alias == alias), Rank.NEWCOMER)
            word = is_folded([said for said in person.stated(self.gid, Form.FOLDING) if said.subject == post], rank)
            assert word is None or word.rank < rank, "somebody folded what they may not"
            found.append(None if word is None else word.member)
        return found

    def closed(self, person: Person) -> set[bytes]:
        """Return which messages of those who are in stay closed: of one who is out some may have heard more."""
        members = person.group(self.gid).view.members
        present = {row.msg_id for row in person.messages(self.gid) if row.member in members}
        return person.hushed(self.gid) & present

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
