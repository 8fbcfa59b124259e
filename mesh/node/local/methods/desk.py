"""The desk at which a method is answered: what it may look at, and how it asks the machine for something."""

from collections.abc import Callable
from typing import Protocol, TypeVar

from mesh.commands import Command
from mesh.events import Instant
from mesh.ids import PeerId
from mesh.node.keepsakes import Keepsakes
from mesh.node.local.protocol import JsonObject
from mesh.peer.state import State
from mesh.secret import Secret
from mesh.store.base import Store

T = TypeVar("T")


class Desk(Protocol):
    """Two bodies: the running node's, and that of a command which opened the home itself."""

    @property
    def state(self) -> State:
        """The machine's state, to be read and never changed."""

    @property
    def store(self) -> Store:
        """The store, as far as it is committed."""

    @property
    def keepsakes(self) -> Keepsakes:
        """What the node keeps for itself."""

    @property
    def running(self) -> bool:
        """Whether there is a network behind this desk."""

    def now(self) -> Instant:
        """Return this moment."""

    def links(self) -> list[JsonObject]:
        """Describe the links that stand."""

    def refused(self) -> list[JsonObject]:
        """Describe the nodes that are refused for a while: they sent what no honest node sends."""

    def health(self) -> JsonObject:
        """Say what this process holds, once the collector has run."""

    def linked_peers(self) -> frozenset[PeerId]:
        """Return the nodes that we have a link with."""

    async def ask(self, command: Command) -> bytes:
        """Have the machine carry out a command; return the id that it made. LocalError; committed when this returns."""

    async def until(self, condition: Callable[[], bool], wait_s: float) -> bool:
        """Wait until something holds, at most so long; return whether it does. Without a network: look once."""

    async def with_root(self, passphrase: str, derive: Callable[[Secret], T]) -> T:
        """Open the root slot and return what `derive` makes of the root (32 B), which is open only within this."""

    async def member_seed(self, passphrase: str) -> tuple[bytes, Secret]:
        """Open the root slot and derive a fresh member key; return its join nonce (32 B) and its seed."""

    async def member_seed_for(self, passphrase: str, join_nonce: bytes) -> Secret:
        """Open the root slot and derive the member key of a group that we are in."""

    async def change_passphrase(self, old: str, new: str) -> None:
        """Lock both slots with a new passphrase; LockedError if the old one is wrong."""

    def stop(self) -> None:
        """Stop the node."""
