"""The keys of one person: a root seed, a member key for each group, a certificate for each device.

The root seed is the person. It never leaves the machine; from it follows one member key per group, and
nobody who sees two of those keys can tell that one person holds both. A member key signs device
certificates and operations about devices, and is derived for that one use: its seed is not stored. Device
and KEM keys are drawn at random, not derived, so that whoever learns the root later reads nothing of the
past.

Source: protocol.md §3 (keys) and §13 (backup). Left out on purpose: whether a public key may enter a group
(`mesh.crypto.keys.valid_point`, a trial encapsulation), which `mesh.groups` asks at the door.
"""

from typing import Final

from mesh.crypto.hashes import h, kdf
from mesh.crypto.keys import sign, verify
from mesh.ids import DeviceId, DevicePk, Entropy, GroupId, MemberPk
from mesh.secret import Secret

ROOT_BYTES: Final = 32  # protocol.md §3; 24 words of BIP-39 hold exactly this
JOIN_NONCE_BYTES: Final = 32  # mesh.commands
PAIRING_SEED_BYTES: Final = 16  # mesh.wire.codes
CERTIFICATE_BYTES: Final = 64  # an Ed25519 signature, nothing else
CERTIFICATE_DOMAIN: Final = b"mesh1/devcert\0"  # 14 B; no other signed text begins so
# "mesh1/fingerprint" is one byte longer than BLAKE2b's personalisation (16 B), so its last letter is cut.
FINGERPRINT_LABEL: Final = b"mesh1/fingerprin"
FINGERPRINT_BYTES: Final = 8


def draw_root(entropy: Entropy) -> Secret:
    """Draw a new root seed: 32 B that are the person, and that 24 words can bring back."""
    return Secret(entropy.draw(ROOT_BYTES))


def member_seed(root: Secret, join_nonce: bytes) -> Secret:
    """Derive the 32 B Ed25519 seed of a member key: KDF(root, "mesh1/member", join_nonce).

    `join_nonce` (32 B) is drawn at random for each attempt to join or found a group and kept with the group's
    state: it is no secret, but without it the key cannot be found again. Source: protocol.md §3.
    """
    assert len(root) == ROOT_BYTES
    assert len(join_nonce) == JOIN_NONCE_BYTES
    return Secret(kdf(root.reveal(), b"mesh1/member", join_nonce))


def pairing_key(root: Secret, seed: bytes) -> Secret:
    """Derive the 32 B key under which two homes of one root talk: KDF(root, "mesh1/pair", seed); protocol.md §18.

    `seed` is the 16 B of a device code. Each side proves by this key that it has the same root, and shows none of it.
    """
    assert len(root) == ROOT_BYTES
    assert len(seed) == PAIRING_SEED_BYTES
    return Secret(kdf(root.reveal(), b"mesh1/pair", seed))


def backup_key(root: Secret) -> Secret:
    """Derive the 32 B key that backups are sealed under: KDF(root, "mesh1/backup", ""); protocol.md §13."""
    assert len(root) == ROOT_BYTES
    return Secret(kdf(root.reveal(), b"mesh1/backup", b""))


def identity_fingerprint(root: Secret) -> str:
    """Name an identity on its own screen: 16 hex digits in groups of four, as in "3f2a 91bc 04de 77aa".

    The first 8 B of KDF(root, "mesh1/fingerprin", ""). It tells a person which of their homes this is, and
    shows after a restore that the words brought back the same root. It is a derivation beside all others:
    no member key, and nothing on the wire, can be linked to it.
    """
    assert len(root) == ROOT_BYTES
    digits = kdf(root.reveal(), FINGERPRINT_LABEL, b"")[:FINGERPRINT_BYTES].hex()
    return " ".join(digits[at : at + 4] for at in range(0, len(digits), 4))


def device_id(member_pk: MemberPk, dev_pk: DevicePk) -> DeviceId:
    """Name a device: the first 16 B of H("mesh1/dev", member_pk, dev_pk), both keys 32 B.

    The member key is inside, so a device key that another member claims is another device. Source:
    protocol.md §3.
    """
    return DeviceId(h(b"mesh1/dev", member_pk, dev_pk)[:16])


def sign_device(seed: Secret, gid: GroupId, dev_pk: DevicePk, kem_pk: bytes) -> bytes:
    r"""Certify a device with the member key of 32 B `seed`; returns the 64 B certificate.

    What is signed, byte by byte: b"mesh1/devcert\0" (14 B), gid (32 B), dev_pk (32 B), kem_pk (32 B in
    suite 1, 1,216 B in suite 2). Only the last part varies in length, so no two contents are written alike.
    """
    return sign(seed.reveal(), _certified(gid, dev_pk, kem_pk), forget=True)


def verify_device(member_pk: MemberPk, gid: GroupId, dev_pk: DevicePk, kem_pk: bytes, certificate: bytes) -> None:
    """Check what `sign_device` made; RemoteError(BAD_SIGNATURE) if it is not by this 32 B member key."""
    verify(member_pk, _certified(gid, dev_pk, kem_pk), certificate)


def _certified(gid: GroupId, dev_pk: DevicePk, kem_pk: bytes) -> bytes:
    assert len(gid) == 32
    assert len(dev_pk) == 32
    return CERTIFICATE_DOMAIN + gid + dev_pk + kem_pk
