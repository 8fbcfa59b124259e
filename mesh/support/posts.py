"""Posts: something said, how its author wants to be heard, and what stands before it.

The mode is a wish, shown to whoever answers. A warning's label travels with the post; the text stays closed until its
reader opens it.
"""

from dataclasses import dataclass
from typing import Final

from mesh.errors import Fault, LocalError, RemoteError
from mesh.wire import limits
from mesh.wire.codec import decode, encode
from mesh.wire.messages import Mode, PostBody
from mesh.wire.text import check_text, require_text

POST_ID_BYTES: Final = 16
MODES: Final = {mode.name.lower(): mode for mode in Mode}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A post as its author typed it; `reply_to` is a post id (16 B) or empty."""

    text: str
    mode: str
    cw: str
    topics: tuple[str, ...]
    reply_to: bytes


def compose(wish: Wish) -> bytes:
    """Return the encoded body of a post; LocalError in words for what cannot be sent."""
    mode = MODES.get(wish.mode)
    if mode is None:
        raise LocalError(
            f"“{wish.mode}” is not a support mode",
            why="a post says how its author wants to be heard",
            do="choose one of: " + ", ".join(MODES),
            code="E-MODE",
            candidates=tuple(MODES),
        )
    if len(wish.topics) > limits.TOPICS_MAX:
        raise LocalError(f"more than {limits.TOPICS_MAX} topics", do="name fewer", code="E-TEXT")
    size = len(wish.text.encode(errors="replace"))
    if size > limits.POST_TEXT_BYTES_MAX:
        raise LocalError(
            f"the message is {size} bytes long; {limits.POST_TEXT_BYTES_MAX} is the limit",
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
            extras=[],
        )
    )


def interpret(body: bytes) -> PostBody:
    """Parse a post from a peer; RemoteError if its bytes or texts are not what an honest client sends."""
    post = decode(PostBody, body, bytes_max=limits.MESSAGE_BYTES_MAX)
    if len(post.reply_to) not in (0, POST_ID_BYTES):
        raise RemoteError(Fault.MALFORMED, "a post that answers something without a name")
    check_text(post.text, limits.POST_TEXT_BYTES_MAX, lines=True)
    check_text(post.cw, limits.WARNING_BYTES_MAX)
    for topic in post.topics:
        check_text(topic, limits.TOPIC_BYTES_MAX)
    return post
