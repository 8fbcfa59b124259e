"""A live link, and what is known of its other end within each group that both share."""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

from mesh.gossip.allowance import Allowance
from mesh.gossip.frontier import Frontier
from mesh.gossip.reconcile import Asking, Index
from mesh.gossip.sessions import Ends, HalfSession
from mesh.gossip.topics import TopicTable
from mesh.ids import AccountId, DeviceId, FrameId, GroupId, JoinId, LinkId, OpId, PeerId, PostId, TopicId
from mesh.wire.keepers import KeepAsk
from mesh.wire.sessions import StateBody

# What a link may cost a keeper: 64 KiB of questions take some 30 ms; a topic that is new is looked for on all links.
ASKED_BYTES_PER_S: Final = 64 * 1024
ASKED_BYTES_BURST: Final = 2 * 1024 * 1024  # to compare all that a keeper keeps takes half of it
AGAIN_BYTES_PER_S: Final = 16 * 1024  # of what waits at doors, where it was given before
AGAIN_BYTES_BURST: Final = 1024 * 1024
NAMED_PER_S: Final = 1
NAMED_BURST: Final = 512  # 8 groups of one member at one keeper


@dataclass(slots=True, kw_only=True)
class Session:
    """What is known of the other end of a link within one group; each half is opened by its speaker."""

    out: HalfSession | None = None
    into: HalfSession | None = None
    epoch: OpId | None = None  # the one whose sync key opened `into`: the peer knows it, and what came before it
    proof: tuple[DeviceId, bytes] | None = None  # claimed; checked as soon as the device is known
    device: DeviceId | None = None  # proved
    proved_ms: int = 0  # since when (mono)
    told: bytes = b""  # hash of the state that we told last
    told_heads: tuple[OpId, ...] = ()  # and the heads in it
    heads: tuple[OpId, ...] = ()  # as the peer told last
    frontier: dict[DeviceId, Frontier] = field(default_factory=dict)
    denied: bool = False  # the peer says that we are not in
    heard: bool = False  # the peer has told its state, and is in
    heard_ms: int = 0  # when it last told us something (mono) that only those are told whom it counts in
    asked_in_ms: int | None = None  # when it was last asked (mono) whether it counts us in
    untimely: StateBody | None = None  # what it told before we knew who it is
    asked_ops: tuple[bytes, int] = (b"", 0)  # what we asked for last, and when (mono)
    asked_keys: dict[OpId, None] = field(default_factory=dict)  # epochs for us, of which we asked for the wraps
    closed: dict[DeviceId, Frontier] = field(default_factory=dict)  # asked for; not to be asked again over this link
    shut: dict[DeviceId, Frontier] = field(default_factory=dict)  # what the peer says was not sealed for us
    withheld: int = 0  # how many that was, while it was not settled
    refused: int = 0  # messages that it claimed, was asked for, and did not give
    walk: "Walk | None" = None  # how far we have gone back in handing on to it what others said
    resting: dict[bytes, int] = field(default_factory=dict)  # post or chunk that it did not give -> until when (mono)
    asked_stated_ms: int | None = None  # when it was last asked what stands (mono)
    gave_stated: bytes = b""  # up to where we told it what stands
    gave_stated_ms: int | None = None  # since when (mono)
    vain: bool = False  # it was asked to hand on, and did not


@dataclass(slots=True, kw_only=True)
class Walk:
    """Going back through a group's messages for one who may have some of them."""

    at: bytes = b""  # place of the last one looked at: the end of its key; empty: none yet
    passed: int = 0  # posts so far that were not sealed for them


@dataclass(slots=True, kw_only=True)
class Round:
    """One comparison of what lies under a topic with what a keeper has there."""

    asking: Asking
    since_ms: int  # when it last went on (mono)
    again: bool = False  # it is the second in a row: what was not given in the first is not asked for once more
    want: list[bytes] = field(default_factory=list)  # short ids of what we lack, not asked for yet
    given: int = 0  # batches that we wait for
    lacked: bool = False  # the keeper has, or had, what we have not


@dataclass(slots=True, kw_only=True)
class AtKeeper:
    """How things stand with a keeper of one of our groups, over a link with it."""

    account: AccountId
    aside: bool  # it keeps for a talk of ours, beside what the group leaves
    told: bytes = b""  # hash of the topics that we asked it to keep last
    told_ms: int = 0  # and when (mono)
    topics: tuple[TopicId, ...] = ()  # those of epochs among them that we can read
    accepted: bool = False
    refused: bool = False  # it said that it keeps nothing now
    free: int = 0  # bytes that it has room for, as it said last
    level: dict[TopicId, int] = field(default_factory=dict)  # since when we lack nothing that it has there (mono)
    rounds: dict[TopicId, Round] = field(default_factory=dict)
    leaving: dict[FrameId, None] = field(default_factory=dict)  # what we are leaving there, not acknowledged yet
    left: dict[FrameId, None] = field(default_factory=dict)  # what it said it took, while `leaving_ms` is not long ago
    leaving_ms: int = 0  # since when (mono)
    compared_items: tuple[int, int] = (0, 0)  # since when (mono) we count, and how many frames were indexed since


@dataclass(slots=True, kw_only=True)
class Compared:
    """A keeper's own index of one topic, kept while one link compares it."""

    changes: int
    at_ms: int  # mono
    index: Index


@dataclass(slots=True, kw_only=True)
class Link:
    """One live link."""

    link: LinkId
    peer: PeerId
    ends: Ends  # ourselves as speaker
    topics: TopicTable
    sessions: dict[GroupId, Session] = field(default_factory=dict)
    given: dict[bytes, None] = field(default_factory=dict)  # knocks already handed over
    calls: list[int] = field(default_factory=list)  # when it brought calls for a way back, of late (mono)
    owed: dict[bytes, list[tuple[GroupId, PostId]]] = field(default_factory=dict)  # chunks, as often as it was asked
    spoilt: bool = False  # it gave a chunk that was none of these: it is asked for no more
    stored: dict[FrameId, None] = field(default_factory=dict)  # what it brought and we stored, not acknowledged yet
    stored_at: int | None = None  # when a timer runs out that tells of them (mono)
    stored_ms: int = -(1 << 40)  # when something was acknowledged last (mono)
    pushed: OrderedDict[FrameId, GroupId] = field(default_factory=OrderedDict)  # messages not yet acknowledged

    keepers: dict[GroupId, AtKeeper] = field(default_factory=dict)  # the other end is a keeper of these groups of ours
    rested: dict[JoinId, None] = field(default_factory=dict)  # knocks of ours that the other end says it keeps
    handed: dict[TopicId, None] = field(default_factory=dict)  # whose kept papers of the door it was given by us
    given_again: Allowance = field(default_factory=lambda: Allowance(AGAIN_BYTES_PER_S, AGAIN_BYTES_BURST, 0))
    compared: OrderedDict[TopicId, Compared] = field(default_factory=OrderedDict)  # what we keep, as it is compared
    compared_items: tuple[int, int] = (0, 0)  # since when (mono) we count, and how many frames were indexed since
    asked: Allowance = field(default_factory=lambda: Allowance(ASKED_BYTES_PER_S, ASKED_BYTES_BURST, 0))  # of questions
    tickets: dict[AccountId, KeepAsk] = field(default_factory=dict)  # whose tickets of ours it has shown, asking what
    named: Allowance = field(default_factory=lambda: Allowance(NAMED_PER_S, NAMED_BURST, 0))  # topics new to us

    def session(self, gid: GroupId) -> Session:
        """Return the session for a group, made on first use."""
        session = self.sessions.get(gid)
        if session is None:
            session = self.sessions[gid] = Session()
        return session
