"""The first frame in each direction: which versions of the protocol a node speaks, and a nonce for this
link.

    0    u8     oldest version spoken, 1 or more
    1    u8     newest version spoken, not less than the oldest
    2    32 B   link nonce, fresh random bytes
    34   222 B  zeros

256 bytes whatever they say, so that length tells an onlooker nothing. A node whose newest version is 1 must
send the zeros; what stands there in the hello of a newer node is that version's affair, and is not looked
at. Both sides speak the newest version that both know. The nonces salt the shared-topic tokens (network.md
§2), so a hello that echoes our own nonce is refused. The transport has already proved who the peer is:
nothing here says it again.
"""

from dataclasses import dataclass
from typing import Final

from mesh.errors import Fault, RemoteError, TransportError
from mesh.phrases import phrase

VERSION_OLDEST: Final = 1
VERSION_NEWEST: Final = 1
NONCE_BYTES: Final = 32
HELLO_BYTES: Final = 256  # ours: room for what later versions add, at no cost that anybody notices


class VersionMismatch(TransportError):
    """That node and this one speak no common version; whoever has the older one updates it."""

    code = "E-VERSION"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello:
    """What one side says: the versions it speaks, oldest to newest, and its nonce (32 B) for this link."""

    oldest: int
    newest: int
    nonce: bytes


def greeting(nonce: bytes) -> Hello:
    """Return our own hello for a link, with this fresh nonce (32 B)."""
    assert len(nonce) == NONCE_BYTES, "a link nonce has 32 bytes"
    return Hello(oldest=VERSION_OLDEST, newest=VERSION_NEWEST, nonce=nonce)


def encode(hello: Hello) -> bytes:
    """Return the payload of a hello frame: 256 bytes."""
    assert 1 <= hello.oldest <= hello.newest <= 255, "versions run from oldest to newest"
    return (bytes([hello.oldest, hello.newest]) + hello.nonce).ljust(HELLO_BYTES, b"\0")


def decode(payload: bytes) -> Hello:
    """Read the payload of a hello frame; RemoteError(MALFORMED) if it is none."""
    if len(payload) != HELLO_BYTES:
        raise RemoteError(Fault.MALFORMED, "a hello has 256 bytes")
    oldest, newest = payload[0], payload[1]
    if not 1 <= oldest <= newest:
        raise RemoteError(Fault.MALFORMED, "the versions of a hello are out of order")
    if newest == 1 and any(payload[2 + NONCE_BYTES :]):
        raise RemoteError(Fault.MALFORMED, "the padding of a hello is not zero")
    return Hello(oldest=oldest, newest=newest, nonce=payload[2 : 2 + NONCE_BYTES])


def agree(ours: Hello, theirs: Hello) -> int:
    """Return the version to speak; VersionMismatch if there is none, RemoteError if they echo our nonce."""
    if theirs.nonce == ours.nonce:
        raise RemoteError(Fault.AGAINST_RULES, "a hello echoes our nonce")
    version = min(ours.newest, theirs.newest)
    if version < max(ours.oldest, theirs.oldest):
        raise VersionMismatch(
            phrase(
                "a node speaks versions {theirs_from} to {theirs_to} of the mesh protocol, and this one {ours_from} to "
                "{ours_to}",
                theirs_from=theirs.oldest,
                theirs_to=theirs.newest,
                ours_from=ours.oldest,
                ours_to=ours.newest,
            ),
            why="so the two cannot understand each other",
            do="update the older of the two",
        )
    return version
