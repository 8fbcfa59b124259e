"""Padding that hides lengths: 0x80, zeros, up to a Padmé size with a floor of 256 bytes.

Padmé (Nikitin et al., "Reducing Metadata Leakage from Encrypted Files and Communication with PURBs", PoPETs
2019, §4) rounds a length up so that only O(log log n) bits of it leak, at a cost of at most 12 %.
"""

from typing import Final

from mesh.errors import Fault, RemoteError

FLOOR_BYTES: Final = 256


def padme(length: int) -> int:
    """Return the padded size for a payload of `length` bytes (≥ 1): never below the floor."""
    if length <= FLOOR_BYTES:
        return FLOOR_BYTES
    exponent = length.bit_length() - 1
    free_bits = exponent - exponent.bit_length()
    mask = (1 << free_bits) - 1
    return (length + mask) & ~mask


def pad(data: bytes, size: int | None = None) -> bytes:
    """Append 0x80 and zeros up to `size`, or to the Padmé size; a too small `size` is a bug."""
    total = size if size is not None else padme(len(data) + 1)
    assert len(data) < total, "no room for the padding mark"
    return data + b"\x80" + bytes(total - len(data) - 1)


def unpad(padded: bytes) -> bytes:
    """Take the padding off; RemoteError(MALFORMED) if there is none."""
    end = padded.rstrip(b"\0")
    if not end.endswith(b"\x80"):
        raise RemoteError(Fault.MALFORMED, "the padding is broken")
    return end[:-1]
