"""What counts beside what, in small stories: each turns on one question of `standing` or `rendering`."""

import pytest

from mesh.commands import Rank
from mesh.membership.acts import NOTHING
from mesh.membership.rendering import STRICTNESS, render
from mesh.membership.standing import judge
from mesh.wire.operations import OpType
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


def test_an_invite_is_open_until_it_is_closed_or_its_issuer_removed() -> None:
    """A demotion does not close it, nor does it keep a removal from closing it."""
    group = Told(mo=Rank.MODERATOR)
    alice, mo = group.people
    closed, kept = mo.invites(), mo.invites()

    def is_open() -> list[bool]:
        is_as_from_nothing(group)
        return [group.view.invites[invite].open for invite in (closed, kept)]

    assert is_open() == [True, True]
    mo.uninvites(closed)
    assert is_open() == [False, True]
    alice.demotes(mo, Rank.MEMBER)
    assert is_open() == [False, True]
    alice.removes(mo)
    assert is_open() == [False, False]


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


# ------------------------------------------------------------------------------------- grants


def test_a_step_down_takes_only_what_was_above_it() -> None:
    """What rests on a grant of the same rank stands, also where it had not heard of the step down."""
    group = Told(bob=Rank.MEMBER)
    alice, bob = group.people
    phone, first = bob.adds("phone"), bob.grant
    everybody = {alice.dev, bob.dev, phone.dev}
    alice.promotes(bob, Rank.MODERATOR)
    then = group.heads
    before = phone.rekeys(everybody, after=then, auth=first), phone.rekeys(everybody)
    assert [group.counts(act) for act in before] == [True, True]
    bob.demotes(bob, Rank.MEMBER, after=then)
    assert [group.counts(act) for act in before] == [True, False]
    is_as_from_nothing(group)
    after = phone.rekeys(everybody, after=before[1:], auth=first)
    assert group.counts(after)
    assert bob.rank is Rank.MEMBER
    is_as_from_nothing(group)


def test_a_step_down_from_a_promotion_that_was_none_leaves_the_place_that_one_had() -> None:
    group = Told(steve=Rank.STEWARD, bob=Rank.MEMBER)
    alice, steve, bob = group.people
    first, then = bob.grant, group.heads
    promoted = steve.promotes(bob, Rank.MODERATOR)
    bob.demotes(bob, Rank.MEMBER, after=(promoted,))
    alice.removes(steve, after=then)
    assert bob.rank is Rank.MEMBER
    assert bob.grant == first
    is_as_from_nothing(group)


def test_an_approval_that_rests_on_a_grant_that_was_none_is_none() -> None:
    """Nobody removed Mo, who approved: who had promoted him was removed."""
    group = Told(steve=Rank.STEWARD, moira=Rank.MODERATOR, mo=Rank.MEMBER, bob=Rank.MEMBER)
    alice, steve, moira, mo, bob = group.people
    invite = moira.invites(approvals=1)
    then = group.heads
    steve.promotes(mo, Rank.MODERATOR)
    bob.admits("guest", Rank.NEWCOMER, under=invite, approvals=(mo.approves(),))
    assert "guest" in group.names
    alice.removes(steve, after=then)
    assert "guest" not in group.names
    is_as_from_nothing(group)


def test_a_demotion_that_was_none_takes_nothing() -> None:
    """Steve demoted Bob and was out already: what Bob did as a moderator meanwhile counts again."""
    group = Told(steve=Rank.STEWARD, bob=Rank.MODERATOR, carol=Rank.MEMBER)
    alice, steve, bob, carol = group.people
    then = group.heads
    bob.removes(carol)
    steve.demotes(bob, Rank.MEMBER, after=then)
    assert (bob.rank, carol.rank) == (Rank.MEMBER, Rank.MEMBER)
    alice.removes(steve, after=then)
    assert (bob.rank, carol.rank) == (Rank.MODERATOR, None)
    is_as_from_nothing(group)


def test_a_leave_by_one_device_ends_what_another_does_meanwhile() -> None:
    for removed in ("", "beside it", "after it"):
        group = Told(bob=Rank.MEMBER)
        alice, bob = group.people
        phone = bob.adds("phone")
        then = group.heads
        meanwhile = phone.rekeys({alice.dev, bob.dev, phone.dev})
        left = bob.leaves(after=then)
        assert not group.counts(meanwhile)
        assert group.view.departed == {bob.pk: left}
        if removed:  # beside the leave: then that ends nothing, and the removal does
            alice.removes(bob, after=(meanwhile,) if removed == "beside it" else None)
            assert group.counts(meanwhile) == (removed == "beside it")
        is_as_from_nothing(group)


# ------------------------------------------------------------------------------------- how a member is shown


def test_who_came_in_twice_is_shown_as_by_the_first_admit_that_counts() -> None:
    """Mo let Carol in and was removed meanwhile; she brought a phone in; Alice, who had not heard, let her in too."""
    group = Told(mo=Rank.MODERATOR, bob=Rank.MEMBER)
    alice, mo, _ = group.people
    then = group.heads
    carol = mo.admits("carol")
    void = carol.grant
    phone = carol.adds("phone")
    removed = alice.removes(mo, after=then)
    assert "carol" not in group.names
    for _ in range(4):
        removed = alice.sets(after=(removed,))
    given = {"member": carol.pk, "device": carol.dev, "alias": "carrie", "rank": Rank.NEWCOMER}
    alice.does(OpType.ADMIT, **given, after=(removed,))
    shown = group.view.members[carol.pk]
    assert (shown.alias, shown.rank, shown.invited_by) == ("carrie", Rank.NEWCOMER, alice.pk)
    assert shown.admitted == shown.grant != void
    assert carol.devices == {carol.dev, phone.dev}
    is_as_from_nothing(group)


def test_a_farewell_is_a_removal_and_no_demotion() -> None:
    group = Told(bob=Rank.MEMBER)
    alice, bob = group.people
    alice.demotes(bob, Rank.NEWCOMER)
    removed = alice.removes(bob)
    assert group.view.departed == {bob.pk: removed}
    is_as_from_nothing(group)


def test_of_two_removals_the_more_senior_is_the_farewell() -> None:
    group = Told(mo=Rank.MODERATOR, bob=Rank.MEMBER)
    alice, mo, bob = group.people
    then = group.heads
    mo.removes(bob)
    removed = alice.removes(bob, after=then)
    assert group.view.departed == {bob.pk: removed}
    is_as_from_nothing(group)


def test_a_devices_loss_is_shown_with_all_who_took_it_while_its_member_is_in() -> None:
    group = Told(mo=Rank.MODERATOR, bob=Rank.MEMBER)
    alice, mo, bob = group.people
    phone = bob.adds("phone")
    assert group.view.lost == {}
    then = group.heads
    by = sorted([mo.takes(phone, cut=NOTHING), bob.takes(phone, cut=NOTHING, after=then)])
    assert group.view.lost == {phone.dev: tuple(by)}
    assert bob.devices == {bob.dev}
    alice.removes(bob)
    assert group.view.lost == {}
    is_as_from_nothing(group)


# ------------------------------------------------------------------------------------- settings side by side


@pytest.mark.parametrize(
    ("key", "by_founder", "by_steward", "holds"),
    [
        ("history", "days:2", "none", "none"),
        ("history", "none", "days:2", "none"),
        ("history", "last:9", "last:10", "last:9"),
        ("history", "days:1", "last:99", "last:99"),
        ("keep", "0", "7", "7"),
        ("keep", "8", "7", "7"),
        ("keep", "7", "8", "7"),
        ("note", "a", "b", "a"),
        ("note", "b", "a", "b"),
    ],
)
def test_of_values_set_side_by_side_the_strictest_holds_or_else_the_most_senior(
    key: str, by_founder: str, by_steward: str, holds: str
) -> None:
    for founder_first in (True, False):
        group = Told({key: "0"}, steve=Rank.STEWARD)
        alice, steve = group.people
        assert group.view.settings == {key: "0"}
        then = group.heads
        sides = [(alice, by_founder), (steve, by_steward)]
        for person, value in sides if founder_first else sides[::-1]:
            person.sets(key, value, after=then)
        assert group.view.settings == {key: holds}
        is_as_from_nothing(group)
        steve.sets(key, "99")
        assert group.view.settings == {key: "99"}


def test_of_agreements_side_by_side_the_most_senior_holds() -> None:
    group = Told(steve=Rank.STEWARD, stella=Rank.STEWARD)
    alice, steve, stella = group.people
    assert group.view.agreement == group.graph.at(0).act.op_id
    then = group.heads
    texts = [person.does(OpType.AGREEMENT, after=then) for person in (steve, alice, stella)]
    assert group.view.agreement == texts[1]
    later = steve.does(OpType.AGREEMENT)
    assert group.view.agreement == later
    is_as_from_nothing(group)
