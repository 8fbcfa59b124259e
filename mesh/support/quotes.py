"""Quotes: a post may stand on what somebody else said.

From the same group a quote is a name: the words are looked up where they stand, so that they are their author's, stay
behind their warning, and go when they go. From another group it is the words alone. They come with nobody's signature
that a reader could check, for any that they could would lead to their author (decision 0031).
"""

from typing import Final

from mesh.errors import Fault, LocalError, RemoteError
from mesh.phrases import phrase
from mesh.wire import limits
from mesh.wire.codec import decode, encode
from mesh.wire.messages import Extra, ExtraTag, PostBody, QuoteValue
from mesh.wire.text import check_text

_POST_ID_BYTES: Final = 16
_VALUE_BYTES_MAX: Final = limits.QUOTE_TEXT_BYTES_MAX + 64


def quote_extra(quote: QuoteValue) -> Extra:
    """Return the addition to a post that stands for what it quotes."""
    return Extra(tag=ExtraTag.QUOTE, value=encode(quote))


def quote_from_elsewhere(text: str) -> QuoteValue:
    """Return a quote of words from another group; LocalError if they are too long for one."""
    if len(text.encode()) > limits.QUOTE_TEXT_BYTES_MAX:
        raise LocalError(
            phrase("the message is longer than the {most} bytes that can be quoted", most=limits.QUOTE_TEXT_BYTES_MAX),
            why="words from elsewhere go along whole, within your message",
            do="ask its author to say it there themself",
            code="E-TOO-LONG",
        )
    return QuoteValue(post=b"", text=text)


def quote_of(post: PostBody) -> QuoteValue | None:
    """Return what a post quotes; RemoteError if that is not such as an honest client sends."""
    values = [extra.value for extra in post.extras if extra.tag == ExtraTag.QUOTE]
    if not values:
        return None
    if len(values) > 1:
        raise RemoteError(Fault.MALFORMED, "a post that quotes twice")
    quote = decode(QuoteValue, values[0], bytes_max=_VALUE_BYTES_MAX)
    if len(quote.post) not in (0, _POST_ID_BYTES) or bool(quote.post) == bool(quote.text):
        raise RemoteError(Fault.MALFORMED, "a quote of nothing, or of two things")
    if quote.text:
        check_text(quote.text, limits.QUOTE_TEXT_BYTES_MAX, lines=True)
    return quote
