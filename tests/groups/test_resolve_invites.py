"""Doors that are closed while somebody comes in: who stays, and that everybody agrees on it."""

from mesh.commands import Rank
from mesh.wire.operations import (
    OpType,
    RekeyBody,
    UninviteBody,
)
from tests.groups.joiners import Code, invite_body, joiner
from tests.groups.parting import circle, counts, meet, told
from tests.groups.people import arrive, founds


def test_a_removal_of_who_issued_an_invite_closes_it() -> None:
    here = circle(Steve=Rank.STEWARD, Mo=Rank.MODERATOR, Bob=Rank.MEMBER)
    alice, steve, mo, bob = here.values()
    code = mo.invites(uses=9)
    for person in (alice, steve, bob):
        person.hears(mo)
    bob.lets_in(joiner("Early", alice.group.gid, alice.group.suite), code)
    steve.hears(bob)
    steve.removes(mo)
    bob.lets_in(joiner("Late", alice.group.gid, alice.group.suite), code)
    meet(alice, steve, bob)
    assert alice.names == {"Alice", "Steve", "Bob", "Early"}
    assert not alice.group.invites[code.op_id].open


def test_a_leave_closes_no_invite() -> None:
    here = circle(Mo=Rank.MODERATOR, Bob=Rank.MEMBER)
    alice, mo, bob = here.values()
    code = mo.invites(uses=9)
    bob.hears(mo)
    bob.lets_in(joiner("Dave", alice.group.gid, alice.group.suite), code)
    mo.leaves()
    meet(alice, bob, mo)
    assert alice.names == {"Alice", "Bob", "Dave"}


def test_a_closing_that_falls_with_its_author_s_admit_strikes_nobody() -> None:
    """Erin is let in twice, and closes her invite in the name of the admit that falls: Frank, who came by it, stays.

    Struck all at once, Frank's admit fell for a closing that itself did not count.
    """
    alice = founds("Alice", settings=(("members-invite", "on"),))
    mo, bob = alice.admits("Mo"), alice.admits("Bob")
    alice.promotes(mo, Rank.MODERATOR)
    first = alice.invites(uses=9)
    for person in (mo, bob):
        person.hears(alice)
    erin = joiner("Erin", alice.group.gid, alice.group.suite)
    falls, stands = mo.lets_in(erin, first, Rank.MEMBER), alice.lets_in(erin, None, Rank.MEMBER)
    alice.uninvites(first)
    erin_in = arrive(erin, mo)
    erin_in.takes(alice.bundle(stands.op_id))
    seed = bytes(16)
    second = told(erin_in, erin_in.forges(OpType.INVITE, invite_body(seed, uses=9), auth=stands.op_id))
    bob.hears(erin_in)
    code = Code(op_id=second.op_id, seed=seed, body=invite_body(seed, uses=9))
    bob.lets_in(joiner("Frank", alice.group.gid, alice.group.suite), code)
    closing = told(erin_in, erin_in.forges(OpType.UNINVITE, UninviteBody(invite=code.op_id), auth=falls.op_id))
    meet(alice, bob, mo, erin_in)
    assert not counts(alice, falls)
    assert not counts(alice, closing)
    assert alice.names == {"Alice", "Mo", "Bob", "Erin", "Frank"}


def test_what_a_void_admit_used_up_stays_used_up() -> None:
    """Uses count admits as they were made, as the rules do: or the door would say open, and nobody could open it."""
    here = circle(Mo=Rank.MODERATOR)
    alice, mo = here.values()
    code = alice.invites()
    mo.hears(alice)
    mo.lets_in(joiner("Dave", alice.group.gid, alice.group.suite), code)
    alice.removes(mo)
    meet(alice, mo)
    assert alice.names == {"Alice"}
    assert len(alice.group.invites[code.op_id].joiners) == 1


def test_two_admits_of_one_joiner_are_one_joiner() -> None:
    """Whichever admit came first, the same view; and what the joiner then writes is let in by everybody."""
    here = circle(Bob=Rank.MEMBER, Carol=Rank.MEMBER)
    alice, bob, carol = here.values()
    code = alice.invites()
    for person in (bob, carol):
        person.hears(alice)
    dave = joiner("Dave", alice.group.gid, alice.group.suite)
    for member in (bob, carol):
        member.lets_in(dave, code)
    by_bob, by_carol = arrive(dave, bob), arrive(dave, carol)
    meet(alice, bob, carol)
    assert alice.view.devices[dave.dev] == dave.card.member_pk
    assert len(alice.group.invites[code.op_id].joiners) == 1
    for welcomed in (by_bob, by_carol):  # as the one or the other welcomed them, they knew of one admit alone
        for member in (alice.restarted(), bob.restarted(), carol.restarted()):
            signed = welcomed.forges(OpType.REKEY, RekeyBody(epoch=welcomed.draft().block))
            assert counts(member, told(member, signed))
