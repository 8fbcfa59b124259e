"""What is said: it opens for those who are in, once, as it was sealed, and for nobody after they are out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from mesh.commands import Rank
from mesh.crypto.keys import decrypt
from mesh.errors import Fault, LocalError, RemoteError
from mesh.events import Space
from mesh.groups.authoring import rekey, remove
from mesh.groups.messaging import (
    OpenedMessage,
    Wording,
    chain_is_full,
    cut_of,
    message_id,
    open_message,
    seal_message,
    take_in,
)
from mesh.ids import DeviceId, MsgId
from mesh.support.posts import Wish, compose
from mesh.wire import limits
from mesh.wire.codec import decode, encode
from mesh.wire.frames import parse_frame
from mesh.wire.invites import OpBundle
from mesh.wire.messages import Kind, SignedMessage
from mesh.wire.operations import Cut, OpType, RemoveBody
from tests.groups.by_hand import circle, epoch_in_use, honest_tbs, inside, sealed_by_hand
from tests.groups.joiners import WALL_MS

# ------------------------------------------------------------------------------------- saying and hearing


def test_what_is_said_is_heard_by_all_who_are_in() -> None:
    alice, bob, carol = circle("Bob", "Carol")
    frame = alice.says("Good evening.")
    for person in (bob, carol):
        assert person.reads(frame) == "Good evening."
    for person, others in ((bob, (alice, carol)), (carol, (alice, bob))):
        frame = person.says(person.name)
        assert {other.reads(frame) for other in others} == {person.name}


@given(st.data())
def test_messages_open_in_any_order_and_once(data: st.DataObject) -> None:
    alice, bob = circle("Bob")
    frames = [(str(k), alice.says(str(k))) for k in range(8)]
    for text, frame in data.draw(st.permutations(frames)):
        assert bob.reads(frame) == text
    for _, frame in frames:
        assert bob.cannot_read(frame) is Fault.UNASKED


def test_what_never_comes_does_not_hold_up_what_follows() -> None:
    alice, bob = circle("Bob")
    lost = [alice.says("lost") for _ in range(50)]
    assert bob.reads(alice.says("heard")) == "heard"
    assert bob.reads(lost[7]) == "lost"
    again = bob.restarted()
    assert again.reads(lost[9]) == "lost"
    assert again.cannot_read(lost[7]) is Fault.UNASKED


def test_a_message_names_its_place_and_its_author() -> None:
    alice, bob = circle("Bob")
    first, second = inside(bob, alice.says("one")), inside(bob, alice.says("two"))
    assert (first.tbs.mseq, first.tbs.i, second.tbs.mseq, second.tbs.i) == (1, 0, 2, 1)
    assert first.tbs.prev == bytes(32)
    assert second.tbs.prev == message_id(encode(first.tbs))
    assert (second.tbs.gid, second.tbs.epoch, second.tbs.dev) == (alice.group.gid, alice.group.epoch, alice.dev)
    assert second.tbs.heads == alice.group.log.heads
    alice.rekeys()
    bob.hears(alice)
    third = inside(bob, alice.says("three"))
    assert (third.tbs.mseq, third.tbs.i) == (3, 0)


def test_nobody_outside_sees_an_author_or_a_place() -> None:
    alice, bob = circle("Bob")
    for person in (alice, bob):
        frame = person.says("x")
        assert bytes(person.dev) not in frame
        assert bytes(person.pk) not in frame
    assert len(alice.says("y")) == len(bob.says("z"))


def test_what_is_sealed_is_written_to_survive_a_power_cut() -> None:
    alice, _ = circle("Bob")
    assert alice.group.epoch is not None
    wording = Wording(uid=bytes(16), kind=1, parents=(), ts_ms=0, flags=0, body=b"x")
    with alice.step() as means:
        seal_message(alice.group, alice.group.epoch, wording, means)
        assert means.journal.is_durable
        written = {space for (space, _), _ in means.journal.writes()}
    assert {Space.GROUPS, Space.CHAINS} <= written
    again = alice.restarted()
    assert again.group.own.mseq == alice.group.own.mseq == 1
    assert again.group.chains == alice.group.chains


# ------------------------------------------------------------------------------------- sizes


def post(text: str) -> bytes:
    """A post's body, as people write it."""
    return compose(Wish(text=text, mode="listening", cw="", topics=(), reply_to=b""))


@pytest.mark.parametrize(("length", "on_the_wire"), [(1, 477), (30, 509), (120, 605), (1_000, 1_517), (32_000, 32_941)])
def test_a_post_has_the_size_that_the_protocol_prints(length: int, on_the_wire: int) -> None:
    """docs/protocol.md §7: with one parent and one head."""
    alice, _ = circle("Bob")
    assert alice.group.epoch is not None
    wording = Wording(
        uid=bytes(16), kind=Kind.POST, parents=(MsgId(bytes(32)),), ts_ms=WALL_MS, flags=0, body=post("x" * length)
    )
    with alice.step() as means:
        sealed = seal_message(alice.group, alice.group.epoch, wording, means)
    assert len(sealed.frame) == on_the_wire


def test_a_short_chat_costs_its_words_a_fixed_overhead_and_at_most_twelve_percent() -> None:
    alice, bob = circle("Bob")
    frame = alice.says("x" * 120)
    assert len(frame) == 557
    opened = inside(bob, frame)
    signed = len(encode(SignedMessage(tbs=encode(opened.tbs), sig=bytes(64))))
    padded = len(frame) - 1 - 32 - 24 - 36 - 16 - 64
    assert signed < padded <= 1.12 * (signed + 1)


def test_what_is_too_long_is_refused_before_anything_moves() -> None:
    alice, _ = circle("Bob")
    before = (alice.group.own, dict(alice.group.chains), dict(alice.group.epochs))
    with pytest.raises(LocalError) as caught:
        alice.says("x" * limits.MESSAGE_BYTES_MAX)
    assert caught.value.code == "E-TOO-LONG"
    assert before == (alice.group.own, alice.group.chains, alice.group.epochs)


def test_the_longest_message_arrives() -> None:
    alice, bob = circle("Bob")
    longest = limits.MESSAGE_BYTES_MAX - 262
    assert bob.reads(alice.says("x" * longest)) == "x" * longest
    with pytest.raises(LocalError):
        alice.says("x" * (longest + 1))


# ------------------------------------------------------------------------------------- limits


def test_a_full_chain_asks_for_a_new_epoch() -> None:
    """I < 4,096 per device and epoch; the others would refuse the next one."""
    alice, bob = circle("Bob")
    epoch = alice.group.epoch
    assert epoch is not None
    chain = alice.group.chains[epoch, alice.dev]
    _, almost = chain.take(limits.CHAIN_LENGTH_MAX - 2)
    alice.group.chains[epoch, alice.dev] = type(almost)(i=almost.i, key=almost.key)
    assert not chain_is_full(alice.group, epoch)
    last = alice.says("the last")
    assert chain_is_full(alice.group, epoch)
    with pytest.raises(AssertionError):
        alice.says("one too many")
    assert bob.reads(last) == "the last"
    alice.publishes(lambda means: rekey(alice.group, means))
    bob.hears(alice)
    assert alice.group.epoch is not None
    assert not chain_is_full(alice.group, alice.group.epoch)
    assert bob.reads(alice.says("on we go")) == "on we go"


def test_an_epoch_wears_out_by_messages_and_not_by_their_receipts() -> None:
    alice, bob = circle("Bob")
    epoch = alice.group.epoch
    assert epoch is not None
    for kind in (Kind.POST, Kind.RECEIPT, Kind.RECEIPT, Kind.PRESENCE):
        bob.reads(alice.says("x", kind=kind))
    for person in (alice, bob):
        assert person.group.counted(epoch) == 2
        assert person.restarted().group.counted(epoch) == 2


def test_skipped_keys_of_a_group_have_a_limit_and_the_oldest_epoch_pays() -> None:
    """One device could leave 4,095 keys waiting in each epoch, for ever."""
    alice, bob = circle("Bob")
    early, frames = [], []
    for k in range(18):
        epoch = alice.group.epoch
        assert epoch is not None
        early.append(alice.says(f"early {k}"))
        chain = alice.group.chains[epoch, alice.dev]
        _, far = chain.take(limits.CHAIN_LENGTH_MAX - 2)
        alice.group.chains[epoch, alice.dev] = type(far)(i=far.i, key=far.key)
        frames.append(alice.says(f"late {k}"))
        alice.rekeys()
    bob.hears(alice)
    for k, frame in enumerate(frames):
        assert bob.reads(frame) == f"late {k}"
    waiting = sum(len(chain.skipped) for chain in bob.group.chains.values())
    assert waiting <= limits.SKIPPED_KEYS_GROUP_MAX
    for k, frame in enumerate(early):
        if k < 2:
            assert bob.cannot_read(frame) is Fault.UNASKED
        else:
            assert bob.reads(frame) == f"early {k}"
    again = bob.restarted()
    assert sum(len(chain.skipped) for chain in again.group.chains.values()) == waiting - 16


# ------------------------------------------------------------------------------------- after a removal


def test_what_a_removed_member_says_after_the_cut_is_not_heard() -> None:
    alice, bob, carol = circle("Bob", "Carol")
    heard = [bob.says("one"), bob.says("two")]
    late = bob.says("three")
    for frame in heard:
        carol.reads(frame)
    alice.removes(bob, cut=2)
    carol.hears(alice)
    assert cut_of(carol.group, bob.dev) == 2
    assert carol.cannot_read(late) is Fault.UNASKED
    dan = carol.restarted()
    assert dan.cannot_read(bob.says("four")) is Fault.UNASKED
    assert cut_of(carol.group, alice.dev) == limits.MSEQ_MAX
    assert cut_of(carol.group, DeviceId(bytes(16))) == limits.MSEQ_MAX


def test_what_a_removed_member_said_before_the_cut_is_still_heard() -> None:
    alice, bob, carol = circle("Bob", "Carol")
    frame = bob.says("on its way")
    alice.removes(bob, cut=1)
    carol.hears(alice)
    assert carol.reads(frame) == "on its way"


def test_of_several_removals_the_most_senior_cut_holds_and_of_equals_the_greatest() -> None:
    alice, steve, mo, moira, bob = circle("Steve", "Mo", "Moira", "Bob")
    alice.promotes(steve, Rank.STEWARD)
    for person in (mo, moira):
        alice.promotes(person, Rank.MODERATOR)
    for person in (steve, mo, moira):
        person.hears(alice)
    mo.removes(bob, cut=9)
    moira.removes(bob, cut=7)
    for first, second in ((mo, moira), (moira, mo)):
        seen = alice.restarted()
        seen.hears(first, second)
        assert cut_of(seen.group, bob.dev) == 9
    steve.removes(bob, cut=4)
    alice.hears(mo, steve, moira)
    assert cut_of(alice.group, bob.dev) == 4


def test_a_device_that_a_removal_does_not_name_is_cut_at_nothing() -> None:
    alice, bob, carol = circle("Bob", "Carol")
    body = RemoveBody(target=bob.pk, cuts=[], reason="", epoch=alice.draft(without=(bob,)).block)
    carol.takes(OpBundle(op=alice.forges(OpType.REMOVE, body), wraps=[]))
    assert cut_of(carol.group, bob.dev) == 0
    two = [Cut(dev=bob.dev, mseq=k, msg_id=MsgId(bytes(32))) for k in (3, 5)]
    body = RemoveBody(target=bob.pk, cuts=two, reason="", epoch=alice.draft(without=(bob,)).block)
    other = alice.restarted()
    other.takes(OpBundle(op=alice.forges(OpType.REMOVE, body), wraps=[]))
    assert cut_of(other.group, bob.dev) == 5


def test_what_was_said_by_one_who_was_not_in_is_refused() -> None:
    """A removed member names what they saw before; one who knows of their removal cannot have been in."""
    alice, bob, carol = circle("Bob", "Carol")
    record, tbs = epoch_in_use(bob), honest_tbs(bob)
    alice.removes(bob, cut=99)
    bob.hears(alice)
    carol.hears(alice)
    raw = sealed_by_hand(bob, replace(tbs, heads=bob.group.log.heads), record=record)
    assert carol.cannot_read(raw) is Fault.AGAINST_RULES


def test_a_removed_member_s_keys_open_nothing_that_is_said_later() -> None:
    """What Bob holds, all of it, tried on each message and envelope that comes after."""
    alice, bob, carol = circle("Bob", "Carol")
    authored = alice.publishes(lambda means: remove(alice.group, bob.pk, [], "", means))
    carol.hears(alice)
    later = [alice.says("without Bob"), carol.says("indeed")]
    for _, frame in authored.frames:
        assert bob.opens(frame) == []
    for frame in later:
        with pytest.raises(KeyError):
            bob.epoch_of(frame)
        parsed = parse_frame(frame)
        nonce, header = parsed.middle[:24], parsed.middle[24:60]
        for record in bob.group.epochs.values():
            with pytest.raises(RemoteError):
                decrypt(record.hdr_key, nonce, b"\1" + parsed.pk, header)
            with pytest.raises(RemoteError):
                open_message(bob.group, parsed, record.op_id)
    assert authored.op.op_id not in bob.group.epochs


def test_who_comes_later_opens_nothing_that_was_said_before() -> None:
    alice, _ = circle("Bob")
    before = alice.says("before Dave")
    dave = alice.admits("Dave")
    with pytest.raises(KeyError):
        dave.epoch_of(before)
    assert dave.reads(alice.says("after")) == "after"


def test_a_state_does_not_open_again_what_it_has_read() -> None:
    """A chain forgets each message key that it gave out: the state, run as it is, does not open that message again.

    It says nothing of one who takes the state apart: the KEM keys and the wraps are kept in it, and from these an
    epoch's chains can be made anew, from their first key on.
    """
    alice, bob = circle("Bob")
    frames = [alice.says(str(k)) for k in range(5)]
    for frame in (frames[0], frames[3]):
        bob.reads(frame)
    copy = bob.restarted()
    for frame in (frames[0], frames[3]):
        assert copy.cannot_read(frame) is Fault.UNASKED
    for k in (1, 2, 4):
        assert copy.reads(frames[k]) == str(k)


def test_what_was_opened_is_kept_only_when_it_is_taken_in() -> None:
    alice, bob = circle("Bob")
    opened = bob.looks_at(alice.says("look"))
    assert isinstance(opened, OpenedMessage)
    with bob.step() as means:
        take_in(bob.group, opened, means)
    record = decode(SignedMessage, encode(SignedMessage(tbs=encode(opened.tbs), sig=bytes(64))), bytes_max=70_000)
    assert message_id(record.tbs) == opened.msg_id
    assert opened.member == alice.pk
