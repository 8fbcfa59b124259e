"""Leaks: a watcher beside the world that looks for four things which nobody may ever be shown, after every step.

1. The words behind a content warning stand nowhere but in a view that somebody opened.
2. Of a report, nobody but those whom it went to has anything; and nothing that the reported can open says who wrote.
3. No export holds somebody else's post without its author's consent, as far as the one who exports has heard.
4. Of a talk with a listener, nobody but the two has anything: its group, its keys, its aliases; and none of it goes
   over another link than that to a keeper.

It looks from the outside: at all that nodes take in and write down, at what their keys open of what reached them, at
what they tell their people, and at what each method of the local Api that only shows something would answer now. It
knows what is secret from the steps that brought it about. Members who misbehave may show their own person what they
like; what others have is looked at all the same.

What it cannot see: timing, sizes, and who is linked with whom.
"""

import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from mesh.errors import LocalError, RemoteError
from mesh.events import Effect, FrameReceived, Input, LinkKind, Notify, Persist, Put, Send, Space
from mesh.groups.discreet import is_kept
from mesh.groups.notes import open_note, read_note
from mesh.ids import DeviceId, GroupId, MemberPk, PostId
from mesh.node.local.methods.telling import Teller
from mesh.node.local.protocol import JsonObject
from mesh.peer.state import Room
from mesh.support.posts import interpret
from mesh.wire import limits
from mesh.wire.codec import decode
from mesh.wire.frames import parse_frame, topic_of
from mesh.wire.messages import Kind, MessageTbs
from simulations.chance import SeededEntropy, SeededSealer
from simulations.checks import Watch
from simulations.desks import WorldDesk
from simulations.world import Node, World

# What a person can look at without opening anything: of each group, and of all.
OF_A_GROUP: Final = ("read", "group.show", "group.members", "log", "circle.show")
OF_ALL: Final = ("status", "outbox", "own.list", "share.list", "reports.list", "listen.list", "introduce.list")


@dataclass(frozen=True, slots=True)
class Secret:
    """Something that only some may have. `words` would give it away in a view, `raw` in bytes."""

    what: str
    words: tuple[str, ...]
    raw: tuple[bytes, ...]
    insiders: frozenset[str]  # the names of those who may


@dataclass(frozen=True, slots=True)
class Reported:
    """Who wrote a report, about whose post, and whom it went to."""

    group: GroupId
    author: str
    reported: str
    readers: frozenset[str]
    names: tuple[bytes, ...]  # by which the reporter is known: alias, member key, device


@dataclass(slots=True)
class Consent:
    """What an author let others do with a post, and how far one must have heard them to know that it is over."""

    everyone: bool = False
    to: dict[str, None] = field(default_factory=dict)
    over: tuple[str, int] | None = None  # the author, and the number of what took it back


@dataclass(slots=True)
class Leaks:
    """Watches a world. AssertionError, in the step where it happens, for what is shown to one who may not have it."""

    world: World
    watch: Watch
    rogues: dict[str, None]  # who does not keep to the rules: their own views are their own matter
    heads: dict[str, None] = field(default_factory=dict)  # how the words behind warnings begin
    secrets: list[Secret] = field(default_factory=list)
    reports: list[Reported] = field(default_factory=list)
    consents: dict[PostId, Consent] = field(default_factory=dict)
    talks: dict[GroupId, frozenset[str]] = field(default_factory=dict)  # with a listener: the two
    looked: int = 0  # views
    exported: int = 0  # posts of others that were found in exports, all with consent
    opened: int = 0  # sealed notes that somebody could open, with those to whom they are
    _seen: dict[str, int] = field(default_factory=dict)  # node → commits when its views were looked at
    _told: dict[str, int] = field(default_factory=dict)  # node → notices that were looked at
    _tried: dict[str, dict[tuple[GroupId, DeviceId, int], None]] = field(default_factory=dict)

    @staticmethod
    def over(world: World, watch: Watch, rogues: dict[str, None]) -> "Leaks":
        """Watch a world from now on."""
        leaks = Leaks(world, watch, rogues)
        world.watchers.append(leaks.step)
        return leaks

    @property
    def figures(self) -> dict[str, float]:
        """How much was looked at; nothing where no step made anything secret."""
        if not self.looked:
            return {}
        return {
            "leak_views": self.looked,
            "leak_notes": self.opened,
            "leak_exports": self.exported,
            "leak_secrets": len(self.heads) + len(self.secrets),
        }

    # ------------------------------------------------------------ what is secret

    def warned(self, head: str) -> None:
        """Learn that something is said behind a warning; `head`: how it begins, which nothing else does."""
        self.heads[head] = None

    def reported(self, report: Reported, text: str, note: bytes) -> None:
        """Learn that a report was written: its text, and its id (16 B)."""
        self.reports.append(report)
        insiders = (report.readers | {report.author}) - {report.reported}
        self._keep(Secret("a report", (text, note.hex()), (text.encode(), note), insiders))

    def consented(self, post: PostId, *, everyone: bool = False, to: Iterable[str] = ()) -> None:
        """Learn that an author let a post leave."""
        before = self.consents.get(post, Consent())
        if before.over is not None:
            before = Consent()
        self.consents[post] = Consent(before.everyone or everyone, {**before.to, **dict.fromkeys(to)})

    def taken_back(self, post: PostId, author: str, number: int) -> None:
        """Learn that an author takes that back, with a message of at most this number."""
        self.consents.setdefault(post, Consent()).over = author, number

    def asked(self, talk: GroupId, alias: str, insiders: frozenset[str]) -> None:
        """Learn that a group for two stands ready, and under which alias one of them is in it."""
        self.talks[talk] = insiders
        self._keep(Secret("a talk", (alias, talk.hex()), (alias.encode(), talk[:16]), insiders))

    def joined(self, talk: GroupId, who: str, alias: str) -> None:
        """Learn that one of the two has come into their talk, under which alias, key and device."""
        room = self._rooms(self.world.nodes[who])[talk]
        keys = room.group.own.member_pk, room.group.own.dev
        words = alias, *(key.hex() for key in keys)
        self._keep(Secret("a talk", words, (alias.encode(), *keys), self.talks[talk]))

    def _keep(self, secret: Secret) -> None:
        """Take it in, and look whether it is out already."""
        self.secrets.append(secret)
        for node in self.world.nodes.values():
            for space in Space:
                for key, value in node.store.scan(space):
                    self._bytes(node.name, key + value, f"stores in {space.value}", (secret,))

    # ------------------------------------------------------------ at each step of a node

    def step(self, node: Node, event: Input, effects: list[Effect]) -> None:
        """Look at what came in, what is written, and what can be opened of it."""
        if not self.secrets:
            return
        if isinstance(event, FrameReceived):
            self._bytes(node.name, event.payload, "is sent")
        for effect in effects:
            if isinstance(effect, Persist):
                for write in effect.writes:
                    if isinstance(write, Put):
                        self._bytes(node.name, write.key + write.value, f"stores in {write.space.value}")
            elif isinstance(effect, Send) and effect.kind is LinkKind.FRAME:
                self._way(node, effect)
        self._open(node)

    def _bytes(self, name: str, raw: bytes, how: str, secrets: Iterable[Secret] | None = None) -> None:
        for secret in self.secrets if secrets is None else secrets:
            if name not in secret.insiders:
                assert not any(needle in raw for needle in secret.raw), f"{name} {how} something of {secret.what}"

    def _way(self, node: Node, sent: Send) -> None:
        """A frame of a talk that keepers carry goes to a keeper, or to nobody."""
        for talk, insiders in self.talks.items():
            room = self._rooms(node).get(talk) if node.name in insiders else None
            if room is None or not is_kept(room.group) or sent.link not in node.links:
                continue
            far = node.links[sent.link][0]
            if topic_of(parse_frame(sent.payload).pk) in room.group.topics:
                keeps = not self._rooms(self.world.nodes[far])
                assert keeps, f"{node.name} sends {far} a frame of a talk that keepers carry"

    def _open(self, node: Node) -> None:
        """Try to open what reached a node since it was looked at last, with all keys that it has."""
        if node.peer is None:
            return
        signed, tried = node.peer.state.signed, self._tried.setdefault(node.name, {})
        for name in reversed(signed):
            if name in tried:
                break
            tried[name] = None
            room = node.peer.state.rooms.get(name[0])
            if room is not None and name[1] != room.group.own.dev:
                tbs = decode(MessageTbs, signed[name].tbs, bytes_max=limits.MESSAGE_BYTES_MAX)
                self._opened(node, room, name[1], tbs)

    def _opened(self, node: Node, room: Room, dev: DeviceId, tbs: MessageTbs) -> None:
        plain = tbs.body
        if tbs.kind == Kind.NOTE:
            try:
                note = read_note(room.group, tbs.body)
            except RemoteError:
                return
            sealer = SeededSealer(SeededEntropy(self.world.seed, "leaks"))
            plain = open_note(room.group, dev, tbs.uid, note, sealer) or b""
            self.opened += bool(plain)
        self._bytes(node.name, plain, "can open")
        if tbs.kind not in (Kind.NOTE, Kind.STATEMENT):
            return
        card = room.group.log.card(dev)
        own = room.group.own.member_pk
        for report in self.reports:
            if report.reported != node.name or report.group != room.group.gid or card is None:
                continue
            about_them = tbs.kind == Kind.NOTE or bytes(own) in plain
            by_a_reader = self._name_of(room, MemberPk(card.member_pk)) in report.readers
            if about_them and by_a_reader:
                named = any(name in plain for name in report.names)
                assert not named, f"{node.name}, who was reported, can open who wrote"

    @staticmethod
    def _name_of(room: Room, member: MemberPk) -> str:
        known = room.group.view.members.get(member)
        return "" if known is None else known.alias

    @staticmethod
    def _rooms(node: Node) -> dict[GroupId, Room]:
        return {} if node.peer is None else dict(node.peer.state.rooms)

    # ------------------------------------------------------------ after each step of a plan

    def look(self, *, again: bool = False) -> None:
        """Look at all that a person could be shown, at each node that has written since; `again`: at every one."""
        if not (self.heads or self.secrets or self.consents):
            return
        for node in self.world.nodes.values():
            seen = self._seen.get(node.name) == node.commits and not again
            if node.peer is None or node.name in self.rogues or seen:
                continue
            self._seen[node.name] = node.commits
            desk = WorldDesk(self.world, node.name, looks=True)
            for method in OF_ALL:
                self.answered(node.name, method, desk.answer(method))
            reports = desk.answer("reports.list")["reports"]
            assert isinstance(reports, list)
            for report in reports:
                assert isinstance(report, dict)
                self.answered(node.name, "reports.show", desk.answer("reports.show", report=report["id"]))
            for gid in node.peer.state.rooms:
                for method in OF_A_GROUP:
                    self.answered(node.name, method, desk.answer(method, group=gid.hex()))
                self.export(node.name, gid, desk)
            self._notices(node, desk)

    def _notices(self, node: Node, desk: WorldDesk) -> None:
        told = node.notices[self._told.get(node.name, 0) :]
        self._told[node.name] = len(node.notices)
        for notice in told:
            for event in self._events(node, desk, notice):
                self.answered(node.name, "follow", event)

    def _events(self, node: Node, desk: WorldDesk, notice: Notify) -> Iterator[JsonObject]:
        room = None if notice.group is None else self._rooms(node).get(notice.group)
        if notice.group is None or room is not None:
            with suppress(LocalError):  # what it speaks of may be gone by now
                yield from Teller().tell(desk, notice)
                if room is not None:
                    yield from Teller(room).tell(desk, notice)

    def answered(self, name: str, method: str, answer: JsonObject, *, opened: bool = False) -> None:
        """Look at what somebody is shown; `opened`: they asked to see what stands behind a warning."""
        if name in self.rogues:
            return
        self.looked += 1
        shown = json.dumps(answer)
        for head in self.heads:
            assert opened or head not in shown, f"{method} shows {name} what stands behind a warning: {head}"
        for secret in self.secrets:
            if name not in secret.insiders:
                found = any(word in shown for word in secret.words)
                assert not found, f"{method} shows {name} something of {secret.what}"

    # ------------------------------------------------------------ exports

    def export(self, name: str, gid: GroupId, desk: WorldDesk) -> int:
        """Look at what somebody would take out of a group; return how many posts."""
        posts: list[JsonObject] = []
        after: str | None = None
        while True:
            page = desk.answer("export", group=gid.hex(), after=after)
            found = page["posts"]
            assert isinstance(found, list)
            posts += [dict(post) for post in found if isinstance(post, dict)]
            if page["next"] is None:
                break
            after = str(page["next"])
        if name in self.rogues:
            return len(posts)
        for post in posts:
            post.pop("opened")  # stands apart, so that no program shows it by accident
        self.answered(name, "export", {"posts": [*posts]})
        self._consented(name, gid, posts)
        return len(posts)

    def _consented(self, name: str, gid: GroupId, posts: list[JsonObject]) -> None:
        shown = json.dumps(posts)
        taken = {str(post["id"]) for post in posts}
        for (group, post), known in self.watch.posts.items():
            if group != gid or known.author == name:
                continue
            text = json.dumps(interpret(known.body).text)[1:41]
            if post.hex() in taken or text in shown:
                assert self._may_leave(name, gid, post), (
                    f"{name} exports a post of {known.author} without their consent"
                )
                self.exported += 1

    def _may_leave(self, name: str, gid: GroupId, post: PostId) -> bool:
        consent = self.consents.get(post)
        if consent is None or not (consent.everyone or name in consent.to):
            return False
        return consent.over is None or not self._has_heard(name, gid, *consent.over)

    def _has_heard(self, name: str, gid: GroupId, author: str, number: int) -> bool:
        """Say whether one has all that an author said in a group up to a number."""
        theirs = self._rooms(self.world.nodes[author]).get(gid)
        room = self._rooms(self.world.nodes[name]).get(gid)
        if theirs is None or room is None:
            return False
        track = room.tracks.get(theirs.group.own.dev)
        return track is not None and track.have.contiguous >= number
