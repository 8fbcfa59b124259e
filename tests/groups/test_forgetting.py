"""Forgetting, at its edges: which keys go when, and which retired epochs are kept as places to meet at."""

import pytest

from mesh.commands import Rank
from mesh.events import Space
from mesh.groups.forgetting import (
    KEY_WINDOW,
    forget_keys,
    published_kems,
    window_ms,
)
from mesh.ids import OpId
from tests.groups.by_hand import circle
from tests.groups.people import Person, founds

DAY_MS = 86_400_000


def forgets(person: Person, *, gaps: bool = False) -> None:
    """One round of forgetting."""
    with person.step() as means:
        forget_keys(person.group, means, gaps=gaps)


def follows(person: Person, *others: Person) -> None:
    """Let a person know that these have signed something that builds on all that is here."""
    for other in others:
        person.group.note_seen(other.dev, person.group.log.heads)


def opens(person: Person) -> set[OpId]:
    """The epochs whose messages can be opened here."""
    return {epoch for epoch, record in person.group.epochs.items() if not record.is_retired}


# ------------------------------------------------------------------------------------- the window


@pytest.mark.parametrize(
    ("chosen", "days"),
    [("3", 3), ("9", 9), ("30", 30), ("2", 3), ("0", 3), ("31", 30), ("99", 30)]
    + [(odd, 14) for odd in ("100", "014", "", "x", "-5", "1.5", "³")],
)
def test_the_window_is_as_chosen_within_its_limits(chosen: str, days: int) -> None:
    alice = founds("Alice")
    assert window_ms(alice.group) == 14 * DAY_MS
    with alice.step() as means:
        alice.group.set_own(means.journal, settings=[[KEY_WINDOW, chosen]])
    assert window_ms(alice.group) == days * DAY_MS


# ------------------------------------------------------------------------------------- what opens messages


def test_an_epoch_goes_when_each_other_device_has_built_on_what_follows_it() -> None:
    alice, bob, carol = circle("Bob", "Carol")
    before = alice.group.epoch
    assert before is not None
    now = alice.rekeys().op_id
    forgets(alice)
    assert before in opens(alice)
    follows(alice, bob)
    forgets(alice)
    assert before in opens(alice)
    follows(alice, carol)
    forgets(alice, gaps=True)
    assert before in opens(alice)
    assert alice.group.gid + before in alice.rows[Space.WRAPS]
    forgets(alice)
    assert opens(alice) == {now}
    assert alice.group.gid + before not in alice.rows[Space.WRAPS]
    assert alice.group.gid + now in alice.rows[Space.WRAPS]


def test_nobody_has_built_on_the_first_epoch_before_they_are_in() -> None:
    alice = founds("Alice")
    first = alice.group.epoch
    forgets(alice)
    assert opens(alice) == {first}
    bob = alice.admits("Bob")
    forgets(alice)
    assert first in opens(alice)
    follows(alice, bob)
    forgets(alice)
    assert opens(alice) == {alice.group.epoch}


def test_an_epoch_that_leaves_somebody_out_is_no_successor() -> None:
    alice, bob = circle("Bob")
    before = alice.group.epoch
    bob.rekeys()
    carol = alice.admits("Carol")
    with alice.step() as means:
        alice.group.retire_epoch(alice.group.log.ops[-1].op_id, means.journal)
    alice.hears(bob)
    follows(alice, bob, carol)
    assert alice.group.epoch == bob.group.epoch
    assert not alice.group.epoch_is_complete
    forgets(alice)
    assert before in opens(alice)


def test_an_epoch_that_somebody_cannot_open_goes_by_age_alone() -> None:
    """They may still find its key with others, so its wraps stay too."""
    alice, bob = circle("Bob")
    before = alice.group.epoch
    assert before is not None
    now = alice.rekeys().op_id
    follows(alice, bob)
    with alice.step() as means:
        alice.group.note_stranded(bob.dev, before, means.journal)
    forgets(alice)
    assert before in opens(alice)
    alice.wall_ms += window_ms(alice.group) + 1
    forgets(alice)
    assert opens(alice) == {now}
    assert alice.group.gid + before in alice.rows[Space.WRAPS]


def test_an_epoch_goes_when_what_follows_it_has_been_here_for_the_window() -> None:
    alice, _ = circle("Bob")
    before = opens(alice)
    now = alice.rekeys().op_id
    alice.wall_ms += window_ms(alice.group)
    forgets(alice)
    assert opens(alice) == before | {now}
    alice.wall_ms += 1
    forgets(alice)
    assert opens(alice) == {now}


def test_a_void_epoch_makes_nothing_old() -> None:
    """Mo made it when he was out already: who was removed cannot have keys deleted that others need."""
    alice, mo, bob, _ = circle("Mo", "Bob", "Carol")
    alice.promotes(mo, Rank.MODERATOR)
    for person in (mo, bob):
        person.hears(alice)
    before = bob.group.epoch
    mo.rekeys()
    bob.hears(mo)
    bob.wall_ms += window_ms(bob.group)
    alice.removes(mo)
    bob.hears(alice)
    bob.wall_ms += 1
    forgets(bob)
    assert before in opens(bob)


# ------------------------------------------------------------------------------------- KEM keys


def kem_numbers(person: Person) -> list[int]:
    return sorted(person.group.kems)


def test_a_kem_key_goes_when_each_other_device_has_built_on_a_later_one() -> None:
    """The newest need not be known to all: the next is enough."""
    alice, bob, carol = circle("Bob", "Carol")
    alice.rekeys()
    *_, before, now = kem_numbers(alice)
    assert alice.group.kems[now].replaced_ms == 0
    follows(alice, bob)
    forgets(alice)
    assert before in kem_numbers(alice)
    follows(alice, carol)
    alice.rekeys()
    forgets(alice)
    assert kem_numbers(alice) == [now, now + 1]
    assert alice.restarted().group.kems.keys() == {now, now + 1}


def test_no_kem_key_goes_while_one_who_is_in_has_said_nothing() -> None:
    alice = founds("Alice")
    bob = alice.admits("Bob")
    held = kem_numbers(alice)
    forgets(alice)
    assert kem_numbers(alice) == held
    follows(alice, bob)
    forgets(alice)
    assert kem_numbers(alice) == held[-1:]


def test_a_kem_key_goes_when_it_was_replaced_before_the_window() -> None:
    alice, _ = circle("Bob")
    alice.wall_ms += DAY_MS
    alice.rekeys()
    before, now = kem_numbers(alice)[-2:]
    alice.wall_ms += window_ms(alice.group)
    forgets(alice)
    assert {before, now} <= set(kem_numbers(alice))
    alice.wall_ms += 1
    forgets(alice)
    assert kem_numbers(alice) == [now]
    alice.wall_ms += 9 * window_ms(alice.group)
    forgets(alice)
    assert kem_numbers(alice) == [now]


def test_which_operation_made_a_kem_key_known() -> None:
    alice, bob = circle("Bob")
    bob.rekeys()
    alice.hears(bob)
    op = alice.rekeys()
    alice.sets()
    assert published_kems(alice.group)[alice.group.own.kem_number] == op.op_id
    assert bob.group.log.ops[-1].op_id not in published_kems(alice.group).values()
    assert set(published_kems(alice.group)) == set(kem_numbers(alice)[1:])  # the first came with the card


# ------------------------------------------------------------------------------------- places to meet at


def test_the_newest_epochs_are_kept_to_meet_at_and_no_others() -> None:
    alice = founds("Alice")
    made = [alice.rekeys().op_id for _ in range(64 + 5)]
    forgets(alice)
    assert set(alice.group.epochs) == set(made[-64:])
    assert [epoch for epoch in made if not alice.group.lacks_epoch(epoch)] == made
    assert [epoch for epoch, record in alice.group.epochs.items() if not record.is_retired] == made[-1:]


def test_a_retired_epoch_is_kept_for_so_many_days() -> None:
    alice = founds("Alice")
    old = alice.rekeys().op_id
    alice.rekeys()
    forgets(alice)
    alice.wall_ms += 180 * DAY_MS
    forgets(alice)
    assert old in alice.group.epochs
    alice.wall_ms += 1
    forgets(alice)
    assert old not in alice.group.epochs
