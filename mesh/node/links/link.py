"""One link: frames to and from one peer over one stream, from the hellos to the end.

Two tasks and no more: one reads, cuts frames and puts them into `inputs`, where it waits when the runner is
busy, so that back-pressure reaches the peer; one takes batches from the outbox and writes them. Whoever
sends only queues, and never waits. A link ends when the stream does, when the peer breaks the framing, when
it leaves a batch unread for `WRITE_S_MAX`, or when we end it: `finish` after what is queued has left,
`abort` at once. An end is an event in life and raises nothing.

That a peer has gone without a word (half-open) is for the transport to notice: it sees the bytes below the
frames.
"""

import logging
from collections.abc import Callable
from typing import Final

import trio

from mesh.errors import Fault, RemoteError
from mesh.events import FrameReceived, Input, LinkKind, SendClass
from mesh.ids import LinkId
from mesh.node.links import framing, hello
from mesh.node.links.budget import Budget
from mesh.node.links.outbox import Outbox, SlowReader
from mesh.node.transports.base import Stream
from mesh.wire.limits import LINK_PAYLOAD_BYTES_MAX

log = logging.getLogger(__name__)

READ_BYTES: Final = 64 * 1024
HELLO_S_MAX: Final = 10.0  # network.md: a peer that says nothing for so long is dropped
WRITE_S_MAX: Final = 30.0  # ours: 64 KiB in half a minute is the slowest reader that one can live with
FINISH_S_MAX: Final = 1.0  # ours: how long we wait, after our last byte, for the peer to close too


async def exchange_hellos(stream: Stream, own_nonce: bytes) -> tuple[hello.Hello, framing.Decoder]:
    """Say hello and hear theirs; give it with the decoder for the frames that follow.

    RemoteError if it is no hello, hello.VersionMismatch if no version is common, trio.TooSlowError after
    HELLO_S_MAX, BrokenResourceError or ClosedResourceError if the stream is gone, EndOfChannel if the peer
    closed it.
    """
    ours = hello.greeting(own_nonce)
    decoder = framing.Decoder(payload_bytes_max=hello.HELLO_BYTES)
    with trio.fail_after(HELLO_S_MAX):
        await stream.write(framing.encode(LinkKind.HELLO, hello.encode(ours)))
        while (frame := decoder.next()) is None:
            data = await stream.read(framing.HEADER_BYTES + hello.HELLO_BYTES - decoder.held_bytes)
            if not data:
                raise trio.EndOfChannel
            decoder.feed(data)
    if frame.kind != LinkKind.HELLO:
        raise RemoteError(Fault.AGAINST_RULES, "the first frame is not a hello")
    theirs = hello.decode(frame.payload)
    hello.agree(ours, theirs)
    decoder.payload_bytes_max = LINK_PAYLOAD_BYTES_MAX
    return theirs, decoder


class Link:
    """A link whose hellos have been said. `run` it once; the rest may be called from any task."""

    def __init__(
        self,
        *,
        link: LinkId,
        stream: Stream,
        decoder: framing.Decoder,
        inputs: trio.MemorySendChannel[Input],
        now_ms: Callable[[], int],
        on_fault: Callable[[Fault], None],
    ) -> None:
        self.id = link
        self.stream = stream
        self.up_ms = now_ms()
        self.gone = trio.Event()  # whoever owns the link sets it, after everybody was told
        self._decoder = decoder
        self._inputs = inputs
        self._now_ms = now_ms
        self._on_fault = on_fault
        self._budget = Budget()
        self._outbox = Outbox()
        self._ready = trio.Event()
        self._room = trio.Event()
        self._finishing = False
        self._scope = trio.CancelScope()

    @property
    def queued_bytes(self) -> int:
        """How many bytes wait to be written."""
        return self._outbox.queued_bytes

    @property
    def sent_bytes(self) -> int:
        """How many bytes have left the queues."""
        return self._outbox.sent_bytes

    @property
    def skipped(self) -> int:
        """How many pushes of messages were left out because their queue was full."""
        return self._outbox.skipped

    def push(self, kind: LinkKind, payload: bytes, send_class: SendClass) -> bool:
        """Queue a frame. False if it was left out (MESSAGES) or the link is ending; a slow reader ends it."""
        if self._finishing or self._scope.cancel_called:
            return False
        try:
            queued = self._outbox.push(send_class, framing.encode(kind, payload))
        except SlowReader as slow:
            self._end(str(slow))
            return False
        self._ready.set()
        return queued

    async def push_with_room(self, kind: LinkKind, payload: bytes, send_class: SendClass) -> bool:
        """Wait until the queue has room for a frame, and queue it. False once the link is ending."""
        while not self._outbox.has_room(send_class, framing.HEADER_BYTES + len(payload)):
            if self._finishing or self._scope.cancel_called:
                return False
            await self._room.wait()
        return self.push(kind, payload, send_class)

    def finish(self) -> None:
        """End the link once what is queued has left; nothing more is queued."""
        self._finishing = True
        self._ready.set()
        self._room.set()

    def abort(self) -> None:
        """End the link now."""
        self._end("ended by us")

    async def run(self) -> None:
        """Read and write until the link ends; then the stream is gone, and no frame of this link follows."""
        try:
            with self._scope:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._write)
                    nursery.start_soon(self._read)
        finally:
            self._end("closed")
            self.stream.abort()

    async def _read(self) -> None:
        try:
            while data := await self.stream.read(READ_BYTES):
                self._decoder.feed(data)
                frames = await self._deliver()
                pause_ms = self._budget.charge(frames=frames, received_bytes=len(data), now_ms=self._now_ms())
                if pause_ms:
                    await trio.sleep(pause_ms / 1000)
            self._end("the peer closed it")
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            self._end("the stream is gone")
        except RemoteError as error:
            self._on_fault(error.fault)
            self._end(f"the peer broke the rules: {error.fault}")

    async def _deliver(self) -> int:
        """Hand over each whole frame, waiting while the runner is busy; return how many there were."""
        frames = 0
        while (frame := self._decoder.next()) is not None:
            if frame.kind == LinkKind.HELLO:
                raise RemoteError(Fault.AGAINST_RULES, "a second hello")
            received = FrameReceived(link=self.id, kind=frame.kind, payload=frame.payload)
            try:
                self._inputs.send_nowait(received)  # spares a turn of the loop for each frame
            except trio.WouldBlock:
                await self._inputs.send(received)
            frames += 1
        return frames

    async def _write(self) -> None:
        try:
            while (batch := self._outbox.take()) or not self._finishing:
                self._room.set()
                self._room = trio.Event()
                if batch:
                    with trio.fail_after(WRITE_S_MAX):
                        await self.stream.write(batch)
                else:
                    await self._ready.wait()
                    self._ready = trio.Event()
            with trio.fail_after(WRITE_S_MAX):
                await self.stream.finish()
            with trio.fail_after(FINISH_S_MAX):
                await trio.sleep_forever()  # the reader sees the peer close, and ends the link
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            self._end("the stream is gone")
        except trio.TooSlowError:
            self._end("closed by us" if self._finishing else "the peer does not read")

    def _end(self, why: str) -> None:
        if not self._scope.cancel_called:
            log.info("link %d ends: %s", self.id, why)
            self._scope.cancel()
        self._room.set()
