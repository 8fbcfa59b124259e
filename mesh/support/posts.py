"""Posts: something said, how its author wants to be heard, and what stands before it.

The mode is a wish, shown to whoever answers. A warning's label travels with the post; the text stays closed until its
reader opens it.
"""

from dataclasses import dataclass
from typing import Final

from mesh.errors import Fault, LocalError, RemoteError
from mesh.phrases import phrase
from mesh.support.files import files_extra, files_of
from mesh.support.quotes import quote_extra, quote_of
from mesh.wire import limits
from mesh.wire.codec import decode, encode
from mesh.wire.files import FileEntry
from mesh.wire.messages import Extra, ExtraTag, Mode, PostBody, QuoteValue
from mesh.wire.text import check_text, require_text

POST_ID_BYTES: Final = 16
_EXPIRES_BYTES: Final = 4
_KNOWN_TAGS: Final = frozenset(map(int, ExtraTag))
MODES: Final = {mode.name.lower(): mode for mode in Mode}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A post as its author typed it; `reply_to` is a post id (16 B) or empty."""

    text: str
    mode: str
    cw: str
    topics: tuple[str, ...]
    reply_to: bytes
    expires_s: int | None = None  # after so long every node forgets it; None: when the group does
    files: tuple[FileEntry, ...] = ()
    quote: QuoteValue | None = None


def compose(wish: Wish) -> bytes:
    """Return the encoded body of a post; LocalError in words for what cannot be sent."""
    mode = MODES.get(wish.mode)
    if mode is None:
        raise LocalError(
            phrase("“{mode}” is not a support mode", mode=wish.mode),
            why="a post says how its author wants to be heard",
            do=phrase("choose one of: {names}", names=", ".join(MODES)),
            code="E-MODE",
            candidates=tuple(MODES),
        )
    if len(wish.topics) > limits.TOPICS_MAX:
        raise LocalError(phrase("more than {most} topics", most=limits.TOPICS_MAX), do="name fewer", code="E-TEXT")
    size = len(wish.text.encode(errors="replace"))
    if size > limits.POST_TEXT_BYTES_MAX:
        raise LocalError(
            phrase("the message is {size} bytes long; {most} is the limit", size=size, most=limits.POST_TEXT_BYTES_MAX),
            why="every member's node keeps a copy",
            do="send it in parts",
            code="E-TOO-LONG",
        )
    return encode(
        PostBody(
            mode=mode,
            cw=require_text("warning", wish.cw, limits.WARNING_BYTES_MAX, empty=True),
            topics=[require_text("topic", topic, limits.TOPIC_BYTES_MAX) for topic in wish.topics],
            text=require_text("message", wish.text, limits.POST_TEXT_BYTES_MAX, lines=True),
            reply_to=wish.reply_to,
            extras=[
                *([] if wish.expires_s is None else [_expiry(wish.expires_s)]),
                *([files_extra(wish.files)] if wish.files else []),
                *([] if wish.quote is None else [quote_extra(wish.quote)]),
            ],
        )
    )


def _expiry(expires_s: int) -> Extra:
    """Return the addition that says when a post is forgotten; LocalError outside the limits."""
    if not 1 <= expires_s <= limits.EXPIRES_S_MAX:
        raise LocalError(
            "a post can disappear after one second at the earliest and a year at the latest",
            do="say it like 1h or 7d, or leave --expires out",
            code="E-USAGE",
        )
    return Extra(tag=ExtraTag.EXPIRES, value=expires_s.to_bytes(_EXPIRES_BYTES, "big"))


def lifetime_s(post: PostBody) -> int | None:
    """Return after how many seconds a post is forgotten; None: when the group does. RemoteError if that is not said so.

    Two answers are none: everybody must come to the same.
    """
    said = [extra.value for extra in post.extras if extra.tag == ExtraTag.EXPIRES]
    if not said:
        return None
    expires_s = int.from_bytes(said[0], "big")
    if len(said) > 1 or len(said[0]) != _EXPIRES_BYTES or not 1 <= expires_s <= limits.EXPIRES_S_MAX:
        raise RemoteError(Fault.MALFORMED, "a post that does not say when it disappears")
    return expires_s


def is_shown_whole(post: PostBody) -> bool:
    """Say whether nothing was added to a post that this version does not know."""
    return all(extra.tag in _KNOWN_TAGS for extra in post.extras)


def interpret(body: bytes) -> PostBody:
    """Parse a post from a peer; RemoteError if its bytes or texts are not what an honest client sends."""
    post = decode(PostBody, body, bytes_max=limits.MESSAGE_BYTES_MAX)
    if len(post.reply_to) not in (0, POST_ID_BYTES):
        raise RemoteError(Fault.MALFORMED, "a post that answers something without a name")
    check_text(post.text, limits.POST_TEXT_BYTES_MAX, lines=True)
    check_text(post.cw, limits.WARNING_BYTES_MAX)
    lifetime_s(post)
    files_of(post)
    quote_of(post)
    for topic in post.topics:
        check_text(topic, limits.TOPIC_BYTES_MAX)
    return post
