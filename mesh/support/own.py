"""One's own: whom one does not want to hear, which words and topics stay closed, which posts one hid.

All of it is local and silent. It decides what is shown to the person here, and nothing else: no message, no receipt and
no operation depends on it, so nobody can see it from outside (decision 0028). Each decision is one row of `Space.OWN`:
the group (or zeros: everywhere), a byte that says what it is, and whom or what it is about.

A muted word is met as a whole word, whatever its case; with a * at its end, as the beginning of one. Scripts that put
no spaces between words have no whole words: there it is met anywhere.
"""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from typing import Final

from mesh.errors import LocalError
from mesh.ids import GroupId, MemberPk, PostId
from mesh.phrases import phrase
from mesh.support.quotes import quote_of
from mesh.wire import limits, shapes
from mesh.wire.codec import Record
from mesh.wire.messages import PostBody
from mesh.wire.text import require_text, shows_nothing

EVERYWHERE: Final = GroupId(bytes(32))  # in the place of a group: holds in all of them
_GID: Final = 32


class About(Enum):
    """What a row of `Space.OWN` is about: the byte after the group."""

    BLOCKED = b"b"  # member key (32 B)
    MUTED = b"m"  # member key
    HIDDEN = b"h"  # post id (16 B)
    WORD = b"w"  # as it is compared, UTF-8
    TOPIC = b"t"  # as it is compared, UTF-8
    ROOM = b"s"  # id of the group (32 B) that is the room of this one's stewards
    CAME = b"o"  # op id (32 B): when an operation that the log shows came here; the machine writes it down


class SinceRecord(Record, frozen=True):
    """A decision stands since then."""

    at_ms: shapes.Millis


class Closed(StrEnum):
    """Why a post stays closed until it is opened; the names that programs are told."""

    HIDDEN = "hidden"
    QUIET = "quiet"  # its author was asked to be quiet then (`mesh.support.ladder`)
    BLOCKED = "blocked"
    MUTED = "muted"
    MODE = "mode"  # it breaks the group's lock (`mesh.peer.modes`)
    AGREEMENT = "agreement"  # its author has not said yes (`mesh.peer.agreeing`)
    PACE = "pace"  # of a newcomer, beyond what newcomers say in an hour
    WORD = "muted-word"
    TOPIC = "muted-topic"
    WARNING = "warning"
    UNPROVED = "unproved"  # in a report: without its author's signature nobody knows whether it bears a warning
    FOLDED = "folded"  # not one's own choice: enough members flagged it, or a moderator folded it
    TURN = "turn"  # said while another spoke in a circle that is not over yet (`mesh.support.circles`)


def own_key(about: About, subject: bytes, gid: GroupId = EVERYWHERE) -> bytes:
    """Return the key of a decision in `Space.OWN`."""
    return gid + about.value + subject


def own_prefix(about: About, gid: GroupId = EVERYWHERE) -> bytes:
    """Return what the keys of all such decisions begin with."""
    return gid + about.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What a person decided, as it concerns one group."""

    blocked: frozenset[MemberPk] = frozenset()
    muted: frozenset[MemberPk] = frozenset()
    hidden: frozenset[PostId] = frozenset()
    words: tuple[str, ...] = ()
    topics: frozenset[str] = field(default_factory=frozenset)

    @staticmethod
    def of(keys: Iterable[bytes]) -> "Choices":
        """Read them from the keys of a group's rows, and of those that hold everywhere."""
        found: dict[bytes, list[bytes]] = {about.value: [] for about in About}
        for key in keys:
            found.setdefault(key[_GID : _GID + 1], []).append(key[_GID + 1 :])
        return Choices(
            blocked=frozenset(map(MemberPk, found[About.BLOCKED.value])),
            muted=frozenset(map(MemberPk, found[About.MUTED.value])),
            hidden=frozenset(map(PostId, found[About.HIDDEN.value])),
            words=tuple(word.decode() for word in found[About.WORD.value]),
            topics=frozenset(topic.decode() for topic in found[About.TOPIC.value]),
        )

    @property
    def silences(self) -> bool:
        """Whether there is anybody or anything of whom one hears nothing unasked."""
        return bool(self.blocked or self.muted or self.hidden)

    def is_silenced(self, member: MemberPk, post: PostId) -> bool:
        """Say whether a post is not told of, and does not count as unread."""
        return member in self.blocked or member in self.muted or post in self.hidden

    def closes_by_author(self, member: MemberPk, post: PostId) -> Closed | None:
        """Say why a post stays closed, whatever stands in it."""
        if post in self.hidden:
            return Closed.HIDDEN
        if member in self.blocked:
            return Closed.BLOCKED
        return Closed.MUTED if member in self.muted else None

    def leaves_out(self, member: MemberPk, *texts: str) -> bool:
        """Say whether what a member put up is not listed: because of them, or of a muted word in these texts."""
        return member in self.blocked or member in self.muted or any(_holds(self.words, text) for text in texts)

    def closes_by_words(self, post: PostBody) -> Closed | None:
        """Say why what stands in a post keeps it closed: its author's warning comes last, for it says most itself."""
        quote = quote_of(post)
        quoted = "" if quote is None else quote.text
        if self.words and any(_holds(self.words, text) for text in (post.text, post.cw, quoted, *post.topics)):
            return Closed.WORD
        if self.topics and any(compared(topic) in self.topics for topic in post.topics):
            return Closed.TOPIC
        return Closed.WARNING if post.cw else None


# ---------------------------------------------------------------- words


def compared(text: str) -> str:
    """Return a text as it is compared: without case, without marks that show nothing."""
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return "".join(c for c in plain if c.isspace() or not shows_nothing(c))


def own_word(word: str) -> str:
    """Return a word to be muted as it is compared and kept; LocalError for what is none."""
    kept = " ".join(compared(require_text("word", word, limits.MUTED_WORD_BYTES_MAX)).split())
    if not any(c.isalnum() for c in kept) or "*" in kept[:-1]:
        raise LocalError(
            phrase("“{word}” is no word that can be met in a post", word=word),
            why="a * may stand at its end alone, and something must stand before it",
            do="write a word, or the beginning of one and *",
            code="E-TEXT",
        )
    return _within(kept, word)


def own_topic(topic: str) -> str:
    """Return a topic to be muted as it is compared and kept; LocalError for what is none."""
    return _within(compared(require_text("topic", topic, limits.TOPIC_BYTES_MAX)), topic)


def _within(kept: str, typed: str) -> str:
    """Folding can lengthen a text; LocalError if too much."""
    if len(kept.encode()) > 4 * limits.MUTED_WORD_BYTES_MAX:
        raise LocalError(phrase("“{typed}” is too long", typed=typed), do="write a shorter one", code="E-TEXT")
    return kept


def _holds(words: Iterable[str], text: str) -> bool:
    """Say whether one of these words, as they are kept, is met in a text."""
    said = " ".join(compared(text).split())
    return any(_is_met(word, said) for word in words)


def _is_met(word: str, said: str) -> bool:
    begins = word.endswith("*")
    sought = word.removesuffix("*")
    at = said.find(sought)
    while at >= 0:
        end = at + len(sought)
        open_before = at > 0 and _goes_on(said[at - 1], said[at])
        open_after = end < len(said) and _goes_on(said[end - 1], said[end])
        if not open_before and (begins or not open_after):
            return True
        at = said.find(sought, at + 1)
    return False


def _goes_on(one: str, other: str) -> bool:
    """Say whether two characters beside each other are within one word."""
    return all(c.isalnum() or unicodedata.combining(c) for c in (one, other)) and not (
        _unspaced(one) or _unspaced(other)
    )


def _unspaced(character: str) -> bool:
    """Say whether a character is of a script that puts no spaces between words, or hangs particles on them."""
    return any(first <= ord(character) <= last for first, last in _UNSPACED)


_UNSPACED: Final = (  # Thai and Lao; Tibetan, Myanmar; Hangul Jamo; Khmer; CJK, kana, Hangul and on
    (0x0E00, 0x0EFF),
    (0x0F00, 0x109F),
    (0x1100, 0x11FF),
    (0x1780, 0x17FF),
    (0x2E80, 0xD7FF),
    (0xF900, 0xFAFF),
    (0x20000, 0x3FFFF),
)
