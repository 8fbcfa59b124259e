"""Every `mesh` command within a conversation: the group that one is in, and the message meant, are filled in.

Which command takes what is read from the commands themselves, so one that is added later works here by itself. A group
is left out, unless the word in its place names one of one's groups. A message is a number, an id, or left out: then it
is the last one that was shown.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final, get_args, get_origin, get_type_hints

from cyclopts import Parameter

from cli.chat.numbers import Numbers

if TYPE_CHECKING:
    from cyclopts import App

GROUP, MESSAGE = "group", "message"
# These take a message.
MESSAGE_OPTIONS: Final = frozenset({"--reply-to", "--open", "--since", "--before", "--quote", "--with"})
ID_CHARS_MIN: Final = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What a command takes: its words in their places, which of them it needs, and the options that take a value."""

    places: tuple[str, ...]
    needed: int
    valued: frozenset[str]


def shape_of(command: Callable[..., object]) -> Shape:
    """Read a command's shape from its signature."""
    parameters = inspect.signature(command).parameters.values()
    hints = get_type_hints(command, include_extras=True)
    places = [one for one in parameters if one.kind is inspect.Parameter.POSITIONAL_ONLY]
    options = [one.name for one in parameters if one.kind is inspect.Parameter.KEYWORD_ONLY]
    return Shape(
        places=tuple(one.name for one in places),
        needed=sum(one.default is inspect.Parameter.empty for one in places),
        valued=frozenset(name for option in options for name in _names(option, hints[option]) if name),
    )


def _names(option: str, hint: object) -> tuple[str, ...]:
    """Return how an option that takes a value is written; nothing for a flag."""
    marks: tuple[object, ...] = ()
    if get_origin(hint) is Annotated:
        hint, *rest = get_args(hint)
        marks = tuple(rest)
    if hint is bool:
        return ()
    named = [name for mark in marks if isinstance(mark, Parameter) for name in mark.name or ()]
    return tuple(named) or (f"--{option.strip('_').replace('_', '-')}",)


def resolve(app: "App", words: Sequence[str]) -> tuple[list[str], Callable[..., object] | None]:
    """Return the names of the command among these words, and its function; None where they name none."""
    chain, apps, _ = app.parse_commands(list(words))
    command = apps[-1].default_command if chain else None
    return list(chain), command


@dataclass(frozen=True, slots=True, kw_only=True)
class Here:
    """Where one is: the group, all groups by id and name, and the messages that have numbers."""

    group: str
    groups: dict[str, str]
    numbers: Numbers

    def names_group(self, word: str) -> bool:
        """Say whether a word names one of one's groups."""
        folded = word.casefold()
        by_id = len(word) >= ID_CHARS_MIN and any(gid.startswith(folded) for gid in self.groups)
        return by_id or any(name.casefold() == folded for name in self.groups.values())


def begun(name: str, groups: Mapping[str, str]) -> str:
    """Return the id of the only group whose name begins so; any other name as it is, for the node to find or not.

    For going to a group alone: one sees at once where one is. A command that does something needs the whole name.
    """
    folded = name.casefold()
    if not folded or any(known.casefold() == folded for known in groups.values()):
        return name
    meant = [gid for gid, known in groups.items() if known.casefold().startswith(folded)]
    return meant[0] if len(meant) == 1 else name


def fill(words: Sequence[str], shape: Shape, here: Here) -> list[str]:
    """Return a command's words with what was left out. LocalError for a number that no message has."""
    given, options, all_given = _apart(words, shape, here.numbers)
    if GROUP in shape.places:
        place = shape.places.index(GROUP)
        named = len(given) > place and here.names_group(given[place])
        wanted = place < shape.needed or len(given) > place
        if here.group and wanted and not named and len(given) >= place:
            given.insert(place, here.group)
    if MESSAGE in shape.places:
        place = shape.places.index(MESSAGE)
        if len(given) > place:
            given[place] = here.numbers.id_of(given[place])
        elif len(given) == place and here.numbers.last:
            given.append(here.numbers.last)
    return [*options, *(["--"] if all_given else []), *given]


def _apart(words: Sequence[str], shape: Shape, numbers: Numbers) -> tuple[list[str], list[str], bool]:
    """Tell words in places from options; `True` where a `--` said that no options follow."""
    given: list[str] = []
    options: list[str] = []
    left = list(words)
    while left:
        word = left.pop(0)
        if word == "--":
            return [*given, *left], options, True
        if not word.startswith("-") or word == "-":
            given.append(word)
            continue
        name, equals, value = word.partition("=")
        if name in MESSAGE_OPTIONS and equals:
            word = f"{name}={numbers.id_of(value)}"
        options.append(word)
        if name in shape.valued and not equals and left:
            value = left.pop(0)
            options.append(numbers.id_of(value) if name in MESSAGE_OPTIONS else value)
    return given, options, False
