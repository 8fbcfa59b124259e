"""Methods of the local Api over simulated nodes: what people are told about doors, removals and leaving is so."""

from collections.abc import Callable
from hashlib import sha256

import pytest

from mesh.commands import Command
from mesh.errors import LocalError
from mesh.events import Instant
from mesh.ids import PeerId
from mesh.node.keepsakes import Keepsakes, draw_keepsakes
from mesh.node.local import methods
from mesh.node.local.inprocess import run_to_end
from mesh.node.local.protocol import JsonObject
from mesh.peer.state import State
from mesh.secret import Secret
from mesh.store.base import Store
from simulations.chance import SeededEntropy
from simulations.world import START_WALL_MS, Node, World

GROUP = "Tuesday grief"


class WorldDesk:
    """A desk at a node of the world; a wait lets virtual time pass."""

    running = True

    def __init__(self, world: World, name: str) -> None:
        world.add(name)
        self._world, self._name, self._entropy = world, name, SeededEntropy(world.seed, f"desk/{name}")
        self.keepsakes: Keepsakes = draw_keepsakes(fingerprint="", name=name, locale="", entropy=self._entropy)

    @property
    def node(self) -> Node:
        return self._world.nodes[self._name]

    @property
    def state(self) -> State:
        assert self.node.peer is not None
        return self.node.peer.state

    @property
    def store(self) -> Store:
        return self.node.store

    def now(self) -> Instant:
        return Instant(mono_ms=self._world.now_ms, wall_ms=START_WALL_MS + self._world.now_ms)

    def links(self) -> list[JsonObject]:
        return [{"peer": peer} for peer in self.linked_peers()]

    def linked_peers(self) -> frozenset[PeerId]:
        return frozenset(self._world.nodes[name].peer_id for name, _ in self.node.links.values())

    async def ask(self, command: Command) -> bytes:
        return self._world.ask(self._name, command)

    async def until(self, condition: Callable[[], bool], wait_s: float) -> bool:
        return self._world.run_until(condition, wait_s)

    async def member_seed(self, passphrase: str) -> tuple[bytes, Secret]:
        nonce = self._entropy.draw(32)
        return nonce, await self.member_seed_for(passphrase, nonce)

    async def member_seed_for(self, passphrase: str, join_nonce: bytes) -> Secret:
        return Secret(sha256(passphrase.encode() + self._name.encode() + join_nonce).digest())

    async def change_passphrase(self, old: str, new: str) -> None:
        raise NotImplementedError

    def stop(self) -> None:
        raise NotImplementedError

    # ------------------------------------------------------------ as the socket's client would

    def call(self, method: str, **params: object) -> JsonObject:
        """Ask one thing."""
        return run_to_end(methods.call(self, method, {"group": GROUP, "passphrase": "p", **params}))  # type: ignore[dict-item] # tests hand in JSON

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
        join = part(self.call("join.start", code=code), "join")
        found = part(self.call("join.wait", join=join["id"], until="preview", wait_s=60), "join")
        assert found["state"] == "preview"
        self.call("join.agree", join=join["id"], alias=self._name, agreement_version=1)
        return part(self.call("join.wait", join=join["id"], until="joined", wait_s=20), "join")


def part(value: JsonObject, key: str) -> JsonObject:
    """Return an object in an answer."""
    found = value[key]
    assert isinstance(found, dict)
    return found


def two(seed: int = 11) -> tuple[World, WorldDesk, WorldDesk]:
    """Return a world in which wren has founded a group, and tansy is outside."""
    world = World(seed)
    wren, tansy = WorldDesk(world, "wren"), WorldDesk(world, "tansy")
    wren.call("group.create", name=GROUP)
    return world, wren, tansy


def test_who_knocks_and_who_admits_see_the_same_words() -> None:
    _, wren, tansy = two()
    join = tansy.agree(wren.code(approvals=3))
    assert join["state"] == "awaiting-approval"
    (knock,) = wren.list("knocks.list", "knocks")
    words = join["key_words"]
    assert isinstance(words, list)
    assert len(words) == 6
    assert knock["key_words"] == words
    (shown,) = tansy.list("status", "joins")
    assert shown["key_words"] == words


def test_one_yes_is_enough_where_one_is_asked_for() -> None:
    _, wren, tansy = two()
    join = tansy.agree(wren.code(approvals=1))
    assert part(wren.call("knocks.admit", knock="tansy"), "admitted")["alias"] == "tansy"
    assert part(tansy.call("join.wait", join=join["id"], wait_s=20), "join")["state"] == "joined"
    assert tansy.list("status", "joins") == [], "who is in has nothing more to do"


def test_one_yes_is_counted_where_more_are_asked_for() -> None:
    _, wren, tansy = two()
    join = tansy.agree(wren.code(approvals=3))
    for _ in range(2):
        said = part(wren.call("knocks.admit", knock="tansy"), "approved")
        assert (said["approvals"], said["needed"]) == (1, 3)
    (knock,) = wren.list("knocks.list", "knocks")
    assert (knock["approvals"], knock["needed"]) == (1, 3)
    assert part(tansy.call("join.wait", join=join["id"], wait_s=5), "join")["state"] == "awaiting-approval"


def test_who_was_declined_reads_it_in_the_status() -> None:
    _, wren, tansy = two()
    code = wren.code(approvals=1)
    join = tansy.agree(code)
    wren.call("knocks.decline", knock="tansy")
    tansy.call("join.wait", join=join["id"], wait_s=20)
    (shown,) = tansy.list("status", "joins")
    assert (shown["state"], shown["why"], shown["key_words"]) == ("refused", "A member declined.", [])
    assert tansy.agree(wren.code())["state"] == "joined"
    assert tansy.list("status", "joins") == [], "another code let them in since"


def test_an_attempt_that_is_over_can_be_dropped() -> None:
    _, wren, tansy = two()
    refused = tansy.agree(wren.code(approvals=1))
    wren.call("knocks.decline", knock="tansy")
    tansy.call("join.wait", join=refused["id"], wait_s=20)
    joined = tansy.agree(wren.code())
    for join in (refused, joined):
        assert tansy.call("join.drop", join=join["id"]) == {"dropped": {"id": join["id"]}}
    assert tansy.list("join.list", "joins") == []
    assert [part(tansy.call("group.show"), "group")["state"]] == ["member"], "who is in stays in"
    with pytest.raises(LocalError):
        tansy.call("join.drop", join=refused["id"])


def test_a_code_without_its_end_says_that_there_is_nowhere_to_look() -> None:
    _, wren, tansy = two()
    bare, _, _ = wren.code().partition("#")
    join = part(tansy.call("join.start", code=bare), "join")
    assert join["addresses"] == 0
    assert part(tansy.call("join.wait", join=join["id"], until="preview", wait_s=60), "join")["state"] == "looking"


def test_a_removal_says_which_codes_it_closed_and_the_members_see_the_reason() -> None:
    world, wren, tansy = two()
    sorrel = WorldDesk(world, "sorrel")
    for person in (tansy, sorrel):
        person.agree(wren.code())
    wren.code(note="for A.")
    removed = wren.call("group.remove", member="tansy", reason="as agreed")
    closed = removed["invites_closed"]
    assert isinstance(closed, list)
    assert [entry["note"] for entry in closed if isinstance(entry, dict)] == ["for A."]
    assert {invite["state"] for invite in wren.list("invite.list", "invites")} <= {"revoked", "used-up"}
    world.run(5)
    (gone,) = sorrel.list("group.members", "departed")
    assert (gone["alias"], gone["state"], gone["reason"]) == ("tansy", "removed", "as agreed")
    assert part(gone, "by")["alias"] == "wren"


@pytest.mark.parametrize("online", [True, False])
def test_wiped_is_said_only_when_nothing_is_left(online: bool) -> None:
    world, wren, tansy = two()
    tansy.agree(wren.code())
    world.run(5)
    if not online:
        world.stop("wren")
        world.run(60)
    left = tansy.call("group.leave", wipe=True)
    assert left["wiped"] is online
    assert bool(tansy.state.rooms) is not online
    if not online:
        assert tansy.call("group.leave", wipe=True)["wiped"] is True, "asked again, it goes at once"
        assert tansy.state.rooms == {}
    else:
        (gone,) = wren.list("group.members", "departed")
        assert (gone["alias"], gone["state"], gone["reason"]) == ("tansy", "left", None)


@pytest.mark.parametrize("seconds", [0, -1, 90 * 86_400 + 1])
def test_how_long_an_invite_may_last_is_said_in_days(seconds: int) -> None:
    _, wren, _ = two()
    with pytest.raises(LocalError) as caught:
        wren.code(expires_s=seconds)
    assert "90 days" in caught.value.what
