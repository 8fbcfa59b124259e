"""The desk of a command that opened the home itself: the same machine, no network, and what would be sent waits."""

from collections.abc import Callable
from typing import Final, TypeVar

from mesh.commands import Command
from mesh.events import Answer, Asked, Effect, Fetch, Input, Instant, Persist, Scan, Started
from mesh.identity.keys import member_seed
from mesh.ids import PeerId
from mesh.node import clock
from mesh.node.chance import HpkeSealer, OsEntropy, os_dice
from mesh.node.home import Home
from mesh.node.keepsakes import Keepsakes, read_addresses, read_keepsakes
from mesh.node.local.protocol import JsonObject
from mesh.peer import Peer
from mesh.peer.state import State
from mesh.secret import Secret
from mesh.store.base import Store
from mesh.store.reading import read_for
from mesh.store.starting import starting_records

T = TypeVar("T")
JOIN_NONCE_BYTES: Final = 32


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

    def refused(self) -> list[JsonObject]:
        """There are none."""
        return []

    def health(self) -> JsonObject:
        """No node runs."""
        return {"running": False}

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
        return await self.with_root(passphrase, lambda root: member_seed(root, join_nonce))

    async def with_root(self, passphrase: str, derive: Callable[[Secret], T]) -> T:
        """Derive something of the root."""
        return derive(self._home.open_root(passphrase))

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
                elif isinstance(effect, Fetch | Scan):
                    waiting.append(read_for(self.store, effect))
        return seen
