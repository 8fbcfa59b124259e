"""Days when everything goes wrong: whatever happens, nothing untrue is claimed, and in the end all agree."""

import pytest

from tests.simulations.chaos import revolving_door, stormy_day


@pytest.mark.parametrize("seed", range(8))
def test_a_stormy_day_ends_in_agreement(seed: int) -> None:
    stormy_day(seed, 60)


@pytest.mark.parametrize("seed", range(8))
def test_people_come_and_go_through_trouble(seed: int) -> None:
    revolving_door(seed, 60)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(1000, 1200))
def test_many_stormy_days(seed: int) -> None:
    stormy_day(seed, 200)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(1000, 1200))
def test_people_come_and_go_for_long(seed: int) -> None:
    revolving_door(seed, 200)
