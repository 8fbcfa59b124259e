"""A small story in which one machine stops at one commit, and goes on: found, join, talk, remove, come back."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Final, TypeVar

from mesh.commands import Rekey
from mesh.events import Space
from mesh.ids import GroupId
from mesh.peer.records import JoinStage
from simulations.checks import Watch, agree, blamed, out_of_order, unread
from simulations.people import Code, Person, gather
from simulations.weather import Weather
from simulations.world import Crash, Crashed, World

T = TypeVar("T")
NAMES: Final = ("wren", "juniper", "sorrel")
STEP_S: Final = 60.0  # by then every knock was repeated, and every path dialled again


@dataclass(slots=True)
class Story:
    """People to whom one crash happens, and who then do again what they do not know to be done."""

    world: World
    people: list[Person]
    gid: GroupId = GroupId(b"")
    said: dict[str, str] = field(default_factory=dict)  # text → by whom

    def tend(self) -> None:
        """Start what has stopped."""
        for person in self.people:
            if not person.node.up:
                person.on()

    def ask(self, act: Callable[[], T]) -> T:
        """Ask for something, and again if nobody knows whether it was done."""
        try:
            return act()
        except Crashed:
            self.tend()
            return act()

    def wait(self, condition: Callable[[], bool], seconds: float = STEP_S) -> bool:
        """Let time pass until something holds, with every machine running."""
        end = self.world.now_ms + seconds * 1000
        while self.world.now_ms < end:
            left = (end - self.world.now_ms) / 1000
            self.world.run_until(lambda: any(not p.node.up for p in self.people) or condition(), left)
            self.tend()
            if condition():
                return True
        return condition()

    def pause(self, seconds: float) -> None:
        """Let time pass."""
        self.wait(lambda: False, seconds)

    def found(self, person: Person) -> None:
        """Found the group, once."""

        def act() -> GroupId:
            there = [GroupId(key) for key, _ in person.node.store.scan(Space.GROUPS)]
            return there[0] if there else person.create()

        self.gid = self.ask(act)

    def say(self, person: Person, text: str) -> None:
        """Say something, once."""
        self.ask(lambda: text in person.reads(self.gid) or person.post(self.gid, text))
        self.said[text] = person.name

    def join(self, person: Person, inviter: Person) -> None:
        """Come in by a code, however often that has to be begun."""
        code: Code = self.ask(lambda: inviter.invite(self.gid))
        join = self.ask(lambda: person.look(code, *[p for p in self.people if p is not person]))
        assert self.wait(lambda: person.stage(join) is not JoinStage.LOOKING), f"{person.name} sees no preview"
        self.ask(lambda: person.knock(join, self.gid))
        assert self.wait(lambda: person.stage(join) is JoinStage.JOINED), f"{person.name} is not let in"

    def remove(self, person: Person, other: Person) -> None:
        """Remove somebody, once."""
        target = other.member(self.gid)

        def act() -> None:
            if target in person.group(self.gid).view.members:
                person.remove(self.gid, target)

        self.ask(act)


def tell(seed: int, victim: str | None = None, commit: int = 0, crash: Crash = Crash.AFTER) -> Story:
    """Tell the story with a crash of `victim` at this commit of its machine; AssertionError for what does not hold."""
    world = World(seed, Weather(loss=0.1 * (seed % 2), latency_ms=10 * (1 + seed % 3)))
    watch = Watch.over(world)
    people = gather(world, *NAMES)
    wren, juniper, sorrel = people
    if victim is not None:
        world.nodes[victim].crash_at_commit, world.nodes[victim].crash = commit, crash
    story = Story(world, people)
    story.found(wren)
    story.join(juniper, wren)
    story.say(wren, "one")
    story.say(juniper, "two")
    story.join(sorrel, wren)
    story.say(sorrel, "three")
    story.pause(3)
    story.ask(lambda: world.ask("juniper", Rekey(group=story.gid)))
    story.say(wren, "four")
    story.pause(3)
    story.remove(wren, sorrel)
    story.say(juniper, "five")
    if not story.wait(lambda: sorrel.room(story.gid).seems_out):
        # The key that left her out never came to her, and a link that still stands says nothing: new ones will.
        sorrel.off()
        assert story.wait(lambda: sorrel.room(story.gid).seems_out), "sorrel sees no sign of being out"
    story.join(sorrel, wren)
    story.say(sorrel, "six")
    story.pause(60)
    for node in world.nodes.values():
        assert node.up
        node.crash_at_commit = None
    story.pause(30)
    check(story, watch)
    return story


def check(story: Story, watch: Watch) -> None:
    """All is healed: all agree, nothing is lost, nothing stands twice."""
    gid, people = story.gid, story.people
    assert agree(gid, people) == []
    assert unread(watch, gid, people) == []
    assert out_of_order(gid, people) == []
    assert blamed(story.world) == []
    watch.at_rest(gid, people)
    assert [person.members(gid) for person in people] == [sorted(NAMES)] * 3
    for person in people:
        reads = person.reads(gid)
        assert len(reads) == len(set(reads)), f"{person.name} reads something twice"
        own = [text for text, name in story.said.items() if name == person.name]
        assert [text for text in reads if text in own] == own, f"{person.name} lost words of their own"
    assert sorted(people[0].reads(gid)) == sorted(story.said)


@cache
def commits(seed: int) -> dict[str, int]:
    """Return how many commits each machine makes in the story where nothing happens."""
    return {name: node.commits for name, node in tell(seed).world.nodes.items()}
