"""What is refused for its form, and in which words: each rule by an act that breaks this one and no other."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from mesh.commands import Rank
from mesh.errors import RemoteError
from mesh.ids import DeviceId, MemberPk, OpId
from mesh.membership.acts import NOTHING, Act, Approved
from mesh.membership.resolve import Views, take
from mesh.membership.structure import MEMBERS_INVITE, SUCCEEDS, TALK
from mesh.wire.limits import DEVICES_PER_MEMBER_MAX, FORKS_PER_DEVICE_MAX, INVITE_USES_MAX
from mesh.wire.operations import OpType
from tests.attacks.plain import Heads, Person, Told, device


@contextmanager
def refused(words: str) -> Iterator[None]:
    """Demand that what happens here is refused with these words."""
    with pytest.raises(RemoteError) as caught:
        yield
    assert words in caught.value.what


def test_a_device_comes_in_once() -> None:
    group = Told(bob=Rank.MEMBER)
    alice, bob = group.people
    phone = bob.adds("phone")
    for again in ("bob", "phone"):
        with refused("a device that was in before"):
            alice.admits("mallory", at=again)
        with refused("a device that was in before"):
            bob.adds(again)
    bob.takes(phone, cut=NOTHING)
    with refused("a device that was in before"):
        bob.adds("phone")


def test_a_device_may_say_its_first_word_itself_and_only_that() -> None:
    group = Told(bob=Rank.MEMBER)
    _, bob = group.people
    phone = bob.on("phone")
    phone.does(OpType.DEVICE_ADD, member=bob.pk, device=phone.dev)
    assert bob.devices == {bob.dev, phone.dev}
    phone.takes(phone, cut=None)
    with refused("a device that is not in"):
        phone.takes(phone, cut=None)


def test_a_group_is_full_at_its_number_of_devices() -> None:
    group = Told(bob=Rank.MEMBER)
    alice, bob = group.people
    views = Views(group.graph)

    def admit(devices_max: int) -> None:
        place = group._place(alice.dev, group.heads, alice.grant)
        who = bob.on("carol's")
        act = Act(type=OpType.ADMIT, member=device("carol"), device=who.dev, rank=Rank.MEMBER, **place)  # type: ignore[arg-type]  # by name
        take(act, group.graph, views, devices_max)

    with refused("full"):
        admit(2)
    admit(3)


def test_a_device_that_goes_makes_no_epoch() -> None:
    group = Told(bob=Rank.MEMBER)
    alice, bob = group.people
    phone = bob.adds("phone")
    with refused("an epoch by the device that goes"):
        phone.takes(phone, cut=None, recipients=tuple(sorted({alice.dev, bob.dev})))


def test_only_a_device_that_was_in_can_be_removed_and_by_whom() -> None:
    group = Told(mo=Rank.MODERATOR, moira=Rank.MODERATOR, bob=Rank.MEMBER)
    alice, mo, moira, bob = group.people
    with refused("never was in"):
        mo.takes(bob.on("phone"), cut=NOTHING)
    with refused("not junior"):
        mo.takes(moira, cut=NOTHING)
    with refused("not junior"):
        mo.takes(bob, cut=None)
    with refused("a more senior grant"):
        bob.takes(alice, cut=NOTHING)
    with refused("the cut of another"):
        mo.takes(bob, cut=mo.grant)
    then = group.heads
    unheard = bob.rekeys({alice.dev, mo.dev, moira.dev, bob.dev})
    for cut in (unheard, OpId(b"\7" * 32)):
        with refused("the cut of another"):
            mo.takes(bob, cut=cut, after=then)
    mo.takes(bob, cut=NOTHING)
    with refused("not in"):
        mo.takes(bob, cut=NOTHING)


def test_one_steps_down_below_the_grant_that_one_exercises() -> None:
    """Bob was a member first: by that grant he can step down to newcomer, and no less far."""
    group = Told(bob=Rank.MEMBER)
    alice, bob = group.people
    first = bob.grant
    alice.promotes(bob, Rank.MODERATOR)
    with refused("demotes nobody"):
        bob.demotes(bob, Rank.MEMBER, auth=first)
    with refused("demotes nobody"):
        bob.demotes(bob, Rank.MODERATOR)
    bob.demotes(bob, Rank.NEWCOMER, auth=first)
    assert bob.rank is Rank.NEWCOMER
    with refused("demotes nobody"):
        bob.demotes(bob, Rank.NEWCOMER, auth=first)


def test_a_rank_is_given_between_the_authors_and_the_targets() -> None:
    group = Told(steve=Rank.STEWARD, stella=Rank.STEWARD, bob=Rank.MEMBER)
    alice, steve, stella, bob = group.people
    with refused("above the author's own rank"):
        steve.promotes(bob, Rank.STEWARD)
    with refused("promotes nobody"):
        steve.promotes(bob, Rank.MEMBER)
    with refused("not junior"):
        steve.demotes(stella, Rank.MEMBER)
    with refused("not junior"):
        steve.demotes(bob, Rank.MEMBER)
    with refused("someone who is not in"):
        alice.promotes(Person(group=group, name="ghost", dev=device("ghost")), Rank.MEMBER)
    alice.promotes(bob, Rank.FOUNDER)
    assert bob.rank is Rank.FOUNDER


def test_what_was_refused_leaves_nothing_behind() -> None:
    """Its views go with it: the next act takes its place, and is seen for what it is."""
    group = Told()
    (alice,) = group.people
    with refused("exactly the devices"):
        alice.admits("mallory", recipients=(alice.dev,))
    alice.admits("bob")
    assert group.names == {"alice", "bob"}


def test_a_duplicate_dep_is_refused() -> None:
    group = Told(bob=Rank.MEMBER)
    alice, _ = group.people
    first: OpId = alice.sets("a")
    second = alice.sets("b")
    with refused("twice over"):
        alice.sets("c", after=(first, second))


# ------------------------------------------------------------------------------------- invites and admits


def someone(name: str) -> MemberPk:
    """A member of another group."""
    return MemberPk(name.encode().ljust(32, b"."))


X, Y = someone("xena"), someone("yves")


def test_who_is_named_comes_in_by_their_own_name_and_once() -> None:
    group = Told(mo=Rank.MODERATOR)
    alice, mo = group.people
    zoe = someone("zoe")
    invite, plain = mo.invites(uses=2, allow=(X, Y)), mo.invites()
    for stranger in (None, zoe):
        with refused("someone whom its invite does not name"):
            mo.admits("sock", under=invite, former=stranger)
    for host, former in ((mo, X), (alice, Y)):
        host.admits(f"anew {former!r}", under=invite, former=former)
        with refused("a name that was used before"):
            alice.admits("sock", under=invite, former=former)
    with refused("a name that was used before"):
        alice.admits("sock", under=invite, former=X)
    for under in (plain, None):
        with refused("names who its joiner was, unasked"):
            mo.admits("sock", under=under, former=zoe)
    mo.admits("guest", under=plain)


OTHER_TERMS = "names who may come in has other terms"


@pytest.mark.parametrize(
    ("words", "terms"),
    [
        ("a rank that invites cannot give", {"rank": Rank.MODERATOR, "uses": 1}),
        ("an invite for too many", {"rank": Rank.MEMBER, "uses": INVITE_USES_MAX + 1}),
        (OTHER_TERMS, {"rank": Rank.MEMBER, "uses": 2, "allow": (X,)}),
        (OTHER_TERMS, {"rank": Rank.MEMBER, "uses": 1, "allow": (X,), "approvals_needed": 1}),
        (OTHER_TERMS, {"rank": Rank.MEMBER, "uses": 2, "allow": (Y, X)}),
        (OTHER_TERMS, {"rank": Rank.MEMBER, "uses": 2, "allow": (X, X)}),
    ],
)
def test_an_invite_gives_no_rank_that_one_earns_and_has_terms_that_agree(words: str, terms: dict[str, object]) -> None:
    (alice,) = Told().people
    with refused(words):
        alice.does(OpType.INVITE, **terms)
    alice.does(OpType.INVITE, rank=Rank.NEWCOMER, uses=INVITE_USES_MAX, approvals_needed=1)
    alice.does(OpType.INVITE, rank=Rank.MEMBER, uses=2, allow=(X, Y))


def test_who_may_invite_and_who_may_close_an_invite() -> None:
    group = Told(mo=Rank.MODERATOR, moira=Rank.MODERATOR, bob=Rank.MEMBER, carol=Rank.MEMBER)
    alice, mo, moira, bob, carol = group.people
    nell = alice.admits("nell", Rank.NEWCOMER)
    for value in ("off", "On"):
        alice.sets(MEMBERS_INVITE, value)
        with refused("a more senior grant"):
            bob.invites()
    alice.sets(MEMBERS_INVITE, "on")
    with refused("a more senior grant"):
        nell.invites()
    his, hers = bob.invites(), bob.invites()
    with refused("a more senior grant"):
        carol.uninvites(his)
    bob.uninvites(his)
    moira.uninvites(hers)
    for nothing in (None, alice.grant, OpId(b"\7" * 32)):
        with refused("an uninvite of nothing"):
            mo.does(OpType.UNINVITE, invite=nothing)
    assert [invite.open for invite in group.view.invites.values()] == [False, False]


def test_an_admit_needs_an_invite_that_stands_or_a_moderator_who_needs_none() -> None:
    group = Told(mo=Rank.MODERATOR, bob=Rank.MEMBER)
    alice, mo, bob = group.people
    nell = alice.admits("nell", Rank.NEWCOMER)
    invite = mo.invites(uses=9)
    for under in (alice.grant, OpId(b"\7" * 32)):
        with refused("an invite that does not stand"):
            mo.admits("sock", under=under)
    with refused("only newcomers, and only under an invite"):
        bob.admits("sock", Rank.NEWCOMER)
    with refused("only newcomers, and only under an invite"):
        bob.admits("sock", Rank.MEMBER, under=invite)
    with refused("a more senior grant"):
        nell.admits("sock", Rank.NEWCOMER, under=invite)
    for rank in (Rank.MODERATOR, Rank.STEWARD, Rank.FOUNDER):
        with refused("a rank that a joiner cannot have"):
            alice.admits("sock", rank)
    bob.admits("guest", Rank.NEWCOMER, under=invite)
    mo.admits("friend", Rank.MEMBER)
    assert {"guest", "friend"} < group.names


def test_an_invite_lets_in_as_many_as_it_says_and_the_same_one_twice() -> None:
    """Two may let the same joiner in at once: whoever has heard of both counts them once."""
    group = Told(mo=Rank.MODERATOR, moira=Rank.MODERATOR)
    alice, mo, moira = group.people
    invite = mo.invites(uses=2)
    then = group.heads
    mo.admits("guest", under=invite)
    moira.admits("guest", under=invite, after=then)
    alice.admits("friend", under=invite)
    with refused("past the uses of its invite"):
        alice.admits("sock", under=invite)


def test_a_conversation_of_two_has_no_third() -> None:
    group = Told({TALK: "on"})
    (alice,) = group.people
    bob = alice.admits("bob")
    for host in (alice, bob):
        with refused("a third one in a conversation of two"):
            host.admits("mallory", Rank.NEWCOMER, under=alice.invites())
    with refused("a third one"):
        alice.admits("mallory")
    assert group.names == {"alice", "bob"}


def test_what_only_a_founding_sets_is_not_changed() -> None:
    (alice,) = Told().people
    for key in (SUCCEEDS, TALK):
        with refused("what only a founding sets"):
            alice.sets(key, "on")


def test_approvals_are_those_of_moderators_who_are_in() -> None:
    group = Told(mo=Rank.MODERATOR, moira=Rank.MODERATOR, bob=Rank.MEMBER)
    alice, mo, moira, bob = group.people
    invite = mo.invites(uses=9, approvals=2)
    then = group.heads
    mos, hers = mo.approves(), moira.approves()
    later = alice.demotes(moira, Rank.NEWCOMER)
    alice.promotes(moira, Rank.MODERATOR)
    no_grant = moira.does(OpType.DEVICE_ADD, member=moira.pk, device=device("moira's phone"))

    def is_refused(words: str, *approvals: Approved, after: Heads | None = None) -> None:
        with refused(words):
            bob.admits("sock", Rank.NEWCOMER, under=invite, approvals=approvals, after=after)

    is_refused("too few approvals")
    is_refused("too few approvals", mos)
    is_refused("too few approvals", mos, mos)
    is_refused("someone who is not in", mos, Approved(grant=hers.grant, dev=device("sock")))
    is_refused("someone who is not in", mos, Approved(grant=hers.grant, dev=bob.dev))
    is_refused("someone who is not in", mos, Approved(grant=OpId(b"\7" * 32), dev=moira.dev))
    is_refused("someone who is not in", mos, moira.approves(), after=then)
    is_refused("someone who is no moderator", mos, bob.approves())
    is_refused("someone who is no moderator", mos, Approved(grant=later, dev=moira.dev))
    is_refused("someone who is no moderator", mos, Approved(grant=no_grant, dev=moira.dev))
    bob.admits("guest", Rank.NEWCOMER, under=invite, approvals=(mos, moira.approves()))
    mo.admits("friend", Rank.NEWCOMER, under=invite)
    bob.admits("other", Rank.NEWCOMER, under=mo.invites())


# ------------------------------------------------------------------------------------- ranks, forks, epochs


def test_only_one_who_is_in_is_demoted_and_only_one_who_was_in_is_removed() -> None:
    group = Told(mo=Rank.MODERATOR, bob=Rank.MEMBER)
    alice, mo, bob = group.people
    ghost = Person(group=group, name="ghost", dev=device("ghost"))
    with refused("a removal of someone who never was in"):
        mo.removes(ghost)
    mo.removes(bob)
    for gone in (ghost, bob):
        with refused("a change of rank for someone who is not in"):
            alice.demotes(gone, Rank.NEWCOMER)
        with refused("a change of rank for someone who is not in"):
            alice.promotes(gone, Rank.MODERATOR)
    alice.removes(bob)  # by a more senior one, once more


def test_a_moderator_makes_newcomers_members_and_nobody_more() -> None:
    group = Told(mo=Rank.MODERATOR, bob=Rank.MEMBER, carol=Rank.MEMBER)
    alice, mo, bob, carol = group.people
    nell = alice.admits("nell", Rank.NEWCOMER)
    for author in (bob, nell):
        with refused("above the author's own rank"):
            author.promotes(nell, Rank.MEMBER)
    with refused("above the author's own rank"):
        mo.promotes(carol, Rank.MODERATOR)
    with refused("a more senior grant"):
        mo.demotes(carol, Rank.NEWCOMER)
    mo.promotes(nell, Rank.MEMBER)
    with refused("promotes nobody"):
        mo.promotes(nell, Rank.MEMBER)
    with refused("promotes nobody"):
        alice.promotes(alice, Rank.FOUNDER)


def test_a_device_offers_so_many_forks() -> None:
    group = Told(bob=Rank.MEMBER)
    alice, bob = group.people
    phone = bob.adds("phone")
    nell = alice.admits("nell", Rank.NEWCOMER)
    with refused("a more senior grant"):
        nell.does(OpType.FORK)
    for _ in range(FORKS_PER_DEVICE_MAX):
        bob.does(OpType.FORK)
    with refused("too many forks"):
        bob.does(OpType.FORK)
    bob.rekeys({alice.dev, bob.dev, phone.dev, nell.dev})
    phone.does(OpType.FORK)


def test_a_device_that_was_taken_brings_in_no_other() -> None:
    group = Told(bob=Rank.MEMBER)
    _, bob = group.people
    phone = bob.adds("phone")
    bob.takes(phone, cut=NOTHING)
    with refused("an operation by a device that is not in"):
        phone.does(OpType.DEVICE_ADD, member=bob.pk, device=device("tablet"), auth=bob.grant)
    with refused("an operation by a device that is not in"):
        phone.takes(phone, cut=None)


def test_nobody_takes_a_device_of_which_they_have_not_heard_or_in_anothers_name() -> None:
    group = Told(mo=Rank.MODERATOR, bob=Rank.MEMBER)
    alice, mo, bob = group.people
    then = group.heads
    phone = bob.adds("phone")
    for author in (bob, mo):
        with refused("a device that never was in"):
            author.takes(phone, cut=NOTHING, after=then)
    for author in (bob, mo):
        with refused("a device that never was in"):
            author.does(OpType.DEVICE_REMOVE, member=alice.pk, device=phone.dev, cut=NOTHING)


def test_nobody_adds_a_device_for_somebody_else() -> None:
    group = Told(bob=Rank.MEMBER)
    alice, bob = group.people
    with refused("added for somebody else"):
        alice.does(OpType.DEVICE_ADD, member=bob.pk, device=device("bug"))


def test_a_member_has_so_many_devices() -> None:
    group = Told(bob=Rank.MEMBER)
    _, bob = group.people
    for k in range(DEVICES_PER_MEMBER_MAX - 1):
        bob.adds(f"phone {k}")
    with refused("too many devices"):
        bob.adds("one more")


def test_nothing_follows_a_leave() -> None:
    """By no device, under no grant: who left is out of every view that holds their leave."""
    group = Told(bob=Rank.MEMBER)
    alice, bob = group.people
    phone, grant = bob.adds("phone"), bob.grant
    bob.leaves()
    for author in (bob, phone):
        with refused("an operation by a device that is not in"):
            author.leaves(auth=grant)
        with refused("an operation by a device that is not in"):
            author.rekeys({alice.dev}, auth=grant)
    with refused("someone who was in before"):
        alice.admits("bob", at="bob's new phone")


Lists = Callable[[DeviceId, DeviceId, DeviceId], tuple[tuple[DeviceId, ...], tuple[DeviceId, ...]]]
LISTS: dict[str, Lists] = {
    "one too few": lambda a, b, c: ((a, b), ()),
    "a stranger": lambda a, b, c: ((a, b, c, device("z")), ()),
    "a stranger instead": lambda a, b, c: ((a, b, device("z")), ()),
    "one twice": lambda a, b, c: ((a, b, b), ()),
    "one dormant twice": lambda a, b, c: ((a,), (b, b)),
    "one in both": lambda a, b, c: ((a, b, c), (c,)),
    "in disorder": lambda a, b, c: ((b, a, c), ()),
    "dormant in disorder": lambda a, b, c: ((a,), (c, b)),
    "without its author": lambda a, b, c: ((b, c), (a,)),
}


@pytest.mark.parametrize("name", LISTS)
def test_an_epoch_names_each_device_that_is_in_once(name: str) -> None:
    group = Told(bob=Rank.MEMBER, carol=Rank.MEMBER)
    alice, bob, carol = group.people
    recipients, dormant = LISTS[name](alice.dev, bob.dev, carol.dev)
    with refused("exactly the devices that are in"):
        alice.does(OpType.REKEY, recipients=recipients, dormant=dormant)
    alice.rekeys({alice.dev}, {bob.dev, carol.dev})
