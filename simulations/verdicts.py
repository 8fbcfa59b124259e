"""Verdicts: what must be so when a plan has ended and every path is mended, and whether figures are within bounds."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from mesh.crypto.keys import public_key
from mesh.ids import GroupId, MemberPk
from mesh.peer.records import JoinStage
from mesh.wire.invites import Door
from simulations.checks import agree, out_of_order, unread
from simulations.people import Person
from simulations.scenario import Bound
from simulations.stage import Stage, is_in

ENDED = frozenset({JoinStage.JOINED, JoinStage.REFUSED, JoinStage.EXPIRED})
_AT_REST = ("all agree", "nothing is lost", "in order", "one order", "who is in knows it", "fits together")
AGAIN_MAX = 10  # times that one message may go one way: after breaks and crashes, not for nothing
NAMED_MAX = 5  # faults of one check that are told; a broken run has thousands


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must be so, and what speaks against it: nothing if it is."""

    name: str
    found: str = ""

    @property
    def passed(self) -> bool:
        """Whether it is so."""
        return not self.found


def told(name: str, found: Iterable[str]) -> Check:
    """Make a check of what was found against it."""
    listed = list(found)
    more = f" … and {len(listed) - NAMED_MAX} more" if len(listed) > NAMED_MAX else ""
    return Check(name, "; ".join(listed[:NAMED_MAX]) + more)


def settle(stage: Stage) -> float | None:
    """Mend all, bring everybody back, and wait until all agree; return how many seconds it took, or None."""
    world = stage.world
    for person in stage.people.values():
        person.node.crash_at_commit = person.node.crash_at_send = None
    world.heal()
    for person in stage.people.values():
        if not person.node.up:
            person.on()
    began = world.now_ms
    while world.now_ms - began < stage.plan.settle_s * 1000:
        world.run(1)
        if not any(_open(stage)):
            return (world.now_ms - began) / 1000
    return None


def _open(stage: Stage) -> Iterable[str]:
    """Name what still keeps a run from having settled."""
    for gid in stage.groups.values():
        people = honest_members(stage, gid)
        if people:
            yield from agree(gid, people)
            yield from unread(stage.watch, gid, people)
    yield from _knocking(stage)


def _knocking(stage: Stage) -> Iterable[str]:
    """Name who still waits to be let in."""
    for name, join in stage.joins:
        person = stage.people[name]
        if name not in stage.rogues and person.knows(join) and person.stage(join) not in ENDED:
            yield f"{name} is still {person.stage(join).value}"


def honest_members(stage: Stage, gid: GroupId) -> list[Person]:
    """Give those who keep to the rules, believe to be in, and are so as the best informed of them has it."""
    believers = [p for p in stage.people.values() if p.name not in stage.rogues and is_in(p, gid)]
    if not believers:
        return []
    wisest = max(believers, key=lambda person: len(person.group(gid).log.ops))
    return acquainted(gid, wisest, believers)


def acquainted(gid: GroupId, wisest: Person, believers: list[Person]) -> list[Person]:
    """Give those who are in as the wisest has it, and who can find each other.

    Nodes meet on an epoch that both hold. One who was away since before all others came in shares none with them, and
    comes back only through somebody who was there in both times (docs/protocol.md, the way back).
    """
    found = [wisest]
    for person in found:
        held = person.group(gid).epochs.keys()
        found.extend(
            other
            for other in believers
            if other not in found
            and other.member(gid) in wisest.group(gid).view.members
            and held & other.group(gid).epochs.keys()
        )
    return found


def verdicts(stage: Stage) -> list[Check]:
    """Judge a run that has ended."""
    honest = [person for person in stage.people.values() if person.name not in stage.rogues]
    checks: dict[str, list[str]] = {name: [] for name in _AT_REST}
    for gid in stage.groups.values():
        people = honest_members(stage, gid)
        if not people:
            continue
        checks["all agree"] += agree(gid, people)
        checks["nothing is lost"] += unread(stage.watch, gid, people)
        checks["in order"] += out_of_order(gid, people)
        checks["one order"] += unlike(gid, people) if clocks_are_right(stage) else []
        checks["who is in knows it"] += declined(stage, gid, people)
        try:
            stage.watch.at_rest(gid, people)
        except AssertionError as wrong:
            checks["fits together"].append(str(wrong))
    checks["nobody honest is blamed"] = [
        f"{person.name} blames {blame.fault}"
        for person in (honest if not stage.rogues else [])
        for blame in person.node.blames
    ]
    checks["nothing goes in circles"] = list(_circling(stage))
    checks["every knock ends"] = list(_knocking(stage))
    return [told(name, found) for name, found in checks.items()]


def clocks_are_right(stage: Stage) -> bool:
    """Say whether nobody's clock was ever off; one that is may misplace what its owner says."""
    return not any(somebody.skew_ms for somebody in stage.plan.people) and not any(
        one.do == "clock" for one in stage.plan.steps
    )


def unlike(gid: GroupId, people: list[Person]) -> Iterable[str]:
    """Name whose pages have posts that both can read in different orders."""
    first, *others = people
    page = {row.post: k for k, row in enumerate(first.messages(gid))}
    for person in others:
        shared = [page[row.post] for row in person.messages(gid) if row.post in page]
        if shared != sorted(shared):
            at = next(k for k in range(1, len(shared)) if shared[k] < shared[k - 1])
            yield f"{first.name} and {person.name} read different conversations, from post {at + 1} on"


def declined(stage: Stage, gid: GroupId, people: list[Person]) -> Iterable[str]:
    """Name who was turned away at the door and is a member all the same."""
    members = people[0].group(gid).view.members
    for (name, join), of in stage.joins.items():
        person = stage.people[name]
        if of != gid or name in stage.rogues or not person.knows(join) or gid not in person.member_seeds:
            continue
        record, key = person.join_record(join), MemberPk(public_key(person.key_seed(gid).reveal()))
        if record.stage is JoinStage.REFUSED and record.door is not Door.OPEN and key in members:
            yield f"{name} was told {record.door.name}, and {people[0].name} counts them in"


def _circling(stage: Stage) -> Iterable[str]:
    """Name who sends the same thing the same way again and again, where no weather doubles it."""
    for (one, other), frames in stage.measures.crossed.items():
        most = max(frames.values())
        if most > AGAIN_MAX and one not in stage.rogues and not stage.plan.weather.duplicates:
            yield f"{one} gives {other} one message {most} times"


def within(bounds: Mapping[str, Bound], figures: Mapping[str, float]) -> list[Check]:
    """Hold figures against bounds."""
    return [
        Check(f"{name} is {bound}", "" if bound.holds(figures[name]) else f"it is {figures[name]:g}")
        for name, bound in bounds.items()
        if name in figures
    ]
