"""Twenty-four words on paper, and all the ways to type them again."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.errors import Exit
from mesh.identity.words import WordsWrong, root_of, word_list, words_of
from mesh.secret import Secret

VECTORS = json.loads((Path(__file__).parents[1] / "vectors/identity.json").read_text())["bip39"]
ROOT = Secret(bytes.fromhex(VECTORS[4]["root"]))
WORDS: str = VECTORS[4]["words"]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["root"][:8])
def test_the_words_are_those_of_bip_39(vector: dict[str, str]) -> None:
    root = Secret(bytes.fromhex(vector["root"]))
    assert " ".join(words_of(root)) == vector["words"]
    assert root_of(vector["words"]) == root


def test_the_list_is_whole_and_sorted() -> None:
    words = word_list()
    assert len(words) == len(set(words)) == 2048
    assert list(words) == sorted(words)
    assert len({word[:4] for word in words}) == 2048


@given(st.binary(min_size=32, max_size=32))
def test_any_root_comes_back(root: bytes) -> None:
    words = words_of(Secret(root))
    assert len(words) == 24
    assert root_of(" ".join(words)) == Secret(root)


@pytest.mark.parametrize(
    "typed",
    [
        WORDS.upper(),
        WORDS.title(),
        f"  {WORDS}\n",
        WORDS.replace(" ", "\n"),
        WORDS.replace(" ", " \t  "),
        WORDS + "\r\n",
    ],
)
def test_case_and_spacing_do_not_matter(typed: str) -> None:
    assert root_of(typed) == ROOT


def wrong(typed: str) -> WordsWrong:
    with pytest.raises(WordsWrong) as caught:
        root_of(typed)
    assert caught.value.code == "E-WORDS"
    assert caught.value.exit is Exit.USAGE
    assert caught.value.do
    return caught.value


def test_a_mistyped_word_is_named_with_its_place_and_what_it_may_have_been() -> None:
    error = wrong(WORDS.replace("diagram", "diagrm"))
    assert error.what == "Not among the recovery words: “diagrm” (word 2)."
    assert "diagram" in error.candidates
    assert "diagram" in error.do


def test_several_mistyped_words_are_all_named() -> None:
    error = wrong(WORDS.replace("hamster", "hamstr").replace("length", "qqqqq"))
    assert error.what == "Not among the recovery words: “hamstr” (word 1), “qqqqq” (word 24)."
    assert "hamster" in error.candidates


@pytest.mark.parametrize("count", [1, 12, 23])
def test_too_few_words_are_counted(count: int) -> None:
    said = "1 word;" if count == 1 else f"{count} words;"
    assert said in wrong(" ".join(WORDS.split()[:count])).what


def test_too_many_or_none_are_counted() -> None:
    assert "25 words;" in wrong(f"{WORDS} abandon").what
    assert "0 words;" in wrong(" \n").what


def test_two_words_that_changed_places_fail_the_checksum() -> None:
    words = WORDS.split()
    words[0], words[1] = words[1], words[0]
    assert "checksum" in wrong(" ".join(words)).what


def test_another_word_of_the_list_passes_the_checksum_seldom() -> None:
    first, *rest = WORDS.split()
    passed = 0
    for word in word_list():
        try:
            assert (root_of(" ".join([word, *rest])) == ROOT) == (word == first)
            passed += 1
        except WordsWrong:
            pass
    assert 1 <= passed <= 30  # 2,048 / 256 = 8 on average, the right one among them


@given(st.text(max_size=200))
def test_any_text_is_words_or_a_wrong_one(typed: str) -> None:
    wrong(typed)
