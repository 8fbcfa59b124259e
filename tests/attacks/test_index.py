"""The index itself: no attack is missing or counted twice, and each patch fits the code that it takes apart."""

from collections import Counter
from pathlib import Path

import pytest

from tests.attacks import ATTACKS, NOT_YET
from tests.attacks.index import DEFENCES, ROOT, applies, attacks, defence, patch_of

NUMBERS = [attack.number for attack in attacks()]


def test_each_attack_has_one_test_and_one_patch_or_a_reason() -> None:
    assert Counter([*NUMBERS, *NOT_YET]) == Counter(ATTACKS)
    assert {path.name for path in DEFENCES.iterdir()} == {patch_of(number).name for number in NUMBERS}
    assert all(reason for _, reason in NOT_YET.values())


def test_no_attack_hides_in_a_file_that_is_not_of_the_index() -> None:
    elsewhere = [path for path in (ROOT / "tests").rglob("*.py") if path.parent != Path(__file__).parent]
    assert [path.name for path in elsewhere if "def test_attack_" in path.read_text()] == []


@pytest.mark.parametrize("number", NUMBERS)
def test_a_patch_fits_and_changes_what_is_shipped(number: int) -> None:
    patch = patch_of(number)
    places = defence(patch.read_text())
    assert places
    assert all(path.startswith("mesh/") and function for path, function in places)
    assert applies(patch, ROOT, "--check")


def test_a_patch_that_does_not_fit_is_seen(tmp_path: Path) -> None:
    bent = tmp_path / "bent.patch"
    bent.write_text(patch_of(NUMBERS[0]).read_text().replace("\n-", "\n-not there "))
    assert not applies(bent, ROOT, "--check")
