"""Our own words in the reader's language: every sentence that the command says of itself goes through here.

English is the source and needs nothing: no catalogue is read and gettext is not imported. For another language the
catalogue beside this file is, once, made into what the standard library's gettext reads (`cli/po.py`).

`tell("no group is called {name}", name=…)` says a sentence; `tell_many` one that counts; `tell_each` the names of
columns; `tell_phrase` one that came from the core; `to_tell` marks a constant that is told later. Templates are
constants of the source, and `make words` collects them. Values are put in as they are, after the template was looked
up; a phrase among them is our own words, and looked up too. Decision 0036.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mesh.phrases import COUNT, Phrase, Value, filled

if TYPE_CHECKING:
    from gettext import NullTranslations

LOCALES: Final = Path(__file__).parent / "locale"
VARIABLES: Final = ("LC_ALL", "LC_MESSAGES", "LANG")  # POSIX.1-2024, base definitions §8.2: the first that is set holds
ENGLISH: Final = "en"


@dataclass(slots=True)
class _Spoken:
    """The language of this run."""

    language: str = ENGLISH
    catalogue: "NullTranslations | None" = None


_SPOKEN: Final = _Spoken()


def tell(template: str, /, **values: Value) -> str:
    """Say a sentence of ours."""
    return tell_phrase(Phrase(template, values))


def tell_many(one: str, many: str, /, *, count: int, **values: Value) -> str:
    """Say a sentence of ours that counts something; `{count}` may stand in it."""
    return tell_phrase(Phrase(one, {COUNT: count, **values}, many))


def tell_each(*templates: str) -> tuple[str, ...]:
    """Say several short texts, such as the names of columns."""
    return tuple(map(tell, templates))


def to_tell(template: str) -> str:
    """Mark a constant that is told later; it stays as it is."""
    return template


def tell_phrase(phrase: Phrase) -> str:
    """Say a phrase, and those among its values."""
    if _SPOKEN.catalogue is None:
        return str(phrase)
    values = {
        name: tell_phrase(value) if isinstance(value, Phrase) else str(value) for name, value in phrase.values.items()
    }
    return filled(_looked_up(phrase), values)


def _looked_up(phrase: Phrase) -> str:
    catalogue, count = _SPOKEN.catalogue, phrase.values.get(COUNT)
    if catalogue is None or not phrase.template:  # gettext keeps its header under the empty string
        return phrase.template
    if phrase.many and isinstance(count, int):
        return catalogue.ngettext(phrase.template, phrase.many, count)
    return catalogue.gettext(phrase.template)


# ---------------------------------------------------------------- the language


def speak(environment: Mapping[str, str]) -> None:
    """Choose the language of this run: the one that the environment asks for, if we have it; else English."""
    asked = next((environment[name] for name in VARIABLES if environment.get(name)), "")
    language = next((name for name in _names(asked) if name in languages()), ENGLISH)
    if language != _SPOKEN.language:
        _SPOKEN.language, _SPOKEN.catalogue = language, None if language == ENGLISH else _load(language)


def language() -> str:
    """Name the language that is spoken now, for a document that says which it is in (BCP 47)."""
    return (_SPOKEN.language if _SPOKEN.catalogue is not None else ENGLISH).replace("_", "-")


@contextmanager
def in_english() -> Iterator[None]:
    """Speak English for a while: to a script."""
    kept, _SPOKEN.catalogue = _SPOKEN.catalogue, None
    try:
        yield
    finally:
        _SPOKEN.catalogue = kept


def languages() -> tuple[str, ...]:
    """Name the languages that there is a catalogue of, English not among them."""
    return tuple(sorted(path.parent.parent.name for path in LOCALES.glob("*/LC_MESSAGES/mesh.po")))


def _names(locale: str) -> tuple[str, ...]:
    """Name what fits a locale, the closest first: `de_AT.UTF-8@euro` is German as in Austria, else German."""
    plain = locale.partition(".")[0].partition("@")[0]
    return plain, plain.partition("_")[0]


def _load(language: str) -> "NullTranslations":
    from gettext import GNUTranslations
    from io import BytesIO

    from cli.po import as_mo, read_po

    text = (LOCALES / language / "LC_MESSAGES" / "mesh.po").read_text(encoding="utf-8")
    return GNUTranslations(BytesIO(as_mo(read_po(text))))
