"""Attacks on the outside: bytes that are no records, frames that are too long or under another's name, floods."""

import tracemalloc

import pytest

from mesh.commands import Rank
from mesh.crypto.keys import public_key
from mesh.errors import Fault, RemoteError
from mesh.gossip.topics import TAG_BYTES, TopicTable
from mesh.groups.envelopes import seal_operation
from mesh.groups.receiving import receive_frame
from mesh.ids import TopicId
from mesh.wire import limits
from mesh.wire.codec import decode
from mesh.wire.frames import FRAME_BYTES_MAX, FrameType, parse_frame
from mesh.wire.invites import PreviewBody, WelcomeBody
from mesh.wire.messages import PostBody
from mesh.wire.operations import LeaveBody, OpType, SettingsBody
from mesh.wire.sessions import OpsBody, StateBody
from tests.groups.parting import circle

MEBIBYTE = 1024 * 1024
# One mebibyte each: of values that an untyped parser would turn into objects one by one, and of promises that it would
# make room for. A typed parser stops at the first byte that has no place in the record.
BOMBS = {
    "a million empty lists": b"\xdd" + (MEBIBYTE - 5).to_bytes(4, "big") + b"\x90" * (MEBIBYTE - 5),
    "a million numbers": b"\xdd" + (MEBIBYTE - 5).to_bytes(4, "big") + b"\x00" * (MEBIBYTE - 5),
    "lists within lists": b"\x91" * MEBIBYTE,
    "long lists within long lists": (b"\xdd" + b"\xff" * 4) * (MEBIBYTE // 5),
    "a list of a record's kind with nothing in it": b"\x91\xdd\xff\xff\xff\xff" + b"\x90" * (MEBIBYTE - 6),
    "maps within maps": b"\x81\x01" * (MEBIBYTE // 2),
    "a map that promises billions": b"\xdf\xff\xff\xff\xff" + b"\x01" * (MEBIBYTE - 5),
    "bytes that promise billions": b"\x91\xc6\xff\xff\xff\xff" + bytes(MEBIBYTE - 6),
    "a text that promises billions": b"\x91\xdb\xff\xff\xff\xff" + bytes(MEBIBYTE - 6),
    "an extension that promises billions": b"\x91\xc9\xff\xff\xff\xff\x01" + bytes(MEBIBYTE - 7),
}


def test_attack_37_hostile_messagepack() -> None:
    """A bomb takes no more room than a record, and no value has a second encoding.

    Parsed without types, the first bomb took 0.7 s and 90 MB.
    """
    kinds = (OpsBody, StateBody, WelcomeBody, PreviewBody, SettingsBody, PostBody)
    for kind in kinds:
        for name, bomb in BOMBS.items():
            tracemalloc.start()
            try:
                with pytest.raises(RemoteError):
                    decode(kind, bomb, bytes_max=MEBIBYTE)
                _, peak = tracemalloc.get_traced_memory()
            finally:
                tracemalloc.stop()
            assert peak < 256 * 1024, (kind, name)
    assert decode(LeaveBody, b"\x91\xc2", bytes_max=10) == LeaveBody(erase=False)
    assert decode(SettingsBody, b"\x91\x91\x92\xa1a\xa1b", bytes_max=20).settings[0].key == "a"
    for data in (b"\xdc\x00\x01\xc2", b"\x91\xc2\x00", b"\x91\xc0", b"\x90", b"\x80", b""):
        with pytest.raises(RemoteError):
            decode(LeaveBody, data, bytes_max=10)
    for data in (b"\x91\x91\x92\xd9\x01a\xa1b", b"\x91\xdc\x00\x01\x92\xa1a\xa1b"):
        with pytest.raises(RemoteError):
            decode(SettingsBody, data, bytes_max=20)


def test_attack_39_ex_member_writes_on_the_new_topic() -> None:
    """The key of the old one makes frames of the old one; under the new name they do not verify."""
    alice, bob, carol = circle(Bob=Rank.MEMBER, Carol=Rank.MEMBER).values()
    removal = alice.removes(carol)
    bob.hears(alice)
    new = alice.group.epochs[removal.op_id]
    assert carol.group.epoch is not None
    old = carol.group.epochs[carol.group.epoch]
    signed = carol.forges(OpType.SETTINGS, SettingsBody(settings=[]))
    own = seal_operation(signed, old.op_key, old.pub_seed, public_key(old.pub_seed), bytes(24))
    renamed = bytes([FrameType.OPERATION]) + public_key(new.pub_seed) + own[33:]
    with pytest.raises(RemoteError) as caught:
        bob.opens(renamed)
    assert caught.value.fault is Fault.BAD_SIGNATURE
    with bob.step() as means, pytest.raises(RemoteError) as caught:
        receive_frame(bob.group, parse_frame(renamed), removal.op_id, means)
    assert caught.value.fault is Fault.UNREADABLE


def test_attack_40_flood_of_topics() -> None:
    """It is refused and not kept, and what was shared before stays shared."""
    alice, bob = TopicTable(b"a" * 32, b"b" * 32), TopicTable(b"b" * 32, b"a" * 32)
    grief = TopicId(b"grief".ljust(32, b"."))
    alice.announce([grief])
    honest, _ = bob.announce([grief])
    assert honest is not None
    alice.hear(honest)
    room = limits.TOPICS_PER_LINK_MAX - 1
    alice.hear(room.to_bytes(2, "big") + b"".join(k.to_bytes(TAG_BYTES, "big") for k in range(room)))
    for k in range(3):
        with pytest.raises(RemoteError) as caught:
            alice.hear(b"\0\1" + (1 << 60 | k).to_bytes(TAG_BYTES, "big"))
        assert caught.value.fault is Fault.OVER_LIMIT
    assert len(alice._peer_tags) == limits.TOPICS_PER_LINK_MAX
    assert list(alice.shared) == [grief]


def test_attack_41_oversized_frame() -> None:
    for kind in FrameType:
        largest = FRAME_BYTES_MAX[kind]
        assert largest + 5 <= limits.LINK_PAYLOAD_BYTES_MAX
        assert parse_frame(bytes([kind]) + bytes(largest - 1)).type is kind
        with pytest.raises(RemoteError) as caught:
            parse_frame(bytes([kind]) + bytes(largest))
        assert caught.value.fault is Fault.OVER_LIMIT
