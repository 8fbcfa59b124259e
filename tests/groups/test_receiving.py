"""What others write comes in any order, twice, or false: afterwards it is wholly in, or as if it had never come."""

from collections.abc import Callable
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.commands import Rank
from mesh.errors import Fault
from mesh.events import Space
from mesh.groups.authoring import author
from mesh.groups.operations import OP_LABEL, parse_op
from mesh.groups.receiving import bundles_beyond, pack_wraps, unpack_wraps
from mesh.groups.waiting import Waiting
from mesh.ids import OpId
from mesh.wire import limits
from mesh.wire.invites import OpBundle
from mesh.wire.operations import OpType, RekeyBody, RemoveBody, Setting, SettingsBody, SignedOp
from tests.groups.by_hand import signed_anew
from tests.groups.joiners import joiner
from tests.groups.people import Person, arrive, empty_onlooker, founds, refusal, standing


def notes(person: Person, count: int) -> list[OpBundle]:
    """Operations that build on each other."""
    return [person.bundle(person.sets(note=str(k)).op_id) for k in range(count)]


def everything(person: Person) -> tuple[object, ...]:
    """All that a person holds and has stored."""
    group = person.group
    return (
        standing(person),
        dict(group.kem_of),
        dict(group.epochs),
        dict(group.chains),
        group.own,
        {space: dict(table) for space, table in person.rows.items()},
        len(group.pending),
    )


@given(st.data())
def test_operations_come_in_in_any_order(data: st.DataObject) -> None:
    alice, bob = TALKERS
    late = bob.restarted()
    bundles = [alice.bundle(op.op_id) for op in alice.group.log.ops]
    for bundle in data.draw(st.permutations(bundles)):
        late.takes(bundle)
    assert standing(late) == standing(alice)
    assert len(late.group.pending) == 0
    assert late.group.pending.held_bytes == 0
    assert {bundle.op.tbs for bundle in late.bundles} == {bundle.op.tbs for bundle in bundles}


def talkers() -> tuple[Person, Person]:
    """Alice did ten things of which Bob has not heard."""
    alice = founds("Alice")
    bob = alice.admits("Bob")
    for k in range(5):
        alice.rekeys()
        alice.sets(note=str(k))
    return alice, bob


TALKERS = talkers()


def test_what_comes_in_is_told_deps_first() -> None:
    alice = founds("Alice")
    bob = alice.admits("Bob")
    first, *rest = notes(alice, 4)
    for bundle in reversed(rest):
        assert bob.takes(bundle) == []
    told = bob.takes(first)
    assert [op.op_id for op in told] == [op.op_id for op in alice.group.log.ops[-4:]]


REFUSED: dict[str, Callable[[Person, Person], SignedOp]] = {
    "a false signature": lambda alice, _: SignedOp(tbs=good(alice).tbs, sig=bytes(64)),
    "a wrong gen": lambda alice, _: alice.forges(OpType.SETTINGS, SettingsBody(settings=[]), gen=99),
    "no right": lambda _, bob: bob.forges(OpType.SETTINGS, SettingsBody(settings=[])),
    "a wrong chain": lambda alice, _: alice.forges(OpType.SETTINGS, SettingsBody(settings=[]), dseq=99),
    "an epoch for too few": lambda alice, bob: alice.forges(
        OpType.REKEY, RekeyBody(epoch=alice.draft(without=(bob,)).block)
    ),
    "a text that drives terminals": lambda alice, _: alice.forges(
        OpType.SETTINGS, SettingsBody(settings=[Setting(key="a", value="\x1b[2J")])
    ),
    "a setting twice": lambda alice, _: alice.forges(
        OpType.SETTINGS, SettingsBody(settings=[Setting(key="a", value="1"), Setting(key="a", value="2")])
    ),
}


def good(alice: Person) -> SignedOp:
    """An honest operation that is not in anybody's log yet."""
    return alice.forges(OpType.SETTINGS, SettingsBody(settings=[]))


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_leaves_nothing_behind(name: str) -> None:
    alice = founds("Alice")
    bob = alice.admits("Bob")
    before = everything(bob)
    bob.will_not_take(OpBundle(op=REFUSED[name](alice, bob), wraps=[]))
    assert everything(bob) == before
    alice.rekeys()
    bob.hears(alice)
    assert standing(bob) == standing(alice)


def test_an_admit_that_is_refused_teaches_no_key() -> None:
    """Learned before the refusal, a key stayed: the joiner, let in later, was sealed to the wrong one for ever."""
    alice = founds("Alice")
    bob = alice.admits("Bob")
    dave = joiner("Dave", alice.group.gid, alice.group.suite)
    asked = dave.asks(alice.group.gid, None, rank=Rank.MODERATOR)
    bob.will_not_take(OpBundle(op=alice.forges(OpType.ADMIT, asked), wraps=[]))
    assert dave.dev not in bob.group.kem_of
    alice.lets_in(dave, None, Rank.MEMBER)
    bob.hears(alice)
    assert bob.group.kem_of[dave.dev] == (0, dave.card.kem_pk)


def test_what_builds_on_something_refused_waits_in_vain() -> None:
    alice = founds("Alice")
    bob = alice.admits("Bob")
    shadow = alice.restarted()
    bad = alice.forges(OpType.SETTINGS, SettingsBody(settings=[Setting(key="a", value="\n")]))
    shadow.group.log.push(parse_op(bad))
    child = shadow.forges(OpType.SETTINGS, SettingsBody(settings=[]))
    bob.takes(OpBundle(op=child, wraps=[]))
    assert len(bob.group.pending) == 1
    bob.will_not_take(OpBundle(op=bad, wraps=[]))
    alice.rekeys()
    bob.hears(alice)
    assert parse_op(child).op_id not in bob.group.log
    assert standing(bob) == standing(alice)


def test_what_waited_and_is_refused_then_is_not_said_to_have_come_in() -> None:
    alice = founds("Alice")
    bob = alice.admits("Bob")
    (note,) = notes(alice, 1)
    bad = alice.forges(OpType.SETTINGS, SettingsBody(settings=[Setting(key="a", value="\n")]))
    assert bob.takes(OpBundle(op=bad, wraps=[])) == []
    assert [op.op_id for op in bob.takes(note)] == [parse_op(note.op).op_id]
    assert standing(bob) == standing(alice)


def test_views_of_what_was_refused_go_with_it() -> None:
    """Else the next operation, which takes its place in the log, would be seen as the refused one was."""
    alice = founds("Alice")
    bob, carol = alice.admits("Bob"), alice.admits("Carol")
    lists_bob = RemoveBody(target=bob.pk, cuts=[], reason="", epoch=alice.draft().block)
    refused = OpBundle(op=alice.forges(OpType.REMOVE, lists_bob), wraps=[])
    assert carol.will_not_take(refused) is Fault.AGAINST_RULES
    alice.lets_in(joiner("Dave", alice.group.gid, alice.group.suite), None, Rank.MEMBER)
    carol.hears(alice)
    assert carol.names == {"Alice", "Bob", "Carol", "Dave"}


def test_a_forged_copy_that_comes_first_does_not_keep_the_true_one_out() -> None:
    """An id covers what was signed and not the signature: kept by id alone, the forged one took the place."""
    alice = founds("Alice")
    bob = alice.admits("Bob")
    dave = joiner("Dave", alice.group.gid, alice.group.suite)
    alice.lets_in(dave, None, Rank.MEMBER)
    admit = alice.bundle(alice.group.log.ops[-1].op_id)
    dave_in = arrive(dave, alice)
    dave_in.rekeys()
    true = dave_in.bundle(dave_in.group.log.ops[-1].op_id)
    for sig in (bytes(64), b"\1" * 64):
        bob.takes(OpBundle(op=SignedOp(tbs=true.op.tbs, sig=sig), wraps=list(true.wraps)))
    bob.takes(true)
    bob.takes(OpBundle(op=SignedOp(tbs=true.op.tbs, sig=b"\2" * 64), wraps=[]))
    assert len(bob.group.pending) == 4
    bob.takes(admit)
    assert bob.group.log.ops[-1].signed == true.op
    assert len(bob.group.pending) == 0


def test_a_forged_operation_of_one_who_is_known_does_not_even_wait() -> None:
    alice = founds("Alice")
    bob = alice.admits("Bob")
    notes(alice, 1)
    early = alice.forges(OpType.SETTINGS, SettingsBody(settings=[]))
    assert bob.will_not_take(OpBundle(op=SignedOp(tbs=early.tbs, sig=bytes(64)), wraps=[])) is Fault.BAD_SIGNATURE
    assert len(bob.group.pending) == 0
    bob.takes(OpBundle(op=early, wraps=[]))
    assert len(bob.group.pending) == 1


def test_not_more_waits_than_there_is_room_for() -> None:
    """Deps that nobody has."""
    alice = founds("Alice")
    waiting = Waiting()
    body = SettingsBody(settings=[Setting(key="a", value="x" * 200)])
    ops = [parse_op(alice.forges(OpType.SETTINGS, body, deps=[OpId(k.to_bytes(32, "big"))], gen=2)) for k in range(600)]
    for op in ops:
        waiting.add(op, ())
        waiting.add(op, ())
    assert len(waiting) == limits.PENDING_OPS_MAX
    assert waiting.held_bytes == sum(len(op.signed.tbs) for op in ops[-limits.PENDING_OPS_MAX :])
    heavy = (bytes(limits.PENDING_OPS_BYTES_MAX // 4),)
    for op in ops[:8]:
        waiting.add(op, heavy)
        assert waiting.held_bytes <= limits.PENDING_OPS_BYTES_MAX
    assert len(waiting) == 3
    assert waiting.take_ready(alice.group.log) == []


def test_what_waits_keeps_the_wraps_that_came_with_it_first_or_later() -> None:
    for order in permutations(range(2)):
        alice = founds("Alice")
        bob = alice.admits("Bob")
        (note,) = notes(alice, 1)
        alice.rekeys()
        whole = alice.bundle(alice.group.log.ops[-1].op_id)
        both = [whole, OpBundle(op=whole.op, wraps=[])]
        for k in order:
            bob.takes(both[k])
        bob.takes(note)
        assert bob.group.epoch == alice.group.epoch
        assert bob.bundle(alice.group.log.ops[-1].op_id) == whole


def test_a_member_is_handed_what_they_lack_deps_first() -> None:
    alice = founds("Alice")
    bob = alice.admits("Bob")
    notes(alice, 3)
    known = alice.group.log.closure(bob.group.log.heads)
    assert known is not None
    lacking = bundles_beyond(alice.group, known)
    assert lacking == [op.op_id for op in alice.group.log.ops[-3:]]
    assert bundles_beyond(alice.group, alice.group.log.everything) == []
    assert bundles_beyond(alice.group, 0) == [op.op_id for op in alice.group.log.ops]


def test_a_welcome_that_begins_with_anything_but_the_create_is_refused() -> None:
    """It once asked for the view of nothing, and the joiner's node fell over."""
    alice = founds("Alice")
    alice.admits("Bob")
    rootless = alice.forges(OpType.SETTINGS, SettingsBody(settings=[]), deps=[], gen=1)
    stranger = empty_onlooker(alice)
    assert stranger.will_not_take(OpBundle(op=rootless, wraps=[])) is Fault.AGAINST_RULES
    stranger.hears(alice)
    assert standing(stranger) == standing(alice)


@given(st.integers(1, 200).flatmap(lambda n: st.lists(st.binary(min_size=n, max_size=n), min_size=1, max_size=9)))
def test_wraps_come_back_from_the_store(wraps: list[bytes]) -> None:
    assert unpack_wraps(pack_wraps(tuple(wraps))) == wraps
    assert unpack_wraps(None) == []


def test_an_epoch_s_keys_are_written_with_its_operation() -> None:
    alice = founds("Alice")
    bob = alice.admits("Bob")
    alice.rekeys()
    bob.hears(alice)
    op_id = alice.group.log.ops[-1].op_id
    key = alice.group.gid + op_id
    assert key in bob.rows[Space.OPS]
    assert key in bob.rows[Space.EPOCHS]
    assert {key + alice.dev, key + bob.dev} <= bob.rows[Space.CHAINS].keys()


# ------------------------------------------------------------------------------------- what is not for us, or not now


def test_an_operation_of_another_group_does_not_even_wait() -> None:
    """Nor its create: a group has one."""
    alice, zoe = founds("Alice"), founds("Zoe")
    bob = alice.admits("Bob")
    before = everything(bob)
    notes(zoe, 2)
    for bundle in zoe.bundles:
        assert bob.will_not_take(bundle) is Fault.AGAINST_RULES
    foreign = alice.forges(OpType.SETTINGS, SettingsBody(settings=[]), gid=zoe.group.gid)
    assert bob.will_not_take(OpBundle(op=foreign, wraps=[])) is Fault.AGAINST_RULES
    assert everything(bob) == before


def test_an_operation_under_an_epoch_whose_keys_are_gone_is_nobodys_fault() -> None:
    alice = founds("Alice")
    bob = alice.admits("Bob")
    body = SettingsBody(settings=[Setting(key="note", value="x")])
    written = alice.publishes(lambda means: author(alice.group, OpType.SETTINGS, body, means))
    ((epoch, frame),) = written.frames
    late = bob.restarted()
    with late.step() as means:
        late.group.retire_epoch(epoch, means.journal)
    assert refusal(lambda: late.opens(frame)) is Fault.UNASKED
    assert [op.op_id for op in bob.opens(frame)] == [written.op.op_id]


def test_what_its_author_signed_twice_comes_in_once() -> None:
    """Ed25519 gives one signature for a text, and whoever holds the key can make others that verify as well."""
    alice = founds("Alice")
    bob = alice.admits("Bob")
    (note,) = notes(alice, 1)
    alice.rekeys()
    once = alice.bundle(alice.group.log.ops[-1].op_id)
    twice = SignedOp(tbs=once.op.tbs, sig=signed_anew(alice.dev_seed, OP_LABEL + once.op.tbs))
    assert twice.sig != once.op.sig
    assert bob.takes(once) == bob.takes(OpBundle(op=twice, wraps=[])) == []
    assert len(bob.group.pending) == 2
    assert [op.op_id for op in bob.takes(note)] == [op.op_id for op in alice.group.log.ops[-2:]]
    assert standing(bob) == standing(alice)
    assert len(bob.group.log) == len(alice.group.log)
    assert bob.bundle(alice.group.log.ops[-1].op_id) == once


# ------------------------------------------------------------------------------------- what is noted beside


def test_a_device_is_dated_when_it_comes_and_when_its_key_is_another() -> None:
    alice = founds("Alice")
    bob = alice.admits("Bob")
    came = bob.wall_ms
    bob.wall_ms = alice.wall_ms = came + 5
    carol = alice.admits("Carol")
    bob.hears(alice)
    dated = {dev: (record.since_ms, record.kem_ms) for dev, record in bob.group.devices.items()}
    assert dated == {alice.dev: (came, came + 5), bob.dev: (came, came), carol.dev: (came + 5, came + 5)}
    bob.wall_ms += 5
    alice.sets(note="no new key")
    bob.hears(alice)
    assert {dev: (record.since_ms, record.kem_ms) for dev, record in bob.group.devices.items()} == dated
    assert bob.rows[Space.DEVICES].keys() == {bob.group.gid + dev for dev in dated}


def test_our_newest_kem_key_is_dated_when_others_first_sealed_to_it_and_not_when_we_did() -> None:
    alice = founds("Alice")
    bob = alice.admits("Bob")
    bob.rekeys()
    number = bob.group.own.kem_number
    assert [record.used_ms for record in bob.group.kems.values()][-1] == 0
    alice.hears(bob)
    first = bob.wall_ms = bob.wall_ms + 5
    alice.rekeys()
    bob.hears(alice)
    bob.wall_ms += 5
    alice.rekeys()
    late = alice.bundle(alice.group.log.ops[-1].op_id)
    bob.takes(OpBundle(op=late.op, wraps=[]))
    bob.takes(late)
    assert late.wraps
    assert bob.group.kems[number].used_ms == first
    bob.rekeys()
    assert bob.group.kems[number + 1].used_ms == 0
    alice.hears(bob)
    bob.wall_ms += 5
    alice.rekeys()
    late = alice.bundle(alice.group.log.ops[-1].op_id)
    bob.takes(OpBundle(op=late.op, wraps=[]))
    assert bob.group.kems[number + 1].used_ms == 0
    bob.takes(late)
    assert bob.group.kems[number + 1].used_ms == bob.wall_ms
    assert bob.group.kems[number].used_ms == first
    assert bob.restarted().group.kems == bob.group.kems
