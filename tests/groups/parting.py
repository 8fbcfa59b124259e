"""Sides of a group that part, act, and meet again."""

from mesh.commands import Rank
from mesh.groups.operations import Operation
from mesh.wire.invites import OpBundle
from mesh.wire.operations import (
    SignedOp,
)
from tests.groups.people import Person, empty_onlooker, founds, standing


def circle(**ranks: Rank) -> dict[str, Person]:
    """Alice, who founded the group, and others at these ranks; all have heard all."""
    alice = founds("Alice")
    people = {"Alice": alice} | {name: alice.admits(name) for name in ranks}
    for name, rank in ranks.items():
        if rank < Rank.MEMBER:
            alice.promotes(people[name], rank)
    for person in people.values():
        person.hears(alice)
    return people


def meet(*people: Person) -> None:
    """Let all hear all, until nobody has anything new, and demand that they agree."""
    log = {op.op_id: person.bundle(op.op_id) for person in people for op in person.group.log.ops}
    for person in people:
        person.hears(*people)
    for person in reversed(people):
        person.hears(*reversed(people))
    assert all(standing(person) == standing(people[0]) for person in people)
    for order in ([*log.values()], [*reversed(log.values())]):
        late = empty_onlooker(people[0])
        for bundle in order:
            late.takes(bundle)
        assert standing(late) == standing(people[0])


def told(person: Person, signed: SignedOp) -> Operation:
    """Hand a forged operation to somebody, who must take it as well formed."""
    (op, *_) = person.takes(OpBundle(op=signed, wraps=[]))
    return op


def counts(person: Person, op: Operation) -> bool:
    """Whether an operation counts, as this person sees it."""
    return bool(person.group.log.bit(op.op_id) & person.view.valid)
