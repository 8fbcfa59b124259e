"""A keeper's shelf: for which accounts it keeps which topics, and what lies there. Bookkeeping, without the frames.

Nothing is kept on a topic that no account named, and what was said is kept for those accounts alone whose ticket was
shown over the link that brought it: whoever holds a code, or was removed, has keys of topics that are kept. What waits
at a door, and calls, anybody may bring; they have a part of each account and get no more. An account has so many
topics, the one named longest ago giving way to a new one, and so many bytes and frames, its oldest giving way. A frame
stays while one account keeps it: nobody pushes out what others left, also where both named its topic. The keeper knows
topics, types, sizes and times, and no more (network.md §5, protocol.md §8).

What a member has kept for themselves, as a talk of two, stands aside: in a small account of their own beside the
group's, so that neither takes room from the other or shows in its figures. Whose it is is not stored.
"""

from collections import OrderedDict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Final

from mesh.crypto.hashes import kdf
from mesh.ids import AccountId, FrameId, PeerId, TopicId
from mesh.secret import Secret
from mesh.wire import limits
from mesh.wire.frames import DAY_MS, FrameType
from mesh.wire.keepers import MAC_BYTES

DAYS_MAX: Final = limits.KEPT_DAYS_MAX
# What a joiner needs, and what is handed whole to whoever shares the topic.
AT_DOORS: Final = (FrameType.PREVIEW, FrameType.KNOCK, FrameType.WELCOME)
# Of these the newest are kept, and no more: whoever has the key can make as many as they like.
NEWEST: Final = {
    FrameType.KNOCK: limits.KEPT_KNOCKS_MAX,
    FrameType.PREVIEW: limits.KEPT_PREVIEWS_MAX,
    FrameType.RETURN: limits.KEPT_CALLS_MAX,
}
# What anybody may bring who has the topic's key.
OPEN: Final = (*AT_DOORS, FrameType.RETURN)
OPEN_PART: Final = 4  # of an account it takes at most one part in so many; ours
# Whoever names a topic keeps the newest of what lies there too: a group that changed its ticket. So many of each; ours.
TAKEN_OVER: Final = {FrameType.ENVELOPE: 512, FrameType.OPERATION: 512, FrameType.MESSAGE: 1024}
FRAMES_LEAST: Final = 256  # that an account may leave, however small its part of the house is; ours
ASIDE_PART: Final = 64  # aside a member has room for one part in so many of a ticket's quota, beyond it; ours
ASIDE_BYTES_LEAST: Final = 256 * 1024  # or for so much, where the ticket has as much; ours
ASIDE_DAYS: Final = 2  # and what is aside is kept no longer: a talk with a listener is over by then; ours
# Where a frame stands among those that are compared: operations come before what was said under them.
BUCKETS: Final = {FrameType.ENVELOPE: 0, FrameType.OPERATION: 0, FrameType.RETURN: 1, FrameType.MESSAGE: 2}


def ticket_mac(secret: bytes, account: AccountId, quota: int) -> bytes:
    """Return the keeper's own MAC (16 B) over an account and its quota in bytes, under its secret (32 B)."""
    return kdf(secret, b"mesh1/ticket", account + quota.to_bytes(8, "big"))[:MAC_BYTES]


def is_own_ticket(secret: bytes, account: AccountId, quota: int, mac: bytes) -> bool:
    """Say whether a ticket is one of this keeper's."""
    return Secret(ticket_mac(secret, account, quota)) == Secret(mac)


def aside_quota(quota: int) -> int:
    """Return how many bytes a member has room for aside of an account with this quota."""
    return min(quota, max(quota // ASIDE_PART, ASIDE_BYTES_LEAST))


@dataclass(frozen=True, slots=True)
class Place:
    """One frame on the shelf: its place, which is its key in the store, and what it is."""

    topic: TopicId
    at_ms: int
    frame: FrameId
    type: FrameType
    size: int

    @property
    def key(self) -> bytes:
        """`topic 32 ‖ since when u64be ms ‖ frame id 32`."""
        return self.topic + self.at_ms.to_bytes(8, "big") + self.frame


class _Pile:
    """Frames of one account, in the order in which it came to keep them."""

    def __init__(self) -> None:
        self.places: OrderedDict[Place, None] = OrderedDict()
        self.size = 0
        self.by_topic: dict[TopicId, int] = {}  # bytes

    def put(self, place: Place) -> None:
        self.places[place] = None
        self.size += place.size
        self.by_topic[place.topic] = self.by_topic.get(place.topic, 0) + place.size

    def take(self, place: Place) -> None:
        del self.places[place]
        self.size -= place.size
        self.by_topic[place.topic] -= place.size
        if not self.by_topic[place.topic]:
            del self.by_topic[place.topic]


@dataclass(slots=True)
class Account:
    """One ticket's account: its quota in bytes, for how many days it wants anything kept at most, and its topics.

    Beside each topic stands when it was named last (Unix ms). `days_ms`: when so many days were asked for last.
    `aside`: it is one member's, beside their group's.
    """

    quota: int
    days: int = DAYS_MAX
    aside: bool = False
    topics: OrderedDict[TopicId, int] = field(default_factory=OrderedDict)  # named longest ago first
    days_ms: int | None = None
    said: _Pile = field(default_factory=_Pile)
    open: _Pile = field(default_factory=_Pile)  # what anybody may bring
    taken_over: int = 0  # frames, in this process

    @property
    def size(self) -> int:
        """How many bytes are kept for it."""
        return self.said.size + self.open.size

    @property
    def frames(self) -> int:
        """How many frames are kept for it."""
        return len(self.said.places) + len(self.open.places)

    def pile(self, kind: FrameType) -> _Pile:
        """Return where frames of a type count."""
        return self.open if kind in OPEN else self.said

    def want_days(self, days: int, now_ms: int) -> None:
        """Take in for how many days anything is wanted: fewer than before only if nobody asked for as many for a day.

        Who has not heard yet that the group keeps things for less, or says so and is not in it, shortens nothing.
        """
        if self.days_ms is None or days >= self.days or now_ms - self.days_ms >= DAY_MS:
            self.days, self.days_ms = days, now_ms


@dataclass(slots=True)
class _Kept:
    place: Place
    holders: tuple[AccountId, ...] = ()


@dataclass(slots=True)
class _Topic:
    accounts: dict[AccountId, None] = field(default_factory=dict)
    frames: OrderedDict[FrameId, _Kept] = field(default_factory=OrderedDict)  # oldest first
    changes: int = 0


class Shelf:
    """What a keeper keeps. `quota`: bytes for all accounts together."""

    def __init__(self, quota: int) -> None:
        self.quota = quota
        self.accounts: dict[AccountId, Account] = {}
        self.size = 0
        self.frames = 0
        self._held_frames = self._held_size = 0  # of all accounts: what two of them keep counts twice
        self._topics: dict[TopicId, _Topic] = {}

    @property
    def topics(self) -> Iterable[TopicId]:
        """The topics that somebody asked to have kept."""
        return self._topics.keys()

    def has_topic(self, topic: TopicId) -> bool:
        """Say whether a topic is kept."""
        return topic in self._topics

    def place(self, topic: TopicId, frame: FrameId) -> Place | None:
        """Return where a frame lies; None if it does not."""
        found = self._topics.get(topic)
        kept = None if found is None else found.frames.get(frame)
        return None if kept is None else kept.place

    def holders(self, place: Place) -> list[AccountId]:
        """Return the accounts for which a frame is kept."""
        return list(self._topics[place.topic].frames[place.frame].holders)

    def takers(self, topic: TopicId, frame: FrameId, kind: FrameType, shown: Collection[AccountId]) -> list[AccountId]:
        """Return the accounts that are to keep a frame and do not yet; `shown`: whose tickets its bringer showed."""
        found = self._topics[topic]
        kept = found.frames.get(frame)
        holders = () if kept is None else kept.holders
        takers = [one for one in found.accounts if (kind in OPEN or one in shown) and one not in holders]
        return takers[: max(0, limits.KEPT_HOLDERS_MAX - len(holders))]

    def changes(self, topic: TopicId) -> int:
        """Return a number that rises with each change of what lies under a topic."""
        return self._topics[topic].changes

    def places(self, topic: TopicId) -> list[Place]:
        """Return what lies under a topic, oldest first."""
        found = self._topics.get(topic)
        return [] if found is None else [kept.place for kept in found.frames.values()]

    def held(self, account: AccountId) -> tuple[int, int, int]:
        """Return how many frames and bytes lie here for an account, and since when the oldest (Unix ms; 0: none)."""
        kept = self.accounts.get(account)
        if kept is None:
            return 0, 0, 0
        oldest = [next(iter(pile.places)).at_ms for pile in (kept.said, kept.open) if pile.places]
        return kept.frames, kept.size, min(oldest, default=0)

    @property
    def oldest_ms(self) -> int:
        """Since when the oldest frame lies here (Unix ms); 0: there is none."""
        found = (next(iter(topic.frames.values())) for topic in self._topics.values() if topic.frames)
        return min((kept.place.at_ms for kept in found), default=0)

    # ------------------------------------------------------------ changes

    def restore(self, account: AccountId, kept: Account) -> None:
        """Put an account back as it was stored."""
        self.accounts[account] = kept
        kept.days_ms = max(kept.topics.values(), default=None)
        for topic in kept.topics:
            self._topics.setdefault(topic, _Topic()).accounts[account] = None

    def restore_place(self, place: Place, holders: Iterable[AccountId]) -> bool:
        """Put a frame back as it was stored, oldest first; False if nobody keeps it any more."""
        topic = self._topics.get(place.topic)
        for account in [] if topic is None else [one for one in holders if one in topic.accounts]:
            self._hold(account, place)
        return self.place(place.topic, place.frame) is not None

    def name(
        self,
        account: AccountId,
        quota: int,
        topics: Iterable[TopicId],
        now_ms: int,
        *,
        days: int = limits.KEPT_DAYS_MAX,
        aside: bool = False,
    ) -> tuple[list[Place], list[Place]]:
        """Keep these topics for an account, the most important last; return what has to go, and what it now keeps."""
        kept = self.accounts.setdefault(account, Account(quota, aside=aside))
        kept.quota = quota
        kept.want_days(days, now_ms)
        most = limits.KEPT_ASIDE_TOPICS_MAX if aside else limits.KEPT_TOPICS_MAX
        gone: list[Place] = []
        taken: list[Place] = []
        for topic in topics:
            if topic not in self._topics and len(self._topics) >= limits.KEPT_TOPICS_ALL_MAX:
                if not kept.topics:
                    continue
                gone += self._drop_topic(account, next(iter(kept.topics)))
            is_new = topic not in kept.topics
            kept.topics[topic] = now_ms
            kept.topics.move_to_end(topic)
            self._topics.setdefault(topic, _Topic()).accounts[account] = None
            if is_new:
                taken += self._take_over(account, topic, gone)
            while len(kept.topics) > most:
                gone += self._drop_topic(account, next(iter(kept.topics)))
        return gone, [place for place in taken if self.place(place.topic, place.frame) is not None]

    def _take_over(self, account: AccountId, topic: TopicId, gone: list[Place]) -> list[Place]:
        there = self.places(topic)
        newest = [place for kind, most in TAKEN_OVER.items() for place in [p for p in there if p.type is kind][-most:]]
        newest.sort(key=lambda place: place.at_ms)
        self.accounts[account].taken_over += len(newest)
        if self.accounts[account].taken_over > limits.KEPT_FRAMES_MAX:
            return []  # a group changes its ticket once in a while, and each such frame is written anew
        return [place for place in newest if self._add(account, place, gone)]

    def add(
        self,
        topic: TopicId,
        frame: FrameId,
        kind: FrameType,
        size: int,
        now_ms: int,
        shown: Collection[AccountId],
    ) -> tuple[Place, list[Place]] | None:
        """Put a frame on the shelf, for whom `takers` says; return its place and what has to go for it.

        None: nobody keeps it, or there is no room for it.
        """
        found = self._topics[topic]
        takers = self.takers(topic, frame, kind, shown)
        newest = next(reversed(found.frames.values())).place.at_ms if found.frames else 0
        place = self.place(topic, frame) or Place(topic, max(now_ms, newest), frame, kind, size)
        gone: list[Place] = []
        if not [account for account in takers if self._add(account, place, gone)]:
            return None
        if kind in NEWEST:
            alike = [kept.place for kept in found.frames.values() if kept.place.type is kind]
            for old in alike[: -NEWEST[kind]]:
                for account in self.holders(old):
                    gone += self._let_go(account, old)
        return place, gone

    def expire(self, now_ms: int, days: int) -> tuple[list[Place], list[AccountId]]:
        """Drop what lies here for longer than so many days, or than its account wants, and old topics.

        Return the frames that go, and the accounts that lost a topic, or stood aside and are over.
        """
        gone: list[Place] = []
        changed: list[AccountId] = []
        for account, kept in list(self.accounts.items()):
            before_ms = now_ms - min(days, kept.days) * DAY_MS
            for place in [*kept.said.places, *kept.open.places]:
                if place.at_ms < before_ms:
                    gone += self._let_go(account, place)
            before_ms = now_ms - (min(days, kept.days) if kept.aside else days) * DAY_MS
            for topic in [one for one, named_ms in kept.topics.items() if named_ms < before_ms]:
                gone += self._drop_topic(account, topic)
                changed.append(account)
            if kept.aside and not kept.topics:
                self.close(account)
                changed.append(account)
        return gone, list(dict.fromkeys(changed))

    def close(self, account: AccountId) -> list[Place]:
        """Forget an account; return the frames that go."""
        kept = self.accounts.get(account)
        gone = [place for topic in list(kept.topics if kept else ()) for place in self._drop_topic(account, topic)]
        self.accounts.pop(account, None)
        return gone

    # ------------------------------------------------------------ room

    def _allowed(self, account: AccountId) -> tuple[int, int]:
        """Return how many frames and bytes an account may have: of its quota, and of what others leave free."""
        kept = self.accounts[account]
        share = max(FRAMES_LEAST, limits.KEPT_FRAMES_MAX * kept.quota // self.quota)
        return (
            min(share, limits.KEPT_FRAMES_MAX - (self._held_frames - kept.frames)),
            min(kept.quota, self.quota - (self._held_size - kept.size)),
        )

    def _add(self, account: AccountId, place: Place, gone: list[Place]) -> bool:
        """Keep a frame for an account, if there is room; add to `gone` what has to go for it."""
        kept = self.accounts[account]
        frames, size = self._allowed(account)
        if place.type in OPEN:
            part, part_size = max(1, frames // OPEN_PART), size // OPEN_PART
            if frames < 1 or place.size > part_size:
                return False
            while len(kept.open.places) >= part or kept.open.size + place.size > part_size:
                gone += self._let_go(account, _oldest_of_fullest(kept.open, place))
        elif len(kept.open.places) >= frames or kept.open.size + place.size > size:
            return False
        while kept.frames >= frames or kept.size + place.size > size:
            gone += self._let_go(account, next(iter(kept.said.places)))
        self._hold(account, place)
        return True

    def _hold(self, account: AccountId, place: Place) -> None:
        topic = self._topics[place.topic]
        kept = topic.frames.get(place.frame)
        if kept is None:
            kept = topic.frames[place.frame] = _Kept(place)
            topic.changes += 1
            self.size += place.size
            self.frames += 1
        kept.holders = (*kept.holders, account)
        self.accounts[account].pile(place.type).put(place)
        self._held_frames, self._held_size = self._held_frames + 1, self._held_size + place.size

    def _let_go(self, account: AccountId, place: Place) -> list[Place]:
        """Keep a frame no more for an account; return it if nobody keeps it any more."""
        self.accounts[account].pile(place.type).take(place)
        self._held_frames, self._held_size = self._held_frames - 1, self._held_size - place.size
        topic = self._topics[place.topic]
        kept = topic.frames[place.frame]
        kept.holders = tuple(one for one in kept.holders if one != account)
        if kept.holders:
            return []
        del topic.frames[place.frame]
        topic.changes += 1
        self.size -= place.size
        self.frames -= 1
        return [place]

    def _drop_topic(self, account: AccountId, topic_id: TopicId) -> list[Place]:
        """Forget that an account has a topic, and what it keeps there."""
        topic = self._topics[topic_id]
        held = [kept.place for kept in topic.frames.values() if account in kept.holders]
        gone = [gone for place in held for gone in self._let_go(account, place)]
        del self.accounts[account].topics[topic_id]
        del topic.accounts[account]
        if not topic.accounts:
            del self._topics[topic_id]
        return gone


def _oldest_of_fullest(pile: _Pile, coming: Place) -> Place:
    """Return what gives way: the oldest on the topic that would take most."""
    sizes = {topic: size + (coming.size if topic == coming.topic else 0) for topic, size in pile.by_topic.items()}
    fullest = max(sizes, key=lambda topic: sizes[topic])
    return next(place for place in pile.places if place.topic == fullest)


@dataclass(slots=True, kw_only=True)
class Host:
    """Ourselves as a keeper: `secret` (32 B) makes tickets, `days` is how long a frame is kept."""

    on: bool
    secret: bytes
    days: int
    shelf: Shelf
    swept_ms: int | None = None  # when it was last looked for what is too old (mono)
    # In this process: which accounts stand aside of a ticket's, and for whose node; asked for longest ago first.
    asides: OrderedDict[tuple[AccountId, PeerId], AccountId] = field(default_factory=OrderedDict)
