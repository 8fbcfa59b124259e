"""A crash at any commit: whoever it happens to goes on, and in the end all have everything, once."""

import random

import pytest

from simulations.world import Crash
from tests.simulations.crashes import NAMES, commits, tell


@pytest.mark.parametrize("draw", range(24))
def test_a_crash_at_some_commit_costs_nothing(draw: int) -> None:
    dice = random.Random(f"crash {draw}")
    seed, victim = draw % 4, dice.choice(NAMES)
    tell(seed, victim, dice.randint(1, commits(seed)[victim]), dice.choice(list(Crash)))


@pytest.mark.long
@pytest.mark.parametrize("crash", list(Crash))
@pytest.mark.parametrize("victim", NAMES)
@pytest.mark.parametrize("seed", range(4))
def test_a_crash_at_any_commit_costs_nothing(seed: int, victim: str, crash: Crash) -> None:
    for commit in range(1, commits(seed)[victim] + 1):
        tell(seed, victim, commit, crash)


def test_one_who_comes_back_may_crash_at_any_commit() -> None:
    for commit in range(1, commits(0)["sorrel"] + 1):
        tell(0, "sorrel", commit, Crash.BEFORE)
