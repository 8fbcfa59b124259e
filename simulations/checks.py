"""Checks: a watcher beside the world that compares what nodes claim with what is so, after every step.

It sees each step once its writes are on disk. It knows all that any node ever stored, so it can tell a claim from a
fact: a message is stored where it is said to be stored, comes up once, unaltered and under its author's name, only
for those whom its author knew to be in; a delivery state never says more than is so and never goes back; nothing is
authored twice under one number; and nothing leaves before it is written.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from mesh.events import Effect, Input, LinkKind, Persist, Put, Send, SendStored, Space, Started
from mesh.gossip.delivery import Delivery, DeliveryRecord, DeliveryState, End
from mesh.gossip.frontier import Frontier
from mesh.groups.records import ChainRecord, OwnState, load
from mesh.ids import DeviceId, FrameId, GroupId, MemberPk, PostId
from mesh.membership.views import View
from mesh.peer.placing import is_over
from mesh.peer.records import MessageRecord, RangesRecord, TrackRecord
from mesh.wire.frames import FrameType, parse_frame
from mesh.wire.messages import Kind
from simulations.people import Person
from simulations.world import Node, World

STATES: Final = list(DeliveryState)
LATE_MS: Final = 60_000  # by when a node that runs has forgotten what ran out


@dataclass(slots=True)
class _Post:
    """What is known of something that was said."""

    author: str
    member: MemberPk
    body: bytes
    mseq: int = 0
    entitled: frozenset[MemberPk] = frozenset()  # for whom it was sealed, its author included
    ends: bool = False  # by its own word, or it was taken back: nobody need have it


@dataclass(slots=True)
class Watch:
    """Watches a world. AssertionError, in the step where it happens, for anything that is not so."""

    world: World
    posts: dict[tuple[GroupId, PostId], _Post] = field(default_factory=dict)
    shown: dict[str, dict[tuple[GroupId, PostId], int]] = field(default_factory=dict)  # node → post → when first
    back: dict[str, dict[tuple[GroupId, PostId], None]] = field(default_factory=dict)  # node → posts taken back there
    _members: dict[str, dict[GroupId, MemberPk]] = field(default_factory=dict)
    _devices: dict[str, dict[GroupId, DeviceId]] = field(default_factory=dict)
    _owners: dict[tuple[GroupId, MemberPk], dict[str, None]] = field(default_factory=dict)  # the nodes of a member
    _frames: dict[str, dict[FrameId, None]] = field(default_factory=dict)  # node → message frames it ever stored
    _held: dict[str, dict[tuple[GroupId, DeviceId, int], None]] = field(default_factory=dict)
    _authored: dict[tuple[GroupId, DeviceId, int], bytes] = field(default_factory=dict)
    _chains: dict[tuple[GroupId, bytes, DeviceId], int] = field(default_factory=dict)
    _nonces: dict[tuple[bytes, bytes], bytes] = field(default_factory=dict)
    _deliveries: dict[tuple[str, GroupId, PostId], Delivery] = field(default_factory=dict)

    @staticmethod
    def over(world: World) -> "Watch":
        """Watch a world from now on; what its nodes have stored so far is taken as it is."""
        watch = Watch(world)
        for node in world.nodes.values():
            watch._learn(node)
        for node in world.nodes.values():
            for key, value in node.store.scan(Space.MESSAGES):
                name = GroupId(key[:32]), load(MessageRecord, value).post
                watch.shown.setdefault(node.name, {})[name] = 0
        world.watchers.append(watch.step)
        return watch

    def _learn(self, node: Node) -> None:
        """Take what a node has written before as if it were written now."""
        for _, value in node.store.scan(Space.GROUPS):
            self._own(node, load(OwnState, value))
        for space in (Space.FRAMES, Space.CHAINS):
            for key, value in node.store.scan(space):
                put = Put(space, key, value)
                (self._frame if space is Space.FRAMES else self._chain)(node, put, durable=True)
        for _, value in node.store.scan(Space.KEPT):
            self._frames.setdefault(node.name, {})[parse_frame(value).id] = None
        for key, value in node.store.scan(Space.MESSAGES):
            record = load(MessageRecord, value)
            gid = GroupId(key[:32])
            if record.dev == self._devices[node.name][gid]:
                self.posts[gid, record.post] = _Post(node.name, record.member, record.body, record.mseq)
        for key, value in node.store.scan(Space.DELIVERY):
            gid, post = GroupId(key[:32]), PostId(key[32:])
            delivery = Delivery.from_record(load(DeliveryRecord, value))
            self._deliveries[node.name, gid, post] = delivery
            self._entitle(gid, post, delivery)

    def step(self, node: Node, event: Input, effects: list[Effect]) -> None:
        """Look at one step."""
        if isinstance(event, Started):
            self._restarted(node)
        persists = [effect for effect in effects if isinstance(effect, Persist)]
        assert len(persists) <= 1, "more than one Persist in a step"
        if persists:
            assert effects[0] is persists[0], "a Persist that does not come first"
            self._written(node, persists[0])
        for effect in effects:
            if isinstance(effect, Send) and effect.kind is LinkKind.STORED:
                self._claimed_stored(node, effect.payload)
            elif isinstance(effect, Send) and effect.kind is LinkKind.FRAME:
                self._sent(node, effect.payload)
            elif isinstance(effect, SendStored) and effect.kind is LinkKind.FRAME:  # of chunks, what is there is given
                for key in effect.keys:
                    assert node.store.get(effect.space, key) is not None, "a frame is offered that is not stored"

    def _restarted(self, node: Node) -> None:
        """A power cut may have taken names from a list of those who have a message; never the state itself."""
        for name, before in self._deliveries.items():
            if name[0] == node.name:
                value = node.store.get(Space.DELIVERY, name[1] + name[2])
                if value is not None:
                    now = Delivery.from_record(load(DeliveryRecord, value))
                    assert STATES.index(now.state) >= STATES.index(before.state), "a state went back"
                    self._deliveries[name] = now

    # ------------------------------------------------------------ what is written

    def _written(self, node: Node, persist: Persist) -> None:
        puts = [write for write in persist.writes if isinstance(write, Put)]
        for put in puts:
            if put.space is Space.GROUPS:
                self._own(node, load(OwnState, put.value))
                assert persist.durable, "our own counters move in a commit that a power cut may undo"
        for put in puts:
            match put.space:
                case Space.FRAMES:
                    self._frame(node, put, durable=persist.durable)
                case Space.CHAINS:
                    self._chain(node, put, durable=persist.durable)
                case Space.KEPT:
                    self._frames.setdefault(node.name, {})[parse_frame(put.value).id] = None
                case Space.KEMS | Space.DRAFTS:
                    assert persist.durable, "something of our own is kept in a commit that a power cut may undo"
                case Space.MESSAGES:
                    self._message(node, put)
                case _:
                    pass
        for put in puts:
            if put.space is Space.DELIVERY:
                self._delivery(node, put)

    def _own(self, node: Node, own: OwnState) -> None:
        if self._devices.get(node.name, {}).get(own.gid, own.dev) != own.dev:  # somebody new: no claims of theirs yet
            for name in [name for name in self._deliveries if name[:2] == (node.name, own.gid)]:
                del self._deliveries[name]
        self._members.setdefault(node.name, {})[own.gid] = own.member_pk
        self._devices.setdefault(node.name, {})[own.gid] = own.dev
        self._owners.setdefault((own.gid, own.member_pk), {})[node.name] = None

    def _frame(self, node: Node, put: Put, *, durable: bool) -> None:
        gid, dev, mseq = GroupId(put.key[:32]), DeviceId(put.key[32:48]), int.from_bytes(put.key[48:], "big")
        frame = parse_frame(put.value)
        self._frames.setdefault(node.name, {})[frame.id] = None
        self._held.setdefault(node.name, {})[gid, dev, mseq] = None
        if dev == self._devices[node.name][gid]:
            assert durable, "a message of our own is kept in a commit that a power cut may undo"
            first = self._authored.setdefault((gid, dev, mseq), put.value)
            assert first == put.value, f"{node.name} gave number {mseq} to two messages"
        nonce = self._nonces.setdefault((frame.pk, frame.middle[:24]), frame.core)
        assert nonce == frame.core, "a nonce is used twice under one epoch"

    def _chain(self, node: Node, put: Put, *, durable: bool) -> None:
        gid, epoch, dev = GroupId(put.key[:32]), put.key[32:64], DeviceId(put.key[64:80])
        if dev == self._devices.get(node.name, {}).get(gid):
            chain = load(ChainRecord, put.value)
            before = self._chains.get((gid, epoch, dev), 0)
            assert chain.i >= before, "our own ratchet turns back"
            assert durable or chain.i == before == 0, "our own ratchet moves in a commit that a power cut may undo"
            self._chains[gid, epoch, dev] = chain.i

    def _message(self, node: Node, put: Put) -> None:
        gid = GroupId(put.key[:32])
        record = load(MessageRecord, put.value)
        own = record.dev == self._devices[node.name][gid]
        name = gid, record.post
        index = node.store.get(Space.POSTS, post_key(gid, record.post))
        assert index == put.key, "the index points elsewhere"
        if record.kind == Kind.WITHDRAWAL:
            self._taken_back(node, name, record)
            return
        if not record.body:
            assert own, "somebody else's post ends in silence"
            self.posts[name].ends = True
            return
        self._still_there(node, gid, record)
        if own:
            post = self.posts.setdefault(name, _Post(node.name, record.member, record.body))
            assert post.author == node.name
            post.mseq = post.mseq or record.mseq
            post.ends = post.ends or record.gone_ms > 0
        assert name in self.posts, f"{node.name} shows what nobody said"
        post = self.posts[name]
        assert (post.member, post.body) == (record.member, record.body), f"{node.name} shows it altered"
        assert name not in self.back.get(node.name, {}), f"{node.name} shows again what was taken back"
        entitled = record.handed_on or self._members[node.name][gid] in post.entitled
        assert own or entitled, f"{node.name} reads what was not for them"
        self.shown.setdefault(node.name, {}).setdefault(name, self.world.now_ms)

    def _taken_back(self, node: Node, name: tuple[GroupId, PostId], record: MessageRecord) -> None:
        """Only its author takes a post back, and what was taken back nobody reads again."""
        post = self.posts.get(name)
        assert post is not None, f"{node.name} shows as taken back what nobody said"
        assert post.member == record.member, f"{node.name} shows as taken back what its author did not"
        post.ends = True
        self.back.setdefault(node.name, {})[name] = None

    def _still_there(self, node: Node, gid: GroupId, record: MessageRecord) -> None:
        room = None if node.peer is None else node.peer.state.rooms.get(gid)
        if room is not None:
            over = is_over(room, record.at_ms, record.gone_ms, self.world.instant(node).wall_ms)
            assert not over, f"{node.name} keeps what has run out"

    # ------------------------------------------------------------ what is claimed

    def _delivery(self, node: Node, put: Put) -> None:
        gid, post_id = GroupId(put.key[:32]), PostId(put.key[32:])
        now = Delivery.from_record(load(DeliveryRecord, put.value))
        name = node.name, gid, post_id
        before = self._deliveries.get(name, Delivery())
        self._entitle(gid, post_id, now)
        assert before.mseq in (0, now.mseq), "a message's number changes"
        assert before.end is End.OPEN or now == before, "what ended has changed"
        assert STATES.index(now.state) >= STATES.index(before.state), "a state went back"
        assert before.of == now.of or not before.mseq, "those for whom it was sealed change"
        assert before.held.items() <= now.held.items(), "one who had it no longer does, or said so at another time"
        assert before.reached <= now.reached, "one whom it had reached is forgotten"
        assert now.reached <= now.of, "it reached one for whom it was not sealed"
        dev = self._devices[node.name][gid]
        for member in now.held.keys() | now.reached:
            holders = self._owners[gid, member]
            held = any((gid, dev, now.mseq) in self._held.get(holder, {}) for holder in holders)
            assert held, f"{list(holders)} never stored what is claimed"
        for member in now.reached:
            readers = self._owners[gid, member]
            read = any((gid, post_id) in self.shown.get(reader, {}) for reader in readers)
            assert read, f"{list(readers)} cannot read what is said to have reached"
        self._deliveries[name] = now

    def _entitle(self, gid: GroupId, post_id: PostId, delivery: Delivery) -> None:
        post = self.posts[gid, post_id]
        if delivery.mseq and not post.entitled:
            post.entitled = delivery.of | {post.member}

    def _claimed_stored(self, node: Node, payload: bytes) -> None:
        for k in range(0, len(payload), 32):
            claimed = FrameId(payload[k : k + 32])
            assert claimed in self._frames.get(node.name, {}), f"{node.name} says it stored what it did not"

    def _sent(self, node: Node, raw: bytes) -> None:
        frame = parse_frame(raw)
        if frame.type is FrameType.MESSAGE:
            assert frame.id in self._frames.get(node.name, {}), f"{node.name} sends a message before it is stored"

    # ------------------------------------------------------------ an old disk

    def forgets(self, name: str) -> None:
        """Learn that a node's disk is about to be an older one: what it claimed since is not gone back on by it."""
        for known in [known for known in self._deliveries if known[0] == name]:
            del self._deliveries[known]
        devices = self._devices.get(name, {})
        for chain in [chain for chain in self._chains if devices.get(chain[0]) == chain[2]]:
            del self._chains[chain]

    # ------------------------------------------------------------ at rest

    def at_rest(self, gid: GroupId, people: Iterable[Person]) -> None:
        """Check that what stands in each store fits together, once nothing is under way in it."""
        for person in people:
            store = person.node.store
            seen: dict[PostId, None] = {}
            for key, value in store.scan(Space.MESSAGES, gid):
                record = load(MessageRecord, value)
                assert record.post not in seen, f"{person.name} reads a message twice"
                seen[record.post] = None
                assert store.get(Space.POSTS, post_key(gid, record.post)) == key
                wall_ms = self.world.instant(person.node).wall_ms - LATE_MS
                assert not is_over(person.room(gid), record.at_ms, record.gone_ms, wall_ms), "what ran out is kept"
            assert store.count(Space.POSTS, gid) == len(seen)
            for key, value in store.scan(Space.FRONTIERS, gid):
                track = load(TrackRecord, value)
                have, gone = frontier_of(track.have), frontier_of(track.gone)
                rows = [int.from_bytes(k[48:], "big") for k, _ in store.scan(Space.FRAMES, key)]
                assert all(mseq in have for mseq in rows), f"{person.name} forgot that a message is here"
                assert not any(mseq in gone for mseq in rows), f"{person.name} keeps what was to be forgotten"
                held = sum(last - first + 1 for first, last in gone.missing_from(have))
                assert held == len(rows), f"{person.name} says that messages are here which are not"


def frontier_of(record: RangesRecord) -> Frontier:
    """Read a frontier from its record."""
    return Frontier(record.contiguous, tuple((r[0], r[1]) for r in record.beyond))


def post_key(gid: GroupId, post: PostId) -> bytes:
    """Return the key of a post's row in Space.POSTS."""
    return gid + post


def same_view(one: View, other: View) -> bool:
    """Say whether two views are the same; `valid` numbers operations in the order in which each node got them."""
    return replace(one, valid=0) == replace(other, valid=0)


def agree(gid: GroupId, people: Iterable[Person]) -> list[str]:
    """Say what these members of a group do not agree on, once all is healed; nothing if they agree."""
    found: list[str] = []
    first, *others = people
    view, group = first.group(gid).view, first.group(gid)
    for person in others:
        theirs = person.group(gid)
        if theirs.log.heads != group.log.heads:
            found.append(f"{first.name} and {person.name} do not hold the same operations")
        if not same_view(theirs.view, view):
            found.append(f"{first.name} and {person.name} do not have the same view")
        if theirs.epoch != group.epoch:
            found.append(f"{first.name} and {person.name} would send under different epochs")
    for person in (first, *others):
        if not person.group(gid).epoch_is_complete:
            found.append(f"{person.name} has no complete epoch")
        if person.room(gid).drafts and others:
            found.append(f"{person.name} still has drafts")
    return found


def unread(watch: Watch, gid: GroupId, people: Iterable[Person]) -> list[str]:
    """Say which of these members lack a post that was sealed for them and whose author is among them.

    One who came back after a removal is another member: what they had said before, nobody hands on for them.
    """
    everyone = list(people)
    authors = {person.member(gid) for person in everyone}
    found: list[str] = []
    for (group, post_id), post in watch.posts.items():
        if group != gid or post.member not in authors or not post.mseq or post.ends:
            continue
        name = gid, post_id
        found.extend(
            f"{person.name} lacks message {post.mseq} of {post.author}"
            for person in everyone
            if person.member(gid) in post.entitled and name not in watch.shown.get(person.name, {})
        )
    return found


def out_of_order(gid: GroupId, people: Iterable[Person]) -> list[str]:
    """Say who reads somebody's posts in another order than they were written in."""
    found: list[str] = []
    for person in people:
        by_author: dict[DeviceId, list[int]] = {}
        for record in person.messages(gid):
            if record.mseq:
                by_author.setdefault(record.dev, []).append(record.mseq)
        orders = [order for order in by_author.values() if order != sorted(order)]
        found.extend(f"{person.name} reads them as {order}" for order in orders)
    return found


def blamed(world: World) -> list[str]:
    """Say who holds what against whom; nothing where all are honest."""
    return [f"{node.name}: {blame.fault}" for node in world.nodes.values() for blame in node.blames]
