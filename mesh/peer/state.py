"""What the hall holds: groups, links, drafts, doors. Data and lookups only; what happens to it stands beside it."""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from mesh.crypto.hashes import h
from mesh.errors import LocalError
from mesh.events import Effect, Instant, LinkKind, Notice, Notify, Send, SendClass, SetTimer, Space, Timer
from mesh.gossip.delivery import Delivery
from mesh.gossip.frontier import Frontier
from mesh.gossip.seen import SeenFrames
from mesh.gossip.shelf import Host
from mesh.gossip.spread import Spread
from mesh.gossip.views import View
from mesh.groups.group import Group, Means
from mesh.groups.history import HISTORY, shown_window
from mesh.groups.operations import Operation
from mesh.groups.records import InviteRecord
from mesh.ids import (
    AccountId,
    Address,
    DeviceId,
    Dice,
    Entropy,
    FrameId,
    GroupId,
    HomeId,
    JoinId,
    LinkId,
    MemberPk,
    MsgId,
    OpId,
    PeerId,
    PostId,
    Sealer,
    TopicId,
)
from mesh.journal import Journal
from mesh.peer.files import AskingChunks, Held, Upload
from mesh.peer.held import Holding, HoldingFor
from mesh.peer.links import Link, Session, Walk
from mesh.peer.paired import Entering, Pairing
from mesh.peer.passed import Passed
from mesh.peer.questions import Asking, AskingOn, AskingStated
from mesh.peer.records import (
    ContactRecord,
    DraftRecord,
    HomeRecord,
    JoinRecord,
    KnockRecord,
    ListenRecord,
    MessageRecord,
    NoteRecord,
    ObjectionRecord,
    ProofRecord,
    TalkRecord,
)
from mesh.peer.stated import Statements
from mesh.peer.tracks import Track, Tried
from mesh.wire.codec import encode
from mesh.wire.invites import Door
from mesh.wire.keepers import KeptSaid
from mesh.wire.messages import MessageTbs, SignedMessage

SENT_MAX: Final = 4096  # own posts, per group, for which news is still taken in; ours
_CROWDS_MAX: Final = 4096


@dataclass(slots=True, kw_only=True)
class Doubt:
    """We may have been removed; times are mono."""

    since_ms: int
    cut_off: bool  # because of an epoch without us; else because nobody told us anything
    asked: dict[LinkId, None] = field(default_factory=dict)  # who is to answer
    asked_ms: int = 0


@dataclass(slots=True, kw_only=True)
class Behind:
    """The group went on without us; times are mono."""

    next_ms: int  # when we say so next
    tries: int = 0
    said: OpId | None = None  # the epoch of which we have said it


@dataclass(slots=True, kw_only=True)
class Arrival:
    """One who knocked and whom a node may let in, or who was let in and has not been welcomed yet."""

    frame: bytes  # the knock
    device: DeviceId
    ours: bool = False  # we let them in
    due: bool = False  # they have a key; a timer runs in case nobody else welcomes them


@dataclass(slots=True)
class Room:
    """A group and what the hall keeps beside it."""

    group: Group
    tracks: dict[DeviceId, Track] = field(default_factory=dict)
    drafts: dict[int, DraftRecord] = field(default_factory=dict)
    files: dict[PostId, Held] = field(default_factory=dict)  # beside posts, and how much of them is here
    deliveries: dict[PostId, Delivery] = field(default_factory=dict)
    crowds: dict[frozenset[MemberPk], frozenset[MemberPk]] = field(default_factory=dict)  # shared by deliveries
    sent: dict[int, PostId] = field(default_factory=dict)  # own mseq -> post that is not yet with everybody
    invites: dict[OpId, InviteRecord] = field(default_factory=dict)
    knocks: dict[bytes, KnockRecord] = field(default_factory=dict)  # T -> waits for a person
    talks: dict[GroupId, TalkRecord] = field(default_factory=dict)  # group for two -> with whom in this one
    sealed: dict[bytes, NoteRecord] = field(default_factory=dict)  # author and note id -> said under seal
    listens: dict[GroupId, ListenRecord] = field(default_factory=dict)  # group for two -> a talk with a listener
    asks_ms: list[int] = field(default_factory=list)  # when askings of ours for a listener went out (mono)
    arriving: dict[bytes, Arrival] = field(default_factory=dict)  # T -> whom our node may let in or welcome by itself
    contacts: dict[DeviceId, ContactRecord] = field(default_factory=dict)
    withdrawn: dict[PostId, MessageRecord] = field(default_factory=dict)  # taken back, and their place is being read
    taken_back: dict[DeviceId, dict[PostId, int]] = field(default_factory=dict)  # by a device, under which number
    statements: Statements = field(default_factory=Statements)  # what was stated, for others to fold
    asking_stated: AskingStated | None = None
    cuts: dict[DeviceId, int] = field(default_factory=dict)  # of devices that are out and stated something
    cuts_ms: int = 0  # since when they are these (mono)
    turn_told: bytes = b""  # the turn in a circle that the person was last told is theirs
    proofs: dict[DeviceId, ProofRecord] = field(default_factory=dict)  # who signed two messages under one number
    verified: dict[MemberPk, int] = field(default_factory=dict)  # whose key the person confirmed, and when (wall)
    recent: OrderedDict[MsgId, int] = field(default_factory=OrderedDict)  # at_ms of the newest messages
    latest_ms: int = 0  # of all that came since they were read, where the last one stands
    tips: dict[MsgId, None] = field(default_factory=dict)  # newest messages that nothing follows yet
    awaited_knocks: dict[bytes, KnockRecord] = field(default_factory=dict)  # T -> approved, and not heard here yet
    untold_yes: dict[bytes, None] = field(default_factory=dict)  # T -> our approval, which nobody has been told of
    objections: dict[MemberPk, dict[DeviceId, ObjectionRecord]] = field(default_factory=dict)  # by newcomer
    declined: OrderedDict[bytes, None] = field(default_factory=OrderedDict)  # T -> a person here has said no
    early: OrderedDict[bytes, LinkId | None] = field(default_factory=OrderedDict)  # messages that wait for operations
    early_bytes: int = 0
    presence_told: tuple[bytes, OpId] | None = None  # addresses and epoch of our last presence
    receipt_due: bool = False  # a timer runs
    chore_due: bool = False  # a timer runs
    epochs_known: frozenset[OpId] = frozenset()  # those that we held when we last looked for what they open
    gap_due: bool = False  # a timer runs
    tell_at: int | None = None  # when a timer runs out that tells links how far we have come (mono)
    last_ts: int = 0  # our clock at our last post, so that two posts never bear one time
    silent: bool = False  # we left and somebody knows, or nobody can be told: the group is only history here
    lacking: dict[DeviceId, tuple[tuple[OpId, ...], int]] = field(default_factory=dict)  # what has not come, since when
    told_of: dict[DeviceId, tuple[tuple[OpId, ...], int]] = field(default_factory=dict)  # what we lack, since when
    ahead_since: dict[DeviceId, int] = field(default_factory=dict)  # who claimed to be ahead of us, since when
    disbelieved: dict[DeviceId, None] = field(default_factory=dict)  # whose claim was not proved in time
    doubt: Doubt | None = None  # whether others count us in
    behind: Behind | None = None  # while the group has a newer key that was not given to us, or tells us nothing
    stale_ms: int | None = None  # since when somebody is there while our epoch is old (mono)
    called: dict[bytes, None] = field(default_factory=dict)  # nonces of our calls for a way back
    denied: bool = False  # more than half of those who are there say that we are not in
    calls: dict[MemberPk, list[int]] = field(default_factory=dict)  # when a member's device said so, of late (mono)
    notes: dict[MemberPk, Tried] = field(default_factory=dict)  # how many notes of a member were tried
    unheard: bool = False  # members' nodes are linked with us, and none of them tells us its state
    history_seen: str = ""  # what newcomers get, when we last looked
    catching_up: int | None = None  # how many messages were here when a long catch-up began, while one is under way
    view: View = field(default_factory=View)  # whom of the group we link with
    handed: int = 0  # messages that were handed on to us, in this process
    unopened: OpId | None = None  # the epoch which something follows that we could not open
    holdings: dict[TopicId, Holding] = field(default_factory=dict)  # what is here of epochs that keepers keep
    unkept: OrderedDict[tuple[TopicId, FrameId], None] = field(
        default_factory=OrderedDict
    )  # of these, not in the store
    left: dict[TopicId, None] = field(default_factory=dict)  # epochs that are left at keepers
    keepers_said: dict[AccountId, KeptSaid] = field(default_factory=dict)  # what each said last, in this process
    keepers_dialled: tuple[str, ...] = ()  # where we look for them
    fell_back: bool = False  # others had messages of ours that we had not: re-key before speaking (protocol.md §7)

    def __post_init__(self) -> None:
        """Note what is in force, so that a change of it can be told."""
        self.history_seen = shown_window(self.group.view.settings.get(HISTORY, "none"))

    @property
    def seems_out(self) -> bool:
        """Whether there are signs that others do not count us in: one who was removed is not told so."""
        return self.group.own.cut_off or self.unheard

    def waits(self, post: PostId) -> bool:
        """Say whether an own post is still on its way to somebody.

        What was not out when we left, or what a former membership left behind, is not.
        """
        if self.group.own.left:
            return False
        delivery = self.deliveries[post]
        if delivery.mseq or delivery.is_over:
            return not delivery.is_over
        return any(draft.post == post for draft in self.drafts.values())

    def track(self, dev: DeviceId) -> Track:
        """Return a device's track, made on first use."""
        track = self.tracks.get(dev)
        if track is None:
            track = self.tracks[dev] = Track()
        return track

    def save_track(self, dev: DeviceId, journal: Journal) -> None:
        """Write a device's track."""
        journal.put(Space.FRONTIERS, self.group.gid + dev, encode(self.tracks[dev].to_record()))

    def save_delivery(self, post: PostId, delivery: Delivery, journal: Journal) -> None:
        """Keep how far a message has come. A state that people were told never goes back, not even by a power cut."""
        before = self.deliveries.get(post)
        if before is not None and before.state is not delivery.state:
            journal.make_durable()
        journal.put(Space.DELIVERY, self.group.gid + post, encode(delivery.to_record()))
        self.hold_delivery(post, delivery)

    def forget_delivery(self, post: PostId, journal: Journal) -> None:
        """Forget how far a message has come: it is kept no more."""
        self.sent.pop(self.deliveries.pop(post).mseq, None)
        journal.delete(Space.DELIVERY, self.group.gid + post)

    def own_post(self, mseq: int) -> Delivery | None:
        """Return how far an own message has come, by its number, as long as that is known."""
        post = self.sent.get(mseq)
        if post is not None:
            return self.deliveries[post]
        return next((one for one in self.deliveries.values() if one.mseq == mseq), None) if mseq else None

    def hold_delivery(self, post: PostId, delivery: Delivery) -> None:
        """Remember how far a message has come, and whether there is more to come."""
        if len(self.crowds) > _CROWDS_MAX:
            self.crowds.clear()
        self.deliveries[post] = delivery.sharing(self.crowds)
        if delivery.mseq and not delivery.is_over:
            self.sent[delivery.mseq] = post
            while len(self.sent) > SENT_MAX:
                del self.sent[min(self.sent)]
        else:
            self.sent.pop(delivery.mseq, None)


@dataclass(slots=True, kw_only=True)
class Reply:
    """A knock that we heard, and what became of it: `answer` None until we or somebody else answered."""

    gid: GroupId
    statement: bytes
    knock: bytes  # the frame
    device: DeviceId  # which it is to let in
    heard_ms: int  # mono
    via: LinkId | None  # whence it came first, and so where an answer goes first; None where it came before
    answered: bool = False  # an answer went out from here, or passed
    door: Door | None = None  # what we answered, if we did
    told: dict[LinkId, None] = field(default_factory=dict)  # the links that got our answer
    answerer: LinkId | None = None  # the link that brought the first answer of another


@dataclass(slots=True)
class State:
    """Everything that the machine knows between two inputs."""

    rooms: dict[GroupId, Room] = field(default_factory=dict)
    links: dict[LinkId, Link] = field(default_factory=dict)
    joins: dict[JoinId, JoinRecord] = field(default_factory=dict)
    knocked: dict[JoinId, int] = field(default_factory=dict)  # how often each join has knocked, in this process
    knock_frames: dict[JoinId, tuple[bytes, int]] = field(default_factory=dict)  # the last knock of each, and when
    resting: dict[JoinId, None] = field(default_factory=dict)  # joins whose knock a keeper says it keeps
    welcomes: OrderedDict[tuple[JoinId, bytes], dict[int, bytes]] = field(default_factory=OrderedDict)  # chunks so far
    seen: SeenFrames = field(default_factory=SeenFrames)
    spread: Spread = field(init=False)
    spread_at: int | None = None  # when the timer runs out that announces ids and asks for frames (mono)
    passed: Passed = field(default_factory=Passed)
    dialled: dict[PeerId, tuple[Address, ...]] = field(default_factory=dict)  # whom we try to link with
    frames: OrderedDict[FrameId, tuple[GroupId, int]] = field(default_factory=OrderedDict)  # own frames -> mseq
    signed: OrderedDict[tuple[GroupId, DeviceId, int], SignedMessage] = field(default_factory=OrderedDict)  # newest
    signed_bytes: int = 0
    asking: dict[int, Asking] = field(default_factory=dict)
    asking_chunks: dict[int, AskingChunks] = field(default_factory=dict)
    uploads: dict[bytes, Upload] = field(default_factory=dict)  # by uid: files of posts that are being written
    asking_on: dict[int, AskingOn] = field(default_factory=dict)
    fetching: dict[int, "Fetching"] = field(default_factory=dict)
    scanning: dict[int, "HistoryFor | HoldingFor"] = field(default_factory=dict)
    sweeping: dict[int, "Sweep"] = field(default_factory=dict)
    replies: OrderedDict[TopicId, Reply] = field(default_factory=OrderedDict)  # reply topics of knocks that we heard
    host: Host | None = None  # ourselves as a keeper, if we ever were one
    homes: dict[HomeId, HomeRecord] = field(default_factory=dict)  # this one among them
    pairing: Pairing | None = None
    entering: Entering | None = None
    addresses: tuple[Address, ...] = ()
    known: dict[Address, None] = field(default_factory=dict)  # addresses that the person gave
    tickets: int = 0

    def __post_init__(self) -> None:
        """Let frames spread by what is known of those that passed."""
        self.spread = Spread(self.seen)

    def ticket(self) -> int:
        """Return a fresh number for a question."""
        self.tickets = (self.tickets + 1) % 2**32
        return self.tickets

    def room(self, gid: GroupId) -> Room:
        """Return the room of a group; LocalError if there is none."""
        room = self.rooms.get(gid)
        if room is None:
            raise LocalError("there is no such group here", do="`mesh group list` shows yours", code="E-NO-GROUP")
        return room

    def sessions(self, gid: GroupId) -> Iterable[tuple[Link, Session]]:
        """Return the links that have a session for a group."""
        for link in list(self.links.values()):
            session = link.sessions.get(gid)
            if session is not None:
                yield link, session

    def present(self, room: Room) -> list[tuple[Link, Session]]:
        """Return the sessions whose other end is proved to be a current device of the group."""
        devices = room.group.view.devices
        return [(link, s) for link, s in self.sessions(room.group.gid) if s.device in devices]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpsFor:
    """We are reading wraps in order to answer a link that wants operations."""

    link: LinkId
    gid: GroupId
    ops: tuple[OpId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WelcomeFor:
    """We are reading wraps in order to welcome one who was admitted; `knock` is the frame they knocked with.

    `links`: only these, or everybody who listens for it.
    """

    gid: GroupId
    knock: bytes
    ops: tuple[OpId, ...]
    links: tuple[LinkId, ...] = ()


@dataclass(slots=True, kw_only=True)
class HistoryFor:
    """We are reading messages for one who may have them; `found` are those so far, newest first."""

    link: LinkId
    gid: GroupId
    dev: DeviceId
    ticket: int  # the asker's
    have: dict[DeviceId, Frontier]
    walk: Walk
    rows: int = 0
    size: int = 0
    found: list[SignedMessage] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """We are reading what has run out: by its group's setting (`space` messages), or by its own word (expiries).

    With `erased` it is what these members said, who left without a trace.
    """

    gid: GroupId
    space: Space
    erased: tuple[MemberPk, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceFor:
    """We are reading where a post stands that its author took back, and then (`place`: its key) what stands there."""

    gid: GroupId
    post: PostId
    place: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class FilesFor:
    """We are reading a post again, for what the chunks of its files are called."""

    gid: GroupId
    post: PostId


Fetching = OpsFor | WelcomeFor | HoldingFor | PlaceFor | FilesFor


@dataclass(slots=True, kw_only=True)
class Step:
    """One step of the machine: the moment, the means, and what is to come out of it."""

    now: Instant
    dice: Dice
    entropy: Entropy
    sealer: Sealer
    journal: Journal = field(default_factory=Journal)
    effects: list[Effect] = field(default_factory=list)
    touched: dict[GroupId, list[Operation]] = field(default_factory=dict)  # groups whose operations changed
    wanted_ops: dict[tuple[LinkId, GroupId], None] = field(default_factory=dict)  # whom to ask for operations
    stored: dict[LinkId, list[FrameId]] = field(default_factory=dict)  # to be acknowledged at the end
    calm: dict[FrameId, None] = field(default_factory=dict)  # of these, what nobody waits to hear of
    notes: list[tuple[GroupId, MessageTbs, MemberPk]] = field(
        default_factory=list
    )  # that came in, to be opened at the end
    ends: dict[GroupId, int] = field(default_factory=dict)  # talks of which an end was stated; our number, once stored
    topics_changed: bool = False
    keepers_due: bool = False  # a keeper may have to be asked for something
    views: dict[GroupId, None] = field(default_factory=dict)  # groups in which whom we link with is to be looked at
    dials_changed: bool = False  # somebody is to be dialled, or no longer
    knocks: bool = False  # a join may have something to say, once the topics are told

    def means(self) -> Means:
        """Return what the groups room needs."""
        return Means(entropy=self.entropy, sealer=self.sealer, journal=self.journal, wall_ms=self.now.wall_ms)

    def touch(self, gid: GroupId, ops: list[Operation], *, also: bool = False) -> None:
        """Note that operations came into a group, or (`also`) the key of an epoch whose operation was there before."""
        if ops or also:
            self.touched.setdefault(gid, []).extend(ops)

    def send(self, link: LinkId, kind: LinkKind, payload: bytes, send_class: SendClass) -> None:
        """Send one frame."""
        self.effects.append(Send(link=link, kind=kind, payload=payload, send_class=send_class))

    def notify(self, notice: Notice, gid: GroupId | None = None, subject: bytes = b"") -> None:
        """Tell whoever listens."""
        self.effects.append(Notify(notice=notice, group=gid, subject=subject))

    def set_timer(self, name: str, subject: bytes, after_ms: int | None) -> None:
        """Set, replace or stop a timer."""
        self.effects.append(SetTimer(timer=Timer(name=name, subject=subject), after_ms=after_ms))

    def finish(self) -> list[Effect]:
        """Return the effects of the step, the one Persist first."""
        persist = self.journal.persist()
        return self.effects if persist is None else [persist, *self.effects]


def post_id(dev: DeviceId, uid: bytes) -> PostId:
    """Return the id by which people know a message: made when it is typed, the same on every node, 16 B."""
    return PostId(h(b"mesh1/post", dev, uid)[:16])


def message_key(gid: GroupId, at_ms: int, post: PostId, msg_id: bytes = b"") -> bytes:
    """Return the key in Space.MESSAGES, in display order; a draft has no msg id yet.

    The id of the sealed message is part of it, so that an author who uses one post id twice can add, and never replace,
    what others have read.
    """
    return gid + at_ms.to_bytes(8, "big") + post + msg_id[:8]
