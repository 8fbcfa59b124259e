"""Doors that are closed while somebody comes in: who stays, and that everybody agrees on it."""

from msgspec.structs import replace

from mesh.commands import Rank
from mesh.crypto.keys import sign
from mesh.groups.authoring import admit
from mesh.groups.joining import APPROVAL_LABEL, approval_statement, join_statement
from mesh.wire.operations import (
    Approval,
    OpType,
    RekeyBody,
    UninviteBody,
)
from tests.groups.joiners import Code, invite_body, joiner
from tests.groups.parting import circle, counts, meet, told
from tests.groups.people import arrive, founds


def test_an_admit_that_races_the_closing_of_its_invite_falls() -> None:
    """Attack 34, first half."""
    here = circle(Mo=Rank.MODERATOR, Bob=Rank.MEMBER)
    alice, mo, bob = here.values()
    code = alice.invites(uses=9)
    for person in (mo, bob):
        person.hears(alice)
    bob.lets_in(joiner("Before", alice.group.gid, alice.group.suite), code)
    mo.hears(bob)
    mo.uninvites(code)
    bob.lets_in(joiner("Late", alice.group.gid, alice.group.suite), code)
    meet(alice, mo, bob)
    assert alice.names == {"Alice", "Mo", "Bob", "Before"}
    assert not alice.group.invites[code.op_id].open


def test_a_closing_dated_back_does_not_evict_whom_a_senior_let_in() -> None:
    """Attack 34, second half: only admits at the closer's own level or below it fall."""
    here = circle(Steve=Rank.STEWARD, Mo=Rank.MODERATOR, Bob=Rank.MEMBER)
    alice, steve, mo, bob = here.values()
    code = alice.invites(uses=9)
    for person in (steve, mo, bob):
        person.hears(alice)
    then = mo.restarted()
    steve.lets_in(joiner("By Steve", alice.group.gid, alice.group.suite), code)
    bob.lets_in(joiner("By Bob", alice.group.gid, alice.group.suite), code)
    then.uninvites(code)
    meet(alice, steve, bob, then)
    assert alice.names == {"Alice", "Steve", "Mo", "Bob", "By Steve"}


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


def test_an_approval_falls_with_its_approver() -> None:
    """Attack 58: signed, or shown, after its signer's removal."""
    here = circle(Mo=Rank.MODERATOR, Bob=Rank.MEMBER)
    alice, mo, bob = here.values()
    code = alice.invites(uses=9, approvals=1)
    for person in (mo, bob):
        person.hears(alice)
    asked = joiner("Dave", alice.group.gid, alice.group.suite).asks(alice.group.gid, code, rank=Rank.NEWCOMER)
    statement = join_statement(
        alice.group.gid, code.op_id, asked.card, asked.join_nonce, asked.alias, asked.agreement_hash
    )
    said = APPROVAL_LABEL + approval_statement(alice.group.gid, code.op_id, statement)
    yes = Approval(grant=mo.view.members[mo.pk].grant, dev=mo.dev, sig=sign(mo.dev_seed, said))
    with bob.step() as means:
        admitted = admit(bob.group, replace(asked, approvals=[yes]), means).op
    assert "Dave" in bob.names
    alice.removes(mo)  # who had not seen the admit
    meet(alice, bob)
    assert not counts(alice, admitted)
    assert alice.names == {"Alice", "Bob"}
