"""Ed25519 signatures and XChaCha20-Poly1305, by PyNaCl, over plain bytes.

Keys travel as their 32 B seeds. Verification is libsodium's: it refuses non-canonical S and small-order points
(RFC 8032 §5.1.7), and `valid_point` refuses such keys when they enter a group.
"""

from functools import lru_cache
from hmac import compare_digest

from nacl.bindings import (
    crypto_aead_xchacha20poly1305_ietf_decrypt,
    crypto_aead_xchacha20poly1305_ietf_encrypt,
    crypto_core_ed25519_is_valid_point,
    crypto_sign,
    crypto_sign_open,
    crypto_sign_seed_keypair,
)
from nacl.exceptions import CryptoError

from mesh.errors import Fault, RemoteError

NONCE_BYTES = 24
SIGNATURE_BYTES = 64


@lru_cache(maxsize=4096)
def _keypair(seed: bytes) -> tuple[bytes, bytes]:
    public, secret = crypto_sign_seed_keypair(seed)
    return public, secret


def public_key(seed: bytes, *, forget: bool = False) -> bytes:
    """Return the 32 B Ed25519 public key of a 32 B seed; `forget`: keep nothing of the seed for next time."""
    return (crypto_sign_seed_keypair(seed) if forget else _keypair(seed))[0]


def sign(seed: bytes, message: bytes, *, forget: bool = False) -> bytes:
    """Return the 64 B Ed25519 signature (RFC 8032) of `message` by the key with this 32 B seed.

    `forget` is for member keys, which are derived for one use: an expanded key is otherwise kept for the next time.
    """
    secret = (crypto_sign_seed_keypair(seed) if forget else _keypair(seed))[1]
    return crypto_sign(message, secret)[:SIGNATURE_BYTES]


def verify(public: bytes, message: bytes, signature: bytes) -> None:
    """Check a signature; RemoteError(BAD_SIGNATURE) if it, or the key, is not valid."""
    if len(signature) != SIGNATURE_BYTES or len(public) != 32:
        raise RemoteError(Fault.BAD_SIGNATURE, "a signature or key has the wrong length")
    try:
        crypto_sign_open(signature + message, public)
    except (CryptoError, ValueError):
        raise RemoteError(Fault.BAD_SIGNATURE, "a signature is not valid") from None


def verify_shared(seed: bytes, message: bytes, signature: bytes) -> None:
    """Check a signature by a key whose 32 B seed we hold ourselves; the outcome is always that of `verify`.

    Ed25519 is deterministic (RFC 8032 §5.1.6): an honest holder's signature is the one that we would make, and making
    it takes two fifths of the time of verifying it. One with a nonce of the signer's own choosing can be valid too, so
    whatever differs is verified (decision 0020).
    """
    if not compare_digest(sign(seed, message), signature):
        verify(public_key(seed), message, signature)


def valid_point(public: bytes) -> bool:
    """Say whether these 32 B are a canonical point of Ed25519's main subgroup, so that only one key has them."""
    return len(public) == 32 and crypto_core_ed25519_is_valid_point(public)


def encrypt(key: bytes, nonce: bytes, associated: bytes, plaintext: bytes) -> bytes:
    """Seal with XChaCha20-Poly1305-IETF: 32 B key, 24 B nonce; the result is 16 B longer."""
    return crypto_aead_xchacha20poly1305_ietf_encrypt(plaintext, associated, nonce, key)


def decrypt(key: bytes, nonce: bytes, associated: bytes, ciphertext: bytes) -> bytes:
    """Open what `encrypt` made; RemoteError(UNREADABLE) if key, nonce or associated data differ."""
    try:
        return crypto_aead_xchacha20poly1305_ietf_decrypt(ciphertext, associated, nonce, key)
    except (CryptoError, ValueError):
        raise RemoteError(Fault.UNREADABLE, "a ciphertext does not open") from None
