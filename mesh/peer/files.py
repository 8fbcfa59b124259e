"""What the hall knows of files: which of a post's chunks are here, what is asked of whom, what is being attached."""

from dataclasses import dataclass, field

from mesh.crypto.streams import Sealing
from mesh.ids import GroupId, LinkId, MemberPk, PostId
from mesh.peer.records import FilesRecord
from mesh.wire.files import chunks_of


@dataclass(slots=True, kw_only=True)
class Held:
    """How much of a post's files is here. Chunks are counted through all files, in order."""

    key: bytes  # of the post in Space.MESSAGES; empty while it is being written
    under: PostId  # by which the chunks are stored: the post, or what it was called in a former membership
    total: int
    by: MemberPk  # whose post it is
    here: bytearray = field(default_factory=bytearray)  # a bit for each chunk, the lowest first
    wanted: bool = False
    missing: dict[bytes, int] | None = None  # chunk id -> its number; None: the post has not been read for it
    reading: bool = False  # it is being read

    def __post_init__(self) -> None:
        """Make room for all bits."""
        self.here.extend(bytes((self.total + 7) // 8 - len(self.here)))

    @staticmethod
    def whole(key: bytes, under: PostId, total: int, by: MemberPk) -> "Held":
        """Return it with everything here."""
        held = Held(key=key, under=under, total=total, by=by, missing={})
        for number in range(total):
            held.note(number)
        return held

    def has(self, number: int) -> bool:
        """Say whether a chunk is here."""
        return bool(self.here[number // 8] >> number % 8 & 1)

    def note(self, number: int) -> None:
        """Note that a chunk is here."""
        self.here[number // 8] |= 1 << number % 8

    @property
    def count(self) -> int:
        """How many chunks are here."""
        return int.from_bytes(self.here, "big").bit_count()

    @property
    def is_whole(self) -> bool:
        """Whether nothing is missing."""
        return self.count == self.total

    def to_record(self) -> FilesRecord:
        """Return it as it is stored."""
        return FilesRecord(
            key=self.key,
            under=self.under,
            total=self.total,
            here=bytes(self.here),
            wanted=self.wanted,
            by=self.by,
        )

    @staticmethod
    def from_record(record: FilesRecord) -> "Held":
        """Return it as it was stored."""
        return Held(
            key=record.key,
            under=record.under,
            total=record.total,
            here=bytearray(record.here),
            wanted=record.wanted,
            by=record.by,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AskingChunks:
    """Chunks that one link was asked for."""

    link: LinkId
    gid: GroupId
    post: PostId
    chunks: tuple[bytes, ...]


@dataclass(slots=True, kw_only=True)
class UploadFile:
    """One file on its way in."""

    name: str
    size: int
    key: bytes
    header: bytes
    sealing: Sealing
    chunks: list[bytes] = field(default_factory=list)
    taken: int = 0  # bytes of it that have come

    @property
    def is_whole(self) -> bool:
        """Whether all of it has been sealed."""
        return len(self.chunks) == chunks_of(self.size)


@dataclass(slots=True, kw_only=True)
class Upload:
    """The files of a post that is being written; `uid` (16 B) will be the post's."""

    gid: GroupId
    uid: bytes
    post: PostId
    files: list[UploadFile]
    rest: bytes = b""  # of the file that is coming, less than a chunk
