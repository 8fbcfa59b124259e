"""Sealing to a device: what the real library sealed once still opens, and another hand opens it too.

The other hand is RFC 9180 written out with `cryptography`'s parts: DHKEM(X25519, HKDF-SHA256), §4.1, for suite 1, and
X-Wing (draft-connolly-cfrg-xwing-kem: ML-KEM-768 with X25519, joined by SHA3-256) for suite 2, under the key schedule
of §5.1 in base mode. It lives in this test alone.
"""

import json
from hashlib import sha3_256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from hypothesis import given
from hypothesis import strategies as st

from mesh.commands import Suite
from mesh.errors import Fault, LocalError, RemoteError
from mesh.groups.epochs import KEM_BYTES, WRAP_BYTES
from mesh.ids import Sealer
from mesh.node.chance import HpkeSealer
from simulations.chance import SeededEntropy, SeededSealer

VECTORS = Path(__file__).parents[1] / "vectors"
ANSWERS = json.loads((VECTORS / "hpke.json").read_text())
RFC_9180 = json.loads((VECTORS / "standards.json").read_text())["hpke_base"]
KEM_ID = {Suite.CLASSIC: 0x0020, Suite.HYBRID: 0x647A}  # IANA, HPKE KEM identifiers
ENCAPSULATED = {Suite.CLASSIC: 32, Suite.HYBRID: 1120}
SEALERS: dict[str, Sealer] = {"the real one": HpkeSealer(), "its twin": SeededSealer(SeededEntropy(1, "hpke"))}


# ------------------------------------------------------------------------------------- the other hand


def extract(salt: bytes, label: bytes, key: bytes, suite_id: bytes) -> bytes:
    """LabeledExtract, RFC 9180 §4."""
    mac = hmac.HMAC(salt or bytes(32), hashes.SHA256())
    mac.update(b"HPKE-v1" + suite_id + label + key)
    return mac.finalize()


def expand(key: bytes, label: bytes, info: bytes, length: int, suite_id: bytes) -> bytes:
    """LabeledExpand, RFC 9180 §4."""
    labelled = length.to_bytes(2, "big") + b"HPKE-v1" + suite_id + label + info
    return HKDFExpand(hashes.SHA256(), length, labelled).derive(key)


def decapsulate(suite: Suite, private: bytes, encapsulated: bytes) -> bytes:
    """The shared secret of the KEM."""
    own = X25519PrivateKey.from_private_bytes(private[-32:])
    own_public = own.public_key().public_bytes_raw()
    ephemeral = encapsulated[-32:]
    agreed = own.exchange(X25519PublicKey.from_public_bytes(ephemeral))
    if suite is Suite.HYBRID:
        lattice = MLKEM768PrivateKey.from_seed_bytes(private[:64]).decapsulate(encapsulated[:-32])
        return sha3_256(lattice + agreed + ephemeral + own_public + b"\\.//^\\").digest()
    suite_id = b"KEM" + KEM_ID[suite].to_bytes(2, "big")
    eae = extract(b"", b"eae_prk", agreed, suite_id)
    return expand(eae, b"shared_secret", ephemeral + own_public, 32, suite_id)


def open_by_hand(suite: Suite, private: bytes, info: bytes, sealed: bytes, associated: bytes = b"") -> bytes:
    """Base mode with HKDF-SHA256 (0x0001) and ChaCha20-Poly1305 (0x0003), RFC 9180 §5.1."""
    encapsulated, body = sealed[: ENCAPSULATED[suite]], sealed[ENCAPSULATED[suite] :]
    suite_id = b"HPKE" + KEM_ID[suite].to_bytes(2, "big") + b"\0\1\0\3"
    context = b"\0" + extract(b"", b"psk_id_hash", b"", suite_id) + extract(b"", b"info_hash", info, suite_id)
    secret = extract(decapsulate(suite, private, encapsulated), b"secret", b"", suite_id)
    key = expand(secret, b"key", context, 32, suite_id)
    nonce = expand(secret, b"base_nonce", context, 12, suite_id)
    return ChaCha20Poly1305(key).decrypt(nonce, body, associated)


# ------------------------------------------------------------------------------------- known answers


def test_the_other_hand_is_that_of_rfc_9180() -> None:
    """The RFC's answer carries associated data, which the library's one-shot form does not take: the hand opens it."""
    names = ("private", "public", "encapsulated", "info", "associated", "plain", "sealed")
    private, public, encapsulated, info, associated, plain, sealed = (bytes.fromhex(RFC_9180[name]) for name in names)
    assert X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw() == public
    assert open_by_hand(Suite.CLASSIC, private, info, encapsulated + sealed, associated) == plain


@pytest.mark.parametrize(
    "answer", ANSWERS, ids=lambda answer: f"suite {answer['suite']}, {len(answer['plain']) // 2} B"
)
def test_what_was_sealed_once_still_opens(answer: dict[str, str | int]) -> None:
    suite = Suite(int(answer["suite"]))
    private, info, sealed, plain = (bytes.fromhex(str(answer[name])) for name in ("private", "info", "sealed", "plain"))
    assert HpkeSealer().open(suite, private, info, sealed) == plain
    assert open_by_hand(suite, private, info, sealed) == plain


@pytest.mark.parametrize("suite", Suite)
def test_another_hand_opens_what_is_sealed_today(suite: Suite) -> None:
    sealer = HpkeSealer()
    private, public = sealer.generate(suite)
    assert open_by_hand(suite, private, b"info", sealer.seal(suite, public, b"info", b"secret")) == b"secret"


# ------------------------------------------------------------------------------------- the real one and its twin


@pytest.mark.parametrize("name", SEALERS)
@pytest.mark.parametrize("suite", Suite)
def test_both_have_the_sizes_that_the_wire_knows(suite: Suite, name: str) -> None:
    sealer = SEALERS[name]
    private, public = sealer.generate(suite)
    assert (len(private), len(public)) == ({1: 32, 2: 96}[suite], KEM_BYTES[suite])
    sealed = sealer.seal(suite, public, b"info", bytes(32))
    assert len(sealed) == WRAP_BYTES[suite]
    assert sealer.open(suite, private, b"info", sealed) == bytes(32)


@pytest.mark.parametrize("name", SEALERS)
@pytest.mark.parametrize("suite", Suite)
@given(st.data())
def test_neither_opens_what_was_touched_or_meant_for_another(suite: Suite, name: str, data: st.DataObject) -> None:
    sealer = SEALERS[name]
    private, public = sealer.generate(suite)
    other, _ = sealer.generate(suite)
    sealed = sealer.seal(suite, public, b"info", b"secret")
    bent = bytearray(sealed)
    at = data.draw(st.integers(8 * ENCAPSULATED[suite], 8 * len(sealed) - 1))
    bent[at // 8] ^= 1 << at % 8
    for key, info, box in (
        (other, b"info", sealed),
        (private, b"inf", sealed),
        (private, b"info", bytes(bent)),
        (private, b"info", data.draw(st.binary(max_size=60))),
        (private, b"info", b""),
    ):
        with pytest.raises(RemoteError) as caught:
            sealer.open(suite, key, info, box)
        assert caught.value.fault is Fault.UNREADABLE


@pytest.mark.parametrize("name", SEALERS)
@pytest.mark.parametrize("suite", Suite)
def test_a_key_that_nothing_can_be_sealed_to_is_seen(suite: Suite, name: str) -> None:
    """An X25519 half of small order loads, and fails at every re-key that comes after."""
    sealer = SEALERS[name]
    _, public = sealer.generate(suite)
    assert sealer.check(suite, public)
    small = [bytes(32), b"\1" + bytes(31)]
    halves = (
        [public[:-32] + half for half in small] if name == "the real one" else [half + public[32:] for half in small]
    )
    for key in [b"", public[:-1], public + b"\0", *halves]:
        assert not sealer.check(suite, key)
        with pytest.raises(LocalError):
            sealer.seal(suite, key, b"", b"")


def test_a_lattice_half_that_is_no_key_is_seen() -> None:
    """FIPS 203 §7.2: coefficients must be below q = 3,329."""
    _, public = HpkeSealer().generate(Suite.HYBRID)
    assert not HpkeSealer().check(Suite.HYBRID, b"\xff" * 1184 + public[1184:])
