"""Syncing: who is served what; and what one who cannot prove to be in gets: ciphertext, and nothing else."""

import pytest

from mesh.commands import Rekey
from mesh.errors import Fault
from mesh.events import LinkKind, Space, Timer, TimerFired
from mesh.groups.authoring import rekey
from mesh.groups.group import Group, Means
from mesh.groups.receiving import unpack_wraps
from mesh.ids import DeviceId, GroupId, OpId, TopicId
from mesh.journal import Journal
from mesh.wire import limits
from mesh.wire.invites import FrontierEntry, OpBundle
from mesh.wire.sessions import (
    AnsweredBody,
    OpsBody,
    SessionBody,
    Span,
    StateBody,
    WantMessagesBody,
    WantOpsBody,
)
from simulations.chance import SeededEntropy, SeededSealer
from simulations.checks import Watch, agree, blamed, unread
from simulations.people import Person, circle
from simulations.world import START_WALL_MS, World
from tests.peer.liar import Liar


def three(seed: int = 2) -> tuple[World, GroupId, Person, Person, Person]:
    """Give wren, juniper and sorrel, in one group and at rest."""
    world = World(seed)
    gid, (wren, juniper, sorrel) = circle(world, "wren", "juniper", "sorrel")
    world.run(10)
    return world, gid, wren, juniper, sorrel


def newest(group: Group) -> OpId:
    """Give the epoch in use."""
    assert group.epoch is not None
    return group.epoch


def kinds(bodies: list[SessionBody]) -> list[str]:
    """Name what was said."""
    return [type(body).__name__ for body in bodies]


def questions(wren: Person, gid: GroupId) -> list[SessionBody]:
    """Everything that a member may ask."""
    group = wren.group(gid)
    return [
        WantOpsBody(heads=[]),
        WantMessagesBody(ticket=1, spans=[Span(dev=dev, first=1, last=50) for dev in sorted(group.view.devices)]),
        StateBody(heads=group.log.heads[:0], frontier=[]),
    ]


def test_a_member_is_answered() -> None:
    _, gid, wren, juniper, _ = three()
    group = juniper.group(gid)
    liar = Liar(wren)
    liar.prove(group, newest(group))
    for question in questions(wren, gid):
        liar.tell(question)
    wren.world.run(1)
    assert {"StateBody", "AnsweredBody", "OpsBody"} <= set(kinds(liar.said(group)))
    assert liar.offered
    assert liar.faults == []


def test_what_a_removed_device_is_asked_tells_it_nothing() -> None:
    """It may have its own leave to tell; it is asked from what it knows already."""
    world, gid, wren, juniper, _ = three()
    group = juniper.group(gid)
    old = newest(group)
    wren.remove(gid, juniper.member(gid))
    world.run(5)
    liar = Liar(wren)
    liar.prove(group, old)
    liar.tell(StateBody(heads=[OpId(b"x" * 32)], frontier=[]))
    assert liar.said(group) == [WantOpsBody(heads=[old])]
    assert not set(wren.group(gid).log.heads) & {old}


def test_a_stranger_with_a_stolen_sync_key_is_not_served() -> None:
    _, gid, wren, juniper, _ = three()
    group = juniper.group(gid)
    liar = Liar(wren)
    liar.prove(group, newest(group), dev=group.own.dev, seed=b"s" * 32)
    assert liar.faults == [Fault.BAD_SIGNATURE]
    for question in questions(wren, gid):
        liar.tell(question)
    wren.world.run(5)
    assert kinds(liar.said(group)) == []
    assert liar.offered == []


def test_a_proof_for_another_link_is_refused() -> None:
    _, gid, wren, juniper, _ = three()
    group = juniper.group(gid)
    one, other = Liar(wren, 1), Liar(wren, 2)
    half = one.half(group, newest(group))
    one.prove(group, newest(group))
    sealed = half.seal(b"n" * 24, b"anything")
    assert other.say(LinkKind.PROOF, sealed) == [], "its tag means nothing on another link"
    moved = other.half(group, newest(group)).tag + sealed[8:]
    other.say(LinkKind.PROOF, moved)
    assert other.faults == [Fault.UNREADABLE]


def test_our_own_words_echoed_back_claim_nothing() -> None:
    world, gid, wren, juniper, _ = three()
    group = juniper.group(gid)
    liar = Liar(wren)
    own_topics = [send.payload for send in liar.heard if send.kind is LinkKind.TOPICS]
    for payload in own_topics:
        liar.say(LinkKind.TOPICS, payload)
    liar.prove(group, newest(group))  # so that wren says all that she has to say
    world.run(1)
    mirror = Liar(wren, 1)
    for send in list(liar.heard):
        mirror.say(send.kind, send.payload)
    for send in list(mirror.heard):
        mirror.say(send.kind, send.payload)
    assert wren.node.peer is not None
    link = wren.node.peer.state.links[mirror.link]
    assert link.topics.shared == {}
    assert all(session.device is None for session in link.sessions.values())
    assert kinds(mirror.said(group)) == []


def test_a_session_opens_also_where_no_topic_was_announced() -> None:
    _, gid, wren, juniper, _ = three()
    group = juniper.group(gid)
    liar = Liar(wren)
    liar.prove(group, newest(group))
    liar.tell(WantMessagesBody(ticket=9, spans=[]))
    assert AnsweredBody(ticket=9, closed=[]) in liar.said(group)


def test_one_who_was_removed_and_knows_it_answers_nobody_and_stands() -> None:
    world, gid, wren, juniper, _ = three()
    group = wren.group(gid)
    old = newest(juniper.group(gid))
    wren.remove(gid, juniper.member(gid))
    world.run(2)
    liar = Liar(juniper)
    liar.prove(group, old)
    for op in group.log.ops:
        liar.tell(OpsBody(ops=[bundle_of(wren, gid, op.op_id)]))
    assert juniper.group(gid).me is None
    late = Liar(juniper, 1)
    late.prove(group, old)
    for question in questions(wren, gid):
        liar.tell(question)
        late.tell(question)
    world.run(5)
    assert late.offered == []
    assert kinds(late.said(group)) == []


def bundle_of(person: Person, gid: GroupId, op_id: OpId) -> OpBundle:
    """Give an operation as members hand it to each other."""
    op = person.group(gid).log.get(op_id)
    assert op is not None
    return OpBundle(op=op.signed, wraps=unpack_wraps(person.node.store.get(Space.WRAPS, gid + op_id)))


def test_one_who_is_new_here_gets_going_once_we_know_that_they_are_in() -> None:
    """Sorrel lets tansy in while wren is cut off; then tansy's device, and an old key, are on a link with wren."""
    world, gid, wren, juniper, sorrel = three()
    code = wren.invite(gid)
    world.run(2)
    old = newest(juniper.group(gid))
    world.partition(("wren",), ("juniper", "sorrel", "tansy"))
    tansy = Person(world, "tansy")
    tansy.join(gid, code, sorrel)
    theirs, ours = tansy.group(gid), juniper.group(gid)
    liar = Liar(wren)
    liar.prove(ours, old, dev=theirs.own.dev, seed=theirs.own.dev_seed)
    liar.tell(StateBody(heads=theirs.log.heads, frontier=[]))
    assert liar.said(ours) == [WantOpsBody(heads=[old])], "asked, and told nothing of what wren has"
    liar.tell(questions(wren, gid)[0])
    assert len(liar.said(ours)) == 1, "she is nobody here yet"
    for op in theirs.log.ops:
        liar.tell(OpsBody(ops=[bundle_of(sorrel, gid, op.op_id)]))
    world.run(2)
    assert "tansy" in wren.members(gid)
    wren.post(gid, "hello tansy")
    world.run(1)
    assert {"StateBody"} <= set(kinds(liar.said(ours)))
    assert [frame[0] for frame in liar.frames].count(1) >= 1, "what is said now is hers too"


def test_operations_are_synced_before_the_first_word() -> None:
    """Wren does not know that juniper was removed, and has something to say: she learns it before she says it."""
    world, gid, wren, juniper, sorrel = three()
    watch = Watch.over(world)
    wren.off()
    tell_founder(world, gid, sorrel, juniper)
    wren.on()
    wren.post(gid, "not for juniper")
    world.run(10)
    assert sorrel.reads(gid) == ["not for juniper"]
    assert juniper.reads(gid) == []
    assert unread(watch, gid, [wren, sorrel]) == []


def tell_founder(world: World, gid: GroupId, sorrel: Person, juniper: Person) -> None:
    """Let juniper leave while wren is off, and sorrel re-key."""
    juniper.leave(gid)
    world.run(10)
    assert sorrel.members(gid) == ["sorrel", "wren"]


def test_the_keys_of_an_epoch_that_came_without_them_are_asked_for() -> None:
    """Juniper gets the operations from one who left and threw the wraps away; sorrel still has them."""
    world, gid, wren, juniper, sorrel = three()
    world.run(1)
    juniper.off()
    world.ask("wren", Rekey(group=gid))
    world.run(2)
    sorrel.post(gid, "while juniper is away")
    world.run(5)
    for key, _ in wren.node.store.scan(Space.WRAPS, gid):
        wren.node.store._set(Space.WRAPS, key, None)
    world.cut("sorrel", "juniper")
    juniper.on()
    world.run(4)  # it does not call for another epoch yet
    stranded = [op.op_id for op in juniper.group(gid).log.ops if op.op_id in wren.group(gid).epochs]
    assert any(op_id not in juniper.group(gid).epochs for op_id in stranded)
    assert juniper.reads(gid) == []
    world.heal()
    assert juniper.until(lambda: juniper.reads(gid) == ["while juniper is away"], 20)
    ours = [op_id for op_id in stranded if juniper.group(gid).own.dev in juniper.group(gid).recipients(op_id)]
    assert juniper.until(lambda: all(op_id in juniper.group(gid).epochs for op_id in ours), 20)
    assert newest(juniper.group(gid)) == newest(sorrel.group(gid))


def test_the_same_operations_are_not_asked_for_over_and_over() -> None:
    _, gid, wren, juniper, _ = three()
    group = juniper.group(gid)
    liar = Liar(wren)
    liar.prove(group, newest(group))
    before = len(liar.said(group))
    for _ in range(20):
        liar.tell(StateBody(heads=[OpId(b"x" * 32)], frontier=[]))
    assert kinds(liar.said(group)[before:]) == ["WantOpsBody"]


def test_a_state_is_told_once_and_again_only_with_news() -> None:
    world, gid, wren, juniper, _ = three()
    group = juniper.group(gid)
    liar = Liar(wren)
    liar.prove(group, newest(group))
    world.run(60)
    assert kinds(liar.said(group)).count("StateBody") == 1
    world.ask("wren", Rekey(group=gid))
    world.run(1)
    assert kinds(liar.said(group)).count("StateBody") == 2


@pytest.mark.parametrize(
    "entry",
    [
        FrontierEntry(dev=DeviceId(b"d" * 16), contiguous=5, beyond=[[6, 7]]),
        FrontierEntry(dev=DeviceId(b"d" * 16), contiguous=5, beyond=[[9, 8]]),
    ],
)
def test_a_frontier_out_of_order_is_blamed(entry: FrontierEntry) -> None:
    _, gid, wren, juniper, _ = three()
    group = juniper.group(gid)
    liar = Liar(wren)
    liar.prove(group, newest(group))
    liar.tell(StateBody(heads=[], frontier=[entry]))
    assert liar.faults == [Fault.MALFORMED]


def test_absurd_frontiers_cost_little_and_end() -> None:
    world, gid, wren, juniper, sorrel = three()
    group = juniper.group(gid)
    liar = Liar(wren)
    liar.prove(group, newest(group))
    ranges = [[3 * k + 100, 3 * k + 101] for k in range(limits.FRONTIER_GAPS_MAX)]
    devices = [*sorted(group.view.devices), *(DeviceId(bytes([k]) * 16) for k in range(40))]
    frontier = [FrontierEntry(dev=dev, contiguous=50, beyond=ranges) for dev in sorted(devices)]
    liar.tell(StateBody(heads=[], frontier=frontier))
    for ticket in range(1, 160):
        liar.tell(AnsweredBody(ticket=ticket, closed=[]))
    asked = [body for body in liar.said(group) if isinstance(body, WantMessagesBody)]
    assert all(sum(s.last - s.first + 1 for s in body.spans) <= limits.WANT_MESSAGES_MAX for body in asked)
    assert len(asked) <= 128, "one that gives nothing is asked no further"
    assert len(wren.room(gid).tracks) == 3, "devices that nobody brought in are not remembered"
    sorrel.post(gid, "all is well")
    world.run(2)
    assert wren.reads(gid) == ["all is well"]


def test_topics_that_nobody_shares_are_not_named() -> None:
    _, gid, wren, _, _ = three()
    liar = Liar(wren)
    topics = b"".join(bytes(topic) for topic in wren.group(gid).topics)
    said = b"".join(send.payload for send in liar.heard)
    assert not any(topics[k : k + 8] in said for k in range(0, len(topics), 8))


def test_a_link_hears_of_the_newest_epochs_only() -> None:
    world, gid, wren, juniper, _ = three()
    group = wren.group(gid)
    means = Means(
        entropy=SeededEntropy(1, "many"),
        sealer=SeededSealer(SeededEntropy(1, "seal")),
        journal=Journal(),
        wall_ms=START_WALL_MS,
    )
    first: TopicId = next(iter(group.topics))
    for _ in range(70):
        rekey(group, means)
    world._give(wren.node, TimerFired(timer=Timer(name="sync")))
    assert wren.node.peer is not None
    assert len([topic for topic in wren.node.peer._topics if topic in group.topics]) == 64
    assert first not in wren.node.peer._topics
    del juniper


def test_members_that_meet_after_forks_agree() -> None:
    world, gid, wren, juniper, sorrel = three()
    people = [wren, juniper, sorrel]
    world.partition(("wren",), ("juniper",), ("sorrel",))
    for person in people:
        world.ask(person.name, Rekey(group=gid))
        person.post(gid, f"from {person.name}")
    world.run(30)
    world.heal()
    world.run(40)
    assert agree(gid, people) == []
    assert all(len(person.reads(gid)) == 3 for person in people)
    assert blamed(world) == []


def test_a_leave_made_while_offline_is_no_fault() -> None:
    world, gid, wren, juniper, _ = three()
    juniper.off()
    juniper.on()
    world.partition(("juniper",), ("wren", "sorrel"))
    juniper.leave(gid)
    world.run(5)
    assert "juniper" in wren.members(gid)
    world.heal()
    assert wren.until(lambda: "juniper" not in wren.members(gid), 20)
    assert blamed(world) == []
