"""A long catch-up: shared by those who have it, taken up where it was cut off, and seen while it goes on."""

from collections.abc import Callable

from mesh.events import Effect, Input, Notice, Notify, SendStored, Space
from mesh.groups.ratchet import Chain
from mesh.ids import GroupId
from mesh.peer.catching_up import progress
from mesh.peer.state import State
from mesh.wire import limits
from simulations.checks import Watch, blamed
from simulations.people import Person, circle
from simulations.weather import Weather
from simulations.world import Node, World

POSTS = 1200


class Long:
    """Wren and sorrel talk while juniper is away; juniper is off and their nodes are at rest."""

    def __init__(self, posts: int = POSTS, *, latency_ms: int = 100) -> None:
        self.world = World(11, Weather(latency_ms=latency_ms, jitter_ms=0))
        self.gid: GroupId
        self.gid, (self.wren, self.juniper, self.sorrel) = circle(self.world, "wren", "juniper", "sorrel")
        self.world.run(10)
        Watch.over(self.world)
        self.juniper.off()
        self.world.run(1)
        self.texts = [f"{k:05}" for k in range(posts)]
        for k, text in enumerate(self.texts):
            (self.wren if k % 2 else self.sorrel).post(self.gid, text)
            self.world.run(0.02)  # no two at one time
        self.world.run(20)
        self.given: dict[str, int] = {}
        self.came = 0
        self.told: list[tuple[int, int]] = []
        self.world.watchers.append(self._watch)

    def _watch(self, node: Node, event: Input, effects: list[Effect]) -> None:
        del event
        for effect in effects:
            if isinstance(effect, SendStored):
                self.given[node.name] = self.given.get(node.name, 0) + len(effect.keys)
            if not isinstance(effect, Notify) or node is not self.juniper.node:
                continue
            if effect.notice is Notice.MESSAGE:
                self.came += 1
            if effect.notice is Notice.CATCHING_UP:
                self.told.append((int.from_bytes(effect.subject[:8], "big"), int.from_bytes(effect.subject[8:], "big")))

    @property
    def frames(self) -> int:
        """How many messages of all kinds are in juniper's store: receipts and the like are asked for too."""
        return len(list(self.juniper.node.store.scan(Space.FRAMES, self.gid)))

    def until(self, condition: Callable[[], bool]) -> None:
        """Let time pass until something holds, within a minute."""
        assert self.juniper.until(condition, 60)

    def all_came_once(self) -> None:
        """Everything is here, in order, and that is the end of it."""
        self.until(lambda: self.came >= len(self.texts))
        assert self.juniper.reads(self.gid) == self.texts
        self.world.run(30)
        assert self.juniper.reads(self.gid) == self.texts
        assert blamed(self.world) == []


def test_two_who_have_it_share_the_load_and_it_shows_how_far_it_is() -> None:
    long = Long()
    assert progress(_state(long.wren), long.wren.room(long.gid)) is None
    chains: list[Chain] = []
    long.world.watchers.append(
        lambda node, *_: chains.extend(
            long.juniper.group(long.gid).chains.values() if node is long.juniper.node and not long.came % 100 else ()
        )
    )
    before = long.frames
    long.juniper.on()
    long.until(lambda: long.came >= 500)
    found = progress(_state(long.juniper), long.juniper.room(long.gid))
    assert found is not None
    assert 500 <= found[0] < found[1]
    assert POSTS <= found[1] <= POSTS + 100, "receipts and the like count too"
    long.all_came_once()
    assert progress(_state(long.juniper), long.juniper.room(long.gid)) is None
    # Each message was asked of one.
    assert sum(long.given.values()) <= long.frames - before
    assert min(long.given["wren"], long.given["sorrel"]) > POSTS / 4
    # A chain comes in its order where two authors can be asked for at once: few keys are passed over.
    assert max(len(chain.skipped) for chain in chains) <= 250
    assert long.told == sorted(long.told)
    assert len(long.told) > 2
    assert long.told[0][0] == 0
    assert long.told[-1][0] == long.told[-1][1] >= POSTS


def test_it_goes_on_after_a_cut_and_after_a_crash_where_it_was() -> None:
    long = Long(latency_ms=300)
    long.juniper.on()
    long.until(lambda: long.came >= 300)
    long.world.partition(("juniper",), ("wren", "sorrel"))
    long.world.run(30)
    assert long.came < POSTS - 300
    given, here = sum(long.given.values()), long.frames
    long.world.heal()
    long.until(lambda: long.came >= POSTS - 200)
    long.juniper.off()
    assert long.came < POSTS
    under_way = sum(long.given.values()) - given - (long.frames - here)
    assert under_way <= 2 * limits.WANT_MESSAGES_MAX
    given, here = sum(long.given.values()), long.frames
    long.juniper.on()
    long.all_came_once()
    assert sum(long.given.values()) - given <= long.frames - here, "what came is not asked for again"


def test_a_short_one_is_not_worth_a_word() -> None:
    long = Long(100)
    long.juniper.on()
    long.all_came_once()
    assert long.told == []


def _state(person: Person) -> State:
    assert person.node.peer is not None
    return person.node.peer.state
