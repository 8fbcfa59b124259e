"""Whatever a link brings: the machine blames, or passes it over; it never falls, and believes nothing of it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st

from mesh.events import (
    Blame,
    Effect,
    Fetch,
    FrameReceived,
    Input,
    LinkKind,
    Notify,
    Persist,
    Scan,
    Send,
    SendStored,
    SetTimer,
    Space,
)
from mesh.ids import DeviceId, GroupId, OpId
from mesh.peer.originals import original_of
from mesh.peer.records import JoinStage
from mesh.wire import limits
from mesh.wire.invites import FrontierEntry, OpBundle
from mesh.wire.messages import SignedMessage
from mesh.wire.operations import SignedOp
from mesh.wire.sessions import (
    AnsweredBody,
    ClosedSpan,
    HistoryBody,
    OpsBody,
    SessionBody,
    Span,
    StateBody,
    WantHistoryBody,
    WantMessagesBody,
    WantOpsBody,
)
from simulations.people import Person, circle
from simulations.world import Node, World
from tests.peer.liar import Liar
from tests.peer.parcels import send_files


@dataclass(frozen=True, slots=True)
class Scene:
    """A group at rest, somebody who knocks at it, its keeper, and everything that was ever said on its links."""

    world: World
    gid: GroupId
    wren: Person
    juniper: Person
    tansy: Person
    pi: Person
    heard: list[tuple[int, bytes]]
    liars: list[Liar]

    def liar(self, victim: Person) -> Liar:
        """Give a fresh liar on a link of its own."""
        if self.liars:
            last = self.liars.pop()
            last.hang_up()
            last.victim.world.watchers.remove(last._watch)
        number = self.world._count % 250
        liar = Liar(victim, number)
        self.liars.append(liar)
        return liar

    def facts(self) -> object:
        """Say what nobody from outside can change."""
        group = self.wren.group(self.gid)
        return (
            group.log.heads,
            len(group.log),
            group.own,
            self.wren.reads(self.gid),
            sorted(group.epochs),
            self.wren.node.store.count(Space.GROUPS),
            self.tansy.node.store.count(Space.GROUPS),
        )


@cache
def scene() -> Scene:
    """Let people live a little, and listen to all of it."""
    world = World(9)
    heard: dict[tuple[int, bytes], None] = {}

    def listen(node: Node, event: Input, effects: list[Effect]) -> None:
        if isinstance(event, FrameReceived):
            heard[event.kind, event.payload] = None

    world.watchers.append(listen)
    pi = Person(world, "pi")
    pi.keep()
    gid, (wren, juniper, sorrel) = circle(world, "wren", "juniper", "sorrel")
    wren.use_keeper(gid, pi.ticket())
    for person in (wren, juniper, sorrel):
        person.post(gid, f"hello from {person.name}")
    send_files(wren, gid, ("leaflet.pdf", b"a leaflet"))
    world.run(10)
    world.clog("wren", "sorrel")
    world.clog("pi", "sorrel")
    wren.post(gid, "announced to sorrel, who asks for it")
    world.run(3)
    world.heal()
    code = wren.invite(gid, uses=5)
    tansy = Person(world, "tansy")
    join = tansy.look(code)
    tansy.until(lambda: tansy.stage(join) is JoinStage.PREVIEW)
    tansy.knock(join, gid)
    world.run(10)
    world.watchers.remove(listen)
    assert {kind for kind, _ in heard} >= set(LinkKind) - {LinkKind.HELLO, LinkKind.CHUNK}  # chunks: test_files
    assert {payload[0] for kind, payload in heard if kind == LinkKind.FRAME} >= {1, 2, 3, 4, 7}
    return Scene(world, gid, wren, juniper, tansy, pi, list(heard), [])


# What a step may consist of when it was set off by a stranger: to write is allowed (a knock that waits is written).
ALLOWED = (Persist, Send, SendStored, Fetch, Scan, SetTimer, Notify, Blame)


def mutations() -> st.SearchStrategy[Callable[[bytes], bytes]]:
    """Give ways to spoil bytes."""
    flip = st.tuples(st.integers(0, 10**6), st.integers(1, 255)).map(
        lambda how: lambda raw: spoilt(raw, how[0] % max(1, len(raw)), how[1])
    )
    cut = st.floats(0, 1).map(lambda part: lambda raw: raw[: int(len(raw) * part)])
    grow = st.binary(min_size=1, max_size=40).map(lambda more: lambda raw: raw + more)
    same = st.just(bytes)
    return st.one_of(flip, cut, grow, same)


def spoilt(raw: bytes, at: int, by: int) -> bytes:
    """Change one byte."""
    return raw[:at] + bytes([raw[at] ^ by]) + raw[at + 1 :] if raw else raw


FRAMES = st.tuples(st.integers(0, 10**6), mutations(), st.none() | st.integers(0, 255), st.binary(max_size=120))


@given(st.lists(FRAMES, min_size=1, max_size=8), st.sampled_from(("wren", "tansy", "pi")))
def test_no_bytes_on_a_link_bring_the_machine_down(
    frames: list[tuple[int, object, int | None, bytes]], victim: str
) -> None:
    s = scene()
    before = s.facts()
    liar = s.liar({"wren": s.wren, "tansy": s.tansy, "pi": s.pi}[victim])
    for choice, spoil, kind, noise in frames:
        true_kind, payload = s.heard[choice % len(s.heard)]
        assert callable(spoil)
        sent = noise if choice % 5 == 0 else spoil(payload)
        for effect in liar.say(true_kind if kind is None else kind, sent):
            assert isinstance(effect, ALLOWED)
    assert s.facts() == before
    peer = liar.victim.node.peer
    assert peer is not None
    link = peer.state.links[liar.link]
    assert not link.topics.shared
    assert all(session.device is None for session in link.sessions.values())


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_true_frames_of_other_links_give_no_standing(first: int, second: int) -> None:
    """Everything that was said elsewhere, said again here: only ciphertext is what it was."""
    s = scene()
    before = s.facts()
    liar = s.liar(s.wren)
    for choice in (first, second):
        kind, payload = s.heard[choice % len(s.heard)]
        liar.say(kind, payload)
    assert s.facts() == before
    sent = {send.kind for send in liar.heard}
    assert sent <= {LinkKind.TOPICS, LinkKind.STORED, LinkKind.FRAME}
    assert not [frame for frame in liar.frames if frame[0] in (1, 2, 3)]


# ---------------------------------------------------------------- a member who lies

NUMBERS = st.integers(1, 60) | st.integers(1, limits.MSEQ_MAX)


def devices() -> st.SearchStrategy[DeviceId]:
    """Give devices, most of which are there."""
    known = sorted(scene().wren.group(scene().gid).view.devices)
    return st.sampled_from(known) | st.binary(min_size=16, max_size=16).map(DeviceId)


def op_ids() -> st.SearchStrategy[OpId]:
    """Give operations, most of which are there."""
    known = [op.op_id for op in scene().wren.group(scene().gid).log.ops]
    return st.sampled_from(known) | st.binary(min_size=32, max_size=32).map(OpId)


def entries() -> st.SearchStrategy[FrontierEntry]:
    """Give frontiers, whether or not they make sense."""
    ranges = st.lists(st.tuples(NUMBERS, NUMBERS).map(list), max_size=6)
    return st.builds(FrontierEntry, dev=devices(), contiguous=st.just(0) | NUMBERS, beyond=ranges)


@st.composite
def bundles(draw: st.DrawFn) -> OpBundle:
    """Give an operation, true or spoilt, with wraps that may be somebody else's."""
    ops = scene().wren.group(scene().gid).log.ops
    op = draw(st.sampled_from(ops)).signed
    spoil = draw(mutations())
    tbs = spoil(op.tbs) if draw(st.booleans()) else op.tbs
    sig = (draw(st.binary(min_size=64, max_size=64))) if draw(st.booleans()) else op.sig
    return OpBundle(
        op=SignedOp(tbs=tbs[: limits.OPERATION_BYTES_MAX], sig=sig),
        wraps=draw(st.lists(st.binary(max_size=90), max_size=3)),
    )


@st.composite
def originals(draw: st.DrawFn) -> SignedMessage:
    """Give a message as it was signed, true or spoilt."""
    records = [record for record in scene().juniper.messages(scene().gid) if record.mseq]
    signed = original_of(scene().gid, draw(st.sampled_from(records)))
    spoil = draw(mutations())
    tbs = spoil(signed.tbs) if draw(st.booleans()) else signed.tbs
    sig = draw(st.binary(min_size=64, max_size=64)) if draw(st.booleans()) else signed.sig
    return SignedMessage(tbs=tbs, sig=sig)


@st.composite
def bodies(draw: st.DrawFn) -> SessionBody:
    """Give anything that a member could say."""
    spans = st.lists(st.builds(Span, dev=devices(), first=NUMBERS, last=NUMBERS), max_size=6)
    closed = st.lists(st.builds(ClosedSpan, dev=devices(), first=NUMBERS, last=NUMBERS), max_size=6)
    heads = st.lists(op_ids(), max_size=4)
    tickets = st.integers(0, 40) | st.integers(0, 2**32 - 1)
    body: SessionBody = draw(
        st.one_of(
            st.builds(StateBody, heads=heads, frontier=st.lists(entries(), max_size=4)),
            st.builds(WantOpsBody, heads=heads),
            st.builds(WantMessagesBody, ticket=tickets, spans=spans),
            st.builds(AnsweredBody, ticket=tickets, closed=closed),
            st.builds(OpsBody, ops=st.lists(bundles(), max_size=3)),
            st.builds(
                WantHistoryBody, ticket=tickets, before=st.binary(max_size=32), have=st.lists(entries(), max_size=4)
            ),
            st.builds(
                HistoryBody, ticket=tickets, before=st.binary(max_size=32), messages=st.lists(originals(), max_size=3)
            ),
        )
    )
    return body


@given(st.data())
@settings(max_examples=60)
def test_a_member_who_lies_moves_nothing_that_others_said(data: st.DataObject) -> None:
    s = scene()
    group = s.juniper.group(s.gid)
    before = s.facts()
    liar = s.liar(s.wren)
    assert group.epoch is not None
    liar.prove(group, group.epoch)
    for body in data.draw(st.lists(bodies(), min_size=1, max_size=6)):
        for effect in liar.tell(body):
            assert isinstance(effect, ALLOWED)
        s.world.run(0.01)  # what is read from the disk comes a moment later
    assert s.facts() == before
    room = s.wren.room(s.gid)
    assert len(room.tracks) <= len(group.log.ops), "only devices that somebody brought in"
    asked = [body for body in liar.said(group) if isinstance(body, WantMessagesBody)]
    assert all(sum(span.last - span.first + 1 for span in body.spans) <= limits.WANT_MESSAGES_MAX for body in asked)
    room.ahead_since.clear()
    room.disbelieved.clear()


def test_after_all_that_they_still_talk() -> None:
    s = scene()
    if s.liars:
        s.liars.pop().hang_up()
    before = len(s.juniper.reads(s.gid))
    s.wren.post(s.gid, "are you there?")
    assert s.wren.until(lambda: len(s.juniper.reads(s.gid)) == before + 1, 60)
