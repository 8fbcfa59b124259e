"""`crisis`: where a person in distress is listened to. Needs no home, no node, no passphrase and no network."""

import os
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Final

from cli.options import Flag, Here, WordOrNone
from cli.output import one_line
from mesh.node.local.protocol import JsonObject
from mesh.support.crisis import Card, country_in, country_of, crisis_card, is_old, whole_table
from mesh.support.crisis_table import CrisisEntry

TYPED_CHARS_MAX: Final = 20  # of what is repeated to the person who typed it; ours


def crisis(*, locale: WordOrNone = None, list_: Flag = False, context: Here) -> None:
    """Show where you are listened to when things are dark: numbers for one country.

    It works with no network, no node and no passphrase. This is not an emergency service: no one watches what is said
    here. In danger, call the emergency number of the country that you are in.

    Each entry names the page where it was read, and the day. Check before you rely on it. A country that is not here
    gets the international entries.

    mesh crisis
    mesh crisis --locale GB
    mesh crisis --list

    Parameters
    ----------
    locale
        The country: GB, or en_GB. Left out, it is the one of LC_ALL, LC_ADDRESS, LC_TELEPHONE, LC_MESSAGES or LANG.
    list_
        Show the entries of all countries.
    """
    today = datetime.now(UTC).date()
    country = (
        country_of(os.environ)
        if locale is None
        else country_in(locale, alone=True) or one_line(locale)[:TYPED_CHARS_MAX]
    )
    card = crisis_card(country, today=today)
    if not list_:
        context.out.result(as_json(card), card_lines(card, today))
        return
    cards = whole_table(today=today)
    shown = [(card.locale, entry) for card in cards for entry in card.entries]
    told: JsonObject = {**as_json(card), "entries": [{"locale": place, **entry_json(entry)} for place, entry in shown]}
    context.out.result(told)
    context.out.table(
        ("country", "name", "contact", "hours"),
        [(place, entry.name, entry.contact, entry.hours) for place, entry in shown],
    )
    if not context.out.json:
        context.out.result({}, ["", *card.notice])


def as_json(card: Card) -> JsonObject:
    """Give a card as the object that --json prints."""
    return {
        "locale": card.locale,
        "entries": [entry_json(entry) for entry in card.entries],
        "notice": " ".join([card.instead, *card.notice]).strip(),
    }


def entry_json(entry: CrisisEntry) -> JsonObject:
    """Give an entry as an object."""
    return {
        "name": entry.name,
        "contact": entry.contact,
        "hours": entry.hours,
        "source": entry.source,
        "checked": entry.checked.isoformat(),
    }


def card_lines(card: Card, today: date) -> Iterator[str]:
    """Give a card as lines: where it is for, its entries, and what to know about them."""
    yield f"{card.title} ({card.locale})" if card.title.lower() != card.locale else card.title
    if card.instead:
        yield card.instead
    for entry in card.entries:
        yield ""
        yield entry.name
        yield f"  {entry.contact}"
        yield f"  {entry.hours}"
        old = ": more than a year ago, check first" if is_old(entry, today) else ""
        yield f"  read on {entry.checked.isoformat()}{old}"
        yield f"  {entry.source}"
    yield ""
    yield from card.notice
