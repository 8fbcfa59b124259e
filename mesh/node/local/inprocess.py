"""The Api's second body: no node runs, so the command opens the home itself, under its lock, and closes it again.

The same machine handles the same commands; what it wants sent waits for the node. Nothing here needs trio or libp2p:
methods are async functions, but at this desk they never wait, so they are simply run to their end.
"""

from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Final, TypeVar

from mesh.commands import Command
from mesh.errors import LocalError
from mesh.events import Answer, Asked, Effect, Fetch, Fetched, Input, Instant, Persist, Started
from mesh.identity.keys import member_seed
from mesh.ids import PeerId
from mesh.node import clock
from mesh.node.chance import HpkeSealer, OsEntropy, os_dice
from mesh.node.home import Home
from mesh.node.keepsakes import Keepsakes, read_addresses, read_keepsakes
from mesh.node.local import methods
from mesh.node.local.api import STREAMS, Passphrase
from mesh.node.local.protocol import JsonObject
from mesh.peer import Peer
from mesh.peer.state import State
from mesh.secret import Secret
from mesh.store.base import Store
from mesh.store.starting import starting_records

T = TypeVar("T")
LOCK_WAIT_S: Final = 5.0  # architecture.md: another command may be at work
JOIN_NONCE_BYTES: Final = 32


class InProcessApi:
    """An `Api` over a home that no node runs on."""

    def __init__(self, home: Path, passphrase: Passphrase) -> None:
        self._home = Home.at(home)
        self._lock = self._home.lock(LOCK_WAIT_S)
        try:
            self._store = self._home.open_store(passphrase())
            self._desk = ClosedDesk(self._home, self._store)
        except BaseException:
            self._lock.release()
            raise

    def call(self, method: str, params: JsonObject) -> JsonObject:
        """Answer once; MeshError."""
        if method in STREAMS:
            raise node_needed()
        return run_to_end(methods.call(self._desk, method, params))

    def stream(self, method: str, params: JsonObject) -> Iterator[JsonObject]:
        """Refuse: nothing happens while no node runs."""
        del method, params
        raise node_needed()

    def close(self) -> None:
        """Let go of store and lock."""
        self._store.close()
        self._lock.release()


def node_needed() -> LocalError:
    """Return the error for what only a running node can do."""
    return LocalError(
        "your node is not running",
        why="without it nothing new can come",
        do="start it with `mesh up`, in another terminal or with --detach",
        code="E-NODE-DOWN",
    )


def run_to_end(call: Coroutine[object, object, T]) -> T:
    """Run a coroutine that never waits."""
    try:
        call.send(None)
    except StopIteration as end:
        value: T = end.value
        return value
    call.close()
    raise AssertionError("a method waited at a desk where nothing happens")


class ClosedDesk:
    """A `Desk` without a network."""

    running: Final = False

    def __init__(self, home: Home, store: Store) -> None:
        self._home, self.store = home, store
        self.keepsakes: Keepsakes = read_keepsakes(store)
        self._peer = Peer(dice=os_dice(), entropy=OsEntropy(), sealer=HpkeSealer())
        self._handle(Started(records=starting_records(store), addresses=read_addresses(store)))

    @property
    def state(self) -> State:
        """The machine's state."""
        return self._peer.state

    def now(self) -> Instant:
        """Return this moment."""
        return clock.now()

    def links(self) -> list[JsonObject]:
        """There are none."""
        return []

    def linked_peers(self) -> frozenset[PeerId]:
        """There are none."""
        return frozenset()

    async def ask(self, command: Command) -> bytes:
        """Carry out a command; LocalError."""
        answers = [e for e in self._handle(Asked(token=0, command=command)) if isinstance(e, Answer)]
        if answers[0].error is not None:
            raise answers[0].error
        return answers[0].subject

    async def until(self, condition: Callable[[], bool], wait_s: float) -> bool:
        """Look once."""
        del wait_s
        return condition()

    async def member_seed(self, passphrase: str) -> tuple[bytes, Secret]:
        """Derive a fresh member key."""
        nonce = OsEntropy().draw(JOIN_NONCE_BYTES)
        return nonce, await self.member_seed_for(passphrase, nonce)

    async def member_seed_for(self, passphrase: str, join_nonce: bytes) -> Secret:
        """Derive the member key of a group that we are in."""
        return member_seed(self._home.open_root(passphrase), join_nonce)

    async def change_passphrase(self, old: str, new: str) -> None:
        """Lock both slots with a new passphrase."""
        self._home.change_passphrase(old, new, entropy=OsEntropy())

    def stop(self) -> None:
        """Nothing runs."""

    def _handle(self, event: Input) -> list[Effect]:
        """Handle an input and all that the store answers; commit, and let what would be sent wait for the node."""
        waiting: list[Input] = [event]
        seen: list[Effect] = []
        while waiting:
            for effect in self._peer.handle(waiting.pop(0), clock.now()):
                seen.append(effect)
                if isinstance(effect, Persist):
                    self.store.commit(effect.writes, durable=effect.durable)
                elif isinstance(effect, Fetch):
                    values = tuple(self.store.get(effect.space, key) for key in effect.keys)
                    waiting.append(Fetched(ticket=effect.ticket, values=values))
        return seen
