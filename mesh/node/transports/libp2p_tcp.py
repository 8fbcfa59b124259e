"""The transport of today: TCP in the open, with libp2p's Noise and Yamux on top; one connection for each
link.

Sockets are ours (`listening`, `raw`), proofs and streams are libp2p's (`libp2p_swarm`). Callers who have
not yet shown who they are cost a socket and a task each, so they are few, in all and per address; when
there is one too many, the one who has waited longest must go, so that a hundred silent strangers delay an
honest caller by nothing. Once a second every connection is asked whether it has been silent for too long.
"""

import ipaddress
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Final

import trio
from libp2p.security.noise.exceptions import PeerIDMismatchesPubkey
from libp2p.utils.address_validation import get_available_interfaces

from mesh.ids import Address, Entropy, PeerId
from mesh.node.transports import quiet
from mesh.node.transports.addresses import parse, parse_dialable, render
from mesh.node.transports.base import Remote, Unreachable, Welcome, WrongPeer
from mesh.node.transports.libp2p_stream import LibP2PStream
from mesh.node.transports.libp2p_swarm import SwarmDoors, libp2p_id
from mesh.node.transports.listening import host_of, open_listeners, port_of
from mesh.node.transports.raw import TICK_S, RawStream
from mesh.phrases import phrase
from mesh.secret import Secret

log = logging.getLogger(__name__)

SETUP_S_MAX: Final = 10.0  # from a call to its stream
CALLERS_MAX: Final = 256  # callers without a stream; ours
CALLERS_PER_HOST_MAX: Final = 64


class LibP2PTcp:
    """libp2p over TCP. Made by `open_transport`."""

    latency_s_max = SETUP_S_MAX
    hides_address = False

    def __init__(self, seed: Secret, entropy: Entropy) -> None:
        self._doors = SwarmDoors(seed, entropy)
        self._listeners: list[trio.SocketListener] = []
        self._raws: set[RawStream] = set()
        self._callers: OrderedDict[RawStream, None] = OrderedDict()

    @property
    def peer_id(self) -> PeerId:
        """Our PeerId."""
        return self._doors.peer_id

    def addresses(self) -> tuple[Address, ...]:
        """Where others can reach us: "all interfaces" spelled out, loopback only if there is nothing else."""
        found: dict[Address, bool] = {}
        for listener in self._listeners:
            host, port = host_of(listener), port_of(listener)
            for each in _spell_out(host, port):
                found[render(each, port, self.peer_id)] = ipaddress.ip_address(each).is_loopback
        return tuple(address for address, loopback in found.items() if not loopback or all(found.values()))

    async def listen(self, where: Sequence[str]) -> None:
        """Listen at these multiaddrs, or everywhere on a free port; PortTaken, CannotListen, BadAddress."""
        self._listeners += await open_listeners(where)

    async def serve(self, welcome: Welcome) -> None:
        """Accept callers until cancelled."""
        with suppress(trio.ClosedResourceError):  # `close` came first
            await trio.serve_listeners(partial(self._accept, welcome), self._listeners)

    async def dial(self, address: Address) -> LibP2PStream:
        """Reach the peer that `address` names, and no other; Unreachable, WrongPeer, BadAddress."""
        endpoint, peer = parse_dialable(address)
        expected = libp2p_id(peer)
        raw: RawStream | None = None
        try:
            with trio.fail_after(SETUP_S_MAX):
                connected = await trio.open_tcp_stream(endpoint.host, endpoint.port)
                raw = self._watch(connected, endpoint.host, endpoint.port)
                net = await self._doors.outbound(raw, expected)
        except Exception as error:
            _drop(raw)
            raise _in_words(address, error) from error
        except BaseException:
            _drop(raw)
            raise
        return LibP2PStream(net, raw, Remote(peer=peer, address=address, host=endpoint.host, outbound=True))

    def close(self) -> None:
        """Stop listening and cut every connection."""
        for listener in self._listeners:
            listener.socket.close()
        for raw in self._raws:
            raw.abort()
        self._doors.stop()

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Run what dialling and serving need, until `close`."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._tick)
            await self._doors.run(task_status)
            nursery.cancel_scope.cancel()

    @property
    def connections(self) -> int:
        """How many connections libp2p believes that it has; for tests and `mesh doctor`."""
        return self._doors.connections

    async def _tick(self) -> None:
        while True:
            await trio.sleep(TICK_S)
            self._raws = {raw for raw in self._raws if not raw.closed.is_set()}
            for raw in self._raws:
                raw.tick()

    async def _accept(self, welcome: Welcome, accepted: trio.SocketStream) -> None:
        """Let one caller in, for as long as its stream lives. What it does wrong stays here."""
        try:
            host, port = accepted.socket.getpeername()[:2]
        except OSError:
            return  # it has hung up already
        raw = self._watch(accepted, host, port)
        try:
            stream = await self._identify(raw)
            if stream is not None:
                await welcome(stream)
        except Exception as error:  # noqa: BLE001 - the edge to libp2p: no caller may end the node
            log.debug("a caller is dropped: %s", type(error).__name__)
        finally:
            raw.abort()

    async def _identify(self, raw: RawStream) -> LibP2PStream | None:
        """Learn who calls and take their stream, while not too many others are being waited for."""
        self._make_room(raw.host)
        self._callers[raw] = None
        try:
            with trio.move_on_after(SETUP_S_MAX) as scope:
                raw.on_abort = scope.cancel
                peer, net = await self._doors.inbound(raw)
                address = render(raw.host, raw.port, peer)
                return LibP2PStream(net, raw, Remote(peer=peer, address=address, host=raw.host, outbound=False))
        finally:
            self._callers.pop(raw, None)
        return None

    def _make_room(self, host: str) -> None:
        """Send away whoever has waited longest, if there are too many from this host or in all."""
        same_host = [caller for caller in self._callers if caller.host == host]
        if len(same_host) >= CALLERS_PER_HOST_MAX:
            longest = same_host[0]
        elif len(self._callers) >= CALLERS_MAX:
            longest = next(iter(self._callers))
        else:
            return
        del self._callers[longest]
        longest.abort()

    def _watch(self, stream: trio.SocketStream, host: str, port: int) -> RawStream:
        raw = RawStream(stream, host, port)
        self._raws.add(raw)
        return raw


@asynccontextmanager
async def open_transport(*, seed: Secret, entropy: Entropy, listen: Sequence[str]) -> AsyncIterator[LibP2PTcp]:
    """Give a transport that listens and can dial; `seed` (32 B) is its Ed25519 identity."""
    quiet.load()
    transport = LibP2PTcp(seed, entropy)
    await transport.listen(listen)
    try:
        async with trio.open_nursery() as nursery:
            await nursery.start(transport.run)
            try:
                yield transport
            finally:
                transport.close()
    finally:
        transport.close()


def _spell_out(host: str, port: int) -> list[str]:
    """Return the addresses of this machine that "all interfaces" stands for; any other address is itself."""
    if not ipaddress.ip_address(host).is_unspecified:
        return [host]
    everywhere = [parse(str(address)).host for address in get_available_interfaces(port)]
    return [each for each in everywhere if (":" in each) == (":" in host)]


def _drop(raw: RawStream | None) -> None:
    if raw is not None:
        raw.abort()


def _in_words(address: Address, error: BaseException) -> Unreachable:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, PeerIDMismatchesPubkey):
            return WrongPeer(
                phrase("another node than the one that {address} names has answered there", address=address),
                why="somebody else uses that address now, or pretends to",
                do="ask the person for a fresh address or invite",
            )
        cause = cause.__cause__
    return Unreachable(
        phrase("nobody could be reached at {address} ({kind})", address=address, kind=type(error).__name__),
        why="the node there may be off, or have moved, or something between blocks it",
        do="nothing: it is tried again by itself",
    )
