"""Catching up: everything that is missing comes, from whoever has it, and nothing is asked for without end."""

from mesh.commands import Rekey
from mesh.errors import Fault
from mesh.events import Effect, FrameReceived, Input, LinkKind, SendStored
from mesh.gossip.frontier import Frontier
from mesh.groups.group import Group
from mesh.ids import DeviceId, GroupId
from mesh.peer.catching_up import frontier_vector, progress
from mesh.peer.speaking import ASK_TIMEOUT_MS
from mesh.wire import limits
from mesh.wire.invites import FrontierEntry
from mesh.wire.sessions import AnsweredBody, ClosedSpan, Span, StateBody, WantMessagesBody
from simulations.checks import Watch, agree, blamed, unread
from simulations.people import Person, circle
from simulations.weather import Weather
from simulations.world import Node, World
from tests.peer.liar import Liar


def three(seed: int = 3, weather: Weather | None = None) -> tuple[World, GroupId, Person, Person, Person]:
    """Give wren, juniper and sorrel, in one group and at rest."""
    world = World(seed, weather)
    gid, (wren, juniper, sorrel) = circle(world, "wren", "juniper", "sorrel")
    world.run(10)
    return world, gid, wren, juniper, sorrel


def member(victim: Person, group: Group, number: int = 0) -> Liar:
    """Give a link on which somebody has proved to be a member."""
    liar = Liar(victim, number)
    assert group.epoch is not None
    liar.prove(group, group.epoch)
    return liar


def asked(liar: Liar, group: Group) -> list[WantMessagesBody]:
    """Return what the victim asked of us."""
    return [body for body in liar.said(group) if isinstance(body, WantMessagesBody)]


def claim(dev: DeviceId, contiguous: int) -> StateBody:
    """Claim to have so many messages of a device."""
    return StateBody(heads=[], frontier=[FrontierEntry(dev=dev, contiguous=contiguous, beyond=[])])


def test_a_thousand_messages_come_in_a_few_round_trips_and_each_once() -> None:
    world, gid, wren, juniper, _sorrel = three(3, Weather(latency_ms=100, jitter_ms=0))
    Watch.over(world)
    juniper.off()
    world.run(1)
    for k in range(1000):
        wren.post(gid, f"{k:04}")
        if k % 50 == 0:
            world.run(0.5)
    world.run(20)
    frames = 0

    def count(node: Node, event: Input, effects: list[Effect]) -> None:
        nonlocal frames
        frames += sum(len(e.keys) for e in effects if isinstance(e, SendStored))

    world.watchers.append(count)
    juniper.on()
    began = world.now_ms
    assert juniper.until(lambda: len(juniper.reads(gid)) == 1000, 30)
    assert world.now_ms - began < 4000
    assert frames < 1100, "from two who have it all, each message is asked of one"
    assert juniper.reads(gid) == [f"{k:04}" for k in range(1000)]
    assert blamed(world) == []


def test_a_message_is_asked_of_one_and_then_of_the_next() -> None:
    world, gid, wren, juniper, sorrel = three()
    group = juniper.group(gid)
    dev = sorrel.group(gid).own.dev
    world.partition(("wren",), ("juniper", "sorrel"))
    world.run(1)
    one, other = member(wren, group, 1), member(wren, group, 2)
    top = wren.room(gid).tracks[dev].have.contiguous
    for liar in (one, other):
        liar.tell(claim(dev, top + 5))
    assert [(s.first, s.last) for body in asked(one, group) for s in body.spans] == [(top + 1, top + 5)]
    assert asked(other, group) == []
    world.run(ASK_TIMEOUT_MS / 1000 + 1)
    assert [(s.first, s.last) for body in asked(other, group) for s in body.spans] == [(top + 1, top + 5)]
    world.run(ASK_TIMEOUT_MS / 1000 + 1)
    assert len(asked(one, group)) == 1, "who did not answer is not asked again over this link"
    assert one.faults == other.faults == []


def test_a_catch_up_on_what_does_not_exist_ends() -> None:
    world, gid, wren, juniper, sorrel = three()
    group = juniper.group(gid)
    world.partition(("wren",), ("juniper", "sorrel"))
    world.run(1)
    liar = member(wren, group)
    liar.tell(claim(sorrel.group(gid).own.dev, 5000))
    assert wren.node.peer is not None
    found = progress(wren.node.peer.state, wren.room(gid))
    assert found is not None
    assert found[0] == 0
    for _ in range(20):
        world.run(ASK_TIMEOUT_MS / 1000)
        for body in asked(liar, group):
            liar.tell(AnsweredBody(ticket=body.ticket, closed=[]))
    assert progress(wren.node.peer.state, wren.room(gid)) is None


def test_a_late_answer_is_no_fault_and_an_answer_to_nothing_is() -> None:
    world, gid, wren, juniper, sorrel = three()
    group = juniper.group(gid)
    liar = member(wren, group)
    liar.tell(claim(sorrel.group(gid).own.dev, 500))
    (question,) = asked(liar, group)
    world.run(ASK_TIMEOUT_MS / 1000 + 1)
    liar.tell(AnsweredBody(ticket=question.ticket, closed=[]))
    assert liar.faults == []
    liar.tell(AnsweredBody(ticket=question.ticket + 1000, closed=[]))
    assert liar.faults == [Fault.UNASKED]


def test_nobody_answers_for_another_link() -> None:
    _world, gid, wren, juniper, sorrel = three()
    group = juniper.group(gid)
    one, other = member(wren, group, 1), member(wren, group, 2)
    one.tell(claim(sorrel.group(gid).own.dev, 500))
    (question,) = asked(one, group)
    other.tell(AnsweredBody(ticket=question.ticket, closed=[]))
    assert other.faults == [Fault.UNASKED]
    assert wren.node.peer is not None
    assert question.ticket in wren.node.peer.state.asking


def test_who_asks_for_too_much_gets_nothing() -> None:
    _world, gid, wren, juniper, _sorrel = three()
    group = juniper.group(gid)
    dev = wren.group(gid).own.dev
    liar = member(wren, group)
    huge = [Span(dev=dev, first=1, last=10**9)]
    liar.tell(WantMessagesBody(ticket=1, spans=huge))
    # A range that runs backwards must not make room for one that is too long.
    liar.tell(WantMessagesBody(ticket=2, spans=[*huge, Span(dev=dev, first=10**9, last=1)]))
    assert liar.faults == [Fault.OVER_LIMIT] * 2
    assert liar.offered == []
    stranger = [Span(dev=DeviceId(bytes([k]) * 16), first=1, last=1) for k in range(100)]
    liar.tell(WantMessagesBody(ticket=3, spans=stranger))
    assert len(wren.room(gid).tracks) == 3, "a question makes nobody known"


def test_what_was_sealed_before_we_came_is_settled_by_its_author() -> None:
    world, gid, wren, juniper, sorrel = three()
    world.partition(("wren", "juniper"), ("sorrel",))
    world.run(1)
    juniper.post(gid, "not for tansy")
    world.run(3)
    code = wren.invite(gid)
    juniper.off()
    world.run(1)
    tansy = Person(world, "tansy")
    world.cut("wren", "tansy")
    # Sorrel, who has not got juniper's post, lets tansy in.
    world.heal()
    world.cut("wren", "tansy")
    tansy.join(gid, code, sorrel)
    juniper.on()
    world.heal()
    world.run(30)
    assert tansy.reads(gid) == []
    for dev, track in tansy.room(gid).tracks.items():
        assert track.settled.gaps_below(track.settled.top) == [], dev
    post = juniper.post(gid, "for tansy too")
    world.run(10)
    assert juniper.told(gid, post) == ("reached", 3, 3)
    assert blamed(world) == []


def test_one_member_does_not_talk_us_out_of_asking() -> None:
    """Mallory says that sorrel's words were not meant for wren; juniper is asked all the same."""
    world, gid, wren, juniper, sorrel = three()
    group = juniper.group(gid)
    world.partition(("wren",), ("juniper", "sorrel"))
    world.run(1)
    sorrel.post(gid, "for all of us")
    world.run(3)
    dev = sorrel.group(gid).own.dev
    top = sorrel.group(gid).own.mseq
    liar = member(wren, group)
    liar.tell(claim(dev, top))
    (question,) = asked(liar, group)
    closed = [ClosedSpan(dev=s.dev, first=k, last=k) for s in question.spans for k in range(s.first, s.last + 1)]
    liar.tell(AnsweredBody(ticket=question.ticket, closed=closed))
    assert top not in wren.room(gid).tracks[dev].settled
    sorrel.off()
    world.heal()
    assert wren.until(lambda: wren.reads(gid) == ["for all of us"], 20)


def test_messages_that_need_an_unknown_epoch_are_asked_for_after_it() -> None:
    """Both are told of at once; asked for too early they could not be opened."""
    world, gid, wren, juniper, sorrel = three(4, Weather(latency_ms=0, jitter_ms=0))
    watch = Watch.over(world)
    for _ in range(5):
        juniper.off()
        world.ask("wren", Rekey(group=gid))
        wren.post(gid, "under a new epoch")
        world.run(2)
        juniper.on()
        world.run(3)
    assert unread(watch, gid, [wren, juniper, sorrel]) == []
    assert agree(gid, [wren, juniper, sorrel]) == []


def test_words_past_a_removal_are_not_chased() -> None:
    world, gid, wren, juniper, _sorrel = three(5)
    world.partition(("wren",), ("juniper", "sorrel"))
    world.run(1)
    juniper.post(gid, "sorrel hears this, wren does not")
    world.run(3)
    wren.remove(gid, wren.key_of(gid, "juniper"))
    world.run(1)
    world.cut("wren", "juniper")
    world.heal()
    world.cut("wren", "juniper")
    world.run(30)
    before = world.frames_sent
    world.run(300)
    assert world.frames_sent - before < 20
    assert wren.reads(gid) == []
    assert blamed(world) == []


def test_a_gap_is_asked_for_at_once_where_it_is_seen() -> None:
    world, gid, wren, juniper, _sorrel = three(6)
    posts = iter(range(10))
    lost: list[bytes] = []
    give = world._give

    def lose(node: Node, event: Input) -> None:
        is_push = node is juniper.node and isinstance(event, FrameReceived) and event.kind == LinkKind.FRAME
        if isinstance(event, FrameReceived) and is_push and len(lost) < 2:  # from wren, and by way of sorrel
            lost.append(event.payload)
        else:
            give(node, event)

    world._give = lose  # type: ignore[method-assign]  # two frames never arrive
    wren.post(gid, f"{next(posts)}")
    world.run(0.2)
    wren.post(gid, f"{next(posts)}")
    assert juniper.until(lambda: juniper.reads(gid) == ["0", "1"], 1.5)
    assert len(lost) == 2


def test_what_we_tell_is_never_more_than_we_have_and_fits_a_frame() -> None:
    _world, gid, wren, _juniper, _ = three(7)
    room = wren.room(gid)
    for track in room.tracks.values():
        track.have = Frontier(3, tuple((2 * k + 10, 2 * k + 10) for k in range(limits.FRONTIER_GAPS_MAX)))
    for entry in frontier_vector(room):
        told = Frontier(entry.contiguous, tuple((r[0], r[1]) for r in entry.beyond))
        assert told.is_canonical()
        assert room.tracks[entry.dev].have.missing_from(told) == []
