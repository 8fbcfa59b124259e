"""A small story of posts that are confirmed, taken back or run out, in which one machine stops at some commit or send.

The watcher compares each state with what is so, at every step; what must be so in the end is checked here.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Final, TypeVar

from mesh.events import Space
from mesh.ids import GroupId, PostId
from mesh.node.local.methods.messages import gaps_json
from mesh.store.memory import MemoryStore
from simulations.checks import Watch, agree, blamed
from simulations.people import Person, circle
from simulations.weather import Weather
from simulations.world import Crash, Crashed, World

T = TypeVar("T")
NAMES: Final = ("wren", "juniper", "sorrel")
LIFE_S: Final = 20
GONE: Final = ("taken back by wren", "gone by itself", "taken back at once")
STAYS: Final = ("stays", "stays too")


@dataclass(slots=True)
class Story:
    """People to whom one crash happens, and who then do again what they do not know to be done."""

    world: World
    gid: GroupId
    people: tuple[Person, ...]
    posts: dict[str, PostId] = field(default_factory=dict)

    def ask(self, act: Callable[[], T]) -> T:
        """Ask for something, and again if nobody knows whether it was done."""
        try:
            return act()
        except Crashed:
            self.tend()
            return act()

    def tend(self) -> None:
        """Start what has stopped."""
        for person in self.people:
            if not person.node.up:
                person.on()

    def pause(self, seconds: float) -> None:
        """Let time pass, with every machine running."""
        end = self.world.now_ms + seconds * 1000
        while self.world.now_ms < end:
            self.tend()
            left = (end - self.world.now_ms) / 1000
            self.world.run_until(lambda: any(not person.node.up for person in self.people), left)
        self.tend()

    def say(self, person: Person, text: str, *, expires_s: int | None = None) -> None:
        """Say something, once."""

        def act() -> PostId:
            here = [row.post for row in person.messages(self.gid) if text.encode() in row.body]
            return here[0] if here else person.post(self.gid, text, expires_s=expires_s)

        self.posts[text] = self.ask(act)

    def take_back(self, person: Person, text: str) -> None:
        """Take something back, once or twice."""
        self.ask(lambda: person.withdraw(self.gid, self.posts[text]))


@cache
def _before(seed: int) -> tuple[GroupId, dict[str, MemoryStore]]:
    """Bring the three together, once for all crashes of a seed."""
    world = World(seed)
    gid, people = circle(world, *NAMES)
    world.run(10)
    for person in people:
        person.off()
    return gid, {person.name: person.node.store for person in people}


def tell(
    seed: int,
    victim: str | None = None,
    *,
    commit: int | None = None,
    send: int | None = None,
    crash: Crash = Crash.AFTER,
) -> Story:
    """Tell the story, with a crash of `victim` at this commit or after this send; AssertionError for any untruth."""
    gid, stores = _before(seed)
    world = World(seed + 100, Weather(latency_ms=10 * (1 + seed % 3)))
    people = tuple(Person(world, name) for name in NAMES)
    for person in people:
        person.off()
        person.node.store = copy.deepcopy(stores[person.name])
        person.node.commits = person.node.sends = 0
    for person in people:
        person.on()
    watch = Watch.over(world)
    if victim is not None:
        node = world.nodes[victim]
        node.crash_at_commit, node.crash_at_send, node.crash = commit, send, crash
    story = Story(world, gid, people)
    wren, juniper, sorrel = people
    story.pause(2)
    story.say(wren, "stays")
    story.say(wren, GONE[0])
    story.say(juniper, GONE[1], expires_s=LIFE_S)
    story.pause(3)
    story.take_back(wren, GONE[0])
    story.say(sorrel, GONE[2])
    story.take_back(sorrel, GONE[2])
    story.say(sorrel, "stays too")
    story.pause(LIFE_S + 40)
    for node in world.nodes.values():
        node.crash_at_commit = node.crash_at_send = None
    story.pause(30)
    check(story, watch)
    return story


def check(story: Story, watch: Watch) -> None:
    """All is healed: what was taken back or ran out is nowhere, the rest is everywhere, and each state says so."""
    gid, people = story.gid, story.people
    assert agree(gid, people) == []
    assert blamed(story.world) == []
    watch.at_rest(gid, people)
    wren, juniper, sorrel = people
    for person in people:
        assert sorted(person.reads(gid)) == sorted(STAYS), person.name
        held = b"".join(value for space in Space for _, value in person.node.store.scan(space))
        assert [text for text in GONE if text.encode() in held] == [], person.name
        assert person.node.peer is not None
        assert gaps_json(person.node.peer.state, person.room(gid)) == [], person.name
    assert wren.told(gid, story.posts["stays"]) == ("reached", 2, 2)
    assert sorrel.told(gid, story.posts["stays too"]) == ("reached", 2, 2)
    assert wren.told(gid, story.posts[GONE[0]])[0] == "withdrawn"
    assert juniper.told(gid, story.posts[GONE[1]])[0] == "expired"
    assert sorrel.told(gid, story.posts[GONE[2]])[0] == "withdrawn"


@cache
def counts(seed: int) -> dict[str, tuple[int, int]]:
    """Return how many commits and sends each machine makes in the story where nothing happens."""
    return {name: (node.commits, node.sends) for name, node in tell(seed).world.nodes.items()}
