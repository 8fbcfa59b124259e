"""Chance and sealing as the operating system and `cryptography` give them: what the core is handed in a real node."""

import os
import random
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
    Suite,
)

from mesh.errors import Fault, LocalError, RemoteError

CLASSIC: Final = 1
_MLKEM_SEED_BYTES: Final = 64  # FIPS 203: d ‖ z
_MLKEM_PUBLIC_BYTES: Final = 1184


class OsEntropy:
    """Key material and nonces from the operating system."""

    def draw(self, count: int) -> bytes:
        """Return `count` fresh bytes."""
        return os.urandom(count)


def os_dice() -> random.Random:
    """Return dice for choices that need not be secret, seeded by the operating system."""
    return random.Random(os.urandom(16))


class HpkeSealer:
    """HPKE base mode (RFC 9180): X25519 or ML-KEM-768 with X25519, HKDF-SHA256, ChaCha20-Poly1305.

    A suite-2 private key is kept as 96 raw bytes, ML-KEM's seed first, then X25519's key; the public key is 1,184 B of
    ML-KEM and 32 B of X25519.
    """

    def __init__(self) -> None:
        self._suites = {
            1: Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305),
            2: Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305),
        }

    def generate(self, suite: int) -> tuple[bytes, bytes]:
        """Return a fresh (private, public)."""
        x_private = os.urandom(32)
        x_public = X25519PrivateKey.from_private_bytes(x_private).public_key().public_bytes_raw()
        if suite == CLASSIC:
            return x_private, x_public
        m_private = os.urandom(_MLKEM_SEED_BYTES)
        m_public = MLKEM768PrivateKey.from_seed_bytes(m_private).public_key().public_bytes_raw()
        return m_private + x_private, m_public + x_public

    def check(self, suite: int, public_key: bytes) -> bool:
        """Say whether one can really seal to a key: a zero X25519 half loads, and fails only on use."""
        try:
            self.seal(suite, public_key, b"", b"")
        except LocalError:
            return False
        return True

    def seal(self, suite: int, public_key: bytes, info: bytes, plaintext: bytes) -> bytes:
        """Seal; LocalError if nothing can be sealed to the key."""
        try:
            return self._suites[suite].encrypt(plaintext, _public(suite, public_key), info)
        except (ValueError, InvalidTag) as error:
            raise LocalError("nothing can be sealed to that key", code="E-KEY") from error

    def open(self, suite: int, private_key: bytes, info: bytes, sealed: bytes) -> bytes:
        """Open; RemoteError(UNREADABLE) if it was not sealed to this key and `info`."""
        try:
            return self._suites[suite].decrypt(sealed, _private(suite, private_key), info)
        except (ValueError, InvalidTag):
            raise RemoteError(Fault.UNREADABLE, "a sealed box does not open") from None


def _public(suite: int, key: bytes) -> X25519PublicKey | MLKEM768X25519PublicKey:
    if suite == CLASSIC:
        return X25519PublicKey.from_public_bytes(key)
    return MLKEM768X25519PublicKey(
        MLKEM768PublicKey.from_public_bytes(key[:_MLKEM_PUBLIC_BYTES]),
        X25519PublicKey.from_public_bytes(key[_MLKEM_PUBLIC_BYTES:]),
    )


def _private(suite: int, key: bytes) -> X25519PrivateKey | MLKEM768X25519PrivateKey:
    if suite == CLASSIC:
        return X25519PrivateKey.from_private_bytes(key)
    return MLKEM768X25519PrivateKey(
        MLKEM768PrivateKey.from_seed_bytes(key[:_MLKEM_SEED_BYTES]),
        X25519PrivateKey.from_private_bytes(key[_MLKEM_SEED_BYTES:]),
    )
