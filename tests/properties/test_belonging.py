"""Who belongs: six groups in memory hear each other's operations one by one, late, twice or never, and judge alike.

Each operation is handed over by itself, in any order and as often as it comes; machines start again, and old copies of
them act as if nothing had happened since, which is how one who was removed dates back what they do. After each
operation that comes in:

- of one who was removed it changes nothing for anybody else;
- it changes no rank and no device of anybody more senior than its author ever was;
- one who is demoted stays in, at the rank before or at the new one; but for a removal that was waiting, void against
  the rank that they had, and of which the demotion had not heard.

In the end all hear all: each sees what the trivial twin sees and what a judgement from nothing gives, whoever holds the
same keys sends under the same epoch, and after one more re-key all who are in hold it and send under it.

It can fail: it does without the question whether an author had heard of their removal (`Standing.exercises`), and
without that for the seniority of a removal (`_revokes`).
"""

from contextlib import suppress

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from mesh.commands import Rank
from mesh.errors import RefusedError
from mesh.groups.operations import Operation, act_of
from mesh.ids import DeviceId, MemberPk
from mesh.membership.graph import Entry, Graph
from mesh.membership.resolve import resolve
from mesh.wire.operations import OpType
from tests.groups.people import Person, standing
from tests.groups.test_orders import MOVES, acts, base
from tests.membership.twin import Twin

PEOPLE = 6
who = st.integers(0, PEOPLE - 1)
moves = st.sampled_from([move for move in MOVES if move != "hear"])
ranks = st.sampled_from(Rank)
Shown = dict[MemberPk, tuple[Rank, tuple[DeviceId, ...]]]


def shown(person: Person) -> Shown:
    """Who is in as somebody sees it, at which rank and with which devices."""
    return {pk: (member.rank, member.devices) for pk, member in person.view.members.items()}


class Belonging(RuleBasedStateMachine):
    """Six people, and old copies of some of them."""

    @initialize()
    def begin(self) -> None:
        people, self.code = base()
        self.people = [person.restarted() for person in people]
        self.copies: dict[int, Person] = {}

    # ------------------------------------------------------------ what happens

    @rule(one=who, move=moves, other=who, rank=ranks)
    def somebody_acts(self, one: int, move: str, other: int, rank: Rank) -> None:
        if one != other:
            with suppress(RefusedError):
                acts(self.people[one], move, self.people[other], self.code, rank)

    @rule(one=who)
    def is_copied(self, one: int) -> None:
        self.copies[one] = self.people[one].restarted()

    @rule(one=who, move=moves, other=who, rank=ranks)
    def an_old_copy_acts(self, one: int, move: str, other: int, rank: Rank) -> None:
        if one != other and one in self.copies:
            with suppress(RefusedError):
                acts(self.copies[one], move, self.people[other], self.code, rank)

    @rule(one=st.integers(1, PEOPLE - 1), by=st.integers(0, 1), move=moves, other=who, rank=ranks, taker=who)
    def one_is_put_out_and_dates_back(self, one: int, by: int, move: str, other: int, rank: Rank, taker: int) -> None:
        if one in (by, other):
            return
        copy = self.copies[one] = self.people[one].restarted()
        with suppress(RefusedError):
            acts(self.people[by], "remove", self.people[one], self.code, rank)
            self.tells_all(self.people[by], self.people[taker])
            acts(copy, move, self.people[other], self.code, rank)
        self.tells_all(copy, self.people[taker])

    @rule(taker=who, giver=who, of_a_copy=st.booleans(), which=st.integers(0, 30), times=st.integers(1, 2))
    def one_operation_is_handed_over(self, taker: int, giver: int, of_a_copy: bool, which: int, times: int) -> None:
        source = self.copies.get(giver, self.people[giver]) if of_a_copy else self.people[giver]
        log = source.group.log.ops
        op = log[-1 - which % len(log)]
        for _ in range(times):
            self.hands_over(source, self.people[taker], op)

    @rule(taker=who, giver=who)
    def hears_all(self, taker: int, giver: int) -> None:
        self.tells_all(self.people[giver], self.people[taker])

    @rule(one=who)
    def starts_again(self, one: int) -> None:
        self.people[one] = self.people[one].restarted()

    # ------------------------------------------------------------ what must hold

    def tells_all(self, giver: Person, taker: Person) -> None:
        for op in list(giver.group.log.ops):
            if op.op_id not in taker.group.log:
                self.hands_over(giver, taker, op)

    def hands_over(self, giver: Person, taker: Person, op: Operation) -> None:
        before, departed = shown(taker), dict(taker.view.departed)
        came_in = taker.takes(giver.bundle(op.op_id))
        if len(came_in) != 1:
            return
        graph = taker.group.log.graph
        entry, after = graph.entry(came_in[0].op_id), shown(taker)
        assert entry is not None
        farewell = departed.get(entry.author)
        removal = None if farewell is None else graph.entry(farewell)
        if removal is not None and removal.act.type is OpType.REMOVE:
            assert after == before, "one who was removed changes who belongs"
        best = min(grant.act.granted_rank for grant in graph.entries(graph.granted_to(entry.author, graph.everything)))
        for pk, (rank, devices) in before.items():
            if rank < best:
                assert after.get(pk) == (rank, devices), "a junior changes a senior's standing"
        self.demoted_stays_in(graph, entry, before, after)

    def demoted_stays_in(self, graph: Graph, entry: Entry, before: Shown, after: Shown) -> None:
        if entry.act.type is not OpType.DEMOTE or entry.act.subject not in before:
            return
        member = entry.act.subject
        if member in after:
            assert after[member][0] in {before[member][0], entry.act.granted_rank}
        else:
            assert any(
                other.act.type is OpType.REMOVE
                and other.act.subject == member
                and other.level < entry.act.granted_rank
                and not other.is_before(entry)
                for other in graph.entries(graph.everything)
            ), "a demotion puts somebody out"

    def teardown(self) -> None:
        if not hasattr(self, "people"):
            return  # it never began
        everybody = [*self.people, *self.copies.values()]
        for taker in self.people:
            for giver in everybody:
                self.tells_all(giver, taker)
        first = self.people[0]
        everything = [act_of(op) for op in first.group.log.ops]
        assert {pk: rank for pk, (rank, _) in shown(first).items()} == Twin(everything).ranks()
        at_once = resolve(everything)
        assert (at_once.view.members, at_once.refused) == (dict(first.view.members), {})
        for person in self.people[1:]:
            assert standing(person) == standing(first)
            if person.group.epochs.keys() == first.group.epochs.keys():
                assert person.group.epoch == first.group.epoch
        self.after_one_more_key_all_hold_it()

    def after_one_more_key_all_hold_it(self) -> None:
        for author in self.people:
            with suppress(RefusedError):
                key = author.rekeys().op_id
                break
        else:
            return  # nobody is in, or all contradicted themselves
        # What an old copy published of new KEM keys went to that copy: such a device finds back by frame 05 (§9).
        twice = [self.people[one].dev for one in self.copies]
        for person in self.people:
            person.hears(author)
            if person.dev in author.view.devices and person.dev not in twice:
                assert person.group.epoch == key, f"{person.name} is stranded"


def test_one_who_steps_down_can_meet_a_removal_that_counted_for_nothing_before() -> None:
    """Found by the machine above: a steward removes the founder, who has not heard of it and steps down."""
    belonging = Belonging()
    belonging.begin()
    alice, steve = belonging.people[:2]
    belonging.somebody_acts(one=1, move="grudge", other=0, rank=Rank.FOUNDER)
    bob = belonging.people[4]
    bob.hears(steve)
    assert bob.view.members[alice.pk].rank is Rank.FOUNDER
    belonging.somebody_acts(one=0, move="step down", other=1, rank=Rank.MEMBER)
    bob.hears(alice)
    assert alice.pk not in bob.view.members
    belonging.teardown()


def test_one_who_has_heard_of_such_a_removal_steps_down_unharmed() -> None:
    belonging = Belonging()
    belonging.begin()
    alice, steve = belonging.people[:2]
    belonging.somebody_acts(one=1, move="grudge", other=0, rank=Rank.FOUNDER)
    alice.hears(steve)
    belonging.somebody_acts(one=0, move="step down", other=1, rank=Rank.MEMBER)
    belonging.teardown()
    assert belonging.people[4].view.members[alice.pk].rank is Rank.MEMBER


Belonging.TestCase.settings = settings(stateful_step_count=25)
TestBelonging = Belonging.TestCase
