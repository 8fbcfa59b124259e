"""The crisis card: for one country, where a person in distress is listened to, and how one knows.

Pure: the table (`mesh.support.crisis_table`) is part of the program, so that the card needs no store, no node, no
network and no clock. The day comes in as `today`, for what was read long ago says so. A country that the table does not
have gets the international entries, and is told that it does: a person who asks must never be left with an error.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from mesh.phrases import Words, phrase
from mesh.support.crisis_table import COUNTRIES, INTERNATIONAL, CrisisEntry

FALLBACK: Final = "international"  # what the card calls itself where no country's entries are shown
OLD_AFTER_DAYS: Final = 365  # ours: numbers change seldom, but they do
# The country is where one's address and telephone are, which many set apart from the language (POSIX.1-2017 §8.2 for
# LC_ALL, LC_MESSAGES and LANG; ISO/IEC TR 30112 for the two between). The first that names a country is taken.
ENVIRONMENT: Final = ("LC_ALL", "LC_ADDRESS", "LC_TELEPHONE", "LC_MESSAGES", "LANG")
_ALSO_CALLED: Final = {"UK": "GB"}  # what people type; GB is ISO 3166-1's
_LOCALE: Final = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z]{4})?[-_]([A-Za-z]{2})(?:[.@].*)?", re.DOTALL)
_ALONE: Final = re.compile(r"[A-Za-z]{2}")

NOTICE: Final = (
    "This is not an emergency service.",
    "If a life is in danger now, call the emergency number of the country that you are in.",
)
SOURCES: Final = (
    "Each entry was read on the day that is shown, in a stored copy of the page that is named.",
    "The page itself may be newer: check before relying on it.",
)
_ELSEWHERE: Final = "If you are in another country, name it: `mesh crisis --locale DE`."
_NONE_NAMED: Final = "No country was named, so these are for all. Name yours: `mesh crisis --locale GB`."


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What is shown: `locale` is a country (ISO 3166-1, two letters) or "international"; `title` names it in words.

    `instead` says why this is not the card of a country, and is empty where it is one. What is in words of ours is told
    in the reader's language by whoever shows it. `notice` is for everybody; `sources` says what the entries rest on.
    """

    locale: str
    title: Words
    instead: Words
    entries: tuple[CrisisEntry, ...]
    notice: tuple[Words, ...]  # whole sentences
    sources: tuple[Words, ...]  # whole sentences


def country_in(locale: str, *, alone: bool) -> str | None:
    """Return the country that a locale names (`en_GB`, `en-GB`, `zh_Hant_TW.UTF-8`), in capitals; None if it has none.

    `alone`: two letters by themselves are a country (`GB`). In the environment they are a language.
    """
    if alone and _ALONE.fullmatch(locale):
        found = locale.upper()
    elif named := _LOCALE.fullmatch(locale):
        found = named[1].upper()
    else:
        return None
    return _ALSO_CALLED.get(found, found)


def country_among(typed: Iterable[str], names: Mapping[str, str]) -> str | None:
    """Return the country that a person means by the words that they typed; None where that is not clear.

    `names` are the countries' names in the reader's language, by their letters; the English ones are known. Of several
    words two letters are a country only in capitals: "in" and "it" are words too.
    """
    words = " ".join(typed).split()
    meant = " ".join(words).casefold()
    for code, country in COUNTRIES.items():
        if meant in {country.name.casefold(), names.get(code, "").casefold()}:
            return code
    if len(words) == 1:
        return country_in(words[0], alone=True)
    found = (country_in(word, alone=True) for word in words if word.isupper())
    return next((code for code in found if code in COUNTRIES), None)


def country_of(environment: Mapping[str, str]) -> str | None:
    """Return the country that the environment's locale names; None if it names none."""
    named = (country_in(environment.get(name, ""), alone=False) for name in ENVIRONMENT)
    return next((country for country in named if country is not None), None)


def crisis_card(country: str | None, *, today: date, guessed: bool = False) -> Card:
    """Return the card for a country (two capitals), or the international one for None and for what is not here.

    `guessed`: the country is the machine's, and nobody named it. Then the card says how to name another.
    """
    known = COUNTRIES.get(country or "")
    instead: Words = ""
    if known is not None and country is not None:
        locale, title, entries = country, known.name, known.entries
    else:
        locale, title, entries = FALLBACK, "International", INTERNATIONAL
        instead = (
            _NONE_NAMED
            if country is None
            else phrase(
                "There is no entry for {country} here, so these are for all countries. Write two letters, like DE; "
                "`mesh crisis --list` shows the countries that are here.",
                country=country,
            )
        )
    return Card(
        locale=locale,
        title=title,
        instead=instead,
        entries=entries,
        notice=(*NOTICE, *_old(entries, today), *([_ELSEWHERE] if guessed and not instead else [])),
        sources=(*SOURCES, *_ages(entries)),
    )


def whole_table(*, today: date) -> list[Card]:
    """Return the card of each country in the order of its letters, and the international one last."""
    return [crisis_card(country, today=today) for country in (*sorted(COUNTRIES), None)]


def is_old(entry: CrisisEntry, today: date) -> bool:
    """Say whether an entry was read more than a year before."""
    return (today - entry.checked).days > OLD_AFTER_DAYS


def _old(entries: Iterable[CrisisEntry], today: date) -> list[Words]:
    """Name the entries that were read long ago."""
    old = [str(entry.name) for entry in entries if is_old(entry, today)]
    return [phrase("Read more than a year ago, so check first: {entries}.", entries=", ".join(old))] if old else []


def _ages(entries: Iterable[CrisisEntry]) -> list[Words]:
    """Say how old the copies are, where they say so themselves."""
    dated = [f"{entry.name} {entry.page_of}" for entry in entries if entry.page_of]
    return [phrase("What the copies say of their own date: {entries}.", entries=", ".join(dated))] if dated else []
