"""No state was ever untrue: a crash at any commit and after any send of posts, receipts, withdrawals and expiry."""

import random

import pytest

from simulations.world import Crash
from tests.simulations.truth import NAMES, counts, tell


@pytest.mark.parametrize("draw", range(16))
def test_a_crash_at_some_commit_makes_no_state_untrue(draw: int) -> None:
    dice = random.Random(f"truth {draw}")
    seed, victim = draw % 3, dice.choice(NAMES)
    tell(seed, victim, commit=dice.randint(1, counts(seed)[victim][0]), crash=dice.choice(list(Crash)))


@pytest.mark.parametrize("draw", range(16))
def test_a_crash_after_some_send_makes_no_state_untrue(draw: int) -> None:
    dice = random.Random(f"truth, sent {draw}")
    seed, victim = draw % 3, dice.choice(NAMES)
    crash = dice.choice([Crash.AFTER, Crash.POWER])
    tell(seed, victim, send=dice.randint(1, counts(seed)[victim][1]), crash=crash)


@pytest.mark.long
@pytest.mark.parametrize("crash", list(Crash))
@pytest.mark.parametrize("victim", NAMES)
def test_a_crash_at_any_commit_makes_no_state_untrue(victim: str, crash: Crash) -> None:
    for commit in range(1, counts(0)[victim][0] + 1):
        tell(0, victim, commit=commit, crash=crash)


@pytest.mark.long
@pytest.mark.parametrize("crash", [Crash.AFTER, Crash.POWER])
@pytest.mark.parametrize("victim", NAMES)
def test_a_crash_after_any_send_makes_no_state_untrue(victim: str, crash: Crash) -> None:
    for send in range(1, counts(0)[victim][1] + 1):
        tell(0, victim, send=send, crash=crash)
