"""Attacks on who belongs, at what rank, and what counts: told on plain records."""

from mesh.commands import Rank
from mesh.ids import OpId
from mesh.membership.acts import NOTHING
from mesh.wire.operations import OpType
from tests.attacks.plain import Told, refused

# ------------------------------------------------------------------------------------- form


def test_attack_03_type_not_permitted() -> None:
    group = Told(steve=Rank.STEWARD, mo=Rank.MODERATOR, may=Rank.MEMBER, nell=Rank.NEWCOMER)
    _, steve, mo, may, nell = group.people
    code = mo.invites(uses=9)
    for person in (mo, may, nell):
        with refused():
            person.sets()
        with refused():
            person.does(OpType.AGREEMENT)
        with refused():
            person.promotes(may, Rank.MODERATOR)
    for person in (may, nell):
        with refused():
            person.removes(nell)
        with refused():
            person.invites()
        with refused():
            person.uninvites(code)
        with refused():
            person.admits("sock")  # without an invite
    with refused():
        nell.admits("sock", Rank.NEWCOMER, under=code)
    may.admits("dave", Rank.NEWCOMER, under=code)
    steve.sets()


def test_attack_04_another_member_s_grant() -> None:
    group = Told(steve=Rank.STEWARD, may=Rank.MEMBER)
    alice, steve, may = group.people
    for other in (alice, steve):
        with refused():
            may.sets(auth=other.grant)
    steve.sets()


def test_attack_05_grant_is_no_ancestor() -> None:
    group = Told(steve=Rank.MEMBER)
    alice, steve = group.people
    then = group.heads
    promoted = alice.promotes(steve, Rank.STEWARD)
    with refused():
        steve.sets(auth=promoted, after=then)
    with refused():
        steve.sets(auth=OpId(b"\7" * 32))
    steve.sets(auth=promoted)


def test_attack_06_self_promotion() -> None:
    """Also in the clothes of a demotion."""
    group = Told(steve=Rank.STEWARD, mo=Rank.MODERATOR, may=Rank.MEMBER)
    _, steve, mo, may = group.people
    for person, dream in ((steve, Rank.FOUNDER), (mo, Rank.STEWARD), (may, Rank.MODERATOR)):
        with refused():
            person.promotes(person, dream)
        with refused():
            person.demotes(person, dream)
    with refused():
        steve.promotes(may, Rank.STEWARD)  # nor does one make equals, to be promoted by them
    assert (steve.rank, mo.rank, may.rank) == (Rank.STEWARD, Rank.MODERATOR, Rank.MEMBER)


def test_attack_13_fork_of_one_s_own_chain() -> None:
    """A gap, a repeat, a wrong predecessor; two branches both stand, and whoever has seen both goes no further."""
    group = Told(bob=Rank.MEMBER)
    alice, bob = group.people
    then = group.heads
    first = alice.sets()
    own = group.entry(first).act
    bobs = bob.rekeys({alice.dev, bob.dev})
    for changes in (
        {"dseq": own.dseq},
        {"dseq": own.dseq + 2},
        {"dseq": 1, "dprev": NOTHING},
        {"dprev": NOTHING},
        {"dprev": own.dprev},
        {"dprev": bobs},
        {"dprev": OpId(b"\5" * 32)},
    ):
        with refused():
            alice.sets(changes=changes)
    second = alice.sets(after=then)
    assert group.counts(first)
    assert group.counts(second)
    with refused():
        alice.sets()
    bob.rekeys({alice.dev, bob.dev})


def test_attack_14_inflated_gen() -> None:
    group = Told(bob=Rank.MEMBER)
    alice, _ = group.people
    for gen in (1, 2, 4, 2**32 - 1):
        with refused():
            alice.sets(changes={"gen": gen})
    alice.sets()


def test_attack_43_junior_re_admits_whom_a_senior_removed() -> None:
    group = Told(mo=Rank.MODERATOR, bob=Rank.MEMBER)
    alice, mo, bob = group.people
    then = group.heads
    alice.removes(bob)
    with refused():
        mo.admits("bob", at="bob's new phone")
    with refused():
        mo.admits("bob", at="bob's new phone", after=then)
    assert group.names == {"alice", "mo"}


# ------------------------------------------------------------------------------------- removals


def test_attack_07_equal_rank_removal() -> None:
    group = Told(mo=Rank.MODERATOR, moira=Rank.MODERATOR)
    _, mo, moira = group.people
    mo.removes(moira)
    assert group.names == {"alice", "mo", "moira"}


def test_attack_08_mutual_removal() -> None:
    """Of two of unlike ranks the senior stays; of equals all stay, also three in a ring: no tie needs to be broken."""
    group = Told(steve=Rank.STEWARD, mo=Rank.MODERATOR, ann=Rank.MODERATOR, ben=Rank.MODERATOR, cat=Rank.MODERATOR)
    _, steve, mo, *ring = group.people
    then = group.heads
    mo.removes(steve, after=then)
    steve.removes(mo, after=then)
    for place, person in enumerate(ring):
        person.removes(ring[place - 1], after=then)
    assert group.names == {"alice", "steve", "ann", "ben", "cat"}


def test_attack_09_removed_steward_re_adds_themself() -> None:
    group = Told(steve=Rank.STEWARD)
    alice, steve = group.people
    then = group.heads
    alice.removes(steve, after=then)
    steve.admits("steve's sock", after=then)
    assert group.names == {"alice"}


def test_attack_10_accomplice_re_adds_at_the_same_time() -> None:
    """Mo, who stays, raises the newcomer whom Alice removes; raised again by one who has heard of it, she is in."""
    group = Told(mo=Rank.MODERATOR, nell=Rank.NEWCOMER)
    alice, mo, nell = group.people
    then = group.heads
    alice.removes(nell, after=then)
    raised = mo.promotes(nell, Rank.MEMBER, after=then)
    assert group.counts(raised)
    assert group.names == {"alice", "mo"}


def test_attack_11_back_dated_acts_of_one_who_was_removed() -> None:
    group = Told(steve=Rank.STEWARD, bob=Rank.MEMBER)
    alice, steve, bob = group.people
    before = steve.sets("note", "said in time")
    then = group.heads
    alice.removes(steve)
    void = [
        steve.sets("note", "back-dated", after=then),
        steve.removes(bob, after=then),
        steve.promotes(bob, Rank.MODERATOR, after=then),
    ]
    assert not any(group.counts(op_id) for op_id in void)
    assert group.counts(before)
    assert group.view.settings["note"] == "said in time"
    assert bob.rank is Rank.MEMBER


def test_attack_44_demote_or_promote_resurrects() -> None:
    group = Told(steve=Rank.STEWARD, bob=Rank.MEMBER)
    alice, steve, bob = group.people
    then = group.heads
    alice.removes(bob, after=then)
    steve.demotes(bob, Rank.NEWCOMER, after=then)
    assert bob.rank is None
    raised = steve.promotes(bob, Rank.MODERATOR, after=then)
    assert group.counts(raised)
    assert bob.rank is None
    for change in (steve.promotes, steve.demotes, alice.promotes):
        with refused():
            change(bob, Rank.NEWCOMER)


def test_attack_54_back_dated_removal_from_when_the_target_was_new() -> None:
    """Mo, Bob's senior once, dates back a removal of Bob, and one of Bob's device with cut 0: Bob has risen since."""
    group = Told(mo=Rank.MODERATOR, bob=Rank.NEWCOMER)
    alice, mo, bob = group.people
    then = group.heads
    alice.promotes(bob, Rank.STEWARD)
    did = bob.sets()
    mo.removes(bob, after=then)
    mo.takes(bob, cut=NOTHING, after=then)
    assert bob.rank is Rank.STEWARD
    assert bob.devices == {bob.dev}
    assert group.counts(did)


# ------------------------------------------------------------------------------------- leaving


def test_attack_12_back_dated_leave_of_one_who_was_removed() -> None:
    """Nobody whom they let in loses their place."""
    group = Told(mo=Rank.MODERATOR)
    alice, mo = group.people
    then = group.heads
    mo.admits("bob")
    alice.removes(mo)
    mo.leaves(after=then)
    assert group.names == {"alice", "bob"}


def test_attack_57_second_leave_on_a_forked_chain() -> None:
    """It would unmake what Mo did before the first, here a removal: once a senior has also removed Mo, it does not."""
    group = Told(mo=Rank.MODERATOR, bob=Rank.MEMBER)
    alice, mo, bob = group.people
    then = group.heads
    removal = mo.removes(bob)
    mo.leaves()
    assert group.names == {"alice"}
    alice.removes(mo)
    mo.leaves(after=then)
    assert group.counts(removal)
    assert group.names == {"alice"}


# ------------------------------------------------------------------------------------- invites


def test_attack_33_last_place_is_raced_for() -> None:
    """Two who did not see each other's admit both stand; from then on the invite is used up."""
    group = Told(bob=Rank.MEMBER, carol=Rank.MEMBER)
    alice, bob, carol = group.people
    code = alice.invites(uses=1)
    then = group.heads
    dave = bob.admits("dave", Rank.NEWCOMER, under=code, after=then)
    carol.admits("erin", Rank.NEWCOMER, under=code, after=then)
    assert group.names == {"alice", "bob", "carol", "dave", "erin"}
    for person in (alice, bob, carol):
        with refused():
            person.admits("frank", Rank.NEWCOMER, under=code)
    with refused():  # nor by one who has seen one of the two
        bob.admits("frank", Rank.NEWCOMER, under=code, after=(dave.grant,))


def test_attack_34_use_races_the_closing_of_an_invite() -> None:
    """It falls. A closing dated back evicts nobody whom one senior to the closer let in."""
    group = Told(steve=Rank.STEWARD, mo=Rank.MODERATOR, bob=Rank.MEMBER)
    alice, steve, mo, bob = group.people
    code = alice.invites(uses=9)
    bob.admits("before", Rank.NEWCOMER, under=code)
    then = group.heads
    steve.admits("by steve", Rank.NEWCOMER, under=code, after=then)
    bob.admits("by bob", Rank.NEWCOMER, under=code, after=then)
    mo.uninvites(code, after=then)
    alice.admits("by alice", Rank.NEWCOMER, under=code, after=then)  # heard of later than the closing
    assert group.names == {"alice", "steve", "mo", "bob", "before", "by steve", "by alice"}


def test_attack_58_approval_after_its_signer_s_removal() -> None:
    """It falls with its signer, unless whoever removed them had seen the admit."""
    group = Told(mo=Rank.MODERATOR, bob=Rank.MEMBER)
    alice, mo, bob = group.people
    code = alice.invites(uses=9, approvals=1)
    yes = mo.approves()
    with refused():
        bob.admits("nobody's", Rank.NEWCOMER, under=code)
    bob.admits("early", Rank.NEWCOMER, under=code, approvals=(yes,))
    seen = group.heads
    alice.removes(mo)
    bob.admits("late", Rank.NEWCOMER, under=code, approvals=(yes,), after=seen)
    assert group.names == {"alice", "bob", "early"}
    with refused():
        bob.admits("later", Rank.NEWCOMER, under=code, approvals=(yes,))
