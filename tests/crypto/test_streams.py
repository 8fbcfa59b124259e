"""Streams: what libsodium itself makes and opens is the same, and nothing opens that is not whole and in order."""

import nacl.bindings as sodium
import pytest

from mesh.crypto.streams import HEADER_BYTES, KEY_BYTES, SEAL_BYTES, Opening, Sealing
from mesh.errors import Fault, RemoteError

KEY, HEADER = b"k" * KEY_BYTES, b"h" * HEADER_BYTES
PIECES = (b"one" * 100, b"", b"three")


def sealed() -> list[bytes]:
    sealing = Sealing(KEY, HEADER, b"about")
    return [sealing.seal(piece, last=k == len(PIECES) - 1) for k, piece in enumerate(PIECES)]


def test_another_hand_with_a_header_of_its_own_seals_the_same() -> None:
    state = sodium.crypto_secretstream_xchacha20poly1305_state()
    header = sodium.crypto_secretstream_xchacha20poly1305_init_push(state, KEY)
    tags = (0, 0, sodium.crypto_secretstream_xchacha20poly1305_TAG_FINAL)
    theirs = [
        sodium.crypto_secretstream_xchacha20poly1305_push(state, piece, b"about", tag)
        for piece, tag in zip(PIECES, tags, strict=True)
    ]
    sealing = Sealing(KEY, header, b"about")
    assert [sealing.seal(piece, last=k == 2) for k, piece in enumerate(PIECES)] == theirs


def test_what_is_sealed_opens_in_its_order() -> None:
    opening = Opening(KEY, HEADER, b"about")
    assert tuple(opening.open(piece, last=k == 2) for k, piece in enumerate(sealed())) == PIECES
    assert [len(piece) - len(plain) for piece, plain in zip(sealed(), PIECES, strict=True)] == [SEAL_BYTES] * 3


@pytest.mark.parametrize(
    ("order", "ends"),
    [
        ((1,), 9),  # another first
        ((0, 2), 1),  # one left out
        ((0, 0), 9),  # one twice
        ((0, 1), 1),  # cut short, and said to be whole
        ((0, 1, 2), 9),  # whole, and said to go on
    ],
)
def test_what_is_not_whole_or_not_in_order_does_not_open(order: tuple[int, ...], ends: int) -> None:
    opening, pieces = Opening(KEY, HEADER, b"about"), sealed()
    *before, last = enumerate(order)
    for place, which in before:
        opening.open(pieces[which], last=place == ends)
    with pytest.raises(RemoteError) as error:
        opening.open(pieces[last[1]], last=last[0] == ends)
    assert error.value.fault is Fault.UNREADABLE


@pytest.mark.parametrize("bent", [b"", b"x" * 16, b"x" * 17, sealed()[0] + b"x", sealed()[0][:-1]])
def test_rubbish_does_not_open(bent: bytes) -> None:
    with pytest.raises(RemoteError):
        Opening(KEY, HEADER, b"about").open(bent, last=False)


def test_another_key_header_or_purpose_does_not_open() -> None:
    for opening in (
        Opening(b"K" * 32, HEADER, b"about"),
        Opening(KEY, b"H" * 24, b"about"),
        Opening(KEY, HEADER, b"other"),
    ):
        with pytest.raises(RemoteError):
            opening.open(sealed()[0], last=False)
