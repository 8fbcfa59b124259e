"""What is refused for its form, and in which words: each rule by an act that breaks this one and no other."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from mesh.commands import Rank
from mesh.errors import RemoteError
from mesh.ids import OpId
from mesh.membership.acts import NOTHING, Act
from mesh.membership.resolve import Views, take
from mesh.wire.operations import OpType
from tests.attacks.plain import Person, Told, device


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
