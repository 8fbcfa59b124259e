"""What two homes of one person remember of each other while one brings the other in; none of it is ever stored."""

from dataclasses import dataclass, field

from mesh.groups.pairing import PairingKeys
from mesh.ids import Address, GroupId, HomeId
from mesh.phrases import Phrase
from mesh.wire.pairing import HomeEntry, PairGroupBody, PairStep


@dataclass(slots=True, kw_only=True)
class Pairing:
    """A code that this home shows, in memory alone."""

    keys: PairingKeys
    name: str  # what the new home is to be called; empty: as it calls itself
    until_ms: int  # mono
    home: HomeId | None = None  # who asked first: nobody else is answered
    answer: tuple[bytes, list[bytes]] | None = None  # ticket of the last question, and the frames of its answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What we ask the home that showed the code."""

    step: PairStep
    want: bytes
    ticket: bytes
    asked_ms: int  # mono


@dataclass(slots=True, kw_only=True)
class Entering:
    """How far this home has come with entering the groups of another."""

    keys: PairingKeys
    kem_private: bytes = field(repr=False)
    kem_public: bytes
    addresses: tuple[Address, ...]
    until_ms: int  # mono; whoever asks goes on no longer than the code is good
    question: Question | None = None
    parts: dict[int, bytes] = field(default_factory=dict)  # of the answer to it
    total: int = 0  # how many there are
    ready: PairGroupBody | None = None  # a group that waits for our member key
    listed: bool = False  # the list has come
    other: HomeEntry | None = None  # the home that showed the code
    nonces: dict[GroupId, bytes] = field(default_factory=dict)  # what our member key in each group is derived with
    todo: list[GroupId] = field(default_factory=list)
    entered: list[GroupId] = field(default_factory=list)
    here: list[GroupId] = field(default_factory=list)  # we are in these already
    refused: dict[GroupId, Phrase] = field(default_factory=dict)  # and why
    over: bool = False
