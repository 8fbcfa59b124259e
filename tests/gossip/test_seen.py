"""What is remembered of frames that passed."""

from mesh.gossip.seen import SeenFrames, StreamId
from mesh.ids import FrameId, LinkId
from mesh.wire.gossip import short

ONE, TWO, THREE = (LinkId(k) for k in (1, 2, 3))


def frame(number: int) -> FrameId:
    """Give a frame's id."""
    return FrameId(number.to_bytes(16, "big") + bytes(16))


def test_a_frame_goes_to_everybody_who_is_not_known_to_have_it() -> None:
    seen = SeenFrames()
    assert seen.note(frame(1), ONE)
    assert not seen.note(frame(1), TWO)
    assert seen.targets(frame(1), [ONE, TWO, THREE]) == [THREE]
    assert seen.targets(frame(1), [ONE, TWO, THREE]) == []


def test_our_own_frame_goes_to_all_once() -> None:
    seen = SeenFrames()
    assert seen.note(frame(1), None)
    assert seen.targets(frame(1), [ONE, TWO]) == [ONE, TWO]
    assert seen.targets(frame(1), [ONE, TWO, THREE]) == [THREE]


def test_a_holder_is_noted_of_what_is_known_and_of_nothing_else() -> None:
    seen = SeenFrames()
    seen.note_holder(short(frame(1)), ONE)
    assert frame(1) not in seen
    assert not seen.has(short(frame(1)), ONE)
    seen.note(frame(1), None)
    seen.note_holder(short(frame(1)), ONE)
    assert seen.has(short(frame(1)), ONE)
    assert not seen.has(short(frame(1)), TWO)


def test_whose_a_frame_is() -> None:
    seen = SeenFrames()
    assert seen.stream_of(short(frame(1))) is None
    seen.note_stream(frame(1), StreamId(b"a" * 48))
    assert seen.stream_of(short(frame(1))) == b"a" * 48
    assert seen.knows(short(frame(1)))


def test_the_oldest_frames_are_forgotten() -> None:
    seen = SeenFrames(frames_max=3)
    for k in range(5):
        seen.note(frame(k), None)
        seen.mark_stored(frame(k))
    assert [frame(k) in seen for k in range(5)] == [False, False, True, True, True]
    assert [seen.is_stored(frame(k)) for k in range(5)] == [False, False, True, True, True]
    seen.targets(frame(9), [ONE])
    assert len(seen) == 3


def test_seen_is_not_stored() -> None:
    seen = SeenFrames()
    seen.note(frame(1), ONE)
    assert not seen.is_stored(frame(1))
    seen.mark_stored(frame(1))
    assert seen.is_stored(frame(1))
