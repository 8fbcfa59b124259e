"""Frames on a link: `u32be length ‖ type u8 ‖ payload`, cut from a stream of bytes and joined to one
(network.md §2).

`length` counts the type byte and the payload: at least 1, at most 524,289 (512 KiB of payload). The header
says how much is to come before it comes, so a hostile length is refused before a byte of its payload is
held. After a refusal the stream has no frame boundary left: the decoder stays broken, and the link ends.

What a type means is not known here, and the payload is not looked at.
"""

from dataclasses import dataclass
from typing import Final

from mesh.errors import Fault, RemoteError
from mesh.wire.limits import LINK_PAYLOAD_BYTES_MAX

LENGTH_BYTES: Final = 4
HEADER_BYTES: Final = LENGTH_BYTES + 1


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame: `kind` is the type byte, 0 to 255, as the peer sent it."""

    kind: int
    payload: bytes


def encode(kind: int, payload: bytes) -> bytes:
    """Return the bytes of a frame. A kind or a payload (≤ 512 KiB) that does not fit is a bug of ours."""
    assert 0 <= kind <= 255, "a frame's type is one byte"
    assert len(payload) <= LINK_PAYLOAD_BYTES_MAX, "a frame holds 512 KiB"
    return b"%b%c%b" % ((1 + len(payload)).to_bytes(LENGTH_BYTES, "big"), kind, payload)


class Decoder:
    """Cuts frames from bytes as they come. `payload_bytes_max` may be raised once the peer has earned it."""

    def __init__(self, payload_bytes_max: int = LINK_PAYLOAD_BYTES_MAX) -> None:
        self.payload_bytes_max = payload_bytes_max
        self._held = bytearray()
        self._broken: RemoteError | None = None

    def feed(self, data: bytes) -> None:
        """Take what the stream gave. Call `next` until it gives None, so that little is held."""
        self._held += data

    def next(self) -> Frame | None:
        """Return the next whole frame, None if more is needed; RemoteError, now and ever after, if refused."""
        if self._broken is not None:
            raise self._broken
        held = self._held
        if len(held) < LENGTH_BYTES:
            return None
        length = int.from_bytes(held[:LENGTH_BYTES], "big")
        if length < 1:
            raise self._break(Fault.MALFORMED, "a frame without a type")
        if length > 1 + self.payload_bytes_max:
            raise self._break(Fault.OVER_LIMIT, f"a frame of {length} bytes is over the limit")
        end = LENGTH_BYTES + length
        if len(held) < end:
            return None
        frame = Frame(held[LENGTH_BYTES], bytes(held[HEADER_BYTES:end]))
        del held[:end]
        return frame

    @property
    def held_bytes(self) -> int:
        """How many bytes wait for the rest of their frame."""
        return len(self._held)

    def _break(self, fault: Fault, what: str) -> RemoteError:
        self._held.clear()
        self._broken = RemoteError(fault, what)
        return self._broken
