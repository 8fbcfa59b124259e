"""Signatures and sealing: known answers from the standards, and what Mallory makes of keys and signatures."""

import json
from hashlib import sha512
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from hypothesis import given
from hypothesis import strategies as st
from nacl.bindings import crypto_core_ed25519_add, crypto_scalarmult, crypto_scalarmult_base

from mesh.crypto.keys import decrypt, encrypt, public_key, sign, valid_point, verify, verify_shared
from mesh.errors import Fault, RemoteError

STANDARDS = json.loads((Path(__file__).parents[1] / "vectors/standards.json").read_text())
ORDER = 2**252 + 27742317777372353535851937790883648493  # L, RFC 8032 §5.1
P = 2**255 - 19
# The eight points of small order, and encodings of them that are not canonical (y ≥ p, or a sign on x = 0).
SMALL_ORDER = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "0100000000000000000000000000000000000000000000000000000000000080",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
]
ALICE = bytes(range(32))


# ------------------------------------------------------------------------------------- known answers


def known(name: str, *fields: str) -> list[bytes]:
    """Fields of a known answer, as bytes."""
    return [bytes.fromhex(STANDARDS[name][field]) for field in fields]


@pytest.mark.parametrize("answer", STANDARDS["ed25519"]["signatures"])
def test_signatures_are_those_of_rfc_8032(answer: dict[str, str]) -> None:
    seed, public, message, signature = (
        bytes.fromhex(answer[name]) for name in ("seed", "public", "message", "signature")
    )
    assert public_key(seed) == public
    assert sign(seed, message) == signature
    verify(public, message, signature)


def test_sealing_is_that_of_the_xchacha_draft() -> None:
    key, nonce, associated, sealed = known("xchacha20_poly1305", "key", "nonce", "associated", "sealed")
    text = STANDARDS["xchacha20_poly1305"]["text"].encode()
    assert encrypt(key, nonce, associated, text) == sealed
    assert decrypt(key, nonce, associated, sealed) == text


def test_the_library_that_wraps_secrets_seals_as_rfc_8439_says() -> None:
    """HPKE's AEAD is ChaCha20-Poly1305 of `cryptography`, not libsodium's."""
    key, nonce, associated, sealed = known("chacha20_poly1305", "key", "nonce", "associated", "sealed")
    assert ChaCha20Poly1305(key).encrypt(nonce, STANDARDS["chacha20_poly1305"]["text"].encode(), associated) == sealed


def test_the_twin_of_the_simulator_agrees_on_keys_as_rfc_7748_says() -> None:
    private, public, other, shared = known("x25519", "private", "public", "other", "shared")
    assert crypto_scalarmult_base(private) == public
    assert crypto_scalarmult(private, other) == shared


@pytest.mark.parametrize("answer", STANDARDS["x25519_functions"]["single"])
def test_both_libraries_multiply_as_rfc_7748_says(answer: dict[str, str]) -> None:
    """Libsodium's for the simulator's twin, and that of `cryptography` under HPKE."""
    scalar, u, result = (bytes.fromhex(answer[name]) for name in ("scalar", "u", "result"))
    assert crypto_scalarmult(scalar, u) == result
    assert X25519PrivateKey.from_private_bytes(scalar).exchange(X25519PublicKey.from_public_bytes(u)) == result


def test_a_thousand_rounds_lead_where_rfc_7748_says() -> None:
    k = u = b"\x09" + bytes(31)
    reached = {}
    for count in range(1, 1001):
        k, u = crypto_scalarmult(k, u), k
        reached[str(count)] = k.hex()
    for count, result in STANDARDS["x25519_functions"]["iterated"].items():
        assert reached[count] == result


# ------------------------------------------------------------------------------------- Mallory


@given(st.binary(max_size=200), st.data())
def test_a_signature_holds_for_one_message_and_one_key(message: bytes, data: st.DataObject) -> None:
    signature = sign(ALICE, message)
    verify(public_key(ALICE), message, signature)
    at = data.draw(st.integers(0, 511))
    bent = bytearray(signature)
    bent[at // 8] ^= 1 << at % 8
    for public, said, made in (
        (public_key(ALICE), message, bytes(bent)),
        (public_key(ALICE), message + b"!", signature),
        (public_key(bytes(32)), message, signature),
    ):
        with pytest.raises(RemoteError) as caught:
            verify(public, said, made)
        assert caught.value.fault is Fault.BAD_SIGNATURE


@pytest.mark.parametrize("times", [1, 2, 7])
def test_a_signature_has_no_second_form(times: int) -> None:
    """S + L satisfies the equation just as well as S (RFC 8032 §5.1.7 demands S < L)."""
    signature = sign(ALICE, b"hello")
    bent = int.from_bytes(signature[32:], "little") + times * ORDER
    with pytest.raises(RemoteError):
        verify(public_key(ALICE), b"hello", signature[:32] + bent.to_bytes(32, "little"))


def other_signature(seed: bytes, message: bytes) -> bytes:
    """A valid signature with a nonce that RFC 8032 would not take: the one of another message."""
    expanded = sha512(seed).digest()
    key = int.from_bytes(expanded[:32], "little") & ((1 << 254) - 8) | (1 << 254)
    nonce = int.from_bytes(sha512(expanded[32:] + b"another").digest(), "little")
    point = sign(seed, b"another")[:32]
    challenge = int.from_bytes(sha512(point + public_key(seed) + message).digest(), "little")
    return point + ((nonce + challenge * key) % ORDER).to_bytes(32, "little")


@given(st.binary(max_size=200))
def test_one_who_holds_the_key_accepts_what_all_others_do(message: bytes) -> None:
    """Or one who signs otherwise than RFC 8032 says would be heard by some nodes and not by others."""
    for signature in (sign(ALICE, message), other_signature(ALICE, message)):
        verify(public_key(ALICE), message, signature)
        verify_shared(ALICE, message, signature)


@given(st.binary(max_size=200), st.data())
def test_one_who_holds_the_key_refuses_what_all_others_do(message: bytes, data: st.DataObject) -> None:
    good = data.draw(st.sampled_from([sign(ALICE, message), other_signature(ALICE, message)]))
    bent = bytearray(good)
    at = data.draw(st.integers(0, 511))
    bent[at // 8] ^= 1 << at % 8
    for said, made in ((message, bytes(bent)), (message + b"!", good), (message, good[:-1]), (message, b"")):
        with pytest.raises(RemoteError) as caught:
            verify_shared(ALICE, said, made)
        assert caught.value.fault is Fault.BAD_SIGNATURE


@pytest.mark.parametrize("encoded", SMALL_ORDER)
def test_keys_of_small_order_verify_nothing_and_do_not_enter(encoded: str) -> None:
    """Under the identity as key, R = identity and S = 0 sign every message."""
    key = bytes.fromhex(encoded)
    assert not valid_point(key)
    for r in SMALL_ORDER[:2]:
        with pytest.raises(RemoteError):
            verify(key, b"anything", bytes.fromhex(r) + bytes(32))


@pytest.mark.parametrize("torsion", SMALL_ORDER[1:8])
def test_a_key_with_a_small_part_does_not_enter(torsion: str) -> None:
    """Eight keys would verify the same signatures under a cofactored rule; only one of them may be somebody."""
    mixed = crypto_core_ed25519_add(public_key(ALICE), bytes.fromhex(torsion))
    assert mixed != public_key(ALICE)
    assert valid_point(public_key(ALICE))
    assert not valid_point(mixed)


@pytest.mark.parametrize("key", [b"", bytes(31), bytes(33), b"\xff" * 32, (P + 3).to_bytes(32, "little")])
def test_what_is_no_key_does_not_enter(key: bytes) -> None:
    assert not valid_point(key)
    with pytest.raises(RemoteError):
        verify(key, b"", bytes(64))


@given(st.binary(max_size=80), st.binary(max_size=80))
def test_verifying_rubbish_is_refused_in_one_way(key: bytes, signature: bytes) -> None:
    with pytest.raises(RemoteError) as caught:
        verify(key, b"hello", signature)
    assert caught.value.fault is Fault.BAD_SIGNATURE


@given(st.binary(max_size=64), st.binary(max_size=300), st.data())
def test_a_sealed_text_opens_whole_or_not_at_all(associated: bytes, plain: bytes, data: st.DataObject) -> None:
    key, nonce = bytes(range(32)), bytes(24)
    sealed = encrypt(key, nonce, associated, plain)
    assert len(sealed) == len(plain) + 16
    assert decrypt(key, nonce, associated, sealed) == plain
    at = data.draw(st.integers(0, 8 * len(sealed) - 1))
    bent = bytearray(sealed)
    bent[at // 8] ^= 1 << at % 8
    for attempt in (
        (key, nonce, associated, bytes(bent)),
        (key, nonce, associated, sealed[:-1]),
        (key, nonce, associated + b"!", sealed),
        (key, b"\1" + nonce[1:], associated, sealed),
        (bytes(32), nonce, associated, sealed),
    ):
        with pytest.raises(RemoteError) as caught:
            decrypt(*attempt)
        assert caught.value.fault is Fault.UNREADABLE


@given(st.binary(max_size=40), st.binary(max_size=40))
def test_opening_rubbish_is_refused_in_one_way(nonce: bytes, sealed: bytes) -> None:
    with pytest.raises(RemoteError) as caught:
        decrypt(bytes(32), nonce, b"", sealed)
    assert caught.value.fault is Fault.UNREADABLE


def test_a_member_key_is_forgotten_and_signs_the_same() -> None:
    assert sign(ALICE, b"x", forget=True) == sign(ALICE, b"x")
    assert public_key(ALICE, forget=True) == public_key(ALICE)
