"""Sentences of ours that name something: a template in English beside the values that stand in it.

The core speaks English and knows no other language. What it says travels as a `Phrase`, so that whoever shows it can
look the template up in a catalogue and put the same values into the other language's. A template is written in the
source and nowhere else; a value is what a person, a peer or the system gave, and is never read as a template, whatever
braces are in it, nor looked up. A place for a value is `{name}`, and nothing else: no index, no attribute, no format.

After gettext's msgid and ngettext (https://www.gnu.org/software/gettext/manual/); decision 0036.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, TypeAlias

PLACE: Final = re.compile(r"\{([a-z_]+)\}")
COUNT: Final = "count"  # the value that decides between one and many
_NONE: Final[Mapping[str, "Value"]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Phrase:
    """A sentence, or a part of one: its template, its values; `many` is the template for any count but 1."""

    template: str
    values: Mapping[str, "Value"] = field(default_factory=lambda: _NONE)
    many: str = ""

    def __str__(self) -> str:
        """Say it in English."""
        chosen = self.many if self.many and self.values.get(COUNT) != 1 else self.template
        return filled(chosen, {name: str(value) for name, value in self.values.items()})


Value: TypeAlias = str | int | Phrase
Words: TypeAlias = str | Phrase  # of our own: a `str` here is a constant of the source


def phrase(template: str, /, **values: Value) -> Phrase:
    """Say something of ours, with values in their places."""
    return Phrase(template, values)


def plural(one: str, many: str, /, *, count: int, **values: Value) -> Phrase:
    """Say how many of something there are; `{count}` may stand in both templates."""
    return Phrase(one, {COUNT: count, **values}, many)


def own(words: Words) -> Phrase:
    """Give our own words as a phrase, so that they can stand in another and be translated there."""
    return words if isinstance(words, Phrase) else Phrase(words)


def verbatim(text: str) -> Phrase:
    """Hand on a text as it is: somebody else's words, or words that no catalogue has."""
    return Phrase("{text}", {"text": text})


def filled(template: str, values: Mapping[str, str]) -> str:
    """Put values into a template, once: what a value holds is not looked at. A place without a value stays."""
    return PLACE.sub(lambda place: values.get(place[1], place[0]), template) if values else template
