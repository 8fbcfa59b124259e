"""Only one shape of address is dialled, and anything else is refused in words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.errors import LocalError
from mesh.ids import Address, PeerId
from mesh.node.transports.addresses import Endpoint, announced, parse, parse_dialable, render
from mesh.node.transports.base import BadAddress
from mesh.wire.limits import ADDRESSES_MAX

PEER = PeerId("12D3KooWMbbPVGsZYh3ChQjue712NHHGNybRRXwnuSpezYjGbCDS")


@given(st.ip_addresses(), st.integers(1, 65535))
def test_what_is_rendered_is_read_again(ip: object, port: int) -> None:
    endpoint, peer = parse_dialable(render(str(ip), port, PEER))
    assert endpoint == Endpoint(host=str(ip), port=port, peer=PEER, named=False)
    assert peer == PEER


def test_a_name_can_be_dialled() -> None:
    endpoint, _ = parse_dialable(Address(f"/dns4/mesh.example.org/tcp/4001/p2p/{PEER}"))
    assert (endpoint.host, endpoint.port, endpoint.named) == ("mesh.example.org", 4001, True)


def test_one_listens_without_a_peer() -> None:
    assert parse("/ip6/::/tcp/0") == Endpoint(host="::", port=0, peer=None, named=False)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "127.0.0.1:4001",
        "/ip4/127.0.0.1/udp/4001",
        "/ip4/127.0.0.1/tcp/4001/ws",
        "/ip4/256.0.0.1/tcp/4001",
        "/ip4/::1/tcp/4001",
        "/ip6/127.0.0.1/tcp/4001",
        "/ip6/fe80::1%eth0/tcp/4001",
        "/ip4/127.0.0.1/tcp/65536",
        "/ip4/127.0.0.1/tcp/-1",
        "/ip4/127.0.0.1/tcp/",
        "/dns4/::1/tcp/4001",
        "/dns4/a b/tcp/4001",
        f"/ip4/127.0.0.1/tcp/4001/p2p/{PEER}/",
        f"/ip4/127.0.0.1/tcp/4001/p2p/{PEER}/p2p-circuit/p2p/{PEER}",
        "/ip4/127.0.0.1/tcp/4001/p2p/0OIl",
        "/ip4/127.0.0.1/tcp/4001\n",
        "/dns4/" + "a" * 250 + "/tcp/4001",
    ],
)
def test_other_shapes_are_refused(address: str) -> None:
    with pytest.raises(BadAddress):
        parse(address)


@pytest.mark.parametrize("address", ["/ip4/127.0.0.1/tcp/4001", f"/ip4/127.0.0.1/tcp/0/p2p/{PEER}"])
def test_what_lacks_a_peer_or_a_port_cannot_be_dialled(address: str) -> None:
    with pytest.raises(BadAddress):
        parse_dialable(Address(address))


def test_what_is_announced_ends_in_our_own_peer_id_and_is_told_once() -> None:
    here, named = "/ip4/192.0.2.7/tcp/4001", "/dns4/mesh.example.org/tcp/4001"
    assert announced([here, named, f"{here}/p2p/{PEER}"], PEER) == (f"{here}/p2p/{PEER}", f"{named}/p2p/{PEER}")


@pytest.mark.parametrize(
    "address",
    [
        "192.0.2.7:4001",
        "/ip4/192.0.2.7/tcp/0",
        "/ip4/0.0.0.0/tcp/4001",
        "/ip6/::/tcp/4001",
        "/ip4/192.0.2.7/tcp/4001/p2p/12D3KooWEnGmqSEW4Wk1PnDgtSSGEQ5XSkrcDDPQzGx4MzYNc1yB",
        "/dns4/" + "a" * 220 + "/tcp/4001",
    ],
    ids=["shape", "no port", "everywhere", "everywhere, IPv6", "another's", "too long with the peer"],
)
def test_what_nobody_could_dial_is_not_announced(address: str) -> None:
    with pytest.raises(BadAddress):
        announced([address], PEER)


def test_no_more_is_announced_than_others_keep() -> None:
    many = [f"/ip4/192.0.2.7/tcp/{4001 + i}" for i in range(ADDRESSES_MAX + 1)]
    assert len(announced(many[1:], PEER)) == ADDRESSES_MAX
    with pytest.raises(LocalError) as caught:
        announced(many, PEER)
    assert caught.value.code == "E-TOO-MANY"


@given(st.text(max_size=300))
def test_any_text_is_an_address_or_is_refused_in_words(text: str) -> None:
    said = "/"
    try:
        parse(text)
    except BadAddress as error:
        said = error.what + error.do
    assert said.isprintable()
    assert len(said) < 40 * len(r"\U00012544") + 120  # 40 characters are shown, however they must be written
