"""The types that several commands' parameters share, so that one thing is spelled in one way everywhere."""

from collections.abc import Sequence
from typing import Annotated, TypeAlias

from cyclopts import Parameter, Token

from cli.context import Context
from cli.durations import format_duration, parse_duration


def read_duration(_type: type, tokens: Sequence[Token]) -> int:
    """Read a span of time for the argument parser."""
    return parse_duration(tokens[0].value)


def split_commas(_type: type, tokens: Sequence[Token]) -> list[str]:
    """Read `a,b` for the argument parser."""
    return [part for token in tokens for part in (piece.strip() for piece in token.value.split(",")) if part]


Here: TypeAlias = Annotated[Context, Parameter(parse=False)]
Seconds: TypeAlias = Annotated[int, Parameter(converter=read_duration, metavar="DUR", show_default=format_duration)]
SecondsOrNone: TypeAlias = Annotated[int | None, Parameter(converter=read_duration, metavar="DUR")]
Commas: TypeAlias = Annotated[
    list[str] | None, Parameter(converter=split_commas, metavar="A,B", negative="", n_tokens=1)
]
Flag: TypeAlias = Annotated[bool, Parameter(negative="", show_default=False)]
