"""The sockets that a node listens with, taken so that nobody else can share them unseen.

py-libp2p's own listener sets SO_REUSEPORT, with which a second node of the same user takes half of the
first one's callers and neither is told. Ours does not: a port in use is an error in words. IPv6 sockets
take IPv6 alone, so that both families can have the same port and a caller's address is never a mapped one.
"""

import errno
import ipaddress
import socket
from collections.abc import Sequence
from typing import Final

import trio

from mesh.node.transports.addresses import Endpoint, parse
from mesh.node.transports.base import BadAddress, CannotListen, PortTaken
from mesh.phrases import phrase

BACKLOG: Final = 128  # callers that the system holds until we accept them; the usual maximum
FREE_PORT_TRIES: Final = 8  # ports free in IPv4 and taken in IPv6 are rare
EVERYWHERE: Final = ("/ip4/0.0.0.0/tcp/0", "/ip6/::/tcp/0")
_NO_SUCH_FAMILY: Final = {errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL, errno.EPROTONOSUPPORT}


async def open_listeners(where: Sequence[str]) -> list[trio.SocketListener]:
    """Listen at these multiaddrs, or everywhere on one free port; PortTaken, CannotListen, BadAddress."""
    if where:
        return await _open_all([_listenable(address) for address in where])
    for _ in range(FREE_PORT_TRIES):
        ip4 = await _open_all([parse(EVERYWHERE[0])])
        port = port_of(ip4[0])
        try:
            return ip4 + await _open_all([Endpoint(host="::", port=port, peer=None, named=False)])
        except CannotListen:
            return ip4  # a machine without IPv6
        except PortTaken:
            _close(ip4)
    raise PortTaken("no port is free in both IPv4 and IPv6", why="so nobody could reach this node", do="name one")


def port_of(listener: trio.SocketListener) -> int:
    """Return the TCP port that a listener has."""
    port: int = listener.socket.getsockname()[1]
    return port


def host_of(listener: trio.SocketListener) -> str:
    """Return the IP address that a listener is bound to."""
    host: str = listener.socket.getsockname()[0]
    return host


def _listenable(address: str) -> Endpoint:
    endpoint = parse(address)
    if endpoint.named or endpoint.peer is not None:
        raise BadAddress(
            phrase("one cannot listen at this address: {address}", address=address),
            why="one listens at an IP address of this machine, and everybody may call",
            do="for example /ip4/0.0.0.0/tcp/4001, without a name and without /p2p/…",
        )
    return endpoint


async def _open_all(endpoints: list[Endpoint]) -> list[trio.SocketListener]:
    opened: list[trio.SocketListener] = []
    missing: CannotListen | None = None
    try:
        for endpoint in endpoints:
            try:
                opened.append(await _open(endpoint))
            except CannotListen as error:
                if not (endpoint.is_ip6 and ipaddress.ip_address(endpoint.host).is_unspecified):
                    raise
                missing = error  # "all of IPv6" on a machine that has none
        if not opened and missing is not None:
            raise missing
    except BaseException:
        _close(opened)
        raise
    return opened


async def _open(endpoint: Endpoint) -> trio.SocketListener:
    family = socket.AF_INET6 if endpoint.is_ip6 else socket.AF_INET
    try:
        sock = trio.socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise _in_words(endpoint, error) from error
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # only spares a restart the wait for old callers
        if endpoint.is_ip6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        await sock.bind((endpoint.host, endpoint.port))
        sock.listen(BACKLOG)
        return trio.SocketListener(sock)
    except OSError as error:
        sock.close()
        raise _in_words(endpoint, error) from error


def _close(listeners: list[trio.SocketListener]) -> None:
    for listener in listeners:
        listener.socket.close()


def _in_words(endpoint: Endpoint, error: OSError) -> PortTaken | CannotListen:
    if error.errno == errno.EADDRINUSE:
        return PortTaken(
            phrase(
                "port {port} at {host} is already in use by another program on this machine",
                port=endpoint.port,
                host=endpoint.host,
            ),
            why="so no other node could reach this one there",
            do="stop the other program (a second node?), or listen on another port: mesh up --listen ADDR",
        )
    if error.errno in _NO_SUCH_FAMILY:
        return CannotListen(
            phrase("this machine has no such address: {host}", host=endpoint.host),
            why="so nobody can be heard there",
            do="listen at one of its own addresses, or at all of them: /ip4/0.0.0.0/tcp/4001",
        )
    return CannotListen(
        phrase(
            "the system does not let this node listen on port {port} at {host} ({reason})",
            port=endpoint.port,
            host=endpoint.host,
            reason=error.strerror or type(error).__name__,
        ),
        why="so no other node could reach this one there",
        do="choose a port from 1024 to 65535",
    )
