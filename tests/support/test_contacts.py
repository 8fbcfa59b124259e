"""What looks as if it led to a person, and above all what does not."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.support.contacts import ContactKind, contacts_in
from mesh.support.crisis_table import COUNTRIES, INTERNATIONAL
from mesh.wire import limits

PHONE, EMAIL, STREET = ContactKind.PHONE, ContactKind.EMAIL, ContactKind.STREET
# Words that may stand around: they hold no digit, no @ and no street.
around = st.text(alphabet="abc xyz.,!?\n", max_size=30)


@pytest.mark.parametrize(
    "number",
    [
        "+44 20 7946 0958",
        "+44 (0)20 7946 0958",
        "020 7946 0958",
        "07700 900123",
        "07700900123",
        "(555) 123-4567",
        "555-123-4567",
        "555.123.4567",
        "555-0123",
        "+1 555 123 4567",
        "0049 30 901820",
        "030/901820",
        "030 901820",
        "0170-1234567",
        "06 12 34 56 78",
        "06.12.34.56.78",
        "+33 6 12 34 56 78",
        "601 234 567",
        "70 20 12 09",
        "9151 2345",
        "90-1234-5678",
        "+81-90-1234-5678",
        "612345678",
        "+31612345678",
    ],
)
def test_a_number_of_a_person_is_seen(number: str) -> None:
    assert contacts_in(number) == (PHONE,)
    assert contacts_in(f"Call me: {number}, after six.") == (PHONE,)
    assert contacts_in(f"My number is {number}.") == (PHONE,)


@pytest.mark.parametrize("address", ["wren@example.org", "w.r-en+x@mail.example.co.uk", "a@b.de", "WREN@EXAMPLE.ORG"])
def test_an_address_for_mail_is_seen(address: str) -> None:
    assert contacts_in(f"Write to {address}.") == (EMAIL,)


@pytest.mark.parametrize(
    "address",
    [
        "12 Maple Street",
        "7b St Mary's Road",
        "221B Baker Street",
        "12 maple street",
        "1600 Pennsylvania Avenue",
        "Hauptstraße 12",
        "Lange Musterstraße 5",
        "Hauptstr. 5",
        "Schillerplatz 3",
        "Kerkstraat 12",
        "Storgatan 7",
        "12 rue de la Paix",
        "Calle Mayor 5",
        "Via Roma, 10",
        "Rua das Flores 20",
        "SW1A 1AA",
        "M1 1AE",
    ],
)
def test_a_street_with_its_number_is_seen(address: str) -> None:
    assert contacts_in(f"I live at {address} now.") == (STREET,)


@pytest.mark.parametrize(
    "text",
    [
        "I have been sober since 2019-11-23, and it is 23.11.2026 today.",
        "She died on 3/11/2024 at 18:30:05.",
        "We meet 18:30-20:00 on 24/12/2026, 1830-2000 as they say here.",
        "From 1998-2004 and 2019–2021 I drank.",
        "In 2026-11 I called Lifeline 024 2022-05, and 11/2026 again.",
        "Our number is 65546 72458 31602 54342 77457 38682 47449 68129 46171 14212 73016 00703.",
        "It is 20261123 in the log, 2026-11-23T18:30 here.",
        "I owe 1,250,000 or €1 250 000, no: 12.500.000 kr, 3 500 000 euros.",
        "I have lost $100 000 000 and 45000 USD.",
        "There are 12 of us, 1500 in all, 1 200 000 in the country.",
        "About 1500000 people, or 10000-20000 here, 1000 - 2000 there.",
        "It is 3.1415926 and 0.33333333.",
        "988, 116 123, 116123, 13 11 14, 0800 1110111, 1800 247 247, 0800-0113, 1-800-273-8255.",
        "Step 4, step 5 and step 12: I did 90 meetings in 90 days.",
        "I slept 3 4 5 6 7 8 hours on those nights.",
        "10 mg, then 20 mg, then 7.5 mg; weight 72.5 kg; room 12.",
        "Page 112-115 of ISBN 978-3-16-148410-0.",
        "My node is /ip4/192.168.100.200/tcp/4001, and 192.168.100.200 it was.",
        "Message 3fa9c1d2 and 12345678abcdef.",
        "My two kids down the road, 2 blocks from the street, 3 times around the square.",
        "I walked 5 miles down the long road. It is a 1 way street.",
        "Was du sagst: Platz 3 um 12 Uhr. Ein Umweg 2 mal.",
        "She texted via Zoom at 5.",
        "mail @ home, @wren said, wren@home",
        "",
    ],
)
def test_these_are_no_contacts_of_a_person(text: str) -> None:
    assert contacts_in(text) == ()


@pytest.mark.parametrize(
    "entry",
    [*INTERNATIONAL, *(entry for country in COUNTRIES.values() for entry in country.entries)],
    ids=lambda entry: entry.name,
)
def test_a_number_of_the_crisis_card_is_nobodys_own(entry: object) -> None:
    contact, hours = getattr(entry, "contact", ""), getattr(entry, "hours", "")
    assert contact
    assert contacts_in(f"{contact}: {hours}") == ()


def test_each_kind_is_named_once() -> None:
    text = "a@b.org, c@d.org, +44 20 7946 0958, 020 7946 0958, 12 Maple Street"
    assert contacts_in(text) == (PHONE, EMAIL, STREET)


@given(st.text(alphabet=st.characters(exclude_categories=("Nd", "Nl", "No"), exclude_characters="@")))
def test_without_a_digit_and_an_at_there_is_no_contact(text: str) -> None:
    assert contacts_in(text) == ()


@given(before=around, after=around, digits=st.from_regex(r"\A\+[2-79][1-9]{8,12}\Z"))
def test_a_number_in_its_international_form_is_seen_wherever_it_stands(before: str, after: str, digits: str) -> None:
    text = f"{before} {digits} {after}"
    assert PHONE in contacts_in(text)


@given(before=around, after=around, name=st.from_regex(r"\A[a-z]{1,10}@[a-z]{1,10}\.[a-z]{2,5}\Z"))
def test_a_mail_address_is_seen_wherever_it_stands(before: str, after: str, name: str) -> None:
    assert EMAIL in contacts_in(f"{before} {name} {after}")


@given(day=st.dates(), form=st.sampled_from(["%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%Y%m%d", "%d-%m-%Y"]))
def test_no_day_is_a_number(day: object, form: str) -> None:
    shown = format(day, form)
    if 1800 <= getattr(day, "year", 0) <= 2099:
        assert contacts_in(f"It was on {shown}, you know.") == ()


@given(st.times(), st.times(), st.sampled_from(["{} to {}", "{}-{}", "{} – {}"]))
def test_no_time_is_a_number(begin: object, end: object, form: str) -> None:
    assert contacts_in("at " + form.format(format(begin, "%H:%M"), format(end, "%H:%M"))) == ()


@given(st.integers(0, 999_999), st.sampled_from(["{}", "{:,}", "€{:,}", "{} people", "{}%", "${}"]))
def test_no_count_and_no_amount_below_a_million_is_a_number(count: int, form: str) -> None:
    assert contacts_in(f"There were {form.format(count)} of it.") == ()


@given(st.integers(1_000_000, 10**12), st.sampled_from(["{:,}", "€{:,}", "$ {}", "{} EUR"]))
def test_no_large_amount_is_a_number(count: int, form: str) -> None:
    assert contacts_in(f"There were {form.format(count)} of it.") == ()


@given(st.text())
def test_any_text_can_be_looked_at(text: str) -> None:
    assert set(contacts_in(text)) <= set(ContactKind)


@pytest.mark.parametrize(
    "piece",
    ["1", "1 ", "1,", "1.", "1-", "(", "+1", "a@", "a.", "1 a", "1 Aa ", "Via ", "12 rue ", "1:", "123,", "12 345 "],
)
def test_the_longest_text_is_looked_at_in_less_than_a_second(piece: str) -> None:
    text = (piece * limits.POST_TEXT_BYTES_MAX)[: limits.POST_TEXT_BYTES_MAX]
    began = time.process_time()
    contacts_in(text)
    assert time.process_time() - began < 1


def test_no_repetition_in_a_pattern_is_without_an_end() -> None:
    from mesh.support import contacts

    patterns = [*contacts._STREETS, contacts._EMAIL, contacts._NUMBER, contacts._OTHER_NUMBERS]
    assert [found[0] for form in patterns for found in re.finditer(r"(?<!\\)[)\]][*+]", form.pattern)] == []
