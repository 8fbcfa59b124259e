"""Who brings frames hears that they are stored: the first at once, the next together, none twice and none never."""

from random import Random

from mesh.events import Instant, LinkKind, Send, SendClass
from mesh.ids import FrameId, LinkId
from mesh.peer.acknowledging import CALM_MS, STORED_GAP_MS, acknowledge
from mesh.peer.routing import REPAIR_WAIT_MS
from mesh.peer.state import Step
from mesh.wire import limits
from mesh.wire.codec import encode
from mesh.wire.frames import parse_frame
from mesh.wire.messages import Kind, ReceiptBody
from simulations.chance import SeededEntropy, SeededSealer
from simulations.world import START_WALL_MS
from tests.peer.liar import Liar
from tests.peer.test_hearing import acknowledged, pair

GAP_S = STORED_GAP_MS / 1000


def test_the_first_is_told_at_once_and_the_next_share_an_answer() -> None:
    world, _, wren, _, pen = pair()
    liar = Liar(wren)
    frames = [pen.write(f"{k}") for k in range(5)]
    ids = [parse_frame(frame).id for frame in frames]
    assert acknowledged(liar.say(LinkKind.FRAME, frames[0])) == ids[:1]
    for frame in frames[1:]:
        assert acknowledged(liar.say(LinkKind.FRAME, frame)) == []
    world.run(GAP_S + 0.05)
    said = [send for send in liar.heard if send.kind is LinkKind.STORED]
    assert [acknowledged([send]) for send in said] == [ids[:1], ids[1:]]


def test_after_a_pause_it_is_at_once_again() -> None:
    world, _, wren, _, pen = pair()
    liar = Liar(wren)
    for k in range(3):
        frame = pen.write(f"{k}")
        assert acknowledged(liar.say(LinkKind.FRAME, frame)) == [parse_frame(frame).id]
        world.run(GAP_S)


def test_of_a_receipt_it_is_told_with_the_next_answer_or_after_a_while() -> None:
    world, _, wren, _, pen = pair()
    liar = Liar(wren)
    receipts = [pen.seal(Kind.RECEIPT, encode(ReceiptBody(reached=[]))) for _ in range(2)]
    post = pen.write("hello")
    ids = [parse_frame(frame).id for frame in (*receipts, post)]
    assert acknowledged(liar.say(LinkKind.FRAME, receipts[0])) == []
    world.run(CALM_MS / 1000 - 0.05)
    assert [send for send in liar.heard if send.kind is LinkKind.STORED] == []
    world.run(0.1)
    assert [acknowledged([send]) for send in liar.heard if send.kind is LinkKind.STORED] == [ids[:1]]
    world.run(GAP_S)
    assert acknowledged(liar.say(LinkKind.FRAME, receipts[1])) == []
    assert acknowledged(liar.say(LinkKind.FRAME, post)) == ids[1:]
    assert CALM_MS < REPAIR_WAIT_MS, "or whoever pushed it would think that it was lost"


def test_one_link_does_not_wait_for_another() -> None:
    _, _, wren, _, pen = pair()
    for number in range(3):
        frame = pen.write(f"{number}")
        assert acknowledged(Liar(wren, number).say(LinkKind.FRAME, frame)) == [parse_frame(frame).id]


def test_nothing_is_said_to_a_link_that_is_gone() -> None:
    world, _, wren, _, pen = pair()
    liar = Liar(wren)
    for k in range(2):
        liar.say(LinkKind.FRAME, pen.write(f"{k}"))
    liar.hang_up()
    world.run(1)
    assert len([send for send in liar.heard if send.kind is LinkKind.STORED]) == 1


def test_what_waits_is_bounded() -> None:
    """Whoever makes us acknowledge much is told sooner, in frames of the size that they may have."""
    world, _, wren, _, _ = pair()
    liar = Liar(wren)
    assert wren.node.peer is not None
    state, entropy = wren.node.peer.state, SeededEntropy(1, "here")
    now = Instant(mono_ms=world.now_ms, wall_ms=START_WALL_MS)
    link: LinkId = liar.link
    told: list[bytes] = []
    for first in range(0, 3000, 300):
        step = Step(now=now, dice=Random(1), entropy=entropy, sealer=SeededSealer(entropy))
        step.stored[link] = [FrameId(k.to_bytes(32, "big")) for k in range(first, first + 300)]
        acknowledge(state, step)
        sends = [effect for effect in step.effects if isinstance(effect, Send)]
        assert all(0 < len(send.payload) <= 32 * limits.STORED_IDS_MAX for send in sends)
        assert all(send.send_class is SendClass.CONTROL for send in sends)
        told += acknowledged(list(sends))
        assert len(state.links[link].stored) < limits.STORED_IDS_MAX
    assert told == [k.to_bytes(32, "big") for k in range(len(told))]
    assert len(told) > 3000 - limits.STORED_IDS_MAX
