"""The runner: one task owns the machine, commits what it wants kept, and only then lets anything leave.

Inputs wait in a bounded channel. The owner takes what is there, lets the machine handle each, commits all their
writes in one transaction, in a worker thread if that may take its time, and then carries out the rest. Own messages
and operations ask for a commit that survives a power cut (`synchronous=FULL`); a batch that holds one is committed so
as a whole.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final, Protocol, assert_never

import trio

from mesh.commands import Command
from mesh.errors import Fault
from mesh.events import (
    AddressesChanged,
    Answer,
    Asked,
    Blame,
    Dial,
    Effect,
    Fetch,
    Forget,
    HangUp,
    Input,
    LinkKind,
    Notify,
    Persist,
    Scan,
    Send,
    SendClass,
    SendStored,
    SetTimer,
    Started,
    Timer,
    TimerFired,
    Write,
)
from mesh.ids import Address, LinkId
from mesh.node import clock
from mesh.peer import Peer
from mesh.store.base import Store
from mesh.store.reading import read_for
from mesh.store.starting import starting_records

INPUTS_MAX: Final = 256  # waiting inputs; then links read no further
BATCH_MAX: Final = 64  # inputs that share a commit
REPAIRS_WAITING_MAX: Final = 1024  # answers that wait for room on one link; ours
REPAIR_KEYS_WAITING_MAX: Final = 16_384  # and the frames that they name; ours
REPAIR_READ: Final = 16  # frames that are read at a time; ours
NOTICES_MAX: Final = 1024  # per listener; one that falls behind is cut off, and reads the store instead
NOTICES_BEHIND: Final = 256  # a listener with so many before them gets turns of the loop before the next batch; ours
TURNS_MAX: Final = 2 * BATCH_MAX  # but only so many; ours


class Links(Protocol):
    """What the runner needs of the network."""

    def send(self, send: Send) -> None:
        """Queue one frame."""

    async def send_frames(
        self, link: LinkId, frames: Iterable[bytes], send_class: SendClass, kind: LinkKind = LinkKind.FRAME
    ) -> bool:
        """Queue frames as there is room."""

    def dial(self, dial: Dial) -> None:
        """Keep trying."""

    def forget(self, forget: Forget) -> None:
        """Stop trying."""

    def hang_up(self, hang_up: HangUp) -> None:
        """Close a link."""

    def blame(self, blame: Blame) -> None:
        """Hold a fault against a link's peer."""


@dataclass(slots=True)
class _Waiting:
    done: trio.Event = field(default_factory=trio.Event)
    answer: Answer | None = None


class Runner:
    """Runs one `Peer` over a store and, if there is one, a network."""

    def __init__(self, peer: Peer, store: Store, reader: Store) -> None:
        """`reader` is a second connection to the same store: what is committed can be read while `store` writes."""
        self.peer, self._store, self.reader = peer, store, reader
        self.inputs, self._inbox = trio.open_memory_channel[Input](INPUTS_MAX)
        self.network: Links | None = None
        self._writing = trio.Lock()
        self._waiting: dict[int, _Waiting] = {}
        self._tokens = 0
        self._repairs: dict[tuple[LinkId, SendClass], deque[Send | SendStored]] = {}
        self._timers: dict[Timer, trio.CancelScope] = {}
        self._listeners: dict[int, trio.MemorySendChannel[Notify]] = {}
        self._changed = trio.Event()
        self._nursery: trio.Nursery | None = None

    async def run(
        self,
        addresses: tuple[Address, ...],
        task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Run until cancelled. StoreError ends it: a node that cannot write must not speak."""
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            records = starting_records(self.reader)
            await self._batch([Started(records=records, addresses=addresses)])
            task_status.started()
            while True:
                batch = [await self._inbox.receive()]
                while len(batch) < BATCH_MAX:
                    try:
                        batch.append(self._inbox.receive_nowait())
                    except trio.WouldBlock:
                        break
                await self._batch(batch)
                await self._give_turns()

    async def ask(self, command: Command) -> bytes:
        """Have the machine carry out a command; committed when this returns. LocalError."""
        self._tokens += 1
        token, waiting = self._tokens, _Waiting()
        self._waiting[token] = waiting
        try:
            await self.inputs.send(Asked(token=token, command=command))
            await waiting.done.wait()
        finally:
            del self._waiting[token]
        assert waiting.answer is not None
        if waiting.answer.error is not None:
            raise waiting.answer.error
        return waiting.answer.subject

    async def until(self, condition: Callable[[], bool], wait_s: float) -> bool:
        """Wait until something holds of the machine's state, looking after each batch."""
        with trio.move_on_after(wait_s):
            while not condition():
                await self._changed.wait()
        return condition()

    async def addresses_changed(self, addresses: tuple[Address, ...]) -> None:
        """Tell the machine where it can be reached now."""
        await self.inputs.send(AddressesChanged(addresses=addresses))

    def listen(self) -> "tuple[trio.MemoryReceiveChannel[Notify], Callable[[], None]]":
        """Return a channel of what happens from now on, and what ends it."""
        sender, receiver = trio.open_memory_channel[Notify](NOTICES_MAX)
        key = id(sender)
        self._listeners[key] = sender

        def end() -> None:
            self._listeners.pop(key, None)
            sender.close()

        return receiver, end

    # ------------------------------------------------------------ one batch

    async def _batch(self, inputs: list[Input]) -> None:
        """Handle inputs, commit, then speak; what the store answers is handled in turn."""
        while inputs:
            writes: list[Write] = []
            durable = False
            later: list[Effect] = []
            for event in inputs:
                for effect in self.peer.handle(event, clock.now()):
                    if isinstance(effect, Persist):
                        writes.extend(effect.writes)
                        durable = durable or effect.durable
                    else:
                        later.append(effect)
            if writes:
                await self.keep(writes, durable=durable)
            inputs = [read_for(self.reader, effect) for effect in later if isinstance(effect, Fetch | Scan)]
            for effect in later:
                self._do(effect)
            changed, self._changed = self._changed, trio.Event()
            changed.set()
            if inputs:
                await trio.lowlevel.checkpoint()  # a chain of reading is long at times, and others wait

    async def keep(self, writes: Sequence[Write], *, durable: bool) -> None:
        """Commit, one batch at a time, not to be interrupted half-way; what may take its time, in a worker thread."""
        if self._store.is_quick(writes, durable=durable) and not self._writing.locked():
            self._store.commit(writes, durable=durable)  # at once: nobody else gets a turn meanwhile
            return
        with trio.CancelScope(shield=True):
            async with self._writing:
                if self._store.is_quick(writes, durable=durable):
                    self._store.commit(writes, durable=durable)
                else:
                    await trio.to_thread.run_sync(partial(self._store.commit, writes, durable=durable))

    async def exclusively(self, work: Callable[[], object]) -> None:
        """Run something on the store's own connection, in a worker thread, while nothing is being written."""
        async with self._writing:
            await trio.to_thread.run_sync(work)

    def soon(self, after_s: float, act: Callable[[], None]) -> None:
        """Do something a moment later."""

        async def wait() -> None:
            await trio.sleep(after_s)
            act()

        assert self._nursery is not None
        self._nursery.start_soon(wait)

    def _do(self, effect: Effect) -> None:
        match effect:
            case Answer():
                waiting = self._waiting.get(effect.token)
                if waiting is not None:
                    waiting.answer = effect
                    waiting.done.set()
            case Notify():
                self._tell(effect)
            case SetTimer():
                self._set_timer(effect)
            case Persist() | Fetch() | Scan():
                pass  # done before anything else
            case _:
                self._to_network(effect)

    def _to_network(self, effect: Send | SendStored | Dial | Forget | HangUp | Blame) -> None:
        if self.network is None:
            return
        match effect:
            case SendStored():
                self._send_in_turn(self.network, effect)
            case Send() if (effect.link, effect.send_class) in self._repairs:
                self._send_in_turn(self.network, effect)  # what ends an answer must not overtake it
            case Send():
                self.network.send(effect)
            case Dial():
                self.network.dial(effect)
            case Forget():
                self.network.forget(effect)
            case HangUp():
                self.network.hang_up(effect)
            case Blame():
                self.network.blame(effect)
            case _:
                assert_never(effect)

    def _send_in_turn(self, network: Links, effect: Send | SendStored) -> None:
        """Send what takes its time, in order for each link and class, beside the task that handles inputs."""
        queue = self._repairs.get((effect.link, effect.send_class))
        if queue is not None:
            waiting = sum(len(before.keys) for before in queue if isinstance(before, SendStored))
            if len(queue) < REPAIRS_WAITING_MAX and waiting < REPAIR_KEYS_WAITING_MAX:
                queue.append(effect)
            else:  # nobody who waits for an answer before asking again has so many open
                network.blame(Blame(link=effect.link, fault=Fault.OVER_LIMIT))
            return
        self._repairs[effect.link, effect.send_class] = deque([effect])
        assert self._nursery is not None
        self._nursery.start_soon(self._repair, network, effect.link, effect.send_class)

    async def _repair(self, network: Links, link: LinkId, send_class: SendClass) -> None:
        queue = self._repairs[link, send_class]
        there = True
        while queue and there:
            effect = queue.popleft()
            await trio.lowlevel.checkpoint()
            if isinstance(effect, Send):
                network.send(effect)
                continue
            for k in range(0, len(effect.keys), REPAIR_READ):
                values = [self.reader.get(effect.space, key) for key in effect.keys[k : k + REPAIR_READ]]
                there = await network.send_frames(
                    link, [v for v in values if v is not None], effect.send_class, effect.kind
                )
                if not there:
                    break
        del self._repairs[link, send_class]

    def _tell(self, notice: Notify) -> None:
        for key, sender in list(self._listeners.items()):
            try:
                sender.send_nowait(notice)
            except (trio.WouldBlock, trio.BrokenResourceError):
                sender.close()
                del self._listeners[key]

    async def _give_turns(self) -> None:
        """Let listeners catch up: they take one notice a turn of the loop, and a batch that is quick takes only one."""
        for _ in range(TURNS_MAX):
            if all(each.statistics().current_buffer_used < NOTICES_BEHIND for each in self._listeners.values()):
                return
            await trio.lowlevel.checkpoint()

    def _set_timer(self, effect: SetTimer) -> None:
        running = self._timers.pop(effect.timer, None)
        if running is not None:
            running.cancel()
        if effect.after_ms is not None:
            scope = self._timers[effect.timer] = trio.CancelScope()
            assert self._nursery is not None
            self._nursery.start_soon(self._wait, effect.timer, effect.after_ms / 1000, scope)

    async def _wait(self, timer: Timer, after_s: float, scope: trio.CancelScope) -> None:
        with scope:
            await trio.sleep(after_s)
            if self._timers.get(timer) is scope:
                del self._timers[timer]
            await self.inputs.send(TimerFired(timer=timer))
