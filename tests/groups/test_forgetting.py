"""Forgetting, at its edges: how many retired epochs are kept as places to meet at, and for how long."""

from mesh.groups.forgetting import DAY_MS, EPOCHS_KEPT, RETIRED_DAYS, forget_keys
from tests.groups.people import Person, founds


def forgets(person: Person) -> None:
    """One round of forgetting."""
    with person.step() as means:
        forget_keys(person.group, means, gaps=False)


def test_the_newest_epochs_are_kept_to_meet_at_and_no_others() -> None:
    alice = founds("Alice")
    made = [alice.rekeys().op_id for _ in range(EPOCHS_KEPT + 5)]
    forgets(alice)
    assert set(alice.group.epochs) == set(made[-EPOCHS_KEPT:])
    assert [epoch for epoch in made if not alice.group.lacks_epoch(epoch)] == made
    assert [epoch for epoch, record in alice.group.epochs.items() if not record.is_retired] == made[-1:]


def test_a_retired_epoch_is_kept_for_so_many_days() -> None:
    alice = founds("Alice")
    old = alice.rekeys().op_id
    alice.rekeys()
    forgets(alice)
    alice.wall_ms += RETIRED_DAYS * DAY_MS
    forgets(alice)
    assert old in alice.group.epochs
    alice.wall_ms += 1
    forgets(alice)
    assert old not in alice.group.epochs
