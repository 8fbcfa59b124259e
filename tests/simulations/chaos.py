"""Days when everything goes wrong, drawn from a seed: what people do, what their machines suffer, and what must hold.

First safety, under faults: a `Watch` compares every claim with what is so. Then the paths heal, everybody comes back,
and agreement is demanded.
"""

import random
from contextlib import suppress
from dataclasses import dataclass, field

from mesh.commands import Rank, Rekey, RevokeInvite
from mesh.errors import LocalError
from mesh.ids import GroupId, JoinId, PostId
from mesh.peer.records import JoinStage
from simulations.checks import Watch, agree, blamed, out_of_order, unread
from simulations.people import Code, Person, circle, gather
from simulations.verdicts import acquainted
from simulations.weather import Weather
from simulations.world import Crash, Crashed, World

SKIES = (
    Weather(),
    Weather(loss=0.2),
    Weather(latency_ms=150, jitter_ms=200),
    Weather(latency_ms=1, jitter_ms=0),
)
PAUSES_S = (0, 0.01, 0.1, 0.5, 2, 5)
TALK = ("post",) * 4
TROUBLE = ("stop", "power", "start", "start", "cut", "clog", "heal", "flap", "link", "crash")
ORDER = ("rekey", "invite", "rank")
RETURN = ("look", "knock")  # what one does who seems to be out
COMING_AND_GOING = ("look", "look", "knock", "knock", "remove", "leave", "wipe", "revoke", "heal")


@dataclass(slots=True)
class Day:
    """One such day."""

    dice: random.Random
    world: World
    watch: Watch
    gid: GroupId
    everyone: list[Person]
    codes: list[Code] = field(default_factory=list)
    joins: dict[str, list[JoinId]] = field(default_factory=dict)
    said: list[tuple[Person, PostId]] = field(default_factory=list)

    def is_in(self, person: Person) -> bool:
        """Say whether someone believes to be in, and can say so."""
        if not person.node.up or person.node.peer is None or self.gid not in person.node.peer.state.rooms:
            return False
        return person.group(self.gid).me is not None and not person.group(self.gid).own.left

    def happens(self, what: str) -> None:
        """Let something happen to somebody."""
        person = self.dice.choice(self.everyone)
        other = self.dice.choice([p for p in self.everyone if p is not person])
        with suppress(LocalError, Crashed):
            if what in TROUBLE:
                self._trouble(what, person, other)
            elif self.is_in(person) and not (what in RETURN and person.room(self.gid).seems_out):
                self._member(what, person, other)
            elif person.node.up:
                self._stranger(what, person)
        self.world.run(self.dice.choice(PAUSES_S))

    def _trouble(self, what: str, person: Person, other: Person) -> None:
        up = person.node.up
        match what:
            case "stop" | "power" if up:
                person.off(power_cut=what == "power")
            case "start" if not up:
                person.on()
            case "cut":
                self.world.cut(person.name, other.name)
            case "clog":
                self.world.clog(person.name, other.name)
            case "heal":
                self.world.heal()
            case "flap":
                self.world.flap(person.name, other.name)
            case "link" if up and other.node.up and not self.world.paths.is_cut(person.name, other.name):
                self.world.join_up(person.name, other.name)
            case "crash":
                person.node.crash_at_commit = person.node.commits + self.dice.randrange(1, 6)
                person.node.crash = self.dice.choice(list(Crash))
            case _:
                pass

    def _member(self, what: str, person: Person, other: Person) -> None:
        gid = self.gid
        match what:
            case "post":
                self.said.append((person, person.post(gid, f"{len(self.said)} by {person.name}")))
            case "rekey":
                self.world.ask(person.name, Rekey(group=gid))
            case "invite":
                self.codes.append(person.invite(gid, uses=self.dice.choice((1, 1, 3)), approvals=0))
            case "revoke" if self.codes:
                self.world.ask(person.name, RevokeInvite(group=gid, invite=self.dice.choice(self.codes).invite))
            case "rank" if self.is_in(other):
                person.rank(gid, other, self.dice.choice((Rank.STEWARD, Rank.MODERATOR, Rank.MEMBER)))
            case "remove" if self.is_in(other):
                person.remove(gid, other.member(gid))
            case "leave" | "wipe" if self.dice.random() < 0.4:
                person.leave(gid, wipe=what == "wipe")
            case _:
                pass

    def _stranger(self, what: str, person: Person) -> None:
        joins = self.joins.setdefault(person.name, [])
        if what == "look" and self.codes:
            joins.append(person.look(self.dice.choice(self.codes), *[p for p in self.everyone if p is not person]))
        elif what == "knock":
            for join in joins:
                if person.knows(join) and person.stage(join) is JoinStage.PREVIEW:
                    person.knock(join, self.gid)

    def ends(self, seconds: float) -> None:
        """Heal every path, bring everybody back, and let them find each other."""
        for person in self.everyone:
            person.node.crash_at_commit = None
        self.world.heal()
        for person in self.everyone:
            if not person.node.up:
                person.on()
        self.world.run(seconds)


def stormy_day(seed: int, steps: int) -> World:
    """Four members talk through every kind of trouble; return their world. AssertionError for what does not hold."""
    dice = random.Random(f"storm {seed}")
    world = World(seed, dice.choice(SKIES))
    watch = Watch.over(world)
    gid, people = circle(world, "wren", "juniper", "sorrel", "tansy")
    day = Day(dice, world, watch, gid, people)
    for _ in range(steps):
        day.happens(dice.choice((*TALK, *TROUBLE, *ORDER)))
    day.ends(60)
    assert agree(gid, people) == []
    assert unread(watch, gid, people) == []
    assert out_of_order(gid, people) == []
    assert blamed(world) == []
    watch.at_rest(gid, people)
    for person, post in day.said:
        delivery = person.delivery(gid, post)
        assert delivery.reached == delivery.of, f"{person.name}'s post does not reach everybody"
    return world


def revolving_door(seed: int, steps: int) -> World:
    """People come in, leave, are removed and come again through trouble; those who are in at the end must agree."""
    dice = random.Random(f"door {seed}")
    world = World(seed, dice.choice(SKIES))
    watch = Watch.over(world)
    gid, people = circle(world, "wren", "juniper", "sorrel")
    day = Day(dice, world, watch, gid, people + gather(world, "tansy", "alder", "rowan", "hazel"))
    for _ in range(steps):
        day.happens(dice.choice((*TALK, *TROUBLE, *ORDER, *ORDER, *COMING_AND_GOING)))
    day.ends(120)
    believers = [person for person in day.everyone if day.is_in(person)]
    if believers:
        wisest = max(believers, key=lambda person: len(person.group(gid).log.ops))
        members = acquainted(gid, wisest, believers)
        assert agree(gid, members) == []
        assert unread(watch, gid, members) == []
        assert out_of_order(gid, members) == []
    assert blamed(world) == []
    watch.at_rest(gid, day.everyone)
    return world
