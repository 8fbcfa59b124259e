"""Attacks on what is said: replayed, moved, bent, sent twice from an old copy, or sent after a removal."""

import copy

from mesh.commands import Rank, Rekey
from mesh.crypto.keys import decrypt, encrypt, public_key
from mesh.errors import Fault
from mesh.groups.messaging import OpenedMessage, cut_of
from mesh.groups.schedule import message_key
from mesh.wire import limits
from mesh.wire.frames import FrameType, parse_frame, seal_frame
from mesh.wire.padding import pad, unpad
from simulations.checks import Watch, agree, blamed, unread
from simulations.people import circle as circle_of
from simulations.world import World
from tests.groups.by_hand import circle, epoch_in_use, honest_tbs, inside, sealed_by_hand
from tests.groups.parting import circle as ranked
from tests.groups.parting import meet


def test_attack_22_replay_in_the_same_epoch() -> None:
    alice, bob = circle("Bob")
    first, second = alice.says("one"), alice.says("two")
    for raw, text in ((second, "two"), (first, "one")):  # the earlier one with a key that was skipped
        assert bob.reads(raw) == text
    for raw in (first, second):
        assert bob.cannot_read(raw) is Fault.UNASKED
        assert bob.restarted().cannot_read(raw) is Fault.UNASKED


def test_attack_23_replay_across_epochs_and_groups() -> None:
    """Mallory holds the keys of both epochs, and Alice's signature."""
    alice, bob, mallory = circle("Bob", "Mallory")
    raw = alice.says("Only today.")
    opened = mallory.looks_at(raw)
    assert isinstance(opened, OpenedMessage)
    frame = parse_frame(raw)
    record = mallory.group.epochs[opened.epoch]
    key, _ = mallory.group.chains[opened.epoch, alice.dev].take(0)
    outer, nonce = b"\1" + frame.pk, frame.middle[:24]
    signed = unpad(decrypt(key, nonce, outer + frame.middle[24:60], frame.middle[60:]))
    bob.reads(raw)
    alice.rekeys()
    for person in (bob, mallory):
        person.hears(alice)
    new = epoch_in_use(mallory)
    for target, place in ((new, 0), (new, 3), (record, 1)):
        chain_key, _ = mallory.group.chains[target.op_id, alice.dev].take(place)
        head = b"\1" + public_key(target.pub_seed)
        header = encrypt(target.hdr_key, bytes(24), head, alice.dev + place.to_bytes(4, "big"))
        body = encrypt(chain_key, bytes(24), head + header, pad(signed))
        moved = seal_frame(FrameType.MESSAGE, target.pub_seed, bytes(24) + header + body)
        assert bob.cannot_read(moved) is Fault.AGAINST_RULES
    for_another = sealed_by_hand(alice, honest_tbs(alice, gid=bytes(32)))
    assert bob.cannot_read(for_another) is Fault.AGAINST_RULES


def test_attack_24_same_inner_message_in_a_new_envelope() -> None:
    """A new nonce and a new outer signature make another frame of the same message: it opens once."""
    alice, bob, mallory = circle("Bob", "Mallory")
    raw = alice.says("Once.")
    frame = parse_frame(raw)
    record = epoch_in_use(mallory)
    key = message_key(mallory.group.chains[record.op_id, alice.dev].key, 0)
    outer, nonce = b"\1" + frame.pk, b"\7" * 24
    padded = decrypt(key, frame.middle[:24], outer + frame.middle[24:60], frame.middle[60:])
    header = encrypt(record.hdr_key, nonce, outer, alice.dev + bytes(4))
    again = seal_frame(FrameType.MESSAGE, record.pub_seed, nonce + header + encrypt(key, nonce, outer + header, padded))
    assert parse_frame(again).id != frame.id
    first = bob.looks_at(again)
    assert isinstance(first, OpenedMessage)
    assert bob.reads(raw) == "Once."
    assert bob.cannot_read(again) is Fault.UNASKED


def test_attack_25_restored_snapshot_sends() -> None:
    """The old copy stands at the same place in its chain, so it has the same keys: it must not use one nonce twice."""
    alice, bob = circle("Bob")
    copied = alice.restarted()
    sent = [(person, person.says(text)) for person, text in ((alice, "as it was"), (copied, "from the copy"))]
    (_, one), (_, other) = sent
    assert [inside(bob, raw).i for raw in (one, other)] == [0, 0]
    assert parse_frame(one).middle[:24] != parse_frame(other).middle[:24]


def test_attack_26_skip_to_the_end_of_all_numbers() -> None:
    alice, bob = circle("Bob")
    record = epoch_in_use(alice)
    outer = b"\1" + public_key(record.pub_seed)
    for i in (limits.CHAIN_LENGTH_MAX, 2**31, 2**32 - 1):
        header = encrypt(record.hdr_key, bytes(24), outer, alice.dev + i.to_bytes(4, "big"))
        raw = seal_frame(FrameType.MESSAGE, record.pub_seed, bytes(24) + header + bytes(300))
        assert bob.cannot_read(raw) is Fault.OVER_LIMIT


def test_attack_27_garbage_after_a_valid_header() -> None:
    """By one who holds every key but Alice's own: nothing moves, and the true message is still read."""
    alice, bob, mallory = circle("Bob", "Mallory")
    tbs = honest_tbs(alice)
    forged = [
        sealed_by_hand(mallory, tbs),  # signed by Mallory
        sealed_by_hand(mallory, tbs, plain=lambda _: pad(b"\x90")),
        sealed_by_hand(mallory, tbs, plain=lambda _: bytes(300)),
        sealed_by_hand(mallory, tbs, plain=lambda signed: signed),  # not padded
        sealed_by_hand(mallory, honest_tbs(alice, i=4_000), header=(alice.dev, 4_000)),
    ]
    before = dict(bob.group.chains)
    for raw in forged:
        bob.cannot_read(raw)
    assert bob.group.chains == before
    assert bob.reads(alice.says("the true one")) == "the true one"


def test_attack_49_rolled_back_device_s_sends_are_neither_lost_nor_doubled() -> None:
    """Wren's disk is put back to an earlier day; the others have what she said since."""
    world = World(12)
    gid, (wren, juniper) = circle_of(world, "wren", "juniper")
    world.run(10)
    watch = Watch.over(world)
    wren.post(gid, "before")
    world.run(5)
    wren.off()
    backup = copy.deepcopy(wren.node.store)
    wren.on()
    world.run(5)
    wren.post(gid, "after the copy was made")
    world.ask("wren", Rekey(group=gid))
    wren.post(gid, "and more")
    world.run(5)
    wren.off()
    wren.node.store = backup
    watch._deliveries.clear()
    watch._chains.clear()  # it does turn back, and that is the point: no key is used with one nonce twice
    wren.on()
    wren.post(gid, "restored")
    world.run(30)
    said = ["before", "after the copy was made", "and more", "restored"]
    assert sorted(juniper.reads(gid)) == sorted(said)
    assert sorted(wren.reads(gid)) == sorted(said)
    assert agree(gid, [wren, juniper]) == []
    assert unread(watch, gid, [wren, juniper]) == []
    assert blamed(world) == []


def test_attack_55_accomplice_widens_a_cut() -> None:
    """Alice cuts Bob's messages off at 3; Mo, junior to her, removes him too and lets 50 through."""
    alice, mo, bob = ranked(Mo=Rank.MODERATOR, Bob=Rank.MEMBER).values()
    alice.removes(bob, cut=3)
    mo.removes(bob, cut=50)
    meet(alice, mo)
    for person in (alice, mo):
        assert cut_of(person.group, bob.dev) == 3
