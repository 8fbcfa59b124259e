"""Quotes: a post of the same group by its id, or words from elsewhere; never both, never twice, never a surprise."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.errors import LocalError, RemoteError
from mesh.support.posts import Wish, compose, interpret, is_shown_whole
from mesh.support.quotes import quote_extra, quote_from_elsewhere, quote_of
from mesh.wire import limits
from mesh.wire.codec import encode
from mesh.wire.messages import Extra, ExtraTag, Mode, PostBody, QuoteValue

POST = b"p" * 16


def post(*extras: Extra) -> PostBody:
    """A post with these additions."""
    return PostBody(mode=Mode.LISTENING, cw="", topics=[], text="x", reply_to=b"", extras=list(extras))


@pytest.mark.parametrize("quote", [QuoteValue(post=POST, text=""), QuoteValue(post=b"", text="two\nlines")])
def test_a_quote_comes_as_it_was_composed(quote: QuoteValue) -> None:
    wish = Wish(text="yes, that", mode="listening", cw="", topics=(), reply_to=b"", quote=quote)
    read = interpret(compose(wish))
    assert quote_of(read) == quote
    assert is_shown_whole(read)
    assert quote_of(post()) is None


@pytest.mark.parametrize(
    "quote",
    [
        QuoteValue(post=b"", text=""),
        QuoteValue(post=POST, text="and words beside it"),
        QuoteValue(post=b"short", text=""),
        QuoteValue(post=b"", text="\x1b[2J"),
        QuoteValue(post=b"", text="\u202eback"),
        QuoteValue(post=b"", text=" \n "),
        QuoteValue(post=b"", text="ä" * (limits.QUOTE_TEXT_BYTES_MAX // 2 + 1)),
    ],
)
def test_what_no_honest_program_quotes_is_refused(quote: QuoteValue) -> None:
    with pytest.raises(RemoteError):
        interpret(encode(post(quote_extra(quote))))


def test_two_quotes_are_none() -> None:
    one = quote_extra(QuoteValue(post=POST, text=""))
    with pytest.raises(RemoteError):
        quote_of(post(one, one))


@given(st.binary(max_size=64))
def test_rubbish_is_refused_and_nothing_else_happens(value: bytes) -> None:
    try:
        quote_of(post(Extra(tag=ExtraTag.QUOTE, value=value)))
    except RemoteError:
        return


def test_what_is_too_long_is_not_cut() -> None:
    longest = "x" * limits.QUOTE_TEXT_BYTES_MAX
    assert quote_from_elsewhere(longest).text == longest
    with pytest.raises(LocalError) as error:
        quote_from_elsewhere(longest + "x")
    assert error.value.code == "E-TOO-LONG"
