"""Owns the links: lets peers in, keeps one link to each, tells the runner, and carries out its effects.

Two nodes may dial each other at the same moment, and each may have tried several addresses, so that two or
more streams to one peer say hello. Exactly one link must remain, and both sides must keep the same one
without asking. The rule needs only what both know: *the link that the node with the lower PeerId dialled is
kept; of two by the same dialer, the newer*. The newer, because a dialer says hello on one stream at a
time (`dialer`), and only while it believes that it has no link: if it comes again, the older link is dead
on its side. A stream that would lose is dropped before our hello goes out on it, so the other side can
never have counted it as a link. What is lost on the way is repaired, as after any broken link.

`LinkUp` goes to the runner once both hellos are there, `LinkDown` exactly once for each `LinkUp`, in order,
and after the last frame. Strangers are bounded: links in all, hellos that are waited for (the oldest must
go), and both per address.
"""

import itertools
import logging
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

import trio

from mesh.errors import Fault, RemoteError
from mesh.events import Blame, HangUp, Input, Instant, LinkDown, LinkKind, LinkUp, Send, SendClass
from mesh.ids import Address, Entropy, LinkId, PeerId
from mesh.node.links.budget import Ban, BlameBook
from mesh.node.links.framing import Decoder
from mesh.node.links.hello import NONCE_BYTES, VersionMismatch
from mesh.node.links.link import Link, exchange_hellos
from mesh.node.transports.base import Remote, Stream
from mesh.wire.limits import LINK_PAYLOAD_BYTES_MAX

log = logging.getLogger(__name__)

# All ours. A household or a test machine has several nodes behind one address.
LINKS_MAX: Final = 128
OUTBOUND_ROOM: Final = 32  # links that only our own dials may fill, so that strangers cannot keep us from our peers
HELLOS_MAX: Final = 64
PER_HOST_MAX: Final = 32
OnBug = Callable[[str, Exception], None]
GONE_REMEMBERED_MAX: Final = 256  # links whose peer can still be blamed for frames that are being looked at


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkStatus:
    """A link as `mesh status` shows it. `skipped`: pushes left out because the peer reads too slowly.

    `sent_bytes` counts frames, without what Yamux and Noise put around them.
    """

    link: LinkId
    peer: PeerId
    address: Address
    outbound: bool
    age_ms: int
    queued_bytes: int
    sent_bytes: int
    skipped: int


class Switchboard:
    """The links of one node. `serve` each stream in a task of its own; only `send_frames` waits besides."""

    def __init__(
        self,
        *,
        own: PeerId,
        inputs: trio.MemorySendChannel[Input],
        entropy: Entropy,
        clock: Callable[[], Instant],
        on_link_changed: Callable[[PeerId, bool], None],
        on_bug: OnBug,
    ) -> None:
        self._own = own
        self._inputs = inputs
        self._entropy = entropy
        self._clock = clock
        self._on_link_changed = on_link_changed
        self._on_bug = on_bug
        self._ids = itertools.count(1)
        self._links: dict[LinkId, Link] = {}
        self._by_peer: dict[PeerId, Link] = {}
        self._greeting: OrderedDict[int, Stream] = OrderedDict()
        self._gone: OrderedDict[LinkId, PeerId] = OrderedDict()
        self._blames = BlameBook()
        self.said: Counter[LinkKind] = (
            Counter()
        )  # payload bytes that links took, by kind, over all links there ever were

    # ------------------------------------------------------------------ what the runner asks for

    def send(self, send: Send) -> None:
        """Queue one frame. A link that is gone swallows it; MESSAGES may be left out; a slow reader is cut.

        One that is too long for any link is left out too: nothing that a member made us say may end the node.
        """
        if (link := self._links.get(send.link)) is None:
            return
        if len(send.payload) > LINK_PAYLOAD_BYTES_MAX:
            log.warning("a frame of %s is longer than any peer takes, and is not sent", send.kind.name)
            return
        if link.push(send.kind, send.payload, send.send_class):
            self.said[send.kind] += len(send.payload)

    async def send_frames(
        self,
        link: LinkId,
        frames: Iterable[bytes],
        send_class: SendClass,
        kind: LinkKind = LinkKind.FRAME,
    ) -> bool:
        """Queue payloads (≤ 512 KiB each) in order, waiting for room. False if the link went meanwhile."""
        if (found := self._links.get(link)) is None:
            return False
        for payload in frames:
            if not await found.push_with_room(kind, payload, send_class):
                return False
            self.said[kind] += len(payload)
        return True

    def hang_up(self, hang_up: HangUp) -> None:
        """End a link once what is queued on it has left."""
        if (link := self._links.get(hang_up.link)) is not None:
            link.finish()

    def blame(self, blame: Blame) -> None:
        """Hold a fault against the peer of a link, also of one that has just gone."""
        link = self._links.get(blame.link)
        peer = link.stream.remote.peer if link is not None else self._gone.get(blame.link)
        if peer is not None:
            self._hold_against(peer, blame.fault)

    def is_linked(self, peer: PeerId) -> bool:
        """Say whether a link to this peer stands."""
        return peer in self._by_peer

    def links(self) -> tuple[LinkStatus, ...]:
        """Describe each link, oldest first."""
        now_ms = self._now_ms()
        return tuple(
            LinkStatus(
                link=link.id,
                peer=link.stream.remote.peer,
                address=link.stream.remote.address,
                outbound=link.stream.remote.outbound,
                age_ms=now_ms - link.up_ms,
                queued_bytes=link.queued_bytes,
                sent_bytes=link.sent_bytes,
                skipped=link.skipped,
            )
            for link in self._links.values()
        )

    def bans(self) -> tuple[Ban, ...]:
        """Say who is refused, and for how long yet."""
        return self._blames.bans(self._now_ms())

    # ------------------------------------------------------------------ a stream's life

    async def serve(self, stream: Stream, settled: trio.Event | None = None) -> None:
        """Say hello over a fresh stream and, if it becomes the link, run it to its end.

        `settled` is set once it is known whether it does. No exception leaves this, but for a cancellation.
        """
        settled = trio.Event() if settled is None else settled
        try:
            greeted = await self._greet(stream)
            if greeted is not None and self._wins(stream.remote):
                await self._run(stream, greeted, settled)
        except Exception as error:  # noqa: BLE001 - what one peer brings about must not end the node
            self._on_bug("link", error)
        finally:
            stream.abort()
            settled.set()

    async def _greet(self, stream: Stream) -> "_Greeted | None":
        """Exchange hellos, if this stream may become a link at all; None if it comes to nothing."""
        remote = stream.remote
        if not self._may_greet(remote):
            return None
        if len(self._greeting) >= HELLOS_MAX:
            _, oldest = self._greeting.popitem(last=False)
            oldest.abort()
        self._greeting[id(stream)] = stream
        own_nonce = self._entropy.draw(NONCE_BYTES)
        try:
            theirs, decoder = await exchange_hellos(stream, own_nonce)
            return _Greeted(own_nonce=own_nonce, peer_nonce=theirs.nonce, decoder=decoder)
        except RemoteError as error:
            self._hold_against(remote.peer, error.fault)
        except VersionMismatch as mismatch:
            log.info("%s", mismatch)
        except (
            trio.BrokenResourceError,
            trio.ClosedResourceError,
            trio.EndOfChannel,
            trio.TooSlowError,
        ) as gone:
            log.info("a hello came to nothing: %s", type(gone).__name__)
        finally:
            self._greeting.pop(id(stream), None)
        return None

    async def _run(self, stream: Stream, greeted: "_Greeted", settled: trio.Event) -> None:
        """Make the stream the link, in place of one that stands; tell the runner; run it to its end."""
        remote = stream.remote
        link = Link(
            link=LinkId(next(self._ids)),
            stream=stream,
            decoder=greeted.decoder,
            inputs=self._inputs,
            now_ms=self._now_ms,
            on_fault=lambda fault: self._hold_against(remote.peer, fault),
        )
        replaced = self._by_peer.get(remote.peer)
        self._links[link.id] = self._by_peer[remote.peer] = link
        try:
            if replaced is not None:
                replaced.abort()
                await replaced.gone.wait()
            up = LinkUp(
                link=link.id,
                peer=remote.peer,
                own=self._own,
                own_nonce=greeted.own_nonce,
                peer_nonce=greeted.peer_nonce,
                outbound=remote.outbound,
            )
            await self._inputs.send(up)
            self._on_link_changed(remote.peer, True)
            settled.set()
            try:
                await link.run()
            finally:
                self._unplug(link)
                await self._inputs.send(LinkDown(link=link.id))
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            log.info("the runner has gone: a link ends")
        finally:
            self._unplug(link)
            link.gone.set()

    def _unplug(self, link: Link) -> None:
        """Forget a link, if that has not been done yet."""
        peer = link.stream.remote.peer
        if self._links.pop(link.id, None) is None:
            return
        self._gone[link.id] = peer
        if len(self._gone) > GONE_REMEMBERED_MAX:
            self._gone.popitem(last=False)
        if self._by_peer.get(peer) is link:
            del self._by_peer[peer]
            self._on_link_changed(peer, False)

    # ------------------------------------------------------------------ who may become a link

    def _may_greet(self, remote: Remote) -> bool:
        """Say whether to greet: not ourselves, the banned, too many, or where the stream cannot win."""
        hosts = [link.stream.remote.host for link in self._links.values()]
        hosts += [stream.remote.host for stream in self._greeting.values()]
        crowded = not remote.outbound and remote.host is not None and hosts.count(remote.host) >= PER_HOST_MAX
        banned = self._blames.banned_ms(remote.peer, self._now_ms()) > 0
        needless = remote.outbound and remote.peer in self._by_peer
        refused = remote.peer == self._own or banned or crowded or needless or not self._wins(remote)
        if refused:
            log.info("a stream is refused: banned %s, crowded %s, needless %s", banned, crowded, needless)
        return not refused

    def _wins(self, remote: Remote) -> bool:
        """Say whether a stream may become the link: it beats the one that stands, or there is room."""
        standing = self._by_peer.get(remote.peer)
        if standing is None:
            return len(self._links) < (LINKS_MAX if remote.outbound else LINKS_MAX - OUTBOUND_ROOM)
        if remote.outbound == standing.stream.remote.outbound:
            return True  # the newer of two by the same dialer
        return remote.outbound == (self._own < remote.peer)  # the one that the lower PeerId dialled

    def _hold_against(self, peer: PeerId, fault: Fault) -> None:
        if self._blames.blame(peer, fault, self._now_ms()):
            log.info("a peer is hung up on and banned for a while; the last of it was %s", fault)
            if (link := self._by_peer.get(peer)) is not None:
                link.abort()

    def _now_ms(self) -> int:
        return self._clock().mono_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class _Greeted:
    own_nonce: bytes
    peer_nonce: bytes
    decoder: Decoder
