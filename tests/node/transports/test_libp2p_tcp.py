"""The real thing on loopback: who proves to be whom, what strangers can do, and what is left behind."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
import trio
import trio.testing
from libp2p.abc import IHost, INetStream
from libp2p.crypto.ed25519 import create_new_key_pair
from libp2p.custom_types import TProtocol, TSecurityOptions
from libp2p.exceptions import BaseLibp2pError
from libp2p.peer.peerinfo import info_from_p2p_addr
from libp2p.security.insecure.transport import PLAINTEXT_PROTOCOL_ID, InsecureTransport
from libp2p.security.secio import transport as secio
from libp2p.security.tls.transport import PROTOCOL_ID as TLS
from libp2p.security.tls.transport import TLSTransport
from libp2p.stream_muxer.yamux.yamux import YamuxStream
from multiaddr import Multiaddr

from mesh.ids import Address
from mesh.node.transports.base import BadAddress, PortTaken, Stream, Unreachable, WrongPeer
from mesh.node.transports.libp2p_swarm import HELD_BYTES_MAX, PROTOCOL, _as_libp2p, libp2p_id
from mesh.node.transports.libp2p_tcp import CALLERS_PER_HOST_MAX, LibP2PTcp
from tests.node.transports.loopback import census, port_of, stock_host, transport, until

ECHO = b"support mesh"


async def echo(stream: Stream) -> None:
    """Welcome a stream by saying everything back."""
    while data := await stream.read(65_536):
        await stream.write(data)
    await stream.finish()
    await stream.read(1)


async def read_all(stream: Stream) -> bytes:
    data = b""
    with trio.fail_after(10):
        while more := await stream.read(65_536):
            data += more
    return data


@asynccontextmanager
async def serving(opened: LibP2PTcp) -> AsyncIterator[trio.Nursery]:
    """Serve echoes meanwhile."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(opened.serve, echo)
        yield nursery
        nursery.cancel_scope.cancel()


async def assert_serves(host: LibP2PTcp, number: int = 99) -> None:
    """Demand that an honest caller is served."""
    async with transport(number) as caller:
        with trio.fail_after(10):
            stream = await caller.dial(host.addresses()[0])
            await stream.write(ECHO)
            await stream.finish()
            assert await read_all(stream) == ECHO
            stream.abort()


# ------------------------------------------------------------------------------------------ streams


async def test_both_ends_know_who_the_other_is() -> None:
    async with transport(1) as alice, transport(2) as bob, trio.open_nursery() as nursery:
        callers: list[Stream] = []

        async def note(stream: Stream) -> None:
            callers.append(stream)
            await echo(stream)

        nursery.start_soon(bob.serve, note)
        stream = await alice.dial(bob.addresses()[0])
        assert (stream.remote.peer, stream.remote.outbound) == (bob.peer_id, True)
        assert stream.remote.address == bob.addresses()[0]
        await stream.write(ECHO)
        assert await stream.read(100) == ECHO
        (caller,) = callers
        assert (caller.remote.peer, caller.remote.outbound, caller.remote.host) == (alice.peer_id, False, "127.0.0.1")
        nursery.cancel_scope.cancel()


async def test_much_goes_both_ways_at_once() -> None:
    async with transport(1) as alice, transport(2) as bob, serving(bob), trio.open_nursery() as nursery:
        data = os.urandom(5_000_000)
        stream = await alice.dial(bob.addresses()[0])

        async def send() -> None:
            await stream.write(data)
            await stream.finish()

        nursery.start_soon(send)
        assert await read_all(stream) == data


async def test_credit_is_given_back_by_the_half_window_and_not_after_each_read(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[int] = []
    plain = YamuxStream.send_window_update

    async def note(stream: YamuxStream, increment: int, skip_lock: bool = False) -> None:
        given.append(increment)
        await plain(stream, increment, skip_lock)

    monkeypatch.setattr(YamuxStream, "send_window_update", note)
    async with transport(1) as alice, transport(2) as bob, serving(bob):
        stream = await alice.dial(bob.addresses()[0])
        with trio.fail_after(10):
            for _ in range(100):
                await stream.write(ECHO)
                assert await stream.read(100) == ECHO
        assert given == []
        with trio.fail_after(10):
            for _ in range(10):  # 2.5 windows: without credit it would come to a stop
                await stream.write(bytes(65_536))
                left = 65_536
                while left:
                    left -= len(await stream.read(left))
        assert 2 <= len(given) <= 20


async def test_an_abort_ends_both_ends() -> None:
    async with transport(1) as alice, transport(2) as bob, trio.open_nursery() as nursery:
        ended = trio.Event()

        async def wait_for_the_end(stream: Stream) -> None:
            with suppress(trio.BrokenResourceError):
                await read_all(stream)
            ended.set()

        nursery.start_soon(bob.serve, wait_for_the_end)
        stream = await alice.dial(bob.addresses()[0])
        stream.abort()
        stream.abort()
        with trio.fail_after(5):
            await ended.wait()
        with pytest.raises(trio.BrokenResourceError):
            await stream.write(b"x")
        with pytest.raises(trio.BrokenResourceError):
            await stream.finish()
        nursery.cancel_scope.cancel()


# ------------------------------------------------------------------------------------------ dialling


async def test_only_the_peer_that_the_address_names_is_taken() -> None:
    async with transport(1) as alice, transport(2) as bob, serving(bob):
        there = f"/ip4/127.0.0.1/tcp/{port_of(bob.addresses()[0])}/p2p/{alice.peer_id}"
        with pytest.raises(WrongPeer) as caught:
            await alice.dial(Address(there))
        assert caught.value.code == "E-WRONG-PEER"
        await assert_serves(bob)


async def test_nobody_there_is_said_in_words() -> None:
    async with transport(1) as alice, transport(2) as bob:
        gone = bob.addresses()[0]
        bob.close()
        with pytest.raises(Unreachable) as caught:
            await alice.dial(gone)
        assert gone in caught.value.what


@pytest.mark.parametrize(
    "address",
    [
        "/ip4/127.0.0.1/tcp/4001",
        "/ip4/127.0.0.1/tcp/4001/p2p/11111111111111111111111111111111111111111111111111",
        "/ip4/127.0.0.1/tcp/4001/p2p/12D3KooWMbbPVGsZYh3ChQjue712NHHGNybRRXwnuSpezYjGbCDS/p2p-circuit",
    ],
)
async def test_what_is_no_address_is_said_in_words(address: str) -> None:
    async with transport(1) as alice:
        with pytest.raises((BadAddress, Unreachable)):
            await alice.dial(Address(address))


async def test_who_answers_with_junk_or_not_at_all_is_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mesh.node.transports.libp2p_tcp.SETUP_S_MAX", 0.5)

    async def junk(stream: trio.SocketStream) -> None:
        await stream.send_all(os.urandom(5_000))

    async def silence(stream: trio.SocketStream) -> None:
        await trio.sleep_forever()

    async with transport(1) as alice, trio.open_nursery() as nursery:
        for answer in (junk, silence):
            listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
            nursery.start_soon(trio.serve_listeners, answer, listeners)
            port = listeners[0].socket.getsockname()[1]
            with pytest.raises(Unreachable), trio.fail_after(5):
                await alice.dial(Address(f"/ip4/127.0.0.1/tcp/{port}/p2p/{alice.peer_id}"))
        nursery.cancel_scope.cancel()


# ------------------------------------------------------------------------------------------ listening


async def test_a_port_in_use_is_said_before_anything_starts() -> None:
    async with transport(1) as alice:
        with pytest.raises(PortTaken):
            async with transport(2, f"/ip4/127.0.0.1/tcp/{port_of(alice.addresses()[0])}"):
                pytest.fail("two nodes on one port")


async def test_loopback_is_given_when_one_listens_there() -> None:
    async with transport(1) as alice:
        assert [address.rsplit("/", 1)[1] for address in alice.addresses()] == [alice.peer_id]
        assert alice.addresses()[0].startswith("/ip4/127.0.0.1/tcp/")
        assert not alice.hides_address


async def test_all_interfaces_are_spelled_out() -> None:
    async with transport(1, "/ip4/0.0.0.0/tcp/0", "/ip4/127.0.0.1/tcp/0") as alice:
        addresses = alice.addresses()
        assert addresses
        assert all("/0.0.0.0/" not in address and address.endswith(alice.peer_id) for address in addresses)
        loopback = ["/127." in address for address in addresses]
        assert all(loopback) or not any(loopback)


# ------------------------------------------------------------------------------------------ strangers


async def test_a_megabyte_of_junk_leaves_it_serving() -> None:
    async with transport(1) as alice, serving(alice):
        for _ in range(4):
            stranger = await trio.open_tcp_stream("127.0.0.1", port_of(alice.addresses()[0]))
            with suppress(trio.BrokenResourceError):
                await stranger.send_all(os.urandom(1_048_576))
            await stranger.aclose()
        await assert_serves(alice)


async def test_a_hundred_silent_callers_leave_it_serving(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mesh.node.transports.libp2p_tcp.SETUP_S_MAX", 1.0)
    async with transport(1) as alice, serving(alice):
        silent = [await trio.open_tcp_stream("127.0.0.1", port_of(alice.addresses()[0])) for _ in range(100)]
        began = trio.current_time()
        await assert_serves(alice)
        assert trio.current_time() - began < 2
        assert len(alice._callers) <= CALLERS_PER_HOST_MAX
        with trio.fail_after(5):
            for stream in silent:
                while await stream.receive_some(1_000):  # the greeting of multistream; then the end
                    pass
                await stream.aclose()


def _plaintext() -> TSecurityOptions:
    return {TProtocol(PLAINTEXT_PROTOCOL_ID): InsecureTransport(create_new_key_pair())}


def _secio() -> TSecurityOptions:
    return {TProtocol(secio.ID): secio.Transport(create_new_key_pair())}


def _tls() -> TSecurityOptions:
    return {TLS: TLSTransport(create_new_key_pair())}


@pytest.mark.parametrize("security", [_plaintext, _secio, _tls])
async def test_whoever_does_not_speak_noise_is_refused(security: "type[TSecurityOptions]") -> None:
    async with transport(1) as alice, serving(alice), stock_host(security()) as stranger:
        with trio.fail_after(10), pytest.raises(Exception, match=r"(?i)swarm|dial|fail|connect"):
            await connect(stranger, alice)
        assert alice.connections == 0
        await assert_serves(alice)


async def connect(stranger: IHost, host: LibP2PTcp) -> None:
    await stranger.connect(info_from_p2p_addr(Multiaddr(host.addresses()[0])))


async def open_stream(stranger: IHost, host: LibP2PTcp, protocol: str = PROTOCOL) -> INetStream:
    await connect(stranger, host)
    peer = info_from_p2p_addr(Multiaddr(host.addresses()[0])).peer_id
    return await stranger.new_stream(peer, [TProtocol(protocol)])


async def test_a_libp2p_host_as_everybody_makes_it_can_talk_to_us() -> None:
    async with transport(1) as alice, serving(alice), stock_host() as stranger:
        with trio.fail_after(10):
            stream = await open_stream(stranger, alice)
            await stream.write(ECHO)
            assert await stream.read(100) == ECHO


@pytest.mark.parametrize("protocol", ["/ipfs/id/1.0.0", "/ipfs/id/push/1.0.0", "/ipfs/ping/1.0.0"])
async def test_we_tell_nobody_our_addresses_or_version(protocol: str) -> None:
    async with transport(1) as alice, serving(alice), stock_host() as stranger:
        with trio.fail_after(10), pytest.raises(Exception, match="stream"):
            await open_stream(stranger, alice, protocol)
        await assert_serves(alice)


async def test_we_do_not_ask_others_for_theirs() -> None:
    async with transport(1) as alice, serving(alice), stock_host() as stranger, trio.open_nursery() as nursery:
        asked: list[str] = []

        async def note(stream: INetStream) -> None:
            asked.append(str(stream.get_protocol()))
            await stream.close()

        for protocol in ("/ipfs/id/1.0.0", "/ipfs/ping/1.0.0"):
            stranger.set_stream_handler(TProtocol(protocol), note)
        stranger.set_stream_handler(PROTOCOL, note)
        with trio.fail_after(10):
            stream = await alice.dial(Address(str(stranger.get_addrs()[0])))
            assert await stream.read(1) == b""
        assert asked == [PROTOCOL]
        nursery.cancel_scope.cancel()


async def test_a_handler_that_fails_ends_one_stream_and_not_the_node() -> None:
    async with transport(1) as alice, trio.open_nursery() as nursery:
        failed = 0

        async def stumble(stream: Stream) -> None:
            nonlocal failed
            if await stream.read(100) == b"stumble":
                failed += 1
                raise KeyError("a bug of ours")
            await stream.write(ECHO)
            await echo(stream)

        nursery.start_soon(alice.serve, stumble)
        async with transport(2) as bob:
            for _ in range(2):
                stream = await bob.dial(alice.addresses()[0])
                await stream.write(b"stumble")
                assert await read_all(stream) == b""
            stream = await bob.dial(alice.addresses()[0])
            await stream.write(b"walk")
            assert await stream.read(100) == ECHO
        assert failed == 2
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize("said", [b"\x05\xff\xfe\xfd\xfc\n", b"\xff" * 20, b"\x00", b"\x02ls"])
async def test_a_negotiation_that_makes_libp2p_raise_does_not_end_the_node(said: bytes) -> None:
    async with transport(1) as alice, serving(alice), stock_host() as stranger:
        with trio.fail_after(10):
            await connect(stranger, alice)
            peer = info_from_p2p_addr(Multiaddr(alice.addresses()[0])).peer_id
            for _ in range(3):
                bare = await stranger.get_network().new_stream(peer)
                await bare.write(b"\x13/multistream/1.0.0\n")
                await bare.write(said)
                await bare.close()
            await assert_serves(alice)


async def test_a_caller_who_opens_many_streams_gets_one() -> None:
    async with transport(1) as alice, serving(alice), stock_host() as stranger:
        with trio.fail_after(10):
            first = await open_stream(stranger, alice)
            with pytest.raises(BaseLibp2pError):
                await (await open_stream(stranger, alice)).read(1)  # it is reset before its answer is read, or after
            await first.write(ECHO)
            assert await first.read(100) == ECHO


async def test_a_caller_who_opens_no_stream_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mesh.node.transports.libp2p_tcp.SETUP_S_MAX", 0.5)
    async with transport(1) as alice, serving(alice), stock_host() as stranger:
        with trio.fail_after(10):
            await connect(stranger, alice)
            await until(lambda: not stranger.get_connected_peers())


async def test_a_peer_that_sends_past_its_credit_is_cut_off() -> None:
    async with transport(1) as alice, stock_host() as stranger, trio.open_nursery() as nursery:

        async def never_read(stream: Stream) -> None:
            await trio.sleep_forever()

        nursery.start_soon(alice.serve, never_read)
        stream = await open_stream(stranger, alice)
        stream.muxed_stream.send_window = 2**40  # type: ignore[attr-defined]  # what a hostile peer believes
        sent = 0
        with trio.fail_after(20):
            try:
                while sent < 20 * HELD_BYTES_MAX:
                    await stream.write(bytes(65_000))
                    sent += 65_000
            except Exception:  # noqa: BLE001 - whatever a stock host makes of it
                pass
        assert sent < 4 * HELD_BYTES_MAX
        await wait_until_quiet(alice)
        nursery.cancel_scope.cancel()


# ------------------------------------------------------------------------------------------ what is left


async def wait_until_quiet(alice: LibP2PTcp) -> None:
    """Wait until libp2p has forgotten its connections: it takes a fifth of a second, and tells nobody."""
    await until(lambda: not alice.connections and not alice._callers)
    await trio.sleep(0.5)


async def test_connections_that_come_and_go_leave_nothing_behind() -> None:
    async with transport(1) as alice, serving(alice), transport(2) as bob, serving(bob):
        counts = []
        for _ in range(3):
            for _ in range(15):
                for dialer, answerer in [(alice, bob), (bob, alice)]:
                    stream = await dialer.dial(answerer.addresses()[0])
                    await stream.write(ECHO)
                    assert await stream.read(100) == ECHO
                    stream.abort()
            await wait_until_quiet(alice)
            await wait_until_quiet(bob)
            counts.append(census())
        assert counts[0] == counts[1] == counts[2]


async def test_nobody_is_remembered_who_has_left() -> None:
    async with transport(1) as alice, serving(alice):
        for number in range(2, 8):
            await assert_serves(alice, number)
            await wait_until_quiet(alice)
        census()  # rounds up what only points at itself
        swarm = alice._doors._swarm
        remembered = (swarm.connections, swarm.tag_store._tags, swarm.health_data)
        assert not any(remembered)
        assert len(swarm.auto_connector._recent_disconnects) <= 1
        assert len(alice._doors._arrivals) <= 1


async def test_a_caller_who_is_sent_away_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mesh.node.transports.libp2p_tcp.CALLERS_PER_HOST_MAX", 1)
    async with transport(1) as alice, serving(alice):
        await trio.testing.wait_all_tasks_blocked()
        before = census()
        async with transport(2) as bob:
            raw = bob._watch(await trio.open_tcp_stream("127.0.0.1", port_of(alice.addresses()[0])), "", 1)
            us = libp2p_id(alice.peer_id)
            await bob._doors._swarm.upgrade_outbound_raw_conn(_as_libp2p(raw, initiator=True), us)
            await until(lambda: len(alice._callers) == 1)
            await assert_serves(alice)  # bob never asked for a stream
            await until(raw.closed.is_set, within_s=2)
        await wait_until_quiet(alice)
        assert census() == before


async def test_failed_callers_leave_nothing_behind() -> None:
    async with transport(1) as alice, serving(alice):
        counts = []
        for _ in range(3):
            for _ in range(10):
                stranger = await trio.open_tcp_stream("127.0.0.1", port_of(alice.addresses()[0]))
                await stranger.send_all(b"\x13/multistream/1.0.0\n\x07/noise\n" + os.urandom(100))
                await stranger.aclose()
            await wait_until_quiet(alice)
            counts.append(census())
        assert counts[0] == counts[1] == counts[2]


async def test_closing_under_load_is_quick_and_quiet() -> None:
    async with transport(9) as hub, serving(hub):
        for number in range(2):
            with trio.fail_after(20):
                async with transport(number) as alice, serving(alice) as nursery:

                    async def talk(stream: Stream) -> None:
                        try:
                            while True:
                                await stream.write(bytes(100_000))
                                await stream.read(100_000)
                        except trio.BrokenResourceError:
                            pass

                    for _ in range(10):
                        nursery.start_soon(talk, await alice.dial(hub.addresses()[0]))
                    await trio.sleep(0.2)
                    began = trio.current_time()
                    alice.close()
                    nursery.cancel_scope.cancel()
                assert trio.current_time() - began < 2
        await wait_until_quiet(hub)
