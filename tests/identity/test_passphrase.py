"""How slow a passphrase is on purpose, and which texts are one."""

import subprocess
import sys
from itertools import pairwise

import pytest

from mesh.errors import Exit
from mesh.identity.passphrase import DEFAULT, DERIVE_S_MAX, FLOOR, LADDER, Cost, PassphraseUnfit, calibrate, derive

SALT = bytes(range(16))


def test_the_ways_to_type_a_letter_give_one_key() -> None:
    keys = [derive(typed, SALT, FLOOR) for typed in ("ﬁve é", "five e\u0301")]
    assert keys[0] == keys[1]
    assert len(keys[0]) == 32


def test_every_byte_and_the_cost_count() -> None:
    base = derive("a", SALT, FLOOR)
    assert base != derive("A", SALT, FLOOR)
    assert base != derive("a ", SALT, FLOOR)
    assert base != derive("a", bytes(16), FLOOR)
    assert base != derive("a", SALT, Cost(passes=3, memory_kib=FLOOR.memory_kib))


@pytest.mark.parametrize("text", ["", "x" * 1025, "é" * 513, "\ud800", "ﷺ" * 40])
def test_what_is_no_passphrase_is_refused_before_any_work(text: str) -> None:
    with pytest.raises(PassphraseUnfit) as caught:
        derive(text, SALT, LADDER[0])
    assert caught.value.exit is Exit.LOCKED
    assert caught.value.do
    assert text == "" or text not in caught.value.what


@pytest.mark.parametrize("text", ["x", "x" * 1024, "é" * 512, "\0", "🐦"])
def test_what_is_just_within_bounds_is_one(text: str) -> None:
    assert len(derive(text, SALT, FLOOR)) == 32


@pytest.mark.parametrize(
    ("passes", "mib", "allowed"),
    [
        (2, 64, True),
        (16, 1024, True),
        (1, 64, False),
        (0, 64, False),
        (17, 64, False),
        (2, 63, False),
        (2, 1025, False),
        (2**32 - 1, 64, False),
    ],
)
def test_costs_have_a_floor_and_a_ceiling(passes: int, mib: int, allowed: bool) -> None:
    assert Cost(passes=passes, memory_kib=mib * 1024).allowed is allowed


def test_the_bounds_are_exact() -> None:
    assert not Cost(passes=2, memory_kib=64 * 1024 - 1).allowed
    assert not Cost(passes=2, memory_kib=1024 * 1024 + 1).allowed


def test_the_ladder_goes_down_from_the_default_to_the_floor() -> None:
    assert LADDER[0] == DEFAULT == Cost(passes=3, memory_kib=256 * 1024)
    assert LADDER[-1] == FLOOR == Cost(passes=2, memory_kib=64 * 1024)
    assert all(cost.allowed for cost in LADDER)
    assert all(one.passes * one.memory_kib > two.passes * two.memory_kib for one, two in pairwise(LADDER))


# One derivation at the floor took so long; the default is six times its work.
@pytest.mark.parametrize(
    ("floor_s", "chosen"),
    [
        (0.0, DEFAULT),
        (0.1, DEFAULT),
        (DERIVE_S_MAX / 6, DEFAULT),
        (DERIVE_S_MAX / 5, LADDER[1]),
        (DERIVE_S_MAX / 4, LADDER[1]),
        (DERIVE_S_MAX / 2, LADDER[3]),
        (DERIVE_S_MAX, FLOOR),
        (60.0, FLOOR),
    ],
)
def test_a_slower_machine_gets_less_work_and_never_less_than_the_floor(floor_s: float, chosen: Cost) -> None:
    readings = iter([8.0, 8.0 + floor_s])
    assert calibrate(lambda: next(readings)) == chosen


def test_memory_that_is_not_there_is_said_in_words() -> None:
    script = """
import contextlib, resource
from mesh.identity.passphrase import Cost, MemoryShort, derive
with contextlib.suppress(OSError, ValueError):
    resource.setrlimit(resource.RLIMIT_AS, (512 << 20, 512 << 20))
try:
    derive("a", bytes(16), Cost(passes=2, memory_kib=1 << 20))
    print("enough")
except MemoryShort as error:
    print(error.code, "1024 MiB" in error.what)
"""
    ran = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert ran.stdout == ("E-MEMORY True\n" if sys.platform == "linux" else "enough\n")  # macOS sets no such limit
