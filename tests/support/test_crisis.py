"""The crisis card: each entry has its source and its day, and whoever asks gets a card."""

import re
from collections import Counter
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.support.crisis import FALLBACK, NOTICE, country_in, country_of, crisis_card, is_old, whole_table
from mesh.support.crisis_table import COUNTRIES, INTERNATIONAL, CrisisEntry

TODAY = date(2026, 11, 23)
LATER = date(2028, 1, 1)
ENTRIES = [
    *((country, entry) for country in COUNTRIES for entry in COUNTRIES[country].entries),
    *((FALLBACK, entry) for entry in INTERNATIONAL),
]
NAMES = [f"{place} {entry.name}" for place, entry in ENTRIES]


def test_there_are_a_dozen_countries_and_a_way_out_for_the_others() -> None:
    assert len(COUNTRIES) >= 12
    assert INTERNATIONAL
    for country, known in COUNTRIES.items():
        assert re.fullmatch("[A-Z]{2}", country)
        assert known.entries, country


@pytest.mark.parametrize(("place", "entry"), ENTRIES, ids=NAMES)
def test_each_entry_has_a_source_and_the_day_on_which_it_was_read(place: str, entry: CrisisEntry) -> None:
    assert re.fullmatch(r"https?://[\w.-]+\.[a-z]{2,}/\S+", entry.source)
    assert date(2026, 11, 23) <= entry.checked
    assert re.fullmatch(r"|20\d\d-(0[1-9]|1[0-2])", entry.page_of)
    assert entry.page_of <= entry.checked.isoformat()[:7]
    assert not re.search("blogspot|wordpress", entry.source), "anybody can have one of these"
    assert not entry.page_of or entry.page_of >= "2015", "numbers change"


@pytest.mark.parametrize(("place", "entry"), ENTRIES, ids=NAMES)
def test_a_contact_is_a_number_or_a_site_that_can_be_typed(place: str, entry: CrisisEntry) -> None:
    for piece in re.split(r"; | or (?!text)|, (?!or)", str(entry.contact)):
        number = r"(WhatsApp |SMS )?\d[\d -]{1,15}\d( \(call or text\))?"
        text = r"\d[\d ]{2,15}, or text [A-Z]+ to \d{4,6}"
        site = r"(www\.)?[\w-]+\.[a-z]{2,3}"
        assert re.fullmatch(f"{number}|{text}|{site}", piece), piece


@pytest.mark.parametrize(("place", "entry"), ENTRIES, ids=NAMES)
def test_what_is_shown_of_an_entry_is_short_and_on_one_line(place: str, entry: CrisisEntry) -> None:
    for part in map(str, (entry.name, entry.contact, entry.hours)):
        assert part == " ".join(part.split())
        assert 2 <= len(part) <= 80
        assert part.isprintable()


def test_no_entry_stands_twice() -> None:
    twice = Counter((place, re.sub(r"\D", "", str(entry.contact)) or entry.contact) for place, entry in ENTRIES)
    assert [seen for seen, times in twice.items() if times > 1] == []
    assert max(Counter(NAMES).values()) == 1


def test_a_card_is_of_its_country_and_says_what_it_is_not() -> None:
    card = crisis_card("GB", today=TODAY)
    assert (card.locale, card.title) == ("GB", "United Kingdom")
    assert card.entries == COUNTRIES["GB"].entries
    assert card.instead == ""
    assert set(NOTICE) <= set(map(str, card.notice))
    notice = " ".join(map(str, card.notice))
    assert "This is not an emergency service." in notice
    sources = " ".join(map(str, card.sources))
    assert "stored copy" in sources
    assert "check before relying on it" in sources


def test_another_country_is_offered_only_where_nobody_named_one() -> None:
    assert not any("another country" in str(line) for line in crisis_card("GB", today=TODAY).notice)
    assert "another country" in str(crisis_card("GB", today=TODAY, guessed=True).notice[-1])


@pytest.mark.parametrize("country", ["XX", "nonsense", "\x1b[2J"])
def test_a_country_that_is_not_here_gets_the_international_card_and_is_told_so(country: str) -> None:
    card = crisis_card(country, today=TODAY)
    assert (card.locale, card.entries) == (FALLBACK, INTERNATIONAL)
    assert country in str(card.instead)
    assert "for all countries" in str(card.instead)


def test_who_names_no_country_is_told_how() -> None:
    card = crisis_card(None, today=TODAY)
    assert card.locale == FALLBACK
    assert "--locale GB" in str(card.instead)


@pytest.mark.parametrize(
    ("locale", "country"),
    [
        ("en_GB", "GB"),
        ("en-GB", "GB"),
        ("en_GB.UTF-8", "GB"),
        ("de_AT@euro", "AT"),
        ("de_CH.ISO-8859-1@x", "CH"),
        ("zh_Hant_TW", "TW"),
        ("sr-latn-rs", "RS"),
        ("en_UK", "GB"),
        ("C", None),
        ("C.UTF-8", None),
        ("POSIX", None),
        ("", None),
        ("en_GB_oops", None),
        ("en_419", None),
    ],
)
def test_a_locale_names_its_country(locale: str, country: str | None) -> None:
    assert country_in(locale, alone=False) == country
    assert country_in(locale, alone=True) == country


@pytest.mark.parametrize(("typed", "country"), [("GB", "GB"), ("gb", "GB"), ("uk", "GB"), ("xx", "XX"), ("x", None)])
def test_two_letters_alone_are_a_country_where_somebody_typed_them(typed: str, country: str | None) -> None:
    assert country_in(typed, alone=True) == country
    assert country_in(typed, alone=False) is None, "in the environment they are a language: sv is Swedish"


def test_where_one_lives_goes_before_the_language() -> None:
    assert country_of({"LANG": "en_US.UTF-8", "LC_ADDRESS": "de_DE.UTF-8"}) == "DE"
    assert country_of({"LANG": "en_US.UTF-8", "LC_TELEPHONE": "fr_FR"}) == "FR"
    assert country_of({"LANG": "en_US.UTF-8", "LC_MESSAGES": "en_NZ"}) == "NZ"
    assert country_of({"LC_ALL": "sv_SE", "LC_ADDRESS": "de_DE", "LANG": "en_US"}) == "SE"
    assert country_of({"LC_ALL": "C.UTF-8", "LANG": "en_IE"}) == "IE", "the first that names a country"
    assert country_of({"LANG": "sv"}) is None
    assert country_of({}) is None


@given(st.one_of(st.text(), st.from_regex(r"[a-z_.@-]{0,30}")))
def test_whatever_is_typed_there_is_a_card(typed: str) -> None:
    for alone in (True, False):
        card = crisis_card(country_in(typed, alone=alone), today=TODAY)
        assert card.entries
        assert set(NOTICE) <= set(map(str, card.notice))


def test_what_was_read_more_than_a_year_ago_says_so() -> None:
    samaritans = COUNTRIES["GB"].entries[0]
    assert not is_old(samaritans, samaritans.checked + timedelta(days=365))
    assert is_old(samaritans, samaritans.checked + timedelta(days=366))
    assert not any("more than a year" in str(line) for line in crisis_card("GB", today=samaritans.checked).notice)
    old = str(crisis_card("GB", today=LATER).notice[-1])
    assert old not in map(str, crisis_card("GB", today=LATER).sources), "it is told to everybody"
    assert old.startswith("Read more than a year ago")
    assert "Samaritans" in old


def test_the_date_that_a_copy_bears_is_told() -> None:
    assert any("Línea 024 2022-05" in str(line) for line in crisis_card("ES", today=TODAY).sources)
    assert not any("of their own date" in str(line) for line in crisis_card("GB", today=TODAY).sources)


def test_the_whole_table_is_each_country_and_then_the_international_card() -> None:
    cards = whole_table(today=TODAY)
    assert [card.locale for card in cards] == [*sorted(COUNTRIES), FALLBACK]
    assert sum(len(card.entries) for card in cards) == len(ENTRIES)
