"""What every transport offers the links: proved streams, and a few words about itself.

A transport dials and accepts; it proves which PeerId is at the other end, and keeps what is said from others.
What is said over its streams (hello, frames, budgets) is `mesh.node.links`' affair. A stream that is gone
raises trio's own `BrokenResourceError` or `ClosedResourceError`, so that the links know no transport's
exceptions; everything that a person can be told about is a `TransportError`.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from mesh.errors import TransportError
from mesh.ids import Address, PeerId


class PortTaken(TransportError):
    """Another program on this machine uses the port; stop it, or listen on another port."""

    code = "E-PORT-TAKEN"


class CannotListen(TransportError):
    """This machine does not let the node listen there; name its own address, and a port above 1023."""

    code = "E-LISTEN"


class BadAddress(TransportError):
    """That is not an address of a node; it looks like /ip4/192.0.2.7/tcp/4001/p2p/12D3…; copy it whole."""

    code = "E-ADDRESS"


class Unreachable(TransportError):
    """Nobody answered there; the node may be off, or have moved. It is tried again by itself."""

    code = "E-UNREACHABLE"


class WrongPeer(Unreachable):
    """Another node answered than the one that the address names; ask the person for a fresh address."""

    code = "E-WRONG-PEER"


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """Who is at the other end of a stream, and how we came by it.

    `address` is what was dialled, or where the peer came from (which cannot be dialled); `host` is what limits per
    address count by, and None where the transport hides it; `outbound` says that we dialled.
    """

    peer: PeerId
    address: Address
    host: str | None
    outbound: bool


class Stream(Protocol):
    """Bytes in both directions, to a peer whose PeerId is proved. One task reads at a time, one writes."""

    @property
    def remote(self) -> Remote:
        """Who is at the other end."""

    async def read(self, bytes_max: int) -> bytes:
        """Return 1 to `bytes_max` bytes, or none when the peer has finished. Waits without end."""

    async def write(self, data: bytes) -> None:
        """Hand `data` over; waits while the peer reads slowly. A cancelled write leaves only `abort`."""

    async def finish(self) -> None:
        """Say that nothing more will be written, and wait until what was written is on its way."""

    def abort(self) -> None:
        """Tear the stream down at once and free what it holds; never waits, and may be called again."""


Welcome = Callable[[Stream], Awaitable[None]]


class Transport(Protocol):
    """A way to reach peers. `listen` comes first; `serve` runs while the transport is in use."""

    @property
    def latency_s_max(self) -> float:
        """How long a dial over this transport may honestly take, in seconds."""

    @property
    def hides_address(self) -> bool:
        """Whether a peer learns nothing of where we are."""

    @property
    def peer_id(self) -> PeerId:
        """Our own name on this transport."""

    def addresses(self) -> tuple[Address, ...]:
        """Where others can reach us, each ending in /p2p/<our PeerId>; empty before `listen`."""

    async def listen(self, where: Sequence[str]) -> None:
        """Take these addresses, or the transport's own choice; PortTaken, CannotListen, BadAddress."""

    async def serve(self, welcome: Welcome) -> None:
        """Accept until cancelled. `welcome` gets each inbound stream, which is aborted when it returns."""

    async def dial(self, address: Address) -> Stream:
        """Reach the peer that `address` names, and no other; Unreachable, WrongPeer, BadAddress."""

    def close(self) -> None:
        """Stop listening and abort every stream, at once."""
