"""Chance from one seed: dice, entropy and sealing that give the same draws in every run.

Each label gets a stream of its own, so that adding a node shifts nobody else's draws. Nothing here is secret.
"""

import random
from hashlib import blake2b
from typing import Final

from nacl.bindings import crypto_scalarmult, crypto_scalarmult_base

from mesh.crypto.hashes import h
from mesh.crypto.keys import decrypt, encrypt
from mesh.errors import Fault, LocalError, RemoteError

_PUBLIC_BYTES: Final = {1: 32, 2: 1216}
_PRIVATE_BYTES: Final = {1: 32, 2: 96}
_ENCAPSULATED_BYTES: Final = {1: 32, 2: 1120}


def seeded_dice(seed: int, label: str) -> random.Random:
    """Return dice for one use."""
    return random.Random(f"{seed}/{label}")


class SeededEntropy:
    """Key material from a seed and a label: BLAKE2b in counter mode."""

    def __init__(self, seed: int, label: str) -> None:
        self._key = blake2b(f"{seed}/{label}".encode(), digest_size=32).digest()
        self._count = 0

    def draw(self, count: int) -> bytes:
        """Return `count` bytes that no other draw returned."""
        out = b""
        while len(out) < count:
            self._count += 1
            out += blake2b(self._count.to_bytes(8, "big"), key=self._key).digest()
        return out[:count]


class SeededSealer:
    """A twin of HPKE: the same sizes, really sealed (X25519 and XChaCha20-Poly1305), drawn from a seed.

    Suite 2's keys are filled up to their length; nothing about it is post-quantum. It is for the simulator alone.
    """

    def __init__(self, entropy: SeededEntropy) -> None:
        self._entropy = entropy

    def generate(self, suite: int) -> tuple[bytes, bytes]:
        """Return (private, public)."""
        private = self._entropy.draw(_PRIVATE_BYTES[suite])
        public = crypto_scalarmult_base(private[:32])
        return private, public + h(b"mesh1/simpad", public) * ((_PUBLIC_BYTES[suite] - 32) // 32)

    def check(self, suite: int, public_key: bytes) -> bool:
        """Say whether `seal` would work."""
        try:
            self.seal(suite, public_key, b"", b"")
        except LocalError:
            return False
        return True

    def seal(self, suite: int, public_key: bytes, info: bytes, plaintext: bytes) -> bytes:
        """Seal to a public key."""
        if len(public_key) != _PUBLIC_BYTES[suite]:
            raise LocalError("a key of the wrong length")
        ephemeral = self._entropy.draw(32)
        try:
            shared = crypto_scalarmult(ephemeral, public_key[:32])
        except RuntimeError:
            raise LocalError("a key that nothing can be sealed to") from None
        head = crypto_scalarmult_base(ephemeral)
        head += bytes(_ENCAPSULATED_BYTES[suite] - 32)
        key = h(b"mesh1/simseal", shared, info)
        return head + encrypt(key, bytes(24), head, plaintext)

    def open(self, suite: int, private_key: bytes, info: bytes, sealed: bytes) -> bytes:
        """Open what `seal` made; RemoteError if it is not for this key."""
        head, body = sealed[: _ENCAPSULATED_BYTES[suite]], sealed[_ENCAPSULATED_BYTES[suite] :]
        if len(head) < _ENCAPSULATED_BYTES[suite]:
            raise RemoteError(Fault.UNREADABLE, "a sealed box is too short")
        try:
            shared = crypto_scalarmult(private_key[:32], head[:32])
        except RuntimeError:
            raise RemoteError(Fault.UNREADABLE, "a sealed box with a bad key") from None
        return decrypt(h(b"mesh1/simseal", shared, info), bytes(24), head, body)
