"""A live link, and what is known of its other end within each group that both share."""

from collections import OrderedDict
from dataclasses import dataclass, field

from mesh.gossip.frontier import Frontier
from mesh.gossip.sessions import Ends, HalfSession
from mesh.gossip.topics import TopicTable
from mesh.ids import DeviceId, FrameId, GroupId, LinkId, OpId, PeerId
from mesh.wire.sessions import StateBody


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
    untimely: StateBody | None = None  # what it told before we knew who it is
    asked_ops: tuple[bytes, int] = (b"", 0)  # what we asked for last, and when (mono)
    asked_keys: dict[OpId, None] = field(default_factory=dict)  # epochs for us, of which we asked for the wraps
    closed: dict[DeviceId, Frontier] = field(default_factory=dict)  # asked for; not to be asked again over this link
    shut: dict[DeviceId, Frontier] = field(default_factory=dict)  # what the peer says was not sealed for us
    withheld: int = 0  # how many that was, while it was not settled
    refused: int = 0  # messages that it claimed, was asked for, and did not give
    walk: "Walk | None" = None  # how far we have gone back in handing on to it what others said
    vain: bool = False  # it was asked to hand on, and did not


@dataclass(slots=True, kw_only=True)
class Walk:
    """Going back through a group's messages for one who may have some of them."""

    at: bytes = b""  # place of the last one looked at: the end of its key; empty: none yet
    passed: int = 0  # posts so far that were not sealed for them


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
    pushed: OrderedDict[FrameId, GroupId] = field(default_factory=OrderedDict)  # messages not yet acknowledged

    def session(self, gid: GroupId) -> Session:
        """Return the session for a group, made on first use."""
        session = self.sessions.get(gid)
        if session is None:
            session = self.sessions[gid] = Session()
        return session
