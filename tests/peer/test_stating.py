"""Stating: flags and pins reach everybody, survive with nobody there, and count only from those who may say them.

Some programs here are changed, and say what an honest one never would; the honest nodes keep the rules all the same.
"""

import pytest

from mesh.commands import MakeStatement, Rank
from mesh.errors import RefusedError, StoreError
from mesh.events import Put, Space
from mesh.groups.records import load
from mesh.ids import GroupId, PostId
from mesh.peer import raising
from mesh.peer.loading import load_state
from mesh.peer.records import MessageRecord
from mesh.store.starting import starting_records
from mesh.wire import limits
from mesh.wire.codec import encode
from mesh.wire.messages import Kind, StatementBody
from mesh.wire.statements import FlagValue, Form, PinValue
from simulations.checks import agree, blamed
from simulations.people import Person, circle
from simulations.world import World
from tests.peer.forgery import Forger
from tests.peer.test_raising import newcomer, pass_time
from tests.peer.test_retention import everything

HOUR_MS = 3_600_000


def four(seed: int = 3, *, settings: tuple[tuple[str, str], ...] = ()) -> tuple[World, GroupId, list[Person], PostId]:
    """Give wren, juniper, sorrel and tansy in one group; wren said something that is hard to read."""
    world = World(seed)
    gid, people = circle(world, "wren", "juniper", "sorrel", "tansy", settings=settings)
    world.run(10)
    for person in people[1:]:
        if person.group(gid).rank is Rank.NEWCOMER:
            people[0].rank(gid, person, Rank.MEMBER)
    world.run(10)
    post = people[0].post(gid, "hard to read")
    world.run(10)
    return world, gid, people, post


def flag_of(post: bytes, *, holds: bool = True, form: int = Form.FLAG, lasts_s: int = 0) -> bytes:
    """Encode a statement about a post, as a changed program may."""
    return encode(StatementBody(form=form, subject=post, lasts_s=lasts_s, value=encode(FlagValue(holds=holds))))


def states(forger: Forger, victims: list[Person], body: bytes, **more: int) -> None:
    """Have a changed program state something, and give it to others by hand."""
    ts_ms = more.get("ts_ms", forger.person.world.instant(forger.person.node).wall_ms)
    frame = forger.message(Kind.STATEMENT, body, ts_ms=ts_ms)
    for victim in victims:
        forger.hands(victim, frame)


def test_flags_come_to_everybody_and_are_taken_back() -> None:
    world, gid, people, post = four()
    wren, juniper, sorrel, _ = people
    juniper.flag(gid, post)
    sorrel.flag(gid, post)
    world.run(10)
    assert [p.flagged(gid) for p in people] == [{post: ["juniper", "sorrel"]}] * 4
    assert [p.reads(gid) for p in people] == [["hard to read"]] * 4, "nothing is deleted, and a flag is no message"
    sorrel.flag(gid, post, holds=False)
    world.run(10)
    assert [p.flagged(gid) for p in people] == [{post: ["juniper"]}] * 4
    for person in people:
        person.off()
        person.on()
    world.run(10)
    assert [p.flagged(gid) for p in people] == [{post: ["juniper"]}] * 4, "after a restart too"
    assert wren.told(gid, post) == ("reached", 3, 3)
    assert blamed(world) == []


def test_a_flag_holds_at_once_and_waits_across_a_power_cut_for_somebody_to_take_it() -> None:
    world, gid, people, post = four(4)
    wren, juniper, sorrel, tansy = people
    for other in (wren, sorrel, tansy):
        other.off()
    world.run(5)
    juniper.flag(gid, post)
    assert juniper.flagged(gid) == {post: ["juniper"]}
    juniper.off(power_cut=True)
    juniper.on()
    world.run(5)
    assert juniper.flagged(gid) == {post: ["juniper"]}
    assert len(juniper.room(gid).drafts) == 1
    sorrel.on()
    world.run(30)
    assert sorrel.flagged(gid) == {post: ["juniper"]}
    assert not juniper.room(gid).drafts
    juniper.off()
    wren.on()
    world.run(30)
    assert wren.flagged(gid) == {post: ["juniper"]}, "one who was away has it from another"


def test_what_was_said_and_taken_back_alone_never_leaves() -> None:
    world, gid, people, post = four(5)
    wren, juniper, sorrel, tansy = people
    for other in (wren, sorrel, tansy):
        other.off()
    world.run(5)
    juniper.flag(gid, post)
    juniper.flag(gid, post)
    assert len(juniper.room(gid).drafts) == 1, "the newest takes the place of the one before it"
    before = juniper.group(gid).own.mseq
    juniper.flag(gid, post, holds=False)
    assert not juniper.room(gid).drafts
    sorrel.on()
    world.run(5)
    assert sorrel.node.store.count(Space.STATEMENTS, gid) == 0
    assert juniper.node.store.count(Space.STATEMENTS, gid) == 0
    assert juniper.group(gid).own.mseq >= before


def test_one_member_who_flags_fifty_times_is_one() -> None:
    world, gid, people, post = four(6)
    wren, juniper, sorrel, tansy = people
    forger = Forger(tansy, gid)
    for _ in range(50):
        states(forger, [wren, juniper, sorrel], flag_of(post))
    world.run(10)
    for honest in (wren, juniper, sorrel):
        assert honest.flagged(gid) == {post: ["tansy"]}
        assert honest.node.store.count(Space.STATEMENTS, gid) == 1
    assert blamed(world) == []


def test_whoever_flags_everything_is_kept_within_limits_and_others_count_all_the_same() -> None:
    world, gid, people, post = four(7)
    wren, juniper, sorrel, tansy = people
    juniper.flag(gid, post)
    forger = Forger(tansy, gid)
    for k in range(100):
        states(forger, [wren, sorrel], flag_of(k.to_bytes(16, "big")))
        states(forger, [wren, sorrel], flag_of(b"", form=7000 + k))
    world.run(10)
    for honest in (wren, sorrel):
        assert honest.node.store.count(Space.STATEMENTS, gid) == 1 + 64 + limits.STATEMENTS_UNKNOWN_MAX
        assert set(honest.flagged(gid)) == {post} | {k.to_bytes(16, "big") for k in range(36, 100)}
    assert blamed(world) == []
    wren.off()
    wren.on()
    assert wren.flagged(gid) == sorrel.flagged(gid)


def test_a_removed_member_flags_no_more_and_what_they_flagged_counts_no_longer() -> None:
    world, gid, people, post = four(8)
    wren, juniper, sorrel, tansy = people
    juniper.flag(gid, post)
    tansy.flag(gid, post)
    world.run(10)
    world.partition(("wren", "juniper"), ("sorrel", "tansy"))
    world.run(2)
    wren.remove(gid, tansy.member(gid))
    world.run(5)
    second = wren.post(gid, "after it")
    assert wren.flagged(gid) == {post: ["juniper"]}
    states(Forger(tansy, gid), [sorrel], flag_of(second))
    states(Forger(tansy, gid), [sorrel], flag_of(second, form=Form.PIN))
    assert sorrel.flagged(gid)[second] == ["tansy"], "it has not heard of the removal"
    world.heal()
    world.run(30)
    honest = [wren, juniper, sorrel]
    assert [p.flagged(gid) for p in honest] == [{post: ["juniper"]}] * 3
    assert [p.pinned(gid) for p in honest] == [[]] * 3
    assert agree(gid, honest) == []


def test_a_removed_moderators_words_count_up_to_the_cut_and_no_further() -> None:
    world, gid, people, post = four(21)
    wren, juniper, sorrel, tansy = people
    second = wren.post(gid, "another")
    wren.rank(gid, tansy, Rank.MODERATOR)
    world.run(10)
    tansy.pin(gid, post)
    world.run(10)
    world.partition(("wren", "juniper"), ("sorrel", "tansy"))
    wren.remove(gid, tansy.member(gid))
    world.run(5)
    tansy.pin(gid, second)
    world.run(5)
    assert sorrel.pinned(gid) == [second, post], "it has not heard of the removal"
    world.heal()
    world.run(30)
    assert [p.pinned(gid) for p in (wren, juniper, sorrel)] == [[post]] * 3
    assert sorrel.node.store.count(Space.STATEMENTS, gid) == 2, "it has the later one, and passes it over"


def test_newcomers_flags_count_once_they_are_members() -> None:
    world, gid, people, tansy = newcomer()
    wren = people[0]
    post = wren.post(gid, "hard to read")
    world.run(10)
    with pytest.raises(RefusedError):
        tansy.flag(gid, post)
    states(Forger(tansy, gid), people, flag_of(post))
    world.run(5)
    assert [p.flagged(gid) for p in people] == [{}] * 4
    pass_time(world, raising.NEWCOMER_MS + HOUR_MS)
    assert [p.flagged(gid) for p in people] == [{post: ["tansy"]}] * 4
    assert blamed(world) == []


def test_only_moderators_and_seniors_pin_whatever_a_changed_program_says() -> None:
    world, gid, people, post = four(9)
    wren, juniper, sorrel, tansy = people
    wren.rank(gid, juniper, Rank.MODERATOR)
    world.run(10)
    with pytest.raises(RefusedError):
        tansy.pin(gid, post)
    states(Forger(tansy, gid), [wren, juniper, sorrel], flag_of(post, form=Form.PIN))
    world.run(5)
    assert [p.pinned(gid) for p in people] == [[]] * 4
    juniper.pin(gid, post)
    world.run(5)
    assert [p.pinned(gid) for p in people] == [[post]] * 4
    states(Forger(tansy, gid), [wren, juniper, sorrel], flag_of(post, form=Form.PIN, holds=False))
    world.run(5)
    assert [p.pinned(gid) for p in (wren, juniper, sorrel)] == [[post]] * 3
    wren.pin(gid, post, holds=False)
    world.run(5)
    assert [p.pinned(gid) for p in people] == [[]] * 4, "any of them takes it down"
    assert blamed(world) == []


def test_who_was_demoted_pins_no_more_even_as_one_who_has_not_heard_of_it() -> None:
    world, gid, people, post = four(10)
    wren, juniper, sorrel, tansy = people
    wren.rank(gid, tansy, Rank.MODERATOR)
    world.run(10)
    tansy.pin(gid, post)
    world.run(5)
    world.partition(("wren", "juniper", "sorrel"), ("tansy",))
    wren.rank(gid, tansy, Rank.MEMBER)
    world.run(5)
    second = wren.post(gid, "another")
    forger = Forger(tansy, gid)
    frame = forger.message(
        Kind.STATEMENT, flag_of(second, form=Form.PIN), ts_ms=world.instant(tansy.node).wall_ms
    )  # its heads are those from before
    world.heal()
    world.run(20)
    for honest in (wren, juniper, sorrel):
        forger.hands(honest, frame)
    world.run(10)
    assert [p.pinned(gid) for p in people] == [[]] * 4
    assert blamed(world) == []


def test_who_steps_out_leaves_what_they_put_up() -> None:
    world, gid, people, post = four(11)
    wren, juniper, sorrel, tansy = people
    wren.rank(gid, tansy, Rank.MODERATOR)
    world.run(10)
    tansy.pin(gid, post)
    tansy.flag(gid, post)
    world.run(10)
    tansy.leave(gid)
    world.run(30)
    for honest in (wren, juniper, sorrel):
        assert honest.pinned(gid) == [post]
        assert honest.flagged(gid) == {}
    juniper_s = juniper.group(gid)
    assert tansy.name not in [m.alias for m in juniper_s.view.members.values()]


def test_what_is_dated_ahead_counts_when_its_time_comes() -> None:
    world, gid, people, post = four(12)
    wren, juniper, sorrel, tansy = people
    day = 24 * HOUR_MS
    ts_ms = world.instant(tansy.node).wall_ms + day
    states(Forger(tansy, gid), [wren, juniper, sorrel], flag_of(post), ts_ms=ts_ms)
    world.run(5)
    assert [p.flagged(gid) for p in (wren, juniper, sorrel)] == [{}] * 3
    tansy.flag(gid, post)
    tansy.flag(gid, post, holds=False)
    world.run(5)
    assert wren.flagged(gid) == {}
    pass_time(world, day)
    assert [p.flagged(gid) for p in (wren, juniper, sorrel)] == [{}] * 3, "the newest word of that device stands"


def test_a_word_is_said_after_what_it_answers_though_the_clock_is_behind() -> None:
    world, gid, people, post = four(13)
    wren, juniper, *_ = people
    wren.pin(gid, post)
    world.run(5)
    wren.rank(gid, juniper, Rank.MODERATOR)
    world.run(5)
    juniper.node.skew_ms -= 100_000  # as far as a clock is believed
    juniper.pin(gid, post, holds=False)
    world.run(5)
    assert [p.pinned(gid) for p in people] == [[]] * 4


def test_what_nobody_can_read_is_kept_or_left_and_held_against_nobody() -> None:
    world, gid, people, post = four(14)
    wren, juniper, _, tansy = people
    forger = Forger(tansy, gid)
    for body in (
        StatementBody(form=Form.FLAG, subject=post, lasts_s=0, value=b"\xc1"),
        StatementBody(form=Form.FLAG, subject=b"short", lasts_s=0, value=encode(FlagValue(holds=True))),
        StatementBody(form=Form.PIN, subject=bytes(32), lasts_s=0, value=b""),
        StatementBody(form=65535, subject=b"", lasts_s=limits.EXPIRES_S_MAX, value=bytes(4096)),
    ):
        states(forger, [wren, juniper], encode(body))
    world.run(5)
    assert wren.flagged(gid) == juniper.flagged(gid) == {}
    assert blamed(world) == []
    wren.off()
    wren.on()
    assert wren.flagged(gid) == {}
    world.run(10)
    states(forger, [wren], b"\x94\x01\xc4\x00\x00\xc5\x20\x00" + bytes(8192))
    states(forger, [wren], encode(PinValue(holds=True)))
    assert len(blamed(world)) == 2, "what is no statement at all is nobody's honest word"


def test_statements_go_with_what_the_group_keeps_or_at_their_own_end() -> None:
    world, gid, people, post = four(15, settings=(("keep", "48"),))
    wren, juniper, sorrel, tansy = people
    juniper.flag(gid, post)
    states(Forger(tansy, gid), [wren, juniper, sorrel], flag_of(post, lasts_s=3600))
    world.run(5)
    assert wren.flagged(gid) == {post: ["juniper", "tansy"]}
    pass_time(world, HOUR_MS)
    assert wren.flagged(gid) == {post: ["juniper"]}
    pass_time(world, 48 * HOUR_MS)
    for honest in (wren, juniper, sorrel):
        assert honest.flagged(gid) == {}
        rows = [load(MessageRecord, value) for _, value in honest.node.store.scan(Space.STATEMENTS, gid)]
        assert [row.origin for row in rows] == [None, None], "their places stay, without a word or a signature"
        keys = [gid + row.dev + row.mseq.to_bytes(8, "big") for row in rows]
        assert [honest.node.store.get(Space.FRAMES, key) for key in keys] == [None, None]


def test_a_statement_that_comes_after_its_end_takes_its_place_and_says_nothing() -> None:
    world, gid, people, post = four(16)
    wren, juniper, _, tansy = people
    forger = Forger(tansy, gid)
    past_ms = world.instant(wren.node).wall_ms - 2 * HOUR_MS
    states(forger, [wren, juniper], flag_of(post, lasts_s=3600), ts_ms=past_ms)
    world.run(5)
    for honest in (wren, juniper):
        assert honest.flagged(gid) == {}
        assert honest.node.store.count(Space.STATEMENTS, gid) == 1
        assert tansy.room(gid).group.own.mseq in honest.room(gid).tracks[tansy.device(gid)].gone


def test_what_one_says_in_vain_changes_nothing() -> None:
    _, gid, people, post = four(17)
    tansy = people[3]
    rows = everything(tansy)
    with pytest.raises(RefusedError):
        tansy.pin(gid, post)
    assert everything(tansy) == rows


def test_a_damaged_statement_is_said_to_be_damage() -> None:
    world, gid, people, post = four(18)
    people[1].flag(gid, post)
    world.run(5)
    store = people[0].node.store
    ((key, value),) = store.scan(Space.STATEMENTS, gid)
    for bad in ((key, b"\x93\x00"), (key[:-1] + bytes([key[-1] ^ 1]), value)):
        broken = people[0].node.store
        broken.commit([Put(Space.STATEMENTS, *bad)], durable=True)
        with pytest.raises(StoreError):
            load_state(starting_records(broken))
        broken.commit([Put(Space.STATEMENTS, key, value)], durable=True)


def test_who_comes_back_under_a_new_key_sees_what_was_stated() -> None:
    world, gid, people, post = four(19)
    wren, juniper, _, tansy = people
    juniper.flag(gid, post)
    world.run(5)
    tansy.leave(gid)
    world.run(20)
    tansy.join(gid, wren.invite(gid))
    world.run(20)
    assert tansy.flagged(gid) == {post: ["juniper"]}


def test_a_command_names_a_form_that_is_known() -> None:
    _, gid, people, _ = four(20)
    with pytest.raises(KeyError):
        people[0].world.ask("wren", MakeStatement(group=gid, form=9999, subject=b"", value=b""))
