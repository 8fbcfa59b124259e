"""Hash and key derivation: BLAKE2b-256 with the label as personalisation (protocol.md §2; RFC 7693).

`H` hashes parts, each length-prefixed, so that no two lists of parts hash alike. `KDF` is keyed BLAKE2b: the
key is secret, the label says what for. Labels are at most 16 bytes of ASCII, which is what BLAKE2b's
personalisation holds, and each begins with "mesh1/".
"""

from collections.abc import Iterable
from hashlib import blake2b


def h(label: bytes, *parts: bytes) -> bytes:
    """Return the 32 B hash of `parts` under `label` (≤ 16 B); each part is prefixed with its length as u32be."""
    digest = blake2b(digest_size=32, person=label)
    for part in parts:
        digest.update(len(part).to_bytes(4, "big"))
        digest.update(part)
    return digest.digest()


def kdf(key: bytes, label: bytes, context: bytes) -> bytes:
    """Derive 32 B from a secret `key` (1–64 B) for the use named by `label` (≤ 16 B), bound to `context`."""
    return blake2b(context, digest_size=32, key=key, person=label).digest()


def short_hashes(key: bytes, label: bytes, texts: Iterable[bytes]) -> list[bytes]:
    """Return the 8 B keyed hash of each text under one secret `key` and `label`, for many at once.

    8 is BLAKE2b's own output length here: these are no beginnings of what `kdf` gives.
    """
    keyed = blake2b(digest_size=8, key=key, person=label)
    found = []
    for text in texts:
        digest = keyed.copy()  # half of the time that setting the key anew takes
        digest.update(text)
        found.append(digest.digest())
    return found
