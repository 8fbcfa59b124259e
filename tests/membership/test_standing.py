"""What counts beside what, in small stories: each turns on one question of `standing` or `rendering`."""

import pytest

from mesh.commands import Rank
from mesh.membership.acts import NOTHING
from mesh.membership.rendering import STRICTNESS, render
from mesh.membership.standing import judge
from tests.attacks.plain import Told


def is_as_from_nothing(group: Told) -> None:
    """Demand that what was carried on act by act is what a judgement from nothing gives."""
    assert group.view == render(judge(group.graph, group.graph.everything))


def test_an_invite_that_does_not_count_lets_nobody_in_by_a_plain_member() -> None:
    """Mo was demoted while he made it. A moderator's own admit does not rest on the invite."""
    for host, comes_in in (("bob", False), ("moira", True)):
        group = Told(mo=Rank.MODERATOR, moira=Rank.MODERATOR, bob=Rank.MEMBER)
        alice, mo, moira, bob = group.people
        then = group.heads
        alice.demotes(mo, Rank.MEMBER)
        invite = mo.invites(after=then)
        author = {"bob": bob, "moira": moira}[host]
        author.admits("guest", Rank.NEWCOMER, under=invite, after=(invite,))
        assert ("guest" in group.names) == comes_in
        is_as_from_nothing(group)


def test_a_removal_of_its_issuer_closes_an_invite_for_those_who_had_not_heard_of_it() -> None:
    group = Told(mo=Rank.MODERATOR, bob=Rank.MEMBER)
    alice, mo, bob = group.people
    invite = mo.invites()
    then = group.heads
    bob.admits("guest", Rank.NEWCOMER, under=invite)
    assert "guest" in group.names
    alice.removes(mo, after=then)
    assert group.names == {"alice", "bob"}
    assert not group.view.invites[invite].open
    is_as_from_nothing(group)


def test_a_moderator_needs_no_approvals_and_a_member_does() -> None:
    group = Told(mo=Rank.MODERATOR, moira=Rank.MODERATOR, bob=Rank.MEMBER)
    alice, mo, moira, bob = group.people
    invite = moira.invites(uses=2, approvals=1)
    mo.admits("first", Rank.NEWCOMER, under=invite)
    then = group.heads
    bob.admits("second", Rank.NEWCOMER, under=invite, approvals=(mo.approves(),))
    assert {"first", "second"} <= group.names
    alice.demotes(mo, Rank.MEMBER, after=then)
    assert "first" in group.names
    assert "second" not in group.names
    is_as_from_nothing(group)


def test_a_seniors_cut_binds_what_rests_on_junior_grants() -> None:
    """Bob is promoted while Mo takes his device: what he did as a member goes, what he does as Mo's equal stays."""
    group = Told(mo=Rank.MODERATOR, bob=Rank.MEMBER)
    alice, mo, bob = group.people
    everybody = {alice.dev, mo.dev, bob.dev}
    as_member = bob.rekeys(everybody)
    then = group.heads
    promoted = alice.promotes(bob, Rank.MODERATOR)
    as_moderator = bob.rekeys(everybody)
    mo.takes(bob, cut=NOTHING, after=then)
    assert not group.counts(as_member)
    assert group.counts(as_moderator)
    assert group.counts(promoted)
    assert bob.devices == {bob.dev}
    is_as_from_nothing(group)


def test_a_device_is_kept_by_one_grant_that_outranks_whoever_took_it() -> None:
    """Also where another grant of its owner's does not."""
    group = Told(mo=Rank.MODERATOR, bob=Rank.MEMBER)
    alice, mo, bob = group.people
    then = group.heads
    mo.takes(bob, cut=NOTHING)
    assert bob.devices == set()
    alice.promotes(bob, Rank.MODERATOR, after=then)
    assert bob.devices == {bob.dev}
    is_as_from_nothing(group)


def test_a_farewell_is_the_removal_if_there_is_one() -> None:
    group = Told(bob=Rank.MEMBER, carol=Rank.MEMBER)
    alice, bob, carol = group.people
    left = bob.leaves()
    assert group.view.departed == {bob.pk: left}
    stepped = carol.demotes(carol, Rank.NEWCOMER)
    gone = carol.leaves()
    assert group.view.departed[carol.pk] == gone != stepped
    removed = alice.removes(bob)
    assert group.view.departed[bob.pk] == removed
    is_as_from_nothing(group)


@pytest.mark.parametrize(
    ("key", "value", "strictness"),
    [
        ("keep", "7", (0, 7)),
        ("keep", "0", (1, 0)),
        ("keep", "for ever", (1, 0)),
        ("keep", "9" * 9, (0, 999_999_999)),
        ("keep", "9" * 10, (1, 0)),
        ("history", "none", (0, 0)),
        ("history", "last:9", (1, 9)),
        ("history", "days:" + "9" * 9, (2, 999_999_999)),
        ("history", "days:" + "9" * 10, (2, 0)),
        ("history", "all", (-1, 0)),
    ],
)
def test_values_are_as_strict_as_they_are_long(key: str, value: str, strictness: tuple[int, int]) -> None:
    assert STRICTNESS[key](value) == strictness
