"""BIP-350, and the slips that people make: each is called by its name."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.errors import LocalError
from mesh.wire.bech32m import decode, encode
from tests.wire.records import SOME

BIP_350 = json.loads((Path(__file__).parents[1] / "vectors/standards.json").read_text())["bech32m"]
DATA = bytes(range(38))
CODE = encode("mesh", DATA)


def slip(text: str, *, prefix: str = "mesh", characters: int = 72) -> str:
    """What a person is told about a code with a slip in it."""
    with pytest.raises(LocalError) as caught:
        decode(prefix, text, characters=characters)
    assert caught.value.code == "E-CODE"
    assert caught.value.do
    return caught.value.what.removeprefix("that code was mistyped: ")


def test_a_code_has_72_characters() -> None:
    assert len(CODE) == 72
    assert decode("mesh", CODE, characters=72) == DATA


@given(st.binary(max_size=40))
def test_what_was_encoded_comes_back_in_either_case(data: bytes) -> None:
    text = encode("mesh", data)
    assert decode("mesh", text, characters=len(text)) == data
    assert decode("mesh", text.upper(), characters=len(text)) == data


@pytest.mark.parametrize("text", [text for text in BIP_350["valid"] if not text.startswith("11l")])
def test_the_checksums_of_bip_350_hold(text: str) -> None:
    decode(text.lower().rpartition("1")[0], text, characters=len(text))


def test_a_right_checksum_over_no_whole_number_of_bytes_is_a_slip_of_its_own() -> None:
    (text,) = [text for text in BIP_350["valid"] if text.startswith("11l")]
    assert slip(text, prefix="1", characters=len(text)) == "its last characters do not fit together"


@pytest.mark.parametrize("text", BIP_350["invalid"])
def test_what_bip_350_calls_invalid_is_refused(text: str) -> None:
    """Those whose prefix is too long or no ASCII fall because a code has one prefix and one length."""
    prefix = text.lower().rpartition("1")[0]
    if prefix and prefix.isascii() and prefix.isprintable() and len(prefix) <= 83 and " " not in prefix:
        assert slip(text, prefix=prefix, characters=len(text))
    assert slip(text)


def test_the_checksum_of_bech32_without_m_is_refused() -> None:
    assert slip("A12UEL5L", prefix="a", characters=8)  # valid under BIP-173


@pytest.mark.parametrize("at", range(5, 72))
def test_one_wrong_character_is_found(at: int) -> None:
    other = "q" if CODE[at] != "q" else "p"
    assert slip(CODE[:at] + other + CODE[at + 1 :]) == f"character {at + 1} seems to be wrong"


@given(st.integers(5, 70))
def test_two_characters_that_changed_places_are_found(at: int) -> None:
    if CODE[at] != CODE[at + 1]:
        swapped = CODE[:at] + CODE[at + 1] + CODE[at] + CODE[at + 2 :]
        assert slip(swapped) == f"characters {at + 1} and {at + 2} seem to be swapped"


@SOME
@given(st.lists(st.integers(5, 71), min_size=2, max_size=4, unique=True), st.data())
def test_up_to_four_wrong_characters_never_pass(places: list[int], data: st.DataObject) -> None:
    bent = list(CODE)
    for at in places:
        bent[at] = data.draw(st.sampled_from(sorted(set("qpzry9x8gf2tvdw0s3jn54khce6mua7l") - {bent[at]})))
    assert slip("".join(bent))


@pytest.mark.parametrize("wrong", ["b", "i", "o", "1", "!", "é", "\u212a", "\u0130", "\u200b"])
def test_a_character_that_is_never_used_is_named(wrong: str) -> None:
    """U+212A and U+0130 turn into ASCII letters when the whole of Unicode is put into lower case."""
    shown = wrong if wrong != "\u200b" else "U+200B"
    for code in (CODE, CODE.upper()):
        fitting = wrong.upper() if code.isupper() and wrong.isascii() else wrong
        assert f"character 20, “{shown}”, is never part of a code" in slip(code[:19] + fitting + code[20:])


def test_other_slips_have_their_names() -> None:
    assert slip(CODE[:60]) == "it is cut short: 60 of 72 characters"
    assert slip(CODE + "q") == "it is too long: 73 of 72 characters"
    assert slip(CODE[:40] + CODE[40:].upper()) == "it mixes capital and small letters"
    assert slip("M" + CODE[1:]) == "it mixes capital and small letters"
    for foreign in ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "Hello World", "", "mesh", "mesh2" + CODE[5:]):
        assert slip(foreign) == "it does not begin with “mesh1”"
    assert slip("mesh1") == "it is cut short: 5 of 72 characters"
    assert slip(CODE[:30] + "qqqqqq" + CODE[36:]) == "more than one character is wrong"


@pytest.mark.parametrize("characters", range(5, 11))
def test_a_code_too_short_for_its_checksum_is_refused(characters: int) -> None:
    assert slip("mesh1" + "q" * (characters - 5), characters=characters)


@given(st.text(max_size=100))
def test_what_people_paste_is_refused_in_words(text: str) -> None:
    assert slip(text)
    assert slip("mesh1" + text)
