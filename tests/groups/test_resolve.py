"""Two who did not hear of each other both act; afterwards everybody sees the same, and the more senior one prevails.

In each story the sides part, act, and meet again: `meet` lets everyone hear everyone, in both orders, and demands that
all of them then hold the same view and would send under the same epoch.
"""

from itertools import permutations

import pytest

from mesh.commands import Rank
from mesh.groups.operations import parse_op
from mesh.ids import OpId
from mesh.membership.resolve import Views
from mesh.wire.operations import (
    OpType,
    RankBody,
    SettingsBody,
)
from tests.groups.joiners import joiner
from tests.groups.parting import circle, counts, meet, told
from tests.groups.people import founds

# ------------------------------------------------------------------------------------- removals


def test_two_who_remove_the_same_one_agree() -> None:
    here = circle(Steve=Rank.STEWARD, Mo=Rank.MODERATOR, Bob=Rank.MEMBER)
    alice, steve, mo, bob = here.values()
    steve.removes(bob, cut=3)
    mo.removes(bob, cut=5)
    meet(alice, steve, mo)
    assert bob.pk in alice.view.departed
    farewell = alice.group.log.get(alice.view.departed[bob.pk])
    assert farewell is not None
    assert farewell.tbs.dev == steve.dev  # the more senior one's removal is the one that is told


def test_what_a_removed_member_did_before_stands() -> None:
    here = circle(Steve=Rank.STEWARD, Bob=Rank.MEMBER)
    alice, steve, bob = here.values()
    steve.admits("Carol")
    steve.sets(note="kept")
    alice.hears(steve)
    alice.removes(steve)
    bob.hears(alice)
    meet(alice, bob)
    assert alice.names == {"Alice", "Bob", "Carol"}
    assert alice.view.settings["note"] == "kept"


def test_a_removal_by_a_removed_member_is_undone() -> None:
    """Validity is not monotone: Bob is out until it is heard that who removed him was out before."""
    here = circle(Mo=Rank.MODERATOR, Bob=Rank.MEMBER)
    alice, mo, bob = here.values()
    carol = mo.restarted()
    mo.removes(bob)
    alice.removes(mo)
    carol.hears(mo)
    assert carol.names == {"Alice", "Mo"}
    carol.hears(alice)
    assert carol.names == {"Alice", "Bob"}
    meet(alice, bob, carol)


def test_a_senior_keeps_in_whom_a_junior_removes_at_the_same_time() -> None:
    here = circle(Steve=Rank.STEWARD, Mo=Rank.MODERATOR, Bob=Rank.MEMBER)
    alice, steve, mo, bob = here.values()
    mo.removes(bob)
    steve.promotes(bob, Rank.MODERATOR)
    meet(alice, steve, mo)
    assert alice.rank_of(bob) is Rank.MODERATOR
    assert bob.dev in alice.view.devices


def test_a_demoted_member_is_in_at_the_new_rank_whatever_they_did_meanwhile() -> None:
    here = circle(Steve=Rank.STEWARD, Bob=Rank.MEMBER)
    alice, steve, bob = here.values()
    alice.demotes(steve, Rank.MEMBER)
    steve.promotes(bob, Rank.MODERATOR)
    raised = steve.group.log.ops[-1]
    meet(alice, steve, bob)
    assert alice.rank_of(steve) is Rank.MEMBER
    assert alice.rank_of(bob) is Rank.MEMBER
    assert not counts(alice, raised)


def test_who_is_admitted_by_a_void_admit_stays_by_a_senior_s_grant() -> None:
    """Rule 6: their device stays bound, or they would be in without one."""
    here = circle(Steve=Rank.STEWARD, Mo=Rank.MODERATOR)
    alice, steve, mo = here.values()
    bob = mo.admits("Bob", Rank.NEWCOMER)
    steve.hears(mo)
    alice.removes(mo)
    steve.promotes(bob, Rank.MEMBER)
    meet(alice, steve)
    assert alice.rank_of(bob) is Rank.MEMBER
    assert alice.view.members[bob.pk].devices == (bob.dev,)


# ------------------------------------------------------------------------------------- leaving and stepping down


def test_who_leaves_is_out_and_may_not_act() -> None:
    here = circle(Mo=Rank.MODERATOR, Bob=Rank.MEMBER)
    alice, mo, bob = here.values()
    mo.leaves()
    meet(alice, mo, bob)
    assert alice.names == {"Alice", "Bob"}
    assert mo.group.me is None


def test_a_leave_takes_nothing_that_was_done_before() -> None:
    here = circle(Mo=Rank.MODERATOR)
    alice, mo = here.values()
    mo.admits("Bob")
    mo.leaves()
    alice.hears(mo)
    assert alice.names == {"Alice", "Bob"}


def test_a_step_down_gives_up_the_senior_rank_and_keeps_the_place() -> None:
    here = circle(Steve=Rank.STEWARD, Bob=Rank.MEMBER)
    alice, steve, bob = here.values()
    steve.demotes(steve, Rank.MEMBER)
    meet(alice, steve, bob)
    assert alice.rank_of(steve) is Rank.MEMBER


def test_a_step_down_from_a_void_promotion_gives_no_rank() -> None:
    """A steward about to be removed raises a newcomer, who steps down a little: what was never given is not kept.

    Signed by the member key, a step down counts whatever becomes of its author's grants; taken as a grant of its own
    accord it made the newcomer a member, with all whom they let in.
    """
    here = circle(Steve=Rank.STEWARD, Bob=Rank.MEMBER)
    alice, steve, bob = here.values()
    mallory = alice.admits("Mallory", Rank.NEWCOMER)
    code = alice.invites()
    for person in (steve, bob, mallory):
        person.hears(alice)
    steve.promotes(mallory, Rank.MODERATOR)
    mallory.hears(steve)
    step_down = mallory.demotes(mallory, Rank.MEMBER)
    mallory.lets_in(joiner("Sock", alice.group.gid, alice.group.suite), code)
    assert mallory.names == {"Alice", "Steve", "Bob", "Mallory", "Sock"}
    alice.removes(steve)
    meet(alice, bob, mallory)
    assert alice.rank_of(mallory) is Rank.NEWCOMER
    assert alice.names == {"Alice", "Bob", "Mallory"}
    assert counts(alice, step_down)


def test_a_step_down_does_not_bring_back_whom_a_senior_removed() -> None:
    here = circle(Steve=Rank.STEWARD)
    alice, steve = here.values()
    alice.removes(steve)
    steve.demotes(steve, Rank.MEMBER)
    meet(alice, steve)
    assert alice.names == {"Alice"}


# ------------------------------------------------------------------------------------- settings


def test_of_two_settings_the_more_senior_holds_and_then_the_lower_id() -> None:
    here = circle(Steve=Rank.STEWARD, Stella=Rank.STEWARD)
    alice, steve, stella = here.values()
    steve.sets(note="Steve", tone="Steve")
    alice.sets(note="Alice")
    stella.sets(tone="Stella")
    by_id = {person.group.log.ops[-1].op_id: person.name for person in (steve, stella)}
    meet(alice, steve, stella)
    assert alice.view.settings == {"note": "Alice", "tone": by_id[min(by_id)]}
    steve.sets(note="later")
    meet(alice, steve, stella)
    assert alice.view.settings["note"] == "later"


def test_of_two_agreements_the_more_senior_holds() -> None:
    here = circle(Steve=Rank.STEWARD)
    alice, steve = here.values()
    steve.agrees_on("Steve's text")
    kept = alice.agrees_on("Alice's text")
    meet(alice, steve)
    assert alice.view.agreement == kept.op_id
    steve.agrees_on("A third text", version=3)
    meet(alice, steve)
    assert alice.view.agreement == steve.group.log.ops[-1].op_id


def test_an_empty_change_changes_nothing() -> None:
    here = circle(Bob=Rank.MEMBER)
    alice, bob = here.values()
    told(alice, alice.forges(OpType.SETTINGS, SettingsBody(settings=[])))
    meet(alice, bob)
    assert alice.view.settings == {}


# ------------------------------------------------------------------------------------- the function itself


def test_a_view_of_the_past_is_what_was_seen_then() -> None:
    alice = founds("Alice")
    bob = alice.admits("Bob")
    then = alice.group.log.everything
    alice.removes(bob)
    assert {member.alias for member in alice.group.view_of(then).members.values()} == {"Alice", "Bob"}
    assert Views(alice.group.log.graph).of(then) == alice.group.view_of(then)
    assert alice.names == {"Alice"}


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_three_who_part_and_meet_in_any_order(order: tuple[int, ...]) -> None:
    here = circle(Steve=Rank.STEWARD, Mo=Rank.MODERATOR, Bob=Rank.MEMBER, Nell=Rank.MEMBER)
    alice, steve, mo, bob, nell = here.values()
    mo.removes(nell)
    mo.admits("Olaf")
    steve.removes(mo)
    steve.sets(note="x")
    alice.demotes(steve, Rank.MEMBER)
    sides = [alice, steve, mo]
    bob.hears(*(sides[k] for k in order))
    meet(bob, *(sides[k] for k in order))
    # Steve was a steward no more when he removed Mo, who therefore stands, and with Mo whom he removed and let in.
    assert bob.names == {"Alice", "Steve", "Mo", "Bob", "Olaf"}
    assert bob.rank_of(steve) is Rank.MEMBER


def test_an_operation_carries_nothing_but_what_was_signed() -> None:
    alice = founds("Alice")
    assert all(parse_op(op.signed).op_id == op.op_id for op in alice.group.log.ops)
    assert alice.group.log.get(OpId(bytes(32))) is None
    with pytest.raises(AssertionError):
        _ = parse_op(alice.forges(OpType.SETTINGS, SettingsBody(settings=[]))).granted_rank
    body = RankBody(target=alice.pk, rank=Rank.MEMBER)
    assert parse_op(alice.forges(OpType.DEMOTE, body)).granted_rank is Rank.MEMBER
