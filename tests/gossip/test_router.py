"""Who gets a frame next, and what is remembered of frames that passed."""

from mesh.gossip.router import SeenFrames
from mesh.ids import FrameId, LinkId

ONE, TWO, THREE = (LinkId(k) for k in (1, 2, 3))


def frame(number: int) -> FrameId:
    """Give a frame's id."""
    return FrameId(number.to_bytes(32, "big"))


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


def test_the_oldest_frames_are_forgotten() -> None:
    seen = SeenFrames(frames_max=3)
    for k in range(5):
        seen.note(frame(k), None)
        seen.mark_stored(frame(k))
    assert [frame(k) in seen for k in range(5)] == [False, False, True, True, True]
    assert [seen.is_stored(frame(k)) for k in range(5)] == [False, False, True, True, True]
    seen.targets(frame(9), [ONE])
    assert len(seen._holders) == 3


def test_seen_is_not_stored() -> None:
    seen = SeenFrames()
    seen.note(frame(1), ONE)
    assert not seen.is_stored(frame(1))
    seen.mark_stored(frame(1))
    assert seen.is_stored(frame(1))
