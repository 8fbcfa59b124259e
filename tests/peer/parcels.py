"""Files in the world: people who send them, and what is in their stores of them."""

from collections.abc import Callable

from mesh.commands import FetchFiles, GivePiece, OfferFiles, Post
from mesh.crypto.streams import Opening
from mesh.events import Effect, Input, LinkKind, Notice, Notify, SendStored, Space
from mesh.groups.records import load
from mesh.ids import GroupId, PostId
from mesh.peer.files import Held
from mesh.peer.records import MessageRecord
from mesh.support.files import files_of
from mesh.support.posts import interpret
from mesh.wire import limits
from mesh.wire.files import FileEntry, stream_about
from mesh.wire.padding import unpad
from simulations.checks import Watch
from simulations.people import Person, circle
from simulations.weather import Weather
from simulations.world import Node, World

MIB = 1024 * 1024
PIECE = limits.FILE_PIECE_BYTES_MAX


def send_files(person: Person, gid: GroupId, *files: tuple[str, bytes], text: str = "see below") -> PostId:
    """Post with files, as the command does."""
    offered = tuple((name, len(data)) for name, data in files)
    uid = person.world.ask(person.name, OfferFiles(group=gid, files=offered))
    whole = b"".join(data for _, data in files)
    for start in range(0, len(whole), PIECE):
        person.world.ask(person.name, GivePiece(upload=uid, piece=whole[start : start + PIECE]))
    post = Post(group=gid, text=text, mode="listening", cw="", topics=(), reply_to=None, files=uid)
    return PostId(person.world.ask(person.name, post))


def content(size: int, seed: int = 0) -> bytes:
    """Bytes of which no two chunks are the same."""
    return b"".join((k ^ seed).to_bytes(4, "big") for k in range(size // 4 + 1))[:size]


def entries_at(person: Person, gid: GroupId, post: PostId) -> list[FileEntry]:
    """Return what the post says of its files, as this person's store has it."""
    key = person.node.store.get(Space.POSTS, gid + post)
    assert key is not None
    value = person.node.store.get(Space.MESSAGES, key)
    assert value is not None
    return files_of(interpret(load(MessageRecord, value).body))


def opened(person: Person, gid: GroupId, post: PostId) -> list[bytes]:
    """Return a post's files, opened from what is in this person's store."""
    found = []
    for entry in entries_at(person, gid, post):
        opening = Opening(entry.key, entry.header, stream_about(gid))
        pieces = []
        for k, chunk in enumerate(entry.chunks):
            sealed = person.node.store.get(Space.CHUNKS, gid + post + chunk)
            assert sealed is not None, "a chunk is missing"
            pieces.append(opening.open(sealed, last=k == len(entry.chunks) - 1))
        found.append(unpad(b"".join(pieces)))
    return found


def held(person: Person, gid: GroupId, post: PostId) -> Held:
    return person.room(gid).files[post]


def has_all(person: Person, gid: GroupId, post: PostId) -> bool:
    files = person.room(gid).files
    return post in files and files[post].is_whole


def chunks_in(person: Person, gid: GroupId) -> int:
    return len(list(person.node.store.scan(Space.CHUNKS, gid)))


def fetch(person: Person, gid: GroupId, post: PostId) -> None:
    person.world.ask(person.name, FetchFiles(group=gid, post=post))


class Circle:
    """Wren, juniper and sorrel in one group; what each gave of files is counted."""

    def __init__(self, *, latency_ms: int = 100) -> None:
        self.world = World(26, Weather(latency_ms=latency_ms, jitter_ms=0))
        self.gid, (self.wren, self.juniper, self.sorrel) = circle(self.world, "wren", "juniper", "sorrel")
        self.world.run(10)
        Watch.over(self.world)
        self.given: dict[str, list[bytes]] = {}
        self.told: list[tuple[str, int, int]] = []
        self.world.watchers.append(self._watch)

    def _watch(self, node: Node, event: Input, effects: list[Effect]) -> None:
        del event
        for effect in effects:
            if isinstance(effect, SendStored) and effect.kind is LinkKind.CHUNK:
                self.given.setdefault(node.name, []).extend(effect.keys)
            if isinstance(effect, Notify) and effect.notice is Notice.FILE:
                got, of = effect.subject[16:20], effect.subject[20:]
                self.told.append((node.name, int.from_bytes(got, "big"), int.from_bytes(of, "big")))

    def until(self, condition: Callable[[], bool], seconds: float = 120) -> None:
        assert self.world.run_until(condition, seconds)
