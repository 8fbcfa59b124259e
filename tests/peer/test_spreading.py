"""Views and spreading on whole nodes: a group of twelve, and members on hand-driven links who do not keep to it."""

from functools import cache
from random import Random

import pytest

from mesh.errors import Fault
from mesh.events import Effect, FrameReceived, Input, Instant, LinkKind, Send, SendStored, SetTimer
from mesh.gossip.promises import BROKEN_MS
from mesh.gossip.seen import StreamId
from mesh.gossip.spread import ANNOUNCE_MS, ANNOUNCE_SPREAD_MS, BROKEN_PER_BLAME, CALM_MS, Passing
from mesh.gossip.views import LINKED_MAX, OWN
from mesh.ids import FrameId, GroupId, LinkId
from mesh.peer.spreading import plan_flush
from mesh.peer.state import State, Step
from mesh.wire import limits
from mesh.wire.frames import FrameType
from mesh.wire.gossip import Pace, Rank, ShortId, pack_ids, unpack_ids
from simulations.chance import SeededEntropy, SeededSealer
from simulations.checks import agree, blamed
from simulations.people import Person, circle, gather
from simulations.world import START_WALL_MS, Node, World
from tests.peer.liar import Liar

ONE, TWO = LinkId(1), LinkId(2)
NAMES = (
    *("wren", "juniper", "sorrel", "olive", "hazel", "rowan", "tansy", "yarrow"),
    *("dill", "fennel", "basil", "thyme"),
)


def large(count: int = 12, seed: int = 7) -> tuple[World, GroupId, list[Person]]:
    """Give a group too large to be a full mesh, at rest."""
    world = World(seed)
    founder, *others = gather(world, *NAMES[:count])
    gid = founder.create()
    code = founder.invite(gid, uses=len(others), approvals=0)
    for person in others:
        person.join(gid, code)
    world.run(30)
    return world, gid, [founder, *others]


def invented(count: int, first: int = 0) -> list[ShortId]:
    """Give ids of frames that nobody has."""
    return [ShortId((first + k).to_bytes(16, "big")) for k in range(count)]


def member(seed: int = 3) -> tuple[World, GroupId, Person, Liar]:
    """Give a node of a group of three, and a liar with the keys of another member, proved."""
    world = World(seed)
    gid, (wren, juniper, _) = circle(world, "wren", "juniper", "sorrel")
    world.run(20)
    liar = Liar(wren)
    group = juniper.group(gid)
    assert group.epoch is not None
    liar.announce(list(group.topics))
    liar.prove(group, group.epoch)
    return world, gid, wren, liar


def said(liar: Liar, kind: LinkKind) -> list[ShortId]:
    """Return the ids that the victim said to the liar."""
    return [short for send in liar.heard if send.kind is kind for short in unpack_ids(send.payload, (0, 1, 2))[1]]


def copies(world: World) -> list[str]:
    """Collect who gets message frames from now on, once for each copy."""
    found: list[str] = []

    def note(node: Node, event: Input, effects: object) -> None:
        del effects
        if isinstance(event, FrameReceived) and event.kind == LinkKind.FRAME and event.payload[0] == FrameType.MESSAGE:
            found.append(node.name)

    world.watchers.append(note)
    return found


# ---------------------------------------------------------------- honest


def test_in_a_group_of_twelve_all_hear_all_over_a_few_links_also_once_a_quarter_is_gone() -> None:
    world, gid, people = large()
    degrees = [len(person.node.links) for person in people]
    assert max(degrees) <= LINKED_MAX
    assert min(degrees) >= OWN
    assert not any(person.room(gid).view.full_mesh for person in people)
    for person in people[:4]:
        person.post(gid, f"from {person.name}")
        world.run(0.2)
    assert world.run_until(lambda: all(len(person.reads(gid)) == 4 for person in people), 20)
    gone, here = people[-3:], people[:-3]
    for person in gone:
        person.off()
    here[1].post(gid, "after")
    assert world.run_until(lambda: all(len(person.reads(gid)) == 5 for person in here), 10)
    for person in gone:
        person.on()
    assert world.run_until(lambda: all(len(person.reads(gid)) == 5 for person in people), 60)
    here[0].remove(gid, gone[0].member(gid))  # an envelope is longer than 4 KiB
    here = [person for person in people if person is not gone[0]]
    assert world.run_until(lambda: all(len(person.members(gid)) == 11 for person in here), 20)
    world.run(20)
    assert agree(gid, here) == []
    assert blamed(world) == []


def test_in_a_small_group_each_copy_is_the_only_one() -> None:
    world = World(4)
    gid, people = circle(world, *NAMES[:8])
    world.run(60)
    found = copies(world)
    people[0].post(gid, "once")
    world.run(0.5)
    assert sorted(found) == sorted(person.name for person in people[1:])


def test_one_who_is_not_linked_with_the_author_hears_by_id_and_then_at_once() -> None:
    world = World(5)
    gid, (wren, juniper, sorrel) = circle(world, "wren", "juniper", "sorrel")
    world.run(40)
    world.cut("wren", "sorrel")
    world.run(1)
    wren.post(gid, "one")
    assert world.run_until(lambda: sorrel.reads(gid) == ["one"], 0.8)
    world.run(5)
    wren.post(gid, "two")
    assert world.run_until(lambda: sorrel.reads(gid) == ["one", "two"], 0.1), "juniper was asked to send at once"
    assert juniper.reads(gid) == ["one", "two"]


def test_ids_that_hardly_anybody_needs_wait_longer_and_hold_up_none_that_somebody_may() -> None:
    state = State()
    for link in (ONE, TWO):
        state.spread.link_up(link)
    _take(state, 1, from_author=True)
    (calm,) = _planned(state, 0)
    assert CALM_MS <= calm < CALM_MS + ANNOUNCE_SPREAD_MS
    _take(state, 2, from_author=True)
    assert _planned(state, 10) == []
    _take(state, 3, from_author=False)
    (soon,) = _planned(state, 20)
    assert ANNOUNCE_MS <= soon < ANNOUNCE_MS + ANNOUNCE_SPREAD_MS
    assert _planned(state, 30) == []


def _take(state: State, number: int, *, from_author: bool) -> None:
    frame = FrameId(number.to_bytes(16, "big") + bytes(16))
    state.seen.note(frame, ONE)
    calm = from_author
    passing = Passing(frame, 700, StreamId(bytes(48)), from_author=from_author, calm=calm, pushed=from_author)
    state.spread.pass_on(passing, [ONE, TWO], Random(1))


def _planned(state: State, mono_ms: int) -> list[int]:
    """Return the timers that are set by what is to be announced."""
    now, entropy = Instant(wall_ms=START_WALL_MS, mono_ms=mono_ms), SeededEntropy(1, "here")
    step = Step(now=now, dice=Random(1), entropy=entropy, sealer=SeededSealer(entropy))
    plan_flush(state, step)
    timers = [effect for effect in step.effects if isinstance(effect, SetTimer)]
    return [timer.after_ms for timer in timers if timer.after_ms is not None]


# ---------------------------------------------------------------- hostile


def test_hostile_ihave_spam_is_asked_for_within_bounds_and_ends_in_blame() -> None:
    world, _, _, liar = member()
    for k in range(2 * 16_384 // limits.SHORT_IDS_MAX):
        for payload in pack_ids(Pace.ASK, invented(limits.SHORT_IDS_MAX, k * limits.SHORT_IDS_MAX)):
            liar.say(LinkKind.IHAVE, payload)
    assert len(said(liar, LinkKind.WANT)) <= 1024
    assert Fault.OVER_LIMIT in liar.faults
    world.run(BROKEN_MS / 1000 + 1)
    assert liar.faults.count(Fault.BROKEN_PROMISE) == 1024 // BROKEN_PER_BLAME


def test_hostile_covert_flash_who_became_the_first_and_falls_silent_delays_one_post() -> None:
    """A neighbour brings an author's frames faster than all others for a while, and then nothing, announcing all."""
    world, gid, people = large()
    readers = people[1:]
    for k in range(4):
        people[0].post(gid, f"{k}")
        world.run(1)
    silent = {person.name for person in people[1:5]}

    def censor(node: Node, event: Input, effects: list[Effect]) -> None:
        del event
        if node.name in silent:
            kept = [e for e in effects if not isinstance(e, SendStored)]
            effects[:] = [e for e in kept if not (isinstance(e, Send) and e.kind is LinkKind.FRAME)]

    world.watchers.append(censor)
    for k in range(4, 7):
        people[0].post(gid, f"{k}")
    wanted = [f"{k}" for k in range(7)]
    assert world.run_until(lambda: all(person.reads(gid) == wanted for person in readers), 15)


def test_hostile_graft_flood_moves_nothing_and_ends_in_blame() -> None:
    _, _, wren, liar = member()
    state = wren.node.peer
    assert state is not None
    for k in range(40):
        liar.say(LinkKind.GRAFT, pack_ids(Rank.FIRST, invented(limits.SHORT_IDS_MAX, k * 1000))[0])
    assert Fault.OVER_LIMIT in liar.faults
    assert said(liar, LinkKind.IHAVE) == []


def test_what_was_not_announced_is_not_given() -> None:
    world, gid, wren, liar = member()
    wren.post(gid, "for members")
    world.run(3)
    (frame,) = [f for f in liar.frames if f[0] == FrameType.MESSAGE][:1]
    assert frame
    seen = wren.node.peer
    assert seen is not None
    known = list(seen.state.passed.keys)
    before = len(liar.offered)
    liar.say(LinkKind.WANT, pack_ids(0, known)[0])
    first = len(liar.offered) - before
    liar.say(LinkKind.WANT, pack_ids(0, known)[0])
    assert len(liar.offered) - before == first, "what was announced is given once"


@cache
def _stranger() -> tuple[World, GroupId, Person]:
    world = World(6)
    gid, (wren, _, _) = circle(world, "wren", "juniper", "sorrel")
    world.run(20)
    return world, gid, wren


@pytest.mark.parametrize("kind", [LinkKind.IHAVE, LinkKind.WANT, LinkKind.PRUNE, LinkKind.GRAFT])
def test_who_is_no_member_is_not_heard(kind: LinkKind) -> None:
    world, gid, wren = _stranger()
    liar = Liar(wren, int(kind))
    liar.announce(list(wren.group(gid).topics))
    flag = Rank.FIRST if kind is LinkKind.GRAFT else 0
    assert liar.say(kind, pack_ids(flag, invented(8))[0]) == []
    wren.post(gid, f"after {kind}")
    world.run(5)
    assert said(liar, LinkKind.IHAVE) == []


@pytest.mark.parametrize("kind", [LinkKind.IHAVE, LinkKind.WANT, LinkKind.PRUNE, LinkKind.GRAFT])
def test_malformed_lists_are_blamed(kind: LinkKind) -> None:
    _, _, _, liar = member()
    for payload in (b"", b"\0", b"\7" + bytes(16), bytes(18), bytes(1 + 16 * 513)):
        liar.say(kind, payload)
    assert liar.faults == [Fault.MALFORMED] * 5
