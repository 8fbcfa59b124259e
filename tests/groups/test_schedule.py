"""The key schedule gives the keys that docs/protocol.md §6 pins, and keeps what is different apart."""

import re

from hypothesis import given
from hypothesis import strategies as st

from mesh.crypto.keys import public_key
from mesh.groups.schedule import (
    commitment,
    envelope_key,
    expand,
    message_key,
    next_chain_key,
    wrap_hint,
    wrap_info,
    wraps_hash,
)
from mesh.ids import DeviceId, GroupId, OpId
from mesh.wire.frames import topic_of
from tests.vectors.make import HERE

ES, GID, OP_ID, DEV = bytes(range(32)), GroupId(b"\x11" * 32), OpId(b"\x22" * 32), DeviceId(b"\x33" * 16)
KEYS = expand(ES, GID, OP_ID, (DEV,))
# Computed twice, independently, when the protocol was designed (protocol.md §6).
PINNED = """
env    573b130c4e33180527124fe3e7fbfc848542adc247ad4331cd6e1f82b6f918ff
commit c75f376d4e6baf7e808a38637857d6624f211e61a770bdb54198f967c6d0afe1
hdr    76a0db9c606111e5c609bc23fa1525a333de749d0400f5c2fa7e2ba624f546b2
epk    323b2451ad08954a742e18a637d31758689f0ddf7429c029970ddd10ae69ad71
topic  93f68f207e3be72789bef62712f7b0e908ed77ff0e497d6a1e7061572e24f2bb
mk0    c4b7f925cebf6aa78b3fd04299d5f07c844588b60d5504907db4aa51c049d90e
mk1    6142d9245a8411315908ae589d4844de4524823d40385280e7b2530d8efb8d91
mk2    d45d0a4066cbc4120527fabe9e4ab53005b2009e53cea227c1d632342f5a7687
"""
BYTES32 = st.binary(min_size=32, max_size=32)


def computed() -> dict[str, str]:
    """What the code makes of the pinned inputs."""
    chain = KEYS.chains[DEV]
    one, two = next_chain_key(chain), next_chain_key(next_chain_key(chain))
    epk = public_key(KEYS.pub_seed)
    found = {
        "env": envelope_key(ES, GID),
        "commit": commitment(ES, GID),
        "op": KEYS.op,
        "hdr": KEYS.hdr,
        "sync": KEYS.sync,
        "epk": epk,
        "topic": topic_of(epk),
        "mk0": message_key(chain, 0),
        "mk1": message_key(one, 1),
        "mk2": message_key(two, 2),
    }
    return {name: value.hex() for name, value in found.items()}


def test_the_pinned_vectors_hold() -> None:
    pinned = dict(line.split() for line in PINNED.strip().splitlines())
    assert {name: computed()[name] for name in pinned} == pinned


def test_the_protocol_prints_the_same_vectors() -> None:
    text = (HERE.parents[1] / "docs/protocol.md").read_text()
    printed = dict(re.findall(r"^(\w+) +([0-9a-f]{64})$", text, re.MULTILINE))
    assert computed().items() <= printed.items()


@given(BYTES32, BYTES32, BYTES32)
def test_all_keys_of_an_epoch_differ(es: bytes, gid: bytes, op_id: bytes) -> None:
    devices = tuple(DeviceId(bytes([k]) * 16) for k in range(4))
    keys = expand(es, GroupId(gid), OpId(op_id), devices)
    chain = keys.chains[devices[0]]
    derived = [
        es,
        keys.op,
        keys.hdr,
        keys.pub_seed,
        keys.sync,
        *keys.chains.values(),
        envelope_key(es, gid),
        commitment(es, gid),
        message_key(chain, 0),
        message_key(chain, 1),
        next_chain_key(chain),
    ]
    assert len(set(derived)) == len(derived)


def test_keys_are_bound_to_secret_group_operation_and_device() -> None:
    others = [
        expand(bytes(32), GID, OP_ID, (DEV,)),
        expand(ES, GroupId(bytes(32)), OP_ID, (DEV,)),
        expand(ES, GID, OpId(bytes(32)), (DEV,)),
    ]
    for other in others:
        assert not {other.op, other.hdr, other.sync, other.pub_seed} & {KEYS.op, KEYS.hdr, KEYS.sync, KEYS.pub_seed}
        assert other.chains != KEYS.chains


def test_what_binds_a_wrap_names_group_nonce_and_device() -> None:
    nonce, other = b"\x44" * 32, b"\x45" * 32
    infos = {
        wrap_info(GID, nonce, DEV),
        wrap_info(bytes(32), nonce, DEV),
        wrap_info(GID, other, DEV),
        wrap_info(GID, nonce, DeviceId(bytes(16))),
    }
    assert len(infos) == 4
    assert len({wrap_hint(b"a" * 32, nonce), wrap_hint(b"a" * 32, other), wrap_hint(b"b" * 32, nonce)}) == 3


def test_the_hash_of_wraps_sees_their_borders_and_their_order() -> None:
    hashes = {wraps_hash((b"ab", b"c")), wraps_hash((b"a", b"bc")), wraps_hash((b"c", b"ab")), wraps_hash((b"abc",))}
    assert len(hashes) == 4


def test_keys_are_not_shown() -> None:
    assert KEYS.op.hex() not in repr(KEYS)
    assert repr(KEYS) == "EpochKeys()"
