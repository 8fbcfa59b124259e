"""Sealing what is too long for one message: libsodium's secretstream (XChaCha20-Poly1305), piece by piece.

Each piece is bound to those before it and to its place, and the last one is marked: what was cut short, put into
another order or mixed from two streams does not open. libsodium's `init_push` draws the header (24 B) itself. Nothing
from `mesh.peer` down draws, so the header is handed in and both ends begin with `init_pull`, which makes the same state
of it (libsodium, crypto_secretstream_xchacha20poly1305.c: the two differ in who draws, and in nothing else).

Source: https://doc.libsodium.org/secret-key_cryptography/secretstream
"""

from typing import Final

import nacl.exceptions
from nacl.bindings import (
    crypto_secretstream_xchacha20poly1305_ABYTES,
    crypto_secretstream_xchacha20poly1305_init_pull,
    crypto_secretstream_xchacha20poly1305_pull,
    crypto_secretstream_xchacha20poly1305_push,
    crypto_secretstream_xchacha20poly1305_state,
    crypto_secretstream_xchacha20poly1305_TAG_FINAL,
    crypto_secretstream_xchacha20poly1305_TAG_MESSAGE,
)

from mesh.errors import Fault, RemoteError

KEY_BYTES: Final = 32
HEADER_BYTES: Final = 24
SEAL_BYTES: Final = crypto_secretstream_xchacha20poly1305_ABYTES  # 17: what a sealed piece is longer by

_TAGS: Final = {
    False: crypto_secretstream_xchacha20poly1305_TAG_MESSAGE,
    True: crypto_secretstream_xchacha20poly1305_TAG_FINAL,
}


def _begin(key: bytes, header: bytes) -> crypto_secretstream_xchacha20poly1305_state:
    state = crypto_secretstream_xchacha20poly1305_state()
    crypto_secretstream_xchacha20poly1305_init_pull(state, header, key)
    return state


class Sealing:
    """Seals pieces in their order."""

    def __init__(self, key: bytes, header: bytes, about: bytes) -> None:
        """`key` 32 B, used for one stream; `header` 24 B, drawn for it; `about` is bound to each piece."""
        self._state, self._about = _begin(key, header), about

    def seal(self, piece: bytes, *, last: bool) -> bytes:
        """Seal the next piece; it becomes 17 B longer. After the last one there is none."""
        return crypto_secretstream_xchacha20poly1305_push(self._state, piece, self._about, _TAGS[last])


class Opening:
    """Opens pieces in their order."""

    def __init__(self, key: bytes, header: bytes, about: bytes) -> None:
        """`key`, `header` and `about` as they were for sealing."""
        self._state, self._about = _begin(key, header), about

    def open(self, sealed: bytes, *, last: bool) -> bytes:
        """Open the next piece; RemoteError(UNREADABLE) if it is not that one, or is marked otherwise."""
        try:
            piece, tag = crypto_secretstream_xchacha20poly1305_pull(self._state, sealed, self._about)
        except (nacl.exceptions.RuntimeError, nacl.exceptions.ValueError):
            raise RemoteError(Fault.UNREADABLE, "a piece that does not open") from None
        if tag != _TAGS[last]:
            raise RemoteError(Fault.UNREADABLE, "a stream that ends where it should not")
        return piece
