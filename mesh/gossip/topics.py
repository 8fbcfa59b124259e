"""Which topics do two linked nodes share? (network.md §2, "Which topics do we share?")

Each side announces, for each of its topics, 8 bytes of H("mesh1/iwant", topic, announcer's nonce, hearer's nonce): only
one who knows the topic recognises it. The order of the nonces differs by direction, so that a peer which echoes our own
tags back claims nothing (docs/decisions/0004).
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
        self._announced: dict[TopicId, None] = {}
        self._peer_tags: dict[bytes, None] = {}
        self._by_peer_tag: dict[bytes, TopicId] = {}
        self.shared: dict[TopicId, None] = {}

    def own_tag(self, topic: TopicId) -> bytes:
        """Return the tag under which we announce a topic."""
        return tag(topic, self._own_nonce, self._peer_nonce)

    def topic_of_peer_tag(self, peer_tag: bytes) -> TopicId | None:
        """Return the topic of ours that the peer means by this tag."""
        return self._by_peer_tag.get(peer_tag)

    def announce(self, topics: Iterable[TopicId]) -> tuple[bytes | None, list[TopicId]]:
        """Set our topics; return the TOPICS payload that tells the peer of it (or None), and the newly shared."""
        wanted = dict.fromkeys(topics)
        added = [t for t in wanted if t not in self._announced]
        gone = [t for t in self._announced if t not in wanted]
        if not added and not gone:
            return None, []
        self._announced = wanted
        fresh = {tag(topic, self._peer_nonce, self._own_nonce): topic for topic in added}
        self._by_peer_tag.update(fresh)
        for topic in gone:
            self._by_peer_tag.pop(tag(topic, self._peer_nonce, self._own_nonce), None)
            self.shared.pop(topic, None)
        head = len(added).to_bytes(2, "big")
        return head + b"".join(self.own_tag(t) for t in [*added, *gone]), self._recognise(fresh)

    def hear(self, payload: bytes) -> list[TopicId]:
        """Take the peer's TOPICS payload in; return the topics that are newly shared. RemoteError if malformed."""
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
            topic = self._by_peer_tag.get(peer_tag)
            if topic is not None:
                self.shared.pop(topic, None)
        self._peer_tags.update(dict.fromkeys(fresh))
        return self._recognise(added)

    def _recognise(self, peer_tags: Iterable[bytes]) -> list[TopicId]:
        """Return which of these tags are now known from both sides and were not before."""
        new: list[TopicId] = []
        for peer_tag in peer_tags:
            topic = self._by_peer_tag.get(peer_tag)
            if topic is not None and peer_tag in self._peer_tags and topic not in self.shared:
                self.shared[topic] = None
                new.append(topic)
        return new
