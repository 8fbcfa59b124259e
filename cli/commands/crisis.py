"""`crisis`: where a person in distress is listened to. Needs no home, no node, no passphrase and no network."""

import os
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Final

from cli.context import Context
from cli.options import Flag, Here, WordOrNone
from cli.output import Output, one_line
from cli.words import tell, tell_each, tell_phrase, to_tell
from mesh.node.local.protocol import JsonObject
from mesh.phrases import Words, own
from mesh.support.crisis import Card, country_among, country_of, crisis_card, is_old, whole_table
from mesh.support.crisis_table import CrisisEntry

TYPED_CHARS_MAX: Final = 20  # of what is repeated to the person who typed it; ours
WHERE_READ: Final = to_tell("Numbers change. `mesh crisis --sources` shows where each was read, and when.")


def crisis(*words: str, locale: WordOrNone = None, list_: Flag = False, sources: Flag = False, context: Here) -> None:
    """Show where you are listened to when things are dark: numbers for one country.

    It works with no network, no node and no passphrase. This is not an emergency service: no one watches what is said
    here. In danger, call the emergency number of the country that you are in.

    Each entry was read on a page, on some day: --sources shows both. Check before you rely on it. A country that is not
    here gets the international entries.

    mesh crisis
    mesh crisis GB
    mesh crisis --list

    Parameters
    ----------
    words
        The country, by its two letters or its name. Whatever stands here, you are shown a card.
    locale
        The country: GB, or en_GB. Left out, it is the one of LC_ALL, LC_ADDRESS, LC_TELEPHONE, LC_MESSAGES or LANG.
    list_
        Show the entries of all countries.
    sources
        Show beside each entry the page where it was read, and the day.
    """
    today = datetime.now(UTC).date()
    typed = [*([] if locale is None else [locale]), *filter(str.strip, words)]
    names = {card.locale: _said(card.title) for card in whole_table(today=today)}
    country = country_of(os.environ) if not typed else country_among(typed, names) or one_line(" ".join(typed))
    card = crisis_card(country if country is None else country[:TYPED_CHARS_MAX], today=today, guessed=not typed)
    if list_:
        _show_all(context, card, today, sources=sources)
    elif context.out.json:
        context.out.result(as_json(card))
    else:
        _show(context.out, card, today, sources=sources)


def _show(out: Output, card: Card, today: date, *, sources: bool) -> None:
    """Show a card: what one dials or types stands first, in bold where there is bold."""
    title = _said(card.title)
    out.result({}, [f"{title} ({card.locale})" if str(card.title).lower() != card.locale else title])
    out.result({}, [_said(card.instead)] if card.instead else [])
    for entry in card.entries:
        out.result({}, [""])
        out.heading(_named(entry.contact))
        out.result({}, [f"  {line}" for line in entry_lines(entry, today, sources=sources)])
    out.result({}, ["", *map(_said, card.notice), *_ending(card, sources=sources)])


def _show_all(context: Context, card: Card, today: date, *, sources: bool) -> None:
    """Show the entries of all countries, and to a script beside them for which country it was asked."""
    cards = whole_table(today=today)
    shown = [(card.locale, entry) for card in cards for entry in card.entries]
    told: JsonObject = {**as_json(card), "entries": [{"locale": place, **entry_json(entry)} for place, entry in shown]}
    context.out.result(told)
    columns = tell_each("country", "contact", "name", "hours")
    rows: list[tuple[str, ...]] = [
        (place, _named(entry.contact), _named(entry.name), _said(entry.hours)) for place, entry in shown
    ]
    if sources:
        columns += tell_each("read on", "page")
        rows = [(*row, entry.checked.isoformat(), entry.source) for row, (_, entry) in zip(rows, shown, strict=True)]
    context.out.table(columns, rows)
    if not context.out.json:
        context.out.result({}, ["", *map(_said, card.notice), *_ending(card, sources=sources)])


def as_json(card: Card) -> JsonObject:
    """Give a card as the object that --json prints."""
    return {
        "locale": card.locale,
        "entries": [entry_json(entry) for entry in card.entries],
        "notice": " ".join(map(str, (card.instead, *card.notice, *card.sources))).strip(),
    }


def entry_json(entry: CrisisEntry) -> JsonObject:
    """Give an entry as an object."""
    return {
        "name": str(entry.name),
        "contact": str(entry.contact),
        "hours": entry.hours,
        "source": entry.source,
        "checked": entry.checked.isoformat(),
    }


def entry_lines(entry: CrisisEntry, today: date, *, sources: bool) -> Iterator[str]:
    """Say what there is to say below a number: whose it is, when, and how one knows."""
    yield _named(entry.name)
    yield _said(entry.hours)
    day = entry.checked.isoformat()
    if is_old(entry, today):
        yield tell("read on {day}: more than a year ago, check first", day=day)
    elif sources:
        yield tell("read on {day}", day=day)
    if sources:
        yield entry.source


def _ending(card: Card, *, sources: bool) -> list[str]:
    """Say what the entries rest on, or how to see it."""
    return list(map(_said, card.sources)) if sources else [tell(WHERE_READ)]


def _named(words: Words) -> str:
    """Say a name or a number: an organisation's own stays as it is, words of ours are told in the reader's language."""
    return words if isinstance(words, str) else tell_phrase(words)


def _said(words: Words) -> str:
    """Say words of the card's in the reader's language."""
    return tell_phrase(own(words))
