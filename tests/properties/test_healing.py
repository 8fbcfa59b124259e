"""A seized device does its worst, and one word of the member key heals it: the twin is the group where it was silent.

Six people; one of them has two devices, and a thief holds one. The thief signs whatever that device key can sign, now
or dated back, while everybody else goes on, some having heard of it and some not. Then the member removes the seized
device, the last honest operation as its cut. The twin is told the same story without the thief: afterwards the group
must be the twin's (protocol.md §4, rule 6). The thief is of any rank but a founder's, and nobody puts the member
themselves out meanwhile: then there is nobody left to say the word.

It can fail: it does without the cuts (`Standing._within_cuts`), and where the member's own cut binds nothing
(`Standing._binds`).
"""

from collections.abc import Mapping
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from mesh.commands import Rank
from mesh.crypto.hashes import h
from mesh.errors import RemoteError
from mesh.ids import OpId
from mesh.membership.acts import NOTHING
from mesh.membership.resolve import take_back
from mesh.membership.structure import MEMBERS_INVITE
from tests.attacks.plain import Person, Told

RANKS = {
    "steve": Rank.STEWARD,
    "mo": Rank.MODERATOR,
    "bob": Rank.MEMBER,
    "carol": Rank.MEMBER,
    "dave": Rank.MEMBER,
}
NAMES = ("alice", *RANKS)
SEIZED = ("steve", "mo", "bob")
MOVES = ("promote", "demote", "remove", "admit", "invite", "uninvite", "set", "take device", "rekey")
names, moves, ranks = st.sampled_from(NAMES), st.sampled_from(MOVES), st.sampled_from(Rank)


class Healing(RuleBasedStateMachine):
    """The group with a thief in it, and its twin without."""

    @initialize(victim=st.sampled_from(SEIZED))
    def begin(self, victim: str) -> None:
        self.count = 0
        self.real, self.twin = Told(**RANKS), Told(**RANKS)
        self.known = NAMES
        both = (self.real, self.twin)
        for group in both:
            alice = self.person(group, "alice")
            alice.sets(MEMBERS_INVITE, "on")
            own = self.person(group, victim)
            self.phone = own.adds("phone").dev
            own.sets() if own.rank is not None and own.rank <= Rank.STEWARD else own.invites()
        self.victim, self.seized = victim, self.person(self.real, victim)
        last = [e for e in self.real.graph.entries(self.real.graph.everything) if e.act.dev == self.seized.dev][-1]
        self.cut = last.act.op_id
        self.past = [e.act.op_id for e in self.real.graph.entries(self.real.graph.everything)]

    def person(self, group: Told, name: str) -> Person:
        return next(person for person in group.people if person.name == name)

    def act(self, author: Person, move: str, other: Person, rank: Rank, how: Mapping[str, Any]) -> None:
        """Do one thing; RemoteError or AssertionError where the rules of form do not allow it."""
        # The door that both groups know; one that the thief opened falls with the thief, and whoever came in by it.
        invite = next(iter((self.real if author == self.seized else self.twin).view.invites), None)
        match move:
            case "promote":
                author.promotes(other, rank, **how)
            case "demote":
                author.demotes(other, rank, **how)
            case "remove":
                author.removes(other, **how)
            case "admit":
                author.admits(f"guest {self.count}", Rank.NEWCOMER, under=invite, **how)
            case "invite":
                author.invites(uses=3, **how)
            case "uninvite":
                author.uninvites(invite or NOTHING, **how)
            case "set":
                author.sets("note", f"{self.count}", **how)
            case "take device":
                author.takes(other, cut=NOTHING, **how)
            case _:
                author.rekeys(set(author.group.view.devices), **how)

    def tries(self, author: Person, move: str, other: Person, rank: Rank, how: Mapping[str, Any]) -> bool:
        try:
            self.act(author, move, other, rank, how)
        except (RemoteError, AssertionError):
            return False
        return True

    def fresh(self, word: str) -> OpId:
        """An id that both groups know; their order, which decides between equals, is not that of coming in."""
        self.count += 1
        return OpId(h(b"mesh1/opid", f"{word} {self.count}".encode()))

    # ------------------------------------------------------------ what happens

    @rule(name=names, move=moves, other=names, rank=ranks, heard=st.booleans())
    def somebody_acts(self, name: str, move: str, other: str, rank: Rank, heard: bool) -> None:
        """In both groups; where the thief made that impossible, or possible, nobody does it."""
        puts_out = move in ("demote", "remove", "take device")
        if puts_out and other in (self.victim, name):
            return
        author, before = self.person(self.real, name), self.person(self.twin, name)
        if name == self.victim:
            author, before = author.on("phone"), before.on("phone")
        if (
            author.pk not in self.real.view.members
            or before.pk not in self.twin.view.members
            or author.grant != before.grant
        ):
            return
        op_id = self.fresh("honest")
        heads = self.real.heads if heard else self.twin.heads
        how = {"changes": {"op_id": op_id}, "after": heads, "auth": before.grant}
        if not self.tries(author, move, self.person(self.real, other), rank, how):
            return
        if not self.tries(before, move, self.person(self.twin, other), rank, {"changes": {"op_id": op_id}}):
            take_back(self.real.graph, self.real.views)

    @rule(move=moves, other=names, rank=ranks, back=st.none() | st.integers(0, 10**6), grant=st.integers(0, 3))
    def the_thief_acts(self, move: str, other: str, rank: Rank, back: int | None, grant: int) -> None:
        """With all that is known, or dated back to any moment; by any grant that the device's owner ever had."""
        graph = self.real.graph
        after = self.real.heads if back is None else (graph.at(back % len(graph)).act.op_id,)
        past = graph.closure(after) or 0
        grants = [entry.act.op_id for entry in graph.entries(graph.granted_to(self.seized.pk, past))]
        by_member_key = other == self.victim and move in ("demote", "take device")
        if grants and not by_member_key:
            op_id = self.fresh("theft")
            how = {"changes": {"op_id": op_id}, "after": after, "auth": grants[grant % len(grants)]}
            self.tries(self.seized, move, self.person(self.real, other), rank, how)

    @rule()
    def the_thief_lets_the_device_remove_itself(self) -> None:
        op_id = self.fresh("theft")
        try:
            self.seized.takes(self.seized, cut=None, changes={"op_id": op_id})
        except (RemoteError, AssertionError):
            return

    # ------------------------------------------------------------ what must hold

    def teardown(self) -> None:
        if not hasattr(self, "victim"):
            return
        op_id = self.fresh("heal")
        for group in (self.real, self.twin):
            own = self.person(group, self.victim)
            own.on("phone").takes(own, cut=self.cut, changes={"op_id": op_id})
        healed, quiet = self.real.view, self.twin.view
        assert healed.members == quiet.members
        assert healed.devices == quiet.devices
        assert healed.invites == quiet.invites
        assert (healed.settings, healed.agreement) == (quiet.settings, quiet.agreement)


Healing.TestCase.settings = settings(stateful_step_count=25)
TestHealing = Healing.TestCase
