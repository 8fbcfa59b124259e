"""Asking for a listener more than once: the newest asking of a member counts, and a few within three hours."""

import pytest
from msgspec.structs import replace

from mesh.errors import LocalError
from mesh.ids import GroupId
from mesh.peer import listening
from mesh.peer.listening import ASK_HOURS
from mesh.wire import limits
from mesh.wire.codec import decode, encode
from mesh.wire.notes import ListenSlip
from tests.peer.forgery import Forger
from tests.peer.listeners import ask, end, listen, offering, seek, states, talks
from tests.peer.test_listening import hands, slip_of, state_of


def test_who_takes_an_asking_back_and_asks_again_is_heard_and_the_newer_takes_the_place_of_the_older() -> None:
    world, gid, _, (wren, tansy, sorrel, _) = offering()
    ask(wren, gid, tansy, sorrel)
    world.run(10)
    (older,) = talks(tansy, gid)
    join = seek(tansy, gid, older)
    (put_aside,) = talks(sorrel, gid)
    end(sorrel, gid, put_aside)
    end(wren, gid, talks(wren, gid)[0])
    world.run(5)
    ask(wren, gid, tansy, sorrel)
    world.run(10)
    (newer,) = talks(tansy, gid)
    assert newer != older
    assert join not in state_of(tansy).joins
    assert states(tansy, gid) == states(sorrel, gid) == ["offered"]
    assert newer in talks(wren, gid)
    listen(tansy, gid)
    assert tansy.until(lambda: states(tansy, gid) == ["open"], 120)
    assert "open" in states(wren, gid)


def test_one_member_is_heard_a_few_times_within_three_hours_and_their_own_node_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A changed program asks on: those who were asked are shown no more of it until the time is over."""
    world, gid, _, (wren, tansy, *_) = offering()
    seen: list[GroupId] = []

    def asks_once() -> None:
        ask(wren, gid, tansy)
        world.run(5)
        seen.extend(talks(tansy, gid))
        end(wren, gid, talks(wren, gid)[0])
        world.run(1)

    for _ in range(limits.ASKINGS_MAX):
        asks_once()
    assert len(dict.fromkeys(seen)) == limits.ASKINGS_MAX
    with pytest.raises(LocalError) as caught:
        ask(wren, gid, tansy)
    assert caught.value.code == "E-LISTEN-ASKED"
    monkeypatch.setattr(listening, "_require_asker", lambda state, room, step: None)
    for _ in range(3):
        asks_once()
    assert len(dict.fromkeys(seen)) == limits.ASKINGS_MAX
    monkeypatch.undo()
    world.run(ASK_HOURS * 3600 + 3600)
    asks_once()
    assert len(dict.fromkeys(seen)) == limits.ASKINGS_MAX + 1


def test_an_older_asking_that_comes_late_takes_the_place_of_none() -> None:
    world, gid, _, (wren, tansy, sorrel, _) = offering()
    ask(wren, gid, sorrel)
    world.run(5)
    good = decode(ListenSlip, slip_of(sorrel, gid), bytes_max=2000)
    late = Forger(wren, gid)  # what it says is dated before all that
    end(wren, gid, talks(wren, gid)[0])
    ask(wren, gid, tansy)
    world.run(5)
    shown = talks(tansy, gid)
    hands(late, tansy, encode(replace(good, gid=GroupId(good.gid[:16] + b"z" * 16))))
    assert talks(tansy, gid) == shown
