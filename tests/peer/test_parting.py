"""How a talk with a listener ends: by either, without a reason, and with nothing left of it but that there was one."""

import pytest

from mesh.commands import MakeStatement, Post
from mesh.errors import LocalError
from mesh.events import Space
from mesh.groups.invites import HOUR_MS
from mesh.ids import GroupId
from mesh.peer import parting
from mesh.peer.parting import LIFE_MS
from mesh.peer.state import State, Step
from mesh.wire.codec import encode
from mesh.wire.statements import Form, TalkEndValue
from simulations.checks import blamed
from simulations.people import Person
from tests.peer.listeners import ask, end, offering, seek, states, talks, together
from tests.peer.test_listening import everything, state_of


def rows_of(person: Person, new: GroupId) -> list[str]:
    """In which spaces something stands of a group."""
    return [space for space in Space for key, value in person.node.store.scan(space) if bytes(new) in key + value]


@pytest.mark.parametrize("who", [0, 1])
def test_either_ends_it_and_both_forget_all_of_it(who: int) -> None:
    world, gid, new, _, people = together()
    wren, tansy = people[:2]
    wren.post(new, "I cannot sleep")
    tansy.post(new, "I am here")
    world.run(10)
    end(people[who], gid, new)
    assert people[who].node.store.count(Space.MESSAGES, new) == 0, "what was said goes at once"
    world.run(10)
    for person in (wren, tansy):
        assert new not in state_of(person).rooms
        assert rows_of(person, new) == ["listens"]
        assert b"I am here" not in everything(person)
        (kept,) = [kept for key, kept in person.room(gid).listens.items() if key == new]
        assert (kept.member, kept.addresses, kept.seen) == (None, [], person is people[who])
    assert "ended" in states(wren, gid)
    assert states(tansy, gid) == ["ended"]
    assert blamed(world) == []


def test_without_a_keeper_it_ends_alike() -> None:
    world, gid, new, _, (wren, tansy, *_) = together(kept=False)
    end(tansy, gid, new)
    world.run(20)
    assert not any(new in state_of(p).rooms for p in (wren, tansy))


def test_one_who_is_away_hears_of_the_end_later_and_the_ender_keeps_no_words_meanwhile() -> None:
    world, gid, new, _, (wren, tansy, *_) = together()
    tansy.post(new, "I am here")
    world.run(10)
    tansy.off()
    world.stop("pi")
    world.run(10)
    end(wren, gid, new)
    with pytest.raises(LocalError):
        world.ask("wren", _post(new))
    assert b"I am here" not in everything(wren)
    world.run(120)
    assert new in state_of(wren).rooms, "nobody has been told"
    wren.off(power_cut=True)
    wren.on()
    world.start("pi")
    assert wren.until(lambda: new not in state_of(wren).rooms, 180)
    tansy.on()
    assert tansy.until(lambda: new not in state_of(tansy).rooms, 120)
    assert b"I am here" not in everything(tansy)


def _post(new: GroupId) -> Post:
    return Post(
        group=new, text="more", mode="listening", cw="", topics=(), reply_to=None, no_history=False, expires_s=None
    )


@pytest.mark.parametrize("ahead_s", [180, 30 * 86_400])
def test_an_end_is_honoured_whatever_clock_its_author_has(ahead_s: int) -> None:
    world, gid, new, _, (wren, tansy, *_) = together()
    tansy.post(new, "I am here")
    world.run(10)
    wren.node.skew_ms = ahead_s * 1000
    end(wren, gid, new)
    world.run(10)
    assert new not in state_of(tansy).rooms
    assert rows_of(tansy, new) == ["listens"]
    assert b"I am here" not in everything(tansy)
    assert states(tansy, gid) == ["ended"]


def test_a_changed_program_that_keeps_it_open_talks_to_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    world, gid, new, _, (wren, tansy, *_) = together()
    theirs, real = state_of(tansy), parting.hear_ends

    def hears(state: State, step: Step) -> None:
        if state is not theirs:
            real(state, step)

    monkeypatch.setattr(parting, "hear_ends", hears)
    end(wren, gid, new)
    world.run(30)
    assert new in theirs.rooms
    tansy.post(new, "come back")
    world.run(60)
    assert new not in state_of(wren).rooms
    assert b"come back" not in everything(wren)
    assert rows_of(wren, new) == ["listens"]


def test_only_the_other_ends_a_talk_and_nothing_that_is_said_elsewhere() -> None:
    """The same word in an ordinary group, where somebody says it, ends nothing."""
    world, gid, _, (wren, tansy, *_) = offering()
    word = MakeStatement(group=gid, form=Form.TALK_END, subject=b"", value=encode(TalkEndValue()))
    world.ask("tansy", word)
    world.run(10)
    assert all(gid in state_of(p).rooms for p in (wren, tansy))


def test_a_talk_that_nobody_ends_is_forgotten_after_a_day() -> None:
    world, gid, new, _, (wren, tansy, *_) = together()
    for person in (wren, tansy):
        person.node.skew_ms = LIFE_MS + HOUR_MS
    world.run(40)
    assert not any(new in state_of(p).rooms for p in (wren, tansy))
    assert "ended" in states(wren, gid)
    assert states(tansy, gid) == ["ended"]


def test_who_leaves_it_or_the_group_where_it_began_ends_it() -> None:
    world, gid, new, _, (wren, tansy, *_) = together()
    tansy.leave(new)
    world.run(120)
    assert not any(new in state_of(p).rooms for p in (wren, tansy))
    assert "ended" in states(wren, gid)
    del gid


def test_who_wipes_the_group_forgets_the_talk_with_it() -> None:
    world, gid, new, _, (wren, tansy, *_) = together()
    tansy.leave(gid, wipe=True)
    world.run(60)
    assert rows_of(tansy, new) == []
    assert new not in state_of(tansy).rooms
    del wren


def test_an_asking_is_taken_back_and_what_one_is_asked_put_aside_and_nobody_is_told() -> None:
    world, gid, _, (wren, tansy, sorrel, _) = offering()
    ask(wren, gid, tansy, sorrel)
    world.run(10)
    sent = tansy.group(gid).own.mseq
    (new,) = talks(tansy, gid)
    seek(tansy, gid, new)
    end(tansy, gid, new)
    assert states(tansy, gid) == ["declined"]
    assert tansy.group(gid).own.mseq == sent
    end(wren, gid, talks(wren, gid)[0])
    assert talks(wren, gid) == []
    assert [room.group.gid for room in state_of(wren).rooms.values()] == [gid]
    world.run(20)
    assert states(sorrel, gid) == ["offered"], "until it runs out"
    with pytest.raises(LocalError):
        end(wren, gid, new)


def test_what_ended_is_forgotten_once_it_was_seen_and_can_not_be_said_again() -> None:
    world, gid, new, _, (wren, tansy, *_) = together()
    end(tansy, gid, new)
    world.run(20)
    for person in (wren, tansy):
        person.node.skew_ms = 4 * HOUR_MS
    world.run(40)
    assert talks(tansy, gid) == [], "its ender has seen it"
    assert new in talks(wren, gid), "the other has not"
    for person in (wren, tansy):
        person.node.skew_ms = 8 * 24 * HOUR_MS
    world.run(40)
    assert talks(wren, gid) == []


def test_one_talk_after_the_other() -> None:
    world, gid, new, _, (wren, tansy, sorrel, _) = together()
    end(wren, gid, new)
    world.run(20)
    ask(wren, gid, tansy)
    world.run(10)
    (again,) = [key for key in talks(tansy, gid) if key != new]
    join = seek(tansy, gid, again)
    world.run(10)
    assert tansy.knows(join)
    del sorrel
