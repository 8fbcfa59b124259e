"""The planted faults: each can still be planted, and what looks for them finds one. All are sought by `make faults`."""

from pathlib import Path

import pytest

from tests.attacks.index import applies
from tests.attacks.run import copy_tree
from tests.simulations.planted import NEEDED, SEEDS, Sought, look, patches, plant, recorded

QUICK = ("crash-at-every-commit", "restored-snapshot")


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("planted")
    copy_tree(where, NEEDED)
    return where


@pytest.mark.parametrize("patch", patches(), ids=[patch.stem for patch in patches()])
def test_a_fault_can_be_planted(tmp_path: Path, patch: Path) -> None:
    copy_tree(tmp_path, ("mesh",))
    assert applies(patch, tmp_path), "the code has moved: make the patch anew"


def test_there_are_as_many_as_are_asked_for() -> None:
    assert len(patches()) >= 12
    assert len(recorded()) >= 12
    assert all(sought.seed is not None and sought.seed < SEEDS for sought in recorded().values())


@pytest.mark.long
@pytest.mark.parametrize("patch", [one for one in patches() if one.name[:2] in recorded()], ids=lambda one: one.stem)
def test_a_fault_is_found_where_it_was_found_first(tree: Path, patch: Path) -> None:
    found = plant(patch, tree, recorded()[patch.name[:2]])
    assert found is not None


def test_a_fault_in_a_quick_scenario_is_found(tree: Path) -> None:
    patch = next(patch for patch in patches() if patch.stem.startswith("01-"))
    found = plant(patch, tree, Sought(2, only=QUICK))
    assert found is not None
    assert found.scenario in QUICK


@pytest.mark.long
def test_where_faults_are_found_there_is_nothing_without_them(tree: Path) -> None:
    for sought in dict.fromkeys(recorded().values()):
        assert look(tree, sought) is None, sought


def test_what_looks_finds_nothing_where_there_is_nothing(tree: Path) -> None:
    assert look(tree, Sought(1, only=QUICK)) is None
