"""Alice's root, the keys that follow from it, and what Carol cannot make of them."""

import json
from pathlib import Path

import pytest

from mesh.crypto.keys import public_key
from mesh.errors import Fault, RemoteError
from mesh.identity.keys import (
    backup_key,
    device_id,
    draw_root,
    identity_fingerprint,
    member_seed,
    sign_device,
    verify_device,
)
from mesh.ids import DevicePk, GroupId, MemberPk
from mesh.secret import Secret

VECTORS = json.loads((Path(__file__).parents[1] / "vectors/identity.json").read_text())["keys"]
ROOT = Secret(bytes.fromhex(VECTORS["root"]))
NONCE = bytes.fromhex(VECTORS["join_nonce"])
GROUP = GroupId(bytes.fromhex(VECTORS["gid"]))
DEVICE = DevicePk(bytes.fromhex(VECTORS["dev_pk"]))
SEED = Secret(bytes.fromhex(VECTORS["member_seed"]))
MEMBER = MemberPk(bytes.fromhex(VECTORS["member_pk"]))
KEM = b"\x44" * 32


def test_a_root_is_drawn_from_entropy() -> None:
    class Counting:
        def draw(self, count: int) -> bytes:
            return bytes(range(count))

    assert draw_root(Counting()) == ROOT


def test_member_keys_follow_from_root_and_nonce() -> None:
    assert member_seed(ROOT, NONCE) == SEED
    assert public_key(SEED.reveal()) == MEMBER


def test_each_join_has_a_member_key_of_its_own() -> None:
    nonces = [bytes([number]) * 32 for number in range(50)]
    seeds = {member_seed(ROOT, nonce).reveal() for nonce in nonces}
    assert len(seeds) == 50
    assert member_seed(Secret(bytes(32)), NONCE) != SEED


def test_backups_and_the_fingerprint_are_derived_apart() -> None:
    assert backup_key(ROOT) == Secret(bytes.fromhex(VECTORS["backup_key"]))
    assert identity_fingerprint(ROOT) == VECTORS["fingerprint"]


def test_a_device_claimed_by_another_member_is_another_device() -> None:
    assert device_id(MEMBER, DEVICE) == bytes.fromhex(VECTORS["device_id"])
    assert device_id(MemberPk(b"\x01" * 32), DEVICE) != device_id(MEMBER, DEVICE)
    assert device_id(MemberPk(DEVICE), DevicePk(MEMBER)) != device_id(MEMBER, DEVICE)


@pytest.mark.parametrize("vector", VECTORS["certificates"], ids=["suite-1", "suite-2"])
def test_alice_certifies_her_device(vector: dict[str, str]) -> None:
    kem_pk, certificate = bytes.fromhex(vector["kem_pk"]), bytes.fromhex(vector["certificate"])
    assert sign_device(SEED, GROUP, DEVICE, kem_pk) == certificate
    verify_device(MEMBER, GROUP, DEVICE, kem_pk, certificate)


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def test_carol_cannot_bend_a_certificate() -> None:
    certificate = sign_device(SEED, GROUP, DEVICE, KEM)
    bent = [
        (MemberPk(public_key(bytes(32))), GROUP, DEVICE, KEM, certificate),
        (MEMBER, GroupId(flipped(GROUP, 31)), DEVICE, KEM, certificate),
        (MEMBER, GROUP, DevicePk(flipped(DEVICE, 0)), KEM, certificate),
        (MEMBER, GROUP, DEVICE, flipped(KEM, 31), certificate),
        (MEMBER, GROUP, DEVICE, KEM + b"\0", certificate),
        (MEMBER, GROUP, DEVICE, KEM[:-1], certificate),
        *((MEMBER, GROUP, DEVICE, KEM, flipped(certificate, at)) for at in range(64)),
        *((MEMBER, GROUP, DEVICE, KEM, certificate[:length]) for length in range(64)),
        (MEMBER, GROUP, DEVICE, KEM, certificate + b"\0"),
    ]
    for claim in bent:
        with pytest.raises(RemoteError) as caught:
            verify_device(*claim)
        assert caught.value.fault is Fault.BAD_SIGNATURE
