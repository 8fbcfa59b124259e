"""Desks: the local Api at a simulated node, so that what people are shown in a world is what the real program shows.

A desk answers the methods of `mesh.node.local.methods` from a node's state and store, as the socket does; nothing of
processes, sockets or disks is behind it.
"""

from collections.abc import Callable
from hashlib import sha256
from typing import Final, TypeVar

from mesh.commands import Command
from mesh.events import Instant
from mesh.identity.keys import member_seed
from mesh.ids import PeerId
from mesh.node.keepsakes import Keepsakes, draw_keepsakes
from mesh.node.local import methods
from mesh.node.local.inprocess import run_to_end
from mesh.node.local.protocol import JsonObject, JsonValue
from mesh.peer.state import State
from mesh.secret import Secret
from mesh.store.base import Store
from simulations.chance import SeededEntropy
from simulations.world import Node, World

USUAL: Final = "Tuesday grief"  # the group that is meant where a story names none
T = TypeVar("T")


class WorldDesk:
    """A desk at a node of the world; a wait lets virtual time pass. One that only `looks` changes nothing."""

    running = True

    def __init__(self, world: World, name: str, *, looks: bool = False) -> None:
        if name not in world.nodes:
            world.add(name)
        self._world, self._name, self._looks = world, name, looks
        self._entropy = SeededEntropy(world.seed, f"desk/{name}")
        self.root = Secret(sha256(name.encode()).digest())
        self.seeds: dict[bytes, Secret] = {}  # of member keys that do not come from this root, by join nonce
        self.keepsakes: Keepsakes = draw_keepsakes(fingerprint="", name=name, locale="", entropy=self._entropy)

    @property
    def node(self) -> Node:
        """The node as the world has it."""
        return self._world.nodes[self._name]

    @property
    def state(self) -> State:
        """The running node's state."""
        assert self.node.peer is not None
        return self.node.peer.state

    @property
    def store(self) -> Store:
        """The node's store."""
        return self.node.store

    def now(self) -> Instant:
        """This moment, by the node's clocks."""
        return self._world.instant(self.node)

    def links(self) -> list[JsonObject]:
        """Describe the links that stand."""
        return [{"peer": peer} for peer in self.linked_peers()]

    def refused(self) -> list[JsonObject]:
        """Nobody is refused here."""
        return []

    def health(self) -> JsonObject:
        """Say that it runs."""
        return {"running": True}

    def linked_peers(self) -> frozenset[PeerId]:
        """The nodes that it has a link with."""
        return frozenset(self._world.nodes[name].peer_id for name, _ in self.node.links.values())

    async def ask(self, command: Command) -> bytes:
        """Have the node carry out a command."""
        return b"" if self._looks else self._world.ask(self._name, command)

    async def until(self, condition: Callable[[], bool], wait_s: float) -> bool:
        """Let time pass until something holds."""
        return condition() if self._looks else self._world.run_until(condition, wait_s)

    async def member_seed(self, passphrase: str) -> tuple[bytes, Secret]:
        """Derive a fresh member key."""
        nonce = self._entropy.draw(32)
        return nonce, await self.member_seed_for(passphrase, nonce)

    async def member_seed_for(self, passphrase: str, join_nonce: bytes) -> Secret:
        """Derive the key of a group that it is in."""
        if join_nonce in self.seeds:
            return self.seeds[join_nonce]
        return await self.with_root(passphrase, lambda root: member_seed(root, join_nonce))

    async def with_root(self, passphrase: str, derive: Callable[[Secret], T]) -> T:
        """Give what is made of the root."""
        del passphrase
        return derive(self.root)

    async def change_passphrase(self, old: str, new: str) -> None:
        """There is none."""
        del old, new
        raise AssertionError("the people of a world have no keyslot: `test_home` asks a real one")

    def stop(self) -> None:
        """There is no process."""
        raise AssertionError("a world ends by itself: the end-to-end tests stop real nodes")

    # ------------------------------------------------------------ as the socket's client would

    def answer(self, method: str, **params: JsonValue) -> JsonObject:
        """Ask one thing, with these parameters and no others."""
        return run_to_end(methods.call(self, method, params))

    def call(self, method: str, **params: object) -> JsonObject:
        """Ask one thing."""
        return run_to_end(methods.call(self, method, {"group": USUAL, "passphrase": "p", **params}))  # type: ignore[dict-item] # stories hand in JSON

    def list(self, method: str, key: str) -> list[JsonObject]:
        """Ask for a list of objects."""
        found = self.call(method, **({"group": None} if method == "knocks.list" else {}))[key]
        assert isinstance(found, list)
        return [entry for entry in found if isinstance(entry, dict)]

    def code(self, **terms: object) -> str:
        """Make an invite code."""
        return str(self.call("invite.new", **terms)["code"])

    def agree(self, code: str) -> JsonObject:
        """Look for the group, agree, and knock; the join as it stands when somebody has answered, or nobody does."""
        join = _part(self.call("join.start", code=code), "join")
        found = _part(self.call("join.wait", join=join["id"], until="preview", wait_s=60), "join")
        assert found["state"] == "preview"
        self.call("join.agree", join=join["id"], alias=self._name, agreement_version=1)
        return _part(self.call("join.wait", join=join["id"], until="joined", wait_s=20), "join")


def _part(value: JsonObject, key: str) -> JsonObject:
    found = value[key]
    assert isinstance(found, dict)
    return found
