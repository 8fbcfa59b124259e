"""Read the fields of an answer as the types that they are documented to have.

The Api's answers are JSON. Here they become typed values, once, at the edge: a field that is missing or of
another type is a fault of the program and says which field it was.
"""

from typing import Final, NoReturn

from cli.words import tell_phrase
from mesh.errors import MeshError
from mesh.node.local.protocol import PHRASES, JsonObject, JsonValue, phrase_from
from mesh.phrases import Phrase, phrase, verbatim

ID_CHARS: Final = 6  # of an id beside an alias: enough to be typed in its place (commands.md, "Rules")


class AnswerUnreadable(MeshError):
    """The node's answer lacks something that this command needs; node and command may differ in version."""

    code = "E-ANSWER"


def text(fields: JsonObject, name: str) -> str:
    """Read a text; null and a missing field are empty."""
    value = fields.get(name)
    if value is None:
        return ""
    return value if isinstance(value, str) else _wrong(name)


def said(fields: JsonObject, name: str) -> str:
    """Read what the node says in words of its own, in the reader's language; null and a missing field are empty."""
    return tell_phrase(phrase_of(fields, name))


def phrase_of(fields: JsonObject, name: str) -> Phrase:
    """Read it as the phrase that stands beside it; as it is where there is none that says the same."""
    english, phrases = text(fields, name), record(fields, PHRASES)
    if english and name in phrases and str(told := phrase_from(phrases[name])) == english:
        return told
    return verbatim(english)


def number(fields: JsonObject, name: str) -> int:
    """Read a whole number; null and a missing field are 0."""
    value = fields.get(name)
    if value is None:
        return 0
    return value if isinstance(value, int) and not isinstance(value, bool) else _wrong(name)


def flag(fields: JsonObject, name: str) -> bool:
    """Read a yes or no; null and a missing field are no."""
    return fields.get(name) is True


def record(fields: JsonObject, name: str) -> JsonObject:
    """Read an object; null and a missing field are empty."""
    value = fields.get(name)
    if value is None:
        return {}
    return value if isinstance(value, dict) else _wrong(name)


def records(fields: JsonObject, name: str) -> list[JsonObject]:
    """Read a list of objects; null and a missing field are empty."""
    return [entry for entry in _list(fields, name) if isinstance(entry, dict)]


def person(who: JsonObject) -> str:
    """Name a person: by alias, with a part of the id where somebody else goes by much the same; else by id."""
    alias, identity = text(who, "alias"), text(who, "id")
    if alias and identity and flag(who, "alike"):
        return f"{alias} ({identity[:ID_CHARS]})"
    return alias or identity


def texts(fields: JsonObject, name: str) -> list[str]:
    """Read a list of texts; an object in it gives the person that it names."""
    found = []
    for entry in _list(fields, name):
        if isinstance(entry, dict):
            found.append(person(entry))
        elif isinstance(entry, str):
            found.append(entry)
    return found


def _list(fields: JsonObject, name: str) -> list[JsonValue]:
    value = fields.get(name)
    if value is None:
        return []
    return value if isinstance(value, list) else _wrong(name)


def _wrong(name: str) -> NoReturn:
    raise AnswerUnreadable(
        phrase("The node's answer has another “{name}” than this command understands.", name=name),
        why="The node and this command may be of different versions.",
        do="Stop the node with `mesh down` and start it again with `mesh up`.",
    )
