"""The types that several commands' parameters share, so that one thing is spelled in one way everywhere."""

import re
from collections.abc import Sequence
from typing import Annotated, TypeAlias

from cyclopts import Parameter, Token

from cli.context import Context
from cli.durations import format_duration, parse_duration
from cli.sizes import parse_size
from mesh.errors import LocalError
from mesh.phrases import phrase


def read_duration(_type: type, tokens: Sequence[Token]) -> int:
    """Read a span of time for the argument parser."""
    return parse_duration(tokens[0].value)


def read_size(_type: type, tokens: Sequence[Token]) -> int:
    """Read a size for the argument parser."""
    return parse_size(tokens[0].value)


def split_commas(_type: type, tokens: Sequence[Token]) -> list[str]:
    """Read `a,b` for the argument parser."""
    return [part for token in tokens for part in (piece.strip() for piece in token.value.split(",")) if part]


def read_word(_type: type, tokens: Sequence[Token]) -> str:
    """Read a text that is not empty: a script's unset variable must not pass for an option that was left out."""
    value, option = tokens[0].value, tokens[0].keyword or "a text"
    if not value.strip():
        raise LocalError(
            phrase("What was given with {option} is empty.", option=option),
            do="Give a value, or leave it out.",
            code="E-USAGE",
        )
    return value


def read_locale(_type: type, tokens: Sequence[Token]) -> str:
    """Read a language, with or without a script and a country: the forms of RFC 5646 that people use."""
    value = tokens[0].value
    if not re.fullmatch(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?", value):
        raise LocalError(
            phrase("“{typed}” is no language and country.", typed=value[:40]),
            do="Write the language, and the country if you like: en, en-GB, zh-Hant-TW.",
            code="E-USAGE",
        )
    return value


def read_words(_type: type, tokens: Sequence[Token]) -> list[str]:
    """Read texts none of which is empty."""
    return [read_word(str, [token]) for token in tokens]


Here: TypeAlias = Annotated[Context, Parameter(parse=False)]
Seconds: TypeAlias = Annotated[int, Parameter(converter=read_duration, metavar="DUR", show_default=format_duration)]
SecondsOrNone: TypeAlias = Annotated[int | None, Parameter(converter=read_duration, metavar="DUR")]
SizeOrNone: TypeAlias = Annotated[int | None, Parameter(converter=read_size, metavar="SIZE")]
Commas: TypeAlias = Annotated[
    list[str] | None, Parameter(converter=split_commas, metavar="A,B", negative="", n_tokens=1)
]
WordOrNone: TypeAlias = Annotated[str | None, Parameter(converter=read_word)]
Locale: TypeAlias = Annotated[str, Parameter(converter=read_locale, metavar="L")]
WordsOrNone: TypeAlias = Annotated[list[str] | None, Parameter(converter=read_words)]
Flag: TypeAlias = Annotated[bool, Parameter(negative="", show_default=False)]
