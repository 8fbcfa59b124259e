"""What is wrong with a command line, in our words and so in the reader's language. Loads cyclopts: only when needed."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import get_args

from cyclopts import (
    CoercionError,
    CycloptsError,
    MissingArgumentError,
    RepeatArgumentError,
    UnknownCommandError,
    UnknownOptionError,
    UnusedCliTokensError,
)

from cli.app import ELSEWHERE
from cli.output import one_line
from mesh.errors import LocalError
from mesh.phrases import Phrase, own, phrase, verbatim

TYPED_CHARS_MAX = 60  # of what is repeated to the person who typed it; ours


class UsageWrong(LocalError):
    """The command line cannot be understood as it stands."""


def usage_error(error: CycloptsError) -> UsageWrong:
    """Say in our words what is wrong with a command line."""
    what, meant = _said(error), _meant(error)
    chain = " ".join(["mesh", *(error.command_chain or ())])
    if meant and isinstance(error, UnknownCommandError) and not error.command_chain:
        return UsageWrong(what, do=phrase("You may mean `{meant}`. `mesh --help` lists all commands.", meant=meant))
    if meant:
        do = phrase("You may mean `{meant}`. `{chain} --help` shows how it is written.", meant=meant, chain=chain)
        return UsageWrong(what, do=do)
    return UsageWrong(what, do=phrase("`{chain} --help` shows how it is written.", chain=chain))


def _said(error: CycloptsError) -> Phrase:
    match error:
        case UnknownCommandError(unused_tokens=[typed, *_]):
            return phrase("There is no command “{typed}” here.", typed=_short(typed))
        case UnknownOptionError():
            return phrase("There is no option {typed} here.", typed=_short(_option(error)))
        case UnusedCliTokensError(unused_tokens=[*tokens]):
            return phrase("There is more on the line than this command takes: {words}", words=" ".join(tokens))
        case MissingArgumentError():
            return _missing(error)
        case RepeatArgumentError():
            return phrase("{option} stands there more than once, and holds one value.", option=_name(error))
        case CoercionError(token=token) if token is not None:
            return _no_value(error, token.value)
        case _:
            error.verbose = False
            said = str(error).strip().splitlines()  # cyclopts' own words, in English: for what a typed line never meets
            return verbatim(said[0]) if said else own("This command line is not understood.")


def _meant(error: CycloptsError) -> str:
    """Name what may be meant instead, as it is typed; empty: nothing is near."""
    match error:
        case UnknownCommandError(unused_tokens=[typed, *_]):
            commands = [name for name in error.app or () if not name.startswith("-")]
            elsewhere = "" if error.command_chain else ELSEWHERE.get(typed, "")
            near = _nearest(typed, commands)
            return elsewhere or (" ".join(["mesh", *(error.command_chain or ()), near]) if near else "")
        case UnknownOptionError():
            return _nearest(_option(error), [name for one in error.argument_collection for name in one.names])
        case CoercionError(token=token) if token is not None and _choices(error):
            return _nearest(token.value, _choices(error)) or ELSEWHERE.get(token.value, "")  # `sanction … remove`
        case _:
            return ""


def _missing(error: MissingArgumentError) -> Phrase:
    name = error.keyword or _name(error)
    if name.startswith("-"):
        return phrase("{option} needs a value after it.", option=name)
    return phrase("{name} is missing from this line.", name=name)


def _no_value(error: CoercionError, typed: str) -> Phrase:
    """Say that a value is none of those that there are, or is no number."""
    name = _name(error)
    if choices := _choices(error):
        listed = ", ".join(choices)
        return phrase("“{typed}” is no {name}. One of: {choices}.", typed=_short(typed), name=name, choices=listed)
    if error.target_type is int:
        return phrase("“{typed}” is no number, as {name} needs.", typed=_short(typed), name=name)
    if error.target_type is bool:
        return phrase("{name} takes no value: it is there or it is not.", name=name)
    return phrase("“{typed}” does not fit {name}.", typed=_short(typed), name=name)


def _choices(error: CoercionError) -> list[str]:
    """Return the values that there are for a parameter that takes one of several."""
    return [] if isinstance(error.target_type, type) else [str(choice) for choice in get_args(error.target_type)]


def _option(error: UnknownOptionError) -> str:
    return error.token.keyword or error.token.value


def _name(error: CycloptsError) -> str:
    """Name what a value was for, as it stands on the help page: an option, or a word in capitals."""
    token = getattr(error, "token", None)
    if token is not None and token.keyword:
        return str(token.keyword)
    name = error.argument.name if error.argument is not None else ""
    return name if name.startswith("--") else name.lstrip("-").upper()


def _nearest(typed: str, names: Iterable[str]) -> str:
    return next(iter(get_close_matches(typed, list(names), n=1)), "")


def _short(typed: str) -> str:
    return one_line(typed)[:TYPED_CHARS_MAX]
