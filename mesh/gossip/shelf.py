"""A keeper's shelf: for which accounts it keeps which topics, and what lies there. Bookkeeping, without the frames.

Nothing is kept on a topic that no account named. An account has so many topics, the one named longest ago giving way to
a new one, and so many bytes, its oldest frame giving way. Where all accounts together have filled the house, it is the
one that brings more whose oldest goes: nobody pushes out what others left. The keeper knows topics, types, sizes and
times, and no more (network.md §5, protocol.md §8).
"""

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from mesh.crypto.hashes import kdf
from mesh.ids import AccountId, FrameId, TopicId
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
# Where a frame stands among those that are compared: operations come before what was said under them.
BUCKETS: Final = {FrameType.ENVELOPE: 0, FrameType.OPERATION: 0, FrameType.RETURN: 1, FrameType.MESSAGE: 2}


def ticket_mac(secret: bytes, account: AccountId, quota: int) -> bytes:
    """Return the keeper's own MAC (16 B) over an account and its quota in bytes, under its secret (32 B)."""
    return kdf(secret, b"mesh1/ticket", account + quota.to_bytes(8, "big"))[:MAC_BYTES]


def is_own_ticket(secret: bytes, account: AccountId, quota: int, mac: bytes) -> bool:
    """Say whether a ticket is one of this keeper's."""
    return Secret(ticket_mac(secret, account, quota)) == Secret(mac)


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


@dataclass(slots=True)
class _Topic:
    accounts: dict[AccountId, None] = field(default_factory=dict)  # the first one pays
    frames: OrderedDict[FrameId, Place] = field(default_factory=OrderedDict)  # oldest first
    size: int = 0
    changes: int = 0

    def oldest(self, kind: FrameType) -> Iterator[Place]:
        return (place for place in self.frames.values() if place.type is kind)


@dataclass(slots=True)
class Account:
    """One ticket's account: its quota in bytes, for how many days it wants anything kept at most, and its topics.

    Beside each topic stands when it was named last (Unix ms).
    """

    quota: int
    days: int = DAYS_MAX
    topics: OrderedDict[TopicId, int] = field(default_factory=OrderedDict)  # named longest ago first


class Shelf:
    """What a keeper keeps. `quota`: bytes for all accounts together."""

    def __init__(self, quota: int) -> None:
        self.quota = quota
        self.accounts: dict[AccountId, Account] = {}
        self.size = 0
        self.frames = 0
        self._topics: dict[TopicId, _Topic] = {}

    @property
    def topics(self) -> Iterable[TopicId]:
        """The topics that somebody asked to have kept."""
        return self._topics.keys()

    def has_topic(self, topic: TopicId) -> bool:
        """Say whether a topic is kept."""
        return topic in self._topics

    def holds(self, topic: TopicId, frame: FrameId) -> bool:
        """Say whether a frame lies here."""
        found = self._topics.get(topic)
        return found is not None and frame in found.frames

    def changes(self, topic: TopicId) -> int:
        """Return a number that rises with each change of what lies under a topic."""
        return self._topics[topic].changes

    def places(self, topic: TopicId) -> list[Place]:
        """Return what lies under a topic, oldest first."""
        found = self._topics.get(topic)
        return [] if found is None else list(found.frames.values())

    def held(self, account: AccountId) -> tuple[int, int, int]:
        """Return how many frames and bytes lie here for an account, and since when the oldest (Unix ms; 0: none)."""
        topics = self._paid(account)
        oldest = [next(iter(topic.frames.values())).at_ms for topic in topics if topic.frames]
        return sum(len(topic.frames) for topic in topics), sum(t.size for t in topics), min(oldest, default=0)

    @property
    def oldest_ms(self) -> int:
        """Since when the oldest frame lies here (Unix ms); 0: there is none."""
        found = (next(iter(topic.frames.values())).at_ms for topic in self._topics.values() if topic.frames)
        return min(found, default=0)

    # ------------------------------------------------------------ changes

    def restore(self, account: AccountId, kept: Account) -> None:
        """Put an account back as it was stored."""
        self.accounts[account] = kept
        for topic in kept.topics:
            self._topics.setdefault(topic, _Topic()).accounts[account] = None

    def restore_place(self, place: Place) -> bool:
        """Put a frame back as it was stored, oldest first; False if nobody keeps its topic any more."""
        topic = self._topics.get(place.topic)
        if topic is None:
            return False
        self._put(topic, place)
        return True

    def name(
        self,
        account: AccountId,
        quota: int,
        topics: Iterable[TopicId],
        now_ms: int,
        *,
        days: int = limits.KEPT_DAYS_MAX,
    ) -> list[Place]:
        """Keep these topics for an account, the most important last; return what has to go for it."""
        kept = self.accounts.setdefault(account, Account(quota))
        kept.quota, kept.days = quota, days
        gone: list[Place] = []
        for topic in topics:
            if topic not in self._topics and len(self._topics) >= limits.KEPT_TOPICS_ALL_MAX:
                if not kept.topics:
                    continue
                gone += self._drop_topic(account, next(iter(kept.topics)))
            kept.topics[topic] = now_ms
            kept.topics.move_to_end(topic)
            self._topics.setdefault(topic, _Topic()).accounts[account] = None
            while len(kept.topics) > limits.KEPT_TOPICS_MAX:
                gone += self._drop_topic(account, next(iter(kept.topics)))
        return gone + self._fit(account, 0)

    def add(
        self, topic: TopicId, frame: FrameId, kind: FrameType, size: int, now_ms: int
    ) -> tuple[Place, list[Place]] | None:
        """Put a frame on the shelf; return its place and what has to go for it. None: there is no room for it."""
        found = self._topics[topic]
        payer = next(iter(found.accounts))
        frames, held, _ = self.held(payer)
        crowded = self.size - held + size > self.quota or self.frames - frames >= limits.KEPT_FRAMES_MAX
        if size > self.accounts[payer].quota or crowded:
            return None  # what others left fills the house
        gone = self._fit(payer, size)
        newest = next(reversed(found.frames.values())).at_ms if found.frames else 0
        place = Place(topic, max(now_ms, newest), frame, kind, size)
        self._put(found, place)
        if kind in NEWEST:
            alike = list(found.oldest(kind))
            gone += [self._take(found, old) for old in alike[: -NEWEST[kind]]]
        return place, gone

    def expire(self, now_ms: int, days: int) -> tuple[list[Place], list[AccountId]]:
        """Drop what lies here for longer than so many days, or than its account wants, and old topics.

        Return the frames that go, and the accounts that lost a topic.
        """
        gone: list[Place] = []
        for topic in self._topics.values():
            wanted = self.accounts[next(iter(topic.accounts))].days
            before_ms = now_ms - min(days, wanted) * DAY_MS
            for place in list(topic.frames.values()):
                if place.at_ms >= before_ms:
                    break
                gone.append(self._take(topic, place))
        changed: list[AccountId] = []
        before_ms = now_ms - days * DAY_MS
        for account, kept in self.accounts.items():
            for topic_id in [one for one, named_ms in kept.topics.items() if named_ms < before_ms]:
                gone += self._drop_topic(account, topic_id)
                changed.append(account)
        return gone, list(dict.fromkeys(changed))

    def _paid(self, account: AccountId) -> list[_Topic]:
        kept = self.accounts.get(account)
        topics = [] if kept is None else [self._topics[topic] for topic in kept.topics]
        return [topic for topic in topics if next(iter(topic.accounts)) == account]

    def _fit(self, account: AccountId, size: int) -> list[Place]:
        """Drop an account's oldest frames until so many bytes fit, within its quota and the house's."""
        gone: list[Place] = []
        topics = self._paid(account)
        held = sum(topic.size for topic in topics)
        quota = self.accounts[account].quota
        while held + size > quota or self.size + size > self.quota or self.frames >= limits.KEPT_FRAMES_MAX:
            filled = [topic for topic in topics if topic.frames]
            if not filled:
                break
            oldest = min(filled, key=lambda topic: next(iter(topic.frames.values())).at_ms)
            place = self._take(oldest, next(iter(oldest.frames.values())))
            held -= place.size
            gone.append(place)
        return gone

    def _drop_topic(self, account: AccountId, topic_id: TopicId) -> list[Place]:
        """Forget that an account has a topic; what lies there goes with the last account that has it."""
        del self.accounts[account].topics[topic_id]
        topic = self._topics[topic_id]
        del topic.accounts[account]
        if topic.accounts:
            return []
        del self._topics[topic_id]
        return [self._take(topic, place) for place in list(topic.frames.values())]

    def _put(self, topic: _Topic, place: Place) -> None:
        topic.frames[place.frame] = place
        topic.size += place.size
        topic.changes += 1
        self.size += place.size
        self.frames += 1

    def _take(self, topic: _Topic, place: Place) -> Place:
        del topic.frames[place.frame]
        topic.size -= place.size
        topic.changes += 1
        self.size -= place.size
        self.frames -= 1
        return place


@dataclass(slots=True, kw_only=True)
class Host:
    """Ourselves as a keeper: `secret` (32 B) makes tickets, `days` is how long a frame is kept."""

    on: bool
    secret: bytes
    days: int
    shelf: Shelf
