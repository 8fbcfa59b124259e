"""What in a text looks as if it could lead to a person: a phone number, an e-mail address, a street with its number.

A hint for the author, before a post leaves their own machine. Nothing is stored, sent or counted, and a text is never
changed. It is a guess in both directions: few false alarms are worth more than a full catch, since whoever is asked in
vain three times no longer reads the question.

What is no contact of a person: days, times, amounts, counts, ranges, versions, network addresses, book numbers, and the
numbers that many share, such as the helplines of `mesh.support.crisis_table` and what is toll-free.
"""

import re
from collections.abc import Iterator
from enum import Enum
from typing import Final

from mesh.support.crisis_table import COUNTRIES, INTERNATIONAL

PHONE_DIGITS_MIN: Final = 7  # a local number of the North American plan; ours
PHONE_DIGITS_MAX: Final = 15  # ITU-T E.164 §6.2.1


class ContactKind(Enum):
    """What was seen, in the words in which the author is told."""

    PHONE = "a phone number"
    EMAIL = "an e-mail address"
    STREET = "a street address"


def contacts_in(text: str) -> tuple[ContactKind, ...]:
    """Return the kinds that a text seems to hold, each once, in the order of `ContactKind`."""
    seen = {
        ContactKind.PHONE: any(_is_phone(number) for number in _numbers(text)),
        ContactKind.EMAIL: _EMAIL.search(text) is not None,
        ContactKind.STREET: any(form.search(text) for form in _STREETS),
    }
    return tuple(kind for kind, found in seen.items() if found)


# ---------------------------------------------------------------- e-mail

# RFC 5321 §4.5.3.1: 64 before the @, 255 after it. Every repetition is bounded, so that no text takes long.
_EMAIL: Final = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}", re.ASCII)

# ---------------------------------------------------------------- phone numbers

_DAY = r"(?:0?[1-9]|[12]\d|3[01])"
_MONTH = r"(?:0?[1-9]|1[0-2])"
_YEAR = r"(?:1[89]|20)\d\d"
_TIME = r"[0-2]?\d[:.h][0-5]\d(?:[:.][0-5]\d)?"
_OTHER_NUMBERS: Final = re.compile(
    "|".join(
        (
            rf"\b{_YEAR}[-./]{_MONTH}[-./]{_DAY}(?:[T ]{_TIME})?\b",  # ISO 8601 and its like
            rf"\b{_DAY}[-./] ?{_MONTH}[-./] ?{_YEAR}(?: {_TIME})?\b",
            rf"\b{_MONTH}[-./]{_DAY}[-./]{_YEAR}\b",
            rf"\b(?:{_YEAR}[-./]{_MONTH}|{_MONTH}[-./]{_YEAR})\b(?![-./]?\d)",
            rf"\b{_YEAR} ?[-–/] ?{_YEAR}\b",
            r"\b[0-2]?\d[:h][0-5]\d(?:[:.][0-5]\d)?\b",  # a time
            r"\b[0-2]\d[0-5]\d ?[-–] ?[0-2]\d(?:00|15|30|45)\b",  # 1830-2000
            r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}\b(?!\.\d)",  # IPv4
            r"\b97[89](?:[- ]?\d){10}\b",  # ISBN-13
            r"[$€£¥₹] ?\d[\d .,'’]{0,20}",  # an amount, its sign before it
            r"\b\d[\d .,'’]{0,20}(?:[$€£¥₹%]|(?:EUR|USD|GBP|CHF|kr|euros?|dollars?|pounds?|yen)\b)",
            r"\b\d{1,3}(?:([,.'’])\d{3})(?:\1\d{3}){0,5}\b(?!\1?\d)",  # thousands, by a mark
            r"\b[1-9]\d?(?: \d{3}){1,5}\b(?! ?\d)",  # thousands, by spaces
            r"(?<![\d.,])\d{1,15}[.,]\d{1,15}\b(?![.,]\d)",  # a decimal
            rf"\b{_YEAR}{_MONTH}{_DAY}\b",
        )
    )
)
_NUMBER: Final = re.compile(r"(?<![\w@/#=+])\+?\(?\d(?:[\d()/. \u00a0-]{0,80}\d)?(?![\w@])")
_SHARED: Final = frozenset(
    re.sub(r"\D", "", piece)
    for entry in (*INTERNATIONAL, *(entry for country in COUNTRIES.values() for entry in country.entries))
    for piece in re.split(r"[;,(]|\bor\b", str(entry.contact))
)
# Toll-free: 800 in most plans, 808 and 1800 in some, 8xx of the North American plan, 116 of the European one.
_TOLL_FREE: Final = re.compile(r"(00|\+)?(0?80[08]|1?8(00|33|44|55|66|77|88)|1800|116)\d{3,8}")


def _numbers(text: str) -> Iterator[str]:
    """Give each run of digits that is not plainly something else, with its separators."""
    left = _OTHER_NUMBERS.sub(" ; ", text)
    for line in left.splitlines():
        yield from (found[0].strip() for found in _NUMBER.finditer(line))


def _is_phone(number: str) -> bool:
    digits = re.sub(r"\D", "", number)
    if not PHONE_DIGITS_MIN <= len(digits) <= PHONE_DIGITS_MAX or digits in _SHARED:
        return False
    if _TOLL_FREE.fullmatch(digits) or re.search(r"\s{2}|\D{4}", number):  # two numbers beside each other
        return False
    international = number.startswith(("+", "00", "(+", "(00"))
    groups = re.findall(r"\d+", number)
    if len(groups) == 1:
        return not re.fullmatch(r"\d+0000", digits) and (international or len(digits) >= 7)
    if len(groups) == 2 and all(re.fullmatch(r"\d+00", group) for group in groups):
        return False  # 1000-2000
    if not international and digits[0] != "0" and max(map(len, groups)) == 2 and len(groups) != 4:
        return False  # pairs are a number where a 0 begins it, or there are four
    return all(len(group) > 1 for group in groups[1:]) or international


# ---------------------------------------------------------------- streets

_CAPITAL = r"[A-ZÀ-ÖØ-Þ][\w'’.-]{1,30}"
_STREETS: Final = (
    # 12 Maple Street, 7b St Mary's Road
    re.compile(
        rf"\b\d{{1,5}}[a-zA-Z]?,? (?:{_CAPITAL} ){{1,4}}"
        r"(?:Street|St|Road|Rd|Avenue|Ave|Lane|Ln|Drive|Close|Court|Boulevard|Blvd|Terrace|Crescent|Gardens|Square)\b"
    ),
    # 12 maple street: one word alone, and none that makes it a phrase
    re.compile(
        r"\b\d{1,5}[a-z]? (?!(?:way|lane|miles?|metres?|meters?|blocks?|the|other|more|of|times?|busy|main|long) )"
        r"[a-z'’]{3,30} (?:street|road|avenue|lane|boulevard)\b"
    ),
    # Musterstraße 12, Hauptstr. 5, Kerkstraat 3, Storgatan 7
    re.compile(
        r"\b[A-ZÄÖÜÅØÆ][\w-]{1,40}(?:straße|strasse|str\.|gasse|platz|allee|straat|gracht|gatan|gata|vägen|veien|vej)"
        r" \d{1,4}\b(?!\d|[.:]\d| (?:Uhr|uur))"
    ),
    # 12 rue de la Paix; Calle Mayor 5; Via Roma, 10
    re.compile(r"\b\d{1,4}(?: ?bis)?,? (?:rue|avenue|boulevard|impasse|chemin|allée) (?:[a-z'’]{1,4} ?){0,3}[A-ZÀ-Þ]"),
    re.compile(
        rf"\b(?:Calle|Avenida|Via|Viale|Piazza|Rua|Plaza) (?:[a-z]{{1,5}} ){{0,3}}{_CAPITAL}(?: {_CAPITAL})?,? "
        r"(?:n[.º°]? ?)?\d{1,4}\b"
    ),
    # a postcode of the United Kingdom, where a line of an address has one
    re.compile(r"\b(?:[A-Z]{1,2}\d{1,2}|[A-Z]{1,2}\d[A-Z]) \d[A-Z]{2}\b"),
)
