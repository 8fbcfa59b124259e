"""Queues are bounded, frames leave in order within their class, and nobody waits for ever."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.events import SendClass
from mesh.node.links.outbox import BATCH_BYTES, QUEUE_BYTES_MAX, Outbox, SlowReader

PUSHES = st.lists(st.tuples(st.sampled_from(SendClass), st.integers(1, 90_000)), max_size=60)


def fill(outbox: Outbox, send_class: SendClass, frame: bytes) -> int:
    """Push until a queue is full; return how many frames it took."""
    count = 0
    while outbox.has_room(send_class, len(frame)):
        outbox.push(send_class, frame)
        count += 1
    return count


def test_higher_classes_leave_first() -> None:
    outbox = Outbox()
    for send_class, frame in [(SendClass.BULK, b"bulk"), (SendClass.MESSAGES, b"post"), (SendClass.CONTROL, b"graft")]:
        assert outbox.push(send_class, frame)
    assert outbox.take() == b"graftpostbulk"
    assert outbox.take() == b""


@given(PUSHES)
def test_what_was_queued_comes_out_once_and_in_order_in_whole_frames(pushes: list[tuple[SendClass, int]]) -> None:
    outbox, queued = Outbox(), {send_class: list[bytes]() for send_class in SendClass}
    for number, (send_class, length) in enumerate(pushes):
        frame = bytes([send_class, number]) * length
        if outbox.has_room(send_class, len(frame)):
            assert outbox.push(send_class, frame)
            queued[send_class].append(frame)
    assert outbox.queued_bytes == sum(len(frame) for frames in queued.values() for frame in frames)
    while batch := outbox.take():
        taken = []
        while batch:
            frame = next(frames[0] for frames in queued.values() if frames and batch.startswith(frames[0]))
            queued[SendClass(frame[0])].remove(frame)
            batch = batch[len(frame) :]
            taken.append(len(frame))
        assert sum(taken) - max(taken) <= BATCH_BYTES
    assert not any(queued.values())
    assert outbox.queued_bytes == 0


def test_a_full_queue_of_messages_leaves_a_push_out_and_counts_it() -> None:
    outbox, frame = Outbox(), bytes(600)
    taken = fill(outbox, SendClass.MESSAGES, frame)
    assert taken >= 2_000  # a burst fits (network.md §8)
    assert outbox.push(SendClass.MESSAGES, frame) is False
    assert outbox.push(SendClass.MESSAGES, frame) is False
    assert outbox.skipped == 2
    assert outbox.queued_bytes <= QUEUE_BYTES_MAX[SendClass.MESSAGES]
    outbox.take()
    assert outbox.push(SendClass.MESSAGES, frame)


@pytest.mark.parametrize("send_class", [each for each in SendClass if each is not SendClass.MESSAGES])
def test_in_any_other_class_a_full_queue_is_a_slow_reader(send_class: SendClass) -> None:
    outbox = Outbox()
    fill(outbox, send_class, bytes(50_000))
    with pytest.raises(SlowReader):
        outbox.push(send_class, bytes(50_000))
    assert outbox.skipped == 0


def test_an_empty_queue_takes_the_longest_frame() -> None:
    outbox = Outbox()
    frame = bytes(QUEUE_BYTES_MAX[SendClass.BULK] + 1)
    assert outbox.push(SendClass.BULK, frame)
    assert outbox.take() == frame


def test_a_flood_of_posts_delays_a_catch_up_and_does_not_stop_it() -> None:
    outbox, bulk = Outbox(), b"b" * 280_000
    outbox.push(SendClass.BULK, bulk)
    batches = 0
    while True:
        fill(outbox, SendClass.MESSAGES, bytes(600))
        batches += 1
        if bulk in outbox.take():
            break
    assert batches <= 16 * len(bulk) / BATCH_BYTES + 1


def test_a_long_frame_of_a_higher_class_is_never_passed_by() -> None:
    outbox = Outbox()
    fill(outbox, SendClass.MESSAGES, bytes(600))
    outbox.push(SendClass.CONTROL, b"c" * 300_000)
    assert outbox.take().startswith(b"c" * 300_000)


def test_it_counts_what_has_left() -> None:
    outbox = Outbox()
    outbox.push(SendClass.CONTROL, b"one")
    outbox.push(SendClass.REPAIR, b"three")
    outbox.take()
    assert (outbox.sent_frames, outbox.sent_bytes) == (2, 8)
