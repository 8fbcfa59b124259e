"""All that crosses the wall between the pure machine and the world: inputs in, effects out.

Exactly two places interpret effects: the node's runner (`mesh.node.runner`) and the simulator's world
(`simulations.world`). Both keep one promise: every `Persist` of a batch is committed, in one transaction,
before any `Send` of it leaves: write before you speak.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Final

from mesh.commands import Command
from mesh.errors import Fault, LocalError
from mesh.ids import Address, GroupId, LinkId, PeerId


@dataclass(frozen=True, slots=True, kw_only=True)
class Instant:
    """A moment: `mono_ms` only ever rises and measures waiting, `wall_ms` (Unix) is for display and expiry."""

    mono_ms: int
    wall_ms: int


class Space(StrEnum):
    """The rooms of the store. Keys sort as bytes; `+` is concatenation; integers in keys are big-endian."""

    NODE = "node"  # name -> value: what the node itself keeps (transport key, port, settings)
    GROUPS = "groups"  # gid -> our own state in the group
    OPS = "ops"  # gid + op_id -> signed operation
    WRAPS = "wraps"  # gid + op_id -> the wraps of an operation that carries an epoch
    EPOCHS = "epochs"  # gid + op_id -> epoch keys
    CHAINS = "chains"  # gid + epoch op_id + device id -> ratchet
    KEMS = "kems"  # gid + key number (u32) -> KEM private key
    DEVICES = "devices"  # gid + device id -> since when its KEM key is here, which epochs it says it cannot open
    FRONTIERS = "frontiers"  # gid + device id -> which messages of that device are here
    MESSAGES = "messages"  # gid + display time (u64 ms) + post id + 8 B of the msg id -> message for reading
    POSTS = "posts"  # gid + post id -> key in MESSAGES
    UNREAD = "unread"  # key in MESSAGES -> empty
    EXPIRIES = "expiries"  # gid + when it ends (u64 ms) + the rest of the key in MESSAGES -> which message that is
    WITHDRAWN = "withdrawn"  # gid + post id -> taken back by its author, while its place is being read
    TAKEN_BACK = "taken_back"  # gid + device id + post id -> number (u64) under which that device took the post back
    FRAMES = "frames"  # gid + device id + mseq (u64) -> sealed frame, for repair
    FILES = "files"  # gid + post id -> which chunks of its files are here, and whether the rest is wanted
    CHUNKS = "chunks"  # gid + post id + chunk id -> sealed chunk
    DRAFTS = "drafts"  # gid + number (u64) -> typed, not yet sealed
    DELIVERY = "delivery"  # gid + post id -> how far an own message has come
    INVITES = "invites"  # gid + invite op_id -> code seed and note of an own invite
    KNOCKS = "knocks"  # gid + knock id -> a knock that waits for a person
    OBJECTIONS = "objections"  # gid + newcomer's member key + device id -> whether it objects to their being raised
    STATEMENTS = "statements"  # gid + form (u16) + device id + mseq (u64) + 8 B of the msg id -> statement
    GAVE_WAY = "gave_way"  # gid + device id + mseq (u64) + 8 B of the msg id -> empty: a statement that was here
    JOINS = "joins"  # join id -> an attempt to join
    TALKS = "talks"  # gid + gid of a group for two -> with whom, in this group
    NOTES = "notes"  # gid + author's member key + note id -> what was said under seal, by us or to us
    LISTENS = "listens"  # gid + gid of a group for two -> a talk with a listener that was asked for in this group
    CONTACTS = "contacts"  # gid + device id -> addresses
    PROOFS = "proofs"  # gid + device id -> two messages that it signed under one number
    VERIFIED = "verified"  # gid + member key -> when the person confirmed it
    HOMES = "homes"  # home id -> a home of this identity, this one or another
    KEEPER = "keeper"  # empty -> what we keep for others; account id -> an account's quota and topics
    KEPT = "kept"  # topic + since when (u64 ms) + frame id -> a sealed frame that we keep for others
    SIZES = "sizes"  # key in KEPT -> what type the frame is, and its size
    OWN = "own"  # gid (zeros: everywhere) + what (1 B) + whom or what -> a decision or note of one's own
    OPFRAMES = "opframes"  # gid + topic + frame id -> frame of an operation, to be left at keepers


# What `Started` hands over whole. Of MESSAGES it has the newest `TAIL_MESSAGES` of each group; the rest is read by
# key when it is needed.
LOADED: Final = (
    Space.GROUPS,
    Space.OPS,
    Space.EPOCHS,
    Space.CHAINS,
    Space.KEMS,
    Space.DEVICES,
    Space.FRONTIERS,
    Space.FILES,
    Space.DRAFTS,
    Space.DELIVERY,
    Space.WITHDRAWN,
    Space.TAKEN_BACK,
    Space.INVITES,
    Space.KNOCKS,
    Space.OBJECTIONS,
    Space.STATEMENTS,
    Space.GAVE_WAY,
    Space.JOINS,
    Space.TALKS,
    Space.NOTES,
    Space.LISTENS,
    Space.CONTACTS,
    Space.PROOFS,
    Space.VERIFIED,
    Space.HOMES,
    Space.KEEPER,
    Space.SIZES,
)
TAIL_MESSAGES: Final = 64


class LinkKind(IntEnum):
    """The type byte of a frame on a link (network.md §2). HELLO belongs to the node and never reaches the core."""

    HELLO = 1
    TOPICS = 2
    FRAME = 3
    STORED = 4
    PROOF = 5
    SEALED = 6
    IHAVE = 7
    WANT = 8
    PRUNE = 9
    GRAFT = 10
    KEEP = 12
    RANGES = 13
    CHUNK = 14


class SendClass(IntEnum):
    """Which outbound queue a frame waits in; lower goes first. A full MESSAGES queue skips pushes, and repair mends."""

    CONTROL = 0
    OPERATIONS = 1
    MESSAGES = 2
    REPAIR = 3
    BULK = 4


# ---------------------------------------------------------------- inputs


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """The process starts: what `LOADED` and `TAIL_MESSAGES` say, and the addresses at which others can reach us."""

    records: Mapping[Space, Mapping[bytes, bytes]]
    addresses: tuple[Address, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressesChanged:
    """The addresses at which others can reach us are now these."""

    addresses: tuple[Address, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The person, through the local Api, asks for something. Its outcome comes back as `Answer` with this token."""

    token: int
    command: Command


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkUp:
    """A link stands: both hellos have arrived. The nonces are 32 B each and fresh for this link."""

    link: LinkId
    peer: PeerId
    own: PeerId
    own_nonce: bytes
    peer_nonce: bytes
    outbound: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkDown:
    """A link is gone; nothing more comes from it."""

    link: LinkId


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameReceived:
    """A whole frame came over a link. `kind` is an untrusted byte, `payload` at most 512 KiB."""

    link: LinkId
    kind: int
    payload: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerFired:
    """A timer that `SetTimer` set has run out."""

    timer: "Timer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """The answer to a `Fetch`: the values in the order of its keys, None where there is none."""

    ticket: int
    values: tuple[bytes | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scanned:
    """The answer to a `Scan`: keys and values, the greatest key first."""

    ticket: int
    rows: tuple[tuple[bytes, bytes], ...]


Input = Started | AddressesChanged | Asked | LinkUp | LinkDown | FrameReceived | TimerFired | Fetched | Scanned


# ---------------------------------------------------------------- effects


@dataclass(frozen=True, slots=True)
class Put:
    """Write `value` under `key`."""

    space: Space
    key: bytes
    value: bytes


@dataclass(frozen=True, slots=True)
class Delete:
    """Forget `key`, so that its value cannot be read from the file either (`secure_delete`)."""

    space: Space
    key: bytes


@dataclass(frozen=True, slots=True)
class DeletePrefix:
    """Forget every key that begins with `prefix`."""

    space: Space
    prefix: bytes


Write = Put | Delete | DeletePrefix


@dataclass(frozen=True, slots=True, kw_only=True)
class Persist:
    """Commit these writes before anything of the same batch is sent.

    `durable`: something that we author ourselves is among them, so the commit must survive a power cut
    (`synchronous=FULL`), or an honest device might use a counter twice.
    """

    writes: tuple[Write, ...]
    durable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """Send one frame over a link. A link that is gone swallows it."""

    link: LinkId
    kind: LinkKind
    payload: bytes
    send_class: SendClass


@dataclass(frozen=True, slots=True, kw_only=True)
class SendStored:
    """Send what the store has under `keys`, in order, without passing it through the machine."""

    link: LinkId
    space: Space
    keys: tuple[bytes, ...]
    send_class: SendClass
    kind: LinkKind = LinkKind.FRAME


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetch:
    """Read these keys and hand them back as `Fetched` with the same ticket."""

    ticket: int
    space: Space
    keys: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """Read backwards what stands under `prefix`, and hand it back as `Scanned` with the same ticket.

    Only keys less than `before`, the greatest first, at most `limit` of them; fewer: there are no others.
    """

    ticket: int
    space: Space
    prefix: bytes
    before: bytes | None
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Dial:
    """Keep trying to link with `peer` at these addresses, from now until `Forget`; replaces earlier addresses."""

    peer: PeerId
    addresses: tuple[Address, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Forget:
    """Stop dialling `peer`."""

    peer: PeerId


@dataclass(frozen=True, slots=True, kw_only=True)
class HangUp:
    """Close a link after what is queued on it has been sent."""

    link: LinkId


@dataclass(frozen=True, slots=True, kw_only=True)
class Timer:
    """The name of a timer: what it is for, and for whom. Setting it again replaces it."""

    name: str
    subject: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetTimer:
    """Fire `timer` once, `after_ms` from now; None stops it."""

    timer: Timer
    after_ms: int | None


class Notice(StrEnum):
    """What a person or a bot may want to hear about; the names of the events in the local Api."""

    MESSAGE = "message"
    STATE = "state"
    JOINED = "joined"
    JOIN = "join"
    KNOCK = "knock"
    FORK = "fork"
    TALK = "talk"
    LISTEN = "listen"
    GROUP = "group"
    HISTORY = "history"
    SUPPORT = "support"
    TURN = "turn"
    CATCHING_UP = "catching-up"
    FILE = "file"
    DEVICE = "device"
    LINK = "link"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notify:
    """Something changed that a listener to the local Api may want to look up: ids only, never content."""

    notice: Notice
    group: GroupId | None = None
    subject: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Blame:
    """The peer at the other end of `link` misbehaved. Blame adds up, decays, and ends in a hang-up and a ban."""

    link: LinkId
    fault: Fault


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The outcome of `Asked`: the id that the command made (empty where there is none), or why nothing changed."""

    token: int
    subject: bytes = b""
    error: LocalError | None = None


Effect = Persist | Send | SendStored | Fetch | Scan | Dial | Forget | HangUp | SetTimer | Notify | Blame | Answer
