"""Peers are let in within limits, exactly one link to each remains, and the runner hears of each once."""

import random
from itertools import pairwise

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from mesh.errors import Fault
from mesh.events import Blame, FrameReceived, HangUp, LinkDown, LinkKind, LinkUp, Send, SendClass
from mesh.ids import LinkId, PeerId
from mesh.node.links import framing
from mesh.node.links.budget import BAN_MS_FIRST
from mesh.node.links.link import HELLO_S_MAX
from mesh.node.links.switchboard import GONE_REMEMBERED_MAX, HELLOS_MAX, LINKS_MAX, OUTBOUND_ROOM, PER_HOST_MAX
from mesh.node.transports.base import Remote
from tests.node.links.wires import (
    ALICE,
    BOB,
    CAROL,
    MemoryStream,
    Node,
    hello_frame,
    linked,
    run,
    settle,
    stream_pair,
)


def post(link: LinkId, payload: bytes, send_class: SendClass = SendClass.MESSAGES) -> Send:
    return Send(link=link, kind=LinkKind.FRAME, payload=payload, send_class=send_class)


async def up(node: Node) -> LinkUp:
    event = await node.next()
    assert isinstance(event, LinkUp)
    return event


async def greeted(node: Node, nursery: trio.Nursery, peer: PeerId, host: str | None = None) -> MemoryStream:
    """Let a stranger link with `node`; give the stranger's bare stream."""
    theirs, ours = stream_pair(peer, node.peer, host=host)
    await theirs.write(hello_frame(peer.encode().ljust(32)))
    nursery.start_soon(node.board.serve, ours)
    await settle()
    return theirs


def peers(count: int) -> list[PeerId]:
    return [PeerId(f"12D3KooWPeer{number:04}") for number in range(count)]


# ---------------------------------------------------------------------------------------- one link's life


async def test_both_sides_are_told_of_the_link_and_of_each_other(autojump_clock: trio.abc.Clock) -> None:
    alice, bob = Node(ALICE, seed=1), Node(BOB, seed=2)
    async with linked(alice, bob, delay_s=0.05):
        at_alice, at_bob = await up(alice), await up(bob)
        assert (at_alice.peer, at_alice.own, at_alice.outbound) == (BOB, ALICE, True)
        assert (at_bob.peer, at_bob.own, at_bob.outbound) == (ALICE, BOB, False)
        assert at_alice.own_nonce == at_bob.peer_nonce != at_alice.peer_nonce == at_bob.own_nonce
        assert alice.board.is_linked(BOB)
        assert not alice.board.is_linked(CAROL)
        assert alice.changes == [(BOB, True)]


async def test_frames_reach_the_runner_and_an_end_is_told_once(autojump_clock: trio.abc.Clock) -> None:
    alice, bob = Node(ALICE, seed=1), Node(BOB, seed=2)
    async with linked(alice, bob):
        at_alice, at_bob = await up(alice), await up(bob)
        alice.board.send(post(at_alice.link, b"hello, Bob"))
        assert await bob.next() == FrameReceived(link=at_bob.link, kind=3, payload=b"hello, Bob")
        alice.board.send(post(at_alice.link, b"and goodbye"))
        alice.board.hang_up(HangUp(link=at_alice.link))
        alice.board.send(post(at_alice.link, b"said too late"))
        assert await bob.next() == FrameReceived(link=at_bob.link, kind=3, payload=b"and goodbye")
        assert await bob.next() == LinkDown(link=at_bob.link)
        assert alice.board.said == {LinkKind.FRAME: len(b"hello, Bob" + b"and goodbye")}, (
            "what no link took is not said"
        )
        assert bob.board.said == {}
        assert await alice.next() == LinkDown(link=at_alice.link)
        await trio.sleep(100)
        assert alice.waiting() == bob.waiting() == []
        assert alice.changes == [(BOB, True), (BOB, False)]
        assert alice.board.links() == bob.board.links() == ()


async def test_what_is_asked_of_a_link_that_is_gone_is_swallowed() -> None:
    board = Node(ALICE).board
    gone = LinkId(7)
    board.send(post(gone, b"?"))
    board.hang_up(HangUp(link=gone))
    board.blame(Blame(link=gone, fault=Fault.MALFORMED))
    assert not await board.send_frames(gone, [b"?"], SendClass.REPAIR)


async def test_stored_frames_follow_in_order_at_the_peers_pace(autojump_clock: trio.abc.Clock) -> None:
    alice, bob = Node(ALICE, seed=1), Node(BOB, seed=2, inputs_max=2)
    stored = [bytes([number]) * 100_000 for number in range(64)]
    async with linked(alice, bob, bytes_max=200_000) as nursery:
        link, _ = (await up(alice)).link, await up(bob)
        nursery.start_soon(alice.board.send_frames, link, stored, SendClass.REPAIR)
        for payload in stored:
            received = await bob.next()
            assert isinstance(received, FrameReceived)
            assert received.payload == payload
        assert alice.board.links()[0].skipped == 0
        assert alice.board.said == {LinkKind.FRAME: sum(map(len, stored))}


async def test_the_status_shows_each_link(autojump_clock: trio.abc.Clock) -> None:
    alice, bob = Node(ALICE, seed=1), Node(BOB, seed=2)
    async with linked(alice, bob, bytes_max=1_000):
        link, _ = (await up(alice)).link, await up(bob)
        await trio.sleep(5)
        bob.inputs.close()
        for _ in range(50):
            alice.board.send(post(link, bytes(60_000)))
        (status,) = alice.board.links()
        assert (status.link, status.peer, status.outbound) == (link, BOB, True)
        assert status.address == "/memory/12D3KooWBob"
        assert status.age_ms == 5_000
        assert status.queued_bytes > 1_000_000
        assert status.skipped > 10


# ---------------------------------------------------------------------------------------- one link to each


class Street:
    """What both sides said of the links between Alice and Bob."""

    def __init__(self, nodes: list[Node]) -> None:
        self.nodes = nodes

    def nonces(self) -> list[set[tuple[bytes, ...]]]:
        """Return, for each side, the links that stand by its runner's count, named by their nonces."""
        found = []
        for node in self.nodes:
            standing: dict[LinkId, tuple[bytes, ...]] = {}
            for event in node.waiting():
                match event:
                    case LinkUp(link=link, own_nonce=own, peer_nonce=peer):
                        assert not standing, "a link came before the one that it replaces had gone"
                        standing[link] = tuple(sorted([own, peer]))
                    case LinkDown(link=link):
                        del standing[link]
                    case _:
                        raise AssertionError(event)
            found.append(set(standing.values()))
        return found


@given(seed=st.integers(0, 2**32), dials=st.integers(1, 5))
def test_of_links_dialled_from_both_sides_at_once_the_same_one_remains_on_both(seed: int, dials: int) -> None:
    async def story() -> None:
        dice = random.Random(seed)
        alice, bob = Node(ALICE, seed=1), Node(BOB, seed=2)

        async def dialling(dialer: Node, answerer: Node) -> None:
            """Dial as the dialer does: one hello at a time, and only while there is no link."""
            for _ in range(dials):
                await trio.sleep(dice.random() * 0.3)
                if dialer.board.is_linked(answerer.peer):
                    continue
                there, back = dice.random() * 0.2, dice.random() * 0.2
                ours, theirs = stream_pair(dialer.peer, answerer.peer, delay_s=there, back_s=back)
                settled = trio.Event()
                nursery.start_soon(dialer.board.serve, ours, settled)
                nursery.start_soon(answerer.board.serve, theirs)
                await settled.wait()

        async with trio.open_nursery() as nursery:
            async with trio.open_nursery() as dialers:
                dialers.start_soon(dialling, alice, bob)
                dialers.start_soon(dialling, bob, alice)
            await trio.sleep(30)
            at_alice, at_bob = Street([alice, bob]).nonces()
            assert at_alice == at_bob
            assert len(at_alice) == 1
            assert len(alice.board.links()) == len(bob.board.links()) == 1
            for node in (alice, bob):
                changes = [linked for _, linked in node.changes]
                assert changes[-1]
                assert (False, False) not in pairwise(changes)
            nursery.cancel_scope.cancel()

    run(story)


async def test_of_two_links_that_cross_the_lower_peers_remains(autojump_clock: trio.abc.Clock) -> None:
    alice, bob = Node(ALICE, seed=1), Node(BOB, seed=2)
    async with linked(alice, bob, delay_s=0.3, back_s=0.1), linked(bob, alice, delay_s=0.3, back_s=0.1):
        await trio.sleep(10)
        assert [status.outbound for status in alice.board.links()] == [True]
        assert [status.outbound for status in bob.board.links()] == [False]


async def test_the_link_that_the_lower_peer_dialled_replaces_the_other(autojump_clock: trio.abc.Clock) -> None:
    alice, bob = Node(ALICE, seed=1), Node(BOB, seed=2)
    async with linked(bob, alice) as nursery:
        old = await up(alice)
        assert not old.outbound
        theirs, ours = stream_pair(ALICE, BOB)
        nursery.start_soon(bob.board.serve, ours)  # Alice's hello went out before Bob's link stood
        await theirs.write(hello_frame(b"a" * 32))
        assert (await up(bob)).outbound
        assert await bob.next() == LinkDown(link=LinkId(1))
        new = await up(bob)
        assert not new.outbound
        assert await alice.next() == LinkDown(link=old.link)
        assert bob.changes == [(ALICE, True), (ALICE, True)]  # never unlinked in between


async def test_a_peer_that_comes_again_replaces_its_own_dead_link(autojump_clock: trio.abc.Clock) -> None:
    alice = Node(ALICE)
    async with trio.open_nursery() as nursery:
        first = await greeted(alice, nursery, BOB)
        assert (await up(alice)).link == 1
        await greeted(alice, nursery, BOB)
        assert await alice.next() == LinkDown(link=LinkId(1))
        assert (await up(alice)).link == 2
        assert len(await first.read(10_000)) == len(hello_frame())
        assert await first.read(1) == b""
        nursery.cancel_scope.cancel()


async def test_no_hello_goes_out_where_a_link_stands(autojump_clock: trio.abc.Clock) -> None:
    alice, bob = Node(ALICE, seed=1), Node(BOB, seed=2)
    async with linked(alice, bob):
        await up(alice)
        ours, theirs = stream_pair(ALICE, BOB)
        await alice.board.serve(ours)
        assert await theirs.read(1) == b""


async def test_a_node_does_not_link_with_itself() -> None:
    alice = Node(ALICE)
    ours, theirs = stream_pair(ALICE, ALICE)
    await alice.board.serve(ours)
    await alice.board.serve(theirs)
    assert alice.waiting() == []


# ---------------------------------------------------------------------------------------- limits and blame


async def test_who_never_says_hello_is_dropped(autojump_clock: trio.abc.Clock) -> None:
    alice = Node(ALICE)
    _theirs, ours = stream_pair(BOB, ALICE)
    began = trio.current_time()
    await alice.board.serve(ours)
    assert trio.current_time() - began == pytest.approx(HELLO_S_MAX)
    assert alice.waiting() == []
    assert ours.aborted.is_set()


async def test_a_crowd_of_the_silent_does_not_keep_an_honest_peer_out(autojump_clock: trio.abc.Clock) -> None:
    alice = Node(ALICE)
    async with trio.open_nursery() as nursery:
        silent = [stream_pair(peer, ALICE)[1] for peer in peers(HELLOS_MAX + 20)]
        for stream in silent:
            nursery.start_soon(alice.board.serve, stream)
            await settle()
        assert [stream.aborted.is_set() for stream in silent] == [True] * 20 + [False] * HELLOS_MAX
        await greeted(alice, nursery, BOB)
        assert (await up(alice)).peer == BOB
        nursery.cancel_scope.cancel()


async def test_links_are_bounded_and_those_that_stand_may_be_renewed(autojump_clock: trio.abc.Clock) -> None:
    alice = Node(ALICE)
    async with trio.open_nursery() as nursery:
        strangers_max = LINKS_MAX - OUTBOUND_ROOM
        for peer in peers(strangers_max + 3):
            await greeted(alice, nursery, peer)
        assert len(alice.board.links()) == strangers_max
        await greeted(alice, nursery, peers(1)[0])
        assert len(alice.board.links()) == strangers_max
        assert alice.board.links()[-1].peer == peers(1)[0]
        nursery.cancel_scope.cancel()


async def test_strangers_leave_room_for_those_whom_we_dial(autojump_clock: trio.abc.Clock) -> None:
    alice, bob = Node(ALICE), Node(BOB)
    async with trio.open_nursery() as nursery:
        for peer in peers(LINKS_MAX):
            await greeted(alice, nursery, peer)
        assert not alice.board.is_linked(BOB)
        dialled, accepted = stream_pair(ALICE, BOB)
        nursery.start_soon(alice.board.serve, dialled)
        nursery.start_soon(bob.board.serve, accepted)
        await settle()
        assert alice.board.is_linked(BOB)
        nursery.cancel_scope.cancel()


async def test_one_address_gets_a_bounded_share(autojump_clock: trio.abc.Clock) -> None:
    alice = Node(ALICE)
    async with trio.open_nursery() as nursery:
        for peer in peers(PER_HOST_MAX + 5):
            await greeted(alice, nursery, peer, host="192.0.2.7")
        assert len(alice.board.links()) == PER_HOST_MAX
        await greeted(alice, nursery, BOB, host="192.0.2.8")
        assert len(alice.board.links()) == PER_HOST_MAX + 1
        nursery.cancel_scope.cancel()


async def test_a_peer_that_breaks_the_rules_is_banned_until_the_ban_ends(autojump_clock: trio.abc.Clock) -> None:
    alice = Node(ALICE)
    async with trio.open_nursery() as nursery:
        for _ in range(2):
            stream = await greeted(alice, nursery, BOB)
            await stream.write(bytes(4))  # a frame without a type
            await settle()
            assert stream.remote.peer == ALICE
            assert not alice.board.is_linked(BOB)
        alice.waiting()
        refused = await greeted(alice, nursery, BOB)
        assert await refused.read(1) == b""
        await greeted(alice, nursery, CAROL)
        assert (await up(alice)).peer == CAROL
        await trio.sleep(BAN_MS_FIRST / 1000)
        await greeted(alice, nursery, BOB)
        assert (await up(alice)).peer == BOB
        nursery.cancel_scope.cancel()


async def test_the_runner_blames_until_the_link_goes(autojump_clock: trio.abc.Clock) -> None:
    alice = Node(ALICE)
    async with trio.open_nursery() as nursery:
        await greeted(alice, nursery, BOB)
        link = (await up(alice)).link
        alice.board.blame(Blame(link=link, fault=Fault.BAD_SIGNATURE))
        await settle()
        assert alice.board.is_linked(BOB)
        alice.board.blame(Blame(link=link, fault=Fault.BAD_SIGNATURE))
        assert await alice.next() == LinkDown(link=link)
        nursery.cancel_scope.cancel()


async def test_blame_for_a_link_that_has_just_gone_still_counts(autojump_clock: trio.abc.Clock) -> None:
    alice = Node(ALICE)
    async with trio.open_nursery() as nursery:
        stream = await greeted(alice, nursery, BOB)
        link = (await up(alice)).link
        await stream.finish()
        assert await alice.next() == LinkDown(link=link)
        for _ in range(2):
            alice.board.blame(Blame(link=link, fault=Fault.BAD_SIGNATURE))
        refused = await greeted(alice, nursery, BOB)
        assert await refused.read(1) == b""
        nursery.cancel_scope.cancel()
    assert len(alice.board._gone) <= GONE_REMEMBERED_MAX


async def test_a_bad_hello_is_blamed(autojump_clock: trio.abc.Clock) -> None:
    alice = Node(ALICE)
    for _ in range(2):
        theirs, ours = stream_pair(BOB, ALICE)
        await theirs.write(framing.encode(1, b"not a hello"))
        await alice.board.serve(ours)
    assert alice.waiting() == []
    theirs, ours = stream_pair(BOB, ALICE)
    await alice.board.serve(ours)
    assert await theirs.read(1) == b""


async def test_another_version_is_refused_and_not_blamed(autojump_clock: trio.abc.Clock) -> None:
    alice = Node(ALICE)
    async with trio.open_nursery() as nursery:
        for _ in range(10):
            theirs, ours = stream_pair(BOB, ALICE)
            await theirs.write(hello_frame(oldest=2, newest=3))
            await alice.board.serve(ours)
        assert alice.waiting() == []
        await greeted(alice, nursery, BOB)
        assert (await up(alice)).peer == BOB
        nursery.cancel_scope.cancel()


class Trapdoor:
    """A stream that fails as no stream should."""

    def __init__(self, remote: Remote) -> None:
        self.remote = remote
        self.aborted = False

    async def read(self, bytes_max: int) -> bytes:
        raise KeyError("what a library may do")

    async def write(self, data: bytes) -> None:
        pass

    async def finish(self) -> None:
        pass

    def abort(self) -> None:
        self.aborted = True


async def test_a_stream_that_fails_in_an_unknown_way_ends_alone() -> None:
    alice = Node(ALICE)
    _, accepted = stream_pair(BOB, ALICE)
    trapdoor = Trapdoor(accepted.remote)
    settled = trio.Event()
    await alice.board.serve(trapdoor, settled)
    assert settled.is_set()
    assert trapdoor.aborted
    assert alice.board.links() == ()
    assert [(where, type(error)) for where, error in alice.bugs] == [("link", KeyError)]
