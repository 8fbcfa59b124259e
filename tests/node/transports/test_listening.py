"""A node takes a port for itself alone, in both families, or says why it cannot."""

import socket

import pytest
import trio

from mesh.node.transports.base import BadAddress, CannotListen, PortTaken
from mesh.node.transports.listening import host_of, open_listeners, port_of


def close(listeners: list[trio.SocketListener]) -> None:
    for listener in listeners:
        listener.socket.close()


async def test_it_listens_where_it_is_told() -> None:
    listeners = await open_listeners(["/ip4/127.0.0.1/tcp/0"])
    assert host_of(listeners[0]) == "127.0.0.1"
    assert port_of(listeners[0]) > 0
    close(listeners)


async def test_without_an_address_it_listens_everywhere_on_one_port() -> None:
    listeners = await open_listeners([])
    assert host_of(listeners[0]) == "0.0.0.0"
    assert {port_of(listener) for listener in listeners} == {port_of(listeners[0])}
    assert [host_of(listener) for listener in listeners[1:]] in ([], ["::"])
    close(listeners)


async def test_both_families_can_have_the_same_port() -> None:
    listeners = await open_listeners([])
    port = port_of(listeners[0])
    close(listeners)
    again = await open_listeners([f"/ip4/0.0.0.0/tcp/{port}", f"/ip6/::/tcp/{port}"])
    assert len(again) == len(listeners)
    close(again)


@pytest.mark.parametrize("share", [False, True])
async def test_a_port_in_use_is_an_error_in_words(share: bool) -> None:
    with socket.socket() as other:
        if share:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)  # as py-libp2p's own listener does
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(PortTaken) as caught:
            await open_listeners(["/ip4/127.0.0.1/tcp/0", f"/ip4/127.0.0.1/tcp/{port}"])
    assert caught.value.code == "E-PORT-TAKEN"
    assert str(port) in caught.value.what
    assert "--listen" in caught.value.do


async def test_two_nodes_never_share_a_port() -> None:
    first = await open_listeners(["/ip4/127.0.0.1/tcp/0"])
    with pytest.raises(PortTaken):
        await open_listeners([f"/ip4/127.0.0.1/tcp/{port_of(first[0])}"])
    with pytest.raises(PortTaken):
        await open_listeners([f"/ip4/0.0.0.0/tcp/{port_of(first[0])}"])
    close(first)


async def test_somebody_elses_address_is_refused() -> None:
    with pytest.raises(CannotListen) as caught:
        await open_listeners(["/ip4/192.0.2.250/tcp/0"])
    assert "192.0.2.250" in caught.value.what


@pytest.mark.parametrize(
    "address",
    [
        "/dns4/localhost/tcp/0",
        "/ip4/127.0.0.1/tcp/0/p2p/12D3KooWMbbPVGsZYh3ChQjue712NHHGNybRRXwnuSpezYjGbCDS",
        "here",
    ],
)
async def test_one_does_not_listen_at_a_name_or_a_peer(address: str) -> None:
    with pytest.raises(BadAddress):
        await open_listeners([address])
