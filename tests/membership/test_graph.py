"""The graph's masks, and what a program is told that brings its own graph."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from mesh.commands import Rank
from mesh.membership.graph import bits
from mesh.membership.resolve import resolve
from tests.attacks.plain import Told


@given(st.integers(0, 2**200 - 1))
def test_the_indices_of_a_mask_are_those_of_its_digits(mask: int) -> None:
    """Few digits are picked out one by one, many are read."""
    for sparse_or_dense in (mask, mask | 2**130 - 2**3, mask & 0xFFFF):
        assert bits(sparse_or_dense) == [k for k in range(200) if sparse_or_dense >> k & 1]


def test_resolve_names_what_it_refused_and_what_waits() -> None:
    group = Told(mo=Rank.MODERATOR, bob=Rank.MEMBER)
    alice, mo, bob = group.people
    invite = mo.invites()
    bob.admits("guest", Rank.NEWCOMER, under=invite)
    alice.sets()
    acts = [entry.act for entry in group.graph.entries(group.graph.everything)]
    assert resolve(acts).refused == {}
    # The invite's uses are spent: its admit is refused for ever, and what builds on it is too.
    spent = [replace(act, uses=0) if act.op_id == invite else act for act in acts]
    assert resolve(spent).refused == {
        acts[-2].op_id: "an admit past the uses of its invite",
        acts[-1].op_id: "it builds on a refused operation",
    }
    without = [act for act in acts if act.op_id != invite]
    assert resolve(without).waiting == {acts[-2].op_id, acts[-1].op_id}


def test_a_member_is_shown_with_whoever_made_their_invite() -> None:
    group = Told(mo=Rank.MODERATOR, bob=Rank.MEMBER)
    alice, mo, bob = group.people
    guest = bob.admits("guest", Rank.NEWCOMER, under=mo.invites())
    shown = group.view.members
    assert [shown[who.pk].invited_by for who in (alice, mo, guest)] == [None, alice.pk, mo.pk]
