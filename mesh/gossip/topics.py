"""Which topics do two linked nodes share? (network.md §2, "Which topics do we share?")

Each side announces, for each of its topics, 8 bytes of H("mesh1/iwant", topic, announcer's nonce, hearer's nonce): only
one who knows the topic recognises it. The order of the nonces differs by direction, so that a peer which echoes our own
tags back claims nothing (docs/decisions/0004).

Of some topics we only answer: they are announced over a link whose other end named them first. A keeper does so with
what it keeps, or each link would see by their number when somebody has something kept (docs/decisions/0038).
"""

from collections.abc import Iterable
from typing import Final

from mesh.crypto.hashes import h
from mesh.errors import Fault, RemoteError
from mesh.ids import TopicId
from mesh.wire import limits

TAG_BYTES: Final = 8


def tag(topic: TopicId, announcer_nonce: bytes, hearer_nonce: bytes) -> bytes:
    """Return the 8 B by which `topic` is announced over this link in this direction."""
    return h(b"mesh1/iwant", topic, announcer_nonce, hearer_nonce)[:TAG_BYTES]


class TopicTable:
    """One link's view: what we announced, and which of our topics the peer announced too.

    The peer's tags are kept even while we do not know them, because we may come to know their topic later.
    """

    def __init__(self, own_nonce: bytes, peer_nonce: bytes) -> None:
        self._own_nonce, self._peer_nonce = own_nonce, peer_nonce
        self._peer_tag_of: dict[TopicId, bytes] = {}  # of all topics that we know: by which tag the peer would name it
        self._by_peer_tag: dict[bytes, TopicId] = {}
        self._answered: dict[TopicId, None] = {}  # those that are announced only where the peer named them first
        self._announced: dict[TopicId, None] = {}
        self._peer_tags: dict[bytes, None] = {}
        self.shared: dict[TopicId, None] = {}

    def own_tag(self, topic: TopicId) -> bytes:
        """Return the tag under which we announce a topic."""
        return tag(topic, self._own_nonce, self._peer_nonce)

    def topic_of_peer_tag(self, peer_tag: bytes) -> TopicId | None:
        """Return the topic of ours that the peer means by this tag."""
        return self._by_peer_tag.get(peer_tag)

    def announce(
        self, topics: Iterable[TopicId], answered: Iterable[TopicId] = ()
    ) -> tuple[bytes | None, list[TopicId]]:
        """Set our topics; return the TOPICS payload that tells the peer of it (or None), and the newly shared.

        `answered`: topics of ours that the peer is told of only as long as it names them itself.
        """
        told = dict.fromkeys(topics)
        self._answered = {topic: None for topic in answered if topic not in told}
        known = told | self._answered
        for topic in [topic for topic in self._peer_tag_of if topic not in known]:
            del self._by_peer_tag[self._peer_tag_of.pop(topic)]
        for topic in known:
            if topic not in self._peer_tag_of:
                self._peer_tag_of[topic] = tag(topic, self._peer_nonce, self._own_nonce)
                self._by_peer_tag[self._peer_tag_of[topic]] = topic
        named = [topic for topic in self._answered if self._peer_tag_of[topic] in self._peer_tags]
        wanted = told | dict.fromkeys(named)
        added = [topic for topic in wanted if topic not in self._announced]
        gone = [topic for topic in self._announced if topic not in wanted]
        return self._tell(added, gone)

    def hear(self, payload: bytes) -> tuple[bytes | None, list[TopicId]]:
        """Take the peer's TOPICS payload in; return what we answer to it (or None), and the newly shared.

        RemoteError if it is malformed.
        """
        if len(payload) < 2 or (len(payload) - 2) % TAG_BYTES:
            raise RemoteError(Fault.MALFORMED, "a list of topics has the wrong length")
        count = int.from_bytes(payload[:2], "big")
        tags = [payload[k : k + TAG_BYTES] for k in range(2, len(payload), TAG_BYTES)]
        if count > len(tags):
            raise RemoteError(Fault.MALFORMED, "a list of topics is shorter than it says")
        added = dict.fromkeys(tags[:count])
        gone = [t for t in dict.fromkeys(tags[count:]) if t in self._peer_tags and t not in added]
        fresh = [t for t in added if t not in self._peer_tags]
        if len(self._peer_tags) - len(gone) + len(fresh) > limits.TOPICS_PER_LINK_MAX:
            raise RemoteError(Fault.OVER_LIMIT, "too many topics on one link")
        for peer_tag in gone:
            del self._peer_tags[peer_tag]
        self._peer_tags.update(dict.fromkeys(fresh))
        dropped = [self._by_peer_tag[t] for t in gone if t in self._by_peer_tag]
        for topic in dropped:
            self.shared.pop(topic, None)
        named = [self._by_peer_tag[t] for t in fresh if t in self._by_peer_tag]
        answers, newly = self._tell(
            [topic for topic in named if topic not in self._announced],
            [topic for topic in dropped if topic in self._answered],
        )
        return answers, self._share(named) + newly

    def _tell(self, added: list[TopicId], gone: list[TopicId]) -> tuple[bytes | None, list[TopicId]]:
        """Announce some topics and withdraw others; return the payload (or None) and what is newly shared by it."""
        for topic in gone:
            del self._announced[topic]
            self.shared.pop(topic, None)
        self._announced.update(dict.fromkeys(added))
        if not added and not gone:
            return None, []
        head = len(added).to_bytes(2, "big")
        return head + b"".join(self.own_tag(topic) for topic in [*added, *gone]), self._share(added)

    def _share(self, topics: Iterable[TopicId]) -> list[TopicId]:
        """Return which of these topics are now announced from both sides and were not before."""
        new: list[TopicId] = []
        for topic in topics:
            both = topic in self._announced and self._peer_tag_of[topic] in self._peer_tags
            if both and topic not in self.shared:
                self.shared[topic] = None
                new.append(topic)
        return new
