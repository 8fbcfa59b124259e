"""Hearing: whatever comes, in whatever order and however often, is shown once, or is not shown at all."""

from mesh.commands import Rekey
from mesh.crypto.hashes import h
from mesh.crypto.keys import NONCE_BYTES, encrypt, public_key, sign
from mesh.errors import Fault
from mesh.events import Effect, LinkKind, Send, Space
from mesh.groups.group import Group
from mesh.groups.messaging import MESSAGE_LABEL
from mesh.groups.schedule import message_key, next_chain_key
from mesh.ids import GroupId, MsgId, OpId
from mesh.peer.acknowledging import STORED_GAP_MS
from mesh.support.posts import Wish, compose
from mesh.wire import limits
from mesh.wire.codec import encode
from mesh.wire.frames import FrameType, parse_frame, seal_frame
from mesh.wire.messages import Kind, MessageTbs, Reached, ReceiptBody, SignedMessage
from mesh.wire.padding import pad
from simulations.checks import Watch, blamed
from simulations.people import Person, circle
from simulations.world import World
from tests.peer.liar import Liar


class Pen:
    """Writes messages by the hand of `group`'s own device, with whatever numbers the test wants."""

    def __init__(self, group: Group) -> None:
        assert group.epoch is not None
        self.group, self.epoch = group, group.epoch
        chain = group.chains[self.epoch, group.own.dev]
        self.i, self._key = chain.i, chain.key
        self.mseq, self.prev = group.own.mseq, group.own.prev

    def write(self, text: str, *, mseq: int = 0, prev: bytes | None = None, heads: list[OpId] | None = None) -> bytes:
        """Return a frame with the next number, or with this one."""
        body = compose(Wish(text=text, mode="listening", cw="", topics=(), reply_to=b""))
        return self.seal(Kind.POST, body, mseq=mseq, prev=prev, heads=heads)

    def seal(
        self, kind: int, body: bytes, *, mseq: int = 0, prev: bytes | None = None, heads: list[OpId] | None = None
    ) -> bytes:
        """Return a frame of any kind."""
        record = self.group.epochs[self.epoch]
        self.mseq = mseq or self.mseq + 1
        tbs = MessageTbs(
            version=1,
            gid=self.group.gid,
            epoch=self.epoch,
            dev=self.group.own.dev,
            i=self.i,
            mseq=self.mseq,
            uid=h(b"mesh1/test", body, self.mseq.to_bytes(8, "big"))[:16],
            kind=kind,
            prev=MsgId(self.prev if prev is None else prev),
            parents=[],
            heads=heads or self.group.log.heads,
            ts_ms=1_800_000_000_000 + self.mseq,
            flags=0,
            body=body,
        )
        raw = encode(tbs)
        self.prev = MsgId(h(b"mesh1/msgid", raw))
        signed = encode(SignedMessage(tbs=raw, sig=sign(self.group.own.dev_seed, MESSAGE_LABEL + raw)))
        nonce = h(b"mesh1/test", raw)[:NONCE_BYTES]
        outer = bytes([FrameType.MESSAGE]) + public_key(record.pub_seed)
        header = encrypt(record.hdr_key, nonce, outer, self.group.own.dev + self.i.to_bytes(4, "big"))
        sealed = encrypt(message_key(self._key, self.i), nonce, outer + header, pad(signed))
        self.i, self._key = self.i + 1, next_chain_key(self._key)
        return seal_frame(FrameType.MESSAGE, record.pub_seed, nonce + header + sealed)


def pair() -> tuple[World, GroupId, Person, Person, Pen]:
    """Wren listens; juniper's node is off, and her pen is in the test's hand."""
    world = World(3)
    gid, (wren, juniper) = circle(world, "wren", "juniper")
    world.run(10)
    pen = Pen(juniper.group(gid))
    juniper.off()
    world.run(1)
    return world, gid, wren, juniper, pen


def acknowledged(effects: list[Effect]) -> list[bytes]:
    """Return the ids of frames that were said to be stored."""
    payloads = [e.payload for e in effects if isinstance(e, Send) and e.kind is LinkKind.STORED]
    return [payload[k : k + 32] for payload in payloads for k in range(0, len(payload), 32)]


def test_a_message_is_stored_shown_and_acknowledged() -> None:
    _, gid, wren, _, pen = pair()
    liar = Liar(wren)
    frame = pen.write("one")
    assert acknowledged(liar.say(LinkKind.FRAME, frame)) == [parse_frame(frame).id]
    assert wren.reads(gid) == ["one"]
    assert wren.node.store.count(Space.UNREAD, gid) == 1


def test_the_same_message_again_is_acknowledged_and_not_shown_twice() -> None:
    world, gid, wren, _, pen = pair()
    frame = pen.write("one")
    for number in range(3):
        liar = Liar(wren, number)
        for _ in range(2):
            assert acknowledged(liar.say(LinkKind.FRAME, frame)) == [parse_frame(frame).id]
            world.run(STORED_GAP_MS / 1000)
    assert wren.reads(gid) == ["one"]


def test_messages_out_of_order_are_taken_and_blame_nobody() -> None:
    _, gid, wren, _, pen = pair()
    texts = ["one", "two", "three", "four", "five"]
    frames = [pen.write(text) for text in texts]
    liar = Liar(wren)
    for k in (2, 0, 4, 1, 3):
        liar.say(LinkKind.FRAME, frames[k])
    assert wren.reads(gid) == texts
    assert liar.faults == []


def test_a_device_that_forks_is_taken_as_it_comes_and_no_messenger_is_blamed() -> None:
    _, gid, wren, _, pen = pair()
    fork = Pen(pen.group)
    fork.i, fork._key = fork.i + 1, next_chain_key(fork._key)
    one, other = Liar(wren), Liar(wren, 1)
    first, second = pen.write("as told to wren"), pen.write("and on")
    fork.write("as told to sorrel")
    after = fork.write("and on, elsewhere", mseq=pen.mseq + 1)
    one.say(LinkKind.FRAME, first)
    one.say(LinkKind.FRAME, second)
    other.say(LinkKind.FRAME, after)  # follows a message that wren never saw under that number
    assert wren.reads(gid) == ["as told to wren", "and on", "and on, elsewhere"]
    assert one.faults == other.faults == []


def test_a_second_message_under_one_number_is_not_said_to_be_stored() -> None:
    _, gid, wren, _, pen = pair()
    liar = Liar(wren)
    liar.say(LinkKind.FRAME, pen.write("one"))
    twin = pen.write("not one", mseq=pen.mseq)
    assert acknowledged(liar.say(LinkKind.FRAME, twin)) == []
    assert wren.reads(gid) == ["one"]
    assert liar.faults == []


def test_a_number_that_leaps_is_left_aside() -> None:
    _, gid, wren, _, pen = pair()
    liar = Liar(wren)
    assert acknowledged(liar.say(LinkKind.FRAME, pen.write("far", mseq=pen.mseq + limits.MSEQ_JUMP_MAX + 2))) == []
    assert wren.reads(gid) == []
    assert liar.faults == []


def test_a_message_that_builds_on_unknown_operations_waits_for_them() -> None:
    world = World(4)
    gid, (wren, juniper) = circle(world, "wren", "juniper")
    world.run(10)
    world.clog("juniper", "wren")
    pen = Pen(juniper.group(gid))  # the old epoch, which wren can open
    world.ask("juniper", Rekey(group=gid))
    frame = pen.write("later than you know", heads=juniper.group(gid).log.heads)
    liar = Liar(wren)
    assert acknowledged(liar.say(LinkKind.FRAME, frame)) == []
    assert wren.reads(gid) == []
    assert list(wren.room(gid).early) == [frame]
    before = len(liar.effects)
    world.heal()
    world.run(5)
    assert wren.reads(gid) == ["later than you know"]
    assert parse_frame(frame).id in acknowledged(liar.effects[before:]), "whoever waits for word of it gets it"
    assert wren.room(gid).early == {}
    assert wren.room(gid).early_bytes == 0


def test_what_waits_for_operations_is_bounded() -> None:
    _, gid, wren, _, pen = pair()
    liar = Liar(wren)
    for k in range(280):
        text = "x" * 32_000 + str(k)
        liar.say(LinkKind.FRAME, pen.write(text, heads=[OpId(k.to_bytes(32, "big"))]))
    room = wren.room(gid)
    assert room.early_bytes == sum(len(raw) for raw in room.early) <= 8 * 1024 * 1024
    assert len(room.early) <= limits.PENDING_MESSAGES_MAX
    assert liar.faults == []


def test_a_frame_with_a_bad_signature_does_not_keep_the_true_one_out() -> None:
    _, gid, wren, _, pen = pair()
    liar = Liar(wren)
    frame = pen.write("one")
    liar.say(LinkKind.FRAME, frame[:-1] + bytes([frame[-1] ^ 1]))
    assert liar.faults == [Fault.BAD_SIGNATURE]
    assert wren.reads(gid) == []
    assert acknowledged(liar.say(LinkKind.FRAME, frame)) == [parse_frame(frame).id]
    assert wren.reads(gid) == ["one"]


def test_a_broken_body_moves_nothing() -> None:
    _, gid, wren, _, pen = pair()
    liar = Liar(wren)
    liar.say(LinkKind.FRAME, pen.seal(Kind.POST, b"\x93"))
    assert liar.faults == [Fault.MALFORMED]
    liar.say(LinkKind.FRAME, pen.write("after it"))
    assert wren.reads(gid) == ["after it"]
    chain = wren.group(gid).chains[pen.epoch, pen.group.own.dev]
    assert len(chain.skipped) == 1, "its key waits for an honest message"


def test_a_kind_of_a_later_version_is_kept() -> None:
    _, gid, wren, _, pen = pair()
    Liar(wren).say(LinkKind.FRAME, pen.seal(Kind(4), b"\x93\x90\xc2\xc3"))
    frame = pen.seal(999, b"anything")
    Liar(wren, 1).say(LinkKind.FRAME, frame)
    assert wren.room(gid).tracks[pen.group.own.dev].have.contiguous == pen.mseq


def test_a_receipt_counts_for_its_author_alone_and_never_for_more_than_was_sent() -> None:
    world = World(3)
    Watch.over(world)
    gid, (wren, juniper, _) = circle(world, "wren", "juniper", "sorrel")
    world.run(10)
    world.partition(("wren", "juniper"), ("sorrel",))
    world.run(1)
    post = wren.post(gid, "one")
    world.run(10)
    assert wren.told(gid, post) == ("reached", 1, 2)
    own = wren.group(gid).own
    said = wren.delivery(gid, post)
    spans = [[1, own.mseq + 1000]]
    boast = encode(ReceiptBody(reached=[Reached(dev=own.dev, spans=spans, mseq=said.mseq, name=said.name)]))
    pen = Pen(juniper.group(gid))
    Liar(wren).say(LinkKind.FRAME, pen.seal(Kind.RECEIPT, boast))
    later = wren.post(gid, "two")
    assert wren.told(gid, post) == ("reached", 1, 2), "sorrel has said nothing"
    assert wren.told(gid, later)[1] == 0, "a receipt from before it was said"


def test_a_post_reaches_at_most_those_for_whom_it_was_sealed() -> None:
    world = World(5)
    Watch.over(world)
    gid, (wren, juniper) = circle(world, "wren", "juniper")
    world.run(5)
    post = wren.post(gid, "before tansy")
    world.run(5)
    tansy = Person(world, "tansy")
    tansy.join(gid, wren.invite(gid))
    world.run(20)
    assert wren.told(gid, post) == ("reached", 1, 1)
    assert tansy.reads(gid) == []
    assert wren.group(gid).others == sorted([juniper.member(gid), tansy.member(gid)])
    assert blamed(world) == []


def test_the_newest_presence_counts_whatever_its_clock_says() -> None:
    world = World(6)
    gid, (wren, juniper) = circle(world, "wren", "juniper")
    juniper.node.skew_ms = 365 * 86_400_000
    juniper.off()
    juniper.on()
    world.run(10)
    juniper.node.skew_ms = 0
    juniper.off()
    juniper.on()
    world.run(10)
    contact = wren.room(gid).contacts[juniper.group(gid).own.dev]
    assert contact.mseq == max(m for m in range(1, 20) if m in wren.room(gid).tracks[juniper.group(gid).own.dev].have)
    assert contact.addresses == [juniper.node.address]
