"""Networks over real libp2p on loopback: what the runner relies on, and what strangers and silence do to it."""

import os
import signal
import subprocess
import sys

import pytest
import trio

from mesh.events import Dial, Forget, FrameReceived, HangUp, LinkDown, LinkKind, LinkUp, Send, SendClass
from mesh.ids import Address
from mesh.node.transports.base import PortTaken
from mesh.wire.limits import LINK_PAYLOAD_BYTES_MAX
from tests.node.transports.loopback import Peer, census, peer


def post(link: LinkUp, payload: bytes) -> Send:
    return Send(link=link.link, kind=LinkKind.FRAME, payload=payload, send_class=SendClass.MESSAGES)


async def linked(alice: Peer, bob: Peer) -> tuple[LinkUp, LinkUp]:
    alice.network.forget(Forget(peer=bob.network.peer_id))  # no pause after a link that did not last
    alice.dial(bob)
    return await alice.up(), await bob.up()


async def received(peer: Peer, link: LinkUp) -> bytes:
    event = await peer.next()
    assert isinstance(event, FrameReceived)
    assert (event.link, event.kind) == (link.link, LinkKind.FRAME)
    return event.payload


async def test_two_networks_link_up_and_exchange_frames() -> None:
    async with peer(1) as alice, peer(2) as bob:
        at_alice, at_bob = await linked(alice, bob)
        assert (at_alice.peer, at_bob.peer) == (bob.network.peer_id, alice.network.peer_id)
        assert at_alice.own_nonce == at_bob.peer_nonce
        payloads = [b"", b"hello", os.urandom(LINK_PAYLOAD_BYTES_MAX), b"goodbye"]
        for payload in payloads:
            alice.network.send(post(at_alice, payload))
            bob.network.send(post(at_bob, payload))
        assert [await received(bob, at_bob) for _ in payloads] == payloads
        assert [await received(alice, at_alice) for _ in payloads] == payloads
        (status,) = bob.network.links()
        assert status.peer == alice.network.peer_id
        assert status.address.startswith("/ip4/127.0.0.1/tcp/")


async def test_others_are_told_what_is_announced_and_not_where_we_listen() -> None:
    outside = "/ip4/192.0.2.7/tcp/4001"
    async with peer(1, announce=[outside]) as alice:
        assert alice.network.addresses() == (f"{outside}/p2p/{alice.network.peer_id}",)
        (inside,) = alice.network.interfaces()
        assert inside.startswith("/ip4/127.0.0.1/tcp/")
    async with peer(1) as alice:
        assert alice.network.addresses() == alice.network.interfaces()


async def test_both_who_dial_each_other_end_with_one_link() -> None:
    for round_number in range(3):
        async with peer(2 * round_number) as alice, peer(2 * round_number + 1) as bob:
            alice.dial(bob)
            bob.dial(alice)
            await trio.sleep(1)
            standing: list[frozenset[bytes]] = []
            for each in (alice, bob):
                links: dict[int, frozenset[bytes]] = {}
                while each.inputs.statistics().current_buffer_used:
                    event = each.inputs.receive_nowait()
                    if isinstance(event, LinkUp):
                        links[event.link] = frozenset([event.own_nonce, event.peer_nonce])
                    else:
                        assert isinstance(event, LinkDown)
                        del links[event.link]
                assert len(each.network.links()) == 1
                standing += links.values()
            assert len(standing) == 2
            assert standing[0] == standing[1]


async def test_a_hang_up_lets_what_was_said_arrive() -> None:
    async with peer(1) as alice, peer(2) as bob:
        at_alice, at_bob = await linked(alice, bob)
        said = [os.urandom(600) for _ in range(500)]
        for payload in said:
            alice.network.send(post(at_alice, payload))
        alice.network.hang_up(HangUp(link=at_alice.link))
        assert [await received(bob, at_bob) for _ in said] == said
        assert await bob.next() == LinkDown(link=at_bob.link)
        assert await alice.next() == LinkDown(link=at_alice.link)
        assert isinstance(await alice.next(), LinkUp)  # she still wants him


async def test_much_more_than_a_queue_holds_arrives_whole() -> None:
    async with peer(1) as alice, peer(2, inputs_max=8) as bob, trio.open_nursery() as nursery:
        at_alice, at_bob = await linked(alice, bob)
        stored = [bytes([number % 256]) * 100_000 for number in range(256)]
        nursery.start_soon(alice.network.send_frames, at_alice.link, stored, SendClass.REPAIR)
        assert [await received(bob, at_bob) for _ in stored] == stored


async def test_a_runner_that_is_busy_for_long_loses_nothing() -> None:
    async with peer(1) as alice, peer(2, inputs_max=1) as bob, trio.open_nursery() as nursery:
        at_alice, at_bob = await linked(alice, bob)
        stored = [bytes([number]) * 200_000 for number in range(40)]
        nursery.start_soon(alice.network.send_frames, at_alice.link, stored, SendClass.BULK)
        await trio.sleep(7.5)  # Yamux alone gives up on a write after 5; only pings keep the link from being silent
        assert [await received(bob, at_bob) for _ in stored] == stored


async def test_a_peer_that_restarts_on_another_port_comes_back() -> None:
    async with peer(1) as alice:
        async with peer(2) as bob:
            await linked(bob, alice)
        assert isinstance(await alice.next(), LinkDown)
        async with peer(2) as bob:
            await linked(bob, alice)
            assert [status.peer for status in alice.network.links()] == [bob.network.peer_id]


async def test_who_answers_under_another_name_is_no_link() -> None:
    async with peer(1) as alice, peer(2) as bob, peer(3) as mallory:
        there = f"/ip4/127.0.0.1/tcp/{mallory.port}/p2p/{bob.network.peer_id}"
        elsewhere = mallory.network.addresses()[0]
        alice.network.dial(Dial(peer=bob.network.peer_id, addresses=(Address(there), elsewhere)))
        await trio.sleep(1)
        assert alice.network.links() == mallory.network.links() == ()


async def test_a_port_in_use_is_said_at_once() -> None:
    async with peer(1) as alice:
        with pytest.raises(PortTaken):
            async with peer(2, f"/ip4/127.0.0.1/tcp/{alice.port}"):
                pytest.fail("two nodes on one port")


async def test_junk_and_silence_leave_links_standing_and_new_ones_possible() -> None:
    async with peer(1) as alice, peer(2) as bob:
        at_alice, at_bob = await linked(alice, bob)
        silent = [await trio.open_tcp_stream("127.0.0.1", alice.port) for _ in range(100)]
        for stream in silent[:10]:
            try:
                await stream.send_all(os.urandom(104_858))
            except trio.BrokenResourceError:
                continue
        bob.network.send(post(at_bob, b"still here"))
        assert await received(alice, at_alice) == b"still here"
        async with peer(3) as carol:
            await linked(carol, alice)
        for stream in silent:
            await stream.aclose()


async def test_links_that_come_and_go_leave_nothing_behind() -> None:
    async with peer(1) as alice, peer(2) as bob:
        counts = []
        for _ in range(3):
            for _ in range(10):
                at_alice, at_bob = await linked(alice, bob)
                alice.network.hang_up(HangUp(link=at_alice.link))
                assert await alice.next() == LinkDown(link=at_alice.link)
                assert await bob.next() == LinkDown(link=at_bob.link)
            at_alice, at_bob = await linked(alice, bob)
            await trio.sleep(0.7)  # libp2p takes a fifth of a second to forget
            counts.append(census())
            bob.network.hang_up(HangUp(link=at_bob.link))
            assert await alice.next() == LinkDown(link=at_alice.link)
            assert await bob.next() == LinkDown(link=at_bob.link)
        assert counts[0] == counts[1] == counts[2]


@pytest.mark.parametrize("flood", [False, True])
async def test_a_peer_that_stops_without_a_word_is_dropped_in_eight_seconds(flood: bool) -> None:
    async with peer(1) as alice, trio.open_nursery() as nursery:
        (address,) = alice.network.addresses()
        process = await trio.to_thread.run_sync(start_peer, address)
        try:
            up = await alice.up()
            if flood:
                endless = iter(lambda: bytes(100_000), None)
                nursery.start_soon(alice.network.send_frames, up.link, endless, SendClass.BULK)
            await trio.sleep(0.5)  # in the midst of it
            process.send_signal(signal.SIGSTOP)
            assert await alice.next(within_s=8) == LinkDown(link=up.link)
        finally:
            process.kill()
            process.wait()
        nursery.cancel_scope.cancel()


def start_peer(address: Address) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.node.transports.peer_process", "7", address]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL)


def test_libp2p_is_not_loaded_before_a_network_is_opened() -> None:
    script = "import sys, mesh.node.links.network; print([name for name in sys.modules if 'libp2p' in name])"
    ran = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert ran.stdout.strip() == "[]"
